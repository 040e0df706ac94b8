/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-show.h"

#include <errno.h>

#include "fabric-config.h"
#include "fabric-forwarding.h"
#include "fabric-parse.h"
#include "fabric-reply.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "odp-util.h"
#include "packets.h"
#include "timeval.h"
#include "unixctl.h"
#include "util.h"

/* Rows by name. */

static int
compare_rows(const void *a_, const void *b_)
{
    const struct fabric_row *const *a = a_;
    const struct fabric_row *const *b = b_;

    return strcmp((*a)->name, (*b)->name);
}

/* Returns the rows of 'hmap' by name, for the caller to free. */
static struct fabric_row **
sort_rows(const struct hmap *hmap)
{
    struct fabric_row **rows = xmalloc((hmap_count(hmap) + 1) * sizeof *rows);
    struct fabric_row *row;
    size_t n = 0;

    HMAP_FOR_EACH (row, node, hmap) {
        rows[n++] = row;
    }
    qsort(rows, n, sizeof *rows, compare_rows);
    rows[n] = NULL;
    return rows;
}

/* Tells whether there is a row for a fabric named 'name', which may be NULL to
 * stand for all, and otherwise replies with an error. */
static bool
check_fabric(struct unixctl_conn *conn, const char *name)
{
    const struct fabric_row *row;

    if (!name) {
        return true;
    }
    HMAP_FOR_EACH (row, node, fabric_config_fabrics()) {
        if (!strcmp(row->name, name)) {
            return true;
        }
    }
    reply_error(conn, "no fabric \"%s\"", name);
    return false;
}

static void
put_verdict(struct json *object, const struct fabric_row *row, bool active)
{
    const char *error = fabric_row_error(row);

    json_object_put(object, "active", json_boolean_create(active));
    if (error) {
        json_object_put_string(object, "error", error);
    }
    if (row->now.warning) {
        json_object_put_string(object, "warning", row->now.warning);
    }
}

/* Paths by state. */

struct path_counts {
    size_t total;
    size_t usable;
#define FABRIC_PATH_STATE(ENUM, NAME, USABLE) size_t ENUM;
    FABRIC_PATH_STATES
#undef FABRIC_PATH_STATE
};

static void
count_paths(const struct fabric_endpoint *endpoint, struct path_counts *counts)
{
    struct fabric_path_info *paths;
    size_t n = fabric_endpoint_get_paths(endpoint, &paths);

    counts->total += n;
    for (size_t i = 0; i < n; i++) {
        counts->usable += fabric_path_state_is_usable(paths[i].state);
#define FABRIC_PATH_STATE(ENUM, NAME, USABLE) \
        counts->ENUM += paths[i].state == FABRIC_PATH_##ENUM;
        FABRIC_PATH_STATES
#undef FABRIC_PATH_STATE
    }
    free(paths);
}

static void
put_counts(struct json *object, const struct path_counts *counts)
{
    struct json *states = json_object_create();

#define FABRIC_PATH_STATE(ENUM, NAME, USABLE) \
    reply_put_integer(states, NAME, counts->ENUM);
    FABRIC_PATH_STATES
#undef FABRIC_PATH_STATE
    reply_put_integer(object, "n_paths", counts->total);
    reply_put_integer(object, "usable_paths", counts->usable);
    json_object_put(object, "paths", states);
}

/* fabric/show. */

static struct json *
probe_to_json(const struct fabric_probe_config *probe)
{
    struct json *object = json_object_create();

    json_object_put(object, "enable", json_boolean_create(probe->enabled));
    reply_put_integer(object, "interval_ms", probe->interval);
    reply_put_integer(object, "multiplier", probe->multiplier);
    reply_put_integer(object, "idle_interval_ms", probe->idle_interval);
    reply_put_integer(object, "idle_after_ms", probe->idle_after);
    json_object_put(object, "discovery",
                    json_boolean_create(probe->discovery));
    reply_put_integer(object, "discovery_interval_ms",
                      probe->discovery_interval);
    json_object_put(object, "pmtud", json_boolean_create(probe->pmtud));
    reply_put_integer(object, "pmtud_interval_ms", probe->pmtud_interval);
    reply_put_integer(object, "vni", probe->vni);
    return object;
}

