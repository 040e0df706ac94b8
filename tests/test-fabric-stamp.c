/* SPDX-License-Identifier: Apache-2.0 */

/* STAMP test packets in unauthenticated mode, without TLVs. */

#include <config.h>
#undef NDEBUG
#include "fabric-stamp.h"

#include "csum.h"
#include "fabric-bytes.h"
#include "fabric-check.h"
#include "ovstest.h"
#include "packets.h"
#include "random.h"
#include "util.h"

/* The frames of test_packet and its answer, as scapy 2.5 builds them. */
static const uint8_t ipv4_test[] = {
    0x00, 0x00, 0x5e, 0x00, 0x52, 0x02, 0x02, 0x00, 0x00, 0x00, 0x00,
    0x01, 0x08, 0x00, 0x45, 0x00, 0x00, 0x48, 0x00, 0x00, 0x40, 0x00,
    0xff, 0x11, 0x3a, 0xa2, 0xc0, 0x00, 0x02, 0x01, 0x7f, 0x00, 0x00,
    0x01, 0xc2, 0xc6, 0x03, 0x5e, 0x00, 0x34, 0x7b, 0x4f, 0x01, 0x02,
    0x03, 0x04, 0xe8, 0x00, 0x00, 0x01, 0x80, 0x00, 0x00, 0x00, 0x0c,
    0x01, 0x05, 0x06, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};
static const uint8_t ipv4_reflected[] = {
    0x00, 0x00, 0x5e, 0x00, 0x52, 0x02, 0x02, 0x00, 0x00, 0x00, 0x00,
    0x01, 0x08, 0x00, 0x45, 0x00, 0x00, 0x48, 0x00, 0x00, 0x40, 0x00,
    0xff, 0x11, 0x3a, 0xa2, 0xc0, 0x00, 0x02, 0x01, 0x7f, 0x00, 0x00,
    0x01, 0x03, 0x5e, 0xc2, 0xc6, 0x00, 0x34, 0xe5, 0x0c, 0x01, 0x02,
    0x03, 0x04, 0xe8, 0x00, 0x00, 0x01, 0x80, 0x20, 0x00, 0x00, 0x0c,
    0x01, 0x05, 0x06, 0xe8, 0x00, 0x00, 0x01, 0x80, 0x10, 0x00, 0x00,
    0x01, 0x02, 0x03, 0x04, 0xe8, 0x00, 0x00, 0x01, 0x80, 0x00, 0x00,
    0x00, 0x85, 0x07, 0x00, 0x00, 0x3d, 0x00, 0x00, 0x00,
};
static const uint8_t ipv6_test[] = {
    0x00, 0x00, 0x5e, 0x00, 0x52, 0x02, 0x02, 0x00, 0x00, 0x00, 0x00,
    0x01, 0x86, 0xdd, 0x60, 0x00, 0x00, 0x00, 0x00, 0x34, 0x11, 0xff,
    0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0xc2,
    0xc6, 0x03, 0x5e, 0x00, 0x34, 0x8e, 0x97, 0x01, 0x02, 0x03, 0x04,
    0xe8, 0x00, 0x00, 0x01, 0x80, 0x00, 0x00, 0x00, 0x0c, 0x01, 0x05,
    0x06, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};
static const uint8_t ipv6_reflected[] = {
    0x00, 0x00, 0x5e, 0x00, 0x52, 0x02, 0x02, 0x00, 0x00, 0x00, 0x00,
    0x01, 0x86, 0xdd, 0x60, 0x00, 0x00, 0x00, 0x00, 0x34, 0x11, 0xff,
    0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x03,
    0x5e, 0xc2, 0xc6, 0x00, 0x34, 0xf8, 0x54, 0x01, 0x02, 0x03, 0x04,
    0xe8, 0x00, 0x00, 0x01, 0x80, 0x20, 0x00, 0x00, 0x0c, 0x01, 0x05,
    0x06, 0xe8, 0x00, 0x00, 0x01, 0x80, 0x10, 0x00, 0x00, 0x01, 0x02,
    0x03, 0x04, 0xe8, 0x00, 0x00, 0x01, 0x80, 0x00, 0x00, 0x00, 0x85,
    0x07, 0x00, 0x00, 0x3d, 0x00, 0x00, 0x00,
};

static const struct eth_addr mac = ETH_ADDR_C(02,00,00,00,00,01);

static const struct fabric_stamp test_packet = {
    .seq = 0x01020304,
    .timestamp = UINT64_C(0xe800000180000000),
    .error_estimate = FABRIC_STAMP_ERROR_ESTIMATE,
    .ssid = 0x0506,
};

