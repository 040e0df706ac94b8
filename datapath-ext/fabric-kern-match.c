/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-kern-match.h"

#include "fabric-kern-drops.h"
#include "fabric-kern-names.h"
#include "fabric-odp.h"
#include "flow.h"
#include "netlink.h"
#include "odp-netlink.h"
#include "odp-util.h"
#include "openvswitch/match.h"
#include "packets.h"
#include "util.h"

static const char NO_PORT[] = "a port that is not in the kernel";

/* Match. */

/* Copies field MEMBER of the match to field TO of the key. */
#define COPY(TO, MEMBER)                                                \
    do {                                                                \
        BUILD_ASSERT(sizeof key->TO == sizeof f->MEMBER);               \
        memcpy(&key->TO, &f->MEMBER, sizeof key->TO);                   \
        memcpy(&mask->TO, &m->MEMBER, sizeof mask->TO);                 \
        memset(&left->MEMBER, 0, sizeof left->MEMBER);                  \
    } while (0)

/* Accepts a match on field MEMBER, which of the packets that the kernel's
 * programs look up is zero. */
#define ZERO(MEMBER)                                                    \
    do {                                                                \
        if (!is_all_zeros(&f->MEMBER, sizeof f->MEMBER)) {              \
            return #MEMBER;                                             \
        }                                                               \
        memset(&left->MEMBER, 0, sizeof left->MEMBER);                  \
    } while (0)

static bool
is_exact(const void *mask, size_t size)
{
    return is_all_ones(mask, size);
}

/* The addresses of a tunnel, which stand for the endpoint that sends.  Our own
 * address follows from the sender's, but not the other way round. */
static const char *
match_sender(const struct flow_tnl *f, const struct flow_tnl *m,
             odp_port_t in_port, struct fabric_kern_names *names,
             struct fabric_kern_key *key, struct fabric_kern_key *mask)
{
    struct fabric_kern_name sender = {
        .type = FABRIC_KERN_NAME_SENDER,
        .port = in_port,
        .src = flow_tnl_src(f),
    };
    bool has_dst = m->ip_dst || ipv6_addr_is_set(&m->ipv6_dst);

    if (!m->ip_src && !ipv6_addr_is_set(&m->ipv6_src)) {
        return has_dst ? "the tunnel's destination" : NULL;
    }
    if (has_dst) {
        if (!(f->ip_dst ? m->ip_dst == OVS_BE32_MAX
              : ipv6_mask_is_exact(&m->ipv6_dst))) {
            return "the tunnel's destination";
        }
        sender.dst = flow_tnl_dst(f);
    }
    if (!(f->ip_src ? m->ip_src == OVS_BE32_MAX
          : ipv6_mask_is_exact(&m->ipv6_src))) {
        return "the sender's address";
    }
    key->sender = fabric_kern_names_look_up(names, &sender)->id;
    mask->sender = UINT32_MAX;
    return key->sender ? NULL : "the sender's address";
}

/* The header of a tunnel. */
static const char *
match_tunnel(const struct flow_tnl *f, const struct flow_tnl *m,
             odp_port_t in_port, struct fabric_kern_names *names,
             struct fabric_kern_key *key, struct fabric_kern_key *mask)
{
    const char *reason;

    if (m->flags & f->flags & ~(FLOW_TNL_F_KEY | FLOW_TNL_F_UDPIF)) {
        return "tunnel flags";
    }
    if (f->metadata.present.len || f->metadata.present.map
        || m->gbp_id || m->gbp_flags || m->gtpu_flags || m->gtpu_msgtype
        || m->erspan_ver || m->tp_src || m->tp_dst) {
        return "tunnel options";
    }

    reason = match_sender(f, m, in_port, names, key, mask);
    if (reason) {
        return reason;
    }
    if (ntohll(f->tun_id) >> 24) {
        return "tunnel ID";
    }
    key->vni = ntohll(f->tun_id);
    mask->vni = ntohll(m->tun_id) & 0xffffff;
    key->tun_tos = f->ip_tos;
    mask->tun_tos = m->ip_tos;
    key->tun_ttl = f->ip_ttl;
    mask->tun_ttl = m->ip_ttl;
    return NULL;
}

