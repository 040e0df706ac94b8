/* SPDX-License-Identifier: Apache-2.0 */

/* Segmentation sums whatever is the same in all segments once per super-frame:
 * the IPv4 header, the pseudo-header and the TCP header without the fields
 * that differ.  Each segment then costs a copy of its headers and one pass
 * over its payload, which sums and copies.
 *
 * Coalescing accepts what inet_gro_receive(), ipv6_gro_receive() and
 * tcp_gro_receive() of Linux accept: everything in the headers that does not
 * count up must be equal, so that segmentation restores it.  The payload's
 * checksum has to be verified here, since the super-frame carries none
 * and whoever finishes it would otherwise hide an error. */

#include <config.h>
#include "fabric-gso.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "coverage.h"
#include "dp-packet.h"
#include "fabric-bytes.h"
#include "fabric-csum.h"
#include "fabric-l3.h"
#include "packets.h"
#include "util.h"

COVERAGE_DEFINE(fabric_gso_split);
COVERAGE_DEFINE(fabric_gro_joined);
COVERAGE_DEFINE(fabric_gro_bad_csum);
COVERAGE_DEFINE(fabric_gro_unfinished);

/* Octets of the headers. */
#define OFS_IPV4_TOT_LEN 2
#define OFS_IPV4_ID 4
#define OFS_IPV4_FRAG_OFF 6
#define OFS_IPV4_PROTO 9
#define OFS_IPV4_CSUM 10
#define OFS_IPV4_ADDRS 12
#define OFS_IPV6_PLEN 4
#define OFS_IPV6_NEXT_HEADER 6
#define OFS_IPV6_ADDRS 8
#define OFS_TCP_SEQ 4
#define OFS_TCP_ACK 8
#define OFS_TCP_CTL 12
#define OFS_TCP_WINDOW 14
#define OFS_TCP_CSUM 16
#define OFS_TCP_URGENT 18
#define OFS_UDP_LEN 4
#define OFS_UDP_CSUM 6

#define IPV4_ADDRS_LEN 8
#define IPV6_ADDRS_LEN 32

static inline uint64_t
csum_add_be16(uint64_t sum, uint16_t x)
{
    return sum + (OVS_FORCE uint16_t) htons(x);
}

static inline uint64_t
csum_add_be32(uint64_t sum, uint32_t x)
{
    return sum + (OVS_FORCE uint32_t) htonl(x);
}

static inline void
csum_put(void *p, uint16_t csum)
{
    memcpy(p, &csum, sizeof csum);
}

/* Frames
 * ------ */

/* Where the parts of a frame are: of TCP or, as far as they are the same, of
 * UDP. */
struct tcp_frame {
    const uint8_t *data;
    size_t l3_ofs;
    size_t l4_ofs;
    size_t payload_ofs;
    size_t end;                 /* Of the IP packet: padding may follow. */
    bool is_ipv4;
    uint8_t proto;
};

/* Stores the protocol and where it begins, or returns false unless 'f->data',
 * 'size' bytes, is a whole IPv4 or IPv6 packet.  An IPv6 packet with extension
 * headers counts as one of another protocol. */
static bool
frame_parse_l3(struct tcp_frame *f, size_t size)
{
    const uint8_t *ip = f->data + f->l3_ofs;
    size_t room = size - f->l3_ofs;
    size_t ip_len, tot_len;

    if (f->is_ipv4) {
        if (room < IP_HEADER_LEN || IP_VER(ip[0]) != 4
            || (fabric_get_be16(ip + OFS_IPV4_FRAG_OFF)
                & (IP_MORE_FRAGMENTS | IP_FRAG_OFF_MASK))) {
            return false;
        }
        f->proto = ip[OFS_IPV4_PROTO];
        ip_len = IP_IHL(ip[0]) * 4;
        tot_len = fabric_get_be16(ip + OFS_IPV4_TOT_LEN);
        if (ip_len < IP_HEADER_LEN) {
            return false;
        }
    } else {
        if (room < IPV6_HEADER_LEN || IP_VER(ip[0]) != 6) {
            return false;
        }
        f->proto = ip[OFS_IPV6_NEXT_HEADER];
        ip_len = IPV6_HEADER_LEN;
        tot_len = ip_len + fabric_get_be16(ip + OFS_IPV6_PLEN);
    }
    if (tot_len > room || tot_len < ip_len) {
        return false;
    }

    f->l4_ofs = f->l3_ofs + ip_len;
    f->end = f->l3_ofs + tot_len;
    return true;
}

