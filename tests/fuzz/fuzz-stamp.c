/* SPDX-License-Identifier: Apache-2.0 */

/* Fuzzes STAMP packets.  Input: a byte of bits that choose, then a frame to
 * parse or the fields of a packet to compose. */

#include <config.h>
#include "fabric-stamp.h"

#include "csum.h"
#include "fabric-bytes.h"
#include "fabric-stamp-auth.h"
#include "fuzz.h"
#include "util.h"

enum {
    FUZZ_COMPOSE = 1 << 0,
    FUZZ_KEYS = 1 << 1,         /* Authenticated mode. */
    FUZZ_SIGN = 1 << 2,         /* Make the HMACs of the frame right. */
    FUZZ_IGNORANT = 1 << 3,     /* The reflector knows nothing. */
};

#define MAX_SIZE 65536

/* As in make-seeds.py. */
static const struct fabric_stamp_keys keys = {
    .n = 2,
    .keys = { { .key = "an old key", .len = 10 }, { .key = "k", .len = 1 } },
};

static bool
heard_equal(const struct fabric_stamp *a, const struct fabric_stamp *b)
{
    for (size_t i = 0; i < a->n_heard; i++) {
        if (a->heard[i].ssid != b->heard[i].ssid
            || a->heard[i].seq != b->heard[i].seq
            || a->heard[i].count != b->heard[i].count) {
            return false;
        }
    }
    return true;
}

static bool
report_equal(const struct fabric_stamp *a, const struct fabric_stamp *b)
{
    const struct fabric_stamp_report *x = &a->report, *y = &b->report;

    return (a->has_report == b->has_report
            && x->deaf == y->deaf && x->copy == y->copy
            && x->n == y->n && x->first == y->first
            && !memcmp(x->seqs, y->seqs, x->n * sizeof x->seqs[0]));
}

static bool
origin_equal(const struct fabric_stamp *a, const struct fabric_stamp *b)
{
    const struct fabric_stamp_origin *x = &a->origin, *y = &b->origin;

    return (a->has_origin == b->has_origin
            && x->epoch == y->epoch && x->known == y->known
            && x->serial == y->serial && x->ssid == y->ssid
            && x->answer == y->answer
            && x->src_port == y->src_port && x->dst_port == y->dst_port
            && !memcmp(&x->src_ip, &y->src_ip, sizeof x->src_ip)
            && !memcmp(&x->dst_ip, &y->dst_ip, sizeof x->dst_ip));
}

/* Are all values that a test packet has, or an answer, the same? */
static bool
stamp_equal(const struct fabric_stamp *a, const struct fabric_stamp *b)
{
    return (a->reflected == b->reflected
            && a->seq == b->seq
            && a->timestamp == b->timestamp
            && a->error_estimate == b->error_estimate
            && a->ssid == b->ssid
            && a->has_location == b->has_location
            && a->has_ts_info == b->has_ts_info
            && a->has_cos == b->has_cos
            && a->cos.dscp1 == b->cos.dscp1
            && a->has_direct == b->has_direct
            && a->direct.s_tx == b->direct.s_tx
            && a->has_padding == b->has_padding
            && a->padding_len == b->padding_len
            && a->n_heard == b->n_heard
            && report_equal(a, b)
            && origin_equal(a, b)
            && (!a->reflected
                || (a->rx_timestamp == b->rx_timestamp
                    && a->sender_seq == b->sender_seq
                    && a->sender_timestamp == b->sender_timestamp
                    && a->sender_error_estimate == b->sender_error_estimate
                    && a->sender_ttl == b->sender_ttl
                    && a->location.src_port == b->location.src_port
                    && a->location.dst_port == b->location.dst_port
                    && !memcmp(&a->ts_info, &b->ts_info, sizeof a->ts_info)
                    && a->cos.dscp2 == b->cos.dscp2
                    && a->cos.ecn == b->cos.ecn
                    && a->cos.rp == b->cos.rp
                    && a->direct.r_rx == b->direct.r_rx
                    && a->direct.r_tx == b->direct.r_tx
                    && heard_equal(a, b))));
}

