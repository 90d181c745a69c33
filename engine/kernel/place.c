/* Places: what faults hit. Traffic pays one test of `gate` per event; a fault sweeps the pool once.
 *
 * A crash is silence, or a reset (`resets`, set before it): calls the place holds are lost and
 * given up by their links, its own messages go on but nobody hears their replies, its volatile
 * memory is zeroed; a message that arrives while it is down is lost, one that arrives after the
 * restart reaches the new process. A pause stops the work and keeps everything: what comes in
 * meanwhile - messages, timers - waits in its order and is handled at the resume. Work is stretched
 * by `slow`, timers are not. */
#include "engine/kernel/visit.h"

#include <stdlib.h>

void place_init(struct place *place, struct simulation *s, const struct agent *first)
{
    const struct instance *instance =
        &s->blueprint->nodes[first->node].instances[first->number - 1];
    *place = (struct place){
        .name = first->name,
        .simulation = s,
        .index = (uint32_t)(place - s->places),
        .first_agent = first->index,
        .up = true,
        .zone = instance->zone,
        .speed = instance->speed,
        .configured_speed = instance->speed,
    };
}

void place_free(struct place *place)
{
    links_free(place);
    arena_free(&place->memory);
    free(place->deferred);
}

void place_defer(struct place *place, const struct event *event)
{
    if (place->deferred_count == place->deferred_room) {
        place->deferred_room = place->deferred_room ? 2 * place->deferred_room : 64;
        place->deferred = realloc(place->deferred, place->deferred_room * sizeof *place->deferred);
        if (!place->deferred)
            check_machine("out of memory");
    }
    place->deferred[place->deferred_count++] = *event;
}

SELDOM void place_answer(struct simulation *s, struct call *c, const struct agent *agent)
{
    c->status = STATUS_OK;
    c->state = CALL_BACK;
    call_travel(s, c, agent->place, s->agents[c->from].place, EVENT_BACK, 0);
}

static void place_gate(struct simulation *s, struct place *place)
{
    for (uint32_t i = 0; i < s->agent_count; i++)
        if (s->agents[i].place == place)
            s->agents[i].gate = !place->up || place->paused;
}

static void agents_up(struct simulation *s, const struct place *place, int change)
{
    for (uint32_t i = 0; i < s->agent_count; i++)
        if (s->agents[i].place == place && s->agents[i].visited) {
            record_level(s->agents[i].records[VISITS], VISIT_UP_COUNT, change);
            if (s->agents[i].member)
                record_level(s->agents[i].records[VISITS], VISIT_PRESENT, change);
        }
}

static int64_t give_up_of(struct simulation *s, const struct call *c)
{
    if (s->plain_links)
        return LINK_GIVE_UP_NS;
    struct link *link = link_between(s, s->agents[c->from].place, s->agents[c->agent].place);
    return link->local ? LINK_GIVE_UP_NS : link->config.give_up;
}

/* What became of a call that the place held or had before its door: nobody knows. */
static void crash_answer(struct simulation *s, const struct place *place, struct call *c)
{
    if (place->resets)
        call_reset(s, c, STATUS_INFO);
    else
        call_lose(s, c, give_up_of(s, c));
}

/* One call in the sweep of a crash of `place`. */
static void crash_call(struct simulation *s, struct place *place, struct call *c)
{
    struct agent *agent = &s->agents[c->agent];
    bool here = c->state == CALL_HELD && agent->place == place;
    if (c->parent && s->agents[c->from].place == place)
        c->flags |= CALL_ORPHAN;
    if (!here)
        return;
    if (!c->parent && !(c->flags & CALL_POST)) {
        if (agent->kind->flags & KIND_CLIENT) { /* an operation of its own: it is told, and frees */
            c->wake = WAKE_LOST;
            agent->kind->step(agent, c);
            return;
        }
        call_release(s, c);
        return;
    }
    if (!(c->flags & CALL_LOCAL)) {
        if (visit_counts(agent, c)) {
            record_count(agent->records[VISITS], VISIT_LOST, c->operation, c->arrived_ns, 1);
            if (!(c->flags & CALL_ANSWERED)) /* else its caller has been told otherwise */
                record_count(agent->records[VISITS], VISIT_FAILED, c->operation, c->arrived_ns, 1);
        }
        visit_leave(agent, c, LEFT_LOST);
    }
    crash_answer(s, place, c);
}

