/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_KERN_DROPS_H
#define FABRIC_KERN_DROPS_H 1

/* Packets that the kernel's fast path drops because a flow says so.
 * =================================================================
 *
 * The programs count them by reason, a number that this module gives; they are
 * added to the counters that userspace has for the same reasons.
 *
 * Thread-safety: main thread only, but for fabric_kern_drop_number(), any
 * thread. */

#include <stdbool.h>
#include <stdint.h>

struct nlattr;

/* Stores the number of the reason that action 'a', OVS_ACTION_ATTR_DROP or
 * _FABRIC, gives.  Returns false if it is no drop for a known reason. */
bool fabric_kern_drop_number(const struct nlattr *a, uint32_t *number);

/* Counts what the kernel dropped since the last call. */
void fabric_kern_drops_run(void);

#endif /* fabric-kern-drops.h */
