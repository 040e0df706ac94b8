/* SPDX-License-Identifier: Apache-2.0 */

/* "ovs-fabric top" on a terminal, by means of ncurses, which sends only what
 * differs from what is there: nothing flickers.  One thread: what waits for
 * keys wakes up for the next reading. */

#include <config.h>

#include "fabric-top.h"

#include <curses.h>
#include <inttypes.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fabric-switch-view.h"
#include "fatal-signal.h"
#include "fabric-text.h"
#include "openvswitch/dynamic-string.h"
#include "timeval.h"
#include "util.h"

#define MAX_INTERVAL 60000
#define MIN_INTERVAL 100
#define MAX_FILTER 64

#define KEY_ESCAPE 27

struct screen {
    struct top *top;
    size_t selected;            /* Item. */
    size_t first;               /* Topmost item on the screen. */
    size_t rows;                /* Items that fit. */
    size_t left;                /* Columns scrolled out. */
    char *followed;             /* Key of 'selected', once chosen, or NULL. */
    char *return_to;            /* Key of what was opened, or NULL. */
    char typed[MAX_FILTER + 1]; /* Filter being typed. */
    bool typing, help, paused, utf8, leave;
};

static const char *const help_text[] = {
    "  up down PgUp PgDn Home End   choose a line",
    "  left right                   see more columns",
    "  Enter                        show the paths of an endpoint",
    "  Backspace Esc                back to the endpoints",
    "  s S                          sort by the next or previous order",
    "  r                            reverse the order",
    "  b                            only what is not well, or everything",
    "  /                            type a filter; Enter ends, Esc removes it",
    "  + -                          read less or more often",
    "  p                            pause",
    "  q                            quit",
    "",
    "  STATE   U up         every probe of late was answered well",
    "          G degraded   answered, but not well enough; see REASONS",
    "          D down       not answered; left by all connections",
    "          R drained    taken out with fabric/path-drain",
    "          ? unknown    never answered; the peer may not be Weft",
    "          P partly     some of an endpoint's paths are down",
    "          E error      configuration refused",
    "  RTT, LOSS%           of an endpoint: the worst of its usable paths",
    "  THERE BACK           percentage of probes lost each way",
    "  DATA> DATA<          percentage of the workloads' packets lost",
    "  CE> CE<              percentage marked as congested",
    "  SHARE                percentage of the endpoint's connections",
    "  -                    not known",
};

static const attr_t *
style_attributes(void)
{
    static attr_t attributes[GRID_N_STYLES];
    static const short colors[GRID_N_STYLES] = {
        [GRID_GOOD] = COLOR_GREEN,
        [GRID_WARNING] = COLOR_YELLOW,
        [GRID_BAD] = COLOR_RED,
    };

    if (!attributes[GRID_BAD]) {
        attributes[GRID_FAINT] = A_DIM;
        attributes[GRID_BAD] = A_BOLD;
        for (int i = 0; has_colors() && i < GRID_N_STYLES; i++) {
            if (colors[i]) {
                init_pair(i, colors[i], -1);
                attributes[i] |= COLOR_PAIR(i);
            }
        }
    }
    return attributes;
}

/* Writes the part of 's' between columns 'skip' and 'skip' + 'width' where the
 * cursor is.  Returns the number of columns written. */
static size_t
put_clipped(const struct screen *screen, const char *s, size_t skip,
            size_t width)
{
    size_t n = 0;

    for (size_t i = 0; *s && n < width; i++) {
        size_t size = text_char_size(s);

        if (i >= skip) {
            if (!size || (size > 1 && !screen->utf8)) {
                addch('?');
            } else {
                addnstr(s, size);
            }
            n++;
        }
        s += MAX(size, 1);
    }
    return n;
}

static void
put_line(const struct screen *screen, int y, attr_t attributes,
         const char *format, ...)
    OVS_PRINTF_FORMAT(4, 5);

/* Writes a line in these attributes to its end. */
static void
put_line(const struct screen *screen, int y, attr_t attributes,
         const char *format, ...)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    va_list args;

    if (y < 0 || y >= LINES) {
        return;
    }
    va_start(args, format);
    ds_put_format_valist(&s, format, args);
    va_end(args);
    attrset(attributes);
    move(y, 0);
    for (size_t n = put_clipped(screen, ds_cstr(&s), 0, COLS); n < COLS; n++) {
        addch(' ');
    }
    attrset(A_NORMAL);
    ds_destroy(&s);
}

