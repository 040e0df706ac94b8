/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_SHARE_H
#define FABRIC_SHARE_H 1

/* A port's share of the way from the kernel to userspace.
 * =======================================================
 *
 * All ports' packets come through one channel (fabric-channel.h), and wait
 * here until the datapath takes them, a burst of each port in turn.  What a
 * port has waiting, here and in the channel, is bounded by what is left for
 * the others: of n ports that flood, each gets one part in n + 1 of
 * FABRIC_KERN_CHANNEL_UNITS, and the same is left for whoever comes.  The
 * kernel's programs drop what is beyond.
 *
 * Thread-safety: main thread only, but for fabric_share_dropped(): any thread
 * between opening and closing. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dp_packet;
struct fabric_share_entry;

struct fabric_share {
    uint16_t slot;              /* In the kernel's map; 0 if not open. */

    /* Packets that wait here: a ring. */
    struct fabric_share_entry *ring;
    size_t capacity;            /* A power of two, or 0. */
    size_t head, n;
};

/* Returns false if all shares are in use.  '*share' must be all zeros, as
 * closing leaves it.  The kernel's fast path must be loaded. */
bool fabric_share_open(struct fabric_share *share);

/* Deletes the packets that wait.  The kernel must not know the port any
 * longer. */
void fabric_share_close(struct fabric_share *share);

/* Adds 'packet', which came through the channel at 'position'. */
void fabric_share_put(struct fabric_share *share, struct dp_packet *packet,
                      uint32_t position);

/* Returns the next packet, which makes room for another, or NULL. */
struct dp_packet *fabric_share_take(struct fabric_share *share);

/* Notes that nothing of this port is in the channel, so that a packet that the
 * kernel lost there does not count for ever. */
void fabric_share_settle(struct fabric_share *share);

/* Packets that the kernel has dropped since 'share' was opened. */
uint64_t fabric_share_dropped(const struct fabric_share *share);

/* Adds what the kernel dropped of all ports to the counters of drops, and
 * returns true if that was anything. */
bool fabric_share_count_drops(void);

#endif /* fabric-share.h */
