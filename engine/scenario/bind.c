#include "engine/scenario/bind.h"
#include "engine/scenario/call.h"
#include "engine/scenario/unit.h"

#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 400 };

/* The tables are const to everyone; the configuration is bytes in which each field has its place.
 */
static void *at_offset(void *base, size_t offset)
{
    return (char *)base + offset;
}

struct bind_field bind_find(const struct field_table *table, const char *name)
{
    struct field_found found = field_find(table, name);
    return (struct bind_field){found.field, found.offset, found.base};
}

static size_t names_of(const struct field_table *table, const char **names, size_t count)
{
    for (const struct field *f = table->fields; f && f->name && count < NAMES_MAX; f++)
        names[count++] = f->name;
    for (const struct field_include *i = table->includes; i && i->table; i++)
        count = names_of(i->table, names, count);
    return count;
}

bool bind_operation(const struct binder *binder, const char *name, uint32_t *index)
{
    const struct blueprint *b = binder->blueprint;
    for (uint32_t i = 0; b && i < b->operation_count; i++)
        if (!strcmp(b->operations[i].name, name)) {
            *index = i;
            return true;
        }
    return false;
}

static bool scalar(const struct binder *binder, const struct field *field, const struct node *value)
{
    if (value->type == NODE_SCALAR)
        return true;
    if (value->type != NODE_BAD)
        document_error(binder->document, value, NULL, "`%s` is one value, not a %s", field->name,
                       value->type == NODE_MAP ? "map" : "list");
    return false;
}

static bool in_range(const struct binder *binder, const struct field *field,
                     const struct node *value, double number, enum unit_dimension dimension)
{
    char text[UNIT_TEXT_SIZE];
    if (number < field->min)
        document_error(binder->document, value, NULL, "`%s` must be at least %s", field->name,
                       unit_format(field->min, dimension, text));
    else if (field->max > 0 && number > field->max)
        document_error(binder->document, value, NULL, "`%s` must be at most %s", field->name,
                       unit_format(field->max, dimension, text));
    else
        return true;
    return false;
}

static bool quantity(const struct binder *binder, const struct field *field,
                     const struct node *value, enum unit_dimension dimension, struct quantity *out)
{
    struct unit_problem problem = {{0}, {0}};
    if (value->quoted) {
        document_error(binder->document, value, "leave the quotes out",
                       "`%s` is %s, not a quoted text", field->name, unit_name(dimension));
        return false;
    }
    if (!unit_parse(value->text, dimension, out, &problem)) {
        document_error(binder->document, value, problem.hint[0] ? problem.hint : NULL, "`%s`: %s",
                       field->name, problem.message);
        return false;
    }
    return in_range(binder, field, value, out->value, dimension);
}

/* `none`, `auto` and `unlimited`: true when the value is that word and the field knows it; a word
 * that the field does not know is left to the reader of the value, whose message names what it
 * expects. */
static bool is_word(const struct field *field, const struct node *value, uint32_t flag)
{
    const char *word = flag == FIELD_NONE ? "none" : flag == FIELD_AUTO ? "auto" : "unlimited";
    return field->flags & flag && !value->quoted && !strcmp(value->text, word);
}

static void bind_count(const struct binder *binder, const struct field *field, void *base,
                       const struct node *value)
{
    uint64_t *count = at_offset(base, field->offset);
    struct quantity q;
    if (is_word(field, value, FIELD_UNLIMITED)) {
        *count = COUNT_UNLIMITED;
        return;
    }
    struct unit_problem problem;
    bool bytes = field->flags & FIELD_BYTES && unit_read(value->text, &q, &problem) &&
                 q.dimension == UNIT_BYTES;
    if (!quantity(binder, field, value, bytes ? UNIT_BYTES : UNIT_PLAIN, &q))
        return;
    if (!q.is_whole || q.whole < 0)
        document_error(binder->document, value, NULL, "`%s` is a whole number", field->name);
    else
        *count = (uint64_t)q.whole | (bytes ? COUNT_BYTES : 0);
}

