/* SPDX-License-Identifier: Apache-2.0 */

/* There are fewer ports than 'max' after surveys found that fewer do, or
 * because 'max' was less at that time.  In the first case routes are known. */

#include <config.h>

#include "fabric-recall.h"

#include "fabric-discover.h"
#include "fabric-uplink.h"
#include "hash.h"
#include "openvswitch/hmap.h"
#include "packets.h"
#include "util.h"

/* What was in use between two addresses. */
struct recall {
    struct hmap_node node;      /* In 'recalls'. */
    char *fabric;
    struct in6_addr local_ip;
    struct in6_addr remote_ip;
    bool has_route;             /* Is that of any port known? */
    size_t n_ports;
    uint16_t ports[FABRIC_MAX_PATHS_PER_REMOTE];
};

static struct hmap recalls OVS_GUARDED_BY(fabric_table_mutex)
    = HMAP_INITIALIZER(&recalls);

static uint32_t
hash_recall(const char *fabric, const struct in6_addr *local_ip,
            const struct in6_addr *remote_ip)
{
    return hash_bytes(local_ip, sizeof *local_ip,
                      hash_bytes(remote_ip, sizeof *remote_ip,
                                 hash_string(fabric, 0)));
}

static struct recall *
find(const char *fabric, const struct in6_addr *local_ip,
     const struct in6_addr *remote_ip)
    OVS_REQUIRES(fabric_table_mutex)
{
    struct recall *r;

    HMAP_FOR_EACH_WITH_HASH (r, node,
                             hash_recall(fabric, local_ip, remote_ip),
                             &recalls) {
        if (!strcmp(r->fabric, fabric)
            && ipv6_addr_equals(&r->local_ip, local_ip)
            && ipv6_addr_equals(&r->remote_ip, remote_ip)) {
            return r;
        }
    }
    return NULL;
}

static void
forget(struct recall *r)
    OVS_REQUIRES(fabric_table_mutex)
{
    hmap_remove(&recalls, &r->node);
    free(r->fabric);
    free(r);
}

void
fabric_recall_note(const char *fabric, const struct in6_addr *local_ip,
                   const struct in6_addr *remote_ip, uint16_t src_port,
                   bool has_route)
{
    struct recall *r = find(fabric, local_ip, remote_ip);

    if (!r) {
        r = xzalloc(sizeof *r);
        r->fabric = xstrdup(fabric);
        r->local_ip = *local_ip;
        r->remote_ip = *remote_ip;
        hmap_insert(&recalls, &r->node,
                    hash_recall(fabric, local_ip, remote_ip));
    }
    r->has_route |= has_route;
    if (r->n_ports < FABRIC_MAX_PATHS_PER_REMOTE) {
        r->ports[r->n_ports++] = src_port;
    }
}

/* Returns the bit of the index that 'up' has for 'port', or 0. */
static uint64_t
port_bit(struct fabric_uplink *up, uint16_t port)
    OVS_REQUIRES(fabric_table_mutex)
{
    uint16_t base = up->config.src_port_base;

    if (port < base || port - base >= FABRIC_MAX_PATHS_PER_REMOTE) {
        return 0;
    }
    /* Its index is at most this, less if ports before it are not free. */
    free(fabric_uplink_set_n_ports(up, port - base + 1));
    for (unsigned int i = 0; i < up->n_ports; i++) {
        if (up->src_ports[i] == port) {
            return UINT64_C(1) << i;
        }
    }
    return 0;
}

uint64_t
fabric_recall_take(const char *fabric, struct fabric_uplink *up,
                   const struct in6_addr *remote_ip, unsigned int max)
{
    struct recall *r = find(fabric, &up->config.local_ip, remote_ip);
    uint64_t ports = 0;
    unsigned int n;

    if (!r) {
        return 0;
    }
    for (size_t i = 0; i < r->n_ports; i++) {
        ports |= port_bit(up, r->ports[i]);
    }
    n = count_1bits(ports);
    if (n > max || n < MIN(max, FABRIC_DISCOVER_MIN_PORTS)
        || (n < max && !r->has_route)) {
        ports = 0;
    }
    forget(r);
    return ports;
}

void
fabric_recall_clear(void)
{
    struct recall *r;

    HMAP_FOR_EACH_SAFE (r, node, &recalls) {
        forget(r);
    }
    hmap_destroy(&recalls);
    hmap_init(&recalls);
}
