/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_RP_FILTER_H
#define FABRIC_RP_FILTER_H 1

/* Interfaces whose reverse-path filter is strict (RFC 3704 section 2.2).
 * ======================================================================
 *
 * Linux drops an IPv4 packet that arrives there if the way back to its sender
 * leaves by another interface.  The programs receive before that is asked, so
 * they are told of these interfaces: what arrives by one of them, on a path
 * that does not leave by it too, is left to the host.
 *
 * Thread-safety: main thread. */

#include <stdint.h>

/* What is told of between begin and end is what the programs know of
 * afterwards. */
void fabric_rp_filter_begin(void);
void fabric_rp_filter_add(uint32_t ifindex);
void fabric_rp_filter_end(void);

#endif /* fabric-rp-filter.h */
