/* Lists of steps: each a name, or a record with exactly one verb and the modifiers that go with it.
 * What may stand in a step comes from the kind's table (struct field_steps). */
#include "engine/scenario/bind.h"
#include "engine/scenario/point.h"

#include <string.h>

enum { STEPS_MAX = 10000 };

/* One list of steps and all within it. */
struct reader {
    struct binder *binder;
    const struct field_steps *table;
    const void *inherited; /* what the steps take over from their node, or NULL */
    size_t inherited_to;   /* where it goes in a step */
    uint32_t number;       /* of the last step read */
};

static void *at_offset(void *base, size_t offset)
{
    return (char *)base + offset;
}

/* The offset at which a table stands in another, or SIZE_MAX. */
static size_t included_at(const struct field_table *table, const struct field_table *wanted)
{
    for (const struct field_include *i = table->includes; i && i->table; i++) {
        if (i->table == wanted)
            return i->offset;
        size_t inner = included_at(i->table, wanted);
        if (inner != SIZE_MAX)
            return i->offset + inner;
    }
    return SIZE_MAX;
}

static const struct field_verb *verb_named(const struct field_steps *table, const char *name)
{
    for (const struct field_verb *v = table->verbs; v->name; v++)
        if (!strcmp(v->name, name))
            return v;
    return NULL;
}

static bool holds_word(const char *words, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = words; (at = strstr(at, word)) != NULL; at += length)
        if ((at == words || at[-1] == ' ') && (at[length] == ' ' || !at[length]))
            return true;
    return false;
}

/* Whether a key may stand beside a verb. */
static bool goes_with(const struct reader *r, const struct field_verb *verb,
                      const struct bind_field *key)
{
    bool own = false;
    for (const struct field *f = r->table->record->fields; f->name; f++)
        own = own || f == key->field;
    const char *name = key->field->name;
    return holds_word(verb->modifiers, name) ||
           (!own && holds_word(verb->modifiers, "*") &&
            !holds_word(verb->modifiers, arena_format(r->binder->arena, "-%s", name)));
}

/* The one verb of a record; NULL after an error. */
static const struct field_verb *find_verb(const struct reader *r, const struct node *map)
{
    const struct document *document = r->binder->document;
    const struct field_verb *found = NULL;
    const char *list = "one of:";
    for (const struct field_verb *v = r->table->verbs; v->name; v++)
        list = arena_format(r->binder->arena, "%s %s", list, v->name);
    for (uint32_t i = 0; i < map->count; i++) {
        const struct field_verb *verb = verb_named(r->table, map->keys[i]->text);
        if (verb && found) {
            document_error(document, map->keys[i], "make it two steps",
                           "a step has one verb: `%s` and `%s` are two", found->name, verb->name);
            return NULL;
        }
        found = verb ? verb : found;
    }
    if (!found)
        document_error(document, map, list, "a step has a verb");
    return found;
}

static void read_list(struct reader *r, struct field_list *list, const struct node *value,
                      const char *name);

static void read_key(struct reader *r, const struct field_verb *verb, void *step,
                     const struct node *key, const struct node *value)
{
    struct bind_field found = bind_find(r->table->record, key->text);
    if (!found.field) {
        bind_unknown(r->binder, r->table->record, NULL, key, "a step");
        return;
    }
    if (strcmp(key->text, verb->name) != 0 && !goes_with(r, verb, &found)) {
        document_error(r->binder->document, key, NULL, "`%s` does not go with `%s`", key->text,
                       verb->name);
        return;
    }
    if (found.field->type == FIELD_STEPS)
        read_list(r, at_offset(step, found.offset), value, key->text);
    else
        bind_value(r->binder, found.field, at_offset(step, found.base), value);
}

/* Everything after the operation that travels on, which the calls of the step are noted with. */
static void read_record(struct reader *r, const struct field_verb *verb, void *step,
                        const struct node *map)
{
    uint32_t as = document_index(map, "as");
    if (as != UINT32_MAX) {
        struct bind_field found = bind_find(r->table->record, "as");
        read_key(r, verb, step, map->keys[as], map->items[as]);
        if (found.field && found.field->type == FIELD_OPERATION)
            memcpy(&r->binder->as, at_offset(step, found.offset), sizeof r->binder->as);
    }
    for (uint32_t i = 0; i < map->count; i++)
        if (i != as)
            read_key(r, verb, step, map->keys[i], map->items[i]);
    r->binder->as = BIND_SAME;
}

