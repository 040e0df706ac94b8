/* SPDX-License-Identifier: Apache-2.0 */

/* Configuration is compared with what exists and only differences are applied:
 * a path is the same path as long as its uplink, remote IP and port index stay,
 * so everything that hangs on it (liveness, statistics, slots in the path
 * table, hence flows) stays too.
 *
 * What is part of every socket or path of a fabric (encapsulation, ports, the
 * driver, ...) cannot be changed in place: then the fabric is closed and opened
 * anew, and restored as it was if that fails. */

#include <config.h>

#include "fabric-registry.h"

#include <errno.h>
#include <sys/mman.h>

#include "fabric-drops.h"
#include "fabric-prober.h"
#include "fabric-private.h"
#include "netdev.h"
#include "netdev-fabric.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "odp-util.h"
#include "ovs-thread.h"
#include "packets.h"
#include "seq.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(fabric_registry);

struct cmap fabrics_by_name = CMAP_INITIALIZER;
static struct cmap fabrics_by_odp = CMAP_INITIALIZER;

struct fabric_path_aux *fabric_path_aux;
struct fabric_path **fabric_path_by_index;

/* Element of a fabric's 'by_ip'. */
struct endpoint_ip {
    struct cmap_node node;
    struct in6_addr ip;
    struct fabric_endpoint *endpoint;
};

static void rebuild_paths(struct fabric_endpoint *)
    OVS_REQUIRES(fabric_table_mutex);

static void *
map_array(size_t n, size_t size)
{
    void *p = mmap(NULL, n * size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED) {
        VLOG_FATAL("cannot reserve memory for paths: %s",
                   ovs_strerror(errno));
    }
    return p;
}

static void
registry_init(void)
{
    static struct ovsthread_once once = OVSTHREAD_ONCE_INITIALIZER;

    if (ovsthread_once_start(&once)) {
        fabric_table_init();
        fabric_path_aux = map_array(FABRIC_TABLE_MAX_PATHS,
                                    sizeof *fabric_path_aux);
        fabric_path_by_index = map_array(FABRIC_TABLE_MAX_PATHS,
                                         sizeof *fabric_path_by_index);
        ovsthread_once_done(&once);
    }
}

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

/* Endpoints or their addresses changed: flows may translate differently. */
static void
endpoints_changed(void)
{
    seq_change(fabric_registry_seq());
    if (tnl_conf_seq) {
        seq_change(tnl_conf_seq);
    }
}

static uint32_t
hash_ip(const struct in6_addr *ip)
{
    return hash_bytes(ip, sizeof *ip, 0);
}

/* Paths. */

void
fabric_path_refresh(struct fabric_path *path)
{
    enum fabric_path_state old = fabric_table_get_state(path->index);
    enum fabric_path_state new
        = (path->drained ? FABRIC_PATH_DRAINED
           : !path->local_up || path->unreachable ? FABRIC_PATH_DOWN
           : path->live.state);

    if (new != old) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(60, 60);
        const struct fabric_table_path *p = &fabric_table_paths[path->index];
        char local[INET6_ADDRSTRLEN], remote[INET6_ADDRSTRLEN];

        fabric_table_set_state(path->index, new);
        path->last_change = time_msec();
        VLOG_INFO_RL(&rl, "%s: endpoint %s: path %s -> %s port %"PRIu16" "
                     "is %s (was %s)%s", path->endpoint->fabric->name,
                     path->endpoint->name,
                     ipv6_string_mapped(local, &p->local_ip),
                     ipv6_string_mapped(remote, &p->remote_ip),
                     ntohs(p->src_port), fabric_path_state_to_string(new),
                     fabric_path_state_to_string(old),
                     new != FABRIC_PATH_DOWN ? ""
                     : !path->local_up ? ": uplink down"
                     : path->unreachable ? ": no route" : ": no answer");
        seq_change(fabric_registry_seq());
    }
}

