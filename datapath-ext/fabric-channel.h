/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_CHANNEL_H
#define FABRIC_CHANNEL_H 1

/* The channel: how packets that the kernel's fast path does not know reach
 * userspace.
 * ========================================================================
 *
 * One tap interface for all workload ports: its queue is the only one to be
 * polled and read, however many ports there are.  The programs put a struct
 * fabric_kern_meta in front of each packet.  Super-frames arrive whole if
 * ports take them (userspace-tso-enable).
 *
 * Thread-safety: main thread only. */

#include <stdbool.h>
#include <stdint.h>

struct dp_packet;

/* Returns 0 or a positive errno; does nothing if it is open. */
int fabric_channel_open(void);
void fabric_channel_close(void);

/* Puts back what others have done to the tap, or opens another one if it is
 * gone, and says so in the log.  Returns 0, or a positive errno if there is no
 * channel now; does nothing if it is closed. */
int fabric_channel_mend(void);

/* Returns true if reading from the tap has failed since it was opened: it is
 * to be mended. */
bool fabric_channel_is_broken(void);

/* The tap's interface index, 0 if the channel is closed. */
uint32_t fabric_channel_ifindex(void);

/* Returns the next packet and stores in '*ifindex' where it came in and in
 * '*position' how much of that port's share (fabric-share.h) was used.  NULL
 * if there is none. */
struct dp_packet *fabric_channel_recv(uint32_t *ifindex, uint32_t *position);
void fabric_channel_wait(void);

#endif /* fabric-channel.h */
