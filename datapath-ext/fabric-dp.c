/* SPDX-License-Identifier: Apache-2.0 */

/* Execution of the datapath action: from a batch of inner packets to
 * datagrams.
 *
 * The packets are not modified here.  A datagram is a list of pieces that the
 * uplink gathers: encapsulation header and packet, which is not copied, or a
 * segment of a TCP super-frame, complete.  Packets of a batch that take the
 * same path are sent together, in order; those of equal size, and all segments
 * of TCP super-frames, become one message that the kernel cuts up
 * (UDP_SEGMENT). */

#include <config.h>

#include "fabric-hooks.h"

#include <errno.h>

#include "coverage.h"
#include "dp-packet.h"
#include "fabric-bfd-frame.h"
#include "fabric-bytes.h"
#include "fabric-drops.h"
#include "fabric-encap.h"
#include "fabric-fit.h"
#include "fabric-flow-hash.h"
#include "fabric-gso.h"
#include "fabric-odp.h"
#include "fabric-private.h"
#include "fabric-prober.h"
#include "fabric-session.h"
#include "fabric-uplink.h"
#include "odp-netlink.h"
#include "ovs-thread.h"
#include "util.h"

COVERAGE_DEFINE(fabric_dp_output);
COVERAGE_DEFINE(fabric_tx_superframe);

#define MAX_IOVS 2048
#define MAX_DATAGRAMS 256
#define BYTES_SIZE (512 * 1024)

/* Datagrams that wait to be sent, one per thread.  'bytes' holds what the
 * pieces in 'iovs' that are not part of a packet point to. */
struct tx_queue {
    struct fabric *fabric;
    struct fabric_uplink *uplink;
    size_t n;
    struct fabric_datagram datagrams[MAX_DATAGRAMS];
    uint32_t paths[MAX_DATAGRAMS];
    uint16_t n_packets[MAX_DATAGRAMS];
    uint32_t n_bytes[MAX_DATAGRAMS];            /* Of inner packets. */
    size_t n_iovs;
    struct iovec iovs[MAX_IOVS];
    size_t bytes_used;
    uint8_t bytes[BYTES_SIZE];
};

static struct tx_queue *
tx_queue_get(void)
{
    static struct ovsthread_once once = OVSTHREAD_ONCE_INITIALIZER;
    static ovsthread_key_t key;
    struct tx_queue *q;

    if (ovsthread_once_start(&once)) {
        ovsthread_key_create(&key, free);
        ovsthread_once_done(&once);
    }
    q = ovsthread_getspecific(key);
    if (!q) {
        q = xmalloc(sizeof *q);
        q->n = q->n_iovs = q->bytes_used = 0;
        ovsthread_setspecific(key, q);
    }
    return q;
}

static enum fabric_drop
errno_to_drop(int error)
{
    if (fabric_uplink_is_unreachable(error)) {
        return FABRIC_DROP_TX_UNREACHABLE;
    }
    return (error == EAGAIN || error == ENOBUFS ? FABRIC_DROP_TX_QUEUE_FULL
            : error == EMSGSIZE ? FABRIC_DROP_TX_TOO_BIG
            : FABRIC_DROP_TX_ERROR);
}

static void
count_drop(struct fabric *f, enum fabric_drop drop, size_t n)
{
    uint64_t orig;

    fabric_drop_count(drop, n);
    atomic_add_relaxed(&f->tx_dropped, n, &orig);
}

