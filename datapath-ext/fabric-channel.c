/* SPDX-License-Identifier: Apache-2.0 */

/* A packet is read in pieces: the virtio header, ours, as much as a packet of
 * usual size takes, and the rest.  Only a super-frame has a rest,
 * for which a buffer of full size waits with room in front, so that its
 * beginning, rather than all of it, is copied. */

#include <config.h>

#include "fabric-channel.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "coverage.h"
#include "dp-packet.h"
#include "fabric-kern-abi.h"
#include "fabric-kern-tc.h"
#include "fabric-vnet.h"
#include "flow.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "socket-util.h"
#include "tc.h"
#include "userspace-tso.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(fabric_channel);

COVERAGE_DEFINE(fabric_channel_recv);
COVERAGE_DEFINE(fabric_channel_bad);

/* The programs keep to what ports may have waiting, so it is never full. */
#define QUEUE_LEN FABRIC_KERN_CHANNEL_UNITS

/* How often a tap that cannot be read is tried again, in ms. */
#define BROKEN_INTERVAL 100

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(6, 6);

#define FIRST_SIZE 2048
#define HEADROOM 128
#define MAX_PACKET 65535

static int fd = -1;
static uint32_t tap_ifindex;
static int tap_mtu;                     /* As it was set up. */
static bool broken;                     /* Has reading failed? */
static struct dp_packet *rest;          /* Waits for a super-frame. */

static int
set_up(int sock, struct ifreq *ifr)
{
    ifr->ifr_qlen = QUEUE_LEN;
    if (ioctl(sock, SIOCSIFTXQLEN, ifr)) {
        return errno;
    }
    /* The programs' header comes on top of it. */
    ifr->ifr_mtu = MAX_PACKET - ETH_HEADER_LEN;
    if (ioctl(sock, SIOCSIFMTU, ifr)) {
        VLOG_INFO("jumbo frames may not reach userspace (%s)",
                  ovs_strerror(errno));
    }
    if (!ioctl(sock, SIOCGIFMTU, ifr)) {
        tap_mtu = ifr->ifr_mtu;
    }
    ifr->ifr_flags = IFF_UP | IFF_NOARP;
    return ioctl(sock, SIOCSIFFLAGS, ifr) ? errno : 0;
}

int
fabric_channel_open(void)
{
    struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
    unsigned int offload
        = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
    int error = 0;
    int sock;

    if (fd >= 0) {
        return 0;
    }
    broken = false;
    fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    ovs_strlcpy(ifr.ifr_name, "weft%d", sizeof ifr.ifr_name);
    if (ioctl(fd, TUNSETIFF, &ifr)
        || ioctl(fd, TUNSETOFFLOAD, userspace_tso_enabled() ? offload : 0)) {
        error = errno;
    }
    sock = error ? -1 : socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (sock >= 0) {
        error = set_up(sock, &ifr);
        close(sock);
    }
    tap_ifindex = error ? 0 : if_nametoindex(ifr.ifr_name);
    if (!tap_ifindex) {
        close(fd);
        fd = -1;
        return error ? error : ENODEV;
    }
    return 0;
}

void
fabric_channel_close(void)
{
    if (fd >= 0) {
        close(fd);
        fd = -1;
        tap_ifindex = 0;
        dp_packet_delete(rest);
        rest = NULL;
    }
}

/* Mending. */

/* Returns true if the tap is still where packets are sent to, and stores its
 * name in 'ifr'.  It may have been deleted, or moved to another namespace. */
static bool
is_there(struct ifreq *ifr)
{
    char name[IFNAMSIZ];

    return (!broken && !ioctl(fd, TUNGETIFF, ifr)
            && if_indextoname(tap_ifindex, name)
            && !strcmp(name, ifr->ifr_name));
}

/* Removes a queueing discipline that somebody has put at the tap's root.
 * Returns true if there was one. */
static bool
remove_qdisc(void)
{
    struct fabric_kern_tc_set set = FABRIC_KERN_TC_SET_INITIALIZER;
    struct ofpbuf request;
    struct tcmsg *tc;
    bool found;

    fabric_kern_tc_find_qdiscs(&set);
    found = fabric_kern_tc_set_contains(&set, tap_ifindex);
    fabric_kern_tc_set_destroy(&set);
    if (found) {
        tc = tc_make_request(tap_ifindex, RTM_DELQDISC, 0, &request);
        tc->tcm_parent = TC_H_ROOT;
        tc_transact(&request, NULL);
    }
    return found;
}

/* Puts the settings of the tap named in 'ifr' back.  Returns 0 or a positive
 * errno. */
