/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_DRAIN_H
#define FABRIC_DRAIN_H 1

/* Drains: which paths of an endpoint the operator has taken out of use.
 * =====================================================================
 *
 * A drain is an order, not a property of a path: it stays when the path that
 * it names goes, and holds for a path that comes.  The latest order that names
 * a path decides.
 *
 * Thread-safety: the caller serializes, by fabric_table_mutex where the drains
 * are those of an endpoint. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fabric-table.h"

struct fabric;
struct fabric_endpoint;

struct fabric_drain_order {
    struct in6_addr local_ip;   /* in6addr_any: any. */
    struct in6_addr remote_ip;  /* in6addr_any: any. */
    uint16_t src_port;          /* Host byte order; 0: any. */
    bool drain;                 /* Out of use, or back. */
};

/* All zeros is a valid, empty one. */
struct fabric_drains {
    struct fabric_drain_order *orders;  /* The latest last. */
    size_t n;
};

void fabric_drains_add(struct fabric_drains *,
                       const struct fabric_drain_order *);

/* Returns true if the path with these properties is drained. */
bool fabric_drains_match(const struct fabric_drains *,
                         const struct in6_addr *local_ip,
                         const struct in6_addr *remote_ip, uint16_t src_port);

/* Returns true if 'order' names the path with these properties. */
bool fabric_drain_order_names(const struct fabric_drain_order *,
                              const struct in6_addr *local_ip,
                              const struct in6_addr *remote_ip,
                              uint16_t src_port);

/* Adds 'shift' to the source ports of all orders. */
void fabric_drains_shift_ports(struct fabric_drains *, int shift);

/* Makes it empty. */
void fabric_drains_clear(struct fabric_drains *);

/* Keeps the drains of an endpoint that is about to be removed in its fabric,
 * for an endpoint of the same name, which takes them when it is created. */
void fabric_drains_leave(struct fabric_endpoint *)
    OVS_REQUIRES(fabric_table_mutex);
void fabric_drains_take(struct fabric_endpoint *)
    OVS_REQUIRES(fabric_table_mutex);

/* Forgets what no endpoint has taken. */
void fabric_drains_forget(struct fabric *);

#endif /* fabric-drain.h */
