/* From a queue's lanes to the consumers and back: who has room, deliveries, acknowledgements,
 * redeliveries and dead letters. */
#include "models/queue_state.h"

#include "engine/kernel/batch.h"

/* How long a broker waits for the queue of dead letters, and before it tries again. */
#define BURIAL_NS INT64_C(10000000000)
#define BURIAL_PAUSE_NS INT64_C(1000000000)
/* What is refused at the very instant of its delivery would go round and round for ever. */
#define REFUSED_NS INT64_C(1000000)

static struct simulation *simulation_of(const struct broker *q)
{
    return q->agent->simulation;
}

static int64_t now_of(const struct broker *q)
{
    return simulation_now(simulation_of(q));
}

/* ---- consumers ---- */

/* A connection to a machine that is down breaks, and the broker knows. */
static bool is_there(const struct broker *q, const struct consumer *k)
{
    const struct simulation *s = simulation_of(q);
    if (k->target == UINT32_MAX)
        return true;
    return s->agents[k->target].place->up && s->agents[k->target].member;
}

static bool has_room(const struct broker *q, const struct subscription *s, const struct consumer *k)
{
    bool asks = k->asks || s->config->fetch == SUBSCRIPTION_PUSH;
    return asks && k->used < k->most && is_there(q, k);
}

static bool is_ordered(const struct broker *q)
{
    return q->lane_count > 1;
}

/* Behind all that have room already. */
static void ring_push(struct subscription *s, uint32_t consumer)
{
    if (s->consumers[consumer].stands)
        return;
    s->consumers[consumer].stands = true;
    s->ring[(s->ring_first + s->ring_count++) % s->consumer_count] = consumer;
}

uint64_t queue_prefetch(const struct simulation *s, const struct subscription_config *config,
                        uint32_t target)
{
    const struct agent *consumer = &s->agents[target];
    const struct kind_load *load = consumer->kind->load;
    double slots = load ? load->slots(consumer->configs[0]) : 0;
    if (config->prefetch)
        return config->prefetch;
    return slots > 0 && slots < 1e9 ? (uint64_t)slots : COUNT_UNLIMITED;
}

void queue_consumers_start(struct broker *q, struct subscription *s, const struct pool *instances)
{
    struct simulation *sim = simulation_of(q);
    s->consumer_count = instances->count;
    s->consumers = arena_array(&sim->arena, instances->count, struct consumer);
    s->ring = arena_array(&sim->arena, instances->count, uint32_t);
    for (uint32_t i = 0; i < instances->count; i++) {
        struct consumer *k = &s->consumers[i];
        bool group = s->config->to.group;
        *k = (struct consumer){
            .agent = instances->agents[i],
            .target = group ? UINT32_MAX : s->config->to.agents[i],
        };
        k->most = queue_prefetch(sim, s->config, s->config->to.agents[i]);
        ring_push(s, i);
    }
}

void queue_consumers_reset(struct subscription *s)
{
    s->unacked = 0;
    s->membership = 0;
    for (uint32_t i = 0; i < s->consumer_count; i++) {
        s->consumers[i].used = 0;
        s->consumers[i].asks = false;
        ring_push(s, i);
    }
}

/* ---- partitions and their owners ---- */

static void take_back(struct broker *q, uint32_t claim);

/* What former owners that are gone have of their lanes they will never answer. */
static void revoke(struct broker *q, struct subscription *s)
{
    for (uint32_t i = 1; i < q->claim_used; i++) {
        const struct claim *c = &q->claims[i];
        if (c->state != CLAIM_OUT || c->subscription != s->number)
            continue;
        const struct lane *lane = &s->lanes[q->messages[c->message].lane];
        if (lane->owner == lane->out_owner || is_there(q, &s->consumers[lane->out_owner - 1]))
            continue;
        struct call *delivery = call_at(simulation_of(q), c->delivery);
        struct queue_frame *f = queue_frame_of(delivery);
        take_back(q, i);
        if (!f->claims) {
            s->consumers[f->consumer].used--;
            call_free(delivery, q->agent);
        }
    }
}

/* Deals the partitions over the consumers that are there, where those are others than before;
 * true where some have moved. */
