/* SPDX-License-Identifier: Apache-2.0 */

/* Tests of the judgement of a path, against a simulated path with a clock that
 * the simulation moves.  With an argument, prints how long it takes to find
 * each kind of failure. */

#include <config.h>
#undef NDEBUG
#include "fabric-health.h"

#include <assert.h>
#include <stdlib.h>

#include "openvswitch/dynamic-string.h"
#include "ovstest.h"
#include "random.h"
#include "util.h"

#define MSEC 1000LL
#define SEC (1000 * MSEC)
#define DAY (86400 * SEC)

#define SMALL 100
#define LARGE 1400

/* What is wrong with the path.  Probabilities are in ppm. */
struct trouble {
    uint32_t loss[FABRIC_N_WAYS];       /* Of probes. */
    uint32_t loss_data[FABRIC_N_WAYS];
    uint32_t loss_large;
    uint32_t loss_class;                /* Of class 2 only. */
    uint32_t ce;
    int delay;                          /* Added to the round trip. */
};

struct answer {
    long long int when;
    struct fabric_health_answer answer;
    uint32_t peer_count;
    uint32_t tx[FABRIC_N_WAYS], rx[FABRIC_N_WAYS];
};

struct sim {
    struct fabric_health_config config;
    struct fabric_health h;
    struct trouble trouble;
    long long int now;
    int interval;                       /* us between probes. */
    unsigned int n_classes;             /* Probed in turn. */
    unsigned int large_every;           /* One large probe in so many. */
    int rtt, jitter;                    /* Jitter is uniform, in addition. */
    unsigned int data_rate;             /* Packets per second each way. */
    int data_hold;                      /* Data is at most so much later than
                                         * probes. */
    bool peer_tells;                    /* Does the peer count? */

    uint32_t seq, peer_count;
    uint32_t tx[FABRIC_N_WAYS], arrived[FABRIC_N_WAYS];
    struct answer answers[256];         /* Under way. */
    size_t n_answers;
};

static bool
happens(uint32_t ppm)
{
    return ppm && random_range(1000000) < ppm;
}

static struct sim
make_sim(int interval, uint32_t seed)
{
    struct sim s = {
        .config = FABRIC_HEALTH_CONFIG_DEFAULT,
        .now = 1000 * SEC,
        .interval = interval,
        .n_classes = 1,
        .rtt = 200,
        .jitter = 100,
        .data_hold = 5 * MSEC,
        .peer_tells = true,
        .seq = UINT32_MAX - 500,
        .peer_count = UINT32_MAX - 200,
        .tx = { UINT32_MAX - 100, UINT32_MAX - 1000000 },
        .arrived = { 12345, UINT32_MAX - 1000 },
    };

    random_set_seed(seed);
    fabric_health_init(&s.h, &s.config, s.now);
    fabric_health_set_alive(&s.h, &s.config, true, s.now);
    s.config.recover = 30000;
    return s;
}

/* Returns how many of the packets that went 'way' have been counted there. */
static uint32_t
received(struct sim *s, enum fabric_way way)
{
    uint32_t most = (uint64_t) s->data_rate * s->data_hold / SEC;

    return s->arrived[way] - (most ? random_range(most + 1) : 0);
}

static void
move_data(struct sim *s)
{
    uint32_t n = (uint64_t) s->data_rate * s->interval / SEC;

    for (int way = 0; way < FABRIC_N_WAYS; way++) {
        s->tx[way] += n;
        for (uint32_t i = 0; i < n; i++) {
            s->arrived[way] += !happens(s->trouble.loss_data[way]);
        }
    }
}

static void
deliver(struct sim *s, const struct answer *a)
{
    if (s->peer_tells) {
        fabric_health_peer_count(&s->h, a->answer.seq, a->peer_count);
    }
    fabric_health_answered(&s->h, &s->config, &a->answer, a->when);
    for (int way = 0; way < FABRIC_N_WAYS; way++) {
        fabric_health_data(&s->h, &s->config, way, a->tx[way], a->rx[way],
                           a->when);
    }
    fabric_health_check(&s->h, &s->config, a->when);
}

