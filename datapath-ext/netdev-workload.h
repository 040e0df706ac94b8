/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NETDEV_WORKLOAD_H
#define NETDEV_WORKLOAD_H 1

/* Workload ports: kernel interfaces whose packets are forwarded in the kernel
 * or come through the channel.
 * ===========================================================================
 *
 * fabric_workload_class() (fabric-hooks.h) makes of netdev-linux's class
 * "system" one that differs only while the kernel's fast path is active, and
 * then only in how packets are received and counted.  Otherwise it is
 * netdev-linux's, but for fabric_workload_recv().
 *
 * Thread-safety: as netdev providers; the rest as said. */

#include <stdbool.h>
#include <stdint.h>

#include "openvswitch/types.h"

/* The fast path became active or inactive: has ports receive in the other way
 * when they are next reconfigured.  Main thread. */
void netdev_workload_switch(void);

/* Attaches the kernel's program to the ports that wait for it.  Main
 * thread. */
void netdev_workload_take_over(void);

/* Looks at the ports that were touched by others, since the last call, and
 * does what follows from it.  Main thread. */
void netdev_workload_run(void);
void netdev_workload_wait(void);

/* Notes that interface 'ifindex', or any if it is 0, was touched; or interface
 * 'ifindex' of namespace 'nsid', perhaps the other end of a port's veth.  Main
 * thread. */
void netdev_workload_touched(uint32_t ifindex);
void netdev_workload_peer_touched(uint32_t nsid, uint32_t ifindex);

/* Is 'ifindex' a port that is received through the channel?  Main thread. */
bool netdev_workload_has_ifindex(int ifindex);

/* Stores the identity of datapath port 'port' (fabric-kern-abi.h) if that is a
 * workload's in the kernel and, for 'output', the kernel may send to it.
 * Returns false if it is not.  Any thread. */
bool netdev_workload_get_id(odp_port_t port, bool output, uint32_t *id);

#endif /* netdev-workload.h */
