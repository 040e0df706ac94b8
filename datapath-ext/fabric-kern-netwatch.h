/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_KERN_NETWATCH_H
#define FABRIC_KERN_NETWATCH_H 1

/* Changes of the host's network, and which paths' routes they concern.
 * ====================================================================
 *
 * What concerns none costs no look-up: routes to elsewhere or in tables that
 * no rule for us names, interfaces and nexthop objects that no path uses,
 * rules and neighbors likewise.
 *
 * Thread-safety: main thread. */

#include <stdbool.h>

/* Reads what the kernel tells and makes routes due (fabric-kern-route.h).
 * Returns true if addresses of this host that paths use have moved. */
bool fabric_kern_netwatch_run(void);
void fabric_kern_netwatch_wait(void);

/* Has the rules of policy routing read again, since which ones are for us
 * depends on the paths. */
void fabric_kern_netwatch_rules(void);

#endif /* fabric-kern-netwatch.h */
