/* The terms of an `expect` line: ADDRESS[operation].metric.statistic against what the nodes of a
 * point measure, and values in the unit of the metric. */
#include "engine/kernel/blueprint.h"
#include "engine/kernel/watch.h"
#include "engine/scenario/bind.h"
#include "engine/scenario/expect.h"
#include "engine/scenario/expect_line.h"

#include <string.h>

enum { NAMES_MAX = 400 };

static bool fail(struct document *base, const struct expect_line *line, struct expect_token token,
                 const char *hint, const char *message)
{
    diagnostic_error(base->diagnostics, document_place(base, line->scalar, token.at, token.length),
                     hint, "%s", message);
    return false;
}

static bool is_digits(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] < '0' || text[i] > '9')
            return false;
    return length > 0;
}

/* The length of `.mail` behind `queue`, where that is a node which stands in it; else 0. */
static size_t part_length(const struct document *base, const char *text, size_t at)
{
    if (text[at] != '.')
        return 0;
    const struct node *nodes = document_find(base->root, "nodes");
    const struct node *outer = document_find(nodes, arena_text(base->arena, text, at));
    size_t length = strcspn(text + at + 1, ".[");
    const char *name = arena_text(base->arena, text + at + 1, length);
    const struct node *kind = document_find(outer, "kind");
    if (!kind || kind->type != NODE_SCALAR || strcmp(kind->text, "queue") != 0)
        return 0;
    bool only = !strcmp(name, "to") && document_find(outer, "to");
    return only || document_find(document_find(outer, "subscriptions"), name) ? 1 + length : 0;
}

bool metrics_split(struct document *base, struct expect_line *line, struct expect_side *side)
{
    static const char form[] = "node.metric.statistic, node.2.metric, node[operation].metric";
    const char *text = side->text;
    size_t at = strcspn(text, ".[");
    if (!at)
        return fail(base, line, side->place, form, "a metric begins with the name of a node");
    at += part_length(base, text, at);
    if (text[at] == '.') {
        size_t length = strcspn(text + at + 1, ".[");
        if (is_digits(text + at + 1, length)) {
            side->instance = length > 7 ? UINT32_MAX : 0;
            for (size_t i = 0; length <= 7 && i < length; i++)
                side->instance = 10 * side->instance + (uint32_t)(text[at + 1 + i] - '0');
            if (!side->instance)
                return fail(base, line, side->place, NULL, "instances are counted from 1");
            at += 1 + length;
        }
    }
    side->term.node = arena_text(base->arena, text, at);
    side->term.operation = "all";
    if (text[at] == '[') {
        size_t length = strcspn(text + at + 1, "]");
        if (text[at + 1 + length] != ']' || !length)
            return fail(base, line, side->place, form, "an operation stands in brackets: [read]");
        side->term.operation = arena_text(base->arena, text + at + 1, length);
        at += length + 2;
    }
    if (text[at] != '.' || !text[at + 1])
        return fail(base, line, side->place, form,
                    arena_format(base->arena, "`%s` names no metric", text));
    size_t length = strcspn(text + at + 1, ".");
    side->term.metric = arena_text(base->arena, text + at + 1, length);
    at += 1 + length;
    if (text[at] == '.')
        side->term.statistic = arena_format(base->arena, "%s", text + at + 1);
    return true;
}

static const char *default_statistic(enum metric_type type)
{
    static const char *const names[] = {
        [METRIC_TOTAL] = "total",   [METRIC_RATE] = "rate",      [METRIC_RATIO] = "ratio",
        [METRIC_DURATION] = "mean", [METRIC_LEVEL] = "mean",     [METRIC_SHARE] = "mean",
        [METRIC_PART] = "ratio",    [METRIC_IMBALANCE] = "mean", [METRIC_VARIATION] = "mean",
        [METRIC_SPAN] = "total",    [METRIC_EVENT] = "p50",      [METRIC_COST] = "total",
        [METRIC_NONE] = "ratio",
    };
    return names[type];
}

