/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_HOST_POLICY_H
#define FABRIC_HOST_POLICY_H 1

/* What the policies of the host leave of the kernel's fast path.
 * ==============================================================
 *
 * The programs send and receive where the host's stack does not look any more,
 * or not yet.  Whatever in between could drop, change or encrypt a tunnelled
 * packet is found here, and what it could concern is left to the sockets of
 * userspace, for which the host asks it.
 *
 * For each direction the reasons that were given since
 * fabric_host_policy_begin() are counted by fabric, to be shown.
 *
 * Thread-safety: main thread only. */

#include <stdbool.h>
#include <stdint.h>
#include <netinet/in.h>
#include "openvswitch/types.h"

struct fabric;

enum fabric_host_policy_dir {
    FABRIC_HOST_POLICY_IN,
    FABRIC_HOST_POLICY_OUT,
};

/* Returns true if anything that the functions below depend on has changed
 * since the last call, or perhaps if this is the first one. */
bool fabric_host_policy_changed(void);
void fabric_host_policy_wait(void);

/* Returns true if the host wants nothing of 'f' to be forwarded in the kernel,
 * as things are now. */
bool fabric_host_policy_refuses(const struct fabric *f);

/* Forgets what was counted for 'fabric', a number of fabric-kern-sync.h. */
void fabric_host_policy_begin(enum fabric_host_policy_dir, uint32_t fabric);

/* Return true if the kernel's programs may send, or receive, the UDP packets
 * between these addresses and ports for 'fabric'.  A 'remote_port' of 0 is
 * any; IPv4 addresses are v4-mapped. */
bool fabric_host_policy_may_send(uint32_t fabric,
                                 const struct in6_addr *local_ip,
                                 ovs_be16 local_port,
                                 const struct in6_addr *remote_ip,
                                 ovs_be16 remote_port);
bool fabric_host_policy_may_receive(uint32_t fabric,
                                    const struct in6_addr *local_ip,
                                    ovs_be16 local_port,
                                    const struct in6_addr *remote_ip,
                                    ovs_be16 remote_port);

/* Returns what was counted for 'f', whose number is 'fabric' if it has one,
 * and what of the host is not asked, as a phrase that the caller frees; or
 * NULL if there is nothing to say. */
char *fabric_host_policy_to_string(const struct fabric *f, uint32_t fabric);

#endif /* fabric-host-policy.h */
