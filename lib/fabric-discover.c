/* SPDX-License-Identifier: Apache-2.0 */

/* Endpoints by the time of their next round are a heap.  A round surveys the
 * pairs of addresses of one endpoint one by one; there is one survey in the
 * process at a time.
 *
 * With many endpoints more rounds are due than there is time for.  So who is
 * due waits in one of several queues: a change of the underlay that matters to
 * traffic comes before what is done to be sure, and idle endpoints come last.
 *
 * The test packets of a trace have session identifiers of their own, which
 * tell the port, so that answers to them are not taken for a path's.  They
 * leave from the very socket that sends data from that port. */

#include <config.h>

#include "fabric-discover.h"

#include <limits.h>
#include <unistd.h>

#include "coverage.h"
#include "fabric-cover.h"
#include "fabric-ear.h"
#include "fabric-private.h"
#include "fabric-recall.h"
#include "fabric-session.h"
#include "fabric-survey.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "ovs-thread.h"
#include "packets.h"
#include "random.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(fabric_discover);

COVERAGE_DEFINE(fabric_discover_sent);
COVERAGE_DEFINE(fabric_discover_heard);
COVERAGE_DEFINE(fabric_discover_not_ours);
COVERAGE_DEFINE(fabric_discover_survey);

/* Session identifiers of traces: this and the position of the port. */
#define TRACE_SSID 0x4000
BUILD_ASSERT_DECL(TRACE_SSID > FABRIC_MAX_SSID);

/* How long after an endpoint is new, or its paths changed, it is surveyed, and
 * the least time between two rounds because of that, ms. */
#define SETTLE_TIME 2000
#define EVENT_INTERVAL 10000

/* What is known of a pair of addresses. */
struct fabric_pair {
    const struct fabric_uplink *uplink;
    struct in6_addr remote_ip;
    uint64_t ports;             /* Bitmap of the port indexes to use. */
    unsigned int max;           /* 'paths_per_remote' when it was made. */
    bool complete;              /* Did the last survey see everything? */
    long long int since;        /* The first in a row that did, or did not, as
                                 * the last one, ms; 0 before any. */
    unsigned int round;         /* When 'gateway' was found. */
    struct in6_addr gateway;    /* First router, in6addr_any if not known. */
};

/* The survey that is under way, if 'endpoint' is nonnull. */
static struct {
    struct fabric_endpoint *endpoint;
    struct fabric_uplink *uplink;
    struct in6_addr remote_ip;
    struct fabric_survey survey;
    size_t n_ports;             /* Ports that may be tried, */
    uint8_t ports[FABRIC_MAX_PATHS_PER_REMOTE];         /* by index. */
    int ears[FABRIC_MAX_PATHS_PER_REMOTE];      /* [survey.n_started], -1 if
                                                 * not open. */
    size_t n_ears;
} current OVS_GUARDED_BY(fabric_table_mutex);

/* Where an endpoint waits to be surveyed: until its time has come, then until
 * it is its turn.  Heaps, by time. */
enum queue {
    QUEUE_NONE,
    QUEUE_TIMED,
    QUEUE_EVENT,                /* fabric_discover_event() was called. */
    QUEUE_ROUTINE,              /* It was not. */
    QUEUE_IDLE,                 /* It was, but nothing is sent there. */
    N_QUEUES
};
static struct heap queues[N_QUEUES] OVS_GUARDED_BY(fabric_table_mutex);

static void recall_ports(struct fabric_endpoint *)
    OVS_REQUIRES(fabric_table_mutex);

static long long int next_send OVS_GUARDED_BY(fabric_table_mutex);

/* Is 'next_send' when the survey goes on, if nothing is heard before? */
static bool paced OVS_GUARDED_BY(fabric_table_mutex);

/* When. */

static bool
is_enabled(const struct fabric_endpoint *ep)
    OVS_REQUIRES(fabric_table_mutex)
{
    const struct fabric *f = ep->fabric;

    return (f->class->open_ear && f->probe.enabled && f->probe.discovery);
}

static long long int
due_time(const struct heap_node *node)
{
    return UINT64_MAX - node->priority;
}

static struct fabric_endpoint *
first_of(enum queue queue)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct heap_node *node = heap_max(&queues[queue]);

    return CONTAINER_OF(CONTAINER_OF(node, struct fabric_discovery, node),
                        struct fabric_endpoint, discovery);
}