static void bind_number(const struct binder *binder, const struct field *field, void *base,
                        const struct node *value, enum unit_dimension dimension)
{
    double *number = at_offset(base, field->offset);
    struct quantity q;
    if (dimension == UNIT_BANDWIDTH && is_word(field, value, FIELD_UNLIMITED)) {
        *number = 0;
        return;
    }
    if (!quantity(binder, field, value, dimension, &q))
        return;
    if (dimension == UNIT_SHARE && q.value > 1 && !(field->max > 1))
        document_error(binder->document, value, NULL, "`%s` is a share: at most 100%%",
                       field->name);
    else if (dimension == UNIT_BANDWIDTH && q.value == 0)
        document_error(binder->document, value, "without bound is `unlimited`",
                       "`%s` must be above 0", field->name);
    else
        *number = q.value;
}

static void bind_time(const struct binder *binder, const struct field *field, void *base,
                      const struct node *value)
{
    int64_t *time = at_offset(base, field->offset);
    struct quantity q;
    if (is_word(field, value, FIELD_NONE))
        *time = TIME_NONE;
    else if (is_word(field, value, FIELD_AUTO))
        *time = TIME_AUTO;
    else if (quantity(binder, field, value, UNIT_TIME, &q))
        *time = q.whole;
}

static void bind_bool(const struct binder *binder, const struct field *field, void *base,
                      const struct node *value)
{
    bool *flag = at_offset(base, field->offset);
    if (!strcmp(value->text, "true"))
        *flag = true;
    else if (!strcmp(value->text, "false"))
        *flag = false;
    else
        document_error(binder->document, value, NULL, "`%s` is true or false, not `%s`",
                       field->name, value->text);
}

/* One argument of a word, as a value of its own with its own place. */
static const struct node *argument_of(const struct binder *binder, const struct node *value,
                                      const struct call *argument)
{
    char *text = arena_text(binder->arena, value->text + argument->offset, argument->length);
    struct spot place = document_place(binder->document, value, argument->offset, argument->length);
    return document_scalar(binder->document, text, place);
}

static void bind_parameters(struct binder *binder, const struct field_word *word, void *base,
                            const struct node *value, const struct call *call)
{
    const struct field_table *table = word->parameters;
    uint32_t position = 0;
    for (uint32_t i = 0; i < call->count; i++) {
        const struct call *argument = &call->arguments[i];
        const struct node *text = argument_of(binder, value, argument);
        const struct field *field = NULL;
        if (argument->parameter) {
            field = table ? bind_find(table, argument->parameter).field : NULL;
        } else if (table && table->fields && table->fields[position].name) {
            field = &table->fields[position++];
        }
        if (field) {
            bind_value(binder, field, base, text);
        } else if (argument->parameter) {
            const char *names[NAMES_MAX];
            size_t count = table ? names_of(table, names, 0) : 0;
            document_error(binder->document, text,
                           diagnostic_suggest(binder->document->diagnostics, argument->parameter,
                                              names, count),
                           "`%s` has no parameter `%s`", word->name, argument->parameter);
        } else {
            document_error(binder->document, text, NULL,
                           table ? "`%s` takes no further argument" : "`%s` takes no arguments",
                           word->name);
        }
    }
}

static void unknown_word(const struct binder *binder, const struct field *field,
                         const struct node *value, const char *word)
{
    const char *names[NAMES_MAX];
    size_t count = 0;
    char list[400] = "one of:";
    for (const struct field_word *w = field->words; w->name && count < NAMES_MAX; w++) {
        names[count++] = w->name;
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, " %s", w->name);
    }
    const char *near = diagnostic_suggest(binder->document->diagnostics, word, names, count);
    document_error(binder->document, value, near ? near : list, "`%s` cannot be `%s`", field->name,
                   word);
}

/* One word of a list, or the only one. */
static void bind_one_of(const struct binder *binder, const struct field *field, uint32_t *bits,
                        const struct node *value)
{
    if (!scalar(binder, field, value))
        return;
    for (uint32_t i = 0; field->words[i].name; i++)
        if (!strcmp(field->words[i].name, value->text)) {
            *bits |= UINT32_C(1) << i;
            return;
        }
    unknown_word(binder, field, value, value->text);
}

static void bind_words(const struct binder *binder, const struct field *field, void *base,
                       const struct node *value)
{
    uint32_t bits = 0;
    if (value->type == NODE_LIST)
        for (uint32_t i = 0; i < value->count; i++)
            bind_one_of(binder, field, &bits, value->items[i]);
    else
        bind_one_of(binder, field, &bits, value);
    if (bits)
        *(uint32_t *)at_offset(base, field->offset) = bits;
}

