/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_FORWARDING_H
#define FABRIC_FORWARDING_H 1

/* Where the packets of a fabric are forwarded, and why, as fabric/show tells.
 *
 * Thread-safety: main thread only. */

struct ds;
struct fabric;
struct fabric_config;
struct json;

/* 'fabric' is NULL if there is none yet with this configuration.
 *
 * The first returns why the kernel does not forward, NULL if it does. */
const char *fabric_forwarding_reason(const struct fabric_config *,
                                     const struct fabric *fabric);
struct json *fabric_forwarding_to_json(const struct fabric_config *,
                                       const struct fabric *fabric);

/* Appends lines of what fabric_forwarding_to_json() returned. */
void fabric_forwarding_format(const struct json *, struct ds *);

#endif /* fabric-forwarding.h */
