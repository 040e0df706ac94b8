/* SPDX-License-Identifier: Apache-2.0 */

/* The "udp" uplink driver: kernel UDP sockets.
 *
 * Sockets.  Two sockets are bound to (local IP, fabric port) as a reuseport
 * group; a classic BPF program in the kernel gives probes to one and all else
 * to the other.  Probes are thus answered by the prober's thread whatever the
 * datapath is doing.  One more socket per source port sends; a filter drops
 * whatever is sent to it.  So a fabric needs (2 + paths per remote) sockets
 * per local IP, and up to 66 with discovery (fabric-discover.h), which tries
 * other ports, whatever the number of endpoints.
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
#include <linux/filter.h>
#include <net/if.h>
#include <netinet/udp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "coverage.h"
#include "fabric-bfd-frame.h"
#include "fabric-drops.h"
#include "fabric-ear.h"
#include "fabric-route.h"
#include "fabric-socket.h"
#include "fabric-stamp.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "ovs-atomic.h"
#include "packets.h"
#include "socket-util.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(fabric_uplink_udp);

COVERAGE_DEFINE(fabric_udp_gso_refused);
COVERAGE_DEFINE(fabric_udp_send);
COVERAGE_DEFINE(fabric_udp_recv);

#ifndef IPV6_AUTOFLOWLABEL
#define IPV6_AUTOFLOWLABEL 70
#endif
#ifndef IP_PMTUDISC_OMIT
#define IP_PMTUDISC_OMIT 5
#endif
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif
#ifndef SO_ATTACH_REUSEPORT_CBPF
#define SO_ATTACH_REUSEPORT_CBPF 51
#endif

/* Room for 64 datagrams in flight in each direction; the kernel doubles it.
 * A default receive buffer holds just three super-frames. */
#define SOCKET_BUFFER (8 * 1024 * 1024)

/* How far beyond the configured base to look for free source ports. */
#define SRC_PORT_SEARCH 1024

#define RX_BUF_SIZE 65536
#define PROBE_BUF_SIZE 10240            /* For a jumbo frame's. */
#define SEND_BURST 64

struct udp_uplink {
    struct fabric_uplink up;
    int family;
    int data_fd;
    int probe_fd;
    int tx_fds[FABRIC_MAX_PATHS_PER_REMOTE];    /* [up.n_ports]. */
    atomic_bool gso;            /* UDP_SEGMENT usable? Only ever cleared. */
    uint8_t *rx_bufs;           /* FABRIC_RX_BURST buffers, for data. */
    uint8_t *probe_bufs;        /* Likewise, for probes. */
    uint32_t rx_lost;           /* What the kernel has counted as lost for */
    uint32_t probe_lost;        /* want of room in either socket. */
};

static struct udp_uplink *
udp_uplink_cast(struct fabric_uplink *up)
{
    return CONTAINER_OF(up, struct udp_uplink, up);
}

static struct fabric_uplink *
udp_alloc(void)
{
    struct udp_uplink *udp = xzalloc(sizeof *udp);

    udp->data_fd = udp->probe_fd = -1;
    return &udp->up;
}

static void
set_buffer(int fd, int option, int force_option)
{
    if (fabric_socket_set(fd, SOL_SOCKET, force_option, SOCKET_BUFFER)) {
        fabric_socket_set(fd, SOL_SOCKET, option, SOCKET_BUFFER);
    }
}

static uint32_t
mac_hi(const struct eth_addr *mac)
{
    return ((uint32_t) mac->ea[0] << 24 | mac->ea[1] << 16
            | mac->ea[2] << 8 | mac->ea[3]);
}

static uint32_t
mac_lo(const struct eth_addr *mac)
{
    return mac->ea[4] << 8 | mac->ea[5];
}

/* Steers probes, recognized as fabric_stamp_is_probe() does, and BFD to the
 * MAC that Open vSwitch uses on any VNI, to the second socket of the group.
 * (Other BFD comes with the data.)  Offsets are from the start of the UDP
 * payload.  The last two instructions return the socket's index; a load beyond
 * the packet returns 0, the data socket. */