void place_crash(struct simulation *s, uint32_t index)
{
    struct place *place = &s->places[index];
    if (!place->up)
        return;
    agents_up(s, place, -1);
    for (struct place_part *part = place->parts; part; part = part->next)
        part->crash(part);
    place->up = place->paused = false;
    place->pauses = 0;
    place->incarnation++;
    s->membership++;
    for (uint32_t i = 1, used = s->pool_used; i < used; i++)
        if (call_at(s, i)->state != CALL_FREE)
            crash_call(s, place, call_at(s, i));
    for (uint32_t i = 0; i < place->deferred_count; i++) {
        const struct event *event = &place->deferred[i];
        if (event->type == EVENT_TICK || event->type == EVENT_CANCEL) {
            timer_give(s, event->target);
        } else if (event->type == EVENT_ARRIVE || event->type == EVENT_BACK ||
                   event->type == EVENT_LOST) {
            struct call *c = call_at(s, event->target);
            if (c->event == event->id) { /* it stood before a closed door: now it is lost */
                c->event = 0;
                if (event->type == EVENT_ARRIVE)
                    crash_answer(s, place, c);
                else
                    call_release(s, c);
            }
        }
    }
    place->deferred_count = 0;
    for (uint32_t i = 0; i < s->agent_count; i++) {
        struct agent *agent = &s->agents[i];
        if (agent->place != place)
            continue;
        event_cancel(&s->queue, agent->alarm);
        agent->alarm = 0;
        if (s->probe && s->probe->place_lost)
            s->probe->place_lost(s->probe->context, agent);
    }
    arena_reset(&place->memory);
    for (uint32_t i = 0; i < s->agent_count; i++)
        if (s->agents[i].place == place)
            s->agents[i].memory = arena_take(&place->memory, s->agents[i].kind->volatile_size);
    place_gate(s, place);
}

void place_restart(struct simulation *s, uint32_t index)
{
    struct place *place = &s->places[index];
    if (place->up || !s->agents[place->first_agent].exists)
        return;
    place->up = true;
    s->membership++;
    place->resets = false;
    place->downs = 0;
    place->restarts++;
    place_gate(s, place);
    agents_up(s, place, 1);
    for (uint32_t i = 0; i < s->agent_count; i++)
        if (s->agents[i].place == place)
            s->agents[i].kind->start(&s->agents[i]);
}

void place_pause(struct simulation *s, uint32_t index)
{
    struct place *place = &s->places[index];
    if (!place->up || place->paused)
        return;
    place->paused = true;
    for (struct place_part *part = place->parts; part; part = part->next)
        part->pause(part);
    place_gate(s, place);
}

void place_resume(struct simulation *s, uint32_t index)
{
    struct place *place = &s->places[index];
    if (!place->paused)
        return;
    place->paused = false;
    place_gate(s, place);
    for (struct place_part *part = place->parts; part; part = part->next)
        part->resume(part);
    for (uint32_t i = 0; i < place->deferred_count; i++) {
        const struct event *event = &place->deferred[i];
        if (event->type == EVENT_ALARM) {
            struct agent *agent = &s->agents[event->target];
            if (agent->alarm == event->id)
                alarm_at(agent, s->queue.now, event->argument, agent->alarm_argument);
            continue;
        }
        if (event->type >= EVENT_TICK) {
            event_push(&s->queue, s->queue.now, event->type, event->target, 0);
            continue;
        }
        struct call *c = call_at(s, event->target);
        event_handle *handle = c->event == event->id   ? &c->event
                               : c->timer == event->id ? &c->timer
                                                       : NULL;
        if (handle) /* otherwise somebody has taken it back meanwhile */
            *handle = event_push(&s->queue, s->queue.now, event->type, event->target, 0);
    }
    place->deferred_count = 0;
}

void place_slow(struct simulation *s, uint32_t index, double factor)
{
    struct place *place = &s->places[index];
    CHECK(factor > 0);
    place->speed = place->configured_speed / factor;
    for (struct place_part *part = place->parts; part; part = part->next)
        part->rescale(part);
}

void place_clock(struct simulation *s, uint32_t index, int64_t bump_ns, double drift)
{
    struct place *place = &s->places[index];
    int64_t since = s->queue.now - place->clock_since_ns;
    place->clock_drifted_ns += (int64_t)((double)since * place->clock_drift);
    place->clock_since_ns = s->queue.now;
    place->clock_offset_ns += bump_ns;
    CHECK(drift > -1);
    place->clock_drift = drift;
}

int64_t clock_steady(const struct agent *agent)
{
    const struct place *place = agent->place;
    int64_t now = agent->simulation->queue.now;
    return now + place->clock_drifted_ns +
           (int64_t)((double)(now - place->clock_since_ns) * place->clock_drift);
}

int64_t clock_wall(const struct agent *agent)
{
    return clock_steady(agent) + agent->place->clock_offset_ns;
}
