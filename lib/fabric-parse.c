/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-parse.h"

#include <ctype.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "smap.h"
#include "util.h"

/* A key of Fabric.probe or Fabric.other_config. */
enum fabric_key_type {
    FABRIC_KEY_BOOL,
    FABRIC_KEY_UINT,            /* An 'unsigned int', 'min'...'max'. */
    FABRIC_KEY_PERCENT,         /* With up to 4 decimals, stored as ppm. */
    FABRIC_KEY_OTHER,           /* Something that 'parse' understands. */
};

struct fabric_key {
    const char *name;
    enum fabric_key_type type;
    size_t ofs;                 /* Of the member of struct fabric_config. */
    unsigned int min, max;
    char *(*parse)(const char *value, struct fabric_config *);
};

/* Octets of a key for HMAC; RFC 2104 section 3 discourages shorter ones, but
 * an operator's passphrase may be. */
#define MIN_KEY_LEN 8

/* Values.  The message leaves out the name of the setting, which
 * parse_map() puts before it. */

static char *
parse_bool(const char *value, bool *b)
{
    if (!strcmp(value, "true")) {
        *b = true;
    } else if (!strcmp(value, "false")) {
        *b = false;
    } else {
        return xasprintf("\"%s\" is neither true nor false", value);
    }
    return NULL;
}

static char *
parse_range(const char *value, long long int min, long long int max,
            long long int *n)
{
    if (!str_to_llong(value, 10, n) || *n < min || *n > max) {
        return xasprintf("\"%s\" is not a number from %lld to %lld",
                         value, min, max);
    }
    return NULL;
}

static char *
parse_uint(const char *value, unsigned int min, unsigned int max,
           unsigned int *n)
{
    long long int x = 0;
    char *error = parse_range(value, min, max, &x);

    *n = x;
    return error;
}

static char *
parse_percent(const char *value, uint32_t *ppm)
{
    double percent;

    if (!str_to_double(value, &percent) || percent < 0 || percent > 100) {
        return xasprintf("\"%s\" is not a percentage", value);
    }
    *ppm = percent * 10000 + 0.5;
    return NULL;
}

static char *
parse_probe_recover(const char *value, struct fabric_config *config)
{
    long long int n = 0;
    char *error = parse_range(value, 1000, 3600000, &n);

    config->health.recover = n;
    config->health.recover_max = MAX(config->health.recover_max, n);
    return error;
}

static char *
parse_probe_dscp(const char *value, struct fabric_config *config)
{
    struct fabric_probe_config *probe = &config->probe;
    char *list = xstrdup(value), *save = NULL, *error = NULL;

    probe->n_dscps = 0;
    for (char *s = strtok_r(list, ", ", &save); s && !error;
         s = strtok_r(NULL, ", ", &save)) {
        long long int n = 0;

        error = parse_range(s, 0, 63, &n);
        if (!error && probe->n_dscps == ARRAY_SIZE(probe->dscps)) {
            error = xasprintf("\"%s\" has more than %"PRIuSIZE" DSCPs", value,
                              ARRAY_SIZE(probe->dscps));
        } else if (!error) {
            probe->dscps[probe->n_dscps++] = n;
        }
    }
    if (!error && !probe->n_dscps) {
        error = xasprintf("\"%s\" has no DSCP", value);
    }
    free(list);
    return error;
}

/* Keys are text, or hexadecimal digits behind "0x".  Messages do not repeat
 * them: they are secrets. */
static char *
parse_probe_key(const char *value, struct fabric_config *config)
{
    struct fabric_stamp_key *key = &config->keys.keys[config->keys.n];
    size_t len = strlen(value);
    const char *reason;

    if (!fabric_stamp_auth_supported(&reason)) {
        return xstrdup(reason);
    }
    if (!strncmp(value, "0x", 2)) {
        const char *digits = value + 2;

        key->len = (len - 2) / 2;
        if (len % 2 || key->len > sizeof key->key) {
            return xasprintf("not an even number of hexadecimal digits, at "
                             "most %"PRIuSIZE, 2 * sizeof key->key);
        }
        for (size_t i = 0; i < key->len; i++) {
            bool ok;

            key->key[i] = hexits_value(&digits[2 * i], 2, &ok);
            if (!ok) {
                return xasprintf("digit %"PRIuSIZE" is not hexadecimal",
                                 2 * i + 1);
            }
        }
    } else {
        key->len = len;
        if (len > sizeof key->key) {
            return xasprintf("longer than %"PRIuSIZE" characters",
                             sizeof key->key);
        }
        memcpy(key->key, value, len);
    }
    if (key->len < MIN_KEY_LEN) {
        return xasprintf("shorter than %d octets", MIN_KEY_LEN);
    }
    config->keys.n++;
    return NULL;
}

