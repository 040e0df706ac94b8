/* SPDX-License-Identifier: Apache-2.0 */

/* Unit tests of the window of sequence numbers. */

#include <config.h>
#undef NDEBUG
#include "fabric-seq-window.h"

#include "fabric-check.h"
#include "ovstest.h"
#include "random.h"
#include "util.h"

static void
test_order(void)
{
    struct fabric_seq_window w = { .any = false };

    /* Any number is as good as the first. */
    CHECK_EQ(fabric_seq_window_add(&w, UINT32_MAX - 1), FABRIC_SEQ_NEW);
    CHECK_EQ(fabric_seq_window_add(&w, UINT32_MAX - 1), FABRIC_SEQ_SEEN);

    /* Numbers wrap around. */
    CHECK_EQ(fabric_seq_window_add(&w, 1), FABRIC_SEQ_NEW);
    CHECK_EQ(w.top, 1);
    CHECK_EQ(fabric_seq_window_look(&w, UINT32_MAX), FABRIC_SEQ_NEW);
    CHECK_EQ(fabric_seq_window_add(&w, UINT32_MAX), FABRIC_SEQ_NEW);
    CHECK_EQ(fabric_seq_window_add(&w, UINT32_MAX), FABRIC_SEQ_SEEN);
    CHECK_EQ(fabric_seq_window_add(&w, 0), FABRIC_SEQ_NEW);
    CHECK_EQ(fabric_seq_window_add(&w, 1), FABRIC_SEQ_SEEN);
    CHECK_EQ(fabric_seq_window_add(&w, UINT32_MAX - 1), FABRIC_SEQ_SEEN);
    CHECK_EQ(w.top, 1);

    /* The edge of the window. */
    CHECK_EQ(fabric_seq_window_add(&w, 1 + 63), FABRIC_SEQ_NEW);
    CHECK_EQ(fabric_seq_window_add(&w, 1), FABRIC_SEQ_SEEN);
    CHECK_EQ(fabric_seq_window_add(&w, 0), FABRIC_SEQ_OLD);
    CHECK_EQ(fabric_seq_window_add(&w, 1 + 64), FABRIC_SEQ_NEW);
    CHECK_EQ(fabric_seq_window_add(&w, 1), FABRIC_SEQ_OLD);
    CHECK_EQ(fabric_seq_window_add(&w, 2), FABRIC_SEQ_NEW);

    /* A jump empties it. */
    CHECK_EQ(fabric_seq_window_add(&w, 1000), FABRIC_SEQ_NEW);
    CHECK_EQ(fabric_seq_window_add(&w, 999), FABRIC_SEQ_NEW);
    CHECK_EQ(fabric_seq_window_add(&w, 936), FABRIC_SEQ_OLD);

    fabric_seq_window_restart(&w, 5);
    CHECK_EQ(fabric_seq_window_add(&w, 5), FABRIC_SEQ_SEEN);
    CHECK_EQ(fabric_seq_window_add(&w, 4), FABRIC_SEQ_NEW);
    CHECK_EQ(fabric_seq_window_add(&w, 6), FABRIC_SEQ_NEW);
}

/* Whatever is lost, duplicated and reordered within the window, each number
 * counts once. */
static void
test_copies(void)
{
    struct fabric_seq_window w = { .any = false };
    bool arrived[5000] = { false };
    size_t n_new = 0, n_arrived = 0;
    uint32_t base = random_uint32();

    for (size_t i = 0; i < 4 * ARRAY_SIZE(arrived); i++) {
        size_t latest = MIN(i / 4, ARRAY_SIZE(arrived) - 1);
        size_t late = random_range(FABRIC_SEQ_WINDOW / 2);
        size_t j = latest - MIN(latest, late);

        n_new += fabric_seq_window_add(&w, base + j) == FABRIC_SEQ_NEW;
        n_arrived += !arrived[j];
        arrived[j] = true;
    }
    CHECK_EQ(n_new, n_arrived);
}

static void
test_fabric_seq_window_main(int argc OVS_UNUSED, char *argv[] OVS_UNUSED)
{
    random_set_seed(1);
    test_order();
    test_copies();
}

OVSTEST_REGISTER("test-fabric-seq-window", test_fabric_seq_window_main);
