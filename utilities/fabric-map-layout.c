/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-map-layout.h"

#include <stdlib.h>
#include <string.h>

#include "fabric-text.h"
#include "hash.h"
#include "util.h"

/* Up to so many endpoints have a card each; of more, only those that are not
 * well, and not more than so many. */
#define MAX_SINGLE 10
#define MAX_BAD 16

/* Routers farther away are not shown. */
#define MAX_HOPS 12

#define UPLINK_HEIGHT 44.0
#define HOP_HEIGHT 24.0
#define BEND_HEIGHT 10.0
#define CARD_PADDING 8.0
#define CARD_GAP 14.0

/* Nodes. */

static size_t
add_node(struct map_section *section, size_t column, const char *label)
{
    struct map_node *node;

    if (section->n_nodes == section->allocated_nodes) {
        section->nodes = x2nrealloc(section->nodes, &section->allocated_nodes,
                                    sizeof *section->nodes);
    }
    node = &section->nodes[section->n_nodes];
    *node = (struct map_node) {
        .label = label,
        .column = column,
        .worst_rtt_us = VIEW_NONE,
        .worst_loss_ppm = VIEW_NONE,
    };
    return section->n_nodes++;
}

/* Returns the node of this name in 'column', which is made if there is none
 * yet. */
static size_t
find_named(struct map_section *section, size_t column, const char *label,
           char *name)
{
    void *found = shash_find_data(&section->names, name);
    uintptr_t index = (uintptr_t) found;

    if (!index) {
        index = add_node(section, column, label) + 1;
        shash_add(&section->names, name, (void *) index);
        section->n_columns = MAX(section->n_columns, column + 1);
    }
    free(name);
    return index - 1;
}

/* Likewise the node of a local address or router. */
static size_t
find_node(struct map_section *section, size_t column, const char *label)
{
    return find_named(section, column, label,
                      xasprintf("%"PRIuSIZE" %s", column, label));
}

/* Likewise where what comes from the node 'from' passes 'column', between the
 * routers and not behind them. */
static size_t
find_bend(struct map_section *section, size_t column, size_t from)
{
    return find_named(section, column, NULL,
                      xasprintf("%"PRIuSIZE" >%"PRIuSIZE, column, from));
}

static void
count_path(struct map_node *node, const struct view_path *path)
{
    node->states[path->state]++;
    if (fabric_path_state_is_usable(path->state)) {
        node->worst_rtt_us = MAX(node->worst_rtt_us, view_path_rtt_us(path));
        node->worst_loss_ppm = MAX(node->worst_loss_ppm,
                                   path->recent_loss_ppm);
    }
}

static void
add_edge(struct map_section *section, size_t from, size_t to,
         enum fabric_path_state state)
{
    uint32_t hash = hash_2words(from, to);
    struct map_edge *edge;

    HMAP_FOR_EACH_WITH_HASH (edge, node, hash, &section->edges) {
        if (edge->from == from && edge->to == to) {
            edge->states[state]++;
            return;
        }
    }
    edge = xzalloc(sizeof *edge);
    edge->from = from;
    edge->to = to;
    edge->states[state] = 1;
    hmap_insert(&section->edges, &edge->node, hash);
}

/* Returns the router of 'path' at distance 'i', or NULL if it is not known.
 * One that did not answer has no address; nor is the remote host a router. */
static const char *
router_at(const struct view_path *path, size_t i)
{
    const char *hop = (i < view_strings_count(path->hops)
                       ? view_strings_at(path->hops, i) : NULL);

    return (hop && strpbrk(hop, ".:") && strcmp(hop, path->remote_ip)
            ? hop : NULL);
}

/* Returns in which column the farthest router is. */
static size_t
count_hops(const struct view_fabric *f)
{
    size_t max = 0;

    for (size_t i = 0; i < f->n; i++) {
        const struct view_endpoint *ep = &f->endpoints[i];

        for (size_t j = 0; j < ep->n; j++) {
            size_t n = MIN(view_strings_count(ep->paths[j].hops), MAX_HOPS);

            while (n > max && !router_at(&ep->paths[j], n - 1)) {
                n--;
            }
            max = MAX(max, n);
        }
    }
    return max;
}

/* Adds the edges along 'path', which ends at node 'to'. */
static void
add_path(struct map_section *section, const struct view_path *path, size_t to)
{
    size_t from = find_node(section, 0, path->local_ip);
    size_t known = from;        /* Last that is not a bend. */

    count_path(&section->nodes[from], path);
    count_path(&section->nodes[to], path);
    for (size_t i = 0; i < section->n_hops; i++) {
        const char *router = router_at(path, i);
        size_t node = (router ? find_node(section, i + 1, router)
                       : find_bend(section, i + 1, known));

        if (router) {
            count_path(&section->nodes[node], path);
            known = node;
        }
        add_edge(section, from, node, path->state);
        from = node;
    }
    add_edge(section, from, to, path->state);
}

