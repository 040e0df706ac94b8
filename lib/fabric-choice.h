/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_CHOICE_H
#define FABRIC_CHOICE_H 1

/* Which degraded paths of an endpoint traffic leaves.
 * ===================================================
 *
 * The worst go first, as many as are at least twice as bad as what remains is
 * on average.  So what ails all paths moves nothing, for there is nowhere
 * better to go.  What gets lost on the way back is the peer's to leave, whose
 * paths have source ports of their own.  At least half of the usable paths,
 * rounded up, keep full weight: they have to carry the load.  A path that was
 * left already stays so while it is 1.3 times as bad, so that similar paths do
 * not take turns.
 *
 * Thread-safety: pure functions, any thread. */

#include <stdbool.h>
#include <stddef.h>
#include "fabric-health.h"

/* One path of an endpoint. */
struct fabric_choice {
    const struct fabric_health *health;
    bool usable;                /* Only these count and are changed. */
    unsigned int weight;        /* fabric-table.h: as it is, then as it should
                                 * be. */
};

/* Decides about the weights of the 'n' paths of an endpoint, in any order.
 * Returns true if one changed. */
bool fabric_choice_make(const struct fabric_health_config *,
                        struct fabric_choice[], size_t n);

#endif /* fabric-choice.h */