static void
unschedule(struct fabric_endpoint *ep)
    OVS_REQUIRES(fabric_table_mutex)
{
    if (ep->discovery.queue != QUEUE_NONE) {
        heap_remove(&queues[ep->discovery.queue], &ep->discovery.node);
        ep->discovery.queue = QUEUE_NONE;
    }
}

/* Has 'ep' surveyed within 'delay' and half as much again, or when it is its
 * turn. */
static void
schedule(struct fabric_endpoint *ep, long long int delay)
    OVS_REQUIRES(fabric_table_mutex)
{
    long long int when = time_msec() + delay + random_range(delay / 2 + 1);
    uint64_t priority = UINT64_MAX - (uint64_t) when;
    struct fabric_discovery *d = &ep->discovery;

    if (d->queue == QUEUE_NONE) {
        heap_insert(&queues[QUEUE_TIMED], &d->node, priority);
        d->queue = QUEUE_TIMED;
    } else if (d->queue == QUEUE_TIMED && when < due_time(&d->node)) {
        heap_change(&queues[QUEUE_TIMED], &d->node, priority);
    }
}

/* Returns where 'ep', whose time has come, belongs. */
static enum queue
ready_queue(const struct fabric_endpoint *ep)
    OVS_REQUIRES(fabric_table_mutex)
{
    /* Idle ones without an event wait for fabric_discover_wake(). */
    return (ep->discovery.event ? (ep->idle ? QUEUE_IDLE : QUEUE_EVENT)
            : ep->idle ? QUEUE_NONE : QUEUE_ROUTINE);
}

/* Moves 'ep' to where it belongs. */
static void
requeue(struct fabric_endpoint *ep)
    OVS_REQUIRES(fabric_table_mutex)
{
    enum queue queue = ready_queue(ep);

    unschedule(ep);
    if (queue != QUEUE_NONE) {
        heap_insert(&queues[queue], &ep->discovery.node,
                    ep->discovery.node.priority);
        ep->discovery.queue = queue;
    }
}

static void
close_ears(void)
    OVS_REQUIRES(fabric_table_mutex)
{
    for (size_t i = 0; i < current.n_ears; i++) {
        if (current.ears[i] >= 0) {
            close(current.ears[i]);
        }
    }
    current.n_ears = 0;
    current.endpoint = NULL;
}

void
fabric_discover_add(struct fabric_endpoint *ep)
{
    if (is_enabled(ep)) {
        schedule(ep, SETTLE_TIME);
    }
}

void
fabric_discover_remove(struct fabric_endpoint *ep)
{
    if (current.endpoint == ep) {
        close_ears();
    }
    unschedule(ep);
    free(ep->discovery.pairs);
    ep->discovery.pairs = NULL;
    ep->discovery.n_pairs = 0;
}

void
fabric_discover_changed(struct fabric_endpoint *ep)
{
    struct fabric_discovery *d = &ep->discovery;
    bool enabled = is_enabled(ep);
    size_t n = 0;

    for (size_t i = 0; i < d->n_pairs; i++) {
        const struct fabric_pair *pair = &d->pairs[i];

        if (enabled && pair->max == ep->fabric->paths_per_remote
            && fabric_endpoint_has_addresses(ep, pair->uplink,
                                             &pair->remote_ip)) {
            d->pairs[n++] = *pair;
        }
    }
    d->n_pairs = n;
    recall_ports(ep);
    if (!enabled) {
        unschedule(ep);
        for (size_t i = 0; i < ep->n_paths; i++) {
            free(ep->paths[i]->hops);
            ep->paths[i]->hops = NULL;
        }
    }
    if (current.endpoint == ep
        && (!enabled
            || !fabric_endpoint_has_addresses(ep, current.uplink,
                                              &current.remote_ip))) {
        close_ears();
    }
    if (current.endpoint != ep) {
        fabric_discover_add(ep);
    }
}

void
fabric_discover_wake(struct fabric_endpoint *ep)
{
    if (ep->discovery.queue == QUEUE_IDLE) {
        requeue(ep);
    } else if (is_enabled(ep) && ep->discovery.queue == QUEUE_NONE
               && current.endpoint != ep) {
        long long int age = time_msec() - ep->discovery.last_round;

        schedule(ep, MAX(SETTLE_TIME,
                         ep->fabric->probe.discovery_interval - age));
    }
}

