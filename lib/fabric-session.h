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
 * What is to be sent collects in a burst (fabric-burst.h).  Answers repeat
 * parts of their questions, so a burst has to be flushed before what was
 * received is gone.
 *
 * Thread-safety: the caller holds fabric_table_mutex. */

#include <stddef.h>
#include <stdint.h>
#include "fabric-burst.h"

struct fabric;
struct fabric_encap_info;
struct fabric_path;
struct fabric_rx;
struct fabric_uplink;
struct fabric_uplink_config;

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

/* Returns true if 'frame', 'size' bytes, behind a header with 'vni' and, if
 * 'oam', Geneve's O bit, is a probe, of whatever protocol, rather than for a
 * tenant.  Any thread. */
bool fabric_session_is_probe(uint32_t vni, bool oam,
                             const struct fabric_uplink_config *,
                             const void *frame, size_t size);

/* Adds a test packet of the path that is not to be fragmented and makes an
 * outer IP packet of 'size' bytes, not part of the path's test either.
 * Answers go to fabric_mtu_answered(); 'ssid' is FABRIC_MTU_SSID or larger. */
void fabric_session_size(const struct fabric_path *, uint16_t size,
                         uint16_t ssid, uint32_t seq, struct fabric_burst *)
    OVS_REQUIRES(fabric_table_mutex);

/* Session identifiers of bare tests (fabric-bare.h): this and the path's. */
#define FABRIC_BARE_SSID 0xc000

/* Adds test 'seq' of the path that has no UDP checksum and is not part of the
 * path's test. */
void fabric_session_bare(const struct fabric_path *, uint32_t seq,
                         struct fabric_burst *)
    OVS_REQUIRES(fabric_table_mutex);

/* Processes datagram 'rx', which 'up' of 'f' has received: adds the answer to
 * a test to the burst, or takes an answer. */
void fabric_session_receive(struct fabric *f, struct fabric_uplink *up,
                            const struct fabric_rx *rx, struct fabric_burst *)
    OVS_REQUIRES(fabric_table_mutex);

#endif /* fabric-session.h */
