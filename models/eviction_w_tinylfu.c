/* W-TinyLFU: Einziger, Friedman and Manes, ACM Transactions on Storage 2017. Newcomers stand in a
 * window, a hundredth of the room; who leaves it replaces the next victim of the main part, a
 * segmented LRU whose upper list has four fifths of it, only if it was asked for more often. */
#include "models/cache_table.h"

enum { WINDOW, LOWER, UPPER };

static struct sketch *sketch_of(struct cache_table *t, struct cache_list *list)
{
    if (!list->state) {
        list->state = arena_new(t->arena, struct sketch);
        sketch_init(list->state, t->arena, t->room ? t->room : 65536);
    }
    return list->state;
}

static void miss(struct cache_table *t, struct cache_list *list, uint64_t name)
{
    sketch_add(sketch_of(t, list), name);
}

/* While there is room the window's oldest move on unopposed. */
static void add(struct cache_table *t, struct cache_list *list, uint32_t slot)
{
    uint64_t window = eviction_share(t, list, 0.01);
    eviction_push(t, list, slot, WINDOW);
    while (list->segments[WINDOW].count > window)
        eviction_move(t, list, list->segments[WINDOW].oldest, LOWER);
}

static void read(struct cache_table *t, struct cache_list *list, uint32_t slot)
{
    uint64_t room = eviction_room(t, list), window = eviction_share(t, list, 0.01);
    uint64_t upper = room > window ? (room - window) * 4 / 5 : 0;
    sketch_add(sketch_of(t, list), t->copies[slot].name);
    eviction_move(t, list, slot, t->copies[slot].segment == WINDOW ? WINDOW : UPPER);
    while (list->segments[UPPER].count > upper)
        eviction_move(t, list, list->segments[UPPER].oldest, LOWER);
}

/* The newcomer that will follow needs a place in the window. */
static uint32_t victim(struct cache_table *t, struct cache_list *list)
{
    const struct sketch *k = sketch_of(t, list);
    uint32_t candidate = list->segments[WINDOW].oldest;
    uint32_t other =
        list->segments[LOWER].count ? list->segments[LOWER].oldest : list->segments[UPPER].oldest;
    if (!other)
        return candidate;
    if (!candidate || list->segments[WINDOW].count < eviction_share(t, list, 0.01))
        return other;
    if (sketch_count(k, t->copies[candidate].name) <= sketch_count(k, t->copies[other].name))
        return candidate;
    eviction_move(t, list, candidate, LOWER);
    return other;
}

const struct eviction eviction_w_tinylfu = {
    .miss = miss, .add = add, .read = read, .victim = victim, .remove = eviction_unlink};
