/* SPDX-License-Identifier: Apache-2.0 */

/* A TLV is flags (1 octet), type (1), length of the value (2) and value.
 *
 * Test packets have them in a fixed order, values to be filled in being zero.
 * The reflector copies all of them, then goes through the copy and fills in
 * the values where they are.  So whatever came, an answer has the same TLVs of
 * the same lengths in the same order, and those that nobody knows survive, as
 * does what follows one that is malformed (RFC 8972 section 4).
 *
 * The HMAC TLV (section 4.8) comes last.  Extra Padding may follow it, says
 * the RFC, but not ours: it is authenticated like the rest. */

#include <config.h>
#include "fabric-stamp-tlv.h"

#include "fabric-bytes.h"
#include "fabric-stamp-auth.h"
#include "util.h"

#define HEADER_LEN FABRIC_STAMP_TLV_HEADER_LEN

/* Types. */
enum {
    TLV_PADDING = 1,
    TLV_LOCATION = 2,
    TLV_TS_INFO = 3,
    TLV_COS = 4,
    TLV_DIRECT = 5,
    TLV_HMAC = 8,
    TLV_PRIVATE_MIN = 252,      /* Private use, the number of an enterprise */
    TLV_PRIVATE_MAX = 254,      /* first. */
};

/* Lengths of values. */
#define TS_INFO_LEN 4
#define COS_LEN 4
#define DIRECT_LEN 12
#define PRIVATE_ID_LEN 4
#define HEARD_ENTRY_LEN 12
#define REPORT_HEADER_LEN 4     /* After the number of the enterprise. */
#define REPORT_ENTRY_LEN 4
#define ORIGIN_LEN 64

#define PRIVATE_ID 0x0002fab1   /* Ours. */

#define REPORT_DEAF 0x80
#define REPORT_COPY 0x40

/* Location: the ports, then these, each with a header as a TLV has. */
enum {
    LOCATION_SRC_MAC = 1,       /* Question; the answer is one of the next. */
    LOCATION_SRC_EUI48 = 2,
    LOCATION_SRC_EUI64 = 3,
    LOCATION_DST_IP = 4,
    LOCATION_DST_IPV4 = 5,
    LOCATION_DST_IPV6 = 6,
    LOCATION_SRC_IP = 7,
    LOCATION_SRC_IPV4 = 8,
    LOCATION_SRC_IPV6 = 9,
};
#define LOCATION_PORTS_LEN 4
#define LOCATION_MAC_LEN 8
#define LOCATION_IP_LEN 16
#define LOCATION_LEN (LOCATION_PORTS_LEN + 2 * (HEADER_LEN + LOCATION_IP_LEN))

static size_t
heard_len(const struct fabric_stamp *stamp)
{
    return PRIVATE_ID_LEN + HEARD_ENTRY_LEN * stamp->n_heard;
}

static size_t
report_len(const struct fabric_stamp *stamp)
{
    return (PRIVATE_ID_LEN + REPORT_HEADER_LEN
            + REPORT_ENTRY_LEN * stamp->report.n);
}

/* Returns how many entries a report of 'len' octets has. */
static size_t
report_n(size_t len)
{
    return (len - PRIVATE_ID_LEN - REPORT_HEADER_LEN) / REPORT_ENTRY_LEN;
}

size_t
fabric_stamp_tlvs_len(const struct fabric_stamp *stamp, bool authenticated)
{
    size_t len = 0;

    if (stamp->reflected && stamp->echo_len) {
        return stamp->echo_len;
    }
    len += stamp->has_location ? HEADER_LEN + LOCATION_LEN : 0;
    len += stamp->has_ts_info ? HEADER_LEN + TS_INFO_LEN : 0;
    len += stamp->has_cos ? HEADER_LEN + COS_LEN : 0;
    len += stamp->has_direct ? HEADER_LEN + DIRECT_LEN : 0;
    len += stamp->n_heard ? HEADER_LEN + heard_len(stamp) : 0;
    len += stamp->has_report ? HEADER_LEN + report_len(stamp) : 0;
    len += stamp->has_origin ? HEADER_LEN + ORIGIN_LEN : 0;
    len += stamp->has_padding ? HEADER_LEN + stamp->padding_len : 0;
    len += len && authenticated ? HEADER_LEN + FABRIC_STAMP_MAC_LEN : 0;
    return len;
}

