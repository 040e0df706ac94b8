/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_IDL_H
#define FABRIC_IDL_H 1

/* Rows of the database as the text that lib/fabric-parse.h takes.
 *
 * The text points into the row, which must stay unchanged meanwhile.
 *
 * Thread-safety: as the IDL, one thread. */

#include "fabric-parse.h"
#include "vswitch-idl.h"

static inline struct fabric_text
fabric_idl_text(const struct ovsrec_fabric *rec)
{
    return (struct fabric_text) {
        .name = rec->name,
        .encap = rec->encap,
        .local_ips = rec->local_ips,
        .n_local_ips = rec->n_local_ips,
        .dst_port = rec->dst_port,
        .paths_per_remote = rec->paths_per_remote,
        .policy = rec->policy,
        .probe = &rec->probe,
        .verify_source = rec->verify_source,
        .other_config = &rec->other_config,
    };
}

static inline struct fabric_endpoint_text
fabric_idl_endpoint_text(const struct ovsrec_fabric_endpoint *rec)
{
    return (struct fabric_endpoint_text) {
        .name = rec->name,
        .id = rec->id,
        .remote_ips = rec->remote_ips,
        .n_remote_ips = rec->n_remote_ips,
        .policy = rec->policy,
        .other_config = &rec->other_config,
    };
}

static inline struct fabric_qos_text
fabric_idl_qos_text(const struct ovsrec_fabric_qos *rec)
{
    return (struct fabric_qos_text) {
        .name = rec->name,
        .min_rate = rec->min_rate,
        .max_rate = rec->max_rate,
        .classes = rec->key_classes,
        .class_settings = rec->value_classes,
        .n_classes = rec->n_classes,
        .other_config = &rec->other_config,
    };
}

#endif /* fabric-idl.h */
