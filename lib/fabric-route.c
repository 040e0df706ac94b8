/* SPDX-License-Identifier: Apache-2.0 */

/* The kernel answers as for a socket that is not connected: it applies policy
 * routing, the choice among equal-cost routes (the hash policies that use the
 * ports as well, since these are given), the state of links and neighbors, and
 * exceptions such as a path's MTU. */

#include <config.h>

#include "fabric-route.h"

#include <errno.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/ipv6.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "coverage.h"
#include "fabric-netevent.h"
#include "fabric-nexthop.h"
#include "netlink-socket.h"
#include "netlink.h"
#include "openvswitch/ofpbuf.h"
#include "ovs-thread.h"
#include "packets.h"
#include "unaligned.h"
#include "util.h"

COVERAGE_DEFINE(fabric_route_lookup);

/* Linux 4.17+. */
#define OUR_RTA_IP_PROTO 27
#define OUR_RTA_SPORT 28
#define OUR_RTA_DPORT 29

static void
put_ip(struct ofpbuf *request, int type, const struct in6_addr *ip)
{
    if (IN6_IS_ADDR_V4MAPPED(ip)) {
        nl_msg_put_be32(request, type, in6_addr_get_mapped_ipv4(ip));
    } else {
        nl_msg_put_in6_addr(request, type, ip);
    }
}

static bool
parse_gateway(const struct nlattr *gateway, const struct nlattr *via,
              struct in6_addr *ip)
{
    if (via) {
        const struct rtvia *v = nl_attr_get(via);
        size_t size = MAX(nl_attr_get_size(via), sizeof *v) - sizeof *v;

        if (size == sizeof(ovs_be32)) {
            in6_addr_set_mapped_ipv4(
                ip, get_unaligned_be32((const void *) v->rtvia_addr));
        } else if (size == sizeof *ip) {
            memcpy(ip, v->rtvia_addr, sizeof *ip);
        } else {
            return false;
        }
        return true;
    }
    return !gateway || fabric_netevent_parse_ip(gateway, ip);
}

/* Takes the interface, the gateway if there is one and, if the route has one
 * of its own, the MTU from 'reply'. */
static int
parse_reply(const struct ofpbuf *reply, struct fabric_route *route)
{
    static const struct nl_policy policy[] = {
        [RTA_OIF] = { .type = NL_A_U32, .optional = true },
        [RTA_METRICS] = { .type = NL_A_NESTED, .optional = true },
        [RTA_GATEWAY] = { .type = NL_A_UNSPEC, .optional = true },
        [RTA_VIA] = { .type = NL_A_UNSPEC, .optional = true,
                      .min_len = sizeof(struct rtvia) },
        [RTA_ENCAP] = { .type = NL_A_UNSPEC, .optional = true },
        [RTA_ENCAP_TYPE] = { .type = NL_A_UNSPEC, .optional = true },
        [RTA_NEWDST] = { .type = NL_A_UNSPEC, .optional = true },
    };
    struct nlattr *attrs[ARRAY_SIZE(policy)];
    const struct rtmsg *rtm;

    if (!nl_policy_parse(reply, NLMSG_HDRLEN + sizeof *rtm, policy, attrs,
                         ARRAY_SIZE(policy))) {
        return EPROTO;
    }
    rtm = ofpbuf_at_assert(reply, NLMSG_HDRLEN, sizeof *rtm);
    if (rtm->rtm_type != RTN_UNICAST || !attrs[RTA_OIF]) {
        return EHOSTUNREACH;
    }
    if (!parse_gateway(attrs[RTA_GATEWAY], attrs[RTA_VIA],
                       &route->next_hop)) {
        return EPROTO;
    }
    route->ifindex = nl_attr_get_u32(attrs[RTA_OIF]);
    route->encapsulated = (attrs[RTA_ENCAP] || attrs[RTA_ENCAP_TYPE]
                           || attrs[RTA_NEWDST]);
    if (attrs[RTA_METRICS]) {
        const struct nlattr *a = nl_attr_find_nested(attrs[RTA_METRICS],
                                                     RTAX_MTU);

        if (a && nl_attr_get_size(a) == sizeof(uint32_t)
            && nl_attr_get_u32(a)) {
            route->mtu = nl_attr_get_u32(a);
        }
    }
    return 0;
}

static int
ask(const struct in6_addr *local_ip, ovs_be16 src_port,
    const struct in6_addr *remote_ip, ovs_be16 dst_port, unsigned int flags,
    struct ofpbuf **replyp)
{
    bool v4 = IN6_IS_ADDR_V4MAPPED(local_ip);
    struct ofpbuf request;
    struct rtmsg *rtm;
    int error;

