/* SPDX-License-Identifier: Apache-2.0 */

/* Each piece is a copy of all headers, in which whatever depends on the length
 * or the place of the piece is written anew, from the inside out since a
 * checksum covers what is inside.  As skb_udp_tunnel_segment() and
 * tcp_gso_segment() of Linux do, but that a piece may itself be a super-frame.
 *
 * What a tunnel has between its own UDP or GRE header and the inner IP header
 * does not matter: the kernel says where the inner transport header begins,
 * and an inner IP header in front of it that ends there and has the right
 * length cannot be anything else. */

#include <config.h>
#include "fabric-cut.h"

#include <linux/virtio_net.h>

#include "coverage.h"
#include "dp-packet.h"
#include "fabric-bytes.h"
#include "fabric-csum.h"
#include "fabric-l3.h"
#include "flow.h"
#include "packets.h"
#include "util.h"

COVERAGE_DEFINE(fabric_cut);

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

/* Longer frames than this do not fit in a tunnel's packet. */
#define MAX_WHOLE 65000

/* Less than any sender's: TCP has 48 bytes with 40 of options (RFC 9293
 * section 3.7.1, Linux's TCP_MIN_SND_MSS). */
#define MIN_SEGSZ 8

/* For what output pushes. */
#define HEADROOM (128 + 2)

/* A hop-by-hop header with nothing but a jumbo payload option (RFC 2675), as
 * Linux makes it for itself. */
#define JUMBO_LEN 8
#define JUMBO_OPTION 0xc2

#define GRE_CSUM_OR_SEQ 0x90

/* Parses the IP header at 'ofs', 'size' being the end of the packet that it is
 * the header of.  Stores the protocol and where that begins.  The lengths of
 * longer packets than IP has numbers for are not looked at. */
static bool
parse_ip(const uint8_t *data, size_t ofs, size_t size,
         struct fabric_cut_layer *layer, uint8_t *proto, size_t *next)
{
    const uint8_t *ip = data + ofs;
    size_t len = size - MIN(ofs, size), told;

    if (len >= IP_HEADER_LEN && IP_VER(ip[0]) == 4) {
        const struct ip_header *nh = (const void *) ip;
        size_t ip_len = IP_IHL(ip[0]) * 4;

        if (ip_len < IP_HEADER_LEN || ip_len > len
            || fabric_get_be16(ip + 6) & (IP_MORE_FRAGMENTS
                                          | IP_FRAG_OFF_MASK)) {
            return false;
        }
        told = fabric_get_be16(ip + 2);
        *layer = (struct fabric_cut_layer) { FABRIC_CUT_IPV4, ofs };
        *proto = nh->ip_proto;
        *next = ofs + ip_len;
    } else if (len >= IPV6_HEADER_LEN && IP_VER(ip[0]) == 6) {
        told = IPV6_HEADER_LEN + fabric_get_be16(ip + 4);
        *layer = (struct fabric_cut_layer) { FABRIC_CUT_IPV6, ofs };
        *proto = ip[6];
        *next = ofs + IPV6_HEADER_LEN;
    } else {
        return false;
    }
    return told == len || len > UINT16_MAX;
}

/* Finds the IP header that ends at 'l4_ofs' and does not begin before
 * 'ofs'. */
static bool
find_inner_ip(const uint8_t *data, size_t ofs, size_t l4_ofs, size_t size,
              struct fabric_cut_layer *layer, uint8_t *proto)
{
    for (size_t len = IP_HEADER_LEN; len <= 60; len += 4) {
        size_t end;

        if (ofs + len <= l4_ofs
            && parse_ip(data, l4_ofs - len, size, layer, proto, &end)
            && end == l4_ofs) {
            return true;
        }
    }
    return false;
}

/* Removes the option by which Linux tells the length of a long IPv6 packet.
 * 'ip' is the header's offset. */
static bool
remove_jumbo(struct fabric_cut *cut, size_t ip)
{
    size_t hop = ip + IPV6_HEADER_LEN;
    uint8_t *data = cut->data;

    if (cut->size < hop + JUMBO_LEN || data[hop + 1]
        || data[hop + 2] != JUMBO_OPTION) {
        return false;
    }
    data[ip + 6] = data[hop];
    cut->size -= JUMBO_LEN;
    memmove(data + hop, data + hop + JUMBO_LEN, cut->size - hop);
    return true;
}

/* Finds the layers around the transport header at 'cut->l4_ofs', and its
 * protocol.  The frame may lose a header. */
