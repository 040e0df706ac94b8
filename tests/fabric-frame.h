/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_FRAME_H
#define FABRIC_FRAME_H 1

/* TCP frames for tests.
 * =====================
 *
 * frame_make() makes one from named fields, frame_check_csums() checks its
 * checksums.  Both use Open vSwitch's checksum functions, which share no code
 * with those of fabric-gso.c. */

#include "csum.h"
#include "fabric-bytes.h"
#include "fabric-check.h"
#include "packets.h"

/* What a frame is made from. */
struct frame_spec {
    bool ipv6;
    int n_vlans;
    size_t ip_opts_len;         /* IPv4 only. */
    size_t tcp_opts_len;
    uint8_t tos;
    uint8_t ttl;
    uint16_t ip_id;
    uint16_t frag_off;
    uint32_t label;             /* IPv6 flow label. */
    uint8_t mac;                /* Last byte of the source. */
    uint8_t host;               /* Last byte of the source address. */
    uint16_t sport;
    uint32_t seq;
    uint32_t ack;
    uint16_t flags;
    uint16_t window;
    uint32_t ts;                /* First word of the TCP options. */
    size_t payload_len;
};

static const struct frame_spec frame_simple OVS_UNUSED = {
    .tos = 0x48,
    .ttl = 64,
    .ip_id = 0xfffe,
    .frag_off = IP_DONT_FRAGMENT,
    .label = 0x12345,
    .mac = 1,
    .host = 1,
    .tcp_opts_len = 12,
    .sport = 33000,
    .seq = UINT32_MAX - 2000,
    .ack = 0x01020304,
    .flags = TCP_ACK,
    .window = 501,
    .ts = 0x0101080a,
    .payload_len = 1448,
};

static inline size_t
frame_ip_len(const struct frame_spec *s)
{
    return s->ipv6 ? IPV6_HEADER_LEN : IP_HEADER_LEN + s->ip_opts_len;
}

static inline size_t
frame_l3_ofs(const struct frame_spec *s)
{
    return ETH_HEADER_LEN + s->n_vlans * VLAN_HEADER_LEN;
}

static inline size_t
frame_l4_ofs(const struct frame_spec *s)
{
    return frame_l3_ofs(s) + frame_ip_len(s);
}

static inline size_t
frame_headers_len(const struct frame_spec *s)
{
    return frame_l4_ofs(s) + TCP_HEADER_LEN + s->tcp_opts_len;
}

/* Ones' complement sum of TCP with pseudo-header, by upstream's functions. */
static inline uint32_t
frame_tcp_sum(const struct frame_spec *s, const uint8_t *frame, size_t size)
{
    const uint8_t *l3 = frame + frame_l3_ofs(s);
    const uint8_t *l4 = frame + frame_l4_ofs(s);
    size_t l4_len = frame + size - l4;
    uint32_t sum;

    sum = (s->ipv6 ? csum_continue(0, l3 + 8, 32)
           : csum_continue(0, l3 + 12, 8));
    sum = csum_add16(sum, htons(IPPROTO_TCP));
    sum = csum_add16(sum, htons(l4_len));
    return csum_continue(sum, l4, l4_len);
}

static inline void
frame_put_csum(uint8_t *p, ovs_be16 csum)
{
    memcpy(p, &csum, sizeof csum);
}

/* Computes the checksums of 'frame'. */
static inline void
frame_set_csums(const struct frame_spec *s, uint8_t *frame, size_t size)
{
    uint8_t *l3 = frame + frame_l3_ofs(s);
    uint8_t *l4 = frame + frame_l4_ofs(s);

    if (!s->ipv6) {
        frame_put_csum(l3 + 10, 0);
        frame_put_csum(l3 + 10, csum(l3, frame_ip_len(s)));
    }
    frame_put_csum(l4 + 16, 0);
    frame_put_csum(l4 + 16, csum_finish(frame_tcp_sum(s, frame, size)));
}

static inline void
frame_check_csums(const struct frame_spec *s, const uint8_t *frame,
                  size_t size)
{
    if (!s->ipv6) {
        CHECK_EQ(csum(frame + frame_l3_ofs(s), frame_ip_len(s)), 0);
    }
    CHECK_EQ(csum_finish(frame_tcp_sum(s, frame, size)), 0);
}

static inline void
frame_put_l3(const struct frame_spec *s, uint8_t *l3, size_t l4_len)
{
    size_t ip_len = frame_ip_len(s);

    memset(l3, 0, ip_len);
    if (s->ipv6) {
        fabric_put_be32(l3, 6u << 28 | s->tos << 20 | s->label);
        fabric_put_be16(l3 + 4, l4_len);
        l3[6] = IPPROTO_TCP;
        l3[7] = s->ttl;
        memset(l3 + 8, 0xfd, 32);
        l3[23] = s->host;
    } else {
        l3[0] = IP_IHL_VER(ip_len / 4, 4);
        l3[1] = s->tos;
        fabric_put_be16(l3 + 2, ip_len + l4_len);
        fabric_put_be16(l3 + 4, s->ip_id);
        fabric_put_be16(l3 + 6, s->frag_off);
        l3[8] = s->ttl;
        l3[9] = IPPROTO_TCP;
        fabric_put_be32(l3 + 12, 0x0a000000 | s->host);
        fabric_put_be32(l3 + 16, 0x0a000002);
        memset(l3 + 20, 1, s->ip_opts_len);     /* No operation. */
    }
}

/* Writes to 'frame' what 's' describes, with 'payload' (or zeros).  Returns
 * its size. */
static inline size_t
frame_make(const struct frame_spec *s, const uint8_t *payload, uint8_t *frame)
{
    static const uint8_t macs[] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2 };
    size_t headers_len = frame_headers_len(s);
    uint8_t *l3 = frame + frame_l3_ofs(s);
    uint8_t *l4 = frame + frame_l4_ofs(s);

    memcpy(frame, macs, sizeof macs);
    frame[11] = s->mac;
    for (int i = 0; i < s->n_vlans; i++) {
        fabric_put_be16(frame + 12 + 4 * i,
                        i + 1 < s->n_vlans ? ETH_TYPE_VLAN_8021AD
                        : ETH_TYPE_VLAN_8021Q);
        fabric_put_be16(frame + 14 + 4 * i, 100 + i);
    }
    fabric_put_be16(l3 - 2, s->ipv6 ? ETH_TYPE_IPV6 : ETH_TYPE_IP);

    frame_put_l3(s, l3, frame + headers_len - l4 + s->payload_len);

    memset(l4, 0, frame + headers_len - l4);
    fabric_put_be16(l4, s->sport);
    fabric_put_be16(l4 + 2, 5201);
    fabric_put_be32(l4 + 4, s->seq);
    fabric_put_be32(l4 + 8, s->ack);
    fabric_put_be16(l4 + 12, ntohs(TCP_CTL(s->flags,
                                           5 + s->tcp_opts_len / 4)));
    fabric_put_be16(l4 + 14, s->window);
    if (s->tcp_opts_len) {
        fabric_put_be32(l4 + 20, s->ts);
    }

    if (payload) {
        memcpy(frame + headers_len, payload, s->payload_len);
    } else {
        memset(frame + headers_len, 0, s->payload_len);
    }
    frame_set_csums(s, frame, headers_len + s->payload_len);
    return headers_len + s->payload_len;
}

#endif /* fabric-frame.h */
