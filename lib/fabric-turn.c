/* SPDX-License-Identifier: Apache-2.0 */

/* The rest of the process does not know that it waits, so it waits for
 * BUDGET_US at most.  Whatever was to wake the main loop up by then may have
 * woken us instead: after sleeping here the main loop does not sleep before it
 * has asked everyone once. */

#include <config.h>
#include "fabric-turn.h"

#include <time.h>

#include "coverage.h"
#include "dpif.h"
#include "fabric-hooks.h"
#include "fabric-private.h"
#include "openvswitch/poll-loop.h"
#include "ovs-thread.h"
#include "timeval.h"
#include "util.h"

COVERAGE_DEFINE(fabric_turn_again);
COVERAGE_DEFINE(fabric_turn_sleep);

/* How long the rest of the process may wait for its turn, and to the
 * millisecond how long to sleep for more packets. */
#define BUDGET_US 1000
#define SLEEP_MS 1

/* Has this thread received packets since it last looked? */
DEFINE_STATIC_PER_THREAD_DATA(bool, received, false);

void
fabric_turn_received(void)
{
    *received_get() = true;
}

/* Real time: time_msec() stands still in tests that stop it. */
static long long int
now_us(void)
{
    struct timespec ts;

    xclock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000LL * 1000 + ts.tv_nsec / 1000;
}

static bool
run_once(struct dpif *dpif, bool (*run)(struct dpif *), bool *any)
{
    bool *flag = received_get();
    bool changed;

    *flag = false;
    changed = run(dpif);
    *any = *flag;
    return changed;
}

bool
fabric_dpif_run(struct dpif *dpif, bool (*run)(struct dpif *))
{
    bool slept_last = false, slept = false;
    long long int end;
    bool changed, any;

    changed = run_once(dpif, run, &any);
    if (OVS_LIKELY(!any) || cmap_is_empty(&fabrics_by_name)) {
        return changed;
    }

    end = now_us() + BUDGET_US;
    while (!changed && (any || !slept_last) && now_us() < end) {
        slept_last = !any;
        if (slept_last) {
            COVERAGE_INC(fabric_turn_sleep);
            dpif_wait(dpif);
            poll_timer_wait(SLEEP_MS);
            poll_block();
            slept = true;
        }
        COVERAGE_INC(fabric_turn_again);
        changed = run_once(dpif, run, &any);
    }
    if (slept) {
        poll_immediate_wake();
    }
    return changed;
}