static bool rebalance(struct broker *q, struct subscription *s)
{
    const struct simulation *sim = simulation_of(q);
    uint32_t there = 0, moved = 0, lost = 0;
    if (s->membership == sim->membership + 1)
        return false;
    bool first = !s->membership;
    s->membership = sim->membership + 1;
    for (uint32_t i = 0; i < s->consumer_count; i++)
        there += is_there(q, &s->consumers[i]);
    for (uint32_t l = 0; l < q->lane_count; l++) {
        struct lane *lane = &s->lanes[l];
        uint32_t owner = 0, number = there ? l % there : 0;
        for (uint32_t i = 0; i < s->consumer_count && there; i++)
            if (is_there(q, &s->consumers[i]) && !number--) {
                owner = i + 1;
                break;
            }
        if (owner == lane->owner)
            continue;
        moved++;
        lane->owner = owner;
        lost += lane->out && !is_there(q, &s->consumers[lane->out_owner - 1]);
    }
    if (lost)
        revoke(q, s);
    if (moved && !first) {
        int64_t now = now_of(q);
        record_count(s->record, DELIVERY_REBALANCES, 0, now, 1);
        record_count(q->deliveries, DELIVERY_REBALANCES, 0, now, 1);
    }
    return moved > 0;
}

/* ---- deliveries ---- */

static bool may_linger(const struct subscription *s)
{
    return s->config->linger > 0 && s->config->batch > 1;
}

/* The most urgent claim that waits. */
static uint32_t head_of(const struct broker *q, const struct lane *lane)
{
    for (uint32_t i = 0; i < q->level_count; i++)
        if (lane->levels[i].first)
            return lane->levels[i].first;
    return 0;
}

/* Whether a batch is to be sent now; else a timer is set. */
static bool is_due(struct broker *q, struct subscription *s, uint32_t number)
{
    struct lane *lane = &s->lanes[number];
    if (!lane->waiting)
        return false;
    if (!may_linger(s) || lane->waiting >= s->config->batch)
        return true;
    int64_t since = INT64_MAX;
    for (uint32_t i = 0; i < q->level_count; i++) {
        uint32_t first = lane->levels[i].first;
        if (first && q->claims[first].since_ns < since)
            since = q->claims[first].since_ns;
    }
    int64_t until = since + s->config->linger;
    if (now_of(q) >= until)
        return true;
    if (!lane->linger_until || lane->linger_until > until || lane->linger_until <= now_of(q)) {
        lane->linger_until = until;
        timer_at(q->agent, until, TICK_LINGER, (uint64_t)s->number << 32 | number);
    }
    return false;
}

/* The message's part of the request line. */
static void line_set(struct call *c, struct message *m, const struct agent *agent)
{
    c->op_id = m->op_id;
    c->key = m->key;
    c->version = m->version;
    c->session = m->session;
    c->size = m->size;
    c->operation = m->operation;
    c->traits = m->traits;
    c->path = m->path | agent->tier_bits;
    c->sub = m->deliveries
                 ? (uint32_t)(random_mix((uint64_t)m->sub << 32 | m->deliveries) >> 32) | 1
                 : m->sub;
    m->deliveries++;
}

static void batch_line(struct broker *q, struct call *c, uint32_t first, uint32_t count)
{
    const struct message *head = &q->messages[q->claims[first].message];
    struct batch *batch = batch_new(simulation_of(q), c->op_id, count);
    uint64_t size = 0;
    uint32_t at = first;
    for (uint32_t i = 0; i < count; i++, at = q->claims[at].behind) {
        struct message *m = &q->messages[q->claims[at].message];
        batch->items[i] = (struct batch_item){m->op_id, m->key,       m->version, m->session,
                                              m->size,  m->operation, m->traits};
        m->deliveries++;
        size += m->size;
    }
    c->key = head->key;
    c->session = head->session;
    c->size = size < UINT32_MAX ? (uint32_t)size : UINT32_MAX;
    c->operation = head->operation;
    c->traits = REQUEST_BATCH;
    c->path = head->path | q->agent->tier_bits;
}

/* One claim into a delivery. */
static void put_out(struct broker *q, struct subscription *s, struct lane *lane, uint32_t claim,
                    uint32_t call, struct claim_list *list)
{
    struct claim *c = &q->claims[claim];
    const struct ledger_entry *e = ledger_at(&q->ledger, q->messages[c->message].entry);
    queue_unwait(q, claim);
    if (!c->deliveries++)
        queue_duration(s, DELIVERY_TIME_IN_QUEUE, e, now_of(q) - e->accepted_ns);
    else
        queue_count(s, DELIVERY_REDELIVERIES, e, 1);
    c->state = CLAIM_OUT;
    c->delivery = call;
    queue_list_push(q, list, claim);
    lane->out++;
    s->unacked++;
}

