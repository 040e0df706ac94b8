/* SPDX-License-Identifier: Apache-2.0 */

/* Translation of output to a fabric.
 *
 * Between fabric_xlate_begin(), if the output comes from fabric_output, and
 * fabric_xlate_output() upstream's compose_output_action__() runs and calls
 * fabric_xlate_refuse() early and fabric_xlate_output() late.  A mirror can
 * begin another output only after that, so one request at a time suffices. */

#include <config.h>
#include "fabric-xlate.h"

#include "fabric-drops.h"
#include "fabric-encap.h"
#include "fabric-hooks.h"
#include "fabric-odp.h"
#include "fabric-private.h"
#include "fabric-registry.h"
#include "netdev.h"
#include "netlink.h"
#include "odp-netlink.h"
#include "odp-util.h"
#include "ofp-fabric.h"
#include "ofproto/ofproto-dpif-trace.h"
#include "ofproto/ofproto-dpif-xlate.h"
#include "ofproto/ofproto-dpif.h"
#include "openvswitch/meta-flow.h"
#include "openvswitch/ofp-actions.h"
#include "packets.h"
#include "util.h"

BUILD_ASSERT_DECL(FABRIC_MAX_PORT == OFP_PORT_C(0xff00) - 1);

/* Reports. */

static void OVS_PRINTF_FORMAT(3, 4)
report(struct ovs_list *trace, enum oftrace_node_type type,
       const char *format, ...)
{
    if (OVS_UNLIKELY(trace)) {
        va_list args;
        char *s;

        va_start(args, format);
        s = xvasprintf(format, args);
        va_end(args);
        oftrace_report(trace, type, s);
        free(s);
    }
}

/* Does the datapath know the fabric action?  Only the userspace datapath does,
 * which is also the only one that pushes tunnel headers itself. */
static bool
datapath_is_capable(const struct fabric_xlate_env *env)
{
    return env->xin->ofproto->backer->rt_support.tnl_push_pop;
}

static void
put_drop(const struct fabric_xlate_env *env, enum fabric_drop reason)
{
    if (datapath_is_capable(env)) {
        fabric_odp_put_drop(env->odp_actions, reason);
    } else if (ovs_explicit_drop_action_supported(env->xin->ofproto)) {
        size_t ofs = (env->is_last_action ? 0
                      : nl_msg_start_nested(env->odp_actions,
                                            OVS_ACTION_ATTR_CLONE));

        nl_msg_put_u32(env->odp_actions, OVS_ACTION_ATTR_DROP,
                       XLATE_TUNNEL_HEADER_BUILD_FAILED);
        if (!env->is_last_action) {
            nl_msg_end_nested(env->odp_actions, ofs);
        }
    }
}

#define DROP(ENV, REASON, ...)                                          \
    (report((ENV)->xin->trace, OFT_WARN, __VA_ARGS__),                  \
     report((ENV)->xin->trace, OFT_DETAIL, "dropped: %s (%s)",          \
            fabric_drop_name(REASON), fabric_drop_help(REASON)),        \
     put_drop(ENV, REASON))

static bool
is_fabric(const struct netdev *netdev)
{
    return !strcmp(netdev_get_type(netdev), "fabric");
}

/* fabric_output. */

/* Reads 'arg' of 'action', reporting what a field gave. */
static bool
read_arg(const struct fabric_xlate_env *env,
         const struct fabric_action *action, enum fabric_arg arg,
         uint64_t *value)
{
    struct ovs_list *trace = env->xin->trace;
    bool ok = fabric_action_read(action, arg, &env->xin->flow, env->wc,
                                 value);

    if (action->args[arg].src.field) {
        report(trace, ok ? OFT_DETAIL : OFT_WARN, "%s is %"PRIu64"%s",
               fabric_arg_name(arg), *value, ok ? "" : ", out of range");
    }
    return ok;
}

