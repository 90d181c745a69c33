#include "models/parts/recall.h"

enum { ROOM_FIRST = 64 };

void recall_init(struct recall *r, struct arena *arena, int64_t window_ns)
{
    *r = (struct recall){.arena = arena, .window_ns = window_ns};
    registers_init(&r->names, arena);
}

static void forget(struct recall *r, int64_t now_ns)
{
    while (r->count && r->items[r->first].at_ns <= now_ns - r->window_ns) {
        const struct recall_item *item = &r->items[r->first];
        if (registers_get(&r->names, item->name) == item->number)
            registers_erase(&r->names, item->name);
        r->first = (r->first + 1) & (r->room - 1);
        r->count--;
    }
}

bool recall_knows(struct recall *r, uint64_t name, int64_t now_ns)
{
    forget(r, now_ns);
    return registers_get(&r->names, name) != 0;
}

static void grow(struct recall *r)
{
    uint32_t room = r->room ? 2 * r->room : ROOM_FIRST;
    struct recall_item *items = arena_array(r->arena, room, struct recall_item);
    for (uint32_t i = 0; i < r->count; i++)
        items[i] = r->items[(r->first + i) & (r->room - 1)];
    r->items = items;
    r->first = 0;
    r->room = room;
}

void recall_note(struct recall *r, uint64_t name, int64_t now_ns)
{
    if (r->count == r->room)
        grow(r);
    if (!++r->notes)
        r->notes = 1;
    r->items[(r->first + r->count++) & (r->room - 1)] =
        (struct recall_item){name, now_ns, r->notes};
    registers_set(&r->names, name, r->notes);
}

void recall_forget(struct recall *r, uint64_t name)
{
    registers_erase(&r->names, name);
}
