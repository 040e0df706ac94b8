/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-kern-peer.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "netlink-socket.h"
#include "netlink.h"
#include "openvswitch/ofpbuf.h"
#include "util.h"

#ifndef IFLA_TARGET_NETNSID
#define IFLA_TARGET_NETNSID 46
#endif

static const struct nl_policy policy[] = {
    [IFLA_ADDRESS] = { .type = NL_A_UNSPEC, .min_len = 6, .max_len = 6,
                       .optional = true },
    [IFLA_LINK] = { .type = NL_A_U32, .optional = true },
    [IFLA_LINK_NETNSID] = { .type = NL_A_U32, .optional = true },
    [IFLA_LINKINFO] = { .type = NL_A_NESTED, .optional = true },
    [IFLA_XDP] = { .type = NL_A_NESTED, .optional = true },
};

/* Asks for interface 'ifindex' of namespace 'nsid' if nonnull, or of this one.
 * Returns the answer with '*attrs' inside, or NULL. */
static struct ofpbuf *
get_link(uint32_t ifindex, const uint32_t *nsid,
         struct nlattr *attrs[ARRAY_SIZE(policy)])
{
    struct ofpbuf request, *reply;
    struct ifinfomsg *ifi;
    int error;

    ofpbuf_init(&request, 0);
    nl_msg_put_nlmsghdr(&request, 0, RTM_GETLINK, NLM_F_REQUEST);
    ifi = ofpbuf_put_zeros(&request, sizeof *ifi);
    ifi->ifi_index = ifindex;
    if (nsid) {
        nl_msg_put_u32(&request, IFLA_TARGET_NETNSID, *nsid);
    }
    error = nl_transact(NETLINK_ROUTE, &request, &reply);
    ofpbuf_uninit(&request);
    if (!error && !nl_policy_parse(reply, NLMSG_HDRLEN + sizeof *ifi, policy,
                                   attrs, ARRAY_SIZE(policy))) {
        ofpbuf_delete(reply);
        error = EPROTO;
    }
    return error ? NULL : reply;
}

static bool
is_veth(const struct nlattr *linkinfo)
{
    const struct nlattr *kind
        = linkinfo ? nl_attr_find_nested(linkinfo, IFLA_INFO_KIND) : NULL;

    return kind && !strcmp(nl_attr_get_string(kind), "veth");
}

/* A program that the stack runs is run behind the driver, too. */
static bool
has_driver_xdp(const struct nlattr *xdp)
{
    const struct nlattr *mode
        = xdp ? nl_attr_find_nested(xdp, IFLA_XDP_ATTACHED) : NULL;

    return mode && nl_attr_get_u8(mode) != XDP_ATTACHED_NONE
           && nl_attr_get_u8(mode) != XDP_ATTACHED_SKB;
}

bool
fabric_kern_peer_get(uint32_t ifindex, struct fabric_kern_peer *peer)
{
    struct nlattr *attrs[ARRAY_SIZE(policy)];
    struct ofpbuf *reply;
    bool found;

    memset(peer, 0, sizeof *peer);
    reply = get_link(ifindex, NULL, attrs);
    if (!reply) {
        return false;
    }
    found = (is_veth(attrs[IFLA_LINKINFO]) && attrs[IFLA_LINK]
             && attrs[IFLA_LINK_NETNSID]);
    if (found) {
        peer->ifindex = nl_attr_get_u32(attrs[IFLA_LINK]);
        peer->nsid = nl_attr_get_u32(attrs[IFLA_LINK_NETNSID]);
    }
    ofpbuf_delete(reply);
    if (!found) {
        return false;
    }

    reply = get_link(peer->ifindex, &peer->nsid, attrs);
    if (!reply) {
        return false;
    }
    found = attrs[IFLA_ADDRESS] != NULL;
    if (found) {
        memcpy(peer->mac, nl_attr_get(attrs[IFLA_ADDRESS]), sizeof peer->mac);
        peer->xdp = has_driver_xdp(attrs[IFLA_XDP]);
    }
    ofpbuf_delete(reply);
    return found;
}
