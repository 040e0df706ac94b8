/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_PRIVILEGE_H
#define FABRIC_PRIVILEGE_H 1

/* Capabilities (capabilities(7)) that the fabric needs.
 * =====================================================
 *
 * ovs-vswitchd --user keeps some of root's capabilities.  To those that
 * upstream keeps, fabric_keep_capabilities() (fabric-hooks.h) adds these:
 *
 *   CAP_BPF, CAP_PERFMON   the kernel's fast path, with CAP_NET_ADMIN
 *   CAP_SYS_NICE           threads that must not wait for others
 *
 * Thread-safety: any thread. */

/* Returns the names of those that the kernel's fast path needs and that this
 * process lacks, as a string that the caller must free, or NULL if there are
 * none. */
char *fabric_missing_capabilities(void);

#endif /* fabric-privilege.h */
