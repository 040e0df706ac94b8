/* SPDX-License-Identifier: Apache-2.0 */

/* Tests of path discovery against simulated networks: traces, surveys, what is
 * found in quotations, and which ports are chosen. */

#include <config.h>
#undef NDEBUG
#include "fabric-survey.h"

#include "fabric-bfd-frame.h"
#include "fabric-bytes.h"
#include "fabric-check.h"
#include "fabric-cover.h"
#include "fabric-encap.h"
#include "fabric-stamp.h"
#include "hash.h"
#include "ovstest.h"
#include "packets.h"
#include "random.h"

#define N_PORTS FABRIC_MAX_PATHS_PER_REMOTE

/* A network: at each TTL up to N_SHARE routers share the load by a hash of the
 * port; the remote is at TTL 'distance'. */
struct network {
    unsigned int distance;
    unsigned int share[FABRIC_MAX_HOPS + 1];    /* By TTL. */
    unsigned int silent;        /* TTL whose routers are silent; 0: none. */
    unsigned int dead;          /* At this TTL, router 0 loses everything. */
    bool answers;               /* Does the remote answer probes? */
    bool limits;                /* As Linux does: 6 errors, then 1 a second? */
    long long int tokens[FABRIC_MAX_HOPS + 1][8];
    unsigned int n_sent;
};

static unsigned int
router_at(const struct network *net, size_t port, uint8_t ttl)
{
    return hash_2words(port, ttl) % net->share[ttl];
}

static struct in6_addr
router_ip(uint8_t ttl, unsigned int router)
{
    struct in6_addr ip;

    in6_addr_set_mapped_ipv4(&ip, htonl(0x0a000000 | ttl << 8 | router));
    return ip;
}

static bool
may_send(struct network *net, uint8_t ttl, unsigned int router,
         long long int now)
{
    long long int *spent = &net->tokens[ttl][router];

    if (!net->limits) {
        return true;
    }
    *spent = MAX(*spent, now - 6000);
    if (*spent + 1000 > now) {
        return false;
    }
    *spent += 1000;
    return true;
}

/* Sends what 's' asked to send and delivers what comes back. */
static void
deliver(struct network *net, struct fabric_survey *s, size_t port,
        uint8_t ttl, uint32_t seq, long long int now)
{
    struct fabric_trace *t = &s->traces[port];

    net->n_sent++;
    for (uint8_t i = 1; i <= MIN(ttl, net->distance - 1); i++) {
        unsigned int router = router_at(net, port, i);
        struct in6_addr ip = router_ip(i, router);

        if (i == net->dead && !router) {
            return;
        }
        if (i == ttl) {
            if (i != net->silent && may_send(net, i, router, now)) {
                fabric_trace_error(t, FABRIC_TRACE_EXPIRED, seq, &ip);
            }
            return;
        }
    }
    if (net->answers) {
        fabric_trace_answer(t, seq);
    }
}

/* Runs a survey to its end.  Returns how long it took, ms. */
static long long int
run(struct network *net, struct fabric_survey *s, size_t n_min)
{
    long long int now = 1000000;

    fabric_survey_init(s, N_PORTS, n_min, &in6addr_any);
    while (!s->done) {
        uint32_t seq;
        uint8_t ttl;
        size_t port;

        if (fabric_survey_next(s, now, &port, &ttl, &seq)) {
            deliver(net, s, port, ttl, seq, now);
            now += 10;
        } else if (!s->done) {
            long long int wake = fabric_survey_wake(s);

            CHECK_TRUE(wake > now && wake < now + 10000);
            now = wake;
        }
    }
    return now - 1000000;
}

/* Number of routers that 's' found at 'ttl'. */
static size_t
count_routers(const struct fabric_survey *s, uint8_t ttl)
{
    uint64_t seen = 0;

    for (size_t i = 0; i < s->n_started; i++) {
        const struct fabric_hops *hops = &s->traces[i].hops;

        if (ttl <= hops->n && !ipv6_is_zero(&hops->ip[ttl - 1])) {
            seen |= UINT64_C(1) << hops->ip[ttl - 1].s6_addr[15];
        }
    }
    return count_1bits(seen);
}

static struct network
leaf_spine(unsigned int n_spines)
{
    return (struct network) {
        .distance = 4, .share = { 1, 1, n_spines, 1 }, .answers = true,
    };
}

