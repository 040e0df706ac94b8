/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_RECALL_H
#define FABRIC_RECALL_H 1

/* Source ports that were in use before this process began.
 * ========================================================
 *
 * Discovery (fabric-discover.h) has chosen ports by the routes that they take.
 * If a new process began with other ports, flows would move to them and, after
 * the next survey, back.
 *
 * What is noted comes from outside, so it is believed only as far as it fits
 * the configuration.
 *
 * Thread-safety: the caller holds fabric_table_mutex. */

#include <stdbool.h>
#include <stdint.h>

#include "fabric-table.h"

struct fabric_uplink;

/* Notes that fabric 'fabric' used 'src_port', host byte order, between the two
 * addresses.  'has_route': were routers known on the way? */
void fabric_recall_note(const char *fabric, const struct in6_addr *local_ip,
                        const struct in6_addr *remote_ip, uint16_t src_port,
                        bool has_route)
    OVS_REQUIRES(fabric_table_mutex);

/* Returns a bitmap of the port indexes to use between the address of 'up',
 * which is of 'fabric', and 'remote_ip', having opened them; or 0 if nothing
 * was noted that fits 'max' ports.  What was noted is forgotten. */
uint64_t fabric_recall_take(const char *fabric, struct fabric_uplink *up,
                            const struct in6_addr *remote_ip,
                            unsigned int max)
    OVS_REQUIRES(fabric_table_mutex);

/* Forgets everything. */
void fabric_recall_clear(void)
    OVS_REQUIRES(fabric_table_mutex);

#endif /* fabric-recall.h */
