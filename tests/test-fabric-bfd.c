/* SPDX-License-Identifier: Apache-2.0 */

/* Unit tests of BFD: control packets byte for byte, and two sessions joined by
 * a link, with a clock that the tests move.  With argument "print", prints
 * frames in hexadecimal for others to decode. */

#include <config.h>
#undef NDEBUG
#include "fabric-bfd.h"

#include <limits.h>

#include "fabric-bfd-frame.h"
#include "fabric-bytes.h"
#include "fabric-check.h"
#include "fabric-encap.h"
#include "ovstest.h"
#include "random.h"
#include "util.h"

static const struct fabric_bfd_packet sample = {
    .state = FABRIC_BFD_UP, .diag = FABRIC_BFD_DIAG_NEIGHBOR_DOWN,
    .poll = true, .independent = true, .multiplier = 3,
    .my_disc = 0x01020304, .your_disc = 0x05060708,
    .min_tx = 100000, .min_rx = 1000000, .min_echo_rx = 7,
};

/* As drawn in RFC 5880 section 4.1. */
static const uint8_t sample_bytes[FABRIC_BFD_LEN] = {
    0x23, 0xe8, 0x03, 0x18, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
    0x00, 0x01, 0x86, 0xa0, 0x00, 0x0f, 0x42, 0x40, 0x00, 0x00, 0x00, 0x07,
};

static void
test_packet(void)
{
    uint8_t bytes[FABRIC_BFD_LEN];
    struct fabric_bfd_packet packet;

    fabric_bfd_put(&sample, bytes);
    CHECK_BYTES(bytes, sample_bytes, sizeof bytes);
    CHECK_TRUE(fabric_bfd_get(bytes, sizeof bytes, &packet));
    CHECK_EQ(packet.state, sample.state);
    CHECK_EQ(packet.diag, sample.diag);
    CHECK_TRUE(packet.poll && !packet.final && packet.independent
               && !packet.demand);
    CHECK_EQ(packet.multiplier, sample.multiplier);
    CHECK_EQ(packet.my_disc, sample.my_disc);
    CHECK_EQ(packet.your_disc, sample.your_disc);
    CHECK_EQ(packet.min_tx, sample.min_tx);
    CHECK_EQ(packet.min_rx, sample.min_rx);
    CHECK_EQ(packet.min_echo_rx, sample.min_echo_rx);
}

/* Is the sample accepted with the byte at 'ofs' replaced? */
static bool
accepted_with(size_t ofs, uint8_t value, size_t size)
{
    struct fabric_bfd_packet packet;
    uint8_t bytes[64] = { 0 };

    memcpy(bytes, sample_bytes, sizeof sample_bytes);
    bytes[ofs] = value;
    return fabric_bfd_get(bytes, size, &packet);
}

static void
test_bad_packets(void)
{
    uint8_t bytes[FABRIC_BFD_LEN];
    struct fabric_bfd_packet packet;

    CHECK_TRUE(accepted_with(0, 0x23, 24));
    CHECK_FALSE(accepted_with(0, 0x23, 23));    /* Truncated. */
    CHECK_FALSE(accepted_with(0, 0x03, 24));    /* Versions 0 and 2. */
    CHECK_FALSE(accepted_with(0, 0x43, 24));
    CHECK_FALSE(accepted_with(1, 0xe8 | 4, 24));    /* Authenticated. */
    CHECK_FALSE(accepted_with(1, 0xe8 | 1, 24));    /* Multipoint. */
    CHECK_FALSE(accepted_with(2, 0, 24));       /* Multiplier. */
    CHECK_FALSE(accepted_with(3, 23, 24));      /* Length. */
    CHECK_FALSE(accepted_with(3, 25, 24));
    CHECK_TRUE(accepted_with(3, 25, 25));

    memcpy(bytes, sample_bytes, sizeof bytes);
    memset(bytes + 4, 0, 4);                    /* My discriminator. */
    CHECK_FALSE(fabric_bfd_get(bytes, sizeof bytes, &packet));

    memcpy(bytes, sample_bytes, sizeof bytes);
    memset(bytes + 8, 0, 4);                    /* Your discriminator. */
    for (int state = 0; state < 4; state++) {
        bytes[1] = state << 6;
        CHECK_EQ(fabric_bfd_get(bytes, sizeof bytes, &packet), state < 2);
    }
}