/* Returns how many columns of 'grid' stay when others are scrolled out: those
 * that name the row, within half of the screen. */
static size_t
count_fixed(const struct grid *grid)
{
    size_t width = 0;
    size_t n = 0;

    while (n < grid->n_columns && n < 4) {
        width += grid->widths[n] + 1;
        if (width > COLS / 2) {
            break;
        }
        n++;
    }
    return MAX(n, 1);
}

/* Writes row 'row' of 'grid', its headings if it is SIZE_MAX, with the columns
 * after the fixed ones scrolled by 'left' characters. */
static void
put_row(const struct screen *screen, int y, const struct grid *grid,
        size_t row, size_t left, attr_t extra)
{
    size_t fixed = count_fixed(grid);
    size_t width = 0;

    if (y < 0 || y >= LINES - 2) {
        return;
    }
    move(y, 0);
    for (size_t i = 0; i < grid->n_columns && width < COLS; i++) {
        struct ds s = DS_EMPTY_INITIALIZER;
        size_t size, skip;

        if (row == SIZE_MAX) {
            grid_put_heading(grid, i, &s);
            attrset(A_BOLD | extra);
        } else {
            grid_put_cell(grid, row, i, &s);
            attrset(style_attributes()[grid_style(grid, row, i)] | extra);
        }
        size = text_width(ds_cstr(&s));
        skip = i < fixed ? 0 : MIN(left, size);
        left -= skip;
        width += put_clipped(screen, ds_cstr(&s), skip, COLS - width);
        ds_destroy(&s);
    }
    attrset(extra);
    for (; width < COLS; width++) {
        addch(' ');
    }
    attrset(A_NORMAL);
}

/* Writes the fabrics from line 'y', the first if there is not room for all.
 * Returns the line after. */
static int
put_fabrics(const struct screen *screen, int y)
{
    struct grid grid;
    size_t n, room;

    top_fabrics(screen->top, &grid);
    n = grid_n_rows(&grid);
    room = MAX(LINES / 4, 2);
    put_row(screen, y++, &grid, SIZE_MAX, 0, A_NORMAL);
    for (size_t i = 0; i < MIN(n, room); i++) {
        put_row(screen, y++, &grid, i, 0, A_NORMAL);
    }
    if (n > room) {
        put_line(screen, y++, A_DIM, "and %"PRIuSIZE" more fabrics", n - room);
    }
    grid_destroy(&grid);
    return y;
}

static void
put_items(struct screen *screen, int y)
{
    struct top *top = screen->top;
    struct grid grid;

    screen->rows = MAX(LINES - 3 - y, 1);
    screen->selected = MIN(screen->selected, MAX(top->n_items, 1) - 1);
    if (screen->selected < screen->first) {
        screen->first = screen->selected;
    } else if (screen->selected >= screen->first + screen->rows) {
        screen->first = screen->selected - screen->rows + 1;
    }
    if (screen->first + screen->rows > top->n_items) {
        screen->first = (top->n_items > screen->rows
                         ? top->n_items - screen->rows : 0);
    }
    top_items(top, screen->first, screen->rows, &grid);
    put_row(screen, y++, &grid, SIZE_MAX, screen->left, A_UNDERLINE);
    for (size_t i = 0; i < grid_n_rows(&grid); i++) {
        bool selected = screen->first + i == screen->selected;

        put_row(screen, y++, &grid, i, screen->left,
                selected ? A_REVERSE : A_NORMAL);
    }
    if (!top->n_items && top->view) {
        put_line(screen, y, A_DIM, "%s", (top->filter || top->bad_only
                                          ? "(none of this kind)" : "(none)"));
    }
    grid_destroy(&grid);
}

/* Writes what is known of the chosen item and long. */
static void
put_detail(const struct screen *screen)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    if (screen->selected < screen->top->n_items) {
        top_put_detail(screen->top, screen->selected, &s);
    }
    put_line(screen, LINES - 2, A_BOLD, "%s", ds_cstr(&s));
    ds_destroy(&s);
}

