/* SPDX-License-Identifier: Apache-2.0 */

/* Each state has a colour that people tell apart however they see colours
 * (those of Okabe and Ito) and a kind of line, and a letter where there is
 * text.  Paths of several states between the same nodes are lines side by
 * side; what is bad is drawn last, on top. */

#include <config.h>

#include "fabric-map.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fabric-grid.h"
#include "fabric-map-layout.h"
#include "fabric-text.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

/* Rows of the list of bad paths. */
#define MAX_ROWS 24

/* Ports in one of them. */
#define MAX_PORTS 4

/* Names in a card of several endpoints. */
#define MAX_NAMES 6

struct line_style {
    const char *color, *dash, *meaning;
    double width, opacity;
};

static const struct line_style styles[VIEW_N_STATES] = {
    [FABRIC_PATH_UNKNOWN] = { "#767676", "none", "unknown: never answered",
                              1, .7 },
    [FABRIC_PATH_DRAINED] = { "#aa4499", "12 3 2 3",
                              "drained by an operator", 1.5, 1 },
    [FABRIC_PATH_UP] = { "#0072b2", "none", "up", 1.5, .7 },
    [FABRIC_PATH_DEGRADED] = { "#e69f00", "9 4", "degraded", 2.5, 1 },
    [FABRIC_PATH_DOWN] = { "#d00000", "2 4", "down", 3, 1 },
};

/* What is drawn first is beneath the rest. */
static const enum fabric_path_state layers[VIEW_N_STATES] = {
    FABRIC_PATH_UNKNOWN,
    FABRIC_PATH_UP,
    FABRIC_PATH_DRAINED,
    FABRIC_PATH_DEGRADED,
    FABRIC_PATH_DOWN,
};

/* Appends 's' as XML has it. */
static void
put_xml(struct ds *svg, const char *s, size_t max_width)
{
    struct ds text = DS_EMPTY_INITIALIZER;

    text_put_name(&text, s, max_width);
    for (const char *p = ds_cstr(&text); *p; p++) {
        switch (*p) {
        case '&': ds_put_cstr(svg, "&amp;"); break;
        case '<': ds_put_cstr(svg, "&lt;"); break;
        case '>': ds_put_cstr(svg, "&gt;"); break;
        case '"': ds_put_cstr(svg, "&quot;"); break;
        case '\'': ds_put_cstr(svg, "&#39;"); break;
        default: ds_put_char(svg, *p);
        }
    }
    ds_destroy(&text);
}

/* Text whose baseline is at ('x', 'y'), in CSS class 'class', and empties
 * 's'. */
static void
put_text(struct ds *svg, double x, double y, const char *class, struct ds *s)
{
    ds_put_format(svg, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\" "
                  "xml:space=\"preserve\">", x, y, class);
    put_xml(svg, ds_cstr(s), SIZE_MAX);
    ds_put_cstr(svg, "</text>\n");
    ds_clear(s);
}

static void
put_rect(struct ds *svg, double x, double y, double width, double height,
         const char *attributes)
{
    ds_put_format(svg, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
                  "height=\"%.1f\" %s/>\n", x, y, width, height, attributes);
}

/* "8 up, 2 down". */
static void
put_states(struct ds *s, const int64_t states[VIEW_N_STATES])
{
    const char *separator = "";

    for (int i = VIEW_N_STATES - 1; i >= 0; i--) {
        enum fabric_path_state state = layers[i];

        if (states[state]) {
            ds_put_format(s, "%s%"PRId64" %s", separator, states[state],
                          fabric_path_state_to_string(state));
            separator = ", ";
        }
    }
    if (!*separator) {
        ds_put_cstr(s, "no paths");
    }
}

static void
count_states(const int64_t states[VIEW_N_STATES], int64_t *total,
             int64_t *usable)
{
    *total = *usable = 0;
    for (int i = 0; i < VIEW_N_STATES; i++) {
        *total += states[i];
        *usable += fabric_path_state_is_usable(i) ? states[i] : 0;
    }
}

