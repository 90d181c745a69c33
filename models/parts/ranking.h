/* A ranking: a binary heap of calls, least (key, order) first, from which any call can be taken.
 *
 * Invariant: entry i is not after entries 2i+1 and 2i+2, and the visit of its call says where it
 * stands (struct station_visit `place` = i), so taking one out from the middle is O(log n) too.
 * `order` is unique within a ranking, so the order is total and never depends on the heap's shape.
 *
 * Memory comes from the arena of the place, by doubling: a crash resets the arena, and whoever owns
 * the ranking zeroes it then. */
#ifndef ORRERY_MODELS_PARTS_RANKING_H
#define ORRERY_MODELS_PARTS_RANKING_H

#include "engine/kernel/arena.h"

#include <stdint.h>

typedef __int128 ranking_key; /* wide enough for an attained service with its fraction */

struct ranked {
    ranking_key key;
    uint64_t order;
    struct call *call;
};

struct ranking {
    struct ranked *entries;
    uint32_t count, room;
};

void ranking_add(struct ranking *r, struct arena *arena, struct ranked entry);

/* Takes out the entry at `index` < count. */
void ranking_remove(struct ranking *r, uint32_t index);

/* The same entries without any order, for picks at random: appends, and takes out by putting the
 * last entry in the place of the one taken. One ranking is used in one way only. */
void ranking_append(struct ranking *r, struct arena *arena, struct call *call);
void ranking_swap_out(struct ranking *r, uint32_t index);

/* The first entry: the least. Requires count > 0. */
static inline const struct ranked *ranking_first(const struct ranking *r)
{
    return r->entries;
}

#endif
