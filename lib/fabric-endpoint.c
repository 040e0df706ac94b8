/* SPDX-License-Identifier: Apache-2.0 */

/* Endpoints and their paths, the lower half of fabric-registry.h.
 *
 * A path is the same path as long as its uplink, remote IP and port index
 * stay, so that everything that hangs on it (liveness, statistics, slots in
 * the path table, hence flows) stays when something else changes.
 *
 * When source ports between two addresses are exchanged, the old paths retire
 * only when the new ones are usable.  Until then those are tested but have no
 * slots, so each flow of an old path moves once, and others do not.  New paths
 * that do not become usable in time join nevertheless, for there is a reason
 * why their ports were chosen; so they do when no old one is usable. */

#include <config.h>

#include "fabric-registry.h"


#include "bitmap.h"
#include "fabric-arrival.h"
#include "fabric-discover.h"
#include "fabric-identity.h"
#include "fabric-origin.h"
#include "fabric-private.h"
#include "fabric-prober.h"
#include "hash.h"
#include "netdev.h"
#include "openvswitch/vlog.h"
#include "ovs-thread.h"
#include "packets.h"
#include "random.h"
#include "seq.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(fabric_endpoint);

static uint32_t
hash_ip(const struct in6_addr *ip)
{
    return hash_bytes(ip, sizeof *ip, 0);
}

/* Endpoints or their addresses changed: flows may translate differently. */
void
fabric_endpoints_changed(void)
{
    fabric_registry_changed();
    if (tnl_conf_seq) {
        seq_change(tnl_conf_seq);
    }
}

/* Finds the path of 'ep' with these properties, or NULL. */
static struct fabric_path *
path_find(const struct fabric_endpoint *ep, const struct fabric_uplink *up,
          const struct in6_addr *remote_ip, unsigned int port_idx)
    OVS_REQUIRES(fabric_table_mutex)
{
    for (size_t i = 0; i < ep->n_paths; i++) {
        struct fabric_path *path = ep->paths[i];

        if (path->port_idx == port_idx
            && fabric_path_is_between(path, up, remote_ip)) {
            return path;
        }
    }
    return NULL;
}

/* Takes the lowest nonzero session identifier (RFC 8972 section 3) that is not
 * in 'ssids' yet. */
static uint16_t
take_ssid(unsigned long ssids[])
{
    uint16_t ssid = bitmap_scan(ssids, false, 1, FABRIC_MAX_SSID + 1);

    bitmap_set1(ssids, ssid);
    return ssid;
}

static bool
same_family(const struct in6_addr *a, const struct in6_addr *b)
{
    return IN6_IS_ADDR_V4MAPPED(a) == IN6_IS_ADDR_V4MAPPED(b);
}

/* Is 'path' new, and does it have to show yet that it works? */
static bool
is_waiting(const struct fabric_path *path, long long int now)
    OVS_REQUIRES(fabric_table_mutex)
{
    return (!path->joined && now < path->join_by
            && !fabric_table_is_usable(path->index));
}

/* How long a new path of 'ep' may take to become usable, ms: a peer answers
 * the first test if any. */
static long long int
join_time(const struct fabric_endpoint *ep)
    OVS_REQUIRES(fabric_table_mutex)
{
    const struct fabric_probe_config *config = &ep->fabric->probe;

    return 1000 + (long long int) config->multiplier
                  * MAX(config->interval, ep->idle ? config->idle_interval
                                                   : 0);
}

/* The paths that an endpoint will have. */
struct path_set {
    struct fabric_path **paths;
    size_t n;
    size_t room;                /* How many may be there besides, to retire. */
    unsigned long *ssids;       /* Session identifiers in use. */
};

/* Adds a path to 'set' for each of 'ports' of ('up', 'remote_ip'), reusing
 * those that 'ep' has. */