/* The state to mark something in that has paths of these. */
static enum fabric_path_state
worst_state(const int64_t states[VIEW_N_STATES])
{
    for (int i = VIEW_N_STATES - 1; i > 0; i--) {
        if (states[layers[i]]) {
            return layers[i];
        }
    }
    return FABRIC_PATH_UNKNOWN;
}

/* Lines. */

/* How much above or below the middle of 'node' the lines of layer 'i' are.
 * Where lines meet without a box, each state has its place. */
static double
strand_offset(const struct map_node *node, size_t i, double offset)
{
    return (map_node_is_bend(node) ? (i - (VIEW_N_STATES - 1) / 2.) * 3
            : offset);
}

/* A line that stands for 'part' of the paths between the nodes, of layer 'i',
 * whose place among those between them is 'offset'. */
static void
put_strand(struct ds *svg, const struct map_node *from,
           const struct map_node *to, size_t i, double part, double offset)
{
    enum fabric_path_state state = layers[i];
    const struct line_style *style = &styles[state];
    double x1 = from->x + from->width;
    double y1 = from->y + strand_offset(from, i, offset);
    double x2 = to->x;
    double y2 = to->y + strand_offset(to, i, offset);
    double bend = MIN((x2 - x1) / 2, 160);

    ds_put_format(svg, "<path d=\"M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f",
                  x1, y1, x1 + bend, y1, x2 - bend, y2, x2, y2);
    if (map_node_is_bend(to)) {
        ds_put_format(svg, "H%.1f", x2 + to->width);
    }
    ds_put_format(svg, "\" class=\"l-%s\" style=\"stroke-width:%.1f\"/>\n",
                  fabric_path_state_to_string(state),
                  style->width * (.5 + .8 * part));
    if (style->width > 2 && !map_node_is_bend(to)) {
        /* Where it ends is seen though other lines end there, too. */
        ds_put_format(svg, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\" "
                      "fill=\"%s\"/>\n", x2 - 3, y2, style->color);
    }
}

static void
put_edges(struct ds *svg, const struct map_section *section)
{
    for (size_t i = 0; i < VIEW_N_STATES; i++) {
        const struct map_edge *edge;

        HMAP_FOR_EACH (edge, node, &section->edges) {
            size_t n = 0;
            size_t index = 0;
            int64_t total, usable;

            if (!edge->states[layers[i]]) {
                continue;
            }
            count_states(edge->states, &total, &usable);
            for (size_t j = 0; j < VIEW_N_STATES; j++) {
                if (edge->states[layers[j]]) {
                    index += j < i;
                    n++;
                }
            }
            put_strand(svg, &section->nodes[edge->from],
                       &section->nodes[edge->to], i,
                       (double) edge->states[layers[i]] / total,
                       (index - (n - 1) / 2.) * 5);
        }
    }
}

/* Boxes. */

static void
put_host(struct ds *svg, const struct map_section *section, const char *host)
{
    double middle = section->y + section->height / 2;
    double right = section->host_x + section->host_width;
    struct ds s = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < section->n_nodes; i++) {
        const struct map_node *node = &section->nodes[i];

        if (!node->column) {
            ds_put_format(svg, "<path d=\"M%.1f %.1fL%.1f %.1f\" "
                          "class=\"own\"/>\n", right, middle, node->x,
                          node->y);
        }
    }
    put_rect(svg, section->host_x, middle - 24, section->host_width, 48,
             "rx=\"6\" class=\"host\"");
    ds_put_cstr(&s, "this host");
    put_text(svg, section->host_x + 10, middle - 6, "small inverse", &s);
    text_put_name(&s, host, MAP_NAME_WIDTH);
    put_text(svg, section->host_x + 10, middle + 12, "bold inverse", &s);
    ds_destroy(&s);
}

