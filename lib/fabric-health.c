/* SPDX-License-Identifier: Apache-2.0 */

/* Evidence of loss is a cumulative sum (Page, "Continuous inspection schemes",
 * Biometrika 41, 1954) over probes, or over packets: what was lost less what
 * may be, never less than nothing.  It grows without bound if more is lost
 * than may be, and time works against it otherwise, so it needs neither a
 * window nor a number of trials.  What may be lost is half of the threshold,
 * so that loss at the threshold is found.
 *
 * Where a probe got lost follows from the peer's count of those that arrived.
 * Between two reports, those that were sent and did not arrive there were lost
 * on the way there ('missing_there').  They are placed when the probe is given
 * up, by when those that were merely overtaken have arrived; other probes that
 * are given up, and are older than a report, were lost on the way back.
 *
 * Data counters are read when a probe leaves and when it arrives, so packets
 * may be between them, and some overtake the probe or are overtaken.  That
 * number is bounded by how long packets are under way.  Evidence has to exceed
 * it. */

#include <config.h>

#include "fabric-health.h"

#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

#define MILLION 1000000

/* An entry of the ring: class (3 bits), large (1), fate (2), and when the
 * probe was sent (10), in units of 4 ms. */
enum fate { ANSWERED, OPEN, LOST };
#define RING_LARGE (1u << 3)
#define RING_FATE_SHIFT 4
#define RING_FATE_MASK (3u << RING_FATE_SHIFT)
#define RING_TIME_SHIFT 6
#define RING_TIME_MASK 0x3ff
#define RING_TIME_UNIT 4000

/* No probe is waited for longer, for the ring's time wraps around after
 * twice as long. */
#define MAX_WAIT 2000000

/* Answers in the window that are enough to judge how many are marked. */
#define MIN_CE_ANSWERS 20

/* Answers in a row without which no path is good again. */
#define MIN_GOOD 20

/* Doublings of the time to recover. */
#define MAX_REPEATS 16

#define FLAP_PENALTY 1000
#define MAX_PENALTY 6000

/* The evidence fades when it covers more probes than that. */
#define MAX_EVIDENCE 2000

static uint32_t
bit(enum fabric_health_reason reason)
{
    return 1u << reason;
}

void
fabric_health_init(struct fabric_health *h,
                   const struct fabric_health_config *config,
                   long long int now)
{
    memset(h, 0, sizeof *h);
    h->now = now;
    fabric_rtt_init(&h->rtt);
    fabric_window_advance(&h->window, config->window, now);
}

/* Time does not go back. */
static void
set_now(struct fabric_health *h, const struct fabric_health_config *config,
        long long int now)
{
    h->now = MAX(h->now, now);
    fabric_window_advance(&h->window, config->window, h->now);
}

static void
alarm(struct fabric_health *h, enum fabric_health_reason reason)
{
    h->alarms |= bit(reason);
}

/* Loss of probes. */

/* Adds a probe's fate to '*excess'; returns true if that is evidence. */
static bool
add_excess(int32_t *excess, const struct fabric_health_config *config,
           bool lost)
{
    int32_t permitted = config->loss_ppm / 2;
    int64_t limit = config->loss_evidence * INT64_C(1000);

    *excess = MAX(*excess + (lost ? MILLION : 0) - permitted, 0);
    if (!config->loss_ppm || *excess < limit) {
        return false;
    }
    *excess = 0;
    return true;
}

static void
fade_evidence(struct fabric_window_counts *e)
{
    for (size_t i = 0; i < FABRIC_N_CLASSES; i++) {
        e->n[i] /= 2;
        e->lost[i] /= 2;
    }
    for (int way = 0; way < FABRIC_N_WAYS; way++) {
        e->lost_way[way] /= 2;
    }
    e->n_large /= 2;
    e->lost_large /= 2;
}