void
fabric_path_set_unreachable(uint32_t index, bool unreachable)
{
    struct fabric_path *path;

    ovs_mutex_lock(&fabric_table_mutex);
    path = fabric_path_by_index[index];
    if (path && path->unreachable != unreachable) {
        path->unreachable = unreachable;
        fabric_path_refresh(path);
    }
    ovs_mutex_unlock(&fabric_table_mutex);
}

static struct fabric_path *
path_create(struct fabric_endpoint *ep, struct fabric_uplink *uplink,
            bool local_up, const struct in6_addr *remote_ip,
            unsigned int port_idx, uint16_t ssid)
    OVS_REQUIRES(fabric_table_mutex)
{
    uint32_t index = fabric_table_alloc_path(ep->index,
                                             &uplink->config.local_ip,
                                             remote_ip,
                                             uplink->src_ports[port_idx],
                                             uplink->config.dst_port);
    struct fabric_path *path;

    if (index == FABRIC_TABLE_NONE) {
        return NULL;
    }
    path = xzalloc(sizeof *path);
    path->endpoint = ep;
    path->index = index;
    path->uplink = uplink;
    path->port_idx = port_idx;
    path->ssid = ssid;
    path->local_up = local_up;
    path->last_change = time_msec();
    fabric_liveness_init(&path->live);
    fabric_path_aux[index] = (struct fabric_path_aux) { uplink, port_idx };
    fabric_path_by_index[index] = path;
    fabric_path_refresh(path);
    fabric_prober_add(path);
    return path;
}

static void
path_destroy(struct fabric_path *path)
    OVS_REQUIRES(fabric_table_mutex)
{
    fabric_prober_remove(path);
    fabric_path_by_index[path->index] = NULL;
    fabric_table_free_path(path->index);
    free(path);
}

/* Finds the path of 'ep' with these properties, or NULL. */
static struct fabric_path *
path_find(const struct fabric_endpoint *ep, const struct fabric_uplink *up,
          const struct in6_addr *remote_ip, unsigned int port_idx)
    OVS_REQUIRES(fabric_table_mutex)
{
    for (size_t i = 0; i < ep->n_paths; i++) {
        struct fabric_path *path = ep->paths[i];

        if (path->uplink == up && path->port_idx == port_idx
            && ipv6_addr_equals(&fabric_table_paths[path->index].remote_ip,
                                remote_ip)) {
            return path;
        }
    }
    return NULL;
}

/* Lowest nonzero session identifier (RFC 8972 section 3) that none of the 'n'
 * paths in 'a' and 'm' in 'b' has. */
static uint16_t
free_ssid(struct fabric_path *const a[], size_t n,
          struct fabric_path *const b[], size_t m)
{
    uint16_t ssid = 1;
    bool taken;

    do {
        taken = false;
        for (size_t i = 0; i < n + m; i++) {
            const struct fabric_path *path = i < n ? a[i] : b[i - n];

            if (path->ssid == ssid) {
                taken = true;
                ssid++;
                break;
            }
        }
    } while (taken);
    return ssid;
}

static bool
same_family(const struct in6_addr *a, const struct in6_addr *b)
{
    return IN6_IS_ADDR_V4MAPPED(a) == IN6_IS_ADDR_V4MAPPED(b);
}

/* Adds a path to 'paths' for each port of ('up', 'remote_ip'), reusing those
 * that 'ep' has. */
static void
collect_paths(struct fabric_endpoint *ep, struct fabric_uplink *up,
              bool local_up, const struct in6_addr *remote_ip,
              struct fabric_path **paths, size_t *n)
    OVS_REQUIRES(fabric_table_mutex)
{
    for (unsigned int p = 0; p < ep->fabric->paths_per_remote; p++) {
        struct fabric_path *path = path_find(ep, up, remote_ip, p);

        if (!path) {
            path = path_create(ep, up, local_up, remote_ip, p,
                               free_ssid(paths, *n, ep->paths, ep->n_paths));
        }
        if (path) {
            paths[(*n)++] = path;
        } else {
            VLOG_ERR("%s: path table full, endpoint %s lacks paths",
                     ep->fabric->name, ep->name);
        }
    }
}

