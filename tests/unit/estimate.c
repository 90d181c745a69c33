/* The estimators against formulas worked out by hand, against GSL and against known laws. */
#include "output/estimate.h"
#include "output/student.h"
#include "tests/suite.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>

enum { R_MAX = 60 };
static const struct percentile percentiles[] = {{"p50", 1, 2, false},
                                                {"p95", 95, 100, false},
                                                {"p99", 99, 100, false},
                                                {"p99.9", 999, 1000, false}};
static const struct report report = {.percentiles = percentiles, .percentile_count = 4};
static uint32_t indices[R_MAX];

static struct estimate judge_of(struct arena *arena, const struct result_cell *cells,
                                uint32_t count, const char *name)
{
    struct confidence confidence = {.level = 0.95};
    struct statistic statistic;
    for (uint32_t r = 0; r < count; r++)
        indices[r] = r + 1;
    CU_ASSERT_FATAL(statistic_find(&report, cells->type, name, &statistic));
    struct sample sample = sample_of(arena, cells, indices, count);
    return estimate(arena, &sample, &statistic, &confidence);
}

static struct result_cell quotient(enum metric_type type, int64_t numerator, int64_t denominator)
{
    return (struct result_cell){
        .name = "x", .unit = "1", .type = type, .numerator = numerator, .denominator = denominator};
}

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-9 * fabs(b) + 1e-15;
}

static void a_ratio_of_sums_keeps_empty_replications(void)
{
    struct arena arena = {0};
    struct result_cell cells[7];
    static const int64_t with[] = {10, 30, 0, 20, 25, 40, 35}, of[] = {50, 100, 0, 80, 60, 90, 100};
    double theta = 160.0 / 480, mean = 480.0 / 7, sum = 0;
    for (int r = 0; r < 7; r++) {
        cells[r] = quotient(METRIC_RATIO, with[r], of[r]);
        double d = ((double)with[r] - theta * (double)of[r]) / mean;
        sum += d * d;
    }
    double half = gsl_cdf_tdist_Qinv(0.025, 6) * sqrt(sum / 42);
    struct estimate e = judge_of(&arena, cells, 7, "ratio");
    CU_ASSERT(near(e.value, theta));
    CU_ASSERT(near(e.low, theta - half) && near(e.high, theta + half));
    CU_ASSERT_EQUAL(e.method, METHOD_RATIO);
    CU_ASSERT_EQUAL(e.n, 480);
    CU_ASSERT_EQUAL(e.flags, FLAG_FEW); /* six of seven runs have an event */
    arena_free(&arena);
}

/* Three replications that spread as far as they can: t with 2 degrees reaches beyond both ends. */
static void an_interval_stays_in_its_range(void)
{
    struct arena arena = {0};
    struct result_cell cells[3];
    static const int64_t values[] = {0, 50, 100};
    for (int r = 0; r < 3; r++)
        cells[r] = quotient(METRIC_SHARE, values[r], 100);
    struct estimate e = judge_of(&arena, cells, 3, "mean");
    CU_ASSERT(e.value == 0.5 && e.low == 0 && e.high == 1);
    for (int r = 0; r < 3; r++)
        cells[r].type = METRIC_LEVEL;
    e = judge_of(&arena, cells, 3, "mean");
    CU_ASSERT(e.value == 0.5 && e.low == 0 && e.high > 1);
    arena_free(&arena);
}

static void thirty_clean_runs_do_not_prove_zero(void)
{
    struct arena arena = {0};
    struct result_cell cells[30];
    for (int r = 0; r < 30; r++)
        cells[r] = quotient(METRIC_RATIO, 0, 1000);
    struct estimate e = judge_of(&arena, cells, 30, "ratio");
    CU_ASSERT_EQUAL(e.method, METHOD_RARE);
    CU_ASSERT(e.value == 0 && e.low == 0 && near(e.high, gsl_cdf_beta_Pinv(0.975, 1, 30)));
    for (int r = 0; r < 30; r++)
        cells[r] = quotient(METRIC_TOTAL, r < 3, 1);
    e = judge_of(&arena, cells, 30, "total");
    CU_ASSERT_EQUAL(e.method, METHOD_RARE);
    CU_ASSERT(near(e.value, 0.1) && e.low == 0 && isnan(e.high));
    e = judge_of(&arena, cells, 30, "runs_with");
    CU_ASSERT(near(e.value, 0.1) && near(e.low, gsl_cdf_beta_Pinv(0.025, 3, 28)));
    CU_ASSERT(near(e.high, gsl_cdf_beta_Pinv(0.975, 4, 27)));
    for (int r = 0; r < 30; r++)
        cells[r] = quotient(METRIC_RATIO, 1000, 1000);
    e = judge_of(&arena, cells, 30, "ratio");
    CU_ASSERT(e.high == 1 && near(e.low, gsl_cdf_beta_Pinv(0.025, 30, 1)));
    arena_free(&arena);
}

