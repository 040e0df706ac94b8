/* SPDX-License-Identifier: Apache-2.0 */

/* Linux does not tell of routes that it takes out of service, or back into
 * it, with an interface, nor of those that an address or nexthop object takes
 * with it.  So each interface that a path of ours uses or could use counts:
 * those of the next hops that our routes choose among, those that a route to
 * one of our peers has named since, and those that the host had in the
 * beginning, whose routes have not been seen.  The last two kinds concern all
 * paths, if any, so that they are heeded once in UNSURE_INTERVAL.  Interfaces
 * that are younger and that no such route has named cannot matter. */

#include <config.h>

#include "fabric-kern-netwatch.h"

#include <linux/rtnetlink.h>
#include <net/if.h>

#include "coverage.h"
#include "fabric-inlet.h"
#include "fabric-kern-gateway.h"
#include "fabric-kern-iface.h"
#include "fabric-kern-route.h"
#include "fabric-monitor.h"
#include "fabric-netevent.h"
#include "fabric-nexthop.h"
#include "fabric-rule.h"
#include "fabric-too-big.h"
#include "netlink-socket.h"
#include "openvswitch/poll-loop.h"
#include "packets.h"
#include "timeval.h"
#include "util.h"

COVERAGE_DEFINE(fabric_kern_netwatch_event);
COVERAGE_DEFINE(fabric_kern_netwatch_overflow);

/* A kind of look-ups that is due no more often than once in 'interval' ms. */
struct pacer {
    long long int interval;
    void (*cb)(void);
    bool pending;
    long long int next;
};

#define RULES_INTERVAL 100
#define LOST_INTERVAL 1000
#define UNSURE_INTERVAL 5000

/* While messages come, they are read once in so many ms. */
#define READ_INTERVAL 10

static void read_rules(void);

static struct pacer rules_pacer
    = { RULES_INTERVAL, read_rules, false, LLONG_MIN };
static struct pacer lost_pacer
    = { LOST_INTERVAL, fabric_kern_route_recheck_lost, false, LLONG_MIN };
static struct pacer unsure_pacer
    = { UNSURE_INTERVAL, fabric_kern_route_recheck_all, false, LLONG_MIN };
static struct pacer *const pacers[]
    = { &rules_pacer, &lost_pacer, &unsure_pacer };

static struct fabric_rules rules = FABRIC_RULES_INITIALIZER;
static struct nl_sock *monitor;
static bool opened;
static bool addresses_changed;
static bool any_event;
static long long int next_read = LLONG_MIN;

static void
run_pacers(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(pacers); i++) {
        struct pacer *p = pacers[i];

        if (p->pending && time_msec() >= p->next) {
            p->pending = false;
            p->next = time_msec() + p->interval;
            p->cb();
        }
    }
}

static void
read_rules(void)
{
    fabric_rules_read(&rules, fabric_kern_route_concerns);
    fabric_kern_route_set_rules(rules.by_tos, rules.by_src_port);
}

/* Until they are read, nobody knows which tables count. */
void
fabric_kern_netwatch_rules(void)
{
    rules.any_table = true;
    rules_pacer.pending = true;
}

static void
handle_link(const struct fabric_netevent *event)
{
    struct fabric_kern_iface *iface = fabric_kern_iface_find(event->ifindex);

    if (event->gone && !event->config) {
        fabric_inlet_remove(event->ifindex);
    }
    if (!iface) {
        return;
    }
    if (event->gone && !event->config) {
        fabric_kern_route_recheck_iface(event->ifindex);
        fabric_kern_iface_forget(iface);
    } else if (fabric_kern_iface_changed(iface, event)) {
        fabric_kern_route_recheck_iface(event->ifindex);
        unsure_pacer.pending |= !iface->n_refs;
        lost_pacer.pending = true;
    }
}

static void
handle_address(const struct fabric_netevent *event)
{
    if (fabric_kern_route_uses_local(&event->ip)) {
        addresses_changed = true;
        fabric_kern_route_recheck_all();
    } else if (event->gone && fabric_kern_iface_find(event->ifindex)) {
        /* Routes that name it for their source go with it. */
        unsure_pacer.pending = true;
    }
}

