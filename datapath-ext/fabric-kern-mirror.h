/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_KERN_MIRROR_H
#define FABRIC_KERN_MIRROR_H 1

/* What a map of the kernel's contains, so that only differences are told it.
 *
 * Thread-safety: main thread only. */

#include <stdbool.h>
#include <stddef.h>
#include "fabric-kern.h"
#include "openvswitch/hmap.h"

struct fabric_kern_mirror {
    struct hmap entries;
    size_t key_size, value_size;
    enum fabric_kern_map map;
};

/* What is set between 'begin' and 'end' is what the map contains afterwards.
 * 'set' returns false if the kernel refuses the entry; it is tried again when
 * it is next set. */
void fabric_kern_mirror_begin(struct fabric_kern_mirror *);
bool fabric_kern_mirror_set(struct fabric_kern_mirror *, const void *key,
                            const void *value);
void fabric_kern_mirror_end(struct fabric_kern_mirror *);

#endif /* fabric-kern-mirror.h */
