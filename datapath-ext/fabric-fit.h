/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_FIT_H
#define FABRIC_FIT_H 1

/* What becomes of packets that do not fit on their path.
 * ======================================================
 *
 * A packet that does not fit, for all that is known of the path's MTU, takes
 * another path of the endpoint on which it does: the same for all such packets
 * of its flow.  The endpoint then needs that size, and the prober has all
 * flows leave the paths that are too narrow (fabric-grade.c), so that a flow's
 * packets do not overtake each other for long.
 *
 * If it fits on none, its sender is told (fabric-ptb.h) which size would.
 * What can be sent nevertheless, in fragments, is: a workload that does not
 * listen is slow then, but works.  Over IPv6 nobody on the way fragments, so
 * there it is dropped.
 *
 * A super-frame is judged by its segments.
 *
 * Thread-safety: any thread that holds no lock. */

#include <stdint.h>

struct dp_packet;
struct fabric;
struct fabric_endpoint;
struct fabric_odp_output;

/* Returns the size of the UDP payload that 'packet', or its largest segment,
 * makes. */
uint32_t fabric_fit_size(const struct fabric_odp_output *,
                         const struct dp_packet *packet);

/* Returns the path for 'packet' of flow 'hash', whose payload of 'size' bytes
 * does not fit on 'path', or FABRIC_TABLE_NONE to drop it. */
uint32_t fabric_fit(struct fabric *, const struct fabric_endpoint *,
                    const struct fabric_odp_output *, struct dp_packet *packet,
                    uint32_t hash, uint32_t path, uint32_t size);

#endif /* fabric-fit.h */
