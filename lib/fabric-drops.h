/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_DROPS_H
#define FABRIC_DROPS_H 1

/* Every reason for which the fabric drops a packet.
 * =================================================
 *
 * One list feeds the enumeration, the counters, "fabric/stats" and the man
 * page.  Add a reason by adding a line.
 *
 * Thread-safety: counters are relaxed atomics, any thread. */

#include <stdint.h>

/* FABRIC_DROP(ENUMERATOR, name, what it means to an operator) */
#define FABRIC_DROPS                                                        \
    FABRIC_DROP(RX_TRUNCATED, "rx-truncated",                               \
                "received datagram too short for its headers")              \
    FABRIC_DROP(RX_BAD_HEADER, "rx-bad-header",                             \
                "received VXLAN or Geneve header is not valid")             \
    FABRIC_DROP(RX_BAD_PROTOCOL, "rx-bad-protocol",                         \
                "received Geneve payload is not Ethernet")                  \
    FABRIC_DROP(RX_UNKNOWN_SOURCE, "rx-unknown-source",                     \
                "received from an address that is not an endpoint's")       \
    FABRIC_DROP(RX_CONGESTION, "rx-congestion",                             \
                "received marked as congested, but is not ECN-capable")     \
    FABRIC_DROP(RX_QUEUE_FULL, "rx-queue-full",                             \
                "received faster than it was taken from the host")          \
    FABRIC_DROP(RX_BAD_PROBE, "rx-bad-probe",                               \
                "received probe that is malformed or matches no path")      \
    FABRIC_DROP(RX_BAD_AUTH, "rx-bad-auth",                                 \
                "received probe that is not authentic")                     \
    FABRIC_DROP(RX_REPLAYED, "rx-replayed",                                 \
                "received probe that has arrived before")                   \
    FABRIC_DROP(RX_PROBE_RATE, "rx-probe-rate",                             \
                "received probes beyond their endpoint's share")            \
    FABRIC_DROP(SLOW_PATH_FULL, "slow-path-full",                           \
                "workload sent more than its share of the slow path")       \
    FABRIC_DROP(TX_NO_FABRIC, "tx-no-fabric",                               \
                "sent to a port that is not a configured fabric")           \
    FABRIC_DROP(TX_NO_ENDPOINT, "tx-no-endpoint",                           \
                "sent to an endpoint that is not configured")               \
    FABRIC_DROP(TX_NO_PATH, "tx-no-path",                                   \
                "endpoint has no path: no common address family")           \
    FABRIC_DROP(TX_TOO_BIG, "tx-too-big",                                   \
                "packet does not fit in a UDP datagram or on any path")     \
    FABRIC_DROP(TX_BAD_PACKET, "tx-bad-packet",                             \
                "packet to be segmented has no valid TCP header")           \
    FABRIC_DROP(TX_UNREACHABLE, "tx-unreachable",                           \
                "host has no route or the uplink is down")                  \
    FABRIC_DROP(TX_QUEUE_FULL, "tx-queue-full",                             \
                "uplink's send buffer is full")                             \
    FABRIC_DROP(TX_CONTROL, "tx-control",                                   \
                "workload's packet that looks like a host's own probe")     \
    FABRIC_DROP(TX_ERROR, "tx-error",                                       \
                "host refused to send the datagram")                        \
    FABRIC_DROP(TX_NOT_TUNNELED, "tx-not-tunneled",                         \
                "output to a fabric port without the fabric action")        \
    FABRIC_DROP(TX_NO_DST, "tx-no-dst",                                     \
                "output to a fabric port with neither endpoint nor tun_dst") \
    FABRIC_DROP(TX_OWN_ADDRESS, "tx-own-address",                           \
                "tun_dst is still the address that the packet came to")     \
    FABRIC_DROP(TX_BAD_VNI, "tx-bad-vni",                                   \
                "tunnel ID does not fit in the 24 bits of a VNI")           \
    FABRIC_DROP(TX_BAD_ARGUMENT, "tx-bad-argument",                         \
                "fabric_output argument taken from a field is out of range")

enum fabric_drop {
#define FABRIC_DROP(ENUM, NAME, HELP) FABRIC_DROP_##ENUM,
    FABRIC_DROPS
#undef FABRIC_DROP
    FABRIC_N_DROPS
};

void fabric_drop_count(enum fabric_drop, uint64_t n);
uint64_t fabric_drop_get(enum fabric_drop);
const char *fabric_drop_name(enum fabric_drop);
const char *fabric_drop_help(enum fabric_drop);

#endif /* fabric-drops.h */
