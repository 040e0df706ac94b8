/* SPDX-License-Identifier: Apache-2.0 */

/* Receiving.  An uplink hands over messages of one or, with UDP_GRO, many
 * datagrams from one path.  All datagrams of a message share addresses, so the
 * source is looked up once per message; consecutive segments of one inner TCP
 * connection are joined to a super-frame if ports take those
 * (userspace-tso-enable).  A super-frame goes on in the next message of a
 * burst: with its encapsulation, the largest that a workload sends takes two.
 * Whatever a burst holds beyond a batch waits in the rxq. */

#include <config.h>
#include "netdev-fabric.h"

#include <errno.h>

#include "coverage.h"
#include "dp-packet.h"
#include "dp-packet-gso.h"
#include "fabric-arrival.h"
#include "fabric-drops.h"
#include "fabric-ecn.h"
#include "fabric-encap.h"
#include "fabric-gso.h"
#include "fabric-hooks.h"
#include "fabric-inject.h"
#include "fabric-live.h"
#include "fabric-private.h"
#include "fabric-prober.h"
#include "fabric-session.h"
#include "fabric-turn.h"
#include "netdev-provider.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "odp-util.h"
#include "packets.h"
#include "smap.h"
#include "userspace-tso.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(netdev_fabric);

COVERAGE_DEFINE(fabric_rx_strange_ecn);
COVERAGE_DEFINE(fabric_rx_superframe);

/* For what packets cause. */
static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

struct netdev_fabric {
    struct netdev up;
    struct eth_addr etheraddr;
    OVSRCU_TYPE(struct netdev_tunnel_config *) tnl_cfg;
};

struct netdev_rxq_fabric {
    struct netdev_rxq up;
    size_t next_uplink;         /* Where the next round begins. */

    /* Received and not yet handed over. */
    struct dp_packet **pending;
    size_t n_pending, next_pending, allocated;
};

static const struct netdev_class netdev_fabric_class;

static bool
is_fabric(const struct netdev *netdev)
{
    return netdev->netdev_class == &netdev_fabric_class;
}

static struct netdev_fabric *
netdev_fabric_cast(const struct netdev *netdev)
{
    ovs_assert(is_fabric(netdev));
    return CONTAINER_OF(netdev, struct netdev_fabric, up);
}

static struct netdev_rxq_fabric *
rxq_cast(const struct netdev_rxq *rxq)
{
    return CONTAINER_OF(rxq, struct netdev_rxq_fabric, up);
}

/* Life cycle. */

static struct netdev *
netdev_fabric_alloc(void)
{
    struct netdev_fabric *dev = xzalloc(sizeof *dev);

    return &dev->up;
}

static void
update_tunnel_config(struct netdev_fabric *dev)
{
    struct fabric *f = fabric_registry_lookup(netdev_get_name(&dev->up));
    struct netdev_tunnel_config *cfg = xzalloc(sizeof *cfg);
    struct netdev_tunnel_config *old
        = ovsrcu_get_protected(struct netdev_tunnel_config *, &dev->tnl_cfg);

    cfg->in_key_present = cfg->in_key_flow = true;
    cfg->out_key_present = cfg->out_key_flow = true;
    cfg->ip_src_flow = cfg->ip_dst_flow = true;
    cfg->pt_mode = NETDEV_PT_LEGACY_L2;
    cfg->csum = NETDEV_TNL_CSUM_DISABLED;
    cfg->ttl = 64;
    if (f) {
        const struct fabric_config *config = fabric_get_config(f);

        cfg->dst_port = htons(config->dst_port);
        cfg->ttl = config->ttl;
        cfg->tos = config->tos;
        cfg->tos_inherit = config->tos_inherit;
    }
    ovsrcu_set(&dev->tnl_cfg, cfg);
    if (old) {
        ovsrcu_postpone(free, old);
    }
}

