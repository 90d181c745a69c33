/* The course of a metric over simulated time, from series.csv: for each chosen line and interval
 * the mean over replications and, with five or more, the middle half of them. */
#ifndef ORRERY_PLOT_COURSE_H
#define ORRERY_PLOT_COURSE_H

#include <stddef.h>

#include "plot/pick.h"

struct course_metric {
    const char *metric, *statistic;
};

/* One interval of one line. Quartiles are NaN with fewer than five replications. */
struct course_value {
    double time_s; /* where the interval begins */
    double mean, low, high;
};

struct course {
    double step_s, end_s; /* length of an interval; end of the last one */
    size_t merged;        /* intervals of the file in each one here */
    size_t replications;  /* the most that any interval has */
    /* values[metric][line] holds counts[metric][line] intervals in the order of time */
    struct course_value *values[2][PICK_MAX];
    size_t counts[2][PICK_MAX];
};

/* Reads one or two metrics of the picked lines and leaves out the lines that have none: 0, or 3
 * with a message. A file of more than 600 intervals is shown by the means of neighbours, so that a
 * line stays a line. */
int course_read(struct folder *folder, struct pick *pick, const struct course_metric *metrics,
                size_t metric_count, struct course *course);

/* Writes columns `line,time_s,mid_s`, then `<metric>,<metric>_low,<metric>_high` for each metric,
 * one row an interval and one more at the end of a line (so that its last step has a length):
 * 0 or 3. `names` are ours and become column names. */
int course_write(struct folder *folder, const char *figure, const struct course *course,
                 const struct pick *pick, const char *const *names, size_t metric_count);

#endif
