/* The nodes of a point: names, kinds, counts, and the configuration of every instance. */
#include "engine/scenario/each.h"
#include "engine/scenario/faults.h"
#include "engine/scenario/point.h"
#include "engine/scenario/scenario.h"

#include <stdlib.h>
#include <string.h>

/* Keys of a node that its kind's own table does not hold. */
static const char *const common_keys[] = {"kind",       "count", "zone",      "weight", "speed",
                                          "operations", "cost",  "autoscale", NULL};
/* The same and `to`, which the steps of one operation stand for. */
static const char *const common_keys_and_to[] = {
    "kind", "count", "zone", "weight", "speed", "operations", "cost", "autoscale", "to", NULL};
/* Keys of one operation of a client, beside the kind's. */
static const char *const client_operation_keys[] = {"share", "type",      "kind",  "count",
                                                    "zone",  "weight",    "speed", "operations",
                                                    "cost",  "autoscale", NULL};

bool point_name(struct point *point, const struct node *key, const char *what)
{
    const char *text = key->text;
    bool plain = *text && !(*text >= '0' && *text <= '9');
    bool harmless = *text;
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || *c == '_' ||
                      (*c >= '0' && *c <= '9');
        plain = plain && letter;
        if (*c <= 0x20 || *c == 0x7f || strchr(".,[]", *c))
            harmless = false;
    }
    static const char *const reserved[] = {"none", "unlimited", "default", "rest", "zone", "all"};
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (!strcmp(reserved[i], text)) {
            document_error(&point->document, key, NULL,
                           "`%s` has a meaning of its own: it cannot name %s", text, what);
            return false;
        }
    if (plain || (harmless && key->quoted))
        return true;
    document_error(&point->document, key,
                   strchr(text, '-') ? "underscores, never hyphens"
                                     : "letters, digits and underscores, a letter first",
                   "`%s` cannot name %s", text, what);
    return false;
}

static const struct kind *find_kind(struct point *point, const struct node *map,
                                    const struct node *name)
{
    const struct node *value = document_find(map, "kind");
    if (!value) {
        document_error(&point->document, name, NULL, "node `%s` needs a `kind`", name->text);
        return NULL;
    }
    if (value->type != NODE_SCALAR) {
        if (value->type != NODE_BAD)
            document_error(&point->document, value, NULL, "`kind` is a word");
        return NULL;
    }
    if (each_refuse(&point->document, value, "kind"))
        return NULL;
    size_t count = 0;
    for (const struct kind *const *k = point->kinds; *k; k++, count++)
        if (!strcmp((*k)->name, value->text))
            return *k;
    const char **names = arena_array(point->arena, count, const char *);
    char *list = arena_format(point->arena, "one of:");
    for (size_t i = 0; i < count; i++) {
        names[i] = point->kinds[i]->name;
        list = arena_format(point->arena, "%s %s", list, names[i]);
    }
    const char *near = diagnostic_suggest(point->document.diagnostics, value->text, names, count);
    document_error(&point->document, value, near ? near : list, "unknown kind `%s`", value->text);
    return NULL;
}

struct named {
    const char *name;
    const struct node *key, *map;
    const struct kind *kind;
};

static int by_name(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    return strcmp(x->name, y->name);
}

/* How many nodes may stand in a node's map. */
static uint32_t parts_most(const struct kind_parts *parts, const struct node *map)
{
    const struct node *all = parts ? document_find(map, parts->key) : NULL;
    return (all && all->type == NODE_MAP ? all->count : 0) + 1;
}

