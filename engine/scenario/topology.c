/* Where the nodes of a point stand, and who reaches whom. */
#include "engine/scenario/each.h"
#include "engine/scenario/point.h"

#include <stdlib.h>
#include <string.h>

struct zone_name {
    const struct node *at;
};

static int by_text(const void *a, const void *b)
{
    const struct zone_name *x = a, *y = b;
    return strcmp(x->at->text, y->at->text);
}

static bool is_none(const struct node *value)
{
    return !value->quoted && !strcmp(value->text, "none");
}

static uint32_t zone_period(struct point *point, uint32_t node, const struct node *value)
{
    return each_period(&point->document, value, point->nodes[node].count);
}

/* Every place where a zone is named, once for each; errors of form are told on the way. */
static struct zone_name *zone_names(struct point *point, uint32_t *count)
{
    const struct node *map = document_find(point->document.root, "zones");
    uint32_t room = map && map->type == NODE_MAP ? map->count : 0;
    for (uint32_t i = 0; i < point->blueprint->node_count; i++) {
        const struct node *value = document_find(point->maps[i], "zone");
        if (value && value->type == NODE_SCALAR)
            room += zone_period(point, i, value);
    }
    struct zone_name *names = arena_array(point->arena, room, struct zone_name);
    *count = 0;
    if (map && map->type != NODE_MAP && map->type != NODE_BAD)
        document_error(&point->document, map, NULL, "`zones` is a map from zones to addresses");
    for (uint32_t i = 0; map && map->type == NODE_MAP && i < map->count; i++)
        names[(*count)++].at = map->keys[i];
    for (uint32_t i = 0; i < point->blueprint->node_count; i++) {
        const struct node *value = document_find(point->maps[i], "zone");
        if (value && value->type != NODE_SCALAR && value->type != NODE_BAD)
            document_error(&point->document, value, "each(a b) deals zones over the instances",
                           "`zone` is one name");
        if (!value || value->type != NODE_SCALAR)
            continue;
        uint32_t period = zone_period(point, i, value);
        for (uint32_t k = 0; k < period; k++) {
            const struct node *dealt = each_deal(&point->document, value, k);
            if (!is_none(dealt))
                names[(*count)++].at = dealt;
        }
    }
    qsort(names, *count, sizeof *names, by_text);
    return names;
}

static int32_t zone_index(const struct point *point, const char *name)
{
    for (uint32_t i = 0; i < point->blueprint->zone_count; i++)
        if (!strcmp(point->blueprint->zones[i], name))
            return (int32_t)i;
    return ZONE_NONE;
}

static void put_zone(struct point *point, uint32_t agent, int32_t zone, const struct node *at)
{
    int32_t *stands = &point->zones[agent];
    if (*stands != ZONE_NONE && *stands != zone)
        document_error(&point->document, at, NULL,
                       "`%s` puts an instance into zone `%s` that "
                       "stands in zone `%s` already",
                       at->text, point->blueprint->zones[zone], point->blueprint->zones[*stands]);
    *stands = zone;
}

static void put_listed(struct point *point, int32_t zone, const struct node *value)
{
    uint32_t first, count, node;
    if (value->type == NODE_LIST) {
        for (uint32_t i = 0; i < value->count; i++)
            put_listed(point, zone, value->items[i]);
        return;
    }
    if (value->type != NODE_SCALAR) {
        if (value->type != NODE_BAD)
            document_error(&point->document, value, NULL, "a zone is a list of addresses");
        return;
    }
    if (!bind_address(&point->binder, value, value->text, &first, &count, &node))
        return;
    for (uint32_t i = 0; i < count; i++)
        put_zone(point, first + i, zone, value);
}

void point_zones(struct point *point)
{
    struct blueprint *b = point->blueprint;
    uint32_t named, count = 0;
    const struct zone_name *names = zone_names(point, &named);
    const char **zones = arena_array(point->arena, named, const char *);
    for (uint32_t i = 0; i < named; i++) {
        const struct node *at = names[i].at;
        if (count && !strcmp(zones[count - 1], at->text))
            continue;
        if (!point_name(point, at, "a zone"))
            continue;
        if (bind_node(b, at->text) != BIND_NO_NODE)
            document_error(&point->document, at, NULL, "`%s` is a node and a zone", at->text);
        zones[count++] = arena_format(point->arena, "%s", at->text);
    }
    b->zones = zones;
    b->zone_count = count;
    point->zones = arena_array(point->arena, b->agent_count, int32_t);
    for (uint32_t i = 0; i < b->agent_count; i++)
        point->zones[i] = ZONE_NONE;
    const struct node *map = document_find(point->document.root, "zones");
    for (uint32_t i = 0; map && map->type == NODE_MAP && i < map->count; i++) {
        int32_t zone = zone_index(point, map->keys[i]->text);
        if (zone != ZONE_NONE)
            put_listed(point, zone, map->items[i]);
    }
    for (uint32_t i = 0; i < b->node_count; i++) {
        const struct node *value = document_find(point->maps[i], "zone");
        if (!value || value->type != NODE_SCALAR)
            continue;
        uint32_t period = zone_period(point, i, value);
        for (uint32_t k = 0; k < point->nodes[i].count; k++) {
            const struct node *dealt = each_deal(&point->document, value, k % period);
            int32_t zone = is_none(dealt) ? ZONE_NONE : zone_index(point, dealt->text);
            if (zone != ZONE_NONE)
                put_zone(point, point->nodes[i].first + k, zone, dealt);
        }
    }
}

