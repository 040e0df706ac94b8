/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_ROW_H
#define FABRIC_ROW_H 1

/* What is known of one row of the database.
 * =========================================
 *
 * Each row of the Fabric and Fabric_Endpoint tables is mirrored by one of the
 * structures below, which remembers the configuration in force, that is, the
 * last good one, and what is wrong with the present one.
 *
 * A pass over the database goes:
 *
 *     fabric_row_begin()   for each table: forget what the last pass wanted
 *     fabric_row_find()    for each row, which fills in 'wanted' and 'next'
 *     fabric_row_plan()    for rows that may be in each other's way
 *     fabric_row_commit()  for each row: log what is new
 *
 * Thread-safety: main thread only. */

#include "fabric-registry.h"
#include "openvswitch/hmap.h"
#include "openvswitch/uuid.h"

struct sset;

/* What an operator should know of a row, each one line or NULL.  All but the
 * warning make the state of the row "error"; the first one is told. */
struct fabric_verdict {
    char *refusal;              /* The row is refused as a whole. */
    char *qos;                  /* The Fabric_QoS that it refers to is. */
    char *port;                 /* Its Interface is missing or misplaced. */
    char *warning;              /* What is odd, but not wrong. */
};

struct fabric_row {
    struct hmap_node node;      /* In a table by 'uuid'. */
    struct uuid uuid;
    const char *kind;           /* "fabric" or "endpoint". */
    char *name;                 /* FABRIC or FABRIC/ENDPOINT. */
    struct fabric_verdict now;  /* Of the last pass. */
    struct fabric_verdict next; /* Of the present pass. */
    bool seen;                  /* In the database, in the present pass? */
    bool dirty;                 /* Should status be written? */
};

/* Endpoint IDs of one fabric.  Flows may name an endpoint that is gone, so an
 * ID is given to another one as late as possible: after all others. */
struct fabric_ids {
    uint32_t last;              /* The latest that was used, 0 for none. */
    bool known;                 /* Does 'last' count what is in use? */
};

struct fabric_fabric_row {
    struct fabric_row row;
    struct fabric_config *applied;      /* NULL if nothing is in force. */
    struct fabric_config *wanted;       /* NULL if it is not valid. */
    struct fabric_ids ids;
};

struct fabric_endpoint_row {
    struct fabric_row row;
    char *fabric;               /* Name, whether there is such a fabric. */
    struct fabric_endpoint_config *applied;
    struct fabric_endpoint_config *wanted;
};

void fabric_row_begin(struct hmap *rows);

/* Returns the row with 'uuid', marked as seen, or NULL. */
struct fabric_row *fabric_row_find(const struct hmap *rows,
                                   const struct uuid *uuid);

/* Adds 'row', all zeros, taking ownership of 'name'. */
void fabric_row_insert(struct hmap *rows, struct fabric_row *row,
                       const struct uuid *uuid, const char *kind,
                       char *name);

/* Frees what 'row' points to and removes it, but does not free it. */
void fabric_row_remove(struct hmap *rows, struct fabric_row *row);

/* Refuses those of the 'n' rows that want what another has, see fabric-plan.h.
 * 'claims' adds to the set what the configuration in force of a row holds or,
 * if 'wanted', what the new one wants. */
void fabric_row_plan(struct fabric_row *rows[], size_t n,
                     void (*claims)(const struct fabric_row *, bool wanted,
                                    struct sset *));

void fabric_row_commit(struct fabric_row *);

/* The error in force for 'row', or NULL. */
const char *fabric_row_error(const struct fabric_row *);

#endif /* fabric-row.h */
