/* SPDX-License-Identifier: Apache-2.0 */

/* Simulates two hosts that test their paths to each other, while any one-way
 * paths are dead.  What must hold: each one that works is known to work, as
 * long as one works in each direction, and none that is dead stays up. */

#include <config.h>
#undef NDEBUG
#include "fabric-hearing.h"

#include "fabric-check.h"
#include "fabric-liveness.h"
#include "fabric-registry.h"
#include "ovstest.h"
#include "random.h"
#include "util.h"

#define MAX_PATHS 8
#define INTERVAL 10             /* ms. */
#define MULTIPLIER 3
#define DELAY 1                 /* One way, ms. */

/* Within this time what is dead is down: the detection time, and the time
 * until the first test leaves after the failure. */
#define DETECTED ((MULTIPLIER + 1) * INTERVAL)

/* Within this time what works again is up: its tests have to be heard
 * 'MULTIPLIER' times in a row, once the peer is known to be deaf. */
#define RECOVERED ((MULTIPLIER + 3) * INTERVAL)

#define MAX_MESSAGES 4096

struct message {
    long long int due;
    bool reflected;
    unsigned int to;            /* Host. */
    unsigned int path;          /* Of the sender. */
    uint16_t ssid;
    uint32_t seq;
    uint16_t port;
    struct fabric_stamp_report report;
};

struct host {
    struct fabric_probe_config config;  /* 'interval' 0: sends no tests. */
    size_t n_paths;
    uint16_t port_base;
    unsigned int phase;                 /* Of its rounds, ms. */
    struct fabric_liveness live[MAX_PATHS];
    bool dead[MAX_PATHS];
    bool must_be_up[MAX_PATHS];
    struct fabric_hearing hearing;
    bool answers;
};

struct net {
    struct host hosts[2];
    long long int now;
    struct message messages[MAX_MESSAGES];
    size_t head, tail;
    unsigned long long int n_sent;
};

static enum fabric_path_state
state_of(const struct host *h, size_t path)
{
    return h->config.interval ? h->live[path].state : FABRIC_PATH_UNKNOWN;
}

static void
post(struct net *net, unsigned int from, const struct message *m)
{
    net->n_sent++;
    if (!net->hosts[from].dead[m->path]) {
        struct message *copy = &net->messages[net->tail++ % MAX_MESSAGES];

        CHECK_TRUE(net->tail - net->head <= MAX_MESSAGES);
        *copy = *m;
        copy->due = net->now + DELAY;
        copy->to = !from;
        copy->port = net->hosts[from].port_base + m->path;
    }
}

static void
send_tests(struct net *net, unsigned int i)
{
    struct host *h = &net->hosts[i];

    fabric_hearing_begin_round(&h->hearing, net->now);
    for (size_t j = 0; j < h->n_paths; j++) {
        struct message m = {
            .path = j,
            .ssid = j + 1,
            .seq = fabric_liveness_sent(&h->live[j], net->now * 1000),
        };

        fabric_hearing_tell(&h->hearing,
                            fabric_hearing_size(&h->hearing, h->n_paths),
                            net->now, &m.report);
        post(net, i, &m);
    }
}

static void
take_report(struct net *net, struct host *h,
            const struct fabric_stamp_report *report)
{
    fabric_hearing_told(&h->hearing, report, net->now);
    for (size_t i = 0; i < report->n; i++) {
        size_t path = report->first + i - 1;

        if (report->seqs[i] && path < h->n_paths && h->config.interval) {
            h->answers = true;
            fabric_liveness_heard(&h->live[path], &h->config,
                                  report->seqs[i]);
        }
    }
}

