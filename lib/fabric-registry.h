/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_REGISTRY_H
#define FABRIC_REGISTRY_H 1

/* Registry of fabrics, endpoints and their paths.
 * ===============================================
 *
 * The configuration side of the fabric: which fabrics there are, which
 * endpoints each has, and which paths lead to each endpoint.  What a packet
 * needs of it is copied to the flat path table (fabric-table.h).
 *
 * A fabric is made by fabric_registry_set_fabric() from a checked
 * configuration and opens one uplink (fabric-uplink.h) per local IP.  Setting
 * it again changes only what differs: paths that exist before and after keep
 * their identity, state, statistics and flows.
 *
 * Errors
 * ======
 *
 * Functions that return 'char *' return NULL on success, otherwise one line
 * for the operator that the caller must free; the previous configuration then
 * stays in force, untouched.
 *
 * Thread-safety
 * =============
 *
 * Functions under "Configuration" are for the main thread only.  Functions
 * under "Lookup" may be called by any thread at any time, without locks;
 * pointers that they return are valid until the caller next quiesces (see
 * ovs-rcu.h).
 *
 * Example
 * =======
 *
 *     struct fabric *f = fabric_registry_lookup("fab0");
 *     struct fabric_endpoint *ep = f ? fabric_endpoint_by_id(f, 7) : NULL;
 *     if (ep) {
 *         struct fabric_path_info *paths;
 *         size_t n = fabric_endpoint_get_paths(ep, &paths);
 *         ...
 *         free(paths);
 *     }
 */

#include "fabric-bfd.h"
#include "fabric-health.h"
#include "fabric-stamp.h"
#include "fabric-types.h"
#include "openvswitch/types.h"

struct fabric;
struct fabric_endpoint;

/* Liveness probing, Fabric.probe. */
struct fabric_probe_config {
    bool enabled;               /* Send probes? (Answering is always on.) */
    unsigned int interval;      /* ms between probes of one path, 1...60000. */
    unsigned int multiplier;    /* Unanswered probes that mean down: 1-255. */
    uint32_t vni;               /* Management VNI that carries the probes. */
    unsigned int idle_interval; /* Instead of 'interval' if longer, ms, for
                                 * endpoints to which nothing was sent ... */
    unsigned int idle_after;    /* ... for this time, ms. */

    /* DSCPs that probes have, in turn: those of the classes of traffic. */
    size_t n_dscps;             /* At least 1. */
    uint8_t dscps[FABRIC_N_CLASSES];
    unsigned int large_every;   /* One of so many probes of a class is as large
                                 * as the MTU; 0: none. */

    bool discovery;             /* Find out routes, and ports that take
                                 * them? */
    unsigned int discovery_interval;    /* ms between two times. */

    enum fabric_protocol protocol;      /* Not NONE. */
    struct eth_addr bfd_dst_mac;        /* Zero: as fabric-bfd-peer.h says. */
    uint32_t bfd_vni;           /* On which Open vSwitch has its BFD. */

    bool pmtud;                 /* Find out the MTUs of paths? */
    unsigned int pmtud_interval;        /* After which larger sizes are tried
                                         * again, ms. */
};
bool fabric_probe_config_equal(const struct fabric_probe_config *,
                               const struct fabric_probe_config *);
#define FABRIC_PROBE_DEFAULT_INTERVAL 100
#define FABRIC_PROBE_DEFAULT_MULTIPLIER 3
#define FABRIC_PROBE_DEFAULT_IDLE_INTERVAL 1000
#define FABRIC_PROBE_DEFAULT_IDLE_AFTER 30000
#define FABRIC_PROBE_DEFAULT_LARGE_EVERY 16
#define FABRIC_PROBE_DEFAULT_DISCOVERY_INTERVAL 600000
#define FABRIC_PROBE_DEFAULT_PMTUD_INTERVAL 600000
#define FABRIC_PROBE_DEFAULT_VNI 1      /* RFC 8971 section 3. */

/* One row of the Fabric table, parsed and checked value by value.  The
 * registry copies what it keeps. */
struct fabric_config {
    const char *name;
    enum fabric_encap encap;
    const struct in6_addr *local_ips;   /* In the operator's order. */
    size_t n_local_ips;
    uint16_t dst_port;                  /* Host byte order, not 0. */
    unsigned int paths_per_remote;      /* 1...FABRIC_MAX_PATHS_PER_REMOTE. */
    enum fabric_policy policy;          /* Not DEFAULT. */
    struct fabric_probe_config probe;
    struct fabric_stamp_keys keys;      /* Of probes, none: not signed. */
    struct fabric_health_config health;
    bool verify_source;                 /* Drop packets of unknown sources? */
    bool csum;                          /* Outer UDP checksum? */
    bool csum_always;                   /* From the kernel's fast path, too? */
    bool fast_path;                     /* Forward in the kernel if it can? */
    bool host_strict;                   /* Not while netfilter has rules? */
    unsigned int lease;                 /* Seconds that the kernel goes on
                                         * without us, 0: for ever. */
    uint16_t src_port_base;             /* First UDP source port. */
    uint8_t ttl;                        /* Outer TTL or hop limit, not 0. */
    uint8_t tos;                        /* Outer DSCP << 2, ECN bits zero. */
    bool tos_inherit;                   /* Copy the inner DSCP instead? */
    const char *uplink;                 /* Driver name, "udp" by default. */
};
#define FABRIC_DEFAULT_PATHS_PER_REMOTE 4
#define FABRIC_DEFAULT_LEASE 300        /* Longer than a restart. */
/* Inside the range of RFC 7348 section 5 (49152-65535) and outside of Linux's
 * default ephemeral ports (32768-60999), so that they do not collide. */
