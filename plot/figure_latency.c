/* Latency by nines: percentile axis stretched as by HdrHistogram, one line a node or point. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plot/figure.h"
#include "plot/pick.h"
#include "plot/scale.h"

/* A bucket of distributions.csv. */
struct bucket {
    size_t line;
    double low, high, count, cumulative;
};

struct buckets {
    struct bucket *items;
    size_t count, capacity;
};

enum { POINT, NODE, OPERATION, METRIC, LOW, HIGH, COUNT, CUMULATIVE, COLUMNS };
static const char *const columns[] = {"point", "node", "operation", "metric",
                                      "low",   "high", "count",     "cumulative"};

static bool has_latency(const struct folder_node *node)
{
    return node->latency;
}

static void add(struct folder *folder, struct buckets *buckets, struct bucket bucket)
{
    if (buckets->count == buckets->capacity) {
        size_t capacity = buckets->capacity ? buckets->capacity * 2 : 4096;
        struct bucket *grown = arena_array(&folder->arena, capacity, struct bucket);
        if (buckets->count)
            memcpy(grown, buckets->items, buckets->count * sizeof *grown);
        buckets->items = grown;
        buckets->capacity = capacity;
    }
    buckets->items[buckets->count++] = bucket;
}

static int by_line_and_low(const void *left, const void *right)
{
    const struct bucket *a = left, *b = right;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    if (a->low != b->low)
        return a->low < b->low ? -1 : 1;
    return (a->high > b->high) - (a->high < b->high);
}

static size_t line_of(const struct pick *pick, size_t point, size_t node)
{
    for (size_t i = 0; i < pick->count; i++)
        if (pick->lines[i].point == point && pick->lines[i].node == node)
            return i;
    return FOLDER_NONE;
}

/* The buckets of all chosen lines, sorted by line and value: 0 or 3. */
static int read_buckets(struct folder *folder, const struct pick *pick, struct buckets *buckets)
{
    struct rows rows;
    size_t at[COLUMNS];
    int status = folder_table_open(folder, &rows, "distributions.csv", columns, at, COLUMNS);
    while (!status && rows_next(&rows)) {
        if (strcmp(rows_field(&rows, at[METRIC]), "latency") != 0 ||
            strcmp(rows_field(&rows, at[OPERATION]), "all") != 0)
            continue;
        size_t point = folder_point_find(folder, rows_number(&rows, at[POINT]));
        size_t node = roster_find(&folder->node_names, rows_field(&rows, at[NODE]));
        struct bucket bucket = {line_of(pick, point, node), rows_number(&rows, at[LOW]),
                                rows_number(&rows, at[HIGH]), rows_number(&rows, at[COUNT]),
                                rows_number(&rows, at[CUMULATIVE])};
        if (bucket.line != FOLDER_NONE && bucket.low <= bucket.high && bucket.count > 0 &&
            bucket.cumulative > 0 && bucket.cumulative <= 1.000001)
            add(folder, buckets, bucket);
    }
    if (!status)
        status = folder_table_end(folder, &rows, "distributions.csv");
    rows_close(&rows);
    if (buckets->count)
        qsort(buckets->items, buckets->count, sizeof *buckets->items, by_line_and_low);
    return status;
}

/* Leaves out the lines without a bucket, and numbers the others anew. */
static void drop_empty(struct pick *pick, struct buckets *buckets)
{
    for (size_t line = pick->count; line-- > 0;) {
        bool found = false;
        for (size_t i = 0; i < buckets->count && !found; i++)
            found = buckets->items[i].line == line;
        if (found)
            continue;
        pick_drop(pick, line);
        for (size_t i = 0; i < buckets->count; i++)
            buckets->items[i].line -= buckets->items[i].line > line;
    }
}

/* The curve as it is written: thinned where two points would fall on one dot of the picture. */
struct pen {
    struct sheet *sheet;
    size_t line;
    double nines, value; /* the last point written */
    double held_nines, held_value;
    bool holding;
};

static void put(struct pen *pen, double nines, double value)
{
    sheet_number(pen->sheet, (double)(pen->line + 1));
    sheet_number(pen->sheet, 100 - 100 / nines);
    sheet_number(pen->sheet, nines);
    sheet_number(pen->sheet, value);
    sheet_end_row(pen->sheet);
    pen->nines = nines;
    pen->value = value;
}

static void finish(struct pen *pen)
{
    if (pen->holding)
        put(pen, pen->held_nines, pen->held_value);
    pen->holding = false;
}

static void move(struct pen *pen, double nines, double value)
{
    bool near = pen->nines > 0 && nines < pen->nines * 1.006 && value < pen->value * 1.004;
    if (near) {
        pen->held_nines = nines;
        pen->held_value = value;
        pen->holding = true;
        return;
    }
    finish(pen);
    put(pen, nines, value);
}

