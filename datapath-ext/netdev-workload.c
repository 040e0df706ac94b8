/* SPDX-License-Identifier: Apache-2.0 */

/* Received packets.  The channel is read once in each round of polling, by the
 * first port that has nothing, and what is found is handed out; a round ends
 * when that port is polled again.  Thus polling costs the same for one port
 * and for a thousand, and whoever has little waits for a burst of each other
 * port, rather than for all that they have (fabric-share.h).
 *
 * Interfaces whose ingress is policed keep their packet socket: tc(8) gives
 * each packet to the police and to us at once.  So do interfaces with an
 * address, by which the host itself communicates: a packet socket gets copies,
 * but the program takes the packets. */

#include <config.h>

#include "netdev-workload.h"

#include <errno.h>
#include "dp-packet.h"
#include "fabric-channel.h"
#include "fabric-hooks.h"
#include "fabric-identity.h"
#include "fabric-kern-flows.h"
#include "fabric-kern-sync.h"
#include "fabric-kern.h"
#include "fabric-port-watch.h"
#include "fabric-private.h"
#include "fabric-share.h"
#include "fabric-workload.h"
#include "netdev-provider.h"
#include "odp-util.h"
#include "openvswitch/hmap.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "ovs-thread.h"
#include "packets.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(netdev_workload);

/* Packets read from the channel in a round. */
#define MAX_READ 512

/* How often shares are settled at most, in ms. */
#define SETTLE_INTERVAL 100

/* A port of dpif-netdev whose netdev is of our class. */
struct workload {
    struct hmap_node node;              /* In 'workloads', by netdev. */
    struct hmap_node ifindex_node;      /* In 'by_ifindex' if ifindex. */
    struct hmap_node port_node;         /* In 'by_port' if it has one. */
    struct netdev *netdev;
    odp_port_t port;                    /* ODPP_NONE before it has one. */
    uint32_t ifindex;                   /* Nonzero if through the channel. */
    uint32_t id;                        /* Identity, if the kernel knows that
                                         * interface as that port; or 0. */
    bool attached;                      /* Is our program there? */
    bool policed;
    struct fabric_share share;          /* Open if ifindex. */
    uint64_t rx_dropped;                /* By former shares. */

    /* What others do there. */
    struct hmap_node rxq_node;          /* In 'by_rxq' if rxq_ifindex. */
    uint32_t rxq_ifindex;               /* That the rxq was made for. */
    struct fabric_port_watch watch;
    struct netdev_rxq_workload *rxq;
};

struct netdev_rxq_workload {
    struct netdev_rxq up;
    struct netdev_rxq *linux_rxq;       /* NULL if through the channel. */
    struct workload *workload;
};

static struct netdev_class workload_class;

static struct ovs_mutex mutex = OVS_MUTEX_INITIALIZER;
static struct hmap workloads OVS_GUARDED_BY(mutex)
    = HMAP_INITIALIZER(&workloads);
static struct hmap by_ifindex OVS_GUARDED_BY(mutex)
    = HMAP_INITIALIZER(&by_ifindex);
static struct hmap by_port OVS_GUARDED_BY(mutex)
    = HMAP_INITIALIZER(&by_port);

static struct hmap by_rxq OVS_GUARDED_BY(mutex)
    = HMAP_INITIALIZER(&by_rxq);

/* True if any port is to be looked at, and if any is gone. */
static bool any_touched OVS_GUARDED_BY(mutex);
static bool any_gone OVS_GUARDED_BY(mutex);
#define LOOK_INTERVAL 50        /* ms. */

/* Main thread: the rxq that has read the channel in this round, or NULL. */
static const struct netdev_rxq *reader;

static struct netdev_rxq_workload *
rxq_cast(const struct netdev_rxq *rxq)
{
    return CONTAINER_OF(rxq, struct netdev_rxq_workload, up);
}

static bool
is_workload(const struct netdev *netdev)
{
    return netdev->netdev_class == &workload_class;
}

