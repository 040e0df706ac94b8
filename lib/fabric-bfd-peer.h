/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_BFD_PEER_H
#define FABRIC_BFD_PEER_H 1

/* BFD with the endpoints that do not speak STAMP.
 * ===============================================
 *
 * Which protocol tells the state of an endpoint's paths follows from
 * Fabric.probe:protocol:
 *
 *   stamp  STAMP.  BFD is neither sent nor answered.
 *   bfd    BFD.  STAMP is answered, but not sent.
 *   auto   STAMP, if the endpoint has ever answered it.  If it has not, and
 *          either sends BFD or has left enough tests unanswered, BFD is sent
 *          as well, and tells the state once a session is up.  STAMP goes on
 *          being tried, seldom, and takes over when it is answered.  An
 *          endpoint that answers on no path any more may have been replaced,
 *          so BFD is tried with it, too.
 *
 * With an endpoint that answers STAMP but itself asks for BFD, sessions exist
 * for its sake and decide nothing.  One that sends STAMP's tests as well does
 * not: sessions with it end.
 *
 * Whose packets are believed: those that only a host can have sent
 * (fabric-bfd-frame.h).  The way of Open vSwitch, which a workload behind it
 * could have if it got to that VNI, is not taken from an endpoint that speaks
 * STAMP.  A session that is up does not change its way, and is not ended by
 * who does not know its discriminator: a peer that lost it, having been
 * started again, is not heard until the detection time is over.
 *
 * There is one session for each pair of a local and a remote IP; each of its
 * paths has a discriminator.  See fabric-bfd-peer.c.
 *
 * Thread-safety: the caller holds fabric_table_mutex. */

#include <stdbool.h>
#include <stdint.h>
#include "fabric-table.h"
#include "fabric-types.h"

struct fabric_bfd;
struct fabric_burst;
struct fabric_encap_info;
struct fabric_endpoint;
struct fabric_path;
struct fabric_probe_config;
struct fabric_rx;
struct fabric_uplink;

/* What BFD knows of a path. */
struct fabric_bfd_path {
    uint32_t seq;               /* Of the latest poll, for the liveness. */
    unsigned int n_unanswered;  /* Polls sent since one was answered. */
    long long int sent_us;      /* When its latest turn began. */
    long long int answer_us;    /* Least time in which a poll was answered,
                                 * not all of it the path's; 0: not known. */
};

/* Sends what is due and notices what is missing.  A try of STAMP is added to
 * the burst. */
void fabric_bfd_peer_run(struct fabric_endpoint *,
                         const struct fabric_probe_config *,
                         struct fabric_burst *)
    OVS_REQUIRES(fabric_table_mutex);

/* When, in ms, that may next be so; LLONG_MAX if there is no BFD. */
long long int fabric_bfd_peer_deadline(const struct fabric_endpoint *,
                                       const struct fabric_probe_config *)
    OVS_REQUIRES(fabric_table_mutex);

/* Processes 'rx', whose encapsulation is 'info' and which
 * fabric_bfd_is_control(). */
void fabric_bfd_peer_receive(struct fabric_endpoint *, struct fabric_uplink *,
                             const struct fabric_rx *rx,
                             const struct fabric_encap_info *info)
    OVS_REQUIRES(fabric_table_mutex);

/* Are STAMP's tests sent, and their absence of answers judged, now? */
bool fabric_bfd_peer_uses_stamp(const struct fabric_endpoint *)
    OVS_REQUIRES(fabric_table_mutex);

/* Which protocol has told the state of the paths: STAMP, BFD or NONE. */
enum fabric_protocol fabric_bfd_peer_protocol(const struct fabric_endpoint *)
    OVS_REQUIRES(fabric_table_mutex);

/* The session that the path belongs to, or NULL. */
const struct fabric_bfd *fabric_bfd_peer_session(const struct fabric_path *)
    OVS_REQUIRES(fabric_table_mutex);

/* The endpoint's paths, or how it is probed, changed; or it goes. */
void fabric_bfd_peer_paths_changed(struct fabric_endpoint *)
    OVS_REQUIRES(fabric_table_mutex);
void fabric_bfd_peer_reconfigure(struct fabric_endpoint *)
    OVS_REQUIRES(fabric_table_mutex);
void fabric_bfd_peer_destroy(struct fabric_endpoint *)
    OVS_REQUIRES(fabric_table_mutex);

#endif /* fabric-bfd-peer.h */
