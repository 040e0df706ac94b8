/* SPDX-License-Identifier: Apache-2.0 */

/* Endpoints by the time of their next event are a heap; all paths of an
 * endpoint are tested together.
 *
 * Cost.  Most of what a probe costs is its share of a system call and of a
 * wake-up, so both are shared: endpoints take turns on a coarse grid of time,
 * what is due together leaves together (fabric-session.h), and a thread that
 * is woken again right after it went to sleep waits until more has arrived.
 * Round trips do not suffer, since the kernel tells when a probe arrived.
 *
 * Endpoints to which nothing was sent for a while are idle, and probed less
 * often.  Whoever sends to an endpoint marks it in the path table.  From
 * userspace, the first packet also has it probed at once; for what the kernel
 * forwards, the marks of idle endpoints are looked at WATCH_INTERVAL apart. */

#include <config.h>

#include "fabric-prober.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>

#include "coverage.h"
#include "fabric-arrival.h"
#include "fabric-carrier.h"
#include "fabric-discover.h"
#include "fabric-grade.h"
#include "fabric-mtu.h"
#include "fabric-private.h"
#include "fabric-session.h"
#include "hash.h"
#include "latch.h"
#include "netlink-socket.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "ovs-thread.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(fabric_prober);

COVERAGE_DEFINE(fabric_prober_overload);
COVERAGE_DEFINE(fabric_prober_wakeup);
COVERAGE_DEFINE(fabric_endpoint_idle);
COVERAGE_DEFINE(fabric_endpoint_busy);

/* Endpoints by the time of their next event, and what else is to be done at
 * times. */
struct schedule {
    struct heap endpoints;
    size_t n_idle;
    long long int next_watch;           /* ms. */
    long long int heard;                /* What had arrived by then has been
                                         * received, ms... */
    bool all;                           /* ...and nothing was left. */
    long long int now;                  /* Of the latest run, ms. */
};

/* [0] is served by the main loop, [1] by the thread. */
static struct schedule schedules[2] OVS_GUARDED_BY(fabric_table_mutex);

/* What is about to be sent. */
static struct fabric_burst burst OVS_GUARDED_BY(fabric_table_mutex);

static bool thread_started;
static pthread_t thread;
static struct latch exit_latch;

/* Without probes nothing tells when the host can send over a path again, so
 * after this time, in ms, it is tried with data. */
#define UNREACHABLE_RETRY 1000

/* How often the marks of idle endpoints are looked at, ms. */
#define WATCH_INTERVAL 100

/* Silence is judged after so long even if there is more to receive all the
 * time, ms. */
#define MAX_UNHEARD 1000

/* Points in time, in each interval, at which endpoints may be probed. */
#define GRID 32

/* Wakes the thread when uplinks or paths change. */
static struct latch change_latch;

static void *fabric_prober_main(void *);

static void
prober_init(void)
{
    static struct ovsthread_once once = OVSTHREAD_ONCE_INITIALIZER;

    if (ovsthread_once_start(&once)) {
        heap_init(&schedules[0].endpoints);
        heap_init(&schedules[1].endpoints);
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

static struct schedule *
endpoint_schedule(const struct fabric_endpoint *ep)
    OVS_REQUIRES(fabric_table_mutex)
{
    return &schedules[ep->fabric->class->threaded];
}

/* The configuration by which 'ep' is probed now. */
static struct fabric_probe_config
endpoint_config(const struct fabric_endpoint *ep)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_probe_config config = ep->fabric->probe;

    if (ep->idle) {
        config.interval = config.idle_interval;
    }
    return config;
}

/* Returns when 'path', if nothing is heard, is to be judged. */
static long long int
path_deadline(const struct fabric_path *path,
              const struct fabric_probe_config *config)
    OVS_REQUIRES(fabric_table_mutex)
{
    const struct fabric_endpoint *ep = path->endpoint;
    const struct fabric_liveness *l = &path->live;
    long long int deadline = fabric_liveness_deadline(l, config);

    return (deadline == LLONG_MAX ? deadline
            : deadline + fabric_hearing_patience(&ep->hearing,
                                                 l->unanswered_since,
                                                 endpoint_schedule(ep)->now));
}

static long long int
next_event(const struct fabric_endpoint *ep,
           const struct fabric_probe_config *config)
    OVS_REQUIRES(fabric_table_mutex)
{
    long long int next = MIN(ep->next_probe,
                             fabric_bfd_peer_deadline(ep, config));
    bool judged = config->enabled && fabric_bfd_peer_uses_stamp(ep);

    for (size_t i = 0; judged && i < ep->n_paths; i++) {
        const struct fabric_liveness *l = &ep->paths[i]->live;

        if (l->state != FABRIC_PATH_UNKNOWN || ep->answers) {
            /* Later, if there is more to receive. */
            next = MIN(next, MAX(path_deadline(ep->paths[i], config),
                                 endpoint_schedule(ep)->now + 1));
        }
    }
    return next;
}

/* Returns when, after 'now', the next probes of 'ep' are due.  All paths of an
 * endpoint are probed together: a burst wakes either side once where as many
 * probes one by one would wake it every time, and paths that die together are
 * missed together.  Endpoints are spread over the interval. */
static long long int
next_slot(const struct fabric_endpoint *ep, unsigned int interval,
          long long int now)
{
    unsigned int quantum = MAX(interval / GRID, 1);
    unsigned int phase = hash_int(ep->id, 0) % interval / quantum * quantum;

    return now + interval - (now - phase) % interval;
}

/* The thread may be waiting for longer than 'ep' does, even for ever. */
static void
reschedule(struct fabric_endpoint *ep,
           const struct fabric_probe_config *config)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct heap *heap = &endpoint_schedule(ep)->endpoints;

    heap_change(heap, &ep->timer, time_to_priority(next_event(ep, config)));
    if (heap_max(heap) == &ep->timer) {
        latch_set(&change_latch);
    }
}

