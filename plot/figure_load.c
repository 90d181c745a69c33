/* The hockey stick: p50 and p99 latency of a client against a swept number, with 95 % intervals;
 * one line for each value of a second parameter. */
#include <math.h>
#include <string.h>

#include "plot/figure.h"
#include "plot/grid.h"
#include "plot/pick.h"
#include "plot/scale.h"

enum { P50, P99, STATISTICS };

struct estimate {
    double value, low, high;
};

struct load {
    size_t node;
    struct grid_axis x, lines;
    size_t shown[PICK_MAX], shown_count; /* indices of the values of `lines` that are drawn */
    struct estimate *cells;              /* [line][x][statistic] */
};

static struct estimate *cell(const struct load *load, size_t line, size_t x, size_t statistic)
{
    return &load->cells[(line * load->x.count + x) * STATISTICS + statistic];
}

static int read_cells(struct folder *folder, struct load *load)
{
    size_t count = load->lines.count * load->x.count * STATISTICS;
    load->cells = arena_array(&folder->arena, count, struct estimate);
    for (size_t i = 0; i < count; i++)
        load->cells[i] = (struct estimate){NAN, NAN, NAN};
    struct folder_pass pass;
    struct folder_row row;
    folder_pass_begin(&pass, folder);
    while (folder_pass_next(&pass, &row)) {
        bool p50 = !strcmp(row.statistic, "p50"), p99 = !strcmp(row.statistic, "p99");
        if (row.node != load->node || (!p50 && !p99) || strcmp(row.metric, "latency") != 0 ||
            strcmp(row.operation, "all") != 0 ||
            !grid_in_plane(folder, &load->x, &load->lines, row.point))
            continue;
        *cell(load, grid_position(folder, &load->lines, row.point),
              grid_position(folder, &load->x, row.point), p50 ? P50 : P99) =
            (struct estimate){row.estimate, row.low, row.high};
    }
    return folder_pass_end(&pass);
}

static int write_lines(struct folder *folder, const struct load *load)
{
    struct sheet sheet;
    if (sheet_open(&sheet, folder, "load", ".csv"))
        return 3;
    sheet_header(&sheet, "line,x,p50_ms,p50_low,p50_high,p99_ms,p99_low,p99_high");
    for (size_t i = 0; i < load->shown_count; i++)
        for (size_t x = 0; x < load->x.count; x++) {
            sheet_number(&sheet, (double)(i + 1));
            sheet_number(&sheet, load->x.numbers[x]);
            for (size_t statistic = 0; statistic < STATISTICS; statistic++) {
                const struct estimate *estimate = cell(load, load->shown[i], x, statistic);
                sheet_number(&sheet, estimate->value);
                sheet_number(&sheet, estimate->low);
                sheet_number(&sheet, estimate->high);
            }
            sheet_end_row(&sheet);
        }
    return sheet_close(&sheet);
}

/* Fewer than five replications give no interval of a percentile. */
static bool has_intervals(const struct load *load)
{
    for (size_t i = 0; i < load->lines.count * load->x.count * STATISTICS; i++)
        if (!isnan(load->cells[i].low) && !isnan(load->cells[i].high))
            return true;
    return false;
}

static struct scale latency_scale(const struct load *load)
{
    double least = HUGE_VAL, most = 0;
    for (size_t i = 0; i < load->shown_count; i++)
        for (size_t x = 0; x < load->x.count; x++)
            for (size_t statistic = 0; statistic < STATISTICS; statistic++) {
                const struct estimate *estimate = cell(load, load->shown[i], x, statistic);
                if (isnan(estimate->value))
                    continue;
                double high = estimate->high > estimate->value ? estimate->high : estimate->value;
                least = estimate->value < least ? estimate->value : least;
                /* One wide interval must not flatten every line: it leaves the picture instead. */
                high = high > 3 * estimate->value ? 3 * estimate->value : high;
                most = high > most ? high : most;
            }
    return scale_choose(least, most);
}

static int write_words(struct folder *folder, const char *format, const struct load *load)
{
    struct sheet sheet;
    if (sheet_open(&sheet, folder, "load", ".txt"))
        return 3;
    const char *runs = pick_runs(folder), *note = pick_errors(folder, load->node);
    note = pick_join(folder, note, grid_plane_label(folder, &load->x, &load->lines));
    if (load->shown_count < load->lines.count)
        note = pick_join(folder, note,
                         arena_format(&folder->arena, "%zu of %zu lines are drawn",
                                      load->shown_count, load->lines.count));
    pick_say_frame(&sheet, format,
                   arena_format(&folder->arena, "%s: p50 and p99 latency%s%s%s",
                                folder->nodes[load->node].name,
                                has_intervals(load) ? " with 95 % intervals" : "",
                                *runs ? ", " : "", runs),
                   note);
    struct scale y = latency_scale(load);
    pick_say_latency(&sheet, "y", y);
    grid_say_x(&sheet, &load->x);
    bool several = load->lines.parameter != FOLDER_NONE;
    if (several)
        sheet_set(&sheet, "width", 9.2);
    sheet_set(&sheet, "lines", several ? (double)load->shown_count : 0);
    if (several)
        sheet_say(&sheet, "key", SHEET_LABEL, pick_parameter(folder, load->lines.parameter));
    size_t longest = several ? pick_letters(pick_parameter(folder, load->lines.parameter)) : 0;
    for (size_t i = 0; several && i < load->shown_count; i++) {
        const char *text = load->lines.texts[load->shown[i]];
        sheet_say_item(&sheet, "label", i + 1, SHEET_LABEL, text);
        longest = pick_letters(text) > longest ? pick_letters(text) : longest;
    }
    sheet_set(&sheet, "letters", (double)longest);
    return sheet_close(&sheet);
}

static enum figure_result prepare(struct folder *folder, const char *format)
{
    struct load load = {.node = grid_asker(folder)};
    grid_axis_choose(folder, true, FOLDER_NONE, &load.x);
    if (load.node == FOLDER_NONE || load.x.parameter == FOLDER_NONE)
        return FIGURE_NONE;
    grid_axis_choose(folder, false, load.x.parameter, &load.lines);
    load.shown_count = load.lines.count < PICK_MAX ? load.lines.count : PICK_MAX;
    pick_spread(load.lines.count, load.shown_count, load.shown);
    if (read_cells(folder, &load) || write_lines(folder, &load) ||
        write_words(folder, format, &load))
        return FIGURE_FAILED;
    return FIGURE_READY;
}

const struct figure figure_load = {.name = "load", .prepare = prepare};