/* Frames. */

static struct in6_addr
ip(const char *s)
{
    struct in6_addr addr;
    ovs_be32 ip4;

    if (ip_parse(s, &ip4)) {
        in6_addr_set_mapped_ipv4(&addr, ip4);
    } else {
        ovs_assert(ipv6_parse(s, &addr));
    }
    return addr;
}

static const struct eth_addr src_mac = ETH_ADDR_C(02,00,00,00,00,01);

static size_t
make_frame(enum fabric_encap encap, const char *src, uint8_t *frame)
{
    struct fabric_bfd_addrs addrs;
    struct in6_addr src_ip = ip(src);

    fabric_bfd_default_addrs(encap, &src_ip, &addrs);
    return fabric_bfd_compose(&sample, &addrs, &src_mac, 49152, frame);
}

static void
test_frame(void)
{
    /* RFC 8971 section 3. */
    static const uint8_t ipv4[] = {
        0x00, 0x00, 0x5e, 0x00, 0x52, 0x02, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01,
        0x08, 0x00,
        0x45, 0x00, 0x00, 0x34, 0x00, 0x00, 0x40, 0x00, 0xff, 0x11, 0xf1, 0xb5,
        10, 1, 1, 1, 127, 0, 0, 1,
        0xc0, 0x00, 0x0e, 0xc8, 0x00, 0x20,
    };
    uint8_t frame[FABRIC_BFD_MAX_FRAME];
    struct fabric_bfd_packet packet;
    struct fabric_bfd_addrs addrs;
    struct in6_addr loopback;
    size_t size;

    size = make_frame(FABRIC_ENCAP_VXLAN, "10.1.1.1", frame);
    CHECK_EQ(size, 14 + 20 + 8 + 24);
    CHECK_BYTES(frame, ipv4, sizeof ipv4);
    CHECK_BYTES(frame + 42, sample_bytes, sizeof sample_bytes);
    CHECK_TRUE(fabric_bfd_parse(frame, size, &packet, &addrs));
    CHECK_FALSE(addrs.ipv6);
    CHECK_EQ(in6_addr_get_mapped_ipv4(&addrs.src), htonl(0x0a010101));

    /* Every bit matters, except for one MAC or another, and the source port
     * and identification of which the checksums know nothing. */
    for (size_t i = 12; i < size; i++) {
        frame[i] ^= 0x10;
        CHECK_FALSE(fabric_bfd_parse(frame, size, &packet, &addrs));
        frame[i] ^= 0x10;
    }
    CHECK_FALSE(fabric_bfd_parse(frame, size - 1, &packet, &addrs));

    size = make_frame(FABRIC_ENCAP_VXLAN, "fd00::1", frame);
    CHECK_EQ(size, FABRIC_BFD_MAX_FRAME);
    CHECK_TRUE(fabric_bfd_parse(frame, size, &packet, &addrs));
    CHECK_TRUE(addrs.ipv6);
    loopback = ip("127.0.0.1");
    CHECK_BYTES(&addrs.dst, &loopback, sizeof loopback);
    frame[14 + 40 + 6] = frame[14 + 40 + 7] = 0;
    CHECK_FALSE(fabric_bfd_parse(frame, size, &packet, &addrs));

    make_frame(FABRIC_ENCAP_GENEVE, "fd00::1", frame);
    CHECK_TRUE(fabric_bfd_parse(frame, size, &packet, &addrs));
    CHECK_BYTES(&addrs.dst, &in6addr_loopback, sizeof in6addr_loopback);
}

