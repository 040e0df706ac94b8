/* SPDX-License-Identifier: Apache-2.0 */

/* Two kinds of transaction are used:
 *
 *   - One per change of configuration, sent at once and not waited for: the
 *     status of the rows whose verdict has changed.
 *
 *   - The refresh: everything.  It follows a change of configuration, a change
 *     of the registry (a path that goes up or down, say), and the statistics
 *     interval.  There is only one at a time and they start at least
 *     MIN_INTERVAL apart, and so far apart that they take at most 1/LOAD of
 *     this thread's time.  It also mends what a lost transaction or a restart
 *     of the database server (all these columns are ephemeral) has spoiled.
 *
 * The IDL drops writes that change nothing, so a refresh sends only
 * differences. */

#include <config.h>

#include "fabric-status.h"

#include "fabric-config.h"
#include "fabric-forwarding.h"
#include "fabric-kern-sync.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/shash.h"
#include "ovsdb-idl.h"
#include "packets.h"
#include "seq.h"
#include "smap.h"
#include "timeval.h"
#include "util.h"
#include "vswitch-idl.h"

#define MIN_INTERVAL 100                /* ms. */
#define MIN_STATS_INTERVAL 5000         /* ms. */
#define LOAD 20

/* Columns that are written here and never read, but for fabric-config.c when
 * it begins. */
#define STATUS_COLUMNS                          \
    STATUS_COLUMN(fabric, status)               \
    STATUS_COLUMN(fabric_endpoint, statistics)  \
    STATUS_COLUMN(fabric_endpoint, status)      \
    STATUS_COLUMN(fabric_path, fabric)          \
    STATUS_COLUMN(fabric_path, endpoint)        \
    STATUS_COLUMN(fabric_path, local_ip)        \
    STATUS_COLUMN(fabric_path, remote_ip)       \
    STATUS_COLUMN(fabric_path, src_port)        \
    STATUS_COLUMN(fabric_path, state)           \
    STATUS_COLUMN(fabric_path, status)          \
    STATUS_COLUMN(fabric_path, hops)            \
    STATUS_COLUMN(fabric_path, statistics)

/* Numbers of paths, total and by state. */
struct path_counts {
    unsigned int total;
#define FABRIC_PATH_STATE(ENUM, NAME, USABLE) unsigned int ENUM;
    FABRIC_PATH_STATES
#undef FABRIC_PATH_STATE
};

/* The work of one refresh. */
struct refresh {
    bool stats;                 /* Write statistics too? */
    struct shash paths;         /* Fabric_Path rows not yet accounted for, by
                                 * path_key(). */
};

static struct ovsdb_idl_txn *refresh_txn;       /* In flight, or NULL. */
static bool refresh_needed;
static long long int next_refresh = LLONG_MIN;
static long long int next_stats = LLONG_MIN;
static uint64_t registry_seqno;

