/* SPDX-License-Identifier: Apache-2.0 */

/* A probe of path k shows that packets arrive over k if its answer comes back,
 * but the answer's own way may be what is broken.  Hence every answer also
 * tells which probes arrived over other paths (the "heard" TLV of
 * fabric-stamp.h): as long as any way back works, only paths go down whose way
 * there does not.
 *
 * Answers choose their path as follows.  The answer to a probe goes back
 * between the same two addresses, with the same source port as the probe if
 * that path is usable, so that path k there and path k here stand or fall
 * together.  If it is not usable, another usable path between the two
 * addresses carries the answer: otherwise one dead direction would keep a path
 * down whose other direction works. */

#include <config.h>

#include "fabric-prober.h"

#include <errno.h>
#include <sched.h>

#include "coverage.h"
#include "fabric-carrier.h"
#include "fabric-drops.h"
#include "fabric-encap.h"
#include "fabric-private.h"
#include "fabric-stamp.h"
#include "hash.h"
#include "latch.h"
#include "netlink-socket.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "ovs-thread.h"
#include "random.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(fabric_prober);

COVERAGE_DEFINE(fabric_probe_sent);
COVERAGE_DEFINE(fabric_prober_overload);
COVERAGE_DEFINE(fabric_probe_reflected);
COVERAGE_DEFINE(fabric_probe_answered);

/* Paths by the time of their next event: [0] served by the main loop, [1] by
 * the thread. */
static struct heap timers[2] OVS_GUARDED_BY(fabric_table_mutex);

static bool thread_started;
static pthread_t thread;
static struct latch exit_latch;

/* Without probes nothing tells when the host can send over a path again, so
 * after this time, in ms, it is tried with data. */
#define UNREACHABLE_RETRY 1000

/* Wakes the thread when uplinks or paths change. */
static struct latch change_latch;

static void *fabric_prober_main(void *);

static void
prober_init(void)
{
    static struct ovsthread_once once = OVSTHREAD_ONCE_INITIALIZER;

    if (ovsthread_once_start(&once)) {
        heap_init(&timers[0]);
        heap_init(&timers[1]);
        latch_init(&exit_latch);
        latch_init(&change_latch);
        ovsthread_once_done(&once);
    }
}

/* heap.h keeps the maximum in front; we want the earliest time. */
static uint64_t
time_to_priority(long long int when)
{
    return UINT64_MAX - (uint64_t) when;
}

static struct heap *
path_heap(const struct fabric_path *path)
    OVS_REQUIRES(fabric_table_mutex)
{
    return &timers[path->uplink->class->threaded];
}

static long long int
next_event(const struct fabric_path *path)
    OVS_REQUIRES(fabric_table_mutex)
{
    const struct fabric *f = path->endpoint->fabric;
    long long int deadline = LLONG_MAX;

    if (f->probe.enabled
        && (path->live.state != FABRIC_PATH_UNKNOWN
            || path->endpoint->answers)) {
        deadline = fabric_liveness_deadline(&path->live, &f->probe);
    }
    return MIN(path->next_probe, deadline);
}

/* Returns when, after 'now', the next probe of 'path' is due.  All paths of an
 * endpoint are probed together: a burst wakes either side once where as many
 * probes one by one would wake it every time, and paths that die together are
 * missed together.  Endpoints are spread over the interval. */
static long long int
next_slot(const struct fabric_path *path, long long int now)
    OVS_REQUIRES(fabric_table_mutex)
{
    unsigned int interval = path->endpoint->fabric->probe.interval;
    unsigned int phase = hash_int(path->endpoint->id, 0) % interval;

    return now + interval - (now - phase) % interval;
}

/* Sets the time of the first probe of 'path', or of what there is to do for it
 * if it is not probed. */
static void
schedule_first(struct fabric_path *path)
    OVS_REQUIRES(fabric_table_mutex)
{
    const struct fabric_probe_config *config = &path->endpoint->fabric->probe;

    if (config->enabled) {
        path->next_probe = next_slot(path, time_msec());
    } else {
        path->next_probe = (path->unreachable
                            ? time_msec() + UNREACHABLE_RETRY : LLONG_MAX);
    }
}