#define FABRIC_DEFAULT_SRC_PORT_BASE 61440

/* One row of the Fabric_Endpoint table, likewise. */
struct fabric_endpoint_config {
    const char *name;
    uint32_t id;                        /* 1...FABRIC_MAX_ENDPOINT_ID. */
    const struct in6_addr *remote_ips;
    size_t n_remote_ips;
    enum fabric_policy policy;          /* DEFAULT: the fabric's. */
};

/* Configuration.  Main thread only. */
char *fabric_registry_set_fabric(const struct fabric_config *);
void fabric_registry_del_fabric(const char *name);
char *fabric_registry_set_endpoint(const char *fabric,
                                   const struct fabric_endpoint_config *);
void fabric_registry_del_endpoint(const char *fabric, uint32_t id);

/* Takes path(s) out of use or back.  'src_port' 0, 'local' or 'remote' NULL
 * match any.  Returns the number of paths that match. */
size_t fabric_endpoint_drain(struct fabric_endpoint *,
                             const struct in6_addr *local,
                             const struct in6_addr *remote,
                             uint16_t src_port, bool drain);

/* Changes whenever a path changes state or the set of paths changes; wait on
 * it with seq_wait() to write status back. */
struct seq *fabric_registry_seq(void);

/* Counts changes of what there is: fabrics, their ports and addresses,
 * endpoints and paths, but not the states of paths.  Any thread. */
uint64_t fabric_registry_generation(void);

/* Lookup.  Any thread. */
struct fabric *fabric_registry_lookup(const char *name);
struct fabric *fabric_registry_lookup_odp(odp_port_t);
size_t fabric_registry_list(struct fabric ***fabrics);  /* Caller frees. */

const char *fabric_name(const struct fabric *);
enum fabric_encap fabric_get_encap(const struct fabric *);
bool fabric_has_port(const struct fabric *);    /* Is there a netdev? */
odp_port_t fabric_odp_port(const struct fabric *);      /* Or ODPP_NONE. */

struct fabric_endpoint *fabric_endpoint_by_id(const struct fabric *,
                                              uint32_t id);
struct fabric_endpoint *fabric_endpoint_by_ip(const struct fabric *,
                                              const struct in6_addr *);
struct fabric_endpoint *fabric_endpoint_by_name(const struct fabric *,
                                                const char *);
size_t fabric_list_endpoints(const struct fabric *,
                             struct fabric_endpoint ***); /* Caller frees;
                                                           * by ID. */

uint32_t fabric_endpoint_id(const struct fabric_endpoint *);
const char *fabric_endpoint_name(const struct fabric_endpoint *);
enum fabric_policy fabric_endpoint_policy(const struct fabric_endpoint *);

/* Counts changes of the endpoint's paths, of their states, too.  It begins
 * anew when an endpoint is made anew, which fabric_registry_generation()
 * tells. */
unsigned int fabric_endpoint_n_changes(const struct fabric_endpoint *);

/* The address that stands for the endpoint in flows (tun_src and tun_dst),
 * whichever path a packet takes: its first remote IP that has a path. */
const struct in6_addr *fabric_endpoint_primary_ip(
    const struct fabric_endpoint *);

/* A snapshot of one path. */
struct fabric_path_info {
    struct in6_addr local_ip;
    struct in6_addr remote_ip;
    uint16_t src_port;          /* Host byte order. */
    enum fabric_path_state state;
    enum fabric_protocol protocol;      /* That told it, or NONE. */
    bool has_bfd;               /* Is there a session between its IPs? */
    struct fabric_bfd bfd;      /* A copy of it. */
    unsigned int n_slots;       /* Shares of the endpoint's flows, of */
    unsigned int total_slots;   /* this many. */
    uint64_t tx_packets;        /* Inner packets sent. */
    uint64_t tx_bytes;          /* Inner bytes sent. */
    uint64_t rx_packets;        /* Likewise received, if the peer's path has */
    uint64_t rx_bytes;          /* the same source port as ours. */
    uint64_t probe_tx;
    uint64_t probe_rx;
    uint64_t probe_lost;
    uint64_t n_down;            /* Times that it went down. */
    uint64_t n_stalls;          /* Times that it did, not counted among them,
                                 * since a host did not run. */
    bool needs_csum;            /* Loses what has no UDP checksum? */
    int64_t rtt_us;             /* Last, or -1 if never measured. */
    int64_t rtt_min_us;         /* Least since up, or -1. */
    int64_t rtt_smoothed_us;    /* Smoothed (RFC 6298 section 2), or -1. */
    long long int last_change;  /* time_msec() of the last state change. */
    unsigned int weight;        /* See fabric-table.h. */
    uint32_t reasons;           /* Bitmap of enum fabric_health_reason. */
    struct fabric_health_stats health;
    struct fabric_hops hops;    /* Its route, as far as known. */
    uint32_t mtu;               /* Of the outer IP packet; 0: not known. */
};
size_t fabric_endpoint_get_paths(const struct fabric_endpoint *,
                                 struct fabric_path_info **); /* Caller
                                                               * frees. */

/* Received and sent totals of an endpoint: inner packets and bytes. */
struct fabric_endpoint_stats {
    uint64_t rx_packets, rx_bytes;
    uint64_t tx_packets, tx_bytes;
    uint64_t tx_no_live_path;   /* Sent though no path was usable. */
};
void fabric_endpoint_get_stats(const struct fabric_endpoint *,
                               struct fabric_endpoint_stats *);

#endif /* fabric-registry.h */
