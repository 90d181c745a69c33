/* What a queue measures: from the ledger, which knows every message, and from what is held. */
#include "models/queue_state.h"

#include <string.h>

enum { NEWEST_FIRST = 64 };

static int64_t now_of(const struct broker *q)
{
    return simulation_now(q->agent->simulation);
}

void queue_count(const struct subscription *s, enum delivery_metric metric,
                 const struct ledger_entry *e, uint64_t amount)
{
    record_count(s->record, metric, e->operation, e->accepted_ns, amount);
    record_count(s->queue->deliveries, metric, e->operation, e->accepted_ns, amount);
}

void queue_duration(const struct subscription *s, enum delivery_metric metric,
                    const struct ledger_entry *e, int64_t ns)
{
    record_duration(s->record, metric, e->operation, e->accepted_ns, ns);
    record_duration(s->queue->deliveries, metric, e->operation, e->accepted_ns, ns);
}

/* ---- levels ---- */

static void show(struct record *r, enum delivery_metric metric, uint64_t value, uint64_t *shown)
{
    if (value == *shown)
        return;
    record_level(r, metric, (int64_t)(value - *shown));
    *shown = value;
}

/* When most waited, and when for the first time since then nothing did. */
static void follow(const struct broker *q, uint64_t depth, uint64_t *peak, int64_t *peak_ns,
                   int64_t *drained_ns)
{
    int64_t now = now_of(q);
    if (now < q->agent->simulation->window.begin)
        return;
    if (depth > *peak) {
        *peak = depth;
        *peak_ns = now;
        *drained_ns = -1;
    } else if (!depth && *drained_ns < 0) {
        *drained_ns = now;
    }
}

void queue_show(struct broker *q, struct subscription *s)
{
    uint64_t depth = q->subscription_count ? q->ready : q->stored, unacked = 0;
    if (s) {
        show(s->record, DELIVERY_DEPTH, s->depth, &s->shown_depth);
        show(s->record, DELIVERY_UNACKED, s->unacked, &s->shown_unacked);
        show(s->record, DELIVERY_LAG, s->lag, &s->shown_lag);
        follow(q, s->depth, &s->peak, &s->peak_ns, &s->drained_ns);
    }
    for (uint32_t i = 0; i < q->subscription_count; i++)
        unacked += q->subscriptions[i].unacked;
    show(q->deliveries, DELIVERY_DEPTH, depth, &q->shown_depth);
    show(q->deliveries, DELIVERY_UNACKED, unacked, &q->shown_unacked);
    show(q->deliveries, DELIVERY_LAG, q->stored - q->idle, &q->shown_lag);
    record_level_to(q->record, QUEUE_RETAINED, (int64_t)q->idle);
    follow(q, depth, &q->peak, &q->peak_ns, &q->drained_ns);
}

/* In whole milliseconds; 0: nothing waits. */
static uint64_t oldest_age(const struct broker *q, const struct subscription *s)
{
    int64_t now = now_of(q), oldest = now;
    for (uint32_t l = 0; s->depth && l < q->lane_count; l++)
        for (uint32_t i = 0; s->lanes[l].waiting && i < q->level_count; i++) {
            uint32_t first = s->lanes[l].levels[i].first;
            if (!first)
                continue;
            int64_t accepted = queue_message(q, queue_claim(q, first)->message)->accepted_ns;
            oldest = accepted < oldest ? accepted : oldest;
        }
    return (uint64_t)(now - oldest) / 1000000;
}

void queue_show_ages(struct broker *q)
{
    uint64_t most = 0;
    for (uint32_t i = 0; i < q->subscription_count; i++) {
        struct subscription *s = &q->subscriptions[i];
        uint64_t age = oldest_age(q, s);
        show(s->record, DELIVERY_OLDEST_AGE, age, &s->shown_age);
        most = age > most ? age : most;
    }
    if (!q->subscription_count && q->oldest)
        most = (uint64_t)(now_of(q) - q->messages[q->oldest].accepted_ns) / 1000000;
    show(q->deliveries, DELIVERY_OLDEST_AGE, most, &q->shown_age);
}

/* ---- what reaches consumers ---- */

/* The newest of one producer's messages that has reached a consumer in a lane, by the instant at
 * which it was produced. */
static int64_t *newest_of(struct subscription *s, uint32_t lane, uint32_t producer)
{
    uint64_t name = (uint64_t)lane << 32 | producer;
    uint32_t at = registers_get(&s->newest, name);
    if (!at) {
        if (s->newest_count + 1 >= s->newest_room) {
            uint32_t room = s->newest_room ? 2 * s->newest_room : NEWEST_FIRST;
            int64_t *more = arena_array(&s->queue->agent->simulation->arena, room, int64_t);
            if (s->newest_room)
                memcpy(more, s->newest_ns, s->newest_room * sizeof *more);
            s->newest_ns = more;
            s->newest_room = room;
        }
        at = ++s->newest_count;
        s->newest_ns[at] = -1;
        registers_set(&s->newest, name, at);
    }
    return &s->newest_ns[at];
}

