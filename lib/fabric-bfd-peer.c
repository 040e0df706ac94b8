/* SPDX-License-Identifier: Apache-2.0 */

/* BFD as it is cannot tell paths apart: either end only says whether it has
 * heard anything of late, and Open vSwitch has one session for all packets
 * from an address, whichever way they came, as RFC 8971 section 1 recommends.
 * A session for each path, as a peer of several sessions would have it, makes
 * such a peer believe whichever of them spoke last.
 *
 * Hence there is one session for a pair of addresses, and its packets take the
 * pair's paths in turns.  Each path has a discriminator of its own, which RFC
 * 5880 section 6.3 leaves to us, and each packet is a poll.  A peer has to
 * answer that at once, with the discriminator that it heard last (sections 6.5
 * and 6.8.6): so each answer tells over which path it was asked.  A path goes
 * down whose polls remain unanswered, and all of them go down with the
 * session, when nothing at all arrives or the peer says that it hears nothing.
 * The session as a whole sends as often as was negotiated and not more.
 *
 * Two polls in a row have one answer, if the peer is not quick.  Open vSwitch
 * is not: it sets a flag in what it would send next.  So it is the next path's
 * turn only when a poll was answered, or when the peer had the time to send
 * something; until then packets stay on their path.
 *
 * A peer must hear something in its detection time though a path, or half of
 * them, has died.  So a poll that was not answered is followed by one over a
 * path that works; then it is the turn of those whose polls were not, so that
 * it takes no whole round for each to find out; and the multiplier that the
 * peer is told leaves room for that. */

#include <config.h>

#include "fabric-bfd-peer.h"

#include "coverage.h"
#include "fabric-bfd-way.h"
#include "fabric-drops.h"
#include "fabric-encap.h"
#include "fabric-private.h"
#include "fabric-prober.h"
#include "fabric-session.h"
#include "openvswitch/vlog.h"
#include "random.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(fabric_bfd_peer);

COVERAGE_DEFINE(fabric_bfd_sent);
COVERAGE_DEFINE(fabric_bfd_received);

/* Tests that must have been sent over a path before BFD is tried. */
#define STAMP_TESTS 10

/* How often STAMP is tried while BFD decides, ms. */
#define STAMP_TRY_INTERVAL 10000

/* Least time between two answers to polls, us.  A peer that polls more often
 * wants to make us work. */
#define MIN_ANSWER_INTERVAL 500

/* A peer of which a test arrived in the last so many ms uses STAMP.  Idle ones
 * are tested once a second unless configured otherwise. */
#define STAMP_TESTED 3000

/* How long a peer that speaks BFD between other addresses has time to do so
 * between these, us: while sessions are down, packets are a second apart. */
#define GRACE 4000000

struct bfd_session {
    struct fabric_uplink *uplink;
    struct in6_addr remote_ip;
    struct fabric_bfd bfd;
    struct fabric_bfd_way way;
    uint16_t src_port;
    struct fabric_path *last;           /* Whose turn it is, or NULL. */
    long long int created;              /* us. */
    bool heard;                         /* Did the peer ever send anything? */
    long long int last_answer;          /* us. */
};

struct fabric_bfd_peer {
    bool ever_up;                       /* Was any session ever up? */
    long long int next_try;             /* Of STAMP, ms. */
    unsigned int n_tries;
    size_t n;
    struct bfd_session **sessions;
};

/* Discriminators: what the path table calls the path, in disguise. */
BUILD_ASSERT_DECL(FABRIC_TABLE_MAX_PATHS <= INT32_MAX);

static uint32_t
path_disc(const struct fabric_path *path)
{
    return path->index ^ fabric_bfd_disguise();
}

static bool
is_of_session(const struct fabric_path *path, const struct bfd_session *s)
    OVS_REQUIRES(fabric_table_mutex)
{
    return fabric_path_is_between(path, s->uplink, &s->remote_ip);
}

