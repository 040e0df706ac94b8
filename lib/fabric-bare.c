/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-bare.h"

/* Rounds from one bare test to the next. */
#define EVERY 4

bool
fabric_bare_run(struct fabric_bare *b, uint32_t answered, uint32_t next_seq,
                bool *changed)
{
    if (b->open) {
        if ((int32_t) (answered - b->next_seq) < 0) {
            return false;
        }
        b->open = false;
        b->good = 0;
        if (b->missing < FABRIC_BARE_MAX
            && ++b->missing == FABRIC_BARE_MAX && !b->needs_csum) {
            b->needs_csum = true;
            *changed = true;
        }
        b->wait = b->needs_csum ? EVERY : 0;
    }
    if (b->wait) {
        b->wait--;
        return false;
    }
    b->wait = EVERY - 1;
    b->open = true;
    b->next_seq = next_seq;
    b->seq++;
    return true;
}

bool
fabric_bare_answered(struct fabric_bare *b, uint32_t seq)
{
    if (!b->open || seq != b->seq) {
        return false;
    }
    b->open = false;
    b->missing = 0;
    if (b->good < FABRIC_BARE_GOOD) {
        b->good++;
    }
    if (b->needs_csum && b->good == FABRIC_BARE_GOOD) {
        b->needs_csum = false;
        return true;
    }
    return false;
}

bool
fabric_bare_stop(struct fabric_bare *b)
{
    bool changed = b->needs_csum;

    b->needs_csum = b->open = false;
    b->missing = b->good = b->wait = 0;
    return changed;
}
