/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_KERN_UNDERLAY_H
#define FABRIC_KERN_UNDERLAY_H 1

/* The interfaces by which tunnelled packets arrive, to which the kernel's
 * program for the underlay is attached.
 * =======================================================================
 *
 * Thread-safety: main thread. */

#include <stdint.h>

/* Between these, fabric_kern_underlay_want() is called for each interface that
 * is to have the program, if it has Ethernet headers.  The end takes it off
 * the others. */
void fabric_kern_underlay_begin(void);
void fabric_kern_underlay_want(uint32_t ifindex);
void fabric_kern_underlay_end(void);

/* Notes that others have touched interface 'ifindex', or any if it is 0; puts
 * back what was removed from the interfaces that were. */
void fabric_kern_underlay_touched(uint32_t ifindex);
void fabric_kern_underlay_run(void);
void fabric_kern_underlay_wait(void);

/* Removes the programs that another process has left on interfaces that this
 * one has no use for. */
void fabric_kern_underlay_remove_leftovers(void);

/* Removes all programs for the underlay. */
void fabric_kern_underlay_exit(void);

#endif /* fabric-kern-underlay.h */
