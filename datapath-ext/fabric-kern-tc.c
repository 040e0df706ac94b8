/* SPDX-License-Identifier: Apache-2.0 */

/* Only dumps: before Linux 6.9 the answer to a request for one queueing
 * discipline goes to everybody who waits for changes, ourselves included. */

#include <config.h>

#include "fabric-kern-tc.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include "netlink-socket.h"
#include "netlink.h"
#include "openvswitch/ofpbuf.h"
#include "tc.h"
#include "util.h"

/* Not in the headers that Open vSwitch brings along. */
#define OUR_TCA_BPF_ID 11

/* Linux 6.6+, newer than the headers that may be installed. */
#define OUR_BPF_TCX_INGRESS 46
#define OUR_BPF_TCX_EGRESS 47

/* Returns the ID of the BPF program of a filter, or 0. */
static uint32_t
parse_prog_id(const struct ofpbuf *msg)
{
    static const struct nl_policy policy[] = {
        [TCA_KIND] = { .type = NL_A_STRING, .optional = true },
        [TCA_OPTIONS] = { .type = NL_A_NESTED, .optional = true },
    };
    struct nlattr *attrs[ARRAY_SIZE(policy)];
    const struct nlattr *id;

    if (!nl_policy_parse(msg, NLMSG_HDRLEN + sizeof(struct tcmsg), policy,
                         attrs, ARRAY_SIZE(policy))
        || !attrs[TCA_KIND] || !attrs[TCA_OPTIONS]
        || strcmp(nl_attr_get_string(attrs[TCA_KIND]), "bpf")) {
        return 0;
    }
    id = nl_attr_find_nested(attrs[TCA_OPTIONS], OUR_TCA_BPF_ID);
    return (id && nl_attr_get_size(id) == sizeof(uint32_t)
            ? nl_attr_get_u32(id) : 0);
}

/* Looks at the filters of 'ifindex' at 'parent'.  Each priority has an entry
 * without a handle before its filters. */
static int
look_at_filters(uint32_t ifindex, uint32_t parent, uint32_t prog_id,
                bool *ours, bool *others)
{
    uint64_t stub[NL_DUMP_BUFSIZE / 8];
    struct ofpbuf request, msg, buf;
    struct nl_dump dump;
    struct tcmsg *tc;

    tc = tc_make_request(ifindex, RTM_GETTFILTER, NLM_F_DUMP, &request);
    tc->tcm_parent = parent;
    nl_dump_start(&dump, NETLINK_ROUTE, &request);
    ofpbuf_uninit(&request);
    ofpbuf_use_stub(&buf, stub, sizeof stub);
    while (nl_dump_next(&dump, &msg, &buf)) {
        const struct tcmsg *filter = ofpbuf_at(&msg, NLMSG_HDRLEN,
                                               sizeof *filter);

        if (!filter || !filter->tcm_handle) {
            continue;
        } else if (prog_id && parse_prog_id(&msg) == prog_id) {
            *ours = true;
        } else {
            *others = true;
        }
    }
    ofpbuf_uninit(&buf);
    return nl_dump_done(&dump);
}

/* Returns true if 'ifindex' has programs that are attached without tc(8). */
static bool
has_tcx(uint32_t ifindex, uint32_t type)
{
    uint32_t n = 0;

    return (!bpf_prog_query(ifindex, type, 0, NULL, NULL, &n) && n > 0);
}

int
fabric_kern_tc_look(uint32_t ifindex, uint32_t prog_id,
                    struct fabric_kern_tc *tc)
{
    bool ignored = false;
    int error;

    memset(tc, 0, sizeof *tc);
    error = look_at_filters(ifindex,
                            TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS),
                            prog_id, &tc->ours, &tc->other_ingress);
    if (!error) {
        error = look_at_filters(ifindex,
                                TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS),
                                0, &ignored, &tc->other_egress);
    }
    tc->other_ingress |= has_tcx(ifindex, OUR_BPF_TCX_INGRESS);
    tc->other_egress |= has_tcx(ifindex, OUR_BPF_TCX_EGRESS);
    return error;
}

/* Sets of interfaces. */

void
fabric_kern_tc_set_add(struct fabric_kern_tc_set *set, uint32_t ifindex)
{
    if (set->n >= set->allocated) {
        set->ifindexes = x2nrealloc(set->ifindexes, &set->allocated,
                                    sizeof *set->ifindexes);
    }
    set->ifindexes[set->n++] = ifindex;
}

bool
fabric_kern_tc_set_contains(const struct fabric_kern_tc_set *set,
                            uint32_t ifindex)
{
    for (size_t i = 0; i < set->n; i++) {
        if (set->ifindexes[i] == ifindex) {
            return true;
        }
    }
    return false;
}

void
fabric_kern_tc_set_destroy(struct fabric_kern_tc_set *set)
{
    free(set->ifindexes);
    *set = (struct fabric_kern_tc_set) FABRIC_KERN_TC_SET_INITIALIZER;
}

int
fabric_kern_tc_find_qdiscs(struct fabric_kern_tc_set *set)
{
    uint64_t stub[NL_DUMP_BUFSIZE / 8];
    struct ofpbuf request, msg, buf;
    struct nl_dump dump;

    tc_make_request(0, RTM_GETQDISC, NLM_F_DUMP, &request);
    nl_dump_start(&dump, NETLINK_ROUTE, &request);
    ofpbuf_uninit(&request);
    ofpbuf_use_stub(&buf, stub, sizeof stub);
    while (nl_dump_next(&dump, &msg, &buf)) {
        const struct tcmsg *tc = ofpbuf_at(&msg, NLMSG_HDRLEN, sizeof *tc);

        if (tc && tc->tcm_parent == TC_H_ROOT && tc->tcm_handle) {
            fabric_kern_tc_set_add(set, tc->tcm_ifindex);
        }
    }
    ofpbuf_uninit(&buf);
    return nl_dump_done(&dump);
}
