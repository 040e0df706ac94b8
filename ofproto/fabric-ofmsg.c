/* SPDX-License-Identifier: Apache-2.0 */

/* What controllers ask and are told of paths, over OpenFlow.
 *
 * A subscription remembers of each path of the view what it told, four bytes,
 * and goes round the view in search of differences.  It stops when its
 * messages are as many as the controller permits a second, or when they wait
 * in the connection because the controller does not read, and goes on from
 * there.  So what a slow controller gets late it gets as it is then, memory
 * does not depend on what happens meanwhile, and no path is told of twice
 * before all others have had their turn.
 *
 * Paths that are gone stay in the view until all subscriptions told so.  If
 * too many do, subscriptions that are behind begin anew, with RESTART.
 *
 * Only the main thread runs this. */

#include <config.h>
#include "fabric-hooks.h"

#include "fabric-registry.h"
#include "fabric-view.h"
#include "netdev.h"
#include "ofp-fabric-msg.h"
#include "ofproto/connmgr.h"
#include "ofproto/ofproto-provider.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/rconn.h"
#include "openvswitch/token-bucket.h"
#include "util.h"

/* Messages wait in the connection up to about this many bytes. */
#define MAX_QUEUED (32 * 1024)

/* Paths that are gone and not told of. */
#define MAX_GONE 4096

/* Tokens per message: the bucket counts in tokens per millisecond. */
#define TOKENS 1000

/* What the controller was told of a path. */
struct told {
    uint16_t port;              /* The fabric's, OpenFlow 1.0 number. */
    uint8_t state;              /* FABRIC_MSG_STATE(). */
    uint8_t above;              /* A bit for each threshold reached. */
};
BUILD_ASSERT_DECL(sizeof(struct told) == 4);
BUILD_ASSERT_DECL(FABRIC_MSG_MAX_THRESHOLDS <= 8);

/* A connection that has subscribed.  It remains when the subscription ends:
 * else whoever subscribes again and again without reading could fill the
 * memory with messages that wait. */
struct fabric_ofmsg {
    const struct ofproto *ofproto;
    uint8_t version;            /* Of OpenFlow. */
    struct rconn_packet_counter *counter;       /* What waits in the rconn. */

    /* The subscription.  There is none if 'monitor.events' is 0. */
    struct fabric_msg_monitor monitor;
    struct token_bucket bucket;

    struct told *told;          /* By index in the view. */
    size_t n_told;
    size_t cursor;              /* Index to look at next. */
    size_t n_left;              /* How many to look at until all were. */
    uint64_t view_seqno;        /* Of the view being looked at. */
    uint64_t done_seqno;        /* Of the view that all was looked at in. */
    uint32_t ports;             /* hash_ports() likewise. */

    bool restart;               /* Is RESTART to be sent first? */
    bool initial;               /* Is it the first time round? */
};

/* Fabrics of a bridge. */

static bool
is_fabric(const struct ofport *port)
{
    return port && !strcmp(netdev_get_type(port->netdev), "fabric");
}

/* Returns the port of fabric 'name' on 'ofproto', or OFPP_NONE. */
static ofp_port_t
fabric_to_port(const struct ofproto *ofproto, const char *name)
{
    const struct ofport *port = shash_find_data(&ofproto->port_by_name, name);

    return is_fabric(port) ? port->ofp_port : OFPP_NONE;
}

/* Is there a fabric at 'port', which is not OFPP_ANY, of 'ofproto'? */
static bool
port_is_fabric(const struct ofproto *ofproto, ofp_port_t port)
{
    return is_fabric(ofproto_get_port(ofproto, port));
}

/* Changes when a fabric's port is added, removed or renumbered. */
static uint32_t
hash_ports(const struct ofproto *ofproto)
{
    struct fabric **fabrics;
    size_t n = fabric_registry_list(&fabrics);
    uint32_t hash = 0;

    for (size_t i = 0; i < n; i++) {
        const char *name = fabric_name(fabrics[i]);

        hash = hash_add(hash, ofp_to_u16(fabric_to_port(ofproto, name)));
    }
    free(fabrics);
    return hash_finish(hash, n);
}

/* Subscriptions. */

