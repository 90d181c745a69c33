/* The state of an instance's guard: who waits for room, which breakers are open. How a call goes
 * through it stands in caller.c. */
#include "models/parts/guard.h"

#include <string.h>

static const struct caller_config *config_at(const struct agent *agent, uint32_t operation,
                                             size_t offset)
{
    const unsigned char *config = agent->configs[operation];
    return (const void *)(config + offset);
}

static bool has_limit(const struct caller_config *c)
{
    return c->limit && c->limit != COUNT_UNLIMITED;
}

bool guard_is_needed(const struct caller_config *c, bool counts)
{
    return c->deadline > 0 || c->has_hedge || c->has_breaker || has_limit(c) || c->limiter.kind ||
           c->idempotency_key || (c->has_retry && c->budget) ||
           (counts && (c->has_retry || c->timeout > 0));
}

/* What all configurations of an instance need together. */
struct needs {
    double tokens;
    bool counts, any, limits, cancels;
};

static void need(void *context, const struct caller_config *config)
{
    struct needs *n = context;
    n->any |= guard_is_needed(config, n->counts);
    n->limits |= has_limit(config);
    n->cancels |= config->has_hedge && config->hedge_cancel;
    if (config->has_retry && config->budget && config->budget_burst > n->tokens)
        n->tokens = config->budget_burst;
}

struct guard *caller_start(struct agent *agent, size_t offset, int guards, int tries,
                           caller_visit_all *others)
{
    const struct simulation *s = agent->simulation;
    struct arena *arena = &agent->place->memory;
    struct needs needs = {.counts = tries >= 0};
    for (uint32_t o = 0; o < s->blueprint->operation_count; o++) {
        need(&needs, config_at(agent, o, offset));
        if (others)
            others(agent->configs[o], need, &needs);
    }
    if (!needs.any)
        return NULL;
    struct guard *guard = arena_new(arena, struct guard);
    guard->agent = agent;
    guard->config = config_at(agent, 0, offset);
    guard->record = agent->records[guards];
    guard->tries = tries >= 0 ? agent->records[tries] : NULL;
    guard->client = agent->kind->flags & KIND_CLIENT;
    guard->limits = needs.limits;
    guard->tokens = needs.tokens;
    guard->admits = guard->config->limiter.kind != LIMITER_NONE;
    guard->slots = arena_array(arena, s->agent_count, uint32_t);
    agent->cancels |= needs.cancels;
    limiter_start(&guard->limiter, &guard->config->limiter, arena);
    static const uint32_t levels[] = {GUARD_OPEN_LEVEL, GUARD_TARGETS_LEVEL, GUARD_IN_FLIGHT,
                                      GUARD_LIMIT_QUEUE};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        record_level_to(guard->record, levels[i], 0); /* what a crash has left */
    return guard;
}

struct running *guard_latencies(struct guard *guard, const struct caller_config *config,
                                uint32_t operation)
{
    struct guard_latencies *l = guard->latencies;
    while (l && (l->config != config || l->operation != operation))
        l = l->next;
    if (l)
        return &l->running;
    l = arena_new(&guard->agent->place->memory, struct guard_latencies);
    l->next = guard->latencies;
    l->config = config;
    l->operation = operation;
    guard->latencies = l;
    return &l->running;
}

struct guard_target *guard_target(struct guard *guard, uint32_t agent)
{
    uint32_t *slot = &guard->slots[agent];
    if (LIKELY(*slot))
        return &guard->targets[*slot - 1];
    if (guard->count == guard->room) {
        uint32_t room = guard->room ? 2 * guard->room : 4;
        struct guard_target *wider =
            arena_array(&guard->agent->place->memory, room, struct guard_target);
        if (guard->count)
            memcpy(wider, guard->targets, guard->count * sizeof *wider);
        guard->targets = wider;
        guard->room = room;
    }
    *slot = ++guard->count;
    record_level(guard->record, GUARD_TARGETS_LEVEL, 1);
    return &guard->targets[*slot - 1];
}

/* ---- breakers ---- */

