/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_BFD_H
#define FABRIC_BFD_H 1

/* BFD: control packets and one session (RFC 5880).
 * ================================================
 *
 * Asynchronous mode without authentication, echo or demand of our own.  The
 * session is told of packets received and of the time, and says what to send
 * when, and whether the remote system is reached.  It has no clock, socket or
 * lock of its own.
 *
 *                   peer: down                peer: init, up
 *         DOWN -----------------> INIT -----------------------> UP
 *          ^ |                     |                            ^ |
 *          | +---------------------|----------------------------+ |
 *          |        peer: init     |                              |
 *          +-----------------------+------------------------------+
 *            nothing received for the detection time, peer: down
 *
 * Discriminators.  RFC 5880 section 6.3 permits a session to change its
 * discriminator at any time, since only its owner looks at what is reflected.
 * Hence the caller gives one for each packet that is sent, and may learn from
 * it which of several packets was answered.
 *
 * Polls.  Any periodic packet may be a poll, which the remote system answers
 * at once (section 6.5).  To one in demand mode (section 6.6) no other packets
 * are sent while both are up.
 *
 * Times and intervals are us, of any monotonic clock.
 *
 * Thread-safety: none, the caller locks; the codec is pure functions. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FABRIC_BFD_LEN 24               /* Of a packet, section 4.1. */

/* Values of section 4.1. */
enum fabric_bfd_state {
    FABRIC_BFD_ADMIN_DOWN,
    FABRIC_BFD_DOWN,
    FABRIC_BFD_INIT,
    FABRIC_BFD_UP,
};
const char *fabric_bfd_state_to_string(enum fabric_bfd_state);

enum fabric_bfd_diag {
    FABRIC_BFD_DIAG_NONE = 0,
    FABRIC_BFD_DIAG_EXPIRED = 1,        /* Detection time expired. */
    FABRIC_BFD_DIAG_NEIGHBOR_DOWN = 3,  /* The peer says that it is down. */
    FABRIC_BFD_DIAG_ADMIN_DOWN = 7,
};

const char *fabric_bfd_diag_to_string(uint8_t diag);

struct fabric_bfd_packet {
    enum fabric_bfd_state state;
    uint8_t diag;               /* 0...31. */
    bool poll;
    bool final;
    bool independent;           /* Control plane independent, C. */
    bool demand;
    uint8_t multiplier;
    uint32_t my_disc;
    uint32_t your_disc;
    uint32_t min_tx;            /* Desired Min TX Interval. */
    uint32_t min_rx;            /* Required Min RX Interval. */
    uint32_t min_echo_rx;       /* Required Min Echo RX Interval. */
};

/* Writes a packet to 'payload', FABRIC_BFD_LEN bytes. */
void fabric_bfd_put(const struct fabric_bfd_packet *, void *payload);

/* Parses the 'size' bytes of UDP payload at 'payload', with all checks of
 * section 6.8.6 that need no session.  Returns true if they hold. */
bool fabric_bfd_get(const void *payload, size_t size,
                    struct fabric_bfd_packet *);

/* While a session is not up it sends no more often, section 6.8.3. */
#define FABRIC_BFD_SLOW 1000000

struct fabric_bfd_config {
    uint32_t min_tx;            /* Least time between packets, not 0. */
    uint32_t min_rx;            /* Likewise those of the peer, not 0. */
    uint8_t multiplier;         /* Not 0. */
};

struct fabric_bfd {
    enum fabric_bfd_state state;
    uint8_t diag;
    struct fabric_bfd_config config;
    uint32_t min_tx;            /* In force, until the peer confirms that it */
    uint32_t min_rx;            /* knows those of 'config'. */
    bool changed;               /* Is there something to confirm... */
    bool announced;             /* ...and was it sent? */

    enum fabric_bfd_state remote_state;
    uint8_t remote_diag;
    uint8_t remote_multiplier;
    uint32_t remote_disc;       /* 0: not known. */
    uint32_t remote_min_tx;
    uint32_t remote_min_rx;
    bool remote_demand;         /* Does it want polls only? */

    bool final_due;             /* Is a poll of the peer to be answered? */
    uint32_t jitter;            /* Taken off the interval, thousandths. */
    long long int last_tx;
    long long int next_tx;      /* LLONG_MAX: do not send. */
    long long int detect;       /* When the peer is given up; LLONG_MAX: it is
                                 * not there anyway. */
};

/* Returns a random number, the same for all of the process, with the highest
 * bit set: whoever makes discriminators of numbers below that bit by XOR with
 * it makes none that is zero or that others can guess.  Any thread. */
uint32_t fabric_bfd_disguise(void);

/* The first packet is due at 'now'. */
void fabric_bfd_init(struct fabric_bfd *, const struct fabric_bfd_config *,
                     long long int now);

/* Changes the configuration; in a session that is up, with a poll. */
void fabric_bfd_configure(struct fabric_bfd *,
                          const struct fabric_bfd_config *,
                          long long int now);

/* Takes the session down for the operator, until fabric_bfd_init(): what it
 * sends tells the peer that this is no failure of the path. */
void fabric_bfd_admin_down(struct fabric_bfd *, long long int now);

/* A packet arrived that is of this session: its 'your_disc' is one that was
 * sent, or 0 and it came from where the session's peer is.  Returns true if
 * the state changed. */
bool fabric_bfd_receive(struct fabric_bfd *, const struct fabric_bfd_packet *,
                        long long int now);

/* Checks whether the detection time has expired.  Returns true if the state
 * changed. */
bool fabric_bfd_check(struct fabric_bfd *, long long int now);

/* When fabric_bfd_check() or fabric_bfd_send() may next have something to
 * do. */
long long int fabric_bfd_deadline(const struct fabric_bfd *);

/* Stores the packet that is due at 'now', with discriminator 'my_disc', and
 * returns true; or returns false if none is.  'random' decides how much
 * earlier than the interval says the next one follows.  'poll' asks for a poll
 * where there need not be one. */
bool fabric_bfd_send(struct fabric_bfd *, long long int now, uint32_t random,
                     uint32_t my_disc, bool poll, struct fabric_bfd_packet *);

/* Stores the answer to the peer's poll and returns true, or returns false if
 * there was none. */
bool fabric_bfd_answer(struct fabric_bfd *, uint32_t my_disc,
                       struct fabric_bfd_packet *);

/* Most time between two packets that we send, and after which the peer is
 * given up; 0 if that cannot be told. */
uint32_t fabric_bfd_tx_interval(const struct fabric_bfd *);
uint64_t fabric_bfd_detection_time(const struct fabric_bfd *);

#endif /* fabric-bfd.h */
