#include "engine/kernel/result.h"

#include "engine/kernel/arena.h"
#include "engine/kernel/arithmetic.h"
#include "engine/kernel/check.h"
#include "engine/kernel/result_frame.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TABLE_STRIDE = 256, NO_METRIC = UINT32_MAX };

/* What is being taken, from where: cells grow by doubling, on the heap until they are complete. */
struct taker {
    struct result *result;
    const struct recorder *recorder;
    struct result_cell *cells;
    size_t cell_count, cell_room;
    struct result_course *courses;
    size_t course_count, course_room;
};

/* One table of one node, seen from one of its rows: pooled or one instance, all operations or one.
 */
struct view {
    const struct record_group *group;
    struct result_key key; /* `metric` is the first of the table */
};

static void *grown(void *items, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return items;
    *room = *room ? *room * 2 : 64;
    items = realloc(items, *room * size);
    if (!items)
        check_machine("out of memory for results");
    return items;
}

static int compare_cells(const void *left, const void *right)
{
    const struct result_cell *a = left, *b = right;
    return result_compare(&a->key, &b->key);
}

static int compare_courses(const void *left, const void *right)
{
    const struct result_course *a = left, *b = right;
    return result_compare(&a->key, &b->key);
}

/* ---- sums over the instances and operations of a view ---- */

static uint32_t first_instance(const struct view *v)
{
    return v->key.instance == RESULT_POOLED ? 0 : v->key.instance - 1;
}
static uint32_t last_instance(const struct view *v)
{
    return v->key.instance == RESULT_POOLED ? v->group->instances : v->key.instance;
}

/* Index of (window, metric, operation) in the counts and tallies of a record. */
static size_t slot(const struct recorder *r, const struct record_group *g, uint32_t window,
                   uint32_t metric, uint32_t operation)
{
    return ((size_t)window * r->operation_count + operation) * g->table->count + metric;
}

static uint32_t first_operation(const struct view *v)
{
    return v->key.operation == RESULT_ALL ? 0 : v->key.operation - 1;
}
static uint32_t last_operation(const struct recorder *r, const struct view *v)
{
    return v->key.operation == RESULT_ALL ? r->operation_count : v->key.operation;
}

static struct moments sum_moments(const struct recorder *r, const struct view *v, uint32_t metric)
{
    struct moments sum = {0};
    for (uint32_t i = first_instance(v); i < last_instance(v); i++) {
        for (uint32_t o = first_operation(v); o < last_operation(r, v); o++) {
            const struct tally *t =
                &v->group->records[i]->tallies[slot(r, v->group, v->key.window, metric, o)];
            const struct moments *m = &t->moments;
            if (!m->count)
                continue;
            sum.min = !sum.count || m->min < sum.min ? m->min : sum.min;
            sum.max = !sum.count || m->max > sum.max ? m->max : sum.max;
            sum.count += m->count;
            sum.sum += m->sum;
        }
    }
    return sum;
}

/* Events of a counted metric, or observations of a duration. */
static uint64_t sum_count(const struct recorder *r, const struct view *v, uint32_t metric)
{
    metric = metric_counted(v->group->table, metric);
    if (v->group->table->metrics[metric].type == METRIC_DURATION)
        return sum_moments(r, v, metric).count;
    uint64_t sum = 0;
    for (uint32_t i = first_instance(v); i < last_instance(v); i++)
        for (uint32_t o = first_operation(v); o < last_operation(r, v); o++)
            sum += v->group->records[i]->counts[slot(r, v->group, v->key.window, metric, o)];
    return sum;
}

static const struct level *level_of(const struct view *v, uint32_t metric)
{
    if (v->key.instance == RESULT_POOLED && v->group->pooled)
        return v->group->pooled[metric];
    return v->group->records[first_instance(v)]->levels[metric];
}

static uint32_t find_metric(const struct metric_table *table, const char *name)
{
    for (uint32_t m = 0; m < table->count; m++)
        if (!strcmp(table->metrics[m].name, name))
            return m;
    return NO_METRIC;
}

/* ---- cells ---- */

