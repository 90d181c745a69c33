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
