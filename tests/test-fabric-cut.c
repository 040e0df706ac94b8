/* SPDX-License-Identifier: Apache-2.0 */

/* Tests of cutting super-frames.  Checksums are checked with Open vSwitch's
 * functions, which share no code with those of fabric-cut.c. */

#include <config.h>
#undef NDEBUG
#include "fabric-cut.h"

#include <linux/virtio_net.h>

#include "csum.h"
#include "dp-packet.h"
#include "fabric-bytes.h"
#include "fabric-check.h"
#include "openvswitch/ofpbuf.h"
#include "ovstest.h"
#include "packets.h"
#include "util.h"

#define SEGSZ 1000
#define UDP_L4 5

/* Appends an IP header for 'len' more bytes, and returns its offset. */
static size_t
put_ip(struct ofpbuf *p, bool v6, uint8_t proto, size_t len)
{
    size_t ofs = p->size;
    uint8_t *ip = ofpbuf_put_zeros(p, v6 ? 40 : 20);

    if (v6) {
        ip[0] = 0x60;
        fabric_put_be16(ip + 4, len > UINT16_MAX ? 0 : len);
        ip[6] = proto;
        ip[8] = ip[24] = 0xfd;
        ip[23] = 1;
        ip[39] = 2;
    } else {
        ip[0] = 0x45;
        fabric_put_be16(ip + 2, len + 20 > UINT16_MAX ? 0 : len + 20);
        fabric_put_be16(ip + 4, 0xfffe);
        fabric_put_be16(ip + 6, IP_DONT_FRAGMENT);
        ip[9] = proto;
        memcpy(ip + 12, "\xc0\xa8\0\1\xc0\xa8\0\2", 8);
    }
    return ofs;
}

static void
put_eth(struct ofpbuf *p, bool v6)
{
    ofpbuf_put(p, "\x02\0\0\0\0\2\x02\0\0\0\0\1", 12);
    fabric_put_be16(ofpbuf_put_zeros(p, 2),
                    v6 ? ETH_TYPE_IPV6 : ETH_TYPE_IP);
}

/* Appends TCP or UDP with 'n' bytes of payload, and says so in '*vnet'. */
static void
put_l4(struct ofpbuf *p, bool tcp, size_t n, struct virtio_net_hdr *vnet)
{
    size_t ofs = p->size;
    uint8_t *l4 = ofpbuf_put_zeros(p, tcp ? 20 : 8);

    fabric_put_be16(l4, 4000);
    fabric_put_be16(l4 + 2, 4001);
    if (tcp) {
        fabric_put_be32(l4 + 4, UINT32_MAX - 500);
        fabric_put_be16(l4 + 12, 5 << 12 | TCP_ACK | TCP_PSH | TCP_CWR);
    } else {
        fabric_put_be16(l4 + 4, n + 8);
    }
    for (size_t i = 0; i < n; i++) {
        *(uint8_t *) ofpbuf_put_zeros(p, 1) = i * 7 + i / 256;
    }
    *vnet = (struct virtio_net_hdr) {
        .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
        .gso_type = tcp ? VIRTIO_NET_HDR_GSO_TCPV4 : UDP_L4,
        .gso_size = SEGSZ,
        .csum_start = ofs,
        .csum_offset = tcp ? 16 : 6,
    };
}

/* Starts to cut the frame in 'p', which is gone then. */
static bool
start(struct fabric_cut *cut, struct ofpbuf *p,
      const struct virtio_net_hdr *vnet)
{
    void *frame = xmemdup(p->data, p->size);
    size_t size = p->size;

    ofpbuf_delete(p);
    return fabric_cut_start(cut, frame, size, vnet);
}

/* Checks IP at 'ofs', and returns the offset of what it carries. */
static size_t
check_ip(const struct dp_packet *p, size_t ofs, size_t i)
{
    const uint8_t *ip = (const uint8_t *) dp_packet_data(p) + ofs;
    size_t len = dp_packet_size(p) - ofs;

    if (ip[0] >> 4 == 6) {
        CHECK_EQ(fabric_get_be16(ip + 4), len - 40);
        return ofs + 40;
    }
    CHECK_EQ(fabric_get_be16(ip + 2), len);
    CHECK_EQ(fabric_get_be16(ip + 4), (uint16_t) (0xfffe + i));
    CHECK_EQ(csum(ip, 20), 0);
    return ofs + 20;
}