/* Edges in order of their tail, so that those of a node lie together. */
static int by_tail(const void *a, const void *b)
{
    const struct bind_edge *x = a, *y = b;
    return x->from != y->from ? (x->from < y->from ? -1 : 1)
           : x->to != y->to   ? (x->to < y->to ? -1 : 1)
                              : 0;
}

static const uint32_t *heads(struct point *point)
{
    struct binder *b = &point->binder;
    uint32_t nodes = point->blueprint->node_count;
    uint32_t *first = arena_array(point->arena, (size_t)nodes + 1, uint32_t);
    if (b->edge_count)
        qsort(b->edges, b->edge_count, sizeof *b->edges, by_tail);
    for (uint32_t i = 0; i < b->edge_count; i++)
        first[b->edges[i].from + 1]++;
    for (uint32_t i = 0; i < nodes; i++)
        first[i + 1] += first[i];
    return first;
}

/* Whether an edge is walked by an operation. */
static bool walks(const struct point *point, const struct bind_edge *edge, uint32_t operation)
{
    if (edge->operation == operation)
        return true;
    size_t row = (size_t)edge->from * point->blueprint->operation_count;
    return edge->operation == UINT32_MAX && !point->special[row + operation];
}

/* A search goes over states: operation x nodes + node, or nodes alone where operations are not
 * looked at. */
struct search {
    struct point *point;
    const uint32_t *first; /* heads */
    bool any;              /* whatever the operation */
    bool tell;
    uint32_t
        *order; /* receives the states in topological order where there is no circle, or NULL */
};

static void tell_cycle(const struct search *s, const uint32_t *stack, uint32_t depth,
                       uint32_t closes, const struct bind_edge *closing)
{
    struct point *point = s->point;
    uint32_t from = depth, nodes = point->blueprint->node_count;
    while (from && stack[from] != closes)
        from--;
    char *way = arena_format(point->arena, "%s", point->nodes[closing->to].name);
    for (uint32_t i = from + 1; i <= depth && i < from + 12; i++)
        way = arena_format(point->arena, "%s -> %s", way, point->nodes[stack[i] % nodes].name);
    document_error(&point->document, closing->at, "requests would go round for ever",
                   "calls go in a circle: %s -> %s", way, point->nodes[closing->to].name);
}

/* Whether what comes to a node goes on from it once at most. */
static bool passes_once(const struct point *point, uint32_t node)
{
    const struct blueprint_node *n = &point->nodes[node];
    return n->kind && n->kind->passes_once && n->instances &&
           n->kind->passes_once(n->instances[0].configs[0]);
}

/* The state an edge leads to; UINT32_MAX: this state does not walk it. */
static uint32_t leads_to(const struct search *s, uint32_t state, const struct bind_edge *edge)
{
    uint32_t nodes = s->point->blueprint->node_count, operation = state / nodes;
    if (s->any)
        return edge->to;
    if (!walks(s->point, edge, operation))
        return UINT32_MAX;
    return (edge->as == BIND_SAME ? operation : edge->as) * nodes + edge->to;
}

