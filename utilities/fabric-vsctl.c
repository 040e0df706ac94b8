/* SPDX-License-Identifier: Apache-2.0 */

/* A command that adds a row fills it in as the operator says and then checks
 * it (fabric-vsctl-check.h), so that most mistakes end here and no transaction
 * is made.  What only ovs-vswitchd can know, such as which addresses the host
 * has, is reported afterwards from the status. */

#include <config.h>

#include "fabric-hooks.h"

#include <limits.h>

#include "db-ctl-base.h"
#include "fabric-types.h"
#include "fabric-vsctl-check.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/shash.h"
#include "ovsdb-idl.h"
#include "smap.h"
#include "sset.h"
#include "util.h"
#include "uuid.h"
#include "vswitch-idl.h"

/* Names of what was added: FABRIC or FABRIC/ENDPOINT. */
static struct sset added = SSET_INITIALIZER(&added);

/* Records of our tables, by name or UUID, that general commands change. */
static struct sset changed = SSET_INITIALIZER(&changed);

static bool
has_option(const struct ctl_context *ctx, const char *option)
{
    return shash_find(&ctx->options, option) != NULL;
}

/* Finding rows. */

static const struct ovsrec_bridge *
find_bridge(const struct ctl_context *ctx, const char *name)
{
    const struct ovsrec_bridge *bridge;

    OVSREC_BRIDGE_FOR_EACH (bridge, ctx->idl) {
        if (!strcmp(bridge->name, name)) {
            return bridge;
        }
    }
    return NULL;
}

static const struct ovsrec_fabric *
find_fabric(struct ovsdb_idl *idl, const char *name)
{
    const struct ovsrec_fabric *fabric;

    OVSREC_FABRIC_FOR_EACH (fabric, idl) {
        if (!strcmp(fabric->name, name)) {
            return fabric;
        }
    }
    return NULL;
}

static const struct ovsrec_fabric_endpoint *
find_endpoint(struct ovsdb_idl *idl, const char *fabric, const char *name)
{
    const struct ovsrec_fabric_endpoint *ep;

    OVSREC_FABRIC_ENDPOINT_FOR_EACH (ep, idl) {
        if (!strcmp(ep->fabric, fabric) && !strcmp(ep->name, name)) {
            return ep;
        }
    }
    return NULL;
}

/* Finds the port that has an interface named 'name', and its bridge. */
static const struct ovsrec_port *
find_port(const struct ctl_context *ctx, const char *name,
          const struct ovsrec_bridge **bridgep)
{
    const struct ovsrec_bridge *bridge;

    OVSREC_BRIDGE_FOR_EACH (bridge, ctx->idl) {
        for (size_t i = 0; i < bridge->n_ports; i++) {
            const struct ovsrec_port *port = bridge->ports[i];

            for (size_t j = 0; j < port->n_interfaces; j++) {
                if (!strcmp(port->interfaces[j]->name, name)) {
                    *bridgep = bridge;
                    return port;
                }
            }
            if (!strcmp(port->name, name)) {
                *bridgep = bridge;
                return port;
            }
        }
    }
    *bridgep = NULL;
    return NULL;
}

/* Setting columns. */

/* Applies 'ips', IP[,IP]..., to a column with 'set'. */
#define SET_IPS(SET, ROW, IPS)                                          \
    do {                                                                \
        struct sset set = SSET_INITIALIZER(&set);                       \
        sset_from_delimited_string(&set, IPS, ", ");                    \
        const char **array = sset_array(&set);                          \
        SET(ROW, array, sset_count(&set));                              \
        free(array);                                                    \
        sset_destroy(&set);                                             \
    } while (0)

static bool
is_setting_of(const char *setting, const char *column)
{
    size_t n = strcspn(setting, "=:");

    return !strncmp(setting, column, n) && !column[n];
}

