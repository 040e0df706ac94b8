/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_LOOP_H
#define FABRIC_LOOP_H 1

/* The pair of interfaces that cuts long super-frames in the kernel.
 * =================================================================
 *
 * Workloads whose interfaces allow it (BIG TCP) hand down super-frames of more
 * than 64 kB, for which no outer header has a length.  The program sends them
 * into one end of a veth pair, "weftl0".  They come out of the other one,
 * "weftl1", as super-frames of less than 64 kB, and meet the program again.
 *
 * The pair outlives a process that is killed, as the programs do, and is taken
 * over by the next.
 *
 * Thread-safety: main thread. */

#include <stdint.h>

#define FABRIC_LOOP_OUT "weftl0"
#define FABRIC_LOOP_IN "weftl1"

/* Makes the pair, or takes over the one that is there.  Returns 0 or a
 * positive errno, if long super-frames have to go through userspace. */
int fabric_loop_open(void);

/* Attaches the program to it unless that has been done. */
void fabric_loop_take_over(void);

/* Removes the pair.  To be called when nothing refers to it any more. */
void fabric_loop_destroy(void);

/* Where packets go to be cut, and where they come back: interface indexes, 0
 * if there is no pair. */
uint32_t fabric_loop_out(void);
uint32_t fabric_loop_in(void);

#endif /* fabric-loop.h */