static char *
parse_probe_key2(const char *value, struct fabric_config *config)
{
    return (config->keys.n ? parse_probe_key(value, config)
            : xstrdup("there is no probe:key"));
}

static char *
parse_probe_protocol(const char *value, struct fabric_config *config)
{
    return (fabric_protocol_from_string(value, &config->probe.protocol) ? NULL
            : xasprintf("\"%s\" is none of stamp, bfd and auto", value));
}

static char *
parse_probe_bfd_dst_mac(const char *value, struct fabric_config *config)
{
    return (eth_addr_from_string(value, &config->probe.bfd_dst_mac)
            && !eth_addr_is_multicast(config->probe.bfd_dst_mac) ? NULL
            : xasprintf("\"%s\" is not the MAC address of a host", value));
}

static char *
parse_csum(const char *value, struct fabric_config *config)
{
    char *error = parse_bool(value, &config->csum);

    config->csum_always = config->csum;
    return error;
}

static char *
parse_host_policy(const char *value, struct fabric_config *config)
{
    config->host_strict = !strcmp(value, "strict");
    return (config->host_strict || !strcmp(value, "default") ? NULL
            : xasprintf("\"%s\" is neither default nor strict", value));
}

static char *
parse_src_port_base(const char *value, struct fabric_config *config)
{
    long long int n = 0;
    char *error = parse_range(value, 1024, UINT16_MAX, &n);

    config->src_port_base = n;
    return error;
}

static char *
parse_ttl(const char *value, struct fabric_config *config)
{
    long long int n = 0;
    char *error = parse_range(value, 1, UINT8_MAX, &n);

    config->ttl = n;
    return error;
}

static char *
parse_tos(const char *value, struct fabric_config *config)
{
    long long int n;

    config->tos_inherit = !strcmp(value, "inherit");
    if (config->tos_inherit) {
        return NULL;
    }
    if (!str_to_llong(value, 10, &n) || n < 0 || n > UINT8_MAX || n % 4) {
        return xasprintf("\"%s\" is neither \"inherit\" nor a multiple of 4 "
                         "from 0 to 252", value);
    }
    config->tos = n;
    return NULL;
}

static char *
parse_uplink(const char *value, struct fabric_config *config)
{
    free(CONST_CAST(char *, config->uplink));
    config->uplink = xstrdup(value);
    return value[0] ? NULL : xstrdup("is empty");
}

/* The keys that there are.  Another one is told in a warning. */
#define KEY_BOOL(NAME, MEMBER)                                              \
    { NAME, FABRIC_KEY_BOOL, offsetof(struct fabric_config, MEMBER),        \
      0, 0, NULL }
#define KEY_UINT(NAME, MEMBER, MIN, MAX)                                    \
    { NAME, FABRIC_KEY_UINT, offsetof(struct fabric_config, MEMBER),        \
      MIN, MAX, NULL }
#define KEY_PERCENT(NAME, MEMBER)                                           \
    { NAME, FABRIC_KEY_PERCENT, offsetof(struct fabric_config, MEMBER),     \
      0, 0, NULL }
