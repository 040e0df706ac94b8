/* SPDX-License-Identifier: Apache-2.0 */

/* The kernel's fast path.
 * =======================
 *
 * Two programs for the ingress hook of tc(8):
 *
 *   fabric_from_port       on the host's end of a workload's interface
 *   fabric_from_underlay   on interfaces by which tunnelled packets arrive
 *
 * Both look up the packet in the flows that ovs-vswitchd has put here (see
 * fabric-kern-abi.h).  What the first does not know goes to ovs-vswitchd
 * through the channel, a tap interface; what the second does not know goes up
 * the stack to ovs-vswitchd's UDP socket.  Only untagged or singly tagged IPv4
 * and IPv6 without options and extension headers, not fragmented, is looked
 * up at all; all else is userspace's.
 *
 * A packet goes to userspace as it came: whatever the kernel may refuse to do
 * is done, or foreseen, before the packet is changed.  Every reason for which
 * one is handed on, or dropped without a flow that says so, is counted
 * (fabric-kern-abi.h).  The outer headers of what arrives are those that the
 * host's stack would have accepted; a packet that these programs cannot judge
 * is the stack's to judge.
 *
 * Super-frames stay whole: bpf_skb_adjust_room() marks them as tunnelled and
 * leaves the segment size alone (BPF_F_ADJ_ROOM_FIXED_GSO), since it is the
 * workload's MTU that leaves room for the headers. */

#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "../fabric-kern-abi.h"
#include "fabric-kern-actions.h"
#include "fabric-kern-maps.h"
#include "fabric-kern-outer.h"
#include "fabric-kern-packet.h"
#include "fabric-kern-share.h"

char LICENSE[] SEC("license") = "Apache-2.0";

/* Flow lookup. */

/* Looks 'key' up by the masks of its port and 'tenant'. */
static __always_inline struct fabric_kern_flow *
lookup(const struct fabric_kern_key *key, __u32 tenant)
{
    struct fabric_kern_list_key list_key = { key->in_port, tenant };
    const __u32 *words = (const __u32 *) key;
    struct fabric_kern_list *list;

    list = bpf_map_lookup_elem(&lists, &list_key);
    if (!list) {
        return NULL;
    }
    for (__u32 i = 0; i < FABRIC_KERN_MAX_MASKS; i++) {
        __u32 number = list->order[i] % FABRIC_KERN_MAX_MASKS;
        const __u32 *mask = (const __u32 *) &list->masks[number];
        struct fabric_kern_flow_key masked;
        __u32 *to = (__u32 *) &masked.key;
        struct fabric_kern_flow *flow;

        if (i >= list->n) {
            break;
        }
        masked.mask = number;
#pragma unroll
        for (int j = 0; j < FABRIC_KERN_KEY_WORDS; j++) {
            to[j] = words[j] & mask[j];
        }
        flow = bpf_map_lookup_elem(&flows, &masked);
        if (flow) {
            return flow;
        }
    }
    return NULL;
}

/* What it costs to be wrong here is a counter. */
static __always_inline void
count_flow(const struct fabric_kern_flow *flow, const struct packet *p,
           __u32 n_segs, __u64 n_bytes)
{
    __u32 index = flow->stats;
    struct fabric_kern_flow_stats *s = bpf_map_lookup_elem(&flow_stats,
                                                           &index);
    if (s) {
        __u64 flags = bpf_ntohs(p->key.tcp_flags);

        __sync_fetch_and_add(&s->packets, n_segs);
        __sync_fetch_and_add(&s->bytes, n_bytes);
        s->used = bpf_ktime_get_ns();
        if ((s->tcp_flags | flags) != s->tcp_flags) {
            s->tcp_flags |= flags;
        }
    }
}

static __always_inline void
count_drop(const struct fabric_kern_flow *flow, __u32 n_segs)
{
    __u32 reason = flow->port;
    __u64 *n = bpf_map_lookup_elem(&drops, &reason);

    if (n) {
        __sync_fetch_and_add(n, n_segs);
    }
}