static void
reflect(struct net *net, unsigned int i, const struct message *test)
{
    struct host *h = &net->hosts[i];
    bool fresh = fabric_hearing_add(&h->hearing, test->ssid, test->seq,
                                    net->now);
    struct message m = {
        .reflected = true, .ssid = test->ssid, .seq = test->seq,
    };
    uint64_t best = 0;

    CHECK_TRUE(fresh);
    take_report(net, h, &test->report);
    for (size_t j = 0; j < h->n_paths; j++) {
        uint64_t rank = fabric_hearing_rank(state_of(h, j), false,
                                            h->port_base + j, test->port);

        if (rank > best) {
            best = rank;
            m.path = j;
        }
    }
    fabric_hearing_tell(&h->hearing, test->report.n, net->now, &m.report);
    post(net, i, &m);
    if (fabric_hearing_spread(&h->hearing, test->ssid, &test->report,
                              net->now)) {
        unsigned int taken = m.path;

        m.report.copy = true;
        for (m.path = 0; m.path < h->n_paths; m.path++) {
            if (m.path != taken) {
                post(net, i, &m);
            }
        }
    }
}

static void
receive(struct net *net)
{
    while (net->head < net->tail
           && net->messages[net->head % MAX_MESSAGES].due <= net->now) {
        struct message m = net->messages[net->head++ % MAX_MESSAGES];
        struct host *h = &net->hosts[m.to];

        if (!m.reflected) {
            reflect(net, m.to, &m);
            continue;
        }
        take_report(net, h, &m.report);
        if (!m.report.copy) {
            h->answers = true;
            fabric_liveness_answered(&h->live[m.ssid - 1], &h->config, m.seq,
                                     2 * DELAY * 1000);
        }
    }
}

static void
check_states(const struct net *net, unsigned int i)
{
    const struct host *h = &net->hosts[i];

    for (size_t j = 0; j < h->n_paths; j++) {
        if (h->must_be_up[j] && h->live[j].state != FABRIC_PATH_UP) {
            printf("\nhost %u, path %"PRIuSIZE" at %lld: should be up; "
                   "intervals %u and %u, ports %u and %u, dead:",
                   i, j, net->now, net->hosts[0].config.interval,
                   net->hosts[1].config.interval, net->hosts[0].port_base,
                   net->hosts[1].port_base);
            for (int k = 0; k < 2; k++) {
                for (size_t l = 0; l < net->hosts[k].n_paths; l++) {
                    printf(" %d", net->hosts[k].dead[l]);
                }
                printf("%s", k ? "\n" : " |");
            }
            exit(1);
        }
    }
}

static void
run(struct net *net, long long int ms)
{
    for (long long int end = net->now + ms; net->now < end; net->now++) {
        receive(net);
        for (unsigned int i = 0; i < 2; i++) {
            struct host *h = &net->hosts[i];

            if (!h->config.interval) {
                continue;
            }
            for (size_t j = 0; j < h->n_paths; j++) {
                fabric_liveness_check(&h->live[j], &h->config, h->answers,
                                      net->now * 1000);
            }
            if (net->now % h->config.interval == h->phase) {
                send_tests(net, i);
            }
            check_states(net, i);
        }
    }
}

/* Intervals of tests of the second host, ms. */
static const unsigned int intervals[] = { INTERVAL, 3, 10 * INTERVAL, 0 };

static void
init(struct net *net, size_t n0, size_t n1, unsigned int shift,
     unsigned int interval)
{
    memset(net, 0, sizeof *net);
    net->now = 100000;
    for (unsigned int i = 0; i < 2; i++) {
        struct host *h = &net->hosts[i];

        h->config = (struct fabric_probe_config) {
            .enabled = true,
            .interval = i ? interval : INTERVAL,
            .multiplier = MULTIPLIER,
        };
        h->n_paths = i ? n1 : n0;
        h->port_base = 61440 + (i ? shift : 0);
        h->phase = h->config.interval ? random_range(h->config.interval) : 0;
        fabric_hearing_init(&h->hearing);
        for (size_t j = 0; j < h->n_paths; j++) {
            fabric_liveness_init(&h->live[j]);
            h->live[j].next_seq = random_uint32();
        }
    }
}

/* A peer that was never heard may not be Weft. */
static void
check_dead(const struct host *h)
{
    for (size_t j = 0; j < h->n_paths && h->config.interval; j++) {
        CHECK_TRUE(!h->dead[j] || h->live[j].state == FABRIC_PATH_DOWN
                   || (h->live[j].state == FABRIC_PATH_UNKNOWN
                       && !h->answers));
    }
}

