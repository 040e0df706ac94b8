# SPDX-License-Identifier: Apache-2.0
#
# One file a line, in the order of the names.
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-dp.c
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-odp.c
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-odp.h
