/* A consistent-hash ring (Karger et al., Consistent Hashing and Random Trees, STOC 1997): every
 * owner has points on a circle of 2^64, and a hash belongs to the owner of the first point at or
 * after it. An owner's points follow from its id alone, so owners that come and go take over or
 * hand back their own arcs and nobody else's.
 *
 *     struct ring all = ring_new(&arena, ids, weights, owners, 100);   sorted, once
 *     struct ring some = ring_room(&arena, &all);
 *     ring_keep(&some, &all, present);                                 whenever somebody moves
 *     uint32_t owner = some.points[ring_find(&some, hash)].owner;      O(log points)          */
#ifndef ORRERY_MODELS_PARTS_RING_H
#define ORRERY_MODELS_PARTS_RING_H

#include "engine/kernel/arena.h"

#include <stdbool.h>
#include <stdint.h>

enum { RING_OWNER_POINTS_MAX = 100000 };

struct ring_point {
    uint64_t at;
    uint32_t owner; /* from 0 */
};

/* Points in order of (at, owner). */
struct ring {
    struct ring_point *points;
    uint32_t count;
};

/* `vnodes` points for an owner of weight 1, in proportion for others (rounded, at least 1, at most
 * RING_OWNER_POINTS_MAX). `ids` are well mixed. */
struct ring ring_new(struct arena *arena, const uint64_t *ids, const double *weights,
                     uint32_t owners, uint64_t vnodes);

/* An empty ring with room for all points of another one. */
struct ring ring_room(struct arena *arena, const struct ring *all);

/* `ring` becomes that part of `all` whose owners are present[owner]. */
void ring_keep(struct ring *ring, const struct ring *all, const bool *present);

/* Index of the point a hash falls to. Requires count > 0. */
uint32_t ring_find(const struct ring *ring, uint64_t hash);

/* Coefficient of variation of the shares of n owners with v points each: the shares are
 * Beta(v, nv - v), so it is sqrt((n - 1) / (nv + 1)). */
double ring_variation(double owners, double vnodes);

#endif