/* Returns how many octets the TLV at 'p' takes, 0 if it does not fit into the
 * 'size' octets that there are. */
static size_t
tlv_size(const uint8_t *p, size_t size)
{
    size_t len;

    if (size < HEADER_LEN) {
        return 0;
    }
    len = HEADER_LEN + fabric_get_be16(p + 2);
    return len <= size ? len : 0;
}

static bool
location_is_valid(const uint8_t *value, size_t len)
{
    if (len < LOCATION_PORTS_LEN) {
        return false;
    }
    for (size_t i = LOCATION_PORTS_LEN, n; i < len; i += n) {
        uint8_t type;

        n = tlv_size(value + i, len - i);
        if (!n) {
            return false;
        }
        type = value[i + 1];
        if ((type >= LOCATION_SRC_MAC && type <= LOCATION_SRC_EUI64
             && n != HEADER_LEN + LOCATION_MAC_LEN)
            || (type >= LOCATION_DST_IP && type <= LOCATION_SRC_IPV6
                && n != HEADER_LEN + LOCATION_IP_LEN)) {
            return false;
        }
    }
    return true;
}

/* Is the length of the TLV at 'p' right for its type? */
static bool
tlv_is_valid(const uint8_t *p)
{
    const uint8_t *value = p + HEADER_LEN;
    uint8_t type = p[1];
    size_t len = fabric_get_be16(p + 2);

    switch (type) {
    case TLV_LOCATION:
        return location_is_valid(value, len);
    case TLV_TS_INFO:
        return len == TS_INFO_LEN;
    case TLV_COS:
        return len == COS_LEN;
    case TLV_DIRECT:
        return len == DIRECT_LEN;
    case TLV_HMAC:
        return len == FABRIC_STAMP_MAC_LEN;
    default:
        if (type < TLV_PRIVATE_MIN || type > TLV_PRIVATE_MAX) {
            return true;
        }
        if (len < PRIVATE_ID_LEN) {
            return false;
        }
        if (fabric_get_be32(value) != PRIVATE_ID) {
            return true;
        }
        return (type == FABRIC_STAMP_TLV_TYPE_HEARD
                ? (len - PRIVATE_ID_LEN) % HEARD_ENTRY_LEN == 0
                : type == FABRIC_STAMP_TLV_TYPE_REPORT
                ? (len >= PRIVATE_ID_LEN + REPORT_HEADER_LEN
                   && (len - PRIVATE_ID_LEN) % REPORT_ENTRY_LEN == 0)
                : len == ORIGIN_LEN);
    }
}

/* Where the HMAC TLV is. */
enum hmac_place {
    HMAC_NONE,
    HMAC_NOT_NEEDED,            /* None, and no TLV that it would cover: no
                                 * TLV or a single Extra Padding. */
    HMAC_LAST,                  /* But for Extra Padding. */
    HMAC_MISPLACED,
};

/* Looks for the HMAC TLV and stores its offset in '*ofs'. */
static enum hmac_place
find_hmac(const uint8_t *p, size_t size, size_t *ofs)
{
    enum hmac_place place = HMAC_NOT_NEEDED;
    size_t n = 0;

    for (size_t i = 0, len; i < size; i += len, n++) {
        len = tlv_size(p + i, size - i);
        if (!len) {
            return place == HMAC_LAST ? HMAC_MISPLACED : HMAC_NONE;
        } else if (p[i + 1] == TLV_HMAC) {
            if (place == HMAC_LAST || !tlv_is_valid(p + i)) {
                return HMAC_MISPLACED;
            }
            place = HMAC_LAST;
            *ofs = i;
        } else if (p[i + 1] != TLV_PADDING) {
            if (place == HMAC_LAST) {
                return HMAC_MISPLACED;
            }
            place = HMAC_NONE;
        } else if (n && place == HMAC_NOT_NEEDED) {
            place = HMAC_NONE;
        }
    }
    return place;
}