static void
put_config(struct json *object, const struct fabric_config *config)
{
    json_object_put_string(object, "encap",
                           fabric_encap_to_string(config->encap));
    reply_put_integer(object, "dst_port", config->dst_port);
    json_object_put(object, "local_ips",
                    reply_ips(config->local_ips, config->n_local_ips));
    reply_put_integer(object, "paths_per_remote", config->paths_per_remote);
    reply_put_integer(object, "src_port_base", config->src_port_base);
    json_object_put_string(object, "policy",
                           fabric_policy_to_string(config->policy));
    json_object_put(object, "probe", probe_to_json(&config->probe));
    json_object_put(object, "verify_source",
                    json_boolean_create(config->verify_source));
    json_object_put(object, "csum", json_boolean_create(config->csum));
    reply_put_integer(object, "ttl", config->ttl);
    if (config->tos_inherit) {
        json_object_put_string(object, "tos", "inherit");
    } else {
        reply_put_integer(object, "tos", config->tos);
    }
    json_object_put_string(object, "uplink", config->uplink);
}

static struct json *
fabric_to_json(const struct fabric_fabric_row *f)
{
    struct fabric *fabric = fabric_registry_lookup(f->row.name);
    struct json *object = json_object_create();

    json_object_put_string(object, "name", f->row.name);
    put_verdict(object, &f->row, f->applied != NULL);
    if (f->applied) {
        put_config(object, f->applied);
        json_object_put(object, "fast_path",
                        fabric_forwarding_to_json(f->applied, fabric));
    }
    if (fabric) {
        struct fabric_endpoint **endpoints;
        size_t n = fabric_list_endpoints(fabric, &endpoints);
        struct path_counts counts = { .total = 0 };
        odp_port_t odp_port = fabric_odp_port(fabric);

        for (size_t i = 0; i < n; i++) {
            count_paths(endpoints[i], &counts);
        }
        free(endpoints);
        reply_put_integer(object, "n_endpoints", n);
        put_counts(object, &counts);
        if (odp_port != ODPP_NONE) {
            reply_put_integer(object, "datapath_port", odp_to_u32(odp_port));
        }
    }
    return object;
}

static void
format_fabric(const struct json *f, struct ds *s)
{
    const struct json *paths = reply_member(f, "paths");
    ds_put_format(s, "%s\n", json_string(reply_member(f, "name")));
    if (reply_member(f, "error")) {
        reply_put_line(s, f, "error: {error}");
    }
    if (reply_member(f, "warning")) {
        reply_put_line(s, f, "warning: {warning}");
    }
    if (!reply_member(f, "encap")) {
        ds_put_cstr(s, "    not in force\n");
        return;
    }
    reply_put_line(s, f, "encapsulation: {encap}, UDP port {dst_port}, "
                   "uplink {uplink}");
    reply_put_line(s, f, "local IPs: {local_ips}");
    reply_put_line(s, f, "datapath port: {datapath_port}");
    reply_put_line(s, f, "paths per remote IP: {paths_per_remote}, source "
                   "ports from {src_port_base}, policy {policy}");
    reply_put_line(s, reply_member(f, "probe"), "probes: enabled {enable}, "
                   "every {interval_ms} ms, down after {multiplier} lost, "
                   "VNI {vni}");
    reply_put_line(s, f, "outer header: TTL {ttl}, TOS {tos}, UDP checksum "
                   "{csum}; source verification {verify_source}");
    fabric_forwarding_format(reply_member(f, "fast_path"), s);
    reply_put_line(s, f, "endpoints: {n_endpoints}");
    if (paths) {
        ds_put_format(s, "    paths: %"PRId64,
                      json_integer(reply_member(f, "n_paths")));
        const char *separator = " (";
#define FABRIC_PATH_STATE(ENUM, NAME, USABLE)                   \
        if (json_integer(reply_member(paths, NAME))) {            \
            ds_put_format(s, "%s%"PRId64" " NAME, separator,    \
                          json_integer(reply_member(paths, NAME)));       \
            separator = ", ";                                   \
        }
        FABRIC_PATH_STATES
#undef FABRIC_PATH_STATE
        ds_put_cstr(s, *separator == ',' ? ")\n" : "\n");
    }
}

