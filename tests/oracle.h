/* Judges of samplers for the unit tests. GSL is the oracle: its distribution functions say what the
 * law is, and its own samplers, run on our generator, say that the generator serves them. Every
 * test has fixed seeds; the limits leave each a false alarm of about 1e-6 had they not. */
#ifndef ORRERY_TESTS_ORACLE_H
#define ORRERY_TESTS_ORACLE_H

#include "engine/kernel/random.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdlib.h>

static inline int oracle_ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* sqrt(n) times the Kolmogorov-Smirnov distance; sorts the sample. P(> 2.7) = 2 e^(-2 2.7^2) =
 * 9e-7. */
static inline double oracle_ks(double *sample, size_t n, double (*cdf)(double, const void *),
                               const void *law)
{
    qsort(sample, n, sizeof *sample, oracle_ascending);
    double most = 0.0;
    for (size_t i = 0; i < n; i++) {
        double f = cdf(sample[i], law);
        most = fmax(most, fmax(f - (double)i / (double)n, (double)(i + 1) / (double)n - f));
    }
    return most * sqrt((double)n);
}
#define ORACLE_KS_LIMIT 2.7

/* The upper tail probability of a chi-square statistic with `cells` - 1 degrees of freedom. */
static inline double oracle_chi_square(const double *seen, const double *wanted, size_t cells)
{
    double sum = 0.0;
    for (size_t i = 0; i < cells; i++)
        sum += (seen[i] - wanted[i]) * (seen[i] - wanted[i]) / wanted[i];
    return gsl_cdf_chisq_Q(sum, (double)(cells - 1));
}

/* Pearson's correlation of two samples; of independent ones about N(0, 1/n). */
static inline double oracle_correlation(const double *a, const double *b, size_t n)
{
    double ma = 0, mb = 0, aa = 0, bb = 0, ab = 0;
    for (size_t i = 0; i < n; i++) {
        ma += a[i] / (double)n;
        mb += b[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        aa += (a[i] - ma) * (a[i] - ma);
        bb += (b[i] - mb) * (b[i] - mb);
        ab += (a[i] - ma) * (b[i] - mb);
    }
    return ab / sqrt(aa * bb);
}

/* Our generator as one of GSL's. */
static inline void oracle_set(void *state, unsigned long seed)
{
    stream_open(state, seed, 0, "gsl", "oracle");
}

static inline unsigned long oracle_get(void *state)
{
    return stream_next(state);
}

static inline double oracle_get_double(void *state)
{
    return (double)(stream_next(state) >> 11) * 0x1p-53;
}

static const gsl_rng_type oracle_generator = {.name = "xoshiro256++",
                                              .max = ~0UL,
                                              .min = 0,
                                              .size = sizeof(struct stream),
                                              .set = oracle_set,
                                              .get = oracle_get,
                                              .get_double = oracle_get_double};

#endif