static bool
frame_parse(struct tcp_frame *f, const void *data, size_t size)
{
    uint16_t eth_type;

    f->data = data;
    f->l3_ofs = fabric_find_l3(f->data, size, &eth_type);
    f->is_ipv4 = eth_type == ETH_TYPE_IP;
    return ((f->is_ipv4 || eth_type == ETH_TYPE_IPV6)
            && frame_parse_l3(f, size));
}

static bool
tcp_frame_parse(struct tcp_frame *f, const void *data, size_t size)
{
    size_t tcp_len;

    if (!frame_parse(f, data, size) || f->proto != IPPROTO_TCP
        || f->end - f->l4_ofs < TCP_HEADER_LEN) {
        return false;
    }

    tcp_len = (f->data[f->l4_ofs + OFS_TCP_CTL] >> 4) * 4;
    f->payload_ofs = f->l4_ofs + tcp_len;
    return tcp_len >= TCP_HEADER_LEN && f->payload_ofs <= f->end;
}

/* The sum of the pseudo-header (RFC 9293 section 3.1, RFC 8200 section 8.1)
 * without the length. */
static uint64_t
tcp_frame_pseudo_sum(const struct tcp_frame *f)
{
    const uint8_t *ip = f->data + f->l3_ofs;
    uint64_t sum;

    sum = (f->is_ipv4
           ? fabric_csum_add(0, ip + OFS_IPV4_ADDRS, IPV4_ADDRS_LEN)
           : fabric_csum_add(0, ip + OFS_IPV6_ADDRS, IPV6_ADDRS_LEN));
    return csum_add_be16(sum, f->proto);
}

/* Copies the payload to 'payload'.  Returns whether IPv4 and TCP checksum are
 * right. */
static bool
tcp_frame_copy_payload(const struct tcp_frame *f, void *payload)
{
    uint64_t sum;

    if (f->is_ipv4
        && fabric_csum_fold(fabric_csum_add(0, f->data + f->l3_ofs,
                                            f->l4_ofs - f->l3_ofs))
           != UINT16_MAX) {
        return false;
    }

    sum = csum_add_be16(tcp_frame_pseudo_sum(f), f->end - f->l4_ofs);
    sum = fabric_csum_add(sum, f->data + f->l4_ofs,
                          f->payload_ofs - f->l4_ofs);
    sum = fabric_csum_copy(sum, payload, f->data + f->payload_ofs,
                           f->end - f->payload_ofs);
    return fabric_csum_fold(sum) == UINT16_MAX;
}

static inline uint16_t
tcp_frame_ctl(const struct tcp_frame *f)
{
    return fabric_get_be16(f->data + f->l4_ofs + OFS_TCP_CTL);
}

static inline uint32_t
tcp_frame_seq(const struct tcp_frame *f)
{
    return fabric_get_be32(f->data + f->l4_ofs + OFS_TCP_SEQ);
}

/* By default malloc() gives free memory beyond 128 kB back, and the page
 * faults that follow cost as much as copying the data. */
void
fabric_gso_keep_memory(void)
{
#ifdef __GLIBC__
    mallopt(M_TRIM_THRESHOLD, 16 * 1024 * 1024);
#endif
}

/* Segmentation
 * ------------ */

