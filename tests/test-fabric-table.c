/* SPDX-License-Identifier: Apache-2.0 */

/* Unit tests of the path table: the promises that its header makes about how
 * flows spread and which of them move. */

#include <config.h>
#undef NDEBUG
#include "fabric-table.h"

#include <assert.h>

#include "ovstest.h"
#include "packets.h"
#include "random.h"
#include "util.h"

#define MAX_PATHS FABRIC_MAX_PATHS_PER_ENDPOINT

struct fixture {
    uint32_t endpoint;
    uint32_t paths[MAX_PATHS];
    size_t n;
};

static void
add_path(struct fixture *x)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct in6_addr local, remote;

    in6_addr_set_mapped_ipv4(&local, htonl(0x0a000001));
    in6_addr_set_mapped_ipv4(&remote, htonl(0x0a000100 + x->n));
    x->paths[x->n] = fabric_table_alloc_path(x->endpoint, &local, &remote,
                                             50000 + x->n, 4789);
    assert(x->paths[x->n] != FABRIC_TABLE_NONE);
    x->n++;
    fabric_table_set_paths(x->endpoint, x->paths, x->n);
}

static void
remove_path(struct fixture *x, size_t i)
    OVS_REQUIRES(fabric_table_mutex)
{
    uint32_t path = x->paths[i];

    memmove(&x->paths[i], &x->paths[i + 1],
            (x->n - i - 1) * sizeof *x->paths);
    x->n--;
    fabric_table_set_paths(x->endpoint, x->paths, x->n);
    fabric_table_free_path(path);
}

static void
snapshot(const struct fixture *x, uint32_t slots[FABRIC_TABLE_SLOTS])
{
    for (uint32_t i = 0; i < FABRIC_TABLE_SLOTS; i++) {
        slots[i] = fabric_table_select(x->endpoint,
                                       i << FABRIC_TABLE_HASH_SHIFT);
    }
}

static size_t
count_moved(const uint32_t a[], const uint32_t b[])
{
    size_t n = 0;

    for (size_t i = 0; i < FABRIC_TABLE_SLOTS; i++) {
        n += a[i] != b[i];
    }
    return n;
}

static void
check_even(const struct fixture *x)
{
    size_t share = FABRIC_TABLE_SLOTS / x->n;
    size_t total = 0;

    for (size_t i = 0; i < x->n; i++) {
        size_t n = fabric_table_count_slots(x->paths[i]);

        if (n != share && n != share + 1) {
            ovs_fatal(0, "%"PRIuSIZE" paths: path %"PRIuSIZE" has %"PRIuSIZE
                      " slots", x->n, i, n);
        }
        total += n;
    }
    assert(total == FABRIC_TABLE_SLOTS);
}

/* Adding and removing paths keeps the spread even and moves no more slots than
 * that takes. */
static void
test_spread(void)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fixture x = { .endpoint = fabric_table_alloc_endpoint() };
    uint32_t before[FABRIC_TABLE_SLOTS], after[FABRIC_TABLE_SLOTS];

    assert(fabric_table_select(x.endpoint, 0) == FABRIC_TABLE_NONE);
    while (x.n < MAX_PATHS) {
        snapshot(&x, before);
        add_path(&x);
        snapshot(&x, after);
        check_even(&x);
        assert(count_moved(before, after) <= FABRIC_TABLE_SLOTS / x.n + 1);
    }
    while (x.n > 1) {
        size_t victim = x.n / 2;
        size_t had = fabric_table_count_slots(x.paths[victim]);

        snapshot(&x, before);
        remove_path(&x, victim);
        snapshot(&x, after);
        check_even(&x);
        /* Its own slots, and at most the odd ones. */
        assert(count_moved(before, after)
               <= had + FABRIC_TABLE_SLOTS % x.n);
    }
    remove_path(&x, 0);
    assert(fabric_table_select(x.endpoint, UINT32_MAX) == FABRIC_TABLE_NONE);
    fabric_table_free_endpoint(x.endpoint);
}

