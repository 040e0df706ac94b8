/* SPDX-License-Identifier: Apache-2.0 */

/* A test of path k shows that packets arrive over k if its sender learns of
 * it.  Every packet that comes back tells, for it reports what was heard on
 * each path (fabric-hearing.h), so as long as any way back works only paths go
 * down whose way there does not.
 *
 * Answers choose their path as follows.  The answer to a probe goes back
 * between the same two addresses, with the same source port as the probe if
 * that path is usable, so that round trips and losses on the way back are told
 * of pairs of paths.  If it is not usable, or we do not use that port and so
 * know nothing of its way, another usable path between the two addresses
 * carries the answer.  It is the same one as long as it can be, rather one
 * that is not degraded, and hashing spreads other ports over the others: what
 * is lost on one way back must not look like loss on many paths.  If there is
 * none, a peer that is known to take it so gets the answer between other
 * addresses.
 *
 * Copies that go by all paths, to a peer that is deaf, tell what was heard,
 * and nothing of the test that they answer. */

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
#include "fabric-origin.h"
#include "fabric-private.h"
#include "hash.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(fabric_session);

COVERAGE_DEFINE(fabric_path_excused);
COVERAGE_DEFINE(fabric_probe_sent);
COVERAGE_DEFINE(fabric_probe_reflected);
COVERAGE_DEFINE(fabric_probe_spread);
COVERAGE_DEFINE(fabric_probe_answered);

/* The longest that a datagram may have waited for us, ns. */
#define RX_WAIT_MAX INT64_C(5000000000)

/* How long 'rx' has waited for us, ns. */
static int64_t
rx_wait_ns(const struct fabric_rx *rx)
{
    int64_t wait = rx->rx_ns ? fabric_burst_wall_ns() - rx->rx_ns : 0;

    /* A clock that was set meanwhile. */
    return wait < 0 || wait > RX_WAIT_MAX ? 0 : wait;
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
    mtu = MIN(mtu ? mtu : DEFAULT_MTU, FABRIC_BURST_DATAGRAM_MAX);
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
    struct fabric_endpoint *ep = path->endpoint;
    struct fabric *f = ep->fabric;
    struct fabric_burst_item *item
        = fabric_burst_add(b, f, path->uplink, path->port_idx,
                           &fabric_table_paths[path->index].remote_ip, path);
    uint8_t dscp;

    COVERAGE_INC(fabric_probe_sent);
    item->judged = judged;
    item->class = seq % f->probe.n_dscps;
    dscp = f->probe.dscps[item->class];
    item->tos = dscp << 2 | IP_ECN_ECT_0;
    item->hearing = &ep->hearing;
    item->stamp = (struct fabric_stamp) {
        .seq = seq,
        .error_estimate = FABRIC_STAMP_ERROR_ESTIMATE,
        .ssid = path->ssid,
        .has_cos = true,
        .cos.dscp1 = dscp,
        .has_direct = true,
        .n_heard = MIN(ep->n_paths, FABRIC_STAMP_MAX_HEARD),
        .has_report = true,
        .report.n = fabric_hearing_size(&ep->hearing, ep->n_paths),
    };
    fabric_origin_put(ep, seq, &item->stamp);
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
        = fabric_burst_add(b, f, up, port_idx, remote_ip, NULL);
    struct fabric_endpoint *ep = fabric_endpoint_by_ip(f, remote_ip);

    item->ttl = ttl;
    item->tos = 0;
    item->class = 0;
    item->stamp = (struct fabric_stamp) {
        .seq = seq,
        .error_estimate = FABRIC_STAMP_ERROR_ESTIMATE,
        .ssid = ssid,
    };
    if (ep) {
        fabric_origin_put(ep, ep->serial++, &item->stamp);
    }
}

