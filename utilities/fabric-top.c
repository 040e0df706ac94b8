/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-top.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fabric-switch-view.h"
#include "fabric-text.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "timeval.h"
#include "util.h"

/* How long ovs-vswitchd may take to reply, ms. */
#define TIMEOUT 5000

/* Replies are made by ovs-vswitchd's main thread, which has other things to
 * do.  Reading takes at most one part of this many of the time. */
#define READ_SHARE 10

/* Beyond so many paths only those of the opened endpoint are read. */
#define MAX_PATHS 50000

/* Characters of a name. */
#define NAME_WIDTH 32

void
top_init(struct top *top)
{
    *top = (struct top) { .target = "ovs-vswitchd", .interval = 1000 };
}

void
top_destroy(struct top *top)
{
    view_destroy(top->view);
    free(top->filter);
    free(top->opened);
    free(top->error);
    free(top->items);
}

static const char *const sort_names[] = {
#define TOP_SORT(ENUM, NAME, HELP) NAME,
    TOP_SORTS
#undef TOP_SORT
};

const char *
top_sort_to_string(enum top_sort sort)
{
    return sort_names[sort];
}

bool
top_sort_from_string(const char *s, enum top_sort *sort)
{
    for (size_t i = 0; i < TOP_N_SORTS; i++) {
        if (!strcmp(s, sort_names[i])) {
            *sort = i;
            return true;
        }
    }
    return false;
}

void
top_read(struct top *top)
{
    long long int start = time_msec();
    struct view *view;

    free(top->error);
    top->error = view_read(top->target, top->opened, MAX_PATHS, TIMEOUT,
                           &view);
    if (view) {
        view_compute_rates(view, top->view);
        view_destroy(top->view);
        top->view = view;
    }
    top_select(top);
    top->next = MAX(start + top->interval,
                    view ? time_msec() + READ_SHARE * (time_msec() - start)
                    : 0);
}

/* Choosing. */

static bool
contains(const char *s, const char *filter)
{
    return s && strcasestr(s, filter);
}

static bool
strings_contain(const struct json *strings, const char *filter)
{
    for (size_t i = 0; i < view_strings_count(strings); i++) {
        if (contains(view_strings_at(strings, i), filter)) {
            return true;
        }
    }
    return false;
}

static bool
endpoint_shown(const struct top *top, const struct view_endpoint *ep)
{
    const char *filter = top->filter;

    if (top->bad_only && !view_endpoint_severity(ep)) {
        return false;
    }
    return (!filter || contains(ep->name, filter)
            || contains(ep->fabric, filter)
            || strings_contain(ep->remote_ips, filter));
}

static bool
path_shown(const struct top *top, const struct view_path *path)
{
    const char *filter = top->filter;

    if (top->bad_only && !view_path_severity(path)) {
        return false;
    }
    return (!filter || contains(path->local_ip, filter)
            || contains(path->remote_ip, filter)
            || contains(fabric_path_state_to_string(path->state), filter)
            || strings_contain(path->reasons, filter)
            || strings_contain(path->hops, filter));
}

/* qsort() has no argument for it. */
static const struct top *sorting;

/* The higher first, VIEW_NONE last. */
static int
compare_down(int64_t a, int64_t b)
{
    return a > b ? -1 : a < b;
}

/* What rows, endpoints or paths, are sorted by besides their names. */
struct sort_values {
    int64_t rtt_us, loss_ppm;
    const struct view_rates *rates;
};

/* Compares rows 'a' and 'b', of one array that is in the order of the names,
 * whose health compares like 'health'. */
static int
compare_rows(const void *a, const struct sort_values *va,
             const void *b, const struct sort_values *vb, int health)
{
    int cmp = 0;

    switch (sorting->sort) {
    case TOP_SORT_HEALTH: cmp = health; break;
    case TOP_SORT_RTT: cmp = compare_down(va->rtt_us, vb->rtt_us); break;
    case TOP_SORT_LOSS: cmp = compare_down(va->loss_ppm, vb->loss_ppm); break;
    case TOP_SORT_TX:
        cmp = compare_down(va->rates->tx_bytes, vb->rates->tx_bytes);
        break;
    case TOP_SORT_RX:
        cmp = compare_down(va->rates->rx_bytes, vb->rates->rx_bytes);
        break;
    case TOP_SORT_NAME:
    case TOP_N_SORTS:
        break;
    }
    if (!cmp) {
        cmp = a < b ? -1 : a > b;
    }
    return sorting->reverse ? -cmp : cmp;
}

