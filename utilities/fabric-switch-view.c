/* SPDX-License-Identifier: Apache-2.0 */

/* Strings in a view are those of the replies, which it keeps.  The arrays are
 * sorted, so that paths find their endpoint, and endpoints their fabric and
 * what they were in an earlier view, by walking along both. */

#include <config.h>

#include "fabric-switch-view.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dirs.h"
#include "jsonrpc.h"
#include "openvswitch/json.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/shash.h"
#include "packets.h"
#include "stream.h"
#include "timeval.h"
#include "util.h"

/* Members of replies. */

static const struct json *
get_member(const struct json *object, const char *name)
{
    return (object && object->type == JSON_OBJECT
            ? shash_find_data(json_object(object), name)
            : NULL);
}

static const char *
get_string(const struct json *object, const char *name)
{
    const struct json *value = get_member(object, name);

    return (value && value->type == JSON_STRING ? json_string(value) : NULL);
}

/* Returns member 'name' times 'scale', rounded. */
static int64_t
get_scaled(const struct json *object, const char *name, int scale)
{
    const struct json *value = get_member(object, name);
    double number;

    if (!value) {
        return VIEW_NONE;
    } else if (value->type == JSON_INTEGER && scale == 1) {
        return json_integer(value) >= 0 ? json_integer(value) : VIEW_NONE;
    } else if (value->type == JSON_INTEGER) {
        number = json_integer(value);
    } else if (value->type == JSON_REAL) {
        number = json_real(value);
    } else {
        return VIEW_NONE;
    }
    number = number * scale + .5;
    return number >= 0 && number < 9e18 ? (int64_t) number : VIEW_NONE;
}

static int64_t
get_number(const struct json *object, const char *name)
{
    return get_scaled(object, name, 1);
}

/* A count that is absent is 0. */
static int64_t
get_count(const struct json *object, const char *name)
{
    int64_t count = get_number(object, name);

    return count == VIEW_NONE ? 0 : count;
}

static bool
get_boolean(const struct json *object, const char *name)
{
    const struct json *value = get_member(object, name);

    return value && value->type == JSON_TRUE;
}

/* Returns member 'name' if it is an array of strings. */
static const struct json *
get_strings(const struct json *object, const char *name)
{
    const struct json *value = get_member(object, name);

    if (!value || value->type != JSON_ARRAY) {
        return NULL;
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (json_array_at(value, i)->type != JSON_STRING) {
            return NULL;
        }
    }
    return value;
}

static enum fabric_path_state
get_state(const struct json *object)
{
    const char *state = get_string(object, "state");

#define FABRIC_PATH_STATE(ENUM, NAME, USABLE)   \
    if (state && !strcmp(state, NAME)) {        \
        return FABRIC_PATH_##ENUM;              \
    }
    FABRIC_PATH_STATES
#undef FABRIC_PATH_STATE
    return FABRIC_PATH_UNKNOWN;
}