static void
tx_queue_flush(struct tx_queue *q)
{
    uint64_t n_packets = 0, n_bytes = 0;
    uint64_t orig;

    if (!q->n) {
        return;
    }
    q->uplink->class->send(q->uplink, q->datagrams, q->n);
    for (size_t i = 0; i < q->n; i++) {
        struct fabric_table_path *path = &fabric_table_paths[q->paths[i]];
        int error = q->datagrams[i].error;

        if (OVS_UNLIKELY(error)) {
            count_drop(q->fabric, errno_to_drop(error), q->n_packets[i]);
            if (fabric_uplink_is_unreachable(error)) {
                fabric_path_set_unreachable(q->paths[i]);
            }
        } else {
            n_packets += q->n_packets[i];
            n_bytes += q->n_bytes[i];
            atomic_add_relaxed(&path->tx_packets, q->n_packets[i], &orig);
            atomic_add_relaxed(&path->tx_bytes, q->n_bytes[i], &orig);
        }
    }
    atomic_add_relaxed(&q->fabric->tx_packets, n_packets, &orig);
    atomic_add_relaxed(&q->fabric->tx_bytes, n_bytes, &orig);
    q->n = q->n_iovs = q->bytes_used = 0;
}

/* Makes sure that 'n_iovs' pieces and 'size' of our bytes fit. */
static void
tx_queue_reserve(struct tx_queue *q, uint32_t path, size_t n_iovs, size_t size)
{
    struct fabric_uplink *uplink = fabric_path_aux[path].uplink;

    if (q->n == MAX_DATAGRAMS || q->uplink != uplink
        || q->n_iovs + n_iovs > MAX_IOVS
        || q->bytes_used + size > BYTES_SIZE) {
        tx_queue_flush(q);
        q->uplink = uplink;
    }
}

static struct fabric_datagram *
tx_queue_new(struct tx_queue *q, const struct fabric_odp_output *out,
             uint32_t path)
{
    struct fabric_datagram *d = &q->datagrams[q->n];

    *d = (struct fabric_datagram) {
        .remote_ip = fabric_table_paths[path].remote_ip,
        .port_idx = fabric_path_aux[path].port_idx,
        .tos = out->tos,
        .ttl = out->ttl,
        .iov = &q->iovs[q->n_iovs],
    };
    q->paths[q->n] = path;
    q->n_packets[q->n] = 0;
    q->n_bytes[q->n++] = 0;
    return d;
}

static void
add_piece(struct tx_queue *q, struct fabric_datagram *d, const void *data,
          size_t size)
{
    struct iovec *last = d->n_iov ? &d->iov[d->n_iov - 1] : NULL;

    if (last && (uint8_t *) last->iov_base + last->iov_len == data) {
        last->iov_len += size;
    } else {
        q->iovs[q->n_iovs++] = (struct iovec) {
            .iov_base = CONST_CAST(void *, data), .iov_len = size,
        };
        d->n_iov++;
    }
    d->size += size;
}

static void *
put_bytes(struct tx_queue *q, const void *data, size_t size)
{
    void *p = &q->bytes[q->bytes_used];

    memcpy(p, data, size);
    q->bytes_used += size;
    return p;
}

/* Notes what the last message of 'q' carries, to be counted once it is sent
 * or not. */
static void
note_tx(struct tx_queue *q, size_t n_packets, size_t n_bytes)
{
    q->n_packets[q->n - 1] += n_packets;
    q->n_bytes[q->n - 1] += n_bytes;
}

/* Can a datagram of 'size' bytes on 'path' join the last message of 'q'? */
static bool
can_join(const struct tx_queue *q, uint32_t path, size_t size)
{
    const struct fabric_datagram *d;

    if (!q->n || q->paths[q->n - 1] != path) {
        return false;
    }
    d = &q->datagrams[q->n - 1];
    return (d->gso_size && size <= d->gso_size && !(d->size % d->gso_size)
            && d->size / d->gso_size < FABRIC_UPLINK_MAX_SEGS
            && d->size + size <= FABRIC_UPLINK_MAX_PAYLOAD);
}

/* Returns the message that takes a datagram of 'size' bytes on 'path' next. */
static struct fabric_datagram *
message_for(struct tx_queue *q, const struct fabric_odp_output *out,
            uint32_t path, size_t size)
{
    struct fabric_datagram *d;

    if (can_join(q, path, size)) {
        return &q->datagrams[q->n - 1];
    }
    d = tx_queue_new(q, out, path);
    d->gso_size = size;
    return d;
}