/* Returns the path of 's' that 'disc' stands for, or NULL. */
static struct fabric_path *
disc_path(const struct fabric_endpoint *ep, const struct bfd_session *s,
          uint32_t disc)
    OVS_REQUIRES(fabric_table_mutex)
{
    uint32_t index = disc ^ fabric_bfd_disguise();
    struct fabric_path *path;

    if (index >= FABRIC_TABLE_MAX_PATHS) {
        return NULL;
    }
    path = fabric_path_by_index[index];
    return path && path->endpoint == ep && is_of_session(path, s) ? path
                                                                  : NULL;
}

/* Who decides. */

/* Is what BFD says of 'ep' what counts, if it says anything? */
static bool
counts(const struct fabric_endpoint *ep)
    OVS_REQUIRES(fabric_table_mutex)
{
    return (ep->fabric->probe.protocol == FABRIC_PROTOCOL_BFD
            || (ep->fabric->probe.protocol == FABRIC_PROTOCOL_AUTO
                && !ep->answers));
}

static bool
any_up(const struct fabric_endpoint *ep)
    OVS_REQUIRES(fabric_table_mutex)
{
    for (size_t i = 0; ep->bfd && i < ep->bfd->n; i++) {
        if (ep->bfd->sessions[i]->bfd.state == FABRIC_BFD_UP) {
            return true;
        }
    }
    return false;
}

bool
fabric_bfd_peer_uses_stamp(const struct fabric_endpoint *ep)
{
    return (ep->fabric->probe.protocol != FABRIC_PROTOCOL_BFD
            && !(counts(ep) && any_up(ep)));
}

enum fabric_protocol
fabric_bfd_peer_protocol(const struct fabric_endpoint *ep)
{
    return (ep->bfd && ep->bfd->ever_up && counts(ep) ? FABRIC_PROTOCOL_BFD
            : ep->answers && !counts(ep) ? FABRIC_PROTOCOL_STAMP
            : FABRIC_PROTOCOL_NONE);
}

/* Do both ends go by STAMP?  Else sessions that both began while nothing got
 * through would go on for ever, each end taking the other for who wants it. */
static bool
is_mutual(const struct fabric_endpoint *ep)
    OVS_REQUIRES(fabric_table_mutex)
{
    return (ep->fabric->probe.protocol == FABRIC_PROTOCOL_AUTO
            && ep->answers && !fabric_endpoint_is_silent(ep, STAMP_TESTS)
            && fabric_endpoint_tests(ep, STAMP_TESTED));
}

/* Do we begin, rather than wait for the peer? */
static bool
is_active(const struct fabric_endpoint *ep,
          const struct fabric_probe_config *config)
    OVS_REQUIRES(fabric_table_mutex)
{
    return (config->enabled
            && (config->protocol == FABRIC_PROTOCOL_BFD
                || (config->protocol == FABRIC_PROTOCOL_AUTO
                    && (fabric_endpoint_is_silent(ep, STAMP_TESTS)
                        || (fabric_bfd_peer_protocol(ep)
                            == FABRIC_PROTOCOL_BFD)))));
}

/* Sessions. */

static size_t
count_paths(const struct fabric_endpoint *ep, const struct bfd_session *s)
    OVS_REQUIRES(fabric_table_mutex)
{
    size_t n = 0;

    for (size_t i = 0; i < ep->n_paths; i++) {
        n += is_of_session(ep->paths[i], s);
    }
    return n;
}

/* Packets have to follow each other so closely that each path has one in every
 * interval, and those of a peer that does likewise, too. */
static struct fabric_bfd_config
make_config(const struct fabric_endpoint *ep, const struct bfd_session *s,
            const struct fabric_probe_config *config)
    OVS_REQUIRES(fabric_table_mutex)
{
    size_t n = MAX(count_paths(ep, s), 1);
    uint32_t interval = MAX(config->interval * 1000 / n, 1000);

    return (struct fabric_bfd_config) {
        .min_tx = interval,
        .min_rx = interval,
        .multiplier = (n == 1 ? config->multiplier
                       : MIN(MAX(config->multiplier, 3) + 2, UINT8_MAX)),
    };
}

