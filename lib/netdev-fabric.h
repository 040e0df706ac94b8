/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NETDEV_FABRIC_H
#define NETDEV_FABRIC_H 1

/* The netdev provider "fabric".
 * =============================
 *
 * One netdev is one fabric's OpenFlow port; the fabric is found by the
 * netdev's name.  To ofproto it looks like a tunnel port whose remote IP and
 * key come from the flow.  Receiving decapsulates and fills in the tunnel
 * metadata, so that a packet needs one flow lookup.  Sending is the datapath
 * action's business: what is merely output to the netdev is dropped and
 * counted.
 *
 * In flows, tun_src is the endpoint's first remote IP and tun_dst the fabric's
 * first local IP of that family, whichever path the packet took: a path change
 * on either side must not look like a new flow.
 *
 * Thread-safety: as netdev-provider.h demands. */

#include <stdbool.h>

/* Registers the provider; may be called again. */
void netdev_fabric_register(void);

/* Is there a netdev of type "fabric" named 'name'? */
bool netdev_fabric_exists(const char *name);

/* Tells the netdev named 'name', if any, that its fabric changed. */
void netdev_fabric_changed(const char *name);

/* Room for what output pushes: VLAN tags, netdev_linux's virtio header, the
 * headers of a tunnel.  Without it each packet would be copied, and a full
 * super-frame, which is as large as a dp_packet can get, could not grow.  The
 * odd 2 align the IP header. */
#define FABRIC_RX_HEADROOM (128 + 2)

#endif /* netdev-fabric.h */
