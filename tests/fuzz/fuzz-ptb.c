/* SPDX-License-Identifier: Apache-2.0 */

/* Fuzzes the messages "packet too big".  Input: the MTU to tell, 16 bits, and
 * the frame of a workload. */

#include <config.h>
#include "fabric-ptb.h"

#include <string.h>

#include "fabric-bytes.h"
#include "fabric-csum.h"
#include "fabric-l3.h"
#include "fuzz.h"
#include "packets.h"
#include "util.h"

static void
check_message(const uint8_t *message, size_t size)
{
    uint8_t again[FABRIC_PTB_MAX];
    uint16_t eth_type;
    size_t ofs = fabric_find_l3(message, size, &eth_type);
    const uint8_t *ip = message + ofs;
    uint64_t sum = 0;

    FUZZ_CHECK(size <= FABRIC_PTB_MAX);
    FUZZ_CHECK(!((message[0] | message[ETH_ADDR_LEN]) & 1));
    if (eth_type == ETH_TYPE_IP) {
        FUZZ_CHECK(ofs + fabric_get_be16(ip + 2) == size);
        FUZZ_CHECK(size - ofs <= 576);
        FUZZ_CHECK(fabric_csum_fold(fabric_csum_add(0, ip, IP_HEADER_LEN))
                   == 0xffff);
        ip += IP_HEADER_LEN;
    } else {
        uint8_t pseudo[8] = { [7] = IPPROTO_ICMPV6 };

        FUZZ_CHECK(eth_type == ETH_TYPE_IPV6);
        FUZZ_CHECK(ofs + IPV6_HEADER_LEN + fabric_get_be16(ip + 4) == size);
        memcpy(pseudo + 2, ip + 4, 2);
        sum = fabric_csum_add(fabric_csum_add(0, pseudo, sizeof pseudo),
                              ip + 8, 32);
        ip += IPV6_HEADER_LEN;
    }
    sum = fabric_csum_add(sum, ip, message + size - ip);
    FUZZ_CHECK(fabric_csum_fold(sum) == 0xffff);

    /* No error about an error. */
    FUZZ_CHECK(!fabric_ptb_compose(message, size, 0, again));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t message[FABRIC_PTB_MAX];
    uint8_t *frame;
    size_t n;

    if (size < 2) {
        return 0;
    }
    frame = xmemdup(data + 2, size - 2);
    n = fabric_ptb_compose(frame, size - 2, fabric_get_be16(data), message);
    if (n) {
        check_message(message, n);
    }
    free(frame);
    return 0;
}