void
fabric_status_init(struct ovsdb_idl *idl)
{
#define STATUS_COLUMN(TABLE, COLUMN)                                    \
    ovsdb_idl_omit_alert(idl, &ovsrec_##TABLE##_col_##COLUMN);
    STATUS_COLUMNS
#undef STATUS_COLUMN
}

static void
count_path(struct path_counts *counts, enum fabric_path_state state)
{
    counts->total++;
    switch (state) {
#define FABRIC_PATH_STATE(ENUM, NAME, USABLE)   \
    case FABRIC_PATH_##ENUM:                    \
        counts->ENUM++;                         \
        break;
    FABRIC_PATH_STATES
#undef FABRIC_PATH_STATE
    }
}

static void
add_counts(struct path_counts *sum, const struct path_counts *counts)
{
    sum->total += counts->total;
#define FABRIC_PATH_STATE(ENUM, NAME, USABLE) sum->ENUM += counts->ENUM;
    FABRIC_PATH_STATES
#undef FABRIC_PATH_STATE
}

static void
put_counts(struct smap *status, const struct path_counts *counts)
{
    smap_add_format(status, "n_paths", "%u", counts->total);
#define FABRIC_PATH_STATE(ENUM, NAME, USABLE) \
    smap_add_format(status, "paths_" NAME, "%u", counts->ENUM);
    FABRIC_PATH_STATES
#undef FABRIC_PATH_STATE
}

/* Initializes 'status' with the verdict on 'row' and, if something is in force
 * of it and 'old' is nonnull, with what else 'old' tells. */
static void
init_status(struct smap *status, const struct fabric_row *row, bool active,
            const struct smap *old)
{
    const char *error = fabric_row_error(row);

    if (active && old) {
        smap_clone(status, old);
        smap_remove(status, "error");
        smap_remove(status, "warning");
    } else {
        smap_init(status);
    }
    smap_replace(status, "state", error ? "error" : "ok");
    if (error) {
        smap_add(status, "error", error);
    }
    if (row->now.warning) {
        smap_add(status, "warning", row->now.warning);
    }
    smap_replace(status, "active", active ? "true" : "false");
}

/* Paths. */

static char *
path_key(const char *fabric, const char *endpoint, const char *local_ip,
         const char *remote_ip, int64_t src_port)
{
    return xasprintf("%s/%s/%s/%s/%"PRId64, fabric, endpoint, local_ip,
                     remote_ip, src_port);
}

static void
write_path_stats(const struct ovsrec_fabric_path *rec,
                 const struct fabric_path_info *path)
{
#define PATH_STATS                                      \
    PATH_STAT("ce_back_ppm", path->health.ce[FABRIC_WAY_BACK]) \
    PATH_STAT("ce_there_ppm", path->health.ce[FABRIC_WAY_THERE]) \
    PATH_STAT("data_loss_back_ppm",                     \
              path->health.data_loss[FABRIC_WAY_BACK])  \
    PATH_STAT("data_loss_there_ppm",                    \
              path->health.data_loss[FABRIC_WAY_THERE]) \
    PATH_STAT("jitter_us", path->health.jitter)         \
    PATH_STAT("loss_back_ppm", path->health.loss_way[FABRIC_WAY_BACK]) \
    PATH_STAT("loss_large_ppm", path->health.loss_large) \
    PATH_STAT("loss_ppm", path->health.loss)            \
    PATH_STAT("loss_there_ppm", path->health.loss_way[FABRIC_WAY_THERE]) \
    PATH_STAT("mtu", path->mtu ? (int64_t) path->mtu : -1) \
    PATH_STAT("n_degraded", path->health.n_degraded)    \
    PATH_STAT("n_down", path->n_down)                   \
    PATH_STAT("probe_lost", path->probe_lost)           \
    PATH_STAT("probe_rx", path->probe_rx)               \
    PATH_STAT("probe_tx", path->probe_tx)               \
    PATH_STAT("reordered_ppm", path->health.reordered)  \
    PATH_STAT("rtt_min_us", path->rtt_min_us)           \
    PATH_STAT("rtt_p99_us", path->health.rtt_p99)       \
    PATH_STAT("rtt_smoothed_us", path->rtt_smoothed_us) \
    PATH_STAT("rtt_us", path->rtt_us)                   \
    PATH_STAT("rx_bytes", path->rx_bytes)               \
    PATH_STAT("rx_packets", path->rx_packets)           \
    PATH_STAT("tx_bytes", path->tx_bytes)               \
    PATH_STAT("tx_packets", path->tx_packets)
#define PATH_STAT(NAME, VALUE) + 1
    enum { N_STATS = 0 PATH_STATS };
#undef PATH_STAT

    const char *keys[N_STATS];
    int64_t values[N_STATS];
    size_t n = 0;

    /* What was never measured is negative. */
#define PATH_STAT(NAME, VALUE)          \
    keys[n] = NAME;                     \
    values[n] = VALUE;                  \
    n += values[n] >= 0;
    PATH_STATS
#undef PATH_STAT
#undef PATH_STATS

    ovsrec_fabric_path_set_statistics(rec, keys, values, n);
}

/* The set has no order, so each router is written with its distance. */
static void
write_path_hops(const struct ovsrec_fabric_path *rec,
                const struct fabric_hops *hops)
{
    char text[FABRIC_MAX_HOPS][INET6_ADDRSTRLEN + 4];
    const char *values[FABRIC_MAX_HOPS];
    size_t n = 0;

    for (size_t i = 0; i < hops->n; i++) {
        if (!ipv6_is_zero(&hops->ip[i])) {
            char ip[INET6_ADDRSTRLEN];

            snprintf(text[n], sizeof text[n], "%02"PRIuSIZE" %s", i + 1,
                     ipv6_string_mapped(ip, &hops->ip[i]));
            values[n] = text[n];
            n++;
        }
    }
    ovsrec_fabric_path_set_hops(rec, values, n);
}

static void
write_path_status(const struct ovsrec_fabric_path *rec,
                  const struct fabric_path_info *path)
{
    struct smap status = SMAP_INITIALIZER(&status);

    if (path->protocol != FABRIC_PROTOCOL_NONE) {
        smap_add(&status, "protocol",
                 fabric_protocol_to_string(path->protocol));
    }
    if (path->reasons) {
        struct ds reasons = DS_EMPTY_INITIALIZER;

        fabric_health_format_reasons(path->reasons, &reasons);
        smap_add_nocopy(&status, xstrdup("reasons"), ds_steal_cstr(&reasons));
    }
    if (path->has_bfd) {
        smap_add(&status, "bfd_state",
                 fabric_bfd_state_to_string(path->bfd.state));
        smap_add(&status, "bfd_diagnostic",
                 fabric_bfd_diag_to_string(path->bfd.diag));
        smap_add(&status, "bfd_peer_state",
                 fabric_bfd_state_to_string(path->bfd.remote_state));
        smap_add(&status, "bfd_peer_diagnostic",
                 fabric_bfd_diag_to_string(path->bfd.remote_diag));
    }
    ovsrec_fabric_path_set_status(rec, &status);
    smap_destroy(&status);
}

static void
write_path(struct refresh *r, const struct fabric_endpoint_row *ep,
           const struct fabric_path_info *path)
{
    char local_ip[INET6_ADDRSTRLEN], remote_ip[INET6_ADDRSTRLEN];
    const struct ovsrec_fabric_path *rec;
    bool new;

    ipv6_string_mapped(local_ip, &path->local_ip);
    ipv6_string_mapped(remote_ip, &path->remote_ip);

    char *key = path_key(ep->fabric, ep->applied->name, local_ip, remote_ip,
                         path->src_port);
    rec = shash_find_and_delete(&r->paths, key);
    free(key);

    new = !rec;
    if (new) {
        rec = ovsrec_fabric_path_insert(refresh_txn);
        ovsrec_fabric_path_set_fabric(rec, ep->fabric);
        ovsrec_fabric_path_set_endpoint(rec, ep->applied->name);
        ovsrec_fabric_path_set_local_ip(rec, local_ip);
        ovsrec_fabric_path_set_remote_ip(rec, remote_ip);
        ovsrec_fabric_path_set_src_port(rec, path->src_port);
    }
    ovsrec_fabric_path_set_state(rec, fabric_path_state_to_string(
                                     path->state));
    write_path_status(rec, path);
    write_path_hops(rec, &path->hops);
    if (new || r->stats) {
        write_path_stats(rec, path);
    }
}

/* Endpoints. */

static void
write_endpoint_stats(const struct ovsrec_fabric_endpoint *rec,
                     const struct fabric_endpoint *endpoint)
{
    struct fabric_endpoint_stats stats;

    fabric_endpoint_get_stats(endpoint, &stats);

    const char *keys[] = {
        "rx_bytes", "rx_packets", "tx_bytes", "tx_no_live_path", "tx_packets",
    };
    int64_t values[] = {
        stats.rx_bytes, stats.rx_packets, stats.tx_bytes,
        stats.tx_no_live_path, stats.tx_packets,
    };
    BUILD_ASSERT(ARRAY_SIZE(keys) == ARRAY_SIZE(values));
    ovsrec_fabric_endpoint_set_statistics(rec, keys, values,
                                          ARRAY_SIZE(keys));
}

/* "id" is read as well, so it must not be written in the ordinary way.  An
 * insertion into the set fails if another client has set it meanwhile, which
 * is right. */
static void
write_id(const struct ovsrec_fabric_endpoint *rec,
         const struct fabric_endpoint_row *ep)
{
    if (ep->applied && !rec->n_id) {
        ovsrec_fabric_endpoint_update_id_addvalue(rec, ep->applied->id);
    }
}

/* Writes status and statistics of 'ep' and its paths.  Sets '*counts'. */
static void
refresh_endpoint(struct refresh *r, const struct ovsrec_fabric_endpoint *rec,
                 const struct fabric_endpoint_row *ep,
                 struct path_counts *counts)
{
    struct fabric *fabric = fabric_registry_lookup(ep->fabric);
    struct fabric_endpoint *endpoint
        = (fabric && ep->applied
           ? fabric_endpoint_by_id(fabric, ep->applied->id) : NULL);
    struct smap status;

    *counts = (struct path_counts) { .total = 0 };
    init_status(&status, &ep->row, endpoint != NULL, NULL);
    write_id(rec, ep);
    if (endpoint) {
        struct fabric_path_info *paths;
        size_t n = fabric_endpoint_get_paths(endpoint, &paths);

        for (size_t i = 0; i < n; i++) {
            count_path(counts, paths[i].state);
            write_path(r, ep, &paths[i]);
        }
        free(paths);
        put_counts(&status, counts);
        if (r->stats) {
            write_endpoint_stats(rec, endpoint);
        }
    }
    ovsrec_fabric_endpoint_set_status(rec, &status);
    smap_destroy(&status);
}

/* Fabrics. */

/* What is known of a fabric after all of its endpoints were written. */
struct fabric_totals {
    unsigned int n_endpoints;
    struct path_counts counts;
};

/* Where its packets are forwarded, and why. */
static void
put_forwarding(struct smap *status, const struct fabric_config *config)
{
    const char *reason = fabric_forwarding_reason(
        config, fabric_registry_lookup(config->name));

    smap_add(status, "forwarding", reason ? "userspace" : "kernel");
    if (reason) {
        smap_add(status, "forwarding_reason", reason);
    }
}

static void
refresh_fabric(const struct ovsrec_fabric *rec,
               const struct fabric_fabric_row *f,
               const struct fabric_totals *totals)
{
    struct smap status;

    init_status(&status, &f->row, f->applied != NULL, NULL);
    if (f->applied) {
        const struct fabric *fabric = fabric_registry_lookup(f->row.name);
        char *host = fabric ? fabric_kern_restrictions(fabric) : NULL;

        if (host) {
            smap_add_nocopy(&status, xstrdup("host_policies"), host);
        }
        smap_add(&status, "uplink", f->applied->uplink);
        put_forwarding(&status, f->applied);
        smap_add_format(&status, "n_endpoints", "%u", totals->n_endpoints);
        put_counts(&status, &totals->counts);
    }
    ovsrec_fabric_set_status(rec, &status);
    smap_destroy(&status);
}

static struct fabric_fabric_row *
find_fabric(const struct ovsrec_fabric *rec)
{
    struct fabric_row *row = fabric_row_find(fabric_config_fabrics(),
                                             &rec->header_.uuid);

    return row ? CONTAINER_OF(row, struct fabric_fabric_row, row) : NULL;
}

static struct fabric_endpoint_row *
find_endpoint(const struct ovsrec_fabric_endpoint *rec)
{
    struct fabric_row *row = fabric_row_find(fabric_config_endpoints(),
                                             &rec->header_.uuid);

    return row ? CONTAINER_OF(row, struct fabric_endpoint_row, row) : NULL;
}

static void
refresh_rows(struct ovsdb_idl *idl, struct refresh *r)
{
    struct shash totals = SHASH_INITIALIZER(&totals);
    const struct ovsrec_fabric_endpoint *ep_rec;
    const struct ovsrec_fabric *rec;

    OVSREC_FABRIC_FOR_EACH (rec, idl) {
        shash_add(&totals, rec->name, xzalloc(sizeof(struct fabric_totals)));
    }
    OVSREC_FABRIC_ENDPOINT_FOR_EACH (ep_rec, idl) {
        struct fabric_endpoint_row *ep = find_endpoint(ep_rec);
        struct path_counts counts;

        if (ep) {
            struct fabric_totals *t = shash_find_data(&totals, ep->fabric);

            refresh_endpoint(r, ep_rec, ep, &counts);
            ep->row.dirty = false;
            if (t && ep->applied) {
                t->n_endpoints++;
                add_counts(&t->counts, &counts);
            }
        }
    }
    OVSREC_FABRIC_FOR_EACH (rec, idl) {
        struct fabric_fabric_row *f = find_fabric(rec);

        if (f) {
            refresh_fabric(rec, f, shash_find_data(&totals, rec->name));
            f->row.dirty = false;
        }
    }
    shash_destroy_free_data(&totals);
}

/* Writes the verdicts that have changed, leaving the numbers to the next
 * refresh. */
static void
write_verdicts(struct ovsdb_idl *idl)
{
    struct ovsdb_idl_txn *txn = ovsdb_idl_txn_create(idl);
    const struct ovsrec_fabric_endpoint *ep_rec;
    const struct ovsrec_fabric *rec;
    struct smap status;

    OVSREC_FABRIC_FOR_EACH (rec, idl) {
        struct fabric_fabric_row *f = find_fabric(rec);

        if (f && f->row.dirty) {
            init_status(&status, &f->row, f->applied != NULL, &rec->status);
            ovsrec_fabric_set_status(rec, &status);
            smap_destroy(&status);
            f->row.dirty = false;
        }
    }
    OVSREC_FABRIC_ENDPOINT_FOR_EACH (ep_rec, idl) {
        struct fabric_endpoint_row *ep = find_endpoint(ep_rec);

        if (ep && ep->row.dirty) {
            init_status(&status, &ep->row, ep->applied != NULL,
                        &ep_rec->status);
            ovsrec_fabric_endpoint_set_status(ep_rec, &status);
            smap_destroy(&status);
            write_id(ep_rec, ep);
            ep->row.dirty = false;
        }
    }
    ovsdb_idl_txn_commit(txn);
    ovsdb_idl_txn_destroy(txn);
    refresh_needed = true;
}

static bool
any_dirty(const struct hmap *rows)
{
    struct fabric_row *row;

    HMAP_FOR_EACH (row, node, rows) {
        if (row->dirty) {
            return true;
        }
    }
    return false;
}

static void
start_refresh(struct ovsdb_idl *idl)
{
    struct refresh r = { .stats = time_msec() >= next_stats };
    long long int start = time_usec();
    const struct ovsrec_fabric_path *rec;
    struct shash_node *node;

    registry_seqno = seq_read(fabric_registry_seq());
    refresh_needed = false;
    refresh_txn = ovsdb_idl_txn_create(idl);

    shash_init(&r.paths);
    OVSREC_FABRIC_PATH_FOR_EACH (rec, idl) {
        char *key = path_key(rec->fabric, rec->endpoint, rec->local_ip,
                             rec->remote_ip, rec->src_port);
        shash_add_nocopy(&r.paths, key, rec);
    }
    refresh_rows(idl, &r);
    SHASH_FOR_EACH (node, &r.paths) {
        ovsrec_fabric_path_delete(node->data);
    }
    shash_destroy(&r.paths);

    long long int cost = (time_usec() - start) / 1000 * LOAD;
    next_refresh = time_msec() + MAX(MIN_INTERVAL, cost);
    if (r.stats) {
        const struct ovsrec_open_vswitch *cfg
            = ovsrec_open_vswitch_first(idl);
        int interval = (cfg
                        ? smap_get_int(&cfg->other_config,
                                       "stats-update-interval", 0)
                        : 0);

        next_stats = time_msec() + MAX(MAX(interval, MIN_STATS_INTERVAL),
                                       cost);
    }
}

static void
finish_refresh(void)
{
    enum ovsdb_idl_txn_status status = ovsdb_idl_txn_commit(refresh_txn);

    if (status != TXN_INCOMPLETE) {
        ovsdb_idl_txn_destroy(refresh_txn);
        refresh_txn = NULL;
        if (status != TXN_SUCCESS && status != TXN_UNCHANGED) {
            refresh_needed = true;
            next_refresh = time_msec() + MIN_INTERVAL;
        }
    }
}

/* Is there nothing to tell, and are there no rows left of what was? */
static bool
is_idle(struct ovsdb_idl *idl)
{
    return (hmap_is_empty(fabric_config_fabrics())
            && hmap_is_empty(fabric_config_endpoints())
            && !ovsrec_fabric_path_first(idl));
}

void
fabric_status_run(struct ovsdb_idl *idl, bool changed)
{
    if (refresh_txn) {
        finish_refresh();
    }
    if (is_idle(idl)) {
        registry_seqno = seq_read(fabric_registry_seq());
        refresh_needed = false;
        next_stats = LLONG_MAX;
        return;
    }
    if (next_stats == LLONG_MAX) {
        next_stats = LLONG_MIN;
    }

    refresh_needed |= (changed || time_msec() >= next_stats
                       || registry_seqno != seq_read(fabric_registry_seq()));
    if (refresh_needed && !refresh_txn && time_msec() >= next_refresh) {
        start_refresh(idl);
        finish_refresh();
    } else if (any_dirty(fabric_config_fabrics())
               || any_dirty(fabric_config_endpoints())) {
        write_verdicts(idl);
    }
}

void
fabric_status_wait(void)
{
    if (refresh_txn) {
        ovsdb_idl_txn_wait(refresh_txn);
    } else if (refresh_needed) {
        poll_timer_wait_until(next_refresh);
    } else {
        seq_wait(fabric_registry_seq(), registry_seqno);
        if (next_stats != LLONG_MAX) {
            poll_timer_wait_until(next_stats);
        }
    }
}

void
fabric_status_exit(void)
{
    if (refresh_txn) {
        ovsdb_idl_txn_abort(refresh_txn);
        ovsdb_idl_txn_destroy(refresh_txn);
        refresh_txn = NULL;
    }
}
