#include "engine/kernel/batch.h"

#include <string.h>

enum { CLASSES = 32, ROOM_FIRST = 256 };

/* Open addressing by op_id, at most half full; items of a size go back to a list of that size. */
struct batches {
    struct batch *slots, *other; /* of `room` each: the second one for the next look */
    uint32_t room, used;
    struct spare *spare[CLASSES]; /* by the logarithm of their room */
};

/* What stands in memory that is spare. */
struct spare {
    struct spare *next;
};

static uint32_t class_of(uint32_t count)
{
    uint32_t class = 0;
    while (UINT32_C(1) << class < count)
        class ++;
    return class;
}

static struct batch_item *items_take(struct simulation *s, struct batches *b, uint32_t class)
{
    struct spare *spare = b->spare[class];
    if (!spare)
        return arena_array(&s->arena, (size_t)1 << class, struct batch_item);
    b->spare[class] = spare->next;
    memset(spare, 0, sizeof(struct batch_item) << class);
    return (struct batch_item *)(void *)spare;
}

static void items_give(struct batches *b, struct batch *batch)
{
    uint32_t class = class_of(batch->room);
    struct spare *spare = (struct spare *)(void *)batch->items;
    spare->next = b->spare[class];
    b->spare[class] = spare;
}

static struct batch *find(const struct batches *b, uint64_t op_id)
{
    uint32_t at = (uint32_t)op_id & (b->room - 1);
    while (b->slots[at].op_id && b->slots[at].op_id != op_id)
        at = (at + 1) & (b->room - 1);
    return &b->slots[at];
}

static void make_tables(struct simulation *s, struct batches *b, uint32_t room)
{
    b->slots = arena_array(&s->arena, room, struct batch);
    b->other = arena_array(&s->arena, room, struct batch);
    b->room = room;
    b->used = 0;
}

/* Keeps only those that some call still carries, in tables of `room`. */
static void tidy(struct simulation *s, struct batches *b, uint32_t room)
{
    struct batches old = *b;
    if (room != old.room) {
        make_tables(s, b, room);
    } else {
        b->slots = old.other;
        b->other = old.slots;
        b->used = 0;
        memset(b->slots, 0, room * sizeof *b->slots);
    }
    for (uint32_t i = 1; i < s->pool_used; i++) {
        const struct call *c = call_at(s, i);
        if (c->state == CALL_FREE || !(c->traits & REQUEST_BATCH))
            continue;
        struct batch *kept = find(&old, c->op_id);
        if (!kept->items)
            continue;
        *find(b, c->op_id) = *kept;
        kept->items = NULL;
        b->used++;
    }
    for (uint32_t i = 0; i < old.room; i++)
        if (old.slots[i].items)
            items_give(b, &old.slots[i]);
}

struct batch *batch_new(struct simulation *s, uint64_t op_id, uint32_t count)
{
    struct batches *b = s->batches;
    if (!b) {
        b = s->batches = arena_new(&s->arena, struct batches);
        make_tables(s, b, ROOM_FIRST);
    }
    if (2 * b->used >= b->room) {
        uint32_t full = b->used;
        tidy(s, b, b->room);
        if (2 * b->used >= full)
            tidy(s, b, 2 * b->room);
    }
    CHECK(op_id && count);
    struct batch *batch = find(b, op_id);
    CHECK(!batch->op_id);
    uint32_t class = class_of(count);
    *batch = (struct batch){op_id, count, UINT32_C(1) << class, items_take(s, b, class)};
    b->used++;
    return batch;
}

const struct batch *batch_of(const struct simulation *s, const struct call *c)
{
    if (!(c->traits & REQUEST_BATCH) || !s->batches)
        return NULL;
    const struct batch *batch = find(s->batches, c->op_id);
    return batch->items ? batch : NULL;
}

uint32_t batch_count(const struct simulation *s, const struct call *c)
{
    const struct batch *batch = batch_of(s, c);
    return batch ? batch->count : 1;
}

int64_t batch_more_ns(const struct simulation *s, const struct call *c,
                      const struct distribution *work)
{
    if (work->kind != DISTRIBUTION_BATCH)
        return 0;
    double more = work->shift.by * (double)(batch_count(s, c) - 1) + 0.5;
    return more < (double)DISTRIBUTION_NS_MAX ? (int64_t)more : DISTRIBUTION_NS_MAX;
}
