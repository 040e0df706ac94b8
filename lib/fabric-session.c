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
 * together.  If it is not usable, or we do not use that port and so know
 * nothing of its way, another usable path between the two addresses carries
 * the answer: otherwise one dead direction would keep a path down whose other
 * direction works.  It is the same one as long as it can be, rather one that
 * is not degraded, and hashing spreads other ports over the others: what is
 * lost on one way back must not look like loss on many paths. */

#include <config.h>

#include "fabric-session.h"

#include "coverage.h"
#include "fabric-arrival.h"
#include "fabric-bfd-frame.h"
#include "fabric-discover.h"
#include "fabric-drops.h"
#include "fabric-encap.h"
#include "fabric-grade.h"
#include "fabric-mtu.h"
#include "fabric-private.h"
#include "hash.h"
#include "ovs-thread.h"
#include "timeval.h"
#include "util.h"

COVERAGE_DEFINE(fabric_probe_sent);
COVERAGE_DEFINE(fabric_probe_reflected);
COVERAGE_DEFINE(fabric_probe_answered);

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

/* A NIC's GRO joins datagrams of one flow, and then all go where the first
 * goes: a shorter datagram of data behind a probe would be lost to the probe
 * socket.  It joins none whose TTLs differ (inet_gro_receive() and
 * ipv6_gro_receive() of Linux). */
uint8_t
fabric_probe_ttl(const struct fabric_uplink *up)
{
    return up->config.ttl == UINT8_MAX ? UINT8_MAX - 1 : UINT8_MAX;
}

static uint64_t
wall_ns(void)
{
    struct timespec ts;

    time_wall_timespec(&ts);
    return (uint64_t) ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* How long 'rx' has waited for us, ns. */
static int64_t
rx_wait_ns(const struct fabric_rx *rx)
{
    int64_t wait = rx->rx_ns ? wall_ns() - rx->rx_ns : 0;

    /* A clock that was set meanwhile. */
    return wait < 0 || wait > 1000000000 ? 0 : wait;
}

/* Bursts. */

/* Datagrams for one system call.  More would leave long after their
 * timestamps. */
#define RUN_MAX 16

/* Payload of the longest datagram: a jumbo frame's. */
#define DATAGRAM_MAX 9216

void
fabric_burst_init(struct fabric_burst *b)
{
    b->n = 0;
}

static int
compare_items(const void *a_, const void *b_)
{
    const struct fabric_burst_item *const *a = a_;
    const struct fabric_burst_item *const *b = b_;

    if ((*a)->uplink != (*b)->uplink) {
        return (uintptr_t) (*a)->uplink < (uintptr_t) (*b)->uplink ? -1 : 1;
    } else if ((*a)->port_idx != (*b)->port_idx) {
        return (*a)->port_idx < (*b)->port_idx ? -1 : 1;
    }
    /* In the order in which they were added. */
    return *a < *b ? -1 : *a > *b;
}

/* Fills in what is to be known only when 'item' leaves. */
static void
complete(struct fabric_burst_item *item)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_stamp *stamp = &item->stamp;

    if (item->path) {
        uint64_t n_tx;

        fabric_liveness_departs(&item->path->live, stamp->seq, time_usec());
        atomic_read_relaxed(&fabric_table_paths[item->path->index].tx_packets,
                            &n_tx);
        stamp->direct.s_tx = n_tx;
    }
    stamp->timestamp = fabric_stamp_ts_from_ns(wall_ns());
    if (item->path) {
        item->path->stamps[stamp->seq % FABRIC_LIVENESS_WINDOW]
            = stamp->timestamp;
    }
}

/* Writes the datagram of 'item', which leaves now, to 'buf'.  Returns its
 * size, or 0 if it cannot be authenticated. */
static size_t
compose(struct fabric_burst_item *item, uint8_t *buf)
    OVS_REQUIRES(fabric_table_mutex)
{
    const struct fabric *f = item->fabric;
    size_t header_len = fabric_encap_build_simple(f->encap, f->probe.vni,
                                                  true, buf);
    size_t size;

    complete(item);
    size = fabric_stamp_compose(&item->stamp, &f->keys, probe_source_mac(),
                                &item->uplink->config.local_ip,
                                buf + header_len, DATAGRAM_MAX - header_len);
    if (item->path && item->judged) {
        fabric_health_sent(&item->path->health, &f->health, item->stamp.seq,
                           item->class, size, time_usec());
    }
    return size ? header_len + size : 0;
}

