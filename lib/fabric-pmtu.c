/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-pmtu.h"

#include "util.h"

/* MTUs that links have, largest first: jumbo frames, Ethernet, and Ethernet
 * less the headers of VXLAN over IPv4, VXLAN over IPv6, and IPsec. */
static const uint16_t usual[] = { 9000, 8950, 4000, 1500, 1450, 1430, 1400 };

void
fabric_pmtu_init(struct fabric_pmtu *p)
{
    *p = (struct fabric_pmtu) { .state = FABRIC_PMTU_BASE_STATE };
}

void
fabric_pmtu_restart(struct fabric_pmtu *p)
{
    uint32_t mtu = p->mtu;

    fabric_pmtu_init(p);
    p->mtu = mtu;
}

/* The largest size that is probed. */
static uint16_t
probe_max(const struct fabric_pmtu *p)
{
    return MIN(p->max, FABRIC_PMTU_PROBE_MAX);
}

static bool
is_usual(uint16_t size)
{
    for (size_t i = 0; i < ARRAY_SIZE(usual); i++) {
        if (usual[i] == size) {
            return true;
        }
    }
    return false;
}

/* Returns the size to probe, at most p->limit, when p->size works. */
static uint16_t
choose(const struct fabric_pmtu *p)
{
    if (p->state == FABRIC_PMTU_BASE_STATE) {
        return MIN(p->limit, (p->limit >= FABRIC_PMTU_BASE
                              ? FABRIC_PMTU_BASE : FABRIC_PMTU_MIN));
    }
    if (p->hint > p->size && p->hint <= p->limit) {
        return p->hint;
    }
    if (p->limit == probe_max(p)) {
        return p->limit;
    }
    for (size_t i = 0; i < ARRAY_SIZE(usual); i++) {
        if (usual[i] <= p->limit && usual[i] > p->size) {
            return usual[i];
        }
    }
    if (is_usual(p->size)) {
        /* Probably that is it. */
        return p->size + FABRIC_PMTU_STEP;
    }
    return p->size + DIV_ROUND_UP(p->limit - p->size, 2);
}

/* Goes on after 'p' has learned something. */
static void
learned(struct fabric_pmtu *p, const struct fabric_pmtu_env *env)
{
    p->waiting = false;
    p->probed = 0;
    p->n_probes = 0;
    if (p->limit < MIN(FABRIC_PMTU_MIN, probe_max(p))) {
        p->state = FABRIC_PMTU_ERROR;
        p->mtu = 0;
        p->again = env->now + env->interval;
    } else if (p->size && (p->limit - p->size < FABRIC_PMTU_STEP
                           || p->hint == p->size)) {
        /* The hint is right, for what is larger did not arrive. */
        p->state = FABRIC_PMTU_COMPLETE;
        p->mtu = p->size == probe_max(p) ? p->max : p->size;
        p->confirm = env->now + FABRIC_PMTU_CONFIRM;
        p->again = env->now + env->interval;
    } else if (p->size) {
        p->state = FABRIC_PMTU_SEARCHING;
    }
}

/* The probes of p->probed bytes are lost. */
static void
lost(struct fabric_pmtu *p, const struct fabric_pmtu_env *env)
{
    if (p->state == FABRIC_PMTU_COMPLETE) {
        /* A black hole, section 4.3. */
        fabric_pmtu_restart(p);
        p->max = env->max;
        p->limit = probe_max(p);
        return;
    }
    if (p->hint == p->probed) {
        p->hint = 0;
    }
    p->limit = p->probed - 1;
    learned(p, env);
}

static void
set_max(struct fabric_pmtu *p, uint32_t max)
{
    if (p->max != max) {
        fabric_pmtu_restart(p);
        p->max = max;
        p->mtu = MIN(p->mtu, max);
        p->limit = probe_max(p);
    }
}

/* Searches again if it is time. */
static void
raise_size(struct fabric_pmtu *p, const struct fabric_pmtu_env *env)
{
    if (p->state == FABRIC_PMTU_COMPLETE && p->size == probe_max(p)) {
        p->again = env->now + env->interval;
    } else if (p->state == FABRIC_PMTU_COMPLETE) {
        p->state = FABRIC_PMTU_SEARCHING;
        p->limit = probe_max(p);
        p->hint = 0;
    } else {
        fabric_pmtu_restart(p);
        p->max = env->max;
        p->limit = probe_max(p);
    }
}

void
fabric_pmtu_doubt(struct fabric_pmtu *p, const struct fabric_pmtu_env *env)
{
    if (p->state == FABRIC_PMTU_COMPLETE && !p->probed
        && p->confirm - env->now <= FABRIC_PMTU_CONFIRM - FABRIC_PMTU_DOUBT) {
        p->confirm = env->now;
    }
}

uint16_t
fabric_pmtu_run(struct fabric_pmtu *p, const struct fabric_pmtu_env *env)
{
    set_max(p, env->max);
    if (p->waiting && env->now >= p->deadline) {
        p->waiting = false;
        if (!env->alive) {
            p->n_probes = 0;
        } else if (p->n_probes >= FABRIC_PMTU_MAX_PROBES) {
            lost(p, env);
        }
    }
    if (p->waiting || !env->alive) {
        return 0;
    }
    if (!p->probed) {
        bool ended = (p->state == FABRIC_PMTU_COMPLETE
                      || p->state == FABRIC_PMTU_ERROR);

        if (ended && env->now >= p->again) {
            raise_size(p, env);
        }
        if (p->state == FABRIC_PMTU_COMPLETE && env->now >= p->confirm) {
            p->probed = p->size;
        } else if (p->state == FABRIC_PMTU_BASE_STATE
                   || p->state == FABRIC_PMTU_SEARCHING) {
            p->probed = choose(p);
        }
    }
    if (!p->probed) {
        return 0;
    }
    p->waiting = true;
    p->deadline = env->now + env->rtt + (FABRIC_PMTU_TIMEOUT << p->n_probes++);
    return p->probed;
}

long long int
fabric_pmtu_wake(const struct fabric_pmtu *p)
{
    return (p->waiting ? p->deadline
            : p->probed ? 0
            : p->state == FABRIC_PMTU_COMPLETE ? MIN(p->confirm, p->again)
            : p->state == FABRIC_PMTU_ERROR ? p->again
            : 0);
}

void
fabric_pmtu_answered(struct fabric_pmtu *p, uint16_t size,
                     const struct fabric_pmtu_env *env)
{
    if (p->state == FABRIC_PMTU_COMPLETE) {
        if (size == p->probed) {
            p->waiting = false;
            p->probed = 0;
            p->n_probes = 0;
            p->confirm = env->now + FABRIC_PMTU_CONFIRM;
        }
    } else if (p->state != FABRIC_PMTU_ERROR && size > p->size
               && size <= probe_max(p)) {
        /* A late answer disproves what was concluded from its absence. */
        p->size = size;
        p->limit = MAX(p->limit, size);
        learned(p, env);
    }
}

void
fabric_pmtu_hint(struct fabric_pmtu *p, uint16_t size, uint32_t mtu,
                 const struct fabric_pmtu_env *env)
{
    if (!p->probed || size != p->probed || mtu >= size
        || mtu < FABRIC_PMTU_MIN) {
        return;
    }
    if (p->state == FABRIC_PMTU_COMPLETE) {
        lost(p, env);
    } else if (p->state == FABRIC_PMTU_SEARCHING && mtu >= p->size) {
        p->hint = mtu;
        p->limit = size - 1;
        learned(p, env);
    }
}
