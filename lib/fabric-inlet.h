/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_INLET_H
#define FABRIC_INLET_H 1

/* Interfaces by which endpoints' packets were seen to arrive.
 * ===========================================================
 *
 * Which these are is for the network to say, not for the host's routes.
 *
 * Thread-safety: any thread, but for fabric_inlet_remove(): one at a time. */

#include <stdint.h>

/* So many are remembered. */
#define FABRIC_INLET_MAX 32

/* Notes that a packet of an endpoint came in by interface 'ifindex'. */
void fabric_inlet_seen(uint32_t ifindex);

/* Returns the 'i'-th interface, or 0 if there is none there. */
uint32_t fabric_inlet_get(int i);

/* Forgets interface 'ifindex'. */
void fabric_inlet_remove(uint32_t ifindex);

/* Changes when there is another one. */
struct seq *fabric_inlet_seq(void);

#endif /* fabric-inlet.h */
