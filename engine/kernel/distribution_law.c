/* The laws behind distribution.h: moments, distribution functions, quantiles. */
#include "engine/kernel/arithmetic.h"
#include "engine/kernel/distribution.h"
#include "engine/kernel/special.h"

#include <math.h>

struct moments {
    double mean, variance;
};

/* The integral of t^(-power - 1) over t in [1, e^log_ratio]: (1 - e^(-power log_ratio)) / power. */
static double power_integral(double power, double log_ratio)
{
    if (power == 0)
        return log_ratio;
    if (log_ratio == INFINITY)
        return power > 0 ? 1.0 / power : INFINITY;
    return -arithmetic_expm1(-power * log_ratio) / power;
}

static struct moments pareto_moments(const struct distribution *d)
{
    double alpha = d->pareto.alpha;
    double log_ratio =
        d->pareto.max < INFINITY ? arithmetic_log(d->pareto.max / d->pareto.min) : INFINITY;
    double first = alpha / d->pareto.kept * power_integral(alpha - 1, log_ratio);
    double second = alpha / d->pareto.kept * power_integral(alpha - 2, log_ratio);
    double variance = second < INFINITY ? second - first * first : INFINITY;
    return (struct moments){first * d->pareto.min, variance * d->pareto.min * d->pareto.min};
}

/* Of N(mean, sd) given that it is >= 0 (Johnson, Kotz, Balakrishnan I, 13.10.1). */
static struct moments normal_moments(const struct distribution *d)
{
    double m = d->normal.mean, s = d->normal.sd, a = -m / s;
    double hazard = special_normal_density(a) / special_normal_cdf(-a);
    return (struct moments){m + s * hazard, s * s * (1.0 + a * hazard - hazard * hazard)};
}

static struct moments weibull_moments(const struct distribution *d)
{
    double k = d->weibull.shape, scale = d->weibull.scale;
    double log_first = special_log_gamma(1.0 + 1.0 / k);
    double mean = scale * arithmetic_exp(log_first);
    double scv = arithmetic_expm1(special_log_gamma(1.0 + 2.0 / k) - 2.0 * log_first);
    return (struct moments){mean, scv * mean * mean};
}

static struct moments moments_of(const struct distribution *d);

static struct moments mix_moments(const struct distribution *d)
{
    struct moments sum = {0.0, 0.0};
    for (size_t i = 0; i < d->mix.count; i++) {
        double weight = d->mix.up_to[i] - (i ? d->mix.up_to[i - 1] : 0.0);
        if (weight > 0)
            sum.mean += weight * moments_of(&d->mix.part[i]).mean;
    }
    if (!(sum.mean < INFINITY))
        return (struct moments){INFINITY, INFINITY};
    for (size_t i = 0; i < d->mix.count; i++) {
        double weight = d->mix.up_to[i] - (i ? d->mix.up_to[i - 1] : 0.0);
        struct moments part = moments_of(&d->mix.part[i]);
        double away = part.mean - sum.mean;
        if (weight > 0)
            sum.variance += weight * (part.variance + away * away);
    }
    return sum;
}

static struct moments empirical_moments(const struct distribution *d)
{
    struct moments sum = {0.0, 0.0};
    double n = (double)d->empirical.count;
    for (size_t i = 0; i < d->empirical.count; i++)
        sum.mean += d->empirical.values[i] / n;
    for (size_t i = 0; i < d->empirical.count; i++) {
        double away = d->empirical.values[i] - sum.mean;
        sum.variance += away * away / n;
    }
    return sum;
}

static struct moments moments_of(const struct distribution *d)
{
    switch (d->kind) {
    case DISTRIBUTION_CONSTANT:
        return (struct moments){d->value, 0.0};
    case DISTRIBUTION_EXP:
        return (struct moments){d->mean, d->mean * d->mean};
    case DISTRIBUTION_UNIFORM: {
        double width = d->uniform.high - d->uniform.low;
        return (struct moments){d->uniform.low + 0.5 * width, width * width / 12.0};
    }
    case DISTRIBUTION_NORMAL:
        return normal_moments(d);
    case DISTRIBUTION_LOGNORMAL: {
        double s2 = d->lognormal.sigma * d->lognormal.sigma;
        double mean = d->lognormal.median * arithmetic_exp(0.5 * s2);
        return (struct moments){mean, arithmetic_expm1(s2) * mean * mean};
    }
    case DISTRIBUTION_GAMMA: {
        double mean = d->gamma.shape * d->gamma.scale;
        return (struct moments){mean, mean * d->gamma.scale};
    }
    case DISTRIBUTION_WEIBULL:
        return weibull_moments(d);
    case DISTRIBUTION_PARETO:
        return pareto_moments(d);
    case DISTRIBUTION_HYPEREXP: {
        double p = d->hyperexp.share, a = d->hyperexp.mean, b = d->hyperexp.other_mean;
        double mean = 2.0 * p * a; /* each phase carries half of the mean */
        return (struct moments){mean, mean * (a + b) - mean * mean};
    }
    case DISTRIBUTION_MIX:
        return mix_moments(d);
    case DISTRIBUTION_SHIFT:
    case DISTRIBUTION_BATCH: {
        struct moments part = moments_of(d->shift.part);
        return (struct moments){part.mean + d->shift.by, part.variance};
    }
    case DISTRIBUTION_EMPIRICAL:
        return empirical_moments(d);
    }
    CHECK(!"a kind of distribution");
    return (struct moments){0.0, 0.0};
}

