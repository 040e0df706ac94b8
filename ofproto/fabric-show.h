/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_SHOW_H
#define FABRIC_SHOW_H 1

/* The ovs-appctl commands of the fabric.
 * ======================================
 *
 *     fabric/show [FABRIC]
 *     fabric/endpoints [FABRIC]
 *     fabric/paths [ENDPOINT]
 *     fabric/path-drain ENDPOINT [LOCAL [REMOTE [PORT]]]
 *     fabric/path-undrain ENDPOINT [LOCAL [REMOTE [PORT]]]
 *     fabric/stats
 *     fabric/handed-on
 *
 * They are described in weft-fabric(7).  All can answer in JSON.
 *
 * Thread-safety: main thread only. */

void fabric_show_init(void);

/* Registers the last two of them. */
void fabric_show_stats_init(void);

#endif /* fabric-show.h */
