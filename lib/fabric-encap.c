/* SPDX-License-Identifier: Apache-2.0 */

/* VXLAN, RFC 7348 section 5:
 *
 *    0               1               2               3
 *   |R|R|R|R|I|R|R|R|             Reserved                          |
 *   |       VXLAN Network Identifier (VNI)          |   Reserved    |
 *
 * Geneve, RFC 8926 section 3.4, then 'Opt Len' words of options (3.5):
 *
 *   |Ver|  Opt Len  |O|C|    Rsvd.  |         Protocol Type         |
 *   |       Virtual Network Identifier (VNI)        |   Reserved    |
 *
 *   |          Option Class         |      Type     |R|R|R| Length  |
 */

#include <config.h>
#include "fabric-encap.h"

#include "fabric-bytes.h"
#include "openvswitch/geneve.h"
#include "openvswitch/packets.h"
#include "flow.h"
#include "packets.h"
#include "tun-metadata.h"
#include "util.h"

/* First word of a VXLAN header.  Bits that RFC 7348 reserves are ignored, as
 * its section 5 asks, but for those by which other formats on the same port
 * say that the payload is not an ordinary frame: the generic protocol
 * extension's version, next protocol and OAM bits (draft-ietf-nvo3-vxlan-gpe
 * section 3.1) and Linux's remote checksum offload, which leaves the payload's
 * checksum unfinished.  A group policy ID changes nothing about the payload
 * and is ignored. */
#define VXLAN_I 0x08000000u
#define VXLAN_GPE_VERSION 0x30000000u
#define VXLAN_GPE_NEXT_PROTOCOL 0x04000000u
#define VXLAN_GPE_OAM 0x01000000u
#define VXLAN_RCO 0x00200000u
#define VXLAN_REFUSED (VXLAN_GPE_VERSION | VXLAN_GPE_NEXT_PROTOCOL \
                       | VXLAN_GPE_OAM | VXLAN_RCO)

/* First word of a Geneve header. */
#define GENEVE_VERSION_SHIFT 30
#define GENEVE_OPT_LEN_SHIFT 24
#define GENEVE_OPT_LEN_MASK 0x3fu
#define GENEVE_O (FABRIC_GENEVE_OAM << 16)
#define GENEVE_C 0x00400000u

/* Geneve options: header of each, and where its length and type are. */
#define GENEVE_OPT_HLEN 4
#define GENEVE_OPT_TYPE 2
#define GENEVE_OPT_LENGTH 3
#define GENEVE_OPT_LENGTH_MASK 0x1f

BUILD_ASSERT_DECL(FABRIC_GENEVE_MAX_OPTS == TLV_TOT_OPT_SIZE);

static bool
refuse(enum fabric_drop *drop, enum fabric_drop reason)
{
    *drop = reason;
    return false;
}

static bool
vxlan_parse(const uint8_t *data, size_t size, struct fabric_encap_info *info,
            enum fabric_drop *drop)
{
    uint32_t flags;

    if (size < FABRIC_VXLAN_HLEN + ETH_HEADER_LEN) {
        return refuse(drop, FABRIC_DROP_RX_TRUNCATED);
    }

    flags = fabric_get_be32(data);
    if (!(flags & VXLAN_I) || flags & VXLAN_REFUSED) {
        return refuse(drop, FABRIC_DROP_RX_BAD_HEADER);
    }

    *info = (struct fabric_encap_info) {
        .vni = fabric_get_be32(data + 4) >> 8,
        .header_len = FABRIC_VXLAN_HLEN,
    };
    return true;
}

/* Walks the 'len' bytes of options at 'opts'.  Returns false if they do not
 * fill 'len' exactly (RFC 8926 section 3.5), otherwise stores in '*critical'
 * whether any has the critical bit. */
static bool
geneve_walk_options(const uint8_t *opts, size_t len, bool *critical)
{
    size_t ofs = 0;

    *critical = false;
    while (ofs < len) {
        size_t opt_len = GENEVE_OPT_HLEN
            + (opts[ofs + GENEVE_OPT_LENGTH] & GENEVE_OPT_LENGTH_MASK) * 4;

        if (opt_len > len - ofs) {
            return false;
        }
        *critical |= (opts[ofs + GENEVE_OPT_TYPE] & GENEVE_CRIT_OPT_TYPE) != 0;
        ofs += opt_len;
    }
    return true;
}

/* Critical options (RFC 8926 section 3.5) are not refused here: every option
 * reaches the flow table as it came, so whether one is understood depends on
 * the OpenFlow TLV table.  Translation drops the packet if it has a critical
 * option that the table does not know, see tun_metadata_from_geneve_udpif().
 * For the same reason the C bit is not compared with the options. */
static bool
geneve_parse(const uint8_t *data, size_t size, struct fabric_encap_info *info,
             enum fabric_drop *drop)
{
    size_t opts_len, header_len;
    bool critical_opt;
    uint32_t flags;

    if (size < FABRIC_GENEVE_HLEN) {
        return refuse(drop, FABRIC_DROP_RX_TRUNCATED);
    }

    flags = fabric_get_be32(data);
    if (flags >> GENEVE_VERSION_SHIFT) {
        return refuse(drop, FABRIC_DROP_RX_BAD_HEADER);
    }