static struct bfd_session *
find_session(const struct fabric_endpoint *ep, const struct fabric_uplink *up,
             const struct in6_addr *remote_ip)
    OVS_REQUIRES(fabric_table_mutex)
{
    for (size_t i = 0; ep->bfd && i < ep->bfd->n; i++) {
        struct bfd_session *s = ep->bfd->sessions[i];

        if (s->uplink == up && ipv6_addr_equals(&s->remote_ip, remote_ip)) {
            return s;
        }
    }
    return NULL;
}

static struct bfd_session *
create_session(struct fabric_endpoint *ep, struct fabric_uplink *up,
               const struct in6_addr *remote_ip)
    OVS_REQUIRES(fabric_table_mutex)
{
    const struct fabric_probe_config *config = &ep->fabric->probe;
    struct bfd_session *s = xzalloc(sizeof *s);
    struct fabric_bfd_config bfd_config;

    s->uplink = up;
    s->remote_ip = *remote_ip;
    s->created = time_usec();
    fabric_bfd_way_init(&s->way, up->config.encap, config->vni,
                        &up->config.local_ip);

    /* RFC 5881 section 4. */
    s->src_port = 49152 + random_range(16384);
    bfd_config = make_config(ep, s, config);
    fabric_bfd_init(&s->bfd, &bfd_config, s->created);

    if (!ep->bfd) {
        ep->bfd = xzalloc(sizeof *ep->bfd);
    }
    ep->bfd->sessions = xrealloc(ep->bfd->sessions,
                                 (ep->bfd->n + 1) * sizeof s);
    ep->bfd->sessions[ep->bfd->n++] = s;
    return s;
}

/* Returns the session between these addresses, NULL if there is no path for
 * it. */
static struct bfd_session *
get_session(struct fabric_endpoint *ep, struct fabric_uplink *up,
            const struct in6_addr *remote_ip)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct bfd_session *s = find_session(ep, up, remote_ip);

    for (size_t i = 0; !s && i < ep->n_paths; i++) {
        if (fabric_path_is_between(ep->paths[i], up, remote_ip)) {
            s = create_session(ep, up, remote_ip);
        }
    }
    return s;
}

/* Notes for the datapath whether the endpoint is an Open vSwitch that would
 * take workloads' BFD for its own. */
static void
note_ovs(struct fabric_endpoint *ep)
    OVS_REQUIRES(fabric_table_mutex)
{
    bool ovs = false;

    for (size_t i = 0; i < ep->bfd->n; i++) {
        ovs |= ep->bfd->sessions[i]->way.ovs;
    }
    atomic_store_relaxed(&ep->takes_bfd, ovs);
}

static void
remove_session(struct fabric_endpoint *ep, size_t i)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_bfd_peer *peer = ep->bfd;

    free(peer->sessions[i]);
    peer->sessions[i] = peer->sessions[--peer->n];
    note_ovs(ep);
}

/* The first session came up since the peer spoke anything else, if it did. */
static void
took_up(struct fabric_endpoint *ep)
    OVS_REQUIRES(fabric_table_mutex)
{
    ep->bfd->ever_up = true;
    if (fabric_endpoint_is_silent(ep, STAMP_TESTS)) {
        ep->answers = false;
    }
    for (size_t i = 0; !ep->answers && i < ep->n_paths; i++) {
        fabric_liveness_forgive(&ep->paths[i]->live);
    }
    fabric_registry_changed();
}

