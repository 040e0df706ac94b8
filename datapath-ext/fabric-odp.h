/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_ODP_H
#define FABRIC_ODP_H 1

/* The datapath action OVS_ACTION_ATTR_FABRIC: layout and text form.
 * =================================================================
 *
 * One datapath action carries everything the fabric does to a packet; the
 * first byte of its payload is a sub-type of ours.  A cached flow names an
 * endpoint, never a path, so that path changes touch no flow.
 *
 * FABRIC_ODP_OUTPUT prepends 'header', a complete VXLAN or Geneve header, and
 * sends the packet to 'endpoint' of the fabric behind datapath port 'port'.
 * It does not consume the packet when more actions follow.
 *
 * FABRIC_ODP_DROP counts the packet as dropped for a reason (fabric-drops.h)
 * that was known when the flow was translated.  It sends nothing, and it does
 * not consume the packet either: only this copy is dropped.
 *
 * Like an output, both forget a truncation that an action before them asked
 * for.
 *
 * Text form (dpctl/dump-flows, ovs-dpctl add-flow):
 *
 *     fabric(port(4),endpoint=7,vxlan(vni=100))
 *     fabric(port(4),endpoint=7,class=2,policy=hash,tos=0xb8,ttl=63,
 *            geneve(vni=100,oam,options(0102800100000007)))
 *     fabric(drop=tx-no-endpoint)
 *
 * Values at their defaults (class 0, policy default, tos 0, ttl 64) are left
 * out and the order is fixed.  Port names appear instead of numbers as for
 * output.  A header that those words cannot express is "header(<hex>)" inside
 * "vxlan" or "geneve".
 *
 * Thread-safety: pure functions, any thread.  fabric-hooks.h has those that
 * format and parse. */

#include <stdint.h>
#include "fabric-drops.h"
#include "fabric-types.h"
#include "openvswitch/types.h"

struct nlattr;
struct ofpbuf;

enum fabric_odp_subtype {
    FABRIC_ODP_OUTPUT = 1,
    FABRIC_ODP_DROP = 2,
};

#define FABRIC_ODP_MAX_HEADER (8 + 252) /* Geneve with all its options. */
#define FABRIC_ODP_DEFAULT_TTL 64

/* Payload of the attribute.  Followed by 'header_len' bytes of header; the
 * attribute's length is exactly offsetof(header) + header_len. */
struct fabric_odp_output {
    uint8_t subtype;            /* FABRIC_ODP_OUTPUT. */
    uint8_t class;              /* 0...FABRIC_MAX_CLASS. */
    uint8_t policy;             /* enum fabric_policy. */
    uint8_t encap;              /* enum fabric_encap. */
    uint8_t tos;                /* Outer TOS, ECN included. */
    uint8_t ttl;                /* Outer TTL or hop limit. */
    uint16_t header_len;        /* Multiple of 4, 8...FABRIC_ODP_MAX_HEADER. */
    uint32_t port;              /* Datapath port of the fabric, odp_to_u32. */
    uint32_t endpoint;          /* Endpoint ID. */
    uint8_t header[FABRIC_ODP_MAX_HEADER];
};

/* Payload of the attribute, likewise. */
struct fabric_odp_drop {
    uint8_t subtype;            /* FABRIC_ODP_DROP. */
    uint8_t reason;             /* enum fabric_drop. */
    uint8_t zero[2];
};

/* Appends the action to 'odp_actions'. */
void fabric_odp_put_output(struct ofpbuf *odp_actions,
                           const struct fabric_odp_output *);
void fabric_odp_put_drop(struct ofpbuf *odp_actions, enum fabric_drop);

/* Returns the payload of 'a' if it is a well-formed output, else NULL. */
const struct fabric_odp_output *fabric_odp_get_output(const struct nlattr *a);

/* Returns the payload of 'a' if it is a well-formed drop, else NULL. */
const struct fabric_odp_drop *fabric_odp_get_drop(const struct nlattr *a);

#endif /* fabric-odp.h */
