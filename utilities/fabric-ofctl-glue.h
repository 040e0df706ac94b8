/* SPDX-License-Identifier: Apache-2.0 */

/* The fabric as utilities/ovs-ofctl.c wants it.
 * =============================================
 *
 * Part of utilities/ovs-ofctl.c, which includes this once, before its commands
 * use it: what talks to switches is static there. */

#include "ofp-fabric-msg.h"

/* What "monitor" is to subscribe to, NULL if nothing. */
static struct fabric_msg_monitor *fabric_subscription;

/* For ofctl_monitor(): is 'arg' about the fabric?  Then takes note of it. */
static bool
ofctl_fabric_wants(struct vconn *vconn, const char *arg)
{
    struct fabric_msg_monitor m;
    char *copy, *error;

    if (strncmp(arg, "fabric", 6) || (arg[6] && arg[6] != ':')) {
        return false;
    }
    copy = xstrdup(arg[6] ? arg + 7 : "");
    error = fabric_msg_parse_monitor(copy,
                                     ports_to_accept(vconn_get_name(vconn)),
                                     &m);
    free(copy);
    if (error) {
        ovs_fatal(0, "%s: %s", arg, error);
    }
    free(fabric_subscription);
    fabric_subscription = xmemdup(&m, sizeof m);
    return true;
}

/* For ofctl_monitor(), when nothing else waits for a reply any more, which
 * would throw away what the switch tells of its own accord. */
static void
ofctl_fabric_subscribe(struct vconn *vconn)
{
    struct fabric_msg_monitor *m = fabric_subscription;
    uint16_t flags;

    if (!m) {
        return;
    }

    /* Find out whether the switch accepts it, then have it tell. */
    flags = m->flags;
    m->flags &= ~FABRIC_MSG_WANT_INITIAL;
    transact_noreply(vconn, fabric_msg_encode_monitor(
                         m, vconn_get_version(vconn)));
    m->flags = flags;
    send_openflow_buffer(vconn, fabric_msg_encode_monitor(
                             m, vconn_get_version(vconn)));
    free(m);
    fabric_subscription = NULL;
}

static void
ofctl_dump_fabric_paths(struct ovs_cmdl_context *ctx)
{
    struct fabric_msg_selection selection;
    struct vconn *vconn;
    char *copy, *error;

    open_vconn(ctx->argv[1], &vconn);
    copy = xstrdup(ctx->argc > 2 ? ctx->argv[2] : "ANY");
    error = fabric_msg_parse_selection(copy, ports_to_accept(ctx->argv[1]),
                                       &selection);
    if (error) {
        ovs_fatal(0, "%s: %s", ctx->argv[2], error);
    }
    dump_transaction(vconn, fabric_msg_encode_selection(
                         &selection, vconn_get_version(vconn)));
    free(copy);
    vconn_close(vconn);
}
