/* SPDX-License-Identifier: Apache-2.0 */

/* STAMP test packets with TLVs and authentication. */

#include <config.h>
#undef NDEBUG
#include "fabric-stamp.h"

#include "csum.h"
#include "fabric-bytes.h"
#include "fabric-check.h"
#include "openvswitch/dynamic-string.h"
#include "ovstest.h"
#include "packets.h"
#include "random.h"
#include "util.h"

#define MAX_SIZE 10000

static const struct eth_addr mac = ETH_ADDR_C(02,00,00,00,00,01);

/* The keys of stamp_vectors.py. */
static struct fabric_stamp_keys keys = {
    .n = 2,
    .keys = { { .key = "an old key", .len = 10 }, { .len = 64 } },
};
static struct in6_addr ipv4, ipv6;

static void
init(void)
{
    const char *reason;

    for (size_t i = 0; i < keys.keys[1].len; i++) {
        keys.keys[1].key[i] = 100 + i;
    }
    if (!fabric_stamp_auth_supported(&reason)) {
        printf("%s\n", reason);
        exit(77);
    }
    in6_addr_set_mapped_ipv4(&ipv4, htonl(0xc0000201));
    CHECK_TRUE(ipv6_parse("2001:db8::1", &ipv6));
}

/* The test packet of stamp_vectors.py. */
static struct fabric_stamp
make_test(bool all)
{
    return (struct fabric_stamp) {
        .seq = 0x01020304,
        .timestamp = UINT64_C(0xe800000180000000),
        .error_estimate = 0x8507,
        .ssid = 0x0506,
        .has_location = all,
        .has_ts_info = all,
        .has_cos = all,
        .cos = { .dscp1 = all ? 46 : 0 },
        .has_direct = all,
        .direct = { .s_tx = all ? 0xfffffffe : 0 },
        .n_heard = all ? 2 : 0,
        .has_padding = all,
        .padding_len = all ? 13 : 0,
    };
}

/* Its reflector. */
static struct fabric_stamp_reflector
make_reflector(void)
{
    struct fabric_stamp_reflector r = {
        .rx = UINT64_C(0xe800000180100000),
        .tx = UINT64_C(0xe800000180200000),
        .error_estimate = FABRIC_STAMP_ERROR_ESTIMATE,
        .ttl = 61,
        .has_ts_info = true,
        .ts_info = { FABRIC_STAMP_SYNC_NTP, FABRIC_STAMP_METHOD_SW,
                     FABRIC_STAMP_SYNC_LOCAL, FABRIC_STAMP_METHOD_CONTROL },
        .has_cos = true,
        .dscp = 34,
        .ecn = 1,
        .dscps = UINT64_C(1) << 46,
        .has_direct = true,
        .data_rx = 0x11223344,
        .data_tx = 0x55667788,
        .has_location = true,
        .location = {
            .src_port = 50001,
            .dst_port = 4789,
            .src_mac = ETH_ADDR_C(02,00,00,00,00,aa),
        },
    };

    in6_addr_set_mapped_ipv4(&r.location.src_ip, htonl(0xc6336407));
    CHECK_TRUE(ipv6_parse("fd00::2", &r.location.dst_ip));
    return r;
}

static void
fill_heard(struct fabric_stamp *reply)
{
    if (reply->n_heard) {
        reply->heard[0] = (struct fabric_stamp_heard) { reply->ssid,
                                                        reply->seq, 7 };
    }
    if (reply->n_heard > 1) {
        reply->heard[1] = (struct fabric_stamp_heard) { 9, UINT32_MAX,
                                                        1u << 31 };
    }
}

static void
fill_report(struct fabric_stamp *reply)
{
    if (reply->report.n) {
        reply->report.copy = true;
        reply->report.first = reply->ssid;
        reply->report.seqs[0] = reply->seq;
    }
}

/* Parses a copy of 'frame' in memory that ends with it, for
 * AddressSanitizer. */
static enum fabric_stamp_result
parse(const void *frame, size_t size, const struct fabric_stamp_keys *k,
      struct fabric_stamp *stamp)
{
    void *copy = xmemdup(frame, size);
    enum fabric_stamp_result result = fabric_stamp_parse(copy, size, k, stamp);

