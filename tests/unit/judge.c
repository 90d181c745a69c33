/* Verdicts on made-up runs: point 1 as tests/runs.h makes them, point 2 with reads 2 ms slower
 * (made from replication + 2), so that paired differences are exact where the values themselves
 * spread. */
#include "tests/runs.h"
#include "tests/suite.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdio.h>

enum { R = 6 };
static const char *const parameters[] = {"speed"};
static const char *const fast[] = {"fast"}, *const slow[] = {"slow"};
static const struct report_point points[] = {{.values = fast}, {.values = slow}};
static const struct expect_case here[] = {{0, 0}}, across[] = {{1, 0}}, both[] = {{0, 0}, {1, 1}};

static const struct expect_term mean_latency = {true, 1, 0, "users", "all", "latency", "mean", 0};
static const struct expect_term timeouts = {true, 1, 0, "users", "all", "timeouts", "total", 0};

static struct expect_term constant(double value)
{
    return (struct expect_term){.constant = value};
}

/* `gone`: a replication of point 2 whose part is not there; 0: none. */
static struct outcome *judge_without(const struct expectation *list, uint32_t count,
                                     uint32_t failures, uint32_t gone)
{
    char *dir = make_folder();
    struct output_error error;
    for (uint32_t p = 0; p < 2; p++) {
        for (uint32_t r = 1; r <= R; r++) {
            struct made_up m = {r + 2 * p, r == 4 ? failures : 0, 0};
            struct result *result = make_run(&m);
            struct part_identity id = {"cafe", p + 1, r, 7};
            if (p == 0 || r != gone)
                CU_ASSERT_FATAL(output_part_write(dir, &id, result, &error));
            result_free(result);
        }
    }
    struct report report = make_report(R);
    report.parameters = parameters;
    report.parameter_count = 1;
    report.points = points;
    report.point_count = 2;
    report.expectations = list;
    report.expectation_count = count;
    struct outcome *o = output_derive(dir, &report, "cafe", &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(o);
    drop_folder(dir);
    return o;
}

static struct outcome *judge(const struct expectation *list, uint32_t count, uint32_t failures)
{
    return judge_without(list, count, failures, 0);
}

static enum verdict_result one(struct expectation x)
{
    x.cases = x.case_count ? x.cases : here;
    x.case_count = x.case_count ? x.case_count : 1;
    struct outcome *o = judge(&x, 1, 2);
    enum verdict_result result = o->verdicts[0].result;
    CU_ASSERT_EQUAL(o->holds + o->fails + o->undecided, x.case_count);
    outcome_free(o);
    return result;
}

/* Means of point 1 are 15.5 .. 18 ms: 16.75 with an interval of about +- 0.98. */
static void an_interval_decides_or_it_does_not(void)
{
    static const enum comparison less[] = {COMPARE_LESS, COMPARE_LESS_EQUAL};
    static const enum comparison greater[] = {COMPARE_GREATER, COMPARE_GREATER_EQUAL};
    for (int i = 0; i < 2; i++) {
        struct expectation x = {.left = mean_latency, .comparison = less[i]};
        x.right = constant(18);
        CU_ASSERT_EQUAL(one(x), VERDICT_HOLDS);
        x.right = constant(15);
        CU_ASSERT_EQUAL(one(x), VERDICT_FAILS);
        x.right = constant(17);
        CU_ASSERT_EQUAL(one(x), VERDICT_UNDECIDED);
        x.comparison = greater[i];
        x.right = constant(15);
        CU_ASSERT_EQUAL(one(x), VERDICT_HOLDS);
        x.right = constant(18);
        CU_ASSERT_EQUAL(one(x), VERDICT_FAILS);
        x.left = constant(18);
        x.right = mean_latency;
        CU_ASSERT_EQUAL(one(x), VERDICT_HOLDS);
    }
}

static void equivalence_needs_the_whole_interval(void)
{
    struct expectation x = {.left = mean_latency, .comparison = COMPARE_NEAR, .margin = 2};
    x.right = constant(16.5);
    CU_ASSERT_EQUAL(one(x), VERDICT_HOLDS);
    x.margin = 0.5;
    CU_ASSERT_EQUAL(one(x), VERDICT_UNDECIDED);
    x.right = constant(20);
    CU_ASSERT_EQUAL(one(x), VERDICT_FAILS);
}

static void what_has_no_interval_is_undecided(void)
{
    struct expectation x = {.left = mean_latency, .comparison = COMPARE_LESS};
    x.left.statistic = "max";
    x.right = constant(1000);
    CU_ASSERT_EQUAL(one(x), VERDICT_UNDECIDED);
    x.left.metric = "nothing";
    CU_ASSERT_EQUAL(one(x), VERDICT_UNDECIDED);
}

static void an_invariant_is_over_replications(void)
{
    struct expectation x = {.text = "timeouts == 0",
                            .left = timeouts,
                            .comparison = COMPARE_EQUAL,
                            .cases = here,
                            .case_count = 1};
    struct outcome *o = judge(&x, 1, 2);
    CU_ASSERT_EQUAL(o->verdicts[0].result, VERDICT_FAILS);
    CU_ASSERT_STRING_EQUAL(o->verdicts[0].sentence,
                           "broken in 1 of 6 runs, first in replication 4 (seed 7): 2");
    outcome_free(o);
    o = judge(&x, 1, 0);
    CU_ASSERT_EQUAL(o->verdicts[0].result, VERDICT_HOLDS);
    /* 1 - 0.05^(1/6) = 39.3 %. */
    CU_ASSERT_STRING_EQUAL(o->verdicts[0].sentence,
                           "in 6 of 6 runs (a run that breaks it is rarer than 39.3 %)");
    outcome_free(o);
    x.comparison = COMPARE_NOT_EQUAL;
    CU_ASSERT_EQUAL(one(x), VERDICT_FAILS);
}

/* Point 2 is exactly 1 ms slower in the mean where no operation fails, in every replication. */
static void differences_are_paired_by_replication(void)
{
    struct expectation x = {.left = mean_latency,
                            .right = mean_latency,
                            .cases = across,
                            .case_count = 1,
                            .comparison = COMPARE_GREATER};
    struct outcome *o = judge(&x, 1, 0);
    CU_ASSERT_EQUAL(o->verdicts[0].result, VERDICT_HOLDS);
    CU_ASSERT_EQUAL(o->verdicts[0].p_value, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(o->verdicts[0].sentence, "paired by 6 replications"));
    CU_ASSERT_PTR_NOT_NULL(strstr(o->verdicts[0].sentence, "difference 1 ms"));
    outcome_free(o);
    x.comparison = COMPARE_NEAR;
    x.margin = 1.01;
    o = judge(&x, 1, 0);
    CU_ASSERT_EQUAL(o->verdicts[0].result, VERDICT_HOLDS);
    outcome_free(o);
    x.right.factor = 2;
    x.comparison = COMPARE_LESS;
    CU_ASSERT_EQUAL(one(x), VERDICT_HOLDS);
}

/* Means of point 1 are 15 + r/2, those of point 2 are 16 + r/2; without its sixth replication they
 * cannot be paired: six values of variance 0.875 against five of 0.625. */
static void other_replications_are_compared_by_welch(void)
{
    struct expectation x = {.left = mean_latency,
                            .right = mean_latency,
                            .cases = across,
                            .case_count = 1,
                            .comparison = COMPARE_GREATER};
    struct outcome *o = judge_without(&x, 1, 0, 6);
    double left = 0.625 / 5, right = 0.875 / 6, se = sqrt(left + right);
    double freedom = (left + right) * (left + right) / (left * left / 4 + right * right / 5);
    CU_ASSERT_EQUAL((int)freedom, 8);
    char text[200];
    /* Means 17.5 and 16.75. */
    double p = 2 * gsl_cdf_tdist_Q(0.75 / se, 8), half = gsl_cdf_tdist_Qinv(0.025, 8) * se;
    snprintf(text, sizeof text, "difference 0.75 ms, 95 %% interval %.4f .. %.2f ms", 0.75 - half,
             0.75 + half);
    CU_ASSERT(fabs(o->verdicts[0].p_value - p) < 1e-9);
    CU_ASSERT_EQUAL(o->verdicts[0].result, VERDICT_UNDECIDED);
    CU_ASSERT_PTR_NOT_NULL(strstr(o->verdicts[0].sentence, "Welch, 8 degrees"));
    CU_ASSERT_PTR_NOT_NULL(strstr(o->verdicts[0].sentence, text));
    if (!strstr(o->verdicts[0].sentence, text))
        printf("%s\n%s\n", o->verdicts[0].sentence, text);
    outcome_free(o);
}

/* With 2 comparisons Holm asks 0.025 of the smaller p-value. The bound lies at t = 2.8 (p = 0.038,
 * five degrees) from the mean: decided alone, not in company. */
static void many_comparisons_are_adjusted(void)
{
    struct expectation x = {.text = "x",
                            .left = mean_latency,
                            .comparison = COMPARE_LESS,
                            .cases = both,
                            .case_count = 2};
    /* se = s/sqrt(6), s = 0.5 sqrt(3.5): means are 15 + r/2. */
    x.right = constant(16.75 + 2.8 * 0.5 * sqrt(3.5 / 6));
    struct outcome *o = judge(&x, 1, 0);
    CU_ASSERT_EQUAL_FATAL(o->verdict_count, 2);
    CU_ASSERT_EQUAL(o->verdicts[0].result, VERDICT_HOLDS);
    CU_ASSERT(fabs(o->verdicts[0].p_value - 0.038) < 0.001);
    CU_ASSERT_EQUAL(o->verdicts[0].adjusted, VERDICT_UNDECIDED);
    CU_ASSERT_EQUAL(o->verdicts[1].result, VERDICT_UNDECIDED);
    outcome_free(o);
}

SUITE("judge", TEST(an_interval_decides_or_it_does_not), TEST(equivalence_needs_the_whole_interval),
      TEST(what_has_no_interval_is_undecided), TEST(an_invariant_is_over_replications),
      TEST(differences_are_paired_by_replication), TEST(other_replications_are_compared_by_welch),
      TEST(many_comparisons_are_adjusted))
