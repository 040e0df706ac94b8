/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_VRF_H
#define FABRIC_VRF_H 1

/* VRFs: which one an address of the host belongs to.
 *
 * A process binds sockets only to addresses of the VRF that it runs in, and
 * bind(2) calls all others unknown.
 *
 * Thread-safety: any thread. */

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>

/* Stores the name of the VRF whose interface has 'ip' in 'vrf' and returns
 * true, or returns false if there is none. */
bool fabric_vrf_find(const struct in6_addr *ip, char vrf[IF_NAMESIZE]);

#endif /* fabric-vrf.h */