/* `50%` where a word with one parameter could stand: the first word with it. */
static bool bind_bare(struct binder *binder, const struct field *field, void *base,
                      const struct node *value)
{
    char first = value->text[0];
    if (!(field->flags & FIELD_BARE) || first < '0' || first > '9')
        return false;
    *(uint8_t *)at_offset(base, field->offset) = 0;
    bind_value(binder, &field->words[0].parameters->fields[0], base, value);
    return true;
}

static void bind_word(struct binder *binder, const struct field *field, void *base,
                      const struct node *value)
{
    struct call_problem problem = {{0}, {0}, 0, 0};
    if (bind_bare(binder, field, base, value))
        return;
    const struct call *call = call_parse(binder->arena, value->text, &problem);
    if (!call || (call->type != CALL_WORD && call->type != CALL_CALL)) {
        document_error(binder->document, value, problem.hint[0] ? problem.hint : NULL,
                       "`%s` is one word%s%s", field->name, problem.message[0] ? ": " : "",
                       problem.message);
        return;
    }
    for (uint8_t i = 0; field->words[i].name; i++) {
        const struct field_word *word = &field->words[i];
        if (strcmp(word->name, call->text) != 0)
            continue;
        uint8_t *index = at_offset(base, field->offset);
        *index = i;
        if (word->parameters)
            bind_defaults(binder, word->parameters, base);
        if (call->type == CALL_CALL)
            bind_parameters(binder, word, base, value, call);
        return;
    }
    unknown_word(binder, field, value, call->text);
}

static void bind_sampler(struct binder *binder, const struct field *field, void *base,
                         const struct node *value)
{
    void *place = at_offset(base, field->offset);
    enum unit_dimension dimension = field->type == FIELD_SIZE ? UNIT_BYTES : UNIT_TIME;
    struct distribution made = {0};
    const struct sampler s = {.document = binder->document,
                              .arena = binder->arena,
                              .shared = binder->shared,
                              .field = field->name};
    if (field->type == FIELD_KEYS) {
        sampler_keys(&s, value, place);
    } else if (field->type == FIELD_ARRIVALS) {
        sampler_arrivals(&s, value, place);
    } else if (is_word(field, value, FIELD_NONE)) {
        *(struct distribution *)place = made; /* the constant 0 means none here */
    } else if (sampler_distribution(&s, value, dimension, &made) &&
               (made.kind != DISTRIBUTION_CONSTANT ||
                in_range(binder, field, value, made.value, dimension))) {
        *(struct distribution *)place = made;
    }
}

static void bind_money(const struct binder *binder, const struct field *field, void *base,
                       const struct node *value)
{
    int64_t *price = at_offset(base, field->offset);
    struct quantity q;
    if (!quantity(binder, field, value, UNIT_MONEY, &q))
        return;
    if (q.value > 1e9)
        document_error(binder->document, value, NULL, "`%s` is beyond 1e9 USD/h", field->name);
    else
        *price = (int64_t)(q.value * 1e9 + 0.5);
}

/* One `6min 8`. */
static bool bind_point(const struct binder *binder, const struct node *value, int64_t after,
                       struct scaling_point *point)
{
    struct quantity at, count;
    const char *gap = value->type == NODE_SCALAR ? strchr(value->text, ' ') : NULL;
    const char *time =
        gap ? arena_text(binder->arena, value->text, (size_t)(gap - value->text)) : "";
    if (!gap || !unit_parse(time, UNIT_TIME, &at, NULL) ||
        !unit_parse(gap + strspn(gap, " "), UNIT_PLAIN, &count, NULL) || !count.is_whole ||
        count.whole < 1 || count.whole > 1000000 || at.whole <= after) {
        if (value->type != NODE_BAD)
            document_error(binder->document, value, "[0s 6, 6min 8]",
                           "a schedule says from when on how many, in order of time");
        return false;
    }
    *point = (struct scaling_point){at.whole, (uint32_t)count.whole};
    return true;
}

