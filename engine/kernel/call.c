/* Calls: how they begin, wait, are answered and end. The rules stand in simulation.h. */
#include "engine/kernel/visit.h"

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

/* Field by field: a wider read of what was written in narrower ones a moment ago would wait for it.
 */
static inline void line_copy(struct call *to, const struct call *from)
{
    to->op_id = from->op_id;
    to->key = from->key;
    to->version = from->version;
    to->deadline_ns = from->deadline_ns;
    to->session = from->session;
    to->size = from->size;
    to->sub = from->sub;
    to->operation = from->operation;
    to->verb = from->verb;
    to->traits = from->traits;
    to->attempt = from->attempt;
}

static inline struct call *call_child(struct simulation *s, struct call *parent,
                                      const struct agent *from, uint16_t branch)
{
    struct call *c = call_take(s);
    line_copy(c, parent);
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
    if (LIKELY(!(c->flags & CALL_LOCAL)))
        visit_reply(agent, c, status);
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
SELDOM void call_relist(struct simulation *s, const struct call *c, uint32_t instead)
{
    struct call *parent = call_parent(s, c);
    if (!parent || !s->agents[c->from].cancels)
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
    if (call_tail(c)->twin)
        link_share_line(s, c); /* the other copy may come when the place is up again */
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
