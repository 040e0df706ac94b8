/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-arrival.h"

#include "coverage.h"
#include "fabric-private.h"
#include "hash.h"
#include "ovs-thread.h"
#include "packets.h"
#include "seq.h"
#include "timeval.h"
#include "util.h"

COVERAGE_DEFINE(fabric_arrival_without_path);
COVERAGE_DEFINE(fabric_arrival_refused);

/* How often arrivals are looked through for old ones, ms. */
#define CHECK_INTERVAL 5000

/* What tests from ever new ports, which anyone can send where probes are not
 * authenticated, may cost: arrivals of an endpoint, a second. */
#define MAX_RATE 16

static size_t n_without_path OVS_GUARDED_BY(fabric_table_mutex);

/* Has the fast path been told of the fabrics, or is there none?  Until then
 * that of an earlier process may forward. */
static atomic_bool kernel_known;

static uint32_t
hash_tuple(const struct fabric_uplink *up, const struct in6_addr *remote_ip,
           uint16_t port)
{
    return hash_bytes(remote_ip, sizeof *remote_ip,
                      hash_pointer(up, port));
}

struct fabric_arrival *
fabric_arrival_find(const struct fabric *f, const struct fabric_uplink *up,
                    const struct in6_addr *remote_ip, uint16_t port)
{
    struct fabric_arrival *a;

    CMAP_FOR_EACH_WITH_HASH (a, tuple_node, hash_tuple(up, remote_ip, port),
                             &f->by_tuple) {
        const struct fabric_table_path *p = &fabric_table_paths[a->index];

        if (a->uplink == up && p->src_port == htons(port)
            && ipv6_addr_equals(&p->remote_ip, remote_ip)) {
            return a;
        }
    }
    return NULL;
}

struct seq *
fabric_arrival_seq(void)
{
    static struct ovsthread_once once = OVSTHREAD_ONCE_INITIALIZER;
    static struct seq *seq;

    if (ovsthread_once_start(&once)) {
        seq = seq_create();
        ovsthread_once_done(&once);
    }
    return seq;
}

/* Does the kernel forward what arrives at 'f', so that it has to be told what
 * to count? */
static bool
kernel_forwards(const struct fabric *f_)
{
    struct fabric *f = CONST_CAST(struct fabric *, f_);
    const uint64_t *stats;
    bool known;

    atomic_read_relaxed(&kernel_known, &known);
    atomic_read_relaxed(&f->kern_stats, &stats);
    return (fabric_get_config(f)->fast_path
            && (known ? stats != NULL : f->class->threaded));
}

static struct fabric_arrival *
arrival_create(struct fabric_endpoint *ep, struct fabric_uplink *up,
               const struct in6_addr *remote_ip, uint16_t port)
    OVS_REQUIRES(fabric_table_mutex)
{
    uint32_t index = fabric_table_alloc_path(ep->index, &up->config.local_ip,
                                             remote_ip, port,
                                             up->config.dst_port);
    struct fabric_arrival *a;

    if (index == FABRIC_TABLE_NONE) {
        return NULL;
    }
    a = xzalloc(sizeof *a);
    a->endpoint = ep;
    a->uplink = up;
    a->index = index;
    a->last_test = time_msec();
    atomic_init(&a->counted, !kernel_forwards(ep->fabric));
    n_without_path++;
    ovs_list_push_back(&ep->arrivals, &a->node);
    ep->n_arrivals++;
    cmap_insert(&ep->fabric->by_tuple, &a->tuple_node,
                hash_tuple(up, remote_ip, port));
    return a;
}

static void
arrival_destroy(struct fabric_arrival *a)
    OVS_REQUIRES(fabric_table_mutex)
{
    const struct fabric_table_path *p = &fabric_table_paths[a->index];

    cmap_remove(&a->endpoint->fabric->by_tuple, &a->tuple_node,
                hash_tuple(a->uplink, &p->remote_ip, ntohs(p->src_port)));
    ovs_list_remove(&a->node);
    a->endpoint->n_arrivals--;
    n_without_path--;
    fabric_table_free_path(a->index);
    ovsrcu_postpone(free, a);
    seq_change(fabric_arrival_seq());
}

struct fabric_arrival *
fabric_arrival_take(struct fabric_endpoint *ep, struct fabric_uplink *up,
                    const struct in6_addr *remote_ip, uint16_t port,
                    struct fabric_path *path)
{
    struct fabric_arrival *a = fabric_arrival_find(ep->fabric, up, remote_ip,
                                                   port);