static int
attach_steering(const struct udp_uplink *udp)
{
    const struct eth_addr *mac = &fabric_stamp_mac;
    const struct eth_addr *ovs = &fabric_bfd_ovs_mac;
    bool geneve = udp->up.config.encap == FABRIC_ENCAP_GENEVE;

    struct sock_filter code[] = {
        /* Geneve: only without options, byte 0 being version and length. */
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, geneve ? 0x3f : 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 11),

        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 8),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, mac_hi(ovs), 0, 2),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, mac_lo(ovs), 6, 7),

        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, mac_hi(mac), 0, 6),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, mac_lo(mac), 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4),
        BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 8),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, udp->up.config.probe_vni, 0, 1),

        BPF_STMT(BPF_RET | BPF_K, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog prog = { .len = ARRAY_SIZE(code), .filter = code };

    return setsockopt(udp->data_fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF,
                      &prog, sizeof prog) ? errno : 0;
}

static char *
open_error(const struct udp_uplink *udp, uint16_t port, int error)
{
    char ip[INET6_ADDRSTRLEN];

    ipv6_string_mapped(ip, &udp->up.config.local_ip);
    switch (error) {
    case EADDRNOTAVAIL:
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

static char *
open_receive(struct udp_uplink *udp)
{
    uint16_t port = udp->up.config.dst_port;
    bool v6 = udp->family == AF_INET6;
    int fd, error;

    /* SO_REUSEPORT would let two switches share the port in silence. */
    fd = fabric_socket_bound(&udp->up.config.local_ip, port, false);
    if (fd < 0) {
        return open_error(udp, port, -fd);
    }
    close(fd);

    udp->data_fd = fabric_socket_bound(&udp->up.config.local_ip, port, true);
    if (udp->data_fd < 0) {
        return open_error(udp, port, -udp->data_fd);
    }
    udp->probe_fd = fabric_socket_bound(&udp->up.config.local_ip, port, true);
    if (udp->probe_fd < 0) {
        return open_error(udp, port, -udp->probe_fd);
    }
    error = attach_steering(udp);
    if (error) {
        /* Probes then arrive with the data and are peeled off there, so the
         * second socket must not get a hash share of the data. */
        VLOG_WARN("probes share the data socket: %s", ovs_strerror(error));
        close(udp->probe_fd);
        udp->probe_fd = -1;
    }

    int fds[] = { udp->data_fd, udp->probe_fd };
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
        if (fds[i] < 0) {
            continue;
        }
        if (v6) {
            fabric_socket_set(fds[i], IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
            fabric_socket_set(fds[i], IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
            fabric_socket_set(fds[i], IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
            /* RFC 6935 section 5: zero checksums are for tunnels to allow. */
            fabric_socket_set(fds[i], IPPROTO_UDP, UDP_NO_CHECK6_RX, 1);
        } else {
            fabric_socket_set(fds[i], IPPROTO_IP, IP_RECVTOS, 1);
            fabric_socket_set(fds[i], IPPROTO_IP, IP_RECVTTL, 1);
            fabric_socket_set(fds[i], IPPROTO_IP, IP_PKTINFO, 1);
        }
        fabric_socket_set(fds[i], SOL_SOCKET, SO_RXQ_OVFL, 1);
        set_buffer(fds[i], SO_RCVBUF, SO_RCVBUFFORCE);
    }
    fabric_socket_set(udp->probe_fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
    error = fabric_socket_set(udp->data_fd, IPPROTO_UDP, UDP_GRO, 1);
    if (error) {
        VLOG_WARN("no UDP_GRO: receiving will be slow (%s)",
                  ovs_strerror(error));
    }
    return NULL;
}

/* Has 'fd' send without UDP checksum if that is how 'config' wants it. */
static void
set_no_csum(int fd, const struct fabric_uplink_config *config)
{
    if (config->csum) {
        return;
    }
    if (IN6_IS_ADDR_V4MAPPED(&config->local_ip)) {
        fabric_socket_set(fd, SOL_SOCKET, SO_NO_CHECK, 1);
    } else {
        fabric_socket_set(fd, IPPROTO_UDP, UDP_NO_CHECK6_TX, 1);
    }
}

/* Opens a socket for source port 'port', which fabric_ear_open() can share but
 * nobody has yet.  Returns the descriptor or a negative errno. */
static int
open_src_port(const struct udp_uplink *udp, uint16_t port)
{
    const struct in6_addr *ip = &udp->up.config.local_ip;
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

static char *
udp_add_port(struct fabric_uplink *up, unsigned int i, uint16_t *port)
{
    struct udp_uplink *udp = udp_uplink_cast(up);
    const struct fabric_uplink_config *config = &udp->up.config;
    uint32_t end = MIN(config->src_port_base + SRC_PORT_SEARCH, 65536);
    bool v6 = udp->family == AF_INET6;
    int fd = -EADDRINUSE;

    while (*port && *port < end) {
        fd = *port == config->dst_port ? -EADDRINUSE
                                       : open_src_port(udp, *port);
        if (fd != -EADDRINUSE) {
            break;
        }
        ++*port;
    }
    if (fd < 0) {
        return open_error(udp, *port, -fd);
    }

    udp->tx_fds[i] = fd;
    fabric_socket_deafen(fd);
    set_buffer(fd, SO_SNDBUF, SO_SNDBUFFORCE);
    if (v6) {
        clear_flow_label(fd);
        fabric_socket_set(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, config->ttl);
        fabric_socket_set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER,
                          IPV6_PMTUDISC_DONT);
    } else {
        fabric_socket_set(fd, IPPROTO_IP, IP_TTL, config->ttl);
        fabric_socket_set(fd, IPPROTO_IP, IP_MTU_DISCOVER,
                          IP_PMTUDISC_OMIT);
    }
    set_no_csum(fd, config);
    return NULL;
}

static char *
udp_open(struct fabric_uplink *up)
{
    struct udp_uplink *udp = udp_uplink_cast(up);
    char *error;

    udp->family = (IN6_IS_ADDR_V4MAPPED(&up->config.local_ip)
                   ? AF_INET : AF_INET6);

    /* The kernel computes the outer checksums of a GSO message or none. */
    atomic_init(&udp->gso, up->config.csum);

    error = open_receive(udp);
    if (!error) {
        udp->rx_bufs = xmalloc_pagealign(FABRIC_RX_BURST * RX_BUF_SIZE);
        udp->probe_bufs = xmalloc(FABRIC_RX_PROBE_BURST * PROBE_BUF_SIZE);
    }
    return error;
}

static void
udp_destroy(struct fabric_uplink *up)
{
    struct udp_uplink *udp = udp_uplink_cast(up);

    for (size_t i = 0; i < up->n_ports; i++) {
        close(udp->tx_fds[i]);
    }
    if (udp->data_fd >= 0) {
        close(udp->data_fd);
    }
    if (udp->probe_fd >= 0) {
        close(udp->probe_fd);
    }
    if (udp->rx_bufs) {
        free_pagealign(udp->rx_bufs);
    }
    free(udp->probe_bufs);
    free(udp);
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
compose_msg(const struct udp_uplink *udp, const struct fabric_datagram *d,
            struct msghdr *msg, struct sockaddr_storage *ss,
            union tx_control *control)
{
    struct cmsghdr *cmsg = &control->align;
    bool v6 = udp->family == AF_INET6;

    memset(msg, 0, sizeof *msg);
    msg->msg_name = ss;
    msg->msg_namelen = fabric_sockaddr_make(&d->remote_ip,
                                            udp->up.config.dst_port, ss);
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
    if (d->ttl && d->ttl != udp->up.config.ttl) {
        int ttl = d->ttl;

        put_cmsg(msg, cmsg, v6 ? IPPROTO_IPV6 : IPPROTO_IP,
                 v6 ? IPV6_HOPLIMIT : IP_TTL, &ttl, sizeof ttl);
    }
    if (!msg->msg_controllen) {
        msg->msg_control = NULL;
    }
}

static int
send_one(const struct fabric_datagram *d, void *udp_)
{
    const struct udp_uplink *udp = udp_;
    struct sockaddr_storage ss;
    union tx_control control;
    struct msghdr msg;

    compose_msg(udp, d, &msg, &ss, &control);
    return (sendmsg(udp->tx_fds[d->port_idx], &msg, MSG_DONTWAIT) < 0
            ? errno : 0);
}

/* Handles the refusal of GSO message 'd' with 'error'. */
static int
send_refused(struct udp_uplink *udp, const struct fabric_datagram *d,
             int error)
{
    if (!d->gso_size || d->size <= d->gso_size) {
        return error;
    }
    switch (error) {
    case EIO:
        /* The interface cannot checksum, so it cannot segment. */
        atomic_store_relaxed(&udp->gso, false);
        break;
    case EINVAL:
    case EMSGSIZE:
        /* Segments exceed the MTU: they must be fragmented one by one. */
        break;
    default:
        return error;
    }
    COVERAGE_INC(fabric_udp_gso_refused);
    return fabric_datagram_send_singly(d, send_one, udp);
}

static void
udp_send_burst(struct udp_uplink *udp, struct fabric_datagram *d, size_t n)
{
    struct sockaddr_storage ss[SEND_BURST];
    union tx_control controls[SEND_BURST];
    struct mmsghdr msgs[SEND_BURST];
    size_t i = 0;

    for (size_t j = 0; j < n; j++) {
        compose_msg(udp, &d[j], &msgs[j].msg_hdr, &ss[j], &controls[j]);
        d[j].error = 0;
    }

    while (i < n) {
        int sent = sendmmsg(udp->tx_fds[d[i].port_idx], &msgs[i], n - i,
                            MSG_DONTWAIT);

        COVERAGE_INC(fabric_udp_send);
        if (sent > 0) {
            i += sent;
        } else if (errno != EINTR) {
            d[i].error = send_refused(udp, &d[i], errno);
            i++;
        }
    }
}

/* Sends 'd' with the don't-fragment bit, whatever the kernel takes for the MTU
 * of the path.  For that it takes a socket of its own, since others may be
 * sending from the source port's.  It is gone before an error comes back,
 * which would otherwise change what the kernel takes for the MTU. */
static int
send_whole(struct udp_uplink *udp, const struct fabric_datagram *d)
{
    const struct fabric_uplink_config *config = &udp->up.config;
    bool v6 = udp->family == AF_INET6;
    struct sockaddr_storage ss;
    union tx_control control;
    struct msghdr msg;
    int fd, error;

    fd = fabric_socket_bound(&config->local_ip,
                             udp->up.src_ports[d->port_idx], true);
    if (fd < 0) {
        return -fd;
    }
    fabric_socket_deafen(fd);
    if (v6) {
        clear_flow_label(fd);
    }
    set_no_csum(fd, config);
    error = fabric_socket_set(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP,
                              v6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER,
                              v6 ? IPV6_PMTUDISC_PROBE : IP_PMTUDISC_PROBE);
    compose_msg(udp, d, &msg, &ss, &control);
    if (!error && sendmsg(fd, &msg, MSG_DONTWAIT) < 0) {
        error = errno;
    }
    close(fd);
    return error;
}

static void
udp_send(struct fabric_uplink *up, struct fabric_datagram *d, size_t n)
{
    struct udp_uplink *udp = udp_uplink_cast(up);
    size_t start = 0;

    for (size_t i = 0; i < n; i++) {
        bool gso;

        atomic_read_relaxed(&udp->gso, &gso);
        if (d[i].whole
            || (!gso && d[i].gso_size && d[i].size > d[i].gso_size)) {
            if (i > start) {
                udp_send_burst(udp, &d[start], i - start);
            }
            d[i].error = (d[i].whole ? send_whole(udp, &d[i])
                          : fabric_datagram_send_singly(&d[i], send_one,
                                                        udp));
            start = i + 1;
        } else if (i + 1 == n || d[i + 1].port_idx != d[i].port_idx
                   || i + 1 - start == SEND_BURST) {
            udp_send_burst(udp, &d[start], i + 1 - start);
            start = i + 1;
        }
    }
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

static size_t
udp_recv(struct fabric_uplink *up, struct fabric_rx *rx)
{
    struct udp_uplink *udp = udp_uplink_cast(up);

    return receive(udp->data_fd, udp->rx_bufs, RX_BUF_SIZE, FABRIC_RX_BURST,
                   rx, &udp->rx_lost);
}

static void
udp_recv_wait(struct fabric_uplink *up)
{
    poll_fd_wait(udp_uplink_cast(up)->data_fd, POLLIN);
}

static size_t
udp_recv_probe(struct fabric_uplink *up, struct fabric_rx *rx)
{
    struct udp_uplink *udp = udp_uplink_cast(up);

    return (udp->probe_fd >= 0
            ? receive(udp->probe_fd, udp->probe_bufs, PROBE_BUF_SIZE,
                      FABRIC_RX_PROBE_BURST, rx, &udp->probe_lost)
            : 0);
}

static void
udp_recv_probe_wait(struct fabric_uplink *up)
{
    struct udp_uplink *udp = udp_uplink_cast(up);

    if (udp->probe_fd >= 0) {
        poll_fd_wait(udp->probe_fd, POLLIN);
    }
}

static int
udp_open_ear(struct fabric_uplink *up, unsigned int i,
             const struct in6_addr *remote_ip, bool keep_mtu)
{
    int fd = fabric_ear_open(&up->config.local_ip, up->src_ports[i], remote_ip,
                             up->config.dst_port, keep_mtu);

    if (fd >= 0) {
        set_no_csum(fd, &up->config);
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
sockaddr_is(const struct sockaddr *sa, const struct in6_addr *ip)
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
        if (sockaddr_is(ifa->ifa_addr, &up->config.local_ip)) {
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
    .open = udp_open,
    .add_port = udp_add_port,
    .destroy = udp_destroy,
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
