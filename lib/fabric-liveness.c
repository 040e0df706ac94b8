/* SPDX-License-Identifier: Apache-2.0 */

/* Detection time follows BFD's rule (RFC 5880 section 6.8.4: multiplier times
 * interval), counted from the departure of the first unanswered probe, except
 * that the last probe is given half an interval, rather than a whole one, and
 * the round trip to be answered.  Round trips are smoothed as in RFC 6298
 * section 2 (gain 1/8). */

#include <config.h>

#include "fabric-liveness.h"

#include <limits.h>
#include <string.h>

#include "util.h"

void
fabric_liveness_init(struct fabric_liveness *l)
{
    memset(l, 0, sizeof *l);
    l->state = FABRIC_PATH_UNKNOWN;
    l->rtt_us = l->rtt_min_us = l->rtt_smoothed_us = -1;
}

void
fabric_liveness_forget_rtt(struct fabric_liveness *l)
{
    l->rtt_us = l->rtt_min_us = l->rtt_smoothed_us = -1;
}

void
fabric_liveness_reset(struct fabric_liveness *l)
{
    l->state = FABRIC_PATH_UNKNOWN;
    l->missed = false;
    l->n_unanswered = l->n_run = 0;
    fabric_liveness_forget_rtt(l);
}

uint32_t
fabric_liveness_sent(struct fabric_liveness *l, long long int now_us)
{
    uint32_t seq = l->next_seq++;

    if (!l->n_unanswered++) {
        l->unanswered_since = now_us / 1000;
    } else if (l->state == FABRIC_PATH_DOWN && l->n_unanswered > 2) {
        /* One probe may still be under way; two missing break the run. */
        l->n_run = 0;
    }
    l->sent_us[seq % FABRIC_LIVENESS_WINDOW] = now_us;
    l->probe_tx++;
    return seq;
}

uint32_t
fabric_liveness_tried(struct fabric_liveness *l)
{
    l->n_tries++;
    l->trying = true;
    l->try_seq = l->next_seq++;
    return l->try_seq;
}

void
fabric_liveness_forgive(struct fabric_liveness *l)
{
    l->n_tries += l->probe_tx - l->probe_rx;
    l->probe_tx = l->probe_rx;
    l->n_unanswered = 0;
}

void
fabric_liveness_departs(struct fabric_liveness *l, uint32_t seq,
                        long long int now_us)
{
    l->sent_us[seq % FABRIC_LIVENESS_WINDOW] = now_us;
}

long long int
fabric_liveness_departure(const struct fabric_liveness *l, uint32_t seq)
{
    return l->sent_us[seq % FABRIC_LIVENESS_WINDOW];
}

static void
update_rtt(struct fabric_liveness *l, int64_t rtt)
{
    l->rtt_us = rtt;
    if (l->rtt_min_us < 0 || rtt < l->rtt_min_us) {
        l->rtt_min_us = rtt;
    }
    l->rtt_smoothed_us = (l->rtt_smoothed_us < 0
                          ? rtt
                          : l->rtt_smoothed_us
                            + (rtt - l->rtt_smoothed_us) / 8);
}

/* Number of probes sent since probe 'seq', itself included, or 0 if it was
 * never sent. */
static uint32_t
probe_age(const struct fabric_liveness *l, uint32_t seq)
{
    uint32_t age = l->next_seq - seq;

    return age > l->probe_tx + l->n_tries ? 0 : age;
}

/* Is 'seq' later than 'ref', in serial number arithmetic (RFC 1982)? */
static bool
seq_later(uint32_t seq, uint32_t ref)
{
    return (int32_t) (seq - ref) > 0;
}

