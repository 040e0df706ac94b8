/* SPDX-License-Identifier: Apache-2.0 */

/* The datapath action's layout and text form.
 *
 * What is printed must parse back to the same bytes.  So a header is printed
 * in words only if building it again from those words gives the same header,
 * and as hexadecimal digits otherwise. */

#include <config.h>
#include "fabric-odp.h"

#include <ctype.h>
#include <errno.h>

#include "fabric-encap.h"
#include "fabric-hooks.h"
#include "flow.h"
#include "netlink.h"
#include "odp-netlink.h"
#include "odp-util.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "simap.h"
#include "util.h"

BUILD_ASSERT_DECL(FABRIC_ODP_MAX_HEADER == FABRIC_ENCAP_MAX_HLEN);
BUILD_ASSERT_DECL(FABRIC_N_DROPS <= UINT8_MAX);

#define OUTPUT_FIXED_LEN offsetof(struct fabric_odp_output, header)

/* Layout. */

void
fabric_odp_put_output(struct ofpbuf *odp_actions,
                      const struct fabric_odp_output *output)
{
    nl_msg_put_unspec(odp_actions, OVS_ACTION_ATTR_FABRIC, output,
                      OUTPUT_FIXED_LEN + output->header_len);
}

void
fabric_odp_put_drop(struct ofpbuf *odp_actions, enum fabric_drop reason)
{
    const struct fabric_odp_drop drop = {
        .subtype = FABRIC_ODP_DROP,
        .reason = reason,
    };

    nl_msg_put_unspec(odp_actions, OVS_ACTION_ATTR_FABRIC, &drop, sizeof drop);
}

const struct fabric_odp_output *
fabric_odp_get_output(const struct nlattr *a)
{
    const struct fabric_odp_output *o = nl_attr_get(a);
    size_t size = nl_attr_get_size(a);

    return (size > OUTPUT_FIXED_LEN
            && o->subtype == FABRIC_ODP_OUTPUT
            && o->class <= FABRIC_MAX_CLASS
            && o->policy < FABRIC_N_POLICIES
            && o->encap < FABRIC_N_ENCAPS
            && o->ttl
            && o->endpoint >= 1 && o->endpoint <= FABRIC_MAX_ENDPOINT_ID
            && o->header_len >= FABRIC_VXLAN_HLEN
            && o->header_len <= FABRIC_ODP_MAX_HEADER
            && o->header_len % 4 == 0
            && size == OUTPUT_FIXED_LEN + o->header_len
            ? o : NULL);
}

const struct fabric_odp_drop *
fabric_odp_get_drop(const struct nlattr *a)
{
    const struct fabric_odp_drop *drop = nl_attr_get(a);

    return (nl_attr_get_size(a) == sizeof *drop
            && drop->subtype == FABRIC_ODP_DROP
            && drop->reason < FABRIC_N_DROPS
            && is_all_zeros(drop->zero, sizeof drop->zero)
            ? drop : NULL);
}

bool
fabric_odp_is_output(const struct nlattr *a)
{
    return fabric_odp_get_output(a) != NULL;
}

/* Writes the header that text can express to 'header', returns its length. */
static size_t
build_header(enum fabric_encap encap, uint32_t vni, bool oam,
             const void *opts, size_t opts_len, void *header)
{
    struct flow_tnl tnl;

    memset(&tnl, 0, sizeof tnl);
    tnl.tun_id = htonll(vni);
    tnl.flags = FLOW_TNL_F_UDPIF | (oam ? FLOW_TNL_F_OAM : 0);
    tnl.metadata.present.len = opts_len;
    if (opts_len) {
        memcpy(tnl.metadata.opts.u8, opts, opts_len);
    }
    return fabric_encap_build(encap, &tnl, header);
}

/* Text form, out. */

static void
put_hex(struct ds *ds, const void *p_, size_t n)
{
    const uint8_t *p = p_;

    for (size_t i = 0; i < n; i++) {
        ds_put_format(ds, "%02"PRIx8, p[i]);
    }
}

/* Parses the header in 'o' and returns true if 'info' says all about it. */
static bool
explain_header(const struct fabric_odp_output *o,
               struct fabric_encap_info *info)
{
    uint8_t packet[FABRIC_ODP_MAX_HEADER + ETH_HEADER_LEN];
    uint8_t again[FABRIC_ENCAP_MAX_HLEN];
    enum fabric_drop drop;
    bool ok;

