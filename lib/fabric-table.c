/* SPDX-License-Identifier: Apache-2.0 */

/* Fallback of slots whose home is down follows highest random weight hashing
 * (Thaler and Ravishankar, "Using name-based mappings to increase hit rates",
 * IEEE/ACM Transactions on Networking 6(1), 1998): each (slot, path) pair has
 * a fixed rank and the usable path with the highest rank wins.  The same ranks
 * tell which of its homes a path of less than full weight keeps: those for
 * which it ranks highest.
 *
 * The entries live in one anonymous mapping each, reserved at full size but
 * backed by memory only where touched, so that indexes never move. */

#include <config.h>

#include "fabric-table.h"

#include <errno.h>
#include <sys/mman.h>

#include "fabric-grace.h"
#include "hash.h"
#include "id-fpool.h"
#include "openvswitch/list.h"
#include "openvswitch/vlog.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "packets.h"

VLOG_DEFINE_THIS_MODULE(fabric_table);

struct ovs_mutex fabric_table_mutex = OVS_MUTEX_INITIALIZER;
struct fabric_table_path *fabric_table_paths;
struct fabric_table_endpoint *fabric_table_endpoints;

/* What only writers need of an endpoint. */
struct endpoint_homes {
    size_t n_paths;
    uint32_t *paths;
    uint32_t homes[FABRIC_TABLE_SLOTS];
};

static struct endpoint_homes **homes OVS_GUARDED_BY(fabric_table_mutex);
static struct id_fpool *endpoint_ids OVS_GUARDED_BY(fabric_table_mutex);
static struct id_fpool *path_ids OVS_GUARDED_BY(fabric_table_mutex);

static void *
map_table(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED) {
        VLOG_FATAL("cannot reserve %"PRIuSIZE" bytes for the path table: %s",
                   size, ovs_strerror(errno));
    }
    return p;
}

/* Has the prober, which runs with real-time priority, lend it to whoever makes
 * it wait: otherwise a main thread that is kept from running while it holds
 * the mutex would make paths look dead. */
static void
init_mutex(void)
{
    pthread_mutexattr_t attr;

    xpthread_mutexattr_init(&attr);
    if (!pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT)) {
        int error = pthread_mutex_init(&fabric_table_mutex.lock, &attr);

        if (error) {
            VLOG_WARN("no priority inheritance (%s)", ovs_strerror(error));
        }
    }
    xpthread_mutexattr_destroy(&attr);
}

void
fabric_table_init(void)
{
    static struct ovsthread_once once = OVSTHREAD_ONCE_INITIALIZER;

    if (ovsthread_once_start(&once)) {
        init_mutex();
        fabric_table_paths = map_table(FABRIC_TABLE_MAX_PATHS
                                       * sizeof *fabric_table_paths);
        fabric_table_endpoints = map_table(FABRIC_TABLE_MAX_ENDPOINTS
                                           * sizeof *fabric_table_endpoints);
        ovs_mutex_lock(&fabric_table_mutex);
        homes = xcalloc(FABRIC_TABLE_MAX_ENDPOINTS, sizeof *homes);
        endpoint_ids = id_fpool_create(1, 0, FABRIC_TABLE_MAX_ENDPOINTS);
        path_ids = id_fpool_create(1, 0, FABRIC_TABLE_MAX_PATHS);
        ovs_mutex_unlock(&fabric_table_mutex);
        ovsthread_once_done(&once);
    }
}

/* Bytes of both arrays that are shared, or 0. */
static size_t shared_paths, shared_endpoints;

/* An index that waits before it may be handed out again. */
struct released {
    struct ovs_list node;       /* In 'limbo', or in a list of its own. */
    struct id_fpool *pool;
    uint32_t id;
};

/* What no thread uses any longer, but perhaps the other side. */
static struct ovs_list limbo OVS_GUARDED_BY(fabric_table_mutex)
    = OVS_LIST_INITIALIZER(&limbo);

static void
free_released(struct released *r)
    OVS_REQUIRES(fabric_table_mutex)
{
    id_fpool_free_id(r->pool, 0, r->id);
    free(r);
}