static void
test_is_control(void)
{
    static const struct eth_addr other = ETH_ADDR_C(02,00,00,00,00,02);
    uint8_t frame[FABRIC_BFD_MAX_FRAME];
    size_t size = make_frame(FABRIC_ENCAP_VXLAN, "10.1.1.1", frame);

    CHECK_TRUE(fabric_bfd_is_control(frame, size, FABRIC_BFD_MANAGEMENT));
    CHECK_TRUE(fabric_bfd_is_control(frame, size, FABRIC_BFD_OVS));
    CHECK_FALSE(fabric_bfd_is_control(frame, size, FABRIC_BFD_TENANT));
    memcpy(frame, &fabric_bfd_ovs_mac, ETH_ADDR_LEN);
    CHECK_TRUE(fabric_bfd_is_control(frame, size, FABRIC_BFD_OVS));
    CHECK_FALSE(fabric_bfd_is_control(frame, size, FABRIC_BFD_TENANT));

    memcpy(frame, &other, ETH_ADDR_LEN);
    CHECK_TRUE(fabric_bfd_is_control(frame, size, FABRIC_BFD_MANAGEMENT));
    CHECK_FALSE(fabric_bfd_is_control(frame, size, FABRIC_BFD_OVS));

    for (size_t i = 0; i < 14 + 20 + 8; i++) {
        CHECK_FALSE(fabric_bfd_is_control(frame, i, FABRIC_BFD_MANAGEMENT));
    }
    frame[14 + 8]--;                            /* TTL. */
    CHECK_FALSE(fabric_bfd_is_control(frame, size, FABRIC_BFD_MANAGEMENT));
    frame[14 + 8]++;
    frame[14 + 20 + 3]++;                       /* Port 3785. */
    CHECK_FALSE(fabric_bfd_is_control(frame, size, FABRIC_BFD_MANAGEMENT));
}

static void
test_place(void)
{
    CHECK_EQ(fabric_bfd_place(1, false, 1, 0), FABRIC_BFD_MANAGEMENT);
    CHECK_EQ(fabric_bfd_place(0, false, 1, 0), FABRIC_BFD_OVS);
    CHECK_EQ(fabric_bfd_place(100, false, 1, 0), FABRIC_BFD_TENANT);
    CHECK_EQ(fabric_bfd_place(100, true, 1, 0), FABRIC_BFD_MANAGEMENT);
    CHECK_EQ(fabric_bfd_place(7, false, 7, 7), FABRIC_BFD_MANAGEMENT);
}

/* Returns true if an Open vSwitch takes the frame with 'n_tags' VLAN tags and
 * the 16 bits at 'ofs' of the IP header replaced. */
static bool
is_taken(int n_tags, size_t ofs, uint16_t value)
{
    uint8_t frame[FABRIC_BFD_MAX_FRAME], tagged[FABRIC_BFD_MAX_FRAME + 16];
    size_t size = make_frame(FABRIC_ENCAP_VXLAN, "10.1.1.1", frame);
    size_t len = 12;

    memcpy(tagged, frame, len);
    for (int i = 0; i < n_tags; i++, len += 4) {
        fabric_put_be16(tagged + len, ETH_TYPE_VLAN);
        fabric_put_be16(tagged + len + 2, 1);
    }
    fabric_put_be16(frame + ETH_HEADER_LEN + ofs, value);
    memcpy(tagged + len, frame + 12, size - 12);
    size += n_tags * 4;
    for (size_t i = 0; i < size - FABRIC_BFD_LEN; i++) {
        CHECK_FALSE(fabric_bfd_is_taken_by_ovs(tagged, i));
    }
    return fabric_bfd_is_taken_by_ovs(tagged, size);
}

static void
test_is_taken_by_ovs(void)
{
    CHECK_TRUE(is_taken(0, 2, 52));
    CHECK_TRUE(is_taken(1, 2, 52));
    CHECK_TRUE(is_taken(2, 2, 9999));           /* Length. */
    CHECK_TRUE(is_taken(0, 6, IP_MORE_FRAGMENTS));
    CHECK_FALSE(is_taken(0, 6, 1));             /* Later fragment. */
    CHECK_TRUE(is_taken(0, 8, 0x0111));         /* TTL 1. */
    CHECK_FALSE(is_taken(0, 8, 0xff06));        /* TCP. */
    CHECK_FALSE(is_taken(0, 22, 3785));         /* Port. */
    CHECK_FALSE(is_taken(0, 0, 0x4f00));        /* Options to the end. */
}

