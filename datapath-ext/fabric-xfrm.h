/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_XFRM_H
#define FABRIC_XFRM_H 1

/* IPsec policies of the host (xfrm) that could concern tunnelled packets.
 * =======================================================================
 *
 * RFC 4301 section 5 checks every packet against the policies, in both
 * directions.  The kernel does so for sockets; the fast path's programs run
 * before and behind that, so what a policy could concern is left to sockets.
 *
 * Thread-safety: main thread only. */

#include <stdbool.h>
#include <netinet/in.h>
#include "openvswitch/types.h"

/* As XFRM_POLICY_IN and XFRM_POLICY_OUT. */
enum fabric_xfrm_dir {
    FABRIC_XFRM_IN,
    FABRIC_XFRM_OUT,
};

/* Returns true if the policies that could concern UDP packets from or to an
 * address of a fabric have changed since the last call.  The first call
 * returns true if there are any. */
bool fabric_xfrm_changed(void);
void fabric_xfrm_wait(void);

/* Returns true if a policy for 'dir' could concern UDP packets from 'src' to
 * 'dst'.  IPv4 addresses are v4-mapped; a 'src_port' of 0 is any. */
bool fabric_xfrm_concerns(enum fabric_xfrm_dir dir,
                          const struct in6_addr *src, ovs_be16 src_port,
                          const struct in6_addr *dst, ovs_be16 dst_port);

#endif /* fabric-xfrm.h */
