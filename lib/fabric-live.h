/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_LIVE_H
#define FABRIC_LIVE_H 1

/* Is a fabric of any use?
 * =======================
 *
 * It is while any path to any of its endpoints is usable, and while it has no
 * endpoints.  To OpenFlow that is the port's OFPPS_LIVE, which groups of type
 * "ff" watch (fabric_port_is_live() in fabric-hooks.h).
 *
 * Thread-safety: fabric_live_run() and fabric_live_wait() are for the main
 * thread, the rest for any. */

#include <stdbool.h>

struct fabric;

bool fabric_is_live(const struct fabric *);

/* Has the switch look at its ports again if the answer for any fabric has
 * changed. */
void fabric_live_run(void);
void fabric_live_wait(void);

#endif /* fabric-live.h */
