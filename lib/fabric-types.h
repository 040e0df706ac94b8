/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_TYPES_H
#define FABRIC_TYPES_H 1

/* Words shared by every fabric module.
 * ===================================
 *
 * Plain enumerations and limits, and the conversions between them and the
 * words that OVSDB, OpenFlow and the commands use.  No state, so everything
 * here is thread-safe.
 *
 * Addresses are "struct in6_addr" throughout, IPv4 as an IPv4-mapped address
 * (RFC 4291 section 2.5.5.2), as in the rest of Open vSwitch. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ds;

/* Limits. */
#define FABRIC_MAX_ENDPOINT_ID ((1u << 24) - 1)
#define FABRIC_MAX_VNI ((1u << 24) - 1)
#define FABRIC_MAX_CLASS 7
#define FABRIC_MAX_LOCAL_IPS 16
#define FABRIC_MAX_REMOTE_IPS 16
#define FABRIC_MAX_PATHS_PER_REMOTE 64
#define FABRIC_MAX_PATHS_PER_ENDPOINT 256
#define FABRIC_MAX_HOPS 30

/* Encapsulations: (enumerator, name in OVSDB, default UDP port). */
#define FABRIC_ENCAPS                           \
    FABRIC_ENCAP(VXLAN, "vxlan", 4789)          \
    FABRIC_ENCAP(GENEVE, "geneve", 6081)

enum fabric_encap {
#define FABRIC_ENCAP(ENUM, NAME, PORT) FABRIC_ENCAP_##ENUM,
    FABRIC_ENCAPS
#undef FABRIC_ENCAP
};
enum {
#define FABRIC_ENCAP(ENUM, NAME, PORT) +1
    FABRIC_N_ENCAPS = FABRIC_ENCAPS
#undef FABRIC_ENCAP
};

/* How a packet picks one of the live paths of an endpoint: (enumerator, name).
 * DEFAULT defers to the endpoint's policy, then to the fabric's.  The order is
 * what OpenFlow has on the wire (ofp-fabric.h): append only. */
#define FABRIC_POLICIES                         \
    FABRIC_POLICY(DEFAULT, "default")           \
    FABRIC_POLICY(HASH, "hash")

enum fabric_policy {
#define FABRIC_POLICY(ENUM, NAME) FABRIC_POLICY_##ENUM,
    FABRIC_POLICIES
#undef FABRIC_POLICY
};
enum {
#define FABRIC_POLICY(ENUM, NAME) +1
    FABRIC_N_POLICIES = FABRIC_POLICIES
#undef FABRIC_POLICY
};

/* What tells the state of paths: (enumerator, name).  NONE is for paths of
 * which nothing is known, AUTO for configuration. */
#define FABRIC_PROTOCOLS                        \
    FABRIC_PROTOCOL(NONE, "-")                  \
    FABRIC_PROTOCOL(STAMP, "stamp")             \
    FABRIC_PROTOCOL(BFD, "bfd")                 \
    FABRIC_PROTOCOL(AUTO, "auto")

enum fabric_protocol {
#define FABRIC_PROTOCOL(ENUM, NAME) FABRIC_PROTOCOL_##ENUM,
    FABRIC_PROTOCOLS
#undef FABRIC_PROTOCOL
};

/* State of a path: (enumerator, name in Fabric_Path.state, usable).  The order
 * is what OpenFlow has on the wire (ofp-fabric-msg.h): append only.
 *
 * UNKNOWN   never answered a probe: the peer may not be Weft; used.
 * UP        probes are answered; used.
 * DEGRADED  probes are answered but outside of their band; used.
 * DOWN      probes stopped being answered, or are not yet while those of the
 *           endpoint's older paths are, or the local side lost carrier or its
 *           route; not used while another path of the endpoint is usable.
 * DRAINED   taken out by the operator; not used likewise. */
#define FABRIC_PATH_STATES                      \
    FABRIC_PATH_STATE(UNKNOWN, "unknown", true)     \
    FABRIC_PATH_STATE(UP, "up", true)               \
    FABRIC_PATH_STATE(DEGRADED, "degraded", true)   \
    FABRIC_PATH_STATE(DOWN, "down", false)          \
    FABRIC_PATH_STATE(DRAINED, "drained", false)

enum fabric_path_state {
#define FABRIC_PATH_STATE(ENUM, NAME, USABLE) FABRIC_PATH_##ENUM,
    FABRIC_PATH_STATES
#undef FABRIC_PATH_STATE
};
enum {
#define FABRIC_PATH_STATE(ENUM, NAME, USABLE) +1
    FABRIC_N_PATH_STATES = FABRIC_PATH_STATES
#undef FABRIC_PATH_STATE
};

/* The routers that a path crosses, by TTL. */
struct fabric_hops {
    uint8_t n;
    bool reached;               /* Is the remote behind the last one?
                                 * Otherwise more may follow. */
    struct in6_addr ip[FABRIC_MAX_HOPS];        /* in6addr_any: silent. */
};

const char *fabric_encap_to_string(enum fabric_encap);
bool fabric_encap_from_string(const char *, enum fabric_encap *);
uint16_t fabric_encap_default_port(enum fabric_encap);

const char *fabric_policy_to_string(enum fabric_policy);
bool fabric_policy_from_string(const char *, enum fabric_policy *);

const char *fabric_protocol_to_string(enum fabric_protocol);

/* The name of something that can be configured, so not "-". */
bool fabric_protocol_from_string(const char *, enum fabric_protocol *);

const char *fabric_path_state_to_string(enum fabric_path_state);
bool fabric_path_state_is_usable(enum fabric_path_state);

#endif /* fabric-types.h */
