/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_KERN_ACTIONS_H
#define FABRIC_KERN_ACTIONS_H 1

/* What flows do to a packet: changes of fields, and the outer headers.
 *
 * Functions that return int return 0, or -1 if the packet cannot be changed,
 * which leaves it in an unknown state: drop it. */

#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "fabric-kern-maps.h"
#include "fabric-kern-packet.h"

/* Linux 6.3+, newer than the headers that may be installed. */
#define DECAP_L3_IPV4 (1ull << 7)
#define DECAP_L3_IPV6 (1ull << 8)

#define V4_OUTER (sizeof(struct iphdr) + sizeof(struct udphdr) + 8)
#define V6_OUTER (sizeof(struct ipv6hdr) + sizeof(struct udphdr) + 8)

static __always_inline void
apply_mask(__u8 *to, const struct fabric_kern_op *op, int n)
{
    for (int i = 0; i < n; i++) {
        to[i] = (to[i] & ~op->mask[i]) | (op->value[i] & op->mask[i]);
    }
}

/* Replaces the 'n' bytes at 'ofs' and what the checksum of TCP, UDP or ICMPv6
 * makes of them. */
static __always_inline int
replace(struct __sk_buff *skb, const struct packet *p, __u32 ofs, void *old,
        void *new, int n, bool pseudo)
{
    __u32 l4 = p->l3_ofs + (p->is_ipv6 ? sizeof(struct ipv6hdr)
                            : sizeof(struct iphdr));
    __u64 flags = pseudo ? BPF_F_PSEUDO_HDR : 0;
    __u8 proto = p->key.ip_proto;
    __s64 diff = bpf_csum_diff(old, n, new, n, 0);

    if (proto == IPPROTO_TCP) {
        l4 += 16;
    } else if (proto == IPPROTO_UDP) {
        l4 += 6;
        flags |= BPF_F_MARK_MANGLED_0;
    } else if (proto == IPPROTO_ICMPV6) {
        l4 += 2;
    } else {
        l4 = 0;
    }
    if (l4 && bpf_l4_csum_replace(skb, l4, 0, diff, flags)) {
        return -1;
    }
    return bpf_skb_store_bytes(skb, ofs, new, n, 0);
}

static __noinline int
set_eth(struct __sk_buff *skb, struct fabric_kern_op *op)
{
    __u8 macs[12];

    if (!op || bpf_skb_load_bytes(skb, 0, macs, sizeof macs)) {
        return -1;
    }
    apply_mask(macs, op, sizeof macs);
    return bpf_skb_store_bytes(skb, 0, macs, sizeof macs, 0);
}

/* Changes TOS or traffic class, from 'old' to 'new'. */
static __always_inline int
set_tos(struct __sk_buff *skb, const struct packet *p, __u8 old, __u8 new)
{
    __u32 ip = p->l3_ofs;
    __u32 first;

    if (!p->is_ipv6) {
        return (bpf_l3_csum_replace(skb, ip + 10, bpf_htons(old),
                                    bpf_htons(new), 2)
                || bpf_skb_store_bytes(skb, ip + 1, &new, 1, 0));
    }
    first = bpf_htonl(6u << 28 | (__u32) new << 20
                      | bpf_ntohl(p->key.ipv6_label));
    return bpf_skb_store_bytes(skb, ip, &first, sizeof first, 0);
}

static __always_inline int
set_ipv4(struct __sk_buff *skb, const struct packet *p,
         const struct fabric_kern_op *op)
{
    struct {
        __u32 src, dst;
        __u8 proto, tos, ttl, zero;
    } old = {
        .src = p->key.ip_src[0],
        .dst = p->key.ip_dst[0],
        .proto = p->key.ip_proto,
        .tos = p->key.ip_tos,
        .ttl = p->key.ip_ttl,
    }, new = old;
    __u32 ip = p->l3_ofs;

    apply_mask((__u8 *) &new, op, sizeof new);
    if (new.src != old.src || new.dst != old.dst) {
        if (bpf_l3_csum_replace(skb, ip + 10, 0,
                                bpf_csum_diff(&old.src, 8, &new.src, 8, 0),
                                0)
            || replace(skb, p, ip + 12, &old.src, &new.src, 8, true)) {
            return -1;
        }
    }
    if (new.tos != old.tos && set_tos(skb, p, old.tos, new.tos)) {
        return -1;
    }
    if (new.ttl != old.ttl
        && (bpf_l3_csum_replace(skb, ip + 10, bpf_htons(old.ttl << 8),
                                bpf_htons(new.ttl << 8), 2)
            || bpf_skb_store_bytes(skb, ip + 8, &new.ttl, 1, 0))) {
        return -1;
    }
    return 0;
}

