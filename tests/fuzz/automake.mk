# SPDX-License-Identifier: Apache-2.0

# In the order of the names.
WEFT_FUZZ =

WEFT_FUZZ += fuzz-bfd
weft_tests_fuzz_fuzz_bfd_SOURCES = weft/tests/fuzz/fuzz-bfd.c
weft_tests_fuzz_fuzz_bfd_LDADD = $(WEFT_FUZZ_LIBS)
weft_tests_fuzz_fuzz_bfd_LDFLAGS = $(AM_LDFLAGS) $(WEFT_FUZZ_ENGINE)

WEFT_FUZZ += fuzz-ecn
weft_tests_fuzz_fuzz_ecn_SOURCES = weft/tests/fuzz/fuzz-ecn.c
weft_tests_fuzz_fuzz_ecn_LDADD = $(WEFT_FUZZ_LIBS)
weft_tests_fuzz_fuzz_ecn_LDFLAGS = $(AM_LDFLAGS) $(WEFT_FUZZ_ENGINE)

WEFT_FUZZ += fuzz-encap
weft_tests_fuzz_fuzz_encap_SOURCES = weft/tests/fuzz/fuzz-encap.c
weft_tests_fuzz_fuzz_encap_LDADD = $(WEFT_FUZZ_LIBS)
weft_tests_fuzz_fuzz_encap_LDFLAGS = $(AM_LDFLAGS) $(WEFT_FUZZ_ENGINE)

WEFT_FUZZ += fuzz-flow-hash
weft_tests_fuzz_fuzz_flow_hash_SOURCES = weft/tests/fuzz/fuzz-flow-hash.c
weft_tests_fuzz_fuzz_flow_hash_LDADD = $(WEFT_FUZZ_LIBS)
weft_tests_fuzz_fuzz_flow_hash_LDFLAGS = $(AM_LDFLAGS) $(WEFT_FUZZ_ENGINE)

WEFT_FUZZ += fuzz-gro
weft_tests_fuzz_fuzz_gro_SOURCES = weft/tests/fuzz/fuzz-gro.c
weft_tests_fuzz_fuzz_gro_LDADD = $(WEFT_FUZZ_LIBS)
weft_tests_fuzz_fuzz_gro_LDFLAGS = $(AM_LDFLAGS) $(WEFT_FUZZ_ENGINE)

WEFT_FUZZ += fuzz-metrics
weft_tests_fuzz_fuzz_metrics_SOURCES = \
	weft/tests/fuzz/fuzz-metrics.c \
	weft/utilities/fabric-auth.c \
	weft/utilities/fabric-metrics.c \
	weft/utilities/fabric-switch-view.c \
	weft/utilities/fabric-text.c
weft_tests_fuzz_fuzz_metrics_CPPFLAGS = \
	$(AM_CPPFLAGS) -I $(top_srcdir)/weft/utilities
weft_tests_fuzz_fuzz_metrics_LDADD = $(WEFT_FUZZ_LIBS)
weft_tests_fuzz_fuzz_metrics_LDFLAGS = $(AM_LDFLAGS) $(WEFT_FUZZ_ENGINE)

WEFT_FUZZ += fuzz-odp-fabric
weft_tests_fuzz_fuzz_odp_fabric_SOURCES = weft/tests/fuzz/fuzz-odp-fabric.c
weft_tests_fuzz_fuzz_odp_fabric_LDADD = $(WEFT_FUZZ_LIBS)
weft_tests_fuzz_fuzz_odp_fabric_LDFLAGS = $(AM_LDFLAGS) $(WEFT_FUZZ_ENGINE)

WEFT_FUZZ += fuzz-ofp-fabric
weft_tests_fuzz_fuzz_ofp_fabric_SOURCES = weft/tests/fuzz/fuzz-ofp-fabric.c
weft_tests_fuzz_fuzz_ofp_fabric_LDADD = $(WEFT_FUZZ_LIBS)
weft_tests_fuzz_fuzz_ofp_fabric_LDFLAGS = $(AM_LDFLAGS) $(WEFT_FUZZ_ENGINE)

WEFT_FUZZ += fuzz-ofp-fabric-msg
weft_tests_fuzz_fuzz_ofp_fabric_msg_SOURCES = weft/tests/fuzz/fuzz-ofp-fabric-msg.c
weft_tests_fuzz_fuzz_ofp_fabric_msg_LDADD = $(WEFT_FUZZ_LIBS)
weft_tests_fuzz_fuzz_ofp_fabric_msg_LDFLAGS = $(AM_LDFLAGS) $(WEFT_FUZZ_ENGINE)

