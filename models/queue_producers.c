/* The side of a queue that producers see: storing, answering, what finds no room; and what time
 * brings to what is stored. */
#include "models/queue_state.h"

#include "engine/kernel/batch.h"
#include "models/parts/caller.h"

static int64_t now_of(const struct broker *q)
{
    return simulation_now(q->agent->simulation);
}

/* ---- calls of producers that wait ---- */

static void calls_push(struct broker *q, struct claim_list *list, struct call *c)
{
    struct simulation *s = q->agent->simulation;
    struct queue_frame *f = queue_frame_of(c);
    uint32_t index = call_index(s, c);
    f->before = list->last;
    f->behind = 0;
    if (list->last)
        queue_frame_of(call_at(s, list->last))->behind = index;
    else
        list->first = index;
    list->last = index;
}

static void calls_remove(struct broker *q, struct claim_list *list, struct call *c)
{
    const struct simulation *s = q->agent->simulation;
    const struct queue_frame *f = queue_frame_of(c);
    if (f->before)
        queue_frame_of(call_at(s, f->before))->behind = f->behind;
    else
        list->first = f->behind;
    if (f->behind)
        queue_frame_of(call_at(s, f->behind))->before = f->before;
    else
        list->last = f->before;
}

/* At whichever broker it is. */
static void finish(struct broker *q, struct call *c, enum status status, enum reply_reason reason)
{
    struct agent *at = call_agent(q->agent->simulation, c);
    station_release(&((struct broker *)at->durable)->station, c);
    if (c->flags & CALL_POST)
        call_free(c, at);
    else
        caller_reply(c, at, status, reason);
}

void queue_refuse(struct broker *q, struct call *c, enum status status)
{
    finish(q, c, status, REASON_NONE);
}

/* The producer is told that this request is stored. */
static void confirm_one(struct broker *q, uint64_t op_id)
{
    uint32_t at = ledger_find(&q->ledger, op_id);
    if (!at || ledger_at(&q->ledger, at)->confirmed)
        return;
    struct ledger_entry *e = ledger_at(&q->ledger, at);
    e->confirmed = true;
    for (uint32_t i = 0; i < q->subscription_count; i++)
        if (e->offered >> i & 1)
            queue_count(&q->subscriptions[i], DELIVERY_CONFIRMED, e, 1);
}

void queue_confirm(struct broker *q, const struct call *c)
{
    const struct batch *batch = batch_of(q->agent->simulation, c);
    for (uint32_t i = 0; batch && i < batch->count; i++)
        confirm_one(q, batch->items[i].op_id);
    if (!batch)
        confirm_one(q, c->op_id);
}

/* What the broker has stored is also told to be stored where nobody waits for its answer. */
void queue_answer(struct broker *q, struct call *c)
{
    queue_confirm(q, c);
    finish(q, c, STATUS_OK, REASON_NONE);
}

/* ---- storing ---- */

/* The call for which it was sent, or NULL where that has gone. */
static const struct call *sender_of(const struct broker *q, const struct call *c)
{
    const struct call *p = c->parent ? call_at(q->agent->simulation, c->parent) : NULL;
    return p && p->generation == c->parent_generation ? p : NULL;
}

/* When it was produced, for the order of its producer's messages: when that began the work for
 * which it sends; else now. */
static int64_t produced_ns(const struct broker *q, const struct call *c)
{
    const struct call *p = sender_of(q, c);
    return p ? p->arrived_ns : now_of(q);
}

/* Whose message it is: of one that comes out of another queue, that queue. */
static uint32_t producer_of(const struct broker *q, const struct call *c)
{
    const struct call *p = sender_of(q, c);
    bool hands_on = q->agent->simulation->agents[c->from].kind == &subscription_kind;
    return p && hands_on ? p->from : c->from;
}

/* By the rest of the key: keys that are numbered on are spread evenly. */
static uint32_t lane_of(const struct broker *q, uint64_t key)
{
    return q->lane_count > 1 ? (uint32_t)(key % q->lane_count) : 0;
}

/* Notes it in the ledger: its first copy, or one more. */
static uint32_t enter(struct broker *q, const struct call *c, const struct batch_item *item)
{
    struct simulation *s = q->agent->simulation;
    bool known = ledger_find(&q->ledger, item->op_id) != 0;
    uint32_t index = ledger_make(&q->ledger, item->op_id);
    struct ledger_entry *e = ledger_at(&q->ledger, index);
    if (known) {
        record_count(q->record, QUEUE_COPIES, item->operation, now_of(q), 1);
    } else {
        e->accepted_ns = now_of(q);
        e->produced_ns = produced_ns(q, c);
        e->operation = item->operation;
        e->producer = producer_of(q, c);
        e->lane = lane_of(q, item->key);
        e->order = q->order + 1;
        record_count(q->record, QUEUE_PUBLISHED, item->operation, now_of(q), 1);
    }
    bool inside = now_of(q) >= s->window.begin && now_of(q) < s->window.end;
    if (inside && !e->messages && q->subscription_count) {
        e->observed = true;
        s->observed_held++;
    }
    ledger_hold(&q->ledger, index);
    return index;
}