bool expect_percentile(struct arena *arena, const char *text, struct percentile *percentile)
{
    uint64_t digits = 0, scale = 100;
    bool point = false;
    const char *c = text + 1;
    if (text[0] != 'p' || *c < '0' || *c > '9' || (*c == '0' && c[1] != '.'))
        return false;
    for (; *c; c++) {
        if (*c == '.' && !point && c[1]) {
            point = true;
        } else if (*c >= '0' && *c <= '9' && scale <= 100000000) {
            digits = 10 * digits + (uint64_t)(*c - '0');
            scale *= point ? 10 : 1;
        } else {
            return false;
        }
        if (digits > 1000000000)
            return false;
    }
    if (!digits || digits >= scale || (point && c[-1] == '0'))
        return false;
    uint64_t a = digits, b = scale;
    while (b) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    *percentile = (struct percentile){
        .name = arena_format(arena, "%s", text),
        .numerator = (uint32_t)(digits / a),
        .denominator = (uint32_t)(scale / a),
    };
    return true;
}

static bool statistic_fits(struct arena *arena, enum metric_type type, const char *statistic)
{
    struct percentile unused;
    if (!strcmp(statistic, default_statistic(type)))
        return true;
    switch (type) {
    case METRIC_TOTAL:
    case METRIC_SPAN:
    case METRIC_COST:
        return !strcmp(statistic, "runs_with");
    case METRIC_EVENT:
        return !strcmp(statistic, "runs_with") || !strcmp(statistic, "mean") ||
               !strcmp(statistic, "min") || !strcmp(statistic, "max");
    case METRIC_DURATION:
        return !strcmp(statistic, "min") || !strcmp(statistic, "max") ||
               expect_percentile(arena, statistic, &unused);
    case METRIC_LEVEL:
        return !strcmp(statistic, "max") || expect_percentile(arena, statistic, &unused);
    default:
        return false;
    }
}

static const char *statistics_told(enum metric_type type)
{
    switch (type) {
    case METRIC_TOTAL:
    case METRIC_SPAN:
    case METRIC_COST:
        return "one of: total runs_with";
    case METRIC_EVENT:
        return "one of: p50 runs_with mean min max";
    case METRIC_DURATION:
        return "one of: mean min max, or a percentile such as p99.9";
    case METRIC_LEVEL:
        return "one of: mean max, or a percentile such as p99";
    case METRIC_RATE:
        return "it has the rate only";
    case METRIC_NONE:
    case METRIC_RATIO:
    case METRIC_PART:
        return "it has the ratio only";
    default:
        return "it has the mean only";
    }
}

/* What a term names: a node, or a fault, which has a table of its own. */
struct owner {
    const char *what; /* "a client", "a fault" */
    const struct metric_table *const *tables;
    int table_count;
    uint32_t instances;
};

static struct owner owner_of(struct document *base, const struct blueprint *b, const char *name)
{
    static const struct metric_table *const of_fault[] = {&fault_metrics};
    uint32_t node = bind_node(b, name);
    for (uint32_t i = 0; i < b->fault_count; i++)
        if (!strcmp(b->faults[i].name, name))
            return (struct owner){"a fault", of_fault, 1, 1};
    const struct kind *kind = node == BIND_NO_NODE ? NULL : b->nodes[node].kind;
    if (!kind)
        return (struct owner){0};
    struct owner owner = {arena_format(base->arena, "a %s", kind->name), kind->tables, 0,
                          b->nodes[node].count};
    while (owner.table_count < KIND_TABLES && kind->tables[owner.table_count])
        owner.table_count++;
    return owner;
}

/* Of two metrics with one name, a ratio and the count it is made of, the one that has the
 * statistic. */
