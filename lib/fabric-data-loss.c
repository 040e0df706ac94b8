/* SPDX-License-Identifier: Apache-2.0 */

/* The evidence is what is missing beyond the least that ever was, less the
 * loss that is permitted.  Two things keep queues from being mistaken for
 * loss: the evidence has to be more than the packets of some time, at the
 * recent peak rate, and it has to last, since what waits arrives after all. */

#include <config.h>

#include "fabric-data-loss.h"

#include "util.h"

#define MILLION 1000000

/* Counters do not grow faster than that, packets per us; what seems to is a
 * restart. */
#define MAX_RATE 200

/* The time in which the peak of the rate is forgotten, us. */
#define RATE_FADES 4000000

#define MIN_OVER 3              /* Samples in a row that are evidence. */

/* Returns how many packets, millionths, may look missing, or the opposite,
 * because the two ends count at moments up to 'slack_us' apart.
 *
 * What counted as the least that ever was may be wrong by that as well, so the
 * rate at that time matters, too.  When the rate has been far below that for
 * long, the evidence begins anew, or else a path that was busy once would be
 * judged like that for ever. */
static int64_t
get_slack(struct fabric_data_loss *d, int64_t slack_us)
{
    if (!d->excess || d->rate < d->base_rate / 8) {
        d->excess = 0;
        d->base_rate = d->rate;
    }
    return MAX(d->rate, d->base_rate) * slack_us;
}

/* Is there enough evidence, and was there all the time lately? */
static bool
is_lasting(struct fabric_data_loss *d,
           const struct fabric_data_loss_config *config, int64_t enough,
           long long int now)
{
    if (d->excess < enough) {
        d->n_over = 0;
        return false;
    }
    if (!d->n_over) {
        d->over_since = now / 1000;
    }
    d->n_over = MIN(d->n_over + 1, MIN_OVER);
    return (d->n_over >= MIN_OVER
            && (uint32_t) (now / 1000) - d->over_since >= config->hold);
}

bool
fabric_data_loss_update(struct fabric_data_loss *d,
                        const struct fabric_data_loss_config *config,
                        uint32_t tx, uint32_t rx, int32_t rtt,
                        uint32_t permitted, long long int now)
{
    long long int elapsed = now - d->when;
    uint32_t sent = tx - d->tx;
    uint32_t received = rx - d->rx;
    bool found = false;

    /* A receiver that got far more than was sent, or a sender that sent more
     * than is possible, has started anew. */
    if (d->known && sent <= (elapsed + 1) * MAX_RATE
        && received <= (uint64_t) sent + MAX(d->rate, 1000)) {
        uint64_t rate = sent * UINT64_C(1000000) / MAX(elapsed, 1);
        int64_t missing = (int32_t) (sent - received);
        int64_t enough;

        d->sum_tx += sent;
        d->sum_missing += missing;
        d->rate = MAX(MIN(rate, UINT32_MAX),
                      d->rate - (d->rate * MIN(elapsed, RATE_FADES)
                                 / RATE_FADES));
        d->excess += missing * MILLION - (int64_t) sent * permitted;
        d->excess = MAX(d->excess, 0);
        enough = (config->evidence * INT64_C(1000000)
                  + get_slack(d, config->slack * INT64_C(1000) + rtt));
        if (config->judge && is_lasting(d, config, enough, now)) {
            d->excess = 0;
            found = true;
        }
    }
    d->known = true;
    d->tx = tx;
    d->rx = rx;
    d->when = now;
    return found;
}

bool
fabric_data_loss_is_due(const struct fabric_data_loss *d,
                        const struct fabric_data_loss_config *config,
                        long long int now)
{
    return !d->known || now - d->when >= config->slack * 500LL;
}

void
fabric_data_loss_restart(struct fabric_data_loss *d)
{
    d->excess = d->ppm = 0;
    d->n_over = 0;
}
