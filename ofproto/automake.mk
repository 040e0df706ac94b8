# SPDX-License-Identifier: Apache-2.0
#
# One file a line, in the order of the names.
ofproto_libofproto_la_SOURCES += weft/ofproto/fabric-config.c
ofproto_libofproto_la_SOURCES += weft/ofproto/fabric-config.h
ofproto_libofproto_la_SOURCES += weft/ofproto/fabric-endpoints.c
ofproto_libofproto_la_SOURCES += weft/ofproto/fabric-forwarding.c
ofproto_libofproto_la_SOURCES += weft/ofproto/fabric-forwarding.h
ofproto_libofproto_la_SOURCES += weft/ofproto/fabric-idl.h
ofproto_libofproto_la_SOURCES += weft/ofproto/fabric-ofmsg-glue.h
ofproto_libofproto_la_SOURCES += weft/ofproto/fabric-ofmsg.c
ofproto_libofproto_la_SOURCES += weft/ofproto/fabric-plan.c
ofproto_libofproto_la_SOURCES += weft/ofproto/fabric-plan.h
ofproto_libofproto_la_SOURCES += weft/ofproto/fabric-reply.c
ofproto_libofproto_la_SOURCES += weft/ofproto/fabric-reply.h
ofproto_libofproto_la_SOURCES += weft/ofproto/fabric-row.c
ofproto_libofproto_la_SOURCES += weft/ofproto/fabric-row.h
ofproto_libofproto_la_SOURCES += weft/ofproto/fabric-show.c
ofproto_libofproto_la_SOURCES += weft/ofproto/fabric-show.h
ofproto_libofproto_la_SOURCES += weft/ofproto/fabric-status.c
ofproto_libofproto_la_SOURCES += weft/ofproto/fabric-status.h
ofproto_libofproto_la_SOURCES += weft/ofproto/fabric-view.c
ofproto_libofproto_la_SOURCES += weft/ofproto/fabric-view.h
ofproto_libofproto_la_SOURCES += weft/ofproto/fabric-xlate-glue.h
ofproto_libofproto_la_SOURCES += weft/ofproto/fabric-xlate.c
ofproto_libofproto_la_SOURCES += weft/ofproto/fabric-xlate.h

EXTRA_DIST += weft/ofproto/fabric.ovsschema
EXTRA_DIST += weft/ofproto/fabric.xml