/* Replaces the addresses that stand for 'ep' in flows, if they changed. */
static void
update_addrs(struct fabric_endpoint *ep, const struct in6_addr *remote_ips,
             size_t n_remote_ips)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_endpoint_addrs *old
        = ovsrcu_get_protected(struct fabric_endpoint_addrs *, &ep->addrs);
    const struct fabric_uplinks *ups
        = ovsrcu_get_protected(struct fabric_uplinks *, &ep->fabric->uplinks);
    struct fabric_endpoint_addrs *new = xzalloc(sizeof *new);
    bool found = false;

    new->n = n_remote_ips;
    memcpy(new->remote_ips, remote_ips, n_remote_ips * sizeof *remote_ips);
    new->primary = remote_ips[0];
    for (size_t r = 0; r < n_remote_ips && !found; r++) {
        for (size_t u = 0; u < ups->n && !found; u++) {
            const struct in6_addr *local = &ups->uplinks[u]->config.local_ip;

            if (same_family(local, &remote_ips[r])) {
                new->primary = remote_ips[r];
                new->local = *local;
                found = true;
            }
        }
    }

    if (old && !memcmp(old, new, sizeof *new)) {
        free(new);
        return;
    }
    ovsrcu_set(&ep->addrs, new);
    if (old) {
        ovsrcu_postpone(free, old);
    }
    endpoints_changed();
}

/* Makes the paths of 'ep' those of its addresses and the fabric's uplinks. */
static void
rebuild_paths(struct fabric_endpoint *ep)
{
    const struct fabric_endpoint_addrs *addrs
        = ovsrcu_get_protected(struct fabric_endpoint_addrs *, &ep->addrs);
    const struct fabric_uplinks *ups
        = ovsrcu_get_protected(struct fabric_uplinks *, &ep->fabric->uplinks);
    size_t max = ups->n * addrs->n * ep->fabric->paths_per_remote;
    struct fabric_path **paths = xmalloc(MAX(max, 1) * sizeof *paths);
    uint32_t *indexes = xmalloc(MAX(max, 1) * sizeof *indexes);
    size_t n = 0;

    for (size_t u = 0; u < ups->n; u++) {
        for (size_t r = 0; r < addrs->n; r++) {
            if (same_family(&ups->uplinks[u]->config.local_ip,
                            &addrs->remote_ips[r])) {
                collect_paths(ep, ups->uplinks[u], ups->local_up[u],
                              &addrs->remote_ips[r], paths, &n);
            }
        }
    }

    for (size_t i = 0; i < n; i++) {
        indexes[i] = paths[i]->index;
    }
    fabric_table_set_paths(ep->index, indexes, n);
    free(indexes);

    for (size_t i = 0; i < ep->n_paths; i++) {
        bool kept = false;

        for (size_t j = 0; j < n && !kept; j++) {
            kept = paths[j] == ep->paths[i];
        }
        if (!kept) {
            path_destroy(ep->paths[i]);
        }
    }
    free(ep->paths);
    ep->paths = paths;
    ep->n_paths = n;
    seq_change(fabric_registry_seq());
}

/* Endpoints. */

static void
endpoint_free(struct fabric_endpoint *ep)
{
    free(ovsrcu_get_protected(struct fabric_endpoint_addrs *, &ep->addrs));
    free(ep->name);
    free(ep);
}

static void
unmap_ips(struct fabric_endpoint *ep)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct endpoint_ip *eip;

    CMAP_FOR_EACH (eip, node, &ep->fabric->by_ip) {
        if (eip->endpoint == ep) {
            cmap_remove(&ep->fabric->by_ip, &eip->node, hash_ip(&eip->ip));
            ovsrcu_postpone(free, eip);
        }
    }
}

