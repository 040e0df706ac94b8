/* SPDX-License-Identifier: Apache-2.0 */

/* The fabric as ofproto/connmgr.c wants it.
 * =========================================
 *
 * Part of ofproto/connmgr.c, which includes this once: struct ofconn is static
 * there. */

#include "fabric-hooks.h"

struct fabric_ofmsg **
fabric_ofmsg_of(struct ofconn *ofconn)
{
    return &ofconn->fabric;
}
