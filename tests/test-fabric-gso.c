/* SPDX-License-Identifier: Apache-2.0 */

/* Segmentation and coalescing of TCP frames, segmentation of UDP's. */

#include <config.h>
#undef NDEBUG
#include "fabric-gso.h"

#include "csum.h"
#include "dp-packet.h"
#include "fabric-bytes.h"
#include "fabric-check.h"
#include "fabric-csum.h"
#include "fabric-frame.h"
#include "ovstest.h"
#include "packets.h"
#include "random.h"
#include "timeval.h"
#include "util.h"

#define HEADROOM 128
#define MAX_SIZE (UINT16_MAX - HEADROOM)

static void
random_fill(uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        p[i] = random_uint32();
    }
}

/* A random super-frame. */
static struct frame_spec
spec_random(void)
{
    struct frame_spec s = {
        .ipv6 = random_range(2),
        .n_vlans = random_range(3),
        .tcp_opts_len = random_range(11) * 4,
        .tos = random_uint32(),
        .ttl = random_uint32(),
        .ip_id = random_uint32(),
        .frag_off = random_range(2) ? IP_DONT_FRAGMENT : 0,
        .label = random_uint32() & 0xfffff,
        .sport = random_uint32(),
        .seq = random_uint32(),
        .ack = random_uint32(),
        .flags = TCP_ACK,
        .window = random_uint32(),
        .ts = random_uint32(),
    };
    static const uint16_t flags[] = { TCP_CWR, TCP_ECE, TCP_PSH, TCP_FIN };

    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        s.flags |= random_range(4) ? 0 : flags[i];
    }
    s.payload_len = 1 + random_range(MAX_SIZE - frame_headers_len(&s));
    return s;
}

/* A packet as netdev_linux receives it from a device with TSO. */
static struct dp_packet *
super_frame(const struct frame_spec *s, const uint8_t *payload, uint16_t segsz)
{
    struct dp_packet *packet;
    size_t size;

    packet = dp_packet_new_with_headroom(MAX_SIZE, HEADROOM);
    size = frame_make(s, payload, dp_packet_data(packet));
    dp_packet_set_size(packet, size);
    dp_packet_set_tso_segsz(packet, segsz);

    /* The checksum field is anything while its state is "partial". */
    memset((uint8_t *) dp_packet_data(packet) + frame_l4_ofs(s) + 16, 0x5a, 2);
    dp_packet_l4_checksum_set_partial(packet);
    return packet;
}

/* Checks one segment of super-frame 's' from its fields. */
static void
check_segment(const struct frame_spec *s, const struct fabric_gso *gso,
              size_t i, const uint8_t *frame, size_t size)
{
    const uint8_t *l3 = frame + frame_l3_ofs(s);
    const uint8_t *l4 = frame + frame_l4_ofs(s);
    uint16_t flags = s->flags;

    if (s->ipv6) {
        CHECK_EQ(fabric_get_be16(l3 + 4), frame + size - l3 - IPV6_HEADER_LEN);
    } else {
        CHECK_EQ(fabric_get_be16(l3 + 2), frame + size - l3);
        CHECK_EQ(fabric_get_be16(l3 + 4), (uint16_t) (s->ip_id + i));
    }
    CHECK_EQ(fabric_get_be32(l4 + 4), (uint32_t) (s->seq + i * gso->segsz));
    if (i) {
        flags &= ~TCP_CWR;
    }
    if (i + 1 < gso->n_segs) {
        flags &= ~(TCP_PSH | TCP_FIN);
    }
    CHECK_EQ(fabric_get_be16(l4 + 12) & 0xfff, flags);
    frame_check_csums(s, frame, size);
}

/* Splits 'packet', made from 's', to 'frames', one after another, of the sizes
 * 'sizes'.  Returns their number. */
