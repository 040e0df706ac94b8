/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fabric-wire - a wire between two tap interfaces.
 * ================================================
 *
 *     fabric-wire NETNS/TAP NETNS/TAP
 *
 * Makes both interfaces, each in its network namespace (a name in /run/netns),
 * and passes frames between them for as long as it runs.  To what one of them
 * is attached, the other is a virtual machine's interface: frames come with
 * the header of virtio, so super-frames and missing checksums pass as they
 * are.
 */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fabric-tool.h"

#define MAX_FRAME (65536 + 64)
#define BATCH 64                /* Before the other direction has a turn. */

/* Makes the interface that 'name' names and returns its file descriptor. */
static int
open_tap(const char *name)
{
    struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
    const char *slash = strchr(name, '/');
    char path[256];
    int netns, fd;

    if (!slash || strlen(slash + 1) >= sizeof ifr.ifr_name) {
        tool_fatal(0, "\"%s\" is not NETNS/TAP", name);
    }
    snprintf(path, sizeof path, "/run/netns/%.*s", (int) (slash - name),
             name);
    netns = open(path, O_RDONLY | O_CLOEXEC);
    if (netns < 0 || setns(netns, CLONE_NEWNET)) {
        tool_fatal(errno, "%s", path);
    }
    close(netns);
    fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    strcpy(ifr.ifr_name, slash + 1);
    if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr)
        || ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6
                 | TUN_F_TSO_ECN)) {
        tool_fatal(errno, "%s", name);
    }
    return fd;
}

/* Passes on what 'from' has.  What 'to' has no room for is lost. */
static void
forward(int from, int to)
{
    static char frame[MAX_FRAME];

    for (int i = 0; i < BATCH; i++) {
        ssize_t n = read(from, frame, sizeof frame);

        if (n <= 0) {
            break;
        }
        if (write(to, frame, n) < 0 && errno != EAGAIN && errno != EIO) {
            fprintf(stderr, "fabric-wire: a frame of %d bytes is lost (%s)\n",
                    (int) n, strerror(errno));
        }
    }
}

int
main(int argc, char *argv[])
{
    struct pollfd fds[2];

    if (argc != 3) {
        tool_fatal(0, "usage: fabric-wire NETNS/TAP NETNS/TAP");
    }
    for (int i = 0; i < 2; i++) {
        fds[i] = (struct pollfd) {
            .fd = open_tap(argv[1 + i]), .events = POLLIN,
        };
    }
    tool_catch_signals();
    fputs("ready\n", stderr);
    while (!tool_stop) {
        if (poll(fds, 2, -1) > 0) {
            forward(fds[0].fd, fds[1].fd);
            forward(fds[1].fd, fds[0].fd);
        }
    }
    return 0;
}
