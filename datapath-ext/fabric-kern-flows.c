/* SPDX-License-Identifier: Apache-2.0 */

/* A flow is kept together with what it was compiled from: match, actions, and
 * the meaning of the names in them (fabric-kern-names.h).  Whenever names may
 * mean something else, those flows are compiled again of which a name does.
 * Until then the program does not use them (see "Identities" in
 * fabric-kern-abi.h). */

#include <config.h>

#include "fabric-kern-flows.h"

#include "coverage.h"
#include "dpif.h"
#include "fabric-grace.h"
#include "fabric-hooks.h"
#include "fabric-kern-masks.h"
#include "fabric-kern-match.h"
#include "fabric-kern-names.h"
#include "fabric-kern-sync.h"
#include "fabric-kern.h"
#include "hash.h"
#include "id-fpool.h"
#include "odp-util.h"
#include "openvswitch/hmap.h"
#include "openvswitch/match.h"
#include "openvswitch/vlog.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(fabric_kern_flows);

COVERAGE_DEFINE(fabric_kern_flow_put);
COVERAGE_DEFINE(fabric_kern_flow_del);
COVERAGE_DEFINE(fabric_kern_flow_refused);
COVERAGE_DEFINE(fabric_kern_flow_stale);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 20);

/* Why no flow is in the kernel while the fast path is not active. */
static const char INACTIVE[] = "the fast path being off";

/* Why a flow is not there that may be later, if it is used. */
static const char MANY_MASKS[] = "many different masks";
static const char MANY_FLOWS[] = "many flows";

/* Of how many flows, those that were used lately are not taken out for
 * others. */
#define MAX_SPARED 16
#define LATELY (1000ull * 1000 * 1000)          /* ns. */

struct kern_flow {
    struct hmap_node node;      /* In 'kern_flows', by 'ufid'. */
    ovs_u128 ufid;
    const char *reason;         /* NULL if it is in the kernel. */

    /* What it was compiled from. */
    struct minimatch match;
    struct nlattr *actions;
    size_t actions_len;
    struct fabric_kern_kept_names names;

    struct fabric_kern_flow_stats before;   /* Of former times there. */
    uint64_t seen;              /* Packets when last asked for. */
    uint64_t use;               /* Packets between the last two times. */

    /* If it is in the kernel. */
    struct fabric_kern_mask *mask;
    struct ovs_list mask_node;  /* In its 'flows'. */
    struct fabric_kern_flow_key key;
    uint32_t stats;
};

static struct ovs_mutex mutex = OVS_MUTEX_INITIALIZER;
static struct hmap kern_flows OVS_GUARDED_BY(mutex)
    = HMAP_INITIALIZER(&kern_flows);
static struct id_fpool *stats_ids OVS_GUARDED_BY(mutex);
static size_t n_in_kernel OVS_GUARDED_BY(mutex);

static struct kern_flow *
find(const ovs_u128 *ufid)
    OVS_REQUIRES(mutex)
{
    struct kern_flow *kf;

    HMAP_FOR_EACH_WITH_HASH (kf, node, hash_bytes(ufid, sizeof *ufid, 0),
                             &kern_flows) {
        if (ovs_u128_equals(kf->ufid, *ufid)) {
            return kf;
        }
    }
    return NULL;
}

/* Statistics. */

/* Indexes at which a packet under way may still count. */
struct released {
    uint32_t *ids;
    size_t n, allocated;
};

/* Gathers indexes until the RCU thread takes care of them; NULL if it has
 * nothing to wait for. */
static struct released *released OVS_GUARDED_BY(mutex);

/* Waits, in the RCU thread, until no packet uses what is in 'r', for all of it
 * at once. */
static void
stats_reclaim(struct released *r)
{
    ovs_mutex_lock(&mutex);
    released = NULL;
    ovs_mutex_unlock(&mutex);

    fabric_grace_wait();

    ovs_mutex_lock(&mutex);
    for (size_t i = 0; i < r->n; i++) {
        id_fpool_free_id(stats_ids, 0, r->ids[i]);
    }
    ovs_mutex_unlock(&mutex);
    free(r->ids);
    free(r);
}