#define KEY_OTHER(NAME, FUNCTION) \
    { NAME, FABRIC_KEY_OTHER, 0, 0, 0, parse_##FUNCTION }

static const struct fabric_key probe_keys[] = {
    KEY_OTHER("bfd_dst_mac", probe_bfd_dst_mac),
    KEY_UINT("bfd_vni", probe.bfd_vni, 0, FABRIC_MAX_VNI),
    KEY_PERCENT("ce", health.ce_ppm),
    KEY_BOOL("data_loss", health.data.judge),
    KEY_OTHER("dscp", probe_dscp),
    KEY_BOOL("discovery", probe.discovery),
    KEY_UINT("discovery_interval", probe.discovery_interval, 1000, 86400000),
    KEY_BOOL("enable", probe.enabled),
    KEY_UINT("idle_after", probe.idle_after, 1, 86400000),
    KEY_UINT("idle_interval", probe.idle_interval, 1, 60000),
    KEY_UINT("interval", probe.interval, 1, 60000),
    KEY_OTHER("key", probe_key),
    KEY_OTHER("key2", probe_key2),
    KEY_UINT("large_every", probe.large_every, 0, 1000),
    KEY_PERCENT("loss", health.loss_ppm),
    KEY_UINT("multiplier", probe.multiplier, 1, 255),
    KEY_BOOL("pmtud", probe.pmtud),
    KEY_UINT("pmtud_interval", probe.pmtud_interval, 1000, 86400000),
    KEY_OTHER("protocol", probe_protocol),
    KEY_OTHER("recover", probe_recover),
    KEY_UINT("rtt", health.rtt.percent, 101, 100000),
    KEY_UINT("rtt_excess", health.rtt.excess, 1, 10000000),
    KEY_UINT("vni", probe.vni, 0, FABRIC_MAX_VNI),
    KEY_UINT("window", health.window, 1000, 60000),
};

static const struct fabric_key other_keys[] = {
    KEY_OTHER("csum", csum),
    KEY_BOOL("fast-path", fast_path),
    KEY_OTHER("host-policy", host_policy),
    KEY_UINT("lease", lease, 0, 604800),
    KEY_OTHER("src_port_base", src_port_base),
    KEY_OTHER("ttl", ttl),
    KEY_OTHER("tos", tos),
    KEY_OTHER("uplink", uplink),
};

static void
add_warning(struct ds *warnings, const char *column, const char *key)
{
    ds_put_format(warnings, "%s%s:%s is not a known key",
                  warnings->length ? "; " : "", column, key);
}

static char *
parse_key(const struct fabric_key *key, const char *value,
          struct fabric_config *config)
{
    void *member = (char *) config + key->ofs;

    switch (key->type) {
    case FABRIC_KEY_BOOL:
        return parse_bool(value, member);
    case FABRIC_KEY_UINT:
        return parse_uint(value, key->min, key->max, member);
    case FABRIC_KEY_PERCENT:
        return parse_percent(value, member);
    case FABRIC_KEY_OTHER:
        return key->parse(value, config);
    }
    OVS_NOT_REACHED();
}

static char *
parse_map(const char *column, const struct smap *map,
          const struct fabric_key *keys, size_t n_keys,
          struct fabric_config *config, struct ds *warnings)
{
    const struct smap_node *node;
    char *error = NULL;

    if (!map) {
        return NULL;
    }

    /* In order of the key, so that of several mistakes the same one is told
     * every time. */
    const struct smap_node **nodes = smap_sort(map);
    for (size_t i = 0; i < smap_count(map) && !error; i++) {
        size_t j;

        node = nodes[i];
        for (j = 0; j < n_keys && strcmp(node->key, keys[j].name); j++) {
            continue;
        }
        if (j == n_keys) {
            add_warning(warnings, column, node->key);
            continue;
        }
        char *s = parse_key(&keys[j], node->value, config);
        if (s) {
            error = xasprintf("%s:%s: %s", column, node->key, s);
            free(s);
        }
    }
    free(nodes);
    return error;
}

static void
warn_all_keys(const char *column, const struct smap *map, struct ds *warnings)
{
    free(parse_map(column, map, NULL, 0, NULL, warnings));
}

char *
fabric_parse_ip(const char *what, const char *s, struct in6_addr *ip)
{
    ovs_be32 ip4;

    if (ip_parse(s, &ip4)) {
        *ip = in6_addr_mapped_ipv4(ip4);
    } else if (!ipv6_parse(s, ip)) {
        return xasprintf("%s: \"%s\" is not an IP address", what, s);
    }

    ip4 = in6_addr_get_mapped_ipv4(ip);
    if (IN6_IS_ADDR_V4MAPPED(ip)
        ? ip4 == htonl(INADDR_ANY) || ip4 == htonl(INADDR_BROADCAST)
          || ip_is_multicast(ip4)
        : IN6_IS_ADDR_UNSPECIFIED(ip) || IN6_IS_ADDR_MULTICAST(ip)
          || IN6_IS_ADDR_LINKLOCAL(ip)) {
        return xasprintf("%s: \"%s\" is not a global unicast address",
                         what, s);
    }
    return NULL;
}

/* Parses the 'n' addresses of column 'what', at most 'max', into '*ipsp', for
 * the caller to free. */
static char *
parse_ips(const char *what, char **s, size_t n, size_t max,
          const struct in6_addr **ipsp)
{
    struct in6_addr *ips;

    if (!n) {
        return xasprintf("%s is empty: set at least one IP address", what);
    }
    if (n > max) {
        return xasprintf("%s has %"PRIuSIZE" addresses: at most "
                         "%"PRIuSIZE" are possible", what, n, max);
    }

    *ipsp = ips = xmalloc(n * sizeof *ips);
    for (size_t i = 0; i < n; i++) {
        char *error = fabric_parse_ip(what, s[i], &ips[i]);
        if (error) {
            return error;
        }
        for (size_t j = 0; j < i; j++) {
            if (ipv6_addr_equals(&ips[i], &ips[j])) {
                return xasprintf("%s: \"%s\" and \"%s\" are the same address",
                                 what, s[j], s[i]);
            }
        }
    }
    return NULL;
}

/* A name may be written FABRIC/ENDPOINT on a command line, so it has no "/"
 * itself, and it is printed in columns. */
static char *
parse_name(const char *name, const char **namep)
{
    *namep = xstrdup(name);
    if (!name[0]) {
        return xstrdup("name is empty");
    }
    for (const char *p = name; *p; p++) {
        if (*p == '/' || isspace((unsigned char) *p)
            || iscntrl((unsigned char) *p)) {
            return xasprintf("name \"%s\" contains \"/\", a space, or a "
                             "control character", name);
        }
    }
    return NULL;
}

static char *
parse_encap(const char *s, enum fabric_encap *encap)
{
    static const char *const names[] = {
#define FABRIC_ENCAP(ENUM, NAME, PORT) NAME,
        FABRIC_ENCAPS
#undef FABRIC_ENCAP
    };

    *encap = FABRIC_ENCAP_VXLAN;
    if (!s || fabric_encap_from_string(s, encap)) {
        return NULL;
    }

    struct ds error = DS_EMPTY_INITIALIZER;
    ds_put_format(&error, "encap \"%s\" is not supported: use ", s);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        ds_put_format(&error, "%s%s", i ? " or " : "", names[i]);
    }
    return ds_steal_cstr(&error);
}

