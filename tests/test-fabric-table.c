/* SPDX-License-Identifier: Apache-2.0 */

/* Unit tests of the path table: the promises that its header makes about how
 * flows spread and which of them move. */

#include <config.h>
#undef NDEBUG
#include "fabric-table.h"

#include <assert.h>

#include "ovstest.h"
#include "packets.h"
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

static void
test_fabric_table_main(int argc OVS_UNUSED, char *argv[] OVS_UNUSED)
{
    fabric_table_init();
    ovs_mutex_lock(&fabric_table_mutex);
    test_spread();
    test_failure();
    test_suspects();
    ovs_mutex_unlock(&fabric_table_mutex);
}

OVSTEST_REGISTER("test-fabric-table", test_fabric_table_main);