/* Sets what the controller was told of path 'i'. */
static void
set_told(struct fabric_ofmsg *c, size_t i, struct told told)
{
    bool before = c->told[i].state != FABRIC_MSG_NO_PATH;
    bool after = told.state != FABRIC_MSG_NO_PATH;

    c->told[i] = told;
    if (before != after) {
        fabric_view_told(i, after);
    }
}

static void
forget_all(struct fabric_ofmsg *c)
{
    for (size_t i = 0; i < c->n_told; i++) {
        set_told(c, i, (struct told) { .state = FABRIC_MSG_NO_PATH });
    }
}

/* Begins to look at everything, after a change of the view. */
static void
begin_round(struct fabric_ofmsg *c)
{
    size_t n = fabric_view_n();
    uint32_t ports;

    if (n > c->n_told) {
        c->told = xrealloc(c->told, n * sizeof *c->told);
        memset(&c->told[c->n_told], 0, (n - c->n_told) * sizeof *c->told);
        c->n_told = n;
    }
    c->n_left = n;
    c->view_seqno = fabric_view_seqno();
    ports = hash_ports(c->ofproto);
    if (c->ports != ports) {
        c->ports = ports;
        c->done_seqno = 0;
    }
}

/* Has the controller told everything anew, because it is so far behind that
 * too many paths that are gone are kept for it. */
static void
begin_anew(struct fabric_ofmsg *c)
{
    forget_all(c);
    c->done_seqno = 0;
    c->restart = true;
    c->initial = true;
    begin_round(c);
}

static bool
is_full(const struct fabric_ofmsg *c)
{
    return rconn_packet_counter_n_bytes(c->counter) >= MAX_QUEUED;
}

/* Sends 'status' if that is possible now. */
static bool
send_status(struct fabric_ofmsg *c, struct rconn *rconn,
            const struct fabric_msg_status *status)
{
    if (is_full(c) || !token_bucket_withdraw(&c->bucket, TOKENS)) {
        return false;
    }
    rconn_send(rconn, fabric_msg_encode_status(status, c->version),
               c->counter);
    return true;
}

static bool
send_mark(struct fabric_ofmsg *c, struct rconn *rconn,
          enum fabric_msg_reason reason)
{
    return send_status(c, rconn,
                       &(struct fabric_msg_status) { .reason = reason });
}

/* Which thresholds has 'path' reached, if 'above' are those that it had? */
static uint8_t
check_thresholds(const struct fabric_ofmsg *c,
                 const struct fabric_msg_path *path, uint8_t above)
{
    for (size_t i = 0; i < c->monitor.n_thresholds; i++) {
        const struct fabric_msg_threshold *t = &c->monitor.thresholds[i];
        uint64_t value = path->stats[t->stat];

        if (value == FABRIC_MSG_ABSENT) {
            continue;
        } else if (value >= t->rise) {
            above |= 1u << i;
        } else if (value < t->fall) {
            above &= ~(1u << i);
        }
    }
    return above;
}

/* Sets in '*status' what there is to tell of the change from 'old' to 'new'.
 * Returns true if the controller wants to know it. */
static bool
explain(const struct fabric_ofmsg *c, const struct told *old,
        const struct told *new, struct fabric_msg_status *status)
{
    const struct fabric_msg_monitor *m = &c->monitor;

    status->n_thresholds = 0;
    for (size_t i = 0; i < m->n_thresholds; i++) {
        if ((old->above ^ new->above) & (1u << i)) {
            struct fabric_msg_threshold *t
                = &status->thresholds[status->n_thresholds++];

            *t = m->thresholds[i];
            t->above = new->above & (1u << i);
        }
    }
    status->has_path = true;
    status->reason = (new->state == FABRIC_MSG_NO_PATH ? FABRIC_MSG_REMOVED
                      : old->state != FABRIC_MSG_NO_PATH ? FABRIC_MSG_STATE
                      : c->initial ? FABRIC_MSG_INITIAL : FABRIC_MSG_ADDED);
    if (status->reason == FABRIC_MSG_INITIAL
        || (old->state != new->state
            && m->events & fabric_msg_reason_event(status->reason))) {
        return true;
    }
    status->reason = FABRIC_MSG_THRESHOLD;
    return status->n_thresholds && new->state != FABRIC_MSG_NO_PATH;
}

/* Tells the controller what there is to tell of path 'i', if it is possible
 * now.  With 'rconn' NULL only takes note of it. */