static void
endpoint_destroy(struct fabric_endpoint *ep)
    OVS_REQUIRES(fabric_table_mutex)
{
    unmap_ips(ep);
    cmap_remove(&ep->fabric->by_id, &ep->id_node, hash_int(ep->id, 0));
    fabric_table_free_endpoint(ep->index);
    for (size_t i = 0; i < ep->n_paths; i++) {
        path_destroy(ep->paths[i]);
    }
    free(ep->paths);
    ep->paths = NULL;
    ep->n_paths = 0;
    ovsrcu_postpone(endpoint_free, ep);
    endpoints_changed();
}

static char *
too_many_paths(const char *endpoint, size_t n_local, size_t n_remote,
               size_t per_remote)
{
    if (n_local * n_remote * per_remote <= FABRIC_MAX_PATHS_PER_ENDPOINT) {
        return NULL;
    }
    return xasprintf("endpoint %s: %"PRIuSIZE" local IPs x %"PRIuSIZE
                     " remote IPs x %"PRIuSIZE" paths are %"PRIuSIZE" paths, "
                     "more than %d", endpoint, n_local, n_remote, per_remote,
                     n_local * n_remote * per_remote,
                     FABRIC_MAX_PATHS_PER_ENDPOINT);
}

static char *
check_endpoint(const struct fabric *f,
               const struct fabric_endpoint_config *config)
    OVS_REQUIRES(fabric_table_mutex)
{
    const struct fabric_uplinks *ups
        = ovsrcu_get_protected(struct fabric_uplinks *, &f->uplinks);
    char buf[INET6_ADDRSTRLEN];

    if (!config->n_remote_ips) {
        return xasprintf("endpoint %s has no remote_ips", config->name);
    }
    if (config->n_remote_ips > FABRIC_MAX_REMOTE_IPS) {
        return xasprintf("endpoint %s has %"PRIuSIZE" remote IPs, more than "
                         "%d", config->name, config->n_remote_ips,
                         FABRIC_MAX_REMOTE_IPS);
    }
    for (size_t i = 0; i < config->n_remote_ips; i++) {
        const struct in6_addr *ip = &config->remote_ips[i];
        const struct fabric_endpoint *other = fabric_endpoint_by_ip(f, ip);

        ipv6_string_mapped(buf, ip);
        if (other && other->id != config->id) {
            return xasprintf("remote IP %s of endpoint %s belongs to "
                             "endpoint %s", buf, config->name, other->name);
        }
        for (size_t j = 0; j < ups->n; j++) {
            if (ipv6_addr_equals(ip, &ups->uplinks[j]->config.local_ip)) {
                return xasprintf("remote IP %s of endpoint %s is a local IP "
                                 "of fabric %s", buf, config->name, f->name);
            }
        }
    }

    struct fabric_endpoint *ep = fabric_endpoint_by_name(f, config->name);
    if (ep && ep->id != config->id) {
        return xasprintf("endpoint name %s is used by endpoint %"PRIu32,
                         config->name, ep->id);
    }
    return too_many_paths(config->name, ups->n, config->n_remote_ips,
                          f->paths_per_remote);
}

static struct fabric_endpoint *
endpoint_create(struct fabric *f, const struct fabric_endpoint_config *config)
    OVS_REQUIRES(fabric_table_mutex)
{
    uint32_t index = fabric_table_alloc_endpoint();
    struct fabric_endpoint *ep;

    if (index == FABRIC_TABLE_NONE) {
        return NULL;
    }
    ep = xzalloc(sizeof *ep);
    ep->fabric = f;
    ep->id = config->id;
    ep->name = xstrdup(config->name);
    ep->index = index;
    atomic_init(&ep->policy, config->policy);
    ovsrcu_init(&ep->addrs, NULL);
    return ep;
}

static void
map_ips(struct fabric_endpoint *ep,
        const struct fabric_endpoint_config *config)
    OVS_REQUIRES(fabric_table_mutex)
{
    unmap_ips(ep);
    for (size_t i = 0; i < config->n_remote_ips; i++) {
        struct endpoint_ip *eip = xzalloc(sizeof *eip);

        eip->ip = config->remote_ips[i];
        eip->endpoint = ep;
        cmap_insert(&ep->fabric->by_ip, &eip->node, hash_ip(&eip->ip));
    }
}

