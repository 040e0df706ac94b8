/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_HEALTH_H
#define FABRIC_HEALTH_H 1

/* How good one path is.
 * =====================
 *
 * fabric-liveness.h tells whether a path answers; this module measures how
 * well, and judges.  It is told of events and has no clock, socket or lock of
 * its own.
 *
 * A path is good or degraded, for one or more reasons.  It degrades as soon as
 * there is evidence:
 *
 *   loss            of probes.  Evidence is the number of lost probes beyond
 *   loss-there      what half of the threshold permits; four in short order
 *   loss-back       are enough, for the same rate of loss is told from chance
 *                   by the same number of losses, whatever the interval
 *   data-loss-there of data, by the counters of both ends, likewise.  What may
 *   data-loss-back  be under way is no evidence
 *   large-packets   of large probes and not of small ones
 *   class           of probes of one class and not of others
 *   rtt             the round trip is far above what it was on this path at
 *                   best, and above what it is on the endpoint's other paths;
 *                   or far above the latter
 *   ce              routers mark most probes Congestion Experienced
 *   flapping        it went down too often (RFC 2439)
 *
 * and recovers when there was none for a time that doubles each time that it
 * degrades again, and some probes were answered.  A path that is down is not
 * judged; it comes back as it was.
 *
 * Which of an endpoint's degraded paths traffic leaves is for fabric-choice.h
 * to decide.
 *
 * Times are us unless said otherwise, of any monotonic clock.
 *
 * Thread-safety: none, the caller locks.
 *
 * Example
 * =======
 *
 *     seq = fabric_liveness_sent(&live, now);
 *     fabric_health_sent(&h, &config, seq, class, size, now);
 *     if (fabric_health_check(&h, &config, now)) {
 *         ...fabric_choice_make() for the endpoint...
 *     }
 */

#include "fabric-data-loss.h"
#include "fabric-rtt.h"
#include "fabric-window.h"
#include "util.h"

struct ds;

/* Why a path is degraded: (enumerator, name).  The order is what OpenFlow has
 * on the wire (ofp-fabric-msg.h): append only. */
#define FABRIC_HEALTH_REASONS                           \
    FABRIC_HEALTH_REASON(FLAPPING, "flapping")          \
    FABRIC_HEALTH_REASON(LARGE, "large-packets")        \
    FABRIC_HEALTH_REASON(CLASS, "class")                \
    FABRIC_HEALTH_REASON(LOSS_THERE, "loss-there")      \
    FABRIC_HEALTH_REASON(LOSS_BACK, "loss-back")        \
    FABRIC_HEALTH_REASON(LOSS, "loss")                  \
    FABRIC_HEALTH_REASON(DATA_THERE, "data-loss-there") \
    FABRIC_HEALTH_REASON(DATA_BACK, "data-loss-back")   \
    FABRIC_HEALTH_REASON(RTT, "rtt")                    \
    FABRIC_HEALTH_REASON(CE, "ce")

enum fabric_health_reason {
#define FABRIC_HEALTH_REASON(ENUM, NAME) FABRIC_HEALTH_##ENUM,
    FABRIC_HEALTH_REASONS
#undef FABRIC_HEALTH_REASON
};
enum {
#define FABRIC_HEALTH_REASON(ENUM, NAME) +1
    FABRIC_N_HEALTH_REASONS = FABRIC_HEALTH_REASONS
#undef FABRIC_HEALTH_REASON
};

struct fabric_health_config {
    unsigned int window;        /* ms that statistics cover, 1000...60000. */
    unsigned int answer_wait;   /* ms until a probe is lost, at most 2000; more
                                 * where the round trip takes longer. */
    unsigned int large_size;    /* Bytes from which on a probe is large. */

    /* Loss, either way or both. */
    uint32_t loss_ppm;          /* That is too much; 0: any is fine.  Half of
                                 * it is found, too, in time; a tenth about
                                 * once in ten days, a fiftieth in years. */
    unsigned int loss_evidence; /* Lost probes in excess, thousandths. */
    struct fabric_data_loss_config data;

