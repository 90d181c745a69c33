#include "engine/experiment/experiment.h"

#include "engine/kernel/simulation.h"
#include "engine/kernel/strike_text.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

/* The first pilot's replication number: beyond those that a scenario can ask for (1 .. 1e6), so
 * that its streams are its own. */
static const uint32_t pilot_first = UINT32_C(1) << 31;

/* What the workers share. The lock guards everything below it; a run itself holds no lock. */
struct workshop {
    const struct experiment *experiment;
    const struct report *report;
    pthread_mutex_t lock;
    uint32_t replications; /* of each point, or pilots */
    uint64_t next, total;  /* tasks: point x replications + replication */
    uint64_t done;
    struct experiment_outcome *outcome;
};

/* A worker keeps the blueprint of the point it plays: a point's replications follow one another. */
struct worker {
    struct workshop *shop;
    struct blueprint *blueprint;
    uint32_t point;
    const char **operations; /* names of the blueprint's operations; owned */
};

static bool stopping(const struct workshop *shop)
{
    return shop->outcome->sink_failed || (shop->experiment->stop && *shop->experiment->stop);
}

/* The next task that is not done yet; false: none is left, or it is time to stop. */
static bool task_take(struct workshop *shop, uint32_t *point, uint32_t *replication)
{
    const struct sink *sink = &shop->experiment->sink;
    bool taken = false;
    pthread_mutex_lock(&shop->lock);
    while (!taken && shop->next < shop->total && !stopping(shop)) {
        uint64_t task = shop->next++;
        *point = (uint32_t)(task / shop->replications);
        *replication = (uint32_t)(task % shop->replications);
        taken = !sink->has || !sink->has(sink->context, *point, *replication);
        if (!taken) {
            shop->outcome->skipped++;
            shop->done++;
        }
    }
    pthread_mutex_unlock(&shop->lock);
    return taken;
}

static void divergence_note(struct experiment_outcome *outcome, uint32_t point,
                            uint32_t replication, const char *message)
{
    bool first = !outcome->diverged++ || point < outcome->diverged_point ||
                 (point == outcome->diverged_point && replication < outcome->diverged_replication);
    if (!first)
        return;
    outcome->diverged_point = point;
    outcome->diverged_replication = replication;
    snprintf(outcome->divergence, sizeof outcome->divergence, "%s", message);
}

static void task_done(struct workshop *shop, uint32_t point, uint32_t replication,
                      const struct result *result, bool stored)
{
    struct experiment_outcome *outcome = shop->outcome;
    const struct watcher *watcher = &shop->experiment->watcher;
    pthread_mutex_lock(&shop->lock);
    if (!stored) {
        outcome->sink_failed = true;
    } else {
        outcome->runs++;
        outcome->events += result->totals.events;
        outcome->fingerprint ^=
            random_mix(result->totals.fingerprint ^ ((uint64_t)point << 32 | replication));
        if (result->diverged)
            divergence_note(outcome, point, replication, result->message);
        shop->done++;
        if (watcher->progress)
            watcher->progress(watcher->context, shop->done, shop->total);
    }
    pthread_mutex_unlock(&shop->lock);
}

/* Makes the blueprint of `point` the worker's. */
static const struct blueprint *worker_blueprint(struct worker *w, uint32_t point)
{
    if (w->blueprint && w->point == point)
        return w->blueprint;
    if (w->blueprint)
        scenario_blueprint_free(w->blueprint);
    w->blueprint = scenario_blueprint(w->shop->experiment->scenario, point);
    if (w->shop->experiment->pilots)
        w->blueprint->series_interval =
            (w->blueprint->duration + EXPERIMENT_PILOT_INTERVALS - 1) / EXPERIMENT_PILOT_INTERVALS;
    w->point = point;
    w->operations = realloc(w->operations, w->blueprint->operation_count * sizeof *w->operations);
    if (!w->operations)
        check_machine("out of memory");
    for (uint32_t i = 0; i < w->blueprint->operation_count; i++)
        w->operations[i] = w->blueprint->operations[i].name;
    return w->blueprint;
}

