/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_ROUTE_H
#define FABRIC_ROUTE_H 1

/* By which interface and next hop the host sends a UDP datagram.
 * ==============================================================
 *
 * Asks the kernel, which takes policy routing and the choice among equal-cost
 * routes into account as it does for a socket.
 *
 * Thread-safety: any thread, but for fabric_route_get_hops(): main thread. */

#include <stdbool.h>
#include <stdint.h>
#include <net/if.h>
#include <netinet/in.h>
#include "openvswitch/types.h"

struct fabric_nexthops;

struct fabric_route {
    uint32_t ifindex;
    uint32_t mtu;               /* Of IP packets; 0: the interface's. */
    struct in6_addr next_hop;   /* A neighbor: the destination itself, or a
                                 * gateway, of either family. */
    bool encapsulated;          /* Something is put around packets, such as
                                 * segment routing (lightweight tunnels), so
                                 * that the neighbor alone will not do. */
};

/* Fills '*route' in.  Ports are in network byte order, IPv4 addresses
 * v4-mapped.  Returns 0 or a positive errno. */
int fabric_route_lookup(const struct in6_addr *local_ip, ovs_be16 src_port,
                        const struct in6_addr *remote_ip, ovs_be16 dst_port,
                        struct fabric_route *route);

/* Returns the MTU of that route and its interface, or 0 if there is none. */
uint32_t fabric_route_get_mtu(const struct in6_addr *local_ip,
                              ovs_be16 src_port,
                              const struct in6_addr *remote_ip,
                              ovs_be16 dst_port);

/* Fills in all next hops that the route chooses among by whatever means, none
 * if there is no route, and the nexthop object that it names or 0. */
void fabric_route_get_hops(const struct in6_addr *local_ip, ovs_be16 src_port,
                           const struct in6_addr *remote_ip,
                           ovs_be16 dst_port, struct fabric_nexthops *hops,
                           uint32_t *nexthop);

/* An interface, as far as it matters for sending. */
struct fabric_route_device {
    bool ethernet;              /* Has Ethernet headers. */
    unsigned int flags;         /* IFF_*. */
    uint32_t master;            /* Bridge, bond or VRF that it is part of. */
    uint32_t mtu;
    uint32_t mtu6;              /* Of IPv6 packets. */
};

/* Those flags that the choice of routes may depend on: IFF_LOWER_UP is the
 * carrier, for which net/if.h has no name. */
#define FABRIC_ROUTE_DEVICE_FLAGS (IFF_UP | IFF_RUNNING | 1u << 16)

/* Fills '*dev' in.  Returns 0 or a positive errno. */
int fabric_route_get_device(uint32_t ifindex, struct fabric_route_device *dev);

/* Returns the MTU of 'route' by 'dev' to 'remote_ip'. */
uint32_t fabric_route_limit_mtu(const struct fabric_route *route,
                                const struct fabric_route_device *dev,
                                const struct in6_addr *remote_ip);

/* Returns the VRF, or other interface, that sockets of this process are bound
 * to, or 0. */
uint32_t fabric_route_vrf(void);

#endif /* fabric-route.h */