/* Delivers the answers that arrive until now, in their order. */
static void
deliver_due(struct sim *s)
{
    for (;;) {
        struct answer *first = NULL;
        struct answer a;

        for (size_t i = 0; i < s->n_answers; i++) {
            if (s->answers[i].when <= s->now
                && (!first || s->answers[i].when < first->when)) {
                first = &s->answers[i];
            }
        }
        if (!first) {
            return;
        }
        a = *first;
        *first = s->answers[--s->n_answers];
        deliver(s, &a);
    }
}

static void
probe(struct sim *s)
{
    unsigned int class = s->seq % s->n_classes;
    bool large = s->large_every && !(s->seq % s->large_every);
    const struct trouble *t = &s->trouble;
    int rtt = s->rtt + t->delay + (s->jitter ? random_range(s->jitter) : 0);
    struct answer *a = &s->answers[s->n_answers];
    bool special, ce;
    uint32_t rx[FABRIC_N_WAYS];

    fabric_health_sent(&s->h, &s->config, s->seq, class,
                       large ? LARGE : SMALL, s->now);
    special = ((large && happens(t->loss_large))
               || (class == 2 && happens(t->loss_class)));
    if (!special && !happens(t->loss[FABRIC_WAY_THERE])) {
        s->peer_count++;
        if (!happens(t->loss[FABRIC_WAY_BACK])) {
            ce = happens(t->ce);
            rx[0] = received(s, 0);
            rx[1] = received(s, 1);
            *a = (struct answer) {
                .when = s->now + rtt,
                .answer = { .seq = s->seq, .rtt = rtt,
                            .ce_there = ce },
                .peer_count = s->peer_count,
                .tx = { s->tx[0], s->tx[1] },
                .rx = { rx[0], rx[1] },
            };
            s->n_answers++;
            assert(s->n_answers < ARRAY_SIZE(s->answers));
        }
    }
    s->seq++;
    fabric_health_check(&s->h, &s->config, s->now);
}

static void
step(struct sim *s)
{
    s->now += s->interval;
    move_data(s);
    deliver_due(s);
    probe(s);
}

static void
run(struct sim *s, long long int duration)
{
    for (long long int end = s->now + duration; s->now < end; ) {
        step(s);
    }
}

/* Returns how long it takes until the path is degraded, or good again; -1 if
 * longer than 'max'. */
static long long int
run_until(struct sim *s, bool degraded, long long int max)
{
    long long int start = s->now;

    while (s->now - start < max) {
        step(s);
        if (fabric_health_is_degraded(&s->h) == degraded) {
            return s->now - start;
        }
    }
    return -1;
}

static bool
has_reason(const struct sim *s, enum fabric_health_reason reason)
{
    return s->h.reasons & (1u << reason);
}

static struct fabric_health_stats
get_stats(const struct sim *s)
{
    struct fabric_health_stats stats;

    fabric_health_get_stats(&s->h, &s->config, s->now, &stats);
    return stats;
}

/* Detection. */

struct kind {
    const char *name;
    struct trouble trouble;
    int reason;                 /* Or -1 if it is not to be found. */
    unsigned int n_classes, large_every, data_rate;
    int max[2];         /* Seconds, with an interval of 100 and of 10 ms. */
};

