/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_KERN_LEASE_H
#define FABRIC_KERN_LEASE_H 1

/* How long the kernel's fast path goes on without ovs-vswitchd.
 * =============================================================
 *
 * The programs forward until the end of a lease, which a running process moves
 * on long before.  From then on they leave all packets alone, as if they were
 * not attached, until a process renews the lease or attaches its own.
 *
 * The lease is for a process that is gone for good, so it is longer than any
 * restart (Fabric other_config:lease).  It is renewed from the main loop, with
 * or without a database: a process whose main loop does not turn forwards no
 * packet that the kernel does not know, either.
 *
 * The clock is CLOCK_MONOTONIC, which stands still while the machine is
 * suspended: nobody forwards then, and afterwards the lease is what it was.
 *
 * Thread-safety: main thread. */

/* Renews the lease, if the fast path is loaded and ours. */
void fabric_kern_lease_renew(void);

/* To be called in each turn of the main loop: renews the lease if it is time
 * to or its length has changed, and causes poll_block() to wake up when it is
 * time again. */
void fabric_kern_lease_wait(void);

#endif /* fabric-kern-lease.h */
