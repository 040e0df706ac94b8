/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OFP_FABRIC_H
#define OFP_FABRIC_H 1

/* The OpenFlow action of the fabric: arguments and wire format.
 * =============================================================
 *
 * One experimenter action carries everything that OpenFlow can tell the
 * fabric; a sub-type of ours says what.  The only sub-type so far is
 *
 *     fabric_output(port=fab0,endpoint=7,vni=100[,class=2][,policy=hash])
 *
 * which sends the packet to an endpoint of a fabric.  Every argument is a
 * literal or a field or subfield, as in "vni=NXM_NX_REG0[0..23]".
 *
 * Wire format
 * ===========
 *
 * The action begins with "struct fabric_action_header".  Arguments follow, in
 * any order, each at most once, each in one of these forms and padded with
 * zeros to a multiple of 8 bytes:
 *
 *     literal                           field
 *     +---------------+---------------+ +---------------+---------------+
 *     |   argument    |    len = 8    | |0x8000|argument| len = 12 or 16|
 *     +---------------+---------------+ +---------------+---------------+
 *     |             value             | |   ofs_nbits   |   zero (0)    |
 *     +-------------------------------+ +---------------+---------------+
 *                                       |  NXM or OXM header, 4 or 8 B  |
 *                                       +-------------------------------+
 *
 * 'len' does not count the padding.  'ofs_nbits' is (offset << 6) | (width -
 * 1), as in other Open vSwitch actions.  Policies are numbered as in "enum
 * fabric_policy".
 *
 * Decoding is strict.  The errors are:
 *
 *     OFPBAC_BAD_LEN              an argument does not fit its length
 *     OFPBAC_BAD_ARGUMENT         unknown, repeated or missing argument, or a
 *                                 literal out of range
 *     OFPBAC_BAD_OUT_PORT         literal port that cannot be a fabric's
 *     OFPBAC_BAD_VENDOR_TYPE      unknown sub-type
 *     OFPBAC_BAD_SET_LEN          bits beyond the end of the field
 *     OFPBAC_MATCH_INCONSISTENT   the flow's match lacks what the field needs
 *     NXBRC_MUST_BE_ZERO          reserved bytes or padding not zero
 *
 * Thread-safety: pure functions, any thread.  See fabric-hooks.h for those
 * that Open vSwitch calls. */

#include <stdint.h>

#include "fabric-types.h"
#include "openvswitch/meta-flow.h"
#include "openvswitch/types.h"

struct ofpact_fabric;

/* What the action does: 'subtype' in "struct fabric_action_header". */
enum fabric_action_subtype {
    FABRIC_ACTION_OUTPUT = 1,   /* fabric_output(). */
};

/* Highest OpenFlow port number that is not reserved, OFPP_MAX - 1. */
#define FABRIC_MAX_PORT 0xfeff

/* Arguments of FABRIC_ACTION_OUTPUT:
 *
 *     (enumerator, number on the wire, name, mandatory, least, greatest)
 *
 * where the last two bound literals, and fields when they are read.  Optional
 * arguments default to 0. */
#define FABRIC_ARGS                                                         \
    FABRIC_ARG(PORT, 1, "port", true, 1, FABRIC_MAX_PORT)                    \
    FABRIC_ARG(ENDPOINT, 2, "endpoint", true, 1, FABRIC_MAX_ENDPOINT_ID)    \
    FABRIC_ARG(VNI, 3, "vni", true, 0, FABRIC_MAX_VNI)                      \
    FABRIC_ARG(CLASS, 4, "class", false, 0, FABRIC_MAX_CLASS)               \
    FABRIC_ARG(POLICY, 5, "policy", false, 0, FABRIC_N_POLICIES - 1)

enum fabric_arg {
#define FABRIC_ARG(ENUM, NUMBER, NAME, MANDATORY, MIN, MAX) FABRIC_ARG_##ENUM,
    FABRIC_ARGS
#undef FABRIC_ARG
    FABRIC_N_ARGS
};

/* Bit of the argument number that says "field" instead of "literal". */
#define FABRIC_ARG_IS_FIELD 0x8000

/* Wire format of the action, up to its arguments. */
struct fabric_action_header {
    ovs_be16 type;              /* OFPAT_VENDOR. */
    ovs_be16 len;               /* Total, a multiple of 8. */
    ovs_be32 vendor;            /* WEFT_VENDOR_ID. */
    ovs_be16 extension;         /* 1: this action. */
    ovs_be16 subtype;           /* FABRIC_ACTION_*. */
    uint8_t zero[4];            /* Must be zero. */
};

/* An argument: the value of 'src', or 'value' if 'src.field' is null. */
struct fabric_action_arg {
    struct mf_subfield src;
    uint32_t value;
};

/* The payload of OFPACT_FABRIC. */
struct fabric_action {
    uint16_t subtype;           /* FABRIC_ACTION_*. */
    struct fabric_action_arg args[FABRIC_N_ARGS];
};

const struct fabric_action *fabric_action_get(const struct ofpact_fabric *);

/* Reads argument 'arg' of 'action' from 'flow' into '*value', unwildcarding in
 * 'wc' what it read.  Returns true if the value is in range. */
bool fabric_action_read(const struct fabric_action *action,
                        enum fabric_arg arg, const struct flow *flow,
                        struct flow_wildcards *wc, uint64_t *value);

const char *fabric_arg_name(enum fabric_arg);

#endif /* ofp-fabric.h */