double distribution_mean(const struct distribution *d)
{
    return moments_of(d).mean;
}

double distribution_scv(const struct distribution *d)
{
    struct moments m = moments_of(d);
    if (m.variance == 0 || m.variance == INFINITY)
        return m.variance;
    return m.variance / m.mean / m.mean;
}

static double mix_cdf(const struct distribution *d, double x)
{
    double sum = 0.0;
    for (size_t i = 0; i < d->mix.count; i++) {
        double weight = d->mix.up_to[i] - (i ? d->mix.up_to[i - 1] : 0.0);
        sum += weight * distribution_cdf(&d->mix.part[i], x);
    }
    return sum < 1.0 ? sum : 1.0;
}

static double pareto_cdf(const struct distribution *d, double x)
{
    if (x <= d->pareto.min)
        return 0.0;
    if (x >= d->pareto.max)
        return 1.0;
    return -arithmetic_expm1(-d->pareto.alpha * arithmetic_log(x / d->pareto.min)) / d->pareto.kept;
}

static double empirical_cdf(const struct distribution *d, double x)
{
    size_t low = 0, high = d->empirical.count; /* the first value above x lies in [low, high] */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (d->empirical.values[middle] <= x)
            low = middle + 1;
        else
            high = middle;
    }
    return (double)low / (double)d->empirical.count;
}

/* The normal law, cut at 0 and made whole again. */
static double normal_cdf(const struct distribution *d, double x)
{
    double upper = special_normal_cdf((d->normal.mean - x) / d->normal.sd);
    return 1.0 - upper / special_normal_cdf(d->normal.mean / d->normal.sd);
}

double distribution_cdf(const struct distribution *d, double x)
{
    if (d->kind == DISTRIBUTION_CONSTANT)
        return x >= d->value ? 1.0 : 0.0;
    if (d->kind == DISTRIBUTION_EMPIRICAL)
        return empirical_cdf(d, x);
    if (d->kind == DISTRIBUTION_MIX)
        return mix_cdf(d, x);
    if (d->kind == DISTRIBUTION_SHIFT || d->kind == DISTRIBUTION_BATCH)
        return distribution_cdf(d->shift.part, x - d->shift.by);
    if (!(x > 0))
        return 0.0;
    switch (d->kind) {
    case DISTRIBUTION_EXP:
        return -arithmetic_expm1(-x / d->mean);
    case DISTRIBUTION_UNIFORM: {
        double share = (x - d->uniform.low) / (d->uniform.high - d->uniform.low);
        return share < 0 ? 0.0 : share > 1 ? 1.0 : share;
    }
    case DISTRIBUTION_NORMAL:
        return normal_cdf(d, x);
    case DISTRIBUTION_LOGNORMAL:
        return special_normal_cdf(arithmetic_log(x / d->lognormal.median) / d->lognormal.sigma);
    case DISTRIBUTION_GAMMA:
        return special_gamma_p(d->gamma.shape, x / d->gamma.scale);
    case DISTRIBUTION_WEIBULL:
        return -arithmetic_expm1(-arithmetic_pow(x / d->weibull.scale, d->weibull.shape));
    case DISTRIBUTION_PARETO:
        return pareto_cdf(d, x);
    case DISTRIBUTION_HYPEREXP:
        return -d->hyperexp.share * arithmetic_expm1(-x / d->hyperexp.mean) -
               (1.0 - d->hyperexp.share) * arithmetic_expm1(-x / d->hyperexp.other_mean);
    default:
        CHECK(!"a kind of distribution");
        return 0.0;
    }
}

/* Bisection over the bits of the non-negative doubles, which order as their values do: 64 steps
 * reach the very double at which the cdf crosses p, for smooth laws and for laws with jumps. */
double distribution_quantile(const struct distribution *d, double p)
{
    uint64_t low = 0, high = arithmetic_bits(INFINITY);
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (distribution_cdf(d, arithmetic_from_bits(middle)) >= p)
            high = middle;
        else
            low = middle + 1;
    }
    return arithmetic_from_bits(low);
}