/* Path selection, as lib/fabric-flow-hash.c. */

static __always_inline __u32
rotate_left(__u32 x, int n)
{
    return x << n | x >> (32 - n);
}

static __always_inline __u32
mix(__u32 hash, __u32 w)
{
    w = rotate_left(w * 0xcc9e2d51, 15) * 0x1b873593;
    return rotate_left(hash ^ w, 13) * 5 + 0xe6546b64;
}

static __always_inline bool
proto_has_ports(__u8 proto)
{
    return (proto == IPPROTO_TCP || proto == IPPROTO_UDP
            || proto == IPPROTO_SCTP);
}

static __always_inline __u32
flow_hash(const struct packet *p)
{
    const struct fabric_kern_key *key = &p->key;
    __u32 hash = 0, n;

    if (p->is_ipv6) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
            hash = mix(hash, bpf_ntohl(key->ip_src[i]));
        }
#pragma unroll
        for (int i = 0; i < 4; i++) {
            hash = mix(hash, bpf_ntohl(key->ip_dst[i]));
        }
        hash = mix(hash, bpf_ntohl(key->ipv6_label));
        n = 9;
    } else {
        hash = mix(hash, bpf_ntohl(key->ip_src[0]));
        hash = mix(hash, bpf_ntohl(key->ip_dst[0]));
        n = 2;
    }
    hash = mix(hash, key->ip_proto);
    n++;
    if (proto_has_ports(key->ip_proto)) {
        hash = mix(hash, (__u32) bpf_ntohs(key->tp_src) << 16
                         | bpf_ntohs(key->tp_dst));
        n++;
    }
    hash ^= n * 4;
    hash = (hash ^ hash >> 16) * 0x85ebca6b;
    hash = (hash ^ hash >> 13) * 0xc2b2ae35;
    return hash ^ hash >> 16;
}

/* Returns true if 'e' has paths, none is usable, and what stops the probes may
 * be a filter of this host, which userspace's packets meet, too. */
static __always_inline bool
is_cut_off(const struct fabric_kern_conf *c,
           const struct fabric_kern_endpoint *e)
{
    return (*(volatile __u32 *) &c->filtered
            && !*(volatile __u32 *) &e->n_usable
            && *(volatile __u32 *) &e->n_paths);
}

/* Returns NULL if the flow's endpoint is no longer what it was, or cut off. */
static __always_inline struct fabric_kern_path *
select_path(const struct fabric_kern_flow *flow, __u32 hash)
{
    __u32 endpoint = flow->endpoint;
    struct fabric_kern_conf *c = get_conf();
    struct fabric_kern_endpoint *e;
    struct fabric_kern_path *p;
    __u32 path;

    e = bpf_map_lookup_elem(&endpoints, &endpoint);
    if (!e || *(volatile __u32 *) &e->id != flow->receiver
        || !c || is_cut_off(c, e)) {
        return NULL;
    }
    if (!*(volatile __u32 *) &e->n_usable) {
        __sync_fetch_and_add(&e->tx_no_live_path, 1);
    }
    if (!*(volatile __u32 *) &e->sent) {
        *(volatile __u32 *) &e->sent = 1;
    }
    path = *(volatile __u32 *) &e->slots[hash >> FABRIC_KERN_HASH_SHIFT];
    p = bpf_map_lookup_elem(&paths, &path);
    return p && p->endpoint == endpoint ? p : NULL;
}

/* Can the packet go over 'path' as it is?  Whatever is too big is userspace's,
 * which finds another path, tells the sender, or has it fragmented. */
static __always_inline bool
path_fits(const struct __sk_buff *skb, const struct packet *p,
          const struct fabric_kern_path *path)
{
    __u32 outer = is_v4mapped(path->local_ip) ? V4_OUTER : V6_OUTER;
    __u32 mtu = *(volatile __u32 *) &path->mtu;
    __u32 len = p->len;

    if (skb->gso_size) {
        len = p->headers + skb->gso_size;
    }
    return path->out_ifindex && outer + len <= path->out_mtu
           && (!mtu || outer + len <= mtu) && p->len + outer <= 0xffff;
}

