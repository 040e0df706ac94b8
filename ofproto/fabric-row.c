/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-row.h"

#include "fabric-plan.h"
#include "openvswitch/vlog.h"
#include "util.h"
#include "uuid.h"

VLOG_DEFINE_THIS_MODULE(fabric_row);

static void
verdict_clear(struct fabric_verdict *v)
{
    free(v->refusal);
    free(v->qos);
    free(v->port);
    free(v->warning);
    *v = (struct fabric_verdict) { .refusal = NULL };
}

static const char *
verdict_error(const struct fabric_verdict *v)
{
    return v->refusal ? v->refusal : v->qos ? v->qos : v->port;
}

void
fabric_row_begin(struct hmap *rows)
{
    struct fabric_row *row;

    HMAP_FOR_EACH (row, node, rows) {
        row->seen = false;
        verdict_clear(&row->next);
    }
}

struct fabric_row *
fabric_row_find(const struct hmap *rows, const struct uuid *uuid)
{
    struct fabric_row *row;

    HMAP_FOR_EACH_WITH_HASH (row, node, uuid_hash(uuid), rows) {
        if (uuid_equals(&row->uuid, uuid)) {
            row->seen = true;
            return row;
        }
    }
    return NULL;
}

void
fabric_row_insert(struct hmap *rows, struct fabric_row *row,
                  const struct uuid *uuid, const char *kind, char *name)
{
    row->uuid = *uuid;
    row->kind = kind;
    row->name = name;
    row->seen = true;
    row->dirty = true;
    hmap_insert(rows, &row->node, uuid_hash(uuid));
}

void
fabric_row_remove(struct hmap *rows, struct fabric_row *row)
{
    hmap_remove(rows, &row->node);
    verdict_clear(&row->now);
    verdict_clear(&row->next);
    free(row->name);
}

void
fabric_row_plan(struct fabric_row *rows[], size_t n,
                void (*claims)(const struct fabric_row *, bool wanted,
                               struct sset *))
{
    struct fabric_plan_row *plan = xcalloc(MAX(n, 1), sizeof *plan);

    for (size_t i = 0; i < n; i++) {
        fabric_plan_row_init(&plan[i]);
        plan[i].refused = rows[i]->next.refusal != NULL;
        claims(rows[i], false, &plan[i].held);
        if (!plan[i].refused) {
            claims(rows[i], true, &plan[i].wanted);
        }
    }
    fabric_plan(plan, n);
    for (size_t i = 0; i < n; i++) {
        if (plan[i].contested) {
            const struct fabric_row *holder = rows[plan[i].holder];

            rows[i]->next.refusal = xasprintf("%s belongs to %s %s",
                                              plan[i].contested,
                                              holder->kind, holder->name);
        }
    }
    for (size_t i = 0; i < n; i++) {
        fabric_plan_row_destroy(&plan[i]);
    }
    free(plan);
}

void
fabric_row_commit(struct fabric_row *row)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(60, 60);
    const char *old = verdict_error(&row->now);
    const char *new = verdict_error(&row->next);

    if (!nullable_string_is_equal(old, new)) {
        row->dirty = true;
        if (new) {
            VLOG_WARN_RL(&rl, "%s %s: %s", row->kind, row->name, new);
        } else {
            VLOG_INFO_RL(&rl, "%s %s: configuration is valid now",
                         row->kind, row->name);
        }
    }
    if (!nullable_string_is_equal(row->now.warning, row->next.warning)) {
        row->dirty = true;
        if (row->next.warning) {
            VLOG_WARN_RL(&rl, "%s %s: %s", row->kind, row->name,
                         row->next.warning);
        }
    }

    verdict_clear(&row->now);
    row->now = row->next;
    row->next = (struct fabric_verdict) { .refusal = NULL };
}

const char *
fabric_row_error(const struct fabric_row *row)
{
    return verdict_error(&row->now);
}