static const double least_shown_ms = 0.01;

/* What the axes must show. */
struct extent {
    double least, most, nines;
};

/* One line: within a bucket values are spread evenly, between buckets the quantile jumps. The line
 * ends at the percentile of which one observation is left: nines = N, as 1 - 1/N is the last rank
 * but one. */
static void draw_line(struct sheet *sheet, const struct bucket *bucket, size_t count, size_t line,
                      struct extent *extent)
{
    struct pen pen = {.sheet = sheet, .line = line};
    double total = 0, before = 0, last = NAN, tenth = NAN, seen = 0;
    for (size_t i = 0; i < count; i++)
        total += bucket[i].count;
    /* Operations that never ended count as slower than any other: then cumulative stops below 1. */
    double all = total / bucket[count - 1].cumulative;
    double shown = all >= 1000 ? all / 10 : all;
    for (size_t i = 0; i < count; i++) {
        seen += bucket[i].count;
        double from = all / (all - before), to = seen < all - 0.5 ? all / (all - seen) : all;
        if (!(last == bucket[i].low))
            move(&pen, from, bucket[i].low);
        move(&pen, to, bucket[i].high);
        before = seen;
        last = bucket[i].high;
        if (isnan(tenth) && seen >= 0.05 * all)
            tenth = last;
        if (from <= shown && last > extent->most)
            extent->most = last;
    }
    finish(&pen);
    /* Answers without any delay would draw the logarithmic axis down to nothing. */
    if (tenth < least_shown_ms)
        tenth = least_shown_ms;
    if (tenth < extent->least)
        extent->least = tenth;
    if (shown > extent->nines)
        extent->nines = shown;
}

static int write_lines(struct folder *folder, const struct buckets *buckets, struct extent *extent)
{
    struct sheet sheet;
    if (sheet_open(&sheet, folder, "latency", ".csv"))
        return 3;
    sheet_header(&sheet, "line,percentile,nines,latency_ms");
    for (size_t from = 0, to; from < buckets->count; from = to) {
        size_t line = buckets->items[from].line;
        for (to = from; to < buckets->count && buckets->items[to].line == line; to++)
            continue;
        draw_line(&sheet, &buckets->items[from], to - from, line, extent);
    }
    return sheet_close(&sheet);
}

static const char *subtitle(struct folder *folder, const struct pick *pick)
{
    const char *runs = pick_runs(folder);
    const char *whose = "";
    if (!pick->by_node)
        whose = arena_format(&folder->arena, "%s: ", folder->nodes[pick->lines[0].node].name);
    return arena_format(&folder->arena, "%slatency by percentile%s%s", whose, *runs ? ", " : "",
                        runs);
}

static int write_words(struct folder *folder, const char *format, const struct pick *pick,
                       const struct extent *extent)
{
    struct sheet sheet;
    if (sheet_open(&sheet, folder, "latency", ".txt"))
        return 3;
    pick_say_frame(
        &sheet, format, subtitle(folder, pick),
        pick_join(folder, pick_errors(folder, pick->lines[0].node), pick_left_out(folder, pick)));
    pick_say_lines(&sheet, pick);
    struct scale y = scale_choose(extent->least, extent->most);
    pick_say_latency(&sheet, "y", y);
    double nines = extent->nines < 12 ? 12 : extent->nines;
    sheet_set(&sheet, "x_high", nines > 2e6 ? 2e6 : nines);
    return sheet_close(&sheet);
}

static enum figure_result prepare(struct folder *folder, const char *format)
{
    if (!folder_has(folder, "distributions.csv"))
        return FIGURE_NONE;
    size_t *nodes = arena_array(&folder->arena, folder->node_count, size_t);
    size_t count = pick_nodes(folder, has_latency, nodes);
    /* A sweep compares what its clients see; the nodes behind them would only hide it. */
    size_t clients = 0;
    while (clients < count && folder->nodes[nodes[clients]].client)
        clients++;
    if (folder->point_count > 1 && clients)
        count = clients;
    struct pick pick;
    struct buckets buckets = {0};
    pick_lines(folder, nodes, count, &pick);
    if (read_buckets(folder, &pick, &buckets))
        return FIGURE_FAILED;
    drop_empty(&pick, &buckets);
    if (!pick.count)
        return FIGURE_NONE;
    struct extent extent = {.least = HUGE_VAL};
    if (write_lines(folder, &buckets, &extent) || write_words(folder, format, &pick, &extent))
        return FIGURE_FAILED;
    return FIGURE_READY;
}

const struct figure figure_latency = {.name = "latency", .prepare = prepare};
