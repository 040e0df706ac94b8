/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_TRACE_H
#define FABRIC_TRACE_H 1

/* One traceroute: the routers that datagrams from one source port cross.
 * ======================================================================
 *
 * A state machine that says which datagram to send next and is told of the
 * ICMP errors and answers that come back.  It has no clock, socket or lock of
 * its own.  Datagrams are sent with outer TTL (hop limit) 1, 2, ..., one after
 * the other, each again if there is no answer, until the remote answers, or
 * FABRIC_TRACE_MAX_SILENT routers in a row do not, or a router says that it
 * has no route.
 *
 * Each datagram has a sequence number, which tells its TTL.  Routers quote as
 * much as they can of the datagram that they discard (RFC 1812 section
 * 4.3.2.3, RFC 4443 section 2.4), and there the sequence number is found, with
 * the inner source address, a random one.  An error without these can be from
 * anybody who knows addresses and ports, and counts for nothing: a router that
 * quotes no more than the UDP header (RFC 792) is taken for one that is
 * silent.
 *
 * Times are ms of any monotonic clock.
 *
 * Thread-safety: none, the caller locks. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "fabric-types.h"
#include "openvswitch/types.h"

#define FABRIC_TRACE_TIMEOUT 400        /* ms; doubles with each try. */
#define FABRIC_TRACE_TRIES 3
#define FABRIC_TRACE_MAX_SILENT 3

enum fabric_trace_error {
    FABRIC_TRACE_EXPIRED,       /* Time exceeded in transit. */
    FABRIC_TRACE_REFUSED,       /* Destination unreachable, says a router. */
    FABRIC_TRACE_ARRIVED,       /* Likewise, but it is the remote itself. */
};

struct fabric_trace {
    struct fabric_hops hops;    /* What is known so far. */
    uint16_t nonce;             /* Upper half of sequence numbers. */
    uint8_t ttl;                /* Of the datagram under way, or the next. */
    uint8_t n_tries;            /* Sent with that. */
    uint8_t n_silent;           /* TTLs in a row without answer. */
    bool waiting;               /* Is a datagram under way? */
    bool done;
    long long int deadline;     /* Of the datagram under way. */
};

/* 'nonce' should be hard to guess: whoever knows it can invent routers. */
void fabric_trace_init(struct fabric_trace *, uint16_t nonce);

/* Gives up a datagram that is overdue.  Returns true if one with t->ttl is to
 * be sent, by fabric_trace_sent(), which returns its sequence number. */
bool fabric_trace_run(struct fabric_trace *t, long long int now);
uint32_t fabric_trace_sent(struct fabric_trace *, long long int now);

/* Instead of sending: takes 'router' (in6addr_any: one that is silent) for
 * what would answer. */
void fabric_trace_assume(struct fabric_trace *, const struct in6_addr *router);

/* An ICMP error came from 'offender' that quotes sequence 'seq'. */
void fabric_trace_error(struct fabric_trace *, enum fabric_trace_error,
                        uint32_t seq, const struct in6_addr *offender);

/* The remote answered the datagram with sequence 'seq'. */
void fabric_trace_answer(struct fabric_trace *, uint32_t seq);

/* Finds the sequence number in the 'size' bytes at 'data' that an ICMP error
 * quotes of the UDP payload of a test packet in 'encap' on 'vni': the first
 * bytes, maybe too few.  Returns false if it is not there or the test packet
 * does not come from 'src_mac'.  Pure function, any thread. */
bool fabric_trace_parse_quote(enum fabric_encap encap, uint32_t vni,
                              const struct eth_addr *src_mac,
                              const void *data, size_t size, uint32_t *seq);

#endif /* fabric-trace.h */
