/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_L3_H
#define FABRIC_L3_H 1

/* Where the network header of an inner frame is.
 * ==============================================
 *
 * One answer for all who look into frames: behind the Ethernet header and at
 * most two VLAN tags, IEEE 802.1Q or 802.1ad in any order.
 *
 * Thread-safety: pure function, any thread. */

#include <stddef.h>
#include <stdint.h>

#include "fabric-bytes.h"
#include "packets.h"

/* Returns the offset, at most 'size', of what follows in 'frame', 'size'
 * bytes, and stores its Ethertype: 0 if there is not even an Ethernet header,
 * that of a VLAN tag if there is a third one or one that is cut off.  Nothing
 * is known of the bytes from there on. */
static inline size_t
fabric_find_l3(const uint8_t *frame, size_t size, uint16_t *eth_type)
{
    size_t ofs = ETH_HEADER_LEN;

    if (size < ofs) {
        *eth_type = 0;
        return size;
    }
    *eth_type = fabric_get_be16(frame + ofs - 2);
    for (int i = 0; i < 2 && eth_type_vlan(htons(*eth_type))
                    && size - ofs >= VLAN_HEADER_LEN; i++) {
        ofs += VLAN_HEADER_LEN;
        *eth_type = fabric_get_be16(frame + ofs - 2);
    }
    return ofs;
}

#endif /* fabric-l3.h */
