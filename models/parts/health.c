#include "models/parts/health.h"

#include <stddef.h>

struct health_backend {
    uint32_t agent;
    uint32_t streak; /* probes in a row that speak against its present state */
    bool sound;
    bool ejected;
    int64_t ejected_until;
    int64_t *errors; /* ring of the instants of the latest ones; NULL: nobody is ejected */
    uint64_t error_count;
};

enum { PROBE_ASKS, PROBE_RESTS }; /* a probe's pc */

/* ---- for users ---- */

static const struct field errors_fields[] = {
    {.name = "count",
     .type = FIELD_COUNT,
     .offset = offsetof(struct health_config, eject_errors),
     .otherwise = "5",
     .min = 1,
     .max = 10000,
     .summary = "Errors that take a backend out."},
    {.name = "in",
     .type = FIELD_TIME,
     .offset = offsetof(struct health_config, eject_in),
     .otherwise = "10s",
     .min = 1,
     .summary = "The time they must come within."},
    {.name = "for",
     .type = FIELD_TIME,
     .offset = offsetof(struct health_config, eject_for),
     .otherwise = "30s",
     .min = 1,
     .summary = "How long it is out."},
    {0},
};

static const struct field_word ejections[] = {
    [HEALTH_EJECT_NONE] = {"none", "Errors of requests take nobody out.", NULL},
    [HEALTH_EJECT_ERRORS] = {"errors",
                             "A backend at which so many tries failed or ran out of time within so "
                             "long is out for a while, unless it is the last one.",
                             &(const struct field_table){.fields = errors_fields}},
    {0},
};

static const struct field record_fields[] = {
    {.name = "interval",
     .type = FIELD_TIME,
     .offset = offsetof(struct health_config, interval),
     .otherwise = "5s",
     .flags = FIELD_NONE | FIELD_WHOLE,
     .min = 1,
     .summary = "From the beginning of one probe of a backend to the next; none: no probes, errors "
                "of requests alone tell."},
    {.name = "timeout",
     .type = FIELD_TIME,
     .offset = offsetof(struct health_config, timeout),
     .otherwise = "1s",
     .flags = FIELD_WHOLE,
     .min = 1,
     .summary = "A probe that is not answered by then has failed."},
    {.name = "unhealthy",
     .type = FIELD_COUNT,
     .offset = offsetof(struct health_config, unhealthy),
     .otherwise = "3",
     .flags = FIELD_WHOLE,
     .min = 1,
     .summary = "Failed probes in a row after which a backend is given up."},
    {.name = "healthy",
     .type = FIELD_COUNT,
     .offset = offsetof(struct health_config, healthy),
     .otherwise = "2",
     .flags = FIELD_WHOLE,
     .min = 1,
     .summary = "Answered probes in a row after which it is taken back."},
    {.name = "eject",
     .type = FIELD_WORD,
     .offset = offsetof(struct health_config, eject),
     .otherwise = "none",
     .flags = FIELD_WHOLE,
     .words = ejections,
     .summary = "Whether errors of real requests take a backend out too."},
    {0},
};

static const struct field_word modes[] = {
    [HEALTH_PERFECT] = {"perfect",
                        "It is known at once whether the machine of a backend is up; a pause, a "
                        "slow machine or a cut link is not noticed.",
                        NULL},
    [HEALTH_NONE] = {"none", "Nobody looks: one that is down is chosen like any other.", NULL},
    {0},
};

const struct field_table health_fields = {
    .fields =
        (const struct field[]){
            {.name = "health",
             .type = FIELD_RECORD,
             .offset = offsetof(struct health_config, mode),
             .otherwise = "perfect",
             .flags = FIELD_WHOLE,
             .words = modes,
             .record = &(const struct field_table){.fields = record_fields},
             .summary =
                 "How it learns which backends may be given work; a record: by probes, which "
                 "are messages to the backend's machine and need no slot there, and by "
                 "errors."},
            {0},
        },
};

/* ---- the view ---- */

bool health_serves(const struct health *health, uint32_t agent)
{
    const struct agent *a = &health->agent->simulation->agents[agent];
    CHECK(health->at[agent]);
    const struct health_backend *b = &health->backends[health->at[agent] - 1];
    if (!a->member)
        return false;
    return health->config->mode == HEALTH_PERFECT ? a->place->up : b->sound && !b->ejected;
}