    if (result == FABRIC_STAMP_OK && stamp->echo) {
        /* The copy goes away. */
        CHECK_FALSE(stamp->reflected);
        stamp->echo = (const uint8_t *) frame
                      + (stamp->echo - (const uint8_t *) copy);
    }
    free(copy);
    return result;
}

static size_t
compose(const struct fabric_stamp *stamp, const struct fabric_stamp_keys *k,
        const struct in6_addr *src, void *frame)
{
    return fabric_stamp_compose(stamp, k, &mac, src, frame, MAX_SIZE);
}

/* Parses the test packet 'frame' and writes the answer. */
static size_t
answer(const void *frame, size_t size, const struct fabric_stamp_keys *k,
       void *reply_frame)
{
    struct fabric_stamp_reflector r = make_reflector();
    const uint8_t *eth = frame;
    struct fabric_stamp test, reply;

    if (parse(frame, size, k, &test) != FABRIC_STAMP_OK || test.reflected) {
        return 0;
    }
    fabric_stamp_reflect(&test, &r, &reply);
    fill_heard(&reply);
    fill_report(&reply);
    return compose(&reply, k, eth[12] == 0x08 ? &ipv4 : &ipv6, reply_frame);
}

/* Makes the checksums of an IPv4 frame right, as whoever changes a packet on
 * its way would. */
static void
fix_checksums(uint8_t *frame)
{
    ovs_be16 sum;

    fabric_put_be16(frame + 24, 0);
    sum = csum(frame + 14, 20);
    memcpy(frame + 24, &sum, sizeof sum);
    fabric_put_be16(frame + 40, 0);             /* No UDP checksum. */
}

#define PAYLOAD 42              /* Where STAMP begins in an IPv4 frame. */

static struct fabric_stamp_report
random_report(void)
{
    struct fabric_stamp_report report = {
        .deaf = random_range(2),
        .copy = random_range(2),
        .n = random_range(FABRIC_STAMP_MAX_REPORT + 1),
        .first = random_uint32(),
    };

    for (size_t i = 0; i < report.n; i++) {
        report.seqs[i] = random_uint32();
    }
    return report;
}

