/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_STATUS_H
#define FABRIC_STATUS_H 1

/* The fabric's status, from the registry to the database.
 * ========================================================
 *
 * Writes the columns Fabric.status, Fabric_Endpoint.status, statistics, and
 * (if it was not set) id, and all of Fabric_Path.
 *
 * What a change of configuration leads to is sent to the database before the
 * transaction that tells ovs-vsctl that the change is done.
 *
 * Thread-safety: main thread only. */

#include <stdbool.h>

struct ovsdb_idl;
struct smap;
struct fabric_row;
struct fabric_path_info;

void fabric_status_init(struct ovsdb_idl *);

/* 'changed' tells that the database has changed since the last call. */
void fabric_status_run(struct ovsdb_idl *, bool changed);
void fabric_status_wait(void);
void fabric_status_exit(void);

#endif /* fabric-status.h */
