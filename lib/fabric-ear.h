/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_EAR_H
#define FABRIC_EAR_H 1

/* Ears: sockets that hear ICMP errors.
 * ====================================
 *
 * An ear hears what routers say of the datagrams from one source port of ours
 * to one remote.  The sockets that send data could hear it themselves, but
 * then an error would have the next datagram of data refused, and errors would
 * fill their queues.  So an ear is another socket with the same source port,
 * and since it is connected to the remote, the kernel prefers it when it looks
 * for whom an error is meant.  It does not send: datagrams of a connected
 * socket may take another route where routers share a kernel with the sender,
 * as in the lab, for they carry the hash of their socket along.
 *
 * Thread-safety: an ear belongs to one thread. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How much of the quoted datagram an ear takes in. */
#define FABRIC_EAR_QUOTE 256

struct fabric_ear_error {
    enum {
        FABRIC_EAR_EXPIRED,     /* Time exceeded in transit. */
        FABRIC_EAR_TOO_BIG,     /* Fragmentation needed, packet too big. */
        FABRIC_EAR_UNREACHABLE, /* Any other reason. */
        FABRIC_EAR_OTHER,       /* Says nothing of the way. */
    } type;
    struct in6_addr offender;   /* Who says so. */
    uint32_t mtu;               /* Of what does not fit, if it says. */

    /* What is quoted of the UDP payload, from its beginning. */
    size_t quote_len;
    uint8_t quote[FABRIC_EAR_QUOTE];
};

/* Opens an ear.  Returns its descriptor, which polls as having an error when
 * there is something to hear, or a negative errno.  With 'keep_mtu' what it
 * hears does not change what the host takes for the MTU on the way to
 * 'remote'; over IPv4 that never does. */
int fabric_ear_open(const struct in6_addr *local, uint16_t src_port,
                    const struct in6_addr *remote, uint16_t dst_port,
                    bool keep_mtu);

/* Hears one error, of use or not: a caller that bounds how many it hears is
 * not kept by more.  Returns false if there is none. */
bool fabric_ear_hear(int fd, struct fabric_ear_error *);

#endif /* fabric-ear.h */
