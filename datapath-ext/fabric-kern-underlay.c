/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-kern-underlay.h"

#include <net/if.h>
#include <stdbool.h>

#include "fabric-kern.h"
#include "hash.h"
#include "netdev-workload.h"
#include "openvswitch/hmap.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(fabric_kern_underlay);

/* Interfaces with the program. */
struct underlay {
    struct hmap_node node;
    uint32_t ifindex;
    bool wanted;
};
static struct hmap underlays = HMAP_INITIALIZER(&underlays);

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

void
fabric_kern_underlay_remove_leftovers(void)
{
    struct if_nameindex *ifs = if_nameindex();

    for (size_t i = 0; ifs && ifs[i].if_index; i++) {
        uint32_t ifindex = ifs[i].if_index;

        if (!netdev_workload_has_ifindex(ifindex) && !find_underlay(ifindex)
            && fabric_kern_is_attached(ifindex)) {
            VLOG_INFO("%s: removing a program that was left over",
                      ifs[i].if_name);
            fabric_kern_detach(ifindex);
        }
    }
    if_freenameindex(ifs);
}

void
fabric_kern_underlay_exit(void)
{
    struct underlay *u;

    HMAP_FOR_EACH_SAFE (u, node, &underlays) {
        remove_underlay(u);
    }
}
