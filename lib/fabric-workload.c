/* SPDX-License-Identifier: Apache-2.0 */

/* A packet is received in pieces: the virtio header, as much as a packet of
 * usual size takes, and the rest.  Only a super-frame has a rest, for which a
 * buffer of full size waits with room in front, so that its beginning, rather
 * than all of it, is copied. */

#include <config.h>
#include "fabric-workload.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <sys/socket.h>

#include "coverage.h"
#include "dp-packet.h"
#include "fabric-hooks.h"
#include "fabric-private.h"
#include "fabric-vnet.h"
#include "netdev-linux-private.h"
#include "netdev-provider.h"
#include "openvswitch/vlog.h"
#include "ovs-thread.h"
#include "packets.h"
#include "userspace-tso.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(fabric_workload);

COVERAGE_DEFINE(fabric_workload_bad);

/* A default socket holds three TCP super-frames or 90 packets of 1,500 bytes;
 * a sender with a usual congestion window has several times that under way.
 * The kernel doubles this. */
#define RECEIVE_BUFFER (4 * 1024 * 1024)

#define FIRST_SIZE 2048
#define MAX_PACKET 65535

/* For what output pushes; the odd 2 align the IP header. */
#define HEADROOM (128 + 2)

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

void
fabric_workload_socket_opened(int fd)
{
    int size = RECEIVE_BUFFER;
    int one = 1;

    if (!userspace_tso_enabled() && cmap_is_empty(&fabrics_by_name)) {
        return;
    }

    /* Forcing takes a privilege; otherwise as much as the host allows. */
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size)
        && setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size)) {
        VLOG_WARN("workload port keeps its small receive buffer (%s)",
                  ovs_strerror(errno));
    }

    /* netdev-linux's filter throws the clones away that the socket gets of
     * what is sent to the workload.  Linux 4.20+ need not make them. */
    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one);
}

struct slot {
    struct virtio_net_hdr vnet;
    struct dp_packet *first, *rest;
    struct iovec iov[3];
    union {
        struct cmsghdr align;
        uint8_t buf[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
    } control;
};

/* What a thread receives into. */
struct receiver {
    struct slot slots[NETDEV_MAX_BURST];
    struct mmsghdr msgs[NETDEV_MAX_BURST];
};

/* Makes slot 'i' ready to receive into. */
static void
arm_slot(struct receiver *r, size_t i)
{
    struct slot *s = &r->slots[i];

    if (!s->first) {
        s->first = dp_packet_new_with_headroom(FIRST_SIZE, HEADROOM);
    }
    if (!s->rest) {
        s->rest = dp_packet_new_with_headroom(
            MAX_PACKET - FIRST_SIZE - HEADROOM, HEADROOM + FIRST_SIZE);
    }
    s->iov[0] = (struct iovec) { &s->vnet, sizeof s->vnet };
    s->iov[1] = (struct iovec) { dp_packet_data(s->first), FIRST_SIZE };
    s->iov[2] = (struct iovec) { dp_packet_data(s->rest),
                                 dp_packet_tailroom(s->rest) };
    r->msgs[i].msg_hdr = (struct msghdr) {
        .msg_iov = s->iov, .msg_iovlen = ARRAY_SIZE(s->iov),
        .msg_control = &s->control, .msg_controllen = sizeof s->control,
    };
}

static void
receiver_free(void *r_)
{
    struct receiver *r = r_;

    for (size_t i = 0; i < ARRAY_SIZE(r->slots); i++) {
        dp_packet_delete(r->slots[i].first);
        dp_packet_delete(r->slots[i].rest);
    }
    free(r);
}

static struct receiver *
receiver_get(void)
{
    static struct ovsthread_once once = OVSTHREAD_ONCE_INITIALIZER;
    static ovsthread_key_t key;
    struct receiver *r;

    if (ovsthread_once_start(&once)) {
        ovsthread_key_create(&key, receiver_free);
        ovsthread_once_done(&once);
    }
    r = ovsthread_getspecific(key);
    if (!r) {
        r = xzalloc(sizeof *r);
        for (size_t i = 0; i < ARRAY_SIZE(r->slots); i++) {
            arm_slot(r, i);
        }
        ovsthread_setspecific(key, r);
    }
    return r;
}

/* Puts the VLAN tag back that the kernel took off. */
static void
restore_tag(struct dp_packet *packet, struct msghdr *msg)
{
    for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg); cmsg;
         cmsg = CMSG_NXTHDR(msg, cmsg)) {
        const struct eth_header *eth = dp_packet_data(packet);
        bool tagged = eth->eth_type == htons(ETH_TYPE_VLAN_8021Q);
        struct tpacket_auxdata aux;

        if (cmsg->cmsg_level != SOL_PACKET
            || cmsg->cmsg_type != PACKET_AUXDATA
            || cmsg->cmsg_len < CMSG_LEN(sizeof aux)) {
            continue;
        }
        memcpy(&aux, CMSG_DATA(cmsg), sizeof aux);
        if (aux.tp_vlan_tci || aux.tp_status & TP_STATUS_VLAN_VALID) {
            eth_push_vlan(packet,
                          htons(aux.tp_status & TP_STATUS_VLAN_TPID_VALID
                                ? aux.tp_vlan_tpid
                                : tagged ? ETH_TYPE_VLAN_8021AD
                                : ETH_TYPE_VLAN_8021Q),
                          htons(aux.tp_vlan_tci));
            return;
        }
    }
}