/* What struck within the duration, or before a run that diverged ended, for its result. */
static void strikes_tell(struct simulation *s, struct result_run *run)
{
    const struct blueprint *b = s->blueprint;
    int64_t stop = s->diverged && simulation_now(s) < b->duration ? simulation_now(s) : b->duration;
    struct result_fault *faults = arena_array(&s->arena, b->fault_count, struct result_fault);
    struct result_strike *strikes = arena_array(&s->arena, s->strike_count, struct result_strike);
    for (uint32_t i = 0; i < b->fault_count; i++)
        faults[i] =
            (struct result_fault){b->faults[i].name, b->faults[i].action, b->faults[i].amount};
    run->faults = faults;
    run->fault_count = b->fault_count;
    run->strikes = strikes;
    for (uint32_t i = 0; i < s->strike_count && s->strikes[i].begin < stop; i++)
        strikes[run->strike_count++] = (struct result_strike){
            .fault = s->strikes[i].fault,
            .target = strike_text(&s->arena, b, &s->strikes[i]),
            .begin = s->strikes[i].begin,
            .end = s->strikes[i].end < stop ? s->strikes[i].end : stop,
        };
}

/* Plays one run. NULL when it was stopped in the middle. */
static struct result *worker_play(struct worker *w, uint32_t point, uint32_t replication)
{
    const struct workshop *shop = w->shop;
    const struct blueprint *blueprint = worker_blueprint(w, point);
    uint32_t number = shop->experiment->pilots ? pilot_first + replication : replication + 1;
    const struct experiment_judge *judges = shop->experiment->judge;
    void *judge = judges ? judges->open(blueprint) : NULL;
    struct simulation_options options = {.probe = judge ? judges->probe(judge) : NULL};
    struct simulation *s = simulation_create(blueprint, shop->report->seed, number, &options);
    if (judge)
        judges->begin(judge, s);
    bool whole = simulation_run(s, shop->experiment->stop);
    if (!whole && !s->diverged) {
        if (judge)
            judges->free(judge);
        simulation_free(s);
        return NULL;
    }
    simulation_close(s);
    if (judge)
        judges->end(judge);
    if (whole)
        simulation_check_identities(s);
    struct simulation_totals totals = simulation_totals(s);
    struct result_run run = {
        .seed = shop->report->seed,
        .replication = number,
        .operations = w->operations,
        .totals = {.events = totals.events,
                   .fingerprint = totals.fingerprint,
                   .live_max = totals.live_max,
                   .unfinished = s->observed_open,
                   .end_ns = totals.end_ns},
        .diverged = s->diverged,
        .message = s->diverged ? simulation_divergence(s) : NULL,
    };
    strikes_tell(s, &run);
    if (judge)
        judges->tell(judge, &run);
    struct result *result = recorder_result(s->recorder, &run);
    if (judge)
        judges->free(judge);
    simulation_free(s);
    return result;
}

static void *worker_main(void *argument)
{
    struct worker w = {.shop = argument};
    const struct sink *sink = &w.shop->experiment->sink;
    uint32_t point, replication;
    while (task_take(w.shop, &point, &replication)) {
        struct result *result = worker_play(&w, point, replication);
        if (!result)
            break;
        bool stored = sink->store(sink->context, point, replication, result);
        task_done(w.shop, point, replication, result, stored);
        result_free(result);
    }
    if (w.blueprint)
        scenario_blueprint_free(w.blueprint);
    free(w.operations);
    return NULL;
}

void experiment_run(const struct experiment *experiment, struct experiment_outcome *outcome)
{
    const struct report *report = scenario_report(experiment->scenario);
    uint32_t replications = experiment->pilots ? experiment->pilots : report->replications;
    struct workshop shop = {
        .experiment = experiment,
        .report = report,
        .replications = replications,
        .total = (uint64_t)report->point_count * replications,
        .outcome = outcome,
    };
    *outcome = (struct experiment_outcome){0};
    CHECK(experiment->jobs >= 1 && experiment->jobs <= EXPERIMENT_JOBS_MAX);
    uint32_t jobs = experiment->jobs > shop.total ? (uint32_t)shop.total : experiment->jobs;
    if (pthread_mutex_init(&shop.lock, NULL))
        check_machine("cannot make a lock");
    pthread_t threads[EXPERIMENT_JOBS_MAX];
    uint32_t started = 0;
    /* Signals are for the thread that called: workers look at `stop`. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (started < jobs && !pthread_create(&threads[started], NULL, worker_main, &shop))
        started++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!started)
        worker_main(&shop); /* no thread could be had: this one does it all */
    for (uint32_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    pthread_mutex_destroy(&shop.lock);
    outcome->missing = shop.total - outcome->runs - outcome->skipped;
    outcome->stopped = experiment->stop && *experiment->stop;
}
