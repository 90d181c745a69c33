/* A subscription's instances: the client library of a broker, on the place of each consumer. It
 * takes deliveries, leaves out what the consumer knows already (`dedup`), has the consumer work on
 * the rest and answers the broker. Where the subscription ends in a group it stands on the broker's
 * place and hands messages on one by one. */
#include "models/queue_state.h"

#include "engine/kernel/batch.h"

#include <math.h>
#include <string.h>

struct subscriber_frame {
    uint64_t op_id; /* of the delivery, where what is worked on is only a part of it */
    uint32_t info;  /* children whose end is unknown */
    bool looks_up;  /* it waits for what is remembered to be looked up */
};

static const struct subscription_config *config_of(const struct agent *agent)
{
    return agent->configs[0];
}

/* The state at the broker that has sent this. */
static struct subscription *subscription_of(const struct agent *agent, const struct call *c)
{
    const struct subscriber *self = agent->durable;
    const struct broker *b = agent->simulation->agents[c->from].durable;
    return &b->queue->subscriptions[self->part];
}

/* The consumers of a subscription remember together what was done. */
static struct recall *known_of(const struct agent *agent)
{
    return &((const struct subscriber *)agent->durable)->first->known;
}

static bool is_known(const struct agent *agent, uint64_t op_id)
{
    return config_of(agent)->dedup > 0 &&
           recall_knows(known_of(agent), op_id, simulation_now(agent->simulation));
}

static struct batch_item item_of(const struct call *c)
{
    return (struct batch_item){c->op_id, c->key,       c->version, c->session,
                               c->size,  c->operation, c->traits};
}

static const struct batch_item *items_of(const struct agent *agent, const struct call *c,
                                         struct batch_item *single, uint32_t *count)
{
    const struct batch *batch = batch_of(agent->simulation, c);
    *single = item_of(c);
    *count = batch ? batch->count : 1;
    return batch ? batch->items : single;
}

static void line_set(struct call *c, const struct batch_item *item)
{
    c->op_id = item->op_id;
    c->key = item->key;
    c->version = item->version;
    c->session = item->session;
    c->size = item->size;
    c->operation = item->operation;
    c->traits = item->traits;
}

/* One message, or a whole batch, to the consumer. */
static void hand_on(struct agent *agent, struct call *c)
{
    const struct pool *to = &config_of(agent)->to;
    uint32_t target = to->group ? pool_route(to, agent, c) : to->agents[agent->number - 1];
    struct call *child = call_to(c, agent, target, 0, c->size);
    child->verb = 0;
    child->attempt = 0;
}

/* What is left of a batch without what is known already. */
static bool leave_out_known(struct agent *agent, struct call *c)
{
    struct batch_item single;
    uint32_t count, left = 0;
    const struct batch_item *items = items_of(agent, c, &single, &count);
    struct subscription *s = subscription_of(agent, c);
    for (uint32_t i = 0; i < count; i++)
        left += !is_known(agent, items[i].op_id);
    if (left == count)
        return true;
    for (uint32_t i = 0; i < count; i++)
        if (is_known(agent, items[i].op_id))
            queue_effected(s, items[i].op_id, items[i].operation, false);
    if (!left)
        return false;
    uint64_t op_id = random_mix(c->op_id ^ agent->id_base);
    struct batch *rest = batch_new(agent->simulation, op_id, left);
    items = items_of(agent, c, &single, &count);
    for (uint32_t i = 0, at = 0; i < count; i++)
        if (!is_known(agent, items[i].op_id))
            rest->items[at++] = items[i];
    ((struct subscriber_frame *)call_frame(c))->op_id = c->op_id;
    c->op_id = op_id;
    return true;
}

/* To a group each message goes by itself: its key says where. */
static void work(struct agent *agent, struct call *c)
{
    struct batch_item single;
    uint32_t count;
    const struct batch_item *items = items_of(agent, c, &single, &count);
    if (count == 1 || !config_of(agent)->to.group) {
        hand_on(agent, c);
        call_await(c, agent, 1, TIME_NONE);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        line_set(c, &items[i]);
        hand_on(agent, c);
    }
    line_set(c, &single);
    call_await(c, agent, (uint16_t)count, TIME_NONE);
}

static struct subscriber_memory *memory_of(const struct agent *agent)
{
    return agent->memory;
}

/* Asks every broker for a delivery, and again after a while if none comes. */
static void ask(struct agent *agent)
{
    const struct subscriber *self = agent->durable;
    const struct subscription_config *config = config_of(agent);
    const struct blueprint_node *brokers = &agent->simulation->blueprint->nodes[self->queue_node];
    struct subscriber_memory *memory = memory_of(agent);
    if (config->fetch == SUBSCRIPTION_PUSH || memory->busy >= self->most)
        return;
    for (uint32_t i = 0; i < brokers->count; i++) {
        struct call *c = call_post(agent, brokers->first + i, 0);
        c->verb = QUEUE_FETCHES;
        c->traits |= REQUEST_PEER;
    }
    timer_after(agent, config->fetch == SUBSCRIPTION_LONG_POLL ? config->wait : config->every, 0,
                ++memory->asked);
}

/* Whoever has room for more asks for more. */
static void begin(struct agent *agent)
{
    memory_of(agent)->busy++;
    memory_of(agent)->asked++;
    ask(agent);
}

static void end(struct agent *agent)
{
    struct subscriber_memory *memory = memory_of(agent);
    memory->busy -= memory->busy > 0;
    ask(agent);
}

/* Under the name of the delivery, by which a late answer is known. */
static void reply(struct agent *agent, struct call *c, enum status status)
{
    const struct subscriber_frame *f = call_frame(c);
    if (f->op_id)
        c->op_id = f->op_id;
    call_reply(c, agent, status, 0);
    end(agent);
}

