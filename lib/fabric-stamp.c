/* SPDX-License-Identifier: Apache-2.0 */

/* A test packet is laid out as in RFC 8762 section 4.2.1, a reflected one as
 * in 4.3.1, both 44 octets long; RFC 8972 section 3 puts the SSID behind the
 * error estimate of either.
 *
 *     octet   test packet          reflected packet
 *      0      sequence number      sequence number
 *      4      timestamp            timestamp
 *     12      error estimate       error estimate
 *     14      SSID                 SSID
 *     16      0                    receive timestamp
 *     24      0                    sender's sequence number
 *     28      0                    sender's timestamp
 *     36      0                    sender's error estimate
 *     38      0                    0
 *     40      0                    sender's TTL
 *     41      0                    0
 *
 * TLVs follow (RFC 8972 section 4), of which this knows one, described in the
 * header; others are ignored. */

#include <config.h>
#include "fabric-stamp.h"

#include "csum.h"
#include "fabric-bytes.h"
#include "util.h"

/* Octets of the STAMP packet. */
enum {
    STAMP_SEQ = 0,
    STAMP_TIMESTAMP = 4,
    STAMP_ERROR_ESTIMATE = 12,
    STAMP_SSID = 14,
    STAMP_RX_TIMESTAMP = 16,
    STAMP_SENDER_SEQ = 24,
    STAMP_SENDER_TIMESTAMP = 28,
    STAMP_SENDER_ERROR_ESTIMATE = 36,
    STAMP_SENDER_TTL = 40,
};

#define STAMP_MIN_UDP_LEN (UDP_HEADER_LEN + FABRIC_STAMP_LEN)

/* TLVs. */
#define TLV_HEADER_LEN 4
#define TLV_UNRECOGNIZED 0x80   /* U flag: set by the sender, cleared by a
                                 * reflector that knows the type. */
#define TLV_MALFORMED 0x40      /* M flag. */
#define HEARD_ID 0x0002fab1
#define HEARD_PREFIX_LEN (TLV_HEADER_LEN + 4)
#define HEARD_ENTRY_LEN 8

/* RFC 5881 section 5: only what crossed no router arrives with 255. */
#define STAMP_TTL 255

/* Seconds from 1900 to 1970, RFC 5905 section 6. */
#define NTP_UNIX_OFFSET UINT64_C(2208988800)
#define NS_PER_SEC UINT64_C(1000000000)

const struct eth_addr fabric_stamp_mac = ETH_ADDR_C(00,00,5e,00,52,02);

static const uint8_t stamp_ipv4_dst[4] = { 127, 0, 0, 1 };

fabric_stamp_ts
fabric_stamp_ts_from_ns(uint64_t ns)
{
    uint64_t sec = ns / NS_PER_SEC + NTP_UNIX_OFFSET;
    uint64_t frac = ((ns % NS_PER_SEC) << 32) / NS_PER_SEC;

    return sec << 32 | frac;
}

/* Seconds wrap in 2036.  Since no time before 1970 makes sense here, smaller
 * values belong to era 1 (RFC 5905 section 6), good until 2106. */
uint64_t
fabric_stamp_ts_to_ns(fabric_stamp_ts ts)
{
    uint64_t sec = ts >> 32;
    uint64_t frac = ts & UINT32_MAX;

    if (sec < NTP_UNIX_OFFSET) {
        sec += UINT64_C(1) << 32;
    }
    return ((sec - NTP_UNIX_OFFSET) * NS_PER_SEC
            + ((frac * NS_PER_SEC + (UINT64_C(1) << 31)) >> 32));
}

/* Returns the ones' complement sum of the UDP pseudo-header (RFC 768, RFC 8200
 * section 8.1), 'addrs' being both addresses, 'addrs_len' bytes. */
static uint32_t
pseudo_header_sum(const uint8_t *addrs, size_t addrs_len, uint16_t udp_len)
{
    return csum_add16(csum_add16(csum_continue(0, addrs, addrs_len),
                                 htons(IPPROTO_UDP)),
                      htons(udp_len));
}

static size_t
stamp_udp_len(const struct fabric_stamp *stamp)
{
    return (STAMP_MIN_UDP_LEN
            + (stamp->n_heard
               ? HEARD_PREFIX_LEN + stamp->n_heard * HEARD_ENTRY_LEN : 0));
}