static size_t
split(const struct frame_spec *s, const struct dp_packet *packet,
      uint8_t *frames, size_t *sizes)
{
    struct fabric_gso gso;

    CHECK_TRUE(fabric_gso_init(&gso, packet));
    CHECK_EQ(gso.headers_len, frame_headers_len(s));
    CHECK_EQ(gso.payload_len, s->payload_len);
    CHECK_TRUE(gso.headers_len <= FABRIC_GSO_MAX_HEADERS);

    for (size_t i = 0; i < gso.n_segs; i++) {
        size_t len = (i + 1 < gso.n_segs ? gso.segsz
                      : gso.payload_len - i * gso.segsz);

        sizes[i] = fabric_gso_segment(&gso, packet, i, frames);
        CHECK_EQ(sizes[i], gso.headers_len + len);
        CHECK_BYTES(frames + gso.headers_len,
                    (const uint8_t *) dp_packet_data(packet)
                    + gso.headers_len + i * gso.segsz, len);
        check_segment(s, &gso, i, frames, sizes[i]);
        frames += sizes[i];
    }
    return gso.n_segs;
}

static void
check_joined(const struct frame_spec *s, const struct dp_packet *packet,
             const uint8_t *expected, size_t n_segs, uint16_t segsz)
{
    size_t csum_ofs = frame_l4_ofs(s) + 16;
    size_t size = frame_headers_len(s) + s->payload_len;
    const uint8_t *data = dp_packet_data(packet);

    CHECK_EQ(dp_packet_size(packet), size);
    CHECK_BYTES(data, expected, csum_ofs);
    CHECK_BYTES(data + csum_ofs + 2, expected + csum_ofs + 2,
                size - csum_ofs - 2);
    CHECK_EQ(dp_packet_get_tso_segsz(packet), n_segs > 1 ? segsz : 0);
    CHECK_EQ(packet->l3_ofs, frame_l3_ofs(s));
    CHECK_EQ(packet->l4_ofs, frame_l4_ofs(s));
    CHECK_TRUE(dp_packet_l4_proto_tcp(packet));
    CHECK_EQ(dp_packet_l4_checksum_partial(packet), n_segs > 1);
    CHECK_EQ(dp_packet_l4_checksum_good(packet), n_segs == 1);
    CHECK_EQ(dp_packet_ip_checksum_bad(packet), false);
    CHECK_EQ(dp_packet_ip_checksum_partial(packet), false);
}

/* A super-frame that is split and joined again is the same. */
static void
test_split_join(void)
{
    uint8_t *frames = xmalloc(8 * 1024 * 1024);
    uint8_t *payload = xmalloc(UINT16_MAX);
    uint8_t *expected = xmalloc(UINT16_MAX);
    size_t *sizes = xmalloc(UINT16_MAX * sizeof *sizes);

    random_fill(payload, UINT16_MAX);
    for (int round = 0; round < 1000; round++) {
        struct frame_spec s = spec_random();
        uint16_t segsz = 1 + random_range(random_range(8) ? 9000 : 100);
        struct dp_packet *packet;
        struct fabric_gro gro = {
            .size_hint = random_range(2) ? random_range(70000) : 0,
        };
        size_t n, ofs = 0;

        if (s.payload_len / segsz > 1000) {
            s.payload_len = segsz * 1000;
        }
        packet = super_frame(&s, payload, segsz);
        frame_make(&s, payload, expected);
        n = split(&s, packet, frames, sizes);
        dp_packet_delete(packet);

        /* One segment with FIN or PSH starts nothing. */
        if (n == 1 && s.flags & (TCP_FIN | TCP_PSH)) {
            CHECK_FALSE(fabric_gro_append(&gro, frames, sizes[0], HEADROOM));
            CHECK_TRUE(!fabric_gro_finish(&gro));
            continue;
        }
        for (size_t i = 0; i < n; i++) {
            CHECK_TRUE(fabric_gro_append(&gro, frames + ofs, sizes[i],
                                         HEADROOM));
            ofs += sizes[i];
        }
        CHECK_EQ(gro.closed, n > 1 && (s.flags & (TCP_FIN | TCP_PSH)
                                       || s.payload_len % segsz));
        packet = fabric_gro_finish(&gro);
        CHECK_EQ(dp_packet_headroom(packet), HEADROOM);
        check_joined(&s, packet, expected, n, segsz);

        /* Finishing the partial checksum gives the original's. */
        if (n > 1) {
            dp_packet_ol_send_prepare(packet, 0);
            CHECK_BYTES(dp_packet_data(packet), expected,
                        dp_packet_size(packet));
        }
        dp_packet_delete(packet);
        CHECK_TRUE(!gro.packet && !gro.n_segs);
    }

    free(sizes);
    free(expected);
    free(payload);
    free(frames);
}