static void
draw(struct screen *screen)
{
    struct top *top = screen->top;
    struct ds title = DS_EMPTY_INITIALIZER;
    int y = 1;

    erase();
    top_put_title(top, &title);
    put_line(screen, 0, A_REVERSE, "%s%s", ds_cstr(&title),
             screen->paused ? ", paused" : "");
    ds_destroy(&title);
    if (screen->help) {
        for (size_t i = 0; i < ARRAY_SIZE(help_text); i++) {
            put_line(screen, y++, A_NORMAL, "%s", help_text[i]);
        }
        put_line(screen, LINES - 1, A_REVERSE, "any key goes on");
    } else {
        if (top->error) {
            put_line(screen, y++, style_attributes()[GRID_BAD], "%s%s",
                     top->error, top->view ? " (what follows is old)" : "");
        }
        y = put_fabrics(screen, y);
        put_items(screen, y + 1);
        put_detail(screen);
        if (screen->typing) {
            put_line(screen, LINES - 1, A_NORMAL, "filter: %s_",
                     screen->typed);
        } else {
            put_line(screen, LINES - 1, A_REVERSE, "%s  s sort  r reverse  "
                     "b bad only  / filter  +- every %g s  p pause  ? help  "
                     "q quit", top->opened ? "Esc back" : "Enter paths",
                     top->interval / 1000.);
        }
    }
    refresh();
}

/* Following what was chosen while the order changes. */

static char *
item_key(const struct top *top, size_t index)
{
    const struct view_path *path;

    if (!top->opened) {
        return top_item_name(top, index);
    }
    path = top->items[index];
    return xasprintf("%s %s %"PRId64, path->local_ip, path->remote_ip,
                     path->src_port);
}

static void
follow(struct screen *screen)
{
    free(screen->followed);
    screen->followed = (screen->selected < screen->top->n_items
                        ? item_key(screen->top, screen->selected) : NULL);
}

static void
find_followed(struct screen *screen)
{
    for (size_t i = 0; screen->followed && i < screen->top->n_items; i++) {
        char *key = item_key(screen->top, i);
        bool found = !strcmp(key, screen->followed);

        free(key);
        if (found) {
            screen->selected = i;
            break;
        }
    }
}

static void
read_again(struct screen *screen)
{
    top_read(screen->top);
    find_followed(screen);
}

static void
select_again(struct screen *screen)
{
    top_select(screen->top);
    find_followed(screen);
}

/* Keys. */

static void
go_to(struct screen *screen, long int selected)
{
    long int last = (long int) screen->top->n_items - 1;

    screen->selected = MAX(MIN(selected, last), 0);
    follow(screen);
}

static void
open_selected(struct screen *screen)
{
    struct top *top = screen->top;

    if (!top->opened && screen->selected < top->n_items) {
        follow(screen);
        screen->return_to = screen->followed;
        screen->followed = NULL;
        top->opened = top_item_name(top, screen->selected);
        free(top->filter);
        top->filter = NULL;
        top->bad_only = false;
        screen->selected = screen->first = screen->left = 0;
        read_again(screen);
    }
}

static void
close_opened(struct screen *screen)
{
    struct top *top = screen->top;

    if (top->opened) {
        free(top->opened);
        top->opened = NULL;
        free(screen->followed);
        screen->followed = screen->return_to;
        screen->return_to = NULL;
        screen->selected = screen->first = screen->left = 0;
        read_again(screen);
    }
}

static void
set_filter(struct screen *screen, const char *filter)
{
    free(screen->top->filter);
    screen->top->filter = *filter ? xstrdup(filter) : NULL;
    select_again(screen);
}

static void
type(struct screen *screen, int key)
{
    size_t n = strlen(screen->typed);

    if (key == '\n' || key == '\r' || key == KEY_ENTER) {
        screen->typing = false;
    } else if (key == KEY_ESCAPE) {
        screen->typing = false;
        screen->typed[0] = '\0';
    } else if (key == KEY_BACKSPACE || key == 127 || key == '\b') {
        screen->typed[n ? n - 1 : 0] = '\0';
    } else if (key >= ' ' && key < 127 && n < MAX_FILTER) {
        screen->typed[n] = key;
        screen->typed[n + 1] = '\0';
    }
    set_filter(screen, screen->typed);
}

