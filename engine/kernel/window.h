/* Stretches of virtual time, and sets of them. */
#ifndef ORRERY_KERNEL_WINDOW_H
#define ORRERY_KERNEL_WINDOW_H

#include "engine/kernel/arena.h"

#include <stdbool.h>
#include <stdint.h>

struct window {
    int64_t begin, end; /* ns, half-open */
};

/* Parts that do not overlap nor touch, ascending, none of them empty. */
struct window_set {
    const struct window *parts;
    uint32_t count;
};

/* Which window an instant belongs to is asked for every event, so it is one compare. */
static inline bool window_holds(const struct window *w, int64_t at_ns)
{
    return (uint64_t)(at_ns - w->begin) < (uint64_t)(w->end - w->begin);
}

/* Whether some part holds the instant. O(log parts). */
bool window_set_holds(const struct window_set *set, int64_t at_ns);

/* The length of all parts, ns. */
int64_t window_set_length(const struct window_set *set);

/* How much of `w` lies in the set, ns. O(log parts + parts met). */
int64_t window_set_overlap(const struct window_set *set, struct window w);

/* The union of `count` windows in any order, drawn in to `within`; reorders `windows`. In `arena`.
 */
struct window_set window_set_union(struct arena *arena, struct window *windows, uint32_t count,
                                   struct window within);

#endif