/* Kills the paths in these bitmaps and checks what becomes of it. */
static void
fail(struct net *net, unsigned int dead0, unsigned int dead1, bool work_now)
{
    unsigned int dead[2] = { dead0, dead1 };
    unsigned int slowest = INTERVAL;
    bool both_ways = true;

    for (unsigned int i = 0; i < 2; i++) {
        both_ways &= dead[i] != (1u << net->hosts[i].n_paths) - 1;
        slowest = MAX(slowest, net->hosts[i].config.interval);
    }
    for (unsigned int i = 0; i < 2; i++) {
        struct host *h = &net->hosts[i];

        for (size_t j = 0; j < h->n_paths; j++) {
            bool is_dead = dead[i] & 1u << j;

            /* What works all along does not go down for a moment. */
            h->must_be_up[j] = (work_now && both_ways && !is_dead
                                && h->config.interval);
            h->dead[j] = is_dead;
        }
    }
    run(net, (work_now ? DETECTED : RECOVERED) * (slowest / INTERVAL));

    /* It stays as it is. */
    for (unsigned int i = 0; i < 2; i++) {
        struct host *h = &net->hosts[i];

        for (size_t j = 0; j < h->n_paths && h->config.interval; j++) {
            h->must_be_up[j] = both_ways && !h->dead[j];
        }
        check_dead(h);
    }
    run(net, 5 * slowest);
    check_dead(&net->hosts[0]);
    check_dead(&net->hosts[1]);
}

static void
clear(struct net *net)
{
    for (unsigned int i = 0; i < 2; i++) {
        fabric_hearing_destroy(&net->hosts[i].hearing);
    }
}

/* From health to this failure to another one. */
static void
check(size_t n0, size_t n1, unsigned int dead0, unsigned int dead1,
      unsigned int shift, unsigned int interval)
{
    static struct net net;

    init(&net, n0, n1, shift, interval);
    run(&net, 5 * MAX(interval, INTERVAL));
    fail(&net, dead0, dead1, true);
    fail(&net, random_range(1 << n0), random_range(1 << n1), false);
    clear(&net);

    /* The failure was there first. */
    init(&net, n0, n1, shift, interval);
    fail(&net, dead0, dead1, false);
    clear(&net);
}

/* Ports of the second host: the same, some of them, others. */
static const unsigned int shifts[] = { 0, 1, 100 };

static void
test_all(size_t max)
{
    for (size_t n0 = 1; n0 <= max; n0++) {
        for (size_t n1 = 1; n1 <= max; n1++) {
            for (unsigned int dead = 0; dead < 1u << (n0 + n1); dead++) {
                for (size_t i = 0; i < ARRAY_SIZE(shifts); i++) {
                    for (size_t j = 0; j < ARRAY_SIZE(intervals); j++) {
                        check(n0, n1, dead & ((1 << n0) - 1), dead >> n0,
                              shifts[i], intervals[j]);
                    }
                }
            }
        }
    }
}

static void
test_some(unsigned int n)
{
    for (unsigned int i = 0; i < n; i++) {
        size_t n0 = 1 + random_range(MAX_PATHS);
        size_t n1 = 1 + random_range(MAX_PATHS);

        check(n0, n1, random_range(1 << n0), random_range(1 << n1),
              random_range(2 * MAX_PATHS),
              intervals[random_range(ARRAY_SIZE(intervals))]);

        /* A single path that works is the hardest. */
        check(n0, n1, ((1 << n0) - 1) & ~(1 << random_range(n0)),
              ((1 << n1) - 1) & ~(1 << random_range(n1)),
              random_range(2 * MAX_PATHS),
              intervals[random_range(ARRAY_SIZE(intervals))]);
    }
}

/* Nobody is amplified: answers by all paths are not more than tests. */
static void
test_cost(void)
{
    static struct net net;
    unsigned long long int n_normal;

    init(&net, 8, 8, 0, INTERVAL);
    run(&net, 100 * INTERVAL);
    n_normal = net.n_sent;
    clear(&net);

    /* The first host hears nothing and asks all the time. */
    init(&net, 8, 8, 0, INTERVAL);
    for (size_t i = 0; i < 8; i++) {
        net.hosts[1].dead[i] = true;
    }
    run(&net, 100 * INTERVAL);
    CHECK_TRUE(net.n_sent < n_normal * 6 / 4);
    clear(&net);
}

