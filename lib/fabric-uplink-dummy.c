/* SPDX-License-Identifier: Apache-2.0 */

/* The "dummy" uplink driver, for tests: uplinks of one process reach each
 * other.
 *
 * A datagram to an address that is the local IP of another dummy uplink with
 * the same UDP port is queued there; any other is lost.  Every uplink also
 * remembers the last datagrams that it sent.  Nothing happens by itself: the
 * main loop serves dummy uplinks, so tests may stop the clock. */

#include <config.h>

#include "fabric-uplink.h"

#include <errno.h>

#include "fabric-carrier.h"
#include "fabric-discover.h"
#include "fabric-drops.h"
#include "fabric-encap.h"
#include "fabric-hooks.h"
#include "fabric-private.h"
#include "fabric-session.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/list.h"
#include "openvswitch/poll-loop.h"
#include "ovs-thread.h"
#include "packets.h"
#include "unixctl.h"
#include "util.h"

#define MAX_SENT 1024
#define MAX_QUEUE 8192

struct message {
    struct ovs_list node;
    struct in6_addr remote_ip;  /* Sender if received, receiver if sent. */
    uint16_t port;              /* Source port. */
    uint8_t tos, ttl;
    size_t size;
    size_t gso_size;
    uint8_t data[];
};

struct dummy_uplink {
    struct fabric_uplink up;
    struct ovs_list node;               /* In 'all_uplinks'. */

    /* Guarded by 'mutex'. */
    struct ovs_list queues[2];          /* Data, probes: struct message. */
    size_t n_queued;
    struct ovs_list sent[2];            /* struct message: data, probes. */
    size_t n_sent[2];
    struct ovs_list held[2];            /* Returned by the last recv(). */
    bool configured;                    /* Takes what comes to its address? */
    bool carrier;
    uint32_t mtu;                       /* 0: not known. */
    int error;                          /* Of every send, 0 for none. */
};

/* A source port that loses what it sends. */
struct failure {
    struct ovs_list node;
    struct in6_addr local_ip, remote_ip;
    uint16_t port;                      /* 0: any. */
    uint32_t mtu;                       /* Only what is not to be fragmented
                                         * and larger. */
};

static struct ovs_mutex mutex = OVS_MUTEX_INITIALIZER;
static struct ovs_list all_uplinks OVS_GUARDED_BY(mutex)
    = OVS_LIST_INITIALIZER(&all_uplinks);
static struct ovs_list failures OVS_GUARDED_BY(mutex)
    = OVS_LIST_INITIALIZER(&failures);

/* The UDP port that no uplink can be opened for, 0 for none. */
static uint16_t busy_port OVS_GUARDED_BY(mutex);

static struct dummy_uplink *
dummy_cast(struct fabric_uplink *up)
{
    return CONTAINER_OF(up, struct dummy_uplink, up);
}

static void
free_messages(struct ovs_list *list)
{
    struct message *m;

    LIST_FOR_EACH_POP (m, node, list) {
        free(m);
    }
}

static struct fabric_uplink *
dummy_alloc(void)
{
    struct dummy_uplink *d = xzalloc(sizeof *d);

    for (size_t i = 0; i < ARRAY_SIZE(d->queues); i++) {
        ovs_list_init(&d->queues[i]);
        ovs_list_init(&d->held[i]);
    }
    ovs_list_init(&d->sent[0]);
    ovs_list_init(&d->sent[1]);
    d->carrier = true;
    ovs_mutex_lock(&mutex);
    ovs_list_push_back(&all_uplinks, &d->node);
    ovs_mutex_unlock(&mutex);
    return &d->up;
}

/* Copies what tests have set. */
static void
dummy_inherit(struct fabric_uplink *up, struct fabric_uplink *old_)
{
    const struct dummy_uplink *old = dummy_cast(old_);
    struct dummy_uplink *d = dummy_cast(up);

    ovs_mutex_lock(&mutex);
    d->carrier = old->carrier;
    d->mtu = old->mtu;
    d->error = old->error;
    ovs_mutex_unlock(&mutex);
}

static char *
dummy_open(struct fabric_uplink *up)
{
    char *error = NULL;

    ovs_mutex_lock(&mutex);
    if (up->config.dst_port == busy_port) {
        char ip[INET6_ADDRSTRLEN];

        error = xasprintf("UDP port %"PRIu16" of local IP %s is in use by "
                          "another program or device", busy_port,
                          ipv6_string_mapped(ip, &up->config.local_ip));
    }
    ovs_mutex_unlock(&mutex);
    return error;
}

