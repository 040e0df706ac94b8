/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-plan.h"

#include "openvswitch/shash.h"
#include "util.h"

/* Refusing a row that holds something may deprive a row that was granted that
 * before, so the decision then starts over.  Each start refuses one more row,
 * so there are at most 'n' of them, and only one if no row holds anything. */

void
fabric_plan_row_init(struct fabric_plan_row *row)
{
    *row = (struct fabric_plan_row) { .refused = false };
    sset_init(&row->held);
    sset_init(&row->wanted);
}

void
fabric_plan_row_destroy(struct fabric_plan_row *row)
{
    sset_destroy(&row->held);
    sset_destroy(&row->wanted);
}

static void
claim(struct shash *holders, const struct sset *claims,
      struct fabric_plan_row *row)
{
    const char *s;

    SSET_FOR_EACH (s, claims) {
        shash_add_once(holders, s, row);
    }
}

/* Grants 'row' what it wants, or refuses it and returns false. */
static bool
grant(struct shash *holders, struct fabric_plan_row rows[],
      struct fabric_plan_row *row)
{
    const char *s;

    SSET_FOR_EACH (s, &row->wanted) {
        struct fabric_plan_row *holder = shash_find_data(holders, s);
        if (holder && holder != row) {
            row->refused = true;
            row->contested = s;
            row->holder = holder - rows;
            return false;
        }
    }
    claim(holders, &row->wanted, row);
    return true;
}

static bool
plan_once(struct fabric_plan_row rows[], const bool *unchanged, size_t n)
{
    struct shash holders = SHASH_INITIALIZER(&holders);
    bool done = true;

    for (size_t i = 0; i < n; i++) {
        if (rows[i].refused || unchanged[i]) {
            claim(&holders, &rows[i].held, &rows[i]);
        }
    }
    for (size_t i = 0; i < n && done; i++) {
        if (!rows[i].refused && !unchanged[i]) {
            done = (grant(&holders, rows, &rows[i])
                    || sset_is_empty(&rows[i].held));
        }
    }
    shash_destroy(&holders);
    return done;
}

void
fabric_plan(struct fabric_plan_row rows[], size_t n)
{
    bool *unchanged = xmalloc(n * sizeof *unchanged);

    for (size_t i = 0; i < n; i++) {
        unchanged[i] = (!rows[i].refused
                        && sset_equals(&rows[i].held, &rows[i].wanted));
    }
    while (!plan_once(rows, unchanged, n)) {
        continue;
    }
    free(unchanged);
}
