#include "engine/kernel/phase.h"

#include <string.h>

/* The gaps of a set, up to the end of `within`, from `from` on. */
static struct window_set gaps(struct arena *arena, const struct window_set *set, int64_t from,
                              struct window within)
{
    struct window *parts = arena_array(arena, (size_t)set->count + 1, struct window);
    uint32_t count = 0;
    int64_t begin = from > within.begin ? from : within.begin;
    for (uint32_t i = 0; i <= set->count; i++) {
        int64_t end = i < set->count ? set->parts[i].begin : within.end;
        if (begin < end)
            parts[count++] = (struct window){begin, end};
        if (i < set->count && set->parts[i].end > begin)
            begin = set->parts[i].end;
    }
    return (struct window_set){parts, count};
}

static int64_t first_begin(const struct window *strikes, uint32_t count)
{
    int64_t first = INT64_MAX;
    for (uint32_t i = 0; i < count; i++)
        first = strikes[i].begin < first ? strikes[i].begin : first;
    return first;
}

/* The begin of the next strike after `begin`; INT64_MAX: none. */
static int64_t next_begin(const struct window *sorted, uint32_t count, uint32_t at)
{
    uint32_t next = at;
    while (next < count && sorted[next].begin == sorted[at].begin)
        next++;
    return next < count ? sorted[next].begin : INT64_MAX;
}

static struct window_set within(struct arena *arena, const struct phase *phase,
                                struct window *sorted, uint32_t count, struct window measured)
{
    struct window *windows = arena_array(arena, count, struct window);
    for (uint32_t i = 0; i < count; i++) {
        int64_t begin = sorted[i].begin;
        windows[i].begin =
            begin > INT64_MAX - phase->delay_ns ? INT64_MAX : begin + phase->delay_ns;
        windows[i].end = next_begin(sorted, count, i);
    }
    return window_set_union(arena, windows, count, measured);
}

struct window_set phase_windows(struct arena *arena, const struct phase *phase,
                                const struct window *strikes, uint32_t count,
                                struct window measured)
{
    struct window *copy = arena_array(arena, count, struct window);
    if (count)
        memcpy(copy, strikes, count * sizeof *copy);
    int64_t first = first_begin(strikes, count);
    struct window_set struck = window_set_union(arena, copy, count, measured); /* sorts the copy */
    switch (phase->kind) {
    case PHASE_DURING:
        return struck;
    case PHASE_UNTIL: {
        struct window *part = arena_new(arena, struct window);
        *part = (struct window){measured.begin, first < measured.end ? first : measured.end};
        return (struct window_set){part, part->begin < part->end};
    }
    case PHASE_AFTER:
        return first < measured.end ? gaps(arena, &struck, first, measured)
                                    : (struct window_set){0};
    case PHASE_WITHIN:
        break;
    }
    return within(arena, phase, copy, count, measured);
}