/* Becomes the uplink that is found first by its address. */
static void
dummy_configure(struct fabric_uplink *up)
{
    struct dummy_uplink *d = dummy_cast(up);

    ovs_mutex_lock(&mutex);
    d->configured = true;
    ovs_list_remove(&d->node);
    ovs_list_push_front(&all_uplinks, &d->node);
    ovs_mutex_unlock(&mutex);
}

static char *
dummy_add_port(struct fabric_uplink *up OVS_UNUSED, unsigned int i OVS_UNUSED,
               uint16_t *port OVS_UNUSED)
{
    return NULL;
}

static void
dummy_destroy(struct fabric_uplink *up)
{
    struct dummy_uplink *d = dummy_cast(up);

    ovs_mutex_lock(&mutex);
    ovs_list_remove(&d->node);
    for (size_t i = 0; i < ARRAY_SIZE(d->queues); i++) {
        free_messages(&d->queues[i]);
        free_messages(&d->held[i]);
    }
    free_messages(&d->sent[0]);
    free_messages(&d->sent[1]);
    ovs_mutex_unlock(&mutex);
    free(d);
}

static bool
is_probe(const struct fabric_uplink *up, const uint8_t *data, size_t size)
{
    struct fabric_encap_info info;
    enum fabric_drop drop;

    return (fabric_encap_parse(up->config.encap, data, size, &info, &drop)
            && fabric_session_is_probe(info.vni, info.oam, &up->config,
                                       data + info.header_len,
                                       size - info.header_len));
}

static struct message *
make_message(const struct fabric_datagram *dg, const struct in6_addr *peer,
             uint16_t port, uint8_t ttl)
{
    struct message *m = xmalloc(sizeof *m + dg->size);
    size_t ofs = 0;

    m->remote_ip = *peer;
    m->port = port;
    m->tos = dg->tos;
    m->ttl = ttl;
    m->size = dg->size;
    m->gso_size = dg->size > dg->gso_size ? dg->gso_size : 0;
    for (size_t i = 0; i < dg->n_iov; i++) {
        memcpy(m->data + ofs, dg->iov[i].iov_base, dg->iov[i].iov_len);
        ofs += dg->iov[i].iov_len;
    }
    return m;
}

static bool
fails(const struct in6_addr *local, const struct fabric_datagram *dg,
      uint16_t port)
    OVS_REQUIRES(mutex)
{
    size_t size = dg->size + UDP_HEADER_LEN + (IN6_IS_ADDR_V4MAPPED(local)
                                               ? IP_HEADER_LEN
                                               : IPV6_HEADER_LEN);
    const struct failure *f;

    LIST_FOR_EACH (f, node, &failures) {
        if (ipv6_addr_equals(&f->local_ip, local)
            && ipv6_addr_equals(&f->remote_ip, &dg->remote_ip)
            && (!f->port || f->port == port)
            && (!f->mtu || (dg->whole && size > f->mtu))) {
            return true;
        }
    }
    return false;
}

static struct dummy_uplink *
find_uplink(const struct in6_addr *ip, uint16_t dst_port)
    OVS_REQUIRES(mutex)
{
    struct dummy_uplink *d;

    LIST_FOR_EACH (d, node, &all_uplinks) {
        if (d->configured && ipv6_addr_equals(&d->up.config.local_ip, ip)
            && (!dst_port || d->up.config.dst_port == dst_port)) {
            return d;
        }
    }
    return NULL;
}

static void
queue_message(struct dummy_uplink *d, struct message *m)
    OVS_REQUIRES(mutex)
{
    if (d->n_queued < MAX_QUEUE) {
        bool probe = !m->gso_size && is_probe(&d->up, m->data, m->size);

        ovs_list_push_back(&d->queues[probe], &m->node);
        d->n_queued++;
    } else {
        fabric_drop_count(FABRIC_DROP_RX_QUEUE_FULL, 1);
        free(m);
    }
}

static void
remember_sent(struct dummy_uplink *d, struct message *m)
    OVS_REQUIRES(mutex)
{
    bool probe = is_probe(&d->up, m->data, m->size);

    if (d->n_sent[probe] >= MAX_SENT) {
        struct message *oldest
            = CONTAINER_OF(ovs_list_pop_front(&d->sent[probe]),
                           struct message, node);

        free(oldest);
        d->n_sent[probe]--;
    }
    ovs_list_push_back(&d->sent[probe], &m->node);
    d->n_sent[probe]++;
}