void
fabric_session_size(const struct fabric_path *path, uint16_t size,
                    uint16_t ssid, uint32_t seq, struct fabric_burst *b)
{
    struct fabric_endpoint *ep = path->endpoint;
    const struct fabric *f = ep->fabric;
    struct fabric_burst_item *item
        = fabric_burst_add(b, f, path->uplink, path->port_idx,
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
    fabric_origin_put(ep, ep->serial++, &item->stamp);
    fabric_stamp_pad(&item->stamp, &f->keys, &path->uplink->config.local_ip,
                     size - outer_len(path->uplink));
}

void
fabric_session_bare(const struct fabric_path *path, uint32_t seq,
                    struct fabric_burst *b)
{
    struct fabric_endpoint *ep = path->endpoint;
    const struct fabric *f = ep->fabric;
    struct fabric_burst_item *item
        = fabric_burst_add(b, f, path->uplink, path->port_idx,
                           &fabric_table_paths[path->index].remote_ip, NULL);

    item->tos = f->probe.dscps[0] << 2 | IP_ECN_ECT_0;
    item->class = 0;
    item->bare = true;
    item->stamp = (struct fabric_stamp) {
        .seq = seq,
        .error_estimate = FABRIC_STAMP_ERROR_ESTIMATE,
        .ssid = FABRIC_BARE_SSID + path->ssid,
    };
    fabric_origin_put(ep, ep->serial++, &item->stamp);
}

/* Session-Reflector. */

/* Returns the path of 'ep' that carries answers to 'remote' from 'up', as the
 * comment at the top of this file says, 'elsewhere' or not; NULL if there is
 * none. */
static struct fabric_path *
answer_path(const struct fabric_endpoint *ep, const struct fabric_uplink *up,
            const struct in6_addr *remote, uint16_t port, bool elsewhere)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_path *best = NULL;
    uint64_t highest = 0;

    for (size_t i = 0; i < ep->n_paths; i++) {
        struct fabric_path *path = ep->paths[i];
        const struct fabric_table_path *p = &fabric_table_paths[path->index];
        bool here = fabric_path_is_between(path, up, remote);

        if (here || elsewhere) {
            uint64_t rank = fabric_hearing_rank(
                fabric_table_get_state(path->index), !here,
                ntohs(p->src_port), port);

            if (!best || rank > highest) {
                best = path;
                highest = rank;
            }
        }
    }
    return best;
}

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

/* 'ep' is seen to answer tests. */
static void
set_answers(struct fabric_endpoint *ep)
    OVS_REQUIRES(fabric_table_mutex)
{
    if (!ep->answers) {
        ep->answers = true;
        fabric_registry_changed();
    }
}