static bool
parse_layers(struct fabric_cut *cut, uint8_t *proto)
{
    size_t size = cut->size, l3_ofs, next;
    const uint8_t *data = cut->data;
    uint16_t eth_type;

    l3_ofs = fabric_find_l3(data, size, &eth_type);
    if (!parse_ip(data, l3_ofs, size, &cut->layers[0], proto, &next)) {
        return false;
    }
    cut->n_layers = 1;
    if (cut->layers[0].kind == FABRIC_CUT_IPV6 && !*proto
        && next + JUMBO_LEN == cut->l4_ofs) {
        if (!remove_jumbo(cut, l3_ofs)) {
            return false;
        }
        cut->l4_ofs = next;
        *proto = data[l3_ofs + 6];
    }
    if (next == cut->l4_ofs) {
        return true;
    }

    if (*proto == IPPROTO_UDP) {
        cut->layers[cut->n_layers++] = (struct fabric_cut_layer) {
            FABRIC_CUT_UDP, next };
        next += UDP_HEADER_LEN;
    } else if (*proto == IPPROTO_GRE) {
        if (next >= size || data[next] & GRE_CSUM_OR_SEQ) {
            return false;
        }
        next += 4;
    } else if (*proto != IPPROTO_IPIP && *proto != IPPROTO_IPV6) {
        return false;
    }
    return find_inner_ip(data, next, cut->l4_ofs, size,
                         &cut->layers[cut->n_layers++], proto);
}

