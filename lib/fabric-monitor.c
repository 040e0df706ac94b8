/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-monitor.h"

#include <errno.h>
#include <sys/socket.h>
#include <linux/netlink.h>

#include "fabric-netevent.h"
#include "netlink-socket.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(fabric_monitor);

struct nl_sock *
fabric_monitor_open(const unsigned int groups[], size_t n, const char *effect)
{
    struct nl_sock *sock;
    int error;

    error = nl_sock_create(NETLINK_ROUTE, &sock);
    for (size_t i = 0; !error && i < n; i++) {
        error = nl_sock_join_mcgroup(sock, groups[i]);
        if (error) {
            nl_sock_destroy(sock);
        }
    }
    if (error) {
        VLOG_WARN("%s (%s)", effect, ovs_strerror(error));
        return NULL;
    }
    return sock;
}

void
fabric_monitor_read(struct nl_sock *sock, fabric_monitor_cb *cb, void *aux)
{
    uint64_t stub[1024];
    struct ofpbuf buf;

    ofpbuf_use_stub(&buf, stub, sizeof stub);
    for (int i = 0; i < FABRIC_MONITOR_BURST; i++) {
        struct fabric_netevent event;
        int error = nl_sock_recv(sock, &buf, NULL, false);

        if (error && error != ENOBUFS) {
            break;
        }
        if (error) {
            event.type = FABRIC_NETEVENT_OVERFLOW;
        }
        if (error || fabric_netevent_parse(&buf, &event)) {
            cb(&event, aux);
        }
    }
    ofpbuf_uninit(&buf);
}
