/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-grid.h"

#include <stdlib.h>

#include "fabric-text.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

void
grid_init(struct grid *grid, const struct grid_column *columns,
          size_t n_columns)
{
    *grid = (struct grid) { .columns = columns, .n_columns = n_columns };
    grid->widths = xmalloc(n_columns * sizeof *grid->widths);
    for (size_t i = 0; i < n_columns; i++) {
        grid->widths[i] = MAX(columns[i].min_width,
                              text_width(columns[i].heading));
    }
}

void
grid_destroy(struct grid *grid)
{
    for (size_t i = 0; i < grid->n_cells; i++) {
        free(grid->cells[i].text);
    }
    free(grid->cells);
    free(grid->widths);
}

void
grid_add(struct grid *grid, enum grid_style style, struct ds *text)
{
    size_t column = grid->n_cells % grid->n_columns;
    struct grid_cell *cell;

    if (grid->n_cells == grid->allocated) {
        grid->cells = x2nrealloc(grid->cells, &grid->allocated,
                                 sizeof *grid->cells);
    }
    cell = &grid->cells[grid->n_cells++];
    cell->style = style;
    cell->text = ds_steal_cstr(text);
    grid->widths[column] = MAX(grid->widths[column], text_width(cell->text));
}

size_t
grid_n_rows(const struct grid *grid)
{
    return grid->n_cells / grid->n_columns;
}

static const struct grid_cell *
cell_at(const struct grid *grid, size_t row, size_t column)
{
    return &grid->cells[row * grid->n_columns + column];
}

static void
put_padded(const struct grid *grid, size_t column, const char *text,
           struct ds *s)
{
    size_t padding = grid->widths[column] - text_width(text);

    if (column) {
        ds_put_char(s, ' ');
    }
    if (grid->columns[column].right) {
        ds_put_char_multiple(s, ' ', padding);
    }
    ds_put_cstr(s, text);
    if (!grid->columns[column].right && column + 1 < grid->n_columns) {
        ds_put_char_multiple(s, ' ', padding);
    }
}

void
grid_put_heading(const struct grid *grid, size_t column, struct ds *s)
{
    put_padded(grid, column, grid->columns[column].heading, s);
}

void
grid_put_cell(const struct grid *grid, size_t row, size_t column,
              struct ds *s)
{
    put_padded(grid, column, cell_at(grid, row, column)->text, s);
}

enum grid_style
grid_style(const struct grid *grid, size_t row, size_t column)
{
    return cell_at(grid, row, column)->style;
}

void
grid_format(const struct grid *grid, struct ds *s)
{
    for (size_t column = 0; column < grid->n_columns; column++) {
        grid_put_heading(grid, column, s);
    }
    ds_put_char(s, '\n');
    for (size_t row = 0; row < grid_n_rows(grid); row++) {
        for (size_t column = 0; column < grid->n_columns; column++) {
            grid_put_cell(grid, row, column, s);
        }
        ds_put_char(s, '\n');
    }
}
