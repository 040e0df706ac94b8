/* SPDX-License-Identifier: Apache-2.0 */

/* The larger of an interface's own setting and that of "all" counts: 0 for
 * none, 1 for a strict filter, 2 for a loose one (ip-sysctl.rst of Linux). */

#include <config.h>

#include "fabric-rp-filter.h"

#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>

#include "fabric-kern-mirror.h"
#include "util.h"

#define STRICT 1

static int of_all;              /* The setting of "all". */

static struct fabric_kern_mirror strict = {
    .entries = HMAP_INITIALIZER(&strict.entries),
    .key_size = sizeof(uint32_t),
    .value_size = sizeof(uint32_t),
    .map = FABRIC_KERN_STRICT,
};

/* Returns the setting of 'name', 0 if there is none. */
static int
get_setting(const char *name)
{
    char *path = xasprintf("/proc/sys/net/ipv4/conf/%s/rp_filter", name);
    FILE *stream = fopen(path, "r");
    int setting = 0;

    if (stream) {
        if (fscanf(stream, "%d", &setting) != 1) {
            setting = 0;
        }
        fclose(stream);
    }
    free(path);
    return setting;
}

void
fabric_rp_filter_begin(void)
{
    of_all = get_setting("all");
    fabric_kern_mirror_begin(&strict);
}

void
fabric_rp_filter_add(uint32_t ifindex)
{
    char name[IF_NAMESIZE];
    uint32_t value = 1;

    if (if_indextoname(ifindex, name)
        && MAX(get_setting(name), of_all) == STRICT) {
        fabric_kern_mirror_set(&strict, &ifindex, &value);
    }
}

void
fabric_rp_filter_end(void)
{
    fabric_kern_mirror_end(&strict);
}
