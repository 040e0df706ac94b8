/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_WINDOW_H
#define FABRIC_WINDOW_H 1

/* What became of the probes and the data of one path, lately.
 * ===========================================================
 *
 * Counts over a sliding window, in FABRIC_WINDOW_BUCKETS buckets of a tenth of
 * the window each: the oldest is forgotten when a new one begins.  A probe
 * counts when its fate and that of all before it is known, not when it was
 * sent.
 *
 * For percentiles each bucket keeps a fair sample of its round trips in one
 * byte each, exact to a sixteenth.
 *
 * Data packets are counted by two hosts, each at its own end, and some are on
 * their way when both counts are read.  They look missing, but only for a
 * while, so the least number of missing packets that a bucket saw is close to
 * the number of those that never came; the window compares its last bucket
 * with its first.
 *
 * Thread-safety: none, the caller locks. */

#include <stdbool.h>
#include <stdint.h>
#include "fabric-types.h"

#define FABRIC_WINDOW_BUCKETS 10
#define FABRIC_WINDOW_RTTS 16           /* Sample of a bucket. */
#define FABRIC_N_CLASSES (FABRIC_MAX_CLASS + 1)

/* The two directions of a path. */
enum fabric_way {
    FABRIC_WAY_THERE,
    FABRIC_WAY_BACK,
    FABRIC_N_WAYS
};

/* Counters stop at their maximum. */
struct fabric_window_counts {
    uint16_t n[FABRIC_N_CLASSES];       /* Probes. */
    uint16_t lost[FABRIC_N_CLASSES];    /* Of these. */
    uint16_t lost_way[FABRIC_N_WAYS];   /* Those of which that is known. */
    uint16_t n_large;                   /* Of all. */
    uint16_t lost_large;
};

struct fabric_window_bucket {
    struct fabric_window_counts counts;
    uint16_t n_answers;
    uint16_t n_reordered;
    uint16_t n_ce[FABRIC_N_WAYS];
    uint32_t rtt_min;                   /* us; UINT32_MAX if none. */

    /* The sample of data counters with the fewest missing. */
    uint32_t data_tx[FABRIC_N_WAYS];
    uint32_t data_missing[FABRIC_N_WAYS];
    bool has_data[FABRIC_N_WAYS];

    uint8_t rtts[FABRIC_WINDOW_RTTS];
};

struct fabric_window {
    long long int newest;               /* Number of the newest bucket. */
    unsigned int bucket_us;
    struct fabric_window_bucket buckets[FABRIC_WINDOW_BUCKETS];
};

/* Moves the window, which is 'window' ms long, to 'now_us'; a length other
 * than before empties it.  Returns true if another bucket begins. */
bool fabric_window_advance(struct fabric_window *, unsigned int window,
                           long long int now_us);
void fabric_window_clear(struct fabric_window *);

/* Likewise for counts alone, which are not in a window. */
void fabric_window_count_probe(struct fabric_window_counts *,
                               unsigned int class, bool large, bool lost);
void fabric_window_count_way(struct fabric_window_counts *, enum fabric_way,
                             unsigned int n);

/* Takes back that such a probe was lost. */
void fabric_window_uncount_lost(struct fabric_window_counts *,
                                unsigned int class, bool large);

static inline struct fabric_window_bucket *
fabric_window_bucket(struct fabric_window *w)
{
    return &w->buckets[w->newest % FABRIC_WINDOW_BUCKETS];
}

/* An answer arrived. */
void fabric_window_add_answer(struct fabric_window *, uint32_t rtt_us,
                              bool ce_there, bool ce_back, bool reordered);

/* Until now 'tx' data packets were sent and 'missing' of them did not arrive,
 * or not yet.  Both may wrap around. */
void fabric_window_add_data(struct fabric_window *, enum fabric_way,
                            uint32_t tx, uint32_t missing);

/* The whole window. */
struct fabric_window_sum {
    uint32_t n, lost;
    uint32_t class_n[FABRIC_N_CLASSES];
    uint32_t class_lost[FABRIC_N_CLASSES];
    uint32_t lost_way[FABRIC_N_WAYS];
    uint32_t n_large, lost_large;
    uint32_t n_answers, n_reordered, n_ce[FABRIC_N_WAYS];
    uint32_t rtt_min;                   /* us; UINT32_MAX if none. */
    uint32_t data_tx[FABRIC_N_WAYS];
    uint32_t data_lost[FABRIC_N_WAYS];
};
void fabric_window_get_sum(const struct fabric_window *,
                           struct fabric_window_sum *);

/* Returns the round trip, in us, than which 'permille' of the round trips are
 * not longer; -1 if there are none. */
int64_t fabric_window_percentile(const struct fabric_window *,
                                 unsigned int permille);

#endif /* fabric-window.h */
