/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_KERN_FLOWS_H
#define FABRIC_KERN_FLOWS_H 1

/* The kernel's copy of the datapath flows.
 * ========================================
 *
 * fabric_kern_flow_put() and its kin, which dpif-netdev calls, are declared in
 * fabric-hooks.h.  A flow is put into the kernel if the kernel can do it
 * (fabric-kern-match.h) and there is room; it leaves the kernel at once when
 * dpif-netdev deletes it, so no packet is forwarded by a flow that is gone.
 *
 * Thread-safety: any thread; a mutex serializes changes. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "openvswitch/types.h"

/* Tries again what waited for a port.  Main thread. */
void fabric_kern_flows_retry(void);

/* Removes the flows from or to endpoints for which 'is_valid' is false.  An
 * endpoint that was removed must be known as such before, and its index not be
 * in use again before this returns. */
void fabric_kern_flows_check(bool (*is_valid)(uint32_t endpoint,
                                              odp_port_t fabric));

/* Takes all flows out of the kernel, since the fast path is no longer
 * active. */
void fabric_kern_flows_leave(void);

struct fabric_kern_flows_count {
    size_t n_kernel;            /* Flows in the kernel. */
    size_t n_userspace;         /* Flows that the kernel cannot do. */
};
void fabric_kern_flows_get_count(struct fabric_kern_flows_count *);

#endif /* fabric-kern-flows.h */
