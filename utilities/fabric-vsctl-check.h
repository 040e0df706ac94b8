/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_VSCTL_CHECK_H
#define FABRIC_VSCTL_CHECK_H 1

/* Checks of rows before the transaction that adds them.
 * =====================================================
 *
 * Parses a row as ovs-vswitchd will (lib/fabric-parse.h) and compares it with
 * the other rows in 'idl'.  Returns NULL or what is wrong, one line for the
 * caller to free.  What is only odd is printed to standard error.
 *
 * Thread-safety: as the IDL, one thread. */

struct ovsdb_idl;
struct ovsrec_fabric;
struct ovsrec_fabric_endpoint;

char *fabric_vsctl_check_fabric(struct ovsdb_idl *idl,
                                const struct ovsrec_fabric *);

/* 'fabric' is the one that the endpoint belongs to. */
char *fabric_vsctl_check_endpoint(struct ovsdb_idl *idl,
                                  const struct ovsrec_fabric *fabric,
                                  const struct ovsrec_fabric_endpoint *);

#endif /* fabric-vsctl-check.h */
