#include "engine/scenario/sweep.h"
#include "engine/kernel/arithmetic.h"
#include "engine/scenario/call.h"
#include "engine/scenario/expression.h"
#include "engine/scenario/scenario.h"
#include "engine/scenario/unit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

uint32_t sweep_find(const struct sweep *sweep, const char *name)
{
    for (uint32_t i = 0; i < sweep->parameter_count; i++)
        if (!strcmp(sweep->parameters[i].name, name))
            return i;
    return UINT32_MAX;
}

/* A value on one line, for tables: lists and maps in flow style. */
static const char *flow(struct arena *arena, const struct node *value)
{
    if (value->type == NODE_SCALAR)
        return value->text;
    char *text = arena_format(arena, value->type == NODE_MAP ? "{" : "[");
    for (uint32_t i = 0; i < value->count; i++)
        text = arena_format(arena, "%s%s%s%s%s", text, i ? ", " : "",
                            value->type == NODE_MAP ? value->keys[i]->text : "",
                            value->type == NODE_MAP ? ": " : "", flow(arena, value->items[i]));
    return arena_format(arena, "%s%s", text, value->type == NODE_MAP ? "}" : "]");
}

static void range_error(struct document *base, const struct node *at, const char *message)
{
    document_error(base, at, "200/s..1400/s step 200/s, 1k..1M log 7, or a list [a, b]", "%s",
                   message);
}

static void fill_range(struct document *base, struct sweep_parameter *p, const struct node *at,
                       uint64_t count)
{
    if (count > SCENARIO_POINTS_MAX) {
        document_error(base, at, NULL, "the range has more than %d values", SCENARIO_POINTS_MAX);
        return;
    }
    p->count = (uint32_t)count;
    p->values = arena_array(base->arena, p->count, struct sweep_value);
}

static void put_range_value(struct document *base, struct sweep_parameter *p, const struct node *at,
                            uint32_t i, double value, enum unit_dimension dimension, int digits)
{
    char text[UNIT_TEXT_SIZE];
    if (dimension == UNIT_RATE) /* as one writes it: 1400/s, not 1.4k/s */
        snprintf(text, sizeof text, "%.*g/s", digits, value);
    else
        unit_format_short(value, dimension, digits, text);
    p->values[i].value = document_scalar(base, text, at->place);
    p->values[i].text = p->values[i].value->text;
}

/* a..b step c: every value is a + i c, of which b is one when the step meets it. */
static void read_steps(struct document *base, struct sweep_parameter *p, const struct node *at,
                       const struct quantity *low, const struct quantity *high,
                       const struct quantity *step)
{
    if (!(step->value > 0) || step->dimension != low->dimension) {
        range_error(base, at, "the step of a range is above 0 and of the kind of its ends");
        return;
    }
    double steps = (high->value - low->value) / step->value;
    uint64_t count =
        steps < SCENARIO_POINTS_MAX ? (uint64_t)floor(steps * (1 + 1e-12) + 1e-9) + 1 : UINT64_MAX;
    fill_range(base, p, at, count);
    for (uint32_t i = 0; i < p->count; i++)
        put_range_value(base, p, at, i, low->value + i * step->value, low->dimension, 12);
}

/* a..b log n: n values from a to b at equal ratios; whole numbers stay whole. */
static void read_log(struct document *base, struct sweep_parameter *p, const struct node *at,
                     const struct quantity *low, const struct quantity *high,
                     const struct quantity *count)
{
    if (!count->is_whole || count->dimension != UNIT_PLAIN || count->whole < 2 ||
        !(low->value > 0)) {
        range_error(base, at, "a range `a..b log n` begins above 0 and has at least 2 values");
        return;
    }
    bool whole = low->dimension == UNIT_PLAIN && low->is_whole && high->is_whole;
    fill_range(base, p, at, (uint64_t)count->whole);
    for (uint32_t i = 0; i < p->count; i++) {
        double part = (double)i / (p->count - 1);
        double value = i == 0 ? low->value
                       : i == p->count - 1
                           ? high->value
                           : low->value * arithmetic_pow(high->value / low->value, part);
        put_range_value(base, p, at, i, whole ? round(value) : value, low->dimension,
                        whole || i == 0 || i == p->count - 1 ? 15 : 6);
    }
}