/* The thread may be waiting for longer than 'path' does, even for ever. */
static void
wake_for(const struct fabric_path *path)
    OVS_REQUIRES(fabric_table_mutex)
{
    if (heap_max(path_heap(path)) == &path->timer) {
        latch_set(&change_latch);
    }
}

void
fabric_prober_add(struct fabric_path *path)
{
    prober_init();

    schedule_first(path);
    heap_insert(path_heap(path), &path->timer,
                time_to_priority(path->next_probe));
    wake_for(path);
}

void
fabric_prober_reschedule(struct fabric *f)
{
    struct fabric_endpoint *ep;

    CMAP_FOR_EACH (ep, id_node, &f->by_id) {
        for (size_t i = 0; i < ep->n_paths; i++) {
            struct fabric_path *path = ep->paths[i];

            if (!f->probe.enabled) {
                fabric_liveness_reset(&path->live);
                fabric_path_refresh(path);
            }
            schedule_first(path);
            heap_change(path_heap(path), &path->timer,
                        time_to_priority(next_event(path)));
            wake_for(path);
        }
    }
}

void
fabric_prober_unreachable(struct fabric_path *path)
{
    if (!path->endpoint->fabric->probe.enabled) {
        schedule_first(path);
        heap_change(path_heap(path), &path->timer,
                    time_to_priority(path->next_probe));
        wake_for(path);
    }
}

void
fabric_prober_remove(struct fabric_path *path)
{
    heap_remove(path_heap(path), &path->timer);
}

void
fabric_prober_changed(void)
{
    const struct fabric *f;

    prober_init();
    CMAP_FOR_EACH (f, name_node, &fabrics_by_name) {
        if (f->class->threaded && !thread_started) {
            thread_started = true;
            thread = ovs_thread_create("fabric_prober", fabric_prober_main,
                                       NULL);
        }
    }
    latch_set(&change_latch);
}

void
fabric_prober_exit(void)
{
    if (thread_started) {
        latch_set(&exit_latch);
        xpthread_join(thread, NULL);
        latch_poll(&exit_latch);
        thread_started = false;
    }
}

/* Sending. */

/* Datagrams that wait to be sent from one uplink. */
struct burst {
    struct fabric_uplink *uplink;
    size_t n;
    struct fabric_datagram datagrams[32];
    struct iovec iovs[32];
    struct fabric_path *paths[32];      /* NULL for answers. */
    uint8_t bufs[32][FABRIC_GENEVE_HLEN + FABRIC_STAMP_MAX_FRAME];
};

static void
burst_flush(struct burst *b)
    OVS_REQUIRES(fabric_table_mutex)
{
    if (!b->n) {
        return;
    }
    b->uplink->class->send(b->uplink, b->datagrams, b->n);
    for (size_t i = 0; i < b->n; i++) {
        struct fabric_path *path = b->paths[i];

        if (path) {
            path->unreachable
                = fabric_uplink_is_unreachable(b->datagrams[i].error);
            fabric_path_refresh(path);
        }
    }
    b->n = 0;
}

static const struct eth_addr *
probe_source_mac(void)
{
    static struct ovsthread_once once = OVSTHREAD_ONCE_INITIALIZER;
    static struct eth_addr mac;

    if (ovsthread_once_start(&once)) {
        eth_addr_random(&mac);
        ovsthread_once_done(&once);
    }
    return &mac;
}

/* The outer TTL of probes, which differs from that of data.  A NIC's GRO joins
 * datagrams of one flow, and then all go where the first goes: a shorter
 * datagram of data behind a probe would be lost to the probe socket.  It joins
 * none whose TTLs differ (inet_gro_receive() and ipv6_gro_receive() of
 * Linux). */
static uint8_t
probe_ttl(const struct fabric_uplink *up)
{
    return up->config.ttl == UINT8_MAX ? UINT8_MAX - 1 : UINT8_MAX;
}

