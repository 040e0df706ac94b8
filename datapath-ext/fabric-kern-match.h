/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_KERN_MATCH_H
#define FABRIC_KERN_MATCH_H 1

/* Datapath flows in the kernel's terms.
 * =====================================
 *
 * Translates the match and the actions of a flow of dpif-netdev.  What the
 * kernel's fast path cannot do is refused with a reason, a phrase that
 * completes "this flow stays in userspace because of ...".
 *
 * The names in them are looked up through fabric-kern-names.h, which notes
 * them.  A name that the kernel does not know refuses the flow, until the name
 * means something.
 *
 * Thread-safety: any thread. */

#include <stddef.h>

#include "fabric-kern-abi.h"

struct fabric_kern_names;
struct match;
struct nlattr;

/* Returns NULL and fills '*key' and '*mask', whose bits are a subset of the
 * mask's, or returns a reason. */
const char *fabric_kern_match(const struct match *, struct fabric_kern_names *,
                              struct fabric_kern_key *key,
                              struct fabric_kern_key *mask);

/* Returns NULL and fills '*flow' except for its 'stats', or returns a reason.
 * 'key' and 'mask' are what fabric_kern_match() gave. */
const char *fabric_kern_actions(const struct nlattr *actions, size_t len,
                                struct fabric_kern_names *,
                                const struct fabric_kern_key *key,
                                const struct fabric_kern_key *mask,
                                struct fabric_kern_flow *flow);

#endif /* fabric-kern-match.h */