void
fabric_discover_event(struct fabric_endpoint *ep)
{
    if (is_enabled(ep)) {
        long long int age = time_msec() - ep->discovery.last_round;

        if (ep->discovery.queue == QUEUE_ROUTINE) {
            /* Its turn is sooner now. */
            unschedule(ep);
        }
        schedule(ep, MAX(SETTLE_TIME, EVENT_INTERVAL - age));
        ep->discovery.event = true;
    }
}

/* Pairs of addresses. */

static struct fabric_pair *
find_pair(const struct fabric_endpoint *ep, const struct fabric_uplink *up,
          const struct in6_addr *remote_ip)
    OVS_REQUIRES(fabric_table_mutex)
{
    for (size_t i = 0; i < ep->discovery.n_pairs; i++) {
        struct fabric_pair *pair = &ep->discovery.pairs[i];

        if (pair->uplink == up
            && ipv6_addr_equals(&pair->remote_ip, remote_ip)) {
            return pair;
        }
    }
    return NULL;
}

static uint64_t
default_ports(const struct fabric_endpoint *ep)
    OVS_REQUIRES(fabric_table_mutex)
{
    return UINT64_MAX >> (64 - ep->fabric->paths_per_remote);
}

static struct fabric_pair *
get_pair(struct fabric_endpoint *ep, const struct fabric_uplink *up,
         const struct in6_addr *remote_ip)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_pair *pair = find_pair(ep, up, remote_ip);

    if (!pair) {
        struct fabric_discovery *d = &ep->discovery;

        d->pairs = xrealloc(d->pairs, (d->n_pairs + 1) * sizeof *d->pairs);
        pair = &d->pairs[d->n_pairs++];
        *pair = (struct fabric_pair) {
            .uplink = up,
            .remote_ip = *remote_ip,
            .ports = default_ports(ep),
            .max = ep->fabric->paths_per_remote,
        };
    }
    return pair;
}

/* Begins with the ports that were in use before this process. */
static void
recall_ports(struct fabric_endpoint *ep)
{
    const struct fabric_endpoint_addrs *addrs
        = ovsrcu_get_protected(struct fabric_endpoint_addrs *, &ep->addrs);
    const struct fabric_uplinks *ups
        = ovsrcu_get_protected(struct fabric_uplinks *, &ep->fabric->uplinks);

    for (size_t i = 0; i < ups->n; i++) {
        for (size_t j = 0; j < addrs->n; j++) {
            const struct in6_addr *remote_ip = &addrs->remote_ips[j];
            uint64_t ports
                = fabric_recall_take(ep->fabric->name, ups->uplinks[i],
                                     remote_ip, ep->fabric->paths_per_remote);

            if (ports && is_enabled(ep)) {
                get_pair(ep, ups->uplinks[i], remote_ip)->ports = ports;
            }
        }
    }
}

uint64_t
fabric_discover_ports(const struct fabric_endpoint *ep,
                      const struct fabric_uplink *up,
                      const struct in6_addr *remote_ip)
{
    const struct fabric_pair *pair = find_pair(ep, up, remote_ip);

    return pair ? pair->ports : default_ports(ep);
}

void
fabric_discover_use(struct fabric_endpoint *ep,
                    const struct fabric_uplink *up,
                    const struct in6_addr *remote_ip, uint64_t ports)
{
    get_pair(ep, up, remote_ip)->ports = ports;
    fabric_endpoint_rebuild(ep);
}

/* Surveys. */

static bool
is_of_current(const struct fabric_path *path)
    OVS_REQUIRES(fabric_table_mutex)
{
    return (path->endpoint == current.endpoint
            && fabric_path_is_between(path, current.uplink,
                                      &current.remote_ip));
}

/* Returns the first router behind 'up', if this round has found it. */
static const struct in6_addr *
find_gateway(const struct fabric_endpoint *ep, const struct fabric_uplink *up)
    OVS_REQUIRES(fabric_table_mutex)
{
    const struct fabric_discovery *d = &ep->discovery;

    for (size_t i = 0; i < d->n_pairs; i++) {
        if (d->pairs[i].uplink == up && d->pairs[i].round == d->round) {
            return &d->pairs[i].gateway;
        }
    }
    return &in6addr_any;
}

