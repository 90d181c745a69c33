/* Calls: how they begin, wait, are answered and end. The rules stand in simulation.h. */
#include "engine/kernel/mechanism.h"

/* ---- the accounts of a visit ---- */

static inline void visit_enter(struct agent *agent, struct call *c)
{
    int64_t now = agent->simulation->queue.now;
    c->arrived_ns = now;
    if (!agent->visited)
        return;
    agent->inside++;
    agent->flow_in += window_holds(&agent->simulation->window, now);
    struct record *r = agent->records[VISITS];
    record_count(r, VISIT_ARRIVALS, c->operation, now, 1);
    record_level(r, VISIT_INSIDE, 1);
}

void visit_leave(struct agent *agent, struct call *c, int how)
{
    if (!agent->visited)
        return;
    const struct simulation *s = agent->simulation;
    int64_t now = s->queue.now, arrived = c->arrived_ns;
    struct record *r = agent->records[VISITS];
    agent->inside--;
    record_level(r, VISIT_INSIDE, -1);
    int64_t from = arrived > s->window.begin ? arrived : s->window.begin;
    int64_t to = now < s->window.end ? now : s->window.end;
    if (to > from)
        agent->sojourn += to - from;
    agent->flow_out[how] += window_holds(&s->window, now);
    if (LIKELY(how == LEFT_DEPARTED))
        record_count(r, VISIT_DEPARTURES, c->operation, now, 1);
    if (UNLIKELY(s->observer && s->observer->leave))
        s->observer->leave(s->observer->context, agent, c);
    if (UNLIKELY(agent->drains && !agent->inside))
        scaler_drained(agent);
}

/* What the answer tells of the visit: its latency, or how it failed. */
static inline void visit_answer(struct agent *agent, struct call *c, enum status status)
{
    if (!agent->visited)
        return;
    const struct simulation *s = agent->simulation;
    struct record *r = agent->records[VISITS];
    struct entry e = record_at(r, c->operation, c->arrived_ns);
    if (LIKELY(status == STATUS_OK)) {
        entry_duration(&e, VISIT_LATENCY, s->queue.now - c->arrived_ns);
    } else {
        entry_count(&e, VISIT_FAILED, 1);
        if (c->flags & CALL_REJECTED)
            entry_count(&e, VISIT_REJECTED_COUNT, 1);
        if (c->flags & CALL_ABANDONED)
            entry_count(&e, VISIT_ABANDONED_COUNT, 1);
    }
    if (c->flags & (CALL_REJECTED | CALL_ABANDONED | CALL_POST))
        return;
    const struct call *p = call_parent(s, c);
    if (UNLIKELY(!p || p->round != c->parent_round))
        record_count(r, VISIT_WASTED_COUNT, c->operation, s->queue.now, 1);
}

static inline int visit_end(const struct call *c)
{
    return c->flags & CALL_REJECTED    ? LEFT_REJECTED
           : c->flags & CALL_ABANDONED ? LEFT_ABANDONED
                                       : LEFT_DEPARTED;
}

/* ---- beginning ---- */

struct call *call_begin(struct agent *agent, uint64_t sequence)
{
    struct simulation *s = agent->simulation;
    struct call *c = call_take(s);
    memset(&c->op_id, 0, sizeof *c - offsetof(struct call, op_id));
    c->agent = c->from = agent->index;
    c->state = CALL_HELD;
    c->op_id = random_mix(agent->id_base ^ sequence);
    c->path = agent->tier_bits;
    c->arrived_ns = s->queue.now;
    frame_clear(c, agent->kind);
    s->totals.calls_begun++;
    return c;
}

/* A tier that was visited before, by this call or one it descends from, draws anew: the number of
 * the message at its caller is mixed in. A plain chain keeps sub = 0, so that putting a balancer or
 * a cache in between moves nobody's draws. */
static inline void call_draws_anew(struct call *parent, struct call *c, const struct agent *to)
{
    if ((parent->path & to->tier_bits) == to->tier_bits) {
        uint64_t mixed = random_mix(((uint64_t)parent->sub << 32 | parent->round) ^
                                    ((uint64_t)(parent->sent + 1u) << 16) ^ to->tier);
        c->sub = (uint32_t)(mixed >> 32) | 1;
    }
    parent->path |= to->tier_bits;
    c->path = parent->path;
}

