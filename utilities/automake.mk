# SPDX-License-Identifier: Apache-2.0
#
# One file a line, in the order of the names.
utilities_ovs_ofctl_SOURCES += weft/utilities/fabric-ofctl-glue.h
utilities_ovs_vsctl_SOURCES += weft/utilities/fabric-vsctl-check.c
utilities_ovs_vsctl_SOURCES += weft/utilities/fabric-vsctl-check.h
utilities_ovs_vsctl_SOURCES += weft/utilities/fabric-vsctl.c

# Looking at fabrics.
bin_PROGRAMS += weft/utilities/ovs-fabric
weft_utilities_ovs_fabric_SOURCES = \
	weft/utilities/fabric-cleanup.c \
	weft/utilities/fabric-cleanup.h \
	weft/utilities/fabric-grid.c \
	weft/utilities/fabric-grid.h \
	weft/utilities/fabric-map-layout.c \
	weft/utilities/fabric-map-layout.h \
	weft/utilities/fabric-map.c \
	weft/utilities/fabric-map.h \
	weft/utilities/fabric-text.c \
	weft/utilities/fabric-text.h \
	weft/utilities/fabric-top.c \
	weft/utilities/fabric-top.h \
	weft/utilities/fabric-switch-view.c \
	weft/utilities/fabric-switch-view.h \
	weft/utilities/ovs-fabric.c
weft_utilities_ovs_fabric_LDADD = lib/libopenvswitch.la
weft_utilities_ovs_fabric_CPPFLAGS = $(AM_CPPFLAGS)
if HAVE_FABRIC_SCREEN
weft_utilities_ovs_fabric_SOURCES += weft/utilities/fabric-top-screen.c
weft_utilities_ovs_fabric_CPPFLAGS += $(NCURSES_CFLAGS) -DHAVE_FABRIC_SCREEN
weft_utilities_ovs_fabric_LDADD += $(NCURSES_LIBS)
endif

if HAVE_FABRIC_EXPORTER
bin_PROGRAMS += weft/utilities/ovs-fabric-exporter
endif
weft_utilities_ovs_fabric_exporter_SOURCES = \
	weft/utilities/fabric-auth.c \
	weft/utilities/fabric-auth.h \
	weft/utilities/fabric-http.c \
	weft/utilities/fabric-http.h \
	weft/utilities/fabric-metrics.c \
	weft/utilities/fabric-metrics.h \
	weft/utilities/fabric-text.c \
	weft/utilities/fabric-text.h \
	weft/utilities/fabric-switch-view.c \
	weft/utilities/fabric-switch-view.h \
	weft/utilities/ovs-fabric-exporter.c
weft_utilities_ovs_fabric_exporter_CPPFLAGS = \
	$(AM_CPPFLAGS) $(MICROHTTPD_CFLAGS)
weft_utilities_ovs_fabric_exporter_LDADD = \
	lib/libopenvswitch.la $(MICROHTTPD_LIBS)

# Part of "ovs-ctl stop", beside ovs-ctl.
scripts_SCRIPTS += utilities/ovs-fabric-stop
CLEANFILES += utilities/ovs-fabric-stop
EXTRA_DIST += weft/utilities/ovs-fabric-stop
utilities/ovs-fabric-stop: $(srcdir)/weft/utilities/ovs-fabric-stop
	$(AM_V_at)$(MKDIR_P) utilities
	$(AM_V_GEN)cp $(srcdir)/weft/utilities/ovs-fabric-stop $@

# Commands of the tree, not installed.
EXTRA_DIST += weft/utilities/fabric-demo
EXTRA_DIST += weft/utilities/fabric-lab
EXTRA_DIST += weft/utilities/fabric-lab.8
EXTRA_DIST += weft/utilities/fabric_lab/__init__.py
EXTRA_DIST += weft/utilities/fabric_lab/cli.py
EXTRA_DIST += weft/utilities/fabric_lab/impair.py
EXTRA_DIST += weft/utilities/fabric_lab/lab.py
EXTRA_DIST += weft/utilities/fabric_lab/netns.py
EXTRA_DIST += weft/utilities/fabric_lab/stream.py
EXTRA_DIST += weft/utilities/fabric_lab/switch.py
EXTRA_DIST += weft/utilities/fabric_lab/topology.py
EXTRA_DIST += weft/utilities/fabric_lab/underlay.py

pkgdata_DATA += weft/utilities/fabric-dashboard.json
EXTRA_DIST += weft/utilities/fabric-dashboard.json

man_MANS += weft/utilities/fabric-vsctl.8
man_MANS += weft/utilities/ovs-fabric.8
if HAVE_FABRIC_EXPORTER
man_MANS += weft/utilities/ovs-fabric-exporter.8
endif
man_MANS += weft/utilities/weft-fabric.7
EXTRA_DIST += weft/utilities/fabric-vsctl.8
EXTRA_DIST += weft/utilities/ovs-fabric.8
EXTRA_DIST += weft/utilities/ovs-fabric-exporter.8
EXTRA_DIST += weft/utilities/weft-fabric.7
