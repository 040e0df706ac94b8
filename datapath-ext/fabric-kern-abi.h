/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_KERN_ABI_H
#define FABRIC_KERN_ABI_H 1

/* What the kernel's fast path and ovs-vswitchd share: the maps' contents.
 * =====================================================================
 *
 * Included by the BPF programs (bpf/fabric-kern.bpf.c) and by userspace, so it
 * uses the kernel's types only.
 *
 * Integers are in host byte order, except the parts of fabric_kern_key that
 * are copies of packet fields. */

#include <linux/types.h>

#include "fabric-kern-reason.h"

/* Identities
 * ----------
 *
 * A flow was compiled from names (a datapath port, an endpoint's ID, a tunnel
 * address) whose meaning may change while the flow is here.  Therefore it does
 * not refer to numbers that are handed out again, such as an index or an
 * interface's number, but to identities: numbers from lib/fabric-identity.h
 * that stand for one meaning for ever.
 *
 *   - A port gets one when it is added, as the interface that it is then.
 *   - An endpoint gets one when it is added and whenever the addresses that
 *     stand for it in flows (tun_src, tun_dst) change.
 *
 * Where an index is needed, too, the program compares the identity found there
 * with the flow's.  So a flow that outlives a meaning matches nothing and
 * forwards nothing, at the moment when userspace writes the new meaning,
 * whether or not the flow has been removed. */

/* Flows
 * -----
 *
 * A flow is found as in a tuple space search: for each mask in use, the packet
 * key is masked and looked up together with the mask's number.
 *
 * The masks in use are those of the port that the packet came in by; from a
 * fabric, those of its VNI there, and then those of flows of any VNI. */

struct fabric_kern_key {
    __u32 in_port;              /* Identity of the port. */
    __u32 vni;                  /* 0 if not from a fabric. */
    __u32 sender;               /* Identity of the endpoint that sent it, 0 if
                                 * not from a fabric. */
    __u8 tun_tos;
    __u8 tun_ttl;
    __u16 tcp_flags;            /* As in struct flow. */
    __u8 eth_dst[6];
    __u8 eth_src[6];
    __u16 eth_type;
    __u16 vlan_tci;             /* With the CFI bit if there is a tag. */
    __u8 ip_proto;
    __u8 ip_tos;
    __u8 ip_ttl;
    __u8 zero;
    __u16 tp_src;
    __u16 tp_dst;
    __u32 ipv6_label;
    __u32 ip_src[4];            /* IPv4 uses the first word. */
    __u32 ip_dst[4];
};
#define FABRIC_KERN_KEY_WORDS (sizeof(struct fabric_kern_key) / 4)

#define FABRIC_KERN_MAX_MASKS 32        /* Of a list; a power of two. */

struct fabric_kern_list_key {
    __u32 in_port;              /* As in fabric_kern_key. */
    __u32 tenant;               /* VNI plus one, or 0. */
};

/* Masks in use. */
struct fabric_kern_list {
    __u32 n;
    __u8 order[FABRIC_KERN_MAX_MASKS];          /* Their numbers. */
    struct fabric_kern_key masks[FABRIC_KERN_MAX_MASKS];
};

struct fabric_kern_flow_key {
    __u32 mask;                 /* Number in the list. */
    struct fabric_kern_key key;
};

enum fabric_kern_op_type {
    FABRIC_KERN_OP_NONE,
    FABRIC_KERN_OP_OUTPUT,      /* A copy to 'port'. */
    FABRIC_KERN_OP_PUSH_VLAN,   /* 'arg' is the TCI. */
    FABRIC_KERN_OP_POP_VLAN,
    FABRIC_KERN_OP_SET_ETH,     /* 12 bytes: destination, source. */
    FABRIC_KERN_OP_SET_IPV4,    /* 12 bytes: source, destination, protocol (not
                                 * changed), TOS, TTL, 0. */
    FABRIC_KERN_OP_SET_IPV6_SRC, /* 16 bytes. */
    FABRIC_KERN_OP_SET_IPV6_DST, /* Likewise. */
    FABRIC_KERN_OP_SET_IPV6,    /* 8 bytes: label, hop limit, class, 0, 0. */
    FABRIC_KERN_OP_SET_PORTS,   /* 4 bytes: source, destination. */
};

