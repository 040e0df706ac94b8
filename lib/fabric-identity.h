/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_IDENTITY_H
#define FABRIC_IDENTITY_H 1

/* Identities: numbers that stand for one meaning and are not used again.
 * =====================================================================
 *
 * An index or an interface's number is handed out again when its owner is
 * gone, and whoever still has a copy then refers to something else without
 * noticing.  A copy that is kept together with the identity of what it was
 * made for can be checked: it is good as long as the identity found at the
 * index is the same.
 *
 * Thread-safety: any thread. */

#include <stdint.h>

/* Returns a number that no call in this process has returned before, never 0.
 * (After 2^32 calls they begin again: with a hundred changes of ports and
 * addresses a second that is more than a year, and no copy is that old.) */
uint32_t fabric_identity_new(void);

#endif /* fabric-identity.h */