/* The nodes that stand in `outer`, behind it; returns how many. */
static uint32_t name_parts(struct point *point, const struct named *outer, struct named *parts)
{
    const struct kind_parts *told = outer->kind ? outer->kind->parts : NULL;
    uint32_t count = 0;
    if (!told)
        return 0;
    const struct node *all = document_find(outer->map, told->key);
    if (all && all->type != NODE_MAP && all->type != NODE_BAD)
        document_error(&point->document, all, NULL, "`%s` is a map from names to their keys",
                       told->key);
    for (uint32_t i = 0; all && all->type == NODE_MAP && i < all->count; i++) {
        const struct node *key = all->keys[i], *map = all->items[i];
        if (map->type != NODE_MAP && map->type != NODE_BAD)
            document_error(&point->document, map, NULL, "`%s` is a map of keys: {to: ...}",
                           key->text);
        if (map->type == NODE_MAP && point_name(point, key, "a subscription"))
            parts[count++] = (struct named){
                arena_format(point->arena, "%s.%s", outer->name, key->text), key, map, told->kind};
    }
    uint32_t at = document_index(outer->map, told->alone);
    if (at == UINT32_MAX)
        return count;
    if (all)
        document_error(&point->document, outer->map->items[at], NULL,
                       "`%s` is the only one: it does not stand beside `%s`", told->alone,
                       told->key);
    struct node **items = arena_array(point->arena, 1, struct node *);
    items[0] = outer->map->items[at];
    parts[count++] = (struct named){
        arena_format(point->arena, "%s.%s", outer->name, told->alone), outer->map->keys[at],
        document_map(&point->document, &outer->map->keys[at], items, 1, items[0]->place),
        told->kind};
    return count;
}

static void read_setting(struct point *point, const struct node *map, const char *key,
                         struct node_settings *settings)
{
    const struct node *value = document_find(map, key);
    if (value && !each_refuse(&point->document, value, key))
        bind_value(&point->binder, bind_find(&settings_node, key).field, settings, value);
}

/* The highest number in a schedule. */
static uint32_t schedule_most(const struct node_settings *settings)
{
    const struct scaling_point *points = settings->schedule.items;
    uint32_t most = 0;
    for (uint32_t i = 0; i < settings->schedule.count; i++)
        most = points[i].count > most ? points[i].count : most;
    return most;
}

/* What no field can say of a scaling. */
static const char *check_scaling(const struct blueprint_node *n,
                                 const struct node_settings *settings)
{
    const struct scaling *scaling = &settings->scaling;
    int ways = (scaling->target > 0) + (scaling->in_system > 0) + (settings->schedule.count > 0);
    if (!n->kind || n->kind->flags & KIND_CLIENT)
        return "a client cannot scale";
    if (ways != 1)
        return "`autoscale` needs one of `target`, `in_system` and `schedule`";
    if (!settings->schedule.count && !settings->most)
        return "`autoscale` needs a `max`";
    if (settings->most && settings->least > settings->most)
        return "`min` is above `max`";
    return NULL;
}

/* The instances that faults may add to a node, each once. */
static uint32_t added_by_faults(const struct point *point, const char *name)
{
    const struct node *faults = document_find(point->document.root, "faults");
    uint32_t added = 0;
    int32_t change;
    for (uint32_t i = 0; faults && faults->type == NODE_LIST && i < faults->count; i++) {
        const struct node *whom = document_find(faults->items[i], "scale");
        const struct node *by = document_find(faults->items[i], "by");
        if (whom && whom->type == NODE_SCALAR && !strcmp(whom->text, name) && by &&
            by->type == NODE_SCALAR && fault_change_read(by->text, &change) && change > 0)
            added += (uint32_t)change;
    }
    return added;
}

/* Reads how many instances there are and can be. */
static void read_counts(struct point *point, const struct node *map, const struct node *name,
                        struct blueprint_node *n)
{
    struct node_settings settings = {0};
    bind_defaults(&point->binder, &settings_node, &settings);
    read_setting(point, map, "count", &settings);
    read_setting(point, map, "autoscale", &settings);
    const char *copies = n->kind && n->kind->copies ? n->kind->copies->key : NULL;
    const struct node *machines = copies ? document_find(map, copies) : NULL;
    if (machines && document_find(map, "count"))
        document_error(&point->document, machines, NULL,
                       "`%s` has `replicas`: they are its instances, and there is no `count`",
                       n->name);
    if (machines)
        bind_value(&point->binder, bind_find(&settings_node, "count").field, &settings, machines);
    n->routed = machines && settings.count > 1;
    n->present = (uint32_t)settings.count;
    n->count = n->present + added_by_faults(point, n->name);
    if (!settings.scales)
        return;
    const char *why = check_scaling(n, &settings);
    if (why) {
        document_error(&point->document, name, NULL, "`%s`: %s", n->name, why);
        return;
    }
    struct scaling *scaling = arena_new(point->arena, struct scaling);
    uint32_t most = settings.most ? (uint32_t)settings.most : schedule_most(&settings);
    *scaling = settings.scaling;
    scaling->schedule = settings.schedule.items;
    scaling->schedule_count = settings.schedule.count;
    scaling->min = (uint32_t)settings.least;
    scaling->max = most;
    n->scaling = scaling;
    n->count = most > n->count ? most : n->count;
}

