/* SPDX-License-Identifier: Apache-2.0 */

/* Fuzzes BFD.  Input: a byte that chooses, then a frame to parse or, if the
 * byte is odd, what happens to a session: records of a time that passes, in
 * units of 10 ms, an action, and a control packet. */

#include <config.h>
#include "fabric-bfd.h"

#include <limits.h>

#include "csum.h"
#include "fabric-bfd-frame.h"
#include "fabric-bytes.h"
#include "fuzz.h"
#include "util.h"

static bool
packet_equal(const struct fabric_bfd_packet *a,
             const struct fabric_bfd_packet *b)
{
    return (a->state == b->state
            && a->diag == b->diag
            && a->poll == b->poll
            && a->final == b->final
            && a->independent == b->independent
            && a->demand == b->demand
            && a->multiplier == b->multiplier
            && a->my_disc == b->my_disc
            && a->your_disc == b->your_disc
            && a->min_tx == b->min_tx
            && a->min_rx == b->min_rx
            && a->min_echo_rx == b->min_echo_rx);
}

/* Makes the IPv4 checksum right and leaves out UDP's, so that the fuzzer gets
 * beyond them. */
static void
fix_checksums(uint8_t *frame, size_t size)
{
    if (size >= 14 + 20 + 8 && fabric_get_be16(frame + 12) == ETH_TYPE_IP) {
        size_t ip_len = IP_IHL(frame[14]) * 4;

        if (ip_len >= 20 && 14 + ip_len + 8 <= size) {
            ovs_be16 sum;

            fabric_put_be16(frame + 24, 0);
            sum = csum(frame + 14, ip_len);
            memcpy(frame + 24, &sum, sizeof sum);
            fabric_put_be16(frame + 14 + ip_len + 6, 0);
        }
    }
}

static void
fuzz_frame(uint8_t *frame, size_t size)
{
    struct fabric_bfd_packet packet, again;
    struct fabric_bfd_addrs addrs, addrs_again;
    uint8_t copy[FABRIC_BFD_MAX_FRAME];
    size_t copy_size;

    fix_checksums(frame, size);
    fabric_bfd_is_taken_by_ovs(frame, size);
    FUZZ_CHECK(!fabric_bfd_is_control(frame, size, FABRIC_BFD_TENANT));
    if (!fabric_bfd_parse(frame, size, &packet, &addrs)) {
        return;
    }
    FUZZ_CHECK(fabric_bfd_is_control(frame, size, FABRIC_BFD_MANAGEMENT));

    copy_size = fabric_bfd_compose(&packet, &addrs, &fabric_bfd_mac, 49152,
                                   copy);
    FUZZ_CHECK(copy_size <= sizeof copy);
    FUZZ_CHECK(fabric_bfd_parse(copy, copy_size, &again, &addrs_again));
    FUZZ_CHECK(packet_equal(&packet, &again));
    FUZZ_CHECK(addrs.ipv6 == addrs_again.ipv6
               && eth_addr_equals(addrs.dst_mac, addrs_again.dst_mac)
               && ipv6_addr_equals(&addrs.src, &addrs_again.src)
               && ipv6_addr_equals(&addrs.dst, &addrs_again.dst));
}

enum { RECORD_LEN = 2 + FABRIC_BFD_LEN };

static void
act(struct fabric_bfd *b, const uint8_t *record, long long int now)
{
    struct fabric_bfd_config config = {
        .min_tx = record[2] + 1, .min_rx = record[3] + 1,
        .multiplier = record[4] ? record[4] : 1,
    };
    struct fabric_bfd_packet packet;

    switch (record[1] % 8) {
    case 0:
        fabric_bfd_configure(b, &config, now);
        break;
    case 1:
        if (record[2] == 1) {
            fabric_bfd_admin_down(b, now);
        }
        break;
    default:
        if (fabric_bfd_get(record + 2, FABRIC_BFD_LEN, &packet)) {
            fabric_bfd_receive(b, &packet, now);
        }
        break;
    }
}

static void
fuzz_session(const uint8_t *data, size_t size)
{
    struct fabric_bfd_config config = { 10000, 10000, 3 };
    struct fabric_bfd_packet packet;
    long long int now = 1;
    struct fabric_bfd b;

    fabric_bfd_init(&b, &config, now);
    for (; size >= RECORD_LEN; data += RECORD_LEN, size -= RECORD_LEN) {
        now += data[0] * 10000LL;
        fabric_bfd_check(&b, now);
        FUZZ_CHECK(b.detect > now);
        act(&b, data, now);
        if (fabric_bfd_answer(&b, 1, &packet)) {
            FUZZ_CHECK(packet.final && !packet.poll);
        }
        if (fabric_bfd_send(&b, now, data[0] << 8 | data[1], 1, data[0] & 1,
                            &packet)) {
            FUZZ_CHECK(!packet.final);
            FUZZ_CHECK(packet.state == b.state && packet.multiplier);
            FUZZ_CHECK(packet.your_disc || packet.state <= FABRIC_BFD_DOWN);
            FUZZ_CHECK(packet.state == FABRIC_BFD_UP
                       || packet.min_tx >= FABRIC_BFD_SLOW);
        }
        FUZZ_CHECK(b.next_tx == LLONG_MAX || !fabric_bfd_tx_interval(&b)
                   || b.next_tx > now || b.last_tx < now);
        FUZZ_CHECK(b.state <= FABRIC_BFD_DOWN || b.remote_disc);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size) {
        return 0;
    }
    if (data[0] & 1) {
        fuzz_session(data + 1, size - 1);
    } else {
        uint8_t *frame = xmemdup(data + 1, size - 1);

        fuzz_frame(frame, size - 1);
        free(frame);
    }
    return 0;
}
