/* SPDX-License-Identifier: Apache-2.0 */

/* A control packet, RFC 5880 section 4.1:
 *
 *     octet
 *      0     version (3 bits), diagnostic (5)
 *      1     state (2 bits), P, F, C, A, D, M
 *      2     detection time multiplier
 *      3     length
 *      4     my discriminator
 *      8     your discriminator
 *     12     desired min TX interval
 *     16     required min RX interval
 *     20     required min echo RX interval
 *
 * Section numbers below are those of RFC 5880. */

#include <config.h>

#include "fabric-bfd.h"

#include <limits.h>
#include <string.h>

#include "fabric-bytes.h"
#include "ovs-thread.h"
#include "random.h"
#include "util.h"

enum {
    BFD_VERS_DIAG = 0,
    BFD_FLAGS = 1,
    BFD_MULTIPLIER = 2,
    BFD_LENGTH = 3,
    BFD_MY_DISC = 4,
    BFD_YOUR_DISC = 8,
    BFD_MIN_TX = 12,
    BFD_MIN_RX = 16,
    BFD_MIN_ECHO_RX = 20,
};

#define BFD_VERSION 1

enum {
    BFD_POLL = 0x20,
    BFD_FINAL = 0x10,
    BFD_INDEPENDENT = 0x08,
    BFD_AUTH = 0x04,
    BFD_DEMAND = 0x02,
    BFD_MULTIPOINT = 0x01,
};

const char *
fabric_bfd_state_to_string(enum fabric_bfd_state state)
{
    static const char *const names[] = { "admin down", "down", "init", "up" };

    return state < ARRAY_SIZE(names) ? names[state] : "unknown";
}

const char *
fabric_bfd_diag_to_string(uint8_t diag)
{
    static const char *const names[] = {
        "no diagnostic",
        "detection time expired",
        "echo failed",
        "neighbor signaled down",
        "forwarding plane reset",
        "path down",
        "concatenated path down",
        "administratively down",
        "reverse concatenated path down",
    };

    return diag < ARRAY_SIZE(names) ? names[diag] : "unknown";
}

/* Packets. */

void
fabric_bfd_put(const struct fabric_bfd_packet *packet, void *payload)
{
    uint8_t *p = payload;

    p[BFD_VERS_DIAG] = BFD_VERSION << 5 | (packet->diag & 0x1f);
    p[BFD_FLAGS] = (packet->state << 6
                    | (packet->poll ? BFD_POLL : 0)
                    | (packet->final ? BFD_FINAL : 0)
                    | (packet->independent ? BFD_INDEPENDENT : 0)
                    | (packet->demand ? BFD_DEMAND : 0));
    p[BFD_MULTIPLIER] = packet->multiplier;
    p[BFD_LENGTH] = FABRIC_BFD_LEN;
    fabric_put_be32(p + BFD_MY_DISC, packet->my_disc);
    fabric_put_be32(p + BFD_YOUR_DISC, packet->your_disc);
    fabric_put_be32(p + BFD_MIN_TX, packet->min_tx);
    fabric_put_be32(p + BFD_MIN_RX, packet->min_rx);
    fabric_put_be32(p + BFD_MIN_ECHO_RX, packet->min_echo_rx);
}

/* Authentication is not in use, so whoever uses it does not mean us. */
bool
fabric_bfd_get(const void *payload, size_t size,
               struct fabric_bfd_packet *packet)
{
    const uint8_t *p = payload;
    uint8_t flags;

    if (size < FABRIC_BFD_LEN || p[BFD_VERS_DIAG] >> 5 != BFD_VERSION
        || p[BFD_LENGTH] < FABRIC_BFD_LEN || p[BFD_LENGTH] > size) {
        return false;
    }
    flags = p[BFD_FLAGS];
    *packet = (struct fabric_bfd_packet) {
        .state = flags >> 6,
        .diag = p[BFD_VERS_DIAG] & 0x1f,
        .poll = flags & BFD_POLL,
        .final = flags & BFD_FINAL,
        .independent = flags & BFD_INDEPENDENT,
        .demand = flags & BFD_DEMAND,
        .multiplier = p[BFD_MULTIPLIER],
        .my_disc = fabric_get_be32(p + BFD_MY_DISC),
        .your_disc = fabric_get_be32(p + BFD_YOUR_DISC),
        .min_tx = fabric_get_be32(p + BFD_MIN_TX),
        .min_rx = fabric_get_be32(p + BFD_MIN_RX),
        .min_echo_rx = fabric_get_be32(p + BFD_MIN_ECHO_RX),
    };
    return (!(flags & (BFD_AUTH | BFD_MULTIPOINT))
            && packet->multiplier
            && packet->my_disc
            && (packet->your_disc || packet->state <= FABRIC_BFD_DOWN));
}

