/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_GSO_H
#define FABRIC_GSO_H 1

/* Segmentation and coalescing of inner TCP frames.
 * ================================================
 *
 * On the wire every datagram carries a whole inner frame.  Between a workload
 * and the fabric a TCP super-frame of up to 64 kB stays in one piece, so that
 * one system call moves all its datagrams:
 *
 *   fabric_gso_split()   writes, for each segment of a super-frame, the headers
 *                        that the segment's datagram begins with; the payload
 *                        is not copied (the uplink gathers it).
 *   fabric_gro_*()       the other way: joins the payloads of consecutive
 *                        datagrams of one TCP connection to a super-frame.
 *
 * Both follow what the kernel's GSO and GRO do to TCP, so that a segment that
 * was split and joined again is byte for byte what the workload sent, but for
 * the checksums, which are left for the receiver (CHECKSUM_PARTIAL).
 *
 * Thread-safety: functions without state of their own; any thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>
#include "fabric-types.h"

struct dp_packet;

/* Most inner headers of a segment: Ethernet, two VLAN tags, IPv6, TCP with all
 * options. */
#define FABRIC_GSO_MAX_HEADERS (14 + 8 + 40 + 60)

/* Segmentation
 * ------------ */

struct fabric_gso {
    size_t headers_len;         /* Inner headers of each segment. */
    size_t payload_len;         /* TCP payload of the super-frame. */
    size_t segsz;               /* TCP payload of each segment but the last. */
    size_t n_segs;
};

/* Fills '*gso' for 'packet', whose dp_packet_get_tso_segsz() is not 0.  Returns
 * false if 'packet' is not TCP over IPv4 or IPv6 or its lengths disagree. */
bool fabric_gso_init(struct fabric_gso *gso, const struct dp_packet *packet);

/* Writes the inner headers (gso->headers_len bytes) of segment 'i' of 'packet'
 * to 'headers', checksums complete: TCP sequence number and flags (FIN and PSH
 * only in the last segment, CWR only in the first), IPv4 ID and lengths as
 * Linux's GSO sets them.  The segment's payload is at
 * gso->headers_len + i * gso->segsz of the packet's data; its length is stored
 * in '*payload_len'. */
void fabric_gso_headers(const struct fabric_gso *gso,
                        const struct dp_packet *packet, size_t i,
                        void *headers, size_t *payload_len);

/* Coalescing
 * ---------- */

/* A super-frame being built.  Zero-initialize. */
struct fabric_gro {
    struct dp_packet *packet;   /* NULL: nothing gathered yet. */
    uint16_t segsz;
    uint16_t n_segs;
    uint32_t next_seq;          /* TCP sequence number that continues it. */
    bool closed;                /* Short segment or PSH seen: takes no more. */
};

/* Tries to append the inner frame ('frame', 'size' bytes) to 'gro'.  Returns
 * false, changing nothing, if it does not continue the super-frame: other
 * connection, gap, other options or flags, IP fragment, bad IPv4 or TCP
 * checksum, would exceed 65,535 bytes less 'headroom', ...  The caller then
 * takes the finished packet with fabric_gro_finish() and starts again.
 *
 * With gro->packet NULL, starts a super-frame with 'frame' if it is a TCP
 * segment with payload that could be continued (returns false otherwise), in a
 * new dp_packet with 'headroom' bytes of headroom. */
bool fabric_gro_append(struct fabric_gro *gro, const void *frame, size_t size,
                       size_t headroom);

/* Returns the finished packet and resets 'gro'; NULL if there is none.  If it
 * has more than one segment its lengths are updated, tso_segsz is set and its
 * checksum offload state is "partial"; of one segment, it is the frame as
 * received with its checksums marked as good. */
struct dp_packet *fabric_gro_finish(struct fabric_gro *gro);

/* Internet checksum helper, exported for tests: ones' complement sum (not
 * complemented, not folded to less than 16 bits of carry) of 'size' bytes. */
uint16_t fabric_csum_fold(uint64_t sum);
uint64_t fabric_csum_add(uint64_t sum, const void *data, size_t size);

#endif /* fabric-gso.h */
