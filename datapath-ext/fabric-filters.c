/* SPDX-License-Identifier: Apache-2.0 */

/* The kernel lists filters by interface and hook.  What it says of a filter
 * when it lists it is what it wants to be told to delete it. */

#include <config.h>

#include "fabric-filters.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

#include "fabric-loop.h"
#include "netlink-socket.h"
#include "netlink.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vlog.h"
#include "svec.h"
#include "tc.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(fabric_filters);

/* TCA_BPF_NAME, which upstream's own <linux/pkt_cls.h> does not have. */
#define BPF_NAME 7

/* How the names of all our programs begin, of which the kernel keeps 15
 * characters. */
#define NAME_PREFIX "fabric_"

static const struct hook {
    const char *name;
    uint32_t parent;
} hooks[] = {
    { "ingress", TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS) },
    { "egress", TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS) },
};

/* Filters at one hook of one interface. */
struct found {
    size_t n_others;            /* Not ours. */
    size_t n_ours;
    struct tcmsg ours[16];      /* More are found when these are gone. */
    struct svec names;          /* Of 'ours', in the same order. */
};

static void
found_init(struct found *f)
{
    f->n_others = 0;
    f->n_ours = 0;
    svec_init(&f->names);
}

/* Returns the name of the program of the filter in 'msg' if it is ours, or
 * NULL.  Stores in '*tc' what identifies the filter. */
static const char *
parse_filter(const struct ofpbuf *msg, struct tcmsg *tc)
{
    static const struct nl_policy policy[] = {
        [TCA_KIND] = { .type = NL_A_STRING, .optional = true },
        [TCA_OPTIONS] = { .type = NL_A_NESTED, .optional = true },
    };
    struct nlattr *attrs[ARRAY_SIZE(policy)];
    const struct nlattr *name;

    *tc = (struct tcmsg) { .tcm_handle = UINT32_MAX };
    if (!nl_policy_parse(msg, NLMSG_HDRLEN + sizeof *tc, policy, attrs,
                         ARRAY_SIZE(policy))) {
        return NULL;
    }
    memcpy(tc, ofpbuf_at_assert(msg, NLMSG_HDRLEN, sizeof *tc), sizeof *tc);
    if (TC_H_MAJ(tc->tcm_info) >> 16 != FABRIC_FILTERS_PRIORITY
        || !attrs[TCA_KIND] || !attrs[TCA_OPTIONS]
        || strcmp(nl_attr_get_string(attrs[TCA_KIND]), "bpf")) {
        return NULL;
    }
    name = nl_attr_find_nested(attrs[TCA_OPTIONS], BPF_NAME);
    if (!name || nl_attr_get_size(name) <= strlen(NAME_PREFIX)
        || !memchr(nl_attr_get(name), '\0', nl_attr_get_size(name))
        || strncmp(nl_attr_get(name), NAME_PREFIX, strlen(NAME_PREFIX))) {
        return NULL;
    }
    return nl_attr_get(name);
}

/* Adds to '*f' the filters of 'ifindex' at 'hook'.  Returns 0 or a positive
 * errno. */
static int
find(int ifindex, const struct hook *hook, struct found *f)
{
    uint64_t stub[NL_DUMP_BUFSIZE / 8];
    struct ofpbuf request, reply, buf;
    struct nl_dump dump;
    struct tcmsg *tc;

    tc = tc_make_request(ifindex, RTM_GETTFILTER, NLM_F_DUMP, &request);
    tc->tcm_parent = hook->parent;
    nl_dump_start(&dump, NETLINK_ROUTE, &request);
    ofpbuf_uninit(&request);

    ofpbuf_use_stub(&buf, stub, sizeof stub);
    while (nl_dump_next(&dump, &reply, &buf)) {
        struct tcmsg msg;
        const char *name = parse_filter(&reply, &msg);

        if (!name) {
            /* Each priority has an entry without a handle before its
             * filters. */
            f->n_others += msg.tcm_handle != 0;
        } else if (f->n_ours < ARRAY_SIZE(f->ours)) {
            f->ours[f->n_ours++] = msg;
            svec_add(&f->names, name);
        }
    }
    ofpbuf_uninit(&buf);
    return nl_dump_done(&dump);
}

static int
delete_filter(const struct tcmsg *filter)
{
    struct ofpbuf request;
    struct tcmsg *tc;
    int error;

    tc = tc_make_request(filter->tcm_ifindex, RTM_DELTFILTER, NLM_F_ACK,
                         &request);
    tc->tcm_handle = filter->tcm_handle;
    tc->tcm_parent = filter->tcm_parent;
    tc->tcm_info = filter->tcm_info;
    nl_msg_put_string(&request, TCA_KIND, "bpf");
    error = tc_transact(&request, NULL);
    return error == ENOENT ? 0 : error;
}

