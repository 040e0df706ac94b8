/* SPDX-License-Identifier: Apache-2.0 */

/* Tests of which degraded paths of an endpoint are left, and of the sliding
 * window and the round trip time that judgement rests on. */

#include <config.h>
#undef NDEBUG
#include "fabric-choice.h"

#include <assert.h>

#include "fabric-table.h"
#include "ovstest.h"
#include "random.h"
#include "util.h"

#define FULL FABRIC_TABLE_FULL_WEIGHT
#define LOSES (1u << FABRIC_HEALTH_LOSS_THERE)
#define MAX_PATHS 8

static const struct fabric_health_config config
    = FABRIC_HEALTH_CONFIG_DEFAULT;

struct endpoint {
    struct fabric_health paths[MAX_PATHS];
    struct fabric_choice choices[MAX_PATHS];
    size_t n;
};

static struct endpoint *
make_endpoint(size_t n)
{
    struct endpoint *ep = xzalloc(sizeof *ep);

    ep->n = n;
    for (size_t i = 0; i < n; i++) {
        fabric_health_init(&ep->paths[i], &config, 0);
        fabric_health_set_alive(&ep->paths[i], &config, true, 0);
        ep->choices[i].health = &ep->paths[i];
        ep->choices[i].usable = true;
        ep->choices[i].weight = FULL;
    }
    return ep;
}

static void
set(struct endpoint *ep, size_t i, uint32_t reasons, uint32_t severity)
{
    ep->paths[i].reasons = reasons;
    ep->paths[i].severity = severity;
}

/* Decides and returns a bitmap of the paths that do not have full weight. */
static unsigned int
left(struct endpoint *ep)
{
    unsigned int map = 0;
    size_t n_full = 0, n_usable = 0;

    fabric_choice_make(&config, ep->choices, ep->n);
    assert(!fabric_choice_make(&config, ep->choices, ep->n));
    for (size_t i = 0; i < ep->n; i++) {
        const struct fabric_choice *c = &ep->choices[i];

        if (c->usable) {
            n_usable++;
            n_full += c->weight == FULL;
            map |= (c->weight < FULL) << i;
        }
    }
    assert(n_full >= DIV_ROUND_UP(n_usable, 2));
    return map;
}

static void
test_choice(void)
{
    struct endpoint *ep = make_endpoint(4);

    assert(!left(ep));

    /* One is bad, even a bit. */
    set(ep, 2, LOSES, 5000);
    assert(left(ep) == 1 << 2);
    assert(ep->choices[2].weight == config.weight);

    /* Another on its way back only, which nobody here can help. */
    set(ep, 0, (1u << FABRIC_HEALTH_LOSS_BACK
                | 1u << FABRIC_HEALTH_DATA_BACK), 0);
    assert(left(ep) == 1 << 2);

    /* Two; then three, of which the worst two go. */
    set(ep, 0, LOSES, 20000);
    assert(left(ep) == (1 << 0 | 1 << 2));
    set(ep, 1, LOSES, 300000);
    assert(left(ep) == (1 << 0 | 1 << 1));

    /* All are alike; or hardly differ. */
    for (size_t i = 0; i < 4; i++) {
        set(ep, i, LOSES, 10000);
    }
    assert(!left(ep));
    set(ep, 3, LOSES, 15000);
    assert(!left(ep));
    /* All are bad and one is much worse, and remains so if a little better
     * than that. */
    set(ep, 3, LOSES, 500000);
    assert(left(ep) == 1 << 3);
    set(ep, 3, LOSES, 15000);
    assert(left(ep) == 1 << 3);
    set(ep, 3, LOSES, 12000);
    assert(!left(ep));

    /* The others need not be found to be bad, to be. */
    for (size_t i = 0; i < 3; i++) {
        set(ep, i, 0, 8000);
    }
    assert(!left(ep));

    /* What is not usable neither counts nor changes. */
    set(ep, 3, LOSES, 100000);
    for (size_t i = 0; i < 3; i++) {
        set(ep, i, 0, 0);
        ep->choices[i].usable = false;
        ep->choices[i].weight = 7 * i;
    }
    assert(!left(ep) && ep->choices[3].weight == FULL
           && ep->choices[2].weight == 14);
    ep->choices[2].usable = true;
    assert(left(ep) == 1 << 3);
    assert(ep->choices[2].weight == FULL && ep->choices[1].weight == 7);

    /* Congestion alone is left in part. */
    set(ep, 3, 1u << FABRIC_HEALTH_CE, 5000);
    assert(left(ep) == 1 << 3);
    assert(ep->choices[3].weight == config.weight_ce);
    free(ep);

    assert(!fabric_choice_make(&config, NULL, 0));
}

/* Lets the paths of 'ep' be probed ten times a second for 'seconds', with
 * 'loss' ppm on those in 'map' and 'other_loss' on the others, and 'delay' us
 * on those in 'map'.  Returns for what part, ppm, of the time and paths in
 * 'map' (or of the others) the path was left. */
