/* SPDX-License-Identifier: Apache-2.0 */

/* What the kernel tells of is compared with what the uplinks use before
 * anything is asked: an answer takes the kernel's lock of all interfaces, and
 * has to wait while, say, a thousand of them are being made.  The prober would
 * wait for as long, and so would all tests of its peers. */

#include <config.h>

#include "fabric-carrier.h"

#include <net/if.h>
#include <linux/rtnetlink.h>

#include "coverage.h"
#include "fabric-monitor.h"
#include "fabric-netevent.h"
#include "fabric-private.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(fabric_carrier);

COVERAGE_DEFINE(fabric_carrier_check);

static void
set_local_up(struct fabric *f, const struct fabric_uplink *up, bool local_up)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_endpoint *ep;

    CMAP_FOR_EACH (ep, id_node, &f->by_id) {
        for (size_t i = 0; i < ep->n_paths; i++) {
            if (ep->paths[i]->uplink == up) {
                ep->paths[i]->local_up = local_up;
                fabric_path_refresh(ep->paths[i]);
            }
        }
    }
}

/* Notes whether uplink 'i' of 'ups', those of 'f', is up. */
static void
note_local_up(struct fabric *f, struct fabric_uplinks *ups, size_t i,
              bool is_up, const char *reason)
    OVS_REQUIRES(fabric_table_mutex)
{
    const struct fabric_uplink *up = ups->uplinks[i];

    if (is_up != ups->local_up[i]) {
        char ip[INET6_ADDRSTRLEN];

        VLOG_INFO("%s: uplink %s is %s%s%s", f->name,
                  ipv6_string_mapped(ip, &up->config.local_ip),
                  is_up ? "up" : "down", is_up ? "" : ": ",
                  is_up ? "" : reason);
        ups->local_up[i] = is_up;
        set_local_up(f, up, is_up);
    }
}

void
fabric_carrier_check(void)
{
    struct fabric *f;

    CMAP_FOR_EACH (f, name_node, &fabrics_by_name) {
        struct fabric_uplinks *ups
            = ovsrcu_get(struct fabric_uplinks *, &f->uplinks);
        const char *reasons[FABRIC_MAX_LOCAL_IPS];
        bool is_up[FABRIC_MAX_LOCAL_IPS];

        /* Asking can take long while the host changes interfaces. */
        for (size_t i = 0; i < ups->n; i++) {
            struct fabric_uplink *up = ups->uplinks[i];

            reasons[i] = "";
            is_up[i] = up->class->is_up(up, &reasons[i]);
        }

        ovs_mutex_lock(&fabric_table_mutex);
        if (ups == ovsrcu_get_protected(struct fabric_uplinks *,
                                        &f->uplinks)) {
            for (size_t i = 0; i < ups->n; i++) {
                note_local_up(f, ups, i, is_up[i], reasons[i]);
            }
        }
        ovs_mutex_unlock(&fabric_table_mutex);
    }
}

struct nl_sock *
fabric_carrier_open_monitor(void)
{
    static const unsigned int groups[] = {
        RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
    };

    return fabric_monitor_open(groups, ARRAY_SIZE(groups),
                               "loss of carrier will only be noticed by "
                               "probes");
}

/* An interface has been told to be as it is.  Returns true if that is not all
 * there is to know. */
static bool
link_changed(int ifindex, bool exists, unsigned int flags)
{
    bool unknown = false;
    struct fabric *f;

    ovs_mutex_lock(&fabric_table_mutex);
    CMAP_FOR_EACH (f, name_node, &fabrics_by_name) {
        struct fabric_uplinks *ups
            = ovsrcu_get_protected(struct fabric_uplinks *, &f->uplinks);

        for (size_t i = 0; i < ups->n; i++) {
            int own;

            atomic_read_relaxed(&ups->uplinks[i]->ifindex, &own);
            if (own != ifindex) {
                continue;
            }
            if (exists) {
                note_local_up(f, ups, i,
                              flags & IFF_UP && flags & IFF_RUNNING,
                              "no carrier");
            } else {
                unknown = true;
            }
        }
    }
    ovs_mutex_unlock(&fabric_table_mutex);
    return unknown;
}

/* Is 'ip' the address of an uplink? */
static bool
is_local_ip(const struct in6_addr *ip)
{
    struct fabric *f;

    CMAP_FOR_EACH (f, name_node, &fabrics_by_name) {
        const struct fabric_uplinks *ups
            = ovsrcu_get(struct fabric_uplinks *, &f->uplinks);

        for (size_t i = 0; i < ups->n; i++) {
            if (ipv6_addr_equals(&ups->uplinks[i]->config.local_ip, ip)) {
                return true;
            }
        }
    }
    return false;
}

/* Sets '*check', a bool, if the uplinks have to be looked at because of
 * 'event'. */
static void
handle_event(const struct fabric_netevent *event, void *check_)
{
    bool *check = check_;

    if (event->type == FABRIC_NETEVENT_OVERFLOW) {
        *check = true;
    } else if (event->type == FABRIC_NETEVENT_LINK) {
        *check |= link_changed(event->ifindex, !event->gone, event->flags);
    } else if (event->type == FABRIC_NETEVENT_ADDRESS) {
        *check |= is_local_ip(&event->ip);
    }
}

void
fabric_carrier_run_monitor(struct nl_sock *sock)
{
    bool check = false;

    fabric_monitor_read(sock, handle_event, &check);
    if (check) {
        COVERAGE_INC(fabric_carrier_check);
        fabric_carrier_check();
    }
}
