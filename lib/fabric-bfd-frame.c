/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-bfd-frame.h"

#include <string.h>

#include "csum.h"
#include "fabric-bytes.h"
#include "fabric-l3.h"
#include "util.h"

/* RFC 5881 section 5, RFC 8971 section 3, RFC 9521 section 4. */
#define BFD_TTL 255

const struct eth_addr fabric_bfd_mac = ETH_ADDR_C(00,00,5e,00,52,02);
const struct eth_addr fabric_bfd_ovs_mac = ETH_ADDR_C(00,23,20,00,00,01);

/* RFC 8971 section 3 takes IPv6 destinations from ::ffff:127.0.0.0/104. */
void
fabric_bfd_default_addrs(enum fabric_encap encap, const struct in6_addr *src,
                         struct fabric_bfd_addrs *addrs)
{
    *addrs = (struct fabric_bfd_addrs) {
        .dst_mac = fabric_bfd_mac,
        .ipv6 = !IN6_IS_ADDR_V4MAPPED(src),
        .src = *src,
    };
    if (addrs->ipv6 && encap == FABRIC_ENCAP_GENEVE) {
        addrs->dst = in6addr_loopback;
    } else {
        in6_addr_set_mapped_ipv4(&addrs->dst, htonl(INADDR_LOOPBACK));
    }
}

static bool
is_loopback(const struct in6_addr *ip)
{
    return ((IN6_IS_ADDR_V4MAPPED(ip) && ip->s6_addr[12] == 127)
            || IN6_IS_ADDR_LOOPBACK(ip));
}

bool
fabric_bfd_reply_addrs(enum fabric_encap encap, const struct in6_addr *local,
                       const struct in6_addr *remote,
                       const struct fabric_bfd_addrs *theirs,
                       struct fabric_bfd_addrs *ours)
{
    if (is_loopback(&theirs->dst) && ipv6_addr_equals(&theirs->src, remote)) {
        fabric_bfd_default_addrs(encap, local, ours);
        return true;
    }
    *ours = *theirs;
    ours->src = theirs->dst;
    ours->dst = theirs->src;
    return false;
}

/* Composing. */

#define BFD_UDP_LEN (UDP_HEADER_LEN + FABRIC_BFD_LEN)

/* Writes the IP header.  Returns its length and stores the ones' complement
 * sum of the UDP pseudo-header (RFC 768, RFC 8200 section 8.1). */
static size_t
put_ip(const struct fabric_bfd_addrs *addrs, uint8_t *ip, uint32_t *pseudo)
{
    size_t len = addrs->ipv6 ? IPV6_HEADER_LEN : IP_HEADER_LEN;

    memset(ip, 0, len);
    if (addrs->ipv6) {
        ip[0] = 6 << 4;
        fabric_put_be16(ip + 4, BFD_UDP_LEN);
        ip[6] = IPPROTO_UDP;
        ip[7] = BFD_TTL;
        memcpy(ip + 8, &addrs->src, sizeof addrs->src);
        memcpy(ip + 24, &addrs->dst, sizeof addrs->dst);
        *pseudo = csum_continue(0, ip + 8, 32);
    } else {
        ovs_be32 src = in6_addr_get_mapped_ipv4(&addrs->src);
        ovs_be32 dst = in6_addr_get_mapped_ipv4(&addrs->dst);
        ovs_be16 sum;

        ip[0] = IP_IHL_VER(5, 4);
        fabric_put_be16(ip + 2, IP_HEADER_LEN + BFD_UDP_LEN);
        fabric_put_be16(ip + 6, IP_DONT_FRAGMENT);
        ip[8] = BFD_TTL;
        ip[9] = IPPROTO_UDP;
        memcpy(ip + 12, &src, sizeof src);
        memcpy(ip + 16, &dst, sizeof dst);
        sum = csum(ip, IP_HEADER_LEN);
        memcpy(ip + 10, &sum, sizeof sum);
        *pseudo = csum_continue(0, ip + 12, 8);
    }
    *pseudo = csum_add16(csum_add16(*pseudo, htons(IPPROTO_UDP)),
                         htons(BFD_UDP_LEN));
    return len;
}

size_t
fabric_bfd_compose(const struct fabric_bfd_packet *packet,
                   const struct fabric_bfd_addrs *addrs,
                   const struct eth_addr *src_mac, uint16_t src_port,
                   void *frame)
{
    uint8_t *eth = frame;
    uint8_t *udp = eth + ETH_HEADER_LEN;
    uint32_t sum;
    ovs_be16 csum;

    memcpy(eth, &addrs->dst_mac, ETH_ADDR_LEN);
    memcpy(eth + ETH_ADDR_LEN, src_mac, ETH_ADDR_LEN);
    fabric_put_be16(eth + 12, addrs->ipv6 ? ETH_TYPE_IPV6 : ETH_TYPE_IP);
    udp += put_ip(addrs, udp, &sum);

    fabric_put_be16(udp, src_port);
    fabric_put_be16(udp + 2, FABRIC_BFD_PORT);
    fabric_put_be16(udp + 4, BFD_UDP_LEN);
    fabric_put_be16(udp + 6, 0);
    fabric_bfd_put(packet, udp + UDP_HEADER_LEN);

    /* RFC 768: a checksum that comes out as zero is sent as all ones. */
    csum = csum_finish(csum_continue(sum, udp, BFD_UDP_LEN));
    csum = csum ? csum : OVS_BE16_MAX;
    memcpy(udp + 6, &csum, sizeof csum);
    return udp + BFD_UDP_LEN - eth;
}