static void
release_id(struct released *r)
{
    ovs_mutex_lock(&fabric_table_mutex);
    if (shared_paths) {
        ovs_list_push_back(&limbo, &r->node);
    } else {
        free_released(r);
    }
    ovs_mutex_unlock(&fabric_table_mutex);
}

static void
release_later(struct id_fpool *pool, uint32_t id)
{
    struct released *r = xmalloc(sizeof *r);

    r->pool = pool;
    r->id = id;
    ovsrcu_postpone(release_id, r);
}

static void
free_all_released(struct ovs_list *list)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct released *r;

    LIST_FOR_EACH_POP (r, node, list) {
        free_released(r);
    }
}

/* Waits, in the RCU thread, for the kernel. */
static void
reclaim_ids(struct ovs_list *list)
{
    fabric_grace_wait();
    ovs_mutex_lock(&fabric_table_mutex);
    free_all_released(list);
    ovs_mutex_unlock(&fabric_table_mutex);
    free(list);
}

void
fabric_table_reclaim(void)
{
    ovs_mutex_lock(&fabric_table_mutex);
    if (!ovs_list_is_empty(&limbo)) {
        struct ovs_list *list = xmalloc(sizeof *list);

        ovs_list_move(list, &limbo);
        ovs_list_init(&limbo);
        ovsrcu_postpone(reclaim_ids, list);
    }
    ovs_mutex_unlock(&fabric_table_mutex);
}

void
fabric_table_set_id(uint32_t endpoint, uint32_t id)
{
    atomic_store_relaxed(&fabric_table_endpoints[endpoint].id, id);
}

/* Puts the memory behind 'fd', or private memory if that is negative, in the
 * place of the 'size' bytes at 'place', with their contents. */
static int
replace_memory(void *place, size_t size, int fd)
{
    int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);

    if (p == MAP_FAILED) {
        return errno;
    }
    memcpy(p, place, size);
    if (mremap(p, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, place)
        == MAP_FAILED) {
        int error = errno;

        munmap(p, size);
        return error;
    }
    return 0;
}

int
fabric_table_share(int paths_fd, size_t n_paths, int endpoints_fd,
                   size_t n_endpoints)
{
    size_t page = get_page_size();
    size_t paths_size = ROUND_UP(n_paths * sizeof *fabric_table_paths, page);
    size_t endpoints_size
        = ROUND_UP(n_endpoints * sizeof *fabric_table_endpoints, page);
    int error;

    fabric_table_init();
    ovs_mutex_lock(&fabric_table_mutex);
    error = replace_memory(fabric_table_paths, paths_size, paths_fd);
    if (!error) {
        shared_paths = paths_size;
        error = replace_memory(fabric_table_endpoints, endpoints_size,
                               endpoints_fd);
        shared_endpoints = error ? 0 : endpoints_size;
    }
    ovs_mutex_unlock(&fabric_table_mutex);
    return error;
}

int
fabric_table_unshare(void)
{
    int error = 0;

    ovs_mutex_lock(&fabric_table_mutex);
    if (shared_paths) {
        error = replace_memory(fabric_table_paths, shared_paths, -1);
    }
    if (!error && shared_endpoints) {
        error = replace_memory(fabric_table_endpoints, shared_endpoints, -1);
    }
    shared_paths = shared_endpoints = 0;
    free_all_released(&limbo);
    ovs_mutex_unlock(&fabric_table_mutex);
    return error;
}

uint32_t
fabric_table_alloc_endpoint(void)
{
    struct fabric_table_endpoint *ep;
    uint32_t id;

    if (!id_fpool_new_id(endpoint_ids, 0, &id)) {
        return FABRIC_TABLE_NONE;
    }

    homes[id] = xzalloc(sizeof *homes[id]);
    ep = &fabric_table_endpoints[id];
    atomic_store_relaxed(&ep->n_usable, 0);
    atomic_store_relaxed(&ep->n_paths, 0);
    atomic_store_relaxed(&ep->rx_packets, 0);
    atomic_store_relaxed(&ep->rx_bytes, 0);
    atomic_store_relaxed(&ep->tx_no_live_path, 0);
    atomic_store_relaxed(&ep->sent, 0);
    atomic_store_relaxed(&ep->idle, 0);
    atomic_store_relaxed(&ep->needed, 0);
    atomic_store_relaxed(&ep->id, 0);
    for (size_t i = 0; i < FABRIC_TABLE_SLOTS; i++) {
        homes[id]->homes[i] = FABRIC_TABLE_NONE;
        atomic_store_relaxed(&ep->slots[i], FABRIC_TABLE_NONE);
    }
    return id;
}

