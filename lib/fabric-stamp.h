/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_STAMP_H
#define FABRIC_STAMP_H 1

/* STAMP test packets in a tunnel.
 * ===============================
 *
 * The probe of a path: a STAMP packet (RFC 8762, with the SSID and TLVs of RFC
 * 8972), UDP port 862, in IPv4 or IPv6, in Ethernet, in the fabric's
 * encapsulation on the management VNI.  As RFC 8971 section 3 does for BFD,
 * the inner Ethernet destination is 00-00-5E-00-52-02, the inner IP
 * destination a loopback address and the inner TTL 255, so that a peer which
 * is not Weft cannot forward it to a tenant.
 *
 * Inner UDP ports: a test packet goes to port 862 from
 * FABRIC_STAMP_SENDER_PORT; a reflected packet goes back with the ports
 * exchanged, which also tells the two apart.
 *
 * A Session-Sender fills in "struct fabric_stamp" and calls
 * fabric_stamp_compose().  A Session-Reflector calls fabric_stamp_parse(),
 * fabric_stamp_reflect() and fabric_stamp_compose().  The sender parses the
 * answer.
 *
 * An answer is exactly as long as its question (RFC 8762 section 4.3; but see
 * fabric_stamp_unpad() and fabric_stamp_shorten()), so nobody is amplified:
 * the question has room for all that an answer adds.
 *
 * This module only reads and writes bytes, in buffers of the caller, and
 * allocates nothing for a packet.  All integers are host byte order.
 *
 * Thread-safety: pure functions, any thread.
 *
 *
 * Authentication
 * ==============
 *
 * With keys, packets are in authenticated mode (RFC 8762 sections 4.2.2, 4.3.2
 * and 4.4; RFC 8972 section 4.8), and none that is not is accepted; without,
 * the other way round.  Test packets are sent with the first key.  Either key
 * is accepted, and an answer has the key of its question, so a key is replaced
 * without loss by adding the new one as the second key everywhere, exchanging
 * the two everywhere, and removing the old one everywhere.
 *
 * What authentication does not do, by the RFCs: it does not tell a test packet
 * from a replayed one, nor whom a packet was for, nor that all TLVs were
 * removed from it.  The "origin" TLV below does, and with keys a packet
 * without it is not to be believed.  And whoever gets an answer has to find
 * 'sender_seq' and 'sender_timestamp' equal to those of a test packet that it
 * sent and that was not answered yet. */

#include "fabric-types.h"
#include "openvswitch/types.h"
#include "packets.h"

#define FABRIC_STAMP_PORT 862
#define FABRIC_STAMP_SENDER_PORT 49862
#define FABRIC_STAMP_LEN 44             /* Both directions, RFC 8762. */
#define FABRIC_STAMP_AUTH_LEN 112       /* Likewise, authenticated mode. */

/* Error estimate (RFC 4656 section 4.1.2) of a clock that reads microseconds
 * and is not synchronized to UTC by an external source: S and Z bits 0, scale
 * 12, multiplier 1, for 2**(12 - 32) s.  If it is synchronized, the S bit is
 * added. */
#define FABRIC_STAMP_ERROR_ESTIMATE 0x0c01
#define FABRIC_STAMP_ERROR_SYNCHRONIZED 0x8000

extern const struct eth_addr fabric_stamp_mac;  /* 00-00-5E-00-52-02. */

#define FABRIC_STAMP_MAX_KEYS 2
#define FABRIC_STAMP_MAX_KEY_LEN 64     /* A block of SHA-256. */

struct fabric_stamp_key {
    uint8_t key[FABRIC_STAMP_MAX_KEY_LEN];
    size_t len;
};

struct fabric_stamp_keys {
    size_t n;                   /* 0: unauthenticated mode. */
    struct fabric_stamp_key keys[FABRIC_STAMP_MAX_KEYS];
};

bool fabric_stamp_keys_equal(const struct fabric_stamp_keys *,
                             const struct fabric_stamp_keys *);

/* Can this build authenticate?  If it cannot, stores into '*reason' what to
 * tell who configured a key; no packet is then sent or accepted with keys. */
bool fabric_stamp_auth_supported(const char **reason);

/* TLVs (RFC 8972 section 4)
 * =========================
 *
 * Members of "struct fabric_stamp" below, each there if its "has_" member is
 * true.  What the comments call "answer" is 0 in a test packet and filled in
 * by fabric_stamp_reflect(). */

/* Flags. */
#define FABRIC_STAMP_TLV_UNRECOGNIZED 0x80      /* U: by the reflector. */
#define FABRIC_STAMP_TLV_MALFORMED 0x40         /* M. */
#define FABRIC_STAMP_TLV_INTEGRITY 0x20         /* I: HMAC is wrong. */

