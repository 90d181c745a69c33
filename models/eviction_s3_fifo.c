/* S3-FIFO: Yang et al., SOSP 2023, algorithm 1: a small list for newcomers (a tenth of the room), a
 * main one, and the names of what left the small one (as many as the main list has room for). A
 * newcomer that was read twice goes on to the main list, where reads are second chances. */
#include "models/cache_table.h"

enum { SMALL, MAIN };
enum { READS_MOST = 3, READS_TO_GO_ON = 2 };

static struct ghosts *past_of(struct cache_table *t, struct cache_list *list)
{
    if (!list->state) {
        list->state = arena_new(t->arena, struct ghosts);
        ghosts_init(list->state, t->arena);
    }
    return list->state;
}

static void add(struct cache_table *t, struct cache_list *list, uint32_t slot)
{
    bool back = ghosts_forget(past_of(t, list), t->copies[slot].name);
    t->copies[slot].reads = 0;
    eviction_push(t, list, slot, back ? MAIN : SMALL);
}

static void read(struct cache_table *t, struct cache_list *list, uint32_t slot)
{
    (void)list;
    if (t->copies[slot].reads < READS_MOST)
        t->copies[slot].reads++;
}

static uint64_t main_room(const struct cache_table *t, const struct cache_list *list)
{
    uint64_t room = eviction_room(t, list), small = eviction_share(t, list, 0.1);
    return room > small ? room - small : 1;
}

/* Of the main list: who was read gets another round for each read. */
static uint32_t from_main(struct cache_table *t, struct cache_list *list)
{
    while (t->copies[list->segments[MAIN].oldest].reads) {
        uint32_t slot = list->segments[MAIN].oldest;
        t->copies[slot].reads--;
        eviction_move(t, list, slot, MAIN);
    }
    return list->segments[MAIN].oldest;
}

static uint32_t victim(struct cache_table *t, struct cache_list *list)
{
    struct ghosts *past = past_of(t, list);
    uint64_t room = main_room(t, list);
    for (;;) {
        uint32_t slot = list->segments[SMALL].oldest;
        if (!slot || list->segments[MAIN].count > room)
            return from_main(t, list);
        if (t->copies[slot].reads < READS_TO_GO_ON) {
            ghosts_note(past, t->copies[slot].name);
            if (past->count > room)
                ghosts_forget_oldest(past);
            return slot;
        }
        t->copies[slot].reads = 0;
        eviction_move(t, list, slot, MAIN);
    }
}

const struct eviction eviction_s3_fifo = {
    .add = add, .read = read, .victim = victim, .remove = eviction_unlink};
