/* SPDX-License-Identifier: Apache-2.0 */

/* The Fabric_Endpoint part of the configuration, see fabric-config.h.
 *
 * Rows are handled fabric by fabric.  fabric-plan.h says which of the changes
 * can coexist, but they reach the registry one after the other, and an address
 * may have to be given up by one endpoint before another can have it.  So
 * changes are tried until none succeeds any more.  What is left then waits in
 * a circle, such as two endpoints that swap addresses, which is broken by
 * removing its endpoints first. */

#include <config.h>

#include "fabric-config.h"

#include "fabric-idl.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/shash.h"
#include "ovsdb-idl.h"
#include "packets.h"
#include "sset.h"
#include "util.h"

/* The rows of one fabric. */
struct group {
    const char *fabric;
    struct fabric_row **rows;   /* In order of precedence. */
    size_t n;
};

static struct fabric_endpoint_row *
endpoint_row_cast(const struct fabric_row *row)
{
    return CONTAINER_OF(row, struct fabric_endpoint_row, row);
}

static void
free_config(struct fabric_endpoint_config **config)
{
    fabric_endpoint_config_destroy(*config);
    free(*config);
    *config = NULL;
}

/* Reading. */

static void
read_endpoint(const struct ovsrec_fabric_endpoint *rec,
              struct hmap *endpoints)
{
    struct fabric_row *row = fabric_row_find(endpoints, &rec->header_.uuid);
    struct ds warnings = DS_EMPTY_INITIALIZER;
    struct fabric_endpoint_row *ep;
    struct fabric_endpoint_text text = fabric_idl_endpoint_text(rec);

    if (!row) {
        ep = xzalloc(sizeof *ep);
        row = &ep->row;
        ep->fabric = xstrdup(rec->fabric);
        fabric_row_insert(endpoints, row, &rec->header_.uuid, "endpoint",
                          xasprintf("%s/%s", rec->fabric, rec->name));
    }
    ep = endpoint_row_cast(row);

    free_config(&ep->wanted);
    ep->wanted = xmalloc(sizeof *ep->wanted);
    row->next.refusal = fabric_parse_endpoint(&text, ep->wanted, &warnings);
    if (row->next.refusal) {
        free(ep->wanted);
        ep->wanted = NULL;
    }
    row->next.qos = fabric_config_check_qos(rec->qos, &warnings);
    row->dirty |= !rec->n_id;
    row->next.warning = warnings.length ? ds_steal_cstr(&warnings) : NULL;
    ds_destroy(&warnings);
}

static void
unapply(struct fabric_endpoint_row *ep)
{
    if (ep->applied) {
        fabric_registry_del_endpoint(ep->fabric, ep->applied->id);
        free_config(&ep->applied);
    }
}

static void
remove_endpoint(struct hmap *endpoints, struct fabric_endpoint_row *ep)
{
    free_config(&ep->applied);
    free_config(&ep->wanted);
    fabric_row_remove(endpoints, &ep->row);
    free(ep->fabric);
    free(ep);
}

void
fabric_endpoints_read(struct ovsdb_idl *idl, struct hmap *endpoints)
{
    const struct ovsrec_fabric_endpoint *rec;
    struct fabric_endpoint_row *ep;

    fabric_row_begin(endpoints);
    OVSREC_FABRIC_ENDPOINT_FOR_EACH (rec, idl) {
        read_endpoint(rec, endpoints);
    }
    HMAP_FOR_EACH_SAFE (ep, row.node, endpoints) {
        if (!ep->row.seen) {
            unapply(ep);
            remove_endpoint(endpoints, ep);
        }
    }
}

/* The registry has dropped all endpoints of 'fabric'. */
void
fabric_endpoints_forget(struct hmap *endpoints, const char *fabric)
{
    struct fabric_endpoint_row *ep;

    HMAP_FOR_EACH (ep, row.node, endpoints) {
        if (ep->applied && !strcmp(ep->fabric, fabric)) {
            free_config(&ep->applied);
            ep->row.dirty = true;
        }
    }
}

void
fabric_endpoints_clear(struct hmap *endpoints)
{
    struct fabric_endpoint_row *ep;

    HMAP_FOR_EACH_SAFE (ep, row.node, endpoints) {
        unapply(ep);
        remove_endpoint(endpoints, ep);
    }
}

/* IDs. */

static int
compare_ids(const void *a_, const void *b_)
{
    const uint32_t *a = a_, *b = b_;

    return *a < *b ? -1 : *a > *b;
}

/* Returns the first ID after 'last' that is not among the 'n' ones in 'used',
 * which are in order.  After the highest comes the lowest. */
static uint32_t
next_id(uint32_t last, const uint32_t used[], size_t n)
{
    uint32_t id = last;

    do {
        id = id < FABRIC_MAX_ENDPOINT_ID ? id + 1 : 1;
    } while (bsearch(&id, used, n, sizeof *used, compare_ids));
    return id;
}