static void read_step(struct reader *r, void *step, const struct node *value)
{
    const struct field_steps *table = r->table;
    const struct field_verb *verb = verb_named(table, table->shorthand);
    if (value->type == NODE_LIST) {
        document_error(r->binder->document, value, "{steps: [..]} is a sequence of its own",
                       "a step is a name or a record, not a list");
        return;
    }
    if (value->type == NODE_MAP)
        verb = find_verb(r, value);
    if (value->type == NODE_BAD || !verb)
        return;
    uint32_t number = ++r->number;
    uint8_t index = (uint8_t)(verb - table->verbs);
    memcpy(at_offset(step, table->number), &number, sizeof number);
    memcpy(at_offset(step, table->verb), &index, sizeof index);
    bind_defaults(r->binder, table->record, step);
    if (r->inherited && !strcmp(verb->name, table->shorthand))
        memcpy(at_offset(step, r->inherited_to), r->inherited, table->inherited_size);
    uint32_t errors = r->binder->document->diagnostics->error_count;
    if (value->type == NODE_MAP)
        read_record(r, verb, step, value);
    else
        read_key(r, verb, step, document_scalar(r->binder->document, verb->name, value->place),
                 value);
    const char *why = errors == r->binder->document->diagnostics->error_count && table->check
                          ? table->check(step)
                          : NULL;
    if (why)
        document_error(r->binder->document, value, NULL, "%s", why);
}

static void read_list(struct reader *r, struct field_list *list, const struct node *value,
                      const char *name)
{
    if (value->type == NODE_BAD)
        return;
    if (value->type != NODE_LIST) {
        document_error(r->binder->document, value, "[db, {work: 2ms}, mail]",
                       "`%s` is a list of steps", name);
        return;
    }
    if (!value->count) {
        document_error(r->binder->document, value, NULL, "`%s` holds no step", name);
        return;
    }
    if (r->number + value->count > STEPS_MAX) {
        document_error(r->binder->document, value, NULL, "more than %d steps at one node",
                       STEPS_MAX);
        return;
    }
    char *steps = arena_take(r->binder->arena, value->count * r->table->size);
    for (uint32_t i = 0; i < value->count; i++)
        read_step(r, steps + i * r->table->size, value->items[i]);
    *list = (struct field_list){.items = steps, .count = value->count};
}

/* The list that holds for a configuration: the more specific of the two maps says. */
static const struct node *list_of(const struct binder *binder, const char *name,
                                  const struct node *map, const struct node *over)
{
    const struct node *const levels[] = {over, map};
    for (size_t i = 0; i < 2; i++) {
        const struct node *steps = document_find(levels[i], name);
        const struct node *to = document_find(levels[i], "to");
        if (steps && to) {
            document_error(binder->document, steps, "name the node as one of the steps",
                           "`%s` and `to`: one of the two", name);
            return NULL;
        }
        if (steps || to)
            return steps;
    }
    return NULL;
}

void bind_steps(struct binder *binder, const struct field_table *table, void *config,
                const struct node *map, const struct node *over)
{
    for (const struct field *f = table->fields; f && f->name; f++) {
        if (f->type != FIELD_STEPS)
            continue;
        const struct node *value = list_of(binder, f->name, map, over);
        struct reader r = {.binder = binder, .table = f->steps};
        size_t from = f->steps->inherited ? included_at(table, f->steps->inherited) : SIZE_MAX;
        if (from != SIZE_MAX) {
            r.inherited = at_offset(config, from);
            r.inherited_to = included_at(f->steps->record, f->steps->inherited);
        }
        if (value)
            read_list(&r, at_offset(config, f->offset), value, f->name);
    }
}

/* ---- the operations that steps begin ---- */

void point_begun(struct point *point, const struct node *value,
                 void (*declare)(struct point *point, void *context, const struct node *name),
                 void *context)
{
    for (uint32_t i = 0; value->type == NODE_LIST && i < value->count; i++)
        point_begun(point, value->items[i], declare, context);
    for (uint32_t i = 0; value->type == NODE_MAP && i < value->count; i++) {
        const struct node *item = value->items[i];
        if (!strcmp(value->keys[i]->text, "as") && item->type == NODE_SCALAR)
            declare(point, context, item);
        else if (item->type == NODE_LIST)
            point_begun(point, item, declare, context);
    }
}
