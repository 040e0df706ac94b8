/* SPDX-License-Identifier: Apache-2.0 */

/* The bound is the dynamic threshold of A. K. Choudhury and E. L. Hahne,
 * "Dynamic Queue Length Thresholds for Shared-Memory Packet Switches",
 * IEEE/ACM Transactions on Networking 6(2), 1998, with a factor of one.
 *
 * What waits is the difference of two counters that only grow: the programs
 * count what they send, and tell with each packet how far they were; taking
 * the packet copies that number.  So a packet that is lost between them is
 * made up for by the next one. */

#include <config.h>

#include "fabric-share.h"

#include "dp-packet.h"
#include "fabric-drops.h"
#include "fabric-kern.h"
#include "util.h"

/* A ring that has grown beyond this is freed when it is empty. */
#define KEEP_CAPACITY 512
#define MIN_CAPACITY 64

struct fabric_share_entry {
    struct dp_packet *packet;
    uint32_t position;
};

static bool in_use[FABRIC_KERN_MAX_SHARES];
static uint64_t dropped_before[FABRIC_KERN_MAX_SHARES];

static void
set_done(const struct fabric_share *share, uint32_t position)
{
    struct fabric_kern_share *s = &fabric_kern_shares()[share->slot];
    uint32_t n = position - s->done;

    if ((int32_t) n > 0) {
        s->done += n;
        fabric_kern_shares()[FABRIC_KERN_WHOLE_SHARE].done += n;
    }
}

static void
settle(const struct fabric_share *share)
{
    set_done(share, fabric_kern_shares()[share->slot].sent);
}

/* Takes the slot that was not in use for long, since a program that still runs
 * may count for the port that had it. */
bool
fabric_share_open(struct fabric_share *share)
{
    static uint16_t last = FABRIC_KERN_WHOLE_SHARE;

    for (size_t i = 0; i < FABRIC_KERN_MAX_SHARES; i++) {
        last = (last + 1) % FABRIC_KERN_MAX_SHARES;
        if (last != FABRIC_KERN_WHOLE_SHARE && !in_use[last]) {
            in_use[last] = true;
            share->slot = last;
            dropped_before[last] = fabric_kern_shares()[last].dropped;
            settle(share);
            return true;
        }
    }
    return false;
}

void
fabric_share_close(struct fabric_share *share)
{
    struct dp_packet *packet;

    while ((packet = fabric_share_take(share)) != NULL) {
        dp_packet_delete(packet);
    }
    settle(share);
    in_use[share->slot] = false;
    free(share->ring);
    *share = (struct fabric_share) { .slot = 0 };
}

static struct fabric_share_entry *
entry_at(const struct fabric_share *share, size_t i)
{
    return &share->ring[(share->head + i) & (share->capacity - 1)];
}

static void
grow(struct fabric_share *share)
{
    size_t capacity = MAX(share->capacity * 2, MIN_CAPACITY);
    struct fabric_share_entry *ring = xmalloc(capacity * sizeof *ring);

    for (size_t i = 0; i < share->n; i++) {
        ring[i] = *entry_at(share, i);
    }
    free(share->ring);
    share->ring = ring;
    share->capacity = capacity;
    share->head = 0;
}

void
fabric_share_put(struct fabric_share *share, struct dp_packet *packet,
                 uint32_t position)
{
    if (share->n == share->capacity) {
        grow(share);
    }
    *entry_at(share, share->n++) = (struct fabric_share_entry) {
        .packet = packet, .position = position,
    };
}

struct dp_packet *
fabric_share_take(struct fabric_share *share)
{
    struct fabric_share_entry e;

    if (!share->n) {
        return NULL;
    }
    e = *entry_at(share, 0);
    share->head++;
    share->n--;
    set_done(share, e.position);
    if (!share->n && share->capacity > KEEP_CAPACITY) {
        free(share->ring);
        share->ring = NULL;
        share->capacity = 0;
    }
    return e.packet;
}

void
fabric_share_settle(struct fabric_share *share)
{
    if (!share->n) {
        settle(share);
    }
}

uint64_t
fabric_share_dropped(const struct fabric_share *share)
{
    return (fabric_kern_shares()[share->slot].dropped
            - dropped_before[share->slot]);
}

bool
fabric_share_count_drops(void)
{
    static uint64_t counted;
    uint64_t n = (fabric_kern_shares()[FABRIC_KERN_WHOLE_SHARE].dropped
                  - counted);

    if (n) {
        counted += n;
        fabric_drop_count(FABRIC_DROP_SLOW_PATH_FULL, n);
    }
    return n > 0;
}