/* Applies 'setting', COLUMN[:KEY]=VALUE, to 'row' of 'table'.  Columns that
 * the command has arguments for, or that ovs-vswitchd writes, are refused. */
static void
set_column(struct ctl_context *ctx, const char *table,
           const struct ovsdb_idl_row *row, const char *setting)
{
    static const char *const reserved[] = {
        "name", "fabric", "remote_ips", "statistics", "status"
    };

    for (size_t i = 0; i < ARRAY_SIZE(reserved); i++) {
        if (is_setting_of(setting, reserved[i])) {
            ctl_error(ctx, "%s: column %s cannot be set here", setting,
                      reserved[i]);
            return;
        }
    }
    ctx->error = ctl_set_column(table, row, setting, ctx->symtab);
}

/* Tells whether 'row' has exactly the addresses IP[,IP]... */
static bool
has_ips(char **have, size_t n_have, const char *ips)
{
    struct sset a = SSET_INITIALIZER(&a), b = SSET_INITIALIZER(&b);
    bool equal;

    sset_add_array(&a, have, n_have);
    sset_from_delimited_string(&b, ips, ", ");
    equal = sset_equals(&a, &b);
    sset_destroy(&a);
    sset_destroy(&b);
    return equal;
}

/* add-fabric. */

static void
pre_fabric(struct ctl_context *ctx)
{
    ovsdb_idl_add_column(ctx->idl, &ovsrec_open_vswitch_col_bridges);

    ovsdb_idl_add_column(ctx->idl, &ovsrec_bridge_col_name);
    ovsdb_idl_add_column(ctx->idl, &ovsrec_bridge_col_datapath_type);
    ovsdb_idl_add_column(ctx->idl, &ovsrec_bridge_col_ports);
    ovsdb_idl_add_column(ctx->idl, &ovsrec_port_col_name);
    ovsdb_idl_add_column(ctx->idl, &ovsrec_port_col_interfaces);
    ovsdb_idl_add_column(ctx->idl, &ovsrec_interface_col_name);
    ovsdb_idl_add_column(ctx->idl, &ovsrec_interface_col_type);

    ovsdb_idl_add_column(ctx->idl, &ovsrec_fabric_col_name);
    ovsdb_idl_add_column(ctx->idl, &ovsrec_fabric_col_encap);
    ovsdb_idl_add_column(ctx->idl, &ovsrec_fabric_col_local_ips);
    ovsdb_idl_add_column(ctx->idl, &ovsrec_fabric_col_dst_port);
    ovsdb_idl_add_column(ctx->idl, &ovsrec_fabric_col_paths_per_remote);
    ovsdb_idl_add_column(ctx->idl, &ovsrec_fabric_col_policy);
    ovsdb_idl_add_column(ctx->idl, &ovsrec_fabric_col_probe);
    ovsdb_idl_add_column(ctx->idl, &ovsrec_fabric_col_qos);
    ovsdb_idl_add_column(ctx->idl, &ovsrec_fabric_col_verify_source);
    ovsdb_idl_add_column(ctx->idl, &ovsrec_fabric_col_other_config);
    ovsdb_idl_add_column(ctx->idl, &ovsrec_fabric_col_external_ids);
    ovsdb_idl_add_column(ctx->idl, &ovsrec_fabric_col_status);

    ovsdb_idl_add_column(ctx->idl, &ovsrec_fabric_endpoint_col_fabric);
    ovsdb_idl_add_column(ctx->idl, &ovsrec_fabric_endpoint_col_name);
    ovsdb_idl_add_column(ctx->idl, &ovsrec_fabric_endpoint_col_id);
    ovsdb_idl_add_column(ctx->idl, &ovsrec_fabric_endpoint_col_remote_ips);
    ovsdb_idl_add_column(ctx->idl, &ovsrec_fabric_endpoint_col_policy);
    ovsdb_idl_add_column(ctx->idl, &ovsrec_fabric_endpoint_col_qos);
    ovsdb_idl_add_column(ctx->idl, &ovsrec_fabric_endpoint_col_other_config);
    ovsdb_idl_add_column(ctx->idl, &ovsrec_fabric_endpoint_col_external_ids);
    ovsdb_idl_add_column(ctx->idl, &ovsrec_fabric_endpoint_col_status);

    ovsdb_idl_add_column(ctx->idl, &ovsrec_fabric_qos_col_name);
    ovsdb_idl_add_column(ctx->idl, &ovsrec_fabric_qos_col_min_rate);
    ovsdb_idl_add_column(ctx->idl, &ovsrec_fabric_qos_col_max_rate);
    ovsdb_idl_add_column(ctx->idl, &ovsrec_fabric_qos_col_classes);
    ovsdb_idl_add_column(ctx->idl, &ovsrec_fabric_qos_col_other_config);
}

