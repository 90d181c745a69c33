#include "engine/kernel/window.h"

#include <stdlib.h>

/* The first part that ends after `at_ns`. */
static uint32_t first_after(const struct window_set *set, int64_t at_ns)
{
    uint32_t low = 0, high = set->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (set->parts[middle].end > at_ns)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

bool window_set_holds(const struct window_set *set, int64_t at_ns)
{
    uint32_t i = first_after(set, at_ns);
    return i < set->count && set->parts[i].begin <= at_ns;
}

int64_t window_set_length(const struct window_set *set)
{
    int64_t length = 0;
    for (uint32_t i = 0; i < set->count; i++)
        length += set->parts[i].end - set->parts[i].begin;
    return length;
}

int64_t window_set_overlap(const struct window_set *set, struct window w)
{
    int64_t overlap = 0;
    for (uint32_t i = first_after(set, w.begin); i < set->count; i++) {
        const struct window *part = &set->parts[i];
        int64_t begin = part->begin > w.begin ? part->begin : w.begin;
        int64_t end = part->end < w.end ? part->end : w.end;
        if (end <= begin)
            break;
        overlap += end - begin;
    }
    return overlap;
}

static int by_begin(const void *left, const void *right)
{
    const struct window *a = left, *b = right;
    return (a->begin > b->begin) - (a->begin < b->begin);
}

struct window_set window_set_union(struct arena *arena, struct window *windows, uint32_t count,
                                   struct window within)
{
    struct window *parts = arena_array(arena, count, struct window);
    uint32_t kept = 0;
    if (count)
        qsort(windows, count, sizeof *windows, by_begin);
    for (uint32_t i = 0; i < count; i++) {
        struct window w = windows[i];
        w.begin = w.begin > within.begin ? w.begin : within.begin;
        w.end = w.end < within.end ? w.end : within.end;
        if (w.end <= w.begin)
            continue;
        if (!kept || parts[kept - 1].end < w.begin)
            parts[kept++] = w;
        else if (parts[kept - 1].end < w.end)
            parts[kept - 1].end = w.end;
    }
    return (struct window_set){parts, kept};
}
