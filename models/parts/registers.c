#include "models/parts/registers.h"

#include "engine/kernel/random.h"

#include <string.h>

enum { ROOM_FIRST = 64 };

void registers_init(struct registers *registers, struct arena *arena)
{
    *registers = (struct registers){.arena = arena};
}

static uint32_t home(const struct registers *r, uint64_t key)
{
    return (uint32_t)random_mix(key) & (r->room - 1);
}

/* The slot of a key, or the empty one where it would stand. */
static uint32_t find(const struct registers *r, uint64_t key)
{
    uint32_t at = home(r, key);
    while (r->slots[at].version && r->slots[at].key != key)
        at = (at + 1) & (r->room - 1);
    return at;
}

version_handle registers_get(const struct registers *r, uint64_t key)
{
    return r->room ? r->slots[find(r, key)].version : 0;
}

static void grow(struct registers *r)
{
    const struct register_slot *old = r->slots;
    uint32_t room = r->room;
    r->room = room ? 2 * room : ROOM_FIRST;
    r->slots = arena_array(r->arena, r->room, struct register_slot);
    for (uint32_t i = 0; i < room; i++)
        if (old[i].version)
            r->slots[find(r, old[i].key)] = old[i];
}

void registers_set(struct registers *r, uint64_t key, version_handle version)
{
    if (2 * r->used >= r->room)
        grow(r);
    struct register_slot *slot = &r->slots[find(r, key)];
    r->used += !slot->version;
    *slot = (struct register_slot){key, version};
}

/* Whoever stands behind an erased slot and could not be found any more moves into it. */
void registers_erase(struct registers *r, uint64_t key)
{
    uint32_t hole = r->room ? find(r, key) : 0;
    if (!r->room || !r->slots[hole].version)
        return;
    r->used--;
    uint32_t mask = r->room - 1;
    for (uint32_t at = (hole + 1) & mask; r->slots[at].version; at = (at + 1) & mask)
        if (((at - home(r, r->slots[at].key)) & mask) >= ((at - hole) & mask)) {
            r->slots[hole] = r->slots[at];
            hole = at;
        }
    r->slots[hole].version = 0;
}

void registers_clear(struct registers *r)
{
    if (r->room)
        memset(r->slots, 0, r->room * sizeof *r->slots);
    r->used = 0;
}

void registers_keep(const struct registers *r, struct versions *versions)
{
    for (uint32_t i = 0; i < r->room; i++)
        version_keep(versions, r->slots[i].version);
}