static void
dummy_send(struct fabric_uplink *up, struct fabric_datagram *dgs, size_t n)
{
    struct dummy_uplink *d = dummy_cast(up);
    const struct in6_addr *local = &up->config.local_ip;

    ovs_mutex_lock(&mutex);
    for (size_t i = 0; i < n; i++) {
        struct fabric_datagram *dg = &dgs[i];
        uint16_t port = up->src_ports[dg->port_idx];
        uint8_t ttl = dg->ttl ? dg->ttl : fabric_uplink_ttl(up);

        dg->error = d->error;
        if (!dg->error) {
            struct dummy_uplink *peer = find_uplink(&dg->remote_ip,
                                                    up->config.dst_port);

            remember_sent(d, make_message(dg, &dg->remote_ip, port, ttl));
            if (peer && d->carrier && peer->carrier
                && !fails(local, dg, port)) {
                queue_message(peer, make_message(dg, local, port, ttl));
            }
        }
    }
    ovs_mutex_unlock(&mutex);
}

static size_t
receive(struct dummy_uplink *d, bool probe, struct fabric_rx *rx)
{
    size_t n = 0;

    ovs_mutex_lock(&mutex);
    free_messages(&d->held[probe]);
    while (n < FABRIC_RX_BURST && !ovs_list_is_empty(&d->queues[probe])) {
        struct message *m
            = CONTAINER_OF(ovs_list_pop_front(&d->queues[probe]),
                           struct message, node);

        d->n_queued--;
        ovs_list_push_back(&d->held[probe], &m->node);
        rx[n++] = (struct fabric_rx) {
            .data = m->data, .size = m->size, .gso_size = m->gso_size,
            .remote_ip = m->remote_ip, .remote_port = m->port,
            .tos = m->tos, .ttl = m->ttl,
        };
    }
    ovs_mutex_unlock(&mutex);
    return n;
}

static size_t
dummy_recv(struct fabric_uplink *up, struct fabric_rx *rx)
{
    return receive(dummy_cast(up), false, rx);
}

static size_t
dummy_recv_probe(struct fabric_uplink *up, struct fabric_rx *rx)
{
    return receive(dummy_cast(up), true, rx);
}

static void
wait(struct dummy_uplink *d, bool probe)
{
    ovs_mutex_lock(&mutex);
    if (!ovs_list_is_empty(&d->queues[probe])) {
        poll_immediate_wake();
    }
    ovs_mutex_unlock(&mutex);
}

static void
dummy_recv_wait(struct fabric_uplink *up)
{
    wait(dummy_cast(up), false);
}

static void
dummy_recv_probe_wait(struct fabric_uplink *up)
{
    wait(dummy_cast(up), true);
}

static uint32_t
dummy_get_mtu(struct fabric_uplink *up, unsigned int i OVS_UNUSED,
              const struct in6_addr *remote_ip OVS_UNUSED)
{
    return dummy_cast(up)->mtu;
}

static bool
dummy_is_up(struct fabric_uplink *up, const char **reason)
{
    *reason = "no carrier";
    return dummy_cast(up)->carrier;
}

static const struct fabric_uplink_class fabric_uplink_dummy_class = {
    .name = "dummy",
    .alloc = dummy_alloc,
    .inherit = dummy_inherit,
    .open = dummy_open,
    .add_port = dummy_add_port,
    .destroy = dummy_destroy,
    .configure = dummy_configure,
    .send = dummy_send,
    .recv = dummy_recv,
    .recv_wait = dummy_recv_wait,
    .recv_probe = dummy_recv_probe,
    .recv_probe_wait = dummy_recv_probe_wait,
    .get_mtu = dummy_get_mtu,
    .is_up = dummy_is_up,
    .threaded = false,
};

/* Commands. */

static bool
parse_ip(const char *s, struct in6_addr *ip)
{
    ovs_be32 ip4;

    if (ip_parse(s, &ip4)) {
        in6_addr_set_mapped_ipv4(ip, ip4);
        return true;
    }
    return ipv6_parse(s, ip);
}

/* A command whose first argument is the local IP of an uplink. */
struct uplink_command {
    const char *name;
    const char *usage;
    int min_args, max_args;

    /* Appends what there is to reply to '*reply' and returns NULL, or returns
     * an error message. */
    const char *(*run)(struct dummy_uplink *, int argc, const char *argv[],
                       struct ds *reply);
};

