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

#include "openvswitch/compiler.h"
#include "openvswitch/ofp-errors.h"
#include "openvswitch/types.h"

struct ctl_command;
struct dp_packet_batch;
struct dpif;
struct dpif_flow_attrs;
struct dpif_flow_stats;
struct ds;
struct fabric_action_header;
struct fabric_ofmsg;
struct fabric_xlate_env;
struct fabric_xlate_request;
struct hmap;
struct in6_addr;
struct match;
struct netdev;
struct netdev_class;
struct netdev_rxq;
struct nlattr;
struct ofconn;
struct ofpact;
struct ofpact_check_params;
struct ofpact_fabric;
struct ofpact_format_params;
struct ofpact_parse_params;
struct ofp_header;
struct ofpbuf;
struct ofputil_port_map;
struct ovsdb_idl;
struct rconn;
struct simap;
struct vl_mff_map;

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

/* bridge_exit(), before anything else: from now on the fast path in the kernel
 * goes on by itself or, if 'cleanup', is removed. */
void fabric_kern_exit(bool cleanup);

/* bridge_exit(): closes uplinks and stops the prober. */
void fabric_config_exit(void);

/* lib/dummy.c, dummy_enable(): makes the "dummy" uplink available. */
void fabric_uplink_dummy_register(void);

/* lib/daemon-unix.c, daemon_become_new_user_linux(), main thread, before there
 * are others, if the new user is to access the datapath: adds to libcap-ng's
 * set what the fabric needs, as far as the process has it. */
void fabric_keep_capabilities(void);

/* lib/util.c, ovs_print_version(), any program's main thread before anything
 * else runs, no locks: prints Weft's version on a line of its own after
 * "NAME (Open vSwitch) VERSION". */
void fabric_print_version(void);

/* Receive
 * -------
 *
 * lib/dpif-netdev.c, PMD or main thread.  Tells whether the packets of
 * 'batch', just received from 'rxq', carry their metadata (tunnel key
 * included) already, because 'rxq' is a fabric port's; then also stores
 * 'port_no' in them.  For fabric_dpif_run() notes that packets arrived. */
bool fabric_rx_set_port(const struct netdev_rxq *rxq,
                        struct dp_packet_batch *batch, odp_port_t port_no);

/* OpenFlow action OFPACT_FABRIC
 * -----------------------------
 *
 * lib/ofp-actions.c (through lib/ofp-fabric-glue.h), any thread and any
 * program that knows actions, no locks.  See ofp-fabric.h. */

/* Appends the action at 'h', whose length is checked, to 'ofpacts'. */
enum ofperr fabric_action_decode(const struct fabric_action_header *h,
                                 const struct vl_mff_map *,
                                 uint64_t *tlv_bitmap,
                                 struct ofpbuf *ofpacts);

/* Completes 'h', the last thing in 'openflow', and appends the arguments. */
void fabric_action_encode(const struct ofpact_fabric *,
                          struct fabric_action_header *h,
                          struct ofpbuf *openflow);

/* Appends the action with arguments 's' to the ofpacts in 'pp'.  Returns NULL
 * or an error message that the caller must free. */
char *fabric_action_parse(char *s, const struct ofpact_parse_params *pp)
    OVS_WARN_UNUSED_RESULT;
void fabric_action_format(const struct ofpact_fabric *,
                          const struct ofpact_format_params *);
enum ofperr fabric_action_check(const struct ofpact_fabric *,
                                const struct ofpact_check_params *);

/* Is 'ofpact', an OFPACT_FABRIC, known to output to 'port'? */
bool fabric_action_outputs_to_port(const struct ofpact *ofpact,
                                   ofp_port_t port);

/* OpenFlow messages OFPTYPE_FABRIC
 * --------------------------------
 *
 * See ofp-fabric-msg.h for what they are. */

/* lib/ofp-print.c, any thread and any program that prints OpenFlow, no locks:
 * appends the text of 'oh', whose length is checked, to the string. */
enum ofperr fabric_msg_format(struct ds *, const struct ofp_header *oh,
                              const struct ofputil_port_map *);

