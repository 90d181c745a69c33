/* SIEVE: Zhang et al., NSDI 2024, algorithm 1. The hand goes from old to new and spares who was
 * read since it last came by. */
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
    uint32_t at = list->hand ? list->hand : list->segments[0].oldest;
    while (t->copies[at].reads) {
        t->copies[at].reads = 0;
        at = t->copies[at].newer ? t->copies[at].newer : list->segments[0].oldest;
    }
    list->hand = at;
    return at;
}

/* The hand goes on to the next newer one. */
static void gone(struct cache_table *t, struct cache_list *list, uint32_t slot)
{
    if (list->hand == slot)
        list->hand = t->copies[slot].newer;
    eviction_unlink(t, list, slot);
}

const struct eviction eviction_sieve = {
    .add = add, .read = read, .victim = victim, .remove = gone, .peeks = true};
