/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_PRIVATE_H
#define FABRIC_PRIVATE_H 1

/* The objects behind fabric-registry.h, for the modules that make up the
 * fabric: registry, prober, netdev provider and datapath action.  Everyone
 * else uses fabric-registry.h.
 *
 * Thread-safety
 * =============
 *
 * fabric_table_mutex serializes every change.  Members are marked:
 *
 *   [const]    set before the object is published, never changed;
 *   [rcu]      changed under the mutex, read anywhere;
 *   [mutex]    read and changed under the mutex;
 *   [atomic]   relaxed atomics.
 *
 * An object that is removed is freed after an RCU grace period. */

#include "cmap.h"
#include "fabric-bare.h"
#include "fabric-bfd-peer.h"
#include "fabric-drain.h"
#include "fabric-health.h"
#include "fabric-hearing.h"
#include "fabric-liveness.h"
#include "fabric-pmtu.h"
#include "fabric-registry.h"
#include "fabric-table.h"
#include "fabric-uplink.h"
#include "heap.h"
#include "openvswitch/hmap.h"
#include "openvswitch/list.h"
#include "openvswitch/shash.h"
#include "openvswitch/token-bucket.h"
#include "ovs-rcu.h"


/* The open uplinks of a fabric, one for each local IP, in its order. */
struct fabric_uplinks {
    size_t n;
    struct fabric_uplink *uplinks[FABRIC_MAX_LOCAL_IPS];
    bool local_up[FABRIC_MAX_LOCAL_IPS];        /* [mutex] */
};

struct fabric {
    struct cmap_node name_node;         /* In 'fabrics_by_name'. */
    struct cmap_node odp_node;          /* In 'fabrics_by_odp'. */
    char *name;                         /* [const] */

    /* [rcu] All that is configured, for fabric_get_config(). */
    OVSRCU_TYPE(struct fabric_config *) config;

    /* [mutex] Copies of parts of it. */
    const struct fabric_uplink_class *class;
    struct fabric_probe_config probe;
    struct fabric_stamp_keys keys;
    struct fabric_health_config health;
    unsigned int paths_per_remote;

    /* [atomic] */
    atomic_bool stands_aside;           /* From the kernel, for its host. */
    ATOMIC(odp_port_t) odp_port;        /* ODPP_NONE if not known. */

    struct fabric_inject *inject;       /* [const] */
    OVSRCU_TYPE(struct fabric_uplinks *) uplinks;       /* [rcu] */
    struct cmap by_id;                  /* [rcu] Contains fabric_endpoint. */
    struct cmap by_endpoint_name;       /* [rcu] Likewise. */
    struct cmap by_ip;                  /* [rcu] Contains
                                         * fabric_endpoint_ip. */
    struct cmap by_tuple;               /* [rcu] Contains fabric_arrival. */

    /* [atomic] Inner packets and bytes, for the netdev's statistics. */
    atomic_uint64_t rx_packets, rx_bytes, rx_dropped;
    atomic_uint64_t tx_packets, tx_bytes, tx_dropped;

    /* What the kernel forwarded: an array of rx_packets, rx_bytes, tx_packets,
     * tx_bytes that is never freed; NULL if the kernel does not forward. */
    ATOMIC(const uint64_t *) kern_stats;        /* [atomic] */

    bool dead;                  /* [main] For fabric_live_run(). */

    /* [mutex] Contains "struct fabric_drains" of endpoints that were removed,
     * by name, for those that take their place. */
    struct shash orphan_drains;
};

/* What flows need to know of an endpoint's addresses. */
struct fabric_endpoint_addrs {
    struct in6_addr primary;            /* See fabric_endpoint_primary_ip(). */
    struct in6_addr local;              /* Our counterpart, tun_dst. */
    uint32_t identity;                  /* Of the endpoint with these two. */
    size_t n;
    struct in6_addr remote_ips[FABRIC_MAX_REMOTE_IPS];
};

/* An address of an endpoint. */
struct fabric_endpoint_ip {
    struct cmap_node node;              /* In fabric's 'by_ip'. */
    struct in6_addr ip;                 /* [const] */
    struct fabric_endpoint *endpoint;   /* [const] */
};

/* What fabric-discover.c knows of an endpoint. */
struct fabric_discovery {
    struct heap_node node;
    uint8_t queue;              /* Which one 'node' is in; 0: none. */
    bool event;                 /* Even if the endpoint is idle? */
    unsigned int round;         /* Counts rounds. */
    long long int last_round;   /* When the last one began, ms. */
    struct fabric_pair *pairs;
    size_t n_pairs;
};

