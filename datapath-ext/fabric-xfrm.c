/* SPDX-License-Identifier: Apache-2.0 */

/* A policy that the kernel tells of is added at once, since the fast path has
 * to stand aside before a packet goes around it.  All else that changes (a
 * policy is removed or replaced, or messages are lost) has the policies read
 * again, at most once in REFRESH_INTERVAL.
 *
 * What depends on more than addresses, protocol and ports (marks, interface
 * IDs, users, the order of policies) is taken to be met: that costs speed
 * where it is not, but no packet is sent in the clear.  A policy that does
 * nothing but allow is none. */

#include <config.h>

#include "fabric-xfrm.h"

#include <errno.h>
#include <linux/xfrm.h>
#include <sys/socket.h>

#include "fabric-private.h"
#include "netlink-socket.h"
#include "netlink.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "timeval.h"
#include "unaligned.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(fabric_xfrm);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

#ifndef NETLINK_XFRM
#define NETLINK_XFRM 6
#endif

/* Linux 5.14+, newer than the headers that may be installed. */
#define OUR_XFRM_MSG_GETDEFAULT 0x28
#define OUR_XFRM_USERPOLICY_BLOCK 1
struct default_policy {
    uint8_t in, fwd, out;
};

#define REFRESH_INTERVAL 200    /* ms. */
#define MAX_MESSAGES 256        /* Read at a time. */

/* Addresses of IPv4 are v4-mapped, and so are the lengths of prefixes. */
struct policy {
    uint32_t index;
    uint32_t dir;               /* enum fabric_xfrm_dir. */
    struct in6_addr src, dst;
    struct in6_addr src_mask, dst_mask;
    ovs_be16 sport, sport_mask;
    ovs_be16 dport, dport_mask;
};

struct policies {
    struct policy *policies;
    size_t n, allocated;
    bool block[2];              /* What no policy is for, by direction. */
};

static struct nl_sock *monitor;
static struct policies now;
static bool stale;                      /* Read them again? */
static long long int next_refresh;

/* Policies. */

static void
parse_address(uint16_t family, const xfrm_address_t *addr, uint8_t len,
              struct in6_addr *ip, struct in6_addr *mask)
{
    if (family == AF_INET) {
        in6_addr_set_mapped_ipv4(ip, (OVS_FORCE ovs_be32) addr->a4);
        *mask = ipv6_create_mask(96 + MIN(len, 32));
    } else {
        memcpy(ip, addr->a6, sizeof *ip);
        *mask = ipv6_create_mask(MIN(len, 128));
    }
    *ip = ipv6_addr_bitand(ip, mask);
}

/* Parses 'msg', of a type that begins with a xfrm_userpolicy_info.  Returns
 * false if it could not concern UDP packets of ours. */
static bool
parse_policy(const struct ofpbuf *msg, struct policy *p)
{
    static const struct nl_policy attr_policy[] = {
        [XFRMA_TMPL] = { .type = NL_A_UNSPEC, .optional = true },
    };
    const struct xfrm_userpolicy_info *info;
    struct nlattr *attrs[ARRAY_SIZE(attr_policy)];
    const struct xfrm_selector *sel;

    info = ofpbuf_at(msg, NLMSG_HDRLEN, sizeof *info);
    if (!info || !nl_policy_parse(msg, NLMSG_HDRLEN
                                  + NLMSG_ALIGN(sizeof *info),
                                  attr_policy, attrs,
                                  ARRAY_SIZE(attr_policy))) {
        return false;
    }
    sel = &info->sel;
    if ((info->dir != FABRIC_XFRM_IN && info->dir != FABRIC_XFRM_OUT)
        || (info->action == XFRM_POLICY_ALLOW && !attrs[XFRMA_TMPL])
        || (sel->proto && sel->proto != IPPROTO_UDP)
        || (sel->family != AF_INET && sel->family != AF_INET6)) {
        return false;
    }
    memset(p, 0, sizeof *p);
    p->index = info->index;
    p->dir = info->dir;
    parse_address(sel->family, &sel->saddr, sel->prefixlen_s, &p->src,
                  &p->src_mask);
    parse_address(sel->family, &sel->daddr, sel->prefixlen_d, &p->dst,
                  &p->dst_mask);
    p->sport = (OVS_FORCE ovs_be16) sel->sport;
    p->sport_mask = (OVS_FORCE ovs_be16) sel->sport_mask;
    p->dport = (OVS_FORCE ovs_be16) sel->dport;
    p->dport_mask = (OVS_FORCE ovs_be16) sel->dport_mask;
    return true;
}

