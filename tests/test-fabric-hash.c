/* SPDX-License-Identifier: Apache-2.0 */

/* Hash of the inner flow. */

#include <config.h>
#undef NDEBUG
#include "fabric-flow-hash.h"

#include "fabric-bytes.h"
#include "fabric-check.h"
#include "ovstest.h"
#include "packets.h"
#include "random.h"
#include "util.h"

#define N_BUCKETS 16

/* A frame's fields. */
struct spec {
    bool ipv6;
    int n_vlans;
    size_t ip_opts_len;         /* IPv4 only. */
    uint16_t frag_off;          /* IPv4 only. */
    uint32_t label;             /* IPv6 only. */
    uint8_t tos;
    uint8_t ttl;
    uint8_t proto;
    uint32_t src;               /* Low 32 bits of the address. */
    uint32_t dst;
    uint16_t sport;
    uint16_t dport;
    uint16_t eth_type;          /* 0: IPv4 or IPv6. */
    uint8_t mac;                /* Last byte of the source. */
};

static const struct spec tcp = {
    .ttl = 64,
    .proto = IPPROTO_TCP,
    .src = 0x0a000001,
    .dst = 0x0a000002,
    .sport = 40000,
    .dport = 443,
    .mac = 1,
};

/* Makes a frame of 's'.  Returns its size. */
static size_t
make(const struct spec *s, uint8_t *frame)
{
    size_t ofs = ETH_HEADER_LEN;

    memset(frame, 0, 128);
    frame[0] = frame[6] = 2;
    frame[11] = s->mac;
    for (int i = 0; i < s->n_vlans; i++) {
        fabric_put_be16(frame + ofs - 2, i + 1 < s->n_vlans
                        ? ETH_TYPE_VLAN_8021AD : ETH_TYPE_VLAN_8021Q);
        fabric_put_be16(frame + ofs, 10 + i);
        ofs += VLAN_HEADER_LEN;
    }
    fabric_put_be16(frame + ofs - 2, s->eth_type ? s->eth_type
                                     : s->ipv6 ? ETH_TYPE_IPV6 : ETH_TYPE_IP);
    if (s->ipv6) {
        fabric_put_be32(frame + ofs, 6u << 28 | s->tos << 20 | s->label);
        frame[ofs + 6] = s->proto;
        frame[ofs + 7] = s->ttl;
        frame[ofs + 8] = frame[ofs + 24] = 0xfd;
        fabric_put_be32(frame + ofs + 20, s->src);
        fabric_put_be32(frame + ofs + 36, s->dst);
        ofs += IPV6_HEADER_LEN;
    } else {
        frame[ofs] = IP_IHL_VER(5 + s->ip_opts_len / 4, 4);
        frame[ofs + 1] = s->tos;
        fabric_put_be16(frame + ofs + 6, s->frag_off);
        frame[ofs + 8] = s->ttl;
        frame[ofs + 9] = s->proto;
        fabric_put_be32(frame + ofs + 12, s->src);
        fabric_put_be32(frame + ofs + 16, s->dst);
        ofs += IP_HEADER_LEN + s->ip_opts_len;
    }
    fabric_put_be16(frame + ofs, s->sport);
    fabric_put_be16(frame + ofs + 2, s->dport);
    return ofs + 20;
}

static uint32_t
hash_of(const struct spec *s)
{
    uint8_t frame[128];
    size_t size = make(s, frame);

    return fabric_flow_hash(frame, size);
}

/* The values themselves are an interface: a BPF program computes them, too,
 * and an upgrade must not move flows to other paths.  They were computed by
 * an independent implementation of MurmurHash3. */
static void
test_golden(void)
{
    struct spec s = tcp;

    CHECK_EQ(hash_of(&s), 0x0fe8efae);
    s.ipv6 = true;
    s.label = 0x12345;
    CHECK_EQ(hash_of(&s), 0x9191a550);
    s = tcp;
    s.proto = IPPROTO_ICMP;
    CHECK_EQ(hash_of(&s), 0xc642415b);
    s.eth_type = ETH_TYPE_ARP;
    CHECK_EQ(hash_of(&s), 0x7cc4292d);
}