static struct workload *
find(const struct netdev *netdev)
    OVS_REQUIRES(mutex)
{
    struct workload *w;

    HMAP_FOR_EACH_WITH_HASH (w, node, hash_pointer(netdev, 0), &workloads) {
        if (w->netdev == netdev) {
            return w;
        }
    }
    return NULL;
}

static struct workload *
find_ifindex(uint32_t ifindex)
    OVS_REQUIRES(mutex)
{
    struct workload *w;

    HMAP_FOR_EACH_WITH_HASH (w, ifindex_node, hash_int(ifindex, 0),
                             &by_ifindex) {
        if (w->ifindex == ifindex) {
            return w;
        }
    }
    return NULL;
}

static struct workload *
find_or_add(struct netdev *netdev)
    OVS_REQUIRES(mutex)
{
    struct workload *w = find(netdev);

    if (!w) {
        w = xzalloc(sizeof *w);
        w->netdev = netdev;
        w->port = ODPP_NONE;
        hmap_insert(&workloads, &w->node, hash_pointer(netdev, 0));
    }
    return w;
}

/* What the kernel should know of a port. */

/* Tells the kernel that 'w' is a port, if it is, and what sending to it takes.
 * Each interface that becomes a port has an identity of its own. */
static void
tell_kernel(struct workload *w)
    OVS_REQUIRES(mutex)
{
    struct fabric_kern_port old = { .id = 0 }, new;

    if (!w->ifindex || w->port == ODPP_NONE) {
        return;
    }
    if (w->id) {
        fabric_kern_get(FABRIC_KERN_PORTS, &w->ifindex, &old);
    } else {
        w->id = fabric_identity_new();
        fabric_kern_put(FABRIC_KERN_DEVICES, &w->id, &w->ifindex);
    }
    new = old;
    new.id = w->id;
    new.share = w->share.slot;
    new.redirect_peer = w->watch.redirect_peer;
    memcpy(new.peer_mac, w->watch.peer.mac, sizeof new.peer_mac);
    /* Writing loses what the kernel counts meanwhile. */
    if (memcmp(&old, &new, sizeof old)) {
        fabric_kern_put(FABRIC_KERN_PORTS, &w->ifindex, &new);
    }
}

/* Makes the kernel neither take packets from 'w' nor send any there. */
static void
untell_kernel(struct workload *w)
    OVS_REQUIRES(mutex)
{
    if (w->id) {
        if (fabric_kern_is_ours()) {
            fabric_kern_del(FABRIC_KERN_PORTS, &w->ifindex);
            fabric_kern_del(FABRIC_KERN_DEVICES, &w->id);
        }
        w->id = 0;
    }
}

static void
set_port(struct workload *w, odp_port_t port)
    OVS_REQUIRES(mutex)
{
    if (port == w->port) {
        return;
    }
    untell_kernel(w);
    if (w->port != ODPP_NONE) {
        hmap_remove(&by_port, &w->port_node);
    }
    w->port = port;
    if (port != ODPP_NONE) {
        hmap_insert(&by_port, &w->port_node, hash_odp_port(port));
    }
}

/* Does the host itself use 'netdev'?  Its stack would see no packets. */
static bool
has_address(const struct netdev *netdev)
{
    struct in6_addr *addrs, *masks;
    bool found = false;
    int n;

    if (netdev_get_addr_list(netdev, &addrs, &masks, &n)) {
        return false;
    }
    for (int i = 0; i < n; i++) {
        found |= !in6_is_lla(&addrs[i]);
    }
    free(addrs);
    free(masks);
    return found;
}

static void
touch(struct workload *w)
    OVS_REQUIRES(mutex)
{
    w->watch.touched = true;
    any_touched = true;
}

/* Notes that the rxq of 'w' is for 'ifindex', 0 if it has none. */
static void
set_rxq_ifindex(struct workload *w, uint32_t ifindex)
    OVS_REQUIRES(mutex)
{
    if (w->rxq_ifindex) {
        hmap_remove(&by_rxq, &w->rxq_node);
    }
    w->rxq_ifindex = ifindex;
    fabric_port_watch_forget(&w->watch);
    if (ifindex) {
        hmap_insert(&by_rxq, &w->rxq_node, hash_int(ifindex, 0));
        touch(w);
    }
}