static const char *
match_metadata(const struct match *match, struct flow *left,
               struct fabric_kern_names *names,
               struct fabric_kern_key *key, struct fabric_kern_key *mask)
{
    const struct flow *f = &match->flow, *m = &match->wc.masks;
    const struct fabric_kern_name *in_port;

    if (f->packet_type != htonl(PT_ETH)) {
        return "packet type";
    }
    left->packet_type = 0;
    in_port = fabric_kern_names_look_up(
        names, &(struct fabric_kern_name) {
            .type = FABRIC_KERN_NAME_PORT,
            .port = f->in_port.odp_port,
        });
    if (!in_port->id) {
        return NO_PORT;
    }
    key->in_port = in_port->id;
    mask->in_port = UINT32_MAX;
    left->in_port.odp_port = 0;

    ZERO(recirc_id);
    ZERO(skb_priority);
    ZERO(pkt_mark);
    ZERO(ct_state);
    ZERO(ct_zone);
    ZERO(ct_mark);
    ZERO(ct_label);
    if (in_port->fabric != UINT32_MAX) {
        const char *reason = match_tunnel(&f->tunnel, &m->tunnel,
                                          f->in_port.odp_port, names, key,
                                          mask);

        if (reason) {
            return reason;
        }
        memset(&left->tunnel, 0, sizeof left->tunnel);
    } else {
        ZERO(tunnel);
    }
    return NULL;
}

static const char *
match_l2(const struct match *match, struct flow *left,
         struct fabric_kern_key *key, struct fabric_kern_key *mask)
{
    const struct flow *f = &match->flow, *m = &match->wc.masks;

    COPY(eth_dst, dl_dst);
    COPY(eth_src, dl_src);
    if (!is_exact(&m->dl_type, sizeof m->dl_type)
        || (f->dl_type != htons(ETH_TYPE_IP)
            && f->dl_type != htons(ETH_TYPE_IPV6))) {
        return "a protocol other than IPv4 and IPv6";
    }
    COPY(eth_type, dl_type);

    if (f->vlans[0].tci && f->vlans[0].tpid != htons(ETH_TYPE_VLAN_8021Q)) {
        return "a tag other than IEEE 802.1Q's";
    }
    left->vlans[0].tpid = 0;
    COPY(vlan_tci, vlans[0].tci);
    ZERO(vlans[1]);
    return NULL;
}

static const char *
match_l3(const struct match *match, struct flow *left,
         struct fabric_kern_key *key, struct fabric_kern_key *mask)
{
    const struct flow *f = &match->flow, *m = &match->wc.masks;

    if (f->dl_type == htons(ETH_TYPE_IP)) {
        COPY(ip_src[0], nw_src);
        COPY(ip_dst[0], nw_dst);
    } else {
        COPY(ip_src, ipv6_src);
        COPY(ip_dst, ipv6_dst);
        COPY(ipv6_label, ipv6_label);
    }
    ZERO(nw_frag);
    COPY(ip_proto, nw_proto);
    COPY(ip_tos, nw_tos);
    COPY(ip_ttl, nw_ttl);
    COPY(tp_src, tp_src);
    COPY(tp_dst, tp_dst);
    COPY(tcp_flags, tcp_flags);
    return NULL;
}

const char *
fabric_kern_match(const struct match *match,
                  struct fabric_kern_names *names,
                  struct fabric_kern_key *key, struct fabric_kern_key *mask)
{
    struct flow left = match->wc.masks;
    const char *reason;

    memset(key, 0, sizeof *key);
    memset(mask, 0, sizeof *mask);
    reason = match_metadata(match, &left, names, key, mask);
    if (!reason) {
        reason = match_l2(match, &left, key, mask);
    }
    if (!reason) {
        reason = match_l3(match, &left, key, mask);
    }
    if (!reason && !is_all_zeros(&left, sizeof left)) {
        reason = "a field that the kernel's programs do not parse";
    }

