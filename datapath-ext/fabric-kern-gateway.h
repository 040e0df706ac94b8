/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_KERN_GATEWAY_H
#define FABRIC_KERN_GATEWAY_H 1

/* Neighbors on whose state the choice of a route may depend.
 * ==========================================================
 *
 * IPv6 passes routers over that are not reachable (RFC 4861 section 6.3.6);
 * IPv4 those among equal-cost routes if net.ipv4.fib_multipath_use_neigh is
 * set.
 *
 * Thread-safety: main thread. */

#include <stdbool.h>

#include "fabric-nexthop.h"

struct fabric_netevent;

/* Take and drop references to those gateways of 'hops' that matter. */
void fabric_kern_gateway_ref(const struct fabric_nexthops *hops);
void fabric_kern_gateway_unref(const struct fabric_nexthops *hops);

/* Returns true if the event tells that a gateway with references has become
 * reachable or stopped being so. */
bool fabric_kern_gateway_changed(const struct fabric_netevent *);

#endif /* fabric-kern-gateway.h */