/* Acts on what 'ep' reports to have heard of our tests. */
static void
take_report(struct fabric_endpoint *ep, const struct fabric_stamp *stamp)
    OVS_REQUIRES(fabric_table_mutex)
{
    const struct fabric_stamp_report *report = &stamp->report;

    if (!stamp->has_report || !fabric_bfd_peer_uses_stamp(ep)) {
        return;
    }
    fabric_hearing_told(&ep->hearing, report, time_msec());
    for (size_t i = 0; i < report->n; i++) {
        struct fabric_path *path
            = report->seqs[i] ? find_ssid(ep, report->first + i) : NULL;

        if (path && fabric_liveness_heard(&path->live, &ep->fabric->probe,
                                          report->seqs[i])) {
            set_answers(ep);
            fabric_path_refresh(path);
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

/* Adds an answer, to be filled in, which goes over 'path' of 'ep'. */
static struct fabric_burst_item *
add_answer(struct fabric_endpoint *ep, const struct fabric_path *path,
           struct fabric_burst *b)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_burst_item *item
        = fabric_burst_add(b, ep->fabric, path->uplink, path->port_idx,
                           &fabric_table_paths[path->index].remote_ip, NULL);

    item->hearing = &ep->hearing;
    return item;
}

/* Adds copies of 'answer', which goes over 'path' of 'ep', that go over all
 * other paths. */
static void
answer_all_ways(struct fabric_endpoint *ep, const struct fabric_path *path,
                const struct fabric_burst_item *answer, struct fabric_burst *b)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_stamp stamp = answer->stamp;
    uint8_t tos = answer->tos;

    COVERAGE_INC(fabric_probe_spread);
    fabric_stamp_detach(&stamp);
    stamp.report.copy = true;
    for (size_t i = 0; i < ep->n_paths; i++) {
        const struct fabric_path *other = ep->paths[i];

        if (other != path && other->local_up) {
            struct fabric_burst_item *item = add_answer(ep, other, b);

            item->tos = tos;
            item->stamp = stamp;
        }
    }
}

/* Is a test with 'ssid' one of those that tell whether a path works? */
static bool
is_session(uint16_t ssid)
{
    return ssid && ssid <= FABRIC_MAX_SSID;
}

/* Returns true unless 'test' has arrived before.  One without number cannot
 * have. */
static bool
is_new(struct fabric_endpoint *ep, const struct fabric_stamp *test)
    OVS_REQUIRES(fabric_table_mutex)
{
    bool session = is_session(test->ssid);

    return ((!session && !test->has_origin)
            || fabric_hearing_admit(&ep->hearing, test->origin.epoch,
                                    session ? test->ssid : 0,
                                    session ? test->seq : test->origin.serial,
                                    ep->fabric->keys.n > 0, time_msec()));
}

static void
reflect(struct fabric_endpoint *ep, struct fabric_uplink *up,
        const struct fabric_rx *rx, const struct fabric_stamp *test,
        struct fabric_burst *b)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_stamp_reflector reflector = {
        .rx = fabric_stamp_ts_from_ns(fabric_burst_wall_ns()
                                      - rx_wait_ns(rx)),
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
        .has_origin = true,
        .origin.known = ep->hearing.epoch,
        .has_location = true,
        .location = {
            .src_port = rx->remote_port,
            .dst_port = up->config.dst_port,
            .src_ip = rx->remote_ip,
            .dst_ip = up->config.local_ip,
        },
    };
    struct fabric_path *path = answer_path(ep, up, &rx->remote_ip,
                                           rx->remote_port, test->has_report);
    struct fabric_burst_item *item;
    bool fresh;

    if (!path) {
        fabric_drop_count(FABRIC_DROP_RX_BAD_PROBE, 1);
        return;
    }
    if (!is_new(ep, test)) {
        fabric_drop_count(FABRIC_DROP_RX_REPLAYED, 1);
        return;
    }
    if (test->has_direct) {
        fabric_arrival_tested(ep, up, &rx->remote_ip, rx->remote_port);
        put_data_counts(ep->fabric, up, rx, &reflector);
    }
    fresh = is_session(test->ssid) && fabric_hearing_add(&ep->hearing,
                                                         test->ssid, test->seq,
                                                         time_msec());
    if (fresh) {
        take_report(ep, test);
    }
    item = add_answer(ep, path, b);
    item->tos = (fabric_stamp_reflect(test, &reflector, &item->stamp) << 2
                 | (rx->tos & IP_ECN_MASK ? IP_ECN_ECT_0 : 0));
    if (!fabric_path_is_between(path, up, &rx->remote_ip)) {
        fabric_stamp_detach(&item->stamp);
    }
    if (test->ssid >= FABRIC_MTU_SSID && test->n_heard) {
        fabric_stamp_shorten(&item->stamp);
    } else {
        if (test->n_heard) {
            /* One of us finds out with tests of its own what large packets
             * meet on the way back. */
            fabric_stamp_unpad(&item->stamp);
        }
        fabric_hearing_get(&ep->hearing, test->ssid, item->stamp.heard,
                           item->stamp.n_heard, time_msec());
        if (fresh && test->has_report
            && fabric_hearing_spread(&ep->hearing, test->ssid, &test->report,
                                     time_msec())) {
            answer_all_ways(ep, path, item, b);
        }
    }
    COVERAGE_INC(fabric_probe_reflected);
}

