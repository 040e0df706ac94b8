/* SPDX-License-Identifier: Apache-2.0 */

/* A host is deaf if no report has come between its latest two rounds of tests.
 * That needs neither the round trip nor the interval: what the peer sends
 * comes as steadily as it is sent, however long it is under way, and a prober
 * that was late waited for longer.  It stays deaf for some rounds, and what it
 * gets because of that does not cure it: a peer that tests seldom would
 * otherwise be asked every other time.
 *
 * A deaf peer asks with each of its tests, but the copies of one answer tell
 * of all.  So they are sent once in the time that passes between two tests of
 * one path, which makes them as many as the answers. */

#include <config.h>

#include "fabric-hearing.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "util.h"

#define DEAF_ROUNDS 4

/* Where tests are not authentic: how long a session that goes on keeps to its
 * numbers, ms, and how far these may jump meanwhile. */
#define FRESH_TIME 1000
#define MAX_JUMP 65536

/* For how long a host that was late is expected to be late again, and how late
 * at most, ms. */
#define WAIT_MAX_AGE 10000
#define MAX_PATIENCE 1000

void
fabric_hearing_init(struct fabric_hearing *h)
{
    memset(h, 0, sizeof *h);
}

void
fabric_hearing_destroy(struct fabric_hearing *h)
{
    free(h->heard);
}

static bool
is_fresh(const struct fabric_heard *heard, long long int ms, long long int now)
{
    return heard->when && now - heard->when < ms;
}

bool
fabric_hearing_add(struct fabric_hearing *h, uint16_t ssid, uint32_t seq,
                   long long int now)
{
    struct fabric_heard *heard;

    if (ssid > h->n) {
        h->heard = xrealloc(h->heard, ssid * sizeof *h->heard);
        memset(&h->heard[h->n], 0, (ssid - h->n) * sizeof *h->heard);
        h->n = ssid;
    }
    heard = &h->heard[ssid - 1];
    switch (fabric_seq_window_add(&heard->window, seq)) {
    case FABRIC_SEQ_SEEN:
        return false;
    case FABRIC_SEQ_OLD:
        /* The peer has started anew. */
        fabric_seq_window_restart(&heard->window, seq);
        break;
    case FABRIC_SEQ_NEW:
        break;
    }
    heard->count++;
    heard->interval = heard->when ? now - heard->when : 0;
    heard->when = now;
    return true;
}

/* Returns true if a test of 'epoch' may count.  With another epoch than the
 * last, no session has any numbers yet. */
static bool
enter_epoch(struct fabric_hearing *h, uint64_t epoch, bool authentic,
            long long int now)
{
    if (epoch == h->epoch) {
        return true;
    }
    if (authentic && epoch < h->epoch
        && now - h->epoch_when < FABRIC_HEARING_MAX_AGE) {
        return false;
    }
    h->epoch = epoch;
    h->any_others = false;
    for (size_t i = 0; i < h->n; i++) {
        h->heard[i].window.any = false;
        h->heard[i].when = 0;
    }
    return true;
}

/* Returns the verdict on test 'serial', which is none of a path's, and how far
 * it is ahead. */
static enum fabric_seq_verdict
look_other(const struct fabric_hearing *h, uint32_t serial, int32_t *ahead)
{
    *ahead = h->any_others ? serial - h->top_other : 1;
    return (*ahead > 0 ? FABRIC_SEQ_NEW
            : *ahead <= -FABRIC_HEARING_OTHERS ? FABRIC_SEQ_OLD
            : bitmap_is_set(h->others, serial % FABRIC_HEARING_OTHERS)
            ? FABRIC_SEQ_SEEN : FABRIC_SEQ_NEW);
}

static void
add_other(struct fabric_hearing *h, uint32_t serial)
{
    int32_t ahead = serial - h->top_other;

    if (!h->any_others || ahead >= FABRIC_HEARING_OTHERS
        || ahead <= -FABRIC_HEARING_OTHERS) {
        memset(h->others, 0, sizeof h->others);
        h->any_others = true;
        h->top_other = serial;
    }
    while ((int32_t) (serial - h->top_other) > 0) {
        bitmap_set0(h->others, ++h->top_other % FABRIC_HEARING_OTHERS);
    }
    bitmap_set1(h->others, serial % FABRIC_HEARING_OTHERS);
}

/* Likewise, of a test of path 'ssid'. */
static enum fabric_seq_verdict
look_path(const struct fabric_hearing *h, uint16_t ssid, uint32_t seq,
          int32_t *ahead)
{
    const struct fabric_seq_window *w;

    *ahead = 1;
    if (ssid > h->n || !h->heard[ssid - 1].window.any) {
        return FABRIC_SEQ_NEW;
    }
    w = &h->heard[ssid - 1].window;
    *ahead = seq - w->top;
    return fabric_seq_window_look(w, seq);
}

