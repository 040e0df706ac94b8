/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "fabric-vnet.h"

#include <linux/virtio_net.h>

#include "csum.h"
#include "dp-packet.h"
#include "flow.h"
#include "packets.h"
#include "unaligned.h"
#include "util.h"

/* Is the checksum that is to be finished that of the packet's layer 4? */
static bool
is_l4_csum(const struct dp_packet *packet, size_t start, size_t ofs)
{
    return (start == packet->l4_ofs
            && ((dp_packet_l4_proto_tcp(packet)
                 && ofs == offsetof(struct tcp_header, tcp_csum))
                || (dp_packet_l4_proto_udp(packet)
                    && ofs == offsetof(struct udp_header, udp_csum))
                || (dp_packet_l4_proto_sctp(packet)
                    && ofs == offsetof(struct sctp_header, sctp_csum))));
}

bool
fabric_vnet_parse(struct dp_packet *packet, const struct virtio_net_hdr *vnet,
                  size_t shift)
{
    size_t size = dp_packet_size(packet);

    if (vnet->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
        size_t start = (OVS_FORCE uint16_t) vnet->csum_start;
        size_t ofs = (OVS_FORCE uint16_t) vnet->csum_offset;
        ovs_be16 *field;

        if (start < shift) {
            return false;
        }
        start -= shift;
        if (start + ofs + sizeof *field > size) {
            return false;
        }
        parse_tcp_flags(packet, NULL, NULL, NULL);
        if (is_l4_csum(packet, start, ofs)) {
            dp_packet_l4_checksum_set_partial(packet);
        } else {
            field = dp_packet_at_assert(packet, start + ofs, sizeof *field);
            put_unaligned_be16(field, csum(dp_packet_at_assert(
                                               packet, start, size - start),
                                           size - start));
        }
    }
    switch (vnet->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
    case VIRTIO_NET_HDR_GSO_NONE:
        return true;
    case VIRTIO_NET_HDR_GSO_TCPV4:
    case VIRTIO_NET_HDR_GSO_TCPV6:
        dp_packet_set_tso_segsz(packet, (OVS_FORCE uint16_t) vnet->gso_size);
        return true;
    }
    return false;
}