static void
check_l4_csum(const struct dp_packet *p, size_t ip_ofs, size_t ofs,
              uint8_t proto)
{
    const uint8_t *data = dp_packet_data(p);
    const uint8_t *ip = data + ip_ofs;
    size_t len = dp_packet_size(p) - ofs;
    uint32_t sum;

    sum = (ip[0] >> 4 == 6
           ? packet_csum_pseudoheader6((const void *) ip)
           : packet_csum_pseudoheader((const void *) ip));
    CHECK_EQ(csum_finish(csum_continue(sum, data + ofs, len)), 0);
    CHECK_EQ(ip[0] >> 4 == 6 ? ip[6] : ip[9], proto);
}

/* Checks the innermost header and payload of the piece behind 'done' bytes.
 * Returns how many it has. */
static size_t
check_l4(const struct dp_packet *p, size_t ip_ofs, size_t ofs, bool tcp,
         size_t done, size_t total)
{
    const uint8_t *l4 = (const uint8_t *) dp_packet_data(p) + ofs;
    size_t len = dp_packet_size(p) - ofs - (tcp ? 20 : 8);
    bool last = done + len == total;

    if (tcp) {
        CHECK_EQ(fabric_get_be32(l4 + 4),
                 (uint32_t) (UINT32_MAX - 500 + done));
        CHECK_EQ(TCP_FLAGS(get_unaligned_be16(
                     ALIGNED_CAST(const ovs_be16 *, l4 + 12))),
                 TCP_ACK | (last ? TCP_PSH : 0) | (done ? 0 : TCP_CWR));
    } else {
        CHECK_EQ(fabric_get_be16(l4 + 4), len + 8);
    }
    if (!dp_packet_l4_checksum_partial(p)) {
        check_l4_csum(p, ip_ofs, ofs, tcp ? IPPROTO_TCP : IPPROTO_UDP);
    }
    for (size_t i = 0; i < len; i++) {
        CHECK_EQ(l4[(tcp ? 20 : 8) + i],
                 (uint8_t) ((done + i) * 7 + (done + i) / 256));
    }
    return len;
}

static void
test_udp(void)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct ofpbuf *p = ofpbuf_new(0);
        struct dp_packet *piece;
        size_t total = 3 * SEGSZ + 7, done = 0;
        struct virtio_net_hdr vnet;
        struct fabric_cut cut;

        put_eth(p, v6);
        put_ip(p, v6, IPPROTO_UDP, total + 8);
        put_l4(p, false, total, &vnet);
        CHECK_TRUE(fabric_cut_is_needed(p->data, p->size, &vnet));
        CHECK_TRUE(start(&cut, p, &vnet));
        for (int i = 0; (piece = fabric_cut_next(&cut)) != NULL; i++) {
            size_t l4 = check_ip(piece, 14, i);

            CHECK_EQ(dp_packet_get_tso_segsz(piece), 0);
            done += check_l4(piece, 14, l4, false, done, total);
            dp_packet_delete(piece);
        }
        CHECK_EQ(done, total);
    }
}

