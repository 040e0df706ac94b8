/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-metrics.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "fabric-switch-view.h"
#include "fabric-text.h"
#include "fabric-version.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "util.h"

#define PREFIX "fabric_"

enum metric_type { GAUGE, COUNTER, INFO };

/* Every metric: (enumerator, name, type, what it tells).  Those of a switch
 * itself. */
#define SWITCH_METRICS                                                      \
    METRIC(UP, "up", GAUGE,                                                 \
           "Whether ovs-vswitchd replied: 1 if so, otherwise 0.")           \
    METRIC(EXPORTER, "exporter_info", INFO, "Version of the exporter.")     \
    METRIC(COLLECTION, "collection_duration_seconds", GAUGE,                \
           "How long ovs-vswitchd took to reply to the last collection.")   \
    METRIC(ERRORS, "collection_errors_total", COUNTER,                      \
           "Collections to which ovs-vswitchd did not reply.")              \
    METRIC(PATHS_LIMITED, "path_metrics_limited", GAUGE,                    \
           "1 if there are too many paths for metrics of each, otherwise "  \
           "0.")                                                            \
    METRIC(ENDPOINTS_LIMITED, "endpoint_metrics_limited", GAUGE,            \
           "1 if there are too many endpoints for metrics of each, "        \
           "otherwise 0.")                                                  \
    METRIC(DROPPED, "dropped_packets_total", COUNTER,                       \
           "Packets dropped by all fabrics, by reason.")                    \
    METRIC(FLOWS, "flows", GAUGE,                                           \
           "Datapath flows, by where their packets are forwarded.")         \
    METRIC(CONFIG, "config_info", INFO, "How a fabric is configured.")      \
    METRIC(ACTIVE, "active", GAUGE,                                         \
           "Whether a configuration of the fabric is in force: 1 or 0.")    \
    METRIC(REFUSED, "config_refused", GAUGE,                                \
           "1 if the fabric's configuration was refused, otherwise 0.")     \
    METRIC(INTERVAL, "probe_interval_seconds", GAUGE,                       \
           "Time from one probe of a path to the next.")                    \
    METRIC(ENDPOINTS, "endpoints", GAUGE, "Endpoints of a fabric.")         \
    METRIC(BAD_ENDPOINTS, "bad_endpoints", GAUGE,                           \
           "Endpoints with paths that are down or degraded, or refused.")   \
    METRIC(PATHS, "paths", GAUGE, "Paths of a fabric, by state.")           \
    METRIC(TX_PACKETS, "transmit_packets_total", COUNTER,                   \
           "Packets sent to all endpoints of a fabric.")                    \
    METRIC(TX_BYTES, "transmit_bytes_total", COUNTER,                       \
           "Bytes sent to all endpoints of a fabric.")                      \
    METRIC(RX_PACKETS, "receive_packets_total", COUNTER,                    \
           "Packets received from all endpoints of a fabric.")              \
    METRIC(RX_BYTES, "receive_bytes_total", COUNTER,                        \
           "Bytes received from all endpoints of a fabric.")                \
    METRIC(ENDPOINT_ACTIVE, "endpoint_active", GAUGE,                       \
           "Whether a configuration of the endpoint is in force: 1 or 0.")  \
    METRIC(ENDPOINT_PATHS, "endpoint_paths", GAUGE,                         \
           "Paths to an endpoint, by state.")                               \
    METRIC(PATH_STATE, "path_state", GAUGE,                                 \
           "State of a path: 0 down, 1 degraded, 2 up, 3 unknown, "         \
           "4 drained.")                                                    \
    METRIC(PATH_REASON, "path_degraded_reason", GAUGE,                      \
           "1 for each reason for which a path is degraded.")               \
    METRIC(PATH_HOPS, "path_hops", GAUGE,                                   \
           "Routers on the path, as far as it is known.")

enum switch_metric {
#define METRIC(ENUM, NAME, TYPE, HELP) METRIC_##ENUM,
    SWITCH_METRICS
#undef METRIC
    N_SWITCH_METRICS
};

struct metric {
    const char *name;
    enum metric_type type;
    const char *help;
    size_t offset;              /* Of an int64_t, if it is just a number. */
    double scale;               /* To base units. */
};

static const struct metric switch_metrics[] = {
#define METRIC(ENUM, NAME, TYPE, HELP) { PREFIX NAME, TYPE, HELP, 0, 1 },
    SWITCH_METRICS
#undef METRIC
};