/* Location, type 2: addresses and ports of the test packet as it arrived,
 * which tell of address translation on the way.  We report those of the outer
 * header, for the inner ones never change. */
struct fabric_stamp_location {
    uint16_t src_port, dst_port;        /* Answer. */
    struct in6_addr src_ip, dst_ip;     /* Answer; :: if not known. */
    struct eth_addr src_mac;            /* Answer to whoever asks for it, which
                                         * we do not; 0 if not known. */
};

/* Timestamp Information, type 3.  All of it is answer. */
enum fabric_stamp_sync {
    FABRIC_STAMP_SYNC_NTP = 1,
    FABRIC_STAMP_SYNC_PTP = 2,
    FABRIC_STAMP_SYNC_SSU_BITS = 3,
    FABRIC_STAMP_SYNC_GNSS = 4,
    FABRIC_STAMP_SYNC_LOCAL = 5,        /* Free-running. */
};
enum fabric_stamp_method {
    FABRIC_STAMP_METHOD_HW = 1,
    FABRIC_STAMP_METHOD_SW = 2,
    FABRIC_STAMP_METHOD_CONTROL = 3,
};
struct fabric_stamp_ts_info {
    uint8_t sync_in, method_in;         /* Of the receive timestamp. */
    uint8_t sync_out, method_out;       /* Of the timestamp of sending. */
};

/* Class of Service, type 4, with erratum 8199. */
struct fabric_stamp_cos {
    uint8_t dscp1;              /* Asked for in the header of the answer. */
    uint8_t dscp2;              /* Answer: with which the question arrived. */
    uint8_t ecn;                /* Answer: likewise. */
    uint8_t rp;                 /* Answer: 1 if it does not have 'dscp1'. */
};

/* Direct Measurement, type 5: counts of packets of data. */
struct fabric_stamp_direct {
    uint32_t s_tx;              /* Sent by the Session-Sender. */
    uint32_t r_rx;              /* Answer: received by the reflector. */
    uint32_t r_tx;              /* Answer: sent by it. */
};

/* The "heard" TLV, type 253
 * -------------------------
 *
 * Tells a Session-Sender which of its test packets arrived, on the path of the
 * answer and on others: a path whose answers get lost is not mistaken for one
 * whose test packets get lost, and between two answers the test packets sent
 * less those received are the loss there, the rest is the loss back.  It is of
 * a type for private use (RFC 8972 section 5.1), and begins with a number of
 * ours:
 *
 *     octet
 *      0     flags
 *      1     type, 253
 *      2     length of what follows, 4 + 12 for each entry
 *      4     0x0002fab1
 *      8     entries: SSID (2 octets), 0 (2), latest sequence heard (4),
 *                     count of test packets received (4)
 *
 * The test packet has as many entries, zero, as the sender has use for; the
 * reflector fills in what it can and leaves the rest zero. */
#define FABRIC_STAMP_MAX_HEARD 16
#define FABRIC_STAMP_TLV_TYPE_HEARD 253

struct fabric_stamp_heard {
    uint16_t ssid;              /* 0: nothing. */
    uint32_t seq;               /* Latest that arrived. */
    uint32_t count;             /* How many did.  Wraps around. */
};

/* The "report" TLV, type 252
 * --------------------------
 *
 * Tells the other host which of its test packets arrived, on whatever paths,
 * with every packet of either direction: what the host that sends this packet
 * heard of the one that receives it (fabric-hearing.h).  So, unlike an answer,
 * it needs no certain way back.
 *
 *     octet
 *      0     flags
 *      1     type, 252
 *      2     length of what follows, 8 + 4 for each entry
 *      4     0x0002fab1
 *      8     bits: 0x80 the sender is deaf, 0x40 this is one of several copies
 *      9     0
 *     10     SSID (2 octets) of the first entry; those of others follow it
 *     12     entries: latest sequence heard (4), 0: none lately
 *
 * The reflector replaces the report of the test packet by its own, of the same
 * length. */
#define FABRIC_STAMP_MAX_REPORT 64
#define FABRIC_STAMP_TLV_TYPE_REPORT 252

struct fabric_stamp_report {
    bool deaf;                  /* Has the sender heard nothing lately? */
    bool copy;                  /* Is the same answer sent by other ways? */
    uint8_t n;                  /* Entries. */
    uint16_t first;             /* SSID of the first. */
    uint32_t seqs[FABRIC_STAMP_MAX_REPORT];
};