/* Sends 'n' items, all of one socket. */
static void
send_run(struct fabric_burst_item **items, size_t n)
    OVS_REQUIRES(fabric_table_mutex)
{
    static uint8_t bufs[RUN_MAX][DATAGRAM_MAX]
        OVS_GUARDED_BY(fabric_table_mutex);
    struct fabric_uplink *up = items[0]->uplink;
    struct fabric_datagram datagrams[RUN_MAX];
    struct fabric_path *paths[RUN_MAX];
    struct iovec iovs[RUN_MAX];
    size_t n_composed = 0;

    for (size_t i = 0; i < n; i++) {
        struct iovec *iov = &iovs[n_composed];

        iov->iov_base = bufs[n_composed];
        iov->iov_len = compose(items[i], bufs[n_composed]);
        if (!iov->iov_len) {
            continue;
        }
        paths[n_composed] = items[i]->path;
        datagrams[n_composed++] = (struct fabric_datagram) {
            .remote_ip = items[i]->remote_ip,
            .port_idx = items[i]->port_idx,
            .tos = items[i]->tos,
            .ttl = items[i]->ttl ? items[i]->ttl : fabric_probe_ttl(up),
            .whole = items[i]->whole,
            .iov = iov,
            .n_iov = 1,
            .size = iov->iov_len,
        };
    }
    up->class->send(up, datagrams, n_composed);
    for (size_t i = 0; i < n_composed; i++) {
        if (paths[i]) {
            paths[i]->unreachable
                = fabric_uplink_is_unreachable(datagrams[i].error);
            fabric_path_refresh(paths[i]);
        }
    }
}

void
fabric_burst_flush(struct fabric_burst *b)
{
    struct fabric_burst_item *sorted[FABRIC_BURST_MAX];
    size_t start = 0;

    for (size_t i = 0; i < b->n; i++) {
        sorted[i] = &b->items[i];
    }
    qsort(sorted, b->n, sizeof *sorted, compare_items);
    for (size_t i = 1; i <= b->n; i++) {
        if (i == b->n || i - start == RUN_MAX
            || sorted[i]->uplink != sorted[start]->uplink
            || sorted[i]->port_idx != sorted[start]->port_idx) {
            send_run(&sorted[start], i - start);
            start = i;
        }
    }
    b->n = 0;
}

static struct fabric_burst_item *
burst_add(struct fabric_burst *b, const struct fabric *f,
          struct fabric_uplink *up, unsigned int port_idx,
          const struct in6_addr *remote, struct fabric_path *path)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_burst_item *item;

    if (b->n == FABRIC_BURST_MAX) {
        fabric_burst_flush(b);
    }
    item = &b->items[b->n++];
    item->fabric = f;
    item->uplink = up;
    item->port_idx = port_idx;
    item->remote_ip = *remote;
    item->ttl = 0;
    item->whole = false;
    item->path = path;
    return item;
}

/* Session-Sender: tests. */

/* Outer headers of a probe: IP, UDP, VXLAN or Geneve. */
static size_t
outer_len(const struct fabric_uplink *up)
{
    return ((IN6_IS_ADDR_V4MAPPED(&up->config.local_ip)
             ? IP_HEADER_LEN : IPV6_HEADER_LEN)
            + UDP_HEADER_LEN + FABRIC_GENEVE_HLEN);
}

/* Size of the outer packet of large probes where the MTU is not known. */
#define DEFAULT_MTU 1500

/* Makes the test as large as the largest packet of the path, for some losses
 * are of large packets only. */