/* Only what makes a flow counts. */
static void
test_fields(void)
{
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        struct spec base = tcp;
        struct spec s;
        uint32_t h;

        base.ipv6 = ipv6;
        h = hash_of(&base);

#define SAME(CHANGE) s = base; CHANGE; CHECK_EQ(hash_of(&s), h)
#define DIFFERS(CHANGE) s = base; CHANGE; CHECK_TRUE(hash_of(&s) != h)

        SAME(s.tos = 0xb8);
        SAME(s.ttl--);
        SAME(s.mac++);
        SAME(s.n_vlans = 1);
        SAME(s.n_vlans = 2);
        DIFFERS(s.n_vlans = 3);     /* Beyond what is looked at. */
        DIFFERS(s.src++);
        DIFFERS(s.dst++);
        DIFFERS(s.sport++);
        DIFFERS(s.dport++);
        DIFFERS(s.proto = IPPROTO_UDP);
        DIFFERS(s.ipv6 = !s.ipv6);
        DIFFERS(s.src = base.dst; s.dst = base.src;
                s.sport = base.dport; s.dport = base.sport);
        if (ipv6) {
            DIFFERS(s.label++);
        } else {
            SAME(s.ip_opts_len = 8);
            SAME(s.frag_off = IP_DONT_FRAGMENT);
        }
    }
}

/* No ports but of TCP, UDP and SCTP. */
static void
test_protocols(void)
{
    for (int proto = 0; proto < 256; proto++) {
        struct spec a = tcp, b;

        a.proto = proto;
        b = a;
        b.sport++;
        CHECK_EQ(hash_of(&a) != hash_of(&b),
                 proto == IPPROTO_TCP || proto == IPPROTO_UDP
                 || proto == IPPROTO_SCTP);
        a.ipv6 = b.ipv6 = true;
        CHECK_EQ(hash_of(&a) != hash_of(&b),
                 proto == IPPROTO_TCP || proto == IPPROTO_UDP
                 || proto == IPPROTO_SCTP);
    }
}

/* All fragments go the same way, the first with ports and the others with
 * data in their place. */
static void
test_fragments(void)
{
    struct spec first = tcp;
    struct spec s;

    first.proto = IPPROTO_UDP;
    first.frag_off = IP_MORE_FRAGMENTS;
    for (uint16_t ofs = 1; ofs < 8000; ofs += 37) {
        s = first;
        s.frag_off = ofs | (ofs % 2 ? IP_MORE_FRAGMENTS : 0);
        s.sport = ofs;
        s.dport = ~ofs;
        CHECK_EQ(hash_of(&s), hash_of(&first));
    }

    /* Neither has a header whose length cannot be. */
    uint8_t frame[128];
    size_t size;

    s = first;
    s.frag_off = 0;
    size = make(&s, frame);
    frame[ETH_HEADER_LEN] = IP_IHL_VER(4, 4);
    CHECK_EQ(fabric_flow_hash(frame, size), hash_of(&first));

    first.ipv6 = true;
    first.proto = IPPROTO_FRAGMENT;
    s = first;
    s.sport++;
    CHECK_EQ(hash_of(&s), hash_of(&first));
}

/* Neither the size nor the alignment of what a frame is cut to leads astray,
 * and what lies behind the flow's fields does not matter. */
static void
test_truncated(void)
{
    for (int variant = 0; variant < 12; variant++) {
        struct spec s = tcp;
        size_t size, fields;
        uint8_t frame[128];
        uint32_t h;

        s.ipv6 = variant % 2;
        s.n_vlans = variant / 2 % 3;
        s.ip_opts_len = variant >= 6 && !s.ipv6 ? 40 : 0;
        size = make(&s, frame);
        fields = size - 16;
        h = fabric_flow_hash(frame, size);
        for (size_t n = 0; n <= size; n++) {
            /* Exactly 'n' bytes, for AddressSanitizer. */
            uint8_t *copy = xmemdup(frame, n);
            uint8_t shifted[129];

            memcpy(shifted + 1, frame, n);
            CHECK_EQ(fabric_flow_hash(copy, n),
                     fabric_flow_hash(shifted + 1, n));
            CHECK_EQ(fabric_flow_hash(copy, n) == h, n >= fields);
            free(copy);
        }
    }
}

/* Fails unless 'hashes' fill both the low and the high bits' buckets evenly:
 * chi-squared of 15 degrees of freedom exceeds 50 once in 90,000 times. */