/* Is the loss of 'lost' probes in 'n' particular to these, where 'all_lost' in
 * 'all' were lost in total?  If it were not, so many others would have been
 * lost that it is improbable that hardly any were. */
static bool
is_particular(uint32_t n, uint32_t lost, uint32_t all, uint32_t all_lost)
{
    uint32_t others = all - n;
    uint32_t others_lost = all_lost - lost;

    return (lost && lost * (uint64_t) others >= n * UINT64_C(3)
            && others_lost * UINT64_C(10) * n <= lost * (uint64_t) others);
}

/* Says what kind of loss the evidence shows. */
static enum fabric_health_reason
classify_loss(struct fabric_health *h)
{
    const struct fabric_window_counts *e = &h->evidence;
    unsigned int there = e->lost_way[FABRIC_WAY_THERE];
    unsigned int back = e->lost_way[FABRIC_WAY_BACK];
    uint32_t n = 0, lost = 0;
    size_t worst = 0;

    for (size_t i = 0; i < FABRIC_N_CLASSES; i++) {
        n += e->n[i];
        lost += e->lost[i];
        if (e->lost[i] > e->lost[worst]) {
            worst = i;
        }
    }
    if (is_particular(e->n_large, e->lost_large, n, lost)) {
        return FABRIC_HEALTH_LARGE;
    }
    if (is_particular(e->n[worst], e->lost[worst], n, lost)) {
        h->class = worst;
        return FABRIC_HEALTH_CLASS;
    }

    /* Not only the way back, if there is some evidence against both. */
    return (there && there * 4 >= lost ? FABRIC_HEALTH_LOSS_THERE
            : back * 2 >= lost && back ? FABRIC_HEALTH_LOSS_BACK
            : FABRIC_HEALTH_LOSS);
}

/* The fate of a probe is known. */
static void
settle(struct fabric_health *h, const struct fabric_health_config *config,
       unsigned int class, bool large, bool lost)
{
    uint32_t n = 0;
    bool found;

    fabric_window_count_probe(&h->evidence, class, large, lost);
    h->loss += (lost ? MILLION : 0) - h->loss / 512;
    h->n_good = lost && config->loss_ppm ? 0 : MIN(h->n_good + 1, MIN_GOOD);

    found = add_excess(&h->excess, config, lost);
    found |= add_excess(&h->excess_class[class], config, lost);
    if (large) {
        found |= add_excess(&h->excess_large, config, lost);
    }
    if (found) {
        alarm(h, classify_loss(h));
    }

    for (size_t i = 0; i < FABRIC_N_CLASSES; i++) {
        n += h->evidence.n[i];
    }
    if (n > MAX_EVIDENCE) {
        fade_evidence(&h->evidence);
    }
}

/* Finds out which way the probes got lost that are known to be lost, as far as
 * the peer told. */
static void
place_lost(struct fabric_health *h)
{
    struct fabric_window_counts *window
        = &fabric_window_bucket(&h->window)->counts;
    uint32_t there;

    if (!h->unplaced || !h->peer_counts
        || (int32_t) (h->peer_seq - h->unplaced_seq) < 0) {
        return;
    }
    there = MIN(h->unplaced, MAX(h->missing_there, 0));
    h->missing_there -= there;
    fabric_window_count_way(window, FABRIC_WAY_THERE, there);
    fabric_window_count_way(&h->evidence, FABRIC_WAY_THERE, there);
    fabric_window_count_way(window, FABRIC_WAY_BACK, h->unplaced - there);
    fabric_window_count_way(&h->evidence, FABRIC_WAY_BACK,
                            h->unplaced - there);
    h->unplaced = 0;
}

/* The peer starts counting anew, or we do. */
static void
forget_counts(struct fabric_health *h)
{
    h->peer_counts = false;
    h->missing_there = 0;
    h->unplaced = 0;
    for (int way = 0; way < FABRIC_N_WAYS; way++) {
        h->data[way].known = false;
    }
}

