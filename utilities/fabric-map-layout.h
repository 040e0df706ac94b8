/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_MAP_LAYOUT_H
#define FABRIC_MAP_LAYOUT_H 1

/* What is on the map of one fabric, and where.
 * ============================================
 *
 * Nodes stand in columns from left to right: this host's addresses, routers by
 * their distance, addresses of remote hosts.  The latter are lines of cards;
 * endpoints that are well share a card when there are many.  Edges lead from
 * a column to one further right and count the paths along them by state. */

#include <stdbool.h>
#include <stddef.h>

#include "fabric-switch-view.h"
#include "openvswitch/hmap.h"
#include "openvswitch/shash.h"

/* Text is in a font whose characters are all as wide. */
#define MAP_FONT 12.0
#define MAP_CHAR (MAP_FONT * .605)
#define MAP_NAME_WIDTH 40       /* Characters of a name. */
#define MAP_MARGIN 24.0
#define MAP_LINE 18.0           /* Height of a line of text. */

struct map_node {
    const char *label;          /* Address, or NULL for a group's, and where
                                 * lines pass a column without a router. */
    size_t column;
    double x, y;                /* Left edge, middle. */
    double width, height;
    double pull;                /* Sum of where edges come from. */
    size_t n_pulls;
    int64_t states[VIEW_N_STATES]; /* Paths through it. */
    int64_t worst_rtt_us, worst_loss_ppm;
};

struct map_edge {
    struct hmap_node node;      /* In map_section's 'edges'. */
    size_t from, to;            /* Nodes. */
    int64_t states[VIEW_N_STATES]; /* Paths along it. */
};

struct map_card {
    const struct view_endpoint *const *endpoints;
    size_t n;                   /* More than one for a group. */
    int severity;               /* Of the worst. */
    size_t first_node, n_nodes; /* Its lines. */
    double x, y, width, height; /* Top left corner. */
    int64_t states[VIEW_N_STATES];
};

struct map_section {
    const struct view_fabric *fabric;
    const struct view_endpoint **endpoints; /* The worst first. */

    struct map_node *nodes;
    size_t n_nodes, allocated_nodes;
    struct shash names;         /* Of nodes, "COLUMN LABEL", to index + 1. */
    struct hmap edges;          /* Contains "struct map_edge"s. */
    struct map_card *cards;
    size_t n_cards, allocated_cards;

    size_t n_hops;              /* Of the path with the most routers. */
    size_t n_columns;
    double host_x, host_width;  /* The box of this host. */
    double y, height;           /* Where the nodes are. */
    double right;               /* Right end. */
};

/* The column of cards, whatever the number of columns. */
#define MAP_CARDS SIZE_MAX

/* Whether 'node' is where lines pass a column, and is not drawn. */
static inline bool
map_node_is_bend(const struct map_node *node)
{
    return !node->label && node->column != MAP_CARDS;
}

/* Lays out 'fabric' of this 'host' below 'y'. */
void map_section_init(struct map_section *, const struct view_fabric *,
                      const char *host, double y);
void map_section_destroy(struct map_section *);

#endif /* fabric-map-layout.h */