ofp_port_t
fabric_xlate_port(const struct fabric_xlate_env *env,
                  const struct ofpact_fabric *a)
{
    uint64_t port;

    return (read_arg(env, fabric_action_get(a), FABRIC_ARG_PORT, &port)
            ? u16_to_ofp(port) : OFPP_NONE);
}

ofp_port_t
fabric_xlate_begin(const struct fabric_xlate_env *env,
                   struct fabric_xlate_request *request,
                   const struct ofpact_fabric *a, ofp_port_t port,
                   const struct netdev *netdev)
{
    const struct fabric_action *action = fabric_action_get(a);
    struct flow_tnl *tnl = &env->xin->flow.tunnel;
    uint64_t endpoint, vni, class, policy;
    const struct fabric_endpoint *ep;
    const struct fabric *f;

    if (port == OFPP_NONE
        || !read_arg(env, action, FABRIC_ARG_ENDPOINT, &endpoint)
        || !read_arg(env, action, FABRIC_ARG_VNI, &vni)
        || !read_arg(env, action, FABRIC_ARG_CLASS, &class)
        || !read_arg(env, action, FABRIC_ARG_POLICY, &policy)) {
        DROP(env, FABRIC_DROP_TX_BAD_ARGUMENT,
             "fabric_output: bad argument from a field");
        return OFPP_NONE;
    }

    f = (netdev && is_fabric(netdev)
         ? fabric_registry_lookup(netdev_get_name(netdev)) : NULL);
    if (!f) {
        DROP(env, FABRIC_DROP_TX_NO_FABRIC,
             "port %"PRIu32"%s%s%s is not a %sfabric", port,
             netdev ? " (" : "", netdev ? netdev_get_name(netdev) : "",
             netdev ? ")" : "",
             netdev && is_fabric(netdev) ? "configured " : "");
        return OFPP_NONE;
    }
    ep = fabric_endpoint_by_id(f, endpoint);
    if (!ep) {
        DROP(env, FABRIC_DROP_TX_NO_ENDPOINT, "%s has no endpoint %"PRIu64,
             fabric_name(f), endpoint);
        return OFPP_NONE;
    }

    *request = (struct fabric_xlate_request) {
        .pending = true,
        .endpoint = endpoint,
        .class = class,
        .policy = policy,
    };
    tnl->tun_id = htonll(vni);
    tnl->ip_dst = in6_addr_get_mapped_ipv4(fabric_endpoint_primary_ip(ep));
    tnl->ipv6_dst = tnl->ip_dst ? in6addr_any
                                : *fabric_endpoint_primary_ip(ep);
    return port;
}

/* Output. */

/* Forgets the addresses by which the packet came to us if actions have set
 * tun_ipv6_dst, which is of the other family: IPv4 metadata come first where
 * there are both. */
static void
forget_received_ipv4(struct flow_tnl *tnl, const struct flow_tnl *received)
{
    if (tnl->ip_dst && tnl->ip_dst == received->ip_dst
        && ipv6_addr_is_set(&tnl->ipv6_dst)
        && !ipv6_addr_equals(&tnl->ipv6_dst, &received->ipv6_dst)) {
        tnl->ip_dst = 0;
        if (tnl->ip_src == received->ip_src) {
            tnl->ip_src = 0;
        }
    }
}

/* Says so if actions have set a source address, which takes no effect. */
static void
report_src(const struct fabric_xlate_env *env)
{
    const struct flow_tnl *received = &env->xin->upcall_flow->tunnel;
    const struct flow_tnl *tnl = &env->xin->flow.tunnel;
    struct ovs_list *trace = env->xin->trace;
    static const char ignored[]
        = "is ignored: the path decides from which local IP packets leave";

    if (OVS_LIKELY(!trace)) {
        return;
    }
    if (tnl->ip_src && tnl->ip_src != received->ip_src) {
        report(trace, OFT_WARN, "tun_src "IP_FMT" %s", IP_ARGS(tnl->ip_src),
               ignored);
    }
    if (ipv6_addr_is_set(&tnl->ipv6_src)
        && !ipv6_addr_equals(&tnl->ipv6_src, &received->ipv6_src)) {
        char src[INET6_ADDRSTRLEN];

        report(trace, OFT_WARN, "tun_ipv6_src %s %s",
               ipv6_string_mapped(src, &tnl->ipv6_src), ignored);
    }
}