static struct fabric_stamp
random_stamp(void)
{
    struct fabric_stamp stamp = {
        .reflected = random_range(2),
        .seq = random_uint32(),
        .timestamp = random_uint64(),
        .error_estimate = random_uint32() | 1,
        .ssid = random_uint32(),
        .has_location = random_range(2),
        .has_ts_info = random_range(2),
        .has_cos = random_range(2),
        .has_direct = random_range(2),
        .has_report = random_range(2),
        .has_origin = random_range(2),
        .has_padding = random_range(2),
    };

    if (stamp.has_padding) {
        stamp.padding_len = random_range(random_range(4) ? 40 : 9000);
    }
    if (random_range(2)) {
        stamp.n_heard = random_range(FABRIC_STAMP_MAX_HEARD + 1);
    }
    if (stamp.has_report) {
        stamp.report = random_report();
    }
    if (stamp.has_origin) {
        stamp.origin = (struct fabric_stamp_origin) {
            .epoch = random_uint64(),
            .known = random_uint64(),
            .serial = random_uint32(),
            .ssid = random_uint32(),
            .answer = stamp.reflected,
            .src_port = random_uint32(),
            .dst_port = random_uint32(),
            .src_ip = ipv4,
            .dst_ip = ipv6,
        };
    }
    if (stamp.has_cos) {
        stamp.cos.dscp1 = random_range(64);
    }
    if (stamp.has_direct) {
        stamp.direct.s_tx = random_uint32();
    }
    if (!stamp.reflected) {
        return stamp;
    }

    stamp.rx_timestamp = random_uint64();
    stamp.sender_seq = random_uint32();
    stamp.sender_timestamp = random_uint64();
    stamp.sender_error_estimate = random_uint32();
    stamp.sender_ttl = random_uint32();
    if (stamp.has_location) {
        stamp.location.src_port = random_uint32();
        stamp.location.dst_port = random_uint32();
        stamp.location.src_ip = random_range(2) ? ipv4 : ipv6;
        stamp.location.dst_ip = random_range(2) ? ipv4 : ipv6;
    }
    if (stamp.has_ts_info) {
        random_bytes(&stamp.ts_info, sizeof stamp.ts_info);
    }
    if (stamp.has_cos) {
        stamp.cos.dscp2 = random_range(64);
        stamp.cos.ecn = random_range(4);
        stamp.cos.rp = random_range(4);
    }
    if (stamp.has_direct) {
        stamp.direct.r_rx = random_uint32();
        stamp.direct.r_tx = random_uint32();
    }
    for (size_t i = 0; i < stamp.n_heard; i++) {
        stamp.heard[i].ssid = random_uint32();
        stamp.heard[i].seq = random_uint32();
        stamp.heard[i].count = random_uint32();
    }
    return stamp;
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
    CHECK_EQ(a->has_location, b->has_location);
    CHECK_EQ(a->location.src_port, b->location.src_port);
    CHECK_EQ(a->location.dst_port, b->location.dst_port);
    CHECK_BYTES(&a->location.src_ip, &b->location.src_ip, 16);
    CHECK_BYTES(&a->location.dst_ip, &b->location.dst_ip, 16);
    CHECK_BYTES(&a->location.src_mac, &b->location.src_mac, ETH_ADDR_LEN);
    CHECK_EQ(a->has_ts_info, b->has_ts_info);
    CHECK_BYTES(&a->ts_info, &b->ts_info, sizeof a->ts_info);
    CHECK_EQ(a->has_cos, b->has_cos);
    CHECK_BYTES(&a->cos, &b->cos, sizeof a->cos);
    CHECK_EQ(a->has_direct, b->has_direct);
    CHECK_BYTES(&a->direct, &b->direct, sizeof a->direct);
    CHECK_EQ(a->has_padding, b->has_padding);
    CHECK_EQ(a->padding_len, b->padding_len);
    CHECK_EQ(a->has_origin, b->has_origin);
    CHECK_EQ(a->origin.epoch, b->origin.epoch);
    CHECK_EQ(a->origin.known, b->origin.known);
    CHECK_EQ(a->origin.serial, b->origin.serial);
    CHECK_EQ(a->origin.ssid, b->origin.ssid);
    CHECK_EQ(a->origin.answer, b->origin.answer);
    CHECK_EQ(a->origin.src_port, b->origin.src_port);
    CHECK_EQ(a->origin.dst_port, b->origin.dst_port);
    CHECK_BYTES(&a->origin.src_ip, &b->origin.src_ip,
                sizeof a->origin.src_ip);
    CHECK_BYTES(&a->origin.dst_ip, &b->origin.dst_ip,
                sizeof a->origin.dst_ip);
    CHECK_EQ(a->has_report, b->has_report);
    CHECK_EQ(a->report.deaf, b->report.deaf);
    CHECK_EQ(a->report.copy, b->report.copy);
    CHECK_EQ(a->report.n, b->report.n);
    CHECK_EQ(a->report.first, b->report.first);
    CHECK_BYTES(a->report.seqs, b->report.seqs,
                a->report.n * sizeof a->report.seqs[0]);
    CHECK_EQ(a->n_heard, b->n_heard);
    for (size_t i = 0; i < a->n_heard; i++) {
        CHECK_EQ(a->heard[i].ssid, b->heard[i].ssid);
        CHECK_EQ(a->heard[i].seq, b->heard[i].seq);
        CHECK_EQ(a->heard[i].count, b->heard[i].count);
    }
    CHECK_EQ(a->tlvs_refused, b->tlvs_refused);
}

