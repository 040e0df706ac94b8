/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-inject.h"

#include "dp-packet.h"
#include "fabric-encap.h"
#include "fabric-private.h"
#include "netdev-fabric.h"
#include "odp-util.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/thread.h"
#include "ovs-atomic.h"
#include "packets.h"
#include "seq.h"
#include "util.h"

#define MAX_WAITING 64

struct fabric_inject {
    struct ovs_mutex mutex;
    struct seq *seq;                    /* Changes when one is added. */
    atomic_size_t n;                    /* Written under the mutex. */
    size_t first;                       /* Guarded by the mutex. */
    struct dp_packet *packets[MAX_WAITING];     /* Likewise. */
};

/* Packets that wait in all fabrics: hardly ever any. */
static atomic_int n_waiting = 0;

struct fabric_inject *
fabric_inject_create(void)
{
    struct fabric_inject *q = xzalloc(sizeof *q);

    ovs_mutex_init(&q->mutex);
    q->seq = seq_create();
    atomic_init(&q->n, 0);
    return q;
}

static size_t
count(struct fabric_inject *q)
{
    size_t n;

    atomic_read_relaxed(&q->n, &n);
    return n;
}

static void
set_count(struct fabric_inject *q, size_t n)
{
    int orig;

    atomic_add_relaxed(&n_waiting, (int) n - (int) count(q), &orig);
    atomic_store_relaxed(&q->n, n);
}

void
fabric_inject_destroy(struct fabric_inject *q)
{
    for (size_t i = 0; i < count(q); i++) {
        dp_packet_delete(q->packets[(q->first + i) % MAX_WAITING]);
    }
    set_count(q, 0);
    seq_destroy(q->seq);
    ovs_mutex_destroy(&q->mutex);
    free(q);
}

/* Sets the metadata of 'packet' to those of a packet from 'ep'. */
static void
set_metadata(struct dp_packet *packet, const struct fabric *f,
             const struct fabric_endpoint *ep, uint32_t vni)
{
    const struct fabric_endpoint_addrs *addrs
        = ovsrcu_get(struct fabric_endpoint_addrs *, &ep->addrs);
    const struct fabric_encap_info info = { .vni = vni };
    struct pkt_metadata *md = &packet->md;
    struct flow_tnl *tnl = &md->tunnel;

    pkt_metadata_init(md, ODPP_NONE);
    memset(tnl, 0, offsetof(struct flow_tnl, metadata.opts));
    if (IN6_IS_ADDR_V4MAPPED(&addrs->primary)) {
        tnl->ip_src = in6_addr_get_mapped_ipv4(&addrs->primary);
        tnl->ip_dst = in6_addr_get_mapped_ipv4(&addrs->local);
    } else {
        tnl->ipv6_src = addrs->primary;
        tnl->ipv6_dst = addrs->local;
    }
    tnl->ip_ttl = 64;
    tnl->tp_dst = htons(fabric_get_config(f)->dst_port);
    fabric_encap_to_tnl(fabric_get_encap(f), &info, tnl);
}

bool
fabric_inject(struct fabric *f, const struct fabric_endpoint *ep,
              uint32_t vni, const void *frame, size_t size)
{
    struct fabric_inject *q = f->inject;
    struct dp_packet *packet;
    bool room;

    packet = dp_packet_clone_data_with_headroom(frame, size,
                                                 FABRIC_RX_HEADROOM);
    set_metadata(packet, f, ep, vni);

    ovs_mutex_lock(&q->mutex);
    room = count(q) < MAX_WAITING;
    if (room) {
        q->packets[(q->first + count(q)) % MAX_WAITING] = packet;
        set_count(q, count(q) + 1);
    }
    ovs_mutex_unlock(&q->mutex);
    if (room) {
        seq_change(q->seq);
    } else {
        dp_packet_delete(packet);
    }
    return room;
}

void
fabric_inject_receive(const char *name, struct dp_packet_batch *batch)
{
    struct fabric_inject *q;
    struct fabric *f;
    int total;

    atomic_read_relaxed(&n_waiting, &total);
    if (OVS_LIKELY(!total)) {
        return;
    }
    f = fabric_registry_lookup(name);
    if (!f) {
        return;
    }
    q = f->inject;
    ovs_mutex_lock(&q->mutex);
    while (count(q) && dp_packet_batch_size(batch) < NETDEV_MAX_BURST) {
        dp_packet_batch_add(batch, q->packets[q->first]);
        q->first = (q->first + 1) % MAX_WAITING;
        set_count(q, count(q) - 1);
    }
    ovs_mutex_unlock(&q->mutex);
}

void
fabric_inject_wait(struct fabric *f)
{
    uint64_t seqno = seq_read(f->inject->seq);

    if (count(f->inject)) {
        poll_immediate_wake();
    } else {
        seq_wait(f->inject->seq, seqno);
    }
}
