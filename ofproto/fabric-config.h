/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_CONFIG_H
#define FABRIC_CONFIG_H 1

/* The fabric's configuration, from the database to the registry.
 * ==============================================================
 *
 * fabric-config.c and fabric-endpoints.c read the tables Fabric,
 * Fabric_Endpoint, and Fabric_QoS and bring the registry
 * (lib/fabric-registry.h) in line with them.  The hooks that ovs-vswitchd
 * calls for that are in lib/fabric-hooks.h.  This is what the other files of
 * ofproto/ need beyond those.
 *
 * Thread-safety: main thread only. */

#include "fabric-row.h"

struct ds;
struct ovsdb_idl;
struct ovsrec_fabric_qos;

/* All rows, by UUID.  Contain "struct fabric_fabric_row"s and "struct
 * fabric_endpoint_row"s. */
const struct hmap *fabric_config_fabrics(void);
const struct hmap *fabric_config_endpoints(void);

/* The fabric that has a configuration in force under 'name', or NULL. */
struct fabric_fabric_row *fabric_config_lookup(const char *name);

/* Checks what a row refers to.  Returns NULL or one line for the caller to
 * free. */
char *fabric_config_check_qos(const struct ovsrec_fabric_qos *,
                              struct ds *warnings);

/* fabric-endpoints.c, for fabric-config.c. */
void fabric_endpoints_read(struct ovsdb_idl *, struct hmap *endpoints);
void fabric_endpoints_apply(struct hmap *endpoints);
void fabric_endpoints_forget(struct hmap *endpoints, const char *fabric);
void fabric_endpoints_clear(struct hmap *endpoints);

#endif /* fabric-config.h */