static const struct kind kinds[] = {
    { "probe loss 1 % there", { .loss = { 10000, 0 } },
      FABRIC_HEALTH_LOSS_THERE, .max = { 300, 30 } },
    { "probe loss 1 % back", { .loss = { 0, 10000 } },
      FABRIC_HEALTH_LOSS_BACK, .max = { 300, 30 } },
    { "probe loss 5 % there", { .loss = { 50000, 0 } },
      FABRIC_HEALTH_LOSS_THERE, .max = { 40, 5 } },
    { "probe loss 5 % back", { .loss = { 0, 50000 } },
      FABRIC_HEALTH_LOSS_BACK, .max = { 40, 5 } },
    { "probe loss 5 % both ways", { .loss = { 50000, 50000 } },
      FABRIC_HEALTH_LOSS_THERE, .max = { 40, 5 } },
    { "data loss 0.1 %, none found", { .loss_data = { 1000, 0 } },
      -1, .data_rate = 1000, .max = { 60, 10 } },
    { "data loss 1 % there, 1000/s", { .loss_data = { 10000, 0 } },
      FABRIC_HEALTH_DATA_THERE, .data_rate = 1000, .max = { 15, 15 } },
    { "data loss 1 % back, 1000/s", { .loss_data = { 0, 10000 } },
      FABRIC_HEALTH_DATA_BACK, .data_rate = 1000, .max = { 15, 15 } },
    { "data loss 5 % there, 1000/s", { .loss_data = { 50000, 0 } },
      FABRIC_HEALTH_DATA_THERE, .data_rate = 1000, .max = { 3, 3 } },
    { "data loss 1 % there, 10000/s", { .loss_data = { 10000, 0 } },
      FABRIC_HEALTH_DATA_THERE, .data_rate = 10000, .max = { 10, 10 } },
    { "large packets, 100 %", { .loss_large = 1000000 },
      FABRIC_HEALTH_LARGE, .large_every = 10, .max = { 6, 2 } },
    { "large packets, 5 %", { .loss_large = 50000 },
      FABRIC_HEALTH_LARGE, .large_every = 10, .max = { 500, 50 } },
    { "class 2 of 4, 100 %", { .loss_class = 1000000 },
      FABRIC_HEALTH_CLASS, .n_classes = 4, .max = { 4, 2 } },
    { "class 2 of 4, 5 %", { .loss_class = 50000 },
      FABRIC_HEALTH_CLASS, .n_classes = 4, .max = { 200, 20 } },
    { "delay +2 ms", { .delay = 2000 },
      FABRIC_HEALTH_RTT, .max = { 2, 1 } },
    { "delay +20 ms", { .delay = 20000 },
      FABRIC_HEALTH_RTT, .max = { 2, 1 } },
    { "CE marks, 80 %", { .ce = 800000 },
      FABRIC_HEALTH_CE, .max = { 15, 15 } },
};

static int
compare_times(const void *a_, const void *b_)
{
    const long long int *a = a_, *b = b_;

    return *a < *b ? -1 : *a > *b;
}

#define N_RUNS 40

static void
test_kind(const struct kind *k, int i, bool print)
{
    bool expected = k->reason >= 0;
    long long int times[N_RUNS];
    int n_right = 0;

    for (int seed = 0; seed < N_RUNS; seed++) {
        struct sim s = make_sim(i ? 10 * MSEC : 100 * MSEC, seed + 1);

        s.n_classes = MAX(k->n_classes, 1);
        s.large_every = k->large_every;
        s.data_rate = k->data_rate;
        run(&s, 30 * SEC);
        assert(!fabric_health_is_degraded(&s.h));
        s.trouble = k->trouble;
        times[seed] = run_until(&s, true, k->max[i] * SEC);
        if ((times[seed] < 0) == expected) {
            struct ds ds = DS_EMPTY_INITIALIZER;

            fabric_health_format_reasons(s.h.reasons, &ds);
            ovs_fatal(0, "%s, interval %d us, seed %d: %lld us (%s)", k->name,
                      s.interval, seed, times[seed], ds_cstr(&ds));
        }
        n_right += expected && has_reason(&s, k->reason);
    }
    if (expected) {
        /* A single class or size may look like all of them by chance. */
        assert(n_right >= N_RUNS * 9 / 10);
        qsort(times, N_RUNS, sizeof *times, compare_times);
        if (print) {
            printf("%-30s %4d ms %8.2f %8.2f %8.2f  %d/%d\n", k->name,
                   i ? 10 : 100, times[N_RUNS / 2] / 1e6,
                   times[N_RUNS * 9 / 10] / 1e6, times[N_RUNS - 1] / 1e6,
                   n_right, N_RUNS);
        }
    }
}

static void
test_detection(bool print)
{
    if (print) {
        printf("%-30s %7s %8s %8s %8s  %s\n", "failure", "probes",
               "median s", "90 %", "max", "named");
    }
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        for (int j = 0; j < 2; j++) {
            test_kind(&kinds[i], j, print);
        }
    }
}

/* What a good path has does not degrade it in days. */
static void
test_no_false_alarm(void)
{
    for (int seed = 1; seed <= 3; seed++) {
        struct sim s = make_sim(100 * MSEC, seed);

        s.large_every = 10;
        s.n_classes = 4;
        s.jitter = 800;
        s.trouble.loss[FABRIC_WAY_THERE] = 50;
        s.trouble.loss[FABRIC_WAY_BACK] = 50;
        assert(run_until(&s, true, DAY) < 0);
    }

    /* Data, that waits in queues for as long as 20 ms more than probes do, at
     * rates that change. */
    struct sim s = make_sim(100 * MSEC, 4);

    s.data_hold = 20 * MSEC;
    s.trouble.loss_data[FABRIC_WAY_THERE] = 100;
    s.trouble.loss_data[FABRIC_WAY_BACK] = 100;
    for (int i = 0; i < 360; i++) {
        static const unsigned int rates[] = { 0, 10, 500, 2000, 20000 };

        s.data_rate = rates[random_range(ARRAY_SIZE(rates))];
        assert(run_until(&s, true, random_range(3000) * MSEC) < 0);
    }
}