/* Adds 'stamp' to 'b', to go from port 'port_idx' of 'up' to 'remote'. */
static void
burst_add(struct burst *b, const struct fabric *f, struct fabric_uplink *up,
          unsigned int port_idx, const struct in6_addr *remote,
          const struct fabric_stamp *stamp, struct fabric_path *path)
    OVS_REQUIRES(fabric_table_mutex)
{
    size_t i, size;

    if (b->n == ARRAY_SIZE(b->datagrams) || (b->n && b->uplink != up)) {
        burst_flush(b);
    }
    b->uplink = up;
    i = b->n++;

    size = fabric_encap_build_simple(f->encap, f->probe.vni, true,
                                     b->bufs[i]);
    size += fabric_stamp_compose(stamp, probe_source_mac(),
                                 &up->config.local_ip, b->bufs[i] + size);
    b->iovs[i] = (struct iovec) { .iov_base = b->bufs[i], .iov_len = size };
    b->datagrams[i] = (struct fabric_datagram) {
        .remote_ip = *remote,
        .port_idx = port_idx,
        .ttl = probe_ttl(up),
        .iov = &b->iovs[i],
        .n_iov = 1,
        .size = size,
    };
    b->paths[i] = path;
}

static fabric_stamp_ts
stamp_now(void)
{
    return fabric_stamp_ts_from_ns((uint64_t) time_wall_usec() * 1000);
}

/* RFC 8762 section 4.2.1: not synchronized, NTP format, multiplier 1. */
#define ERROR_ESTIMATE 1

static void
probe_path(struct fabric_path *path, struct burst *b)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_stamp stamp = {
        .n_heard = MIN(path->endpoint->n_paths - 1, FABRIC_STAMP_MAX_HEARD),
        .seq = fabric_liveness_sent(&path->live, time_usec()),
        .timestamp = stamp_now(),
        .error_estimate = ERROR_ESTIMATE,
        .ssid = path->ssid,
    };

    COVERAGE_INC(fabric_probe_sent);
    burst_add(b, path->endpoint->fabric, path->uplink, path->port_idx,
              &fabric_table_paths[path->index].remote_ip, &stamp, path);
}

static void
path_event(struct fabric_path *path, struct burst *b, long long int now)
    OVS_REQUIRES(fabric_table_mutex)
{
    const struct fabric_probe_config *config = &path->endpoint->fabric->probe;

    if (!config->enabled) {
        path->unreachable = false;
        fabric_path_refresh(path);
        path->next_probe = LLONG_MAX;
    } else {
        if (fabric_liveness_check(&path->live, config,
                                  path->endpoint->answers, now * 1000)) {
            fabric_path_refresh(path);
        }
        if (now >= path->next_probe) {
            probe_path(path, b);
            path->next_probe = next_slot(path, now);
        }
    }
    heap_change(path_heap(path), &path->timer,
                time_to_priority(next_event(path)));
}

static void
run_timers(bool threaded)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct heap *heap = &timers[threaded];
    long long int now = time_msec();
    struct burst b;

    b.n = 0;

    while (!heap_is_empty(heap)
           && heap_max(heap)->priority >= time_to_priority(now)) {
        path_event(CONTAINER_OF(heap_max(heap), struct fabric_path, timer),
                   &b, now);
    }
    burst_flush(&b);
}

/* Receiving. */

/* Returns the path of 'ep' that carries answers to 'remote' from 'up', as the
 * comment at the top of this file says; NULL if there is none. */
static struct fabric_path *
answer_path(const struct fabric_endpoint *ep, const struct fabric_uplink *up,
            const struct in6_addr *remote, uint16_t port)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_path *same = NULL, *usable = NULL;

    for (size_t i = 0; i < ep->n_paths; i++) {
        struct fabric_path *path = ep->paths[i];
        const struct fabric_table_path *p = &fabric_table_paths[path->index];

        if (path->uplink == up && ipv6_addr_equals(&p->remote_ip, remote)) {
            bool ok = fabric_path_state_is_usable(
                fabric_table_get_state(path->index));

            if (ntohs(p->src_port) == port && ok) {
                return path;
            } else if (ok && !usable) {
                usable = path;
            } else if (!same || ntohs(p->src_port) == port) {
                same = path;
            }
        }
    }
    return usable ? usable : same;
}

