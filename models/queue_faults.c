/* What a crash takes from a broker. */
#include "models/queue_state.h"

static void part_ignores(struct place_part *part)
{
    (void)part;
}

static void part_drops(struct place_part *part, struct call *c)
{
    (void)part, (void)c;
}

/* What has not been synced is gone, and so is what was acknowledged since the last sync; all
 * deliveries are over, and what was under way waits again. */
static void crash_claim(struct broker *q, uint32_t index)
{
    struct claim *c = &q->claims[index];
    struct subscription *s = &q->subscriptions[c->subscription];
    const struct message *m = &q->messages[c->message];
    if (c->state == CLAIM_DONE)
        s->lag++;
    if (c->state == CLAIM_WAITS && m->synced)
        return;
    if (c->state == CLAIM_WAITS)
        queue_unwait(q, index);
    if (c->state == CLAIM_RIPENS && m->synced)
        return;
    c->before = c->behind = c->delivery = 0;
    c->state = CLAIM_RESTS;
    if (m->synced) {
        queue_wait(q, index);
        return;
    }
    recall_forget(&q->known, m->op_id);
    queue_claim_end(q, index);
}

static void end_connections(struct broker *q)
{
    for (uint32_t i = 0; i < q->subscription_count; i++) {
        struct subscription *s = &q->subscriptions[i];
        queue_consumers_reset(s);
        for (uint32_t l = 0; l < q->lane_count; l++) {
            s->lanes[l].out = s->lanes[l].out_owner = s->lanes[l].owner = 0;
            s->lanes[l].linger_until = 0;
        }
    }
    q->sync_due = q->expiry_due = q->watch_due = q->retention_due = false;
}

/* What is under way to consumers or to the dead letters waits again. */
static void call_back(struct broker *q, bool crashed)
{
    for (uint32_t i = 1; i < q->claim_used; i++) {
        struct claim *c = &q->claims[i];
        if (c->state != CLAIM_OUT && c->state != CLAIM_DEAD && c->state != CLAIM_RESTS)
            continue;
        if (!crashed && c->state != CLAIM_RESTS) /* it is woken, and finds itself of the past */
            queue_frame_of(call_at(q->agent->simulation, c->delivery))->claims = 0;
        c->before = c->behind = c->delivery = 0;
        queue_wait(q, i);
    }
}

void queue_stop_leading(struct broker *q, bool crashed)
{
    struct simulation *sim = q->agent->simulation;
    q->leads = false;
    while (q->blocked.first) {
        struct call *c = call_at(sim, q->blocked.first);
        queue_unblock(q, c);
        if (!crashed)
            queue_refuse(q, c, STATUS_FAIL);
    }
    while (q->unsynced.first) {
        struct call *c = call_at(sim, q->unsynced.first);
        queue_unlist(q, c);
        if (!crashed)
            queue_refuse(q, c, STATUS_INFO);
    }
    call_back(q, crashed);
    end_connections(q);
    for (uint32_t i = 0; i < q->subscription_count; i++)
        queue_show(q, &q->subscriptions[i]);
}

/* One claim whose message, or whose acknowledgement, the new leader does not hold. */
static void truncate_claim(struct broker *q, uint32_t index, uint64_t upto)
{
    struct claim *c = &q->claims[index];
    struct subscription *s = &q->subscriptions[c->subscription];
    const struct message *m = &q->messages[c->message];
    bool lost = m->log > upto, undone = c->state == CLAIM_DONE && c->log > upto;
    if (!lost && !undone)
        return;
    if (c->state == CLAIM_DONE) {
        queue_list_remove(q, &s->done, index);
        s->lag++;
        c->state = CLAIM_RESTS;
    } else if (c->state == CLAIM_HELD) {
        queue_list_remove(q, &q->held, index);
    } else if (c->state == CLAIM_WAITS) {
        queue_unwait(q, index);
    }
    if (!lost) {
        queue_wait(q, index);
        return;
    }
    recall_forget(&q->known, m->op_id);
    queue_claim_end(q, index);
}

void queue_truncate(struct broker *q, uint64_t upto)
{
    for (uint32_t i = 1; i < q->claim_used; i++)
        if (q->claims[i].state != CLAIM_FREE)
            truncate_claim(q, i, upto);
    for (uint32_t at = q->subscription_count ? 0 : q->newest; at && q->messages[at].log > upto;) {
        uint32_t older = q->messages[at].older;
        q->messages[at].claims = 1;
        queue_message_release(q, at);
        at = older;
    }
    for (uint32_t at = q->newest; at && q->messages[at].log > upto;) {
        uint32_t older = q->messages[at].older;
        queue_unretain(q, at);
        at = older;
    }
    q->log = upto;
    q->committed = q->committed < upto ? q->committed : upto;
}

static void crash(struct place_part *part)
{
    struct broker *b = (struct broker *)(void *)part, *q = b->queue;
    if (queue_is_replicated(q)) {
        queue_replicas_crash(b);
        return;
    }
    const struct simulation *sim = q->agent->simulation;
    while (q->blocked.first)
        queue_unblock(q, call_at(sim, q->blocked.first));
    while (q->unsynced.first)
        queue_unlist(q, call_at(sim, q->unsynced.first));
    for (uint32_t i = 0; i < q->subscription_count; i++)
        q->subscriptions[i].done = (struct claim_list){0};
    end_connections(q);
    for (uint32_t i = 1; i < q->claim_used; i++)
        if (q->claims[i].state != CLAIM_FREE)
            crash_claim(q, i);
    for (uint32_t at = q->subscription_count ? 0 : q->newest; at && !q->messages[at].synced;) {
        uint32_t older = q->messages[at].older;
        q->messages[at].claims = 1;
        queue_message_release(q, at);
        at = older;
    }
    for (uint32_t at = q->newest; at && !q->messages[at].synced;) {
        uint32_t older = q->messages[at].older;
        queue_unretain(q, at);
        at = older;
    }
    for (uint32_t i = 0; i < q->subscription_count; i++)
        queue_show(q, &q->subscriptions[i]);
    queue_show(q, NULL);
}

void queue_watch_faults(struct broker *b)
{
    b->part.pause = b->part.resume = b->part.rescale = part_ignores;
    b->part.crash = crash;
    b->part.drop = part_drops;
    b->part.next = b->self->place->parts;
    b->self->place->parts = &b->part;
}

void queue_take_over(struct broker *q)
{
    int64_t now = simulation_now(q->agent->simulation);
    for (uint32_t i = 1; i < q->claim_used; i++) {
        const struct claim *c = &q->claims[i];
        if (c->state == CLAIM_RIPENS)
            timer_after(q->agent, c->since_ns > now ? c->since_ns - now : 0, TICK_RIPE,
                        (uint64_t)i << 32 | (c->order & UINT32_MAX));
    }
    queue_expire_soon(q);
    queue_watch_soon(q);
    queue_retention_soon(q);
    queue_replays_soon(q);
    queue_dispatch_all(q);
}
