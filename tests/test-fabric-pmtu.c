/* SPDX-License-Identifier: Apache-2.0 */

/* Tests of the search for a path's MTU against simulated paths. */

#include <config.h>
#undef NDEBUG
#include "fabric-pmtu.h"

#include "fabric-check.h"
#include "ovstest.h"
#include "random.h"
#include "util.h"

/* A path that loses what is larger than 'mtu', and 'loss' % of the rest. */
struct path {
    uint32_t mtu;
    uint32_t interface;
    unsigned int rtt;
    unsigned int loss;
    bool dead;                  /* Loses everything. */
    bool hints;                 /* Do routers say what fits? */
    uint16_t largest;           /* Size that was ever probed. */
    unsigned int n_sent;
    unsigned int n_same;        /* Probes of 'last' in a row. */
    uint16_t last;
    long long int due;          /* When the answer comes, if 'answer'. */
    uint16_t answer;
    struct fabric_pmtu_env env;
};

static struct path
new_path(uint32_t interface, uint32_t mtu)
{
    return (struct path) {
        .mtu = mtu, .interface = interface, .rtt = 20,
        .env = { .max = interface, .interval = 600000, .alive = true },
    };
}

static void
deliver(struct path *path, struct fabric_pmtu *p, uint16_t size)
{
    if (path->dead || random_range(100) < path->loss) {
        return;
    }
    if (size > path->mtu) {
        if (path->hints) {
            fabric_pmtu_hint(p, size, path->mtu, &path->env);
        }
        return;
    }
    path->answer = size;
    path->due = path->env.now + path->rtt;
}

/* Lets 'ms' pass. */
static void
run(struct path *path, struct fabric_pmtu *p, long long int ms)
{
    long long int end = path->env.now + ms;

    for (; path->env.now < end; path->env.now += 10) {
        uint16_t size;

        path->env.max = path->interface;
        path->env.rtt = path->rtt;
        path->env.alive = !path->dead;
        if (path->answer && path->env.now >= path->due) {
            uint16_t answer = path->answer;

            path->answer = 0;
            fabric_pmtu_answered(p, answer, &path->env);
        }
        if (fabric_pmtu_wake(p) > path->env.now) {
            continue;
        }
        size = fabric_pmtu_run(p, &path->env);
        if (size) {
            path->n_same = size == path->last ? path->n_same + 1 : 1;
            path->last = size;
            path->largest = MAX(path->largest, size);
            path->n_sent++;
            CHECK_TRUE(size <= path->interface);
            deliver(path, p, size);
        }
    }
}

static bool
found(const struct fabric_pmtu *p, uint32_t mtu)
{
    return (p->state == FABRIC_PMTU_COMPLETE && p->mtu <= mtu
            && p->mtu + FABRIC_PMTU_STEP > mtu);
}

static void
test_search(void)
{
    static const uint32_t interfaces[] = { 1280, 1500, 1600, 9000, 65535 };

    for (size_t i = 0; i < ARRAY_SIZE(interfaces); i++) {
        uint32_t max = interfaces[i];

        for (uint32_t mtu = 576; mtu <= MIN(max, 9216); mtu++) {
            struct path path = new_path(max, mtu);
            struct fabric_pmtu p;

            fabric_pmtu_init(&p);
            path.hints = mtu & 1;
            run(&path, &p, 60000);
            CHECK_TRUE(found(&p, mtu == FABRIC_PMTU_PROBE_MAX ? max : mtu));
            CHECK_TRUE(path.n_sent < 64);
        }
    }

    /* What usual links have is found quickly. */
    struct path path = new_path(1500, 1450);
    struct fabric_pmtu p;
    fabric_pmtu_init(&p);
    run(&path, &p, 5000);
    CHECK_TRUE(found(&p, 1450));
    path = new_path(1500, 1438);
    path.hints = true;
    fabric_pmtu_init(&p);
    run(&path, &p, 200);
    CHECK_EQ(p.mtu, 1438);
    CHECK_EQ(path.n_sent, 3);

    /* No link of IPv6 is as narrow, but one of IPv4 may be. */
    path = new_path(1500, 500);
    fabric_pmtu_init(&p);
    run(&path, &p, 20000);
    CHECK_EQ(p.state, FABRIC_PMTU_ERROR);
    CHECK_EQ(p.mtu, 0);
    CHECK_EQ(path.n_sent, 2 * FABRIC_PMTU_MAX_PROBES);
    path.mtu = 1500;
    run(&path, &p, 600000);
    CHECK_EQ(p.mtu, 1500);
    printf(".");
}

static void
test_loss(void)
{
    /* Loss that is not of size: what is found is hardly ever less, and never
     * for longer than an interval. */
    unsigned int n_wrong = 0;

    for (int i = 0; i < 100; i++) {
        struct path path = new_path(1500, 1500);
        struct fabric_pmtu p;

        path.loss = 5;
        fabric_pmtu_init(&p);
        run(&path, &p, 120000);
        n_wrong += p.mtu != 1500;
        path.loss = 0;
        run(&path, &p, 660000);
        CHECK_EQ(p.mtu, 1500);
    }
    CHECK_TRUE(n_wrong <= 5);

    /* A path that dies: nothing is concluded, little is sent. */
    struct path path = new_path(1500, 1500);
    struct fabric_pmtu p;

    fabric_pmtu_init(&p);
    run(&path, &p, 10000);
    path.dead = true;
    path.n_sent = 0;
    run(&path, &p, 600000);
    CHECK_EQ(p.state, FABRIC_PMTU_COMPLETE);
    CHECK_EQ(p.mtu, 1500);
    CHECK_TRUE(path.n_sent <= FABRIC_PMTU_MAX_PROBES);
    printf(".");
}