static const struct fabric_stamp reflected_packet = {
    .reflected = true,
    .seq = 0x01020304,
    .timestamp = UINT64_C(0xe800000180200000),
    .error_estimate = FABRIC_STAMP_ERROR_ESTIMATE,
    .ssid = 0x0506,
    .rx_timestamp = UINT64_C(0xe800000180100000),
    .sender_seq = 0x01020304,
    .sender_timestamp = UINT64_C(0xe800000180000000),
    .sender_error_estimate = 0x8507,
    .sender_ttl = 61,
};

static const struct {
    const char *src;
    const struct fabric_stamp *stamp;
    const uint8_t *frame;
    size_t size;
} golden[] = {
    { "192.0.2.1", &test_packet, ipv4_test, sizeof ipv4_test },
    { "192.0.2.1", &reflected_packet, ipv4_reflected, sizeof ipv4_reflected },
    { "2001:db8::1", &test_packet, ipv6_test, sizeof ipv6_test },
    { "2001:db8::1", &reflected_packet, ipv6_reflected,
      sizeof ipv6_reflected },
};

static struct in6_addr
address(const char *s)
{
    struct in6_addr ip;
    ovs_be32 ipv4;

    if (ip_parse(s, &ipv4)) {
        in6_addr_set_mapped_ipv4(&ip, ipv4);
    } else {
        CHECK_TRUE(ipv6_parse(s, &ip));
    }
    return ip;
}

static void
check_equal(const struct fabric_stamp *a, const struct fabric_stamp *b)
{
    CHECK_EQ(a->reflected, b->reflected);
    CHECK_EQ(a->seq, b->seq);
    CHECK_EQ(a->timestamp, b->timestamp);
    CHECK_EQ(a->error_estimate, b->error_estimate);
    CHECK_EQ(a->ssid, b->ssid);
    CHECK_EQ(a->rx_timestamp, b->rx_timestamp);
    CHECK_EQ(a->sender_seq, b->sender_seq);
    CHECK_EQ(a->sender_timestamp, b->sender_timestamp);
    CHECK_EQ(a->sender_error_estimate, b->sender_error_estimate);
    CHECK_EQ(a->sender_ttl, b->sender_ttl);
}

/* Parses a copy of 'frame' in memory that ends with it, for
 * AddressSanitizer. */
static bool
parses(const void *frame, size_t size)
{
    void *copy = xmemdup(frame, size);
    struct fabric_stamp stamp;
    bool ok;

    ok = fabric_stamp_parse(copy, size, NULL, &stamp) == FABRIC_STAMP_OK;
    free(copy);
    return ok;
}

static size_t
compose(const struct fabric_stamp *stamp, const struct in6_addr *src,
        void *frame)
{
    return fabric_stamp_compose(stamp, NULL, &mac, src, frame,
                                FABRIC_STAMP_MAX_FRAME);
}

static void
test_golden(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(golden); i++) {
        struct in6_addr src = address(golden[i].src);
        uint8_t frame[FABRIC_STAMP_MAX_FRAME];
        struct fabric_stamp stamp;

        CHECK_EQ(compose(golden[i].stamp, &src, frame),
                 golden[i].size);
        CHECK_BYTES(frame, golden[i].frame, golden[i].size);

        CHECK_TRUE(fabric_stamp_is_probe(frame, golden[i].size));
        CHECK_EQ(fabric_stamp_seems_reflected(frame, golden[i].size),
                 golden[i].stamp->reflected);
        CHECK_EQ(fabric_stamp_parse(frame, golden[i].size, NULL, &stamp),
                 FABRIC_STAMP_OK);
        check_equal(&stamp, golden[i].stamp);
    }
}

static void
test_reflect(void)
{
    struct fabric_stamp test = test_packet;
    struct fabric_stamp_reflector reflector = {
        .rx = reflected_packet.rx_timestamp,
        .tx = reflected_packet.timestamp,
        .error_estimate = FABRIC_STAMP_ERROR_ESTIMATE,
        .ttl = 61,
    };
    struct fabric_stamp reply;

    test.error_estimate = 0x8507;
    fabric_stamp_reflect(&test, &reflector, &reply);
    check_equal(&reply, &reflected_packet);
}

