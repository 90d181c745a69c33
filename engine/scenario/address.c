/* Names of nodes and instances, and the pools that are made of them. */
#include "engine/scenario/bind.h"
#include "engine/scenario/unit.h"

#include <string.h>

uint32_t bind_node(const struct blueprint *blueprint, const char *name)
{
    uint32_t low = 0, high = blueprint->node_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = strcmp(blueprint->nodes[middle].name, name);
        if (!order)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return BIND_NO_NODE;
}

static void unknown_node(const struct binder *binder, const struct node *at, const char *name)
{
    /* A node that stands in the file but was refused has been told of there. */
    if (document_find(document_find(binder->document->root, "nodes"), name))
        return;
    const struct blueprint *b = binder->blueprint;
    for (uint32_t z = 0; z < b->zone_count; z++)
        if (!strcmp(b->zones[z], name)) {
            document_error(binder->document, at, "name the nodes that stand there",
                           "`%s` is a zone, not a node", name);
            return;
        }
    const char **names = arena_array(binder->arena, b->node_count, const char *);
    for (uint32_t i = 0; i < b->node_count; i++)
        names[i] = b->nodes[i].name;
    document_error(binder->document, at,
                   diagnostic_suggest(binder->document->diagnostics, name, names, b->node_count),
                   "no node is called `%s`", name);
}

bool bind_address(const struct binder *binder, const struct node *at, const char *text,
                  uint32_t *first, uint32_t *count, uint32_t *node)
{
    const struct blueprint *b = binder->blueprint;
    const char *dot = strchr(text, '.');
    char *name = arena_text(binder->arena, text, dot ? (size_t)(dot - text) : strlen(text));
    uint32_t index = bind_node(b, name);
    if (index == BIND_NO_NODE) {
        unknown_node(binder, at, name);
        return false;
    }
    if (dot && !b->nodes[index].kind)
        return false; /* refused, and told of there: what its instances are is not known */
    *node = index;
    *first = b->nodes[index].first;
    *count = b->nodes[index].count;
    if (!dot)
        return true;
    struct quantity q;
    if (!unit_parse(dot + 1, UNIT_PLAIN, &q, NULL) || !q.is_whole || q.whole < 1 ||
        q.whole > *count) {
        document_error(binder->document, at, NULL,
                       "`%s` has %u instance%s, counted from 1: not `%s`", name, *count,
                       *count == 1 ? "" : "s", text);
        return false;
    }
    *first += (uint32_t)q.whole - 1;
    *count = 1;
    return true;
}

static void add_edge(struct binder *binder, uint32_t to, const struct node *at)
{
    if (binder->node == BIND_NO_NODE)
        return;
    if (binder->edge_count == binder->edge_room) {
        uint32_t room = binder->edge_room ? 2 * binder->edge_room : 32;
        struct bind_edge *edges = arena_array(binder->arena, room, struct bind_edge);
        if (binder->edge_count)
            memcpy(edges, binder->edges, binder->edge_count * sizeof *edges);
        binder->edges = edges;
        binder->edge_room = room;
    }
    binder->edges[binder->edge_count++] = (struct bind_edge){
        .from = binder->node, .to = to, .operation = binder->operation, .as = binder->as, .at = at};
}

/* One name of a pool: where it is written and the agents it stands for. */
struct member {
    const struct node *at;
    uint32_t first, count;
    uint32_t group; /* 1 + its node, where it is a whole group */
};

static bool read_member(struct binder *binder, const struct field *field, const struct node *at,
                        struct member *member)
{
    uint32_t node;
    if (at->type != NODE_SCALAR) {
        if (at->type != NODE_BAD)
            document_error(binder->document, at, NULL, "`%s` is a name or a list of names",
                           field->name);
        return false;
    }
    member->at = at;
    if (!bind_address(binder, at, at->text, &member->first, &member->count, &node))
        return false;
    const struct kind *kind = binder->blueprint->nodes[node].kind;
    if (kind && kind->flags & KIND_CLIENT) {
        document_error(binder->document, at, NULL, "`%s` is a client: it calls, nobody calls it",
                       at->text);
        return false;
    }
    if (kind && field->flags & FIELD_OUTBOX && !(kind->flags & KIND_OUTBOX)) {
        document_error(binder->document, at, "name the database",
                       "`%s` is a %s: an outbox stands in a database", at->text, kind->name);
        return false;
    }
    bool routed = binder->blueprint->nodes[node].routed;
    if (kind && (kind->flags & KIND_GROUP || routed) && !strchr(at->text, '.'))
        member->group = node + 1;
    add_edge(binder, node, at);
    return true;
}

