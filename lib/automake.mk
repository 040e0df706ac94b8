# SPDX-License-Identifier: Apache-2.0
#
# One file a line, in the order of the names.
lib_libopenvswitch_la_SOURCES += weft/lib/fabric-bytes.h
lib_libopenvswitch_la_SOURCES += weft/lib/fabric-drops.c
lib_libopenvswitch_la_SOURCES += weft/lib/fabric-drops.h
lib_libopenvswitch_la_SOURCES += weft/lib/fabric-encap.c
lib_libopenvswitch_la_SOURCES += weft/lib/fabric-encap.h
lib_libopenvswitch_la_SOURCES += weft/lib/fabric-endpoint.c
lib_libopenvswitch_la_SOURCES += weft/lib/fabric-flow-hash.c
lib_libopenvswitch_la_SOURCES += weft/lib/fabric-flow-hash.h
lib_libopenvswitch_la_SOURCES += weft/lib/fabric-gso.c
lib_libopenvswitch_la_SOURCES += weft/lib/fabric-gso.h
lib_libopenvswitch_la_SOURCES += weft/lib/fabric-hooks.h
lib_libopenvswitch_la_SOURCES += weft/lib/fabric-liveness.c
lib_libopenvswitch_la_SOURCES += weft/lib/fabric-liveness.h
lib_libopenvswitch_la_SOURCES += weft/lib/fabric-private.h
lib_libopenvswitch_la_SOURCES += weft/lib/fabric-prober.c
lib_libopenvswitch_la_SOURCES += weft/lib/fabric-prober.h
lib_libopenvswitch_la_SOURCES += weft/lib/fabric-registry.c
lib_libopenvswitch_la_SOURCES += weft/lib/fabric-registry.h
lib_libopenvswitch_la_SOURCES += weft/lib/fabric-stamp.c
lib_libopenvswitch_la_SOURCES += weft/lib/fabric-stamp.h
lib_libopenvswitch_la_SOURCES += weft/lib/fabric-table.c
lib_libopenvswitch_la_SOURCES += weft/lib/fabric-table.h
lib_libopenvswitch_la_SOURCES += weft/lib/fabric-types.c
lib_libopenvswitch_la_SOURCES += weft/lib/fabric-types.h
lib_libopenvswitch_la_SOURCES += weft/lib/fabric-uplink-dummy.c
lib_libopenvswitch_la_SOURCES += weft/lib/fabric-uplink-udp.c
lib_libopenvswitch_la_SOURCES += weft/lib/fabric-uplink.c
lib_libopenvswitch_la_SOURCES += weft/lib/fabric-uplink.h
lib_libopenvswitch_la_SOURCES += weft/lib/fabric-version.c
lib_libopenvswitch_la_SOURCES += weft/lib/netdev-fabric.c
lib_libopenvswitch_la_SOURCES += weft/lib/netdev-fabric.h

nodist_lib_libopenvswitch_la_SOURCES += weft/lib/fabric-version.h
