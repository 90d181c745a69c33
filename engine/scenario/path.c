/* Addresses inside a document: `nodes.web.count`, `links.a <-> b.latency`, `sweep.ack.0`. Keys may
 * hold dots and spaces themselves, so at each step the longest key that fits is tried first, and
 * the next shorter one when the rest of the path leads nowhere. */
#include "engine/kernel/check.h"
#include "engine/scenario/document.h"
#include "engine/scenario/reader.h"

#include <string.h>

/* One step of a path: which child of its parent. */
struct step {
    const struct node *parent;
    uint32_t index;
};

struct walk {
    struct step steps[DOCUMENT_DEPTH_MAX];
    uint32_t count;
    const struct node *stuck; /* the deepest value that was reached */
    const char *rest;         /* what of the path was left there */
};

/* Whether `path` begins with `key` as a whole step. */
static bool begins(const char *path, const char *key)
{
    size_t size = strlen(key);
    return size && !strncmp(path, key, size) && (path[size] == '.' || path[size] == '\0');
}

static bool follow(struct walk *walk, const struct node *node, const char *path);

static bool enter(struct walk *walk, const struct node *node, uint32_t index, const char *rest)
{
    walk->steps[walk->count++] = (struct step){.parent = node, .index = index};
    if (!*rest || follow(walk, node->items[index], rest + 1))
        return true;
    walk->count--;
    return false;
}

/* The item of a list that the path begins with, from 0; UINT32_MAX for none. */
static uint32_t list_index(const struct node *list, const char *path, const char **rest)
{
    uint32_t index = 0;
    const char *at = path;
    while (*at >= '0' && *at <= '9' && index < list->count)
        index = index * 10 + (uint32_t)(*at++ - '0');
    *rest = at;
    return at > path && (!*at || *at == '.') && index < list->count ? index : UINT32_MAX;
}

static bool follow(struct walk *walk, const struct node *node, const char *path)
{
    if (walk->count == DOCUMENT_DEPTH_MAX)
        return false;
    if (!walk->stuck || strlen(path) < strlen(walk->rest)) {
        walk->stuck = node;
        walk->rest = path;
    }
    if (node->type == NODE_LIST) {
        const char *rest;
        uint32_t index = list_index(node, path, &rest);
        return index != UINT32_MAX && enter(walk, node, index, rest);
    }
    if (node->type != NODE_MAP)
        return false;
    for (size_t limit = SIZE_MAX;;) {
        size_t longest = 0;
        uint32_t found = 0;
        for (uint32_t i = 0; i < node->count; i++) {
            size_t size = strlen(node->keys[i]->text);
            if (size > longest && size < limit && begins(path, node->keys[i]->text)) {
                longest = size;
                found = i;
            }
        }
        if (!longest)
            return false;
        if (enter(walk, node, found, path + longest))
            return true;
        limit = longest;
    }
}

/* A name that is no top-level key is that of a var. */
static bool locate(const struct document *document, const char *path, struct walk *walk)
{
    *walk = (struct walk){0};
    if (!document->root || document->root->type != NODE_MAP)
        return false;
    if (follow(walk, document->root, path))
        return true;
    const struct node *vars = document_find(document->root, "vars");
    if (walk->stuck != document->root || !vars)
        return false;
    struct walk second = {0};
    for (uint32_t i = 0; i < document->root->count; i++) {
        if (document->root->items[i] == vars)
            second.steps[second.count++] = (struct step){.parent = document->root, .index = i};
    }
    if (!follow(&second, vars, path))
        return false;
    *walk = second;
    return true;
}

struct node *document_at(const struct document *document, const char *path)
{
    struct walk walk;
    if (!locate(document, path, &walk) || !walk.count)
        return NULL;
    const struct step *last = &walk.steps[walk.count - 1];
    return last->parent->items[last->index];
}

/* A node like `parent` with one item replaced. */
static struct node *with_item(struct document *document, const struct node *parent, uint32_t index,
                              struct node *item)
{
    struct node *copy = arena_new(document->arena, struct node);
    struct node **items = arena_array(document->arena, parent->count, struct node *);
    memcpy(items, parent->items, parent->count * sizeof(struct node *));
    items[index] = item;
    *copy = *parent;
    copy->items = items;
    copy->values = parent->values - parent->items[index]->values + item->values;
    if (item->height >= copy->height)
        copy->height = item->height + 1;
    return copy;
}

static struct node *with_pair(struct document *document, const struct node *map, const char *key,
                              struct node *item, struct spot place)
{
    struct node **keys = arena_array(document->arena, map->count + 1, struct node *);
    struct node **items = arena_array(document->arena, map->count + 1, struct node *);
    if (map->count) {
        memcpy(keys, map->keys, map->count * sizeof(struct node *));
        memcpy(items, map->items, map->count * sizeof(struct node *));
    }
    keys[map->count] = document_scalar(document, key, place);
    items[map->count] = item;
    return document_map(document, keys, items, map->count + 1, map->place);
}

