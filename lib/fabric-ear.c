/* SPDX-License-Identifier: Apache-2.0 */

/* The kernel learns the MTU of a route from an error that it hands to a
 * socket, and then cuts what is sent to that remote, on all paths, to pieces
 * that fit the narrowest.  An IPv4 ear asks it not to.  Over IPv6 it must:
 * there only the sender can fragment. */

#include <config.h>

#include "fabric-ear.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <string.h>
#include <unistd.h>

#include "fabric-socket.h"
#include "util.h"

int
fabric_ear_open(const struct in6_addr *local, uint16_t src_port,
                const struct in6_addr *remote, uint16_t dst_port,
                bool keep_mtu)
{
    struct sockaddr_storage ss;
    socklen_t ss_len;
    int fd, error;

    fd = fabric_socket_bound(local, src_port, true);
    if (fd < 0) {
        return fd;
    }
    fabric_socket_deafen(fd);
    if (IN6_IS_ADDR_V4MAPPED(local)) {
        fabric_socket_set(fd, IPPROTO_IP, IP_MTU_DISCOVER,
                          IP_PMTUDISC_INTERFACE);
        error = fabric_socket_set(fd, IPPROTO_IP, IP_RECVERR, 1);
    } else {
        fabric_socket_set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER,
                          keep_mtu ? IPV6_PMTUDISC_INTERFACE
                          : IPV6_PMTUDISC_PROBE);
        error = fabric_socket_set(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
    }
    ss_len = fabric_sockaddr_make(remote, dst_port, &ss);
    if (!error && connect(fd, (struct sockaddr *) &ss, ss_len)) {
        error = errno;
    }
    if (error) {
        close(fd);
        return -error;
    }
    return fd;
}

/* Returns true and fills 'e', but for the quotation, if 'ee', followed by the
 * address of whom it comes from, is an ICMP error. */
static bool
parse_error(const struct sock_extended_err *ee, size_t size,
            struct fabric_ear_error *e)
{
    struct sockaddr_storage ss;
    uint16_t port;

    memset(&ss, 0, sizeof ss);
    memcpy(&ss, ee + 1, MIN(size - sizeof *ee, sizeof ss));
    e->mtu = 0;
    e->type = FABRIC_EAR_UNREACHABLE;
    if (ee->ee_origin == SO_EE_ORIGIN_ICMP && ss.ss_family == AF_INET) {
        if (ee->ee_type == ICMP_TIME_EXCEEDED) {
            e->type = FABRIC_EAR_EXPIRED;
        } else if (ee->ee_type == ICMP_DEST_UNREACH
                   && ee->ee_code == ICMP_FRAG_NEEDED) {
            e->type = FABRIC_EAR_TOO_BIG;
            e->mtu = ee->ee_info;
        } else if (ee->ee_type != ICMP_DEST_UNREACH) {
            return false;
        }
    } else if (ee->ee_origin == SO_EE_ORIGIN_ICMP6
               && ss.ss_family == AF_INET6) {
        if (ee->ee_type == ICMP6_TIME_EXCEEDED) {
            e->type = FABRIC_EAR_EXPIRED;
        } else if (ee->ee_type == ICMP6_PACKET_TOO_BIG) {
            e->type = FABRIC_EAR_TOO_BIG;
            e->mtu = ee->ee_info;
        } else if (ee->ee_type != ICMP6_DST_UNREACH) {
            return false;
        }
    } else {
        return false;
    }
    fabric_sockaddr_parse(&ss, &e->offender, &port);
    return true;
}

/* Returns true and fills 'e', but for the quotation, if 'msg' has an ICMP
 * error. */
static bool
find_error(struct msghdr *msg, struct fabric_ear_error *e)
{
    for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg); cmsg;
         cmsg = CMSG_NXTHDR(msg, cmsg)) {
        struct {
            struct sock_extended_err ee;
            struct sockaddr_in6 offender;
        } data;
        size_t size = cmsg->cmsg_len - CMSG_LEN(0);

        if (((cmsg->cmsg_level == IPPROTO_IP && cmsg->cmsg_type == IP_RECVERR)
             || (cmsg->cmsg_level == IPPROTO_IPV6
                 && cmsg->cmsg_type == IPV6_RECVERR))
            && size >= sizeof data.ee) {
            memset(&data, 0, sizeof data);
            memcpy(&data, CMSG_DATA(cmsg), MIN(size, sizeof data));
            return parse_error(&data.ee, sizeof data, e);
        }
    }
    return false;
}

bool
fabric_ear_hear(int fd, struct fabric_ear_error *e)
{
    for (;;) {
        union {
            struct cmsghdr align;
            uint8_t buf[512];
        } control;
        struct iovec iov = { e->quote, sizeof e->quote };
        struct msghdr msg = {
            .msg_iov = &iov, .msg_iovlen = 1,
            .msg_control = &control, .msg_controllen = sizeof control,
        };
        ssize_t n = recvmsg(fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT);

        if (n >= 0) {
            e->quote_len = n;
            if (!find_error(&msg, e)) {
                e->type = FABRIC_EAR_OTHER;
            }
            return true;
        } else if (errno != EINTR) {
            int error;
            socklen_t len = sizeof error;

            /* What is pending apart from the queue would have it poll as
             * having an error for ever. */
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
            return false;
        }
    }
}
