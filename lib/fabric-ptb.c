/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-ptb.h"

#include <string.h>

#include "fabric-bytes.h"
#include "fabric-csum.h"
#include "fabric-l3.h"
#include "ovs-atomic.h"
#include "packets.h"
#include "util.h"

#define TTL 64
#define TOS_INTERNETWORK_CONTROL 0xc0   /* RFC 1812 section 4.3.2.5. */

#define MAX_IPV4 576                    /* RFC 1812 section 4.3.2.3. */
#define MAX_IPV6 1280

/* RFC 792. */
#define FRAGMENTATION_NEEDED 4

/* RFC 4443 sections 2.1 and 3.2, RFC 4861 section 4.5. */
#define ICMPV6_PACKET_TOO_BIG 2
#define ICMPV6_ECHO_REQUEST 128         /* The first that is no error. */
#define ICMPV6_REDIRECT 137

/* Extension headers of IPv6 that are looked behind. */
#define MAX_EXTENSIONS 8

static bool
is_unicast_ipv4(const uint8_t *ip)
{
    return ip[0] && ip[0] != 127 && ip[0] < 224;
}

static bool
is_ipv4_error(uint8_t type)
{
    return (type == ICMP4_DST_UNREACH || type == ICMP4_SOURCEQUENCH
            || type == ICMP4_REDIRECT || type == ICMP4_TIME_EXCEEDED
            || type == ICMP4_PARAM_PROB);
}

/* May the IPv4 packet of 'size' bytes at 'ip' cause a message that says
 * 'mtu'? */
static bool
may_tell_ipv4(const uint8_t *ip, size_t size, uint32_t mtu)
{
    size_t header_len = (ip[0] & 0xf) * 4;
    uint16_t frag;

    if (ip[0] >> 4 != 4 || header_len < IP_HEADER_LEN || header_len > size
        || fabric_get_be16(ip + 2) <= mtu || mtu > UINT16_MAX) {
        return false;
    }
    frag = fabric_get_be16(ip + 6);
    if (!(frag & IP_DONT_FRAGMENT) || frag & IP_FRAG_OFF_MASK
        || !is_unicast_ipv4(ip + 12) || !is_unicast_ipv4(ip + 16)) {
        return false;
    }
    return (ip[9] != IPPROTO_ICMP
            || (size > header_len && !is_ipv4_error(ip[header_len])));
}

static size_t
tell_ipv4(const uint8_t *ip, size_t size, uint32_t mtu, uint8_t *out)
{
    size_t quote_len = MIN(size, MAX_IPV4 - IP_HEADER_LEN - ICMP_HEADER_LEN);
    size_t icmp_len = ICMP_HEADER_LEN + quote_len;
    uint8_t *icmp = out + IP_HEADER_LEN;
    uint16_t csum;

    memset(out, 0, IP_HEADER_LEN + ICMP_HEADER_LEN);
    out[0] = 0x45;
    out[1] = TOS_INTERNETWORK_CONTROL;
    fabric_put_be16(out + 2, IP_HEADER_LEN + icmp_len);
    fabric_put_be16(out + 6, IP_DONT_FRAGMENT);
    out[8] = TTL;
    out[9] = IPPROTO_ICMP;
    memcpy(out + 12, ip + 16, 4);
    memcpy(out + 16, ip + 12, 4);
    csum = ~fabric_csum_fold(fabric_csum_add(0, out, IP_HEADER_LEN));
    memcpy(out + 10, &csum, sizeof csum);

    icmp[0] = ICMP4_DST_UNREACH;
    icmp[1] = FRAGMENTATION_NEEDED;
    fabric_put_be16(icmp + 6, mtu);
    memcpy(icmp + ICMP_HEADER_LEN, ip, quote_len);
    csum = ~fabric_csum_fold(fabric_csum_add(0, icmp, icmp_len));
    memcpy(icmp + 2, &csum, sizeof csum);
    return IP_HEADER_LEN + icmp_len;
}

/* Is what follows the IPv6 header, 'size' bytes, an ICMPv6 error or a
 * redirect, or hard to tell from one? */
static bool
is_ipv6_error(const uint8_t *p, size_t size, uint8_t proto)
{
    for (int i = 0; i < MAX_EXTENSIONS; i++) {
        size_t len;

        if (proto == IPPROTO_ICMPV6) {
            return (!size || p[0] < ICMPV6_ECHO_REQUEST
                    || p[0] == ICMPV6_REDIRECT);
        } else if (proto == IPPROTO_FRAGMENT) {
            if (size < 8 || fabric_get_be16(p + 2) & 0xfff8) {
                return true;
            }
            len = 8;
        } else if (proto == IPPROTO_HOPOPTS || proto == IPPROTO_ROUTING
                   || proto == IPPROTO_DSTOPTS) {
            if (size < 8) {
                return true;
            }
            len = (p[1] + 1) * 8;
        } else {
            return false;
        }
        if (len > size) {
            return true;
        }
        proto = p[0];
        p += len;
        size -= len;
    }
    return true;
}

