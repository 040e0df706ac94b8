/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_MAP_H
#define FABRIC_MAP_H 1

/* A picture of the underlay as this host sees it, in SVG.
 * =======================================================
 *
 * From left to right: this host's addresses, the routers that are known, the
 * remote hosts; lines between them tell how well the paths along them do.  The
 * picture is one file without scripts or references to others. */

struct ds;
struct view;

/* Appends the picture of 'view' at 'title', which names the host and the
 * time. */
void map_draw(const struct view *, const char *host, const char *time,
              struct ds *);

#endif /* fabric-map.h */
