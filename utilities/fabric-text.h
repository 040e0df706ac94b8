/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_TEXT_H
#define FABRIC_TEXT_H 1

/* Numbers and names as a person reads them.
 * =========================================
 *
 * A number is a few characters with its unit, "-" if it is VIEW_NONE.  What
 * comes from the configuration may be any bytes, and is shown such that it can
 * neither move a terminal's cursor nor a column. */

#include <stddef.h>
#include <stdint.h>

#include "fabric-types.h"

struct ds;
struct json;

/* 950, 12.3k, 4.56M. */
void text_put_count(struct ds *, int64_t);

/* 850us, 1.25ms, 3.2s. */
void text_put_us(struct ds *, int64_t us);

/* Parts of a million as percentage: 0, 0.02, 1.5, 100. */
void text_put_percent(struct ds *, int64_t ppm);

/* 350ms, 12s, 5m02s, 3h10m, 8d. */
void text_put_age(struct ds *, int64_t ms);

/* Appends 's' with '?' for what is not printable, and at most 'max_width'
 * characters, of which there is at least one: a '~' stands for others. */
void text_put_name(struct ds *, const char *s, size_t max_width);

/* Appends strings with 'separator' between them, "-" if there is none. */
void text_put_strings(struct ds *, const struct json *,
                      const char *separator);

/* Number of characters in 's' as text_put_name() leaves it. */
size_t text_width(const char *s);

/* Bytes of the character at 's' if it is printable, otherwise 0. */
size_t text_char_size(const char *s);

/* A letter for 'state'. */
char text_state_letter(enum fabric_path_state);

#endif /* fabric-text.h */
