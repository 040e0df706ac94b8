/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-kern-lease.h"

#include <time.h>

#include "fabric-kern-sync.h"
#include "fabric-kern.h"
#include "fabric-private.h"
#include "openvswitch/poll-loop.h"
#include "timeval.h"
#include "util.h"

/* A lease is renewed four times in its length, and at least so often (ms) that
 * nearly all of it is left whenever a process ends. */
#define MAX_INTERVAL 10000

static long long int next_renewal = LLONG_MIN;
static uint64_t generation;     /* Of the registry at the last renewal. */

/* Returns the longest lease of all fabrics that use the programs, which they
 * share, in seconds; 0 if one of them has none. */
static unsigned int
longest_lease(void)
{
    unsigned int longest = 1;
    const struct fabric *f;
    bool any = false;

    CMAP_FOR_EACH (f, name_node, &fabrics_by_name) {
        bool fast_path;

        atomic_read_relaxed(&f->fast_path, &fast_path);
        if (fast_path) {
            if (!f->lease) {
                return 0;
            }
            longest = MAX(longest, f->lease);
            any = true;
        }
    }
    return any ? longest : FABRIC_DEFAULT_LEASE;
}

void
fabric_kern_lease_renew(void)
{
    unsigned int lease = longest_lease();
    uint64_t end = 0;

    if (!fabric_kern_is_ours()) {
        return;
    }
    if (lease) {
        struct timespec now;

        /* The kernel's, not that which tests stop. */
        xclock_gettime(CLOCK_MONOTONIC, &now);
        end = (now.tv_sec + lease) * UINT64_C(1000000000) + now.tv_nsec;
    }
    *(volatile uint64_t *) &fabric_kern_conf()->lease_end = end;
    generation = fabric_registry_generation();
    next_renewal = (lease ? time_msec() + MIN(lease * 250LL, MAX_INTERVAL)
                    : LLONG_MAX);
}

void
fabric_kern_lease_wait(void)
{
    if (!fabric_kern_is_active()) {
        return;
    }
    if (time_msec() >= next_renewal
        || generation != fabric_registry_generation()) {
        fabric_kern_lease_renew();
    }
    if (next_renewal != LLONG_MAX) {
        poll_timer_wait_until(next_renewal);
    }
}