static void
put_heard(const struct fabric_stamp *stamp, uint8_t *tlv)
{
    tlv[0] = stamp->reflected ? 0 : TLV_UNRECOGNIZED;
    tlv[1] = FABRIC_STAMP_TLV_TYPE_HEARD;
    fabric_put_be16(tlv + 2, (HEARD_PREFIX_LEN - TLV_HEADER_LEN
                              + stamp->n_heard * HEARD_ENTRY_LEN));
    fabric_put_be32(tlv + TLV_HEADER_LEN, HEARD_ID);
    for (size_t i = 0; i < stamp->n_heard; i++) {
        uint8_t *entry = tlv + HEARD_PREFIX_LEN + i * HEARD_ENTRY_LEN;

        fabric_put_be16(entry, stamp->heard[i].ssid);
        fabric_put_be16(entry + 2, 0);
        fabric_put_be32(entry + 4, stamp->heard[i].seq);
    }
}

static void
put_payload(const struct fabric_stamp *stamp, uint8_t *p)
{
    memset(p, 0, FABRIC_STAMP_LEN);
    fabric_put_be32(p + STAMP_SEQ, stamp->seq);
    fabric_put_be64(p + STAMP_TIMESTAMP, stamp->timestamp);
    fabric_put_be16(p + STAMP_ERROR_ESTIMATE, stamp->error_estimate);
    fabric_put_be16(p + STAMP_SSID, stamp->ssid);
    if (stamp->reflected) {
        fabric_put_be64(p + STAMP_RX_TIMESTAMP, stamp->rx_timestamp);
        fabric_put_be32(p + STAMP_SENDER_SEQ, stamp->sender_seq);
        fabric_put_be64(p + STAMP_SENDER_TIMESTAMP, stamp->sender_timestamp);
        fabric_put_be16(p + STAMP_SENDER_ERROR_ESTIMATE,
                        stamp->sender_error_estimate);
        p[STAMP_SENDER_TTL] = stamp->sender_ttl;
    }
    if (stamp->n_heard) {
        put_heard(stamp, p + FABRIC_STAMP_LEN);
    }
}

static void
put_udp(const struct fabric_stamp *stamp, uint32_t pseudo_sum, uint8_t *udp)
{
    size_t udp_len = stamp_udp_len(stamp);
    ovs_be16 csum;

    fabric_put_be16(udp, (stamp->reflected
                          ? FABRIC_STAMP_PORT : FABRIC_STAMP_SENDER_PORT));
    fabric_put_be16(udp + 2, (stamp->reflected
                              ? FABRIC_STAMP_SENDER_PORT : FABRIC_STAMP_PORT));
    fabric_put_be16(udp + 4, udp_len);
    fabric_put_be16(udp + 6, 0);
    put_payload(stamp, udp + UDP_HEADER_LEN);

    /* RFC 768: a checksum that comes out as zero is sent as all ones. */
    csum = csum_finish(csum_continue(pseudo_sum, udp, udp_len));
    csum = csum ? csum : OVS_BE16_MAX;
    memcpy(udp + 6, &csum, sizeof csum);
}

static size_t
put_ipv4(ovs_be32 src, size_t udp_len, uint8_t *ip)
{
    ovs_be16 sum;

    memset(ip, 0, IP_HEADER_LEN);
    ip[0] = IP_IHL_VER(5, 4);
    fabric_put_be16(ip + 2, IP_HEADER_LEN + udp_len);
    fabric_put_be16(ip + 6, IP_DONT_FRAGMENT);
    ip[8] = STAMP_TTL;
    ip[9] = IPPROTO_UDP;
    memcpy(ip + 12, &src, sizeof src);
    memcpy(ip + 16, stamp_ipv4_dst, sizeof stamp_ipv4_dst);
    sum = csum(ip, IP_HEADER_LEN);
    memcpy(ip + 10, &sum, sizeof sum);
    return IP_HEADER_LEN;
}

static size_t
put_ipv6(const struct in6_addr *src, size_t udp_len, uint8_t *ip6)
{
    memset(ip6, 0, IPV6_HEADER_LEN);
    ip6[0] = 6 << 4;
    fabric_put_be16(ip6 + 4, udp_len);
    ip6[6] = IPPROTO_UDP;
    ip6[7] = STAMP_TTL;
    memcpy(ip6 + 8, src, sizeof *src);
    memcpy(ip6 + 24, &in6addr_loopback, sizeof in6addr_loopback);
    return IPV6_HEADER_LEN;
}