static void
test_round_trip(void)
{
    static uint8_t frame[MAX_SIZE];

    for (int round = 0; round < 10000; round++) {
        const struct fabric_stamp_keys *k = random_range(2) ? &keys : NULL;
        const struct in6_addr *src = random_range(2) ? &ipv4 : &ipv6;
        struct fabric_stamp in = random_stamp();
        size_t size = compose(&in, k, src, frame);
        struct fabric_stamp out;

        if (!in.reflected) {
            CHECK_EQ(fabric_stamp_frame_len(&in, k, src), size);
        }
        if (!in.has_padding) {
            CHECK_TRUE(size <= FABRIC_STAMP_MAX_FRAME);
        }
        CHECK_EQ(parse(frame, size, k, &out), FABRIC_STAMP_OK);
        check_equal(&out, &in);
        CHECK_EQ(fabric_stamp_compose(&in, k, &mac, src, frame, size - 1), 0);
    }
}

/* Whatever a reflector is sent, its answer is as long, and the sender can read
 * it. */
static void
test_answer_length(void)
{
    static uint8_t frame[MAX_SIZE], reply_frame[MAX_SIZE];

    for (int round = 0; round < 20000; round++) {
        const struct fabric_stamp_keys *k = random_range(2) ? &keys : NULL;
        size_t base = PAYLOAD + (k ? 112 : 44);
        struct fabric_stamp in = random_stamp();
        struct fabric_stamp test, out;
        size_t size;

        in.reflected = false;
        size = compose(&in, k, &ipv4, frame);

        /* Change TLVs, or put something behind them. */
        if (random_range(2) && size > base) {
            for (size_t n = random_range(4); n > 0; n--) {
                frame[base + random_range(size - base)] = random_uint32();
            }
        }
        if (random_range(2)) {
            size_t more = random_range(20);

            random_bytes(frame + size, more);
            size += more;
            fabric_put_be16(frame + 16, size - 14);
            fabric_put_be16(frame + 38, size - 34);
        }
        fix_checksums(frame);
        CHECK_EQ(parse(frame, size, k, &test), FABRIC_STAMP_OK);
        CHECK_EQ(answer(frame, size, k, reply_frame), size);
        CHECK_EQ(parse(reply_frame, size, k, &out), FABRIC_STAMP_OK);
        CHECK_TRUE(out.reflected);
        CHECK_EQ(out.sender_seq, in.seq);
        CHECK_EQ(out.tlvs_refused, test.tlvs_refused);
        CHECK_EQ(out.has_direct, test.has_direct);
        CHECK_EQ(out.n_heard, test.n_heard);
    }
}

/* What came out of a reflector, as its sender sees it. */
static void
test_reflect(void)
{
    for (int i = 0; i < 4; i++) {
        const struct fabric_stamp_keys *k = i & 1 ? &keys : NULL;
        const struct in6_addr *src = i & 2 ? &ipv4 : &ipv6;
        struct fabric_stamp in = make_test(true);
        uint8_t frame[MAX_SIZE], reply_frame[MAX_SIZE];
        struct fabric_stamp_reflector r = make_reflector();
        struct fabric_stamp out, test, reply;
        size_t size = compose(&in, k, src, frame);

        CHECK_EQ(answer(frame, size, k, reply_frame), size);
        CHECK_EQ(parse(reply_frame, size, k, &out), FABRIC_STAMP_OK);
        CHECK_FALSE(out.tlvs_refused);
        CHECK_EQ(out.tlv_flags, 0);
        CHECK_EQ(out.rx_timestamp, r.rx);
        CHECK_EQ(out.timestamp, r.tx);
        CHECK_EQ(out.sender_timestamp, in.timestamp);
        CHECK_EQ(out.cos.dscp2, 34);
        CHECK_EQ(out.cos.rp, 0);
        CHECK_EQ(out.direct.s_tx, in.direct.s_tx);
        CHECK_EQ(out.direct.r_rx, r.data_rx);
        CHECK_EQ(out.direct.r_tx, r.data_tx);
        CHECK_EQ(out.location.src_port, 50001);
        CHECK_TRUE(ipv6_addr_equals(&out.location.dst_ip,
                                    &r.location.dst_ip));
        CHECK_EQ(out.heard[0].count, 7);

        /* The DSCP asked for, if permitted. */
        CHECK_EQ(parse(frame, size, k, &test), FABRIC_STAMP_OK);
        CHECK_EQ(fabric_stamp_reflect(&test, &r, &reply), 46);
        r.dscps = 0;
        CHECK_EQ(fabric_stamp_reflect(&test, &r, &reply), 34);
        CHECK_EQ(reply.cos.rp, 1);

        /* A reflector that knows nothing says so. */
        r = (struct fabric_stamp_reflector) { .rx = 1 };
        fabric_stamp_reflect(&test, &r, &reply);
        CHECK_EQ(compose(&reply, k, src, reply_frame), size);
        CHECK_EQ(parse(reply_frame, size, k, &out), FABRIC_STAMP_OK);
        CHECK_EQ(out.tlv_flags, FABRIC_STAMP_TLV_UNRECOGNIZED);
        CHECK_FALSE(out.has_cos || out.has_direct || out.has_location
                    || out.has_ts_info);
        CHECK_EQ(out.n_heard, 2);
        CHECK_EQ(out.padding_len, 13);
    }
}

