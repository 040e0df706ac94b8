/* SPDX-License-Identifier: Apache-2.0 */

/* One usable path is an answer, so this costs something only when there is
 * none. */

#include <config.h>
#include "fabric-live.h"

#include <string.h>

#include "connectivity.h"
#include "fabric-hooks.h"
#include "fabric-private.h"
#include "netdev.h"
#include "seq.h"

static uint64_t registry_seqno;

bool
fabric_is_live(const struct fabric *f)
{
    const struct fabric_endpoint *ep;
    bool live = cmap_is_empty(&f->by_id);

    ovs_mutex_lock(&fabric_table_mutex);
    CMAP_FOR_EACH (ep, id_node, &f->by_id) {
        for (size_t i = 0; i < ep->n_paths && !live; i++) {
            live = fabric_table_is_usable(ep->paths[i]->index);
        }
        if (live) {
            break;
        }
    }
    ovs_mutex_unlock(&fabric_table_mutex);
    return live;
}

bool
fabric_port_is_live(const struct netdev *netdev)
{
    const struct fabric *f
        = (!strcmp(netdev_get_type(netdev), "fabric")
           ? fabric_registry_lookup(netdev_get_name(netdev)) : NULL);

    return !f || fabric_is_live(f);
}

void
fabric_live_run(void)
{
    uint64_t seqno = seq_read(fabric_registry_seq());
    struct fabric **fabrics;
    size_t n;

    if (seqno == registry_seqno) {
        return;
    }
    registry_seqno = seqno;

    n = fabric_registry_list(&fabrics);
    for (size_t i = 0; i < n; i++) {
        bool dead = !fabric_is_live(fabrics[i]);

        if (dead != fabrics[i]->dead) {
            fabrics[i]->dead = dead;
            seq_change(connectivity_seq_get());
        }
    }
    free(fabrics);
}

void
fabric_live_wait(void)
{
    seq_wait(fabric_registry_seq(), registry_seqno);
}