    uint32_t *k = (uint32_t *) key;
    const uint32_t *m = (const uint32_t *) mask;
    for (size_t i = 0; i < FABRIC_KERN_KEY_WORDS; i++) {
        k[i] &= m[i];
    }
    return reason;
}

/* Actions. */

struct compiler {
    struct fabric_kern_names *names;
    struct fabric_kern_flow *flow;
    bool untagged;              /* Is the packet known to have no tag? */
    bool tag_moved;             /* Does a tag that it had stay? */
    bool dropped;               /* Is it dropped for a reason? */
    uint32_t done;              /* Bits: types of operations so far. */
};

static struct fabric_kern_op *
add_op(struct compiler *c, enum fabric_kern_op_type type)
{
    struct fabric_kern_op *op;

    if (c->flow->n_ops >= FABRIC_KERN_MAX_OPS) {
        return NULL;
    }
    op = &c->flow->ops[c->flow->n_ops++];
    op->type = type;
    c->done |= 1u << type;
    return op;
}

/* Adds an operation that sets 'n' bytes.  Null 'mask' means all of them. */
static const char *
add_set(struct compiler *c, enum fabric_kern_op_type type, const void *value,
        const void *mask, size_t n)
{
    struct fabric_kern_op *op;

    if (mask && is_all_zeros(mask, n)) {
        return NULL;
    }
    /* Checksums are updated from what the packet had when it came. */
    if (c->done & (1u << type)) {
        return "a field that is set twice";
    }
    op = add_op(c, type);
    if (!op) {
        return "many actions";
    }
    memcpy(op->value, value, n);
    if (mask) {
        memcpy(op->mask, mask, n);
    } else {
        memset(op->mask, 0xff, n);
    }
    return NULL;
}

static const char *
set_ethernet(struct compiler *c, const struct ovs_key_ethernet *v,
             const struct ovs_key_ethernet *m)
{
    struct eth_addr value[2] = { v->eth_dst, v->eth_src };
    struct eth_addr mask[2];

    if (m) {
        mask[0] = m->eth_dst;
        mask[1] = m->eth_src;
    }
    return add_set(c, FABRIC_KERN_OP_SET_ETH, value, m ? mask : NULL,
                   sizeof value);
}

/* As FABRIC_KERN_OP_SET_IPV4 wants them. */
struct ipv4_fields {
    ovs_be32 src, dst;
    uint8_t proto, tos, ttl, zero;
};

static struct ipv4_fields
ipv4_fields(const struct ovs_key_ipv4 *k)
{
    return (struct ipv4_fields) {
        .src = k->ipv4_src,
        .dst = k->ipv4_dst,
        .tos = k->ipv4_tos,
        .ttl = k->ipv4_ttl,
    };
}

static const char *
set_ipv4(struct compiler *c, const struct ovs_key_ipv4 *v,
         const struct ovs_key_ipv4 *m)
{
    struct ipv4_fields value = ipv4_fields(v), mask;

    if (m) {
        mask = ipv4_fields(m);
    } else {
        memset(&mask, 0xff, sizeof mask);
        mask.proto = mask.zero = 0;
    }
    return add_set(c, FABRIC_KERN_OP_SET_IPV4, &value, &mask, sizeof value);
}

/* As FABRIC_KERN_OP_SET_IPV6 wants them. */
struct ipv6_fields {
    ovs_be32 label;
    uint8_t hlimit, tclass, zero[2];
};

static const char *
set_ipv6(struct compiler *c, const struct ovs_key_ipv6 *v,
         const struct ovs_key_ipv6 *m)
{
    struct ipv6_fields value = {
        .label = v->ipv6_label,
        .hlimit = v->ipv6_hlimit,
        .tclass = v->ipv6_tclass,
    }, mask = {
        .label = m ? m->ipv6_label : htonl(IPV6_LABEL_MASK),
        .hlimit = m ? m->ipv6_hlimit : UINT8_MAX,
        .tclass = m ? m->ipv6_tclass : UINT8_MAX,
    };
    const char *reason;

    reason = add_set(c, FABRIC_KERN_OP_SET_IPV6_SRC, &v->ipv6_src,
                     m ? &m->ipv6_src : NULL, sizeof v->ipv6_src);
    if (!reason) {
        reason = add_set(c, FABRIC_KERN_OP_SET_IPV6_DST, &v->ipv6_dst,
                         m ? &m->ipv6_dst : NULL, sizeof v->ipv6_dst);
    }
    if (!reason) {
        reason = add_set(c, FABRIC_KERN_OP_SET_IPV6, &value, &mask,
                         sizeof value);
    }
    return reason;
}