static void
enlarge(struct fabric_burst_item *item)
    OVS_REQUIRES(fabric_table_mutex)
{
    const struct fabric_table_path *p
        = &fabric_table_paths[item->path->index];
    uint32_t mtu;

    atomic_read_relaxed(&p->mtu, &mtu);
    if (!mtu) {
        atomic_read_relaxed(&p->out_mtu, &mtu);
    }
    mtu = MIN(mtu ? mtu : DEFAULT_MTU, DATAGRAM_MAX);
    fabric_stamp_pad(&item->stamp, &item->fabric->keys,
                     &item->uplink->config.local_ip,
                     mtu - outer_len(item->uplink));
}

/* Adds test 'seq' of the path to the burst; 'judged' tells whether it says
 * something of the path if there is no answer. */
static void
add_test(struct fabric_path *path, uint32_t seq, bool judged,
         struct fabric_burst *b)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric *f = path->endpoint->fabric;
    struct fabric_burst_item *item
        = burst_add(b, f, path->uplink, path->port_idx,
                    &fabric_table_paths[path->index].remote_ip, path);
    uint8_t dscp;

    COVERAGE_INC(fabric_probe_sent);
    item->judged = judged;
    item->class = seq % f->probe.n_dscps;
    dscp = f->probe.dscps[item->class];
    item->tos = dscp << 2 | IP_ECN_ECT_0;
    item->stamp = (struct fabric_stamp) {
        .seq = seq,
        .error_estimate = FABRIC_STAMP_ERROR_ESTIMATE,
        .ssid = path->ssid,
        .has_cos = true,
        .cos.dscp1 = dscp,
        .has_direct = true,
        .n_heard = MIN(path->endpoint->n_paths, FABRIC_STAMP_MAX_HEARD),
    };
    /* Whatever the number of classes, each has its large tests. */
    if (judged && f->probe.large_every
        && !(seq / f->probe.n_dscps % f->probe.large_every)) {
        enlarge(item);
    }
}

void
fabric_session_test(struct fabric_path *path, struct fabric_burst *b)
{
    add_test(path, fabric_liveness_sent(&path->live, time_usec()), true, b);
}

void
fabric_session_try(struct fabric_path *path, struct fabric_burst *b)
{
    add_test(path, fabric_liveness_tried(&path->live), false, b);
}

void
fabric_session_trace(const struct fabric *f, struct fabric_uplink *up,
                     unsigned int port_idx, const struct in6_addr *remote_ip,
                     uint8_t ttl, uint16_t ssid, uint32_t seq,
                     struct fabric_burst *b)
{
    struct fabric_burst_item *item
        = burst_add(b, f, up, port_idx, remote_ip, NULL);

    item->ttl = ttl;
    item->tos = 0;
    item->class = 0;
    item->stamp = (struct fabric_stamp) {
        .seq = seq,
        .error_estimate = FABRIC_STAMP_ERROR_ESTIMATE,
        .ssid = ssid,
    };
}

void
fabric_session_size(const struct fabric_path *path, uint16_t size,
                    uint16_t ssid, uint32_t seq, struct fabric_burst *b)
{
    const struct fabric *f = path->endpoint->fabric;
    struct fabric_burst_item *item
        = burst_add(b, f, path->uplink, path->port_idx,
                    &fabric_table_paths[path->index].remote_ip, NULL);

    item->tos = f->probe.dscps[0] << 2;
    item->class = 0;
    item->whole = true;
    item->stamp = (struct fabric_stamp) {
        .seq = seq,
        .error_estimate = FABRIC_STAMP_ERROR_ESTIMATE,
        .ssid = ssid,
        .n_heard = 1,           /* Asks for a short answer. */
    };
    fabric_stamp_pad(&item->stamp, &f->keys, &path->uplink->config.local_ip,
                     size - outer_len(path->uplink));
}

/* Session-Reflector. */

/* How fit a path in 'state' with source port 'own_port' is to carry answers to
 * tests from 'port'. */
static uint64_t
answer_rank(enum fabric_path_state state, uint16_t own_port, uint16_t port)
{
    bool usable = fabric_path_state_is_usable(state);
    uint64_t fitness = (usable && own_port == port ? 4
                        : state == FABRIC_PATH_DEGRADED ? 2
                        : usable ? 3
                        : own_port == port);

    return fitness << 32 | hash_2words(own_port, port);
}

/* Returns the path of 'ep' that carries answers to 'remote' from 'up', as the
 * comment at the top of this file says; NULL if there is none. */
