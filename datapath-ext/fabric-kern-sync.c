/* SPDX-License-Identifier: Apache-2.0 */

/* The sets of addresses are small compared with what a change of them costs
 * elsewhere, so each change computes them anew and tells the kernel what
 * differs.  Arrivals without a path, which peers' tests make, wait until a
 * second has passed since the last did, and cost less.
 *
 * The kernel's programs send without an outer UDP checksum, which for IPv6 a
 * receiver has to agree to (RFC 6936 section 5).  A peer that answers probes
 * is one of us and does; to others over IPv6 userspace sends, unless the
 * fabric is configured without checksums.  If it is configured with them,
 * userspace sends everything. */

#include <config.h>

#include "fabric-kern-sync.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include "fabric-arrival.h"
#include "fabric-channel.h"
#include "fabric-hooks.h"
#include "fabric-host-policy.h"
#include "fabric-identity.h"
#include "fabric-kern-drops.h"
#include "fabric-kern-flows.h"
#include "fabric-kern-guard.h"
#include "fabric-kern-mirror.h"
#include "fabric-kern-names.h"
#include "fabric-kern-route.h"
#include "fabric-kern-underlay.h"
#include "fabric-kern.h"
#include "fabric-loop.h"
#include "fabric-private.h"
#include "netdev-workload.h"
#include "odp-util.h"
#include "openvswitch/hmap.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "ovs-thread.h"
#include "packets.h"
#include "seq.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(fabric_kern_sync);

static struct fabric_kern_mirror locals = {
    .entries = HMAP_INITIALIZER(&locals.entries),
    .key_size = sizeof(struct fabric_kern_local_key),
    .value_size = sizeof(struct fabric_kern_local),
    .map = FABRIC_KERN_LOCALS,
};
static struct fabric_kern_mirror remotes = {
    .entries = HMAP_INITIALIZER(&remotes.entries),
    .key_size = sizeof(struct fabric_kern_remote_key),
    .value_size = sizeof(struct fabric_kern_remote),
    .map = FABRIC_KERN_REMOTES,
};

/* Fabrics by their number: datapath port, ODPP_NONE if the number is free, and
 * the port's identity. */
static struct number {
    odp_port_t port;
    uint32_t id;
} numbers[FABRIC_KERN_MAX_FABRICS];
static struct ovs_mutex numbers_mutex = OVS_MUTEX_INITIALIZER;

static atomic_bool active_;     /* The main thread writes. */
static char *inactive_reason;
static bool taken_over;
static uint64_t generation;     /* Of the registry, when told to the kernel. */
static bool dirty;              /* Tell the kernel again? */
static uint64_t registry_seqno;

/* Is there no channel, and when is that to be tried again? */
static bool channel_lost;
static long long int next_channel;
#define CHANNEL_INTERVAL 5000   /* ms. */

/* Likewise of fabric_arrival_seq(), and when it may be told next. */
static uint64_t arrival_seqno;
static long long int next_arrivals = LLONG_MIN;
#define ARRIVALS_INTERVAL 1000  /* ms. */

/* Fabrics. */

/* Returns the number of the fabric that is datapath port 'port', or
 * UINT32_MAX. */
static uint32_t
fabric_number__(odp_port_t port)
    OVS_REQUIRES(numbers_mutex)
{
    for (uint32_t i = 0; i < FABRIC_KERN_MAX_FABRICS; i++) {
        if (numbers[i].port == port) {
            return i;
        }
    }
    return UINT32_MAX;
}

/* Likewise, and stores the identity of the port in '*id'. */
static uint32_t
fabric_number(odp_port_t port, uint32_t *id)
{
    uint32_t number = UINT32_MAX;

    *id = 0;
    if (port != ODPP_NONE) {
        ovs_mutex_lock(&numbers_mutex);
        number = fabric_number__(port);
        if (number != UINT32_MAX) {
            *id = numbers[number].id;
        }
        ovs_mutex_unlock(&numbers_mutex);
    }
    return number;
}

static uint32_t
identity_of(const struct fabric_endpoint *ep)
{
    return ovsrcu_get(struct fabric_endpoint_addrs *, &ep->addrs)->identity;
}

