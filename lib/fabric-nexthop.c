/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-nexthop.h"

#include <linux/nexthop.h>
#include <linux/rtnetlink.h>

#include "coverage.h"
#include "fabric-netevent.h"
#include "hash.h"
#include "netlink-socket.h"
#include "netlink.h"
#include "openvswitch/hmap.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "util.h"

COVERAGE_DEFINE(fabric_nexthop_lookup);

struct nexthop {
    struct hmap_node node;      /* In 'nexthops'. */
    uint32_t id;
    uint32_t *members;          /* Of a group. */
    size_t n_members;
    struct fabric_nexthop hop;  /* If it is no group; no interface: none. */
};
static struct hmap nexthops = HMAP_INITIALIZER(&nexthops);

void
fabric_nexthops_clear(struct fabric_nexthops *hops)
{
    hops->n = 0;
}

void
fabric_nexthops_destroy(struct fabric_nexthops *hops)
{
    free(hops->hops);
}

void
fabric_nexthops_add(struct fabric_nexthops *hops, uint32_t ifindex,
                    const struct in6_addr *gateway)
{
    if (hops->n >= hops->allocated) {
        hops->hops = x2nrealloc(hops->hops, &hops->allocated,
                                sizeof *hops->hops);
    }
    hops->hops[hops->n++] = (struct fabric_nexthop) { ifindex, *gateway };
}

static void
parse_nexthop(const struct ofpbuf *reply, struct nexthop *nh)
{
    static const struct nl_policy policy[] = {
        [NHA_GROUP] = { .type = NL_A_UNSPEC, .optional = true },
        [NHA_OIF] = { .type = NL_A_U32, .optional = true },
        [NHA_GATEWAY] = { .type = NL_A_UNSPEC, .optional = true },
    };
    struct nlattr *attrs[ARRAY_SIZE(policy)];

    if (!nl_policy_parse(reply, NLMSG_HDRLEN + sizeof(struct nhmsg), policy,
                         attrs, ARRAY_SIZE(policy))) {
        return;
    }
    if (attrs[NHA_GROUP]) {
        const struct nexthop_grp *group = nl_attr_get(attrs[NHA_GROUP]);

        nh->n_members = nl_attr_get_size(attrs[NHA_GROUP]) / sizeof *group;
        nh->members = xmalloc(nh->n_members * sizeof *nh->members);
        for (size_t i = 0; i < nh->n_members; i++) {
            nh->members[i] = group[i].id;
        }
    } else if (attrs[NHA_OIF]) {
        nh->hop.ifindex = nl_attr_get_u32(attrs[NHA_OIF]);
        fabric_netevent_parse_ip(attrs[NHA_GATEWAY], &nh->hop.gateway);
    }
}

static struct nexthop *
find_nexthop(uint32_t id)
{
    struct nexthop *nh;

    HMAP_FOR_EACH_WITH_HASH (nh, node, hash_int(id, 0), &nexthops) {
        if (nh->id == id) {
            return nh;
        }
    }
    return NULL;
}

static const struct nexthop *
ask_nexthop(uint32_t id)
{
    struct nexthop *nh = find_nexthop(id);
    struct ofpbuf request, *reply;

    if (nh) {
        return nh;
    }
    COVERAGE_INC(fabric_nexthop_lookup);
    nh = xzalloc(sizeof *nh);
    nh->id = id;
    hmap_insert(&nexthops, &nh->node, hash_int(id, 0));

    ofpbuf_init(&request, 0);
    nl_msg_put_nlmsghdr(&request, sizeof(struct nhmsg), RTM_GETNEXTHOP,
                        NLM_F_REQUEST);
    ofpbuf_put_zeros(&request, sizeof(struct nhmsg));
    nl_msg_put_u32(&request, NHA_ID, id);
    if (!nl_transact(NETLINK_ROUTE, &request, &reply)) {
        parse_nexthop(reply, nh);
        ofpbuf_delete(reply);
    }
    ofpbuf_uninit(&request);
    return nh;
}

static void
get_single(uint32_t id, struct fabric_nexthops *hops)
{
    const struct nexthop *nh = ask_nexthop(id);

    if (nh->hop.ifindex) {
        fabric_nexthops_add(hops, nh->hop.ifindex, &nh->hop.gateway);
    }
}

void
fabric_nexthop_get(uint32_t id, struct fabric_nexthops *hops)
{
    const struct nexthop *nh = ask_nexthop(id);

    /* The members of a group are no groups. */
    for (size_t i = 0; i < nh->n_members; i++) {
        get_single(nh->members[i], hops);
    }
    get_single(id, hops);
}

static bool
uses(const struct nexthop *nh, uint32_t changed)
{
    for (size_t i = 0; i < nh->n_members; i++) {
        if (nh->members[i] == changed) {
            return true;
        }
    }
    return nh->id == changed;
}

bool
fabric_nexthop_uses(uint32_t id, uint32_t changed)
{
    const struct nexthop *nh = find_nexthop(id);

    return nh ? uses(nh, changed) : id == changed;
}

bool
fabric_nexthop_is_used(uint32_t changed)
{
    const struct nexthop *nh;

    HMAP_FOR_EACH (nh, node, &nexthops) {
        if (uses(nh, changed)) {
            return true;
        }
    }
    return false;
}

static void
remove_nexthop(struct nexthop *nh)
{
    hmap_remove(&nexthops, &nh->node);
    free(nh->members);
    free(nh);
}

void
fabric_nexthop_forget(uint32_t id)
{
    struct nexthop *nh;

    HMAP_FOR_EACH_SAFE (nh, node, &nexthops) {
        if (uses(nh, id)) {
            remove_nexthop(nh);
        }
    }
}

void
fabric_nexthop_forget_all(void)
{
    struct nexthop *nh;

    HMAP_FOR_EACH_SAFE (nh, node, &nexthops) {
        remove_nexthop(nh);
    }
}