static void
dummy_unixctl_uplink(struct unixctl_conn *conn, int argc, const char *argv[],
                     void *command_)
{
    const struct uplink_command *command = command_;
    const char *error = "no such uplink";
    struct ds reply = DS_EMPTY_INITIALIZER;
    struct dummy_uplink *d = NULL;
    bool carrier_changed = false;
    struct in6_addr local;

    ovs_mutex_lock(&mutex);
    if (parse_ip(argv[1], &local)) {
        d = find_uplink(&local, 0);
    }
    if (d) {
        bool carrier = d->carrier;

        error = command->run(d, argc, argv, &reply);
        carrier_changed = carrier != d->carrier;
    }
    ovs_mutex_unlock(&mutex);

    if (carrier_changed) {
        fabric_carrier_check();
    }
    if (error) {
        unixctl_command_reply_error(conn, error);
    } else {
        unixctl_command_reply(conn, ds_cstr(&reply));
    }
    ds_destroy(&reply);
}

static const char *
run_receive(struct dummy_uplink *d, int argc, const char *argv[],
            struct ds *reply OVS_UNUSED)
    OVS_REQUIRES(mutex)
{
    size_t len = strlen(argv[4]) / 2;
    struct message *m = xzalloc(sizeof *m + len);
    int count = argc > 7 ? atoi(argv[7]) : 1;
    bool ok = parse_ip(argv[2], &m->remote_ip);

    m->port = atoi(argv[3]);
    m->size = len;
    m->tos = argc > 5 ? atoi(argv[5]) : 0;
    m->ttl = argc > 6 ? atoi(argv[6]) : 64;
    for (size_t i = 0; ok && i < len; i++) {
        m->data[i] = hexits_value(&argv[4][2 * i], 2, &ok);
    }
    for (int i = 0; ok && i < count; i++) {
        queue_message(d, xmemdup(m, sizeof *m + len));
    }
    free(m);
    return ok ? NULL : "not an IP address or not hexadecimal";
}

static const char *
run_sent(struct dummy_uplink *d, int argc OVS_UNUSED,
         const char *argv[], struct ds *reply)
    OVS_REQUIRES(mutex)
{
    bool probes = !strcmp(argv[0], "fabric-dummy/probes");
    struct message *m;

    LIST_FOR_EACH_POP (m, node, &d->sent[probes]) {
        ipv6_format_mapped(&m->remote_ip, reply);
        ds_put_format(reply, " port=%"PRIu16" tos=%u ttl=%u gso=%"PRIuSIZE" ",
                      m->port, m->tos, m->ttl, m->gso_size);
        for (size_t i = 0; i < m->size; i++) {
            ds_put_format(reply, "%02x", m->data[i]);
        }
        ds_put_char(reply, '\n');
        free(m);
    }
    d->n_sent[probes] = 0;
    return NULL;
}

static const char *
run_carrier(struct dummy_uplink *d, int argc OVS_UNUSED, const char *argv[],
            struct ds *reply OVS_UNUSED)
    OVS_REQUIRES(mutex)
{
    d->carrier = strcmp(argv[2], "down");
    return NULL;
}

static const char *
run_mtu(struct dummy_uplink *d, int argc OVS_UNUSED, const char *argv[],
        struct ds *reply OVS_UNUSED)
    OVS_REQUIRES(mutex)
{
    d->mtu = atoi(argv[2]);
    return NULL;
}

static const char *
run_error(struct dummy_uplink *d, int argc OVS_UNUSED, const char *argv[],
          struct ds *reply OVS_UNUSED)
    OVS_REQUIRES(mutex)
{
    static const struct {
        const char *name;
        int error;
    } errors[] = {
        { "none", 0 },
        { "EAGAIN", EAGAIN },
        { "EMSGSIZE", EMSGSIZE },
        { "ENETUNREACH", ENETUNREACH },
        { "ENOBUFS", ENOBUFS },
        { "EPERM", EPERM },
    };

    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        if (!strcmp(argv[2], errors[i].name)) {
            d->error = errors[i].error;
            return NULL;
        }
    }
    return "unknown error";
}

static const struct uplink_command uplink_commands[] = {
    /* This arrives, COUNT times. */
    { "fabric-dummy/receive", "local remote port hex [tos [ttl [count]]]",
      4, 7, run_receive },

    /* Print and forget what was sent, data or probes: receiver, source port,
     * TOS, TTL, size of one datagram, bytes. */
    { "fabric-dummy/sent", "local", 1, 1, run_sent },
    { "fabric-dummy/probes", "local", 1, 1, run_sent },

    { "fabric-dummy/carrier", "local up|down", 2, 2, run_carrier },

    /* The MTU of the interface; none is known in the beginning. */
    { "fabric-dummy/mtu", "local mtu", 2, 2, run_mtu },

    /* Every send fails with that errno. */
    { "fabric-dummy/error", "local none|ERRNO", 2, 2, run_error },
};

