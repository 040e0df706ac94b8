/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_STAMP_TLV_H
#define FABRIC_STAMP_TLV_H 1

/* TLVs of STAMP.
 * ==============
 *
 * What follows the base packet (RFC 8972 section 4), for fabric-stamp.c only.
 *
 * Thread-safety: pure functions, any thread. */

#include "fabric-stamp.h"

#define FABRIC_STAMP_TLV_HEADER_LEN 4

/* Returns how many octets the TLVs of 'stamp' take. */
size_t fabric_stamp_tlvs_len(const struct fabric_stamp *stamp,
                             bool authenticated);

/* Writes the TLVs of 'stamp' to 'p', with the HMAC TLV if 'key' is not null,
 * which covers the sequence number in 'seq' too.  Returns false if that cannot
 * be computed. */
bool fabric_stamp_put_tlvs(const struct fabric_stamp *stamp,
                           const struct fabric_stamp_key *key,
                           const uint8_t seq[4], uint8_t *p);

/* Fills in the members of 'stamp' that come from the 'size' octets of TLVs at
 * 'p'.  'key' is the packet's, null in unauthenticated mode. */
void fabric_stamp_parse_tlvs(const uint8_t *p, size_t size,
                             const struct fabric_stamp_key *key,
                             const uint8_t seq[4],
                             struct fabric_stamp *stamp);

#endif /* fabric-stamp-tlv.h */
