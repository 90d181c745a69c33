/* What policies have in common: lists, ghosts, a sketch of counts. */
#include "models/eviction.h"

#include "engine/kernel/random.h"
#include "models/cache_table.h"

#include <string.h>

#define EVICTION_POLICY(name, summary) [EVICTION_##name] = &eviction_##name,
const struct eviction *const eviction_policies[EVICTION_COUNT] = {EVICTIONS(EVICTION_POLICY)};
#undef EVICTION_POLICY

uint64_t eviction_room(const struct cache_table *t, const struct cache_list *list)
{
    uint64_t room = t->room ? t->room : list->count;
    return room ? room : 1;
}

uint64_t eviction_share(const struct cache_table *t, const struct cache_list *list, double share)
{
    uint64_t part = (uint64_t)(share * (double)eviction_room(t, list));
    return part ? part : 1;
}

void eviction_push(struct cache_table *t, struct cache_list *list, uint32_t slot, uint8_t segment)
{
    struct cache_copy *c = &t->copies[slot];
    struct cache_segment *s = &list->segments[segment];
    c->segment = segment;
    c->newer = 0;
    c->older = s->newest;
    *(s->newest ? &t->copies[s->newest].newer : &s->oldest) = slot;
    s->newest = slot;
    s->count++;
}

void eviction_unlink(struct cache_table *t, struct cache_list *list, uint32_t slot)
{
    struct cache_copy *c = &t->copies[slot];
    struct cache_segment *s = &list->segments[c->segment];
    *(c->newer ? &t->copies[c->newer].older : &s->newest) = c->older;
    *(c->older ? &t->copies[c->older].newer : &s->oldest) = c->newer;
    s->count--;
}

/* ---- ghosts ---- */

enum { ROOM_FIRST = 64 };

void ghosts_init(struct ghosts *g, struct arena *arena)
{
    *g = (struct ghosts){.arena = arena};
    registers_init(&g->at, arena);
}

static void drop_forgotten(struct ghosts *g)
{
    while (g->used && registers_get(&g->at, g->items[g->first].name) != g->items[g->first].number) {
        g->first = (g->first + 1) & (g->room - 1);
        g->used--;
    }
}

void ghosts_note(struct ghosts *g, uint64_t name)
{
    if (g->used == g->room)
        drop_forgotten(g);
    if (g->used == g->room) {
        uint32_t room = g->room ? 2 * g->room : ROOM_FIRST;
        struct ghost *items = arena_array(g->arena, room, struct ghost);
        for (uint32_t i = 0; i < g->used; i++)
            items[i] = g->items[(g->first + i) & (g->room - 1)];
        g->items = items;
        g->first = 0;
        g->room = room;
    }
    if (!++g->numbers)
        g->numbers = 1;
    g->count += !registers_get(&g->at, name);
    registers_set(&g->at, name, g->numbers);
    g->items[(g->first + g->used++) & (g->room - 1)] = (struct ghost){name, g->numbers};
}

bool ghosts_forget(struct ghosts *g, uint64_t name)
{
    if (!registers_get(&g->at, name))
        return false;
    registers_erase(&g->at, name);
    g->count--;
    return true;
}

void ghosts_forget_oldest(struct ghosts *g)
{
    drop_forgotten(g);
    if (g->used)
        ghosts_forget(g, g->items[g->first].name);
}

/* ---- the sketch ---- */

enum { ROWS = 4, COUNT_MOST = 15 };

void sketch_init(struct sketch *k, struct arena *arena, uint64_t copies)
{
    uint32_t room = 16;
    while (room < 8 * copies && room < UINT32_C(1) << 26)
        room *= 2;
    *k = (struct sketch){.room = room, .window = 12 * (copies ? copies : 1)};
    k->counters = arena_array(arena, (size_t)ROWS * room, uint8_t);
}

static uint8_t *counter_of(const struct sketch *k, uint64_t name, uint32_t row)
{
    uint64_t hash = random_mix(name ^ random_mix(row + 1));
    return &k->counters[(size_t)row * k->room + (hash & (k->room - 1))];
}

uint32_t sketch_count(const struct sketch *k, uint64_t name)
{
    uint32_t least = COUNT_MOST;
    for (uint32_t row = 0; row < ROWS; row++) {
        uint32_t count = *counter_of(k, name, row);
        least = count < least ? count : least;
    }
    return least;
}

/* Only the least of its counters grow (conservative update). */
void sketch_add(struct sketch *k, uint64_t name)
{
    uint32_t least = sketch_count(k, name);
    for (uint32_t row = 0; row < ROWS && least < COUNT_MOST; row++) {
        uint8_t *counter = counter_of(k, name, row);
        *counter = (uint8_t)(*counter + (*counter == least));
    }
    if (++k->added < k->window)
        return;
    for (size_t i = 0; i < (size_t)ROWS * k->room; i++)
        k->counters[i] /= 2;
    k->added /= 2;
}