/* The node's histograms are shared by its instances; an instance has its own only if asked for. */
static void take_histogram(struct taker *t, const struct view *v, uint32_t metric,
                           struct result_cell *cell)
{
    const struct record *record = v->group->records[first_instance(v)];
    bool pooled = v->key.instance == RESULT_POOLED;
    uint32_t first = first_operation(v), last = last_operation(t->recorder, v);
    struct arena *arena = &t->result->arena;
    struct sparse *parts = arena_array(arena, last - first, struct sparse);
    for (uint32_t o = first; o < last; o++) {
        const struct tally *tally =
            &record->tallies[slot(t->recorder, v->group, v->key.window, metric, o)];
        if (!pooled && !tally->own)
            return;
        parts[o - first] = sparse_of(arena, pooled ? tally->histogram : tally->own);
    }
    cell->has_histogram = true;
    cell->histogram = last - first == 1 ? parts[0] : sparse_merge(arena, parts, last - first);
}

static void take_duration(struct taker *t, const struct view *v, uint32_t metric,
                          struct result_cell *cell)
{
    struct moments m = sum_moments(t->recorder, v, metric);
    cell->numerator = m.sum;
    cell->denominator = m.count;
    cell->min = m.count ? m.min : 0;
    cell->max = m.count ? m.max : 0;
    uint32_t unfinished = find_metric(v->group->table, ".unfinished");
    if (unfinished != NO_METRIC && !strcmp(cell->name, "latency"))
        cell->missing = sum_count(t->recorder, v, unfinished);
    take_histogram(t, v, metric, cell);
}

static void take_level(struct taker *t, const struct view *v, uint32_t metric,
                       struct result_cell *cell)
{
    const struct level *level = level_of(v, metric);
    uint32_t window = v->key.window;
    cell->numerator = level_over(t->recorder, level, window);
    cell->denominator = window_set_length(&t->result->windows[window]);
    cell->max = level_max(level, window);
    if (v->key.instance == RESULT_POOLED || v->group->records[first_instance(v)]->percentiles) {
        cell->has_histogram = true;
        cell->histogram = sparse_of(&t->result->arena, level_histogram(level, window));
    }
}

/* The counts of a metric over the instances of a node, each over the time it was present. */
struct evenness {
    double imbalance, variation;
    uint64_t all; /* the sum of the counts */
};

static struct evenness evenness_of(const struct taker *t, const struct view *v,
                                   const struct metric *metric)
{
    struct view one = *v;
    struct evenness e = {0};
    double present = 0, highest = 0, squares = 0;
    for (uint32_t i = 0; i < v->group->instances; i++) {
        one.key.instance = i + 1;
        wide integral = level_over(t->recorder, level_of(&one, metric->denominator), v->key.window);
        uint64_t count = sum_count(t->recorder, &one, metric->numerator);
        if (!integral)
            continue;
        double rate = (double)count / (double)integral;
        present += (double)integral;
        squares += (double)count * rate;
        highest = rate > highest ? rate : highest;
        e.all += count;
    }
    if (!e.all)
        return e;
    double mean = (double)e.all / present;
    double square = squares / ((double)e.all * mean) - 1;
    e.imbalance = highest / mean;
    e.variation = square > 0 ? arithmetic_sqrt(square) : 0;
    return e;
}

#define COST_HOUR_NS INT64_C(3600000000000)

/* A number of each replication, weighted by what it was taken over: as a quotient, so that the
 * estimator of quotients does for it. */
static void take_weighted(struct result_cell *cell, double value, uint64_t weight)
{
    cell->type = METRIC_SHARE;
    cell->numerator = (wide)(int64_t)(value * 1e9 + 0.5) * weight;
    cell->denominator = (wide)1000000000 * weight;
}

/* A side of a SHARE: the integral of a level, or the time of a span. */
static wide take_integral(const struct taker *t, const struct view *v, uint32_t metric)
{
    if (v->group->table->metrics[metric].type == METRIC_SPAN)
        return sum_count(t->recorder, v, metric);
    return level_over(t->recorder, level_of(v, metric), v->key.window);
}

static void take_event(const struct taker *t, const struct view *v, uint32_t metric,
                       struct result_cell *cell)
{
    struct moments m = sum_moments(t->recorder, v, metric);
    const struct record *r = v->group->records[first_instance(v)];
    cell->missing = r->counts[slot(t->recorder, v->group, 0, metric, 0)];
    cell->numerator = m.sum;
    cell->denominator = m.count + cell->missing;
    cell->min = cell->max = m.count ? m.max : 0;
}