size_t
fabric_stamp_compose(const struct fabric_stamp *stamp,
                     const struct eth_addr *src_mac,
                     const struct in6_addr *src, void *frame)
{
    uint8_t *eth = frame;
    uint8_t *ip = eth + ETH_HEADER_LEN;
    size_t udp_len = stamp_udp_len(stamp);
    uint32_t pseudo_sum;
    size_t ip_len;

    memcpy(eth, &fabric_stamp_mac, ETH_ADDR_LEN);
    memcpy(eth + ETH_ADDR_LEN, src_mac, ETH_ADDR_LEN);
    if (IN6_IS_ADDR_V4MAPPED(src)) {
        fabric_put_be16(eth + 12, ETH_TYPE_IP);
        ip_len = put_ipv4(in6_addr_get_mapped_ipv4(src), udp_len, ip);
        pseudo_sum = pseudo_header_sum(ip + 12, 8, udp_len);
    } else {
        fabric_put_be16(eth + 12, ETH_TYPE_IPV6);
        ip_len = put_ipv6(src, udp_len, ip);
        pseudo_sum = pseudo_header_sum(ip + 8, 32, udp_len);
    }
    put_udp(stamp, pseudo_sum, ip + ip_len);
    return ETH_HEADER_LEN + ip_len + udp_len;
}

bool
fabric_stamp_is_probe(const void *frame, size_t size)
{
    return (size >= ETH_HEADER_LEN
            && !memcmp(frame, &fabric_stamp_mac, ETH_ADDR_LEN));
}

/* What the IP header tells of the UDP datagram. */
struct stamp_ip {
    const uint8_t *udp;         /* Begins here. */
    size_t udp_size;            /* Room for it. */
    const uint8_t *addrs;       /* Source and destination. */
    size_t addrs_len;
    bool csum_optional;         /* May the UDP checksum be zero?  Over IPv6 it
                                 * may not, RFC 8200 section 8.1. */
};

static bool
parse_ipv4(const uint8_t *ip, size_t size, struct stamp_ip *info)
{
    size_t ip_len, tot_len;

    if (size < IP_HEADER_LEN || IP_VER(ip[0]) != 4) {
        return false;
    }

    ip_len = IP_IHL(ip[0]) * 4;
    tot_len = fabric_get_be16(ip + 2);
    if (ip_len < IP_HEADER_LEN || tot_len < ip_len || tot_len > size
        || fabric_get_be16(ip + 6) & (IP_MORE_FRAGMENTS | IP_FRAG_OFF_MASK)
        || ip[8] != STAMP_TTL || ip[9] != IPPROTO_UDP
        || ip[16] != stamp_ipv4_dst[0]
        || csum(ip, ip_len)) {
        return false;
    }

    *info = (struct stamp_ip) {
        .udp = ip + ip_len,
        .udp_size = tot_len - ip_len,
        .addrs = ip + 12,
        .addrs_len = 8,
        .csum_optional = true,
    };
    return true;
}

static bool
parse_ipv6(const uint8_t *ip6, size_t size, struct stamp_ip *info)
{
    size_t plen;

    if (size < IPV6_HEADER_LEN || IP_VER(ip6[0]) != 6) {
        return false;
    }

    plen = fabric_get_be16(ip6 + 4);
    if (plen > size - IPV6_HEADER_LEN
        || ip6[6] != IPPROTO_UDP || ip6[7] != STAMP_TTL
        || memcmp(ip6 + 24, &in6addr_loopback, sizeof in6addr_loopback)) {
        return false;
    }

    *info = (struct stamp_ip) {
        .udp = ip6 + IPV6_HEADER_LEN,
        .udp_size = plen,
        .addrs = ip6 + 8,
        .addrs_len = 32,
    };
    return true;
}

/* Checks the UDP header and stores which way the packet goes. */
static bool
parse_udp(const struct stamp_ip *ip, bool *reflected)
{
    const uint8_t *udp = ip->udp;
    uint16_t src, dst;
    size_t udp_len;

    if (ip->udp_size < STAMP_MIN_UDP_LEN) {
        return false;
    }
    udp_len = fabric_get_be16(udp + 4);
    if (udp_len < STAMP_MIN_UDP_LEN || udp_len > ip->udp_size) {
        return false;
    }

    if (fabric_get_be16(udp + 6)) {
        uint32_t sum = pseudo_header_sum(ip->addrs, ip->addrs_len, udp_len);

        if (csum_finish(csum_continue(sum, udp, udp_len))) {
            return false;
        }
    } else if (!ip->csum_optional) {
        return false;
    }

    src = fabric_get_be16(udp);
    dst = fabric_get_be16(udp + 2);
    *reflected = src == FABRIC_STAMP_PORT;
    return ((src == FABRIC_STAMP_PORT && dst == FABRIC_STAMP_SENDER_PORT)
            || (src == FABRIC_STAMP_SENDER_PORT && dst == FABRIC_STAMP_PORT));
}