/* Cards. */

static int
compare_endpoints(const void *a, const void *b)
{
    return view_endpoint_compare(*(const struct view_endpoint *const *) a,
                                 *(const struct view_endpoint *const *) b);
}

static size_t
line_of(struct map_section *section, const struct map_card *card,
        const char *remote_ip)
{
    for (size_t i = 0; i < card->n_nodes; i++) {
        const char *label = section->nodes[card->first_node + i].label;

        if (!label || !strcmp(label, remote_ip)) {
            return card->first_node + i;
        }
    }
    return card->first_node;
}

static void
add_card(struct map_section *section,
         const struct view_endpoint *const *endpoints, size_t n)
{
    struct map_card *card;

    if (!n) {
        return;
    }
    if (section->n_cards == section->allocated_cards) {
        section->cards = x2nrealloc(section->cards, &section->allocated_cards,
                                    sizeof *section->cards);
    }
    card = &section->cards[section->n_cards++];
    *card = (struct map_card) {
        .endpoints = endpoints,
        .n = n,
        .severity = view_endpoint_severity(endpoints[0]),
        .first_node = section->n_nodes,
    };
    if (n == 1) {
        for (size_t i = 0;
             i < view_strings_count(endpoints[0]->remote_ips); i++) {
            add_node(section, MAP_CARDS,
                     view_strings_at(endpoints[0]->remote_ips, i));
        }
    }
    if (section->n_nodes == card->first_node) {
        add_node(section, MAP_CARDS, NULL);
    }
    card->n_nodes = section->n_nodes - card->first_node;
    for (size_t i = 0; i < n; i++) {
        const struct view_endpoint *ep = endpoints[i];

        for (size_t j = 0; j < VIEW_N_STATES; j++) {
            card->states[j] += ep->states[j];
        }
        for (size_t j = 0; j < ep->n; j++) {
            add_path(section, &ep->paths[j],
                     line_of(section, card, ep->paths[j].remote_ip));
        }
    }
}

static void
add_cards(struct map_section *section)
{
    const struct view_fabric *f = section->fabric;
    const struct view_endpoint *const *endpoints;
    size_t n_bad = 0;
    size_t n_single;

    section->endpoints = xmalloc((f->n + 1) * sizeof *section->endpoints);
    for (size_t i = 0; i < f->n; i++) {
        section->endpoints[i] = &f->endpoints[i];
        n_bad += view_endpoint_severity(&f->endpoints[i]) > 0;
    }
    qsort(section->endpoints, f->n, sizeof *section->endpoints,
          compare_endpoints);
    endpoints = section->endpoints;

    n_single = f->n <= MAX_SINGLE ? f->n : MIN(n_bad, MAX_BAD);
    for (size_t i = 0; i < n_single; i++) {
        add_card(section, &endpoints[i], 1);
    }
    if (n_single < f->n) {
        if (n_single < n_bad) {
            add_card(section, &endpoints[n_single], n_bad - n_single);
        }
        add_card(section, &endpoints[n_bad], f->n - n_bad);
    }
}

/* Places. */

static double
text_size(const char *s)
{
    return MIN(text_width(s), MAP_NAME_WIDTH) * MAP_CHAR;
}

/* A line of a card: letter, address, "256/256 usable", RTT, loss. */
#define CARD_WIDTH(ADDRESS) ((ADDRESS) + 38 * MAP_CHAR + 2 * CARD_PADDING)

/* A router's: address, "256/256". */
#define HOP_WIDTH(ADDRESS) ((ADDRESS) + 8 * MAP_CHAR)

static void
measure(struct map_section *section)
{
    double address = 10 * MAP_CHAR;

    for (size_t i = 0; i < section->n_nodes; i++) {
        struct map_node *node = &section->nodes[i];

        if (node->column == MAP_CARDS) {
            node->height = MAP_LINE;
            address = MAX(address, node->label ? text_size(node->label) : 0);
        } else if (map_node_is_bend(node)) {
            node->height = BEND_HEIGHT;
        } else {
            double text = text_size(node->label);

            node->height = node->column ? HOP_HEIGHT : UPLINK_HEIGHT;
            node->width = (node->column ? HOP_WIDTH(text)
                           : MAX(text, 22 * MAP_CHAR)) + 16;
        }
    }
    for (size_t i = 0; i < section->n_cards; i++) {
        struct map_card *card = &section->cards[i];

        card->width = CARD_WIDTH(address);
        card->height = (MAP_LINE * (card->n > 1 ? 2 : 1 + card->n_nodes)
                        + 2 * CARD_PADDING);
        if (card->n > 1) {
            card->height += MAP_LINE;
        }
    }
}

