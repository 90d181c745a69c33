/* Where an axis begins and whether it is logarithmic, chosen without logarithms: by products, so
 * that every machine writes the same data files. */
#ifndef ORRERY_PLOT_SCALE_H
#define ORRERY_PLOT_SCALE_H

#include <stdbool.h>

struct scale {
    double low, high; /* the range shown */
    bool logarithmic;
};

/* The largest of 1, 2, 5 x 10^k that is at most `value`, and the smallest that is at least it.
 * `value` is positive and finite. */
double scale_below(double value);
double scale_above(double value);

/* The axis for positive values from `least` to `most`: logarithmic where they span a factor of 5 or
 * more, else from zero. */
struct scale scale_choose(double least, double most);

#endif
