/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-kern-names.h"

#include <stdlib.h>

#include "util.h"

const struct fabric_kern_name *
fabric_kern_names_look_up(struct fabric_kern_names *names,
                          const struct fabric_kern_name *name)
{
    struct fabric_kern_name *n = &names->names[names->n++];

    ovs_assert(names->n <= FABRIC_KERN_MAX_NAMES);
    *n = *name;
    names->resolve(n);
    return n;
}

void
fabric_kern_names_keep(struct fabric_kern_kept_names *kept,
                       const struct fabric_kern_names *names)
{
    fabric_kern_names_forget(kept);
    kept->resolve = names->resolve;
    kept->n = names->n;
    kept->names = xmemdup(names->names, names->n * sizeof *names->names);
}

void
fabric_kern_names_forget(struct fabric_kern_kept_names *kept)
{
    free(kept->names);
    kept->names = NULL;
    kept->n = 0;
}

bool
fabric_kern_names_are_current(const struct fabric_kern_kept_names *kept)
{
    for (size_t i = 0; i < kept->n; i++) {
        const struct fabric_kern_name *old = &kept->names[i];
        struct fabric_kern_name now = *old;

        kept->resolve(&now);
        if (now.id != old->id || now.index != old->index
            || now.fabric != old->fabric) {
            return false;
        }
    }
    return true;
}
