/* SPDX-License-Identifier: Apache-2.0 */

/* VXLAN and Geneve headers. */

#include <config.h>
#undef NDEBUG
#include "fabric-encap.h"

#include "dp-packet.h"
#include "fabric-bytes.h"
#include "fabric-check.h"
#include "netdev-native-tnl.h"
#include "openvswitch/meta-flow.h"
#include "openvswitch/ofp-match.h"
#include "openvswitch/vlog.h"
#include "ovstest.h"
#include "packets.h"
#include "random.h"
#include "tun-metadata.h"
#include "util.h"

static const enum fabric_encap encaps[] = {
#define FABRIC_ENCAP(ENUM, NAME, PORT) FABRIC_ENCAP_##ENUM,
    FABRIC_ENCAPS
#undef FABRIC_ENCAP
};

/* Headers as they are written: the options of the Geneve one are class 0x0102
 * type 0x03 with one word and class 0xffff type 0x80 (critical) with none. */
static const uint8_t vxlan[] = { 8, 0, 0, 0, 0x12, 0x34, 0x56, 0 };
static const uint8_t geneve[] = {
    0x03, 0x40, 0x65, 0x58, 0x12, 0x34, 0x56, 0,
    0x01, 0x02, 0x03, 0x01, 0xde, 0xad, 0xbe, 0xef,
    0xff, 0xff, 0x80, 0x00,
};

/* Parses a copy of 'header' with 'frame_len' bytes behind it, in memory that
 * ends there so that AddressSanitizer sees a read beyond.  Returns
 * FABRIC_N_DROPS if it is accepted. */
static enum fabric_drop
parse(enum fabric_encap encap, const void *header, size_t header_len,
      size_t frame_len, struct fabric_encap_info *info)
{
    uint8_t *data = xzalloc(header_len + frame_len);
    enum fabric_drop drop = FABRIC_N_DROPS;
    struct fabric_encap_info dummy;
    bool ok;

    memcpy(data, header, header_len);
    ok = fabric_encap_parse(encap, data, header_len + frame_len,
                            info ? info : &dummy, &drop);
    CHECK_EQ(ok, drop == FABRIC_N_DROPS);
    free(data);
    return drop;
}

static void
test_vxlan(void)
{
    struct flow_tnl tnl = { .tun_id = htonll(0x123456) };
    uint8_t header[FABRIC_ENCAP_MAX_HLEN];
    struct fabric_encap_info info;

    CHECK_EQ(fabric_encap_build(FABRIC_ENCAP_VXLAN, &tnl, header), 8);
    CHECK_BYTES(header, vxlan, sizeof vxlan);
    CHECK_EQ(fabric_encap_build_simple(FABRIC_ENCAP_VXLAN, 0x123456, true,
                                       header), 8);
    CHECK_BYTES(header, vxlan, sizeof vxlan);

    CHECK_EQ(parse(FABRIC_ENCAP_VXLAN, vxlan, 8, 14, &info), FABRIC_N_DROPS);
    CHECK_EQ(info.vni, 0x123456);
    CHECK_EQ(info.header_len, 8);
    CHECK_EQ(info.opts_len, 0);
    CHECK_TRUE(!info.opts);
    CHECK_FALSE(info.oam || info.critical);

    for (size_t size = 0; size < 8 + 14; size++) {
        CHECK_EQ(parse(FABRIC_ENCAP_VXLAN, vxlan, MIN(size, 8),
                       size - MIN(size, 8), NULL), FABRIC_DROP_RX_TRUNCATED);
    }
}

/* Every bit that is not the VNI: ignored, refused, or the I flag. */
static void
test_vxlan_flags(void)
{
    for (int bit = 0; bit < 64; bit++) {
        struct fabric_encap_info info;
        uint8_t header[8];
        bool refused;

        if (bit >= 32 && bit < 56) {
            continue;
        }
        memcpy(header, vxlan, sizeof vxlan);
        header[bit / 8] ^= 0x80 >> bit % 8;

        /* GPE version (2, 3), I flag (4), GPE next protocol (5) and OAM (7),
         * remote checksum offload (10). */
        refused = (bit == 2 || bit == 3 || bit == 4 || bit == 5 || bit == 7
                   || bit == 10);
        CHECK_EQ(parse(FABRIC_ENCAP_VXLAN, header, 8, 60, &info),
                 refused ? FABRIC_DROP_RX_BAD_HEADER : FABRIC_N_DROPS);
        if (!refused) {
            CHECK_EQ(info.vni, 0x123456);
        }
    }
}