void
fabric_prober_event_changed(struct fabric_endpoint *ep)
{
    struct fabric_probe_config config = endpoint_config(ep);

    reschedule(ep, &config);
}

static bool
has_unreachable(const struct fabric_endpoint *ep)
    OVS_REQUIRES(fabric_table_mutex)
{
    for (size_t i = 0; i < ep->n_paths; i++) {
        if (ep->paths[i]->unreachable) {
            return true;
        }
    }
    return false;
}

/* Sets the time of the first probes of 'ep', or of what there is to do for it
 * if it is not probed. */
static void
schedule_first(struct fabric_endpoint *ep)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_probe_config config = endpoint_config(ep);

    ep->next_probe = (config.enabled
                      ? next_slot(ep, config.interval, time_msec())
                      : has_unreachable(ep)
                      ? time_msec() + UNREACHABLE_RETRY : LLONG_MAX);
    reschedule(ep, &config);
}

void
fabric_prober_add(struct fabric_endpoint *ep)
{
    prober_init();

    ep->last_sent = time_msec();
    heap_insert(&endpoint_schedule(ep)->endpoints, &ep->timer, 0);
    schedule_first(ep);
    fabric_discover_add(ep);
}

static void
set_idle(struct fabric_endpoint *ep, bool idle)
    OVS_REQUIRES(fabric_table_mutex)
{
    if (ep->idle != idle) {
        ep->idle = idle;
        endpoint_schedule(ep)->n_idle += idle ? 1 : -1;
        atomic_store_relaxed(&fabric_table_endpoints[ep->index].idle, idle);
        if (idle) {
            atomic_store_relaxed(&fabric_table_endpoints[ep->index].needed,
                                 0);
            COVERAGE_INC(fabric_endpoint_idle);
        } else {
            fabric_discover_wake(ep);
            COVERAGE_INC(fabric_endpoint_busy);
        }
    }
}

void
fabric_prober_remove(struct fabric_endpoint *ep)
{
    set_idle(ep, false);
    fabric_discover_remove(ep);
    heap_remove(&endpoint_schedule(ep)->endpoints, &ep->timer);
}

void
fabric_prober_reschedule(struct fabric *f)
{
    struct fabric_endpoint *ep;

    CMAP_FOR_EACH (ep, id_node, &f->by_id) {
        for (size_t i = 0; !f->probe.enabled && i < ep->n_paths; i++) {
            fabric_liveness_reset(&ep->paths[i]->live);
            fabric_path_refresh(ep->paths[i]);
        }
        fabric_bfd_peer_reconfigure(ep);
        fabric_mtu_changed(ep);
        set_idle(ep, false);
        ep->last_sent = time_msec();
        schedule_first(ep);
        fabric_discover_add(ep);
    }
}

