/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_RTT_H
#define FABRIC_RTT_H 1

/* The round trip time of one path, and whether it is too long.
 * ============================================================
 *
 * "Too long" is judged of the level, the median of the latest few, so that
 * single late answers do not count.  It is compared with the baseline, the
 * least that this path had in a long time, and with the level of the
 * endpoint's other paths, if there are any.
 *
 * All times are us unless said otherwise; a round trip of -1 is not known.
 *
 * Thread-safety: none, the caller locks. */

#include <stdbool.h>
#include <stdint.h>

#define FABRIC_RTT_RECENT 5             /* Round trips that make a level. */
#define FABRIC_RTT_MAX 100000000        /* Sixteen times as much fits. */

/* A round trip is too long if it is longer than 'percent' of what is normal,
 * 'excess' above that, too, and more than jitter explains. */
struct fabric_rtt_config {
    unsigned int percent;
    unsigned int excess;
    unsigned int run;           /* Times, net of twice those that it was not,
                                 * that are evidence; 0: none is. */
    unsigned int hold;          /* ms that this has to take. */
    unsigned int baseline;      /* ms for which the least counts, at least. */
};
#define FABRIC_RTT_CONFIG_DEFAULT {             \
    .percent = 200,                             \
    .excess = 1000,                             \
    .run = 6,                                   \
    .hold = 500,                                \
    .baseline = 600000,                         \
}

struct fabric_rtt {
    int32_t last;
    int32_t smoothed;           /* Times 8. */
    int32_t var;                /* Times 4. */
    int32_t jitter;             /* Times 16. */
    int32_t recent[FABRIC_RTT_RECENT];
    uint32_t n_recent;
    int32_t level;
    int32_t others;             /* Level of the endpoint's other paths. */
    int32_t baseline[2];        /* Least, in this and the former period. */
    long long int baseline_since;
    unsigned int slow;          /* Evidence... */
    long long int slow_since;   /* ...and since when. */
};

void fabric_rtt_init(struct fabric_rtt *);

/* Forgets all but the baseline. */
void fabric_rtt_restart(struct fabric_rtt *);

/* A round trip took 'rtt', 0...FABRIC_RTT_MAX.  Returns true if there is
 * evidence that it takes too long. */
bool fabric_rtt_update(struct fabric_rtt *, const struct fabric_rtt_config *,
                       int32_t rtt, long long int now);

/* Has it been too long lately, at least for half of the time that would be
 * evidence? */
bool fabric_rtt_is_slow(const struct fabric_rtt *,
                        const struct fabric_rtt_config *, long long int now);

/* How much is it too long, to compare with loss in ppm? */
uint32_t fabric_rtt_severity(const struct fabric_rtt *,
                             const struct fabric_rtt_config *);

int32_t fabric_rtt_baseline(const struct fabric_rtt *);

/* What a round trip hardly exceeds. */
int32_t fabric_rtt_bound(const struct fabric_rtt *);

/* The median of the levels of the endpoint's other paths, or -1. */
static inline void
fabric_rtt_set_others(struct fabric_rtt *r, int32_t level)
{
    r->others = level;
}

#endif /* fabric-rtt.h */