static const struct metric *find_metric(struct arena *arena, const struct owner *owner,
                                        struct expect_side *side, const char **names, size_t *count)
{
    const struct metric *named = NULL;
    *count = 0;
    for (int t = 0; t < owner->table_count; t++)
        for (uint32_t i = 0; i < owner->tables[t]->count; i++) {
            const struct metric *m = &owner->tables[t]->metrics[i];
            if (m->name[0] == '.')
                continue;
            if (!strcmp(m->name, side->term.metric)) {
                bool fits =
                    !side->term.statistic || statistic_fits(arena, m->type, side->term.statistic);
                if (named && !fits)
                    continue;
                named = m;
                side->of_spans = metric_of_spans(owner->tables[t], i);
                if (fits)
                    return m;
            }
            if (*count < NAMES_MAX)
                names[(*count)++] = m->name;
        }
    return named;
}

static bool by_operation(enum metric_type type)
{
    return type != METRIC_LEVEL && type != METRIC_SHARE && type != METRIC_SPAN &&
           type != METRIC_EVENT && type != METRIC_COST && type != METRIC_NONE;
}

static bool check_operation(struct document *base, const struct expect_line *line,
                            const struct expect_side *side, const struct blueprint *b)
{
    const char *names[OPERATIONS_MAX];
    if (!strcmp(side->term.operation, "all"))
        return true;
    for (uint32_t i = 0; i < b->operation_count; i++) {
        names[i] = b->operations[i].name;
        if (strcmp(names[i], side->term.operation) != 0)
            continue;
        if (!side->metric || by_operation(side->metric->type))
            return true;
        return fail(base, line, side->place, "leave the brackets out",
                    arena_format(base->arena, "`%s` is not kept by operation", side->metric->name));
    }
    return fail(
        base, line, side->place,
        diagnostic_suggest(base->diagnostics, side->term.operation, names, b->operation_count),
        arena_format(base->arena, "no client has an operation `%s`", side->term.operation));
}

static bool check_owner(struct document *base, const struct expect_line *line,
                        const struct expect_side *side, const struct blueprint *b,
                        struct owner *owner)
{
    const char *dot = strrchr(side->term.node, '.');
    bool numbered = dot && is_digits(dot + 1, strlen(dot + 1));
    size_t length = numbered ? (size_t)(dot - side->term.node) : strlen(side->term.node);
    char *name = arena_text(base->arena, side->term.node, length);
    *owner = owner_of(base, b, name);
    if (!owner->tables && bind_node(b, name) == BIND_NO_NODE) {
        const char **names = arena_array(base->arena, b->node_count + b->fault_count, const char *);
        for (uint32_t i = 0; i < b->node_count; i++)
            names[i] = b->nodes[i].name;
        for (uint32_t i = 0; i < b->fault_count; i++)
            names[b->node_count + i] = b->faults[i].name;
        return fail(
            base, line, side->place,
            diagnostic_suggest(base->diagnostics, name, names, b->node_count + b->fault_count),
            arena_format(base->arena, "no node%s is called `%s`", b->fault_count ? " or fault" : "",
                         name));
    }
    if (!owner->tables)
        return true; /* told already: the node has no kind */
    if (owner->tables[0] == &fault_metrics && side->term.window)
        return fail(base, line, side->phase_place,
                    "leave the phase out: a fault is judged from its begin on",
                    "a metric of a fault has a window of its own");
    if (side->instance <= owner->instances || !line->expectation.case_count)
        return true;
    return fail(base, line, side->place, NULL,
                arena_format(base->arena, "`%s` has no instance %u", name, side->instance));
}

/* The unit in which the CSV shows a statistic of a metric. */
static const char *unit_of(const struct expect_side *side)
{
    return !strcmp(side->term.statistic, "runs_with") ? "1" : side->metric->unit;
}

/* Equality is an invariant over replications, so it is for what is counted: totals, the extremes of
 * whole levels, and ratios against 0 and 1 (never, always). */
