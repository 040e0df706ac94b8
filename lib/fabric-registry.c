/* SPDX-License-Identifier: Apache-2.0 */

/* Fabrics and their uplinks; endpoints and paths are in fabric-endpoint.c.
 * Configuration is compared with what exists and only differences are applied.
 *
 * A change has two steps.  First all uplinks of the new configuration are made
 * ready, beside those in use: an uplink stays if only its settings change, and
 * otherwise shares the sockets that it has in common with the one that it
 * replaces, so that the two are not in each other's way.  Only this can fail,
 * and then nothing has happened.  Then the fabric begins to use the new
 * uplinks, and its endpoints get paths over them. */

#include <config.h>

#include "fabric-registry.h"

#include "fabric-carrier.h"
#include "fabric-inject.h"
#include "fabric-parse.h"
#include "fabric-private.h"
#include "fabric-prober.h"
#include "netdev.h"
#include "netdev-fabric.h"
#include "openvswitch/vlog.h"
#include "odp-util.h"
#include "ovs-thread.h"
#include "packets.h"
#include "seq.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(fabric_registry);

struct cmap fabrics_by_name = CMAP_INITIALIZER;
static struct cmap fabrics_by_odp = CMAP_INITIALIZER;

struct seq *
fabric_registry_seq(void)
{
    static struct ovsthread_once once = OVSTHREAD_ONCE_INITIALIZER;
    static struct seq *seq;

    if (ovsthread_once_start(&once)) {
        seq = seq_create();
        ovsthread_once_done(&once);
    }
    return seq;
}

static atomic_count generation = ATOMIC_COUNT_INIT(1);

uint64_t
fabric_registry_generation(void)
{
    return atomic_count_get(&generation);
}

void
fabric_registry_changed(void)
{
    atomic_count_inc(&generation);
    seq_change(fabric_registry_seq());
}

void
fabric_endpoint_changed(struct fabric_endpoint *ep)
{
    atomic_count_inc(&ep->n_changes);
    seq_change(fabric_registry_seq());
}

unsigned int
fabric_endpoint_n_changes(const struct fabric_endpoint *ep)
{
    return atomic_count_get(&CONST_CAST(struct fabric_endpoint *,
                                        ep)->n_changes);
}

/* Fabrics. */

static struct fabric_uplink_config
make_uplink_config(const struct fabric_config *config,
                   const struct in6_addr *local_ip)
{
    return (struct fabric_uplink_config) {
        .local_ip = *local_ip,
        .dst_port = config->dst_port,
        .src_port_base = config->src_port_base,
        .encap = config->encap,
        .probe_vni = config->probe.vni,
        .bfd_vni = config->probe.bfd_vni,
    };
}

static struct fabric_uplink_settings
make_uplink_settings(const struct fabric_config *config)
{
    return (struct fabric_uplink_settings) {
        .ttl = config->ttl,
        .csum = config->csum,
    };
}

/* Returns true if 'up' can go on in a fabric with 'config'. */
static bool
can_keep(const struct fabric_uplink *up, const struct fabric_config *config)
{
    const struct fabric_uplink_config *c = &up->config;

    return (!strcmp(up->class->name, config->uplink)
            && c->dst_port == config->dst_port
            && c->src_port_base == config->src_port_base
            && c->encap == config->encap
            && c->probe_vni == config->probe.vni
            && c->bfd_vni == config->probe.bfd_vni);
}