static bool
same_ips(const struct fabric_endpoint *ep,
         const struct fabric_endpoint_config *config)
    OVS_REQUIRES(fabric_table_mutex)
{
    const struct fabric_endpoint_addrs *addrs
        = ovsrcu_get_protected(struct fabric_endpoint_addrs *, &ep->addrs);

    return (addrs->n == config->n_remote_ips
            && !memcmp(addrs->remote_ips, config->remote_ips,
                       addrs->n * sizeof *addrs->remote_ips));
}

static char *
set_endpoint__(struct fabric *f, const struct fabric_endpoint_config *config)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_endpoint *ep = fabric_endpoint_by_id(f, config->id);
    char *error;

    if (ep && strcmp(ep->name, config->name)) {
        return xasprintf("endpoint ID %"PRIu32" of endpoint %s is used by "
                         "endpoint %s", config->id, config->name, ep->name);
    }
    error = check_endpoint(f, config);
    if (error) {
        return error;
    }

    if (ep) {
        atomic_store_relaxed(&ep->policy, config->policy);
        if (same_ips(ep, config)) {
            return NULL;
        }
        update_addrs(ep, config->remote_ips, config->n_remote_ips);
        rebuild_paths(ep);
        map_ips(ep, config);
        return NULL;
    }

    ep = endpoint_create(f, config);
    if (!ep) {
        return xasprintf("endpoint %s: more than %d endpoints", config->name,
                         FABRIC_TABLE_MAX_ENDPOINTS);
    }
    update_addrs(ep, config->remote_ips, config->n_remote_ips);
    rebuild_paths(ep);
    cmap_insert(&f->by_id, &ep->id_node, hash_int(ep->id, 0));
    map_ips(ep, config);
    endpoints_changed();
    return NULL;
}

char *
fabric_registry_set_endpoint(const char *name,
                             const struct fabric_endpoint_config *config)
{
    struct fabric *f = fabric_registry_lookup(name);
    char *error;

    if (!f) {
        return xasprintf("endpoint %s: no fabric named %s is in force",
                         config->name, name);
    }
    ovs_mutex_lock(&fabric_table_mutex);
    error = set_endpoint__(f, config);
    ovs_mutex_unlock(&fabric_table_mutex);
    return error;
}

void
fabric_registry_del_endpoint(const char *name, uint32_t id)
{
    struct fabric *f = fabric_registry_lookup(name);
    struct fabric_endpoint *ep = f ? fabric_endpoint_by_id(f, id) : NULL;

    if (ep) {
        ovs_mutex_lock(&fabric_table_mutex);
        endpoint_destroy(ep);
        ovs_mutex_unlock(&fabric_table_mutex);
    }
}

