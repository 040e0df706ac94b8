/* SPDX-License-Identifier: Apache-2.0 */

/* The fields of a flow are gathered as 32-bit words and mixed by MurmurHash3's
 * 32-bit body and finalizer (Austin Appleby, public domain): multiplications,
 * rotations and exclusive ors of 32 bits, with no table, no CPU-specific
 * instruction and at most FLOW_WORDS steps, so that a BPF program arrives at
 * the same value.  hash.h would not do, for its functions use the CPU's CRC
 * instruction where there is one.
 *
 * Words are read in network byte order, hence the value is the same on hosts
 * of either endianness.  It depends on nothing but the frame: a restart leaves
 * every flow on its path. */

#include <config.h>
#include "fabric-flow-hash.h"

#include <stdbool.h>
#include "fabric-bytes.h"
#include "fabric-l3.h"
#include "packets.h"
#include "util.h"

/* IPv6: four words for each address, label, protocol, ports. */
#define FLOW_WORDS (4 + 4 + 1 + 1 + 1)

struct flow_words {
    uint32_t w[FLOW_WORDS];
    unsigned int n;
};

static inline uint32_t
rotate_left(uint32_t x, int n)
{
    return x << n | x >> (32 - n);
}

static uint32_t
mix(const struct flow_words *words)
{
    uint32_t hash = 0;

    for (unsigned int i = 0; i < words->n; i++) {
        uint32_t w = rotate_left(words->w[i] * 0xcc9e2d51, 15) * 0x1b873593;

        hash = rotate_left(hash ^ w, 13) * 5 + 0xe6546b64;
    }

    hash ^= words->n * 4;
    hash = (hash ^ hash >> 16) * 0x85ebca6b;
    hash = (hash ^ hash >> 13) * 0xc2b2ae35;
    return hash ^ hash >> 16;
}

static inline void
add(struct flow_words *words, uint32_t w)
{
    words->w[words->n++] = w;
}

static bool
proto_has_ports(uint8_t proto)
{
    return (proto == IPPROTO_TCP || proto == IPPROTO_UDP
            || proto == IPPROTO_SCTP);
}

/* Adds IPv4 (RFC 791 section 3.1).  A fragment, even the first, goes without
 * ports because the others have none. */
static bool
add_ipv4(struct flow_words *words, const uint8_t *ip, size_t size)
{
    size_t ip_len;
    uint8_t proto;

    if (size < IP_HEADER_LEN) {
        return false;
    }

    proto = ip[9];
    add(words, fabric_get_be32(ip + 12));
    add(words, fabric_get_be32(ip + 16));
    add(words, proto);

    ip_len = IP_IHL(ip[0]) * 4;
    if (proto_has_ports(proto)
        && !(fabric_get_be16(ip + 6) & (IP_MORE_FRAGMENTS | IP_FRAG_OFF_MASK))
        && ip_len >= IP_HEADER_LEN && ip_len + 4 <= size) {
        add(words, fabric_get_be32(ip + ip_len));
    }
    return true;
}

/* Adds IPv6 (RFC 8200 section 3).  Ports behind extension headers do not
 * count: RFC 6438 has the flow label tell such flows apart, and fragments,
 * whose fragment header is one, then hash alike. */
static bool
add_ipv6(struct flow_words *words, const uint8_t *ip6, size_t size)
{
    uint8_t proto;

    if (size < IPV6_HEADER_LEN) {
        return false;
    }

    proto = ip6[6];
    for (size_t ofs = 8; ofs < IPV6_HEADER_LEN; ofs += 4) {
        add(words, fabric_get_be32(ip6 + ofs));
    }
    add(words, fabric_get_be32(ip6) & IPV6_LABEL_MASK);
    add(words, proto);
    if (proto_has_ports(proto) && IPV6_HEADER_LEN + 4 <= size) {
        add(words, fabric_get_be32(ip6 + IPV6_HEADER_LEN));
    }
    return true;
}

static void
add_ethernet(struct flow_words *words, const uint8_t *frame, size_t size,
             uint16_t eth_type)
{
    uint8_t macs[2 * ETH_ADDR_LEN] = { 0 };

    memcpy(macs, frame, MIN(size, sizeof macs));
    for (size_t ofs = 0; ofs < sizeof macs; ofs += 4) {
        add(words, fabric_get_be32(macs + ofs));
    }
    add(words, eth_type);
}

uint32_t
fabric_flow_hash(const void *frame_, size_t size)
{
    struct flow_words words = { .n = 0 };
    const uint8_t *frame = frame_;
    bool is_ip = false;
    uint16_t eth_type;
    size_t ofs;

    ofs = fabric_find_l3(frame, size, &eth_type);
    if (eth_type == ETH_TYPE_IP) {
        is_ip = add_ipv4(&words, frame + ofs, size - ofs);
    } else if (eth_type == ETH_TYPE_IPV6) {
        is_ip = add_ipv6(&words, frame + ofs, size - ofs);
    }
    if (!is_ip) {
        add_ethernet(&words, frame, size, eth_type);
    }
    return mix(&words);
}