static struct sort_values
endpoint_values(const struct view_endpoint *ep)
{
    return (struct sort_values) {
        ep->worst_rtt_us, ep->worst_loss_ppm, &ep->rates
    };
}

static struct sort_values
path_values(const struct view_path *path)
{
    return (struct sort_values) {
        view_path_rtt_us(path), path->recent_loss_ppm, &path->rates
    };
}

static int
compare_endpoints(const void *a_, const void *b_)
{
    const struct view_endpoint *a = *(const struct view_endpoint *const *) a_;
    const struct view_endpoint *b = *(const struct view_endpoint *const *) b_;
    struct sort_values va = endpoint_values(a), vb = endpoint_values(b);

    return compare_rows(a, &va, b, &vb, view_endpoint_compare(a, b));
}

static int
compare_paths(const void *a_, const void *b_)
{
    const struct view_path *a = *(const struct view_path *const *) a_;
    const struct view_path *b = *(const struct view_path *const *) b_;
    struct sort_values va = path_values(a), vb = path_values(b);

    return compare_rows(a, &va, b, &vb, view_path_compare(a, b));
}

static char *
endpoint_name(const struct view_endpoint *ep)
{
    return xasprintf("%s/%s", ep->fabric, ep->name);
}

static const struct view_endpoint *
find_opened(const struct top *top)
{
    const struct view *view = top->view;
    size_t n = view ? view->n_endpoints : 0;

    for (size_t i = 0; i < n; i++) {
        const struct view_endpoint *ep = &view->endpoints[i];
        size_t length = strlen(ep->fabric);

        if (!strncmp(top->opened, ep->fabric, length)
            && top->opened[length] == '/'
            && !strcmp(&top->opened[length + 1], ep->name)) {
            return ep;
        }
    }
    return NULL;
}

void
top_select(struct top *top)
{
    const struct view *view = top->view;
    const struct view_endpoint *opened = (top->opened ? find_opened(top)
                                          : NULL);
    size_t n = opened ? opened->n : view ? view->n_endpoints : 0;

    top->items = xrealloc(top->items, (n + 1) * sizeof *top->items);
    top->n_items = 0;
    for (size_t i = 0; i < n; i++) {
        if (opened) {
            if (path_shown(top, &opened->paths[i])) {
                top->items[top->n_items++] = &opened->paths[i];
            }
        } else if (!top->opened && endpoint_shown(top, &view->endpoints[i])) {
            top->items[top->n_items++] = &view->endpoints[i];
        }
    }
    sorting = top;
    qsort(top->items, top->n_items, sizeof *top->items,
          top->opened ? compare_paths : compare_endpoints);
}

char *
top_item_name(const struct top *top, size_t index)
{
    return endpoint_name(top->items[index]);
}

char *
top_open(struct top *top, const char *s)
{
    const struct view *view = top->view;
    const char *found = NULL;
    size_t n = 0;

    for (size_t i = 0; view && i < view->n_endpoints; i++) {
        const struct view_endpoint *ep = &view->endpoints[i];
        char *name = endpoint_name(ep);

        if (ep->active && (!strcmp(s, name) || !strcmp(s, ep->name))) {
            n++;
            found = ep->fabric;
            free(top->opened);
            top->opened = name;
        } else {
            free(name);
        }
    }
    if (n == 1) {
        top_select(top);
        return NULL;
    }
    free(top->opened);
    top->opened = NULL;
    return (n ? xasprintf("endpoint \"%s\" is in several fabrics: write %s/%s",
                          s, found, s)
            : xasprintf("no endpoint \"%s\"", s));
}

/* Showing. */

static void
add_text(struct grid *grid, enum grid_style style, const char *text)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    text_put_name(&s, text ? text : "-", SIZE_MAX);
    grid_add(grid, style, &s);
}

static void
add_name(struct grid *grid, enum grid_style style, const char *text)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    text_put_name(&s, text, NAME_WIDTH);
    grid_add(grid, style, &s);
}

typedef void text_func(struct ds *, int64_t);

static void
add_number(struct grid *grid, enum grid_style style, text_func *put,
           int64_t number)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    put(&s, number);
    grid_add(grid, style, &s);
}

/* A number that is good if it is 0. */
static void
add_bad(struct grid *grid, enum grid_style style, text_func *put,
        int64_t number)
{
    add_number(grid, number > 0 ? style : GRID_FAINT, put, number);
}

static void
put_integer(struct ds *s, int64_t n)
{
    if (n == VIEW_NONE) {
        ds_put_char(s, '-');
    } else {
        ds_put_format(s, "%"PRId64, n);
    }
}

