/* What a cache of this size saves: its hit ratio against a swept number, with 95 % intervals; one
 * line for each value of a second parameter. */
#include <math.h>
#include <string.h>

#include "plot/figure.h"
#include "plot/grid.h"
#include "plot/pick.h"

struct estimate {
    double value, low, high;
};

struct hits {
    size_t node;
    struct grid_axis x, lines;
    size_t shown[PICK_MAX], shown_count; /* indices of the values of `lines` that are drawn */
    struct estimate *cells;              /* [line][x], in percent */
};

/* The first node that looks for copies. */
static size_t find_cache(const struct folder *folder)
{
    for (size_t i = 0; i < folder->node_count; i++)
        if (folder->nodes[i].cache && folder->nodes[i].parent == FOLDER_NONE)
            return i;
    return FOLDER_NONE;
}

static struct estimate *cell(const struct hits *hits, size_t line, size_t x)
{
    return &hits->cells[line * hits->x.count + x];
}

static int read_cells(struct folder *folder, struct hits *hits)
{
    size_t count = hits->lines.count * hits->x.count;
    hits->cells = arena_array(&folder->arena, count, struct estimate);
    for (size_t i = 0; i < count; i++)
        hits->cells[i] = (struct estimate){NAN, NAN, NAN};
    struct folder_pass pass;
    struct folder_row row;
    folder_pass_begin(&pass, folder);
    while (folder_pass_next(&pass, &row))
        if (row.node == hits->node && !strcmp(row.metric, "hit_ratio") &&
            !strcmp(row.operation, "all") &&
            grid_in_plane(folder, &hits->x, &hits->lines, row.point))
            *cell(hits, grid_position(folder, &hits->lines, row.point),
                  grid_position(folder, &hits->x, row.point)) =
                (struct estimate){100 * row.estimate, 100 * row.low, 100 * row.high};
    return folder_pass_end(&pass);
}

static int write_lines(struct folder *folder, const struct hits *hits)
{
    struct sheet sheet;
    if (sheet_open(&sheet, folder, "hits", ".csv"))
        return 3;
    sheet_header(&sheet, "line,x,percent,percent_low,percent_high");
    for (size_t i = 0; i < hits->shown_count; i++)
        for (size_t x = 0; x < hits->x.count; x++) {
            const struct estimate *estimate = cell(hits, hits->shown[i], x);
            sheet_number(&sheet, (double)(i + 1));
            sheet_number(&sheet, hits->x.numbers[x]);
            sheet_number(&sheet, estimate->value);
            sheet_number(&sheet, estimate->low);
            sheet_number(&sheet, estimate->high);
            sheet_end_row(&sheet);
        }
    return sheet_close(&sheet);
}

static int write_words(struct folder *folder, const char *format, const struct hits *hits)
{
    struct sheet sheet;
    if (sheet_open(&sheet, folder, "hits", ".txt"))
        return 3;
    const char *runs = pick_runs(folder);
    const char *note = grid_plane_label(folder, &hits->x, &hits->lines);
    if (hits->shown_count < hits->lines.count)
        note = pick_join(folder, note,
                         arena_format(&folder->arena, "%zu of %zu lines are drawn",
                                      hits->shown_count, hits->lines.count));
    pick_say_frame(&sheet, format,
                   arena_format(&folder->arena, "%s: share of the reads answered from a copy%s%s",
                                folder->nodes[hits->node].name, *runs ? ", " : "", runs),
                   note);
    grid_say_x(&sheet, &hits->x);
    bool several = hits->lines.parameter != FOLDER_NONE;
    sheet_set(&sheet, "lines", several ? (double)hits->shown_count : 1);
    if (several)
        sheet_say(&sheet, "key", SHEET_LABEL, pick_parameter(folder, hits->lines.parameter));
    size_t longest = several ? pick_letters(pick_parameter(folder, hits->lines.parameter)) : 0;
    for (size_t i = 0; several && i < hits->shown_count; i++) {
        const char *text = hits->lines.texts[hits->shown[i]];
        sheet_say_item(&sheet, "label", i + 1, SHEET_LABEL, text);
        longest = pick_letters(text) > longest ? pick_letters(text) : longest;
    }
    sheet_set(&sheet, "letters", (double)longest);
    return sheet_close(&sheet);
}

static enum figure_result prepare(struct folder *folder, const char *format)
{
    struct hits hits = {.node = find_cache(folder)};
    grid_axis_choose(folder, true, FOLDER_NONE, &hits.x);
    if (hits.node == FOLDER_NONE || hits.x.parameter == FOLDER_NONE)
        return FIGURE_NONE;
    grid_axis_choose(folder, false, hits.x.parameter, &hits.lines);
    hits.shown_count = hits.lines.count < PICK_MAX ? hits.lines.count : PICK_MAX;
    pick_spread(hits.lines.count, hits.shown_count, hits.shown);
    if (read_cells(folder, &hits) || write_lines(folder, &hits) ||
        write_words(folder, format, &hits))
        return FIGURE_FAILED;
    return FIGURE_READY;
}

const struct figure figure_hits = {.name = "hits", .prepare = prepare};
