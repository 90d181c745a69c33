/* Least recently used. */
#include "models/cache_table.h"

static void add(struct cache_table *t, struct cache_list *list, uint32_t slot)
{
    eviction_push(t, list, slot, 0);
}

static void read(struct cache_table *t, struct cache_list *list, uint32_t slot)
{
    eviction_move(t, list, slot, 0);
}

static uint32_t victim(struct cache_table *t, struct cache_list *list)
{
    (void)t;
    return list->segments[0].oldest;
}

const struct eviction eviction_lru = {
    .add = add, .read = read, .victim = victim, .remove = eviction_unlink, .peeks = true};