static void
check_spread(const char *what, const uint32_t *hashes, size_t n)
{
    for (int shift = 0; shift <= 28; shift += 4) {
        double expected = (double) n / N_BUCKETS;
        size_t buckets[N_BUCKETS] = { 0 };
        double chi2 = 0;

        for (size_t i = 0; i < n; i++) {
            buckets[(hashes[i] >> shift) % N_BUCKETS]++;
        }
        for (int i = 0; i < N_BUCKETS; i++) {
            double diff = buckets[i] - expected;

            chi2 += diff * diff / expected;
        }
        if (chi2 > 50) {
            printf("\n%s: bits %d to %d spread unevenly, chi-squared %.1f\n",
                   what, shift, shift + 3, chi2);
            exit(1);
        }
    }
}

/* Flows as workloads make them: neighbours in one field only. */
static void
test_spread(void)
{
    enum { N = 4096 };
    uint32_t hashes[N];

    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        struct spec base = tcp;
        struct spec s;

        base.ipv6 = ipv6;
#define SPREAD(CHANGE)                          \
        for (int i = 0; i < N; i++) {           \
            s = base;                           \
            CHANGE;                             \
            hashes[i] = hash_of(&s);            \
        }                                       \
        check_spread(#CHANGE, hashes, N)

        SPREAD(s.sport += i);
        SPREAD(s.sport += 2 * i);       /* Linux picks ports of one parity. */
        SPREAD(s.sport += 16 * i);
        SPREAD(s.dport += i);
        SPREAD(s.src += i);
        SPREAD(s.src += i << 8);
        SPREAD(s.dst += i);
        SPREAD(s.src += i; s.dst += i);
        SPREAD(s.src += i / 64; s.dst += i % 64);
        SPREAD(s.sport += i; s.dport += i);
        SPREAD(s.proto = IPPROTO_ICMP; s.dst += i);
        if (ipv6) {
            SPREAD(s.label += i);
        }
        SPREAD(s.eth_type = ETH_TYPE_ARP; s.src = i; s.mac = i;
               s.eth_type += i >> 8);
    }
}

/* One bit of the flow moves every bit of the hash about half of the time. */
static void
test_avalanche(void)
{
    enum { ROUNDS = 2000, FIRST = 26, LAST = 38 };
    unsigned int flips[(LAST - FIRST) * 8][32] = { { 0 } };

    for (int round = 0; round < ROUNDS; round++) {
        struct spec s = tcp;
        uint8_t frame[128];
        size_t size;
        uint32_t h;

        s.src = random_uint32();
        s.dst = random_uint32();
        s.sport = random_uint32();
        s.dport = random_uint32();
        size = make(&s, frame);
        h = fabric_flow_hash(frame, size);
        for (int bit = 0; bit < (LAST - FIRST) * 8; bit++) {
            uint8_t *p = &frame[FIRST + bit / 8];
            uint32_t diff;

            *p ^= 1u << bit % 8;
            diff = h ^ fabric_flow_hash(frame, size);
            *p ^= 1u << bit % 8;
            for (int i = 0; i < 32; i++) {
                flips[bit][i] += diff >> i & 1;
            }
        }
    }
    for (int bit = 0; bit < (LAST - FIRST) * 8; bit++) {
        for (int i = 0; i < 32; i++) {
            double share = (double) flips[bit][i] / ROUNDS;

            if (share < 0.4 || share > 0.6) {
                printf("\nbit %d of the flow moves bit %d of the hash in "
                       "%.2f of cases\n", bit, i, share);
                exit(1);
            }
        }
    }
}

static void
test_fabric_hash_main(int argc OVS_UNUSED, char *argv[] OVS_UNUSED)
{
    random_set_seed(1);
    CHECK_PROPERTY(test_golden);
    CHECK_PROPERTY(test_fields);
    CHECK_PROPERTY(test_protocols);
    CHECK_PROPERTY(test_fragments);
    CHECK_PROPERTY(test_truncated);
    CHECK_PROPERTY(test_spread);
    CHECK_PROPERTY(test_avalanche);
    putchar('\n');
}

OVSTEST_REGISTER("test-fabric-hash", test_fabric_hash_main);