static void read_range(struct document *base, struct sweep_parameter *p, const struct node *at)
{
    struct call_problem problem;
    const struct call *c = call_parse(base->arena, at->text, &problem);
    if (!c || c->type != CALL_GROUP || c->count != 3 || c->arguments[0].type != CALL_RANGE ||
        c->arguments[1].type != CALL_WORD || c->arguments[2].type != CALL_WORD) {
        range_error(base, at, "a sweep entry is a list, a range or a map of named points");
        return;
    }
    const struct call *ends = c->arguments[0].arguments;
    struct quantity low, high, by;
    struct unit_problem why = {{0}, {0}};
    if (!unit_read(ends[0].text, &low, &why) || !unit_read(ends[1].text, &high, &why) ||
        !unit_read(c->arguments[2].text, &by, &why)) {
        range_error(base, at, why.message);
        return;
    }
    if (low.value == 0)
        low.dimension = high.dimension;
    if (low.dimension != high.dimension || low.value > high.value)
        range_error(base, at, "a range goes from low to high, both of one kind");
    else if (!strcmp(c->arguments[1].text, "step"))
        read_steps(base, p, at, &low, &high, &by);
    else if (!strcmp(c->arguments[1].text, "log"))
        read_log(base, p, at, &low, &high, &by);
    else
        range_error(base, at, "a range is `a..b step c` or `a..b log n`");
}

static void read_list(struct document *base, struct sweep_parameter *p, const struct node *list)
{
    p->values = arena_array(base->arena, list->count, struct sweep_value);
    for (uint32_t i = 0; i < list->count; i++) {
        struct node *value = list->items[i];
        if (value->type == NODE_BAD)
            continue;
        const char *text = flow(base->arena, value);
        for (uint32_t k = 0; k < p->count; k++)
            if (!strcmp(p->values[k].text, text))
                document_error(base, value, NULL, "`%s` stands in this list twice", text);
        p->values[p->count++] = (struct sweep_value){.text = text, .value = value};
    }
}

/* Whether a named point is what the document says anyway. */
static bool stands(const struct document *resolved, const struct node *named)
{
    for (uint32_t i = 0; i < named->count; i++) {
        const struct node *at = document_at(resolved, named->keys[i]->text);
        if (!at || !document_equal(at, named->items[i]))
            return false;
    }
    return true;
}

static void read_named(struct document *base, const struct document *resolved,
                       struct sweep_parameter *p, const struct node *map)
{
    p->values = arena_array(base->arena, map->count, struct sweep_value);
    for (uint32_t i = 0; i < map->count; i++) {
        if (map->items[i]->type != NODE_MAP) {
            if (map->items[i]->type != NODE_BAD)
                document_error(base, map->items[i], "{nodes.web.count: 2, rate: 200/s}",
                               "a named point is a map of path: value");
            continue;
        }
        p->values[p->count++] =
            (struct sweep_value){.text = map->keys[i]->text, .named = map->items[i]};
        if (!p->written && stands(resolved, map->items[i]))
            p->written = map->keys[i]->text;
    }
}

static bool parameter_known(struct document *base, const struct node *key)
{
    if (strchr(key->text, '.') || document_at(base, key->text) || !strcmp(key->text, "seed"))
        return true;
    const struct node *vars = document_find(base->root, "vars");
    uint32_t count = vars && vars->type == NODE_MAP ? vars->count : 0;
    const char **names = arena_array(base->arena, count, const char *);
    for (uint32_t i = 0; i < count; i++)
        names[i] = vars->keys[i]->text;
    const char *near = diagnostic_suggest(base->diagnostics, key->text, names, count);
    document_error(base, key,
                   near ? near
                        : "sweep a var, a path such as nodes.web.count, or a map "
                          "of named points",
                   "`%s` is no var", key->text);
    return false;
}

