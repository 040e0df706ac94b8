/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_TABLE_H
#define FABRIC_TABLE_H 1

/* The path table.
 * ===============
 *
 * One flat piece of memory that tells, for every packet, over which path it
 * goes: an array of endpoints, each with FABRIC_TABLE_SLOTS slots that name a
 * path, and an array of paths.  A packet's flow hash picks a slot; that is all
 * the work per packet, whatever the number of flows, paths and endpoints:
 *
 *     slot = endpoints[e].slots[hash >> FABRIC_TABLE_HASH_SHIFT]
 *     path = paths[slot]
 *
 * When a path fails, the slots that pointed to it are pointed elsewhere and
 * the very next packet follows.  Nothing else in the switch changes: no flow,
 * no action, no cache.
 *
 * Both arrays have fixed places and fixed-size entries addressed by index, and
 * hold plain data without pointers, so that they can be shared with a kernel
 * program by mapping them.
 *
 * Slots
 * =====
 *
 * Every slot has a home path; homes are spread evenly over the endpoint's
 * paths, and change as little as possible when paths are added or removed.
 * While its home is usable the slot points there.  Otherwise it points to the
 * usable path that rendezvous hashing ranks first for that slot, of those that
 * are not suspect if there are any, and stays there while that path is usable.
 * Hence when a path dies only its own flows move, and when it comes back only
 * they return.
 * If no path is usable, every slot points to its home: sending over a path
 * that may be dead beats dropping for certain.
 *
 * Weights
 * =======
 *
 * A path of less than full weight keeps that share of its homes, always the
 * same ones for the same share, and more of them for a greater share.  The
 * others of its slots, and the slots that had fled to it, go to paths of full
 * weight by the same rule as above.  A path of weight 0 keeps none, but is a
 * better refuge than a path that is not usable.
 *
 * A path has full weight if no usable path has more: where all are equally
 * bad, all are used as if they were good.
 *
 * Thread-safety
 * =============
 *
 * Readers need no lock, from any thread.  Writers hold fabric_table_mutex.  An
 * index that is freed may be handed out again only when no reader can still be
 * using it: the free functions postpone that to after an RCU grace period.
 * While the table is shared it also takes fabric_table_reclaim() by whoever
 * tells the other side of indexes. */

#include "fabric-types.h"
#include "openvswitch/types.h"
#include "openvswitch/thread.h"
#include "ovs-atomic.h"
#include "util.h"

#define FABRIC_TABLE_MAX_ENDPOINTS 65536
#define FABRIC_TABLE_MAX_PATHS (1u << 20)
#define FABRIC_TABLE_SLOTS 256
#define FABRIC_TABLE_HASH_SHIFT 24      /* 32 - log2(FABRIC_TABLE_SLOTS). */
#define FABRIC_TABLE_NONE UINT32_MAX    /* No path. */
#define FABRIC_TABLE_FULL_WEIGHT 256

struct fabric_table_path {
    /* Immutable while the index is allocated. */
    struct in6_addr local_ip;
    struct in6_addr remote_ip;
    ovs_be16 src_port;
    ovs_be16 dst_port;
    uint32_t endpoint;                  /* Index of its endpoint. */
    uint32_t key;                       /* Rank in rendezvous hashing. */

    ATOMIC(uint32_t) state;             /* enum fabric_path_state. */
    uint32_t suspect;                   /* For writers: no refuge for flows of
                                         * other paths. */
    uint32_t weight;                    /* For writers: of
                                         * FABRIC_TABLE_FULL_WEIGHT. */

    /* Inner packets and bytes sent. */
    atomic_uint64_t tx_packets;
    atomic_uint64_t tx_bytes;

    /* For the kernel's fast path. */
    ATOMIC(uint32_t) out_ifindex;       /* 0 if it cannot send. */
    ATOMIC(uint32_t) out_mtu;           /* Of the outer IP packet. */
    struct in6_addr next_hop;           /* Its neighbor that forwards. */

    /* Inner packets and bytes received. */
    atomic_uint64_t rx_packets;
    atomic_uint64_t rx_bytes;

    ATOMIC(uint32_t) mtu;               /* Largest outer IP packet that gets
                                         * through whole; 0: not known. */
    ATOMIC(uint32_t) local_mtu;         /* Likewise leaves the host. */
    uint8_t pad[8];
};
BUILD_ASSERT_DECL(sizeof(struct fabric_table_path) == 128);

struct fabric_table_endpoint {
    ATOMIC(uint32_t) n_usable;          /* Usable paths. */
    ATOMIC(uint32_t) n_paths;
    atomic_uint64_t rx_packets;         /* Inner packets and bytes. */
    atomic_uint64_t rx_bytes;
    atomic_uint64_t tx_no_live_path;
    ATOMIC(uint32_t) sent;              /* Set by whoever sends to it. */
    ATOMIC(uint32_t) idle;              /* Has the prober to be told? */
    ATOMIC(uint32_t) needed;            /* Size of UDP payload that paths which
                                         * flows use should have room for. */
    ATOMIC(uint32_t) id;                /* Identity of what the index stands
                                         * for now, 0 if nothing. */
    uint8_t pad[16];
    ATOMIC(uint32_t) slots[FABRIC_TABLE_SLOTS];
};
BUILD_ASSERT_DECL(sizeof(struct fabric_table_endpoint) == 64 + 1024);

extern struct ovs_mutex fabric_table_mutex;
extern struct fabric_table_path *fabric_table_paths;
extern struct fabric_table_endpoint *fabric_table_endpoints;

