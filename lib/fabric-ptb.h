/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_PTB_H
#define FABRIC_PTB_H 1

/* "Packet too big", as the routers of a workload would say it.
 * ============================================================
 *
 * Composes the ICMP message "fragmentation needed and DF set" (RFC 792, RFC
 * 1191 section 4) or the ICMPv6 message "packet too big" (RFC 4443 section
 * 3.2) that tells the sender of an inner packet which size would fit.  It
 * comes from the packet's destination, as far as a sender can see, since the
 * switch has no address in the tenant's network.
 *
 * Thread-safety: any thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ethernet and two VLAN tags; then IP, ICMP and quotation are at most 1280,
 * the least MTU of IPv6 (RFC 4443 section 2.4 (c)). */
#define FABRIC_PTB_MAX (14 + 8 + 1280)

/* Writes to 'message' what to tell the sender of the inner frame at 'frame',
 * 'size' bytes, of whose IP packet at most 'mtu' bytes would fit.  Returns the
 * message's size; 0 if there is nothing to tell: the packet may be fragmented
 * or does fit, is no IP packet, or must not cause an ICMP error (RFC 1812
 * section 4.3.2.7, RFC 4443 section 2.4 (e)).
 *
 * No IPv6 host has to take less than 1280 for an answer (RFC 8200 section 5),
 * so that packets of IPv6 up to that size are among those that fit. */
size_t fabric_ptb_compose(const void *frame, size_t size, uint32_t mtu,
                          uint8_t message[FABRIC_PTB_MAX]);

/* May the sender of flow 'hash' be told now, at 'now' ms?  If so, takes it for
 * told.  Bounds how many messages there are: one in FABRIC_PTB_INTERVAL ms to
 * all flows that share one of FABRIC_PTB_BUCKETS. */
#define FABRIC_PTB_INTERVAL 100
#define FABRIC_PTB_BUCKETS 256
bool fabric_ptb_allow(uint32_t hash, long long int now);

#endif /* fabric-ptb.h */
