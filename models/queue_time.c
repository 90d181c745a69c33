/* What time brings to a queue: syncs, and what follows from what is safe; expiry, ripening, the end
 * of retention, replays. */
#include "models/queue_state.h"

#define WATCH_NS INT64_C(1000000000)

static int64_t now_of(const struct broker *q)
{
    return simulation_now(q->agent->simulation);
}

/* What was due while there was nobody to do it is due at once. */
static int64_t not_before_now(const struct broker *q, int64_t at_ns)
{
    return at_ns > now_of(q) ? at_ns : now_of(q);
}

void queue_expire_soon(struct broker *q)
{
    if (q->config->ttl == TIME_NONE || q->expiry_due || !q->unexpired)
        return;
    q->expiry_due = true;
    timer_at(q->agent, not_before_now(q, q->messages[q->unexpired].accepted_ns + q->config->ttl),
             TICK_EXPIRY, 0);
}

void queue_watch_soon(struct broker *q)
{
    if (q->watch_due || !q->stored)
        return;
    q->watch_due = true;
    timer_at(q->agent, (now_of(q) / WATCH_NS + 1) * WATCH_NS, TICK_WATCH, 0);
}

/* ---- syncs ---- */

void queue_sync_soon(struct broker *q)
{
    if (q->sync_due || q->config->durability != QUEUE_FSYNC)
        return;
    q->sync_due = true;
    int64_t every = q->config->sync_every;
    timer_at(q->agent, (now_of(q) / every + 1) * every, TICK_SYNC, 0);
}

/* Producers whose messages are safe, in the order in which they came. */
static void answer_safe(struct broker *q, uint64_t upto)
{
    while (q->unsynced.first) {
        struct call *c = call_at(q->agent->simulation, q->unsynced.first);
        if (queue_frame_of(c)->log > upto)
            break;
        queue_unlist(q, c);
        queue_answer(q, c);
    }
}

/* What a majority holds can be delivered. */
static void release_held(struct broker *q)
{
    while (q->held.first) {
        uint32_t index = q->held.first;
        const struct claim *c = &q->claims[index];
        struct subscription *s = &q->subscriptions[c->subscription];
        const struct message *m = &q->messages[c->message];
        if (m->log > q->committed)
            break;
        uint32_t lane = m->lane;
        queue_list_remove(q, &q->held, index);
        if (m->expired) {
            queue_count(s, DELIVERY_EXPIRED, ledger_at(&q->ledger, m->entry), 1);
            queue_claim_end(q, index);
        } else {
            queue_wait(q, index);
            queue_dispatch(q, s, lane);
        }
    }
}

void queue_settle_log(struct broker *q)
{
    const struct replica *own = &((const struct broker *)q->agent->durable)->replica;
    uint64_t upto = queue_committed(q);
    q->committed = upto > q->committed ? upto : q->committed;
    uint64_t safe = q->config->durability == QUEUE_FSYNC ? own->safe : own->has;
    answer_safe(q, q->config->ack == QUEUE_ACK_ALL ? q->committed : safe);
    for (uint32_t i = 0; i < q->subscription_count; i++) {
        struct claim_list *done = &q->subscriptions[i].done;
        while (done->first && q->claims[done->first].log <= q->committed) {
            uint32_t claim = done->first;
            queue_list_remove(q, done, claim);
            queue_claim_end(q, claim);
        }
    }
    release_held(q);
    queue_show(q, NULL);
}

static void sync(struct broker *q)
{
    struct simulation *s = q->agent->simulation;
    q->sync_due = false;
    if (queue_is_replicated(q)) {
        ((struct broker *)q->agent->durable)->replica.safe = q->log;
        queue_settle_log(q);
        return;
    }
    for (uint32_t at = q->newest; at && !q->messages[at].synced; at = q->messages[at].older)
        q->messages[at].synced = true;
    for (uint32_t i = 0; i < q->subscription_count; i++)
        while (q->subscriptions[i].done.first) {
            uint32_t claim = q->subscriptions[i].done.first;
            queue_list_remove(q, &q->subscriptions[i].done, claim);
            queue_claim_end(q, claim);
        }
    while (q->unsynced.first) {
        struct call *c = call_at(s, q->unsynced.first);
        queue_unlist(q, c);
        queue_answer(q, c);
    }
    queue_show(q, NULL);
}

/* ---- what time brings ---- */