static void
stats_release(uint32_t id)
    OVS_REQUIRES(mutex)
{
    if (!released) {
        released = xzalloc(sizeof *released);
        ovsrcu_postpone(stats_reclaim, released);
    }
    if (released->n >= released->allocated) {
        released->ids = x2nrealloc(released->ids, &released->allocated,
                                   sizeof *released->ids);
    }
    released->ids[released->n++] = id;
}

static bool
stats_alloc(uint32_t *id)
    OVS_REQUIRES(mutex)
{
    if (!stats_ids) {
        stats_ids = id_fpool_create(1, 0, FABRIC_KERN_MAX_FLOW_STATS);
    }
    if (!id_fpool_new_id(stats_ids, 0, id)) {
        return false;
    }
    memset(&fabric_kern_flow_stats()[*id], 0, sizeof(
               struct fabric_kern_flow_stats));
    return true;
}

static void
add_stats(struct fabric_kern_flow_stats *to,
          const struct fabric_kern_flow_stats *s)
{
    to->packets += s->packets;
    to->bytes += s->bytes;
    to->used = MAX(to->used, s->used);
    to->tcp_flags |= s->tcp_flags;
}

/* Flows. */

/* Takes 'kf' out of the kernel, for 'reason'. */
static void
leave(struct kern_flow *kf, const char *reason)
    OVS_REQUIRES(mutex)
{
    if (!kf->reason) {
        COVERAGE_INC(fabric_kern_flow_del);
        fabric_kern_del(FABRIC_KERN_FLOWS, &kf->key);
        add_stats(&kf->before, &fabric_kern_flow_stats()[kf->stats]);
        fabric_kern_mask_remove(kf->mask, &kf->mask_node);
        stats_release(kf->stats);
        n_in_kernel--;
    }
    kf->reason = reason;
}

/* Compiles 'kf' and keeps the names that it has.  Returns NULL or why the
 * kernel cannot do it. */
static const char *
compile(struct kern_flow *kf, struct fabric_kern_key *key,
        struct fabric_kern_key *mask, struct fabric_kern_flow *flow)
    OVS_REQUIRES(mutex)
{
    struct fabric_kern_names names = { .resolve = fabric_kern_resolve_name };
    const char *reason;
    struct match match;

    minimatch_expand(&kf->match, &match);
    reason = fabric_kern_match(&match, &names, key, mask);
    if (!reason) {
        reason = fabric_kern_actions(kf->actions, kf->actions_len, &names,
                                     key, mask, flow);
    }
    if (!reason && key->sender && flow->verdict == FABRIC_KERN_FABRIC) {
        reason = "the way from one tunnel to another";
    }
    fabric_kern_names_keep(&kf->names, &names);
    return reason;
}

/* Takes all flows of 'm' out of the kernel, which ends it. */
static void
evict_mask(struct fabric_kern_mask *m)
    OVS_REQUIRES(mutex)
{
    for (size_t n = ovs_list_size(&m->flows); n > 0; n--) {
        leave(CONTAINER_OF(ovs_list_front(&m->flows), struct kern_flow,
                           mask_node), MANY_MASKS);
    }
}

/* Takes a flow out of the kernel so that one for 'key' and 'mask' can get in:
 * of the port or tenant that has the most.  Returns false if that is the one
 * that wants more, and uses all of them. */
static bool
evict_flow(const struct fabric_kern_key *key,
           const struct fabric_kern_key *mask)
    OVS_REQUIRES(mutex)
{
    uint64_t now = time_msec() * 1000ull * 1000;
    struct fabric_kern_mask *m;
    struct kern_flow *kf;
    bool own = false;

    m = fabric_kern_mask_of_most(key, mask, &own);
    for (int i = 0; m && i < MAX_SPARED; i++) {
        kf = CONTAINER_OF(ovs_list_pop_front(&m->flows), struct kern_flow,
                          mask_node);
        ovs_list_push_back(&m->flows, &kf->mask_node);
        if (fabric_kern_flow_stats()[kf->stats].used + LATELY < now) {
            leave(kf, MANY_FLOWS);
            return true;
        }
    }
    if (!m || own) {
        return false;
    }
    leave(CONTAINER_OF(ovs_list_front(&m->flows), struct kern_flow,
                       mask_node), MANY_FLOWS);
    return true;
}

