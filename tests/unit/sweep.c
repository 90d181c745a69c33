/* Points of a sweep: lists, ranges, named points, where. */
#include "models/service.h"
#include "tests/scenario.h"

/* The values of all points in one text: "1 a|1 b|". */
static bool points_are(const char *text, const char *wanted)
{
    struct loaded l = load(text, true);
    char said[2000] = "";
    size_t used = 0;
    for (uint32_t p = 0; l.report && p < l.report->point_count; p++)
        for (uint32_t i = 0; i < l.report->parameter_count; i++)
            used += (size_t)snprintf(said + used, sizeof said - used, "%s%s",
                                     l.report->points[p].values[i],
                                     i + 1 == l.report->parameter_count ? "|" : " ");
    bool same = l.scenario && !strcmp(said, wanted);
    if (!same) {
        printf("wanted %s, got %s\n", wanted, said);
        diagnostic_print(l.diagnostics, stdout, false);
    }
    loaded_free(&l);
    return same;
}

static void the_last_key_varies_fastest(void)
{
    CU_ASSERT_TRUE(points_are(DESK
                              "sweep: {nodes.desk.slots: [1, 2], nodes.desk.queue: [0, 5, 9]}\n",
                              "1 0|1 5|1 9|2 0|2 5|2 9|"));
}

static void a_range_has_both_ends_when_the_step_meets_them(void)
{
    CU_ASSERT_TRUE(points_are(DESK "vars: {r: 1}\nsweep: {r: 200/s..1400/s step 400/s}\n",
                              "200/s|600/s|1000/s|1400/s|"));
    CU_ASSERT_TRUE(points_are(DESK "vars: {r: 1}\nsweep: {r: 0.1..0.75 step 0.1}\n",
                              "0.1|0.2|0.3|0.4|0.5|0.6|0.7|"));
    CU_ASSERT_TRUE(
        points_are(DESK "vars: {r: 1}\nsweep: {r: 1s..3s step 500ms}\n", "1s|1.5s|2s|2.5s|3s|"));
}

/* 1k to 1M in 4 values: each ten times the one before. */
static void a_log_range_has_equal_ratios_and_keeps_counts_whole(void)
{
    CU_ASSERT_TRUE(
        points_are(DESK "vars: {n: 1}\nsweep: {n: 1k..1M log 4}\n", "1000|10000|100000|1000000|"));
    CU_ASSERT_TRUE(points_are(DESK "vars: {n: 1}\nsweep: {n: 1..100 log 3}\n", "1|10|100|"));
    CU_ASSERT_TRUE(points_are(DESK "vars: {n: 1}\nsweep: {n: 2..5 log 3}\n", "2|3|5|"));
}

static void a_named_point_sets_several_paths_together(void)
{
    struct loaded l = load(DESK "sweep:\n  design:\n    small: {nodes.desk.slots: 1}\n"
                                "    big: {nodes.desk.slots: 8, nodes.desk.count: 2}\n",
                           true);
    CU_ASSERT_PTR_NOT_NULL_FATAL(l.scenario);
    CU_ASSERT_EQUAL_FATAL(l.report->point_count, 2);
    CU_ASSERT_STRING_EQUAL(l.report->parameters[0], "design");
    CU_ASSERT_STRING_EQUAL(l.report->points[1].values[0], "big");
    struct blueprint *big = scenario_blueprint(l.scenario, 1);
    const struct blueprint_node *desk = node_in(big, "desk");
    const struct service_config *config = desk->instances[0].configs[0];
    CU_ASSERT_EQUAL(desk->count, 2);
    CU_ASSERT_EQUAL(config->station.slots, 8);
    CU_ASSERT_EQUAL(node_in(l.blueprint, "desk")->count, 1);
    scenario_blueprint_free(big);
    loaded_free(&l);
}