/* Composes 'stamp' from its members alone and parses it. */
static void
check_round_trip(const struct fabric_stamp *stamp_,
                 const struct fabric_stamp_keys *k,
                 const struct in6_addr *src)
{
    static uint8_t frame[MAX_SIZE];
    struct fabric_stamp stamp = *stamp_;
    struct fabric_stamp again;
    size_t size;

    stamp.echo_len = 0;
    stamp.tlvs_refused = false;
    size = fabric_stamp_compose(&stamp, k, &fabric_stamp_mac, src, frame,
                                sizeof frame);
    FUZZ_CHECK(size && size <= sizeof frame);
    FUZZ_CHECK(stamp.has_padding || size <= FABRIC_STAMP_MAX_FRAME);
    FUZZ_CHECK(fabric_stamp_is_probe(frame, size));
    FUZZ_CHECK(fabric_stamp_seems_reflected(frame, size) == stamp.reflected);
    FUZZ_CHECK(!fabric_stamp_compose(&stamp, k, &fabric_stamp_mac, src, frame,
                                     size - 1));
    FUZZ_CHECK(fabric_stamp_parse(frame, size, k, &again) == FABRIC_STAMP_OK);
    FUZZ_CHECK(stamp_equal(&stamp, &again));
    FUZZ_CHECK(!again.tlvs_refused);
}

static void
sign(const struct fabric_stamp_message *m, uint8_t *to)
{
    FUZZ_CHECK(fabric_stamp_mac_compute(&keys.keys[0], m, to));
}

/* Makes right what the fuzzer could not guess: the IPv4 checksum, no UDP
 * checksum and, if 'hmac', the HMAC of the base packet and that of a TLV at
 * the end. */
static void
fix_frame(uint8_t *frame, size_t size, bool hmac)
{
    size_t ip_len, base;
    ovs_be16 sum;

    if (size < 14 + 20 + 8 || fabric_get_be16(frame + 12) != ETH_TYPE_IP) {
        return;
    }
    ip_len = IP_IHL(frame[14]) * 4;
    base = 14 + ip_len + 8;
    if (base > size) {
        return;
    }
    if (hmac && base + FABRIC_STAMP_AUTH_LEN <= size) {
        struct fabric_stamp_message m = { { frame + base }, { 96 } };
        size_t tlvs = base + FABRIC_STAMP_AUTH_LEN;

        sign(&m, frame + base + 96);
        if (tlvs + 20 <= size) {
            m = (struct fabric_stamp_message) {
                { frame + base, frame + tlvs }, { 4, size - 20 - tlvs },
            };
            sign(&m, frame + size - 16);
        }
    }
    fabric_put_be16(frame + 24, 0);
    sum = csum(frame + 14, ip_len);
    memcpy(frame + 24, &sum, sizeof sum);
    fabric_put_be16(frame + 14 + ip_len + 6, 0);
}

/* The answer to 'test', which came in 'frame'. */
static void
check_reflect(const struct fabric_stamp *test,
              const struct fabric_stamp_keys *k, bool ignorant,
              const uint8_t *frame, size_t size)
{
    struct fabric_stamp_reflector reflector = {
        .rx = 2,
        .tx = 3,
        .error_estimate = FABRIC_STAMP_ERROR_ESTIMATE,
        .ttl = 1,
        .has_ts_info = !ignorant,
        .ts_info = { 1, 2, 3, 4 },
        .has_cos = !ignorant,
        .dscp = 46,
        .ecn = 3,
        .dscps = 0xff,
        .has_direct = !ignorant,
        .data_rx = 5,
        .data_tx = 6,
        .has_location = !ignorant,
        .location = { .src_port = 7, .dst_port = 8 },
    };
    struct fabric_stamp reply, again;
    struct in6_addr src = in6addr_loopback;
    uint8_t *answer = xmalloc(size);
    size_t answer_size;
    uint8_t dscp;

    dscp = fabric_stamp_reflect(test, &reflector, &reply);
    FUZZ_CHECK(dscp == 46 || (reply.has_cos && dscp == reply.cos.dscp1));
    for (size_t i = 0; i < reply.n_heard; i++) {
        reply.heard[i] = (struct fabric_stamp_heard) { i, i, i };
    }
    for (size_t i = 0; i < reply.report.n; i++) {
        reply.report.seqs[i] = i;
    }
    reply.report.first = reply.report.n;
    reply.report.copy = reply.has_report;
    if (fabric_get_be16(frame + 12) == ETH_TYPE_IP) {
        in6_addr_set_mapped_ipv4(&src, htonl(0x0a000001));
    }

    /* It is not longer than the question. */
    answer_size = fabric_stamp_compose(&reply, k, &fabric_stamp_mac, &src,
                                       answer, size);
    FUZZ_CHECK(answer_size);
    FUZZ_CHECK(fabric_stamp_parse(answer, answer_size, k, &again)
               == FABRIC_STAMP_OK);
    FUZZ_CHECK(again.reflected && !again.echo_len);
    FUZZ_CHECK(again.seq == test->seq && again.sender_seq == test->seq);
    FUZZ_CHECK(again.sender_timestamp == test->timestamp);
    FUZZ_CHECK(again.tlvs_refused == test->tlvs_refused);
    FUZZ_CHECK(again.n_heard == test->n_heard && heard_equal(&again, &reply));
    FUZZ_CHECK(report_equal(&again, &reply));
    FUZZ_CHECK(again.has_location == reply.has_location
               && again.has_ts_info == reply.has_ts_info
               && again.has_cos == reply.has_cos
               && again.has_direct == reply.has_direct
               && again.padding_len == test->padding_len);
    free(answer);
}