static void
test_pad(void)
{
    static uint8_t frame[MAX_SIZE];

    for (int i = 0; i < 8; i++) {
        const struct fabric_stamp_keys *k = i & 1 ? &keys : NULL;
        const struct in6_addr *src = i & 2 ? &ipv4 : &ipv6;
        struct fabric_stamp stamp = make_test(i & 4), out;
        size_t bare;

        stamp.has_padding = false;
        bare = fabric_stamp_frame_len(&stamp, k, src);
        for (size_t len = 0; len <= 9216; len++) {
            /* Without other TLVs there is an HMAC TLV to add. */
            size_t min = bare + 4 + (k && !(i & 4) ? 20 : 0);
            bool ok = fabric_stamp_pad(&stamp, k, src, len);

            CHECK_EQ(ok, len == bare || len >= min);
            CHECK_EQ(stamp.has_padding, ok && len != bare);
            if (ok && (len < 300 || len % 64 == 0)) {
                CHECK_EQ(compose(&stamp, k, src, frame), len);
                CHECK_EQ(parse(frame, len, k, &out), FABRIC_STAMP_OK);
                CHECK_FALSE(out.tlvs_refused);
                CHECK_EQ(out.padding_len, stamp.padding_len);
            }
        }
        CHECK_FALSE(fabric_stamp_pad(&stamp, k, src, 65536 + 14));
        CHECK_TRUE(fabric_stamp_pad(&stamp, k, src, 65535 + 14));
        CHECK_EQ(compose(&stamp, k, src, frame), 0);
    }
}

static void
test_keys(void)
{
    struct fabric_stamp_keys first = keys, second = keys, wrong = keys;
    struct fabric_stamp_keys none = { .n = 0 }, exchanged;
    struct fabric_stamp in = make_test(true), out;
    uint8_t frame[MAX_SIZE], reply_frame[MAX_SIZE];
    size_t size;

    first.n = second.n = wrong.n = 1;
    second.keys[0] = keys.keys[1];
    wrong.keys[0].key[9] ^= 1;
    exchanged = second;
    exchanged.n = 2;
    exchanged.keys[1] = keys.keys[0];

    size = compose(&in, &keys, &ipv4, frame);
    CHECK_EQ(parse(frame, size, &keys, &out), FABRIC_STAMP_OK);
    CHECK_EQ(out.key, 0);
    CHECK_EQ(parse(frame, size, &first, &out), FABRIC_STAMP_OK);
    CHECK_EQ(parse(frame, size, &exchanged, &out), FABRIC_STAMP_OK);
    CHECK_EQ(out.key, 1);
    CHECK_FALSE(out.tlvs_refused);
    CHECK_EQ(parse(frame, size, &second, &out), FABRIC_STAMP_BAD_AUTH);
    CHECK_EQ(parse(frame, size, &wrong, &out), FABRIC_STAMP_BAD_AUTH);

    /* The answer has the key of the question, whichever the reflector sends
     * its own test packets with. */
    CHECK_EQ(answer(frame, size, &exchanged, reply_frame), size);
    CHECK_EQ(parse(reply_frame, size, &first, &out), FABRIC_STAMP_OK);
    CHECK_FALSE(out.tlvs_refused);

    /* Modes do not mix. */
    CHECK_EQ(parse(frame, size, NULL, &out), FABRIC_STAMP_BAD_AUTH);
    CHECK_EQ(parse(frame, size, &none, &out), FABRIC_STAMP_BAD_AUTH);
    for (int all = 0; all < 2; all++) {
        in = make_test(all);
        size = compose(&in, &none, &ipv4, frame);
        CHECK_EQ(parse(frame, size, NULL, &out), FABRIC_STAMP_OK);
        CHECK_EQ(parse(frame, size, &keys, &out), FABRIC_STAMP_BAD_AUTH);
    }
}