/* RFC 8972 section 4.8: what the HMAC TLV at 'ofs' covers. */
static struct fabric_stamp_message
hmac_message(const uint8_t seq[4], const uint8_t *p, size_t ofs)
{
    return (struct fabric_stamp_message) { { seq, p }, { 4, ofs } };
}

/* Writing. */

/* Writes the header of a TLV of a test packet and zeroes its value.  Returns
 * where the next one goes. */
static uint8_t *
put_tlv(uint8_t *p, uint8_t type, size_t len)
{
    p[0] = FABRIC_STAMP_TLV_UNRECOGNIZED;
    p[1] = type;
    fabric_put_be16(p + 2, len);
    memset(p + HEADER_LEN, 0, len);
    return p + HEADER_LEN + len;
}

static uint8_t *
put_location(uint8_t *p)
{
    uint8_t *sub = p + HEADER_LEN + LOCATION_PORTS_LEN;
    uint8_t *end = put_tlv(p, TLV_LOCATION, LOCATION_LEN);

    sub = put_tlv(sub, LOCATION_DST_IP, LOCATION_IP_LEN);
    put_tlv(sub, LOCATION_SRC_IP, LOCATION_IP_LEN);
    return end;
}

/* RFC 8972 section 4.1 wants pseudo-random padding, so that nothing on the way
 * can compress it. */
static uint8_t *
put_padding(const struct fabric_stamp *stamp, uint8_t *p)
{
    uint64_t x = (uint64_t) stamp->seq << 32 | stamp->ssid | 1u << 16;
    size_t len = stamp->padding_len;
    uint8_t *value = p + HEADER_LEN;

    p[0] = FABRIC_STAMP_TLV_UNRECOGNIZED;
    p[1] = TLV_PADDING;
    fabric_put_be16(p + 2, len);
    for (size_t i = 0; i < len; i += 8) {
        uint8_t bytes[8];

        /* Marsaglia, "Xorshift RNGs", 2003. */
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        fabric_put_be64(bytes, x);
        memcpy(value + i, bytes, MIN(len - i, sizeof bytes));
    }
    return value + len;
}

/* Writes the report of 'stamp' to 'value', 'len' octets. */
static void
put_report(const struct fabric_stamp *stamp, uint8_t *value, size_t len)
{
    const struct fabric_stamp_report *report = &stamp->report;
    uint8_t *p = value + PRIVATE_ID_LEN;

    memset(p, 0, len - PRIVATE_ID_LEN);
    p[0] = ((report->deaf ? REPORT_DEAF : 0)
            | (report->copy ? REPORT_COPY : 0));
    fabric_put_be16(p + 2, report->first);
    p += REPORT_HEADER_LEN;
    for (size_t i = 0; i < MIN(report->n, report_n(len)); i++) {
        fabric_put_be32(p + i * REPORT_ENTRY_LEN, report->seqs[i]);
    }
}

static void
put_origin(const struct fabric_stamp_origin *origin, uint8_t *value)
{
    fabric_put_be32(value, PRIVATE_ID);
    fabric_put_be64(value + 4, origin->epoch);
    fabric_put_be64(value + 12, origin->known);
    fabric_put_be32(value + 20, origin->serial);
    fabric_put_be16(value + 24, origin->ssid);
    value[26] = origin->answer;
    value[27] = 0;
    fabric_put_be16(value + 28, origin->src_port);
    fabric_put_be16(value + 30, origin->dst_port);
    memcpy(value + 32, &origin->src_ip, sizeof origin->src_ip);
    memcpy(value + 48, &origin->dst_ip, sizeof origin->dst_ip);
}

