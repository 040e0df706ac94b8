/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-kern-mirror.h"

#include "fabric-kern-abi.h"
#include "hash.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(fabric_kern_mirror);

struct entry {
    struct hmap_node node;
    bool wanted;
    uint8_t value[sizeof(struct fabric_kern_local)];
    uint8_t key[];
};

bool
fabric_kern_mirror_set(struct fabric_kern_mirror *m, const void *key,
                       const void *value)
{
    uint32_t hash = hash_bytes(key, m->key_size, 0);
    struct entry *e;
    int error;

    HMAP_FOR_EACH_WITH_HASH (e, node, hash, &m->entries) {
        if (!memcmp(e->key, key, m->key_size)) {
            break;
        }
    }
    if (!e) {
        e = xzalloc(sizeof *e + m->key_size);
        memcpy(e->key, key, m->key_size);
        hmap_insert(&m->entries, &e->node, hash);
    } else if (!memcmp(e->value, value, m->value_size)) {
        e->wanted = true;
        return true;
    }
    e->wanted = true;
    memcpy(e->value, value, m->value_size);
    error = fabric_kern_put(m->map, e->key, e->value);
    if (error) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

        VLOG_WARN_RL(&rl, "the kernel refuses an address (%s)",
                     ovs_strerror(error));
        fabric_kern_del(m->map, e->key);
        hmap_remove(&m->entries, &e->node);
        free(e);
    }
    return !error;
}

void
fabric_kern_mirror_begin(struct fabric_kern_mirror *m)
{
    struct entry *e;

    HMAP_FOR_EACH (e, node, &m->entries) {
        e->wanted = false;
    }
}

void
fabric_kern_mirror_end(struct fabric_kern_mirror *m)
{
    struct entry *e;

    HMAP_FOR_EACH_SAFE (e, node, &m->entries) {
        if (!e->wanted) {
            fabric_kern_del(m->map, e->key);
            hmap_remove(&m->entries, &e->node);
            free(e);
        }
    }
}
