/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-kern.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fabric-bytes.h"
#include "fabric-filters.h"
#include "fabric-kern-count.h"
#include "fabric-kern-tc.h"
#include "fabric-kern.skel.h"
#include "fabric-privilege.h"
#include "fabric-table.h"
#include "openvswitch/vlog.h"
#include "ovs-atomic.h"
#include "packets.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(fabric_kern);

/* What the programs read of the path table is what lib/ writes. */
#define SAME(KERN, MEMBER, TABLE)                                       \
    BUILD_ASSERT_DECL(offsetof(struct fabric_kern_##KERN, MEMBER)       \
                      == offsetof(struct fabric_table_##TABLE, MEMBER))
SAME(path, local_ip, path);
SAME(path, remote_ip, path);
SAME(path, src_port, path);
SAME(path, dst_port, path);
SAME(path, endpoint, path);
SAME(path, tx_packets, path);
SAME(path, tx_bytes, path);
SAME(path, out_ifindex, path);
SAME(path, out_mtu, path);
SAME(path, next_hop, path);
SAME(path, rx_packets, path);
SAME(path, mtu, path);
BUILD_ASSERT_DECL(sizeof(struct fabric_kern_path)
                  == sizeof(struct fabric_table_path));
SAME(endpoint, rx_packets, endpoint);
SAME(endpoint, rx_bytes, endpoint);
SAME(endpoint, n_usable, endpoint);
SAME(endpoint, tx_no_live_path, endpoint);
SAME(endpoint, sent, endpoint);
SAME(endpoint, id, endpoint);
SAME(endpoint, slots, endpoint);
BUILD_ASSERT_DECL(sizeof(struct fabric_kern_endpoint)
                  == sizeof(struct fabric_table_endpoint));
BUILD_ASSERT_DECL(FABRIC_KERN_SLOTS == FABRIC_TABLE_SLOTS);
BUILD_ASSERT_DECL(FABRIC_KERN_HASH_SHIFT == FABRIC_TABLE_HASH_SHIFT);

/* tc(8) filters of ours are known by these. */
#define TC_HANDLE 1
#define TC_PRIORITY FABRIC_FILTERS_PRIORITY

static struct fabric_kern_bpf *skel;
static char *load_error;
static bool loading;

/* For other threads than the main one: may they use what is loaded, and may
 * they change it? */
static atomic_bool loaded = false;
static atomic_bool ours = false;

static struct fabric_kern_conf *conf;
static struct fabric_kern_flow_stats *flow_stats;
static struct fabric_kern_fabric_stats *fabric_stats;
static struct fabric_kern_share *shares;
static uint64_t *drops;

static int OVS_PRINTF_FORMAT(2, 0)
print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(20, 60);
    /* Otherwise it complains when there is nothing to replace. */
    enum vlog_level vlog_level = (level == LIBBPF_WARN && loading
                                  ? VLL_INFO : VLL_DBG);

    if (!vlog_should_drop(&this_module, vlog_level, &rl)) {
        va_list copy;

        va_copy(copy, args);
        vlog_valist(&this_module, vlog_level, format, copy);
        va_end(copy);
    }
    return 0;
}

static void *
map_memory(const struct bpf_map *map)
{
    size_t size = ROUND_UP((size_t) bpf_map__value_size(map)
                           * bpf_map__max_entries(map), get_page_size());
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
                   bpf_map__fd(map), 0);

    return p == MAP_FAILED ? NULL : p;
}

static char *
share_table(void)
{
    int error = fabric_table_share(bpf_map__fd(skel->maps.paths),
                                   FABRIC_KERN_MAX_PATHS,
                                   bpf_map__fd(skel->maps.endpoints),
                                   FABRIC_KERN_MAX_ENDPOINTS);

    return error ? xasprintf("the path table cannot be shared (%s)",
                             ovs_strerror(error)) : NULL;
}

/* Returns true if the kernel decapsulates IPv6 from IPv4, and the reverse.
 * Tries it, since the version of a distribution's kernel does not tell. */
static bool
probe_decap_l3(void)
{
    uint8_t packet[ETH_HEADER_LEN + IP_HEADER_LEN + IPV6_HEADER_LEN + 64]
        = { 0 };
    uint8_t *ip = packet + ETH_HEADER_LEN;
    LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet,
                .data_size_in = sizeof packet, .repeat = 1);

    fabric_put_be16(ip - 2, ETH_TYPE_IP);
    ip[0] = IP_IHL_VER(5, 4);
    ip[9] = IPPROTO_IPV6;
    ip[IP_HEADER_LEN] = 6 << 4;
    return (!bpf_prog_test_run_opts(
                bpf_program__fd(skel->progs.fabric_probe_decap_l3), &opts)
            && opts.retval == 1);
}

static char *
load(void)
{
    struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
    char *missing = fabric_missing_capabilities();
    char *error;

    if (missing) {
        error = xasprintf("ovs-vswitchd lacks %s", missing);
        free(missing);
        return error;
    }
    skel = fabric_kern_bpf__open();
    if (!skel) {
        return xasprintf("programs cannot be opened (%s)",
                         ovs_strerror(errno));
    }
    /* Before Linux 5.11 maps count as locked memory. */
    setrlimit(RLIMIT_MEMLOCK, &unlimited);
    if (fabric_kern_bpf__load(skel)) {
        error = xasprintf("the kernel refuses the programs (%s)",
                          ovs_strerror(errno));
    } else {
        conf = map_memory(skel->maps.conf);
        flow_stats = map_memory(skel->maps.flow_stats);
        fabric_stats = map_memory(skel->maps.fabric_stats);
        shares = map_memory(skel->maps.shares);
        drops = map_memory(skel->maps.drops);
        error = (conf && flow_stats && fabric_stats && shares && drops
                 ? share_table()
                 : xasprintf("maps cannot be mapped (%s)",
                             ovs_strerror(errno)));
    }
    if (!error) {
        conf->decap_l3 = probe_decap_l3();
        if (!conf->decap_l3) {
            VLOG_INFO("this kernel does not decapsulate IPv6 from IPv4 or "
                      "IPv4 from IPv6: userspace does");
        }
    }
    if (error) {
        fabric_kern_bpf__destroy(skel);
        skel = NULL;
    }
    return error;
}

