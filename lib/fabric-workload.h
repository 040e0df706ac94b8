/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_WORKLOAD_H
#define FABRIC_WORKLOAD_H 1

/* Receiving from workload ports by their packet sockets.
 * ======================================================
 *
 * netdev-linux, for each time that it is asked, allocates memory for as many
 * packets as might come, and with userspace TSO keeps 2 MB for each port.
 * This keeps that memory for each thread, and allocates for what came.  It
 * also cuts super-frames that the datapath does not know (fabric-cut.h).
 *
 * Thread-safety: any thread, one at a time for each rxq. */

struct dp_packet_batch;
struct netdev_rxq;

/* A netdev_class's 'rxq_recv' for rxqs of netdev-linux; where there is no
 * fabric or no userspace TSO, netdev-linux's. */
int fabric_workload_recv(struct netdev_rxq *, struct dp_packet_batch *,
                         int *qfill);

/* Likewise 'rxq_construct', 'rxq_wait', 'rxq_drain' and 'rxq_destruct', which
 * belong to it. */
int fabric_workload_construct(struct netdev_rxq *);
void fabric_workload_wait(struct netdev_rxq *);
int fabric_workload_drain(struct netdev_rxq *);
void fabric_workload_destruct(struct netdev_rxq *);

#endif /* fabric-workload.h */
