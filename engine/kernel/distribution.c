#include "engine/kernel/distribution.h"

#include "engine/kernel/arithmetic.h"

#include <math.h>

/* Marsaglia, Tsang: A simple method for generating gamma variables, ACM TOMS 26(3), 2000; shape >=
 * 1, scale 1. */
static double sample_gamma_above_one(double shape, uint64_t *state)
{
    double d = shape - 1.0 / 3.0;
    double c = 1.0 / arithmetic_sqrt(9.0 * d);
    for (;;) {
        double x = random_normal(random_split(state));
        double v = 1.0 + c * x;
        if (v <= 0)
            continue;
        v = v * v * v;
        double u = random_unit(random_split(state));
        if (u < 1.0 - 0.0331 * (x * x) * (x * x))
            return d * v;
        if (arithmetic_log(u) < 0.5 * x * x + d * (1.0 - v + arithmetic_log(v)))
            return d * v;
    }
}

static double sample_gamma(double shape, uint64_t draw)
{
    uint64_t state = draw;
    if (shape >= 1)
        return sample_gamma_above_one(shape, &state);
    double boost = random_exponential(random_split(&state)); /* U^(1/shape) = e^(-E/shape) */
    return sample_gamma_above_one(shape + 1.0, &state) * arithmetic_exp(-boost / shape);
}

/* P(N >= 0) is a half or more, since the mean is not negative: two turns on average at most. */
static double sample_normal(const struct distribution *d, uint64_t draw)
{
    uint64_t state = draw;
    for (;;) {
        double x = d->normal.mean + d->normal.sd * random_normal(draw);
        if (x >= 0)
            return x;
        draw = random_split(&state);
    }
}

/* Inversion: P(X > x) = ((min/x)^alpha - (1 - kept)) / kept. */
static double sample_pareto(const struct distribution *d, uint64_t draw)
{
    double beyond = 1.0 - d->pareto.kept * random_unit(draw);
    double x = d->pareto.min * arithmetic_exp(-arithmetic_log(beyond) / d->pareto.alpha);
    return x < d->pareto.max ? x : d->pareto.max;
}

static double sample_hyperexp(const struct distribution *d, uint64_t draw)
{
    uint64_t state = draw;
    double x = random_exponential(random_split(&state));
    return x * (random_unit(draw) < d->hyperexp.share ? d->hyperexp.mean : d->hyperexp.other_mean);
}

static double sample_mix(const struct distribution *d, uint64_t draw)
{
    uint64_t state = draw;
    uint64_t inner = random_split(&state);
    double u = random_unit(draw);
    size_t i = 0;
    while (i + 1 < d->mix.count && u >= d->mix.up_to[i])
        i++;
    return distribution_sample(&d->mix.part[i], inner);
}

double distribution_sample(const struct distribution *d, uint64_t draw)
{
    switch (d->kind) {
    case DISTRIBUTION_CONSTANT:
        return d->value;
    case DISTRIBUTION_EXP:
        return d->mean * random_exponential(draw);
    case DISTRIBUTION_UNIFORM:
        return d->uniform.low + (d->uniform.high - d->uniform.low) * random_unit(draw);
    case DISTRIBUTION_NORMAL:
        return sample_normal(d, draw);
    case DISTRIBUTION_LOGNORMAL:
        return d->lognormal.median * arithmetic_exp(d->lognormal.sigma * random_normal(draw));
    case DISTRIBUTION_GAMMA:
        return d->gamma.scale * sample_gamma(d->gamma.shape, draw);
    case DISTRIBUTION_WEIBULL:
        return d->weibull.scale * arithmetic_pow(random_exponential(draw), 1.0 / d->weibull.shape);
    case DISTRIBUTION_PARETO:
        return sample_pareto(d, draw);
    case DISTRIBUTION_HYPEREXP:
        return sample_hyperexp(d, draw);
    case DISTRIBUTION_MIX:
        return sample_mix(d, draw);
    case DISTRIBUTION_SHIFT:
    case DISTRIBUTION_BATCH:
        return d->shift.by + distribution_sample(d->shift.part, draw);
    case DISTRIBUTION_EMPIRICAL:
        return d->empirical.values[random_below(draw, d->empirical.count)];
    }
    CHECK(!"a kind of distribution");
    return 0.0;
}