/* Acts on a change of the state of 's', which was 'old'. */
static void
state_changed(struct fabric_endpoint *ep, struct bfd_session *s,
              enum fabric_bfd_state old)
    OVS_REQUIRES(fabric_table_mutex)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(60, 60);
    char local[INET6_ADDRSTRLEN], remote[INET6_ADDRSTRLEN];
    bool up = s->bfd.state == FABRIC_BFD_UP;

    if (!up && old != FABRIC_BFD_UP) {
        return;
    }
    VLOG_INFO_RL(&rl, "%s: endpoint %s: BFD %s -> %s is %s (%s; peer: %s)",
                 ep->fabric->name, ep->name,
                 ipv6_string_mapped(local, &s->uplink->config.local_ip),
                 ipv6_string_mapped(remote, &s->remote_ip),
                 fabric_bfd_state_to_string(s->bfd.state),
                 fabric_bfd_diag_to_string(s->bfd.diag),
                 fabric_bfd_diag_to_string(s->bfd.remote_diag));
    if (up && (!ep->bfd->ever_up || ep->answers)) {
        took_up(ep);
    }

    for (size_t i = 0; i < ep->n_paths; i++) {
        struct fabric_path *path = ep->paths[i];

        if (!is_of_session(path, s)) {
            continue;
        }
        path->bfd.n_unanswered = 0;
        path->bfd.answer_us = 0;
        if (up || !counts(ep)) {
            continue;
        }

        /* RFC 5880 section 6.8.16: administratively down says nothing of the
         * path. */
        if (s->bfd.remote_state == FABRIC_BFD_ADMIN_DOWN) {
            fabric_liveness_reset(&path->live);
        } else {
            fabric_liveness_fail(&path->live);
        }
        fabric_path_refresh(path);
    }
}

/* Sending. */

/* How long the peer may take to answer a poll over 'path', us.  It need not
 * answer before it would send anyway. */
static long long int
answer_time(const struct fabric_path *path, const struct bfd_session *s)
{
    return (MAX(s->bfd.remote_min_tx, s->bfd.min_rx)
            + 2 * MAX(path->bfd.answer_us, 1000));
}

/* Is an answer to the poll over 'path' to be waited for? */
static bool
is_open(const struct fabric_path *path, const struct bfd_session *s,
        long long int now)
{
    return (path->bfd.n_unanswered
            && now < path->bfd.sent_us + answer_time(path, s));
}

/* How much 'path' should have the next packet of 's', as the comment at the
 * top of this file says. */
static int
urgency(const struct fabric_path *path, const struct bfd_session *s)
    OVS_REQUIRES(fabric_table_mutex)
{
    if (s->last && s->last->bfd.n_unanswered) {
        return !path->bfd.n_unanswered;
    }
    return path->bfd.n_unanswered && path->live.state == FABRIC_PATH_UP;
}

static struct fabric_path *
choose_path(const struct fabric_endpoint *ep, const struct bfd_session *s)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_path *best = NULL;
    int best_urgency = 0;

    for (size_t i = 0; i < ep->n_paths; i++) {
        struct fabric_path *path = ep->paths[i];

        if (is_of_session(path, s)) {
            int u = urgency(path, s);

            if (!best || u > best_urgency
                || (u == best_urgency
                    && path->bfd.sent_us < best->bfd.sent_us)) {
                best = path;
                best_urgency = u;
            }
        }
    }
    return best;
}

static void
transmit(const struct fabric_endpoint *ep, struct bfd_session *s,
         struct fabric_path *path, const struct fabric_bfd_packet *packet)
    OVS_REQUIRES(fabric_table_mutex)
{
    uint8_t buf[FABRIC_BFD_MAX_DATAGRAM];
    struct iovec iov = { .iov_base = buf };
    struct fabric_datagram datagram = {
        .remote_ip = s->remote_ip,
        .port_idx = path->port_idx,
        .ttl = fabric_probe_ttl(s->uplink),
        .iov = &iov,
        .n_iov = 1,
    };

    datagram.size = iov.iov_len
        = fabric_bfd_way_compose(&s->way, packet,
                                 &ep->fabric->probe.bfd_dst_mac, s->src_port,
                                 buf);
    s->uplink->class->send(s->uplink, &datagram, 1);
    COVERAGE_INC(fabric_bfd_sent);
    path->unreachable = fabric_uplink_is_unreachable(datagram.error);
    fabric_path_refresh(path);
}

