/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_LIVENESS_H
#define FABRIC_LIVENESS_H 1

/* Liveness of one path.
 * =====================
 *
 * A state machine that is told of probes sent and answers received, and says
 * whether the path works.  It has no clock, socket or lock of its own.
 *
 *             first answer                    unanswered
 *   UNKNOWN ----------------> UP --------------------------------> DOWN
 *      |                       ^                                    |
 *      |                       +------------------------------------+
 *      |                          'multiplier' answers in a row     ^
 *      +------------------------------------------------------------+
 *        unanswered, while other paths of the peer are answered
 *
 * "Unanswered" means: 'multiplier' probes in a row were sent, the last one at
 * least half an interval plus twice the usual round trip ago.  A path whose
 * prober was stalled does not go down: probes that were not sent cannot be
 * missed.
 *
 * Times are ms, round trips us, of any monotonic clock.
 *
 * Thread-safety: none, the caller locks. */

#include <stdbool.h>
#include <stdint.h>
#include "fabric-registry.h"
#include "fabric-types.h"

#define FABRIC_LIVENESS_WINDOW 64       /* Probes whose departure is known. */

struct fabric_liveness {
    enum fabric_path_state state;       /* UNKNOWN, UP or DOWN. */

    uint32_t next_seq;                  /* Of the next probe. */
    uint32_t last_answered;             /* Highest sequence known to have
                                         * arrived, by whatever way. */
    bool ever_answered;
    uint32_t last_direct;               /* Highest sequence whose own answer
                                         * arrived. */
    bool ever_direct;
    unsigned int n_unanswered;          /* Sent since 'last_answered'. */
    unsigned int n_run;                 /* Answers in a row. */
    long long int unanswered_since;     /* Departure of the first of
                                         * 'n_unanswered'. */
    long long int sent_us[FABRIC_LIVENESS_WINDOW];

    uint32_t try_seq;                   /* Of the latest try... */
    bool trying;                        /* ...if it was not answered. */
    uint32_t n_tries;                   /* Not answered so far. */

    bool missed;                        /* Went down for want of answers... */
    uint32_t down_seq;                  /* ...to tests before this one... */
    unsigned int n_missed;              /* ...of which it were so many. */

    uint64_t probe_tx;
    uint64_t probe_rx;
    uint64_t n_down;
    uint64_t n_excused;                 /* Times that it was down, not counted
                                         * in 'n_down', since the peer did not
                                         * run. */

    int64_t rtt_us;                     /* -1 until measured. */
    int64_t rtt_min_us;
    int64_t rtt_smoothed_us;
};

void fabric_liveness_init(struct fabric_liveness *);

/* Forgets whether the path works, since it is no longer probed, but not what
 * was counted. */
void fabric_liveness_reset(struct fabric_liveness *);

/* A probe leaves now; returns the sequence number to put into it. */
uint32_t fabric_liveness_sent(struct fabric_liveness *, long long int now_us);

/* Likewise, a try, which counts as a probe only if it is answered. */
uint32_t fabric_liveness_tried(struct fabric_liveness *);

/* Probes that were not answered turn into tries: the peer does not speak that
 * protocol. */
void fabric_liveness_forgive(struct fabric_liveness *);

/* Probe 'seq', for which one of those was called just now, really leaves only
 * now. */
void fabric_liveness_departs(struct fabric_liveness *, uint32_t seq,
                             long long int now_us);

/* When probe 'seq', one of the latest FABRIC_LIVENESS_WINDOW, left. */
long long int fabric_liveness_departure(const struct fabric_liveness *,
                                        uint32_t seq);

/* The answer to probe 'seq' arrived after a round trip of 'rtt_us', without
 * the time that it spent in the peer; -1 if that is not known.  Returns true
 * if the state changed. */
bool fabric_liveness_answered(struct fabric_liveness *,
                              const struct fabric_probe_config *,
                              uint32_t seq, int64_t rtt_us);

/* Round trips are others from now on. */
void fabric_liveness_forget_rtt(struct fabric_liveness *);

/* The answer to probe 'seq', of which fabric_liveness_answered() has just been
 * told, was under way for 'rtt_us', and it or the probe waited for 'waited_us'
 * for the two hosts.  Returns true, and takes back that the path went down, if
 * it is the first answer since and the path had brought it in time: not the
 * path, but a host did not run.  The path is up then. */
bool fabric_liveness_excuse(struct fabric_liveness *,
                            const struct fabric_probe_config *, uint32_t seq,
                            int64_t rtt_us, int64_t waited_us);

/* The peer says on another path that probe 'seq' arrived.  Returns true if the
 * state changed. */
bool fabric_liveness_heard(struct fabric_liveness *,
                           const struct fabric_probe_config *, uint32_t seq);

/* Checks whether the path is down by now.  'peer_answers' tells whether the
 * peer has ever answered on any path.  Returns true if the state changed. */
bool fabric_liveness_check(struct fabric_liveness *,
                           const struct fabric_probe_config *,
                           bool peer_answers, long long int now_us);

/* The path is down for another reason than that. */
void fabric_liveness_fail(struct fabric_liveness *);

/* When fabric_liveness_check() may next change the state; LLONG_MAX if only an
 * answer or another probe can. */
long long int fabric_liveness_deadline(const struct fabric_liveness *,
                                       const struct fabric_probe_config *);

/* Probes given up as lost. */
uint64_t fabric_liveness_lost(const struct fabric_liveness *);

#endif /* fabric-liveness.h */