static bool
may_tell_ipv6(const uint8_t *ip, size_t size, uint32_t mtu)
{
    return (ip[0] >> 4 == 6
            && IPV6_HEADER_LEN + fabric_get_be16(ip + 4) > mtu
            && ip[8] && ip[8] != 0xff && ip[24] && ip[24] != 0xff
            && !is_ipv6_error(ip + IPV6_HEADER_LEN, size - IPV6_HEADER_LEN,
                              ip[6]));
}

static size_t
tell_ipv6(const uint8_t *ip, size_t size, uint32_t mtu, uint8_t *out)
{
    size_t quote_len = MIN(size, (MAX_IPV6 - IPV6_HEADER_LEN
                                  - ICMP6_DATA_HEADER_LEN));
    size_t icmp_len = ICMP6_DATA_HEADER_LEN + quote_len;
    uint8_t *icmp = out + IPV6_HEADER_LEN;
    uint8_t pseudo[8] = { 0 };
    uint16_t csum;
    uint64_t sum;

    memset(out, 0, IPV6_HEADER_LEN + ICMP6_DATA_HEADER_LEN);
    out[0] = 0x60;
    fabric_put_be16(out + 4, icmp_len);
    out[6] = IPPROTO_ICMPV6;
    out[7] = TTL;
    memcpy(out + 8, ip + 24, 16);
    memcpy(out + 24, ip + 8, 16);

    icmp[0] = ICMPV6_PACKET_TOO_BIG;
    fabric_put_be32(icmp + 4, mtu);
    memcpy(icmp + ICMP6_DATA_HEADER_LEN, ip, quote_len);
    fabric_put_be32(pseudo, icmp_len);
    pseudo[7] = IPPROTO_ICMPV6;
    sum = fabric_csum_add(0, out + 8, 32);
    sum = fabric_csum_add(sum, pseudo, sizeof pseudo);
    csum = ~fabric_csum_fold(fabric_csum_add(sum, icmp, icmp_len));
    memcpy(icmp + 2, &csum, sizeof csum);
    return IPV6_HEADER_LEN + icmp_len;
}

size_t
fabric_ptb_compose(const void *frame_, size_t size, uint32_t mtu,
                   uint8_t message[FABRIC_PTB_MAX])
{
    const uint8_t *frame = frame_;
    const uint8_t *ip;
    uint16_t eth_type;
    size_t l3_ofs;

    l3_ofs = fabric_find_l3(frame, size, &eth_type);
    if (!eth_type || frame[0] & 1 || frame[ETH_ADDR_LEN] & 1) {
        /* Not Ethernet, or its addresses are not unicast. */
        return 0;
    }
    ip = frame + l3_ofs;
    size -= l3_ofs;
    memcpy(message, frame + ETH_ADDR_LEN, ETH_ADDR_LEN);
    memcpy(message + ETH_ADDR_LEN, frame, ETH_ADDR_LEN);
    memcpy(message + 2 * ETH_ADDR_LEN, frame + 2 * ETH_ADDR_LEN,
           l3_ofs - 2 * ETH_ADDR_LEN);

    if (eth_type == ETH_TYPE_IP && size >= IP_HEADER_LEN) {
        mtu = MAX(mtu, IP_HEADER_LEN + 48);     /* RFC 791 section 3.2. */
        size = MIN(size, fabric_get_be16(ip + 2));
        return (size >= IP_HEADER_LEN && may_tell_ipv4(ip, size, mtu)
                ? l3_ofs + tell_ipv4(ip, size, mtu, message + l3_ofs)
                : 0);
    } else if (eth_type == ETH_TYPE_IPV6 && size >= IPV6_HEADER_LEN) {
        mtu = MAX(mtu, MAX_IPV6);
        size = MIN(size, IPV6_HEADER_LEN + fabric_get_be16(ip + 4));
        return (may_tell_ipv6(ip, size, mtu)
                ? l3_ofs + tell_ipv6(ip, size, mtu, message + l3_ofs)
                : 0);
    }
    return 0;
}

bool
fabric_ptb_allow(uint32_t hash, long long int now)
{
    static atomic_uint64_t next[FABRIC_PTB_BUCKETS];
    atomic_uint64_t *bucket = &next[hash % FABRIC_PTB_BUCKETS];
    uint64_t when;

    atomic_read_relaxed(bucket, &when);
    return (now >= when
            && atomic_compare_exchange_strong(bucket, &when,
                                              (uint64_t) now
                                              + FABRIC_PTB_INTERVAL));
}
