# SPDX-License-Identifier: Apache-2.0
#
# One file a line, in the order of the names.
lib_libopenvswitch_la_SOURCES += weft/lib/fabric-drops.h
lib_libopenvswitch_la_SOURCES += weft/lib/fabric-encap.h
lib_libopenvswitch_la_SOURCES += weft/lib/fabric-flow-hash.h
lib_libopenvswitch_la_SOURCES += weft/lib/fabric-gso.h
lib_libopenvswitch_la_SOURCES += weft/lib/fabric-hooks.h
lib_libopenvswitch_la_SOURCES += weft/lib/fabric-registry.h
lib_libopenvswitch_la_SOURCES += weft/lib/fabric-stamp.h
lib_libopenvswitch_la_SOURCES += weft/lib/fabric-types.h
lib_libopenvswitch_la_SOURCES += weft/lib/fabric-version.c

nodist_lib_libopenvswitch_la_SOURCES += weft/lib/fabric-version.h
