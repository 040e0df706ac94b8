/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_COVER_H
#define FABRIC_COVER_H 1

/* Which source ports to use, of those whose route is known.
 * =========================================================
 *
 * The fewest that cross every router which any port crosses, then one for each
 * route that is different still, as far as there is room.  A port that is in
 * use is preferred to one that would do as well, since its flows need not
 * move.
 *
 * Routes on which the remote was not reached are not covered while there are
 * others.  Ports of such routes are kept while there is room: the route may
 * come back.
 *
 * Thread-safety: pure function, any thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "fabric-types.h"

struct fabric_cover_port {
    const struct fabric_hops *hops;
    bool current;               /* In use? */
    bool chosen;                /* Out. */
};

/* Is every router of every port known, and every remote reached? */
bool fabric_cover_is_complete(const struct fabric_cover_port[], size_t n);

/* Chooses among 'n' ports.  At most 'max' are chosen and, if there are so
 * many, at least 'min'. */
void fabric_cover(struct fabric_cover_port[], size_t n, size_t min,
                  size_t max);

/* Number of different routes, as far as known. */
size_t fabric_cover_count_routes(const struct fabric_cover_port[], size_t n);

#endif /* fabric-cover.h */