/* Writes the TLVs of a test packet. */
static void
put_question(const struct fabric_stamp *stamp, bool authenticated, uint8_t *p)
{
    const uint8_t *start = p;

    if (stamp->has_location) {
        p = put_location(p);
    }
    if (stamp->has_ts_info) {
        p = put_tlv(p, TLV_TS_INFO, TS_INFO_LEN);
    }
    if (stamp->has_cos) {
        uint8_t *value = p + HEADER_LEN;

        p = put_tlv(p, TLV_COS, COS_LEN);
        value[0] = stamp->cos.dscp1 << 2;
    }
    if (stamp->has_direct) {
        uint8_t *value = p + HEADER_LEN;

        p = put_tlv(p, TLV_DIRECT, DIRECT_LEN);
        fabric_put_be32(value, stamp->direct.s_tx);
    }
    if (stamp->n_heard) {
        uint8_t *value = p + HEADER_LEN;

        p = put_tlv(p, FABRIC_STAMP_TLV_TYPE_HEARD, heard_len(stamp));
        fabric_put_be32(value, PRIVATE_ID);
    }
    if (stamp->has_report) {
        uint8_t *value = p + HEADER_LEN;
        size_t len = report_len(stamp);

        p = put_tlv(p, FABRIC_STAMP_TLV_TYPE_REPORT, len);
        fabric_put_be32(value, PRIVATE_ID);
        put_report(stamp, value, len);
    }
    if (stamp->has_origin) {
        uint8_t *value = p + HEADER_LEN;

        p = put_tlv(p, FABRIC_STAMP_TLV_TYPE_ORIGIN, ORIGIN_LEN);
        put_origin(&stamp->origin, value);
    }
    if (stamp->has_padding) {
        p = put_padding(stamp, p);
    }
    if (p != start && authenticated) {
        put_tlv(p, TLV_HMAC, FABRIC_STAMP_MAC_LEN);
    }
}

/* Answering: each function below fills in the value of one TLV. */

/* The type of question is followed by that for IPv4, then that for IPv6. */
static void
answer_location_ip(uint8_t *sub, const struct in6_addr *ip)
{
    uint8_t *value = sub + HEADER_LEN;

    memset(value, 0, LOCATION_IP_LEN);
    if (IN6_IS_ADDR_V4MAPPED(ip)) {
        sub[1] += LOCATION_DST_IPV4 - LOCATION_DST_IP;
        memcpy(value, &ip->s6_addr[12], 4);
    } else {
        sub[1] += LOCATION_DST_IPV6 - LOCATION_DST_IP;
        memcpy(value, ip, sizeof *ip);
    }
}

/* RFC 8972 section 4.2.2: no MAC is an EUI-64 of zeros. */
static void
answer_location_mac(uint8_t *sub, const struct eth_addr *mac)
{
    uint8_t *value = sub + HEADER_LEN;

    sub[1] = eth_addr_is_zero(*mac) ? LOCATION_SRC_EUI64 : LOCATION_SRC_EUI48;
    memset(value, 0, LOCATION_MAC_LEN);
    memcpy(value, mac, ETH_ADDR_LEN);
}

static void
answer_location(const struct fabric_stamp_location *location,
                uint8_t *value, size_t len)
{
    fabric_put_be16(value, location->dst_port);
    fabric_put_be16(value + 2, location->src_port);
    for (size_t i = LOCATION_PORTS_LEN; i < len; ) {
        uint8_t *sub = value + i;

        i += tlv_size(sub, len - i);
        switch (sub[1]) {
        case LOCATION_SRC_MAC:
            answer_location_mac(sub, &location->src_mac);
            sub[0] = 0;
            break;
        case LOCATION_DST_IP:
            answer_location_ip(sub, &location->dst_ip);
            sub[0] = 0;
            break;
        case LOCATION_SRC_IP:
            answer_location_ip(sub, &location->src_ip);
            sub[0] = 0;
            break;
        default:
            sub[0] = FABRIC_STAMP_TLV_UNRECOGNIZED;
            break;
        }
    }
}

static void
answer_ts_info(const struct fabric_stamp_ts_info *info, uint8_t *value)
{
    value[0] = info->sync_in;
    value[1] = info->method_in;
    value[2] = info->sync_out;
    value[3] = info->method_out;
}

/* DSCP1 (6 bits) stays, DSCP2 (6), ECN (2), RP (2) and 16 reserved bits
 * follow. */
static void
answer_cos(const struct fabric_stamp_cos *cos, uint8_t *value)
{
    value[0] = (value[0] & 0xfc) | cos->dscp2 >> 4;
    value[1] = cos->dscp2 << 4 | (cos->ecn & 3) << 2 | (cos->rp & 3);
    fabric_put_be16(value + 2, 0);
}

