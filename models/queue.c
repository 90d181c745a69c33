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

#include "models/parts/caller.h"
#include "models/registry.h"

#include <stddef.h>
#include <string.h>

static void queue_step(struct agent *agent, struct call *c)
{
    struct broker *b = agent->durable, *q = b->queue;
    struct queue_frame *f = queue_frame_of(c);
    if (f->stage >= STAGE_DELIVERY) {
        queue_delivery_wake(q, c);
    } else if (c->wake == WAKE_ARRIVED && c->verb == QUEUE_SUBSCRIBES) {
        call_free(c, agent);
        if (agent == q->agent && (q->leads || !queue_is_replicated(q)))
            queue_dispatch_all(q);
    } else if (c->wake == WAKE_ARRIVED && c->verb == QUEUE_FETCHES) {
        uint32_t from = c->from;
        call_free(c, agent);
        if (agent == q->agent && (q->leads || !queue_is_replicated(q)))
            queue_asked(q, from);
    } else if (c->wake == WAKE_ARRIVED && c->verb > QUEUE_FETCHES && c->verb <= QUEUE_VOTES) {
        queue_replicas_hear(b, c);
    } else if (c->wake == WAKE_ARRIVED) {
        c->verb = REASON_NONE;
        if (q->config->ack == QUEUE_ACK_NONE && !(c->flags & CALL_POST)) {
            queue_confirm(q, c);
            caller_answer(c, agent);
        }
        queue_go_on(q, c, station_enter(&b->station, c));
    } else if (c->wake == WAKE_CANCELLED) {
        queue_cancel(q, c);
    } else {
        queue_go_on(q, c, station_wake(&b->station, c));
    }
    queue_admit_blocked(q);
}

static void queue_settle(struct agent *agent, struct call *parent, struct call *child)
{
    struct broker *q = ((struct broker *)agent->durable)->queue;
    if (!parent && agent == q->agent && (q->leads || !queue_is_replicated(q)))
        queue_late(q, child);
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
        subscriber->most =
            queue_prefetch(sim, s->config, s->config->to.agents[s->config->to.group ? 0 : i]);
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
    const struct simulation *s = agent->simulation;
    struct broker *b = agent->durable;
    bool replicated = ((const struct queue_config *)agent->configs[0])->replicas > 1;
    uint32_t first = s->blueprint->nodes[agent->node].first;
    struct broker *q = b->queue = replicated ? s->agents[first].durable : agent->durable;
    b->config = agent->configs[0];
    b->self = agent;
    station_start(&b->station, agent, QUEUE_STATION_TABLE, offsetof(struct queue_config, station));
    if (!b->opened) {
        queue_watch_faults(b);
        b->agent = agent;
        if (b == q)
            queue_open(q);
    }
    b->opened = true;
    if (replicated)
        queue_replicas_start(b);
    else
        queue_take_over(q);
}

static void queue_finish(struct agent *agent)
{
    struct broker *b = agent->durable;
    if (b->queue == b)
        queue_accounts_finish(b);
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
        "broker takes what was not synced, also acknowledgements; the rest is delivered again. Of "
        "several brokers (`replicas`) one leads all partitions and tells the others of every "
        "message "
        "and acknowledgement; callers know at once who leads; a majority elects another one when "
        "it "
        "falls silent, and what that one has not heard of is gone. A replay delivers again what is "
        "still kept. "
        "What is lost, doubled or out of order is told from the record of every message. Left out: "
        "disk space and the work of syncs.",
    .fields = &queue_fields,
    .tables = {&visit_metrics, &station_metrics, &delivery_metrics, &queue_metrics},
    .flags = KIND_VISITED,
    .config_size = sizeof(struct queue_config),
    .durable_size = sizeof(struct broker),
    .frame_size = sizeof(struct queue_frame),
    .parts = &(const struct kind_parts){"subscriptions", "to", &subscription_kind},
    .copies = &(const struct kind_copies){"replicas"},
    .route = queue_route,
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
