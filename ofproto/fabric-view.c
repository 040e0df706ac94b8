/* SPDX-License-Identifier: Apache-2.0 */

/* A change of state costs a look at each endpoint, whose counter tells whether
 * it has changed, and at the paths of those that have.  A change of what there
 * is costs a look at everything.  Both happen at least MIN_INTERVAL apart and
 * so far apart that they take at most 1/LOAD of this thread's time. */

#include <config.h>
#include "fabric-view.h"

#include "hash.h"
#include "openvswitch/hmap.h"
#include "openvswitch/poll-loop.h"
#include "packets.h"
#include "seq.h"
#include "timeval.h"
#include "util.h"

#define MIN_INTERVAL 10         /* ms. */
#define SAMPLE_INTERVAL 1000    /* ms, for users who need statistics. */
#define LOAD 20

struct endpoint {
    struct hmap_node node;      /* In 'endpoints'. */
    struct fabric_view_endpoint up;
    unsigned int n_changes;     /* fabric_endpoint_n_changes(). */
    bool exists;                /* Seen by the latest look at everything? */

    size_t *paths;              /* Indexes of all, those that are gone, too. */
    size_t n_paths, allocated;
};

struct path {
    struct fabric_view_path up;
    struct endpoint *endpoint;
};

static struct hmap endpoints = HMAP_INITIALIZER(&endpoints);

/* By index; NULL where there is none. */
static struct path **paths;
static size_t n_paths, allocated_paths;
static size_t lowest_free;      /* No index below it is free. */
static size_t n_gone;

static unsigned int n_users, n_samplers;
static uint64_t view_seqno;

/* What was last looked at. */
static uint64_t registry_seqno;
static uint64_t generation;     /* 0: look at everything. */
static long long int next_run = LLONG_MIN;
static long long int next_sample;

/* Paths. */

static size_t
path_create(struct endpoint *ep)
{
    struct path *path = xzalloc(sizeof *path);
    size_t i = lowest_free;

    while (i < n_paths && paths[i]) {
        i++;
    }
    if (i == n_paths) {
        if (n_paths >= allocated_paths) {
            paths = x2nrealloc(paths, &allocated_paths, sizeof *paths);
        }
        n_paths++;
    }
    lowest_free = i + 1;

    paths[i] = path;
    path->endpoint = ep;
    path->up.endpoint = &ep->up;
    if (ep->n_paths >= ep->allocated) {
        ep->paths = x2nrealloc(ep->paths, &ep->allocated, sizeof *ep->paths);
    }
    ep->paths[ep->n_paths++] = i;
    return i;
}

static void
endpoint_free_if_gone(struct endpoint *ep)
{
    if (!ep->exists && !ep->n_paths) {
        hmap_remove(&endpoints, &ep->node);
        free(ep->up.fabric);
        free(ep->up.name);
        free(ep->paths);
        free(ep);
    }
}

/* Frees path 'i', which is gone, if nobody has to tell of it any more, but
 * leaves its endpoint. */
static void
path_free_if_told(size_t i)
{
    struct path *path = paths[i];
    struct endpoint *ep = path->endpoint;

    if (path->up.n_told) {
        return;
    }
    for (size_t j = 0; j < ep->n_paths; j++) {
        if (ep->paths[j] == i) {
            ep->paths[j] = ep->paths[--ep->n_paths];
            break;
        }
    }
    free(path);
    paths[i] = NULL;
    n_gone--;
    lowest_free = MIN(lowest_free, i);
}

static void
path_set_gone(size_t i, bool gone)
{
    if (paths[i]->up.gone != gone) {
        paths[i]->up.gone = gone;
        n_gone += gone ? 1 : -1;
    }
}

static bool
same_path(const struct fabric_path_info *a, const struct fabric_path_info *b)
{
    return (a->src_port == b->src_port
            && ipv6_addr_equals(&a->local_ip, &b->local_ip)
            && ipv6_addr_equals(&a->remote_ip, &b->remote_ip));
}

/* Returns the index of the path of 'ep' that 'info' is about, making it if
 * necessary.  'hint' is where it may be in 'ep->paths'. */
static size_t
find_path(struct endpoint *ep, const struct fabric_path_info *info,
          size_t hint)
{
    for (size_t k = 0; k < ep->n_paths; k++) {
        size_t i = ep->paths[(hint + k) % ep->n_paths];

        if (same_path(&paths[i]->up.info, info)) {
            return i;
        }
    }
    return path_create(ep);
}

/* Endpoints. */

/* Makes the paths of 'ep' the 'n' in 'infos'. */
static void
set_paths(struct endpoint *ep, const struct fabric_path_info infos[], size_t n)
{
    for (size_t j = 0; j < ep->n_paths; j++) {
        path_set_gone(ep->paths[j], true);
    }
    for (size_t j = 0; j < n; j++) {
        size_t i = find_path(ep, &infos[j], j);

        path_set_gone(i, false);
        paths[i]->up.info = infos[j];
    }
    view_seqno++;
    for (size_t j = ep->n_paths; j-- > 0; ) {
        paths[ep->paths[j]]->up.seqno = view_seqno;
        if (paths[ep->paths[j]]->up.gone) {
            path_free_if_told(ep->paths[j]);
        }
    }
}