static void
change_interval(struct top *top, bool longer)
{
    long long int interval = longer ? top->interval * 2 : top->interval / 2;

    top->interval = MAX(MIN(interval, MAX_INTERVAL), MIN_INTERVAL);
    top->next = MIN(top->next, time_msec() + top->interval);
}

static void
change_sort(struct screen *screen, int step)
{
    struct top *top = screen->top;

    top->sort = (top->sort + TOP_N_SORTS + step) % TOP_N_SORTS;
    select_again(screen);
}

static void
press(struct screen *screen, int key)
{
    struct top *top = screen->top;

    switch (key) {
    case 'q': screen->leave = true; break;
    case '?':
    case 'h': screen->help = true; break;
    case KEY_UP:
    case 'k': go_to(screen, screen->selected - 1l); break;
    case KEY_DOWN:
    case 'j': go_to(screen, screen->selected + 1l); break;
    case KEY_PPAGE: go_to(screen, screen->selected - (long) screen->rows);
        break;
    case KEY_NPAGE: go_to(screen, screen->selected + screen->rows); break;
    case KEY_HOME: go_to(screen, 0); break;
    case KEY_END: go_to(screen, top->n_items); break;
    case KEY_LEFT: screen->left -= MIN(screen->left, 8); break;
    case KEY_RIGHT: screen->left = MIN(screen->left + 8, 400); break;
    case '\n':
    case '\r':
    case KEY_ENTER: open_selected(screen); break;
    case KEY_ESCAPE:
    case KEY_BACKSPACE:
    case 127:
    case '\b': close_opened(screen); break;
    case 's': change_sort(screen, 1); break;
    case 'S': change_sort(screen, -1); break;
    case 'r': top->reverse = !top->reverse; select_again(screen); break;
    case 'b': top->bad_only = !top->bad_only; select_again(screen); break;
    case '/':
        screen->typing = true;
        ovs_strlcpy(screen->typed, top->filter ? top->filter : "",
                    sizeof screen->typed);
        break;
    case '+': change_interval(top, true); break;
    case '-': change_interval(top, false); break;
    case 'p': screen->paused = !screen->paused; break;
    }
}

static void
run(struct screen *screen)
{
    while (!screen->leave) {
        long long int wait = screen->top->next - time_msec();
        int key;

        draw(screen);
        timeout(screen->paused ? 500 : MAX(MIN(wait, 500), 0));
        key = getch();
        fatal_signal_run();
        if (key == KEY_RESIZE) {
            /* ncurses knows already. */
        } else if (key != ERR && screen->help) {
            screen->help = false;
        } else if (key != ERR && screen->typing) {
            type(screen, key);
        } else if (key != ERR) {
            press(screen, key);
        }
        if (!screen->paused && time_msec() >= screen->top->next) {
            read_again(screen);
        }
    }
}

/* Gives the terminal back, also when killed. */
static void
restore_terminal(void *aux OVS_UNUSED)
{
    if (!isendwin()) {
        endwin();
    }
}

char *
top_screen(struct top *top)
{
    struct screen screen = { .top = top };
    SCREEN *terminal;

    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        return xstrdup("not on a terminal: use --once or --batch");
    }
    setlocale(LC_CTYPE, "");
    screen.utf8 = MB_CUR_MAX > 1;
    terminal = newterm(NULL, stdout, stdin);
    if (!terminal) {
        return xasprintf("cannot show anything on a terminal of type \"%s\": "
                         "use --once or --batch",
                         getenv("TERM") ? getenv("TERM") : "");
    }
    fatal_signal_add_hook(restore_terminal, NULL, NULL, true);
    set_escdelay(25);
    cbreak();
    noecho();
    nonl();
    keypad(stdscr, true);
    curs_set(0);
    if (has_colors()) {
        start_color();
        use_default_colors();
    }
    run(&screen);
    endwin();
    free(screen.followed);
    free(screen.return_to);
    return NULL;
}
