# SPDX-License-Identifier: Apache-2.0

# One file a line, in the order of the names.
WEFT_TESTSUITE_AT =
WEFT_TESTSUITE_AT += weft/tests/fabric-actions.at
WEFT_TESTSUITE_AT += weft/tests/fabric-bare.at
WEFT_TESTSUITE_AT += weft/tests/fabric-bench.at
WEFT_TESTSUITE_AT += weft/tests/fabric-bfd.at
WEFT_TESTSUITE_AT += weft/tests/fabric-codec.at
WEFT_TESTSUITE_AT += weft/tests/fabric-config.at
WEFT_TESTSUITE_AT += weft/tests/fabric-control.at
WEFT_TESTSUITE_AT += weft/tests/fabric-discover.at
WEFT_TESTSUITE_AT += weft/tests/fabric-drops.at
WEFT_TESTSUITE_AT += weft/tests/fabric-dummy-macros.at
WEFT_TESTSUITE_AT += weft/tests/fabric-eyes.at
WEFT_TESTSUITE_AT += weft/tests/fabric-faults.at
WEFT_TESTSUITE_AT += weft/tests/fabric-fast.at
WEFT_TESTSUITE_AT += weft/tests/fabric-health.at
WEFT_TESTSUITE_AT += weft/tests/fabric-identity.at
WEFT_TESTSUITE_AT += weft/tests/fabric-grey.at
WEFT_TESTSUITE_AT += weft/tests/fabric-host.at
WEFT_TESTSUITE_AT += weft/tests/fabric-lab-macros.at
WEFT_TESTSUITE_AT += weft/tests/fabric-macros.at
WEFT_TESTSUITE_AT += weft/tests/fabric-live.at
WEFT_TESTSUITE_AT += weft/tests/fabric-netdev.at
WEFT_TESTSUITE_AT += weft/tests/fabric-odp.at
WEFT_TESTSUITE_AT += weft/tests/fabric-oneway.at
WEFT_TESTSUITE_AT += weft/tests/fabric-openflow.at
WEFT_TESTSUITE_AT += weft/tests/fabric-paths.at
WEFT_TESTSUITE_AT += weft/tests/fabric-pmtu.at
WEFT_TESTSUITE_AT += weft/tests/fabric-shares.at
WEFT_TESTSUITE_AT += weft/tests/fabric-show.at
WEFT_TESTSUITE_AT += weft/tests/fabric-status.at
WEFT_TESTSUITE_AT += weft/tests/fabric-stop.at
WEFT_TESTSUITE_AT += weft/tests/fabric-system.at
WEFT_TESTSUITE_AT += weft/tests/fabric-vsctl.at
WEFT_TESTSUITE_AT += weft/tests/fabric-xlate.at
WEFT_TESTSUITE_AT += weft/tests/fuzz.at
WEFT_TESTSUITE_AT += weft/tests/system-lab.at
WEFT_TESTSUITE_AT += weft/tests/testsuite.at
WEFT_TESTSUITE_AT += weft/tests/version.at
EXTRA_DIST += $(WEFT_TESTSUITE_AT)
EXTRA_DIST += weft/tests/fabric-draw.py
EXTRA_DIST += weft/tests/fabric-fake.py
EXTRA_DIST += weft/tests/stamp_vectors.py
EXTRA_DIST += weft/tests/tsan.supp

