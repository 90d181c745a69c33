/* A service: a station in front of own work, then one call onward or a list of steps, then the
 * answer.
 *
 * What is simulated: slots, queue, discipline, patience and demand (models/parts/station.h); a
 * share of errors, decided when the own work is done; a call to one of `to`, picked at random where
 * there are several, with a timeout for each try and retries (models/parts/caller.h); or steps, one
 * after another and side by side (models/parts/flow.h). What is left out: memory, threads that
 * contend, start-up, garbage collection. Ties: see the station; of a work event and an arrival at
 * the same instant the one that was scheduled first comes first. */
#include "models/service.h"

#include "models/parts/effects.h"
#include "models/parts/guard.h"
#include "models/registry.h"

#include <stddef.h>

struct service {
    struct station station;
    struct flow_host host;   /* of its steps */
    struct guard *guard;     /* volatile; NULL: nothing guards its calls */
    struct effects *effects; /* of the node; NULL: nothing is done twice */
};

static const struct field_table service_fields = {
    .fields =
        (const struct field[]){
            {.name = "to",
             .type = FIELD_POOL,
             .offset = offsetof(struct service_config, to),
             .flags = FIELD_PER_REQUEST,
             .summary = "The one call made after the own work, answered when it is answered; of a "
                        "list or a counted node one is picked at random. Left out: it answers by "
                        "itself."},
            {.name = "steps",
             .type = FIELD_STEPS,
             .offset = offsetof(struct service_config, steps),
             .steps = &flow_steps,
             .flags = FIELD_PER_REQUEST,
             .summary = FLOW_SUMMARY},
            {0},
        },
    .includes =
        (const struct field_include[]){
            {&station_slots_one, offsetof(struct service_config, station)},
            {&station_fields, offsetof(struct service_config, station)},
            {&station_crowd, offsetof(struct service_config, station)},
            {&caller_fields, offsetof(struct service_config, caller)},
            {0},
        },
};

enum { STATION_TABLE = 1, CALLER_TABLE = 2, GUARD_TABLE = 3, EFFECT_TABLE = 4 };

static inline const struct service_config *config_of(const struct agent *agent,
                                                     const struct call *c)
{
    return agent->configs[c->operation];
}

static void step_callers(const void *config, caller_visit *visit, void *context)
{
    flow_callers(&((const struct service_config *)config)->steps, visit, context);
}

/* The first instance makes the record of what the node has done, and the others share it. */
static void effects_start(struct agent *agent, struct service *service)
{
    const struct simulation *s = agent->simulation;
    uint32_t first = s->blueprint->nodes[agent->node].first;
    const struct service *maker = s->agents[first].durable;
    if (agent->index == first && !service->effects)
        service->effects = effects_new(agent->simulation);
    service->effects = maker->effects;
    for (uint32_t m = 0; !service->effects && m < EFFECT_METRICS; m++)
        record_hide(agent->records[EFFECT_TABLE], m);
}

static void service_start(struct agent *agent)
{
    struct service *service = agent->durable;
    effects_start(agent, service);
    station_start(&service->station, agent, STATION_TABLE,
                  offsetof(struct service_config, station));
    service->guard = caller_start(agent, offsetof(struct service_config, caller), GUARD_TABLE,
                                  CALLER_TABLE, step_callers);
    flow_start(&service->host, agent, &service->station, offsetof(struct service_config, steps),
               service->guard);
}

static void finish(struct agent *agent, struct call *c, enum status status,
                   enum reply_reason reason)
{
    struct service *service = agent->durable;
    station_release(&service->station, c);
    caller_reply(c, agent, status, reason);
}

static void send(struct agent *agent, struct call *c)
{
    const struct service_config *config = config_of(agent, c);
    struct flow_frame *f = call_frame(c);
    caller_send(&f->caller, &config->caller, c, agent, pool_route(&config->to, agent, c), 0);
}

/* The own work is done, or the station has turned the call away. */
static void go_on(struct agent *agent, struct call *c, enum station_outcome outcome)
{
    struct service *service = agent->durable;
    if (outcome == STATION_KEPT)
        return;
    if (outcome == STATION_LEFT) {
        finish(agent, c, STATUS_FAIL, c->flags & CALL_REJECTED ? REASON_REJECTED : REASON_NONE);
        return;
    }
    if (station_fails(&service->station, c)) {
        finish(agent, c, STATUS_FAIL, REASON_NONE);
        return;
    }
    if (UNLIKELY(service->effects != NULL))
        effects_apply(service->effects, agent->records[EFFECT_TABLE], agent, c);
    if (config_of(agent, c)->steps.count)
        flow_begin(&service->host, c, &config_of(agent, c)->steps);
    else if (config_of(agent, c)->to.count)
        send(agent, c);
    else
        finish(agent, c, STATUS_OK, REASON_NONE);
}

/* A list of steps without work before it asks for a slot only when it works, unless the request
 * holds one to its end. */
static enum station_outcome arrive(struct service *service, struct call *c)
{
    const struct service_config *config = config_of(service->station.agent, c);
    if (UNLIKELY(config->steps.count) && station_is_idle(&service->station, c))
        return STATION_DONE;
    return station_enter(&service->station, c);
}

