/* SPDX-License-Identifier: Apache-2.0 */

/* A sequence number is the nonce (16 bits), the TTL (8) and which try it is
 * (8). */

#include <config.h>

#include "fabric-trace.h"

#include "fabric-bytes.h"
#include "fabric-drops.h"
#include "fabric-encap.h"
#include "fabric-stamp.h"
#include "packets.h"
#include "util.h"

void
fabric_trace_init(struct fabric_trace *t, uint16_t nonce)
{
    *t = (struct fabric_trace) { .nonce = nonce, .ttl = 1 };
}

static void
finish(struct fabric_trace *t)
{
    /* Routers that did not answer behind the last that did may not be
     * there. */
    while (!t->hops.reached && t->hops.n
           && ipv6_is_zero(&t->hops.ip[t->hops.n - 1])) {
        t->hops.n--;
    }
    t->waiting = false;
    t->done = true;
}

/* Notes 'router' at t->ttl and goes on to the next. */
static void
advance(struct fabric_trace *t, const struct in6_addr *router)
{
    t->hops.ip[t->ttl - 1] = *router;
    t->hops.n = t->ttl;
    t->n_silent = ipv6_is_zero(router) ? t->n_silent + 1 : 0;
    t->waiting = false;
    t->n_tries = 0;
    if (t->n_silent >= FABRIC_TRACE_MAX_SILENT || t->ttl >= FABRIC_MAX_HOPS) {
        finish(t);
    } else {
        t->ttl++;
    }
}

bool
fabric_trace_run(struct fabric_trace *t, long long int now)
{
    if (t->waiting && now >= t->deadline) {
        t->waiting = false;
        if (t->n_tries >= FABRIC_TRACE_TRIES) {
            advance(t, &in6addr_any);
        }
    }
    return !t->done && !t->waiting;
}

uint32_t
fabric_trace_sent(struct fabric_trace *t, long long int now)
{
    t->waiting = true;
    t->deadline = now + (FABRIC_TRACE_TIMEOUT << t->n_tries);
    return (uint32_t) t->nonce << 16 | t->ttl << 8 | t->n_tries++;
}

void
fabric_trace_assume(struct fabric_trace *t, const struct in6_addr *router)
{
    advance(t, router);
}

/* Returns the TTL of datagram 'seq' of 't', or 0 if it has sent none such. */
static uint8_t
seq_ttl(const struct fabric_trace *t, uint32_t seq)
{
    uint8_t ttl = seq >> 8;

    return (seq >> 16 == t->nonce && ttl <= t->ttl
            && (seq & 0xff) < FABRIC_TRACE_TRIES
            && (ttl < t->ttl || t->n_tries)) ? ttl : 0;
}

static void
arrive(struct fabric_trace *t, uint8_t ttl)
{
    t->hops.n = ttl - 1;
    t->hops.reached = true;
    finish(t);
}

void
fabric_trace_error(struct fabric_trace *t, enum fabric_trace_error error,
                   uint32_t seq, const struct in6_addr *offender)
{
    uint8_t ttl = seq_ttl(t, seq);

    if (t->done || !ttl) {
        return;
    }
    if (error == FABRIC_TRACE_ARRIVED) {
        arrive(t, ttl);
    } else if (ttl < t->ttl) {
        /* Late. */
        if (error == FABRIC_TRACE_EXPIRED
            && ipv6_is_zero(&t->hops.ip[ttl - 1])) {
            t->hops.ip[ttl - 1] = *offender;
        }
    } else if (t->n_tries) {
        advance(t, offender);
        if (error == FABRIC_TRACE_REFUSED) {
            finish(t);
        }
    }
}

void
fabric_trace_answer(struct fabric_trace *t, uint32_t seq)
{
    uint8_t ttl = seq_ttl(t, seq);

    if (!t->done && ttl) {
        arrive(t, ttl);
    }
}

/* How an inner frame has the sequence number: behind Ethernet, IP and UDP, no
 * options or extension headers (fabric-stamp.h). */
#define SEQ_OFS_IPV4 (ETH_HEADER_LEN + IP_HEADER_LEN + UDP_HEADER_LEN)
#define SEQ_OFS_IPV6 (ETH_HEADER_LEN + IPV6_HEADER_LEN + UDP_HEADER_LEN)

bool
fabric_trace_parse_quote(enum fabric_encap encap, uint32_t vni,
                         const struct eth_addr *src_mac,
                         const void *data_, size_t size, uint32_t *seq)
{
    const uint8_t *data = data_;
    struct fabric_encap_info info;
    enum fabric_drop drop;
    uint16_t eth_type;
    size_t ofs;

    if (!fabric_encap_parse(encap, data, size, &info, &drop)
        || info.vni != vni) {
        return false;
    }
    data += info.header_len;
    size -= info.header_len;
    if (!fabric_stamp_is_probe(data, size)
        || memcmp(data + ETH_ADDR_LEN, src_mac, ETH_ADDR_LEN)) {
        return false;
    }
    eth_type = fabric_get_be16(data + ETH_HEADER_LEN - 2);
    ofs = (eth_type == ETH_TYPE_IP ? SEQ_OFS_IPV4
           : eth_type == ETH_TYPE_IPV6 ? SEQ_OFS_IPV6 : SIZE_MAX);
    if (ofs == SIZE_MAX || size < ofs + sizeof *seq) {
        return false;
    }
    *seq = fabric_get_be32(data + ofs);
    return true;
}