static void
test_round_trip(void)
{
    for (int round = 0; round < 10000; round++) {
        struct fabric_stamp in = {
            .reflected = random_range(2),
            .seq = random_uint32(),
            .timestamp = random_uint64(),
            .error_estimate = random_uint32(),
            .ssid = random_uint32(),
        };
        uint8_t frame[FABRIC_STAMP_MAX_FRAME + 1];
        struct fabric_stamp out;
        struct in6_addr src;
        size_t size;

        if (in.reflected) {
            in.rx_timestamp = random_uint64();
            in.sender_seq = random_uint32();
            in.sender_timestamp = random_uint64();
            in.sender_error_estimate = random_uint32();
            in.sender_ttl = random_uint32();
        }
        if (random_range(2)) {
            in6_addr_set_mapped_ipv4(&src, (OVS_FORCE ovs_be32)
                                           random_uint32());
        } else {
            fabric_put_be64(src.s6_addr, random_uint64());
            fabric_put_be64(src.s6_addr + 8, random_uint64());
        }
        size = compose(&in, &src, frame + round % 2);
        CHECK_TRUE(size <= FABRIC_STAMP_MAX_FRAME);
        CHECK_EQ(fabric_stamp_parse(frame + round % 2, size, NULL, &out),
                 FABRIC_STAMP_OK);
        check_equal(&out, &in);
    }
}

/* No byte may be missing; padding and TLVs may follow. */
static void
test_sizes(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(golden); i++) {
        uint8_t padded[FABRIC_STAMP_MAX_FRAME + 20];

        for (size_t n = 0; n < golden[i].size; n++) {
            CHECK_FALSE(parses(golden[i].frame, n));
        }
        memset(padded, 0xee, sizeof padded);
        memcpy(padded, golden[i].frame, golden[i].size);
        CHECK_TRUE(parses(padded, sizeof padded));
    }

    /* With 4 octets of TLV in the datagram.  The checksum stays valid: what
     * both lengths add is taken off again by the TLV. */
    uint8_t tlv[sizeof ipv4_test + 4];

    memcpy(tlv, ipv4_test, sizeof ipv4_test);
    fabric_put_be16(tlv + 16, fabric_get_be16(tlv + 16) + 4);
    fabric_put_be16(tlv + 24, fabric_get_be16(tlv + 24) - 4);
    fabric_put_be16(tlv + 38, fabric_get_be16(tlv + 38) + 4);
    fabric_put_be32(tlv + sizeof ipv4_test, 0xfff7);
    CHECK_TRUE(parses(tlv, sizeof tlv));
    tlv[sizeof tlv - 1]++;
    CHECK_FALSE(parses(tlv, sizeof tlv));
}

/* Every bit but those of the source MAC and, in IPv6, of traffic class and
 * flow label is checked. */
static void
test_corruption(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(golden); i++) {
        bool is_ipv6 = fabric_get_be16(golden[i].frame + 12) == ETH_TYPE_IPV6;

        for (size_t bit = 0; bit < golden[i].size * 8; bit++) {
            uint8_t frame[FABRIC_STAMP_MAX_FRAME];
            bool ignored = ((bit / 8 >= 6 && bit / 8 < 12)
                            || (is_ipv6 && bit >= 14 * 8 && bit < 18 * 8
                                && (bit / 8 > 14 || bit % 8 < 4)));

            memcpy(frame, golden[i].frame, golden[i].size);
            frame[bit / 8] ^= 1u << bit % 8;
            if (parses(frame, golden[i].size) != ignored) {
                printf("\nvector %"PRIuSIZE", byte %"PRIuSIZE" bit %"PRIuSIZE
                       ": %s\n", i, bit / 8,
                       bit % 8, ignored ? "refused" : "accepted");
                exit(1);
            }
        }
    }
}

