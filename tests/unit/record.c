/* Recorders against models that keep every event and every level at every nanosecond. */
#include "engine/kernel/record.h"
#include "tests/suite.h"

#include <stdlib.h>

enum { COUNT, LATENCY, WAIT, LEVEL, METRICS };
static const struct metric metrics[METRICS] = {
    [COUNT] = {.name = "arrivals", .unit = "1", .type = METRIC_TOTAL, .summary = "Arrivals."},
    [LATENCY] = {.name = "latency", .unit = "ms", .type = METRIC_DURATION, .summary = "Latency."},
    [WAIT] = {.name = "wait", .unit = "ms", .type = METRIC_DURATION, .summary = "Wait."},
    [LEVEL] = {.name = "in_system", .unit = "1", .type = METRIC_LEVEL, .summary = "Inside."},
};
static const struct metric_table table = {.metrics = metrics, .count = METRICS};

enum { END = 1000, OPERATIONS = 2, INSTANCES = 2, EVENTS = 4000, INTERVAL = 150 };
static const struct window windows[] = {{200, 900}, {100, 350}, {350, 1000}};
/* A phase: some of its parts lie in the other windows, some beside them. */
static const struct window parts[] = {{220, 300}, {340, 360}, {890, 910}, {950, 1000}};
static const struct window_set phase = {parts, 4};
static const struct recorder_plan full_plan = {
    .windows = windows,
    .window_count = 3,
    .operation_count = OPERATIONS,
    .series_interval = INTERVAL,
    .series_end = END,
    .phases = &phase,
    .phase_count = 1,
};
enum { WINDOWS = 4 };

static uint32_t draw(uint32_t below)
{
    static uint64_t state = 7;
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(state >> 33) % below;
}

/* One recorder and the clock it reads, with two instances of one node. */
struct rig {
    int64_t now;
    struct recorder *recorder;
    struct record *records[INSTANCES];
};

static void rig_open(struct rig *rig, const struct recorder_plan *plan)
{
    rig->now = 0;
    rig->recorder = recorder_create(plan, &rig->now);
    for (uint32_t i = 0; i < INSTANCES; i++)
        rig->records[i] = recorder_add(rig->recorder, "web", i + 1, INSTANCES, &table, i == 1);
}

static void go_to(struct rig *rig, int64_t at)
{
    while (recorder_next_edge(rig->recorder) <= at) {
        rig->now = recorder_next_edge(rig->recorder);
        recorder_edge(rig->recorder);
    }
    rig->now = at;
}

struct event {
    int64_t at, value;
    uint32_t instance, operation;
};

static int later(const void *left, const void *right)
{
    const struct event *a = left, *b = right;
    return (a->at > b->at) - (a->at < b->at);
}

/* Whether window `w` of the full plan holds an instant. */
static bool inside(uint32_t w, int64_t at)
{
    if (w < 3)
        return at >= windows[w].begin && at < windows[w].end;
    for (uint32_t i = 0; i < phase.count; i++)
        if (at >= parts[i].begin && at < parts[i].end)
            return true;
    return false;
}

static void events_fall_into_the_windows_that_hold_their_instant(void)
{
    struct rig rig;
    rig_open(&rig, &full_plan);
    static struct event events[EVENTS];
    for (int i = 0; i < EVENTS; i++) {
        struct event *e = &events[i];
        *e = (struct event){draw(END + 100), draw(5000), draw(INSTANCES), draw(OPERATIONS)};
        record_count(rig.records[e->instance], COUNT, e->operation, e->at, 2);
        record_duration(rig.records[e->instance], LATENCY, e->operation, e->at, e->value);
    }
    for (uint32_t w = 0; w < WINDOWS; w++) {
        for (uint32_t instance = 0; instance < INSTANCES; instance++) {
            for (uint32_t operation = 0; operation < OPERATIONS; operation++) {
                uint64_t count = 0, pooled = 0;
                int64_t sum = 0, largest = 0;
                for (int i = 0; i < EVENTS; i++) {
                    const struct event *e = &events[i];
                    bool mine = inside(w, e->at) && e->operation == operation;
                    pooled += mine;
                    mine = mine && e->instance == instance;
                    count += mine;
                    sum += mine ? e->value : 0;
                    largest = mine && e->value > largest ? e->value : largest;
                }
                const struct record *r = rig.records[instance];
                size_t at = (w * OPERATIONS + operation) * METRICS + COUNT;
                CU_ASSERT_EQUAL(r->counts[at], 2 * count);
                const struct tally *t =
                    &r->tallies[(w * OPERATIONS + operation) * METRICS + LATENCY];
                CU_ASSERT_EQUAL(t->moments.count, count);
                CU_ASSERT(t->moments.sum == sum);
                CU_ASSERT_EQUAL(t->moments.max, largest);
                CU_ASSERT_EQUAL(t->histogram->count, pooled);
                CU_ASSERT_EQUAL(t->own ? t->own->count : 0, instance == 1 ? count : 0);
            }
        }
    }
    recorder_free(rig.recorder);
}

