/* Utilization of each instance of the counted nodes: whether the load is spread evenly. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plot/figure.h"
#include "plot/pick.h"
#include "plot/scale.h"

enum { PANELS_MAX = 6 };

struct bar {
    size_t panel;
    long instance;
    double value, low, high;
};

struct balance {
    struct pick_line panels[PANELS_MAX]; /* a point and a counted node each */
    size_t count, candidates;
    bool by_point;
    size_t parameter; /* the only one in which the panels differ, or FOLDER_NONE: any */
    struct bar *bars;
    size_t bar_count, bar_capacity;
};

/* With one point a panel for each counted node; with several, one for each of up to six points, a
 * slice of the sweep where there are more, and the node with the most instances. */
static void choose_panels(const struct folder *folder, struct balance *balance)
{
    size_t largest = FOLDER_NONE, indices[PANELS_MAX];
    balance->parameter = FOLDER_NONE;
    for (size_t i = 0; i < folder->node_count; i++) {
        const struct folder_node *node = &folder->nodes[i];
        if (!node->station || node->instances < 2)
            continue;
        if (largest == FOLDER_NONE || node->instances > folder->nodes[largest].instances)
            largest = i;
        balance->candidates++;
        if (balance->count < PANELS_MAX)
            balance->panels[balance->count++] = (struct pick_line){0, i};
    }
    if (folder->point_count < 2 || largest == FOLDER_NONE)
        return;
    balance->by_point = true;
    balance->candidates = folder->point_count;
    balance->count = folder->point_count < PANELS_MAX ? folder->point_count : PANELS_MAX;
    if (folder->point_count > PANELS_MAX)
        balance->parameter = pick_slice(folder, PANELS_MAX, indices, &balance->count);
    if (balance->parameter == FOLDER_NONE)
        pick_spread(folder->point_count, balance->count, indices);
    for (size_t i = 0; i < balance->count; i++)
        balance->panels[i] = (struct pick_line){indices[i], largest};
}

static void add(struct folder *folder, struct balance *balance, struct bar bar)
{
    if (balance->bar_count == balance->bar_capacity) {
        size_t capacity = balance->bar_capacity ? balance->bar_capacity * 2 : 256;
        struct bar *grown = arena_array(&folder->arena, capacity, struct bar);
        if (balance->bar_count)
            memcpy(grown, balance->bars, balance->bar_count * sizeof *grown);
        balance->bars = grown;
        balance->bar_capacity = capacity;
    }
    balance->bars[balance->bar_count++] = bar;
}

/* By panel, the most loaded first, equals by their number. */
static int by_panel_and_load(const void *left, const void *right)
{
    const struct bar *a = left, *b = right;
    if (a->panel != b->panel)
        return a->panel < b->panel ? -1 : 1;
    if (a->value != b->value)
        return a->value > b->value ? -1 : 1;
    return (a->instance > b->instance) - (a->instance < b->instance);
}

static int read_bars(struct folder *folder, struct balance *balance)
{
    struct folder_pass pass;
    struct folder_row row;
    folder_pass_begin(&pass, folder);
    while (folder_pass_next(&pass, &row)) {
        const struct folder_node *node = &folder->nodes[row.node];
        if (node->parent == FOLDER_NONE || strcmp(row.metric, "utilization") != 0 ||
            strcmp(row.statistic, "mean") != 0 || strcmp(row.operation, "all") != 0 ||
            isnan(row.estimate))
            continue;
        for (size_t i = 0; i < balance->count; i++)
            if (balance->panels[i].point == row.point && balance->panels[i].node == node->parent)
                add(folder, balance,
                    (struct bar){i, strtol(strrchr(node->name, '.') + 1, NULL, 10), row.estimate,
                                 row.low, row.high});
    }
    if (balance->bar_count)
        qsort(balance->bars, balance->bar_count, sizeof *balance->bars, by_panel_and_load);
    return folder_pass_end(&pass);
}

/* Leaves out panels without a bar (unlimited slots have no utilization). */
static void drop_empty(struct balance *balance)
{
    for (size_t panel = balance->count; panel-- > 0;) {
        bool found = false;
        for (size_t i = 0; i < balance->bar_count && !found; i++)
            found = balance->bars[i].panel == panel;
        if (found)
            continue;
        balance->count--;
        balance->candidates--;
        for (size_t i = panel; i < balance->count; i++)
            balance->panels[i] = balance->panels[i + 1];
        for (size_t i = 0; i < balance->bar_count; i++)
            balance->bars[i].panel -= balance->bars[i].panel > panel;
    }
}