    opts_len = (flags >> GENEVE_OPT_LEN_SHIFT & GENEVE_OPT_LEN_MASK) * 4;
    header_len = FABRIC_GENEVE_HLEN + opts_len;
    if (size < header_len) {
        return refuse(drop, FABRIC_DROP_RX_TRUNCATED);
    }
    if (!geneve_walk_options(data + FABRIC_GENEVE_HLEN, opts_len,
                             &critical_opt)) {
        return refuse(drop, FABRIC_DROP_RX_BAD_HEADER);
    }
    if ((flags & UINT16_MAX) != ETH_TYPE_TEB) {
        return refuse(drop, FABRIC_DROP_RX_BAD_PROTOCOL);
    }
    if (size < header_len + ETH_HEADER_LEN) {
        return refuse(drop, FABRIC_DROP_RX_TRUNCATED);
    }

    *info = (struct fabric_encap_info) {
        .vni = fabric_get_be32(data + 4) >> 8,
        .header_len = header_len,
        .opts_len = opts_len,
        .opts = opts_len ? data + FABRIC_GENEVE_HLEN : NULL,
        .oam = (flags & GENEVE_O) != 0,
        .critical = (flags & GENEVE_C) != 0,
    };
    return true;
}

bool
fabric_encap_parse(enum fabric_encap encap, const void *data, size_t size,
                   struct fabric_encap_info *info, enum fabric_drop *drop)
{
    switch (encap) {
    case FABRIC_ENCAP_VXLAN:
        return vxlan_parse(data, size, info, drop);
    case FABRIC_ENCAP_GENEVE:
        return geneve_parse(data, size, info, drop);
    }
    OVS_NOT_REACHED();
}

static size_t
vxlan_build(uint32_t vni, void *header)
{
    fabric_put_be32(header, VXLAN_I);
    fabric_put_be32((uint8_t *) header + 4, vni << 8);
    return FABRIC_VXLAN_HLEN;
}

static size_t
geneve_build(uint32_t vni, size_t opts_len, bool oam, bool critical,
             void *header)
{
    fabric_put_be32(header, (opts_len / 4) << GENEVE_OPT_LEN_SHIFT
                            | (oam ? GENEVE_O : 0)
                            | (critical ? GENEVE_C : 0)
                            | ETH_TYPE_TEB);
    fabric_put_be32((uint8_t *) header + 4, vni << 8);
    return FABRIC_GENEVE_HLEN + opts_len;
}

/* Writes the options of 'tnl', in either of the forms that struct tun_metadata
 * describes, to 'opts'.  A set(tunnel) datapath action leaves the raw form,
 * translation the other. */
static size_t
geneve_build_options(const struct flow_tnl *tnl, uint8_t *opts,
                     bool *critical)
{
    if (tnl->flags & FLOW_TNL_F_UDPIF) {
        size_t len = tnl->metadata.present.len;

        if (len > FABRIC_GENEVE_MAX_OPTS
            || !geneve_walk_options(tnl->metadata.opts.u8, len, critical)) {
            /* No parser or flow made them: a peer would drop the packet. */
            *critical = false;
            return 0;
        }
        memcpy(opts, tnl->metadata.opts.u8, len);
        return len;
    } else if (tnl->metadata.present.map) {
        struct geneve_opt aligned[FABRIC_GENEVE_MAX_OPTS
                                  / sizeof(struct geneve_opt)];
        int len = tun_metadata_to_geneve_header(tnl, aligned, critical);

        memcpy(opts, aligned, len);
        return len;
    } else {
        *critical = false;
        return 0;
    }
}

size_t
fabric_encap_build(enum fabric_encap encap, const struct flow_tnl *tnl,
                   void *header)
{
    uint32_t vni = ntohll(tnl->tun_id) & FABRIC_MAX_VNI;
    size_t opts_len;
    bool critical;

    switch (encap) {
    case FABRIC_ENCAP_VXLAN:
        return vxlan_build(vni, header);
    case FABRIC_ENCAP_GENEVE:
        opts_len = geneve_build_options(tnl, (uint8_t *) header
                                             + FABRIC_GENEVE_HLEN, &critical);
        return geneve_build(vni, opts_len, tnl->flags & FLOW_TNL_F_OAM,
                            critical, header);
    }
    OVS_NOT_REACHED();
}

size_t
fabric_encap_build_simple(enum fabric_encap encap, uint32_t vni, bool oam,
                          void *header)
{
    switch (encap) {
    case FABRIC_ENCAP_VXLAN:
        return vxlan_build(vni, header);
    case FABRIC_ENCAP_GENEVE:
        return geneve_build(vni, 0, oam, false, header);
    }
    OVS_NOT_REACHED();
}

void
fabric_encap_to_tnl(enum fabric_encap encap,
                    const struct fabric_encap_info *info,
                    struct flow_tnl *tnl)
{
    tnl->tun_id = htonll(info->vni);
    tnl->flags |= FLOW_TNL_F_KEY;

    switch (encap) {
    case FABRIC_ENCAP_VXLAN:
        break;

    case FABRIC_ENCAP_GENEVE:
        tnl->flags |= FLOW_TNL_F_UDPIF | (info->oam ? FLOW_TNL_F_OAM : 0);
        tnl->metadata.tab = NULL;
        tnl->metadata.present.map = 0;
        tnl->metadata.present.len = info->opts_len;
        if (info->opts_len) {
            uint8_t *opts = tnl->metadata.opts.u8;

            /* A flow key takes whole 64-bit words, so the last is filled
             * with zeros: what memory held before must not tell two packets
             * of a flow apart. */
            memcpy(opts, info->opts, info->opts_len);
            memset(opts + info->opts_len, 0,
                   ROUND_UP(info->opts_len, 8) - info->opts_len);
        }
        break;
    }
}