static void
parse_payload(const uint8_t *p, bool reflected, struct fabric_stamp *stamp)
{
    *stamp = (struct fabric_stamp) {
        .reflected = reflected,
        .seq = fabric_get_be32(p + STAMP_SEQ),
        .timestamp = fabric_get_be64(p + STAMP_TIMESTAMP),
        .error_estimate = fabric_get_be16(p + STAMP_ERROR_ESTIMATE),
        .ssid = fabric_get_be16(p + STAMP_SSID),
    };
    if (reflected) {
        stamp->rx_timestamp = fabric_get_be64(p + STAMP_RX_TIMESTAMP);
        stamp->sender_seq = fabric_get_be32(p + STAMP_SENDER_SEQ);
        stamp->sender_timestamp = fabric_get_be64(p + STAMP_SENDER_TIMESTAMP);
        stamp->sender_error_estimate
            = fabric_get_be16(p + STAMP_SENDER_ERROR_ESTIMATE);
        stamp->sender_ttl = p[STAMP_SENDER_TTL];
    }
}

static void
parse_heard(const uint8_t *tlv, size_t len, struct fabric_stamp *stamp)
{
    size_t n = (len - HEARD_PREFIX_LEN) / HEARD_ENTRY_LEN;

    stamp->n_heard = MIN(n, FABRIC_STAMP_MAX_HEARD);
    for (size_t i = 0; i < stamp->n_heard; i++) {
        const uint8_t *entry = tlv + HEARD_PREFIX_LEN + i * HEARD_ENTRY_LEN;

        stamp->heard[i].ssid = fabric_get_be16(entry);
        stamp->heard[i].seq = fabric_get_be32(entry + 4);
    }
}

/* Walks the 'size' bytes of TLVs at 'p', up to the first that is malformed. */
static void
parse_tlvs(const uint8_t *p, size_t size, struct fabric_stamp *stamp)
{
    while (size >= TLV_HEADER_LEN) {
        size_t len = TLV_HEADER_LEN + fabric_get_be16(p + 2);

        if (len > size) {
            return;
        }

        /* In an answer, U says that the reflector did not know the type. */
        if (p[1] == FABRIC_STAMP_TLV_TYPE_HEARD && len > HEARD_PREFIX_LEN
            && fabric_get_be32(p + TLV_HEADER_LEN) == HEARD_ID
            && !(p[0] & TLV_MALFORMED)
            && !(stamp->reflected && p[0] & TLV_UNRECOGNIZED)) {
            parse_heard(p, len, stamp);
        }
        p += len;
        size -= len;
    }
}

bool
fabric_stamp_parse(const void *frame, size_t size, struct fabric_stamp *stamp)
{
    const uint8_t *eth = frame;
    const uint8_t *l3 = eth + ETH_HEADER_LEN;
    struct stamp_ip ip;
    bool reflected;

    if (!fabric_stamp_is_probe(frame, size)) {
        return false;
    }

    size -= ETH_HEADER_LEN;
    switch (fabric_get_be16(eth + 12)) {
    case ETH_TYPE_IP:
        if (!parse_ipv4(l3, size, &ip)) {
            return false;
        }
        break;
    case ETH_TYPE_IPV6:
        if (!parse_ipv6(l3, size, &ip)) {
            return false;
        }
        break;
    default:
        return false;
    }

    if (!parse_udp(&ip, &reflected)) {
        return false;
    }
    parse_payload(ip.udp + UDP_HEADER_LEN, reflected, stamp);
    parse_tlvs(ip.udp + STAMP_MIN_UDP_LEN,
               fabric_get_be16(ip.udp + 4) - STAMP_MIN_UDP_LEN, stamp);
    return true;
}

void
fabric_stamp_reflect(const struct fabric_stamp *test, uint8_t sender_ttl,
                     fabric_stamp_ts rx, fabric_stamp_ts tx,
                     struct fabric_stamp *reply)
{
    *reply = (struct fabric_stamp) {
        .reflected = true,
        .seq = test->seq,
        .timestamp = tx,
        .error_estimate = FABRIC_STAMP_ERROR_ESTIMATE,
        .ssid = test->ssid,
        .n_heard = test->n_heard,
        .rx_timestamp = rx,
        .sender_seq = test->seq,
        .sender_timestamp = test->timestamp,
        .sender_error_estimate = test->error_estimate,
        .sender_ttl = sender_ttl,
    };
}