bool
fabric_gso_init(struct fabric_gso *gso, const struct dp_packet *packet)
{
    const uint8_t *data = dp_packet_data(packet);
    size_t segsz = dp_packet_get_tso_segsz(packet);
    const uint8_t *ip, *tcp;
    struct tcp_frame f;

    if (packet->packet_type != htonl(PT_ETH) || !segsz
        || !tcp_frame_parse(&f, data, dp_packet_size(packet))) {
        return false;
    }

    ip = data + f.l3_ofs;
    tcp = data + f.l4_ofs;
    *gso = (struct fabric_gso) {
        .headers_len = f.payload_ofs,
        .payload_len = f.end - f.payload_ofs,
        .segsz = segsz,
        .n_segs = MAX(1, DIV_ROUND_UP(f.end - f.payload_ofs, segsz)),
        .l3_ofs = f.l3_ofs,
        .l4_ofs = f.l4_ofs,
        .is_ipv4 = f.is_ipv4,
        .ctl = tcp_frame_ctl(&f),
        .seq = tcp_frame_seq(&f),
        .tcp_sum = tcp_frame_pseudo_sum(&f),
    };

    gso->tcp_sum = fabric_csum_add(gso->tcp_sum, tcp, OFS_TCP_SEQ);
    gso->tcp_sum = fabric_csum_add(gso->tcp_sum, tcp + OFS_TCP_ACK,
                                   OFS_TCP_CTL - OFS_TCP_ACK);
    gso->tcp_sum = fabric_csum_add(gso->tcp_sum, tcp + OFS_TCP_WINDOW,
                                   OFS_TCP_CSUM - OFS_TCP_WINDOW);
    gso->tcp_sum = fabric_csum_add(gso->tcp_sum, tcp + OFS_TCP_URGENT,
                                   f.payload_ofs - f.l4_ofs - OFS_TCP_URGENT);
    if (f.is_ipv4) {
        gso->ip_id = fabric_get_be16(ip + OFS_IPV4_ID);
        gso->ip_sum = fabric_csum_add(0, ip, OFS_IPV4_TOT_LEN);
        gso->ip_sum = fabric_csum_add(gso->ip_sum, ip + OFS_IPV4_FRAG_OFF,
                                      OFS_IPV4_CSUM - OFS_IPV4_FRAG_OFF);
        gso->ip_sum = fabric_csum_add(gso->ip_sum, ip + OFS_IPV4_ADDRS,
                                      f.l4_ofs - f.l3_ofs - OFS_IPV4_ADDRS);
    }
    COVERAGE_INC(fabric_gso_split);
    return true;
}

size_t
fabric_gso_segment(const struct fabric_gso *gso,
                   const struct dp_packet *packet, size_t i, void *segment)
{
    const uint8_t *data = dp_packet_data(packet);
    size_t ofs = i * gso->segsz;
    size_t len = MIN(gso->payload_len - ofs, gso->segsz);
    uint8_t *ip = (uint8_t *) segment + gso->l3_ofs;
    uint8_t *tcp = (uint8_t *) segment + gso->l4_ofs;
    size_t tot_len = gso->headers_len - gso->l3_ofs + len;
    uint32_t seq = gso->seq + ofs;
    uint16_t ctl = gso->ctl;
    uint64_t sum;

    memcpy(segment, data, gso->headers_len);

    if (gso->is_ipv4) {
        uint16_t id = gso->ip_id + i;

        fabric_put_be16(ip + OFS_IPV4_TOT_LEN, tot_len);
        fabric_put_be16(ip + OFS_IPV4_ID, id);
        sum = csum_add_be16(csum_add_be16(gso->ip_sum, tot_len), id);
        csum_put(ip + OFS_IPV4_CSUM, ~fabric_csum_fold(sum));
    } else {
        fabric_put_be16(ip + OFS_IPV6_PLEN, tot_len - IPV6_HEADER_LEN);
    }

    if (i) {
        /* RFC 3168 section 6.1.2: one congestion window reduction, one CWR. */
        ctl &= ~TCP_CWR;
    }
    if (i + 1 < gso->n_segs) {
        ctl &= ~(TCP_FIN | TCP_PSH);
    }
    fabric_put_be32(tcp + OFS_TCP_SEQ, seq);
    fabric_put_be16(tcp + OFS_TCP_CTL, ctl);
    sum = csum_add_be16(gso->tcp_sum, tot_len - (gso->l4_ofs - gso->l3_ofs));
    sum = csum_add_be16(csum_add_be32(sum, seq), ctl);
    sum = fabric_csum_copy(sum, (uint8_t *) segment + gso->headers_len,
                           data + gso->headers_len + ofs, len);
    csum_put(tcp + OFS_TCP_CSUM, ~fabric_csum_fold(sum));

    return gso->headers_len + len;
}

/* Coalescing
 * ---------- */

/* Flags that end a super-frame, and those that cannot be part of one. */
#define GRO_LAST_FLAGS (TCP_FIN | TCP_PSH)
#define GRO_NEVER_FLAGS (TCP_SYN | TCP_RST | TCP_URG)

/* Are bytes [start,end) of 'a' and 'b' equal? */
static inline bool
same(const uint8_t *a, const uint8_t *b, size_t start, size_t end)
{
    return !memcmp(a + start, b + start, end - start);
}

