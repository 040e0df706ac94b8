/* SPDX-License-Identifier: Apache-2.0 */

/* Paths: their objects, their indexes, and what state they are in. */

#include <config.h>

#include "fabric-private.h"

#include <errno.h>
#include <sys/mman.h>

#include "fabric-arrival.h"
#include "fabric-discover.h"
#include "fabric-mtu.h"
#include "fabric-prober.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "ovs-thread.h"
#include "packets.h"
#include "random.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(fabric_path);

struct fabric_path_aux *fabric_path_aux;
struct fabric_path **fabric_path_by_index;

static void *
map_array(size_t n, size_t size)
{
    void *p = mmap(NULL, n * size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED) {
        VLOG_FATAL("cannot reserve memory for paths: %s",
                   ovs_strerror(errno));
    }
    return p;
}

void
fabric_path_init(void)
{
    static struct ovsthread_once once = OVSTHREAD_ONCE_INITIALIZER;

    if (ovsthread_once_start(&once)) {
        fabric_table_init();
        fabric_path_aux = map_array(FABRIC_TABLE_MAX_PATHS,
                                    sizeof *fabric_path_aux);
        fabric_path_by_index = map_array(FABRIC_TABLE_MAX_PATHS,
                                         sizeof *fabric_path_by_index);
        ovsthread_once_done(&once);
    }
}

/* Paths seldom die alone.  Those that have missed two answers when one is
 * declared down are probably dead as well, only probed a little later, and its
 * flows had better not go there. */
static void
update_suspects(const struct fabric_endpoint *ep)
    OVS_REQUIRES(fabric_table_mutex)
{
    for (size_t i = 0; i < ep->n_paths; i++) {
        const struct fabric_path *path = ep->paths[i];

        fabric_table_set_suspect(path->index,
                                 path->live.state == FABRIC_PATH_UP
                                 && path->live.n_unanswered > 1);
    }
}

/* Appends why 'path' is in 'state', for the log. */
static void
format_reason(const struct fabric_path *path, enum fabric_path_state state,
              struct ds *ds)
    OVS_REQUIRES(fabric_table_mutex)
{
    if (state == FABRIC_PATH_DOWN) {
        ds_put_cstr(ds, (!path->local_up ? ": uplink down"
                         : path->unreachable ? ": no route"
                         : path->was_usable ? ": no answer"
                         : ": it has yet to answer"));
    } else if (state == FABRIC_PATH_DEGRADED) {
        ds_put_cstr(ds, ": ");
        fabric_health_format_reasons(path->health.reasons, ds);
    }
}

/* Tells discovery if the change may be one of the underlay: a path died, or is
 * back. */
static void
notice_change(struct fabric_path *path, enum fabric_path_state old,
              enum fabric_path_state new)
    OVS_REQUIRES(fabric_table_mutex)
{
    bool up = fabric_path_state_is_usable(new);

    if ((new == FABRIC_PATH_DOWN && fabric_path_state_is_usable(old))
        || (old == FABRIC_PATH_DOWN && up && path->was_usable)
        || (old == FABRIC_PATH_UNKNOWN && up)) {
        fabric_discover_event(path->endpoint);
    }
    path->was_usable |= up;
}

void
fabric_path_refresh(struct fabric_path *path)
{
    enum fabric_path_state old = fabric_table_get_state(path->index);
    bool alive = (path->live.state == FABRIC_PATH_UP && path->local_up
                  && !path->unreachable);
    enum fabric_path_state new
        = (path->drained ? FABRIC_PATH_DRAINED
           : !path->local_up || path->unreachable ? FABRIC_PATH_DOWN
           : alive && fabric_health_is_degraded(&path->health)
           ? FABRIC_PATH_DEGRADED : path->live.state);

    if (alive != path->health.alive) {
        fabric_health_set_alive(&path->health,
                                &path->endpoint->fabric->health, alive,
                                time_usec());
    }
    if (new != old) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(60, 60);
        const struct fabric_table_path *p = &fabric_table_paths[path->index];
        char local[INET6_ADDRSTRLEN], remote[INET6_ADDRSTRLEN];
        struct ds reason = DS_EMPTY_INITIALIZER;

        update_suspects(path->endpoint);
        fabric_table_set_state(path->index, new);
        path->last_change = time_msec();
        format_reason(path, new, &reason);
        notice_change(path, old, new);
        VLOG_INFO_RL(&rl, "%s: endpoint %s: path %s -> %s port %"PRIu16" "
                     "is %s (was %s)%s", path->endpoint->fabric->name,
                     path->endpoint->name,
                     ipv6_string_mapped(local, &p->local_ip),
                     ipv6_string_mapped(remote, &p->remote_ip),
                     ntohs(p->src_port), fabric_path_state_to_string(new),
                     fabric_path_state_to_string(old), ds_cstr(&reason));
        ds_destroy(&reason);
        fabric_endpoint_changed(path->endpoint);
    }
}

void
fabric_path_bare_changed(struct fabric_path *path)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(60, 60);
    const struct fabric_table_path *p = &fabric_table_paths[path->index];
    char local[INET6_ADDRSTRLEN], remote[INET6_ADDRSTRLEN];

    VLOG_INFO_RL(&rl, "%s: endpoint %s: path %s -> %s port %"PRIu16" %s",
                 path->endpoint->fabric->name, path->endpoint->name,
                 ipv6_string_mapped(local, &p->local_ip),
                 ipv6_string_mapped(remote, &p->remote_ip),
                 ntohs(p->src_port),
                 (path->bare.needs_csum
                  ? "loses datagrams without UDP checksum, so only userspace "
                  "sends over it"
                  : "does not need UDP checksums any more"));
    fabric_registry_changed();
}