void
fabric_table_free_endpoint(uint32_t endpoint)
{
    if (endpoint == FABRIC_TABLE_NONE) {
        return;
    }
    fabric_table_set_id(endpoint, 0);
    fabric_table_set_paths(endpoint, NULL, 0);
    free(homes[endpoint]->paths);
    free(homes[endpoint]);
    homes[endpoint] = NULL;
    release_later(endpoint_ids, endpoint);
}

uint32_t
fabric_table_alloc_path(uint32_t endpoint, const struct in6_addr *local_ip,
                        const struct in6_addr *remote_ip,
                        uint16_t src_port, uint16_t dst_port)
{
    struct fabric_table_path *path;
    uint32_t id;

    if (!id_fpool_new_id(path_ids, 0, &id)) {
        return FABRIC_TABLE_NONE;
    }

    path = &fabric_table_paths[id];
    path->local_ip = *local_ip;
    path->remote_ip = *remote_ip;
    path->src_port = htons(src_port);
    path->dst_port = htons(dst_port);
    path->endpoint = endpoint;
    path->key = hash_bytes(local_ip, sizeof *local_ip,
                           hash_bytes(remote_ip, sizeof *remote_ip, src_port));
    atomic_store_relaxed(&path->rx_packets, 0);
    atomic_store_relaxed(&path->rx_bytes, 0);
    fabric_table_reset_path(id);
    return id;
}

void
fabric_table_reset_path(uint32_t id)
{
    struct fabric_table_path *path = &fabric_table_paths[id];

    atomic_store_relaxed(&path->state, FABRIC_PATH_UNKNOWN);
    path->suspect = false;
    path->weight = FABRIC_TABLE_FULL_WEIGHT;
    atomic_store_relaxed(&path->tx_packets, 0);
    atomic_store_relaxed(&path->tx_bytes, 0);
    atomic_store_relaxed(&path->out_ifindex, 0);
    atomic_store_relaxed(&path->out_mtu, 0);
    atomic_store_relaxed(&path->mtu, 0);
    atomic_store_relaxed(&path->local_mtu, 0);
}

void
fabric_table_free_path(uint32_t path)
{
    release_later(path_ids, path);
}

bool
fabric_table_is_usable(uint32_t path)
{
    return fabric_path_state_is_usable(fabric_table_get_state(path));
}

/* How 'path' ranks for 'slot' among the paths of its endpoint. */
static uint32_t
rank(uint32_t path, size_t slot)
{
    return hash_2words(fabric_table_paths[path].key, slot);
}

/* The highest weight of a usable path of 'h', which counts as full. */
static unsigned int
highest_weight(const struct endpoint_homes *h)
{
    unsigned int highest = 0;

    for (size_t i = 0; i < h->n_paths; i++) {
        if (fabric_table_is_usable(h->paths[i])) {
            highest = MAX(highest, fabric_table_paths[h->paths[i]].weight);
        }
    }
    return highest;
}

/* How good a refuge is.  Suspects come after paths that are bad, for they are
 * probably dead, and paths that were left come last. */
enum refuge {
    REFUGE_NONE,                /* Not usable. */
    REFUGE_LEFT,                /* Weight 0. */
    REFUGE_SUSPECT,
    REFUGE_PARTIAL,             /* Less than full weight. */
    REFUGE_FULL
};

static enum refuge
refuge_of(uint32_t path, unsigned int full)
{
    const struct fabric_table_path *p = &fabric_table_paths[path];

    return (!fabric_table_is_usable(path) ? REFUGE_NONE
            : full && !p->weight ? REFUGE_LEFT
            : p->suspect ? REFUGE_SUSPECT
            : p->weight < full ? REFUGE_PARTIAL
            : REFUGE_FULL);
}

