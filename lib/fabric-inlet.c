/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-inlet.h"

#include <stdbool.h>

#include "ovs-atomic.h"
#include "ovs-thread.h"
#include "seq.h"
#include "util.h"

static ATOMIC(uint32_t) inlets[FABRIC_INLET_MAX];

void
fabric_inlet_seen(uint32_t ifindex)
{
    if (!ifindex) {
        return;
    }
    for (int i = 0; i < FABRIC_INLET_MAX; i++) {
        uint32_t old;

        atomic_read_relaxed(&inlets[i], &old);
        if (!old
            && atomic_compare_exchange_strong(&inlets[i], &old, ifindex)) {
            seq_change(fabric_inlet_seq());
            return;
        }
        if (old == ifindex) {
            return;
        }
    }
}

uint32_t
fabric_inlet_get(int i)
{
    uint32_t ifindex;

    atomic_read_relaxed(&inlets[i], &ifindex);
    return ifindex;
}

void
fabric_inlet_remove(uint32_t ifindex)
{
    for (int i = 0; i < FABRIC_INLET_MAX; i++) {
        if (fabric_inlet_get(i) == ifindex) {
            atomic_store_relaxed(&inlets[i], 0);
        }
    }
}

struct seq *
fabric_inlet_seq(void)
{
    static struct ovsthread_once once = OVSTHREAD_ONCE_INITIALIZER;
    static struct seq *seq;

    if (ovsthread_once_start(&once)) {
        seq = seq_create();
        ovsthread_once_done(&once);
    }
    return seq;
}