/* IPv4 options survive segmentation (they are never joined). */
static void
test_split_ip_options(void)
{
    uint8_t payload[5000], frames[8000];
    size_t sizes[10];

    random_fill(payload, sizeof payload);
    for (size_t opts = 4; opts <= 40; opts += 4) {
        struct fabric_gro gro = { .packet = NULL };
        struct dp_packet *packet;
        struct frame_spec s = frame_simple;

        s.ip_opts_len = opts;
        s.tcp_opts_len = 40;
        s.n_vlans = 2;
        s.payload_len = sizeof payload;
        packet = super_frame(&s, payload, 1000);
        CHECK_EQ(split(&s, packet, frames, sizes), 5);
        dp_packet_delete(packet);

        CHECK_TRUE(fabric_gro_append(&gro, frames, sizes[0], HEADROOM));
        CHECK_FALSE(fabric_gro_append(&gro, frames + sizes[0], sizes[1],
                                      HEADROOM));
        dp_packet_delete(fabric_gro_finish(&gro));
    }
}

/* Packets cut short by an action. */
static void
test_split_truncated(void)
{
    for (int variant = 0; variant < 6; variant++) {
        struct dp_packet *packet;
        struct fabric_gso gso;
        struct frame_spec s = frame_simple;
        size_t size;

        s.ipv6 = variant % 2;
        s.n_vlans = variant / 2;
        packet = super_frame(&s, NULL, 500);
        size = dp_packet_size(packet);
        for (size_t i = 0; i < size; i++) {
            dp_packet_set_size(packet, i);
            CHECK_FALSE(fabric_gso_init(&gso, packet));
        }
        dp_packet_set_size(packet, size);
        CHECK_TRUE(fabric_gso_init(&gso, packet));
        dp_packet_delete(packet);
    }
}

/* Packets that cannot be segmented. */
static void
test_split_refuses(void)
{
    static const struct { size_t ofs; uint16_t value; } changes[] = {
        { 12, 0x8847 },                 /* Ethernet type. */
        { 14, 0x4448 },                 /* IHL. */
        { 14, 0x6548 },                 /* IP version. */
        { 16, 1501 },                   /* Total length: more than there is, */
        { 16, 19 },                     /* less than an IP header, */
        { 16, 39 },                     /* than a TCP header, */
        { 16, 51 },                     /* and than the one there is. */
        { 20, IP_MORE_FRAGMENTS },
        { 20, 1 },                      /* Fragment offset. */
        { 22, 64 << 8 | IPPROTO_UDP },
        { 46, 0x4010 },                 /* TCP data offset. */
    };
    struct frame_spec s = frame_simple;
    struct dp_packet *packet;
    struct fabric_gso gso;

    s.ack = 0x80000000;     /* A good data offset, were IHL 4 believed. */
    packet = super_frame(&s, NULL, 500);
    CHECK_TRUE(fabric_gso_init(&gso, packet));

    dp_packet_set_tso_segsz(packet, 0);
    CHECK_FALSE(fabric_gso_init(&gso, packet));
    dp_packet_set_tso_segsz(packet, 500);

    packet->packet_type = htonl(PT_IPV4);
    CHECK_FALSE(fabric_gso_init(&gso, packet));
    packet->packet_type = htonl(PT_ETH);

    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        uint8_t *p = (uint8_t *) dp_packet_data(packet) + changes[i].ofs;
        uint16_t old = fabric_get_be16(p);

        fabric_put_be16(p, changes[i].value);
        if (fabric_gso_init(&gso, packet)) {
            printf("\nchange %"PRIuSIZE" accepted\n", i);
            exit(1);
        }
        fabric_put_be16(p, old);
    }
    CHECK_TRUE(fabric_gso_init(&gso, packet));
    dp_packet_delete(packet);
}