/* Session-Sender: answers. */

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

/* Returns a number for the way by which 'rx' came, other than 0. */
static uint32_t
way_back(const struct fabric_uplink *up, const struct fabric_rx *rx)
{
    return hash_bytes(&rx->remote_ip, sizeof rx->remote_ip,
                      hash_pointer(up, rx->remote_port)) | 1;
}

/* Notes the way by which the answer 'rx' came.  Round trips by others do not
 * compare. */
static void
note_way_back(struct fabric_path *path, const struct fabric_uplink *up,
              const struct fabric_rx *rx)
    OVS_REQUIRES(fabric_table_mutex)
{
    uint32_t way = way_back(up, rx);

    if (path->way_back && path->way_back != way) {
        fabric_liveness_forget_rtt(&path->live);
        fabric_health_forget_rtt(&path->health);
    }
    path->way_back = way;
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
bare_answered(struct fabric_endpoint *ep, const struct fabric_stamp *reply)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_path *path = find_ssid(ep, reply->ssid - FABRIC_BARE_SSID);

    if (path && fabric_bare_answered(&path->bare, reply->sender_seq)) {
        fabric_path_bare_changed(path);
    }
}

/* Tells that 'path' was taken for dead while a test or its answer waited for
 * 'waited' us for one of the two hosts. */
static void
log_excuse(const struct fabric_path *path, int64_t waited)
    OVS_REQUIRES(fabric_table_mutex)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(10, 10);

    COVERAGE_INC(fabric_path_excused);
    VLOG_INFO_RL(&rl, "%s: endpoint %s: path with port %"PRIu16" was down "
                 "only because a probe was not looked at for %"PRId64" ms",
                 path->endpoint->fabric->name, path->endpoint->name,
                 ntohs(fabric_table_paths[path->index].src_port),
                 waited / 1000);
}

static void
answered(struct fabric_endpoint *ep, struct fabric_uplink *up,
         const struct fabric_rx *rx, const struct fabric_stamp *reply)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_path *path = find_ssid(ep, reply->ssid);
    int64_t residence, waited, rtt;

    if (reply->ssid >= FABRIC_BARE_SSID) {
        bare_answered(ep, reply);
        return;
    }
    if (reply->ssid >= FABRIC_MTU_SSID) {
        fabric_mtu_answered(ep, up, rx, reply->ssid, reply->sender_seq);
        return;
    }
    if (reply->ssid > FABRIC_MAX_SSID) {
        fabric_discover_answered(ep, up, rx, reply->ssid, reply->sender_seq);
        return;
    }
    if (reply->has_report && reply->report.copy) {
        take_report(ep, reply);
        heard(ep, reply);
        return;
    }
    if (!path || !is_expected(path, reply)) {
        fabric_drop_count(FABRIC_DROP_RX_BAD_PROBE, 1);
        return;
    }

    COVERAGE_INC(fabric_probe_answered);
    set_answers(ep);
    note_way_back(path, up, rx);
    residence = ((int64_t) fabric_stamp_ts_to_ns(reply->timestamp)
                 - (int64_t) fabric_stamp_ts_to_ns(reply->rx_timestamp));
    waited = (rx_wait_ns(rx) + MAX(residence, 0)) / 1000;
    rtt = (time_usec() - waited
           - fabric_liveness_departure(&path->live, reply->sender_seq));
    fabric_hearing_note_wait(&ep->hearing, waited, time_msec());
    rtt = MIN(MAX(rtt, 0), FABRIC_RTT_MAX);
    forget_test(path, reply);
    take_report(ep, reply);
    heard(ep, reply);
    if (fabric_liveness_answered(&path->live, &ep->fabric->probe,
                                 reply->sender_seq, rtt)) {
        fabric_path_refresh(path);
    }
    if (fabric_liveness_excuse(&path->live, &ep->fabric->probe,
                               reply->sender_seq, rtt, waited)) {
        fabric_path_refresh(path);
        fabric_health_excuse(&path->health, &ep->fabric->health);
        log_excuse(path, waited);
    }
    measure(path, rx, reply, rtt);
}

