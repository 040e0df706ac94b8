# SPDX-License-Identifier: Apache-2.0
#
# Weft's part of Open vSwitch's own build.  ovs/weave makes it visible there as
# weft/automake.mk, beside links to our folders, and patch 0100 includes it at
# the end of upstream's Makefile.am.  Each folder's fragment appends its files,
# one a line, to the libraries and programs that upstream defines.

AM_CPPFLAGS += -I $(top_srcdir)/weft/lib
AM_CPPFLAGS += -I $(top_builddir)/weft/lib
AM_CPPFLAGS += -I $(top_srcdir)/weft/datapath-ext
AM_CPPFLAGS += -I $(top_srcdir)/weft/ofproto
AM_CPPFLAGS += -I $(top_srcdir)/weft/utilities
AM_CPPFLAGS += -I $(top_srcdir)/tests

EXTRA_DIST += \
	weft/configure.ac \
	weft/merge-schema \
	weft/weft.m4 \
	weft/woven

# The version is written once, in the outer configure.ac.
BUILT_SOURCES += weft/lib/fabric-version.h
weft/lib/fabric-version.h: $(srcdir)/weft/configure.ac
	$(AM_V_at)$(MKDIR_P) weft/lib
	$(AM_V_GEN)sed -n \
	  's/^AC_INIT(\[weft\], \[\([^]]*\)\].*/#define FABRIC_VERSION "\1"/p' \
	  $(srcdir)/weft/configure.ac > $@.tmp && mv $@.tmp $@

# Our tables in the Open_vSwitch database and in its manual.  merge-schema
# writes only what changes, so the stamp tells make that it has run.
EXTRA_DIST += \
	weft/upstream/vswitch.ovsschema \
	weft/upstream/vswitch.xml
BUILT_SOURCES += weft/merge-schema.stamp
CLEANFILES += weft/merge-schema.stamp
weft/merge-schema.stamp: \
	$(srcdir)/weft/merge-schema \
	$(wildcard $(srcdir)/weft/ofproto/fabric.ovsschema) \
	$(wildcard $(srcdir)/weft/ofproto/fabric.xml)
	$(AM_V_at)$(MKDIR_P) weft
	$(AM_V_GEN)$(PYTHON3) $(srcdir)/weft/merge-schema $(srcdir) && touch $@
$(srcdir)/vswitchd/vswitch.ovsschema: weft/merge-schema.stamp ;
$(srcdir)/vswitchd/vswitch.xml: weft/merge-schema.stamp ;

include weft/lib/automake.mk
include weft/datapath-ext/automake.mk
include weft/ofproto/automake.mk
include weft/utilities/automake.mk
include weft/tests/automake.mk
