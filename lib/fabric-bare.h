/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_BARE_H
#define FABRIC_BARE_H 1

/* Do datagrams without UDP checksum get through?
 * ==============================================
 *
 * The kernel's fast path sends data without outer UDP checksum, which routers,
 * translators and firewalls may drop: over IPv6 they are even told to (RFC
 * 8200 section 8.1).  Probes have a checksum, so they would vouch for a path
 * on which all data is lost.  RFC 6936 section 5 has a sender find out and
 * fall back.
 *
 * So bare tests, which have none, are sent besides from time to time, and more
 * often once one is missing.  A bare test is missing if it is not answered by
 * the next round although the ordinary test that left after it is;
 * FABRIC_BARE_MAX in a row mean that the path needs checksums.  It goes on
 * being tried, and no longer does when FABRIC_BARE_GOOD in a row were
 * answered.
 *
 * This is the state of one path, and pure: no clock, no sockets.
 *
 * Thread-safety: none, the caller locks. */

#include <stdbool.h>
#include <stdint.h>

#define FABRIC_BARE_MAX 3
#define FABRIC_BARE_GOOD 8

struct fabric_bare {
    bool needs_csum;            /* Do bare tests get lost? */
    bool open;                  /* Is the latest not answered yet? */
    uint32_t seq;               /* Of the latest. */
    uint32_t next_seq;          /* Of the next ordinary test at that time. */
    uint8_t missing;            /* In a row. */
    uint8_t good;               /* Likewise. */
    uint8_t wait;               /* Rounds until the next. */
};

/* A round of tests of the path begins; 'answered' is the latest ordinary test
 * that was answered, 'next_seq' the one to be sent now.  Returns true if a
 * bare test with sequence number 'seq' has to be sent first.  Sets '*changed'
 * to true if 'needs_csum' did. */
bool fabric_bare_run(struct fabric_bare *, uint32_t answered,
                     uint32_t next_seq, bool *changed);

/* The bare test 'seq' was answered.  Returns true if 'needs_csum' changed. */
bool fabric_bare_answered(struct fabric_bare *, uint32_t seq);

/* Begins anew, without bare tests until the next run.  Returns true if
 * 'needs_csum' changed. */
bool fabric_bare_stop(struct fabric_bare *);

#endif /* fabric-bare.h */