/* The next hop spares the kernel the look-up of a route. */
static __always_inline int
redirect_neigh(const struct fabric_kern_path *path)
{
    struct bpf_redir_neigh nh = {};

    if (is_v4mapped(path->next_hop)) {
        nh.nh_family = 2;        /* AF_INET. */
        nh.ipv4_nh = path->next_hop[3];
    } else {
        nh.nh_family = 10;       /* AF_INET6. */
        __builtin_memcpy(nh.ipv6_nh, path->next_hop, sizeof nh.ipv6_nh);
    }
    return bpf_redirect_neigh(path->out_ifindex, &nh, sizeof nh, 0);
}

/* Sends the packet, which is encapsulated, over 'path'. */
static __always_inline int
output_fabric(struct __sk_buff *skb, struct fabric_kern_flow *flow,
              struct fabric_kern_path *path, __u32 n_segs, __u64 n_bytes)
{
    struct fabric_kern_fabric_stats *s;
    __u32 fabric = flow->fabric;

    __sync_fetch_and_add(&path->tx_packets, n_segs);
    __sync_fetch_and_add(&path->tx_bytes, n_bytes);
    s = bpf_map_lookup_elem(&fabric_stats, &fabric);
    if (s) {
        __sync_fetch_and_add(&s->tx_packets, n_segs);
        __sync_fetch_and_add(&s->tx_bytes, n_bytes);
    }
    /* Routers that are namespaces would choose among equal-cost routes by the
     * hash that the sender's socket gave the inner packet. */
    bpf_set_hash_invalid(skb);
    return redirect_neigh(path);
}

/* To a workload: straight into its namespace if the frame is for it, so that
 * it need not be looked at whether it is. */
static __always_inline int
output_port(__u32 id, __u32 ifindex, const __u8 eth_dst[6], __u32 n_segs,
            __u64 n_bytes)
{
    struct fabric_kern_port *port = bpf_map_lookup_elem(&ports, &ifindex);

    if (port && port->id == id && port->redirect_peer
        && *(__u32 *) eth_dst == *(__u32 *) port->peer_mac
        && *(__u16 *) (eth_dst + 4) == *(__u16 *) (port->peer_mac + 4)) {
        __sync_fetch_and_add(&port->tx_packets, n_segs);
        __sync_fetch_and_add(&port->tx_bytes, n_bytes);
        return bpf_redirect_peer(ifindex, 0);
    }
    return bpf_redirect(ifindex, 0);
}

/* Puts the outer headers in front of the frame.  Returns values as encap4()
 * does. */
static __always_inline int
encapsulate(struct __sk_buff *skb, struct packet *p,
            struct fabric_kern_flow *flow, struct fabric_kern_path *path)
{
    if (is_v4mapped(path->local_ip)) {
        p->l3_ofs += V4_OUTER + ETH_HLEN;
        return encap4(skb, flow, path);
    } else {
        p->l3_ofs += V6_OUTER + ETH_HLEN;
        return encap6(skb, flow, path);
    }
}

/* Executes the changes of 'flow'.  Returns nonzero if one fails, which
 * prepare() leaves no cause for. */
static __always_inline int
execute_ops(struct __sk_buff *skb, const struct packet *p,
            struct fabric_kern_flow *flow)
{
    for (int i = 0; i < FABRIC_KERN_MAX_OPS; i++) {
        if (i >= flow->n_ops) {
            break;
        }
        if (execute(skb, p, &flow->ops[i])) {
            return -1;
        }
    }
    return 0;
}

/* Where the frame goes after SET_ETH. */
static __always_inline int
final_eth_dst(struct __sk_buff *skb, const struct packet *p,
              const struct fabric_kern_flow *flow, __u8 eth_dst[6])
{
    if (!flow->n_ops) {
        __builtin_memcpy(eth_dst, p->key.eth_dst, 6);
        return 0;
    }
    return bpf_skb_load_bytes(skb, 0, eth_dst, 6);
}

