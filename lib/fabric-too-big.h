/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_TOO_BIG_H
#define FABRIC_TOO_BIG_H 1

/* Messages "packet too big" about datagrams of this host.
 * =======================================================
 *
 * Thread-safety: main thread, but for the parser: any thread. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "openvswitch/types.h"

/* The datagram that a message is about. */
struct fabric_too_big {
    struct in6_addr local_ip, remote_ip;
    ovs_be16 src_port, dst_port;
};

/* Parses the ICMPv6 message at 'message', 'size' bytes.  Returns false if it
 * is no "packet too big" or quotes no UDP datagram. */
bool fabric_too_big_parse(const void *message, size_t size,
                          struct fabric_too_big *);

/* Calls 'cb' for each message that came since the last call, up to a number
 * that takes little time. */
void fabric_too_big_run(void (*cb)(const struct fabric_too_big *));
void fabric_too_big_wait(void);

#endif /* fabric-too-big.h */