/* Begins the survey of the addresses of 'path'. */
static void
begin_survey(struct fabric_path *path)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_endpoint *ep = path->endpoint;
    uint64_t ports;
    size_t n_used = 0;

    current.endpoint = ep;
    current.uplink = path->uplink;
    current.remote_ip = fabric_table_paths[path->index].remote_ip;
    current.n_ears = 0;

    /* Ports in use first. */
    ports = fabric_discover_ports(ep, path->uplink, &current.remote_ip);
    current.n_ports = 0;
    for (int used = 1; used >= 0; used--) {
        for (size_t i = 0; i < FABRIC_MAX_PATHS_PER_REMOTE; i++) {
            if ((ports >> i & 1) == used) {
                current.ports[current.n_ports++] = i;
                n_used += used;
            }
        }
    }
    fabric_survey_init(&current.survey, current.n_ports, n_used,
                       find_gateway(ep, path->uplink));
    COVERAGE_INC(fabric_discover_survey);
}

/* Has the operator taken a path between the addresses of 'path' out of use?
 * Ports that are exchanged then would be back in use. */
static bool
is_drained(const struct fabric_path *path)
    OVS_REQUIRES(fabric_table_mutex)
{
    const struct fabric_endpoint *ep = path->endpoint;
    const struct in6_addr *remote_ip
        = &fabric_table_paths[path->index].remote_ip;

    for (size_t i = 0; i < ep->n_paths; i++) {
        const struct fabric_path *other = ep->paths[i];

        if (other->drained
            && fabric_path_is_between(other, path->uplink, remote_ip)) {
            return true;
        }
    }
    return false;
}

/* Begins the next survey of the round of 'ep'.  Returns false if there is none
 * left. */
static bool
next_survey(struct fabric_endpoint *ep)
    OVS_REQUIRES(fabric_table_mutex)
{
    for (size_t i = 0; i < ep->n_paths; i++) {
        struct fabric_path *path = ep->paths[i];

        if (path->round != ep->discovery.round && path->local_up
            && !is_drained(path)) {
            begin_survey(path);
            for (size_t j = 0; j < ep->n_paths; j++) {
                if (is_of_current(ep->paths[j])) {
                    ep->paths[j]->round = ep->discovery.round;
                }
            }
            return true;
        }
    }
    return false;
}

static void
begin_round(struct fabric_endpoint *ep)
    OVS_REQUIRES(fabric_table_mutex)
{
    unschedule(ep);
    ep->discovery.last_round = time_msec();
    ep->discovery.event = false;
    ep->discovery.round++;
    if (!next_survey(ep)) {
        schedule(ep, ep->fabric->probe.discovery_interval);
    }
}

/* Has the survey make use of what the last one found out. */
static void
recall_hops(void)
    OVS_REQUIRES(fabric_table_mutex)
{
    const struct fabric_endpoint *ep = current.endpoint;
    struct fabric_survey *s = &current.survey;

    for (size_t i = 0; i < ep->n_paths; i++) {
        const struct fabric_path *path = ep->paths[i];

        for (size_t j = 0; j < s->n_started; j++) {
            if (path->hops && is_of_current(path)
                && path->port_idx == current.ports[j]) {
                fabric_survey_recall(s, j, path->hops);
            }
        }
    }
}

/* Notes the routes in the paths that take them. */
static void
note_hops(void)
    OVS_REQUIRES(fabric_table_mutex)
{
    const struct fabric_endpoint *ep = current.endpoint;
    const struct fabric_survey *s = &current.survey;

    for (size_t i = 0; i < ep->n_paths; i++) {
        struct fabric_path *path = ep->paths[i];

        for (size_t j = 0; j < s->n_started; j++) {
            if (is_of_current(path) && path->port_idx == current.ports[j]) {
                free(path->hops);
                path->hops = xmemdup(&s->traces[j].hops,
                                     sizeof *path->hops);
                path->round = ep->discovery.round;
            }
        }
    }
}