static char *
check_fabric(const struct fabric_config *config)
{
    const struct fabric *f = fabric_registry_lookup(config->name);
    struct fabric *other;

    if (!config->n_local_ips) {
        return xstrdup("local_ips is empty");
    }
    if (config->n_local_ips > FABRIC_MAX_LOCAL_IPS) {
        return xasprintf("%"PRIuSIZE" local IPs are more than %d",
                         config->n_local_ips, FABRIC_MAX_LOCAL_IPS);
    }
    if (!fabric_uplink_class_lookup(config->uplink)) {
        return xasprintf("uplink driver %s is unknown", config->uplink);
    }

    CMAP_FOR_EACH (other, name_node, &fabrics_by_name) {
        const struct fabric_uplinks *ups
            = ovsrcu_get(struct fabric_uplinks *, &other->uplinks);

        if (other == f
            || fabric_get_config(other)->dst_port != config->dst_port) {
            continue;
        }
        for (size_t i = 0; i < config->n_local_ips; i++) {
            for (size_t j = 0; j < ups->n; j++) {
                if (ipv6_addr_equals(&config->local_ips[i],
                                     &ups->uplinks[j]->config.local_ip)) {
                    char ip[INET6_ADDRSTRLEN];

                    return xasprintf("local IP %s with UDP port %"PRIu16
                                     " is used by fabric %s",
                                     ipv6_string_mapped(
                                         ip, &config->local_ips[i]),
                                     config->dst_port, other->name);
                }
            }
        }
    }

    if (f) {
        struct fabric_endpoint *ep;

        CMAP_FOR_EACH (ep, id_node, &f->by_id) {
            const struct fabric_endpoint_addrs *addrs
                = ovsrcu_get(struct fabric_endpoint_addrs *, &ep->addrs);
            char *error = fabric_check_n_paths(ep->name, config->n_local_ips,
                                         addrs->n, config->paths_per_remote);

            if (error) {
                return error;
            }
        }
    }
    return NULL;
}

/* Returns the uplink at 'ip' of 'ups', if that is nonnull, or NULL, and in
 * '*local_up' if it was up when last looked at. */
static struct fabric_uplink *
uplinks_find(const struct fabric_uplinks *ups, const struct in6_addr *ip,
             bool *local_up)
    OVS_REQUIRES(fabric_table_mutex)
{
    for (size_t i = 0; ups && i < ups->n; i++) {
        if (ipv6_addr_equals(&ups->uplinks[i]->config.local_ip, ip)) {
            *local_up = ups->local_up[i];
            return ups->uplinks[i];
        }
    }
    return NULL;
}

/* Closes the uplinks of 'a' that are not in 'b'. */
static void
close_others(const struct fabric_uplinks *a, const struct fabric_uplinks *b)
{
    for (size_t i = 0; a && i < a->n; i++) {
        bool kept = false;

        for (size_t j = 0; b && j < b->n && !kept; j++) {
            kept = a->uplinks[i] == b->uplinks[j];
        }
        if (!kept) {
            fabric_uplink_close(a->uplinks[i]);
        }
    }
}

/* Opens an uplink at 'local_ip' that can replace 'old', NULL if there is none
 * at this address. */
static char *
open_uplink(const struct fabric_config *config,
            const struct in6_addr *local_ip, struct fabric_uplink *old,
            struct fabric_uplink **upp)
{
    const struct fabric_uplink_class *class
        = fabric_uplink_class_lookup(config->uplink);
    struct fabric_uplink_config uc = make_uplink_config(config, local_ip);
    struct fabric_uplink_settings settings = make_uplink_settings(config);
    struct fabric_uplink *up = fabric_uplink_create(class, &uc, &settings);
    char *error;

    if (old && old->class == class) {
        ovs_mutex_lock(&fabric_table_mutex);
        fabric_uplink_inherit(up, old);
        ovs_mutex_unlock(&fabric_table_mutex);
    }
    error = fabric_uplink_open(up);
    *upp = error ? NULL : up;
    return error;
}

/* Makes the set of uplinks of 'config', taking those of 'old' that it can and
 * opening the rest. */
static char *
open_uplinks(const struct fabric_config *config,
             const struct fabric_uplinks *old, struct fabric_uplinks **newp)
{
    struct fabric_uplinks *new = xzalloc(sizeof *new);
    char *error = NULL;

    for (size_t i = 0; i < config->n_local_ips && !error; i++) {
        const struct in6_addr *local_ip = &config->local_ips[i];
        struct fabric_uplink *up;
        const char *reason;
        bool local_up;

        ovs_mutex_lock(&fabric_table_mutex);
        up = uplinks_find(old, local_ip, &local_up);
        ovs_mutex_unlock(&fabric_table_mutex);
        if (!up || !can_keep(up, config)) {
            error = open_uplink(config, local_ip, up, &up);
            local_up = up && up->class->is_up(up, &reason);
        }
        if (up) {
            new->uplinks[new->n] = up;
            new->local_up[new->n++] = local_up;
            ovs_mutex_lock(&fabric_table_mutex);
            error = fabric_uplink_set_n_ports(up, config->paths_per_remote);
            ovs_mutex_unlock(&fabric_table_mutex);
        }
    }
    if (error) {
        close_others(new, old);
        free(new);
        new = NULL;
    }
    *newp = new;
    return error;
}

