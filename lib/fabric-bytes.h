/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_BYTES_H
#define FABRIC_BYTES_H 1

/* Integers in packets.
 * ====================
 *
 * Reads and writes integers in network byte order at any address.  A received
 * frame can begin at an odd address: UDP_GRO puts datagrams of odd length back
 * to back.
 *
 * Thread-safety: pure functions, any thread. */

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>
#include "byte-order.h"

static inline uint16_t
fabric_get_be16(const void *p)
{
    ovs_be16 x;

    memcpy(&x, p, sizeof x);
    return ntohs(x);
}

static inline uint32_t
fabric_get_be32(const void *p)
{
    ovs_be32 x;

    memcpy(&x, p, sizeof x);
    return ntohl(x);
}

static inline uint64_t
fabric_get_be64(const void *p)
{
    ovs_be64 x;

    memcpy(&x, p, sizeof x);
    return ntohll(x);
}

static inline void
fabric_put_be16(void *p, uint16_t value)
{
    ovs_be16 x = htons(value);

    memcpy(p, &x, sizeof x);
}

static inline void
fabric_put_be32(void *p, uint32_t value)
{
    ovs_be32 x = htonl(value);

    memcpy(p, &x, sizeof x);
}

static inline void
fabric_put_be64(void *p, uint64_t value)
{
    ovs_be64 x = htonll(value);

    memcpy(p, &x, sizeof x);
}

#endif /* fabric-bytes.h */