/* Executes 'flow', sending to 'path' or else to interface 'ifindex'. */
static __always_inline int
forward(struct __sk_buff *skb, struct packet *p,
        struct fabric_kern_flow *flow, struct fabric_kern_path *path,
        __u32 ifindex, __u32 n_segs, __u64 n_bytes)
{
    __u8 eth_dst[6];

    if (execute_ops(skb, p, flow)) {
        return because(FABRIC_KERN_REASON_CHANGE, TC_ACT_SHOT);
    }
    if (path) {
        if (flow->copies && encapsulate(skb, p, flow, path)) {
            return because(FABRIC_KERN_REASON_CHANGE, TC_ACT_SHOT);
        }
        return output_fabric(skb, flow, path, n_segs, n_bytes);
    }
    if (flow->verdict == FABRIC_KERN_OUTPUT
        && !final_eth_dst(skb, p, flow, eth_dst)) {
        return output_port(flow->port, ifindex, eth_dst, n_segs, n_bytes);
    }
    if (flow->verdict == FABRIC_KERN_DROP) {
        count_drop(flow, n_segs);
    }
    return TC_ACT_SHOT;
}

/* Programs. */

/* Hands a packet for which there is no room in front to userspace. */
static __noinline int
to_channel_long(struct __sk_buff *skb, __u32 channel, __u32 ifindex,
                __u32 position)
{
    __u16 tpid = bpf_htons(FABRIC_KERN_LONG_TPID);
    __u32 magic = FABRIC_KERN_META_MAGIC;

    if (bpf_skb_load_bytes(skb, 0, &magic, sizeof magic)
        || magic == FABRIC_KERN_META_MAGIC
        || bpf_skb_vlan_push(skb, tpid, position >> 16)
        || bpf_skb_vlan_push(skb, tpid, position & 0xffff)
        || bpf_skb_vlan_push(skb, tpid, ifindex >> 16)
        || bpf_skb_vlan_push(skb, tpid, ifindex & 0xffff)) {
        return because(FABRIC_KERN_REASON_CHANNEL, TC_ACT_SHOT);
    }
    return bpf_redirect(channel, 0);
}

/* Hands the packet, as it came in by 'ifindex', to userspace. */
static __noinline int
to_channel(struct __sk_buff *skb, __u32 ifindex,
           const struct fabric_kern_port *port,
           enum fabric_kern_reason reason)
{
    struct fabric_kern_meta meta = {
        .magic = FABRIC_KERN_META_MAGIC,
        .ifindex = ifindex,
        .eth_type = bpf_htons(FABRIC_KERN_META_TYPE),
    };
    struct fabric_kern_conf *c = get_conf();

    if (!take_share(skb, port->share, &meta.position)) {
        return TC_ACT_SHOT;
    }
    because(reason, 0);
    if (!c || !c->channel) {
        return because(FABRIC_KERN_REASON_CHANNEL, TC_ACT_SHOT);
    }
    if (bpf_skb_change_head(skb, sizeof meta, 0)) {
        return to_channel_long(skb, c->channel, ifindex, meta.position);
    }
    if (bpf_skb_store_bytes(skb, 0, &meta, sizeof meta, 0)) {
        return because(FABRIC_KERN_REASON_CHANNEL, TC_ACT_SHOT);
    }
    return bpf_redirect(c->channel, 0);
}

/* BFD of a workload: userspace knows whether it may leave. */
static __always_inline bool
looks_like_bfd(const struct fabric_kern_key *key)
{
    return key->ip_proto == IPPROTO_UDP && key->tp_dst == bpf_htons(3784);
}

/* Whether ovs-vswitchd has not been gone for too long.  The coarse clock, read
 * from memory, is of the last tick. */
static __always_inline bool
is_leased(const struct fabric_kern_conf *c)
{
    __u64 end = *(volatile const __u64 *) &c->lease_end;

    return !end || bpf_ktime_get_coarse_ns() < end;
}

