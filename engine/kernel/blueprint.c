/* Which keys a blueprint uses, asked by their names. */
#include "engine/kernel/blueprint.h"

#include "engine/kernel/check.h"

#include <string.h>

/* The field of a key, or of one in a record: "retry.budget". */
static struct field_found find_key(const struct field_table *table, const char *key)
{
    const char *point = strchr(key, '.');
    char name[32];
    if (!table || !point)
        return table ? field_find(table, key) : (struct field_found){0};
    size_t length = (size_t)(point - key);
    CHECK(length < sizeof name);
    memcpy(name, key, length);
    name[length] = 0;
    struct field_found outer = field_find(table, name);
    struct field_found inner = {0};
    if (outer.field && outer.field->type == FIELD_RECORD)
        inner = field_find(outer.field->record, point + 1);
    inner.offset += outer.base;
    inner.base += outer.base;
    return inner;
}

/* Whether a word field's value is this one of its words. */
static bool is_word(const struct field_found *found, const void *config, const char *word)
{
    const struct field *f = found->field;
    if (!f || f->type != FIELD_WORD)
        return false;
    const struct field_word *is = &f->words[((const unsigned char *)config)[found->offset]];
    return is->name && !strcmp(is->name, word);
}

/* Whether a configuration uses the key: itself, or one of its steps, or of theirs. */
static bool config_uses(const struct field_table *table, const void *config, const char *key)
{
    const char *equals = strchr(key, '=');
    if (equals) {
        char name[32] = {0};
        CHECK((size_t)(equals - key) < sizeof name);
        memcpy(name, key, (size_t)(equals - key));
        struct field_found word = find_key(table, name);
        return is_word(&word, config, equals + 1);
    }
    struct field_found found = find_key(table, key), steps = find_key(table, "steps");
    if (found.field && field_used(&found, config))
        return true;
    if (!steps.field || steps.field->type != FIELD_STEPS)
        return false;
    const struct field_list *list = (const void *)((const unsigned char *)config + steps.offset);
    const unsigned char *step = list->items;
    for (uint32_t i = 0; i < list->count; i++, step += steps.field->steps->size)
        if (config_uses(steps.field->steps->record, step, key))
            return true;
    return false;
}

/* Whether some instance of the node uses the key in some operation. */
static bool node_uses(const struct blueprint *b, const struct blueprint_node *n, const char *key)
{
    for (uint32_t i = 0; i < n->count; i++)
        for (uint32_t o = 0; o < b->operation_count; o++)
            if (config_uses(n->kind->fields, n->instances[i].configs[o], key))
                return true;
    return false;
}

bool blueprint_uses(const struct blueprint *b, const char *key)
{
    for (uint32_t i = 0; i < b->node_count; i++)
        if (node_uses(b, &b->nodes[i], key))
            return true;
    return false;
}

/* Whether one of the keys in a metric's `when` is used. */
bool blueprint_measures(const struct blueprint *b, const struct blueprint_node *n, const char *when)
{
    char key[32];
    while (*when) {
        bool any = *when == '*';
        size_t length = strcspn(when += any, " ");
        CHECK(length < sizeof key);
        memcpy(key, when, length);
        key[length] = 0;
        if (any ? blueprint_uses(b, key) : node_uses(b, n, key))
            return true;
        when += length + (when[length] == ' ');
    }
    return false;
}