#define ENDPOINT(NAME, TYPE, MEMBER, SCALE, HELP) \
    { PREFIX "endpoint_" NAME, TYPE, HELP, \
      offsetof(struct view_endpoint, MEMBER), SCALE }
static const struct metric endpoint_metrics[] = {
    ENDPOINT("usable_paths", GAUGE, usable_paths, 1,
             "Paths to an endpoint that connections may take."),
    ENDPOINT("transmit_packets_total", COUNTER, tx_packets, 1,
             "Packets sent to an endpoint."),
    ENDPOINT("transmit_bytes_total", COUNTER, tx_bytes, 1,
             "Bytes sent to an endpoint."),
    ENDPOINT("receive_packets_total", COUNTER, rx_packets, 1,
             "Packets received from an endpoint."),
    ENDPOINT("receive_bytes_total", COUNTER, rx_bytes, 1,
             "Bytes received from an endpoint."),
    ENDPOINT("no_live_path_packets_total", COUNTER, tx_no_live_path, 1,
             "Packets sent while no path to the endpoint was usable."),
    ENDPOINT("worst_rtt_seconds", GAUGE, worst_rtt_us, 1e-6,
             "Longest smoothed round-trip time of the usable paths."),
    ENDPOINT("worst_loss_ratio", GAUGE, worst_loss_ppm, 1e-6,
             "Highest loss of probes of the usable paths."),
};

#define PATH(NAME, TYPE, MEMBER, SCALE, HELP) \
    { PREFIX "path_" NAME, TYPE, HELP, \
      offsetof(struct view_path, MEMBER), SCALE }
static const struct metric path_metrics[] = {
    PATH("state_age_seconds", GAUGE, state_ms, 1e-3,
         "Time since the path's state changed."),
    PATH("uptime_seconds", GAUGE, uptime_ms, 1e-3,
         "Time for which the path has been usable."),
    PATH("weight_ratio", GAUGE, weight, 1 / 256.,
         "Part of its full share that the path gets."),
    PATH("share_ratio", GAUGE, share_ppm, 1e-6,
         "Part of the endpoint's connections that take the path."),
    PATH("rtt_seconds", GAUGE, rtt_us, 1e-6,
         "Round-trip time of the last probe."),
    PATH("rtt_min_seconds", GAUGE, rtt_min_us, 1e-6,
         "Shortest round-trip time."),
    PATH("rtt_smoothed_seconds", GAUGE, rtt_smoothed_us, 1e-6,
         "Smoothed round-trip time."),
    PATH("rtt_p99_seconds", GAUGE, rtt_p99_us, 1e-6,
         "Round-trip time that 99 % of the latest probes kept within."),
    PATH("jitter_seconds", GAUGE, jitter_us, 1e-6,
         "Interarrival jitter (RFC 3550)."),
    PATH("loss_ratio", GAUGE, loss_ppm, 1e-6,
         "Part of the probes that was lost, either way."),
    PATH("loss_there_ratio", GAUGE, loss_there_ppm, 1e-6,
         "Part of the probes that was lost on the way there."),
    PATH("loss_back_ratio", GAUGE, loss_back_ppm, 1e-6,
         "Part of the probes that was lost on the way back."),
    PATH("data_loss_there_ratio", GAUGE, data_loss_there_ppm, 1e-6,
         "Part of the workloads' packets that was lost on the way there."),
    PATH("data_loss_back_ratio", GAUGE, data_loss_back_ppm, 1e-6,
         "Part of the workloads' packets that was lost on the way back."),
    PATH("reordered_ratio", GAUGE, reordered_ppm, 1e-6,
         "Part of the probes that was overtaken."),
    PATH("ce_there_ratio", GAUGE, ce_there_ppm, 1e-6,
         "Part of the probes marked as congested on the way there."),
    PATH("ce_back_ratio", GAUGE, ce_back_ppm, 1e-6,
         "Part of the probes marked as congested on the way back."),
    PATH("mtu_bytes", GAUGE, mtu, 1, "Largest outer packet that passes."),
    PATH("transmit_packets_total", COUNTER, tx_packets, 1,
         "Packets sent on a path."),
    PATH("transmit_bytes_total", COUNTER, tx_bytes, 1,
         "Bytes sent on a path."),
    PATH("receive_packets_total", COUNTER, rx_packets, 1,
         "Packets received on a path."),
    PATH("receive_bytes_total", COUNTER, rx_bytes, 1,
         "Bytes received on a path."),
    PATH("probes_sent_total", COUNTER, probe_tx, 1, "Probes sent."),
    PATH("probes_answered_total", COUNTER, probe_rx, 1, "Probes answered."),
    PATH("probes_lost_total", COUNTER, probe_lost, 1,
         "Probes not answered."),
    PATH("down_total", COUNTER, n_down, 1,
         "How many times the path went down."),
    PATH("degraded_total", COUNTER, n_degraded, 1,
         "How many times the path became degraded."),
};

