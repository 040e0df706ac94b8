/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_INJECT_H
#define FABRIC_INJECT_H 1

/* Packets that a fabric's port receives although no host sent them: those by
 * which the switch answers a workload in an endpoint's stead.  They go through
 * the tables as if the endpoint had sent them.
 *
 * Thread-safety: any thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dp_packet_batch;
struct fabric;
struct fabric_endpoint;

struct fabric_inject *fabric_inject_create(void);
void fabric_inject_destroy(struct fabric_inject *);

/* Has the fabric's port receive the inner frame on 'vni' from the endpoint.
 * Returns false if too many wait already. */
bool fabric_inject(struct fabric *, const struct fabric_endpoint *,
                   uint32_t vni, const void *frame, size_t size);

/* Adds what the port of the fabric with that name receives to the batch, with
 * its tunnel metadata, as far as there is room. */
void fabric_inject_receive(const char *name, struct dp_packet_batch *);
void fabric_inject_wait(struct fabric *);

#endif /* fabric-inject.h */
