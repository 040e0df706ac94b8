/* SPDX-License-Identifier: Apache-2.0 */

/* The "udp" uplink driver: kernel UDP sockets.
 *
 * Sockets.  What arrives comes to sockets for data or to others for probes
 * (fabric-steer.h).  Probes are thus answered by the prober's thread whatever
 * the datapath is doing.  One more socket per source port sends; a filter
 * drops whatever is sent to it.  So a fabric needs (24 + paths per remote)
 * sockets per local IP, and up to 88 with discovery (fabric-discover.h), which
 * tries other ports, whatever the number of endpoints.  fabric-udp-sender.c
 * has those that send.
 *
 * Super-frames.  Many datagrams of one path go to the kernel in one message
 * with UDP_SEGMENT and come back in one with UDP_GRO (both Linux 5.0+): the
 * network stack is crossed once for up to 64 datagrams.
 *
 * Fragmentation.  RFC 7348 section 4.3 would have a VTEP not fragment.  The
 * don't-fragment bit is nevertheless left clear, as by Linux's VXLAN device:
 * a workload whose MTU ignores the encapsulation then works, slowly, instead
 * of hanging on its first large packet.  Over IPv4 these sockets do not learn
 * MTUs from ICMP errors: the kernel would then fragment for all paths what
 * does not fit one.  Over IPv6, where routers do not fragment, it has to. */

#include <config.h>

#include "fabric-uplink.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/udp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "coverage.h"
#include "fabric-drops.h"
#include "fabric-ear.h"
#include "fabric-route.h"
#include "fabric-socket.h"
#include "fabric-steer.h"
#include "fabric-udp-sender.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "ovs-atomic.h"
#include "packets.h"
#include "socket-util.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(fabric_uplink_udp);

COVERAGE_DEFINE(fabric_udp_recv);

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

#define RX_BUF_SIZE 65536
#define PROBE_BUF_SIZE 10240            /* For a jumbo frame's. */

/* How long, in ms, a port may be in use by a socket that was closed, and how
 * long ago that may have been. */
#define CLOSE_TRIES 100
#define CLOSE_RECENT 1000

/* The sockets that receive for one local IP and UDP port, which an uplink can
 * hand over to the one that replaces it. */
struct udp_receiver {
    struct ovs_refcount refs;
    struct fabric_steer steer;
    uint8_t *rx_bufs;           /* FABRIC_RX_BURST buffers, for data. */
    uint8_t *probe_bufs;        /* Likewise, for probes. */
};

struct udp_uplink {
    struct fabric_uplink up;
    int family;
    struct udp_receiver *receiver;
    struct fabric_udp_sender sender;
};

/* When sockets were closed, time_msec(). */
static atomic_llong last_close = LLONG_MIN / 2;

static struct udp_uplink *
udp_uplink_cast(struct fabric_uplink *up)
{
    return CONTAINER_OF(up, struct udp_uplink, up);
}

static struct fabric_uplink *
udp_alloc(void)
{
    struct udp_uplink *udp = xzalloc(sizeof *udp);

    fabric_udp_sender_init(&udp->sender, &udp->up);
    return &udp->up;
}

static void
receiver_unref(struct udp_receiver *r)
{
    if (r && ovs_refcount_unref(&r->refs) == 1) {
        fabric_steer_close(&r->steer);
        if (r->rx_bufs) {
            free_pagealign(r->rx_bufs);
        }
        free(r->probe_bufs);
        free(r);
        atomic_store_relaxed(&last_close, time_msec());
    }
}

static void
udp_inherit(struct fabric_uplink *up, struct fabric_uplink *old_)
{
    struct udp_uplink *udp = udp_uplink_cast(up);
    struct udp_uplink *old = udp_uplink_cast(old_);

    if (up->config.dst_port == old_->config.dst_port) {
        ovs_refcount_ref(&old->receiver->refs);
        udp->receiver = old->receiver;
    }
    fabric_udp_sender_inherit(&udp->sender, &old->sender);
}

/* Returns 0 if nobody has 'port' of 'ip', else a positive errno.  A socket of
 * ours that was closed may have it until the prober's thread leaves poll(2),
 * so after a close this waits a little. */