/* Maps the table.  Must be called first, once or more. */
void fabric_table_init(void);

/* Moves the first 'n_paths' paths and 'n_endpoints' endpoints to the memory
 * behind the descriptors, which others may map too, without a change that a
 * reader would notice; or copies them back, so that others keep the state of
 * that moment.  What readers count during the move may be lost.  Return 0 or a
 * positive errno. */
int fabric_table_share(int paths_fd, size_t n_paths, int endpoints_fd,
                       size_t n_endpoints)
    OVS_EXCLUDED(fabric_table_mutex);
int fabric_table_unshare(void)
    OVS_EXCLUDED(fabric_table_mutex);

/* While the table is shared: hands indexes out again that were freed, once
 * neither a thread nor a program in the kernel can be using them.  Should be
 * called after the other side was made to forget what is gone, without having
 * quiesced (ovs-rcu.h) meanwhile. */
void fabric_table_reclaim(void)
    OVS_EXCLUDED(fabric_table_mutex);

/* Endpoints.  Returns FABRIC_TABLE_NONE if the table is full. */
uint32_t fabric_table_alloc_endpoint(void)
    OVS_REQUIRES(fabric_table_mutex);
void fabric_table_free_endpoint(uint32_t endpoint)
    OVS_REQUIRES(fabric_table_mutex);

/* Sets the identity (fabric-identity.h) that whoever keeps the index can
 * compare. */
void fabric_table_set_id(uint32_t endpoint, uint32_t id)
    OVS_REQUIRES(fabric_table_mutex);

/* Makes the 'n' paths in 'paths' (indexes) the paths of 'endpoint', moving as
 * few slots as an even spread allows. */
void fabric_table_set_paths(uint32_t endpoint, const uint32_t paths[],
                            size_t n)
    OVS_REQUIRES(fabric_table_mutex);

/* Paths.  Likewise; a new path is FABRIC_PATH_UNKNOWN and has full weight. */
uint32_t fabric_table_alloc_path(uint32_t endpoint,
                                 const struct in6_addr *local_ip,
                                 const struct in6_addr *remote_ip,
                                 uint16_t src_port, uint16_t dst_port)
    OVS_REQUIRES(fabric_table_mutex);
void fabric_table_free_path(uint32_t path)
    OVS_REQUIRES(fabric_table_mutex);

/* Makes 'path', which its endpoint does not have, like new, but for what it
 * has received. */
void fabric_table_reset_path(uint32_t path)
    OVS_REQUIRES(fabric_table_mutex);

void fabric_table_set_state(uint32_t path, enum fabric_path_state)
    OVS_REQUIRES(fabric_table_mutex);

/* May traffic be sent over 'path' in its present state?  Any thread. */
bool fabric_table_is_usable(uint32_t path);

/* Makes 'path' the last choice for flows whose own path is not usable, or no
 * longer, from the next change of state on. */
void fabric_table_set_suspect(uint32_t path, bool suspect)
    OVS_REQUIRES(fabric_table_mutex);

/* Gives 'path' the share 'weight' / FABRIC_TABLE_FULL_WEIGHT, at most 1, of
 * its homes.  Who changes several paths raises weights before it lowers
 * others, and sets the weight of a path before the state that makes it
 * usable, so that no flow moves twice. */
void fabric_table_set_weight(uint32_t path, unsigned int weight)
    OVS_REQUIRES(fabric_table_mutex);
unsigned int fabric_table_get_weight(uint32_t path)
    OVS_REQUIRES(fabric_table_mutex);

/* Number of slots of its endpoint that point to 'path'. */
unsigned int fabric_table_count_slots(uint32_t path);

static inline enum fabric_path_state
fabric_table_get_state(uint32_t path)
{
    uint32_t state;

    atomic_read_relaxed(&fabric_table_paths[path].state, &state);
    return state;
}

/* Returns the path for a packet of flow 'hash' to 'endpoint', or
 * FABRIC_TABLE_NONE if the endpoint has no path at all. */
static inline uint32_t
fabric_table_select(uint32_t endpoint, uint32_t hash)
{
    uint32_t path;

    /* Pairs with the release in update_slots(): what describes the path is
     * seen no older than the slot. */
    atomic_read_explicit(&fabric_table_endpoints[endpoint]
                         .slots[hash >> FABRIC_TABLE_HASH_SHIFT], &path,
                         memory_order_acquire);
    return path;
}

/* What IP and UDP add to what is sent on 'path'. */
static inline uint32_t
fabric_table_overhead(uint32_t path)
{
    return IN6_IS_ADDR_V4MAPPED(&fabric_table_paths[path].local_ip)
           ? 20 + 8 : 40 + 8;
}

/* Does a UDP payload of 'size' bytes fit on 'path', for all that is known? */
static inline bool
fabric_table_fits(uint32_t path, uint32_t size)
{
    uint32_t mtu;

    atomic_read_relaxed(&fabric_table_paths[path].mtu, &mtu);
    return !mtu || size + fabric_table_overhead(path) <= mtu;
}

/* Returns a path for packets of flow 'hash' to 'endpoint' that make UDP
 * payloads of 'size' bytes: the same for all of the flow, one that flows use
 * and on which it fits; or FABRIC_TABLE_NONE. */
uint32_t fabric_table_select_fitting(uint32_t endpoint, uint32_t hash,
                                     uint32_t size);

#endif /* fabric-table.h */
