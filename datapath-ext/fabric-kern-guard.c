/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-kern-guard.h"

#include "fabric-channel.h"
#include "fabric-kern-underlay.h"
#include "fabric-kern-watch.h"
#include "fabric-kern.h"
#include "netdev-workload.h"
#include "openvswitch/poll-loop.h"
#include "timeval.h"
#include "util.h"

/* Somebody may touch the channel again and again. */
#define MEND_INTERVAL 50        /* ms. */

static bool channel_touched;
static long long int next_mend;

static void
touch_interface(uint32_t ifindex)
{
    if (ifindex == fabric_channel_ifindex()) {
        channel_touched = true;
    }
    fabric_kern_underlay_touched(ifindex);
    netdev_workload_touched(ifindex);
}

static void
touch_foreign(uint32_t nsid, uint32_t ifindex)
{
    netdev_workload_peer_touched(nsid, ifindex);
}

static void
touch_all(void)
{
    channel_touched = true;
    fabric_kern_underlay_touched(0);
    netdev_workload_touched(0);
}

bool
fabric_kern_guard_run(void)
{
    static const struct fabric_kern_watcher watcher = {
        .interface = touch_interface,
        .foreign = touch_foreign,
        .all = touch_all,
    };
    int error = 0;

    fabric_kern_watch_run(&watcher);
    if ((channel_touched || fabric_channel_is_broken())
        && time_msec() >= next_mend) {
        channel_touched = false;
        next_mend = time_msec() + MEND_INTERVAL;
        error = fabric_channel_mend();
        fabric_kern_conf()->channel = fabric_channel_ifindex();
    }
    fabric_kern_underlay_run();
    netdev_workload_run();
    return !error;
}

void
fabric_kern_guard_wait(void)
{
    fabric_kern_watch_wait();
    fabric_kern_underlay_wait();
    netdev_workload_wait();
    if (channel_touched || fabric_channel_is_broken()) {
        poll_timer_wait_until(next_mend);
    }
}
