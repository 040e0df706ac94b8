# SPDX-License-Identifier: Apache-2.0
#
# One file a line, in the order of the names.
ofproto_libofproto_la_SOURCES += weft/ofproto/fabric-xlate-glue.h
ofproto_libofproto_la_SOURCES += weft/ofproto/fabric-xlate.c
ofproto_libofproto_la_SOURCES += weft/ofproto/fabric-xlate.h