static void
test_change(void)
{
    struct path path = new_path(1500, 1500);
    struct fabric_pmtu p;

    fabric_pmtu_init(&p);
    run(&path, &p, 10000);
    CHECK_EQ(p.mtu, 1500);

    /* Confirmed, and nothing else. */
    path.n_sent = 0;
    run(&path, &p, 150000);
    CHECK_TRUE(path.n_sent >= 9 && path.n_sent <= 11);
    CHECK_EQ(path.last, 1500);

    /* A black hole.  The MTU in force stays until a better one is known. */
    path.mtu = 1400;
    while (p.state == FABRIC_PMTU_COMPLETE) {
        run(&path, &p, 10);
    }
    CHECK_EQ(p.mtu, 1500);
    run(&path, &p, 30000);
    CHECK_TRUE(found(&p, 1400));

    /* Wider again, which is tried after the interval. */
    path.mtu = 1500;
    run(&path, &p, 500000);
    CHECK_TRUE(found(&p, 1400));
    run(&path, &p, 200000);
    CHECK_EQ(p.mtu, 1500);

    /* Noticed sooner if others notice, whose doubts are not taken for more
     * than they are. */
    long long int start = path.env.now;
    path.mtu = 1438;
    while (p.state == FABRIC_PMTU_COMPLETE) {
        fabric_pmtu_doubt(&p, &path.env);
        run(&path, &p, 10);
    }
    CHECK_TRUE(path.env.now - start < FABRIC_PMTU_DOUBT + 3000);
    run(&path, &p, 30000);
    CHECK_TRUE(found(&p, 1438));
    path.mtu = 1500;
    run(&path, &p, 700000);
    path.n_sent = 0;
    for (int i = 0; i < 1500; i++) {
        fabric_pmtu_doubt(&p, &path.env);
        run(&path, &p, 10);
    }
    CHECK_TRUE(path.n_sent <= 1 + 15000 / FABRIC_PMTU_DOUBT);
    CHECK_EQ(p.mtu, 1500);

    /* The same with hints. */
    path.hints = true;
    path.mtu = 1434;
    run(&path, &p, FABRIC_PMTU_CONFIRM + 500);
    CHECK_EQ(p.mtu, 1434);
    path.mtu = 1500;
    run(&path, &p, 700000);
    CHECK_EQ(p.mtu, 1500);

    /* The interface. */
    path.interface = path.mtu = 1400;
    run(&path, &p, FABRIC_PMTU_CONFIRM + 2000);
    CHECK_EQ(p.mtu, 1400);
    path.interface = path.mtu = 9000;
    run(&path, &p, FABRIC_PMTU_CONFIRM + 2000);
    CHECK_EQ(p.mtu, 9000);

    /* Another route. */
    path.mtu = 4000;
    fabric_pmtu_restart(&p);
    CHECK_EQ(p.mtu, 9000);
    path.hints = false;
    run(&path, &p, 20000);
    CHECK_EQ(p.mtu, 4000);
    printf(".");
}

static void
test_hint(void)
{
    struct path path = new_path(1500, 1500);
    struct fabric_pmtu p;

    /* Before the search has begun, of another size, and lies. */
    fabric_pmtu_init(&p);
    fabric_pmtu_hint(&p, 0, 1300, &path.env);
    CHECK_EQ(fabric_pmtu_run(&p, &path.env), FABRIC_PMTU_BASE);
    fabric_pmtu_hint(&p, FABRIC_PMTU_BASE, 600, &path.env);
    CHECK_EQ(p.limit, 1500);
    fabric_pmtu_answered(&p, FABRIC_PMTU_BASE, &path.env);
    CHECK_EQ(fabric_pmtu_run(&p, &path.env), 1500);
    fabric_pmtu_hint(&p, 1400, 1300, &path.env);
    fabric_pmtu_hint(&p, 1500, 1500, &path.env);
    fabric_pmtu_hint(&p, 1500, 0, &path.env);
    fabric_pmtu_hint(&p, 1500, 1000, &path.env);
    CHECK_EQ(p.limit, 1500);
    CHECK_EQ(p.hint, 0);

    /* One that says too much costs its probes only. */
    path.mtu = 1300;
    fabric_pmtu_hint(&p, 1500, 1490, &path.env);
    CHECK_EQ(p.hint, 1490);
    run(&path, &p, 60000);
    CHECK_TRUE(found(&p, 1300));

    /* Answers to what was not asked. */
    fabric_pmtu_init(&p);
    path = new_path(1500, 1450);
    run(&path, &p, 10000);
    fabric_pmtu_answered(&p, 1500, &path.env);
    fabric_pmtu_answered(&p, 9000, &path.env);
    CHECK_EQ(p.mtu, 1450);
    printf(".");
}

static void
test_fabric_pmtu(int argc OVS_UNUSED, char *argv[] OVS_UNUSED)
{
    random_set_seed(1);
    test_search();
    test_loss();
    test_change();
    test_hint();
    printf("\n");
}

OVSTEST_REGISTER("test-fabric-pmtu", test_fabric_pmtu);
