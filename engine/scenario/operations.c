/* Operations of a point: clients declare them, and steps that begin one (`as`); their names and
 * types hold for the whole scenario.
 */
#include "engine/scenario/each.h"
#include "engine/scenario/point.h"
#include "engine/scenario/unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const type_names[] = {
    [OPERATION_READ] = "read",     [OPERATION_WRITE] = "write",
    [OPERATION_INSERT] = "insert", [OPERATION_UPDATE] = "update",
    [OPERATION_CAS] = "cas",       [OPERATION_DELETE] = "delete",
    [OPERATION_SCAN] = "scan",     [OPERATION_TRANSACTION] = "transaction",
    [OPERATION_SEND] = "send",     [OPERATION_LOGIN] = "login",
    [OPERATION_LOGOUT] = "logout",
};

static enum operation_type type_named(const char *name)
{
    for (int i = 0; i < OPERATION_UNTYPED; i++)
        if (!strcmp(type_names[i], name))
            return (enum operation_type)i;
    return OPERATION_UNTYPED;
}

/* The type written for an operation, or the one its name implies. */
static enum operation_type type_of(struct point *point, const struct node *key,
                                   const struct node *value)
{
    const struct node *type = document_find(value, "type");
    if (!type)
        return type_named(key->text);
    if (type->type != NODE_SCALAR || each_refuse(&point->document, type, "type"))
        return OPERATION_UNTYPED;
    enum operation_type found = type_named(type->text);
    if (found == OPERATION_UNTYPED) {
        const char *near = diagnostic_suggest(point->document.diagnostics, type->text, type_names,
                                              OPERATION_UNTYPED);
        document_error(&point->document, type,
                       near ? near
                            : "one of: read write insert update cas delete scan transaction send "
                              "login logout",
                       "`%s` is no type of operation", type->text);
    }
    return found;
}

struct declared {
    struct operation operation;
    const struct node *at;
};

static int by_operation_name(const void *a, const void *b)
{
    const struct declared *x = a, *y = b;
    return strcmp(x->operation.name, y->operation.name);
}

static uint32_t declare(struct point *point, struct declared *all, uint32_t count,
                        const struct node *key, const struct node *value)
{
    enum operation_type type = type_of(point, key, value);
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(all[i].operation.name, key->text) != 0)
            continue;
        if (all[i].operation.type != type) {
            document_error(&point->document, key, "operations are one for the whole scenario",
                           "operation `%s` has another type here than at another client",
                           key->text);
            diagnostic_note(point->document.diagnostics, all[i].at->place, "declared here first");
        }
        return count;
    }
    if (!point_name(point, key, "an operation"))
        return count;
    if (count == OPERATIONS_MAX) {
        document_error(&point->document, key, NULL, "more than %d operations", OPERATIONS_MAX);
        return count;
    }
    all[count] = (struct declared){
        .operation = {.name = arena_format(point->arena, "%s", key->text), .type = type},
        .at = key,
    };
    return count + 1;
}

/* A step that says `as` begins an operation of this name, as a client does that lists it. */
struct declaring {
    struct declared *all;
    uint32_t *count;
};

static void declare_begun(struct point *point, void *context, const struct node *name)
{
    const struct declaring *d = context;
    static const struct node nothing = {.type = NODE_MAP};
    for (uint32_t i = 0; i < *d->count; i++)
        if (!strcmp(d->all[i].operation.name, name->text))
            return;
    if (!each_refuse(&point->document, name, "as"))
        *d->count = declare(point, d->all, *d->count, name, &nothing);
}

static uint32_t declare_steps(struct point *point, struct declared *all, uint32_t count)
{
    struct declaring d = {all, &count};
    for (uint32_t i = 0; i < point->blueprint->node_count; i++) {
        const struct kind *kind = point->nodes[i].kind;
        struct bind_field f = kind ? bind_find(kind->fields, "steps") : (struct bind_field){0};
        const struct node *map = document_find(point->maps[i], "operations");
        const struct node *steps = document_find(point->maps[i], "steps");
        if (!f.field || f.field->type != FIELD_STEPS)
            continue;
        if (steps)
            point_begun(point, steps, declare_begun, &d);
        for (uint32_t k = 0; map && map->type == NODE_MAP && k < map->count; k++)
            if ((steps = document_find(map->items[k], "steps")) != NULL)
                point_begun(point, steps, declare_begun, &d);
    }
    return count;
}