static const char *
set_field(struct compiler *c, const struct nlattr *a, bool masked)
{
    size_t size = nl_attr_get_size(a) / (masked ? 2 : 1);
    const void *value = nl_attr_get(a);
    const void *mask = masked ? (const char *) value + size : NULL;

    switch (nl_attr_type(a)) {
    case OVS_KEY_ATTR_ETHERNET:
        return set_ethernet(c, value, mask);
    case OVS_KEY_ATTR_IPV4:
        return set_ipv4(c, value, mask);
    case OVS_KEY_ATTR_IPV6:
        return set_ipv6(c, value, mask);
    case OVS_KEY_ATTR_TCP:
    case OVS_KEY_ATTR_UDP:
        return add_set(c, FABRIC_KERN_OP_SET_PORTS, value, mask, 4);
    case OVS_KEY_ATTR_TUNNEL:
        return "another tunnel";
    }
    return "a field that the kernel's programs do not set";
}

static const char *
output(struct compiler *c, odp_port_t port, bool last)
{
    const struct fabric_kern_name *to;
    struct fabric_kern_op *op = NULL;

    if (!last) {
        op = add_op(c, FABRIC_KERN_OP_OUTPUT);
        if (!op) {
            return "many actions";
        }
    }
    to = fabric_kern_names_look_up(c->names, &(struct fabric_kern_name) {
                                       .type = FABRIC_KERN_NAME_OUTPUT,
                                       .port = port,
                                   });
    if (!to->id) {
        return NO_PORT;
    }
    if (last) {
        c->flow->verdict = FABRIC_KERN_OUTPUT;
        c->flow->port = to->id;
    } else {
        op->port = to->id;
    }
    return NULL;
}

static const char *
drop(struct compiler *c, const struct nlattr *a, bool last)
{
    if (!last) {
        return "actions after a drop";
    }
    if (!fabric_kern_drop_number(a, &c->flow->port)) {
        return "a drop for an unknown reason";
    }
    c->flow->verdict = FABRIC_KERN_DROP;
    c->dropped = true;
    return NULL;
}

static const char *
output_fabric(struct compiler *c, const struct nlattr *a, bool last)
{
    const struct fabric_odp_output *out = fabric_odp_get_output(a);
    struct fabric_kern_flow *flow = c->flow;
    const struct fabric_kern_name *to;

    if (!out) {
        return drop(c, a, last);
    }
    if (!last) {
        return "actions after the tunnel";
    }
    if (out->header_len != sizeof flow->header) {
        return "Geneve options";
    }
    if (c->tag_moved) {
        return "a tag inside the tunnel";
    }
    to = fabric_kern_names_look_up(c->names, &(struct fabric_kern_name) {
                                       .type = FABRIC_KERN_NAME_RECEIVER,
                                       .port = u32_to_odp(out->port),
                                       .endpoint = out->endpoint,
                                   });
    if (!to->id) {
        return "an endpoint that is not in the kernel";
    }
    flow->receiver = to->id;
    flow->endpoint = to->index;
    flow->fabric = to->fabric;
    flow->verdict = FABRIC_KERN_FABRIC;
    flow->tos = out->tos;
    flow->ttl = out->ttl;
    flow->untagged = c->untagged;
    memcpy(flow->header, out->header, sizeof flow->header);
    return NULL;
}

static const char *
push_vlan(struct compiler *c, const struct ovs_action_push_vlan *push)
{
    struct fabric_kern_op *op;

    if (push->vlan_tpid != htons(ETH_TYPE_VLAN_8021Q)) {
        return "a tag other than IEEE 802.1Q's";
    }
    if (!c->untagged) {
        return "a second tag";
    }
    op = add_op(c, FABRIC_KERN_OP_PUSH_VLAN);
    if (!op) {
        return "many actions";
    }
    op->arg = ntohs(push->vlan_tci);
    c->untagged = false;
    c->tag_moved = true;
    return NULL;
}

