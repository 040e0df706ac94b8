/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-text.h"

#include <inttypes.h>
#include <stdbool.h>

#include "fabric-switch-view.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

/* Appends 'n' with three significant digits. */
static void
put_three(struct ds *s, double n, const char *unit)
{
    ds_put_format(s, "%.*f%s", n < 9.995 ? 2 : n < 99.95 ? 1 : 0, n, unit);
}

void
text_put_count(struct ds *s, int64_t n)
{
    static const char *const units[] = { "k", "M", "G", "T", "P", "E" };
    double scaled = n / 1e3;
    size_t i = 0;

    if (n == VIEW_NONE) {
        ds_put_char(s, '-');
        return;
    } else if (n < 1000) {
        ds_put_format(s, "%"PRId64, n);
        return;
    }
    while (scaled >= 999.5 && i + 1 < ARRAY_SIZE(units)) {
        scaled /= 1e3;
        i++;
    }
    put_three(s, scaled, units[i]);
}

void
text_put_us(struct ds *s, int64_t us)
{
    if (us == VIEW_NONE) {
        ds_put_char(s, '-');
    } else if (us < 1000) {
        ds_put_format(s, "%"PRId64"us", us);
    } else if (us < 999500) {
        put_three(s, us / 1e3, "ms");
    } else {
        put_three(s, us / 1e6, "s");
    }
}

void
text_put_percent(struct ds *s, int64_t ppm)
{
    double percent = ppm / 1e4;

    if (ppm == VIEW_NONE) {
        ds_put_char(s, '-');
    } else if (!ppm) {
        ds_put_char(s, '0');
    } else if (percent < .01) {
        ds_put_cstr(s, "<0.01");
    } else {
        ds_put_format(s, "%.*f", percent < 9.995 ? 2 : percent < 99.95 ? 1 : 0,
                      percent);
    }
}

void
text_put_age(struct ds *s, int64_t ms)
{
    int64_t seconds = ms / 1000;

    if (ms == VIEW_NONE) {
        ds_put_char(s, '-');
    } else if (ms < 1000) {
        ds_put_format(s, "%"PRId64"ms", ms);
    } else if (seconds < 60) {
        ds_put_format(s, "%"PRId64"s", seconds);
    } else if (seconds < 3600) {
        ds_put_format(s, "%"PRId64"m%02"PRId64"s", seconds / 60, seconds % 60);
    } else if (seconds < 2 * 86400) {
        ds_put_format(s, "%"PRId64"h%02"PRId64"m", seconds / 3600,
                      seconds / 60 % 60);
    } else {
        ds_put_format(s, "%"PRId64"d", seconds / 86400);
    }
}

/* Well-formed UTF-8 (RFC 3629), control characters left out: C0, DEL, C1, and
 * those that change the direction of text or have no width. */
size_t
text_char_size(const char *s_)
{
    const unsigned char *s = (const unsigned char *) s_;
    uint32_t c;
    size_t n;

    if (s[0] < 0x80) {
        return s[0] >= 0x20 && s[0] != 0x7f;
    } else if (s[0] >= 0xc2 && s[0] <= 0xdf) {
        c = s[0] & 0x1f;
        n = 2;
    } else if (s[0] >= 0xe0 && s[0] <= 0xef) {
        c = s[0] & 0x0f;
        n = 3;
    } else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
        c = s[0] & 0x07;
        n = 4;
    } else {
        return 0;
    }
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return 0;
        }
        c = c << 6 | (s[i] & 0x3f);
    }
    if ((n == 3 && c < 0x800) || (n == 4 && (c < 0x10000 || c > 0x10ffff))
        || (c >= 0xd800 && c <= 0xdfff) || c < 0xa0
        || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e)
        || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff
        || (c & 0xfffe) == 0xfffe) {
        return 0;
    }
    return n;
}

size_t
text_width(const char *s)
{
    size_t width = 0;

    while (*s) {
        s += MAX(text_char_size(s), 1);
        width++;
    }
    return width;
}

/* The end of a name tells hosts apart as often as its beginning: what is left
 * out is in the middle. */
void
text_put_name(struct ds *s, const char *name, size_t max_width)
{
    size_t width = text_width(name);
    size_t left_out = width > max_width ? width - max_width + 1 : 0;
    size_t start = left_out ? (max_width - 1) / 2 : width;

    for (size_t i = 0; *name; i++) {
        size_t n = text_char_size(name);

        if (i < start || i >= start + left_out) {
            if (n) {
                ds_put_buffer(s, name, n);
            } else {
                ds_put_char(s, '?');
            }
        } else if (i == start) {
            ds_put_char(s, '~');
        }
        name += MAX(n, 1);
    }
}

void
text_put_strings(struct ds *s, const struct json *strings,
                 const char *separator)
{
    for (size_t i = 0; i < view_strings_count(strings); i++) {
        ds_put_cstr(s, i ? separator : "");
        text_put_name(s, view_strings_at(strings, i), SIZE_MAX);
    }
    if (!view_strings_count(strings)) {
        ds_put_char(s, '-');
    }
}

char
text_state_letter(enum fabric_path_state state)
{
    switch (state) {
    case FABRIC_PATH_UP: return 'U';
    case FABRIC_PATH_DEGRADED: return 'G';
    case FABRIC_PATH_DOWN: return 'D';
    case FABRIC_PATH_DRAINED: return 'R';
    case FABRIC_PATH_UNKNOWN:
    default: return '?';
    }
}