/* Bounds what answering costs: as much as two remote IPs with the most paths
 * take that are probed at the shortest interval, a millisecond. */
static bool
may_reflect(struct fabric_endpoint *ep)
    OVS_REQUIRES(fabric_table_mutex)
{
    long long int second = time_msec() / 1000;

    if (ep->reflect_second != second) {
        ep->reflect_second = second;
        ep->n_reflected = 0;
    }
    return ep->n_reflected++ < 2000 * FABRIC_MAX_PATHS_PER_REMOTE;
}

/* How long what was heard is worth telling, ms. */
#define HEARD_MAX_AGE 10000

static void
remember_heard(struct fabric_endpoint *ep, uint16_t ssid, uint32_t seq)
    OVS_REQUIRES(fabric_table_mutex)
{
    if (!ssid || ssid > FABRIC_MAX_SSID) {
        return;
    }
    if (ssid > ep->n_heard) {
        ep->heard = xrealloc(ep->heard, ssid * sizeof *ep->heard);
        memset(&ep->heard[ep->n_heard], 0,
               (ssid - ep->n_heard) * sizeof *ep->heard);
        ep->n_heard = ssid;
    }
    ep->heard[ssid - 1].seq = seq;
    ep->heard[ssid - 1].when = time_msec();
}

/* Fills the entries of 'reply' with what was heard on the paths that follow
 * its own, so that the answers on all paths together tell of every path. */
static void
tell_heard(const struct fabric_endpoint *ep, struct fabric_stamp *reply)
    OVS_REQUIRES(fabric_table_mutex)
{
    long long int now = time_msec();
    size_t n = 0;

    for (size_t i = 0; i + 1 < ep->n_heard && n < reply->n_heard; i++) {
        size_t ssid = (reply->ssid + i) % ep->n_heard + 1;
        const struct fabric_heard *h = &ep->heard[ssid - 1];

        if (h->when && now - h->when < HEARD_MAX_AGE) {
            reply->heard[n].ssid = ssid;
            reply->heard[n++].seq = h->seq;
        }
    }
}

static void
reflect(struct fabric_endpoint *ep, struct fabric_uplink *up,
        const struct fabric_rx *rx, const struct fabric_stamp *test,
        fabric_stamp_ts arrival, struct burst *b)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_path *path = answer_path(ep, up, &rx->remote_ip,
                                           rx->remote_port);
    struct fabric_stamp reply;

    if (!path) {
        fabric_drop_count(FABRIC_DROP_RX_BAD_PROBE, 1);
        return;
    }
    if (!may_reflect(ep)) {
        fabric_drop_count(FABRIC_DROP_RX_PROBE_RATE, 1);
        return;
    }
    fabric_stamp_reflect(test, rx->ttl, arrival, stamp_now(), &reply);
    remember_heard(ep, test->ssid, test->seq);
    tell_heard(ep, &reply);
    COVERAGE_INC(fabric_probe_reflected);
    burst_add(b, ep->fabric, up, path->port_idx, &rx->remote_ip, &reply,
              NULL);
}

static struct fabric_path *
find_ssid(const struct fabric_endpoint *ep, uint16_t ssid)
    OVS_REQUIRES(fabric_table_mutex)
{
    for (size_t i = 0; i < ep->n_paths; i++) {
        if (ep->paths[i]->ssid == ssid) {
            return ep->paths[i];
        }
    }
    return NULL;
}