/* Takes the packet, of 'size' bytes with the virtio header, out of 's'.
 * Returns NULL if it has to be dropped. */
static struct dp_packet *
take_packet(struct slot *s, struct msghdr *msg, size_t size)
{
    struct dp_packet *packet = s->first;

    if (msg->msg_flags & MSG_TRUNC || size < sizeof s->vnet + ETH_HEADER_LEN) {
        return NULL;
    }
    size -= sizeof s->vnet;
    if (size > FIRST_SIZE) {
        packet = s->rest;
        s->rest = NULL;
        dp_packet_set_size(packet, size - FIRST_SIZE);
        dp_packet_push(packet, dp_packet_data(s->first), FIRST_SIZE);
    } else {
        s->first = NULL;
        dp_packet_set_size(packet, size);
    }
    if (!fabric_vnet_parse(packet, &s->vnet, 0)) {
        dp_packet_delete(packet);
        return NULL;
    }
    restore_tag(packet, msg);
    return packet;
}

int
fabric_workload_recv(struct netdev_rxq *rxq, struct dp_packet_batch *batch,
                     int *qfill)
{
    struct netdev_rxq_linux *rx = netdev_rxq_linux_cast(rxq);
    struct receiver *r;
    int n;

    if (rx->is_tap || !userspace_tso_enabled()
        || cmap_is_empty(&fabrics_by_name)) {
        return netdev_linux_class.rxq_recv(rxq, batch, qfill);
    }

    r = receiver_get();
    do {
        n = recvmmsg(rx->fd, r->msgs, NETDEV_MAX_BURST, MSG_TRUNC, NULL);
    } while (n < 0 && errno == EINTR);
    if (qfill) {
        *qfill = -ENOTSUP;
    }
    if (n < 0) {
        return errno;
    }

    dp_packet_batch_init(batch);
    for (size_t i = 0; i < n; i++) {
        struct dp_packet *packet = take_packet(
            &r->slots[i], &r->msgs[i].msg_hdr, r->msgs[i].msg_len);

        if (packet) {
            dp_packet_batch_add(batch, packet);
        } else {
            COVERAGE_INC(fabric_workload_bad);
            netdev_linux_cast(rxq->netdev)->rx_dropped++;
        }
        arm_slot(r, i);
    }
    return 0;
}