/* Writing. */

struct writer {
    struct ds *s;
    bool openmetrics;
};

/* Appends what precedes the samples of 'metric'. */
static void
put_family(const struct writer *w, const struct metric *metric)
{
    size_t length = strlen(metric->name);
    const char *type = metric->type == COUNTER ? "counter" : "gauge";

    /* OpenMetrics names the family without the sample's suffix. */
    if (w->openmetrics && metric->type == COUNTER) {
        length -= strlen("_total");
    } else if (w->openmetrics && metric->type == INFO) {
        length -= strlen("_info");
        type = "info";
    }
    ds_put_format(w->s, "# HELP %.*s %s\n# TYPE %.*s %s\n", (int) length,
                  metric->name, metric->help, (int) length, metric->name,
                  type);
}

/* Appends NAME="VALUE", the first or another. */
static void
put_label(struct ds *s, const char *name, const char *value)
{
    ds_put_format(s, "%s%s=\"", s->length ? "," : "", name);
    for (const char *p = value ? value : ""; *p; ) {
        size_t n = text_char_size(p);

        if (*p == '\\' || *p == '"') {
            ds_put_char(s, '\\');
        }
        if (n) {
            ds_put_buffer(s, p, n);
        } else {
            ds_put_char(s, '?');
        }
        p += MAX(n, 1);
    }
    ds_put_char(s, '"');
}

static void
put_sample(const struct writer *w, const struct metric *metric,
           const char *labels, double value)
{
    ds_put_cstr(w->s, metric->name);
    if (labels && *labels) {
        ds_put_format(w->s, "{%s}", labels);
    }
    ds_put_format(w->s, " %.10g\n", value);
}

/* Counters have more digits than a double shows. */
static void
put_number(const struct writer *w, const struct metric *metric,
           const char *labels, int64_t value)
{
    if (!labels) {
        /* A second row of the same name. */
    } else if (metric->scale == 1) {
        ds_put_format(w->s, "%s{%s} %"PRId64"\n", metric->name, labels, value);
    } else {
        put_sample(w, metric, labels, value * metric->scale);
    }
}

/* A metric of the switch that has one sample. */
static void
put_single(const struct writer *w, enum switch_metric metric, double value)
{
    put_family(w, &switch_metrics[metric]);
    put_sample(w, &switch_metrics[metric], NULL, value);
}

/* Appends a family of numbers at 'metric->offset' in 'n' objects of 'size'
 * bytes, each with its 'labels'. */
static void
put_numbers(const struct writer *w, const struct metric *metric,
            const void *objects, size_t size, char *const labels[], size_t n)
{
    bool any = false;

    for (size_t i = 0; i < n; i++) {
        const char *object = (const char *) objects + i * size;
        int64_t value;

        memcpy(&value, object + metric->offset, sizeof value);
        if (value != VIEW_NONE && labels[i]) {
            if (!any) {
                put_family(w, metric);
                any = true;
            }
            put_number(w, metric, labels[i], value);
        }
    }
}

/* Appends samples by state. */
static void
put_states(const struct writer *w, const struct metric *metric,
           const char *labels, const int64_t states[VIEW_N_STATES])
{
    for (int i = 0; i < VIEW_N_STATES && labels; i++) {
        struct ds s = DS_EMPTY_INITIALIZER;

        ds_put_cstr(&s, labels);
        put_label(&s, "state", fabric_path_state_to_string(i));
        put_number(w, metric, ds_cstr(&s), states[i]);
        ds_destroy(&s);
    }
}

/* Sections. */

static void
put_drops(const struct writer *w, const struct view *view)
{
    const struct metric *metric = &switch_metrics[METRIC_DROPPED];
    struct ds labels = DS_EMPTY_INITIALIZER;

    if (view->n_drops) {
        put_family(w, metric);
    }
    for (size_t i = 0; i < view->n_drops; i++) {
        ds_clear(&labels);
        put_label(&labels, "reason", view->drops[i].reason);
        put_number(w, metric, ds_cstr(&labels), view->drops[i].packets);
    }
    ds_destroy(&labels);
}