/* Probes may be sent as seldom or as often as can be configured. */
static void
test_intervals(void)
{
    static const int intervals[] = { 1, 3, 300, 1000, 1500, 2100, 4100, 10000,
                                     60000 };

    for (size_t i = 0; i < ARRAY_SIZE(intervals); i++) {
        struct sim s = make_sim(intervals[i] * MSEC, i + 1);
        struct fabric_health_stats stats;

        s.jitter = 2000;
        s.data_rate = 100;
        assert(run_until(&s, true, intervals[i] * MSEC * 2000) < 0);
        stats = get_stats(&s);
        assert(stats.loss <= 0 && stats.loss_way[0] <= 0
               && stats.loss_way[1] <= 0);

        s.trouble.loss[FABRIC_WAY_BACK] = 500000;
        assert(run_until(&s, true, intervals[i] * MSEC * 30 + SEC) > 0);
        run(&s, intervals[i] * MSEC * 20 + 2 * SEC);
        assert(s.h.reasons == (1u << FABRIC_HEALTH_LOSS_BACK));
        s.trouble.loss[FABRIC_WAY_BACK] = 0;
        assert(run_until(&s, false, 50 * SEC + 30LL * s.interval) > 0);
    }
}

/* What is measured is close to what happens. */
static void
test_statistics(void)
{
    struct sim s = make_sim(10 * MSEC, 1);
    struct fabric_health_stats stats = get_stats(&s);

    assert(stats.loss == -1 && stats.rtt_min == -1 && stats.rtt_p99 == -1
           && stats.jitter == -1 && stats.data_loss[0] == -1
           && stats.loss_class[3] == -1 && !stats.n_probes);

    s.config.window = 60000;
    s.config.loss_ppm = 0;
    s.data_rate = 5000;
    s.large_every = 10;
    s.jitter = 1000;
    s.trouble = (struct trouble) { .loss = { 50000, 20000 },
                                   .loss_data = { 10000, 50000 },
                                   .loss_large = 200000, .ce = 250000 };
    run(&s, 70 * SEC);
    stats = get_stats(&s);
    assert(!fabric_health_is_degraded(&s.h));
    assert(stats.n_probes > 5400 && stats.n_probes <= 6000);
    assert(abs(stats.loss_way[FABRIC_WAY_THERE] - 69000) < 10000);
    assert(abs(stats.loss_way[FABRIC_WAY_BACK] - 20000) < 6000);
    assert(abs(stats.loss - 88000) < 10000);
    assert(stats.loss_class[0] == stats.loss && stats.loss_class[1] == -1);
    assert(abs(stats.loss_large - 255000) < 50000);
    assert(abs(stats.loss_small - 69000) < 10000);
    assert(abs(stats.data_loss[FABRIC_WAY_THERE] - 10000) < 1000);
    assert(abs(stats.data_loss[FABRIC_WAY_BACK] - 50000) < 1500);
    assert(abs(stats.ce[FABRIC_WAY_THERE] - 250000) < 20000);
    assert(stats.ce[FABRIC_WAY_BACK] == 0 && stats.reordered == 0);
    assert(stats.rtt_min >= 200 && stats.rtt_min < 210);
    assert(stats.rtt_baseline == stats.rtt_min);
    assert(stats.rtt_smoothed > 400 && stats.rtt_smoothed < 1000);
    assert(abs(stats.rtt_p99 - 1190) < 100);
    assert(abs(stats.jitter - 333) < 150);
    assert(stats.uptime == 70000);

    /* Data that stops is no loss, nor are packets under way. */
    s.trouble = (struct trouble) { .ce = 0 };
    run(&s, 61 * SEC);
    s.data_rate = 0;
    run(&s, 10 * SEC);
    stats = get_stats(&s);
    assert(stats.data_loss[FABRIC_WAY_THERE] < 500);
    assert(!stats.loss && !stats.loss_way[0] && !stats.loss_way[1]);
}