static void
test_geneve(void)
{
    struct fabric_encap_info info;
    struct flow_tnl tnl = {
        .tun_id = htonll(0x123456),
        .flags = FLOW_TNL_F_UDPIF,
    };
    uint8_t header[FABRIC_ENCAP_MAX_HLEN];
    uint8_t simple[] = { 0, 0x80, 0x65, 0x58, 0, 0, 7, 0 };

    tnl.metadata.present.len = 12;
    memcpy(tnl.metadata.opts.u8, geneve + 8, 12);
    CHECK_EQ(fabric_encap_build(FABRIC_ENCAP_GENEVE, &tnl, header), 20);
    CHECK_BYTES(header, geneve, sizeof geneve);
    CHECK_EQ(fabric_encap_build(FABRIC_ENCAP_VXLAN, &tnl, header), 8);
    CHECK_BYTES(header, vxlan, sizeof vxlan);
    CHECK_EQ(fabric_encap_build_simple(FABRIC_ENCAP_GENEVE, 7, true, header),
             8);
    CHECK_BYTES(header, simple, sizeof simple);

    CHECK_EQ(parse(FABRIC_ENCAP_GENEVE, geneve, 20, 14, &info),
             FABRIC_N_DROPS);
    CHECK_EQ(info.vni, 0x123456);
    CHECK_EQ(info.header_len, 20);
    CHECK_EQ(info.opts_len, 12);
    CHECK_TRUE(info.critical);
    CHECK_FALSE(info.oam);

    CHECK_EQ(parse(FABRIC_ENCAP_GENEVE, simple, 8, 14, &info),
             FABRIC_N_DROPS);
    CHECK_EQ(info.vni, 7);
    CHECK_TRUE(info.oam);
    CHECK_TRUE(!info.opts);

    /* The C bit is what the sender says, whatever the options. */
    memcpy(header, geneve, sizeof geneve);
    header[1] = 0;
    CHECK_EQ(parse(FABRIC_ENCAP_GENEVE, header, 20, 14, &info),
             FABRIC_N_DROPS);
    CHECK_FALSE(info.critical);

    for (size_t size = 0; size < 20 + 14; size++) {
        CHECK_EQ(parse(FABRIC_ENCAP_GENEVE, geneve, MIN(size, 20),
                       size - MIN(size, 20), NULL), FABRIC_DROP_RX_TRUNCATED);
    }
}

static void
test_geneve_refuses(void)
{
    static const struct {
        size_t ofs;
        uint8_t value;
        enum fabric_drop drop;
    } changes[] = {
        { 0, 0x43, FABRIC_DROP_RX_BAD_HEADER },     /* Version 1. */
        { 0, 0x83, FABRIC_DROP_RX_BAD_HEADER },     /* Version 2. */
        { 0, 0x02, FABRIC_N_DROPS },                /* Frame begins sooner. */
        { 0, 0x3f, FABRIC_DROP_RX_TRUNCATED },      /* 252 bytes of options. */
        { 1, 0x7f, FABRIC_N_DROPS },                /* Reserved bits. */
        { 7, 0xff, FABRIC_N_DROPS },
        { 2, 0x08, FABRIC_DROP_RX_BAD_PROTOCOL },
        { 3, 0x59, FABRIC_DROP_RX_BAD_PROTOCOL },
        { 11, 0x02, FABRIC_N_DROPS },               /* Takes the next one. */
        { 11, 0x03, FABRIC_DROP_RX_BAD_HEADER },    /* Beyond the options. */
        { 11, 0x1f, FABRIC_DROP_RX_BAD_HEADER },
        { 11, 0xe1, FABRIC_N_DROPS },               /* Reserved bits. */
        { 19, 0x01, FABRIC_DROP_RX_BAD_HEADER },    /* The last one, too. */
    };

    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        uint8_t header[sizeof geneve];

        memcpy(header, geneve, sizeof geneve);
        header[changes[i].ofs] = changes[i].value;
        CHECK_EQ(parse(FABRIC_ENCAP_GENEVE, header, sizeof header, 60, NULL),
                 changes[i].drop);
    }
}

