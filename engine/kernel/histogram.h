/* Histograms of non-negative integers: exact for the first values, then log-linear.
 *
 * Values: the first HISTOGRAM_EXACT observations are kept as they are; the next one converts all of
 * them to buckets of 128 to an octave (0.4 % wide), each with its count and sum, so that a bucket's
 * mean is exact and a single repeated value prints exactly. Levels: time spent at each whole
 * number, exact below 128, then buckets of 128 to an octave. Merging adds integers, so the result
 * does not depend on the order in which parts are merged. */
#ifndef ORRERY_KERNEL_HISTOGRAM_H
#define ORRERY_KERNEL_HISTOGRAM_H

#include "engine/kernel/check.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    HISTOGRAM_EXACT = 8192,
    HISTOGRAM_SUB_BITS = 7,
    HISTOGRAM_SUB = 1 << HISTOGRAM_SUB_BITS,
    HISTOGRAM_OCTAVES = 64 - HISTOGRAM_SUB_BITS, /* octave 0 is linear: values 0 .. 127 */
};

struct histogram_bucket {
    uint64_t count; /* observations, or nanoseconds for a level */
    uint64_t sum;   /* of value x weight, modulo 2^64; in octave 0 it may be missing */
};

struct histogram {
    uint64_t count;      /* observations, or total weight */
    int64_t *exact;      /* the values themselves while count <= limit; NULL afterwards */
    uint32_t exact_room; /* allocated items of `exact`; grows by doubling */
    bool sorted;         /* `exact` is in ascending order */
    uint32_t limit;      /* how many values are kept exactly (0: none) */
    struct histogram_bucket *octave[HISTOGRAM_OCTAVES]; /* HISTOGRAM_SUB buckets each, or NULL */
};

/* An empty histogram that keeps the first `limit` values exactly (HISTOGRAM_EXACT, or fewer). */
void histogram_init(struct histogram *h, uint32_t limit);
void histogram_free(struct histogram *h);

/* The slow ways of histogram_add: growth, conversion, first touch of an octave. */
void histogram_add_slow(struct histogram *h, int64_t value);

/* Where a value falls. */
static inline uint32_t histogram_octave(uint64_t value)
{
    return value < HISTOGRAM_SUB
               ? 0
               : (uint32_t)(64 - HISTOGRAM_SUB_BITS) - (uint32_t)__builtin_clzll(value);
}

/* Lower edge and width of bucket `sub` (0 .. 127) of `octave`. Octave o > 0 begins at 128 << (o-1)
 * and its buckets are 1 << (o-1) wide. */
static inline uint64_t histogram_low(uint32_t octave, uint32_t sub)
{
    return octave == 0 ? sub : (uint64_t)(HISTOGRAM_SUB + sub) << (octave - 1);
}
static inline uint64_t histogram_width(uint32_t octave)
{
    return octave == 0 ? 1 : (uint64_t)1 << (octave - 1);
}

/* The sum of (value - lower edge) x weight of a bucket. It is less than 2^64 (the limits of times
 * and counts see to that), so it comes out exactly of a sum kept modulo 2^64. */
static inline uint64_t histogram_offset(const struct histogram_bucket *b, uint32_t octave,
                                        uint32_t sub)
{
    return octave == 0 ? 0 : b->sum - b->count * histogram_low(octave, sub);
}

/* Adds one observation. `value` >= 0. A histogram that is still exact has no octave. */
static inline void histogram_add(struct histogram *h, int64_t value)
{
    uint64_t v = (uint64_t)value;
    uint32_t shift = (uint32_t)(63 - __builtin_clzll(v | HISTOGRAM_SUB)) - HISTOGRAM_SUB_BITS;
    struct histogram_bucket *octave = h->octave[shift + (v >= HISTOGRAM_SUB)];
    if (UNLIKELY(!octave)) {
        histogram_add_slow(h, value);
        return;
    }
    struct histogram_bucket *b = &octave[(v >> shift) & (HISTOGRAM_SUB - 1)];
    b->count++;
    b->sum += v;
    h->count++;
}

/* An empty histogram for a level: no exact values, octave 0 in place. */
void histogram_init_level(struct histogram *h);

/* The slow way of histogram_weigh: values of 128 and more. */
void histogram_weigh_slow(struct histogram *h, int64_t value, uint64_t weight);

/* Adds `weight` (nanoseconds) at `value` (>= 0) of a level's histogram. */
static inline void histogram_weigh(struct histogram *h, int64_t value, uint64_t weight)
{
    if (UNLIKELY(value >= HISTOGRAM_SUB)) {
        histogram_weigh_slow(h, value, weight);
        return;
    }
    h->octave[0][value].count += weight;
    h->count += weight;
}

/* target += source. Exact values stay exact while both are and they fit. */
void histogram_merge(struct histogram *target, const struct histogram *source);

/* Puts the exact values in ascending order, so that the two functions below need no copy. */
void histogram_sort(struct histogram *h);

/* The value at integer rank `rank` (1 .. count): itself while exact, else its bucket's mean, in
 * the recorded unit. */
double histogram_at_rank(const struct histogram *h, uint64_t rank);

/* How many observations stand in buckets up to and including the one `rank` falls in (the values
 * <= the value while exact). */
uint64_t histogram_count_to_rank(const struct histogram *h, uint64_t rank);

#endif
