/* `links:` of a point, as rules from ends to properties. */
#include "engine/scenario/point.h"

#include <string.h>

/* One direction of an entry, with its place for messages about ties. */
struct rule_place {
    const struct node *key;
    uint32_t entry;
};

static const struct {
    const char *name;
    uint32_t key;
    size_t present;
} link_keys[] = {
    {"latency", LINK_LATENCY, offsetof(struct link_settings, has_latency)},
    {"bandwidth", LINK_BANDWIDTH, offsetof(struct link_settings, has_bandwidth)},
    {"loss", LINK_LOSS, offsetof(struct link_settings, has_loss)},
    {"duplicate", LINK_DUPLICATE, offsetof(struct link_settings, has_duplicate)},
    {"reorder", LINK_REORDER, offsetof(struct link_settings, has_reorder)},
    {"queue", LINK_QUEUE, offsetof(struct link_settings, has_queue)},
    {"transport", LINK_TRANSPORT, offsetof(struct link_settings, has_transport)},
    {"give_up", LINK_GIVE_UP, offsetof(struct link_settings, has_give_up)},
};

enum { LINK_KEY_COUNT = sizeof link_keys / sizeof *link_keys };

static char *trimmed(struct arena *arena, const char *text, size_t length)
{
    while (length && *text == ' ') {
        text++;
        length--;
    }
    while (length && text[length - 1] == ' ')
        length--;
    return arena_text(arena, text, length);
}

/* False where an end is none, with an error, or where nobody is there at this point of the sweep.
 */
static bool read_end(struct point *point, const struct node *key, const char *name,
                     enum link_end *end, uint32_t *id)
{
    const struct blueprint *b = point->blueprint;
    uint32_t first, count, node;
    for (uint32_t z = 0; z < b->zone_count; z++)
        if (!strcmp(b->zones[z], name)) {
            *end = LINK_ZONE;
            *id = z;
            return true;
        }
    if (!*name || !strcmp(name, "default")) {
        document_error(&point->document, key, NULL,
                       "a link has two ends: `a -> b`, `a <-> b`, or `default` for every link");
        return false;
    }
    if (bind_node(b, name) == BIND_NO_NODE && elsewhere_zone(point->elsewhere, name))
        return false;
    if (!bind_address(&point->binder, key, name, &first, &count, &node))
        return false;
    const struct kind *kind = b->nodes[node].kind;
    if (kind && kind->flags & KIND_GROUP) {
        document_error(&point->document, key, "name its members: the links are theirs",
                       "`%s` is a group, no machine", b->nodes[node].name);
        return false;
    }
    *end = strchr(name, '.') ? LINK_INSTANCE : LINK_NODE;
    *id = *end == LINK_INSTANCE ? first : node;
    return true;
}

/* The ends of an entry into `rule`; `both` when it holds in both directions. */
static bool read_ends(struct point *point, const struct node *key, struct link_rule *rule,
                      bool *both)
{
    *both = false;
    if (!strcmp(key->text, "default")) {
        rule->from = rule->to = LINK_ANY;
        return true;
    }
    const char *arrow = strstr(key->text, "<->");
    *both = arrow != NULL;
    if (!arrow)
        arrow = strstr(key->text, "->");
    if (!arrow) {
        document_error(&point->document, key, "write `a -> b`, `a <-> b` or `default`",
                       "`%s` is no link", key->text);
        return false;
    }
    const char *right = arrow + (*both ? 3 : 2);
    char *from = trimmed(point->arena, key->text, (size_t)(arrow - key->text));
    char *to = trimmed(point->arena, right, strlen(right));
    bool ok = read_end(point, key, from, &rule->from, &rule->from_id);
    return read_end(point, key, to, &rule->to, &rule->to_id) && ok;
}

static uint32_t keys_set(const struct link_settings *settings)
{
    uint32_t keys = 0;
    for (size_t i = 0; i < LINK_KEY_COUNT; i++)
        if (*((const bool *)(const void *)((const char *)settings + link_keys[i].present)))
            keys |= link_keys[i].key;
    return keys;
}

