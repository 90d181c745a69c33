/* Cancel messages: a caller takes calls back that it has made. The message takes the link's time
 * and may be lost; who has answered or moved on by then is not reached. */
#include "engine/kernel/mechanism.h"

/* A cancel message from `agent` to its child of this index. */
static void cancel_send(struct simulation *s, struct agent *agent, uint32_t index)
{
    struct call *c = call_at(s, index);
    if (c->state != CALL_HELD && c->state != CALL_FLIGHT)
        return;
    struct agent *callee = &s->agents[c->agent];
    int64_t delay_ns = 0;
    if (!s->plain_links) {
        struct link *link = link_between(s, agent->place, callee->place);
        uint64_t draw = random_mix(c->op_id ^ link->tier ^ c->sub ^ UINT64_C(0xca4ce1));
        delay_ns = link_cancel_delay(link, draw);
        if (delay_ns < 0)
            return;
    }
    s->totals.cancelled++;
    timer_push(callee, s->queue.now + delay_ns, EVENT_CANCEL, 0,
               (uint64_t)index << 32 | c->generation);
}

void call_cancel(struct call *parent, struct agent *agent, uint16_t branch)
{
    struct simulation *s = agent->simulation;
    CHECK(agent->cancels);
    for (uint32_t i = call_tail(parent)->children; i; i = call_at(s, i)->sibling)
        if (call_at(s, i)->branch == branch)
            cancel_send(s, agent, i);
}

void call_abandon(struct call *parent, struct agent *agent, uint16_t branch)
{
    struct simulation *s = agent->simulation;
    for (uint32_t i = call_tail(parent)->children; i; i = call_at(s, i)->sibling) {
        const struct call *c = call_at(s, i);
        bool present = c->branch == branch && c->parent_round == parent->round;
        if (present && s->agents[c->agent].abandons)
            cancel_send(s, agent, i);
    }
}

void call_cancelled(struct simulation *s, uint64_t who)
{
    struct call *c = call_at(s, (uint32_t)(who >> 32));
    struct agent *agent = &s->agents[c->agent];
    if (c->generation != (uint32_t)who || c->state != CALL_HELD)
        return;
    bool all = agent->kind->flags & KIND_CANCELS;
    if (c->flags & CALL_IN_STATION)
        for (struct place_part *part = agent->place->parts; part; part = part->next)
            part->drop(part, c);
    if (agent->cancels)
        for (uint32_t i = call_tail(c)->children; i; i = call_at(s, i)->sibling)
            if (all || s->agents[call_at(s, i)->agent].abandons)
                cancel_send(s, agent, i);
    call_timer_stop(c, agent);
    call_stop(c, agent);
    call_round(c, agent);
    c->wake = WAKE_CANCELLED;
    agent->kind->step(agent, c);
}
