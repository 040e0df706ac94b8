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
 *   fabric_gso_*()  writes the segments of a super-frame.  A pass over the
 *                   payload is needed anyway, for the checksums; copying in
 *                   that pass costs less than a kernel that has to gather
 *                   headers here and payloads there.
 *   fabric_gro_*()  the other way: joins the payloads of consecutive datagrams
 *                   of one TCP connection to a super-frame.
 *
 * Both follow what the kernel's GSO and GRO do to TCP, so that a segment that
 * was split and joined again is byte for byte what the workload sent, but for
 * the checksums, which are left for the receiver (CHECKSUM_PARTIAL).
 *
 * Thread-safety: functions without state of their own; any thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dp_packet;

/* Most inner headers of a segment: Ethernet, two VLAN tags, IPv4 and TCP with
 * all options. */
#define FABRIC_GSO_MAX_HEADERS (14 + 8 + 60 + 60)

/* Has malloc() keep the memory of super-frames, 64 kB each. */
void fabric_gso_keep_memory(void);

/* Segmentation
 * ------------ */

struct fabric_gso {
    size_t headers_len;         /* Inner headers of each segment. */
    size_t payload_len;         /* TCP payload of the super-frame. */
    size_t segsz;               /* TCP payload of each segment but the last. */
    size_t n_segs;              /* At least 1. */

    /* For fabric_gso_segment() only. */
    uint16_t l3_ofs;
    uint16_t l4_ofs;
    bool is_ipv4;
    uint16_t ip_id;             /* Of the first segment, */
    uint16_t ctl;               /* likewise TCP data offset and flags, */
    uint32_t seq;               /* and sequence number. */
    uint64_t ip_sum;            /* Checksum of what all IPv4 headers share, */
    uint64_t tcp_sum;           /* and all TCP and pseudo-headers. */
};

/* Fills '*gso' for 'packet', whose dp_packet_get_tso_segsz() is not 0.
 * Returns false if 'packet' is not an Ethernet frame with at most two VLAN
 * tags and TCP over IPv4 or, without extension headers, IPv6, or if its
 * lengths disagree.
 * (dp_packet_gso_batch() can segment what a tunnel of the workload carries.)
 *
 * The headers are found in the packet's bytes.  Its offsets need not be set,
 * its checksums may be in any state: those of the segments are computed from
 * nothing. */
bool fabric_gso_init(struct fabric_gso *gso, const struct dp_packet *packet);

/* Writes segment 'i' of 'packet', at most gso->headers_len + gso->segsz bytes,
 * to 'segment' and returns its size: the inner headers, then the payload.
 * Checksums are complete; TCP sequence number and flags (FIN and PSH only in
 * the last segment, CWR only in the first), IPv4 ID and lengths are as Linux's
 * GSO sets them.  The packet must not have changed since fabric_gso_init().
 * 'i' is less than gso->n_segs. */
size_t fabric_gso_segment(const struct fabric_gso *gso,
                          const struct dp_packet *packet, size_t i,
                          void *segment);

/* Coalescing
 * ---------- */

/* A super-frame being built.  Zero-initialize. */
struct fabric_gro {
    size_t size_hint;           /* Size that the caller guesses the frame will
                                 * reach, e.g. of the datagrams at hand: saves
                                 * growing the packet.  0: no idea.  Stays. */

    struct dp_packet *packet;   /* NULL: nothing gathered yet. */
    uint16_t headers_len;       /* Inner headers. */
    uint16_t segsz;
    uint16_t n_segs;
    uint16_t last_flags;        /* FIN and PSH of the last segment. */
    uint32_t next_seq;          /* TCP sequence number that continues it. */
    bool closed;                /* Short segment, FIN or PSH seen: takes no
                                 * more. */
    bool is_ipv4;
    bool fixed_id;              /* All IPv4 IDs are the same. */
};

/* Tries to append the inner frame ('frame', 'size' bytes) to 'gro'.  Returns
 * false, changing nothing, if it does not continue the super-frame: other
 * connection, gap, other options or flags, IP fragment, bad IPv4 or TCP
 * checksum, would exceed 65,535 bytes less 'headroom', ...  The caller then
 * takes the finished packet with fabric_gro_finish() and starts again.
 * Padding behind the IP packet is left out.
 *
 * With gro->packet NULL, starts a super-frame with 'frame' if it is a TCP
 * segment with payload that could be continued (returns false otherwise, for
 * instance with FIN or PSH), in a new dp_packet with 'headroom' bytes of
 * headroom.  That has to suffice for all that will be pushed, a virtio header
 * on output included: a dp_packet cannot grow beyond 65,535 bytes. */
bool fabric_gro_append(struct fabric_gro *gro, const void *frame, size_t size,
                       size_t headroom);

/* Returns the finished packet and resets 'gro'; NULL if there is none.  If it
 * has more than one segment its lengths are updated, tso_segsz is set and its
 * TCP checksum is marked as "partial", so it may only go where
 * userspace_tso_enabled() holds; of one segment, it is the frame as received
 * with its TCP checksum marked as good.  The L3 and L4 offsets are set, the
 * IPv4 checksum is good in either case. */
struct dp_packet *fabric_gro_finish(struct fabric_gro *gro);

/* Unfinished frames
 * -----------------
 *
 * A tunnel device on the other side of a virtual link (veth, virtio) may leave
 * to "hardware" what then nobody does: the checksum field of an inner TCP or
 * UDP packet holds the sum of the pseudo-header only, and an inner TCP frame
 * may be a super-frame in one datagram.  A socket does not say so.
 *
 * Recognizes that of 'packet', an inner frame as received, by its checksum
 * field, and marks it as "partial" and, if it has more TCP payload than
 * 'segsz', as a super-frame of such segments.  A finished packet whose
 * checksum happens to have that value (1 in 65,536) is harmed in no way: its
 * checksum is computed again.  Returns whether the packet is a super-frame
 * now. */
bool fabric_gso_adopt_unfinished(struct dp_packet *packet, size_t segsz);

/* The same may happen to what a workload has sent with UDP_SEGMENT: one frame
 * whose lengths are those of all its datagrams together.  Of that, a socket
 * with UDP_GRO tells the segment size, as if the outer datagram were many.
 *
 * Returns true if 'frame' is such a super-frame, of datagrams with 'segsz'
 * bytes of payload each. */
bool fabric_gso_is_udp(const void *frame, size_t size, size_t segsz);

/* Returns datagram 'i' of super-frame 'frame', for which fabric_gso_is_udp()
 * has returned true, in a new packet with 'headroom' bytes of headroom; NULL
 * if it has no more of them.  The checksum is unfinished. */
struct dp_packet *fabric_gso_udp_segment(const void *frame, size_t size,
                                         size_t segsz, size_t i,
                                         size_t headroom);

#endif /* fabric-gso.h */
