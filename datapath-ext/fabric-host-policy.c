/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-host-policy.h"

#include <net/if.h>

#include "fabric-kern-abi.h"
#include "fabric-netfilter.h"
#include "fabric-private.h"
#include "fabric-xfrm.h"
#include "netdev-workload.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

/* Why the kernel's programs do not send or receive, as shown. */
#define REASONS                                 \
    REASON(XFRM, "IPsec policies")

enum reason {
#define REASON(ENUM, TEXT) REASON_##ENUM,
    REASONS
#undef REASON
    N_REASONS,
};

static const char *const texts[N_REASONS] = {
#define REASON(ENUM, TEXT) [REASON_##ENUM] = TEXT,
    REASONS
#undef REASON
};

/* How many pairs of addresses and ports each reason is given for. */
static unsigned int counts[2][FABRIC_KERN_MAX_FABRICS][N_REASONS];

bool
fabric_host_policy_changed(void)
{
    bool xfrm_changed = fabric_xfrm_changed();

    return fabric_netfilter_changed() || xfrm_changed;
}

void
fabric_host_policy_wait(void)
{
    fabric_xfrm_wait();
    fabric_netfilter_wait();
}

/* What is at a workload's own port does not concern tunnelled packets. */
static bool
is_workload(const char *name)
{
    return netdev_workload_has_ifindex(if_nametoindex(name));
}

/* Returns true if netfilter could see packets of 'f'. */
static bool
is_filtered(const struct fabric *f)
{
    const struct fabric_uplinks *ups
        = ovsrcu_get(struct fabric_uplinks *, &f->uplinks);

    for (size_t i = 0; i < ups->n; i++) {
        const struct in6_addr *ip = &ups->uplinks[i]->config.local_ip;

        if (fabric_netfilter_concerns(!IN6_IS_ADDR_V4MAPPED(ip),
                                      is_workload)) {
            return true;
        }
    }
    return false;
}

bool
fabric_host_policy_refuses(const struct fabric *f)
{
    bool strict;

    atomic_read_relaxed(&f->host_strict, &strict);
    return strict && is_filtered(f);
}

void
fabric_host_policy_begin(enum fabric_host_policy_dir dir, uint32_t fabric)
{
    memset(counts[dir][fabric], 0, sizeof counts[dir][fabric]);
}

bool
fabric_host_policy_may_send(uint32_t fabric, const struct in6_addr *local_ip,
                            ovs_be16 local_port,
                            const struct in6_addr *remote_ip,
                            ovs_be16 remote_port)
{
    unsigned int *n = counts[FABRIC_HOST_POLICY_OUT][fabric];

    if (fabric_xfrm_concerns(FABRIC_XFRM_OUT, local_ip, local_port,
                             remote_ip, remote_port)) {
        n[REASON_XFRM]++;
        return false;
    }
    return true;
}

bool
fabric_host_policy_may_receive(uint32_t fabric,
                               const struct in6_addr *local_ip,
                               ovs_be16 local_port,
                               const struct in6_addr *remote_ip,
                               ovs_be16 remote_port)
{
    unsigned int *n = counts[FABRIC_HOST_POLICY_IN][fabric];

    if (fabric_xfrm_concerns(FABRIC_XFRM_IN, remote_ip, remote_port,
                             local_ip, local_port)) {
        n[REASON_XFRM]++;
        return false;
    }
    return true;
}

/* Appends what userspace does for reason 'i'. */
static void
format_reason(uint32_t fabric, size_t i, struct ds *s)
{
    unsigned int n_in = counts[FABRIC_HOST_POLICY_IN][fabric][i];
    unsigned int n_out = counts[FABRIC_HOST_POLICY_OUT][fabric][i];

    if (!n_in && !n_out) {
        return;
    }
    ds_put_format(s, "%s%s: ", s->length ? "; " : "", texts[i]);
    if (n_out) {
        ds_put_format(s, "userspace sends over %u paths", n_out);
    }
    if (n_in) {
        ds_put_format(s, "%s %u", n_out ? ", receives from"
                      : "userspace receives from", n_in);
    }
}

char *
fabric_host_policy_to_string(const struct fabric *f, uint32_t fabric)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    if (fabric_host_policy_refuses(f)) {
        ds_put_cstr(&s, "netfilter has rules, and host-policy is strict");
        return ds_steal_cstr(&s);
    }
    for (size_t i = 0; i < N_REASONS && fabric < FABRIC_KERN_MAX_FABRICS;
         i++) {
        format_reason(fabric, i, &s);
    }
    if (is_filtered(f)) {
        ds_put_format(&s, "%snetfilter has rules, which are not asked",
                      s.length ? "; " : "");
    }
    return s.length ? ds_steal_cstr(&s) : NULL;
}