/* Options from OpenFlow fields. */
static void
test_geneve_fields(void)
{
    struct ofputil_tlv_map map = {
        .option_class = 0x0102, .option_type = 0x03, .option_len = 4,
        .index = 0,
    };
    struct ofputil_tlv_map critical = {
        .option_class = 0xffff, .option_type = 0x80, .option_len = 8,
        .index = 1,
    };
    struct ofputil_tlv_table_mod mod = { .command = NXTTMC_ADD };
    struct flow_tnl tnl = { .tun_id = htonll(0x123456) };
    uint8_t header[FABRIC_ENCAP_MAX_HLEN];
    union mf_value value;
    struct tun_table *table;

    ovs_list_init(&mod.mappings);
    ovs_list_push_back(&mod.mappings, &map.list_node);
    ovs_list_push_back(&mod.mappings, &critical.list_node);
    CHECK_EQ(tun_metadata_table_mod(&mod, NULL, &table), 0);

    tnl.metadata.tab = table;
    CHECK_EQ(fabric_encap_build(FABRIC_ENCAP_GENEVE, &tnl, header), 8);

    memset(&value, 0, sizeof value);
    fabric_put_be32(value.tun_metadata + 120, 0xdeadbeef);
    tun_metadata_write(&tnl, mf_from_id(MFF_TUN_METADATA0), &value);
    CHECK_EQ(fabric_encap_build(FABRIC_ENCAP_GENEVE, &tnl, header), 16);
    CHECK_EQ(header[0], 2);
    CHECK_EQ(header[1], 0);
    CHECK_BYTES(header + 2, geneve + 2, 14);

    tun_metadata_write(&tnl, mf_from_id(MFF_TUN_METADATA1), &value);
    CHECK_EQ(fabric_encap_build(FABRIC_ENCAP_GENEVE, &tnl, header), 28);
    CHECK_EQ(header[0], 5);
    CHECK_EQ(header[1], 0x40);
    CHECK_EQ(parse(FABRIC_ENCAP_GENEVE, header, 28, 14, NULL),
             FABRIC_N_DROPS);
    tun_metadata_free(table);
}

/* Random valid Geneve options; returns their length. */
static size_t
random_options(uint8_t *opts, bool *critical)
{
    size_t len = 0, max = random_range(64) * 4;

    *critical = false;
    while (len < max) {
        size_t words = random_range(MIN(32, (max - len) / 4));

        fabric_put_be32(opts + len, random_uint32());
        opts[len + 3] = (opts[len + 3] & 0xe0) | words;
        *critical |= opts[len + 2] >> 7;
        for (size_t i = 0; i < words; i++) {
            fabric_put_be32(opts + len + 4 + i * 4, random_uint32());
        }
        len += 4 + words * 4;
    }
    return len;
}

/* What is built from a tunnel key is parsed to the same tunnel key. */
static void
test_round_trip(void)
{
    for (int round = 0; round < 20000; round++) {
        enum fabric_encap encap = encaps[round % ARRAY_SIZE(encaps)];
        bool has_opts = encap == FABRIC_ENCAP_GENEVE;
        struct flow_tnl in = { .flags = FLOW_TNL_F_UDPIF | FLOW_TNL_F_KEY };
        uint8_t header[FABRIC_ENCAP_MAX_HLEN + ETH_HEADER_LEN + 1];
        struct fabric_encap_info info;
        enum fabric_drop drop;
        struct flow_tnl out;
        bool critical;
        size_t len;

        in.tun_id = htonll(random_uint32() & FABRIC_MAX_VNI);
        in.flags |= random_range(2) ? FLOW_TNL_F_OAM : 0;
        in.metadata.present.len = random_options(in.metadata.opts.u8,
                                                 &critical);

        len = fabric_encap_build(encap, &in, header + round % 2);
        CHECK_EQ(len % 4, 0);
        CHECK_TRUE(fabric_encap_parse(encap, header + round % 2,
                                      len + ETH_HEADER_LEN, &info, &drop));
        CHECK_EQ(info.header_len, len);
        CHECK_EQ(info.critical, has_opts && critical);

        memset(&out, 0xcc, sizeof out);
        out.flags = FLOW_TNL_F_CSUM;
        fabric_encap_to_tnl(encap, &info, &out);
        CHECK_EQ(ntohll(out.tun_id), ntohll(in.tun_id));
        if (has_opts) {
            size_t n = in.metadata.present.len;

            CHECK_EQ(out.flags, in.flags | FLOW_TNL_F_CSUM);
            CHECK_EQ(out.metadata.present.map, in.metadata.present.map);
            CHECK_TRUE(!out.metadata.tab);
            CHECK_BYTES(out.metadata.opts.u8, in.metadata.opts.u8,
                        ROUND_UP(n, 8));
        } else {
            CHECK_EQ(out.flags, FLOW_TNL_F_KEY | FLOW_TNL_F_CSUM);
        }
    }
}