static int
netdev_fabric_construct(struct netdev *netdev)
{
    struct netdev_fabric *dev = netdev_fabric_cast(netdev);

    if (userspace_tso_enabled()) {
        fabric_gso_keep_memory();
    }
    eth_addr_random(&dev->etheraddr);
    ovsrcu_init(&dev->tnl_cfg, NULL);
    update_tunnel_config(dev);
    return 0;
}

static void
netdev_fabric_destruct(struct netdev *netdev)
{
    struct fabric *f = fabric_registry_lookup(netdev_get_name(netdev));

    if (f) {
        fabric_set_odp_port(f, ODPP_NONE);
    }
    ovsrcu_postpone(free, ovsrcu_get_protected(
                        struct netdev_tunnel_config *,
                        &netdev_fabric_cast(netdev)->tnl_cfg));
}

static void
netdev_fabric_dealloc(struct netdev *netdev)
{
    free(netdev_fabric_cast(netdev));
}

bool
netdev_fabric_exists(const char *name)
{
    struct netdev *netdev = netdev_from_name(name);
    bool exists = netdev && is_fabric(netdev);

    netdev_close(netdev);
    return exists;
}

void
netdev_fabric_changed(const char *name)
{
    struct netdev *netdev = netdev_from_name(name);

    if (netdev && is_fabric(netdev)) {
        update_tunnel_config(netdev_fabric_cast(netdev));
        netdev_change_seq_changed(netdev);
    }
    netdev_close(netdev);
}

/* Properties. */

static int
netdev_fabric_get_config(const struct netdev *netdev OVS_UNUSED,
                         struct smap *args OVS_UNUSED)
{
    return 0;
}

static int
netdev_fabric_set_config(struct netdev *netdev, const struct smap *args,
                         char **errp)
{
    if (!smap_is_empty(args)) {
        *errp = xasprintf("%s: a fabric port takes no options: configure the "
                          "Fabric row of that name",
                          netdev_get_name(netdev));
        return EINVAL;
    }
    return 0;
}

static const struct netdev_tunnel_config *
netdev_fabric_get_tunnel_config(const struct netdev *netdev)
{
    return ovsrcu_get(struct netdev_tunnel_config *,
                      &netdev_fabric_cast(netdev)->tnl_cfg);
}

static int
netdev_fabric_get_etheraddr(const struct netdev *netdev, struct eth_addr *mac)
{
    *mac = netdev_fabric_cast(netdev)->etheraddr;
    return 0;
}

static int
netdev_fabric_update_flags(struct netdev *netdev OVS_UNUSED,
                           enum netdev_flags off, enum netdev_flags on,
                           enum netdev_flags *old_flagsp)
{
    /* Always up and promiscuous, like any tunnel port. */
    *old_flagsp = NETDEV_UP | NETDEV_PROMISC;
    return off & *old_flagsp || on & ~*old_flagsp ? EOPNOTSUPP : 0;
}

static int
netdev_fabric_get_carrier(const struct netdev *netdev, bool *carrier)
{
    struct fabric *f = fabric_registry_lookup(netdev_get_name(netdev));

    *carrier = false;
    if (f) {
        const struct fabric_uplinks *ups
            = ovsrcu_get(struct fabric_uplinks *, &f->uplinks);

        ovs_mutex_lock(&fabric_table_mutex);
        for (size_t i = 0; i < ups->n; i++) {
            *carrier |= ups->local_up[i];
        }
        ovs_mutex_unlock(&fabric_table_mutex);
    }
    return 0;
}

static int
netdev_fabric_get_status(const struct netdev *netdev, struct smap *smap)
{
    struct fabric *f = fabric_registry_lookup(netdev_get_name(netdev));

    if (f) {
        smap_add(smap, "encap", fabric_encap_to_string(fabric_get_encap(f)));
        smap_add_format(smap, "endpoints", "%"PRIuSIZE,
                        cmap_count(&f->by_id));
    }
    return 0;
}