SEC("tc")
int
fabric_from_port(struct __sk_buff *skb)
{
    struct fabric_kern_conf *c = get_conf();
    struct fabric_kern_path *path = NULL;
    __u32 ifindex = skb->ifindex, out = 0;
    struct fabric_kern_flow *flow;
    struct fabric_kern_port *port;
    struct packet p = {};
    __u32 n_segs;
    __u64 n_bytes;

    if (!c || !is_leased(c)) {
        return TC_ACT_UNSPEC;
    }
    if (c->cut_in && ifindex == c->cut_in) {
        ifindex = skb->mark;
        skb->mark = 0;
        bpf_set_hash_invalid(skb);
    }
    port = bpf_map_lookup_elem(&ports, &ifindex);
    if (!port) {
        return TC_ACT_UNSPEC;
    }
    if (skb->gso_size && skb->len > FABRIC_KERN_CUT_LEN && c->cut_out
        && ifindex == skb->ifindex) {
        skb->mark = ifindex;
        /* The kernel joins nothing whose hashes differ: no two workloads'. */
        bpf_set_hash(skb, ifindex);
        return because(FABRIC_KERN_REASON_CUT, bpf_redirect(c->cut_out, 0));
    }

    if (!parse_frame(skb, 0, &p)
        && (!pull(skb, MAX_HEADERS) || !parse_frame(skb, 0, &p))) {
        return to_channel(skb, ifindex, port, FABRIC_KERN_REASON_NOT_PARSED);
    }
    p.key.in_port = port->id;
    if (skb->vlan_present) {
        if (skb->vlan_proto != bpf_htons(ETH_P_8021Q)) {
            return to_channel(skb, ifindex, port, FABRIC_KERN_REASON_TAG);
        }
        p.key.vlan_tci = bpf_htons(skb->vlan_tci | VLAN_CFI);
    }

    flow = lookup(&p.key, 0);
    if (!flow) {
        return to_channel(skb, ifindex, port, FABRIC_KERN_REASON_NO_FLOW);
    }
    if (flow->verdict == FABRIC_KERN_OUTPUT) {
        out = output_ifindex(flow->port);
        if (!out) {
            return to_channel(skb, ifindex, port, FABRIC_KERN_REASON_NO_FLOW);
        }
    } else if (flow->verdict == FABRIC_KERN_FABRIC) {
        /* Here a tag is beside the packet, not in it. */
        if (looks_like_bfd(&p.key)) {
            return to_channel(skb, ifindex, port, FABRIC_KERN_REASON_CONTROL);
        }
        if (skb->vlan_present && !flow->untagged) {
            return to_channel(skb, ifindex, port, FABRIC_KERN_REASON_TAG);
        }
        path = select_path(flow, flow_hash(&p));
        if (!path) {
            return to_channel(skb, ifindex, port, FABRIC_KERN_REASON_NO_PATH);
        }
        if (!path_fits(skb, &p, path)) {
            return to_channel(skb, ifindex, port, FABRIC_KERN_REASON_TOO_BIG);
        }
    }
    if (prepare(skb, flow, MAX_HEADERS)) {
        return to_channel(skb, ifindex, port, FABRIC_KERN_REASON_NO_MEMORY);
    }
    n_segs = count_segments(skb, &p);
    n_bytes = count_bytes(&p, n_segs);
    if (path && flow->copies) {
        /* Copies are made before the kernel is asked to encapsulate, which it
         * refuses if the sender has: with UDP, or in super-frames. */
        if (p.key.ip_proto == IPPROTO_UDP || skb->gso_size) {
            return to_channel(skb, ifindex, port, FABRIC_KERN_REASON_COPIES);
        }
    } else if (path) {
        int error = encapsulate(skb, &p, flow, path);

        if (error < 0) {
            return to_channel(skb, ifindex, port, FABRIC_KERN_REASON_ENCAP);
        } else if (error) {
            return because(FABRIC_KERN_REASON_CHANGE, TC_ACT_SHOT);
        }
    }
    count_flow(flow, &p, n_segs, n_bytes);
    return forward(skb, &p, flow, path, out, n_segs, n_bytes);
}