static void
answer_direct(const struct fabric_stamp_direct *direct, uint8_t *value)
{
    fabric_put_be32(value + 4, direct->r_rx);
    fabric_put_be32(value + 8, direct->r_tx);
}

static void
answer_heard(const struct fabric_stamp *stamp, uint8_t *value, size_t len)
{
    size_t n = (len - PRIVATE_ID_LEN) / HEARD_ENTRY_LEN;

    memset(value + PRIVATE_ID_LEN, 0, n * HEARD_ENTRY_LEN);
    for (size_t i = 0; i < MIN(n, stamp->n_heard); i++) {
        uint8_t *entry = value + PRIVATE_ID_LEN + i * HEARD_ENTRY_LEN;

        fabric_put_be16(entry, stamp->heard[i].ssid);
        fabric_put_be32(entry + 4, stamp->heard[i].seq);
        fabric_put_be32(entry + 8, stamp->heard[i].count);
    }
}

/* Returns false if this reflector has no answer to the TLV at 'p'. */
static bool
answer_tlv(const struct fabric_stamp *stamp, uint8_t *p)
{
    uint8_t *value = p + HEADER_LEN;
    size_t len = fabric_get_be16(p + 2);

    switch (p[1]) {
    case TLV_PADDING:
    case TLV_HMAC:
        return true;
    case TLV_LOCATION:
        if (stamp->has_location) {
            answer_location(&stamp->location, value, len);
        }
        return stamp->has_location;
    case TLV_TS_INFO:
        if (stamp->has_ts_info) {
            answer_ts_info(&stamp->ts_info, value);
        }
        return stamp->has_ts_info;
    case TLV_COS:
        if (stamp->has_cos) {
            answer_cos(&stamp->cos, value);
        }
        return stamp->has_cos;
    case TLV_DIRECT:
        if (stamp->has_direct) {
            answer_direct(&stamp->direct, value);
        }
        return stamp->has_direct;
    case FABRIC_STAMP_TLV_TYPE_HEARD:
        if (fabric_get_be32(value) != PRIVATE_ID) {
            return false;
        }
        answer_heard(stamp, value, len);
        return true;
    case FABRIC_STAMP_TLV_TYPE_REPORT:
        if (fabric_get_be32(value) != PRIVATE_ID) {
            return false;
        }
        put_report(stamp, value, len);
        return true;
    case FABRIC_STAMP_TLV_TYPE_ORIGIN:
        if (fabric_get_be32(value) != PRIVATE_ID || !stamp->has_origin) {
            return false;
        }
        put_origin(&stamp->origin, value);
        return true;
    default:
        return false;
    }
}

/* Turns the TLVs of a test packet into those of the answer 'stamp'. */
static void
answer_tlvs(const struct fabric_stamp *stamp, uint8_t *p, size_t size)
{
    size_t len;

    for (; size >= HEADER_LEN; p += len, size -= len) {
        len = tlv_size(p, size);
        p[0] = stamp->tlvs_refused ? FABRIC_STAMP_TLV_INTEGRITY : 0;
        if (!len || !tlv_is_valid(p)) {
            p[0] |= FABRIC_STAMP_TLV_MALFORMED;
            if (!len || !stamp->tlvs_refused) {
                return;
            }
        } else if (!stamp->tlvs_refused && !answer_tlv(stamp, p)) {
            p[0] |= FABRIC_STAMP_TLV_UNRECOGNIZED;
        }
    }
}

bool
fabric_stamp_put_tlvs(const struct fabric_stamp *stamp,
                      const struct fabric_stamp_key *key,
                      const uint8_t seq[4], uint8_t *p)
{
    size_t size = fabric_stamp_tlvs_len(stamp, key != NULL);
    size_t ofs;

    if (stamp->reflected && stamp->echo_len) {
        memcpy(p, stamp->echo, size);
    } else {
        put_question(stamp, key != NULL, p);
    }
    if (stamp->reflected) {
        answer_tlvs(stamp, p, size);
    }

    /* One that was wrong goes back as it came. */
    if (key && !stamp->tlvs_refused && find_hmac(p, size, &ofs) == HMAC_LAST) {
        struct fabric_stamp_message m = hmac_message(seq, p, ofs);

        return fabric_stamp_mac_compute(key, &m, p + ofs + HEADER_LEN);
    }
    return true;
}

