/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_KERN_PEER_H
#define FABRIC_KERN_PEER_H 1

/* The other end of a workload's veth, in whatever namespace it is.
 * ================================================================
 *
 * Thread-safety: any thread. */

#include <stdbool.h>
#include <stdint.h>

struct fabric_kern_peer {
    uint32_t nsid;              /* As this namespace knows the other's. */
    uint32_t ifindex;           /* There. */
    uint8_t mac[6];             /* The address that it accepts. */
    bool xdp;                   /* Does its driver run an XDP program? */
};

/* Fills '*peer' in for interface 'ifindex'.  Returns false if that is no veth,
 * if its other end is in the same namespace, or if that cannot be known. */
bool fabric_kern_peer_get(uint32_t ifindex, struct fabric_kern_peer *peer);

#endif /* fabric-kern-peer.h */