/* Returns true if 'f' is configured to be forwarded in the kernel. */
static bool
asks_for_fast_path(const struct fabric *f)
{
    bool fast_path;

    atomic_read_relaxed(&f->fast_path, &fast_path);
    return fast_path && f->class->threaded;
}

/* Returns true if also its host has nothing against it. */
static bool
wants_fast_path(const struct fabric *f)
{
    bool stands_aside;

    atomic_read_relaxed(&f->stands_aside, &stands_aside);
    return asks_for_fast_path(f) && !stands_aside;
}

/* Returns the number of 'f', which gets one if it has none, and stores the
 * identity of its port in '*id'.  Returns UINT32_MAX if it can have none. */
static uint32_t
number_fabric(const struct fabric *f, uint32_t *id)
{
    odp_port_t port = fabric_odp_port(f);
    uint32_t number = fabric_number(port, id);

    if (number == UINT32_MAX && port != ODPP_NONE) {
        ovs_mutex_lock(&numbers_mutex);
        number = fabric_number__(ODPP_NONE);
        if (number != UINT32_MAX) {
            memset(&fabric_kern_fabric_stats()[number], 0,
                   sizeof(struct fabric_kern_fabric_stats));
            *id = fabric_identity_new();
            numbers[number] = (struct number) { port, *id };
        }
        ovs_mutex_unlock(&numbers_mutex);
    }
    return number;
}

static void
free_numbers(void)
{
    ovs_mutex_lock(&numbers_mutex);
    for (uint32_t i = 0; i < FABRIC_KERN_MAX_FABRICS; i++) {
        odp_port_t port = numbers[i].port;

        /* One that only turned it off still counts there. */
        if (port != ODPP_NONE && !fabric_registry_lookup_odp(port)) {
            numbers[i].port = ODPP_NONE;
        }
    }
    ovs_mutex_unlock(&numbers_mutex);
}

/* Resolver.  Any thread. */

static void
resolve_port(struct fabric_kern_name *name)
{
    name->fabric = UINT32_MAX;
    if (!netdev_workload_get_id(name->port, false, &name->id)) {
        name->fabric = fabric_number(name->port, &name->id);
    }
}

static void
resolve_output(struct fabric_kern_name *name)
{
    if (!netdev_workload_get_id(name->port, true, &name->id)) {
        name->id = 0;
    }
}

/* Returns the fabric that is 'port' if it is forwarded in the kernel. */
static const struct fabric *
resolve_fabric(odp_port_t port)
{
    const struct fabric *f = fabric_registry_lookup_odp(port);

    return f && wants_fast_path(f) ? f : NULL;
}

static void
resolve_sender(struct fabric_kern_name *name)
{
    const struct fabric *f = resolve_fabric(name->port);
    const struct fabric_endpoint *ep
        = f ? fabric_endpoint_by_ip(f, &name->src) : NULL;

    name->id = 0;
    if (ep && ep->index < FABRIC_KERN_MAX_ENDPOINTS) {
        const struct fabric_endpoint_addrs *addrs
            = ovsrcu_get(struct fabric_endpoint_addrs *, &ep->addrs);

        if (ipv6_addr_equals(&addrs->primary, &name->src)
            && (!ipv6_addr_is_set(&name->dst)
                || ipv6_addr_equals(&addrs->local, &name->dst))) {
            name->id = addrs->identity;
        }
    }
}

static void
resolve_receiver(struct fabric_kern_name *name)
{
    const struct fabric *f = resolve_fabric(name->port);
    const struct fabric_endpoint *ep
        = f ? fabric_endpoint_by_id(f, name->endpoint) : NULL;
    uint32_t port_id;

    name->id = 0;
    name->fabric = fabric_number(name->port, &port_id);
    if (ep && name->fabric != UINT32_MAX
        && ep->index < FABRIC_KERN_MAX_ENDPOINTS) {
        name->index = ep->index;
        name->id = identity_of(ep);
    }
}

void
fabric_kern_resolve_name(struct fabric_kern_name *name)
{
    switch (name->type) {
    case FABRIC_KERN_NAME_PORT:
        resolve_port(name);
        break;
    case FABRIC_KERN_NAME_OUTPUT:
        resolve_output(name);
        break;
    case FABRIC_KERN_NAME_SENDER:
        resolve_sender(name);
        break;
    case FABRIC_KERN_NAME_RECEIVER:
        resolve_receiver(name);
        break;
    }
}