/* Answers that overtake one another, or come after the probe was given up, are
 * not lost. */
static void
test_order(void)
{
    struct sim s = make_sim(10 * MSEC, 1);
    struct fabric_health_stats stats;

    s.jitter = 30 * MSEC;
    run(&s, 60 * SEC);
    stats = get_stats(&s);
    assert(!stats.loss && !stats.loss_way[0] && !stats.loss_way[1]);
    assert(stats.reordered > 100000);

    s.jitter = 0;
    s.config.answer_wait = 100;
    run(&s, 60 * SEC);
    s.trouble.delay = 300 * MSEC;
    run(&s, 30 * SEC);
    stats = get_stats(&s);
    assert(!stats.loss && !stats.loss_way[0] && !stats.loss_way[1]);
    assert(has_reason(&s, FABRIC_HEALTH_RTT));

    /* More of them on their way than are remembered. */
    s = make_sim(1 * MSEC, 1);
    s.rtt = 140 * MSEC;
    run(&s, SEC);
    assert(has_reason(&s, FABRIC_HEALTH_LOSS));
}

/* Strange answers and counts change nothing. */
static void
test_strange(void)
{
    struct sim s = make_sim(100 * MSEC, 1);
    struct fabric_health_stats before, after;

    run(&s, 20 * SEC);
    deliver_due(&s);
    before = get_stats(&s);
    for (uint32_t i = 0; i < 1000; i++) {
        uint32_t seq = s.seq + (i < 500 ? i : -2 - i);
        const struct fabric_health_answer a = { .seq = seq, .rtt = -12345 };

        fabric_health_peer_count(&s.h, seq, i);
        fabric_health_answered(&s.h, &s.config, &a, s.now);
    }
    after = get_stats(&s);
    assert(after.n_probes == before.n_probes && !after.loss
           && !after.loss_way[FABRIC_WAY_THERE]
           && !after.loss_way[FABRIC_WAY_BACK]
           && after.rtt_min == before.rtt_min
           && after.jitter == before.jitter);
    assert(!fabric_health_check(&s.h, &s.config, s.now));

    /* A peer whose clock steps tells less time than nothing. */
    fabric_health_sent(&s.h, &s.config, s.seq, 0, SMALL, s.now);
    fabric_health_answered(&s.h, &s.config, &(struct fabric_health_answer) {
                               .seq = s.seq, .rtt = -5000000 }, s.now);
    s.seq++;
    after = get_stats(&s);
    assert(after.rtt_min == 0);
}

/* Neither a peer that starts its counters anew, nor a gap, nor a clock that
 * steps, is loss. */
static void
test_restarts(void)
{
    struct sim s = make_sim(100 * MSEC, 1);
    struct fabric_health_stats stats;

    s.data_rate = 1000;
    run(&s, 60 * SEC);
    for (int i = 0; i < 20; i++) {
        s.peer_count = random_uint32();
        s.arrived[FABRIC_WAY_THERE] = random_uint32();
        s.tx[FABRIC_WAY_BACK] = random_uint32();
        run(&s, 5 * SEC);
        assert(!fabric_health_is_degraded(&s.h));
    }
    run(&s, 11 * SEC);
    stats = get_stats(&s);
    assert(!stats.loss && !stats.loss_way[0] && !stats.loss_way[1]);
    assert(stats.data_loss[0] < 500 && stats.data_loss[1] < 500);

    /* The prober does not run for a while; it reads answers first. */
    for (int i = 0; i < 20; i++) {
        s.now += random_range(100) * SEC;
        run(&s, 5 * SEC);
        assert(!fabric_health_is_degraded(&s.h));
    }
    /* Sequence numbers start anew. */
    s.seq = 0;
    s.n_answers = 0;
    run(&s, 20 * SEC);
    assert(!fabric_health_is_degraded(&s.h));

    /* Time that goes back is taken to stand still. */
    s.now -= 3 * SEC;
    run(&s, 20 * SEC);
    assert(!fabric_health_is_degraded(&s.h));
}

