/* SPDX-License-Identifier: Apache-2.0 */

/* The table is figure 4 of RFC 6040.  A packet from outside with Not-ECT, the
 * usual case, changes nothing inside, so that its frame is not even looked
 * at. */

#include <config.h>
#include "fabric-ecn.h"

#include "fabric-bytes.h"
#include "fabric-l3.h"
#include "packets.h"

/* Octets of an IPv4 header. */
#define OFS_IPV4_TOS 1
#define OFS_IPV4_CSUM 10

/* In the first word of an IPv6 header. */
#define IPV6_TC_SHIFT 20

uint8_t
fabric_ecn_combine(uint8_t outer, uint8_t inner)
{
    enum {
        NOT = IP_ECN_NOT_ECT,
        ECT0 = IP_ECN_ECT_0,
        ECT1 = IP_ECN_ECT_1,
        CE = IP_ECN_CE,
        ODD = FABRIC_ECN_STRANGE,
        DROP = FABRIC_ECN_DROP,
    };
    static const uint8_t table[4][4] = {
        /* Inner:      NOT        ECT1        ECT0  CE       Outer: */
        [NOT]  = {     NOT,       ECT1,       ECT0, CE       },
        [ECT1] = { ODD|NOT,       ECT1,       ECT1, ODD|CE   },
        [ECT0] = { ODD|NOT,   ODD|ECT1,       ECT0, CE       },
        [CE]   = { ODD|DROP|NOT,  CE,         CE,   CE       },
    };

    return table[outer & IP_ECN_MASK][inner & IP_ECN_MASK];
}

static uint8_t
receive_ipv4(uint8_t *ip, uint8_t outer)
{
    uint8_t result = fabric_ecn_combine(outer, ip[OFS_IPV4_TOS]);
    uint16_t old = fabric_get_be16(ip);
    uint16_t new = (old & ~IP_ECN_MASK) | (result & IP_ECN_MASK);

    if (new != old) {
        /* RFC 1624 section 3, equation 3. */
        uint32_t sum = ((uint16_t) ~fabric_get_be16(ip + OFS_IPV4_CSUM)
                        + (uint16_t) ~old + new);

        sum = (sum & UINT16_MAX) + (sum >> 16);
        sum = (sum & UINT16_MAX) + (sum >> 16);
        fabric_put_be16(ip, new);
        fabric_put_be16(ip + OFS_IPV4_CSUM, ~sum);
    }
    return result & ~IP_ECN_MASK;
}

static uint8_t
receive_ipv6(uint8_t *ip, uint8_t outer)
{
    uint32_t word = fabric_get_be32(ip);
    uint8_t result = fabric_ecn_combine(outer, word >> IPV6_TC_SHIFT);

    word &= ~((uint32_t) IP_ECN_MASK << IPV6_TC_SHIFT);
    word |= (uint32_t) (result & IP_ECN_MASK) << IPV6_TC_SHIFT;
    fabric_put_be32(ip, word);
    return result & ~IP_ECN_MASK;
}

uint8_t
fabric_ecn_receive(void *frame_, size_t size, uint8_t outer_tos)
{
    uint8_t outer = outer_tos & IP_ECN_MASK;
    uint8_t *frame = frame_;
    uint16_t eth_type;
    size_t ofs;

    if (outer == IP_ECN_NOT_ECT) {
        return 0;
    }

    ofs = fabric_find_l3(frame, size, &eth_type);
    if (eth_type == ETH_TYPE_IP && size - ofs >= IP_HEADER_LEN
        && IP_VER(frame[ofs]) == 4) {
        return receive_ipv4(frame + ofs, outer);
    } else if (eth_type == ETH_TYPE_IPV6 && size - ofs >= IPV6_HEADER_LEN
               && IP_VER(frame[ofs]) == 6) {
        return receive_ipv6(frame + ofs, outer);
    }
    return 0;
}
