/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_UPLINK_H
#define FABRIC_UPLINK_H 1

/* Uplinks: how encapsulated packets leave and arrive.
 * ===================================================
 *
 * An uplink is one local IP of one fabric.  It sends UDP datagrams from any of
 * its source ports ("port index" 0 to n_ports - 1) to any address, and
 * receives what arrives for its local IP and the fabric's UDP port.  It knows
 * nothing of endpoints or encapsulation, except that probes may be received
 * apart from data, so that the prober need not wait for the datapath.
 *
 * Drivers:
 *
 *   udp     kernel UDP sockets: the kernel routes and resolves neighbors, and
 *           the host keeps its addresses (fabric-uplink-udp.c).
 *   dummy   for tests: uplinks of one process reach each other
 *           (fabric-uplink-dummy.c).
 *
 * Life cycle
 * ==========
 *
 * fabric_uplink_open() and fabric_uplink_close() are for the main thread.
 * Closing is deferred until no other thread can be using the uplink (RCU);
 * opening waits for that, so an address may move to a new uplink at once.
 *
 * Thread-safety: send() may be called by several threads at once; recv() by
 * one at a time; recv_probe() likewise, also while another thread is in
 * recv(). */

#include <sys/uio.h>
#include "fabric-types.h"
#include "openvswitch/types.h"
#include "ovs-atomic.h"

struct fabric_uplink_config {
    struct in6_addr local_ip;
    uint16_t dst_port;
    uint16_t src_port_base;
    enum fabric_encap encap;
    uint32_t probe_vni;
    uint8_t ttl;
    bool csum;
};

/* One datagram to send, or several of equal size. */
struct fabric_datagram {
    struct in6_addr remote_ip;
    unsigned int port_idx;
    uint8_t tos;
    uint8_t ttl;                /* 0: the uplink's. */
    bool whole;                 /* Not to be fragmented by anyone; EMSGSIZE if
                                 * it does not even fit the interface. */
    struct iovec *iov;          /* UDP payload. */
    size_t n_iov;
    size_t size;                /* Total bytes at 'iov'. */
    uint16_t gso_size;          /* If not 0, 'iov' holds several datagrams of
                                 * this size; the last may be shorter. */
    int error;                  /* Out: 0 or positive errno. */
};

/* Limits of one GSO message: Linux's UDP_MAX_SEGMENTS (64 before 6.9), and
 * the largest UDP payload over IPv4 (65,535 - 20 - 8), which is the
 * smaller. */
#define FABRIC_UPLINK_MAX_SEGS 64
#define FABRIC_UPLINK_MAX_PAYLOAD 65507

/* Received datagram(s).  The driver owns 'data', valid until its next recv(),
 * but has no more use for the bytes: whoever received may change them. */
struct fabric_rx {
    uint8_t *data;
    size_t size;
    size_t gso_size;            /* As in struct fabric_datagram. */
    struct in6_addr remote_ip;
    uint16_t remote_port;
    uint8_t tos;
    uint8_t ttl;
    uint32_t ifindex;           /* By which it arrived; 0: not known. */
    uint64_t rx_ns;             /* Wall-clock time of arrival, in ns since the
                                 * epoch, if the kernel told it; or 0. */
};
#define FABRIC_RX_BURST 8
#define FABRIC_RX_PROBE_BURST 32

struct fabric_uplink {
    const struct fabric_uplink_class *class;
    struct fabric_uplink_config config;
    atomic_int ifindex;         /* Of the interface that has the local IP, 0
                                 * if is_up() found none. */
    unsigned int n_ports;       /* Source ports open; only grows. */
    uint16_t src_ports[FABRIC_MAX_PATHS_PER_REMOTE];
};

struct fabric_uplink_class {
    const char *name;

    struct fabric_uplink *(*alloc)(void);

    /* Opens 'up', whose 'config' is set, for receiving.  Returns NULL or one
     * line for the operator, for the caller to free; then destroy() is called
     * nevertheless. */
    char *(*open)(struct fabric_uplink *up);

    /* Opens source port index 'i' with the first free port from '*port' on,
     * which is stored back.  Errors likewise.  May run while other threads
     * send from lower indexes. */
    char *(*add_port)(struct fabric_uplink *up, unsigned int i,
                      uint16_t *port);
    void (*destroy)(struct fabric_uplink *up);

    /* Tries to send 'n' datagrams and sets each one's 'error'. */
    void (*send)(struct fabric_uplink *up, struct fabric_datagram *, size_t n);

    /* Receives up to FABRIC_RX_BURST messages.  Returns how many.  What was
     * lost because nobody received in time is counted (fabric-drops.h). */
    size_t (*recv)(struct fabric_uplink *up, struct fabric_rx *);
    void (*recv_wait)(struct fabric_uplink *up);

    /* Likewise, up to FABRIC_RX_PROBE_BURST probes. */
    size_t (*recv_probe)(struct fabric_uplink *up, struct fabric_rx *);
    void (*recv_probe_wait)(struct fabric_uplink *up);

    /* Opens an ear (fabric-ear.h) for the errors that datagrams from port
     * index 'i' to 'remote_ip' cause.  NULL if it cannot. */
    int (*open_ear)(struct fabric_uplink *up, unsigned int i,
                    const struct in6_addr *remote_ip, bool keep_mtu);

    /* Returns the MTU of the host's way to 'remote_ip' from port index 'i', 0
     * if it is not known. */
    uint32_t (*get_mtu)(struct fabric_uplink *up, unsigned int i,
                        const struct in6_addr *remote_ip);

    /* Is the interface that has the local IP up and has it carrier?  Any
     * thread, but may have to wait for others that change interfaces.
     * '*reason' is set to a constant string if not. */
    bool (*is_up)(struct fabric_uplink *up, const char **reason);

    /* May a thread of its own run the prober, or (for tests with a stopped
     * clock) only the main loop? */
    bool threaded;
};

extern const struct fabric_uplink_class fabric_uplink_udp_class;

/* Returns NULL if there is no such driver. */
const struct fabric_uplink_class *fabric_uplink_class_lookup(const char *);
void fabric_uplink_class_register(const struct fabric_uplink_class *);

char *fabric_uplink_open(const struct fabric_uplink_class *,
                         const struct fabric_uplink_config *,
                         struct fabric_uplink **);
void fabric_uplink_close(struct fabric_uplink *);

/* Makes at least 'n' source ports available, at most
 * FABRIC_MAX_PATHS_PER_REMOTE.  The caller holds fabric_table_mutex. */
char *fabric_uplink_set_n_ports(struct fabric_uplink *, unsigned int n);

/* Does 'error' from sending say that the host has no way to send at all? */
bool fabric_uplink_is_unreachable(int error);

/* Sends each of the datagrams that 'd' stands for on its own with 'send_one',
 * after the message as a whole was refused.  For drivers. */
int fabric_datagram_send_singly(
    const struct fabric_datagram *d,
    int (*send_one)(const struct fabric_datagram *, void *aux), void *aux);

#endif /* fabric-uplink.h */