static void
simulate(struct endpoint *ep, int seconds, unsigned int map, uint32_t loss,
         uint32_t other_loss, int delay, unsigned int *left_map,
         unsigned int *left_others)
{
    unsigned int n_map = 0, n_others = 0;

    *left_map = *left_others = 0;
    for (int i = 0; i < seconds * 10; i++) {
        long long int now = ep->paths[0].now + 100000;
        int32_t levels = -1;
        unsigned int away;

        for (size_t j = 0; j < ep->n; j++) {
            struct fabric_health *h = &ep->paths[j];
            bool in = map & (1u << j);

            fabric_health_sent(h, &config, h->next_seq, 0, 100, now);
            if (random_range(1000000) >= (in ? loss : other_loss)) {
                struct fabric_health_answer a = {
                    .seq = h->next_seq - 1,
                    .rtt = 200 + random_range(100) + (in ? delay : 0),
                };
                fabric_health_answered(h, &config, &a, now);
            }
            fabric_health_check(h, &config, now);
        }
        for (size_t j = 0; j < ep->n; j++) {
            /* Good enough for a median of others. */
            levels = ep->paths[(j + 1) % ep->n].rtt.level;
            fabric_rtt_set_others(&ep->paths[j].rtt, levels);
        }
        away = left(ep);
        for (size_t j = 0; j < ep->n; j++) {
            bool in = map & (1u << j);

            *(in ? &n_map : &n_others) += 1;
            *(in ? left_map : left_others) += (away >> j) & 1;
        }
    }
    *left_map = *left_map * UINT64_C(1000000) / MAX(n_map, 1);
    *left_others = *left_others * UINT64_C(1000000) / MAX(n_others, 1);
}

/* A path that loses packets is left, and stays so nearly always; if all do,
 * none is, nearly never; a delay that all have moves nothing. */
static void
test_endpoint(bool print)
{
    for (uint32_t seed = 1; seed <= 5; seed++) {
        struct endpoint *ep = make_endpoint(8);
        unsigned int in, out;

        random_set_seed(seed);
        simulate(ep, 60, 0, 0, 0, 0, &in, &out);
        assert(!out);
        simulate(ep, 120, 1 << 3, 10000, 0, 0, &in, &out);
        simulate(ep, 3600, 1 << 3, 10000, 0, 0, &in, &out);
        if (print) {
            printf("one of 8 loses 1 %%: left %u ppm, others %u ppm\n", in,
                   out);
        }
        assert(in > 600000 && !out);
        free(ep);

        ep = make_endpoint(8);
        simulate(ep, 3600, 0xff, 10000, 0, 0, &in, &out);
        if (print) {
            printf("all of 8 lose 1 %%: left %u ppm\n", in);
        }
        assert(in < 100000);
        free(ep);

        ep = make_endpoint(8);
        simulate(ep, 60, 0xff, 0, 0, 0, &in, &out);
        simulate(ep, 600, 0xff, 0, 0, 5000, &in, &out);
        assert(!in);
        simulate(ep, 60, 0xff, 0, 0, 0, &in, &out);
        simulate(ep, 10, 1 << 3, 0, 0, 5000, &in, &out);
        assert(in > 500000 && !out);
        free(ep);
    }
}

/* Percentiles and sums, as the window moves on. */
static void
test_window(void)
{
    struct fabric_window w = { .bucket_us = 0 };
    struct fabric_window_sum s;

    fabric_window_advance(&w, 10000, 0);
    assert(fabric_window_percentile(&w, 990) == -1);
    for (uint32_t rtt = 1; rtt < FABRIC_RTT_MAX; rtt += rtt / 3 + 1) {
        int64_t p;

        fabric_window_clear(&w);
        fabric_window_add_answer(&w, rtt, false, false, false);
        p = fabric_window_percentile(&w, 990);
        assert(p >= rtt - rtt / 16 - 1 && p <= rtt + rtt / 16 + 1);
        assert(p == fabric_window_percentile(&w, 1));
    }

    /* 10,000 uniform round trips in ten buckets, many more than a sample, all
     * but those of one bucket in the last. */
    fabric_window_clear(&w);
    random_set_seed(1);
    for (int i = 0; i < 10000; i++) {
        fabric_window_advance(&w, 10000, i * 1000LL);
        fabric_window_add_answer(&w, 1000 + random_range(1000), i % 2, false,
                                 i % 10 == 0);
        fabric_window_count_probe(&fabric_window_bucket(&w)->counts, 5,
                                  i % 4 == 0, i % 100 == 0);
    }
    fabric_window_get_sum(&w, &s);
    assert(s.n == 10000 && s.lost == 100 && s.class_n[5] == 10000
           && s.n_large == 2500 && s.lost_large == 100
           && s.n_answers == 10000 && s.n_reordered == 1000
           && s.n_ce[0] == 5000 && s.rtt_min >= 1000 && s.rtt_min < 1010);
    assert(llabs(fabric_window_percentile(&w, 500) - 1500) < 150);
    assert(llabs(fabric_window_percentile(&w, 990) - 1990) < 100);

    assert(!fabric_window_advance(&w, 10000, 9999999));
    assert(fabric_window_advance(&w, 10000, 12500000));
    fabric_window_get_sum(&w, &s);
    assert(s.n == 7000);
    assert(!fabric_window_advance(&w, 10000, 0));
    fabric_window_advance(&w, 10000, 1000000000000LL);
    fabric_window_get_sum(&w, &s);
    assert(!s.n && s.rtt_min == UINT32_MAX);

    /* Counters stop at their maximum. */
    for (int i = 0; i < 100000; i++) {
        fabric_window_count_probe(&fabric_window_bucket(&w)->counts, 0, true,
                                  true);
    }
    fabric_window_get_sum(&w, &s);
    assert(s.n == UINT16_MAX && s.lost == UINT16_MAX);
    assert(fabric_window_advance(&w, 20000, 1000000000000LL));
    fabric_window_get_sum(&w, &s);
    assert(!s.n);
}

static void
test_fabric_choice_main(int argc, char *argv[] OVS_UNUSED)
{
    test_choice();
    test_endpoint(argc > 1);
    test_window();
}

OVSTEST_REGISTER("test-fabric-choice", test_fabric_choice_main);