static void OVS_PRINTF_FORMAT(3, 4)
note(int ifindex, struct svec *log, const char *format, ...)
{
    char name[IF_NAMESIZE];
    va_list args;
    char *what;

    if (!log) {
        return;
    }
    va_start(args, format);
    what = xvasprintf(format, args);
    va_end(args);
    svec_add_nocopy(log, xasprintf("%s: %s",
                                   if_indextoname(ifindex, name)
                                   ? name : "an interface", what));
    free(what);
}

/* Removes our filters from one hook.  Adds to '*n_ours' and '*n_left' how many
 * there were and how many others there are. */
static int
remove_from_hook(int ifindex, const struct hook *hook, bool dry_run,
                 struct svec *log, size_t *n_ours, size_t *n_left)
{
    struct found f;
    int error;

    found_init(&f);
    error = find(ifindex, hook, &f);
    for (size_t i = 0; !error && i < f.n_ours; i++) {
        error = dry_run ? 0 : delete_filter(&f.ours[i]);
        if (!error) {
            note(ifindex, log, "%s program %s (%s)",
                 dry_run ? "would remove" : "removed", f.names.names[i],
                 hook->name);
        }
    }
    *n_ours += f.n_ours;
    *n_left += f.n_others;
    svec_destroy(&f.names);
    return error;
}

int
fabric_filters_remove(int ifindex, bool dry_run, struct svec *log)
{
    size_t n_ours = 0, n_left = 0;
    int error = 0;

    for (size_t i = 0; !error && i < ARRAY_SIZE(hooks); i++) {
        error = remove_from_hook(ifindex, &hooks[i], dry_run, log, &n_ours,
                                 &n_left);
    }
    if (!error && n_ours && !n_left) {
        error = dry_run ? 0 : tc_add_del_qdisc(ifindex, false, 0, TC_EGRESS);
        if (!error) {
            note(ifindex, log, "%s its empty clsact qdisc",
                 dry_run ? "would remove" : "removed");
        }
    }
    /* An interface that is gone has nothing left. */
    return error == ENODEV || error == ENOENT ? 0 : error;
}

int
fabric_filters_remove_loop(bool dry_run, struct svec *log)
{
    int ifindex = if_nametoindex(FABRIC_LOOP_OUT);
    struct ofpbuf request;
    struct ifinfomsg *ifi;
    int error = 0;

    if (!ifindex || !if_nametoindex(FABRIC_LOOP_IN)) {
        return 0;
    }
    note(ifindex, log, "%s this interface and its peer",
         dry_run ? "would remove" : "removed");
    if (!dry_run) {
        ofpbuf_init(&request, 0);
        nl_msg_put_nlmsghdr(&request, 0, RTM_DELLINK,
                            NLM_F_REQUEST | NLM_F_ACK);
        ifi = ofpbuf_put_zeros(&request, sizeof *ifi);
        ifi->ifi_index = ifindex;
        error = nl_transact(NETLINK_ROUTE, &request, NULL);
        ofpbuf_uninit(&request);
    }
    return error == ENODEV ? 0 : error;
}

int
fabric_filters_remove_all(bool (*keep)(int ifindex), bool dry_run,
                          struct svec *log)
{
    struct if_nameindex *ifs = if_nameindex();
    int first_error = ifs ? 0 : errno;

    for (size_t i = 0; ifs && ifs[i].if_index; i++) {
        int error = 0;

        if (!keep || !keep(ifs[i].if_index)) {
            error = fabric_filters_remove(ifs[i].if_index, dry_run, log);
        }
        if (error) {
            note(ifs[i].if_index, log, "cannot remove what is there (%s)",
                 ovs_strerror(error));
            first_error = first_error ? first_error : error;
        }
    }
    if (ifs) {
        if_freenameindex(ifs);
    }
    if (!keep || !keep(if_nametoindex(FABRIC_LOOP_IN))) {
        int error = fabric_filters_remove_loop(dry_run, log);

        first_error = first_error ? first_error : error;
    }
    return first_error;
}

void
fabric_filters_remove_leftovers(bool (*keep)(int ifindex))
{
    struct svec log = SVEC_EMPTY_INITIALIZER;
    const char *line;
    size_t i;

    fabric_filters_remove_all(keep, false, &log);
    SVEC_FOR_EACH (i, line, &log) {
        VLOG_INFO("left over by another process: %s", line);
    }
    svec_destroy(&log);
}
