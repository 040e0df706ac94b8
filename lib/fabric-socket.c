/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-socket.h"

#include <errno.h>
#include <linux/filter.h>
#include <string.h>
#include <unistd.h>

#include "fabric-vrf.h"
#include "packets.h"
#include "util.h"

socklen_t
fabric_sockaddr_make(const struct in6_addr *ip, uint16_t port,
                     struct sockaddr_storage *ss)
{
    memset(ss, 0, sizeof *ss);
    if (IN6_IS_ADDR_V4MAPPED(ip)) {
        struct sockaddr_in *sin = ALIGNED_CAST(struct sockaddr_in *, ss);

        sin->sin_family = AF_INET;
        sin->sin_addr.s_addr = in6_addr_get_mapped_ipv4(ip);
        sin->sin_port = htons(port);
        return sizeof *sin;
    } else {
        struct sockaddr_in6 *sin6 = ALIGNED_CAST(struct sockaddr_in6 *, ss);

        sin6->sin6_family = AF_INET6;
        sin6->sin6_addr = *ip;
        sin6->sin6_port = htons(port);
        return sizeof *sin6;
    }
}

void
fabric_sockaddr_parse(const struct sockaddr_storage *ss, struct in6_addr *ip,
                      uint16_t *port)
{
    if (ss->ss_family == AF_INET) {
        const struct sockaddr_in *sin
            = ALIGNED_CAST(const struct sockaddr_in *, ss);

        in6_addr_set_mapped_ipv4(ip, sin->sin_addr.s_addr);
        *port = ntohs(sin->sin_port);
    } else {
        const struct sockaddr_in6 *sin6
            = ALIGNED_CAST(const struct sockaddr_in6 *, ss);

        *ip = sin6->sin6_addr;
        *port = ntohs(sin6->sin6_port);
    }
}

bool
fabric_sockaddr_is(const struct sockaddr *sa, const struct in6_addr *ip)
{
    struct sockaddr_storage ss;
    struct in6_addr addr;
    uint16_t port;

    if (!sa || (sa->sa_family != AF_INET && sa->sa_family != AF_INET6)) {
        return false;
    }
    memcpy(&ss, sa, (sa->sa_family == AF_INET ? sizeof(struct sockaddr_in)
                     : sizeof(struct sockaddr_in6)));
    fabric_sockaddr_parse(&ss, &addr, &port);
    return ipv6_addr_equals(&addr, ip);
}

int
fabric_socket_set(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) ? errno : 0;
}

int
fabric_socket_bound(const struct in6_addr *ip, uint16_t port, bool reuseport)
{
    int family = IN6_IS_ADDR_V4MAPPED(ip) ? AF_INET : AF_INET6;
    struct sockaddr_storage ss;
    socklen_t ss_len;
    int error = 0;
    int fd;

    fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -errno;
    }
    if (family == AF_INET6) {
        fabric_socket_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    }
    if (reuseport) {
        error = fabric_socket_set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    }
    ss_len = fabric_sockaddr_make(ip, port, &ss);
    if (!error && bind(fd, (struct sockaddr *) &ss, ss_len)) {
        error = errno;
    }
    if (error) {
        close(fd);
        return -error;
    }
    return fd;
}

void
fabric_socket_deafen(int fd)
{
    struct sock_filter drop_all[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
    struct sock_fprog prog = { .len = 1, .filter = drop_all };

    setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof prog);
}

/* Room for 64 datagrams in flight in each direction; the kernel doubles it.
 * A default receive buffer holds just three super-frames. */
#define SOCKET_BUFFER (8 * 1024 * 1024)

void
fabric_socket_enlarge(int fd, int option, int force_option)
{
    if (fabric_socket_set(fd, SOL_SOCKET, force_option, SOCKET_BUFFER)) {
        fabric_socket_set(fd, SOL_SOCKET, option, SOCKET_BUFFER);
    }
}

char *
fabric_socket_open_error(const struct in6_addr *ip_, uint16_t port, int error)
{
    char ip[INET6_ADDRSTRLEN], vrf[IF_NAMESIZE];

    ipv6_string_mapped(ip, ip_);
    switch (error) {
    case EADDRNOTAVAIL:
        if (fabric_vrf_find(ip_, vrf)) {
            return xasprintf("local IP %s is in VRF %s: start ovs-vswitchd "
                             "with \"ip vrf exec %s\", or use an address "
                             "outside of VRFs", ip, vrf, vrf);
        }
        return xasprintf("local IP %s is not an address of this host", ip);
    case EADDRINUSE:
        return xasprintf("UDP port %"PRIu16" of local IP %s is in use by "
                         "another program or device", port, ip);
    case EAFNOSUPPORT:
        return xasprintf("local IP %s: this host does not support IPv6", ip);
    case EINVAL:
        return xasprintf("local IP %s cannot be bound: link-local addresses "
                         "are not supported", ip);
    }
    return xasprintf("cannot open UDP port %"PRIu16" of local IP %s (%s)",
                     port, ip, ovs_strerror(error));
}
