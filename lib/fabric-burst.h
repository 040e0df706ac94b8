/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_BURST_H
#define FABRIC_BURST_H 1

/* Probes on their way out.
 * ========================
 *
 * What is to be sent collects in a burst.  Flushing it groups the datagrams by
 * socket, so that few system calls send many, and writes into each just before
 * it leaves what changes all the time: the time, and what was heard.
 *
 * Thread-safety: the caller holds fabric_table_mutex.  A burst belongs to one
 * thread. */

#include <stddef.h>
#include <stdint.h>
#include "fabric-stamp.h"
#include "fabric-table.h"

struct fabric;
struct fabric_hearing;
struct fabric_path;
struct fabric_uplink;

/* One datagram to be sent. */
struct fabric_burst_item {
    const struct fabric *fabric;
    struct fabric_uplink *uplink;
    unsigned int port_idx;
    struct in6_addr remote_ip;
    struct fabric_path *path;           /* To be tested; NULL for others. */
    struct fabric_hearing *hearing;     /* To report, or NULL. */
    bool judged;                        /* If 'path': does silence count? */
    struct fabric_stamp stamp;          /* Without times and counters. */
    uint8_t tos;
    uint8_t ttl;                        /* Outer TTL, 0: that of probes. */
    uint8_t class;                      /* Index of its DSCP. */
    bool whole;                         /* Not to be fragmented. */
    bool bare;                          /* Without UDP checksum. */
};

#define FABRIC_BURST_MAX 256

struct fabric_burst {
    size_t n;
    struct fabric_burst_item items[FABRIC_BURST_MAX];
};

void fabric_burst_init(struct fabric_burst *);
void fabric_burst_flush(struct fabric_burst *)
    OVS_REQUIRES(fabric_table_mutex);

/* Returns a new item of the burst, which is to go from port index 'port_idx'
 * of 'up' to 'remote' and, if not null, tests 'path'.  The caller fills in the
 * rest.  It is valid until the next is added. */
struct fabric_burst_item *fabric_burst_add(struct fabric_burst *,
                                           const struct fabric *,
                                           struct fabric_uplink *up,
                                           unsigned int port_idx,
                                           const struct in6_addr *remote,
                                           struct fabric_path *path)
    OVS_REQUIRES(fabric_table_mutex);

/* Payload of the longest datagram: a jumbo frame's. */
#define FABRIC_BURST_DATAGRAM_MAX 9216

/* Returns the inner source address of probes.  It is random, so that only who
 * got one of them can know it. */
const struct eth_addr *fabric_burst_mac(void);

/* The outer TTL of probes, which differs from that of data. */
uint8_t fabric_probe_ttl(const struct fabric_uplink *);

/* Wall-clock time, ns since the Unix epoch. */
uint64_t fabric_burst_wall_ns(void);

#endif /* fabric-burst.h */