/* Intervals. */

/* Section 6.8.3: DesiredMinTxInterval is slow unless the session is up. */
static uint32_t
desired_min_tx(const struct fabric_bfd *b, uint32_t min_tx)
{
    return b->state == FABRIC_BFD_UP ? min_tx : MAX(min_tx, FABRIC_BFD_SLOW);
}

uint32_t
fabric_bfd_tx_interval(const struct fabric_bfd *b)
{
    return MAX(desired_min_tx(b, b->min_tx), b->remote_min_rx);
}

/* Section 6.8.4. */
uint64_t
fabric_bfd_detection_time(const struct fabric_bfd *b)
{
    return (uint64_t) b->remote_multiplier * MAX(b->min_rx, b->remote_min_tx);
}

/* Recomputes when to send next.  Section 6.8.7: a peer whose
 * RequiredMinRxInterval is zero wants no periodic packets. */
static void
schedule(struct fabric_bfd *b)
{
    uint64_t interval = fabric_bfd_tx_interval(b);

    b->next_tx = (b->remote_disc && !b->remote_min_rx ? LLONG_MAX
                  : b->last_tx + MAX(interval * (1000 - b->jitter) / 1000, 1));
}

/* Section 6.8.7: 0 to 25 %, with a multiplier of one 10 to 25 %. */
static uint32_t
make_jitter(const struct fabric_bfd *b, uint32_t random)
{
    return b->config.multiplier == 1 ? 100 + random % 151 : random % 251;
}

/* State. */

static bool
set_state(struct fabric_bfd *b, enum fabric_bfd_state state, uint8_t diag,
          long long int now)
{
    if (b->state == state) {
        return false;
    }
    b->state = state;
    b->diag = diag;
    if (state != FABRIC_BFD_UP) {
        b->min_tx = b->config.min_tx;
        b->min_rx = b->config.min_rx;
    } else {
        /* The intervals are others from here on: section 6.8.3. */
        b->changed = true;
        b->announced = false;
    }

    /* Section 6.8.7: what differs may leave before its time. */
    b->next_tx = now;
    return true;
}

uint32_t
fabric_bfd_disguise(void)
{
    static struct ovsthread_once once = OVSTHREAD_ONCE_INITIALIZER;
    static uint32_t mask;

    if (ovsthread_once_start(&once)) {
        mask = random_uint32() | UINT32_C(1) << 31;
        ovsthread_once_done(&once);
    }
    return mask;
}

void
fabric_bfd_init(struct fabric_bfd *b, const struct fabric_bfd_config *config,
                long long int now)
{
    memset(b, 0, sizeof *b);
    b->state = b->remote_state = FABRIC_BFD_DOWN;
    b->config = *config;
    b->min_tx = config->min_tx;
    b->min_rx = config->min_rx;
    b->remote_min_rx = 1;
    b->last_tx = b->next_tx = now;
    b->detect = LLONG_MAX;
}

/* Section 6.8.3: in a session that is up, what makes the peer's detection time
 * too short, or ours, waits until the peer has confirmed. */
void
fabric_bfd_configure(struct fabric_bfd *b,
                     const struct fabric_bfd_config *config,
                     long long int now)
{
    bool up = b->state == FABRIC_BFD_UP;

    if (b->config.min_tx == config->min_tx
        && b->config.min_rx == config->min_rx
        && b->config.multiplier == config->multiplier) {
        return;
    }
    b->config = *config;
    b->min_tx = up ? MIN(b->min_tx, config->min_tx) : config->min_tx;
    b->min_rx = up ? MAX(b->min_rx, config->min_rx) : config->min_rx;
    if (up) {
        b->changed = true;
        b->announced = false;
        b->next_tx = now;
    }
}

void
fabric_bfd_admin_down(struct fabric_bfd *b, long long int now)
{
    set_state(b, FABRIC_BFD_ADMIN_DOWN, FABRIC_BFD_DIAG_ADMIN_DOWN, now);
}

static void
confirmed(struct fabric_bfd *b)
{
    if (b->changed && b->announced) {
        b->changed = b->announced = false;
        b->min_tx = b->config.min_tx;
        b->min_rx = b->config.min_rx;
    }
}

