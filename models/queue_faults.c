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
    c->before = c->behind = c->delivery = 0;
    c->state = CLAIM_RESTS;
    if (m->synced) {
        queue_wait(q, index);
        return;
    }
    recall_forget(&q->known, m->op_id);
    queue_claim_end(q, index);
}

static void crash(struct place_part *part)
{
    struct broker *q = (struct broker *)(void *)part;
    const struct simulation *sim = q->agent->simulation;
    while (q->blocked.first)
        queue_unblock(q, call_at(sim, q->blocked.first));
    for (uint32_t at = q->unsynced.first; at;) {
        struct call *c = call_at(sim, at);
        at = queue_frame_of(c)->behind;
        queue_let_go(q, c);
    }
    q->unsynced = (struct claim_list){0};
    for (uint32_t i = 0; i < q->subscription_count; i++) {
        struct subscription *s = &q->subscriptions[i];
        s->done = (struct claim_list){0};
        queue_consumers_reset(s);
        for (uint32_t l = 0; l < q->lane_count; l++) {
            s->lanes[l].out = s->lanes[l].out_owner = s->lanes[l].owner = 0;
            s->lanes[l].linger_until = 0;
        }
    }
    for (uint32_t i = 1; i < q->claim_used; i++)
        if (q->claims[i].state != CLAIM_FREE)
            crash_claim(q, i);
    for (uint32_t at = q->subscription_count ? 0 : q->newest; at && !q->messages[at].synced;) {
        uint32_t older = q->messages[at].older;
        q->messages[at].claims = 1;
        queue_message_release(q, at);
        at = older;
    }
    q->sync_due = q->expiry_due = q->watch_due = false;
    for (uint32_t i = 0; i < q->subscription_count; i++)
        queue_show(q, &q->subscriptions[i]);
    queue_show(q, NULL);
}

void queue_watch_faults(struct broker *q)
{
    q->part.pause = q->part.resume = q->part.rescale = part_ignores;
    q->part.crash = crash;
    q->part.drop = part_drops;
    q->part.next = q->agent->place->parts;
    q->agent->place->parts = &q->part;
}