/* A change to the packet: where 'mask' has a bit, 'value' has its value. */
struct fabric_kern_op {
    __u16 type;                 /* enum fabric_kern_op_type. */
    __u16 arg;
    __u32 port;                 /* Identity of a port. */
    __u8 value[16];
    __u8 mask[16];
};

#define FABRIC_KERN_MAX_OPS 8

enum fabric_kern_verdict {
    FABRIC_KERN_DROP,           /* For reason 'port'. */
    FABRIC_KERN_OUTPUT,         /* To 'port'. */
    FABRIC_KERN_FABRIC,         /* To 'endpoint' of a fabric. */
};

struct fabric_kern_flow {
    __u32 stats;                /* Index in 'flow_stats'. */
    __u16 n_ops;
    __u16 verdict;              /* enum fabric_kern_verdict. */
    __u32 port;                 /* Identity of a port. */
    __u32 endpoint;             /* Index in the path table. */
    __u32 receiver;             /* Identity of the endpoint. */
    __u32 fabric;               /* Index in 'fabric_stats'. */
    __u8 tos, ttl;              /* Of the outer header. */
    __u8 untagged;              /* Matches untagged packets only, or takes the
                                 * tag off? */
    __u8 copies;                /* True if it has a FABRIC_KERN_OP_OUTPUT. */
    __u8 header[8];             /* VXLAN or Geneve, without options. */
    struct fabric_kern_op ops[FABRIC_KERN_MAX_OPS];
};

struct fabric_kern_flow_stats {
    __u64 packets;              /* Of super-frames, the segments. */
    __u64 bytes;
    __u64 used;                 /* CLOCK_MONOTONIC, ns; 0 if never. */
    __u64 tcp_flags;            /* As in struct flow, in host byte order. */
};

/* Ports, by interface index.  A packet that matches no flow goes to the
 * channel, behind a fabric_kern_meta.
 *
 * Interfaces to send to are in map 'devices', by the port's identity.  The
 * kernel takes an interface out of that map when it is deleted or moved to
 * another namespace, so an entry proves that the interface's number still
 * means the interface that was the port. */

struct fabric_kern_port {
    __u32 id;                   /* Identity. */
    __u32 redirect_peer;        /* Can be reached by bpf_redirect_peer()? */
    __u8 peer_mac[6];           /* The address that the workload accepts. */
    __u16 share;                /* Index in 'shares'. */
    __u64 tx_packets;           /* Passed to the peer unseen by the kernel's */
    __u64 tx_bytes;             /* own counters. */
};

#define FABRIC_KERN_META_MAGIC 0x57656674u

/* In place of an Ethernet header, two bytes longer.  The tap writes a tag that
 * is beside the packet, not in it, before 'eth_type', as into a frame. */
struct fabric_kern_meta {
    __u32 magic;                /* FABRIC_KERN_META_MAGIC. */
    __u32 ifindex;              /* Where the packet came in. */
    __u32 position;             /* Of the port's share, with this packet. */
    __u16 eth_type;             /* FABRIC_KERN_META_TYPE, big-endian. */
    __u16 zero;
};
#define FABRIC_KERN_META_TYPE 0x88b5u   /* IEEE 802: local experiments. */

/* The kernel makes no room for that in a frame of more than 16 kB that is not
 * a super-frame.  It gets tags instead, from outside to inside the lower and
 * higher 16 bits of the interface index, and of the position.  (None of these
 * has the magic number in front: the program drops a frame that has.) */
#define FABRIC_KERN_LONG_TPID 0x88a8u
#define FABRIC_KERN_LONG_TAGS 4

/* A super-frame that is too long for an outer header (BIG TCP) goes through a
 * pair of interfaces that cuts it, see fabric-loop.h, its mark telling the
 * interface that it came in by. */
#define FABRIC_KERN_CUT_LEN 65000u

/* What waits for userspace, of a port or of all.
 *
 * The counters, which only grow and wrap around, are of units: a packet is as
 * many as it has segments, or as many as FABRIC_KERN_UNIT bytes of it if that
 * is more. */

struct fabric_kern_share {
    __u32 sent;                 /* The programs write. */
    __u32 done;                 /* Userspace writes. */
    __u64 dropped;              /* Packets beyond the share. */
    __u8 pad[48];
};