    /* The parser wants a frame to follow. */
    memset(packet, 0, sizeof packet);
    memcpy(packet, o->header, o->header_len);
    ok = (fabric_encap_parse(o->encap, packet, o->header_len + ETH_HEADER_LEN,
                             info, &drop)
          && info->header_len == o->header_len
          && build_header(o->encap, info->vni, info->oam, info->opts,
                          info->opts_len, again) == o->header_len
          && !memcmp(again, o->header, o->header_len));
    info->opts = o->header + o->header_len - info->opts_len;
    return ok;
}

static void
format_header(struct ds *ds, const struct fabric_odp_output *o)
{
    struct fabric_encap_info info = { .opts_len = 0 };

    ds_put_format(ds, "%s(", fabric_encap_to_string(o->encap));
    if (explain_header(o, &info)) {
        ds_put_format(ds, "vni=%"PRIu32, info.vni);
        if (info.oam) {
            ds_put_cstr(ds, ",oam");
        }
        if (info.opts_len) {
            ds_put_cstr(ds, ",options(");
            put_hex(ds, info.opts, info.opts_len);
            ds_put_char(ds, ')');
        }
    } else {
        ds_put_cstr(ds, "header(");
        put_hex(ds, o->header, o->header_len);
        ds_put_char(ds, ')');
    }
    ds_put_char(ds, ')');
}

void
fabric_odp_format(struct ds *ds, const struct nlattr *a,
                  const struct hmap *portno_names)
{
    const struct fabric_odp_output *o = fabric_odp_get_output(a);
    const struct fabric_odp_drop *drop = fabric_odp_get_drop(a);

    ds_put_cstr(ds, "fabric(");
    if (o) {
        ds_put_cstr(ds, "port(");
        odp_portno_name_format(portno_names, u32_to_odp(o->port), ds);
        ds_put_format(ds, "),endpoint=%"PRIu32, o->endpoint);
        if (o->class) {
            ds_put_format(ds, ",class=%"PRIu8, o->class);
        }
        if (o->policy != FABRIC_POLICY_DEFAULT) {
            ds_put_format(ds, ",policy=%s",
                          fabric_policy_to_string(o->policy));
        }
        if (o->tos) {
            ds_put_format(ds, ",tos=0x%02"PRIx8, o->tos);
        }
        if (o->ttl != FABRIC_ODP_DEFAULT_TTL) {
            ds_put_format(ds, ",ttl=%"PRIu8, o->ttl);
        }
        ds_put_char(ds, ',');
        format_header(ds, o);
    } else if (drop) {
        ds_put_format(ds, "drop=%s", fabric_drop_name(drop->reason));
    } else {
        ds_put_cstr(ds, "error,");
        put_hex(ds, nl_attr_get(a), nl_attr_get_size(a));
    }
    ds_put_char(ds, ')');
}

/* Text form, in.  Each function below takes what it expects off the front of
 * '*s' and returns true, or returns false. */

static bool
skip(const char **s, const char *word)
{
    size_t n = strlen(word);

    if (strncmp(*s, word, n)) {
        return false;
    }
    *s += n;
    return true;
}

static bool
skip_number(const char **s, uint32_t min, uint32_t max, uint32_t *value)
{
    uint64_t number;
    int n = -1;

    if (!isdigit((unsigned char) **s)
        || !ovs_scan(*s, "%"SCNi64"%n", &number, &n)
        || n > 10 || number < min || number > max) {
        return false;
    }
    *s += n;
    *value = number;
    return true;
}

/* Takes hexadecimal digits for at most 'max' bytes, a multiple of 4, and the
 * closing parenthesis. */
static bool
skip_hex(const char **s, uint8_t *bytes, size_t max, size_t *n)
{
    for (*n = 0; !skip(s, ")"); (*n)++, *s += 2) {
        bool ok;

        if (*n >= max) {
            return false;
        }
        bytes[*n] = hexits_value(*s, 2, &ok);
        if (!ok) {
            return false;
        }
    }
    return *n && *n % 4 == 0;
}