/* Interfaces. */

/* Returns true if 'f' has local IP 'ip'. */
static bool
is_local_ip(const struct fabric *f, const struct in6_addr *ip)
{
    const struct fabric_uplinks *ups
        = ovsrcu_get(struct fabric_uplinks *, &f->uplinks);

    for (size_t i = 0; i < ups->n; i++) {
        if (ipv6_addr_equals(&ups->uplinks[i]->config.local_ip, ip)) {
            return true;
        }
    }
    return false;
}

/* Wants the interfaces that have the local IPs of 'f', but for loopback. */
static void
want_local_interfaces(const struct fabric *f, const struct ifaddrs *ifas)
{
    for (const struct ifaddrs *ifa = ifas; ifa; ifa = ifa->ifa_next) {
        struct in6_addr ip;

        if (!ifa->ifa_addr || ifa->ifa_flags & IFF_LOOPBACK) {
            continue;
        } else if (ifa->ifa_addr->sa_family == AF_INET) {
            in6_addr_set_mapped_ipv4(
                &ip, ALIGNED_CAST(const struct sockaddr_in *,
                                  ifa->ifa_addr)->sin_addr.s_addr);
        } else if (ifa->ifa_addr->sa_family == AF_INET6) {
            ip = ALIGNED_CAST(const struct sockaddr_in6 *,
                              ifa->ifa_addr)->sin6_addr;
        } else {
            continue;
        }
        if (is_local_ip(f, &ip)) {
            fabric_kern_underlay_want(if_nametoindex(ifa->ifa_name));
        }
    }
}

/* Synchronization. */

static void
sync_locals(const struct fabric *f, uint32_t number, uint32_t port_id)
{
    const struct fabric_uplinks *ups
        = ovsrcu_get(struct fabric_uplinks *, &f->uplinks);

    for (size_t i = 0; i < ups->n; i++) {
        const struct fabric_uplink_config *c = &ups->uplinks[i]->config;
        struct fabric_kern_local_key key = { .udp_port = htons(c->dst_port) };
        struct fabric_kern_local local = {
            .fabric = number,
            .port = port_id,
            .probe_vni = c->probe_vni,
            .bfd_vni = c->bfd_vni,
            .geneve = f->encap == FABRIC_ENCAP_GENEVE,
        };

        memcpy(key.ip, &c->local_ip, sizeof key.ip);
        fabric_kern_mirror_set(&locals, &key, &local);
    }
}

/* Has the kernel count what belongs to 'a'. */
static void
sync_arrival(struct fabric_arrival *a, uint32_t number)
{
    const struct fabric_table_path *p = &fabric_table_paths[a->index];
    struct fabric_kern_remote_key key = {
        .fabric = number,
        .src_port = (OVS_FORCE uint16_t) p->src_port,
    };
    struct fabric_kern_remote remote = {
        .sender = identity_of(a->endpoint),
        .endpoint = a->endpoint->index,
        .path = a->index,
    };

    if (remote.endpoint >= FABRIC_KERN_MAX_ENDPOINTS
        || !fabric_host_policy_may_receive(number, &p->local_ip, p->dst_port,
                                           &p->remote_ip, p->src_port)) {
        /* Userspace receives and counts it. */
        fabric_arrival_set_counted(a, true);
    } else if (remote.path < FABRIC_KERN_MAX_PATHS) {
        memcpy(key.ip, &p->remote_ip, sizeof key.ip);
        memcpy(key.local_ip, &p->local_ip, sizeof key.local_ip);
        fabric_arrival_set_counted(a, fabric_kern_mirror_set(&remotes, &key,
                                                             &remote));
    } else {
        fabric_arrival_set_counted(a, false);
    }
}

/* An arrival and its path, or NULL. */
struct tuple {
    struct fabric_arrival *arrival;
    const struct fabric_path *path;
    bool needs_csum;
};

/* Lists what 'ep' has.  It stays as long as this thread does not quiesce, so
 * that the mutex, for which probes wait, need not be held while routes are
 * looked up. */