static void
add_states(struct grid *grid, const int64_t states[VIEW_N_STATES])
{
    add_number(grid, GRID_PLAIN, put_integer, states[FABRIC_PATH_UP]);
    add_bad(grid, GRID_WARNING, put_integer, states[FABRIC_PATH_DEGRADED]);
    add_bad(grid, GRID_BAD, put_integer, states[FABRIC_PATH_DOWN]);
    add_bad(grid, GRID_PLAIN, put_integer,
            states[FABRIC_PATH_DRAINED] + states[FABRIC_PATH_UNKNOWN]);
}

static void
add_rates(struct grid *grid, const struct view_rates *rates)
{
    add_number(grid, GRID_PLAIN, text_put_count, rates->tx_packets);
    add_number(grid, GRID_PLAIN, text_put_count, rates->tx_bytes);
    add_number(grid, GRID_PLAIN, text_put_count, rates->rx_packets);
    add_number(grid, GRID_PLAIN, text_put_count, rates->rx_bytes);
}

#define STATE_COLUMNS                           \
    { "UP", true, 4 },                          \
    { "DEGR", true, 4 },                        \
    { "DOWN", true, 4 },                        \
    { "OTHER", true, 5 }
#define RATE_COLUMNS                            \
    { "TXp/s", true, 5 },                       \
    { "TXB/s", true, 5 },                       \
    { "RXp/s", true, 5 },                       \
    { "RXB/s", true, 5 }

static size_t
count_bad(const struct view_fabric *f)
{
    size_t n = 0;

    for (size_t i = 0; i < f->n; i++) {
        n += view_endpoint_severity(&f->endpoints[i]) > 0;
    }
    return n;
}

void
top_fabrics(const struct top *top, struct grid *grid)
{
    static const struct grid_column columns[] = {
        { "FABRIC", false, 8 },
        { "ENCAP", false, 6 },
        { "PACKETS-IN", false, 10 },
        { "ENDPOINTS", true, 4 },
        { "BAD", true, 4 },
        { "PATHS", true, 5 },
        STATE_COLUMNS,
        RATE_COLUMNS,
        { "LOCAL-IPS", false, 0 },
    };
    size_t n = top->view ? top->view->n_fabrics : 0;

    grid_init(grid, columns, ARRAY_SIZE(columns));
    for (size_t i = 0; i < n; i++) {
        const struct view_fabric *f = &top->view->fabrics[i];
        struct ds s = DS_EMPTY_INITIALIZER;

        add_name(grid, f->error ? GRID_BAD : GRID_PLAIN, f->name);
        add_text(grid, GRID_PLAIN, f->encap);
        add_text(grid, GRID_PLAIN, f->forwarding);
        add_number(grid, GRID_PLAIN, put_integer, f->n_endpoints);
        add_bad(grid, GRID_BAD, put_integer, count_bad(f));
        add_number(grid, GRID_PLAIN, put_integer, f->n_paths);
        add_states(grid, f->states);
        add_rates(grid, &f->rates);
        if (f->error) {
            add_text(grid, GRID_BAD, f->error);
        } else {
            text_put_strings(&s, f->local_ips, ",");
            grid_add(grid, GRID_FAINT, &s);
        }
    }
}

static void
add_health(struct grid *grid, const struct view_endpoint *ep)
{
    switch (view_endpoint_severity(ep)) {
    case 4: add_text(grid, GRID_BAD, "D down"); break;
    case 3: add_text(grid, GRID_BAD, "E error"); break;
    case 2: add_text(grid, GRID_WARNING, "P partly"); break;
    case 1: add_text(grid, GRID_WARNING, "G degraded"); break;
    default:
        if (ep->n_paths > 0 && ep->states[FABRIC_PATH_UP] == ep->n_paths) {
            add_text(grid, GRID_GOOD, "U up");
        } else if (ep->states[FABRIC_PATH_UP]) {
            add_text(grid, GRID_GOOD, "U usable");
        } else {
            add_text(grid, GRID_PLAIN, "? unknown");
        }
    }
}

static void
add_endpoint(struct grid *grid, const struct top *top,
             const struct view_endpoint *ep)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    char *name = (top->view->n_fabrics > 1 ? endpoint_name(ep)
                  : xstrdup(ep->name));

    add_name(grid, GRID_PLAIN, name);
    free(name);
    add_health(grid, ep);
    add_number(grid, GRID_PLAIN, put_integer, ep->n_paths);
    add_states(grid, ep->states);
    add_number(grid, GRID_PLAIN, text_put_us, ep->worst_rtt_us);
    add_bad(grid, GRID_WARNING, text_put_percent, ep->worst_loss_ppm);
    add_rates(grid, &ep->rates);
    if (ep->error) {
        add_text(grid, GRID_BAD, ep->error);
    } else {
        text_put_strings(&s, ep->remote_ips, ",");
        grid_add(grid, GRID_FAINT, &s);
    }
}

