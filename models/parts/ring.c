#include "models/parts/ring.h"

#include "engine/kernel/arithmetic.h"
#include "engine/kernel/random.h"

#include <stdlib.h>

static uint32_t points_of(double weight, uint64_t vnodes)
{
    double points = weight * (double)vnodes + 0.5;
    if (points < 1)
        return 1;
    return points < RING_OWNER_POINTS_MAX ? (uint32_t)points : RING_OWNER_POINTS_MAX;
}

static int by_place(const void *left, const void *right)
{
    const struct ring_point *a = left, *b = right;
    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    return (a->owner > b->owner) - (a->owner < b->owner);
}

struct ring ring_new(struct arena *arena, const uint64_t *ids, const double *weights,
                     uint32_t owners, uint64_t vnodes)
{
    struct ring ring = {0};
    uint64_t room = 0;
    for (uint32_t i = 0; i < owners; i++)
        room += points_of(weights[i], vnodes);
    CHECK(room < UINT32_MAX);
    ring.points = arena_array(arena, room, struct ring_point);
    for (uint32_t i = 0; i < owners; i++)
        for (uint64_t k = 0, n = points_of(weights[i], vnodes); k < n; k++)
            ring.points[ring.count++] =
                (struct ring_point){random_mix(random_mix(ids[i]) + k * RANDOM_GOLDEN), i};
    if (ring.count)
        qsort(ring.points, ring.count, sizeof *ring.points, by_place);
    return ring;
}

struct ring ring_room(struct arena *arena, const struct ring *all)
{
    return (struct ring){arena_array(arena, all->count, struct ring_point), 0};
}

void ring_keep(struct ring *ring, const struct ring *all, const bool *present)
{
    ring->count = 0;
    for (uint32_t i = 0; i < all->count; i++)
        if (present[all->points[i].owner])
            ring->points[ring->count++] = all->points[i];
}

uint32_t ring_find(const struct ring *ring, uint64_t hash)
{
    uint32_t low = 0, high = ring->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (ring->points[middle].at < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low < ring->count ? low : 0;
}

double ring_variation(double owners, double vnodes)
{
    return arithmetic_sqrt((owners - 1) / (owners * vnodes + 1));
}
