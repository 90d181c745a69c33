/* The table of a store's versions, and its collection by mark and sweep. */
#include "engine/kernel/version.h"

#include "engine/kernel/check.h"

#include <string.h>

enum { ROOM_FIRST = 256, FULL_FIRST = 4096 };

/* In `marks`. */
enum { MARK_FREE, MARK_LIVE, MARK_KEPT };

static void *grown(struct arena *arena, const void *old, uint64_t used, uint64_t room, size_t size)
{
    void *more = arena_take_array(arena, (size_t)room, size);
    if (used)
        memcpy(more, old, (size_t)used * size);
    return more;
}

static void grow(struct versions *versions)
{
    uint32_t room = 2 * versions->room, used = versions->items ? versions->room : 0;
    uint64_t width = versions->width;
    versions->items = grown(versions->arena, versions->items, used, room, sizeof *versions->items);
    versions->marks = grown(versions->arena, versions->marks, used, room, sizeof *versions->marks);
    if (width)
        versions->contexts = grown(versions->arena, versions->contexts, used * width, room * width,
                                   sizeof *versions->contexts);
    versions->room = room;
}

void versions_init(struct versions *versions, struct arena *arena, uint32_t width)
{
    *versions = (struct versions){
        .arena = arena, .width = width, .used = 1, .room = ROOM_FIRST / 2, .full = FULL_FIRST};
    grow(versions);
    versions->marks[0] = MARK_KEPT;
}

version_handle version_new(struct versions *versions, const struct version *version)
{
    version_handle handle = versions->free_head;
    if (handle) {
        versions->free_head = versions->items[handle].counter;
    } else {
        if (versions->used >= versions->room)
            grow(versions);
        handle = versions->used++;
    }
    versions->items[handle] = *version;
    versions->marks[handle] = MARK_LIVE;
    versions->live++;
    if (versions->width)
        memset(version_context(versions, handle), 0, versions->width * sizeof *versions->contexts);
    return handle;
}

bool version_before(const struct versions *versions, version_handle a, uint32_t member,
                    version_handle b)
{
    return !a || version_context(versions, b)[member] >= versions->items[a].counter;
}

void versions_collect_begin(struct versions *versions)
{
    for (uint32_t h = 1; h < versions->used; h++)
        if (versions->marks[h] == MARK_KEPT)
            versions->marks[h] = MARK_LIVE;
}

void version_keep(struct versions *versions, version_handle handle)
{
    CHECK(handle < versions->used || !handle);
    if (handle && versions->marks[handle] == MARK_LIVE)
        versions->marks[handle] = MARK_KEPT;
}

bool version_is_kept(const struct versions *versions, version_handle handle)
{
    return versions->marks[handle] == MARK_KEPT;
}

void versions_collect_end(struct versions *versions)
{
    for (uint32_t h = 1; h < versions->used; h++) {
        if (versions->marks[h] != MARK_LIVE)
            continue;
        versions->marks[h] = MARK_FREE;
        versions->items[h].counter = versions->free_head;
        versions->free_head = h;
        versions->live--;
    }
    versions->full = versions->live > FULL_FIRST / 2 ? 2 * versions->live : FULL_FIRST;
}
