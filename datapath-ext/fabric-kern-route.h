/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_KERN_ROUTE_H
#define FABRIC_KERN_ROUTE_H 1

/* By which interface, next hop and MTU the kernel's fast path sends over each
 * path: what is in the path table for it.
 * ========================================================================
 *
 * Thread-safety: main thread. */

#include <stdbool.h>
#include <stdint.h>

#include "openvswitch/types.h"

struct in6_addr;
struct fabric_rule;

/* Between these, fabric_kern_route_set() is called for each path that the
 * kernel knows, by its index; 'may_send' tells whether the kernel may send
 * over it, if there is a route.  The end returns true if there are paths
 * between other addresses than before. */
void fabric_kern_route_begin(void);
void fabric_kern_route_set(uint32_t path, bool may_send);
bool fabric_kern_route_end(void);

/* Looks up as many routes as there is time for.  Returns true if the
 * interfaces by which paths leave changed. */
bool fabric_kern_route_run(void);
void fabric_kern_route_wait(void);

/* Rules by the DSCP of packets exist or have gone ('by_tos', for IPv4 and
 * IPv6), or rules by their source port ('by_src_port'). */
void fabric_kern_route_set_rules(const bool by_tos[2], bool by_src_port);

/* Have routes looked up again, soon: those to a prefix, ... */
void fabric_kern_route_recheck_prefix(const struct in6_addr *,
                                      unsigned int plen);
/* ...from one prefix to another, which a rule concerns, ... */
void fabric_kern_route_recheck_rule(const struct fabric_rule *);
/* ...that may leave by interface 'ifindex', ... */
void fabric_kern_route_recheck_iface(uint32_t ifindex);
/* ...that name nexthop object 'id' or a group of it, ... */
void fabric_kern_route_recheck_nexthop(uint32_t id);
/* ...of a path with these ports, once the kernel has learned its MTU, ... */
void fabric_kern_route_recheck_path(const struct in6_addr *local_ip,
                                    ovs_be16 src_port,
                                    const struct in6_addr *remote_ip,
                                    ovs_be16 dst_port);
/* ...that were not found, or all. */
void fabric_kern_route_recheck_lost(void);
void fabric_kern_route_recheck_all(void);

/* Return true if the rule, or an address of this host, concerns any path. */
bool fabric_kern_route_concerns(const struct fabric_rule *);
bool fabric_kern_route_uses_local(const struct in6_addr *);
bool fabric_kern_route_uses_prefix(const struct in6_addr *,
                                   unsigned int plen);

#endif /* fabric-kern-route.h */
