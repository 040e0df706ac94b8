/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_MONITOR_H
#define FABRIC_MONITOR_H 1

/* Sockets by which the kernel tells that links, addresses or routes changed.
 *
 * Unlike rtnetlink.h, whose notifiers belong to the main thread.
 *
 * Thread-safety: one thread for each socket. */

#include <stdbool.h>
#include <stddef.h>

struct fabric_netevent;
struct nl_sock;

/* Returns a socket for the 'n' RTNLGRP_* 'groups'; or NULL, after logging that
 * 'effect' results. */
struct nl_sock *fabric_monitor_open(const unsigned int groups[], size_t n,
                                    const char *effect);

/* Reads all that 'sock' has, at most FABRIC_MONITOR_BURST messages, and calls
 * 'cb' for each. */
#define FABRIC_MONITOR_BURST 4096
typedef void fabric_monitor_cb(const struct fabric_netevent *, void *aux);
void fabric_monitor_read(struct nl_sock *sock, fabric_monitor_cb *cb,
                         void *aux);

#endif /* fabric-monitor.h */