static void
forget_probes(struct fabric_health *h)
{
    h->n_ring = h->n_open = 0;
    h->ever_answered = false;
    forget_counts(h);
}

static enum fate
get_fate(uint16_t entry)
{
    return (entry & RING_FATE_MASK) >> RING_FATE_SHIFT;
}

static void
set_fate(uint16_t *entry, enum fate fate)
{
    *entry = (*entry & ~RING_FATE_MASK) | (fate << RING_FATE_SHIFT);
}

/* Has done with the oldest probe in the ring, and gives it up if it is open.
 *
 * Only now is it counted in the window, in the order of departure: answers
 * come at once and losses are known late, so counting each when it is known
 * would show too few losses until the window is full. */
static void
settle_oldest(struct fabric_health *h,
              const struct fabric_health_config *config)
{
    uint32_t seq = h->next_seq - h->n_open--;
    uint16_t *entry = &h->ring[seq % FABRIC_HEALTH_RING];
    unsigned int class = *entry & FABRIC_MAX_CLASS;
    bool large = *entry & RING_LARGE;
    bool lost = get_fate(*entry) == OPEN;

    fabric_window_count_probe(&fabric_window_bucket(&h->window)->counts,
                              class, large, lost);
    if (lost) {
        set_fate(entry, LOST);
        h->unplaced++;
        h->unplaced_seq = seq;
        place_lost(h);
        settle(h, config, class, large, true);
    }
}

/* How long to wait for an answer, us. */
static long long int
answer_wait(const struct fabric_health *h,
            const struct fabric_health_config *config)
{
    return MIN(MAX(config->answer_wait * 1000LL, h->rtt.smoothed / 2),
               MAX_WAIT);
}

/* Has done with the probes that are answered or have been waited for long
 * enough, up to the first that is neither. */
static void
expire(struct fabric_health *h, const struct fabric_health_config *config)
{
    uint32_t wait = answer_wait(h, config) / RING_TIME_UNIT;
    bool all = h->now - h->last_sent >= MAX_WAIT;

    while (h->n_open) {
        uint16_t entry = h->ring[(h->next_seq - h->n_open)
                                 % FABRIC_HEALTH_RING];
        uint32_t age = (h->now / RING_TIME_UNIT - (entry >> RING_TIME_SHIFT))
                       & RING_TIME_MASK;

        if (get_fate(entry) == OPEN && !all && age < wait) {
            break;
        }
        settle_oldest(h, config);
    }
}

void
fabric_health_sent(struct fabric_health *h,
                   const struct fabric_health_config *config, uint32_t seq,
                   unsigned int class, size_t size, long long int now)
{
    if (!h->alive) {
        return;
    }
    set_now(h, config, now);
    if (seq != h->next_seq) {
        forget_probes(h);
    }
    /* Before 'last_sent' changes, which tells how old they are. */
    expire(h, config);
    if (h->n_open == FABRIC_HEALTH_RING) {
        settle_oldest(h, config);
    }

    h->ring[seq % FABRIC_HEALTH_RING]
        = ((class & FABRIC_MAX_CLASS)
           | (size >= config->large_size ? RING_LARGE : 0)
           | (OPEN << RING_FATE_SHIFT)
           | ((h->now / RING_TIME_UNIT & RING_TIME_MASK) << RING_TIME_SHIFT));
    h->next_seq = seq + 1;
    h->n_open++;
    h->n_ring = MIN(h->n_ring + 1, FABRIC_HEALTH_RING);
    h->last_sent = h->now;
}

void
fabric_health_peer_count(struct fabric_health *h, uint32_t seq,
                         uint32_t count)
{
    uint32_t sent = seq - h->peer_seq;
    uint32_t arrived = count - h->peer_count;
    uint32_t age = h->next_seq - seq;

    if (!age || age > h->n_ring) {
        return;
    }
    if (h->peer_counts) {
        if ((int32_t) sent <= 0) {
            /* Overtaken by a later one. */
            return;
        }
        if (arrived > sent + FABRIC_HEALTH_RING) {
            forget_counts(h);
        } else {
            h->missing_there += sent - arrived;
        }
    }
    h->peer_counts = true;
    h->peer_seq = seq;
    h->peer_count = count;
    place_lost(h);
}

