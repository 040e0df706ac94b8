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

/* Between these, fabric_kern_route_set() is called for each path that the
 * kernel knows, by its index; 'may_send' tells whether the kernel may send
 * over it, if there is a route.  'changed' says that routes may have
 * changed. */
void fabric_kern_route_begin(bool changed);
void fabric_kern_route_set(uint32_t path, bool may_send);
void fabric_kern_route_end(void);

/* Returns true if a route, rule, address or interface, or the MTU of a path,
 * has changed since the last call, and the first time. */
bool fabric_kern_route_run(void);
void fabric_kern_route_wait(void);

#endif /* fabric-kern-route.h */
