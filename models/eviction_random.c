/* Any of them: an array without holes. */
#include "models/cache_table.h"

#include <string.h>

struct array {
    uint32_t *slots;
    uint32_t count, room;
};

static struct array *array_of(struct cache_table *t, struct cache_list *list)
{
    if (!list->state)
        list->state = arena_new(t->arena, struct array);
    return list->state;
}

static void add(struct cache_table *t, struct cache_list *list, uint32_t slot)
{
    struct array *a = array_of(t, list);
    if (a->count == a->room) {
        uint32_t room = a->room ? 2 * a->room : 64;
        uint32_t *more = arena_array(t->arena, room, uint32_t);
        if (a->count)
            memcpy(more, a->slots, a->count * sizeof *more);
        a->slots = more;
        a->room = room;
    }
    t->copies[slot].reads = a->count; /* where it stands */
    a->slots[a->count++] = slot;
}

static void read(struct cache_table *t, struct cache_list *list, uint32_t slot)
{
    (void)t, (void)list, (void)slot;
}

static uint32_t victim(struct cache_table *t, struct cache_list *list)
{
    const struct array *a = array_of(t, list);
    return a->slots[stream_below(t->stream, a->count)];
}

static void gone(struct cache_table *t, struct cache_list *list, uint32_t slot)
{
    struct array *a = array_of(t, list);
    uint32_t last = a->slots[--a->count];
    a->slots[t->copies[slot].reads] = last;
    t->copies[last].reads = t->copies[slot].reads;
}

const struct eviction eviction_random = {
    .add = add, .read = read, .victim = victim, .remove = gone, .peeks = true};