/* What the checksum cannot tell: fields changed and sums made right again. */
static void
test_semantics(void)
{
    static const struct {
        size_t ofs;             /* In the IPv4 test packet, even. */
        uint16_t value;
        bool ok;
    } changes[] = {
        { 14, 0x4500, true },
        { 14, 0x4400, false },          /* IHL too small. */
        { 14, 0x4600, false },          /* IHL takes from UDP. */
        { 14, 0x5500, false },          /* IP version. */
        { 14, 0x45ff, true },           /* TOS. */
        { 20, 0x0000, true },           /* No DF. */
        { 20, 0x2000, false },          /* More fragments. */
        { 20, 0x0001, false },          /* Fragment offset. */
        { 22, 0xfe11, false },          /* TTL. */
        { 22, 0xff06, false },          /* Protocol. */
        { 30, 0x0a00, false },          /* Not a loopback address. */
        { 30, 0x7f33, true },           /* Another one. */
        { 34, 49861, false },           /* Source port. */
        { 36, 863, false },             /* Destination port. */
        { 38, 53, false },              /* UDP length. */
        { 38, 51, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        uint8_t frame[sizeof ipv4_test];
        ovs_be16 sum;

        memcpy(frame, ipv4_test, sizeof frame);
        fabric_put_be16(frame + changes[i].ofs, changes[i].value);
        fabric_put_be16(frame + 24, 0);
        sum = csum(frame + 14, 20);
        memcpy(frame + 24, &sum, sizeof sum);
        fabric_put_be16(frame + 40, 0);         /* No UDP checksum. */
        if (parses(frame, sizeof frame) != changes[i].ok) {
            printf("\nchange %"PRIuSIZE": %s\n", i,
                   changes[i].ok ? "refused" : "accepted");
            exit(1);
        }
    }

    /* RFC 8200 section 8.1: no UDP without checksum in IPv6. */
    uint8_t frame[sizeof ipv6_test];

    memcpy(frame, ipv6_test, sizeof frame);
    fabric_put_be16(frame + 60, 0);
    CHECK_FALSE(parses(frame, sizeof frame));
}

/* RFC 768: a checksum that comes out as zero is sent as all ones. */
static void
test_zero_checksum(void)
{
    struct in6_addr src = address("192.0.2.1");
    uint8_t frame[FABRIC_STAMP_MAX_FRAME];
    size_t n_ones = 0;

    for (int ssid = 0; ssid <= UINT16_MAX; ssid++) {
        struct fabric_stamp stamp = test_packet;
        size_t size;

        stamp.ssid = ssid;
        size = compose(&stamp, &src, frame);
        CHECK_TRUE(fabric_get_be16(frame + 40) != 0);
        if (fabric_get_be16(frame + 40) == UINT16_MAX) {
            CHECK_TRUE(parses(frame, size));
            n_ones++;
        }
    }
    CHECK_EQ(n_ones, 1);
}

static void
test_is_probe(void)
{
    uint8_t frame[sizeof ipv4_test];

    memcpy(frame, ipv4_test, sizeof frame);
    CHECK_TRUE(fabric_stamp_is_probe(frame, ETH_HEADER_LEN));
    CHECK_FALSE(fabric_stamp_is_probe(frame, ETH_HEADER_LEN - 1));
    CHECK_FALSE(fabric_stamp_is_probe(frame, 0));
    frame[5]++;
    CHECK_FALSE(fabric_stamp_is_probe(frame, sizeof frame));
}

static void
test_timestamps(void)
{
    static const struct { uint64_t ns; fabric_stamp_ts ts; } cases[] = {
        { 0, UINT64_C(2208988800) << 32 },
        { UINT64_C(500000000), UINT64_C(2208988800) << 32 | 0x80000000 },
        /* 2036-02-07 06:28:15 and :16, the seconds of eras 0 and 1. */
        { UINT64_C(2085978495) * 1000000000, UINT64_C(0xffffffff) << 32 },
        { UINT64_C(2085978496) * 1000000000, 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CHECK_EQ(fabric_stamp_ts_from_ns(cases[i].ns), cases[i].ts);
        CHECK_EQ(fabric_stamp_ts_to_ns(cases[i].ts), cases[i].ns);
    }
    for (int i = 0; i < 100000; i++) {
        uint64_t sec = random_uint32();
        uint64_t ns = sec * 1000000000 + random_range(1000000000);

        CHECK_EQ(fabric_stamp_ts_to_ns(fabric_stamp_ts_from_ns(ns)), ns);
    }
}

/* Prints the golden frames as composed, one line of hexadecimal each, for
 * other programs to decode. */
static void
print_frames(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(golden); i++) {
        struct in6_addr src = address(golden[i].src);
        uint8_t frame[FABRIC_STAMP_MAX_FRAME];
        size_t size;

        size = compose(golden[i].stamp, &src, frame);
        for (size_t j = 0; j < size; j++) {
            printf("%02x", frame[j]);
        }
        putchar('\n');
    }
}

static void
test_fabric_stamp_main(int argc, char *argv[])
{
    random_set_seed(1);
    if (argc > 1 && !strcmp(argv[1], "print")) {
        print_frames();
        return;
    }

    CHECK_PROPERTY(test_golden);
    CHECK_PROPERTY(test_reflect);
    CHECK_PROPERTY(test_round_trip);
    CHECK_PROPERTY(test_sizes);
    CHECK_PROPERTY(test_corruption);
    CHECK_PROPERTY(test_semantics);
    CHECK_PROPERTY(test_zero_checksum);
    CHECK_PROPERTY(test_is_probe);
    CHECK_PROPERTY(test_timestamps);
    putchar('\n');
}

OVSTEST_REGISTER("test-fabric-stamp", test_fabric_stamp_main);