/* Finds room in the kernel for 'kf', which has none.  Returns NULL or why
 * there is none. */
static const char *
find_room(struct kern_flow *kf, const struct fabric_kern_key *key,
          const struct fabric_kern_key *mask)
    OVS_REQUIRES(mutex)
{
    struct fabric_kern_mask *m, *victim;

    if (n_in_kernel >= FABRIC_KERN_MAX_FLOWS && !evict_flow(key, mask)) {
        return MANY_FLOWS;
    }
    m = fabric_kern_mask_get(key, mask, kf->use, &victim);
    if (victim) {
        evict_mask(victim);
        m = fabric_kern_mask_get(key, mask, kf->use, &victim);
    }
    if (!m) {
        return MANY_MASKS;
    }
    fabric_kern_mask_add(m, &kf->mask_node);
    if (!stats_alloc(&kf->stats)) {
        fabric_kern_mask_remove(m, &kf->mask_node);
        return MANY_FLOWS;
    }
    kf->mask = m;
    kf->key.mask = m->number;
    kf->key.key = *key;
    return NULL;
}

/* Puts the flow into the kernel; returns NULL or why that cannot be. */
static const char *
enter(struct kern_flow *kf)
    OVS_REQUIRES(mutex)
{
    struct fabric_kern_key key, mask;
    struct fabric_kern_flow flow;
    const char *reason;
    int error;

    if (!fabric_kern_is_active()) {
        return INACTIVE;
    }
    reason = compile(kf, &key, &mask, &flow);
    if (reason) {
        return reason;
    }

    /* In the place of what was there, without a gap, if it is the same key. */
    if (!kf->reason
        && (memcmp(&kf->key.key, &key, sizeof key)
            || memcmp(fabric_kern_mask_bits(kf->mask), &mask,
                      sizeof mask))) {
        leave(kf, "");
    }
    if (kf->reason) {
        reason = find_room(kf, &key, &mask);
        if (reason) {
            return reason;
        }
    }
    flow.stats = kf->stats;
    error = fabric_kern_put(FABRIC_KERN_FLOWS, &kf->key, &flow);
    if (error) {
        VLOG_WARN_RL(&rl, "the kernel refuses a flow (%s)",
                     ovs_strerror(error));
        if (kf->reason) {
            fabric_kern_mask_remove(kf->mask, &kf->mask_node);
            stats_release(kf->stats);
        }
        return "a refusal by the kernel";
    }
    COVERAGE_INC(fabric_kern_flow_put);
    if (kf->reason) {
        n_in_kernel++;
        kf->reason = NULL;
    }
    return NULL;
}

static void
try_enter(struct kern_flow *kf)
    OVS_REQUIRES(mutex)
{
    const char *reason = enter(kf);

    if (reason) {
        COVERAGE_INC(fabric_kern_flow_refused);
        leave(kf, reason);
    }
}

void
fabric_kern_flow_put(const ovs_u128 *ufid, const struct match *match,
                     const struct nlattr *actions, size_t actions_len)
{
    struct kern_flow *kf;

    if (OVS_LIKELY(!fabric_kern_is_ours())) {
        return;
    }
    ovs_mutex_lock(&mutex);
    kf = find(ufid);
    if (!kf) {
        kf = xzalloc(sizeof *kf);
        kf->ufid = *ufid;
        kf->reason = "";
        hmap_insert(&kern_flows, &kf->node,
                    hash_bytes(ufid, sizeof *ufid, 0));
    } else {
        minimatch_destroy(&kf->match);
        free(kf->actions);
    }
    minimatch_init(&kf->match, match);
    kf->actions = xmemdup(actions, actions_len);
    kf->actions_len = actions_len;
    try_enter(kf);
    ovs_mutex_unlock(&mutex);
}

