/* SPDX-License-Identifier: Apache-2.0 */

/* Fuzzes the flow hash.  Input: a frame. */

#include <config.h>
#include "fabric-flow-hash.h"

#include "fuzz.h"
#include "util.h"

/* Ethernet, two VLAN tags, IPv4 with all options, ports. */
#define MAX_USED (14 + 8 + 60 + 4)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t hash = fabric_flow_hash(data, size);
    uint8_t shifted[MAX_USED + 1];
    size_t used = MIN(size, MAX_USED);

    /* The same at any address, whatever follows the flow's fields. */
    memcpy(shifted + 1, data, used);
    FUZZ_CHECK(fabric_flow_hash(shifted + 1, used) == hash);
    return 0;
}
