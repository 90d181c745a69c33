/* Values of a swept parameter as the scenario writes them: `200/s`, `5ms`, `10k`, `80%`, `x4` are
 * numbers with a unit; `round_robin` and `exp(5ms)` are words. */
#ifndef ORRERY_PLOT_QUANTITY_H
#define ORRERY_PLOT_QUANTITY_H

#include <stdbool.h>
#include <stddef.h>

enum plot_dimension {
    PLOT_DIMENSION_NUMBER, /* a bare number or count, also with k, M, G */
    PLOT_DIMENSION_TIME,
    PLOT_DIMENSION_RATE,
    PLOT_DIMENSION_BYTES,
    PLOT_DIMENSION_BANDWIDTH,
    PLOT_DIMENSION_SHARE,
    PLOT_DIMENSION_FACTOR,
    PLOT_DIMENSION_MONEY
};

struct plot_quantity {
    double value; /* in the base unit of its dimension: s, /s, B, bit/s, 1 */
    enum plot_dimension dimension;
    const char *unit; /* as written, "" for a bare number; static storage */
    double unit_size; /* one `unit` in the base unit */
};

/* False where the text is no number with a known unit. */
bool plot_quantity_read(const char *text, struct plot_quantity *quantity);

/* Reads all `count` values of one parameter: true where every one is a quantity and all have one
 * dimension (a bare zero fits each). `numbers[i]` is then in the unit of the first value that has
 * one, which `*unit` names; where that unit is a prefix alone (`k`) or none, in 1. */
bool plot_quantity_axis(const char *const *texts, size_t count, double *numbers, const char **unit);

#endif
