/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-survey.h"

#include <limits.h>

#include "packets.h"
#include "random.h"
#include "util.h"

size_t
fabric_survey_ports_for(size_t n)
{
    /* Those after which, were there n + 1 routers, one would still be missing
     * with a probability of at most 1 %: the least x for which
     * (n + 1) * (n / (n + 1)) ** x <= 0.01. */
    static const uint8_t ports[] = { 0, 8, 15, 21, 28, 36, 43, 51, 58 };

    return n < ARRAY_SIZE(ports) ? ports[n] : FABRIC_MAX_PATHS_PER_REMOTE;
}

void
fabric_survey_init(struct fabric_survey *s, size_t n_ports, size_t n_min,
                   const struct in6_addr *gateway)
{
    s->n_ports = MIN(n_ports, FABRIC_MAX_PATHS_PER_REMOTE);
    s->n_started = 0;
    s->gateway = *gateway;
    s->done = false;
    s->n_wanted = MIN(s->n_ports, MAX(n_min, fabric_survey_ports_for(1)));
}

/* What the ports have shown at one TTL. */
struct level {
    size_t n_heard;             /* Ports that showed a router. */
    size_t n_silent;            /* Ports that showed none. */
    size_t n_arrived;           /* Ports from which the remote is nearer. */
    size_t n_routers;           /* Different ones. */
    struct in6_addr first;      /* One of them. */
};

static bool
seen_before(const struct fabric_survey *s, size_t i, uint8_t ttl)
{
    for (size_t j = 0; j < i; j++) {
        const struct fabric_hops *hops = &s->traces[j].hops;

        if (ttl <= hops->n
            && ipv6_addr_equals(&hops->ip[ttl - 1],
                                &s->traces[i].hops.ip[ttl - 1])) {
            return true;
        }
    }
    return false;
}

static struct level
get_level(const struct fabric_survey *s, uint8_t ttl)
{
    struct level level = { .n_heard = 0 };

    for (size_t i = 0; i < s->n_started; i++) {
        const struct fabric_hops *hops = &s->traces[i].hops;

        if (ttl > hops->n) {
            level.n_arrived += hops->reached;
            level.n_silent += (!hops->reached && s->traces[i].done
                               && ttl <= s->traces[i].ttl);
        } else if (ipv6_is_zero(&hops->ip[ttl - 1])) {
            level.n_silent++;
        } else {
            level.n_heard++;
            if (!seen_before(s, i, ttl)) {
                level.n_routers++;
                level.first = hops->ip[ttl - 1];
            }
        }
    }
    return level;
}

/* Is it certain that all ports cross level->first at 'ttl'? */
static bool
is_settled(const struct fabric_survey *s, uint8_t ttl,
           const struct level *level)
{
    bool expected = ttl == 1 && ipv6_addr_equals(&level->first, &s->gateway);

    return (level->n_routers == 1
            && level->n_heard >= (expected ? FABRIC_SURVEY_CONFIRMED
                                  : FABRIC_SURVEY_SETTLED));
}

struct in6_addr
fabric_survey_gateway(const struct fabric_survey *s)
{
    struct level level = get_level(s, 1);

    return is_settled(s, 1, &level) ? level.first : in6addr_any;
}

bool
fabric_survey_heard(const struct fabric_survey *s)
{
    for (size_t i = 0; i < s->n_started; i++) {
        const struct fabric_hops *hops = &s->traces[i].hops;

        for (size_t j = 0; j < hops->n; j++) {
            if (!ipv6_is_zero(&hops->ip[j])) {
                return true;
            }
        }
    }
    return false;
}

static size_t
count_running(const struct fabric_survey *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n_started; i++) {
        n += !s->traces[i].done;
    }
    return n;
}

/* Finds out how many ports are to be tried. */
static void
update_wanted(struct fabric_survey *s)
{
    for (uint8_t ttl = 1; ttl <= FABRIC_MAX_HOPS; ttl++) {
        struct level level = get_level(s, ttl);

        if (!level.n_heard && !level.n_silent) {
            break;
        }
        s->n_wanted = MAX(s->n_wanted,
                          fabric_survey_ports_for(level.n_routers));
    }
    s->n_wanted = MIN(s->n_wanted, s->n_ports);
}