static void
put_flows(const struct writer *w, const struct view *view)
{
    const struct metric *metric = &switch_metrics[METRIC_FLOWS];

    /* Each fabric tells the same. */
    for (size_t i = 0; i < view->n_fabrics; i++) {
        const struct view_fabric *f = &view->fabrics[i];

        if (f->n_flows != VIEW_NONE && f->n_userspace_flows != VIEW_NONE) {
            put_family(w, metric);
            put_number(w, metric, "in=\"kernel\"", f->n_flows);
            put_number(w, metric, "in=\"userspace\"", f->n_userspace_flows);
            break;
        }
    }
}

static void
add_number(int64_t *sum, int64_t n)
{
    *sum += n == VIEW_NONE ? 0 : n;
}

/* What a fabric is as numbers. */
struct fabric_sums {
    int64_t active, refused, endpoints, bad_endpoints;
    int64_t interval_ms;
    int64_t tx_packets, tx_bytes, rx_packets, rx_bytes;
};

static struct fabric_sums
sum_up(const struct view_fabric *f)
{
    struct fabric_sums sums = {
        .active = f->active,
        .refused = f->error != NULL,
        .endpoints = f->n,
        .interval_ms = f->interval_ms,
    };

    for (size_t i = 0; i < f->n; i++) {
        const struct view_endpoint *ep = &f->endpoints[i];

        sums.bad_endpoints += view_endpoint_severity(ep) > 0;
        add_number(&sums.tx_packets, ep->tx_packets);
        add_number(&sums.tx_bytes, ep->tx_bytes);
        add_number(&sums.rx_packets, ep->rx_packets);
        add_number(&sums.rx_bytes, ep->rx_bytes);
    }
    return sums;
}

static void
put_config(const struct writer *w, const struct view_fabric *f,
           const char *labels)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_cstr(&s, labels);
    put_label(&s, "encap", f->encap);
    put_label(&s, "uplink", f->uplink);
    put_label(&s, "forwarding", f->forwarding);
    put_number(w, &switch_metrics[METRIC_CONFIG], ds_cstr(&s), 1);
    ds_destroy(&s);
}