static bool
parse(struct fabric_cut *cut, const struct virtio_net_hdr *vnet)
{
    uint8_t type = vnet->gso_type & ~VIRTIO_NET_HDR_GSO_ECN;
    uint8_t proto;

    cut->l4_ofs = (OVS_FORCE uint16_t) vnet->csum_start;
    cut->segsz = (OVS_FORCE uint16_t) vnet->gso_size;
    cut->is_tcp = type != VIRTIO_NET_HDR_GSO_UDP_L4;
    if (!(vnet->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
        || cut->segsz < MIN_SEGSZ
        || !parse_layers(cut, &proto)
        || proto != (cut->is_tcp ? IPPROTO_TCP : IPPROTO_UDP)) {
        return false;
    }

    cut->headers_len = cut->l4_ofs + (cut->is_tcp ? TCP_HEADER_LEN
                                      : UDP_HEADER_LEN);
    if (cut->headers_len > cut->size) {
        return false;
    }
    if (cut->is_tcp) {
        size_t tcp_len = (cut->data[cut->l4_ofs + 12] >> 4) * 4;

        if (tcp_len < TCP_HEADER_LEN) {
            return false;
        }
        cut->headers_len = cut->l4_ofs + tcp_len;
    }
    cut->piece = cut->segsz;
    if (cut->is_tcp && cut->n_layers == 1
        && cut->headers_len + cut->segsz <= MAX_WHOLE) {
        cut->piece = ROUND_DOWN(MAX_WHOLE - cut->headers_len, cut->segsz);
    }
    return (cut->headers_len < cut->size
            && cut->headers_len + cut->piece <= UINT16_MAX);
}

bool
fabric_cut_is_needed(const void *frame, size_t size,
                     const struct virtio_net_hdr *vnet)
{
    uint8_t type = vnet->gso_type & ~VIRTIO_NET_HDR_GSO_ECN;
    struct fabric_cut_layer layer;
    uint16_t eth_type;
    uint8_t proto;
    size_t next;

    if (type == VIRTIO_NET_HDR_GSO_UDP_L4 || size > MAX_WHOLE) {
        return type != VIRTIO_NET_HDR_GSO_NONE;
    } else if (type != VIRTIO_NET_HDR_GSO_TCPV4
               && type != VIRTIO_NET_HDR_GSO_TCPV6) {
        return false;
    }
    return (vnet->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM
            && parse_ip(frame, fabric_find_l3(frame, size, &eth_type), size,
                        &layer, &proto, &next)
            && (OVS_FORCE uint16_t) vnet->csum_start != next);
}

bool
fabric_cut_start(struct fabric_cut *cut, void *frame, size_t size,
                 const struct virtio_net_hdr *vnet)
{
    *cut = (struct fabric_cut) { .data = frame, .size = size };
    if (!parse(cut, vnet)) {
        fabric_cut_stop(cut);
        return false;
    }
    COVERAGE_INC(fabric_cut);
    return true;
}

void
fabric_cut_stop(struct fabric_cut *cut)
{
    free(cut->data);
    cut->data = NULL;
}

static void
put_csum(uint8_t *p, uint16_t csum)
{
    memcpy(p, &csum, sizeof csum);
}

/* Returns the sum of the pseudo-header (RFC 9293 section 3.1, RFC 8200 section
 * 8.1) of 'len' bytes of 'proto' in 'layer', which is of IP. */
static uint64_t
pseudo_sum(const uint8_t *data, const struct fabric_cut_layer *layer,
           uint8_t proto, size_t len)
{
    bool is_ipv4 = layer->kind == FABRIC_CUT_IPV4;
    uint64_t sum = fabric_csum_add(0, data + layer->ofs + (is_ipv4 ? 12 : 8),
                                   is_ipv4 ? 8 : 32);

    return (sum + (OVS_FORCE uint16_t) htons(proto)
            + (OVS_FORCE uint16_t) htons(len));
}

/* Writes the length of the IP packet at 'layer', 'len', and the ID of the one
 * that is number 'i' on the wire. */
static void
finish_ip(uint8_t *data, const struct fabric_cut_layer *layer, size_t len,
          size_t i)
{
    uint8_t *ip = data + layer->ofs;

    if (layer->kind == FABRIC_CUT_IPV6) {
        fabric_put_be16(ip + 4, len - IPV6_HEADER_LEN);
        return;
    }
    fabric_put_be16(ip + 2, len);
    fabric_put_be16(ip + 4, fabric_get_be16(ip + 4) + i);
    put_csum(ip + 10, 0);
    put_csum(ip + 10, ~fabric_csum_fold(
                 fabric_csum_add(0, ip, IP_IHL(ip[0]) * 4)));
}

/* Writes length and checksum of the 'len' bytes of UDP at 'ofs', which are in
 * 'ip'.  A tunnel's packets without checksum keep to that. */
static void
finish_udp(uint8_t *data, size_t ofs, const struct fabric_cut_layer *ip,
           size_t len, bool is_tunnel)
{
    uint8_t *udp = data + ofs;
    uint16_t csum;

    fabric_put_be16(udp + 4, len);
    if (is_tunnel && !fabric_get_be16(udp + 6)) {
        return;
    }
    put_csum(udp + 6, 0);
    csum = ~fabric_csum_fold(fabric_csum_add(
                                 pseudo_sum(data, ip, IPPROTO_UDP, len),
                                 udp, len));
    put_csum(udp + 6, csum ? csum : UINT16_MAX);
}

/* Writes sequence number, flags and checksum of the 'len' bytes of TCP, which
 * follow 'done' bytes of payload.  If 'partial', the checksum is that of the
 * pseudo-header, as whoever finishes it expects. */
static void
finish_tcp(uint8_t *data, const struct fabric_cut *cut, size_t len,
           size_t done, bool last, bool partial)
{
    const struct fabric_cut_layer *ip = &cut->layers[cut->n_layers - 1];
    uint8_t *tcp = data + cut->l4_ofs;
    uint16_t ctl = fabric_get_be16(tcp + 12);
    uint64_t sum = pseudo_sum(data, ip, IPPROTO_TCP, len);

    if (done) {
        /* RFC 3168 section 6.1.2: one congestion window reduction, one CWR. */
        ctl &= ~TCP_CWR;
    }
    if (!last) {
        ctl &= ~(TCP_FIN | TCP_PSH);
    }
    fabric_put_be32(tcp + 4, fabric_get_be32(tcp + 4) + done);
    fabric_put_be16(tcp + 12, ctl);
    if (partial) {
        put_csum(tcp + 16, fabric_csum_fold(sum));
    } else {
        put_csum(tcp + 16, 0);
        put_csum(tcp + 16, ~fabric_csum_fold(fabric_csum_add(sum, tcp, len)));
    }
}

/* Describes 'piece', with 'len' bytes of payload, as fabric_vnet_parse()
 * would. */
static void
describe(struct dp_packet *piece, const struct fabric_cut *cut, size_t len,
         bool partial)
{
    if (cut->n_layers > 1) {
        return;
    }
    piece->l3_ofs = cut->layers[0].ofs;
    piece->l4_ofs = cut->l4_ofs;
    if (cut->is_tcp) {
        dp_packet_l4_proto_set_tcp(piece);
    } else {
        dp_packet_l4_proto_set_udp(piece);
    }
    if (partial) {
        dp_packet_l4_checksum_set_partial(piece);
        if (len > cut->segsz) {
            dp_packet_set_tso_segsz(piece, cut->segsz);
        }
    }
}

struct dp_packet *
fabric_cut_next(struct fabric_cut *cut)
{
    bool partial = cut->is_tcp && cut->n_layers == 1;
    size_t done = cut->n * cut->piece, left, len, end;
    struct dp_packet *piece;
    const uint8_t *from;
    uint8_t *data;

    if (!cut->data) {
        return NULL;
    }
    left = cut->size - cut->headers_len - done;
    len = MIN(left, cut->piece);
    end = cut->headers_len + len;
    from = cut->data;
    piece = dp_packet_new_with_headroom(end, HEADROOM);
    data = dp_packet_put(piece, from, cut->headers_len);
    dp_packet_put(piece, from + cut->headers_len + done, len);

    if (cut->is_tcp) {
        finish_tcp(data, cut, end - cut->l4_ofs, done, len == left, partial);
    } else {
        finish_udp(data, cut->l4_ofs, &cut->layers[cut->n_layers - 1],
                   end - cut->l4_ofs, false);
    }
    for (size_t i = cut->n_layers; i-- > 0; ) {
        const struct fabric_cut_layer *layer = &cut->layers[i];

        if (layer->kind == FABRIC_CUT_UDP) {
            finish_udp(data, layer->ofs, layer - 1, end - layer->ofs, true);
        } else {
            finish_ip(data, layer, end - layer->ofs, done / cut->segsz);
        }
    }
    describe(piece, cut, len, partial);
    cut->n++;
    if (len == left) {
        fabric_cut_stop(cut);
    }
    return piece;
}
