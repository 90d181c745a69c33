#include "engine/kernel/distribution.h"
#include "tests/oracle.h"
#include "tests/suite.h"

enum { DRAWS = 1000000 };

static const char *why;

/* Whether a maker said no and why; forgets the sentence. */
static bool refused(bool made)
{
    bool told = why != NULL;
    why = NULL;
    return !made && told;
}
static double sample[DRAWS];

static double own_cdf(double x, const void *law)
{
    return distribution_cdf(law, x);
}

static void draw_all(const struct distribution *d, uint64_t salt)
{
    for (uint64_t i = 0; i < DRAWS; i++)
        sample[i] = distribution_sample(d, random_mix(random_mix(salt) ^ i));
}

/* The samples against the law that GSL knows, and their mean and variance against `d`'s own
 * moments with the error the sample's own fourth moment gives. */
static void follows(const struct distribution *d, double (*cdf)(double, const void *),
                    const void *law)
{
    draw_all(d, (uint64_t)d->kind);
    double mean = 0.0, second = 0.0, fourth = 0.0;
    for (size_t i = 0; i < DRAWS; i++)
        mean += sample[i] / DRAWS;
    for (size_t i = 0; i < DRAWS; i++) {
        double square = (sample[i] - mean) * (sample[i] - mean);
        second += square / DRAWS;
        fourth += square * square / DRAWS;
    }
    double m = distribution_mean(d), variance = distribution_scv(d) * m * m;
    CU_ASSERT(fabs(mean - m) < 5 * sqrt(second / DRAWS));
    CU_ASSERT(fabs(second - variance) < 6 * sqrt((fourth - second * second) / DRAWS));
    for (size_t i = 0; i < DRAWS; i += DRAWS / 64 + 1)
        CU_ASSERT_DOUBLE_EQUAL(distribution_cdf(d, sample[i]), cdf(sample[i], law), 1e-9);
    CU_ASSERT(oracle_ks(sample, DRAWS, cdf, law) < ORACLE_KS_LIMIT);
}

/* The least x with cdf(x) >= p: the cdf reaches p at the quantile and not before. */
static void quantiles_invert(const struct distribution *d)
{
    const double shares[] = {0.01, 0.5, 0.9, 0.99, 0.999};
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        double q = distribution_quantile(d, shares[i]);
        CU_ASSERT(distribution_cdf(d, q) >= shares[i]);
        CU_ASSERT(distribution_cdf(d, q * (1 - 1e-12)) < shares[i] + 1e-9);
    }
}

struct pair {
    double a, b;
};

static double gsl_exp(double x, const void *law)
{
    return gsl_cdf_exponential_P(x, *(const double *)law);
}

static double gsl_flat(double x, const void *law)
{
    const struct pair *p = law;
    return gsl_cdf_flat_P(x, p->a, p->b);
}

static double gsl_log(double x, const void *law)
{
    const struct pair *p = law;
    return gsl_cdf_lognormal_P(x, p->a, p->b);
}

static double gsl_gam(double x, const void *law)
{
    const struct pair *p = law;
    return gsl_cdf_gamma_P(x, p->a, p->b);
}

static double gsl_weib(double x, const void *law)
{
    const struct pair *p = law;
    return gsl_cdf_weibull_P(x, p->a, p->b);
}

static double gsl_par(double x, const void *law)
{
    const struct pair *p = law;
    return gsl_cdf_pareto_P(x, p->a, p->b);
}

static double gsl_cut_normal(double x, const void *law)
{
    const struct pair *p = law;
    double below = gsl_cdf_ugaussian_P(-p->a / p->b);
    return (gsl_cdf_ugaussian_P((x - p->a) / p->b) - below) / (1 - below);
}

static double gsl_cut_pareto(double x, const void *law) /* min 1, alpha 1.5, max 1000 */
{
    (void)law;
    return gsl_cdf_pareto_P(x, 1.5, 1.0) / gsl_cdf_pareto_P(1000.0, 1.5, 1.0);
}

static double gsl_two(double x, const void *law)
{
    const struct pair *p = law; /* mean 5, cv 2, balanced: shares and means by the formula */
    (void)p;
    double share = 0.5 * (1 + sqrt(3.0 / 5.0));
    return share * gsl_cdf_exponential_P(x, 2.5 / share) +
           (1 - share) * gsl_cdf_exponential_P(x, 2.5 / (1 - share));
}

