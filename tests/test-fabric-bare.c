/* SPDX-License-Identifier: Apache-2.0 */

/* Unit tests of the search for lost datagrams without checksum. */

#include <config.h>
#undef NDEBUG
#include "fabric-bare.h"

#include "fabric-check.h"
#include "ovstest.h"
#include "random.h"
#include "util.h"

struct fixture {
    struct fabric_bare bare;
    uint32_t next_seq, answered;
    unsigned int n_bare, n_changes;
};

/* One round of tests, of which these parts in a thousand get lost. */
static void
run_round(struct fixture *x, int lose_bare, int lose_ordinary)
{
    bool changed = false;

    if (fabric_bare_run(&x->bare, x->answered, x->next_seq, &changed)) {
        x->n_bare++;
        if (random_range(1000) >= lose_bare) {
            changed |= fabric_bare_answered(&x->bare, x->bare.seq);
            CHECK_FALSE(fabric_bare_answered(&x->bare, x->bare.seq));
        }
    }
    x->n_changes += changed;
    if (random_range(1000) >= lose_ordinary) {
        x->answered = x->next_seq;
    }
    x->next_seq++;
}

static struct fixture
make_fixture(void)
{
    return (struct fixture) { .next_seq = UINT32_MAX - 20,
                              .answered = UINT32_MAX - 21 };
}

static void
test_box(void)
{
    struct fixture x = make_fixture();
    int n;

    for (int i = 0; i < 100; i++) {
        run_round(&x, 0, 0);
    }
    CHECK_EQ(x.n_bare, 25);
    CHECK_EQ(x.n_changes, 0);

    for (n = 0; !x.bare.needs_csum; n++) {
        run_round(&x, 1000, 0);
    }
    CHECK_TRUE(n <= 12);
    CHECK_EQ(x.n_changes, 1);
    for (int i = 0; i < 100; i++) {
        run_round(&x, 1000, 0);
        CHECK_TRUE(x.bare.needs_csum);
    }

    for (n = 0; x.bare.needs_csum; n++) {
        run_round(&x, 0, 0);
    }
    CHECK_TRUE(n > FABRIC_BARE_GOOD && n < 60);
    CHECK_EQ(x.n_changes, 2);

    run_round(&x, 1000, 0);
    CHECK_FALSE(fabric_bare_stop(&x.bare));
}

/* What gets lost alike is not for want of a checksum. */
static void
test_loss(void)
{
    struct fixture x = make_fixture();

    for (int i = 0; i < 1000; i++) {
        run_round(&x, 1000, 1000);
    }
    CHECK_EQ(x.n_changes, 0);
    for (int i = 0; i < 10000; i++) {
        run_round(&x, 10, 10);
    }
    CHECK_EQ(x.n_changes, 0);
}

static void
test_fabric_bare_main(int argc OVS_UNUSED, char *argv[] OVS_UNUSED)
{
    random_set_seed(1);
    test_box();
    test_loss();
}

OVSTEST_REGISTER("test-fabric-bare", test_fabric_bare_main);
