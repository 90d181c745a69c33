#include "engine/kernel/keys.h"
#include "engine/kernel/random.h"
#include "tests/oracle.h"
#include "tests/suite.h"

#include <gsl/gsl_randist.h>

enum { DRAWS = 1000000, TOP = 1000 };

static const char *why;

/* Whether a maker said no and why; forgets the sentence. */
static bool refused(bool made)
{
    bool told = why != NULL;
    why = NULL;
    return !made && told;
}

/* Ranks below TOP one by one, all others in cells that double: chi-square against `probability`. */
static double zipf_fit(const struct key_chooser *keys, double s, uint64_t n)
{
    static double seen[TOP + 64], wanted[TOP + 64];
    memset(seen, 0, sizeof seen);
    memset(wanted, 0, sizeof wanted);
    double sum = 0.0;
    for (uint64_t k = n; k >= 1; k--) /* the exact law, summed term by term with libm */
        sum += pow((double)k, -s);
    size_t cells = 0;
    for (uint64_t k = 1; k <= n; k++) {
        size_t cell = k <= TOP ? k - 1 : TOP + (size_t)(log2((double)k / TOP));
        wanted[cell] += pow((double)k, -s) / sum * DRAWS;
        cells = cell + 1;
    }
    for (uint64_t i = 0; i < DRAWS; i++) {
        uint64_t k = keys_choose(keys, random_mix(i ^ UINT64_C(0x21F)), i) + 1;
        CU_ASSERT_FATAL(k >= 1 && k <= n);
        seen[k <= TOP ? k - 1 : TOP + (size_t)(log2((double)k / TOP))]++;
    }
    size_t merged = 0; /* cells that expect fewer than 10 join the one before */
    for (size_t i = 1; i < cells; i++) {
        bool thin = wanted[i] < 10 || wanted[merged] < 10;
        merged += !thin;
        seen[merged] = thin ? seen[merged] + seen[i] : seen[i];
        wanted[merged] = thin ? wanted[merged] + wanted[i] : wanted[i];
    }
    CU_ASSERT_DOUBLE_EQUAL(keys_probability(keys, 0), 1 / sum, 1e-9);
    return oracle_chi_square(seen, wanted, merged + 1);
}

static void zipf_by_alias_has_the_exact_probabilities(void)
{
    struct arena arena = {0};
    const double exponents[] = {0.5, 0.99, 1, 1.5, 3};
    const uint64_t counts[] = {2, 7, 1000, 100000};
    for (size_t e = 0; e < 5; e++)
        for (size_t c = 0; c < 4; c++) {
            struct key_chooser keys;
            CU_ASSERT_FATAL(keys_make_zipf(&keys, &arena, exponents[e], counts[c], &why));
            CU_ASSERT_EQUAL(keys.kind, KEYS_ALIAS);
            CU_ASSERT(zipf_fit(&keys, exponents[e], counts[c]) > 1e-6);
        }
    arena_free(&arena);
}

/* What the table's cells add up to, rank by rank, is the law itself: no sampling noise. */
static void alias_table_adds_up_to_the_law(void)
{
    struct arena arena = {0};
    enum { N = 5000 };
    const double exponents[] = {0.2, 0.99, 1, 2};
    for (size_t e = 0; e < 4; e++) {
        struct key_chooser keys;
        CU_ASSERT_FATAL(keys_make_zipf(&keys, &arena, exponents[e], N, &why));
        static double total[N];
        memset(total, 0, sizeof total);
        for (size_t i = 0; i < N; i++) {
            double own = ldexp((double)(keys.table[i] >> 24), -40) / N;
            total[i] += own;
            total[keys.table[i] & 0xFFFFFF] += 1.0 / N - own;
        }
        for (uint64_t i = 0; i < N; i++)
            CU_ASSERT_FATAL(fabs(total[i] - keys_probability(&keys, i)) < 1e-9);
    }
    arena_free(&arena);
}

