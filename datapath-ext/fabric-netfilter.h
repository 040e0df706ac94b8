/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_NETFILTER_H
#define FABRIC_NETFILTER_H 1

/* Netfilter's hooks that could see tunnelled packets or those to workloads.
 * =========================================================================
 *
 * A chain of nf_tables counts if it has a rule or another policy than to
 * accept; a table of iptables-legacy counts once it exists.
 *
 * Thread-safety: main thread only. */

#include <stdbool.h>

/* Returns true if the hooks have changed since the last call.  The first call
 * returns true if there are any. */
bool fabric_netfilter_changed(void);
void fabric_netfilter_wait(void);

/* Returns true if a hook of the host sees the IPv4 or, if 'ipv6', IPv6 packets
 * of its sockets; or all that come in or go out by an interface for which
 * 'is_exempt' returns false. */
bool fabric_netfilter_concerns(bool ipv6, bool (*is_exempt)(const char *));

/* Returns true if a hook sees all that interface 'name' sends. */
bool fabric_netfilter_has_egress(const char *name);

#endif /* fabric-netfilter.h */
