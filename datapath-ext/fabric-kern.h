/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_KERN_H
#define FABRIC_KERN_H 1

/* The kernel's fast path: programs and maps.
 * ==========================================
 *
 * Loads the BPF programs of bpf/fabric-kern.bpf.c, attaches them to
 * interfaces, and changes their maps (fabric-kern-abi.h).  What goes into the
 * maps is decided elsewhere: flows in fabric-kern-flows.h, addresses and
 * routes in fabric-kern-sync.h, ports in netdev-workload.h.
 *
 * Life and death
 * ==============
 *
 * A program stays on its interface, and its maps stay with it, until it is
 * detached or another process attaches its own: nothing is pinned in a file
 * system and so nothing can be left over there.  A process that is killed
 * leaves its programs forwarding what they know; the next one loads programs
 * and maps of its own and replaces them interface by interface.
 *
 * Thread-safety
 * =============
 *
 * Loading and attaching: main thread.  Everything else: any thread, between
 * fabric_kern_load() and the end of the process; callers serialize changes of
 * the same map. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fabric-kern-abi.h"

enum fabric_kern_program {
    FABRIC_KERN_FROM_PORT,
    FABRIC_KERN_FROM_UNDERLAY,
};

/* Loads the programs and has the path table live in the kernel's maps.
 * Returns NULL or, as does a later call, why that is not possible. */
const char *fabric_kern_load(void);
bool fabric_kern_is_loaded(void);

/* Is it loaded and still ours to change? */
bool fabric_kern_is_ours(void);

/* Gives the path table memory of its own, so that it can change while the
 * kernel goes on with what it has.  Flows and all else are left alone, too,
 * from now on. */
void fabric_kern_abandon(void);

/* Replaces whatever program of ours interface 'ifindex' has.  Returns 0 or a
 * positive errno. */
int fabric_kern_attach(int ifindex, enum fabric_kern_program);
void fabric_kern_detach(int ifindex);

/* Returns the number by which the kernel knows that program. */
uint32_t fabric_kern_prog_id(enum fabric_kern_program);

/* Does 'ifindex' have a program of ours, of this process or another? */
bool fabric_kern_is_attached(int ifindex);

/* Maps.  Keys and values are as fabric-kern-abi.h says of each.  Return 0 or a
 * positive errno. */
enum fabric_kern_map {
    FABRIC_KERN_FLOWS,          /* fabric_kern_flow_key, fabric_kern_flow. */
    FABRIC_KERN_LISTS,          /* fabric_kern_list_key, fabric_kern_list. */
    FABRIC_KERN_PORTS,          /* Interface index, fabric_kern_port. */
    FABRIC_KERN_DEVICES,        /* Identity of a port, interface index. */
    FABRIC_KERN_LOCALS,         /* fabric_kern_local_key, _local. */
    FABRIC_KERN_REMOTES,        /* fabric_kern_remote_key and _remote. */
};
int fabric_kern_put(enum fabric_kern_map, const void *key, const void *value);
int fabric_kern_get(enum fabric_kern_map, const void *key, void *value);
int fabric_kern_del(enum fabric_kern_map, const void *key);

/* Returns how many packets the programs have handed on, or dropped, for
 * 'reason': 0 if they are not loaded. */
uint64_t fabric_kern_count(enum fabric_kern_reason reason);

/* Memory that the programs read and write; the statistics are arrays.  Only
 * after a successful load. */
struct fabric_kern_conf *fabric_kern_conf(void);
struct fabric_kern_flow_stats *fabric_kern_flow_stats(void);
struct fabric_kern_fabric_stats *fabric_kern_fabric_stats(void);
struct fabric_kern_share *fabric_kern_shares(void);
const uint64_t *fabric_kern_drops(void);

#endif /* fabric-kern.h */