static bool check_equality(struct document *base, const struct expect_line *line,
                           const struct expect_side *side)
{
    enum comparison c = line->expectation.comparison;
    const struct expect_side *other = side == &line->left ? &line->right : &line->left;
    if (c != COMPARE_EQUAL && c != COMPARE_NOT_EQUAL)
        return true;
    if (side->metric->type == METRIC_TOTAL || side->metric->type == METRIC_SPAN ||
        (side->metric->type == METRIC_LEVEL && !strcmp(side->term.statistic, "max")))
        return true;
    if ((side->metric->type == METRIC_RATIO || side->metric->type == METRIC_NONE) &&
        !other->term.is_metric && (other->quantity.value == 0 || other->quantity.value == 1))
        return true;
    return fail(base, line, line->comparison_place, "use `~ x +- d`",
                arena_format(base->arena, "`%s.%s` is a real number: it is never exactly equal",
                             side->metric->name, side->term.statistic));
}

bool metrics_resolve(struct document *base, struct expect_line *line, struct expect_side *side,
                     const struct blueprint *blueprint)
{
    const char *names[NAMES_MAX];
    size_t count;
    struct owner owner;
    if (!check_owner(base, line, side, blueprint, &owner) || !owner.tables)
        return false;
    const struct metric *metric = find_metric(base->arena, &owner, side, names, &count);
    if (!metric)
        return fail(
            base, line, side->place,
            diagnostic_suggest(base->diagnostics, side->term.metric, names, count),
            arena_format(base->arena, "%s has no metric `%s`", owner.what, side->term.metric));
    if (!side->term.statistic)
        side->term.statistic = default_statistic(metric->type);
    if (!statistic_fits(base->arena, metric->type, side->term.statistic))
        return fail(base, line, side->place, statistics_told(metric->type),
                    arena_format(base->arena, "`%s` has no statistic `%s`", metric->name,
                                 side->term.statistic));
    side->metric = metric;
    return check_operation(base, line, side, blueprint) && check_equality(base, line, side);
}

static bool convert(struct document *base, const struct expect_line *line,
                    struct expect_token place, const struct quantity *q, const char *unit,
                    double *value)
{
    static const struct {
        const char *unit;
        enum unit_dimension dimension;
        double base;
        const char *hint;
    } units[] = {
        {"ms", UNIT_TIME, 1e6, "a time: 200ms"},
        {"/s", UNIT_RATE, 1, "a rate: 200/s"},
        {"B", UNIT_BYTES, 1, "a size: 4KiB"},
        {"1", UNIT_PLAIN, 1, "a plain number or a share: 0.8, 80%"},
    };
    *value = q->value;
    if (q->dimension == UNIT_PLAIN && q->value == 0)
        return true;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(units[i].unit, unit) != 0)
            continue;
        bool share = units[i].dimension == UNIT_PLAIN && q->dimension == UNIT_SHARE;
        if (q->dimension == units[i].dimension || share) {
            *value = q->value / units[i].base;
            return true;
        }
        return fail(base, line, place, units[i].hint,
                    arena_format(base->arena, "the metric is %s, this is %s",
                                 unit_name(units[i].dimension), unit_name(q->dimension)));
    }
    return fail(base, line, place, NULL,
                arena_format(base->arena, "values in `%s` cannot be compared yet", unit));
}

bool metrics_units(struct document *base, struct expect_line *line)
{
    struct expect_side *l = &line->left, *r = &line->right;
    if (l->term.is_metric && r->term.is_metric && strcmp(unit_of(l), unit_of(r)) != 0)
        return fail(base, line, r->place, NULL,
                    arena_format(base->arena, "one side is in `%s`, the other in `%s`", unit_of(l),
                                 unit_of(r)));
    const char *unit = unit_of(l->term.is_metric ? l : r);
    if (!l->term.is_metric && !convert(base, line, l->place, &l->quantity, unit, &l->term.constant))
        return false;
    if (!r->term.is_metric && !convert(base, line, r->place, &r->quantity, unit, &r->term.constant))
        return false;
    return !line->has_margin ||
           convert(base, line, line->margin_place, &line->margin, unit, &line->expectation.margin);
}