/* Random headers, most of them almost valid, mean the same to upstream's own
 * tunnel ports wherever these accept them. */
static void
test_upstream(void)
{
    enum { OUTER = ETH_HEADER_LEN + IP_HEADER_LEN + UDP_HEADER_LEN };
    size_t n_accepted = 0;

    for (int round = 0; round < 20000; round++) {
        enum fabric_encap encap = encaps[round % ARRAY_SIZE(encaps)];
        uint8_t buf[OUTER + FABRIC_ENCAP_MAX_HLEN + ETH_HEADER_LEN];
        struct fabric_encap_info info;
        struct dp_packet *packet;
        enum fabric_drop drop;
        struct flow_tnl tnl;
        bool critical, ok;
        size_t size;

        memset(buf, 0, sizeof buf);
        buf[14] = IP_IHL_VER(5, 4);
        buf[23] = IPPROTO_UDP;
        size = OUTER + fabric_encap_build_simple(encap, random_uint32() >> 8,
                                                 random_range(2),
                                                 buf + OUTER);
        if (encap == FABRIC_ENCAP_GENEVE) {
            size_t len = random_options(buf + size, &critical);

            buf[OUTER] |= len / 4;
            size += len;
        }
        size += ETH_HEADER_LEN;
        if (!random_range(4)) {
            buf[OUTER + random_range(size - OUTER)] ^= 1u << random_range(8);
        }
        fabric_put_be16(buf + 16, size - ETH_HEADER_LEN);
        fabric_put_be16(buf + 38, size - ETH_HEADER_LEN - IP_HEADER_LEN);

        ok = fabric_encap_parse(encap, buf + OUTER, size - OUTER, &info,
                                &drop);

        packet = dp_packet_clone_data(buf, size);
        packet->l3_ofs = ETH_HEADER_LEN;
        packet->l4_ofs = ETH_HEADER_LEN + IP_HEADER_LEN;
        dp_packet_ip_checksum_set_good(packet);
        packet = (encap == FABRIC_ENCAP_VXLAN
                  ? netdev_vxlan_pop_header(packet)
                  : netdev_geneve_pop_header(packet));
        if (!ok || !packet) {
            dp_packet_delete(packet);
            continue;
        }

        n_accepted++;
        memset(&tnl, 0, sizeof tnl);
        fabric_encap_to_tnl(encap, &info, &tnl);
        CHECK_EQ(dp_packet_size(packet), size - OUTER - info.header_len);
        CHECK_EQ(ntohll(tnl.tun_id), ntohll(packet->md.tunnel.tun_id));
        CHECK_EQ(tnl.flags, packet->md.tunnel.flags);
        CHECK_EQ(tnl.metadata.present.map,
                 packet->md.tunnel.metadata.present.map);
        CHECK_BYTES(tnl.metadata.opts.u8, packet->md.tunnel.metadata.opts.u8,
                    info.opts_len);
        dp_packet_delete(packet);
    }
    CHECK_TRUE(n_accepted > 15000);
}

static void
test_fabric_encap_main(int argc OVS_UNUSED, char *argv[] OVS_UNUSED)
{
    random_set_seed(1);
    vlog_set_levels_from_string_assert("native_tnl:off");
    CHECK_PROPERTY(test_vxlan);
    CHECK_PROPERTY(test_vxlan_flags);
    CHECK_PROPERTY(test_geneve);
    CHECK_PROPERTY(test_geneve_refuses);
    CHECK_PROPERTY(test_geneve_fields);
    CHECK_PROPERTY(test_round_trip);
    CHECK_PROPERTY(test_upstream);
    putchar('\n');
}

OVSTEST_REGISTER("test-fabric-encap", test_fabric_encap_main);