static void
put_node(struct ds *svg, const struct map_node *node)
{
    double top = node->y - node->height / 2;
    enum fabric_path_state state = worst_state(node->states);
    struct ds s = DS_EMPTY_INITIALIZER;
    int64_t total, usable;

    count_states(node->states, &total, &usable);
    ds_put_cstr(svg, "<g><title>");
    put_states(&s, node->states);
    put_xml(svg, node->label, SIZE_MAX);
    ds_put_cstr(svg, ": ");
    put_xml(svg, ds_cstr(&s), SIZE_MAX);
    ds_put_cstr(svg, "</title>\n");
    ds_clear(&s);
    /* Where most of what passes a router is lost, it stands out. */
    ds_put_format(&s, "rx=\"%d\" class=\"box%s\"", node->column ? 11 : 5,
                  usable * 2 < total ? " suspect" : "");
    put_rect(svg, node->x, top, node->width, node->height, ds_cstr(&s));
    ds_clear(&s);
    text_put_name(&s, node->label, MAP_NAME_WIDTH);
    if (node->column) {
        ds_put_format(&s, " %"PRId64"/%"PRId64, usable, total);
        put_text(svg, node->x + 8, node->y + 4, "text", &s);
    } else {
        put_text(svg, node->x + 8, node->y - 4, "bold", &s);
        if (total) {
            ds_put_format(&s, "%c %"PRId64" of %"PRId64" usable",
                          text_state_letter(state), usable, total);
        } else {
            ds_put_cstr(&s, "no paths");
        }
        put_text(svg, node->x + 8, node->y + 14, "small", &s);
    }
    ds_put_cstr(svg, "</g>\n");
    ds_destroy(&s);
}

static void
put_card_title(struct ds *s, const struct map_card *card)
{
    const struct view_endpoint *ep = card->endpoints[0];
    size_t width = card->width / MAP_CHAR;

    if (card->n > 1) {
        ds_put_format(s, "%"PRIuSIZE" %s", card->n,
                      card->severity ? "more that are not well"
                      : "endpoints that are well");
        return;
    }
    text_put_name(s, ep->name, MIN(width - 17, MAP_NAME_WIDTH));
    ds_put_cstr(s, card->severity == 4 ? "  DOWN"
                : card->severity == 3 ? "  ERROR"
                : card->severity == 2 ? "  partly down"
                : card->severity == 1 ? "  degraded" : "");
}

/* Of an address: how many of its paths are usable, and the worst of these. */
static void
put_line(struct ds *s, const struct map_node *node)
{
    char *ratio;
    int64_t total, usable;
    int padding = (int) (node->width / MAP_CHAR) - 38;

    count_states(node->states, &total, &usable);
    ratio = xasprintf("%"PRId64"/%"PRId64, usable, total);
    ds_put_format(s, "%c ", total ? text_state_letter(worst_state(
                                                          node->states))
                  : ' ');
    if (node->label) {
        text_put_name(s, node->label, MAP_NAME_WIDTH);
        padding -= MIN(text_width(node->label), MAP_NAME_WIDTH);
    }
    ds_put_format(s, "%*s%7s usable", MAX(padding, 1), "", ratio);
    free(ratio);
    if (node->worst_rtt_us != VIEW_NONE) {
        ds_put_char(s, ' ');
        text_put_us(s, node->worst_rtt_us);
    }
    if (node->worst_loss_ppm > 0) {
        ds_put_char(s, ' ');
        text_put_percent(s, node->worst_loss_ppm);
        ds_put_cstr(s, "% lost");
    }
}

