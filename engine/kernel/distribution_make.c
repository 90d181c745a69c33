/* The makers of distribution.h: from parameters as users mean them to those of the samplers. */
#include "engine/kernel/arithmetic.h"
#include "engine/kernel/distribution.h"
#include "engine/kernel/special.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool refuse(const char **why, const char *sentence)
{
    *why = sentence;
    return false;
}

static bool is_finite(double x)
{
    return x > -INFINITY && x < INFINITY;
}

bool distribution_make_constant(struct distribution *d, double value, const char **why)
{
    if (!is_finite(value) || value < 0)
        return refuse(why, "the value must not be negative");
    *d = (struct distribution){.kind = DISTRIBUTION_CONSTANT, .value = value};
    return true;
}

bool distribution_make_exp(struct distribution *d, double mean, const char **why)
{
    if (!is_finite(mean) || mean < 0)
        return refuse(why, "the mean must not be negative");
    if (mean == 0)
        return distribution_make_constant(d, 0.0, why);
    *d = (struct distribution){.kind = DISTRIBUTION_EXP, .mean = mean};
    return true;
}

bool distribution_make_uniform(struct distribution *d, double low, double high, const char **why)
{
    if (!is_finite(low) || !is_finite(high) || low < 0)
        return refuse(why, "the lower end must not be negative");
    if (high < low)
        return refuse(why, "the upper end must not lie below the lower end");
    if (high == low)
        return distribution_make_constant(d, low, why);
    *d = (struct distribution){.kind = DISTRIBUTION_UNIFORM, .uniform = {.low = low, .high = high}};
    return true;
}

bool distribution_make_normal(struct distribution *d, double mean, double sd, const char **why)
{
    if (!is_finite(mean) || mean < 0)
        return refuse(why, "the mean must not be negative");
    if (!is_finite(sd) || sd < 0)
        return refuse(why, "the standard deviation must not be negative");
    if (sd == 0)
        return distribution_make_constant(d, mean, why);
    *d = (struct distribution){.kind = DISTRIBUTION_NORMAL, .normal = {.mean = mean, .sd = sd}};
    return true;
}

static void set_lognormal(struct distribution *d, double median, double sigma)
{
    *d = (struct distribution){.kind = DISTRIBUTION_LOGNORMAL,
                               .lognormal = {.median = median, .sigma = sigma}};
}

bool distribution_make_lognormal_percentiles(struct distribution *d, double p50, double p,
                                             double value, const char **why)
{
    if (!is_finite(p50) || !(p50 > 0))
        return refuse(why, "the median p50 must be above 0");
    if (!(p > 0.5) || !(p < 1))
        return refuse(why, "the second percentile must lie between p50 and p100");
    if (!is_finite(value) || !(value > p50))
        return refuse(why, "the upper percentile must be above the median p50");
    set_lognormal(d, p50, arithmetic_log(value / p50) / special_normal_quantile(p));
    return true;
}

bool distribution_make_lognormal(struct distribution *d, double mean, double sd, const char **why)
{
    if (!is_finite(mean) || !(mean > 0))
        return refuse(why, "the mean must be above 0");
    if (!is_finite(sd) || sd < 0)
        return refuse(why, "the standard deviation must not be negative");
    if (sd == 0)
        return distribution_make_constant(d, mean, why);
    double cv = sd / mean;
    double variance = arithmetic_log1p(cv * cv);
    set_lognormal(d, mean * arithmetic_exp(-0.5 * variance), arithmetic_sqrt(variance));
    return true;
}

bool distribution_make_gamma(struct distribution *d, double mean, double cv, const char **why)
{
    if (!is_finite(mean) || mean < 0)
        return refuse(why, "the mean must not be negative");
    if (!(cv == 0) && !(cv >= 0.001 && cv <= 1000))
        return refuse(why, "the cv must be 0 or lie between 0.001 and 1000");
    if (cv == 0 || mean == 0)
        return distribution_make_constant(d, mean, why);
    double shape = 1.0 / (cv * cv);
    *d = (struct distribution){.kind = DISTRIBUTION_GAMMA,
                               .gamma = {.shape = shape, .scale = mean * cv * cv}};
    return true;
}

bool distribution_make_erlang(struct distribution *d, double stages, double mean, const char **why)
{
    if (!(stages >= 1) || !(stages <= 1e6) || stages != (double)(int64_t)stages)
        return refuse(why, "the stages must be a whole number from 1 to 1000000");
    if (!is_finite(mean) || mean < 0)
        return refuse(why, "the mean must not be negative");
    if (stages == 1 || mean == 0)
        return distribution_make_exp(d, mean, why);
    *d = (struct distribution){.kind = DISTRIBUTION_GAMMA,
                               .gamma = {.shape = stages, .scale = mean / stages}};
    return true;
}