/* The "origin" TLV, type 254
 * --------------------------
 *
 * Tells from where to where the packet goes, and which one of its sender it
 * is, so that, with the HMAC TLV, it can serve for no other purpose.  Of a
 * type for private use like the previous one:
 *
 *     octet
 *      0     flags
 *      1     type, 254
 *      2     length of what follows, 64
 *      4     0x0002fab1
 *      8     epoch of the Session-Sender
 *     16     latest epoch of the recipient's, as a Session-Sender, that the
 *            sender of this packet knows of; 0: none
 *     24     serial number in the session and epoch
 *     28     SSID (2 octets)
 *     30     0 in a test packet, 1 in an answer
 *     31     0
 *     32     outer UDP ports: source (2 octets), destination (2)
 *     36     outer source address, IPv4 as IPv4-mapped IPv6 address
 *     52     outer destination address, likewise
 *
 * The addresses and ports are what the sender of the packet sees, so with keys
 * there can be no address translation between the two.  An answer has the same
 * epoch, serial number and SSID as its question.
 *
 * A Session-Sender numbers anew when it starts anew, and then has a higher
 * epoch.  It takes epochs from its clock.  If that was set back meanwhile, the
 * reflector does not believe it, but says so by way of octet 16 of its own
 * packets, and the Session-Sender goes on with an epoch beyond that.  So
 * clocks need not be right. */
#define FABRIC_STAMP_TLV_TYPE_ORIGIN 254

struct fabric_stamp_origin {
    uint64_t epoch;
    uint64_t known;
    uint32_t serial;
    uint16_t ssid;
    bool answer;
    uint16_t src_port, dst_port;
    struct in6_addr src_ip, dst_ip;
};

/* Most octets of TLVs without Extra Padding: Location, Timestamp Information,
 * Class of Service, Direct Measurement, "heard", "report", "origin" and
 * HMAC. */
#define FABRIC_STAMP_MAX_TLVS                                   \
    (48 + 8 + 8 + 16 + 8 + 12 * FABRIC_STAMP_MAX_HEARD          \
     + 12 + 4 * FABRIC_STAMP_MAX_REPORT + 68 + 20)

/* Longest inner frame without Extra Padding: Ethernet, IPv6, UDP, STAMP and
 * TLVs. */
#define FABRIC_STAMP_MAX_FRAME \
    (14 + 40 + 8 + FABRIC_STAMP_AUTH_LEN + FABRIC_STAMP_MAX_TLVS)

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
    uint8_t key;                /* Index of its key, if there are keys. */

    /* Reflected packets only. */
    fabric_stamp_ts rx_timestamp;       /* When the test packet arrived. */
    uint32_t sender_seq;
    fabric_stamp_ts sender_timestamp;
    uint16_t sender_error_estimate;
    uint8_t sender_ttl;

    /* TLVs, in the order in which they are sent; the HMAC TLV comes last.  Of
     * a type that is there twice, the last counts. */
    bool has_location;
    bool has_ts_info;
    bool has_cos;
    bool has_direct;
    bool has_report;
    bool has_origin;
    bool has_padding;
    uint8_t n_heard;            /* "heard" TLV, not there if 0. */
    struct fabric_stamp_location location;
    struct fabric_stamp_ts_info ts_info;
    struct fabric_stamp_cos cos;
    struct fabric_stamp_direct direct;
    struct fabric_stamp_heard heard[FABRIC_STAMP_MAX_HEARD];
    struct fabric_stamp_report report;
    struct fabric_stamp_origin origin;
    uint16_t padding_len;       /* Octets behind the header of the Extra
                                 * Padding TLV; in all if there are more. */

    /* Of packets parsed.  "True" means that there were TLVs whose HMAC is
     * wrong or, with keys, missing, or of which the reflector said so: none
     * has been used. */
    bool tlvs_refused;
    uint8_t tlv_flags;          /* Of an answer: those of its TLVs, ORed, up to
                                 * one that the reflector found malformed. */

    /* Of a test packet parsed: its TLVs, within the frame.  The answer gets
     * them back, known or not, with what the reflector has to add; who sends
     * it later has to copy them, and set 'echo'. */
    const uint8_t *echo;
    size_t echo_len;
};

/* Lengths. */

/* Returns the length of the inner frame that fabric_stamp_compose() makes of
 * the test packet 'stamp'. */
size_t fabric_stamp_frame_len(const struct fabric_stamp *stamp,
                              const struct fabric_stamp_keys *keys,
                              const struct in6_addr *src);

/* Adds an Extra Padding TLV to the test packet 'stamp', or changes or removes
 * it, such that the inner frame is 'len' bytes long.  Returns false if it
 * cannot be: it is longer without padding, or shorter by less than the 4 that
 * the TLV takes, or 'len' is more than IP can carry. */
