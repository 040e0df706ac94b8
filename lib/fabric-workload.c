/* SPDX-License-Identifier: Apache-2.0 */

/* A packet is received in pieces: the virtio header, as much as a packet of
 * usual size takes, and the rest.  Only a super-frame has a rest, for which a
 * buffer of full size waits with room in front, so that its beginning, rather
 * than all of it, is copied.
 *
 * What has to be cut (fabric-cut.h) may become more packets than the caller
 * takes at once.  The rest, and all that was received behind it, waits in a
 * queue of the port, which exists as long as something does. */

#include <config.h>
#include "fabric-workload.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <sys/socket.h>

#include "coverage.h"
#include "dp-packet.h"
#include "fabric-cut.h"
#include "fabric-hooks.h"
#include "fabric-private.h"
#include "fabric-vnet.h"
#include "netdev-linux-private.h"
#include "netdev-provider.h"
#include "openvswitch/hmap.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "ovs-thread.h"
#include "packets.h"
#include "userspace-tso.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(fabric_workload);

COVERAGE_DEFINE(fabric_workload_bad);
COVERAGE_DEFINE(fabric_workload_long);

/* A default socket holds three TCP super-frames or 90 packets of 1,500 bytes;
 * a sender with a usual congestion window has several times that under way.
 * The kernel doubles this. */
#define RECEIVE_BUFFER (4 * 1024 * 1024)

#define FIRST_SIZE 2048
#define MAX_PACKET 65535
#define BEYOND_SIZE (FABRIC_CUT_MAX_FRAME - MAX_PACKET + HEADROOM)

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
    uint8_t *beyond;            /* What no dp_packet holds, if it comes. */
    struct iovec iov[4];
    union {
        struct cmsghdr align;
        uint8_t buf[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
    } control;
};

/* What a thread receives into. */
struct receiver {
    struct slot slots[NETDEV_MAX_BURST];
    struct mmsghdr msgs[NETDEV_MAX_BURST];
    bool long_frames;           /* True after a frame of over 64 kB. */
};

/* The VLAN tag that the kernel took off, if any. */
struct tag {
    bool present;
    bool has_tpid;
    uint16_t tpid, tci;
};

/* A packet that was received, and what the kernel says of it. */
struct received {
    struct dp_packet *packet;   /* NULL if it is a long one: */
    uint8_t *data;
    size_t size;
    struct virtio_net_hdr vnet;
    struct tag tag;
};

/* What a port has received, but not handed out yet. */
struct pending {
    struct hmap_node node;      /* In 'pendings'. */
    struct netdev_rxq *rxq;
    struct received queue[NETDEV_MAX_BURST];
    size_t head, n;
    struct fabric_cut cut;      /* Of a packet that was in the queue, with */
    struct tag tag;             /* this tag. */
};

static struct ovs_mutex mutex = OVS_MUTEX_INITIALIZER;
static struct hmap pendings OVS_GUARDED_BY(mutex)
    = HMAP_INITIALIZER(&pendings);

/* Their number: most often none, which every thread sees soon enough of what
 * it has done itself. */
static atomic_size_t n_pendings = 0;

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
    if (r->long_frames && !s->beyond) {
        s->beyond = xmalloc(BEYOND_SIZE);
    }
    s->iov[0] = (struct iovec) { &s->vnet, sizeof s->vnet };
    s->iov[1] = (struct iovec) { dp_packet_data(s->first), FIRST_SIZE };
    s->iov[2] = (struct iovec) { dp_packet_data(s->rest),
                                 dp_packet_tailroom(s->rest) };
    s->iov[3] = (struct iovec) { s->beyond, BEYOND_SIZE };
    r->msgs[i].msg_hdr = (struct msghdr) {
        .msg_iov = s->iov, .msg_iovlen = s->beyond ? 4 : 3,
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
        free(r->slots[i].beyond);
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

/* Makes room for the super-frames of workloads whose kernels make longer ones
 * than an IP packet, of which one was truncated. */
static void
receiver_grow(struct receiver *r)
{
    r->long_frames = true;
    for (size_t i = 0; i < ARRAY_SIZE(r->slots); i++) {
        arm_slot(r, i);
    }
}

/* Copies the 'size' bytes in 's', more than a dp_packet holds, to memory of
 * their own. */
static uint8_t *
copy_long(const struct slot *s, size_t size)
{
    uint8_t *data = xmalloc(size);
    size_t n = 0;

    for (int i = 1; i < 4 && n < size; i++) {
        size_t len = MIN(s->iov[i].iov_len, size - n);

        memcpy(data + n, s->iov[i].iov_base, len);
        n += len;
    }
    return data;
}

static struct tag
get_tag(struct msghdr *msg)
{
    for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg); cmsg;
         cmsg = CMSG_NXTHDR(msg, cmsg)) {
        struct tpacket_auxdata aux;

        if (cmsg->cmsg_level != SOL_PACKET
            || cmsg->cmsg_type != PACKET_AUXDATA
            || cmsg->cmsg_len < CMSG_LEN(sizeof aux)) {
            continue;
        }
        memcpy(&aux, CMSG_DATA(cmsg), sizeof aux);
        if (aux.tp_vlan_tci || aux.tp_status & TP_STATUS_VLAN_VALID) {
            return (struct tag) {
                .present = true,
                .has_tpid = aux.tp_status & TP_STATUS_VLAN_TPID_VALID,
                .tpid = aux.tp_vlan_tpid,
                .tci = aux.tp_vlan_tci,
            };
        }
    }
    return (struct tag) { .present = false };
}

