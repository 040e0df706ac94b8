/* SPDX-License-Identifier: Apache-2.0 */

/* The kernel tells of changes of nf_tables, upon which the chains are read
 * again, at most once in REFRESH_INTERVAL.  Of iptables-legacy it does not
 * tell, so the names of its tables are read every LEGACY_INTERVAL. */

#include <config.h>

#include "fabric-netfilter.h"

#include <errno.h>
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/socket.h>

#include "netlink-socket.h"
#include "netlink.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(fabric_netfilter);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

/* Newer than the headers that may be installed: Linux 5.16+, and 6.17+ for
 * interfaces by the beginning of their names. */
#define OUR_NF_NETDEV_EGRESS 1
#define OUR_NFTA_DEVICE_PREFIX 2

#define REFRESH_INTERVAL 100    /* ms. */
#define LEGACY_INTERVAL 3000    /* ms. */
#define MAX_MESSAGES 256        /* Read at a time. */

/* A chain at the ingress or egress of an interface. */
struct netdev_hook {
    char name[IFNAMSIZ];
    bool is_prefix;             /* Of all interfaces that begin so? */
    bool egress;
};

struct hooks {
    bool ipv4, ipv6;
    struct netdev_hook *netdev;
    size_t n_netdev, allocated;
};

static struct nl_sock *monitor;
static struct hooks now;
static bool legacy[2];                  /* iptables, ip6tables. */
static bool stale;                      /* Read chains again? */
static long long int next_refresh;
static long long int next_legacy;

/* Chains. */

static void
add_netdev(struct hooks *hooks, const struct nlattr *device, bool is_prefix,
           bool egress)
{
    struct netdev_hook *h;
    size_t size = MIN(nl_attr_get_size(device), IFNAMSIZ - 1);

    if (hooks->n_netdev >= hooks->allocated) {
        hooks->netdev = x2nrealloc(hooks->netdev, &hooks->allocated,
                                   sizeof *hooks->netdev);
    }
    h = &hooks->netdev[hooks->n_netdev++];
    memset(h, 0, sizeof *h);
    memcpy(h->name, nl_attr_get(device), size);
    h->is_prefix = is_prefix;
    h->egress = egress;
}

/* Adds the interfaces of 'hook', a chain at their egress if 'egress'. */
static void
add_devices(struct hooks *hooks, const struct nlattr *hook, bool egress)
{
    const struct nlattr *device = nl_attr_find_nested(hook, NFTA_HOOK_DEV);
    const struct nlattr *devices = nl_attr_find_nested(hook, NFTA_HOOK_DEVS);
    const struct nlattr *a;
    size_t left;

    if (devices) {
        NL_NESTED_FOR_EACH (a, left, devices) {
            add_netdev(hooks, a, nl_attr_type(a) == OUR_NFTA_DEVICE_PREFIX,
                       egress);
        }
    } else if (device) {
        add_netdev(hooks, device, false, egress);
    }
}

static void
add_chain(struct hooks *hooks, const struct ofpbuf *msg)
{
    static const struct nl_policy policy[] = {
        [NFTA_CHAIN_HOOK] = { .type = NL_A_NESTED, .optional = true },
        [NFTA_CHAIN_POLICY] = { .type = NL_A_BE32, .optional = true },
        [NFTA_CHAIN_USE] = { .type = NL_A_BE32, .optional = true },
    };
    const struct nfgenmsg *nfg = ofpbuf_at(msg, NLMSG_HDRLEN, sizeof *nfg);
    struct nlattr *attrs[ARRAY_SIZE(policy)];
    const struct nlattr *number;
    uint32_t hooknum;

    if (!nfg || !nl_policy_parse(msg, NLMSG_HDRLEN + sizeof *nfg, policy,
                                 attrs, ARRAY_SIZE(policy))
        || !attrs[NFTA_CHAIN_HOOK]
        || (attrs[NFTA_CHAIN_USE] && attrs[NFTA_CHAIN_POLICY]
            && !nl_attr_get_be32(attrs[NFTA_CHAIN_USE])
            && nl_attr_get_be32(attrs[NFTA_CHAIN_POLICY])
               == htonl(NF_ACCEPT))) {
        return;
    }
    number = nl_attr_find_nested(attrs[NFTA_CHAIN_HOOK], NFTA_HOOK_HOOKNUM);
    hooknum = number ? ntohl(nl_attr_get_be32(number)) : 0;
    switch (nfg->nfgen_family) {
    case NFPROTO_IPV4:
        hooks->ipv4 |= hooknum != NF_INET_FORWARD;
        break;
    case NFPROTO_IPV6:
        hooks->ipv6 |= hooknum != NF_INET_FORWARD;
        break;
    case NFPROTO_INET:
        if (hooknum == NF_INET_NUMHOOKS) {      /* Ingress. */
            add_devices(hooks, attrs[NFTA_CHAIN_HOOK], false);
        } else {
            hooks->ipv4 |= hooknum != NF_INET_FORWARD;
            hooks->ipv6 |= hooknum != NF_INET_FORWARD;
        }
        break;
    case NFPROTO_NETDEV:
        add_devices(hooks, attrs[NFTA_CHAIN_HOOK],
                    hooknum == OUR_NF_NETDEV_EGRESS);
        break;
    }
}

