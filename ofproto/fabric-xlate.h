/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_XLATE_H
#define FABRIC_XLATE_H 1

/* Translation of output to a fabric into the datapath action.
 * ===========================================================
 *
 * To translation a fabric's port is a tunnel port whose remote IP and key come
 * from the flow, so everything that Open vSwitch does for output to a tunnel
 * (VLANs, spanning tree, mirrors, sFlow, statistics, TOS and TTL) applies.
 * Two steps differ and are here:
 *
 *   - before: the endpoint is resolved, by ID if fabric_output named it, else
 *     from tun_dst.  What cannot be sent becomes a datapath action that drops
 *     with a reason, so that each such packet is counted ("fabric/stats").
 *
 *   - after: instead of a route lookup, ARP and a tunnel push, the output is
 *     one datapath action that names the endpoint.
 *
 * fabric_output sets tun_id and tun_dst, outputs, and sets them back.
 *
 * A translation does not depend on the state of paths, only on which endpoints
 * and addresses are configured: the registry has flows revalidated when those
 * change.
 *
 * Thread-safety: one translation is one thread's business.  The functions are
 * in fabric-hooks.h. */

#include <stdbool.h>
#include <stdint.h>

#include "fabric-types.h"

struct flow_wildcards;
struct ofpbuf;
struct xlate_in;

/* What a translation lends to the fabric. */
struct fabric_xlate_env {
    struct xlate_in *xin;
    struct flow_wildcards *wc;
    struct ofpbuf *odp_actions;
    bool is_last_action;
};

/* Member of struct xlate_ctx: what fabric_output asks of the output that
 * follows, then what that output resolved. */
struct fabric_xlate_request {
    bool pending;               /* Set by fabric_output, cleared by output. */
    uint32_t endpoint;          /* Endpoint ID. */
    uint8_t class;
    enum fabric_policy policy;
};

#endif /* fabric-xlate.h */