/* Tells whether 'name' can be the port of a new fabric on 'bridge_name'. */
static char *
check_bridge(struct ctl_context *ctx, const char *bridge_name,
             const char *name)
{
    const struct ovsrec_bridge *bridge = find_bridge(ctx, bridge_name);
    const struct ovsrec_bridge *other;

    if (!bridge) {
        return xasprintf("no bridge named %s", bridge_name);
    }
    if (strcmp(bridge->datapath_type, "netdev")
        && strcmp(bridge->datapath_type, "dummy")) {
        return xasprintf(
            "bridge %s has datapath_type \"%s\" but a fabric needs the "
            "userspace datapath; to change that, run \"ovs-vsctl set Bridge "
            "%s datapath_type=netdev\"", bridge_name,
            bridge->datapath_type[0] ? bridge->datapath_type : "system",
            bridge_name);
    }
    if (find_bridge(ctx, name)) {
        return xasprintf("cannot add fabric %s because a bridge has that "
                         "name", name);
    }
    if (find_port(ctx, name, &other)) {
        return xasprintf("cannot add fabric %s because a port of bridge %s "
                         "has that name", name, other->name);
    }
    return NULL;
}

static void
add_port(struct ctl_context *ctx, const struct ovsrec_bridge *bridge,
         const char *name)
{
    struct ovsrec_interface *iface = ovsrec_interface_insert(ctx->txn);
    struct ovsrec_port *port = ovsrec_port_insert(ctx->txn);
    struct ovsrec_port **ports = xmalloc((bridge->n_ports + 1)
                                         * sizeof *ports);

    ovsrec_interface_set_name(iface, name);
    ovsrec_interface_set_type(iface, "fabric");
    ovsrec_port_set_name(port, name);
    ovsrec_port_set_interfaces(port, &iface, 1);
    for (size_t i = 0; i < bridge->n_ports; i++) {
        ports[i] = bridge->ports[i];
    }
    ports[bridge->n_ports] = port;
    ovsrec_bridge_verify_ports(bridge);
    ovsrec_bridge_set_ports(bridge, ports, bridge->n_ports + 1);
    free(ports);
    ctx->invalidate_cache_cb(ctx);
}

/* Tells whether the existing 'fabric' is what "--may-exist add-fabric" asks
 * for. */
static void
check_existing_fabric(struct ctl_context *ctx,
                      const struct ovsrec_fabric *fabric, const char *ips)
{
    const struct ovsrec_bridge *bridge;

    find_port(ctx, fabric->name, &bridge);
    if (!bridge || strcmp(bridge->name, ctx->argv[1])) {
        ctl_error(ctx, "fabric %s exists but its port is on %s%s",
                  fabric->name, bridge ? "bridge " : "no bridge",
                  bridge ? bridge->name : "");
    } else if (!has_ips(fabric->local_ips, fabric->n_local_ips, ips)) {
        ctl_error(ctx, "fabric %s exists but has other local_ips",
                  fabric->name);
    }
}

