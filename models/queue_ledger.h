/* The ledger of a queue: what became of every message that was sent to it, for the accounts alone;
 * no broker and no consumer decides anything by it. An entry is a request (op_id), however often it
 * was sent, stored, delivered and done.
 *
 * An entry lasts while a message of it is stored or any call carries its op_id, since until then
 * it may still be delivered. Entries that may be over are looked for when there are many, over all
 * calls; so memory goes with what is stored and under way. Its end decides what was lost. */
#ifndef ORRERY_MODELS_QUEUE_LEDGER_H
#define ORRERY_MODELS_QUEUE_LEDGER_H

#include "engine/kernel/simulation.h"
#include "models/parts/registers.h"

/* One request. Bits are by subscription. */
struct ledger_entry {
    uint64_t op_id;      /* 0: a free entry */
    int64_t accepted_ns; /* when the broker first took it in */
    int64_t produced_ns; /* its place in the order of its producer */
    uint64_t offered;    /* to whom it was offered */
    uint64_t arrived;    /* it has reached a consumer */
    uint64_t again;      /* more than once */
    uint64_t effected;   /* its work was done, with success */
    uint64_t moved;      /* it has gone to the dead-letter queue */
    uint64_t held;       /* at the end of the run: it is still stored for it, or on its way */
    uint64_t order;      /* of its first acceptance */
    uint32_t producer, lane;
    uint32_t messages; /* stored copies */
    uint32_t claims;   /* the first of them all, linked by `same`; 0: none */
    uint32_t next;     /* of the free list */
    uint8_t operation;
    bool confirmed; /* its producer was told that it is stored */
    bool observed;  /* accepted within the window: the run waits for it */
    bool marked;    /* in a look over all calls */
};

struct ledger {
    struct simulation *simulation;
    struct ledger_entry *entries; /* index 0 is never used */
    uint32_t used, room, free_head, live, over;
    struct registers index; /* by op_id */
    /* Told of every entry when it ends, once. */
    void (*end)(void *context, const struct ledger_entry *entry);
    void *context;
};

void ledger_init(struct ledger *ledger, struct simulation *s,
                 void (*end)(void *context, const struct ledger_entry *entry), void *context);

/* The entry of a request; 0: there is none. */
uint32_t ledger_find(const struct ledger *ledger, uint64_t op_id);

/* The same, made where there is none: `*entry` is then all zero but for the op_id. */
uint32_t ledger_make(struct ledger *ledger, uint64_t op_id);

static inline struct ledger_entry *ledger_at(const struct ledger *ledger, uint32_t index)
{
    return &ledger->entries[index];
}

/* One stored copy more, or less. */
void ledger_hold(struct ledger *ledger, uint32_t index);
void ledger_release(struct ledger *ledger, uint32_t index);

/* The run is over: every entry ends. */
void ledger_finish(struct ledger *ledger);

#endif
