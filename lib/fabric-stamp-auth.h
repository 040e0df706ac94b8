/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_STAMP_AUTH_H
#define FABRIC_STAMP_AUTH_H 1

/* Message authentication codes of STAMP.
 * ======================================
 *
 * HMAC-SHA-256 truncated to 128 bits (RFC 8762 section 4.4), for the modules
 * of fabric-stamp.h only.
 *
 * Thread-safety: any thread; each has a context of OpenSSL of its own. */

#include "fabric-stamp.h"

#define FABRIC_STAMP_MAC_LEN 16

/* A message, in one piece or two. */
struct fabric_stamp_message {
    const void *data[2];
    size_t len[2];
};

/* Computes the code of a message.  Returns false if it cannot. */
bool fabric_stamp_mac_compute(const struct fabric_stamp_key *,
                              const struct fabric_stamp_message *,
                              uint8_t mac[FABRIC_STAMP_MAC_LEN]);

/* Is 'mac' the code of the message?  Takes as long wherever they differ. */
bool fabric_stamp_mac_verify(const struct fabric_stamp_key *,
                             const struct fabric_stamp_message *,
                             const uint8_t mac[FABRIC_STAMP_MAC_LEN]);

#endif /* fabric-stamp-auth.h */
