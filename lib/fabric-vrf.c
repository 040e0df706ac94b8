/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-vrf.h"

#include <ifaddrs.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "fabric-socket.h"
#include "netlink.h"
#include "netlink-socket.h"
#include "openvswitch/ofpbuf.h"
#include "rtnetlink.h"
#include "util.h"

/* Stores the name of the VRF that interface 'ifindex' is, or is in, in 'vrf'
 * and returns true, or returns false. */
static bool
vrf_of_interface(unsigned int ifindex, char vrf[IF_NAMESIZE])
{
    struct ofpbuf request, *reply;
    struct rtnetlink_change change;
    struct ifinfomsg *ifi;
    unsigned int master = 0;

    ofpbuf_init(&request, 0);
    nl_msg_put_nlmsghdr(&request, sizeof *ifi, RTM_GETLINK, NLM_F_REQUEST);
    ifi = ofpbuf_put_zeros(&request, sizeof *ifi);
    ifi->ifi_family = AF_UNSPEC;
    ifi->ifi_index = ifindex;
    if (!nl_transact(NETLINK_ROUTE, &request, &reply)) {
        if (rtnetlink_parse(reply, &change)) {
            if (change.sub && !strcmp(change.sub, "vrf")) {
                master = change.master_ifindex;
            } else if (change.primary && !strcmp(change.primary, "vrf")) {
                master = ifindex;
            }
        }
        ofpbuf_delete(reply);
    }
    ofpbuf_uninit(&request);
    return master && if_indextoname(master, vrf);
}

bool
fabric_vrf_find(const struct in6_addr *ip, char vrf[IF_NAMESIZE])
{
    struct ifaddrs *ifas, *ifa;
    bool found = false;

    if (getifaddrs(&ifas)) {
        return false;
    }
    for (ifa = ifas; ifa && !found; ifa = ifa->ifa_next) {
        found = (fabric_sockaddr_is(ifa->ifa_addr, ip)
                 && vrf_of_interface(if_nametoindex(ifa->ifa_name), vrf));
    }
    freeifaddrs(ifas);
    return found;
}
