/* The form of an `expect` line, and the points of which it speaks. What its terms name is resolved
 * in metrics.c, against the nodes of each of these points. */
#include "engine/scenario/expect.h"
#include "engine/scenario/expect_line.h"
#include "engine/scenario/scenario.h"
#include "engine/scenario/unit.h"

#include <stdlib.h>
#include <string.h>

struct line_reader {
    struct expect_list *list;
    const struct sweep *sweep;
    struct expect_line *line;
    const char *text;
    struct expect_token token; /* length 0: the end */
    size_t next;
};

static void fail(struct line_reader *r, struct expect_token token, const char *hint,
                 const char *message)
{
    if (!r->line->failed)
        diagnostic_error(r->list->base->diagnostics,
                         document_place(r->list->base, r->line->scalar, token.at, token.length),
                         hint, "%s", message);
    r->line->failed = true;
}

/* Words are separated by spaces, but not inside parentheses or brackets. */
static void advance(struct line_reader *r)
{
    size_t at = r->next;
    int depth = 0;
    while (r->text[at] == ' ')
        at++;
    r->token.at = at;
    while (r->text[at] && (depth > 0 || r->text[at] != ' ')) {
        depth += strchr("([", r->text[at]) ? 1 : strchr(")]", r->text[at]) ? -1 : 0;
        at++;
    }
    r->token.length = at - r->token.at;
    r->next = at;
}

static bool is(const struct line_reader *r, const char *word)
{
    return r->token.length == strlen(word) && !memcmp(r->text + r->token.at, word, r->token.length);
}

static char *text_of(const struct line_reader *r, struct expect_token token)
{
    return arena_text(r->list->base->arena, r->text + token.at, token.length);
}