static void counts_that_come_in_every_run_are_not_rare(void)
{
    struct arena arena = {0};
    struct result_cell cells[3] = {quotient(METRIC_RATE, 1000, 1000000000),
                                   quotient(METRIC_RATE, 1010, 1000000000),
                                   quotient(METRIC_RATE, 990, 1000000000)};
    struct estimate e = judge_of(&arena, cells, 3, "rate");
    CU_ASSERT_EQUAL(e.method, METHOD_T);
    CU_ASSERT(near(e.value, 1000) && near(e.high - 1000, 4.302652729911275 * 10 / sqrt(3)));
    CU_ASSERT_EQUAL(e.flags, 0);
    arena_free(&arena);
}

static void one_replication_has_no_interval(void)
{
    struct arena arena = {0};
    struct result_cell cell = quotient(METRIC_LEVEL, 30, 10);
    struct estimate e = judge_of(&arena, &cell, 1, "mean");
    CU_ASSERT(e.value == 3 && isnan(e.low) && isnan(e.high));
    CU_ASSERT_EQUAL(e.method, METHOD_NONE);
    arena_free(&arena);
}

/* Cells of observations 1 .. n each shifted by `shift[r]`, in ns of "ms". */
static void observe(struct arena *arena, struct result_cell *cell, const int64_t *values,
                    uint32_t n)
{
    struct histogram h;
    histogram_init(&h, HISTOGRAM_EXACT);
    *cell = (struct result_cell){
        .name = "latency", .unit = "ms", .type = METRIC_DURATION, .has_histogram = true};
    for (uint32_t i = 0; i < n; i++) {
        histogram_add(&h, values[i]);
        cell->numerator += values[i];
        cell->min = !i || values[i] < cell->min ? values[i] : cell->min;
        cell->max = values[i] > cell->max ? values[i] : cell->max;
    }
    cell->denominator = n;
    cell->histogram = sparse_of(arena, &h);
    histogram_free(&h);
}