/* Acknowledged by being sent: the broker does not know of it any more. */
static void forget_all(struct broker *q, struct subscription *s, struct queue_frame *f)
{
    struct lane *lane = &s->lanes[f->lane];
    for (uint32_t at = f->claims; at;) {
        uint32_t next = q->claims[at].behind;
        lane->out--;
        s->unacked--;
        q->claims[at].before = q->claims[at].behind = 0;
        queue_acknowledge(q, at);
        at = next;
    }
    f->claims = 0;
}

static void deliver(struct broker *q, struct subscription *s, uint32_t number, uint32_t consumer)
{
    struct lane *lane = &s->lanes[number];
    struct consumer *k = &s->consumers[consumer];
    uint64_t most = s->config->batch < lane->waiting ? s->config->batch : lane->waiting;
    uint32_t count = most < UINT32_MAX ? (uint32_t)most : UINT32_MAX;
    struct call *c = call_begin(q->agent, ++q->begun);
    struct queue_frame *f = queue_frame_of(c);
    struct claim_list list = {0};
    for (uint32_t i = 0; i < count; i++)
        put_out(q, s, lane, head_of(q, lane), call_index(simulation_of(q), c), &list);
    if (count > 1)
        batch_line(q, c, list.first, count);
    else
        line_set(c, &q->messages[q->claims[list.first].message], q->agent);
    f->stage = STAGE_DELIVERY;
    f->term = (uint32_t)q->term;
    f->subscription = s->number;
    f->lane = number;
    f->consumer = consumer;
    f->claims = list.first;
    f->count = count;
    k->used++;
    k->asks = false;
    lane->out_owner = consumer + 1;
    const struct ledger_entry *e =
        ledger_at(&q->ledger, q->messages[q->claims[list.first].message].entry);
    queue_duration(s, DELIVERY_BATCH_SIZE, e, (int64_t)count * 1000000000);
    call_to(c, q->agent, k->agent, 0, c->size);
    if (s->config->ack == SUBSCRIPTION_BEFORE)
        forget_all(q, s, f);
    call_await(c, q->agent, 1, s->config->visibility);
}

/* The consumer that a lane's next delivery goes to; UINT32_MAX: none has room. */
static uint32_t pick(struct broker *q, struct subscription *s, const struct lane *lane)
{
    if (is_ordered(q)) {
        uint32_t owner = lane->owner - 1;
        bool free = lane->owner && (!lane->out || lane->out_owner == lane->owner) &&
                    has_room(q, s, &s->consumers[owner]);
        return free ? owner : UINT32_MAX;
    }
    for (uint32_t left = s->ring_count; left; left--) {
        uint32_t consumer = s->ring[s->ring_first];
        s->ring_first = (s->ring_first + 1) % s->consumer_count;
        s->ring_count--;
        s->consumers[consumer].stands = false;
        bool asks = s->consumers[consumer].asks || s->config->fetch == SUBSCRIPTION_PUSH;
        if (!asks || s->consumers[consumer].used >= s->consumers[consumer].most)
            continue; /* it stands here again when it has room, and has asked */
        ring_push(s, consumer);
        if (is_there(q, &s->consumers[consumer]))
            return consumer;
    }
    return UINT32_MAX;
}

static void dispatch_lane(struct broker *q, struct subscription *s, uint32_t number)
{
    while (is_due(q, s, number)) {
        uint32_t consumer = pick(q, s, &s->lanes[number]);
        if (consumer == UINT32_MAX)
            break;
        deliver(q, s, number, consumer);
    }
}

void queue_dispatch(struct broker *q, struct subscription *s, uint32_t number)
{
    if (is_ordered(q) && rebalance(q, s)) {
        for (uint32_t l = 0; l < q->lane_count; l++)
            dispatch_lane(q, s, l);
    } else {
        dispatch_lane(q, s, number);
    }
    queue_show(q, s);
}

void queue_dispatch_all(struct broker *q)
{
    for (uint32_t i = 0; i < q->subscription_count; i++)
        for (uint32_t l = 0; l < q->lane_count; l++)
            queue_dispatch(q, &q->subscriptions[i], l);
}