static char *
parse_policy(const char *s, enum fabric_policy unset,
             enum fabric_policy *policy)
{
    *policy = unset;
    if (s && (!fabric_policy_from_string(s, policy)
              || (*policy == FABRIC_POLICY_DEFAULT
                  && unset != FABRIC_POLICY_DEFAULT))) {
        return xasprintf("policy \"%s\" is not supported: use hash", s);
    }
    return NULL;
}

/* The database has these ranges too, but not every caller's text comes from
 * there. */
static char *
check_range(const char *what, const int64_t *value, int64_t min, int64_t max)
{
    if (value && (*value < min || *value > max)) {
        return xasprintf("%s %"PRId64" is not from %"PRId64" to %"PRId64,
                         what, *value, min, max);
    }
    return NULL;
}

static char *
parse_config_columns(const struct fabric_text *text,
                     struct fabric_config *config)
{
    char *error = parse_name(text->name, &config->name);
    if (!error) {
        error = parse_encap(text->encap, &config->encap);
    }
    if (!error) {
        error = parse_ips("local_ips", text->local_ips, text->n_local_ips,
                          FABRIC_MAX_LOCAL_IPS, &config->local_ips);
        config->n_local_ips = text->n_local_ips;
    }
    if (!error) {
        error = check_range("dst_port", text->dst_port, 1, UINT16_MAX);
        config->dst_port = (text->dst_port ? *text->dst_port
                            : fabric_encap_default_port(config->encap));
    }
    if (!error) {
        error = check_range("paths_per_remote", text->paths_per_remote, 1,
                            FABRIC_MAX_PATHS_PER_REMOTE);
        config->paths_per_remote = (text->paths_per_remote
                                    ? *text->paths_per_remote
                                    : FABRIC_DEFAULT_PATHS_PER_REMOTE);
    }
    if (!error) {
        error = parse_policy(text->policy, FABRIC_POLICY_HASH,
                             &config->policy);
    }
    config->verify_source = !text->verify_source || *text->verify_source;
    return error;
}

