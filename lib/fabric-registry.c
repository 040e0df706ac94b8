/* SPDX-License-Identifier: Apache-2.0 */

/* Fabrics and their uplinks; endpoints and paths are in fabric-endpoint.c.
 * Configuration is compared with what exists and only differences are applied.
 *
 * What is part of every socket or path of a fabric (encapsulation, ports, the
 * driver, ...) cannot be changed in place: then the fabric is closed and
 * opened anew, and restored as it was if that fails. */

#include <config.h>

#include "fabric-registry.h"

#include "fabric-carrier.h"
#include "fabric-prober.h"
#include "fabric-inject.h"
#include "fabric-private.h"
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
make_uplink_config(const struct fabric_config *config)
{
    return (struct fabric_uplink_config) {
        .dst_port = config->dst_port,
        .src_port_base = config->src_port_base,
        .encap = config->encap,
        .probe_vni = config->probe.vni,
        .bfd_vni = config->probe.bfd_vni,
        .ttl = config->ttl,
        .csum = config->csum,
    };
}

/* Can 'f' take over 'config' without closing its sockets? */
static bool
compatible(const struct fabric *f, const struct fabric_config *config)
{
    const struct fabric_uplink_config *a = &f->uplink_config;
    struct fabric_uplink_config b = make_uplink_config(config);

    return (!strcmp(f->class->name, config->uplink)
            && a->dst_port == b.dst_port
            && a->src_port_base == b.src_port_base && a->encap == b.encap
            && a->probe_vni == b.probe_vni && a->bfd_vni == b.bfd_vni
            && a->ttl == b.ttl
            && a->csum == b.csum);
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

        if (other == f || other->uplink_config.dst_port != config->dst_port) {
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

static struct fabric_uplink *
uplinks_find(const struct fabric_uplinks *ups, const struct in6_addr *ip)
{
    for (size_t i = 0; ups && i < ups->n; i++) {
        if (ipv6_addr_equals(&ups->uplinks[i]->config.local_ip, ip)) {
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
        if (!uplinks_find(b, &a->uplinks[i]->config.local_ip)) {
            fabric_uplink_close(a->uplinks[i]);
        }
    }
}

/* Makes the set of uplinks of 'config', taking those of 'old' that it can and
 * opening the rest. */
static char *
open_uplinks(const struct fabric_config *config,
             const struct fabric_uplinks *old, struct fabric_uplinks **newp)
{
    struct fabric_uplink_config uc = make_uplink_config(config);
    struct fabric_uplinks *new = xzalloc(sizeof *new);
    char *error = NULL;

    for (size_t i = 0; i < config->n_local_ips && !error; i++) {
        struct fabric_uplink *up = uplinks_find(old, &config->local_ips[i]);
        const char *reason;

        if (!up) {
            uc.local_ip = config->local_ips[i];
            error = fabric_uplink_open(
                fabric_uplink_class_lookup(config->uplink), &uc, &up);
        }
        if (up) {
            new->uplinks[new->n] = up;
            new->local_up[new->n++] = up->class->is_up(up, &reason);
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
    f->encap = config->encap;
    f->class = fabric_uplink_class_lookup(config->uplink);
    f->uplink_config = make_uplink_config(config);
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
fabric_free(struct fabric *f)
{
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

/* Copies to 'f' what can change in place. */
static void
fabric_assign(struct fabric *f, const struct fabric_config *config)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_probe_config old_probe = f->probe;

    f->probe = config->probe;
    f->keys = config->keys;
    f->health = config->health;
    if (!fabric_probe_config_equal(&f->probe, &old_probe)) {
        fabric_prober_reschedule(f);
    }
    f->paths_per_remote = config->paths_per_remote;
    atomic_store_relaxed(&f->verify_source, config->verify_source);
    atomic_store_relaxed(&f->fast_path, config->fast_path);
    atomic_store_relaxed(&f->host_strict, config->host_strict);
    f->lease = config->lease;
    atomic_store_relaxed(&f->csum_always, config->csum_always);
    atomic_store_relaxed(&f->policy, config->policy);
    atomic_store_relaxed(&f->tos, config->tos);
    atomic_store_relaxed(&f->ttl, config->ttl);
    atomic_store_relaxed(&f->tos_inherit, config->tos_inherit);
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
    struct fabric_uplinks *old;
    struct fabric_endpoint *ep;

    ovs_mutex_lock(&fabric_table_mutex);
    old = ovsrcu_get_protected(struct fabric_uplinks *, &f->uplinks);
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

/* Adds the endpoints of 'old', already unlinked, to the fabric that replaces
 * it. */
static void
copy_endpoints(struct fabric_endpoint_config *configs, size_t n,
               const char *name)
{
    for (size_t i = 0; i < n; i++) {
        char *error = fabric_registry_set_endpoint(name, &configs[i]);

        if (error) {
            VLOG_ERR("%s: %s", name, error);
            free(error);
        }
    }
}

/* Returns copies of the configurations of the endpoints of 'f'. */
static size_t
save_endpoints(const struct fabric *f,
               struct fabric_endpoint_config **configsp)
{
    struct fabric_endpoint **eps;
    size_t n = fabric_list_endpoints(f, &eps);
    struct fabric_endpoint_config *configs = xcalloc(MAX(n, 1),
                                                     sizeof *configs);

    for (size_t i = 0; i < n; i++) {
        const struct fabric_endpoint_addrs *addrs
            = ovsrcu_get(struct fabric_endpoint_addrs *, &eps[i]->addrs);
        uint8_t policy;

        atomic_read_relaxed(&eps[i]->policy, &policy);
        configs[i] = (struct fabric_endpoint_config) {
            .name = xstrdup(eps[i]->name),
            .id = eps[i]->id,
            .remote_ips = xmemdup(addrs->remote_ips,
                                  addrs->n * sizeof *addrs->remote_ips),
            .n_remote_ips = addrs->n,
            .policy = policy,
        };
    }
    free(eps);
    *configsp = configs;
    return n;
}

static void
free_endpoint_configs(struct fabric_endpoint_config *configs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(CONST_CAST(char *, configs[i].name));
        free(CONST_CAST(struct in6_addr *, configs[i].remote_ips));
    }
    free(configs);
}

/* Fills 'config' with the configuration in force of 'f', as far as opening it
 * again needs; 'local_ips' has room for FABRIC_MAX_LOCAL_IPS. */
static void
save_fabric(const struct fabric *f, struct in6_addr *local_ips,
            struct fabric_config *config)
{
    const struct fabric_uplinks *ups
        = ovsrcu_get(struct fabric_uplinks *, &f->uplinks);
    uint8_t policy;

    for (size_t i = 0; i < ups->n; i++) {
        local_ips[i] = ups->uplinks[i]->config.local_ip;
    }
    *config = (struct fabric_config) {
        .name = xstrdup(f->name), .encap = f->encap,
        .local_ips = local_ips, .n_local_ips = ups->n,
        .dst_port = f->uplink_config.dst_port,
        .paths_per_remote = f->paths_per_remote, .probe = f->probe,
        .csum = f->uplink_config.csum,
        .src_port_base = f->uplink_config.src_port_base,
        .uplink = f->class->name,
    };
    atomic_read_relaxed(&f->policy, &policy);
    config->policy = policy;
    atomic_read_relaxed(&f->verify_source, &config->verify_source);
    atomic_read_relaxed(&f->fast_path, &config->fast_path);
    atomic_read_relaxed(&f->host_strict, &config->host_strict);
    config->lease = f->lease;
    atomic_read_relaxed(&f->csum_always, &config->csum_always);
    atomic_read_relaxed(&f->ttl, &config->ttl);
    atomic_read_relaxed(&f->tos, &config->tos);
    atomic_read_relaxed(&f->tos_inherit, &config->tos_inherit);
}

/* Closes 'f' and opens 'config' in its place. */
static char *
fabric_replace(struct fabric *f, const struct fabric_config *config)
{
    struct in6_addr local_ips[FABRIC_MAX_LOCAL_IPS];
    struct fabric_endpoint_config *endpoints;
    struct fabric_config old;
    size_t n_endpoints;
    odp_port_t odp_port;
    char *error;

    n_endpoints = save_endpoints(f, &endpoints);
    save_fabric(f, local_ips, &old);
    atomic_read_relaxed(&f->odp_port, &odp_port);
    fabric_destroy(f);

    error = fabric_open(config);
    if (error) {
        char *error2 = fabric_open(&old);

        if (error2) {
            VLOG_ERR("%s: cannot restore previous configuration: %s",
                     old.name, error2);
            free(error2);
        }
    }
    f = fabric_registry_lookup(config->name);
    if (f) {
        copy_endpoints(endpoints, n_endpoints, config->name);
        if (odp_port != ODPP_NONE) {
            fabric_set_odp_port(f, odp_port);
        }
    }
    free_endpoint_configs(endpoints, n_endpoints);
    free(CONST_CAST(char *, old.name));
    return error;
}

char *
fabric_registry_set_fabric(const struct fabric_config *config)
{
    struct fabric_uplinks *old, *new;
    struct fabric *f;
    char *error;

    fabric_path_init();

    error = check_fabric(config);
    if (error) {
        return error;
    }
    f = fabric_registry_lookup(config->name);
    if (!f) {
        return fabric_open(config);
    }
    if (!compatible(f, config)) {
        return fabric_replace(f, config);
    }

    old = ovsrcu_get_protected(struct fabric_uplinks *, &f->uplinks);
    error = open_uplinks(config, old, &new);
    if (!error) {
        install_uplinks(f, config, new);
        fabric_installed(f);
        fabric_registry_changed();
    }
    return error;
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
    return f->encap;
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

