/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-identity.h"

#include "ovs-atomic.h"

uint32_t
fabric_identity_new(void)
{
    static atomic_count last = ATOMIC_COUNT_INIT(0);
    uint32_t id;

    do {
        id = atomic_count_inc(&last) + 1;
    } while (!id);
    return id;
}