static void
put_card(struct ds *svg, const struct map_section *section,
         const struct map_card *card)
{
    double x = card->x + 14;
    double y = card->y + 8 + 12;
    enum fabric_path_state state = worst_state(card->states);
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_cstr(svg, "<g><title>");
    for (size_t i = 0; i < card->n; i++) {
        ds_put_cstr(svg, i ? ", " : "");
        put_xml(svg, card->endpoints[i]->name, SIZE_MAX);
    }
    put_states(&s, card->states);
    ds_put_format(svg, ": %s</title>\n", ds_cstr(&s));
    ds_clear(&s);
    put_rect(svg, card->x, card->y, card->width, card->height,
             "rx=\"5\" class=\"box\"");
    ds_put_format(&s, "fill=\"%s\"", card->severity >= 3
                  ? styles[FABRIC_PATH_DOWN].color : styles[state].color);
    put_rect(svg, card->x, card->y, 6, card->height, ds_cstr(&s));
    ds_clear(&s);
    put_card_title(&s, card);
    put_text(svg, x, y, "bold", &s);
    if (card->n > 1) {
        for (size_t i = 0; i < MIN(card->n, MAX_NAMES); i++) {
            ds_put_cstr(&s, i ? " " : "");
            text_put_name(&s, card->endpoints[i]->name, 12);
        }
        if (card->n > MAX_NAMES) {
            ds_put_cstr(&s, " ...");
        }
        char *names = ds_steal_cstr(&s);
        text_put_name(&s, names, (card->width - 24) / MAP_CHAR * 12 / 11);
        free(names);
        put_text(svg, x, y + 2 * MAP_LINE, "small", &s);
    } else if (card->endpoints[0]->error) {
        text_put_name(&s, card->endpoints[0]->error,
                      (card->width - 24) / MAP_CHAR * 12 / 11);
        put_text(svg, x, y + MAP_LINE, "small", &s);
    }
    for (size_t i = 0; i < card->n_nodes && !card->endpoints[0]->error; i++) {
        put_line(&s, &section->nodes[card->first_node + i]);
        put_text(svg, x, y + MAP_LINE * (i + 1), "text", &s);
    }
    ds_put_cstr(svg, "</g>\n");
    ds_destroy(&s);
}

static void
put_section(struct ds *svg, const struct map_section *section,
            const char *host)
{
    const struct view_fabric *f = section->fabric;
    struct ds s = DS_EMPTY_INITIALIZER;

    text_put_name(&s, f->name, MAP_NAME_WIDTH);
    ds_put_format(&s, ": %"PRIuSIZE" endpoint%s, ", f->n,
                  f->n == 1 ? "" : "s");
    ds_put_format(&s, "%"PRId64" paths (", f->n_paths);
    put_states(&s, f->states);
    ds_put_char(&s, ')');
    put_text(svg, MAP_MARGIN, section->y - 20, "bold", &s);
    if (f->error) {
        ds_put_cstr(&s, "error: ");
        text_put_name(&s, f->error, 120);
        put_text(svg, MAP_MARGIN, section->y - 4, "text bad", &s);
    }
    put_edges(svg, section);
    put_host(svg, section, host);
    for (size_t i = 0; i < section->n_nodes; i++) {
        if (section->nodes[i].column != MAP_CARDS
            && !map_node_is_bend(&section->nodes[i])) {
            put_node(svg, &section->nodes[i]);
        }
    }
    for (size_t i = 0; i < section->n_cards; i++) {
        put_card(svg, section, &section->cards[i]);
    }
    ds_destroy(&s);
}

/* Bad paths. */

static int
compare_paths(const void *a, const void *b)
{
    return view_path_compare(*(const struct view_path *const *) a,
                             *(const struct view_path *const *) b);
}

static void
add_cell(struct grid *grid, struct ds *s)
{
    grid_add(grid, GRID_PLAIN, s);
}

/* Whether two paths differ in their ports only. */
static bool
is_alike(const struct view_path *a, const struct view_path *b)
{
    return (a->state == b->state && !strcmp(a->fabric, b->fabric)
            && !strcmp(a->endpoint, b->endpoint)
            && !strcmp(a->local_ip, b->local_ip)
            && !strcmp(a->remote_ip, b->remote_ip));
}