static int
check_port_free(const struct in6_addr *ip, uint16_t port)
{
    long long int closed;
    int tries;

    atomic_read_relaxed(&last_close, &closed);
    tries = time_msec() - closed < CLOSE_RECENT ? CLOSE_TRIES : 1;
    for (;;) {
        /* SO_REUSEPORT would let two switches share the port in silence. */
        int fd = fabric_socket_bound(ip, port, false);

        if (fd >= 0) {
            close(fd);
            return 0;
        } else if (fd != -EADDRINUSE || !--tries) {
            return -fd;
        }
        xnanosleep_no_quiesce(1000 * 1000);
    }
}

/* Sets the options of a socket that receives. */
static void
prepare_receive(const struct udp_uplink *udp, int fd,
                enum fabric_steer_kind kind)
{
    int error;

    if (udp->family == AF_INET6) {
        fabric_socket_set(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
        fabric_socket_set(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
        fabric_socket_set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
        /* RFC 6935 section 5: zero checksums are for tunnels to allow. */
        fabric_socket_set(fd, IPPROTO_UDP, UDP_NO_CHECK6_RX, 1);
    } else {
        fabric_socket_set(fd, IPPROTO_IP, IP_RECVTOS, 1);
        fabric_socket_set(fd, IPPROTO_IP, IP_RECVTTL, 1);
        fabric_socket_set(fd, IPPROTO_IP, IP_PKTINFO, 1);
    }
    fabric_socket_set(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
    fabric_socket_enlarge(fd, SO_RCVBUF, SO_RCVBUFFORCE);
    if (kind == FABRIC_STEER_PROBES) {
        fabric_socket_set(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
    } else {
        error = fabric_socket_set(fd, IPPROTO_UDP, UDP_GRO, 1);
        if (error) {
            VLOG_WARN_ONCE("no UDP_GRO: receiving will be slow (%s)",
                           ovs_strerror(error));
        }
    }
}

static char *
open_receive(struct udp_uplink *udp)
{
    const struct in6_addr *ip = &udp->up.config.local_ip;
    struct udp_receiver *r = xzalloc(sizeof *r);
    uint16_t port = udp->up.config.dst_port;
    int error = check_port_free(ip, port);

    ovs_refcount_init(&r->refs);
    udp->receiver = r;
    if (error == EADDRINUSE
        && fabric_udp_sender_has_spare(&udp->sender, port)) {
        return xasprintf("UDP port %"PRIu16" is a source port of this fabric",
                         port);
    }
    if (!error) {
        error = fabric_steer_open(&r->steer, &udp->up.config);
    }
    if (error) {
        return fabric_socket_open_error(ip, port, error);
    }
    for (int kind = 0; kind < FABRIC_STEER_N_KINDS; kind++) {
        const struct fabric_steer_set *set = &r->steer.sets[kind];

        for (size_t i = 0; i < set->n; i++) {
            prepare_receive(udp, set->fds[i], kind);
        }
    }
    r->rx_bufs = xmalloc_pagealign(FABRIC_RX_BURST * RX_BUF_SIZE);
    r->probe_bufs = xmalloc(FABRIC_RX_PROBE_BURST * PROBE_BUF_SIZE);
    return NULL;
}

static char *
udp_open(struct fabric_uplink *up)
{
    struct udp_uplink *udp = udp_uplink_cast(up);

    udp->family = (IN6_IS_ADDR_V4MAPPED(&up->config.local_ip)
                   ? AF_INET : AF_INET6);
    fabric_udp_sender_open(&udp->sender);
    return udp->receiver ? NULL : open_receive(udp);
}

static char *
udp_add_port(struct fabric_uplink *up, unsigned int i, uint16_t *port)
{
    return fabric_udp_sender_add_port(&udp_uplink_cast(up)->sender, i, port);
}

static void
udp_configure(struct fabric_uplink *up)
{
    struct udp_uplink *udp = udp_uplink_cast(up);

    int error;

    fabric_udp_sender_configure(&udp->sender);
    error = fabric_steer_change(&udp->receiver->steer, &up->config);
    if (error) {
        VLOG_ERR("cannot steer probes to their sockets: %s",
                 ovs_strerror(error));
    }
}

static void
udp_destroy(struct fabric_uplink *up)
{
    struct udp_uplink *udp = udp_uplink_cast(up);

    fabric_udp_sender_destroy(&udp->sender);
    receiver_unref(udp->receiver);
    free(udp);
}

static void
udp_send(struct fabric_uplink *up, struct fabric_datagram *d, size_t n)
{
    fabric_udp_sender_send(&udp_uplink_cast(up)->sender, d, n);
}

/* Receiving. */

union rx_control {
    struct cmsghdr align;
    uint8_t buf[4 * CMSG_SPACE(sizeof(int))
                + CMSG_SPACE(sizeof(struct in6_pktinfo))
                + CMSG_SPACE(sizeof(struct timespec))];
};

/* Stores in '*rx' by which interface the packet arrived, if 'cmsg' says so. */
static bool
parse_pktinfo(struct cmsghdr *cmsg, struct fabric_rx *rx)
{
    if (cmsg->cmsg_level == IPPROTO_IP && cmsg->cmsg_type == IP_PKTINFO) {
        struct in_pktinfo info;

        memcpy(&info, CMSG_DATA(cmsg), sizeof info);
        rx->ifindex = info.ipi_ifindex;
    } else if (cmsg->cmsg_level == IPPROTO_IPV6
               && cmsg->cmsg_type == IPV6_PKTINFO) {
        struct in6_pktinfo info;

        memcpy(&info, CMSG_DATA(cmsg), sizeof info);
        rx->ifindex = info.ipi6_ifindex;
    } else {
        return false;
    }
    return true;
}

/* Stores in '*rx' and '*lost' what the kernel tells beside the data. */
static void
parse_control(struct msghdr *msg, struct fabric_rx *rx, uint32_t *lost)
{
    for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg); cmsg;
         cmsg = CMSG_NXTHDR(msg, cmsg)) {
        int value = 0;

        if ((cmsg->cmsg_level == IPPROTO_IP && cmsg->cmsg_type == IP_TOS)) {
            rx->tos = *(uint8_t *) CMSG_DATA(cmsg);
            continue;
        }
        if (cmsg->cmsg_len < CMSG_LEN(sizeof value)) {
            continue;
        }
        if (cmsg->cmsg_level == SOL_SOCKET
            && cmsg->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec ts;

            memcpy(&ts, CMSG_DATA(cmsg), sizeof ts);
            rx->rx_ns = (uint64_t) ts.tv_sec * 1000000000 + ts.tv_nsec;
            continue;
        }
        if (parse_pktinfo(cmsg, rx)) {
            continue;
        }
        memcpy(&value, CMSG_DATA(cmsg), sizeof value);
        if (cmsg->cmsg_level == IPPROTO_UDP && cmsg->cmsg_type == UDP_GRO) {
            rx->gso_size = value;
        } else if (cmsg->cmsg_level == SOL_SOCKET
                   && cmsg->cmsg_type == SO_RXQ_OVFL) {
            *lost = value;
        } else if (cmsg->cmsg_level == IPPROTO_IPV6
                   && cmsg->cmsg_type == IPV6_TCLASS) {
            rx->tos = value;
        } else if ((cmsg->cmsg_level == IPPROTO_IP
                    && cmsg->cmsg_type == IP_TTL)
                   || (cmsg->cmsg_level == IPPROTO_IPV6
                       && cmsg->cmsg_type == IPV6_HOPLIMIT)) {
            rx->ttl = value;
        }
    }
}

#define MAX_RX_BURST MAX(FABRIC_RX_BURST, FABRIC_RX_PROBE_BURST)

/* Receives up to 'max' messages into the 'buf_size' bytes for each at
 * 'bufs'. */
static size_t
receive(int fd, uint8_t *bufs, size_t buf_size, size_t max,
        struct fabric_rx *rxs, uint32_t *lost)
{
    struct sockaddr_storage ss[MAX_RX_BURST];
    union rx_control controls[MAX_RX_BURST];
    struct mmsghdr msgs[MAX_RX_BURST];
    struct iovec iovs[MAX_RX_BURST];
    uint32_t old_lost = *lost;
    int n;

    for (size_t i = 0; i < max; i++) {
        iovs[i].iov_base = bufs + i * buf_size;
        iovs[i].iov_len = buf_size;
        msgs[i].msg_hdr = (struct msghdr) {
            .msg_name = &ss[i], .msg_namelen = sizeof ss[i],
            .msg_iov = &iovs[i], .msg_iovlen = 1,
            .msg_control = &controls[i],
            .msg_controllen = sizeof controls[i],
        };
    }

    n = recvmmsg(fd, msgs, max, MSG_DONTWAIT, NULL);
    COVERAGE_INC(fabric_udp_recv);
    for (int i = 0; i < n; i++) {
        struct fabric_rx *rx = &rxs[i];

        *rx = (struct fabric_rx) {
            .data = iovs[i].iov_base,
            .size = msgs[i].msg_len,
        };
        fabric_sockaddr_parse(&ss[i], &rx->remote_ip, &rx->remote_port);
        parse_control(&msgs[i].msg_hdr, rx, lost);
        if (rx->gso_size >= rx->size) {
            rx->gso_size = 0;
        }
    }
    if (OVS_UNLIKELY(*lost != old_lost)) {
        fabric_drop_count(FABRIC_DROP_RX_QUEUE_FULL, *lost - old_lost);
    }
    return MAX(n, 0);
}

/* Receives from the socket of 'set' whose turn it is, likewise. */
static size_t
receive_turn(struct fabric_steer_set *set, uint8_t *bufs, size_t buf_size,
             size_t max, struct fabric_rx *rx)
{
    size_t n = 0;

    for (int i; !n && (i = fabric_steer_next(set)) >= 0; ) {
        n = receive(set->fds[i], bufs, buf_size, max, rx, &set->lost[i]);
    }
    return n;
}

static size_t
udp_recv(struct fabric_uplink *up, struct fabric_rx *rx)
{
    struct udp_receiver *r = udp_uplink_cast(up)->receiver;

    return receive_turn(&r->steer.sets[FABRIC_STEER_DATA], r->rx_bufs,
                        RX_BUF_SIZE, FABRIC_RX_BURST, rx);
}

static void
udp_recv_wait(struct fabric_uplink *up)
{
    const struct udp_receiver *r = udp_uplink_cast(up)->receiver;

    fabric_steer_wait(&r->steer.sets[FABRIC_STEER_DATA]);
}

static size_t
udp_recv_probe(struct fabric_uplink *up, struct fabric_rx *rx)
{
    struct udp_receiver *r = udp_uplink_cast(up)->receiver;

    return receive_turn(&r->steer.sets[FABRIC_STEER_PROBES],
                        r->probe_bufs, PROBE_BUF_SIZE,
                        FABRIC_RX_PROBE_BURST, rx);
}

static void
udp_recv_probe_wait(struct fabric_uplink *up)
{
    const struct udp_receiver *r = udp_uplink_cast(up)->receiver;

    fabric_steer_wait(&r->steer.sets[FABRIC_STEER_PROBES]);
}

static int
udp_open_ear(struct fabric_uplink *up, unsigned int i,
             const struct in6_addr *remote_ip, bool keep_mtu)
{
    int fd = fabric_ear_open(&up->config.local_ip, up->src_ports[i], remote_ip,
                             up->config.dst_port, keep_mtu);

    if (fd >= 0) {
        fabric_udp_set_csum(fd, up);
    }
    return fd;
}

static uint32_t
udp_get_mtu(struct fabric_uplink *up, unsigned int i,
            const struct in6_addr *remote_ip)
{
    return fabric_route_get_mtu(&up->config.local_ip, htons(up->src_ports[i]),
                                remote_ip, htons(up->config.dst_port));
}

static bool
udp_is_up(struct fabric_uplink *up, const char **reason)
{
    struct ifaddrs *ifas, *ifa;
    bool is_up = false;
    int ifindex = 0;

    if (getifaddrs(&ifas)) {
        return true;
    }
    *reason = "address removed from the host";
    for (ifa = ifas; ifa; ifa = ifa->ifa_next) {
        if (fabric_sockaddr_is(ifa->ifa_addr, &up->config.local_ip)) {
            is_up = (ifa->ifa_flags & IFF_UP
                     && ifa->ifa_flags & IFF_RUNNING);
            ifindex = if_nametoindex(ifa->ifa_name);
            *reason = "no carrier";
            break;
        }
    }
    freeifaddrs(ifas);
    atomic_store_relaxed(&up->ifindex, ifindex);
    return is_up;
}

const struct fabric_uplink_class fabric_uplink_udp_class = {
    .name = "udp",
    .alloc = udp_alloc,
    .inherit = udp_inherit,
    .open = udp_open,
    .add_port = udp_add_port,
    .destroy = udp_destroy,
    .configure = udp_configure,
    .send = udp_send,
    .recv = udp_recv,
    .recv_wait = udp_recv_wait,
    .recv_probe = udp_recv_probe,
    .recv_probe_wait = udp_recv_probe_wait,
    .open_ear = udp_open_ear,
    .get_mtu = udp_get_mtu,
    .is_up = udp_is_up,
    .threaded = true,
};