static struct fabric *
fabric_create(const struct fabric_config *config)
{
    struct fabric *f = xzalloc(sizeof *f);

    f->name = xstrdup(config->name);
    f->class = fabric_uplink_class_lookup(config->uplink);
    ovsrcu_init(&f->config, NULL);
    shash_init(&f->orphan_drains);
    atomic_init(&f->odp_port, ODPP_NONE);
    atomic_init(&f->kern_stats, NULL);
    atomic_init(&f->stands_aside, false);
    ovsrcu_init(&f->uplinks, NULL);
    cmap_init(&f->by_id);
    cmap_init(&f->by_endpoint_name);
    cmap_init(&f->by_ip);
    cmap_init(&f->by_tuple);
    f->inject = fabric_inject_create();
    return f;
}

static void
config_free(struct fabric_config *config)
{
    fabric_config_destroy(config);
    free(config);
}

static void
fabric_free(struct fabric *f)
{
    fabric_drains_forget(f);
    shash_destroy(&f->orphan_drains);
    config_free(ovsrcu_get_protected(struct fabric_config *, &f->config));
    free(ovsrcu_get_protected(struct fabric_uplinks *, &f->uplinks));
    cmap_destroy(&f->by_id);
    cmap_destroy(&f->by_endpoint_name);
    cmap_destroy(&f->by_ip);
    cmap_destroy(&f->by_tuple);
    fabric_inject_destroy(f->inject);
    free(f->name);
    free(f);
}

bool
fabric_probe_config_equal(const struct fabric_probe_config *a,
                          const struct fabric_probe_config *b)
{
    return (a->enabled == b->enabled
            && a->interval == b->interval
            && a->multiplier == b->multiplier
            && a->vni == b->vni
            && a->idle_interval == b->idle_interval
            && a->idle_after == b->idle_after
            && a->n_dscps == b->n_dscps
            && !memcmp(a->dscps, b->dscps, a->n_dscps)
            && a->large_every == b->large_every
            && a->discovery == b->discovery
            && a->discovery_interval == b->discovery_interval
            && a->pmtud == b->pmtud
            && a->pmtud_interval == b->pmtud_interval
            && a->protocol == b->protocol
            && eth_addr_equals(a->bfd_dst_mac, b->bfd_dst_mac)
            && a->bfd_vni == b->bfd_vni);
}

/* Moves the endpoints of 'f', if it has another driver from now on, to the
 * prober that serves it. */
static void
set_class(struct fabric *f, const struct fabric_uplink_class *class)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_endpoint *ep;

    if (f->class == class) {
        return;
    }
    CMAP_FOR_EACH (ep, id_node, &f->by_id) {
        fabric_prober_remove(ep);
    }
    f->class = class;
    CMAP_FOR_EACH (ep, id_node, &f->by_id) {
        fabric_prober_add(ep);
    }
}

/* Puts 'config' in force, but for what depends on the uplinks. */
static void
fabric_assign(struct fabric *f, const struct fabric_config *config)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_config *old
        = ovsrcu_get_protected(struct fabric_config *, &f->config);

    ovsrcu_set(&f->config, fabric_config_clone(config));
    f->probe = config->probe;
    f->keys = config->keys;
    f->health = config->health;
    f->paths_per_remote = config->paths_per_remote;
    set_class(f, fabric_uplink_class_lookup(config->uplink));
    if (!old || !fabric_probe_config_equal(&config->probe, &old->probe)) {
        fabric_prober_reschedule(f);
    }
    if (old && old->src_port_base != config->src_port_base) {
        struct fabric_endpoint *ep;

        CMAP_FOR_EACH (ep, id_node, &f->by_id) {
            fabric_drains_shift_ports(&ep->drains, (config->src_port_base
                                                    - old->src_port_base));
        }
    }
    if (old) {
        ovsrcu_postpone(config_free, old);
    }
}

