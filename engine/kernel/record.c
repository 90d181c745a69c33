#include "engine/kernel/record.h"

#include "engine/kernel/arena.h"

#include <stdlib.h>
#include <string.h>

/* Values that an interval of a series keeps exactly: there are many intervals. */
enum { SERIES_EXACT = 64 };

struct owned {
    struct owned *next;
    struct histogram histogram;
};

struct recorder_store {
    struct recorder recorder;
    struct arena arena;
    struct owned *owned; /* every histogram, to give its memory back */
    struct record_group *first, *last;
    int64_t *edges; /* distinct instants, ascending */
    uint32_t edge_count, edge_next;
    int64_t closed_ns; /* INT64_MAX until recorder_close */
};

/* A level with phases fills one histogram from edge to edge, a stretch that each window holds all
 * of or nothing, and adds it to those of the windows that do. */
struct level_phases {
    struct histogram **kept; /* [window]: ns by value */
    int64_t *max;            /* [window] */
};

static struct histogram *own_histogram(struct recorder_store *s, uint32_t limit)
{
    struct owned *o = arena_new(&s->arena, struct owned);
    histogram_init(&o->histogram, limit);
    o->next = s->owned;
    s->owned = o;
    return &o->histogram;
}

static int compare(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

uint32_t series_length(const struct recorder *r)
{
    if (!r->series_interval)
        return 0;
    return (uint32_t)((r->series_end + r->series_interval - 1) / r->series_interval);
}

struct window series_window(const struct recorder *r, uint32_t index)
{
    int64_t begin = (int64_t)index * r->series_interval;
    int64_t end = begin + r->series_interval;
    return (struct window){begin, end < r->series_end ? end : r->series_end};
}

static void find_edges(struct recorder_store *s)
{
    const struct recorder *r = &s->recorder;
    uint32_t intervals = series_length(r), count = 0;
    size_t parts = 0;
    for (uint32_t w = 0; w < r->window_count; w++)
        parts += r->windows[w].count;
    s->edges = arena_array(&s->arena, 2 * parts + intervals + 1, int64_t);
    for (uint32_t w = 0; w < r->window_count; w++)
        for (uint32_t i = 0; i < r->windows[w].count; i++) {
            s->edges[count++] = r->windows[w].parts[i].begin;
            s->edges[count++] = r->windows[w].parts[i].end;
        }
    for (uint32_t i = 0; i < intervals; i++)
        s->edges[count++] = series_window(r, i).begin;
    if (intervals)
        s->edges[count++] = r->series_end;
    qsort(s->edges, count, sizeof *s->edges, compare);
    for (uint32_t i = 0; i < count; i++)
        if (!s->edge_count || s->edges[s->edge_count - 1] != s->edges[i])
            s->edges[s->edge_count++] = s->edges[i];
}

static struct window_set copy_set(struct arena *arena, const struct window *parts, uint32_t count)
{
    struct window *copy = arena_array(arena, count, struct window);
    if (count)
        memcpy(copy, parts, count * sizeof *copy);
    return (struct window_set){copy, count};
}

struct recorder *recorder_create(const struct recorder_plan *plan, const int64_t *now)
{
    CHECK(plan->window_count >= 1 && plan->operation_count >= 1);
    struct recorder_store *s = calloc(1, sizeof *s);
    if (!s)
        check_machine("out of memory for recorders");
    uint32_t count = plan->window_count + plan->phase_count;
    struct window_set *windows = arena_array(&s->arena, count, struct window_set);
    for (uint32_t w = 0; w < plan->window_count; w++)
        windows[w] = copy_set(&s->arena, &plan->windows[w], 1);
    for (uint32_t w = plan->window_count; w < count; w++) {
        const struct window_set *phase = &plan->phases[w - plan->window_count];
        windows[w] = copy_set(&s->arena, phase->parts, phase->count);
    }
    s->closed_ns = INT64_MAX;
    s->recorder = (struct recorder){
        .now = now,
        .windows = windows,
        .window_count = count,
        .operation_count = plan->operation_count,
        .series_interval = plan->series_interval,
        .series_end = plan->series_end,
        .spans = plan->spans,
        .store = s,
    };
    find_edges(s);
    return &s->recorder;
}

void recorder_free(struct recorder *r)
{
    if (!r)
        return;
    struct recorder_store *s = r->store;
    for (struct owned *o = s->owned; o; o = o->next)
        histogram_free(&o->histogram);
    arena_free(&s->arena);
    free(s);
}

struct record_group *recorder_groups(const struct recorder *r)
{
    return r->store->first;
}

/* ---- adding records ---- */

static struct level *level_begin(struct recorder_store *s)
{
    struct level *l = arena_new(&s->arena, struct level);
    uint32_t windows = s->recorder.window_count;
    l->kept = own_histogram(s, 0);
    if (windows > 1) {
        l->phases = arena_new(&s->arena, struct level_phases);
        l->phases->kept = arena_array(&s->arena, windows, struct histogram *);
        l->phases->max = arena_array(&s->arena, windows, int64_t);
        for (uint32_t w = 0; w < windows; w++) {
            l->phases->kept[w] = own_histogram(s, 0);
            histogram_init_level(l->phases->kept[w]);
        }
    }
    l->at_edge = arena_array(&s->arena, s->edge_count, wide);
    return l;
}

static struct series *series_begin(struct recorder_store *s, const struct metric_table *table)
{
    uint32_t intervals = series_length(&s->recorder);
    if (!intervals)
        return NULL;
    struct series *series = arena_new(&s->arena, struct series);
    series->counts = arena_array(&s->arena, table->count, uint64_t *);
    series->moments = arena_array(&s->arena, table->count, struct moments *);
    series->histograms = arena_array(&s->arena, table->count, struct histogram **);
    for (uint32_t m = 0; m < table->count; m++) {
        const struct metric *metric = &table->metrics[m];
        if (metric->type == METRIC_TOTAL || metric->type == METRIC_RATE ||
            metric->type == METRIC_SPAN)
            series->counts[m] = arena_array(&s->arena, intervals, uint64_t);
        if (metric->type != METRIC_DURATION)
            continue;
        series->moments[m] = arena_array(&s->arena, intervals, struct moments);
        if (!strcmp(metric->name, "latency"))
            series->histograms[m] = arena_array(&s->arena, intervals, struct histogram *);
    }
    return series;
}

static struct record_group *group_begin(struct recorder_store *s, const char *node,
                                        uint32_t instances, const struct metric_table *table)
{
    struct record_group *g = arena_new(&s->arena, struct record_group);
    g->node = arena_text(&s->arena, node, strlen(node));
    g->table = table;
    g->instances = instances;
    g->records = arena_array(&s->arena, instances, struct record *);
    g->series = series_begin(s, table);
    if (instances > 1) {
        g->pooled = arena_array(&s->arena, table->count, struct level *);
        for (uint32_t m = 0; m < table->count; m++)
            if (table->metrics[m].type == METRIC_LEVEL)
                g->pooled[m] = level_begin(s);
    }
    *(s->last ? &s->last->next : &s->first) = g;
    s->last = g;
    return g;
}

static struct record_group *group_of(struct recorder_store *s, const char *node, uint32_t instance,
                                     uint32_t instances, const struct metric_table *table)
{
    for (struct record_group *g = instance == 1 ? NULL : s->first; g; g = g->next)
        if (g->table == table && !strcmp(g->node, node))
            return g;
    CHECK(instance == 1);
    return group_begin(s, node, instances, table);
}

/* The tallies of a record: the node's histograms come from its first instance. */
static struct tally *tallies_begin(struct recorder_store *s, const struct record *first,
                                   const struct metric_table *table, bool own)
{
    uint32_t operations = s->recorder.operation_count;
    size_t stride = (size_t)table->count * operations;
    struct tally *all = arena_array(&s->arena, stride * s->recorder.window_count, struct tally);
    for (size_t i = 0; i < stride * s->recorder.window_count; i++) {
        enum metric_type type = table->metrics[i % table->count].type;
        if (type != METRIC_DURATION && type != METRIC_EVENT)
            continue;
        all[i].moments.min = INT64_MAX;
        all[i].moments.max = -1;
        if (type == METRIC_EVENT)
            continue;
        all[i].histogram = first ? first->tallies[i].histogram : own_histogram(s, HISTOGRAM_EXACT);
        all[i].own = own ? own_histogram(s, HISTOGRAM_EXACT) : NULL;
    }
    return all;
}

struct record *recorder_add(struct recorder *recorder, const char *node, uint32_t instance,
                            uint32_t instances, const struct metric_table *table,
                            bool percentiles_of_instance)
{
    struct recorder_store *s = recorder->store;
    CHECK(instance >= 1 && instance <= instances);
    struct record_group *g = group_of(s, node, instance, instances, table);
    struct record *r = arena_new(&s->arena, struct record);
    size_t cells = (size_t)table->count * recorder->operation_count * recorder->window_count;
    const struct window *w = &recorder->windows[0].parts[0];
    r->begin = w->begin;
    if (recorder->window_count == 1 && !recorder->series_interval)
        r->length = (uint64_t)(w->end - w->begin);
    r->now = recorder->now;
    r->metric_count = table->count;
    r->recorder = recorder;
    r->table = table;
    r->counts = arena_array(&s->arena, cells, uint64_t);
    r->tallies = tallies_begin(s, g->records[0], table, percentiles_of_instance && instances > 1);
    r->levels = arena_array(&s->arena, table->count, struct level *);
    r->pooled = g->pooled;
    r->series = g->series;
    r->percentiles = percentiles_of_instance;
    for (uint32_t m = 0; m < table->count; m++) {
        if (table->metrics[m].type != METRIC_LEVEL)
            continue;
        r->levels[m] = level_begin(s);
        r->levels[m]->pooled = g->pooled ? g->pooled[m] : NULL;
    }
    g->records[instance - 1] = r;
    return r;
}

void record_level_equal(struct record *r, uint32_t metric, uint32_t other)
{
    CHECK(!r->levels[metric]->value);
    r->levels[metric] = r->levels[other];
    if (r->pooled)
        r->pooled[metric] = r->pooled[other];
}

struct record *recorder_add_aside(struct recorder *recorder, const char *name,
                                  const struct metric_table *table)
{
    struct record *r = recorder_add(recorder, name, 1, 1, table, false);
    struct record_group *g = recorder->store->last;
    r->series = g->series = NULL;
    g->aside = true;
    return r;
}

/* ---- the slow ways ---- */

/* The interval of the series an instant falls in, or -1. */
static int64_t interval_of(const struct recorder *r, int64_t at_ns)
{
    if (!r->series_interval || at_ns < 0 || at_ns >= r->series_end)
        return -1;
    return at_ns / r->series_interval;
}

void record_count_slow(struct record *r, uint32_t metric, uint32_t operation, int64_t at_ns,
                       uint64_t amount)
{
    const struct recorder *all = r->recorder;
    size_t stride = (size_t)r->metric_count * all->operation_count;
    for (uint32_t w = 0; w < all->window_count; w++)
        if (window_set_holds(&all->windows[w], at_ns))
            r->counts[w * stride + operation * r->metric_count + metric] += amount;
    int64_t i = interval_of(all, at_ns);
    if (i >= 0)
        r->series->counts[metric][i] += amount;
}

static void moments_add(struct moments *m, int64_t value)
{
    m->min = !m->count || value < m->min ? value : m->min;
    m->max = !m->count || value > m->max ? value : m->max;
    m->count++;
    m->sum += value;
}

void record_duration_slow(struct record *r, uint32_t metric, uint32_t operation, int64_t at_ns,
                          int64_t value)
{
    const struct recorder *all = r->recorder;
    size_t stride = (size_t)r->metric_count * all->operation_count;
    for (uint32_t w = 0; w < all->window_count; w++)
        if (window_set_holds(&all->windows[w], at_ns))
            tally_add(&r->tallies[w * stride + operation * r->metric_count + metric], value);
    int64_t i = interval_of(all, at_ns);
    if (i < 0)
        return;
    moments_add(&r->series->moments[metric][i], value);
    struct histogram **histograms = r->series->histograms[metric];
    if (!histograms)
        return;
    if (!histograms[i])
        histograms[i] = own_histogram(all->store, SERIES_EXACT);
    histogram_add(histograms[i], value);
}

/* ---- spans and events ---- */

void record_span(struct record *r, uint32_t metric, struct window span)
{
    const struct recorder *all = r->recorder;
    size_t stride = (size_t)r->metric_count * all->operation_count;
    for (uint32_t w = 0; w < all->window_count; w++)
        r->counts[w * stride + metric] += (uint64_t)window_set_overlap(&all->windows[w], span);
    if (!r->series || span.end <= 0)
        return;
    int64_t first = span.begin > 0 ? span.begin / all->series_interval : 0;
    for (int64_t i = first; i < series_length(all); i++) {
        struct window interval = series_window(all, (uint32_t)i);
        struct window_set set = {&interval, 1};
        if (interval.begin >= span.end)
            break;
        r->series->counts[metric][i] += (uint64_t)window_set_overlap(&set, span);
    }
}

void record_event(struct record *r, uint32_t metric, int64_t value)
{
    if (value == RECORD_NEVER)
        r->counts[metric]++;
    else
        moments_add(&r->tallies[metric].moments, value);
}

/* ---- edges ---- */

int64_t recorder_next_edge(const struct recorder *r)
{
    const struct recorder_store *s = r->store;
    return s->edge_next < s->edge_count ? s->edges[s->edge_next] : INT64_MAX;
}

void level_account(struct level *l, int64_t value, uint64_t spent)
{
    if (!spent)
        return;
    l->integral += (wide)spent * value;
    if (!l->histogram)
        return;
    histogram_weigh(l->histogram, value, spent);
    if (value > l->max)
        l->max = value;
}

void level_close(struct level *l, int64_t now_ns)
{
    level_touch(l, now_ns);
    for (int64_t value = 0; value < LEVEL_DWELLS; value++) {
        level_account(l, value, l->dwell[value]);
        l->dwell[value] = 0;
    }
}

/* Adds the stretch that ends at an edge to the windows that hold it, and begins the next one. */
static void phases_edge(struct recorder_store *s, struct level *l, uint32_t edge)
{
    struct level_phases *p = l->phases;
    for (uint32_t w = 0; edge && w < s->recorder.window_count; w++) {
        if (!window_set_holds(&s->recorder.windows[w], s->edges[edge - 1]))
            continue;
        histogram_merge(p->kept[w], l->kept);
        p->max[w] = l->max > p->max[w] ? l->max : p->max[w];
    }
    histogram_free(l->kept);
    histogram_init_level(l->kept);
    l->histogram = l->kept;
    l->max = 0;
}

/* Closes a level's time at an edge. At the begin of window 0 its histogram starts to fill, at the
 * end it stops; `at_ns` is the edge, or where the recording ended if that came first. */
static void level_edge(struct recorder_store *s, struct level *l, uint32_t edge, int64_t at_ns)
{
    const struct window *w = &s->recorder.windows[0].parts[0];
    int64_t edge_ns = s->edges[edge];
    CHECK(at_ns >= l->since);
    level_close(l, at_ns);
    l->at_edge[edge] = l->integral;
    if (l->phases) {
        phases_edge(s, l, edge);
        return;
    }
    if (edge_ns == w->begin) {
        histogram_free(l->kept);
        histogram_init_level(l->kept);
        l->histogram = l->kept;
        l->max = 0;
    }
    if (edge_ns == w->end)
        l->histogram = NULL;
}

static void levels_edge(struct recorder_store *s, struct level *const *levels,
                        const struct metric_table *table, int64_t at_ns)
{
    for (uint32_t m = 0; levels && m < table->count; m++)
        if (levels[m]) /* twice where two are one, which does no harm */
            level_edge(s, levels[m], s->edge_next, at_ns);
}

static void edge(struct recorder_store *s, int64_t at_ns)
{
    for (struct record_group *g = s->first; g; g = g->next) {
        levels_edge(s, g->pooled, g->table, at_ns);
        for (uint32_t i = 0; i < g->instances; i++)
            levels_edge(s, g->records[i]->levels, g->table, at_ns);
    }
    s->edge_next++;
}

void recorder_edge(struct recorder *r)
{
    struct recorder_store *s = r->store;
    CHECK(s->edge_next < s->edge_count);
    int64_t at_ns = s->edges[s->edge_next];
    edge(s, at_ns);
    if (at_ns == r->windows[0].parts[0].begin)
        r->measuring = true;
    if (at_ns == r->windows[0].parts[0].end)
        r->measuring = false;
}

void recorder_close(struct recorder *r, int64_t at_ns)
{
    struct recorder_store *s = r->store;
    if (s->closed_ns != INT64_MAX)
        return;
    while (s->edge_next < s->edge_count)
        edge(s, s->edges[s->edge_next] < at_ns ? s->edges[s->edge_next] : at_ns);
    s->closed_ns = at_ns;
    r->measuring = false;
}

struct window recorder_clip(const struct recorder *r, struct window w)
{
    int64_t closed_ns = r->store->closed_ns;
    return (struct window){w.begin < closed_ns ? w.begin : closed_ns,
                           w.end < closed_ns ? w.end : closed_ns};
}

struct window_set recorder_clip_set(const struct recorder *r, struct arena *arena,
                                    const struct window_set *set)
{
    struct window *parts = arena_array(arena, set->count, struct window);
    uint32_t count = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        parts[count] = recorder_clip(r, set->parts[i]);
        count += parts[count].begin < parts[count].end;
    }
    return (struct window_set){parts, count};
}

static wide integral_at(const struct recorder_store *s, const struct level *l, int64_t at_ns)
{
    const int64_t *found = bsearch(&at_ns, s->edges, s->edge_count, sizeof *s->edges, compare);
    CHECK(found && s->edge_next == s->edge_count);
    return l->at_edge[found - s->edges];
}

wide level_between(const struct recorder *r, const struct level *l, struct window w)
{
    wide begin = integral_at(r->store, l, w.begin);
    return integral_at(r->store, l, w.end) - begin;
}

wide level_over(const struct recorder *r, const struct level *l, uint32_t window)
{
    const struct window_set *set = &r->windows[window];
    wide sum = 0;
    for (uint32_t i = 0; i < set->count; i++)
        sum += level_between(r, l, set->parts[i]);
    return sum;
}

struct histogram *level_histogram(const struct level *l, uint32_t window)
{
    return l->phases ? l->phases->kept[window] : l->kept;
}

int64_t level_max(const struct level *l, uint32_t window)
{
    return l->phases ? l->phases->max[window] : l->max;
}