/* Starts a super-frame with 'f'. */
static bool
gro_start(struct fabric_gro *gro, const struct tcp_frame *f, size_t headroom)
{
    size_t max_size = UINT16_MAX - MIN(headroom, UINT16_MAX);
    struct dp_packet *packet;

    if (f->end == f->payload_ofs || f->end > max_size
        || tcp_frame_ctl(f) & (GRO_LAST_FLAGS | GRO_NEVER_FLAGS)) {
        return false;
    }

    packet = dp_packet_new_with_headroom(
        MIN(MAX(f->end, gro->size_hint), max_size), headroom);
    dp_packet_put(packet, f->data, f->payload_ofs);
    if (!tcp_frame_copy_payload(f, dp_packet_tail(packet))) {
        COVERAGE_INC(fabric_gro_bad_csum);
        dp_packet_delete(packet);
        return false;
    }

    dp_packet_set_size(packet, f->end);
    packet->l3_ofs = f->l3_ofs;
    packet->l4_ofs = f->l4_ofs;
    gro->packet = packet;
    gro->headers_len = f->payload_ofs;
    gro->segsz = f->end - f->payload_ofs;
    gro->n_segs = 1;
    gro->next_seq = tcp_frame_seq(f) + gro->segsz;
    gro->is_ipv4 = f->is_ipv4;
    gro->closed = false;
    gro->last_flags = 0;
    return true;
}

/* May the IPv4 ID of 'f' follow those before, the first of which is 'first'?
 * They count up, or all are the same in "atomic" datagrams, to whose ID RFC
 * 6864 section 4.1 gives no meaning. */
static bool
gro_ip_id_continues(const struct fabric_gro *gro, uint16_t first,
                    const uint8_t *ip)
{
    uint16_t id = fabric_get_be16(ip + OFS_IPV4_ID);

    if (id == first) {
        return (fabric_get_be16(ip + OFS_IPV4_FRAG_OFF) & IP_DONT_FRAGMENT
                && (gro->n_segs == 1 || gro->fixed_id));
    } else {
        return (id == (uint16_t) (first + gro->n_segs)
                && (gro->n_segs == 1 || !gro->fixed_id));
    }
}

/* Do the headers of 'f' continue the super-frame? */
static bool
gro_headers_continue(const struct fabric_gro *gro, const struct tcp_frame *f)
{
    const uint8_t *data = dp_packet_data(gro->packet);
    const uint8_t *ip1 = data + f->l3_ofs;
    const uint8_t *tcp1 = data + f->l4_ofs;
    const uint8_t *ip2 = f->data + f->l3_ofs;
    const uint8_t *tcp2 = f->data + f->l4_ofs;
    uint16_t ctl_diff;

    if (f->is_ipv4 != gro->is_ipv4
        || f->l3_ofs != gro->packet->l3_ofs
        || f->l4_ofs != gro->packet->l4_ofs
        || f->payload_ofs != gro->headers_len
        || tcp_frame_seq(f) != gro->next_seq
        || !same(data, f->data, 0, f->l3_ofs)) {
        return false;
    }

    if (f->is_ipv4) {
        /* Equal first octets, thus equal lengths.  As Linux, no options. */
        if (f->l4_ofs - f->l3_ofs != IP_HEADER_LEN
            || !same(ip1, ip2, 0, OFS_IPV4_TOT_LEN)
            || !same(ip1, ip2, OFS_IPV4_FRAG_OFF, OFS_IPV4_CSUM)
            || !same(ip1, ip2, OFS_IPV4_ADDRS, IP_HEADER_LEN)
            || !gro_ip_id_continues(gro, fabric_get_be16(ip1 + OFS_IPV4_ID),
                                    ip2)) {
            return false;
        }
    } else if (!same(ip1, ip2, 0, OFS_IPV6_PLEN)
               || !same(ip1, ip2, OFS_IPV6_NEXT_HEADER, IPV6_HEADER_LEN)) {
        return false;
    }

    /* The first segment may have CWR, the last FIN and PSH. */
    ctl_diff = fabric_get_be16(tcp1 + OFS_TCP_CTL) ^ tcp_frame_ctl(f);
    return (!(tcp_frame_ctl(f) & TCP_CWR)
            && !(ctl_diff & ~(TCP_CWR | GRO_LAST_FLAGS))
            && same(tcp1, tcp2, 0, OFS_TCP_SEQ)
            && same(tcp1, tcp2, OFS_TCP_ACK, OFS_TCP_CTL)
            && same(tcp1, tcp2, OFS_TCP_WINDOW, OFS_TCP_CSUM)
            && same(tcp1, tcp2, OFS_TCP_URGENT, f->payload_ofs - f->l4_ofs));
}