static bool
tell(struct fabric_ofmsg *c, struct rconn *rconn, size_t i)
{
    const struct fabric_view_path *p = fabric_view_path(i);
    const struct told *old = &c->told[i];
    struct fabric_msg_status status;
    struct told new = { .state = FABRIC_MSG_NO_PATH };
    ofp_port_t port;

    if (!p || p->seqno <= c->done_seqno) {
        return true;
    }
    fabric_msg_path_from_info(&p->info, &status.path);
    port = p->gone ? OFPP_NONE : fabric_to_port(c->ofproto,
                                                p->endpoint->fabric);
    if (port != OFPP_NONE && (c->monitor.port == OFPP_ANY
                              || c->monitor.port == port)) {
        new.port = ofp_to_u16(port);
        new.state = status.path.state;
        new.above = check_thresholds(c, &status.path, old->above);
    }
    if (rconn && (new.state != old->state || new.above != old->above)
        && explain(c, old, &new, &status)) {
        status.path.port = u16_to_ofp(new.state != FABRIC_MSG_NO_PATH
                                      ? new.port : old->port);
        status.path.endpoint = p->endpoint->id;
        status.path.name = p->endpoint->name;
        status.path.name_len = strlen(p->endpoint->name);
        status.path.state = new.state;
        status.path.old_state = old->state;
        if (!send_status(c, rconn, &status)) {
            return false;
        }
    }
    set_told(c, i, new);
    return true;
}

/* Tells all that can be told now.  Returns false if there is more. */
static bool
tell_all(struct fabric_ofmsg *c, struct rconn *rconn)
{
    if (c->restart) {
        if (!send_mark(c, rconn, FABRIC_MSG_RESTART)) {
            return false;
        }
        c->restart = false;
    }
    for (; c->n_left; c->n_left--) {
        if (c->cursor >= fabric_view_n()) {
            c->cursor = 0;
        }
        if (!tell(c, rconn, c->cursor)) {
            return false;
        }
        c->cursor++;
    }
    c->done_seqno = c->view_seqno;
    if (c->initial) {
        if (!send_mark(c, rconn, FABRIC_MSG_SYNCED)) {
            return false;
        }
        c->initial = false;
    }
    return true;
}

static void
unsubscribe(struct fabric_ofmsg *c)
{
    if (c->monitor.events) {
        forget_all(c);
        fabric_view_unref(c->monitor.n_thresholds > 0);
        c->monitor.events = 0;
    }
}

static void
subscribe(struct fabric_ofmsg *c, const struct fabric_msg_monitor *m)
{
    c->monitor = *m;
    c->restart = c->initial = false;
    c->done_seqno = 0;
    token_bucket_init(&c->bucket, m->rate, m->rate * TOKENS);

    fabric_view_ref(m->n_thresholds > 0);
    fabric_view_invalidate();
    fabric_view_run();
    begin_round(c);
    if (m->flags & FABRIC_MSG_WANT_INITIAL) {
        c->initial = true;
    } else {
        for (size_t i = 0; i < fabric_view_n(); i++) {
            tell(c, NULL, i);
        }
        c->n_left = 0;
        c->done_seqno = c->view_seqno;
    }
}

/* Hooks. */

void
fabric_ofmsg_destroy(struct fabric_ofmsg *c)
{
    if (c) {
        unsubscribe(c);
        rconn_packet_counter_destroy(c->counter);
        free(c->told);
        free(c);
    }
}

void
fabric_ofmsg_run(struct fabric_ofmsg *c, struct rconn *rconn)
{
    if (OVS_LIKELY(!c) || !c->monitor.events) {
        return;
    }

    fabric_view_run();
    if (c->view_seqno != fabric_view_seqno()
        || c->ports != hash_ports(c->ofproto)) {
        begin_round(c);
    }
    if (!tell_all(c, rconn) && fabric_view_n_gone() > MAX_GONE) {
        begin_anew(c);
    }
}

void
fabric_ofmsg_wait(struct fabric_ofmsg *c)
{
    if (OVS_LIKELY(!c) || !c->monitor.events) {
        return;
    }

    fabric_view_wait();
    /* If it is full, the rconn wakes us when it has sent something. */
    if ((c->restart || c->n_left || c->initial) && !is_full(c)) {
        token_bucket_wait(&c->bucket, TOKENS);
    }
}