static int compare(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

/* Woodruff by its definition, on plain sorted lists. */
static void quantiles_are_woodruff_on_the_merged_values(void)
{
    enum { R = 8, N = 400 };
    struct arena arena = {0};
    static int64_t values[R][N], all[R * N];
    struct result_cell cells[R];
    uint64_t state = 5;
    for (int r = 0; r < R; r++) {
        for (int i = 0; i < N; i++) {
            state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            values[r][i] = (int64_t)(state >> 40) * 1000 + (int64_t)r * 300000000 + 1;
            all[r * N + i] = values[r][i];
        }
        observe(&arena, &cells[r], values[r], N);
    }
    qsort(all, R * N, sizeof *all, compare);
    static const struct {
        const char *name;
        double p;
        uint64_t rank;
    } cases[] = {{"p50", 0.5, 1600}, {"p95", 0.95, 3040}};
    for (int k = 0; k < 2; k++) {
        int64_t q = all[cases[k].rank - 1];
        double p = cases[k].p, sum = 0;
        for (int r = 0; r < R; r++) {
            int upto = 0;
            for (int i = 0; i < N; i++)
                upto += values[r][i] <= q;
            double d = (upto - p * N) / N;
            sum += d * d;
        }
        double half = gsl_cdf_tdist_Qinv(0.025, R - 1) * sqrt(sum / (R * (R - 1)));
        struct estimate e = judge_of(&arena, cells, R, cases[k].name);
        CU_ASSERT_EQUAL(e.method, METHOD_WOODRUFF);
        CU_ASSERT(near(e.value, (double)q / 1e6));
        CU_ASSERT(near(e.low, (double)all[(int)ceil((p - half) * R * N) - 1] / 1e6));
        if (p + half < 1)
            CU_ASSERT(near(e.high, (double)all[(int)ceil((p + half) * R * N) - 1] / 1e6));
        CU_ASSERT_EQUAL(e.n, R * N);
    }
    struct estimate e = judge_of(&arena, cells, R, "p99.9");
    CU_ASSERT(isnan(e.high) && (e.flags & FLAG_TAIL));
    CU_ASSERT(isnan(judge_of(&arena, cells, 4, "p50").low));
    arena_free(&arena);
}

static void ranks_are_integers_never_rounded_products(void)
{
    struct arena arena = {0};
    static int64_t values[1000];
    struct result_cell cell;
    for (int i = 0; i < 1000; i++)
        values[i] = (i + 1) * 1000000;
    observe(&arena, &cell, values, 100);
    CU_ASSERT_EQUAL(judge_of(&arena, &cell, 1, "p95").value, 95); /* ceil(0.95 * 100.0) may be 96 */
    observe(&arena, &cell, values, 1000);
    CU_ASSERT_EQUAL(judge_of(&arena, &cell, 1, "p99.9").value, 999);
    CU_ASSERT_EQUAL(judge_of(&arena, &cell, 1, "p50").value, 500);
    CU_ASSERT_EQUAL(judge_of(&arena, &cell, 1, "min").value, 1);
    CU_ASSERT_EQUAL(judge_of(&arena, &cell, 1, "max").value, 1000);
    arena_free(&arena);
}

static void operations_that_never_ended_are_infinitely_late(void)
{
    struct arena arena = {0};
    static int64_t values[100];
    struct result_cell cells[6];
    for (int i = 0; i < 100; i++)
        values[i] = (i + 1) * 1000000;
    for (int r = 0; r < 6; r++) {
        observe(&arena, &cells[r], values, 97);
        cells[r].missing = 3;
    }
    struct estimate e = judge_of(&arena, cells, 6, "p95");
    CU_ASSERT(e.value == 95 && !(e.flags & FLAG_CENSORED));
    e = judge_of(&arena, cells, 6, "p99");
    CU_ASSERT(isnan(e.value) && e.flags == FLAG_CENSORED);
    e = judge_of(&arena, cells, 6, "mean");
    CU_ASSERT(isnan(e.value) && e.flags == FLAG_CENSORED);
    e = judge_of(&arena, cells, 6, "max");
    CU_ASSERT(isnan(e.value));
    arena_free(&arena);
}

static void a_level_has_quantiles_of_time(void)
{
    struct arena arena = {0};
    struct result_cell cells[6];
    struct histogram h;
    for (int r = 0; r < 6; r++) {
        histogram_init_level(&h);
        histogram_weigh(&h, 0, 600);
        histogram_weigh(&h, 2, 350);
        histogram_weigh(&h, 9, 50);
        cells[r] = quotient(METRIC_LEVEL, 1150, 1000);
        cells[r].max = 9;
        cells[r].has_histogram = true;
        cells[r].histogram = sparse_of(&arena, &h);
        histogram_free(&h);
    }
    CU_ASSERT_EQUAL(judge_of(&arena, cells, 6, "p50").value, 0);
    CU_ASSERT_EQUAL(judge_of(&arena, cells, 6, "p95").value, 2);
    CU_ASSERT_EQUAL(judge_of(&arena, cells, 6, "p99").value, 9);
    CU_ASSERT(near(judge_of(&arena, cells, 6, "mean").value, 1.15));
    CU_ASSERT_EQUAL(judge_of(&arena, cells, 6, "max").value, 9);
    arena_free(&arena);
}

/* 400 experiments of 20 replications of 200 exponential values: the pivots of the mean must look
 * like Student's t and the intervals of p50 must cover ln 2 as often as they say. */
static void intervals_cover_the_truth_as_often_as_they_say(void)
{
    enum { EXPERIMENTS = 400, R = 20, N = 200 };
    uint64_t state = 11;
    int covered_mean = 0, covered_median = 0;
    double sum = 0, squares = 0;
    for (int x = 0; x < EXPERIMENTS; x++) {
        struct arena arena = {0};
        struct result_cell cells[R];
        static int64_t values[N];
        for (int r = 0; r < R; r++) {
            for (int i = 0; i < N; i++) {
                state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
                values[i] = (int64_t)(-log(((double)(state >> 11) + 0.5) * 0x1p-53) * 1e6);
            }
            observe(&arena, &cells[r], values, N);
        }
        struct estimate mean = judge_of(&arena, cells, R, "mean");
        struct estimate median = judge_of(&arena, cells, R, "p50");
        covered_mean += mean.low <= 1 && mean.high >= 1;
        covered_median += median.low <= log(2) && median.high >= log(2);
        double pivot = (mean.value - 1) / mean.se;
        sum += pivot;
        squares += pivot * pivot;
        arena_free(&arena);
    }
    /* 99.9 % bands of 400 trials about 0.95; the variance of t with 19 degrees is 19/17. */
    CU_ASSERT(covered_mean >= 365 && covered_mean <= 394);
    CU_ASSERT(covered_median >= 365 && covered_median <= 394);
    CU_ASSERT(fabs(sum / EXPERIMENTS) < 0.2);
    CU_ASSERT(fabs(squares / EXPERIMENTS - 19.0 / 17) < 0.25 * 19 / 17);
}

/* A run in which something came to pass after so many milliseconds; below 0: never. */
static struct result_cell event(int64_t after_ms)
{
    struct result_cell cell = quotient(METRIC_EVENT, after_ms < 0 ? 0 : after_ms * 1000000, 1);
    cell.unit = "ms";
    cell.missing = after_ms < 0;
    cell.min = cell.max = (int64_t)cell.numerator;
    return cell;
}

/* Ranks 10 and 21 of 30, 2 and 9 of 10, 1 and 6 of 6, none of 5: those that never came stand last.
 */
static void a_median_over_all_runs_has_the_interval_of_its_ranks(void)
{
    static const struct {
        uint32_t count, low, median, high;
    } ranks[] = {{30, 10, 15, 21}, {10, 2, 5, 9}, {6, 1, 3, 6}, {5, 0, 3, 0}};
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof ranks / sizeof *ranks; i++) {
        struct result_cell cells[R_MAX];
        uint32_t n = ranks[i].count;
        for (uint32_t r = 0; r < n; r++)
            cells[r] = event((int64_t)((r * 7 + 3) % n + 1));
        struct estimate e = judge_of(&arena, cells, n, "p50");
        CU_ASSERT(near(e.value, ranks[i].median));
        CU_ASSERT_EQUAL(isnan(e.low), !ranks[i].low);
        CU_ASSERT(!ranks[i].low || (near(e.low, ranks[i].low) && near(e.high, ranks[i].high)));
        CU_ASSERT_EQUAL(e.method, ranks[i].low ? METHOD_ORDER : METHOD_NONE);
    }
    arena_free(&arena);
}

