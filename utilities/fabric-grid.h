/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_GRID_H
#define FABRIC_GRID_H 1

/* Text in columns, for a terminal or a script.
 * ============================================
 *
 * Rows of cells, each with a style that a terminal shows as colour.  Nothing
 * is told by colour alone.  One thread. */

#include <stdbool.h>
#include <stddef.h>

struct ds;

enum grid_style {
    GRID_PLAIN,
    GRID_FAINT,
    GRID_GOOD,
    GRID_WARNING,
    GRID_BAD,
    GRID_N_STYLES
};

struct grid_column {
    const char *heading;
    bool right;                 /* Aligned to the right. */
    size_t min_width;           /* Keeps columns in place as values change. */
};

struct grid_cell {
    enum grid_style style;
    char *text;
};

struct grid {
    const struct grid_column *columns;
    size_t n_columns;
    size_t *widths;             /* Of columns. */
    struct grid_cell *cells;    /* Row by row. */
    size_t n_cells, allocated;
};

void grid_init(struct grid *, const struct grid_column *, size_t n_columns);
void grid_destroy(struct grid *);

/* Appends a cell, in the next row once all columns have one, and empties
 * 'text'. */
void grid_add(struct grid *, enum grid_style, struct ds *text);

size_t grid_n_rows(const struct grid *);

/* Appends the headings, or a row's cell, padded to the column's width, with a
 * blank before unless it is the first. */
void grid_put_heading(const struct grid *, size_t column, struct ds *);
void grid_put_cell(const struct grid *, size_t row, size_t column,
                   struct ds *);
enum grid_style grid_style(const struct grid *, size_t row, size_t column);

/* Appends the whole grid as plain text. */
void grid_format(const struct grid *, struct ds *);

#endif /* fabric-grid.h */