bool
fabric_hearing_admit(struct fabric_hearing *h, uint64_t epoch, uint16_t ssid,
                     uint32_t seq, bool authentic, long long int now)
{
    enum fabric_seq_verdict verdict;
    long long int when;
    int32_t ahead;

    if (!enter_epoch(h, epoch, authentic, now)) {
        return false;
    }
    when = (!ssid ? h->epoch_when
            : ssid <= h->n ? h->heard[ssid - 1].when : 0);
    verdict = (ssid ? look_path(h, ssid, seq, &ahead)
               : look_other(h, seq, &ahead));
    if (verdict == FABRIC_SEQ_SEEN
        || (verdict == FABRIC_SEQ_OLD
            && (authentic || now - when < FRESH_TIME))
        || (ahead > MAX_JUMP && !authentic && now - when < FRESH_TIME)) {
        return false;
    }
    h->epoch_when = now;
    if (!ssid) {
        add_other(h, seq);
    }
    return true;
}

bool
fabric_hearing_is_recent(const struct fabric_hearing *h, long long int ms,
                         long long int now)
{
    for (size_t i = 0; i < h->n; i++) {
        if (is_fresh(&h->heard[i], ms, now)) {
            return true;
        }
    }
    return false;
}

size_t
fabric_hearing_get(const struct fabric_hearing *h, uint16_t ssid,
                   struct fabric_stamp_heard *heard, size_t n,
                   long long int now)
{
    size_t n_filled = 0;

    for (size_t i = 0; i < h->n && n_filled < n; i++) {
        size_t j = (ssid - 1 + i) % h->n;

        if (is_fresh(&h->heard[j], FABRIC_HEARING_MAX_AGE, now)) {
            heard[n_filled++] = (struct fabric_stamp_heard) {
                .ssid = j + 1,
                .seq = h->heard[j].window.top,
                .count = h->heard[j].count,
            };
        }
    }
    return n_filled;
}

void
fabric_hearing_begin_round(struct fabric_hearing *h, long long int now)
{
    size_t n_reports;

    if (h->told < h->round) {
        h->deaf = DEAF_ROUNDS;
    } else if (h->deaf) {
        h->deaf--;
    }
    h->round = now;

    /* Paths are tested in the same order each time, and any may be the only
     * one whose reports arrive. */
    n_reports = DIV_ROUND_UP(MAX(h->n, 1), FABRIC_STAMP_MAX_REPORT);
    h->next = h->n_rounds++ % n_reports * FABRIC_STAMP_MAX_REPORT;
}

size_t
fabric_hearing_size(const struct fabric_hearing *h, size_t n_paths)
{
    return MIN(MAX(h->n, n_paths), FABRIC_STAMP_MAX_REPORT);
}

void
fabric_hearing_tell(struct fabric_hearing *h, size_t n, long long int now,
                    struct fabric_stamp_report *report)
{
    size_t first = h->n > n && h->next < h->n ? h->next : 0;

    memset(report, 0, sizeof *report);
    report->deaf = h->deaf > 0;
    report->first = first + 1;
    report->n = n;
    for (size_t i = 0; i < n && first + i < h->n; i++) {
        const struct fabric_heard *heard = &h->heard[first + i];

        if (is_fresh(heard, FABRIC_HEARING_MAX_AGE, now)) {
            report->seqs[i] = heard->window.top;
        }
    }
    h->next = first + n;
}

void
fabric_hearing_told(struct fabric_hearing *h,
                    const struct fabric_stamp_report *report,
                    long long int now)
{
    if (!report->copy) {
        h->told = now;
    }
}

bool
fabric_hearing_spread(struct fabric_hearing *h, uint16_t ssid,
                      const struct fabric_stamp_report *report,
                      long long int now)
{
    long long int interval;

    if (!report->deaf) {
        return false;
    }
    /* Not quite, for tests do not arrive as evenly as they left. */
    interval = h->heard[ssid - 1].interval;
    if (now - h->spread < MAX(interval - interval / 4, 1)) {
        return false;
    }
    h->spread = now;
    return true;
}

void
fabric_hearing_note_wait(struct fabric_hearing *h, int64_t us,
                         long long int now)
{
    if (us >= h->wait || now - h->wait_when >= WAIT_MAX_AGE) {
        h->wait = MIN(us, MAX_PATIENCE * 1000);
        h->wait_when = now;
    }
}

long long int
fabric_hearing_patience(const struct fabric_hearing *h, long long int since,
                        long long int now)
{
    return (h->latest <= since && now - h->wait_when < WAIT_MAX_AGE
            ? h->wait / 1000 : 0);
}

uint64_t
fabric_hearing_rank(enum fabric_path_state state, bool elsewhere,
                    uint16_t own_port, uint16_t port)
{
    bool usable = fabric_path_state_is_usable(state);
    bool same = !elsewhere && own_port == port;
    uint64_t fitness = (!usable ? same
                        : elsewhere ? 2
                        : same ? 5
                        : state == FABRIC_PATH_DEGRADED ? 3 : 4);

    return fitness << 32 | hash_2words(own_port, port);
}
