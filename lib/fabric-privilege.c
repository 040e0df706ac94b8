/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-privilege.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>
#if HAVE_LIBCAPNG
#include <cap-ng.h>
#endif

#include "fabric-hooks.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

/* Since Linux 5.8. */
#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#endif
#ifndef CAP_BPF
#define CAP_BPF 39
#endif

/* Stores the process's capabilities, none if they cannot be known. */
static void
get_capabilities(uint64_t *effective, uint64_t *permitted)
{
    struct __user_cap_header_struct header = {
        .version = _LINUX_CAPABILITY_VERSION_3,
    };
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

    *effective = *permitted = 0;
    if (!syscall(SYS_capget, &header, data)) {
        *effective = (uint64_t) data[1].effective << 32 | data[0].effective;
        *permitted = (uint64_t) data[1].permitted << 32 | data[0].permitted;
    }
}

void
fabric_keep_capabilities(void)
{
#if HAVE_LIBCAPNG
    static const unsigned int caps[] = { CAP_BPF, CAP_PERFMON, CAP_SYS_NICE };
    uint64_t effective, permitted;

    get_capabilities(&effective, &permitted);
    for (size_t i = 0; i < ARRAY_SIZE(caps); i++) {
        /* To ask for one that it does not have would end the process. */
        if (permitted & UINT64_C(1) << caps[i]) {
            capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED,
                         caps[i]);
        }
    }
#endif
}

char *
fabric_missing_capabilities(void)
{
    static const struct {
        const char *name;
        unsigned int cap;
        bool is_admin;          /* Does CAP_SYS_ADMIN do, too? */
    } needed[] = {
        { "CAP_NET_ADMIN", CAP_NET_ADMIN, false },
        { "CAP_BPF", CAP_BPF, true },
        { "CAP_PERFMON", CAP_PERFMON, true },
    };
    struct ds missing = DS_EMPTY_INITIALIZER;
    uint64_t effective, permitted;

    get_capabilities(&effective, &permitted);
    for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
        uint64_t enough = (UINT64_C(1) << needed[i].cap
                           | (uint64_t) needed[i].is_admin << CAP_SYS_ADMIN);

        if (!(effective & enough)) {
            ds_put_format(&missing, "%s%s", missing.length ? ", " : "",
                          needed[i].name);
        }
    }
    return missing.length ? ds_steal_cstr(&missing) : NULL;
}
