/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_NEXTHOP_H
#define FABRIC_NEXTHOP_H 1

/* Next hops among which a route chooses, and the kernel's nexthop objects that
 * they come from (Linux 5.3+).
 * ========================================================================
 *
 * Objects are remembered once they were asked for, since thousands of routes
 * name the same few.
 *
 * Thread-safety: main thread. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fabric_nexthop {
    uint32_t ifindex;
    struct in6_addr gateway;    /* All zeros if none. */
};

struct fabric_nexthops {
    struct fabric_nexthop *hops;
    size_t n, allocated;
};
#define FABRIC_NEXTHOPS_INITIALIZER { NULL, 0, 0 }

void fabric_nexthops_clear(struct fabric_nexthops *);
void fabric_nexthops_destroy(struct fabric_nexthops *);
void fabric_nexthops_add(struct fabric_nexthops *, uint32_t ifindex,
                         const struct in6_addr *gateway);

/* Adds what nexthop object 'id' comes to to 'hops'; nothing if there is no
 * such object. */
void fabric_nexthop_get(uint32_t id, struct fabric_nexthops *hops);

/* Returns true if object 'id' is object 'changed' or has that for a member, by
 * what was known before the change. */
bool fabric_nexthop_uses(uint32_t id, uint32_t changed);

/* Returns true if any object that is remembered uses 'changed'. */
bool fabric_nexthop_is_used(uint32_t changed);

/* Has the objects that use 'id', or all of them, asked for again. */
void fabric_nexthop_forget(uint32_t id);
void fabric_nexthop_forget_all(void);

#endif /* fabric-nexthop.h */
