/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_REPLY_H
#define FABRIC_REPLY_H 1

/* What ovs-appctl commands reply: JSON, and text made from it.
 * ============================================================
 *
 * Each command makes a JSON value, which is the reply if JSON was asked for
 * and otherwise what the text is made from, so that both tell the same.
 *
 * Thread-safety: main thread only. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "compiler.h"

struct ds;
struct in6_addr;
struct json;
struct unixctl_conn;

/* One column of a table: member of the JSON objects and its heading, with the
 * unit. */
struct reply_column {
    const char *member;
    const char *heading;
};

bool reply_wants_json(struct unixctl_conn *);

/* Replies with 'rows', an array of objects, and destroys it. */
void reply_table(struct unixctl_conn *, struct json *rows,
                 const struct reply_column columns[], size_t n_columns);
void reply_error(struct unixctl_conn *, const char *format, ...)
    OVS_PRINTF_FORMAT(2, 3);

/* Appends a line, where 'format' may refer to members of 'object' as
 * {MEMBER}. */
void reply_put_line(struct ds *, const struct json *object,
                    const char *format);

/* Addresses as strings, IPv4-mapped ones as IPv4. */
struct json *reply_ip(const struct in6_addr *);
struct json *reply_ips(const struct in6_addr *, size_t n);

/* Likewise, addresses of routers; "*" for one that is not known. */
struct json *reply_hops(const struct in6_addr *, size_t n);

void reply_put_integer(struct json *object, const char *member, int64_t);

/* Returns NULL if 'object' has no such member. */
const struct json *reply_member(const struct json *object, const char *name);

#endif /* fabric-reply.h */