void
fabric_prober_unreachable(struct fabric_endpoint *ep)
{
    if (!ep->fabric->probe.enabled) {
        schedule_first(ep);
    }
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

/* Idle endpoints. */

/* Has anything been sent to 'ep' since the last time? */
static bool
take_sent(const struct fabric_endpoint *ep)
{
    struct fabric_table_endpoint *e = &fabric_table_endpoints[ep->index];
    uint32_t sent;

    atomic_read_relaxed(&e->sent, &sent);
    if (sent) {
        atomic_store_relaxed(&e->sent, 0);
    }
    return sent;
}

/* Has 'ep', which was idle, probed at once. */
static void
wake_endpoint(struct fabric_endpoint *ep)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_probe_config config;

    set_idle(ep, false);
    ep->last_sent = ep->next_probe = time_msec();
    config = endpoint_config(ep);
    reschedule(ep, &config);
}

void
fabric_prober_wake(struct fabric_endpoint *ep)
{
    ovs_mutex_lock(&fabric_table_mutex);
    if (ep->idle) {
        wake_endpoint(ep);
    }
    ovs_mutex_unlock(&fabric_table_mutex);
}

/* Wakes idle endpoints to which something was sent. */
static void
watch_idle(bool threaded, long long int now)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct schedule *s = &schedules[threaded];
    struct fabric *f;

    if (!s->n_idle || now < s->next_watch) {
        return;
    }
    s->next_watch = now + WATCH_INTERVAL;
    CMAP_FOR_EACH (f, name_node, &fabrics_by_name) {
        struct fabric_endpoint *ep;

        if (f->class->threaded != threaded) {
            continue;
        }
        CMAP_FOR_EACH (ep, id_node, &f->by_id) {
            if (ep->idle && take_sent(ep)) {
                wake_endpoint(ep);
            }
        }
    }
}

/* Decides whether 'ep', which is not idle, is by now. */
static void
check_idle(struct fabric_endpoint *ep, long long int now)
    OVS_REQUIRES(fabric_table_mutex)
{
    const struct fabric_probe_config *config = &ep->fabric->probe;

    if (take_sent(ep)) {
        ep->last_sent = now;
    } else if (config->idle_interval > config->interval
               && now - ep->last_sent >= config->idle_after) {
        set_idle(ep, true);
    }
}

/* Timers. */

/* Returns true if the kernel sends data without checksum, and userspace does
 * not. */
static bool
sends_bare(const struct fabric *f_)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric *f = CONST_CAST(struct fabric *, f_);
    const struct fabric_config *config = fabric_get_config(f);
    const uint64_t *stats;

    atomic_read_relaxed(&f->kern_stats, &stats);
    return stats && !config->csum_always && config->csum;
}

/* Finds out whether the path needs checksums, before its ordinary test. */
static void
run_bare(struct fabric_path *path)
    OVS_REQUIRES(fabric_table_mutex)
{
    bool changed = false;

    if (!sends_bare(path->endpoint->fabric)) {
        changed = fabric_bare_stop(&path->bare);
    } else if (path->live.state == FABRIC_PATH_UP && path->live.ever_direct
               && fabric_bare_run(&path->bare, path->live.last_direct,
                                  path->live.next_seq, &changed)) {
        fabric_session_bare(path, path->bare.seq, &burst);
    }
    if (changed) {
        fabric_path_bare_changed(path);
    }
}

static void
endpoint_event(struct fabric_endpoint *ep, long long int now)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_probe_config config = endpoint_config(ep);
    long long int heard = endpoint_schedule(ep)->heard;
    bool stamp = fabric_bfd_peer_uses_stamp(ep);

    fabric_endpoint_run(ep);
    for (size_t i = 0; i < ep->n_paths; i++) {
        struct fabric_path *path = ep->paths[i];

        if (!config.enabled) {
            path->unreachable = false;
            fabric_path_refresh(path);
        } else if (stamp && heard >= path_deadline(path, &config)
                   && fabric_liveness_check(&path->live, &config, ep->answers,
                                            heard * 1000)) {
            fabric_path_refresh(path);
        }
    }

    fabric_bfd_peer_run(ep, &config, &burst);
    if (!config.enabled) {
        ep->next_probe = LLONG_MAX;
    } else if (now >= ep->next_probe) {
        fabric_arrival_run(ep);
        fabric_grade_endpoint(ep);
        if (stamp) {
            fabric_mtu_run(ep, &burst);
        }
        if (stamp) {
            fabric_hearing_begin_round(&ep->hearing, now);
        }
        for (size_t i = 0; stamp && i < ep->n_paths; i++) {
            run_bare(ep->paths[i]);
            fabric_session_test(ep->paths[i], &burst);
        }
        if (!ep->idle) {
            check_idle(ep, now);
            config = endpoint_config(ep);
        }
        ep->next_probe = next_slot(ep, config.interval, now);
    }
}

