/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_VNET_H
#define FABRIC_VNET_H 1

/* What the kernel says of a packet that a workload sent.
 * ======================================================
 *
 * Thread-safety: pure function, any thread. */

#include <stdbool.h>
#include <stddef.h>

struct dp_packet;
struct virtio_net_hdr;

/* Tells 'packet' what 'vnet', whose offsets count from 'shift' bytes before
 * the packet's first, says that its sender left to be done, and where its
 * layers are if there is any.  Returns false if the packet has to be dropped:
 * its checksum is outside of it, or it is a super-frame of another protocol
 * than TCP. */
bool fabric_vnet_parse(struct dp_packet *packet,
                       const struct virtio_net_hdr *vnet, size_t shift);

#endif /* fabric-vnet.h */
