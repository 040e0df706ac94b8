/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-kern-gateway.h"

#include "fabric-netevent.h"
#include "hash.h"
#include "openvswitch/hmap.h"
#include "packets.h"
#include "util.h"

struct gateway {
    struct hmap_node node;      /* In 'gateways'. */
    struct fabric_nexthop hop;
    unsigned int n_refs;
    bool valid;                 /* As last told. */
};
static struct hmap gateways = HMAP_INITIALIZER(&gateways);

static uint32_t
hash_hop(const struct fabric_nexthop *hop)
{
    return hash_bytes(&hop->gateway, sizeof hop->gateway, hop->ifindex);
}

static struct gateway *
find_gateway(const struct fabric_nexthop *hop)
{
    struct gateway *g;

    HMAP_FOR_EACH_WITH_HASH (g, node, hash_hop(hop), &gateways) {
        if (g->hop.ifindex == hop->ifindex
            && ipv6_addr_equals(&g->hop.gateway, &hop->gateway)) {
            return g;
        }
    }
    return NULL;
}

static bool
matters(const struct fabric_nexthops *hops, const struct fabric_nexthop *hop)
{
    return (ipv6_addr_is_set(&hop->gateway)
            && (hops->n > 1 || !IN6_IS_ADDR_V4MAPPED(&hop->gateway)));
}

void
fabric_kern_gateway_ref(const struct fabric_nexthops *hops)
{
    for (size_t i = 0; i < hops->n; i++) {
        const struct fabric_nexthop *hop = &hops->hops[i];
        struct gateway *g;

        if (!matters(hops, hop)) {
            continue;
        }
        g = find_gateway(hop);
        if (!g) {
            g = xzalloc(sizeof *g);
            g->hop = *hop;
            g->valid = true;
            hmap_insert(&gateways, &g->node, hash_hop(hop));
        }
        g->n_refs++;
    }
}

void
fabric_kern_gateway_unref(const struct fabric_nexthops *hops)
{
    for (size_t i = 0; i < hops->n; i++) {
        struct gateway *g = (matters(hops, &hops->hops[i])
                             ? find_gateway(&hops->hops[i]) : NULL);

        if (g && !--g->n_refs) {
            hmap_remove(&gateways, &g->node);
            free(g);
        }
    }
}

bool
fabric_kern_gateway_changed(const struct fabric_netevent *event)
{
    struct fabric_nexthop hop = { event->ifindex, event->ip };
    struct gateway *g = find_gateway(&hop);
    /* One that is not known may well be reachable. */
    bool valid = event->valid || event->gone;

    if (!g || g->valid == valid) {
        return false;
    }
    g->valid = valid;
    return true;
}