static void
test_leaf_spine(void)
{
    for (unsigned int spines = 1; spines <= 8; spines++) {
        for (int limits = 0; limits < 2; limits++) {
            struct network net = leaf_spine(spines);
            struct fabric_survey s;

            net.limits = limits;
            run(&net, &s, 4);
            CHECK_EQ(count_routers(&s, 1), 1);
            CHECK_EQ(count_routers(&s, 2), spines);
            CHECK_EQ(count_routers(&s, 3), 1);
            CHECK_EQ(s.n_started, fabric_survey_ports_for(spines));
            for (size_t i = 0; i < s.n_started; i++) {
                const struct fabric_hops *hops = &s.traces[i].hops;
                struct in6_addr spine = router_ip(2, router_at(&net, i, 2));

                CHECK_TRUE(hops->reached);
                CHECK_EQ(hops->n, 3);
                CHECK_TRUE(ipv6_addr_equals(&hops->ip[1], &spine)
                           || ipv6_is_zero(&hops->ip[1]));
                CHECK_TRUE(!net.limits || !ipv6_is_zero(&hops->ip[0]));
                CHECK_FALSE(!net.limits && ipv6_is_zero(&hops->ip[1]));
            }
            if (!net.limits) {
                /* Routers that all share are asked but a few times. */
                CHECK_TRUE(net.n_sent <= 2 * FABRIC_SURVEY_SETTLED
                           + 2 * s.n_started + 2 * FABRIC_SURVEY_PARALLEL);
            }
        }
    }
    printf(".");
}

static void
test_silence(void)
{
    struct fabric_survey s;
    struct network net;

    /* Nobody at all: a few ports show it. */
    net = leaf_spine(4);
    net.silent = 1;
    net.dead = 1;
    run(&net, &s, 4);
    CHECK_FALSE(fabric_survey_heard(&s));
    CHECK_EQ(s.n_started, FABRIC_SURVEY_PARALLEL);
    CHECK_TRUE(net.n_sent <= FABRIC_SURVEY_PARALLEL * FABRIC_TRACE_TRIES
               * FABRIC_TRACE_MAX_SILENT);

    /* One layer of routers: what is behind it is found, and it is not asked
     * for ever. */
    net = leaf_spine(4);
    net.silent = 2;
    run(&net, &s, 4);
    CHECK_EQ(s.n_started, fabric_survey_ports_for(1));
    for (size_t i = 0; i < s.n_started; i++) {
        CHECK_TRUE(s.traces[i].hops.reached);
        CHECK_EQ(s.traces[i].hops.n, 3);
        CHECK_TRUE(ipv6_is_zero(&s.traces[i].hops.ip[1]));
    }
    net = leaf_spine(4);
    net.silent = 1;
    run(&net, &s, 4);
    CHECK_EQ(count_routers(&s, 2), 4);

    /* A remote that does not answer probes. */
    net = leaf_spine(4);
    net.answers = false;
    run(&net, &s, 4);
    CHECK_EQ(count_routers(&s, 2), 4);
    for (size_t i = 0; i < s.n_started; i++) {
        CHECK_FALSE(s.traces[i].hops.reached);
        CHECK_EQ(s.traces[i].hops.n, 3);
    }

    /* A spine that loses everything. */
    net = leaf_spine(4);
    net.dead = 2;
    run(&net, &s, 4);
    CHECK_EQ(count_routers(&s, 2), 3);
    for (size_t i = 0; i < s.n_started; i++) {
        bool dead = !router_at(&net, i, 2);

        CHECK_EQ(s.traces[i].hops.reached, !dead);
        CHECK_EQ(s.traces[i].hops.n, dead ? 1 : 3);
    }
    printf(".");
}

