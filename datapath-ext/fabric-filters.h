/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_FILTERS_H
#define FABRIC_FILTERS_H 1

/* The tc(8) filters that hold programs of the fast path.
 * ======================================================
 *
 * A filter is ours if it has our priority and its program's name begins as the
 * names of our programs do, whichever process attached it.  Finding and
 * removing filters takes netlink alone, so it is there for builds without BPF
 * and for "ovs-fabric cleanup", which needs no daemon.
 *
 * Thread-safety: any thread. */

#include <stdbool.h>
#include <stddef.h>

#include "compiler.h"

struct svec;

/* The priority that no other filter should have, 22342. */
#define FABRIC_FILTERS_PRIORITY 0x5746

/* Whether interface 'ifindex' has a filter of ours, at either hook. */
bool fabric_filters_exist(int ifindex);

/* Removes all our filters from interface 'ifindex', and its clsact qdisc if
 * they were all that was there.  Adds a line for each thing that is removed,
 * or that would be if 'dry_run', to '*log' if that is nonnull.  Returns 0,
 * also if there was nothing, or a positive errno. */
int fabric_filters_remove(int ifindex, bool dry_run, struct svec *log);

/* Does the same to all interfaces of the network namespace for which 'keep' is
 * null or returns false.  Returns 0 or the first error. */
int fabric_filters_remove_all(bool (*keep)(int ifindex), bool dry_run,
                              struct svec *log);

/* For a process that starts: removes what an earlier one has left, likewise,
 * and logs it. */
void fabric_filters_remove_leftovers(bool (*keep)(int ifindex));

#endif /* fabric-filters.h */
