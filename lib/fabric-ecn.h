/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_ECN_H
#define FABRIC_ECN_H 1

/* Explicit Congestion Notification at the end of a tunnel.
 * ========================================================
 *
 * RFC 6040 section 4.2: what a router on the underlay has written to the ECN
 * field of the outer header must reach the receiver of the inner packet.
 * Open vSwitch's translation does that for Congestion Experienced only, per
 * flow.  This is the whole table, per packet; it leaves translation nothing to
 * do.  (Section 4.1, the way in, is part of translation: fabric-xlate.c.)
 *
 * Thread-safety: pure functions, any thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* fabric_ecn_combine(): the packet has to be dropped, for its sender could not
 * be told that there is congestion. */
#define FABRIC_ECN_DROP 0x80

/* fabric_ecn_combine(): nobody who obeys the RFCs causes this combination, so
 * someone on the way changes the field in a way of its own. */
#define FABRIC_ECN_STRANGE 0x40

/* Returns the ECN field with which a packet leaves the tunnel that comes with
 * ECN field 'outer' outside and 'inner' inside, along with the flags above.
 * Only the two lowest bits of either count. */
uint8_t fabric_ecn_combine(uint8_t outer, uint8_t inner);

/* Gives inner frame 'frame', 'size' bytes, the ECN field with which it has to
 * leave the tunnel, updating the checksum of an IPv4 header, and returns the
 * flags above or 0.  'outer_tos' is the outer TOS or traffic class.
 *
 * Concerns IPv4 and IPv6 behind at most two VLAN tags; other frames, and those
 * that do not have a whole IP header, stay as they are. */
uint8_t fabric_ecn_receive(void *frame, size_t size, uint8_t outer_tos);

#endif /* fabric-ecn.h */
