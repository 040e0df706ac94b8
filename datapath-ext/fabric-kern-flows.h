/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_KERN_FLOWS_H
#define FABRIC_KERN_FLOWS_H 1

/* The kernel's copy of the datapath flows.
 * ========================================
 *
 * fabric_kern_flow_put() and its kin, which dpif-netdev calls, are declared in
 * fabric-hooks.h.  A flow is put into the kernel if the kernel can do it
 * (fabric-kern-match.h) and there is room, for which flows of the same port or
 * tenant give way that are used less, and flows of whoever has the most
 * (fabric-kern-masks.h); it leaves the kernel at once when
 * dpif-netdev deletes it, so no packet is forwarded by a flow that is gone.
 * Nor is one by a name in it that has come to mean something else.
 *
 * Thread-safety: any thread; a mutex serializes changes. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "openvswitch/types.h"

/* Compiles the flows again of which a name means something else than when they
 * were compiled, or something at last; takes out of the kernel those that it
 * can no longer do.  Should be called after the registry, ports or interfaces
 * changed. */
void fabric_kern_flows_check(void);

/* Has the programs look for the flows in most use first.  Main thread. */
void fabric_kern_flows_run(void);

/* Takes all flows out of the kernel, since the fast path is no longer
 * active. */
void fabric_kern_flows_leave(void);

struct fabric_kern_flows_count {
    size_t n_kernel;            /* Flows in the kernel. */
    size_t n_userspace;         /* Flows that the kernel cannot do. */
};
void fabric_kern_flows_get_count(struct fabric_kern_flows_count *);

#endif /* fabric-kern-flows.h */