/* Parses the outer headers as far as UDP's.  Returns the offset of the inner
 * frame, or 0 if the packet is not ours. */
static __always_inline __u32
parse_outer(struct __sk_buff *skb, struct packet *p,
            struct fabric_kern_local_key *local,
            struct fabric_kern_remote_key *remote)
{
    void *data = (void *) (long) skb->data;
    void *end = (void *) (long) skb->data_end;
    struct ethhdr *eth = data;
    struct udphdr *udp;
    __u32 *to;

    if ((void *) (eth + 1) > end) {
        return 0;
    }
    if (eth->h_proto == bpf_htons(ETH_P_IP)) {
        struct iphdr *ip = (void *) (eth + 1);

        udp = (void *) (ip + 1);
        if ((void *) (udp + 1) > end || ip->ihl != 5
            || ip->protocol != IPPROTO_UDP
            || ip->frag_off & bpf_htons(0x3fff)) {
            return 0;
        }
        p->outer_csum = udp->check;
        to = (__u32 *) local->ip;
        to[2] = bpf_htonl(0xffff);
        to[3] = ip->daddr;
        to = (__u32 *) remote->ip;
        to[2] = bpf_htonl(0xffff);
        to[3] = ip->saddr;
        remote->src_port = udp->source;
        p->key.tun_tos = ip->tos;
        p->key.tun_ttl = ip->ttl;
        local->udp_port = udp->dest;
        return ETH_HLEN + V4_OUTER;
    } else if (eth->h_proto == bpf_htons(ETH_P_IPV6)) {
        struct ipv6hdr *ip6 = (void *) (eth + 1);

        udp = (void *) (ip6 + 1);
        if ((void *) (udp + 1) > end || ip6->nexthdr != IPPROTO_UDP) {
            return 0;
        }
        p->outer_csum = udp->check;
        __builtin_memcpy(local->ip, &ip6->daddr, 16);
        __builtin_memcpy(remote->ip, &ip6->saddr, 16);
        remote->src_port = udp->source;
        p->key.tun_tos = bpf_ntohl(*(__u32 *) ip6) >> 20;
        p->key.tun_ttl = ip6->hop_limit;
        local->udp_port = udp->dest;
        return ETH_HLEN + V6_OUTER;
    }
    return 0;
}

/* Is 'h' a header that needs no thought? */
static __always_inline bool
plain_header(const struct fabric_kern_local *local, const __u32 h[2])
{
    return h[0] == (local->geneve ? bpf_htonl(ETH_P_TEB)
                    : bpf_htonl(0x08000000));
}

/* A super-frame of the tunnel has one inner packet; what a socket has sent
 * with UDP_SEGMENT, or a NIC has joined, has many, one behind the other.
 *
 * Super-frames of UDP are userspace's: no helper takes the mark of a tunnel
 * off them, and whoever cuts them, as every socket does that has not asked for
 * them, would look for a tunnel's headers.  (With TCP nobody looks there.) */
static __always_inline bool
is_ours_to_unpack(struct __sk_buff *skb, const struct packet *p)
{
    __u16 len;

    if (p->key.ip_proto != IPPROTO_TCP
        || bpf_skb_load_bytes(skb, p->l3_ofs + (p->is_ipv6 ? 4 : 2), &len,
                              sizeof len)) {
        return false;
    }
    return (bpf_ntohs(len) + (p->is_ipv6 ? sizeof(struct ipv6hdr) : 0)
            + ETH_HLEN == p->len);
}

/* BFD of others, not on the management VNI, is for userspace: on the VNI of
 * Open vSwitch's, to the MAC of RFC 8971 section 3, or to that which Open
 * vSwitch uses.  (What has Geneve's O bit is so in any case.) */
static __always_inline bool
is_bfd(const struct fabric_kern_key *key,
       const struct fabric_kern_local *local)
{
    const __u8 *mac = key->eth_dst;

    return (key->vni == local->bfd_vni && !mac[0]
            && ((mac[1] == 0x00 && mac[2] == 0x5e && mac[3] == 0x00
                 && mac[4] == 0x52 && mac[5] == 0x02)
                || (mac[1] == 0x23 && mac[2] == 0x20 && mac[3] == 0x00
                    && mac[4] == 0x00 && mac[5] == 0x01)));
}

