/* How a balancer chooses: views, policies, sessions that stick, and what it knows of its backends.
 */
#include "models/load_balancer_policy.h"

#include "engine/kernel/arithmetic.h"

#include <string.h>

#define POLICY(constant, word, parameters, summary) [BALANCER_##constant] = &load_balancer_##word,
const struct load_balancer_rule *const load_balancer_rules[BALANCER_POLICIES] = {
    LOAD_BALANCER_POLICIES(POLICY)};
#undef POLICY

struct balancer_stuck {
    uint32_t session;
    uint32_t backend; /* 1 + index of agent; 0: an empty slot */
    uint32_t life;    /* of the backend: one that died has closed its sessions */
};

void balancer_no_open(struct agent *agent, struct balancer_choice *choice)
{
    (void)agent, (void)choice;
}

void balancer_no_refill(struct agent *agent, struct balancer_choice *choice)
{
    (void)agent, (void)choice;
}

uint32_t balancer_least(struct agent *agent, const struct balancer_choice *choice)
{
    const double *scores = choice->scores;
    uint32_t ties = 0, first = 0;
    for (uint32_t i = 0; i < choice->count; i++) {
        if (scores[i] < scores[first]) {
            first = i;
            ties = 0;
        }
        ties += !(scores[i] > scores[first]);
    }
    if (ties == 1)
        return first;
    uint32_t skip = balancer_below(agent, ties), i = first;
    for (;; i++)
        if (!(scores[i] > scores[first]) && !skip--)
            return i;
}

/* ---- slow start ---- */

double balancer_ramp(const struct agent *agent, const struct balancer *b, uint32_t backend)
{
    int64_t since = b->since[backend], now = simulation_now(agent->simulation);
    if (since == INT64_MIN || now - since >= b->slow_start)
        return 1;
    double ramp = (double)(now - since) / (double)b->slow_start;
    return ramp < 0.01 ? 0.01 : ramp;
}

bool balancer_takes(const struct agent *agent, const struct balancer_choice *choice,
                    uint32_t backend, uint64_t draw)
{
    double ramp = balancer_ramp(agent, choice->balancer, backend), highest = 0;
    if (!(ramp < 1))
        return true;
    for (uint32_t i = 0; i < choice->count; i++) {
        double other = balancer_ramp(agent, choice->balancer, choice->agents[i]);
        highest = other > highest ? other : highest;
    }
    return random_unit(draw) * highest < ramp;
}

/* Who was away and is back begins slowly, under every choice at once. */
static void mind_absence(struct agent *agent, struct balancer *b, uint32_t backend, bool serves)
{
    if (!serves || !b->away[backend]) {
        b->away[backend] = !serves;
        return;
    }
    b->away[backend] = false;
    b->since[backend] = simulation_now(agent->simulation);
    b->ramps_until = b->since[backend] + b->slow_start;
}

/* ---- views ---- */

/* A fixed sample of keys: how many of them have another backend than before. */
static void follow_sample(struct agent *agent, struct balancer_choice *choice, bool first)
{
    struct record *r = agent->records[BALANCER_TABLE];
    int64_t now = simulation_now(agent->simulation);
    uint64_t moved = 0;
    for (uint32_t i = 0; i < BALANCER_SAMPLE; i++) {
        uint64_t hash = random_mix(choice->balancer->salt ^ (UINT64_C(0x5a) << 56 | i));
        uint32_t owner = choice->count ? choice->rule->owner(choice, hash) : BALANCER_NOBODY;
        moved += owner != choice->sample[i];
        choice->sample[i] = owner;
    }
    if (first)
        return;
    record_count(r, BALANCER_KEYS, choice->operation, now, BALANCER_SAMPLE);
    record_count(r, BALANCER_KEYS_MOVED, choice->operation, now, moved);
}

static void view_make(struct agent *agent, struct balancer_choice *choice, bool first)
{
    struct balancer *b = choice->balancer;
    const struct pool *to = &choice->config->to;
    bool changed = first;
    choice->version = health_version(&b->health);
    choice->count = 0;
    choice->even = true;
    for (uint32_t i = 0; i < to->count; i++) {
        uint32_t backend = to->agents[i];
        bool serves = health_serves(&b->health, backend);
        if (b->slow_start)
            mind_absence(agent, b, backend, serves);
        changed |= serves != choice->present[i];
        choice->present[i] = serves;
        if (!serves)
            continue;
        double weight = agent->simulation->agents[backend].weight;
        choice->agents[choice->count] = backend;
        choice->at[choice->count] = i;
        choice->weights[choice->count++] = weight;
        choice->even =
            choice->even && !(weight < choice->weights[0]) && !(weight > choice->weights[0]);
    }
    if (!changed)
        return;
    choice->rule->refill(agent, choice);
    if (choice->sample)
        follow_sample(agent, choice, first);
}

