/* SPDX-License-Identifier: Apache-2.0 */

/* A rule that tests what no datagram of ours has (a mark, an interface by
 * which it came, another protocol, another user) is not for us, unless it is
 * inverted.  Which of several rules comes first is the kernel's to know. */

#include <config.h>

#include "fabric-rule.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <unistd.h>

#include "fabric-netevent.h"
#include "fabric-route.h"
#include "netlink-socket.h"
#include "netlink.h"
#include "openvswitch/ofpbuf.h"
#include "util.h"

/* Linux 6.12+. */
#define OUR_FRA_DSCP 25

static bool
matches_us(struct nlattr *attrs[])
{
    uint32_t mark = (attrs[FRA_FWMARK] ? nl_attr_get_u32(attrs[FRA_FWMARK])
                     : 0);
    uint32_t mask = (attrs[FRA_FWMASK] ? nl_attr_get_u32(attrs[FRA_FWMASK])
                     : UINT32_MAX);

    if (mark & mask) {
        return false;
    }
    if (attrs[FRA_IIFNAME]
        && strcmp(nl_attr_get_string(attrs[FRA_IIFNAME]), "lo")) {
        return false;
    }
    if (attrs[FRA_OIFNAME] && !fabric_route_vrf()) {
        return false;
    }
    if (attrs[FRA_IP_PROTO]
        && nl_attr_get_u8(attrs[FRA_IP_PROTO]) != IPPROTO_UDP) {
        return false;
    }
    if (attrs[FRA_UID_RANGE]) {
        const struct fib_rule_uid_range *range
            = nl_attr_get(attrs[FRA_UID_RANGE]);
        uid_t uid = geteuid();

        return range->start <= uid && uid <= range->end;
    }
    return true;
}

static bool
set_prefixes(struct fabric_rule *rule, const struct fib_rule_hdr *hdr,
             struct nlattr *attrs[])
{
    bool invert = hdr->flags & FIB_RULE_INVERT;

    return (fabric_netevent_parse_prefix(attrs[FRA_SRC], hdr->family,
                                         invert ? 0 : hdr->src_len,
                                         &rule->src, &rule->src_plen)
            && fabric_netevent_parse_prefix(attrs[FRA_DST], hdr->family,
                                            invert ? 0 : hdr->dst_len,
                                            &rule->dst, &rule->dst_plen));
}

bool
fabric_rule_parse(const struct ofpbuf *msg, struct fabric_rule *rule)
{
    static const struct nl_policy policy[] = {
        [FRA_DST] = { .type = NL_A_UNSPEC, .optional = true },
        [FRA_SRC] = { .type = NL_A_UNSPEC, .optional = true },
        [FRA_IIFNAME] = { .type = NL_A_STRING, .optional = true },
        [FRA_OIFNAME] = { .type = NL_A_STRING, .optional = true },
        [FRA_FWMARK] = { .type = NL_A_U32, .optional = true },
        [FRA_FWMASK] = { .type = NL_A_U32, .optional = true },
        [FRA_TABLE] = { .type = NL_A_U32, .optional = true },
        [FRA_L3MDEV] = { .type = NL_A_U8, .optional = true },
        [FRA_UID_RANGE] = { .type = NL_A_UNSPEC, .optional = true,
                            .min_len = sizeof(struct fib_rule_uid_range) },
        [FRA_IP_PROTO] = { .type = NL_A_U8, .optional = true },
        [FRA_SPORT_RANGE] = { .type = NL_A_UNSPEC, .optional = true },
        [OUR_FRA_DSCP] = { .type = NL_A_U8, .optional = true },
    };
    struct nlattr *attrs[ARRAY_SIZE(policy)];
    const struct fib_rule_hdr *hdr;

    if (!nl_policy_parse(msg, NLMSG_HDRLEN + sizeof *hdr, policy, attrs,
                         ARRAY_SIZE(policy))) {
        return false;
    }
    hdr = ofpbuf_at_assert(msg, NLMSG_HDRLEN, sizeof *hdr);
    if (!set_prefixes(rule, hdr, attrs)) {
        return false;
    }
    rule->for_us = hdr->flags & FIB_RULE_INVERT || matches_us(attrs);
    rule->by_src_port = attrs[FRA_SPORT_RANGE] != NULL;
    rule->by_tos = hdr->tos || attrs[OUR_FRA_DSCP];
    rule->table = (hdr->action != FR_ACT_TO_TBL ? 0
                   : attrs[FRA_TABLE] ? nl_attr_get_u32(attrs[FRA_TABLE])
                   : hdr->table);
    rule->any_table = attrs[FRA_L3MDEV] && fabric_route_vrf();
    return true;
}

static void
add_rule(struct fabric_rules *rules, const struct fabric_rule *rule, int i)
{
    rules->by_src_port |= rule->by_src_port;
    rules->by_tos[i] |= rule->by_tos;
    rules->any_table |= rule->any_table;
    if (rule->table) {
        if (rules->n_tables >= rules->allocated_tables) {
            rules->tables = x2nrealloc(rules->tables,
                                       &rules->allocated_tables,
                                       sizeof *rules->tables);
        }
        rules->tables[rules->n_tables++] = rule->table;
    }
}

void
fabric_rules_read(struct fabric_rules *rules,
                  bool (*concerns)(const struct fabric_rule *))
{
    static const int families[] = { AF_INET, AF_INET6 };
    uint64_t stub[NL_DUMP_BUFSIZE / 8];

    rules->n_tables = 0;
    rules->any_table = rules->by_src_port = false;
    for (int i = 0; i < ARRAY_SIZE(families); i++) {
        struct ofpbuf request, reply, buf;
        struct fib_rule_hdr *hdr;
        struct fabric_rule rule;
        struct nl_dump dump;

        rules->by_tos[i] = false;
        ofpbuf_init(&request, 0);
        nl_msg_put_nlmsghdr(&request, sizeof *hdr, RTM_GETRULE,
                            NLM_F_REQUEST);
        hdr = ofpbuf_put_zeros(&request, sizeof *hdr);
        hdr->family = families[i];
        nl_dump_start(&dump, NETLINK_ROUTE, &request);
        ofpbuf_uninit(&request);

        ofpbuf_use_stub(&buf, stub, sizeof stub);
        while (nl_dump_next(&dump, &reply, &buf)) {
            if (fabric_rule_parse(&reply, &rule) && rule.for_us
                && concerns(&rule)) {
                add_rule(rules, &rule, i);
            }
        }
        ofpbuf_uninit(&buf);
        nl_dump_done(&dump);
    }
    rules->any_table |= !rules->n_tables;
}

bool
fabric_rules_have_table(const struct fabric_rules *rules, uint32_t table)
{
    for (size_t i = 0; i < rules->n_tables; i++) {
        if (rules->tables[i] == table) {
            return true;
        }
    }
    return rules->any_table;
}