char *
fabric_parse_config(const struct fabric_text *text,
                    struct fabric_config *config, struct ds *warnings)
{
    *config = (struct fabric_config) {
        .probe = {
            .enabled = true,
            .interval = FABRIC_PROBE_DEFAULT_INTERVAL,
            .multiplier = FABRIC_PROBE_DEFAULT_MULTIPLIER,
            .vni = FABRIC_PROBE_DEFAULT_VNI,
            .idle_interval = FABRIC_PROBE_DEFAULT_IDLE_INTERVAL,
            .idle_after = FABRIC_PROBE_DEFAULT_IDLE_AFTER,
            .n_dscps = 1,
            .large_every = FABRIC_PROBE_DEFAULT_LARGE_EVERY,
            .discovery = true,
            .discovery_interval = FABRIC_PROBE_DEFAULT_DISCOVERY_INTERVAL,
            .protocol = FABRIC_PROTOCOL_AUTO,
            .pmtud = true,
            .pmtud_interval = FABRIC_PROBE_DEFAULT_PMTUD_INTERVAL,
        },
        .health = FABRIC_HEALTH_CONFIG_DEFAULT,
        .csum = true,
        .fast_path = true,
        .lease = FABRIC_DEFAULT_LEASE,
        .src_port_base = FABRIC_DEFAULT_SRC_PORT_BASE,
        .ttl = 64,
        .uplink = xstrdup("udp"),
    };

    char *error = parse_config_columns(text, config);
    if (!error) {
        error = parse_map("probe", text->probe, probe_keys,
                          ARRAY_SIZE(probe_keys), config, warnings);
    }
    if (!error) {
        error = parse_map("other_config", text->other_config, other_keys,
                          ARRAY_SIZE(other_keys), config, warnings);
    }
    if (config->keys.n && config->probe.protocol == FABRIC_PROTOCOL_AUTO) {
        /* BFD, which is not authenticated here, would be a way around. */
        config->probe.protocol = FABRIC_PROTOCOL_STAMP;
    }
    if (!error && (config->src_port_base + config->paths_per_remote - 1
                   > UINT16_MAX)) {
        error = xasprintf("other_config:src_port_base: %u leaves no room for "
                          "%u source ports", config->src_port_base,
                          config->paths_per_remote);
    }
    if (error) {
        fabric_config_destroy(config);
    }
    return error;
}

char *
fabric_parse_endpoint(const struct fabric_endpoint_text *text,
                      struct fabric_endpoint_config *config,
                      struct ds *warnings)
{
    *config = (struct fabric_endpoint_config) { .id = 0 };

    char *error = parse_name(text->name, &config->name);
    if (!error) {
        error = check_range("id", text->id, 1, FABRIC_MAX_ENDPOINT_ID);
        config->id = text->id ? *text->id : 0;
    }
    if (!error) {
        error = parse_ips("remote_ips", text->remote_ips, text->n_remote_ips,
                          FABRIC_MAX_REMOTE_IPS, &config->remote_ips);
        config->n_remote_ips = text->n_remote_ips;
    }
    if (!error) {
        error = parse_policy(text->policy, FABRIC_POLICY_DEFAULT,
                             &config->policy);
    }
    if (error) {
        fabric_endpoint_config_destroy(config);
    } else {
        warn_all_keys("other_config", text->other_config, warnings);
    }
    return error;
}