/* Acts on what 'ep' says that it heard of our other paths. */
static void
heard(struct fabric_endpoint *ep, const struct fabric_stamp *reply)
    OVS_REQUIRES(fabric_table_mutex)
{
    for (size_t i = 0; i < reply->n_heard; i++) {
        const struct fabric_stamp_heard *h = &reply->heard[i];
        struct fabric_path *path = h->ssid ? find_ssid(ep, h->ssid) : NULL;

        if (path) {
            if (fabric_liveness_heard(&path->live, &ep->fabric->probe,
                                      h->seq)) {
                fabric_path_refresh(path);
            }
            heap_change(path_heap(path), &path->timer,
                        time_to_priority(next_event(path)));
        }
    }
}

static void
answered(struct fabric_endpoint *ep, struct fabric_uplink *up,
         const struct fabric_rx *rx, const struct fabric_stamp *reply)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_path *path = find_ssid(ep, reply->ssid);

    if (!path || path->uplink != up
        || !ipv6_addr_equals(&fabric_table_paths[path->index].remote_ip,
                             &rx->remote_ip)) {
        fabric_drop_count(FABRIC_DROP_RX_BAD_PROBE, 1);
        return;
    }

    int64_t residence_us
        = ((int64_t) fabric_stamp_ts_to_ns(reply->timestamp)
           - (int64_t) fabric_stamp_ts_to_ns(reply->rx_timestamp)) / 1000;

    COVERAGE_INC(fabric_probe_answered);
    if (!ep->answers) {
        ep->answers = true;
        fabric_registry_changed();
    }
    if (fabric_liveness_answered(&path->live, &ep->fabric->probe,
                                 reply->sender_seq, time_usec(),
                                 MAX(residence_us, 0))) {
        fabric_path_refresh(path);
    }
    heap_change(path_heap(path), &path->timer,
                time_to_priority(next_event(path)));
    heard(ep, reply);
}

static void
receive(struct fabric *f, struct fabric_uplink *up, const struct fabric_rx *rx,
        struct burst *b)
    OVS_REQUIRES(fabric_table_mutex)
{
    fabric_stamp_ts arrival = stamp_now();
    struct fabric_encap_info info;
    struct fabric_endpoint *ep;
    struct fabric_stamp stamp;
    enum fabric_drop drop;

    if (!fabric_encap_parse(f->encap, rx->data, rx->size, &info, &drop)) {
        fabric_drop_count(drop, 1);
        return;
    }
    ep = fabric_endpoint_by_ip(f, &rx->remote_ip);
    if (!ep) {
        fabric_drop_count(FABRIC_DROP_RX_UNKNOWN_SOURCE, 1);
        return;
    }
    if (info.vni != f->probe.vni
        || !fabric_stamp_parse(rx->data + info.header_len,
                               rx->size - info.header_len, &stamp)) {
        fabric_drop_count(FABRIC_DROP_RX_BAD_PROBE, 1);
        return;
    }
    if (stamp.reflected) {
        answered(ep, up, rx, &stamp);
    } else {
        reflect(ep, up, rx, &stamp, arrival, b);
    }
}

void
fabric_prober_receive(struct fabric *f, struct fabric_uplink *up,
                      const struct fabric_rx *rx)
{
    struct burst b;

    b.n = 0;
    ovs_mutex_lock(&fabric_table_mutex);
    receive(f, up, rx, &b);
    burst_flush(&b);
    ovs_mutex_unlock(&fabric_table_mutex);
}

/* Receives what 'up' has, but not for ever: others want their turn. */
static bool
receive_uplink(struct fabric *f, struct fabric_uplink *up, struct burst *b)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_rx rx[FABRIC_RX_BURST];
    bool any = false;

    for (int rounds = 0; rounds < 16; rounds++) {
        size_t n = up->class->recv_probe(up, rx);

        for (size_t i = 0; i < n; i++) {
            receive(f, up, &rx[i], b);
        }
        any |= n > 0;
        if (n < FABRIC_RX_BURST) {
            break;
        }
    }
    return any;
}

