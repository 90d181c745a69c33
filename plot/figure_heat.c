/* p99 latency of a client over two swept parameters, as colour and number. */
#include <math.h>
#include <string.h>

#include "plot/figure.h"
#include "plot/grid.h"
#include "plot/pick.h"
#include "plot/scale.h"

enum { TICKS_MAX = 24 };

struct heat {
    size_t node;
    struct grid_axis x, y;
    double least, most; /* of all cells */
    size_t cells;       /* with a number */
};

/* One row a point, in the order of the points: 0 or 3. */
static int write_cells(struct folder *folder, struct heat *heat)
{
    struct sheet sheet;
    struct folder_pass pass;
    struct folder_row row;
    if (sheet_open(&sheet, folder, "heat", ".csv"))
        return 3;
    sheet_header(&sheet, "x,y,p99_ms");
    folder_pass_begin(&pass, folder);
    while (folder_pass_next(&pass, &row)) {
        if (row.node != heat->node || strcmp(row.metric, "latency") != 0 ||
            strcmp(row.statistic, "p99") != 0 || strcmp(row.operation, "all") != 0 ||
            !grid_in_plane(folder, &heat->x, &heat->y, row.point))
            continue;
        sheet_number(&sheet, (double)grid_position(folder, &heat->x, row.point));
        sheet_number(&sheet, (double)grid_position(folder, &heat->y, row.point));
        sheet_number(&sheet, row.estimate);
        sheet_end_row(&sheet);
        if (!(row.estimate > 0 && row.estimate < 1e15))
            continue;
        heat->cells++;
        heat->least = row.estimate < heat->least ? row.estimate : heat->least;
        heat->most = row.estimate > heat->most ? row.estimate : heat->most;
    }
    int status = folder_pass_end(&pass);
    return sheet_close(&sheet) ? 3 : status;
}

static void say_axis(struct sheet *sheet, const char *letter, const struct grid_axis *axis)
{
    struct arena *arena = &sheet->folder->arena;
    const char *ticks = arena_format(arena, "%s_tick", letter);
    sheet_say(sheet, arena_format(arena, "%s_title", letter), SHEET_LABEL * 2,
              pick_parameter(sheet->folder, axis->parameter));
    sheet_set(sheet, arena_format(arena, "%s_count", letter), (double)axis->count);
    size_t every = (axis->count + TICKS_MAX - 1) / TICKS_MAX, longest = 0;
    for (size_t i = 0; i < axis->count; i += every) {
        size_t letters = strlen(axis->texts[i]);
        sheet_say_tick(sheet, ticks, i, axis->texts[i]);
        longest = letters > longest ? letters : longest;
    }
    sheet_set(sheet, arena_format(arena, "%s_every", letter), (double)every);
    sheet_set(sheet, arena_format(arena, "%s_letters", letter),
              (double)(longest < SHEET_TICK ? longest : SHEET_TICK));
}

static int write_words(struct folder *folder, const char *format, const struct heat *heat)
{
    struct sheet sheet;
    if (sheet_open(&sheet, folder, "heat", ".txt"))
        return 3;
    const char *runs = pick_runs(folder);
    const char *note = pick_join(folder, pick_errors(folder, heat->node),
                                 grid_plane_label(folder, &heat->x, &heat->y));
    if (heat->cells < heat->x.count * heat->y.count)
        note = pick_join(folder, note, "blank: no result");
    pick_say_frame(&sheet, format,
                   arena_format(&folder->arena, "%s: p99 latency over %s and %s%s%s",
                                folder->nodes[heat->node].name,
                                pick_parameter(folder, heat->x.parameter),
                                pick_parameter(folder, heat->y.parameter), *runs ? ", " : "", runs),
                   note);
    say_axis(&sheet, "x", &heat->x);
    say_axis(&sheet, "y", &heat->y);
    bool logarithmic = heat->most >= 5 * heat->least;
    double low = logarithmic ? scale_below(heat->least) : heat->least;
    double high = logarithmic ? scale_above(heat->most) : heat->most;
    pick_say_latency(&sheet, "c", (struct scale){low, high > low ? high : low * 1.1, logarithmic});
    return sheet_close(&sheet);
}

static enum figure_result prepare(struct folder *folder, const char *format)
{
    struct heat heat = {.node = grid_asker(folder), .least = HUGE_VAL};
    /* Numbers go along the foot where there are any, as far as they are the longer axis. */
    grid_axis_choose(folder, false, FOLDER_NONE, &heat.x);
    grid_axis_choose(folder, false, heat.x.parameter, &heat.y);
    if (heat.node == FOLDER_NONE || heat.y.parameter == FOLDER_NONE)
        return FIGURE_NONE;
    if (write_cells(folder, &heat))
        return FIGURE_FAILED;
    if (!heat.cells)
        return FIGURE_NONE;
    return write_words(folder, format, &heat) ? FIGURE_FAILED : FIGURE_READY;
}

const struct figure figure_heat = {.name = "heat", .prepare = prepare};
