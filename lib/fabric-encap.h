/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_ENCAP_H
#define FABRIC_ENCAP_H 1

/* VXLAN and Geneve headers.
 * =========================
 *
 * The part of a fabric packet between the outer UDP header and the inner
 * Ethernet frame: VXLAN (RFC 7348 section 5) or Geneve (RFC 8926 section 3).
 * Parsing believes nothing: every length is checked before a field is read.
 *
 * Thread-safety: pure functions, any thread. */

#include "fabric-types.h"
#include "fabric-drops.h"
#include "openvswitch/types.h"

struct flow_tnl;

#define FABRIC_VXLAN_HLEN 8
#define FABRIC_GENEVE_HLEN 8
#define FABRIC_GENEVE_OAM 0x80u          /* O bit, in the second byte. */
#define FABRIC_GENEVE_MAX_OPTS 252
#define FABRIC_ENCAP_MAX_HLEN (FABRIC_GENEVE_HLEN + FABRIC_GENEVE_MAX_OPTS)

/* A parsed header. */
struct fabric_encap_info {
    uint32_t vni;               /* 0...FABRIC_MAX_VNI. */
    uint16_t header_len;        /* Offset of the inner Ethernet frame. */
    uint16_t opts_len;          /* Bytes of Geneve options at 'opts'. */
    const void *opts;           /* Into the datagram; NULL if none. */
    bool oam;                   /* Geneve O bit. */
    bool critical;              /* Geneve C bit. */
};

/* Parses the 'size' bytes of UDP payload at 'data'.  Returns true and fills
 * '*info' if they begin with a valid header that is followed by at least an
 * Ethernet header; otherwise returns false and stores the reason in
 * '*drop'. */
bool fabric_encap_parse(enum fabric_encap, const void *data, size_t size,
                        struct fabric_encap_info *info,
                        enum fabric_drop *drop);

/* Writes the header for 'tnl' (tun_id, OAM flag and Geneve options count; the
 * rest does not) to 'header', FABRIC_ENCAP_MAX_HLEN bytes of room.  Returns
 * its length, a multiple of 4.  VXLAN carries no options: they are ignored, as
 * by any VXLAN port of Open vSwitch. */
size_t fabric_encap_build(enum fabric_encap, const struct flow_tnl *tnl,
                          void *header);

/* Writes a header without options for 'vni' likewise, for probes.  'oam' sets
 * the Geneve O bit (RFC 9521 section 3). */
size_t fabric_encap_build_simple(enum fabric_encap, uint32_t vni, bool oam,
                                 void *header);

/* Fills the fields of 'tnl' that come from the header: tun_id, flags and, for
 * Geneve, the raw options (FLOW_TNL_F_UDPIF form). */
void fabric_encap_to_tnl(enum fabric_encap, const struct fabric_encap_info *,
                         struct flow_tnl *tnl);

#endif /* fabric-encap.h */
