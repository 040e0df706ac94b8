/* SPDX-License-Identifier: Apache-2.0 */

/* OpenFlow messages of the fabric.
 *
 * Properties are OpenFlow's own (openvswitch/ofp-prop.h).  One table drives
 * encoding and decoding of statistics.  Encoding always writes properties in
 * the same order, so what is decoded encodes the same way unless it had
 * something unknown in it. */

#include <config.h>
#include "ofp-fabric-msg.h"

#include <errno.h>

#include "byte-order.h"
#include "fabric-registry.h"
#include "fabric-table.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-port.h"
#include "openvswitch/ofp-prop.h"
#include "openvswitch/ofpbuf.h"
#include "timeval.h"
#include "util.h"

struct wire_monitor {
    ovs_be32 port;
    ovs_be16 events;
    ovs_be16 flags;
    ovs_be32 rate;              /* 0: FABRIC_MSG_DEFAULT_RATE. */
    uint8_t zero[4];
};
BUILD_ASSERT_DECL(sizeof(struct wire_monitor) == 16);

struct wire_status {
    uint8_t reason;
    uint8_t zero[7];
};
BUILD_ASSERT_DECL(sizeof(struct wire_status) == 8);

struct wire_selection {
    ovs_be32 port;
    ovs_be32 endpoint;
};
BUILD_ASSERT_DECL(sizeof(struct wire_selection) == 8);

struct wire_path {
    ovs_be16 len;               /* With properties, a multiple of 8. */
    uint8_t state;
    uint8_t old_state;
    ovs_be32 port;
    ovs_be32 endpoint;
    ovs_be16 src_port;
    uint8_t zero[2];
    uint8_t local_ip[16];
    uint8_t remote_ip[16];
};
BUILD_ASSERT_DECL(sizeof(struct wire_path) == 48);

struct wire_threshold {
    struct ofp_prop_header prop;
    ovs_be16 stat;
    uint8_t above;
    uint8_t zero;
    ovs_be64 rise;
    ovs_be64 fall;
};
BUILD_ASSERT_DECL(sizeof(struct wire_threshold) == 24);