/* Puts a new value for the node that the first `count` steps lead to into a new tree. */
static void replace(struct document *document, const struct step *steps, uint32_t count,
                    struct node *value)
{
    while (count--)
        value = with_item(document, steps[count].parent, steps[count].index, value);
    document->root = value;
}

/* The steps that lead to `node`, which a failed walk was stuck at. Found again from the path's
 * beginning, because a failed walk takes its steps back. */
static bool steps_to(const struct document *document, const char *path, size_t length,
                     struct walk *walk)
{
    char *head = arena_text(document->arena, path, length);
    return locate(document, head, walk);
}

static void unknown_step(const struct document *document, const struct walk *walk, const char *path,
                         struct spot place)
{
    const struct node *at = walk->stuck;
    size_t known = strlen(path) - strlen(walk->rest);
    int shown = (int)(known ? known - 1 : 0);
    if (at->type == NODE_SCALAR || at->type == NODE_BAD) {
        diagnostic_error(document->diagnostics, place, NULL,
                         "`%.*s` is a single value, nothing stands below it", shown, path);
        return;
    }
    if (at->type == NODE_LIST) {
        diagnostic_error(document->diagnostics, place, "items are numbered from 0",
                         "`%.*s` is a list of %u, it has no item `%s`", shown, path,
                         (unsigned)at->count, walk->rest);
        return;
    }
    size_t size = strcspn(walk->rest, ".");
    const char *word = arena_text(document->arena, walk->rest, size);
    const struct node *vars = shown ? NULL : document_find(document->root, "vars");
    uint32_t more = vars && vars->type == NODE_MAP ? vars->count : 0;
    const char **names = arena_array(document->arena, at->count + more, const char *);
    for (uint32_t i = 0; i < at->count; i++)
        names[i] = at->keys[i]->text;
    for (uint32_t i = 0; i < more; i++)
        names[at->count + i] = vars->keys[i]->text;
    const char *hint = diagnostic_suggest(document->diagnostics, word, names, at->count + more);
    if (shown)
        diagnostic_error(document->diagnostics, place, hint, "there is no `%s` in `%.*s`", word,
                         shown, path);
    else
        diagnostic_error(document->diagnostics, place, hint,
                         "`%s` is neither a top-level key nor the name of a var", word);
}

/* Top-level keys that may be left out and yet be set from outside: defaults fill what is missing.
 * One of records is made empty first, so that what stands below it can be set. */
static bool make_optional(struct document *document, const char *path, struct node *value,
                          struct spot place, bool *done)
{
    static const char *const optional[] = {"seed", "run", "output"};
    for (size_t i = 0; i < sizeof optional / sizeof *optional; i++) {
        size_t size = strlen(optional[i]);
        if (strncmp(path, optional[i], size) != 0 || (path[size] && path[size] != '.') ||
            document_find(document->root, optional[i]))
            continue;
        *done = !path[size];
        if (path[size])
            value = document_map(document, NULL, NULL, 0, place);
        document->root = with_pair(document, document->root, optional[i], value, place);
        return true;
    }
    return false;
}

bool document_set(struct document *document, const char *path, struct node *value,
                  struct spot place)
{
    struct walk walk;
    if (!document->root || document->root->type != NODE_MAP)
        return false;
    if (!*path) {
        diagnostic_error(document->diagnostics, place, "for example nodes.web.count",
                         "the path is empty");
        return false;
    }
    if (locate(document, path, &walk)) {
        replace(document, walk.steps, walk.count, value);
        return true;
    }
    bool done;
    if (walk.stuck == document->root && make_optional(document, path, value, place, &done))
        return done || document_set(document, path, value, place);
    size_t known = strlen(path) - strlen(walk.rest);
    bool is_last = !strchr(walk.rest, '.') && *walk.rest;
    if (walk.stuck->type != NODE_MAP || !is_last || !known) {
        unknown_step(document, &walk, path, place);
        return false;
    }
    struct node *map = with_pair(document, walk.stuck, walk.rest, value, place);
    CHECK(steps_to(document, path, known - 1, &walk));
    replace(document, walk.steps, walk.count, map);
    return true;
}

bool document_set_text(struct document *document, const char *option, const char *assignment)
{
    const char *whole = arena_format(document->arena, "%s %s", option, assignment);
    uint32_t source = diagnostic_option(document->diagnostics, whole);
    size_t path_at = strlen(option) + 1;
    const char *equals = strchr(assignment, '=');
    if (!equals) {
        diagnostic_error(document->diagnostics,
                         diagnostic_at(document->diagnostics, source, path_at, strlen(assignment)),
                         "write it as PATH=VALUE, for example nodes.web.count=8",
                         "there is no `=`");
        return false;
    }
    size_t size = (size_t)(equals - assignment);
    struct spot place = diagnostic_at(document->diagnostics, source, path_at, size);
    struct node *value = reader_value(document, source, whole, path_at + size + 1);
    return value &&
           document_set(document, arena_text(document->arena, assignment, size), value, place);
}