static void take_cell(struct taker *t, const struct view *v, uint32_t index)
{
    const struct metric *metric = &v->group->table->metrics[index];
    const struct window_set *reached = &t->result->windows[v->key.window];
    struct result_cell cell = {
        .key = v->key, .name = metric->name, .unit = metric->unit, .type = metric->type};
    cell.key.metric += index;
    switch (metric->type) {
    case METRIC_TOTAL:
    case METRIC_SPAN:
        cell.numerator = sum_count(t->recorder, v, index);
        cell.denominator = 1;
        break;
    case METRIC_RATE:
        cell.numerator = sum_count(t->recorder, v, index);
        cell.denominator = window_set_length(reached);
        break;
    case METRIC_RATIO:
        cell.numerator = sum_count(t->recorder, v, metric->numerator);
        cell.denominator = sum_count(t->recorder, v, metric->denominator);
        break;
    case METRIC_DURATION:
        take_duration(t, v, index, &cell);
        break;
    case METRIC_LEVEL:
        take_level(t, v, index, &cell);
        break;
    case METRIC_SHARE:
        cell.numerator = take_integral(t, v, metric->numerator);
        cell.denominator = take_integral(t, v, metric->denominator);
        break;
    case METRIC_PART: {
        struct view node = *v;
        node.key.instance = RESULT_POOLED;
        cell.type = METRIC_RATIO;
        cell.numerator = sum_count(t->recorder, v, metric->numerator);
        cell.denominator = sum_count(t->recorder, &node, metric->numerator);
        break;
    }
    case METRIC_IMBALANCE:
    case METRIC_VARIATION: {
        struct evenness e = evenness_of(t, v, metric);
        take_weighted(&cell, metric->type == METRIC_IMBALANCE ? e.imbalance : e.variation, e.all);
        break;
    }
    case METRIC_COST:
        cell.type = METRIC_SPAN;
        cell.numerator = take_integral(t, v, metric->numerator) / COST_HOUR_NS;
        cell.denominator = 1;
        break;
    case METRIC_EVENT:
        take_event(t, v, index, &cell);
        break;
    case METRIC_NONE:
        cell.type = METRIC_RATIO;
        cell.numerator = !sum_count(t->recorder, v, metric->numerator);
        cell.denominator = 1;
        break;
    }
    t->cells = grown(t->cells, t->cell_count, &t->cell_room, sizeof *t->cells);
    t->cells[t->cell_count++] = cell;
}

/* What compares instances is told where there are several: parts of each, evenness of all. */
static bool compares(enum metric_type type)
{
    return type == METRIC_PART || type == METRIC_IMBALANCE || type == METRIC_VARIATION;
}

static bool is_beside(const struct view *v, const struct metric *metric)
{
    bool pooled = v->key.instance == RESULT_POOLED;
    enum metric_type type = metric->type;
    if (metric->of_node)
        return !pooled;
    return compares(type) && (v->group->instances == 1 || pooled == (type == METRIC_PART));
}

static bool of_all_operations_only(enum metric_type type)
{
    return type == METRIC_LEVEL || type == METRIC_SHARE || type == METRIC_SPAN ||
           type == METRIC_EVENT || type == METRIC_COST || type == METRIC_NONE;
}

static bool is_told(const struct taker *t, const struct metric_table *table, uint32_t metric)
{
    return table->metrics[metric].name[0] != '.' &&
           (t->recorder->spans || !metric_of_spans(table, metric));
}

/* Whether no instance of the view has anything to say of a metric. */
static bool is_hidden(const struct view *v, uint32_t metric)
{
    for (uint32_t i = first_instance(v); i < last_instance(v); i++)
        if (!(v->group->records[i]->hidden >> metric & 1))
            return false;
    return true;
}

static void take_view(struct taker *t, const struct view *v)
{
    for (uint32_t m = 0; m < v->group->table->count; m++) {
        const struct metric *metric = &v->group->table->metrics[m];
        if (!is_told(t, v->group->table, m) || is_hidden(v, m) || is_beside(v, metric))
            continue;
        if (v->key.operation == RESULT_ALL || !of_all_operations_only(metric->type))
            take_cell(t, v, m);
    }
}

/* Whether the node or the instance saw an operation at all, in any window. */
static bool saw(const struct recorder *r, const struct view *v)
{
    struct view at = *v;
    for (const struct record_group *g = recorder_groups(r); g; g = g->next) {
        at.group = g;
        for (at.key.window = 0; at.key.window < r->window_count; at.key.window++)
            for (uint32_t m = 0; !strcmp(g->node, v->group->node) && m < g->table->count; m++)
                if (!of_all_operations_only(g->table->metrics[m].type) && sum_count(r, &at, m))
                    return true;
    }
    return false;
}

