/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_KERN_PACKET_H
#define FABRIC_KERN_PACKET_H 1

/* From a frame to the key by which its flow is found. */

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

#include "../fabric-kern-abi.h"

#define VLAN_CFI 0x1000

/* What is known of a packet beside its key. */
struct packet {
    struct fabric_kern_key key;
    __u32 l3_ofs;
    __u32 headers;              /* From the Ethernet header to the payload of
                                 * TCP or UDP; valid with TCP and UDP only. */
    __u32 len;                  /* From the Ethernet header on. */
    bool is_ipv6;
    __u16 outer_csum;           /* Of the outer UDP header, as it is there. */
};

/* The longest headers before a frame: Ethernet, IPv6, UDP and VXLAN or
 * Geneve. */
#define MAX_FRAME_OFS (sizeof(struct ethhdr) + sizeof(struct ipv6hdr)   \
                       + sizeof(struct udphdr) + 8)

/* What parse_frame() may have to read of a frame. */
#define MAX_HEADERS (sizeof(struct ethhdr) + sizeof(struct ipv6hdr)     \
                     + sizeof(struct tcphdr))

static __always_inline __u16
fold(__u64 sum)
{
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (sum & 0xffff) + (sum >> 16);
}

/* Makes the first 'len' bytes, or all there are, readable in place.  Returns
 * false if they were already.  Costs a copy of the frame's head, and headers
 * usually are readable, so parse first. */
static __always_inline bool
pull(struct __sk_buff *skb, __u32 len)
{
    __u64 readable = (__u64) skb->data_end - (__u64) skb->data;

    if (len > skb->len) {
        len = skb->len;
    }
    return readable < len && !bpf_skb_pull_data(skb, len);
}

/* Parses TCP, UDP and ICMP at 'l4', of 'room' bytes as IP has it, which is
 * all that userspace would look at. */
static __always_inline bool
parse_l4(struct packet *p, __u8 proto, __u32 l4_ofs, void *l4, void *end,
         __u32 room)
{
    struct fabric_kern_key *key = &p->key;

    if (proto == IPPROTO_TCP) {
        struct tcphdr *tcp = l4;

        if ((void *) (tcp + 1) > end || tcp->doff < 5
            || tcp->doff * 4 > room) {
            return false;
        }
        key->tp_src = tcp->source;
        key->tp_dst = tcp->dest;
        key->tcp_flags = ((__u16 *) tcp)[6] & bpf_htons(0x0fff);
        p->headers = l4_ofs + tcp->doff * 4;
    } else if (proto == IPPROTO_UDP) {
        struct udphdr *udp = l4;

        if ((void *) (udp + 1) > end || room < sizeof *udp) {
            return false;
        }
        key->tp_src = udp->source;
        key->tp_dst = udp->dest;
        p->headers = l4_ofs + sizeof *udp;
    } else if (proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6) {
        __u8 *icmp = l4;

        /* Neighbour discovery has more fields to match on. */
        if ((void *) (icmp + 8) > end || room < 8
            || (proto == IPPROTO_ICMPV6 && icmp[0] >= 133
                && icmp[0] <= 137)) {
            return false;
        }
        key->tp_src = bpf_htons(icmp[0]);
        key->tp_dst = bpf_htons(icmp[1]);
    } else {
        return false;
    }
    return true;
}

/* Parses the Ethernet frame at offset 'ofs'.  Returns false if it is none of
 * ours.  A global function, which the verifier looks at once and by itself. */
__noinline int
parse_frame(struct __sk_buff *skb, __u32 ofs, struct packet *p)
{
    void *data = (void *) (long) skb->data;
    void *end = (void *) (long) skb->data_end;
    struct fabric_kern_key *key;
    struct ethhdr *eth;

    if (!p || ofs > MAX_FRAME_OFS) {
        return false;
    }
    key = &p->key;
    eth = data + ofs;
    if ((void *) (eth + 1) > end) {
        return false;
    }
    __builtin_memcpy(key->eth_dst, eth->h_dest, 12);
    key->eth_type = eth->h_proto;
    p->l3_ofs = ofs + sizeof *eth;
    p->len = skb->len - ofs;

    if (key->eth_type == bpf_htons(ETH_P_IP)) {
        struct iphdr *ip = (void *) (eth + 1);
        __u32 tot_len;

        if ((void *) (ip + 1) > end || ip->ihl != 5 || ip->version != 4
            || ip->frag_off & bpf_htons(0x3fff)) {
            return false;
        }
        tot_len = bpf_ntohs(ip->tot_len);
        if (tot_len < sizeof *ip || tot_len > p->len - sizeof *eth) {
            return false;
        }
        key->ip_src[0] = ip->saddr;
        key->ip_dst[0] = ip->daddr;
        key->ip_proto = ip->protocol;
        key->ip_tos = ip->tos;
        key->ip_ttl = ip->ttl;
        p->is_ipv6 = false;
        return parse_l4(p, ip->protocol, sizeof *eth + sizeof *ip, ip + 1,
                        end, tot_len - sizeof *ip);
    } else if (key->eth_type == bpf_htons(ETH_P_IPV6)) {
        struct ipv6hdr *ip6 = (void *) (eth + 1);
        __u32 first;

        if ((void *) (ip6 + 1) > end || ip6->version != 6
            || bpf_ntohs(ip6->payload_len)
               > p->len - sizeof *eth - sizeof *ip6) {
            return false;
        }
        first = bpf_ntohl(*(__u32 *) ip6);
        __builtin_memcpy(key->ip_src, &ip6->saddr, 16);
        __builtin_memcpy(key->ip_dst, &ip6->daddr, 16);
        key->ipv6_label = bpf_htonl(first & 0xfffff);
        key->ip_proto = ip6->nexthdr;
        key->ip_tos = first >> 20;
        key->ip_ttl = ip6->hop_limit;
        p->is_ipv6 = true;
        return parse_l4(p, ip6->nexthdr, sizeof *eth + sizeof *ip6, ip6 + 1,
                        end, bpf_ntohs(ip6->payload_len));
    }
    return false;
}

/* Packets that the payload of 'skb' is on the wire. */
static __always_inline __u32
count_segments(const struct __sk_buff *skb, const struct packet *p)
{
    __u32 size = skb->gso_size;

    if (!size || p->len <= p->headers) {
        return 1;
    }
    return (p->len - p->headers + size - 1) / size;
}

/* Bytes of all of them, headers included. */
static __always_inline __u64
count_bytes(const struct packet *p, __u32 n_segs)
{
    return n_segs == 1 ? p->len : p->len + (__u64) (n_segs - 1) * p->headers;
}

#endif /* fabric-kern-packet.h */
