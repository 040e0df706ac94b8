/* SPDX-License-Identifier: Apache-2.0 */

/* Weft's own version, beside that of the Open vSwitch it is woven into.
 *
 * fabric-version.h is generated from the outer configure.ac. */

#include <config.h>

#include "fabric-hooks.h"

#include <stdio.h>

#include "fabric-version.h"

void
fabric_print_version(void)
{
    puts("Weft " FABRIC_VERSION);
}
