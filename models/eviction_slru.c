/* Segmented LRU with four lists of equal size: Karedla et al. 1994; Huang et al. 2013 (S4LRU). */
#include "models/cache_table.h"

enum { SEGMENTS = 4 };

/* What is too much in a list falls into the one below. */
static void settle(struct cache_table *t, struct cache_list *list)
{
    uint64_t most = eviction_share(t, list, 1.0 / SEGMENTS);
    for (uint8_t s = SEGMENTS - 1; s > 0; s--)
        while (list->segments[s].count > most)
            eviction_move(t, list, list->segments[s].oldest, (uint8_t)(s - 1));
}

static void add(struct cache_table *t, struct cache_list *list, uint32_t slot)
{
    eviction_push(t, list, slot, 0);
}

static void read(struct cache_table *t, struct cache_list *list, uint32_t slot)
{
    uint8_t segment = t->copies[slot].segment;
    eviction_move(t, list, slot, segment < SEGMENTS - 1 ? (uint8_t)(segment + 1) : segment);
    settle(t, list);
}

static uint32_t victim(struct cache_table *t, struct cache_list *list)
{
    uint8_t s = 0;
    (void)t;
    while (!list->segments[s].count)
        s++;
    return list->segments[s].oldest;
}

const struct eviction eviction_slru = {
    .add = add, .read = read, .victim = victim, .remove = eviction_unlink, .peeks = true};
