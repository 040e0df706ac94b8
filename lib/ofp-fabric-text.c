/* SPDX-License-Identifier: Apache-2.0 */

/* Text form of the fabric's OpenFlow messages. */

#include <config.h>
#include "ofp-fabric-msg.h"

#include <errno.h>
#include <string.h>

#include "fabric-health.h"
#include "fabric-hooks.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-parse.h"
#include "openvswitch/ofp-port.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "util.h"

/* Printing. */

static void
format_name(struct ds *s, const char *name, size_t len)
{
    char *copy = xmemdup0(name, len);

    json_string_escape(copy, s);
    free(copy);
}

static void
format_state(struct ds *s, uint8_t state)
{
    if (state == FABRIC_MSG_NO_PATH) {
        ds_put_cstr(s, "none");
    } else if (state <= FABRIC_N_PATH_STATES) {
        ds_put_cstr(s, fabric_path_state_to_string(state - 1));
    } else {
        ds_put_format(s, "%"PRIu8, state);
    }
}

/* Those that are not known, which a newer switch has, as a number. */
static void
format_reasons(struct ds *s, uint32_t degraded)
{
    uint32_t known = degraded & ((1u << FABRIC_N_HEALTH_REASONS) - 1);

    fabric_health_format_reasons(known, s);
    if (degraded != known) {
        ds_put_format(s, "%s%#"PRIx32, known ? "," : "", degraded & ~known);
    }
}

static void
format_port(struct ds *s, ofp_port_t port, const struct ofputil_port_map *map)
{
    ds_put_cstr(s, " port=");
    ofputil_format_port(port, map, s);
}

static void
format_path(struct ds *s, const struct fabric_msg_path *path,
            const struct ofputil_port_map *map)
{
    format_port(s, path->port, map);
    ds_put_format(s, " endpoint=%"PRIu32" name=", path->endpoint);
    format_name(s, path->name, path->name_len);
    ds_put_cstr(s, " local_ip=");
    ipv6_format_mapped(&path->local_ip, s);
    ds_put_cstr(s, " remote_ip=");
    ipv6_format_mapped(&path->remote_ip, s);
    ds_put_format(s, " src_port=%"PRIu16" state=", path->src_port);
    format_state(s, path->state);
    if (path->old_state != FABRIC_MSG_NO_PATH) {
        ds_put_cstr(s, " old_state=");
        format_state(s, path->old_state);
    }
    if (path->degraded) {
        ds_put_cstr(s, " degraded=");
        format_reasons(s, path->degraded);
    }
    for (size_t i = 0; i < path->hops.n; i++) {
        ds_put_cstr(s, i ? "," : " hops=");
        if (ipv6_is_zero(&path->hops.ip[i])) {
            ds_put_char(s, '*');
        } else {
            ipv6_format_mapped(&path->hops.ip[i], s);
        }
    }
    for (size_t i = 0; i < FABRIC_MSG_N_STATS; i++) {
        if (path->stats[i] != FABRIC_MSG_ABSENT) {
            ds_put_format(s, " %s=%"PRIu64, fabric_msg_stat_name(i),
                          path->stats[i]);
        }
    }
}

static enum ofperr
format_monitor(struct ds *s, const struct ofp_header *oh,
               const struct ofputil_port_map *map)
{
    struct fabric_msg_monitor m;
    enum ofperr error = fabric_msg_decode_monitor(oh, &m);

    if (error) {
        return error;
    }
    format_port(s, m.port, map);
    ds_put_format(s, " events=%s%s%s",
                  m.events & FABRIC_MSG_PATHS ? "paths," : "",
                  m.events & FABRIC_MSG_STATES ? "states," : "",
                  m.events & FABRIC_MSG_THRESHOLDS ? "thresholds," : "");
    ds_chomp(s, ',');
    if (!m.events) {
        ds_put_cstr(s, "none");
    }
    if (m.flags & FABRIC_MSG_WANT_INITIAL) {
        ds_put_cstr(s, " initial");
    }
    ds_put_format(s, " rate=%"PRIu32, m.rate);
    for (size_t i = 0; i < m.n_thresholds; i++) {
        const struct fabric_msg_threshold *t = &m.thresholds[i];

        ds_put_format(s, " threshold=%s:%"PRIu64":%"PRIu64,
                      fabric_msg_stat_name(t->stat), t->rise, t->fall);
    }
    return 0;
}