static void bind_schedule(const struct binder *binder, const struct field *field, void *base,
                          const struct node *value)
{
    struct field_list *list = at_offset(base, field->offset);
    int64_t after = -1;
    if (value->type != NODE_LIST || !value->count) {
        if (value->type != NODE_BAD)
            document_error(binder->document, value, "[0s 6, 6min 8]", "`%s` is a list",
                           field->name);
        return;
    }
    struct scaling_point *points = arena_array(binder->arena, value->count, struct scaling_point);
    for (uint32_t i = 0; i < value->count; i++) {
        if (!bind_point(binder, value->items[i], after, &points[i]))
            return;
        after = points[i].at;
    }
    *list = (struct field_list){points, value->count};
}

static void bind_operation_name(const struct binder *binder, const struct field *field, void *base,
                                const struct node *value)
{
    uint32_t *index = at_offset(base, field->offset);
    if (!bind_operation(binder, value->text, index))
        document_error(binder->document, value, NULL, "`%s` is no operation", value->text);
}

/* The part of `{view: 2ms, buy: 9ms}` that holds for the operation at hand; NULL: its default. */
static const struct node *short_form(struct binder *binder, const struct field *field,
                                     const struct node *map)
{
    const struct node *found = NULL;
    for (uint32_t i = 0; i < map->count; i++) {
        uint32_t index;
        if (!bind_operation(binder, map->keys[i]->text, &index)) {
            uint32_t count = binder->blueprint ? binder->blueprint->operation_count : 0;
            const char *names[OPERATIONS_MAX];
            for (uint32_t k = 0; k < count; k++)
                names[k] = binder->blueprint->operations[k].name;
            document_error(
                binder->document, map->keys[i],
                diagnostic_suggest(binder->document->diagnostics, map->keys[i]->text, names, count),
                "`%s`: no client has an operation `%s`", field->name, map->keys[i]->text);
        } else if (index == binder->operation) {
            found = map->items[i];
        }
    }
    return found;
}

static uint8_t word_count(const struct field *field)
{
    uint8_t count = 0;
    while (field->words[count].name)
        count++;
    return count;
}

/* In the keys of one operation a record holds none that are read once for the whole node. */
static void bind_whole(const struct binder *binder, const struct field_table *record,
                       const struct node *value)
{
    for (uint32_t i = 0; binder->overrides && i < value->count; i++) {
        const struct field *f = bind_find(record, value->keys[i]->text).field;
        if (f && f->flags & FIELD_WHOLE)
            document_error(binder->document, value->keys[i], NULL,
                           "`%s` belongs to the whole node, not to one operation", f->name);
    }
}

static void bind_record(struct binder *binder, const struct field *field, void *base,
                        const struct node *value)
{
    if (value->type == NODE_SCALAR && field->words) {
        bind_word(binder, field, base, value);
        return;
    }
    if (value->type == NODE_SCALAR && is_word(field, value, FIELD_NONE)) {
        if (field->present)
            *(bool *)at_offset(base, field->present) = false;
        return;
    }
    if (value->type != NODE_MAP) {
        if (value->type != NODE_BAD)
            document_error(binder->document, value, NULL, "`%s` is a record: {key: value}%s",
                           field->name, field->flags & FIELD_NONE ? ", or `none`" : "");
        return;
    }
    if (field->words)
        *(uint8_t *)at_offset(base, field->offset) = word_count(field);
    bind_defaults(binder, field->record, base);
    bind_whole(binder, field->record, value);
    bind_map(binder, field->record, base, value, NULL,
             arena_format(binder->arena, "`%s`", field->name));
    bind_required(binder, field->record, value, NULL,
                  arena_format(binder->arena, "`%s`", field->name));
}