static void
fabric_destroy(struct fabric *f)
{
    const struct fabric_uplinks *ups;
    struct fabric_endpoint *ep;
    odp_port_t odp_port;

    ovs_mutex_lock(&fabric_table_mutex);
    CMAP_FOR_EACH (ep, id_node, &f->by_id) {
        fabric_endpoint_destroy(ep);
    }
    cmap_remove(&fabrics_by_name, &f->name_node, hash_string(f->name, 0));
    atomic_read_relaxed(&f->odp_port, &odp_port);
    if (odp_port != ODPP_NONE) {
        cmap_remove(&fabrics_by_odp, &f->odp_node, hash_odp_port(odp_port));
    }
    ups = ovsrcu_get_protected(struct fabric_uplinks *, &f->uplinks);
    close_others(ups, NULL);
    ovs_mutex_unlock(&fabric_table_mutex);

    fabric_endpoints_changed();
    fabric_prober_changed();
    netdev_fabric_changed(f->name);
    ovsrcu_postpone(fabric_free, f);
}

/* Makes 'f' use 'ups' and adjusts every endpoint to that. */
static void
install_uplinks(struct fabric *f, const struct fabric_config *config,
                struct fabric_uplinks *ups)
{
    struct fabric_uplink_settings settings = make_uplink_settings(config);
    struct fabric_uplinks *old;
    struct fabric_endpoint *ep;

    ovs_mutex_lock(&fabric_table_mutex);
    old = ovsrcu_get_protected(struct fabric_uplinks *, &f->uplinks);
    for (size_t i = 0; i < ups->n; i++) {
        fabric_uplink_configure(ups->uplinks[i], &settings);
    }
    ovsrcu_set(&f->uplinks, ups);
    fabric_assign(f, config);
    CMAP_FOR_EACH (ep, id_node, &f->by_id) {
        const struct fabric_endpoint_addrs *addrs
            = ovsrcu_get_protected(struct fabric_endpoint_addrs *,
                                   &ep->addrs);

        fabric_endpoint_update(ep, addrs->remote_ips, addrs->n);
    }
    ovs_mutex_unlock(&fabric_table_mutex);

    if (old) {
        close_others(old, ups);
        ovsrcu_postpone(free, old);
    }
}

/* Tells everyone who cares that 'f' was opened or its uplinks changed. */
static void
fabric_installed(const struct fabric *f)
{
    fabric_prober_changed();
    netdev_fabric_changed(f->name);

    /* Carrier may have changed since the uplinks were looked at. */
    fabric_carrier_check();
}

static char *
fabric_open(const struct fabric_config *config)
{
    struct fabric_uplinks *ups;
    struct fabric *f;
    char *error;

    error = open_uplinks(config, NULL, &ups);
    if (error) {
        return error;
    }
    f = fabric_create(config);
    install_uplinks(f, config, ups);
    ovs_mutex_lock(&fabric_table_mutex);
    cmap_insert(&fabrics_by_name, &f->name_node, hash_string(f->name, 0));
    ovs_mutex_unlock(&fabric_table_mutex);
    fabric_endpoints_changed();
    fabric_installed(f);
    VLOG_INFO("%s: fabric up, %s, %"PRIuSIZE" local IPs", config->name,
              fabric_encap_to_string(config->encap), ups->n);
    return NULL;
}

/* Makes 'f' what 'config' says.  Returns NULL, or why it stays as it is. */
static char *
fabric_change(struct fabric *f, const struct fabric_config *config)
{
    const struct fabric_config *now = fabric_get_config(f);
    bool header = (now->encap != config->encap
                   || now->dst_port != config->dst_port
                   || now->probe.vni != config->probe.vni);
    struct fabric_uplinks *old, *new;
    char *error;

    old = ovsrcu_get_protected(struct fabric_uplinks *, &f->uplinks);
    error = open_uplinks(config, old, &new);
    if (error) {
        return error;
    }
    install_uplinks(f, config, new);
    fabric_installed(f);
    if (header) {
        VLOG_INFO("%s: changed to %s, UDP port %"PRIu16", probes in VNI "
                  "%"PRIu32, f->name, fabric_encap_to_string(config->encap),
                  config->dst_port, config->probe.vni);
        fabric_endpoints_changed();
    } else {
        fabric_registry_changed();
    }
    return NULL;
}

