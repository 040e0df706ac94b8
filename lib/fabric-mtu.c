/* SPDX-License-Identifier: Apache-2.0 */

/* A sequence number is a nonce of the path (16 bits) and the size (16).
 *
 * While a probe is under way an ear, connected to the remote, takes in what
 * routers say of it: a hint, and nothing that the host should conclude an MTU
 * for all paths from. */

#include <config.h>

#include "fabric-mtu.h"

#include <unistd.h>

#include "coverage.h"
#include "fabric-ear.h"
#include "fabric-private.h"
#include "fabric-session.h"
#include "fabric-trace.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "random.h"
#include "seq.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(fabric_mtu);

COVERAGE_DEFINE(fabric_mtu_sent);
COVERAGE_DEFINE(fabric_mtu_hint);

BUILD_ASSERT_DECL(FABRIC_MTU_SSID + FABRIC_MAX_SSID <= UINT16_MAX);

static const struct in6_addr *
remote_ip(const struct fabric_path *path)
{
    return &fabric_table_paths[path->index].remote_ip;
}

static struct fabric_pmtu_env
get_env(const struct fabric_path *path)
    OVS_REQUIRES(fabric_table_mutex)
{
    const struct fabric_probe_config *config = &path->endpoint->fabric->probe;
    unsigned int rtt = MAX(path->live.rtt_smoothed_us, 0) / 1000;

    return (struct fabric_pmtu_env) {
        .now = time_msec(),
        .rtt = rtt,
        .interval = config->pmtud_interval,
        .max = path->pmtu.max,
        /* All but those that may still be under way. */
        .alive = (path->live.state == FABRIC_PATH_UP
                  && path->live.n_unanswered <= 1 + rtt / config->interval),
    };
}

static void
close_ear(struct fabric_path *path)
    OVS_REQUIRES(fabric_table_mutex)
{
    if (path->pmtu_ear >= 0) {
        close(path->pmtu_ear);
        path->pmtu_ear = -1;
    }
}

static void
log_mtu(const struct fabric_path *path, uint32_t old, uint32_t mtu)
    OVS_REQUIRES(fabric_table_mutex)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(60, 60);
    const struct fabric_table_path *p = &fabric_table_paths[path->index];
    char local[INET6_ADDRSTRLEN], remote[INET6_ADDRSTRLEN];

    VLOG_RL(&rl, !old && mtu == path->pmtu.max ? VLL_DBG : VLL_INFO,
            "%s: endpoint %s: path %s -> %s port %"PRIu16" has MTU %"PRIu32
            " (was %"PRIu32"), the interface %"PRIu32,
            path->endpoint->fabric->name, path->endpoint->name,
            ipv6_string_mapped(local, &p->local_ip),
            ipv6_string_mapped(remote, &p->remote_ip),
            ntohs(p->src_port), mtu, old, path->pmtu.max);
}

/* Tells the path table what is in force. */
static void
publish(const struct fabric_path *path)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_table_path *p = &fabric_table_paths[path->index];
    uint32_t old;

    atomic_store_relaxed(&p->local_mtu, path->pmtu.max);
    atomic_read_relaxed(&p->mtu, &old);
    if (old != path->pmtu.mtu) {
        log_mtu(path, old, path->pmtu.mtu);
        atomic_store_relaxed(&p->mtu, path->pmtu.mtu);
        seq_change(fabric_registry_seq());
    }
}

void
fabric_mtu_add(struct fabric_path *path)
{
    fabric_pmtu_init(&path->pmtu);
    path->pmtu_nonce = random_uint16();
    path->pmtu_ear = -1;
}

void
fabric_mtu_remove(struct fabric_path *path)
{
    close_ear(path);
}

void
fabric_mtu_changed(struct fabric_endpoint *ep)
{
    const struct fabric_probe_config *config = &ep->fabric->probe;

    for (size_t i = 0; i < ep->n_paths; i++) {
        struct fabric_path *path = ep->paths[i];

        fabric_pmtu_restart(&path->pmtu);
        if (!config->enabled || !config->pmtud) {
            fabric_pmtu_init(&path->pmtu);
            publish(path);
        }
        close_ear(path);
    }
}

