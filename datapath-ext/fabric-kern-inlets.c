/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-kern-inlets.h"

#include <ifaddrs.h>
#include <net/if.h>

#include "fabric-inlet.h"
#include "fabric-kern-iface.h"
#include "fabric-kern-underlay.h"
#include "fabric-private.h"
#include "fabric-socket.h"
#include "seq.h"
#include "util.h"

static uint64_t seqno;          /* Of fabric_inlet_seq(). */

/* Returns true if 'sa' is a local IP of 'f'. */
static bool
is_local_ip(const struct fabric *f, const struct sockaddr *sa)
{
    const struct fabric_uplinks *ups
        = ovsrcu_get(struct fabric_uplinks *, &f->uplinks);

    for (size_t i = 0; i < ups->n; i++) {
        if (fabric_sockaddr_is(sa, &ups->uplinks[i]->config.local_ip)) {
            return true;
        }
    }
    return false;
}

/* Wants the interfaces that have the local IPs of 'f', but for loopback. */
static void
want_local_interfaces(const struct fabric *f, const struct ifaddrs *ifas)
{
    for (const struct ifaddrs *ifa = ifas; ifa; ifa = ifa->ifa_next) {
        if (!(ifa->ifa_flags & IFF_LOOPBACK)
            && is_local_ip(f, ifa->ifa_addr)) {
            fabric_kern_underlay_want(if_nametoindex(ifa->ifa_name));
        }
    }
}

void
fabric_kern_inlets_sync(bool (*takes_part)(const struct fabric *))
{
    struct ifaddrs *ifas = NULL;
    const struct fabric *f;
    bool any = false;

    if (getifaddrs(&ifas)) {
        ifas = NULL;
    }
    fabric_kern_underlay_begin();
    fabric_kern_iface_for_each(fabric_kern_underlay_want);
    seqno = seq_read(fabric_inlet_seq());
    CMAP_FOR_EACH (f, name_node, &fabrics_by_name) {
        if (takes_part(f)) {
            want_local_interfaces(f, ifas);
            any = true;
        }
    }
    for (int i = 0; any && i < FABRIC_INLET_MAX; i++) {
        if (fabric_inlet_get(i)) {
            fabric_kern_underlay_want(fabric_inlet_get(i));
        }
    }
    fabric_kern_underlay_end();
    if (ifas) {
        freeifaddrs(ifas);
    }
}

bool
fabric_kern_inlets_changed(void)
{
    return seq_read(fabric_inlet_seq()) != seqno;
}

void
fabric_kern_inlets_wait(void)
{
    seq_wait(fabric_inlet_seq(), seqno);
}