    ofpbuf_init(&request, 0);
    nl_msg_put_nlmsghdr(&request, sizeof *rtm, RTM_GETROUTE, NLM_F_REQUEST);
    rtm = ofpbuf_put_zeros(&request, sizeof *rtm);
    rtm->rtm_family = v4 ? AF_INET : AF_INET6;
    rtm->rtm_src_len = rtm->rtm_dst_len = v4 ? 32 : 128;
    rtm->rtm_flags = flags;
    put_ip(&request, RTA_SRC, local_ip);
    put_ip(&request, RTA_DST, remote_ip);
    nl_msg_put_u8(&request, OUR_RTA_IP_PROTO, IPPROTO_UDP);
    nl_msg_put_be16(&request, OUR_RTA_SPORT, src_port);
    nl_msg_put_be16(&request, OUR_RTA_DPORT, dst_port);
    if (fabric_route_vrf()) {
        nl_msg_put_u32(&request, RTA_OIF, fabric_route_vrf());
    }
    error = nl_transact(NETLINK_ROUTE, &request, replyp);
    ofpbuf_uninit(&request);
    return error;
}

int
fabric_route_lookup(const struct in6_addr *local_ip, ovs_be16 src_port,
                    const struct in6_addr *remote_ip, ovs_be16 dst_port,
                    struct fabric_route *route)
{
    struct ofpbuf *reply;
    int error;

    COVERAGE_INC(fabric_route_lookup);
    memset(route, 0, sizeof *route);
    route->next_hop = *remote_ip;
    error = ask(local_ip, src_port, remote_ip, dst_port, 0, &reply);
    if (!error) {
        error = parse_reply(reply, route);
        ofpbuf_delete(reply);
    }
    return error;
}

uint32_t
fabric_route_get_mtu(const struct in6_addr *local_ip, ovs_be16 src_port,
                     const struct in6_addr *remote_ip, ovs_be16 dst_port)
{
    struct fabric_route_device dev;
    struct fabric_route route;

    if (fabric_route_lookup(local_ip, src_port, remote_ip, dst_port, &route)
        || fabric_route_get_device(route.ifindex, &dev)) {
        return 0;
    }
    return fabric_route_limit_mtu(&route, &dev, remote_ip);
}

/* Choices. */

static void
parse_multipath(const struct nlattr *multipath, struct fabric_nexthops *hops)
{
    const uint8_t *p = nl_attr_get(multipath);
    size_t left = nl_attr_get_size(multipath);
    const struct rtnexthop *hop;

    while (left >= sizeof *hop) {
        struct in6_addr gateway = in6addr_any;
        const struct nlattr *attrs;
        size_t size;

        hop = ALIGNED_CAST(const struct rtnexthop *, p);
        if (hop->rtnh_len < sizeof *hop || hop->rtnh_len > left) {
            break;
        }
        attrs = ALIGNED_CAST(const struct nlattr *, hop + 1);
        size = hop->rtnh_len - sizeof *hop;
        parse_gateway(nl_attr_find__(attrs, size, RTA_GATEWAY),
                      nl_attr_find__(attrs, size, RTA_VIA), &gateway);
        fabric_nexthops_add(hops, hop->rtnh_ifindex, &gateway);
        left -= MIN(left, RTNH_ALIGN(hop->rtnh_len));
        p += RTNH_ALIGN(hop->rtnh_len);
    }
}

static void
parse_match(const struct ofpbuf *reply, struct fabric_nexthops *hops,
            uint32_t *nexthop)
{
    static const struct nl_policy policy[] = {
        [RTA_OIF] = { .type = NL_A_U32, .optional = true },
        [RTA_GATEWAY] = { .type = NL_A_UNSPEC, .optional = true },
        [RTA_VIA] = { .type = NL_A_UNSPEC, .optional = true,
                      .min_len = sizeof(struct rtvia) },
        [RTA_MULTIPATH] = { .type = NL_A_UNSPEC, .optional = true },
        [RTA_NH_ID] = { .type = NL_A_U32, .optional = true },
    };
    struct nlattr *attrs[ARRAY_SIZE(policy)];
    struct in6_addr gateway = in6addr_any;

    if (!nl_policy_parse(reply, NLMSG_HDRLEN + sizeof(struct rtmsg), policy,
                         attrs, ARRAY_SIZE(policy))) {
        return;
    }
    if (attrs[RTA_NH_ID]) {
        *nexthop = nl_attr_get_u32(attrs[RTA_NH_ID]);
        fabric_nexthop_get(*nexthop, hops);
    } else if (attrs[RTA_MULTIPATH]) {
        parse_multipath(attrs[RTA_MULTIPATH], hops);
    } else if (attrs[RTA_OIF]) {
        parse_gateway(attrs[RTA_GATEWAY], attrs[RTA_VIA], &gateway);
        fabric_nexthops_add(hops, nl_attr_get_u32(attrs[RTA_OIF]), &gateway);
    }
}