static void where_leaves_out_what_does_not_meet_it(void)
{
#define QUORUM DESK "vars: {r: 1, w: 1}\nsweep: {r: [1, 2, 3], w: [1, 2, 3]}\n"
    CU_ASSERT_TRUE(points_are(QUORUM "where: r + w <= 3\n", "1 1|1 2|2 1|"));
    CU_ASSERT_TRUE(points_are(QUORUM "where: [r == w, not r == 2]\n", "1 1|3 3|"));
    CU_ASSERT_TRUE(points_are(QUORUM "where: not (r > 1 or w > 1) or r * w == 9\n", "1 1|3 3|"));
    CU_ASSERT_TRUE(points_are(QUORUM "where: r - w >= 2 and w / r < 0.5\n", "3 1|"));
}

static void conditions_are_typed_and_know_vars_that_are_not_swept(void)
{
#define RATES                                                                                      \
    DESK "vars: {rate: 1/s, limit: $(2 * base), base: 100/s}\n"                                    \
         "sweep: {rate: [100/s, 200/s, 18k/min]}\n"
    CU_ASSERT_TRUE(points_are(RATES "where: rate < limit\n", "100/s|"));
    CU_ASSERT_TRUE(points_are(RATES "where: rate == 300/s\n", "18k/min|"));
    CU_ASSERT_TRUE(refused(RATES "where: rate < 5ms\n", true, "does not compare with a time"));
    CU_ASSERT_TRUE(refused(RATES "where: rat < 5/s\n", true, "only quantities"));
    CU_ASSERT_TRUE(refused(RATES "where: rat == fast\n", true, "`rat` is no swept name"));
}

static void a_choice_with_parameters_equals_its_bare_head(void)
{
#define POLICIES                                                                                   \
    "orrery: 1\nnodes:\n  users: {kind: client, users: 1, to: lb}\n"                               \
    "  lb: {kind: load_balancer, policy: $policy, to: web}\n  web: {kind: service}\n"              \
    "vars: {policy: random}\n"                                                                     \
    "sweep: {policy: [random, power_of_two, power_of_two(replacement=true)]}\n"
    CU_ASSERT_TRUE(points_are(POLICIES "where: policy == power_of_two\n",
                              "power_of_two|power_of_two(replacement=true)|"));
    CU_ASSERT_TRUE(points_are(POLICIES "where: policy == power_of_two(replacement=true)\n",
                              "power_of_two(replacement=true)|"));
    CU_ASSERT_TRUE(points_are(POLICIES "where: policy != power_of_two\n", "random|"));
}

static void run_plays_the_document_as_it_stands(void)
{
    struct loaded l = load(DESK "vars: {n: 3}\nsweep: {n: [1, 2], nodes.desk.slots: [7]}\n", false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(l.scenario);
    CU_ASSERT_EQUAL(l.report->point_count, 1);
    CU_ASSERT_EQUAL(l.report->parameter_count, 0);
    const struct service_config *config = node_in(l.blueprint, "desk")->instances[0].configs[0];
    CU_ASSERT_EQUAL(config->station.slots, 1);
    loaded_free(&l);
}

static void nothing_is_loaded_when_any_point_is_wrong(void)
{
    CU_ASSERT_TRUE(refused(DESK "sweep: {nodes.desk.slots: [1, 2, 0]}\n", true, "at point 3"));
    CU_ASSERT_TRUE(refused(DESK "sweep: {nodes.desk.slots: 1..2000 step 1, nodes.desk.queue: "
                                "1..2000 step 1}\n",
                           true, "more than 1000000 points"));
    CU_ASSERT_TRUE(refused("run: {duration: 9s}\n" DESK "sweep: {run.duration: [9s, 8s]}\n", true,
                           "one for all points"));
}

SUITE("sweeps", TEST(the_last_key_varies_fastest),
      TEST(a_range_has_both_ends_when_the_step_meets_them),
      TEST(a_log_range_has_equal_ratios_and_keeps_counts_whole),
      TEST(a_named_point_sets_several_paths_together), TEST(where_leaves_out_what_does_not_meet_it),
      TEST(conditions_are_typed_and_know_vars_that_are_not_swept),
      TEST(a_choice_with_parameters_equals_its_bare_head),
      TEST(run_plays_the_document_as_it_stands), TEST(nothing_is_loaded_when_any_point_is_wrong))
