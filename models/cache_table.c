/* Copies in an array; who goes next is the policy's affair. */
#include "models/cache_table.h"

#include "engine/kernel/check.h"
#include "engine/kernel/random.h"

#include <string.h>

uint64_t cache_table_name(uint64_t holder, uint64_t key)
{
    return holder ? random_mix(key ^ random_mix(holder)) : key;
}

void cache_table_init(struct cache_table *t, struct arena *arena, const struct eviction *policy,
                      uint64_t room, struct stream *stream)
{
    *t = (struct cache_table){.arena = arena,
                              .policy = policy,
                              .room = room,
                              .stream = stream,
                              .copies_used = 1,
                              .lists_used = 1,
                              .lists_room = 8};
    t->copies_room = 64;
    t->copies = arena_array(arena, t->copies_room, struct cache_copy);
    t->lists = arena_array(arena, t->lists_room, struct cache_list);
    registers_init(&t->index, arena);
    registers_init(&t->owners, arena);
    registers_init(&t->past, arena);
}

uint32_t cache_table_find(const struct cache_table *t, uint64_t holder, uint64_t key)
{
    return registers_get(&t->index, cache_table_name(holder, key));
}

static uint32_t list_of(struct cache_table *t, uint64_t holder)
{
    if (!holder)
        return 0;
    uint32_t known = registers_get(&t->owners, holder);
    if (known)
        return known;
    if (t->lists_used == t->lists_room) {
        struct cache_list *more = arena_array(t->arena, 2 * t->lists_room, struct cache_list);
        memcpy(more, t->lists, t->lists_used * sizeof *more);
        t->lists = more;
        t->lists_room *= 2;
    }
    registers_set(&t->owners, holder, t->lists_used);
    return t->lists_used++;
}

static struct cache_list *list_at(struct cache_table *t, uint32_t slot)
{
    return &t->lists[t->copies[slot].list];
}

struct cache_list *cache_table_list(struct cache_table *t, uint64_t holder)
{
    return &t->lists[list_of(t, holder)];
}

void cache_table_touch(struct cache_table *t, uint32_t slot)
{
    t->copies[slot].used = true;
    t->policy->read(t, list_at(t, slot), slot);
}

void cache_table_miss(struct cache_table *t, uint64_t holder, uint64_t key)
{
    if (t->policy->miss)
        t->policy->miss(t, cache_table_list(t, holder), cache_table_name(holder, key));
}

static uint32_t slot_take(struct cache_table *t)
{
    uint32_t slot = t->free_head;
    if (slot) {
        t->free_head = t->copies[slot].older;
        return slot;
    }
    if (t->copies_used == t->copies_room) {
        struct cache_copy *more = arena_array(t->arena, 2 * t->copies_room, struct cache_copy);
        memcpy(more, t->copies, t->copies_used * sizeof *more);
        t->copies = more;
        t->copies_room *= 2;
    }
    return t->copies_used++;
}

uint32_t cache_table_add(struct cache_table *t, uint64_t holder, uint64_t key)
{
    uint32_t slot = slot_take(t), list = list_of(t, holder);
    t->copies[slot] = (struct cache_copy){
        .name = cache_table_name(holder, key), .key = key, .list = list, .takes_part = true};
    registers_set(&t->index, t->copies[slot].name, slot);
    t->lists[list].count++;
    t->count++;
    t->policy->add(t, list_at(t, slot), slot);
    return slot;
}

void cache_table_resize(struct cache_table *t, uint32_t slot, uint32_t size)
{
    struct cache_copy *c = &t->copies[slot];
    t->lists[c->list].bytes += (uint64_t)size - c->size;
    c->size = size;
}

uint32_t cache_table_victim(struct cache_table *t, struct cache_list *list)
{
    return list->count ? t->policy->victim(t, list) : 0;
}

void cache_table_remove(struct cache_table *t, uint32_t slot, enum cache_end why)
{
    struct cache_copy *c = &t->copies[slot];
    CHECK(c->takes_part);
    if (c->dirty)
        cache_table_clean(t, slot);
    t->policy->remove(t, list_at(t, slot), slot);
    t->lists[c->list].count--;
    t->lists[c->list].bytes -= c->size;
    t->count--;
    registers_erase(&t->index, c->name);
    registers_set(&t->past, c->name, why);
    c->takes_part = false;
    c->older = t->free_head;
    t->free_head = slot;
}

enum cache_end cache_table_past(const struct cache_table *t, uint64_t holder, uint64_t key)
{
    return (enum cache_end)registers_get(&t->past, cache_table_name(holder, key));
}

void cache_table_soil(struct cache_table *t, uint32_t slot)
{
    struct cache_copy *c = &t->copies[slot];
    if (c->dirty)
        return;
    c->dirty = true;
    c->dirty_next = 0;
    c->dirty_prev = t->dirty_last;
    *(t->dirty_last ? &t->copies[t->dirty_last].dirty_next : &t->dirty_first) = slot;
    t->dirty_last = slot;
    t->dirty++;
}

void cache_table_clean(struct cache_table *t, uint32_t slot)
{
    struct cache_copy *c = &t->copies[slot];
    if (!c->dirty)
        return;
    c->dirty = false;
    *(c->dirty_prev ? &t->copies[c->dirty_prev].dirty_next : &t->dirty_first) = c->dirty_next;
    *(c->dirty_next ? &t->copies[c->dirty_next].dirty_prev : &t->dirty_last) = c->dirty_prev;
    t->dirty--;
}