/* Has 'w' received through the channel, by the interface that its netdev is
 * now.  The program follows in netdev_workload_take_over(). */
static bool
use_channel(struct workload *w)
    OVS_REQUIRES(mutex)
{
    int ifindex = netdev_get_ifindex(w->netdev);

    if (ifindex <= 0 || w->policed || find_ifindex(ifindex)
        || has_address(w->netdev)
        || !fabric_port_watch_may_take(&w->watch, ifindex)
        || !fabric_share_open(&w->share)) {
        return false;
    }
    w->ifindex = ifindex;
    w->attached = false;
    hmap_insert(&by_ifindex, &w->ifindex_node, hash_int(ifindex, 0));
    tell_kernel(w);
    return true;
}

static void
leave_channel(struct workload *w)
    OVS_REQUIRES(mutex)
{
    if (w->ifindex) {
        hmap_remove(&by_ifindex, &w->ifindex_node);
        untell_kernel(w);
        if (fabric_kern_is_ours()) {
            fabric_kern_detach(w->ifindex);
        }
        w->rx_dropped += fabric_share_dropped(&w->share);
        fabric_share_close(&w->share);
        w->ifindex = 0;
        w->attached = false;
    }
}

void
netdev_workload_take_over(void)
{
    bool any = false;
    struct workload *w;

    ovs_mutex_lock(&mutex);
    HMAP_FOR_EACH (w, ifindex_node, &by_ifindex) {
        if (!w->attached && w->port != ODPP_NONE && !w->policed
            && !w->watch.gone && time_msec() >= w->watch.contested) {
            int error = fabric_kern_attach(w->ifindex, FABRIC_KERN_FROM_PORT);

            if (error) {
                static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

                VLOG_WARN_RL(&rl, "%s: cannot attach the fast path (%s)",
                             netdev_get_name(w->netdev), ovs_strerror(error));
            } else {
                w->attached = true;
                any = true;
            }
        }
    }
    ovs_mutex_unlock(&mutex);
    if (any) {
        fabric_kern_flows_check();
    }
}

/* Others. */

void
netdev_workload_touched(uint32_t ifindex)
{
    struct workload *w;
    bool found = false;

    ovs_mutex_lock(&mutex);
    if (ifindex) {
        HMAP_FOR_EACH_WITH_HASH (w, rxq_node, hash_int(ifindex, 0), &by_rxq) {
            if (w->rxq_ifindex == ifindex) {
                touch(w);
                found = true;
            }
        }
    }
    if (!ifindex || (!found && any_gone)) {
        /* It may be one that is back, with another number. */
        HMAP_FOR_EACH (w, rxq_node, &by_rxq) {
            if (!ifindex || w->watch.gone) {
                touch(w);
            }
        }
    }
    ovs_mutex_unlock(&mutex);
}

void
netdev_workload_peer_touched(uint32_t nsid, uint32_t ifindex)
{
    struct workload *w;

    ovs_mutex_lock(&mutex);
    HMAP_FOR_EACH (w, ifindex_node, &by_ifindex) {
        if (w->watch.peer.ifindex == ifindex && w->watch.peer.nsid == nsid) {
            touch(w);
        }
    }
    ovs_mutex_unlock(&mutex);
}

/* Looks at 'w'.  Returns true if flows are concerned. */
static bool
look_at(struct workload *w)
    OVS_REQUIRES(mutex)
{
    int result = fabric_port_watch_look(&w->watch, netdev_get_name(w->netdev),
                                        w->rxq_ifindex, w->ifindex != 0,
                                        w->attached);

    if (result & FABRIC_PORT_WATCH_LOST) {
        w->attached = false;
    }
    if (result & FABRIC_PORT_WATCH_RECONFIGURE) {
        netdev_request_reconfigure(w->netdev);
    }
    tell_kernel(w);
    return result & FABRIC_PORT_WATCH_FLOWS;
}