static enum ofperr
handle_monitor(struct ofconn *ofconn, const struct ofp_header *oh)
{
    const struct ofproto *ofproto = ofconn_get_ofproto(ofconn);
    struct fabric_ofmsg **c = fabric_ofmsg_of(ofconn);
    struct fabric_msg_monitor m;
    enum ofperr error = fabric_msg_decode_monitor(oh, &m);

    if (error) {
        return error;
    }
    if (m.events && m.port != OFPP_ANY && !port_is_fabric(ofproto, m.port)) {
        return OFPERR_OFPBRC_BAD_PORT;
    }
    if (*c) {
        unsubscribe(*c);
    } else if (m.events) {
        *c = xzalloc(sizeof **c);
        (*c)->ofproto = ofproto;
        (*c)->version = oh->version;
        (*c)->counter = rconn_packet_counter_create();
    }
    if (m.events) {
        subscribe(*c, &m);
    }
    return 0;
}

static void
reply_endpoint(const struct fabric_endpoint *ep, ofp_port_t port,
               struct ovs_list *replies)
{
    const char *name = fabric_endpoint_name(ep);
    struct fabric_path_info *infos;
    size_t n = fabric_endpoint_get_paths(ep, &infos);

    for (size_t i = 0; i < n; i++) {
        struct fabric_msg_path path = {
            .port = port,
            .endpoint = fabric_endpoint_id(ep),
            .name = name,
            .name_len = strlen(name),
        };

        fabric_msg_path_from_info(&infos[i], &path);
        fabric_msg_append_path(&path, replies);
    }
    free(infos);
}

static void
reply_fabric(const struct fabric *f, ofp_port_t port,
             const struct fabric_msg_selection *s, struct ovs_list *replies)
{
    if (s->endpoint || s->name) {
        char *name = s->name ? xmemdup0(s->name, s->name_len) : NULL;
        const struct fabric_endpoint *ep
            = (name ? fabric_endpoint_by_name(f, name)
               : fabric_endpoint_by_id(f, s->endpoint));

        if (ep) {
            reply_endpoint(ep, port, replies);
        }
        free(name);
    } else {
        struct fabric_endpoint **eps;
        size_t n = fabric_list_endpoints(f, &eps);

        for (size_t i = 0; i < n; i++) {
            reply_endpoint(eps[i], port, replies);
        }
        free(eps);
    }
}

static enum ofperr
handle_paths_request(struct ofconn *ofconn, const struct ofp_header *oh)
{
    const struct ofproto *ofproto = ofconn_get_ofproto(ofconn);
    struct fabric_msg_selection s;
    struct fabric **fabrics;
    struct ovs_list replies;
    enum ofperr error;
    size_t n;

    error = fabric_msg_decode_selection(oh, &s);
    if (error) {
        return error;
    }
    if (s.port != OFPP_ANY && !port_is_fabric(ofproto, s.port)) {
        return OFPERR_OFPBRC_BAD_PORT;
    }

    ofpmp_init(&replies, oh);
    n = fabric_registry_list(&fabrics);
    for (size_t i = 0; i < n; i++) {
        ofp_port_t port = fabric_to_port(ofproto, fabric_name(fabrics[i]));

        if (port != OFPP_NONE && (s.port == OFPP_ANY || s.port == port)) {
            reply_fabric(fabrics[i], port, &s, &replies);
        }
    }
    free(fabrics);
    ofconn_send_replies(ofconn, &replies);
    return 0;
}

enum ofperr
fabric_ofmsg_handle(struct ofconn *ofconn, const struct ofp_header *oh)
{
    enum ofpraw raw;
    enum ofperr error = ofpraw_decode(&raw, oh);

    if (error) {
        return error;
    }
    switch ((int) raw) {
    case OFPRAW_WEFTT_FABRIC_MONITOR:
        return handle_monitor(ofconn, oh);
    case OFPRAW_WEFTST_FABRIC_PATHS_REQUEST:
        return handle_paths_request(ofconn, oh);
    default:
        return (ofpmsg_is_stat(oh) ? OFPERR_OFPBRC_BAD_STAT
                : OFPERR_OFPBRC_BAD_TYPE);
    }
}