# Programs for the suite to call, as sub-commands of upstream's ovstest.
tests_ovstest_SOURCES += weft/tests/fabric-check.h
tests_ovstest_SOURCES += weft/tests/fabric-frame.h
tests_ovstest_SOURCES += weft/tests/test-fabric-bare.c
tests_ovstest_SOURCES += weft/tests/test-fabric-bfd.c
tests_ovstest_SOURCES += weft/tests/test-fabric-choice.c
tests_ovstest_SOURCES += weft/tests/test-fabric-discover.c
tests_ovstest_SOURCES += weft/tests/test-fabric-ecn.c
tests_ovstest_SOURCES += weft/tests/test-fabric-encap.c
tests_ovstest_SOURCES += weft/tests/test-fabric-gso.c
tests_ovstest_SOURCES += weft/tests/test-fabric-hash.c
tests_ovstest_SOURCES += weft/tests/test-fabric-health.c
tests_ovstest_SOURCES += weft/tests/test-fabric-hearing.c
tests_ovstest_SOURCES += weft/tests/test-fabric-liveness.c
tests_ovstest_SOURCES += weft/tests/test-fabric-pmtu.c
tests_ovstest_SOURCES += weft/tests/test-fabric-ptb.c
tests_ovstest_SOURCES += weft/tests/test-fabric-msg.c
tests_ovstest_SOURCES += weft/tests/test-fabric-seq-window.c
tests_ovstest_SOURCES += weft/tests/test-fabric-stamp-tlv.c
tests_ovstest_SOURCES += weft/tests/test-fabric-stamp.c
tests_ovstest_SOURCES += weft/tests/test-fabric-table.c

# Programs of the lab.
noinst_PROGRAMS += weft/tests/fabric-peers
noinst_PROGRAMS += weft/tests/fabric-relay
noinst_PROGRAMS += weft/tests/fabric-rr
noinst_PROGRAMS += weft/tests/fabric-stream
noinst_PROGRAMS += weft/tests/fabric-wire
weft_tests_fabric_peers_SOURCES = \
	weft/tests/fabric-peers.c \
	weft/tests/fabric-tool.c \
	weft/tests/fabric-tool.h
weft_tests_fabric_relay_SOURCES = \
	weft/tests/fabric-relay.c \
	weft/tests/fabric-tool.c \
	weft/tests/fabric-tool.h
weft_tests_fabric_rr_SOURCES = \
	weft/tests/fabric-rr.c \
	weft/tests/fabric-tool.c \
	weft/tests/fabric-tool.h
weft_tests_fabric_stream_SOURCES = \
	weft/tests/fabric-stream.c \
	weft/tests/fabric-tool.c \
	weft/tests/fabric-tool.h
weft_tests_fabric_wire_SOURCES = \
	weft/tests/fabric-tool.c \
	weft/tests/fabric-tool.h \
	weft/tests/fabric-wire.c

EXTRA_DIST += weft/tests/bench/accuracy.py
EXTRA_DIST += weft/tests/bench/failover.py
EXTRA_DIST += weft/tests/bench/grey.py
EXTRA_DIST += weft/tests/bench/peers.py
EXTRA_DIST += weft/tests/bench/probe.py
EXTRA_DIST += weft/tests/bench/restart.py
EXTRA_DIST += weft/tests/bench/results.py
EXTRA_DIST += weft/tests/bench/run.py
EXTRA_DIST += weft/tests/bench/tcp.py

# The suite runs in the build directory of upstream's, with its atconfig,
# atlocal and paths.
WEFT_TESTSUITE = weft/tests/weft-testsuite
CLEANFILES += $(WEFT_TESTSUITE)
$(WEFT_TESTSUITE): package.m4 $(WEFT_TESTSUITE_AT) $(COMMON_MACROS_AT)
	$(AM_V_at)$(MKDIR_P) weft/tests
	$(AM_V_GEN)$(AUTOTEST) -I '$(srcdir)' -o $@.tmp \
	  $(srcdir)/weft/tests/testsuite.at
	$(AM_V_at)mv $@.tmp $@

WEFT_AUTOTEST_PATH = $(AUTOTEST_PATH):weft/utilities:weft/tests:weft/tests/fuzz
check-fabric: all $(check_DATA) $(check_SCRIPTS) $(WEFT_TESTSUITE)
	set $(SHELL) '$(WEFT_TESTSUITE)' -C tests \
	  AUTOTEST_PATH=$(WEFT_AUTOTEST_PATH); \
	"$$@" $(TESTSUITEFLAGS) || \
	(test X'$(RECHECK)' = Xyes && "$$@" --recheck)
.PHONY: check-fabric

include weft/tests/fuzz/automake.mk