static __always_inline int
set_ipv6_addr(struct __sk_buff *skb, const struct packet *p,
              const struct fabric_kern_op *op, bool is_src)
{
    __u32 ofs = p->l3_ofs + (is_src ? 8 : 24);
    __u32 old[4], new[4];

    if (bpf_skb_load_bytes(skb, ofs, old, sizeof old)) {
        return -1;
    }
    __builtin_memcpy(new, old, sizeof new);
    apply_mask((__u8 *) new, op, sizeof new);
    return replace(skb, p, ofs, old, new, sizeof new, true);
}

/* Label, hop limit and traffic class are not in the pseudo-header. */
static __always_inline int
set_ipv6(struct __sk_buff *skb, const struct packet *p,
         const struct fabric_kern_op *op)
{
    struct {
        __u32 label;
        __u8 hop_limit, tclass, zero[2];
    } f = {
        .label = p->key.ipv6_label,
        .hop_limit = p->key.ip_ttl,
        .tclass = p->key.ip_tos,
    };
    __u32 first;

    apply_mask((__u8 *) &f, op, sizeof f);
    first = bpf_htonl(6u << 28 | (__u32) f.tclass << 20
                      | (bpf_ntohl(f.label) & 0xfffff));
    return (bpf_skb_store_bytes(skb, p->l3_ofs, &first, 4, 0)
            || bpf_skb_store_bytes(skb, p->l3_ofs + 7, &f.hop_limit, 1, 0));
}

static __always_inline int
set_ports(struct __sk_buff *skb, const struct packet *p,
          const struct fabric_kern_op *op)
{
    __u32 l4 = p->l3_ofs + (p->is_ipv6 ? sizeof(struct ipv6hdr)
                            : sizeof(struct iphdr));
    __u16 old[2] = { p->key.tp_src, p->key.tp_dst };
    __u16 new[2] = { old[0], old[1] };

    apply_mask((__u8 *) new, op, sizeof new);
    return replace(skb, p, l4, old, new, sizeof new, false);
}

/* Returns the interface of the port of identity 'id', or 0 if that is no
 * longer a port or its interface is gone. */
static __always_inline __u32
output_ifindex(__u32 id)
{
    const __u32 *ifindex = bpf_map_lookup_elem(&devices, &id);

    return ifindex ? *ifindex : 0;
}

static __always_inline int
execute(struct __sk_buff *skb, const struct packet *p,
        struct fabric_kern_op *op)
{
    __u32 ifindex;

    switch (op->type) {
    case FABRIC_KERN_OP_OUTPUT:
        /* A copy that cannot be made is lost, as on a full queue. */
        ifindex = output_ifindex(op->port);
        if (ifindex) {
            bpf_clone_redirect(skb, ifindex, 0);
        }
        return 0;
    case FABRIC_KERN_OP_PUSH_VLAN:
        return bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q),
                                 op->arg & ~VLAN_CFI);
    case FABRIC_KERN_OP_POP_VLAN:
        return bpf_skb_vlan_pop(skb);
    case FABRIC_KERN_OP_SET_ETH:
        return set_eth(skb, op);
    case FABRIC_KERN_OP_SET_IPV4:
        return set_ipv4(skb, p, op);
    case FABRIC_KERN_OP_SET_IPV6_SRC:
        return set_ipv6_addr(skb, p, op, true);
    case FABRIC_KERN_OP_SET_IPV6_DST:
        return set_ipv6_addr(skb, p, op, false);
    case FABRIC_KERN_OP_SET_IPV6:
        return set_ipv6(skb, p, op);
    case FABRIC_KERN_OP_SET_PORTS:
        return set_ports(skb, p, op);
    }
    return -1;
}

static __always_inline bool
is_v4mapped(const __u32 ip[4])
{
    return !ip[0] && !ip[1] && ip[2] == bpf_htonl(0xffff);
}

/* What one adds to the header of a datagram, and sends it. */
struct outer4 {
    struct ethhdr eth;
    struct iphdr ip;
    struct udphdr udp;
    __u8 header[8];
    __u8 inner_macs[12];
    __u16 inner_type;
} __attribute__((packed));

struct outer6 {
    struct ethhdr eth;
    struct ipv6hdr ip;
    struct udphdr udp;
    __u8 header[8];
    __u8 inner_macs[12];
    __u16 inner_type;
} __attribute__((packed));

#define ENCAP_FLAGS (BPF_F_ADJ_ROOM_ENCAP_L4_UDP                        \
                     | BPF_F_ADJ_ROOM_ENCAP_L2(ETH_HLEN)                \
                     | BPF_F_ADJ_ROOM_ENCAP_L2_ETH                      \
                     | BPF_F_ADJ_ROOM_FIXED_GSO)

static __always_inline __u16
ip_csum(const struct iphdr *ip)
{
    __u32 sum = bpf_csum_diff(NULL, 0, (__u32 *) ip, sizeof *ip, 0);

    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return ~sum;
}