/* Appends 'second' to a super-frame that begins with 'first'. */
static bool
joins(const struct frame_spec *first, const struct frame_spec *second)
{
    struct fabric_gro gro = { .packet = NULL };
    uint8_t frame[4096];
    size_t size;
    bool joined;

    size = frame_make(first, NULL, frame);
    CHECK_TRUE(fabric_gro_append(&gro, frame, size, HEADROOM));
    size = frame_make(second, NULL, frame);
    joined = fabric_gro_append(&gro, frame, size, HEADROOM);
    CHECK_EQ(gro.n_segs, 1 + joined);
    dp_packet_delete(fabric_gro_finish(&gro));
    return joined;
}

static struct frame_spec
next_of(const struct frame_spec *s)
{
    struct frame_spec next = *s;

    next.seq += s->payload_len;
    next.ip_id++;
    return next;
}

/* The second segment may not differ in anything but what counts up. */
static void
test_join_refuses(void)
{
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        struct frame_spec first = frame_simple;
        struct frame_spec s;

        first.ipv6 = ipv6;
        s = next_of(&first);
        CHECK_TRUE(joins(&first, &s));

#define REFUSES(CHANGE)                         \
        s = next_of(&first);                    \
        CHANGE;                                 \
        CHECK_FALSE(joins(&first, &s))

        REFUSES(s.seq++);
        REFUSES(s.seq--);
        REFUSES(s.ack++);
        REFUSES(s.window++);
        REFUSES(s.ts++);
        REFUSES(s.mac++);
        REFUSES(s.host++);
        REFUSES(s.sport++);
        REFUSES(s.tos |= IP_ECN_CE);
        REFUSES(s.tos ^= 0x80);
        REFUSES(s.ttl--);
        REFUSES(s.n_vlans = 1);
        REFUSES(s.tcp_opts_len += 4);
        REFUSES(s.flags |= TCP_SYN);
        REFUSES(s.flags |= TCP_RST);
        REFUSES(s.flags |= TCP_URG);
        REFUSES(s.flags |= TCP_CWR);
        REFUSES(s.flags |= TCP_ECE);
        REFUSES(s.flags = 0);
        REFUSES(s.payload_len = 0);
        REFUSES(s.payload_len++);
        REFUSES(s.ipv6 = !s.ipv6);
        if (ipv6) {
            REFUSES(s.label++);
        } else {
            REFUSES(s.ip_id++);
            REFUSES(s.ip_id -= 2);
            REFUSES(s.frag_off = 0);
            REFUSES(s.frag_off |= IP_MORE_FRAGMENTS);
            REFUSES(s.ip_opts_len = 4);
        }
    }
}

