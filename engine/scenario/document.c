#include "engine/scenario/document.h"

#include "engine/kernel/check.h"
#include "engine/scenario/reader.h"
#include "engine/scenario/text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct pair {
    const char *key;
    uint32_t index;
};

static int compare_pairs(const void *left, const void *right)
{
    const struct pair *a = left, *b = right;
    int order = strcmp(a->key, b->key);
    return order ? order : (a->index > b->index) - (a->index < b->index);
}

const uint32_t *reader_sorted(struct arena *arena, struct node *const *keys, uint32_t count)
{
    struct pair *pairs = arena_array(arena, count, struct pair);
    for (uint32_t i = 0; i < count; i++)
        pairs[i] = (struct pair){.key = keys[i]->text, .index = i};
    qsort(pairs, count, sizeof *pairs, compare_pairs);
    uint32_t *sorted = arena_array(arena, count, uint32_t);
    for (uint32_t i = 0; i < count; i++)
        sorted[i] = pairs[i].index;
    return sorted;
}

uint32_t document_index(const struct node *map, const char *key)
{
    if (!map || map->type != NODE_MAP)
        return UINT32_MAX;
    uint32_t low = 0, high = map->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = strcmp(map->keys[map->sorted[middle]]->text, key);
        if (!order)
            return map->sorted[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return UINT32_MAX;
}

struct node *document_find(const struct node *map, const char *key)
{
    uint32_t index = document_index(map, key);
    return index == UINT32_MAX ? NULL : map->items[index];
}

struct node *document_scalar(struct document *document, const char *text, struct spot place)
{
    struct node *node = arena_new(document->arena, struct node);
    *node = (struct node){
        .type = NODE_SCALAR,
        .place = place,
        .text = arena_text(document->arena, text, strlen(text)),
        .values = 1,
    };
    return node;
}

struct node *document_list(struct document *document, struct node *const *items, uint32_t count,
                           struct spot place)
{
    struct node *node = arena_new(document->arena, struct node);
    *node = (struct node){
        .type = NODE_LIST, .place = place, .count = count, .values = 1, .items = items};
    for (uint32_t i = 0; i < count; i++) {
        node->values += items[i]->values;
        if (items[i]->height > node->height)
            node->height = items[i]->height;
    }
    node->height++;
    return node;
}

struct node *document_map(struct document *document, struct node *const *keys,
                          struct node *const *items, uint32_t count, struct spot place)
{
    struct node *node = document_list(document, items, count, place);
    node->type = NODE_MAP;
    node->keys = keys;
    node->values += count;
    node->sorted = reader_sorted(document->arena, keys, count);
    return node;
}

struct document document_copy(const struct document *document, struct arena *arena)
{
    struct document copy = *document;
    copy.arena = arena;
    return copy;
}

struct spot document_place(const struct document *document, const struct node *scalar,
                           size_t offset, size_t length)
{
    (void)document;
    struct spot place = scalar->place;
    size_t size = scalar->text ? strlen(scalar->text) : 0;
    if (!scalar->literal || offset > size)
        return place;
    if (length > size - offset)
        length = size - offset;
    place.column += (uint32_t)(text_count(scalar->text, offset) + scalar->quoted);
    place.length = (uint32_t)text_count(scalar->text + offset, length);
    return place;
}

void document_error(const struct document *document, const struct node *node, const char *hint,
                    const char *format, ...)
{
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    diagnostic_error(document->diagnostics, node->place, hint, "%s", message);
    if (node->user)
        diagnostic_note(document->diagnostics, node->user->place, "used here as `%s`",
                        node->user->text);
}

bool document_equal(const struct node *a, const struct node *b)
{
    if (a == b)
        return true;
    if (a->type != b->type || a->count != b->count)
        return false;
    if (a->type == NODE_SCALAR)
        return a->quoted == b->quoted && !strcmp(a->text, b->text);
    for (uint32_t i = 0; i < a->count; i++) {
        if (a->type == NODE_MAP && strcmp(a->keys[i]->text, b->keys[i]->text) != 0)
            return false;
        if (!document_equal(a->items[i], b->items[i]))
            return false;
    }
    return true;
}
