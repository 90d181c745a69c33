#include "engine/kernel/random.h"
#include "tests/oracle.h"
#include "tests/suite.h"

#include <gsl/gsl_randist.h>

enum { DRAWS = 1000000, STREAMS = 100000 };

static double unit_cdf(double x, const void *law)
{
    (void)law;
    return x;
}

static double exponential_cdf(double x, const void *law)
{
    (void)law;
    return gsl_cdf_exponential_P(x, 1.0);
}

static double normal_cdf(double x, const void *law)
{
    (void)law;
    return gsl_cdf_ugaussian_P(x);
}

/* A published vector: xoshiro256++ from the state {1, 2, 3, 4} (reference implementation of
 * Blackman and Vigna; the same numbers test Rust's rand_xoshiro). */
static void stream_is_xoshiro256_plus_plus(void)
{
    struct stream s = {{1, 2, 3, 4}};
    const uint64_t want[] = {41943041,
                             58720359,
                             3588806011781223,
                             3591011842654386,
                             UINT64_C(9228616714210784205),
                             UINT64_C(9973669472204895162)};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        CU_ASSERT_EQUAL(stream_next(&s), want[i]);
    uint64_t state = 1234567; /* SplitMix64's vector, as in Java and Rosetta Code */
    CU_ASSERT_EQUAL(random_split(&state), UINT64_C(6457827717110365317));
    CU_ASSERT_EQUAL(random_split(&state), UINT64_C(3203168211198807973));
}

static void fields_of_a_hash_never_run_into_each_other(void)
{
    uint64_t begin = random_hash_begin();
    CU_ASSERT_NOT_EQUAL(random_hash_number(random_hash_number(begin, 7), 1),
                        random_hash_number(random_hash_number(begin, 8), 0));
    CU_ASSERT_NOT_EQUAL(random_hash_text(random_hash_text(begin, "a", 1), "bc", 2),
                        random_hash_text(random_hash_text(begin, "ab", 2), "c", 1));
    CU_ASSERT_NOT_EQUAL(random_hash_text(begin, "", 0), begin);
    CU_ASSERT_NOT_EQUAL(random_hash_text(begin, "a\0", 2), random_hash_text(begin, "a", 1));
    CU_ASSERT_NOT_EQUAL(random_hash("abcdefgh", 8), random_hash("abcdefghi", 9));
    CU_ASSERT_NOT_EQUAL(random_hash_number(begin, 1), random_hash_text(begin, "\1", 1));
}

static void no_two_streams_begin_alike(void)
{
    double *first = malloc(STREAMS * sizeof *first), *next = malloc(STREAMS * sizeof *next);
    uint64_t *seen = malloc(STREAMS * sizeof *seen);
    CU_ASSERT_FATAL(first && next && seen);
    for (size_t i = 0; i < STREAMS; i++) {
        char name[32];
        snprintf(name, sizeof name, "web.%zu", i / 100);
        struct stream s;
        stream_open(&s, i % 2, i % 100 / 4, name, i % 4 < 2 ? "arrivals" : "policy");
        seen[i] = stream_next(&s);
        first[i] = random_unit(seen[i]);
        next[i] = random_unit(stream_next(&s));
        for (int k = 0; k < 4; k++)
            CU_ASSERT_FATAL(s.s[k] != 0);
    }
    CU_ASSERT(fabs(oracle_correlation(first, next, STREAMS)) < 5 / sqrt(STREAMS));
    CU_ASSERT(fabs(oracle_correlation(first, first + 1, STREAMS - 1)) < 5 / sqrt(STREAMS));
    CU_ASSERT(oracle_ks(first, STREAMS, unit_cdf, NULL) < ORACLE_KS_LIMIT);
    for (size_t i = 1; i < STREAMS; i++) /* sorted: equal outputs would be neighbours */
        CU_ASSERT_FATAL(first[i - 1] != first[i]);
    free(first);
    free(next);
    free(seen);
}

static uint64_t op(uint64_t sequence)
{
    return random_mix(random_hash("users.1", 7) ^ sequence);
}

