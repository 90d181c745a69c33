/* Distributions of the scenario language, in any base unit (ns for times, bytes for sizes, plain
 * for counts): a value is a non-negative double in that unit. A `struct distribution` is plain data
 * that nobody changes once made, so threads share it; what does not fit lives in the arena it was
 * made with. The zeroed struct is the constant 0.
 *
 *     struct distribution d;
 *     const char *why;
 *     if (!distribution_make_exp(&d, 5e6, &why))
 *         say(why);                              "the mean must not be negative"
 *     int64_t work_ns = distribution_ns(&d, draw);
 *
 * Every maker returns false and sets *why to a sentence for the user (static, without capital and
 * full stop) when the parameters are impossible, and leaves *d alone then. */
#ifndef ORRERY_KERNEL_DISTRIBUTION_H
#define ORRERY_KERNEL_DISTRIBUTION_H

#include "engine/kernel/arena.h"
#include "engine/kernel/random.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum distribution_kind {
    DISTRIBUTION_CONSTANT,
    DISTRIBUTION_EXP,
    DISTRIBUTION_UNIFORM,
    DISTRIBUTION_NORMAL,
    DISTRIBUTION_LOGNORMAL,
    DISTRIBUTION_GAMMA,
    DISTRIBUTION_WEIBULL,
    DISTRIBUTION_PARETO,
    DISTRIBUTION_HYPEREXP,
    DISTRIBUTION_MIX,
    DISTRIBUTION_SHIFT,
    DISTRIBUTION_EMPIRICAL,
    DISTRIBUTION_BATCH, /* a shift, by so much for each message of the request */
};

struct distribution {
    enum distribution_kind kind;
    union {
        double value; /* constant, in the base unit */
        double mean;  /* exp */
        struct {
            double low, high;
        } uniform; /* [low, high) */
        struct {
            double mean, sd;
        } normal; /* before the redrawing below 0 */
        struct {
            double median, sigma;
        } lognormal; /* median * e^(sigma N) */
        struct {
            double shape, scale;
        } gamma;
        struct {
            double shape, scale;
        } weibull;
        struct {
            double min, max, alpha, kept;
        } pareto; /* max INFINITY: not truncated; kept is
                     the share of the law below max */
        struct {
            double share, mean, other_mean;
        } hyperexp; /* share of the short phase */
        struct {
            const double *up_to;
            const struct distribution *part;
            size_t count;
        } mix;
        struct {
            double by;
            const struct distribution *part;
        } shift;
        struct {
            const double *values;
            size_t count;
        } empirical; /* ascending */
    };
};

/* The most nanoseconds a sample can be, 73 years: two of them add up without overflow. */
#define DISTRIBUTION_NS_MAX (INT64_C(1) << 61)

/* The constant `value` >= 0. */
bool distribution_make_constant(struct distribution *d, double value, const char **why);

/* Exponential; mean 0 is the constant 0. */
bool distribution_make_exp(struct distribution *d, double mean, const char **why);

/* Uniform between low and high, 0 <= low <= high. */
bool distribution_make_uniform(struct distribution *d, double low, double high, const char **why);

/* Normal, drawn again below 0; mean >= 0 and sd >= 0 are those before that. distribution_mean says
 * what mean results. */
bool distribution_make_normal(struct distribution *d, double mean, double sd, const char **why);

/* Lognormal with the median `p50` > 0 and the quantile `value` > p50 at the probability `p`, .5 < p
 * < 1 (p99.9: 0.999). */
bool distribution_make_lognormal_percentiles(struct distribution *d, double p50, double p,
                                             double value, const char **why);

/* Lognormal with this mean > 0 and standard deviation >= 0. */
bool distribution_make_lognormal(struct distribution *d, double mean, double sd, const char **why);

/* Gamma with this mean and coefficient of variation, cv 0 (constant) or 0.001..1000. */
bool distribution_make_gamma(struct distribution *d, double mean, double cv, const char **why);

/* Sum of `stages` (1..1e6, whole) exponentials, with `mean` in all. */
bool distribution_make_erlang(struct distribution *d, double stages, double mean, const char **why);

/* Weibull with this shape (0.05..1000) and mean; the scale follows. */
bool distribution_make_weibull(struct distribution *d, double shape, double mean, const char **why);

/* Pareto: P(X > x) = (min / x)^alpha from min > 0 on. With a finite `max` > min truncated: as if
 * drawn again above max; INFINITY for none. */
bool distribution_make_pareto(struct distribution *d, double min, double alpha, double max,
                              const char **why);

/* Two exponentials of balanced means (each phase carries half of the mean), cv >= 1. */
bool distribution_make_hyperexp(struct distribution *d, double mean, double cv, const char **why);

/* One of `parts` with the probability of its weight (shares of 1 that add up to 1 within 1e-6).
 * Copies both arrays into the arena; what the parts point to must live as long. */
bool distribution_make_mix(struct distribution *d, struct arena *arena, const double *weights,
                           const struct distribution *parts, size_t count, const char **why);

/* `by` >= 0 more than a sample of `part`, which is copied into the arena. */
bool distribution_make_shift(struct distribution *d, struct arena *arena, double by,
                             const struct distribution *part, const char **why);

/* A sample of `part`, and `each` >= 0 more for every message of the request: a shift for those
 * that stand for one. */
bool distribution_make_batch(struct distribution *d, struct arena *arena, double each,
                             const struct distribution *part, const char **why);

/* One of `count` >= 1 recorded values, each as likely; copies and sorts them in the arena. */
bool distribution_make_empirical(struct distribution *d, struct arena *arena, const double *values,
                                 size_t count, const char **why);

/* A sample of any kind, in the base unit, >= 0. */
double distribution_sample(const struct distribution *d, uint64_t draw);

/* A sample rounded to the nearest whole unit, halves up, at most DISTRIBUTION_NS_MAX. For bytes and
 * counts as well as for nanoseconds. */
static inline int64_t distribution_ns(const struct distribution *d, uint64_t draw)
{
    double x;
    if (LIKELY(d->kind == DISTRIBUTION_EXP))
        x = d->mean * random_exponential(draw);
    else if (d->kind == DISTRIBUTION_CONSTANT)
        x = d->value;
    else
        x = distribution_sample(d, draw);
    return x < (double)DISTRIBUTION_NS_MAX ? (int64_t)(x + 0.5) : DISTRIBUTION_NS_MAX;
}

/* What `orrery validate` prints. Exact to 1e-6 relative or better; INFINITY where the law has no
 * such moment. The scv is variance / mean^2, 0 for the constant 0. */
double distribution_mean(const struct distribution *d);
double distribution_scv(const struct distribution *d);

/* P(X <= x). */
double distribution_cdf(const struct distribution *d, double x);

/* The least x with P(X <= x) >= p, for 0 <= p <= 1. */
double distribution_quantile(const struct distribution *d, double p);

#endif