static inline struct call *call_child(struct simulation *s, struct call *parent,
                                      const struct agent *from, uint16_t branch)
{
    struct call *c = call_take(s);
    memcpy(&c->op_id, &parent->op_id, sizeof *c - offsetof(struct call, op_id));
    c->parent = call_index(s, parent);
    c->parent_generation = parent->generation;
    c->parent_round = parent->round;
    c->from = from->index;
    c->branch = branch;
    parent->sent++;
    CHECK(parent->sent); /* 65,535 children of one round are counted */
    if (UNLIKELY(from->cancels)) {
        c->sibling = call_tail(parent)->children;
        call_tail(parent)->children = call_index(s, c);
    }
    return c;
}

struct call *call_to(struct call *parent, struct agent *from, uint32_t to, uint16_t branch,
                     uint32_t size)
{
    struct simulation *s = from->simulation;
    struct agent *target = &s->agents[to];
    struct call *c = call_child(s, parent, from, branch);
    call_draws_anew(parent, c, target);
    c->agent = to;
    c->size = size;
    c->state = CALL_FLIGHT;
    call_travel(s, c, from->place, target->place, EVENT_ARRIVE, size);
    return c;
}

struct call *call_fork(struct call *parent, struct agent *agent, uint16_t branch)
{
    struct simulation *s = agent->simulation;
    struct call *c = call_child(s, parent, agent, branch);
    c->agent = agent->index;
    c->flags = CALL_LOCAL;
    c->state = CALL_HELD;
    c->arrived_ns = s->queue.now;
    frame_clear(c, agent->kind);
    return c;
}

/* ---- waiting ---- */

static int64_t later(const struct simulation *s, int64_t ns)
{
    CHECK(ns >= 0);
    return ns > INT64_MAX - s->queue.now ? INT64_MAX : s->queue.now + ns;
}

void call_timer(struct call *c, struct agent *agent, int64_t ns)
{
    struct simulation *s = agent->simulation;
    event_cancel(&s->queue, c->timer);
    c->timer = event_push(&s->queue, later(s, clock_true_ns(agent->place, ns)), EVENT_TIMER,
                          call_index(s, c), 0);
}

void call_timer_stop(struct call *c, struct agent *agent)
{
    event_cancel(&agent->simulation->queue, c->timer);
    c->timer = 0;
}

void call_await(struct call *c, struct agent *agent, uint16_t need, int64_t timeout_ns)
{
    c->need = need;
    if (UNLIKELY(need && (c->got >= need || c->sent - c->failed < need))) {
        struct simulation *s = agent->simulation;
        event_cancel(&s->queue, c->timer);
        c->timer = event_push(&s->queue, s->queue.now, EVENT_JOIN, call_index(s, c), 0);
        return;
    }
    if (timeout_ns != TIME_NONE)
        call_timer(c, agent, timeout_ns);
}

void call_round(struct call *c, struct agent *agent)
{
    call_timer_stop(c, agent);
    if (UNLIKELY(!++c->round)) { /* used up: whoever belongs to an earlier one finds no parent */
        c->generation++;
        call_tail(c)->children = 0;
    }
    c->need = c->got = c->failed = c->sent = 0;
}

void call_work(struct call *c, struct agent *agent, int64_t ns)
{
    struct simulation *s = agent->simulation;
    c->event = event_push(&s->queue, later(s, ns), EVENT_WORK, call_index(s, c), 0);
}

void call_stop(struct call *c, struct agent *agent)
{
    event_cancel(&agent->simulation->queue, c->event);
    c->event = 0;
}

/* ---- answering and ending ---- */

void call_reply(struct call *c, struct agent *agent, enum status status, uint32_t size)
{
    struct simulation *s = agent->simulation;
    if (!(c->flags & CALL_LOCAL)) {
        visit_answer(agent, c, status);
        visit_leave(agent, c, visit_end(c));
    }
    if (c->flags & (CALL_POST | CALL_ORPHAN)) {
        call_release(s, c);
        return;
    }
    CHECK(c->parent);
    if (c->timer)
        call_timer_stop(c, agent);
    if (c->event)
        call_stop(c, agent);
    c->generation++; /* its own children have lost their parent */
    c->status = (uint8_t)status;
    c->size = size;
    c->state = CALL_BACK;
    if (UNLIKELY(c->flags & CALL_LOCAL))
        c->event = event_push(&s->queue, s->queue.now, EVENT_BACK, call_index(s, c), 0);
    else
        call_travel(s, c, agent->place, s->agents[c->from].place, EVENT_BACK, size);
}

/* In the parent's list of children, where it keeps one: `instead` (0: nothing) takes the place of
 * `c`. A copy made by a link stands in no list; whichever of the two stays takes the place. */