static size_t
list_tuples(const struct fabric_endpoint *ep, struct tuple **tuplesp)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct tuple *tuples = xmalloc(MAX(ep->n_arrivals, 1) * sizeof *tuples);
    struct fabric_arrival *a;
    size_t n = 0;

    LIST_FOR_EACH (a, node, &ep->arrivals) {
        tuples[n++] = (struct tuple) {
            a, a->path, a->path && a->path->bare.needs_csum
        };
    }
    *tuplesp = tuples;
    return n;
}

/* Returns true if the kernel may receive what 'ip' sends to any address of
 * 'f', from any port. */
static bool
may_receive_all(const struct fabric *f, uint32_t number,
                const struct in6_addr *ip)
{
    const struct fabric_uplinks *ups
        = ovsrcu_get(struct fabric_uplinks *, &f->uplinks);

    for (size_t i = 0; i < ups->n; i++) {
        const struct fabric_uplink_config *c = &ups->uplinks[i]->config;

        if (!fabric_host_policy_may_receive(number, &c->local_ip,
                                            htons(c->dst_port), ip, 0)) {
            return false;
        }
    }
    return true;
}

/* After the arrivals: what the kernel finds here only, it does not count for
 * any. */
static void
sync_ips(const struct fabric *f, const struct fabric_endpoint *ep,
         uint32_t number)
{
    if (ep->index >= FABRIC_KERN_MAX_ENDPOINTS) {
        return;
    }
    ovs_mutex_lock(&fabric_table_mutex);
    for (size_t i = 0; i < ep->n_ips; i++) {
        struct fabric_kern_remote_key key = { .fabric = number };
        struct fabric_kern_remote remote = {
            .sender = identity_of(ep),
            .endpoint = ep->index,
            .path = FABRIC_KERN_NO_PATH,
        };

        if (may_receive_all(f, number, &ep->ips[i]->ip)) {
            memcpy(key.ip, &ep->ips[i]->ip, sizeof key.ip);
            fabric_kern_mirror_set(&remotes, &key, &remote);
        }
    }
    ovs_mutex_unlock(&fabric_table_mutex);
}

/* Frees 'tuples', the 'n' of 'ep'. */
static void
sync_tuples(const struct fabric *f, const struct fabric_endpoint *ep,
            uint32_t number, struct tuple *tuples, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        sync_arrival(tuples[i].arrival, number);
    }
    free(tuples);
    sync_ips(f, ep, number);
}

static void
sync_endpoint(const struct fabric *f, uint32_t number,
              const struct fabric_endpoint *ep)
{
    bool csum_always, answers;
    struct tuple *tuples;
    size_t n;

    atomic_read_relaxed(&f->csum_always, &csum_always);
    ovs_mutex_lock(&fabric_table_mutex);
    answers = ep->answers;
    n = list_tuples(ep, &tuples);
    ovs_mutex_unlock(&fabric_table_mutex);

    for (size_t i = 0; i < n; i++) {
        struct fabric_arrival *a = tuples[i].arrival;
        bool zero_csum_ok
            = ((IN6_IS_ADDR_V4MAPPED(&fabric_table_paths[a->index].local_ip)
                || answers || !f->uplink_config.csum)
               && !tuples[i].needs_csum);

        if (tuples[i].path) {
            const struct fabric_table_path *p
                = &fabric_table_paths[tuples[i].path->index];

            fabric_kern_route_set(
                tuples[i].path->index,
                !csum_always && zero_csum_ok
                && fabric_host_policy_may_send(number, &p->local_ip,
                                               p->src_port, &p->remote_ip,
                                               p->dst_port));
        }
    }
    sync_tuples(f, ep, number, tuples, n);
}

