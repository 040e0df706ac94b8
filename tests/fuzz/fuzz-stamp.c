/* SPDX-License-Identifier: Apache-2.0 */

/* Fuzzes STAMP packets.  Input: a byte that chooses, then a frame to parse or,
 * if the byte is odd, the fields of a packet to compose. */

#include <config.h>
#include "fabric-stamp.h"

#include "csum.h"
#include "fabric-bytes.h"
#include "fuzz.h"
#include "util.h"

static bool
heard_equal(const struct fabric_stamp *a, const struct fabric_stamp *b)
{
    for (size_t i = 0; i < a->n_heard; i++) {
        if (a->heard[i].ssid != b->heard[i].ssid
            || a->heard[i].seq != b->heard[i].seq) {
            return false;
        }
    }
    return true;
}

static bool
stamp_equal(const struct fabric_stamp *a, const struct fabric_stamp *b)
{
    return (a->reflected == b->reflected
            && a->seq == b->seq
            && a->timestamp == b->timestamp
            && a->error_estimate == b->error_estimate
            && a->ssid == b->ssid
            && a->n_heard == b->n_heard
            && heard_equal(a, b)
            && a->rx_timestamp == b->rx_timestamp
            && a->sender_seq == b->sender_seq
            && a->sender_timestamp == b->sender_timestamp
            && a->sender_error_estimate == b->sender_error_estimate
            && a->sender_ttl == b->sender_ttl);
}

static void
check_round_trip(const struct fabric_stamp *stamp, const struct in6_addr *src)
{
    uint8_t frame[FABRIC_STAMP_MAX_FRAME];
    struct fabric_stamp again;
    size_t size;

    size = fabric_stamp_compose(stamp, &fabric_stamp_mac, src, frame);
    FUZZ_CHECK(size <= sizeof frame);
    FUZZ_CHECK(fabric_stamp_is_probe(frame, size));
    FUZZ_CHECK(fabric_stamp_parse(frame, size, &again));
    FUZZ_CHECK(stamp_equal(stamp, &again));
}

/* Makes the IPv4 checksum right and leaves out UDP's, so that the fuzzer gets
 * beyond them. */
static void
fix_checksums(uint8_t *frame, size_t size)
{
    if (size >= 14 + 20 + 8 && fabric_get_be16(frame + 12) == ETH_TYPE_IP) {
        size_t ip_len = IP_IHL(frame[14]) * 4;

        if (14 + ip_len + 8 <= size) {
            ovs_be16 sum;

            fabric_put_be16(frame + 24, 0);
            sum = csum(frame + 14, ip_len);
            memcpy(frame + 24, &sum, sizeof sum);
            fabric_put_be16(frame + 14 + ip_len + 6, 0);
        }
    }
}

static void
fuzz_parse(uint8_t *frame, size_t size)
{
    struct fabric_stamp stamp, reply;

    if (!fabric_stamp_parse(frame, size, &stamp)) {
        fix_checksums(frame, size);
        if (!fabric_stamp_parse(frame, size, &stamp)) {
            return;
        }
    }
    FUZZ_CHECK(fabric_stamp_is_probe(frame, size));
    check_round_trip(&stamp, &in6addr_loopback);

    fabric_stamp_reflect(&stamp, 1, 2, 3, &reply);
    FUZZ_CHECK(reply.reflected);
    FUZZ_CHECK(reply.seq == stamp.seq && reply.sender_seq == stamp.seq);
    FUZZ_CHECK(reply.sender_timestamp == stamp.timestamp);
    check_round_trip(&reply, &in6addr_loopback);
}

static void
fuzz_compose(const uint8_t *data, size_t size)
{
    struct fabric_stamp stamp = {
        .n_heard = size % (FABRIC_STAMP_MAX_HEARD + 1),
    };
    uint8_t fields[16 + FABRIC_STAMP_LEN] = { 0 };
    struct in6_addr src;
    const uint8_t *p = fields + 16;

    memcpy(fields, data, MIN(size, sizeof fields));
    memcpy(&src, fields, sizeof src);
    stamp.seq = fabric_get_be32(p);
    stamp.timestamp = fabric_get_be64(p + 4);
    stamp.error_estimate = fabric_get_be16(p + 12);
    stamp.ssid = fabric_get_be16(p + 14);
    check_round_trip(&stamp, &src);

    stamp.reflected = true;
    stamp.rx_timestamp = fabric_get_be64(p + 16);
    stamp.sender_seq = fabric_get_be32(p + 24);
    stamp.sender_timestamp = fabric_get_be64(p + 28);
    stamp.sender_error_estimate = fabric_get_be16(p + 36);
    stamp.sender_ttl = p[40];
    check_round_trip(&stamp, &src);

    /* A time that the conversion can hold, 1970 to 2106. */
    uint64_t ns = stamp.timestamp % (UINT64_C(1000000000) << 32);
    FUZZ_CHECK(fabric_stamp_ts_to_ns(fabric_stamp_ts_from_ns(ns)) == ns);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size) {
        return 0;
    }
    if (data[0] & 1) {
        fuzz_compose(data + 1, size - 1);
    } else {
        uint8_t *frame = xmemdup(data + 1, size - 1);

        fuzz_parse(frame, size - 1);
        free(frame);
    }
    return 0;
}
