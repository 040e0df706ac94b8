/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_WORKLOAD_H
#define FABRIC_WORKLOAD_H 1

/* Receiving from workload ports by their packet sockets.
 * ======================================================
 *
 * netdev-linux, for each time that it is asked, allocates memory for as many
 * packets as might come, and with userspace TSO keeps 2 MB for each port.
 * This keeps that memory for each thread, and allocates for what came. */

struct dp_packet_batch;
struct netdev_rxq;

/* A netdev_class's 'rxq_recv' for rxqs of netdev-linux; where there is no
 * fabric or no userspace TSO, netdev-linux's. */
int fabric_workload_recv(struct netdev_rxq *, struct dp_packet_batch *,
                         int *qfill);

#endif /* fabric-workload.h */