static void probe_begin(struct health *health, uint32_t index)
{
    struct agent *watcher = health->agent;
    const struct agent *backend = &watcher->simulation->agents[health->backends[index].agent];
    struct call *c = call_begin(watcher, UINT64_C(1) << 62 |
                                             (uint64_t)watcher->place->incarnation << 32 | index);
    c->operation = OPERATION_PROBE;
    c->key = index;
    c->pc = PROBE_RESTS;
    uint64_t draw = random_mix(watcher->id_base ^ random_mix(backend->id_base));
    call_await(c, watcher, 0, (int64_t)random_below(draw, (uint64_t)health->config->interval));
}

void health_start(struct health *health, const struct health_config *config, struct agent *agent,
                  const uint32_t *agents, uint32_t count)
{
    struct arena *arena = &agent->place->memory;
    health->config = config;
    health->agent = agent;
    health->at = arena_array(arena, agent->simulation->agent_count, uint32_t);
    health->backends = arena_array(arena, count, struct health_backend);
    for (uint32_t i = 0; i < count; i++) {
        if (health->at[agents[i]])
            continue;
        struct health_backend *b = &health->backends[health->count];
        health->at[agents[i]] = ++health->count;
        *b = (struct health_backend){.agent = agents[i], .sound = true};
        if (config->mode == HEALTH_CHECKED && config->eject)
            b->errors = arena_array(arena, config->eject_errors, int64_t);
    }
    bool probes = config->mode == HEALTH_CHECKED && config->interval != TIME_NONE;
    for (uint32_t i = 0; probes && i < health->count; i++)
        probe_begin(health, i);
}

/* ---- probes ---- */

/* One probe's outcome. True where it is the last straw. */
static bool judge(struct health *health, struct health_backend *b, bool answered)
{
    if (answered == b->sound) {
        b->streak = 0;
        return false;
    }
    uint64_t limit = answered ? health->config->healthy : health->config->unhealthy;
    if (++b->streak < limit)
        return false;
    b->streak = 0;
    b->sound = answered;
    health->version++;
    return !answered && !b->ejected;
}

bool health_wake(struct health *health, struct call *c)
{
    struct agent *watcher = health->agent;
    struct health_backend *b = &health->backends[c->key];
    int64_t now = simulation_now(watcher->simulation);
    bool given_up = false;
    if (c->pc == PROBE_ASKS) {
        given_up = judge(health, b, c->wake == WAKE_JOINED);
        call_round(c, watcher);
        c->pc = PROBE_RESTS;
        int64_t left = c->arrived_ns + health->config->interval - now;
        call_await(c, watcher, 0, left > 0 ? left : 0);
        return given_up;
    }
    c->pc = PROBE_ASKS;
    c->arrived_ns = now;
    call_to(c, watcher, b->agent, 0, 0);
    call_await(c, watcher, 1, health->config->timeout);
    return false;
}

/* ---- ejection ---- */

static uint32_t serving(const struct health *health)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < health->count; i++)
        count += health_serves(health, health->backends[i].agent);
    return count;
}

bool health_error(struct health *health, uint32_t agent)
{
    const struct health_config *config = health->config;
    if (config->mode != HEALTH_CHECKED || !config->eject)
        return false;
    struct health_backend *b = &health->backends[health->at[agent] - 1];
    if (!b->sound || b->ejected) /* it is out: these are tries of before */
        return false;
    int64_t now = simulation_now(health->agent->simulation);
    uint64_t slot = b->error_count++ % config->eject_errors;
    b->errors[slot] = now;
    uint64_t oldest = b->error_count % config->eject_errors; /* the one written longest ago */
    if (b->error_count < config->eject_errors || now - b->errors[oldest] > config->eject_in ||
        (health_serves(health, agent) && serving(health) == 1))
        return false;
    b->ejected = true;
    b->ejected_until = now + config->eject_for;
    b->error_count = 0;
    health->version++;
    timer_at(health->agent, b->ejected_until, HEALTH_TICK, 0);
    return true;
}

void health_tick(struct health *health)
{
    int64_t now = simulation_now(health->agent->simulation);
    for (uint32_t i = 0; i < health->count; i++) {
        struct health_backend *b = &health->backends[i];
        if (!b->ejected || b->ejected_until > now)
            continue;
        b->ejected = false;
        health->version++;
    }
}