static void zipf_by_alias_agrees_with_gsl_s_table(void)
{
    struct arena arena = {0};
    enum { N = 200 };
    double weights[N], ours[N] = {0}, theirs[N] = {0};
    struct key_chooser keys;
    CU_ASSERT_FATAL(keys_make_zipf(&keys, &arena, 0.8, N, &why));
    for (int i = 0; i < N; i++)
        weights[i] = pow(i + 1, -0.8);
    gsl_ran_discrete_t *table = gsl_ran_discrete_preproc(N, weights);
    gsl_rng *rng = gsl_rng_alloc(&oracle_generator);
    CU_ASSERT_FATAL(table && rng);
    for (uint64_t i = 0; i < DRAWS; i++) {
        ours[keys_choose(&keys, random_mix(i), i)]++;
        theirs[gsl_ran_discrete(rng, table)]++;
    }
    double sum = 0.0; /* two samples of one law: the variances add */
    for (int i = 0; i < N; i++)
        sum += (ours[i] - theirs[i]) * (ours[i] - theirs[i]) / (ours[i] + theirs[i]);
    CU_ASSERT(gsl_cdf_chisq_Q(sum, N - 1) > 1e-6);
    gsl_ran_discrete_free(table);
    gsl_rng_free(rng);
    arena_free(&arena);
}

static void zipf_by_rejection_inversion_has_the_exact_probabilities(void)
{
    struct arena arena = {0};
    const double exponents[] = {0.6, 1, 1.3};
    for (size_t e = 0; e < 3; e++) {
        struct key_chooser keys;
        CU_ASSERT_FATAL(keys_make_zipf(&keys, &arena, exponents[e], 10000001, &why));
        CU_ASSERT_EQUAL(keys.kind, KEYS_INVERSION);
        CU_ASSERT(zipf_fit(&keys, exponents[e], 10000001) > 1e-6);
    }
    arena_free(&arena);
}

static void shuffle_is_a_bijection_and_its_number_decides(void)
{
    const uint64_t counts[] = {1, 2, 3, 5, 64, 1000, 4097};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        static bool seen[8192];
        memset(seen, 0, sizeof seen);
        struct key_chooser keys, other;
        CU_ASSERT_FATAL(keys_make_sequential(&keys, counts[c], &why));
        other = keys;
        CU_ASSERT(keys_shuffle(&keys, 1, &why) && keys_shuffle(&other, 2, &why));
        uint64_t same = 0, fixed = 0;
        for (uint64_t i = 0; i < counts[c]; i++) {
            uint64_t key = keys_choose(&keys, 0, i);
            CU_ASSERT_FATAL(key < counts[c] && !seen[key]);
            seen[key] = true;
            same += key == keys_choose(&other, 0, i);
            fixed += key == i;
        }
        if (counts[c] >= 1000)
            CU_ASSERT(same < 12 && fixed < 12); /* both about Poisson(1) */
    }
    struct key_chooser keys; /* neighbours in rank do not stay neighbours */
    static double a[DRAWS / 10], b[DRAWS / 10];
    CU_ASSERT_FATAL(keys_make_sequential(&keys, DRAWS / 10, &why));
    keys_shuffle(&keys, 3, &why);
    for (uint64_t i = 0; i < DRAWS / 10; i++) {
        a[i] = (double)i;
        b[i] = (double)keys_choose(&keys, 0, i);
    }
    CU_ASSERT(fabs(oracle_correlation(a, b, DRAWS / 10)) < 5 / sqrt(DRAWS / 10.0));
    CU_ASSERT(fabs(oracle_correlation(b, b + 1, DRAWS / 10 - 1)) < 5 / sqrt(DRAWS / 10.0));
}