WEFT_FUZZ += fuzz-ptb
weft_tests_fuzz_fuzz_ptb_SOURCES = weft/tests/fuzz/fuzz-ptb.c
weft_tests_fuzz_fuzz_ptb_LDADD = $(WEFT_FUZZ_LIBS)
weft_tests_fuzz_fuzz_ptb_LDFLAGS = $(AM_LDFLAGS) $(WEFT_FUZZ_ENGINE)

WEFT_FUZZ += fuzz-quote
weft_tests_fuzz_fuzz_quote_SOURCES = weft/tests/fuzz/fuzz-quote.c
weft_tests_fuzz_fuzz_quote_LDADD = $(WEFT_FUZZ_LIBS)
weft_tests_fuzz_fuzz_quote_LDFLAGS = $(AM_LDFLAGS) $(WEFT_FUZZ_ENGINE)

WEFT_FUZZ += fuzz-stamp
weft_tests_fuzz_fuzz_stamp_SOURCES = weft/tests/fuzz/fuzz-stamp.c
weft_tests_fuzz_fuzz_stamp_LDADD = $(WEFT_FUZZ_LIBS)
weft_tests_fuzz_fuzz_stamp_LDFLAGS = $(AM_LDFLAGS) $(WEFT_FUZZ_ENGINE)

WEFT_FUZZ += fuzz-too-big
weft_tests_fuzz_fuzz_too_big_SOURCES = weft/tests/fuzz/fuzz-too-big.c
weft_tests_fuzz_fuzz_too_big_LDADD = $(WEFT_FUZZ_LIBS)
weft_tests_fuzz_fuzz_too_big_LDFLAGS = $(AM_LDFLAGS) $(WEFT_FUZZ_ENGINE)

noinst_PROGRAMS += weft/tests/fuzz/fuzz-bfd
noinst_PROGRAMS += weft/tests/fuzz/fuzz-ecn
noinst_PROGRAMS += weft/tests/fuzz/fuzz-encap
noinst_PROGRAMS += weft/tests/fuzz/fuzz-flow-hash
noinst_PROGRAMS += weft/tests/fuzz/fuzz-gro
noinst_PROGRAMS += weft/tests/fuzz/fuzz-metrics
noinst_PROGRAMS += weft/tests/fuzz/fuzz-odp-fabric
noinst_PROGRAMS += weft/tests/fuzz/fuzz-ofp-fabric
noinst_PROGRAMS += weft/tests/fuzz/fuzz-ofp-fabric-msg
noinst_PROGRAMS += weft/tests/fuzz/fuzz-ptb
noinst_PROGRAMS += weft/tests/fuzz/fuzz-quote
noinst_PROGRAMS += weft/tests/fuzz/fuzz-stamp
noinst_PROGRAMS += weft/tests/fuzz/fuzz-too-big

# "main" comes from replay.c or, in check-fabric-fuzz, from libFuzzer.
noinst_LTLIBRARIES += weft/tests/fuzz/libreplay.la
weft_tests_fuzz_libreplay_la_SOURCES = \
	weft/tests/fuzz/fuzz.h \
	weft/tests/fuzz/replay.c
WEFT_FUZZ_MAIN = weft/tests/fuzz/libreplay.la
WEFT_FUZZ_LIBS = $(WEFT_FUZZ_MAIN) lib/libopenvswitch.la
WEFT_FUZZ_ENGINE =
EXTRA_DIST += weft/tests/fuzz/make-seeds.py

# Each target for FUZZ_SECONDS.  What is found on the way is kept in found/ of
# the build directory, and so is an input that crashes it, as crash-*.
FUZZ_SECONDS = 20
check-fabric-fuzz: $(BUILT_SOURCES)
	$(MAKE) WEFT_FUZZ_MAIN= WEFT_FUZZ_ENGINE=-fsanitize=fuzzer \
	  $(WEFT_FUZZ:%=weft/tests/fuzz/%)
	$(PYTHON3) $(srcdir)/weft/tests/fuzz/make-seeds.py weft/tests/fuzz/seeds
	@for name in $(WEFT_FUZZ); do \
	  echo "$$name for $(FUZZ_SECONDS) s"; \
	  found=weft/tests/fuzz/found/$$name; \
	  $(MKDIR_P) $$found || exit 1; \
	  weft/tests/fuzz/$$name -max_total_time=$(FUZZ_SECONDS) \
	    -print_final_stats=1 -artifact_prefix=$$found/ $$found \
	    weft/tests/fuzz/seeds/$$name > $$found.log 2>&1 || \
	    { tail -n 40 $$found.log; echo "$$name: see $$found.log"; exit 1; }; \
	  sed -n 's/^stat::number_of_executed_units: */  runs: /p' $$found.log; \
	done
clean-fabric-fuzz:
	rm -rf weft/tests/fuzz/found weft/tests/fuzz/seeds
CLEAN_LOCAL += clean-fabric-fuzz
.PHONY: check-fabric-fuzz clean-fabric-fuzz
