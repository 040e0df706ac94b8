/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_FLOW_HASH_H
#define FABRIC_FLOW_HASH_H 1

/* Hash of the inner flow, which spreads flows over paths.
 * =======================================================
 *
 * Computed from the bytes of the inner Ethernet frame alone, so that userspace
 * and a BPF program can compute the same value for the same packet:
 *
 *   - IPv4 and IPv6, behind up to two VLAN tags: addresses, protocol and, for
 *     TCP, UDP and SCTP packets that are not fragments, ports; for IPv6 also
 *     the flow label, so that a sender which rehashes its label (Linux's PLB)
 *     moves to another path.  All fragments of a datagram hash alike.
 *   - anything else: the MAC addresses and the Ethernet type.
 *
 * Not symmetric.  A truncated frame hashes over what is there.
 *
 * Thread-safety: pure function, any thread. */

#include <stddef.h>
#include <stdint.h>

uint32_t fabric_flow_hash(const void *frame, size_t size);

#endif /* fabric-flow-hash.h */
