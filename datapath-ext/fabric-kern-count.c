/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-kern-count.h"

#include "fabric-drops.h"
#include "fabric-kern.h"
#include "util.h"

static const struct {
    const char *name;
    const char *help;
} handed_on[] = {
#define FABRIC_KERN_REASON(ENUM, NAME, HELP) { NAME, HELP },
    FABRIC_KERN_HANDED_ON
#undef FABRIC_KERN_REASON
};

bool
fabric_kern_get_handed_on(size_t i, struct fabric_kern_handed_on *h)
{
    if (i >= ARRAY_SIZE(handed_on)) {
        return false;
    }
    *h = (struct fabric_kern_handed_on) {
        .name = handed_on[i].name,
        .help = handed_on[i].help,
        .n_packets = fabric_kern_count(i),
    };
    return true;
}

static uint64_t
get_drops(enum fabric_drop drop)
{
    switch ((int) drop) {
#define FABRIC_KERN_REASON(ENUM, NAME, HELP)                            \
    case FABRIC_DROP_KERN_##ENUM:                                       \
        return fabric_kern_count(FABRIC_KERN_REASON_##ENUM);
    FABRIC_KERN_DROPPED
#undef FABRIC_KERN_REASON
    }
    return 0;
}

void
fabric_kern_count_drops(void)
{
    fabric_drop_set_source(get_drops);
}