/* Checks the settings of one class, such as "dscp=46,share=40". */
static char *
check_class(int64_t class, const char *settings)
{
    char *copy = xstrdup(settings);
    char *save_ptr = NULL;
    char *error = NULL;

    for (char *s = strtok_r(copy, ", ", &save_ptr); s && !error;
         s = strtok_r(NULL, ", ", &save_ptr)) {
        char *value = strchr(s, '=');
        long long int n;

        if (value) {
            *value++ = '\0';
        }
        if (!value || (strcmp(s, "dscp") && strcmp(s, "share"))) {
            error = xasprintf("\"%s\" is neither dscp=N nor share=N", s);
        } else if (!strcmp(s, "dscp")) {
            error = parse_range(value, 0, 63, &n);
        } else {
            error = parse_range(value, 1, 1000, &n);
        }
    }
    free(copy);

    if (error) {
        char *s = error;
        error = xasprintf("classes:%"PRId64": %s", class, s);
        free(s);
    }
    return error;
}

char *
fabric_parse_qos(const struct fabric_qos_text *text, struct ds *warnings)
{
    char *error = NULL;

    if (text->min_rate && text->max_rate
        && *text->min_rate > *text->max_rate) {
        error = xasprintf("min_rate %"PRId64" exceeds max_rate %"PRId64,
                          *text->min_rate, *text->max_rate);
    }
    for (size_t i = 0; i < text->n_classes && !error; i++) {
        error = check_range("class", &text->classes[i], 0, FABRIC_MAX_CLASS);
        if (!error) {
            error = check_class(text->classes[i], text->class_settings[i]);
        }
    }
    if (error) {
        char *s = error;
        error = xasprintf("qos \"%s\": %s", text->name, s);
        free(s);
    } else {
        warn_all_keys("qos other_config", text->other_config, warnings);
    }
    return error;
}

void
fabric_config_destroy(struct fabric_config *config)
{
    if (config) {
        free(CONST_CAST(char *, config->name));
        free(CONST_CAST(struct in6_addr *, config->local_ips));
        free(CONST_CAST(char *, config->uplink));
    }
}

void
fabric_endpoint_config_destroy(struct fabric_endpoint_config *config)
{
    if (config) {
        free(CONST_CAST(char *, config->name));
        free(CONST_CAST(struct in6_addr *, config->remote_ips));
    }
}

static bool
ips_equal(const struct in6_addr *a, size_t n_a,
          const struct in6_addr *b, size_t n_b)
{
    return n_a == n_b && !memcmp(a, b, n_a * sizeof *a);
}

bool
fabric_config_equals(const struct fabric_config *a,
                     const struct fabric_config *b)
{
    return (!strcmp(a->name, b->name)
            && a->encap == b->encap
            && ips_equal(a->local_ips, a->n_local_ips,
                         b->local_ips, b->n_local_ips)
            && a->dst_port == b->dst_port
            && a->paths_per_remote == b->paths_per_remote
            && a->policy == b->policy
            && fabric_probe_config_equal(&a->probe, &b->probe)
            && fabric_stamp_keys_equal(&a->keys, &b->keys)
            && !memcmp(&a->health, &b->health, sizeof a->health)
            && a->verify_source == b->verify_source
            && a->csum == b->csum
            && a->csum_always == b->csum_always
            && a->fast_path == b->fast_path
            && a->host_strict == b->host_strict
            && a->lease == b->lease
            && a->src_port_base == b->src_port_base
            && a->ttl == b->ttl
            && a->tos == b->tos
            && a->tos_inherit == b->tos_inherit
            && !strcmp(a->uplink, b->uplink));
}

bool
fabric_endpoint_config_equals(const struct fabric_endpoint_config *a,
                              const struct fabric_endpoint_config *b)
{
    return (!strcmp(a->name, b->name)
            && a->id == b->id
            && ips_equal(a->remote_ips, a->n_remote_ips,
                         b->remote_ips, b->n_remote_ips)
            && a->policy == b->policy);
}