void point_operations(struct point *point)
{
    struct declared all[OPERATIONS_MAX + 1];
    uint32_t count = 0, clients = 0, unknown = 0;
    bool plain = false;
    for (uint32_t i = 0; i < point->blueprint->node_count; i++) {
        const struct kind *kind = point->nodes[i].kind;
        unknown += !kind;
        if (!kind || !(kind->flags & KIND_CLIENT))
            continue;
        clients++;
        const struct node *map = document_find(point->maps[i], "operations");
        plain = plain || !map;
        for (uint32_t k = 0; map && map->type == NODE_MAP && k < map->count; k++)
            count = declare(point, all, count, map->keys[k], map->items[k]);
    }
    bool has_read = false;
    for (uint32_t i = 0; i < count; i++)
        has_read = has_read || !strcmp(all[i].operation.name, "read");
    if ((plain || !count) && !has_read && count < OPERATIONS_MAX)
        all[count++] = (struct declared){.operation = {.name = "read", .type = OPERATION_READ}};
    count = declare_steps(point, all, count);
    if (!clients && !unknown && point->blueprint->node_count)
        document_error(&point->document, document_find(point->document.root, "nodes"),
                       "add a node of kind `client`", "nobody calls: there is no client");
    qsort(all, count, sizeof *all, by_operation_name);
    point->operations = arena_array(point->arena, count, struct operation);
    point->declared = arena_array(point->arena, count, const struct node *);
    for (uint32_t i = 0; i < count; i++) {
        point->operations[i] = all[i].operation;
        point->declared[i] = all[i].at;
    }
    point->blueprint->operations = point->operations;
    point->blueprint->operation_count = count;
}

/* Where an operation says its share; the only one of a client need not. */
static const struct node *share_of(struct point *point, const struct node *key,
                                   const struct node *value, bool only)
{
    static const struct node whole = {.type = NODE_SCALAR, .text = "rest"};
    if (value->type == NODE_MAP) {
        const struct node *share = document_find(value, "share");
        if (!share && only)
            return &whole;
        if (!share) {
            document_error(&point->document, key, "share: 20%, or share: rest",
                           "operation `%s` needs a share", key->text);
            return NULL;
        }
        value = share;
    }
    if (value->type == NODE_SCALAR)
        return value;
    if (value->type != NODE_BAD)
        document_error(&point->document, value, NULL, "a share is one value, such as 20%%");
    return NULL;
}

bool point_shares(struct point *point, const struct node *map, double *shares)
{
    const struct node *all = document_find(map, "operations");
    uint32_t index, rest = UINT32_MAX;
    double sum = 0;
    bool ok = true;
    if (!all) {
        if (bind_operation(&point->binder, "read", &index))
            shares[index] = 1;
        return true;
    }
    if (all->type != NODE_MAP)
        return false;
    for (uint32_t i = 0; i < all->count; i++) {
        const struct node *share = share_of(point, all->keys[i], all->items[i], all->count == 1);
        struct unit_problem problem = {{0}, {0}};
        struct quantity q = {0};
        if (!share || !bind_operation(&point->binder, all->keys[i]->text, &index)) {
            ok = false;
        } else if (!strcmp(share->text, "rest") && rest != UINT32_MAX) {
            document_error(&point->document, share, NULL, "only one share can be the rest");
            ok = false;
        } else if (!strcmp(share->text, "rest")) {
            rest = index;
        } else if (!unit_parse(share->text, UNIT_SHARE, &q, &problem) || q.value < 0) {
            document_error(&point->document, share, problem.hint[0] ? problem.hint : NULL,
                           "share of `%s`: %s", all->keys[i]->text,
                           problem.message[0] ? problem.message : "it cannot be negative");
            ok = false;
        } else {
            sum += shares[index] = q.value;
        }
    }
    if (!ok)
        return false;
    if (rest != UINT32_MAX && sum <= 1 + 1e-9)
        shares[rest] = fmax(0, 1 - sum);
    else if (fabs(sum - 1) > 1e-9) {
        char text[UNIT_TEXT_SIZE];
        document_error(&point->document, all, "`rest` makes one of them what is left",
                       "the shares add up to %s, not to 100%%",
                       unit_format_short(sum, UNIT_SHARE, 9, text));
        return false;
    }
    return true;
}