static void read_parameter(struct document *base, const struct document *resolved,
                           struct sweep_parameter *p, const struct node *key,
                           const struct node *value)
{
    *p = (struct sweep_parameter){.name = key->text, .key = key};
    if (value->type == NODE_BAD)
        return;
    if (value->type == NODE_MAP) {
        read_named(base, resolved, p, value);
    } else if (parameter_known(base, key)) {
        const struct node *at = document_at(resolved, key->text);
        if (value->type == NODE_LIST)
            read_list(base, p, value);
        else
            read_range(base, p, value);
        if (at && at->type != NODE_BAD)
            p->written = flow(base->arena, at);
    } else {
        return;
    }
    if (!p->count && !base->diagnostics->error_count)
        document_error(base, value, NULL, "`%s` has no values", key->text);
}

const char *sweep_text(const struct sweep *sweep, uint32_t point, uint32_t parameter)
{
    const struct sweep_parameter *p = &sweep->parameters[parameter];
    if (!sweep->played)
        return p->written;
    return p->values[sweep->choices[(size_t)point * sweep->parameter_count + parameter]].text;
}

struct document sweep_document(const struct sweep *sweep, uint32_t point, struct arena *arena)
{
    struct document document = document_copy(sweep->base, arena);
    for (uint32_t i = 0; sweep->played && i < sweep->parameter_count; i++) {
        const struct sweep_parameter *p = &sweep->parameters[i];
        const struct sweep_value *v =
            &p->values[sweep->choices[(size_t)point * sweep->parameter_count + i]];
        if (v->value)
            document_set(&document, p->name, v->value, p->key->place);
        for (uint32_t k = 0; v->named && k < v->named->count; k++)
            document_set(&document, v->named->keys[k]->text, v->named->items[k],
                         v->named->keys[k]->place);
    }
    expression_resolve(&document, false);
    return document;
}

static const char *name_value(const void *context, const char *name)
{
    /* The document is a cache: it changes nothing that the caller can see. */
    struct sweep_names *names;
    memcpy(&names, &context, sizeof(struct sweep_names *));
    uint32_t parameter = sweep_find(names->sweep, name);
    if (parameter != UINT32_MAX)
        return sweep_text(names->sweep, names->point, parameter);
    const struct node *written = document_at(names->sweep->base, name);
    if (!written || written->type != NODE_SCALAR ||
        (!strchr(name, '.') &&
         !document_find(document_find(names->sweep->base->root, "vars"), name)))
        return NULL;
    if (!names->document) {
        names->document = arena_new(names->arena, struct document);
        *names->document = sweep_document(names->sweep, names->point, names->arena);
    }
    const struct node *at = document_at(names->document, name);
    return at && at->type == NODE_SCALAR ? at->text : NULL;
}

static const char *const *name_list(const void *context, size_t *count)
{
    const struct sweep_names *names = context;
    const struct node *vars = document_find(names->sweep->base->root, "vars");
    uint32_t var_count = vars && vars->type == NODE_MAP ? vars->count : 0;
    const char **list =
        arena_array(names->arena, (size_t)names->sweep->parameter_count + var_count, const char *);
    *count = 0;
    for (uint32_t i = 0; i < names->sweep->parameter_count; i++)
        list[(*count)++] = names->sweep->parameters[i].name;
    for (uint32_t i = 0; i < var_count; i++)
        list[(*count)++] = vars->keys[i]->text;
    return list;
}

struct condition_names sweep_condition_names(struct sweep_names *names)
{
    return (struct condition_names){.value = name_value, .known = name_list, .context = names};
}