/* Every row of one table of one node: windows, pooled and instances, all operations and each. */
static void take_group(struct taker *t, const struct record_group *g, struct result_key key)
{
    uint32_t instances = g->instances > 1 ? g->instances : 0;
    uint32_t operations = t->recorder->operation_count > 1 ? t->recorder->operation_count : 0;
    struct view v = {.group = g, .key = key};
    for (v.key.instance = 0; v.key.instance <= instances; v.key.instance++) {
        for (v.key.operation = 0; v.key.operation <= operations; v.key.operation++) {
            v.key.window = 0;
            if (v.key.operation != RESULT_ALL && !saw(t->recorder, &v))
                continue;
            uint32_t windows = g->aside ? 1 : t->recorder->window_count;
            for (; v.key.window < windows; v.key.window++)
                take_view(t, &v);
        }
    }
}

/* ---- series ---- */

static void course_of_levels(struct taker *t, const struct view *v, const struct metric *metric,
                             uint32_t index, wide *numerator, wide *denominator)
{
    for (uint32_t i = 0; i < t->result->interval_count; i++) {
        struct window w = series_window(t->recorder, i), reached = recorder_clip(t->recorder, w);
        bool share = metric->type == METRIC_SHARE, cost = metric->type == METRIC_COST;
        uint32_t top = share || cost ? metric->numerator : index;
        numerator[i] = level_between(t->recorder, level_of(v, top), w) / (cost ? COST_HOUR_NS : 1);
        denominator[i] = share  ? level_between(t->recorder, level_of(v, metric->denominator), w)
                         : cost ? 1
                                : reached.end - reached.begin;
    }
}

static wide counted_in(const struct record_group *g, uint32_t metric, uint32_t interval)
{
    const struct series *s = g->series;
    metric = metric_counted(g->table, metric);
    return s->counts[metric] ? s->counts[metric][interval] : s->moments[metric][interval].count;
}

static void course_of_counts(struct taker *t, const struct view *v, const struct metric *metric,
                             uint32_t index, wide *numerator, wide *denominator)
{
    const struct record_group *g = v->group;
    for (uint32_t i = 0; i < t->result->interval_count; i++) {
        struct window reached = recorder_clip(t->recorder, series_window(t->recorder, i));
        bool ratio = metric->type == METRIC_RATIO;
        numerator[i] = counted_in(g, ratio ? metric->numerator : index, i);
        denominator[i] = ratio                         ? counted_in(g, metric->denominator, i)
                         : metric->type == METRIC_RATE ? reached.end - reached.begin
                                                       : 1;
    }
}

static void course_of_spans(struct taker *t, const struct view *v, const struct metric *metric,
                            uint32_t index, wide *numerator, wide *denominator)
{
    bool share = metric->type == METRIC_SHARE;
    for (uint32_t i = 0; i < t->result->interval_count; i++) {
        numerator[i] = counted_in(v->group, share ? metric->numerator : index, i);
        denominator[i] = share ? counted_in(v->group, metric->denominator, i) : 1;
    }
}

/* The value at rank ceil(p (count + missing)); NaN where it falls among those that never ended. */
static double quantile(const struct histogram *h, uint64_t missing, uint64_t top, uint64_t bottom)
{
    uint64_t all = (h ? h->count : 0) + missing;
    uint64_t rank = (all * top + bottom - 1) / bottom;
    return h && rank >= 1 && rank <= h->count ? histogram_at_rank(h, rank) : NAN;
}

static void course_of_durations(struct taker *t, const struct view *v, uint32_t index,
                                struct result_course *course, wide *numerator, wide *denominator)
{
    const struct series *s = v->group->series;
    uint32_t count = t->result->interval_count;
    struct histogram **histograms = s->histograms[index];
    double *p50 = histograms ? arena_array(&t->result->arena, count, double) : NULL;
    double *p99 = histograms ? arena_array(&t->result->arena, count, double) : NULL;
    uint32_t unfinished = histograms ? find_metric(v->group->table, ".unfinished") : NO_METRIC;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t missing =
            unfinished == NO_METRIC ? 0 : (uint64_t)counted_in(v->group, unfinished, i);
        numerator[i] = s->moments[index][i].sum;
        denominator[i] = missing ? 0 : s->moments[index][i].count;
        if (!histograms)
            continue;
        if (histograms[i])
            histogram_sort(histograms[i]);
        p50[i] = quantile(histograms[i], missing, 1, 2);
        p99[i] = quantile(histograms[i], missing, 99, 100);
    }
    course->p50 = p50;
    course->p99 = p99;
}