static void
add_state(struct grid *grid, enum fabric_path_state state)
{
    static const enum grid_style styles[] = {
        [FABRIC_PATH_UNKNOWN] = GRID_PLAIN,
        [FABRIC_PATH_UP] = GRID_GOOD,
        [FABRIC_PATH_DEGRADED] = GRID_WARNING,
        [FABRIC_PATH_DOWN] = GRID_BAD,
        [FABRIC_PATH_DRAINED] = GRID_PLAIN,
    };
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_format(&s, "%c %s", text_state_letter(state),
                  fabric_path_state_to_string(state));
    grid_add(grid, styles[state], &s);
}

static void
add_path(struct grid *grid, const struct view_path *path)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    add_text(grid, GRID_PLAIN, path->local_ip);
    add_text(grid, GRID_PLAIN, path->remote_ip);
    add_number(grid, GRID_PLAIN, put_integer, path->src_port);
    add_state(grid, path->state);
    add_number(grid, GRID_PLAIN, text_put_age, path->state_ms);
    add_number(grid, GRID_PLAIN, text_put_us, path->rtt_us);
    add_number(grid, GRID_PLAIN, text_put_us, path->rtt_min_us);
    add_number(grid, GRID_PLAIN, text_put_us, path->rtt_smoothed_us);
    add_number(grid, GRID_PLAIN, text_put_us, path->rtt_p99_us);
    add_number(grid, GRID_PLAIN, text_put_us, path->jitter_us);
    add_bad(grid, GRID_WARNING, text_put_percent, path->recent_loss_ppm);
    add_bad(grid, GRID_WARNING, text_put_percent, path->loss_there_ppm);
    add_bad(grid, GRID_WARNING, text_put_percent, path->loss_back_ppm);
    add_bad(grid, GRID_WARNING, text_put_percent, path->data_loss_there_ppm);
    add_bad(grid, GRID_WARNING, text_put_percent, path->data_loss_back_ppm);
    add_bad(grid, GRID_WARNING, text_put_percent, path->ce_there_ppm);
    add_bad(grid, GRID_WARNING, text_put_percent, path->ce_back_ppm);
    add_number(grid, GRID_PLAIN, text_put_percent, path->share_ppm);
    add_number(grid, GRID_PLAIN, put_integer, path->mtu);
    add_number(grid, GRID_PLAIN, put_integer,
               path->hops ? view_strings_count(path->hops) : VIEW_NONE);
    add_rates(grid, &path->rates);
    text_put_strings(&s, path->reasons, ", ");
    grid_add(grid, GRID_WARNING, &s);
}

void
top_items(const struct top *top, size_t first, size_t n, struct grid *grid)
{
    static const struct grid_column endpoint_columns[] = {
        { "ENDPOINT", false, 16 },
        { "STATE", false, 10 },
        { "PATHS", true, 5 },
        STATE_COLUMNS,
        { "RTT", true, 6 },
        { "LOSS%", true, 5 },
        RATE_COLUMNS,
        { "REMOTE-IPS", false, 0 },
    };
    static const struct grid_column path_columns[] = {
        { "LOCAL-IP", false, 9 },
        { "REMOTE-IP", false, 9 },
        { "PORT", true, 5 },
        { "STATE", false, 10 },
        { "FOR", true, 6 },
        { "RTT", true, 6 },
        { "MIN", true, 6 },
        { "AVG", true, 6 },
        { "P99", true, 6 },
        { "JITTER", true, 6 },
        { "LOSS%", true, 5 },
        { "THERE", true, 5 },
        { "BACK", true, 5 },
        { "DATA>", true, 5 },
        { "DATA<", true, 5 },
        { "CE>", true, 4 },
        { "CE<", true, 4 },
        { "SHARE", true, 5 },
        { "MTU", true, 4 },
        { "HOPS", true, 4 },
        RATE_COLUMNS,
        { "REASONS", false, 0 },
    };

    if (top->opened) {
        grid_init(grid, path_columns, ARRAY_SIZE(path_columns));
    } else {
        grid_init(grid, endpoint_columns, ARRAY_SIZE(endpoint_columns));
    }
    for (size_t i = first; i < top->n_items && i - first < n; i++) {
        if (top->opened) {
            add_path(grid, top->items[i]);
        } else {
            add_endpoint(grid, top, top->items[i]);
        }
    }
}

