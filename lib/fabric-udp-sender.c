/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-udp-sender.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "coverage.h"
#include "fabric-socket.h"
#include "packets.h"
#include "util.h"

COVERAGE_DEFINE(fabric_udp_gso_refused);
COVERAGE_DEFINE(fabric_udp_send);

#ifndef IPV6_AUTOFLOWLABEL
#define IPV6_AUTOFLOWLABEL 70
#endif
#ifndef IP_PMTUDISC_OMIT
#define IP_PMTUDISC_OMIT 5
#endif
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

/* How far beyond the configured base to look for free source ports. */
#define SRC_PORT_SEARCH 1024

#define SEND_BURST 64

/* Sockets. */

void
fabric_udp_sender_init(struct fabric_udp_sender *s, struct fabric_uplink *up)
{
    s->up = up;
    s->n_spares = 0;
}

void
fabric_udp_sender_open(struct fabric_udp_sender *s)
{
    s->v6 = !IN6_IS_ADDR_V4MAPPED(&s->up->config.local_ip);

    /* The kernel computes the outer checksums of a GSO message or none. */
    s->csum = fabric_uplink_csum(s->up);
    atomic_init(&s->gso, s->csum);
}

static void
close_spares(struct fabric_udp_sender *s)
{
    for (size_t i = 0; i < s->n_spares; i++) {
        close(s->spares[i].fd);
    }
    s->n_spares = 0;
}

void
fabric_udp_sender_destroy(struct fabric_udp_sender *s)
{
    for (size_t i = 0; i < s->up->n_ports; i++) {
        close(s->fds[i]);
        if (s->bare_fds[i] >= 0) {
            close(s->bare_fds[i]);
        }
    }
    close_spares(s);
}

void
fabric_udp_sender_inherit(struct fabric_udp_sender *s,
                          const struct fabric_udp_sender *old)
{
    for (size_t i = 0; i < old->up->n_ports; i++) {
        int fd = fcntl(old->fds[i], F_DUPFD_CLOEXEC, 0);

        if (fd >= 0) {
            s->spares[s->n_spares++] = (struct fabric_udp_spare) {
                .fd = fd, .port = old->up->src_ports[i],
            };
        }
    }
}

static struct fabric_udp_spare *
find_spare(const struct fabric_udp_sender *s_, uint16_t port)
{
    struct fabric_udp_sender *s = CONST_CAST(struct fabric_udp_sender *, s_);

    for (size_t i = 0; i < s->n_spares; i++) {
        if (s->spares[i].port == port) {
            return &s->spares[i];
        }
    }
    return NULL;
}

bool
fabric_udp_sender_has_spare(const struct fabric_udp_sender *s, uint16_t port)
{
    return find_spare(s, port) != NULL;
}

static void
set_no_csum(int fd, const struct fabric_uplink *up, bool none)
{
    if (IN6_IS_ADDR_V4MAPPED(&up->config.local_ip)) {
        fabric_socket_set(fd, SOL_SOCKET, SO_NO_CHECK, none);
    } else {
        fabric_socket_set(fd, IPPROTO_UDP, UDP_NO_CHECK6_TX, none);
    }
}

void
fabric_udp_set_csum(int fd, const struct fabric_uplink *up)
{
    set_no_csum(fd, up, !fabric_uplink_csum(up));
}

static void
set_ttl(int fd, const struct fabric_uplink *up)
{
    if (IN6_IS_ADDR_V4MAPPED(&up->config.local_ip)) {
        fabric_socket_set(fd, IPPROTO_IP, IP_TTL, fabric_uplink_ttl(up));
    } else {
        fabric_socket_set(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS,
                          fabric_uplink_ttl(up));
    }
}

/* Returns the inherited socket for 'port', which keeps its options for now, or
 * -1. */
static int
take_spare(struct fabric_udp_sender *s, uint16_t port)
{
    struct fabric_udp_spare *spare = find_spare(s, port);
    int fd = -1;

    if (spare) {
        fd = spare->fd;
        *spare = s->spares[--s->n_spares];
    }
    return fd;
}

/* Opens a socket for source port 'port', which fabric_ear_open() can share but
 * nobody has yet.  Returns the descriptor or a negative errno. */
static int
open_src_port(const struct fabric_udp_sender *s, uint16_t port)
{
    const struct in6_addr *ip = &s->up->config.local_ip;
    int fd = fabric_socket_bound(ip, port, false);

    if (fd < 0) {
        return fd;
    }
    close(fd);
    return fabric_socket_bound(ip, port, true);
}

/* Has the socket send with flow label 0, as the kernel's fast path does:
 * routers that take it into account would otherwise send data another way than
 * the probes that are to tell what becomes of it.  UDP ports are what tells
 * paths apart. */