static void take_course(struct taker *t, const struct view *v, uint32_t index)
{
    const struct metric *metric = &v->group->table->metrics[index];
    struct result_course course = {
        .key = v->key, .name = metric->name, .unit = metric->unit, .type = metric->type};
    course.key.metric += index;
    wide *numerator = arena_array(&t->result->arena, t->result->interval_count, wide);
    wide *denominator = arena_array(&t->result->arena, t->result->interval_count, wide);
    if (metric->type == METRIC_COST)
        course.type = METRIC_SPAN;
    course.numerator = numerator;
    course.denominator = denominator;
    if (metric_of_spans(v->group->table, index))
        course_of_spans(t, v, metric, index, numerator, denominator);
    else if (of_all_operations_only(metric->type))
        course_of_levels(t, v, metric, index, numerator, denominator);
    else if (metric->type == METRIC_DURATION)
        course_of_durations(t, v, index, &course, numerator, denominator);
    else
        course_of_counts(t, v, metric, index, numerator, denominator);
    t->courses = grown(t->courses, t->course_count, &t->course_room, sizeof *t->courses);
    t->courses[t->course_count++] = course;
}

static void take_courses(struct taker *t, const struct record_group *g, struct result_key key)
{
    struct view v = {.group = g, .key = key};
    uint32_t instances = g->instances > 1 ? g->instances : 0;
    for (; g->series && v.key.instance <= instances; v.key.instance++) {
        for (uint32_t m = 0; m < g->table->count; m++) {
            const struct metric *metric = &g->table->metrics[m];
            bool single = of_all_operations_only(metric->type) && !metric_of_spans(g->table, m);
            bool told = v.key.instance == RESULT_POOLED || single;
            bool once = metric->type == METRIC_EVENT || metric->type == METRIC_NONE;
            if (told && !once && !compares(metric->type) && is_told(t, g->table, m) &&
                !is_hidden(&v, m) && !(metric->of_node && is_beside(&v, metric)))
                take_course(t, &v, m);
        }
    }
}

/* ---- the whole ---- */

static void take_groups(struct taker *t)
{
    uint32_t groups = 0, nodes = 0, table = 0;
    for (const struct record_group *g = recorder_groups(t->recorder); g; g = g->next)
        groups++;
    struct result_node *list = arena_array(&t->result->arena, groups, struct result_node);
    const char *last = NULL;
    for (const struct record_group *g = recorder_groups(t->recorder); g; g = g->next) {
        if (!last || strcmp(last, g->node)) {
            list[nodes++] =
                (struct result_node){result_copy(&t->result->arena, g->node), g->instances};
            table = 0;
        }
        CHECK(g->table->count <= TABLE_STRIDE);
        struct result_key key = {.node = nodes - 1, .metric = table++ * TABLE_STRIDE};
        take_group(t, g, key);
        take_courses(t, g, key);
        last = g->node;
    }
    t->result->nodes = list;
    t->result->node_count = nodes;
}

/* Sorts what was taken and moves it into the result's arena, with names of its own. */
static void settle(struct taker *t)
{
    struct result *result = t->result;
    if (t->cell_count)
        qsort(t->cells, t->cell_count, sizeof *t->cells, compare_cells);
    if (t->course_count)
        qsort(t->courses, t->course_count, sizeof *t->courses, compare_courses);
    struct result_cell *cells = arena_array(&result->arena, t->cell_count, struct result_cell);
    for (size_t i = 0; i < t->cell_count; i++) {
        cells[i] = t->cells[i];
        cells[i].name = result_copy(&result->arena, cells[i].name);
        cells[i].unit = result_copy(&result->arena, cells[i].unit);
    }
    struct result_course *courses =
        arena_array(&result->arena, t->course_count, struct result_course);
    for (size_t i = 0; i < t->course_count; i++) {
        courses[i] = t->courses[i];
        courses[i].name = result_copy(&result->arena, courses[i].name);
        courses[i].unit = result_copy(&result->arena, courses[i].unit);
    }
    free(t->cells);
    free(t->courses);
    result->cells = cells;
    result->cell_count = (uint32_t)t->cell_count;
    result->courses = courses;
    result->course_count = (uint32_t)t->course_count;
}

struct result *recorder_result(struct recorder *recorder, const struct result_run *run)
{
    struct taker t = {.result = calloc(1, sizeof *t.result), .recorder = recorder};
    if (!t.result)
        check_machine("out of memory for results");
    recorder_close(recorder, run->diverged ? run->totals.end_ns : INT64_MAX);
    result_take_frame(t.result, recorder, run);
    take_groups(&t);
    settle(&t);
    return t.result;
}
