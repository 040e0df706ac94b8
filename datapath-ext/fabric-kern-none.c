/* SPDX-License-Identifier: Apache-2.0 */

/* In place of the kernel's fast path where it is not built. */

#include <config.h>

#include "fabric-arrival.h"
#include "fabric-filters.h"
#include "fabric-hooks.h"
#include "fabric-kern-flows.h"
#include "fabric-kern-lease.h"
#include "fabric-kern-sync.h"
#include "fabric-workload.h"
#include "netdev-provider.h"
#include "util.h"

const struct netdev_class *
fabric_workload_class(const struct netdev_class *base)
{
    static struct netdev_class class;

    if (!class.type) {
        class = *base;
        class.rxq_recv = fabric_workload_recv;
    }
    return &class;
}

void
fabric_kern_port_added(struct netdev *netdev OVS_UNUSED,
                       odp_port_t port OVS_UNUSED)
{
}

void
fabric_kern_port_removed(struct netdev *netdev OVS_UNUSED)
{
}

void
fabric_kern_flow_put(const ovs_u128 *ufid OVS_UNUSED,
                     const struct match *match OVS_UNUSED,
                     const struct nlattr *actions OVS_UNUSED,
                     size_t actions_len OVS_UNUSED)
{
}

void
fabric_kern_flow_del(const ovs_u128 *ufid OVS_UNUSED)
{
}

void
fabric_kern_flow_status(const ovs_u128 *ufid OVS_UNUSED,
                        struct dpif_flow_stats *stats OVS_UNUSED,
                        struct dpif_flow_attrs *attrs OVS_UNUSED)
{
}

const char *
fabric_kern_flow_reason(const ovs_u128 *ufid OVS_UNUSED,
                        const char *otherwise)
{
    return otherwise;
}

void
fabric_kern_flows_get_count(struct fabric_kern_flows_count *count)
{
    *count = (struct fabric_kern_flows_count) { .n_kernel = 0 };
}

bool
fabric_kern_run(bool take_over)
{
    static bool taken_over = false;

    if (take_over && !taken_over) {
        taken_over = true;
        fabric_filters_remove_leftovers(NULL);
        fabric_arrival_kernel_known();
    }
    return false;
}

void
fabric_kern_wait(void)
{
}

void
fabric_kern_lease_wait(void)
{
}

void
fabric_kern_exit(bool cleanup OVS_UNUSED)
{
}

bool
fabric_kern_is_active(void)
{
    return false;
}

const char *
fabric_kern_inactive_reason(void)
{
    return "not built";
}

bool
fabric_kern_stands_aside(const struct fabric *f OVS_UNUSED)
{
    return false;
}

char *
fabric_kern_restrictions(const struct fabric *f OVS_UNUSED)
{
    return NULL;
}