/* A peer that does not tell its counts: lost, but nobody knows where. */
static void
test_silent_peer(void)
{
    struct sim s = make_sim(100 * MSEC, 1);
    struct fabric_health_stats stats;

    s.peer_tells = false;
    run(&s, 20 * SEC);
    s.trouble.loss[FABRIC_WAY_BACK] = 100000;
    assert(run_until(&s, true, 60 * SEC) > 0);
    assert(s.h.reasons == (1u << FABRIC_HEALTH_LOSS));
    stats = get_stats(&s);
    assert(stats.loss > 0 && stats.loss_way[0] == -1
           && stats.loss_way[1] == -1);
}

/* Degraded paths recover after a while without loss, each time later. */
static void
test_recovery(void)
{
    struct sim s = make_sim(100 * MSEC, 1);

    run(&s, 20 * SEC);
    for (int i = 0; i < 7; i++) {
        long long int recovered;

        s.trouble.loss[FABRIC_WAY_THERE] = 200000;
        assert(run_until(&s, true, 60 * SEC) > 0);
        run(&s, 30 * SEC);
        assert(fabric_health_is_degraded(&s.h));
        s.trouble.loss[FABRIC_WAY_THERE] = 0;
        recovered = run_until(&s, false, 700 * SEC);
        assert(recovered >= MIN(30 << i, 600) * SEC);
        assert(recovered <= (MIN(30 << i, 600) + 12) * SEC);
    }
    assert(get_stats(&s).n_degraded == 7);

    /* After a long good time, as fast as at first. */
    run(&s, 601 * SEC);
    s.trouble.loss[FABRIC_WAY_THERE] = 200000;
    assert(run_until(&s, true, 60 * SEC) > 0);
    s.trouble.loss[FABRIC_WAY_THERE] = 0;
    assert(run_until(&s, false, 42 * SEC) > 0);

    /* Loss of 1 % is not mistaken for none for long. */
    int n_good = 0;

    s = make_sim(100 * MSEC, 2);
    s.trouble.loss[FABRIC_WAY_BACK] = 10000;
    assert(run_until(&s, true, 300 * SEC) > 0);
    for (int i = 0; i < 36000; i++) {
        step(&s);
        n_good += !fabric_health_is_degraded(&s.h);
    }
    assert(n_good < 36000 / 4);
}

/* A path that is down stays as it was judged, and one that goes down again and
 * again is held back. */
static void
test_flapping(void)
{
    struct sim s = make_sim(100 * MSEC, 1);

    for (int i = 0; i < 3; i++) {
        run(&s, 10 * SEC);
        assert(!fabric_health_is_degraded(&s.h));
        fabric_health_set_alive(&s.h, &s.config, false, s.now);
        run(&s, SEC);
        assert(get_stats(&s).uptime == 0);
        fabric_health_set_alive(&s.h, &s.config, true, s.now);
    }
    assert(has_reason(&s, FABRIC_HEALTH_FLAPPING));
    assert(get_stats(&s).n_flaps == 3);

    long long int held = run_until(&s, false, 600 * SEC);
    assert(held > 60 * SEC && held < 180 * SEC);

    /* Now and then is not flapping. */
    for (int i = 0; i < 20; i++) {
        fabric_health_set_alive(&s.h, &s.config, false, s.now);
        run(&s, SEC);
        fabric_health_set_alive(&s.h, &s.config, true, s.now);
        run(&s, 90 * SEC);
        assert(!fabric_health_is_degraded(&s.h));
    }

    /* The probes that are lost as the path dies are not held against it, but
     * what it was like before is. */
    s.trouble.loss[0] = 1000000;
    run(&s, SEC / 2);
    fabric_health_set_alive(&s.h, &s.config, false, s.now);
    run(&s, 5 * SEC);
    s.trouble.loss[0] = 0;
    fabric_health_set_alive(&s.h, &s.config, true, s.now);
    run(&s, 5 * SEC);
    assert(!fabric_health_is_degraded(&s.h));

    s.trouble.loss[0] = 300000;
    assert(run_until(&s, true, 60 * SEC) > 0);
    run(&s, 10 * SEC);
    fabric_health_set_alive(&s.h, &s.config, false, s.now);
    s.trouble.loss[0] = 0;
    run(&s, 300 * SEC);
    assert(fabric_health_is_degraded(&s.h));
    fabric_health_set_alive(&s.h, &s.config, true, s.now);
    assert(run_until(&s, false, 60 * SEC) >= 30 * SEC);
}

