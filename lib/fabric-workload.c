/* SPDX-License-Identifier: Apache-2.0 */

/* What workload ports need beyond what Open vSwitch gives them. */

#include <config.h>

#include "fabric-hooks.h"

#include <errno.h>
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

void
fabric_workload_socket_opened(int fd)
{
    int size = RECEIVE_BUFFER;

    /* Forcing takes a privilege; otherwise as much as the host allows. */
    if ((userspace_tso_enabled() || !cmap_is_empty(&fabrics_by_name))
        && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size)
        && setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size)) {
        VLOG_WARN("workload port keeps its small receive buffer (%s)",
                  ovs_strerror(errno));
    }
}
