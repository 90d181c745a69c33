#include "tests/validation/play.h"

#include "models/registry.h"
#include "output/consistency.h"
#include "tests/validation/kinds.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the workers share: the next replication, under the lock. */
struct stage {
    const struct play_request *request;
    struct played *played;
    pthread_mutex_t lock;
    uint32_t next;
};

static void *room(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (!memory)
        check_machine("out of memory");
    return memory;
}

static uint32_t stage_next(struct stage *stage)
{
    pthread_mutex_lock(&stage->lock);
    uint32_t next = stage->next++;
    pthread_mutex_unlock(&stage->lock);
    return next;
}

/* What struck within the duration. */
static void strikes_tell(struct simulation *s, struct result_run *run)
{
    int64_t stop = s->blueprint->duration;
    struct result_strike *strikes = arena_array(&s->arena, s->strike_count, struct result_strike);
    run->strikes = strikes;
    for (uint32_t i = 0; i < s->strike_count && s->strikes[i].begin < stop; i++)
        strikes[run->strike_count++] = (struct result_strike){
            .fault = s->strikes[i].fault,
            .target = "",
            .begin = s->strikes[i].begin,
            .end = s->strikes[i].end < stop ? s->strikes[i].end : stop,
        };
}

static struct result *result_of(struct simulation *s, const struct blueprint *blueprint,
                                uint32_t replication)
{
    const char *names[OPERATIONS_MAX];
    struct simulation_totals totals = simulation_totals(s);
    for (uint32_t i = 0; i < blueprint->operation_count; i++)
        names[i] = blueprint->operations[i].name;
    struct result_run run = {
        .seed = s->seed,
        .replication = replication + 1,
        .operations = names,
        .totals = {totals.events, totals.fingerprint, totals.live_max, s->observed_open,
                   totals.end_ns},
    };
    strikes_tell(s, &run);
    return recorder_result(s->recorder, &run);
}

static void play_one(struct stage *stage, const struct blueprint *blueprint, uint32_t replication)
{
    const struct measure *measure = stage->request->measure;
    struct observer observer = {0};
    struct simulation_options options = {0};
    if (measure) {
        observer = (struct observer){measure->size ? room(1, measure->size) : NULL, measure->arrive,
                                     measure->leave, measure->serve};
        options.observer = &observer;
    }
    struct consistency *judge = consistency_open(blueprint);
    if (judge)
        options.probe = consistency_probe(judge);
    struct simulation *s =
        simulation_create(blueprint, stage->request->seed, replication + 1, &options);
    if (judge)
        consistency_begin(judge, s);
    if (!simulation_run(s, NULL)) {
        fprintf(stderr, "%s: %s\n", stage->request->path, simulation_divergence(s));
        exit(4);
    }
    simulation_close(s);
    if (judge)
        consistency_end(judge);
    consistency_free(judge);
    simulation_check_identities(s);
    struct result *result = result_of(s, blueprint, replication);
    simulation_free(s);
    stage->played->results[replication] = result;
    if (measure) {
        measure->end(observer.context, result, &stage->played->own[replication * ROWS_MAX]);
        free(observer.context);
    }
}

static void *stage_work(void *argument)
{
    struct stage *stage = argument;
    struct blueprint *blueprint = scenario_blueprint(stage->played->scenario, 0);
    uint32_t replication;
    while ((replication = stage_next(stage)) < stage->played->replications)
        play_one(stage, blueprint, replication);
    scenario_blueprint_free(blueprint);
    return NULL;
}