/* Puts the VLAN tag back that the kernel took off. */
static void
restore_tag(struct dp_packet *packet, const struct tag *tag)
{
    if (tag->present) {
        const struct eth_header *eth = dp_packet_data(packet);
        bool tagged = eth->eth_type == htons(ETH_TYPE_VLAN_8021Q);

        eth_push_vlan(packet, htons(tag->has_tpid ? tag->tpid
                                    : tagged ? ETH_TYPE_VLAN_8021AD
                                    : ETH_TYPE_VLAN_8021Q),
                      htons(tag->tci));
    }
}

/* Takes the packet, of 'size' bytes with the virtio header, out of 's'.
 * Returns false if it has to be dropped. */
static bool
take_packet(struct slot *s, struct msghdr *msg, size_t size,
            struct received *r)
{
    r->packet = s->first;
    if (msg->msg_flags & MSG_TRUNC || size < sizeof s->vnet + ETH_HEADER_LEN) {
        return false;
    }
    size -= sizeof s->vnet;
    if (size > FIRST_SIZE + s->iov[2].iov_len) {
        r->packet = NULL;
        r->data = copy_long(s, size);
        r->size = size;
    } else if (size > FIRST_SIZE) {
        r->packet = s->rest;
        s->rest = NULL;
        dp_packet_set_size(r->packet, size - FIRST_SIZE);
        dp_packet_push(r->packet, dp_packet_data(s->first), FIRST_SIZE);
    } else {
        s->first = NULL;
        dp_packet_set_size(r->packet, size);
    }
    r->vnet = s->vnet;
    r->tag = get_tag(msg);
    return true;
}

static void
count_bad(struct netdev_rxq *rxq)
{
    COVERAGE_INC(fabric_workload_bad);
    netdev_linux_cast(rxq->netdev)->rx_dropped++;
}

static bool
has_to_be_cut(const struct received *r)
{
    return (r->packet
            ? fabric_cut_is_needed(dp_packet_data(r->packet),
                                   dp_packet_size(r->packet), &r->vnet)
            : fabric_cut_is_needed(r->data, r->size, &r->vnet));
}

/* Starts to cut 'r', which has to be. */
static bool
start_to_cut(struct fabric_cut *cut, struct received *r)
{
    if (r->packet) {
        r->size = dp_packet_size(r->packet);
        r->data = xmemdup(dp_packet_data(r->packet), r->size);
        dp_packet_delete(r->packet);
    }
    return fabric_cut_start(cut, r->data, r->size, &r->vnet);
}

/* Hands 'r', which is whole, out. */
static void
put_whole(struct netdev_rxq *rxq, struct received *r,
          struct dp_packet_batch *batch)
{
    if (!r->packet) {
        free(r->data);
        count_bad(rxq);
    } else if (fabric_vnet_parse(r->packet, &r->vnet, 0)) {
        restore_tag(r->packet, &r->tag);
        dp_packet_batch_add(batch, r->packet);
    } else {
        dp_packet_delete(r->packet);
        count_bad(rxq);
    }
}

/* Pending packets. */

static struct pending *
find_pending(const struct netdev_rxq *rxq)
{
    struct pending *p, *found = NULL;
    size_t n;

    atomic_read_relaxed(&n_pendings, &n);
    if (OVS_LIKELY(!n)) {
        return NULL;
    }
    ovs_mutex_lock(&mutex);
    HMAP_FOR_EACH_WITH_HASH (p, node, hash_pointer(rxq, 0), &pendings) {
        if (p->rxq == rxq) {
            found = p;
            break;
        }
    }
    ovs_mutex_unlock(&mutex);
    return found;
}

static struct pending *
add_pending(struct netdev_rxq *rxq)
{
    struct pending *p = xzalloc(sizeof *p);

    p->rxq = rxq;
    ovs_mutex_lock(&mutex);
    hmap_insert(&pendings, &p->node, hash_pointer(rxq, 0));
    atomic_store_relaxed(&n_pendings, hmap_count(&pendings));
    ovs_mutex_unlock(&mutex);
    return p;
}