void
fabric_route_get_hops(const struct in6_addr *local_ip, ovs_be16 src_port,
                      const struct in6_addr *remote_ip, ovs_be16 dst_port,
                      struct fabric_nexthops *hops, uint32_t *nexthop)
{
    struct ofpbuf *reply;

    COVERAGE_INC(fabric_route_lookup);
    fabric_nexthops_clear(hops);
    *nexthop = 0;
    if (!ask(local_ip, src_port, remote_ip, dst_port, RTM_F_FIB_MATCH,
             &reply)) {
        parse_match(reply, hops, nexthop);
        ofpbuf_delete(reply);
    }
}

/* Interfaces. */

/* Finds the MTU that IPv6 has on an interface, which routers may make less
 * than the interface's own (RFC 4861 section 4.6.4), in 'af_spec'. */
static uint32_t
parse_mtu6(const struct nlattr *af_spec)
{
    const struct nlattr *inet6 = nl_attr_find_nested(af_spec, AF_INET6);
    const struct nlattr *conf
        = inet6 ? nl_attr_find_nested(inet6, IFLA_INET6_CONF) : NULL;
    const int32_t *values = conf ? nl_attr_get(conf) : NULL;

    return (conf && nl_attr_get_size(conf) > DEVCONF_MTU6 * sizeof *values
            && values[DEVCONF_MTU6] > 0 ? values[DEVCONF_MTU6] : UINT32_MAX);
}

int
fabric_route_get_device(uint32_t ifindex, struct fabric_route_device *dev)
{
    static const struct nl_policy policy[] = {
        [IFLA_MTU] = { .type = NL_A_U32 },
        [IFLA_MASTER] = { .type = NL_A_U32, .optional = true },
        [IFLA_AF_SPEC] = { .type = NL_A_NESTED, .optional = true },
    };
    struct nlattr *attrs[ARRAY_SIZE(policy)];
    struct ofpbuf request, *reply;
    struct ifinfomsg *ifi;
    int error;

    ofpbuf_init(&request, 0);
    nl_msg_put_nlmsghdr(&request, sizeof *ifi, RTM_GETLINK, NLM_F_REQUEST);
    ifi = ofpbuf_put_zeros(&request, sizeof *ifi);
    ifi->ifi_index = ifindex;
    error = nl_transact(NETLINK_ROUTE, &request, &reply);
    ofpbuf_uninit(&request);
    if (error) {
        return error;
    }
    if (nl_policy_parse(reply, NLMSG_HDRLEN + sizeof *ifi, policy, attrs,
                        ARRAY_SIZE(policy))) {
        ifi = ofpbuf_at_assert(reply, NLMSG_HDRLEN, sizeof *ifi);
        dev->ethernet = ifi->ifi_type == ARPHRD_ETHER;
        dev->flags = ifi->ifi_flags;
        dev->master = (attrs[IFLA_MASTER]
                       ? nl_attr_get_u32(attrs[IFLA_MASTER]) : 0);
        dev->mtu = nl_attr_get_u32(attrs[IFLA_MTU]);
        dev->mtu6 = MIN(dev->mtu, (attrs[IFLA_AF_SPEC]
                                   ? parse_mtu6(attrs[IFLA_AF_SPEC])
                                   : UINT32_MAX));
    } else {
        error = EPROTO;
    }
    ofpbuf_delete(reply);
    return error;
}

uint32_t
fabric_route_limit_mtu(const struct fabric_route *route,
                       const struct fabric_route_device *dev,
                       const struct in6_addr *remote_ip)
{
    uint32_t mtu = IN6_IS_ADDR_V4MAPPED(remote_ip) ? dev->mtu : dev->mtu6;

    return route->mtu ? MIN(route->mtu, mtu) : mtu;
}

/* A process that "ip vrf exec" starts has its sockets bound to the VRF. */
uint32_t
fabric_route_vrf(void)
{
    static struct ovsthread_once once = OVSTHREAD_ONCE_INITIALIZER;
    static uint32_t vrf;

    if (ovsthread_once_start(&once)) {
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        int ifindex = 0;
        socklen_t len = sizeof ifindex;

        if (fd >= 0) {
            if (!getsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &ifindex,
                            &len)) {
                vrf = ifindex;
            }
            close(fd);
        }
        ovsthread_once_done(&once);
    }
    return vrf;
}
