/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_VIEW_H
#define FABRIC_VIEW_H 1

/* All paths as they were when last looked at, for those who tell others.
 * =====================================================================
 *
 * The registry says that something has changed, but not what.  The view is a
 * copy of it, brought up to date by fabric_view_run(), in which every path has
 * an index.  Users remember for each index what they told of the path, in a
 * few bytes, and compare.  So it does not matter how often a path changes
 * before they get to tell it.
 *
 * A path that is gone stays in the view, with its index, until every user who
 * told of it has told that it is gone; see fabric_view_told().
 *
 * There is a view only while it has users, see fabric_view_ref().
 *
 * Thread-safety: main thread only. */

#include "fabric-registry.h"

struct fabric_view_endpoint {
    char *fabric;               /* Name. */
    char *name;
    uint32_t id;
};

struct fabric_view_path {
    const struct fabric_view_endpoint *endpoint;
    struct fabric_path_info info;
    bool gone;
    uint64_t seqno;             /* Of the view when it was last looked at. */
    unsigned int n_told;        /* Users who told of it. */
};

/* Adds and removes a user.  'sampler': needs statistics, once in a while, even
 * if no path changes. */
void fabric_view_ref(bool sampler);
void fabric_view_unref(bool sampler);

/* Brings the view up to date, unless that was done just now. */
void fabric_view_run(void);
void fabric_view_wait(void);

/* Has the next fabric_view_run() read all there is. */
void fabric_view_invalidate(void);

/* Changes whenever the view does. */
uint64_t fabric_view_seqno(void);

/* The path with the given index, less than fabric_view_n(), or NULL. */
size_t fabric_view_n(void);
struct fabric_view_path *fabric_view_path(size_t index);

/* How many paths are gone and wait for users to tell of it. */
size_t fabric_view_n_gone(void);

/* A user has told of the path with this index, or, unless 'told', that it is
 * gone, or has forgotten that it told of it. */
void fabric_view_told(size_t index, bool told);

#endif /* fabric-view.h */