static int
netdev_fabric_get_stats(const struct netdev *netdev,
                        struct netdev_stats *stats)
{
    struct fabric *f = fabric_registry_lookup(netdev_get_name(netdev));
    const uint64_t *kern;

    memset(stats, 0, sizeof *stats);
    if (f) {
        atomic_read_relaxed(&f->rx_packets, &stats->rx_packets);
        atomic_read_relaxed(&f->rx_bytes, &stats->rx_bytes);
        atomic_read_relaxed(&f->rx_dropped, &stats->rx_dropped);
        atomic_read_relaxed(&f->tx_packets, &stats->tx_packets);
        atomic_read_relaxed(&f->tx_bytes, &stats->tx_bytes);
        atomic_read_relaxed(&f->tx_dropped, &stats->tx_dropped);
        atomic_read_relaxed(&f->kern_stats, &kern);
        if (kern) {
            stats->rx_packets += kern[0];
            stats->rx_bytes += kern[1];
            stats->tx_packets += kern[2];
            stats->tx_bytes += kern[3];
        }
    }
    return 0;
}

static int
netdev_fabric_send(struct netdev *netdev, int qid OVS_UNUSED,
                   struct dp_packet_batch *batch,
                   bool concurrent_txq OVS_UNUSED)
{
    struct fabric *f = fabric_registry_lookup(netdev_get_name(netdev));
    size_t n = dp_packet_batch_size(batch);

    fabric_drop_count(FABRIC_DROP_TX_NOT_TUNNELED, n);
    if (f) {
        uint64_t orig;

        atomic_add_relaxed(&f->tx_dropped, n, &orig);
    }
    dp_packet_delete_batch(batch, true);
    return 0;
}

/* Receiving. */

static struct netdev_rxq *
netdev_fabric_rxq_alloc(void)
{
    struct netdev_rxq_fabric *rxq = xzalloc(sizeof *rxq);

    return &rxq->up;
}

static int
netdev_fabric_rxq_construct(struct netdev_rxq *rxq OVS_UNUSED)
{
    return 0;
}

static int
netdev_fabric_rxq_drain(struct netdev_rxq *rxq_)
{
    struct netdev_rxq_fabric *rxq = rxq_cast(rxq_);

    while (rxq->next_pending < rxq->n_pending) {
        dp_packet_delete(rxq->pending[rxq->next_pending++]);
    }
    rxq->next_pending = rxq->n_pending = 0;
    return 0;
}

static void
netdev_fabric_rxq_destruct(struct netdev_rxq *rxq_)
{
    netdev_fabric_rxq_drain(rxq_);
    free(rxq_cast(rxq_)->pending);
}

static void
netdev_fabric_rxq_dealloc(struct netdev_rxq *rxq)
{
    free(rxq_cast(rxq));
}

/* One message of a burst while it is taken apart. */
struct rx_message {
    struct fabric *fabric;
    struct fabric_uplink *uplink;
    const struct fabric_rx *rx;
    const struct fabric_arrival *arrival;       /* NULL: of no path known. */
    const struct fabric_endpoint *endpoint;     /* NULL: unknown source. */
    struct flow_tnl tnl;        /* Without what the header tells. */
    uint64_t n_packets, n_bytes, n_dropped;

    /* The super-frame under way, which earlier messages may have begun. */
    struct fabric_gro gro;
    const uint8_t *gro_header;  /* Header of its datagrams. */
    struct fabric_encap_info gro_info;
};

static void
set_outer(struct flow_tnl *tnl, const struct in6_addr *src,
          const struct in6_addr *dst)
{
    if (IN6_IS_ADDR_V4MAPPED(src)) {
        tnl->ip_src = in6_addr_get_mapped_ipv4(src);
        tnl->ip_dst = in6_addr_get_mapped_ipv4(dst);
    } else {
        tnl->ipv6_src = *src;
        tnl->ipv6_dst = *dst;
    }
}