/* Probe 'entry', which was thought to be lost, was not. */
static void
unsettle(struct fabric_health *h, uint16_t entry)
{
    struct fabric_window_counts *window
        = &fabric_window_bucket(&h->window)->counts;
    unsigned int class = entry & FABRIC_MAX_CLASS;
    bool large = entry & RING_LARGE;

    fabric_window_uncount_lost(window, class, large);
    fabric_window_uncount_lost(&h->evidence, class, large);
    if (h->unplaced) {
        h->unplaced--;
    } else {
        window->lost_way[FABRIC_WAY_BACK]
            -= window->lost_way[FABRIC_WAY_BACK] > 0;
        h->evidence.lost_way[FABRIC_WAY_BACK]
            -= h->evidence.lost_way[FABRIC_WAY_BACK] > 0;
    }
    h->loss -= MIN(h->loss, MILLION);
    h->excess = MAX(h->excess - MILLION, 0);
    h->excess_class[class] = MAX(h->excess_class[class] - MILLION, 0);
    if (large) {
        h->excess_large = MAX(h->excess_large - MILLION, 0);
    }
}

/* Events. */

void
fabric_health_answered(struct fabric_health *h,
                       const struct fabric_health_config *config,
                       const struct fabric_health_answer *answer,
                       long long int now)
{
    uint32_t age = h->next_seq - answer->seq;
    int32_t rtt = MIN(MAX(answer->rtt, 0), FABRIC_RTT_MAX);
    bool reordered;
    uint16_t *entry;

    if (!h->alive || !age || age > h->n_ring) {
        return;
    }
    entry = &h->ring[answer->seq % FABRIC_HEALTH_RING];
    if (get_fate(*entry) == ANSWERED) {
        return;
    }
    set_now(h, config, now);

    if (get_fate(*entry) == LOST) {
        unsettle(h, *entry);
    } else {
        settle(h, config, *entry & FABRIC_MAX_CLASS, *entry & RING_LARGE,
               false);
    }
    set_fate(entry, ANSWERED);

    reordered = (h->ever_answered
                 && (int32_t) (answer->seq - h->last_answered) < 0);
    if (!reordered) {
        h->ever_answered = true;
        h->last_answered = answer->seq;
    }
    fabric_window_add_answer(&h->window, rtt, answer->ce_there,
                             answer->ce_back, reordered);
    if (fabric_rtt_update(&h->rtt, &config->rtt, rtt, h->now)) {
        alarm(h, FABRIC_HEALTH_RTT);
    }
}

void
fabric_health_forget_rtt(struct fabric_health *h)
{
    fabric_rtt_init(&h->rtt);
}

void
fabric_health_works(struct fabric_health *h)
{
    h->n_good = MIN(h->n_good + 1, MIN_GOOD);
}

void
fabric_health_data(struct fabric_health *h,
                   const struct fabric_health_config *config,
                   enum fabric_way way, uint32_t tx, uint32_t rx,
                   long long int now)
{
    struct fabric_data_loss *d = &h->data[way];

    if (!h->alive || !fabric_data_loss_is_due(d, &config->data, now)) {
        return;
    }
    set_now(h, config, now);
    if (fabric_data_loss_update(d, &config->data, tx, rx,
                                fabric_rtt_bound(&h->rtt),
                                config->loss_ppm / 2, now)
        && config->loss_ppm) {
        alarm(h, (way == FABRIC_WAY_THERE ? FABRIC_HEALTH_DATA_THERE
                  : FABRIC_HEALTH_DATA_BACK));
    }
    fabric_window_add_data(&h->window, way, d->sum_tx, d->sum_missing);
}

