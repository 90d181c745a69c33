#include "models/queue_ledger.h"

#include "engine/kernel/batch.h"

#include <string.h>

enum { ROOM_FIRST = 256, LOOK_AFTER = 1024 };

void ledger_init(struct ledger *l, struct simulation *s,
                 void (*end)(void *context, const struct ledger_entry *entry), void *context)
{
    *l = (struct ledger){.simulation = s, .used = 1, .end = end, .context = context};
    registers_init(&l->index, &s->arena);
}

uint32_t ledger_find(const struct ledger *l, uint64_t op_id)
{
    return registers_get(&l->index, op_id);
}

static void end_entry(struct ledger *l, uint32_t index)
{
    struct ledger_entry *e = &l->entries[index];
    l->end(l->context, e);
    registers_erase(&l->index, e->op_id);
    *e = (struct ledger_entry){.next = l->free_head};
    l->free_head = index;
    l->live--;
}

static void mark(const struct ledger *l, uint64_t op_id)
{
    uint32_t index = ledger_find(l, op_id);
    if (index)
        l->entries[index].marked = true;
}

/* Marks what some call carries. */
static void mark_all(const struct ledger *l)
{
    const struct simulation *s = l->simulation;
    for (uint32_t i = 1; i < s->pool_used; i++) {
        const struct call *c = call_at(s, i);
        if (c->state == CALL_FREE)
            continue;
        const struct batch *batch = batch_of(s, c);
        for (uint32_t k = 0; batch && k < batch->count; k++)
            mark(l, batch->items[k].op_id);
        if (!batch)
            mark(l, c->op_id);
    }
}

/* Ends the entries of which nothing is stored and which no call carries. */
static void look(struct ledger *l)
{
    mark_all(l);
    for (uint32_t i = 1; i < l->used; i++) {
        struct ledger_entry *e = &l->entries[i];
        if (e->op_id && !e->messages && !e->marked)
            end_entry(l, i);
        else
            e->marked = false;
    }
}

static void grow(struct ledger *l)
{
    uint32_t room = l->room ? 2 * l->room : ROOM_FIRST;
    struct ledger_entry *more = arena_array(&l->simulation->arena, room, struct ledger_entry);
    if (l->room)
        memcpy(more, l->entries, l->room * sizeof *more);
    l->entries = more;
    l->room = room;
}

uint32_t ledger_make(struct ledger *l, uint64_t op_id)
{
    uint32_t index = ledger_find(l, op_id);
    if (index)
        return index;
    if (l->over > LOOK_AFTER && l->over > l->live / 2 && l->over > l->simulation->live) {
        look(l);
        l->over = 0;
    }
    if (!l->free_head && l->used >= l->room)
        grow(l);
    index = l->free_head ? l->free_head : l->used++;
    if (l->free_head)
        l->free_head = l->entries[index].next;
    l->entries[index] = (struct ledger_entry){.op_id = op_id};
    l->live++;
    registers_set(&l->index, op_id, index);
    return index;
}

void ledger_hold(struct ledger *l, uint32_t index)
{
    l->entries[index].messages++;
}

void ledger_release(struct ledger *l, uint32_t index)
{
    CHECK(l->entries[index].messages);
    if (!--l->entries[index].messages)
        l->over++;
}

void ledger_finish(struct ledger *l)
{
    mark_all(l);
    for (uint32_t i = 1; i < l->used; i++)
        if (l->entries[i].op_id) {
            if (l->entries[i].marked)
                l->entries[i].held = UINT64_MAX;
            end_entry(l, i);
        }
}
