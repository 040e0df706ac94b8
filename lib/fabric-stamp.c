/* SPDX-License-Identifier: Apache-2.0 */

/* A test packet is laid out as in RFC 8762 section 4.2.1, a reflected one as
 * in 4.3.1, both 44 octets long; in authenticated mode as in 4.2.2 and 4.3.2,
 * 112 octets.  RFC 8972 section 3 puts the SSID behind the error estimate.
 * What is not listed is 0, as are in a test packet the fields of a reflected
 * one.
 *
 *     octet   authenticated   field
 *      0           0          sequence number
 *      4          16          timestamp
 *     12          24          error estimate
 *     14          26          SSID
 *     16          32          reflected: receive timestamp
 *     24          48          reflected: sender's sequence number
 *     28          64          reflected: sender's timestamp
 *     36          72          reflected: sender's error estimate
 *     40          80          reflected: sender's TTL
 *                 96          HMAC of the 96 octets before it
 *
 * TLVs follow: see fabric-stamp-tlv.c.
 *
 * No field tells the modes apart.  A packet in authenticated mode is
 * recognized, where it is not expected, by the zeros between its sequence
 * number and its timestamp: an unauthenticated one has its own timestamp and
 * error estimate there, and a multiplier of 0 is not allowed (RFC 4656 section
 * 4.1.2). */

#include <config.h>
#include "fabric-stamp.h"

#include "csum.h"
#include "fabric-bytes.h"
#include "fabric-stamp-auth.h"
#include "fabric-stamp-tlv.h"
#include "util.h"

/* Octets of the base packet. */
struct stamp_layout {
    size_t len;
    size_t timestamp;
    size_t error_estimate;
    size_t ssid;
    size_t rx_timestamp;
    size_t sender_seq;
    size_t sender_timestamp;
    size_t sender_error_estimate;
    size_t sender_ttl;
};
static const struct stamp_layout layouts[2] = {
    [false] = { FABRIC_STAMP_LEN, 4, 12, 14, 16, 24, 28, 36, 40 },
    [true] = { FABRIC_STAMP_AUTH_LEN, 16, 24, 26, 32, 48, 64, 72, 80 },
};

/* Authenticated mode. */
#define STAMP_AUTH_MBZ 4                /* These octets are zero: */
#define STAMP_AUTH_MBZ_LEN 12
#define STAMP_AUTH_MAC 96

BUILD_ASSERT_DECL(STAMP_AUTH_MAC + FABRIC_STAMP_MAC_LEN
                  == FABRIC_STAMP_AUTH_LEN);

/* RFC 5881 section 5: only what crossed no router arrives with 255. */
#define STAMP_TTL 255

/* Seconds from 1900 to 1970, RFC 5905 section 6. */
#define NTP_UNIX_OFFSET UINT64_C(2208988800)
#define NS_PER_SEC UINT64_C(1000000000)

const struct eth_addr fabric_stamp_mac = ETH_ADDR_C(00,00,5e,00,52,02);

static const uint8_t stamp_ipv4_dst[4] = { 127, 0, 0, 1 };

bool
fabric_stamp_keys_equal(const struct fabric_stamp_keys *a,
                        const struct fabric_stamp_keys *b)
{
    if (a->n != b->n) {
        return false;
    }
    for (size_t i = 0; i < a->n; i++) {
        if (a->keys[i].len != b->keys[i].len
            || memcmp(a->keys[i].key, b->keys[i].key, a->keys[i].len)) {
            return false;
        }
    }
    return true;
}

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

static bool
is_authenticated(const struct fabric_stamp_keys *keys)
{
    return keys && keys->n;
}

static size_t
stamp_udp_len(const struct fabric_stamp *stamp, bool authenticated)
{
    return (UDP_HEADER_LEN + layouts[authenticated].len
            + fabric_stamp_tlvs_len(stamp, authenticated));
}

static size_t
headers_len(const struct in6_addr *src)
{
    return (ETH_HEADER_LEN + (IN6_IS_ADDR_V4MAPPED(src)
                              ? IP_HEADER_LEN : IPV6_HEADER_LEN));
}

size_t
fabric_stamp_frame_len(const struct fabric_stamp *stamp,
                       const struct fabric_stamp_keys *keys,
                       const struct in6_addr *src)
{
    return headers_len(src) + stamp_udp_len(stamp, is_authenticated(keys));
}

