/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-carrier.h"

#include <linux/rtnetlink.h>

#include "fabric-monitor.h"
#include "fabric-private.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(fabric_carrier);

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

void
fabric_carrier_check(void)
{
    struct fabric *f;

    ovs_mutex_lock(&fabric_table_mutex);
    CMAP_FOR_EACH (f, name_node, &fabrics_by_name) {
        struct fabric_uplinks *ups
            = ovsrcu_get_protected(struct fabric_uplinks *, &f->uplinks);

        for (size_t i = 0; i < ups->n; i++) {
            struct fabric_uplink *up = ups->uplinks[i];
            const char *reason = "";
            bool is_up = up->class->is_up(up, &reason);

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
    }
    ovs_mutex_unlock(&fabric_table_mutex);
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

void
fabric_carrier_run_monitor(struct nl_sock *sock)
{
    if (fabric_monitor_read(sock)) {
        fabric_carrier_check();
    }
}