/* The conditions of `where`: one text or a list of them. */
static const struct condition **read_where(struct document *base, uint32_t *count)
{
    const struct node *where = document_find(base->root, "where");
    *count = 0;
    if (!where || where->type == NODE_BAD)
        return NULL;
    uint32_t room = where->type == NODE_LIST ? where->count : 1;
    const struct condition **all = arena_array(base->arena, room, const struct condition *);
    for (uint32_t i = 0; i < room; i++) {
        const struct node *text = where->type == NODE_LIST ? where->items[i] : where;
        if (text->type != NODE_SCALAR) {
            if (text->type != NODE_BAD)
                document_error(base, text, NULL, "`where` is a condition or a list of conditions");
            continue;
        }
        all[*count] = condition_parse(base, text, 0, strlen(text->text));
        *count += all[*count] != NULL;
    }
    return all;
}

static void make_points(struct sweep *sweep, struct document *base, uint64_t total)
{
    uint32_t where_count, parameters = sweep->parameter_count;
    const struct condition **where = read_where(base, &where_count);
    struct arena arena = {0};
    uint32_t kept = 0;
    sweep->played = true;
    sweep->choices = arena_array(base->arena, (size_t)total * parameters, uint32_t);
    for (uint32_t i = 0; i < total; i++) {
        uint32_t *choice = sweep->choices + (size_t)kept * parameters;
        uint32_t rest = i;
        for (uint32_t p = parameters; p-- > 0;) {
            choice[p] = rest % sweep->parameters[p].count;
            rest /= sweep->parameters[p].count;
        }
        struct sweep_names names = {.sweep = sweep, .point = kept, .arena = &arena};
        struct condition_names condition_names = sweep_condition_names(&names);
        bool keep = true;
        for (uint32_t w = 0; w < where_count; w++) {
            bool ok;
            bool holds = condition_holds(where[w], &condition_names, &ok);
            keep = keep && (holds || !ok);
            if (!ok && base->diagnostics->error_count >= DIAGNOSTIC_SHOWN_MAX)
                total = 0;
        }
        kept += keep;
        arena_reset(&arena);
    }
    arena_free(&arena);
    sweep->point_count = kept;
    if (!kept) {
        sweep->played = false;
        sweep->point_count = 1;
        document_error(base, document_find(base->root, "where"), NULL,
                       "`where` leaves no point of the sweep");
    }
}

void sweep_read(struct sweep *sweep, struct document *base, bool play)
{
    const struct node *map = document_find(base->root, "sweep");
    *sweep = (struct sweep){.base = base, .point_count = 1};
    uint32_t errors = base->diagnostics->error_count;
    if (map && map->type == NODE_MAP && map->count) {
        struct document resolved = document_copy(base, base->arena);
        expression_resolve(&resolved, false);
        sweep->parameter_count = map->count;
        sweep->parameters = arena_array(base->arena, map->count, struct sweep_parameter);
        for (uint32_t i = 0; i < map->count; i++)
            read_parameter(base, &resolved, &sweep->parameters[i], map->keys[i], map->items[i]);
    } else if (map && map->type != NODE_BAD && map->type != NODE_MAP) {
        document_error(base, map, NULL, "`sweep` is a map: {rate: [100/s, 200/s]}");
    }
    if (!play || !sweep->parameter_count || base->diagnostics->error_count != errors)
        return; /* after an error the document as it stands is bound, to find more of them */
    uint64_t total = 1;
    for (uint32_t i = 0; i < sweep->parameter_count; i++) {
        total *= sweep->parameters[i].count;
        if (total > SCENARIO_POINTS_MAX) {
            document_error(base, map, "fewer values, or a coarser range",
                           "the sweep has more than %d points", SCENARIO_POINTS_MAX);
            return;
        }
    }
    /* A parameter without values was refused, here or by the reader. */
    if (total)
        make_points(sweep, base, total);
}
