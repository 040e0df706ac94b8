/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_KERN_NAMES_H
#define FABRIC_KERN_NAMES_H 1

/* The names that a flow of the kernel's was compiled from.
 * ========================================================
 *
 * Compiling a flow (fabric-kern-match.h) turns names of the datapath into what
 * the kernel knows (identities, see fabric-kern-abi.h).  Each name that is
 * looked up is noted together with its meaning, also if it had none.  So
 * whether compiling again would give anything else is known without doing it:
 *
 *     struct fabric_kern_names names = { .resolve = resolve };
 *
 *     reason = fabric_kern_match(match, &names, &key, &mask);
 *     ...
 *     fabric_kern_names_keep(&kept, &names);
 *     ...
 *     if (!fabric_kern_names_are_current(&kept)) {
 *         compile again;
 *     }
 *
 * Thread-safety: as the resolver. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>

#include "fabric-kern-abi.h"
#include "openvswitch/types.h"

enum fabric_kern_name_type {
    FABRIC_KERN_NAME_PORT,      /* A datapath port to receive from. */
    FABRIC_KERN_NAME_OUTPUT,    /* A workload's datapath port to send to. */
    FABRIC_KERN_NAME_SENDER,    /* The endpoint behind fabric 'port' for which
                                 * address 'src' stands in flows, and for our
                                 * side of it 'dst' (any if zero). */
    FABRIC_KERN_NAME_RECEIVER,  /* The endpoint behind fabric 'port' with ID
                                 * 'endpoint'. */
};

struct fabric_kern_name {
    enum fabric_kern_name_type type;
    odp_port_t port;
    uint32_t endpoint;
    struct in6_addr src, dst;

    /* The meaning. */
    uint32_t id;                /* Identity; 0 if the kernel knows none. */
    uint32_t index;             /* RECEIVER: in the path table. */
    uint32_t fabric;            /* PORT, RECEIVER: the fabric's number in
                                 * 'fabric_stats'; UINT32_MAX if none. */
};

/* Sets the meaning of a name. */
typedef void fabric_kern_resolve(struct fabric_kern_name *);

/* The in_port, a sender, copies to ports and a last output. */
#define FABRIC_KERN_MAX_NAMES (FABRIC_KERN_MAX_OPS + 3)

struct fabric_kern_names {
    fabric_kern_resolve *resolve;
    size_t n;
    struct fabric_kern_name names[FABRIC_KERN_MAX_NAMES];
};

/* Looks the name with the members in 'name' up and notes it.  Returns it with
 * its meaning. */
const struct fabric_kern_name *fabric_kern_names_look_up(
    struct fabric_kern_names *, const struct fabric_kern_name *name);

/* What is kept of names beside a flow. */
struct fabric_kern_kept_names {
    fabric_kern_resolve *resolve;
    size_t n;
    struct fabric_kern_name *names;
};

/* Makes 'kept', which is zero or was kept before, a copy of 'names'. */
void fabric_kern_names_keep(struct fabric_kern_kept_names *kept,
                            const struct fabric_kern_names *names);
void fabric_kern_names_forget(struct fabric_kern_kept_names *kept);

/* Returns true if all names still mean the same. */
bool fabric_kern_names_are_current(const struct fabric_kern_kept_names *);

#endif /* fabric-kern-names.h */
