/* Lines of `expect`: what they name, in which unit, at which points. */
#include "tests/scenario.h"

#define BASE                                                                                       \
    "orrery: 1\nvars: {slots: 1, queue: 5}\nnodes:\n"                                              \
    "  users: {kind: client, arrivals: poisson(80/s), to: web, operations: {view: 90%, buy: "      \
    "10%}}\n"                                                                                      \
    "  web: {kind: service, count: 3, slots: $slots, queue: $queue, time: exp(10ms)}\n"
#define SWEEP "sweep: {slots: [1, 2], queue: [5, 6, 7]}\n"

static void a_term_is_node_operation_metric_and_statistic(void)
{
    struct loaded l = load(BASE "expect: ['web.2.wait.p99.9 < 1500us', 'users[buy].errors < 1%', "
                                "'0.5 * users.latency.p45 >= web.wait * 2']\n",
                           false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(l.scenario);
    CU_ASSERT_EQUAL_FATAL(l.report->expectation_count, 3);
    const struct expectation *e = l.report->expectations;
    CU_ASSERT_STRING_EQUAL(e[0].left.node, "web.2");
    CU_ASSERT_STRING_EQUAL(e[0].left.operation, "all");
    CU_ASSERT_STRING_EQUAL(e[0].left.metric, "wait");
    CU_ASSERT_STRING_EQUAL(e[0].left.statistic, "p99.9");
    CU_ASSERT_EQUAL(e[0].comparison, COMPARE_LESS);
    CU_ASSERT_DOUBLE_EQUAL(e[0].right.constant, 1.5, 0);
    CU_ASSERT_STRING_EQUAL(e[1].left.operation, "buy");
    CU_ASSERT_STRING_EQUAL(e[1].left.statistic, "ratio");
    CU_ASSERT_DOUBLE_EQUAL(e[1].right.constant, 0.01, 0);
    CU_ASSERT_DOUBLE_EQUAL(e[2].left.factor, 0.5, 0);
    CU_ASSERT_DOUBLE_EQUAL(e[2].right.factor, 2, 0);
    CU_ASSERT_STRING_EQUAL(e[2].right.statistic, "mean");
    CU_ASSERT_EQUAL(e[2].case_count, 1);
    loaded_free(&l);
}

static void percentiles_that_are_named_are_kept(void)
{
    struct loaded l = load(BASE "expect: ['web.2.wait.p45 < 1s', 'web.wait.p99.95 < 1s']\n"
                                "output: {percentiles: [p75, p99]}\n",
                           false);
    static const char *const wanted[] = {"p45", "p50",   "p75",    "p90",   "p95",
                                         "p99", "p99.9", "p99.95", "p99.99"};
    CU_ASSERT_PTR_NOT_NULL_FATAL(l.scenario);
    CU_ASSERT_EQUAL_FATAL(l.report->percentile_count, 9);
    for (uint32_t i = 0; i < 9; i++)
        CU_ASSERT_STRING_EQUAL(l.report->percentiles[i].name, wanted[i]);
    CU_ASSERT_EQUAL(l.report->percentiles[7].numerator, 1999);
    CU_ASSERT_EQUAL(l.report->percentiles[7].denominator, 2000);
    const struct blueprint_node *web = node_in(l.blueprint, "web");
    CU_ASSERT_TRUE(web->instances[0].percentiles); /* `output` asks for all of them */
    CU_ASSERT_TRUE(web->instances[1].percentiles);
    loaded_free(&l);
    l = load(BASE "expect: ['web.2.wait.p45 < 1s']\n", false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(l.scenario);
    web = node_in(l.blueprint, "web");
    CU_ASSERT_FALSE(web->instances[0].percentiles);
    CU_ASSERT_TRUE(web->instances[1].percentiles);
    loaded_free(&l);
}

static void when_picks_the_points_and_at_pairs_them(void)
{
    struct loaded l = load(BASE SWEEP "expect:\n"
                                      "  - users.latency < 1s when queue != 6 and slots == 2\n"
                                      "  - users.latency at slots=2 < users.latency at slots=1\n"
                                      "  - users.latency at queue=5 slots=1 < users.latency\n",
                           true);
    CU_ASSERT_PTR_NOT_NULL_FATAL(l.scenario);
    const struct expectation *e = l.report->expectations;
    /* Points: slots 1 with queue 5 6 7 are 0 1 2, slots 2 are 3 4 5. */
    CU_ASSERT_EQUAL_FATAL(e[0].case_count, 2);
    CU_ASSERT_EQUAL(e[0].cases[0].left_point, 3);
    CU_ASSERT_EQUAL(e[0].cases[1].right_point, 5);
    CU_ASSERT_EQUAL_FATAL(e[1].case_count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(e[1].cases[i].left_point, 3 + i);
        CU_ASSERT_EQUAL(e[1].cases[i].right_point, i);
    }
    CU_ASSERT_EQUAL_FATAL(e[2].case_count, 6);
    CU_ASSERT_EQUAL(e[2].cases[5].left_point, 0);
    CU_ASSERT_EQUAL(e[2].cases[5].right_point, 5);
    loaded_free(&l);
}

static void what_where_leaves_out_is_no_case(void)
{
    struct loaded l =
        load(BASE SWEEP "where: not (slots == 1 and queue == 6)\n"
                        "expect: ['users.latency at slots=2 < users.latency at slots=1']\n",
             true);
    CU_ASSERT_PTR_NOT_NULL_FATAL(l.scenario);
    CU_ASSERT_EQUAL(l.report->expectations[0].case_count, 2);
    loaded_free(&l);
}

static void under_run_a_line_about_another_point_is_skipped(void)
{
    struct loaded l = load(BASE SWEEP "expect:\n"
                                      "  - users.latency < 1s when slots == 2\n"
                                      "  - users.latency < 1s when slots == 1\n"
                                      "  - users.latency at slots=2 < users.latency at slots=1\n"
                                      "  - users.latency at slots=1 < 1s\n",
                           false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(l.scenario);
    static const bool skipped[] = {true, false, true, false};
    for (uint32_t i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(l.report->expectations[i].skipped, skipped[i]);
        CU_ASSERT_EQUAL(l.report->expectations[i].case_count, !skipped[i]);
    }
    loaded_free(&l);
    CU_ASSERT_TRUE(refused(BASE SWEEP "expect: ['users.latncy < 1s when slots == 2']\n", false,
                           "did you mean `latency`"));
}

static void equality_is_for_what_is_counted(void)
{
    struct loaded l = load(BASE "expect: ['web.arrivals != 0', 'users.errors == 0', "
                                "'web.queue_length.max == 0', 'web.utilization ~ 80% +- 0.5%']\n",
                           false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(l.scenario);
    const struct expectation *e = l.report->expectations;
    CU_ASSERT_EQUAL(e[0].comparison, COMPARE_NOT_EQUAL);
    CU_ASSERT_EQUAL(e[3].comparison, COMPARE_NEAR);
    CU_ASSERT_DOUBLE_EQUAL(e[3].right.constant, 0.8, 1e-15);
    CU_ASSERT_DOUBLE_EQUAL(e[3].margin, 0.005, 1e-15);
    loaded_free(&l);
    CU_ASSERT_TRUE(refused(BASE "expect: ['users.latency == 5ms']\n", false, "use `~ x +- d`"));
    CU_ASSERT_TRUE(refused(BASE "expect: ['users.errors == 20%']\n", false, "use `~ x +- d`"));
}

static void a_foreign_unit_is_told(void)
{
    CU_ASSERT_TRUE(refused(BASE "expect: ['users.latency < 200']\n", false, "a time: 200ms"));
    CU_ASSERT_TRUE(refused(BASE "expect: ['users.throughput > 5ms']\n", false, "a rate: 200/s"));
    CU_ASSERT_TRUE(refused(BASE "expect: ['web.utilization ~ 0.8 +- 1ms']\n", false, "a number"));
    CU_ASSERT_TRUE(
        refused(BASE "expect: ['users.latency < users.throughput']\n", false, "the other in"));
    CU_ASSERT_TRUE(refused(BASE "expect: ['users.latency < 1s during x']\n", false, "no faults"));
}

SUITE("expectations", TEST(a_term_is_node_operation_metric_and_statistic),
      TEST(percentiles_that_are_named_are_kept), TEST(when_picks_the_points_and_at_pairs_them),
      TEST(what_where_leaves_out_is_no_case), TEST(under_run_a_line_about_another_point_is_skipped),
      TEST(equality_is_for_what_is_counted), TEST(a_foreign_unit_is_told))