static void
put_path_detail(const struct view_path *path, struct ds *s)
{
    text_put_name(s, path->local_ip, SIZE_MAX);
    ds_put_cstr(s, " to ");
    text_put_name(s, path->remote_ip, SIZE_MAX);
    ds_put_char(s, ' ');
    put_integer(s, path->src_port);
    ds_put_format(s, ": %s", fabric_path_state_to_string(path->state));
    if (view_strings_count(path->reasons)) {
        ds_put_cstr(s, " for ");
        text_put_strings(s, path->reasons, ", ");
    }
    ds_put_cstr(s, "; down ");
    put_integer(s, path->n_down);
    ds_put_cstr(s, ", degraded ");
    put_integer(s, path->n_degraded);
    ds_put_cstr(s, " times; reordered ");
    text_put_percent(s, path->reordered_ppm);
    ds_put_cstr(s, " %; through ");
    text_put_strings(s, path->hops, " ");
}

void
top_put_detail(const struct top *top, size_t index, struct ds *s)
{
    if (top->opened) {
        put_path_detail(top->items[index], s);
    } else {
        const struct view_endpoint *ep = top->items[index];

        text_put_name(s, ep->name, SIZE_MAX);
        ds_put_cstr(s, " of ");
        text_put_name(s, ep->fabric, SIZE_MAX);
        ds_put_cstr(s, ", number ");
        put_integer(s, ep->id);
        ds_put_cstr(s, ": ");
        text_put_strings(s, ep->remote_ips, " ");
        if (ep->error) {
            ds_put_cstr(s, "; ");
            text_put_name(s, ep->error, SIZE_MAX);
        }
    }
}

void
top_put_title(const struct top *top, struct ds *s)
{
    char host[256] = "";

    gethostname(host, sizeof host - 1);
    ds_put_cstr(s, "ovs-fabric top: ");
    text_put_name(s, host, NAME_WIDTH);
    ds_put_strftime_msec(s, ", %H:%M:%S", time_wall_msec(), false);
    ds_put_format(s, ", sorted by %s%s", top_sort_to_string(top->sort),
                  top->reverse ? " (reversed)" : "");
    if (top->filter) {
        ds_put_cstr(s, ", filter \"");
        text_put_name(s, top->filter, NAME_WIDTH);
        ds_put_char(s, '"');
    }
    ds_put_cstr(s, top->bad_only ? ", bad only" : "");
    ds_put_format(s, ", %"PRIuSIZE, top->n_items);
    if (top->opened) {
        const struct view_endpoint *ep = find_opened(top);

        ds_put_format(s, " of %"PRIuSIZE" paths to ", ep ? ep->n : 0);
        text_put_name(s, top->opened, NAME_WIDTH);
    } else {
        ds_put_format(s, " of %"PRIuSIZE" endpoints",
                      top->view ? top->view->n_endpoints : 0);
    }
    if (top->view && top->view->no_paths) {
        ds_put_format(s, "; RTT and loss only of an opened endpoint (more "
                      "than %d paths)", MAX_PATHS);
    }
}

char *
top_batch(struct top *top, unsigned int count)
{
    for (unsigned int i = 0; i < count; i++) {
        struct ds s = DS_EMPTY_INITIALIZER;
        struct grid grid;

        if (i) {
            while (time_msec() < top->next) {
                poll_timer_wait_until(top->next);
                poll_block();
            }
            top_read(top);
            ds_put_char(&s, '\n');
        }
        if (top->error) {
            ds_destroy(&s);
            return xstrdup(top->error);
        }
        top_put_title(top, &s);
        ds_put_char(&s, '\n');
        top_fabrics(top, &grid);
        grid_format(&grid, &s);
        grid_destroy(&grid);
        ds_put_char(&s, '\n');
        top_items(top, 0, SIZE_MAX, &grid);
        grid_format(&grid, &s);
        grid_destroy(&grid);
        fputs(ds_cstr(&s), stdout);
        fflush(stdout);
        ds_destroy(&s);
        if (ferror(stdout)) {
            return xstrdup("cannot write");
        }
    }
    return NULL;
}

#ifndef HAVE_FABRIC_SCREEN
char *
top_screen(struct top *top OVS_UNUSED)
{
    return xstrdup("built without ncurses: use --once or --batch");
}
#endif
