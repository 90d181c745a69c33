/* A binary heap whose calls know where they stand. */
#include "models/parts/ranking.h"

#include "models/parts/station.h"

#include <string.h>

static inline bool before(const struct ranked *a, const struct ranked *b)
{
    return a->key != b->key ? a->key < b->key : a->order < b->order;
}

static inline void put(struct ranking *r, uint32_t index, const struct ranked *entry)
{
    r->entries[index] = *entry;
    station_visit(entry->call)->place = index;
}

static void rise(struct ranking *r, uint32_t index, struct ranked entry)
{
    while (index) {
        uint32_t above = (index - 1) / 2;
        if (!before(&entry, &r->entries[above]))
            break;
        put(r, index, &r->entries[above]);
        index = above;
    }
    put(r, index, &entry);
}

static void sink(struct ranking *r, uint32_t index, struct ranked entry)
{
    for (;;) {
        uint32_t below = 2 * index + 1;
        if (below >= r->count)
            break;
        if (below + 1 < r->count && before(&r->entries[below + 1], &r->entries[below]))
            below++;
        if (!before(&r->entries[below], &entry))
            break;
        put(r, index, &r->entries[below]);
        index = below;
    }
    put(r, index, &entry);
}

static void make_room(struct ranking *r, struct arena *arena)
{
    if (LIKELY(r->count < r->room))
        return;
    uint32_t room = r->room ? 2 * r->room : 16;
    struct ranked *entries = arena_array(arena, room, struct ranked);
    if (r->count)
        memcpy(entries, r->entries, r->count * sizeof *entries);
    r->entries = entries;
    r->room = room;
}

void ranking_add(struct ranking *r, struct arena *arena, struct ranked entry)
{
    make_room(r, arena);
    rise(r, r->count++, entry);
}

void ranking_remove(struct ranking *r, uint32_t index)
{
    CHECK(index < r->count);
    struct ranked last = r->entries[--r->count];
    if (index == r->count)
        return;
    if (index && before(&last, &r->entries[(index - 1) / 2]))
        rise(r, index, last);
    else
        sink(r, index, last);
}

void ranking_append(struct ranking *r, struct arena *arena, struct call *call)
{
    make_room(r, arena);
    put(r, r->count++, &(struct ranked){.call = call});
}

void ranking_swap_out(struct ranking *r, uint32_t index)
{
    CHECK(index < r->count);
    r->count--;
    if (index < r->count)
        put(r, index, &r->entries[r->count]);
}
