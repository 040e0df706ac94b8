/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_KERN_MAPS_H
#define FABRIC_KERN_MAPS_H 1

/* The maps of the fast path's programs, see ../fabric-kern-abi.h. */

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "../fabric-kern-abi.h"

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct fabric_kern_conf);
} conf SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, FABRIC_KERN_MAX_FLOWS);
    __type(key, struct fabric_kern_flow_key);
    __type(value, struct fabric_kern_flow);
} flows SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, FABRIC_KERN_MAX_FLOW_STATS);
    __type(key, __u32);
    __type(value, struct fabric_kern_flow_stats);
} flow_stats SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, FABRIC_KERN_MAX_LISTS);
    __type(key, struct fabric_kern_list_key);
    __type(value, struct fabric_kern_list);
} lists SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, FABRIC_KERN_MAX_PORTS);
    __type(key, __u32);
    __type(value, struct fabric_kern_port);
} ports SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, FABRIC_KERN_MAX_SHARES);
    __type(key, __u32);
    __type(value, struct fabric_kern_share);
} shares SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_DEVMAP_HASH);
    __uint(max_entries, FABRIC_KERN_MAX_PORTS);
    __type(key, __u32);
    __type(value, __u32);
} devices SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, FABRIC_KERN_MAX_LOCALS);
    __type(key, struct fabric_kern_local_key);
    __type(value, struct fabric_kern_local);
} locals SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, FABRIC_KERN_MAX_REMOTES);
    __type(key, struct fabric_kern_remote_key);
    __type(value, struct fabric_kern_remote);
} remotes SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, FABRIC_KERN_MAX_FABRICS);
    __type(key, __u32);
    __type(value, struct fabric_kern_fabric_stats);
} fabric_stats SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, FABRIC_KERN_MAX_DROPS);
    __type(key, __u32);
    __type(value, __u64);
} drops SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, FABRIC_KERN_MAX_PATHS);
    __type(key, __u32);
    __type(value, struct fabric_kern_path);
} paths SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, FABRIC_KERN_MAX_ENDPOINTS);
    __type(key, __u32);
    __type(value, struct fabric_kern_endpoint);
} endpoints SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, FABRIC_KERN_N_REASONS);
    __type(key, __u32);
    __type(value, __u64);
} reasons SEC(".maps");

static __always_inline struct fabric_kern_conf *
get_conf(void)
{
    __u32 zero = 0;

    return bpf_map_lookup_elem(&conf, &zero);
}

/* Returns 'verdict', of a packet that ends here for 'reason'. */
static __always_inline int
because(enum fabric_kern_reason reason, int verdict)
{
    __u32 key = reason;
    __u64 *n = bpf_map_lookup_elem(&reasons, &key);

    if (n) {
        (*n)++;
    }
    return verdict;
}

#endif /* fabric-kern-maps.h */