static void
get_state_counts(const struct json *object, int64_t states[VIEW_N_STATES])
{
    const struct json *paths = get_member(object, "paths");

#define FABRIC_PATH_STATE(ENUM, NAME, USABLE)           \
    states[FABRIC_PATH_##ENUM] = get_count(paths, NAME);
    FABRIC_PATH_STATES
#undef FABRIC_PATH_STATE
}

size_t
view_strings_count(const struct json *strings)
{
    return strings ? json_array_size(strings) : 0;
}

const char *
view_strings_at(const struct json *strings, size_t index)
{
    return json_string(json_array_at(strings, index));
}

static size_t
rows_of(const struct json *reply)
{
    return reply && reply->type == JSON_ARRAY ? json_array_size(reply) : 0;
}

/* Order.  Numbers in names are compared as such: h2 comes before h10. */

static int
compare_names(const char *a, const char *b)
{
    return strverscmp(a, b);
}

static int
compare_fabrics(const void *a_, const void *b_)
{
    const struct view_fabric *a = a_;
    const struct view_fabric *b = b_;

    return compare_names(a->name, b->name);
}

/* Of rows with the same name, the one that is in force comes first. */
static int
compare_endpoints(const void *a_, const void *b_)
{
    const struct view_endpoint *a = a_;
    const struct view_endpoint *b = b_;
    int cmp = compare_names(a->fabric, b->fabric);

    cmp = cmp ? cmp : compare_names(a->name, b->name);
    return cmp ? cmp : b->active - a->active;
}

/* Of a path and an endpoint. */
static int
compare_owner(const struct view_path *path, const struct view_endpoint *ep)
{
    int cmp = compare_names(path->fabric, ep->fabric);

    return cmp ? cmp : compare_names(path->endpoint, ep->name);
}

static int
compare_routes(const struct view_path *a, const struct view_path *b)
{
    int cmp = compare_names(a->local_ip, b->local_ip);

    cmp = cmp ? cmp : compare_names(a->remote_ip, b->remote_ip);
    return (cmp ? cmp
            : a->src_port < b->src_port ? -1 : a->src_port > b->src_port);
}

static int
compare_paths(const void *a_, const void *b_)
{
    const struct view_path *a = a_;
    const struct view_path *b = b_;
    int cmp = compare_names(a->fabric, b->fabric);

    cmp = cmp ? cmp : compare_names(a->endpoint, b->endpoint);
    return cmp ? cmp : compare_routes(a, b);
}

int64_t
view_path_rtt_us(const struct view_path *path)
{
    return (path->rtt_smoothed_us != VIEW_NONE ? path->rtt_smoothed_us
            : path->rtt_us);
}

int
view_path_severity(const struct view_path *path)
{
    switch (path->state) {
    case FABRIC_PATH_DOWN: return 2;
    case FABRIC_PATH_DEGRADED: return 1;
    case FABRIC_PATH_UP:
    case FABRIC_PATH_UNKNOWN:
    case FABRIC_PATH_DRAINED:
    default: return 0;
    }
}

int
view_endpoint_severity(const struct view_endpoint *ep)
{
    return (ep->n_paths > 0 && !ep->usable_paths ? 4
            : ep->error || !ep->active ? 3
            : ep->states[FABRIC_PATH_DOWN] ? 2
            : ep->states[FABRIC_PATH_DEGRADED] ? 1
            : 0);
}

static int
compare_numbers(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

int
view_path_compare(const struct view_path *a, const struct view_path *b)
{
    int cmp = view_path_severity(b) - view_path_severity(a);

    return cmp ? cmp : compare_paths(a, b);
}

int
view_endpoint_compare(const struct view_endpoint *a,
                      const struct view_endpoint *b)
{
    int cmp = view_endpoint_severity(b) - view_endpoint_severity(a);

    for (int i = 0; i < 2 && !cmp; i++) {
        int state = i ? FABRIC_PATH_DEGRADED : FABRIC_PATH_DOWN;

        cmp = compare_numbers(b->states[state], a->states[state]);
    }
    cmp = cmp ? cmp : compare_numbers(b->worst_loss_ppm, a->worst_loss_ppm);
    return cmp ? cmp : compare_endpoints(a, b);
}

/* Making a view of replies. */

static const struct view_rates no_rates = {
    VIEW_NONE, VIEW_NONE, VIEW_NONE, VIEW_NONE
};

static void
read_fabrics(struct view *view, const struct json *reply)
{
    view->fabrics = xcalloc(rows_of(reply) + 1, sizeof *view->fabrics);
    for (size_t i = 0; i < rows_of(reply); i++) {
        const struct json *row = json_array_at(reply, i);
        const struct json *in = get_member(row, "fast_path");
        struct view_fabric *f = &view->fabrics[view->n_fabrics];

        f->name = get_string(row, "name");
        if (!f->name) {
            continue;
        }
        f->encap = get_string(row, "encap");
        f->uplink = get_string(row, "uplink");
        f->error = get_string(row, "error");
        f->forwarding = get_string(in, "in");
        f->forwarding_reason = get_string(in, "reason");
        f->n_flows = get_number(in, "n_flows");
        f->n_userspace_flows = get_number(in, "n_userspace_flows");
        f->local_ips = get_strings(row, "local_ips");
        f->active = get_boolean(row, "active");
        f->n_endpoints = get_count(row, "n_endpoints");
        f->n_paths = get_count(row, "n_paths");
        f->interval_ms = get_number(get_member(row, "probe"), "interval_ms");
        get_state_counts(row, f->states);
        f->rates = no_rates;
        view->n_fabrics++;
    }
    qsort(view->fabrics, view->n_fabrics, sizeof *view->fabrics,
          compare_fabrics);
}

static void
read_endpoints(struct view *view, const struct json *reply)
{
    view->endpoints = xcalloc(rows_of(reply) + 1, sizeof *view->endpoints);
    for (size_t i = 0; i < rows_of(reply); i++) {
        const struct json *row = json_array_at(reply, i);
        struct view_endpoint *ep = &view->endpoints[view->n_endpoints];

        ep->fabric = get_string(row, "fabric");
        ep->name = get_string(row, "endpoint");
        if (!ep->fabric || !ep->name) {
            continue;
        }
        ep->error = get_string(row, "error");
        ep->active = get_boolean(row, "active");
        ep->remote_ips = get_strings(row, "remote_ips");
#define VIEW_NUMBER(NAME) ep->NAME = get_number(row, #NAME);
        VIEW_ENDPOINT_NUMBERS
#undef VIEW_NUMBER
        get_state_counts(row, ep->states);
        ep->rates = no_rates;
        ep->worst_rtt_us = VIEW_NONE;
        ep->worst_loss_ppm = VIEW_NONE;
        view->n_endpoints++;
    }
    qsort(view->endpoints, view->n_endpoints, sizeof *view->endpoints,
          compare_endpoints);
}

static void
read_paths(struct view *view, const struct json *reply)
{
    view->paths = xcalloc(rows_of(reply) + 1, sizeof *view->paths);
    for (size_t i = 0; i < rows_of(reply); i++) {
        const struct json *row = json_array_at(reply, i);
        struct view_path *path = &view->paths[view->n_paths];

        path->fabric = get_string(row, "fabric");
        path->endpoint = get_string(row, "endpoint");
        path->local_ip = get_string(row, "local_ip");
        path->remote_ip = get_string(row, "remote_ip");
        if (!path->fabric || !path->endpoint
            || !path->local_ip || !path->remote_ip) {
            continue;
        }
        path->state = get_state(row);
#define VIEW_NUMBER(NAME) path->NAME = get_number(row, #NAME);
        VIEW_PATH_NUMBERS
#undef VIEW_NUMBER
        path->share_ppm = get_scaled(row, "share_percent", 10000);
        path->reasons = get_strings(row, "reasons");
        path->hops = get_strings(row, "hops");
        path->rates = no_rates;
        path->recent_loss_ppm = path->loss_ppm;
        view->n_paths++;
    }
    qsort(view->paths, view->n_paths, sizeof *view->paths, compare_paths);
}

static void
read_drops(struct view *view, const struct json *reply)
{
    view->drops = xcalloc(rows_of(reply) + 1, sizeof *view->drops);
    for (size_t i = 0; i < rows_of(reply); i++) {
        const struct json *row = json_array_at(reply, i);
        struct view_drop *drop = &view->drops[view->n_drops];

        drop->reason = get_string(row, "drop");
        drop->meaning = get_string(row, "meaning");
        drop->packets = get_number(row, "packets");
        if (drop->reason && drop->packets != VIEW_NONE) {
            view->n_drops++;
        }
    }
}

/* Gives each endpoint its paths, and each fabric its endpoints. */
static void
join(struct view *view)
{
    size_t p = 0;
    size_t e = 0;

    for (size_t i = 0; i < view->n_endpoints; i++) {
        struct view_endpoint *ep = &view->endpoints[i];

        while (p < view->n_paths && compare_owner(&view->paths[p], ep) < 0) {
            p++;
        }
        ep->paths = &view->paths[p];
        while (p < view->n_paths && !compare_owner(&view->paths[p], ep)) {
            ep->n++;
            p++;
        }
    }
    for (size_t i = 0; i < view->n_fabrics; i++) {
        struct view_fabric *f = &view->fabrics[i];

        while (e < view->n_endpoints
               && compare_names(view->endpoints[e].fabric, f->name) < 0) {
            e++;
        }
        f->endpoints = &view->endpoints[e];
        while (e < view->n_endpoints
               && !compare_names(view->endpoints[e].fabric, f->name)) {
            f->n++;
            e++;
        }
    }
}

static void
find_worst(struct view *view)
{
    for (size_t i = 0; i < view->n_endpoints; i++) {
        struct view_endpoint *ep = &view->endpoints[i];

        ep->worst_rtt_us = ep->worst_loss_ppm = VIEW_NONE;
        for (size_t j = 0; j < ep->n; j++) {
            const struct view_path *path = &ep->paths[j];

            if (fabric_path_state_is_usable(path->state)) {
                ep->worst_rtt_us = MAX(ep->worst_rtt_us,
                                       view_path_rtt_us(path));
                ep->worst_loss_ppm = MAX(ep->worst_loss_ppm,
                                         path->recent_loss_ppm);
            }
        }
    }
}

struct view *
view_from_json(struct json *show, struct json *endpoints, struct json *paths,
               struct json *stats)
{
    struct view *view = xzalloc(sizeof *view);

    view->when = time_msec();
    view->replies[0] = show;
    view->replies[1] = endpoints;
    view->replies[2] = paths;
    view->replies[3] = stats;
    read_fabrics(view, show);
    read_endpoints(view, endpoints);
    read_paths(view, paths);
    read_drops(view, stats);
    join(view);
    find_worst(view);
    return view;
}

void
view_destroy(struct view *view)
{
    if (view) {
        for (size_t i = 0; i < ARRAY_SIZE(view->replies); i++) {
            json_destroy(view->replies[i]);
        }
        free(view->fabrics);
        free(view->endpoints);
        free(view->paths);
        free(view->drops);
        free(view);
    }
}

/* Rates. */

/* Returns how much 'now' is more than 'then', or VIEW_NONE if that is not
 * known or the counter began anew. */
static int64_t
increase(int64_t now, int64_t then)
{
    return (now != VIEW_NONE && then != VIEW_NONE && now >= then
            ? now - then : VIEW_NONE);
}

static int64_t
rate(int64_t now, int64_t then, long long int ms)
{
    int64_t n = increase(now, then);

    return n != VIEW_NONE ? (int64_t) (n * 1000. / ms + .5) : VIEW_NONE;
}

#define COMPUTE_RATES(NOW, THEN, MS) {                                  \
        .tx_packets = rate((NOW)->tx_packets, (THEN)->tx_packets, MS),  \
        .tx_bytes = rate((NOW)->tx_bytes, (THEN)->tx_bytes, MS),        \
        .rx_packets = rate((NOW)->rx_packets, (THEN)->rx_packets, MS),  \
        .rx_bytes = rate((NOW)->rx_bytes, (THEN)->rx_bytes, MS)         \
    }

static void
compute_path_rates(struct view_path *now, const struct view_path *then,
                   long long int ms)
{
    int64_t sent = increase(now->probe_tx, then->probe_tx);
    int64_t lost = increase(now->probe_lost, then->probe_lost);

    now->rates = (struct view_rates) COMPUTE_RATES(now, then, ms);
    if (now->recent_loss_ppm == VIEW_NONE && sent > 0 && lost >= 0) {
        now->recent_loss_ppm = (int64_t) (MIN(lost, sent) * 1e6 / sent + .5);
    }
}

static void
add_rate(int64_t *sum, int64_t n)
{
    if (n != VIEW_NONE) {
        *sum = *sum == VIEW_NONE ? n : *sum + n;
    }
}

void
view_compute_rates(struct view *view, const struct view *earlier)
{
    long long int ms = earlier ? view->when - earlier->when : 0;
    size_t e = 0;
    size_t p = 0;

    if (ms <= 0) {
        return;
    }
    for (size_t i = 0; i < view->n_paths; i++) {
        struct view_path *path = &view->paths[i];
        int cmp = 1;

        while (p < earlier->n_paths
               && (cmp = compare_paths(&earlier->paths[p], path)) < 0) {
            p++;
        }
        if (p < earlier->n_paths && !cmp) {
            compute_path_rates(path, &earlier->paths[p], ms);
        }
    }
    for (size_t i = 0; i < view->n_endpoints; i++) {
        struct view_endpoint *ep = &view->endpoints[i];
        int cmp = 1;

        while (e < earlier->n_endpoints
               && (cmp = compare_endpoints(&earlier->endpoints[e], ep)) < 0) {
            e++;
        }
        if (e < earlier->n_endpoints && !cmp) {
            ep->rates = (struct view_rates) COMPUTE_RATES(
                ep, &earlier->endpoints[e], ms);
        }
    }
    for (size_t i = 0; i < view->n_fabrics; i++) {
        struct view_fabric *f = &view->fabrics[i];

        for (size_t j = 0; j < f->n; j++) {
            const struct view_rates *rates = &f->endpoints[j].rates;

            add_rate(&f->rates.tx_packets, rates->tx_packets);
            add_rate(&f->rates.tx_bytes, rates->tx_bytes);
            add_rate(&f->rates.rx_packets, rates->rx_packets);
            add_rate(&f->rates.rx_bytes, rates->rx_bytes);
        }
    }
    find_worst(view);
}

/* Reading from ovs-vswitchd. */

/* Stores the name of the control socket of 'target', or NULL.  The pidfile is
 * only read, and not checked for its lock, which takes the right to write
 * it. */
static char *
find_socket(const char *target, char **name)
{
    char *pidfile, *error = NULL;
    FILE *stream;
    long pid;

    *name = NULL;
    if (target[0] == '/') {
        *name = xstrdup(target);
        return NULL;
    }
    pidfile = xasprintf("%s/%s.pid", ovs_rundir(), target);
    stream = fopen(pidfile, "r");
    if (!stream) {
        error = xasprintf("%s is not running: cannot read \"%s\" (%s)",
                          target, pidfile, ovs_strerror(errno));
    } else {
        if (fscanf(stream, "%ld", &pid) != 1 || pid <= 0) {
            error = xasprintf("\"%s\" has no process ID", pidfile);
        } else {
            *name = xasprintf("%s/%s.%ld.ctl", ovs_rundir(), target, pid);
        }
        fclose(stream);
    }
    free(pidfile);
    return error;
}

static char *
connect_to(const char *target, long long int timeout, struct jsonrpc **rpc)
{
    struct stream *stream;
    char *name, *path;
    char *error;
    int retval;

    error = find_socket(target, &name);
    if (error) {
        return error;
    }
    path = xasprintf("unix:%s", name);
    retval = stream_open_block(stream_open(path, &stream, DSCP_DEFAULT),
                               timeout, &stream);
    if (retval) {
        error = xasprintf("cannot connect to \"%s\" (%s)",
                          name, ovs_retval_to_string(retval));
    } else {
        *rpc = jsonrpc_open(stream);
    }
    free(path);
    free(name);
    return error;
}

/* Sends a command and waits for the reply to it. */
static int
transact(struct jsonrpc *rpc, const char *command, const char *arg0,
         const char *arg1, long long int deadline, struct jsonrpc_msg **reply)
{
    struct json *args = json_array_create_empty();
    struct json *id;
    int error;

    if (arg0) {
        json_array_add(args, json_string_create(arg0));
    }
    if (arg1) {
        json_array_add(args, json_string_create(arg1));
    }
    error = jsonrpc_send(rpc, jsonrpc_create_request(command, args, &id));
    *reply = NULL;
    while (!error) {
        jsonrpc_run(rpc);
        error = jsonrpc_recv(rpc, reply);
        if (!error && ((*reply)->type == JSONRPC_REPLY
                       || (*reply)->type == JSONRPC_ERROR)
            && json_equal((*reply)->id, id)) {
            break;
        }
        jsonrpc_msg_destroy(*reply);
        *reply = NULL;
        if (error == EAGAIN) {
            error = time_msec() >= deadline ? ETIMEDOUT : 0;
            jsonrpc_wait(rpc);
            jsonrpc_recv_wait(rpc);
            poll_timer_wait_until(deadline);
            poll_block();
        }
    }
    json_destroy(id);
    return error;
}

/* Sends a command and stores its result.  What is wrong with the connection is
 * that of every command. */
static char *
ask(struct jsonrpc *rpc, const char *command, const char *arg0,
    const char *arg1, long long int deadline, struct json **result)
{
    struct jsonrpc_msg *reply;
    int retval = transact(rpc, command, arg0, arg1, deadline, &reply);
    char *error = NULL;

    if (retval) {
        error = xasprintf("%s: %s", jsonrpc_get_name(rpc),
                          (retval == ETIMEDOUT ? "no reply in time"
                           : ovs_retval_to_string(retval)));
    } else if (reply->error) {
        error = xasprintf("%s: %s", command,
                          (reply->error->type == JSON_STRING
                           ? json_string(reply->error) : "error"));
    } else {
        *result = json_nullable_clone(reply->result);
    }
    jsonrpc_msg_destroy(reply);
    return error;
}

static char *
ask_all(struct jsonrpc *rpc, const char *endpoint, size_t max_paths,
        long long int deadline, struct json *replies[4], bool *no_paths)
{
    struct json *ignored = NULL;
    int64_t n_paths = 0;
    char *error;

    *no_paths = false;
    error = ask(rpc, "set-options", "--format", "json", deadline, &ignored);
    json_destroy(ignored);
    if (!error) {
        error = ask(rpc, "fabric/show", NULL, NULL, deadline, &replies[0]);
    }
    if (!error) {
        error = ask(rpc, "fabric/endpoints", NULL, NULL, deadline,
                    &replies[1]);
    }
    if (error) {
        return error;
    }
    for (size_t i = 0; i < rows_of(replies[0]); i++) {
        n_paths += MIN(get_count(json_array_at(replies[0], i), "n_paths"),
                       INT32_MAX);
    }
    if (endpoint) {
        /* It may be gone. */
        free(ask(rpc, "fabric/paths", endpoint, NULL, deadline, &replies[2]));
    } else if (n_paths > max_paths) {
        *no_paths = true;
    } else {
        error = ask(rpc, "fabric/paths", NULL, NULL, deadline, &replies[2]);
    }
    return (error ? error
            : ask(rpc, "fabric/stats", NULL, NULL, deadline, &replies[3]));
}

char *
view_read(const char *target, const char *endpoint, size_t max_paths,
          long long int timeout, struct view **viewp)
{
    long long int deadline = time_msec() + timeout;
    struct json *replies[4] = { NULL, NULL, NULL, NULL };
    struct jsonrpc *rpc;
    bool no_paths;
    char *error;

    *viewp = NULL;
    error = connect_to(target, timeout, &rpc);
    if (error) {
        return error;
    }
    error = ask_all(rpc, endpoint, max_paths, deadline, replies, &no_paths);
    jsonrpc_close(rpc);
    if (error) {
        for (size_t i = 0; i < ARRAY_SIZE(replies); i++) {
            json_destroy(replies[i]);
        }
        return error;
    }
    *viewp = view_from_json(replies[0], replies[1], replies[2], replies[3]);
    (*viewp)->no_paths = no_paths;
    return NULL;
}