static void
start_message(struct rx_message *m, struct fabric *f, struct fabric_uplink *up,
              const struct fabric_rx *rx)
{
    memset(m, 0, offsetof(struct rx_message, tnl.metadata.opts));
    m->n_packets = m->n_bytes = m->n_dropped = 0;
    m->fabric = f;
    m->uplink = up;
    m->rx = rx;
    m->arrival = fabric_arrival_find(f, up, &rx->remote_ip, rx->remote_port);
    m->endpoint = (m->arrival ? m->arrival->endpoint
                   : fabric_endpoint_by_ip(f, &rx->remote_ip));
    if (m->endpoint) {
        const struct fabric_endpoint_addrs *addrs
            = ovsrcu_get(struct fabric_endpoint_addrs *, &m->endpoint->addrs);

        set_outer(&m->tnl, &addrs->primary, &addrs->local);
    } else {
        set_outer(&m->tnl, &rx->remote_ip, &up->config.local_ip);
    }
    m->tnl.ip_tos = rx->tos;
    m->tnl.ip_ttl = rx->ttl;
    m->tnl.tp_dst = htons(up->config.dst_port);
}

static void
rxq_put(struct netdev_rxq_fabric *rxq, const struct rx_message *m,
        const struct fabric_encap_info *info, struct dp_packet *packet)
{
    struct pkt_metadata *md = &packet->md;

    memset(md, 0, offsetof(struct pkt_metadata, ct_orig_tuple_ipv6));
    md->conn = NULL;
    memcpy(&md->tunnel, &m->tnl, offsetof(struct flow_tnl, metadata.opts));
    fabric_encap_to_tnl(m->uplink->config.encap, info, &md->tunnel);

    if (rxq->n_pending >= rxq->allocated) {
        rxq->pending = x2nrealloc(rxq->pending, &rxq->allocated,
                                  sizeof *rxq->pending);
    }
    rxq->pending[rxq->n_pending++] = packet;
}

static void
finish_gro(struct netdev_rxq_fabric *rxq, struct rx_message *m)
{
    uint16_t n_segs = m->gro.n_segs;
    struct dp_packet *packet = fabric_gro_finish(&m->gro);

    if (packet) {
        if (n_segs > 1) {
            COVERAGE_INC(fabric_rx_superframe);
        }
        rxq_put(rxq, m, &m->gro_info, packet);
    }
}

/* Joins the frame to the super-frame under way if it can be. */
static bool
join_frame(struct netdev_rxq_fabric *rxq, struct rx_message *m,
           const struct fabric_encap_info *info, const uint8_t *data,
           size_t size)
{
    const uint8_t *frame = data + info->header_len;
    size_t frame_size = size - info->header_len;

    if (m->gro.packet
        && (m->gro_info.header_len != info->header_len
            || memcmp(m->gro_header, data, info->header_len)
            || !fabric_gro_append(&m->gro, frame, frame_size,
                                  FABRIC_RX_HEADROOM))) {
        finish_gro(rxq, m);
    } else if (m->gro.packet) {
        return true;
    }

    m->gro_header = data;
    m->gro_info = *info;
    return fabric_gro_append(&m->gro, frame, frame_size, FABRIC_RX_HEADROOM);
}

/* Segments of super-frames whose segment size nobody tells: fits the smallest
 * MTU of IPv6 with all headers. */
#define UNFINISHED_SEGSZ 1140

/* Puts the inner frame of a datagram of its own. */
static void
put_frame(struct netdev_rxq_fabric *rxq, const struct rx_message *m,
          const struct fabric_encap_info *info, const uint8_t *frame,
          size_t size)
{
    struct dp_packet *packet
        = dp_packet_new_with_headroom(size, FABRIC_RX_HEADROOM);

    dp_packet_put(packet, frame, size);
    if (fabric_gso_adopt_unfinished(packet, UNFINISHED_SEGSZ)
        && !userspace_tso_enabled()) {
        struct dp_packet_batch batch;
        struct dp_packet *segment;

        dp_packet_batch_init_packet(&batch, packet);
        dp_packet_gso_batch(&batch);
        DP_PACKET_BATCH_FOR_EACH (i, segment, &batch) {
            rxq_put(rxq, m, info, segment);
        }
        dp_packet_batch_destroy(&batch);
    } else {
        rxq_put(rxq, m, info, packet);
    }
}