static void
send_periodic(const struct fabric_endpoint *ep, struct bfd_session *s,
              long long int now)
    OVS_REQUIRES(fabric_table_mutex)
{
    bool poll = counts(ep) && s->bfd.state == FABRIC_BFD_UP;
    bool again = poll && s->last && is_open(s->last, s, now);
    struct fabric_path *path = again ? s->last : choose_path(ep, s);
    struct fabric_bfd_packet packet;

    if (!path || !fabric_bfd_send(&s->bfd, now, random_uint32(),
                                  path_disc(path), poll, &packet)) {
        return;
    }
    if (poll && !again) {
        path->bfd.seq = fabric_liveness_sent(&path->live, now);
        path->bfd.n_unanswered++;
    }
    if (!again) {
        path->bfd.sent_us = now;
    }
    s->last = path;
    transmit(ep, s, path, &packet);
}

/* When, in us, 'path' is given up, if no answer arrives until then. */
static long long int
path_deadline(const struct fabric_path *path, const struct bfd_session *s,
              const struct fabric_probe_config *config)
{
    return (path->bfd.n_unanswered < config->multiplier
            || path->live.state == FABRIC_PATH_DOWN
            ? LLONG_MAX : path->bfd.sent_us + answer_time(path, s));
}

/* Is 'path' to be given up?  Also if 's' never had a peer, while there is one
 * between other addresses. */
static bool
is_lost(const struct fabric_endpoint *ep, const struct fabric_path *path,
        const struct bfd_session *s, const struct fabric_probe_config *config,
        long long int now)
    OVS_REQUIRES(fabric_table_mutex)
{
    return (s->bfd.state == FABRIC_BFD_UP
            ? now >= path_deadline(path, s, config)
            : (path->live.state == FABRIC_PATH_UNKNOWN && !s->heard
               && now >= s->created + GRACE && any_up(ep)));
}

static void
check_paths(const struct fabric_endpoint *ep, const struct bfd_session *s,
            const struct fabric_probe_config *config, long long int now)
    OVS_REQUIRES(fabric_table_mutex)
{
    for (size_t i = 0; i < ep->n_paths; i++) {
        struct fabric_path *path = ep->paths[i];

        if (is_of_session(path, s) && is_lost(ep, path, s, config, now)) {
            fabric_liveness_fail(&path->live);
            fabric_path_refresh(path);
        }
    }
}

static void
run_session(struct fabric_endpoint *ep, struct bfd_session *s,
            const struct fabric_probe_config *config)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_bfd_config bfd_config = make_config(ep, s, config);
    enum fabric_bfd_state old = s->bfd.state;
    long long int now = time_usec();

    fabric_bfd_configure(&s->bfd, &bfd_config, now);
    if (fabric_bfd_check(&s->bfd, now)) {
        state_changed(ep, s, old);
    }
    if (counts(ep)) {
        check_paths(ep, s, config, now);
    }
    send_periodic(ep, s, now);
}

/* RFC 5880 section 6.8.16: a peer is told that there is no failure. */
static void
say_goodbye(const struct fabric_endpoint *ep, struct bfd_session *s)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_path *path = choose_path(ep, s);

    if (path && s->bfd.remote_disc) {
        struct fabric_bfd_packet packet;
        long long int now = time_usec();

        fabric_bfd_admin_down(&s->bfd, now);
        if (fabric_bfd_send(&s->bfd, now, 0, path_disc(path), false,
                            &packet)) {
            transmit(ep, s, path, &packet);
        }
    }
}

/* Tries STAMP over one path after the other. */
static void
try_stamp(struct fabric_endpoint *ep, struct fabric_burst *burst)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_bfd_peer *peer = ep->bfd;
    long long int now = time_msec();

    if (ep->fabric->probe.protocol == FABRIC_PROTOCOL_AUTO
        && now >= peer->next_try && !fabric_bfd_peer_uses_stamp(ep)) {
        peer->next_try = now + STAMP_TRY_INTERVAL;
        fabric_session_try(ep->paths[peer->n_tries++ % ep->n_paths], burst);
    }
}