/* FIN, PSH and a short segment are taken, then nothing more. */
static void
test_join_closes(void)
{
    static const struct { uint16_t flags; size_t less; } lasts[] = {
        { TCP_PSH, 0 }, { TCP_FIN, 0 }, { TCP_PSH | TCP_FIN, 1 }, { 0, 1 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(lasts); i++) {
        struct fabric_gro gro = { .packet = NULL };
        struct dp_packet *packet;
        struct frame_spec s = frame_simple;
        uint8_t frame[4096];
        size_t size;

        size = frame_make(&s, NULL, frame);
        CHECK_TRUE(fabric_gro_append(&gro, frame, size, HEADROOM));
        CHECK_FALSE(gro.closed);

        s = next_of(&s);
        s.flags |= lasts[i].flags;
        s.payload_len -= lasts[i].less;
        size = frame_make(&s, NULL, frame);
        CHECK_TRUE(fabric_gro_append(&gro, frame, size, HEADROOM));
        CHECK_TRUE(gro.closed);

        s = next_of(&s);
        s.flags = TCP_ACK;
        size = frame_make(&s, NULL, frame);
        CHECK_FALSE(fabric_gro_append(&gro, frame, size, HEADROOM));

        packet = fabric_gro_finish(&gro);
        CHECK_EQ(TCP_FLAGS(((struct tcp_header *)
                            dp_packet_l4(packet))->tcp_ctl),
                 TCP_ACK | lasts[i].flags);
        dp_packet_delete(packet);
    }
}

/* A first segment that nothing could continue starts nothing. */
static void
test_join_starts(void)
{
    static const uint16_t flags[] = {
        TCP_PSH, TCP_FIN, TCP_SYN, TCP_RST, TCP_URG,
    };
    struct fabric_gro gro = { .packet = NULL };
    struct frame_spec s = frame_simple;
    uint8_t frame[4096];
    size_t size;

    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        s.flags = TCP_ACK | flags[i];
        size = frame_make(&s, NULL, frame);
        CHECK_FALSE(fabric_gro_append(&gro, frame, size, HEADROOM));
    }
    s = frame_simple;
    s.payload_len = 0;
    size = frame_make(&s, NULL, frame);
    CHECK_FALSE(fabric_gro_append(&gro, frame, size, HEADROOM));

    /* No room for it. */
    s = frame_simple;
    size = frame_make(&s, NULL, frame);
    CHECK_FALSE(fabric_gro_append(&gro, frame, size, UINT16_MAX + 1 - size));
    CHECK_FALSE(fabric_gro_append(&gro, frame, size, SIZE_MAX));

    /* CWR may be in the first segment only. */
    s = frame_simple;
    s.flags |= TCP_CWR;
    size = frame_make(&s, NULL, frame);
    CHECK_TRUE(fabric_gro_append(&gro, frame, size, HEADROOM));
    s = next_of(&s);
    s.flags = TCP_ACK;
    size = frame_make(&s, NULL, frame);
    CHECK_TRUE(fabric_gro_append(&gro, frame, size, HEADROOM));
    dp_packet_delete(fabric_gro_finish(&gro));
}

/* IPv4 IDs count up, or with DF all are the same; never a mixture. */
static void
test_join_ip_id(void)
{
    static const struct {
        uint16_t frag_off;
        int16_t steps[3];       /* From each ID to the next. */
        size_t n;               /* How many of four segments join. */
    } cases[] = {
        { IP_DONT_FRAGMENT, { 1, 1, 1 }, 4 },
        { IP_DONT_FRAGMENT, { 0, 0, 0 }, 4 },
        { IP_DONT_FRAGMENT, { 0, 0, 1 }, 3 },
        { IP_DONT_FRAGMENT, { 1, 1, 0 }, 3 },
        { IP_DONT_FRAGMENT, { 1, -1, 0 }, 2 },
        { IP_DONT_FRAGMENT, { 0, 2, 0 }, 2 },
        { IP_DONT_FRAGMENT, { 2, 0, 0 }, 1 },
        { 0, { 1, 1, 1 }, 4 },
        { 0, { 0, 0, 0 }, 1 },
        { 0, { 1, 2, 0 }, 2 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fabric_gro gro = { .packet = NULL };
        struct frame_spec s = frame_simple;
        uint8_t frame[4096];
        size_t n = 0;

        s.frag_off = cases[i].frag_off;
        for (; n < 4; n++) {
            size_t size = frame_make(&s, NULL, frame);

            if (!fabric_gro_append(&gro, frame, size, HEADROOM)) {
                break;
            }
            s = next_of(&s);
            s.ip_id += n < 3 ? cases[i].steps[n] - 1 : 0;
        }
        CHECK_EQ(n, cases[i].n);
        dp_packet_delete(fabric_gro_finish(&gro));
    }
}

/* No bit of a segment can be wrong unnoticed, whether the segment would start
 * a super-frame or continue one. */
static void
test_join_checksum(void)
{
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        struct fabric_gro gro = { .packet = NULL };
        struct frame_spec s = frame_simple;
        uint8_t frame[4096];
        size_t size;

        s.ipv6 = ipv6;
        s.payload_len = 101;
        size = frame_make(&s, NULL, frame);
        for (size_t bit = 0; bit < size * 8; bit++) {
            uint8_t mask = 1 << bit % 8;

            /* What no checksum covers: Ethernet, IPv6 traffic class, flow
             * label and hop limit. */
            if (bit / 8 < 14 || (ipv6 && bit / 8 < 18) || bit / 8 == 21) {
                continue;
            }
            frame[bit / 8] ^= mask;
            if (fabric_gro_append(&gro, frame, size, HEADROOM)) {
                printf("\nbit %"PRIuSIZE" flipped but joined\n", bit);
                exit(1);
            }
            frame[bit / 8] ^= mask;
        }
        CHECK_TRUE(fabric_gro_append(&gro, frame, size, HEADROOM));

        s = next_of(&s);
        size = frame_make(&s, NULL, frame);
        frame[size - 1] ^= 1;
        CHECK_FALSE(fabric_gro_append(&gro, frame, size, HEADROOM));
        if (!ipv6) {
            frame[size - 1] ^= 1;
            frame[24] ^= 1;
            CHECK_FALSE(fabric_gro_append(&gro, frame, size, HEADROOM));
        }
        dp_packet_delete(fabric_gro_finish(&gro));
    }
}