/* Two sessions. */

#define MS 1000LL

struct side {
    struct fabric_bfd b;
    uint32_t disc;
    long long int last_tx;
    long long int shortest, longest;    /* Intervals while up. */
    unsigned int n_tx, n_finals;
};

struct link {
    struct side sides[2];
    bool cut[2];                /* By sender. */
    long long int now;
};

static void
deliver(struct link *link, int from, const struct fabric_bfd_packet *packet)
{
    struct side *to = &link->sides[!from];
    struct fabric_bfd_packet answer;

    if (!link->cut[from]) {
        CHECK_TRUE(!packet->your_disc || packet->your_disc == to->disc);
        CHECK_FALSE(packet->poll && packet->final);
        fabric_bfd_receive(&to->b, packet, link->now);
        if (fabric_bfd_answer(&to->b, to->disc, &answer)) {
            CHECK_TRUE(answer.final && !answer.poll);
            to->n_finals++;
            deliver(link, !from, &answer);
        }
    }
}

static void
note_interval(struct side *side, long long int now)
{
    long long int interval = now - side->last_tx;

    if (side->b.state == FABRIC_BFD_UP && side->n_tx++) {
        side->shortest = MIN(side->shortest, interval);
        side->longest = MAX(side->longest, interval);
    }
    side->last_tx = now;
}

static void
forget_intervals(struct link *link)
{
    for (int i = 0; i < 2; i++) {
        struct side *side = &link->sides[i];

        side->n_tx = side->longest = 0;
        side->shortest = LLONG_MAX;
    }
}

/* Lets 'ms' pass, or less until both are in 'state'.  Returns how long it
 * took. */
static long long int
run(struct link *link, long long int ms, int state)
{
    long long int start = link->now;

    for (; link->now < start + ms * MS; link->now += MS / 10) {
        for (int i = 0; i < 2; i++) {
            struct side *side = &link->sides[i];
            struct fabric_bfd_packet packet;

            fabric_bfd_check(&side->b, link->now);
            while (fabric_bfd_send(&side->b, link->now, random_uint32(),
                                   side->disc, false, &packet)) {
                note_interval(side, link->now);
                deliver(link, i, &packet);
            }
        }
        if (link->sides[0].b.state == state
            && link->sides[1].b.state == state) {
            break;
        }
    }
    return (link->now - start) / MS;
}

static void
configure(struct link *link, int i, unsigned int min_tx, unsigned int min_rx,
          uint8_t multiplier)
{
    struct fabric_bfd_config config = { min_tx * MS, min_rx * MS, multiplier };

    fabric_bfd_configure(&link->sides[i].b, &config, link->now);
}

static struct link
make_link(unsigned int min_tx, unsigned int min_rx, uint8_t multiplier)
{
    struct fabric_bfd_config config = { min_tx * MS, min_rx * MS, multiplier };
    struct link link = { .now = 5000 * MS };

    for (int i = 0; i < 2; i++) {
        link.sides[i].disc = 1000 + i;
        fabric_bfd_init(&link.sides[i].b, &config, link.now);
    }
    forget_intervals(&link);
    return link;
}

static struct link
make_up(unsigned int min_tx, unsigned int min_rx, uint8_t multiplier)
{
    struct link link = make_link(min_tx, min_rx, multiplier);

    CHECK_TRUE(run(&link, 3000, FABRIC_BFD_UP) < 3000);
    run(&link, 100, -1);
    forget_intervals(&link);
    return link;
}