static bool
skip_port(const char **s, const struct simap *port_names, uint32_t *port)
{
    size_t len = strcspn(*s, ")");
    const struct simap_node *node
        = port_names ? simap_find_len(port_names, *s, len) : NULL;

    if (node) {
        *port = node->data;
        *s += len;
        return true;
    }
    return skip_number(s, 0, UINT32_MAX, port);
}

static bool
skip_policy(const char **s, uint8_t *policy)
{
    char *name = xmemdup0(*s, strcspn(*s, ",)"));
    enum fabric_policy p;
    bool ok = fabric_policy_from_string(name, &p);

    if (ok) {
        *policy = p;
        *s += strlen(name);
    }
    free(name);
    return ok;
}

static bool
skip_drop(const char **s, enum fabric_drop *reason)
{
    size_t len = strcspn(*s, ",)");

    for (int i = 0; i < FABRIC_N_DROPS; i++) {
        const char *name = fabric_drop_name(i);

        if (strlen(name) == len && !strncmp(*s, name, len)) {
            *s += len;
            *reason = i;
            return true;
        }
    }
    return false;
}

static bool
skip_header(const char **s, struct fabric_odp_output *o)
{
    uint8_t opts[FABRIC_GENEVE_MAX_OPTS];
    size_t opts_len = 0, header_len;
    uint32_t vni;
    bool oam;

    if (skip(s, "vxlan(")) {
        o->encap = FABRIC_ENCAP_VXLAN;
    } else if (skip(s, "geneve(")) {
        o->encap = FABRIC_ENCAP_GENEVE;
    } else {
        return false;
    }

    if (skip(s, "header(")) {
        if (!skip_hex(s, o->header, sizeof o->header, &header_len)
            || header_len < FABRIC_VXLAN_HLEN) {
            return false;
        }
    } else {
        if (!skip(s, "vni=") || !skip_number(s, 0, FABRIC_MAX_VNI, &vni)) {
            return false;
        }
        oam = o->encap == FABRIC_ENCAP_GENEVE && skip(s, ",oam");
        if (o->encap == FABRIC_ENCAP_GENEVE && skip(s, ",options(")
            && !skip_hex(s, opts, sizeof opts, &opts_len)) {
            return false;
        }
        header_len = build_header(o->encap, vni, oam, opts, opts_len,
                                  o->header);
        if (opts_len && header_len != FABRIC_GENEVE_HLEN + opts_len) {
            return false;
        }
    }
    o->header_len = header_len;
    return skip(s, ")");
}

static bool
skip_output(const char **s, const struct simap *port_names,
            struct fabric_odp_output *o)
{
    uint32_t value;

    memset(o, 0, sizeof *o);
    o->subtype = FABRIC_ODP_OUTPUT;
    o->policy = FABRIC_POLICY_DEFAULT;
    o->ttl = FABRIC_ODP_DEFAULT_TTL;

    if (!skip(s, "port(") || !skip_port(s, port_names, &o->port)
        || !skip(s, "),endpoint=")
        || !skip_number(s, 1, FABRIC_MAX_ENDPOINT_ID, &o->endpoint)) {
        return false;
    }
    if (skip(s, ",class=")) {
        if (!skip_number(s, 0, FABRIC_MAX_CLASS, &value)) {
            return false;
        }
        o->class = value;
    }
    if (skip(s, ",policy=") && !skip_policy(s, &o->policy)) {
        return false;
    }
    if (skip(s, ",tos=")) {
        if (!skip_number(s, 0, UINT8_MAX, &value)) {
            return false;
        }
        o->tos = value;
    }
    if (skip(s, ",ttl=")) {
        if (!skip_number(s, 1, UINT8_MAX, &value)) {
            return false;
        }
        o->ttl = value;
    }
    return skip(s, ",") && skip_header(s, o);
}

int
fabric_odp_parse(const char *s, const struct simap *port_names,
                 struct ofpbuf *actions)
{
    struct fabric_odp_output output;
    enum fabric_drop reason;
    const char *p = s;
    bool drop;

    if (!skip(&p, "fabric(")) {
        return -EINVAL;
    }
    drop = skip(&p, "drop=");
    if (!(drop
          ? skip_drop(&p, &reason)
          : skip_output(&p, port_names, &output))
        || !skip(&p, ")")) {
        return -EINVAL;
    }

    if (drop) {
        fabric_odp_put_drop(actions, reason);
    } else {
        fabric_odp_put_output(actions, &output);
    }
    return p - s;
}
