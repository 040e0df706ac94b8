/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_SESSION_H
#define FABRIC_SESSION_H 1

/* STAMP test sessions (RFC 8762), one for each path.
 * ==================================================
 *
 * The Session-Sender, which tests our paths, and the Session-Reflector, which
 * answers the tests of our peers.  When to test, and where datagrams come
 * from, is the prober's business (fabric-prober.h).
 *
 * What is to be sent collects in a burst.  Flushing it groups the datagrams by
 * socket, so that few system calls send many, and writes the time into each
 * just before it leaves.
 *
 * Answers repeat parts of their questions, so a burst has to be flushed before
 * what was received is gone.
 *
 * Thread-safety: the caller holds fabric_table_mutex.  A burst belongs to one
 * thread. */

#include <stddef.h>
#include <stdint.h>
#include "fabric-stamp.h"
#include "fabric-table.h"

struct fabric;
struct fabric_encap_info;
struct fabric_path;
struct fabric_rx;
struct fabric_uplink;

/* One datagram to be sent. */
struct fabric_burst_item {
    const struct fabric *fabric;
    struct fabric_uplink *uplink;
    unsigned int port_idx;
    struct in6_addr remote_ip;
    struct fabric_path *path;           /* To be tested; NULL for others. */
    bool judged;                        /* If 'path': does silence count? */
    struct fabric_stamp stamp;          /* Without times and counters. */
    uint8_t tos;
    uint8_t ttl;                        /* Outer TTL, 0: that of probes. */
    uint8_t class;                      /* Index of its DSCP. */
    bool whole;                         /* Not to be fragmented. */
};

#define FABRIC_BURST_MAX 256

struct fabric_burst {
    size_t n;
    struct fabric_burst_item items[FABRIC_BURST_MAX];
};

void fabric_burst_init(struct fabric_burst *);
void fabric_burst_flush(struct fabric_burst *)
    OVS_REQUIRES(fabric_table_mutex);

/* Adds a test of the path to the burst. */
void fabric_session_test(struct fabric_path *, struct fabric_burst *)
    OVS_REQUIRES(fabric_table_mutex);

/* Likewise, of a path whose state another protocol tells: the test counts only
 * if it is answered. */
void fabric_session_try(struct fabric_path *, struct fabric_burst *)
    OVS_REQUIRES(fabric_table_mutex);

/* Adds a test packet with outer TTL 'ttl' that is part of no path's test.
 * Answers go to fabric_discover_answered(), since 'ssid' is none of a path's:
 * larger than FABRIC_MAX_SSID. */
void fabric_session_trace(const struct fabric *, struct fabric_uplink *,
                          unsigned int port_idx,
                          const struct in6_addr *remote_ip, uint8_t ttl,
                          uint16_t ssid, uint32_t seq, struct fabric_burst *)
    OVS_REQUIRES(fabric_table_mutex);

/* The outer TTL of probes, which differs from that of data. */
uint8_t fabric_probe_ttl(const struct fabric_uplink *);

/* Is 'frame', 'size' bytes, behind the header that 'info' describes, a probe,
 * of whatever protocol, rather than for a tenant?  Any thread. */
bool fabric_session_is_probe(const struct fabric_encap_info *info,
                             uint32_t probe_vni, const void *frame,
                             size_t size);

/* Adds a test packet of the path that is not to be fragmented and makes an
 * outer IP packet of 'size' bytes, not part of the path's test either.
 * Answers go to fabric_mtu_answered(); 'ssid' is FABRIC_MTU_SSID or larger. */
void fabric_session_size(const struct fabric_path *, uint16_t size,
                         uint16_t ssid, uint32_t seq, struct fabric_burst *)
    OVS_REQUIRES(fabric_table_mutex);

/* Processes datagram 'rx', which 'up' of 'f' has received: adds the answer to
 * a test to the burst, or takes an answer. */
void fabric_session_receive(struct fabric *f, struct fabric_uplink *up,
                            const struct fabric_rx *rx, struct fabric_burst *)
    OVS_REQUIRES(fabric_table_mutex);

#endif /* fabric-session.h */
