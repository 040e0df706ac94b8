/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_SURVEY_H
#define FABRIC_SURVEY_H 1

/* A survey: which routes there are between two addresses.
 * =======================================================
 *
 * Traces (fabric-trace.h) from one source port after another, a few at a time,
 * until it is unlikely that another port would show another router: how many
 * ports that takes depends on how many routers share the load at a TTL, as in
 * the multipath detection algorithm (Augustin et al., "Measuring load-balanced
 * paths in the Internet", 2007), here with 1 % for each TTL to miss one.
 *
 * Routers limit how many errors they send to an address, Linux to one a second
 * after six at once.  So a TTL at which FABRIC_SURVEY_SETTLED ports have shown
 * the same router, or none, is not asked again: the other ports are taken to
 * cross the same.  For the first router fewer ports will do if it is the one
 * that another survey found so.  A survey in which the first ports show no
 * router at all ends with these.
 *
 * Like a trace, it has no clock, socket or lock of its own; ports are numbers
 * from 0 to 'n_ports' - 1, whose meaning is the caller's.
 *
 * Thread-safety: none, the caller locks. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "fabric-trace.h"
#include "fabric-types.h"

#define FABRIC_SURVEY_PARALLEL 8
#define FABRIC_SURVEY_SETTLED 8
#define FABRIC_SURVEY_CONFIRMED 2

struct fabric_survey {
    size_t n_ports;             /* That may be tried. */
    size_t n_started;           /* That have been tried. */
    size_t n_wanted;            /* That are to be tried, so far. */
    struct in6_addr gateway;    /* Expected first router, or in6addr_any. */
    bool done;                  /* Nothing left to do?  Then the traces up to
                                 * 'n_started' have the result. */
    struct fabric_trace traces[FABRIC_MAX_PATHS_PER_REMOTE];
};

/* Begins a survey of at most 'n_ports' ports, and at least of the first
 * 'n_min'.  'gateway' is what fabric_survey_gateway() said of one from the
 * same address, in6addr_any if it did not. */
void fabric_survey_init(struct fabric_survey *, size_t n_ports, size_t n_min,
                        const struct in6_addr *gateway);

/* Returns the router that all ports cross first, if it is certain, or
 * in6addr_any. */
struct in6_addr fabric_survey_gateway(const struct fabric_survey *);

/* Returns true and stores port, TTL and sequence number of a datagram that is
 * to be sent now; or false if there is none before fabric_survey_wake(), or
 * the survey is done. */
bool fabric_survey_next(struct fabric_survey *, long long int now,
                        size_t *port, uint8_t *ttl, uint32_t *seq);
long long int fabric_survey_wake(const struct fabric_survey *);

/* Has any router answered? */
bool fabric_survey_heard(const struct fabric_survey *);

/* Fills the gaps in what 'port' has shown with what it showed in an earlier
 * survey, 'old': the routers that other ports have shown now, if nothing
 * speaks against it.  Without, a router that had no error to spare for a port
 * would make another port look better.  For a survey that is done. */
void fabric_survey_recall(struct fabric_survey *, size_t port,
                          const struct fabric_hops *old);

/* How many ports show with 99 % certainty all of 'n' routers among which
 * ports are spread evenly. */
size_t fabric_survey_ports_for(size_t n);

#endif /* fabric-survey.h */