static void exponential_and_uniform_are_what_gsl_says(void)
{
    struct distribution d;
    double mean = 5e6;
    CU_ASSERT_FATAL(distribution_make_exp(&d, mean, &why));
    follows(&d, gsl_exp, &mean);
    quantiles_invert(&d);
    CU_ASSERT_DOUBLE_EQUAL(distribution_quantile(&d, 0.99) / mean, 4.605170185988091, 1e-9);
    struct pair ends = {1e6, 9e6};
    CU_ASSERT_FATAL(distribution_make_uniform(&d, ends.a, ends.b, &why));
    follows(&d, gsl_flat, &ends);
    quantiles_invert(&d);
}

static void normal_is_drawn_again_below_zero(void)
{
    struct distribution d;
    struct pair near = {1, 1}, far = {5, 1};
    CU_ASSERT_FATAL(distribution_make_normal(&d, 1, 1, &why));
    follows(&d, gsl_cut_normal, &near);
    quantiles_invert(&d);
    CU_ASSERT_DOUBLE_EQUAL(distribution_mean(&d), 1.287600, 1e-6); /* not 1, not 1.083 */
    CU_ASSERT_FATAL(distribution_make_normal(&d, 5, 1, &why));
    follows(&d, gsl_cut_normal, &far);
}

static void lognormal_hits_its_percentiles(void)
{
    struct distribution d;
    CU_ASSERT_FATAL(distribution_make_lognormal_percentiles(&d, 4, 0.99, 20, &why));
    struct pair law = {log(4.0), log(5.0) / gsl_cdf_ugaussian_Pinv(0.99)};
    follows(&d, gsl_log, &law);
    quantiles_invert(&d);
    const double shares[] = {0.9, 0.95, 0.99, 0.999};
    for (size_t i = 0; i < 4; i++) {
        CU_ASSERT_FATAL(distribution_make_lognormal_percentiles(&d, 4, shares[i], 20, &why));
        CU_ASSERT_DOUBLE_EQUAL(distribution_quantile(&d, 0.5), 4, 1e-9);
        CU_ASSERT_DOUBLE_EQUAL(distribution_quantile(&d, shares[i]), 20, 1e-8);
        draw_all(&d, 77 + i);
        double below = 0, half = 0;
        for (size_t k = 0; k < DRAWS; k++) {
            below += sample[k] <= 20;
            half += sample[k] <= 4;
        }
        CU_ASSERT(fabs(below - shares[i] * DRAWS) < 5 * sqrt(shares[i] * (1 - shares[i]) * DRAWS));
        CU_ASSERT(fabs(half - 0.5 * DRAWS) < 5 * 0.5 * sqrt(DRAWS));
    }
}