const char *
fabric_kern_load(void)
{
    if (!skel && !load_error) {
        libbpf_set_print(print_libbpf);
        loading = true;
        load_error = load();
        loading = false;
        atomic_store_explicit(&loaded, !load_error, memory_order_release);
        atomic_store_explicit(&ours, !load_error, memory_order_release);
        fabric_kern_count_drops();
    }
    return load_error;
}

bool
fabric_kern_is_loaded(void)
{
    bool is_loaded;

    atomic_read_explicit(&loaded, &is_loaded, memory_order_acquire);
    return is_loaded;
}

bool
fabric_kern_is_ours(void)
{
    bool is_ours;

    atomic_read_explicit(&ours, &is_ours, memory_order_acquire);
    return is_ours;
}

void
fabric_kern_abandon(void)
{
    if (fabric_kern_is_ours()) {
        atomic_store_relaxed(&ours, false);
        fabric_table_unshare();
    }
}

/* Interfaces. */

static struct bpf_tc_hook
ingress_hook(int ifindex)
{
    return (struct bpf_tc_hook) {
        .sz = sizeof(struct bpf_tc_hook),
        .ifindex = ifindex,
        .attach_point = BPF_TC_INGRESS,
    };
}

int
fabric_kern_attach(int ifindex, enum fabric_kern_program program)
{
    struct bpf_tc_hook hook = ingress_hook(ifindex);
    struct bpf_tc_opts opts = {
        .sz = sizeof opts,
        .handle = TC_HANDLE,
        .priority = TC_PRIORITY,
        .flags = BPF_TC_F_REPLACE,
        .prog_fd = bpf_program__fd(program == FABRIC_KERN_FROM_PORT
                                   ? skel->progs.fabric_from_port
                                   : skel->progs.fabric_from_underlay),
    };
    int error = -bpf_tc_hook_create(&hook);

    if (!error || error == EEXIST) {
        error = -bpf_tc_attach(&hook, &opts);
    }
    return error;
}

uint32_t
fabric_kern_prog_id(enum fabric_kern_program program)
{
    int fd = bpf_program__fd(program == FABRIC_KERN_FROM_PORT
                             ? skel->progs.fabric_from_port
                             : skel->progs.fabric_from_underlay);
    struct bpf_prog_info info = { .id = 0 };
    uint32_t len = sizeof info;

    return bpf_obj_get_info_by_fd(fd, &info, &len) ? 0 : info.id;
}

void
fabric_kern_detach(int ifindex)
{
    fabric_filters_remove(ifindex, false, NULL);
}

bool
fabric_kern_is_attached(int ifindex)
{
    struct bpf_tc_hook hook = ingress_hook(ifindex);
    struct bpf_tc_opts opts = {
        .sz = sizeof opts,
        .handle = TC_HANDLE,
        .priority = TC_PRIORITY,
    };

    libbpf_set_print(print_libbpf);
    return !bpf_tc_query(&hook, &opts);
}

/* Maps. */

static int
map_fd(enum fabric_kern_map map)
{
    const struct bpf_map *const maps[] = {
        [FABRIC_KERN_FLOWS] = skel->maps.flows,
        [FABRIC_KERN_LISTS] = skel->maps.lists,
        [FABRIC_KERN_PORTS] = skel->maps.ports,
        [FABRIC_KERN_DEVICES] = skel->maps.devices,
        [FABRIC_KERN_LOCALS] = skel->maps.locals,
        [FABRIC_KERN_REMOTES] = skel->maps.remotes,
        [FABRIC_KERN_STRICT] = skel->maps.strict,
    };

    return bpf_map__fd(maps[map]);
}

int
fabric_kern_put(enum fabric_kern_map map, const void *key, const void *value)
{
    return -bpf_map_update_elem(map_fd(map), key, value, BPF_ANY);
}

int
fabric_kern_get(enum fabric_kern_map map, const void *key, void *value)
{
    return -bpf_map_lookup_elem(map_fd(map), key, value);
}

int
fabric_kern_del(enum fabric_kern_map map, const void *key)
{
    return -bpf_map_delete_elem(map_fd(map), key);
}

uint64_t
fabric_kern_count(enum fabric_kern_reason reason)
{
    int n_cpus = libbpf_num_possible_cpus();
    uint32_t key = reason;
    uint64_t *values, sum = 0;

    if (!fabric_kern_is_loaded() || n_cpus <= 0) {
        return 0;
    }
    values = xcalloc(n_cpus, sizeof *values);
    if (!bpf_map_lookup_elem(bpf_map__fd(skel->maps.reasons), &key, values)) {
        for (int i = 0; i < n_cpus; i++) {
            sum += values[i];
        }
    }
    free(values);
    return sum;
}

struct fabric_kern_conf *
fabric_kern_conf(void)
{
    return conf;
}

struct fabric_kern_flow_stats *
fabric_kern_flow_stats(void)
{
    return flow_stats;
}

struct fabric_kern_fabric_stats *
fabric_kern_fabric_stats(void)
{
    return fabric_stats;
}

struct fabric_kern_share *
fabric_kern_shares(void)
{
    return shares;
}

const uint64_t *
fabric_kern_drops(void)
{
    return drops;
}
