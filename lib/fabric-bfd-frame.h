/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_BFD_FRAME_H
#define FABRIC_BFD_FRAME_H 1

/* BFD control packets in a tunnel.
 * ================================
 *
 * The inner frame: Ethernet, IPv4 or IPv6, UDP to port 3784, BFD.  There are
 * two ways to address it:
 *
 *   - RFC 8971 section 3 (VXLAN) and RFC 9521 section 4 (Geneve): on the
 *     management VNI or with Geneve's O bit, to MAC 00-00-5E-00-52-02 and a
 *     loopback address, from the VTEP's address.
 *
 *   - Open vSwitch: on the VNI that is the tunnel's key (0 if flows set it),
 *     to MAC 00-23-20-00-00-01 and 169.254.1.0, from 169.254.1.1, all of which
 *     but the VNI can be configured there.  It accepts any VNI, any MAC and
 *     any IPv4 address unless configured otherwise, but no IPv6.  Over Geneve
 *     it sets the O bit.
 *
 * The inner TTL is 255 in any case.
 *
 * A workload can write all of this but the VNI and the O bit, which its host
 * chooses.  Hence these alone tell whether a frame is from a host: what comes
 * on any other VNI is payload, whatever it looks like.
 *
 * This module only reads and writes bytes.
 *
 * Thread-safety: pure functions, any thread. */

#include "fabric-bfd.h"
#include "fabric-types.h"
#include "openvswitch/types.h"
#include "packets.h"

#define FABRIC_BFD_PORT 3784
#define FABRIC_BFD_MAX_FRAME (14 + 40 + 8 + FABRIC_BFD_LEN)

extern const struct eth_addr fabric_bfd_mac;        /* 00-00-5E-00-52-02. */
extern const struct eth_addr fabric_bfd_ovs_mac;    /* 00-23-20-00-00-01. */

/* How a control packet is addressed. */
struct fabric_bfd_addrs {
    struct eth_addr dst_mac;
    bool ipv6;                  /* If not, 'src' and 'dst' are IPv4-mapped; if
                                 * so, 'dst' may nevertheless be, as RFC 8971
                                 * wants it. */
    struct in6_addr src, dst;
};

/* Fills in the addresses of RFC 8971 or RFC 9521 for VTEP address 'src'. */
void fabric_bfd_default_addrs(enum fabric_encap, const struct in6_addr *src,
                              struct fabric_bfd_addrs *);

/* Fills in, as '*ours', the addresses with which to answer a peer at 'remote'
 * that uses 'theirs': those above, from 'local', if it does as the RFCs say,
 * else its own ones exchanged.  Returns true if it does as the RFCs say. */
bool fabric_bfd_reply_addrs(enum fabric_encap, const struct in6_addr *local,
                            const struct in6_addr *remote,
                            const struct fabric_bfd_addrs *theirs,
                            struct fabric_bfd_addrs *ours);

/* Writes the whole frame, checksums included, from UDP port 'src_port', to
 * 'frame', with room for FABRIC_BFD_MAX_FRAME bytes.  Returns its length. */
size_t fabric_bfd_compose(const struct fabric_bfd_packet *,
                          const struct fabric_bfd_addrs *,
                          const struct eth_addr *src_mac, uint16_t src_port,
                          void *frame);

/* Whom frames with a given header may be for. */
enum fabric_bfd_place {
    FABRIC_BFD_TENANT,          /* A tenant, whatever they look like. */
    FABRIC_BFD_OVS,             /* A host, if they are BFD to one of the MACs
                                 * above: on the VNI on which Open vSwitch's
                                 * tunnels have theirs. */
    FABRIC_BFD_MANAGEMENT,      /* A host, if they are BFD: on the management
                                 * VNI or with the O bit. */
};
static inline enum fabric_bfd_place
fabric_bfd_place(uint32_t vni, bool oam, uint32_t probe_vni, uint32_t bfd_vni)
{
    return (oam || vni == probe_vni ? FABRIC_BFD_MANAGEMENT
            : vni == bfd_vni ? FABRIC_BFD_OVS
            : FABRIC_BFD_TENANT);
}

/* Returns true if the inner frame, 'size' bytes, found at 'place', is BFD for
 * the host rather than for a tenant. */
bool fabric_bfd_is_control__(const void *frame, size_t size);
static inline bool
fabric_bfd_is_control(const void *frame, size_t size,
                      enum fabric_bfd_place place)
{
    return (place != FABRIC_BFD_TENANT && size >= ETH_HEADER_LEN
            && (place == FABRIC_BFD_MANAGEMENT
                || !memcmp(frame, &fabric_bfd_ovs_mac, ETH_ADDR_LEN)
                || !memcmp(frame, &fabric_bfd_mac, ETH_ADDR_LEN))
            && fabric_bfd_is_control__(frame, size));
}

/* Returns true if an Open vSwitch that has BFD on its tunnels, and is not told
 * otherwise, takes the inner frame, 'size' bytes, for its own: UDP to the port
 * of BFD, to any address, with VLAN tags or without. */
bool fabric_bfd_is_taken_by_ovs(const void *frame, size_t size);

/* Parses the inner frame.  Checks lengths, IP and UDP checksums, TTL 255, port
 * and the packet as fabric_bfd_get() does.  Returns true and fills '*packet'
 * and '*addrs' if it is a control packet. */
bool fabric_bfd_parse(const void *frame, size_t size,
                      struct fabric_bfd_packet *packet,
                      struct fabric_bfd_addrs *addrs);

#endif /* fabric-bfd-frame.h */