static void
fuzz_parse(uint8_t choice, uint8_t *frame, size_t size)
{
    const struct fabric_stamp_keys *k = choice & FUZZ_KEYS ? &keys : NULL;
    struct fabric_stamp stamp;

    fabric_stamp_seems_reflected(frame, size);
    if (fabric_stamp_parse(frame, size, k, &stamp) != FABRIC_STAMP_OK) {
        fix_frame(frame, size, k && choice & FUZZ_SIGN);
        if (fabric_stamp_parse(frame, size, k, &stamp) != FABRIC_STAMP_OK) {
            return;
        }
    }
    FUZZ_CHECK(fabric_stamp_is_probe(frame, size));
    FUZZ_CHECK(!stamp.reflected || !stamp.echo_len);
    if (!stamp.reflected) {
        check_reflect(&stamp, k, choice & FUZZ_IGNORANT, frame, size);
    }
    check_round_trip(&stamp, k, &in6addr_loopback);
}

static void
fuzz_compose(uint8_t choice, const uint8_t *data, size_t size)
{
    const struct fabric_stamp_keys *k = choice & FUZZ_KEYS ? &keys : NULL;
    uint8_t fields[16 + FABRIC_STAMP_LEN + 24] = { 0 };
    struct fabric_stamp stamp = { .n_heard = 0 };
    const uint8_t *p = fields + 16, *q = p + FABRIC_STAMP_LEN;
    struct in6_addr src;

    memcpy(fields, data, MIN(size, sizeof fields));
    memcpy(&src, fields, sizeof src);
    stamp.seq = fabric_get_be32(p);
    stamp.timestamp = fabric_get_be64(p + 4);
    stamp.error_estimate = fabric_get_be16(p + 12) | 1;
    stamp.ssid = fabric_get_be16(p + 14);
    stamp.has_location = q[0] & 1;
    stamp.has_ts_info = q[0] & 2;
    stamp.has_cos = q[0] & 4;
    stamp.has_direct = q[0] & 8;
    stamp.has_padding = q[0] & 16;
    stamp.has_report = q[0] & 32;
    if (stamp.has_report) {
        stamp.report.deaf = q[0] & 64;
        stamp.report.n = q[4] % (FABRIC_STAMP_MAX_REPORT + 1);
        stamp.report.first = fabric_get_be16(q + 5);
        memset(stamp.report.seqs, q[7], stamp.report.n * 4);
    }
    stamp.padding_len = stamp.has_padding ? fabric_get_be16(q + 1) / 8 : 0;
    stamp.n_heard = q[3] % (FABRIC_STAMP_MAX_HEARD + 1);
    stamp.cos.dscp1 = stamp.has_cos ? q[4] & 63 : 0;
    stamp.direct.s_tx = stamp.has_direct ? fabric_get_be32(q + 5) : 0;
    check_round_trip(&stamp, k, &src);

    stamp.reflected = true;
    stamp.rx_timestamp = fabric_get_be64(p + 16);
    stamp.sender_seq = fabric_get_be32(p + 24);
    stamp.sender_timestamp = fabric_get_be64(p + 28);
    stamp.sender_error_estimate = fabric_get_be16(p + 36);
    stamp.sender_ttl = p[40];
    if (stamp.has_direct) {
        stamp.direct.r_rx = fabric_get_be32(q + 9);
        stamp.direct.r_tx = fabric_get_be32(q + 13);
    }
    if (stamp.n_heard) {
        stamp.heard[0].ssid = fabric_get_be16(q + 17);
        stamp.heard[0].count = fabric_get_be32(q + 19);
    }
    check_round_trip(&stamp, k, &src);

    /* A time that the conversion can hold, 1970 to 2106. */
    uint64_t ns = stamp.timestamp % (UINT64_C(1000000000) << 32);
    FUZZ_CHECK(fabric_stamp_ts_to_ns(fabric_stamp_ts_from_ns(ns)) == ns);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *reason;
    uint8_t choice;

    if (!size) {
        return 0;
    }
    choice = data[0];
    if (!fabric_stamp_auth_supported(&reason)) {
        choice &= ~FUZZ_KEYS;
    }
    if (choice & FUZZ_COMPOSE) {
        fuzz_compose(choice, data + 1, size - 1);
    } else {
        uint8_t *frame = xmemdup(data + 1, size - 1);

        fuzz_parse(choice, frame, size - 1);
        free(frame);
    }
    return 0;
}
