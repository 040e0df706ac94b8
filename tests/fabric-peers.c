/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fabric-peers - answers the probes to hosts that do not exist.
 * ==============================================================
 *
 *     fabric-peers
 *
 * Receives VXLAN on every IPv4 address that is local to the network namespace
 * ("ip route add local PREFIX dev lo" makes a whole prefix local), and
 * reflects each STAMP test packet (RFC 8762 section 4.3.1, unauthenticated)
 * from the address that it was sent to.  Thus one program stands in for
 * thousands of hosts.  It shares no code with the switch.
 *
 * Runs until SIGTERM, then prints how many it has reflected.
 */

#include <config.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "fabric-tool.h"

#define VXLAN_PORT 4789
#define STAMP_PORT 862
#define BUF_SIZE 2048

/* Offsets in the UDP payload: behind VXLAN (8) and Ethernet (14). */
#define IP_OFS 22
#define UDP_OFS (IP_OFS + 20)
#define STAMP_OFS (UDP_OFS + 8)
#define STAMP_LEN 44

static uint8_t bufs[TOOL_BATCH][BUF_SIZE];
static union {
    struct cmsghdr align;
    char buf[CMSG_SPACE(sizeof(struct in_pktinfo))];
} controls[TOOL_BATCH];
static struct sockaddr_in addrs[TOOL_BATCH];
static struct iovec iovs[TOOL_BATCH];
static struct mmsghdr msgs[TOOL_BATCH];

/* Writes CLOCK_REALTIME 'ns' in NTP format (RFC 5905 section 6). */
static void
put_time(uint8_t *p, int64_t ns)
{
    uint32_t words[2] = {
        htonl(ns / NSEC_PER_SEC + 2208988800u),
        htonl((uint64_t) (ns % NSEC_PER_SEC) * (1ull << 32) / NSEC_PER_SEC),
    };

    memcpy(p, words, sizeof words);
}

/* Turns the test packet in 'p' into its answer.  Returns false if it is
 * none. */
static bool
reflect(uint8_t *p, size_t size, int64_t arrival)
{
    uint8_t *stamp = p + STAMP_OFS;
    uint16_t ports[2];

    memcpy(ports, p + UDP_OFS, sizeof ports);
    if (size < STAMP_OFS + STAMP_LEN || p[IP_OFS] != 0x45
        || p[IP_OFS + 9] != IPPROTO_UDP || ports[1] != htons(STAMP_PORT)) {
        return false;
    }
    memcpy(p + UDP_OFS, &ports[1], 2);
    memcpy(p + UDP_OFS + 2, &ports[0], 2);
    memset(p + UDP_OFS + 6, 0, 2);              /* No checksum. */

    memcpy(stamp + 24, stamp, 14);              /* Sender's part. */
    memset(stamp + 38, 0, 6);
    stamp[40] = 255;
    put_time(stamp + 16, arrival);
    put_time(stamp + 4, tool_now(CLOCK_REALTIME));
    return true;
}

static void
prepare(void)
{
    for (int i = 0; i < TOOL_BATCH; i++) {
        iovs[i] = (struct iovec) { bufs[i], BUF_SIZE };
        msgs[i].msg_hdr = (struct msghdr) {
            .msg_name = &addrs[i], .msg_namelen = sizeof addrs[i],
            .msg_iov = &iovs[i], .msg_iovlen = 1,
            .msg_control = &controls[i],
            .msg_controllen = sizeof controls[i],
        };
    }
}

/* Receives and answers one batch.  Returns the number of answers. */
static unsigned int
serve(int fd)
{
    int64_t now;
    int n, n_out = 0;

    prepare();
    n = recvmmsg(fd, msgs, TOOL_BATCH, MSG_DONTWAIT, NULL);
    now = tool_now(CLOCK_REALTIME);
    for (int i = 0; i < n; i++) {
        struct in_pktinfo *info
            = (void *) CMSG_DATA(&controls[i].align);

        if (!msgs[i].msg_hdr.msg_controllen
            || !reflect(bufs[i], msgs[i].msg_len, now)) {
            continue;
        }
        iovs[i].iov_len = msgs[i].msg_len;
        addrs[i].sin_port = htons(VXLAN_PORT);
        info->ipi_ifindex = 0;
        info->ipi_spec_dst = info->ipi_addr;
        msgs[n_out++] = msgs[i];
    }
    for (int i = 0; i < n_out; ) {
        int sent = sendmmsg(fd, &msgs[i], n_out - i, 0);

        i += sent > 0 ? sent : 1;
    }
    return n_out;
}

int
main(int argc, char *argv[])
{
    struct sockaddr_in sin = {
        .sin_family = AF_INET, .sin_port = htons(VXLAN_PORT),
    };
    unsigned long long int n = 0;
    struct pollfd pfd;
    int on = 1;

    if (argc != 1) {
        tool_fatal(0, "%s: no arguments are understood", argv[1]);
    }
    tool_catch_signals();
    pfd.fd = socket(AF_INET, SOCK_DGRAM, 0);
    pfd.events = POLLIN;
    if (pfd.fd < 0 || setsockopt(pfd.fd, IPPROTO_IP, IP_PKTINFO, &on,
                                 sizeof on)
        || bind(pfd.fd, (struct sockaddr *) &sin, sizeof sin)) {
        tool_fatal(errno, "UDP port %d", VXLAN_PORT);
    }
    tool_receive_prepare(pfd.fd);
    on = 0;
    setsockopt(pfd.fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    fprintf(stderr, "ready\n");
    while (!tool_stop) {
        if (poll(&pfd, 1, -1) > 0) {
            n += serve(pfd.fd);
        }
    }
    printf("%llu\n", n);
    return 0;
}
