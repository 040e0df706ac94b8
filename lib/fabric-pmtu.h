/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_PMTU_H
#define FABRIC_PMTU_H 1

/* The MTU of one path, found out with probes.
 * ===========================================
 *
 * Datagram Packetization Layer Path MTU Discovery (RFC 8899 section 5): a
 * state machine that says which size to probe next and is told what arrived.
 * It has no clock, socket or lock of its own.  A probe is a packet of exactly
 * that size that routers must not fragment; it arrived if it is answered.
 *
 *     BASE        does the size that should always work, work?  If not, does
 *                 the least?
 *     SEARCHING   larger sizes are tried: the largest, then what links usually
 *                 have, then the middle, until what is left is less than
 *                 FABRIC_PMTU_STEP.
 *     COMPLETE    the size found is confirmed from time to time.  If it no
 *                 longer arrives, a black hole, the search begins again; and
 *                 so it does upwards after an interval, for the path may have
 *                 become wider.
 *     ERROR       not even the least size is answered.  Tried again after the
 *                 interval.
 *
 * The MTU in force changes only when a search ends.  What an ICMP error says
 * is only a hint: the size that it names is probed next (section 4.6).
 *
 * While small packets are not answered either, nothing is concluded from the
 * loss of large ones.
 *
 * Sizes are those of the outer IP packet; times are ms of any monotonic clock.
 *
 * Thread-safety: none, the caller locks. */

#include <stdbool.h>
#include <stdint.h>

/* MAX_PROBES, section 5.1.2; and PROBE_TIMER, section 5.1.1, beyond the round
 * trip, which doubles with each probe of a size. */
#define FABRIC_PMTU_MAX_PROBES 3
#define FABRIC_PMTU_TIMEOUT 300

/* CONFIRMATION_TIMER, section 5.1.1. */
#define FABRIC_PMTU_CONFIRM 15000

/* Least time between two that are not due, ms. */
#define FABRIC_PMTU_DOUBT 5000

/* BASE_PLPMTU: the least MTU of IPv6, taken for IPv4's as well; MIN_PLPMTU,
 * section 5.1.2; and the largest size that is probed. */
#define FABRIC_PMTU_BASE 1280
#define FABRIC_PMTU_MIN 576
#define FABRIC_PMTU_PROBE_MAX 9216

#define FABRIC_PMTU_STEP 4

enum fabric_pmtu_state {
    FABRIC_PMTU_BASE_STATE,
    FABRIC_PMTU_SEARCHING,
    FABRIC_PMTU_COMPLETE,
    FABRIC_PMTU_ERROR
};

struct fabric_pmtu {
    enum fabric_pmtu_state state;
    uint32_t mtu;               /* In force; 0 if not known. */
    uint32_t max;               /* Of the interface. */
    uint16_t size;              /* Largest that arrived, 0 if none. */
    uint16_t limit;             /* Larger ones do not arrive. */
    uint16_t hint;              /* To be probed next, or 0. */
    uint16_t probed;            /* Under way, or 0. */
    uint8_t n_probes;           /* Of 'probed'. */
    bool waiting;
    long long int deadline;     /* If waiting. */
    long long int confirm;      /* If complete, when to confirm. */
    long long int again;        /* If complete or in error: when to search. */
};

struct fabric_pmtu_env {
    long long int now;
    unsigned int rtt;           /* Round trip, ms. */
    unsigned int interval;      /* After which to search again,
                                 * PMTU_RAISE_TIMER of section 5.1.1. */
    uint32_t max;               /* MTU of the interface. */
    bool alive;                 /* Are small packets answered? */
};

/* Begins, with no MTU in force. */
void fabric_pmtu_init(struct fabric_pmtu *);

/* The path may be another one now: searches from the start. */
void fabric_pmtu_restart(struct fabric_pmtu *);

/* Large packets seem to be lost: confirms the size found at once, unless that
 * was done a moment ago. */
void fabric_pmtu_doubt(struct fabric_pmtu *, const struct fabric_pmtu_env *);

/* Returns the size of a probe that is to be sent now, and takes it for sent;
 * or 0. */
uint16_t fabric_pmtu_run(struct fabric_pmtu *,
                         const struct fabric_pmtu_env *);

/* Returns when fabric_pmtu_run() has something to do, 0 if now. */
long long int fabric_pmtu_wake(const struct fabric_pmtu *);

/* A probe of 'size' bytes was answered. */
void fabric_pmtu_answered(struct fabric_pmtu *, uint16_t size,
                          const struct fabric_pmtu_env *);

/* A probe of 'size' bytes does not fit, says a router, but one of 'mtu'
 * bytes. */
void fabric_pmtu_hint(struct fabric_pmtu *, uint16_t size, uint32_t mtu,
                      const struct fabric_pmtu_env *);

#endif /* fabric-pmtu.h */
