/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_PROBER_H
#define FABRIC_PROBER_H 1

/* The prober: when to probe which path, and the thread that does.
 * ===============================================================
 *
 * Threads
 * =======
 *
 * A thread "fabric_prober", started with the first fabric, sends probes when
 * they are due, receives probes and answers from every uplink, and changes the
 * state of paths.  It does not wait for the main thread or the datapath, so
 * paths stay up while the switch is busy, and it sleeps whenever nothing is
 * due.  With more to do than half of a processor can, it falls behind.
 * Uplinks that are not 'threaded' (those for tests) are served by the main
 * loop instead, through fabric_prober_run(), so that a test with a stopped
 * clock is deterministic.
 *
 * Probes that arrive among data (coalesced with it by a network card) are
 * handed over with fabric_prober_receive() by whichever thread found them. */

#include <stddef.h>
#include <stdint.h>
#include "fabric-table.h"

struct fabric;
struct fabric_endpoint;
struct fabric_rx;
struct fabric_uplink;

/* Begins and ends the probing of all paths that the endpoint has or gets. */
void fabric_prober_add(struct fabric_endpoint *)
    OVS_REQUIRES(fabric_table_mutex);
void fabric_prober_remove(struct fabric_endpoint *)
    OVS_REQUIRES(fabric_table_mutex);

/* Probing of 'f' was configured anew. */
void fabric_prober_reschedule(struct fabric *f)
    OVS_REQUIRES(fabric_table_mutex);

/* The datapath found that the host cannot send over a path of the
 * endpoint. */
void fabric_prober_unreachable(struct fabric_endpoint *)
    OVS_REQUIRES(fabric_table_mutex);

/* Something is due earlier than it was. */
void fabric_prober_event_changed(struct fabric_endpoint *)
    OVS_REQUIRES(fabric_table_mutex);

/* Something is sent to the endpoint, whose 'idle' in the path table is set.
 * Any thread. */
void fabric_prober_wake(struct fabric_endpoint *)
    OVS_EXCLUDED(fabric_table_mutex);

/* The set of uplinks or their configuration changed.  Main thread. */
void fabric_prober_changed(void);

/* Main loop. */
void fabric_prober_run(void)
    OVS_EXCLUDED(fabric_table_mutex);
void fabric_prober_wait(void)
    OVS_EXCLUDED(fabric_table_mutex);
void fabric_prober_exit(void);

/* Processes one datagram, 'rx', that 'up' of 'f' received. */
void fabric_prober_receive(struct fabric *f, struct fabric_uplink *up,
                           const struct fabric_rx *rx)
    OVS_EXCLUDED(fabric_table_mutex);

#endif /* fabric-prober.h */
