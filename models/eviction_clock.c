/* The clock: first in, first out with a second chance (Corbato 1969). New copies begin without
 * their bit. */
#include "models/cache_table.h"

static void add(struct cache_table *t, struct cache_list *list, uint32_t slot)
{
    t->copies[slot].reads = 0;
    eviction_push(t, list, slot, 0);
}

static void read(struct cache_table *t, struct cache_list *list, uint32_t slot)
{
    (void)list;
    t->copies[slot].reads = 1;
}

static uint32_t victim(struct cache_table *t, struct cache_list *list)
{
    while (t->copies[list->segments[0].oldest].reads) {
        uint32_t slot = list->segments[0].oldest;
        t->copies[slot].reads = 0;
        eviction_move(t, list, slot, 0);
    }
    return list->segments[0].oldest;
}

const struct eviction eviction_clock = {
    .add = add, .read = read, .victim = victim, .remove = eviction_unlink, .peeks = true};