static enum ofperr
format_status(struct ds *s, const struct ofp_header *oh,
              const struct ofputil_port_map *map)
{
    struct fabric_msg_status status;
    enum ofperr error = fabric_msg_decode_status(oh, &status);

    if (error) {
        return error;
    }
    ds_put_format(s, " reason=%s", fabric_msg_reason_name(status.reason));
    for (size_t i = 0; i < status.n_thresholds; i++) {
        const struct fabric_msg_threshold *t = &status.thresholds[i];

        ds_put_format(s, " %s%s%"PRIu64, fabric_msg_stat_name(t->stat),
                      t->above ? ">=" : "<", t->above ? t->rise : t->fall);
    }
    if (status.has_path) {
        format_path(s, &status.path, map);
    }
    return 0;
}

static enum ofperr
format_selection(struct ds *s, const struct ofp_header *oh,
                 const struct ofputil_port_map *map)
{
    struct fabric_msg_selection selection;
    enum ofperr error = fabric_msg_decode_selection(oh, &selection);

    if (error) {
        return error;
    }
    format_port(s, selection.port, map);
    if (selection.endpoint) {
        ds_put_format(s, " endpoint=%"PRIu32, selection.endpoint);
    }
    if (selection.name) {
        ds_put_cstr(s, " name=");
        format_name(s, selection.name, selection.name_len);
    }
    return 0;
}

static enum ofperr
format_paths(struct ds *s, const struct ofp_header *oh,
             const struct ofputil_port_map *map)
{
    struct ofpbuf b = ofpbuf_const_initializer(oh, ntohs(oh->length));

    for (;;) {
        struct fabric_msg_path path;
        int error = fabric_msg_decode_path(&b, &path);

        if (error) {
            return error == EOF ? 0 : error;
        }
        ds_put_cstr(s, "\n ");
        format_path(s, &path, map);
    }
}

enum ofperr
fabric_msg_format(struct ds *s, const struct ofp_header *oh,
                  const struct ofputil_port_map *map)
{
    enum ofpraw raw;
    enum ofperr error = ofpraw_decode(&raw, oh);

    if (error) {
        return error;
    }
    switch ((int) raw) {
    case OFPRAW_WEFTT_FABRIC_MONITOR:
        return format_monitor(s, oh, map);
    case OFPRAW_WEFTT_PATH_STATUS:
        return format_status(s, oh, map);
    case OFPRAW_WEFTST_FABRIC_PATHS_REQUEST:
        return format_selection(s, oh, map);
    case OFPRAW_WEFTST_FABRIC_PATHS_REPLY:
        return format_paths(s, oh, map);
    default:
        return OFPERR_OFPBRC_BAD_TYPE;
    }
}

/* Parsing. */

static char * OVS_WARN_UNUSED_RESULT
parse_port(const char *value, const struct ofputil_port_map *map,
           ofp_port_t *port)
{
    return (ofputil_port_from_string(value, map, port) ? NULL
            : xasprintf("unknown port \"%s\"", value));
}

static char * OVS_WARN_UNUSED_RESULT
parse_number(const char *what, const char *value, uint64_t max, uint64_t *n)
{
    unsigned long long int number;

    if (!str_to_ullong(value, 10, &number) || !number || number > max) {
        return xasprintf("%s \"%s\" is not a number from 1 to %"PRIu64, what,
                         value, max);
    }
    *n = number;
    return NULL;
}

