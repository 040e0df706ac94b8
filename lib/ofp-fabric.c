/* SPDX-License-Identifier: Apache-2.0 */

/* The OpenFlow action of the fabric.
 *
 * All arguments are alike, so that one table (FABRIC_ARGS) drives text and
 * wire form; only ports and policies have names of their own.  A literal that
 * equals the default of an optional argument is the same as none, which makes
 * both forms canonical: what is parsed prints and encodes the same way. */

#include <config.h>
#include "ofp-fabric.h"

#include <ctype.h>
#include <errno.h>

#include "colors.h"
#include "fabric-hooks.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/flow.h"
#include "openvswitch/match.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-errors.h"
#include "openvswitch/ofp-parse.h"
#include "openvswitch/ofp-port.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vlog.h"
#include "nx-match.h"
#include "util.h"
#include "vl-mff-map.h"

VLOG_DEFINE_THIS_MODULE(ofp_fabric);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

BUILD_ASSERT_DECL(sizeof(struct fabric_action_header) == 16);

/* An argument on the wire, up to the NXM or OXM header of a field. */
struct wire_arg {
    ovs_be16 arg;               /* Number, FABRIC_ARG_IS_FIELD. */
    ovs_be16 len;               /* Without padding. */
    union {
        ovs_be32 value;         /* Literal. */
        struct {
            ovs_be16 ofs_nbits;
            ovs_be16 zero;
        } field;
    };
};
BUILD_ASSERT_DECL(sizeof(struct wire_arg) == 8);

struct arg_info {
    uint16_t number;
    const char *name;
    bool mandatory;
    uint32_t min, max;
};

