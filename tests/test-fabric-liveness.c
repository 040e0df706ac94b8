/* SPDX-License-Identifier: Apache-2.0 */

/* Unit tests of the liveness state machine, with a clock that the tests
 * move. */

#include <config.h>
#undef NDEBUG
#include "fabric-liveness.h"

#include <assert.h>
#include <limits.h>

#include "ovstest.h"
#include "util.h"

static const struct fabric_probe_config config = {
    .enabled = true, .interval = 10, .multiplier = 3,
};

struct fixture {
    struct fabric_liveness l;
    long long int now;          /* ms. */
    uint32_t seq;               /* Last sent. */
};

static void
probe(struct fixture *x)
{
    x->seq = fabric_liveness_sent(&x->l, x->now * 1000);
}

static bool
answer(struct fixture *x, uint32_t seq)
{
    return fabric_liveness_answered(&x->l, &config, seq, x->now * 1000
                                    - fabric_liveness_departure(&x->l, seq));
}

static bool
check(struct fixture *x, bool peer_answers)
{
    return fabric_liveness_check(&x->l, &config, peer_answers,
                                 x->now * 1000);
}

/* Returns a fixture whose path is up after one exchange at time 1000. */
static struct fixture
make_up(void)
{
    struct fixture x = { .now = 1000 };

    fabric_liveness_init(&x.l);
    probe(&x);
    assert(answer(&x, x.seq));
    assert(x.l.state == FABRIC_PATH_UP);
    return x;
}

/* Sends a probe each interval without answers until the path goes down;
 * returns the time since the last answer. */
static long long int
run_until_down(struct fixture *x)
{
    long long int start = x->now;

    for (;;) {
        x->now++;
        assert(x->now - start < 1000);
        if (check(x, true)) {
            assert(x->l.state == FABRIC_PATH_DOWN);
            return x->now - start;
        }
        if (!((x->now - start) % config.interval)) {
            probe(x);
        }
    }
}

static void
test_detection(void)
{
    struct fixture x = make_up();

    /* Unanswered probes leave at 10, 20 and 30; the last has 5 ms. */
    assert(run_until_down(&x) == 35);
    assert(x.l.n_down == 1);
    assert(fabric_liveness_lost(&x.l) == 3);
    assert(fabric_liveness_deadline(&x.l, &config) == LLONG_MAX);
}

static void
test_recovery(void)
{
    struct fixture x = make_up();

    run_until_down(&x);
    for (int i = 0; i < 3; i++) {
        x.now += config.interval;
        probe(&x);
        assert(answer(&x, x.seq) == (i == 2));
    }
    assert(x.l.state == FABRIC_PATH_UP);

    /* Answers with gaps do not bring it back. */
    run_until_down(&x);
    for (int i = 0; i < 10; i++) {
        for (int j = 0; j < 3; j++) {
            x.now += config.interval;
            probe(&x);
        }
        assert(!answer(&x, x.seq));
        assert(x.l.state == FABRIC_PATH_DOWN);
    }
}

/* A peer that never answers is not Weft and stays in use; a path that never
 * answers while others of the peer do is down. */
static void
test_unknown(void)
{
    struct fixture x = { .now = 1000 };

    fabric_liveness_init(&x.l);
    for (int i = 0; i < 100; i++) {
        probe(&x);
        x.now += config.interval;
        assert(!check(&x, false));
    }
    assert(x.l.state == FABRIC_PATH_UNKNOWN);
    assert(check(&x, true));
    assert(x.l.state == FABRIC_PATH_DOWN);
}

/* A prober that did not run for a while blames nobody. */
static void
test_stall(void)
{
    struct fixture x = make_up();

    x.now += config.interval;
    probe(&x);
    x.now += 10000;
    assert(!check(&x, true));
    assert(answer(&x, x.seq) == false);
    assert(x.l.state == FABRIC_PATH_UP);
}

/* A peer that did not run for a while answers late what came in time.  It is
 * not the path's fault. */
static void
test_excuse(void)
{
    for (int stall = 4; stall < 60; stall++) {
        struct fixture x = make_up();
        uint32_t first = x.seq + 1;

        run_until_down(&x);
        while (x.seq - first < stall) {
            x.now += 1;
            if (!(x.now % config.interval)) {
                probe(&x);
            }
        }
        for (uint32_t seq = first; seq <= x.seq; seq++) {
            int64_t waited = (x.now * 1000
                              - fabric_liveness_departure(&x.l, seq));

            fabric_liveness_answered(&x.l, &config, seq, 0);
            assert(fabric_liveness_excuse(&x.l, &config, seq, 0, waited)
                   == (seq == first));
            assert(x.l.state == FABRIC_PATH_UP);
        }
        assert(!x.l.n_down && x.l.n_excused == 1);
        assert(!check(&x, true));
    }
}

/* But it is, if answers come late for another reason, or those that are missed
 * never come. */
