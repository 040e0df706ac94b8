/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-choice.h"

#include <stdlib.h>

#include "fabric-table.h"
#include "util.h"

/* The severity of a path that is left is at least so many times, in tenths,
 * that of what remains. */
#define LEAVE 20
#define STAY_LEFT 13

/* Severity of a degraded path in units that are comparable with others. */
static uint64_t
claim(const struct fabric_choice *c)
{
    bool is_left = c->weight < FABRIC_TABLE_FULL_WEIGHT;

    return ((uint64_t) c->health->severity
            * (is_left ? 10 * LEAVE : 10 * STAY_LEFT));
}

static int
compare_claims(const void *a_, const void *b_)
{
    const struct fabric_choice *const *a = a_;
    const struct fabric_choice *const *b = b_;

    return (claim(*a) != claim(*b) ? (claim(*a) < claim(*b) ? 1 : -1)
            : *a < *b ? -1 : *a > *b);
}

/* Returns how many of the 'n_bad' paths in 'bad', the worst first, to leave,
 * where all 'n' usable paths have 'severity' together. */
static size_t
count_left(struct fabric_choice *const bad[], size_t n_bad, size_t n,
           uint64_t severity)
{
    size_t n_left = 0;

    for (size_t i = 0; i < n_bad && i < n / 2; i++) {
        severity -= bad[i]->health->severity;
        if (claim(bad[i]) * (n - i - 1)
            >= LEAVE * STAY_LEFT * severity) {
            n_left = i + 1;
        }
    }
    return n_left;
}

bool
fabric_choice_make(const struct fabric_health_config *config,
                   struct fabric_choice choices[], size_t n)
{
    struct fabric_choice **bad = xmalloc(MAX(n, 1) * sizeof *bad);
    unsigned int *weights = xcalloc(MAX(n, 1), sizeof *weights);
    size_t n_usable = 0, n_bad = 0, n_left;
    uint64_t severity = 0;
    bool changed = false;

    for (size_t i = 0; i < n; i++) {
        struct fabric_choice *c = &choices[i];

        weights[i] = c->usable ? FABRIC_TABLE_FULL_WEIGHT : c->weight;
        if (c->usable) {
            n_usable++;
            severity += c->health->severity;
            if (fabric_health_is_to_leave(c->health)) {
                bad[n_bad++] = c;
            }
        }
    }
    if (n_bad) {
        qsort(bad, n_bad, sizeof *bad, compare_claims);
    }
    n_left = count_left(bad, n_bad, n_usable, severity);
    for (size_t i = 0; i < n_left; i++) {
        weights[bad[i] - choices]
            = (bad[i]->health->reasons == 1u << FABRIC_HEALTH_CE
               ? config->weight_ce : config->weight);
    }

    for (size_t i = 0; i < n; i++) {
        changed |= choices[i].weight != weights[i];
        choices[i].weight = weights[i];
    }
    free(weights);
    free(bad);
    return changed;
}
