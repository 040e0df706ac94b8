/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_HEARING_H
#define FABRIC_HEARING_H 1

/* What two hosts hear of each other's tests.
 * ==========================================
 *
 * A path leads one way, and so does what can be wrong with it.  A test that
 * arrived shows that the path there works, but its sender learns of it only if
 * something comes back, by some other path, over which the sender has no say.
 * So evidence must not depend on a single way back: every test and every
 * answer, on whatever path, carries a report of the latest test that was heard
 * on each path of the peer's.  As long as any path leads back, each one that
 * leads there is known by the next interval at which anything is sent on it.
 *
 * Both hosts test their own paths, usually.  One that does not, or not as
 * often, sends answers only, and each of these goes by one path.  A host that
 * has got no report since its tests before the latest is deaf: it says so, and
 * an answer then goes by all paths once in each interval.
 *
 * This is the state of one host about one peer.  It sends nothing itself and
 * has no clock; times are ms, of any monotonic clock.
 *
 * Thread-safety: none, the caller locks.
 *
 * Example
 * =======
 *
 *     fabric_hearing_begin_round(&hearing, now);
 *     for (each path) {
 *         fabric_hearing_tell(&hearing, n_paths, now, &stamp.report);
 *         ...send the test...
 *     }
 *     ...
 *     if (fabric_hearing_add(&hearing, test.ssid, test.seq, now)) {
 *         ...it is no copy...
 *     }
 */

#include <stddef.h>
#include "bitmap.h"
#include "fabric-seq-window.h"
#include "fabric-stamp.h"
#include "fabric-types.h"

/* Serial numbers that are remembered of tests that are no path's: those of all
 * paths share them, and some paths take longer. */
#define FABRIC_HEARING_OTHERS 4096

/* What has arrived on one path of the peer's. */
struct fabric_heard {
    struct fabric_seq_window window;
    uint32_t count;             /* Of all that did, copies left out. */
    long long int when;         /* Latest that did, ms; 0 if none. */
    long long int interval;     /* Between that and the one before, ms; 0 if
                                 * there is none. */
};

struct fabric_hearing {
    struct fabric_heard *heard; /* By the peer's SSID less one. */
    size_t n;
    uint64_t epoch;             /* The peer's (fabric-stamp.h). */
    long long int epoch_when;   /* When any test of it arrived. */
    bool any_others;            /* Of tests of no path's: has one arrived, */
    uint32_t top_other;         /* the highest serial number, and which of */
    unsigned long others[BITMAP_N_LONGS(FABRIC_HEARING_OTHERS)];
                                /* the latest ones arrived, by the number
                                 * modulo their number. */
    size_t next;                /* Where the next report begins, if all is too
                                 * much for one. */
    size_t n_rounds;
    long long int told;         /* When the peer last reported, other than by
                                 * copies; 0: never. */
    long long int round;        /* When our latest tests left; 0: none did. */
    unsigned int deaf;          /* Rounds for which we still are. */
    long long int spread;       /* When an answer last went by all paths. */

    long long int latest;       /* When anything last came; 0: never. */
    int64_t wait;               /* Longest that a test or answer waited for
                                 * either host lately, us... */
    long long int wait_when;    /* ...which was then. */
};

/* How long what was heard is worth telling, ms. */
#define FABRIC_HEARING_MAX_AGE 10000

void fabric_hearing_init(struct fabric_hearing *);
void fabric_hearing_destroy(struct fabric_hearing *);

/* Returns true if a test of 'epoch', with 'seq', may count: it is not one that
 * arrived before.  'ssid' is from 1 to FABRIC_MAX_SSID, or 0 for a test that
 * is none of a path's; then it also counts.
 *
 * A peer that starts anew numbers anew.  How that is told from what somebody
 * has kept and sends again depends on whether tests are 'authentic'.  If they
 * are, only a higher epoch begins anew, so that none is ever taken twice; a
 * lower one does if nothing has come for FABRIC_HEARING_MAX_AGE.  If they are
 * not, anybody can send any number, and must not shut the peer out by that:
 * any other epoch begins anew, and numbers far from those that arrive now do
 * not count. */
bool fabric_hearing_admit(struct fabric_hearing *, uint64_t epoch,
                          uint16_t ssid, uint32_t seq, bool authentic,
                          long long int now);

/* A test with 'ssid', from 1 to FABRIC_MAX_SSID, and 'seq' arrived.  Returns
 * true if it is no copy of an earlier one. */
bool fabric_hearing_add(struct fabric_hearing *, uint16_t ssid, uint32_t seq,
                        long long int now);

/* Returns true if a test arrived in the last 'ms'. */
bool fabric_hearing_is_recent(const struct fabric_hearing *, long long int ms,
                              long long int now);

/* Fills 'heard' with up to 'n' of what was heard lately, on the peer's path
 * 'ssid' and those that follow.  Returns how many there are. */
size_t fabric_hearing_get(const struct fabric_hearing *, uint16_t ssid,
                          struct fabric_stamp_heard *heard, size_t n,
                          long long int now);

/* Our tests of the peer are about to leave. */
void fabric_hearing_begin_round(struct fabric_hearing *, long long int now);

/* Returns how many entries the report of a test needs, where the answer may
 * have to tell of 'n_paths' of ours. */
size_t fabric_hearing_size(const struct fabric_hearing *, size_t n_paths);

/* Fills 'report' with 'n' entries, not more than FABRIC_STAMP_MAX_REPORT. */
void fabric_hearing_tell(struct fabric_hearing *, size_t n, long long int now,
                         struct fabric_stamp_report *report);

/* The peer has told 'report'. */
void fabric_hearing_told(struct fabric_hearing *,
                         const struct fabric_stamp_report *report,
                         long long int now);

/* Returns true if the answer to a test with 'ssid' and 'report', which has
 * just been added, should go by all paths; then it is thought to do so. */
bool fabric_hearing_spread(struct fabric_hearing *, uint16_t ssid,
                           const struct fabric_stamp_report *report,
                           long long int now);

/* A test and its answer have waited for 'us' for the hosts that they came
 * to. */
void fabric_hearing_note_wait(struct fabric_hearing *, int64_t us,
                              long long int now);

/* Returns how much longer than usual, in ms, to wait for answers on a path
 * that has not been answered since 'since', at 'now': the peer may not be
 * running, if it was heard on no path since. */
long long int fabric_hearing_patience(const struct fabric_hearing *,
                                      long long int since, long long int now);

/* Returns how fit one of our paths is to carry answers to a test that came
 * from 'port'; the highest is best.  The path is in 'state', has source port
 * 'own_port', and leads back to where the test came from or, if 'elsewhere',
 * between other addresses of the two hosts. */
uint64_t fabric_hearing_rank(enum fabric_path_state state, bool elsewhere,
                             uint16_t own_port, uint16_t port);

#endif /* fabric-hearing.h */
