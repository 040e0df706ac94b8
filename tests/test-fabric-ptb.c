/* SPDX-License-Identifier: Apache-2.0 */

/* Tests of the messages "packet too big". */

#include <config.h>
#undef NDEBUG
#include "fabric-ptb.h"

#include "csum.h"
#include "fabric-bytes.h"
#include "fabric-check.h"
#include "ovstest.h"
#include "packets.h"
#include "util.h"

/* A frame whose IP packet is 1500 bytes. */
struct frame {
    size_t l3;
    size_t size;
    uint8_t bytes[22 + 1500];
};

static struct frame
make_frame(bool v6, bool tagged, uint8_t proto)
{
    struct frame f = { .l3 = tagged ? 18 : 14 };
    uint8_t *ip = f.bytes + f.l3;

    f.size = f.l3 + 1500;
    memcpy(f.bytes, "\x02\0\0\0\0\2\x02\0\0\0\0\1\x81\0\0\x07", 16);
    fabric_put_be16(ip - 2, v6 ? ETH_TYPE_IPV6 : ETH_TYPE_IP);
    if (v6) {
        ip[0] = 0x60;
        fabric_put_be16(ip + 4, 1460);
        ip[6] = proto;
        ip[8] = ip[24] = 0xfd;
        ip[23] = 1;
        ip[39] = 2;
    } else {
        ip[0] = 0x45;
        fabric_put_be16(ip + 2, 1500);
        fabric_put_be16(ip + 6, IP_DONT_FRAGMENT);
        ip[9] = proto;
        memcpy(ip + 12, "\xc0\xa8\0\1\xc0\xa8\0\2", 8);
    }
    for (size_t i = f.l3 + (v6 ? 40 : 20); i < f.size; i++) {
        f.bytes[i] = 128 + i % 100;
    }
    return f;
}

static size_t
compose(const struct frame *f, uint32_t mtu, uint8_t *message)
{
    /* Of exactly that size, for ASan. */
    uint8_t *copy = xmemdup(f->bytes, f->size);
    size_t n = fabric_ptb_compose(copy, f->size, mtu, message);

    free(copy);
    return n;
}