bool
fabric_stamp_pad(struct fabric_stamp *stamp,
                 const struct fabric_stamp_keys *keys,
                 const struct in6_addr *src, size_t len)
{
    size_t bare;

    stamp->has_padding = false;
    stamp->padding_len = 0;
    bare = fabric_stamp_frame_len(stamp, keys, src);
    if (len == bare) {
        return true;
    }

    /* A first TLV may bring the HMAC TLV with it. */
    stamp->has_padding = true;
    bare = fabric_stamp_frame_len(stamp, keys, src);
    if (len < bare || len - ETH_HEADER_LEN > UINT16_MAX) {
        stamp->has_padding = false;
        return false;
    }
    stamp->padding_len = len - bare;
    return true;
}

static void
put_base(const struct fabric_stamp *stamp, const struct stamp_layout *o,
         uint8_t *p)
{
    memset(p, 0, o->len);
    fabric_put_be32(p, stamp->seq);
    fabric_put_be64(p + o->timestamp, stamp->timestamp);
    fabric_put_be16(p + o->error_estimate, stamp->error_estimate);
    fabric_put_be16(p + o->ssid, stamp->ssid);
    if (stamp->reflected) {
        fabric_put_be64(p + o->rx_timestamp, stamp->rx_timestamp);
        fabric_put_be32(p + o->sender_seq, stamp->sender_seq);
        fabric_put_be64(p + o->sender_timestamp, stamp->sender_timestamp);
        fabric_put_be16(p + o->sender_error_estimate,
                        stamp->sender_error_estimate);
        p[o->sender_ttl] = stamp->sender_ttl;
    }
}

/* RFC 8762 section 4.4: what the HMAC of the base packet covers. */
static struct fabric_stamp_message
base_message(const uint8_t *p)
{
    return (struct fabric_stamp_message) { .data = { p },
                                           .len = { STAMP_AUTH_MAC } };
}

static bool
put_payload(const struct fabric_stamp *stamp,
            const struct fabric_stamp_key *key, uint8_t *p)
{
    const struct stamp_layout *layout = &layouts[key != NULL];

    put_base(stamp, layout, p);
    if (key) {
        struct fabric_stamp_message m = base_message(p);

        if (!fabric_stamp_mac_compute(key, &m, p + STAMP_AUTH_MAC)) {
            return false;
        }
    }
    return fabric_stamp_put_tlvs(stamp, key, p, p + layout->len);
}

/* Writes the UDP datagram, 'udp_len' bytes. */
static bool
put_udp(const struct fabric_stamp *stamp, const struct fabric_stamp_key *key,
        uint32_t pseudo_sum, size_t udp_len, uint8_t *udp)
{
    ovs_be16 csum;

    fabric_put_be16(udp, (stamp->reflected
                          ? FABRIC_STAMP_PORT : FABRIC_STAMP_SENDER_PORT));
    fabric_put_be16(udp + 2, (stamp->reflected
                              ? FABRIC_STAMP_SENDER_PORT : FABRIC_STAMP_PORT));
    fabric_put_be16(udp + 4, udp_len);
    fabric_put_be16(udp + 6, 0);
    if (!put_payload(stamp, key, udp + UDP_HEADER_LEN)) {
        return false;
    }

    /* RFC 768: a checksum that comes out as zero is sent as all ones. */
    csum = csum_finish(csum_continue(pseudo_sum, udp, udp_len));
    csum = csum ? csum : OVS_BE16_MAX;
    memcpy(udp + 6, &csum, sizeof csum);
    return true;
}

static void
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
}

static void
put_ipv6(const struct in6_addr *src, size_t udp_len, uint8_t *ip6)
{
    memset(ip6, 0, IPV6_HEADER_LEN);
    ip6[0] = 6 << 4;
    fabric_put_be16(ip6 + 4, udp_len);
    ip6[6] = IPPROTO_UDP;
    ip6[7] = STAMP_TTL;
    memcpy(ip6 + 8, src, sizeof *src);
    memcpy(ip6 + 24, &in6addr_loopback, sizeof in6addr_loopback);
}

/* Returns the key of 'stamp', null in unauthenticated mode. */
static const struct fabric_stamp_key *
stamp_key(const struct fabric_stamp *stamp,
          const struct fabric_stamp_keys *keys)
{
    return (is_authenticated(keys)
            ? &keys->keys[stamp->key < keys->n ? stamp->key : 0] : NULL);
}