/* ofproto/ofproto.c, handle_single_part_openflow(), main thread, no locks:
 * does what the controller at the other end of 'ofconn' asks for. */
enum ofperr fabric_ofmsg_handle(struct ofconn *ofconn,
                                const struct ofp_header *oh);

/* ofproto/connmgr.c, main thread; ofproto_mutex is held by the caller of
 * fabric_ofmsg_destroy() only.  A connection's subscription to the state of
 * paths, NULL if it has none: ofconn_run() has it tell the controller what
 * there is to tell, ofconn_destroy() ends it. */
void fabric_ofmsg_run(struct fabric_ofmsg *, struct rconn *rconn);
void fabric_ofmsg_wait(struct fabric_ofmsg *);
void fabric_ofmsg_destroy(struct fabric_ofmsg *);

/* The other way: where 'ofconn' keeps it (in fabric-ofmsg-glue.h). */
struct fabric_ofmsg **fabric_ofmsg_of(struct ofconn *ofconn);

/* ofproto/ofproto-dpif.c, may_enable_port(), main thread, no locks: may
 * traffic be sent to 'netdev'?  True unless it is a fabric without any usable
 * path. */
bool fabric_port_is_live(const struct netdev *netdev);

/* lib/netdev-linux.c, netdev_linux_rxq_construct(), main or PMD thread, with
 * the netdev's mutex: 'fd' is the packet socket from which a workload port
 * will be read.  If there is a fabric or super-frames are to come
 * (userspace-tso-enable), enlarges its buffer and keeps out of it what is sent
 * to the port. */
void fabric_workload_socket_opened(int fd);

/* lib/dpif.c, dpif_run(), main thread, no locks: calls 'run', the provider's,
 * and if there is a fabric calls it again while packets arrive, for about a
 * millisecond (fabric-turn.h).  Returns what 'run' returned last, true ending
 * the repetition.  May block, so RCU-protected pointers do not survive. */
bool fabric_dpif_run(struct dpif *, bool (*run)(struct dpif *));

/* Fast path in the kernel
 * -----------------------
 *
 * Returns at once where the fast path is not built or not in use. */

/* lib/netdev.c and lib/netdev-linux.c, wherever netdev-linux's class "system"
 * is meant, any thread; netdev_initialize() comes first.  Returns the class
 * that takes its place, see datapath-ext/netdev-workload.h. */
const struct netdev_class *fabric_workload_class(const struct netdev_class *);

/* lib/dpif-netdev.c, do_add_port() and do_del_port(), main thread, with the
 * datapath's ports locked: 'netdev' is, or no longer is, port 'port'. */
void fabric_kern_port_added(struct netdev *netdev, odp_port_t port);
void fabric_kern_port_removed(struct netdev *netdev);

/* lib/dpif-netdev.c, any thread, with the flow table locked: a flow was added
 * or modified, or is about to be deleted. */
void fabric_kern_flow_put(const ovs_u128 *ufid, const struct match *,
                          const struct nlattr *actions, size_t actions_len);
void fabric_kern_flow_del(const ovs_u128 *ufid);

/* lib/dpif-netdev.c, get_dpif_flow_status(), any thread, no locks: adds what
 * the kernel forwarded to '*stats', and notes in '*attrs', if nonnull, that it
 * does. */
void fabric_kern_flow_status(const ovs_u128 *ufid,
                             struct dpif_flow_stats *stats,
                             struct dpif_flow_attrs *attrs);

/* lib/dpif-netdev.c, dp_netdev_flow_to_dpif_flow(), any thread, no locks:
 * returns why the flow stays in userspace, or else 'otherwise'. */
const char *fabric_kern_flow_reason(const ovs_u128 *ufid,
                                    const char *otherwise);

/* Datapath action OVS_ACTION_ATTR_FABRIC
 * --------------------------------------
 *
 * lib/dpif-netdev.c, dp_execute_cb(), PMD, main or handler thread: executes
 * action 'a' on 'batch', deleting the packets if 'should_steal'. */
