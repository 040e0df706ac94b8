/* SPDX-License-Identifier: Apache-2.0 */

/* Paths between the same two addresses are a "destination".  A change on the
 * host makes those destinations due that it can concern.  A few are looked up
 * at a time, those with traffic first, so that neither many paths nor many
 * changes keep the main thread from its work.
 *
 * The kernel tells of some changes before they are in force, so that each
 * destination that a change made due is looked up again INTERVAL later, and no
 * more often than that.  Of some it does not tell at all (an exception to a
 * route that expires, an ICMP redirect, a setting of sysctl): these a round
 * over all destinations finds, a few a second.
 *
 * Where the route chooses among no next hops, one look-up is enough for all
 * paths of the destination. */

#include <config.h>

#include "fabric-kern-route.h"

#include <stdlib.h>

#include "coverage.h"
#include "fabric-kern-abi.h"
#include "fabric-kern-gateway.h"
#include "fabric-kern-iface.h"
#include "fabric-nexthop.h"
#include "fabric-route.h"
#include "fabric-rule.h"
#include "fabric-table.h"
#include "hash.h"
#include "openvswitch/hmap.h"
#include "openvswitch/list.h"
#include "openvswitch/poll-loop.h"
#include "packets.h"
#include "timeval.h"
#include "util.h"

COVERAGE_DEFINE(fabric_kern_route_due);
COVERAGE_DEFINE(fabric_kern_route_round);
COVERAGE_DEFINE(fabric_kern_route_too_big);

/* In ms: between two look-ups of a destination, between two bursts of
 * look-ups, between two steps of the round. */
#define INTERVAL 100
#define PACE 4
#define ROUND_INTERVAL 1000

/* Paths that are looked up in a burst, destinations in a step of the round. */
#define BURST 64
#define ROUND_BURST 8

struct dest {
    struct hmap_node node;      /* In 'dests'. */
    struct in6_addr local_ip, remote_ip;
    struct ovs_list routes;     /* Of struct route, by 'dest_node'. */
    size_t n_routes;

    /* As last looked up. */
    struct fabric_nexthops hops;    /* Among which the route chooses. */
    uint32_t nexthop;           /* Object, or 0. */
    uint32_t *ifindexes;        /* Interfaces of these, with references. */
    size_t n_ifindexes;
    bool lost;                  /* A path has no route. */

    /* In 'due' if that is true, in 'later' if 'later' is. */
    struct ovs_list queue_node;
    bool due, later;
    bool again;                 /* Made due by a change. */
    long long int time;         /* When to leave 'later'. */
};

struct route {
    struct hmap_node node;      /* In 'routes'. */
    uint32_t path;              /* Index. */
    ovs_be16 src_port, dst_port;
    struct dest *dest;
    struct ovs_list dest_node;
    bool wanted;
    bool may_send;
    bool found;
    struct fabric_route route;  /* If 'found'. */
    uint32_t ifindex;           /* As told to the kernel. */
    uint64_t tx_packets;
};

static struct hmap dests = HMAP_INITIALIZER(&dests);
static struct hmap routes = HMAP_INITIALIZER(&routes);
static struct ovs_list due = OVS_LIST_INITIALIZER(&due);
static struct ovs_list later = OVS_LIST_INITIALIZER(&later); /* By time. */

/* Destinations by remote IP. */
static struct dest **sorted;
static size_t n_sorted, allocated_sorted;

static bool by_tos[2], by_src_port;
static bool ifaces_changed, dests_changed;
static size_t n_lost;
static long long int next_burst = LLONG_MIN;
static long long int next_round = LLONG_MIN;
static size_t round_position;

/* Destinations. */

static uint32_t
hash_dest(const struct in6_addr *local_ip, const struct in6_addr *remote_ip)
{
    return hash_bytes(local_ip, sizeof *local_ip,
                      hash_bytes(remote_ip, sizeof *remote_ip, 0));
}

static struct dest *
find_dest(const struct in6_addr *local_ip, const struct in6_addr *remote_ip)
{
    struct dest *d;

    HMAP_FOR_EACH_WITH_HASH (d, node, hash_dest(local_ip, remote_ip),
                             &dests) {
        if (ipv6_addr_equals(&d->local_ip, local_ip)
            && ipv6_addr_equals(&d->remote_ip, remote_ip)) {
            return d;
        }
    }
    return NULL;
}