/* Tells the kernel of arrivals that have begun or ended, and nothing else. */
static void
sync_arrivals(void)
{
    struct fabric *f;

    fabric_kern_mirror_begin(&remotes);
    CMAP_FOR_EACH (f, name_node, &fabrics_by_name) {
        uint32_t port_id;
        uint32_t number = (wants_fast_path(f)
                           ? fabric_number(fabric_odp_port(f), &port_id)
                           : UINT32_MAX);
        struct fabric_endpoint *ep;

        if (number == UINT32_MAX) {
            continue;
        }
        fabric_host_policy_begin(FABRIC_HOST_POLICY_IN, number);
        CMAP_FOR_EACH (ep, id_node, &f->by_id) {
            struct tuple *tuples;
            size_t n;

            ovs_mutex_lock(&fabric_table_mutex);
            n = list_tuples(ep, &tuples);
            ovs_mutex_unlock(&fabric_table_mutex);
            sync_tuples(f, ep, number, tuples, n);
        }
    }
    fabric_kern_mirror_end(&remotes);
    fabric_table_reclaim();
}

/* A fabric that the kernel does not know: its routes are not kept up to date,
 * and nothing but userspace counts. */
static void
forget_fabric(const struct fabric *f)
{
    const struct fabric_endpoint *ep;

    ovs_mutex_lock(&fabric_table_mutex);
    CMAP_FOR_EACH (ep, id_node, &f->by_id) {
        struct fabric_arrival *a;

        LIST_FOR_EACH (a, node, &ep->arrivals) {
            atomic_store_relaxed(&fabric_table_paths[a->index].out_ifindex,
                                 0);
            fabric_arrival_set_counted(a, true);
        }
    }
    ovs_mutex_unlock(&fabric_table_mutex);
}

static void
sync(bool routes_changed)
{
    struct ifaddrs *ifas = NULL;
    struct fabric *f;

    if (getifaddrs(&ifas)) {
        ifas = NULL;
    }
    free_numbers();
    fabric_kern_mirror_begin(&locals);
    fabric_kern_mirror_begin(&remotes);
    fabric_kern_underlay_begin();
    fabric_kern_route_begin(routes_changed);
    CMAP_FOR_EACH (f, name_node, &fabrics_by_name) {
        atomic_store_relaxed(&f->stands_aside, fabric_host_policy_refuses(f));
        uint32_t port_id;
        uint32_t number = (wants_fast_path(f) ? number_fabric(f, &port_id)
                           : UINT32_MAX);
        const struct fabric_kern_fabric_stats *stats;
        struct fabric_endpoint *ep;

        if (number == UINT32_MAX) {
            forget_fabric(f);
            continue;
        }
        stats = &fabric_kern_fabric_stats()[number];
        atomic_store_relaxed(&f->kern_stats, (const uint64_t *) stats);
        fabric_host_policy_begin(FABRIC_HOST_POLICY_IN, number);
        fabric_host_policy_begin(FABRIC_HOST_POLICY_OUT, number);
        sync_locals(f, number, port_id);
        want_local_interfaces(f, ifas);
        CMAP_FOR_EACH (ep, id_node, &f->by_id) {
            sync_endpoint(f, number, ep);
        }
    }
    fabric_kern_mirror_end(&locals);
    fabric_kern_mirror_end(&remotes);
    fabric_kern_route_end();
    fabric_kern_underlay_end();
    fabric_kern_flows_check();
    fabric_table_reclaim();
    if (ifas) {
        freeifaddrs(ifas);
    }
}

void
fabric_kern_fabric_port_removed(void)
{
    if (fabric_kern_is_active() && taken_over) {
        sync(false);
    }
}

/* Being active. */

static char *
try_activate(void)
{
    bool wanted = false;
    const char *error;
    struct fabric *f;
    int retval;

    CMAP_FOR_EACH (f, name_node, &fabrics_by_name) {
        wanted |= asks_for_fast_path(f);
    }
    if (!wanted) {
        return xstrdup("no fabric asks for it");
    }
    error = fabric_kern_load();
    if (error) {
        return xstrdup(error);
    }
    retval = fabric_channel_open();
    channel_lost = retval != 0;
    if (retval) {
        return xasprintf("no tap interface (%s)", ovs_strerror(retval));
    }
    fabric_kern_conf()->channel = fabric_channel_ifindex();
    fabric_loop_open();
    fabric_kern_conf()->cut_out = fabric_loop_out();
    fabric_kern_conf()->cut_in = fabric_loop_in();
    return NULL;
}