/* bpf_skb_adjust_room() needs its Ethernet header's type to be the inner
 * packet's, and puts the new room behind that header. */
static __noinline int
encap4(struct __sk_buff *skb, struct fabric_kern_flow *flow,
       struct fabric_kern_path *path)
{
    struct outer4 o = { .eth.h_proto = bpf_htons(ETH_P_IP) };
    __u32 len = skb->len - ETH_HLEN;

    if (!flow || !path || bpf_skb_load_bytes(skb, 0, o.inner_macs, 14)
        || bpf_skb_adjust_room(skb, V4_OUTER + ETH_HLEN, BPF_ADJ_ROOM_MAC,
                               ENCAP_FLAGS | BPF_F_ADJ_ROOM_ENCAP_L3_IPV4)) {
        return -1;
    }
    len += V4_OUTER + ETH_HLEN;
    o.ip.version = 4;
    o.ip.ihl = 5;
    o.ip.tos = flow->tos;
    o.ip.tot_len = bpf_htons(len);
    o.ip.id = bpf_get_prandom_u32();
    o.ip.ttl = flow->ttl;
    o.ip.protocol = IPPROTO_UDP;
    o.ip.saddr = path->local_ip[3];
    o.ip.daddr = path->remote_ip[3];
    o.ip.check = ip_csum(&o.ip);
    o.udp.source = path->src_port;
    o.udp.dest = path->dst_port;
    o.udp.len = bpf_htons(len - sizeof o.ip);
    __builtin_memcpy(o.header, flow->header, 8);
    return bpf_skb_store_bytes(skb, 0, &o, sizeof o, 0);
}

static __noinline int
encap6(struct __sk_buff *skb, struct fabric_kern_flow *flow,
       struct fabric_kern_path *path)
{
    struct outer6 o = { .eth.h_proto = bpf_htons(ETH_P_IPV6) };
    __u32 len = skb->len - ETH_HLEN;

    if (!flow || !path || bpf_skb_load_bytes(skb, 0, o.inner_macs, 14)
        || bpf_skb_adjust_room(skb, V6_OUTER + ETH_HLEN, BPF_ADJ_ROOM_MAC,
                               ENCAP_FLAGS | BPF_F_ADJ_ROOM_ENCAP_L3_IPV6)) {
        return -1;
    }
    len += sizeof o.udp + 8 + ETH_HLEN;
    *(__u32 *) &o.ip = bpf_htonl(6u << 28 | (__u32) flow->tos << 20);
    o.ip.payload_len = bpf_htons(len);
    o.ip.nexthdr = IPPROTO_UDP;
    o.ip.hop_limit = flow->ttl;
    __builtin_memcpy(&o.ip.saddr, path->local_ip, 16);
    __builtin_memcpy(&o.ip.daddr, path->remote_ip, 16);
    o.udp.source = path->src_port;
    o.udp.dest = path->dst_port;
    o.udp.len = bpf_htons(len);
    __builtin_memcpy(o.header, flow->header, 8);
    return bpf_skb_store_bytes(skb, 0, &o, sizeof o, 0);
}

/* Puts the ECN field of the outer header into the inner '*tos' as RFC 6040
 * section 4.2 has it, see lib/fabric-ecn.c.  Returns false if the packet has
 * to be dropped, or told of, by userspace. */
static __always_inline bool
decap_ecn(__u8 outer, __u8 *tos)
{
    enum { NOT_ECT, ECT_1, ECT_0, CE };
    __u8 inner = *tos & 3;

    outer &= 3;
    if (outer == CE && inner != CE) {
        if (inner == NOT_ECT) {
            return false;
        }
        *tos |= CE;
    } else if (outer == ECT_1 && inner == ECT_0) {
        *tos = (*tos & ~3) | ECT_1;
    }
    return true;
}

/* Removes the outer headers, of 'len' bytes: those between the two Ethernet
 * headers and the inner one, which overwrites the outer one. */
static __always_inline int
decap(struct __sk_buff *skb, struct packet *p, __u32 len, bool outer_ipv6)
{
    struct ethhdr eth;
    __u64 flags = BPF_F_ADJ_ROOM_FIXED_GSO;

    if (p->is_ipv6 != outer_ipv6) {
        flags |= p->is_ipv6 ? DECAP_L3_IPV6 : DECAP_L3_IPV4;
    }
    __builtin_memcpy(&eth, p->key.eth_dst, 12);
    eth.h_proto = p->key.eth_type;
    if (bpf_skb_adjust_room(skb, -(__s32) len, BPF_ADJ_ROOM_MAC, flags)) {
        return -1;
    }
    p->l3_ofs = ETH_HLEN;
    bpf_set_hash_invalid(skb);
    return bpf_skb_store_bytes(skb, 0, &eth, sizeof eth, 0);
}

#endif /* fabric-kern-actions.h */