/* Only the flows of a dead path move, and they come back. */
static void
test_failure(void)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fixture x = { .endpoint = fabric_table_alloc_endpoint() };
    uint32_t before[FABRIC_TABLE_SLOTS], after[FABRIC_TABLE_SLOTS];
    uint32_t n_usable;

    while (x.n < 8) {
        add_path(&x);
    }
    snapshot(&x, before);
    for (size_t victim = 0; victim < x.n; victim++) {
        fabric_table_set_state(x.paths[victim], FABRIC_PATH_DOWN);
        snapshot(&x, after);
        for (size_t i = 0; i < FABRIC_TABLE_SLOTS; i++) {
            if (before[i] == x.paths[victim]) {
                assert(after[i] != x.paths[victim]);
            } else {
                assert(after[i] == before[i]);
            }
        }
        assert(!fabric_table_count_slots(x.paths[victim]));
        fabric_table_set_state(x.paths[victim], FABRIC_PATH_UP);
        snapshot(&x, after);
        assert(!count_moved(before, after));
    }

    /* Down to one path: it carries all; then none: back to the homes. */
    for (size_t i = 1; i < x.n; i++) {
        fabric_table_set_state(x.paths[i], FABRIC_PATH_DRAINED);
    }
    assert(fabric_table_count_slots(x.paths[0]) == FABRIC_TABLE_SLOTS);
    fabric_table_set_state(x.paths[0], FABRIC_PATH_DOWN);
    snapshot(&x, after);
    assert(!count_moved(before, after));
    atomic_read_relaxed(&fabric_table_endpoints[x.endpoint].n_usable,
                        &n_usable);
    assert(!n_usable);
    fabric_table_set_paths(x.endpoint, NULL, 0);
    fabric_table_free_endpoint(x.endpoint);
}

/* Flows of a dead path avoid suspects while there is another way, and stay
 * where they went. */
static void
test_suspects(void)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fixture x = { .endpoint = fabric_table_alloc_endpoint() };
    uint32_t before[FABRIC_TABLE_SLOTS], after[FABRIC_TABLE_SLOTS];

    while (x.n < 8) {
        add_path(&x);
    }
    for (size_t i = 1; i < 5; i++) {
        fabric_table_set_suspect(x.paths[i], true);
    }
    fabric_table_set_state(x.paths[0], FABRIC_PATH_DOWN);
    for (size_t i = 1; i < x.n; i++) {
        unsigned int n = fabric_table_count_slots(x.paths[i]);

        assert(i < 5 ? n == FABRIC_TABLE_SLOTS / 8
               : n > FABRIC_TABLE_SLOTS / 8);
    }

    /* No suspicion is left, and another path goes and comes back. */
    for (size_t i = 1; i < 5; i++) {
        fabric_table_set_suspect(x.paths[i], false);
    }
    snapshot(&x, before);
    fabric_table_set_state(x.paths[1], FABRIC_PATH_DOWN);
    snapshot(&x, after);
    for (size_t i = 0; i < FABRIC_TABLE_SLOTS; i++) {
        assert((before[i] == x.paths[1]) == (before[i] != after[i]));
    }
    fabric_table_set_state(x.paths[1], FABRIC_PATH_UP);
    snapshot(&x, after);
    assert(!count_moved(before, after));

    /* Suspects are better than nothing. */
    for (size_t i = 2; i < x.n; i++) {
        fabric_table_set_state(x.paths[i], FABRIC_PATH_DOWN);
    }
    fabric_table_set_suspect(x.paths[1], true);
    fabric_table_set_state(x.paths[7], FABRIC_PATH_DRAINED);
    assert(fabric_table_count_slots(x.paths[1]) == FABRIC_TABLE_SLOTS);
    fabric_table_set_paths(x.endpoint, NULL, 0);
    fabric_table_free_endpoint(x.endpoint);
}

/* Number of slots that point to each of the paths of 'x'. */
static void
count_all(const struct fixture *x, unsigned int counts[MAX_PATHS])
{
    for (size_t i = 0; i < x->n; i++) {
        counts[i] = fabric_table_count_slots(x->paths[i]);
    }
}

/* Asserts that of the slots in 'before' and 'after' only those moved that
 * pointed to 'path', or that only those moved that point there now. */
static void
check_moves(const uint32_t before[], const uint32_t after[], uint32_t path,
            bool from)
{
    for (size_t i = 0; i < FABRIC_TABLE_SLOTS; i++) {
        if (before[i] != after[i]) {
            assert((from ? before : after)[i] == path);
        }
    }
}

static void
free_fixture(struct fixture *x)
    OVS_REQUIRES(fabric_table_mutex)
{
    fabric_table_set_paths(x->endpoint, NULL, 0);
    for (size_t i = 0; i < x->n; i++) {
        fabric_table_free_path(x->paths[i]);
    }
    fabric_table_free_endpoint(x->endpoint);
}