static struct dest *
get_dest(const struct in6_addr *local_ip, const struct in6_addr *remote_ip)
{
    struct dest *d = find_dest(local_ip, remote_ip);

    if (!d) {
        d = xzalloc(sizeof *d);
        d->local_ip = *local_ip;
        d->remote_ip = *remote_ip;
        ovs_list_init(&d->routes);
        hmap_insert(&dests, &d->node, hash_dest(local_ip, remote_ip));
        dests_changed = true;
    }
    return d;
}

/* Refers to the interfaces of 'd' as they are now instead of as they were. */
static void
set_ifindexes(struct dest *d, uint32_t *ifindexes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ifaces_changed |= fabric_kern_iface_ref(ifindexes[i]);
    }
    for (size_t i = 0; i < d->n_ifindexes; i++) {
        ifaces_changed |= fabric_kern_iface_unref(d->ifindexes[i]);
    }
    free(d->ifindexes);
    d->ifindexes = ifindexes;
    d->n_ifindexes = n;
}

static void
set_lost(struct dest *d, bool lost)
{
    n_lost += lost - d->lost;
    d->lost = lost;
}

static void
unqueue(struct dest *d)
{
    if (d->due || d->later) {
        ovs_list_remove(&d->queue_node);
        d->due = d->later = false;
    }
}

static void
remove_dest(struct dest *d)
{
    unqueue(d);
    set_ifindexes(d, NULL, 0);
    set_lost(d, false);
    fabric_kern_gateway_unref(&d->hops);
    fabric_nexthops_destroy(&d->hops);
    hmap_remove(&dests, &d->node);
    dests_changed = true;
    free(d);
}

static int
compare_dests(const void *a_, const void *b_)
{
    const struct dest *const *a = a_;
    const struct dest *const *b = b_;

    return memcmp(&(*a)->remote_ip, &(*b)->remote_ip,
                  sizeof (*a)->remote_ip);
}

static void
sort_dests(void)
{
    struct dest *d;

    n_sorted = 0;
    HMAP_FOR_EACH (d, node, &dests) {
        if (n_sorted >= allocated_sorted) {
            sorted = x2nrealloc(sorted, &allocated_sorted, sizeof *sorted);
        }
        sorted[n_sorted++] = d;
    }
    if (n_sorted) {
        qsort(sorted, n_sorted, sizeof *sorted, compare_dests);
    }
}

/* Returns the index in 'sorted' of the first destination whose remote IP is
 * not below 'ip'. */