static void
log_survey(const struct fabric_cover_port cover[], size_t n, uint64_t old,
           uint64_t new)
    OVS_REQUIRES(fabric_table_mutex)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(60, 60);
    const struct fabric_endpoint *ep = current.endpoint;
    char local[INET6_ADDRSTRLEN], remote[INET6_ADDRSTRLEN];

    VLOG_RL(&rl, new == old ? VLL_DBG : VLL_INFO,
            "%s: endpoint %s: %s -> %s: %"PRIuSIZE" ports take %"PRIuSIZE" "
            "routes%s", ep->fabric->name, ep->name,
            ipv6_string_mapped(local, &current.uplink->config.local_ip),
            ipv6_string_mapped(remote, &current.remote_ip), n,
            fabric_cover_count_routes(cover, n),
            new == old ? "" : "; using other ports now");
}

/* Returns how many ports 'pair' should have at least, after a survey that saw
 * everything or did not.  Routers have no error to spare now and then, so only
 * what several surveys say, at different times, changes the number: flows move
 * with it. */
static size_t
least_ports(struct fabric_pair *pair, bool complete)
    OVS_REQUIRES(fabric_table_mutex)
{
    const struct fabric *f = current.endpoint->fabric;
    long long int now = time_msec();

    if (complete != pair->complete || !pair->since) {
        pair->complete = complete;
        pair->since = now;
    }
    return (now - pair->since < f->probe.discovery_interval / 2
            ? count_1bits(pair->ports)
            : complete ? MIN(pair->max, FABRIC_DISCOVER_MIN_PORTS)
            : pair->max);
}

/* Acts on the result of the survey. */
static void
conclude(void)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_cover_port cover[FABRIC_MAX_PATHS_PER_REMOTE];
    struct fabric_endpoint *ep = current.endpoint;
    const struct fabric_survey *s = &current.survey;
    size_t max = ep->fabric->paths_per_remote;
    uint8_t ports[FABRIC_MAX_PATHS_PER_REMOTE];
    struct fabric_pair *pair;
    uint64_t old, new = 0;
    size_t n = 0, min;

    recall_hops();
    note_hops();
    if (!fabric_survey_heard(s)) {
        return;
    }

    pair = get_pair(ep, current.uplink, &current.remote_ip);
    old = pair->ports;
    for (size_t i = 0; i < s->n_started; i++) {
        /* The host may have refused to open some. */
        if (current.ports[i] < current.uplink->n_ports) {
            cover[n] = (struct fabric_cover_port) {
                .hops = &s->traces[i].hops,
                .current = old >> current.ports[i] & 1,
            };
            ports[n++] = current.ports[i];
        }
    }
    min = least_ports(pair, fabric_cover_is_complete(cover, n));
    pair->round = ep->discovery.round;
    pair->gateway = fabric_survey_gateway(s);
    fabric_cover(cover, n, min, max);
    for (size_t i = 0; i < n; i++) {
        new |= (uint64_t) cover[i].chosen << ports[i];
    }
    log_survey(cover, n, old, new);
    if (new != old) {
        fabric_discover_use(ep, current.uplink, &current.remote_ip, new);
        note_hops();
    }
}

/* Sending and receiving. */

/* Opens the source port and the ear of port 'i' of the survey. */
static bool
open_ear(size_t i)
    OVS_REQUIRES(fabric_table_mutex)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);
    struct fabric_uplink *up = current.uplink;
    char *error = fabric_uplink_set_n_ports(up, current.ports[i] + 1);
    int fd;

    if (error) {
        VLOG_INFO_RL(&rl, "%s", error);
        free(error);
        return false;
    }
    fd = up->class->open_ear(up, current.ports[i], &current.remote_ip,
                             false);
    if (fd < 0) {
        VLOG_INFO_RL(&rl, "cannot listen for ICMP errors (%s)",
                     ovs_strerror(-fd));
        return false;
    }
    while (current.n_ears <= i) {
        current.ears[current.n_ears++] = -1;
    }
    current.ears[i] = fd;
    return true;
}

static void
hear_error(size_t i, const struct fabric_ear_error *e)
    OVS_REQUIRES(fabric_table_mutex)
{
    const struct fabric *f = current.endpoint->fabric;
    uint32_t seq;

    if (!fabric_trace_parse_quote(current.uplink->config.encap, f->probe.vni,
                                  fabric_burst_mac(), e->quote,
                                  e->quote_len, &seq)) {
        COVERAGE_INC(fabric_discover_not_ours);
        return;
    }
    COVERAGE_INC(fabric_discover_heard);
    if (e->type == FABRIC_EAR_EXPIRED || e->type == FABRIC_EAR_UNREACHABLE) {
        fabric_trace_error(&current.survey.traces[i],
                           e->type == FABRIC_EAR_EXPIRED
                           ? FABRIC_TRACE_EXPIRED
                           : ipv6_addr_equals(&e->offender,
                                              &current.remote_ip)
                           ? FABRIC_TRACE_ARRIVED : FABRIC_TRACE_REFUSED,
                           seq, &e->offender);
    }
}

