/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_CLEANUP_H
#define FABRIC_CLEANUP_H 1

/* "ovs-fabric cleanup": removes what the fast path has left in this network
 * namespace, without ovs-vswitchd. */

#include <stdbool.h>

/* Exit statuses. */
enum cleanup_result {
    CLEANUP_OK = 0,             /* Nothing is left. */
    CLEANUP_FAILED = 1,         /* Something could not be removed. */
    CLEANUP_IN_USE = 2,         /* A process uses it; nothing was removed. */
};

/* Prints a line for each thing that it removes, or that it would remove if
 * 'dry_run'.  Refuses while a process uses the fast path, unless 'force'. */
enum cleanup_result cleanup(bool force, bool dry_run);

#endif /* fabric-cleanup.h */