/* Flapping. */

/* Exponential decay, straight within a half-life. */
static uint32_t
get_penalty(const struct fabric_health *h,
            const struct fabric_health_config *config, long long int now)
{
    long long int half_life = MAX(config->flap_half_life, 1) * 1000LL;
    long long int age = MAX(now - h->penalty_when, 0);
    uint32_t penalty;

    if (age / half_life >= 32) {
        return 0;
    }
    penalty = h->penalty >> (age / half_life);
    return penalty - penalty * (age % half_life) / (2 * half_life);
}

void
fabric_health_set_alive(struct fabric_health *h,
                        const struct fabric_health_config *config, bool alive,
                        long long int now)
{
    if (alive == h->alive) {
        return;
    }
    set_now(h, config, now);
    h->alive = alive;
    if (alive) {
        h->up_since = h->now;
        fabric_window_clear(&h->window);
        memset(&h->evidence, 0, sizeof h->evidence);
        h->loss = 0;
        h->excess = h->excess_large = 0;
        memset(h->excess_class, 0, sizeof h->excess_class);
        for (int way = 0; way < FABRIC_N_WAYS; way++) {
            fabric_data_loss_restart(&h->data[way]);
        }
        fabric_rtt_restart(&h->rtt);
    } else {
        h->penalty = MIN(get_penalty(h, config, h->now) + FLAP_PENALTY,
                         MAX_PENALTY);
        h->penalty_when = h->now;
        h->n_flaps++;
        h->new_flapping = (config->flap_suppress
                           && h->penalty >= config->flap_suppress
                           && !((h->reasons | h->alarms)
                                & bit(FABRIC_HEALTH_FLAPPING)));
        if (config->flap_suppress && h->penalty >= config->flap_suppress) {
            alarm(h, FABRIC_HEALTH_FLAPPING);
        }
    }
    forget_probes(h);
}

void
fabric_health_excuse(struct fabric_health *h,
                     const struct fabric_health_config *config)
{
    h->penalty -= MIN(h->penalty, FLAP_PENALTY);
    h->n_flaps -= h->n_flaps > 0;
    if (h->new_flapping && h->penalty < config->flap_suppress) {
        h->new_flapping = false;
        h->alarms &= ~bit(FABRIC_HEALTH_FLAPPING);
        if (h->reasons == bit(FABRIC_HEALTH_FLAPPING)) {
            h->n_degraded--;
        }
        h->reasons &= ~bit(FABRIC_HEALTH_FLAPPING);
    }
}

/* Judgement. */

static uint32_t
ppm(uint64_t part, uint64_t whole)
{
    return whole ? MIN(part, whole) * MILLION / whole : 0;
}

/* How bad is 'h' now, for its reasons and otherwise? */
static uint32_t
get_severity(const struct fabric_health *h,
             const struct fabric_health_config *config, uint32_t ce)
{
    const struct fabric_window_counts *e = &h->evidence;
    uint32_t severity = h->loss / 512;

    if (h->reasons && !fabric_health_is_to_leave(h)) {
        return 0;
    }
    for (int way = 0; way < FABRIC_N_WAYS; way++) {
        severity = MAX(severity, h->data[way].ppm);
    }
    if (h->reasons & bit(FABRIC_HEALTH_LARGE)) {
        severity = MAX(severity, ppm(e->lost_large, e->n_large));
    }
    if (h->reasons & bit(FABRIC_HEALTH_CLASS)) {
        severity = MAX(severity, ppm(e->lost[h->class], e->n[h->class]));
    }
    if (h->reasons & bit(FABRIC_HEALTH_RTT)) {
        severity = MAX(severity, fabric_rtt_severity(&h->rtt, &config->rtt));
    }
    if (h->reasons & bit(FABRIC_HEALTH_CE)) {
        severity = MAX(severity, ce / 100);
    }
    if (h->reasons & bit(FABRIC_HEALTH_FLAPPING)) {
        severity = MILLION;
    }
    return MIN(severity, MILLION);
}