static void
cmd_show(struct unixctl_conn *conn, int argc, const char *argv[],
         void *aux OVS_UNUSED)
{
    const char *name = argc > 1 ? argv[1] : NULL;

    if (!check_fabric(conn, name)) {
        return;
    }

    struct fabric_row **rows = sort_rows(fabric_config_fabrics());
    struct json *fabrics = json_array_create_empty();
    for (size_t i = 0; rows[i]; i++) {
        if (!name || !strcmp(rows[i]->name, name)) {
            json_array_add(fabrics, fabric_to_json(
                               CONTAINER_OF(rows[i], struct fabric_fabric_row,
                                            row)));
        }
    }
    free(rows);

    if (reply_wants_json(conn)) {
        unixctl_command_reply_json(conn, fabrics);
    } else {
        struct ds s = DS_EMPTY_INITIALIZER;

        for (size_t i = 0; i < json_array_size(fabrics); i++) {
            format_fabric(json_array_at(fabrics, i), &s);
        }
        unixctl_command_reply(conn, ds_cstr(&s));
        ds_destroy(&s);
        json_destroy(fabrics);
    }
}

/* fabric/endpoints. */

static struct json *
endpoint_to_json(const struct fabric_endpoint_row *ep)
{
    struct fabric *fabric = fabric_registry_lookup(ep->fabric);
    struct fabric_endpoint *endpoint
        = (fabric && ep->applied
           ? fabric_endpoint_by_id(fabric, ep->applied->id) : NULL);
    struct json *object = json_object_create();

    json_object_put_string(object, "fabric", ep->fabric);
    json_object_put_string(object, "endpoint", strchr(ep->row.name, '/') + 1);
    put_verdict(object, &ep->row, endpoint != NULL);
    if (endpoint) {
        struct path_counts counts = { .total = 0 };
        struct fabric_endpoint_stats stats;

        reply_put_integer(object, "id", ep->applied->id);
        json_object_put(object, "remote_ips",
                        reply_ips(ep->applied->remote_ips,
                                    ep->applied->n_remote_ips));
        json_object_put_string(object, "policy",
                               fabric_policy_to_string(
                                   fabric_endpoint_policy(endpoint)));
        count_paths(endpoint, &counts);
        put_counts(object, &counts);
        fabric_endpoint_get_stats(endpoint, &stats);
        reply_put_integer(object, "rx_packets", stats.rx_packets);
        reply_put_integer(object, "rx_bytes", stats.rx_bytes);
        reply_put_integer(object, "tx_packets", stats.tx_packets);
        reply_put_integer(object, "tx_bytes", stats.tx_bytes);
        reply_put_integer(object, "tx_no_live_path", stats.tx_no_live_path);
    }
    return object;
}

static void
cmd_endpoints(struct unixctl_conn *conn, int argc, const char *argv[],
              void *aux OVS_UNUSED)
{
    static const struct reply_column columns[] = {
        { "fabric", "fabric" },
        { "endpoint", "endpoint" },
        { "id", "id" },
        { "remote_ips", "remote IPs" },
        { "n_paths", "paths" },
        { "usable_paths", "usable" },
        { "rx_packets", "rx packets" },
        { "rx_bytes", "rx bytes" },
        { "tx_packets", "tx packets" },
        { "tx_bytes", "tx bytes" },
        { "error", "error" },
    };
    const char *name = argc > 1 ? argv[1] : NULL;

    if (!check_fabric(conn, name)) {
        return;
    }

    struct fabric_row **rows = sort_rows(fabric_config_endpoints());
    struct json *endpoints = json_array_create_empty();
    bool errors = false;
    for (size_t i = 0; rows[i]; i++) {
        struct fabric_endpoint_row *ep
            = CONTAINER_OF(rows[i], struct fabric_endpoint_row, row);

        if (!name || !strcmp(ep->fabric, name)) {
            json_array_add(endpoints, endpoint_to_json(ep));
            errors |= fabric_row_error(&ep->row) != NULL;
        }
    }
    free(rows);
    reply_table(conn, endpoints, columns, ARRAY_SIZE(columns) - !errors);
}

/* fabric/paths. */

/* Tells whether 's' names 'ep': NAME, ID, FABRIC/NAME or FABRIC/ID. */
static bool
endpoint_matches(const struct fabric_endpoint_row *ep, const char *s,
                 bool by_id)
{
    size_t n = strlen(ep->fabric);

    if (!strncmp(s, ep->fabric, n) && s[n] == '/') {
        s += n + 1;
    }
    if (by_id) {
        long long int id;

        return str_to_llong(s, 10, &id) && id == ep->applied->id;
    }
    return !strcmp(s, ep->applied->name);
}

/* Stores the endpoints in force that 's' names, all if it is NULL, in '*epsp'
 * for the caller to free and returns how many.  A name is preferred to an
 * ID. */
