/* `warmup: auto`: MSER against its definition, the cut of systems whose warm-up is known, the same
 * cut for any number of threads, and pilots that touch nobody's streams. */
#include "engine/experiment/warmup.h"
#include "engine/kernel/random.h"
#include "models/registry.h"
#include "tests/suite.h"

#include <math.h>

/* The definition, word by word. */
static double statistic(const double *values, uint32_t from, uint32_t count)
{
    double n = count - from, mean = 0, squares = 0;
    for (uint32_t i = from; i < count; i++)
        mean += values[i] / n;
    for (uint32_t i = from; i < count; i++)
        squares += (values[i] - mean) * (values[i] - mean);
    return squares / (n * n);
}

static void mser_is_its_definition(void)
{
    enum { COUNT = 120 };
    struct stream stream;
    stream_open(&stream, 1, 1, "warmup", "test");
    for (int round = 0; round < 200; round++) {
        double values[COUNT], decay = 1 + 30 * random_unit(stream_next(&stream));
        uint32_t least = 0;
        for (int i = 0; i < COUNT; i++)
            values[i] = 1 - exp(-i / decay) + 0.2 * random_unit(stream_next(&stream));
        for (uint32_t d = 0; d <= COUNT / 2; d++)
            if (statistic(values, d, COUNT) < statistic(values, least, COUNT))
                least = d;
        CU_ASSERT_EQUAL(warmup_mser(values, COUNT), least);
    }
}

static void what_is_settled_from_the_start_is_not_cut(void)
{
    const double flat[] = {3, 3, 3, 3, 3, 3, 3, 3}, step[] = {0, 0, 0, 5, 5, 5, 5, 5, 5, 5};
    CU_ASSERT_EQUAL(warmup_mser(flat, 8), 0);
    CU_ASSERT_EQUAL(warmup_mser(step, 10), 3);
    CU_ASSERT_EQUAL(warmup_mser(flat, 1), 0);
    CU_ASSERT_EQUAL(warmup_mser(flat, 0), 0);
}

static struct scenario *load(const char *source, struct diagnostics *diagnostics)
{
    struct scenario_request request = {.path = "test", .kinds = model_kinds, .sweep = true};
    struct scenario *scenario = scenario_load_text(&request, source, strlen(source), diagnostics);
    if (!scenario)
        diagnostic_print(diagnostics, stdout, false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
    return scenario;
}

static struct warmup find(const char *source, uint32_t jobs)
{
    struct diagnostics diagnostics = {0};
    struct scenario *scenario = load(source, &diagnostics);
    struct experiment experiment = {.scenario = scenario, .jobs = jobs};
    struct warmup found;
    warmup_find(&experiment, &found);
    scenario_free(scenario);
    diagnostic_free(&diagnostics);
    return found;
}

/* A box that keeps every request for 20 s fills up to 2000 of them until then, and stays so. */
static void a_filling_box_is_cut_where_it_is_full(void)
{
    struct warmup found = find("orrery: 1\n"
                               "run: {warmup: auto, duration: 100s}\n"
                               "nodes:\n"
                               "  users: {kind: client, arrivals: constant(100/s), to: box}\n"
                               "  box: {kind: service, slots: unlimited, time: 20s}\n",
                               1);
    CU_ASSERT_EQUAL(found.cut_ns, INT64_C(20000000000));
    CU_ASSERT_FALSE(found.too_short);
}

/* The same box in half of the time: it is full when more than half of the run is over. */
static void a_run_that_is_too_short_is_told(void)
{
    struct warmup found = find("orrery: 1\n"
                               "run: {warmup: auto, duration: 30s}\n"
                               "nodes:\n"
                               "  users: {kind: client, arrivals: constant(100/s), to: box}\n"
                               "  box: {kind: service, slots: unlimited, time: 20s}\n",
                               1);
    CU_ASSERT_EQUAL(found.cut_ns, INT64_C(15000000000));
    CU_ASSERT(found.too_short);
}

/* M/M/1 at load 0.9: 20 x 10 ms / (1 - sqrt 0.9)^2 = 75.96 s, in intervals of 1.5 s. The empty
 * start costs 100 services, 1 s, so the floor of the prediction decides. */
static const char sweep[] = "orrery: 1\n"
                            "run: {warmup: auto, duration: 300s}\n"
                            "vars: {rate: 50/s}\n"
                            "nodes:\n"
                            "  users: {kind: client, arrivals: poisson($rate), to: desk}\n"
                            "  desk: {kind: service, time: exp(10ms)}\n"
                            "sweep: {rate: [50/s, 90/s, 70/s]}\n";

static void the_largest_of_all_points_holds_for_each(void)
{
    struct warmup alone = find(sweep, 1);
    CU_ASSERT_EQUAL(alone.cut_ns, INT64_C(76500000000));
    CU_ASSERT_EQUAL(alone.pilots.runs, 3 * WARMUP_PILOTS);
    CU_ASSERT_FALSE(alone.too_short);
    for (uint32_t jobs = 2; jobs <= 4; jobs++) {
        struct warmup together = find(sweep, jobs);
        CU_ASSERT_EQUAL(together.cut_ns, alone.cut_ns);
        CU_ASSERT_EQUAL(together.pilots.fingerprint, alone.pilots.fingerprint);
    }
}

enum { REPLICATIONS = 10 }; /* the default */

struct seen {
    uint64_t fingerprint[REPLICATIONS];
    int64_t begin;
};

static bool see(void *context, uint32_t point, uint32_t replication, const struct result *result)
{
    struct seen *seen = context;
    if (!point) {
        seen->fingerprint[replication] = result->totals.fingerprint;
        seen->begin = result->windows[0].parts[0].begin;
    }
    return true;
}

static void pilots_are_no_replications(void)
{
    struct diagnostics diagnostics = {0};
    struct scenario *scenario = load(sweep, &diagnostics);
    struct seen pilots = {.begin = 0}, runs = {.begin = 0};
    struct experiment experiment = {.scenario = scenario,
                                    .sink = {.context = &pilots, .store = see},
                                    .jobs = 1,
                                    .pilots = WARMUP_PILOTS};
    struct experiment_outcome outcome;
    experiment_run(&experiment, &outcome);
    CU_ASSERT_EQUAL(pilots.begin, INT64_C(30000000000)); /* not found yet: a tenth */
    scenario_warmup_set(scenario, INT64_C(90000000000), false);
    CU_ASSERT_EQUAL(scenario_report(scenario)->warmup, INT64_C(90000000000));
    experiment.sink = (struct sink){.context = &runs, .store = see};
    experiment.pilots = 0;
    experiment_run(&experiment, &outcome);
    CU_ASSERT_EQUAL(runs.begin, INT64_C(90000000000));
    for (int i = 0; i < WARMUP_PILOTS; i++)
        for (int k = 0; k < REPLICATIONS; k++)
            CU_ASSERT_NOT_EQUAL(pilots.fingerprint[i], runs.fingerprint[k]);
    scenario_free(scenario);
    diagnostic_free(&diagnostics);
}

SUITE("the warm-up", TEST(mser_is_its_definition), TEST(what_is_settled_from_the_start_is_not_cut),
      TEST(a_filling_box_is_cut_where_it_is_full), TEST(a_run_that_is_too_short_is_told),
      TEST(the_largest_of_all_points_holds_for_each), TEST(pilots_are_no_replications))