static void
test_ipv4(void)
{
    uint8_t m[FABRIC_PTB_MAX];

    for (int tagged = 0; tagged < 2; tagged++) {
        struct frame f = make_frame(false, tagged, IPPROTO_UDP);
        const uint8_t *ip = f.bytes + f.l3, *mip = m + f.l3;

        CHECK_EQ(compose(&f, 1450, m), f.l3 + 576);
        CHECK_BYTES(m, f.bytes + 6, 6);
        CHECK_BYTES(m + 6, f.bytes, 6);
        CHECK_BYTES(m + 12, f.bytes + 12, f.l3 - 12);
        CHECK_BYTES(mip + 12, ip + 16, 4);
        CHECK_BYTES(mip + 16, ip + 12, 4);
        CHECK_EQ(fabric_get_be16(mip + 2), 576);
        CHECK_EQ(mip[9], IPPROTO_ICMP);
        CHECK_EQ(csum(mip, 20), 0);
        CHECK_EQ(fabric_get_be16(mip + 20), 0x0304);
        CHECK_EQ(fabric_get_be32(mip + 24), 1450);
        CHECK_BYTES(mip + 28, ip, 576 - 28);
        CHECK_EQ(csum(mip + 20, 556), 0);
    }

    /* What is not to be told, or not so. */
    struct frame f = make_frame(false, false, IPPROTO_TCP), g;
    CHECK_EQ(compose(&f, 1500, m), 0);
    CHECK_TRUE(compose(&f, 1499, m));
    CHECK_TRUE(compose(&f, 10, m));
    CHECK_EQ(fabric_get_be32(m + 14 + 24), 68);
    static const struct {
        size_t ofs;
        uint8_t value;
    } changes[] = {
        { 0, 3 }, { 6, 3 },             /* Group MAC addresses. */
        { 12, 0x09 },                   /* Not IP. */
        { 14, 0x65 }, { 14, 0x44 },     /* Version, header length. */
        { 20, 0x00 },                   /* May be fragmented. */
        { 20, 0x41 },                   /* Not the first fragment. */
        { 26, 0 }, { 26, 127 }, { 26, 224 }, { 30, 239 }, { 30, 255 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        g = f;
        g.bytes[changes[i].ofs] = changes[i].value;
        CHECK_EQ(compose(&g, 1400, m), 0);
    }
    g = make_frame(false, false, IPPROTO_ICMP);
    g.bytes[34] = 3;
    CHECK_EQ(compose(&g, 1400, m), 0);
    g.bytes[34] = 8;
    CHECK_TRUE(compose(&g, 1400, m));
    for (g.size = 0; g.size < f.size; g.size++) {
        size_t n = compose(&g, 1400, m);

        CHECK_EQ(n, g.size <= 34 ? 0 : MIN(14 + 576, g.size + 28));
    }
    printf(".");
}

static void
test_ipv6(void)
{
    uint8_t m[FABRIC_PTB_MAX];

    for (int tagged = 0; tagged < 2; tagged++) {
        struct frame f = make_frame(true, tagged, IPPROTO_TCP);
        const uint8_t *ip = f.bytes + f.l3, *mip = m + f.l3;
        uint8_t pseudo[40 + 1240] = { 0 };

        CHECK_EQ(compose(&f, 1430, m), f.l3 + 1280);
        CHECK_BYTES(m, f.bytes + 6, 6);
        CHECK_BYTES(m + 6, f.bytes, 6);
        CHECK_BYTES(mip + 8, ip + 24, 16);
        CHECK_BYTES(mip + 24, ip + 8, 16);
        CHECK_EQ(fabric_get_be16(mip + 4), 1240);
        CHECK_EQ(mip[6], IPPROTO_ICMPV6);
        CHECK_EQ(fabric_get_be16(mip + 40), 0x0200);
        CHECK_EQ(fabric_get_be32(mip + 44), 1430);
        CHECK_BYTES(mip + 48, ip, 1232);
        memcpy(pseudo, mip + 8, 32);
        fabric_put_be32(pseudo + 32, 1240);
        pseudo[39] = IPPROTO_ICMPV6;
        memcpy(pseudo + 40, mip + 40, 1240);
        CHECK_EQ(csum(pseudo, sizeof pseudo), 0);
    }

    struct frame f = make_frame(true, false, IPPROTO_TCP), g;
    CHECK_EQ(compose(&f, 1500, m), 0);
    CHECK_TRUE(compose(&f, 1000, m));
    CHECK_EQ(fabric_get_be32(m + 14 + 44), 1280);
    fabric_put_be16(f.bytes + 18, 1240);
    CHECK_EQ(compose(&f, 1000, m), 0);

    static const uint8_t firsts[][2] = {
        { 0, 3 }, { 6, 1 }, { 14, 0x40 }, { 22, 0 }, { 22, 0xff },
        { 38, 0 }, { 38, 0xff },
    };
    for (size_t i = 0; i < ARRAY_SIZE(firsts); i++) {
        g = make_frame(true, false, IPPROTO_TCP);
        g.bytes[firsts[i][0]] = firsts[i][1];
        CHECK_EQ(compose(&g, 1400, m), 0);
    }

    /* Errors, also behind extension headers, and what may be one. */
    g = make_frame(true, false, IPPROTO_ICMPV6);
    CHECK_TRUE(compose(&g, 1400, m));
    g.bytes[54] = 2;
    CHECK_EQ(compose(&g, 1400, m), 0);
    g.bytes[54] = 137;
    CHECK_EQ(compose(&g, 1400, m), 0);
    g = make_frame(true, false, IPPROTO_DSTOPTS);
    g.bytes[54] = IPPROTO_FRAGMENT;
    g.bytes[55] = 1;
    memset(&g.bytes[70], 0, 8);
    g.bytes[70] = IPPROTO_ICMPV6;
    g.bytes[78] = 1;
    CHECK_EQ(compose(&g, 1400, m), 0);
    g.bytes[78] = 128;
    CHECK_TRUE(compose(&g, 1400, m));
    g.bytes[73] = 8;
    CHECK_EQ(compose(&g, 1400, m), 0);
    for (size_t i = 54; i < 1000; i++) {
        g.bytes[i] = 0;
    }
    g.bytes[20] = IPPROTO_HOPOPTS;
    CHECK_EQ(compose(&g, 1400, m), 0);
    g = make_frame(true, false, IPPROTO_UDP);
    for (g.size = 0; g.size < 1514; g.size++) {
        size_t n = compose(&g, 1400, m);

        CHECK_EQ(n, g.size < 54 ? 0 : MIN(14 + 1280, g.size + 48));
    }
    printf(".");
}

static void
test_rate(void)
{
    unsigned int n = 0;

    CHECK_TRUE(fabric_ptb_allow(7, 1000));
    CHECK_FALSE(fabric_ptb_allow(7, 1000));
    CHECK_FALSE(fabric_ptb_allow(7, 1000 + FABRIC_PTB_INTERVAL - 1));
    CHECK_TRUE(fabric_ptb_allow(7, 1000 + FABRIC_PTB_INTERVAL));
    for (uint32_t i = 0; i < 100000; i++) {
        n += fabric_ptb_allow(i, 5000 + i / 100);
    }
    CHECK_TRUE(n <= 10 * FABRIC_PTB_BUCKETS);
    printf(".");
}

static void
test_fabric_ptb(int argc OVS_UNUSED, char *argv[] OVS_UNUSED)
{
    test_ipv4();
    test_ipv6();
    test_rate();
    printf("\n");
}

OVSTEST_REGISTER("test-fabric-ptb", test_fabric_ptb);
