#include "models/parts/running_interval.h"

#include "engine/kernel/arithmetic.h"
#include "engine/kernel/special.h"

void running_interval_add(struct running_interval *intervals, int64_t ns)
{
    intervals->kept[intervals->next] = ns;
    intervals->next = (intervals->next + 1) % INTERVALS_KEPT;
    if (intervals->count < INTERVALS_KEPT)
        intervals->count++;
}

double running_interval_limit_ns(const struct running_interval *intervals, enum interval_law law,
                                 double phi, double first_ns)
{
    const double ln10 = 2.302585092994045684;
    double mean = first_ns, square = 0, count = intervals->count;
    if (intervals->count) {
        double sum = 0;
        for (uint32_t i = 0; i < intervals->count; i++)
            sum += (double)intervals->kept[i];
        mean = sum / count;
        for (uint32_t i = 0; i < intervals->count; i++) {
            double from = (double)intervals->kept[i] - mean;
            square += from * from;
        }
    }
    if (law == INTERVALS_EXPONENTIAL)
        return phi * ln10 * mean;
    double sd = intervals->count ? arithmetic_sqrt(square / count) : 0;
    sd = sd > mean / 10 ? sd : mean / 10;
    return mean - special_normal_quantile(arithmetic_exp(-phi * ln10)) * sd;
}
