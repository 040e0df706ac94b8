/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_KERN_GUARD_H
#define FABRIC_KERN_GUARD_H 1

/* Keeps what the fast path has at interfaces in its place.
 * ========================================================
 *
 * Network managers, agents and start scripts remove and replace queueing
 * disciplines, filters and interfaces without asking whose they are.  What is
 * missing is put back, or the interface is left to userspace, and the log says
 * so.
 *
 * Thread-safety: main thread only. */

#include <stdbool.h>

/* Looks at what was touched since the last call.  Returns false if the channel
 * is lost. */
bool fabric_kern_guard_run(void);
void fabric_kern_guard_wait(void);

#endif /* fabric-kern-guard.h */