SELDOM static void relist(struct simulation *s, const struct call *c, uint32_t instead)
{
    struct call *parent = call_parent(s, c);
    if (!parent)
        return;
    uint32_t index = call_index(s, c);
    uint32_t *link = &call_tail(parent)->children;
    while (*link && *link != index)
        link = &call_at(s, *link)->sibling;
    if (!*link)
        return;
    if (instead)
        call_at(s, instead)->sibling = c->sibling;
    *link = instead ? instead : c->sibling;
}

static inline void call_relist(struct simulation *s, const struct call *c, uint32_t instead)
{
    if (UNLIKELY(s->agents[c->from].cancels))
        relist(s, c, instead);
}

void call_answer(struct call *c, struct agent *agent, enum status status, uint32_t size)
{
    struct simulation *s = agent->simulation;
    CHECK(c->parent && !(c->flags & (CALL_POST | CALL_LOCAL)));
    visit_answer(agent, c, status);
    struct call *reply = call_take(s);
    uint32_t generation = reply->generation;
    memcpy(reply, c, sizeof *c);
    reply->generation = generation;
    reply->event = reply->timer = 0;
    uint32_t twin = call_tail(c)->twin;
    if (UNLIKELY(twin)) { /* the copy that settles first cuts the other: now the reply's affair */
        call_tail(reply)->twin = twin;
        call_tail(call_at(s, twin))->twin = call_index(s, reply);
        call_tail(c)->twin = 0;
    }
    call_relist(s, c, call_index(s, reply));
    c->parent = 0;
    c->flags |= CALL_POST | CALL_ANSWERED;
    reply->status = (uint8_t)status;
    reply->size = size;
    reply->state = CALL_BACK;
    call_travel(s, reply, agent->place, s->agents[reply->from].place, EVENT_BACK, size);
}

void call_free(struct call *c, struct agent *agent)
{
    if (c->parent || (c->flags & CALL_POST))
        visit_leave(agent, c, visit_end(c));
    call_release(agent->simulation, c);
}

void call_lose(struct simulation *s, struct call *c, int64_t give_up_ns)
{
    s->totals.dropped++;
    event_cancel(&s->queue, c->timer);
    event_cancel(&s->queue, c->event);
    c->event = c->timer = 0;
    c->generation++;
    uint32_t twin = call_tail(c)->twin;
    if (!c->parent || (c->flags & (CALL_POST | CALL_ORPHAN)) || twin) {
        if (twin) {
            link_share_line(s, c);
            call_relist(s, c, twin);
        }
        call_release(s, c); /* nobody is to be told, or the other copy will tell */
        return;
    }
    c->state = CALL_LOST;
    c->status = STATUS_INFO;
    c->event = event_push(&s->queue, later(s, give_up_ns), EVENT_LOST, call_index(s, c), 0);
}

/* A reset takes the way of a reply; nobody tells whoever has gone. */
void call_reset(struct simulation *s, struct call *c, enum status status)
{
    s->totals.dropped++;
    event_cancel(&s->queue, c->timer);
    event_cancel(&s->queue, c->event);
    c->event = c->timer = 0;
    c->generation++;
    if (!c->parent || (c->flags & (CALL_POST | CALL_ORPHAN))) {
        call_release(s, c);
        return;
    }
    c->status = (uint8_t)status;
    c->size = 0;
    c->state = CALL_BACK;
    call_travel(s, c, s->agents[c->agent].place, s->agents[c->from].place, EVENT_BACK, 0);
}

static inline void call_wake(struct agent *agent, struct call *c, enum wake wake)
{
    c->wake = (uint8_t)wake;
    agent->kind->step(agent, c);
}

void call_settle(struct simulation *s, struct call *c)
{
    struct agent *caller = &s->agents[c->from];
    if (UNLIKELY(c->flags & CALL_ORPHAN)) {
        call_release(s, c);
        return;
    }
    if (UNLIKELY(call_tail(c)->twin)) { /* the first of two copies: the other tells nobody */
        struct call *twin = call_at(s, call_tail(c)->twin);
        twin->flags |= CALL_ORPHAN;
        call_relist(s, twin, 0);
    }
    call_relist(s, c, 0);
    struct call *p = call_parent(s, c);
    bool late = !p || p->round != c->parent_round;
    caller->kind->settle(caller, late ? NULL : p, c);
    enum status status = (enum status)c->status;
    call_release(s, c);
    if (UNLIKELY(late)) {
        s->totals.late++;
        return;
    }
    if (LIKELY(status == STATUS_OK))
        p->got++;
    else
        p->failed++;
    if (!p->need)
        return;
    bool joined = p->got >= p->need;
    if (!joined && p->sent - p->failed >= p->need)
        return;
    p->need = 0;
    if (p->timer)
        call_timer_stop(p, caller);
    call_wake(caller, p, joined ? WAKE_JOINED : WAKE_SHORT);
}