/* Parsing. */

/* Are the TLVs what the sender sent?  RFC 8972 section 4.8: without a key, an
 * HMAC TLV cannot be verified, which is no better than one that is wrong. */
static bool
tlvs_are_authentic(const uint8_t *p, size_t size,
                   const struct fabric_stamp_key *key, const uint8_t seq[4])
{
    size_t ofs;

    switch (find_hmac(p, size, &ofs)) {
    case HMAC_NOT_NEEDED:
        return true;
    case HMAC_NONE:
        return !key;
    case HMAC_LAST:
        if (key) {
            struct fabric_stamp_message m = hmac_message(seq, p, ofs);

            return fabric_stamp_mac_verify(key, &m, p + ofs + HEADER_LEN);
        }
        return false;
    case HMAC_MISPLACED:
        return false;
    default:
        OVS_NOT_REACHED();
    }
}

/* Returns the flags of the TLVs, ORed, up to one with the M flag: the
 * reflector left alone what follows. */
static uint8_t
collect_flags(const uint8_t *p, size_t size)
{
    uint8_t flags = 0;
    size_t len;

    for (; size >= HEADER_LEN; p += len, size -= len) {
        flags |= p[0];
        len = tlv_size(p, size);
        if (!len || flags & FABRIC_STAMP_TLV_MALFORMED) {
            break;
        }
    }
    return flags & (FABRIC_STAMP_TLV_UNRECOGNIZED | FABRIC_STAMP_TLV_MALFORMED
                    | FABRIC_STAMP_TLV_INTEGRITY);
}

static struct in6_addr
get_location_ip(const uint8_t *value, bool is_ipv4)
{
    struct in6_addr ip;

    if (is_ipv4) {
        ovs_be32 ipv4;

        memcpy(&ipv4, value, sizeof ipv4);
        in6_addr_set_mapped_ipv4(&ip, ipv4);
    } else {
        memcpy(&ip, value, sizeof ip);
    }
    return ip;
}

static void
get_location(const uint8_t *value, size_t len,
             struct fabric_stamp_location *location)
{
    *location = (struct fabric_stamp_location) {
        .dst_port = fabric_get_be16(value),
        .src_port = fabric_get_be16(value + 2),
    };
    for (size_t i = LOCATION_PORTS_LEN; i < len; ) {
        const uint8_t *sub = value + i;
        const uint8_t *sub_value = sub + HEADER_LEN;

        i += tlv_size(sub, len - i);
        switch (sub[1]) {
        case LOCATION_SRC_EUI48:
            memcpy(&location->src_mac, sub_value, ETH_ADDR_LEN);
            break;
        case LOCATION_DST_IPV4:
        case LOCATION_DST_IPV6:
            location->dst_ip = get_location_ip(sub_value,
                                               sub[1] == LOCATION_DST_IPV4);
            break;
        case LOCATION_SRC_IPV4:
        case LOCATION_SRC_IPV6:
            location->src_ip = get_location_ip(sub_value,
                                               sub[1] == LOCATION_SRC_IPV4);
            break;
        }
    }
}

static void
get_heard(const uint8_t *value, size_t len, struct fabric_stamp *stamp)
{
    size_t n = (len - PRIVATE_ID_LEN) / HEARD_ENTRY_LEN;

    stamp->n_heard = MIN(n, FABRIC_STAMP_MAX_HEARD);
    for (size_t i = 0; i < stamp->n_heard; i++) {
        const uint8_t *entry = value + PRIVATE_ID_LEN + i * HEARD_ENTRY_LEN;

        stamp->heard[i].ssid = fabric_get_be16(entry);
        stamp->heard[i].seq = fabric_get_be32(entry + 4);
        stamp->heard[i].count = fabric_get_be32(entry + 8);
    }
}