void
fabric_path_set_unreachable(uint32_t index)
{
    struct fabric_path *path;

    ovs_mutex_lock(&fabric_table_mutex);
    path = fabric_path_by_index[index];
    if (path && !path->unreachable) {
        path->unreachable = true;
        fabric_path_refresh(path);
        fabric_prober_unreachable(path->endpoint);
    }
    ovs_mutex_unlock(&fabric_table_mutex);
}

bool
fabric_path_is_between(const struct fabric_path *path,
                       const struct fabric_uplink *up,
                       const struct in6_addr *remote_ip)
{
    return (path->uplink == up
            && ipv6_addr_equals(&fabric_table_paths[path->index].remote_ip,
                                remote_ip));
}

struct fabric_path *
fabric_path_create(struct fabric_endpoint *ep, struct fabric_uplink *uplink,
                   bool local_up, const struct in6_addr *remote_ip,
                   unsigned int port_idx, uint16_t ssid)
{
    struct fabric_path *path = xzalloc(sizeof *path);
    uint32_t index;

    path->arrival = fabric_arrival_take(ep, uplink, remote_ip,
                                        uplink->src_ports[port_idx], path);
    if (!path->arrival) {
        free(path);
        return NULL;
    }
    path->endpoint = ep;
    path->index = index = path->arrival->index;
    path->uplink = uplink;
    path->port_idx = port_idx;
    path->ssid = ssid;
    path->local_up = local_up;
    path->last_change = time_msec();
    fabric_liveness_init(&path->live);
    fabric_mtu_add(path);
    fabric_health_init(&path->health, &ep->fabric->health, time_usec());
    if (ep->fabric->probe.enabled
        && fabric_bfd_peer_protocol(ep) != FABRIC_PROTOCOL_NONE) {
        /* Flows must not move to it before it is known to work: the peer may
         * have yet to learn of a new uplink. */
        path->live.state = FABRIC_PATH_DOWN;
    }

    path->live.next_seq = ep->first_seq;
    path->bare.seq = random_uint32();
    fabric_path_aux[index] = (struct fabric_path_aux) { uplink, port_idx };
    fabric_path_by_index[index] = path;
    fabric_path_refresh(path);
    return path;
}

void
fabric_path_destroy(struct fabric_path *path)
{
    struct fabric_table_path *p = &fabric_table_paths[path->index];
    uint64_t packets, bytes;
    uint32_t seq;

    atomic_read_relaxed(&p->tx_packets, &packets);
    atomic_read_relaxed(&p->tx_bytes, &bytes);
    path->endpoint->gone_packets += packets;
    path->endpoint->gone_bytes += bytes;
    seq = path->live.next_seq + FABRIC_LIVENESS_WINDOW;
    if ((int32_t) (seq - path->endpoint->first_seq) > 0) {
        path->endpoint->first_seq = seq;
    }

    fabric_path_by_index[path->index] = NULL;
    fabric_arrival_release(path->arrival);
    free(path->hops);
    fabric_mtu_remove(path);
    ovsrcu_postpone(free, path);
}

void
fabric_path_get_info(const struct fabric_path *path,
                     struct fabric_path_info *info)
{
    const struct fabric_bfd *bfd = fabric_bfd_peer_session(path);
    struct fabric_table_path *p = &fabric_table_paths[path->index];
    const struct fabric_liveness *l = &path->live;

    *info = (struct fabric_path_info) {
        .local_ip = p->local_ip,
        .remote_ip = p->remote_ip,
        .src_port = ntohs(p->src_port),
        .state = fabric_table_get_state(path->index),
        .protocol = fabric_bfd_peer_protocol(path->endpoint),
        .n_slots = fabric_table_count_slots(path->index),
        .total_slots = FABRIC_TABLE_SLOTS,
        .probe_tx = l->probe_tx,
        .probe_rx = l->probe_rx,
        .probe_lost = fabric_liveness_lost(l),
        .n_down = l->n_down,
        .n_stalls = l->n_excused,
        .needs_csum = path->bare.needs_csum,
        .rtt_us = l->rtt_us,
        .rtt_min_us = l->rtt_min_us,
        .rtt_smoothed_us = l->rtt_smoothed_us,
        .last_change = path->last_change,
    };
    if (path->hops) {
        info->hops = *path->hops;
    }
    atomic_read_relaxed(&p->mtu, &info->mtu);
    atomic_read_relaxed(&p->tx_packets, &info->tx_packets);
    atomic_read_relaxed(&p->tx_bytes, &info->tx_bytes);
    atomic_read_relaxed(&p->rx_packets, &info->rx_packets);
    atomic_read_relaxed(&p->rx_bytes, &info->rx_bytes);
    if (bfd) {
        info->has_bfd = true;
        info->bfd = *bfd;
    }
    info->weight = fabric_table_get_weight(path->index);
    info->reasons = path->health.reasons;
    fabric_health_get_stats(&path->health, &path->endpoint->fabric->health,
                            time_usec(), &info->health);
}
