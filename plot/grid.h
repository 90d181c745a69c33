/* Swept parameters as axes: their distinct values in order, and where a point lies. */
#ifndef ORRERY_PLOT_GRID_H
#define ORRERY_PLOT_GRID_H

#include <stdbool.h>
#include <stddef.h>

#include "plot/folder.h"
#include "plot/sheet.h"

struct grid_axis {
    size_t parameter;   /* FOLDER_NONE: there is no such axis */
    size_t count;       /* distinct values */
    const char **texts; /* as written; by number where numeric, else as the sweep has them */
    bool numeric;
    double *numbers;  /* where numeric, in `unit` */
    const char *unit; /* "" for bare numbers */
};

/* The values of one parameter over all points. */
void grid_axis_read(struct folder *folder, size_t parameter, struct grid_axis *axis);

/* The varying parameter with the most values (the first of equals) other than `not`; with `numeric`
 * only among those whose values are numbers. The axis has parameter FOLDER_NONE where none fits. */
void grid_axis_choose(struct folder *folder, bool numeric, size_t not, struct grid_axis *axis);

/* The index of a point's value on the axis; 0 on an axis that is not there. */
size_t grid_position(const struct folder *folder, const struct grid_axis *axis, size_t point);

/* Whether the point lies in the plane shown: all parameters but these two as at the first point. */
bool grid_in_plane(const struct folder *folder, const struct grid_axis *a,
                   const struct grid_axis *b, size_t point);

/* "at policy random", where there are more parameters than these two, else "". */
const char *grid_plane_label(struct folder *folder, const struct grid_axis *a,
                             const struct grid_axis *b);

/* "rate (/s)": the parameter's name and, for numbers, its unit. */
const char *grid_title(struct folder *folder, const struct grid_axis *axis);

/* The first node that `orrery` asks for: the first client, else the first node with a latency;
 * FOLDER_NONE where none has one. */
size_t grid_asker(const struct folder *folder);

/* Says the range, the ticks and the title of an axis of numbers (x_low, x_high, x_log, x_title,
 * ticks): numbers that grow by factors stand on a logarithmic one. */
void grid_say_x(struct sheet *sheet, const struct grid_axis *x);

#endif