static const struct {
    uint16_t type;
    const char *name;
} stats[FABRIC_MSG_N_STATS] = {
#define FABRIC_MSG_STAT(ENUM, TYPE, NAME, VALUE) \
    [FABRIC_MSG_STAT_##ENUM] = { TYPE, NAME },
    FABRIC_MSG_STATS
#undef FABRIC_MSG_STAT
};

static const struct {
    const char *name;
    unsigned int event;
} reasons[] = {
#define FABRIC_MSG_REASON(ENUM, NUMBER, NAME, EVENT) \
    [FABRIC_MSG_##ENUM] = { NAME, EVENT },
    FABRIC_MSG_REASONS
#undef FABRIC_MSG_REASON
};

const char *
fabric_msg_stat_name(enum fabric_msg_stat stat)
{
    return stats[stat].name;
}

const char *
fabric_msg_reason_name(enum fabric_msg_reason reason)
{
    return reasons[reason].name;
}

unsigned int
fabric_msg_reason_event(enum fabric_msg_reason reason)
{
    return reasons[reason].event;
}

/* Does PATH_STATUS with 'reason' tell of a path? */
static bool
reason_has_path(enum fabric_msg_reason reason)
{
    return reason != FABRIC_MSG_SYNCED && reason != FABRIC_MSG_RESTART;
}

void
fabric_msg_path_from_info(const struct fabric_path_info *info,
                          struct fabric_msg_path *path)
{
    int64_t value;

    path->local_ip = info->local_ip;
    path->remote_ip = info->remote_ip;
    path->src_port = info->src_port;
    path->state = FABRIC_MSG_STATE(info->state);
    path->degraded = info->reasons;
    path->hops = info->hops;
#define FABRIC_MSG_STAT(ENUM, TYPE, NAME, VALUE)                        \
    value = VALUE;                                                      \
    path->stats[FABRIC_MSG_STAT_##ENUM] = (value < 0                    \
                                           ? FABRIC_MSG_ABSENT : value);
    FABRIC_MSG_STATS
#undef FABRIC_MSG_STAT
}

/* Encoding. */

static void
put_name(struct ofpbuf *b, const char *name, size_t len)
{
    ofpprop_put(b, FABRIC_MSG_PROP_NAME, name, MIN(len, FABRIC_MSG_MAX_NAME));
}

static void
put_thresholds(struct ofpbuf *b, const struct fabric_msg_threshold *t,
               size_t n)
{
    for (; n; t++, n--) {
        const struct wire_threshold wire = {
            .stat = htons(stats[t->stat].type),
            .above = t->above,
            .rise = htonll(t->rise),
            .fall = htonll(t->fall),
        };

        ofpprop_put(b, FABRIC_MSG_PROP_THRESHOLD, &wire.stat,
                    sizeof wire - sizeof wire.prop);
    }
}

static void
put_path(struct ofpbuf *b, const struct fabric_msg_path *path)
{
    size_t start = b->size;
    struct wire_path *wire = ofpbuf_put_zeros(b, sizeof *wire);

    wire->state = path->state;
    wire->old_state = path->old_state;
    wire->port = ofputil_port_to_ofp11(path->port);
    wire->endpoint = htonl(path->endpoint);
    wire->src_port = htons(path->src_port);
    memcpy(wire->local_ip, &path->local_ip, sizeof wire->local_ip);
    memcpy(wire->remote_ip, &path->remote_ip, sizeof wire->remote_ip);

    put_name(b, path->name, path->name_len);
    if (path->degraded) {
        ofpprop_put_u32(b, FABRIC_MSG_PROP_DEGRADED, path->degraded);
    }
    if (path->hops.n) {
        ofpprop_put(b, FABRIC_MSG_PROP_HOPS, path->hops.ip,
                    path->hops.n * sizeof path->hops.ip[0]);
    }
    for (size_t i = 0; i < FABRIC_MSG_N_STATS; i++) {
        if (path->stats[i] != FABRIC_MSG_ABSENT) {
            ofpprop_put_u64(b, stats[i].type, path->stats[i]);
        }
    }
    wire = ofpbuf_at_assert(b, start, sizeof *wire);
    wire->len = htons(b->size - start);
}

struct ofpbuf *
fabric_msg_encode_monitor(const struct fabric_msg_monitor *m, uint8_t version)
{
    struct ofpbuf *b = ofpraw_alloc(OFPRAW_WEFTT_FABRIC_MONITOR, version, 0);
    struct wire_monitor *wire = ofpbuf_put_zeros(b, sizeof *wire);

    wire->port = ofputil_port_to_ofp11(m->port);
    wire->events = htons(m->events);
    wire->flags = htons(m->flags);
    wire->rate = htonl(m->rate);
    put_thresholds(b, m->thresholds, m->n_thresholds);
    ofpmsg_update_length(b);
    return b;
}

struct ofpbuf *
fabric_msg_encode_status(const struct fabric_msg_status *s, uint8_t version)
{
    struct ofpbuf *b = ofpraw_alloc_xid(OFPRAW_WEFTT_PATH_STATUS, version,
                                        htonl(0), 512);
    struct wire_status *wire = ofpbuf_put_zeros(b, sizeof *wire);

    wire->reason = s->reason;
    if (s->has_path) {
        put_path(b, &s->path);
        put_thresholds(b, s->thresholds, s->n_thresholds);
    }
    ofpmsg_update_length(b);
    return b;
}

struct ofpbuf *
fabric_msg_encode_selection(const struct fabric_msg_selection *s,
                            uint8_t version)
{
    struct ofpbuf *b = ofpraw_alloc(OFPRAW_WEFTST_FABRIC_PATHS_REQUEST,
                                    version, 0);
    struct wire_selection *wire = ofpbuf_put_zeros(b, sizeof *wire);

    wire->port = ofputil_port_to_ofp11(s->port);
    wire->endpoint = htonl(s->endpoint);
    if (s->name) {
        put_name(b, s->name, s->name_len);
    }
    ofpmsg_update_length(b);
    return b;
}

void
fabric_msg_append_path(const struct fabric_msg_path *path,
                       struct ovs_list *replies)
{
    uint64_t stub[128];
    struct ofpbuf b = OFPBUF_STUB_INITIALIZER(stub);

    put_path(&b, path);
    memcpy(ofpmp_append(replies, b.size), b.data, b.size);
    ofpbuf_uninit(&b);
}

/* Decoding. */

static enum ofperr
decode_port(ovs_be32 wire, ofp_port_t *port)
{
    return (ofputil_port_from_ofp11(wire, port)
            ? OFPERR_OFPBRC_BAD_PORT : 0);
}

/* Pulls a property off 'b' into '*prop' and its type into '*type'. */
static enum ofperr
pull_prop(struct ofpbuf *b, struct ofpbuf *prop, uint64_t *type)
{
    enum ofperr error = ofpprop_pull__(b, prop, 8, UINT16_MAX + 1, type);

    if (error) {
        return error;
    }
    return (is_all_zeros((const char *) prop->data + prop->size,
                         PAD_SIZE(prop->size, 8))
            ? 0 : OFPERR_NXBRC_MUST_BE_ZERO);
}

static enum ofperr
decode_name(const struct ofpbuf *prop, const char **name, size_t *name_len)
{
    *name_len = ofpbuf_msgsize(prop);
    if (*name) {
        return OFPERR_OFPBPC_DUP_TYPE;
    }
    *name = prop->msg;
    return (*name_len && *name_len <= FABRIC_MSG_MAX_NAME
            ? 0 : OFPERR_OFPBPC_BAD_LEN);
}

static enum ofperr
decode_threshold(const struct ofpbuf *prop,
                 struct fabric_msg_threshold thresholds[], size_t *n)
{
    const struct wire_threshold *wire = prop->data;
    struct fabric_msg_threshold *t = &thresholds[*n];

    if (prop->size != sizeof *wire) {
        return OFPERR_OFPBPC_BAD_LEN;
    }
    if (*n >= FABRIC_MSG_MAX_THRESHOLDS) {
        return OFPERR_OFPBPC_TOO_MANY;
    }
    if (wire->zero) {
        return OFPERR_NXBRC_MUST_BE_ZERO;
    }
    *t = (struct fabric_msg_threshold) {
        .above = wire->above,
        .rise = ntohll(wire->rise),
        .fall = ntohll(wire->fall),
    };
    while (t->stat < FABRIC_MSG_N_STATS
           && htons(stats[t->stat].type) != wire->stat) {
        t->stat++;
    }
    if (t->stat == FABRIC_MSG_N_STATS || wire->above > 1 || !t->fall
        || t->fall > t->rise || t->rise > INT64_MAX) {
        return OFPERR_OFPBPC_BAD_VALUE;
    }
    ++*n;
    return 0;
}

static enum ofperr
decode_degraded(const struct ofpbuf *prop, uint32_t *degraded)
{
    return (*degraded ? OFPERR_OFPBPC_DUP_TYPE
            : ofpprop_parse_u32(prop, degraded));
}

static enum ofperr
decode_hops(const struct ofpbuf *prop, struct fabric_hops *hops)
{
    size_t len = ofpbuf_msgsize(prop);

    if (hops->n) {
        return OFPERR_OFPBPC_DUP_TYPE;
    }
    if (!len || len % sizeof hops->ip[0] || len > sizeof hops->ip) {
        return OFPERR_OFPBPC_BAD_LEN;
    }
    memcpy(hops->ip, prop->msg, len);
    hops->n = len / sizeof hops->ip[0];
    return 0;
}

/* Decodes a statistic of 'type', if it is one that is known. */
static enum ofperr
decode_stat(const struct ofpbuf *prop, uint64_t type,
            struct fabric_msg_path *path)
{
    for (size_t i = 0; i < FABRIC_MSG_N_STATS; i++) {
        if (stats[i].type == type) {
            return (path->stats[i] != FABRIC_MSG_ABSENT
                    ? OFPERR_OFPBPC_DUP_TYPE
                    : ofpprop_parse_u64(prop, &path->stats[i]));
        }
    }
    return 0;
}

/* Pulls the properties of a path, which are all that is in 'b'. */
static enum ofperr
decode_path_props(struct ofpbuf *b, struct fabric_msg_path *path)
{
    memset(path->stats, 0xff, sizeof path->stats);
    while (b->size) {
        struct ofpbuf prop;
        uint64_t type;
        enum ofperr error = pull_prop(b, &prop, &type);

        if (!error) {
            error = (type == FABRIC_MSG_PROP_NAME
                     ? decode_name(&prop, &path->name, &path->name_len)
                     : type == FABRIC_MSG_PROP_DEGRADED
                     ? decode_degraded(&prop, &path->degraded)
                     : type == FABRIC_MSG_PROP_HOPS
                     ? decode_hops(&prop, &path->hops)
                     : decode_stat(&prop, type, path));
        }
        if (error) {
            return error;
        }
    }
    return path->name ? 0 : OFPERR_OFPBPC_BAD_LEN;
}

static enum ofperr
pull_path(struct ofpbuf *b, struct fabric_msg_path *path)
{
    const struct wire_path *wire = b->data;
    struct ofpbuf props;
    enum ofperr error;
    size_t len;

    if (b->size < sizeof *wire) {
        return OFPERR_OFPBRC_BAD_LEN;
    }
    len = ntohs(wire->len);
    if (len < sizeof *wire || len % 8 || len > b->size) {
        return OFPERR_OFPBRC_BAD_LEN;
    }
    if (!is_all_zeros(wire->zero, sizeof wire->zero)) {
        return OFPERR_NXBRC_MUST_BE_ZERO;
    }

    *path = (struct fabric_msg_path) {
        .endpoint = ntohl(wire->endpoint),
        .src_port = ntohs(wire->src_port),
        .state = wire->state,
        .old_state = wire->old_state,
    };
    error = decode_port(wire->port, &path->port);
    if (error) {
        return error;
    }
    memcpy(&path->local_ip, wire->local_ip, sizeof path->local_ip);
    memcpy(&path->remote_ip, wire->remote_ip, sizeof path->remote_ip);

    ofpbuf_use_const(&props, wire + 1, len - sizeof *wire);
    ofpbuf_pull(b, len);
    return decode_path_props(&props, path);
}

static enum ofperr
decode_monitor_props(struct ofpbuf *b, struct fabric_msg_monitor *m)
{
    while (b->size) {
        struct ofpbuf prop;
        uint64_t type;
        enum ofperr error = pull_prop(b, &prop, &type);

        if (!error) {
            error = (type == FABRIC_MSG_PROP_THRESHOLD
                     ? decode_threshold(&prop, m->thresholds,
                                        &m->n_thresholds)
                     : OFPERR_OFPBPC_BAD_TYPE);
        }
        if (error) {
            return error;
        }
    }
    return 0;
}

enum ofperr
fabric_msg_decode_monitor(const struct ofp_header *oh,
                          struct fabric_msg_monitor *m)
{
    struct ofpbuf b = ofpbuf_const_initializer(oh, ntohs(oh->length));
    const struct wire_monitor *wire;
    enum ofperr error;

    ofpraw_pull_assert(&b);
    wire = ofpbuf_try_pull(&b, sizeof *wire);
    if (!wire) {
        return OFPERR_OFPBRC_BAD_LEN;
    }
    if (!is_all_zeros(wire->zero, sizeof wire->zero)) {
        return OFPERR_NXBRC_MUST_BE_ZERO;
    }
    *m = (struct fabric_msg_monitor) {
        .events = ntohs(wire->events),
        .flags = ntohs(wire->flags),
        .rate = wire->rate ? ntohl(wire->rate) : FABRIC_MSG_DEFAULT_RATE,
    };
    if (m->events & ~FABRIC_MSG_EVENTS || m->flags & ~FABRIC_MSG_FLAGS) {
        return OFPERR_OFPMOFC_BAD_FLAGS;
    }
    if (m->rate > FABRIC_MSG_MAX_RATE) {
        return OFPERR_OFPBPC_BAD_VALUE;
    }
    error = decode_port(wire->port, &m->port);
    if (!error) {
        error = decode_monitor_props(&b, m);
    }
    if (!error && !(m->events & FABRIC_MSG_THRESHOLDS) != !m->n_thresholds) {
        error = OFPERR_OFPMOFC_BAD_FLAGS;
    }
    return error;
}

enum ofperr
fabric_msg_decode_status(const struct ofp_header *oh,
                         struct fabric_msg_status *s)
{
    struct ofpbuf b = ofpbuf_const_initializer(oh, ntohs(oh->length));
    const struct wire_status *wire;
    enum ofperr error;

    ofpraw_pull_assert(&b);
    wire = ofpbuf_try_pull(&b, sizeof *wire);
    if (!wire) {
        return OFPERR_OFPBRC_BAD_LEN;
    }
    if (!is_all_zeros(wire->zero, sizeof wire->zero)) {
        return OFPERR_NXBRC_MUST_BE_ZERO;
    }
    if (wire->reason >= ARRAY_SIZE(reasons)) {
        return OFPERR_NXBRC_BAD_REASON;
    }
    *s = (struct fabric_msg_status) {
        .reason = wire->reason,
        .has_path = reason_has_path(wire->reason),
    };
    if (!s->has_path) {
        return b.size ? OFPERR_OFPBRC_BAD_LEN : 0;
    }
    error = pull_path(&b, &s->path);
    while (!error && b.size) {
        struct ofpbuf prop;
        uint64_t type;

        error = pull_prop(&b, &prop, &type);
        if (!error && type == FABRIC_MSG_PROP_THRESHOLD) {
            error = decode_threshold(&prop, s->thresholds, &s->n_thresholds);
        }
    }
    return error;
}

enum ofperr
fabric_msg_decode_selection(const struct ofp_header *oh,
                            struct fabric_msg_selection *s)
{
    struct ofpbuf b = ofpbuf_const_initializer(oh, ntohs(oh->length));
    const struct wire_selection *wire;
    enum ofperr error;

    ofpraw_pull_assert(&b);
    wire = ofpbuf_try_pull(&b, sizeof *wire);
    if (!wire) {
        return OFPERR_OFPBRC_BAD_LEN;
    }
    *s = (struct fabric_msg_selection) { .endpoint = ntohl(wire->endpoint) };
    error = decode_port(wire->port, &s->port);
    while (!error && b.size) {
        struct ofpbuf prop;
        uint64_t type;

        error = pull_prop(&b, &prop, &type);
        if (!error) {
            error = (type == FABRIC_MSG_PROP_NAME
                     ? decode_name(&prop, &s->name, &s->name_len)
                     : OFPERR_OFPBPC_BAD_TYPE);
        }
    }
    if (!error && ((s->name && s->endpoint)
                   || s->endpoint > FABRIC_MAX_ENDPOINT_ID)) {
        error = OFPERR_OFPBPC_BAD_VALUE;
    }
    return error;
}

int
fabric_msg_decode_path(struct ofpbuf *msg, struct fabric_msg_path *path)
{
    if (!msg->header) {
        ofpraw_pull_assert(msg);
    }
    if (!msg->size) {
        return EOF;
    }
    return pull_path(msg, path);
}