/* A path keeps its share of its homes, to the slot, whatever the number of
 * paths; only its flows move, evenly enough, and all return. */
static void
test_weights(void)
    OVS_REQUIRES(fabric_table_mutex)
{
    for (size_t n = 2; n <= 64; n *= 2) {
        struct fixture x = { .endpoint = fabric_table_alloc_endpoint() };
        uint32_t start[FABRIC_TABLE_SLOTS], before[FABRIC_TABLE_SLOTS],
            after[FABRIC_TABLE_SLOTS];
        size_t share = FABRIC_TABLE_SLOTS / n;

        while (x.n < n) {
            add_path(&x);
        }
        snapshot(&x, start);
        memcpy(before, start, sizeof before);
        for (int weight = FABRIC_TABLE_FULL_WEIGHT; weight >= 0; weight--) {
            unsigned int counts[MAX_PATHS];
            size_t kept = (share * weight + 128) / 256;

            fabric_table_set_weight(x.paths[1], weight);
            assert(fabric_table_get_weight(x.paths[1]) == weight);
            snapshot(&x, after);
            check_moves(before, after, x.paths[1], true);
            count_all(&x, counts);
            assert(counts[1] == kept);
            for (size_t i = 0; i < n; i++) {
                assert(i == 1 || (counts[i] >= share
                                  && counts[i] <= 2 * share));
            }
            memcpy(before, after, sizeof before);
        }
        for (int weight = 0; weight <= FABRIC_TABLE_FULL_WEIGHT; weight++) {
            fabric_table_set_weight(x.paths[1], weight);
            snapshot(&x, after);
            check_moves(before, after, x.paths[1], false);
            memcpy(before, after, sizeof before);
        }
        assert(!count_moved(start, after));
        free_fixture(&x);
    }
}

/* Weights count relative to the highest of a usable path. */
static void
test_relative_weights(void)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fixture x = { .endpoint = fabric_table_alloc_endpoint() };
    uint32_t before[FABRIC_TABLE_SLOTS], after[FABRIC_TABLE_SLOTS];

    while (x.n < 4) {
        add_path(&x);
    }
    snapshot(&x, before);
    for (unsigned int weight = 0; weight <= 64; weight += 32) {
        for (size_t i = 0; i < x.n; i++) {
            fabric_table_set_weight(x.paths[i], weight);
        }
        snapshot(&x, after);
        assert(!count_moved(before, after));
    }

    /* Half of the highest, although all are low. */
    fabric_table_set_weight(x.paths[2], 32);
    assert(fabric_table_count_slots(x.paths[2]) == 32);
    fabric_table_set_weight(x.paths[2], 1000);
    assert(fabric_table_get_weight(x.paths[2]) == FABRIC_TABLE_FULL_WEIGHT);
    assert(fabric_table_count_slots(x.paths[2]) == 64 + 3 * 48);
    free_fixture(&x);
}

/* Weights and states together: a path that was left is a refuge only from
 * paths that are not usable, and flows of those prefer what is best. */