static struct scenario *load(const struct play_request *request)
{
    static struct diagnostics diagnostics; /* must outlive the scenarios: told once, at the end */
    const struct kind *kinds[16];
    uint32_t count = 0, sets = 0;
    for (uint32_t i = 0; model_kinds[i]; i++)
        kinds[count++] = model_kinds[i];
    kinds[count++] = &redundant_kind;
    kinds[count++] = &pair_kind;
    kinds[count++] = &wear_kind;
    kinds[count++] = &ticking_kind;
    kinds[count++] = &row_kind;
    kinds[count++] = &update_kind;
    kinds[count] = NULL;
    static const struct kind *kept[16];
    memcpy(kept, kinds, sizeof kept);
    while (request->sets && request->sets[sets])
        sets++;
    struct scenario_request load = {.path = request->path,
                                    .sets = request->sets,
                                    .set_count = sets,
                                    .has_seed = true,
                                    .has_replications = true,
                                    .seed = request->seed,
                                    .replications = request->replications,
                                    .kinds = kept};
    struct scenario *scenario = scenario_load(&load, &diagnostics);
    if (!scenario) {
        diagnostic_print(&diagnostics, stderr, false);
        exit(2);
    }
    return scenario;
}

static void count_requests(struct played *p)
{
    for (uint32_t r = 0; r < p->replications; r++) {
        const struct result *result = p->results[r];
        p->events += result->totals.events;
        for (uint32_t i = 0; i < result->cell_count; i++) {
            const struct result_cell *c = &result->cells[i];
            if (!c->key.window && c->key.instance == RESULT_POOLED &&
                c->key.operation == RESULT_ALL && !strcmp(c->name, "offered"))
                p->requests += (double)c->numerator;
        }
    }
}

struct played *play(const struct play_request *request)
{
    struct played *p = room(1, sizeof *p);
    struct stage stage = {.request = request, .played = p};
    pthread_t threads[16];
    uint32_t started = 0;
    p->scenario = load(request);
    p->report = scenario_report(p->scenario);
    p->replications = request->replications;
    p->results = room(p->replications, sizeof(struct result *));
    p->own = room((size_t)p->replications * ROWS_MAX, sizeof(struct quotient));
    pthread_mutex_init(&stage.lock, NULL);
    while (started < request->jobs && started < 16 &&
           !pthread_create(&threads[started], NULL, stage_work, &stage))
        started++;
    if (!started)
        stage_work(&stage);
    for (uint32_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    pthread_mutex_destroy(&stage.lock);
    count_requests(p);
    return p;
}

void played_free(struct played *p)
{
    for (uint32_t r = 0; r < p->replications; r++)
        result_free(p->results[r]);
    free(p->results);
    free(p->own);
    scenario_free(p->scenario);
    free(p);
}

static bool is_node(const struct result *result, const struct result_cell *c, const char *node)
{
    const struct result_node *n = &result->nodes[c->key.node];
    size_t length = strlen(n->name);
    if (strncmp(n->name, node, length))
        return false;
    if (!node[length])
        return c->key.instance == RESULT_POOLED;
    return node[length] == '.' && strtoul(node + length + 1, NULL, 10) == c->key.instance;
}

static bool is_operation(const struct result *result, const struct result_cell *c,
                         const char *operation)
{
    if (!operation)
        return c->key.operation == RESULT_ALL;
    return c->key.operation && !strcmp(result->operations[c->key.operation - 1], operation);
}

static const struct result_cell *find(const struct result *result, const char *node,
                                      const char *operation, const char *metric, bool last)
{
    const struct result_cell *found = NULL;
    for (uint32_t i = 0; i < result->cell_count; i++) {
        const struct result_cell *c = &result->cells[i];
        if (!c->key.window && !strcmp(c->name, metric) && is_node(result, c, node) &&
            is_operation(result, c, operation) && (last || !found))
            found = c;
    }
    return found;
}

const struct result_cell *played_cell(const struct result *result, const char *node,
                                      const char *operation, const char *metric)
{
    return find(result, node, operation, metric, false);
}

const struct result_cell *played_count(const struct result *result, const char *node,
                                       const char *operation, const char *metric)
{
    return find(result, node, operation, metric, true);
}

double played_mean(const struct result *result, const char *node, const char *operation,
                   const char *metric)
{
    const struct result_cell *c = played_cell(result, node, operation, metric);
    CHECK(c);
    double scale = c->type == METRIC_RATE ? 1e9 : 1;
    return c->denominator ? scale * (double)c->numerator / (double)c->denominator : (double)NAN;
}