/* All nodes in order of name, those that stand in others too. */
static struct named *sort_nodes(struct point *point, const struct node *map, uint32_t *count)
{
    uint32_t most = 0, named = 0;
    struct named *nodes = arena_array(point->arena, map->count, struct named);
    for (uint32_t i = 0; i < map->count; i++) {
        const struct node *key = map->keys[i], *item = map->items[i];
        if (item->type != NODE_MAP) {
            if (item->type != NODE_BAD)
                document_error(&point->document, item, NULL,
                               "node `%s` is a map of keys: {kind: ...}", key->text);
            continue;
        }
        if (!point_name(point, key, "a node"))
            continue;
        struct named *n = &nodes[named++];
        *n = (struct named){
            .name = arena_format(point->arena, "%s", key->text), .key = key, .map = item};
    }
    qsort(nodes, named, sizeof *nodes, by_name);
    for (uint32_t i = 0; i < named; i++) {
        nodes[i].kind = find_kind(point, nodes[i].map, nodes[i].key);
        most += 1 + parts_most(nodes[i].kind ? nodes[i].kind->parts : NULL, nodes[i].map);
    }
    struct named *sorted = arena_array(point->arena, most, struct named);
    for (uint32_t i = 0; i < named; i++) {
        sorted[(*count)++] = nodes[i];
        *count += name_parts(point, &nodes[i], &sorted[*count]);
    }
    qsort(sorted, *count, sizeof *sorted, by_name);
    return sorted;
}

void point_nodes(struct point *point)
{
    const struct node *map = document_find(point->document.root, "nodes");
    if (!map || map->type != NODE_MAP || !map->count) {
        if (!map || map->type != NODE_BAD)
            document_error(&point->document, map ? map : point->document.root, NULL,
                           "a scenario needs `nodes`: a map from names to nodes");
        return;
    }
    uint32_t count = 0;
    struct named *sorted = sort_nodes(point, map, &count);
    point->nodes = arena_array(point->arena, count, struct blueprint_node);
    point->maps = arena_array(point->arena, count, const struct node *);
    point->names = arena_array(point->arena, count, const struct node *);
    uint64_t agents = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct blueprint_node *n = &point->nodes[i];
        point->maps[i] = sorted[i].map;
        point->names[i] = sorted[i].key;
        *n = (struct blueprint_node){
            .name = sorted[i].name,
            .kind = sorted[i].kind,
            .count = 1,
            .present = 1,
        };
        if (!n->kind || !(n->kind->flags & KIND_GUEST))
            read_counts(point, sorted[i].map, sorted[i].key, n);
    }
    for (uint32_t i = 0; i < count; i++) {
        struct blueprint_node *n = &point->nodes[i];
        point_group_count(point, i, count);
        n->first = (uint32_t)agents;
        agents += n->count;
        if (agents > SCENARIO_AGENTS_MAX) {
            document_error(&point->document, sorted[i].key, NULL,
                           "more than %d instances of nodes in all", SCENARIO_AGENTS_MAX);
            agents -= n->count - 1;
            n->count = 1;
        }
    }
    point->blueprint->nodes = point->nodes;
    point->blueprint->node_count = count;
    point->blueprint->agent_count = (uint32_t)agents;
}