void
netdev_workload_run(void)
{
    bool changed = false, left = false;
    struct workload *w;

    ovs_mutex_lock(&mutex);
    if (any_touched) {
        fabric_port_watch_begin();
        any_gone = false;
        HMAP_FOR_EACH (w, rxq_node, &by_rxq) {
            if (w->watch.touched && time_msec() >= w->watch.next_look) {
                changed |= look_at(w);
            }
            left |= w->watch.touched;
            any_gone |= w->watch.gone;
        }
        any_touched = left;
    }
    ovs_mutex_unlock(&mutex);
    if (changed) {
        fabric_kern_flows_check();
    }
}

void
netdev_workload_wait(void)
{
    ovs_mutex_lock(&mutex);
    if (any_touched) {
        poll_timer_wait(LOOK_INTERVAL);
    }
    ovs_mutex_unlock(&mutex);
}

void
netdev_workload_switch(void)
{
    struct workload *w;

    ovs_mutex_lock(&mutex);
    HMAP_FOR_EACH (w, node, &workloads) {
        if (w->port != ODPP_NONE) {
            netdev_request_reconfigure(w->netdev);
        }
    }
    ovs_mutex_unlock(&mutex);
}

bool
netdev_workload_has_ifindex(int ifindex)
{
    bool has;

    ovs_mutex_lock(&mutex);
    has = find_ifindex(ifindex) != NULL;
    ovs_mutex_unlock(&mutex);
    return has;
}

bool
netdev_workload_get_id(odp_port_t port, bool output, uint32_t *id)
{
    struct workload *w;
    bool found = false;

    ovs_mutex_lock(&mutex);
    HMAP_FOR_EACH_WITH_HASH (w, port_node, hash_odp_port(port), &by_port) {
        if (w->port == port && w->attached && w->id
            && !(output && w->watch.no_output)) {
            *id = w->id;
            found = true;
            break;
        }
    }
    ovs_mutex_unlock(&mutex);
    return found;
}

/* Returns the fabric that 'netdev' is the port of, or NULL. */
static struct fabric *
fabric_of(const struct netdev *netdev)
{
    return (!strcmp(netdev_get_type(netdev), "fabric")
            ? fabric_registry_lookup(netdev_get_name(netdev)) : NULL);
}

void
fabric_kern_port_added(struct netdev *netdev, odp_port_t port)
{
    struct fabric *f;

    if (is_workload(netdev)) {
        ovs_mutex_lock(&mutex);
        struct workload *w = find_or_add(netdev);

        set_port(w, port);
        tell_kernel(w);
        ovs_mutex_unlock(&mutex);
        return;
    }
    f = fabric_of(netdev);
    if (f) {
        fabric_set_odp_port(f, port);
    }
}

/* When this returns no flow names the port's number any longer. */
void
fabric_kern_port_removed(struct netdev *netdev)
{
    struct fabric *f;

    if (is_workload(netdev)) {
        bool was_known = false;
        struct workload *w;

        ovs_mutex_lock(&mutex);
        w = find(netdev);
        if (w) {
            was_known = w->id != 0;
            set_port(w, ODPP_NONE);
        }
        ovs_mutex_unlock(&mutex);
        if (was_known && fabric_kern_is_ours()) {
            fabric_kern_flows_check();
        }
        return;
    }
    f = fabric_of(netdev);
    if (f) {
        fabric_set_odp_port(f, ODPP_NONE);
        fabric_kern_fabric_port_removed();
    }
}

/* The netdev class. */

static void
workload_destruct(struct netdev *netdev)
{
    struct workload *w;

    ovs_mutex_lock(&mutex);
    w = find(netdev);
    if (w) {
        leave_channel(w);
        set_rxq_ifindex(w, 0);
        set_port(w, ODPP_NONE);
        hmap_remove(&workloads, &w->node);
        free(w);
    }
    ovs_mutex_unlock(&mutex);
    netdev_linux_class.destruct(netdev);
}