static struct fabric_path *
answer_path(const struct fabric_endpoint *ep, const struct fabric_uplink *up,
            const struct in6_addr *remote, uint16_t port)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_path *best = NULL;
    uint64_t highest = 0;

    for (size_t i = 0; i < ep->n_paths; i++) {
        struct fabric_path *path = ep->paths[i];
        const struct fabric_table_path *p = &fabric_table_paths[path->index];

        if (fabric_path_is_between(path, up, remote)) {
            uint16_t own_port = ntohs(p->src_port);
            uint64_t rank = answer_rank(fabric_table_get_state(path->index),
                                        own_port, port);

            if (!best || rank > highest) {
                best = path;
                highest = rank;
            }
        }
    }
    return best;
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

/* Copies do not count: they would make up for what gets lost. */
static void
remember_heard(struct fabric_endpoint *ep, uint16_t ssid, uint32_t seq)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_heard *h;

    if (!ssid || ssid > FABRIC_MAX_SSID) {
        return;
    }
    if (ssid > ep->n_heard) {
        ep->heard = xrealloc(ep->heard, ssid * sizeof *ep->heard);
        memset(&ep->heard[ep->n_heard], 0,
               (ssid - ep->n_heard) * sizeof *ep->heard);
        ep->n_heard = ssid;
    }
    h = &ep->heard[ssid - 1];
    switch (fabric_seq_window_add(&h->window, seq)) {
    case FABRIC_SEQ_SEEN:
        return;
    case FABRIC_SEQ_OLD:
        /* The peer has started anew. */
        fabric_seq_window_restart(&h->window, seq);
        break;
    case FABRIC_SEQ_NEW:
        break;
    }
    h->count++;
    h->when = time_msec();
}

/* Fills the entries of 'reply' with what was heard on its own path and those
 * that follow, so that the answers on all paths together tell of every
 * path. */
static void
tell_heard(const struct fabric_endpoint *ep, struct fabric_stamp *reply)
    OVS_REQUIRES(fabric_table_mutex)
{
    long long int now = time_msec();
    size_t n = 0;

    for (size_t i = 0; i < ep->n_heard && n < reply->n_heard; i++) {
        size_t ssid = (reply->ssid - 1 + i) % ep->n_heard + 1;
        const struct fabric_heard *h = &ep->heard[ssid - 1];

        if (h->when && now - h->when < HEARD_MAX_AGE) {
            reply->heard[n].ssid = ssid;
            reply->heard[n].seq = h->window.top;
            reply->heard[n++].count = h->count;
        }
    }
}

/* How much data the path of 'rx' has carried, if all of it is counted. */
static void
put_data_counts(const struct fabric *f, const struct fabric_uplink *up,
                const struct fabric_rx *rx,
                struct fabric_stamp_reflector *reflector)
{
    const struct fabric_arrival *arrival
        = fabric_arrival_find(f, up, &rx->remote_ip, rx->remote_port);
    uint64_t n_rx, n_tx;

    if (arrival && fabric_arrival_get_count(arrival, &n_rx)) {
        atomic_read_relaxed(&fabric_table_paths[arrival->index].tx_packets,
                            &n_tx);
        reflector->has_direct = true;
        reflector->data_rx = n_rx;
        reflector->data_tx = n_tx;
    }
}

