/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_KERN_SYNC_H
#define FABRIC_KERN_SYNC_H 1

/* Keeps what the kernel's fast path knows of fabrics up to date: own
 * addresses, endpoints' addresses, and by which interface each path leaves.
 * ========================================================================
 *
 * Compares the registry with what was told to the kernel whenever the registry
 * or a route changes.  Attaches the programs, to the interfaces by which
 * tunnelled packets arrive and through netdev-workload.h to workloads' ports.
 *
 * fabric_kern_run() and its kin, which the OVSDB configuration calls, are
 * declared here.
 *
 * Thread-safety: main thread, except that any thread may resolve names. */

#include <stdbool.h>

struct fabric;
struct fabric_kern_name;

/* Sets what 'name' means to the kernel now, see fabric-kern-names.h. */
void fabric_kern_resolve_name(struct fabric_kern_name *name);

/* Should be called when a fabric has lost its datapath port. */
void fabric_kern_fabric_port_removed(void);

/* 'take_over': may the kernel's programs be replaced by those of this process,
 * which knows what to do with packets?  Not before flows are restored.
 *
 * Returns true if the fast path became active: datapath flows that exist are
 * not in the kernel then and should be set up anew. */
bool fabric_kern_run(bool take_over);
void fabric_kern_wait(void);

/* Is any fabric to be forwarded in the kernel, and can it be? */
bool fabric_kern_is_active(void);

/* Why packets are not forwarded in the kernel; NULL if they are. */
const char *fabric_kern_inactive_reason(void);

/* Returns what the policies of the host mean for 'f' while the fast path is
 * active, as a string that the caller frees; NULL if nothing. */
char *fabric_kern_restrictions(const struct fabric *f);

/* Returns true if because of them nothing of 'f' is forwarded in the
 * kernel. */
bool fabric_kern_stands_aside(const struct fabric *f);

#endif /* fabric-kern-sync.h */