/* What changes is how rxqs are constructed, which follows. */
static int
workload_reconfigure(struct netdev *netdev OVS_UNUSED)
{
    return 0;
}

static int
workload_set_policing(struct netdev *netdev, uint32_t rate, uint32_t burst,
                      uint32_t kpkts_rate, uint32_t kpkts_burst)
{
    bool policed = rate || kpkts_rate;
    struct workload *w;
    int error;

    ovs_mutex_lock(&mutex);
    w = find_or_add(netdev);
    if (policed && w->attached && fabric_kern_is_ours()) {
        /* The police wants a queueing discipline in the place of ours. */
        fabric_kern_detach(w->ifindex);
        w->attached = false;
    }
    ovs_mutex_unlock(&mutex);

    error = netdev_linux_class.set_policing(netdev, rate, burst, kpkts_rate,
                                            kpkts_burst);

    ovs_mutex_lock(&mutex);
    /* That may have removed all that is at the ingress. */
    if (w->attached && !fabric_kern_is_attached(w->ifindex)) {
        w->attached = false;
    }
    if (w->policed != policed) {
        w->policed = policed;
        if (w->port != ODPP_NONE) {
            netdev_request_reconfigure(netdev);
        }
    }
    ovs_mutex_unlock(&mutex);
    return error;
}

static int
workload_get_stats(const struct netdev *netdev, struct netdev_stats *stats)
{
    int error = netdev_linux_class.get_stats(netdev, stats);

    if (!error && fabric_kern_is_loaded()) {
        struct fabric_kern_port port;
        const struct workload *w;

        ovs_mutex_lock(&mutex);
        w = find(netdev);
        if (w) {
            stats->rx_dropped += w->rx_dropped;
        }
        if (w && w->ifindex) {
            stats->rx_dropped += fabric_share_dropped(&w->share);
        }
        if (w && w->ifindex
            && !fabric_kern_get(FABRIC_KERN_PORTS, &w->ifindex, &port)) {
            /* As seen by the switch: what it sends. */
            stats->tx_packets += port.tx_packets;
            stats->tx_bytes += port.tx_bytes;
        }
        ovs_mutex_unlock(&mutex);
    }
    return error;
}

static struct netdev_rxq *
workload_rxq_alloc(void)
{
    struct netdev_rxq_workload *rxq = xzalloc(sizeof *rxq);

    return &rxq->up;
}

static int
workload_rxq_construct(struct netdev_rxq *rxq_)
{
    struct netdev_rxq_workload *rxq = rxq_cast(rxq_);
    int error;

    if (fabric_kern_is_active()) {
        ovs_mutex_lock(&mutex);
        struct workload *w = find_or_add(rxq_->netdev);
        int ifindex = netdev_get_ifindex(rxq_->netdev);

        set_rxq_ifindex(w, MAX(ifindex, 0));
        if (use_channel(w)) {
            rxq->workload = w;
            w->rxq = rxq;
        }
        ovs_mutex_unlock(&mutex);
        if (rxq->workload) {
            return 0;
        }
    }

    rxq->linux_rxq = netdev_linux_class.rxq_alloc();
    rxq->linux_rxq->netdev = rxq_->netdev;
    rxq->linux_rxq->queue_id = rxq_->queue_id;
    error = netdev_linux_class.rxq_construct(rxq->linux_rxq);
    if (error) {
        netdev_linux_class.rxq_dealloc(rxq->linux_rxq);
        rxq->linux_rxq = NULL;
    }
    return error;
}

static int
workload_rxq_drain(struct netdev_rxq *rxq_)
{
    struct netdev_rxq_workload *rxq = rxq_cast(rxq_);
    struct dp_packet *packet;

    if (rxq->linux_rxq) {
        return netdev_linux_class.rxq_drain(rxq->linux_rxq);
    }
    while ((packet = fabric_share_take(&rxq->workload->share)) != NULL) {
        dp_packet_delete(packet);
    }
    return 0;
}

