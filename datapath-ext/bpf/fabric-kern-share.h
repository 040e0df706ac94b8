/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_KERN_SHARE_H
#define FABRIC_KERN_SHARE_H 1

/* Shares of the channel, see ../fabric-share.h. */

#include <stdbool.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "../fabric-kern-abi.h"
#include "fabric-kern-maps.h"

static __always_inline __u32
count_units(const struct __sk_buff *skb)
{
    __u32 units = (skb->len + FABRIC_KERN_UNIT - 1) / FABRIC_KERN_UNIT;
    __u32 size = skb->gso_size, n_segs;

    /* Super-frames are cut up later at the latest. */
    n_segs = size ? (skb->len + size - 1) / size : 1;
    return n_segs > units ? n_segs : units;
}

static __always_inline __u32
waiting(const struct fabric_kern_share *s)
{
    return (*(volatile __u32 *) &s->sent - *(volatile __u32 *) &s->done);
}

/* Takes what the packet needs of share 'slot' and stores in '*position' how
 * far it is used then.  Returns false if there is no room: drop the packet,
 * which is counted. */
static __always_inline bool
take_share(const struct __sk_buff *skb, __u32 slot, __u32 *position)
{
    __u32 whole_slot = FABRIC_KERN_WHOLE_SHARE;
    struct fabric_kern_share *whole, *own;
    __u32 units = count_units(skb);

    whole = bpf_map_lookup_elem(&shares, &whole_slot);
    own = bpf_map_lookup_elem(&shares, &slot);
    if (!whole || !own) {
        return false;
    }
    if (waiting(own) + waiting(whole) + units > FABRIC_KERN_CHANNEL_UNITS) {
        __sync_fetch_and_add(&own->dropped, 1);
        __sync_fetch_and_add(&whole->dropped, 1);
        return false;
    }
    __sync_fetch_and_add(&whole->sent, units);
    __sync_fetch_and_add(&own->sent, units);
    *position = *(volatile __u32 *) &own->sent;
    return true;
}

#endif /* fabric-kern-share.h */