/* Appends a row of paths that are alike. */
static void
add_row(struct grid *grid, const struct view_path *const *paths, size_t n)
{
    const struct view_path *path = paths[0];
    int64_t age = path->state_ms;
    int64_t rtt = VIEW_NONE;
    int64_t loss = VIEW_NONE;
    struct ds s = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < n; i++) {
        age = MAX(age, paths[i]->state_ms);
        rtt = MAX(rtt, view_path_rtt_us(paths[i]));
        loss = MAX(loss, paths[i]->recent_loss_ppm);
    }
    text_put_name(&s, path->endpoint, 24);
    add_cell(grid, &s);
    text_put_name(&s, path->local_ip, SIZE_MAX);
    add_cell(grid, &s);
    text_put_name(&s, path->remote_ip, SIZE_MAX);
    add_cell(grid, &s);
    for (size_t i = 0; i < MIN(n, MAX_PORTS); i++) {
        ds_put_format(&s, "%s%"PRId64, i ? "," : "",
                      MAX(paths[i]->src_port, 0));
    }
    if (n > MAX_PORTS) {
        ds_put_format(&s, " and %"PRIuSIZE" more", n - MAX_PORTS);
    }
    add_cell(grid, &s);
    ds_put_format(&s, "%c %s", text_state_letter(path->state),
                  fabric_path_state_to_string(path->state));
    add_cell(grid, &s);
    text_put_age(&s, age);
    add_cell(grid, &s);
    text_put_us(&s, rtt);
    add_cell(grid, &s);
    text_put_percent(&s, loss);
    add_cell(grid, &s);
    text_put_strings(&s, path->reasons, ", ");
    add_cell(grid, &s);
}

/* Lists the bad paths from 'y' on.  Returns the height, and widens '*right'
 * as needed. */
static double
put_bad_paths(struct ds *svg, const struct view *view, double y,
              double *right)
{
    static const struct grid_column columns[] = {
        { "endpoint", false, 0 },
        { "local IP", false, 0 },
        { "remote IP", false, 0 },
        { "ports", false, 0 },
        { "state", false, 0 },
        { "for", true, 0 },
        { "RTT", true, 0 },
        { "loss %", true, 0 },
        { "reasons", false, 0 },
    };
    const struct view_path **bad = xmalloc((view->n_paths + 1) * sizeof *bad);
    struct ds s = DS_EMPTY_INITIALIZER;
    double start = y;
    struct grid grid;
    size_t n = 0;
    size_t shown = 0;

    for (size_t i = 0; i < view->n_paths; i++) {
        if (view_path_severity(&view->paths[i])) {
            bad[n++] = &view->paths[i];
        }
    }
    qsort(bad, n, sizeof *bad, compare_paths);
    grid_init(&grid, columns, ARRAY_SIZE(columns));
    while (shown < n && grid_n_rows(&grid) < MAX_ROWS) {
        size_t first = shown++;

        while (shown < n && is_alike(bad[first], bad[shown])) {
            shown++;
        }
        add_row(&grid, &bad[first], shown - first);
    }
    if (n) {
        ds_put_format(&s, "Paths that are not well: %"PRIuSIZE, n);
        if (shown < n) {
            ds_put_format(&s, ", of which %"PRIuSIZE" are", shown);
        }
        put_text(svg, MAP_MARGIN, y += MAP_LINE, "bold", &s);
        grid_format(&grid, &s);
        char *text = ds_steal_cstr(&s);
        char *save_ptr = NULL;
        for (char *line = strtok_r(text, "\n", &save_ptr); line;
             line = strtok_r(NULL, "\n", &save_ptr)) {
            ds_put_cstr(&s, line);
            *right = MAX(*right, MAP_MARGIN + text_width(line) * MAP_CHAR);
            put_text(svg, MAP_MARGIN, y += MAP_LINE, "text", &s);
        }
        free(text);
        y += MAP_LINE;
    }
    ds_destroy(&s);
    grid_destroy(&grid);
    free(bad);
    return y - start;
}