/* Every agent may stand in a pool once. */
static bool stands_twice(const struct binder *binder, const struct member *members, uint32_t last)
{
    const struct member *m = &members[last];
    for (uint32_t i = 0; i < last; i++)
        if (m->first < members[i].first + members[i].count &&
            members[i].first < m->first + m->count) {
            document_error(binder->document, m->at, NULL, "`%s` stands in `%s` already",
                           m->at->text, members[i].at->text);
            return true;
        }
    return false;
}

void bind_pool(struct binder *binder, const struct field *field, void *base,
               const struct node *value)
{
    const struct node *const single[] = {value};
    bool list = value->type == NODE_LIST;
    const struct node *const *names = list ? (const struct node *const *)value->items : single;
    uint32_t count = list ? value->count : 1, total = 0;
    struct pool *pool = (struct pool *)(void *)((char *)base + field->offset);
    if (field->flags & FIELD_NONE && value->type == NODE_SCALAR && !strcmp(value->text, "none")) {
        *pool = (struct pool){0};
        return;
    }
    if (field->words && value->type == NODE_SCALAR && !strcmp(value->text, field->words[0].name)) {
        *pool = (struct pool){.group = UINT32_MAX}; /* nobody by name: the kind knows whom */
        return;
    }
    struct member *members = arena_array(binder->arena, count, struct member);
    for (uint32_t i = 0; i < count; i++) {
        if (!read_member(binder, field, names[i], &members[i]) || stands_twice(binder, members, i))
            return;
        total += members[i].count;
        if (members[i].group && count > 1) {
            document_error(
                binder->document, names[i], "name it alone",
                "`%s` is a group, which picks one of its members itself: it stands in no "
                "list",
                names[i]->text);
            return;
        }
    }
    if (!total) {
        document_error(binder->document, value, NULL, "`%s` names nobody", field->name);
        return;
    }
    uint32_t *agents = arena_array(binder->arena, total, uint32_t);
    *pool = (struct pool){.agents = agents, .count = total, .group = members[0].group};
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < members[i].count; k++)
            *agents++ = members[i].first + k;
}

void bind_parts(struct binder *binder, const struct field *field, void *base,
                const struct node *value)
{
    const struct blueprint *b = binder->blueprint;
    const char *outer = b->nodes[binder->node].name;
    bool map = value->type == NODE_MAP;
    uint32_t count = map ? value->count : 1;
    struct field_list *list = (struct field_list *)(void *)((char *)base + field->offset);
    struct pool *pools = arena_array(binder->arena, count, struct pool);
    *list = (struct field_list){.items = pools};
    for (uint32_t i = 0; i < count; i++) {
        const struct node *at = map ? value->keys[i] : value;
        const char *name = map ? at->text : field->name;
        uint32_t node = bind_node(b, arena_format(binder->arena, "%s.%s", outer, name));
        if (node == BIND_NO_NODE)
            continue; /* told of when the nodes were named */
        uint32_t *agents = arena_array(binder->arena, b->nodes[node].count, uint32_t);
        for (uint32_t k = 0; k < b->nodes[node].count; k++)
            agents[k] = b->nodes[node].first + k;
        pools[list->count++] = (struct pool){.agents = agents, .count = b->nodes[node].count};
        add_edge(binder, node, at);
    }
}

void bind_operations(const struct binder *binder, const struct field *field, void *base,
                     const struct node *value)
{
    bool list = value->type == NODE_LIST;
    uint32_t count = list ? value->count : 1;
    uint32_t *operations = arena_array(binder->arena, count, uint32_t);
    for (uint32_t i = 0; i < count; i++) {
        const struct node *name = list ? value->items[i] : value;
        if (name->type == NODE_BAD)
            return;
        if (name->type != NODE_SCALAR || !bind_operation(binder, name->text, &operations[i])) {
            document_error(binder->document, name, NULL, "`%s` names operations of clients%s%s%s",
                           field->name, name->text ? ", not `" : "", name->text ? name->text : "",
                           name->text ? "`" : "");
            return;
        }
    }
    *(struct field_list *)(void *)((char *)base + field->offset) =
        (struct field_list){operations, count};
}