static size_t
lower_bound(const struct in6_addr *ip)
{
    size_t low = 0, high = n_sorted;

    while (low < high) {
        size_t mid = (low + high) / 2;

        if (memcmp(&sorted[mid]->remote_ip, ip, sizeof *ip) < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

static bool
is_in_prefix(const struct in6_addr *ip, const struct in6_addr *prefix,
             unsigned int plen)
{
    struct in6_addr mask = ipv6_create_mask(plen);
    struct in6_addr masked = ipv6_addr_bitand(ip, &mask);

    /* IPv4 is no part of IPv6. */
    return (ipv6_addr_equals(&masked, prefix)
            && (plen >= 96 || !IN6_IS_ADDR_V4MAPPED(ip)));
}

/* Making due. */

static bool
has_traffic(struct dest *d)
{
    struct route *r;
    bool any = false;

    LIST_FOR_EACH (r, dest_node, &d->routes) {
        uint64_t n;

        atomic_read_relaxed(&fabric_table_paths[r->path].tx_packets, &n);
        any |= n != r->tx_packets;
        r->tx_packets = n;
    }
    return any;
}

static void
make_due(struct dest *d)
{
    if (d->due || d->later) {
        return;
    }
    d->due = true;
    if (has_traffic(d)) {
        ovs_list_push_front(&due, &d->queue_node);
    } else {
        ovs_list_push_back(&due, &d->queue_node);
    }
}

static void
make_due_later(struct dest *d)
{
    d->later = true;
    d->time = time_msec() + INTERVAL;
    ovs_list_push_back(&later, &d->queue_node);
}

/* Because of a change. */
static void
recheck(struct dest *d)
{
    COVERAGE_INC(fabric_kern_route_due);
    d->again = true;
    make_due(d);
}

void
fabric_kern_route_recheck_prefix(const struct in6_addr *prefix,
                                 unsigned int plen)
{
    for (size_t i = lower_bound(prefix);
         i < n_sorted && is_in_prefix(&sorted[i]->remote_ip, prefix, plen);
         i++) {
        recheck(sorted[i]);
    }
}

bool
fabric_kern_route_uses_prefix(const struct in6_addr *prefix,
                              unsigned int plen)
{
    size_t i = lower_bound(prefix);

    return (i < n_sorted
            && is_in_prefix(&sorted[i]->remote_ip, prefix, plen));
}

static bool
rule_concerns(const struct fabric_rule *rule, const struct dest *d)
{
    return (is_in_prefix(&d->local_ip, &rule->src, rule->src_plen)
            && is_in_prefix(&d->remote_ip, &rule->dst, rule->dst_plen));
}

bool
fabric_kern_route_concerns(const struct fabric_rule *rule)
{
    const struct dest *d;

    HMAP_FOR_EACH (d, node, &dests) {
        if (rule_concerns(rule, d)) {
            return true;
        }
    }
    return false;
}

void
fabric_kern_route_recheck_rule(const struct fabric_rule *rule)
{
    struct dest *d;

    HMAP_FOR_EACH (d, node, &dests) {
        if (rule_concerns(rule, d)) {
            recheck(d);
        }
    }
}

bool
fabric_kern_route_uses_local(const struct in6_addr *ip)
{
    const struct dest *d;

    HMAP_FOR_EACH (d, node, &dests) {
        if (ipv6_addr_equals(&d->local_ip, ip)) {
            return true;
        }
    }
    return false;
}

static bool
has_ifindex(const struct dest *d, uint32_t ifindex)
{
    for (size_t i = 0; i < d->n_ifindexes; i++) {
        if (d->ifindexes[i] == ifindex) {
            return true;
        }
    }
    return false;
}

void
fabric_kern_route_recheck_iface(uint32_t ifindex)
{
    struct dest *d;

    HMAP_FOR_EACH (d, node, &dests) {
        if (has_ifindex(d, ifindex)) {
            recheck(d);
        }
    }
}

void
fabric_kern_route_recheck_nexthop(uint32_t id)
{
    struct dest *d;

    HMAP_FOR_EACH (d, node, &dests) {
        if ((d->nexthop && fabric_nexthop_uses(d->nexthop, id))
            || by_src_port) {
            recheck(d);
        }
    }
}

void
fabric_kern_route_recheck_path(const struct in6_addr *local_ip,
                               ovs_be16 src_port,
                               const struct in6_addr *remote_ip,
                               ovs_be16 dst_port)
{
    struct dest *d = find_dest(local_ip, remote_ip);
    const struct route *r;

    if (!d) {
        return;
    }
    LIST_FOR_EACH (r, dest_node, &d->routes) {
        if (r->src_port == src_port && r->dst_port == dst_port) {
            d->again = true;
            if (!d->due && !d->later) {
                COVERAGE_INC(fabric_kern_route_too_big);
                make_due_later(d);
            }
            break;
        }
    }
}

void
fabric_kern_route_recheck_lost(void)
{
    struct dest *d;

    if (n_lost) {
        HMAP_FOR_EACH (d, node, &dests) {
            if (d->lost) {
                recheck(d);
            }
        }
    }
}

void
fabric_kern_route_recheck_all(void)
{
    struct dest *d;

    HMAP_FOR_EACH (d, node, &dests) {
        recheck(d);
    }
}

void
fabric_kern_route_set_rules(const bool new_by_tos[2], bool new_by_src_port)
{
    if (by_tos[0] != new_by_tos[0] || by_tos[1] != new_by_tos[1]
        || by_src_port != new_by_src_port) {
        by_tos[0] = new_by_tos[0];
        by_tos[1] = new_by_tos[1];
        by_src_port = new_by_src_port;
        fabric_kern_route_recheck_all();
    }
}

/* Looking up. */

/* Tells the kernel how it may send on 'r', if it may.  It hands a packet to
 * the neighbor, so what else the host would put around it, or decide by its
 * DSCP, is for the host to do.
 *
 * A packet that sees only some of what is stored is one that the change of the
 * route loses, or is checked against the other's MTU. */
static void
tell_kernel(struct route *r)
{
    struct fabric_table_path *p = &fabric_table_paths[r->path];
    const struct fabric_route_device *dev
        = r->found ? fabric_kern_iface_device(r->route.ifindex) : NULL;
    bool v6 = !IN6_IS_ADDR_V4MAPPED(&r->dest->local_ip);

    r->ifindex = 0;
    if (dev) {
        atomic_store_relaxed(&p->out_mtu,
                             fabric_route_limit_mtu(&r->route, dev,
                                                    &r->dest->remote_ip));
        if (r->may_send && !r->route.encapsulated && dev->ethernet
            && !by_tos[v6]) {
            p->next_hop = r->route.next_hop;
            r->ifindex = r->route.ifindex;
        }
    }
    atomic_store_relaxed(&p->out_ifindex, r->ifindex);
}

static void
add_ifindex(uint32_t **ifindexes, size_t *n, size_t *allocated,
            uint32_t ifindex)
{
    for (size_t i = 0; i < *n; i++) {
        if ((*ifindexes)[i] == ifindex) {
            return;
        }
    }
    if (*n >= *allocated) {
        *ifindexes = x2nrealloc(*ifindexes, allocated, sizeof **ifindexes);
    }
    (*ifindexes)[(*n)++] = ifindex;
}

static void
update_ifindexes(struct dest *d)
{
    uint32_t *ifindexes = NULL;
    size_t n = 0, allocated = 0;
    const struct route *r;

    for (size_t i = 0; i < d->hops.n; i++) {
        add_ifindex(&ifindexes, &n, &allocated, d->hops.hops[i].ifindex);
    }
    LIST_FOR_EACH (r, dest_node, &d->routes) {
        if (r->found) {
            add_ifindex(&ifindexes, &n, &allocated, r->route.ifindex);
        }
    }
    set_ifindexes(d, ifindexes, n);
}

/* Looks up all paths of 'd'.  Returns how many look-ups it took. */
static size_t
look_up(struct dest *d)
{
    struct fabric_nexthops old = d->hops;
    struct route *first, *r;
    bool lost = false;
    size_t n = 1;

    first = CONTAINER_OF(ovs_list_front(&d->routes), struct route, dest_node);
    d->hops = (struct fabric_nexthops) FABRIC_NEXTHOPS_INITIALIZER;
    fabric_route_get_hops(&d->local_ip, first->src_port, &d->remote_ip,
                          first->dst_port, &d->hops, &d->nexthop);
    fabric_kern_gateway_ref(&d->hops);
    fabric_kern_gateway_unref(&old);
    fabric_nexthops_destroy(&old);

    LIST_FOR_EACH (r, dest_node, &d->routes) {
        if (r == first || d->hops.n != 1 || by_src_port) {
            r->found = !fabric_route_lookup(&d->local_ip, r->src_port,
                                            &d->remote_ip, r->dst_port,
                                            &r->route);
            n++;
        } else {
            r->found = first->found;
            r->route = first->route;
        }
        lost |= !r->found;
        tell_kernel(r);
    }
    set_lost(d, lost);
    update_ifindexes(d);
    return n;
}

static void
look_up_due(void)
{
    size_t n = 0;

    while (!ovs_list_is_empty(&due) && n < BURST) {
        struct dest *d = CONTAINER_OF(ovs_list_front(&due), struct dest,
                                      queue_node);

        unqueue(d);
        if (d->again) {
            d->again = false;
            make_due_later(d);
        }
        n += look_up(d);
    }
    next_burst = time_msec() + PACE;
}

static void
run_later(void)
{
    struct dest *d;

    LIST_FOR_EACH_SAFE (d, queue_node, &later) {
        if (time_msec() < d->time) {
            break;
        }
        unqueue(d);
        make_due(d);
    }
}

static void
run_round(void)
{
    if (time_msec() < next_round) {
        return;
    }
    next_round = time_msec() + ROUND_INTERVAL;
    for (size_t i = 0; i < MIN(ROUND_BURST, n_sorted); i++) {
        COVERAGE_INC(fabric_kern_route_round);
        make_due(sorted[round_position++ % n_sorted]);
    }
}

bool
fabric_kern_route_run(void)
{
    bool changed;

    run_later();
    run_round();
    if (time_msec() >= next_burst) {
        look_up_due();
    }
    changed = ifaces_changed;
    ifaces_changed = false;
    return changed;
}

void
fabric_kern_route_wait(void)
{
    if (!ovs_list_is_empty(&due)) {
        poll_timer_wait_until(next_burst);
    }
    if (!ovs_list_is_empty(&later)) {
        poll_timer_wait_until(CONTAINER_OF(ovs_list_front(&later),
                                           struct dest, queue_node)->time);
    }
    if (n_sorted) {
        poll_timer_wait_until(next_round);
    }
}

/* The paths. */

void
fabric_kern_route_begin(void)
{
    struct route *r;

    HMAP_FOR_EACH (r, node, &routes) {
        r->wanted = false;
    }
}

static struct route *
find_route(uint32_t path)
{
    struct route *r;

    HMAP_FOR_EACH_WITH_HASH (r, node, hash_int(path, 0), &routes) {
        if (r->path == path) {
            return r;
        }
    }
    return NULL;
}

static void
remove_route(struct route *r)
{
    r->dest->n_routes--;
    ovs_list_remove(&r->dest_node);
    hmap_remove(&routes, &r->node);
    free(r);
}

static struct route *
add_route(uint32_t path)
{
    const struct fabric_table_path *p = &fabric_table_paths[path];
    struct route *r = xzalloc(sizeof *r);

    r->path = path;
    r->src_port = p->src_port;
    r->dst_port = p->dst_port;
    r->dest = get_dest(&p->local_ip, &p->remote_ip);
    r->dest->n_routes++;
    ovs_list_push_back(&r->dest->routes, &r->dest_node);
    hmap_insert(&routes, &r->node, hash_int(path, 0));
    make_due(r->dest);
    return r;
}

/* Returns true if 'r' is of the path that has its index now. */
static bool
is_same_path(const struct route *r)
{
    const struct fabric_table_path *p = &fabric_table_paths[r->path];

    return (r->src_port == p->src_port && r->dst_port == p->dst_port
            && ipv6_addr_equals(&r->dest->local_ip, &p->local_ip)
            && ipv6_addr_equals(&r->dest->remote_ip, &p->remote_ip));
}

void
fabric_kern_route_set(uint32_t path, bool may_send)
{
    uint32_t ifindex;
    struct route *r;

    if (path >= FABRIC_KERN_MAX_PATHS) {
        return;
    }
    r = find_route(path);
    if (r && !is_same_path(r)) {
        remove_route(r);
        r = NULL;
    }
    if (!r) {
        r = add_route(path);
    }
    r->wanted = true;

    /* Who resets a path makes it one without a route. */
    atomic_read_relaxed(&fabric_table_paths[path].out_ifindex, &ifindex);
    if (r->may_send != may_send || r->ifindex != ifindex) {
        r->may_send = may_send;
        tell_kernel(r);
    }
}

bool
fabric_kern_route_end(void)
{
    bool changed;
    struct dest *d;
    struct route *r;

    HMAP_FOR_EACH_SAFE (r, node, &routes) {
        if (!r->wanted) {
            atomic_store_relaxed(&fabric_table_paths[r->path].out_ifindex, 0);
            remove_route(r);
        }
    }
    HMAP_FOR_EACH_SAFE (d, node, &dests) {
        if (!d->n_routes) {
            remove_dest(d);
        }
    }
    changed = dests_changed;
    dests_changed = false;
    if (changed) {
        sort_dests();
    }
    look_up_due();
    return changed;
}
