/* SPDX-License-Identifier: Apache-2.0 */

/* That a path has become narrower is an exception to its route, of which
 * netlink does not tell.  Over IPv6, where routers do not fragment, it follows
 * from an ICMPv6 message (RFC 4443 section 3.2), of which a raw socket gets a
 * copy.  The MTU in it is the kernel's to judge, and anybody may have made it
 * up, so all that is taken from it is which route to ask for again.  Over IPv4
 * we let routers fragment. */

#include <config.h>

#include "fabric-too-big.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip6.h>
#include <sys/socket.h>
#include <unistd.h>

#include "coverage.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(fabric_too_big);

COVERAGE_DEFINE(fabric_too_big);

/* So much is read at once, and then nothing for so long, in ms. */
#define MAX_BURST 64
#define INTERVAL 10

static int fd = -1;
static bool opened;
static long long int next_run = LLONG_MIN;

bool
fabric_too_big_parse(const void *message, size_t size,
                     struct fabric_too_big *tb)
{
    const uint8_t *p = message;
    struct ovs_16aligned_ip6_hdr ip6;
    struct udp_header udp;

    if (size < ICMP6_DATA_HEADER_LEN + sizeof ip6 + sizeof udp
        || p[0] != ICMP6_PACKET_TOO_BIG) {
        return false;
    }
    memcpy(&ip6, p + ICMP6_DATA_HEADER_LEN, sizeof ip6);
    memcpy(&udp, p + ICMP6_DATA_HEADER_LEN + sizeof ip6, sizeof udp);
    if (ntohl(get_16aligned_be32(&ip6.ip6_flow)) >> 28 != 6
        || ip6.ip6_nxt != IPPROTO_UDP) {
        return false;
    }
    memcpy(&tb->local_ip, &ip6.ip6_src, sizeof tb->local_ip);
    memcpy(&tb->remote_ip, &ip6.ip6_dst, sizeof tb->remote_ip);
    tb->src_port = udp.udp_src;
    tb->dst_port = udp.udp_dst;
    return true;
}

static void
open_socket(void)
{
    struct icmp6_filter filter;

    fd = socket(AF_INET6, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
                IPPROTO_ICMPV6);
    ICMP6_FILTER_SETBLOCKALL(&filter);
    ICMP6_FILTER_SETPASS(ICMP6_PACKET_TOO_BIG, &filter);
    if (fd >= 0 && setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter,
                              sizeof filter)) {
        close(fd);
        fd = -1;
    }
    if (fd < 0 && errno != EAFNOSUPPORT) {
        VLOG_WARN("that a path over IPv6 is narrow will not be noticed (%s)",
                  ovs_strerror(errno));
    }
}

void
fabric_too_big_run(void (*cb)(const struct fabric_too_big *))
{
    if (!opened) {
        opened = true;
        open_socket();
    }
    if (fd < 0 || time_msec() < next_run) {
        return;
    }
    for (int i = 0; i < MAX_BURST; i++) {
        uint8_t message[ICMP6_DATA_HEADER_LEN + IPV6_HEADER_LEN
                        + UDP_HEADER_LEN];
        ssize_t n = recv(fd, message, sizeof message, 0);
        struct fabric_too_big tb;

        if (n < 0) {
            break;
        }
        next_run = time_msec() + INTERVAL;
        COVERAGE_INC(fabric_too_big);
        if (fabric_too_big_parse(message, n, &tb)) {
            cb(&tb);
        }
    }
}

void
fabric_too_big_wait(void)
{
    if (fd >= 0 && time_msec() < next_run) {
        poll_timer_wait_until(next_run);
    } else if (fd >= 0) {
        poll_fd_wait(fd, POLLIN);
    }
}