/* Returns where 'slot', which now points to 'current', belongs while its home
 * is not usable or does not keep it: to the path of 'h' with the highest rank
 * among the best refuges, unless 'current' is as good.  '*best' becomes how
 * good that path is. */
static uint32_t
find_refuge(const struct endpoint_homes *h, size_t slot, uint32_t current,
            unsigned int full, enum refuge *best)
{
    uint32_t path = FABRIC_TABLE_NONE;
    uint32_t highest = 0;

    *best = REFUGE_NONE;
    for (size_t i = 0; i < h->n_paths; i++) {
        enum refuge refuge = refuge_of(h->paths[i], full);

        if (refuge == REFUGE_FULL && h->paths[i] == current) {
            *best = refuge;
            return current;
        }
        if (refuge >= *best && refuge != REFUGE_NONE) {
            uint32_t r = rank(h->paths[i], slot);

            if (refuge > *best || r > highest) {
                *best = refuge;
                highest = r;
                path = h->paths[i];
            }
        }
    }
    return path;
}

struct ranked_slot {
    uint32_t rank;
    uint32_t slot;
};

static int
compare_ranked_slots(const void *a_, const void *b_)
{
    const struct ranked_slot *a = a_;
    const struct ranked_slot *b = b_;

    return (a->rank != b->rank ? (a->rank < b->rank ? 1 : -1)
            : a->slot < b->slot ? -1 : a->slot > b->slot);
}

/* Sets the elements of 'away' for the homes that 'path' does not keep. */
static void
leave_homes(const struct endpoint_homes *h, uint32_t path, unsigned int full,
            bool away[FABRIC_TABLE_SLOTS])
{
    struct ranked_slot slots[FABRIC_TABLE_SLOTS];
    size_t n = 0, n_kept;

    for (size_t i = 0; i < FABRIC_TABLE_SLOTS; i++) {
        if (h->homes[i] == path) {
            slots[n++] = (struct ranked_slot) { rank(path, i), i };
        }
    }
    qsort(slots, n, sizeof *slots, compare_ranked_slots);

    n_kept = (n * fabric_table_paths[path].weight + full / 2) / full;
    for (size_t i = n_kept; i < n; i++) {
        away[slots[i].slot] = true;
    }
}

/* Points every slot of 'endpoint' to where it belongs now. */
static void
update_slots(uint32_t endpoint)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_table_endpoint *ep = &fabric_table_endpoints[endpoint];
    const struct endpoint_homes *h = homes[endpoint];
    unsigned int full = highest_weight(h);
    bool away[FABRIC_TABLE_SLOTS] = { false };
    uint32_t n_usable = 0;

    for (size_t i = 0; i < h->n_paths; i++) {
        uint32_t path = h->paths[i];

        if (fabric_table_is_usable(path)) {
            n_usable++;
            if (fabric_table_paths[path].weight < full) {
                leave_homes(h, path, full, away);
            }
        }
    }

    for (size_t i = 0; i < FABRIC_TABLE_SLOTS; i++) {
        uint32_t path = h->homes[i];
        bool dead = (path != FABRIC_TABLE_NONE
                     && !fabric_table_is_usable(path));

        if (n_usable && (dead || away[i])) {
            enum refuge best;
            uint32_t current, refuge;

            atomic_read_relaxed(&ep->slots[i], &current);
            refuge = find_refuge(h, i, current, full, &best);
            if (dead || best > refuge_of(path, full)) {
                path = refuge;
            }
        }
        /* Publishes a new path's entry here and in fabric_path_aux. */
        atomic_store_explicit(&ep->slots[i], path, memory_order_release);
    }
    atomic_store_relaxed(&ep->n_usable, n_usable);
    atomic_store_relaxed(&ep->n_paths, h->n_paths);
}

static size_t
find_path(const uint32_t paths[], size_t n, uint32_t path)
{
    size_t i;

    for (i = 0; i < n && paths[i] != path; i++) {
        continue;
    }
    return i;
}

/* Gives every path of 'h' its even share of homes: first takes homes from
 * paths that are gone or have too many, then hands them to those that have too
 * few. */