static void
destroy_pending(struct pending *p)
{
    ovs_mutex_lock(&mutex);
    hmap_remove(&pendings, &p->node);
    atomic_store_relaxed(&n_pendings, hmap_count(&pendings));
    ovs_mutex_unlock(&mutex);

    fabric_cut_stop(&p->cut);
    for (; p->n; p->n--) {
        struct received *r = &p->queue[p->head++];

        dp_packet_delete(r->packet);
        if (!r->packet) {
            free(r->data);
        }
    }
    free(p);
}

/* Fills 'batch' from 'p', which ends with its last packet. */
static void
take_pending(struct pending *p, struct dp_packet_batch *batch)
{
    while (dp_packet_batch_size(batch) < NETDEV_MAX_BURST) {
        struct dp_packet *piece = fabric_cut_next(&p->cut);
        struct received *r;

        if (piece) {
            restore_tag(piece, &p->tag);
            dp_packet_batch_add(batch, piece);
            continue;
        }
        if (!p->n) {
            destroy_pending(p);
            return;
        }
        r = &p->queue[p->head++];
        p->n--;
        if (!has_to_be_cut(r)) {
            put_whole(p->rxq, r, batch);
        } else if (start_to_cut(&p->cut, r)) {
            p->tag = r->tag;
        } else {
            count_bad(p->rxq);
        }
    }
}

/* Hands the 'n' packets in 'r' out, or has some wait. */
static void
take_received(struct netdev_rxq *rxq, struct receiver *r, size_t n,
              struct dp_packet_batch *batch)
{
    struct pending *p = NULL;
    bool grow = false;

    for (size_t i = 0; i < n; i++) {
        struct msghdr *msg = &r->msgs[i].msg_hdr;
        struct received received;

        if (!take_packet(&r->slots[i], msg, r->msgs[i].msg_len, &received)) {
            grow |= msg->msg_flags & MSG_TRUNC;
            count_bad(rxq);
        } else if (!p && !has_to_be_cut(&received)) {
            put_whole(rxq, &received, batch);
        } else {
            if (!p) {
                p = add_pending(rxq);
            }
            p->queue[p->n++] = received;
        }
        arm_slot(r, i);
    }
    if (p) {
        take_pending(p, batch);
    }
    if (grow && !r->long_frames) {
        COVERAGE_INC(fabric_workload_long);
        receiver_grow(r);
    }
}

static bool
is_ours(const struct netdev_rxq *rxq)
{
    return (!netdev_rxq_linux_cast(rxq)->is_tap && userspace_tso_enabled()
            && !cmap_is_empty(&fabrics_by_name));
}

/* netdev-linux's own filter cuts what it lets pass to 65,535 bytes, and nobody
 * tells; this one lets all of it pass. */
int
fabric_workload_construct(struct netdev_rxq *rxq)
{
    static struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, SKF_AD_OFF + SKF_AD_PKTTYPE),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
    };
    static const struct sock_fprog prog = { ARRAY_SIZE(filter), filter };
    int error = netdev_linux_class.rxq_construct(rxq);

    if (!error && !netdev_rxq_linux_cast(rxq)->is_tap) {
        setsockopt(netdev_rxq_linux_cast(rxq)->fd, SOL_SOCKET,
                   SO_ATTACH_FILTER, &prog, sizeof prog);
    }
    return error;
}

int
fabric_workload_recv(struct netdev_rxq *rxq, struct dp_packet_batch *batch,
                     int *qfill)
{
    struct pending *p = find_pending(rxq);
    struct receiver *r;
    int n;

    if (p) {
        dp_packet_batch_init(batch);
        take_pending(p, batch);
        if (qfill) {
            *qfill = -ENOTSUP;
        }
        return dp_packet_batch_is_empty(batch) ? EAGAIN : 0;
    }
    if (!is_ours(rxq)) {
        return netdev_linux_class.rxq_recv(rxq, batch, qfill);
    }

    r = receiver_get();
    do {
        n = recvmmsg(netdev_rxq_linux_cast(rxq)->fd, r->msgs,
                     NETDEV_MAX_BURST, MSG_TRUNC, NULL);
    } while (n < 0 && errno == EINTR);
    if (qfill) {
        *qfill = -ENOTSUP;
    }
    if (n < 0) {
        return errno;
    }

    dp_packet_batch_init(batch);
    take_received(rxq, r, n, batch);
    return 0;
}

void
fabric_workload_wait(struct netdev_rxq *rxq)
{
    if (find_pending(rxq)) {
        poll_immediate_wake();
    } else {
        netdev_linux_class.rxq_wait(rxq);
    }
}

static void
forget(const struct netdev_rxq *rxq)
{
    struct pending *p = find_pending(rxq);

    if (p) {
        destroy_pending(p);
    }
}

int
fabric_workload_drain(struct netdev_rxq *rxq)
{
    forget(rxq);
    return netdev_linux_class.rxq_drain(rxq);
}

void
fabric_workload_destruct(struct netdev_rxq *rxq)
{
    forget(rxq);
    netdev_linux_class.rxq_destruct(rxq);
}