static uint64_t key(const char *tier, uint64_t purpose)
{
    uint64_t h = random_hash_text(random_hash_begin(), tier, strlen(tier));
    return random_hash_end(random_hash_number(h, purpose));
}

static void draws_of_requests_are_uniform_and_independent(void)
{
    static double one[DRAWS], two[DRAWS];
    const uint64_t keys[] = {key("web", 1), key("web", 2), key("db", 1)};
    for (uint64_t k = 1; k < 4; k++) { /* against: another purpose, another tier, another sub */
        for (uint64_t i = 0; i < DRAWS; i++) {
            one[i] = random_unit(random_of(op(i), keys[0], 0));
            two[i] = random_unit(k < 3 ? random_of(op(i), keys[k], 0)
                                       : random_of(op(i), keys[0], random_mix(1)));
        }
        CU_ASSERT(fabs(oracle_correlation(one, two, DRAWS)) < 5 / sqrt(DRAWS));
        CU_ASSERT(fabs(oracle_correlation(one, one + 1, DRAWS - 1)) < 5 / sqrt(DRAWS));
        CU_ASSERT(fabs(oracle_correlation(one, two + 1, DRAWS - 1)) < 5 / sqrt(DRAWS));
        static double seen[64 * 64], wanted[64 * 64]; /* pairs, so more than correlation */
        memset(seen, 0, sizeof seen);
        for (size_t i = 0; i < DRAWS; i++)
            seen[(size_t)(one[i] * 64) * 64 + (size_t)(two[i] * 64)]++;
        for (size_t i = 0; i < 64 * 64; i++)
            wanted[i] = DRAWS / 4096.0;
        CU_ASSERT(oracle_chi_square(seen, wanted, 64 * 64) > 1e-6);
        CU_ASSERT(oracle_ks(two, DRAWS, unit_cdf, NULL) < ORACLE_KS_LIMIT);
    }
}

/* Every input bit of the mixer flips every output bit half of the time. */
static void mix_avalanches_on_counters(void)
{
    enum { INPUTS = 4096 };
    double worst = 0.0;
    for (int in = 0; in < 64; in++)
        for (int out = 0; out < 64; out++) {
            int flips = 0;
            for (uint64_t i = 0; i < INPUTS / 8; i++)
                flips += (int)((random_mix(i) ^ random_mix(i ^ UINT64_C(1) << in)) >> out & 1);
            double z = (flips - INPUTS / 16.0) / sqrt(INPUTS / 32.0);
            worst = fmax(worst, fabs(z));
        }
    CU_ASSERT(worst < 6.5);
}

static void exponential_follows_its_law_from_streams_and_from_counters(void)
{
    static double sample[DRAWS];
    struct stream s;
    stream_open(&s, 1, 0, "random", "exponential");
    for (size_t i = 0; i < DRAWS; i++)
        sample[i] = random_exponential(stream_next(&s));
    CU_ASSERT(oracle_ks(sample, DRAWS, exponential_cdf, NULL) < ORACLE_KS_LIMIT);
    for (uint64_t i = 0; i < DRAWS; i++)
        sample[i] = random_exponential(random_mix(random_hash("users", 5) ^ i));
    double sum = 0.0, squares = 0.0;
    for (size_t i = 0; i < DRAWS; i++) {
        sum += sample[i];
        squares += sample[i] * sample[i];
    }
    CU_ASSERT(fabs(sum / DRAWS - 1) < 5 / sqrt(DRAWS));
    CU_ASSERT(fabs(squares / DRAWS - 2) < 5 * sqrt(20.0 / DRAWS)); /* E X^4 - (E X^2)^2 = 20 */
    CU_ASSERT(oracle_ks(sample, DRAWS, exponential_cdf, NULL) < ORACLE_KS_LIMIT);
}

static void normal_follows_its_law(void)
{
    static double sample[DRAWS];
    for (uint64_t i = 0; i < DRAWS; i++)
        sample[i] = random_normal(random_mix(i));
    CU_ASSERT(oracle_ks(sample, DRAWS, normal_cdf, NULL) < ORACLE_KS_LIMIT);
}

