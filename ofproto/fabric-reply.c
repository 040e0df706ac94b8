/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-reply.h"

#include <netinet/in.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "packets.h"
#include "table.h"
#include "unixctl.h"
#include "util.h"

/* Appends 'value' as text, or "-" if there is none. */
static void
put_value(struct ds *s, const struct json *value)
{
    if (!value) {
        ds_put_char(s, '-');
    } else if (value->type == JSON_STRING) {
        ds_put_cstr(s, json_string(value));
    } else if (value->type == JSON_ARRAY) {
        for (size_t i = 0; i < json_array_size(value); i++) {
            ds_put_cstr(s, i ? "," : "");
            put_value(s, json_array_at(value, i));
        }
    } else {
        json_to_ds(value, 0, s);
    }
}

const struct json *
reply_member(const struct json *object, const char *name)
{
    return shash_find_data(json_object(object), name);
}

/* Formats 'rows', an array of objects. */
static void
format_table(const struct json *rows, const struct reply_column columns[],
             size_t n_columns, struct ds *s)
{
    struct table_style style = TABLE_STYLE_DEFAULT;
    struct table table;

    table_init(&table);
    for (size_t i = 0; i < n_columns; i++) {
        table_add_column(&table, "%s", columns[i].heading);
    }
    for (size_t i = 0; i < json_array_size(rows); i++) {
        table_add_row(&table);
        for (size_t j = 0; j < n_columns; j++) {
            struct ds text = DS_EMPTY_INITIALIZER;

            put_value(&text, reply_member(json_array_at(rows, i),
                                        columns[j].member));
            table_add_cell(&table)->text = ds_steal_cstr(&text);
        }
    }
    style.format = TF_TABLE;
    table_format_reset();
    table_format(&table, &style, s);
    table_destroy(&table);
}

bool
reply_wants_json(struct unixctl_conn *conn)
{
    return (unixctl_command_get_output_format(conn)
            == UNIXCTL_OUTPUT_FMT_JSON);
}

/* Replies with 'rows' and destroys it. */
void
reply_table(struct unixctl_conn *conn, struct json *rows,
            const struct reply_column columns[], size_t n_columns)
{
    if (reply_wants_json(conn)) {
        unixctl_command_reply_json(conn, rows);
    } else {
        struct ds s = DS_EMPTY_INITIALIZER;

        format_table(rows, columns, n_columns, &s);
        unixctl_command_reply(conn, ds_cstr(&s));
        ds_destroy(&s);
        json_destroy(rows);
    }
}

void
reply_error(struct unixctl_conn *conn, const char *format, ...)
{
    va_list args;
    char *s;

    va_start(args, format);
    s = xvasprintf(format, args);
    va_end(args);
    unixctl_command_reply_error(conn, s);
    free(s);
}

struct json *
reply_ip(const struct in6_addr *ip)
{
    char buf[INET6_ADDRSTRLEN];

    return json_string_create(ipv6_string_mapped(buf, ip));
}

struct json *
reply_ips(const struct in6_addr *ips, size_t n)
{
    struct json *array = json_array_create_empty();

    for (size_t i = 0; i < n; i++) {
        json_array_add(array, reply_ip(&ips[i]));
    }
    return array;
}

struct json *
reply_hops(const struct in6_addr *ips, size_t n)
{
    struct json *array = json_array_create_empty();

    for (size_t i = 0; i < n; i++) {
        json_array_add(array, (ipv6_is_zero(&ips[i])
                               ? json_string_create("*")
                               : reply_ip(&ips[i])));
    }
    return array;
}

void
reply_put_integer(struct json *object, const char *member, int64_t value)
{
    json_object_put(object, member, json_integer_create(value));
}

/* Appends "TITLE: VALUES", where 'format' may refer to members of 'object' as
 * {MEMBER}. */
void
reply_put_line(struct ds *s, const struct json *object, const char *format)
{
    ds_put_cstr(s, "    ");
    while (*format) {
        size_t n = strcspn(format, "{");

        ds_put_buffer(s, format, n);
        format += n;
        if (*format == '{') {
            char *member = xmemdup0(format + 1, strcspn(format, "}") - 1);

            put_value(s, reply_member(object, member));
            format += strlen(member) + 2;
            free(member);
        }
    }
    ds_put_char(s, '\n');
}