/* Resolves the endpoint by the address in the flow's tunnel metadata. */
static struct fabric_endpoint *
resolve_dst(const struct fabric_xlate_env *env, const struct fabric *f,
            const struct in6_addr *own_ip)
{
    const struct in6_addr dst = flow_tnl_dst(&env->xin->flow.tunnel);
    char dst_s[INET6_ADDRSTRLEN];
    struct fabric_endpoint *ep;

    if (!ipv6_addr_is_set(&dst)) {
        DROP(env, FABRIC_DROP_TX_NO_DST, "no tun_dst for output to %s",
             fabric_name(f));
        return NULL;
    }
    ipv6_string_mapped(dst_s, &dst);
    if (ipv6_addr_equals(&dst, own_ip)) {
        DROP(env, FABRIC_DROP_TX_OWN_ADDRESS, "tun_dst %s is our own address",
             dst_s);
        return NULL;
    }
    ep = fabric_endpoint_by_ip(f, &dst);
    if (!ep) {
        DROP(env, FABRIC_DROP_TX_NO_ENDPOINT, "%s has no endpoint with IP %s",
             fabric_name(f), dst_s);
    }
    return ep;
}

bool
fabric_xlate_refuse(const struct fabric_xlate_env *env,
                    struct fabric_xlate_request *request,
                    const struct netdev *netdev,
                    const struct in6_addr *own_ip)
{
    struct flow_tnl *tnl = &env->xin->flow.tunnel;
    const char *name = netdev_get_name(netdev);
    const struct fabric *f;

    if (!is_fabric(netdev)) {
        return false;
    }

    f = fabric_registry_lookup(name);
    if (!f) {
        DROP(env, FABRIC_DROP_TX_NO_FABRIC, "fabric %s is not configured",
             name);
        return true;
    }
    if (!ovs_native_tunneling_is_on(env->xin->ofproto)) {
        DROP(env, FABRIC_DROP_TX_NOT_TUNNELED,
             "%s: only the userspace datapath can send to a fabric", name);
        return true;
    }

    report_src(env);
    if (!request->pending) {
        const struct fabric_endpoint *ep;

        forget_received_ipv4(tnl, &env->xin->upcall_flow->tunnel);
        ep = resolve_dst(env, f, own_ip);
        if (!ep) {
            return true;
        }
        *request = (struct fabric_xlate_request) {
            .endpoint = fabric_endpoint_id(ep),
            .policy = FABRIC_POLICY_DEFAULT,
        };
    }
    request->pending = false;

    if (ntohll(tnl->tun_id) > FABRIC_MAX_VNI) {
        DROP(env, FABRIC_DROP_TX_BAD_VNI, "tunnel ID %#"PRIx64" does not fit "
             "in a VNI", ntohll(tnl->tun_id));
        return true;
    }
    if (ntohll(tnl->tun_id) == fabric_get_config(f)->probe.vni) {
        DROP(env, FABRIC_DROP_TX_PROBE_VNI, "VNI %"PRIu64" is the one of "
             "%s's probes (probe:vni)", ntohll(tnl->tun_id), name);
        return true;
    }
    return false;
}

