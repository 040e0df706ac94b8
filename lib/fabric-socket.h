/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_SOCKET_H
#define FABRIC_SOCKET_H 1

/* UDP sockets of the kernel with addresses of ours.
 * =================================================
 *
 * Shared by those who use such sockets: the "udp" uplink and what listens for
 * ICMP errors (fabric-ear.h).
 *
 * Thread-safety: any thread. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* Stores 'ip' and 'port' in '*ss'.  Returns the size of the address. */
socklen_t fabric_sockaddr_make(const struct in6_addr *ip, uint16_t port,
                               struct sockaddr_storage *ss);
void fabric_sockaddr_parse(const struct sockaddr_storage *ss,
                           struct in6_addr *ip, uint16_t *port);

/* Returns true if 'sa', which may be NULL or of any family, has address
 * 'ip'. */
bool fabric_sockaddr_is(const struct sockaddr *sa, const struct in6_addr *ip);

/* Returns 0 or a positive errno. */
int fabric_socket_set(int fd, int level, int option, int value);

/* Opens a nonblocking UDP socket bound to 'ip' and 'port'.  Returns the
 * descriptor or a negative errno. */
int fabric_socket_bound(const struct in6_addr *ip, uint16_t port,
                        bool reuseport);

/* Has the socket receive nothing. */
void fabric_socket_deafen(int fd);

/* Sets the size of one of the socket's buffers, 'option' or with privileges
 * 'force_option', to what super-frames need. */
void fabric_socket_enlarge(int fd, int option, int force_option);

/* Returns, for the operator, why 'port' of local IP 'ip' could not be bound:
 * 'error' is a positive errno.  The caller must free it. */
char *fabric_socket_open_error(const struct in6_addr *ip, uint16_t port,
                               int error);

#endif /* fabric-socket.h */