static bool zone_holds_node(const struct point *point, uint32_t zone, uint32_t node)
{
    const struct blueprint_node *n = &point->nodes[node];
    for (uint32_t i = 0; i < n->count; i++)
        if (point->zones[n->first + i] == (int32_t)zone)
            return true;
    return false;
}

/* Whether two ends have an instance in common. */
static bool ends_meet(const struct point *point, enum link_end a, uint32_t a_id, enum link_end b,
                      uint32_t b_id)
{
    if (a > b)
        return ends_meet(point, b, b_id, a, a_id);
    if (a == LINK_ANY)
        return true;
    if (a == b)
        return a_id == b_id;
    if (a == LINK_ZONE && b == LINK_NODE)
        return zone_holds_node(point, a_id, b_id);
    if (a == LINK_ZONE)
        return point->zones[b_id] == (int32_t)a_id;
    const struct blueprint_node *n = &point->nodes[a_id];
    return b_id >= n->first && b_id < n->first + n->count;
}

static void tell_tie(struct point *point, const struct rule_place *a, const struct rule_place *b,
                     uint32_t keys)
{
    for (size_t i = 0; i < LINK_KEY_COUNT; i++)
        if (keys & link_keys[i].key) {
            document_error(&point->document, b->key, "the more specific pair wins; make one so",
                           "`%s` and `%s` both set `%s` for the same link", a->key->text,
                           b->key->text, link_keys[i].name);
            diagnostic_note(point->document.diagnostics, a->key->place, "the other one");
            return;
        }
}

static void find_ties(struct point *point, const struct link_rule *rules,
                      const struct rule_place *places, uint32_t count)
{
    for (uint32_t j = 1; j < count; j++)
        for (uint32_t i = 0; i < j; i++) {
            const struct link_rule *a = &rules[i], *b = &rules[j];
            if (places[i].entry == places[j].entry || !(a->keys & b->keys) ||
                a->from + a->to != b->from + b->to)
                continue;
            if (ends_meet(point, a->from, a->from_id, b->from, b->from_id) &&
                ends_meet(point, a->to, a->to_id, b->to, b->to_id)) {
                tell_tie(point, &places[i], &places[j], a->keys & b->keys);
                break;
            }
        }
}

void point_links(struct point *point)
{
    const struct node *map = document_find(point->document.root, "links");
    if (!map || map->type == NODE_BAD)
        return;
    if (map->type != NODE_MAP) {
        document_error(&point->document, map, NULL, "`links` is a map: {a <-> b: {latency: 5ms}}");
        return;
    }
    struct link_rule *rules = arena_array(point->arena, 2 * (size_t)map->count, struct link_rule);
    struct rule_place *places =
        arena_array(point->arena, 2 * (size_t)map->count, struct rule_place);
    uint32_t count = 0;
    for (uint32_t i = 0; i < map->count; i++) {
        struct link_settings settings = {0};
        struct link_rule rule = {0};
        bool both, known = read_ends(point, map->keys[i], &rule, &both);
        if (map->items[i]->type != NODE_MAP) {
            if (map->items[i]->type != NODE_BAD)
                document_error(&point->document, map->items[i], NULL,
                               "a link is a map of keys: {latency: 5ms}");
            continue;
        }
        bind_defaults(&point->binder, &settings_link, &settings);
        bind_map(&point->binder, &settings_link, &settings, map->items[i], NULL, "a link");
        if (!known)
            continue;
        rule.config = settings.config;
        rule.config.stream = settings.transport == 1;
        rule.keys = keys_set(&settings);
        places[count] = (struct rule_place){.key = map->keys[i], .entry = i};
        rules[count++] = rule;
        if (both && (rule.from != rule.to || rule.from_id != rule.to_id)) {
            struct link_rule back = rule;
            back.from = rule.to;
            back.from_id = rule.to_id;
            back.to = rule.from;
            back.to_id = rule.from_id;
            places[count] = places[count - 1];
            rules[count++] = back;
        }
    }
    find_ties(point, rules, places, count);
    point->blueprint->links = rules;
    point->blueprint->link_count = count;
}
