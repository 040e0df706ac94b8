/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_KERN_MATCH_H
#define FABRIC_KERN_MATCH_H 1

/* Datapath flows in the kernel's terms.
 * =====================================
 *
 * Translates the match and the actions of a flow of dpif-netdev.  What the
 * kernel's fast path cannot do is refused with a reason, a phrase that
 * completes "this flow stays in userspace because of ...".
 *
 * A flow that is refused although the kernel could do it later (a port is not
 * there yet) is FABRIC_KERN_LATER.
 *
 * Thread-safety: any thread.  Pointers of the resolver's are used during the
 * call only. */

#include <stdbool.h>
#include <stddef.h>

#include "fabric-kern-abi.h"
#include "openvswitch/types.h"

struct in6_addr;
struct match;
struct nlattr;

/* How the flow's names are known to the kernel.  The functions return false
 * if they are not. */
struct fabric_kern_resolver {
    /* Interface index of a workload's port. */
    bool (*port)(odp_port_t, uint32_t *ifindex);

    /* Is it a fabric's port? */
    bool (*is_fabric)(odp_port_t);

    /* Endpoint of the fabric behind 'port', by the address that stands for it
     * in flows, and our address that does; by its ID. */
    bool (*sender)(odp_port_t port, const struct in6_addr *ip,
                   uint32_t *endpoint);
    bool (*is_local)(odp_port_t port, const struct in6_addr *ip,
                     uint16_t udp_port);
    bool (*receiver)(odp_port_t port, uint32_t id, uint32_t *endpoint,
                     uint32_t *fabric);
};

/* Returns NULL and fills '*key' and '*mask', whose bits are a subset of the
 * mask's, or returns a reason. */
const char *fabric_kern_match(const struct match *,
                              const struct fabric_kern_resolver *,
                              struct fabric_kern_key *key,
                              struct fabric_kern_key *mask);

/* Returns NULL and fills '*flow' except for its 'stats', or returns a reason.
 * 'key' and 'mask' are what fabric_kern_match() gave. */
const char *fabric_kern_actions(const struct nlattr *actions, size_t len,
                                const struct fabric_kern_resolver *,
                                const struct fabric_kern_key *key,
                                const struct fabric_kern_key *mask,
                                struct fabric_kern_flow *flow);

extern const char FABRIC_KERN_LATER[];

#endif /* fabric-kern-match.h */
