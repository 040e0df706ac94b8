/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_RULE_H
#define FABRIC_RULE_H 1

/* Rules of policy routing, as far as they can concern what our sockets send.
 * ==========================================================================
 *
 * Thread-safety: any thread, one for each struct fabric_rules. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ofpbuf;

struct fabric_rule {
    bool for_us;                /* May match a datagram of ours. */
    bool by_src_port;           /* Depends on its source port. */
    bool by_tos;                /* Depends on its DSCP. */

    /* Prefixes of addresses that it matches, IPv4 v4-mapped. */
    struct in6_addr src, dst;
    unsigned int src_plen, dst_plen;

    uint32_t table;             /* 0 if it names none. */
    bool any_table;             /* True if the VRF's table is looked in. */
};

/* Fills '*rule' in from the message 'msg' of the kernel.  Returns false if it
 * is a rule of neither IPv4 nor IPv6. */
bool fabric_rule_parse(const struct ofpbuf *msg, struct fabric_rule *rule);

/* What the rules come to that 'concerns' returns true for, among those that
 * are for us. */
struct fabric_rules {
    uint32_t *tables;           /* In which routes are looked for. */
    size_t n_tables, allocated_tables;
    bool any_table;
    bool by_src_port;
    bool by_tos[2];             /* IPv4, IPv6. */
};
#define FABRIC_RULES_INITIALIZER { .any_table = true }

/* Asks the kernel for its rules.  If that fails any table counts. */
void fabric_rules_read(struct fabric_rules *rules,
                       bool (*concerns)(const struct fabric_rule *));

/* Returns true if routes are looked for in 'table'. */
bool fabric_rules_have_table(const struct fabric_rules *rules,
                             uint32_t table);

#endif /* fabric-rule.h */
