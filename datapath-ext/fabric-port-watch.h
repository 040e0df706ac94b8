/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_PORT_WATCH_H
#define FABRIC_PORT_WATCH_H 1

/* What others do to the interface of a workload's port.
 * =====================================================
 *
 * A packet that bpf_redirect_peer() takes into a workload's namespace passes
 * the host's end of the veth by: no queueing discipline, filter, capture or
 * XDP program of the other end's driver sees it.  So that is done only where
 * there is none of these.  bpf_redirect() to the host's end meets all of them
 * but netfilter's egress hook, which is asked for userspace's packets only.
 *
 * Filters of others at the ingress may take packets before our program does,
 * but a packet socket sees them first, so that such a port is left to that.
 *
 * Thread-safety: main thread only. */

#include <stdbool.h>
#include <stdint.h>

#include "fabric-kern-peer.h"

struct fabric_port_watch {
    /* As found at the last look. */
    struct fabric_kern_peer peer;       /* Zero if not known. */
    bool gone;                  /* Is there no such interface? */
    bool filtered;              /* Is the ingress not left to us? */
    bool redirect_peer;         /* May packets go to the other end? */
    const char *no_output;      /* Why the kernel may not send there at all, or
                                 * NULL. */

    bool touched;               /* Is it to be looked at ... */
    long long int next_look;    /* ... not before this? */

    long long int contested;    /* No program there before. */
    unsigned int n_lost;        /* Removals since 'first_lost'. */
    long long int first_lost;
};

/* What follows from a look: bits. */
#define FABRIC_PORT_WATCH_RECONFIGURE (1 << 0)  /* Receive in another way. */
#define FABRIC_PORT_WATCH_LOST (1 << 1)         /* The program is not there. */
#define FABRIC_PORT_WATCH_FLOWS (1 << 2)        /* Compile flows again. */

/* May our program be put on 'ifindex' now?  Notes the answer in 'w'. */
bool fabric_port_watch_may_take(struct fabric_port_watch *w,
                                uint32_t ifindex);

/* Forgets what was found, not what others have done. */
void fabric_port_watch_forget(struct fabric_port_watch *w);

/* To be called before one or more ports are looked at. */
void fabric_port_watch_begin(void);

/* Looks at the interface called 'name' that was 'ifindex' when its packets
 * began to be received, through the channel if 'taken', where our program is
 * if 'attached'.  Returns FABRIC_PORT_WATCH_*. */
int fabric_port_watch_look(struct fabric_port_watch *w, const char *name,
                           uint32_t ifindex, bool taken, bool attached);

#endif /* fabric-port-watch.h */
