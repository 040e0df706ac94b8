/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_TURN_H
#define FABRIC_TURN_H 1

/* More than one look at the datapath's ports in a turn of the main loop.
 * ======================================================================
 *
 * dpif-netdev forwards in the main thread what no PMD thread polls: one batch
 * of each port in a turn.  A turn asks everyone in the process for work, and
 * sleeps for all of them; with a few TCP super-frames in a batch that took an
 * eighth of the machine.  So while packets arrive the datapath runs again, and
 * sleeps for packets only, before the rest of the process has its turn.
 * Without packets nothing changes.
 *
 * fabric_dpif_run() (fabric-hooks.h) does that. */

/* Notes that the calling thread received packets from a port. */
void fabric_turn_received(void);

#endif /* fabric-turn.h */
