/* SPDX-License-Identifier: Apache-2.0 */

/* Whenever the database changes, every row of ours is parsed again, which is
 * cheap, and compared with what is in force; only differences reach the
 * registry.  Refusals that time alone may mend, such as a local IP that the
 * host does not have yet, are tried again after a while. */

#include <config.h>

#include "fabric-config.h"

#include "fabric-hooks.h"
#include "fabric-idl.h"
#include "fabric-kern-lease.h"
#include "fabric-kern-sync.h"
#include "fabric-parse.h"
#include "fabric-prober.h"
#include "fabric-recall.h"
#include "fabric-show.h"
#include "fabric-status.h"
#include "netdev-fabric.h"
#include "ofproto/ofproto-dpif-upcall.h"
#include "ofproto/ofproto-dpif.h"
#include "ofproto/ofproto.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/shash.h"
#include "openvswitch/vlog.h"
#include "ovs-thread.h"
#include "ovsdb-idl.h"
#include "packets.h"
#include "sset.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(fabric_config);

#define RETRY_INTERVAL 5000     /* In ms. */

/* Contain "struct fabric_fabric_row"s and "struct fabric_endpoint_row"s. */
static struct hmap fabrics = HMAP_INITIALIZER(&fabrics);
static struct hmap endpoints = HMAP_INITIALIZER(&endpoints);

/* Names of fabric Interfaces without a Fabric that were logged. */
static struct sset orphan_ports = SSET_INITIALIZER(&orphan_ports);

static unsigned int idl_seqno;
static long long int retry_at = LLONG_MAX;

static struct fabric_fabric_row *
fabric_row_cast(const struct fabric_row *row)
{
    return CONTAINER_OF(row, struct fabric_fabric_row, row);
}

const struct hmap *
fabric_config_fabrics(void)
{
    return &fabrics;
}

const struct hmap *
fabric_config_endpoints(void)
{
    return &endpoints;
}

struct fabric_fabric_row *
fabric_config_lookup(const char *name)
{
    struct fabric_fabric_row *f;

    HMAP_FOR_EACH (f, row.node, &fabrics) {
        if (f->applied && !strcmp(f->applied->name, name)) {
            return f;
        }
    }
    return NULL;
}

static void
free_config(struct fabric_config **config)
{
    fabric_config_destroy(*config);
    free(*config);
    *config = NULL;
}

/* Reading. */

char *
fabric_config_check_qos(const struct ovsrec_fabric_qos *rec,
                        struct ds *warnings)
{
    if (!rec) {
        return NULL;
    }

    struct fabric_qos_text text = fabric_idl_qos_text(rec);
    return fabric_parse_qos(&text, warnings);
}

static void
read_fabric(const struct ovsrec_fabric *rec)
{
    struct fabric_row *row = fabric_row_find(&fabrics, &rec->header_.uuid);
    struct ds warnings = DS_EMPTY_INITIALIZER;
    struct fabric_fabric_row *f;
    struct fabric_text text = fabric_idl_text(rec);

    if (!row) {
        f = xzalloc(sizeof *f);
        row = &f->row;
        fabric_row_insert(&fabrics, row, &rec->header_.uuid, "fabric",
                          xstrdup(rec->name));
    }
    f = fabric_row_cast(row);

    free_config(&f->wanted);
    f->wanted = xmalloc(sizeof *f->wanted);
    row->next.refusal = fabric_parse_config(&text, f->wanted, &warnings);
    if (row->next.refusal) {
        free(f->wanted);
        f->wanted = NULL;
    }
    row->next.qos = fabric_config_check_qos(rec->qos, &warnings);
    row->next.warning = warnings.length ? ds_steal_cstr(&warnings) : NULL;
    ds_destroy(&warnings);
}

static void
remove_fabric(struct fabric_fabric_row *f)
{
    if (f->applied) {
        fabric_registry_del_fabric(f->applied->name);
        fabric_endpoints_forget(&endpoints, f->applied->name);
    }
    free_config(&f->applied);
    free_config(&f->wanted);
    fabric_row_remove(&fabrics, &f->row);
    free(f);
}

static void
read_fabrics(struct ovsdb_idl *idl)
{
    const struct ovsrec_fabric *rec;
    struct fabric_fabric_row *f;

    fabric_row_begin(&fabrics);
    OVSREC_FABRIC_FOR_EACH (rec, idl) {
        read_fabric(rec);
    }
    HMAP_FOR_EACH_SAFE (f, row.node, &fabrics) {
        if (!f->row.seen) {
            remove_fabric(f);
        }
    }
}

/* Applying. */

static void
fabric_claims(const struct fabric_row *row, bool wanted, struct sset *claims)
{
    struct fabric_fabric_row *f = fabric_row_cast(row);
    const struct fabric_config *config = wanted ? f->wanted : f->applied;

    for (size_t i = 0; config && i < config->n_local_ips; i++) {
        char buf[INET6_ADDRSTRLEN];

        sset_add_and_free(claims, xasprintf(
            "local IP %s with UDP port %"PRIu16,
            ipv6_string_mapped(buf, &config->local_ips[i]),
            config->dst_port));
    }
}

