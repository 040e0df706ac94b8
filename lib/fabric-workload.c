/* SPDX-License-Identifier: Apache-2.0 */

/* What workload ports need beyond what Open vSwitch gives them. */

#include <config.h>

#include "fabric-hooks.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

#include "fabric-private.h"
#include "openvswitch/vlog.h"
#include "smap.h"
#include "userspace-tso.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(fabric_workload);

/* A default socket holds three TCP super-frames or 90 packets of 1,500 bytes;
 * a sender with a usual congestion window has several times that under way.
 * The kernel doubles this. */
#define RECEIVE_BUFFER (4 * 1024 * 1024)

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

void
fabric_workload_socket_opened(int fd)
{
    int size = RECEIVE_BUFFER;
    int one = 1;

    if (!userspace_tso_enabled() && cmap_is_empty(&fabrics_by_name)) {
        return;
    }

    /* Forcing takes a privilege; otherwise as much as the host allows. */
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size)
        && setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size)) {
        VLOG_WARN("workload port keeps its small receive buffer (%s)",
                  ovs_strerror(errno));
    }

    /* netdev-linux's filter throws the clones away that the socket gets of
     * what is sent to the workload.  Linux 4.20+ need not make them. */
    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one);
}