static void
test_trace(void)
{
    struct in6_addr a = router_ip(1, 1), b = router_ip(2, 1);
    struct fabric_trace t;
    uint32_t seq1, seq2, other;

    /* An error that comes late, and those that are not for us. */
    fabric_trace_init(&t, 0x1234);
    CHECK_TRUE(fabric_trace_run(&t, 0));
    seq1 = fabric_trace_sent(&t, 0);
    CHECK_FALSE(fabric_trace_run(&t, FABRIC_TRACE_TIMEOUT - 1));
    other = seq1 ^ 0x10000;
    fabric_trace_error(&t, FABRIC_TRACE_EXPIRED, other, &a);
    other = seq1 + 0x100;
    fabric_trace_error(&t, FABRIC_TRACE_EXPIRED, other, &a);
    fabric_trace_answer(&t, other);
    CHECK_EQ(t.ttl, 1);
    for (long long int now = 1; t.ttl == 1; now++) {
        if (fabric_trace_run(&t, now) && t.ttl == 1) {
            fabric_trace_sent(&t, now);
        }
        CHECK_TRUE(now < 10000);
    }
    CHECK_TRUE(ipv6_is_zero(&t.hops.ip[0]));
    seq2 = fabric_trace_sent(&t, 20000);
    fabric_trace_error(&t, FABRIC_TRACE_EXPIRED, seq1, &a);
    CHECK_EQ(t.ttl, 2);
    CHECK_BYTES(&t.hops.ip[0], &a, sizeof a);
    fabric_trace_error(&t, FABRIC_TRACE_EXPIRED, seq1, &b);
    CHECK_BYTES(&t.hops.ip[0], &a, sizeof a);
    fabric_trace_error(&t, FABRIC_TRACE_REFUSED, seq2, &b);
    CHECK_TRUE(t.done);
    CHECK_FALSE(t.hops.reached);
    CHECK_EQ(t.hops.n, 2);

    /* What says that it is there although it does not listen. */
    fabric_trace_init(&t, 1);
    seq1 = fabric_trace_sent(&t, 0);
    fabric_trace_error(&t, FABRIC_TRACE_ARRIVED, seq1 ^ 0x10000, &b);
    CHECK_FALSE(t.done);
    fabric_trace_error(&t, FABRIC_TRACE_ARRIVED, seq1, &b);
    CHECK_TRUE(t.done && t.hops.reached);
    CHECK_EQ(t.hops.n, 0);

    /* A route without end. */
    fabric_trace_init(&t, 1);
    for (int i = 0; i < FABRIC_MAX_HOPS; i++) {
        CHECK_TRUE(fabric_trace_run(&t, i));
        seq1 = fabric_trace_sent(&t, i);
        fabric_trace_error(&t, FABRIC_TRACE_EXPIRED, seq1, &a);
    }
    CHECK_TRUE(t.done);
    CHECK_EQ(t.hops.n, FABRIC_MAX_HOPS);
    printf(".");
}

static void
test_quote(void)
{
    struct fabric_stamp stamp = { .seq = 0x01020304, .ssid = 0x4000 };
    struct in6_addr srcs[2] = { in6addr_loopback };

    in6_addr_set_mapped_ipv4(&srcs[1], htonl(0x0a000001));
    for (size_t i = 0; i < ARRAY_SIZE(srcs); i++) {
        for (int encap = 0; encap < FABRIC_N_ENCAPS; encap++) {
            uint8_t buf[FABRIC_GENEVE_HLEN + FABRIC_STAMP_MAX_FRAME];
            size_t size = fabric_encap_build_simple(encap, 7, true, buf);
            size_t ofs = size + 14 + (i ? 20 : 40) + 8;
            uint32_t seq;

            size += fabric_stamp_compose(&stamp, NULL, &fabric_stamp_mac,
                                         &srcs[i], buf + size,
                                         sizeof buf - size);
            for (size_t n = 0; n <= size; n++) {
                uint8_t *quote = xmemdup(buf, n);

                CHECK_EQ(fabric_trace_parse_quote(encap, 7, &fabric_stamp_mac,
                                                  quote, n, &seq),
                         n >= ofs + 4);
                free(quote);
            }
            CHECK_EQ(seq, stamp.seq);
            CHECK_FALSE(fabric_trace_parse_quote(encap, 8, &fabric_stamp_mac,
                                                 buf, size, &seq));
            CHECK_FALSE(fabric_trace_parse_quote(encap, 7, &fabric_bfd_ovs_mac,
                                                 buf, size, &seq));
        }
    }
    printf(".");
}

/* Chooses among the ports of 's', of which those of 'current' are in use, and
 * returns the bitmap of the chosen. */
static uint64_t
choose(const struct fabric_survey *s, uint64_t current, size_t min, size_t max)
{
    struct fabric_cover_port ports[N_PORTS];
    uint64_t chosen = 0;

    for (size_t i = 0; i < s->n_started; i++) {
        ports[i] = (struct fabric_cover_port) {
            .hops = &s->traces[i].hops,
            .current = current >> i & 1,
        };
    }
    fabric_cover(ports, s->n_started, min, max);
    for (size_t i = 0; i < s->n_started; i++) {
        chosen |= (uint64_t) ports[i].chosen << i;
    }
    return chosen;
}