static int write_bars(struct folder *folder, const struct balance *balance)
{
    struct sheet sheet;
    if (sheet_open(&sheet, folder, "balance", ".csv"))
        return 3;
    sheet_header(&sheet, "panel,rank,instance,utilization,low,high");
    for (size_t i = 0, rank = 0; i < balance->bar_count; i++) {
        const struct bar *bar = &balance->bars[i];
        rank = i && balance->bars[i - 1].panel == bar->panel ? rank + 1 : 0;
        sheet_number(&sheet, (double)(bar->panel + 1));
        sheet_number(&sheet, (double)rank);
        sheet_number(&sheet, (double)bar->instance);
        sheet_number(&sheet, bar->value);
        sheet_number(&sheet, bar->low);
        sheet_number(&sheet, bar->high);
        sheet_end_row(&sheet);
    }
    return sheet_close(&sheet);
}

/* Side by side; four stand as two by two. */
static size_t panel_columns(const struct balance *balance)
{
    return balance->count == 4 ? 2 : balance->count < 3 ? balance->count : 3;
}

static void say_panel(struct sheet *sheet, const struct balance *balance, size_t panel)
{
    struct folder *folder = sheet->folder;
    const struct pick_line *line = &balance->panels[panel];
    double sum = 0, bars = 0;
    for (size_t i = 0; i < balance->bar_count; i++)
        if (balance->bars[i].panel == panel) {
            sum += balance->bars[i].value;
            bars += 1;
        }
    const char *name = balance->by_point ? pick_point_label(folder, line->point, balance->parameter)
                                         : folder->nodes[line->node].name;
    sheet_say_item(sheet, "panel", panel + 1, 84 / panel_columns(balance), name);
    sheet_set(sheet, arena_format(&folder->arena, "mean.%zu", panel + 1), sum / bars);
    sheet_set(sheet, arena_format(&folder->arena, "bars.%zu", panel + 1), bars);
}

/* The top of the highest bar or whisker, and whether there are whiskers at all. */
static double highest(const struct balance *balance, bool *intervals)
{
    double most = 0;
    *intervals = false;
    for (size_t i = 0; i < balance->bar_count; i++) {
        const struct bar *bar = &balance->bars[i];
        *intervals |= !isnan(bar->high);
        double top = bar->high > bar->value ? bar->high : bar->value;
        most = top > most ? top : most;
    }
    return most;
}

static int write_words(struct folder *folder, const char *format, const struct balance *balance)
{
    struct sheet sheet;
    if (sheet_open(&sheet, folder, "balance", ".txt"))
        return 3;
    bool one = balance->by_point || balance->count == 1;
    const char *whose =
        one ? arena_format(&folder->arena, "%s: ", folder->nodes[balance->panels[0].node].name)
            : "";
    bool intervals;
    double most = highest(balance, &intervals);
    const char *left_out = "";
    if (balance->count < balance->candidates)
        left_out = arena_format(&folder->arena, "%zu of %zu %s are drawn", balance->count,
                                balance->candidates, balance->by_point ? "points" : "nodes");
    if (balance->by_point && balance->parameter != FOLDER_NONE)
        left_out = pick_join(folder,
                             pick_slice_label(folder, balance->panels[0].point, balance->parameter),
                             left_out);
    const char *runs = pick_runs(folder);
    pick_say_frame(&sheet, format,
                   arena_format(&folder->arena, "%sutilization of each instance%s%s%s", whose,
                                intervals ? " with 95 % interval" : "", *runs ? ", " : "", runs),
                   left_out);
    sheet_set(&sheet, "panels", (double)balance->count);
    sheet_set(&sheet, "columns", (double)panel_columns(balance));
    if (balance->count > panel_columns(balance))
        sheet_set(&sheet, "height", 5.4);
    sheet_set(&sheet, "y_high", most > 0.45 ? 1.05 : most > 0 ? scale_above(most * 1.02) : 1);
    for (size_t panel = 0; panel < balance->count; panel++)
        say_panel(&sheet, balance, panel);
    return sheet_close(&sheet);
}

static enum figure_result prepare(struct folder *folder, const char *format)
{
    struct balance balance = {0};
    choose_panels(folder, &balance);
    if (read_bars(folder, &balance))
        return FIGURE_FAILED;
    drop_empty(&balance);
    if (!balance.count)
        return FIGURE_NONE;
    if (write_bars(folder, &balance) || write_words(folder, format, &balance))
        return FIGURE_FAILED;
    return FIGURE_READY;
}

const struct figure figure_balance = {.name = "balance", .prepare = prepare};
