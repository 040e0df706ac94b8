/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_MTU_H
#define FABRIC_MTU_H 1

/* The MTUs of paths.
 * ==================
 *
 * Runs the search of each path (fabric-pmtu.h) with padded STAMP packets (RFC
 * 8972 section 4.1) that are not to be fragmented, and puts what it finds in
 * the path table.  These probes have session identifiers of their own: losing
 * one, which is how the search learns, is no loss of the path.
 *
 * Only paths that are alive are searched, and none of an idle endpoint.  These
 * probes have a "heard" TLV (fabric-stamp.h), which tells a reflector of ours
 * that a short answer will do, so that what is found is the MTU of the way
 * there only.  Other reflectors answer with as long a packet.
 *
 * Bound: FABRIC_MTU_PPS datagrams a second in the whole process.
 *
 * Thread-safety: the caller holds fabric_table_mutex. */

#include <stdint.h>
#include "fabric-table.h"

struct fabric_burst;
struct fabric_endpoint;
struct fabric_path;
struct fabric_rx;
struct fabric_uplink;

#define FABRIC_MTU_PPS 500

/* Session identifiers of these probes: this and the path's. */
#define FABRIC_MTU_SSID 0x8000

/* A path is new, or will be gone. */
void fabric_mtu_add(struct fabric_path *)
    OVS_REQUIRES(fabric_table_mutex);
void fabric_mtu_remove(struct fabric_path *)
    OVS_REQUIRES(fabric_table_mutex);

/* The configuration of probes changed. */
void fabric_mtu_changed(struct fabric_endpoint *)
    OVS_REQUIRES(fabric_table_mutex);

/* Does what there is to do for the endpoint's paths; to be called whenever
 * they are probed. */
void fabric_mtu_run(struct fabric_endpoint *, struct fabric_burst *)
    OVS_REQUIRES(fabric_table_mutex);

/* The endpoint answered the probe with sequence 'seq' of the session with
 * identifier 'ssid'. */
void fabric_mtu_answered(struct fabric_endpoint *,
                         const struct fabric_uplink *,
                         const struct fabric_rx *,
                         uint16_t ssid, uint32_t seq)
    OVS_REQUIRES(fabric_table_mutex);

#endif /* fabric-mtu.h */