static const struct arg_info arg_infos[FABRIC_N_ARGS] = {
#define FABRIC_ARG(ENUM, NUMBER, NAME, MANDATORY, MIN, MAX) \
    [FABRIC_ARG_##ENUM] = { NUMBER, NAME, MANDATORY, MIN, MAX },
    FABRIC_ARGS
#undef FABRIC_ARG
};

const char *
fabric_arg_name(enum fabric_arg arg)
{
    return arg_infos[arg].name;
}

const struct fabric_action *
fabric_action_get(const struct ofpact_fabric *a)
{
    return ALIGNED_CAST(const struct fabric_action *, a->data);
}

static bool
in_range(enum fabric_arg arg, uint64_t value)
{
    return value >= arg_infos[arg].min && value <= arg_infos[arg].max;
}

bool
fabric_action_read(const struct fabric_action *action, enum fabric_arg arg,
                   const struct flow *flow, struct flow_wildcards *wc,
                   uint64_t *value)
{
    const struct fabric_action_arg *a = &action->args[arg];

    if (a->src.field) {
        *value = mf_get_subfield(&a->src, flow);
        mf_write_subfield_flow(&a->src, &exact_sub_match_mask, &wc->masks);
    } else {
        *value = a->value;
    }
    return in_range(arg, *value);
}

/* Should 'a' appear in text and on the wire? */
static bool
is_given(const struct fabric_action *action, enum fabric_arg arg)
{
    const struct fabric_action_arg *a = &action->args[arg];

    return arg_infos[arg].mandatory || a->src.field || a->value;
}

static void
put_action(const struct fabric_action *action, struct ofpbuf *ofpacts)
{
    struct ofpact_fabric *of = ofpact_put_FABRIC(ofpacts);

    ofpbuf_put(ofpacts, action, sizeof *action);
    of = ofpacts->header;
    ofpact_finish_FABRIC(ofpacts, &of);
}

/* Wire form. */

static enum ofperr
decode_literal(enum fabric_arg arg, const struct wire_arg *wire,
               struct fabric_action_arg *a)
{
    if (ntohs(wire->len) != sizeof *wire) {
        return OFPERR_OFPBAC_BAD_LEN;
    }

    a->value = ntohl(wire->value);
    if (!in_range(arg, a->value)) {
        VLOG_WARN_RL(&rl, "fabric action's %s %"PRIu32" is out of range",
                     arg_infos[arg].name, a->value);
        return (arg == FABRIC_ARG_PORT
                ? OFPERR_OFPBAC_BAD_OUT_PORT
                : OFPERR_OFPBAC_BAD_ARGUMENT);
    }
    return 0;
}

static enum ofperr
decode_field(const struct wire_arg *wire, const struct vl_mff_map *map,
             uint64_t *tlv_bitmap, struct fabric_action_arg *a)
{
    struct ofpbuf b = ofpbuf_const_initializer(wire, ntohs(wire->len));
    enum ofperr error;

    if (wire->field.zero) {
        return OFPERR_NXBRC_MUST_BE_ZERO;
    }
    a->src.ofs = nxm_decode_ofs(wire->field.ofs_nbits);
    a->src.n_bits = nxm_decode_n_bits(wire->field.ofs_nbits);

    ofpbuf_pull(&b, sizeof *wire);
    error = mf_vl_mff_nx_pull_header(&b, map, &a->src.field, NULL,
                                     tlv_bitmap);
    if (error) {
        return error;
    }
    return b.size ? OFPERR_OFPBAC_BAD_LEN : mf_check_src(&a->src, NULL);
}

/* Pulls one argument from 'b' into 'action'.  '*seen' has a bit for each
 * argument that there was before. */
static enum ofperr
decode_arg(struct ofpbuf *b, const struct vl_mff_map *map,
           uint64_t *tlv_bitmap, struct fabric_action *action,
           unsigned int *seen)
{
    const struct wire_arg *wire = b->data;
    size_t len = b->size >= sizeof *wire ? ntohs(wire->len) : 0;
    enum ofperr error;
    enum fabric_arg arg;
    uint16_t number;

    if (len < sizeof *wire || ROUND_UP(len, 8) > b->size) {
        VLOG_WARN_RL(&rl, "fabric action's argument has bad length");
        return OFPERR_OFPBAC_BAD_LEN;
    }
    ofpbuf_pull(b, len);
    if (!is_all_zeros(b->data, PAD_SIZE(len, 8))) {
        return OFPERR_NXBRC_MUST_BE_ZERO;
    }
    ofpbuf_pull(b, PAD_SIZE(len, 8));

    number = ntohs(wire->arg) & ~FABRIC_ARG_IS_FIELD;
    for (arg = 0; arg_infos[arg].number != number; ) {
        if (++arg >= FABRIC_N_ARGS) {
            VLOG_WARN_RL(&rl, "fabric action has unknown argument %"PRIu16,
                         number);
            return OFPERR_OFPBAC_BAD_ARGUMENT;
        }
    }
    if (*seen & (1u << arg)) {
        VLOG_WARN_RL(&rl, "fabric action has %s twice", arg_infos[arg].name);
        return OFPERR_OFPBAC_BAD_ARGUMENT;
    }
    *seen |= 1u << arg;

    error = (wire->arg & htons(FABRIC_ARG_IS_FIELD)
             ? decode_field(wire, map, tlv_bitmap, &action->args[arg])
             : decode_literal(arg, wire, &action->args[arg]));
    return error;
}

enum ofperr
fabric_action_decode(const struct fabric_action_header *h,
                     const struct vl_mff_map *map, uint64_t *tlv_bitmap,
                     struct ofpbuf *ofpacts)
{
    struct ofpbuf b = ofpbuf_const_initializer(h, ntohs(h->len));
    struct fabric_action action;
    unsigned int seen = 0;

    if (h->subtype != htons(FABRIC_ACTION_OUTPUT)) {
        VLOG_WARN_RL(&rl, "unknown fabric action %"PRIu16, ntohs(h->subtype));
        return OFPERR_OFPBAC_BAD_VENDOR_TYPE;
    }
    if (!is_all_zeros(h->zero, sizeof h->zero)) {
        return OFPERR_NXBRC_MUST_BE_ZERO;
    }

    memset(&action, 0, sizeof action);
    action.subtype = ntohs(h->subtype);
    ofpbuf_pull(&b, sizeof *h);
    while (b.size) {
        enum ofperr error = decode_arg(&b, map, tlv_bitmap, &action, &seen);
        if (error) {
            return error;
        }
    }
    for (enum fabric_arg arg = 0; arg < FABRIC_N_ARGS; arg++) {
        if (arg_infos[arg].mandatory && !(seen & (1u << arg))) {
            VLOG_WARN_RL(&rl, "fabric action lacks %s", arg_infos[arg].name);
            return OFPERR_OFPBAC_BAD_ARGUMENT;
        }
    }

    put_action(&action, ofpacts);
    return 0;
}

void
fabric_action_encode(const struct ofpact_fabric *of,
                     struct fabric_action_header *h, struct ofpbuf *openflow)
{
    const struct fabric_action *action = fabric_action_get(of);

    h->subtype = htons(action->subtype);
    for (enum fabric_arg arg = 0; arg < FABRIC_N_ARGS; arg++) {
        const struct fabric_action_arg *a = &action->args[arg];
        struct wire_arg wire = {
            .arg = htons(arg_infos[arg].number),
            .len = htons(sizeof wire),
            .value = htonl(a->value),
        };
        size_t start = openflow->size;

        if (!is_given(action, arg)) {
            continue;
        }
        if (a->src.field) {
            wire.arg |= htons(FABRIC_ARG_IS_FIELD);
            wire.field.ofs_nbits = nxm_encode_ofs_nbits(a->src.ofs,
                                                        a->src.n_bits);
        }
        ofpbuf_put(openflow, &wire, sizeof wire);
        if (a->src.field) {
            struct wire_arg *w;

            nx_put_mff_header(openflow, a->src.field, 0, false);
            w = ofpbuf_at_assert(openflow, start, sizeof *w);
            w->len = htons(openflow->size - start);
            ofpbuf_put_zeros(openflow, PAD_SIZE(openflow->size - start, 8));
        }
    }
}

/* Text form. */

static char * OVS_WARN_UNUSED_RESULT
unknown_policy(const char *value)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_format(&s, "fabric_output: unknown policy %s (known are", value);
    for (int p = 0; p < FABRIC_N_POLICIES; p++) {
        ds_put_format(&s, "%s %s", p ? "," : "", fabric_policy_to_string(p));
    }
    ds_put_char(&s, ')');
    return ds_steal_cstr(&s);
}