static bool
receive_state(struct fabric_bfd *b, enum fabric_bfd_state remote,
              long long int now)
{
    if (remote == FABRIC_BFD_ADMIN_DOWN) {
        return set_state(b, FABRIC_BFD_DOWN, FABRIC_BFD_DIAG_NEIGHBOR_DOWN,
                         now);
    }
    switch (b->state) {
    case FABRIC_BFD_DOWN:
        if (remote == FABRIC_BFD_DOWN) {
            return set_state(b, FABRIC_BFD_INIT, b->diag, now);
        } else if (remote == FABRIC_BFD_INIT) {
            return set_state(b, FABRIC_BFD_UP, FABRIC_BFD_DIAG_NONE, now);
        }
        return false;
    case FABRIC_BFD_INIT:
        return (remote != FABRIC_BFD_DOWN
                && set_state(b, FABRIC_BFD_UP, FABRIC_BFD_DIAG_NONE, now));
    case FABRIC_BFD_UP:
        return (remote == FABRIC_BFD_DOWN
                && set_state(b, FABRIC_BFD_DOWN,
                             FABRIC_BFD_DIAG_NEIGHBOR_DOWN, now));
    case FABRIC_BFD_ADMIN_DOWN:
    default:
        return false;
    }
}

/* Section 6.8.6, in its order, what fabric_bfd_get() has checked left out. */
bool
fabric_bfd_receive(struct fabric_bfd *b,
                   const struct fabric_bfd_packet *packet, long long int now)
{
    uint32_t old_interval = fabric_bfd_tx_interval(b);
    bool changed = false;

    b->remote_disc = packet->my_disc;
    b->remote_state = packet->state;
    b->remote_diag = packet->diag;
    b->remote_min_tx = packet->min_tx;
    b->remote_min_rx = packet->min_rx;
    b->remote_demand = packet->demand;
    b->remote_multiplier = packet->multiplier;
    if (packet->final) {
        confirmed(b);
    }
    if (fabric_bfd_tx_interval(b) != old_interval
        || (b->next_tx == LLONG_MAX) != !packet->min_rx) {
        schedule(b);
    }

    if (b->state != FABRIC_BFD_ADMIN_DOWN) {
        changed = receive_state(b, packet->state, now);
    }
    b->final_due |= packet->poll;
    b->detect = now + fabric_bfd_detection_time(b);
    return changed;
}

bool
fabric_bfd_check(struct fabric_bfd *b, long long int now)
{
    if (now < b->detect) {
        return false;
    }

    /* Section 6.8.1: nothing is known any longer of the remote system. */
    b->detect = LLONG_MAX;
    b->remote_disc = 0;
    b->remote_state = FABRIC_BFD_DOWN;
    b->remote_min_rx = 1;
    b->remote_min_tx = 0;
    b->remote_demand = false;
    b->final_due = false;
    if (b->state == FABRIC_BFD_INIT || b->state == FABRIC_BFD_UP) {
        return set_state(b, FABRIC_BFD_DOWN, FABRIC_BFD_DIAG_EXPIRED, now);
    }
    schedule(b);
    return false;
}

/* Sending. */

/* Section 6.8.7: is the remote system in demand mode, which is in force? */
static bool
demand_mode(const struct fabric_bfd *b)
{
    return (b->remote_demand && b->state == FABRIC_BFD_UP
            && b->remote_state == FABRIC_BFD_UP);
}

long long int
fabric_bfd_deadline(const struct fabric_bfd *b)
{
    return b->final_due ? LLONG_MIN : MIN(b->next_tx, b->detect);
}

static void
compose(const struct fabric_bfd *b, uint32_t my_disc,
        struct fabric_bfd_packet *packet)
{
    *packet = (struct fabric_bfd_packet) {
        .state = b->state,
        .diag = b->diag,
        .multiplier = b->config.multiplier,
        .my_disc = my_disc,
        .your_disc = b->remote_disc,
        .min_tx = desired_min_tx(b, b->config.min_tx),
        .min_rx = b->config.min_rx,
    };
}

bool
fabric_bfd_send(struct fabric_bfd *b, long long int now, uint32_t random,
                uint32_t my_disc, bool poll, struct fabric_bfd_packet *packet)
{
    if (now < b->next_tx) {
        return false;
    }
    b->last_tx = now;
    b->jitter = make_jitter(b, random);
    schedule(b);

    compose(b, my_disc, packet);
    packet->poll = (poll || b->changed) && b->state == FABRIC_BFD_UP;
    if (packet->poll) {
        b->announced = true;
    }
    return packet->poll || !demand_mode(b);
}

bool
fabric_bfd_answer(struct fabric_bfd *b, uint32_t my_disc,
                  struct fabric_bfd_packet *packet)
{
    if (!b->final_due) {
        return false;
    }
    b->final_due = false;
    compose(b, my_disc, packet);
    packet->final = true;
    return true;
}