static bool
prefix_contains(const struct in6_addr *prefix, const struct in6_addr *mask,
                const struct in6_addr *ip)
{
    struct in6_addr masked = ipv6_addr_bitand(ip, mask);

    /* ::/0 is for IPv6, not for what is mapped into it. */
    return (ipv6_addr_equals(&masked, prefix)
            && (!IN6_IS_ADDR_V4MAPPED(ip) || IN6_IS_ADDR_V4MAPPED(prefix)));
}

static bool
policy_concerns(const struct policy *p, const struct in6_addr *src,
                ovs_be16 src_port, const struct in6_addr *dst,
                ovs_be16 dst_port)
{
    return (prefix_contains(&p->src, &p->src_mask, src)
            && prefix_contains(&p->dst, &p->dst_mask, dst)
            && (!src_port || !((p->sport ^ src_port) & p->sport_mask))
            && !((p->dport ^ dst_port) & p->dport_mask));
}

/* Returns true if our end of 'p' contains an address of a fabric. */
static bool
is_ours(const struct policy *p)
{
    bool out = p->dir == FABRIC_XFRM_OUT;
    const struct fabric *f;

    CMAP_FOR_EACH (f, name_node, &fabrics_by_name) {
        const struct fabric_uplinks *ups
            = ovsrcu_get(struct fabric_uplinks *, &f->uplinks);

        for (size_t i = 0; i < ups->n; i++) {
            if (prefix_contains(out ? &p->src : &p->dst,
                                out ? &p->src_mask : &p->dst_mask,
                                &ups->uplinks[i]->config.local_ip)) {
                return true;
            }
        }
    }
    return false;
}

static void
add_policy(struct policies *ps, const struct policy *p)
{
    if (ps->n >= ps->allocated) {
        ps->policies = x2nrealloc(ps->policies, &ps->allocated,
                                  sizeof *ps->policies);
    }
    ps->policies[ps->n++] = *p;
}

static bool
contains(const struct policies *ps, const struct policy *p)
{
    for (size_t i = 0; i < ps->n; i++) {
        if (!memcmp(&ps->policies[i], p, sizeof *p)) {
            return true;
        }
    }
    return false;
}

/* Returns true if 'a' has a policy for us that 'b' has not. */
static bool
differ(const struct policies *a, const struct policies *b)
{
    for (size_t i = 0; i < a->n; i++) {
        if (is_ours(&a->policies[i]) && !contains(b, &a->policies[i])) {
            return true;
        }
    }
    return false;
}

/* Reading. */

static void
read_default(bool block[2])
{
    struct ofpbuf request, *reply;
    int error;

    ofpbuf_init(&request, 0);
    nl_msg_put_nlmsghdr(&request, 0, OUR_XFRM_MSG_GETDEFAULT, NLM_F_REQUEST);
    ofpbuf_put_zeros(&request, NLMSG_ALIGN(sizeof(struct default_policy)));
    error = nl_transact(NETLINK_XFRM, &request, &reply);
    ofpbuf_uninit(&request);
    if (!error) {
        const struct default_policy *d = ofpbuf_at(reply, NLMSG_HDRLEN,
                                                   sizeof *d);

        block[FABRIC_XFRM_IN] = d && d->in == OUR_XFRM_USERPOLICY_BLOCK;
        block[FABRIC_XFRM_OUT] = d && d->out == OUR_XFRM_USERPOLICY_BLOCK;
        ofpbuf_delete(reply);
    }
}