/* Delay counts only if the other paths do not have it, too. */
static void
test_delay(void)
{
    struct sim s = make_sim(100 * MSEC, 1);

    run(&s, 20 * SEC);
    fabric_rtt_set_others(&s.h.rtt, 250);
    s.trouble.delay = 700;
    run(&s, 20 * SEC);
    assert(!fabric_health_is_degraded(&s.h));
    s.trouble.delay = 5000;
    fabric_rtt_set_others(&s.h.rtt, 5200);
    run(&s, 20 * SEC);
    assert(!fabric_health_is_degraded(&s.h));
    fabric_rtt_set_others(&s.h.rtt, 250);
    assert(run_until(&s, true, 2 * SEC) > 0);
    assert(s.h.reasons == (1u << FABRIC_HEALTH_RTT));
    s.trouble.delay = 0;
    assert(run_until(&s, false, 40 * SEC) > 0);

    /* The delay becomes the baseline at last, if there is nothing better. */
    fabric_rtt_set_others(&s.h.rtt, -1);
    s.trouble.delay = 5000;
    assert(run_until(&s, true, 2 * SEC) > 0);
    run(&s, 500 * SEC);
    assert(fabric_health_is_degraded(&s.h));
    assert(run_until(&s, false, 1000 * SEC) > 0);
    fabric_rtt_set_others(&s.h.rtt, 250);
    assert(run_until(&s, true, 2 * SEC) > 0);

    /* Jitter keeps nobody from recovering. */
    s = make_sim(1 * MSEC, 1);
    run(&s, 10 * SEC);
    s.trouble.delay = 5000;
    assert(run_until(&s, true, 2 * SEC) > 0);
    s.trouble.delay = 0;
    s.jitter = 2000;
    assert(run_until(&s, false, 40 * SEC) > 0);

    /* Single late answers are noise, however late. */
    s = make_sim(100 * MSEC, 2);
    for (int i = 0; i < 10000; i++) {
        s.trouble.delay = random_range(10) ? 0 : 50000;
        step(&s);
        assert(!fabric_health_is_degraded(&s.h));
    }
}

/* The two ends count at different moments, and busy hosts have queues. */
static void
test_data_moments(void)
{
    const struct fabric_data_loss_config config
        = FABRIC_DATA_LOSS_CONFIG_DEFAULT;
    struct fabric_data_loss d = { .known = false };
    long long int now = 1000 * SEC;
    uint32_t tx = 0;

    /* The receiver's count was read late once, soon before the traffic
     * ended. */
    for (int i = 0; i < 200; i++) {
        tx += i < 100 ? 10000 : i & 1;
        now += 100 * MSEC;
        assert(!fabric_data_loss_update(&d, &config, tx,
                                        tx + (i == 98 ? 230 : 0), 1000, 2500,
                                        now));
    }

    /* A queue longer than the slack, for a moment. */
    for (int i = 0; i < 100; i++) {
        tx += 10000;
        now += 100 * MSEC;
        assert(!fabric_data_loss_update(&d, &config, tx,
                                        tx - (i % 10 < 2 ? 5000 : 0), 1000,
                                        2500, now));
    }

    /* As many are lost. */
    for (int i = 0; i < 4; i++) {
        bool found;

        tx += 10000;
        now += 100 * MSEC;
        found = fabric_data_loss_update(&d, &config, tx, tx - 5000, 1000,
                                        2500, now);
        assert(found == (i == 3));
    }
}

static void
test_words(void)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    fabric_health_format_reasons(0, &ds);
    assert(!strcmp(ds_cstr(&ds), ""));
    fabric_health_format_reasons((1u << FABRIC_HEALTH_CE)
                                 | (1u << FABRIC_HEALTH_LOSS_BACK), &ds);
    assert(!strcmp(ds_cstr(&ds), "loss-back,ce"));
    ds_destroy(&ds);
}

static void
test_fabric_health_main(int argc, char *argv[] OVS_UNUSED)
{
    bool print = argc > 1;

    if (print) {
        printf("bytes per path: %"PRIuSIZE"\n", sizeof(struct fabric_health));
    }
    test_detection(print);
    fflush(stdout);
    test_no_false_alarm();
    test_intervals();
    test_statistics();
    test_order();
    test_strange();
    test_restarts();
    test_silent_peer();
    test_recovery();
    test_flapping();
    test_delay();
    test_data_moments();
    test_words();
}

OVSTEST_REGISTER("test-fabric-health", test_fabric_health_main);
