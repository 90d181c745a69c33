#include "engine/kernel/arithmetic.h"
#include "engine/kernel/special.h"
#include "tests/oracle.h"
#include "tests/suite.h"

#include <gsl/gsl_sf_gamma.h>

enum { POINTS = 400000 };

/* The distance of `ours` from the long double truth in units in the last place of the double. */
static double ulps(double ours, long double truth)
{
    double rounded = (double)truth;
    if (isinf(rounded) || rounded == 0)
        return ours == rounded ? 0.0 : 1e9;
    double unit = nextafter(fabs(rounded), INFINITY) - fabs(rounded);
    return (double)(fabsl((long double)ours - truth) / unit);
}

static double between(struct stream *s, double low, double high)
{
    return low + (high - low) * random_unit(stream_next(s));
}

static void log_is_within_one_ulp_over_all_exponents(void)
{
    struct stream s;
    stream_open(&s, 1, 0, "arithmetic", "log");
    double worst = 0.0, worst_plus = 0.0;
    for (int i = 0; i < POINTS; i++) {
        double x = ldexp(between(&s, 1, 2), (int)stream_below(&s, 2090) - 1070);
        double near = between(&s, 0.5, 2);
        worst = fmax(worst, ulps(arithmetic_log(x), logl(x)));
        worst = fmax(worst, ulps(arithmetic_log(near), logl(near)));
        double small = i % 2 ? between(&s, -0.999, 3) : ldexp(between(&s, -1, 1), -(i % 64));
        worst_plus = fmax(worst_plus, ulps(arithmetic_log1p(small), log1pl(small)));
    }
    CU_ASSERT(worst < 1.0);
    CU_ASSERT(worst_plus < 2.0);
}

static void exp_is_within_one_ulp_from_underflow_to_overflow(void)
{
    struct stream s;
    stream_open(&s, 1, 0, "arithmetic", "exp");
    double worst = 0.0, worst_minus = 0.0;
    for (int i = 0; i < POINTS; i++) {
        double x = i % 2 ? between(&s, -745, 709.7) : between(&s, -2, 2);
        worst = fmax(worst, ulps(arithmetic_exp(x), expl(x)));
        double y = i % 3 ? x : ldexp(between(&s, -1, 1), -(i % 60));
        worst_minus = fmax(worst_minus, ulps(arithmetic_expm1(y), expm1l(y)));
    }
    CU_ASSERT(worst < 1.0);
    CU_ASSERT(worst_minus < 2.0);
}

static void pow_is_within_two_ulps_up_to_the_limits_of_doubles(void)
{
    struct stream s;
    stream_open(&s, 1, 0, "arithmetic", "pow");
    double worst = 0.0;
    for (int i = 0; i < POINTS; i++) {
        double x = ldexp(between(&s, 1, 2), (int)stream_below(&s, 2000) - 1000);
        double y = between(&s, -708, 708) / log(x);
        double near = between(&s, 0.25, 4), power = between(&s, -40, 40);
        worst = fmax(worst, ulps(arithmetic_pow(x, y), powl(x, y)));
        worst = fmax(worst, ulps(arithmetic_pow(near, power), powl(near, power)));
    }
    CU_ASSERT(worst < 2.0);
}

static void special_values_follow_the_standard(void)
{
    CU_ASSERT(arithmetic_log(0) == -INFINITY && isnan(arithmetic_log(-1)));
    CU_ASSERT(arithmetic_log(INFINITY) == INFINITY && isnan(arithmetic_log(NAN)));
    CU_ASSERT(arithmetic_log(1) == 0 && arithmetic_log1p(-1) == -INFINITY);
    CU_ASSERT(arithmetic_exp(0) == 1 && arithmetic_exp(1000) == INFINITY);
    CU_ASSERT(arithmetic_exp(-INFINITY) == 0 && isnan(arithmetic_exp(NAN)));
    CU_ASSERT(arithmetic_expm1(-INFINITY) == -1 && arithmetic_expm1(0) == 0);
    CU_ASSERT(arithmetic_pow(0, 2) == 0 && arithmetic_pow(0, -2) == INFINITY);
    CU_ASSERT(arithmetic_pow(0.5, INFINITY) == 0 && arithmetic_pow(7, 0) == 1);
    CU_ASSERT(isnan(arithmetic_pow(-1, 2)) && arithmetic_pow(2, 10) == 1024);
    CU_ASSERT(arithmetic_sqrt(2) == sqrt(2) && isnan(arithmetic_sqrt(-1)));
}

static void special_functions_agree_with_gsl(void)
{
    for (int i = 0; i < 43; i++) {
        double a = 0.05 * pow(1.37, i);
        double want = gsl_sf_lngamma(a);
        CU_ASSERT_DOUBLE_EQUAL(special_log_gamma(a), want, 1e-12 * fmax(1, fabs(want)));
        for (int k = 0; k < 22; k++) {
            double x = a + (0.61 * k - 5) * sqrt(a);
            if (x <= 0)
                continue;
            double p = gsl_sf_gamma_inc_P(a, x), q = gsl_sf_gamma_inc_Q(a, x);
            CU_ASSERT(fabs(special_gamma_p(a, x) - p) < 1e-9 * p + 1e-15);
            CU_ASSERT(fabs(special_gamma_q(a, x) - q) < 1e-9 * q + 1e-15);
        }
    }
    /* GSL itself is off by 2e-8 in places beyond: there the series in long double is the oracle. */
    double a = 250194.5, x = a - 0.73 * sqrt(a);
    long double term = 1, sum = 1;
    for (long double n = (long double)a + 1; term > 1e-22L * sum; n += 1) {
        term *= (long double)x / n;
        sum += term;
    }
    int sign;
    long double want = sum * expl(a * logl(x) - x - lgammal_r(a + 1.0L, &sign));
    CU_ASSERT_DOUBLE_EQUAL(special_gamma_p(a, x), (double)want, 1e-11);
    for (int i = -70; i <= 70; i++) {
        double z = 0.173 * i;
        CU_ASSERT(fabs(special_normal_cdf(z) / gsl_cdf_ugaussian_P(z) - 1) < 1e-11);
    }
    const double shares[] = {1e-12, 0.001, 0.1, 0.5, 0.9, 0.95, 0.99, 0.999};
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++)
        CU_ASSERT_DOUBLE_EQUAL(special_normal_quantile(shares[i]),
                               gsl_cdf_ugaussian_Pinv(shares[i]), 1e-11);
}

SUITE("arithmetic", TEST(log_is_within_one_ulp_over_all_exponents),
      TEST(exp_is_within_one_ulp_from_underflow_to_overflow),
      TEST(pow_is_within_two_ulps_up_to_the_limits_of_doubles),
      TEST(special_values_follow_the_standard), TEST(special_functions_agree_with_gsl))