/* Notes the IDs that rows ask for themselves and did not have before. */
static void
note_ids(struct fabric_ids *ids, const struct group *group)
{
    bool first = !ids->known && ids->last;

    for (size_t r = 0; r < group->n && !first; r++) {
        struct fabric_endpoint_row *ep = endpoint_row_cast(group->rows[r]);
        uint32_t id = ep->wanted ? ep->wanted->id : 0;

        if (id > ids->last && !(ep->applied && ep->applied->id == id)) {
            ids->last = id;
        }
    }
    ids->known = true;
}

/* Gives every row without an ID the one that it has in force, else the next
 * one that no row wants or has in force. */
static void
assign_ids(const struct group *group, struct fabric_ids *ids)
{
    uint32_t *used = xmalloc(2 * group->n * sizeof *used);
    size_t n = 0;

    note_ids(ids, group);
    for (size_t r = 0; r < group->n; r++) {
        struct fabric_endpoint_row *ep = endpoint_row_cast(group->rows[r]);

        if (ep->applied) {
            used[n++] = ep->applied->id;
        }
        if (ep->wanted && ep->wanted->id) {
            used[n++] = ep->wanted->id;
        }
    }
    qsort(used, n, sizeof *used, compare_ids);

    for (size_t r = 0; r < group->n; r++) {
        struct fabric_endpoint_row *ep = endpoint_row_cast(group->rows[r]);

        if (!ep->wanted || ep->wanted->id) {
            continue;
        }
        if (ep->applied) {
            ep->wanted->id = ep->applied->id;
            continue;
        }
        ids->last = next_id(ids->last, used, n);
        ep->wanted->id = ids->last;
    }
    free(used);
}

/* Applying. */

static void
endpoint_claims(const struct fabric_row *row, bool wanted,
                struct sset *claims)
{
    struct fabric_endpoint_row *ep = endpoint_row_cast(row);
    const struct fabric_endpoint_config *config = (wanted ? ep->wanted
                                                   : ep->applied);
    if (!config) {
        return;
    }

    sset_add_and_free(claims, xasprintf("id %"PRIu32, config->id));
    for (size_t i = 0; i < config->n_remote_ips; i++) {
        char buf[INET6_ADDRSTRLEN];

        sset_add_and_free(claims, xasprintf(
            "remote IP %s", ipv6_string_mapped(buf, &config->remote_ips[i])));
    }
}

static bool
is_pending(const struct fabric_endpoint_row *ep)
{
    return (ep->wanted
            && !(ep->applied
                 && fabric_endpoint_config_equals(ep->applied, ep->wanted)));
}

/* Gives 'ep' another ID, which to the registry makes it another endpoint.
 * Whatever else the registry may refuse is tried with the old ID first. */
static char *
change_id(struct fabric_endpoint_row *ep)
{
    struct fabric_endpoint_config trial = *ep->wanted;
    char *error;

    trial.id = ep->applied->id;
    error = fabric_registry_set_endpoint(ep->fabric, &trial);
    if (!error) {
        fabric_registry_del_endpoint(ep->fabric, ep->applied->id);
        error = fabric_registry_set_endpoint(ep->fabric, ep->wanted);
        if (error) {
            free(fabric_registry_set_endpoint(ep->fabric, ep->applied));
        }
    }
    return error;
}

/* Tries to put 'ep' in force.  Returns true if that succeeds. */
static bool
apply_endpoint(struct fabric_endpoint_row *ep)
{
    char *error = (ep->applied && ep->applied->id != ep->wanted->id
                   ? change_id(ep)
                   : fabric_registry_set_endpoint(ep->fabric, ep->wanted));

    free(ep->row.next.refusal);
    ep->row.next.refusal = error;
    ep->row.dirty = true;
    if (error) {
        return false;
    }
    free_config(&ep->applied);
    ep->applied = ep->wanted;
    ep->wanted = NULL;
    return true;
}

/* Applies what it can of 'rows' and removes that from the array.  Returns the
 * number of rows left. */
static size_t
apply_rows(struct fabric_endpoint_row *rows[], size_t n)
{
    size_t left = n + 1;

    while (n && n < left) {
        left = n;
        n = 0;
        for (size_t i = 0; i < left; i++) {
            if (!apply_endpoint(rows[i])) {
                rows[n++] = rows[i];
            }
        }
    }
    return n;
}

/* Tells whether 'ep' wants what others in 'holders' (claim to row) have. */
static bool
is_blocked(const struct fabric_endpoint_row *ep, const struct shash *holders)
{
    struct sset wanted = SSET_INITIALIZER(&wanted);
    bool blocked = false;
    const char *claim;

    endpoint_claims(&ep->row, true, &wanted);
    SSET_FOR_EACH (claim, &wanted) {
        const struct fabric_row *holder = shash_find_data(holders, claim);

        blocked |= holder && holder != &ep->row;
    }
    sset_destroy(&wanted);
    return blocked;
}

