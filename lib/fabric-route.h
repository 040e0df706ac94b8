/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_ROUTE_H
#define FABRIC_ROUTE_H 1

/* By which interface and next hop the host sends a UDP datagram.
 * ==============================================================
 *
 * Asks the kernel, which takes policy routing and the choice among equal-cost
 * routes into account as it does for a socket.
 *
 * Thread-safety: fabric_route_lookup() any thread, the rest main thread
 * only. */

#include <stdbool.h>
#include <stdint.h>
#include <netinet/in.h>
#include "openvswitch/types.h"

struct fabric_route {
    uint32_t ifindex;
    uint32_t mtu;               /* Of IP packets. */
    struct in6_addr next_hop;   /* A neighbor: the destination itself, or a
                                 * gateway, of either family. */
};

/* Fills '*route' in.  Ports are in network byte order, IPv4 addresses
 * v4-mapped.  Returns 0 or a positive errno. */
int fabric_route_lookup(const struct in6_addr *local_ip, ovs_be16 src_port,
                        const struct in6_addr *remote_ip, ovs_be16 dst_port,
                        struct fabric_route *route);

/* Has a route, rule, address or interface, or the MTU of a path, changed since
 * the last call?  The first call says yes. */
bool fabric_route_changed(void);
void fabric_route_wait(void);

#endif /* fabric-route.h */
