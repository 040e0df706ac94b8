/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_STEER_H
#define FABRIC_STEER_H 1

/* Several sockets that receive on one address and port.
 * =====================================================
 *
 * One who sends more than is taken fills a receive queue, and then what others
 * have sent is lost.  So there are a number of sockets for data and a number
 * of others for probes, and a program in the kernel chooses among these by a
 * hash of the sender's address.  Each kind is read in turns: whoever floods
 * one socket delays the others by no more than one turn, and takes the room of
 * those senders only that have the same socket.  The hash has a random
 * multiplier, so nobody knows beforehand who these are.
 *
 * Thread-safety: each kind by one thread at a time. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fabric_uplink_config;

enum fabric_steer_kind {
    FABRIC_STEER_DATA,
    FABRIC_STEER_PROBES,
    FABRIC_STEER_N_KINDS
};

/* Powers of 2. */
#define FABRIC_STEER_N_DATA 8
#define FABRIC_STEER_N_PROBES 16
#define FABRIC_STEER_MAX 16

/* The sockets of one kind. */
struct fabric_steer_set {
    size_t n;
    int fds[FABRIC_STEER_MAX];
    uint32_t lost[FABRIC_STEER_MAX];    /* What the kernel has counted as lost
                                         * for want of room in each. */
    uint32_t ready;                     /* Those that have not had their turn
                                         * since the last look. */
};

struct fabric_steer {
    struct fabric_steer_set sets[FABRIC_STEER_N_KINDS];
};

/* Binds the sockets to the local IP and port of 'config'.  Returns 0 or a
 * positive errno.  If the kernel does not take the program, all that arrives
 * comes to the sockets for data, and there are none for probes. */
int fabric_steer_open(struct fabric_steer *,
                      const struct fabric_uplink_config *);

/* Makes the sockets, which were opened with another configuration of the same
 * local IP and port, serve 'config'.  Returns 0 or a positive errno.  Other
 * threads may be receiving. */
int fabric_steer_change(const struct fabric_steer *,
                        const struct fabric_uplink_config *);

/* Closes the sockets.  'fabric_steer' may also be all zeros. */
void fabric_steer_close(struct fabric_steer *);

/* Returns the index of a socket in 'set' whose turn it is and that may have
 * something to read, or -1 if none has.  It is some other's turn next. */
int fabric_steer_next(struct fabric_steer_set *);

/* Makes poll_block() wake up when there is something to read. */
void fabric_steer_wait(const struct fabric_steer_set *);

#endif /* fabric-steer.h */