/* A super-frame fills 65,535 bytes less headroom and no more, with any hint,
 * and frames may lie at odd addresses and have padding. */
static void
test_join_limit(void)
{
    static const size_t hints[] = { 0, 1, 3000, 65407, 65535, 1000000 };

    for (size_t i = 0; i < ARRAY_SIZE(hints); i++) {
        struct fabric_gro gro = { .size_hint = hints[i] };
        struct dp_packet *packet;
        struct frame_spec s = frame_simple;
        uint8_t frame[4096];
        size_t n = 0, size;

        for (;;) {
            size = frame_make(&s, NULL, frame + 1);
            memset(frame + 1 + size, 0xee, 5);
            if (!fabric_gro_append(&gro, frame + 1, size + 5, HEADROOM)) {
                break;
            }
            s = next_of(&s);
            n++;
        }
        CHECK_EQ(n, (MAX_SIZE - frame_headers_len(&s)) / 1448);

        /* A short one still fits, to the byte. */
        s.payload_len = (MAX_SIZE - frame_headers_len(&s)) % 1448 + 1;
        size = frame_make(&s, NULL, frame);
        CHECK_FALSE(fabric_gro_append(&gro, frame, size, HEADROOM));
        s.payload_len--;
        size = frame_make(&s, NULL, frame);
        CHECK_TRUE(fabric_gro_append(&gro, frame, size, HEADROOM));

        packet = fabric_gro_finish(&gro);
        CHECK_EQ(dp_packet_size(packet), MAX_SIZE);
        CHECK_EQ(dp_packet_headroom(packet), HEADROOM);
        CHECK_EQ(dp_packet_get_allocated(packet), UINT16_MAX);
        CHECK_EQ(gro.size_hint, hints[i]);
        dp_packet_delete(packet);
    }
}

/* A super-frame of UDP is cut into datagrams that are right but for the rest
 * of their checksums, and nothing else is taken for one. */