static void series_pool_operations_and_instances_by_interval(void)
{
    struct rig rig;
    rig_open(&rig, &full_plan);
    uint64_t counts[7] = {0};
    int64_t sums[7] = {0};
    for (int i = 0; i < EVENTS; i++) {
        int64_t at = (int64_t)draw(END + 100) - 50, value = draw(5000);
        struct record *r = rig.records[draw(INSTANCES)];
        record_count(r, COUNT, draw(OPERATIONS), at, 1);
        record_duration(r, LATENCY, draw(OPERATIONS), at, value);
        record_duration(r, WAIT, draw(OPERATIONS), at, value);
        if (at >= 0 && at < END) {
            counts[at / INTERVAL]++;
            sums[at / INTERVAL] += value;
        }
    }
    CU_ASSERT_EQUAL_FATAL(series_length(rig.recorder), 7);
    const struct series *s = recorder_groups(rig.recorder)->series;
    for (int i = 0; i < 7; i++) {
        CU_ASSERT_EQUAL(s->counts[COUNT][i], counts[i]);
        CU_ASSERT_EQUAL(s->moments[LATENCY][i].count, counts[i]);
        CU_ASSERT(s->moments[WAIT][i].sum == sums[i]);
        CU_ASSERT_EQUAL(s->histograms[LATENCY][i]->count, counts[i]);
    }
    CU_ASSERT_PTR_NULL(s->histograms[WAIT]);
    CU_ASSERT_EQUAL(series_window(rig.recorder, 6).begin, 900);
    CU_ASSERT_EQUAL(series_window(rig.recorder, 6).end, END);
    recorder_free(rig.recorder);
}

/* The naive level: its value at every nanosecond, for each instance and (last) their sum. */
static int64_t naive[INSTANCES + 1][END + 100];

/* Moves the levels at random up to `until`; the naive ones stay what they are from there on. */
static void walk(struct rig *rig, int64_t until)
{
    static struct event events[EVENTS / 4];
    memset(naive, 0, sizeof naive);
    for (int i = 0; i < EVENTS / 4; i++)
        events[i] = (struct event){draw(END + 100), 0, draw(INSTANCES), 0};
    qsort(events, EVENTS / 4, sizeof *events, later);
    int64_t value[INSTANCES] = {0};
    for (int i = 0; i < EVENTS / 4 && events[i].at <= until; i++) {
        uint32_t k = events[i].instance;
        int64_t change = value[k] && draw(2) ? -value[k] : draw(50) ? 1 : 150;
        go_to(rig, events[i].at);
        record_level(rig->records[k], LEVEL, change);
        value[k] += change;
        for (int64_t t = events[i].at; t < END + 100; t++) {
            naive[k][t] += change;
            naive[INSTANCES][t] += change;
        }
    }
    go_to(rig, until);
}

static void check_level(const struct recorder *r, const struct level *l, const int64_t *at,
                        struct window w)
{
    int64_t integral = 0;
    for (int64_t t = w.begin; t < w.end; t++)
        integral += at[t];
    CU_ASSERT(level_between(r, l, w) == integral);
}

/* The integral, the largest value and the time at 0 of a window of the full plan. */
static void check_window(const struct recorder *r, const struct level *l, const int64_t *at,
                         uint32_t w)
{
    int64_t largest = 0, integral = 0;
    uint64_t zero = 0, length = 0;
    for (int64_t t = 0; t < END; t++) {
        if (!inside(w, t))
            continue;
        largest = at[t] > largest ? at[t] : largest;
        zero += !at[t];
        integral += at[t];
        length++;
    }
    const struct histogram *h = level_histogram(l, w);
    CU_ASSERT(level_over(r, l, w) == integral);
    CU_ASSERT_EQUAL(level_max(l, w), largest);
    CU_ASSERT_EQUAL(h->count, length);
    CU_ASSERT_EQUAL(h->octave[0][0].count, zero);
}