/* How many errors are taken in one go. */
#define MAX_ERRORS 64

static void
run_ears(void)
    OVS_REQUIRES(fabric_table_mutex)
{
    for (size_t i = 0; i < current.n_ears; i++) {
        struct fabric_ear_error e;

        for (int n = 0; n < MAX_ERRORS && current.ears[i] >= 0
                        && fabric_ear_hear(current.ears[i], &e); n++) {
            hear_error(i, &e);
        }
        if (current.ears[i] >= 0 && current.survey.traces[i].done) {
            close(current.ears[i]);
            current.ears[i] = -1;
        }
    }
}

void
fabric_discover_answered(struct fabric_endpoint *ep,
                         const struct fabric_uplink *up,
                         const struct fabric_rx *rx,
                         uint16_t ssid, uint32_t seq)
{
    size_t i = ssid - TRACE_SSID;

    if (ep == current.endpoint && up == current.uplink
        && ipv6_addr_equals(&rx->remote_ip, &current.remote_ip)
        && i < current.survey.n_started) {
        fabric_trace_answer(&current.survey.traces[i], seq);
    }
}

/* Sends what the survey has to send, one datagram at a time. */
static void
run_survey(struct fabric_burst *b, long long int now)
    OVS_REQUIRES(fabric_table_mutex)
{
    uint32_t seq;
    uint8_t ttl;
    size_t i;

    paced = true;
    if (now < next_send) {
        return;
    }
    paced = fabric_survey_next(&current.survey, now, &i, &ttl, &seq);
    if (paced) {
        next_send = now + random_range(2 * 1000 / FABRIC_DISCOVER_PPS + 1);
        if ((i < current.n_ears && current.ears[i] >= 0) || open_ear(i)) {
            fabric_session_trace(current.endpoint->fabric, current.uplink,
                                 current.ports[i], &current.remote_ip, ttl,
                                 TRACE_SSID + i, seq, b);
            COVERAGE_INC(fabric_discover_sent);
        }
    }
}

/* Begins the round of the endpoint whose turn it is, if there is one. */
static void
run_queues(long long int now)
    OVS_REQUIRES(fabric_table_mutex)
{
    while (!heap_is_empty(&queues[QUEUE_TIMED])
           && due_time(heap_max(&queues[QUEUE_TIMED])) <= now) {
        requeue(first_of(QUEUE_TIMED));
    }
    for (enum queue q = QUEUE_TIMED + 1; q < N_QUEUES; q++) {
        while (!heap_is_empty(&queues[q])) {
            struct fabric_endpoint *ep = first_of(q);

            if (ready_queue(ep) == q) {
                begin_round(ep);
                return;
            }
            requeue(ep);
        }
    }
}

void
fabric_discover_run(struct fabric_burst *b)
{
    long long int now = time_msec();

    if (current.endpoint) {
        struct fabric_endpoint *ep = current.endpoint;

        run_ears();
        run_survey(b, now);
        if (current.survey.done) {
            conclude();
            close_ears();
            if (!next_survey(ep)) {
                schedule(ep, ep->fabric->probe.discovery_interval);
            }
        }
    } else {
        run_queues(now);
    }
}

void
fabric_discover_wait(void)
{
    if (current.endpoint) {
        poll_timer_wait_until(paced ? next_send
                              : fabric_survey_wake(&current.survey));
        for (size_t i = 0; i < current.n_ears; i++) {
            if (current.ears[i] >= 0) {
                poll_fd_wait(current.ears[i], POLLIN);
            }
        }
        return;
    }
    if (!heap_is_empty(&queues[QUEUE_TIMED])) {
        poll_timer_wait_until(due_time(heap_max(&queues[QUEUE_TIMED])));
    }
    for (enum queue q = QUEUE_TIMED + 1; q < N_QUEUES; q++) {
        if (!heap_is_empty(&queues[q])) {
            poll_immediate_wake();
        }
    }
}