/* A call that has come in, with a guard: its rate limit is asked first. */
static void arrive_guarded(struct agent *agent, struct call *c)
{
    struct service *service = agent->durable;
    struct flow_frame *f = call_frame(c);
    caller_begin(&f->caller, service->guard);
    switch (caller_admit(&f->caller, c, agent)) {
    case CALLER_COMES_IN:
        go_on(agent, c, arrive(service, c));
        break;
    case CALLER_TURNED_AWAY:
        c->flags |= CALL_REJECTED;
        finish(agent, c, STATUS_FAIL, REASON_REJECTED);
        break;
    case CALLER_COMES_LATER:
        break;
    }
}

static void service_step(struct agent *agent, struct call *c)
{
    struct service *service = agent->durable;
    struct flow_frame *f = call_frame(c);
    if (UNLIKELY(flow_runs(c))) {
        flow_wake(&service->host, c);
    } else if (c->flags & CALL_IN_STATION) {
        go_on(agent, c, station_wake(&service->station, c));
    } else if (c->wake == WAKE_ARRIVED) {
        if (UNLIKELY(service->guard != NULL))
            arrive_guarded(agent, c);
        else
            go_on(agent, c, arrive(service, c));
    } else if (c->wake == WAKE_CANCELLED) {
        caller_cancel(&f->caller, c);
        station_cancel(&service->station, c);
        finish(agent, c, STATUS_INFO, REASON_NONE);
    } else if (caller_was_delayed(&f->caller)) {
        go_on(agent, c, arrive(service, c));
    } else {
        enum caller_next next = caller_wake(&f->caller, &config_of(agent, c)->caller, c, agent);
        if (next == CALLER_AGAIN)
            send(agent, c);
        else if (next == CALLER_ENDED)
            finish(agent, c, caller_status(&f->caller, c), caller_reason(&f->caller));
    }
}

static void service_settle(struct agent *agent, struct call *parent, struct call *child)
{
    const struct service *service = agent->durable;
    if (!parent) {
        caller_late(service->guard, child);
        return;
    }
    caller_reads(parent, child);
    if (UNLIKELY(flow_runs(parent)))
        flow_settle(parent, child);
    else
        caller_settle(&((struct flow_frame *)call_frame(parent))->caller, child);
}

static void service_tick(struct agent *agent, uint32_t tag, uint64_t argument)
{
    (void)agent, (void)tag, (void)argument;
    CHECK(!"a service sets no timers");
}

static const char *service_check(const void *config)
{
    return station_check(&((const struct service_config *)config)->station);
}

static double load_work(const void *config)
{
    const struct service_config *service = config;
    return station_work_ns(&service->station) + flow_work_ns(&service->steps);
}

static double load_slots(const void *config)
{
    return station_slots(&((const struct service_config *)config)->station);
}

static const struct pool *load_target(const void *config)
{
    const struct service_config *service = config;
    return service->to.count ? &service->to : NULL;
}

static bool load_weighted(const void *config)
{
    (void)config;
    return false;
}

/* What fails by itself calls nobody. Errors of the target are not foreseen. */
static double load_attempts(const void *config)
{
    return 1 - ((const struct service_config *)config)->station.fail;
}

static double load_walk(const void *config, double speed, const struct load_visitor *visitor)
{
    const struct service_config *service = config;
    if (!service->steps.count)
        return -1;
    return station_work_ns(&service->station) / speed +
           flow_time_ns(&service->steps, 1 - service->station.fail, speed, visitor);
}

const struct kind service_kind = {
    .name = "service",
    .summary = "Works on requests in its slots, calls one other node or takes several steps, then "
               "answers.",
    .semantics =
        "A request that finds a free slot is worked on at once for its own `time`; others wait in "
        "the queue, whose order is the discipline's. The work is drawn from the request itself, so "
        "another policy or another number of instances gives it the same work. Its share of errors "
        "is decided when the work is done. Then one of `to` is called, and its answer is this "
        "node's answer. Or it takes `steps`: each begins when the one before is ok; an error "
        "passes over "
        "the rest up to a step with `if: error`, and what ran last is the answer. Branches that "
        "nobody "
        "waits for any more go on, and their answers are wasted. Every branch and repetition draws "
        "work of its own. What finds no place is rejected and what runs out of patience leaves: "
        "both "
        "are answered with an error. A crash loses everything inside in silence; a pause stops the "
        "work, whose slots stay taken. `slots`, `queue`, `discipline` and `hold` belong to the "
        "whole node, not to one operation. Of events at the same nanosecond the one that was "
        "scheduled first comes first. A write is done when its own work is; done again for the "
        "same "
        "operation (a retry, a hedge, a duplicate) it is counted, by all instances together. Left "
        "out: memory, start-up.",
    .fields = &service_fields,
    .tables = {&visit_metrics, &station_metrics, &caller_metrics, &guard_metrics, &effect_metrics},
    .flags = KIND_VISITED,
    .config_size = sizeof(struct service_config),
    .durable_size = sizeof(struct service),
    .frame_size = sizeof(struct flow_frame),
    .start = service_start,
    .step = service_step,
    .settle = service_settle,
    .tick = service_tick,
    .check = service_check,
    .load = &(const struct kind_load){.work_ns = load_work,
                                      .slots = load_slots,
                                      .target = load_target,
                                      .weighted = load_weighted,
                                      .attempts = load_attempts,
                                      .walk = load_walk},
};
