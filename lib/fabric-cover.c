/* SPDX-License-Identifier: Apache-2.0 */

/* Covering a set with the fewest subsets is hard in general; the greedy way,
 * always what adds most, is the best known that is quick.  A router is told
 * apart by address and TTL.  Of two ports that add as many routers, the one
 * whose first new router is nearer is better: routers behind it may be one
 * that answers from several addresses, as Linux does with several ways
 * back. */

#include <config.h>

#include "fabric-cover.h"

#include "packets.h"
#include "util.h"

static bool
is_known(const struct in6_addr *ip)
{
    return !ipv6_is_zero(ip);
}

bool
fabric_cover_is_complete(const struct fabric_cover_port ports[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct fabric_hops *hops = ports[i].hops;

        if (!hops->reached || !hops->n) {
            return false;
        }
        for (size_t j = 0; j < hops->n; j++) {
            if (!is_known(&hops->ip[j])) {
                return false;
            }
        }
    }
    return n > 0;
}

/* May 'a' and 'b' be the same route, for all that is known? */
static bool
same_route(const struct fabric_hops *a, const struct fabric_hops *b)
{
    for (size_t i = 0; i < MIN(a->n, b->n); i++) {
        if (is_known(&a->ip[i]) && is_known(&b->ip[i])
            && !ipv6_addr_equals(&a->ip[i], &b->ip[i])) {
            return false;
        }
    }
    return a->n == b->n || !a->reached || !b->reached;
}

/* Does a chosen port cross 'router' at 'ttl'? */
static bool
is_covered(const struct fabric_cover_port ports[], size_t n,
           const struct in6_addr *router, size_t ttl)
{
    for (size_t i = 0; i < n; i++) {
        const struct fabric_hops *hops = ports[i].hops;

        if (ports[i].chosen && ttl <= hops->n
            && ipv6_addr_equals(&hops->ip[ttl - 1], router)) {
            return true;
        }
    }
    return false;
}

/* How much choosing 'port' would add: routers, then the distance of the first.
 * 0 if nothing. */
static unsigned int
gain(const struct fabric_cover_port ports[], size_t n,
     const struct fabric_cover_port *port)
{
    unsigned int n_new = 0, nearness = 0;

    for (size_t ttl = 1; ttl <= port->hops->n; ttl++) {
        const struct in6_addr *router = &port->hops->ip[ttl - 1];

        if (is_known(router) && !is_covered(ports, n, router, ttl)) {
            nearness = MAX(nearness, FABRIC_MAX_HOPS + 1 - ttl);
            n_new++;
        }
    }
    return n_new * 2 * FABRIC_MAX_HOPS + nearness;
}

static bool
route_is_chosen(const struct fabric_cover_port ports[], size_t n,
                const struct fabric_cover_port *port)
{
    for (size_t i = 0; i < n; i++) {
        if (ports[i].chosen && same_route(ports[i].hops, port->hops)) {
            return true;
        }
    }
    return false;
}

/* May 'port' be chosen for its route?  'any_reached' is true if there is one
 * from which the remote was reached. */
static bool
is_candidate(const struct fabric_cover_port *port, bool any_reached)
{
    return !port->chosen && (port->hops->reached || !any_reached);
}

/* Chooses until every router is covered, of ports in use only if 'current'.
 * Returns how many were chosen, at most 'max'. */
static size_t
cover_routers(struct fabric_cover_port ports[], size_t n, size_t max,
              bool any_reached, bool current)
{
    size_t n_chosen = 0;

    while (n_chosen < max) {
        struct fabric_cover_port *best = NULL;
        unsigned int best_gain = 0;

        for (size_t i = 0; i < n; i++) {
            struct fabric_cover_port *p = &ports[i];

            if (is_candidate(p, any_reached) && (p->current || !current)) {
                unsigned int g = gain(ports, n, p);

                if (g > best_gain
                    || (g && g == best_gain && p->current && !best->current)) {
                    best = p;
                    best_gain = g;
                }
            }
        }
        if (!best) {
            break;
        }
        best->chosen = true;
        n_chosen++;
    }
    return n_chosen;
}

static bool
covers_all(const struct fabric_cover_port ports[], size_t n, bool any_reached)
{
    for (size_t i = 0; i < n; i++) {
        if (is_candidate(&ports[i], any_reached)
            && gain(ports, n, &ports[i])) {
            return false;
        }
    }
    return true;
}

static void
unchoose(struct fabric_cover_port ports[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ports[i].chosen = false;
    }
}

/* Chooses ports in use, or others, while fewer than 'max' are chosen. */
static size_t
fill(struct fabric_cover_port ports[], size_t n, size_t n_chosen, size_t max,
     bool current)
{
    for (size_t i = 0; i < n && n_chosen < max; i++) {
        if (!ports[i].chosen && ports[i].current == current) {
            ports[i].chosen = true;
            n_chosen++;
        }
    }
    return n_chosen;
}

/* Chooses ports whose route differs from those chosen already. */
static size_t
cover_routes(struct fabric_cover_port ports[], size_t n, size_t n_chosen,
             size_t max, bool any_reached, bool current)
{
    for (size_t i = 0; i < n && n_chosen < max; i++) {
        struct fabric_cover_port *p = &ports[i];

        if (is_candidate(p, any_reached) && p->current == current
            && !route_is_chosen(ports, n, p)) {
            p->chosen = true;
            n_chosen++;
        }
    }
    return n_chosen;
}

void
fabric_cover(struct fabric_cover_port ports[], size_t n, size_t min,
             size_t max)
{
    bool any_reached = false;
    size_t n_chosen;

    for (size_t i = 0; i < n; i++) {
        any_reached |= ports[i].hops->reached;
    }

    /* With the ports in use first, if that covers everything, too. */
    unchoose(ports, n);
    n_chosen = cover_routers(ports, n, max, any_reached, true);
    n_chosen += cover_routers(ports, n, max - n_chosen, any_reached, false);
    if (!covers_all(ports, n, any_reached)) {
        unchoose(ports, n);
        n_chosen = cover_routers(ports, n, max, any_reached, false);
    }

    n_chosen = cover_routes(ports, n, n_chosen, max, any_reached, true);
    n_chosen = cover_routes(ports, n, n_chosen, max, any_reached, false);
    n_chosen = fill(ports, n, n_chosen, MIN(min, max), true);
    fill(ports, n, n_chosen, MIN(min, max), false);
}

size_t
fabric_cover_count_routes(const struct fabric_cover_port ports[], size_t n)
{
    size_t n_routes = 0;

    for (size_t i = 0; i < n; i++) {
        bool known = false;

        for (size_t j = 0; j < i && !known; j++) {
            known = same_route(ports[i].hops, ports[j].hops);
        }
        n_routes += !known;
    }
    return n_routes;
}