size_t
fabric_stamp_compose(const struct fabric_stamp *stamp,
                     const struct fabric_stamp_keys *keys,
                     const struct eth_addr *src_mac,
                     const struct in6_addr *src, void *frame, size_t size)
{
    const struct fabric_stamp_key *key = stamp_key(stamp, keys);
    size_t udp_len = stamp_udp_len(stamp, key != NULL);
    size_t hdr_len = headers_len(src);
    uint8_t *eth = frame;
    uint8_t *ip = eth + ETH_HEADER_LEN;
    uint32_t pseudo_sum;

    if (hdr_len + udp_len > size
        || hdr_len + udp_len - ETH_HEADER_LEN > UINT16_MAX) {
        return 0;
    }

    memcpy(eth, &fabric_stamp_mac, ETH_ADDR_LEN);
    memcpy(eth + ETH_ADDR_LEN, src_mac, ETH_ADDR_LEN);
    if (IN6_IS_ADDR_V4MAPPED(src)) {
        fabric_put_be16(eth + 12, ETH_TYPE_IP);
        put_ipv4(in6_addr_get_mapped_ipv4(src), udp_len, ip);
        pseudo_sum = pseudo_header_sum(ip + 12, 8, udp_len);
    } else {
        fabric_put_be16(eth + 12, ETH_TYPE_IPV6);
        put_ipv6(src, udp_len, ip);
        pseudo_sum = pseudo_header_sum(ip + 8, 32, udp_len);
    }
    return (put_udp(stamp, key, pseudo_sum, udp_len, eth + hdr_len)
            ? hdr_len + udp_len : 0);
}

bool
fabric_stamp_is_probe(const void *frame, size_t size)
{
    return (size >= ETH_HEADER_LEN
            && !memcmp(frame, &fabric_stamp_mac, ETH_ADDR_LEN));
}

bool
fabric_stamp_seems_reflected(const void *frame_, size_t size)
{
    const uint8_t *frame = frame_;
    size_t udp_ofs;

    if (size < ETH_HEADER_LEN) {
        return false;
    }
    udp_ofs = ETH_HEADER_LEN + (fabric_get_be16(frame + 12) == ETH_TYPE_IPV6
                                ? IPV6_HEADER_LEN : IP_HEADER_LEN);
    return (size >= udp_ofs + UDP_HEADER_LEN
            && fabric_get_be16(frame + udp_ofs) == FABRIC_STAMP_PORT);
}

/* What the IP header tells of the UDP datagram. */
struct stamp_ip {
    const uint8_t *udp;         /* Begins here. */
    size_t udp_size;            /* Room for it. */
    const uint8_t *addrs;       /* Source and destination. */
    size_t addrs_len;
    bool ours;                  /* Checksum, destination and TTL are right? */
    bool csum_optional;         /* May the UDP checksum be zero?  Over IPv6 it
                                 * may not, RFC 8200 section 8.1. */
};

static enum fabric_stamp_result
parse_ipv4(const uint8_t *ip, size_t size, struct stamp_ip *info)
{
    size_t ip_len, tot_len;

    if (size < IP_HEADER_LEN || IP_VER(ip[0]) != 4) {
        return FABRIC_STAMP_MALFORMED;
    }

    ip_len = IP_IHL(ip[0]) * 4;
    tot_len = fabric_get_be16(ip + 2);
    if (ip_len < IP_HEADER_LEN || tot_len < ip_len || tot_len > size
        || fabric_get_be16(ip + 6) & (IP_MORE_FRAGMENTS | IP_FRAG_OFF_MASK)) {
        return FABRIC_STAMP_MALFORMED;
    }

    *info = (struct stamp_ip) {
        .udp = ip + ip_len,
        .udp_size = tot_len - ip_len,
        .addrs = ip + 12,
        .addrs_len = 8,
        .ours = (ip[8] == STAMP_TTL && ip[16] == stamp_ipv4_dst[0]
                 && !csum(ip, ip_len)),
        .csum_optional = true,
    };
    return ip[9] == IPPROTO_UDP ? FABRIC_STAMP_OK : FABRIC_STAMP_NOT_STAMP;
}

static enum fabric_stamp_result
parse_ipv6(const uint8_t *ip6, size_t size, struct stamp_ip *info)
{
    size_t plen;

    if (size < IPV6_HEADER_LEN || IP_VER(ip6[0]) != 6) {
        return FABRIC_STAMP_MALFORMED;
    }

    plen = fabric_get_be16(ip6 + 4);
    if (plen > size - IPV6_HEADER_LEN) {
        return FABRIC_STAMP_MALFORMED;
    }

    *info = (struct stamp_ip) {
        .udp = ip6 + IPV6_HEADER_LEN,
        .udp_size = plen,
        .addrs = ip6 + 8,
        .addrs_len = 32,
        .ours = (ip6[7] == STAMP_TTL
                 && !memcmp(ip6 + 24, &in6addr_loopback,
                            sizeof in6addr_loopback)),
    };
    return ip6[6] == IPPROTO_UDP ? FABRIC_STAMP_OK : FABRIC_STAMP_NOT_STAMP;
}

