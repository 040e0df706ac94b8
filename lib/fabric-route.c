/* SPDX-License-Identifier: Apache-2.0 */

/* That a path has become narrower is an exception to its route, of which
 * netlink does not tell.  Over IPv6, where routers do not fragment, it follows
 * from an ICMPv6 message.  A raw socket gets those too, which is reason to ask
 * for routes again; what is in them is the kernel's to judge.  Over IPv4 we
 * let routers fragment. */

#include <config.h>

#include "fabric-route.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fabric-monitor.h"
#include "netlink-socket.h"
#include "netlink.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "socket-util.h"
#include "timeval.h"
#include "unaligned.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(fabric_route);

/* Linux 4.17+. */
#define OUR_RTA_IP_PROTO 27
#define OUR_RTA_SPORT 28
#define OUR_RTA_DPORT 29

static struct nl_sock *monitor;

/* Messages "packet too big".  A raw socket gets them before the route gets its
 * exception, hence the delay, in ms.  The interval bounds what a flood of them
 * can cost. */
#define TOO_BIG_DELAY 10
#define TOO_BIG_INTERVAL 1000
#define TOO_BIG_BURST 64
static int too_big_fd = -1;
static long long int too_big_due = LLONG_MAX;   /* To be told then. */
static long long int too_big_next;              /* Not before. */

static void
put_ip(struct ofpbuf *request, int type, const struct in6_addr *ip)
{
    if (IN6_IS_ADDR_V4MAPPED(ip)) {
        nl_msg_put_be32(request, type, in6_addr_get_mapped_ipv4(ip));
    } else {
        nl_msg_put_in6_addr(request, type, ip);
    }
}

static int
get_device_mtu(uint32_t ifindex, uint32_t *mtu)
{
    struct ifreq ifr;
    int error;

    if (!if_indextoname(ifindex, ifr.ifr_name)) {
        return errno;
    }
    error = af_inet_ioctl(SIOCGIFMTU, &ifr);
    if (!error) {
        *mtu = ifr.ifr_mtu;
    }
    return error;
}

static bool
parse_ip(const void *p, size_t size, struct in6_addr *ip)
{
    if (size == sizeof(ovs_be32)) {
        in6_addr_set_mapped_ipv4(ip, get_unaligned_be32(p));
    } else if (size == sizeof *ip) {
        memcpy(ip, p, sizeof *ip);
    } else {
        return false;
    }
    return true;
}

/* Takes the interface, the gateway if there is one and, if the route has one
 * of its own, the MTU from 'reply'. */
static int
parse_reply(struct ofpbuf *reply, struct fabric_route *route)
{
    static const struct nl_policy policy[] = {
        [RTA_OIF] = { .type = NL_A_U32, .optional = true },
        [RTA_METRICS] = { .type = NL_A_NESTED, .optional = true },
        [RTA_GATEWAY] = { .type = NL_A_UNSPEC, .optional = true },
        [RTA_VIA] = { .type = NL_A_UNSPEC, .optional = true,
                      .min_len = sizeof(struct rtvia) },
    };
    struct nlattr *attrs[ARRAY_SIZE(policy)];
    const struct rtmsg *rtm;
    int error;

    if (!nl_policy_parse(reply, NLMSG_HDRLEN + sizeof *rtm, policy, attrs,
                         ARRAY_SIZE(policy))) {
        return EPROTO;
    }
    rtm = ofpbuf_at_assert(reply, NLMSG_HDRLEN, sizeof *rtm);
    if (rtm->rtm_type != RTN_UNICAST || !attrs[RTA_OIF]) {
        return EHOSTUNREACH;
    }
    if (attrs[RTA_GATEWAY]
        && !parse_ip(nl_attr_get(attrs[RTA_GATEWAY]),
                     nl_attr_get_size(attrs[RTA_GATEWAY]),
                     &route->next_hop)) {
        return EPROTO;
    }
    if (attrs[RTA_VIA]) {
        const struct rtvia *via = nl_attr_get(attrs[RTA_VIA]);

        if (!parse_ip(via->rtvia_addr,
                      nl_attr_get_size(attrs[RTA_VIA]) - sizeof *via,
                      &route->next_hop)) {
            return EPROTO;
        }
    }
    route->ifindex = nl_attr_get_u32(attrs[RTA_OIF]);
    error = get_device_mtu(route->ifindex, &route->mtu);
    if (!error && attrs[RTA_METRICS]) {
        const struct nlattr *a = nl_attr_find_nested(attrs[RTA_METRICS],
                                                     RTAX_MTU);

        if (a && nl_attr_get_size(a) == sizeof(uint32_t)
            && nl_attr_get_u32(a)) {
            route->mtu = MIN(route->mtu, nl_attr_get_u32(a));
        }
    }
    return error;
}

