/* A transactional outbox: what a step `{send: events, outbox: orders}` sends is written down by the
 * store `orders` together with the write of the same request, and told to `events` by a relay on
 * the store's machine, again and again until it is acknowledged. So it is sent if and only if the
 * write took effect, at least once, whatever becomes of whoever wrote.
 *
 * Owner: the store, in its durable state: entries outlive its crashes, the relay's calls do not.
 *
 *     start            outbox_start(...)
 *     a write          outbox_note(...)
 *     a call with an entry was woken     outbox_wake(...) */
#ifndef ORRERY_MODELS_PARTS_OUTBOX_H
#define ORRERY_MODELS_PARTS_OUTBOX_H

#include "engine/kernel/simulation.h"

struct outbox_entry;

struct outbox {
    struct agent *agent;
    struct outbox_entry *entries; /* index 0 is never used */
    uint32_t used, room, free_head;
    uint64_t sent; /* relays so far: numbers them */
    bool wanted;   /* some step of the scenario has an `outbox` */
};

/* How long the relay waits for an answer, and before it tries again (ns). */
#define OUTBOX_PATIENCE_NS INT64_C(1000000000)

/* Also after a restart, which sends again what was not acknowledged. */
void outbox_start(struct outbox *outbox, struct agent *agent);

/* The write `c` has taken effect here: where its caller has a step with this outbox, the message is
 * written down and sent. */
void outbox_note(struct outbox *outbox, const struct call *c);

/* A relay's call was woken; `entry` is what stands in its frame. */
void outbox_wake(struct outbox *outbox, struct call *c, uint32_t entry);

/* In the frame of every call of such a store, behind its visit, for which there must be room: the
 * entry that a relay's call is for; 0: a call of somebody else. */
uint32_t *outbox_entry_of(struct call *c);

#endif
