/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_PARSE_H
#define FABRIC_PARSE_H 1

/* From an operator's words to a checked configuration.
 * =====================================================
 *
 * Turns the text of one row of the database, whoever has read it, into the
 * configuration that the registry takes (fabric-registry.h), or into one line
 * that says what is wrong.  ovs-vswitchd and ovs-vsctl both use it, so that
 * the tool refuses what the daemon would refuse, in the same words.
 *
 * A row is checked on its own here; conflicts between rows are not seen.
 *
 * Ownership: a configuration owns all that it points to; the *_destroy()
 * functions free that but not the structure itself.
 *
 * Errors: functions that return 'char *' return NULL on success, otherwise one
 * line that the caller must free, and then leave nothing behind to destroy.
 * Pieces of doubt, such as a key without a meaning, are appended to
 * 'warnings', separated by "; ".
 *
 * Thread-safety: no state.
 *
 * Example
 * =======
 *
 *     char *ips[] = { "10.0.0.1", "10.0.1.1" };
 *     struct fabric_text text = { .name = "fab0", .local_ips = ips,
 *                                 .n_local_ips = 2 };
 *     struct fabric_config config;
 *     struct ds warnings = DS_EMPTY_INITIALIZER;
 *     char *error = fabric_parse_config(&text, &config, &warnings);
 */

#include "fabric-registry.h"

struct ds;
struct smap;

/* A row of the Fabric table.  NULL stands for "not set". */
struct fabric_text {
    const char *name;
    const char *encap;
    char **local_ips;
    size_t n_local_ips;
    const int64_t *dst_port;
    const int64_t *paths_per_remote;
    const char *policy;
    const struct smap *probe;
    const bool *verify_source;
    const struct smap *other_config;
};

/* A row of the Fabric_Endpoint table, likewise. */
struct fabric_endpoint_text {
    const char *name;
    const int64_t *id;          /* Without it, the configuration's is 0. */
    char **remote_ips;
    size_t n_remote_ips;
    const char *policy;
    const struct smap *other_config;
};

/* A row of the Fabric_QoS table, likewise. */
struct fabric_qos_text {
    const char *name;
    const int64_t *min_rate;
    const int64_t *max_rate;
    const int64_t *classes;     /* 'n_classes' keys of the map, and */
    char **class_settings;      /* their values. */
    size_t n_classes;
    const struct smap *other_config;
};

char *fabric_parse_config(const struct fabric_text *, struct fabric_config *,
                          struct ds *warnings);
char *fabric_parse_endpoint(const struct fabric_endpoint_text *,
                            struct fabric_endpoint_config *,
                            struct ds *warnings);
char *fabric_parse_qos(const struct fabric_qos_text *, struct ds *warnings);

/* Parses an address that a tunnel may start or end at; 'what' names it in the
 * message. */
char *fabric_parse_ip(const char *what, const char *s, struct in6_addr *);

void fabric_config_destroy(struct fabric_config *);

/* Returns a copy, for fabric_config_destroy() and free(). */
struct fabric_config *fabric_config_clone(const struct fabric_config *);
bool fabric_config_equals(const struct fabric_config *,
                          const struct fabric_config *);

void fabric_endpoint_config_destroy(struct fabric_endpoint_config *);
bool fabric_endpoint_config_equals(const struct fabric_endpoint_config *,
                                   const struct fabric_endpoint_config *);

#endif /* fabric-parse.h */
