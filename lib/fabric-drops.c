/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-drops.h"

#include "ovs-atomic.h"

static const struct {
    const char *name;
    const char *help;
} drops[FABRIC_N_DROPS] = {
#define FABRIC_DROP(ENUM, NAME, HELP) [FABRIC_DROP_##ENUM] = { NAME, HELP },
    FABRIC_DROPS
#undef FABRIC_DROP
};

static atomic_uint64_t counters[FABRIC_N_DROPS];

typedef uint64_t source_func(enum fabric_drop);
static ATOMIC(source_func *) source = NULL;

void
fabric_drop_count(enum fabric_drop drop, uint64_t n)
{
    uint64_t orig;

    atomic_add_relaxed(&counters[drop], n, &orig);
}

uint64_t
fabric_drop_get(enum fabric_drop drop)
{
    source_func *func;
    uint64_t n;

    atomic_read_relaxed(&counters[drop], &n);
    atomic_read_relaxed(&source, &func);
    return func ? n + func(drop) : n;
}

void
fabric_drop_set_source(uint64_t (*func)(enum fabric_drop))
{
    atomic_store_relaxed(&source, func);
}

const char *
fabric_drop_name(enum fabric_drop drop)
{
    return drops[drop].name;
}

const char *
fabric_drop_help(enum fabric_drop drop)
{
    return drops[drop].help;
}