static void first_arrival(struct subscription *s, struct ledger_entry *e)
{
    struct lane *lane = &s->lanes[e->lane];
    int64_t *newest = newest_of(s, e->lane, e->producer);
    queue_count(s, DELIVERY_DELIVERED, e, 1);
    if (e->produced_ns < *newest) {
        queue_count(s, DELIVERY_REORDERED_COUNT, e, 1);
        queue_duration(s, DELIVERY_REORDER_EXTENT, e, *newest - e->produced_ns);
    } else {
        *newest = e->produced_ns;
    }
    if (e->order > lane->reached)
        lane->reached = e->order;
    if (lane->missing && e->order > lane->missing_last) {
        queue_count(s, DELIVERY_SKIPPED, e, lane->missing);
        lane->missing = 0;
    }
}

/* What is in no ledger any more has been done with: it is one too many. */
static void count_stranger(const struct subscription *s, enum delivery_metric metric,
                           uint8_t operation)
{
    int64_t now = now_of(s->queue);
    record_count(s->record, metric, operation, now, 1);
    record_count(s->queue->deliveries, metric, operation, now, 1);
}

void queue_arrived(struct subscription *s, uint64_t op_id, uint8_t operation)
{
    uint32_t at = ledger_find(&s->queue->ledger, op_id);
    uint64_t bit = UINT64_C(1) << s->number;
    if (!at) {
        count_stranger(s, DELIVERY_ARRIVALS, operation);
        count_stranger(s, DELIVERY_DUPLICATE_COUNT, operation);
        return;
    }
    struct ledger_entry *e = ledger_at(&s->queue->ledger, at);
    queue_count(s, DELIVERY_ARRIVALS, e, 1);
    if (!(e->arrived & bit)) {
        e->arrived |= bit;
        first_arrival(s, e);
        return;
    }
    queue_count(s, DELIVERY_DUPLICATE_COUNT, e, 1);
    if (!(e->again & bit))
        queue_count(s, DELIVERY_AGAIN, e, 1);
    e->again |= bit;
}

void queue_effected(struct subscription *s, uint64_t op_id, uint8_t operation, bool applied)
{
    uint32_t at = ledger_find(&s->queue->ledger, op_id);
    uint64_t bit = UINT64_C(1) << s->number;
    if (!at) {
        count_stranger(s, applied ? DELIVERY_DUPLICATE_EFFECT_COUNT : DELIVERY_DEDUPLICATED,
                       operation);
        return;
    }
    struct ledger_entry *e = ledger_at(&s->queue->ledger, at);
    if (!applied) {
        queue_count(s, DELIVERY_DEDUPLICATED, e, 1);
    } else if (e->effected & bit) {
        queue_count(s, DELIVERY_DUPLICATE_EFFECT_COUNT, e, 1);
    } else {
        e->effected |= bit;
        queue_count(s, DELIVERY_EFFECTS, e, 1);
        queue_duration(s, DELIVERY_END_TO_END, e, now_of(s->queue) - e->accepted_ns);
    }
}

/* ---- the end of an entry ---- */

static void end_for(struct subscription *s, const struct ledger_entry *e)
{
    uint64_t bit = UINT64_C(1) << s->number;
    bool arrived = e->arrived & bit, effected = e->effected & bit;
    if (arrived && !e->confirmed)
        queue_count(s, DELIVERY_RECOVERED, e, 1);
    if ((e->held | e->moved) & bit)
        return;
    if (e->confirmed && !arrived)
        queue_count(s, DELIVERY_LOST_COUNT, e, 1);
    if (e->confirmed && !effected)
        queue_count(s, DELIVERY_LOST_EFFECT_COUNT, e, 1);
    if (arrived)
        return;
    struct lane *lane = &s->lanes[e->lane];
    if (lane->reached > e->order) {
        queue_count(s, DELIVERY_SKIPPED, e, 1);
        return;
    }
    lane->missing++;
    if (e->order > lane->missing_last)
        lane->missing_last = e->order;
}

void queue_accounts_end(void *context, const struct ledger_entry *e)
{
    struct broker *q = context;
    for (uint32_t i = 0; i < q->subscription_count; i++)
        if (e->offered >> i & 1)
            end_for(&q->subscriptions[i], e);
}

static void drained(const struct broker *q, struct record *r, uint64_t peak, int64_t peak_ns,
                    int64_t drained_ns)
{
    if (peak && q->agent->simulation->blueprint->nodes[q->agent->node].count == 1)
        record_event(r, DELIVERY_DRAIN_TIME, drained_ns < 0 ? RECORD_NEVER : drained_ns - peak_ns);
}

void queue_accounts_finish(struct broker *q)
{
    for (uint32_t i = 1; i < q->claim_used; i++)
        if (q->claims[i].state != CLAIM_FREE)
            ledger_at(&q->ledger, q->messages[q->claims[i].message].entry)->held |=
                UINT64_C(1) << q->claims[i].subscription;
    ledger_finish(&q->ledger);
    for (uint32_t i = 0; i < q->subscription_count; i++) {
        const struct subscription *s = &q->subscriptions[i];
        drained(q, s->record, s->peak, s->peak_ns, s->drained_ns);
    }
    drained(q, q->deliveries, q->peak, q->peak_ns, q->drained_ns);
}
