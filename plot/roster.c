#include "plot/roster.h"

#include <string.h>

/* FNV-1a, 64 bits (Fowler, Noll and Vo; RFC 9923): short, and good enough for names. */
static uint64_t hash(const char *name)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * 0x100000001b3u;
    return h;
}

/* The slot that holds the name, or the free one where it belongs. */
static size_t slot_of(const struct roster *roster, const char *name)
{
    size_t mask = roster->slot_count - 1;
    size_t slot = (size_t)hash(name) & mask;
    while (roster->slots[slot] && strcmp(roster->names[roster->slots[slot] - 1], name) != 0)
        slot = (slot + 1) & mask;
    return slot;
}

static void grow(struct roster *roster)
{
    size_t capacity = roster->capacity ? roster->capacity * 2 : 32;
    const char **names = arena_array(roster->arena, capacity, const char *);
    if (roster->count)
        memcpy(names, roster->names, roster->count * sizeof *names);
    roster->names = names;
    roster->capacity = capacity;
    roster->slot_count = capacity * 2;
    roster->slots = arena_array(roster->arena, roster->slot_count, uint32_t);
    for (size_t i = 0; i < roster->count; i++)
        roster->slots[slot_of(roster, names[i])] = (uint32_t)(i + 1);
}

size_t roster_find(const struct roster *roster, const char *name)
{
    if (!roster->count)
        return ROSTER_UNKNOWN;
    uint32_t entry = roster->slots[slot_of(roster, name)];
    return entry ? entry - 1 : ROSTER_UNKNOWN;
}

size_t roster_add(struct roster *roster, const char *name)
{
    size_t found = roster_find(roster, name);
    if (found != ROSTER_UNKNOWN)
        return found;
    if (roster->count == roster->capacity)
        grow(roster);
    roster->names[roster->count] = arena_text(roster->arena, name, strlen(name));
    roster->slots[slot_of(roster, name)] = (uint32_t)(roster->count + 1);
    return roster->count++;
}
