/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_UDP_SENDER_H
#define FABRIC_UDP_SENDER_H 1

/* The sending half of the "udp" uplink driver: one socket per source port.
 * ======================================================================
 *
 * A sender that replaces another shares the sockets of the source ports that
 * both have, so that neither needs what the other holds.  Their options stay
 * the other's until fabric_udp_sender_configure().
 *
 * Thread-safety: fabric_udp_sender_send() may be called by any thread, also
 * while another adds a port or configures; all else as fabric-uplink.h says of
 * the driver's functions. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fabric-uplink.h"

/* A socket that was inherited and is not in use yet. */
struct fabric_udp_spare {
    int fd;
    uint16_t port;
};

struct fabric_udp_sender {
    struct fabric_uplink *up;   /* The uplink that it is part of. */
    bool v6;
    bool csum;                  /* Of which kind its sockets are. */
    atomic_bool gso;            /* Is UDP_SEGMENT usable? */
    int fds[FABRIC_MAX_PATHS_PER_REMOTE];       /* [up->n_ports]. */
    int bare_fds[FABRIC_MAX_PATHS_PER_REMOTE];  /* Likewise, to send without
                                                 * checksum whatever the others
                                                 * do; -1 if it cannot. */
    struct fabric_udp_spare spares[FABRIC_MAX_PATHS_PER_REMOTE];
    size_t n_spares;
};

/* Initializes the sender of 'up'. */
void fabric_udp_sender_init(struct fabric_udp_sender *,
                            struct fabric_uplink *up);

/* Prepares for ports, since the configuration and the settings of the uplink
 * are known now. */
void fabric_udp_sender_open(struct fabric_udp_sender *);
void fabric_udp_sender_destroy(struct fabric_udp_sender *);

/* Takes a share in all sockets of 'old'; for fabric_udp_sender_has_spare(),
 * and before any port is added. */
void fabric_udp_sender_inherit(struct fabric_udp_sender *,
                               const struct fabric_udp_sender *old);

/* Returns true if 'port' was inherited and not added yet. */
bool fabric_udp_sender_has_spare(const struct fabric_udp_sender *,
                                 uint16_t port);

/* The uplink driver's add_port(), configure() and send(). */
char *fabric_udp_sender_add_port(struct fabric_udp_sender *, unsigned int i,
                                 uint16_t *port);
void fabric_udp_sender_configure(struct fabric_udp_sender *);
void fabric_udp_sender_send(struct fabric_udp_sender *,
                            struct fabric_datagram *, size_t n);

/* Makes 'fd' send with or without UDP checksum, as 'up' does. */
void fabric_udp_set_csum(int fd, const struct fabric_uplink *up);

#endif /* fabric-udp-sender.h */
