/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_ORIGIN_H
#define FABRIC_ORIGIN_H 1

/* From where to where a probe goes, and in which epoch.
 * =====================================================
 *
 * Fills in and checks the "origin" TLV (fabric-stamp.h).
 *
 * Thread-safety: the caller holds fabric_table_mutex. */

#include <stdbool.h>
#include <stdint.h>
#include "fabric-table.h"

struct fabric_endpoint;
struct fabric_rx;
struct fabric_stamp;
struct fabric_stamp_origin;
struct fabric_uplink;

/* Returns an epoch later than any before. */
uint64_t fabric_origin_new_epoch(void)
    OVS_REQUIRES(fabric_table_mutex);

/* Adds the TLV to the test 'stamp' of the endpoint, the 'serial'th of its
 * session, without addresses. */
void fabric_origin_put(const struct fabric_endpoint *, uint32_t serial,
                       struct fabric_stamp *stamp)
    OVS_REQUIRES(fabric_table_mutex);

/* Fills in the addresses and ports of a packet from port index 'port_idx' to
 * 'remote_ip'.  Any thread. */
void fabric_origin_set_addrs(struct fabric_stamp_origin *,
                             const struct fabric_uplink *,
                             unsigned int port_idx,
                             const struct in6_addr *remote_ip);

/* Returns true if 'stamp', which is authentic, was sent to us as 'rx' shows
 * it. */
bool fabric_origin_is_right(const struct fabric_stamp *stamp,
                            const struct fabric_uplink *,
                            const struct fabric_rx *rx);

/* Learns from 'origin', of the endpoint, whether it takes our epoch for one
 * that is over, and if so begins another. */
void fabric_origin_learn(struct fabric_endpoint *,
                         const struct fabric_stamp_origin *origin)
    OVS_REQUIRES(fabric_table_mutex);

#endif /* fabric-origin.h */