static void what_never_came_counts_as_infinitely_late(void)
{
    struct arena arena = {0};
    struct result_cell cells[11];
    for (int r = 0; r < 10; r++)
        cells[r] = event(r < 7 ? 100 + r : -1);
    cells[10] = quotient(METRIC_EVENT, 0, 0); /* a run that tells nothing of it */
    cells[10].unit = "ms";
    struct estimate e = judge_of(&arena, cells, 11, "p50");
    CU_ASSERT(near(e.value, 104) && near(e.low, 101) && isinf(e.high));
    CU_ASSERT(e.flags == FLAG_CENSORED && e.replications == 10 && e.n == 7);
    e = judge_of(&arena, cells, 11, "mean");
    CU_ASSERT(isnan(e.value) && e.flags & FLAG_CENSORED);
    e = judge_of(&arena, cells, 11, "runs_with");
    CU_ASSERT(near(e.value, 0.7) && e.method == METHOD_CLOPPER);
    arena_free(&arena);
}

SUITE("estimate", TEST(a_ratio_of_sums_keeps_empty_replications),
      TEST(an_interval_stays_in_its_range), TEST(thirty_clean_runs_do_not_prove_zero),
      TEST(counts_that_come_in_every_run_are_not_rare), TEST(one_replication_has_no_interval),
      TEST(quantiles_are_woodruff_on_the_merged_values),
      TEST(ranks_are_integers_never_rounded_products),
      TEST(operations_that_never_ended_are_infinitely_late), TEST(a_level_has_quantiles_of_time),
      TEST(intervals_cover_the_truth_as_often_as_they_say),
      TEST(a_median_over_all_runs_has_the_interval_of_its_ranks),
      TEST(what_never_came_counts_as_infinitely_late))
