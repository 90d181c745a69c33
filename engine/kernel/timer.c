/* Timers of agents, the two ways an agent draws, and one of a pool. */
#include "engine/kernel/mechanism.h"

#include <stdlib.h>

uint32_t timer_take(struct simulation *s)
{
    if (LIKELY(s->timer_free != 0)) {
        uint32_t index = s->timer_free;
        s->timer_free = s->timers[index].next;
        return index;
    }
    if (s->timer_used == s->timer_room) {
        s->timer_room = s->timer_room ? 2 * s->timer_room : 64;
        s->timers = realloc(s->timers, s->timer_room * sizeof *s->timers);
        if (!s->timers)
            check_machine("out of memory");
        if (!s->timer_used)
            s->timer_used = 1;
    }
    return s->timer_used++;
}

void timer_give(struct simulation *s, uint32_t index)
{
    s->timers[index].next = s->timer_free;
    s->timer_free = index;
}

uint32_t timer_push(struct agent *agent, int64_t at_ns, uint8_t event_type, uint32_t tag,
                    uint64_t argument)
{
    struct simulation *s = agent->simulation;
    uint32_t index = timer_take(s);
    s->timers[index] = (struct timer){.argument = argument,
                                      .agent = agent->index,
                                      .incarnation = agent->place->incarnation,
                                      .tag = tag};
    event_push(&s->queue, at_ns, event_type, index, 0);
    return index;
}

void timer_at(struct agent *agent, int64_t at_ns, uint32_t tag, uint64_t argument)
{
    timer_push(agent, at_ns, EVENT_TICK, tag, argument);
}

void alarm_at(struct agent *agent, int64_t at_ns, uint16_t tag, uint64_t argument)
{
    struct queue *q = &agent->simulation->queue;
    event_cancel(q, agent->alarm);
    agent->alarm_argument = argument;
    agent->alarm = event_push(q, at_ns, EVENT_ALARM, agent->index, tag);
}

void timer_after(struct agent *agent, int64_t ns, uint32_t tag, uint64_t argument)
{
    int64_t now = agent->simulation->queue.now;
    CHECK(ns >= 0);
    ns = clock_true_ns(agent->place, ns);
    timer_push(agent, ns > INT64_MAX - now ? INT64_MAX : now + ns, EVENT_TICK, tag, argument);
}

static const char *const stream_names[STREAM_COUNT] = {
    [STREAM_ARRIVALS - STREAM_FIRST] = "arrivals", [STREAM_PICK - STREAM_FIRST] = "pick",
    [STREAM_POLICY - STREAM_FIRST] = "policy",     [STREAM_FAULT - STREAM_FIRST] = "fault",
    [STREAM_LIFE - STREAM_FIRST] = "life",
};

struct stream *agent_stream(struct agent *agent, enum purpose purpose)
{
    CHECK((int)purpose >= STREAM_FIRST && purpose < STREAM_COUNT_END);
    struct stream **stream = &agent->streams[purpose - STREAM_FIRST];
    if (UNLIKELY(!*stream)) {
        struct simulation *s = agent->simulation;
        *stream = arena_new(&s->arena, struct stream);
        stream_open(*stream, s->seed, s->replication, agent->name,
                    stream_names[purpose - STREAM_FIRST]);
    }
    return *stream;
}

uint32_t pool_pick(const struct pool *pool, struct agent *agent)
{
    if (LIKELY(pool->count == 1))
        return pool->agents[0];
    struct stream *stream = agent_stream(agent, STREAM_PICK);
    const struct simulation *s = agent->simulation;
    if (UNLIKELY(s->absent)) {
        uint32_t members = 0;
        for (uint32_t i = 0; i < pool->count; i++)
            members += s->agents[pool->agents[i]].member;
        uint64_t left = members ? stream_below(stream, members) + 1 : 0;
        for (uint32_t i = 0; left && i < pool->count; i++)
            if (s->agents[pool->agents[i]].member && !--left)
                return pool->agents[i];
    }
    return pool->agents[stream_below(stream, pool->count)];
}

void member_set(struct agent *agent, bool member)
{
    struct simulation *s = agent->simulation;
    if (agent->member == member)
        return;
    agent->member = member;
    if (agent->visited && agent->place->up)
        record_level(agent->records[VISITS], VISIT_PRESENT, member ? 1 : -1);
    s->membership++;
    if (member)
        s->absent--;
    else
        s->absent++;
}
