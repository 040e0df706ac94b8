/* SPDX-License-Identifier: Apache-2.0 */

/* The sockets are a reuseport group, in the order in which they were bound:
 * those for data, then those for probes.  The program is a classic one, for
 * which a process needs no privilege.
 *
 * The hash is multiplicative (Dietzfelbinger et al., "A Reliable Randomized
 * Algorithm for the Closest-Pair Problem", 1997): the highest bits of the
 * address times a random odd number.  An IPv6 address is folded first. */

#include <config.h>

#include "fabric-steer.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fabric-bfd-frame.h"
#include "fabric-socket.h"
#include "fabric-stamp.h"
#include "fabric-uplink.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "random.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(fabric_steer);

#ifndef SO_ATTACH_REUSEPORT_CBPF
#define SO_ATTACH_REUSEPORT_CBPF 51
#endif

BUILD_ASSERT_DECL(IS_POW2(FABRIC_STEER_N_DATA)
                  && FABRIC_STEER_N_DATA <= FABRIC_STEER_MAX);
BUILD_ASSERT_DECL(IS_POW2(FABRIC_STEER_N_PROBES)
                  && FABRIC_STEER_N_PROBES <= FABRIC_STEER_MAX);

/* Offsets of what the program reads, from the start of the UDP payload... */
#define OFS_VNI 4               /* And a reserved byte. */
#define OFS_MAC 8
#define OFS_ETH_TYPE 20
#define OFS_IP 22

/* ... and from that of the outer IP header. */
#define OFS_SRC_V4 (SKF_NET_OFF + 12)
#define OFS_SRC_V6 (SKF_NET_OFF + 8)

static uint32_t
mac_hi(const struct eth_addr *mac)
{
    return ((uint32_t) mac->ea[0] << 24 | mac->ea[1] << 16
            | mac->ea[2] << 8 | mac->ea[3]);
}

/* The program, as far as it is written. */
struct program {
    struct sock_filter code[64];
    size_t n;
};

#define MISS UINT8_MAX          /* Jump to be filled in by land(). */

static void
emit(struct program *p, uint16_t code, uint32_t k)
{
    ovs_assert(p->n < ARRAY_SIZE(p->code));
    p->code[p->n++] = (struct sock_filter) { .code = code, .k = k };
}

static void
load(struct program *p, uint16_t size, uint32_t ofs)
{
    emit(p, BPF_LD | size | BPF_ABS, ofs);
}

/* Goes on only if the accumulator is 'k', else where land() will be called. */
static void
require(struct program *p, uint32_t k)
{
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, k);
    p->code[p->n - 1].jf = MISS;
}

/* Lets the tests that have failed from instruction 'from' on continue here. */
static void
land(struct program *p, size_t from)
{
    for (size_t i = from; i < p->n; i++) {
        if (p->code[i].jf == MISS) {
            p->code[i].jf = p->n - i - 1;
        }
    }
}

/* Puts a hash of the sender's address into M[0]. */
static void
hash_source(struct program *p, bool v4)
{
    int n_words = v4 ? 1 : 4;

    emit(p, BPF_LD | BPF_IMM, 0);
    for (int i = 0; i < n_words; i++) {
        emit(p, BPF_MISC | BPF_TAX, 0);
        load(p, BPF_W, (v4 ? OFS_SRC_V4 : OFS_SRC_V6) + i * 4);
        emit(p, BPF_ALU | BPF_XOR | BPF_X, 0);
    }
    emit(p, BPF_ALU | BPF_MUL | BPF_K, random_uint32() | 1);
    emit(p, BPF_ST, 0);
}

/* Chooses one of the 'n' sockets from 'first' on. */
static void
choose(struct program *p, uint32_t first, uint32_t n)
{
    emit(p, BPF_LD | BPF_MEM, 0);
    emit(p, BPF_ALU | BPF_RSH | BPF_K, 32 - raw_ctz(n));
    emit(p, BPF_ALU | BPF_ADD | BPF_K, first);
    emit(p, BPF_RET | BPF_A, 0);
}

static void
require_mac_lo(struct program *p, const struct eth_addr *mac)
{
    load(p, BPF_H, OFS_MAC + 4);
    require(p, mac->ea[4] << 8 | mac->ea[5]);
}

static void
require_vni(struct program *p, uint32_t vni)
{
    load(p, BPF_W, OFS_VNI);
    emit(p, BPF_ALU | BPF_RSH | BPF_K, 8);
    require(p, vni);
}

/* Continues with BFD to the MAC that Open vSwitch uses, on the VNI on which
 * that has it.  (Other BFD comes with the data, and finds its way from
 * there.) */