/* Marks the operations that have values of their own at this node. */
static void mark_special(struct point *point, uint32_t node, const struct node *map)
{
    const struct kind *kind = point->nodes[node].kind;
    bool *special = point->special + (size_t)node * point->blueprint->operation_count;
    uint32_t index;
    const struct node *over = document_find(map, "operations");
    for (uint32_t i = 0; over && over->type == NODE_MAP && i < over->count; i++)
        if (bind_operation(&point->binder, over->keys[i]->text, &index))
            special[index] = true;
    for (uint32_t i = 0; i < map->count; i++) {
        const struct field *f = bind_find(kind->fields, map->keys[i]->text).field;
        const struct node *value = map->items[i];
        if (!f || !(f->flags & FIELD_PER_OPERATION) || value->type != NODE_MAP)
            continue;
        for (uint32_t k = 0; k < value->count; k++)
            if (bind_operation(&point->binder, value->keys[k]->text, &index))
                special[index] = true;
    }
    if (kind->flags & KIND_CLIENT && !over && bind_operation(&point->binder, "read", &index))
        special[index] = true;
}

/* The overrides of one operation; NULL where there are none. Bad ones are told. */
static const struct node *override_of(struct point *point, uint32_t node, const struct node *map,
                                      uint32_t operation)
{
    const struct node *all = document_find(map, "operations");
    const struct node *one = all ? document_find(all, point->operations[operation].name) : NULL;
    if (!one || one->type == NODE_MAP)
        return one;
    if (!(point->nodes[node].kind->flags & KIND_CLIENT) && one->type != NODE_BAD)
        document_error(&point->document, one, "shares are declared at the clients",
                       "an operation of this node is a map of keys");
    return NULL;
}

/* Keys that are read once for the whole node say nothing in one operation. */
static void check_override(struct point *point, const struct kind *kind, const struct node *over)
{
    for (uint32_t i = 0; i < over->count; i++) {
        const struct field *f = bind_find(kind->fields, over->keys[i]->text).field;
        bool common = false;
        for (const char *const *k = common_keys; *k; k++)
            common = common || !strcmp(*k, over->keys[i]->text);
        if (common || (f && f->flags & FIELD_WHOLE))
            document_error(&point->document, over->keys[i], NULL,
                           "`%s` belongs to the whole node, not to one operation",
                           over->keys[i]->text);
    }
}

static void *bind_config(struct point *point, uint32_t node, const struct node *map,
                         uint32_t operation, double share)
{
    const struct kind *kind = point->nodes[node].kind;
    bool client = kind->flags & KIND_CLIENT;
    void *config = arena_take(point->arena, kind->config_size);
    const char *what =
        arena_format(point->arena, "`%s`, a %s", point->nodes[node].name, kind->name);
    const struct node *over = NULL;
    point->binder.operation = operation;
    bind_defaults(&point->binder, kind->fields, config);
    if (operation != UINT32_MAX)
        over = override_of(point, node, map, operation);
    const char *const *common = kind->flags & KIND_GUEST               ? NULL
                                : over && document_find(over, "steps") ? common_keys_and_to
                                                                       : common_keys;
    bind_map(&point->binder, kind->fields, config, map, common, what);
    if (over) {
        check_override(point, kind, over);
        point->binder.overrides = true;
        bind_map(&point->binder, kind->fields, config, over,
                 client ? client_operation_keys : common_keys,
                 arena_format(point->arena, "an operation of a %s", kind->name));
        point->binder.overrides = false;
    }
    bind_steps(&point->binder, kind->fields, config, map, over);
    bind_required(&point->binder, kind->fields, map, over, what);
    const char *why = kind->check ? kind->check(config) : NULL;
    if (why)
        document_error(&point->document, point->names[node], NULL, "`%s`: %s",
                       point->nodes[node].name, why);
    struct bind_field field = bind_find(kind->fields, "share");
    if (client && field.field && field.field->type == FIELD_SHARE)
        *(double *)(void *)((char *)config + field.offset) = share;
    return config;
}