static void looked_up(struct agent *agent, struct call *c)
{
    if (leave_out_known(agent, c))
        work(agent, c);
    else
        reply(agent, c, STATUS_OK);
}

static void arrive(struct agent *agent, struct call *c)
{
    struct batch_item single;
    uint32_t count;
    const struct batch_item *items = items_of(agent, c, &single, &count);
    struct subscription *s = subscription_of(agent, c);
    begin(agent);
    for (uint32_t i = 0; i < count; i++)
        queue_arrived(s, items[i].op_id, items[i].operation);
    const struct subscription_config *config = config_of(agent);
    if (config->dedup > 0 && config->dedup_time > 0) {
        ((struct subscriber_frame *)call_frame(c))->looks_up = true;
        call_await(c, agent, 0, config->dedup_time * (int64_t)count);
        return;
    }
    looked_up(agent, c);
}

/* The consumer has done it. What another one has done meanwhile is not done again: effect and
 * memory are one. */
static void done(struct agent *agent, struct call *c)
{
    struct batch_item single;
    uint32_t count;
    const struct batch_item *items = items_of(agent, c, &single, &count);
    struct subscription *s = subscription_of(agent, c);
    for (uint32_t i = 0; i < count; i++) {
        bool known = is_known(agent, items[i].op_id);
        queue_effected(s, items[i].op_id, items[i].operation, !known);
        if (!known && config_of(agent)->dedup > 0)
            recall_note(known_of(agent), items[i].op_id, simulation_now(agent->simulation));
    }
    reply(agent, c, STATUS_OK);
}

static void subscription_step(struct agent *agent, struct call *c)
{
    struct subscriber_frame *f = call_frame(c);
    if (f->looks_up && c->wake == WAKE_TIMEOUT) {
        f->looks_up = false;
        looked_up(agent, c);
        return;
    }
    switch ((enum wake)c->wake) {
    case WAKE_ARRIVED:
        arrive(agent, c);
        break;
    case WAKE_JOINED:
        done(agent, c);
        break;
    case WAKE_SHORT:
        reply(agent, c, f->info ? STATUS_INFO : STATUS_FAIL);
        break;
    default:
        reply(agent, c, STATUS_INFO);
        break;
    }
}

static void subscription_settle(struct agent *agent, struct call *parent, struct call *child)
{
    (void)agent;
    if (parent && child->status == STATUS_INFO)
        ((struct subscriber_frame *)call_frame(parent))->info++;
}

static void subscription_tick(struct agent *agent, uint32_t tag, uint64_t argument)
{
    (void)tag;
    if (argument == memory_of(agent)->asked)
        ask(agent);
}

/* After a restart every broker hears that its consumer is there again. */
static void subscription_start(struct agent *agent)
{
    struct subscriber *self = agent->durable;
    const struct simulation *s = agent->simulation;
    if (!self->opened) {
        self->opened = true;
        recall_init(&self->known, &agent->simulation->arena, config_of(agent)->dedup);
        ask(agent);
        return;
    }
    const struct blueprint_node *brokers = &s->blueprint->nodes[self->queue_node];
    for (uint32_t i = 0; i < brokers->count; i++) {
        struct call *c = call_post(agent, brokers->first + i, 0);
        c->verb = QUEUE_SUBSCRIBES;
        c->traits |= REQUEST_PEER;
    }
    ask(agent);
}

static const char *subscription_check(const void *config)
{
    const struct subscription_config *subscription = config;
    if (subscription->linger > 0 && subscription->batch == 1)
        return "`linger` waits for a `batch` to fill: it needs one";
    return NULL;
}

static const char *subscription_doubt(const void *config, const char *key)
{
    const struct subscription_config *subscription = config;
    if (!strcmp(key, "dedup_time") && subscription->dedup <= 0)
        return "has no meaning without `dedup`";
    if (!strcmp(key, "dead_letter") && subscription->max_deliveries == COUNT_UNLIMITED)
        return "has no meaning without `max_deliveries`";
    if (!strcmp(key, "max_deliveries") && subscription->ack == SUBSCRIPTION_BEFORE)
        return "has no meaning with `ack: before`: there is one delivery";
    return NULL;
}

static double load_work(const void *config)
{
    (void)config;
    return 0;
}

static double load_slots(const void *config)
{
    (void)config;
    return (double)INFINITY;
}

static const struct pool *load_target(const void *config)
{
    return &((const struct subscription_config *)config)->to;
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

const struct kind subscription_kind = {
    .name = "subscription",
    .summary = "Takes a queue's deliveries on the machine of a consumer and has it work on them.",
    .semantics =
        "One instance stands at each consumer and has no cost of its own. `latency` is from the "
        "arrival of a delivery to its acknowledgement. The consumers of a subscription remember "
        "together what was done (`dedup`); that outlives their crashes, and what is being done "
        "twice at once takes effect once. Behind a replicated store it stands at the broker.",
    .fields = &subscription_fields,
    .tables = {&visit_metrics, &delivery_metrics},
    .flags = KIND_VISITED | KIND_GUEST,
    .config_size = sizeof(struct subscription_config),
    .durable_size = sizeof(struct subscriber),
    .volatile_size = sizeof(struct subscriber_memory),
    .frame_size = sizeof(struct subscriber_frame),
    .start = subscription_start,
    .step = subscription_step,
    .settle = subscription_settle,
    .tick = subscription_tick,
    .check = subscription_check,
    .doubt = subscription_doubt,
    .load = &(const struct kind_load){.work_ns = load_work,
                                      .slots = load_slots,
                                      .target = load_target,
                                      .weighted = load_weighted,
                                      .attempts = load_attempts},
};
