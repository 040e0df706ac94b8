/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_CARRIER_H
#define FABRIC_CARRIER_H 1

/* Carrier of the uplinks.
 * =======================
 *
 * Paths whose uplink has lost carrier or address go down at once, without
 * waiting for probes.  The kernel tells of changes through a netlink socket,
 * the monitor, that the prober's thread owns. */

#include "fabric-table.h"

struct nl_sock;

/* Rechecks whether the uplinks have carrier.  Any thread. */
void fabric_carrier_check(void)
    OVS_EXCLUDED(fabric_table_mutex);

/* Opens a socket that becomes readable when links or addresses change, or
 * returns NULL. */
struct nl_sock *fabric_carrier_open_monitor(void);

/* Reads what the socket has and, if that is about uplinks, acts on it. */
void fabric_carrier_run_monitor(struct nl_sock *)
    OVS_EXCLUDED(fabric_table_mutex);

#endif /* fabric-carrier.h */