/* Parsing. */

/* A UDP datagram and the address(es) of its pseudo-header. */
struct datagram {
    const uint8_t *udp;
    size_t size;                /* Room for it. */
    const uint8_t *addrs;
    size_t addrs_len;
};

static bool
find_ipv4(const uint8_t *ip, size_t size, struct datagram *d)
{
    size_t ip_len, tot_len;

    if (size < IP_HEADER_LEN || IP_VER(ip[0]) != 4) {
        return false;
    }
    ip_len = IP_IHL(ip[0]) * 4;
    tot_len = fabric_get_be16(ip + 2);
    if (ip_len < IP_HEADER_LEN || tot_len < ip_len || tot_len > size
        || fabric_get_be16(ip + 6) & (IP_MORE_FRAGMENTS | IP_FRAG_OFF_MASK)
        || ip[8] != BFD_TTL || ip[9] != IPPROTO_UDP) {
        return false;
    }
    *d = (struct datagram) { ip + ip_len, tot_len - ip_len, ip + 12, 8 };
    return true;
}

static bool
find_ipv6(const uint8_t *ip6, size_t size, struct datagram *d)
{
    size_t plen;

    if (size < IPV6_HEADER_LEN || IP_VER(ip6[0]) != 6) {
        return false;
    }
    plen = fabric_get_be16(ip6 + 4);
    if (plen > size - IPV6_HEADER_LEN
        || ip6[6] != IPPROTO_UDP || ip6[7] != BFD_TTL) {
        return false;
    }
    *d = (struct datagram) { ip6 + IPV6_HEADER_LEN, plen, ip6 + 8, 32 };
    return true;
}

/* Finds the UDP datagram, which is to the port of BFD. */
static bool
find_datagram(const uint8_t *frame, size_t size, struct datagram *d)
{
    uint16_t eth_type;

    if (size < ETH_HEADER_LEN) {
        return false;
    }
    eth_type = fabric_get_be16(frame + 12);
    frame += ETH_HEADER_LEN;
    size -= ETH_HEADER_LEN;
    return ((eth_type == ETH_TYPE_IP ? find_ipv4(frame, size, d)
             : eth_type == ETH_TYPE_IPV6 ? find_ipv6(frame, size, d)
             : false)
            && d->size >= UDP_HEADER_LEN
            && fabric_get_be16(d->udp + 2) == FABRIC_BFD_PORT);
}

bool
fabric_bfd_is_control__(const void *frame, size_t size)
{
    struct datagram d;

    return find_datagram(frame, size, &d);
}

/* As bfd_should_process_flow() of Open vSwitch's lib/bfd.c: a fragment counts
 * if it is the first, and neither lengths nor checksums have to be right. */
bool
fabric_bfd_is_taken_by_ovs(const void *frame_, size_t size)
{
    const uint8_t *frame = frame_;
    uint16_t eth_type;
    size_t ofs = fabric_find_l3(frame, size, &eth_type);
    const uint8_t *ip = frame + ofs;
    size_t ip_len;

    if (eth_type != ETH_TYPE_IP || size - ofs < IP_HEADER_LEN) {
        return false;
    }
    ip_len = IP_IHL(ip[0]) * 4;
    return (ip[9] == IPPROTO_UDP
            && !(fabric_get_be16(ip + 6) & IP_FRAG_OFF_MASK)
            && size - ofs >= ip_len + UDP_HEADER_LEN
            && fabric_get_be16(ip + ip_len + 2) == FABRIC_BFD_PORT);
}

/* Over IPv6 the checksum may not be left out, RFC 8200 section 8.1. */
static bool
udp_is_intact(const struct datagram *d, size_t udp_len)
{
    uint32_t sum;

    if (!fabric_get_be16(d->udp + 6)) {
        return d->addrs_len == 8;
    }
    sum = csum_continue(0, d->addrs, d->addrs_len);
    sum = csum_add16(csum_add16(sum, htons(IPPROTO_UDP)), htons(udp_len));
    return !csum_finish(csum_continue(sum, d->udp, udp_len));
}

bool
fabric_bfd_parse(const void *frame_, size_t size,
                 struct fabric_bfd_packet *packet,
                 struct fabric_bfd_addrs *addrs)
{
    const uint8_t *frame = frame_;
    struct datagram d;
    size_t udp_len;

    if (!find_datagram(frame, size, &d)) {
        return false;
    }
    udp_len = fabric_get_be16(d.udp + 4);
    if (udp_len < BFD_UDP_LEN || udp_len > d.size
        || (d.addrs_len == 8
            && csum(frame + ETH_HEADER_LEN,
                    d.udp - (frame + ETH_HEADER_LEN)))
        || !udp_is_intact(&d, udp_len)) {
        return false;
    }

    memcpy(&addrs->dst_mac, frame, ETH_ADDR_LEN);
    addrs->ipv6 = d.addrs_len == 32;
    if (addrs->ipv6) {
        memcpy(&addrs->src, d.addrs, sizeof addrs->src);
        memcpy(&addrs->dst, d.addrs + 16, sizeof addrs->dst);
    } else {
        ovs_be32 ip;

        memcpy(&ip, d.addrs, sizeof ip);
        in6_addr_set_mapped_ipv4(&addrs->src, ip);
        memcpy(&ip, d.addrs + 4, sizeof ip);
        in6_addr_set_mapped_ipv4(&addrs->dst, ip);
    }
    return fabric_bfd_get(d.udp + UDP_HEADER_LEN, udp_len - UDP_HEADER_LEN,
                          packet);
}
