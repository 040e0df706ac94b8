/* SPDX-License-Identifier: Apache-2.0 */

/* Fuzzes what is taken from ICMPv6 messages.  Input: the message. */

#include <config.h>
#include "fabric-too-big.h"

#include <string.h>

#include "fuzz.h"
#include "packets.h"
#include "util.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t ip_ofs = ICMP6_DATA_HEADER_LEN;
    const size_t udp_ofs = ip_ofs + IPV6_HEADER_LEN;
    struct fabric_too_big tb;

    if (fabric_too_big_parse(data, size, &tb)) {
        FUZZ_CHECK(size >= udp_ofs + UDP_HEADER_LEN);
        FUZZ_CHECK(data[0] == 2 && data[ip_ofs] >> 4 == 6);
        FUZZ_CHECK(data[ip_ofs + 6] == IPPROTO_UDP);
        FUZZ_CHECK(!memcmp(&tb.local_ip, data + ip_ofs + 8, 16));
        FUZZ_CHECK(!memcmp(&tb.remote_ip, data + ip_ofs + 24, 16));
        FUZZ_CHECK(!memcmp(&tb.src_port, data + udp_ofs, 2));
        FUZZ_CHECK(!memcmp(&tb.dst_port, data + udp_ofs + 2, 2));
    }
    return 0;
}