void
fabric_kern_flow_del(const ovs_u128 *ufid)
{
    struct kern_flow *kf;

    if (OVS_LIKELY(!fabric_kern_is_ours())) {
        return;
    }
    ovs_mutex_lock(&mutex);
    kf = find(ufid);
    if (kf) {
        leave(kf, "");
        hmap_remove(&kern_flows, &kf->node);
        minimatch_destroy(&kf->match);
        free(kf->actions);
        fabric_kern_names_forget(&kf->names);
        free(kf);
    }
    ovs_mutex_unlock(&mutex);
}

/* Notes that 'kf' has had 'n' packets, which decides on who stays in the
 * kernel. */
static void
note_use(struct kern_flow *kf, uint64_t n)
    OVS_REQUIRES(mutex)
{
    kf->use = n > kf->seen ? n - kf->seen : 0;
    kf->seen = n;
    if (!kf->reason) {
        kf->mask->use += kf->use;
    } else if (kf->use
               && (kf->reason == MANY_MASKS || kf->reason == MANY_FLOWS)) {
        try_enter(kf);
    }
}

void
fabric_kern_flow_status(const ovs_u128 *ufid, struct dpif_flow_stats *stats,
                        struct dpif_flow_attrs *attrs)
{
    struct kern_flow *kf;

    if (OVS_LIKELY(!fabric_kern_is_loaded())) {
        return;
    }
    ovs_mutex_lock(&mutex);
    kf = find(ufid);
    if (kf) {
        struct fabric_kern_flow_stats s = kf->before;

        if (!kf->reason) {
            add_stats(&s, &fabric_kern_flow_stats()[kf->stats]);
        }
        stats->n_packets += s.packets;
        stats->n_bytes += s.bytes;
        stats->used = MAX(stats->used, (long long) (s.used / 1000000));
        stats->tcp_flags |= s.tcp_flags;
        if (fabric_kern_is_ours()) {
            note_use(kf, stats->n_packets);
        }
        if (!kf->reason && attrs) {
            attrs->offloaded = true;
            attrs->dp_layer = "fabric-kern";
        }
    }
    ovs_mutex_unlock(&mutex);
}

const char *
fabric_kern_flow_reason(const ovs_u128 *ufid, const char *otherwise)
{
    const struct kern_flow *kf;

    if (OVS_LIKELY(!fabric_kern_is_loaded())) {
        return otherwise;
    }
    ovs_mutex_lock(&mutex);
    kf = find(ufid);
    if (kf && kf->reason && *kf->reason) {
        otherwise = kf->reason;
    }
    ovs_mutex_unlock(&mutex);
    return otherwise;
}

void
fabric_kern_flows_check(void)
{
    struct kern_flow *kf;

    ovs_mutex_lock(&mutex);
    HMAP_FOR_EACH (kf, node, &kern_flows) {
        if (!fabric_kern_names_are_current(&kf->names)) {
            COVERAGE_INC(fabric_kern_flow_stale);
            try_enter(kf);
        }
    }
    ovs_mutex_unlock(&mutex);
}

void
fabric_kern_flows_run(void)
{
    ovs_mutex_lock(&mutex);
    fabric_kern_masks_run();
    ovs_mutex_unlock(&mutex);
}

void
fabric_kern_flows_leave(void)
{
    struct kern_flow *kf;

    ovs_mutex_lock(&mutex);
    HMAP_FOR_EACH (kf, node, &kern_flows) {
        leave(kf, INACTIVE);
    }
    ovs_mutex_unlock(&mutex);
}

void
fabric_kern_flows_get_count(struct fabric_kern_flows_count *count)
{
    ovs_mutex_lock(&mutex);
    count->n_kernel = n_in_kernel;
    count->n_userspace = hmap_count(&kern_flows) - n_in_kernel;
    ovs_mutex_unlock(&mutex);
}