/* Some fields are only for text. */
static bool
has_wire_form(const struct mf_field *field)
{
    uint64_t stub[4];
    struct ofpbuf b = OFPBUF_STUB_INITIALIZER(stub);

    nx_put_mff_header(&b, field, 0, false);
    return !is_all_zeros(b.data, b.size);
}

static char * OVS_WARN_UNUSED_RESULT
parse_field(enum fabric_arg arg, const char *value, struct mf_subfield *src)
{
    char *error = mf_parse_subfield(src, value);

    if (error) {
        char *s = (arg == FABRIC_ARG_POLICY
                   ? unknown_policy(value)
                   : xasprintf("fabric_output: %s=%s is neither a %s nor a "
                               "field (%s)", arg_infos[arg].name, value,
                               arg == FABRIC_ARG_PORT ? "port" : "number",
                               error));
        free(error);
        return s;
    }
    if (!has_wire_form(src->field)) {
        return xasprintf("fabric_output: %s=%s is a field without a number "
                         "in OpenFlow", arg_infos[arg].name, value);
    }
    if (src->n_bits > 64) {
        return xasprintf("fabric_output: %s=%s is %u bits wide, at most 64 "
                         "can be used", arg_infos[arg].name, value,
                         src->n_bits);
    }
    return NULL;
}

/* Parses 'value', of argument 'arg', into '*a'. */
static char * OVS_WARN_UNUSED_RESULT
parse_arg(enum fabric_arg arg, const char *value,
          const struct ofpact_parse_params *pp, struct fabric_action_arg *a)
{
    const struct arg_info *info = &arg_infos[arg];
    unsigned long long int number;
    enum fabric_policy policy;
    ofp_port_t port;

    if (arg == FABRIC_ARG_PORT
        && ofputil_port_from_string(value, pp->port_map, &port)) {
        number = ofp_to_u16(port);
    } else if (arg == FABRIC_ARG_POLICY
               && fabric_policy_from_string(value, &policy)) {
        number = policy;
    } else if (!isdigit((unsigned char) value[0])) {
        return parse_field(arg, value, &a->src);
    } else if (arg == FABRIC_ARG_POLICY) {
        return unknown_policy(value);
    } else if (!str_to_ullong(value, 0, &number)) {
        return xasprintf("fabric_output: %s=%s is not a valid number",
                         info->name, value);
    }

    if (!in_range(arg, number)) {
        return xasprintf("fabric_output: %s=%s is not in the range %"PRIu32
                         " to %"PRIu32, info->name, value, info->min,
                         info->max);
    }
    a->value = number;
    return NULL;
}