static size_t
find_endpoints(const char *s, struct fabric_endpoint_row ***epsp)
{
    struct fabric_row **rows = sort_rows(fabric_config_endpoints());
    size_t max = hmap_count(fabric_config_endpoints());
    size_t n = 0;

    *epsp = xmalloc(MAX(max, 1) * sizeof **epsp);
    for (int by_id = 0; by_id <= 1 && !n; by_id++) {
        for (size_t i = 0; rows[i]; i++) {
            struct fabric_endpoint_row *ep
                = CONTAINER_OF(rows[i], struct fabric_endpoint_row, row);

            if (ep->applied && (!s || endpoint_matches(ep, s, by_id))) {
                (*epsp)[n++] = ep;
            }
        }
    }
    free(rows);
    return n;
}

static struct fabric_endpoint *
get_endpoint(const struct fabric_endpoint_row *ep)
{
    struct fabric *fabric = fabric_registry_lookup(ep->fabric);

    return fabric ? fabric_endpoint_by_id(fabric, ep->applied->id) : NULL;
}

static void
put_measured(struct json *object, const char *member, int64_t value)
{
    if (value >= 0) {
        reply_put_integer(object, member, value);
    }
}

static void
put_health(struct json *object, const struct fabric_path_info *path)
{
    const struct fabric_health_stats *h = &path->health;
    struct json *reasons = json_array_create_empty();

    for (int i = 0; i < FABRIC_N_HEALTH_REASONS; i++) {
        if (path->reasons & (1u << i)) {
            json_array_add(reasons, json_string_create(
                               fabric_health_reason_to_string(i)));
        }
    }
    json_object_put(object, "reasons", reasons);
    reply_put_integer(object, "weight", path->weight);
    put_measured(object, "rtt_p99_us", h->rtt_p99);
    put_measured(object, "jitter_us", h->jitter);
    put_measured(object, "loss_ppm", h->loss);
    put_measured(object, "loss_there_ppm", h->loss_way[FABRIC_WAY_THERE]);
    put_measured(object, "loss_back_ppm", h->loss_way[FABRIC_WAY_BACK]);
    put_measured(object, "loss_large_ppm", h->loss_large);
    put_measured(object, "data_loss_there_ppm",
                 h->data_loss[FABRIC_WAY_THERE]);
    put_measured(object, "data_loss_back_ppm", h->data_loss[FABRIC_WAY_BACK]);
    put_measured(object, "reordered_ppm", h->reordered);
    put_measured(object, "ce_there_ppm", h->ce[FABRIC_WAY_THERE]);
    put_measured(object, "ce_back_ppm", h->ce[FABRIC_WAY_BACK]);
    reply_put_integer(object, "uptime_ms", h->uptime);
    reply_put_integer(object, "n_degraded", h->n_degraded);
}

static void
put_bfd(struct json *object, const struct fabric_bfd *bfd)
{
    json_object_put_string(object, "bfd_state",
                           fabric_bfd_state_to_string(bfd->state));
    json_object_put_string(object, "bfd_diagnostic",
                           fabric_bfd_diag_to_string(bfd->diag));
    json_object_put_string(object, "bfd_peer_state",
                           fabric_bfd_state_to_string(bfd->remote_state));
    json_object_put_string(object, "bfd_peer_diagnostic",
                           fabric_bfd_diag_to_string(bfd->remote_diag));
    reply_put_integer(object, "bfd_tx_interval_us",
                      fabric_bfd_tx_interval(bfd));
    reply_put_integer(object, "bfd_detection_time_us",
                      fabric_bfd_detection_time(bfd));
}