static void
collect_paths(struct fabric_endpoint *ep, struct fabric_uplink *up,
              bool local_up, const struct in6_addr *remote_ip,
              uint64_t ports, struct path_set *set)
    OVS_REQUIRES(fabric_table_mutex)
{
    for (; ports; ports = zero_rightmost_1bit(ports)) {
        unsigned int p = raw_ctz(ports);
        struct fabric_path *path = path_find(ep, up, remote_ip, p);

        if (!path) {
            path = fabric_path_create(ep, up, local_up, remote_ip, p,
                                      take_ssid(set->ssids));
            if (path) {
                path->join_by = time_msec() + join_time(ep);
            }
        }
        if (path) {
            path->retiring = false;
            set->paths[set->n++] = path;
        } else {
            VLOG_ERR("%s: path table full, endpoint %s lacks paths",
                     ep->fabric->name, ep->name);
        }
    }
}

/* Adds the paths of ('up', 'remote_ip') that retire to 'set', whose paths from
 * 'first' on are those of 'ports', which stay or come, or has these join. */
static void
exchange_paths(struct fabric_endpoint *ep, const struct fabric_uplink *up,
               const struct in6_addr *remote_ip, uint64_t ports,
               size_t first, struct path_set *set)
    OVS_REQUIRES(fabric_table_mutex)
{
    size_t n = set->n;
    bool waiting = false, usable = false;

    for (size_t i = first; i < n; i++) {
        waiting |= is_waiting(set->paths[i], time_msec());
    }
    for (size_t i = 0; waiting && i < ep->n_paths; i++) {
        struct fabric_path *path = ep->paths[i];

        if (path->joined && !(ports >> path->port_idx & 1)
            && fabric_path_is_between(path, up, remote_ip)) {
            set->paths[set->n++] = path;
            usable |= fabric_table_is_usable(path->index);
        }
    }
    if (!usable || set->n - n > set->room) {
        set->n = n;
        for (size_t i = first; i < n; i++) {
            set->paths[i]->joined = true;
        }
    }
    for (size_t i = n; i < set->n; i++) {
        set->paths[i]->retiring = true;
        set->room--;
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

    if (old && ipv6_addr_equals(&old->primary, &new->primary)
        && ipv6_addr_equals(&old->local, &new->local)) {
        new->identity = old->identity;
    } else {
        new->identity = fabric_identity_new();
    }
    if (old && !memcmp(old, new, sizeof *new)) {
        free(new);
        return;
    }
    ovsrcu_set(&ep->addrs, new);
    fabric_table_set_id(ep->index, new->identity);
    if (old) {
        ovsrcu_postpone(free, old);
    }
    fabric_endpoints_changed();
}

/* Spreads the flows of 'ep' over those of 'paths' that have joined. */
static void
publish_paths(const struct fabric_endpoint *ep,
              struct fabric_path *const paths[], size_t n)
    OVS_REQUIRES(fabric_table_mutex)
{
    uint32_t *indexes = xmalloc(MAX(n, 1) * sizeof *indexes);
    size_t n_joined = 0;

    for (size_t i = 0; i < n; i++) {
        if (paths[i]->joined) {
            indexes[n_joined++] = paths[i]->index;
        }
    }
    fabric_table_set_paths(ep->index, indexes, n_joined);
    free(indexes);
}

bool
fabric_endpoint_has_addresses(const struct fabric_endpoint *ep,
                              const struct fabric_uplink *up,
                              const struct in6_addr *remote_ip)
{
    const struct fabric_endpoint_addrs *addrs
        = ovsrcu_get_protected(struct fabric_endpoint_addrs *, &ep->addrs);
    const struct fabric_uplinks *ups
        = ovsrcu_get_protected(struct fabric_uplinks *, &ep->fabric->uplinks);
    bool has_up = false, has_remote = false;

    for (size_t i = 0; i < ups->n; i++) {
        has_up |= ups->uplinks[i] == up;
    }
    for (size_t i = 0; i < addrs->n; i++) {
        has_remote |= ipv6_addr_equals(&addrs->remote_ips[i], remote_ip);
    }
    return has_up && has_remote;
}

/* Makes the paths of 'ep' those of its addresses and the fabric's uplinks. */
void
fabric_endpoint_rebuild(struct fabric_endpoint *ep)
{
    const struct fabric_endpoint_addrs *addrs
        = ovsrcu_get_protected(struct fabric_endpoint_addrs *, &ep->addrs);
    const struct fabric_uplinks *ups
        = ovsrcu_get_protected(struct fabric_uplinks *, &ep->fabric->uplinks);
    size_t n = ups->n * addrs->n * ep->fabric->paths_per_remote;
    struct path_set set = {
        .paths = xmalloc((n + ep->n_paths + 1) * sizeof *set.paths),
        .room = FABRIC_MAX_PATHS_PER_ENDPOINT
                - MIN(n, FABRIC_MAX_PATHS_PER_ENDPOINT),
        .ssids = bitmap_allocate(FABRIC_MAX_SSID + 1),
    };

    for (size_t i = 0; i < ep->n_paths; i++) {
        bitmap_set1(set.ssids, ep->paths[i]->ssid);
    }
    for (size_t u = 0; u < ups->n; u++) {
        for (size_t r = 0; r < addrs->n; r++) {
            struct fabric_uplink *up = ups->uplinks[u];
            const struct in6_addr *remote_ip = &addrs->remote_ips[r];

            if (same_family(&up->config.local_ip, remote_ip)) {
                uint64_t ports = fabric_discover_ports(ep, up, remote_ip);
                size_t first = set.n;

                collect_paths(ep, up, ups->local_up[u], remote_ip, ports,
                              &set);
                exchange_paths(ep, up, remote_ip, ports, first, &set);
            }
        }
    }
    bitmap_free(set.ssids);
    publish_paths(ep, set.paths, set.n);

    for (size_t i = 0; i < ep->n_paths; i++) {
        bool kept = false;

        for (size_t j = 0; j < set.n && !kept; j++) {
            kept = set.paths[j] == ep->paths[i];
        }
        if (!kept) {
            fabric_path_destroy(ep->paths[i]);
        }
    }
    free(ep->paths);
    ep->paths = set.paths;
    ep->n_paths = set.n;
    fabric_arrival_check(ep);
    fabric_bfd_peer_paths_changed(ep);
    fabric_registry_changed();
    fabric_endpoint_changed(ep);
}

void
fabric_endpoint_run(struct fabric_endpoint *ep)
{
    long long int now = time_msec();
    bool waiting = false, retiring = false, usable = false;

    for (size_t i = 0; i < ep->n_paths; i++) {
        const struct fabric_path *path = ep->paths[i];

        waiting |= is_waiting(path, now);
        retiring |= path->retiring;
        usable |= path->retiring && fabric_table_is_usable(path->index);
    }
    if (retiring && (!waiting || !usable)) {
        fabric_endpoint_rebuild(ep);
    }
}

/* Makes the paths of 'ep' those between the uplinks of its fabric and
 * 'remote_ips'. */
void
fabric_endpoint_update(struct fabric_endpoint *ep,
                       const struct in6_addr *remote_ips, size_t n)
{
    update_addrs(ep, remote_ips, n);
    fabric_discover_changed(ep);
    fabric_endpoint_rebuild(ep);
}

/* STAMP. */

bool
fabric_endpoint_is_silent(const struct fabric_endpoint *ep, unsigned int n)
{
    for (size_t i = 0; i < ep->n_paths; i++) {
        if (ep->paths[i]->live.n_unanswered < n) {
            return false;
        }
    }
    return ep->n_paths > 0;
}

bool
fabric_endpoint_tests(const struct fabric_endpoint *ep, long long int ms)
{
    return fabric_hearing_is_recent(&ep->hearing, ms, time_msec());
}

/* Endpoints. */

static void
endpoint_free(struct fabric_endpoint *ep)
{
    free(ovsrcu_get_protected(struct fabric_endpoint_addrs *, &ep->addrs));
    fabric_hearing_destroy(&ep->hearing);
    free(ep->name);
    free(ep);
}

static bool
has_ip(const struct in6_addr ips[], size_t n, const struct in6_addr *ip)
{
    for (size_t i = 0; i < n; i++) {
        if (ipv6_addr_equals(&ips[i], ip)) {
            return true;
        }
    }
    return false;
}

/* Makes 'ips' the addresses by which 'ep' is found.  Those that stay can be
 * found all the while. */
static void
map_ips(struct fabric_endpoint *ep, const struct in6_addr ips[], size_t n)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct cmap *by_ip = &ep->fabric->by_ip;
    size_t n_kept = 0;

    for (size_t i = 0; i < ep->n_ips; i++) {
        struct fabric_endpoint_ip *eip = ep->ips[i];

        if (has_ip(ips, n, &eip->ip)) {
            ep->ips[n_kept++] = eip;
        } else {
            cmap_remove(by_ip, &eip->node, hash_ip(&eip->ip));
            ovsrcu_postpone(free, eip);
        }
    }
    ep->n_ips = n_kept;

    for (size_t i = 0; i < n; i++) {
        if (fabric_endpoint_by_ip(ep->fabric, &ips[i]) != ep) {
            struct fabric_endpoint_ip *eip = xzalloc(sizeof *eip);

            eip->ip = ips[i];
            eip->endpoint = ep;
            cmap_insert(by_ip, &eip->node, hash_ip(&eip->ip));
            ep->ips[ep->n_ips++] = eip;
        }
    }
}

