/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-forwarding.h"

#include "fabric-kern-flows.h"
#include "fabric-kern-sync.h"
#include "fabric-registry.h"
#include "fabric-reply.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"

const char *
fabric_forwarding_reason(const struct fabric_config *config,
                         const struct fabric *fabric)
{
    const char *reason = (config->fast_path ? fabric_kern_inactive_reason()
                          : "other_config:fast-path is false");

    return (reason ? reason
            : fabric && fabric_kern_stands_aside(fabric)
            ? "policies of the host" : NULL);
}

struct json *
fabric_forwarding_to_json(const struct fabric_config *config,
                          const struct fabric *fabric)
{
    const char *reason = fabric_forwarding_reason(config, fabric);
    struct json *object = json_object_create();
    char *host = fabric ? fabric_kern_restrictions(fabric) : NULL;

    json_object_put_string(object, "in", reason ? "userspace" : "kernel");
    if (reason) {
        json_object_put_string(object, "reason", reason);
    } else {
        struct fabric_kern_flows_count count;
        fabric_kern_flows_get_count(&count);
        reply_put_integer(object, "n_flows", count.n_kernel);
        reply_put_integer(object, "n_userspace_flows", count.n_userspace);
        reply_put_integer(object, "lease_s", config->lease);
    }
    if (host) {
        json_object_put(object, "host", json_string_create_nocopy(host));
    }
    return object;
}

void
fabric_forwarding_format(const struct json *fast_path, struct ds *s)
{
    reply_put_line(s, fast_path, (reply_member(fast_path, "reason")
                            ? "forwarding: in {in} ({reason})"
                            : "forwarding: in {in}, {n_flows} flows; "
                              "{n_userspace_flows} flows in userspace; "
                              "lease {lease_s} s"));
    if (reply_member(fast_path, "host")) {
        reply_put_line(s, fast_path, "host policies: {host}");
    }
}