bool distribution_make_weibull(struct distribution *d, double shape, double mean, const char **why)
{
    if (!(shape >= 0.05 && shape <= 1000))
        return refuse(why, "the shape must lie between 0.05 and 1000");
    if (!is_finite(mean) || mean < 0)
        return refuse(why, "the mean must not be negative");
    if (shape == 1 || mean == 0)
        return distribution_make_exp(d, mean, why);
    double scale = mean * arithmetic_exp(-special_log_gamma(1.0 + 1.0 / shape));
    *d = (struct distribution){.kind = DISTRIBUTION_WEIBULL,
                               .weibull = {.shape = shape, .scale = scale}};
    return true;
}

bool distribution_make_pareto(struct distribution *d, double min, double alpha, double max,
                              const char **why)
{
    if (!is_finite(min) || !(min > 0))
        return refuse(why, "the minimum must be above 0");
    if (!is_finite(alpha) || !(alpha > 0))
        return refuse(why, "the exponent alpha must be above 0");
    if (!(max > min))
        return refuse(why, "max must be above the minimum");
    double kept = max < INFINITY ? -arithmetic_expm1(-alpha * arithmetic_log(max / min)) : 1.0;
    *d = (struct distribution){.kind = DISTRIBUTION_PARETO,
                               .pareto = {.min = min, .max = max, .alpha = alpha, .kept = kept}};
    return true;
}

/* Balanced means: share p of mean m/(2p), the rest of mean m/(2(1-p)), with p = (1 + sqrt((c-1) /
 * (c+1))) / 2 and c = cv^2; 1 - p is computed apart, since it may be tiny. */
bool distribution_make_hyperexp(struct distribution *d, double mean, double cv, const char **why)
{
    if (!is_finite(mean) || mean < 0)
        return refuse(why, "the mean must not be negative");
    if (!(cv >= 1 && cv <= 1e6))
        return refuse(why, "the cv of a hyperexponential must be at least 1 (gamma goes below)");
    if (cv == 1 || mean == 0)
        return distribution_make_exp(d, mean, why);
    double c = cv * cv;
    double root = arithmetic_sqrt((c - 1.0) / (c + 1.0));
    double share = 0.5 * (1.0 + root);
    double other_share = 1.0 / ((c + 1.0) * (1.0 + root));
    *d = (struct distribution){.kind = DISTRIBUTION_HYPEREXP,
                               .hyperexp = {.share = share,
                                            .mean = 0.5 * mean / share,
                                            .other_mean = 0.5 * mean / other_share}};
    return true;
}

bool distribution_make_mix(struct distribution *d, struct arena *arena, const double *weights,
                           const struct distribution *parts, size_t count, const char **why)
{
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) {
        if (!is_finite(weights[i]) || weights[i] < 0)
            return refuse(why, "a weight must not be negative");
        sum += weights[i];
    }
    if (!(sum > 1 - 1e-6 && sum < 1 + 1e-6))
        return refuse(why, "the weights of a mix must add up to 100%");
    double *up_to = arena_array(arena, count, double);
    struct distribution *part = arena_array(arena, count, struct distribution);
    double so_far = 0.0;
    for (size_t i = 0; i < count; i++) {
        so_far += weights[i] / sum;
        up_to[i] = i + 1 < count ? so_far : 1.0;
        part[i] = parts[i];
    }
    *d = (struct distribution){.kind = DISTRIBUTION_MIX,
                               .mix = {.up_to = up_to, .part = part, .count = count}};
    return true;
}

bool distribution_make_shift(struct distribution *d, struct arena *arena, double by,
                             const struct distribution *part, const char **why)
{
    if (!is_finite(by) || by < 0)
        return refuse(why, "a shift must not be negative");
    struct distribution *copy = arena_new(arena, struct distribution);
    *copy = *part;
    *d = (struct distribution){.kind = DISTRIBUTION_SHIFT, .shift = {.by = by, .part = copy}};
    return true;
}

bool distribution_make_batch(struct distribution *d, struct arena *arena, double each,
                             const struct distribution *part, const char **why)
{
    if (!distribution_make_shift(d, arena, each, part, why))
        return false;
    d->kind = DISTRIBUTION_BATCH;
    return true;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

bool distribution_make_empirical(struct distribution *d, struct arena *arena, const double *values,
                                 size_t count, const char **why)
{
    if (!count)
        return refuse(why, "there must be at least one recorded value");
    for (size_t i = 0; i < count; i++)
        if (!is_finite(values[i]) || values[i] < 0)
            return refuse(why, "a recorded value must not be negative");
    double *copy = arena_array(arena, count, double);
    memcpy(copy, values, count * sizeof *copy);
    qsort(copy, count, sizeof *copy, ascending);
    *d = (struct distribution){.kind = DISTRIBUTION_EMPIRICAL,
                               .empirical = {.values = copy, .count = count}};
    return true;
}