/* Nodes of 'column' from the top, for the caller to free. */
static size_t *
list_column(const struct map_section *section, size_t column, size_t *n)
{
    size_t *list = xmalloc((section->n_nodes + 1) * sizeof *list);

    *n = 0;
    for (size_t i = 0; i < section->n_nodes; i++) {
        if (section->nodes[i].column == column) {
            list[(*n)++] = i;
        }
    }
    return list;
}

/* Keeps routers near to what they are joined with on the left: sorts 'list' by
 * the average of where edges come from. */
static void
sort_by_pull(const struct map_section *section, size_t *list, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        for (size_t j = i; j > 0; j--) {
            const struct map_node *a = &section->nodes[list[j - 1]];
            const struct map_node *b = &section->nodes[list[j]];

            if (a->pull * MAX(b->n_pulls, 1) <= b->pull * MAX(a->n_pulls, 1)) {
                break;
            }
            size_t tmp = list[j];
            list[j] = list[j - 1];
            list[j - 1] = tmp;
        }
    }
}

/* Has the nodes of 'column' pull at those that they lead to. */
static void
pull(struct map_section *section, size_t column)
{
    struct map_edge *edge;

    HMAP_FOR_EACH (edge, node, &section->edges) {
        struct map_node *from = &section->nodes[edge->from];
        struct map_node *to = &section->nodes[edge->to];

        if (from->column == column) {
            to->pull += from->y;
            to->n_pulls++;
        }
    }
}

static double
needed_height(const struct map_section *section)
{
    double height = 0;

    for (size_t column = 0; column < section->n_columns; column++) {
        double sum = 0;

        for (size_t i = 0; i < section->n_nodes; i++) {
            if (section->nodes[i].column == column) {
                sum += section->nodes[i].height + (column ? 14 : 24);
            }
        }
        height = MAX(height, sum);
    }

    double cards = 0;
    for (size_t i = 0; i < section->n_cards; i++) {
        cards += section->cards[i].height + CARD_GAP;
    }
    return MAX(MAX(height, cards), 80);
}

static void
place_cards(struct map_section *section, double x)
{
    double used = 0;
    double gap, y;

    for (size_t i = 0; i < section->n_cards; i++) {
        used += section->cards[i].height;
    }
    gap = (section->height - used) / MAX(section->n_cards, 1);
    y = section->y + gap / 2;
    for (size_t i = 0; i < section->n_cards; i++) {
        struct map_card *card = &section->cards[i];

        card->x = x;
        card->y = y;
        for (size_t j = 0; j < card->n_nodes; j++) {
            struct map_node *node = &section->nodes[card->first_node + j];

            node->x = x;
            node->y = y + CARD_PADDING + MAP_LINE * (j + 1.5);
            node->width = card->width;
        }
        y += card->height + gap;
        section->right = MAX(section->right, x + card->width);
    }
}

/* Returns the right end of the column. */
static double
place_column(struct map_section *section, size_t column, double x)
{
    double right = x;
    size_t n;
    size_t *list = list_column(section, column, &n);

    if (column) {
        sort_by_pull(section, list, n);
    }
    for (size_t i = 0; i < n; i++) {
        struct map_node *node = &section->nodes[list[i]];

        node->x = x;
        node->y = section->y + section->height * (i + .5) / n;
        right = MAX(right, x + node->width);
    }
    for (size_t i = 0; i < n; i++) {
        section->nodes[list[i]].width = right - x;
    }
    free(list);
    pull(section, column);
    return right;
}

static void
place(struct map_section *section, const char *host)
{
    double x = MAP_MARGIN;

    section->height = needed_height(section);
    section->host_x = x;
    section->host_width = MAX(text_size(host), 9 * MAP_CHAR) + 20;
    x += section->host_width + 50;
    for (size_t column = 0; column < section->n_columns; column++) {
        x = place_column(section, column, x) + 100;
    }
    place_cards(section, x + (section->n_columns > 1 ? 0 : 120));
}

void
map_section_init(struct map_section *section, const struct view_fabric *f,
                 const char *host, double y)
{
    *section = (struct map_section) { .fabric = f, .y = y };
    shash_init(&section->names);
    hmap_init(&section->edges);
    for (size_t i = 0; i < view_strings_count(f->local_ips); i++) {
        find_node(section, 0, view_strings_at(f->local_ips, i));
    }
    section->n_hops = count_hops(f);
    add_cards(section);
    measure(section);
    place(section, host);
}

void
map_section_destroy(struct map_section *section)
{
    struct map_edge *edge;

    HMAP_FOR_EACH_POP (edge, node, &section->edges) {
        free(edge);
    }
    hmap_destroy(&section->edges);
    shash_destroy(&section->names);
    free(section->nodes);
    free(section->cards);
    free(section->endpoints);
}
