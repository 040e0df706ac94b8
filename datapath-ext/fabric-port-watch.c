/* SPDX-License-Identifier: Apache-2.0 */

/* Somebody who removes our program again and again, as another agent of the
 * same kind would, gets his way for some time. */

#include <config.h>

#include "fabric-port-watch.h"

#include <net/if.h>

#include "fabric-kern-tc.h"
#include "fabric-kern-watch.h"
#include "fabric-kern.h"
#include "fabric-netfilter.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(fabric_port_watch);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(10, 20);

/* A workload can touch its end as often as it likes. */
#define LOOK_INTERVAL 50        /* ms. */

#define MAX_LOST 5
#define CONTEST_INTERVAL 60000  /* ms. */

static struct fabric_kern_tc_set shaped = FABRIC_KERN_TC_SET_INITIALIZER;
static bool shaped_known;

static int
look_at_tc(uint32_t ifindex, struct fabric_kern_tc *tc)
{
    return fabric_kern_tc_look(ifindex,
                               fabric_kern_prog_id(FABRIC_KERN_FROM_PORT),
                               tc);
}

bool
fabric_port_watch_may_take(struct fabric_port_watch *w, uint32_t ifindex)
{
    struct fabric_kern_tc tc;

    w->filtered = (time_msec() < w->contested || look_at_tc(ifindex, &tc)
                   || tc.other_ingress);
    return !w->filtered;
}

void
fabric_port_watch_forget(struct fabric_port_watch *w)
{
    memset(&w->peer, 0, sizeof w->peer);
    w->gone = false;
    w->redirect_peer = false;
    w->no_output = NULL;
    w->touched = true;
    w->next_look = 0;
}

void
fabric_port_watch_begin(void)
{
    int error;

    fabric_kern_tc_set_destroy(&shaped);
    error = fabric_kern_tc_find_qdiscs(&shaped);
    shaped_known = !error;
    if (error) {
        VLOG_WARN_RL(&rl, "cannot read queueing disciplines (%s)",
                     ovs_strerror(error));
    }
}

/* Deals with the removal of our program from interface 'name'. */
static int
note_loss(struct fabric_port_watch *w, const char *name)
{
    long long int now = time_msec();

    if (now >= w->first_lost + CONTEST_INTERVAL) {
        w->first_lost = now;
        w->n_lost = 0;
    }
    if (++w->n_lost < MAX_LOST) {
        VLOG_WARN_RL(&rl, "%s: somebody has removed the program of the fast "
                     "path, attaching it again", name);
        return FABRIC_PORT_WATCH_LOST;
    }
    VLOG_WARN_RL(&rl, "%s: somebody removes the program of the fast path "
                 "again and again, userspace receives for %d s", name,
                 CONTEST_INTERVAL / 1000);
    w->contested = now + CONTEST_INTERVAL;
    w->filtered = true;
    return FABRIC_PORT_WATCH_LOST | FABRIC_PORT_WATCH_RECONFIGURE;
}

/* Looks at interface 'ifindex', which is received through the channel. */
static int
look_at_taken(struct fabric_port_watch *w, const char *name, uint32_t ifindex,
              bool attached)
{
    const char *no_output = w->no_output;
    struct fabric_kern_tc tc;
    int result = 0;
    bool has_peer;

    if (look_at_tc(ifindex, &tc)) {
        w->redirect_peer = false;
        return 0;
    }
    if (attached && !tc.ours) {
        result |= note_loss(w, name);
    }
    if (tc.other_ingress && !w->filtered) {
        VLOG_INFO("%s: there are filters of others at the ingress, userspace "
                  "receives", name);
        w->filtered = true;
        result |= FABRIC_PORT_WATCH_RECONFIGURE;
    }
    has_peer = fabric_kern_peer_get(ifindex, &w->peer);
    w->no_output = (fabric_netfilter_has_egress(name)
                    ? "a netfilter chain at the port's egress" : NULL);
    w->redirect_peer = (has_peer && !w->peer.xdp && !w->no_output
                        && !tc.other_egress && shaped_known
                        && !fabric_kern_tc_set_contains(&shaped, ifindex)
                        && !fabric_kern_watch_is_captured(ifindex));
    return w->no_output != no_output ? result | FABRIC_PORT_WATCH_FLOWS
                                     : result;
}

int
fabric_port_watch_look(struct fabric_port_watch *w, const char *name,
                       uint32_t ifindex, bool taken, bool attached)
{
    uint32_t now = if_nametoindex(name);

    w->touched = false;
    w->next_look = time_msec() + LOOK_INTERVAL;
    w->gone = !now;
    if (!now) {
        /* What has its number is another interface. */
        return FABRIC_PORT_WATCH_LOST;
    } else if (now != ifindex) {
        VLOG_INFO("%s: another interface has this name now", name);
        return FABRIC_PORT_WATCH_LOST | FABRIC_PORT_WATCH_RECONFIGURE;
    } else if (taken) {
        return look_at_taken(w, name, ifindex, attached);
    } else if (w->filtered && fabric_port_watch_may_take(w, ifindex)) {
        return FABRIC_PORT_WATCH_RECONFIGURE;
    }
    return 0;
}
