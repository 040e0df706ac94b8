/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-kern-drops.h"

#include "dp-packet.h"
#include "dpif.h"
#include "fabric-drops.h"
#include "fabric-kern.h"
#include "fabric-odp.h"
#include "netlink.h"
#include "odp-execute.h"
#include "odp-netlink.h"
#include "util.h"

/* Number 0 is a drop that nobody counts; reasons of the pipeline come before
 * those of the fabric. */
#define PIPELINE_BASE 1
#define FABRIC_BASE (PIPELINE_BASE + XLATE_MAX)
BUILD_ASSERT_DECL(FABRIC_BASE + FABRIC_N_DROPS <= FABRIC_KERN_MAX_DROPS);

bool
fabric_kern_drop_number(const struct nlattr *a, uint32_t *number)
{
    if (nl_attr_type(a) == OVS_ACTION_ATTR_DROP) {
        uint32_t reason = nl_attr_get_u32(a);

        *number = PIPELINE_BASE + reason;
        return reason < XLATE_MAX;
    } else {
        const struct fabric_odp_drop *drop = fabric_odp_get_drop(a);

        *number = drop ? FABRIC_BASE + drop->reason : 0;
        return drop && drop->reason < FABRIC_N_DROPS;
    }
}

/* Counts 'n' packets as dropped by the pipeline.  The counters are static to
 * odp-execute.c, which counts the packets of a batch and does not look at
 * them. */
static void
count_pipeline(uint32_t reason, unsigned int n)
{
    struct dp_packet_batch batch;
    uint64_t stub[2];
    struct ofpbuf action;

    ofpbuf_use_stub(&action, stub, sizeof stub);
    nl_msg_put_u32(&action, OVS_ACTION_ATTR_DROP, reason);
    dp_packet_batch_init(&batch);
    batch.count = n;
    odp_execute_actions(NULL, &batch, false, action.data, action.size, NULL);
    batch.count = 0;
    dp_packet_batch_destroy(&batch);
    ofpbuf_uninit(&action);
}

void
fabric_kern_drops_run(void)
{
    static uint64_t counted[FABRIC_KERN_MAX_DROPS];
    const uint64_t *drops = fabric_kern_drops();

    for (uint32_t i = PIPELINE_BASE; i < FABRIC_BASE + FABRIC_N_DROPS; i++) {
        uint64_t n = MIN(drops[i] - counted[i], INT_MAX);

        if (!n) {
            continue;
        }
        counted[i] += n;
        if (i < FABRIC_BASE) {
            count_pipeline(i - PIPELINE_BASE, n);
        } else {
            fabric_drop_count(i - FABRIC_BASE, n);
        }
    }
}