static size_t
count_spines(const struct network *net, uint64_t ports)
{
    uint64_t seen = 0;

    for (size_t i = 0; i < N_PORTS; i++) {
        if (ports >> i & 1) {
            seen |= UINT64_C(1) << router_at(net, i, 2);
        }
    }
    return count_1bits(seen);
}

static void
test_cover(void)
{
    struct fabric_survey s;
    struct network net;

    for (unsigned int spines = 1; spines <= 8; spines++) {
        net = leaf_spine(spines);
        run(&net, &s, 4);
        for (size_t max = 1; max <= 8; max++) {
            uint64_t current = (UINT64_C(1) << max) - 1;
            uint64_t kept = choose(&s, current, max, max);
            uint64_t few = choose(&s, current, MIN(2, max), max);

            /* As many ports, of which no more are replaced than must be. */
            CHECK_EQ(count_1bits(kept), max);
            CHECK_EQ(count_spines(&net, kept), MIN(spines, max));
            CHECK_EQ(count_1bits(kept & ~current),
                     MIN(spines, max) - count_spines(&net, current));
            CHECK_EQ(choose(&s, kept, max, max), kept);

            /* The fewest that will do. */
            CHECK_EQ(count_spines(&net, few), MIN(spines, max));
            CHECK_EQ(count_1bits(few), MIN(MAX(spines, 2), max));
            CHECK_EQ(choose(&s, few, MIN(2, max), max), few);
        }
    }

    /* A dead spine: ports that lead there stay while there is room, and the
     * others cover what is left. */
    net = leaf_spine(4);
    run(&net, &s, 4);
    uint64_t all = choose(&s, 0xf, 4, 4);
    net.dead = 2;
    run(&net, &s, 4);
    CHECK_EQ(choose(&s, all, 4, 4), all);

    /* Routers behind the spines that answer from several addresses do not
     * take the place of a spine. */
    net = leaf_spine(4);
    net.share[3] = 4;
    run(&net, &s, 4);
    CHECK_EQ(count_spines(&net, choose(&s, 0xf, 4, 4)), 4);
    printf(".");
}

static void
test_recall(void)
{
    struct network net = leaf_spine(2);
    struct fabric_hops old, *hops;
    struct in6_addr other;
    struct fabric_survey s;

    run(&net, &s, 4);
    hops = &s.traces[0].hops;
    old = *hops;
    CHECK_EQ(old.n, 3);

    /* A router that did not answer this time. */
    hops->ip[1] = in6addr_any;
    fabric_survey_recall(&s, 0, &old);
    CHECK_BYTES(hops, &old, sizeof old);

    /* No longer there, for all that is known. */
    other = router_ip(2, 7);
    hops->ip[1] = in6addr_any;
    old.ip[1] = other;
    fabric_survey_recall(&s, 0, &old);
    CHECK_TRUE(ipv6_is_zero(&hops->ip[1]));

    /* Another route, or one that ends. */
    old.ip[1] = s.traces[1].hops.ip[1];
    old.ip[2] = other;
    fabric_survey_recall(&s, 0, &old);
    CHECK_TRUE(ipv6_is_zero(&hops->ip[1]));
    old.ip[2] = hops->ip[2];
    old.n = 2;
    fabric_survey_recall(&s, 0, &old);
    CHECK_TRUE(ipv6_is_zero(&hops->ip[1]));
    old.n = 3;
    old.reached = false;
    fabric_survey_recall(&s, 0, &old);
    CHECK_TRUE(ipv6_is_zero(&hops->ip[1]));
    old.reached = true;
    fabric_survey_recall(&s, 0, &old);
    CHECK_BYTES(&hops->ip[1], &old.ip[1], sizeof old.ip[1]);
    printf(".");
}

static void
test_fabric_discover(int argc OVS_UNUSED, char *argv[] OVS_UNUSED)
{
    random_set_seed(1);
    test_trace();
    test_quote();
    test_leaf_spine();
    test_silence();
    test_recall();
    test_cover();
    printf("\n");
}

OVSTEST_REGISTER("test-fabric-discover", test_fabric_discover);
