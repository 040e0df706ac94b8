/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-kern-flows.h"

#include "coverage.h"
#include "dpif.h"
#include "fabric-hooks.h"
#include "fabric-kern-match.h"
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
#include "util.h"

VLOG_DEFINE_THIS_MODULE(fabric_kern_flows);

COVERAGE_DEFINE(fabric_kern_flow_put);
COVERAGE_DEFINE(fabric_kern_flow_del);
COVERAGE_DEFINE(fabric_kern_flow_refused);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 20);

/* Why no flow is in the kernel while the fast path is not active. */
static const char INACTIVE[] = "the fast path being off";

/* What a flow that waits for a port is made from. */
struct source {
    struct match match;
    size_t actions_len;
    struct nlattr actions[];
};

struct kern_flow {
    struct hmap_node node;      /* In 'kern_flows', by 'ufid'. */
    ovs_u128 ufid;
    const char *reason;         /* NULL if it is in the kernel. */
    struct source *source;      /* If 'reason' is FABRIC_KERN_LATER. */

    struct fabric_kern_flow_stats before;   /* Of former times there. */

    /* If it is in the kernel. */
    struct fabric_kern_flow_key key;
    uint32_t stats;
    odp_port_t to_fabric;       /* ODPP_NONE if not to a fabric. */
    uint32_t to_endpoint;
};

static struct ovs_mutex mutex = OVS_MUTEX_INITIALIZER;
static struct hmap kern_flows OVS_GUARDED_BY(mutex)
    = HMAP_INITIALIZER(&kern_flows);
static struct id_fpool *stats_ids OVS_GUARDED_BY(mutex);
static unsigned int mask_refs[FABRIC_KERN_MAX_MASKS] OVS_GUARDED_BY(mutex);
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

/* Masks. */

static bool
mask_ref(const struct fabric_kern_key *mask, uint32_t *number)
    OVS_REQUIRES(mutex)
{
    struct fabric_kern_conf *conf = fabric_kern_conf();
    uint32_t free_slot = FABRIC_KERN_MAX_MASKS;

    for (uint32_t i = 0; i < FABRIC_KERN_MAX_MASKS; i++) {
        if (!mask_refs[i]) {
            free_slot = MIN(free_slot, i);
        } else if (!memcmp(&conf->masks[i], mask, sizeof *mask)) {
            mask_refs[i]++;
            *number = i;
            return true;
        }
    }
    if (free_slot == FABRIC_KERN_MAX_MASKS) {
        return false;
    }
    conf->masks[free_slot] = *mask;
    atomic_thread_fence(memory_order_release);
    conf->mask_used[free_slot] = 1;
    conf->n_masks = MAX(conf->n_masks, free_slot + 1);
    mask_refs[free_slot] = 1;
    *number = free_slot;
    return true;
}

static void
mask_unref(uint32_t number)
    OVS_REQUIRES(mutex)
{
    struct fabric_kern_conf *conf = fabric_kern_conf();

    if (!--mask_refs[number]) {
        uint32_t n = conf->n_masks;

        conf->mask_used[number] = 0;
        while (n && !mask_refs[n - 1]) {
            n--;
        }
        conf->n_masks = n;
    }
}

/* Statistics. */

static void
stats_release(uint32_t *id)
{
    ovs_mutex_lock(&mutex);
    id_fpool_free_id(stats_ids, 0, *id);
    ovs_mutex_unlock(&mutex);
    free(id);
}

/* A packet under way may still count there. */
static void
stats_release_later(uint32_t id)
{
    uint32_t *idp = xmemdup(&id, sizeof id);

    ovsrcu_postpone(stats_release, idp);
}