    struct fabric_rtt_config rtt;
    uint32_t ce_ppm;            /* Marked probes that are too many; 0: none. */

    /* Recovery, ms: at first, and at most. */
    unsigned int recover;
    unsigned int recover_max;

    /* Each time that the path goes down adds 1000 to its penalty, which decays
     * with this half-life in ms; it is flapping from 'suppress' until
     * 'reuse'. */
    unsigned int flap_half_life;
    unsigned int flap_suppress; /* 0: never. */
    unsigned int flap_reuse;

    /* Weights (fabric-table.h) of paths that are left, and of those left for
     * nothing but CE marks. */
    unsigned int weight;
    unsigned int weight_ce;
};

#define FABRIC_HEALTH_CONFIG_DEFAULT {          \
    .window = 10000,                            \
    .answer_wait = 500,                         \
    .large_size = 1024,                         \
    .loss_ppm = 5000,                           \
    .loss_evidence = 3500,                      \
    .data = FABRIC_DATA_LOSS_CONFIG_DEFAULT,    \
    .rtt = FABRIC_RTT_CONFIG_DEFAULT,           \
    .ce_ppm = 500000,                           \
    .recover = 10000,                           \
    .recover_max = 600000,                      \
    .flap_half_life = 60000,                    \
    .flap_suppress = 2500,                      \
    .flap_reuse = 1000,                         \
    .weight = 0,                                \
    .weight_ce = 128,                           \
}

#define FABRIC_HEALTH_RING 128          /* Probes whose fate may be open. */

/* Data packets one way, by the counters of both ends. */
struct fabric_health {
    struct fabric_window window;
    long long int now;          /* Latest that was told. */

    /* Probes, by sequence number; see fabric-health.c for the encoding. */
    uint16_t ring[FABRIC_HEALTH_RING];
    uint32_t next_seq;
    uint32_t n_ring;            /* Probes that are in 'ring'... */
    uint32_t n_open;            /* ...of which the latest ones may be open. */
    long long int last_sent;
    uint32_t last_answered;
    bool ever_answered;

    /* Which way the lost ones got lost. */
    bool peer_counts;           /* Are these two known? */
    uint32_t peer_seq;          /* Probe with which the peer last told... */
    uint32_t peer_count;        /* ...how many had arrived. */
    int32_t missing_there;      /* Did not arrive, but may not be known to be
                                 * lost yet. */
    uint32_t unplaced;          /* Known to be lost, but not where... */
    uint32_t unplaced_seq;      /* ...and the last of them. */

    /* Evidence of loss, millionths of probes. */
    int32_t excess;
    int32_t excess_large;
    int32_t excess_class[FABRIC_N_CLASSES];
    struct fabric_window_counts evidence;       /* Of late, fading. */
    uint32_t loss;              /* Share of lost probes, exponential average,
                                 * ppm times 512. */

    struct fabric_rtt rtt;
    struct fabric_data_loss data[FABRIC_N_WAYS];

    /* Judgement. */
    long long int assessed;     /* Bucket of the window, latest that began. */
    uint32_t alarms;            /* Reasons found since the last check. */
    uint32_t reasons;           /* Bitmap of reasons; 0 if the path is good. */
    uint8_t class;              /* The one that FABRIC_HEALTH_CLASS means. */
    uint8_t repeats;            /* Doublings of the time to recover. */
    uint16_t n_good;            /* Probes answered since 'good_since', and
                                 * since the latest that was lost. */
    uint32_t severity;          /* To compare paths by, 0...1000000. */
    long long int good_since;   /* Latest evidence, while degraded. */
    long long int recovered;    /* When it was last degraded, or 0. */

    bool alive;
    bool new_flapping;          /* Flapping since it last went down? */
    long long int up_since;
    uint32_t penalty;           /* At the time... */
    long long int penalty_when; /* ...of this. */
    uint32_t n_flaps;           /* Times that it went down, */
    uint32_t n_degraded;        /* or became degraded. */
};
/* Tens of thousands of them must not be felt. */
BUILD_ASSERT_DECL(sizeof(struct fabric_health) <= 1568);

