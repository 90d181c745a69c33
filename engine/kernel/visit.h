/* The accounts of a visit: a call of somebody else at an agent, from its arrival to its end. For
 * the kernel's own files only. */
#ifndef ORRERY_KERNEL_VISIT_H
#define ORRERY_KERNEL_VISIT_H

#include "engine/kernel/mechanism.h"

/* Whether the call is a visit of the agent: what the agents of a group tell one another is none. */
static inline bool visit_counts(const struct agent *agent, const struct call *c)
{
    return agent->inside && !(c->traits & REQUEST_PEER);
}

static inline void visit_enter(struct agent *agent, struct call *c)
{
    int64_t now = agent->simulation->queue.now;
    c->arrived_ns = now;
    if (!visit_counts(agent, c))
        return;
    level_move(agent->inside, now, 1);
    record_count(agent->records[VISITS], VISIT_ARRIVALS, c->operation, now, 1);
}

/* Whoever made the call no longer waits for its answer. */
static inline bool visit_wasted(const struct simulation *s, const struct call *c)
{
    const struct call *p = call_parent(s, c);
    return !p || p->round != c->parent_round;
}

/* How a visit that is answered or freed by its agent has ended. */
static inline enum visit_end visit_end(const struct call *c)
{
    return c->flags & CALL_REJECTED    ? LEFT_REJECTED
           : c->flags & CALL_ABANDONED ? LEFT_ABANDONED
                                       : LEFT_DEPARTED;
}

/* What the answer tells of the visit: its latency, or how it failed. */
void visit_answer(struct agent *agent, struct call *c, enum status status);

/* The call is not inside any longer. */
void visit_leave(struct agent *agent, struct call *c, enum visit_end how);

/* Both at once. The short way is for what is answered ok within the only window. */
static inline void visit_reply(struct agent *agent, struct call *c, enum status status)
{
    const struct simulation *s = agent->simulation;
    int64_t now = s->queue.now, stay_ns = now - c->arrived_ns;
    if (!visit_counts(agent, c))
        return;
    struct entry e = record_at(agent->records[VISITS], c->operation, c->arrived_ns);
    bool short_way = status == STATUS_OK && e.plain && now < s->window.end && !s->observer &&
                     !agent->drains && !(c->flags & (CALL_REJECTED | CALL_ABANDONED | CALL_POST));
    if (UNLIKELY(!short_way)) {
        visit_answer(agent, c, status);
        visit_leave(agent, c, visit_end(c));
        return;
    }
    level_move(agent->inside, now, -1);
    agent->sojourn += (wide)(uint64_t)stay_ns;
    e.counts[VISIT_DEPARTURES]++;
    if (UNLIKELY(visit_wasted(s, c)))
        e.counts[VISIT_WASTED_COUNT]++;
    tally_add(&e.tallies[VISIT_LATENCY], stay_ns);
}

#endif