/* Of every length short of the whole. */
static void
test_truncated(void)
{
    for (int i = 0; i < 8; i++) {
        const struct fabric_stamp_keys *k = i & 1 ? &keys : NULL;
        struct fabric_stamp in = make_test(i & 2), out;
        uint8_t frame[MAX_SIZE], reply_frame[MAX_SIZE];
        size_t base = PAYLOAD + (k ? 112 : 44);
        size_t size;

        in.reflected = i & 4;
        size = compose(&in, k, &ipv4, frame);
        for (size_t n = 0; n < size; n++) {
            CHECK_EQ(parse(frame, n, k, &out),
                     (n < ETH_HEADER_LEN
                      ? FABRIC_STAMP_NOT_STAMP : FABRIC_STAMP_MALFORMED));
        }

        /* With the lengths of the headers right. */
        for (size_t n = PAYLOAD; n < size; n++) {
            fabric_put_be16(frame + 16, n - 14);
            fabric_put_be16(frame + 38, n - 34);
            fix_checksums(frame);
            CHECK_EQ(parse(frame, n, k, &out),
                     (n >= base ? FABRIC_STAMP_OK
                      : n < PAYLOAD + 44 ? FABRIC_STAMP_MALFORMED
                      : FABRIC_STAMP_BAD_AUTH));
            if (k && n >= base) {
                CHECK_EQ(out.tlvs_refused, n != base);
            }
            if (!in.reflected && n >= base) {
                CHECK_EQ(answer(frame, n, k, reply_frame), n);
            }
        }
    }
}

/* No bit of an authenticated packet can be changed, even by who makes the
 * checksums right: one of the base packet makes it BAD_AUTH, one of the TLVs
 * makes all of them refused.  The flags of the HMAC TLV are not part of what
 * it covers. */
static void
test_flipped(void)
{
    for (int i = 0; i < 4; i++) {
        struct fabric_stamp in = make_test(i & 1), out;
        uint8_t frame[MAX_SIZE];
        size_t size;

        in.reflected = i & 2;
        size = compose(&in, &keys, &ipv4, frame);
        for (size_t bit = PAYLOAD * 8; bit < size * 8; bit++) {
            if (i & 1 && bit / 8 == size - 20) {
                continue;
            }
            frame[bit / 8] ^= 1u << bit % 8;
            fix_checksums(frame);
            if (bit / 8 < PAYLOAD + 112) {
                CHECK_EQ(parse(frame, size, &keys, &out),
                         FABRIC_STAMP_BAD_AUTH);
            } else {
                CHECK_EQ(parse(frame, size, &keys, &out), FABRIC_STAMP_OK);
                CHECK_TRUE(out.tlvs_refused);
                CHECK_FALSE(out.has_location || out.has_ts_info || out.has_cos
                            || out.has_direct || out.n_heard
                            || out.has_padding);
            }
            frame[bit / 8] ^= 1u << bit % 8;
        }
    }
}

/* An answer to a test packet whose TLVs are not authentic says so. */
static void
test_refused(void)
{
    struct fabric_stamp in = make_test(true), out;
    uint8_t frame[MAX_SIZE], reply_frame[MAX_SIZE];
    size_t size = compose(&in, &keys, &ipv4, frame);

    frame[size - 1] ^= 1;
    fix_checksums(frame);
    CHECK_EQ(answer(frame, size, &keys, reply_frame), size);
    CHECK_EQ(parse(reply_frame, size, &keys, &out), FABRIC_STAMP_OK);
    CHECK_TRUE(out.tlvs_refused);
    CHECK_EQ(out.tlv_flags, FABRIC_STAMP_TLV_INTEGRITY);
    CHECK_FALSE(out.has_direct);
}