static void
clear_flow_label(int fd)
{
    fabric_socket_set(fd, IPPROTO_IPV6, IPV6_AUTOFLOWLABEL, 0);
}

/* Prepares 'fd', which belongs to a source port, for sending. */
static void
prepare_send(const struct fabric_udp_sender *s, int fd)
{
    fabric_socket_deafen(fd);
    if (s->v6) {
        clear_flow_label(fd);
        fabric_socket_set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER,
                          IPV6_PMTUDISC_DONT);
    } else {
        fabric_socket_set(fd, IPPROTO_IP, IP_MTU_DISCOVER,
                          IP_PMTUDISC_OMIT);
    }
    set_ttl(fd, s->up);
}

/* Opens the socket that sends from 'port' without checksum. */
static int
open_bare(const struct fabric_udp_sender *s, uint16_t port)
{
    int fd = fabric_socket_bound(&s->up->config.local_ip, port, true);

    if (fd < 0) {
        return -1;
    }
    prepare_send(s, fd);
    set_no_csum(fd, s->up, true);
    return fd;
}

char *
fabric_udp_sender_add_port(struct fabric_udp_sender *s, unsigned int i,
                           uint16_t *port)
{
    const struct fabric_uplink_config *config = &s->up->config;
    uint32_t end = MIN(config->src_port_base + SRC_PORT_SEARCH, 65536);
    int fd = -EADDRINUSE;

    while (*port && *port < end) {
        if (*port != config->dst_port) {
            fd = take_spare(s, *port);
            if (fd >= 0) {
                s->fds[i] = fd;
                s->bare_fds[i] = open_bare(s, *port);
                return NULL;
            }
            fd = open_src_port(s, *port);
            if (fd != -EADDRINUSE) {
                break;
            }
        }
        ++*port;
    }
    if (fd < 0) {
        return fabric_socket_open_error(&config->local_ip, *port, -fd);
    }

    s->fds[i] = fd;
    fabric_socket_enlarge(fd, SO_SNDBUF, SO_SNDBUFFORCE);
    prepare_send(s, fd);
    fabric_udp_set_csum(fd, s->up);
    s->bare_fds[i] = open_bare(s, *port);
    return NULL;
}

void
fabric_udp_sender_configure(struct fabric_udp_sender *s)
{
    bool csum = fabric_uplink_csum(s->up);

    close_spares(s);
    if (!csum) {
        atomic_store_relaxed(&s->gso, false);
    }
    for (size_t i = 0; i < s->up->n_ports; i++) {
        set_ttl(s->fds[i], s->up);
        fabric_udp_set_csum(s->fds[i], s->up);
        if (s->bare_fds[i] >= 0) {
            set_ttl(s->bare_fds[i], s->up);
        }
    }
    if (csum && !s->csum) {
        atomic_store_relaxed(&s->gso, true);
    }
    s->csum = csum;
}

/* Sending. */

/* Room for UDP_SEGMENT, the traffic class and the hop limit. */
union tx_control {
    struct cmsghdr align;
    uint8_t buf[CMSG_SPACE(sizeof(uint16_t)) + 2 * CMSG_SPACE(sizeof(int))];
};

static struct cmsghdr *
put_cmsg(struct msghdr *msg, struct cmsghdr *cmsg, int level, int type,
         const void *value, size_t size)
{
    cmsg->cmsg_level = level;
    cmsg->cmsg_type = type;
    cmsg->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(cmsg), value, size);
    msg->msg_controllen += CMSG_SPACE(size);
    return ALIGNED_CAST(struct cmsghdr *,
                        (uint8_t *) cmsg + CMSG_SPACE(size));
}

static void
compose_msg(const struct fabric_udp_sender *s, const struct fabric_datagram *d,
            struct msghdr *msg, struct sockaddr_storage *ss,
            union tx_control *control)
{
    struct cmsghdr *cmsg = &control->align;
    bool v6 = s->v6;

    memset(msg, 0, sizeof *msg);
    msg->msg_name = ss;
    msg->msg_namelen = fabric_sockaddr_make(&d->remote_ip,
                                            s->up->config.dst_port, ss);
    msg->msg_iov = d->iov;
    msg->msg_iovlen = d->n_iov;
    msg->msg_control = control;

    if (d->gso_size && d->size > d->gso_size) {
        cmsg = put_cmsg(msg, cmsg, IPPROTO_UDP, UDP_SEGMENT,
                        &d->gso_size, sizeof d->gso_size);
    }
    if (d->tos) {
        int tos = d->tos;

        cmsg = put_cmsg(msg, cmsg, v6 ? IPPROTO_IPV6 : IPPROTO_IP,
                        v6 ? IPV6_TCLASS : IP_TOS, &tos, sizeof tos);
    }
    if (d->ttl && d->ttl != fabric_uplink_ttl(s->up)) {
        int ttl = d->ttl;

        put_cmsg(msg, cmsg, v6 ? IPPROTO_IPV6 : IPPROTO_IP,
                 v6 ? IPV6_HOPLIMIT : IP_TTL, &ttl, sizeof ttl);
    }
    if (!msg->msg_controllen) {
        msg->msg_control = NULL;
    }
}

