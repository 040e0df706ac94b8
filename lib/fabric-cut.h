/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_CUT_H
#define FABRIC_CUT_H 1

/* Super-frames that the datapath does not take as they are.
 * =========================================================
 *
 * A workload's kernel leaves to whoever receives from it to cut: UDP of
 * sockets with UDP_SEGMENT, TCP and UDP inside of the workload's own tunnels,
 * and TCP of more than 64 kB (BIG TCP).  The datapath knows super-frames of
 * one TCP stream that fit in an IP packet.  What is cut here becomes that, or
 * packets of usual size whose checksums are complete.
 *
 * No struct dp_packet holds more than 64 kB, so frames are plain bytes here.
 *
 * Thread-safety: any thread, one at a time for each object. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dp_packet;
struct virtio_net_hdr;

/* The longest super-frame that Linux makes. */
#define FABRIC_CUT_MAX_FRAME (8 * 65535 + 256)

/* Outer IP, outer UDP, inner IP. */
#define FABRIC_CUT_MAX_LAYERS 3

enum fabric_cut_layer_kind {
    FABRIC_CUT_IPV4,
    FABRIC_CUT_IPV6,
    FABRIC_CUT_UDP,
};

/* A header that tells the length of what follows, or sums it up. */
struct fabric_cut_layer {
    enum fabric_cut_layer_kind kind;
    size_t ofs;
};

struct fabric_cut {
    uint8_t *data;              /* NULL if there is nothing to cut. */
    size_t size;
    struct fabric_cut_layer layers[FABRIC_CUT_MAX_LAYERS];
    size_t n_layers;
    size_t l4_ofs;              /* Of the innermost TCP or UDP. */
    bool is_tcp;
    size_t headers_len;
    size_t segsz;               /* Payload of a packet on the wire, and */
    size_t piece;               /* of what is cut off at a time. */
    size_t n;                   /* Pieces so far. */
};

/* True if the 'size' bytes at 'frame', an Ethernet header or more, of which
 * 'vnet' is told, have to be cut. */
bool fabric_cut_is_needed(const void *frame, size_t size,
                          const struct virtio_net_hdr *vnet);

/* Starts to cut the 'size' bytes at 'frame', of which fabric_cut_is_needed()
 * is true, and takes that memory, which free(3) will free.  Returns false, and
 * leaves nothing to be cut, if that is not possible: its headers contradict
 * each other or 'vnet'. */
bool fabric_cut_start(struct fabric_cut *, void *frame, size_t size,
                      const struct virtio_net_hdr *vnet);

/* Returns the next piece, or NULL if there is none. */
struct dp_packet *fabric_cut_next(struct fabric_cut *);

/* Forgets what has not been cut yet. */
void fabric_cut_stop(struct fabric_cut *);

#endif /* fabric-cut.h */
