/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_DISCOVER_H
#define FABRIC_DISCOVER_H 1

/* Path discovery: which source ports really take different routes.
 * ================================================================
 *
 * Surveys (fabric-survey.h) the addresses of one endpoint after the other,
 * then has each pair of addresses use the source ports that cover its routes
 * (fabric-cover.h), at most as many as the fabric's 'paths_per_remote'.  An
 * endpoint is surveyed when it is new, when one of its paths went down or came
 * back, and from time to time as long as data is sent to it.
 *
 * Bounds: one address pair of one endpoint at a time and about
 * FABRIC_DISCOVER_PPS datagrams a second in the whole process; see
 * fabric-survey.h for what ends a survey.  Where no router answers nothing
 * changes.  Fewer ports than before come into use only when surveys at
 * different times saw every router, and never fewer than
 * FABRIC_DISCOVER_MIN_PORTS; more than are needed only when they did not.
 * Addresses between which the operator has drained a path are left alone.
 * An endpoint that is new begins with what fabric-recall.h knows.
 *
 * It works with uplinks whose class can open ears (fabric-ear.h), which are
 * those of the prober's thread, and runs there.
 *
 * Thread-safety: the caller holds fabric_table_mutex. */

#include <stddef.h>
#include <stdint.h>
#include "fabric-table.h"

struct fabric_burst;
struct fabric_endpoint;
struct fabric_path;
struct fabric_rx;
struct fabric_uplink;

#define FABRIC_DISCOVER_PPS 100
#define FABRIC_DISCOVER_MIN_PORTS 2

/* Begins and ends the discovery of what leads to the endpoint. */
void fabric_discover_add(struct fabric_endpoint *)
    OVS_REQUIRES(fabric_table_mutex);
void fabric_discover_remove(struct fabric_endpoint *)
    OVS_REQUIRES(fabric_table_mutex);

/* The endpoint's paths are other ones now, or its fabric's configuration. */
void fabric_discover_changed(struct fabric_endpoint *)
    OVS_REQUIRES(fabric_table_mutex);

/* Data is sent to the endpoint again, or a path of it changed its state for
 * good or bad. */
void fabric_discover_wake(struct fabric_endpoint *)
    OVS_REQUIRES(fabric_table_mutex);
void fabric_discover_event(struct fabric_endpoint *)
    OVS_REQUIRES(fabric_table_mutex);

/* Returns a bitmap of the port indexes that the endpoint uses between the
 * address of 'up' and 'remote_ip'. */
uint64_t fabric_discover_ports(const struct fabric_endpoint *,
                               const struct fabric_uplink *up,
                               const struct in6_addr *remote_ip)
    OVS_REQUIRES(fabric_table_mutex);

/* Has it use others, which the uplink has open. */
void fabric_discover_use(struct fabric_endpoint *,
                         const struct fabric_uplink *up,
                         const struct in6_addr *remote_ip, uint64_t ports)
    OVS_REQUIRES(fabric_table_mutex);

/* The endpoint answered the datagram with sequence 'seq' of the trace with
 * session identifier 'ssid'. */
void fabric_discover_answered(struct fabric_endpoint *,
                              const struct fabric_uplink *,
                              const struct fabric_rx *,
                              uint16_t ssid, uint32_t seq)
    OVS_REQUIRES(fabric_table_mutex);

/* The prober's thread. */
void fabric_discover_run(struct fabric_burst *)
    OVS_REQUIRES(fabric_table_mutex);
void fabric_discover_wait(void)
    OVS_REQUIRES(fabric_table_mutex);

#endif /* fabric-discover.h */