/* ---- dispatch ---- */

/* Over all handled events, by names and not by indices, so that an inert node changes nothing. */
static inline void fingerprint_add(struct simulation *s, uint64_t what)
{
    uint64_t f = (s->totals.fingerprint ^ (uint64_t)s->queue.now) + what;
    s->totals.fingerprint = (f ^ f >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
}

APART static void timer_dispatch(struct simulation *s, const struct event *event)
{
    struct timer timer = s->timers[event->target];
    struct agent *agent = &s->agents[timer.agent];
    if (UNLIKELY(agent->gate && agent->place->up && agent->place->paused)) {
        place_defer(agent->place, event);
        return;
    }
    timer_give(s, event->target);
    fingerprint_add(s, agent->tier + timer.tag);
    if (UNLIKELY(!agent->place->up || timer.incarnation != agent->place->incarnation))
        return;
    if (event->type == EVENT_TICK)
        agent->kind->tick(agent, timer.tag, timer.argument);
    else
        call_cancelled(s, timer.argument);
}

/* A crash takes the alarm back, a pause keeps the event and thereby `alarm`. */
APART static void alarm_dispatch(struct simulation *s, const struct event *event)
{
    struct agent *agent = &s->agents[event->target];
    if (UNLIKELY(agent->gate)) {
        place_defer(agent->place, event);
        return;
    }
    fingerprint_add(s, agent->tier + event->argument);
    agent->alarm = 0;
    agent->kind->tick(agent, event->argument, agent->alarm_argument);
}

SELDOM static void strike_dispatch(struct simulation *s, const struct event *event)
{
    const char *name = s->blueprint->faults[s->strikes[event->target].fault].name;
    fingerprint_add(s, random_hash(name, strlen(name)) + event->argument);
    fault_dispatch(s, event);
}

/* An event of a call whose agent is down or paused. */
SELDOM static void gate_dispatch(struct simulation *s, const struct event *event, struct call *c,
                                 struct agent *agent)
{
    if (agent->place->up) {
        place_defer(agent->place, event);
        return;
    }
    if (event->type == EVENT_BACK || event->type == EVENT_LOST) {
        call_release(s, c);
        return;
    }
    CHECK(event->type == EVENT_ARRIVE);
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
APART static void call_arrive(struct simulation *s, struct call *c, struct agent *agent)
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
    call_wake(agent, c, WAKE_ARRIVED);
}

void event_dispatch(struct simulation *s, const struct event *event)
{
    if (event->type >= EVENT_ALARM) {
        if (UNLIKELY(event->type == EVENT_STRIKE)) {
            strike_dispatch(s, event);
            return;
        }
        if (UNLIKELY(event->type == EVENT_SCALE)) {
            scaler_dispatch(s, event);
            return;
        }
        alarm_dispatch(s, event);
        return;
    }
    if (event->type >= EVENT_TICK) {
        timer_dispatch(s, event);
        return;
    }
    struct call *c = call_at(s, event->target);
    uint8_t type = event->type;
    bool back = type == EVENT_BACK || type == EVENT_LOST;
    if (UNLIKELY(!(event->id & EVENT_SLOT_MASK) && c->event != event->id)) {
        event_disown(&s->queue);
        return;
    }
    struct agent *agent = &s->agents[back ? c->from : c->agent];
    if (UNLIKELY(agent->gate)) {
        gate_dispatch(s, event, c, agent);
        return;
    }
    fingerprint_add(s, c->op_id + type);
    switch (type) {
    case EVENT_ARRIVE:
        call_arrive(s, c, agent);
        break;
    case EVENT_WORK:
        c->event = 0;
        call_wake(agent, c, WAKE_WORKED);
        break;
    case EVENT_BACK:
    case EVENT_LOST:
        c->event = 0;
        call_settle(s, c);
        break;
    case EVENT_TIMER:
        c->timer = 0;
        c->need = 0;
        call_wake(agent, c, WAKE_TIMEOUT);
        break;
    case EVENT_JOIN: {
        bool joined = c->got >= c->need;
        c->timer = 0;
        c->need = 0;
        call_wake(agent, c, joined ? WAKE_JOINED : WAKE_SHORT);
        break;
    }
    default:
        CHECK(false);
    }
}
