/* SPDX-License-Identifier: Apache-2.0 */

/* Fuzzes what ICMP errors quote, and what a trace makes of them.  Input: a
 * byte that chooses, then the quoted UDP payload. */

#include <config.h>
#include "fabric-trace.h"

#include "fuzz.h"
#include "packets.h"
#include "util.h"

#define VNI 1

/* That of the seeds. */
static const struct eth_addr src_mac = ETH_ADDR_C(02,00,00,00,00,01);

/* A trace with nonce 'nonce' that has sent up to TTL 'ttl'. */
static void
start(struct fabric_trace *t, uint16_t nonce, uint8_t ttl)
{
    const struct in6_addr router = { .s6_addr = { 1 } };

    fabric_trace_init(t, nonce);
    while (t->ttl < ttl) {
        fabric_trace_error(t, FABRIC_TRACE_EXPIRED, fabric_trace_sent(t, 0),
                           &router);
    }
    fabric_trace_sent(t, 0);
}

static void
check(const struct fabric_trace *t, uint8_t ttl)
{
    FUZZ_CHECK(t->ttl >= ttl && t->ttl <= ttl + 1);
    FUZZ_CHECK(t->hops.n <= t->ttl && t->hops.n <= FABRIC_MAX_HOPS);
    FUZZ_CHECK(!t->done || !t->waiting);
}

static void
fuzz_trace(uint32_t seq, enum fabric_trace_error error)
{
    const struct in6_addr offender = { .s6_addr = { 2 } };
    uint8_t ttl = 1 + (seq >> 8) % FABRIC_MAX_HOPS;
    struct fabric_trace t;

    /* A guess that is right in all but the nonce changes nothing. */
    start(&t, ~(seq >> 16), ttl);
    fabric_trace_error(&t, error, seq, &offender);
    fabric_trace_answer(&t, seq);
    FUZZ_CHECK(t.waiting && t.ttl == ttl && t.hops.n == ttl - 1);

    start(&t, seq >> 16, ttl);
    fabric_trace_error(&t, error, seq, &offender);
    check(&t, ttl);
    start(&t, seq >> 16, ttl);
    fabric_trace_answer(&t, seq);
    check(&t, ttl);
    FUZZ_CHECK(t.hops.reached == t.done);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size) {
        enum fabric_encap encap = (data[0] & 1 ? FABRIC_ENCAP_GENEVE
                                   : FABRIC_ENCAP_VXLAN);
        uint8_t *quote = xmemdup(data + 1, size - 1);
        uint32_t seq;

        if (fabric_trace_parse_quote(encap, VNI, &src_mac, quote, size - 1,
                                     &seq)) {
            fuzz_trace(seq, data[0] / 2 % (FABRIC_TRACE_ARRIVED + 1));
        }
        free(quote);
    }
    return 0;
}