static void offer(struct broker *q, struct subscription *s, uint32_t message, int64_t delay_ns)
{
    struct message *m = &q->messages[message];
    struct ledger_entry *e = ledger_at(&q->ledger, m->entry);
    const struct simulation *sim = q->agent->simulation;
    if (!s->wants[m->operation])
        return;
    for (uint32_t i = 0; s->config->no_local && i < s->config->to.count; i++)
        if (sim->agents[s->config->to.agents[i]].place == sim->agents[m->producer].place)
            return;
    if (!(e->offered >> s->number & 1)) {
        e->offered |= UINT64_C(1) << s->number;
        queue_count(s, DELIVERY_OFFERED, e, 1);
    }
    uint32_t claim = queue_claim_new(q, message, s->number);
    if (delay_ns <= 0 && queue_is_replicated(q) && q->config->ack == QUEUE_ACK_ALL) {
        q->claims[claim].state = CLAIM_HELD;
        queue_list_push(q, &q->held, claim);
        return;
    }
    if (delay_ns <= 0) {
        queue_wait(q, claim);
        return;
    }
    q->claims[claim].state = CLAIM_RIPENS;
    q->claims[claim].since_ns = now_of(q) + delay_ns;
    timer_after(q->agent, delay_ns, TICK_RIPE,
                (uint64_t)claim << 32 | (q->claims[claim].order & UINT32_MAX));
}

/* One message; whoever is to be told of its sync holds it. */
static uint32_t store(struct broker *q, const struct call *c, const struct batch_item *item)
{
    uint32_t entry = enter(q, c, item);
    uint32_t index = queue_message_new(q);
    struct message *m = &q->messages[index];
    m->op_id = item->op_id;
    m->key = item->key;
    m->version = item->version;
    m->session = item->session;
    m->size = item->size;
    m->operation = item->operation;
    m->traits = item->traits;
    m->path = c->path;
    m->sub = c->sub;
    m->accepted_ns = now_of(q);
    m->producer = producer_of(q, c);
    m->entry = entry;
    m->lane = lane_of(q, item->key);
    m->claims = 1;
    m->log = ++q->log;
    const struct queue_config *config = q->agent->configs[item->operation];
    int64_t delay_ns = distribution_ns(&config->delay, call_draw(c, q->agent, DRAW_RIPENING));
    for (uint32_t i = 0; i < q->subscription_count; i++)
        offer(q, &q->subscriptions[i], index, delay_ns);
    if (!q->subscription_count)
        m->claims++; /* it stays */
    if (q->config->retention != TIME_NONE) {
        m->claims++;
        m->retained = true;
        q->kept = q->kept ? q->kept : index;
    }
    return index;
}

static struct batch_item item_of(const struct call *c)
{
    return (struct batch_item){c->op_id,
                               c->key,
                               c->version,
                               c->session,
                               c->size,
                               c->operation,
                               (uint8_t)(c->traits & REQUEST_IDEMPOTENT)};
}

/* Whether a request that was sent before is still to be synced. */
static bool is_unsynced(const struct broker *q, const struct call *c)
{
    uint32_t entry = ledger_find(&q->ledger, c->op_id);
    return q->config->idempotent && entry && !ledger_at(&q->ledger, entry)->confirmed;
}

/* Whether a producer that numbers its requests has sent this one before. */
static bool is_known(struct broker *q, const struct batch_item *item)
{
    if (!q->config->idempotent)
        return false;
    if (!recall_knows(&q->known, item->op_id, now_of(q))) {
        recall_note(&q->known, item->op_id, now_of(q));
        return false;
    }
    record_count(q->record, QUEUE_COPIES, item->operation, now_of(q), 1);
    return true;
}

/* The request becomes messages; all it holds afterwards is the last of them, until its sync. */
static void store_all(struct broker *q, struct call *c)
{
    const struct batch *batch = batch_of(q->agent->simulation, c);
    struct queue_frame *f = queue_frame_of(c);
    uint32_t count = batch ? batch->count : 1;
    for (uint32_t i = 0; i < count; i++) {
        const struct batch_item item = batch ? batch->items[i] : item_of(c);
        if (is_known(q, &item))
            continue;
        if (f->message)
            queue_message_release(q, f->message);
        f->message = store(q, c, &item);
    }
}

void queue_let_go(struct broker *q, struct call *c)
{
    struct queue_frame *f = queue_frame_of(c);
    if (f->message)
        queue_message_release(q, f->message);
    f->message = 0;
}

