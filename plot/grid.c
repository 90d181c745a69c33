#include "plot/grid.h"

#include <string.h>

#include "plot/pick.h"
#include "plot/quantity.h"

/* Insertion keeps equal numbers (`1s`, `1000ms`) in the order of the sweep. */
static void sort_by_number(struct grid_axis *axis)
{
    for (size_t i = 1; i < axis->count; i++) {
        double number = axis->numbers[i];
        const char *text = axis->texts[i];
        size_t at = i;
        for (; at > 0 && axis->numbers[at - 1] > number; at--) {
            axis->numbers[at] = axis->numbers[at - 1];
            axis->texts[at] = axis->texts[at - 1];
        }
        axis->numbers[at] = number;
        axis->texts[at] = text;
    }
}

void grid_axis_read(struct folder *folder, size_t parameter, struct grid_axis *axis)
{
    struct roster values = {.arena = &folder->arena};
    for (size_t i = 0; i < folder->point_count; i++)
        roster_add(&values, folder->points[i].values[parameter]);
    *axis = (struct grid_axis){.parameter = parameter, .count = values.count, .unit = ""};
    axis->texts = arena_array(&folder->arena, values.count, const char *);
    axis->numbers = arena_array(&folder->arena, values.count, double);
    memcpy(axis->texts, values.names, values.count * sizeof *axis->texts);
    axis->numeric = plot_quantity_axis(axis->texts, axis->count, axis->numbers, &axis->unit);
    if (axis->numeric)
        sort_by_number(axis);
}

void grid_axis_choose(struct folder *folder, bool numeric, size_t not, struct grid_axis *axis)
{
    *axis = (struct grid_axis){.parameter = FOLDER_NONE, .count = 1, .unit = ""};
    for (size_t i = 0; i < folder->parameter_count; i++) {
        if (i == not || !pick_varies(folder, i))
            continue;
        struct grid_axis own;
        grid_axis_read(folder, i, &own);
        if ((own.numeric || !numeric) && own.count > axis->count)
            *axis = own;
    }
}

size_t grid_position(const struct folder *folder, const struct grid_axis *axis, size_t point)
{
    if (axis->parameter == FOLDER_NONE)
        return 0;
    const char *text = folder->points[point].values[axis->parameter];
    size_t i = 0;
    while (i + 1 < axis->count && strcmp(axis->texts[i], text) != 0)
        i++;
    return i;
}

static bool is_other(const struct grid_axis *a, const struct grid_axis *b, size_t parameter)
{
    return parameter != a->parameter && parameter != b->parameter;
}

bool grid_in_plane(const struct folder *folder, const struct grid_axis *a,
                   const struct grid_axis *b, size_t point)
{
    for (size_t i = 0; i < folder->parameter_count; i++)
        if (is_other(a, b, i) &&
            strcmp(folder->points[point].values[i], folder->points[0].values[i]) != 0)
            return false;
    return true;
}

const char *grid_plane_label(struct folder *folder, const struct grid_axis *a,
                             const struct grid_axis *b)
{
    const char *text = "";
    for (size_t i = 0; i < folder->parameter_count; i++)
        if (is_other(a, b, i) && pick_varies(folder, i))
            text = arena_format(&folder->arena, "%s%s%s %s", text, *text ? ", " : "at ",
                                pick_parameter(folder, i), folder->points[0].values[i]);
    return text;
}

const char *grid_title(struct folder *folder, const struct grid_axis *axis)
{
    const char *name = pick_parameter(folder, axis->parameter);
    return *axis->unit ? arena_format(&folder->arena, "%s (%s)", name, axis->unit) : name;
}

size_t grid_asker(const struct folder *folder)
{
    size_t found = FOLDER_NONE;
    for (size_t i = 0; i < folder->node_count; i++) {
        const struct folder_node *node = &folder->nodes[i];
        if (node->parent != FOLDER_NONE || !node->latency)
            continue;
        if (node->client)
            return i;
        if (found == FOLDER_NONE)
            found = i;
    }
    return found;
}

enum { TICKS_MAX = 9 };

/* Values that grow by factors (1k, 10k, 100k) stand on a logarithmic axis. */
static bool grows_by_factors(const struct grid_axis *x)
{
    double least = x->numbers[0], most = x->numbers[x->count - 1];
    return x->count > 2 && least > 0 && most >= 8 * least &&
           x->numbers[1] - least < 0.5 * (most - least) / (double)(x->count - 1);
}

void grid_say_x(struct sheet *sheet, const struct grid_axis *x)
{
    double least = x->numbers[0], most = x->numbers[x->count - 1];
    bool factors = grows_by_factors(x), from_zero = least >= 0 && least <= 0.35 * most;
    sheet_set(sheet, "x_log", factors);
    sheet_set(sheet, "x_low",
              factors     ? least / 1.15
              : from_zero ? 0
                          : least - (most - least) * 0.04);
    sheet_set(sheet, "x_high", factors ? most * 1.15 : most + (most - least) * 0.04);
    sheet_say(sheet, "x_title", SHEET_LABEL * 2,
              factors ? pick_parameter(sheet->folder, x->parameter) : grid_title(sheet->folder, x));
    /* Without factors the ticks are round numbers, which gnuplot finds. */
    size_t every = (x->count + TICKS_MAX - 1) / TICKS_MAX, ticks = 0;
    for (size_t i = 0; factors && i < x->count; i += every) {
        sheet_say_tick(sheet, "tick", ++ticks, x->texts[i]);
        sheet_set(sheet, arena_format(&sheet->folder->arena, "tick_at.%zu", ticks), x->numbers[i]);
    }
    sheet_set(sheet, "ticks", (double)ticks);
}