static void
cmd_add_fabric(struct ctl_context *ctx)
{
    const struct ovsrec_fabric *fabric = find_fabric(ctx->idl, ctx->argv[2]);
    const char *bridge = ctx->argv[1];
    const char *name = ctx->argv[2];
    const char *ips = NULL;

    for (size_t i = 3; i < ctx->argc; i++) {
        if (is_setting_of(ctx->argv[i], "local_ips")
            && ctx->argv[i][strlen("local_ips")] == '=') {
            ips = ctx->argv[i] + strlen("local_ips=");
        }
    }
    if (!ips) {
        ctl_error(ctx, "add-fabric needs local_ips=IP[,IP]...");
        return;
    }
    if (fabric) {
        if (has_option(ctx, "--may-exist")) {
            check_existing_fabric(ctx, fabric, ips);
        } else {
            ctl_error(ctx, "fabric %s exists already", name);
        }
        return;
    }
    ctx->error = check_bridge(ctx, bridge, name);
    if (ctx->error) {
        return;
    }

    fabric = ovsrec_fabric_insert(ctx->txn);
    ovsrec_fabric_set_name(fabric, name);
    SET_IPS(ovsrec_fabric_set_local_ips, fabric, ips);
    for (size_t i = 3; i < ctx->argc && !ctx->error; i++) {
        if (!is_setting_of(ctx->argv[i], "local_ips")) {
            set_column(ctx, "Fabric", &fabric->header_, ctx->argv[i]);
        }
    }
    if (!ctx->error) {
        ctx->error = fabric_vsctl_check_fabric(ctx->idl, fabric);
    }
    if (!ctx->error) {
        add_port(ctx, find_bridge(ctx, bridge), name);
        sset_add(&added, name);
    }
}

/* del-fabric. */

static void
del_port(struct ctl_context *ctx, const char *name)
{
    const struct ovsrec_bridge *bridge;
    const struct ovsrec_port *port = find_port(ctx, name, &bridge);
    struct ovsrec_port **ports;
    size_t n = 0;

    if (!port || port->n_interfaces != 1
        || strcmp(port->interfaces[0]->type, "fabric")) {
        return;
    }
    ports = xmalloc(bridge->n_ports * sizeof *ports);
    for (size_t i = 0; i < bridge->n_ports; i++) {
        if (bridge->ports[i] != port) {
            ports[n++] = bridge->ports[i];
        }
    }
    ovsrec_bridge_verify_ports(bridge);
    ovsrec_bridge_set_ports(bridge, ports, n);
    free(ports);
    ctx->invalidate_cache_cb(ctx);
    ovsrec_interface_delete(port->interfaces[0]);
    ovsrec_port_delete(port);
}

static void
cmd_del_fabric(struct ctl_context *ctx)
{
    const char *name = ctx->argv[1];
    const struct ovsrec_fabric *fabric = find_fabric(ctx->idl, name);
    const struct ovsrec_fabric_endpoint *ep;

    if (!fabric) {
        if (!has_option(ctx, "--if-exists")) {
            ctl_error(ctx, "no fabric named %s", name);
        }
        return;
    }
    OVSREC_FABRIC_ENDPOINT_FOR_EACH_SAFE (ep, ctx->idl) {
        if (!strcmp(ep->fabric, name)) {
            ovsrec_fabric_endpoint_delete(ep);
        }
    }
    ovsrec_fabric_delete(fabric);
    del_port(ctx, name);
}

/* add-endpoint. */

