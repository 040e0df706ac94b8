/* SPDX-License-Identifier: Apache-2.0 */

/* Fuzzes segmentation and coalescing.  Input: a byte of flags and two of
 * segment size; with flag 1 the rest is a packet of TCP to segment, with flag
 * 4 one of UDP, otherwise records of two bytes of length and a frame, which
 * are coalesced.  With flag 2 the frames get right checksums first. */

#include <config.h>
#include "fabric-gso.h"

#include "csum.h"
#include "dp-packet.h"
#include "fabric-bytes.h"
#include "fuzz.h"
#include "packets.h"
#include "util.h"

enum { FLAG_SPLIT = 1, FLAG_FIX_CHECKSUMS = 2, FLAG_SPLIT_UDP = 4 };

#define HEADROOM 128
#define MAX_FRAMES 64

/* Frames that became part of a super-frame. */
struct joined {
    const uint8_t *frames[MAX_FRAMES];
    size_t n;
};

static void
put_csum(uint8_t *p, ovs_be16 sum)
{
    memcpy(p, &sum, sizeof sum);
}

/* Makes the checksums of an untagged TCP frame right if there is one. */
static void
fix_checksums(uint8_t *frame, size_t size)
{
    uint16_t eth_type = size >= 14 ? fabric_get_be16(frame + 12) : 0;
    size_t l4_ofs, l4_len;
    uint32_t sum;

    if (eth_type == ETH_TYPE_IP && size >= 14 + 20) {
        l4_ofs = 14 + IP_IHL(frame[14]) * 4;
        l4_len = 14 + fabric_get_be16(frame + 16) - l4_ofs;
        if (l4_ofs < 34 || l4_len > size - MIN(l4_ofs, size)) {
            return;
        }
        put_csum(frame + 24, 0);
        put_csum(frame + 24, csum(frame + 14, l4_ofs - 14));
        sum = csum_continue(0, frame + 26, 8);
    } else if (eth_type == ETH_TYPE_IPV6 && size >= 14 + 40) {
        l4_ofs = 54;
        l4_len = fabric_get_be16(frame + 18);
        if (l4_len > size - l4_ofs) {
            return;
        }
        sum = csum_continue(0, frame + 22, 32);
    } else {
        return;
    }

    if (l4_len >= TCP_HEADER_LEN) {
        sum = csum_add16(csum_add16(sum, htons(IPPROTO_TCP)), htons(l4_len));
        put_csum(frame + l4_ofs + 16, 0);
        put_csum(frame + l4_ofs + 16,
                 csum_finish(csum_continue(sum, frame + l4_ofs, l4_len)));
    }
}

/* A checksum of all ones is as good as zero (RFC 1624 section 3), which is
 * what segmentation writes. */
static void
normalize_csum(uint8_t *p)
{
    if (fabric_get_be16(p) == UINT16_MAX) {
        fabric_put_be16(p, 0);
    }
}

/* Are 'headers' those of 'frame'? */
static bool
same_headers(const struct fabric_gso *gso, const uint8_t *headers,
             const uint8_t *frame)
{
    uint8_t copy[FABRIC_GSO_MAX_HEADERS];

    memcpy(copy, frame, gso->headers_len);
    normalize_csum(copy + gso->l4_ofs + 16);
    if (gso->is_ipv4) {
        normalize_csum(copy + gso->l3_ofs + 10);
    }
    return !memcmp(headers, copy, gso->headers_len);
}

/* Segments 'packet'.  With 'joined', the segments must be those frames. */
static void
check_split(const struct dp_packet *packet, const struct joined *joined,
            bool fixed_id)
{
    size_t headroom = dp_packet_headroom(packet);
    const uint8_t *payload;
    struct fabric_gso gso;
    size_t total = 0;

    if (!fabric_gso_init(&gso, packet)) {
        FUZZ_CHECK(!joined);
        return;
    }
    FUZZ_CHECK(gso.headers_len <= FABRIC_GSO_MAX_HEADERS);
    FUZZ_CHECK(gso.headers_len + gso.payload_len <= dp_packet_size(packet));
    FUZZ_CHECK(!joined || gso.n_segs == joined->n);

    payload = (const uint8_t *) dp_packet_data(packet) + gso.headers_len;
    for (size_t i = 0; i < gso.n_segs; i++) {
        size_t max_size = gso.headers_len + MIN(gso.segsz, gso.payload_len);
        uint8_t *segment = xmalloc(max_size);
        size_t size = fabric_gso_segment(&gso, packet, i, segment);
        size_t len = size - gso.headers_len;

        FUZZ_CHECK(size >= gso.headers_len && size <= max_size);
        FUZZ_CHECK(len || gso.n_segs == 1);
        FUZZ_CHECK(!memcmp(segment + gso.headers_len, payload + total, len));
        if (joined) {
            const uint8_t *frame = joined->frames[i];

            FUZZ_CHECK(fixed_id || same_headers(&gso, segment, frame));
            FUZZ_CHECK(!memcmp(payload + total, frame + gso.headers_len,
                               len));
        }
        free(segment);
        total += len;
    }
    FUZZ_CHECK(total == gso.payload_len);
    FUZZ_CHECK(dp_packet_headroom(packet) == headroom);
}