/* This thread may have waited for a processor, or for the mutex, since it
 * received, and answers may have come meanwhile.  So silence is judged as of
 * the time until which everything was received. */
static void
run_timers(bool threaded)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct schedule *s = &schedules[threaded];
    struct heap *heap = &s->endpoints;
    long long int now = s->all ? s->heard : time_msec();

    fabric_burst_init(&burst);
    if (threaded) {
        fabric_discover_run(&burst);
    }
    watch_idle(threaded, now);
    s->now = now;
    while (!heap_is_empty(heap)
           && heap_max(heap)->priority >= time_to_priority(now)) {
        struct fabric_endpoint *ep
            = CONTAINER_OF(heap_max(heap), struct fabric_endpoint, timer);
        struct fabric_probe_config config;

        endpoint_event(ep, now);
        config = endpoint_config(ep);
        heap_change(heap, &ep->timer,
                    time_to_priority(next_event(ep, &config)));
    }
    fabric_burst_flush(&burst);
}

/* Receiving. */

void
fabric_prober_receive(struct fabric *f, struct fabric_uplink *up,
                      const struct fabric_rx *rx)
{
    ovs_mutex_lock(&fabric_table_mutex);
    fabric_burst_init(&burst);
    fabric_session_receive(f, up, rx, &burst);
    fabric_burst_flush(&burst);
    ovs_mutex_unlock(&fabric_table_mutex);
}

/* Receives what 'up' has, but not for ever: others want their turn.  Sets
 * '*all' to false if something may be left. */
static bool
receive_uplink(struct fabric *f, struct fabric_uplink *up, bool *all)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_rx rx[FABRIC_RX_PROBE_BURST];
    bool any = false;
    size_t n = 0;

    for (int rounds = 0; rounds < 16; rounds++) {
        n = up->class->recv_probe(up, rx);

        for (size_t i = 0; i < n; i++) {
            fabric_session_receive(f, up, &rx[i], &burst);
        }
        fabric_burst_flush(&burst);
        any |= n > 0;
        if (!n) {
            return any;
        }
    }
    *all = false;
    return any;
}

static bool
run_receive(bool threaded)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct schedule *s = &schedules[threaded];
    long long int now = time_msec();
    bool any = false, all = true;
    struct fabric *f;

    fabric_burst_init(&burst);
    CMAP_FOR_EACH (f, name_node, &fabrics_by_name) {
        const struct fabric_uplinks *ups;

        if (f->class->threaded != threaded) {
            continue;
        }
        ups = ovsrcu_get_protected(struct fabric_uplinks *, &f->uplinks);
        for (size_t i = 0; i < ups->n; i++) {
            any |= receive_uplink(f, ups->uplinks[i], &all);
        }
    }
    if (all || now - s->heard >= MAX_UNHEARD) {
        s->heard = now;
    }
    s->all = all;
    return any;
}

static void
prober_wait(bool threaded)
{
    const struct schedule *s = &schedules[threaded];
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
    if (!heap_is_empty(&s->endpoints)) {
        poll_timer_wait_until(UINT64_MAX - heap_max(&s->endpoints)->priority);
    }
    if (s->n_idle) {
        poll_timer_wait_until(s->next_watch);
    }
    if (threaded) {
        fabric_discover_wait();
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

/* Least time between two wake-ups, us. */
#define MIN_SLEEP 500

/* A thread that was woken at 'start', us, again right after the last time, at
 * 'last', has much to do: it waits for more to do at once. */
static void
coalesce(long long int last, long long int start)
{
    if (start - last < MIN_SLEEP) {
        xnanosleep((MIN_SLEEP - (start - last)) * 1000);
    }
}

static void *
fabric_prober_main(void *aux OVS_UNUSED)
{
    struct nl_sock *monitor = fabric_carrier_open_monitor();
    long long int busy = 0, last = 0;

    raise_priority();
    while (!latch_is_set(&exit_latch)) {
        long long int start = thread_cpu_usec();

        COVERAGE_INC(fabric_prober_wakeup);
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
        coalesce(last, time_usec());
        last = time_usec();
        busy = MAX(0, busy - (last - start));
    }
    nl_sock_destroy(monitor);
    return NULL;
}