struct fabric_endpoint {
    struct cmap_node id_node;           /* In fabric's 'by_id'. */
    struct cmap_node name_node;         /* In fabric's 'by_endpoint_name'. */
    struct fabric *fabric;              /* [const] */
    uint32_t id;                        /* [const] */
    char *name;                         /* [const] */
    uint32_t index;                     /* [const] In the path table. */
    atomic_uint8_t policy;              /* [atomic] enum fabric_policy. */
    OVSRCU_TYPE(struct fabric_endpoint_addrs *) addrs;  /* [rcu] */

    atomic_count n_changes;             /* fabric_endpoint_n_changes(). */
    bool answers;                       /* [mutex] Ever answered a probe? */
    struct fabric_bfd_peer *bfd;        /* [mutex] NULL without BFD. */
    atomic_bool takes_bfd;              /* [atomic] Would workloads' BFD end up
                                         * in the endpoint itself? */
    struct fabric_path **paths;         /* [mutex] */
    size_t n_paths;                     /* [mutex] */
    uint64_t gone_packets, gone_bytes;  /* [mutex] Sent over former paths. */

    /* [mutex] fabric-arrival.c's, with and without a path. */
    struct ovs_list arrivals;
    size_t n_arrivals;
    long long int next_arrival_check;   /* ms. */
    struct token_bucket arrival_rate;

    /* [mutex] The addresses, in the fabric's 'by_ip'. */
    struct fabric_endpoint_ip *ips[FABRIC_MAX_REMOTE_IPS];
    size_t n_ips;

    struct fabric_hearing hearing;      /* [mutex] */

    /* [mutex] Our own tests. */
    uint64_t epoch;             /* See fabric-stamp.h. */
    uint32_t serial;            /* Of the next one that is no path's. */
    uint32_t first_seq;         /* Of new paths: beyond what the peer may
                                 * remember of others that had their SSID. */

    /* [mutex] The prober's. */
    struct heap_node timer;
    long long int next_probe;           /* ms. */
    long long int last_sent;            /* When data was last seen to be sent
                                         * to it, ms. */
    bool idle;                          /* Probed less often? */

    struct fabric_discovery discovery;  /* [mutex] */
    struct fabric_drains drains;        /* [mutex] */

    /* [mutex] What is left of its share of the prober's time. */
    struct token_bucket rx_rates[2];    /* For tests, for answers. */
};

/* While an endpoint gets other paths it has the old ones, too. */
#define FABRIC_MAX_SSID (2 * FABRIC_MAX_PATHS_PER_ENDPOINT)

/* See fabric-arrival.h. */
struct fabric_arrival {
    struct cmap_node tuple_node;        /* In fabric's 'by_tuple'. */
    struct ovs_list node;               /* [mutex] In endpoint's 'arrivals'. */
    struct fabric_endpoint *endpoint;   /* [const] */
    struct fabric_uplink *uplink;       /* [const] */
    uint32_t index;                     /* [const] In the path table. */
    struct fabric_path *path;           /* [mutex] NULL without. */
    long long int last_test;            /* [mutex] ms. */
    atomic_bool counted;                /* fabric_arrival_get_count(). */
};

struct fabric_path {
    struct fabric_arrival *arrival;     /* [const] */
    struct fabric_endpoint *endpoint;   /* [const] */
    uint32_t index;                     /* [const] In the path table. */
    struct fabric_uplink *uplink;       /* [const] */
    unsigned int port_idx;              /* [const] */
    uint16_t ssid;                      /* [const] Unique in the endpoint. */

    /* [mutex] */
    struct fabric_liveness live;
    struct fabric_health health;
    struct fabric_bfd_path bfd;

    /* Low half of the timestamps of the latest tests. */
    uint32_t stamps[FABRIC_LIVENESS_WINDOW];
    uint32_t way_back;                  /* By which the latest answer came, a
                                         * hash; 0 if none did. */
    long long int last_change;          /* ms. */
    bool local_up;                      /* Uplink has carrier? */
    bool unreachable;                   /* Host has no route? */
    bool drained;                       /* By the operator. */
    bool was_usable;                    /* At any time before? */
    bool joined;                        /* Among those that flows are spread
                                         * over? */
    bool retiring;                      /* Only until others have joined? */
    long long int join_by;              /* ms. */
    unsigned int round;                 /* Last round of discovery. */
    struct fabric_hops *hops;           /* Its route, or NULL. */

    struct fabric_bare bare;

    /* fabric-mtu.c's. */
    struct fabric_pmtu pmtu;
    uint16_t pmtu_nonce;
    bool pmtu_stale;                    /* Was not alive meanwhile? */
    int pmtu_ear;                       /* fabric-ear.h, or -1. */
};

