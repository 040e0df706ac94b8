/* SPDX-License-Identifier: Apache-2.0 */

/* The sample of a bucket's round trips is a reservoir (Vitter, "Random
 * sampling with a reservoir", ACM Transactions on Mathematical Software 11(1),
 * 1985, algorithm R): each of the bucket's round trips is in it with the same
 * probability. */

#include <config.h>

#include "fabric-window.h"

#include <string.h>

#include "hash.h"
#include "util.h"

static void
clear_bucket(struct fabric_window_bucket *b)
{
    memset(b, 0, sizeof *b);
    b->rtt_min = UINT32_MAX;
}

void
fabric_window_clear(struct fabric_window *w)
{
    for (size_t i = 0; i < FABRIC_WINDOW_BUCKETS; i++) {
        clear_bucket(&w->buckets[i]);
    }
}

bool
fabric_window_advance(struct fabric_window *w, unsigned int window,
                      long long int now_us)
{
    unsigned int bucket_us = MAX(window, 1) * (1000 / FABRIC_WINDOW_BUCKETS);
    long long int number = now_us / bucket_us;

    if (bucket_us != w->bucket_us) {
        fabric_window_clear(w);
        w->bucket_us = bucket_us;
        w->newest = number;
        return true;
    } else if (number <= w->newest) {
        return false;
    }

    for (long long int i = MIN(number - w->newest, FABRIC_WINDOW_BUCKETS);
         i > 0; i--) {
        clear_bucket(&w->buckets[(number - i + 1) % FABRIC_WINDOW_BUCKETS]);
    }
    w->newest = number;
    return true;
}

static void
increase(uint16_t *counter, unsigned int n)
{
    *counter = MIN(*counter + n, UINT16_MAX);
}

static void
decrease(uint16_t *counter)
{
    *counter -= *counter > 0;
}

void
fabric_window_count_probe(struct fabric_window_counts *c, unsigned int class,
                          bool large, bool lost)
{
    increase(&c->n[class], 1);
    increase(&c->n_large, large);
    increase(&c->lost[class], lost);
    increase(&c->lost_large, large && lost);
}

void
fabric_window_count_way(struct fabric_window_counts *c, enum fabric_way way,
                        unsigned int n)
{
    increase(&c->lost_way[way], n);
}

void
fabric_window_uncount_lost(struct fabric_window_counts *c, unsigned int class,
                           bool large)
{
    decrease(&c->lost[class]);
    if (large) {
        decrease(&c->lost_large);
    }
}

/* Codes of round trips: up to 15 us as they are, then eight for each doubling.
 */
static uint8_t
rtt_to_code(uint32_t rtt)
{
    int shift = rtt < 16 ? 0 : log_2_floor(rtt) - 3;

    return shift * 8 + (rtt >> shift);
}

/* Returns the middle of what has this code. */
static uint32_t
code_to_rtt(uint8_t code)
{
    int shift = code < 16 ? 0 : code / 8 - 1;

    return (((uint64_t) (code - shift * 8) << shift)
            + (shift ? 1u << (shift - 1) : 0));
}

void
fabric_window_add_answer(struct fabric_window *w, uint32_t rtt,
                         bool ce_there, bool ce_back, bool reordered)
{
    struct fabric_window_bucket *b = fabric_window_bucket(w);
    unsigned int i = b->n_answers;

    if (i >= FABRIC_WINDOW_RTTS) {
        i = hash_2words(i, w->newest) % (i + 1);
    }
    if (i < FABRIC_WINDOW_RTTS) {
        b->rtts[i] = rtt_to_code(rtt);
    }
    b->rtt_min = MIN(b->rtt_min, rtt);
    increase(&b->n_answers, 1);
    increase(&b->n_reordered, reordered);
    increase(&b->n_ce[FABRIC_WAY_THERE], ce_there);
    increase(&b->n_ce[FABRIC_WAY_BACK], ce_back);
}

void
fabric_window_add_data(struct fabric_window *w, enum fabric_way way,
                       uint32_t tx, uint32_t missing)
{
    struct fabric_window_bucket *b = fabric_window_bucket(w);

    if (!b->has_data[way]
        || (int32_t) (missing - b->data_missing[way]) < 0) {
        b->has_data[way] = true;
        b->data_tx[way] = tx;
        b->data_missing[way] = missing;
    }
}

/* Compares the data counters of the newest bucket of 'w' that has any with
 * those of the oldest. */
static void
sum_data(const struct fabric_window *w, struct fabric_window_sum *s)
{
    for (int way = 0; way < FABRIC_N_WAYS; way++) {
        const struct fabric_window_bucket *first = NULL, *last = NULL;

        for (size_t i = 1; i <= FABRIC_WINDOW_BUCKETS; i++) {
            const struct fabric_window_bucket *b
                = &w->buckets[(w->newest + i) % FABRIC_WINDOW_BUCKETS];

            if (b->has_data[way]) {
                first = first ? first : b;
                last = b;
            }
        }
        if (first) {
            int32_t lost = last->data_missing[way] - first->data_missing[way];

            s->data_tx[way] = last->data_tx[way] - first->data_tx[way];
            s->data_lost[way] = MIN(MAX(lost, 0), s->data_tx[way]);
        }
    }
}

void
fabric_window_get_sum(const struct fabric_window *w,
                      struct fabric_window_sum *s)
{
    memset(s, 0, sizeof *s);
    s->rtt_min = UINT32_MAX;
    for (size_t i = 0; i < FABRIC_WINDOW_BUCKETS; i++) {
        const struct fabric_window_bucket *b = &w->buckets[i];
        const struct fabric_window_counts *c = &b->counts;

        for (size_t class = 0; class < FABRIC_N_CLASSES; class++) {
            s->class_n[class] += c->n[class];
            s->class_lost[class] += c->lost[class];
            s->n += c->n[class];
            s->lost += c->lost[class];
        }
        for (int way = 0; way < FABRIC_N_WAYS; way++) {
            s->lost_way[way] += c->lost_way[way];
            s->n_ce[way] += b->n_ce[way];
        }
        s->n_large += c->n_large;
        s->lost_large += c->lost_large;
        s->n_answers += b->n_answers;
        s->n_reordered += b->n_reordered;
        s->rtt_min = MIN(s->rtt_min, b->rtt_min);
    }
    sum_data(w, s);
}

int64_t
fabric_window_percentile(const struct fabric_window *w, unsigned int permille)
{
    uint64_t histogram[UINT8_MAX + 1] = { 0 };
    uint64_t total = 0, seen = 0;
    int code = UINT8_MAX;

    for (size_t i = 0; i < FABRIC_WINDOW_BUCKETS; i++) {
        const struct fabric_window_bucket *b = &w->buckets[i];
        unsigned int n = MIN(b->n_answers, FABRIC_WINDOW_RTTS);

        /* Each round trip stands for those that are not in the sample. */
        for (unsigned int j = 0; j < n; j++) {
            uint64_t weight = b->n_answers * UINT64_C(1000) / n;

            histogram[b->rtts[j]] += weight;
            total += weight;
        }
    }
    if (!total) {
        return -1;
    }

    while (code > 0) {
        seen += histogram[code];
        if (seen * 1000 > total * (1000 - permille)) {
            break;
        }
        code--;
    }
    return code_to_rtt(code);
}