static void
handle_route(const struct fabric_netevent *event)
{
    if (!fabric_rules_have_table(&rules, event->table)
        || !fabric_kern_route_uses_prefix(&event->ip, event->plen)) {
        return;
    }
    fabric_kern_route_recheck_prefix(&event->ip, event->plen);
    for (size_t i = 0; i < event->n_ifindexes && !event->gone; i++) {
        fabric_kern_iface_get(event->ifindexes[i]);
    }
}

static void
handle_rule(const struct fabric_rule *rule)
{
    if (rule->for_us && fabric_kern_route_concerns(rule)) {
        fabric_kern_netwatch_rules();
        fabric_kern_route_recheck_rule(rule);
    }
}

static void
handle_nexthop(uint32_t id)
{
    if (fabric_nexthop_is_used(id)) {
        fabric_kern_route_recheck_nexthop(id);
        fabric_nexthop_forget(id);
    }
    lost_pacer.pending = true;
}

static void
handle_overflow(void)
{
    COVERAGE_INC(fabric_kern_netwatch_overflow);
    fabric_nexthop_forget_all();
    fabric_kern_iface_get_all();
    fabric_kern_iface_doubt_all();
    fabric_kern_netwatch_rules();
    addresses_changed = true;
    fabric_kern_route_recheck_all();
}

static void
handle_event(const struct fabric_netevent *event, void *aux OVS_UNUSED)
{
    COVERAGE_INC(fabric_kern_netwatch_event);
    any_event = true;
    switch (event->type) {
    case FABRIC_NETEVENT_OVERFLOW:
        handle_overflow();
        break;
    case FABRIC_NETEVENT_LINK:
        handle_link(event);
        break;
    case FABRIC_NETEVENT_ADDRESS:
        handle_address(event);
        break;
    case FABRIC_NETEVENT_ROUTE:
        handle_route(event);
        break;
    case FABRIC_NETEVENT_RULE:
        handle_rule(&event->rule);
        break;
    case FABRIC_NETEVENT_NEXTHOP:
        handle_nexthop(event->nexthop);
        break;
    case FABRIC_NETEVENT_NEIGHBOR:
        if (fabric_kern_gateway_changed(event)) {
            fabric_kern_route_recheck_iface(event->ifindex);
        }
        break;
    }
}

static void
handle_too_big(const struct fabric_too_big *tb)
{
    fabric_kern_route_recheck_path(&tb->local_ip, tb->src_port,
                                   &tb->remote_ip, tb->dst_port);
}

static void
open_monitor(void)
{
    static const unsigned int groups[] = {
        RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
        RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
        RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE,
        RTNLGRP_NEIGH, RTNLGRP_IPV6_IFINFO, RTNLGRP_NEXTHOP,
    };
    size_t n = ARRAY_SIZE(groups);

    monitor = fabric_monitor_open(groups, n,
                                  "changes of routes will not be noticed");
    fabric_kern_iface_get_all();
    fabric_kern_netwatch_rules();
}

bool
fabric_kern_netwatch_run(void)
{
    bool changed;

    if (!opened) {
        opened = true;
        open_monitor();
    }
    if (monitor && time_msec() >= next_read) {
        any_event = false;
        fabric_monitor_read(monitor, handle_event, NULL);
        next_read = any_event ? time_msec() + READ_INTERVAL : LLONG_MIN;
    }
    fabric_too_big_run(handle_too_big);
    run_pacers();
    changed = addresses_changed;
    addresses_changed = false;
    return changed;
}

void
fabric_kern_netwatch_wait(void)
{
    if (monitor && next_read == LLONG_MIN) {
        nl_sock_wait(monitor, POLLIN);
    } else if (monitor) {
        poll_timer_wait_until(next_read);
    }
    fabric_too_big_wait();
    for (size_t i = 0; i < ARRAY_SIZE(pacers); i++) {
        if (pacers[i]->pending) {
            poll_timer_wait_until(pacers[i]->next);
        }
    }
}
