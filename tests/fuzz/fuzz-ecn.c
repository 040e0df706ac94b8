/* SPDX-License-Identifier: Apache-2.0 */

/* Fuzzes what receiving does to the ECN field.  Input: the outer TOS and a
 * frame. */

#include <config.h>
#include "fabric-ecn.h"

#include <string.h>

#include "fuzz.h"
#include "packets.h"
#include "util.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *frame, flags;
    size_t n_changed = 0;

    if (!size) {
        return 0;
    }
    size--;
    frame = xmalloc(MAX(size, 1));
    memcpy(frame, data + 1, size);
    flags = fabric_ecn_receive(frame, size, data[0]);

    /* At most an octet and a checksum, and nothing of what is to be dropped
     * or came without a mark. */
    for (size_t i = 0; i < size; i++) {
        n_changed += frame[i] != data[i + 1];
    }
    FUZZ_CHECK(n_changed <= 3);
    FUZZ_CHECK(!n_changed || (!(flags & FABRIC_ECN_DROP)
                              && data[0] & IP_ECN_MASK));
    /* Once is enough. */
    FUZZ_CHECK(!(fabric_ecn_receive(frame, size, data[0]) & ~flags
                 & FABRIC_ECN_DROP));
    free(frame);
    return 0;
}