bool
fabric_gro_append(struct fabric_gro *gro, const void *frame, size_t size,
                  size_t headroom)
{
    struct dp_packet *packet = gro->packet;
    struct tcp_frame f;
    size_t len;

    if (gro->closed || !tcp_frame_parse(&f, frame, size)) {
        return false;
    }
    if (!packet) {
        return gro_start(gro, &f, headroom);
    }

    len = f.end - f.payload_ofs;
    headroom = dp_packet_headroom(packet);
    if (!len || len > gro->segsz
        || headroom + dp_packet_size(packet) + len > UINT16_MAX
        || !gro_headers_continue(gro, &f)) {
        return false;
    }

    if (len > dp_packet_tailroom(packet)) {
        dp_packet_resize(packet, headroom,
                         UINT16_MAX - headroom - dp_packet_size(packet));
    }
    if (!tcp_frame_copy_payload(&f, dp_packet_tail(packet))) {
        COVERAGE_INC(fabric_gro_bad_csum);
        return false;
    }
    dp_packet_set_size(packet, dp_packet_size(packet) + len);
    if (gro->n_segs == 1 && f.is_ipv4) {
        const uint8_t *ip = dp_packet_l3(packet);

        gro->fixed_id = same(ip, f.data + f.l3_ofs,
                             OFS_IPV4_ID, OFS_IPV4_FRAG_OFF);
    }
    gro->n_segs++;
    gro->next_seq += len;
    gro->last_flags = tcp_frame_ctl(&f) & GRO_LAST_FLAGS;
    gro->closed = len < gro->segsz || gro->last_flags;
    return true;
}

/* Writes the headers of the super-frame: lengths, the last segment's flags,
 * and as TCP checksum the sum of the pseudo-header, as netdev_linux and the
 * kernel expect it of a packet whose checksum is "partial". */
static void
gro_finish_headers(const struct fabric_gro *gro)
{
    struct dp_packet *packet = gro->packet;
    uint8_t *ip = dp_packet_l3(packet);
    uint8_t *tcp = dp_packet_l4(packet);
    size_t l4_len = dp_packet_size(packet) - packet->l4_ofs;
    struct tcp_frame f = {
        .data = dp_packet_data(packet),
        .l3_ofs = packet->l3_ofs,
        .is_ipv4 = gro->is_ipv4,
        .proto = IPPROTO_TCP,
    };

    if (gro->is_ipv4) {
        uint64_t sum;

        fabric_put_be16(ip + OFS_IPV4_TOT_LEN, IP_HEADER_LEN + l4_len);
        csum_put(ip + OFS_IPV4_CSUM, 0);
        sum = fabric_csum_add(0, ip, IP_HEADER_LEN);
        csum_put(ip + OFS_IPV4_CSUM, ~fabric_csum_fold(sum));
    } else {
        fabric_put_be16(ip + OFS_IPV6_PLEN, l4_len);
    }
    tcp[OFS_TCP_CTL + 1] |= gro->last_flags;
    csum_put(tcp + OFS_TCP_CSUM, fabric_csum_fold(
                 csum_add_be16(tcp_frame_pseudo_sum(&f), l4_len)));
}

struct dp_packet *
fabric_gro_finish(struct fabric_gro *gro)
{
    struct dp_packet *packet = gro->packet;

    if (!packet) {
        return NULL;
    }

    dp_packet_l4_proto_set_tcp(packet);
    if (gro->is_ipv4) {
        dp_packet_ip_checksum_set_good(packet);
    }
    if (gro->n_segs > 1) {
        gro_finish_headers(gro);
        dp_packet_set_tso_segsz(packet, gro->segsz);
        dp_packet_l4_checksum_set_partial(packet);
        COVERAGE_INC(fabric_gro_joined);
    } else {
        dp_packet_l4_checksum_set_good(packet);
    }

    *gro = (struct fabric_gro) { .size_hint = gro->size_hint };
    return packet;
}