void fabric_health_init(struct fabric_health *,
                        const struct fabric_health_config *,
                        long long int now);

/* Events.  Sequence numbers count all probes of the path, whatever their
 * class, and wrap around; a gap in those sent starts anew. */

/* Liveness says that the path works, or that it does not. */
void fabric_health_set_alive(struct fabric_health *,
                             const struct fabric_health_config *, bool alive,
                             long long int now);

/* Takes back that liveness last said that it does not. */
void fabric_health_excuse(struct fabric_health *,
                          const struct fabric_health_config *);

/* A probe of 'size' bytes, inner headers included, leaves. */
void fabric_health_sent(struct fabric_health *,
                        const struct fabric_health_config *, uint32_t seq,
                        unsigned int class, size_t size, long long int now);

struct fabric_health_answer {
    uint32_t seq;
    int64_t rtt;                /* Without the time spent in the peer. */
    bool ce_there, ce_back;     /* Marked on its way there, or back? */
};
void fabric_health_answered(struct fabric_health *,
                            const struct fabric_health_config *,
                            const struct fabric_health_answer *,
                            long long int now);

/* Answers come back by another way, so round trips do not compare with those
 * before. */
void fabric_health_forget_rtt(struct fabric_health *);

/* The path was seen to work, by something that measures nothing. */
void fabric_health_works(struct fabric_health *);

/* When probe 'seq' of this path arrived, the peer had received 'count' probes
 * of this path, that one included, since any time.  Before
 * fabric_health_answered() if the same packet tells both. */
void fabric_health_peer_count(struct fabric_health *, uint32_t seq,
                              uint32_t count);

/* The sender had sent 'tx' data packets that way when its probe or answer
 * left, of which 'rx' had been received when that arrived.  Both wrap
 * around. */
void fabric_health_data(struct fabric_health *,
                        const struct fabric_health_config *, enum fabric_way,
                        uint32_t tx, uint32_t rx, long long int now);

/* Judges.  Returns true if the reasons changed.  To be called after events and
 * not less often than probes are sent. */
bool fabric_health_check(struct fabric_health *,
                         const struct fabric_health_config *,
                         long long int now);

static inline bool
fabric_health_is_degraded(const struct fabric_health *h)
{
    return h->reasons != 0;
}

/* Is something wrong that leaving the path would help against?  What gets lost
 * on the way back does so on a path of the peer's choice. */
static inline bool
fabric_health_is_to_leave(const struct fabric_health *h)
{
    return (h->reasons & ~((1u << FABRIC_HEALTH_LOSS_BACK)
                           | (1u << FABRIC_HEALTH_DATA_BACK))) != 0;
}

/* Appends the reasons to 'ds', with commas between them. */
void fabric_health_format_reasons(uint32_t reasons, struct ds *ds);
const char *fabric_health_reason_to_string(enum fabric_health_reason);

/* Statistics.  Round trips are in us, fractions in ppm; -1 if not known. */
struct fabric_health_stats {
    int32_t rtt_min;            /* In the window. */
    int32_t rtt_smoothed;       /* RFC 6298 section 2. */
    int32_t rtt_p99;            /* In the window. */
    int32_t rtt_baseline;       /* Least in 'rtt_baseline' ms or more. */
    int32_t jitter;             /* RFC 3550 section 6.4.1, of round trips. */

    /* In the window. */
    uint32_t n_probes;          /* Answered or lost. */
    int32_t loss;               /* Of probes, there or back. */
    int32_t loss_way[FABRIC_N_WAYS];
    int32_t loss_class[FABRIC_N_CLASSES];
    int32_t loss_large, loss_small;
    int32_t data_loss[FABRIC_N_WAYS];
    int32_t reordered;          /* Answers that overtook one another. */
    int32_t ce[FABRIC_N_WAYS];

    long long int uptime;       /* ms since it last came up; 0 if it is not. */
    uint32_t n_flaps, n_degraded;
    uint32_t penalty;
};
void fabric_health_get_stats(const struct fabric_health *,
                             const struct fabric_health_config *,
                             long long int now, struct fabric_health_stats *);

#endif /* fabric-health.h */