/* Both tails lie beyond the ziggurats' last layers (7.697 and 3.654). */
static void tails_beyond_the_last_layer_are_right(void)
{
    const double n = 2e7;
    double exponential = 0, far = 0, normal = 0, above = 0;
    for (uint64_t i = 0; i < (uint64_t)n; i++) {
        double x = random_exponential(random_mix(i)), z = random_normal(random_mix(~i));
        exponential += x > 7.7;
        far += x > 9.7;
        normal += fabs(z) > 3.7;
        above += z > 3.7;
    }
    double p = gsl_cdf_exponential_Q(7.7, 1), q = gsl_cdf_exponential_Q(9.7, 1);
    double t = gsl_cdf_ugaussian_Q(3.7);
    CU_ASSERT(fabs(exponential - n * p) < 5 * sqrt(n * p));
    CU_ASSERT(fabs(far - n * q) < 5 * sqrt(n * q));
    CU_ASSERT(fabs(normal - 2 * n * t) < 5 * sqrt(2 * n * t));
    CU_ASSERT(fabs(above - n * t) < 5 * sqrt(n * t));
}

/* Layer for layer the shapes must fit together: counts in fine cells, not only the distance. */
static void exponential_has_no_seams_between_layers(void)
{
    enum { CELLS = 500 };
    static double seen[CELLS], wanted[CELLS];
    memset(seen, 0, sizeof seen);
    for (uint64_t i = 0; i < 10 * DRAWS; i++) {
        double x = random_exponential(random_mix(i ^ UINT64_C(0x5EA3)));
        size_t cell = (size_t)(gsl_cdf_exponential_P(x, 1.0) * CELLS);
        seen[cell < CELLS ? cell : CELLS - 1]++;
    }
    for (size_t i = 0; i < CELLS; i++)
        wanted[i] = 10.0 * DRAWS / CELLS;
    CU_ASSERT(oracle_chi_square(seen, wanted, CELLS) > 1e-6);
}

static void below_is_unbiased_even_where_it_must_reject(void)
{
    const uint64_t n = UINT64_C(3) << 62; /* a quarter of the draws are rejected */
    double seen[3] = {0}, wanted[3] = {DRAWS / 3.0, DRAWS / 3.0, DRAWS / 3.0};
    struct stream s;
    stream_open(&s, 1, 0, "random", "below");
    for (int i = 0; i < DRAWS; i++)
        seen[stream_below(&s, n) >> 62]++;
    CU_ASSERT(oracle_chi_square(seen, wanted, 3) > 1e-6);
    for (int i = 0; i < 100; i++)
        CU_ASSERT_EQUAL(random_below(stream_next(&s), 1), 0);
    CU_ASSERT(random_unit(0) > 0 && random_unit(UINT64_MAX) < 1);
    CU_ASSERT(!random_chance(0, 0) && random_chance(UINT64_MAX, 1));
}

static void gsl_draws_from_our_generator(void)
{
    static double sample[DRAWS];
    gsl_rng *rng = gsl_rng_alloc(&oracle_generator);
    CU_ASSERT_FATAL(rng != NULL);
    gsl_rng_set(rng, 7);
    for (size_t i = 0; i < DRAWS; i++)
        sample[i] = gsl_ran_gaussian_ratio_method(rng, 1.0);
    CU_ASSERT(oracle_ks(sample, DRAWS, normal_cdf, NULL) < ORACLE_KS_LIMIT);
    gsl_rng_free(rng);
}

SUITE("random", TEST(stream_is_xoshiro256_plus_plus),
      TEST(fields_of_a_hash_never_run_into_each_other), TEST(no_two_streams_begin_alike),
      TEST(draws_of_requests_are_uniform_and_independent), TEST(mix_avalanches_on_counters),
      TEST(exponential_follows_its_law_from_streams_and_from_counters),
      TEST(normal_follows_its_law), TEST(tails_beyond_the_last_layer_are_right),
      TEST(exponential_has_no_seams_between_layers),
      TEST(below_is_unbiased_even_where_it_must_reject), TEST(gsl_draws_from_our_generator))
