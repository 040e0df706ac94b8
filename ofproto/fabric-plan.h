/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_PLAN_H
#define FABRIC_PLAN_H 1

/* Which of several changed rows may take effect.
 * ==============================================
 *
 * Rows of the database claim things that only one row can have, such as an
 * address or a number.  A row holds what its configuration in force claims
 * ('held') and wants what its new configuration claims ('wanted').  A row
 * that is refused goes on holding what it holds, which may be what another
 * wants.
 *
 * Claims are strings that a person can read, since a refusal quotes them.
 *
 * Example
 * =======
 *
 *     row "a" holds { "id 1" } and wants { "id 2" }
 *     row "b" holds { "id 2" } and wants { "id 1" }    both may change
 *     row "c" holds { }        and wants { "id 2" }    refused: "a" has it
 *
 * Thread-safety: no state. */

#include <stdbool.h>
#include <stddef.h>

#include "sset.h"

struct fabric_plan_row {
    struct sset held;           /* Empty if nothing is in force. */
    struct sset wanted;
    bool refused;               /* In: the new configuration is invalid.
                                 * Out: it is, or something it wants is
                                 * another's. */

    /* Out: if refused here, what is contested and who has it, as an index into
     * the array given to fabric_plan().  'contested' points into 'wanted'. */
    const char *contested;
    size_t holder;
};

void fabric_plan_row_init(struct fabric_plan_row *);
void fabric_plan_row_destroy(struct fabric_plan_row *);

/* Decides about 'rows', in descending order of precedence; those that do not
 * change what they hold come before all others. */
void fabric_plan(struct fabric_plan_row rows[], size_t n);

#endif /* fabric-plan.h */