static void
send_plain(struct tx_queue *q, const struct fabric_odp_output *out,
           uint32_t path, struct dp_packet *packet)
{
    size_t frame_size = dp_packet_get_send_len(packet);
    size_t size = out->header_len + frame_size;
    struct fabric_datagram *d;

    if (size > FABRIC_UPLINK_MAX_PAYLOAD) {
        count_drop(q->fabric, FABRIC_DROP_TX_TOO_BIG, 1);
        return;
    }

    dp_packet_ol_send_prepare(packet, 0);
    tx_queue_reserve(q, path, 2, out->header_len);
    d = message_for(q, out, path, size);
    add_piece(q, d, put_bytes(q, out->header, out->header_len),
              out->header_len);
    add_piece(q, d, dp_packet_data(packet), frame_size);
    note_tx(q, 1, frame_size);
}

/* Sends TCP super-frame 'packet' as segments.  The encapsulation makes a full
 * super-frame larger than a message, so the rest begins one that the next
 * super-frame may continue. */
static void
send_superframe(struct tx_queue *q, const struct fabric_odp_output *out,
                uint32_t path, struct dp_packet *packet)
{
    struct fabric_gso gso;
    size_t max_size;

    if (!fabric_gso_init(&gso, packet)) {
        count_drop(q->fabric, FABRIC_DROP_TX_BAD_PACKET, 1);
        return;
    }
    COVERAGE_INC(fabric_tx_superframe);

    max_size = out->header_len + gso.headers_len + gso.segsz;
    if (max_size > FABRIC_UPLINK_MAX_PAYLOAD) {
        count_drop(q->fabric, FABRIC_DROP_TX_TOO_BIG, 1);
        return;
    }

    for (size_t i = 0; i < gso.n_segs; i++) {
        uint8_t *data;
        size_t size;

        tx_queue_reserve(q, path, 1, max_size);
        data = put_bytes(q, out->header, out->header_len);
        size = fabric_gso_segment(&gso, packet, i, data + out->header_len);
        q->bytes_used += size;
        add_piece(q, message_for(q, out, path, out->header_len + size),
                  data, out->header_len + size);
        note_tx(q, 1, size);
    }
}

/* Sends those of the 'n' 'packets' whose path is paths[from], from 'from' on,
 * and marks them as sent. */
static void
send_path(struct tx_queue *q, const struct fabric_odp_output *out,
          struct dp_packet **packets, size_t n, uint32_t paths[], size_t from)
{
    uint32_t path = paths[from];

    for (size_t i = from; i < n; i++) {
        struct dp_packet *packet = packets[i];

        if (paths[i] == path) {
            if (dp_packet_get_tso_segsz(packet)
                && !dp_packet_get_cutlen(packet)) {
                send_superframe(q, out, path, packet);
            } else {
                send_plain(q, out, path, packet);
            }
            paths[i] = FABRIC_TABLE_NONE;
        }
    }
}

/* Tells the prober that something is sent to 'ep'. */
static void
mark_sent(struct fabric_endpoint *ep, struct fabric_table_endpoint *e)
{
    uint32_t sent, idle;

    atomic_read_relaxed(&e->sent, &sent);
    if (OVS_UNLIKELY(!sent)) {
        atomic_store_relaxed(&e->sent, 1);
        atomic_read_relaxed(&e->idle, &idle);
        if (idle) {
            fabric_prober_wake(ep);
        }
    }
}

/* Returns true if 'ep' would take 'packet' for the host's, if it left over
 * 'path'. */
static bool
is_control(const struct fabric_endpoint *ep,
           const struct fabric_odp_output *out, const struct dp_packet *packet,
           uint32_t path)
{
    const void *frame = dp_packet_data(packet);
    size_t size = dp_packet_size(packet);
    bool oam = (fabric_get_encap(ep->fabric) == FABRIC_ENCAP_GENEVE
                && out->header[1] & FABRIC_GENEVE_OAM);
    bool takes_bfd;

    atomic_read_relaxed(&CONST_CAST(struct fabric_endpoint *, ep)->takes_bfd,
                        &takes_bfd);
    return (fabric_session_is_probe(fabric_get_be32(out->header + 4) >> 8, oam,
                                    &fabric_path_aux[path].uplink->config,
                                    frame, size)
            || (OVS_UNLIKELY(takes_bfd)
                && fabric_bfd_is_taken_by_ovs(frame, size)));
}

