/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-netevent.h"

#include <linux/neighbour.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "netlink.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "unaligned.h"
#include "util.h"

/* Linux 5.11+, of <linux/rtnetlink.h>. */
#define OUR_RTM_NEWNEXTHOPBUCKET 116

#define NUD_USABLE (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE \
                    | NUD_NOARP | NUD_PERMANENT)

bool
fabric_netevent_parse_ip(const struct nlattr *a, struct in6_addr *ip)
{
    if (a && nl_attr_get_size(a) == sizeof(ovs_be32)) {
        in6_addr_set_mapped_ipv4(ip, nl_attr_get_be32(a));
    } else if (a && nl_attr_get_size(a) == sizeof *ip) {
        *ip = nl_attr_get_in6_addr(a);
    } else {
        return false;
    }
    return true;
}

bool
fabric_netevent_parse_prefix(const struct nlattr *a, int family,
                             unsigned int plen, struct in6_addr *ip,
                             unsigned int *mapped_plen)
{
    bool v4 = family == AF_INET;
    struct in6_addr mask;

    if ((!v4 && family != AF_INET6) || plen > (v4 ? 32 : 128)) {
        return false;
    }
    *ip = in6addr_any;
    if (v4) {
        in6_addr_set_mapped_ipv4(ip, 0);
    }
    if (plen && (!fabric_netevent_parse_ip(a, ip)
                 || v4 != IN6_IS_ADDR_V4MAPPED(ip))) {
        return false;
    }
    *mapped_plen = plen + (v4 ? 96 : 0);
    mask = ipv6_create_mask(*mapped_plen);
    *ip = ipv6_addr_bitand(ip, &mask);
    return true;
}

static bool
parse_link(const struct ofpbuf *msg, struct fabric_netevent *event)
{
    static const struct nl_policy policy[] = {
        [IFLA_MTU] = { .type = NL_A_U32, .optional = true },
        [IFLA_MASTER] = { .type = NL_A_U32, .optional = true },
    };
    struct nlattr *attrs[ARRAY_SIZE(policy)];
    const struct ifinfomsg *ifi;

    if (!nl_policy_parse(msg, NLMSG_HDRLEN + sizeof *ifi, policy, attrs,
                         ARRAY_SIZE(policy))) {
        return false;
    }
    ifi = ofpbuf_at_assert(msg, NLMSG_HDRLEN, sizeof *ifi);
    if (ifi->ifi_family == AF_BRIDGE) {
        return false;
    }
    event->type = FABRIC_NETEVENT_LINK;
    event->ifindex = ifi->ifi_index;
    event->config = ifi->ifi_family == AF_INET6;
    event->flags = ifi->ifi_flags;
    event->mtu = attrs[IFLA_MTU] ? nl_attr_get_u32(attrs[IFLA_MTU]) : 0;
    event->master
        = attrs[IFLA_MASTER] ? nl_attr_get_u32(attrs[IFLA_MASTER]) : 0;
    return true;
}

static bool
parse_address(const struct ofpbuf *msg, struct fabric_netevent *event)
{
    static const struct nl_policy policy[] = {
        [IFA_ADDRESS] = { .type = NL_A_UNSPEC, .optional = true },
        [IFA_LOCAL] = { .type = NL_A_UNSPEC, .optional = true },
    };
    struct nlattr *attrs[ARRAY_SIZE(policy)];
    const struct ifaddrmsg *ifa;

    if (!nl_policy_parse(msg, NLMSG_HDRLEN + sizeof *ifa, policy, attrs,
                         ARRAY_SIZE(policy))
        || !fabric_netevent_parse_ip(attrs[IFA_LOCAL] ? attrs[IFA_LOCAL]
                                     : attrs[IFA_ADDRESS], &event->ip)) {
        return false;
    }
    ifa = ofpbuf_at_assert(msg, NLMSG_HDRLEN, sizeof *ifa);
    event->type = FABRIC_NETEVENT_ADDRESS;
    event->ifindex = ifa->ifa_index;
    return true;
}

static void
add_ifindex(struct fabric_netevent *event, uint32_t ifindex)
{
    if (ifindex && event->n_ifindexes < FABRIC_NETEVENT_MAX_IFS) {
        event->ifindexes[event->n_ifindexes++] = ifindex;
    }
}

static void
add_hops(struct fabric_netevent *event, const struct nlattr *multipath)
{
    const uint8_t *p = nl_attr_get(multipath);
    size_t left = nl_attr_get_size(multipath);
    const struct rtnexthop *hop;

    while (left >= sizeof *hop) {
        hop = ALIGNED_CAST(const struct rtnexthop *, p);
        if (hop->rtnh_len < sizeof *hop || hop->rtnh_len > left) {
            break;
        }
        add_ifindex(event, hop->rtnh_ifindex);
        left -= MIN(left, RTNH_ALIGN(hop->rtnh_len));
        p += RTNH_ALIGN(hop->rtnh_len);
    }
}