void queue_asked(struct broker *q, uint32_t agent)
{
    const struct simulation *sim = simulation_of(q);
    const struct agent *from = &sim->agents[agent];
    const struct subscriber *self = from->durable;
    struct subscription *s = &q->subscriptions[self->first->part];
    uint32_t consumer = from->number - 1;
    s->consumers[consumer].asks = true;
    if (!is_ordered(q))
        ring_push(s, consumer);
    for (uint32_t l = 0; l < q->lane_count && s->consumers[consumer].asks; l++)
        queue_dispatch(q, s, l);
    if (s->config->fetch == SUBSCRIPTION_POLL)
        s->consumers[consumer].asks = false;
}

/* A consumer has room again. */
static void room_at(struct broker *q, struct subscription *s, uint32_t consumer, uint32_t lane)
{
    struct consumer *k = &s->consumers[consumer];
    CHECK(k->used);
    k->used--;
    if (!is_ordered(q)) {
        ring_push(s, consumer);
        queue_dispatch(q, s, 0);
        return;
    }
    queue_dispatch(q, s, lane);
    for (uint32_t i = 0; i < q->lane_count && has_room(q, s, k); i++) {
        k->turn = (k->turn + 1) % q->lane_count;
        if (s->lanes[k->turn].owner == consumer + 1 && s->lanes[k->turn].waiting)
            queue_dispatch(q, s, k->turn);
    }
}

/* ---- the end of a delivery ---- */

/* Out of its delivery. */
static void detach(struct broker *q, uint32_t claim)
{
    struct claim *c = &q->claims[claim];
    struct subscription *s = &q->subscriptions[c->subscription];
    struct queue_frame *f = queue_frame_of(call_at(simulation_of(q), c->delivery));
    if (c->before)
        q->claims[c->before].behind = c->behind;
    else
        f->claims = c->behind;
    if (c->behind)
        q->claims[c->behind].before = c->before;
    c->before = c->behind = 0;
    if (c->state == CLAIM_OUT) {
        s->lanes[q->messages[c->message].lane].out--;
        s->unacked--;
    }
}

void queue_acknowledge(struct broker *q, uint32_t claim)
{
    struct claim *c = &q->claims[claim];
    struct subscription *s = &q->subscriptions[c->subscription];
    bool replicated = queue_is_replicated(q);
    if (q->config->durability == QUEUE_MEMORY && !replicated) {
        queue_claim_end(q, claim);
        return;
    }
    c->state = CLAIM_DONE;
    s->lag--;
    queue_list_push(q, &s->done, claim);
    if (replicated) {
        c->log = ++q->log;
        queue_replicate(q);
    }
    queue_sync_soon(q);
}

static void drop(struct broker *q, uint32_t claim, enum delivery_metric why)
{
    const struct claim *c = &q->claims[claim];
    queue_count(&q->subscriptions[c->subscription], why,
                ledger_at(&q->ledger, q->messages[c->message].entry), 1);
    queue_claim_end(q, claim);
}

/* ---- dead letters ---- */

static void bury_now(struct broker *q, struct call *c)
{
    const struct subscription *s = &q->subscriptions[queue_frame_of(c)->subscription];
    call_round(c, q->agent);
    struct message *m = &q->messages[q->claims[queue_frame_of(c)->claims].message];
    call_to(c, q->agent, pool_route(&s->config->dead_letter, q->agent, c), 0, m->size);
    call_await(c, q->agent, 1, BURIAL_NS);
}

/* The last delivery has failed. */
static void bury(struct broker *q, uint32_t claim)
{
    struct claim *c = &q->claims[claim];
    struct subscription *s = &q->subscriptions[c->subscription];
    if (!s->config->dead_letter.count) {
        drop(q, claim, DELIVERY_DEAD_LETTERS);
        return;
    }
    struct call *way = call_begin(q->agent, ++q->begun);
    struct queue_frame *f = queue_frame_of(way);
    line_set(way, &q->messages[c->message], q->agent);
    f->stage = STAGE_BURIAL;
    f->term = (uint32_t)q->term;
    f->subscription = c->subscription;
    f->claims = claim;
    c->before = c->behind = 0;
    c->state = CLAIM_DEAD;
    c->delivery = call_index(simulation_of(q), way);
    bury_now(q, way);
}

static void bury_wake(struct broker *q, struct call *c)
{
    struct queue_frame *f = queue_frame_of(c);
    if (c->wake == WAKE_JOINED) {
        struct claim *claim = &q->claims[f->claims];
        struct subscription *s = &q->subscriptions[f->subscription];
        struct ledger_entry *e = ledger_at(&q->ledger, q->messages[claim->message].entry);
        e->moved |= UINT64_C(1) << s->number;
        drop(q, f->claims, DELIVERY_DEAD_LETTERS);
        queue_show(q, s);
        call_free(c, q->agent);
    } else if (c->wake == WAKE_TIMEOUT && !c->need) {
        bury_now(q, c);
    } else {
        call_round(c, q->agent);
        call_await(c, q->agent, 0, BURIAL_PAUSE_NS);
    }
}