static bool
still_loses(const struct fabric_health_config *config, uint32_t lost,
            uint32_t n)
{
    return config->loss_ppm && ppm(lost, n) > config->loss_ppm / 2;
}

/* If the latest losses before the alarm could not be placed yet, now they
 * can. */
static void
place_loss(struct fabric_health *h)
{
    if (h->reasons & bit(FABRIC_HEALTH_LOSS)) {
        h->reasons &= ~bit(FABRIC_HEALTH_LOSS);
        h->reasons |= bit(classify_loss(h));
    }
}

/* Looks at the whole window, whenever a bucket of it is full.  Returns true if
 * it is not good yet, although that may be no evidence that it is bad. */
static bool
assess_window(struct fabric_health *h,
              const struct fabric_health_config *config, uint32_t *ce)
{
    struct fabric_window_sum s;
    bool bad;

    fabric_window_get_sum(&h->window, &s);
    bad = (still_loses(config, s.lost, s.n)
           || still_loses(config, s.lost_large, s.n_large));
    for (size_t i = 0; i < FABRIC_N_CLASSES; i++) {
        bad |= still_loses(config, s.class_lost[i], s.class_n[i]);
    }
    for (int way = 0; way < FABRIC_N_WAYS; way++) {
        struct fabric_data_loss *d = &h->data[way];

        d->ppm = ppm(s.data_lost[way], s.data_tx[way]);
        bad |= (config->data.judge
                && s.data_lost[way] > config->data.evidence
                && still_loses(config, s.data_lost[way], s.data_tx[way]));
    }

    *ce = ppm(MAX(s.n_ce[FABRIC_WAY_THERE], s.n_ce[FABRIC_WAY_BACK]),
              s.n_answers);
    if (config->ce_ppm && s.n_answers >= MIN_CE_ANSWERS) {
        if (*ce >= config->ce_ppm) {
            alarm(h, FABRIC_HEALTH_CE);
        }
        bad |= *ce >= config->ce_ppm / 2;
    }
    return bad;
}

/* Time that must pass without evidence until 'h' is good again, us. */
static long long int
recovery_time(const struct fabric_health *h,
              const struct fabric_health_config *config)
{
    return MIN((uint64_t) config->recover << h->repeats,
               MAX(config->recover, config->recover_max)) * UINT64_C(1000);
}

static void
degrade(struct fabric_health *h, const struct fabric_health_config *config)
{
    if (h->recovered && (h->now - h->recovered
                         < config->recover_max * 1000LL)) {
        h->repeats = MIN(h->repeats + 1, MAX_REPEATS);
    } else {
        h->repeats = 0;
    }
    h->n_degraded++;
    h->severity = 0;
}

static void
recover(struct fabric_health *h)
{
    h->reasons = 0;
    h->recovered = h->now;
    h->excess = h->excess_large = 0;
    memset(h->excess_class, 0, sizeof h->excess_class);
    memset(&h->evidence, 0, sizeof h->evidence);
}

bool
fabric_health_check(struct fabric_health *h,
                    const struct fabric_health_config *config,
                    long long int now)
{
    uint32_t old = h->reasons;
    bool assess, bad;
    uint32_t ce = 0;

    set_now(h, config, now);
    expire(h, config);
    assess = h->window.newest != h->assessed;
    h->assessed = h->window.newest;

    bad = ((assess && assess_window(h, config, &ce)) || h->alarms
           || !h->alive
           || (h->reasons & bit(FABRIC_HEALTH_RTT)
               && fabric_rtt_is_slow(&h->rtt, &config->rtt, h->now))
           || (h->reasons & bit(FABRIC_HEALTH_FLAPPING)
               && get_penalty(h, config, h->now) >= config->flap_reuse));
    if (h->alarms) {
        if (!h->reasons) {
            degrade(h, config);
        }
        h->reasons |= h->alarms;
        h->alarms = 0;
    }
    if (assess) {
        place_loss(h);
    }
    if (bad) {
        h->good_since = h->now;
        h->n_good = 0;
    } else if (h->reasons && h->n_good >= MIN_GOOD
               && h->now - h->good_since >= recovery_time(h, config)) {
        recover(h);
    }
    if (assess || h->reasons != old) {
        uint32_t severity = get_severity(h, config, ce);

        /* The worst that it was, so that it does not look good while it
         * waits. */
        h->severity = (fabric_health_is_to_leave(h)
                       ? MAX(MAX(severity, h->severity),
                             MIN(config->loss_ppm, MILLION))
                       : severity);
    }
    return h->reasons != old;
}

