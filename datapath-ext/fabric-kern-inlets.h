/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_KERN_INLETS_H
#define FABRIC_KERN_INLETS_H 1

/* Interfaces on which the kernel receives for fabrics.
 * ====================================================
 *
 * They are those by which paths leave or could leave, those that have a local
 * IP, and those by which packets have come (fabric-inlet.h).
 *
 * Thread-safety: main thread. */

#include <stdbool.h>

struct fabric;

/* Attaches the program to all of them, for the fabrics for which 'takes_part'
 * returns true, and to no other interface. */
void fabric_kern_inlets_sync(bool (*takes_part)(const struct fabric *));

/* Returns true if packets have come by another interface since, or wakes when
 * they do. */
bool fabric_kern_inlets_changed(void);
void fabric_kern_inlets_wait(void);

#endif /* fabric-kern-inlets.h */
