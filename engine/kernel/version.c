/* The table of a store's versions, and its collection by mark and sweep. */
#include "engine/kernel/version.h"

#include "engine/kernel/check.h"

#include <stdlib.h>
#include <string.h>

enum { FULL_FIRST = 4096 };

/* In `marks`. */
enum { MARK_FREE, MARK_LIVE, MARK_KEPT };

void versions_init(struct versions *versions, uint32_t width)
{
    *versions = (struct versions){.width = width, .used = 1, .full = FULL_FIRST};
}

void versions_free(struct versions *versions)
{
    free(versions->items);
    free(versions->contexts);
    free(versions->marks);
    *versions = (struct versions){0};
}

static void *grown(void *old, uint64_t items, size_t size)
{
    void *grown = realloc(old, (size_t)items * size);
    if (!grown)
        check_machine("out of memory");
    return grown;
}

static void grow(struct versions *versions)
{
    uint32_t room = versions->room ? 2 * versions->room : 256;
    versions->items = grown(versions->items, room, sizeof *versions->items);
    versions->marks = grown(versions->marks, room, sizeof *versions->marks);
    if (versions->width)
        versions->contexts =
            grown(versions->contexts, (uint64_t)room * versions->width, sizeof *versions->contexts);
    if (!versions->room) {
        versions->items[0] = (struct version){0};
        versions->marks[0] = MARK_LIVE;
        if (versions->width)
            memset(versions->contexts, 0, versions->width * sizeof *versions->contexts);
    }
    versions->room = room;
}

version_handle version_new(struct versions *versions, const struct version *version)
{
    version_handle handle = versions->free_head;
    CHECK(versions->full);
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