bool fabric_stamp_pad(struct fabric_stamp *stamp,
                      const struct fabric_stamp_keys *keys,
                      const struct in6_addr *src, size_t len);

/* Sending and receiving.  'keys' may be null, for unauthenticated mode. */

/* Writes the whole inner Ethernet frame, checksums included, for 'stamp' from
 * VTEP address 'src' (its family decides IPv4 or IPv6) to 'frame', with room
 * for 'size' bytes.  Returns its length; 0 if there is too little room, or if
 * it cannot be authenticated.
 *
 * An answer to a packet that was parsed needs what 'echo' points to still to
 * be there, the same 'keys' and the same IP version, and is as long as that
 * packet. */
size_t fabric_stamp_compose(const struct fabric_stamp *stamp,
                            const struct fabric_stamp_keys *keys,
                            const struct eth_addr *src_mac,
                            const struct in6_addr *src,
                            void *frame, size_t size);

/* Is the inner frame at 'frame', 'size' bytes, a probe (its destination MAC)
 * rather than tenant data?  The caller has checked the VNI. */
bool fabric_stamp_is_probe(const void *frame, size_t size);

/* Returns true if such a frame is a reflected packet rather than a test, for
 * all that one look can tell. */
bool fabric_stamp_seems_reflected(const void *frame, size_t size);

enum fabric_stamp_result {
    FABRIC_STAMP_OK,
    FABRIC_STAMP_NOT_STAMP,     /* Not a probe, or not UDP with the ports of
                                 * STAMP: may be another kind of probe. */
    FABRIC_STAMP_BAD_AUTH,      /* HMAC is wrong; or keys and packet are not
                                 * of the same mode. */
    FABRIC_STAMP_MALFORMED,     /* Length, checksum, address, TTL. */
};

/* Parses the inner Ethernet frame.  Checks lengths, IP and UDP checksums,
 * loopback destination, TTL 255, ports and authentication.  Returns
 * FABRIC_STAMP_OK and fills '*stamp', or something else and leaves it
 * undefined.
 *
 * Bad TLVs do not make a bad packet.  Those behind one that is malformed are
 * ignored, as are, in an answer, those that the reflector did not know; see
 * 'tlvs_refused' above for those that are not authentic. */
enum fabric_stamp_result fabric_stamp_parse(const void *frame, size_t size,
                                            const struct fabric_stamp_keys *,
                                            struct fabric_stamp *stamp);

/* What a reflector knows when it answers.  A TLV that asks for what it does
 * not know ("has_" is false) is returned as not recognized. */
struct fabric_stamp_reflector {
    fabric_stamp_ts rx;         /* When the test packet arrived. */
    fabric_stamp_ts tx;         /* When the answer is sent. */
    uint16_t error_estimate;    /* Of both. */
    uint8_t ttl;                /* Of the test packet's outer header. */

    bool has_ts_info;
    struct fabric_stamp_ts_info ts_info;

    bool has_cos;
    uint8_t dscp, ecn;          /* Of the test packet's outer header. */
    uint64_t dscps;             /* DSCPs that a test packet may ask for in the
                                 * answer, UINT64_C(1) << DSCP. */

    bool has_direct;
    uint32_t data_rx, data_tx;  /* Packets of data on this path so far. */

    bool has_location;
    struct fabric_stamp_location location;

    bool has_origin;            /* What is also the question's is not used. */
    struct fabric_stamp_origin origin;
};

/* Fills 'reply' with the answer to 'test' (stateless: the sequence number is
 * copied, RFC 8762 section 4.3.1).  The entries of its "heard" and "report"
 * TLVs are zero, for the caller to fill.  Returns the DSCP for the outer
 * header of the answer. */
uint8_t fabric_stamp_reflect(const struct fabric_stamp *test,
                             const struct fabric_stamp_reflector *,
                             struct fabric_stamp *reply);

/* Leaves the padding of 'reply' out: for a sender that is known not to need
 * it. */
void fabric_stamp_unpad(struct fabric_stamp *reply);

/* Has the answer 'reply' composed anew, without padding and TLVs that nobody
 * knows: for a sender to which it goes by another way than its question came,
 * perhaps of another IP version. */
void fabric_stamp_detach(struct fabric_stamp *reply);

/* Leaves all TLVs but "origin" out of the answer 'reply', which is then
 * shorter than its question.  That is not as RFC 8762 section 4.3 has it, but
 * a question that is to show what fits on its way should not be lost on the
 * way back; only for who asks for it (fabric-mtu.h). */
void fabric_stamp_shorten(struct fabric_stamp *reply);

#endif /* fabric-stamp.h */