static void
require_ovs_bfd(struct program *p, uint32_t vni)
{
    load(p, BPF_W, OFS_MAC);
    require(p, mac_hi(&fabric_bfd_ovs_mac));
    require_mac_lo(p, &fabric_bfd_ovs_mac);
    load(p, BPF_H, OFS_ETH_TYPE);
    require(p, ETH_TYPE_IP);
    load(p, BPF_B, OFS_IP);
    require(p, IP_IHL_VER(5, 4));
    load(p, BPF_B, OFS_IP + 9);
    require(p, IPPROTO_UDP);
    load(p, BPF_H, OFS_IP + IP_HEADER_LEN + 2);
    require(p, FABRIC_BFD_PORT);
    require_vni(p, vni);
}

/* Continues with STAMP, as fabric_stamp_is_probe() recognizes it. */
static void
require_stamp(struct program *p, uint32_t vni)
{
    load(p, BPF_W, OFS_MAC);
    require(p, mac_hi(&fabric_stamp_mac));
    require_mac_lo(p, &fabric_stamp_mac);
    require_vni(p, vni);
}

/* Attaches the program to the group of 'fd'.  Returns 0 or a positive errno.
 * A load beyond the packet would choose the first socket. */
static int
attach(int fd, const struct fabric_uplink_config *config)
{
    struct program p = { .n = 0 };
    struct sock_fprog fprog;
    size_t start;

    hash_source(&p, IN6_IS_ADDR_V4MAPPED(&config->local_ip));
    if (config->encap == FABRIC_ENCAP_GENEVE) {
        /* Byte 0 has the length of the options. */
        load(&p, BPF_B, 0);
        emit(&p, BPF_ALU | BPF_AND | BPF_K, 0x3f);
        emit(&p, BPF_JMP | BPF_JEQ | BPF_K, 0);
        p.code[p.n - 1].jt = 4;
        choose(&p, 0, FABRIC_STEER_N_DATA);
    }

    start = p.n;
    require_ovs_bfd(&p, config->bfd_vni);
    choose(&p, FABRIC_STEER_N_DATA, FABRIC_STEER_N_PROBES);
    land(&p, start);

    start = p.n;
    require_stamp(&p, config->probe_vni);
    choose(&p, FABRIC_STEER_N_DATA, FABRIC_STEER_N_PROBES);
    land(&p, start);
    choose(&p, 0, FABRIC_STEER_N_DATA);

    fprog = (struct sock_fprog) { .len = p.n, .filter = p.code };
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &fprog,
                      sizeof fprog) ? errno : 0;
}

static void
close_set(struct fabric_steer_set *set)
{
    while (set->n) {
        close(set->fds[--set->n]);
    }
}

static int
open_set(struct fabric_steer_set *set, size_t n,
         const struct fabric_uplink_config *config)
{
    while (set->n < n) {
        int fd = fabric_socket_bound(&config->local_ip, config->dst_port,
                                     true);

        if (fd < 0) {
            return -fd;
        }
        set->fds[set->n++] = fd;
    }
    return 0;
}

int
fabric_steer_open(struct fabric_steer *steer,
                  const struct fabric_uplink_config *config)
{
    struct fabric_steer_set *data = &steer->sets[FABRIC_STEER_DATA];
    struct fabric_steer_set *probes = &steer->sets[FABRIC_STEER_PROBES];
    int error = open_set(data, FABRIC_STEER_N_DATA, config);

    if (!error) {
        error = open_set(probes, FABRIC_STEER_N_PROBES, config);
    }
    if (error) {
        return error;
    }
    error = attach(data->fds[0], config);
    if (error) {
        /* Probes then arrive with the data and are peeled off there, so these
         * sockets must not get a share of the data. */
        VLOG_WARN("probes share the sockets for data: %s",
                  ovs_strerror(error));
        close_set(probes);
    }
    return 0;
}

int
fabric_steer_change(const struct fabric_steer *steer,
                    const struct fabric_uplink_config *config)
{
    return (steer->sets[FABRIC_STEER_PROBES].n
            ? attach(steer->sets[FABRIC_STEER_DATA].fds[0], config) : 0);
}

void
fabric_steer_close(struct fabric_steer *steer)
{
    for (int i = 0; i < FABRIC_STEER_N_KINDS; i++) {
        close_set(&steer->sets[i]);
    }
}

/* Looks which sockets of 'set' have something to read. */
static void
look(struct fabric_steer_set *set)
{
    struct pollfd pollfds[FABRIC_STEER_MAX];

    for (size_t i = 0; i < set->n; i++) {
        pollfds[i] = (struct pollfd) { .fd = set->fds[i], .events = POLLIN };
    }
    if (poll(pollfds, set->n, 0) > 0) {
        for (size_t i = 0; i < set->n; i++) {
            set->ready |= pollfds[i].revents ? 1u << i : 0;
        }
    }
}

int
fabric_steer_next(struct fabric_steer_set *set)
{
    int i;

    if (!set->ready) {
        look(set);
        if (!set->ready) {
            return -1;
        }
    }
    i = raw_ctz(set->ready);
    set->ready &= set->ready - 1;
    return i;
}

void
fabric_steer_wait(const struct fabric_steer_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        poll_fd_wait(set->fds[i], POLLIN);
    }
}