/* What sending needs of a path, by its index in the path table. */
struct fabric_path_aux {
    struct fabric_uplink *uplink;
    unsigned int port_idx;
};
extern struct fabric_path_aux *fabric_path_aux;
extern struct fabric_path **fabric_path_by_index;

extern struct cmap fabrics_by_name;     /* [rcu] Contains struct fabric. */

/* The configuration of 'f' that is in force.  Any thread, until it next
 * quiesces. */
static inline const struct fabric_config *
fabric_get_config(const struct fabric *f)
{
    return ovsrcu_get(struct fabric_config *, &f->config);
}

/* Prepares what this module and the path table need.  May be called again. */
void fabric_path_init(void);

/* Tells whoever translates flows that endpoints or their addresses changed. */
void fabric_endpoints_changed(void);

/* Has fabric_registry_generation() count a change.  Any thread. */
void fabric_registry_changed(void);

/* A path of the endpoint changed state or its set of paths changed. */
void fabric_endpoint_changed(struct fabric_endpoint *);

/* Makes the paths of the endpoint those between the uplinks of its fabric and
 * 'remote_ips', which become its addresses. */
void fabric_endpoint_update(struct fabric_endpoint *,
                            const struct in6_addr *remote_ips, size_t n)
    OVS_REQUIRES(fabric_table_mutex);

/* Makes the paths of the endpoint those that it should have now. */
void fabric_endpoint_rebuild(struct fabric_endpoint *)
    OVS_REQUIRES(fabric_table_mutex);

/* Completes the exchange of source ports between addresses of the endpoint, if
 * there is one and its time has come. */
void fabric_endpoint_run(struct fabric_endpoint *)
    OVS_REQUIRES(fabric_table_mutex);

/* Does the endpoint lead from 'up' to 'remote_ip'? */
bool fabric_endpoint_has_addresses(const struct fabric_endpoint *,
                                   const struct fabric_uplink *up,
                                   const struct in6_addr *remote_ip)
    OVS_REQUIRES(fabric_table_mutex);

/* Has no path of the endpoint, or no longer any, answered the latest 'n'
 * tests? */
bool fabric_endpoint_is_silent(const struct fabric_endpoint *, unsigned int n)
    OVS_REQUIRES(fabric_table_mutex);

/* Has a test of the endpoint arrived in the last 'ms'? */
bool fabric_endpoint_tests(const struct fabric_endpoint *, long long int ms)
    OVS_REQUIRES(fabric_table_mutex);

/* Unlinks the endpoint and its paths and frees them when nobody uses them. */
void fabric_endpoint_destroy(struct fabric_endpoint *)
    OVS_REQUIRES(fabric_table_mutex);

/* Returns NULL or why so many paths are too many. */
char *fabric_check_n_paths(const char *endpoint, size_t n_local,
                           size_t n_remote, size_t per_remote);

/* Adds a path to the table, or takes it out; it is freed after an RCU grace
 * period.  Returns NULL if the table is full. */
struct fabric_path *fabric_path_create(struct fabric_endpoint *,
                                       struct fabric_uplink *, bool local_up,
                                       const struct in6_addr *remote_ip,
                                       unsigned int port_idx, uint16_t ssid)
    OVS_REQUIRES(fabric_table_mutex);
void fabric_path_destroy(struct fabric_path *)
    OVS_REQUIRES(fabric_table_mutex);

/* Does the path lead from the address of 'up' to 'remote_ip'? */
bool fabric_path_is_between(const struct fabric_path *,
                            const struct fabric_uplink *up,
                            const struct in6_addr *remote_ip)
    OVS_REQUIRES(fabric_table_mutex);

void fabric_path_get_info(const struct fabric_path *,
                          struct fabric_path_info *)
    OVS_REQUIRES(fabric_table_mutex);

/* Recomputes the state of 'path' from its parts and publishes it. */
void fabric_path_refresh(struct fabric_path *path)
    OVS_REQUIRES(fabric_table_mutex);

/* It changed whether 'path' needs checksums. */
void fabric_path_bare_changed(struct fabric_path *path)
    OVS_REQUIRES(fabric_table_mutex);

/* The host cannot send over path 'index' now.  Any thread. */
void fabric_path_set_unreachable(uint32_t index)
    OVS_EXCLUDED(fabric_table_mutex);

/* Notes the datapath port of 'f'.  Any thread. */
void fabric_set_odp_port(struct fabric *f, odp_port_t)
    OVS_EXCLUDED(fabric_table_mutex);

#endif /* fabric-private.h */