static struct json *
path_to_json(const struct fabric_endpoint_row *ep,
             const struct fabric_path_info *path)
{
    struct json *object = json_object_create();

    json_object_put_string(object, "fabric", ep->fabric);
    json_object_put_string(object, "endpoint", ep->applied->name);
    json_object_put(object, "local_ip", reply_ip(&path->local_ip));
    json_object_put(object, "remote_ip", reply_ip(&path->remote_ip));
    reply_put_integer(object, "src_port", path->src_port);
    json_object_put_string(object, "state",
                           fabric_path_state_to_string(path->state));
    if (path->protocol != FABRIC_PROTOCOL_NONE) {
        json_object_put_string(object, "protocol",
                               fabric_protocol_to_string(path->protocol));
    }
    if (path->has_bfd) {
        put_bfd(object, &path->bfd);
    }
    reply_put_integer(object, "state_ms", time_msec() - path->last_change);
    json_object_put(object, "share_percent",
                    json_real_create(path->total_slots
                                     ? 1000 * path->n_slots
                                       / path->total_slots / 10.0
                                     : 0.0));
    put_measured(object, "rtt_us", path->rtt_us);
    put_measured(object, "rtt_min_us", path->rtt_min_us);
    put_measured(object, "rtt_smoothed_us", path->rtt_smoothed_us);
    reply_put_integer(object, "tx_packets", path->tx_packets);
    reply_put_integer(object, "tx_bytes", path->tx_bytes);
    reply_put_integer(object, "rx_packets", path->rx_packets);
    reply_put_integer(object, "rx_bytes", path->rx_bytes);
    reply_put_integer(object, "probe_tx", path->probe_tx);
    reply_put_integer(object, "probe_rx", path->probe_rx);
    reply_put_integer(object, "probe_lost", path->probe_lost);
    reply_put_integer(object, "n_down", path->n_down);
    if (path->n_stalls) {
        reply_put_integer(object, "n_stalls", path->n_stalls);
    }
    if (path->needs_csum) {
        json_object_put_string(object, "checksum", "needed");
    }
    put_health(object, path);
    if (path->mtu) {
        reply_put_integer(object, "mtu", path->mtu);
    }
    if (path->hops.n || path->hops.reached) {
        json_object_put(object, "hops",
                        reply_hops(path->hops.ip, path->hops.n));
    }
    return object;
}

/* Replies with the paths of the endpoint(s) that 'which' names.  What was not
 * found out of any is no column. */
static void
reply_paths(struct unixctl_conn *conn, const char *which,
            const struct reply_column columns[], size_t n_columns)
{
    struct reply_column shown[32];
    struct json *rows = json_array_create_empty();
    struct fabric_endpoint_row **eps;
    size_t n = find_endpoints(which, &eps);
    bool hops = false, mtu = false, csum = false;
    size_t n_shown = 0;

    for (size_t i = 0; i < n; i++) {
        struct fabric_endpoint *endpoint = get_endpoint(eps[i]);
        struct fabric_path_info *paths;
        size_t n_paths;

        if (!endpoint) {
            continue;
        }
        n_paths = fabric_endpoint_get_paths(endpoint, &paths);
        for (size_t j = 0; j < n_paths; j++) {
            json_array_add(rows, path_to_json(eps[i], &paths[j]));
            hops |= paths[j].hops.n > 0;
            mtu |= paths[j].mtu > 0;
            csum |= paths[j].needs_csum;
        }
        free(paths);
    }
    free(eps);

    if (which && !n) {
        reply_error(conn, "no endpoint \"%s\"", which);
        json_destroy(rows);
        return;
    }
    ovs_assert(n_columns <= ARRAY_SIZE(shown));
    for (size_t i = 0; i < n_columns; i++) {
        if ((hops || strcmp(columns[i].member, "hops"))
            && (mtu || strcmp(columns[i].member, "mtu"))
            && (csum || strcmp(columns[i].member, "checksum"))) {
            shown[n_shown++] = columns[i];
        }
    }
    reply_table(conn, rows, shown, n_shown);
}

static void
cmd_paths(struct unixctl_conn *conn, int argc, const char *argv[],
          void *aux OVS_UNUSED)
{
    static const struct reply_column columns[] = {
        { "fabric", "fabric" },
        { "endpoint", "endpoint" },
        { "local_ip", "local IP" },
        { "remote_ip", "remote IP" },
        { "src_port", "port" },
        { "state", "state" },
        { "state_ms", "for ms" },
        { "share_percent", "share %" },
        { "rtt_us", "RTT us" },
        { "rtt_smoothed_us", "avg us" },
        { "probe_tx", "probes" },
        { "probe_lost", "lost" },
        { "n_down", "downs" },
        { "tx_packets", "tx packets" },
        { "protocol", "by" },
        { "bfd_state", "BFD" },
        { "checksum", "checksum" },
        { "mtu", "MTU" },
        { "hops", "hops" },
    };

    reply_paths(conn, argc > 1 ? argv[1] : NULL, columns,
                ARRAY_SIZE(columns));
}

/* fabric/health: the same rows, other columns. */