static void
get_report(const uint8_t *value, size_t len, struct fabric_stamp *stamp)
{
    const uint8_t *p = value + PRIVATE_ID_LEN;
    struct fabric_stamp_report *report = &stamp->report;

    stamp->has_report = true;
    *report = (struct fabric_stamp_report) {
        .deaf = p[0] & REPORT_DEAF,
        .copy = p[0] & REPORT_COPY,
        .n = MIN(report_n(len), FABRIC_STAMP_MAX_REPORT),
        .first = fabric_get_be16(p + 2),
    };
    p += REPORT_HEADER_LEN;
    for (size_t i = 0; i < report->n; i++) {
        report->seqs[i] = fabric_get_be32(p + i * REPORT_ENTRY_LEN);
    }
}

static void
get_origin(const uint8_t *value, struct fabric_stamp_origin *origin)
{
    *origin = (struct fabric_stamp_origin) {
        .epoch = fabric_get_be64(value + 4),
        .known = fabric_get_be64(value + 12),
        .serial = fabric_get_be32(value + 20),
        .ssid = fabric_get_be16(value + 24),
        .answer = value[26] & 1,
        .src_port = fabric_get_be16(value + 28),
        .dst_port = fabric_get_be16(value + 30),
    };
    memcpy(&origin->src_ip, value + 32, sizeof origin->src_ip);
    memcpy(&origin->dst_ip, value + 48, sizeof origin->dst_ip);
}

static void
get_tlv(const uint8_t *p, struct fabric_stamp *stamp)
{
    const uint8_t *value = p + HEADER_LEN;
    size_t len = fabric_get_be16(p + 2);

    switch (p[1]) {
    case TLV_PADDING:
        stamp->has_padding = true;
        stamp->padding_len += len;
        break;
    case TLV_LOCATION:
        stamp->has_location = true;
        get_location(value, len, &stamp->location);
        break;
    case TLV_TS_INFO:
        stamp->has_ts_info = true;
        stamp->ts_info = (struct fabric_stamp_ts_info) {
            .sync_in = value[0],
            .method_in = value[1],
            .sync_out = value[2],
            .method_out = value[3],
        };
        break;
    case TLV_COS:
        stamp->has_cos = true;
        stamp->cos = (struct fabric_stamp_cos) {
            .dscp1 = value[0] >> 2,
            .dscp2 = (value[0] & 3) << 4 | value[1] >> 4,
            .ecn = value[1] >> 2 & 3,
            .rp = value[1] & 3,
        };
        break;
    case TLV_DIRECT:
        stamp->has_direct = true;
        stamp->direct = (struct fabric_stamp_direct) {
            .s_tx = fabric_get_be32(value),
            .r_rx = fabric_get_be32(value + 4),
            .r_tx = fabric_get_be32(value + 8),
        };
        break;
    case FABRIC_STAMP_TLV_TYPE_HEARD:
        if (fabric_get_be32(value) == PRIVATE_ID) {
            get_heard(value, len, stamp);
        }
        break;
    case FABRIC_STAMP_TLV_TYPE_REPORT:
        if (fabric_get_be32(value) == PRIVATE_ID) {
            get_report(value, len, stamp);
        }
        break;
    case FABRIC_STAMP_TLV_TYPE_ORIGIN:
        if (fabric_get_be32(value) == PRIVATE_ID) {
            stamp->has_origin = true;
            get_origin(value, &stamp->origin);
        }
        break;
    }
}

void
fabric_stamp_parse_tlvs(const uint8_t *p, size_t size,
                        const struct fabric_stamp_key *key,
                        const uint8_t seq[4], struct fabric_stamp *stamp)
{
    size_t len;

    if (stamp->reflected) {
        stamp->tlv_flags = collect_flags(p, size);
    }
    if (stamp->tlv_flags & FABRIC_STAMP_TLV_INTEGRITY
        || !tlvs_are_authentic(p, size, key, seq)) {
        stamp->tlvs_refused = true;
        return;
    }

    /* Flags are an answer's.  RFC 8972 section 4: M ends the processing, U
     * skips the TLV. */
    for (; size >= HEADER_LEN; p += len, size -= len) {
        uint8_t flags = stamp->reflected ? p[0] : 0;

        len = tlv_size(p, size);
        if (!len || flags & FABRIC_STAMP_TLV_MALFORMED || !tlv_is_valid(p)) {
            return;
        }
        if (!(flags & FABRIC_STAMP_TLV_UNRECOGNIZED)) {
            get_tlv(p, stamp);
        }
    }
}