static void
cmd_add_endpoint(struct ctl_context *ctx)
{
    const char *fabric_name = ctx->argv[1];
    const char *name = ctx->argv[2];
    const char *ips = ctx->argv[3];
    const struct ovsrec_fabric *fabric = find_fabric(ctx->idl, fabric_name);
    const struct ovsrec_fabric_endpoint *ep;

    if (!fabric) {
        ctl_error(ctx, "no fabric named %s", fabric_name);
        return;
    }
    ep = find_endpoint(ctx->idl, fabric_name, name);
    if (ep) {
        if (!has_option(ctx, "--may-exist")) {
            ctl_error(ctx, "endpoint %s exists already in fabric %s", name,
                      fabric_name);
        } else if (!has_ips(ep->remote_ips, ep->n_remote_ips, ips)) {
            ctl_error(ctx, "endpoint %s exists in fabric %s but has other "
                      "remote_ips", name, fabric_name);
        }
        return;
    }

    ep = ovsrec_fabric_endpoint_insert(ctx->txn);
    ovsrec_fabric_endpoint_set_fabric(ep, fabric_name);
    ovsrec_fabric_endpoint_set_name(ep, name);
    SET_IPS(ovsrec_fabric_endpoint_set_remote_ips, ep, ips);
    for (size_t i = 4; i < ctx->argc && !ctx->error; i++) {
        set_column(ctx, "Fabric_Endpoint", &ep->header_, ctx->argv[i]);
    }
    if (!ctx->error) {
        ctx->error = fabric_vsctl_check_endpoint(ctx->idl, fabric, ep);
    }
    if (!ctx->error) {
        sset_add_and_free(&added, xasprintf("%s/%s", fabric_name, name));
    }
}

static void
cmd_del_endpoint(struct ctl_context *ctx)
{
    const char *fabric = ctx->argv[1];
    const char *name = ctx->argv[2];
    const struct ovsrec_fabric_endpoint *ep
        = find_endpoint(ctx->idl, fabric, name);

    if (ep) {
        ovsrec_fabric_endpoint_delete(ep);
    } else if (!has_option(ctx, "--if-exists")) {
        if (find_fabric(ctx->idl, fabric)) {
            ctl_error(ctx, "no endpoint named %s in fabric %s", name, fabric);
        } else {
            ctl_error(ctx, "no fabric named %s", fabric);
        }
    }
}

/* list-endpoints and fabric-show. */

/* Fills 'endpoints' with those of 'fabric', by name. */
static const struct shash_node **
sort_endpoints(struct ctl_context *ctx, const char *fabric,
               struct shash *endpoints)
{
    const struct ovsrec_fabric_endpoint *ep;

    shash_init(endpoints);
    OVSREC_FABRIC_ENDPOINT_FOR_EACH (ep, ctx->idl) {
        if (!strcmp(ep->fabric, fabric)) {
            shash_add(endpoints, ep->name, ep);
        }
    }
    return shash_sort(endpoints);
}

static void
cmd_list_endpoints(struct ctl_context *ctx)
{
    const char *fabric = ctx->argv[1];
    struct shash endpoints;

    if (!find_fabric(ctx->idl, fabric)) {
        ctl_error(ctx, "no fabric named %s", fabric);
        return;
    }
    const struct shash_node **nodes = sort_endpoints(ctx, fabric, &endpoints);
    for (size_t i = 0; i < shash_count(&endpoints); i++) {
        ds_put_format(&ctx->output, "%s\n", nodes[i]->name);
    }
    free(nodes);
    shash_destroy(&endpoints);
}

static void
show_ips(struct ds *s, int indent, const char *what, char **ips, size_t n)
{
    ds_put_format(s, "%*s%s:", indent, "", what);
    for (size_t i = 0; i < n; i++) {
        ds_put_format(s, "%s %s", i ? "," : "", ips[i]);
    }
    ds_put_char(s, '\n');
}

/* Appends what ovs-vswitchd has told, if it has. */
static void
show_status(struct ds *s, int indent, const struct smap *status)
{
    static const char *const lines[] = { "state", "error", "warning" };
    const char *total = smap_get(status, "n_paths");

    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        const char *value = smap_get(status, lines[i]);

        if (value) {
            ds_put_format(s, "%*s%s: %s\n", indent, "", lines[i], value);
        }
    }
    if (total) {
        const char *separator = " (";

        ds_put_format(s, "%*spaths: %s", indent, "", total);
#define FABRIC_PATH_STATE(ENUM, NAME, USABLE)                           \
        if (smap_get_int(status, "paths_" NAME, 0)) {                   \
            ds_put_format(s, "%s%d " NAME, separator,                   \
                          smap_get_int(status, "paths_" NAME, 0));      \
            separator = ", ";                                           \
        }
        FABRIC_PATH_STATES
#undef FABRIC_PATH_STATE
        ds_put_cstr(s, *separator == ',' ? ")\n" : "\n");
    }
}

