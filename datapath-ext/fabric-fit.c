/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-fit.h"

#include "coverage.h"
#include "dp-packet.h"
#include "fabric-bytes.h"
#include "fabric-gso.h"
#include "fabric-inject.h"
#include "fabric-l3.h"
#include "fabric-odp.h"
#include "fabric-private.h"
#include "fabric-ptb.h"
#include "timeval.h"
#include "util.h"

COVERAGE_DEFINE(fabric_fit_moved);
COVERAGE_DEFINE(fabric_fit_told);

uint32_t
fabric_fit_size(const struct fabric_odp_output *out,
                const struct dp_packet *packet)
{
    struct fabric_gso gso;

    if (dp_packet_get_tso_segsz(packet) && !dp_packet_get_cutlen(packet)
        && fabric_gso_init(&gso, packet)) {
        return out->header_len + gso.headers_len + gso.segsz;
    }
    return out->header_len + dp_packet_get_send_len(packet);
}

static void
note_needed(const struct fabric_endpoint *ep, uint32_t size)
{
    struct fabric_table_endpoint *e = &fabric_table_endpoints[ep->index];
    uint32_t needed;

    atomic_read_relaxed(&e->needed, &needed);
    if (size > needed) {
        atomic_store_relaxed(&e->needed, size);
    }
}

/* The largest UDP payload that fits on a path which flows use. */
static uint32_t
largest_payload(const struct fabric_endpoint *ep)
{
    uint32_t largest = 0;

    for (size_t i = 0; i < FABRIC_TABLE_SLOTS; i++) {
        uint32_t path = fabric_table_select(ep->index,
                                            i << FABRIC_TABLE_HASH_SHIFT);
        uint32_t mtu;

        if (path != FABRIC_TABLE_NONE) {
            atomic_read_relaxed(&fabric_table_paths[path].mtu, &mtu);
            if (mtu > largest + fabric_table_overhead(path)) {
                largest = mtu - fabric_table_overhead(path);
            }
        }
    }
    return largest;
}

/* Tells the sender of 'packet' which size would fit.  Returns false if there
 * is nothing to tell. */
static bool
tell(struct fabric *f, const struct fabric_endpoint *ep,
     const struct fabric_odp_output *out, struct dp_packet *packet,
     uint32_t hash)
{
    const void *frame = dp_packet_data(packet);
    size_t size = dp_packet_size(packet);
    uint8_t message[FABRIC_PTB_MAX];
    uint8_t *segment = NULL;
    uint32_t payload, overhead;
    struct fabric_gso gso;
    uint16_t eth_type;
    size_t message_size;

    if (dp_packet_get_cutlen(packet)) {
        return false;
    }
    if (dp_packet_get_tso_segsz(packet) && fabric_gso_init(&gso, packet)) {
        segment = xmalloc(gso.headers_len + gso.segsz);
        size = fabric_gso_segment(&gso, packet, 0, segment);
        frame = segment;
    } else {
        dp_packet_ol_send_prepare(packet, 0);
    }
    payload = largest_payload(ep);
    overhead = out->header_len + fabric_find_l3(frame, size, &eth_type);
    message_size = fabric_ptb_compose(frame, size,
                                      payload > overhead ? payload - overhead
                                      : 0, message);
    if (message_size && fabric_ptb_allow(hash, time_msec())
        && fabric_inject(f, ep, fabric_get_be32(out->header + 4) >> 8,
                         message, message_size)) {
        COVERAGE_INC(fabric_fit_told);
    }
    free(segment);
    return message_size > 0;
}

/* Does 'path' lose what does not fit?  The host fragments for its own
 * interface, routers of IPv4 for theirs. */
static bool
is_lossy(uint32_t path)
{
    const struct fabric_table_path *p = &fabric_table_paths[path];
    uint32_t mtu, local_mtu;

    atomic_read_relaxed(&p->mtu, &mtu);
    atomic_read_relaxed(&p->local_mtu, &local_mtu);
    return !IN6_IS_ADDR_V4MAPPED(&p->local_ip) && mtu < local_mtu;
}

uint32_t
fabric_fit(struct fabric *f, const struct fabric_endpoint *ep,
           const struct fabric_odp_output *out, struct dp_packet *packet,
           uint32_t hash, uint32_t path, uint32_t size)
{
    uint32_t other = fabric_table_select_fitting(ep->index, hash, size);

    if (other != FABRIC_TABLE_NONE) {
        COVERAGE_INC(fabric_fit_moved);
        note_needed(ep, size);
        return other;
    }
    return (tell(f, ep, out, packet, hash) && is_lossy(path)
            ? FABRIC_TABLE_NONE : path);
}
