/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_STAMP_H
#define FABRIC_STAMP_H 1

/* STAMP test packets in a tunnel.
 * ===============================
 *
 * The liveness probe of a path: a STAMP packet, unauthenticated mode (RFC 8762
 * section 4.2.1 and 4.3.1, with the SSID of RFC 8972 section 3), UDP port 862,
 * in IPv4 or IPv6, in Ethernet, in the fabric's encapsulation on the
 * management VNI.  As RFC 8971 section 3 does for BFD, the inner Ethernet
 * destination is 00-00-5E-00-52-02, the inner IP destination a loopback
 * address and the inner TTL 255, so that a peer which is not Weft cannot
 * forward it to a tenant.
 *
 * Inner UDP ports: a test packet goes to port 862 from
 * FABRIC_STAMP_SENDER_PORT; a reflected packet goes back with the ports
 * exchanged, which also tells the two apart.
 *
 * This module only reads and writes bytes.  All integers are host byte order.
 *
 * Thread-safety: pure functions, any thread. */

#include "fabric-types.h"
#include "openvswitch/types.h"
#include "packets.h"

#define FABRIC_STAMP_PORT 862
#define FABRIC_STAMP_SENDER_PORT 49862
#define FABRIC_STAMP_LEN 44             /* Both directions, RFC 8762. */

/* Error estimate (RFC 4656 section 4.1.2) of a clock that reads microseconds
 * and is not synchronized to UTC by an external source: S and Z bits 0, scale
 * 12, multiplier 1, for 2**(12 - 32) s. */
#define FABRIC_STAMP_ERROR_ESTIMATE 0x0c01

extern const struct eth_addr fabric_stamp_mac;  /* 00-00-5E-00-52-02. */

/* The "heard" TLV
 * ===============
 *
 * Tells a Session-Sender which of its test packets arrived on other paths
 * than the one whose answer carries it, so that a path whose answers get lost
 * is not mistaken for one whose test packets get lost.  It is of a type for
 * private use (RFC 8972 section 5.1), and begins with a number of ours:
 *
 *     octet
 *      0     flags (U, M, I), RFC 8972 section 4
 *      1     type, 253
 *      2     length of what follows, 4 + 8 for each entry
 *      4     0x0002fab1
 *      8     entries: SSID (2 octets), 0 (2), latest sequence heard (4)
 *
 * The test packet has as many entries, zero, as the sender has use for; the
 * reflector fills in what it can and leaves the rest zero.  Hence an answer is
 * never longer than its question. */
#define FABRIC_STAMP_MAX_HEARD 16
#define FABRIC_STAMP_TLV_TYPE_HEARD 253

struct fabric_stamp_heard {
    uint16_t ssid;
    uint32_t seq;
};

/* Longest inner frame: Ethernet, IPv6, UDP, STAMP, "heard" TLV. */
#define FABRIC_STAMP_MAX_FRAME \
    (14 + 40 + 8 + FABRIC_STAMP_LEN + 8 + 8 * FABRIC_STAMP_MAX_HEARD)

/* A timestamp is 32 bits of seconds and 32 bits of fraction, NTP format (RFC
 * 5905 section 6), as RFC 8762 has it by default. */
typedef uint64_t fabric_stamp_ts;

/* Converts wall-clock nanoseconds since the Unix epoch, and back. */
fabric_stamp_ts fabric_stamp_ts_from_ns(uint64_t ns);
uint64_t fabric_stamp_ts_to_ns(fabric_stamp_ts);

struct fabric_stamp {
    bool reflected;             /* Session-Reflector packet? */
    uint32_t seq;
    fabric_stamp_ts timestamp;  /* When this packet was sent. */
    uint16_t error_estimate;
    uint16_t ssid;              /* 0: none. */

    /* Entries of the "heard" TLV, which is absent if there are none. */
    uint8_t n_heard;
    struct fabric_stamp_heard heard[FABRIC_STAMP_MAX_HEARD];

    /* Reflected packets only. */
    fabric_stamp_ts rx_timestamp;       /* When the test packet arrived. */
    uint32_t sender_seq;
    fabric_stamp_ts sender_timestamp;
    uint16_t sender_error_estimate;
    uint8_t sender_ttl;
};

/* Writes the whole inner Ethernet frame, checksums included, for 'stamp' from
 * VTEP address 'src' (its family decides IPv4 or IPv6) to 'frame', with room
 * for FABRIC_STAMP_MAX_FRAME bytes.  Returns its length. */
size_t fabric_stamp_compose(const struct fabric_stamp *stamp,
                            const struct eth_addr *src_mac,
                            const struct in6_addr *src, void *frame);

/* Is the inner frame at 'frame', 'size' bytes, a probe (its destination MAC)
 * rather than tenant data?  The caller has checked the VNI. */
bool fabric_stamp_is_probe(const void *frame, size_t size);

/* Parses the inner Ethernet frame.  Checks lengths, IP and UDP checksums,
 * loopback destination, TTL 255 and ports.  Returns true and fills '*stamp' if
 * it is a STAMP packet.  TLVs (RFC 8972) behind it are ignored. */
bool fabric_stamp_parse(const void *frame, size_t size,
                        struct fabric_stamp *stamp);

/* Fills 'reply' with the answer to 'test' (stateless: the sequence number is
 * copied, RFC 8762 section 4.3.1), received at 'rx' with 'sender_ttl' in its
 * outer header, and sent at 'tx'. */
void fabric_stamp_reflect(const struct fabric_stamp *test, uint8_t sender_ttl,
                          fabric_stamp_ts rx, fabric_stamp_ts tx,
                          struct fabric_stamp *reply);

#endif /* fabric-stamp.h */