static void
test_slow_start(void)
{
    struct link link = make_link(10, 10, 3);
    struct fabric_bfd *b = &link.sides[0].b;
    struct fabric_bfd_packet packet;

    /* Nobody there: once a second, less the jitter. */
    link.cut[0] = link.cut[1] = true;
    for (int i = 0; i < 50; i++) {
        long long int before = b->next_tx;

        CHECK_FALSE(fabric_bfd_send(b, b->next_tx - 1, 0, 1, true, &packet));
        CHECK_TRUE(fabric_bfd_send(b, b->next_tx, random_uint32(), 1, true,
                                   &packet));
        CHECK_EQ(packet.state, FABRIC_BFD_DOWN);
        CHECK_FALSE(packet.poll);
        CHECK_EQ(packet.min_tx, 1000 * MS);
        CHECK_EQ(packet.your_disc, 0);
        CHECK_TRUE(b->next_tx - before >= 750 * MS
                   && b->next_tx - before <= 1000 * MS);
    }
    CHECK_EQ(b->detect, LLONG_MAX);
}

static void
test_up(void)
{
    struct link link = make_up(10, 10, 3);

    run(&link, 2000, -1);
    for (int i = 0; i < 2; i++) {
        struct side *side = &link.sides[i];

        CHECK_EQ(side->b.state, FABRIC_BFD_UP);
        CHECK_EQ(side->b.diag, FABRIC_BFD_DIAG_NONE);
        CHECK_EQ(side->b.remote_disc, link.sides[!i].disc);
        CHECK_EQ(fabric_bfd_tx_interval(&side->b), 10 * MS);
        CHECK_EQ(fabric_bfd_detection_time(&side->b), 30 * MS);
        CHECK_TRUE(side->shortest >= 75 * MS / 10 && side->shortest < 8 * MS);
        CHECK_TRUE(side->longest <= 10 * MS + MS / 10
                   && side->longest > 95 * MS / 10);
        /* What changed on the way up was confirmed. */
        CHECK_FALSE(side->b.changed);
        CHECK_TRUE(side->n_finals > 0 && side->n_finals < 4);
    }
}

static void
test_jitter_with_multiplier_one(void)
{
    struct link link = make_up(10, 10, 1);

    run(&link, 2000, -1);
    CHECK_EQ(link.sides[0].b.state, FABRIC_BFD_UP);
    CHECK_TRUE(link.sides[0].shortest >= 75 * MS / 10);
    CHECK_TRUE(link.sides[0].longest <= 9 * MS + MS / 10);
}

static void
test_negotiation(void)
{
    struct link link = make_up(10, 10, 3);

    /* Who wants less gets less, at once. */
    configure(&link, 1, 10, 200, 5);
    run(&link, 500, -1);
    CHECK_EQ(fabric_bfd_tx_interval(&link.sides[0].b), 200 * MS);
    CHECK_EQ(fabric_bfd_tx_interval(&link.sides[1].b), 10 * MS);
    CHECK_EQ(fabric_bfd_detection_time(&link.sides[0].b), 5 * 10 * MS);
    CHECK_EQ(fabric_bfd_detection_time(&link.sides[1].b), 3 * 200 * MS);
    CHECK_EQ(link.sides[0].b.state, FABRIC_BFD_UP);

    /* A peer that wants none gets none, but is told of changes. */
    link.sides[1].b.config.min_rx = link.sides[1].b.min_rx = 0;
    link.sides[1].b.changed = true;
    run(&link, 20, -1);
    CHECK_EQ(link.sides[0].b.next_tx, LLONG_MAX);
}

/* Section 6.8.3: what would have one side give up the other waits for the
 * poll's answer. */
static void
test_polls(void)
{
    struct link link = make_up(10, 10, 3);
    struct fabric_bfd *b = &link.sides[0].b;
    struct fabric_bfd_packet packet;

    configure(&link, 0, 500, 10, 3);
    CHECK_EQ(b->min_tx, 10 * MS);
    link.cut[0] = true;
    CHECK_TRUE(fabric_bfd_send(b, link.now, 0, 1000, false, &packet));
    CHECK_TRUE(packet.poll);
    CHECK_EQ(packet.min_tx, 500 * MS);
    CHECK_EQ(fabric_bfd_tx_interval(b), 10 * MS);
    link.cut[0] = false;
    run(&link, 20, -1);
    CHECK_EQ(fabric_bfd_tx_interval(b), 500 * MS);
    CHECK_EQ(b->state, FABRIC_BFD_UP);

    configure(&link, 1, 10, 10, 3);
    configure(&link, 0, 10, 10, 3);
    run(&link, 50, -1);
    link.cut[0] = true;
    configure(&link, 0, 10, 5, 3);
    CHECK_EQ(b->min_rx, 10 * MS);
    link.cut[0] = false;
    run(&link, 50, -1);
    CHECK_EQ(b->min_rx, 5 * MS);
}

