/* A queue: a broker that takes messages in, keeps them, and delivers each to every subscription.
 *
 *     send --> slot, own work --> stored (none left: rejected, the oldest dropped, or waits)
 *                              --> answered: at once on `ack: none`, else as soon as a crash
 *                                  cannot take it any more
 *
 * What is simulated: the station in front; messages that wait, by partition, priority and age; what
 * a crash takes by `durability`; producers that are told late or not at all; deliveries and all
 * that comes of them (queue_delivery.c). A message takes effect when its consumer has answered with
 * success. The accounts know every message by name (queue_ledger.c), the broker only what a broker
 * can. What is left out: disk space, the cost of the broker's own syncs. Ties: messages accepted at
 * the same instant are delivered in the order in which they were accepted. */
#include "models/queue_state.h"

#include "engine/kernel/batch.h"
#include "models/parts/caller.h"
#include "models/registry.h"

#include <stddef.h>
#include <string.h>

#define WATCH_NS INT64_C(1000000000)

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

static void finish(struct broker *q, struct call *c, enum status status, enum reply_reason reason)
{
    station_release(&q->station, c);
    if (c->flags & CALL_POST)
        call_free(c, q->agent);
    else
        caller_reply(c, q->agent, status, reason);
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

static void confirm(struct broker *q, const struct call *c)
{
    const struct batch *batch = batch_of(q->agent->simulation, c);
    for (uint32_t i = 0; batch && i < batch->count; i++)
        confirm_one(q, batch->items[i].op_id);
    if (!batch)
        confirm_one(q, c->op_id);
}

/* What the broker has stored is also told to be stored where nobody waits for its answer. */
static void answer(struct broker *q, struct call *c)
{
    confirm(q, c);
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
        s->observed_open++;
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
    if (delay_ns <= 0) {
        queue_wait(q, claim);
        return;
    }
    q->claims[claim].state = CLAIM_RIPENS;
    timer_after(q->agent, delay_ns, TICK_RIPE,
                (uint64_t)claim << 32 | (q->claims[claim].order & UINT32_MAX));
}

static void expire_soon(struct broker *q)
{
    if (q->config->ttl == TIME_NONE || q->expiry_due || !q->unexpired)
        return;
    q->expiry_due = true;
    timer_at(q->agent, q->messages[q->unexpired].accepted_ns + q->config->ttl, TICK_EXPIRY, 0);
}

static void watch_soon(struct broker *q)
{
    if (q->watch_due || !q->stored)
        return;
    q->watch_due = true;
    timer_at(q->agent, (now_of(q) / WATCH_NS + 1) * WATCH_NS, TICK_WATCH, 0);
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
    const struct queue_config *config = q->agent->configs[item->operation];
    int64_t delay_ns = distribution_ns(&config->delay, call_draw(c, q->agent, DRAW_RIPENING));
    for (uint32_t i = 0; i < q->subscription_count; i++)
        offer(q, &q->subscriptions[i], index, delay_ns);
    if (!q->subscription_count)
        m->claims++; /* it stays */
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
        confirm(q, c); /* whether or not a crash can still take it */
    if (q->config->durability == QUEUE_FSYNC && (f->message || is_unsynced(q, c))) {
        queue_sync_soon(q);
        f->stage = STAGE_UNSYNCED;
        calls_push(q, &q->unsynced, c);
    } else {
        queue_let_go(q, c);
        answer(q, c);
    }
    expire_soon(q);
    watch_soon(q);
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
static void admit_blocked(struct broker *q)
{
    while (q->blocked.first && !queue_is_full(q)) {
        struct call *c = call_at(q->agent->simulation, q->blocked.first);
        queue_unblock(q, c);
        put(q, c);
    }
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

static void sync(struct broker *q)
{
    struct simulation *s = q->agent->simulation;
    q->sync_due = false;
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
        calls_remove(q, &q->unsynced, c);
        queue_let_go(q, c);
        answer(q, c);
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
    expire_soon(q);
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

static void queue_tick(struct agent *agent, uint32_t tag, uint64_t argument)
{
    struct broker *q = agent->durable;
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
    case TICK_WATCH:
        q->watch_due = false;
        queue_show_ages(q);
        watch_soon(q);
        break;
    }
    admit_blocked(q);
}

/* ---- steps ---- */

static void go_on(struct broker *q, struct call *c, enum station_outcome outcome)
{
    if (outcome == STATION_KEPT)
        return;
    if (outcome == STATION_LEFT)
        finish(q, c, STATUS_FAIL, c->flags & CALL_REJECTED ? REASON_REJECTED : REASON_NONE);
    else if (station_fails(&q->station, c))
        finish(q, c, STATUS_FAIL, REASON_NONE);
    else
        publish(q, c);
}

/* The producer has taken it back; what is stored stays. */
static void cancel(struct broker *q, struct call *c)
{
    const struct queue_frame *f = queue_frame_of(c);
    if (f->stage == STAGE_BLOCKED) {
        queue_unblock(q, c);
    } else if (f->stage == STAGE_UNSYNCED) {
        calls_remove(q, &q->unsynced, c);
        queue_let_go(q, c);
    } else {
        station_cancel(&q->station, c);
    }
    finish(q, c, STATUS_INFO, REASON_NONE);
}

static void queue_step(struct agent *agent, struct call *c)
{
    struct broker *q = agent->durable;
    struct queue_frame *f = queue_frame_of(c);
    if (f->stage >= STAGE_DELIVERY) {
        queue_delivery_wake(q, c);
    } else if (c->wake == WAKE_ARRIVED && c->verb == QUEUE_SUBSCRIBES) {
        call_free(c, agent);
        queue_dispatch_all(q);
    } else if (c->wake == WAKE_ARRIVED) {
        c->verb = REASON_NONE;
        if (q->config->ack == QUEUE_ACK_NONE && !(c->flags & CALL_POST)) {
            confirm(q, c);
            caller_answer(c, agent);
        }
        go_on(q, c, station_enter(&q->station, c));
    } else if (c->wake == WAKE_CANCELLED) {
        cancel(q, c);
    } else {
        go_on(q, c, station_wake(&q->station, c));
    }
    admit_blocked(q);
}

static void queue_settle(struct agent *agent, struct call *parent, struct call *child)
{
    if (!parent)
        queue_late(agent->durable, child);
}

/* ---- starting ---- */

static double priority_of(const struct broker *q, uint32_t operation)
{
    return ((const struct queue_config *)q->agent->configs[operation])->station.priority;
}

/* Whether no operation before this one has its priority. */
static bool is_first_of(const struct broker *q, uint32_t operation)
{
    for (uint32_t o = 0; o < operation; o++)
        if (!(priority_of(q, o) < priority_of(q, operation)) &&
            !(priority_of(q, o) > priority_of(q, operation)))
            return false;
    return true;
}

/* The level of an operation is the number of priorities above its own. */
static void find_levels(struct broker *q)
{
    uint32_t operations = q->agent->simulation->blueprint->operation_count;
    q->levels = arena_array(&q->agent->simulation->arena, operations, uint8_t);
    for (uint32_t o = 0; o < operations; o++) {
        for (uint32_t other = 0; other < operations; other++)
            if (is_first_of(q, other) && priority_of(q, other) > priority_of(q, o))
                q->levels[o]++;
        if (q->levels[o] + 1u > q->level_count)
            q->level_count = q->levels[o] + 1u;
    }
}

static void subscription_open(struct broker *q, uint32_t number, const struct pool *instances)
{
    struct simulation *sim = q->agent->simulation;
    struct subscription *s = &q->subscriptions[number];
    const struct agent *first = &sim->agents[instances->agents[0]];
    s->queue = q;
    s->number = number;
    s->config = first->configs[0];
    s->record = first->records[SUBSCRIPTION_TABLE];
    s->drained_ns = -1;
    s->wants = arena_array(&sim->arena, sim->blueprint->operation_count, bool);
    for (uint32_t o = 0; o < sim->blueprint->operation_count; o++)
        s->wants[o] = !s->config->filter.count;
    for (uint32_t i = 0; i < s->config->filter.count; i++)
        s->wants[((const uint32_t *)s->config->filter.items)[i]] = true;
    s->lanes = arena_array(&sim->arena, q->lane_count, struct lane);
    for (uint32_t l = 0; l < q->lane_count; l++)
        s->lanes[l].levels = arena_array(&sim->arena, q->level_count, struct claim_list);
    registers_init(&s->newest, &sim->arena);
    queue_consumers_start(q, s, instances);
    for (uint32_t i = 0; i < instances->count; i++) {
        struct subscriber *subscriber = sim->agents[instances->agents[i]].durable;
        subscriber->first = sim->agents[instances->agents[0]].durable;
        subscriber->part = number;
        subscriber->queue_node = q->agent->node;
    }
}

static void queue_open(struct broker *q)
{
    struct agent *agent = q->agent;
    struct arena *arena = &agent->simulation->arena;
    const struct field_list *parts =
        q->config->subscriptions.count ? &q->config->subscriptions : &q->config->to;
    q->record = agent->records[QUEUE_TABLE];
    q->deliveries = agent->records[QUEUE_DELIVERY_TABLE];
    q->lane_count = (uint32_t)q->config->partitions;
    q->message_used = q->claim_used = 1;
    q->message_room = q->claim_room = 0;
    q->drained_ns = -1;
    queue_watch_faults(q);
    find_levels(q);
    ledger_init(&q->ledger, agent->simulation, queue_accounts_end, q);
    recall_init(&q->known, arena, QUEUE_IDEMPOTENT_NS);
    q->subscription_count = parts->count;
    q->subscriptions = arena_array(arena, parts->count, struct subscription);
    for (uint32_t i = 0; i < parts->count; i++)
        subscription_open(q, i, (const struct pool *)parts->items + i);
}

static void queue_start(struct agent *agent)
{
    struct broker *q = agent->durable;
    q->agent = agent;
    q->config = agent->configs[0];
    station_start(&q->station, agent, QUEUE_STATION_TABLE, offsetof(struct queue_config, station));
    if (!q->opened)
        queue_open(q);
    q->opened = true;
    expire_soon(q);
    watch_soon(q);
    queue_dispatch_all(q);
}

static void queue_finish(struct agent *agent)
{
    queue_accounts_finish(agent->durable);
}

static const char *queue_check(const void *config)
{
    const struct queue_config *queue = config;
    if (queue->subscriptions.count > QUEUE_SUBSCRIPTIONS_MAX)
        return "more than 64 subscriptions";
    return station_check(&queue->station);
}

static const char *queue_doubt(const void *config, const char *key)
{
    const struct queue_config *queue = config;
    if (!strcmp(key, "overflow") && queue->max_length == COUNT_UNLIMITED)
        return "has no meaning without a `max_length`";
    return NULL;
}

/* A request passes once: circles through it end. */
static bool queue_passes_once(const void *config)
{
    return ((const struct queue_config *)config)->idempotent;
}

static double load_work(const void *config)
{
    return station_work_ns(&((const struct queue_config *)config)->station);
}

static double load_slots(const void *config)
{
    return station_slots(&((const struct queue_config *)config)->station);
}

static const struct pool *load_target(const void *config)
{
    (void)config;
    return NULL;
}

static bool load_weighted(const void *config)
{
    (void)config;
    return false;
}

static double load_attempts(const void *config)
{
    (void)config;
    return 1;
}

/* Every subscription gets every message, in its own time. */
static double load_walk(const void *config, double speed, const struct load_visitor *visitor)
{
    const struct queue_config *queue = config;
    const struct field_list *parts =
        queue->subscriptions.count ? &queue->subscriptions : &queue->to;
    for (uint32_t i = 0; i < parts->count; i++)
        visitor->call(visitor->context, (const struct pool *)parts->items + i, 1, OPERATION_SAME);
    return station_work_ns(&queue->station) / speed;
}

const struct kind queue_kind = {
    .name = "queue",
    .summary = "Keeps messages and delivers each to every subscription: a broker of queues, topics "
               "and streams.",
    .semantics =
        "A message waits for a slot and is worked on for `time`, as at a service, and is stored. "
        "Its "
        "sender is answered by `ack` and `durability`: at once, or when a crash cannot take it any "
        "more. Where `max_length` wait it is rejected, the oldest goes, or its sender waits. Every "
        "subscription gets it once it is stored. With one partition the consumers of a "
        "subscription compete, whoever had no message for longest first; with several the key "
        "names the partition, and each partition belongs to one consumer, so that its order stays; "
        "they are dealt anew when a consumer comes or goes, which the broker knows at once. A "
        "delivery is acknowledged when its consumer's work is done (`ack: after`): unanswered for "
        "`visibility`, or refused, it is made again, and an answer that comes too late still "
        "counts; `ack: before` forgets the message when it is sent: at most once. A crash of the "
        "broker takes what was not synced, also acknowledgements; the rest is delivered again. "
        "What is lost, doubled or out of order is told from the record of every message. Left out: "
        "disk space and the work of syncs.",
    .fields = &queue_fields,
    .tables = {&visit_metrics, &station_metrics, &delivery_metrics, &queue_metrics},
    .flags = KIND_VISITED,
    .config_size = sizeof(struct queue_config),
    .durable_size = sizeof(struct broker),
    .frame_size = sizeof(struct queue_frame),
    .parts = &(const struct kind_parts){"subscriptions", "to", &subscription_kind},
    .start = queue_start,
    .step = queue_step,
    .settle = queue_settle,
    .tick = queue_tick,
    .finish = queue_finish,
    .doubt = queue_doubt,
    .passes_once = queue_passes_once,
    .check = queue_check,
    .load = &(const struct kind_load){.work_ns = load_work,
                                      .slots = load_slots,
                                      .target = load_target,
                                      .weighted = load_weighted,
                                      .attempts = load_attempts,
                                      .walk = load_walk},
};