/* Returns the path for 'packet', or FABRIC_TABLE_NONE if it is dropped. */
static uint32_t
choose_path(struct fabric *f, const struct fabric_endpoint *ep,
            const struct fabric_odp_output *out, struct dp_packet *packet)
{
    uint32_t hash = fabric_flow_hash(dp_packet_data(packet),
                                     dp_packet_size(packet));
    uint32_t path = fabric_table_select(ep->index, hash);
    uint32_t size;

    if (OVS_UNLIKELY(path == FABRIC_TABLE_NONE)) {
        count_drop(f, FABRIC_DROP_TX_NO_PATH, 1);
        return path;
    }
    if (OVS_UNLIKELY(is_control(ep, out, packet, path))) {
        count_drop(f, FABRIC_DROP_TX_CONTROL, 1);
        return FABRIC_TABLE_NONE;
    }
    size = fabric_fit_size(out, packet);
    if (OVS_UNLIKELY(!fabric_table_fits(path, size))) {
        path = fabric_fit(f, ep, out, packet, hash, path, size);
        if (path == FABRIC_TABLE_NONE) {
            count_drop(f, FABRIC_DROP_TX_TOO_BIG, 1);
        }
    }
    return path;
}

/* Sends 'n' packets, at most NETDEV_MAX_BURST. */
static void
send_burst(struct fabric *f, struct fabric_endpoint *ep,
           const struct fabric_odp_output *out, struct dp_packet **packets,
           size_t n)
{
    struct fabric_table_endpoint *e = &fabric_table_endpoints[ep->index];
    struct tx_queue *q = tx_queue_get();
    uint32_t paths[NETDEV_MAX_BURST];
    uint32_t n_usable;
    uint64_t orig;

    atomic_read_relaxed(&e->n_usable, &n_usable);
    if (OVS_UNLIKELY(!n_usable)) {
        atomic_add_relaxed(&e->tx_no_live_path, n, &orig);
    }

    mark_sent(ep, e);

    for (size_t i = 0; i < n; i++) {
        paths[i] = choose_path(f, ep, out, packets[i]);
    }

    q->fabric = f;
    for (size_t i = 0; i < n; i++) {
        if (paths[i] != FABRIC_TABLE_NONE) {
            send_path(q, out, packets, n, paths, i);
        }
    }
    tx_queue_flush(q);
}

void
fabric_dp_execute(struct dp_packet_batch *batch, bool should_steal,
                  const struct nlattr *a)
{
    const struct fabric_odp_output *out = fabric_odp_get_output(a);
    const struct fabric_odp_drop *drop = out ? NULL : fabric_odp_get_drop(a);
    size_t n = dp_packet_batch_size(batch);
    struct fabric_endpoint *ep;
    struct fabric *f;

    COVERAGE_INC(fabric_dp_output);
    f = out ? fabric_registry_lookup_odp(u32_to_odp(out->port)) : NULL;
    ep = f ? fabric_endpoint_by_id(f, out->endpoint) : NULL;
    if (OVS_UNLIKELY(drop)) {
        fabric_drop_count(drop->reason, n);
    } else if (OVS_UNLIKELY(!f)) {
        fabric_drop_count(FABRIC_DROP_TX_NO_FABRIC, n);
    } else if (OVS_UNLIKELY(!ep)) {
        count_drop(f, FABRIC_DROP_TX_NO_ENDPOINT, n);
    } else {
        for (size_t i = 0; i < n; i += NETDEV_MAX_BURST) {
            send_burst(f, ep, out, batch->packets + i,
                       MIN(n - i, NETDEV_MAX_BURST));
        }
    }
    /* A truncation is for the next output only, and this was it. */
    dp_packet_batch_reset_cutlen(batch);
    dp_packet_delete_batch(batch, should_steal);
}