/* Showing. */

const char *
fabric_health_reason_to_string(enum fabric_health_reason reason)
{
    switch (reason) {
#define FABRIC_HEALTH_REASON(ENUM, NAME) \
    case FABRIC_HEALTH_##ENUM: return NAME;
    FABRIC_HEALTH_REASONS
#undef FABRIC_HEALTH_REASON
    }
    OVS_NOT_REACHED();
}

void
fabric_health_format_reasons(uint32_t reasons, struct ds *ds)
{
    const char *separator = "";

    for (int i = 0; i < FABRIC_N_HEALTH_REASONS; i++) {
        if (reasons & bit(i)) {
            ds_put_format(ds, "%s%s", separator,
                          fabric_health_reason_to_string(i));
            separator = ",";
        }
    }
}

static int32_t
fraction(uint32_t part, uint32_t whole)
{
    return whole ? ppm(part, whole) : -1;
}

void
fabric_health_get_stats(const struct fabric_health *h,
                        const struct fabric_health_config *config,
                        long long int now, struct fabric_health_stats *stats)
{
    struct fabric_window window = h->window;
    struct fabric_window_sum s;
    uint32_t there, back;

    now = MAX(now, h->now);
    fabric_window_advance(&window, config->window, now);
    fabric_window_get_sum(&window, &s);
    there = s.lost_way[FABRIC_WAY_THERE];
    back = s.lost_way[FABRIC_WAY_BACK];

    *stats = (struct fabric_health_stats) {
        .rtt_min = s.n_answers ? s.rtt_min : -1,
        .rtt_smoothed = h->rtt.smoothed < 0 ? -1 : h->rtt.smoothed / 8,
        .rtt_p99 = fabric_window_percentile(&window, 990),
        .rtt_baseline = fabric_rtt_baseline(&h->rtt),
        .jitter = h->rtt.last < 0 ? -1 : h->rtt.jitter / 16,
        .n_probes = s.n,
        .loss = fraction(s.lost, s.n),
        .loss_way[FABRIC_WAY_THERE]
            = h->peer_counts ? fraction(there, s.n) : -1,
        .loss_way[FABRIC_WAY_BACK]
            = h->peer_counts ? fraction(back, s.n - MIN(there, s.n)) : -1,
        .loss_large = fraction(s.lost_large, s.n_large),
        .loss_small = fraction(s.lost - MIN(s.lost_large, s.lost),
                               s.n - s.n_large),
        .reordered = fraction(s.n_reordered, s.n_answers),
        .uptime = h->alive ? (now - h->up_since) / 1000 : 0,
        .n_flaps = h->n_flaps,
        .n_degraded = h->n_degraded,
        .penalty = get_penalty(h, config, now),
    };
    for (size_t i = 0; i < FABRIC_N_CLASSES; i++) {
        stats->loss_class[i] = fraction(s.class_lost[i], s.class_n[i]);
    }
    for (int way = 0; way < FABRIC_N_WAYS; way++) {
        stats->data_loss[way] = fraction(s.data_lost[way], s.data_tx[way]);
        stats->ce[way] = fraction(s.n_ce[way], s.n_answers);
    }
}
