/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_TOOL_H
#define FABRIC_TOOL_H 1

/* What the programs of the lab have in common.
 * ============================================
 *
 * fabric-relay, fabric-rr and fabric-stream use nothing of Open vSwitch, so
 * that they run wherever they are copied to.  One thread. */

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define NSEC_PER_SEC 1000000000ll
#define NSEC_PER_MSEC 1000000ll
#define NSEC_PER_USEC 1000ll

/* A socket buffer for bursts, bytes. */
#define TOOL_SOCKET_BUFFER (16 * 1024 * 1024)

/* Says what is wrong, with the reason if 'error' is not 0, and exits. */
void tool_fatal(int error, const char *format, ...)
    __attribute__((noreturn, format(printf, 2, 3)));

/* Returns 's' as a number, or exits if it is not one from 'low' to 'high'.
 * 'what' is for the message. */
double tool_parse_number(const char *what, const char *s,
                         double low, double high);

/* Set by SIGTERM and SIGINT once tool_catch_signals() was called. */
extern volatile sig_atomic_t tool_stop;
void tool_catch_signals(void);

int64_t tool_now(clockid_t);

/* Asks to be run at once whenever there is something to do: what is late
 * because of other programs would look like a fault of the network.  Returns
 * false, with errno set, without the privilege. */
bool tool_become_punctual(void);

/* Receiving many messages at once. */

#define TOOL_BATCH 64

struct tool_message {
    const uint8_t *data;
    size_t size;
    bool truncated;             /* Did not fit. */
    int64_t when;               /* Received at, CLOCK_REALTIME, ns. */
};

/* Has the kernel note when messages arrive at 'fd', and keep many.  Returns
 * false, with errno set, if it cannot. */
bool tool_receive_prepare(int fd);

/* Receives what 'fd' has, without waiting, to 'buffers', TOOL_BATCH times
 * 'buffer_size' bytes.  Returns the number of messages. */
size_t tool_receive(int fd, uint8_t *buffers, size_t buffer_size,
                    struct tool_message[TOOL_BATCH]);

#endif /* fabric-tool.h */
