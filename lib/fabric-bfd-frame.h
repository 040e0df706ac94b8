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
 *     but the VNI can be configured there.  It accepts any MAC and any IPv4
 *     address unless configured otherwise, but no IPv6.
 *
 * The inner TTL is 255 in any case.
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
 * else its own ones exchanged. */
void fabric_bfd_reply_addrs(enum fabric_encap, const struct in6_addr *local,
                            const struct in6_addr *remote,
                            const struct fabric_bfd_addrs *theirs,
                            struct fabric_bfd_addrs *ours);

/* Writes the whole frame, checksums included, from UDP port 'src_port', to
 * 'frame', with room for FABRIC_BFD_MAX_FRAME bytes.  Returns its length. */
size_t fabric_bfd_compose(const struct fabric_bfd_packet *,
                          const struct fabric_bfd_addrs *,
                          const struct eth_addr *src_mac, uint16_t src_port,
                          void *frame);

/* Is the inner frame, 'size' bytes, for BFD rather than for a tenant?
 * 'management' says that it came on the management VNI or with the O bit;
 * otherwise only frames to the MACs above are. */
bool fabric_bfd_is_control__(const void *frame, size_t size);
static inline bool
fabric_bfd_is_control(const void *frame, size_t size, bool management)
{
    return (size >= ETH_HEADER_LEN
            && (management
                || !memcmp(frame, &fabric_bfd_ovs_mac, ETH_ADDR_LEN)
                || !memcmp(frame, &fabric_bfd_mac, ETH_ADDR_LEN))
            && fabric_bfd_is_control__(frame, size));
}

/* Parses the inner frame.  Checks lengths, IP and UDP checksums, TTL 255, port
 * and the packet as fabric_bfd_get() does.  Returns true and fills '*packet'
 * and '*addrs' if it is a control packet. */
bool fabric_bfd_parse(const void *frame, size_t size,
                      struct fabric_bfd_packet *packet,
                      struct fabric_bfd_addrs *addrs);

#endif /* fabric-bfd-frame.h */
