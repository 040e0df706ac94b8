/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_SEQ_WINDOW_H
#define FABRIC_SEQ_WINDOW_H 1

/* Which sequence numbers of a peer have arrived.
 * ==============================================
 *
 * Tells what arrives for the first time from what was duplicated, replayed or
 * is too old to tell: copies are no evidence, and must not be acted on twice.
 * The highest number and a bitmap of the FABRIC_SEQ_WINDOW latest ones, itself
 * included, are remembered, as in RFC 4303 section 3.4.3.  Numbers wrap around
 * and compare as in RFC 1982.
 *
 * A peer that begins to count anew, at a random number, looks old in half of
 * all cases.  Whether to believe that, and call fabric_seq_window_restart(),
 * is for the caller to decide, who may know how long nothing has come or who
 * has signed it.
 *
 * Thread-safety: none, the caller locks. */

#include <stdbool.h>
#include <stdint.h>

#define FABRIC_SEQ_WINDOW 64

struct fabric_seq_window {
    bool any;                   /* Has anything arrived? */
    uint32_t top;               /* Highest that did. */
    uint64_t seen;              /* Bit 'i': number 'top - i' arrived. */
};

enum fabric_seq_verdict {
    FABRIC_SEQ_NEW,             /* Did not arrive before. */
    FABRIC_SEQ_SEEN,            /* Did. */
    FABRIC_SEQ_OLD,             /* Below the window. */
};

/* Returns the verdict on 'seq', which adding would not change. */
static inline enum fabric_seq_verdict
fabric_seq_window_look(const struct fabric_seq_window *w, uint32_t seq)
{
    uint32_t behind = w->top - seq;

    return (!w->any || (int32_t) behind < 0 ? FABRIC_SEQ_NEW
            : behind >= FABRIC_SEQ_WINDOW ? FABRIC_SEQ_OLD
            : w->seen >> behind & 1 ? FABRIC_SEQ_SEEN : FABRIC_SEQ_NEW);
}

/* Forgets everything but 'seq', which arrived now. */
static inline void
fabric_seq_window_restart(struct fabric_seq_window *w, uint32_t seq)
{
    w->any = true;
    w->top = seq;
    w->seen = 1;
}

/* Returns the verdict on 'seq' and, if it is new, remembers it. */
static inline enum fabric_seq_verdict
fabric_seq_window_add(struct fabric_seq_window *w, uint32_t seq)
{
    enum fabric_seq_verdict verdict = fabric_seq_window_look(w, seq);
    uint32_t ahead = seq - w->top;

    if (verdict != FABRIC_SEQ_NEW) {
        return verdict;
    }
    if (!w->any) {
        fabric_seq_window_restart(w, seq);
    } else if ((int32_t) ahead > 0) {
        w->seen = ahead < FABRIC_SEQ_WINDOW ? w->seen << ahead | 1 : 1;
        w->top = seq;
    } else {
        w->seen |= UINT64_C(1) << -ahead;
    }
    return verdict;
}

#endif /* fabric-seq-window.h */
