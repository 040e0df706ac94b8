/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_TOP_H
#define FABRIC_TOP_H 1

/* What "ovs-fabric top" shows.
 * ============================
 *
 * Either the endpoints or, if one is opened, its paths: chosen by a filter,
 * sorted, as rows of a grid.  fabric-top-screen.c shows it on a terminal. */

#include <stdbool.h>
#include <stddef.h>

#include "fabric-grid.h"

struct ds;
struct view;

/* Orders: (enumerator, name, what it is). */
#define TOP_SORTS                                                       \
    TOP_SORT(HEALTH, "health", "what is not well first")                \
    TOP_SORT(NAME, "name", "by name or address")                        \
    TOP_SORT(RTT, "rtt", "longest RTT first")                           \
    TOP_SORT(LOSS, "loss", "highest loss first")                        \
    TOP_SORT(TX, "tx", "most bytes sent first")                         \
    TOP_SORT(RX, "rx", "most bytes received first")

enum top_sort {
#define TOP_SORT(ENUM, NAME, HELP) TOP_SORT_##ENUM,
    TOP_SORTS
#undef TOP_SORT
    TOP_N_SORTS
};

struct top {
    /* Settings. */
    const char *target;
    long long int interval;     /* ms. */
    enum top_sort sort;
    bool reverse;
    bool bad_only;              /* Leave out what is well. */
    char *filter;               /* Or NULL. */
    char *opened;               /* FABRIC/NAME whose paths are shown, NULL. */

    /* What there is. */
    struct view *view;          /* Or NULL. */
    char *error;                /* Why the last reading failed, or NULL. */
    long long int next;         /* When to read again, time_msec(). */

    /* What is shown of it: elements of 'view'. */
    const void **items;
    size_t n_items;
};

void top_init(struct top *);
void top_destroy(struct top *);

/* Reads a view and computes rates since the last one. */
void top_read(struct top *);

/* Chooses the items after a change of view or settings. */
void top_select(struct top *);

/* Names of orders.  Returns false if there is none of that name. */
const char *top_sort_to_string(enum top_sort);
bool top_sort_from_string(const char *, enum top_sort *);

/* What is shown, in a line. */
void top_put_title(const struct top *, struct ds *);

/* Makes a grid of the fabrics. */
void top_fabrics(const struct top *, struct grid *);

/* Makes a grid of items 'first' to 'first' + 'n' - 1. */
void top_items(const struct top *, size_t first, size_t n, struct grid *);

/* Appends in a line what has no column or may be in one far right. */
void top_put_detail(const struct top *, size_t index, struct ds *);

/* Name of an endpoint, as for 'opened'. */
char *top_item_name(const struct top *, size_t index);

/* Opens the endpoint that 's' names, FABRIC/NAME or NAME.  Returns NULL or an
 * error for the caller to free. */
char *top_open(struct top *, const char *s);

/* Prints 'count' times what there is, as text.  Returns an error for the
 * caller to free, or NULL. */
char *top_batch(struct top *, unsigned int count);

/* Shows it on the terminal until the user leaves.  Likewise. */
char *top_screen(struct top *);

#endif /* fabric-top.h */