static void
test_demand(void)
{
    struct link link = make_up(10, 10, 3);
    struct fabric_bfd *b = &link.sides[0].b;
    struct fabric_bfd_packet packet = {
        .state = FABRIC_BFD_UP, .demand = true, .multiplier = 3,
        .my_disc = 1001, .your_disc = 1000,
        .min_tx = 10 * MS, .min_rx = 10 * MS,
    };
    struct fabric_bfd_packet sent;
    long long int now = link.now;

    /* Nothing but polls, answers and changes. */
    fabric_bfd_receive(b, &packet, now);
    for (int i = 0; i < 10; i++) {
        now = b->next_tx;
        CHECK_FALSE(fabric_bfd_send(b, now, 0, 1000, false, &sent));
        CHECK_TRUE(b->next_tx > now);
    }
    now = b->next_tx;
    CHECK_TRUE(fabric_bfd_send(b, now, 0, 1000, true, &sent));
    CHECK_TRUE(sent.poll);
    packet.poll = true;
    fabric_bfd_receive(b, &packet, now);
    CHECK_TRUE(fabric_bfd_answer(b, 1000, &sent));

    packet.poll = false;
    packet.state = FABRIC_BFD_DOWN;
    CHECK_TRUE(fabric_bfd_receive(b, &packet, now));
    CHECK_TRUE(fabric_bfd_send(b, now, 0, 1000, false, &sent));
    CHECK_EQ(sent.state, FABRIC_BFD_DOWN);
}

static void
test_detection(void)
{
    struct link link = make_up(10, 10, 3);
    long long int took;

    /* Both ways are dead: both notice in the detection time. */
    link.cut[0] = link.cut[1] = true;
    took = run(&link, 100, FABRIC_BFD_DOWN);
    CHECK_TRUE(took >= 20 && took <= 31);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(link.sides[i].b.diag, FABRIC_BFD_DIAG_EXPIRED);
        CHECK_EQ(link.sides[i].b.remote_disc, 0);
    }
    link.cut[0] = link.cut[1] = false;
    CHECK_TRUE(run(&link, 3000, FABRIC_BFD_UP) < 3000);

    /* One way: who hears nothing notices, and says so. */
    link.cut[0] = true;
    took = run(&link, 100, FABRIC_BFD_DOWN);
    CHECK_TRUE(took >= 20 && took <= 32);
    CHECK_EQ(link.sides[0].b.diag, FABRIC_BFD_DIAG_NEIGHBOR_DOWN);
    CHECK_EQ(link.sides[1].b.diag, FABRIC_BFD_DIAG_EXPIRED);
    link.cut[0] = false;
    CHECK_TRUE(run(&link, 3000, FABRIC_BFD_UP) < 3000);
}

static void
test_admin_down(void)
{
    struct link link = make_up(10, 10, 3);

    fabric_bfd_admin_down(&link.sides[0].b, link.now);
    run(&link, 5, -1);
    CHECK_EQ(link.sides[0].b.state, FABRIC_BFD_ADMIN_DOWN);
    CHECK_EQ(link.sides[0].b.diag, FABRIC_BFD_DIAG_ADMIN_DOWN);
    CHECK_EQ(link.sides[1].b.state, FABRIC_BFD_DOWN);
    CHECK_EQ(link.sides[1].b.remote_state, FABRIC_BFD_ADMIN_DOWN);
    CHECK_EQ(link.sides[1].b.diag, FABRIC_BFD_DIAG_NEIGHBOR_DOWN);
    run(&link, 5000, -1);
    CHECK_EQ(link.sides[0].b.state, FABRIC_BFD_ADMIN_DOWN);
    CHECK_EQ(link.sides[1].b.state, FABRIC_BFD_DOWN);
}