void bind_value(struct binder *binder, const struct field *field, void *base,
                const struct node *value)
{
    if (value->type == NODE_BAD)
        return;
    if (value->type == NODE_MAP && field->flags & FIELD_PER_OPERATION &&
        field->type != FIELD_RECORD) {
        value = short_form(binder, field, value);
        if (!value)
            return;
    }
    if (field->present)
        *(bool *)at_offset(base, field->present) = true;
    switch (field->type) {
    case FIELD_POOL:
        bind_pool(binder, field, base, value);
        return;
    case FIELD_OPERATIONS:
        bind_operations(binder, field, base, value);
        return;
    case FIELD_PARTS:
        bind_parts(binder, field, base, value);
        return;
    case FIELD_RECORD:
        bind_record(binder, field, base, value);
        return;
    case FIELD_ARRIVALS:
        bind_sampler(binder, field, base, value);
        return;
    case FIELD_SCHEDULE:
        bind_schedule(binder, field, base, value);
        return;
    case FIELD_WORDS:
        bind_words(binder, field, base, value);
        return;
    default:
        break;
    }
    if (!scalar(binder, field, value))
        return;
    switch (field->type) {
    case FIELD_COUNT:
        bind_count(binder, field, base, value);
        break;
    case FIELD_NUMBER:
        bind_number(binder, field, base, value, UNIT_PLAIN);
        break;
    case FIELD_SHARE:
        bind_number(binder, field, base, value, UNIT_SHARE);
        break;
    case FIELD_FACTOR:
        bind_number(binder, field, base, value, UNIT_FACTOR);
        break;
    case FIELD_BANDWIDTH:
        bind_number(binder, field, base, value, UNIT_BANDWIDTH);
        break;
    case FIELD_RATE:
        bind_number(binder, field, base, value, UNIT_RATE);
        break;
    case FIELD_BOOL:
        bind_bool(binder, field, base, value);
        break;
    case FIELD_TIME:
        bind_time(binder, field, base, value);
        break;
    case FIELD_WORD:
        bind_word(binder, field, base, value);
        break;
    case FIELD_MONEY:
        bind_money(binder, field, base, value);
        break;
    case FIELD_OPERATION:
        bind_operation_name(binder, field, base, value);
        break;
    default:
        bind_sampler(binder, field, base, value);
        break;
    }
}

void bind_defaults(struct binder *binder, const struct field_table *table, void *config)
{
    for (const struct field *f = table->fields; f && f->name; f++) {
        if (binder->overrides && f->flags & FIELD_WHOLE)
            continue;
        if (f->type == FIELD_RECORD && !f->words) {
            if (f->otherwise)
                bind_defaults(binder, f->record, config);
            continue;
        }
        if (!f->otherwise || f->flags & (FIELD_PER_REQUEST | FIELD_REQUIRED))
            continue;
        if (f->type == FIELD_WORDS)
            continue; /* no bit set is the default */
        /* A default is told by no present flag, and its text is ours: it cannot be in error. */
        struct field plain = *f;
        plain.present = 0;
        uint32_t errors = binder->document->diagnostics->error_count;
        bind_value(binder, &plain, config,
                   document_scalar(binder->document, f->otherwise, (struct spot){0}));
        CHECK(binder->document->diagnostics->error_count == errors);
    }
    for (const struct field_include *i = table->includes; i && i->table; i++)
        bind_defaults(binder, i->table, at_offset(config, i->offset));
}

static bool listed(const char *const *names, const char *name)
{
    for (; names && *names; names++)
        if (!strcmp(*names, name))
            return true;
    return false;
}

void bind_unknown(const struct binder *binder, const struct field_table *table,
                  const char *const *extra, const struct node *key, const char *what)
{
    const char *names[NAMES_MAX];
    size_t count = names_of(table, names, 0);
    for (; extra && *extra && count < NAMES_MAX; extra++)
        names[count++] = *extra;
    document_error(binder->document, key,
                   diagnostic_suggest(binder->document->diagnostics, key->text, names, count),
                   "unknown key `%s` of %s", key->text, what);
}

void bind_map(struct binder *binder, const struct field_table *table, void *config,
              const struct node *map, const char *const *extra, const char *what)
{
    for (uint32_t i = 0; map && map->type == NODE_MAP && i < map->count; i++) {
        const struct node *key = map->keys[i];
        if (key->type != NODE_SCALAR || listed(extra, key->text))
            continue;
        struct bind_field found = bind_find(table, key->text);
        if (found.field && found.field->type == FIELD_STEPS)
            continue; /* read last, by bind_steps */
        if (found.field)
            bind_value(binder, found.field, at_offset(config, found.base), map->items[i]);
        else
            bind_unknown(binder, table, extra, key, what);
    }
}

void bind_required(struct binder *binder, const struct field_table *table, const struct node *map,
                   const struct node *over, const char *what)
{
    for (const struct field *f = table->fields; f && f->name; f++)
        if (f->flags & FIELD_REQUIRED && !document_find(map, f->name) &&
            !(over && document_find(over, f->name)))
            document_error(binder->document, map, NULL, "%s needs a `%s`", what, f->name);
    for (const struct field_include *i = table->includes; i && i->table; i++)
        bind_required(binder, i->table, map, over, what);
}