/* Other users of the MAC. */
static void
test_results(void)
{
    static const struct {
        size_t ofs;
        uint8_t value;
        enum fabric_stamp_result result;
    } changes[] = {
        { 0, 0x02, FABRIC_STAMP_NOT_STAMP },    /* Destination MAC. */
        { 12, 0x88, FABRIC_STAMP_NOT_STAMP },   /* Ethertype. */
        { 14, 0x65, FABRIC_STAMP_MALFORMED },   /* IP version. */
        { 22, 254, FABRIC_STAMP_MALFORMED },    /* TTL. */
        { 23, 6, FABRIC_STAMP_NOT_STAMP },      /* Protocol. */
        { 30, 10, FABRIC_STAMP_MALFORMED },     /* Destination. */
        { 37, 200, FABRIC_STAMP_NOT_STAMP },    /* Destination port. */
        { 39, 51, FABRIC_STAMP_MALFORMED },     /* UDP length. */
    };

    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        struct fabric_stamp in = make_test(false), out;
        uint8_t frame[MAX_SIZE];
        size_t size = compose(&in, NULL, &ipv4, frame);

        frame[changes[i].ofs] = changes[i].value;
        fix_checksums(frame);
        CHECK_EQ(parse(frame, size, NULL, &out), changes[i].result);
    }
}

/* Comparison with stamp_vectors.py. */

static void
print_frame(const char *name, const char *mode, const uint8_t *frame,
            size_t size)
{
    printf("%s %s ", name, mode);
    for (size_t i = 0; i < size; i++) {
        printf("%02x", frame[i]);
    }
    putchar('\n');
}

static void
print_composed(void)
{
    for (int i = 0; i < 8; i++) {
        const struct fabric_stamp_keys *k = i & 2 ? &keys : NULL;
        struct fabric_stamp stamp = make_test(i & 1);
        uint8_t frame[MAX_SIZE];
        size_t size = compose(&stamp, k, i & 4 ? &ipv6 : &ipv4, frame);

        print_frame(i & 1 ? "all" : "none", k ? "auth" : "plain", frame,
                    size);
    }
}

/* Answers each line of the standard input. */
static void
print_answers(void)
{
    struct ds line = DS_EMPTY_INITIALIZER;

    while (!ds_get_line(&line, stdin)) {
        uint8_t frame[MAX_SIZE], reply_frame[MAX_SIZE];
        char *save_ptr = NULL;
        char *name = strtok_r(ds_cstr(&line), " ", &save_ptr);
        char *mode = strtok_r(NULL, " ", &save_ptr);
        char *hex = strtok_r(NULL, " ", &save_ptr);
        size_t size = strlen(hex) / 2;

        CHECK_TRUE(size <= sizeof frame);
        for (size_t i = 0; i < size; i++) {
            bool ok;

            frame[i] = hexits_value(hex + 2 * i, 2, &ok);
            CHECK_TRUE(ok);
        }
        size = answer(frame, size, !strcmp(mode, "auth") ? &keys : NULL,
                      reply_frame);
        print_frame(name, mode, reply_frame, size);
    }
    ds_destroy(&line);
}

static void
test_fabric_stamp_tlv_main(int argc, char *argv[])
{
    random_set_seed(1);
    init();
    if (argc > 1 && !strcmp(argv[1], "compose")) {
        print_composed();
        return;
    } else if (argc > 1 && !strcmp(argv[1], "answer")) {
        print_answers();
        return;
    }

    CHECK_PROPERTY(test_round_trip);
    CHECK_PROPERTY(test_answer_length);
    CHECK_PROPERTY(test_reflect);
    CHECK_PROPERTY(test_pad);
    CHECK_PROPERTY(test_keys);
    CHECK_PROPERTY(test_truncated);
    CHECK_PROPERTY(test_flipped);
    CHECK_PROPERTY(test_refused);
    CHECK_PROPERTY(test_results);
    putchar('\n');
}

OVSTEST_REGISTER("test-fabric-stamp-tlv", test_fabric_stamp_tlv_main);