size_t
fabric_endpoint_drain(struct fabric_endpoint *ep, const struct in6_addr *local,
                      const struct in6_addr *remote, uint16_t src_port,
                      bool drain)
{
    size_t n = 0;

    ovs_mutex_lock(&fabric_table_mutex);
    for (size_t i = 0; i < ep->n_paths; i++) {
        struct fabric_path *path = ep->paths[i];
        const struct fabric_table_path *p = &fabric_table_paths[path->index];

        if ((!local || ipv6_addr_equals(local, &p->local_ip))
            && (!remote || ipv6_addr_equals(remote, &p->remote_ip))
            && (!src_port || htons(src_port) == p->src_port)) {
            path->drained = drain;
            fabric_path_refresh(path);
            n++;
        }
    }
    ovs_mutex_unlock(&fabric_table_mutex);
    return n;
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
            && a->probe_vni == b.probe_vni && a->ttl == b.ttl
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
            char *error = too_many_paths(ep->name, config->n_local_ips,
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
            error = fabric_uplink_set_n_ports(up, config->paths_per_remote);
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
    ovsrcu_init(&f->uplinks, NULL);
    cmap_init(&f->by_id);
    cmap_init(&f->by_ip);
    return f;
}

static void
fabric_free(struct fabric *f)
{
    free(ovsrcu_get_protected(struct fabric_uplinks *, &f->uplinks));
    cmap_destroy(&f->by_id);
    cmap_destroy(&f->by_ip);
    free(f->name);
    free(f);
}

/* Copies to 'f' what can change in place. */
static void
fabric_assign(struct fabric *f, const struct fabric_config *config)
    OVS_REQUIRES(fabric_table_mutex)
{
    f->probe = config->probe;
    f->paths_per_remote = config->paths_per_remote;
    atomic_store_relaxed(&f->verify_source, config->verify_source);
    atomic_store_relaxed(&f->policy, config->policy);
    atomic_store_relaxed(&f->tos, config->tos);
    atomic_store_relaxed(&f->ttl, config->ttl);
    atomic_store_relaxed(&f->tos_inherit, config->tos_inherit);
    atomic_store_relaxed(&f->probe_vni, config->probe.vni);
}

static void
fabric_destroy(struct fabric *f)
{
    const struct fabric_uplinks *ups;
    struct fabric_endpoint *ep;
    odp_port_t odp_port;

    ovs_mutex_lock(&fabric_table_mutex);
    CMAP_FOR_EACH (ep, id_node, &f->by_id) {
        endpoint_destroy(ep);
    }
    cmap_remove(&fabrics_by_name, &f->name_node, hash_string(f->name, 0));
    atomic_read_relaxed(&f->odp_port, &odp_port);
    if (odp_port != ODPP_NONE) {
        cmap_remove(&fabrics_by_odp, &f->odp_node, hash_odp_port(odp_port));
    }
    ups = ovsrcu_get_protected(struct fabric_uplinks *, &f->uplinks);
    close_others(ups, NULL);
    ovs_mutex_unlock(&fabric_table_mutex);

    ovsrcu_postpone(fabric_free, f);
    endpoints_changed();
    fabric_prober_changed();
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

        update_addrs(ep, addrs->remote_ips, addrs->n);
        rebuild_paths(ep);
    }
    ovs_mutex_unlock(&fabric_table_mutex);

    if (old) {
        close_others(old, ups);
        ovsrcu_postpone(free, old);
    }
    fabric_prober_changed();
    netdev_fabric_changed(config->name);
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
    cmap_insert(&fabrics_by_name, &f->name_node, hash_string(f->name, 0));
    endpoints_changed();
    fabric_prober_changed();
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
    ovsrcu_barrier();           /* Until the sockets are closed. */

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

    registry_init();

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
    if (old != odp_port) {
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

struct fabric_endpoint *
fabric_endpoint_by_id(const struct fabric *f, uint32_t id)
{
    struct fabric_endpoint *ep;

    CMAP_FOR_EACH_WITH_HASH (ep, id_node, hash_int(id, 0), &f->by_id) {
        if (ep->id == id) {
            return ep;
        }
    }
    return NULL;
}

struct fabric_endpoint *
fabric_endpoint_by_ip(const struct fabric *f, const struct in6_addr *ip)
{
    struct endpoint_ip *eip;

    CMAP_FOR_EACH_WITH_HASH (eip, node, hash_ip(ip), &f->by_ip) {
        if (ipv6_addr_equals(&eip->ip, ip)) {
            return eip->endpoint;
        }
    }
    return NULL;
}

struct fabric_endpoint *
fabric_endpoint_by_name(const struct fabric *f, const char *name)
{
    struct fabric_endpoint *ep;

    CMAP_FOR_EACH (ep, id_node, &f->by_id) {
        if (!strcmp(ep->name, name)) {
            return ep;
        }
    }
    return NULL;
}

static int
compare_endpoints(const void *a_, const void *b_)
{
    const struct fabric_endpoint *const *a = a_;
    const struct fabric_endpoint *const *b = b_;

    return (*a)->id < (*b)->id ? -1 : (*a)->id > (*b)->id;
}

size_t
fabric_list_endpoints(const struct fabric *f, struct fabric_endpoint ***epsp)
{
    size_t n = 0, allocated = 0;
    struct fabric_endpoint **eps = NULL;
    struct fabric_endpoint *ep;

    CMAP_FOR_EACH (ep, id_node, &f->by_id) {
        if (n >= allocated) {
            eps = x2nrealloc(eps, &allocated, sizeof *eps);
        }
        eps[n++] = ep;
    }
    if (n) {
        qsort(eps, n, sizeof *eps, compare_endpoints);
    }
    *epsp = eps;
    return n;
}

uint32_t
fabric_endpoint_id(const struct fabric_endpoint *ep)
{
    return ep->id;
}

const char *
fabric_endpoint_name(const struct fabric_endpoint *ep)
{
    return ep->name;
}

enum fabric_policy
fabric_endpoint_policy(const struct fabric_endpoint *ep_)
{
    struct fabric_endpoint *ep = CONST_CAST(struct fabric_endpoint *, ep_);
    uint8_t policy;

    atomic_read_relaxed(&ep->policy, &policy);
    if (policy == FABRIC_POLICY_DEFAULT) {
        atomic_read_relaxed(&ep->fabric->policy, &policy);
    }
    return policy;
}

const struct in6_addr *
fabric_endpoint_primary_ip(const struct fabric_endpoint *ep)
{
    return &ovsrcu_get(struct fabric_endpoint_addrs *, &ep->addrs)->primary;
}

static void
get_path_info(const struct fabric_path *path, struct fabric_path_info *info)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_table_path *p = &fabric_table_paths[path->index];
    const struct fabric_liveness *l = &path->live;

    *info = (struct fabric_path_info) {
        .local_ip = p->local_ip,
        .remote_ip = p->remote_ip,
        .src_port = ntohs(p->src_port),
        .state = fabric_table_get_state(path->index),
        .n_slots = fabric_table_count_slots(path->index),
        .total_slots = FABRIC_TABLE_SLOTS,
        .probe_tx = l->probe_tx,
        .probe_rx = l->probe_rx,
        .probe_lost = fabric_liveness_lost(l),
        .n_down = l->n_down,
        .rtt_us = l->rtt_us,
        .rtt_min_us = l->rtt_min_us,
        .rtt_smoothed_us = l->rtt_smoothed_us,
        .last_change = path->last_change,
    };
    atomic_read_relaxed(&p->tx_packets, &info->tx_packets);
    atomic_read_relaxed(&p->tx_bytes, &info->tx_bytes);
}

size_t
fabric_endpoint_get_paths(const struct fabric_endpoint *ep,
                          struct fabric_path_info **infos)
{
    size_t n;

    ovs_mutex_lock(&fabric_table_mutex);
    n = ep->n_paths;
    *infos = xcalloc(MAX(n, 1), sizeof **infos);
    for (size_t i = 0; i < n; i++) {
        get_path_info(ep->paths[i], &(*infos)[i]);
    }
    ovs_mutex_unlock(&fabric_table_mutex);
    return n;
}

void
fabric_endpoint_get_stats(const struct fabric_endpoint *ep,
                          struct fabric_endpoint_stats *stats)
{
    struct fabric_table_endpoint *e = &fabric_table_endpoints[ep->index];

    memset(stats, 0, sizeof *stats);
    atomic_read_relaxed(&e->rx_packets, &stats->rx_packets);
    atomic_read_relaxed(&e->rx_bytes, &stats->rx_bytes);
    atomic_read_relaxed(&e->tx_no_live_path, &stats->tx_no_live_path);

    ovs_mutex_lock(&fabric_table_mutex);
    for (size_t i = 0; i < ep->n_paths; i++) {
        struct fabric_table_path *p
            = &fabric_table_paths[ep->paths[i]->index];
        uint64_t packets, bytes;

        atomic_read_relaxed(&p->tx_packets, &packets);
        atomic_read_relaxed(&p->tx_bytes, &bytes);
        stats->tx_packets += packets;
        stats->tx_bytes += bytes;
    }
    ovs_mutex_unlock(&fabric_table_mutex);
}