static void
test_split_udp(void)
{
    enum { SEGSZ = 500, LAST = 7, PAYLOAD = 3 * SEGSZ + LAST };

    for (int variant = 0; variant < 8; variant++) {
        struct frame_spec s = frame_simple;
        uint8_t frame[4096], payload[PAYLOAD];
        size_t size, l3, l4, headers_len;
        struct dp_packet *packet;

        s.ipv6 = variant & 1;
        s.n_vlans = variant >> 1 & 1;
        s.ip_opts_len = variant & 4 && !s.ipv6 ? 8 : 0;
        s.tcp_opts_len = 0;
        s.payload_len = UDP_HEADER_LEN + PAYLOAD - TCP_HEADER_LEN;
        size = frame_make(&s, NULL, frame);
        l3 = frame_l3_ofs(&s);
        l4 = frame_l4_ofs(&s);
        headers_len = l4 + UDP_HEADER_LEN;
        CHECK_EQ(size, headers_len + PAYLOAD);
        CHECK_FALSE(fabric_gso_is_udp(frame, size, SEGSZ));
        frame[l3 + (s.ipv6 ? 6 : 9)] = IPPROTO_UDP;
        fabric_put_be16(frame + l4 + 4, size - l4);
        fabric_put_be16(frame + l4 + 6, 1);
        random_fill(payload, sizeof payload);
        memcpy(frame + headers_len, payload, sizeof payload);

        CHECK_TRUE(fabric_gso_is_udp(frame, size, SEGSZ));
        CHECK_FALSE(fabric_gso_is_udp(frame, size, 0));
        CHECK_FALSE(fabric_gso_is_udp(frame, size, PAYLOAD));
        CHECK_FALSE(fabric_gso_is_udp(frame, size - 1, SEGSZ));
        CHECK_FALSE(fabric_gso_is_udp(frame, size + 1, SEGSZ));

        for (size_t i = 0; i < 4; i++) {
            size_t len = i < 3 ? SEGSZ : LAST;
            uint32_t sum;
            uint8_t *p;

            packet = fabric_gso_udp_segment(frame, size, SEGSZ, i, HEADROOM);
            CHECK_EQ(dp_packet_headroom(packet), HEADROOM);
            CHECK_EQ(dp_packet_size(packet), headers_len + len);
            p = dp_packet_data(packet);
            CHECK_BYTES(p + headers_len, payload + i * SEGSZ, len);
            CHECK_EQ(fabric_get_be16(p + l4 + 4), UDP_HEADER_LEN + len);
            if (s.ipv6) {
                CHECK_EQ(fabric_get_be16(p + l3 + 4), UDP_HEADER_LEN + len);
                sum = csum_continue(0, p + l3 + 8, 32);
            } else {
                CHECK_EQ(fabric_get_be16(p + l3 + 2),
                         headers_len - l3 + len);
                CHECK_EQ(fabric_get_be16(p + l3 + 4),
                         (uint16_t) (s.ip_id + i));
                CHECK_EQ(csum(p + l3, l4 - l3), 0);
                sum = csum_continue(0, p + l3 + 12, 8);
            }
            sum = csum_add16(sum, htons(IPPROTO_UDP));
            sum = csum_add16(sum, htons(UDP_HEADER_LEN + len));
            CHECK_EQ(fabric_get_be16(p + l4 + 6),
                     (uint16_t) ~ntohs(csum_finish(sum)));
            dp_packet_delete(packet);
        }
        CHECK_TRUE(!fabric_gso_udp_segment(frame, size, SEGSZ, 4, HEADROOM));

        /* What has no checksum gets none. */
        fabric_put_be16(frame + l4 + 6, 0);
        packet = fabric_gso_udp_segment(frame, size, SEGSZ, 1, HEADROOM);
        CHECK_EQ(fabric_get_be16((uint8_t *) dp_packet_data(packet) + l4 + 6),
                 0);
        dp_packet_delete(packet);
    }
}

/* Checks the checksum of the 'n' bytes at 'data' by vectors of 'lanes' bytes,
 * and that no byte beside the copy is written. */
static void
check_csum_by(size_t lanes, const uint8_t *data, size_t n, uint16_t expected)
{
    uint8_t copy[800];
    uint64_t sum;

    sum = fabric_csum_by(lanes, 0, NULL, data, n);
    CHECK_EQ((uint16_t) ~fabric_csum_fold(sum), expected);

    copy[0] = copy[n + 1] = 0x5a;
    sum = fabric_csum_by(lanes, 0, copy + 1, data, n);
    CHECK_EQ((uint16_t) ~fabric_csum_fold(sum), expected);
    CHECK_BYTES(copy + 1, data, n);
    CHECK_EQ(copy[0], 0x5a);
    CHECK_EQ(copy[n + 1], 0x5a);
}

/* The checksum is upstream's for every size, alignment, extreme value and
 * width of vectors. */
