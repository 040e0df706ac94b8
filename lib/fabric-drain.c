/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-drain.h"

#include "fabric-discover.h"
#include "fabric-private.h"
#include "packets.h"
#include "util.h"

static bool
ip_covers(const struct in6_addr *pattern, const struct in6_addr *ip)
{
    return !ipv6_addr_is_set(pattern) || ipv6_addr_equals(pattern, ip);
}

bool
fabric_drain_order_names(const struct fabric_drain_order *order,
                         const struct in6_addr *local_ip,
                         const struct in6_addr *remote_ip, uint16_t src_port)
{
    return (ip_covers(&order->local_ip, local_ip)
            && ip_covers(&order->remote_ip, remote_ip)
            && (!order->src_port || order->src_port == src_port));
}

void
fabric_drains_add(struct fabric_drains *d,
                  const struct fabric_drain_order *order)
{
    size_t n = 0;

    /* Orders of which this one leaves nothing are forgotten, so that there are
     * never more of them than different ones. */
    for (size_t i = 0; i < d->n; i++) {
        const struct fabric_drain_order *old = &d->orders[i];

        if (!fabric_drain_order_names(order, &old->local_ip, &old->remote_ip,
                                      old->src_port)) {
            d->orders[n++] = *old;
        }
    }
    d->n = n;
    if (order->drain || n) {
        d->orders = xrealloc(d->orders, (n + 1) * sizeof *d->orders);
        d->orders[d->n++] = *order;
    }
}

bool
fabric_drains_match(const struct fabric_drains *d,
                    const struct in6_addr *local_ip,
                    const struct in6_addr *remote_ip, uint16_t src_port)
{
    for (size_t i = d->n; i-- > 0; ) {
        if (fabric_drain_order_names(&d->orders[i], local_ip, remote_ip,
                                     src_port)) {
            return d->orders[i].drain;
        }
    }
    return false;
}

void
fabric_drains_shift_ports(struct fabric_drains *d, int shift)
{
    for (size_t i = 0; i < d->n; i++) {
        if (d->orders[i].src_port) {
            d->orders[i].src_port += shift;
        }
    }
}

void
fabric_drains_clear(struct fabric_drains *d)
{
    free(d->orders);
    *d = (struct fabric_drains) { .orders = NULL };
}

/* Endpoints. */

void
fabric_drains_leave(struct fabric_endpoint *ep)
{
    if (ep->drains.n) {
        struct fabric_drains *d = xmemdup(&ep->drains, sizeof *d);
        struct fabric_drains *old
            = shash_replace(&ep->fabric->orphan_drains, ep->name, d);

        if (old) {
            fabric_drains_clear(old);
            free(old);
        }
        ep->drains = (struct fabric_drains) { .orders = NULL };
    }
}

void
fabric_drains_take(struct fabric_endpoint *ep)
{
    struct fabric_drains *d
        = shash_find_and_delete(&ep->fabric->orphan_drains, ep->name);

    if (d) {
        ep->drains = *d;
        free(d);
    }
}

void
fabric_drains_forget(struct fabric *f)
{
    struct shash_node *node;

    SHASH_FOR_EACH (node, &f->orphan_drains) {
        fabric_drains_clear(node->data);
    }
    shash_clear_free_data(&f->orphan_drains);
}

size_t
fabric_endpoint_drain(struct fabric_endpoint *ep, const struct in6_addr *local,
                      const struct in6_addr *remote, uint16_t src_port,
                      bool drain)
{
    const struct fabric_drain_order order = {
        .local_ip = local ? *local : in6addr_any,
        .remote_ip = remote ? *remote : in6addr_any,
        .src_port = src_port,
        .drain = drain,
    };
    size_t n = 0;

    ovs_mutex_lock(&fabric_table_mutex);
    for (size_t i = 0; i < ep->n_paths; i++) {
        struct fabric_path *path = ep->paths[i];
        const struct fabric_table_path *p = &fabric_table_paths[path->index];

        if (fabric_drain_order_names(&order, &p->local_ip, &p->remote_ip,
                                     ntohs(p->src_port))) {
            path->drained = drain;
            fabric_path_refresh(path);
            n++;
        }
    }
    if (n) {
        fabric_drains_add(&ep->drains, &order);
    }
    if (n && !drain) {
        /* Meanwhile it was left out. */
        fabric_discover_event(ep);
    }
    ovs_mutex_unlock(&fabric_table_mutex);
    return n;
}