int
fabric_route_lookup(const struct in6_addr *local_ip, ovs_be16 src_port,
                    const struct in6_addr *remote_ip, ovs_be16 dst_port,
                    struct fabric_route *route)
{
    bool v4 = IN6_IS_ADDR_V4MAPPED(local_ip);
    struct ofpbuf request, *reply;
    struct rtmsg *rtm;
    int error;

    ofpbuf_init(&request, 0);
    nl_msg_put_nlmsghdr(&request, sizeof *rtm, RTM_GETROUTE, NLM_F_REQUEST);
    rtm = ofpbuf_put_zeros(&request, sizeof *rtm);
    rtm->rtm_family = v4 ? AF_INET : AF_INET6;
    rtm->rtm_src_len = rtm->rtm_dst_len = v4 ? 32 : 128;
    put_ip(&request, RTA_SRC, local_ip);
    put_ip(&request, RTA_DST, remote_ip);
    nl_msg_put_u8(&request, OUR_RTA_IP_PROTO, IPPROTO_UDP);
    nl_msg_put_be16(&request, OUR_RTA_SPORT, src_port);
    nl_msg_put_be16(&request, OUR_RTA_DPORT, dst_port);

    error = nl_transact(NETLINK_ROUTE, &request, &reply);
    ofpbuf_uninit(&request);
    if (!error) {
        route->next_hop = *remote_ip;
        error = parse_reply(reply, route);
        ofpbuf_delete(reply);
    }
    return error;
}

static void
open_too_big(void)
{
    struct icmp6_filter filter;
    int fd = socket(AF_INET6, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
                    IPPROTO_ICMPV6);

    ICMP6_FILTER_SETBLOCKALL(&filter);
    ICMP6_FILTER_SETPASS(ICMP6_PACKET_TOO_BIG, &filter);
    if (fd >= 0 && setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter,
                              sizeof filter)) {
        close(fd);
        fd = -1;
    }
    if (fd < 0 && errno != EAFNOSUPPORT) {
        VLOG_WARN("that a path over IPv6 is narrow will not be noticed (%s)",
                  ovs_strerror(errno));
    }
    too_big_fd = fd;
}

/* Has the MTU of a path perhaps become less? */
static bool
too_big(void)
{
    long long int now = time_msec();
    uint8_t byte;

    for (int i = 0; i < TOO_BIG_BURST && too_big_fd >= 0
                    && recv(too_big_fd, &byte, sizeof byte, 0) >= 0; i++) {
        too_big_due = MIN(too_big_due, MAX(now + TOO_BIG_DELAY,
                                           too_big_next));
    }
    if (now < too_big_due) {
        return false;
    }
    too_big_due = LLONG_MAX;
    too_big_next = now + TOO_BIG_INTERVAL;
    return true;
}

bool
fabric_route_changed(void)
{
    static const unsigned int groups[] = {
        RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
        RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
        RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE,
    };
    static bool opened;

    if (!opened) {
        opened = true;
        monitor = fabric_monitor_open(groups, ARRAY_SIZE(groups),
                                      "changes of routes will not be noticed");
        open_too_big();
        return true;
    }
    bool routes = monitor && fabric_monitor_read(monitor);

    return too_big() || routes;
}

void
fabric_route_wait(void)
{
    if (monitor) {
        nl_sock_wait(monitor, POLLIN);
    }
    if (too_big_due != LLONG_MAX) {
        poll_timer_wait_until(too_big_due);
    } else if (too_big_fd >= 0) {
        poll_fd_wait(too_big_fd, POLLIN);
    }
}
