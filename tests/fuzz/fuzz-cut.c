/* SPDX-License-Identifier: Apache-2.0 */

/* Fuzzes the cutting of super-frames.  Input: the virtio header, and the frame
 * that it is of, which a byte in between has repeated, so that it is long. */

#include <config.h>
#include "fabric-cut.h"

#include <linux/virtio_net.h>
#include <string.h>

#include "dp-packet.h"
#include "fuzz.h"
#include "packets.h"
#include "util.h"

static void
check_piece(const struct dp_packet *piece, const struct fabric_cut *cut,
            size_t size)
{
    size_t segsz = dp_packet_get_tso_segsz(piece);

    FUZZ_CHECK(dp_packet_size(piece) <= size);
    FUZZ_CHECK(dp_packet_size(piece) > cut->headers_len);
    FUZZ_CHECK(dp_packet_size(piece) <= UINT16_MAX);
    FUZZ_CHECK(segsz ? segsz == cut->segsz
               : dp_packet_size(piece) <= cut->headers_len + cut->segsz);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct virtio_net_hdr vnet;
    struct dp_packet *piece;
    uint8_t *frame;
    struct fabric_cut cut;
    size_t n_bytes = 0, payload, n;

    if (size < sizeof vnet + 1 + ETH_HEADER_LEN) {
        return 0;
    }
    memcpy(&vnet, data, sizeof vnet);
    n = data[sizeof vnet] % 8 + 1;
    data += sizeof vnet + 1;
    size -= sizeof vnet + 1;
    frame = xmalloc(n * size);
    for (size_t i = 0; i < n; i++) {
        memcpy(frame + i * size, data, size);
    }
    size *= n;
    if (!fabric_cut_is_needed(frame, size, &vnet)) {
        free(frame);
        return 0;
    }
    if (!fabric_cut_start(&cut, frame, size, &vnet)) {
        FUZZ_CHECK(!fabric_cut_next(&cut));
        return 0;
    }

    /* Each octet of payload once. */
    payload = cut.size - cut.headers_len;
    while ((piece = fabric_cut_next(&cut)) != NULL) {
        check_piece(piece, &cut, size);
        n_bytes += dp_packet_size(piece) - cut.headers_len;
        dp_packet_delete(piece);
    }
    FUZZ_CHECK(n_bytes == payload);
    return 0;
}