static void
test_no_excuse(void)
{
    struct fixture x = make_up();
    uint32_t first = x.seq + 1;

    run_until_down(&x);
    answer(&x, first);
    assert(!fabric_liveness_excuse(&x.l, &config, first, 15000, 0));
    assert(x.l.state == FABRIC_PATH_DOWN && x.l.n_down == 1);

    /* The first answer has decided. */
    answer(&x, first + 1);
    assert(!fabric_liveness_excuse(&x.l, &config, first + 1, 0, 30000));

    x = make_up();
    run_until_down(&x);
    x.now += config.interval;
    probe(&x);
    answer(&x, x.seq);
    assert(!fabric_liveness_excuse(&x.l, &config, x.seq, 0, 1000));
    assert(x.l.state == FABRIC_PATH_DOWN && x.l.n_down == 1);
}

/* Answers that are duplicated, late, or to probes never sent. */
static void
test_strange_answers(void)
{
    struct fixture x = make_up();
    uint64_t rx = x.l.probe_rx;

    answer(&x, x.seq);
    assert(x.l.probe_rx == rx);
    answer(&x, x.seq + 1);
    answer(&x, x.seq + 1000000);
    answer(&x, x.seq - 1000000);
    assert(x.l.probe_rx == rx);

    probe(&x);
    probe(&x);
    answer(&x, x.seq);
    assert(x.l.probe_rx == rx + 1);
    answer(&x, x.seq - 1);
    assert(x.l.probe_rx == rx + 1);
    assert(fabric_liveness_lost(&x.l) == 1);
}

static void
test_rtt(void)
{
    struct fixture x = make_up();

    assert(x.l.rtt_us == 0);
    for (int i = 0; i < 100; i++) {
        uint32_t seq;

        x.now += config.interval;
        seq = fabric_liveness_sent(&x.l, x.now * 1000);
        fabric_liveness_answered(&x.l, &config, seq, 500);
    }
    assert(x.l.rtt_us == 500);
    assert(x.l.rtt_min_us == 0);
    assert(x.l.rtt_smoothed_us > 450 && x.l.rtt_smoothed_us <= 500);
}

/* A round trip of many intervals is not loss. */
static void
test_long_rtt(void)
{
    struct fixture x = { .now = 1000 };
    const int delay = 8;                /* Intervals. */

    fabric_liveness_init(&x.l);
    for (int i = 0; i < 500; i++) {
        x.now += config.interval;
        probe(&x);
        if (i >= delay) {
            answer(&x, x.seq - delay);
            assert(!check(&x, true));
            assert(x.l.state == FABRIC_PATH_UP);
        }
    }
    assert(x.l.rtt_us == delay * config.interval * 1000);
    assert(run_until_down(&x) < 400);
}

/* A path whose answers get lost, but of which the peer says on other paths
 * that the probes arrive, stays up; its own answers still count when they
 * come. */
static void
test_heard(void)
{
    struct fixture x = make_up();
    uint64_t rx = x.l.probe_rx;

    for (int i = 0; i < 100; i++) {
        x.now += config.interval;
        probe(&x);
        assert(!check(&x, true));
        assert(!fabric_liveness_heard(&x.l, &config, x.seq));
    }
    assert(x.l.state == FABRIC_PATH_UP);
    assert(x.l.probe_rx == rx);
    assert(fabric_liveness_lost(&x.l) == 100);

    answer(&x, x.seq);
    assert(x.l.probe_rx == rx + 1);
    answer(&x, x.seq);
    assert(x.l.probe_rx == rx + 1);

    /* What was heard long ago, or never sent, proves nothing. */
    fabric_liveness_heard(&x.l, &config, x.seq + 1);
    fabric_liveness_heard(&x.l, &config, x.seq - 50);
    assert(x.l.last_answered == x.seq);
    assert(run_until_down(&x) == 35);

    /* It also brings a path back. */
    for (int i = 0; i < 3; i++) {
        x.now += config.interval;
        probe(&x);
        assert(fabric_liveness_heard(&x.l, &config, x.seq) == (i == 2));
    }
    assert(x.l.state == FABRIC_PATH_UP);
}

/* Sequence numbers wrap around. */
static void
test_wrap(void)
{
    struct fixture x = make_up();

    x.l.next_seq = UINT32_MAX - 2;
    x.l.last_answered = UINT32_MAX - 3;
    x.l.last_direct = UINT32_MAX - 3;
    x.l.probe_tx = UINT64_C(1) << 33;
    for (int i = 0; i < 10; i++) {
        x.now += config.interval;
        probe(&x);
        answer(&x, x.seq);
        assert(!x.l.n_unanswered);
    }
    assert(x.l.state == FABRIC_PATH_UP);
}

static void
test_fabric_liveness_main(int argc OVS_UNUSED, char *argv[] OVS_UNUSED)
{
    test_detection();
    test_recovery();
    test_unknown();
    test_stall();
    test_excuse();
    test_no_excuse();
    test_strange_answers();
    test_rtt();
    test_long_rtt();
    test_heard();
    test_wrap();
}

OVSTEST_REGISTER("test-fabric-liveness", test_fabric_liveness_main);
