/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_KERN_OUTER_H
#define FABRIC_KERN_OUTER_H 1

/* Outer headers of what arrives, judged as the host's stack would: ip_rcv(),
 * ipv6_rcv(), udp_rcv().
 *
 * The stack need not be asked about a packet that it would have taken as it
 * is.  One that it would have trimmed, dropped, or looked at more closely goes
 * up the stack. */

#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "../fabric-kern-abi.h"
#include "fabric-kern-actions.h"
#include "fabric-kern-packet.h"

/* The first enumerator, so it would not be told from "none". */
_Static_assert(FABRIC_KERN_REASON_NO_FLOW == 0, "not a reason of these");

/* Of 'skb->pkt_type': to the interface's own address. */
#define TO_THIS_HOST 0

/* Returns 0 if outer IP and UDP header are right as far as they alone can
 * tell, or the reason for which the packet is the stack's. */
static __noinline int
check_outer(struct __sk_buff *skb)
{
    void *data = (void *) (long) skb->data;
    void *end = (void *) (long) skb->data_end;
    struct ethhdr *eth = data;
    __u32 len = skb->len - sizeof *eth;
    struct udphdr *udp;

    if (skb->pkt_type != TO_THIS_HOST || (void *) (eth + 1) > end) {
        return FABRIC_KERN_REASON_OUTER_IP;
    }
    if (eth->h_proto == bpf_htons(ETH_P_IP)) {
        struct iphdr *ip = (void *) (eth + 1);

        udp = (void *) (ip + 1);
        if ((void *) (udp + 1) > end || ip->version != 4 || ip_csum(ip)) {
            return FABRIC_KERN_REASON_OUTER_IP;
        }
        if (bpf_ntohs(ip->tot_len) != len) {
            return FABRIC_KERN_REASON_OUTER_LEN;
        }
        len -= sizeof *ip;
    } else {
        struct ipv6hdr *ip6 = (void *) (eth + 1);

        udp = (void *) (ip6 + 1);
        if ((void *) (udp + 1) > end || ip6->version != 6) {
            return FABRIC_KERN_REASON_OUTER_IP;
        }
        len -= sizeof *ip6;
        if (bpf_ntohs(ip6->payload_len) != len) {
            return FABRIC_KERN_REASON_OUTER_LEN;
        }
    }
    return bpf_ntohs(udp->len) == len ? 0 : FABRIC_KERN_REASON_OUTER_LEN;
}

/* Headers from the outer UDP header to the inner transport header, zeros
 * added. */
#define COVERED_V4 (sizeof(struct udphdr) + 8 + ETH_HLEN                \
                    + sizeof(struct iphdr))
#define COVERED_V6 (sizeof(struct udphdr) + 8 + ETH_HLEN                \
                    + sizeof(struct ipv6hdr))
#define COVERED_MAX 72

/* Returns the sum of the outer pseudo-header (RFC 768, RFC 8200 section 8.1),
 * or a negative value. */
static __always_inline __s64
outer_pseudo_sum(struct __sk_buff *skb, bool ipv6, __u32 udp_len)
{
    __u32 addrs[8] = { 0 };
    __s64 sum;

    if (bpf_skb_load_bytes(skb, ETH_HLEN + (ipv6 ? 8 : 12), addrs,
                           ipv6 ? 32 : 8)) {
        return -1;
    }
    sum = bpf_csum_diff(NULL, 0, addrs, sizeof addrs, 0);
    return sum + bpf_htons(udp_len) + bpf_htons(IPPROTO_UDP);
}

/* True if the sum that the NIC has made of the packet from the outer IP header
 * on, 'nic_sum', says that the UDP checksum is right. */
static __always_inline bool
is_nic_sum_ok(struct __sk_buff *skb, bool ipv6, __u64 nic_sum, __u64 pseudo)
{
    __u32 ip6[10];

    if (ipv6) {
        if (bpf_skb_load_bytes(skb, ETH_HLEN, ip6, sizeof ip6)) {
            return false;
        }
        nic_sum += (__u16) ~fold(bpf_csum_diff(NULL, 0, ip6, sizeof ip6, 0));
    }
    /* An IPv4 header sums up to nothing, its checksum being right. */
    return fold(nic_sum + pseudo) == 0xffff;
}

/* True if the inner TCP or UDP checksum is still to be computed, which means
 * that a kernel has made the packet whose memory this is, and the outer
 * checksum is what it will have made the packet right with.  The payload is in
 * neither of both then. */
static __noinline bool
is_unfinished(struct __sk_buff *skb, struct packet *p, __u32 udp_ofs,
              __u64 pseudo)
{
    __u32 l3_len, l4_ofs, l4_len, covered[COVERED_MAX / 4] = { 0 };
    __u64 inner, sum;
    __u16 field;

    if (!p) {
        return false;
    }
    l3_len = p->is_ipv6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
    l4_ofs = p->l3_ofs + l3_len;
    l4_len = p->len - ETH_HLEN - l3_len;
    if (p->key.ip_proto == IPPROTO_TCP) {
        l4_ofs += 16;
    } else if (p->key.ip_proto == IPPROTO_UDP) {
        l4_ofs += 6;
    } else {
        return false;
    }
    if (bpf_skb_load_bytes(skb, l4_ofs, &field, sizeof field)
        || bpf_skb_load_bytes(skb, udp_ofs, covered,
                              p->is_ipv6 ? COVERED_V6 : COVERED_V4)) {
        return false;
    }
    inner = bpf_csum_diff(NULL, 0, p->key.ip_src, sizeof p->key.ip_src, 0);
    inner += bpf_csum_diff(NULL, 0, p->key.ip_dst, sizeof p->key.ip_dst, 0);
    inner += bpf_htons(l4_len) + bpf_htons(p->key.ip_proto);
    if (field != fold(inner)) {
        return false;
    }
    sum = bpf_csum_diff(NULL, 0, covered, sizeof covered, 0);
    return fold(sum + pseudo + (__u16) ~field) == 0xffff;
}

/* True if the outer UDP checksum is there and known to be right, or is not
 * there.  As for the stack, a super-frame has none to be checked: those who
 * join packets check each, and others were never on a wire. */
static __always_inline bool
outer_csum_ok(struct __sk_buff *skb, struct packet *p, __u32 inner_ofs)
{
    bool ipv6 = inner_ofs != ETH_HLEN + V4_OUTER;
    __u32 udp_ofs = ETH_HLEN + (ipv6 ? sizeof(struct ipv6hdr)
                                : sizeof(struct iphdr));
    __s64 pseudo, nic_sum;

    if (!p->outer_csum || skb->gso_size
        || bpf_csum_level(skb, BPF_CSUM_LEVEL_QUERY) >= 0) {
        return true;
    }
    pseudo = outer_pseudo_sum(skb, ipv6, skb->len - udp_ofs);
    if (pseudo < 0) {
        return false;
    }
    nic_sum = bpf_csum_update(skb, 0);
    return (nic_sum >= 0 ? is_nic_sum_ok(skb, ipv6, nic_sum, pseudo)
            : is_unfinished(skb, p, udp_ofs, pseudo));
}

#endif /* fabric-kern-outer.h */
