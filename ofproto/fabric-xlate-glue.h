/* SPDX-License-Identifier: Apache-2.0 */

/* The fabric as ofproto/ofproto-dpif-xlate.c wants it.
 * ====================================================
 *
 * Part of ofproto/ofproto-dpif-xlate.c, which includes this once, after its
 * other prototypes: struct xlate_ctx, struct xport and the functions declared
 * here are static there.  Nothing but passing on to fabric-xlate.c. */

#include "fabric-hooks.h"

static void xlate_output_action(struct xlate_ctx *, ofp_port_t,
                                uint16_t controller_len, bool may_packet_in,
                                bool is_last_action, bool truncate,
                                bool group_bucket_action);
static struct xport *get_ofp_port(const struct xbridge *, ofp_port_t);

static struct fabric_xlate_env
fabric_env(const struct xlate_ctx *ctx, bool is_last_action)
{
    return (struct fabric_xlate_env) {
        .xin = ctx->xin,
        .wc = ctx->wc,
        .odp_actions = ctx->odp_actions,
        .is_last_action = is_last_action,
    };
}

/* For do_xlate_actions(), OFPACT_FABRIC. */
static void
xlate_fabric_action(struct xlate_ctx *ctx, const struct ofpact_fabric *a,
                    bool is_last_action, bool group_bucket_action)
{
    const struct fabric_xlate_env env = fabric_env(ctx, is_last_action);
    struct flow_tnl *tnl = xmemdup(&ctx->xin->flow.tunnel, sizeof *tnl);
    ofp_port_t port = fabric_xlate_port(&env, a);
    const struct xport *xport = get_ofp_port(ctx->xbridge, port);

    port = fabric_xlate_begin(&env, &ctx->fabric, a, port,
                              xport ? xport->netdev : NULL);
    xlate_output_action(ctx, port, 0, false, is_last_action, false,
                        group_bucket_action);
    ctx->fabric.pending = false;
    ctx->xin->flow.tunnel = *tnl;
    free(tnl);
}

/* For compose_output_action__(), if 'xport' is a tunnel. */
static bool
fabric_refuse(struct xlate_ctx *ctx, const struct xport *xport,
              bool is_last_action)
{
    const struct fabric_xlate_env env = fabric_env(ctx, is_last_action);

    return fabric_xlate_refuse(&env, &ctx->fabric, xport->netdev,
                               &ctx->orig_tunnel_ipv6_dst);
}

/* For native_tunnel_output(). */
static bool
fabric_output(struct xlate_ctx *ctx, const struct xport *xport,
              odp_port_t odp_port, bool is_last_action)
{
    const struct fabric_xlate_env env = fabric_env(ctx, is_last_action);

    return fabric_xlate_output(&env, &ctx->fabric, xport->netdev, odp_port,
                               ctx->mirror_snaplen);
}