static enum fabric_drop
refusal(enum fabric_stamp_result result)
{
    return (result == FABRIC_STAMP_BAD_AUTH ? FABRIC_DROP_RX_BAD_AUTH
            : FABRIC_DROP_RX_BAD_PROBE);
}

static bool
is_bfd(uint32_t vni, bool oam, const struct fabric_uplink_config *config,
       const void *frame, size_t size)
{
    return fabric_bfd_is_control(frame, size,
                                 fabric_bfd_place(vni, oam, config->probe_vni,
                                                  config->bfd_vni));
}

bool
fabric_session_is_probe(uint32_t vni, bool oam,
                        const struct fabric_uplink_config *config,
                        const void *frame, size_t size)
{
    return ((vni == config->probe_vni && fabric_stamp_is_probe(frame, size))
            || is_bfd(vni, oam, config, frame, size));
}

/* Packets that an endpoint may send in a millisecond at least, whatever it is
 * used for: those of 20 paths at the shortest interval. */
#define MIN_RX_RATE 20

/* Returns true if 'ep' has not had its share of this thread's time yet, with a
 * packet that may be an 'answer'.  Tests have a share of their own: whoever
 * repeats or forges these keeps no answer from us. */
static bool
may_receive(struct fabric_endpoint *ep, bool answer)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct token_bucket *tb = &ep->rx_rates[answer];
    unsigned int rate = MAX(4 * ep->n_paths / ep->fabric->probe.interval,
                            MIN_RX_RATE);

    if (tb->rate != rate) {
        token_bucket_set(tb, rate, 1000 * rate);
    }
    return token_bucket_withdraw(tb, 1);
}

void
fabric_session_receive(struct fabric *f, struct fabric_uplink *up,
                       const struct fabric_rx *rx, struct fabric_burst *b)
{
    struct fabric_encap_info info;
    struct fabric_endpoint *ep;
    enum fabric_stamp_result result;
    const uint8_t *frame;
    size_t size;
    struct fabric_stamp stamp;
    enum fabric_drop drop;

    ep = fabric_endpoint_by_ip(f, &rx->remote_ip);
    if (!ep) {
        fabric_drop_count(FABRIC_DROP_RX_UNKNOWN_SOURCE, 1);
        return;
    }
    if (!fabric_encap_parse(f->encap, rx->data, rx->size, &info, &drop)) {
        fabric_drop_count(drop, 1);
        return;
    }
    frame = rx->data + info.header_len;
    size = rx->size - info.header_len;
    if (!may_receive(ep, fabric_stamp_seems_reflected(frame, size))) {
        fabric_drop_count(FABRIC_DROP_RX_PROBE_RATE, 1);
        return;
    }
    if (is_bfd(info.vni, info.oam, &up->config, frame, size)) {
        fabric_bfd_peer_receive(ep, up, rx, &info);
        return;
    }
    result = (info.vni != f->probe.vni ? FABRIC_STAMP_NOT_STAMP
              : fabric_stamp_parse(frame, size, &f->keys, &stamp));
    if (result == FABRIC_STAMP_OK && f->keys.n
        && !fabric_origin_is_right(&stamp, up, rx)) {
        result = FABRIC_STAMP_BAD_AUTH;
    }
    if (result != FABRIC_STAMP_OK) {
        fabric_drop_count(refusal(result), 1);
        return;
    }
    if (f->keys.n) {
        fabric_origin_learn(ep, &stamp.origin);
    }
    ep->hearing.latest = time_msec();
    if (stamp.reflected) {
        answered(ep, up, rx, &stamp);
    } else {
        reflect(ep, up, rx, &stamp, b);
    }
}
