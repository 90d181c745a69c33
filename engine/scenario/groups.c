/* Groups: nodes that are no machines. Each of their instances lives on the place of one member, in
 * the order in which the members are written. */
#include "engine/scenario/point.h"

#include <string.h>

/* Keys of a machine, which a group has none of. */
static const char *const machine_keys[] = {"count", "zone",      "weight", "speed",
                                           "cost",  "autoscale", NULL};

static bool is_group(const struct blueprint_node *n)
{
    return n->kind && n->kind->flags & KIND_GROUP;
}

/* A node whose instances live on the places of those it calls, one for each. */
static bool is_guest(const struct blueprint_node *n)
{
    return n->kind && n->kind->flags & KIND_GUEST;
}

/* The names that stand under `key`: one, or a list; what is no name is told by bind_pool. */
static uint32_t members_of(const struct node *map, const char *key,
                           const struct node *const **names)
{
    static const struct node *const nobody[1];
    const struct node *value = document_find(map, key);
    *names = nobody;
    if (!value || (value->type != NODE_SCALAR && value->type != NODE_LIST))
        return 0;
    for (uint32_t i = 0; value->type == NODE_LIST && i < map->count; i++)
        if (map->items[i] == value) {
            *names = (const struct node *const *)value->items;
            return value->count;
        }
    for (uint32_t i = 0; i < map->count; i++)
        if (map->items[i] == value)
            *names = (const struct node *const *)&map->items[i];
    return 1;
}

/* How many instances a name stands for; 1 where it is none, which is told later. */
static uint32_t instances_of(const struct point *point, const struct node *name, uint32_t count)
{
    if (name->type != NODE_SCALAR || strchr(name->text, '.'))
        return 1;
    for (uint32_t i = 0; i < count; i++)
        if (!strcmp(point->nodes[i].name, name->text))
            return is_group(&point->nodes[i]) ? 1 : point->nodes[i].count;
    return 1;
}

/* As many instances as those whom `key` names have. */
static void count_instances(struct point *point, uint32_t node, uint32_t nodes, const char *key)
{
    struct blueprint_node *n = &point->nodes[node];
    const struct node *const *names;
    uint32_t named = members_of(point->maps[node], key, &names), count = 0;
    for (uint32_t i = 0; i < named; i++)
        count += instances_of(point, names[i], nodes);
    n->count = n->present = count ? count : 1;
}

void point_group_count(struct point *point, uint32_t node, uint32_t nodes)
{
    struct blueprint_node *n = &point->nodes[node];
    const struct node *map = point->maps[node];
    if (is_guest(n)) {
        count_instances(point, node, nodes, "to");
        return;
    }
    if (!is_group(n))
        return;
    for (const char *const *key = machine_keys; *key; key++) {
        const struct node *value = document_find(map, *key);
        if (value)
            document_error(&point->document, value, "say it of the members",
                           "`%s` is a group, no machine: it has no `%s`", n->name, *key);
    }
    count_instances(point, node, nodes, "members");
    n->scaling = NULL;
}

/* `count` instances live on the places of `first` and those behind it. */
static uint32_t host_range(struct point *point, uint32_t first, uint32_t count, uint32_t *hosts,
                           uint32_t at, uint32_t room)
{
    for (uint32_t i = 0; i < count && i < room; i++) {
        hosts[at + i] = first + i;
        point->zones[at + i] = point->zones[first + i];
    }
    return count < room ? count : room;
}

/* One member's instances into `hosts`, from `at` on; returns how many. */
static uint32_t host_members(struct point *point, const struct node *name, uint32_t *hosts,
                             uint32_t at, uint32_t room)
{
    const struct blueprint *b = point->blueprint;
    uint32_t first, count, node;
    if (name->type != NODE_SCALAR ||
        !bind_address(&point->binder, name, name->text, &first, &count, &node))
        return 0;
    const struct blueprint_node *n = &b->nodes[node];
    if (n->kind && (n->kind->flags & KIND_GROUP || !(n->kind->flags & KIND_STORE))) {
        document_error(&point->document, name, "members are databases",
                       "`%s` is a %s: it cannot be a member", n->name, n->kind->name);
        return 0;
    }
    if (n->present != n->count) {
        document_error(&point->document, name, NULL,
                       "`%s` changes its number of instances: the members of a group are fixed",
                       n->name);
        return 0;
    }
    return host_range(point, first, count, hosts, at, room);
}

/* One of those a guest calls: it lives there; behind a group, where the node stands it is a part
 * of. */
static uint32_t host_guest(struct point *point, uint32_t node, const struct node *name,
                           uint32_t *hosts, uint32_t at, uint32_t room)
{
    const struct blueprint *b = point->blueprint;
    uint32_t first, count, to;
    if (name->type != NODE_SCALAR ||
        !bind_address(&point->binder, name, name->text, &first, &count, &to))
        return 0;
    if (b->nodes[to].kind && b->nodes[to].kind->flags & KIND_GROUP) {
        const char *own = b->nodes[node].name;
        first = b->nodes[bind_node(b, arena_text(point->arena, own, strcspn(own, ".")))].first;
        count = 1;
    }
    return host_range(point, first, count, hosts, at, room);
}

void point_hosts(struct point *point)
{
    struct blueprint *b = point->blueprint;
    bool any = false;
    for (uint32_t i = 0; i < b->node_count; i++)
        any = any || is_group(&b->nodes[i]) || is_guest(&b->nodes[i]);
    if (!any)
        return;
    uint32_t *hosts = arena_array(point->arena, b->agent_count, uint32_t);
    for (uint32_t i = 0; i < b->agent_count; i++)
        hosts[i] = i;
    for (uint32_t i = 0; i < b->node_count; i++) {
        const struct node *const *names;
        const struct blueprint_node *n = &b->nodes[i];
        if (!is_group(n) && !is_guest(n))
            continue;
        bool guest = is_guest(n);
        uint32_t named = members_of(point->maps[i], guest ? "to" : "members", &names), at = 0;
        for (uint32_t k = 0; k < named && at < n->count; k++)
            at += guest ? host_guest(point, i, names[k], hosts, n->first + at, n->count - at)
                        : host_members(point, names[k], hosts, n->first + at, n->count - at);
    }
    b->hosts = hosts;
}
