/* SPDX-License-Identifier: Apache-2.0 */

/* A capture that makes its interface promiscuous is told of by a message about
 * the link, others are found within CAPTURE_INTERVAL. */

#include <config.h>

#include "fabric-kern-watch.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/rtnetlink.h>
#include <stdio.h>

#include "coverage.h"
#include "fabric-kern-tc.h"
#include "fabric-monitor.h"
#include "netlink-socket.h"
#include "netlink.h"
#include "netnsid.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(fabric_kern_watch);

COVERAGE_DEFINE(fabric_kern_watch_message);

#define MAX_MESSAGES 512        /* Read at a time. */
#define CAPTURE_INTERVAL 1000   /* ms. */
#define ALL_INTERVAL 5000       /* ms. */

static struct nl_sock *monitor;
static long long int next_captures = LLONG_MIN;
static long long int next_all = LLONG_MIN;

/* Who is captured; 0 stands for all interfaces. */
static struct fabric_kern_tc_set captured = FABRIC_KERN_TC_SET_INITIALIZER;

/* Messages. */

/* What the other end of a veth says of this one is IFLA_LINK. */
static void
process_link(const struct ofpbuf *msg, int nsid,
             const struct fabric_kern_watcher *watcher)
{
    static const struct nl_policy policy[] = {
        [IFLA_LINK] = { .type = NL_A_U32, .optional = true },
    };
    const struct ifinfomsg *ifi = ofpbuf_at(msg, NLMSG_HDRLEN, sizeof *ifi);
    struct nlattr *attrs[ARRAY_SIZE(policy)];

    if (!ifi) {
        return;
    }
    if (netnsid_is_local(nsid)) {
        watcher->interface(ifi->ifi_index);
    } else {
        watcher->foreign(nsid, ifi->ifi_index);
    }
    if (nl_policy_parse(msg, NLMSG_HDRLEN + sizeof *ifi, policy, attrs,
                        ARRAY_SIZE(policy)) && attrs[IFLA_LINK]) {
        watcher->interface(nl_attr_get_u32(attrs[IFLA_LINK]));
    }
}

static void
process(const struct ofpbuf *msg, int nsid,
        const struct fabric_kern_watcher *watcher)
{
    const struct tcmsg *tc;

    COVERAGE_INC(fabric_kern_watch_message);
    switch (nl_msg_nlmsghdr(msg)->nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
        process_link(msg, nsid, watcher);
        break;
    case RTM_NEWQDISC:
    case RTM_DELQDISC:
    case RTM_NEWTFILTER:
    case RTM_DELTFILTER:
        tc = ofpbuf_at(msg, NLMSG_HDRLEN, sizeof *tc);
        if (!tc || !netnsid_is_local(nsid)) {
            break;
        } else if ((uint32_t) tc->tcm_ifindex == TCM_IFINDEX_MAGIC_BLOCK) {
            /* Of interfaces that share it. */
            next_all = LLONG_MIN;
        } else {
            watcher->interface(tc->tcm_ifindex);
        }
        break;
    }
}

static void
read_monitor(const struct fabric_kern_watcher *watcher)
{
    uint64_t stub[512];
    struct ofpbuf buf;
    int nsid;

    ofpbuf_use_stub(&buf, stub, sizeof stub);
    for (int i = 0; i < MAX_MESSAGES; i++) {
        int error = nl_sock_recv(monitor, &buf, &nsid, false);

        if (!error) {
            process(&buf, nsid, watcher);
        } else if (error == EAGAIN) {
            break;
        } else {
            next_all = LLONG_MIN;
        }
    }
    ofpbuf_uninit(&buf);
}

/* Captures. */

/* Reads who captures.  Sockets that are for one protocol see only what comes
 * in. */
static void
find_captures(struct fabric_kern_tc_set *set)
{
    FILE *file = fopen("/proc/net/packet", "r");
    char line[256];

    if (!file) {
        return;
    }
    while (fgets(line, sizeof line, file)) {
        unsigned int proto, ifindex;

        /* sk RefCnt Type Proto Iface R Rmem User Inode. */
        if (sscanf(line, "%*s %*u %*u %x %u", &proto, &ifindex) == 2
            && proto == ETH_P_ALL) {
            fabric_kern_tc_set_add(set, ifindex);
        }
    }
    fclose(file);
}

static void
look_at_captures(const struct fabric_kern_watcher *watcher)
{
    struct fabric_kern_tc_set old = captured;

    captured = (struct fabric_kern_tc_set) FABRIC_KERN_TC_SET_INITIALIZER;
    find_captures(&captured);
    if (fabric_kern_tc_set_contains(&old, 0)
        != fabric_kern_tc_set_contains(&captured, 0)) {
        next_all = LLONG_MIN;
    }
    for (size_t i = 0; i < old.n; i++) {
        if (!fabric_kern_tc_set_contains(&captured, old.ifindexes[i])) {
            watcher->interface(old.ifindexes[i]);
        }
    }
    for (size_t i = 0; i < captured.n; i++) {
        if (!fabric_kern_tc_set_contains(&old, captured.ifindexes[i])) {
            watcher->interface(captured.ifindexes[i]);
        }
    }
    fabric_kern_tc_set_destroy(&old);
}

static void
open_monitor(void)
{
    static const unsigned int groups[] = { RTNLGRP_LINK, RTNLGRP_TC };
    int error;

    monitor = fabric_monitor_open(groups, ARRAY_SIZE(groups),
                                  "what others do to interfaces will be "
                                  "noticed after some seconds only");
    error = monitor ? nl_sock_listen_all_nsid(monitor, true) : 0;
    if (error) {
        VLOG_INFO("a new MAC address of a workload will be noticed after some "
                  "seconds only (%s)", ovs_strerror(error));
    }
}

void
fabric_kern_watch_run(const struct fabric_kern_watcher *watcher)
{
    static bool opened;

    if (!opened) {
        opened = true;
        open_monitor();
    }
    if (monitor) {
        read_monitor(watcher);
    }
    if (time_msec() >= next_captures) {
        next_captures = time_msec() + CAPTURE_INTERVAL;
        look_at_captures(watcher);
    }
    if (time_msec() >= next_all) {
        next_all = time_msec() + ALL_INTERVAL;
        watcher->all();
    }
}

void
fabric_kern_watch_wait(void)
{
    if (monitor) {
        nl_sock_wait(monitor, POLLIN);
    }
    poll_timer_wait_until(MIN(next_captures, next_all));
}

bool
fabric_kern_watch_is_captured(uint32_t ifindex)
{
    return (fabric_kern_tc_set_contains(&captured, ifindex)
            || fabric_kern_tc_set_contains(&captured, 0));
}
