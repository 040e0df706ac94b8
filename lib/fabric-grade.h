/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_GRADE_H
#define FABRIC_GRADE_H 1

/* Grades the paths of an endpoint.
 * ================================
 *
 * Applies what fabric-health.h finds of each path and fabric-choice.h decides
 * about all of them: state "degraded" and weights in the path table.
 *
 * Thread-safety: the caller holds fabric_table_mutex. */

#include "fabric-table.h"

struct fabric_endpoint;
struct fabric_path;

/* Something was learned of the path's health. */
void fabric_grade_path(struct fabric_path *)
    OVS_REQUIRES(fabric_table_mutex);

/* Compares the endpoint's paths with each other.  To be called as often as
 * they are probed. */
void fabric_grade_endpoint(struct fabric_endpoint *)
    OVS_REQUIRES(fabric_table_mutex);

#endif /* fabric-grade.h */