/* Unfinished frames
 * ----------------- */

bool
fabric_gso_adopt_unfinished(struct dp_packet *packet, size_t segsz)
{
    struct tcp_frame f;
    size_t csum_ofs;
    uint16_t field;
    bool is_tcp;

    if (!frame_parse(&f, dp_packet_data(packet), dp_packet_size(packet))) {
        return false;
    }
    is_tcp = tcp_frame_parse(&f, f.data, dp_packet_size(packet));
    if (!is_tcp && (f.proto != IPPROTO_UDP
                    || f.end - f.l4_ofs < UDP_HEADER_LEN)) {
        return false;
    }

    csum_ofs = f.l4_ofs + (is_tcp ? OFS_TCP_CSUM : OFS_UDP_CSUM);
    memcpy(&field, f.data + csum_ofs, sizeof field);
    if (field != fabric_csum_fold(csum_add_be16(tcp_frame_pseudo_sum(&f),
                                                f.end - f.l4_ofs))) {
        return false;
    }

    packet->l3_ofs = f.l3_ofs;
    packet->l4_ofs = f.l4_ofs;
    dp_packet_l4_checksum_set_partial(packet);
    if (!is_tcp) {
        dp_packet_l4_proto_set_udp(packet);
        return false;
    }
    dp_packet_l4_proto_set_tcp(packet);
    if (f.end - f.payload_ofs <= segsz) {
        return false;
    }
    dp_packet_set_tso_segsz(packet, segsz);
    COVERAGE_INC(fabric_gro_unfinished);
    return true;
}

static bool
udp_frame_parse(struct tcp_frame *f, const void *data, size_t size)
{
    if (!frame_parse(f, data, size) || f->proto != IPPROTO_UDP
        || f->end - f->l4_ofs < UDP_HEADER_LEN) {
        return false;
    }
    f->payload_ofs = f->l4_ofs + UDP_HEADER_LEN;
    return true;
}

bool
fabric_gso_is_udp(const void *frame, size_t size, size_t segsz)
{
    struct tcp_frame f;

    return (segsz && udp_frame_parse(&f, frame, size) && f.end == size
            && fabric_get_be16(f.data + f.l4_ofs + OFS_UDP_LEN)
               == size - f.l4_ofs
            && size - f.payload_ofs > segsz);
}

struct dp_packet *
fabric_gso_udp_segment(const void *frame, size_t size, size_t segsz, size_t i,
                       size_t headroom)
{
    struct dp_packet *packet;
    struct tcp_frame f;
    size_t ofs, len;
    uint8_t *ip, *udp;

    if (!udp_frame_parse(&f, frame, size)) {
        return NULL;
    }
    ofs = f.payload_ofs + i * segsz;
    if (ofs >= f.end) {
        return NULL;
    }
    len = MIN(segsz, f.end - ofs);

    packet = dp_packet_new_with_headroom(f.payload_ofs + len, headroom);
    dp_packet_put(packet, f.data, f.payload_ofs);
    dp_packet_put(packet, f.data + ofs, len);
    ip = (uint8_t *) dp_packet_data(packet) + f.l3_ofs;
    udp = (uint8_t *) dp_packet_data(packet) + f.l4_ofs;

    len += UDP_HEADER_LEN;
    fabric_put_be16(udp + OFS_UDP_LEN, len);
    if (fabric_get_be16(udp + OFS_UDP_CSUM)) {
        csum_put(udp + OFS_UDP_CSUM, fabric_csum_fold(
                     csum_add_be16(tcp_frame_pseudo_sum(&f), len)));
    }
    if (f.is_ipv4) {
        size_t ip_len = f.l4_ofs - f.l3_ofs;

        fabric_put_be16(ip + OFS_IPV4_TOT_LEN, ip_len + len);
        fabric_put_be16(ip + OFS_IPV4_ID,
                        fabric_get_be16(ip + OFS_IPV4_ID) + i);
        csum_put(ip + OFS_IPV4_CSUM, 0);
        csum_put(ip + OFS_IPV4_CSUM,
                 ~fabric_csum_fold(fabric_csum_add(0, ip, ip_len)));
    } else {
        fabric_put_be16(ip + OFS_IPV6_PLEN, len);
    }
    return packet;
}