/* Returns false if the host may have to say whether the packet could come this
 * way: 'path' is NULL, or leaves by another interface, and this one has a
 * strict reverse-path filter. */
static __always_inline bool
passes_rp_filter(struct __sk_buff *skb, const struct fabric_kern_path *path)
{
    __u32 ifindex = skb->ifindex;

    return ((path && *(volatile __u32 *) &path->out_ifindex == ifindex)
            || !bpf_map_lookup_elem(&strict, &ifindex));
}

static __always_inline int
from_underlay(struct __sk_buff *skb, struct fabric_kern_conf *c,
              struct packet *p, const struct fabric_kern_local *local,
              const struct fabric_kern_remote *remote, __u32 inner_ofs)
{
    __u32 endpoint = remote->endpoint, path_index = remote->path;
    struct fabric_kern_fabric_stats *s;
    struct fabric_kern_endpoint *e;
    struct fabric_kern_path *path;
    struct fabric_kern_flow *flow;
    __u8 inner_tos = p->key.ip_tos;
    bool outer_ipv6 = inner_ofs != ETH_HLEN + V4_OUTER;
    __u32 fabric = local->fabric;
    __u32 out = 0;
    __u32 n_segs;
    __u64 n_bytes;
    int error;

    if (p->key.vni == local->probe_vni || is_bfd(&p->key, local)) {
        return because(FABRIC_KERN_REASON_CONTROL, TC_ACT_UNSPEC);
    }
    if (skb->gso_size && !is_ours_to_unpack(skb, p)) {
        return because(FABRIC_KERN_REASON_SUPER_FRAME, TC_ACT_UNSPEC);
    }
    if (!outer_csum_ok(skb, p, inner_ofs)) {
        return because(FABRIC_KERN_REASON_OUTER_CSUM, TC_ACT_UNSPEC);
    }
    path = bpf_map_lookup_elem(&paths, &path_index);
    if (!outer_ipv6 && !passes_rp_filter(skb, path)) {
        return because(FABRIC_KERN_REASON_RP_FILTER, TC_ACT_UNSPEC);
    }
    if (!decap_ecn(p->key.tun_tos, &p->key.ip_tos)) {
        return because(FABRIC_KERN_REASON_CONGESTION, TC_ACT_UNSPEC);
    }
    if (p->is_ipv6 != outer_ipv6 && !c->decap_l3) {
        return because(FABRIC_KERN_REASON_FAMILY, TC_ACT_UNSPEC);
    }
    e = bpf_map_lookup_elem(&endpoints, &endpoint);
    if (e && is_cut_off(c, e)) {
        return because(FABRIC_KERN_REASON_NO_PATH, TC_ACT_UNSPEC);
    }
    p->key.in_port = local->port;
    p->key.sender = remote->sender;
    flow = lookup(&p->key, p->key.vni + 1);
    if (!flow) {
        flow = lookup(&p->key, 0);
    }
    if (!flow || flow->verdict == FABRIC_KERN_FABRIC) {
        return because(FABRIC_KERN_REASON_NO_FLOW, TC_ACT_UNSPEC);
    }
    if (prepare(skb, flow, inner_ofs + MAX_HEADERS)) {
        return because(FABRIC_KERN_REASON_NO_MEMORY, TC_ACT_UNSPEC);
    }
    if (flow->verdict == FABRIC_KERN_OUTPUT) {
        out = output_ifindex(flow->port);
        if (!out) {
            return because(FABRIC_KERN_REASON_NO_FLOW, TC_ACT_UNSPEC);
        }
    }

    n_segs = count_segments(skb, p);
    n_bytes = count_bytes(p, n_segs);
    error = decap(skb, p, inner_ofs, outer_ipv6);
    if (error < 0) {
        return because(FABRIC_KERN_REASON_DECAP, TC_ACT_UNSPEC);
    }
    if (error || (inner_tos != p->key.ip_tos
                  && set_tos(skb, p, inner_tos, p->key.ip_tos))) {
        return because(FABRIC_KERN_REASON_CHANGE, TC_ACT_SHOT);
    }
    count_flow(flow, p, n_segs, n_bytes);
    s = bpf_map_lookup_elem(&fabric_stats, &fabric);
    if (s) {
        __sync_fetch_and_add(&s->rx_packets, n_segs);
        __sync_fetch_and_add(&s->rx_bytes, n_bytes);
    }
    if (e) {
        __sync_fetch_and_add(&e->rx_packets, n_segs);
        __sync_fetch_and_add(&e->rx_bytes, n_bytes);
    }
    if (path) {
        __sync_fetch_and_add(&path->rx_packets, n_segs);
        __sync_fetch_and_add(&path->rx_bytes, n_bytes);
    }

    return forward(skb, p, flow, NULL, out, n_segs, n_bytes);
}

