/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_GRACE_H
#define FABRIC_GRACE_H 1

/* Waiting for the kernel's programs, as ovs-rcu.h does for our threads.
 *
 * Thread-safety: any thread that may block. */

/* Returns when every program in the kernel that could still use something that
 * was taken out of its maps before the call has ended.  Blocks for some
 * milliseconds, so collect what is to be released and call this once. */
void fabric_grace_wait(void);

#endif /* fabric-grace.h */
