/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_KERN_COUNT_H
#define FABRIC_KERN_COUNT_H 1

/* What the fast path counts, by reason (fabric-kern-reason.h).
 * ============================================================
 *
 * Thread-safety: any thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Why packets were handed on to userspace. */
struct fabric_kern_handed_on {
    const char *name;
    const char *help;
    uint64_t n_packets;
};

/* Stores number 'i' of the reasons in '*h'.  Returns false if there are not so
 * many, which is so for every 'i' where the fast path is not built. */
bool fabric_kern_get_handed_on(size_t i, struct fabric_kern_handed_on *h);

/* Has fabric_drop_get() add what the programs count. */
void fabric_kern_count_drops(void);

#endif /* fabric-kern-count.h */