static void
finish(struct fabric_gro *gro, const struct joined *joined)
{
    size_t n_segs = gro->n_segs;
    size_t segsz = gro->segsz;
    bool fixed_id = gro->is_ipv4 && gro->fixed_id;
    struct dp_packet *packet = fabric_gro_finish(gro);

    FUZZ_CHECK(!gro->packet && !gro->n_segs);
    FUZZ_CHECK(!packet == !joined->n);
    if (!packet) {
        return;
    }
    FUZZ_CHECK(n_segs == joined->n);
    FUZZ_CHECK(dp_packet_size(packet) <= UINT16_MAX - HEADROOM);
    FUZZ_CHECK(dp_packet_headroom(packet) == HEADROOM);
    FUZZ_CHECK(dp_packet_get_tso_segsz(packet) == (n_segs > 1 ? segsz : 0));
    FUZZ_CHECK(dp_packet_l4_checksum_partial(packet) == (n_segs > 1));
    if (n_segs == 1) {
        FUZZ_CHECK(!memcmp(dp_packet_data(packet), joined->frames[0],
                           dp_packet_size(packet)));
    } else {
        check_split(packet, joined, fixed_id);
    }
    dp_packet_delete(packet);
}

static void
fuzz_join(uint8_t *data, size_t size, bool fix, size_t hint)
{
    struct fabric_gro gro = { .size_hint = hint };
    struct joined joined = { .n = 0 };

    while (size >= 2) {
        size_t len = MIN(fabric_get_be16(data), size - 2);
        uint8_t *frame = data + 2;
        struct fabric_gro before = gro;
        size_t old_size = gro.packet ? dp_packet_size(gro.packet) : 0;

        if (fix) {
            fix_checksums(frame, len);
        }
        if (joined.n == MAX_FRAMES
            || !fabric_gro_append(&gro, frame, len, HEADROOM)) {
            FUZZ_CHECK(!memcmp(&before, &gro, sizeof gro));
            FUZZ_CHECK(!gro.packet
                       || dp_packet_size(gro.packet) == old_size);
            finish(&gro, &joined);
            joined.n = 0;
            if (!fabric_gro_append(&gro, frame, len, HEADROOM)) {
                FUZZ_CHECK(!gro.packet);
            }
        }
        if (gro.packet) {
            FUZZ_CHECK(dp_packet_size(gro.packet) > old_size
                       || gro.n_segs == 1);
            joined.frames[joined.n++] = frame;
        }
        data += 2 + len;
        size -= 2 + len;
    }
    finish(&gro, &joined);
}

static void
fuzz_split_udp(const uint8_t *data, size_t size, size_t segsz)
{
    struct dp_packet *packet;
    size_t left = size;

    if (!fabric_gso_is_udp(data, size, segsz)) {
        return;
    }
    for (size_t i = 0; (packet = fabric_gso_udp_segment(data, size, segsz, i,
                                                        HEADROOM)); i++) {
        size_t headers_len = dp_packet_size(packet) - MIN(left, segsz);

        if (!i) {
            left -= headers_len = dp_packet_size(packet) - segsz;
        }
        FUZZ_CHECK(dp_packet_size(packet) == headers_len + MIN(left, segsz));
        FUZZ_CHECK(!memcmp((uint8_t *) dp_packet_data(packet) + headers_len,
                           data + size - left, MIN(left, segsz)));
        left -= MIN(left, segsz);
        dp_packet_delete(packet);
    }
    FUZZ_CHECK(!left);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t flags;
    uint16_t segsz;

    if (size < 3) {
        return 0;
    }
    flags = data[0];
    segsz = fabric_get_be16(data + 1);
    if (flags & FLAG_SPLIT) {
        struct dp_packet packet;

        dp_packet_use_const(&packet, data + 3, MIN(size - 3, UINT16_MAX));
        dp_packet_set_tso_segsz(&packet, segsz);
        check_split(&packet, NULL, false);
    } else if (flags & FLAG_SPLIT_UDP) {
        fuzz_split_udp(data + 3, MIN(size - 3, UINT16_MAX), segsz);
    } else {
        uint8_t *copy = xmemdup(data + 3, size - 3);

        fuzz_join(copy, size - 3, flags & FLAG_FIX_CHECKSUMS, segsz);
        free(copy);
    }
    return 0;
}