/* Reads the policies anew.  Returns true if what concerns us changed. */
static bool
refresh(void)
{
    struct policies new = { .policies = NULL };
    struct ofpbuf request, msg, buf;
    struct nl_dump dump;
    struct policy p;
    bool changed;
    int error;

    ofpbuf_init(&request, 0);
    nl_msg_put_nlmsghdr(&request, 0, XFRM_MSG_GETPOLICY, NLM_F_REQUEST);
    ofpbuf_put_zeros(&request,
                     NLMSG_ALIGN(sizeof(struct xfrm_userpolicy_id)));
    nl_dump_start(&dump, NETLINK_XFRM, &request);
    ofpbuf_uninit(&request);
    ofpbuf_init(&buf, NL_DUMP_BUFSIZE);
    while (nl_dump_next(&dump, &msg, &buf)) {
        if (parse_policy(&msg, &p)) {
            add_policy(&new, &p);
        }
    }
    ofpbuf_uninit(&buf);
    error = nl_dump_done(&dump);
    if (error) {
        VLOG_WARN_RL(&rl, "cannot read IPsec policies (%s)",
                     ovs_strerror(error));
    }
    read_default(new.block);
    changed = (differ(&now, &new) || differ(&new, &now)
               || memcmp(now.block, new.block, sizeof now.block));
    free(now.policies);
    now = new;
    return changed;
}

/* Deals with 'msg'.  Returns true if it brings what concerns us. */
static bool
process(const struct ofpbuf *msg)
{
    uint16_t type = nl_msg_nlmsghdr(msg)->nlmsg_type;
    struct policy p;

    if (type != XFRM_MSG_NEWPOLICY && type != XFRM_MSG_UPDPOLICY) {
        stale = true;
        return false;
    }
    if (type == XFRM_MSG_UPDPOLICY) {
        /* It may have replaced one that does concern us. */
        stale = true;
    }
    if (!parse_policy(msg, &p) || contains(&now, &p)) {
        return false;
    }
    add_policy(&now, &p);
    return is_ours(&p);
}

/* Reads what the kernel has told.  Returns true if that brings what concerns
 * us. */
static bool
read_monitor(void)
{
    uint64_t stub[512];
    bool changed = false;
    struct ofpbuf buf;

    ofpbuf_use_stub(&buf, stub, sizeof stub);
    for (int i = 0; i < MAX_MESSAGES; i++) {
        int error = nl_sock_recv(monitor, &buf, NULL, false);

        if (!error) {
            changed |= process(&buf);
        } else if (error == EAGAIN) {
            break;
        } else {
            stale = true;
        }
    }
    ofpbuf_uninit(&buf);
    return changed;
}

static void
open_monitor(void)
{
    int error = nl_sock_create(NETLINK_XFRM, &monitor);

    if (!error) {
        error = nl_sock_join_mcgroup(monitor, XFRMNLGRP_POLICY);
        if (error) {
            nl_sock_destroy(monitor);
            monitor = NULL;
        }
    }
    /* A kernel without IPsec has no such protocol. */
    if (error && error != EPROTONOSUPPORT) {
        VLOG_WARN("changes of IPsec policies will not be noticed (%s)",
                  ovs_strerror(error));
    }
    stale = !error;
}

bool
fabric_xfrm_changed(void)
{
    static bool opened;
    bool changed;

    if (!opened) {
        opened = true;
        open_monitor();
    }
    if (!monitor) {
        return false;
    }
    changed = read_monitor();
    if (stale && time_msec() >= next_refresh) {
        stale = false;
        next_refresh = time_msec() + REFRESH_INTERVAL;
        changed |= refresh();
    }
    return changed;
}

void
fabric_xfrm_wait(void)
{
    if (monitor) {
        nl_sock_wait(monitor, POLLIN);
        if (stale) {
            poll_timer_wait_until(next_refresh);
        }
    }
}

bool
fabric_xfrm_concerns(enum fabric_xfrm_dir dir, const struct in6_addr *src,
                     ovs_be16 src_port, const struct in6_addr *dst,
                     ovs_be16 dst_port)
{
    if (now.block[dir]) {
        return true;
    }
    for (size_t i = 0; i < now.n; i++) {
        if (now.policies[i].dir == dir
            && policy_concerns(&now.policies[i], src, src_port, dst,
                               dst_port)) {
            return true;
        }
    }
    return false;
}
