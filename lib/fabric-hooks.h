/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_HOOKS_H
#define FABRIC_HOOKS_H 1

/* Every way in which Open vSwitch calls the fabric.
 * =================================================
 *
 * This header is the map of the seams: each function below is called from one
 * hunk of ovs/patches (see ovs/README.md for the ledger) and each says who
 * calls it, in which thread and with which locks.  Nothing else of ours is
 * called from upstream files; what can be registered (the netdev provider,
 * unixctl commands, coverage counters) is registered instead.
 *
 * When no Fabric is configured every hook returns at once and Open vSwitch
 * behaves as released.
 *
 * The parts, in order of dependency:
 *
 *   lib/           registry, path table, codecs, prober, uplinks, netdev
 *   datapath-ext/  what runs per packet: the datapath action and its text form
 *   ofproto/       OVSDB configuration, translation, show commands
 *   utilities/     ovs-vsctl commands, the lab
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "openvswitch/types.h"

struct dp_packet_batch;
struct ds;
struct hmap;
struct netdev_rxq;
struct nlattr;
struct ofpbuf;
struct ovsdb_idl;
struct simap;

/* Process life cycle
 * ------------------
 *
 * vswitchd/bridge.c, main thread, no locks.  'idl' is the connection to the
 * Open_vSwitch database. */

/* bridge_init(): registers the netdev provider, commands and IDL columns. */
void fabric_config_init(struct ovsdb_idl *idl);

/* bridge_run(), before bridge_reconfigure(), when 'idl' has a lock and data:
 * applies Fabric, Fabric_Endpoint and Fabric_QoS, writes status back. */
void fabric_config_run(struct ovsdb_idl *idl);
void fabric_config_wait(struct ovsdb_idl *idl);

/* bridge_exit(): closes uplinks and stops the prober. */
void fabric_config_exit(void);

/* lib/dummy.c, dummy_enable(): makes the "dummy" uplink available. */
void fabric_uplink_dummy_register(void);

/* lib/util.c, ovs_print_version(), any program's main thread before anything
 * else runs, no locks: prints Weft's version on a line of its own after
 * "NAME (Open vSwitch) VERSION". */
void fabric_print_version(void);

/* Receive
 * -------
 *
 * lib/dpif-netdev.c, PMD or main thread.  Tells whether the packets of 'batch',
 * just received from 'rxq', carry their metadata (tunnel key included) already,
 * because 'rxq' is a fabric port's; then also stores 'port_no' in them. */
bool fabric_rx_set_port(const struct netdev_rxq *rxq,
                        struct dp_packet_batch *batch, odp_port_t port_no);

/* Datapath action OVS_ACTION_ATTR_FABRIC
 * --------------------------------------
 *
 * lib/dpif-netdev.c, dp_execute_cb(), PMD or main thread: executes action 'a'
 * on 'batch', deleting the packets if 'should_steal'. */
void fabric_dp_execute(struct dp_packet_batch *batch, bool should_steal,
                       const struct nlattr *a);

#endif /* fabric-hooks.h */