static void
reflect(struct fabric_endpoint *ep, struct fabric_uplink *up,
        const struct fabric_rx *rx, const struct fabric_stamp *test,
        struct fabric_burst *b)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_stamp_reflector reflector = {
        .rx = fabric_stamp_ts_from_ns(wall_ns() - rx_wait_ns(rx)),
        .error_estimate = FABRIC_STAMP_ERROR_ESTIMATE,
        .ttl = rx->ttl,
        .has_cos = true,
        .dscp = rx->tos >> 2,
        .ecn = rx->tos & IP_ECN_MASK,
        .dscps = UINT64_MAX,
        .has_ts_info = true,
        .ts_info = {
            .sync_in = FABRIC_STAMP_SYNC_LOCAL,
            .method_in = FABRIC_STAMP_METHOD_SW,
            .sync_out = FABRIC_STAMP_SYNC_LOCAL,
            .method_out = FABRIC_STAMP_METHOD_SW,
        },
        .has_location = true,
        .location = {
            .src_port = rx->remote_port,
            .dst_port = up->config.dst_port,
            .src_ip = rx->remote_ip,
            .dst_ip = up->config.local_ip,
        },
    };
    struct fabric_path *path = answer_path(ep, up, &rx->remote_ip,
                                           rx->remote_port);
    struct fabric_burst_item *item;

    if (!path) {
        fabric_drop_count(FABRIC_DROP_RX_BAD_PROBE, 1);
        return;
    }
    if (!may_reflect(ep)) {
        fabric_drop_count(FABRIC_DROP_RX_PROBE_RATE, 1);
        return;
    }
    if (test->has_direct) {
        fabric_arrival_tested(ep, up, &rx->remote_ip, rx->remote_port);
        put_data_counts(ep->fabric, up, rx, &reflector);
    }
    item = burst_add(b, ep->fabric, up, path->port_idx, &rx->remote_ip, NULL);
    item->tos = (fabric_stamp_reflect(test, &reflector, &item->stamp) << 2
                 | (rx->tos & IP_ECN_MASK ? IP_ECN_ECT_0 : 0));
    if (test->ssid >= FABRIC_MTU_SSID && test->n_heard) {
        fabric_stamp_shorten(&item->stamp);
    } else {
        if (test->n_heard) {
            /* One of us finds out with tests of its own what large packets
             * meet on the way back. */
            fabric_stamp_unpad(&item->stamp);
        }
        remember_heard(ep, test->ssid, test->seq);
        tell_heard(ep, &item->stamp);
    }
    COVERAGE_INC(fabric_probe_reflected);
}

/* Session-Sender: answers. */

static struct fabric_path *
find_ssid(const struct fabric_endpoint *ep, uint16_t ssid)
    OVS_REQUIRES(fabric_table_mutex)
{
    /* Identifiers are given out in this order. */
    if (ssid && ssid <= ep->n_paths && ep->paths[ssid - 1]->ssid == ssid) {
        return ep->paths[ssid - 1];
    }
    for (size_t i = 0; i < ep->n_paths; i++) {
        if (ep->paths[i]->ssid == ssid) {
            return ep->paths[i];
        }
    }
    return NULL;
}

/* Acts on what 'ep' says that it heard of our paths. */
static void
heard(struct fabric_endpoint *ep, const struct fabric_stamp *reply)
    OVS_REQUIRES(fabric_table_mutex)
{
    for (size_t i = 0; i < reply->n_heard; i++) {
        const struct fabric_stamp_heard *h = &reply->heard[i];
        struct fabric_path *path = h->ssid ? find_ssid(ep, h->ssid) : NULL;

        if (path) {
            fabric_health_peer_count(&path->health, h->seq, h->count);
            if (fabric_liveness_heard(&path->live, &ep->fabric->probe,
                                      h->seq)) {
                fabric_path_refresh(path);
            }
        }
    }
}

/* Is 'reply' the answer to a test that left on 'path' not long ago?  Nobody
 * else knows the time at which it left. */
static bool
is_expected(const struct fabric_path *path, const struct fabric_stamp *reply)
    OVS_REQUIRES(fabric_table_mutex)
{
    uint32_t age = path->live.next_seq - reply->sender_seq;

    return (age && age <= FABRIC_LIVENESS_WINDOW
            && (path->stamps[reply->sender_seq % FABRIC_LIVENESS_WINDOW]
                == (uint32_t) reply->sender_timestamp));
}

/* The test that 'reply' answers is answered once. */
static void
forget_test(struct fabric_path *path, const struct fabric_stamp *reply)
    OVS_REQUIRES(fabric_table_mutex)
{
    uint32_t *stamp
        = &path->stamps[reply->sender_seq % FABRIC_LIVENESS_WINDOW];

    *stamp = ~*stamp;
}

