/* SPDX-License-Identifier: Apache-2.0 */

/* The ECN field at the end of a tunnel. */

#include <config.h>
#undef NDEBUG
#include "fabric-ecn.h"

#include "fabric-check.h"
#include "fabric-frame.h"
#include "ovstest.h"
#include "packets.h"

enum { NOT = 0, ECT1 = 1, ECT0 = 2, CE = 3 };   /* RFC 3168 section 5. */

/* RFC 6040 section 4.2, figure 4: its rows and columns in its order. */
enum { STRANGE = FABRIC_ECN_STRANGE, DROP = FABRIC_ECN_DROP | STRANGE };
static const uint8_t codepoints[] = { NOT, ECT0, ECT1, CE };
static const uint8_t figure4[][4] = {
    { NOT,  STRANGE | NOT,  STRANGE | NOT, DROP | NOT },
    { ECT0, ECT0,           ECT1,          CE         },
    { ECT1, STRANGE | ECT1, ECT1,          CE         },
    { CE,   CE,             STRANGE | CE,  CE         },
};

static uint8_t
expected(uint8_t outer, uint8_t inner)
{
    for (int row = 0; row < 4; row++) {
        for (int column = 0; column < 4; column++) {
            if (codepoints[row] == (inner & 3)
                && codepoints[column] == (outer & 3)) {
                return figure4[row][column];
            }
        }
    }
    OVS_NOT_REACHED();
}

static void
test_table(void)
{
    for (int outer = 0; outer < 256; outer++) {
        for (int inner = 0; inner < 256; inner++) {
            CHECK_EQ(fabric_ecn_combine(outer, inner),
                     expected(outer, inner));
        }
    }
}

/* A frame of 's' that comes with 'outer' must become a frame of the same spec
 * with another TOS, its checksums included. */
static void
check_frame(const struct frame_spec *s, uint8_t outer)
{
    uint8_t want = expected(outer, s->tos);
    struct frame_spec after = *s;
    uint8_t frame[256], other[256];
    size_t size = frame_make(s, NULL, frame);

    after.tos = (s->tos & ~3) | (want & 3);
    CHECK_EQ(frame_make(&after, NULL, other), size);
    CHECK_EQ(fabric_ecn_receive(frame, size, outer), want & ~3);
    CHECK_BYTES(frame, other, size);
}

static void
test_frames(void)
{
    struct frame_spec s = frame_simple;

    s.payload_len = 10;
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        for (s.n_vlans = 0; s.n_vlans < 3; s.n_vlans++) {
            for (int tos = 0; tos < 256; tos++) {
                for (int outer = 0; outer < 4; outer++) {
                    s.ipv6 = ipv6;
                    s.tos = tos;
                    s.ip_opts_len = ipv6 ? 0 : tos % 11 * 4;
                    check_frame(&s, outer);
                    check_frame(&s, outer | 0xb8);
                }
            }
        }
    }
}

/* The IP ID takes the checksum through all of its values. */
static void
test_checksum(void)
{
    struct frame_spec s = frame_simple;

    s.payload_len = 1;
    s.tos = ECT0;
    for (int id = 0; id <= UINT16_MAX; id++) {
        s.ip_id = id;
        check_frame(&s, ECT1);
        check_frame(&s, CE);
    }
}

/* What is wrong with a checksum stays wrong. */
static void
test_bad_checksum(void)
{
    struct frame_spec s = frame_simple;
    uint8_t frame[256];

    s.payload_len = 10;
    s.tos = ECT0;
    frame_make(&s, NULL, frame);
    frame[24] ^= 0x10;
    CHECK_EQ(fabric_ecn_receive(frame, sizeof frame, CE), 0);
    CHECK_EQ(frame[15], CE);
    CHECK_TRUE(csum(frame + 14, 20) != 0);
}

static void
check_untouched(const uint8_t *frame, size_t size)
{
    uint8_t *copy = xmemdup(frame, MAX(size, 1));

    CHECK_EQ(fabric_ecn_receive(copy, size, CE), 0);
    CHECK_BYTES(copy, frame, size);
    free(copy);
}

static void
test_untouched(void)
{
    struct frame_spec s = frame_simple;
    uint8_t frame[256];

    s.payload_len = 10;
    for (int i = 0; i < 6; i++) {
        size_t size;

        s.ipv6 = i % 2;
        s.n_vlans = i / 2;

        /* Not a whole header. */
        frame_make(&s, NULL, frame);
        for (size = 0; size < frame_l3_ofs(&s) + (s.ipv6 ? 40 : 20); size++) {
            check_untouched(frame, size);
        }

        /* Another version than the Ethertype says. */
        frame[frame_l3_ofs(&s)] ^= 0x20;
        check_untouched(frame, sizeof frame);

        /* Not IP. */
        frame_make(&s, NULL, frame);
        fabric_put_be16(frame + frame_l3_ofs(&s) - 2, ETH_TYPE_ARP);
        check_untouched(frame, sizeof frame);
    }

    s.n_vlans = 3;
    check_untouched(frame, frame_make(&s, NULL, frame));
}

static void
test_fabric_ecn_main(int argc OVS_UNUSED, char *argv[] OVS_UNUSED)
{
    CHECK_PROPERTY(test_table);
    CHECK_PROPERTY(test_frames);
    CHECK_PROPERTY(test_checksum);
    CHECK_PROPERTY(test_bad_checksum);
    CHECK_PROPERTY(test_untouched);
    putchar('\n');
}

OVSTEST_REGISTER("test-fabric-ecn", test_fabric_ecn_main);