#define FABRIC_KERN_UNIT 2048
#define FABRIC_KERN_CHANNEL_UNITS 8192
#define FABRIC_KERN_WHOLE_SHARE 0       /* That of all ports together. */

/* What packets from the underlay are for: by own address and UDP port. */

struct fabric_kern_local_key {
    __u8 ip[16];                /* IPv4 as v4-mapped IPv6 address. */
    __u16 udp_port;             /* Network byte order. */
    __u16 zero;
};

struct fabric_kern_local {
    __u32 fabric;               /* Index in 'fabric_stats'. */
    __u32 port;                 /* Identity of the fabric's port. */
    __u32 probe_vni;
    __u32 bfd_vni;
    __u32 geneve;
};

/* Who sends: by both addresses and the source port, the path; and by the
 * sender's address alone, the rest being zero, the endpoint. */

struct fabric_kern_remote_key {
    __u8 ip[16];                /* IPv4 as v4-mapped IPv6 address. */
    __u8 local_ip[16];          /* Likewise. */
    __u32 fabric;
    __u16 src_port;             /* Network byte order. */
    __u16 zero;
};

struct fabric_kern_remote {
    __u32 sender;               /* Identity of the endpoint. */
    __u32 endpoint;             /* Index in the path table. */
    __u32 path;                 /* Likewise, or FABRIC_KERN_NO_PATH. */
};

struct fabric_kern_fabric_stats {
    __u64 rx_packets, rx_bytes;
    __u64 tx_packets, tx_bytes;
};

struct fabric_kern_conf {
    __u32 channel;              /* Interface index of the channel. */
    __u32 cut_out, cut_in;      /* Likewise: super-frames to be cut go there,
                                 * and come back.  0 if there is none. */
    __u32 decap_l3;             /* True if the families of inner and outer
                                 * header may differ. */
};

/* The path table (lib/fabric-table.h), which userspace writes.  The kernel's
 * maps hold the first entries of both arrays. */

#define FABRIC_KERN_SLOTS 256
#define FABRIC_KERN_HASH_SHIFT 24
#define FABRIC_KERN_NO_PATH 0xffffffffu

struct fabric_kern_path {
    __u32 local_ip[4];          /* IPv4 as v4-mapped IPv6 address. */
    __u32 remote_ip[4];
    __u16 src_port, dst_port;   /* Network byte order. */
    __u32 endpoint;
    __u32 key, state, suspect, weight;
    __u64 tx_packets, tx_bytes;
    __u32 out_ifindex;          /* 0 if the kernel cannot send over it. */
    __u32 out_mtu;              /* Of the outer IP packet. */
    __u32 next_hop[4];          /* IPv4 as v4-mapped IPv6 address. */
    __u64 rx_packets, rx_bytes;
    __u32 mtu;                  /* Likewise, found out; 0: not known. */
    __u8 pad[12];
};

struct fabric_kern_endpoint {
    __u32 n_usable, n_paths;
    __u64 rx_packets, rx_bytes;
    __u64 tx_no_live_path;
    __u32 sent;                 /* Set by whoever sends to it. */
    __u32 idle;
    __u32 needed;
    __u32 id;                   /* Identity. */
    __u8 pad[16];
    __u32 slots[FABRIC_KERN_SLOTS];
};

/* Sizes of maps. */
#define FABRIC_KERN_MAX_PATHS 65536
#define FABRIC_KERN_MAX_ENDPOINTS 8192
#define FABRIC_KERN_MAX_FLOWS 65536
#define FABRIC_KERN_MAX_FLOW_STATS 73728        /* Some wait to be free. */
#define FABRIC_KERN_MAX_LISTS 8192
#define FABRIC_KERN_MAX_PORTS 4096
#define FABRIC_KERN_MAX_SHARES (FABRIC_KERN_MAX_PORTS + 1)
#define FABRIC_KERN_MAX_LOCALS 256
#define FABRIC_KERN_MAX_REMOTES (65536 + 8192)
#define FABRIC_KERN_MAX_FABRICS 64
#define FABRIC_KERN_MAX_DROPS 128       /* Reasons, fabric-kern-drops.h. */

#endif /* fabric-kern-abi.h */