static void
update_active(void)
{
    char *reason = try_activate();
    bool was_active = fabric_kern_is_active();
    bool active = !reason;

    if (!nullable_string_is_equal(reason, inactive_reason)) {
        VLOG_INFO("fast path in the kernel: %s%s", reason ? "no: " : "yes",
                  reason ? reason : "");
    }
    free(inactive_reason);
    inactive_reason = reason;
    atomic_store_relaxed(&active_, active);
    if (active != was_active) {
        netdev_workload_switch();
        if (!active) {
            fabric_kern_flows_leave();
        }
        dirty = true;
    }
}

static void
init(void)
{
    static struct ovsthread_once once = OVSTHREAD_ONCE_INITIALIZER;

    if (ovsthread_once_start(&once)) {
        for (size_t i = 0; i < FABRIC_KERN_MAX_FABRICS; i++) {
            numbers[i].port = ODPP_NONE;
        }
        inactive_reason = xstrdup("no fabric asks for it");
        ovsthread_once_done(&once);
    }
}

static void
run_active(uint64_t new_generation)
{
    bool routes_changed = fabric_kern_route_run();
    bool policies_changed = fabric_host_policy_changed();
    uint64_t seqno = seq_read(fabric_arrival_seq());

    if (new_generation != generation || dirty || routes_changed
        || policies_changed) {
        generation = new_generation;
        arrival_seqno = seqno;
        dirty = false;
        sync(routes_changed);
    } else if (seqno != arrival_seqno && time_msec() >= next_arrivals) {
        arrival_seqno = seqno;
        next_arrivals = time_msec() + ARRIVALS_INTERVAL;
        sync_arrivals();
    }
    fabric_kern_flows_run();
    if (fabric_kern_is_active()) {
        channel_lost |= !fabric_kern_guard_run();
        fabric_loop_take_over();
        netdev_workload_take_over();
    }
}

bool
fabric_kern_run(bool take_over)
{
    uint64_t new_generation = fabric_registry_generation();
    bool was_active = fabric_kern_is_active();

    init();
    registry_seqno = seq_read(fabric_registry_seq());
    if (new_generation != generation
        || (channel_lost && time_msec() >= next_channel)) {
        next_channel = time_msec() + CHANNEL_INTERVAL;
        update_active();
    }
    if (take_over && fabric_kern_is_ours()) {
        run_active(new_generation);
    }
    if (fabric_kern_is_loaded()) {
        fabric_kern_drops_run();
    }
    if (take_over && !taken_over) {
        taken_over = true;
        fabric_kern_underlay_remove_leftovers();
        if (!fabric_loop_in()) {
            fabric_loop_destroy();
        }
        fabric_arrival_kernel_known();
    }
    return fabric_kern_is_active() && !was_active;
}

void
fabric_kern_wait(void)
{
    if (channel_lost) {
        poll_timer_wait_until(next_channel);
    }
    if (fabric_kern_is_active()) {
        fabric_kern_route_wait();
        fabric_host_policy_wait();
        fabric_kern_guard_wait();
        seq_wait(fabric_registry_seq(), registry_seqno);
        if (seq_read(fabric_arrival_seq()) != arrival_seqno) {
            poll_timer_wait_until(next_arrivals);
        } else {
            seq_wait(fabric_arrival_seq(), arrival_seqno);
        }
    }
}

void
fabric_kern_exit(bool cleanup)
{
    if (!fabric_kern_is_ours()) {
        return;
    }
    if (!cleanup) {
        fabric_kern_abandon();
        return;
    }
    fabric_kern_underlay_exit();
    fabric_loop_destroy();
}

bool
fabric_kern_is_active(void)
{
    bool active;

    atomic_read_relaxed(&active_, &active);
    return active;
}

const char *
fabric_kern_inactive_reason(void)
{
    return inactive_reason;
}

char *
fabric_kern_restrictions(const struct fabric *f)
{
    uint32_t port_id;
    uint32_t number = fabric_number(fabric_odp_port(f), &port_id);

    return (fabric_kern_is_active() && asks_for_fast_path(f)
            ? fabric_host_policy_to_string(f, number) : NULL);
}

bool
fabric_kern_stands_aside(const struct fabric *f)
{
    return asks_for_fast_path(f) && !wants_fast_path(f);
}
