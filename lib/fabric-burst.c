/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-burst.h"

#include <stdlib.h>

#include "fabric-encap.h"
#include "fabric-origin.h"
#include "fabric-private.h"
#include "ovs-thread.h"
#include "timeval.h"
#include "util.h"

const struct eth_addr *
fabric_burst_mac(void)
{
    static struct ovsthread_once once = OVSTHREAD_ONCE_INITIALIZER;
    static struct eth_addr mac;

    if (ovsthread_once_start(&once)) {
        eth_addr_random(&mac);
        ovsthread_once_done(&once);
    }
    return &mac;
}

/* A NIC's GRO joins datagrams of one flow, and then all go where the first
 * goes: a shorter datagram of data behind a probe would be lost to the probe
 * socket.  It joins none whose TTLs differ (inet_gro_receive() and
 * ipv6_gro_receive() of Linux). */
uint8_t
fabric_probe_ttl(const struct fabric_uplink *up)
{
    return up->config.ttl == UINT8_MAX ? UINT8_MAX - 1 : UINT8_MAX;
}

uint64_t
fabric_burst_wall_ns(void)
{
    struct timespec ts;

    time_wall_timespec(&ts);
    return (uint64_t) ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* Datagrams for one system call.  More would leave long after their
 * timestamps. */
#define RUN_MAX 16

void
fabric_burst_init(struct fabric_burst *b)
{
    b->n = 0;
}

static int
compare_items(const void *a_, const void *b_)
{
    const struct fabric_burst_item *const *a = a_;
    const struct fabric_burst_item *const *b = b_;

    if ((*a)->uplink != (*b)->uplink) {
        return (uintptr_t) (*a)->uplink < (uintptr_t) (*b)->uplink ? -1 : 1;
    } else if ((*a)->port_idx != (*b)->port_idx) {
        return (*a)->port_idx < (*b)->port_idx ? -1 : 1;
    }
    /* In the order in which they were added. */
    return *a < *b ? -1 : *a > *b;
}

/* Fills in what is to be known only when 'item' leaves. */
static void
complete(struct fabric_burst_item *item)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_stamp *stamp = &item->stamp;

    if (item->path) {
        uint64_t n_tx;

        fabric_liveness_departs(&item->path->live, stamp->seq, time_usec());
        atomic_read_relaxed(&fabric_table_paths[item->path->index].tx_packets,
                            &n_tx);
        stamp->direct.s_tx = n_tx;
    }
    if (item->hearing) {
        bool copy = stamp->report.copy;

        fabric_hearing_tell(item->hearing, stamp->report.n, time_msec(),
                            &stamp->report);
        stamp->report.copy = copy;
    }
    if (stamp->has_origin) {
        fabric_origin_set_addrs(&stamp->origin, item->uplink, item->port_idx,
                                &item->remote_ip);
    }
    stamp->timestamp = fabric_stamp_ts_from_ns(fabric_burst_wall_ns());
    if (item->path) {
        item->path->stamps[stamp->seq % FABRIC_LIVENESS_WINDOW]
            = stamp->timestamp;
    }
}

/* Writes the datagram of 'item', which leaves now, to 'buf'.  Returns its
 * size, or 0 if it cannot be authenticated. */
static size_t
compose(struct fabric_burst_item *item, uint8_t *buf)
    OVS_REQUIRES(fabric_table_mutex)
{
    const struct fabric *f = item->fabric;
    size_t header_len = fabric_encap_build_simple(f->encap, f->probe.vni,
                                                  true, buf);
    size_t size;

    complete(item);
    size = fabric_stamp_compose(&item->stamp, &f->keys, fabric_burst_mac(),
                                &item->uplink->config.local_ip,
                                buf + header_len,
                                FABRIC_BURST_DATAGRAM_MAX - header_len);
    if (item->path && item->judged) {
        fabric_health_sent(&item->path->health, &f->health, item->stamp.seq,
                           item->class, size, time_usec());
    }
    return size ? header_len + size : 0;
}

/* Sends 'n' items, all of one socket. */
static void
send_run(struct fabric_burst_item **items, size_t n)
    OVS_REQUIRES(fabric_table_mutex)
{
    static uint8_t bufs[RUN_MAX][FABRIC_BURST_DATAGRAM_MAX]
        OVS_GUARDED_BY(fabric_table_mutex);
    struct fabric_uplink *up = items[0]->uplink;
    struct fabric_datagram datagrams[RUN_MAX];
    struct fabric_path *paths[RUN_MAX];
    struct iovec iovs[RUN_MAX];
    size_t n_composed = 0;

    for (size_t i = 0; i < n; i++) {
        struct iovec *iov = &iovs[n_composed];

        iov->iov_base = bufs[n_composed];
        iov->iov_len = compose(items[i], bufs[n_composed]);
        if (!iov->iov_len) {
            continue;
        }
        paths[n_composed] = items[i]->path;
        datagrams[n_composed++] = (struct fabric_datagram) {
            .remote_ip = items[i]->remote_ip,
            .port_idx = items[i]->port_idx,
            .tos = items[i]->tos,
            .ttl = items[i]->ttl ? items[i]->ttl : fabric_probe_ttl(up),
            .whole = items[i]->whole,
            .bare = items[i]->bare,
            .iov = iov,
            .n_iov = 1,
            .size = iov->iov_len,
        };
    }
    up->class->send(up, datagrams, n_composed);
    for (size_t i = 0; i < n_composed; i++) {
        if (paths[i]) {
            paths[i]->unreachable
                = fabric_uplink_is_unreachable(datagrams[i].error);
            fabric_path_refresh(paths[i]);
        }
    }
}

void
fabric_burst_flush(struct fabric_burst *b)
{
    struct fabric_burst_item *sorted[FABRIC_BURST_MAX];
    size_t start = 0;

    for (size_t i = 0; i < b->n; i++) {
        sorted[i] = &b->items[i];
    }
    qsort(sorted, b->n, sizeof *sorted, compare_items);
    for (size_t i = 1; i <= b->n; i++) {
        if (i == b->n || i - start == RUN_MAX
            || sorted[i]->uplink != sorted[start]->uplink
            || sorted[i]->port_idx != sorted[start]->port_idx) {
            send_run(&sorted[start], i - start);
            start = i;
        }
    }
    b->n = 0;
}

struct fabric_burst_item *
fabric_burst_add(struct fabric_burst *b, const struct fabric *f,
                 struct fabric_uplink *up, unsigned int port_idx,
                 const struct in6_addr *remote, struct fabric_path *path)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct fabric_burst_item *item;

    if (b->n == FABRIC_BURST_MAX) {
        fabric_burst_flush(b);
    }
    item = &b->items[b->n++];
    item->fabric = f;
    item->uplink = up;
    item->port_idx = port_idx;
    item->remote_ip = *remote;
    item->ttl = 0;
    item->whole = item->bare = false;
    item->path = path;
    item->hearing = NULL;
    return item;
}
