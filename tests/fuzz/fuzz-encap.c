/* SPDX-License-Identifier: Apache-2.0 */

/* Fuzzes VXLAN and Geneve headers.  Input: a byte that chooses, then a UDP
 * payload or, if the byte is 0x80 or more, raw tunnel options to send. */

#include <config.h>
#include "fabric-encap.h"

#include "fuzz.h"
#include "openvswitch/packets.h"
#include "packets.h"
#include "util.h"

static void
fuzz_parse(enum fabric_encap encap, const uint8_t *data, size_t size)
{
    uint8_t header[FABRIC_ENCAP_MAX_HLEN];
    uint8_t again[FABRIC_ENCAP_MAX_HLEN + ETH_HEADER_LEN] = { 0 };
    struct fabric_encap_info info, info2;
    enum fabric_drop drop = FABRIC_N_DROPS;
    struct flow_tnl tnl, tnl2;
    size_t len;

    if (!fabric_encap_parse(encap, data, size, &info, &drop)) {
        FUZZ_CHECK(drop == FABRIC_DROP_RX_TRUNCATED
                   || drop == FABRIC_DROP_RX_BAD_HEADER
                   || drop == FABRIC_DROP_RX_BAD_PROTOCOL);
        return;
    }
    FUZZ_CHECK(info.vni <= FABRIC_MAX_VNI);
    FUZZ_CHECK(info.header_len >= FABRIC_VXLAN_HLEN);
    FUZZ_CHECK(info.header_len <= FABRIC_ENCAP_MAX_HLEN);
    FUZZ_CHECK(info.header_len % 4 == 0);
    FUZZ_CHECK(info.header_len + ETH_HEADER_LEN <= size);
    FUZZ_CHECK(!info.opts == !info.opts_len);
    FUZZ_CHECK(!info.opts_len
               || (const uint8_t *) info.opts + info.opts_len
                  == data + info.header_len);

    /* What is built from the metadata means the same. */
    memset(&tnl, 0, sizeof tnl);
    memset(&tnl2, 0, sizeof tnl2);
    fabric_encap_to_tnl(encap, &info, &tnl);
    len = fabric_encap_build(encap, &tnl, header);
    FUZZ_CHECK(len == info.header_len);
    memcpy(again, header, len);
    FUZZ_CHECK(fabric_encap_parse(encap, again, len + ETH_HEADER_LEN, &info2,
                                  &drop));
    FUZZ_CHECK(info2.vni == info.vni);
    FUZZ_CHECK(info2.oam == info.oam);
    FUZZ_CHECK(info2.opts_len == info.opts_len);
    fabric_encap_to_tnl(encap, &info2, &tnl2);
    FUZZ_CHECK(!memcmp(&tnl, &tnl2, sizeof tnl));
}

static void
fuzz_build(enum fabric_encap encap, const uint8_t *data, size_t size)
{
    uint8_t frame[FABRIC_ENCAP_MAX_HLEN + ETH_HEADER_LEN] = { 0 };
    struct flow_tnl tnl = { .flags = FLOW_TNL_F_UDPIF };
    struct fabric_encap_info info;
    enum fabric_drop drop;
    size_t len;

    tnl.metadata.present.len = MIN(size, UINT8_MAX);
    memcpy(tnl.metadata.opts.u8, data, tnl.metadata.present.len);
    len = fabric_encap_build(encap, &tnl, frame);
    FUZZ_CHECK(len <= FABRIC_ENCAP_MAX_HLEN);
    FUZZ_CHECK(fabric_encap_parse(encap, frame, len + ETH_HEADER_LEN, &info,
                                  &drop));
    FUZZ_CHECK(info.header_len == len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size) {
        return 0;
    }
    enum fabric_encap encap = (data[0] & 1 ? FABRIC_ENCAP_GENEVE
                               : FABRIC_ENCAP_VXLAN);
    if (data[0] < 0x80) {
        fuzz_parse(encap, data + 1, size - 1);
    } else {
        fuzz_build(encap, data + 1, size - 1);
    }
    return 0;
}
