/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_KERN_IFACE_H
#define FABRIC_KERN_IFACE_H 1

/* The host's interfaces by which paths leave or may come to leave.
 * ================================================================
 *
 * Only changes of these can change a route of ours; all others, such as those
 * of containers that come and go, are nobody's business.
 *
 * Thread-safety: main thread. */

#include <stdbool.h>
#include <stdint.h>

#include "fabric-route.h"
#include "openvswitch/hmap.h"

struct fabric_netevent;

struct fabric_kern_iface {
    struct hmap_node node;
    uint32_t ifindex;
    unsigned int n_refs;        /* Users by fabric_kern_iface_ref(). */
    bool known;                 /* Is 'dev' what the kernel last said? */
    struct fabric_route_device dev;
};

/* Returns the interface, which stays until fabric_kern_iface_forget(), and is
 * made if need be. */
struct fabric_kern_iface *fabric_kern_iface_get(uint32_t ifindex);

/* Returns the interface, or NULL if there is none yet. */
struct fabric_kern_iface *fabric_kern_iface_find(uint32_t ifindex);

/* Makes all interfaces that the host has. */
void fabric_kern_iface_get_all(void);

/* Has all of them asked for again. */
void fabric_kern_iface_doubt_all(void);

/* Takes and drops references.  Return true if it was the first or last. */
bool fabric_kern_iface_ref(uint32_t ifindex);
bool fabric_kern_iface_unref(uint32_t ifindex);

/* Frees 'iface', which is gone from the host, if it has no references. */
void fabric_kern_iface_forget(struct fabric_kern_iface *iface);

/* Returns what the kernel says of 'ifindex', or NULL. */
const struct fabric_route_device *fabric_kern_iface_device(uint32_t ifindex);

/* Returns true if the event tells something of 'iface' that matters and was
 * not known, which is asked for again then. */
bool fabric_kern_iface_changed(struct fabric_kern_iface *iface,
                               const struct fabric_netevent *);

/* Calls 'cb' for each with a reference. */
void fabric_kern_iface_for_each(void (*cb)(uint32_t ifindex));

#endif /* fabric-kern-iface.h */
