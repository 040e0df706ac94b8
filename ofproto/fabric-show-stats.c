/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-show.h"

#include "fabric-drops.h"
#include "fabric-kern-count.h"
#include "fabric-reply.h"
#include "openvswitch/json.h"
#include "unixctl.h"
#include "util.h"

/* fabric/stats. */

static void
cmd_stats(struct unixctl_conn *conn, int argc OVS_UNUSED,
          const char *argv[] OVS_UNUSED, void *aux OVS_UNUSED)
{
    static const struct reply_column columns[] = {
        { "drop", "drop" },
        { "packets", "packets" },
        { "meaning", "meaning" },
    };
    struct json *drops = json_array_create_empty();

    for (enum fabric_drop drop = 0; drop < FABRIC_N_DROPS; drop++) {
        struct json *object = json_object_create();

        json_object_put_string(object, "drop", fabric_drop_name(drop));
        reply_put_integer(object, "packets", fabric_drop_get(drop));
        json_object_put_string(object, "meaning", fabric_drop_help(drop));
        json_array_add(drops, object);
    }
    reply_table(conn, drops, columns, ARRAY_SIZE(columns));
}

/* fabric/handed-on. */

static void
cmd_handed_on(struct unixctl_conn *conn, int argc OVS_UNUSED,
              const char *argv[] OVS_UNUSED, void *aux OVS_UNUSED)
{
    static const struct reply_column columns[] = {
        { "reason", "reason" },
        { "packets", "packets" },
        { "meaning", "meaning" },
    };
    struct json *reasons = json_array_create_empty();
    struct fabric_kern_handed_on h;

    for (size_t i = 0; fabric_kern_get_handed_on(i, &h); i++) {
        struct json *object = json_object_create();

        json_object_put_string(object, "reason", h.name);
        reply_put_integer(object, "packets", h.n_packets);
        json_object_put_string(object, "meaning", h.help);
        json_array_add(reasons, object);
    }
    reply_table(conn, reasons, columns, ARRAY_SIZE(columns));
}

void
fabric_show_stats_init(void)
{
    unixctl_command_register("fabric/stats", "", 0, 0, cmd_stats, NULL);
    unixctl_command_register("fabric/handed-on", "", 0, 0, cmd_handed_on,
                             NULL);
}