static void
show_fabric(struct ctl_context *ctx, const struct ovsrec_fabric *fabric)
{
    const struct ovsrec_bridge *bridge;
    struct ds *s = &ctx->output;
    struct shash endpoints;

    find_port(ctx, fabric->name, &bridge);
    ds_put_format(s, "%s\n", fabric->name);
    ds_put_format(s, "    bridge: %s\n", bridge ? bridge->name : "none");
    ds_put_format(s, "    encap: %s\n", fabric->encap ? fabric->encap
                  : fabric_encap_to_string(FABRIC_ENCAP_VXLAN));
    show_ips(s, 4, "local IPs", fabric->local_ips, fabric->n_local_ips);
    show_status(s, 4, &fabric->status);

    const struct shash_node **nodes = sort_endpoints(ctx, fabric->name,
                                                     &endpoints);
    for (size_t i = 0; i < shash_count(&endpoints); i++) {
        const struct ovsrec_fabric_endpoint *ep = nodes[i]->data;

        ds_put_format(s, "    endpoint %s\n", ep->name);
        if (ep->n_id) {
            ds_put_format(s, "        id: %"PRId64"\n", *ep->id);
        }
        show_ips(s, 8, "remote IPs", ep->remote_ips, ep->n_remote_ips);
        show_status(s, 8, &ep->status);
    }
    free(nodes);
    shash_destroy(&endpoints);
}

static void
cmd_fabric_show(struct ctl_context *ctx)
{
    const char *name = ctx->argc > 1 ? ctx->argv[1] : NULL;
    struct shash fabrics = SHASH_INITIALIZER(&fabrics);
    const struct ovsrec_fabric *fabric;

    if (name && !find_fabric(ctx->idl, name)) {
        ctl_error(ctx, "no fabric named %s", name);
        return;
    }
    OVSREC_FABRIC_FOR_EACH (fabric, ctx->idl) {
        if (!name || !strcmp(fabric->name, name)) {
            shash_add(&fabrics, fabric->name, fabric);
        }
    }
    const struct shash_node **nodes = shash_sort(&fabrics);
    for (size_t i = 0; i < shash_count(&fabrics); i++) {
        show_fabric(ctx, nodes[i]->data);
    }
    free(nodes);
    shash_destroy(&fabrics);
}

/* What ovs-vsctl.c calls. */

void
fabric_vsctl_init(void)
{
    static const struct ctl_command_syntax commands[] = {
        {"add-fabric", 3, INT_MAX,
         "BRIDGE FABRIC local_ips=IP[,IP]... [COLUMN[:KEY]=VALUE]...",
         pre_fabric, cmd_add_fabric, NULL, "--may-exist", RW},
        {"del-fabric", 1, 1, "FABRIC", pre_fabric, cmd_del_fabric, NULL,
         "--if-exists", RW},
        {"add-endpoint", 3, INT_MAX,
         "FABRIC NAME IP[,IP]... [COLUMN[:KEY]=VALUE]...",
         pre_fabric, cmd_add_endpoint, NULL, "--may-exist", RW},
        {"del-endpoint", 2, 2, "FABRIC NAME", pre_fabric, cmd_del_endpoint,
         NULL, "--if-exists", RW},
        {"list-endpoints", 1, 1, "FABRIC", pre_fabric, cmd_list_endpoints,
         NULL, "", RO},
        {"fabric-show", 0, 1, "[FABRIC]", pre_fabric, cmd_fabric_show, NULL,
         "", RO},
        {NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, RO},
    };

    ctl_register_commands(commands);
}