/* A peer that restarts says so with its first packet, and has another
 * discriminator. */
static void
test_restart(void)
{
    struct link link = make_up(10, 10, 3);
    struct side *side = &link.sides[1];
    struct fabric_bfd_config config = side->b.config;

    side->disc = 77;
    fabric_bfd_init(&side->b, &config, link.now);
    link.cut[0] = true;         /* What is still for the old one. */
    run(&link, 5, -1);
    CHECK_EQ(link.sides[0].b.state, FABRIC_BFD_DOWN);
    link.cut[0] = false;
    CHECK_TRUE(run(&link, 3000, FABRIC_BFD_UP) < 3000);
    CHECK_EQ(link.sides[0].b.remote_disc, 77);
}

/* Tables of sections 6.2 and 6.8.6: from each state with each that the peer
 * may tell. */
static void
test_transitions(void)
{
    static const enum fabric_bfd_state table[4][4] = {
        /* Peer:   admin down, down, init, up. */
        [FABRIC_BFD_ADMIN_DOWN] = { 0, 0, 0, 0 },
        [FABRIC_BFD_DOWN] = { 1, 2, 3, 1 },
        [FABRIC_BFD_INIT] = { 1, 2, 3, 3 },
        [FABRIC_BFD_UP] = { 1, 1, 3, 3 },
    };

    for (int from = 0; from < 4; from++) {
        for (int remote = 0; remote < 4; remote++) {
            struct fabric_bfd_config config = { 10 * MS, 10 * MS, 3 };
            struct fabric_bfd_packet packet = {
                .state = remote, .multiplier = 3, .my_disc = 1,
                .your_disc = 2, .min_rx = 1,
            };
            struct fabric_bfd b;

            fabric_bfd_init(&b, &config, 0);
            b.state = from;
            CHECK_EQ(fabric_bfd_receive(&b, &packet, MS),
                     table[from][remote] != from);
            CHECK_EQ(b.state, table[from][remote]);
        }
    }
}

/* For decoders: the same packet in each encapsulation and family. */
static void
print_frames(void)
{
    static const char *const srcs[] = { "10.1.1.1", "fd00::1" };

    for (int encap = 0; encap < FABRIC_N_ENCAPS; encap++) {
        for (size_t i = 0; i < ARRAY_SIZE(srcs); i++) {
            uint8_t data[FABRIC_ENCAP_MAX_HLEN + FABRIC_BFD_MAX_FRAME];
            size_t size = fabric_encap_build_simple(encap, 1, true, data);

            size += make_frame(encap, srcs[i], data + size);
            printf("%s ", fabric_encap_to_string(encap));
            for (size_t j = 0; j < size; j++) {
                printf("%02x", data[j]);
            }
            putchar('\n');
        }
    }
}

static void
test_fabric_bfd_main(int argc, char *argv[])
{
    random_set_seed(1);
    if (argc > 1 && !strcmp(argv[1], "print")) {
        print_frames();
        return;
    }
    CHECK_PROPERTY(test_packet);
    CHECK_PROPERTY(test_bad_packets);
    CHECK_PROPERTY(test_frame);
    CHECK_PROPERTY(test_is_control);
    CHECK_PROPERTY(test_place);
    CHECK_PROPERTY(test_is_taken_by_ovs);
    CHECK_PROPERTY(test_slow_start);
    CHECK_PROPERTY(test_up);
    CHECK_PROPERTY(test_jitter_with_multiplier_one);
    CHECK_PROPERTY(test_negotiation);
    CHECK_PROPERTY(test_polls);
    CHECK_PROPERTY(test_demand);
    CHECK_PROPERTY(test_detection);
    CHECK_PROPERTY(test_admin_down);
    CHECK_PROPERTY(test_restart);
    CHECK_PROPERTY(test_transitions);
    putchar('\n');
}
OVSTEST_REGISTER("test-fabric-bfd", test_fabric_bfd_main);