/* TCP or UDP in UDP, with or without a checksum of that. */
static void
test_nested(void)
{
    for (int how = 0; how < 16; how++) {
        bool tcp = how & 1, v6 = how & 2, outer6 = how & 4, csum_ = how & 8;
        struct ofpbuf *p = ofpbuf_new(0);
        struct dp_packet *piece;
        size_t total = 2 * SEGSZ + 1, done = 0;
        size_t inner = total + (tcp ? 20 : 8), udp_ofs;
        struct virtio_net_hdr vnet;
        struct fabric_cut cut;
        uint8_t *udp;

        put_eth(p, outer6);
        put_ip(p, outer6, IPPROTO_UDP,
               8 + 8 + 14 + (v6 ? 40 : 20) + inner);
        udp_ofs = p->size;
        udp = ofpbuf_put_zeros(p, 8 + 8);
        fabric_put_be16(udp + 2, 4789);
        fabric_put_be16(udp + 6, csum_);
        put_eth(p, v6);
        put_ip(p, v6, tcp ? IPPROTO_TCP : IPPROTO_UDP, inner);
        put_l4(p, tcp, total, &vnet);
        CHECK_TRUE(fabric_cut_is_needed(p->data, p->size, &vnet));
        CHECK_TRUE(start(&cut, p, &vnet));
        for (int i = 0; (piece = fabric_cut_next(&cut)) != NULL; i++) {
            const uint8_t *u = (const uint8_t *) dp_packet_data(piece)
                               + udp_ofs;
            size_t l4 = check_ip(piece, udp_ofs + 8 + 8 + 14, i);

            CHECK_EQ(check_ip(piece, 14, i), udp_ofs);
            CHECK_EQ(fabric_get_be16(u + 4), dp_packet_size(piece) - udp_ofs);
            if (csum_) {
                check_l4_csum(piece, 14, udp_ofs, IPPROTO_UDP);
            } else {
                CHECK_EQ(fabric_get_be16(u + 6), 0);
            }
            done += check_l4(piece, udp_ofs + 8 + 8 + 14, l4, tcp, done,
                             total);
            dp_packet_delete(piece);
        }
        CHECK_EQ(done, total);
    }
}

static void
test_long(void)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct ofpbuf *p = ofpbuf_new(0);
        struct dp_packet *piece;
        size_t total = 185 * SEGSZ + 3, done = 0;
        struct virtio_net_hdr vnet;
        struct fabric_cut cut;

        put_eth(p, v6);
        put_ip(p, v6, v6 ? 0 : IPPROTO_TCP, total + 20);
        if (v6) {
            ofpbuf_put(p, "\x06\0\xc2\4\0\0\0\0", 8);
        }
        put_l4(p, true, total, &vnet);
        CHECK_TRUE(fabric_cut_is_needed(p->data, p->size, &vnet));
        CHECK_TRUE(start(&cut, p, &vnet));
        while ((piece = fabric_cut_next(&cut)) != NULL) {
            size_t l4 = check_ip(piece, 14, done / SEGSZ);

            CHECK_TRUE(dp_packet_size(piece) <= 65000);
            CHECK_TRUE(dp_packet_l4_checksum_partial(piece));
            CHECK_EQ(dp_packet_get_tso_segsz(piece),
                     total - done > SEGSZ ? SEGSZ : 0);
            done += check_l4(piece, 14, l4, true, done, total);
            dp_packet_delete(piece);
        }
        CHECK_EQ(done, total);
    }
}

/* What is not to be cut, or cannot be. */
static void
test_others(void)
{
    struct ofpbuf *p = ofpbuf_new(0);
    struct virtio_net_hdr vnet, bad;
    struct fabric_cut cut;

    put_eth(p, false);
    put_ip(p, false, IPPROTO_TCP, 20 + 5000);
    put_l4(p, true, 5000, &vnet);
    CHECK_FALSE(fabric_cut_is_needed(p->data, p->size, &vnet));

    bad = vnet;
    bad.gso_type = VIRTIO_NET_HDR_GSO_NONE;
    CHECK_FALSE(fabric_cut_is_needed(p->data, p->size, &bad));
    bad.gso_type = UDP_L4;
    CHECK_TRUE(fabric_cut_is_needed(p->data, p->size, &bad));
    CHECK_FALSE(start(&cut, ofpbuf_clone(p), &bad));
    CHECK_FALSE(fabric_cut_next(&cut));
    bad = vnet;
    bad.csum_start = 100;
    CHECK_TRUE(fabric_cut_is_needed(p->data, p->size, &bad));
    CHECK_FALSE(start(&cut, ofpbuf_clone(p), &bad));
    ofpbuf_delete(p);
}

static void
test_fabric_cut(int argc OVS_UNUSED, char *argv[] OVS_UNUSED)
{
    test_udp();
    test_nested();
    test_long();
    test_others();
}

OVSTEST_REGISTER("test-fabric-cut", test_fabric_cut);