static enum fabric_stamp_result
parse_ip(const uint8_t *eth, size_t size, struct stamp_ip *ip)
{
    const uint8_t *l3 = eth + ETH_HEADER_LEN;

    size -= ETH_HEADER_LEN;
    switch (fabric_get_be16(eth + 12)) {
    case ETH_TYPE_IP:
        return parse_ipv4(l3, size, ip);
    case ETH_TYPE_IPV6:
        return parse_ipv6(l3, size, ip);
    default:
        return FABRIC_STAMP_NOT_STAMP;
    }
}

/* Checks the UDP header, stores which way the packet goes, and the length of
 * the datagram. */
static enum fabric_stamp_result
parse_udp(const struct stamp_ip *ip, bool *reflected, size_t *udp_len)
{
    const uint8_t *udp = ip->udp;
    uint16_t src, dst;

    if (ip->udp_size < UDP_HEADER_LEN) {
        return FABRIC_STAMP_MALFORMED;
    }

    src = fabric_get_be16(udp);
    dst = fabric_get_be16(udp + 2);
    *reflected = src == FABRIC_STAMP_PORT;
    if (*reflected
        ? dst != FABRIC_STAMP_SENDER_PORT
        : src != FABRIC_STAMP_SENDER_PORT || dst != FABRIC_STAMP_PORT) {
        return FABRIC_STAMP_NOT_STAMP;
    }

    *udp_len = fabric_get_be16(udp + 4);
    if (!ip->ours || *udp_len < UDP_HEADER_LEN + FABRIC_STAMP_LEN
        || *udp_len > ip->udp_size) {
        return FABRIC_STAMP_MALFORMED;
    }

    if (fabric_get_be16(udp + 6)) {
        uint32_t sum = pseudo_header_sum(ip->addrs, ip->addrs_len, *udp_len);

        if (csum_finish(csum_continue(sum, udp, *udp_len))) {
            return FABRIC_STAMP_MALFORMED;
        }
    } else if (!ip->csum_optional) {
        return FABRIC_STAMP_MALFORMED;
    }
    return FABRIC_STAMP_OK;
}

/* Checks that the 'size' octets of STAMP at 'p' are of the mode that 'keys'
 * call for, and authentic.  Stores the index of the key. */
static bool
authenticate(const uint8_t *p, size_t size,
             const struct fabric_stamp_keys *keys, uint8_t *key)
{
    struct fabric_stamp_message m = base_message(p);

    *key = 0;
    if (!is_authenticated(keys)) {
        return (size < FABRIC_STAMP_AUTH_LEN
                || !is_all_zeros(p + STAMP_AUTH_MBZ, STAMP_AUTH_MBZ_LEN));
    }
    if (size < FABRIC_STAMP_AUTH_LEN) {
        return false;
    }
    for (size_t i = 0; i < keys->n; i++) {
        if (fabric_stamp_mac_verify(&keys->keys[i], &m, p + STAMP_AUTH_MAC)) {
            *key = i;
            return true;
        }
    }
    return false;
}

static void
parse_base(const uint8_t *p, const struct stamp_layout *o, bool reflected,
           struct fabric_stamp *stamp)
{
    *stamp = (struct fabric_stamp) {
        .reflected = reflected,
        .seq = fabric_get_be32(p),
        .timestamp = fabric_get_be64(p + o->timestamp),
        .error_estimate = fabric_get_be16(p + o->error_estimate),
        .ssid = fabric_get_be16(p + o->ssid),
    };
    if (reflected) {
        stamp->rx_timestamp = fabric_get_be64(p + o->rx_timestamp);
        stamp->sender_seq = fabric_get_be32(p + o->sender_seq);
        stamp->sender_timestamp = fabric_get_be64(p + o->sender_timestamp);
        stamp->sender_error_estimate
            = fabric_get_be16(p + o->sender_error_estimate);
        stamp->sender_ttl = p[o->sender_ttl];
    }
}

enum fabric_stamp_result
fabric_stamp_parse(const void *frame, size_t size,
                   const struct fabric_stamp_keys *keys,
                   struct fabric_stamp *stamp)
{
    const struct stamp_layout *layout = &layouts[is_authenticated(keys)];
    enum fabric_stamp_result result;
    struct stamp_ip ip;
    const uint8_t *p;
    bool reflected;
    size_t udp_len;
    uint8_t key;