static bool
stats_alloc(uint32_t *id)
    OVS_REQUIRES(mutex)
{
    if (!stats_ids) {
        stats_ids = id_fpool_create(1, 0, FABRIC_KERN_MAX_FLOWS);
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
    free(kf->source);
    kf->source = NULL;
    if (!kf->reason) {
        COVERAGE_INC(fabric_kern_flow_del);
        fabric_kern_del(FABRIC_KERN_FLOWS, &kf->key);
        add_stats(&kf->before, &fabric_kern_flow_stats()[kf->stats]);
        mask_unref(kf->key.mask);
        stats_release_later(kf->stats);
        n_in_kernel--;
    }
    kf->reason = reason;
}

/* Puts the flow into the kernel; returns NULL or why that cannot be. */
static const char *
enter(struct kern_flow *kf, const struct match *match,
      const struct nlattr *actions, size_t actions_len)
    OVS_REQUIRES(mutex)
{
    struct fabric_kern_key key, mask;
    struct fabric_kern_flow flow;
    const char *reason;
    int error;

    if (!fabric_kern_is_active()) {
        return INACTIVE;
    }
    reason = fabric_kern_match(match, &fabric_kern_resolver, &key, &mask);
    if (!reason) {
        reason = fabric_kern_actions(actions, actions_len,
                                     &fabric_kern_resolver, &key, &mask,
                                     &flow);
    }
    if (reason) {
        return reason;
    }
    if (key.endpoint && flow.verdict == FABRIC_KERN_FABRIC) {
        return "the way from one tunnel to another";
    }

    /* In the place of what was there, without a gap. */
    if (kf->reason) {
        if (!mask_ref(&mask, &kf->key.mask)) {
            return "many different masks";
        }
        if (!stats_alloc(&kf->stats)) {
            mask_unref(kf->key.mask);
            return "many flows";
        }
        kf->key.key = key;
    }
    flow.stats = kf->stats;
    error = fabric_kern_put(FABRIC_KERN_FLOWS, &kf->key, &flow);
    if (error) {
        VLOG_WARN_RL(&rl, "the kernel refuses a flow (%s)",
                     ovs_strerror(error));
        if (kf->reason) {
            mask_unref(kf->key.mask);
            stats_release_later(kf->stats);
        }
        return "a refusal by the kernel";
    }
    COVERAGE_INC(fabric_kern_flow_put);
    kf->to_fabric = (flow.verdict == FABRIC_KERN_FABRIC
                     ? fabric_kern_fabric_port(flow.fabric) : ODPP_NONE);
    kf->to_endpoint = flow.endpoint;
    if (kf->reason) {
        n_in_kernel++;
        kf->reason = NULL;
    }
    free(kf->source);
    kf->source = NULL;
    return NULL;
}

static void
keep_source(struct kern_flow *kf, const struct match *match,
            const struct nlattr *actions, size_t actions_len)
    OVS_REQUIRES(mutex)
{
    kf->source = xmalloc(sizeof *kf->source + actions_len);
    kf->source->match = *match;
    kf->source->actions_len = actions_len;
    memcpy(kf->source->actions, actions, actions_len);
}

static void
try_enter(struct kern_flow *kf, const struct match *match,
          const struct nlattr *actions, size_t actions_len)
    OVS_REQUIRES(mutex)
{
    const char *reason = enter(kf, match, actions, actions_len);

    if (reason) {
        COVERAGE_INC(fabric_kern_flow_refused);
        leave(kf, reason);
        if (reason == FABRIC_KERN_LATER) {
            keep_source(kf, match, actions, actions_len);
        }
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
    }
    try_enter(kf, match, actions, actions_len);
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
        free(kf);
    }
    ovs_mutex_unlock(&mutex);
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
fabric_kern_flows_retry(void)
{
    struct kern_flow *kf;

    ovs_mutex_lock(&mutex);
    HMAP_FOR_EACH (kf, node, &kern_flows) {
        struct source *source = kf->source;

        if (source) {
            kf->source = NULL;
            try_enter(kf, &source->match, source->actions,
                      source->actions_len);
            free(source);
        }
    }
    ovs_mutex_unlock(&mutex);
}

void
fabric_kern_flows_check(bool (*is_valid)(uint32_t, odp_port_t))
{
    struct kern_flow *kf;

    ovs_mutex_lock(&mutex);
    HMAP_FOR_EACH (kf, node, &kern_flows) {
        uint32_t sender = kf->key.key.endpoint;

        if (!kf->reason
            && ((sender && !is_valid(sender - 1,
                                     u32_to_odp(kf->key.key.in_port)))
                || (kf->to_fabric != ODPP_NONE
                    && !is_valid(kf->to_endpoint, kf->to_fabric)))) {
            leave(kf, "an endpoint that is gone");
        }
    }
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