static bool
hooks_equal(const struct hooks *a, const struct hooks *b)
{
    return (a->ipv4 == b->ipv4 && a->ipv6 == b->ipv6
            && a->n_netdev == b->n_netdev
            && (!a->n_netdev
                || !memcmp(a->netdev, b->netdev,
                           a->n_netdev * sizeof *a->netdev)));
}

/* Reads the chains anew.  Returns true if what matters of them changed. */
static bool
refresh(void)
{
    struct hooks new = { .netdev = NULL };
    struct ofpbuf request, msg, buf;
    struct nfgenmsg *nfg;
    struct nl_dump dump;
    bool changed;
    int error;

    ofpbuf_init(&request, 0);
    nl_msg_put_nlmsghdr(&request, 0,
                        NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN,
                        NLM_F_REQUEST);
    nfg = ofpbuf_put_zeros(&request, sizeof *nfg);
    nfg->version = NFNETLINK_V0;
    nl_dump_start(&dump, NETLINK_NETFILTER, &request);
    ofpbuf_uninit(&request);
    ofpbuf_init(&buf, NL_DUMP_BUFSIZE);
    while (nl_dump_next(&dump, &msg, &buf)) {
        add_chain(&new, &msg);
    }
    ofpbuf_uninit(&buf);
    error = nl_dump_done(&dump);
    if (error && error != EINVAL && error != EOPNOTSUPP) {
        /* Those are of a kernel without nf_tables. */
        VLOG_WARN_RL(&rl, "cannot read netfilter's chains (%s)",
                     ovs_strerror(error));
    }
    changed = !hooks_equal(&now, &new);
    free(now.netdev);
    now = new;
    return changed;
}

static void
read_monitor(void)
{
    uint64_t stub[512];
    struct ofpbuf buf;

    ofpbuf_use_stub(&buf, stub, sizeof stub);
    for (int i = 0; i < MAX_MESSAGES; i++) {
        if (nl_sock_recv(monitor, &buf, NULL, false) == EAGAIN) {
            break;
        }
        stale = true;
    }
    ofpbuf_uninit(&buf);
}

static void
open_monitor(void)
{
    int error = nl_sock_create(NETLINK_NETFILTER, &monitor);

    if (!error) {
        error = nl_sock_join_mcgroup(monitor, NFNLGRP_NFTABLES);
        if (error) {
            nl_sock_destroy(monitor);
            monitor = NULL;
        }
    }
    if (error && error != EPROTONOSUPPORT) {
        VLOG_WARN("changes of netfilter's chains will not be noticed (%s)",
                  ovs_strerror(error));
    }
    stale = !error;
}

/* Tables. */

static bool
has_line(const char *file_name)
{
    FILE *file = fopen(file_name, "r");
    bool found = file && getc(file) != EOF;

    if (file) {
        fclose(file);
    }
    return found;
}

static bool
read_legacy(void)
{
    bool ipv4 = has_line("/proc/net/ip_tables_names");
    bool ipv6 = has_line("/proc/net/ip6_tables_names");
    bool changed = ipv4 != legacy[0] || ipv6 != legacy[1];

    legacy[0] = ipv4;
    legacy[1] = ipv6;
    return changed;
}

bool
fabric_netfilter_changed(void)
{
    static bool opened;
    bool changed = false;

    if (!opened) {
        opened = true;
        open_monitor();
    }
    if (monitor) {
        read_monitor();
    }
    if (stale && time_msec() >= next_refresh) {
        stale = false;
        next_refresh = time_msec() + REFRESH_INTERVAL;
        changed = refresh();
    }
    if (time_msec() >= next_legacy) {
        next_legacy = time_msec() + LEGACY_INTERVAL;
        changed |= read_legacy();
    }
    return changed;
}

void
fabric_netfilter_wait(void)
{
    if (monitor) {
        nl_sock_wait(monitor, POLLIN);
    }
    poll_timer_wait_until(stale ? MIN(next_refresh, next_legacy)
                          : next_legacy);
}

bool
fabric_netfilter_concerns(bool ipv6, bool (*is_exempt)(const char *))
{
    if (ipv6 ? now.ipv6 || legacy[1] : now.ipv4 || legacy[0]) {
        return true;
    }
    for (size_t i = 0; i < now.n_netdev; i++) {
        if (now.netdev[i].is_prefix || !is_exempt(now.netdev[i].name)) {
            return true;
        }
    }
    return false;
}

bool
fabric_netfilter_has_egress(const char *name)
{
    for (size_t i = 0; i < now.n_netdev; i++) {
        const struct netdev_hook *h = &now.netdev[i];

        if (h->egress && (h->is_prefix
                          ? !strncmp(name, h->name, strlen(h->name))
                          : !strcmp(name, h->name))) {
            return true;
        }
    }
    return false;
}
