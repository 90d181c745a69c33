/* What happens when an event is due. Everything a message meets on its way stands in this file, so
 * that the compiler sees the whole of it. */
#include "engine/kernel/visit.h"

/* Over all handled events, by names and not by indices, so that an inert node changes nothing. */
static inline void fingerprint_add(struct simulation *s, uint64_t what)
{
    uint64_t f = (s->totals.fingerprint ^ (uint64_t)s->queue.now) + what;
    s->totals.fingerprint = (f ^ f >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
}

static inline void wake(struct agent *agent, struct call *c, enum wake why)
{
    c->wake = (uint8_t)why;
    agent->kind->step(agent, c);
}

/* ---- agents' own events ---- */

APART static void timer_due(struct simulation *s, struct event_cell due)
{
    const struct event event = event_of_cell(due);
    struct timer timer = s->timers[event.target];
    struct agent *agent = &s->agents[timer.agent];
    if (UNLIKELY(agent->gate && agent->place->up && agent->place->paused)) {
        place_defer(agent->place, &event);
        return;
    }
    timer_give(s, event.target);
    fingerprint_add(s, agent->tier + timer.tag);
    if (UNLIKELY(!agent->place->up || timer.incarnation != agent->place->incarnation))
        return;
    if (event.type == EVENT_TICK)
        agent->kind->tick(agent, timer.tag, timer.argument);
    else
        call_cancelled(s, timer.argument);
}

SELDOM static void alarm_defer(const struct agent *agent, struct event_cell due)
{
    const struct event event = event_of_cell(due);
    place_defer(agent->place, &event);
}

/* A crash takes the alarm back, a pause keeps the event and thereby `alarm`. */
static inline void alarm_due(struct simulation *s, struct event_cell due)
{
    struct agent *agent = &s->agents[event_target(due)];
    if (UNLIKELY(agent->gate)) {
        alarm_defer(agent, due);
        return;
    }
    fingerprint_add(s, agent->tier + event_argument(due));
    agent->alarm = 0;
    agent->kind->tick(agent, event_argument(due), agent->alarm_argument);
}

SELDOM static void strike_due(struct simulation *s, struct event_cell due)
{
    const struct event event = event_of_cell(due);
    const char *name = s->blueprint->faults[s->strikes[event.target].fault].name;
    fingerprint_add(s, random_hash(name, strlen(name)) + event.argument);
    fault_dispatch(s, &event);
}

SELDOM static void scale_due(struct simulation *s, struct event_cell due)
{
    const struct event event = event_of_cell(due);
    scaler_dispatch(s, &event);
}

/* ---- events of calls ---- */

/* The agent is down or paused. */
SELDOM static void gate_dispatch(struct simulation *s, struct event_cell due, struct call *c,
                                 struct agent *agent)
{
    const struct event event = event_of_cell(due);
    if (agent->place->up) {
        place_defer(agent->place, &event);
        return;
    }
    if (event.type == EVENT_BACK || event.type == EVENT_LOST) {
        call_release(s, c);
        return;
    }
    CHECK(event.type == EVENT_ARRIVE);
    c->event = 0;
    if (agent->place->resets) { /* refused: certainly not applied */
        call_reset(s, c, STATUS_FAIL);
        return;
    }
    call_lose(s, c,
              s->plain_links
                  ? LINK_GIVE_UP_NS
                  : link_between(s, s->agents[c->from].place, agent->place)->config.give_up);
}

/* A request has reached its agent. */
static inline void call_arrive(struct simulation *s, struct call *c, struct agent *agent)
{
    c->event = 0;
    if (UNLIKELY(s->totals.duplicated) && call_tail(c)->twin)
        link_share_line(s, c);
    if (UNLIKELY(c->operation == OPERATION_PROBE)) {
        place_answer(s, c, agent);
        return;
    }
    c->state = CALL_HELD;
    frame_clear(c, agent->kind);
    visit_enter(agent, c);
    if (UNLIKELY(s->observer && s->observer->arrive))
        s->observer->arrive(s->observer->context, agent, c);
    wake(agent, c, WAKE_ARRIVED);
}

/* A copy made by a link settles: the first of two tells, and the other one nobody. */
SELDOM static void settle_twin(struct simulation *s, struct call *c)
{
    struct call *twin = call_at(s, call_tail(c)->twin);
    twin->flags |= CALL_ORPHAN;
    call_relist(s, twin, 0);
}

/* A reply, or a lost call that is given up, is back at its caller: it settles, is freed, and the
 * join is judged. */
static inline void call_settle(struct simulation *s, struct call *c, struct agent *caller)
{
    c->event = 0;
    if (UNLIKELY(c->flags & CALL_ORPHAN)) {
        call_release(s, c);
        return;
    }
    const struct kind *kind = caller->kind;
    if (UNLIKELY(call_tail(c)->twin))
        settle_twin(s, c);
    if (UNLIKELY(caller->cancels))
        call_relist(s, c, 0);
    struct call *p = call_parent(s, c);
    if (UNLIKELY(!p || p->round != c->parent_round)) {
        kind->settle(caller, NULL, c);
        call_release(s, c);
        s->totals.late++;
        return;
    }
    kind->settle(caller, p, c);
    if (LIKELY(c->status == STATUS_OK))
        p->got++;
    else
        p->failed++;
    call_release(s, c);
    uint32_t need = p->need;
    bool joined = p->got >= need;
    if (!need || (!joined && (uint32_t)(p->sent - p->failed) >= need))
        return;
    p->need = 0;
    if (p->timer) {
        event_cancel(&s->queue, p->timer);
        p->timer = 0;
    }
    wake(caller, p, joined ? WAKE_JOINED : WAKE_SHORT);
}

/* The await's time is up, or (EVENT_JOIN) its join was decided before it began. */
static inline void call_timed(struct call *c, struct agent *agent, bool join)
{
    bool joined = c->got >= c->need;
    c->timer = 0;
    c->need = 0;
    wake(agent, c, !join ? WAKE_TIMEOUT : joined ? WAKE_JOINED : WAKE_SHORT);
}

static inline void call_due(struct simulation *s, struct event_cell due)
{
    struct call *c = call_at(s, event_target(due));
    uint8_t type = event_type(due);
    bool back = type == EVENT_BACK || type == EVENT_LOST;
    if (UNLIKELY(!(due.id & EVENT_SLOT_MASK) && c->event != due.id)) {
        event_disown(&s->queue);
        return;
    }
    struct agent *agent = &s->agents[back ? c->from : c->agent];
    if (UNLIKELY(agent->gate)) {
        gate_dispatch(s, due, c, agent);
        return;
    }
    fingerprint_add(s, c->op_id + type);
    if (type == EVENT_ARRIVE) {
        call_arrive(s, c, agent);
    } else if (back) {
        call_settle(s, c, agent);
    } else if (type == EVENT_WORK) {
        c->event = 0;
        wake(agent, c, WAKE_WORKED);
    } else {
        CHECK(type == EVENT_TIMER || type == EVENT_JOIN);
        call_timed(c, agent, type == EVENT_JOIN);
    }
}

/* ---- the loop ---- */

uint32_t dispatch(struct simulation *s, int64_t stop_ns, uint32_t limit, bool draining)
{
    struct event_cell due;
    while (limit && event_pop_cell(&s->queue, &due, stop_ns)) {
        uint8_t type = event_type(due);
        limit--;
        if (LIKELY(type < EVENT_TICK))
            call_due(s, due);
        else if (LIKELY(type == EVENT_ALARM))
            alarm_due(s, due);
        else if (type == EVENT_STRIKE)
            strike_due(s, due);
        else if (type == EVENT_SCALE)
            scale_due(s, due);
        else
            timer_due(s, due);
        if (UNLIKELY(s->diverged) || (draining && !s->observed_open && !s->observed_held))
            break;
    }
    return limit;
}
