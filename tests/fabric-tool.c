/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-tool.h"

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

volatile sig_atomic_t tool_stop;

void
tool_fatal(int error, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "%s: ", program_invocation_short_name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    if (error) {
        fprintf(stderr, ": %s", strerror(error));
    }
    fputc('\n', stderr);
    exit(EXIT_FAILURE);
}

double
tool_parse_number(const char *what, const char *s, double low, double high)
{
    char *tail;
    double x = strtod(s, &tail);

    if (tail == s || *tail || !(x >= low && x <= high)) {
        tool_fatal(0, "%s: '%s' is not a number from %g to %g",
                   what, s, low, high);
    }
    return x;
}

static void
handle_signal(int signum)
{
    (void) signum;
    tool_stop = 1;
}

void
tool_catch_signals(void)
{
    struct sigaction action = { .sa_handler = handle_signal };

    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
}

static int64_t
timespec_ns(struct timespec ts)
{
    return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

int64_t
tool_now(clockid_t clock)
{
    struct timespec ts;

    clock_gettime(clock, &ts);
    return timespec_ns(ts);
}

bool
tool_become_punctual(void)
{
    struct sched_param param = { .sched_priority = 1 };

    prctl(PR_SET_TIMERSLACK, 1);
    return !sched_setscheduler(0, SCHED_FIFO, &param);
}

bool
tool_receive_prepare(int fd)
{
    int rcvbuf = TOOL_SOCKET_BUFFER;
    int on = 1;

    /* Without the privilege for it the default size has to do. */
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &rcvbuf, sizeof rcvbuf);
    return !setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
}

static int64_t
receive_time(struct msghdr *msg)
{
    struct cmsghdr *cmsg;

    for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
        if (cmsg->cmsg_level == SOL_SOCKET
            && cmsg->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec ts;

            memcpy(&ts, CMSG_DATA(cmsg), sizeof ts);
            return timespec_ns(ts);
        }
    }
    return tool_now(CLOCK_REALTIME);
}

size_t
tool_receive(int fd, uint8_t *buffers, size_t buffer_size,
             struct tool_message messages[TOOL_BATCH])
{
    char control[TOOL_BATCH][64];
    struct mmsghdr msgs[TOOL_BATCH];
    struct iovec iovs[TOOL_BATCH];
    int n;

    memset(msgs, 0, sizeof msgs);
    for (int i = 0; i < TOOL_BATCH; i++) {
        iovs[i] = (struct iovec) { buffers + i * buffer_size, buffer_size };
        msgs[i].msg_hdr.msg_iov = &iovs[i];
        msgs[i].msg_hdr.msg_iovlen = 1;
        msgs[i].msg_hdr.msg_control = control[i];
        msgs[i].msg_hdr.msg_controllen = sizeof control[i];
    }
    n = recvmmsg(fd, msgs, TOOL_BATCH, MSG_DONTWAIT | MSG_TRUNC, NULL);
    for (int i = 0; i < n; i++) {
        messages[i] = (struct tool_message) {
            .data = iovs[i].iov_base,
            .size = msgs[i].msg_len,
            .truncated = msgs[i].msg_hdr.msg_flags & MSG_TRUNC,
            .when = receive_time(&msgs[i].msg_hdr),
        };
    }
    return n < 0 ? 0 : n;
}
