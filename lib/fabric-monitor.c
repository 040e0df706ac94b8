/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-monitor.h"

#include <errno.h>
#include <sys/socket.h>
#include <linux/netlink.h>

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

bool
fabric_monitor_read(struct nl_sock *sock)
{
    uint64_t stub[512];
    struct ofpbuf buf;
    bool any = false;

    ofpbuf_use_stub(&buf, stub, sizeof stub);
    for (;;) {
        int error = nl_sock_recv(sock, &buf, NULL, false);

        if (error == EAGAIN) {
            break;
        }
        any = true;
        if (error && error != ENOBUFS) {
            break;
        }
    }
    ofpbuf_uninit(&buf);
    return any;
}