bool guard_breaker_lets(struct guard *guard, const struct caller_config *config,
                        struct caller *caller, const struct call *c, uint32_t to)
{
    bool probe = false;
    caller->marks &= (uint8_t)~CALLER_PROBES;
    if (!config->has_breaker)
        return true;
    struct guard_target *target = guard_target(guard, to);
    if (!target->rule)
        target->rule = &config->breaker;
    if (!breaker_lets(&target->breaker, target->rule, *guard->record->now, &probe)) {
        guard_count(guard, c, GUARD_SHORT_COUNT);
        return false;
    }
    caller->marks |= probe ? CALLER_PROBES : 0;
    return true;
}

void guard_breaker_learns(struct guard *guard, const struct call *c, uint32_t to, bool probe,
                          bool ok)
{
    struct guard_target *target = guard->slots[to] ? guard_target(guard, to) : NULL;
    if (!target || !target->rule)
        return;
    struct breaker *breaker = &target->breaker;
    bool was_closed = breaker->state == BREAKER_CLOSED;
    if (breaker_learns(breaker, target->rule, *guard->record->now, probe, ok))
        guard_count(guard, c, GUARD_TRIPS);
    bool is_closed = breaker->state == BREAKER_CLOSED;
    if (was_closed != is_closed)
        record_level(guard->record, GUARD_OPEN_LEVEL, was_closed ? 1 : -1);
}

/* ---- room ---- */

bool guard_takes_room(struct guard *guard, const struct caller_config *config, uint32_t to)
{
    if (!guard->limits)
        return true;
    struct guard_target *target = guard_target(guard, to);
    if (has_limit(config) && target->in_flight >= config->limit)
        return false;
    target->in_flight++;
    record_level(guard->record, GUARD_IN_FLIGHT, 1);
    return true;
}

/* The room passes to the one that has waited longest, which is woken at once by an event. */
void guard_gives_room(struct guard *guard, uint32_t to)
{
    if (!guard->limits)
        return;
    struct guard_target *target = guard_target(guard, to);
    CHECK(target->in_flight > 0);
    if (!target->head) {
        target->in_flight--;
        record_level(guard->record, GUARD_IN_FLIGHT, -1);
        return;
    }
    struct call *c = call_at(guard->agent->simulation, target->head);
    struct caller *caller = (void *)((unsigned char *)call_frame(c) + guard->caller_at);
    target->head = c->next;
    record_level(guard->record, GUARD_LIMIT_QUEUE, -1);
    caller->state = CALLER_GRANTED;
    call_timer(c, guard->agent, 0);
}

void guard_queue(struct guard *guard, struct caller *caller, struct call *c)
{
    const struct simulation *s = guard->agent->simulation;
    struct guard_target *target = guard_target(guard, caller->to);
    uint32_t index = call_index(s, c);
    guard->caller_at = (size_t)((unsigned char *)caller - (unsigned char *)call_frame(c));
    caller->state = CALLER_QUEUES;
    c->next = 0;
    if (target->head)
        call_at(s, target->tail)->next = index;
    else
        target->head = index;
    target->tail = index;
    record_level(guard->record, GUARD_LIMIT_QUEUE, 1);
}

void guard_unqueue(struct guard *guard, const struct caller *caller, const struct call *c)
{
    const struct simulation *s = guard->agent->simulation;
    struct guard_target *target = guard_target(guard, caller->to);
    uint32_t index = call_index(s, c), before = 0;
    for (uint32_t i = target->head; i != index; i = call_at(s, i)->next)
        before = i;
    if (before)
        call_at(s, before)->next = c->next;
    else
        target->head = c->next;
    if (target->tail == index)
        target->tail = before;
    record_level(guard->record, GUARD_LIMIT_QUEUE, -1);
}

/* ---- what comes back ---- */

void guard_settle(struct caller *caller, const struct call *child)
{
    struct guard *guard = caller->guard;
    bool ok = child->status == STATUS_OK, hedge = child->attempt & CALLER_HEDGE_COPY;
    guard_breaker_learns(guard, child, child->agent, !hedge && caller->marks & CALLER_PROBES, ok);
    if (!hedge)
        caller->marks &= (uint8_t)~CALLER_PROBES;
    if (ok && hedge)
        guard_count(guard, child, GUARD_WIN_COUNT);
    guard_gives_room(guard, child->agent);
}

/* What is not a caller's message has no number. */
void guard_late(struct guard *guard, const struct call *child)
{
    if (child->attempt && !(child->flags & CALL_LOCAL))
        guard_gives_room(guard, child->agent);
}