char *
fabric_registry_set_fabric(const struct fabric_config *config)
{
    struct fabric *f;
    char *error;

    fabric_path_init();

    error = check_fabric(config);
    if (error) {
        return error;
    }
    f = fabric_registry_lookup(config->name);
    return f ? fabric_change(f, config) : fabric_open(config);
}

void
fabric_registry_configured(void)
{
    struct fabric *f;

    ovs_mutex_lock(&fabric_table_mutex);
    CMAP_FOR_EACH (f, name_node, &fabrics_by_name) {
        fabric_drains_forget(f);
    }
    ovs_mutex_unlock(&fabric_table_mutex);
}

void
fabric_registry_del_fabric(const char *name)
{
    struct fabric *f = fabric_registry_lookup(name);

    if (f) {
        fabric_destroy(f);
    }
}

/* Lookup. */

struct fabric *
fabric_registry_lookup(const char *name)
{
    struct fabric *f;

    CMAP_FOR_EACH_WITH_HASH (f, name_node, hash_string(name, 0),
                             &fabrics_by_name) {
        if (!strcmp(f->name, name)) {
            return f;
        }
    }
    return NULL;
}

struct fabric *
fabric_registry_lookup_odp(odp_port_t odp_port)
{
    struct fabric *f;

    CMAP_FOR_EACH_WITH_HASH (f, odp_node, hash_odp_port(odp_port),
                             &fabrics_by_odp) {
        if (fabric_odp_port(f) == odp_port) {
            return f;
        }
    }
    return NULL;
}

void
fabric_set_odp_port(struct fabric *f, odp_port_t odp_port)
{
    odp_port_t old;

    atomic_read_relaxed(&f->odp_port, &old);
    if (odp_port == old) {
        return;
    }

    ovs_mutex_lock(&fabric_table_mutex);
    atomic_read_relaxed(&f->odp_port, &old);

    /* 'f' may have been removed since the caller looked it up. */
    if (old != odp_port && fabric_registry_lookup(f->name) == f) {
        if (old != ODPP_NONE) {
            cmap_remove(&fabrics_by_odp, &f->odp_node, hash_odp_port(old));
        }
        atomic_store_relaxed(&f->odp_port, odp_port);
        if (odp_port != ODPP_NONE) {
            cmap_insert(&fabrics_by_odp, &f->odp_node,
                        hash_odp_port(odp_port));
        }
    }
    ovs_mutex_unlock(&fabric_table_mutex);
    fabric_registry_changed();
}

static int
compare_fabrics(const void *a_, const void *b_)
{
    const struct fabric *const *a = a_;
    const struct fabric *const *b = b_;

    return strcmp((*a)->name, (*b)->name);
}

size_t
fabric_registry_list(struct fabric ***fabricsp)
{
    size_t n = 0, allocated = 0;
    struct fabric **fabrics = NULL;
    struct fabric *f;

    CMAP_FOR_EACH (f, name_node, &fabrics_by_name) {
        if (n >= allocated) {
            fabrics = x2nrealloc(fabrics, &allocated, sizeof *fabrics);
        }
        fabrics[n++] = f;
    }
    if (n) {
        qsort(fabrics, n, sizeof *fabrics, compare_fabrics);
    }
    *fabricsp = fabrics;
    return n;
}

const char *
fabric_name(const struct fabric *f)
{
    return f->name;
}

enum fabric_encap
fabric_get_encap(const struct fabric *f)
{
    return fabric_get_config(f)->encap;
}

bool
fabric_has_port(const struct fabric *f)
{
    return netdev_fabric_exists(f->name);
}

odp_port_t
fabric_odp_port(const struct fabric *f)
{
    odp_port_t odp_port;

    atomic_read_relaxed(&CONST_CAST(struct fabric *, f)->odp_port, &odp_port);
    return odp_port;
}

