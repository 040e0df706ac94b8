/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_DATA_LOSS_H
#define FABRIC_DATA_LOSS_H 1

/* Whether data packets get lost on one path, in one direction.
 * ============================================================
 *
 * Both hosts count, each at its own end, and tell (RFC 8972, Direct
 * Measurement).  The counts are never of the same moment: packets are on their
 * way, wait in queues, or overtake the probe that tells how many there were.
 * They look missing, but only for a while.
 *
 * Times are us unless said otherwise, of any monotonic clock.
 *
 * Thread-safety: none, the caller locks. */

#include <stdbool.h>
#include <stdint.h>

struct fabric_data_loss_config {
    bool judge;                 /* Is any loss evidence? */
    unsigned int evidence;      /* Lost packets in excess that are enough... */
    unsigned int slack;         /* ...besides those of so many ms, */
    unsigned int hold;          /* ...for so many ms. */
};
#define FABRIC_DATA_LOSS_CONFIG_DEFAULT {       \
    .judge = true,                              \
    .evidence = 10,                             \
    .slack = 20,                                \
    .hold = 300,                                \
}

struct fabric_data_loss {
    bool known;                 /* Are the members below? */
    uint8_t n_over;             /* Samples with enough evidence in a row, */
    uint32_t over_since;        /* since when, ms (modulo 2**32). */
    uint32_t tx, rx;            /* As last told. */
    uint32_t sum_tx;            /* Sent and missing since the beginning, */
    uint32_t sum_missing;       /* restarts of either end taken out. */
    uint32_t rate;              /* Packets per second, recent peak. */
    uint32_t base_rate;         /* 'rate' when 'excess' was last 0. */
    uint32_t ppm;               /* Lost lately, for the owner's use. */
    long long int when;
    int64_t excess;             /* Evidence, millionths of packets. */
};

/* The counts of both ends, 'tx' packets sent and 'rx' received, have been told
 * at 'now'.  'rtt' is the longest that a round trip normally takes,
 * 'permitted' the loss that is no evidence, ppm.  Returns true if there is
 * enough evidence of more, which then is used up. */
bool fabric_data_loss_update(struct fabric_data_loss *,
                             const struct fabric_data_loss_config *,
                             uint32_t tx, uint32_t rx, int32_t rtt,
                             uint32_t permitted, long long int now);

/* Should the counts be looked at already?  Samples close together tell little
 * and make rates imprecise. */
bool fabric_data_loss_is_due(const struct fabric_data_loss *,
                             const struct fabric_data_loss_config *,
                             long long int now);

/* Forgets evidence, but not the counts. */
void fabric_data_loss_restart(struct fabric_data_loss *);

#endif /* fabric-data-loss.h */
