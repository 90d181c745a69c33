/* Our own quantiles against GSL's. */
#include "output/student.h"
#include "tests/suite.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

static void t_quantiles_agree_with_gsl(void)
{
    static const double confidences[] = {0.5, 0.9, 0.95, 0.99, 0.999, 0.9999};
    for (uint32_t freedom = 1; freedom <= 3000; freedom += freedom < 250 ? 1 : 391) {
        for (int i = 0; i < 6; i++) {
            double own = student_quantile(confidences[i], freedom);
            double gsl = gsl_cdf_tdist_Qinv((1 - confidences[i]) / 2, freedom);
            CU_ASSERT(fabs(own - gsl) <= 1e-9 * gsl);
        }
    }
}

static void t_quantiles_agree_with_published_tables(void)
{
    CU_ASSERT(fabs(student_quantile(0.95, 1) - 12.706204736) < 1e-8);
    CU_ASSERT(fabs(student_quantile(0.95, 9) - 2.262157163) < 1e-9);
    CU_ASSERT(fabs(student_quantile(0.95, 29) - 2.045229642) < 1e-9);
    CU_ASSERT(isnan(student_quantile(0.95, 0)));
}

static void the_mass_inside_agrees_with_gsl(void)
{
    for (uint32_t freedom = 1; freedom < 60; freedom++)
        for (double t = 0; t < 30; t += 0.37)
            CU_ASSERT(fabs(student_inside(t, freedom) - (1 - 2 * gsl_cdf_tdist_Q(t, freedom))) <
                      1e-12);
}

static void binomial_sums_agree_with_gsl(void)
{
    static const uint32_t sizes[] = {1, 2, 10, 30, 1000, 20000};
    for (int i = 0; i < 6; i++)
        for (double p = 0.001; p < 1; p += 0.083)
            for (uint32_t k = 0; k <= sizes[i]; k += 1 + sizes[i] / 13)
                CU_ASSERT(fabs(binomial_below(k, sizes[i], p) -
                               gsl_cdf_binomial_P(k, p, sizes[i])) < 1e-9);
}

static void clopper_bounds_agree_with_the_beta_law(void)
{
    static const uint32_t sizes[] = {1, 5, 10, 30, 300};
    for (int i = 0; i < 5; i++) {
        uint32_t n = sizes[i];
        for (uint32_t k = 0; k <= n; k += 1 + n / 10) {
            double low = k ? gsl_cdf_beta_Pinv(0.025, k, n - k + 1) : 0;
            double high = k < n ? gsl_cdf_beta_Pinv(0.975, k + 1, n - k) : 1;
            CU_ASSERT(fabs(clopper_low(k, n, 0.025) - low) < 1e-9);
            CU_ASSERT(fabs(clopper_high(k, n, 0.025) - high) < 1e-9);
        }
    }
    CU_ASSERT(fabs(clopper_high(0, 30, 0.05) - (1 - pow(0.05, 1.0 / 30))) < 1e-12);
}

SUITE("student", TEST(t_quantiles_agree_with_gsl), TEST(t_quantiles_agree_with_published_tables),
      TEST(the_mass_inside_agrees_with_gsl), TEST(binomial_sums_agree_with_gsl),
      TEST(clopper_bounds_agree_with_the_beta_law))