static bool
run_receive(bool threaded)
    OVS_REQUIRES(fabric_table_mutex)
{
    bool any = false;
    struct fabric *f;
    struct burst b;

    b.n = 0;
    CMAP_FOR_EACH (f, name_node, &fabrics_by_name) {
        const struct fabric_uplinks *ups;

        if (f->class->threaded != threaded) {
            continue;
        }
        ups = ovsrcu_get_protected(struct fabric_uplinks *, &f->uplinks);
        for (size_t i = 0; i < ups->n; i++) {
            any |= receive_uplink(f, ups->uplinks[i], &b);
        }
    }
    burst_flush(&b);
    return any;
}

static void
prober_wait(bool threaded)
{
    struct fabric *f;

    ovs_mutex_lock(&fabric_table_mutex);
    CMAP_FOR_EACH (f, name_node, &fabrics_by_name) {
        const struct fabric_uplinks *ups;

        if (f->class->threaded == threaded) {
            ups = ovsrcu_get_protected(struct fabric_uplinks *, &f->uplinks);
            for (size_t i = 0; i < ups->n; i++) {
                ups->uplinks[i]->class->recv_probe_wait(ups->uplinks[i]);
            }
        }
    }
    if (!heap_is_empty(&timers[threaded])) {
        uint64_t priority = heap_max(&timers[threaded])->priority;

        poll_timer_wait_until(UINT64_MAX - priority);
    }
    ovs_mutex_unlock(&fabric_table_mutex);
}

void
fabric_prober_run(void)
{
    if (cmap_is_empty(&fabrics_by_name)) {
        return;
    }

    /* Dummy uplinks deliver at once, so this ends when nothing is left. */
    ovs_mutex_lock(&fabric_table_mutex);
    while (run_receive(false)) {
        continue;
    }
    run_timers(false);
    while (run_receive(false)) {
        continue;
    }
    ovs_mutex_unlock(&fabric_table_mutex);
}

void
fabric_prober_wait(void)
{
    if (!cmap_is_empty(&fabrics_by_name)) {
        prober_wait(false);
    }
}

/* Asks to be scheduled ahead of the workloads: a prober that waits for a CPU
 * looks like a path that is dead. */
static void
raise_priority(void)
{
    struct sched_param param = { .sched_priority = 1 };
    int error = pthread_setschedparam(pthread_self(), SCHED_RR, &param);

    if (error) {
        VLOG_INFO("no real-time priority for probes (%s)",
                  ovs_strerror(error));
    }
}

/* Most time that probes may take before others get a turn, us. */
#define MAX_BUSY 5000

/* CPU time that this thread has taken, us. */
static long long int
thread_cpu_usec(void)
{
    struct timespec ts;

    xclock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return ts.tv_sec * 1000000LL + ts.tv_nsec / 1000;
}

/* Keeps a flood of probes, or more paths than this machine can probe, from
 * taking more than half of a processor: a thread with real-time priority would
 * otherwise starve the main thread, which needs the mutex too.  '*busy' is the
 * CPU time taken, beyond that for which the thread slept, since the last
 * rest. */
static void
rest_if_busy(long long int *busy, long long int start)
{
    *busy += thread_cpu_usec() - start;
    if (*busy >= MAX_BUSY) {
        COVERAGE_INC(fabric_prober_overload);
        xnanosleep(*busy * 1000);
        *busy = 0;
    }
}

static void *
fabric_prober_main(void *aux OVS_UNUSED)
{
    struct nl_sock *monitor = fabric_carrier_open_monitor();
    long long int busy = 0;

    raise_priority();
    while (!latch_is_set(&exit_latch)) {
        long long int start = thread_cpu_usec();

        latch_poll(&change_latch);
        if (monitor) {
            fabric_carrier_run_monitor(monitor);
        }
        ovs_mutex_lock(&fabric_table_mutex);
        run_receive(true);
        run_timers(true);
        ovs_mutex_unlock(&fabric_table_mutex);

        prober_wait(true);
        if (monitor) {
            nl_sock_wait(monitor, POLLIN);
        }
        latch_wait(&change_latch);
        latch_wait(&exit_latch);
        rest_if_busy(&busy, start);
        start = time_usec();
        poll_block();
        busy = MAX(0, busy - (time_usec() - start));
    }
    nl_sock_destroy(monitor);
    return NULL;
}