static void levels_are_integrals_clipped_at_every_edge(void)
{
    struct rig rig;
    rig_open(&rig, &full_plan);
    walk(&rig, END + 99);
    recorder_close(rig.recorder, END + 99);
    const struct level *pooled = recorder_groups(rig.recorder)->pooled[LEVEL];
    for (uint32_t k = 0; k <= INSTANCES; k++) {
        const struct level *l = k < INSTANCES ? rig.records[k]->levels[LEVEL] : pooled;
        for (uint32_t w = 0; w < WINDOWS; w++)
            check_window(rig.recorder, l, naive[k], w);
        for (uint32_t i = 0; i < series_length(rig.recorder); i++)
            check_level(rig.recorder, l, naive[k], series_window(rig.recorder, i));
    }
    recorder_free(rig.recorder);
}

static void closing_early_draws_the_edges_in(void)
{
    struct rig rig;
    rig_open(&rig, &full_plan);
    walk(&rig, 420);
    recorder_close(rig.recorder, 430);
    CU_ASSERT_EQUAL(recorder_next_edge(rig.recorder), INT64_MAX);
    const struct level *l = rig.records[0]->levels[LEVEL];
    int64_t integral = 0;
    for (int64_t t = 200; t < 430; t++)
        integral += naive[0][t];
    CU_ASSERT(level_between(rig.recorder, l, windows[0]) == integral);
    struct window clipped = recorder_clip(rig.recorder, windows[0]);
    CU_ASSERT_EQUAL(clipped.begin, 200);
    CU_ASSERT_EQUAL(clipped.end, 430);
    CU_ASSERT_EQUAL(level_histogram(l, 0)->count, 230);
    CU_ASSERT(level_between(rig.recorder, l, series_window(rig.recorder, 5)) == 0);
    recorder_free(rig.recorder);
}

static void closing_late_keeps_the_edges_no_event_came_to(void)
{
    struct rig rig;
    rig_open(&rig, &full_plan);
    walk(&rig, 420);
    recorder_close(rig.recorder, END + 50);
    const struct level *l = recorder_groups(rig.recorder)->pooled[LEVEL];
    check_level(rig.recorder, l, naive[INSTANCES], windows[0]);
    check_level(rig.recorder, l, naive[INSTANCES], series_window(rig.recorder, 5));
    CU_ASSERT_EQUAL(level_histogram(l, 0)->count, 700);
    recorder_free(rig.recorder);
}

static void the_plain_recorder_asks_for_two_edges_only(void)
{
    struct rig rig;
    struct recorder_plan plan = {
        .windows = windows, .window_count = 1, .operation_count = 1, .series_end = END};
    rig_open(&rig, &plan);
    CU_ASSERT_EQUAL(rig.records[0]->length, 700);
    CU_ASSERT_EQUAL(recorder_next_edge(rig.recorder), 200);
    recorder_edge(rig.recorder);
    CU_ASSERT(rig.recorder->measuring);
    CU_ASSERT_EQUAL(recorder_next_edge(rig.recorder), 900);
    recorder_edge(rig.recorder);
    CU_ASSERT(!rig.recorder->measuring);
    CU_ASSERT_EQUAL(recorder_next_edge(rig.recorder), INT64_MAX);
    recorder_free(rig.recorder);
}

static void groups_stand_in_the_order_of_adding(void)
{
    int64_t now = 0;
    static const struct metric_table second = {.metrics = metrics, .count = 1};
    struct recorder *r = recorder_create(&full_plan, &now);
    static const char *const nodes[] = {"api", "web"};
    for (int n = 0; n < 2; n++)
        for (uint32_t i = 1; i <= 3; i++) {
            recorder_add(r, nodes[n], i, 3, &table, false);
            recorder_add(r, nodes[n], i, 3, &second, false);
        }
    const struct record_group *g = recorder_groups(r);
    for (int n = 0; n < 4; n++, g = g->next) {
        CU_ASSERT_PTR_NOT_NULL_FATAL(g);
        CU_ASSERT_STRING_EQUAL(g->node, nodes[n / 2]);
        CU_ASSERT_PTR_EQUAL(g->table, n % 2 ? &second : &table);
        CU_ASSERT_PTR_NOT_NULL(g->records[2]);
    }
    CU_ASSERT_PTR_NULL(g);
    recorder_free(r);
}

SUITE("record", TEST(events_fall_into_the_windows_that_hold_their_instant),
      TEST(series_pool_operations_and_instances_by_interval),
      TEST(levels_are_integrals_clipped_at_every_edge), TEST(closing_early_draws_the_edges_in),
      TEST(closing_late_keeps_the_edges_no_event_came_to),
      TEST(the_plain_recorder_asks_for_two_edges_only), TEST(groups_stand_in_the_order_of_adding))
