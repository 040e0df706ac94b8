# SPDX-License-Identifier: Apache-2.0
#
# One file a line, in the order of the names.
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-channel.h
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-dp.c
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-fit.c
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-fit.h
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-host-policy.h
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-kern-abi.h
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-kern-count.h
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-kern-drops.h
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-kern-flows.h
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-kern-guard.h
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-kern-masks.h
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-kern-match.h
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-kern-mirror.h
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-kern-names.h
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-kern-peer.h
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-kern-reason.h
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-kern-route.h
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-kern-sync.h
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-kern-tc.h
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-kern-underlay.h
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-kern-watch.h
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-kern.h
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-loop.h
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-netfilter.h
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-odp.c
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-odp.h
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-port-watch.h
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-share.h
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-xfrm.h
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/netdev-workload.h
EXTRA_DIST += weft/datapath-ext/bpf/fabric-kern-actions.h
EXTRA_DIST += weft/datapath-ext/bpf/fabric-kern-maps.h
EXTRA_DIST += weft/datapath-ext/bpf/fabric-kern-outer.h
EXTRA_DIST += weft/datapath-ext/bpf/fabric-kern-packet.h
EXTRA_DIST += weft/datapath-ext/bpf/fabric-kern-share.h
EXTRA_DIST += weft/datapath-ext/bpf/fabric-kern.bpf.c

if HAVE_FABRIC_KERN
AM_CPPFLAGS += -I $(top_builddir)/weft/datapath-ext
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-channel.c
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-host-policy.c
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-kern-count.c
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-kern-drops.c
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-kern-flows.c
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-kern-guard.c
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-kern-masks.c
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-kern-match.c
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-kern-mirror.c
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-kern-names.c
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-kern-peer.c
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-kern-route.c
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-kern-sync.c
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-kern-tc.c
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-kern-underlay.c
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-kern-watch.c
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-kern.c
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-loop.c
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-netfilter.c
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-port-watch.c
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-share.c
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-xfrm.c
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/netdev-workload.c
nodist_lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-kern.skel.h

# The kernel's headers for the architecture are where gcc finds them.
BPF_CFLAGS = -g -O2 -Wall -Werror -Wno-address-of-packed-member -mcpu=v3 \
	-isystem /usr/include/$(shell $(CC) -print-multiarch)
BUILT_SOURCES += weft/datapath-ext/fabric-kern.skel.h
CLEANFILES += \
	weft/datapath-ext/fabric-kern.bpf.o \
	weft/datapath-ext/fabric-kern.skel.h
weft/datapath-ext/fabric-kern.skel.h: \
	$(srcdir)/weft/datapath-ext/bpf/fabric-kern-actions.h \
	$(srcdir)/weft/datapath-ext/bpf/fabric-kern-maps.h \
	$(srcdir)/weft/datapath-ext/bpf/fabric-kern-outer.h \
	$(srcdir)/weft/datapath-ext/bpf/fabric-kern-packet.h \
	$(srcdir)/weft/datapath-ext/bpf/fabric-kern-share.h \
	$(srcdir)/weft/datapath-ext/bpf/fabric-kern.bpf.c \
	$(srcdir)/weft/datapath-ext/fabric-kern-abi.h \
	$(srcdir)/weft/datapath-ext/fabric-kern-reason.h
	$(AM_V_at)$(MKDIR_P) weft/datapath-ext
	$(AM_V_GEN)$(CLANG) -target bpf $(BPF_CFLAGS) \
	  -c $(srcdir)/weft/datapath-ext/bpf/fabric-kern.bpf.c \
	  -o weft/datapath-ext/fabric-kern.bpf.o
	$(AM_V_at)$(BPFTOOL) gen skeleton weft/datapath-ext/fabric-kern.bpf.o \
	  name fabric_kern_bpf > $@.tmp && mv $@.tmp $@
else
lib_libopenvswitch_la_SOURCES += weft/datapath-ext/fabric-kern-none.c
endif