/* Tells the health of 'path' what 'reply' says. */
static void
measure(struct fabric_path *path, const struct fabric_rx *rx,
        const struct fabric_stamp *reply, int64_t rtt)
    OVS_REQUIRES(fabric_table_mutex)
{
    const struct fabric_health_config *config
        = &path->endpoint->fabric->health;
    struct fabric_health_answer answer = {
        .seq = reply->sender_seq,
        .rtt = rtt,
        .ce_there = reply->has_cos && reply->cos.ecn == IP_ECN_CE,
        .ce_back = (rx->tos & IP_ECN_MASK) == IP_ECN_CE,
    };
    long long int now = time_usec();

    fabric_health_answered(&path->health, config, &answer, now);
    if (reply->has_direct) {
        uint64_t n_rx;

        fabric_health_data(&path->health, config, FABRIC_WAY_THERE,
                           reply->direct.s_tx, reply->direct.r_rx, now);
        if (fabric_arrival_get_count(path->arrival, &n_rx)) {
            fabric_health_data(&path->health, config, FABRIC_WAY_BACK,
                               reply->direct.r_tx, n_rx, now);
        }
    }
    fabric_grade_path(path);
}

static void
answered(struct fabric_endpoint *ep, struct fabric_uplink *up,
         const struct fabric_rx *rx, const struct fabric_stamp *reply)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_path *path = find_ssid(ep, reply->ssid);
    int64_t residence, rtt;

    if (reply->ssid >= FABRIC_MTU_SSID) {
        fabric_mtu_answered(ep, up, rx, reply->ssid, reply->sender_seq);
        return;
    }
    if (reply->ssid > FABRIC_MAX_SSID) {
        fabric_discover_answered(ep, up, rx, reply->ssid, reply->sender_seq);
        return;
    }
    if (!path || !fabric_path_is_between(path, up, &rx->remote_ip)
        || !is_expected(path, reply)) {
        fabric_drop_count(FABRIC_DROP_RX_BAD_PROBE, 1);
        return;
    }

    COVERAGE_INC(fabric_probe_answered);
    if (!ep->answers) {
        ep->answers = true;
        fabric_registry_changed();
    }
    residence = ((int64_t) fabric_stamp_ts_to_ns(reply->timestamp)
                 - (int64_t) fabric_stamp_ts_to_ns(reply->rx_timestamp));
    rtt = (time_usec() - (rx_wait_ns(rx) + MAX(residence, 0)) / 1000
           - fabric_liveness_departure(&path->live, reply->sender_seq));
    rtt = MIN(MAX(rtt, 0), FABRIC_RTT_MAX);
    forget_test(path, reply);
    heard(ep, reply);
    if (fabric_liveness_answered(&path->live, &ep->fabric->probe,
                                 reply->sender_seq, rtt)) {
        fabric_path_refresh(path);
    }
    measure(path, rx, reply, rtt);
}

static enum fabric_drop
refusal(enum fabric_stamp_result result)
{
    return (result == FABRIC_STAMP_BAD_AUTH ? FABRIC_DROP_RX_BAD_AUTH
            : FABRIC_DROP_RX_BAD_PROBE);
}

bool
fabric_session_is_probe(const struct fabric_encap_info *info,
                        uint32_t probe_vni, const void *frame, size_t size)
{
    bool management = info->vni == probe_vni;

    return ((management && fabric_stamp_is_probe(frame, size))
            || fabric_bfd_is_control(frame, size, management || info->oam));
}

void
fabric_session_receive(struct fabric *f, struct fabric_uplink *up,
                       const struct fabric_rx *rx, struct fabric_burst *b)
{
    struct fabric_encap_info info;
    struct fabric_endpoint *ep;
    enum fabric_stamp_result result;
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
    if (fabric_bfd_peer_receive(ep, up, rx, &info)) {
        return;
    }
    result = (info.vni != f->probe.vni ? FABRIC_STAMP_NOT_STAMP
              : fabric_stamp_parse(rx->data + info.header_len,
                                   rx->size - info.header_len, &f->keys,
                                   &stamp));
    if (result != FABRIC_STAMP_OK) {
        fabric_drop_count(refusal(result), 1);
        return;
    }
    if (stamp.reflected) {
        answered(ep, up, rx, &stamp);
    } else {
        reflect(ep, up, rx, &stamp, b);
    }
}