/* A delivery of it has failed: it waits again, or goes for good. */
static void take_back(struct broker *q, uint32_t claim)
{
    struct claim *c = &q->claims[claim];
    const struct subscription *s = &q->subscriptions[c->subscription];
    bool at_once = call_at(simulation_of(q), c->delivery)->arrived_ns == now_of(q);
    int64_t pause_ns = at_once && s->config->pause < REFUSED_NS ? REFUSED_NS : s->config->pause;
    detach(q, claim);
    if (q->messages[c->message].expired) {
        drop(q, claim, DELIVERY_EXPIRED);
    } else if (c->deliveries >= s->config->max_deliveries) {
        bury(q, claim);
    } else if (pause_ns > 0) {
        c->state = CLAIM_RESTS;
        timer_after(q->agent, pause_ns, TICK_RIPE, (uint64_t)claim << 32 | (c->order & UINT32_MAX));
    } else {
        queue_wait(q, claim);
    }
}

/* The delivery is over, well or not. */
static void end_delivery(struct broker *q, struct call *c, bool ok)
{
    struct queue_frame *f = queue_frame_of(c);
    struct subscription *s = &q->subscriptions[f->subscription];
    uint32_t consumer = f->consumer, lane = f->lane;
    while (f->claims) {
        uint32_t claim = f->claims;
        if (ok) {
            detach(q, claim);
            queue_acknowledge(q, claim);
        } else {
            take_back(q, claim);
        }
    }
    call_free(c, q->agent);
    room_at(q, s, consumer, lane);
}

void queue_delivery_wake(struct broker *q, struct call *c)
{
    struct queue_frame *f = queue_frame_of(c);
    if (f->term != (uint32_t)q->term || (queue_is_replicated(q) && !q->leads)) {
        call_free(c, call_agent(simulation_of(q), c)); /* of a time when it led */
        return;
    }
    if (f->stage == STAGE_BURIAL) {
        bury_wake(q, c);
        return;
    }
    struct subscription *s = &q->subscriptions[f->subscription];
    enum delivery_metric why =
        c->wake == WAKE_TIMEOUT ? DELIVERY_VISIBILITY_ENDS : DELIVERY_REFUSALS;
    if (c->wake != WAKE_JOINED)
        for (uint32_t at = f->claims; at; at = q->claims[at].behind)
            queue_count(s, why, ledger_at(&q->ledger, q->messages[q->claims[at].message].entry), 1);
    end_delivery(q, c, c->wake == WAKE_JOINED);
}

/* The claim of a subscription for a request, in whatever state. */
static uint32_t claim_of(const struct broker *q, const struct subscription *s, uint64_t op_id)
{
    uint32_t entry = ledger_find(&q->ledger, op_id);
    uint32_t at = entry ? ledger_at(&q->ledger, entry)->claims : 0;
    while (at && q->claims[at].subscription != s->number)
        at = q->claims[at].same;
    return at;
}

/* What had been given up is done after all: whatever is planned for it is over. */
static void acknowledge_late(struct broker *q, struct subscription *s, uint64_t op_id)
{
    uint32_t at = claim_of(q, s, op_id);
    if (!at)
        return;
    struct claim *c = &q->claims[at];
    if (c->state == CLAIM_WAITS) {
        queue_unwait(q, at);
        queue_acknowledge(q, at);
    } else if (c->state == CLAIM_OUT) {
        detach(q, at);
        queue_acknowledge(q, at);
    } else if (c->state == CLAIM_RESTS) {
        queue_acknowledge(q, at);
    }
}

void queue_late(struct broker *q, const struct call *child)
{
    const struct simulation *sim = simulation_of(q);
    const struct agent *from = &sim->agents[child->agent];
    if (from->kind != &subscription_kind || child->status != STATUS_OK)
        return;
    struct subscription *s =
        &q->subscriptions[((const struct subscriber *)from->durable)->first->part];
    const struct batch *batch = batch_of(sim, child);
    for (uint32_t i = 0; batch && i < batch->count; i++)
        acknowledge_late(q, s, batch->items[i].op_id);
    if (!batch)
        acknowledge_late(q, s, child->op_id);
    queue_show(q, s);
}
