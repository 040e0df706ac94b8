/* SPDX-License-Identifier: Apache-2.0 */

/* A list is one entry of the kernel's map, and changes as a whole: a packet
 * sees it as it was or as it is.  A mask keeps its number, which is part of
 * its flows' keys, when the order changes. */

#include <config.h>

#include "fabric-kern-masks.h"

#include "coverage.h"
#include "fabric-kern-abi.h"
#include "fabric-kern.h"
#include "hash.h"
#include "heap.h"
#include "openvswitch/hmap.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(fabric_kern_masks);

COVERAGE_DEFINE(fabric_kern_mask_evict);

#define RUN_INTERVAL 1000       /* ms. */

/* Masks of a list that may give way in an interval: taking flows out costs
 * more than forwarding a few in userspace. */
#define MAX_VICTIMS 32

struct fabric_kern_mask_list {
    struct hmap_node node;              /* In 'lists', by 'key'. */
    struct heap_node heap_node;         /* In 'by_size', by number of flows. */
    struct fabric_kern_list_key key;
    struct fabric_kern_list list;       /* As the kernel has it. */
    struct fabric_kern_mask *masks[FABRIC_KERN_MAX_MASKS];  /* By number. */
    unsigned int n_victims;             /* In this interval. */
};

static struct hmap lists = HMAP_INITIALIZER(&lists);
static struct heap by_size;     /* As heap_init() would leave it. */

static struct fabric_kern_list_key
list_key(const struct fabric_kern_key *key, const struct fabric_kern_key *mask)
{
    return (struct fabric_kern_list_key) {
        .in_port = key->in_port,
        .tenant = (mask->vni & 0xffffff) == 0xffffff ? key->vni + 1 : 0,
    };
}

static uint32_t
hash_key(const struct fabric_kern_list_key *key)
{
    return hash_2words(key->in_port, key->tenant);
}

static struct fabric_kern_mask_list *
find_list(const struct fabric_kern_list_key *key)
{
    struct fabric_kern_mask_list *l;

    HMAP_FOR_EACH_WITH_HASH (l, node, hash_key(key), &lists) {
        if (l->key.in_port == key->in_port && l->key.tenant == key->tenant) {
            return l;
        }
    }
    return NULL;
}

static struct fabric_kern_mask_list *
create_list(const struct fabric_kern_list_key *key)
{
    struct fabric_kern_mask_list *l = xzalloc(sizeof *l);

    l->key = *key;
    hmap_insert(&lists, &l->node, hash_key(key));
    heap_insert(&by_size, &l->heap_node, 0);
    return l;
}

static void
destroy_list(struct fabric_kern_mask_list *l)
{
    fabric_kern_del(FABRIC_KERN_LISTS, &l->key);
    hmap_remove(&lists, &l->node);
    heap_remove(&by_size, &l->heap_node);
    free(l);
}

/* Tells the kernel of 'l'. */
static bool
put_list(const struct fabric_kern_mask_list *l)
{
    int error = fabric_kern_put(FABRIC_KERN_LISTS, &l->key, &l->list);

    if (error) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

        VLOG_WARN_RL(&rl, "the kernel refuses a list of masks (%s)",
                     ovs_strerror(error));
    }
    return !error;
}

/* Masks. */

static bool
is_less_used(const struct fabric_kern_mask *a,
             const struct fabric_kern_mask *b)
{
    return a->use != b->use ? a->use < b->use : a->serial < b->serial;
}

static struct fabric_kern_mask *
least_used(const struct fabric_kern_mask_list *l)
{
    struct fabric_kern_mask *least = NULL;

    for (size_t i = 0; i < l->list.n; i++) {
        struct fabric_kern_mask *m = l->masks[l->list.order[i]];

        if (!least || is_less_used(m, least)) {
            least = m;
        }
    }
    return least;
}

/* Adds a mask to 'l', which has room, as the last to be tried. */
static struct fabric_kern_mask *
add_mask(struct fabric_kern_mask_list *l, const struct fabric_kern_key *bits)
{
    static unsigned long long int serial;
    struct fabric_kern_mask *m;
    uint32_t number = 0;

    while (l->masks[number]) {
        number++;
    }
    l->list.masks[number] = *bits;
    l->list.order[l->list.n++] = number;
    if (!put_list(l)) {
        l->list.n--;
        return NULL;
    }
    m = xzalloc(sizeof *m);
    m->list = l;
    m->number = number;
    m->serial = serial++;
    ovs_list_init(&m->flows);
    l->masks[number] = m;
    return m;
}