static int
compare_fabric_rows(const void *a_, const void *b_)
{
    const struct fabric_row *const *a = a_;
    const struct fabric_row *const *b = b_;

    return strcmp((*a)->name, (*b)->name);
}

/* Tells whether an endpoint in force has an address that its fabric wants. */
static char *
check_local_ips(const struct fabric_config *config)
{
    const struct fabric *fabric = fabric_registry_lookup(config->name);

    for (size_t i = 0; fabric && i < config->n_local_ips; i++) {
        const struct in6_addr *ip = &config->local_ips[i];
        const struct fabric_endpoint *ep = fabric_endpoint_by_ip(fabric, ip);

        if (ep) {
            char buf[INET6_ADDRSTRLEN];

            return xasprintf("local IP %s is a remote IP of endpoint %s",
                             ipv6_string_mapped(buf, ip),
                             fabric_endpoint_name(ep));
        }
    }
    return NULL;
}

/* Brings the registry in line with 'f'.  Returns true if it changed. */
static bool
apply_fabric(struct fabric_fabric_row *f)
{
    char *error;

    if (!f->wanted
        || (f->applied && fabric_config_equals(f->applied, f->wanted))) {
        return false;
    }

    error = check_local_ips(f->wanted);
    if (!error) {
        error = fabric_registry_set_fabric(f->wanted);
    }
    f->row.dirty = true;
    if (error) {
        if (f->applied && !fabric_registry_lookup(f->applied->name)) {
            /* Not even the last good configuration could be restored. */
            fabric_endpoints_forget(&endpoints, f->applied->name);
            free_config(&f->applied);
        }
        f->row.next.refusal = error;
        return false;
    }
    free_config(&f->applied);
    f->applied = f->wanted;
    f->wanted = NULL;
    return true;
}

static void
apply_fabrics(void)
{
    size_t n = hmap_count(&fabrics);
    struct fabric_row **rows = xmalloc(MAX(n, 1) * sizeof *rows);
    struct fabric_fabric_row *f;
    bool progress;
    size_t i = 0;

    HMAP_FOR_EACH (f, row.node, &fabrics) {
        rows[i++] = &f->row;
    }
    qsort(rows, n, sizeof *rows, compare_fabric_rows);
    fabric_row_plan(rows, n, fabric_claims);

    /* One change may have to wait for another that frees an address. */
    bool *refused = xmalloc(MAX(n, 1) * sizeof *refused);
    for (i = 0; i < n; i++) {
        refused[i] = rows[i]->next.refusal != NULL;
    }
    do {
        progress = false;
        for (i = 0; i < n; i++) {
            if (!refused[i]) {
                free(rows[i]->next.refusal);
                rows[i]->next.refusal = NULL;
                progress |= apply_fabric(fabric_row_cast(rows[i]));
            }
        }
    } while (progress);
    free(refused);
    free(rows);
}

/* Ports. */

/* Tells in 'next.port' what is wrong with the port of 'f'; 'bridge' has it, or
 * is NULL if there is no such port. */
static void
check_port(struct fabric_fabric_row *f, const char *name,
           const struct ovsrec_bridge *bridge)
{
    if (!bridge) {
        f->row.next.port = xasprintf(
            "no Interface has name \"%s\" and type \"fabric\"", name);
    } else if (strcmp(bridge->datapath_type, "netdev")
               && strcmp(bridge->datapath_type, "dummy")) {
        f->row.next.port = xasprintf(
            "port is on bridge \"%s\", whose datapath_type is \"%s\" but must "
            "be \"netdev\"", bridge->name,
            bridge->datapath_type[0] ? bridge->datapath_type : "system");
    }
}

/* Adds to 'ports' the fabric interfaces of 'bridge', name to bridge. */
static void
collect_ports(const struct ovsrec_bridge *bridge, struct shash *ports)
{
    for (size_t i = 0; i < bridge->n_ports; i++) {
        const struct ovsrec_port *port = bridge->ports[i];

        for (size_t j = 0; j < port->n_interfaces; j++) {
            const struct ovsrec_interface *iface = port->interfaces[j];

            if (!strcmp(iface->type, "fabric")) {
                shash_add_once(ports, iface->name, bridge);
            }
        }
    }
}

/* Logs fabric interfaces that remain in 'ports', since they have no row of
 * ours that could tell. */
static void
log_orphan_ports(const struct shash *ports)
{
    struct sset names = SSET_INITIALIZER(&names);
    struct shash_node *node;

    SHASH_FOR_EACH (node, ports) {
        sset_add(&names, node->name);
        if (!sset_contains(&orphan_ports, node->name)) {
            VLOG_WARN("interface %s: type is \"fabric\" but there is no "
                      "Fabric of that name", node->name);
        }
    }
    sset_swap(&orphan_ports, &names);
    sset_destroy(&names);
}