/* Puts the datagrams that a super-frame of UDP consists of.  (There are two or
 * more: the frame counts as one so far.) */
static void
put_udp_frame(struct netdev_rxq_fabric *rxq, struct rx_message *m,
              const struct fabric_encap_info *info, const uint8_t *frame,
              size_t size)
{
    struct dp_packet *packet;
    uint64_t n_bytes = 0;
    size_t i;

    for (i = 0; (packet = fabric_gso_udp_segment(frame, size,
                                                 m->rx->gso_size, i,
                                                 FABRIC_RX_HEADROOM)); i++) {
        n_bytes += dp_packet_size(packet);
        fabric_gso_adopt_unfinished(packet, UNFINISHED_SEGSZ);
        rxq_put(rxq, m, info, packet);
    }
    m->n_packets += i - 1;
    m->n_bytes += n_bytes - size;
}

static void
drop_datagram(struct rx_message *m, enum fabric_drop reason)
{
    fabric_drop_count(reason, 1);
    m->n_dropped++;
}

/* Applies the outer ECN field to the inner one.  Returns false if the packet
 * must not go on. */
static bool
receive_ecn(const struct rx_message *m, uint8_t *frame, size_t size)
{
    uint8_t flags = fabric_ecn_receive(frame, size, m->rx->tos);

    if (OVS_UNLIKELY(flags & FABRIC_ECN_STRANGE)) {
        COVERAGE_INC(fabric_rx_strange_ecn);
        if (!VLOG_DROP_INFO(&rl)) {
            char ip[INET6_ADDRSTRLEN];

            ipv6_string_mapped(ip, &m->rx->remote_ip);
            VLOG_INFO("fabric %s: a packet from %s has ECN field %u outside, "
                      "which does not go with the one inside (RFC 6040 "
                      "section 4.2)%s", m->fabric->name, ip,
                      m->rx->tos & IP_ECN_MASK,
                      flags & FABRIC_ECN_DROP ? ": dropped" : "");
        }
    }
    return !(flags & FABRIC_ECN_DROP);
}

static void
receive_datagram(struct netdev_rxq_fabric *rxq, struct rx_message *m,
                 uint8_t *data, size_t size)
{
    struct fabric_encap_info info;
    enum fabric_drop drop;
    uint8_t *frame;

    if (!fabric_encap_parse(m->uplink->config.encap, data, size, &info,
                            &drop)) {
        drop_datagram(m, drop);
        return;
    }
    frame = data + info.header_len;
    size -= info.header_len;

    if (fabric_session_is_probe(info.vni, info.oam, &m->uplink->config, frame,
                                size)) {
        struct fabric_rx rx = *m->rx;

        rx.data = data;
        rx.size = size + info.header_len;
        rx.gso_size = 0;
        fabric_prober_receive(m->fabric, m->uplink, &rx);
        return;
    }

    if (!m->endpoint && fabric_get_config(m->fabric)->verify_source) {
        drop_datagram(m, FABRIC_DROP_RX_UNKNOWN_SOURCE);
        return;
    }
    if (!receive_ecn(m, frame, size)) {
        drop_datagram(m, FABRIC_DROP_RX_CONGESTION);
        return;
    }

    m->n_packets++;
    m->n_bytes += size;
    if (m->rx->gso_size && size + info.header_len > m->rx->gso_size) {
        put_udp_frame(rxq, m, &info, frame, size);
    } else if (!(m->rx->gso_size || m->gro.packet)
               || !userspace_tso_enabled()
               || !join_frame(rxq, m, &info, data, size + info.header_len)) {
        put_frame(rxq, m, &info, frame, size);
    }
}

