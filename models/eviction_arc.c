/* ARC: Megiddo and Modha, FAST 2003, figure 4. T1 (read once) and T2 (read again) hold copies, B1
 * and B2 the names of what they let go; p is the room that T1 is to have. */
#include "models/cache_table.h"

enum { ONCE, AGAIN };

struct arc {
    struct ghosts once, again;
    double p;
    enum { NEW, FROM_ONCE, FROM_AGAIN } comes; /* the name for which there will be a copy */
};

static struct arc *arc_of(struct cache_table *t, struct cache_list *list)
{
    struct arc *a = list->state;
    if (!a) {
        a = list->state = arena_new(t->arena, struct arc);
        ghosts_init(&a->once, t->arena);
        ghosts_init(&a->again, t->arena);
    }
    return a;
}

static double at_least_one(uint32_t above, uint32_t below)
{
    return above > below ? (double)above / below : 1;
}

static void miss(struct cache_table *t, struct cache_list *list, uint64_t name)
{
    struct arc *a = arc_of(t, list);
    double room = (double)eviction_room(t, list);
    uint32_t once = a->once.count, again = a->again.count;
    a->comes = NEW;
    if (ghosts_forget(&a->once, name)) {
        a->comes = FROM_ONCE;
        a->p += at_least_one(again, once);
        a->p = a->p < room ? a->p : room;
    } else if (ghosts_forget(&a->again, name)) {
        a->comes = FROM_AGAIN;
        a->p -= at_least_one(once, again);
        a->p = a->p > 0 ? a->p : 0;
    }
}

static void add(struct cache_table *t, struct cache_list *list, uint32_t slot)
{
    struct arc *a = arc_of(t, list);
    eviction_push(t, list, slot, a->comes == NEW ? ONCE : AGAIN);
    a->comes = NEW;
}

static void read(struct cache_table *t, struct cache_list *list, uint32_t slot)
{
    eviction_move(t, list, slot, AGAIN);
}

static uint32_t replace(struct cache_table *t, struct cache_list *list, struct arc *a)
{
    const struct cache_segment *once = &list->segments[ONCE], *again = &list->segments[AGAIN];
    double count = (double)once->count;
    bool first = count > a->p || (a->comes == FROM_AGAIN && !(count < a->p));
    if (once->count && (first || !again->count)) {
        ghosts_note(&a->once, t->copies[once->oldest].name);
        return once->oldest;
    }
    ghosts_note(&a->again, t->copies[again->oldest].name);
    return again->oldest;
}

static uint32_t victim(struct cache_table *t, struct cache_list *list)
{
    struct arc *a = arc_of(t, list);
    uint64_t room = eviction_room(t, list), once = list->segments[ONCE].count;
    if (a->comes != NEW)
        return replace(t, list, a);
    if (once + a->once.count >= room) {
        if (once >= room)
            return list->segments[ONCE].oldest;
        ghosts_forget_oldest(&a->once);
    } else if (list->count + a->once.count + a->again.count >= 2 * room) {
        ghosts_forget_oldest(&a->again);
    }
    return replace(t, list, a);
}

const struct eviction eviction_arc = {
    .miss = miss, .add = add, .read = read, .victim = victim, .remove = eviction_unlink};
