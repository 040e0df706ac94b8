/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_AUTH_H
#define FABRIC_AUTH_H 1

/* Who may read metrics.
 * =====================
 *
 * A file has a credential a line, any of which will do:
 *
 *     bearer TOKEN
 *     basic USER:PASSWORD
 *
 * Empty lines and those that begin with # are ignored.  One thread. */

#include <stdbool.h>
#include <stddef.h>

struct auth;

/* Reads credentials from 'file', which only its owner and group may be able to
 * read.  Returns NULL and stores them, or an error for the caller to free. */
char *auth_read(const char *file, struct auth **);
void auth_destroy(struct auth *);

/* Whether 'authorization', the header of a request or NULL, has one of the
 * credentials.  How long it takes does not tell how much of one is right. */
bool auth_check(const struct auth *, const char *authorization);

/* Whether there are credentials of this scheme, "Basic" or "Bearer". */
bool auth_has_scheme(const struct auth *, const char *scheme);

#endif /* fabric-auth.h */