/* All configurations of one instance: one for each special operation, one for all others. */
static const void **bind_instance(struct point *point, uint32_t node, const struct node *map)
{
    uint32_t count = point->blueprint->operation_count;
    const bool *special = point->special + (size_t)node * count;
    const void **configs = arena_array(point->arena, count, const void *);
    double shares[OPERATIONS_MAX] = {0};
    void *other = NULL;
    if (point->nodes[node].kind->flags & KIND_CLIENT)
        point_shares(point, map, shares);
    for (uint32_t o = 0; o < count; o++) {
        if (special[o])
            configs[o] = bind_config(point, node, map, o, shares[o]);
        else if (!other)
            configs[o] = other = bind_config(point, node, map, UINT32_MAX, 0);
        else
            configs[o] = other;
    }
    return configs;
}

/* Operations named at a node that no client begins are slips of the pen. */
static void check_operations(struct point *point, uint32_t node, const struct node *map)
{
    const struct node *over = document_find(map, "operations");
    uint32_t index, count = point->blueprint->operation_count;
    const char *names[OPERATIONS_MAX];
    for (uint32_t i = 0; i < count; i++)
        names[i] = point->operations[i].name;
    if (over && over->type != NODE_MAP && over->type != NODE_BAD)
        document_error(&point->document, over, NULL, "`operations` is a map of operations");
    if (point->nodes[node].kind->flags & KIND_CLIENT || !over || over->type != NODE_MAP)
        return;
    for (uint32_t i = 0; i < over->count; i++)
        if (!bind_operation(&point->binder, over->keys[i]->text, &index))
            document_error(
                &point->document, over->keys[i],
                diagnostic_suggest(point->document.diagnostics, over->keys[i]->text, names, count),
                "no client has an operation `%s`", over->keys[i]->text);
}

/* What no field table can say of a client: an open loop or a closed one, and shares by operation.
 */
static void check_client(struct point *point, uint32_t node, const struct node *map)
{
    const struct blueprint_node *n = &point->nodes[node];
    const struct node *share = document_find(map, "share");
    bool loops = bind_find(n->kind->fields, "arrivals").field != NULL;
    const struct node *open = document_find(map, "arrivals"), *closed = document_find(map, "users");
    if (!(n->kind->flags & KIND_CLIENT))
        return;
    if (share)
        document_error(&point->document, share, "operations: {read: 80%, write: 20%}",
                       "a share belongs to one operation");
    if (loops && !open && !closed)
        document_error(&point->document, point->names[node],
                       "arrivals: poisson(200/s), or users: 50",
                       "client `%s` needs `arrivals` or `users`", n->name);
    if (open && closed)
        document_error(&point->document, closed, NULL,
                       "client `%s` has `arrivals` (an open loop) and `users` (a closed one)",
                       n->name);
}

static void bind_node_configs(struct point *point, uint32_t node)
{
    struct blueprint_node *n = &point->nodes[node];
    const struct node *map = point->maps[node];
    struct instance *instances = arena_array(point->arena, n->count, struct instance);
    uint32_t period = each_period(&point->document, map, n->count);
    n->instances = instances;
    CHECK(period);
    point->binder.node = node;
    check_operations(point, node, map);
    check_client(point, node, map);
    mark_special(point, node, map);
    for (uint32_t i = 0; i < n->count; i++) {
        if (i < period) {
            const struct node *dealt = each_deal(&point->document, map, i);
            struct node_settings settings = {0};
            static const char *const common[] = {"weight", "speed", "cost"};
            bind_defaults(&point->binder, &settings_node, &settings);
            for (size_t k = 0; k < sizeof common / sizeof *common; k++) {
                const struct node *value = document_find(dealt, common[k]);
                if (value)
                    bind_value(&point->binder, bind_find(&settings_node, common[k]).field,
                               &settings, value);
            }
            instances[i] = (struct instance){
                .configs = bind_instance(point, node, dealt),
                .weight = settings.weight,
                .speed = settings.speed,
                .price = settings.price,
            };
        } else {
            instances[i] = instances[i % period];
        }
        instances[i].zone = point->zones[n->first + i];
    }
}

void point_configs(struct point *point)
{
    const struct blueprint *b = point->blueprint;
    point->special = arena_array(point->arena, (size_t)b->node_count * b->operation_count, bool);
    for (uint32_t i = 0; i < b->node_count; i++)
        if (point->nodes[i].kind)
            bind_node_configs(point, i);
    point->binder.node = BIND_NO_NODE;
}
