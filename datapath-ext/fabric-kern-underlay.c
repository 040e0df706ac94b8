/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-kern-underlay.h"

#include <net/if.h>
#include <stdbool.h>

#include "fabric-filters.h"
#include "fabric-kern-tc.h"
#include "fabric-kern.h"
#include "hash.h"
#include "netdev-workload.h"
#include "openvswitch/hmap.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(fabric_kern_underlay);

/* Interfaces with the program. */
struct underlay {
    struct hmap_node node;
    uint32_t ifindex;
    bool wanted;
    bool touched;               /* Is it to be looked at? */
};
static struct hmap underlays = HMAP_INITIALIZER(&underlays);

/* Others may touch it as often as they like. */
#define LOOK_INTERVAL 50        /* ms. */
static bool any_touched;
static long long int next_look;

static struct underlay *
find_underlay(uint32_t ifindex)
{
    struct underlay *u;

    HMAP_FOR_EACH_WITH_HASH (u, node, hash_int(ifindex, 0), &underlays) {
        if (u->ifindex == ifindex) {
            return u;
        }
    }
    return NULL;
}

void
fabric_kern_underlay_begin(void)
{
    struct underlay *u;

    HMAP_FOR_EACH (u, node, &underlays) {
        u->wanted = false;
    }
}

void
fabric_kern_underlay_want(uint32_t ifindex)
{
    struct underlay *u = find_underlay(ifindex);

    if (!u) {
        if (netdev_workload_has_ifindex(ifindex)
            || fabric_kern_attach(ifindex, FABRIC_KERN_FROM_UNDERLAY)) {
            return;
        }
        u = xmalloc(sizeof *u);
        u->ifindex = ifindex;
        u->touched = false;
        hmap_insert(&underlays, &u->node, hash_int(ifindex, 0));
    }
    u->wanted = true;
}

static void
remove_underlay(struct underlay *u)
{
    fabric_kern_detach(u->ifindex);
    hmap_remove(&underlays, &u->node);
    free(u);
}

void
fabric_kern_underlay_end(void)
{
    struct underlay *u;

    HMAP_FOR_EACH_SAFE (u, node, &underlays) {
        if (!u->wanted) {
            remove_underlay(u);
        }
    }
}

static bool
is_in_use(int ifindex)
{
    return netdev_workload_has_ifindex(ifindex) || find_underlay(ifindex);
}

void
fabric_kern_underlay_touched(uint32_t ifindex)
{
    struct underlay *u;

    HMAP_FOR_EACH (u, node, &underlays) {
        if (!ifindex || u->ifindex == ifindex) {
            u->touched = true;
            any_touched = true;
        }
    }
}

/* Puts the program of 'u' back if somebody has removed it. */
static void
look_at(struct underlay *u)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(10, 20);
    char name[IF_NAMESIZE];
    struct fabric_kern_tc tc;
    int error;

    u->touched = false;
    error = fabric_kern_tc_look(u->ifindex,
                                fabric_kern_prog_id(FABRIC_KERN_FROM_UNDERLAY),
                                &tc);
    if (!error && !tc.ours && if_indextoname(u->ifindex, name)) {
        error = fabric_kern_attach(u->ifindex, FABRIC_KERN_FROM_UNDERLAY);
        VLOG_WARN_RL(&rl, "%s: somebody has removed the program of the fast "
                     "path, %s", name,
                     error ? "userspace receives" : "it is attached again");
    }
}

void
fabric_kern_underlay_run(void)
{
    struct underlay *u;

    if (any_touched && time_msec() >= next_look) {
        next_look = time_msec() + LOOK_INTERVAL;
        any_touched = false;
        HMAP_FOR_EACH (u, node, &underlays) {
            if (u->touched) {
                look_at(u);
            }
        }
    }
}

void
fabric_kern_underlay_wait(void)
{
    if (any_touched) {
        poll_timer_wait_until(next_look);
    }
}

void
fabric_kern_underlay_remove_leftovers(void)
{
    fabric_filters_remove_leftovers(is_in_use);
}

void
fabric_kern_underlay_exit(void)
{
    struct underlay *u;

    HMAP_FOR_EACH_SAFE (u, node, &underlays) {
        remove_underlay(u);
    }
}