bool
fabric_liveness_heard(struct fabric_liveness *l,
                      const struct fabric_probe_config *config, uint32_t seq)
{
    uint32_t age = probe_age(l, seq);

    if (!age || (l->ever_answered && !seq_later(seq, l->last_answered))) {
        return false;
    }
    l->ever_answered = true;
    l->last_answered = seq;
    l->n_run++;
    l->n_unanswered = age - 1;
    if (l->n_unanswered && l->n_unanswered <= FABRIC_LIVENESS_WINDOW) {
        l->unanswered_since
            = l->sent_us[(seq + 1) % FABRIC_LIVENESS_WINDOW] / 1000;
    }

    if (l->state == FABRIC_PATH_UNKNOWN
        || (l->state == FABRIC_PATH_DOWN && l->n_run >= config->multiplier)) {
        l->state = FABRIC_PATH_UP;
        return true;
    }
    return false;
}

bool
fabric_liveness_answered(struct fabric_liveness *l,
                         const struct fabric_probe_config *config,
                         uint32_t seq, int64_t rtt_us)
{
    uint32_t age;

    if (l->trying && seq == l->try_seq) {
        l->trying = false;
        l->n_tries--;
        l->probe_tx++;
    }
    age = probe_age(l, seq);
    if (!age || (l->ever_direct && !seq_later(seq, l->last_direct))) {
        /* Never sent; or duplicated, replayed or overtaken. */
        return false;
    }
    l->ever_direct = true;
    l->last_direct = seq;
    l->probe_rx++;
    if (rtt_us >= 0) {
        update_rtt(l, rtt_us);
    }
    return fabric_liveness_heard(l, config, seq);
}

/* How long the last probe is given to be answered, ms.  A round trip well
 * below the granularity of the clock adds nothing. */
static long long int
last_wait(const struct fabric_liveness *l,
          const struct fabric_probe_config *config)
{
    long long int rtt_ms = DIV_ROUND_UP(MAX(l->rtt_smoothed_us, 0), 1000);

    return MAX(config->interval / 2, 1) + (rtt_ms > 1 ? 2 * rtt_ms : 0);
}

bool
fabric_liveness_excuse(struct fabric_liveness *l,
                       const struct fabric_probe_config *config,
                       uint32_t seq, int64_t rtt_us, int64_t waited_us)
{
    uint32_t age = l->down_seq - seq;
    bool was_missed = age && age <= l->n_missed;

    if (!l->missed) {
        return false;
    }
    l->missed = false;
    if (rtt_us > last_wait(l, config) * 1000
        || (!was_missed && waited_us < (config->multiplier * INT64_C(1000)
                                        * config->interval))) {
        return false;
    }
    l->state = FABRIC_PATH_UP;
    l->n_down--;
    l->n_excused++;
    return true;
}

long long int
fabric_liveness_deadline(const struct fabric_liveness *l,
                         const struct fabric_probe_config *config)
{
    if (l->state == FABRIC_PATH_DOWN || l->n_unanswered < config->multiplier) {
        return LLONG_MAX;
    }
    return (l->unanswered_since
            + (long long int) (config->multiplier - 1) * config->interval
            + last_wait(l, config));
}

bool
fabric_liveness_check(struct fabric_liveness *l,
                      const struct fabric_probe_config *config,
                      bool peer_answers, long long int now_us)
{
    if (now_us / 1000 < fabric_liveness_deadline(l, config)
        || (l->state == FABRIC_PATH_UNKNOWN && !peer_answers)) {
        return false;
    }
    fabric_liveness_fail(l);
    l->missed = true;
    l->down_seq = l->next_seq;
    l->n_missed = l->n_unanswered;
    return true;
}

void
fabric_liveness_fail(struct fabric_liveness *l)
{
    if (l->state != FABRIC_PATH_DOWN) {
        l->state = FABRIC_PATH_DOWN;
        l->missed = false;
        l->n_run = 0;
        l->n_down++;
        l->rtt_min_us = -1;
    }
}

uint64_t
fabric_liveness_lost(const struct fabric_liveness *l)
{
    uint64_t missing = l->probe_tx - l->probe_rx;

    return (l->state == FABRIC_PATH_DOWN || missing < l->n_unanswered
            ? missing : missing - l->n_unanswered);
}