/* Puts the previous configuration of 'ep', which was removed, back. */
static void
restore(struct fabric_endpoint_row *ep, struct fabric_endpoint_config *old)
{
    char *error = NULL;

    if (old && !ep->applied) {
        error = fabric_registry_set_endpoint(ep->fabric, old);
        if (!error) {
            ep->applied = old;
            return;
        }
    }
    free(error);
    free_config(&old);
}

/* Applies the 'n' rows, each of which only others of them may stand in the way
 * of. */
static void
apply_circle(struct fabric_endpoint_row *rows[], size_t n)
{
    struct fabric_endpoint_config **old = xcalloc(n, sizeof *old);
    struct fabric_endpoint_row **circle = xmalloc(n * sizeof *circle);
    struct shash holders = SHASH_INITIALIZER(&holders);
    size_t n_circle = 0;

    for (size_t i = 0; i < n; i++) {
        struct sset held = SSET_INITIALIZER(&held);
        const char *claim;

        endpoint_claims(&rows[i]->row, false, &held);
        SSET_FOR_EACH (claim, &held) {
            shash_add_once(&holders, claim, &rows[i]->row);
        }
        sset_destroy(&held);
    }
    for (size_t i = 0; i < n; i++) {
        if (is_blocked(rows[i], &holders)) {
            circle[n_circle++] = rows[i];
            if (rows[i]->applied) {
                fabric_registry_del_endpoint(rows[i]->fabric,
                                             rows[i]->applied->id);
                old[i] = rows[i]->applied;
                rows[i]->applied = NULL;
            }
        }
    }
    apply_rows(circle, n_circle);
    for (size_t i = 0; i < n; i++) {
        restore(rows[i], old[i]);
    }
    shash_destroy(&holders);
    free(circle);
    free(old);
}

static void
apply_group(const struct group *group)
{
    struct fabric_fabric_row *f = fabric_config_lookup(group->fabric);
    struct fabric_endpoint_row **pending;
    uint32_t last_id;
    size_t n = 0;

    if (!f) {
        for (size_t i = 0; i < group->n; i++) {
            struct fabric_row *row = group->rows[i];

            if (!row->next.refusal) {
                row->next.refusal = xasprintf("fabric \"%s\" is not in force",
                                              group->fabric);
            }
        }
        return;
    }

    last_id = f->ids.last;
    assign_ids(group, &f->ids);
    f->row.dirty |= f->ids.last != last_id;
    fabric_row_plan(group->rows, group->n, endpoint_claims);

    pending = xmalloc(group->n * sizeof *pending);
    for (size_t i = 0; i < group->n; i++) {
        struct fabric_endpoint_row *ep = endpoint_row_cast(group->rows[i]);

        if (!ep->row.next.refusal && is_pending(ep)) {
            pending[n++] = ep;
        }
    }
    n = apply_rows(pending, n);
    if (n > 1) {
        apply_circle(pending, n);
    }
    free(pending);
}

/* By fabric, then those with an ID by that, then those without by name. */
static int
compare_endpoint_rows(const void *a_, const void *b_)
{
    const struct fabric_row *const *ap = a_;
    const struct fabric_row *const *bp = b_;
    const struct fabric_endpoint_row *a = endpoint_row_cast(*ap);
    const struct fabric_endpoint_row *b = endpoint_row_cast(*bp);
    uint32_t a_id = a->wanted && a->wanted->id ? a->wanted->id : UINT32_MAX;
    uint32_t b_id = b->wanted && b->wanted->id ? b->wanted->id : UINT32_MAX;
    int cmp = strcmp(a->fabric, b->fabric);

    return (cmp ? cmp
            : a_id != b_id ? (a_id < b_id ? -1 : 1)
            : strcmp(a->row.name, b->row.name));
}

void
fabric_endpoints_apply(struct hmap *endpoints)
{
    size_t n = hmap_count(endpoints);
    struct fabric_row **rows = xmalloc(MAX(n, 1) * sizeof *rows);
    struct fabric_endpoint_row *ep;
    size_t i = 0;

    HMAP_FOR_EACH (ep, row.node, endpoints) {
        rows[i++] = &ep->row;
    }
    qsort(rows, n, sizeof *rows, compare_endpoint_rows);

    for (i = 0; i < n; ) {
        struct group group = {
            .fabric = endpoint_row_cast(rows[i])->fabric,
            .rows = &rows[i],
        };

        for (; i < n && !strcmp(endpoint_row_cast(rows[i])->fabric,
                                group.fabric); i++) {
            group.n++;
        }
        apply_group(&group);
    }
    free(rows);
}
