/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-vsctl-check.h"

#include "fabric-idl.h"
#include "openvswitch/dynamic-string.h"
#include "ovsdb-idl.h"
#include "packets.h"
#include "util.h"

/* Returns an address that is in both lists, formatted in 'buf', or NULL. */
static const char *
common_ip(const struct in6_addr *a, size_t n_a,
          const struct in6_addr *b, size_t n_b, char buf[INET6_ADDRSTRLEN])
{
    for (size_t i = 0; i < n_a; i++) {
        for (size_t j = 0; j < n_b; j++) {
            if (ipv6_addr_equals(&a[i], &b[j])) {
                return ipv6_string_mapped(buf, &a[i]);
            }
        }
    }
    return NULL;
}

static char *
parse_fabric(const struct ovsrec_fabric *rec, struct fabric_config *config,
             struct ds *warnings)
{
    struct fabric_text text = fabric_idl_text(rec);

    return fabric_parse_config(&text, config, warnings);
}

static char *
parse_endpoint(const struct ovsrec_fabric_endpoint *rec,
               struct fabric_endpoint_config *config, struct ds *warnings)
{
    struct fabric_endpoint_text text = fabric_idl_endpoint_text(rec);

    return fabric_parse_endpoint(&text, config, warnings);
}

/* Takes what parsing another row than the one to be checked said, which is the
 * other's problem.  Returns whether it could be parsed. */
static bool
other_parsed(char *error, struct ds *warnings)
{
    bool parsed = !error;

    free(error);
    ds_destroy(warnings);
    return parsed;
}

/* Compares 'config' with that of the other fabric 'rec'. */
static char *
compare_fabrics(const struct fabric_config *config,
                const struct ovsrec_fabric *rec)
{
    struct ds warnings = DS_EMPTY_INITIALIZER;
    struct fabric_config other;
    char buf[INET6_ADDRSTRLEN];
    char *error = NULL;
    const char *ip;

    if (!other_parsed(parse_fabric(rec, &other, &warnings), &warnings)) {
        return NULL;
    }
    ip = common_ip(config->local_ips, config->n_local_ips,
                   other.local_ips, other.n_local_ips, buf);
    if (ip && config->dst_port == other.dst_port) {
        error = xasprintf("local IP %s with UDP port %"PRIu16" belongs to "
                          "fabric %s", ip, config->dst_port, other.name);
    }
    fabric_config_destroy(&other);
    return error;
}

/* Compares 'config' with that of the other endpoint 'rec' of its fabric. */
static char *
compare_endpoints(const struct fabric_endpoint_config *config,
                  const struct ovsrec_fabric_endpoint *rec)
{
    struct ds warnings = DS_EMPTY_INITIALIZER;
    struct fabric_endpoint_config other;
    char buf[INET6_ADDRSTRLEN];
    char *error = NULL;
    const char *ip;

    if (!other_parsed(parse_endpoint(rec, &other, &warnings), &warnings)) {
        return NULL;
    }
    ip = common_ip(config->remote_ips, config->n_remote_ips,
                   other.remote_ips, other.n_remote_ips, buf);
    if (config->id && config->id == other.id) {
        error = xasprintf("id %"PRIu32" belongs to endpoint %s", config->id,
                          rec->name);
    } else if (ip) {
        error = xasprintf("remote IP %s belongs to endpoint %s", ip,
                          rec->name);
    }
    fabric_endpoint_config_destroy(&other);
    return error;
}

/* Compares 'config' with the fabric that it is to belong to. */
static char *
compare_with_fabric(const struct fabric_endpoint_config *config,
                    const struct ovsrec_fabric *rec)
{
    struct ds warnings = DS_EMPTY_INITIALIZER;
    struct fabric_config fabric;
    char buf[INET6_ADDRSTRLEN];
    char *error = NULL;
    const char *ip;

    if (!other_parsed(parse_fabric(rec, &fabric, &warnings), &warnings)) {
        return NULL;
    }
    ip = common_ip(config->remote_ips, config->n_remote_ips,
                   fabric.local_ips, fabric.n_local_ips, buf);
    if (ip) {
        error = xasprintf("remote IP %s is a local IP of fabric %s", ip,
                          rec->name);
    }
    fabric_config_destroy(&fabric);
    return error;
}

/* Ends the check of a row that refers to 'rec', if not null, which has found
 * 'error' or, if null, at most what there is to warn of. */
static char *
finish_check(char *error, const struct ovsrec_fabric_qos *rec,
             struct ds *warnings)
{
    if (!error && rec) {
        struct fabric_qos_text text = fabric_idl_qos_text(rec);
        struct ds others = DS_EMPTY_INITIALIZER;

        error = fabric_parse_qos(&text, &others);
        ds_destroy(&others);
    }
    if (!error && warnings->length) {
        ovs_error(0, "warning: %s", ds_cstr(warnings));
    }
    ds_destroy(warnings);
    return error;
}

char *
fabric_vsctl_check_fabric(struct ovsdb_idl *idl,
                          const struct ovsrec_fabric *fabric)
{
    struct ds warnings = DS_EMPTY_INITIALIZER;
    const struct ovsrec_fabric *other;
    struct fabric_config config;
    char *error = parse_fabric(fabric, &config, &warnings);

    if (!error) {
        OVSREC_FABRIC_FOR_EACH (other, idl) {
            if (other != fabric && !error) {
                error = compare_fabrics(&config, other);
            }
        }
        fabric_config_destroy(&config);
    }
    return finish_check(error, fabric->qos, &warnings);
}

char *
fabric_vsctl_check_endpoint(struct ovsdb_idl *idl,
                            const struct ovsrec_fabric *fabric,
                            const struct ovsrec_fabric_endpoint *ep)
{
    struct ds warnings = DS_EMPTY_INITIALIZER;
    const struct ovsrec_fabric_endpoint *other;
    struct fabric_endpoint_config config;
    char *error = parse_endpoint(ep, &config, &warnings);

    if (!error) {
        OVSREC_FABRIC_ENDPOINT_FOR_EACH (other, idl) {
            if (other != ep && !error && !strcmp(other->fabric, ep->fabric)) {
                error = compare_endpoints(&config, other);
            }
        }
        if (!error) {
            error = compare_with_fabric(&config, fabric);
        }
        fabric_endpoint_config_destroy(&config);
    }
    return finish_check(error, ep->qos, &warnings);
}