static void
cmd_health(struct unixctl_conn *conn, int argc, const char *argv[],
           void *aux OVS_UNUSED)
{
    static const struct reply_column columns[] = {
        { "endpoint", "endpoint" },
        { "local_ip", "local IP" },
        { "remote_ip", "remote IP" },
        { "src_port", "port" },
        { "state", "state" },
        { "reasons", "because" },
        { "share_percent", "share %" },
        { "rtt_smoothed_us", "RTT us" },
        { "rtt_p99_us", "p99 us" },
        { "jitter_us", "jitter" },
        { "loss_there_ppm", "loss there ppm" },
        { "loss_back_ppm", "back" },
        { "data_loss_there_ppm", "data there" },
        { "data_loss_back_ppm", "back" },
        { "ce_there_ppm", "CE there" },
        { "ce_back_ppm", "back" },
        { "protocol", "by" },
        { "bfd_state", "BFD" },
        { "bfd_peer_diagnostic", "peer says" },
    };

    reply_paths(conn, argc > 1 ? argv[1] : NULL, columns,
                ARRAY_SIZE(columns));
}

/* fabric/path-drain and fabric/path-undrain. */

/* Parses argument 's', where "any" or NULL stand for any address, into '*ip'
 * and points '*ipp' to it. */
static char *
parse_ip_arg(const char *s, struct in6_addr *ip, const struct in6_addr **ipp)
{
    *ipp = NULL;
    if (!s || !strcmp(s, "any")) {
        return NULL;
    }
    *ipp = ip;
    return fabric_parse_ip("path", s, ip);
}

static char *
parse_port_arg(const char *s, uint16_t *port)
{
    long long int n = 0;

    if (s && strcmp(s, "any")
        && (!str_to_llong(s, 10, &n) || n < 1 || n > UINT16_MAX)) {
        return xasprintf("path: \"%s\" is not a UDP port", s);
    }
    *port = n;
    return NULL;
}

static char *
drain(int argc, const char *argv[], bool drained, size_t *n_paths)
{
    const struct in6_addr *local, *remote;
    struct in6_addr local_ip, remote_ip;
    struct fabric_endpoint_row **eps;
    uint16_t port;
    char *error;
    size_t n;

    error = parse_ip_arg(argc > 2 ? argv[2] : NULL, &local_ip, &local);
    if (!error) {
        error = parse_ip_arg(argc > 3 ? argv[3] : NULL, &remote_ip, &remote);
    }
    if (!error) {
        error = parse_port_arg(argc > 4 ? argv[4] : NULL, &port);
    }
    if (error) {
        return error;
    }

    n = find_endpoints(argv[1], &eps);
    if (n == 1) {
        struct fabric_endpoint *endpoint = get_endpoint(eps[0]);

        *n_paths = (endpoint
                    ? fabric_endpoint_drain(endpoint, local, remote, port,
                                            drained)
                    : 0);
        if (!*n_paths) {
            error = xasprintf("endpoint \"%s\" has no such path", argv[1]);
        }
    } else if (n) {
        error = xasprintf("endpoint \"%s\" is in %"PRIuSIZE" fabrics: "
                          "write FABRIC/%s", argv[1], n, argv[1]);
    } else {
        error = xasprintf("no endpoint \"%s\"", argv[1]);
    }
    free(eps);
    return error;
}

static void
cmd_drain(struct unixctl_conn *conn, int argc, const char *argv[],
          void *drained)
{
    size_t n_paths;
    char *error = drain(argc, argv, drained != NULL, &n_paths);

    if (error) {
        unixctl_command_reply_error(conn, error);
        free(error);
    } else if (reply_wants_json(conn)) {
        struct json *object = json_object_create();

        reply_put_integer(object, "n_paths", n_paths);
        unixctl_command_reply_json(conn, object);
    } else {
        char *s = xasprintf("%"PRIuSIZE" path%s %s", n_paths,
                            n_paths == 1 ? "" : "s",
                            drained ? "drained" : "back in use");
        unixctl_command_reply(conn, s);
        free(s);
    }
}

void
fabric_show_init(void)
{
    static char yes[] = "yes";

    unixctl_command_register("fabric/show", "[FABRIC]", 0, 1, cmd_show, NULL);
    unixctl_command_register("fabric/endpoints", "[FABRIC]", 0, 1,
                             cmd_endpoints, NULL);
    unixctl_command_register("fabric/paths", "[ENDPOINT]", 0, 1, cmd_paths,
                             NULL);
    unixctl_command_register("fabric/health", "[ENDPOINT]", 0, 1, cmd_health,
                             NULL);
    unixctl_command_register("fabric/path-drain",
                             "ENDPOINT [LOCAL [REMOTE [PORT]]]", 1, 4,
                             cmd_drain, yes);
    unixctl_command_register("fabric/path-undrain",
                             "ENDPOINT [LOCAL [REMOTE [PORT]]]", 1, 4,
                             cmd_drain, NULL);
    fabric_show_stats_init();
}