void
fabric_bfd_peer_run(struct fabric_endpoint *ep,
                    const struct fabric_probe_config *config,
                    struct fabric_burst *burst)
{
    bool active = is_active(ep, config);

    for (size_t i = 0; active && i < ep->n_paths; i++) {
        get_session(ep, ep->paths[i]->uplink,
                    &fabric_table_paths[ep->paths[i]->index].remote_ip);
    }

    for (size_t i = 0; ep->bfd && i < ep->bfd->n; ) {
        struct bfd_session *s = ep->bfd->sessions[i];

        run_session(ep, s, config);
        if (is_mutual(ep) || (!active && s->bfd.detect == LLONG_MAX)) {
            /* Nobody wants it, or the peer is gone. */
            say_goodbye(ep, s);
            remove_session(ep, i);
        } else {
            i++;
        }
    }
    if (ep->bfd) {
        try_stamp(ep, burst);
    }
}

long long int
fabric_bfd_peer_deadline(const struct fabric_endpoint *ep,
                         const struct fabric_probe_config *config)
{
    long long int deadline = LLONG_MAX;

    for (size_t i = 0; ep->bfd && i < ep->bfd->n; i++) {
        const struct bfd_session *s = ep->bfd->sessions[i];

        deadline = MIN(deadline, fabric_bfd_deadline(&s->bfd));
        for (size_t j = 0; counts(ep) && s->bfd.state == FABRIC_BFD_UP
                           && j < ep->n_paths; j++) {
            if (is_of_session(ep->paths[j], s)) {
                deadline = MIN(deadline,
                               path_deadline(ep->paths[j], s, config));
            }
        }
    }
    return deadline == LLONG_MAX ? LLONG_MAX : deadline / 1000 + 1;
}

/* Receiving. */

/* Returns the session that 'packet' is for and, in '*path', the path over
 * which the peer last heard of us, NULL if it has not.  Returns NULL if there
 * is none. */
static struct bfd_session *
packet_session(struct fabric_endpoint *ep, struct fabric_uplink *up,
               const struct in6_addr *remote_ip,
               const struct fabric_bfd_packet *packet,
               struct fabric_path **path)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct bfd_session *s = (packet->your_disc || is_mutual(ep)
                             ? find_session(ep, up, remote_ip)
                             : get_session(ep, up, remote_ip));

    *path = s ? disc_path(ep, s, packet->your_disc) : NULL;
    return *path || !packet->your_disc ? s : NULL;
}

static void
receive_final(struct fabric_endpoint *ep, struct fabric_path *path,
              long long int now)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_bfd_path *b = &path->bfd;
    long long int took = now - b->sent_us;

    if (b->n_unanswered) {
        b->n_unanswered = 0;
        b->answer_us = b->answer_us ? MIN(b->answer_us, took) : took;
        fabric_health_works(&path->health);
        if (fabric_liveness_answered(&path->live, &ep->fabric->probe, b->seq,
                                     -1)) {
            fabric_path_refresh(path);
        }
    }
}

static bool
may_answer(struct bfd_session *s, long long int now)
{
    if (now - s->last_answer < MIN_ANSWER_INTERVAL) {
        return false;
    }
    s->last_answer = now;
    return true;
}

/* Returns true if the endpoint may send its BFD 'way'. */
static bool
may_speak(const struct fabric_endpoint *ep, const struct fabric_bfd_way *way)
    OVS_REQUIRES(fabric_table_mutex)
{
    return (!way->ovs || !ep->answers
            || fabric_endpoint_is_silent(ep, STAMP_TESTS));
}

/* Makes 's' answer the 'way' in which 'packet' came.  Returns false if 's' is
 * up and 'packet' is not its peer's. */
