/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_NETEVENT_H
#define FABRIC_NETEVENT_H 1

/* What the kernel tells of a change of the host's network.
 * ========================================================
 *
 * Addresses are IPv6, those of IPv4 v4-mapped; lengths of prefixes are of
 * these, so that 0.0.0.0/0 is ::ffff:0:0/96.
 *
 * Thread-safety: any thread. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fabric-rule.h"

struct nlattr;
struct ofpbuf;

enum fabric_netevent_type {
    FABRIC_NETEVENT_OVERFLOW,   /* Others were lost. */
    FABRIC_NETEVENT_LINK,
    FABRIC_NETEVENT_ADDRESS,
    FABRIC_NETEVENT_ROUTE,
    FABRIC_NETEVENT_RULE,
    FABRIC_NETEVENT_NEXTHOP,
    FABRIC_NETEVENT_NEIGHBOR,
};

/* Interfaces of a route that are told. */
#define FABRIC_NETEVENT_MAX_IFS 64

struct fabric_netevent {
    enum fabric_netevent_type type;
    bool gone;                  /* Deleted, rather than new or changed. */

    /* Link, address, neighbor. */
    uint32_t ifindex;

    /* Link.  'config' is true if IPv6's settings of it changed, and what
     * follows is not told. */
    bool config;
    unsigned int flags;         /* IFF_*. */
    uint32_t mtu;
    uint32_t master;

    /* Address, neighbor; prefix of a route. */
    struct in6_addr ip;
    unsigned int plen;          /* Route. */
    bool valid;                 /* Neighbor: its MAC address is known. */

    /* Route. */
    uint32_t table;
    uint32_t ifindexes[FABRIC_NETEVENT_MAX_IFS];
    size_t n_ifindexes;

    uint32_t nexthop;           /* Of a nexthop. */
    struct fabric_rule rule;
};

/* Fills '*event' in from the message 'msg' of the kernel.  Returns false if it
 * is of no kind above. */
bool fabric_netevent_parse(const struct ofpbuf *msg,
                           struct fabric_netevent *event);

/* Stores the address in 'a', IPv4 or IPv6 by its size, in '*ip'.  Returns
 * false if it is neither. */
bool fabric_netevent_parse_ip(const struct nlattr *a, struct in6_addr *ip);

/* Stores the first 'plen' bits of the address in 'a', which may be NULL if
 * 'plen' is 0, of 'family', in '*ip', and the length of that prefix in
 * '*mapped_plen'.  Returns false if that is impossible. */
bool fabric_netevent_parse_prefix(const struct nlattr *a, int family,
                                  unsigned int plen, struct in6_addr *ip,
                                  unsigned int *mapped_plen);

#endif /* fabric-netevent.h */