/* Takes hints. */
static void
run_ear(struct fabric_path *path, const struct fabric_pmtu_env *env)
    OVS_REQUIRES(fabric_table_mutex)
{
    const struct fabric *f = path->endpoint->fabric;
    struct fabric_ear_error e;

    /* There is one probe under way. */
    for (int i = 0; i < 8 && path->pmtu_ear >= 0
                    && fabric_ear_hear(path->pmtu_ear, &e); i++) {
        uint32_t seq;

        if (e.type == FABRIC_EAR_TOO_BIG
            && fabric_trace_parse_quote(path->uplink->config.encap,
                                        f->probe.vni,
                                        fabric_burst_mac(), e.quote,
                                        e.quote_len, &seq)
            && seq >> 16 == path->pmtu_nonce) {
            COVERAGE_INC(fabric_mtu_hint);
            fabric_pmtu_hint(&path->pmtu, seq & 0xffff, e.mtu, env);
        }
    }
}

/* May one more datagram be sent now? */
static bool
may_send(long long int now)
    OVS_REQUIRES(fabric_table_mutex)
{
    static long long int second OVS_GUARDED_BY(fabric_table_mutex);
    static unsigned int n OVS_GUARDED_BY(fabric_table_mutex);

    if (now / 1000 != second) {
        second = now / 1000;
        n = 0;
    }
    return n++ < FABRIC_MTU_PPS;
}

static void
send_probe(struct fabric_path *path, uint16_t size, struct fabric_burst *b)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_uplink *up = path->uplink;

    if (path->pmtu_ear < 0 && up->class->open_ear) {
        path->pmtu_ear = up->class->open_ear(up, path->port_idx,
                                             remote_ip(path), true);
    }
    fabric_session_size(path, size, FABRIC_MTU_SSID + path->ssid,
                        (uint32_t) path->pmtu_nonce << 16 | size, b);
    COVERAGE_INC(fabric_mtu_sent);
}

static void
run_path(struct fabric_path *path, struct fabric_burst *b)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_pmtu_env env = get_env(path);
    struct fabric_uplink *up = path->uplink;
    struct fabric_pmtu *p = &path->pmtu;
    uint16_t size;

    if (!fabric_table_is_usable(path->index)) {
        path->pmtu_stale = true;
        close_ear(path);
        return;
    }
    if (path->pmtu_stale) {
        path->pmtu_stale = false;
        fabric_pmtu_restart(p);
    }
    run_ear(path, &env);
    if (path->health.reasons & (1u << FABRIC_HEALTH_LARGE)) {
        fabric_pmtu_doubt(p, &env);
    }
    if (env.now >= fabric_pmtu_wake(p) && may_send(env.now)) {
        env.max = up->class->get_mtu(up, path->port_idx, remote_ip(path));
        size = env.max ? fabric_pmtu_run(p, &env) : 0;
        if (size) {
            send_probe(path, size, b);
        }
    }
    if (!p->waiting) {
        close_ear(path);
    }
    publish(path);
}

void
fabric_mtu_run(struct fabric_endpoint *ep, struct fabric_burst *b)
{
    const struct fabric *f = ep->fabric;

    if (f->probe.pmtud && f->class->get_mtu && !ep->idle) {
        for (size_t i = 0; i < ep->n_paths; i++) {
            run_path(ep->paths[i], b);
        }
    }
}

void
fabric_mtu_answered(struct fabric_endpoint *ep, const struct fabric_uplink *up,
                    const struct fabric_rx *rx, uint16_t ssid, uint32_t seq)
{
    for (size_t i = 0; i < ep->n_paths; i++) {
        struct fabric_path *path = ep->paths[i];

        if (FABRIC_MTU_SSID + path->ssid == ssid) {
            if (seq >> 16 == path->pmtu_nonce
                && fabric_path_is_between(path, up, &rx->remote_ip)) {
                struct fabric_pmtu_env env = get_env(path);

                fabric_pmtu_answered(&path->pmtu, seq & 0xffff, &env);
            }
            break;
        }
    }
}
