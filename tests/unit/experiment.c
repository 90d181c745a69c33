/* Experiments: whatever the number of threads, the same runs with the same results; what is there
 * is skipped, a sink that fails or a stop ends it, a design that diverges is told. */
#include "engine/experiment/experiment.h"
#include "engine/kernel/random.h"
#include "engine/scenario/diagnostic.h"
#include "models/registry.h"
#include "tests/suite.h"

#include <pthread.h>

static const char text[] = "orrery: 1\n"
                           "run: {warmup: 1s, duration: 6s, replications: 5}\n"
                           "vars: {policy: random}\n"
                           "nodes:\n"
                           "  users: {kind: client, arrivals: poisson(200/s), to: lb}\n"
                           "  lb: {kind: load_balancer, policy: $policy, to: web}\n"
                           "  web: {kind: service, count: 3, time: exp(10ms)}\n"
                           "sweep: {policy: [random, round_robin, power_of_two]}\n";

enum { POINTS = 3, REPLICATIONS = 5, JOBS_MAX = 4 };

/* What a sink has seen; the lock because workers call it at once. */
struct seen {
    pthread_mutex_t lock;
    uint64_t fingerprint[POINTS][REPLICATIONS];
    int stored, fail_after;
    bool have[POINTS][REPLICATIONS];
    volatile int stop;
    int stop_after;
};

static bool seen_has(void *context, uint32_t point, uint32_t replication)
{
    const struct seen *seen = context;
    return seen->have[point][replication];
}

static bool seen_store(void *context, uint32_t point, uint32_t replication,
                       const struct result *result)
{
    struct seen *seen = context;
    pthread_mutex_lock(&seen->lock);
    CU_ASSERT_EQUAL(seen->fingerprint[point][replication], 0);
    seen->fingerprint[point][replication] = result->totals.fingerprint;
    bool kept = ++seen->stored != seen->fail_after;
    if (seen->stored == seen->stop_after)
        seen->stop = 1;
    pthread_mutex_unlock(&seen->lock);
    return kept;
}

static struct scenario *load(const char *source, bool sweep, struct diagnostics *diagnostics)
{
    struct scenario_request request = {.path = "test", .kinds = model_kinds, .sweep = sweep};
    struct scenario *scenario = scenario_load_text(&request, source, strlen(source), diagnostics);
    if (!scenario)
        diagnostic_print(diagnostics, stdout, false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
    return scenario;
}

static struct experiment_outcome play(const struct scenario *scenario, struct seen *seen,
                                      uint32_t jobs)
{
    struct experiment experiment = {
        .scenario = scenario,
        .sink = {.context = seen, .has = seen_has, .store = seen_store},
        .jobs = jobs,
        .stop = &seen->stop,
    };
    struct experiment_outcome outcome;
    pthread_mutex_init(&seen->lock, NULL);
    experiment_run(&experiment, &outcome);
    pthread_mutex_destroy(&seen->lock);
    return outcome;
}

static void threads_change_nothing(void)
{
    struct diagnostics diagnostics = {0};
    struct scenario *scenario = load(text, true, &diagnostics);
    struct seen alone = {0};
    struct experiment_outcome first = play(scenario, &alone, 1);
    CU_ASSERT_EQUAL(first.runs, POINTS * REPLICATIONS);
    CU_ASSERT_EQUAL(first.missing, 0);
    for (uint32_t jobs = 2; jobs <= JOBS_MAX; jobs++) {
        struct seen together = {0};
        struct experiment_outcome outcome = play(scenario, &together, jobs);
        CU_ASSERT_EQUAL(outcome.fingerprint, first.fingerprint);
        CU_ASSERT_EQUAL(outcome.events, first.events);
        CU_ASSERT(!memcmp(together.fingerprint, alone.fingerprint, sizeof alone.fingerprint));
    }
    for (int i = 1; i < REPLICATIONS; i++) /* replications differ from one another */
        CU_ASSERT_NOT_EQUAL(alone.fingerprint[0][i], alone.fingerprint[0][0]);
    scenario_free(scenario);
    diagnostic_free(&diagnostics);
}

static void what_is_there_is_skipped(void)
{
    struct diagnostics diagnostics = {0};
    struct scenario *scenario = load(text, true, &diagnostics);
    struct seen seen = {0};
    seen.have[0][2] = seen.have[2][4] = true;
    struct experiment_outcome outcome = play(scenario, &seen, 2);
    CU_ASSERT_EQUAL(outcome.skipped, 2);
    CU_ASSERT_EQUAL(outcome.runs, POINTS * REPLICATIONS - 2);
    CU_ASSERT_EQUAL(outcome.missing, 0);
    CU_ASSERT_EQUAL(seen.fingerprint[0][2], 0);
    scenario_free(scenario);
    diagnostic_free(&diagnostics);
}

static void a_sink_that_fails_ends_it(void)
{
    struct diagnostics diagnostics = {0};
    struct scenario *scenario = load(text, true, &diagnostics);
    struct seen seen = {.fail_after = 4};
    struct experiment_outcome outcome = play(scenario, &seen, 1);
    CU_ASSERT(outcome.sink_failed);
    CU_ASSERT_EQUAL(outcome.runs, 3);
    CU_ASSERT_EQUAL(outcome.missing, POINTS * REPLICATIONS - 3);
    scenario_free(scenario);
    diagnostic_free(&diagnostics);
}

static void a_stop_keeps_what_is_finished(void)
{
    struct diagnostics diagnostics = {0};
    struct scenario *scenario = load(text, true, &diagnostics);
    struct seen seen = {.stop_after = 6};
    struct experiment_outcome outcome = play(scenario, &seen, 1);
    CU_ASSERT(outcome.stopped);
    CU_ASSERT_EQUAL(outcome.runs, 6);
    CU_ASSERT_EQUAL(outcome.missing, POINTS * REPLICATIONS - 6);
    scenario_free(scenario);
    diagnostic_free(&diagnostics);
}

static void a_design_that_diverges_is_told(void)
{
    static const char unstable[] =
        "orrery: 1\n"
        "run: {warmup: 1s, duration: 1000s, replications: 2, in_flight: 1k}\n"
        "nodes:\n"
        "  users: {kind: client, arrivals: poisson(200/s), to: web}\n"
        "  web: {kind: service, time: exp(10ms)}\n";
    struct diagnostics diagnostics = {0};
    struct scenario *scenario = load(unstable, false, &diagnostics);
    struct seen seen = {0};
    struct experiment_outcome outcome = play(scenario, &seen, 2);
    CU_ASSERT_EQUAL(outcome.runs, 2);
    CU_ASSERT_EQUAL(outcome.diverged, 2);
    CU_ASSERT_EQUAL(outcome.diverged_replication, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(outcome.divergence, "growing at web"));
    scenario_free(scenario);
    diagnostic_free(&diagnostics);
}

SUITE("experiments", TEST(threads_change_nothing), TEST(what_is_there_is_skipped),
      TEST(a_sink_that_fails_ends_it), TEST(a_stop_keeps_what_is_finished),
      TEST(a_design_that_diverges_is_told))