/* More paths than a report has room for: each way back tells of all. */
static void
test_chunks(void)
{
    enum { N = 3 * FABRIC_STAMP_MAX_REPORT + 5, WAYS = 8 };
    struct fabric_hearing h;

    fabric_hearing_init(&h);
    for (unsigned int i = 0; i < N; i++) {
        CHECK_TRUE(fabric_hearing_add(&h, i + 1, i + 1, 1));
    }
    for (size_t way = 0; way < WAYS; way++) {
        bool told[N] = { false };
        size_t n_told = 0;

        for (int round = 0; round < 4; round++) {
            fabric_hearing_begin_round(&h, 2 + round);
            for (size_t i = 0; i < WAYS; i++) {
                struct fabric_stamp_report r;

                fabric_hearing_tell(&h, fabric_hearing_size(&h, WAYS), 2, &r);
                CHECK_EQ(r.n, FABRIC_STAMP_MAX_REPORT);
                for (size_t j = 0; i == way && j < r.n; j++) {
                    if (r.seqs[j]) {
                        CHECK_EQ(r.seqs[j], r.first + j);
                        told[r.seqs[j] - 1] = true;
                    }
                }
            }
        }
        for (size_t i = 0; i < N; i++) {
            n_told += told[i];
        }
        CHECK_EQ(n_told, N);
    }
    fabric_hearing_destroy(&h);
}

/* Which tests are new, when they are authentic and when not. */
static void
test_admit(void)
{
    for (int authentic = 0; authentic < 2; authentic++) {
        struct fabric_hearing h;
        long long int now = 100000;

#define ADMIT(EPOCH, SSID, SEQ)                                         \
        (fabric_hearing_admit(&h, EPOCH, SSID, SEQ, authentic, now)     \
         && (!(SSID) || fabric_hearing_add(&h, SSID, SEQ, now)))

        fabric_hearing_init(&h);
        for (uint16_t ssid = 0; ssid < 3; ssid++) {
            CHECK_TRUE(ADMIT(7, ssid, 1000));
            CHECK_FALSE(ADMIT(7, ssid, 1000));
            CHECK_TRUE(ADMIT(7, ssid, 1002));
            CHECK_TRUE(ADMIT(7, ssid, 1001));
            CHECK_FALSE(ADMIT(7, ssid, 1001));
            CHECK_FALSE(ADMIT(7, ssid, 1002 - 5000));
            CHECK_EQ(ADMIT(7, ssid, 1002 + 1000000), authentic);
        }
        CHECK_EQ(h.heard[0].count, 3 + authentic);

        /* Who starts anew. */
        CHECK_TRUE(ADMIT(8, 1, 5));
        CHECK_FALSE(ADMIT(8, 1, 5));
        CHECK_TRUE(ADMIT(8, 2, 1000));
        CHECK_TRUE(ADMIT(8, 0, 1000));

        /* What somebody has kept. */
        CHECK_EQ(ADMIT(7, 1, 1003), !authentic);
        CHECK_TRUE(ADMIT(8, 1, 6));

        /* After a while without anything. */
        now += FABRIC_HEARING_MAX_AGE;
        CHECK_EQ(ADMIT(8, 1, 7 - 100000), !authentic);
        CHECK_TRUE(ADMIT(6, 1, 1));
        CHECK_FALSE(ADMIT(6, 1, 1));
#undef ADMIT
        fabric_hearing_destroy(&h);
    }
}

static void
test_fabric_hearing_main(int argc, char *argv[])
{
    random_set_seed(1);
    test_admit();
    test_chunks();
    test_cost();
    test_all(argc > 1 ? atoi(argv[1]) : 3);
    test_some(argc > 2 ? atoi(argv[2]) : 3000);
}

OVSTEST_REGISTER("test-fabric-hearing", test_fabric_hearing_main);
