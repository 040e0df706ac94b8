/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_BFD_WAY_H
#define FABRIC_BFD_WAY_H 1

/* The way in which a peer sends its BFD, and is answered.
 * =======================================================
 *
 * The VNI and the inner addresses (see fabric-bfd-frame.h): at first those of
 * the RFCs, then those that the peer uses.
 *
 * Thread-safety: pure functions, any thread. */

#include "fabric-bfd-frame.h"
#include "fabric-encap.h"

struct fabric_encap_info;

struct fabric_bfd_way {
    enum fabric_encap encap;
    uint32_t vni;
    struct fabric_bfd_addrs addrs;      /* With which to send. */
    bool ovs;                           /* Not as the RFCs have it? */
};

/* Room for what fabric_bfd_way_compose() writes. */
#define FABRIC_BFD_MAX_DATAGRAM (FABRIC_GENEVE_HLEN + FABRIC_BFD_MAX_FRAME)

/* Makes '*way' that of the RFCs, for VTEP address 'local'. */
void fabric_bfd_way_init(struct fabric_bfd_way *way, enum fabric_encap,
                         uint32_t vni, const struct in6_addr *local);

/* Parses 'frame', 'size' bytes, which came from 'remote' to 'local' behind the
 * header 'info'.  Returns true and fills '*packet' and '*way', with which to
 * answer, if it is BFD. */
bool fabric_bfd_way_parse(enum fabric_encap, const struct fabric_encap_info *,
                          const struct in6_addr *local,
                          const struct in6_addr *remote,
                          const void *frame, size_t size,
                          struct fabric_bfd_packet *packet,
                          struct fabric_bfd_way *way);

/* Returns true if both send to the same VNI and addresses. */
bool fabric_bfd_way_equal(const struct fabric_bfd_way *,
                          const struct fabric_bfd_way *);

/* Writes the UDP payload, header included, from inner UDP port 'src_port' to
 * 'buf'.  It is to MAC 'dst' unless that is zero.  Returns its length. */
size_t fabric_bfd_way_compose(const struct fabric_bfd_way *,
                              const struct fabric_bfd_packet *,
                              const struct eth_addr *dst, uint16_t src_port,
                              uint8_t buf[FABRIC_BFD_MAX_DATAGRAM]);

#endif /* fabric-bfd-way.h */