static __always_inline struct fabric_kern_remote *
find_remote(struct fabric_kern_remote_key *key, const __u8 local_ip[16])
{
    struct fabric_kern_remote *remote;

    __builtin_memcpy(key->local_ip, local_ip, sizeof key->local_ip);
    remote = bpf_map_lookup_elem(&remotes, key);
    if (!remote) {
        __builtin_memset(key->local_ip, 0, sizeof key->local_ip);
        key->src_port = 0;
        remote = bpf_map_lookup_elem(&remotes, key);
    }
    return remote;
}

SEC("tc")
int
fabric_from_underlay(struct __sk_buff *skb)
{
    struct fabric_kern_local_key local_key = {};
    struct fabric_kern_remote_key remote_key = {};
    struct fabric_kern_local *local;
    struct fabric_kern_conf *c;
    struct packet p = {};
    struct fabric_kern_remote *remote;
    __u32 header[2];
    __u32 inner;
    int reason;

    inner = parse_outer(skb, &p, &local_key, &remote_key);
    if (!inner && pull(skb, ETH_HLEN + V6_OUTER)) {
        inner = parse_outer(skb, &p, &local_key, &remote_key);
    }
    if (!inner || skb->vlan_present) {
        return TC_ACT_UNSPEC;
    }
    local = bpf_map_lookup_elem(&locals, &local_key);
    c = get_conf();
    if (!local || !c || !is_leased(c)) {
        return TC_ACT_UNSPEC;
    }
    reason = check_outer(skb);
    if (reason) {
        return because(reason, TC_ACT_UNSPEC);
    }
    remote_key.fabric = local->fabric;
    remote = find_remote(&remote_key, local_key.ip);
    if (!remote) {
        return because(FABRIC_KERN_REASON_SOURCE, TC_ACT_UNSPEC);
    }
    if (bpf_skb_load_bytes(skb, inner - sizeof header, header, sizeof header)
        || !plain_header(local, header)) {
        return because(FABRIC_KERN_REASON_TUNNEL, TC_ACT_UNSPEC);
    }
    p.key.vni = bpf_ntohl(header[1]) >> 8;

    if (!parse_frame(skb, inner, &p)
        && (!pull(skb, inner + MAX_HEADERS)
            || !parse_frame(skb, inner, &p))) {
        return because(FABRIC_KERN_REASON_NOT_PARSED, TC_ACT_UNSPEC);
    }
    return from_underlay(skb, c, &p, local, remote, inner);
}

/* Not attached anywhere: is run once, on an IPv6 packet in an IPv4 packet, to
 * find out whether the kernel takes the outer header off (Linux 6.3).  Returns
 * 1 if so. */
SEC("tc")
int
fabric_probe_decap_l3(struct __sk_buff *skb)
{
    return !bpf_skb_adjust_room(skb, -(__s32) sizeof(struct iphdr),
                                BPF_ADJ_ROOM_MAC,
                                BPF_F_ADJ_ROOM_FIXED_GSO | DECAP_L3_IPV6);
}