static void
count_rx(const struct rx_message *m)
{
    struct fabric *f = m->fabric;
    uint64_t orig;

    atomic_add_relaxed(&f->rx_packets, m->n_packets, &orig);
    atomic_add_relaxed(&f->rx_bytes, m->n_bytes, &orig);
    atomic_add_relaxed(&f->rx_dropped, m->n_dropped, &orig);
    if (m->endpoint) {
        struct fabric_table_endpoint *e
            = &fabric_table_endpoints[m->endpoint->index];

        atomic_add_relaxed(&e->rx_packets, m->n_packets, &orig);
        atomic_add_relaxed(&e->rx_bytes, m->n_bytes, &orig);
    }
    if (m->arrival) {
        struct fabric_table_path *p = &fabric_table_paths[m->arrival->index];

        atomic_add_relaxed(&p->rx_packets, m->n_packets, &orig);
        atomic_add_relaxed(&p->rx_bytes, m->n_bytes, &orig);
    }
}

/* Is the message one datagram after all, whose inner frame is a super-frame of
 * UDP? */
static bool
is_udp_frame(const struct fabric_uplink *up, const struct fabric_rx *rx)
{
    struct fabric_encap_info info;
    enum fabric_drop drop;

    return (fabric_encap_parse(up->config.encap, rx->data, rx->size, &info,
                               &drop)
            && fabric_gso_is_udp(rx->data + info.header_len,
                                 rx->size - info.header_len, rx->gso_size));
}

/* Do 'a' and 'b' come from one source, with the same outer fields? */
static bool
rx_alike(const struct fabric_rx *a, const struct fabric_rx *b)
{
    return (ipv6_addr_equals(&a->remote_ip, &b->remote_ip)
            && a->tos == b->tos && a->ttl == b->ttl);
}

static void
receive_message(struct netdev_rxq_fabric *rxq, struct rx_message *m)
{
    const struct fabric_rx *rx = m->rx;
    bool many = rx->gso_size && !is_udp_frame(m->uplink, rx);
    size_t step = many ? rx->gso_size : rx->size;

    for (size_t ofs = 0; ofs < rx->size; ofs += step) {
        receive_datagram(rxq, m, rx->data + ofs, MIN(step, rx->size - ofs));
    }
    if (!rx->size) {
        drop_datagram(m, FABRIC_DROP_RX_TRUNCATED);
    }
    count_rx(m);
}

static void
receive_messages(struct netdev_rxq_fabric *rxq, struct fabric *f,
                 struct fabric_uplink *up, const struct fabric_rx *rx,
                 size_t n)
{
    struct rx_message m;

    memset(&m.gro, 0, sizeof m - offsetof(struct rx_message, gro));
    for (size_t i = 0; i < n; i++) {
        if (i && !rx_alike(&rx[i - 1], &rx[i])) {
            finish_gro(rxq, &m);
        }
        m.gro.size_hint = 0;
        for (size_t j = i; j < n && m.gro.size_hint < UINT16_MAX; j++) {
            m.gro.size_hint += rx[j].size;
        }
        start_message(&m, f, up, &rx[i]);
        receive_message(rxq, &m);
    }
    finish_gro(rxq, &m);
}

/* Receives one burst from the first uplink, in turn, that has any. */
static void
receive_burst(struct netdev_rxq_fabric *rxq)
{
    struct fabric *f = fabric_registry_lookup(netdev_get_name(rxq->up.netdev));
    const struct fabric_uplinks *ups;

    rxq->n_pending = rxq->next_pending = 0;
    if (!f) {
        return;
    }
    ups = ovsrcu_get(struct fabric_uplinks *, &f->uplinks);
    for (size_t i = 0; i < ups->n && !rxq->n_pending; i++) {
        struct fabric_uplink *up
            = ups->uplinks[rxq->next_uplink++ % ups->n];
        struct fabric_rx rx[FABRIC_RX_BURST];

        receive_messages(rxq, f, up, rx, up->class->recv(up, rx));
    }
}

