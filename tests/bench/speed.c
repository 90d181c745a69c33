/* The speed table of `make bench`: every figure is a ratio measured in one run of this program, so
 * that a slow or busy machine changes the columns in seconds but hardly the ratios.
 *
 * The yardstick is a hand-coded loop of an M/M/1 queue: two variables, no event queue, no dispatch,
 * the mean latency as its only statistic. Everything else is Orrery as users run it: scenarios read
 * from YAML, all recorders on. */
#include "engine/experiment/experiment.h"
#include "engine/scenario/diagnostic.h"
#include "models/registry.h"
#include "tests/bench/yardstick.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 3 };

/* ---- scenarios ---- */

static struct scenario *load(const char *path, uint64_t replications)
{
    static struct diagnostics diagnostics;
    struct scenario_request request = {
        .path = path, .kinds = model_kinds, .has_replications = true, .replications = replications};
    struct scenario *scenario = scenario_load(&request, &diagnostics);
    if (!scenario) {
        diagnostic_print(&diagnostics, stderr, false);
        exit(1);
    }
    return scenario;
}

static bool sink_drop(void *context, uint32_t point, uint32_t replication,
                      const struct result *result)
{
    (void)context, (void)point, (void)replication, (void)result;
    return true;
}

/* One run on this thread; operations counted by what the scenario offers: `rate` a second. */
static double play(const struct scenario *scenario, double rate, double *events)
{
    const struct report *report = scenario_report(scenario);
    struct experiment experiment = {.scenario = scenario, .sink = {.store = sink_drop}, .jobs = 1};
    struct experiment_outcome outcome;
    double began = yardstick_seconds();
    experiment_run(&experiment, &outcome);
    double spent = yardstick_seconds() - began;
    *events = (double)outcome.events / spent;
    return rate * (double)report->duration * 1e-9 / spent;
}

/* The best of a few rounds, each beside a round of the yardstick. */
static void ratio_row(const char *what, const char *path, double offered, double asked)
{
    struct scenario *scenario = load(path, 1);
    double best = 0, best_rate = 0, best_events = 0;
    for (int i = 0; i < ROUNDS; i++) {
        double mean, events;
        double loop = yardstick(10000000, &mean);
        double rate = play(scenario, offered, &events);
        if (rate / loop > best) {
            best = rate / loop;
            best_rate = rate;
            best_events = events;
        }
    }
    printf("%-46s %6.3f x the loop (asked %.3f)  %5.2f M/s  %5.1f M events/s\n", what, best, asked,
           best_rate * 1e-6, best_events * 1e-6);
    scenario_free(scenario);
}

/* ---- workers ---- */

static double experiment_seconds(const struct scenario *scenario, uint32_t jobs)
{
    struct experiment experiment = {
        .scenario = scenario, .sink = {.store = sink_drop}, .jobs = jobs};
    struct experiment_outcome outcome;
    double began = yardstick_seconds();
    experiment_run(&experiment, &outcome);
    return yardstick_seconds() - began;
}

static void workers_row(const char *path)
{
    struct scenario *scenario = load(path, 8);
    double best = 0;
    for (int i = 0; i < ROUNDS; i++) {
        double one = experiment_seconds(scenario, 1);
        double two = experiment_seconds(scenario, 2);
        best = one / two > best ? one / two : best;
    }
    printf("%-46s %6.3f x one worker (asked 1.8; %ld processors here)\n",
           "2 workers, 8 replications of M/M/1", best, sysconf(_SC_NPROCESSORS_ONLN));
    scenario_free(scenario);
}

/* ---- memory: the peak of a process that plays it, in KiB ---- */

static long peak(const char *path, const char *duration)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        const char *sets[] = {duration};
        static struct diagnostics diagnostics;
        struct scenario_request request = {
            .path = path, .kinds = model_kinds, .sets = sets, .set_count = 1};
        struct scenario *scenario = scenario_load(&request, &diagnostics);
        if (!scenario)
            _exit(1);
        double events;
        play(scenario, 800, &events);
        _exit(0);
    }
    struct rusage usage;
    int status = 1;
    if (child < 0 || wait4(child, &status, 0, &usage) < 0 || status)
        exit(1);
    return usage.ru_maxrss;
}

static void memory_row(const char *path)
{
    long shorter = peak(path, "run.duration=1000s"), longer = peak(path, "run.duration=16000s");
    printf("%-46s %6.3f x the memory for 16 x the requests (%ld, %ld KiB)\n", "memory of a run",
           (double)longer / (double)shorter, shorter, longer);
}

int main(void)
{
    double mean;
    double loop = yardstick(30000000, &mean);
    printf("hand-coded M/M/1 loop: %.1f M objects/s (mean %.3f inside, theory 4)\n", loop * 1e-6,
           mean);
    ratio_row("M/M/1 from YAML, objects", "tests/bench/mm1.yaml", 800, 0.25);
    ratio_row("client, balancer, 2 services, 0.3 ms, timeout", "tests/bench/balancer.yaml", 1600,
              0.07);
    workers_row("tests/bench/mm1.yaml");
    memory_row("tests/bench/mm1.yaml");
    return 0;
}
