/* Least frequently used: one list for every number of reads, in their order (Ketan Shah et al.
 * 2010: all in constant time). What goes is forgotten with its reads. */
#include "models/cache_table.h"

#include <string.h>

/* Copies that were read as often. */
struct shelf {
    uint64_t reads;
    uint32_t newest, oldest;
    uint32_t fewer, more; /* shelves; 0: none */
};

struct shelves {
    struct shelf *items; /* [0] is none */
    uint32_t used, room, free_head, first;
};

static struct shelves *shelves_of(struct cache_table *t, struct cache_list *list)
{
    struct shelves *s = list->state;
    if (!s) {
        s = list->state = arena_new(t->arena, struct shelves);
        s->used = 1;
        s->room = 64;
        s->items = arena_array(t->arena, s->room, struct shelf);
    }
    return s;
}

/* A new shelf behind `fewer` (0: in front). */
static uint32_t shelf_new(struct cache_table *t, struct shelves *s, uint64_t reads, uint32_t fewer)
{
    uint32_t at = s->free_head;
    if (at) {
        s->free_head = s->items[at].more;
    } else {
        if (s->used == s->room) {
            struct shelf *more = arena_array(t->arena, 2 * s->room, struct shelf);
            memcpy(more, s->items, s->used * sizeof *more);
            s->items = more;
            s->room *= 2;
        }
        at = s->used++;
    }
    uint32_t behind = fewer ? s->items[fewer].more : s->first;
    s->items[at] = (struct shelf){.reads = reads, .fewer = fewer, .more = behind};
    *(fewer ? &s->items[fewer].more : &s->first) = at;
    if (behind)
        s->items[behind].fewer = at;
    return at;
}

static void put(struct cache_table *t, struct shelves *s, uint32_t slot, uint32_t at)
{
    struct cache_copy *c = &t->copies[slot];
    struct shelf *shelf = &s->items[at];
    c->reads = at;
    c->newer = 0;
    c->older = shelf->newest;
    *(shelf->newest ? &t->copies[shelf->newest].newer : &shelf->oldest) = slot;
    shelf->newest = slot;
}

/* Its shelf goes when it is empty. */
static void take(struct cache_table *t, struct shelves *s, uint32_t slot)
{
    const struct cache_copy *c = &t->copies[slot];
    uint32_t at = c->reads;
    struct shelf *shelf = &s->items[at];
    *(c->newer ? &t->copies[c->newer].older : &shelf->newest) = c->older;
    *(c->older ? &t->copies[c->older].newer : &shelf->oldest) = c->newer;
    if (shelf->newest)
        return;
    *(shelf->fewer ? &s->items[shelf->fewer].more : &s->first) = shelf->more;
    if (shelf->more)
        s->items[shelf->more].fewer = shelf->fewer;
    shelf->more = s->free_head;
    s->free_head = at;
}

static void add(struct cache_table *t, struct cache_list *list, uint32_t slot)
{
    struct shelves *s = shelves_of(t, list);
    bool there = s->first && s->items[s->first].reads == 1;
    put(t, s, slot, there ? s->first : shelf_new(t, s, 1, 0));
}

static void read(struct cache_table *t, struct cache_list *list, uint32_t slot)
{
    struct shelves *s = shelves_of(t, list);
    uint32_t at = t->copies[slot].reads, next = s->items[at].more;
    uint64_t reads = s->items[at].reads + 1;
    if (!next || s->items[next].reads != reads)
        next = shelf_new(t, s, reads, at);
    take(t, s, slot);
    put(t, s, slot, next);
}

static uint32_t victim(struct cache_table *t, struct cache_list *list)
{
    const struct shelves *s = shelves_of(t, list);
    return s->items[s->first].oldest;
}

static void gone(struct cache_table *t, struct cache_list *list, uint32_t slot)
{
    take(t, shelves_of(t, list), slot);
}

const struct eviction eviction_lfu = {
    .add = add, .read = read, .victim = victim, .remove = gone, .peeks = true};