/* What the lines mean. */
static void
put_legend(struct ds *svg, double y)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    double x = MAP_MARGIN;

    for (int i = VIEW_N_STATES - 1; i >= 0; i--) {
        enum fabric_path_state state = layers[i];

        ds_put_format(svg, "<path d=\"M%.1f %.1fh44\" class=\"l-%s\"/>\n", x,
                      y - 4, fabric_path_state_to_string(state));
        ds_put_format(&s, "%c %s", text_state_letter(state),
                      styles[state].meaning);
        x += 52;
        double width = s.length * MAP_CHAR + 24;
        put_text(svg, x, y, "text", &s);
        x += width;
    }
    ds_put_cstr(&s, "Lines side by side: some paths of each state, the more "
                "the thicker.  RTT and loss: the worst of the usable paths.");
    put_text(svg, MAP_MARGIN, y + MAP_LINE, "small", &s);
    ds_destroy(&s);
}

static void
put_start(struct ds *svg, double width, double height, const char *host,
          const char *time)
{
    ds_put_format(svg, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" "
                  "height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" "
                  "aria-labelledby=\"title\">\n<title id=\"title\">Underlay "
                  "of ", width, height, width, height);
    put_xml(svg, host, SIZE_MAX);
    ds_put_cstr(svg, ", ");
    put_xml(svg, time, SIZE_MAX);
    ds_put_format(svg, "</title>\n<style>\n"
                  "text { font-family: 'DejaVu Sans Mono', 'Liberation Mono',"
                  " Menlo, Consolas, monospace; font-size: %.0fpx;"
                  " fill: #1a1a1a; white-space: pre }\n"
                  ".title { font-size: 20px; font-weight: bold }\n"
                  ".bold { font-weight: bold }\n"
                  ".small { font-size: 11px; fill: #444 }\n"
                  ".bad { fill: #d00000 }\n"
                  ".inverse { fill: #fff }\n"
                  ".box { fill: #fff; stroke: #8a8a8a }\n"
                  ".suspect { fill: #fff0ee; stroke: #d00000; "
                  "stroke-width: 2.5 }\n"
                  ".host { fill: #333 }\n"
                  ".own { fill: none; stroke: #333; stroke-width: 2 }\n",
                  MAP_FONT);
    for (int i = 0; i < VIEW_N_STATES; i++) {
        ds_put_format(svg, ".l-%s { fill: none; stroke: %s; stroke-width: %g;"
                      " stroke-dasharray: %s; stroke-opacity: %g }\n",
                      fabric_path_state_to_string(i), styles[i].color,
                      styles[i].width, styles[i].dash, styles[i].opacity);
    }
    ds_put_cstr(svg, "</style>\n<rect width=\"100%\" height=\"100%\" "
                "fill=\"#fff\"/>\n");
}

void
map_draw(const struct view *view, const char *host, const char *time,
         struct ds *svg)
{
    struct ds body = DS_EMPTY_INITIALIZER;
    struct ds s = DS_EMPTY_INITIALIZER;
    double right = 900;
    double y = 44;

    ds_put_cstr(&s, "Underlay of ");
    text_put_name(&s, host, MAP_NAME_WIDTH);
    put_text(&body, MAP_MARGIN, y, "title", &s);
    ds_put_cstr(&s, time);
    put_text(&body, MAP_MARGIN, y += 20, "small", &s);
    put_legend(&body, y += 30);
    y += MAP_LINE;
    if (!view->n_fabrics) {
        ds_put_cstr(&s, "There is no fabric.");
        put_text(&body, MAP_MARGIN, y += 40, "text", &s);
    }
    for (size_t i = 0; i < view->n_fabrics; i++) {
        struct map_section section;

        y += 60;
        map_section_init(&section, &view->fabrics[i], host, y);
        put_section(&body, &section, host);
        y += section.height;
        right = MAX(right, section.right);
        map_section_destroy(&section);
    }
    y += 24;
    y += put_bad_paths(&body, view, y, &right);

    put_start(svg, right + MAP_MARGIN, y + MAP_MARGIN, host, time);
    ds_put_buffer(svg, body.string, body.length);
    ds_put_cstr(svg, "</svg>\n");
    ds_destroy(&body);
    ds_destroy(&s);
}