    if (!a || a->endpoint != ep) {
        a = arrival_create(ep, up, remote_ip, port);
    } else if (!a->path) {
        /* A former path may have left its traces. */
        fabric_table_reset_path(a->index);
    } else {
        return NULL;
    }
    if (a) {
        a->path = path;
        n_without_path--;
    }
    return a;
}

void
fabric_arrival_release(struct fabric_arrival *a)
{
    a->path = NULL;
    n_without_path++;
}

/* Makes room for one more at 'ep' if there is none, by giving up the one that
 * was not tested for the longest time. */
static bool
make_room(struct fabric_endpoint *ep)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_arrival *a, *oldest = NULL;

    if (n_without_path >= FABRIC_ARRIVAL_MAX_TOTAL) {
        return false;
    }
    if (ep->n_arrivals < ep->n_paths + FABRIC_ARRIVAL_MAX) {
        return true;
    }
    LIST_FOR_EACH (a, node, &ep->arrivals) {
        if (!a->path && (!oldest || a->last_test < oldest->last_test)) {
            oldest = a;
        }
    }
    if (!oldest || time_msec() - oldest->last_test < FABRIC_ARRIVAL_MIN_AGE) {
        return false;
    }
    arrival_destroy(oldest);
    return true;
}

void
fabric_arrival_tested(struct fabric_endpoint *ep, struct fabric_uplink *up,
                      const struct in6_addr *remote_ip, uint16_t port)
{
    struct fabric_arrival *a = fabric_arrival_find(ep->fabric, up, remote_ip,
                                                   port);

    if (!a) {
        fabric_arrival_run(ep);
        if (!token_bucket_withdraw(&ep->arrival_rate, 1000)
            || !make_room(ep)) {
            COVERAGE_INC(fabric_arrival_refused);
            return;
        }
        a = arrival_create(ep, up, remote_ip, port);
        seq_change(fabric_arrival_seq());
        COVERAGE_INC(fabric_arrival_without_path);
    }
    if (a) {
        a->last_test = time_msec();
    }
}

void
fabric_arrival_init(struct fabric_endpoint *ep)
{
    ovs_list_init(&ep->arrivals);
    token_bucket_init(&ep->arrival_rate, MAX_RATE, MAX_RATE * 1000);
}

void
fabric_arrival_check(struct fabric_endpoint *ep)
{
    long long int now = time_msec();
    struct fabric_arrival *a;

    LIST_FOR_EACH_SAFE (a, node, &ep->arrivals) {
        if (!a->path
            && (now - a->last_test >= FABRIC_ARRIVAL_MAX_AGE
                || !fabric_endpoint_has_addresses(
                       ep, a->uplink,
                       &fabric_table_paths[a->index].remote_ip))) {
            arrival_destroy(a);
        }
    }
    ep->next_arrival_check = now + CHECK_INTERVAL;
}

void
fabric_arrival_run(struct fabric_endpoint *ep)
{
    if (ep->n_arrivals > ep->n_paths
        && time_msec() >= ep->next_arrival_check) {
        fabric_arrival_check(ep);
    }
}

void
fabric_arrival_destroy_all(struct fabric_endpoint *ep)
{
    struct fabric_arrival *a;

    LIST_FOR_EACH_SAFE (a, node, &ep->arrivals) {
        arrival_destroy(a);
    }
}

bool
fabric_arrival_get_count(const struct fabric_arrival *a_, uint64_t *n_packets)
{
    struct fabric_arrival *a = CONST_CAST(struct fabric_arrival *, a_);
    bool counted;

    atomic_read_explicit(&a->counted, &counted, memory_order_acquire);
    atomic_read_relaxed(&fabric_table_paths[a->index].rx_packets, n_packets);
    return counted;
}

void
fabric_arrival_set_counted(struct fabric_arrival *a, bool counted)
{
    atomic_store_explicit(&a->counted, counted, memory_order_release);
}

void
fabric_arrival_kernel_known(void)
{
    const struct fabric *f;
    bool known;

    atomic_read_relaxed(&kernel_known, &known);
    if (known) {
        return;
    }
    ovs_mutex_lock(&fabric_table_mutex);
    atomic_store_relaxed(&kernel_known, true);
    CMAP_FOR_EACH (f, name_node, &fabrics_by_name) {
        const struct fabric_endpoint *ep;
        struct fabric_arrival *a;

        if (kernel_forwards(f)) {
            continue;
        }
        CMAP_FOR_EACH (ep, id_node, &f->by_id) {
            LIST_FOR_EACH (a, node, &ep->arrivals) {
                fabric_arrival_set_counted(a, true);
            }
        }
    }
    ovs_mutex_unlock(&fabric_table_mutex);
}
