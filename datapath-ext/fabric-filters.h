/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_FILTERS_H
#define FABRIC_FILTERS_H 1

/* What the fast path has put on the host's interfaces.
 * ====================================================
 *
 * That is tc(8) filters with its programs, clsact qdiscs for these, and the
 * pair of interfaces of fabric-loop.h.  A filter is ours if it has our
 * priority and its program's name begins as the names of our programs do,
 * whichever process attached it.  Finding and removing all that takes netlink
 * alone, so it is there for builds without BPF and for "ovs-fabric cleanup",
 * which needs no daemon.
 *
 * Thread-safety: any thread. */

#include <stdbool.h>
#include <stddef.h>

#include "compiler.h"

struct svec;

/* The priority that no other filter should have, 22342. */
#define FABRIC_FILTERS_PRIORITY 0x5746

/* Removes all our filters from interface 'ifindex', and its clsact qdisc if
 * they were all that was there.  Adds a line for each thing that is removed,
 * or that would be if 'dry_run', to '*log' if that is nonnull.  Returns 0,
 * also if there was nothing, or a positive errno. */
int fabric_filters_remove(int ifindex, bool dry_run, struct svec *log);

/* Removes the pair of interfaces of fabric-loop.h, if there is one.
 * 'dry_run', 'log' and what it returns are as above. */
int fabric_filters_remove_loop(bool dry_run, struct svec *log);

/* Does both to all interfaces of the network namespace for which 'keep' is
 * null or returns false.  Returns 0 or the first error. */
int fabric_filters_remove_all(bool (*keep)(int ifindex), bool dry_run,
                              struct svec *log);

/* For a process that starts: removes what an earlier one has left, likewise,
 * and logs it. */
void fabric_filters_remove_leftovers(bool (*keep)(int ifindex));

#endif /* fabric-filters.h */