void fabric_dp_execute(struct dp_packet_batch *batch, bool should_steal,
                       const struct nlattr *a);

/* lib/odp-util.c, any thread, no locks: text form, see fabric-odp.h.
 *
 * fabric_odp_parse() appends the action at the start of 's' to 'actions' and
 * returns its length in bytes of text, or returns a negative errno. */
void fabric_odp_format(struct ds *, const struct nlattr *a,
                       const struct hmap *portno_names);
int fabric_odp_parse(const char *s, const struct simap *port_names,
                     struct ofpbuf *actions);

/* ofproto/ofproto-dpif-ipfix.c, any thread, no locks: does 'a' send? */
bool fabric_odp_is_output(const struct nlattr *a);

/* Translation
 * -----------
 *
 * ofproto/ofproto-dpif-xlate.c (through ofproto/fabric-xlate-glue.h), handler,
 * revalidator and main threads, no locks.  See fabric-xlate.h. */

/* OFPACT_FABRIC: which port does 'a' output to?  OFPP_NONE if a field names
 * none. */
ofp_port_t fabric_xlate_port(const struct fabric_xlate_env *,
                             const struct ofpact_fabric *a);

/* OFPACT_FABRIC: sets up the flow's tunnel metadata and '*request' for the
 * output to 'port' that follows.  'netdev' is the port's, null if there is no
 * such port.  Returns 'port', or OFPP_NONE if there is nothing to output. */
ofp_port_t fabric_xlate_begin(const struct fabric_xlate_env *,
                              struct fabric_xlate_request *request,
                              const struct ofpact_fabric *a, ofp_port_t port,
                              const struct netdev *netdev);

/* Output to 'netdev', a tunnel: is it a fabric to which the packet cannot be
 * sent?  If so, the drop is counted and explained already.  'own_ip' is where
 * the packet came to, if it came through a tunnel. */
bool fabric_xlate_refuse(const struct fabric_xlate_env *,
                         struct fabric_xlate_request *request,
                         const struct netdev *netdev,
                         const struct in6_addr *own_ip);

/* Output to 'netdev', a tunnel, after tnl_port_send(): if it is a fabric,
 * appends the datapath action that sends to it and returns true. */
bool fabric_xlate_output(const struct fabric_xlate_env *,
                         struct fabric_xlate_request *request,
                         const struct netdev *netdev, odp_port_t odp_port,
                         int mirror_snaplen);

/* ovs-ofctl
 * ---------
 *
 * utilities/ovs-ofctl.c calls nothing that is declared here, but the static
 * functions of utilities/fabric-ofctl-glue.h. */

/* ovs-vsctl
 * ---------
 *
 * utilities/ovs-vsctl.c, which has one thread. */

/* tables[]: rows of our tables by name. */
#define FABRIC_VSCTL_TABLES                                             \
    [OVSREC_TABLE_FABRIC].row_ids[0]                                    \
        = {&ovsrec_fabric_col_name, NULL, NULL},                        \
    [OVSREC_TABLE_FABRIC_ENDPOINT].row_ids[0]                           \
        = {&ovsrec_fabric_endpoint_col_name, NULL, NULL},               \
    [OVSREC_TABLE_FABRIC_QOS].row_ids[0]                                \
        = {&ovsrec_fabric_qos_col_name, NULL, NULL},

/* vsctl_cmd_init(), after ctl_init(): registers our commands. */
void fabric_vsctl_init(void);

/* usage(): prints them. */
void fabric_vsctl_usage(void);

/* run_prerequisites(): looks for general commands that change our tables, so
 * that fabric_vsctl_report() can tell of them. */
void fabric_vsctl_watch(struct ovsdb_idl *idl,
                        const struct ctl_command *commands, size_t n);

/* do_vsctl(), once ovs-vswitchd has processed the transaction: tells what it
 * refused of what was changed; of what our commands added, also sets
 * '*failed'. */
void fabric_vsctl_report(struct ovsdb_idl *idl, bool *failed);

#endif /* fabric-hooks.h */