void
fabric_vsctl_usage(void)
{
    printf("\n\
Fabric commands, see fabric-vsctl(8):\n\
  add-fabric BRIDGE FABRIC local_ips=IP[,IP]... [COLUMN[:KEY]=VALUE]...\n\
                              add a tunnel fabric and its port to BRIDGE\n\
  del-fabric FABRIC           delete FABRIC, its endpoints, and its port\n\
  add-endpoint FABRIC NAME IP[,IP]... [COLUMN[:KEY]=VALUE]...\n\
                              add a remote endpoint to FABRIC\n\
  del-endpoint FABRIC NAME    delete endpoint NAME from FABRIC\n\
  list-endpoints FABRIC       print the names of the endpoints of FABRIC\n\
  fabric-show [FABRIC]        print fabrics, endpoints, and their status\n");
}

void
fabric_vsctl_watch(struct ovsdb_idl *idl, const struct ctl_command *commands,
                   size_t n)
{
    static const char *const changing[] = {
        "set", "add", "remove", "clear", "create"
    };

    for (const struct ctl_command *c = commands; c < &commands[n]; c++) {
        for (size_t i = 0; i < ARRAY_SIZE(changing); i++) {
            if (strcmp(c->syntax->name, changing[i])
                || strncasecmp(c->argv[1], "fabric", strlen("fabric"))) {
                continue;
            }
            if (strcmp(c->syntax->name, "create")) {
                sset_add(&changed, c->argv[2]);
            }
            for (size_t j = 2; j < c->argc; j++) {
                if (!strncmp(c->argv[j], "name=", strlen("name="))) {
                    sset_add(&changed, c->argv[j] + strlen("name="));
                }
            }
        }
    }
    if (!sset_is_empty(&changed)) {
        ovsdb_idl_add_column(idl, &ovsrec_fabric_col_name);
        ovsdb_idl_add_column(idl, &ovsrec_fabric_col_status);
        ovsdb_idl_add_column(idl, &ovsrec_fabric_endpoint_col_fabric);
        ovsdb_idl_add_column(idl, &ovsrec_fabric_endpoint_col_name);
        ovsdb_idl_add_column(idl, &ovsrec_fabric_endpoint_col_status);
    }
}

/* Tells what is wrong with a row.  'full_name' is as in 'added' and 'name' its
 * last part.  As upstream's, the general commands succeed all the same. */
static void
report(const char *kind, const char *full_name, const char *name,
       const struct uuid *uuid, const struct smap *status, bool *failed)
{
    const char *error = smap_get(status, "error");
    bool is_added = sset_contains(&added, full_name);
    char uuid_string[UUID_LEN + 1];

    snprintf(uuid_string, sizeof uuid_string, UUID_FMT, UUID_ARGS(uuid));
    if (error && (is_added || sset_contains(&changed, name)
                  || sset_contains(&changed, uuid_string))) {
        ovs_error(0, "%s %s: %s", kind, full_name, error);
        *failed |= is_added;
    }
}

void
fabric_vsctl_report(struct ovsdb_idl *idl, bool *failed)
{
    const struct ovsrec_fabric_endpoint *ep;
    const struct ovsrec_fabric *fabric;

    if (sset_is_empty(&added) && sset_is_empty(&changed)) {
        return;
    }
    OVSREC_FABRIC_FOR_EACH (fabric, idl) {
        report("fabric", fabric->name, fabric->name, &fabric->header_.uuid,
               &fabric->status, failed);
    }
    OVSREC_FABRIC_ENDPOINT_FOR_EACH (ep, idl) {
        char *name = xasprintf("%s/%s", ep->fabric, ep->name);

        report("endpoint", name, ep->name, &ep->header_.uuid, &ep->status,
               failed);
        free(name);
    }
}