static bool
parse_route(const struct ofpbuf *msg, struct fabric_netevent *event)
{
    static const struct nl_policy policy[] = {
        [RTA_DST] = { .type = NL_A_UNSPEC, .optional = true },
        [RTA_OIF] = { .type = NL_A_U32, .optional = true },
        [RTA_MULTIPATH] = { .type = NL_A_UNSPEC, .optional = true },
        [RTA_TABLE] = { .type = NL_A_U32, .optional = true },
    };
    struct nlattr *attrs[ARRAY_SIZE(policy)];
    const struct rtmsg *rtm;

    if (!nl_policy_parse(msg, NLMSG_HDRLEN + sizeof *rtm, policy, attrs,
                         ARRAY_SIZE(policy))) {
        return false;
    }
    rtm = ofpbuf_at_assert(msg, NLMSG_HDRLEN, sizeof *rtm);
    if (!fabric_netevent_parse_prefix(attrs[RTA_DST], rtm->rtm_family,
                                      rtm->rtm_dst_len, &event->ip,
                                      &event->plen)) {
        return false;
    }
    event->type = FABRIC_NETEVENT_ROUTE;
    event->table = (attrs[RTA_TABLE] ? nl_attr_get_u32(attrs[RTA_TABLE])
                    : rtm->rtm_table);
    event->n_ifindexes = 0;
    if (attrs[RTA_OIF]) {
        add_ifindex(event, nl_attr_get_u32(attrs[RTA_OIF]));
    }
    if (attrs[RTA_MULTIPATH]) {
        add_hops(event, attrs[RTA_MULTIPATH]);
    }
    return true;
}

static bool
parse_nexthop(const struct ofpbuf *msg, struct fabric_netevent *event)
{
    static const struct nl_policy policy[] = {
        [NHA_ID] = { .type = NL_A_U32 },
    };
    struct nlattr *attrs[ARRAY_SIZE(policy)];

    if (!nl_policy_parse(msg, NLMSG_HDRLEN + sizeof(struct nhmsg), policy,
                         attrs, ARRAY_SIZE(policy))) {
        return false;
    }
    event->type = FABRIC_NETEVENT_NEXTHOP;
    event->nexthop = nl_attr_get_u32(attrs[NHA_ID]);
    return true;
}

static bool
parse_neighbor(const struct ofpbuf *msg, struct fabric_netevent *event)
{
    static const struct nl_policy policy[] = {
        [NDA_DST] = { .type = NL_A_UNSPEC, .optional = true },
    };
    struct nlattr *attrs[ARRAY_SIZE(policy)];
    const struct ndmsg *ndm;

    if (!nl_policy_parse(msg, NLMSG_HDRLEN + sizeof *ndm, policy, attrs,
                         ARRAY_SIZE(policy))
        || !fabric_netevent_parse_ip(attrs[NDA_DST], &event->ip)) {
        return false;
    }
    ndm = ofpbuf_at_assert(msg, NLMSG_HDRLEN, sizeof *ndm);
    if (ndm->ndm_family != AF_INET && ndm->ndm_family != AF_INET6) {
        return false;
    }
    event->type = FABRIC_NETEVENT_NEIGHBOR;
    event->ifindex = ndm->ndm_ifindex;
    event->valid = !event->gone && ndm->ndm_state & NUD_USABLE;
    return true;
}

bool
fabric_netevent_parse(const struct ofpbuf *msg, struct fabric_netevent *event)
{
    uint16_t type = nl_msg_nlmsghdr(msg)->nlmsg_type;

    event->gone = (type == RTM_DELLINK || type == RTM_DELADDR
                   || type == RTM_DELROUTE || type == RTM_DELRULE
                   || type == RTM_DELNEXTHOP || type == RTM_DELNEIGH);
    switch (type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
        return parse_link(msg, event);
    case RTM_NEWADDR:
    case RTM_DELADDR:
        return parse_address(msg, event);
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
        return parse_route(msg, event);
    case RTM_NEWRULE:
    case RTM_DELRULE:
        event->type = FABRIC_NETEVENT_RULE;
        return fabric_rule_parse(msg, &event->rule);
    case RTM_NEWNEXTHOP:
    case RTM_DELNEXTHOP:
    case OUR_RTM_NEWNEXTHOPBUCKET:
        return parse_nexthop(msg, event);
    case RTM_NEWNEIGH:
    case RTM_DELNEIGH:
        return parse_neighbor(msg, event);
    default:
        return false;
    }
}
