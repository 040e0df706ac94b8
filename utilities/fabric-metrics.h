/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_METRICS_H
#define FABRIC_METRICS_H 1

/* A view as Prometheus reads it.
 * ==============================
 *
 * Either in the text format 0.0.4 or as OpenMetrics 1.0.0, which differ in
 * little.  Names and units follow Prometheus' conventions: seconds, bytes,
 * ratios from 0 to 1, counters that end in _total.  A number that is not known
 * has no sample.
 *
 * Each endpoint and each path is some twenty time series to whoever collects
 * them, so there is a limit to both; a metric tells that it is exceeded. */

#include <stdbool.h>
#include <stddef.h>

struct ds;
struct view;

struct metrics_config {
    size_t max_paths;           /* Beyond, no metrics of single paths. */
    size_t max_endpoints;       /* Beyond, none of single endpoints either. */
};

/* How the last collection went. */
struct metrics_collection {
    const struct view *view;    /* Or NULL if ovs-vswitchd did not reply. */
    double seconds;             /* How long it took. */
    unsigned long long int n_errors; /* Of all. */
};

/* Up to so many paths are read though they are more than 'max_paths', for the
 * worst of an endpoint's. */
#define METRICS_MAX_READ 20000

/* Appends the metrics. */
void metrics_format(const struct metrics_config *,
                    const struct metrics_collection *, bool openmetrics,
                    struct ds *);

/* Appends the name, type and meaning of every metric there may be, a line
 * each. */
void metrics_list(struct ds *);

/* Returns whether a client that sends this Accept header, or NULL, prefers
 * OpenMetrics. */
bool metrics_accepts_openmetrics(const char *accept);

#define METRICS_TEXT "text/plain; version=0.0.4; charset=utf-8"
#define METRICS_OPENMETRICS \
    "application/openmetrics-text; version=1.0.0; charset=utf-8"

#endif /* fabric-metrics.h */