static int
restore(struct ifreq *ifr)
{
    int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const char *what = NULL;
    struct ifreq now = *ifr;
    int error = 0;

    if (sock < 0) {
        return errno;
    }
    if (ioctl(sock, SIOCGIFFLAGS, &now)) {
        error = errno;
    } else if (!(now.ifr_flags & IFF_UP)) {
        what = "down";
    } else if (!ioctl(sock, SIOCGIFMTU, &now) && now.ifr_mtu != tap_mtu) {
        what = "MTU";
    }
    if (!error && (what || remove_qdisc())) {
        VLOG_WARN_RL(&rl, "%s: somebody has changed this interface of ours "
                     "(%s), changing it back", ifr->ifr_name,
                     what ? what : "queueing discipline");
        error = what ? set_up(sock, ifr) : 0;
    }
    close(sock);
    return error;
}

int
fabric_channel_mend(void)
{
    struct ifreq ifr = { .ifr_flags = 0 };
    int error;

    if (fd < 0) {
        return 0;
    }
    if (is_there(&ifr)) {
        error = restore(&ifr);
        if (!error) {
            return 0;
        }
    }
    fabric_channel_close();
    error = fabric_channel_open();
    if (error) {
        VLOG_WARN_RL(&rl, "the interface by which the kernel hands packets to "
                     "userspace is gone, and there is no other (%s)",
                     ovs_strerror(error));
    } else {
        VLOG_WARN_RL(&rl, "the interface by which the kernel hands packets to "
                     "userspace is gone, using another one");
    }
    return error;
}

bool
fabric_channel_is_broken(void)
{
    return broken;
}

uint32_t
fabric_channel_ifindex(void)
{
    return tap_ifindex;
}

static struct dp_packet *
finish(struct dp_packet *packet, const struct virtio_net_hdr *vnet,
       const struct fabric_kern_meta *meta, uint32_t *ifindex)
{
    if (meta->magic != FABRIC_KERN_META_MAGIC
        || dp_packet_size(packet) < ETH_HEADER_LEN
        || !fabric_vnet_parse(packet, vnet, sizeof *meta)) {
        COVERAGE_INC(fabric_channel_bad);
        dp_packet_delete(packet);
        return NULL;
    }
    *ifindex = meta->ifindex;
    if (meta->vlan_tci) {
        eth_push_vlan(packet, (OVS_FORCE ovs_be16) meta->vlan_tpid,
                      htons(meta->vlan_tci & ~VLAN_CFI));
    }
    return packet;
}

struct dp_packet *
fabric_channel_recv(uint32_t *ifindex, uint32_t *position)
{
    while (fd >= 0) {
        struct dp_packet *first
            = dp_packet_new_with_headroom(FIRST_SIZE, HEADROOM);
        struct dp_packet *packet;
        struct virtio_net_hdr vnet;
        struct fabric_kern_meta meta;
        struct iovec iov[4];
        ssize_t n;

        if (!rest) {
            rest = dp_packet_new_with_headroom(MAX_PACKET - FIRST_SIZE
                                               - HEADROOM,
                                               HEADROOM + FIRST_SIZE);
        }
        iov[0] = (struct iovec) { &vnet, sizeof vnet };
        iov[1] = (struct iovec) { &meta, sizeof meta };
        iov[2] = (struct iovec) { dp_packet_data(first), FIRST_SIZE };
        iov[3] = (struct iovec) { dp_packet_data(rest),
                                  dp_packet_tailroom(rest) };
        do {
            n = readv(fd, iov, ARRAY_SIZE(iov));
        } while (n < 0 && errno == EINTR);
        if (n < 0) {
            broken = errno != EAGAIN;
            dp_packet_delete(first);
            return NULL;
        }

        COVERAGE_INC(fabric_channel_recv);
        n -= sizeof vnet + sizeof meta;
        if (n > FIRST_SIZE) {
            packet = rest;
            rest = NULL;
            dp_packet_set_size(packet, n - FIRST_SIZE);
            dp_packet_push(packet, dp_packet_data(first), FIRST_SIZE);
            dp_packet_delete(first);
        } else {
            packet = first;
            dp_packet_set_size(packet, MAX(n, 0));
        }
        packet = finish(packet, &vnet, &meta, ifindex);
        if (packet) {
            *position = meta.position;
            return packet;
        }
    }
    return NULL;
}

void
fabric_channel_wait(void)
{
    if (broken) {
        /* It would be ready at once, and for ever. */
        poll_timer_wait(BROKEN_INTERVAL);
    } else if (fd >= 0) {
        poll_fd_wait(fd, POLLIN);
    }
}
