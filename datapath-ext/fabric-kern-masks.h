/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_KERN_MASKS_H
#define FABRIC_KERN_MASKS_H 1

/* Masks by which the kernel's programs look up flows.
 * ===================================================
 *
 * Each port has a list of its own, and so has each VNI of a fabric: what one
 * workload makes of the rules that apply to it neither takes masks from
 * another nor makes the look-up of another's packets longer.  A list is tried
 * in the order of use, and when it is full a mask in less use gives way.
 *
 * A mask exists as long as it has flows.
 *
 * Thread-safety: callers serialize. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "openvswitch/list.h"

struct fabric_kern_key;
struct fabric_kern_mask_list;

struct fabric_kern_mask {
    struct fabric_kern_mask_list *list;
    uint32_t number;            /* In its list. */
    uint64_t use;               /* Packets, halved every second. */
    unsigned long long int serial;  /* Of masks that were made. */
    struct ovs_list flows;      /* The caller's, the oldest first. */
};

/* Returns the mask with bits 'mask' for flow 'key'.  If there is none and no
 * room for it, returns NULL, and stores in '*victim' a mask of the same list
 * whose use is 'use' or less, or NULL if there is none or too many had to give
 * way lately.  Once the victim's flows are removed there is room. */
struct fabric_kern_mask *fabric_kern_mask_get(
    const struct fabric_kern_key *key, const struct fabric_kern_key *mask,
    uint64_t use, struct fabric_kern_mask **victim);

const struct fabric_kern_key *fabric_kern_mask_bits(
    const struct fabric_kern_mask *mask);

/* Adds a flow, of which 'node' is in the list, or removes it, which ends the
 * mask with its last flow.  A mask that was got must have a flow added, or one
 * added and removed. */
void fabric_kern_mask_add(struct fabric_kern_mask *mask,
                          struct ovs_list *node);
void fabric_kern_mask_remove(struct fabric_kern_mask *mask,
                             struct ovs_list *node);

/* Returns the mask in least use of the list that has the most flows, or NULL
 * if there are no flows.  Sets '*own' to true if a flow with 'key' and 'mask'
 * belongs to that list, or to one that has as many. */
struct fabric_kern_mask *fabric_kern_mask_of_most(
    const struct fabric_kern_key *key, const struct fabric_kern_key *mask,
    bool *own);

/* Orders the lists by use.  Does nothing more often than once a second. */
void fabric_kern_masks_run(void);

#endif /* fabric-kern-masks.h */