/* Parses STAT:RISE[:FALL]. */
static char * OVS_WARN_UNUSED_RESULT
parse_threshold(char *s, struct fabric_msg_monitor *m)
{
    struct fabric_msg_threshold *t = &m->thresholds[m->n_thresholds];
    const char *name = strsep(&s, ":");
    const char *rise = s ? strsep(&s, ":") : "";
    char *error;

    if (m->n_thresholds >= FABRIC_MSG_MAX_THRESHOLDS) {
        return xasprintf("more than %d thresholds",
                         FABRIC_MSG_MAX_THRESHOLDS);
    }
    *t = (struct fabric_msg_threshold) { .stat = 0 };
    while (strcmp(name, fabric_msg_stat_name(t->stat))) {
        if (++t->stat >= FABRIC_MSG_N_STATS) {
            return xasprintf("unknown statistic \"%s\"", name);
        }
    }
    error = parse_number("threshold", rise, INT64_MAX, &t->rise);
    if (!error) {
        t->fall = t->rise;
        error = s ? parse_number("threshold", s, t->rise, &t->fall) : NULL;
    }
    if (!error) {
        m->n_thresholds++;
        m->events |= FABRIC_MSG_THRESHOLDS;
    }
    return error;
}

char *
fabric_msg_parse_monitor(char *s, const struct ofputil_port_map *map,
                         struct fabric_msg_monitor *m)
{
    char *key, *value;

    *m = (struct fabric_msg_monitor) {
        .port = OFPP_ANY,
        .events = FABRIC_MSG_PATHS | FABRIC_MSG_STATES,
        .flags = FABRIC_MSG_WANT_INITIAL,
        .rate = FABRIC_MSG_DEFAULT_RATE,
    };
    while (ofputil_parse_key_value(&s, &key, &value)) {
        char *error = NULL;

        if (!strcmp(key, "!paths")) {
            m->events &= ~FABRIC_MSG_PATHS;
        } else if (!strcmp(key, "!states")) {
            m->events &= ~FABRIC_MSG_STATES;
        } else if (!strcmp(key, "!initial")) {
            m->flags &= ~FABRIC_MSG_WANT_INITIAL;
        } else if (!strcmp(key, "port")) {
            error = parse_port(value, map, &m->port);
        } else if (!strcmp(key, "rate")) {
            uint64_t rate = m->rate;

            error = parse_number("rate", value, FABRIC_MSG_MAX_RATE, &rate);
            m->rate = rate;
        } else if (!strcmp(key, "threshold")) {
            error = parse_threshold(value, m);
        } else {
            error = xasprintf("unknown keyword \"%s\"", key);
        }
        if (error) {
            return error;
        }
    }
    return m->events ? NULL : xstrdup("nothing to monitor");
}

static char * OVS_WARN_UNUSED_RESULT
parse_endpoint(const char *value, struct fabric_msg_selection *selection)
{
    size_t len = strlen(value);
    uint64_t id = 0;
    char *error = NULL;

    selection->name = NULL;
    if (strspn(value, "0123456789") == len) {
        error = parse_number("endpoint", value, FABRIC_MAX_ENDPOINT_ID, &id);
    } else if (len <= FABRIC_MSG_MAX_NAME) {
        selection->name = value;
        selection->name_len = len;
    } else {
        error = xasprintf("endpoint name has more than %d bytes",
                          FABRIC_MSG_MAX_NAME);
    }
    selection->endpoint = id;
    return error;
}

char *
fabric_msg_parse_selection(char *s, const struct ofputil_port_map *map,
                           struct fabric_msg_selection *selection)
{
    char *key, *value;

    *selection = (struct fabric_msg_selection) { .port = OFPP_ANY };
    if (!strchr(s, '=')) {
        if (ofputil_port_from_string(s, map, &selection->port)) {
            return NULL;
        }
        selection->port = OFPP_ANY;
        return parse_endpoint(s, selection);
    }
    while (ofputil_parse_key_value(&s, &key, &value)) {
        char *error
            = (!strcmp(key, "port")
               ? parse_port(value, map, &selection->port)
               : !strcmp(key, "endpoint") ? parse_endpoint(value, selection)
               : xasprintf("unknown keyword \"%s\"", key));

        if (error) {
            return error;
        }
    }
    return NULL;
}
