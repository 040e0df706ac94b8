/* SPDX-License-Identifier: Apache-2.0 */

/* The kernel cuts what it sends by an interface that claims not to know TCP
 * segmentation, and veth hands such packets to GRO, which joins them to what
 * the other end's limit allows.  No payload is copied, and checksums stay to
 * be finished. */

#include <config.h>

#include "fabric-loop.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fabric-filters.h"
#include "fabric-kern.h"
#include "netlink-socket.h"
#include "netlink.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(fabric_loop);

/* Newer than the headers that may be installed. */
#define ATTR_GRO_MAX_SIZE 58
#define ATTR_GRO_IPV4_MAX_SIZE 64

/* Leaves room for the outer header. */
#define GRO_MAX_SIZE 64000
#define MTU 65535

static uint32_t out, in;
static bool attached;

static void
put_link(struct ofpbuf *request, uint16_t type, uint16_t flags, uint32_t index)
{
    struct ifinfomsg *ifi;

    ofpbuf_init(request, 0);
    nl_msg_put_nlmsghdr(request, 0, type, NLM_F_REQUEST | NLM_F_ACK | flags);
    ifi = ofpbuf_put_zeros(request, sizeof *ifi);
    ifi->ifi_index = index;
}

static int
transact(struct ofpbuf *request)
{
    int error = nl_transact(NETLINK_ROUTE, request, NULL);

    ofpbuf_uninit(request);
    return error;
}

static int
create(void)
{
    struct ofpbuf request;
    size_t info, data, peer;

    put_link(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
    nl_msg_put_string(&request, IFLA_IFNAME, FABRIC_LOOP_OUT);
    info = nl_msg_start_nested(&request, IFLA_LINKINFO);
    nl_msg_put_string(&request, IFLA_INFO_KIND, "veth");
    data = nl_msg_start_nested(&request, IFLA_INFO_DATA);
    peer = nl_msg_start_nested(&request, VETH_INFO_PEER);
    ofpbuf_put_zeros(&request, sizeof(struct ifinfomsg));
    nl_msg_put_string(&request, IFLA_IFNAME, FABRIC_LOOP_IN);
    nl_msg_end_nested(&request, peer);
    nl_msg_end_nested(&request, data);
    nl_msg_end_nested(&request, info);
    return transact(&request);
}

static int
set_offload(int sock, const char *name, uint32_t cmd, bool on)
{
    struct ethtool_value value = { .cmd = cmd, .data = on };
    struct ifreq ifr = { .ifr_data = (void *) &value };

    ovs_strlcpy(ifr.ifr_name, name, sizeof ifr.ifr_name);
    return ioctl(sock, SIOCETHTOOL, &ifr) ? errno : 0;
}

/* No address, so that the host says nothing there by itself. */
static void
disable_ipv6(const char *name)
{
    char *path = xasprintf("/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
    FILE *f = fopen(path, "w");

    if (f) {
        fputs("1", f);
        fclose(f);
    }
    free(path);
}

static int
bring_up(uint32_t index)
{
    struct ofpbuf request;
    struct ifinfomsg *ifi;

    /* Kernels that do not know it have no such super-frames. */
    put_link(&request, RTM_SETLINK, 0, index);
    nl_msg_put_u32(&request, ATTR_GRO_IPV4_MAX_SIZE, GRO_MAX_SIZE);
    transact(&request);
    put_link(&request, RTM_SETLINK, 0, index);
    nl_msg_put_u32(&request, ATTR_GRO_MAX_SIZE, GRO_MAX_SIZE);
    transact(&request);

    put_link(&request, RTM_SETLINK, 0, index);
    ifi = ofpbuf_at_assert(&request, NLMSG_HDRLEN, sizeof *ifi);
    ifi->ifi_flags = ifi->ifi_change = IFF_UP;
    nl_msg_put_u32(&request, IFLA_MTU, MTU);
    return transact(&request);
}

static int
set_up(void)
{
    int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int error;

    if (sock < 0) {
        return errno;
    }
    error = set_offload(sock, FABRIC_LOOP_OUT, ETHTOOL_STSO, false);
    if (!error) {
        error = set_offload(sock, FABRIC_LOOP_IN, ETHTOOL_SGRO, true);
    }
    close(sock);
    disable_ipv6(FABRIC_LOOP_OUT);
    disable_ipv6(FABRIC_LOOP_IN);
    if (!error) {
        error = bring_up(if_nametoindex(FABRIC_LOOP_OUT));
    }
    return error ? error : bring_up(if_nametoindex(FABRIC_LOOP_IN));
}

int
fabric_loop_open(void)
{
    int error;

    if (out && if_nametoindex(FABRIC_LOOP_OUT) == out
        && if_nametoindex(FABRIC_LOOP_IN) == in) {
        return 0;
    }
    out = in = 0;
    attached = false;
    error = create();
    if (!error || error == EEXIST) {
        error = set_up();
    }
    if (error) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 1);

        VLOG_INFO_RL(&rl, "super-frames of more than 64 kB go through "
                     "userspace: no interfaces to cut them (%s)",
                     ovs_strerror(error));
        return error;
    }
    out = if_nametoindex(FABRIC_LOOP_OUT);
    in = if_nametoindex(FABRIC_LOOP_IN);
    return 0;
}

void
fabric_loop_take_over(void)
{
    if (in && !attached) {
        attached = !fabric_kern_attach(in, FABRIC_KERN_FROM_PORT);
    }
}

void
fabric_loop_destroy(void)
{
    out = in = 0;
    attached = false;
    fabric_filters_remove_loop(false, NULL);
}

uint32_t
fabric_loop_out(void)
{
    return out;
}

uint32_t
fabric_loop_in(void)
{
    return in;
}
