/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_SWITCH_VIEW_H
#define FABRIC_SWITCH_VIEW_H 1

/* What ovs-vswitchd tells of its fabrics, for programs that show it.
 * ==================================================================
 *
 * A view is what "fabric/show", "fabric/endpoints", "fabric/paths" and
 * "fabric/stats" replied at one time, read through ovs-vswitchd's control
 * socket, never from the database.
 *
 * Any member of a reply may be absent, because it is not known yet or because
 * this ovs-vswitchd does not tell it, and members of other types than expected
 * are taken for absent.  Numbers that are absent are VIEW_NONE, strings NULL.
 *
 * Thread-safety: none; a view belongs to one thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fabric-types.h"

struct json;

/* No number that a reply tells is negative. */
#define VIEW_NONE INT64_MIN

enum {
#define FABRIC_PATH_STATE(ENUM, NAME, USABLE) +1
    VIEW_N_STATES = FABRIC_PATH_STATES
#undef FABRIC_PATH_STATE
};

/* Numbers of a path.  Members of the structure are called as in JSON. */
#define VIEW_PATH_NUMBERS                       \
    VIEW_NUMBER(src_port)                       \
    VIEW_NUMBER(state_ms)                       \
    VIEW_NUMBER(uptime_ms)                      \
    VIEW_NUMBER(weight)                         \
    VIEW_NUMBER(rtt_us)                         \
    VIEW_NUMBER(rtt_min_us)                     \
    VIEW_NUMBER(rtt_smoothed_us)                \
    VIEW_NUMBER(rtt_p99_us)                     \
    VIEW_NUMBER(jitter_us)                      \
    VIEW_NUMBER(loss_ppm)                       \
    VIEW_NUMBER(loss_there_ppm)                 \
    VIEW_NUMBER(loss_back_ppm)                  \
    VIEW_NUMBER(data_loss_there_ppm)            \
    VIEW_NUMBER(data_loss_back_ppm)             \
    VIEW_NUMBER(reordered_ppm)                  \
    VIEW_NUMBER(ce_there_ppm)                   \
    VIEW_NUMBER(ce_back_ppm)                    \
    VIEW_NUMBER(mtu)                            \
    VIEW_NUMBER(tx_packets)                     \
    VIEW_NUMBER(tx_bytes)                       \
    VIEW_NUMBER(rx_packets)                     \
    VIEW_NUMBER(rx_bytes)                       \
    VIEW_NUMBER(probe_tx)                       \
    VIEW_NUMBER(probe_rx)                       \
    VIEW_NUMBER(probe_lost)                     \
    VIEW_NUMBER(n_down)                         \
    VIEW_NUMBER(n_degraded)

/* Numbers of an endpoint. */
#define VIEW_ENDPOINT_NUMBERS                   \
    VIEW_NUMBER(id)                             \
    VIEW_NUMBER(n_paths)                        \
    VIEW_NUMBER(usable_paths)                   \
    VIEW_NUMBER(tx_packets)                     \
    VIEW_NUMBER(tx_bytes)                       \
    VIEW_NUMBER(rx_packets)                     \
    VIEW_NUMBER(rx_bytes)                       \
    VIEW_NUMBER(tx_no_live_path)

/* Packets and bytes a second between two views, or VIEW_NONE. */
struct view_rates {
    int64_t tx_packets, tx_bytes, rx_packets, rx_bytes;
};

struct view_path {
    const char *fabric, *endpoint, *local_ip, *remote_ip;
    enum fabric_path_state state;
#define VIEW_NUMBER(NAME) int64_t NAME;
    VIEW_PATH_NUMBERS
#undef VIEW_NUMBER
    int64_t share_ppm;          /* Of the endpoint's connections. */
    const struct json *reasons; /* Why degraded: strings, or NULL. */
    const struct json *hops;    /* Routers on the way: strings, or NULL. */
    struct view_rates rates;
    int64_t recent_loss_ppm;    /* loss_ppm or what was lost between views. */
};

struct view_endpoint {
    const char *fabric, *name;
    const char *error;          /* Configuration was refused, or NULL. */
    const struct json *remote_ips; /* Strings, or NULL. */
    bool active;
#define VIEW_NUMBER(NAME) int64_t NAME;
    VIEW_ENDPOINT_NUMBERS
#undef VIEW_NUMBER
    int64_t states[VIEW_N_STATES]; /* Number of paths. */
    struct view_rates rates;

    /* Of the paths, if they were read. */
    struct view_path *paths;    /* Part of the view's. */
    size_t n;
    int64_t worst_rtt_us;       /* Of the usable ones. */
    int64_t worst_loss_ppm;     /* Likewise. */
};

struct view_fabric {
    const char *name, *encap, *uplink, *error;
    const char *forwarding, *forwarding_reason; /* "kernel", "userspace". */
    const struct json *local_ips; /* Strings, or NULL. */
    bool active;
    int64_t n_endpoints, n_paths, interval_ms;
    int64_t n_flows, n_userspace_flows; /* Of all fabrics together. */
    int64_t states[VIEW_N_STATES];
    struct view_rates rates;

    struct view_endpoint *endpoints; /* Part of the view's. */
    size_t n;
};

struct view_drop {
    const char *reason, *meaning;
    int64_t packets;
};

struct view {
    long long int when;         /* time_msec() of reading. */
    struct view_fabric *fabrics; /* By name. */
    size_t n_fabrics;
    struct view_endpoint *endpoints; /* By fabric and name. */
    size_t n_endpoints;
    struct view_path *paths;    /* By fabric, endpoint, IPs and port. */
    size_t n_paths;
    struct view_drop *drops;    /* As replied. */
    size_t n_drops;
    bool no_paths;              /* More than asked for, so not read. */

    struct json *replies[4];    /* What strings are part of. */
};

/* Reads a view of 'target', an absolute socket name or that of a daemon, in at
 * most 'timeout' ms.  Paths are not read if there are more than 'max_paths';
 * if 'endpoint' (FABRIC/NAME) is nonnull, only its paths are.  Returns NULL
 * and stores the view, or returns an error for the caller to free. */
char *view_read(const char *target, const char *endpoint, size_t max_paths,
                long long int timeout, struct view **);

/* Makes a view of replies, of which it takes ownership and any of which may be
 * NULL.  Whatever they are, this does not fail. */
struct view *view_from_json(struct json *show, struct json *endpoints,
                            struct json *paths, struct json *stats);

/* Computes the rates in 'view' from 'earlier', which may be NULL. */
void view_compute_rates(struct view *, const struct view *earlier);

void view_destroy(struct view *);

/* Of an array of strings, or NULL. */
size_t view_strings_count(const struct json *);
const char *view_strings_at(const struct json *, size_t index);

/* How far from healthy: 0 if no path is down or degraded and nothing was
 * refused, and the more the worse. */
int view_endpoint_severity(const struct view_endpoint *);
int view_path_severity(const struct view_path *);

/* Puts the worst first. */
int view_endpoint_compare(const struct view_endpoint *,
                          const struct view_endpoint *);
int view_path_compare(const struct view_path *, const struct view_path *);

/* Smoothed RTT, or the last one. */
int64_t view_path_rtt_us(const struct view_path *);

#endif /* fabric-switch-view.h */