static bool is_comparison(const struct line_reader *r, enum comparison *comparison)
{
    static const struct {
        const char *text;
        enum comparison comparison;
    } all[] = {
        {"<", COMPARE_LESS},           {"<=", COMPARE_LESS_EQUAL}, {">", COMPARE_GREATER},
        {">=", COMPARE_GREATER_EQUAL}, {"==", COMPARE_EQUAL},      {"!=", COMPARE_NOT_EQUAL},
        {"~", COMPARE_NEAR},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (is(r, all[i].text)) {
            *comparison = all[i].comparison;
            return true;
        }
    return false;
}

/* The value of a parameter that is written so, or the only one with that head; UINT32_MAX after an
 * error. */
static uint32_t value_named(struct line_reader *r, uint32_t parameter, const char *value)
{
    const struct sweep_parameter *p = &r->sweep->parameters[parameter];
    struct arena *arena = r->list->base->arena;
    const char **values = arena_array(arena, p->count, const char *);
    uint32_t found = UINT32_MAX, matches = 0;
    for (uint32_t i = 0; i < p->count; i++) {
        values[i] = p->values[i].text;
        if (!strcmp(values[i], value))
            return i;
        if (condition_equal(values[i], value)) {
            found = i;
            matches++;
        }
    }
    if (!matches)
        fail(r, r->token, diagnostic_suggest(r->list->base->diagnostics, value, values, p->count),
             arena_format(arena, "`%s` is never `%s`", p->name, value));
    else if (matches > 1)
        fail(r, r->token, "write the value with its parameters",
             arena_format(arena, "`%s` is `%s` at several points", p->name, value));
    return matches == 1 ? found : UINT32_MAX;
}

/* `design=queued`: one parameter put to another value. */
static void read_assignment(struct line_reader *r, struct expect_side *side)
{
    const char *equal = memchr(r->text + r->token.at, '=', r->token.length);
    size_t head = (size_t)(equal - (r->text + r->token.at));
    char *name = arena_text(r->list->base->arena, r->text + r->token.at, head);
    char *value = arena_text(r->list->base->arena, equal + 1, r->token.length - head - 1);
    const struct sweep *sweep = r->sweep;
    uint32_t parameter = sweep_find(sweep, name);
    if (parameter == UINT32_MAX) {
        const char **names =
            arena_array(r->list->base->arena, sweep->parameter_count, const char *);
        for (uint32_t i = 0; i < sweep->parameter_count; i++)
            names[i] = sweep->parameters[i].name;
        fail(r, r->token,
             diagnostic_suggest(r->list->base->diagnostics, name, names, sweep->parameter_count),
             arena_format(r->list->base->arena, "`%s` is not swept", name));
        return;
    }
    uint32_t index = value_named(r, parameter, value);
    if (index == UINT32_MAX)
        return;
    if (side->at_count == EXPECT_AT_MAX)
        fail(r, r->token, NULL, "too many parameters after `at`");
    else
        side->at[side->at_count++] = (struct expect_at){.parameter = parameter, .value = index};
}

static void read_at(struct line_reader *r, struct expect_side *side)
{
    if (!is(r, "at"))
        return;
    struct expect_token at = r->token;
    advance(r);
    while (!r->line->failed && r->token.length &&
           memchr(r->text + r->token.at, '=', r->token.length) &&
           !strchr("=<>!~", r->text[r->token.at])) {
        read_assignment(r, side);
        advance(r);
    }
    if (!side->at_count)
        fail(r, at, "users.latency.p99 at design=queued", "`at` names no point");
}

static bool read_number(struct line_reader *r, struct expect_token token, struct quantity *quantity)
{
    struct unit_problem problem = {{0}, {0}};
    if (unit_read(text_of(r, token), quantity, &problem))
        return true;
    fail(r, token, problem.hint[0] ? arena_format(r->list->base->arena, "%s", problem.hint) : NULL,
         arena_format(r->list->base->arena, "%s", problem.message));
    return false;
}

static void read_factor(struct line_reader *r, struct expect_token token, const struct quantity *q,
                        struct expect_side *side)
{
    if (q->dimension != UNIT_PLAIN && q->dimension != UNIT_SHARE)
        fail(r, token, "0.5 * users.latency.p99", "a factor is a plain number");
    side->term.factor = q->value;
}

/* A swept parameter stands for its value at the point that is judged: the line is read once for
 * each of its values. `+ T` and `- T` may follow. False where none is called so. */
static bool read_parameter(struct line_reader *r, struct expect_side *side)
{
    struct expect_line *line = r->line;
    uint32_t index = sweep_find(r->sweep, text_of(r, r->token));
    if (index == UINT32_MAX || memchr(r->text + r->token.at, '.', r->token.length))
        return false;
    const struct sweep_parameter *p = &r->sweep->parameters[index];
    const char *value = r->sweep->played ? p->values[line->value].text : p->written;
    struct unit_problem problem = {{0}, {0}};
    struct expect_token place = r->token;
    line->parameter = index + 1;
    side->place = place;
    if (!value) { /* the point that is played is none of the sweep's */
        line->valueless = true;
    } else if (!unit_read(value, &side->quantity, &problem)) {
        fail(r, place, NULL,
             arena_format(r->list->base->arena, "`%s` stands at `%s`, which is no quantity",
                          p->name, value));
        return true;
    }
    advance(r);
    bool minus = is(r, "-");
    if (!minus && !is(r, "+"))
        return true;
    advance(r);
    struct quantity more;
    if (!r->token.length || !read_number(r, r->token, &more))
        fail(r, r->token.length ? r->token : place, "detect + 3s", "a quantity must stand here");
    else if (value && more.dimension != side->quantity.dimension && more.value != 0)
        fail(r, r->token, NULL, "only quantities of one kind can be added");
    else
        side->quantity.value += minus ? -more.value : more.value;
    side->quantity.is_whole = false;
    advance(r);
    return true;
}

/* [NUMBER *] METRIC [* NUMBER] [at ...], or a quantity. */
static void read_term(struct line_reader *r, struct expect_side *side)
{
    side->term.factor = 1;
    enum comparison unused;
    if (!r->token.length || is_comparison(r, &unused)) {
        fail(r, r->token, "users.latency.p99 < 200ms", "a metric or a value must stand here");
        return;
    }
    if (is(r, "yes") || is(r, "no")) { /* of what is 1 or 0 */
        side->quantity.value = is(r, "yes");
        side->place = r->token;
        advance(r);
        return;
    }
    if (unit_is_number(text_of(r, r->token))) {
        struct expect_token number = r->token;
        if (!read_number(r, number, &side->quantity))
            return;
        side->place = number;
        advance(r);
        if (!is(r, "*"))
            return;
        read_factor(r, number, &side->quantity, side);
        advance(r);
        double factor = side->term.factor;
        if (!r->line->failed && r->token.length && read_parameter(r, side)) {
            side->quantity.value *= factor;
            side->term.factor = 1;
            return;
        }
    } else if (read_parameter(r, side)) {
        return;
    }
    side->term.is_metric = true;
    side->place = (struct expect_token){r->token.at, r->token.length};
    side->text = text_of(r, r->token);
    advance(r);
    if (is(r, "*")) {
        struct quantity q;
        advance(r);
        if (read_number(r, r->token, &q))
            read_factor(r, r->token, &q, side);
        advance(r);
    }
    read_at(r, side);
}

static void read_margin(struct line_reader *r)
{
    struct expect_line *line = r->line;
    if (!is(r, "+-")) {
        if (line->expectation.comparison == COMPARE_NEAR)
            fail(r, line->comparison_place, "web.utilization ~ 0.8 +- 0.01",
                 "`~` needs a margin: +- d");
        return;
    }
    if (line->expectation.comparison != COMPARE_NEAR)
        fail(r, r->token, "web.utilization ~ 0.8 +- 0.01", "a margin belongs to `~`");
    advance(r);
    line->margin_place = r->token;
    line->has_margin = r->token.length && read_number(r, r->token, &line->margin);
    if (!line->has_margin)
        fail(r, r->token, "web.utilization ~ 0.8 +- 0.01", "a margin must stand behind `+-`");
    else if (line->margin.value < 0)
        fail(r, r->token, NULL, "a margin cannot be negative");
    advance(r);
}

/* The index of a phase among those of the scenario, as a window of the recorder: W is 0. */
static uint32_t window_of(struct expect_list *list, const struct expect_phase *phase)
{
    for (uint32_t i = 0; i < list->phase_count; i++) {
        const struct expect_phase *p = &list->phases[i];
        if (p->kind == phase->kind && p->delay_ns == phase->delay_ns &&
            !strcmp(p->fault, phase->fault))
            return 1 + i;
    }
    list->phases[list->phase_count] = *phase;
    return 1 + list->phase_count++;
}

static void read_delay(struct line_reader *r, struct expect_phase *phase)
{
    struct quantity q;
    struct expect_token token = r->token;
    if (!token.length || !read_number(r, token, &q)) {
        fail(r, token, "within 10s after crash", "a time must stand behind `within`");
        return;
    }
    if ((q.dimension != UNIT_TIME && q.value != 0) || q.value < 0 || q.value > 9e18)
        fail(r, token, "within 10s after crash", "the time behind `within` is no time");
    phase->delay_ns = r->line->failed ? 0 : (int64_t)(q.value + 0.5);
    advance(r);
    if (!is(r, "after"))
        fail(r, r->token.length ? r->token : token, "within 10s after crash",
             "`within T` is followed by `after` and a fault");
}

/* [during F | until F | after F | within T after F]; false where none stands here. */
static bool read_phase(struct line_reader *r, struct expect_side *side)
{
    static const struct {
        const char *word;
        enum phase_kind kind;
    } words[] = {{"during", PHASE_DURING},
                 {"until", PHASE_UNTIL},
                 {"after", PHASE_AFTER},
                 {"within", PHASE_WITHIN}};
    struct expect_phase phase = {0};
    struct expect_token place = r->token;
    size_t i = 0;
    while (i < sizeof words / sizeof *words && !is(r, words[i].word))
        i++;
    if (i == sizeof words / sizeof *words)
        return false;
    phase.kind = words[i].kind;
    advance(r);
    if (phase.kind == PHASE_WITHIN) {
        read_delay(r, &phase);
        advance(r);
    }
    if (!r->token.length || is(r, "when"))
        fail(r, r->token.length ? r->token : place, "during crash",
             arena_format(r->list->base->arena, "`%s` is followed by the name of a fault",
                          phase.kind == PHASE_WITHIN ? "after" : words[i].word));
    if (r->line->failed)
        return true;
    phase.fault = text_of(r, r->token);
    side->phase_place = r->token;
    side->term.window = window_of(r->list, &phase);
    advance(r);
    return true;
}

/* A phase at the end is that of every metric that has none of its own. */
static void share_phase(struct line_reader *r)
{
    struct expect_side *left = &r->line->left, *right = &r->line->right, end = {0};
    struct expect_token place = r->token;
    if (!read_phase(r, &end) || r->line->failed)
        return;
    bool taken = false;
    struct expect_side *sides[] = {left, right};
    for (size_t i = 0; i < 2; i++)
        if (sides[i]->term.is_metric && !sides[i]->term.window) {
            sides[i]->term.window = end.term.window;
            sides[i]->phase_place = end.phase_place;
            taken = true;
        }
    if (!taken)
        fail(r, place, NULL, "the metric has a phase already");
}

static void read_end(struct line_reader *r)
{
    share_phase(r);
    if (!r->token.length || r->line->failed)
        return;
    if (is(r, "on")) {
        fail(r, r->token, "name the clients of that side: eu.errors",
             "the sides of a partition are not measured apart");
        return;
    }
    if (!is(r, "when")) {
        fail(r, r->token, "TERM CMP TERM [+- d] [during F] [when CONDITION]",
             "the expectation should have ended here");
        return;
    }
    if (!r->text[r->next]) {
        fail(r, r->token, "when ack == quorum", "`when` has no condition");
        return;
    }
    r->line->when =
        condition_parse(r->list->base, r->line->scalar, r->next, strlen(r->text) - r->next);
    r->line->failed = r->line->failed || !r->line->when;
}

static void read_line(struct line_reader *r)
{
    struct expect_line *line = r->line;
    advance(r);
    read_term(r, &line->left);
    if (!line->failed && line->left.term.is_metric)
        read_phase(r, &line->left);
    line->comparison_place = r->token;
    if (!line->failed && !is_comparison(r, &line->expectation.comparison))
        fail(r, r->token.length ? r->token : (struct expect_token){0, strlen(r->text)},
             "one of: < <= > >= == != ~, with spaces around it",
             "a comparison must stand behind the first term");
    advance(r);
    if (!line->failed)
        read_term(r, &line->right);
    if (!line->failed)
        read_margin(r);
    if (!line->failed)
        read_end(r);
    if (!line->failed && !line->left.term.is_metric && !line->right.term.is_metric)
        fail(r, line->left.place, "users.latency.p99 < 200ms", "no side names a metric");
}

/* The lines stay in their order while they become more. */
static struct expect_line *add_line(struct expect_list *list, uint32_t *room)
{
    if (list->count == *room) {
        struct expect_line *lines =
            arena_array(list->base->arena, 2 * (size_t)*room, struct expect_line);
        memcpy(lines, list->lines, list->count * sizeof *lines);
        list->lines = lines;
        *room *= 2;
    }
    return &list->lines[list->count++];
}

static void read_one(struct expect_list *list, struct document *base, const struct sweep *sweep,
                     const struct node *scalar, struct expect_line *line)
{
    line->scalar = scalar;
    line->expectation.text = scalar->text;
    line->expectation.line = scalar->place.line;
    struct line_reader reader = {.list = list, .sweep = sweep, .line = line, .text = scalar->text};
    read_line(&reader);
    if (!line->failed && line->left.term.is_metric)
        line->failed = !metrics_split(base, line, &line->left);
    if (!line->failed && line->right.term.is_metric)
        line->failed = !metrics_split(base, line, &line->right);
    if (!line->failed)
        expect_cases(list, line, sweep);
}

void expect_read(struct expect_list *list, struct document *base, const struct sweep *sweep)
{
    const struct node *map = document_find(base->root, "expect");
    *list = (struct expect_list){.base = base};
    if (!map || map->type == NODE_BAD)
        return;
    if (map->type != NODE_LIST || map->count > SCENARIO_EXPECTATIONS_MAX) {
        document_error(base, map, "- users.latency.p99 < 200ms",
                       map->type != NODE_LIST ? "`expect` is a list"
                                              : "`expect` has too many lines");
        return;
    }
    list->lines = arena_array(base->arena, map->count, struct expect_line);
    uint32_t room = map->count;
    list->phases = arena_array(base->arena, 2 * (size_t)map->count, struct expect_phase);
    for (uint32_t i = 0; i < map->count; i++) {
        const struct node *scalar = map->items[i];
        if (scalar->type != NODE_SCALAR || strlen(scalar->text) > EXPECT_LENGTH_MAX) {
            if (scalar->type != NODE_BAD)
                document_error(base, scalar, "- users.latency.p99 < 200ms",
                               "an expectation is one line of text");
            continue;
        }
        uint32_t values = 1;
        for (uint32_t v = 0; v < values; v++) {
            struct expect_line *line = add_line(list, &room);
            line->value = v;
            read_one(list, base, sweep, scalar, line);
            if (line->failed)
                break; /* it would be told once more */
            if (line->parameter && sweep->played)
                values = sweep->parameters[line->parameter - 1].count;
        }
    }
}

static bool check_phase(struct expect_list *list, struct expect_line *line,
                        const struct expect_side *side, const struct blueprint *b)
{
    if (!side->term.window)
        return true;
    const char *name = list->phases[side->term.window - 1].fault;
    const char **names = arena_array(list->base->arena, b->fault_count, const char *);
    for (uint32_t i = 0; i < b->fault_count; i++) {
        names[i] = b->faults[i].name;
        if (!strcmp(names[i], name))
            return true;
    }
    diagnostic_error(
        list->base->diagnostics,
        document_place(list->base, line->scalar, side->phase_place.at, side->phase_place.length),
        diagnostic_suggest(list->base->diagnostics, name, names, b->fault_count),
        b->fault_count ? "no fault is called `%s`" : "there are no faults, and none called `%s`",
        name);
    return false;
}

static bool check_side(struct expect_list *list, struct expect_line *line, struct expect_side *side,
                       const struct blueprint *b)
{
    if (!check_phase(list, line, side, b) || !metrics_resolve(list->base, line, side, b))
        return false;
    list->spans = list->spans || side->of_spans;
    return true;
}

struct phase *expect_phases(const struct expect_list *list, struct arena *arena,
                            const struct blueprint *b)
{
    struct phase *phases = arena_array(arena, list->phase_count, struct phase);
    for (uint32_t i = 0; i < list->phase_count; i++) {
        const struct expect_phase *p = &list->phases[i];
        phases[i] = (struct phase){p->kind, PHASE_NO_FAULT, p->delay_ns};
        for (uint32_t f = 0; f < b->fault_count; f++)
            if (!strcmp(b->faults[f].name, p->fault))
                phases[i].fault = f;
    }
    return phases;
}

void expect_check(struct expect_list *list, uint32_t point, const struct blueprint *blueprint)
{
    for (uint32_t i = 0; i < list->count; i++) {
        struct expect_line *line = &list->lines[i];
        uint8_t speaks = line->failed ? 0 : line->speaks_of[point];
        /* A line that speaks of no point that is played is still read against the first. */
        if (!line->failed && !line->expectation.case_count && !point)
            speaks = 3;
        if (speaks & 1 && line->left.term.is_metric)
            line->failed = !check_side(list, line, &line->left, blueprint);
        if (speaks & 2 && line->right.term.is_metric && !line->failed)
            line->failed = !check_side(list, line, &line->right, blueprint);
        bool known = (line->left.metric || !line->left.term.is_metric) &&
                     (line->right.metric || !line->right.term.is_metric);
        if (speaks && known && !line->failed && !line->finished) {
            line->failed = !metrics_units(list->base, line);
            line->finished = true;
        }
    }
}

const struct expectation *expect_finish(struct expect_list *list, uint32_t *count)
{
    struct expectation *all = arena_array(list->base->arena, list->count, struct expectation);
    for (uint32_t i = 0; i < list->count; i++) {
        all[i] = list->lines[i].expectation;
        all[i].left = list->lines[i].left.term;
        all[i].right = list->lines[i].right.term;
    }
    *count = list->count;
    return all;
}

static void visit_side(const struct expect_line *line, const struct expect_side *side,
                       expect_visit *visit, void *context)
{
    const char *statistic = side->term.statistic;
    if (!line->failed && side->term.is_metric && statistic && statistic[0] == 'p')
        visit(context, line->scalar, statistic, side->term.node, side->instance);
}

void expect_percentiles(const struct expect_list *list, expect_visit *visit, void *context)
{
    for (uint32_t i = 0; i < list->count; i++) {
        visit_side(&list->lines[i], &list->lines[i].left, visit, context);
        visit_side(&list->lines[i], &list->lines[i].right, visit, context);
    }
}