void
fabric_endpoint_destroy(struct fabric_endpoint *ep)
{
    fabric_prober_remove(ep);
    fabric_bfd_peer_destroy(ep);
    map_ips(ep, NULL, 0);
    cmap_remove(&ep->fabric->by_id, &ep->id_node, hash_int(ep->id, 0));
    cmap_remove(&ep->fabric->by_endpoint_name, &ep->name_node,
                hash_string(ep->name, 0));
    fabric_table_free_endpoint(ep->index);
    for (size_t i = 0; i < ep->n_paths; i++) {
        fabric_path_destroy(ep->paths[i]);
    }
    free(ep->paths);
    ep->paths = NULL;
    ep->n_paths = 0;
    fabric_arrival_destroy_all(ep);
    ovsrcu_postpone(endpoint_free, ep);
    fabric_endpoints_changed();
}

char *
fabric_check_n_paths(const char *endpoint, size_t n_local, size_t n_remote,
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
    return fabric_check_n_paths(config->name, ups->n, config->n_remote_ips,
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
    atomic_init(&ep->takes_bfd, false);
    ep->epoch = fabric_origin_new_epoch();

    /* What a peer remembers of us from before a restart must not fit. */
    ep->first_seq = random_uint32();
    ovsrcu_init(&ep->addrs, NULL);
    fabric_arrival_init(ep);
    return ep;
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
        fabric_endpoint_update(ep, config->remote_ips, config->n_remote_ips);
        map_ips(ep, config->remote_ips, config->n_remote_ips);
        return NULL;
    }

    ep = endpoint_create(f, config);
    if (!ep) {
        return xasprintf("endpoint %s: more than %d endpoints", config->name,
                         FABRIC_TABLE_MAX_ENDPOINTS);
    }
    fabric_endpoint_update(ep, config->remote_ips, config->n_remote_ips);
    cmap_insert(&f->by_id, &ep->id_node, hash_int(ep->id, 0));
    cmap_insert(&f->by_endpoint_name, &ep->name_node,
                hash_string(ep->name, 0));
    map_ips(ep, config->remote_ips, config->n_remote_ips);
    fabric_prober_add(ep);
    fabric_endpoints_changed();
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
        fabric_endpoint_destroy(ep);
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
    if (n && !drain) {
        /* Meanwhile it was left out. */
        fabric_discover_event(ep);
    }
    ovs_mutex_unlock(&fabric_table_mutex);
    return n;
}

/* Lookup. */

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
    struct fabric_endpoint_ip *eip;

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

    CMAP_FOR_EACH_WITH_HASH (ep, name_node, hash_string(name, 0),
                             &f->by_endpoint_name) {
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

size_t
fabric_endpoint_get_paths(const struct fabric_endpoint *ep,
                          struct fabric_path_info **infos)
{
    size_t n;

    ovs_mutex_lock(&fabric_table_mutex);
    n = ep->n_paths;
    *infos = xcalloc(MAX(n, 1), sizeof **infos);
    for (size_t i = 0; i < n; i++) {
        fabric_path_get_info(ep->paths[i], &(*infos)[i]);
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
    stats->tx_packets = ep->gone_packets;
    stats->tx_bytes = ep->gone_bytes;
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
