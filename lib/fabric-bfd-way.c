/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-bfd-way.h"

#include "fabric-encap.h"
#include "util.h"

void
fabric_bfd_way_init(struct fabric_bfd_way *way, enum fabric_encap encap,
                    uint32_t vni, const struct in6_addr *local)
{
    *way = (struct fabric_bfd_way) { .encap = encap, .vni = vni };
    fabric_bfd_default_addrs(encap, local, &way->addrs);
}

bool
fabric_bfd_way_parse(enum fabric_encap encap,
                     const struct fabric_encap_info *info,
                     const struct in6_addr *local,
                     const struct in6_addr *remote,
                     const void *frame, size_t size,
                     struct fabric_bfd_packet *packet,
                     struct fabric_bfd_way *way)
{
    struct fabric_bfd_addrs theirs;

    if (!fabric_bfd_parse(frame, size, packet, &theirs)) {
        return false;
    }
    *way = (struct fabric_bfd_way) { .encap = encap, .vni = info->vni };
    way->ovs = !fabric_bfd_reply_addrs(encap, local, remote, &theirs,
                                       &way->addrs);
    return true;
}

bool
fabric_bfd_way_equal(const struct fabric_bfd_way *a,
                     const struct fabric_bfd_way *b)
{
    return (a->vni == b->vni && a->addrs.ipv6 == b->addrs.ipv6
            && eth_addr_equals(a->addrs.dst_mac, b->addrs.dst_mac)
            && ipv6_addr_equals(&a->addrs.src, &b->addrs.src)
            && ipv6_addr_equals(&a->addrs.dst, &b->addrs.dst));
}

size_t
fabric_bfd_way_compose(const struct fabric_bfd_way *way,
                       const struct fabric_bfd_packet *packet,
                       const struct eth_addr *dst, uint16_t src_port,
                       uint8_t buf[FABRIC_BFD_MAX_DATAGRAM])
{
    static const struct eth_addr src_mac = ETH_ADDR_C(02,00,00,42,46,44);
    struct fabric_bfd_addrs addrs = way->addrs;
    size_t len = fabric_encap_build_simple(way->encap, way->vni, true, buf);

    if (!eth_addr_is_zero(*dst)) {
        addrs.dst_mac = *dst;
    }
    return len + fabric_bfd_compose(packet, &addrs, &src_mac, src_port,
                                    buf + len);
}