static bool
follow(struct fabric_endpoint *ep, struct bfd_session *s,
       const struct fabric_bfd_packet *packet,
       const struct fabric_bfd_way *way)
    OVS_REQUIRES(fabric_table_mutex)
{
    if (s->bfd.state == FABRIC_BFD_UP) {
        return (packet->your_disc && way->ovs == s->way.ovs
                && (!way->ovs || fabric_bfd_way_equal(way, &s->way)));
    }
    s->heard = true;
    s->way = *way;
    note_ovs(ep);
    return true;
}

void
fabric_bfd_peer_receive(struct fabric_endpoint *ep, struct fabric_uplink *up,
                        const struct fabric_rx *rx,
                        const struct fabric_encap_info *info)
{
    const struct fabric_probe_config *config = &ep->fabric->probe;
    const uint8_t *frame = rx->data + info->header_len;
    size_t size = rx->size - info->header_len;
    long long int now = time_usec();
    struct fabric_bfd_packet packet, answer;
    struct bfd_session *s = NULL;
    struct fabric_bfd_way way;
    enum fabric_bfd_state old;
    struct fabric_path *path;

    COVERAGE_INC(fabric_bfd_received);
    if (config->enabled && config->protocol != FABRIC_PROTOCOL_STAMP
        && fabric_bfd_way_parse(up->config.encap, info, &up->config.local_ip,
                                &rx->remote_ip, frame, size, &packet, &way)
        && may_speak(ep, &way)) {
        s = packet_session(ep, up, &rx->remote_ip, &packet, &path);
    }
    if (!s || !follow(ep, s, &packet, &way)) {
        fabric_drop_count(FABRIC_DROP_RX_BAD_PROBE, 1);
        return;
    }

    old = s->bfd.state;
    if (fabric_bfd_receive(&s->bfd, &packet, now)) {
        state_changed(ep, s, old);
    }
    if (packet.final && path && counts(ep)
        && s->bfd.state == FABRIC_BFD_UP) {
        receive_final(ep, path, now);
    }

    path = path ? path : choose_path(ep, s);
    if (path && fabric_bfd_answer(&s->bfd, path_disc(path), &answer)
        && may_answer(s, now)) {
        transmit(ep, s, path, &answer);
    }
    fabric_prober_event_changed(ep);
}

/* Showing. */

const struct fabric_bfd *
fabric_bfd_peer_session(const struct fabric_path *path)
{
    const struct bfd_session *s
        = find_session(path->endpoint, path->uplink,
                       &fabric_table_paths[path->index].remote_ip);

    return s ? &s->bfd : NULL;
}

/* Changes. */

void
fabric_bfd_peer_paths_changed(struct fabric_endpoint *ep)
{
    for (size_t i = 0; ep->bfd && i < ep->bfd->n; ) {
        struct bfd_session *s = ep->bfd->sessions[i];

        s->last = NULL;
        if (count_paths(ep, s)) {
            i++;
        } else {
            remove_session(ep, i);
        }
    }
}

void
fabric_bfd_peer_reconfigure(struct fabric_endpoint *ep)
{
    const struct fabric_probe_config *config = &ep->fabric->probe;
    enum fabric_protocol protocol = config->protocol;
    bool had_bfd = ep->bfd && ep->bfd->ever_up;

    if (ep->bfd && (!config->enabled || protocol == FABRIC_PROTOCOL_STAMP)) {
        for (size_t i = 0; i < ep->bfd->n; i++) {
            say_goodbye(ep, ep->bfd->sessions[i]);
        }
        fabric_bfd_peer_destroy(ep);
    }

    /* Nobody shall be judged by what another protocol said. */
    if (had_bfd ? !ep->bfd : protocol == FABRIC_PROTOCOL_BFD) {
        for (size_t i = 0; i < ep->n_paths; i++) {
            fabric_liveness_reset(&ep->paths[i]->live);
            fabric_path_refresh(ep->paths[i]);
        }
    }
}

void
fabric_bfd_peer_destroy(struct fabric_endpoint *ep)
{
    if (ep->bfd) {
        while (ep->bfd->n) {
            remove_session(ep, 0);
        }
        free(ep->bfd->sessions);
        free(ep->bfd);
        ep->bfd = NULL;
    }
}
