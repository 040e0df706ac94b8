/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-grade.h"

#include <stdlib.h>

#include "fabric-choice.h"
#include "fabric-private.h"
#include "timeval.h"
#include "util.h"

/* Sets the weights as decided, raising some before lowering others, so that no
 * flow moves twice. */
static void
apply(const struct fabric_endpoint *ep, const struct fabric_choice choices[])
    OVS_REQUIRES(fabric_table_mutex)
{
    for (int lower = 0; lower < 2; lower++) {
        for (size_t i = 0; i < ep->n_paths; i++) {
            uint32_t index = ep->paths[i]->index;
            unsigned int old = fabric_table_get_weight(index);

            if (lower ? choices[i].weight < old : choices[i].weight > old) {
                fabric_table_set_weight(index, choices[i].weight);
            }
        }
    }
}

static uint32_t
needed_size(const struct fabric_endpoint *ep)
{
    uint32_t needed;

    atomic_read_relaxed(&fabric_table_endpoints[ep->index].needed, &needed);
    return needed;
}

/* Takes the paths on which what is sent to 'ep' does not fit out of the
 * choice, if it fits on others.  Returns true if that is a change. */
static bool
leave_narrow(const struct fabric_endpoint *ep, struct fabric_choice choices[])
    OVS_REQUIRES(fabric_table_mutex)
{
    uint32_t needed = needed_size(ep);
    bool any_wide = false, changed = false;

    for (size_t i = 0; needed && i < ep->n_paths; i++) {
        any_wide |= (choices[i].usable
                     && fabric_table_fits(ep->paths[i]->index, needed));
    }
    for (size_t i = 0; any_wide && i < ep->n_paths; i++) {
        if (!fabric_table_fits(ep->paths[i]->index, needed)) {
            changed |= choices[i].weight != 0;
            choices[i].usable = false;
            choices[i].weight = 0;
        }
    }
    return changed;
}

static void
choose(const struct fabric_endpoint *ep)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_choice *choices;
    bool changed;

    if (!ep->n_paths) {
        return;
    }
    choices = xmalloc(ep->n_paths * sizeof *choices);
    for (size_t i = 0; i < ep->n_paths; i++) {
        const struct fabric_path *path = ep->paths[i];

        choices[i] = (struct fabric_choice) {
            .health = &path->health,
            .usable = fabric_table_is_usable(path->index),
            .weight = fabric_table_get_weight(path->index),
        };
    }
    changed = leave_narrow(ep, choices);
    if (fabric_choice_make(&ep->fabric->health, choices, ep->n_paths)
        || changed) {
        apply(ep, choices);
    }
    free(choices);
}

void
fabric_grade_path(struct fabric_path *path)
{
    if (fabric_health_check(&path->health, &path->endpoint->fabric->health,
                            time_usec())) {
        fabric_path_refresh(path);
        fabric_endpoint_changed(path->endpoint);
        choose(path->endpoint);
    }
}

static int
compare_levels(const void *a_, const void *b_)
{
    const int32_t *a = a_;
    const int32_t *b = b_;

    return *a < *b ? -1 : *a > *b;
}

/* Tells each path the median of the round trips of the others. */
static void
compare_rtts(struct fabric_endpoint *ep)
    OVS_REQUIRES(fabric_table_mutex)
{
    int32_t levels[FABRIC_MAX_PATHS_PER_ENDPOINT];
    size_t n = 0;

    for (size_t i = 0; i < ep->n_paths; i++) {
        const struct fabric_path *path = ep->paths[i];

        if (path->health.rtt.level >= 0
            && fabric_table_is_usable(path->index)) {
            levels[n++] = path->health.rtt.level;
        }
    }
    qsort(levels, n, sizeof *levels, compare_levels);
    for (size_t i = 0; i < ep->n_paths; i++) {
        struct fabric_path *path = ep->paths[i];

        /* The path's own level is among them, above or below the median: the
         * median of the rest is next to it. */
        fabric_rtt_set_others(&path->health.rtt,
                              n < 2 ? -1
                              : path->health.rtt.level <= levels[(n - 1) / 2]
                              ? levels[n / 2] : levels[(n - 1) / 2]);
    }
}

void
fabric_grade_endpoint(struct fabric_endpoint *ep)
{
    bool any = needed_size(ep);

    compare_rtts(ep);
    for (size_t i = 0; i < ep->n_paths; i++) {
        struct fabric_path *path = ep->paths[i];

        fabric_grade_path(path);
        any |= (fabric_health_is_degraded(&path->health)
                || (fabric_table_get_weight(path->index)
                    < FABRIC_TABLE_FULL_WEIGHT));
    }
    if (any) {
        choose(ep);
    }
}
