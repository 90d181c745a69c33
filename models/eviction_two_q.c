/* 2Q: Johnson and Shasha, VLDB 1994, the full version: newcomers A1in, a quarter of the room; what
 * left it, A1out, names of half the room; and Am, by its last read. */
#include "models/cache_table.h"

enum { IN, MAIN };

static struct ghosts *out_of(struct cache_table *t, struct cache_list *list)
{
    if (!list->state) {
        list->state = arena_new(t->arena, struct ghosts);
        ghosts_init(list->state, t->arena);
    }
    return list->state;
}

static void add(struct cache_table *t, struct cache_list *list, uint32_t slot)
{
    eviction_push(t, list, slot, ghosts_forget(out_of(t, list), t->copies[slot].name) ? MAIN : IN);
}

static void read(struct cache_table *t, struct cache_list *list, uint32_t slot)
{
    if (t->copies[slot].segment == MAIN)
        eviction_move(t, list, slot, MAIN);
}

static uint32_t victim(struct cache_table *t, struct cache_list *list)
{
    const struct cache_segment *in = &list->segments[IN];
    if (list->segments[MAIN].count && in->count <= eviction_share(t, list, 0.25))
        return list->segments[MAIN].oldest;
    struct ghosts *out = out_of(t, list);
    ghosts_note(out, t->copies[in->oldest].name);
    if (out->count > eviction_share(t, list, 0.5))
        ghosts_forget_oldest(out);
    return in->oldest;
}

const struct eviction eviction_two_q = {
    .add = add, .read = read, .victim = victim, .remove = eviction_unlink};