char *
fabric_action_parse(char *s, const struct ofpact_parse_params *pp)
{
    struct fabric_action action;
    unsigned int seen = 0;
    char *key, *value;

    memset(&action, 0, sizeof action);
    action.subtype = FABRIC_ACTION_OUTPUT;
    while (ofputil_parse_key_value(&s, &key, &value)) {
        enum fabric_arg arg;
        char *error;

        for (arg = 0; strcmp(key, arg_infos[arg].name); ) {
            if (++arg >= FABRIC_N_ARGS) {
                return xasprintf("fabric_output: unknown argument %s", key);
            }
        }
        if (seen & (1u << arg)) {
            return xasprintf("fabric_output: %s given twice", key);
        }
        seen |= 1u << arg;

        error = parse_arg(arg, value, pp, &action.args[arg]);
        if (error) {
            return error;
        }
    }
    for (enum fabric_arg arg = 0; arg < FABRIC_N_ARGS; arg++) {
        if (arg_infos[arg].mandatory && !(seen & (1u << arg))) {
            return xasprintf("fabric_output: %s is missing",
                             arg_infos[arg].name);
        }
    }

    put_action(&action, pp->ofpacts);
    return NULL;
}

void
fabric_action_format(const struct ofpact_fabric *of,
                     const struct ofpact_format_params *fp)
{
    const struct fabric_action *action = fabric_action_get(of);

    ds_put_format(fp->s, "%sfabric_output(%s", colors.paren, colors.end);
    for (enum fabric_arg arg = 0; arg < FABRIC_N_ARGS; arg++) {
        const struct fabric_action_arg *a = &action->args[arg];

        if (!is_given(action, arg)) {
            continue;
        }
        ds_put_format(fp->s, "%s%s=%s", colors.param, arg_infos[arg].name,
                      colors.end);
        if (a->src.field) {
            mf_format_subfield(&a->src, fp->s);
        } else if (arg == FABRIC_ARG_PORT) {
            ofputil_format_port(u16_to_ofp(a->value), fp->port_map, fp->s);
        } else if (arg == FABRIC_ARG_POLICY) {
            ds_put_cstr(fp->s, fabric_policy_to_string(a->value));
        } else {
            ds_put_format(fp->s, "%"PRIu32, a->value);
        }
        ds_put_char(fp->s, ',');
    }
    ds_chomp(fp->s, ',');
    ds_put_format(fp->s, "%s)%s", colors.paren, colors.end);
}

enum ofperr
fabric_action_check(const struct ofpact_fabric *of,
                    const struct ofpact_check_params *cp)
{
    const struct fabric_action *action = fabric_action_get(of);

    for (enum fabric_arg arg = 0; arg < FABRIC_N_ARGS; arg++) {
        const struct fabric_action_arg *a = &action->args[arg];
        enum ofperr error = 0;

        if (a->src.field) {
            error = mf_check_src(&a->src, cp->match);
        } else if (arg == FABRIC_ARG_PORT) {
            error = ofpact_check_output_port(u16_to_ofp(a->value),
                                             cp->max_ports);
        }
        if (error) {
            return error;
        }
    }
    return 0;
}

bool
fabric_action_outputs_to_port(const struct ofpact *ofpact, ofp_port_t port)
{
    const struct fabric_action *action
        = fabric_action_get(ofpact_get_FABRIC(ofpact));
    const struct fabric_action_arg *a = &action->args[FABRIC_ARG_PORT];

    return !a->src.field && a->value == ofp_to_u16(port);
}