/* Starts traces while there should be more. */
static void
start_traces(struct fabric_survey *s)
{
    size_t n_running = count_running(s);

    if (s->n_started >= fabric_survey_ports_for(1)) {
        if (!n_running && !fabric_survey_heard(s)) {
            s->n_wanted = s->n_started;
        }
        update_wanted(s);
    }
    while (s->n_started < s->n_wanted && n_running < FABRIC_SURVEY_PARALLEL) {
        if (s->n_started == FABRIC_SURVEY_PARALLEL && n_running
            && !fabric_survey_heard(s)) {
            /* Maybe nobody answers. */
            break;
        }
        fabric_trace_init(&s->traces[s->n_started++], random_uint16());
        n_running++;
    }
}

/* Moves 't' on as far as it is known what would answer.  Behind a router that
 * is silent it is not: maybe that one forwards nothing. */
static void
assume(const struct fabric_survey *s, struct fabric_trace *t)
{
    while (!t->done && !t->waiting && !t->n_tries) {
        struct level level = get_level(s, t->ttl);

        if (is_settled(s, t->ttl, &level) && !t->n_silent) {
            fabric_trace_assume(t, &level.first);
        } else if (!level.n_heard && !level.n_arrived
                   && level.n_silent >= FABRIC_SURVEY_SETTLED) {
            fabric_trace_assume(t, &in6addr_any);
        } else {
            break;
        }
    }
}

/* Takes ports for which a router did not answer to cross the only one that did
 * for most: it was asked too often. */
static void
fill_gaps(struct fabric_survey *s)
{
    for (uint8_t ttl = 1; ttl <= FABRIC_MAX_HOPS; ttl++) {
        struct level level = get_level(s, ttl);

        if (!level.n_heard && !level.n_silent) {
            break;
        }
        if (!is_settled(s, ttl, &level)
            && (level.n_routers != 1 || level.n_heard <= level.n_silent)) {
            continue;
        }
        for (size_t i = 0; i < s->n_started; i++) {
            struct fabric_hops *hops = &s->traces[i].hops;

            if (ttl <= hops->n && ipv6_is_zero(&hops->ip[ttl - 1])) {
                hops->ip[ttl - 1] = level.first;
            }
        }
    }
}

bool
fabric_survey_next(struct fabric_survey *s, long long int now,
                   size_t *port, uint8_t *ttl, uint32_t *seq)
{
    for (;;) {
        size_t n_started = s->n_started;

        for (size_t i = 0; i < s->n_started; i++) {
            struct fabric_trace *t = &s->traces[i];

            if (!t->done && fabric_trace_run(t, now)) {
                assume(s, t);
                if (!t->done) {
                    *port = i;
                    *ttl = t->ttl;
                    *seq = fabric_trace_sent(t, now);
                    return true;
                }
            }
        }
        start_traces(s);
        if (s->n_started == n_started) {
            break;
        }
    }
    if (!s->done && !count_running(s)) {
        fill_gaps(s);
        s->done = true;
    }
    return false;
}

static bool
has_shown(const struct fabric_survey *s, uint8_t ttl,
          const struct in6_addr *router)
{
    for (size_t i = 0; i < s->n_started; i++) {
        const struct fabric_hops *hops = &s->traces[i].hops;

        if (ttl <= hops->n && ipv6_addr_equals(&hops->ip[ttl - 1], router)) {
            return true;
        }
    }
    return false;
}

void
fabric_survey_recall(struct fabric_survey *s, size_t port,
                     const struct fabric_hops *old)
{
    struct fabric_hops *hops = &s->traces[port].hops;

    if (!hops->reached || !old->reached || hops->n != old->n) {
        return;
    }
    for (size_t i = 0; i < hops->n; i++) {
        if (!ipv6_is_zero(&hops->ip[i])
            && !ipv6_is_zero(&old->ip[i])
            && !ipv6_addr_equals(&hops->ip[i], &old->ip[i])) {
            return;
        }
    }
    for (size_t i = 0; i < hops->n; i++) {
        if (ipv6_is_zero(&hops->ip[i]) && !ipv6_is_zero(&old->ip[i])
            && has_shown(s, i + 1, &old->ip[i])) {
            hops->ip[i] = old->ip[i];
        }
    }
}

long long int
fabric_survey_wake(const struct fabric_survey *s)
{
    long long int wake = LLONG_MAX;

    for (size_t i = 0; i < s->n_started; i++) {
        const struct fabric_trace *t = &s->traces[i];

        if (!t->done) {
            wake = MIN(wake, t->waiting ? t->deadline : 0);
        }
    }
    return s->n_started ? wake : 0;
}