static void
check_ports(struct ovsdb_idl *idl)
{
    struct shash ports = SHASH_INITIALIZER(&ports);
    const struct ovsrec_bridge *bridge;
    const struct ovsrec_fabric *rec;

    OVSREC_BRIDGE_FOR_EACH (bridge, idl) {
        collect_ports(bridge, &ports);
    }
    OVSREC_FABRIC_FOR_EACH (rec, idl) {
        struct fabric_row *row = fabric_row_find(&fabrics,
                                                 &rec->header_.uuid);

        check_port(fabric_row_cast(row), rec->name,
                   shash_find_and_delete(&ports, rec->name));
    }
    log_orphan_ports(&ports);
    shash_destroy(&ports);
}

/* Hooks. */

/* Has the paths of the process before this one, as its rows tell, begin with
 * the same source ports. */
static void
recall_paths(struct ovsdb_idl *idl)
{
    const struct ovsrec_fabric_path *rec;

    OVSREC_FABRIC_PATH_FOR_EACH (rec, idl) {
        struct in6_addr local_ip, remote_ip;
        char *error = fabric_parse_ip("local_ip", rec->local_ip, &local_ip);

        if (!error) {
            error = fabric_parse_ip("remote_ip", rec->remote_ip, &remote_ip);
        }
        if (!error && rec->src_port > 0 && rec->src_port <= UINT16_MAX) {
            ovs_mutex_lock(&fabric_table_mutex);
            fabric_recall_note(rec->fabric, &local_ip, &remote_ip,
                               rec->src_port, rec->n_hops > 0);
            ovs_mutex_unlock(&fabric_table_mutex);
        }
        free(error);
    }
}

static void
reconfigure(struct ovsdb_idl *idl)
{
    struct fabric_endpoint_row *ep;
    struct fabric_fabric_row *f;

    read_fabrics(idl);
    fabric_endpoints_read(idl, &endpoints);
    apply_fabrics();
    fabric_endpoints_apply(&endpoints);
    check_ports(idl);

    retry_at = LLONG_MAX;
    HMAP_FOR_EACH (f, row.node, &fabrics) {
        fabric_row_commit(&f->row);
        if (f->row.now.refusal && f->wanted) {
            retry_at = time_msec() + RETRY_INTERVAL;
        }
    }
    HMAP_FOR_EACH (ep, row.node, &endpoints) {
        fabric_row_commit(&ep->row);
        if (ep->row.now.refusal && ep->wanted) {
            retry_at = time_msec() + RETRY_INTERVAL;
        }
    }
}

void
fabric_config_init(struct ovsdb_idl *idl)
{
    ovsdb_idl_omit(idl, &ovsrec_fabric_col_external_ids);
    ovsdb_idl_omit(idl, &ovsrec_fabric_endpoint_col_external_ids);
    ovsdb_idl_omit(idl, &ovsrec_fabric_qos_col_external_ids);
    netdev_fabric_register();
    fabric_status_init(idl);
    fabric_show_init();
}

/* Has every flow of the userspace datapath set up anew, without revalidators
 * missing those that were there. */
static void
flush_datapath(void)
{
    const struct dpif_backer *backer = shash_find_data(&all_dpif_backers,
                                                       "netdev");

    if (backer) {
        udpif_flush(backer->udpif);
    }
}

void
fabric_config_run(struct ovsdb_idl *idl)
{
    bool changed = ovsdb_idl_get_seqno(idl) != idl_seqno;

    if (!idl_seqno) {
        recall_paths(idl);
    }
    if (changed || time_msec() >= retry_at) {
        idl_seqno = ovsdb_idl_get_seqno(idl);
        reconfigure(idl);
    }
    if (fabric_kern_run(!ofproto_get_flow_restore_wait())) {
        flush_datapath();
    }
    fabric_status_run(idl, changed);
}

void
fabric_config_wait(struct ovsdb_idl *idl)
{
    /* Also without a database, but not if another process has taken over. */
    if (!ovsdb_idl_is_lock_contended(idl)) {
        fabric_kern_lease_wait();
    }
    /* Without the lock, fabric_config_run() is not called. */
    if (ovsdb_idl_has_lock(idl)) {
        if (retry_at != LLONG_MAX) {
            poll_timer_wait_until(retry_at);
        }
        fabric_kern_wait();
        fabric_status_wait();
    }
}

void
fabric_config_exit(void)
{
    struct fabric_fabric_row *f;

    fabric_status_exit();
    fabric_endpoints_clear(&endpoints);
    HMAP_FOR_EACH_SAFE (f, row.node, &fabrics) {
        remove_fabric(f);
    }
    fabric_prober_exit();
    ovs_mutex_lock(&fabric_table_mutex);
    fabric_recall_clear();
    ovs_mutex_unlock(&fabric_table_mutex);
    sset_destroy(&orphan_ports);
    sset_init(&orphan_ports);
}