static void
put_fabrics(const struct writer *w, const struct view *view,
            char *const labels[])
{
#define SUM(ENUM, MEMBER) \
    { METRIC_##ENUM, offsetof(struct fabric_sums, MEMBER) }
    static const struct {
        enum switch_metric metric;
        size_t offset;
    } numbers[] = {
        SUM(ACTIVE, active), SUM(REFUSED, refused), SUM(ENDPOINTS, endpoints),
        SUM(BAD_ENDPOINTS, bad_endpoints), SUM(INTERVAL, interval_ms),
        SUM(TX_PACKETS, tx_packets), SUM(TX_BYTES, tx_bytes),
        SUM(RX_PACKETS, rx_packets), SUM(RX_BYTES, rx_bytes),
    };
    size_t n = view->n_fabrics;
    struct fabric_sums *sums;

    if (!n) {
        return;
    }
    sums = xmalloc(n * sizeof *sums);
    put_family(w, &switch_metrics[METRIC_CONFIG]);
    for (size_t i = 0; i < n; i++) {
        sums[i] = sum_up(&view->fabrics[i]);
        if (labels[i]) {
            put_config(w, &view->fabrics[i], labels[i]);
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        struct metric metric = switch_metrics[numbers[i].metric];

        metric.offset = numbers[i].offset;
        metric.scale = numbers[i].metric == METRIC_INTERVAL ? 1e-3 : 1;
        put_numbers(w, &metric, sums, sizeof *sums, labels, n);
    }
    put_family(w, &switch_metrics[METRIC_PATHS]);
    for (size_t i = 0; i < n; i++) {
        put_states(w, &switch_metrics[METRIC_PATHS], labels[i],
                   view->fabrics[i].states);
    }
    free(sums);
}

static void
put_endpoints(const struct writer *w, const struct view *view,
              char *const labels[])
{
    size_t n = view->n_endpoints;

    if (!n) {
        return;
    }
    put_family(w, &switch_metrics[METRIC_ENDPOINT_ACTIVE]);
    for (size_t i = 0; i < n; i++) {
        put_number(w, &switch_metrics[METRIC_ENDPOINT_ACTIVE], labels[i],
                   view->endpoints[i].active);
    }
    put_family(w, &switch_metrics[METRIC_ENDPOINT_PATHS]);
    for (size_t i = 0; i < n; i++) {
        put_states(w, &switch_metrics[METRIC_ENDPOINT_PATHS], labels[i],
                   view->endpoints[i].states);
    }
    for (size_t i = 0; i < ARRAY_SIZE(endpoint_metrics); i++) {
        put_numbers(w, &endpoint_metrics[i], view->endpoints,
                    sizeof *view->endpoints, labels, n);
    }
}

static int
state_number(enum fabric_path_state state)
{
    switch (state) {
    case FABRIC_PATH_DOWN: return 0;
    case FABRIC_PATH_DEGRADED: return 1;
    case FABRIC_PATH_UP: return 2;
    case FABRIC_PATH_DRAINED: return 4;
    case FABRIC_PATH_UNKNOWN:
    default: return 3;
    }
}

static void
put_reasons(const struct writer *w, const struct view *view,
            char *const labels[])
{
    const struct metric *metric = &switch_metrics[METRIC_PATH_REASON];
    bool any = false;

    for (size_t i = 0; i < view->n_paths; i++) {
        const struct json *reasons = view->paths[i].reasons;

        for (size_t j = 0; labels[i] && j < view_strings_count(reasons); j++) {
            struct ds s = DS_EMPTY_INITIALIZER;

            if (!any) {
                put_family(w, metric);
                any = true;
            }
            ds_put_cstr(&s, labels[i]);
            put_label(&s, "reason", view_strings_at(reasons, j));
            put_number(w, metric, ds_cstr(&s), 1);
            ds_destroy(&s);
        }
    }
}

static void
put_hops(const struct writer *w, const struct view *view,
         char *const labels[])
{
    const struct metric *metric = &switch_metrics[METRIC_PATH_HOPS];
    bool any = false;

    for (size_t i = 0; i < view->n_paths; i++) {
        if (view->paths[i].hops) {
            if (!any) {
                put_family(w, metric);
                any = true;
            }
            put_number(w, metric, labels[i],
                       view_strings_count(view->paths[i].hops));
        }
    }
}

static void
put_paths(const struct writer *w, const struct view *view,
          char *const labels[])
{
    size_t n = view->n_paths;

    if (!n) {
        return;
    }
    put_family(w, &switch_metrics[METRIC_PATH_STATE]);
    for (size_t i = 0; i < n; i++) {
        put_number(w, &switch_metrics[METRIC_PATH_STATE], labels[i],
                   state_number(view->paths[i].state));
    }
    put_reasons(w, view, labels);
    put_hops(w, view, labels);
    for (size_t i = 0; i < ARRAY_SIZE(path_metrics); i++) {
        put_numbers(w, &path_metrics[i], view->paths, sizeof *view->paths,
                    labels, n);
    }
}

/* Labels.  Two samples of the same labels would be an error to Prometheus.  Of
 * rows of the same name, which ovs-vswitchd refuses but for one, the first is
 * that one; the others have no labels. */

static void
forget_duplicates(char **labels, size_t n)
{
    for (size_t i = n; i-- > 1; ) {
        if (!strcmp(labels[i], labels[i - 1])) {
            free(labels[i]);
            labels[i] = NULL;
        }
    }
}

static char **
label_fabrics(const struct view *view)
{
    char **labels = xmalloc((view->n_fabrics + 1) * sizeof *labels);

    for (size_t i = 0; i < view->n_fabrics; i++) {
        struct ds s = DS_EMPTY_INITIALIZER;

        put_label(&s, "fabric", view->fabrics[i].name);
        labels[i] = ds_steal_cstr(&s);
    }
    forget_duplicates(labels, view->n_fabrics);
    return labels;
}

static char **
label_endpoints(const struct view *view)
{
    char **labels = xmalloc((view->n_endpoints + 1) * sizeof *labels);

    for (size_t i = 0; i < view->n_endpoints; i++) {
        struct ds s = DS_EMPTY_INITIALIZER;

        put_label(&s, "fabric", view->endpoints[i].fabric);
        put_label(&s, "endpoint", view->endpoints[i].name);
        labels[i] = ds_steal_cstr(&s);
    }
    forget_duplicates(labels, view->n_endpoints);
    return labels;
}

static char **
label_paths(const struct view *view)
{
    char **labels = xmalloc((view->n_paths + 1) * sizeof *labels);

    for (size_t i = 0; i < view->n_paths; i++) {
        const struct view_path *path = &view->paths[i];
        struct ds s = DS_EMPTY_INITIALIZER;

        put_label(&s, "fabric", path->fabric);
        put_label(&s, "endpoint", path->endpoint);
        put_label(&s, "local_ip", path->local_ip);
        put_label(&s, "remote_ip", path->remote_ip);
        ds_put_format(&s, ",src_port=\"%"PRId64"\"", MAX(path->src_port, 0));
        labels[i] = ds_steal_cstr(&s);
    }
    forget_duplicates(labels, view->n_paths);
    return labels;
}

static void
free_labels(char **labels, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(labels[i]);
    }
    free(labels);
}

static void
put_view(const struct writer *w, const struct metrics_config *config,
         const struct view *view)
{
    bool endpoints_limited = view->n_endpoints > config->max_endpoints;
    bool paths_limited = (view->no_paths || endpoints_limited
                          || view->n_paths > config->max_paths);
    char **labels;

    put_single(w, METRIC_PATHS_LIMITED, paths_limited);
    put_single(w, METRIC_ENDPOINTS_LIMITED, endpoints_limited);
    put_drops(w, view);
    put_flows(w, view);

    labels = label_fabrics(view);
    put_fabrics(w, view, labels);
    free_labels(labels, view->n_fabrics);
    if (!endpoints_limited) {
        labels = label_endpoints(view);
        put_endpoints(w, view, labels);
        free_labels(labels, view->n_endpoints);
    }
    if (!paths_limited) {
        labels = label_paths(view);
        put_paths(w, view, labels);
        free_labels(labels, view->n_paths);
    }
}

void
metrics_format(const struct metrics_config *config,
               const struct metrics_collection *collection, bool openmetrics,
               struct ds *s)
{
    struct writer w = { s, openmetrics };
    struct ds labels = DS_EMPTY_INITIALIZER;

    put_single(&w, METRIC_UP, collection->view != NULL);
    put_family(&w, &switch_metrics[METRIC_EXPORTER]);
    put_label(&labels, "version", FABRIC_VERSION);
    put_sample(&w, &switch_metrics[METRIC_EXPORTER], ds_cstr(&labels), 1);
    ds_destroy(&labels);
    put_single(&w, METRIC_COLLECTION, collection->seconds);
    put_single(&w, METRIC_ERRORS, collection->n_errors);
    if (collection->view) {
        put_view(&w, config, collection->view);
    }
    if (openmetrics) {
        ds_put_cstr(s, "# EOF\n");
    }
}

static void
list(struct ds *s, const struct metric *metrics, size_t n)
{
    static const char *const types[] = { "gauge", "counter", "info" };

    for (size_t i = 0; i < n; i++) {
        ds_put_format(s, "%s %s %s\n", metrics[i].name,
                      types[metrics[i].type], metrics[i].help);
    }
}

void
metrics_list(struct ds *s)
{
    list(s, switch_metrics, ARRAY_SIZE(switch_metrics));
    list(s, endpoint_metrics, ARRAY_SIZE(endpoint_metrics));
    list(s, path_metrics, ARRAY_SIZE(path_metrics));
}

/* Accept (RFC 9110, 12.5.1). */

/* Returns the quality of a media range's parameters, from 0 to 1000. */
static int
parse_quality(const char *parameters, const char *end)
{
    for (const char *p = parameters; p < end; p++) {
        if (*p == ';') {
            const char *q = p + 1;

            q += strspn(q, " \t");
            if (q + 2 < end && (*q == 'q' || *q == 'Q') && q[1] == '=') {
                int quality = q[2] == '1' ? 1000 : 0;

                if (q[2] == '0' && q + 3 < end && q[3] == '.') {
                    int digit = 100;

                    for (q += 4; q < end && isdigit((unsigned char) *q)
                             && digit; q++) {
                        quality += (*q - '0') * digit;
                        digit /= 10;
                    }
                }
                return quality;
            }
        }
    }
    return 1000;
}

bool
metrics_accepts_openmetrics(const char *accept)
{
    int openmetrics = 0;
    int text = 0;

    for (const char *p = accept ? accept : ""; *p; ) {
        size_t length = strcspn(p, ",");
        const char *range = p + strspn(p, " \t");
        const char *end = p + length;
        size_t name = range < end ? strcspn(range, "; \t,") : 0;

        if (name == strlen("application/openmetrics-text")
            && !strncasecmp(range, "application/openmetrics-text", name)) {
            openmetrics = MAX(openmetrics, parse_quality(range, end));
        } else if (name == strlen("text/plain")
                   && !strncasecmp(range, "text/plain", name)) {
            text = MAX(text, parse_quality(range, end));
        }
        p = end + (*end == ',');
    }
    return openmetrics > 0 && openmetrics >= text;
}
