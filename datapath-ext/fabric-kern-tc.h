/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_KERN_TC_H
#define FABRIC_KERN_TC_H 1

/* What tc(8) has on an interface, besides our program.
 * ====================================================
 *
 * A queueing discipline that somebody has put at the root has a handle; the
 * one that every interface begins with has none.
 *
 * Thread-safety: any thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fabric_kern_tc {
    bool ours;                  /* Does it have the program? */
    bool other_ingress;         /* Are there other filters at ingress? */
    bool other_egress;          /* At egress? */
};

/* Fills '*tc' in for interface 'ifindex', where the program should be that the
 * kernel knows as 'prog_id'.  Returns 0 or a positive errno. */
int fabric_kern_tc_look(uint32_t ifindex, uint32_t prog_id,
                        struct fabric_kern_tc *tc);

/* Interfaces. */
struct fabric_kern_tc_set {
    uint32_t *ifindexes;
    size_t n, allocated;
};
#define FABRIC_KERN_TC_SET_INITIALIZER { .ifindexes = NULL }
void fabric_kern_tc_set_add(struct fabric_kern_tc_set *, uint32_t ifindex);
bool fabric_kern_tc_set_contains(const struct fabric_kern_tc_set *,
                                 uint32_t ifindex);
void fabric_kern_tc_set_destroy(struct fabric_kern_tc_set *);

/* Adds to 'set' the interfaces that have a queueing discipline that somebody
 * has put there.  Returns 0 or a positive errno. */
int fabric_kern_tc_find_qdiscs(struct fabric_kern_tc_set *set);

#endif /* fabric-kern-tc.h */