static void lognormal_has_its_mean_and_deviation(void)
{
    struct distribution d;
    CU_ASSERT_FATAL(distribution_make_lognormal(&d, 5, 3, &why));
    CU_ASSERT_DOUBLE_EQUAL(distribution_mean(&d), 5, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(distribution_scv(&d), 9.0 / 25, 1e-12);
    double variance = log(1 + 9.0 / 25);
    struct pair law = {log(5.0) - variance / 2, sqrt(variance)};
    follows(&d, gsl_log, &law);
}

static void gamma_and_erlang_have_their_total_mean(void)
{
    struct distribution d;
    struct pair wide = {0.25, 20}, narrow = {4, 1.25};
    CU_ASSERT_FATAL(distribution_make_gamma(&d, 5, 2, &why)); /* shape below 1 */
    follows(&d, gsl_gam, &wide);
    quantiles_invert(&d);
    CU_ASSERT_FATAL(distribution_make_gamma(&d, 5, 0.5, &why));
    follows(&d, gsl_gam, &narrow);
    CU_ASSERT_FATAL(distribution_make_erlang(&d, 4, 5, &why));
    follows(&d, gsl_gam, &narrow);
    quantiles_invert(&d);
    CU_ASSERT_DOUBLE_EQUAL(distribution_mean(&d), 5, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(distribution_scv(&d), 0.25, 1e-12);
}

static void weibull_has_its_mean(void)
{
    struct distribution d;
    const double shapes[] = {0.7, 2, 5};
    for (size_t i = 0; i < 3; i++) {
        struct pair law = {5 / tgamma(1 + 1 / shapes[i]), shapes[i]};
        CU_ASSERT_FATAL(distribution_make_weibull(&d, shapes[i], 5, &why));
        CU_ASSERT_DOUBLE_EQUAL(distribution_mean(&d), 5, 1e-11);
        follows(&d, gsl_weib, &law);
        quantiles_invert(&d);
    }
}

static void pareto_is_truncated_not_capped(void)
{
    struct distribution d;
    struct pair law = {2.5, 1};
    CU_ASSERT_FATAL(distribution_make_pareto(&d, 1, 2.5, INFINITY, &why));
    CU_ASSERT_DOUBLE_EQUAL(distribution_mean(&d), 2.5 / 1.5, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(distribution_scv(&d), 1 / (2.5 * 0.5), 1e-12);
    draw_all(&d, 5);
    CU_ASSERT(oracle_ks(sample, DRAWS, gsl_par, &law) < ORACLE_KS_LIMIT);
    CU_ASSERT_FATAL(distribution_make_pareto(&d, 1, 1.5, 1000, &why));
    follows(&d, gsl_cut_pareto, NULL);
    quantiles_invert(&d);
    CU_ASSERT_FATAL(distribution_make_pareto(&d, 1, 2, INFINITY, &why));
    CU_ASSERT_DOUBLE_EQUAL(distribution_mean(&d), 2, 1e-12);
    CU_ASSERT_EQUAL(distribution_scv(&d), INFINITY);
    CU_ASSERT_FATAL(distribution_make_pareto(&d, 1, 1, INFINITY, &why));
    CU_ASSERT_EQUAL(distribution_mean(&d), INFINITY);
    CU_ASSERT_FATAL(distribution_make_pareto(&d, 1, 1, exp(2), &why)); /* mean a L / (1 - e^-L) */
    CU_ASSERT_DOUBLE_EQUAL(distribution_mean(&d), 2 / (1 - exp(-2)), 1e-9);
}

static void hyperexponential_has_balanced_means(void)
{
    struct distribution d;
    CU_ASSERT_FATAL(distribution_make_hyperexp(&d, 5, 2, &why));
    CU_ASSERT_DOUBLE_EQUAL(distribution_mean(&d), 5, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(distribution_scv(&d), 4, 1e-11);
    CU_ASSERT_DOUBLE_EQUAL(d.hyperexp.share * d.hyperexp.mean, 2.5, 1e-12);
    follows(&d, gsl_two, NULL);
    quantiles_invert(&d);
    CU_ASSERT_FATAL(distribution_make_hyperexp(&d, 5, 1e4, &why));
    CU_ASSERT_DOUBLE_EQUAL(distribution_scv(&d) / 1e8, 1, 1e-9);
}

static void mix_shift_and_empirical_are_made_of_parts(void)
{
    struct arena arena = {0};
    struct distribution parts[3], d, shifted;
    distribution_make_exp(&parts[0], 1, &why);
    distribution_make_exp(&parts[1], 20, &why);
    distribution_make_constant(&parts[2], 7, &why);
    const double weights[] = {0.6, 0.1, 0.3};
    CU_ASSERT_FATAL(distribution_make_mix(&d, &arena, weights, parts, 3, &why));
    CU_ASSERT_DOUBLE_EQUAL(distribution_mean(&d), 0.6 + 2 + 2.1, 1e-12);
    double second = 0.6 * 2 + 0.1 * 800 + 0.3 * 49, mean = 4.7;
    CU_ASSERT_DOUBLE_EQUAL(distribution_scv(&d), second / (mean * mean) - 1, 1e-12);
    quantiles_invert(&d);
    CU_ASSERT_EQUAL(distribution_quantile(&d, 0.8), 7); /* inside the jump */
    draw_all(&d, 11);
    double constants = 0, sum = 0;
    for (size_t i = 0; i < DRAWS; i++) {
        constants += sample[i] == 7;
        sum += sample[i];
    }
    CU_ASSERT(fabs(constants - 0.3 * DRAWS) < 5 * sqrt(0.21 * DRAWS));
    CU_ASSERT(fabs(sum / DRAWS - mean) < 5 * sqrt((second - mean * mean) / DRAWS));
    CU_ASSERT_FATAL(distribution_make_shift(&shifted, &arena, 2, &d, &why));
    CU_ASSERT_EQUAL(distribution_sample(&shifted, 99), 2 + distribution_sample(&d, 99));
    CU_ASSERT_DOUBLE_EQUAL(distribution_mean(&shifted), 6.7, 1e-12);
    CU_ASSERT_EQUAL(distribution_quantile(&shifted, 0.8), 9);
    const double recorded[] = {5, 1, 5, 9};
    CU_ASSERT_FATAL(distribution_make_empirical(&d, &arena, recorded, 4, &why));
    CU_ASSERT_DOUBLE_EQUAL(distribution_mean(&d), 5, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(distribution_scv(&d), 8.0 / 25, 1e-12);
    CU_ASSERT_EQUAL(distribution_quantile(&d, 0.75), 5);
    CU_ASSERT_EQUAL(distribution_quantile(&d, 0.76), 9);
    draw_all(&d, 12);
    double fives = 0, other = 0;
    for (size_t i = 0; i < DRAWS; i++) {
        fives += sample[i] == 5;
        other += sample[i] != 1 && sample[i] != 5 && sample[i] != 9; /* never in between */
    }
    CU_ASSERT(fabs(fives - 0.5 * DRAWS) < 5 * 0.5 * sqrt(DRAWS));
    CU_ASSERT_EQUAL(other, 0);
    arena_free(&arena);
}

static void nanoseconds_are_rounded_to_the_nearest(void)
{
    struct distribution d = {0};
    CU_ASSERT_EQUAL(distribution_ns(&d, 5), 0);
    const struct {
        double value;
        int64_t ns;
    } cases[] = {{0.4, 0}, {0.5, 1}, {1.49, 1}, {1.51, 2}, {1e30, DISTRIBUTION_NS_MAX}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CU_ASSERT_FATAL(distribution_make_constant(&d, cases[i].value, &why));
        CU_ASSERT_EQUAL(distribution_ns(&d, 5), cases[i].ns);
    }
    CU_ASSERT_FATAL(distribution_make_exp(&d, 100, &why)); /* truncation would make 99.5 of it */
    double sum = 0.0;
    for (uint64_t i = 0; i < 4 * DRAWS; i++)
        sum += (double)distribution_ns(&d, random_mix(i));
    CU_ASSERT_DOUBLE_EQUAL(sum / (4.0 * DRAWS), 100, 5 * 100 / sqrt(4.0 * DRAWS));
    CU_ASSERT_EQUAL(distribution_ns(&d, 123), (int64_t)floor(distribution_sample(&d, 123) + 0.5));
}

static void impossible_parameters_are_refused_with_a_sentence(void)
{
    why = NULL;
    struct arena arena = {0};
    struct distribution d = {.value = 42}, part = {0};
    const double weights[] = {0.5, 0.4}, negative[] = {-1.0};
    const struct distribution parts[2] = {{0}};
    CU_ASSERT(refused(distribution_make_constant(&d, -1, &why)));
    CU_ASSERT(refused(distribution_make_exp(&d, NAN, &why)));
    CU_ASSERT(refused(distribution_make_uniform(&d, 2, 1, &why)));
    CU_ASSERT(refused(distribution_make_normal(&d, 5, -1, &why)));
    CU_ASSERT(refused(distribution_make_lognormal_percentiles(&d, 5, 0.99, 5, &why)));
    CU_ASSERT(refused(distribution_make_lognormal_percentiles(&d, 5, 0.5, 6, &why)));
    CU_ASSERT(refused(distribution_make_lognormal(&d, 0, 1, &why)));
    CU_ASSERT(refused(distribution_make_gamma(&d, 5, -0.5, &why)));
    CU_ASSERT(refused(distribution_make_erlang(&d, 2.5, 5, &why)));
    CU_ASSERT(refused(distribution_make_erlang(&d, 0, 5, &why)));
    CU_ASSERT(refused(distribution_make_weibull(&d, 0, 5, &why)));
    CU_ASSERT(refused(distribution_make_pareto(&d, 1, 0, INFINITY, &why)));
    CU_ASSERT(refused(distribution_make_pareto(&d, 1, 2, 1, &why)));
    CU_ASSERT(refused(distribution_make_hyperexp(&d, 5, 0.9, &why)));
    CU_ASSERT(refused(distribution_make_mix(&d, &arena, weights, parts, 2, &why)));
    CU_ASSERT(refused(distribution_make_shift(&d, &arena, -1, &part, &why)));
    CU_ASSERT(refused(distribution_make_empirical(&d, &arena, negative, 1, &why)));
    CU_ASSERT(refused(distribution_make_empirical(&d, &arena, negative, 0, &why)));
    CU_ASSERT_EQUAL(d.value, 42);
    arena_free(&arena);
}

static void the_law_of_a_sample_is_the_law_that_is_printed(void)
{
    struct distribution d;
    CU_ASSERT_FATAL(distribution_make_erlang(&d, 1000, 5, &why));
    draw_all(&d, 21);
    CU_ASSERT(oracle_ks(sample, DRAWS / 10, own_cdf, &d) < ORACLE_KS_LIMIT);
}

SUITE("distribution", TEST(exponential_and_uniform_are_what_gsl_says),
      TEST(normal_is_drawn_again_below_zero), TEST(lognormal_hits_its_percentiles),
      TEST(lognormal_has_its_mean_and_deviation), TEST(gamma_and_erlang_have_their_total_mean),
      TEST(weibull_has_its_mean), TEST(pareto_is_truncated_not_capped),
      TEST(hyperexponential_has_balanced_means), TEST(mix_shift_and_empirical_are_made_of_parts),
      TEST(nanoseconds_are_rounded_to_the_nearest),
      TEST(impossible_parameters_are_refused_with_a_sentence),
      TEST(the_law_of_a_sample_is_the_law_that_is_printed))
