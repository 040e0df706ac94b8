/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-rtt.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

void
fabric_rtt_init(struct fabric_rtt *r)
{
    r->baseline[0] = r->baseline[1] = r->others = -1;
    r->baseline_since = 0;
    fabric_rtt_restart(r);
}

void
fabric_rtt_restart(struct fabric_rtt *r)
{
    r->last = r->smoothed = r->level = -1;
    r->var = r->jitter = 0;
    r->n_recent = 0;
    r->slow = 0;
}

static int32_t
median(const int32_t values[FABRIC_RTT_RECENT])
{
    int32_t sorted[FABRIC_RTT_RECENT];

    for (size_t i = 0; i < FABRIC_RTT_RECENT; i++) {
        size_t j;

        for (j = i; j > 0 && sorted[j - 1] > values[i]; j--) {
            sorted[j] = sorted[j - 1];
        }
        sorted[j] = values[i];
    }
    return sorted[FABRIC_RTT_RECENT / 2];
}

int32_t
fabric_rtt_baseline(const struct fabric_rtt *r)
{
    return (r->baseline[1] < 0 ? r->baseline[0]
            : MIN(r->baseline[0], r->baseline[1]));
}

static void
update_baseline(struct fabric_rtt *r, const struct fabric_rtt_config *config,
                int32_t rtt, long long int now)
{
    if (r->baseline[0] < 0
        || now - r->baseline_since >= config->baseline * 1000LL) {
        r->baseline[1] = r->baseline[0];
        r->baseline[0] = rtt;
        r->baseline_since = now;
    }
    r->baseline[0] = MIN(r->baseline[0], rtt);
}

/* How much above 'normal' is too much?  Not what jitter explains: round trips
 * that are spread evenly differ by three times the jitter at most.  A sudden
 * delay adds but a sixteenth of itself to the jitter. */
static int64_t
tolerance(const struct fabric_rtt *r, const struct fabric_rtt_config *config,
          int64_t normal)
{
    int64_t excess = MAX(config->excess, 4 * (int64_t) r->jitter / 16);

    return MAX(normal * config->percent / 100 - normal, excess);
}

/* Where all paths became slower together it is not this path's fault.  Of the
 * distance from other paths thrice as much is tolerated, for paths may
 * differ. */
static bool
is_too_long(const struct fabric_rtt *r, const struct fabric_rtt_config *config)
{
    int64_t baseline = fabric_rtt_baseline(r);
    int64_t beyond_others = (int64_t) r->level - r->others;

    if (r->level < 0) {
        return false;
    }
    if (r->others >= 0
        && beyond_others > 3 * tolerance(r, config, r->others)) {
        return true;
    }
    return (r->level - baseline > tolerance(r, config, baseline)
            && (r->others < 0 || beyond_others > config->excess / 2));
}

bool
fabric_rtt_update(struct fabric_rtt *r, const struct fabric_rtt_config *config,
                  int32_t rtt, long long int now)
{
    /* RFC 6298 section 2, with its gains of 1/8 and 1/4. */
    if (r->smoothed < 0) {
        r->smoothed = rtt * 8;
        r->var = rtt * 2;
    } else {
        int32_t delta = rtt - r->smoothed / 8;

        r->var += abs(delta) - r->var / 4;
        r->smoothed += delta;
    }

    /* RFC 3550 section 6.4.1, as in its appendix A.8. */
    if (r->last >= 0) {
        r->jitter += abs(rtt - r->last) - (r->jitter + 8) / 16;
    }
    r->last = rtt;

    r->recent[r->n_recent % FABRIC_RTT_RECENT] = rtt;
    if (++r->n_recent >= FABRIC_RTT_RECENT) {
        r->level = median(r->recent);
    }
    update_baseline(r, config, rtt, now);

    if (!is_too_long(r, config)) {
        r->slow -= MIN(r->slow, 2);
        return false;
    }
    if (!r->slow) {
        r->slow_since = now;
    }
    r->slow = MIN(r->slow + 1, 2 * config->run);
    return (config->run && r->slow >= config->run
            && now - r->slow_since >= config->hold * 1000LL);
}

bool
fabric_rtt_is_slow(const struct fabric_rtt *r,
                   const struct fabric_rtt_config *config, long long int now)
{
    return (config->run && r->slow >= DIV_ROUND_UP(config->run, 2)
            && now - r->slow_since >= config->hold * 500LL);
}

uint32_t
fabric_rtt_severity(const struct fabric_rtt *r,
                    const struct fabric_rtt_config *config)
{
    int64_t normal = fabric_rtt_baseline(r);

    if (r->others >= 0 && r->others < normal) {
        normal = r->others;
    }
    /* As bad as 1 % of loss where it begins to be too long. */
    return MIN(MAX(r->level - normal, 0) * 10000
               / MAX(tolerance(r, config, normal), 1), 500000);
}

int32_t
fabric_rtt_bound(const struct fabric_rtt *r)
{
    return r->smoothed < 0 ? 0 : r->smoothed / 8 + r->var;
}