static void
remove_mask(struct fabric_kern_mask *m)
{
    struct fabric_kern_mask_list *l = m->list;
    size_t n = 0;

    for (size_t i = 0; i < l->list.n; i++) {
        if (l->list.order[i] != m->number) {
            l->list.order[n++] = l->list.order[i];
        }
    }
    l->list.n = n;
    l->masks[m->number] = NULL;
    free(m);
    if (n) {
        put_list(l);
    } else {
        destroy_list(l);
    }
}

struct fabric_kern_mask *
fabric_kern_mask_get(const struct fabric_kern_key *key,
                     const struct fabric_kern_key *mask, uint64_t use,
                     struct fabric_kern_mask **victim)
{
    struct fabric_kern_list_key lk = list_key(key, mask);
    struct fabric_kern_mask_list *l = find_list(&lk);
    struct fabric_kern_mask *m;

    *victim = NULL;
    for (size_t i = 0; l && i < l->list.n; i++) {
        uint32_t number = l->list.order[i];

        if (!memcmp(&l->list.masks[number], mask, sizeof *mask)) {
            return l->masks[number];
        }
    }
    if (!l) {
        l = create_list(&lk);
    } else if (l->list.n == FABRIC_KERN_MAX_MASKS) {
        m = least_used(l);
        if (m->use <= use && l->n_victims < MAX_VICTIMS) {
            l->n_victims++;
            COVERAGE_INC(fabric_kern_mask_evict);
            *victim = m;
        }
        return NULL;
    }
    m = add_mask(l, mask);
    if (!m && !l->list.n) {
        destroy_list(l);
    }
    return m;
}

const struct fabric_kern_key *
fabric_kern_mask_bits(const struct fabric_kern_mask *m)
{
    return &m->list->list.masks[m->number];
}

void
fabric_kern_mask_add(struct fabric_kern_mask *m, struct ovs_list *node)
{
    struct heap_node *hn = &m->list->heap_node;

    ovs_list_push_back(&m->flows, node);
    heap_change(&by_size, hn, hn->priority + 1);
}

void
fabric_kern_mask_remove(struct fabric_kern_mask *m, struct ovs_list *node)
{
    struct heap_node *hn = &m->list->heap_node;

    ovs_list_remove(node);
    heap_change(&by_size, hn, hn->priority - 1);
    if (ovs_list_is_empty(&m->flows)) {
        remove_mask(m);
    }
}

struct fabric_kern_mask *
fabric_kern_mask_of_most(const struct fabric_kern_key *key,
                         const struct fabric_kern_key *mask, bool *own)
{
    struct fabric_kern_list_key lk = list_key(key, mask);
    const struct fabric_kern_mask_list *l = find_list(&lk), *most;

    if (heap_is_empty(&by_size)) {
        return NULL;
    }
    most = CONTAINER_OF(heap_max(&by_size), struct fabric_kern_mask_list,
                        heap_node);
    *own = l && l->heap_node.priority >= most->heap_node.priority;
    if (*own) {
        most = l;
    }
    return least_used(most);
}

/* Order. */

/* Changes the order of 'l' where a mask is in more than twice the use of the
 * one before it, and returns true if that was so. */
static bool
sort_list(struct fabric_kern_mask_list *l)
{
    uint8_t *order = l->list.order;
    bool changed = false;

    for (size_t i = 1; i < l->list.n; i++) {
        uint8_t number = order[i];
        size_t j;

        for (j = i; j > 0 && (l->masks[number]->use
                              > 2 * l->masks[order[j - 1]]->use + 1); j--) {
            order[j] = order[j - 1];
            changed = true;
        }
        order[j] = number;
    }
    return changed;
}

void
fabric_kern_masks_run(void)
{
    static long long int next = LLONG_MIN;
    struct fabric_kern_mask_list *l;

    if (time_msec() < next) {
        return;
    }
    next = time_msec() + RUN_INTERVAL;
    HMAP_FOR_EACH (l, node, &lists) {
        if (sort_list(l)) {
            put_list(l);
        }
        l->n_victims = 0;
        for (size_t i = 0; i < l->list.n; i++) {
            l->masks[l->list.order[i]]->use /= 2;
        }
    }
}