static void
test_weights_and_states(void)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fixture x = { .endpoint = fabric_table_alloc_endpoint() };
    uint32_t start[FABRIC_TABLE_SLOTS], before[FABRIC_TABLE_SLOTS],
        after[FABRIC_TABLE_SLOTS];

    while (x.n < 4) {
        add_path(&x);
    }
    snapshot(&x, start);

    /* A dead path's flows avoid those of less than full weight. */
    fabric_table_set_weight(x.paths[0], 0);
    fabric_table_set_state(x.paths[0], FABRIC_PATH_DEGRADED);
    fabric_table_set_weight(x.paths[1], 64);
    snapshot(&x, before);
    fabric_table_set_state(x.paths[2], FABRIC_PATH_DOWN);
    snapshot(&x, after);
    check_moves(before, after, x.paths[2], true);
    assert(!fabric_table_count_slots(x.paths[0]));
    assert(fabric_table_count_slots(x.paths[1]) == 16);
    assert(fabric_table_count_slots(x.paths[3]) == 240);

    /* What is left counts as full; weight 0 stays the last resort. */
    fabric_table_set_state(x.paths[3], FABRIC_PATH_DRAINED);
    assert(fabric_table_count_slots(x.paths[1]) == 256);
    fabric_table_set_state(x.paths[1], FABRIC_PATH_DOWN);
    assert(fabric_table_count_slots(x.paths[0]) == 256);

    /* It dies, too: home, all of them. */
    fabric_table_set_state(x.paths[0], FABRIC_PATH_DOWN);
    snapshot(&x, after);
    assert(!count_moved(start, after));

    /* A path that comes back with a weight takes no more than that. */
    fabric_table_set_state(x.paths[3], FABRIC_PATH_UP);
    snapshot(&x, before);
    fabric_table_set_state(x.paths[1], FABRIC_PATH_DEGRADED);
    snapshot(&x, after);
    check_moves(before, after, x.paths[1], false);
    assert(fabric_table_count_slots(x.paths[1]) == 16);

    /* A suspect is worse than a path that is bad, except one that was
     * left. */
    fabric_table_set_state(x.paths[0], FABRIC_PATH_DEGRADED);
    fabric_table_set_suspect(x.paths[3], true);
    fabric_table_set_state(x.paths[2], FABRIC_PATH_UP);
    fabric_table_set_suspect(x.paths[2], true);
    snapshot(&x, before);
    fabric_table_set_state(x.paths[2], FABRIC_PATH_DOWN);
    snapshot(&x, after);
    for (size_t i = 0; i < FABRIC_TABLE_SLOTS; i++) {
        assert(after[i] != x.paths[0] && after[i] != x.paths[2]);
        assert(start[i] != x.paths[2] || after[i] == x.paths[1]);
    }

    /* All is well again. */
    fabric_table_set_suspect(x.paths[2], false);
    fabric_table_set_suspect(x.paths[3], false);
    for (size_t i = 0; i < x.n; i++) {
        fabric_table_set_weight(x.paths[i], FABRIC_TABLE_FULL_WEIGHT);
        fabric_table_set_state(x.paths[i], FABRIC_PATH_UP);
    }
    snapshot(&x, after);
    assert(!count_moved(start, after));
    free_fixture(&x);
}

/* Random changes: every slot always points to a path that may have it, and in
 * the end everything is where it was. */
static void
test_random_changes(void)
    OVS_REQUIRES(fabric_table_mutex)
{
    static const enum fabric_path_state states[] = {
        FABRIC_PATH_UP, FABRIC_PATH_UP, FABRIC_PATH_DEGRADED,
        FABRIC_PATH_DOWN, FABRIC_PATH_DRAINED,
    };
    struct fixture x = { .endpoint = fabric_table_alloc_endpoint() };
    uint32_t start[FABRIC_TABLE_SLOTS], now[FABRIC_TABLE_SLOTS];

    random_set_seed(1);
    while (x.n < 8) {
        add_path(&x);
    }
    snapshot(&x, start);
    for (int round = 0; round < 5000; round++) {
        uint32_t path = x.paths[random_range(x.n)];
        bool any_usable = false, any_weight = false;

        if (random_range(2)) {
            fabric_table_set_weight(path, random_range(5) * 64);
        } else {
            fabric_table_set_state(path,
                                   states[random_range(ARRAY_SIZE(states))]);
        }
        for (size_t i = 0; i < x.n; i++) {
            bool usable = fabric_path_state_is_usable(
                fabric_table_get_state(x.paths[i]));

            any_usable |= usable;
            any_weight |= usable && fabric_table_get_weight(x.paths[i]);
        }
        snapshot(&x, now);
        for (size_t i = 0; i < FABRIC_TABLE_SLOTS; i++) {
            assert(!any_usable || fabric_path_state_is_usable(
                       fabric_table_get_state(now[i])));
            assert(!any_weight || fabric_table_get_weight(now[i]));
        }
    }
    for (size_t i = 0; i < x.n; i++) {
        fabric_table_set_weight(x.paths[i], FABRIC_TABLE_FULL_WEIGHT);
        fabric_table_set_state(x.paths[i], FABRIC_PATH_UP);
    }
    snapshot(&x, now);
    assert(!count_moved(start, now));
    free_fixture(&x);
}

static void
test_fabric_table_main(int argc OVS_UNUSED, char *argv[] OVS_UNUSED)
{
    fabric_table_init();
    ovs_mutex_lock(&fabric_table_mutex);
    test_spread();
    test_failure();
    test_suspects();
    test_weights();
    test_relative_weights();
    test_weights_and_states();
    test_random_changes();
    ovs_mutex_unlock(&fabric_table_mutex);
}

OVSTEST_REGISTER("test-fabric-table", test_fabric_table_main);