static void hotspot_gives_the_hot_keys_their_share(void)
{
    struct key_chooser keys;
    double seen[10] = {0}, wanted[10];
    CU_ASSERT_FATAL(keys_make_hotspot(&keys, 0.2, 10, 0.8, &why));
    for (uint64_t i = 0; i < DRAWS; i++)
        seen[keys_choose(&keys, random_mix(i), i)]++;
    double total = 0;
    for (uint64_t k = 0; k < 10; k++) {
        wanted[k] = (k < 2 ? 0.4 : 0.025) * DRAWS;
        total += keys_probability(&keys, k);
        CU_ASSERT_DOUBLE_EQUAL(keys_probability(&keys, k) * DRAWS, wanted[k], 1e-6);
    }
    CU_ASSERT_DOUBLE_EQUAL(total, 1, 1e-12);
    CU_ASSERT(oracle_chi_square(seen, wanted, 10) > 1e-6);
}

static void plain_choosers_do_what_they_say(void)
{
    struct arena arena = {0};
    struct key_chooser keys = {0};
    CU_ASSERT_EQUAL(keys_choose(&keys, 12345, 6), 0);
    double seen[7] = {0}, wanted[7];
    CU_ASSERT_FATAL(keys_make_uniform(&keys, 7, &why) && keys_offset(&keys, 100, &why));
    for (uint64_t i = 0; i < DRAWS; i++)
        seen[keys_choose(&keys, random_mix(i), i) - 100]++;
    for (size_t i = 0; i < 7; i++)
        wanted[i] = DRAWS / 7.0;
    CU_ASSERT(oracle_chi_square(seen, wanted, 7) > 1e-6);
    CU_ASSERT_FATAL(keys_make_sequential(&keys, 3, &why));
    for (uint64_t i = 0; i < 10; i++)
        CU_ASSERT_EQUAL(keys_choose(&keys, random_mix(i), i), i % 3);
    CU_ASSERT_FATAL(keys_make_fresh(&keys, 1000, &why));
    CU_ASSERT_EQUAL(keys_choose(&keys, 1, 5), KEYS_FRESH_BASE + 1005);
    const uint64_t recorded[] = {9, 4, 9};
    CU_ASSERT_FATAL(keys_make_trace(&keys, &arena, recorded, 3, &why));
    for (uint64_t i = 0; i < 9; i++)
        CU_ASSERT_EQUAL(keys_choose(&keys, random_mix(i), i), recorded[i % 3]);
    CU_ASSERT_FATAL(keys_make_zipf(&keys, &arena, 0, 5, &why)); /* s = 0 is uniform */
    CU_ASSERT_EQUAL(keys_probability(&keys, 4), 0.2);
    arena_free(&arena);
}

static void impossible_choosers_are_refused_with_a_sentence(void)
{
    why = NULL;
    struct arena arena = {0};
    struct key_chooser keys = {.n = 42};
    CU_ASSERT(refused(keys_make_uniform(&keys, 0, &why)));
    CU_ASSERT(refused(keys_make_uniform(&keys, KEYS_MAX + 1, &why)));
    CU_ASSERT(refused(keys_make_zipf(&keys, &arena, -0.1, 10, &why)));
    CU_ASSERT(refused(keys_make_hotspot(&keys, 0.01, 10, 0.5, &why)));
    CU_ASSERT(refused(keys_make_hotspot(&keys, 0.5, 10, 1.5, &why)));
    CU_ASSERT(refused(keys_make_trace(&keys, &arena, NULL, 0, &why)));
    CU_ASSERT_EQUAL(keys.n, 42);
    keys.kind = KEYS_FRESH;
    CU_ASSERT(refused(keys_shuffle(&keys, 1, &why)));
    arena_free(&arena);
}

SUITE("keys", TEST(zipf_by_alias_has_the_exact_probabilities), TEST(alias_table_adds_up_to_the_law),
      TEST(zipf_by_alias_agrees_with_gsl_s_table),
      TEST(zipf_by_rejection_inversion_has_the_exact_probabilities),
      TEST(shuffle_is_a_bijection_and_its_number_decides),
      TEST(hotspot_gives_the_hot_keys_their_share), TEST(plain_choosers_do_what_they_say),
      TEST(impossible_choosers_are_refused_with_a_sentence))