static void
spread_homes(struct endpoint_homes *h)
{
    size_t *count = xcalloc(h->n_paths, sizeof *count);
    size_t share = FABRIC_TABLE_SLOTS / h->n_paths;
    size_t extra = FABRIC_TABLE_SLOTS % h->n_paths;
    size_t n_over = 0;

    for (size_t i = 0; i < FABRIC_TABLE_SLOTS; i++) {
        size_t p = find_path(h->paths, h->n_paths, h->homes[i]);

        /* 'extra' paths may keep one home more than the others. */
        if (p == h->n_paths || count[p] > share
            || (count[p] == share && n_over >= extra)) {
            h->homes[i] = FABRIC_TABLE_NONE;
        } else {
            n_over += count[p] == share;
            count[p]++;
        }
    }

    size_t p = 0;
    for (size_t i = 0; i < FABRIC_TABLE_SLOTS; i++) {
        if (h->homes[i] == FABRIC_TABLE_NONE) {
            size_t tries = 0;

            while (count[p] >= share && tries++ < h->n_paths) {
                p = (p + 1) % h->n_paths;
            }
            if (count[p] >= share) {
                /* Everyone has its share: the rest goes one by one. */
                while (count[p] > share) {
                    p = (p + 1) % h->n_paths;
                }
            }
            h->homes[i] = h->paths[p];
            count[p]++;
            p = (p + 1) % h->n_paths;
        }
    }
    free(count);
}

void
fabric_table_set_paths(uint32_t endpoint, const uint32_t paths[], size_t n)
{
    struct endpoint_homes *h = homes[endpoint];

    free(h->paths);
    h->paths = n ? xmemdup(paths, n * sizeof *paths) : NULL;
    h->n_paths = n;

    if (n) {
        spread_homes(h);
    } else {
        for (size_t i = 0; i < FABRIC_TABLE_SLOTS; i++) {
            h->homes[i] = FABRIC_TABLE_NONE;
        }
    }
    update_slots(endpoint);
}

void
fabric_table_set_state(uint32_t path, enum fabric_path_state state)
{
    enum fabric_path_state old = fabric_table_get_state(path);

    if (state != old) {
        atomic_store_relaxed(&fabric_table_paths[path].state, state);
        if (fabric_path_state_is_usable(state)
            != fabric_path_state_is_usable(old)) {
            update_slots(fabric_table_paths[path].endpoint);
        }
    }
}

void
fabric_table_set_suspect(uint32_t path, bool suspect)
{
    fabric_table_paths[path].suspect = suspect;
}

void
fabric_table_set_weight(uint32_t path, unsigned int weight)
{
    struct fabric_table_path *p = &fabric_table_paths[path];

    weight = MIN(weight, FABRIC_TABLE_FULL_WEIGHT);
    if (weight != p->weight) {
        p->weight = weight;
        if (fabric_table_is_usable(path)) {
            update_slots(p->endpoint);
        }
    }
}

unsigned int
fabric_table_get_weight(uint32_t path)
{
    return fabric_table_paths[path].weight;
}

unsigned int
fabric_table_count_slots(uint32_t path)
{
    struct fabric_table_endpoint *ep
        = &fabric_table_endpoints[fabric_table_paths[path].endpoint];
    unsigned int n = 0;

    for (size_t i = 0; i < FABRIC_TABLE_SLOTS; i++) {
        uint32_t slot;

        atomic_read_relaxed(&ep->slots[i], &slot);
        n += slot == path;
    }
    return n;
}

uint32_t
fabric_table_select_fitting(uint32_t endpoint, uint32_t hash, uint32_t size)
{
    /* An odd step visits every slot; bits that did not choose the first make
     * flows of one slot spread. */
    size_t slot = hash >> FABRIC_TABLE_HASH_SHIFT;
    size_t step = (hash & (FABRIC_TABLE_SLOTS - 1)) | 1;

    for (size_t i = 0; i < FABRIC_TABLE_SLOTS; i++) {
        uint32_t path;

        atomic_read_explicit(&fabric_table_endpoints[endpoint].slots[slot],
                             &path, memory_order_acquire);
        if (path != FABRIC_TABLE_NONE && fabric_table_fits(path, size)) {
            return path;
        }
        slot = (slot + step) % FABRIC_TABLE_SLOTS;
    }
    return FABRIC_TABLE_NONE;
}
