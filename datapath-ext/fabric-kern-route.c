/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-kern-route.h"

#include "fabric-kern-abi.h"
#include "fabric-kern-underlay.h"
#include "fabric-route.h"
#include "fabric-table.h"

/* Look up routes that are known, too? */
static bool all;

void
fabric_kern_route_begin(bool changed)
{
    all = changed;
}

void
fabric_kern_route_set(uint32_t path, bool may_send)
{
    struct fabric_table_path *p = &fabric_table_paths[path];
    struct fabric_route route;
    uint32_t ifindex;

    if (path >= FABRIC_KERN_MAX_PATHS) {
        return;
    }
    atomic_read_relaxed(&p->out_ifindex, &ifindex);
    if (!may_send) {
        ifindex = 0;
    } else if (!ifindex || all) {
        ifindex = 0;
        if (!fabric_route_lookup(&p->local_ip, p->src_port, &p->remote_ip,
                                 p->dst_port, &route)) {
            ifindex = route.ifindex;
            /* A packet that sees only some of this is one that the change of
             * the route loses, or is checked against the other's MTU. */
            atomic_store_relaxed(&p->out_mtu, route.mtu);
            p->next_hop = route.next_hop;
        }
    }
    atomic_store_relaxed(&p->out_ifindex, ifindex);
    if (ifindex) {
        fabric_kern_underlay_want(ifindex);
    }
}

void
fabric_kern_route_end(void)
{
    all = false;
}

bool
fabric_kern_route_run(void)
{
    return fabric_route_changed();
}

void
fabric_kern_route_wait(void)
{
    fabric_route_wait();
}