static void expire(struct broker *q)
{
    q->expiry_due = false;
    while (q->unexpired && q->messages[q->unexpired].accepted_ns + q->config->ttl <= now_of(q)) {
        uint32_t at = q->unexpired;
        struct message *m = &q->messages[at];
        q->unexpired = m->newer;
        m->expired = true;
        uint32_t claim = ledger_at(&q->ledger, m->entry)->claims;
        while (claim) {
            uint32_t next = q->claims[claim].same;
            struct claim *c = &q->claims[claim];
            if (c->message == at && (c->state == CLAIM_WAITS || c->state == CLAIM_RIPENS)) {
                struct subscription *s = &q->subscriptions[c->subscription];
                queue_count(s, DELIVERY_EXPIRED, ledger_at(&q->ledger, m->entry), 1);
                if (c->state == CLAIM_WAITS)
                    queue_unwait(q, claim);
                queue_claim_end(q, claim);
                queue_show(q, s);
            }
            claim = next;
        }
        if (!q->subscription_count) {
            record_count(q->deliveries, DELIVERY_EXPIRED, m->operation, m->accepted_ns, 1);
            m->claims = 1;
            queue_message_release(q, at);
        }
    }
    queue_expire_soon(q);
}

void queue_retention_soon(struct broker *q)
{
    if (q->retention_due || !q->kept)
        return;
    q->retention_due = true;
    timer_at(q->agent, not_before_now(q, q->messages[q->kept].accepted_ns + q->config->retention),
             TICK_RETENTION, 0);
}

static void retire(struct broker *q)
{
    q->retention_due = false;
    while (q->kept && q->messages[q->kept].accepted_ns + q->config->retention <= now_of(q))
        queue_unretain(q, q->kept);
    queue_show(q, NULL);
    queue_retention_soon(q);
}

void queue_replays_soon(struct broker *q)
{
    for (uint32_t i = 0; i < q->subscription_count; i++) {
        const struct subscription_config *config = q->subscriptions[i].config;
        if (config->has_replay && config->replay_at >= now_of(q))
            timer_at(q->agent, config->replay_at, TICK_REPLAY, i);
    }
}

static bool has_claim(const struct broker *q, uint32_t message, const struct subscription *s)
{
    uint32_t at = ledger_at(&q->ledger, q->messages[message].entry)->claims;
    while (at && (q->claims[at].message != message || q->claims[at].subscription != s->number))
        at = q->claims[at].same;
    return at != 0;
}

/* What the subscription has done with and is still there is delivered to it again. */
static void replay(struct broker *q, struct subscription *s)
{
    for (uint32_t at = q->oldest; at; at = q->messages[at].newer) {
        const struct message *m = &q->messages[at];
        if (m->accepted_ns < now_of(q) - s->config->replay_back || !s->wants[m->operation] ||
            has_claim(q, at, s))
            continue;
        queue_count(s, DELIVERY_REPLAYED, ledger_at(&q->ledger, m->entry), 1);
        queue_wait(q, queue_claim_new(q, at, s->number));
    }
    for (uint32_t l = 0; l < q->lane_count; l++)
        queue_dispatch(q, s, l);
}

static void ripen(struct broker *q, uint64_t argument)
{
    uint32_t index = (uint32_t)(argument >> 32);
    const struct claim *c = &q->claims[index];
    bool waits = c->state == CLAIM_RIPENS || c->state == CLAIM_RESTS;
    if (!waits || (c->order & UINT32_MAX) != (argument & UINT32_MAX))
        return;
    struct subscription *s = &q->subscriptions[c->subscription];
    uint32_t lane = q->messages[c->message].lane;
    queue_wait(q, index);
    queue_dispatch(q, s, lane);
}

void queue_tick(struct agent *agent, uint32_t tag, uint64_t argument)
{
    struct broker *b = agent->durable, *q = b->queue;
    if (tag >= TICK_BEAT) {
        queue_replicas_tick(b, tag);
        return;
    }
    if (agent != q->agent || (queue_is_replicated(q) && !q->leads))
        return; /* of a time when it led */
    struct subscription *s = &q->subscriptions[tag == TICK_LINGER ? argument >> 32 : 0];
    uint32_t lane = (uint32_t)argument;
    switch ((enum queue_tick)tag) {
    case TICK_SYNC:
        sync(q);
        break;
    case TICK_LINGER:
        if (s->lanes[lane].linger_until <= now_of(q))
            s->lanes[lane].linger_until = 0;
        queue_dispatch(q, s, lane);
        break;
    case TICK_EXPIRY:
        expire(q);
        break;
    case TICK_RIPE:
        ripen(q, argument);
        break;
    case TICK_RETENTION:
        retire(q);
        break;
    case TICK_REPLAY:
        replay(q, &q->subscriptions[argument]);
        break;
    case TICK_WATCH:
        q->watch_due = false;
        queue_show_ages(q);
        queue_watch_soon(q);
        break;
    default:
        break;
    }
    queue_admit_blocked(q);
}