    if (!fabric_stamp_is_probe(frame, size)) {
        return FABRIC_STAMP_NOT_STAMP;
    }
    result = parse_ip(frame, size, &ip);
    if (result == FABRIC_STAMP_OK) {
        result = parse_udp(&ip, &reflected, &udp_len);
    }
    if (result != FABRIC_STAMP_OK) {
        return result;
    }

    p = ip.udp + UDP_HEADER_LEN;
    size = udp_len - UDP_HEADER_LEN;
    if (!authenticate(p, size, keys, &key)) {
        return FABRIC_STAMP_BAD_AUTH;
    }

    parse_base(p, layout, reflected, stamp);
    stamp->key = key;
    if (size > layout->len) {
        if (!reflected) {
            stamp->echo = p + layout->len;
            stamp->echo_len = size - layout->len;
        }
        fabric_stamp_parse_tlvs(p + layout->len, size - layout->len,
                                stamp_key(stamp, keys), p, stamp);
    }
    return FABRIC_STAMP_OK;
}

/* RFC 8972 section 4.4: the answer has the DSCP that the test packet asks for
 * or, where that is not permitted, that of the test packet. */
static uint8_t
reflect_cos(const struct fabric_stamp *test,
            const struct fabric_stamp_reflector *r,
            struct fabric_stamp *reply)
{
    reply->has_cos = test->has_cos && r->has_cos;
    if (reply->has_cos) {
        uint8_t dscp1 = test->cos.dscp1;
        bool permitted = r->dscps & UINT64_C(1) << dscp1;

        reply->cos = (struct fabric_stamp_cos) {
            .dscp1 = dscp1,
            .dscp2 = r->dscp,
            .ecn = r->ecn,
            .rp = !permitted,
        };
        return permitted ? dscp1 : r->dscp;
    }
    return r->dscp;
}

uint8_t
fabric_stamp_reflect(const struct fabric_stamp *test,
                     const struct fabric_stamp_reflector *r,
                     struct fabric_stamp *reply)
{
    *reply = (struct fabric_stamp) {
        .reflected = true,
        .seq = test->seq,
        .timestamp = r->tx,
        .error_estimate = r->error_estimate,
        .ssid = test->ssid,
        .key = test->key,
        .rx_timestamp = r->rx,
        .sender_seq = test->seq,
        .sender_timestamp = test->timestamp,
        .sender_error_estimate = test->error_estimate,
        .sender_ttl = r->ttl,
        .has_location = test->has_location && r->has_location,
        .has_ts_info = test->has_ts_info && r->has_ts_info,
        .has_direct = test->has_direct && r->has_direct,
        .has_report = test->has_report,
        .report.n = test->report.n,
        .has_padding = test->has_padding,
        .padding_len = test->padding_len,
        .n_heard = test->n_heard,
        .has_origin = test->has_origin && r->has_origin,
        .tlvs_refused = test->tlvs_refused,
        .echo = test->echo,
        .echo_len = test->echo_len,
    };
    if (reply->has_location) {
        reply->location = r->location;
    }
    if (reply->has_ts_info) {
        reply->ts_info = r->ts_info;
    }
    if (reply->has_origin) {
        reply->origin = r->origin;
        reply->origin.epoch = test->origin.epoch;
        reply->origin.serial = test->origin.serial;
        reply->origin.ssid = test->origin.ssid;
        reply->origin.answer = true;
    }
    if (reply->has_direct) {
        reply->direct = (struct fabric_stamp_direct) {
            .s_tx = test->direct.s_tx,
            .r_rx = r->data_rx,
            .r_tx = r->data_tx,
        };
    }
    return reflect_cos(test, r, reply);
}

void
fabric_stamp_detach(struct fabric_stamp *reply)
{
    reply->has_padding = false;
    reply->padding_len = 0;
    reply->echo = NULL;
    reply->echo_len = 0;
}

void
fabric_stamp_unpad(struct fabric_stamp *reply)
{
    if (reply->has_padding && !reply->tlvs_refused) {
        fabric_stamp_detach(reply);
    }
}

void
fabric_stamp_shorten(struct fabric_stamp *reply)
{
    reply->has_location = reply->has_ts_info = reply->has_cos = false;
    reply->has_direct = reply->has_report = reply->has_padding = false;
    reply->padding_len = 0;
    reply->n_heard = 0;
    reply->echo = NULL;
    reply->echo_len = 0;
}