/* fabric-dummy/fail LOCAL REMOTE [PORT [MTU]], fabric-dummy/heal: what LOCAL
 * sends to REMOTE is lost, or only what is larger than MTU and not to be
 * fragmented. */
static void
dummy_unixctl_fail(struct unixctl_conn *conn, int argc, const char *argv[],
                   void *aux OVS_UNUSED)
{
    struct failure *f = xzalloc(sizeof *f);

    if (!parse_ip(argv[1], &f->local_ip)
        || !parse_ip(argv[2], &f->remote_ip)) {
        unixctl_command_reply_error(conn, "not an IP address");
        free(f);
        return;
    }
    f->port = argc > 3 ? atoi(argv[3]) : 0;
    f->mtu = argc > 4 ? atoi(argv[4]) : 0;
    ovs_mutex_lock(&mutex);
    ovs_list_push_back(&failures, &f->node);
    ovs_mutex_unlock(&mutex);
    unixctl_command_reply(conn, NULL);
}

static void
dummy_unixctl_heal(struct unixctl_conn *conn, int argc OVS_UNUSED,
                   const char *argv[] OVS_UNUSED, void *aux OVS_UNUSED)
{
    struct failure *f;

    ovs_mutex_lock(&mutex);
    LIST_FOR_EACH_POP (f, node, &failures) {
        free(f);
    }
    ovs_mutex_unlock(&mutex);
    unixctl_command_reply(conn, NULL);
}

/* fabric-dummy/ports FABRIC ENDPOINT LOCAL REMOTE INDEX...: as if discovery
 * had chosen these source ports between LOCAL and REMOTE. */
static void
dummy_unixctl_ports(struct unixctl_conn *conn, int argc, const char *argv[],
                    void *aux OVS_UNUSED)
{
    struct fabric *f = fabric_registry_lookup(argv[1]);
    struct fabric_endpoint *ep
        = f ? fabric_endpoint_by_name(f, argv[2]) : NULL;
    struct in6_addr local_ip, remote_ip;
    uint64_t ports = 0;

    if (!ep || !parse_ip(argv[3], &local_ip)
        || !parse_ip(argv[4], &remote_ip)) {
        unixctl_command_reply_error(conn, "no such addresses");
        return;
    }
    for (int i = 5; i < argc; i++) {
        ports |= UINT64_C(1) << (atoi(argv[i]) % FABRIC_MAX_PATHS_PER_REMOTE);
    }
    ovs_mutex_lock(&fabric_table_mutex);
    const struct fabric_uplinks *ups
        = ovsrcu_get_protected(struct fabric_uplinks *, &f->uplinks);
    for (size_t i = 0; i < ups->n; i++) {
        struct fabric_uplink *up = ups->uplinks[i];

        if (ports && ipv6_addr_equals(&up->config.local_ip, &local_ip)) {
            char *error = fabric_uplink_set_n_ports(up,
                                                    log_2_floor(ports) + 1);

            if (!error) {
                fabric_discover_use(ep, up, &remote_ip, ports);
            }
            free(error);
        }
    }
    ovs_mutex_unlock(&fabric_table_mutex);
    unixctl_command_reply(conn, NULL);
}

static void
dummy_unixctl_busy(struct unixctl_conn *conn, int argc OVS_UNUSED,
                   const char *argv[], void *aux OVS_UNUSED)
{
    ovs_mutex_lock(&mutex);
    busy_port = atoi(argv[1]);
    ovs_mutex_unlock(&mutex);
    unixctl_command_reply(conn, NULL);
}

void
fabric_uplink_dummy_register(void)
{
    fabric_uplink_class_register(&fabric_uplink_dummy_class);
    for (size_t i = 0; i < ARRAY_SIZE(uplink_commands); i++) {
        const struct uplink_command *c = &uplink_commands[i];

        unixctl_command_register(c->name, c->usage, c->min_args, c->max_args,
                                 dummy_unixctl_uplink, CONST_CAST(void *, c));
    }
    unixctl_command_register("fabric-dummy/fail", "local remote [port [mtu]]",
                             2, 4, dummy_unixctl_fail, NULL);
    unixctl_command_register("fabric-dummy/heal", "", 0, 0,
                             dummy_unixctl_heal, NULL);
    unixctl_command_register("fabric-dummy/busy", "udp-port", 1, 1,
                             dummy_unixctl_busy, NULL);
    unixctl_command_register("fabric-dummy/ports",
                             "fabric endpoint local remote index...",
                             5, 4 + FABRIC_MAX_PATHS_PER_REMOTE,
                             dummy_unixctl_ports, NULL);
}
