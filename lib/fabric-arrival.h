/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_ARRIVAL_H
#define FABRIC_ARRIVAL_H 1

/* Arrivals: what comes from one source port of a peer's, by path.
 * ===============================================================
 *
 * A received packet belongs to the arrival that has its addresses and its
 * source port, and is counted in that arrival's entry of the path table, so
 * that answers can tell the peer how much of its data got here.
 *
 * Each of our own paths has an arrival: what comes back on the same three.
 * But each host chooses its source ports by itself, and data comes from ports
 * that we do not use, too.  When the peer tests such a path, and asks how much
 * data it has carried, there begins to be an arrival without a path.  Nothing
 * is sent by it, and none but the answers tells of it.  It ends when no test
 * has come for FABRIC_ARRIVAL_MAX_AGE, or with the addresses.  There are at
 * most FABRIC_ARRIVAL_MAX of them for an endpoint, if more are needed those
 * that are tested, and FABRIC_ARRIVAL_MAX_TOTAL in all.
 *
 * The entry in the path table and what it has received stay when a path begins
 * to have the same tuple, and when it no longer does: the peer would take a
 * jump for loss.
 *
 * Thread-safety: as in fabric-private.h. */

#include <stdint.h>
#include "fabric-table.h"
#include "ovs-atomic.h"

struct fabric;
struct fabric_arrival;
struct fabric_endpoint;
struct fabric_path;
struct fabric_uplink;
struct seq;

/* The longest between two probes, a minute, three times.  ms. */
#define FABRIC_ARRIVAL_MAX_AGE (3 * 60 * 1000)
#define FABRIC_ARRIVAL_MAX FABRIC_MAX_PATHS_PER_ENDPOINT

/* Leaves the kernel's fast path room for paths. */
#define FABRIC_ARRIVAL_MAX_TOTAL 16384

/* Another may take the place of one that was not tested for so long, ms. */
#define FABRIC_ARRIVAL_MIN_AGE (10 * 1000)

/* Changes when an arrival without a path begins or ends, of which the registry
 * does not tell. */
struct seq *fabric_arrival_seq(void);

void fabric_arrival_init(struct fabric_endpoint *)
    OVS_REQUIRES(fabric_table_mutex);

/* Returns the arrival at 'up' from 'port', host byte order, of 'remote_ip', or
 * NULL.  Any thread. */
struct fabric_arrival *fabric_arrival_find(const struct fabric *,
                                           const struct fabric_uplink *up,
                                           const struct in6_addr *remote_ip,
                                           uint16_t port);

/* Returns the arrival of the endpoint with these properties, which is that of
 * a path now.  NULL if the path table is full, or another path has it. */
struct fabric_arrival *fabric_arrival_take(struct fabric_endpoint *,
                                           struct fabric_uplink *,
                                           const struct in6_addr *remote_ip,
                                           uint16_t port,
                                           struct fabric_path *)
    OVS_REQUIRES(fabric_table_mutex);

/* The path of the arrival is gone. */
void fabric_arrival_release(struct fabric_arrival *)
    OVS_REQUIRES(fabric_table_mutex);

/* A test that asks for counts of data arrived; the addresses are those of a
 * path of the endpoint. */
void fabric_arrival_tested(struct fabric_endpoint *, struct fabric_uplink *,
                           const struct in6_addr *remote_ip, uint16_t port)
    OVS_REQUIRES(fabric_table_mutex);

/* Ends the arrivals without a path that it is time to end: 'run' looks now and
 * then, 'check' in any case, also for addresses that are gone. */
void fabric_arrival_run(struct fabric_endpoint *)
    OVS_REQUIRES(fabric_table_mutex);
void fabric_arrival_check(struct fabric_endpoint *)
    OVS_REQUIRES(fabric_table_mutex);

/* Ends all arrivals of the endpoint, which has no path any more. */
void fabric_arrival_destroy_all(struct fabric_endpoint *)
    OVS_REQUIRES(fabric_table_mutex);

/* Returns true, and how many data packets have arrived, if every one is
 * counted.  At first the kernel's fast path may not know of an arrival. */
bool fabric_arrival_get_count(const struct fabric_arrival *,
                              uint64_t *n_packets);

/* Is every packet counted from now on?  Main thread. */
void fabric_arrival_set_counted(struct fabric_arrival *, bool counted);

/* Tells that the fast path, if there is any, knows its fabrics, so that none
 * of an earlier process forwards and counts elsewhere.  Main thread. */
void fabric_arrival_kernel_known(void)
    OVS_EXCLUDED(fabric_table_mutex);

#endif /* fabric-arrival.h */