static void
workload_rxq_destruct(struct netdev_rxq *rxq_)
{
    struct netdev_rxq_workload *rxq = rxq_cast(rxq_);

    if (rxq->linux_rxq) {
        netdev_linux_class.rxq_destruct(rxq->linux_rxq);
        netdev_linux_class.rxq_dealloc(rxq->linux_rxq);
    } else {
        if (reader == rxq_) {
            reader = NULL;
        }
        ovs_mutex_lock(&mutex);
        rxq->workload->rxq = NULL;
        leave_channel(rxq->workload);
        ovs_mutex_unlock(&mutex);
    }
}

static void
workload_rxq_dealloc(struct netdev_rxq *rxq)
{
    free(rxq_cast(rxq));
}

/* Nothing is in the channel: whatever is still said to be was lost there.
 * That matters once packets are dropped for it. */
static void
settle_shares(void)
{
    static long long int next = LLONG_MIN;
    static bool dropped;
    struct workload *w;

    dropped |= fabric_share_count_drops();
    if (dropped && time_msec() >= next) {
        dropped = false;
        next = time_msec() + SETTLE_INTERVAL;
        ovs_mutex_lock(&mutex);
        HMAP_FOR_EACH (w, ifindex_node, &by_ifindex) {
            fabric_share_settle(&w->share);
        }
        ovs_mutex_unlock(&mutex);
    }
}

/* Moves packets from the channel to the ports that they are from. */
static void
distribute(void)
{
    for (int i = 0; i < MAX_READ; i++) {
        uint32_t ifindex, position;
        struct dp_packet *packet;
        struct workload *w;

        packet = fabric_channel_recv(&ifindex, &position);
        if (!packet) {
            settle_shares();
            break;
        }
        ovs_mutex_lock(&mutex);
        w = find_ifindex(ifindex);
        if (w && w->rxq) {
            fabric_share_put(&w->share, packet, position);
            packet = NULL;
        }
        ovs_mutex_unlock(&mutex);
        dp_packet_delete(packet);
    }
}

static int
workload_rxq_recv(struct netdev_rxq *rxq_, struct dp_packet_batch *batch,
                  int *qfill)
{
    struct netdev_rxq_workload *rxq = rxq_cast(rxq_);
    struct fabric_share *share;

    if (rxq->linux_rxq) {
        return fabric_workload_recv(rxq->linux_rxq, batch, qfill);
    }
    share = &rxq->workload->share;
    if (reader == rxq_) {
        reader = NULL;
    }
    if (!reader && !share->n) {
        reader = rxq_;
        distribute();
    }
    dp_packet_batch_init(batch);
    while (share->n && dp_packet_batch_size(batch) < NETDEV_MAX_BURST) {
        dp_packet_batch_add(batch, fabric_share_take(share));
    }
    if (qfill) {
        *qfill = share->n;
    }
    return dp_packet_batch_is_empty(batch) ? EAGAIN : 0;
}

static void
workload_rxq_wait(struct netdev_rxq *rxq_)
{
    struct netdev_rxq_workload *rxq = rxq_cast(rxq_);

    if (rxq->linux_rxq) {
        netdev_linux_class.rxq_wait(rxq->linux_rxq);
        return;
    }
    if (rxq->workload->share.n) {
        poll_immediate_wake();
    }
    fabric_channel_wait();
}

const struct netdev_class *
fabric_workload_class(const struct netdev_class *base)
{
    if (workload_class.type) {
        return &workload_class;
    }
    workload_class = *base;
    workload_class.destruct = workload_destruct;
    workload_class.reconfigure = workload_reconfigure;
    workload_class.set_policing = workload_set_policing;
    workload_class.get_stats = workload_get_stats;
    workload_class.rxq_alloc = workload_rxq_alloc;
    workload_class.rxq_construct = workload_rxq_construct;
    workload_class.rxq_destruct = workload_rxq_destruct;
    workload_class.rxq_dealloc = workload_rxq_dealloc;
    workload_class.rxq_recv = workload_rxq_recv;
    workload_class.rxq_wait = workload_rxq_wait;
    workload_class.rxq_drain = workload_rxq_drain;
    return &workload_class;
}