static struct balancer_sticky *sticky_of(const struct agent *agent, uint32_t operation)
{
    struct simulation *s = agent->simulation;
    struct balancer_kept *first = s->agents[s->blueprint->nodes[agent->node].first].durable;
    if (!first->sticky)
        first->sticky =
            arena_array(&s->arena, s->blueprint->operation_count, struct balancer_sticky);
    return &first->sticky[operation];
}

static struct balancer_choice *choice_new(struct agent *agent, struct balancer *b,
                                          uint32_t operation)
{
    const struct load_balancer_config *config = agent->configs[operation];
    struct arena *arena = &agent->place->memory;
    uint32_t count = config->to.count;
    struct balancer_choice *choice = arena_new(arena, struct balancer_choice);
    *choice = (struct balancer_choice){
        .config = config,
        .rule = load_balancer_rules[config->policy],
        .balancer = b,
        .operation = operation,
        .sticky = sticky_of(agent, operation),
        .agents = arena_array(arena, count, uint32_t),
        .at = arena_array(arena, count, uint32_t),
        .weights = arena_array(arena, count, double),
        .present = arena_array(arena, count, bool),
        .scores = arena_array(arena, count, double),
    };
    if (choice->rule->owner)
        choice->sample = arena_array(arena, BALANCER_SAMPLE, uint32_t);
    choice->rule->open(agent, choice);
    return choice;
}

static void choices_open(struct agent *agent, struct balancer *b)
{
    uint32_t operations = agent->simulation->blueprint->operation_count;
    struct balancer_choice **choices =
        arena_array(&agent->place->memory, operations, struct balancer_choice *);
    for (uint32_t i = 0; i < operations; i++) {
        const struct load_balancer_config *config = agent->configs[i];
        for (uint32_t k = 0; k < i && !choices[i]; k++)
            if (agent->configs[k] == config)
                choices[i] = choices[k];
        if (choices[i])
            continue;
        choices[i] = choice_new(agent, b, i);
        if (choices[i]->rule->traits & BALANCER_MEASURES && !b->estimates) {
            b->estimates = arena_array(&agent->place->memory, agent->simulation->agent_count,
                                       struct balancer_estimate);
            b->decay = config->decay;
        }
    }
    b->choices = choices;
}

/* Everybody who may be called, for the watch over them. */
static void watch(struct agent *agent, struct balancer *b)
{
    const struct load_balancer_config *config = agent->configs[0];
    uint32_t operations = agent->simulation->blueprint->operation_count, count = 0;
    for (uint32_t i = 0; i < operations; i++)
        count += b->choices[i]->operation == i ? b->choices[i]->config->to.count : 0;
    uint32_t *agents = arena_array(&agent->place->memory, count, uint32_t);
    count = 0;
    for (uint32_t i = 0; i < operations; i++) {
        const struct pool *to = &b->choices[i]->config->to;
        for (uint32_t k = 0; b->choices[i]->operation == i && k < to->count; k++)
            agents[count++] = to->agents[k];
    }
    health_start(&b->health, &config->health, agent, agents, count);
    b->checks = config->health.mode != HEALTH_PERFECT;
}

/* ---- load information of a certain age ---- */

static void copy_known(struct agent *agent, struct balancer *b, uint32_t *connections,
                       struct balancer_estimate *estimates)
{
    const struct simulation *s = agent->simulation;
    memcpy(connections, b->connections, s->agent_count * sizeof *connections);
    if (estimates)
        memcpy(estimates, b->estimates, s->agent_count * sizeof *estimates);
    for (uint32_t i = 0; i < s->agent_count; i++)
        b->known_inside[i] = (uint32_t)agent_inside(&s->agents[i]);
}

void balancer_refresh(struct agent *agent)
{
    struct balancer *b = agent->memory;
    const struct load_balancer_config *config = agent->configs[0];
    copy_known(agent, b, b->copied_connections, b->copied_estimates);
    timer_after(agent, config->refresh, BALANCER_TICK_REFRESH, 0);
}

static void refresh_open(struct agent *agent, struct balancer *b)
{
    const struct load_balancer_config *config = agent->configs[0];
    struct arena *arena = &agent->place->memory;
    uint32_t count = agent->simulation->agent_count;
    b->known_connections = b->connections;
    b->known_estimates = b->estimates;
    if (!config->refresh)
        return;
    b->known_connections = b->copied_connections = arena_array(arena, count, uint32_t);
    b->known_inside = arena_array(arena, count, uint32_t);
    if (b->estimates)
        b->known_estimates = b->copied_estimates =
            arena_array(arena, count, struct balancer_estimate);
    balancer_refresh(agent);
}

