#include "plot/scale.h"

#include "engine/kernel/check.h"

/* The largest power of ten that is at most `value`. */
static double decade(double value)
{
    double power = 1;
    while (power > value)
        power /= 10;
    while (power * 10 <= value)
        power *= 10;
    return power;
}

double scale_below(double value)
{
    CHECK(value > 0 && value < 1e300);
    double power = decade(value);
    return value >= 5 * power ? 5 * power : value >= 2 * power ? 2 * power : power;
}

double scale_above(double value)
{
    CHECK(value > 0 && value < 1e300);
    double power = decade(value);
    return value <= power       ? power
           : value <= 2 * power ? 2 * power
           : value <= 5 * power ? 5 * power
                                : 10 * power;
}

struct scale scale_choose(double least, double most)
{
    if (!(least > 1e-12) || !(most < 1e15) || least > most)
        return (struct scale){0, most > 0 && most < 1e15 ? most * 1.08 : 1, false};
    if (most < 5 * least)
        return (struct scale){0, most * 1.08, false};
    double high = scale_above(most);
    /* A line along the least value must not lie on the axis. A tick just above the highest ends the
     * axis; one far above would leave its top empty. */
    return (struct scale){scale_below(least / 1.05), high < most * 1.2 ? high : most * 1.2, true};
}
