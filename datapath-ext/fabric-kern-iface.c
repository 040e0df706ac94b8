/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-kern-iface.h"

#include <net/if.h>

#include "fabric-netevent.h"
#include "hash.h"
#include "util.h"

static struct hmap ifaces = HMAP_INITIALIZER(&ifaces);

struct fabric_kern_iface *
fabric_kern_iface_find(uint32_t ifindex)
{
    struct fabric_kern_iface *iface;

    HMAP_FOR_EACH_WITH_HASH (iface, node, hash_int(ifindex, 0), &ifaces) {
        if (iface->ifindex == ifindex) {
            return iface;
        }
    }
    return NULL;
}

struct fabric_kern_iface *
fabric_kern_iface_get(uint32_t ifindex)
{
    struct fabric_kern_iface *iface = fabric_kern_iface_find(ifindex);

    if (!iface) {
        iface = xzalloc(sizeof *iface);
        iface->ifindex = ifindex;
        hmap_insert(&ifaces, &iface->node, hash_int(ifindex, 0));
    }
    return iface;
}

void
fabric_kern_iface_get_all(void)
{
    struct if_nameindex *ifs = if_nameindex();

    for (size_t i = 0; ifs && ifs[i].if_index; i++) {
        fabric_kern_iface_get(ifs[i].if_index);
    }
    if_freenameindex(ifs);
}

void
fabric_kern_iface_doubt_all(void)
{
    struct fabric_kern_iface *iface;

    HMAP_FOR_EACH (iface, node, &ifaces) {
        iface->known = false;
    }
}

bool
fabric_kern_iface_ref(uint32_t ifindex)
{
    return !fabric_kern_iface_get(ifindex)->n_refs++;
}

bool
fabric_kern_iface_unref(uint32_t ifindex)
{
    struct fabric_kern_iface *iface = fabric_kern_iface_find(ifindex);

    return iface && !--iface->n_refs;
}

void
fabric_kern_iface_forget(struct fabric_kern_iface *iface)
{
    iface->known = false;
    if (!iface->n_refs) {
        hmap_remove(&ifaces, &iface->node);
        free(iface);
    }
}

const struct fabric_route_device *
fabric_kern_iface_device(uint32_t ifindex)
{
    struct fabric_kern_iface *iface = fabric_kern_iface_get(ifindex);

    if (!iface->known) {
        iface->known = !fabric_route_get_device(ifindex, &iface->dev);
    }
    return iface->known ? &iface->dev : NULL;
}

bool
fabric_kern_iface_changed(struct fabric_kern_iface *iface,
                          const struct fabric_netevent *event)
{
    bool changed = (event->config || !iface->known
                    || (iface->dev.flags ^ event->flags)
                       & FABRIC_ROUTE_DEVICE_FLAGS
                    || iface->dev.mtu != event->mtu
                    || iface->dev.master != event->master);

    if (changed) {
        iface->known = false;
        fabric_kern_iface_device(iface->ifindex);
    }
    return changed;
}

void
fabric_kern_iface_for_each(void (*cb)(uint32_t ifindex))
{
    struct fabric_kern_iface *iface;

    HMAP_FOR_EACH (iface, node, &ifaces) {
        if (iface->n_refs) {
            cb(iface->ifindex);
        }
    }
}
