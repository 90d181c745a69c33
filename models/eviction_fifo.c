/* First in, first out. */
#include "models/cache_table.h"

static void add(struct cache_table *t, struct cache_list *list, uint32_t slot)
{
    eviction_push(t, list, slot, 0);
}

static void read(struct cache_table *t, struct cache_list *list, uint32_t slot)
{
    (void)t, (void)list, (void)slot;
}

static uint32_t victim(struct cache_table *t, struct cache_list *list)
{
    (void)t;
    return list->segments[0].oldest;
}

const struct eviction eviction_fifo = {
    .add = add, .read = read, .victim = victim, .remove = eviction_unlink, .peeks = true};
