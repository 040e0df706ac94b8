/* SPDX-License-Identifier: Apache-2.0 */

/* The fabric action as lib/ofp-actions.c wants it.
 * ================================================
 *
 * Part of lib/ofp-actions.c, which includes this once, after its generated
 * prototypes: every action there needs five static functions with given names.
 * They only pass on to ofp-fabric.c. */

#include "fabric-hooks.h"

static enum ofperr
decode_WEFTAST_RAW_FABRIC(const struct fabric_action_header *h,
                          enum ofp_version ofp_version OVS_UNUSED,
                          const struct vl_mff_map *vl_mff_map,
                          uint64_t *tlv_bitmap, struct ofpbuf *out)
{
    return fabric_action_decode(h, vl_mff_map, tlv_bitmap, out);
}

static void
encode_FABRIC(const struct ofpact_fabric *a,
              enum ofp_version ofp_version OVS_UNUSED, struct ofpbuf *out)
{
    size_t start_ofs = out->size;

    fabric_action_encode(a, put_WEFTAST_FABRIC(out), out);
    pad_ofpat(out, start_ofs);
}

static char * OVS_WARN_UNUSED_RESULT
parse_FABRIC(char *arg, const struct ofpact_parse_params *pp)
{
    return fabric_action_parse(arg, pp);
}

static void
format_FABRIC(const struct ofpact_fabric *a,
              const struct ofpact_format_params *fp)
{
    fabric_action_format(a, fp);
}

static enum ofperr
check_FABRIC(const struct ofpact_fabric *a,
             const struct ofpact_check_params *cp)
{
    return fabric_action_check(a, cp);
}