void balancer_open(struct agent *agent, struct balancer *b)
{
    const struct simulation *s = agent->simulation;
    const struct load_balancer_config *config = agent->configs[0];
    struct arena *arena = &agent->place->memory;
    uint64_t hash = random_hash_begin();
    hash = random_hash_number(hash, s->seed);
    hash = random_hash_number(hash, s->replication);
    b->salt = random_hash_end(hash);
    b->connections = arena_array(arena, s->agent_count, uint32_t);
    b->slow_start = config->slow_start;
    if (b->slow_start) {
        b->away = arena_array(arena, s->agent_count, bool);
        b->since = arena_array(arena, s->agent_count, int64_t);
        for (uint32_t i = 0; i < s->agent_count; i++)
            b->since[i] = INT64_MIN;
    }
    choices_open(agent, b);
    watch(agent, b);
    refresh_open(agent, b);
    for (uint32_t i = 0; i < s->blueprint->operation_count; i++)
        if (b->choices[i]->operation == i)
            view_make(agent, b->choices[i], true);
}

/* ---- sessions that stick ---- */

static struct balancer_stuck *slot_of(const struct balancer_sticky *sticky, uint32_t session)
{
    uint32_t at = (uint32_t)random_mix(session) & (sticky->room - 1);
    while (sticky->slots[at].backend && sticky->slots[at].session != session)
        at = (at + 1) & (sticky->room - 1);
    return &sticky->slots[at];
}

static void sticky_grow(struct agent *agent, struct balancer_sticky *sticky)
{
    struct balancer_sticky old = *sticky;
    sticky->room = old.room ? 2 * old.room : 64;
    sticky->slots = arena_array(&agent->simulation->arena, sticky->room, struct balancer_stuck);
    for (uint32_t i = 0; i < old.room; i++)
        if (old.slots[i].backend)
            *slot_of(sticky, old.slots[i].session) = old.slots[i];
}

static uint32_t choose(struct agent *agent, struct balancer_choice *choice, const struct call *c)
{
    if (UNLIKELY(choice->count < 2))
        return choice->count ? choice->agents[0] : BALANCER_NOBODY;
    return choice->rule->pick(agent, choice, c);
}

SELDOM static uint32_t choose_stuck(struct agent *agent, struct balancer_choice *choice,
                                    const struct call *c)
{
    struct balancer *b = choice->balancer;
    struct balancer_sticky *sticky = choice->sticky;
    if (sticky->used * 4 >= sticky->room * 3)
        sticky_grow(agent, sticky);
    struct balancer_stuck *stuck = slot_of(sticky, c->session);
    const struct agent *agents = agent->simulation->agents;
    /* Where instances of the balancer have pools of their own, it may stand in another's. */
    if (stuck->backend && b->health.at[stuck->backend - 1] &&
        agents[stuck->backend - 1].place->incarnation == stuck->life &&
        health_serves(&b->health, stuck->backend - 1))
        return stuck->backend - 1;
    uint32_t backend = choose(agent, choice, c);
    if (backend == BALANCER_NOBODY)
        return backend;
    if (stuck->backend && stuck->backend != backend + 1)
        record_count(agent->records[BALANCER_TABLE], BALANCER_SESSIONS_MOVED, c->operation,
                     simulation_now(agent->simulation), 1);
    sticky->used += !stuck->backend;
    *stuck = (struct balancer_stuck){c->session, backend + 1, agents[backend].place->incarnation};
    return backend;
}

uint32_t balancer_pick(struct agent *agent, struct balancer_choice *choice, const struct call *c)
{
    if (UNLIKELY(choice->config->to.group != 0)) /* it picks among its members itself */
        return pool_route(&choice->config->to, agent, c);
    struct balancer *b = choice->balancer;
    if (UNLIKELY(choice->version != health_version(&b->health)))
        view_make(agent, choice, false);
    uint32_t backend = UNLIKELY(choice->config->sticky) ? choose_stuck(agent, choice, c)
                                                        : choose(agent, choice, c);
    if (UNLIKELY(b->checks) && backend != BALANCER_NOBODY &&
        !agent->simulation->agents[backend].place->up)
        record_count(agent->records[BALANCER_TABLE], BALANCER_MISDIRECTED, c->operation,
                     simulation_now(agent->simulation), 1);
    return backend;
}