static int
send_one(const struct fabric_datagram *d, void *s_)
{
    const struct fabric_udp_sender *s = s_;
    struct sockaddr_storage ss;
    union tx_control control;
    int bare_fd = d->bare ? s->bare_fds[d->port_idx] : -1;
    struct msghdr msg;

    compose_msg(s, d, &msg, &ss, &control);
    return (sendmsg(bare_fd >= 0 ? bare_fd : s->fds[d->port_idx], &msg,
                    MSG_DONTWAIT) < 0 ? errno : 0);
}

/* Handles the refusal of GSO message 'd' with 'error'. */
static int
send_refused(struct fabric_udp_sender *s, const struct fabric_datagram *d,
             int error)
{
    if (!d->gso_size || d->size <= d->gso_size) {
        return error;
    }
    switch (error) {
    case EIO:
        /* The interface cannot checksum, so it cannot segment. */
        atomic_store_relaxed(&s->gso, false);
        break;
    case EINVAL:
    case EMSGSIZE:
        /* Segments exceed the MTU: they must be fragmented one by one. */
        break;
    default:
        return error;
    }
    COVERAGE_INC(fabric_udp_gso_refused);
    return fabric_datagram_send_singly(d, send_one, s);
}

static void
send_burst(struct fabric_udp_sender *s, struct fabric_datagram *d, size_t n)
{
    struct sockaddr_storage ss[SEND_BURST];
    union tx_control controls[SEND_BURST];
    struct mmsghdr msgs[SEND_BURST];
    size_t i = 0;

    for (size_t j = 0; j < n; j++) {
        compose_msg(s, &d[j], &msgs[j].msg_hdr, &ss[j], &controls[j]);
        d[j].error = 0;
    }

    while (i < n) {
        int sent = sendmmsg(s->fds[d[i].port_idx], &msgs[i], n - i,
                            MSG_DONTWAIT);

        COVERAGE_INC(fabric_udp_send);
        if (sent > 0) {
            i += sent;
        } else if (errno != EINTR) {
            d[i].error = send_refused(s, &d[i], errno);
            i++;
        }
    }
}

/* Sends 'd' with the don't-fragment bit, whatever the kernel takes for the MTU
 * of the path.  For that it takes a socket of its own, since others may be
 * sending from the source port's.  It is gone before an error comes back,
 * which would otherwise change what the kernel takes for the MTU. */
static int
send_whole(struct fabric_udp_sender *s, const struct fabric_datagram *d)
{
    const struct fabric_uplink_config *config = &s->up->config;
    bool v6 = s->v6;
    struct sockaddr_storage ss;
    union tx_control control;
    struct msghdr msg;
    int fd, error;

    fd = fabric_socket_bound(&config->local_ip,
                             s->up->src_ports[d->port_idx], true);
    if (fd < 0) {
        return -fd;
    }
    fabric_socket_deafen(fd);
    if (v6) {
        clear_flow_label(fd);
    }
    fabric_udp_set_csum(fd, s->up);
    error = fabric_socket_set(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP,
                              v6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER,
                              v6 ? IPV6_PMTUDISC_PROBE : IP_PMTUDISC_PROBE);
    compose_msg(s, d, &msg, &ss, &control);
    if (!error && sendmsg(fd, &msg, MSG_DONTWAIT) < 0) {
        error = errno;
    }
    close(fd);
    return error;
}

void
fabric_udp_sender_send(struct fabric_udp_sender *s, struct fabric_datagram *d,
                       size_t n)
{
    size_t start = 0;

    for (size_t i = 0; i < n; i++) {
        bool gso;

        atomic_read_relaxed(&s->gso, &gso);
        if (d[i].whole || d[i].bare
            || (!gso && d[i].gso_size && d[i].size > d[i].gso_size)) {
            if (i > start) {
                send_burst(s, &d[start], i - start);
            }
            d[i].error = (d[i].whole ? send_whole(s, &d[i])
                          : d[i].bare ? send_one(&d[i], s)
                          : fabric_datagram_send_singly(&d[i], send_one, s));
            start = i + 1;
        } else if (i + 1 == n || d[i + 1].port_idx != d[i].port_idx
                   || i + 1 - start == SEND_BURST) {
            send_burst(s, &d[start], i + 1 - start);
            start = i + 1;
        }
    }
}
