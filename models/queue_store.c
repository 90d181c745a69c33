/* Messages and claims: places in memory that are used again, and the lists they stand in. */
#include "models/queue_state.h"

#include <string.h>

enum { ROOM_FIRST = 64 };

uint32_t queue_message_new(struct broker *q)
{
    uint32_t index = q->message_free;
    if (index) {
        q->message_free = q->messages[index].older;
    } else {
        if (q->message_used >= q->message_room) {
            uint32_t room = q->message_room ? 2 * q->message_room : ROOM_FIRST;
            struct message *more = arena_array(&q->agent->simulation->arena, room, struct message);
            if (q->message_room)
                memcpy(more, q->messages, q->message_room * sizeof *more);
            q->messages = more;
            q->message_room = room;
        }
        index = q->message_used++;
    }
    struct message *m = &q->messages[index];
    *m = (struct message){.older = q->newest};
    if (q->newest)
        q->messages[q->newest].newer = index;
    else
        q->oldest = index;
    q->newest = index;
    if (!q->unexpired)
        q->unexpired = index;
    q->stored++;
    return index;
}

/* The run waits no longer for what nobody needs any more. */
static void unobserve(struct broker *q, const struct message *m, uint32_t messages)
{
    struct ledger_entry *e = ledger_at(&q->ledger, m->entry);
    if (e->observed && e->messages <= messages) {
        e->observed = false;
        q->agent->simulation->observed_held--;
    }
}

void queue_unretain(struct broker *q, uint32_t index)
{
    struct message *m = &q->messages[index];
    if (!m->retained)
        return;
    if (q->kept == index)
        q->kept = m->newer;
    m->retained = false;
    q->idle -= m->idle;
    m->idle = false;
    queue_message_release(q, index);
}

void queue_message_release(struct broker *q, uint32_t index)
{
    struct message *m = &q->messages[index];
    CHECK(m->claims);
    if (--m->claims) {
        if (m->claims == 1 && m->retained && !m->idle) {
            m->idle = true;
            q->idle++;
            unobserve(q, m, 1);
        }
        return;
    }
    if (q->unexpired == index)
        q->unexpired = m->newer;
    if (m->older)
        q->messages[m->older].newer = m->newer;
    else
        q->oldest = m->newer;
    if (m->newer)
        q->messages[m->newer].older = m->older;
    else
        q->newest = m->older;
    q->stored--;
    ledger_release(&q->ledger, m->entry);
    unobserve(q, m, 0);
    m->older = q->message_free;
    q->message_free = index;
}

uint32_t queue_claim_new(struct broker *q, uint32_t message, uint32_t subscription)
{
    uint32_t index = q->claim_free;
    struct message *m = &q->messages[message];
    struct ledger_entry *e = ledger_at(&q->ledger, m->entry);
    if (index) {
        q->claim_free = q->claims[index].behind;
    } else {
        if (q->claim_used >= q->claim_room) {
            uint32_t room = q->claim_room ? 2 * q->claim_room : ROOM_FIRST;
            struct claim *more = arena_array(&q->agent->simulation->arena, room, struct claim);
            if (q->claim_room)
                memcpy(more, q->claims, q->claim_room * sizeof *more);
            q->claims = more;
            q->claim_room = room;
        }
        index = q->claim_used++;
    }
    q->claims[index] = (struct claim){.message = message,
                                      .subscription = subscription,
                                      .same = e->claims,
                                      .order = ++q->order,
                                      .level = q->levels[m->operation]};
    e->claims = index;
    m->claims++;
    q->idle -= m->idle;
    m->idle = false;
    struct subscription *s = &q->subscriptions[subscription];
    s->lag++;
    return index;
}

void queue_claim_end(struct broker *q, uint32_t index)
{
    struct claim *claim = &q->claims[index];
    uint32_t message = claim->message;
    struct ledger_entry *e = ledger_at(&q->ledger, q->messages[message].entry);
    uint32_t *link = &e->claims;
    while (*link != index)
        link = &q->claims[*link].same;
    *link = claim->same;
    if (claim->state != CLAIM_DONE)
        q->subscriptions[claim->subscription].lag--;
    *claim = (struct claim){.behind = q->claim_free};
    q->claim_free = index;
    queue_message_release(q, message);
}

void queue_list_push(struct broker *q, struct claim_list *list, uint32_t claim)
{
    q->claims[claim].before = list->last;
    q->claims[claim].behind = 0;
    if (list->last)
        q->claims[list->last].behind = claim;
    else
        list->first = claim;
    list->last = claim;
}

void queue_list_remove(struct broker *q, struct claim_list *list, uint32_t claim)
{
    struct claim *c = &q->claims[claim];
    if (c->before)
        q->claims[c->before].behind = c->behind;
    else
        list->first = c->behind;
    if (c->behind)
        q->claims[c->behind].before = c->before;
    else
        list->last = c->before;
    c->before = c->behind = 0;
}

static struct lane *lane_of(const struct broker *q, const struct claim *c)
{
    return &q->subscriptions[c->subscription].lanes[q->messages[c->message].lane];
}

void queue_wait(struct broker *q, uint32_t index)
{
    struct claim *c = &q->claims[index];
    struct subscription *s = &q->subscriptions[c->subscription];
    struct lane *lane = lane_of(q, c);
    struct claim_list *list = &lane->levels[c->level];
    uint32_t at = list->last;
    if (at && q->claims[at].order > c->order) { /* it comes back: the place is near the front */
        uint32_t behind = list->first;
        while (q->claims[behind].order < c->order)
            behind = q->claims[behind].behind;
        c->behind = behind;
        c->before = q->claims[behind].before;
        if (c->before)
            q->claims[c->before].behind = index;
        else
            list->first = index;
        q->claims[behind].before = index;
    } else {
        queue_list_push(q, list, index);
    }
    c->state = CLAIM_WAITS;
    c->since_ns = simulation_now(q->agent->simulation);
    lane->waiting++;
    s->depth++;
    q->ready += !q->messages[c->message].waiting++;
}

void queue_unwait(struct broker *q, uint32_t index)
{
    struct claim *c = &q->claims[index];
    struct lane *lane = lane_of(q, c);
    queue_list_remove(q, &lane->levels[c->level], index);
    lane->waiting--;
    q->subscriptions[c->subscription].depth--;
    q->ready -= !--q->messages[c->message].waiting;
}

bool queue_is_full(const struct broker *q)
{
    return (q->subscription_count ? q->ready : q->stored) >= q->config->max_length;
}

bool queue_drop_oldest(struct broker *q)
{
    uint32_t at = q->oldest;
    while (at && q->subscription_count && !q->messages[at].waiting)
        at = q->messages[at].newer;
    if (!at)
        return false;
    if (!q->subscription_count) {
        record_count(q->deliveries, DELIVERY_DROPPED, q->messages[at].operation,
                     q->messages[at].accepted_ns, 1);
        q->messages[at].claims = 1;
        queue_message_release(q, at);
        return true;
    }
    uint32_t claim = ledger_at(&q->ledger, q->messages[at].entry)->claims;
    while (claim) {
        uint32_t next = q->claims[claim].same;
        if (q->claims[claim].message == at && q->claims[claim].state == CLAIM_WAITS) {
            struct subscription *s = &q->subscriptions[q->claims[claim].subscription];
            queue_count(s, DELIVERY_DROPPED, ledger_at(&q->ledger, q->messages[at].entry), 1);
            queue_unwait(q, claim);
            queue_claim_end(q, claim);
            queue_show(q, s);
        }
        claim = next;
    }
    return true;
}