static void
report_output(struct ovs_list *trace, const struct fabric *f,
              const struct fabric_odp_output *out,
              const struct flow_tnl *tnl)
{
    const struct fabric_endpoint *ep = fabric_endpoint_by_id(f, out->endpoint);
    struct fabric_path_info *paths;
    size_t n;

    if (OVS_LIKELY(!trace) || !ep) {
        return;
    }

    report(trace, OFT_DETAIL, "fabric %s: endpoint %"PRIu32" (%s), %s, "
           "VNI %"PRIu64", class %"PRIu8", policy %s", fabric_name(f),
           out->endpoint, fabric_endpoint_name(ep),
           fabric_encap_to_string(out->encap), ntohll(tnl->tun_id),
           out->class, fabric_policy_to_string(out->policy));
    n = fabric_endpoint_get_paths(ep, &paths);
    for (size_t i = 0; i < n; i++) {
        char local[INET6_ADDRSTRLEN], remote[INET6_ADDRSTRLEN];

        report(trace, OFT_DETAIL, "path %s -> %s source port %"PRIu16": %s",
               ipv6_string_mapped(local, &paths[i].local_ip),
               ipv6_string_mapped(remote, &paths[i].remote_ip),
               paths[i].src_port,
               fabric_path_state_to_string(paths[i].state));
    }
    if (!n) {
        report(trace, OFT_WARN, "no path: packets will be dropped (%s)",
               fabric_drop_name(FABRIC_DROP_TX_NO_PATH));
    }
    free(paths);
}

/* The Geneve options and the OAM flag of a packet that came through a tunnel
 * go out again unless actions changed them, so a flow must match on them. */
static void
unwildcard_metadata(const struct fabric_xlate_env *env)
{
    const struct flow_tnl *tnl = &env->xin->flow.tunnel;
    uint64_t map = tnl->metadata.present.map;

    if (!flow_tnl_dst_is_set(&env->xin->upcall_flow->tunnel)) {
        return;
    }
    env->wc->masks.tunnel.flags |= FLOW_TNL_F_OAM;
    while (map) {
        int idx = rightmost_1bit_idx(map);

        mf_mask_field(mf_from_id(MFF_TUN_METADATA0 + idx), env->wc);
        map = zero_rightmost_1bit(map);
    }
}

bool
fabric_xlate_output(const struct fabric_xlate_env *env,
                    struct fabric_xlate_request *request,
                    const struct netdev *netdev, odp_port_t odp_port,
                    int mirror_snaplen)
{
    const struct flow_tnl *tnl = &env->xin->flow.tunnel;
    struct fabric_odp_output out;
    struct fabric *f;

    if (!is_fabric(netdev)) {
        return false;
    }
    f = fabric_registry_lookup(netdev_get_name(netdev));
    if (!f) {
        return true;
    }

    out = (struct fabric_odp_output) {
        .subtype = FABRIC_ODP_OUTPUT,
        .class = request->class,
        .policy = request->policy,
        .encap = fabric_get_encap(f),
        .tos = tnl->ip_tos,
        .ttl = tnl->ip_ttl,
        .port = odp_to_u32(odp_port),
        .endpoint = request->endpoint,
    };
    if (is_ip_any(&env->xin->flow) && IP_ECN_is_ce(env->xin->flow.nw_tos)) {
        /* RFC 6040 section 4.1, normal mode.  tnl_port_send(), which made the
         * flow match on the inner ECN field, has put ECT(0) here. */
        out.tos |= IP_ECN_CE;
    }
    if (out.encap == FABRIC_ENCAP_GENEVE) {
        unwildcard_metadata(env);
    }
    out.header_len = fabric_encap_build(out.encap, tnl, out.header);

    if (mirror_snaplen > 0 && mirror_snaplen < UINT16_MAX) {
        struct ovs_action_trunc *trunc;

        trunc = nl_msg_put_unspec_uninit(env->odp_actions,
                                         OVS_ACTION_ATTR_TRUNC, sizeof *trunc);
        trunc->max_len = mirror_snaplen;
    }
    /* The datapath knows the fabric by its port only. */
    fabric_set_odp_port(f, odp_port);
    fabric_odp_put_output(env->odp_actions, &out);
    report_output(env->xin->trace, f, &out, tnl);
    return true;
}