static void
test_csum(void)
{
    uint8_t buf[700];

    for (int round = 0; round < 3; round++) {
        if (round) {
            memset(buf, round == 1 ? 0xff : 0, sizeof buf);
        } else {
            random_fill(buf, sizeof buf);
        }
        for (size_t ofs = 0; ofs < 16; ofs++) {
            for (size_t n = 0; n <= sizeof buf - 16; n++) {
                uint16_t expected = (OVS_FORCE uint16_t) csum(buf + ofs, n);

                CHECK_EQ((uint16_t) ~fabric_csum_fold(
                             fabric_csum_add(0, buf + ofs, n)), expected);
                for (size_t lanes = fabric_csum_max_lanes(); lanes >= 16;
                     lanes /= 2) {
                    check_csum_by(lanes, buf + ofs, n, expected);
                }
            }
        }
    }
    CHECK_EQ(fabric_csum_fold(UINT64_MAX), UINT16_MAX);
    CHECK_EQ(fabric_csum_fold(0), 0);
    CHECK_EQ(fabric_csum_fold(UINT64_C(0x1234) << 48), 0x1234);
}

/* Prints how fast checksums, splitting and joining are. */
static void
bench(void)
{
    enum { ROUNDS = 20000 };
    struct frame_spec s = frame_simple;
    struct dp_packet *packet;
    struct fabric_gso gso;
    long long int start;
    uint8_t *frames = xmalloc(2 * UINT16_MAX);
    size_t sizes[64], n;
    volatile uint64_t sum = 0;
    double ns, gb;

    s.payload_len = 44 * 1448;
    packet = super_frame(&s, NULL, 1448);
    n = split(&s, packet, frames, sizes);
    gb = ROUNDS * (double) s.payload_len;

    for (size_t lanes = 16; lanes <= fabric_csum_max_lanes(); lanes *= 2) {
        start = time_usec();
        for (int i = 0; i < ROUNDS; i++) {
            for (size_t j = 0; j < n; j++) {
                const uint8_t *data = dp_packet_data(packet);

                sum += fabric_csum_by(lanes, 0, NULL, data + j * 1448, 1448);
            }
        }
        ns = (time_usec() - start) * 1e3;
        printf("checksum %.1f GB/s, %"PRIuSIZE" bytes at a time\n",
               gb / ns, lanes);
    }

    start = time_usec();
    for (int i = 0; i < ROUNDS; i++) {
        uint8_t *p = frames;

        fabric_gso_init(&gso, packet);
        for (size_t j = 0; j < gso.n_segs; j++) {
            p += fabric_gso_segment(&gso, packet, j, p);
        }
    }
    ns = (time_usec() - start) * 1e3;
    printf("split %.1f GB/s, %.0f ns per segment\n", gb / ns,
           ns / ROUNDS / n);

    start = time_usec();
    for (int i = 0; i < ROUNDS; i++) {
        struct fabric_gro gro = { .size_hint = s.payload_len + 100 };
        size_t ofs = 0;

        for (size_t j = 0; j < n; j++) {
            fabric_gro_append(&gro, frames + ofs, sizes[j], HEADROOM);
            ofs += sizes[j];
        }
        dp_packet_delete(fabric_gro_finish(&gro));
    }
    ns = (time_usec() - start) * 1e3;
    printf("join %.1f GB/s, %.0f ns per segment\n", gb / ns, ns / ROUNDS / n);

    dp_packet_delete(packet);
    free(frames);
}

static void
test_fabric_gso_main(int argc, char *argv[])
{
    random_set_seed(1);
    if (argc > 1 && !strcmp(argv[1], "bench")) {
        bench();
        return;
    }

    CHECK_PROPERTY(test_csum);
    CHECK_PROPERTY(test_split_join);
    CHECK_PROPERTY(test_split_ip_options);
    CHECK_PROPERTY(test_split_truncated);
    CHECK_PROPERTY(test_split_refuses);
    CHECK_PROPERTY(test_split_udp);
    CHECK_PROPERTY(test_join_refuses);
    CHECK_PROPERTY(test_join_closes);
    CHECK_PROPERTY(test_join_starts);
    CHECK_PROPERTY(test_join_ip_id);
    CHECK_PROPERTY(test_join_checksum);
    CHECK_PROPERTY(test_join_limit);
    putchar('\n');
}

OVSTEST_REGISTER("test-fabric-gso", test_fabric_gso_main);
