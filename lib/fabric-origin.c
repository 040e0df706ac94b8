/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-origin.h"

#include "fabric-burst.h"
#include "fabric-private.h"
#include "fabric-stamp.h"
#include "util.h"

static uint64_t last_epoch OVS_GUARDED_BY(fabric_table_mutex);

uint64_t
fabric_origin_new_epoch(void)
{
    last_epoch = MAX(last_epoch + 1, fabric_burst_wall_ns());
    return last_epoch;
}

void
fabric_origin_put(const struct fabric_endpoint *ep, uint32_t serial,
                  struct fabric_stamp *stamp)
{
    stamp->has_origin = true;
    stamp->origin = (struct fabric_stamp_origin) {
        .epoch = ep->epoch,
        .known = ep->hearing.epoch,
        .serial = serial,
        .ssid = stamp->ssid,
    };
}

void
fabric_origin_set_addrs(struct fabric_stamp_origin *origin,
                        const struct fabric_uplink *up, unsigned int port_idx,
                        const struct in6_addr *remote_ip)
{
    origin->src_port = up->src_ports[port_idx];
    origin->dst_port = up->config.dst_port;
    origin->src_ip = up->config.local_ip;
    origin->dst_ip = *remote_ip;
}

bool
fabric_origin_is_right(const struct fabric_stamp *stamp,
                       const struct fabric_uplink *up,
                       const struct fabric_rx *rx)
{
    const struct fabric_stamp_origin *o = &stamp->origin;

    return (!stamp->tlvs_refused && stamp->has_origin
            && o->answer == stamp->reflected
            && o->ssid == stamp->ssid
            && o->src_port == rx->remote_port
            && o->dst_port == up->config.dst_port
            && ipv6_addr_equals(&o->src_ip, &rx->remote_ip)
            && ipv6_addr_equals(&o->dst_ip, &up->config.local_ip));
}

void
fabric_origin_learn(struct fabric_endpoint *ep,
                    const struct fabric_stamp_origin *origin)
{
    if (origin->known > ep->epoch && origin->known < UINT64_MAX) {
        last_epoch = MAX(last_epoch, origin->known);
        ep->epoch = fabric_origin_new_epoch();
    }
}