/* Depth-first search without recursion; true (and told, when asked to) at the first circle. */
static bool search(const struct search *s)
{
    struct point *point = s->point;
    uint32_t nodes = point->blueprint->node_count;
    uint32_t states = s->any ? nodes : nodes * point->blueprint->operation_count, left = states;
    enum { NEW, OPEN, DONE };
    uint8_t *state = arena_array(point->arena, states, uint8_t);
    uint32_t *stack = arena_array(point->arena, states, uint32_t);
    uint32_t *next = arena_array(point->arena, states, uint32_t);
    for (uint32_t root = 0; root < states; root++) {
        if (state[root] != NEW)
            continue;
        uint32_t depth = 0;
        stack[0] = root;
        next[root] = s->first[root % nodes];
        state[root] = OPEN;
        for (;;) {
            uint32_t at = stack[depth];
            if (next[at] == s->first[at % nodes + 1]) {
                state[at] = DONE;
                if (s->order)
                    s->order[--left] = at;
                if (!depth--)
                    break;
                continue;
            }
            const struct bind_edge *edge = &point->binder.edges[next[at]++];
            uint32_t to = leads_to(s, at, edge);
            if (to == UINT32_MAX || passes_once(point, edge->from))
                continue;
            if (state[to] == OPEN) {
                if (s->tell)
                    tell_cycle(s, stack, depth, to, edge);
                return true;
            }
            if (state[to] == NEW) {
                stack[++depth] = to;
                next[to] = s->first[edge->to];
                state[to] = OPEN;
            }
        }
    }
    return false;
}

void point_cycles(struct point *point)
{
    struct search s = {.point = point, .first = heads(point), .any = true};
    if (!search(&s))
        return;
    s.any = false;
    s.tell = true;
    search(&s);
}

const uint32_t *point_order(struct point *point)
{
    const struct blueprint *b = point->blueprint;
    struct search s = {.point = point, .first = heads(point)};
    s.order = arena_array(point->arena, (size_t)b->node_count * b->operation_count, uint32_t);
    CHECK(!search(&s));
    return s.order;
}

const bool *point_reached(struct point *point)
{
    uint32_t nodes = point->blueprint->node_count, waiting = 0;
    const uint32_t *first = heads(point);
    bool *reached = arena_array(point->arena, nodes, bool);
    uint32_t *list = arena_array(point->arena, nodes, uint32_t);
    for (uint32_t i = 0; i < nodes; i++)
        if (point->nodes[i].kind && point->nodes[i].kind->flags & KIND_CLIENT) {
            reached[i] = true;
            list[waiting++] = i;
        }
    while (waiting) {
        uint32_t at = list[--waiting];
        for (uint32_t e = first[at]; e < first[at + 1]; e++) {
            uint32_t to = point->binder.edges[e].to;
            if (!reached[to]) {
                reached[to] = true;
                list[waiting++] = to;
            }
        }
    }
    return reached;
}

/* Whether some instance of a client begins the operation. */
static bool begins(const struct point *point, uint32_t node, uint32_t operation)
{
    const struct blueprint_node *n = &point->nodes[node];
    struct bind_field share = bind_find(n->kind->fields, "share");
    if (!share.field || share.field->type != FIELD_SHARE || !n->instances)
        return false;
    for (uint32_t i = 0; i < n->count; i++) {
        double value;
        memcpy(&value, (const char *)n->instances[i].configs[operation] + share.offset,
               sizeof value);
        if (value > 0)
            return true;
    }
    return false;
}

static bool fits_store(enum operation_type type)
{
    return type <= OPERATION_SCAN;
}

static void tell_foreign(struct point *point, uint32_t operation, uint32_t node)
{
    const struct node *at = point->declared[operation];
    document_error(&point->document, at ? at : point->names[node],
                   "type: read, write, insert, update, cas, delete or scan",
                   "operation `%s` reaches `%s`, a %s, and has no type that it knows",
                   point->operations[operation].name, point->nodes[node].name,
                   point->nodes[node].kind->name);
}

void point_stores(struct point *point)
{
    struct search s = {.point = point, .first = heads(point)};
    uint32_t nodes = point->blueprint->node_count, waiting = 0;
    uint32_t states = nodes * point->blueprint->operation_count;
    bool *reached = arena_array(point->arena, states, bool);
    uint32_t *list = arena_array(point->arena, states, uint32_t);
    for (uint32_t state = 0; state < states; state++) {
        const struct kind *kind = point->nodes[state % nodes].kind;
        reached[state] =
            kind && kind->flags & KIND_CLIENT && begins(point, state % nodes, state / nodes);
        if (reached[state])
            list[waiting++] = state;
    }
    while (waiting) {
        uint32_t state = list[--waiting], at = state % nodes;
        const struct kind *kind = point->nodes[at].kind;
        if (kind && kind->flags & KIND_STORE && !fits_store(point->operations[state / nodes].type))
            tell_foreign(point, state / nodes, at);
        if (kind && kind->flags & KIND_STORE)
            continue; /* told once: not of its members too */
        for (uint32_t e = s.first[at]; e < s.first[at + 1]; e++) {
            uint32_t to = leads_to(&s, state, &point->binder.edges[e]);
            if (to == UINT32_MAX || reached[to])
                continue;
            reached[to] = true;
            list[waiting++] = to;
        }
    }
}