static void put(struct broker *q, struct call *c)
{
    struct queue_frame *f = queue_frame_of(c);
    bool several = c->traits & REQUEST_BATCH;
    uint32_t lane = lane_of(q, c->key);
    store_all(q, c);
    if (c->flags & CALL_ANSWERED)
        queue_confirm(q, c); /* whether or not a crash can still take it */
    f->log = q->log;
    bool unsynced = f->message || is_unsynced(q, c);
    if (queue_is_replicated(q) && unsynced) {
        f->stage = STAGE_UNSYNCED;
        calls_push(q, &q->unsynced, c);
        queue_replicate(q);
        queue_settle_log(q);
    } else if (q->config->durability == QUEUE_FSYNC && unsynced) {
        queue_sync_soon(q);
        f->stage = STAGE_UNSYNCED;
        calls_push(q, &q->unsynced, c);
    } else {
        queue_let_go(q, c);
        queue_answer(q, c);
    }
    queue_expire_soon(q);
    queue_watch_soon(q);
    queue_retention_soon(q);
    queue_show(q, NULL);
    for (uint32_t i = 0; i < q->subscription_count; i++)
        for (uint32_t l = several ? 0 : lane; l < (several ? q->lane_count : lane + 1); l++)
            queue_dispatch(q, &q->subscriptions[i], l);
}

/* ---- no room ---- */

/* There is no room for a message whose producer has been told that it is there. */
static void lose(struct broker *q, const struct call *c)
{
    static const enum delivery_metric counts[] = {DELIVERY_OFFERED, DELIVERY_CONFIRMED,
                                                  DELIVERY_LOST_COUNT, DELIVERY_LOST_EFFECT_COUNT};
    const struct ledger_entry e = {.accepted_ns = now_of(q), .operation = c->operation};
    for (uint32_t i = 0; i < q->subscription_count; i++)
        for (size_t m = 0;
             q->subscriptions[i].wants[c->operation] && m < sizeof counts / sizeof *counts; m++)
            queue_count(&q->subscriptions[i], counts[m], &e, batch_count(q->agent->simulation, c));
}

static void publish(struct broker *q, struct call *c)
{
    struct queue_frame *f = queue_frame_of(c);
    while (queue_is_full(q) && q->config->overflow == QUEUE_DROPS_OLDEST && queue_drop_oldest(q)) {
    }
    if (!queue_is_full(q)) {
        put(q, c);
        return;
    }
    if (q->config->overflow == QUEUE_BLOCKS && !(c->flags & CALL_POST)) {
        f->stage = STAGE_BLOCKED;
        f->visit.since_ns = now_of(q);
        calls_push(q, &q->blocked, c);
        record_level(q->record, QUEUE_BLOCKED, 1);
        return;
    }
    if (c->flags & CALL_ANSWERED)
        lose(q, c);
    c->flags |= CALL_REJECTED;
    finish(q, c, STATUS_FAIL, REASON_REJECTED);
}

void queue_unblock(struct broker *q, struct call *c)
{
    calls_remove(q, &q->blocked, c);
    record_level(q->record, QUEUE_BLOCKED, -1);
    record_duration(q->record, QUEUE_BLOCKED_TIME, c->operation, now_of(q),
                    now_of(q) - queue_frame_of(c)->visit.since_ns);
}

/* Whoever has waited longest comes in as soon as there is room. */
void queue_admit_blocked(struct broker *q)
{
    while (q->blocked.first && !queue_is_full(q)) {
        struct call *c = call_at(q->agent->simulation, q->blocked.first);
        queue_unblock(q, c);
        put(q, c);
    }
}

void queue_unlist(struct broker *q, struct call *c)
{
    calls_remove(q, &q->unsynced, c);
    queue_let_go(q, c);
}

/* ---- steps ---- */

void queue_go_on(struct broker *q, struct call *c, enum station_outcome outcome)
{
    const struct agent *at = call_agent(q->agent->simulation, c);
    const struct broker *b = at->durable;
    if (outcome == STATION_KEPT)
        return;
    if (queue_is_replicated(q) && !(q->leads && at == q->agent))
        queue_refuse(q, c, STATUS_FAIL);
    else if (outcome == STATION_LEFT)
        finish(q, c, STATUS_FAIL, c->flags & CALL_REJECTED ? REASON_REJECTED : REASON_NONE);
    else if (station_fails(&b->station, c))
        finish(q, c, STATUS_FAIL, REASON_NONE);
    else
        publish(q, c);
}

/* The producer has taken it back; what is stored stays. */
void queue_cancel(struct broker *q, struct call *c)
{
    const struct queue_frame *f = queue_frame_of(c);
    if (f->stage == STAGE_BLOCKED) {
        queue_unblock(q, c);
    } else if (f->stage == STAGE_UNSYNCED) {
        queue_unlist(q, c);
    } else {
        struct broker *b = call_agent(q->agent->simulation, c)->durable;
        station_cancel(&b->station, c);
    }
    finish(q, c, STATUS_INFO, REASON_NONE);
}