static struct endpoint *
find_endpoint(const struct fabric *f, const struct fabric_endpoint *from)
{
    uint32_t hash = hash_string(fabric_name(f), fabric_endpoint_id(from));
    struct endpoint *ep;

    HMAP_FOR_EACH_WITH_HASH (ep, node, hash, &endpoints) {
        if (ep->up.id == fabric_endpoint_id(from)
            && !strcmp(ep->up.fabric, fabric_name(f))
            && !strcmp(ep->up.name, fabric_endpoint_name(from))) {
            return ep;
        }
    }

    ep = xzalloc(sizeof *ep);
    ep->up.fabric = xstrdup(fabric_name(f));
    ep->up.name = xstrdup(fabric_endpoint_name(from));
    ep->up.id = fabric_endpoint_id(from);
    hmap_insert(&endpoints, &ep->node, hash);
    return ep;
}

static void
update_endpoint(const struct fabric *f, const struct fabric_endpoint *from,
                bool everything)
{
    struct endpoint *ep = find_endpoint(f, from);
    unsigned int n_changes = fabric_endpoint_n_changes(from);

    if (everything || !ep->exists || n_changes != ep->n_changes) {
        struct fabric_path_info *infos;
        size_t n = fabric_endpoint_get_paths(from, &infos);

        set_paths(ep, infos, n);
        free(infos);
    }
    ep->n_changes = n_changes;
    ep->exists = true;
}

static void
update(bool everything)
{
    struct fabric **fabrics;
    struct endpoint *ep;
    size_t n;

    if (everything) {
        HMAP_FOR_EACH (ep, node, &endpoints) {
            ep->exists = false;
        }
    }
    n = fabric_registry_list(&fabrics);
    for (size_t i = 0; i < n; i++) {
        struct fabric_endpoint **eps;
        size_t n_eps = fabric_list_endpoints(fabrics[i], &eps);

        for (size_t j = 0; j < n_eps; j++) {
            update_endpoint(fabrics[i], eps[j], everything);
        }
        free(eps);
    }
    free(fabrics);
    if (everything) {
        HMAP_FOR_EACH_SAFE (ep, node, &endpoints) {
            if (!ep->exists) {
                set_paths(ep, NULL, 0);
                endpoint_free_if_gone(ep);
            }
        }
    }
}

/* Users. */

void
fabric_view_ref(bool sampler)
{
    n_users++;
    n_samplers += sampler;
}

void
fabric_view_unref(bool sampler)
{
    n_samplers -= sampler;
    if (!--n_users) {
        struct endpoint *ep;

        HMAP_FOR_EACH_SAFE (ep, node, &endpoints) {
            ep->exists = false;
            set_paths(ep, NULL, 0);
            endpoint_free_if_gone(ep);
        }
        free(paths);
        paths = NULL;
        n_paths = allocated_paths = lowest_free = 0;
        generation = 0;
    }
}

void
fabric_view_invalidate(void)
{
    generation = 0;
    next_run = LLONG_MIN;
}

static bool
is_outdated(void)
{
    return (!generation
            || seq_read(fabric_registry_seq()) != registry_seqno
            || (n_samplers && time_msec() >= next_sample));
}

void
fabric_view_run(void)
{
    long long int start, cost;
    bool everything;

    if (!n_users || !is_outdated() || time_msec() < next_run) {
        return;
    }

    start = time_usec();
    registry_seqno = seq_read(fabric_registry_seq());
    everything = generation != fabric_registry_generation();
    generation = fabric_registry_generation();
    if (n_samplers && time_msec() >= next_sample) {
        everything = true;
    }
    update(everything);

    cost = (time_usec() - start) / 1000 * LOAD;
    next_run = time_msec() + MAX(MIN_INTERVAL, cost);
    if (everything) {
        next_sample = time_msec() + MAX(SAMPLE_INTERVAL, cost);
    }
}

void
fabric_view_wait(void)
{
    if (!n_users) {
        return;
    }
    if (is_outdated()) {
        poll_timer_wait_until(next_run);
    } else {
        seq_wait(fabric_registry_seq(), registry_seqno);
        if (n_samplers) {
            poll_timer_wait_until(next_sample);
        }
    }
}

uint64_t
fabric_view_seqno(void)
{
    return view_seqno;
}

size_t
fabric_view_n(void)
{
    return n_paths;
}

struct fabric_view_path *
fabric_view_path(size_t index)
{
    return paths[index] ? &paths[index]->up : NULL;
}

size_t
fabric_view_n_gone(void)
{
    return n_gone;
}

void
fabric_view_told(size_t index, bool told)
{
    struct path *path = paths[index];

    path->up.n_told += told ? 1 : -1;
    if (path->up.gone && !path->up.n_told) {
        struct endpoint *ep = path->endpoint;

        path_free_if_told(index);
        endpoint_free_if_gone(ep);
    }
}
