/* `orrery run` and `orrery sweep`: load, play what is missing, derive, answer.
 *
 *   scenario -> experiment -> parts (sink) -> CSV, verdicts -> table
 *
 * SIGINT and SIGTERM end the runs that are under way; what was finished before is derived and
 * marked incomplete. A second one ends the program at once. */
#include "engine/cli/cli.h"
#include "engine/cli/folder.h"
#include "engine/cli/size.h"
#include "engine/experiment/experiment.h"
#include "engine/experiment/warmup.h"
#include "engine/scenario/diagnostic.h"
#include "models/registry.h"
#include "output/consistency.h"
#include "output/output.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static volatile int stop_asked; /* set by the signal; volatile int as the workers look at it */

static void stop_signal(int number)
{
    if (stop_asked)
        _exit(128 + number);
    stop_asked = 1;
}

static void stop_watch(void)
{
    struct sigaction action = {.sa_handler = stop_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static double wall_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* ---- the sink: part files ---- */

struct parts {
    const char *directory, *hash;
    uint64_t seed;
    bool resume;
    struct output_error error; /* of the first store that failed; see parts_store */
    int failed;
};

static struct part_identity identity(const struct parts *parts, uint32_t point,
                                     uint32_t replication)
{
    return (struct part_identity){.scenario = parts->hash,
                                  .point = point + 1,
                                  .replication = replication + 1,
                                  .seed = parts->seed};
}

static bool parts_has(void *context, uint32_t point, uint32_t replication)
{
    const struct parts *parts = context;
    struct part_identity who = identity(parts, point, replication);
    return parts->resume && output_part_valid(parts->directory, &who);
}

static bool parts_store(void *context, uint32_t point, uint32_t replication,
                        const struct result *result)
{
    struct parts *parts = context;
    struct part_identity who = identity(parts, point, replication);
    struct output_error error;
    if (output_part_write(parts->directory, &who, result, &error))
        return true;
    if (!__atomic_exchange_n(&parts->failed, 1, __ATOMIC_SEQ_CST))
        parts->error = error;
    return false;
}

/* ---- progress, on a terminal only ---- */

struct progress {
    double began, shown;
};

static void progress_show(void *context, uint64_t done, uint64_t total)
{
    struct progress *progress = context;
    double now = wall_seconds();
    if (now - progress->shown < 0.1 && done < total)
        return;
    progress->shown = now;
    double left = done ? (now - progress->began) / (double)done * (double)(total - done) : 0;
    fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " runs, about %.0f s left \033[K", done, total,
            left);
    if (done == total)
        fputs("\r\033[K", stderr);
    fflush(stderr);
}

/* ---- the plan ---- */

/* One JSON document: [{"point":1,"policy":"random"}, ..], values as written. */
static void plan_json(const struct report *report)
{
    struct arena arena = {0};
    for (uint32_t i = 0; i < report->point_count; i++) {
        printf("%s{\"point\":%" PRIu32, i ? ",\n" : "[", i + 1);
        for (uint32_t k = 0; k < report->parameter_count; k++)
            printf(",%s:%s", output_json_text(&arena, report->parameters[k]),
                   output_json_text(&arena, report->points[i].values[k]));
        putchar('}');
        arena_reset(&arena);
    }
    puts("]");
    arena_free(&arena);
}

/* "34 MB", to two digits: it is an estimate. */
static const char *bytes_text(struct arena *arena, double bytes)
{
    static const char *const units[] = {"B", "KB", "MB", "GB", "TB"};
    int unit = 0;
    while (bytes >= 999.5 && unit < 4) {
        bytes /= 1000;
        unit++;
    }
    double step = bytes >= 100 ? 10 : bytes >= 10 ? 1 : 0.1;
    return arena_format(arena, "%.*f %s", step < 1, step * (double)(int64_t)(bytes / step + 0.5),
                        units[unit]);
}

/* The points, how many runs they come to and how much they will write; quiet: no points. */
static int plan(const struct options *options, const struct scenario *scenario)
{
    const struct report *report = scenario_report(scenario);
    if (options->json) {
        plan_json(report);
        return answer_end(EXIT_DONE);
    }
    for (uint32_t i = 0; !options->quiet && i < report->point_count; i++) {
        printf("point %" PRIu32, i + 1);
        for (uint32_t k = 0; k < report->parameter_count; k++)
            printf("  %s=%s", report->parameters[k], report->points[i].values[k]);
        putchar('\n');
    }
    printf("%" PRIu32 " point%s x %" PRIu32 " replication%s = %" PRIu64 " runs of %.6g s\n",
           report->point_count, report->point_count == 1 ? "" : "s", report->replications,
           report->replications == 1 ? "" : "s",
           (uint64_t)report->point_count * report->replications, (double)report->duration * 1e-9);
    struct size size = size_predict(scenario);
    struct arena arena = {0};
    printf("about %s on disk: parts %s, CSV files %s\n", bytes_text(&arena, size.parts + size.csv),
           bytes_text(&arena, size.parts), bytes_text(&arena, size.csv));
    arena_free(&arena);
    return answer_end(EXIT_DONE);
}

/* ---- the answer ---- */

static int verdict_code(const struct options *options, const struct outcome *outcome)
{
    if (outcome->fails)
        return EXIT_EXPECTATION;
    return options->strict && outcome->undecided ? EXIT_EXPECTATION : EXIT_DONE;
}

static void notes(const struct report *report, const struct outcome *outcome)
{
    uint32_t skipped = 0;
    for (uint32_t i = 0; i < report->expectation_count; i++)
        skipped += report->expectations[i].skipped;
    if (skipped)
        fprintf(stderr,
                "orrery: note: %" PRIu32 " expectation%s of other points %s left out; "
                "`orrery sweep` judges %s\n",
                skipped, skipped == 1 ? "" : "s", skipped == 1 ? "is" : "are",
                skipped == 1 ? "it" : "them");
    if (outcome->undecided)
        fprintf(stderr,
                "orrery: note: %" PRIu32 " expectation%s undecided: the interval is too wide; more "
                "replications (-r) narrow it\n",
                outcome->undecided, outcome->undecided == 1 ? " stays" : "s stay");
}

static int answer(const struct options *options, const char *directory, const struct report *report,
                  const struct outcome *outcome)
{
    struct output_error error;
    if (options->json) {
        if (!output_json(stdout, directory, report, outcome, &error)) {
            complain("%s", error.message);
            return EXIT_MACHINE;
        }
    } else if (!options->quiet) {
        output_table(stdout, report, outcome, options_color(options, stdout));
        printf("fingerprint %016" PRIx64 ", %" PRIu64 " events; files in %s/\n",
               outcome->fingerprint, outcome->events, directory);
    }
    return answer_end(EXIT_DONE);
}

/* Derives the files from what was finished, describes the run and answers. */
/* The judge of what happens to data, as the experiment calls it. */
static void *judge_open(const struct blueprint *blueprint)
{
    return consistency_open(blueprint);
}
static const struct probe *judge_probe(const void *judge)
{
    return consistency_probe(judge);
}
static void judge_begin(void *judge, struct simulation *s)
{
    consistency_begin(judge, s);
}
static void judge_end(void *judge)
{
    consistency_end(judge);
}
static void judge_free(void *judge)
{
    consistency_free(judge);
}
static void judge_tell(const void *judge_of, struct result_run *run)
{
    consistency_tell(judge_of, run);
}

static const struct experiment_judge judge = {judge_open, judge_probe, judge_begin,
                                              judge_end,  judge_tell,  judge_free};

static int finish(const struct options *options, const struct scenario *scenario,
                  const char *directory, const struct experiment_outcome *played, double began)
{
    const struct report *report = scenario_report(scenario);
    struct output_error error;
    struct outcome *outcome = output_derive(directory, report, scenario_hash(scenario), &error);
    if (!outcome) {
        complain("%s", error.message);
        return EXIT_MACHINE;
    }
    bool missing = outcome->part_count < outcome->part_expected;
    struct run_facts facts = {
        .events = outcome->events,
        .fingerprint = outcome->fingerprint,
        .runs = outcome->part_count,
        .unfinished = outcome->unfinished,
        .wall_s = wall_seconds() - began,
        .complete = !missing && !outcome->diverged,
        .divergence = outcome->message ? outcome->message : "",
        .resumed = options->resume,
    };
    int code = EXIT_MACHINE;
    if (folder_describe(directory, scenario, options->operands[0], &facts)) {
        code = answer(options, directory, report, outcome);
        if (!options->quiet)
            notes(report, outcome);
        if (code == EXIT_DONE)
            code = verdict_code(options, outcome);
        if (outcome->diverged) {
            complain("%s", facts.divergence);
            code = code == EXIT_MACHINE ? code : EXIT_INCOMPLETE;
        } else if (missing) {
            code = code == EXIT_MACHINE ? code : EXIT_INCOMPLETE;
        }
        if (missing)
            complain("%" PRIu32 " of %" PRIu32 " runs are finished; --resume plays the rest",
                     outcome->part_count, outcome->part_expected);
    }
    outcome_free(outcome);
    return played->stopped && missing ? EXIT_INTERRUPTED : code;
}

/* ---- the warm-up ---- */

/* `warmup: auto`: finds it, before anything of an earlier run is removed. EXIT_DONE, or the exit
 * code of what came in between. */
static int warmup(struct scenario *scenario, const struct experiment *experiment)
{
    struct warmup found;
    double floor_ns;
    if (!scenario_warmup_auto(scenario, &floor_ns))
        return EXIT_DONE;
    warmup_find(experiment, &found);
    if (experiment->watcher.progress)
        fputs("\r\033[K", stderr);
    if (found.pilots.diverged) {
        complain("`warmup: auto` waits for a steady state, and a pilot finds none: %s",
                 found.pilots.divergence);
        return EXIT_INCOMPLETE;
    }
    if (found.pilots.missing) {
        complain("interrupted while pilots looked for the warm-up; nothing was played");
        return EXIT_INTERRUPTED;
    }
    if (found.too_short)
        fprintf(stderr,
                "orrery: warning: `warmup: auto` takes half of the run and would take more: "
                "make `duration` longer; every row is flagged `warmup`\n");
    scenario_warmup_set(scenario, found.cut_ns, found.too_short);
    return EXIT_DONE;
}

static int play_in(const struct options *options, struct scenario *scenario, const char *directory)
{
    const struct report *report = scenario_report(scenario);
    struct parts parts = {.directory = directory,
                          .hash = scenario_hash(scenario),
                          .seed = report->seed,
                          .resume = options->resume};
    struct progress progress = {.began = wall_seconds()};
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    uint32_t jobs = options->has_jobs                  ? (uint32_t)options->jobs
                    : processors > EXPERIMENT_JOBS_MAX ? EXPERIMENT_JOBS_MAX
                    : processors > 0                   ? (uint32_t)processors
                                                       : 1;
    struct experiment experiment = {
        .scenario = scenario,
        .sink = {.context = &parts, .has = parts_has, .store = parts_store},
        .watcher = {.context = &progress,
                    .progress = isatty(STDERR_FILENO) && !options->quiet ? progress_show : NULL},
        .judge = &judge,
        .jobs = jobs,
        .stop = &stop_asked,
    };
    struct experiment_outcome played;
    if (!folder_make(directory))
        return EXIT_MACHINE;
    stop_watch();
    int code = warmup(scenario, &experiment);
    if (code != EXIT_DONE)
        return code;
    if (!options->resume && !folder_empty(directory))
        return EXIT_MACHINE;
    experiment_run(&experiment, &played);
    if (experiment.watcher.progress)
        fputs("\r\033[K", stderr);
    if (played.sink_failed) {
        complain("%s; what is finished is kept, --resume goes on", parts.error.message);
        return EXIT_MACHINE;
    }
    return finish(options, scenario, directory, &played, progress.began);
}

static int play(const struct options *options, bool sweep)
{
    struct diagnostics diagnostics = {0};
    const char *sets[OPTIONS_SETS_MAX + 1];
    memcpy(sets, options->sets, sizeof options->sets);
    if (options->history)
        sets[options->set_count] = "output.history=true";
    struct scenario_request request = {
        .path = options->operands[0],
        .sets = sets,
        .set_count = options->set_count + options->history,
        .has_seed = options->has_seed,
        .seed = options->seed,
        .has_replications = options->has_replications,
        .replications = options->replications,
        .kinds = model_kinds,
        .sweep = sweep,
    };
    if (!scenario_readable(request.path))
        return EXIT_MACHINE;
    struct scenario *scenario = scenario_load(&request, &diagnostics);
    if (!scenario || !options->quiet)
        diagnostic_print(&diagnostics, stderr, options_color(options, stderr));
    if (scenario && sweep && !scenario_report(scenario)->parameter_count && !options->quiet)
        fprintf(stderr,
                "orrery: note: the scenario has no `sweep`; it is one point, as `orrery run` "
                "plays it\n");
    int code = EXIT_USAGE;
    if (scenario && options->plan) {
        code = plan(options, scenario);
    } else if (scenario) {
        struct arena arena = {0};
        const char *directory = options->out
                                    ? options->out
                                    : arena_format(&arena, "results/%s", scenario_stem(scenario));
        code = play_in(options, scenario, directory);
        arena_free(&arena);
    }
    scenario_free(scenario);
    diagnostic_free(&diagnostics);
    return code;
}

int command_run(const struct command *command, const struct options *options)
{
    (void)command;
    return play(options, false);
}

int command_sweep(const struct command *command, const struct options *options)
{
    (void)command;
    return play(options, true);
}