static int
netdev_fabric_rxq_recv(struct netdev_rxq *rxq_, struct dp_packet_batch *batch,
                       int *qfill)
{
    struct netdev_rxq_fabric *rxq = rxq_cast(rxq_);

    if (rxq->next_pending >= rxq->n_pending) {
        receive_burst(rxq);
    }

    dp_packet_batch_init(batch);
    fabric_inject_receive(netdev_get_name(rxq_->netdev), batch);
    while (rxq->next_pending < rxq->n_pending
           && dp_packet_batch_size(batch) < NETDEV_MAX_BURST) {
        dp_packet_batch_add(batch, rxq->pending[rxq->next_pending++]);
    }
    if (qfill) {
        *qfill = rxq->n_pending - rxq->next_pending;
    }
    return dp_packet_batch_is_empty(batch) ? EAGAIN : 0;
}

static void
netdev_fabric_rxq_wait(struct netdev_rxq *rxq_)
{
    struct netdev_rxq_fabric *rxq = rxq_cast(rxq_);
    struct fabric *f = fabric_registry_lookup(netdev_get_name(rxq_->netdev));

    if (rxq->next_pending < rxq->n_pending) {
        poll_immediate_wake();
    }
    if (f) {
        const struct fabric_uplinks *ups
            = ovsrcu_get(struct fabric_uplinks *, &f->uplinks);

        for (size_t i = 0; i < ups->n; i++) {
            ups->uplinks[i]->class->recv_wait(ups->uplinks[i]);
        }
        fabric_inject_wait(f);
    }
}

bool
fabric_rx_set_port(const struct netdev_rxq *rxq, struct dp_packet_batch *batch,
                   odp_port_t port_no)
{
    struct dp_packet *packet;
    struct fabric *f;

    fabric_turn_received();
    if (OVS_LIKELY(!is_fabric(rxq->netdev))) {
        return false;
    }

    f = fabric_registry_lookup(netdev_get_name(rxq->netdev));
    if (f) {
        fabric_set_odp_port(f, port_no);
    }
    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        packet->md.in_port.odp_port = port_no;
        packet->md.orig_in_port = port_no;
    }
    return true;
}

static void
netdev_fabric_run(const struct netdev_class *class OVS_UNUSED)
{
    fabric_prober_run();
    fabric_live_run();
}

static void
netdev_fabric_wait(const struct netdev_class *class OVS_UNUSED)
{
    fabric_prober_wait();
    fabric_live_wait();
}

static const struct netdev_class netdev_fabric_class = {
    .type = "fabric",
    .run = netdev_fabric_run,
    .wait = netdev_fabric_wait,
    .alloc = netdev_fabric_alloc,
    .construct = netdev_fabric_construct,
    .destruct = netdev_fabric_destruct,
    .dealloc = netdev_fabric_dealloc,
    .get_config = netdev_fabric_get_config,
    .set_config = netdev_fabric_set_config,
    .get_tunnel_config = netdev_fabric_get_tunnel_config,
    .send = netdev_fabric_send,
    .get_etheraddr = netdev_fabric_get_etheraddr,
    .get_carrier = netdev_fabric_get_carrier,
    .get_stats = netdev_fabric_get_stats,
    .get_status = netdev_fabric_get_status,
    .update_flags = netdev_fabric_update_flags,
    .rxq_alloc = netdev_fabric_rxq_alloc,
    .rxq_construct = netdev_fabric_rxq_construct,
    .rxq_destruct = netdev_fabric_rxq_destruct,
    .rxq_dealloc = netdev_fabric_rxq_dealloc,
    .rxq_recv = netdev_fabric_rxq_recv,
    .rxq_wait = netdev_fabric_rxq_wait,
    .rxq_drain = netdev_fabric_rxq_drain,
};

void
netdev_fabric_register(void)
{
    static bool registered;

    if (!registered) {
        registered = true;
        netdev_register_provider(&netdev_fabric_class);
    }
}