static const char *
pop_vlan(struct compiler *c)
{
    if (!add_op(c, FABRIC_KERN_OP_POP_VLAN)) {
        return "many actions";
    }
    c->untagged = true;
    c->tag_moved = false;
    return NULL;
}

static const char *
compile(struct compiler *c, const struct nlattr *a, bool last)
{
    enum ovs_action_attr type = nl_attr_type(a);

    switch (type) {
    case OVS_ACTION_ATTR_OUTPUT:
        return output(c, nl_attr_get_odp_port(a), last);
    case OVS_ACTION_ATTR_FABRIC:
        return output_fabric(c, a, last);
    case OVS_ACTION_ATTR_PUSH_VLAN:
        return push_vlan(c, nl_attr_get(a));
    case OVS_ACTION_ATTR_POP_VLAN:
        return pop_vlan(c);
    case OVS_ACTION_ATTR_SET:
        return set_field(c, nl_attr_get(a), false);
    case OVS_ACTION_ATTR_SET_MASKED:
        return set_field(c, nl_attr_get(a), true);
    case OVS_ACTION_ATTR_USERSPACE:
        return "action userspace";
    case OVS_ACTION_ATTR_SAMPLE:
        return "action sample";
    case OVS_ACTION_ATTR_CT:
    case OVS_ACTION_ATTR_CT_CLEAR:
        return "action ct";
    case OVS_ACTION_ATTR_RECIRC:
    case OVS_ACTION_ATTR_HASH:
        return "action recirc";
    case OVS_ACTION_ATTR_METER:
        return "action meter";
    case OVS_ACTION_ATTR_TRUNC:
        return "action trunc";
    case OVS_ACTION_ATTR_CLONE:
        return "action clone";
    case OVS_ACTION_ATTR_DROP:
        return drop(c, a, last);
    case OVS_ACTION_ATTR_UNSPEC:
    case OVS_ACTION_ATTR_PUSH_MPLS:
    case OVS_ACTION_ATTR_POP_MPLS:
    case OVS_ACTION_ATTR_PUSH_ETH:
    case OVS_ACTION_ATTR_POP_ETH:
    case OVS_ACTION_ATTR_PUSH_NSH:
    case OVS_ACTION_ATTR_POP_NSH:
    case OVS_ACTION_ATTR_CHECK_PKT_LEN:
    case OVS_ACTION_ATTR_ADD_MPLS:
    case OVS_ACTION_ATTR_DEC_TTL:
    case OVS_ACTION_ATTR_PSAMPLE:
    case OVS_ACTION_ATTR_TUNNEL_PUSH:
    case OVS_ACTION_ATTR_TUNNEL_POP:
    case OVS_ACTION_ATTR_LB_OUTPUT:
    case __OVS_ACTION_ATTR_MAX:
    default:
        return "an action that the kernel's programs do not know";
    }
}

const char *
fabric_kern_actions(const struct nlattr *actions, size_t len,
                    struct fabric_kern_names *names,
                    const struct fabric_kern_key *key,
                    const struct fabric_kern_key *mask,
                    struct fabric_kern_flow *flow)
{
    struct compiler c = {
        .names = names,
        .flow = flow,
        .untagged = (mask->vlan_tci & htons(VLAN_CFI)
                     && !(key->vlan_tci & htons(VLAN_CFI))),
    };
    const struct nlattr *a;
    size_t left;

    memset(flow, 0, sizeof *flow);
    flow->verdict = FABRIC_KERN_DROP;
    NL_ATTR_FOR_EACH_UNSAFE (a, left, actions, len) {
        const char *reason = compile(&c, a, NLA_ALIGN(a->nla_len) >= left);

        if (reason) {
            return reason;
        }
    }
    /* Copies alone: the packet itself goes nowhere. */
    return (flow->n_ops && flow->verdict == FABRIC_KERN_DROP && !c.dropped
            ? "actions without an output" : NULL);
}
