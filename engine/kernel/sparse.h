/* A histogram at rest: its non-empty items in ascending order, read-only, in somebody's arena. What
 * a result carries, a part file stores and the estimators read; `struct histogram` is what fills.
 *
 * While exact an item is one value and how often it came; afterwards it is a bucket of
 * engine/kernel/histogram.h: its lower edge, its count and the sum of offsets from that edge. */
#ifndef ORRERY_KERNEL_SPARSE_H
#define ORRERY_KERNEL_SPARSE_H

#include "engine/kernel/arena.h"
#include "engine/kernel/histogram.h"

#include <stdbool.h>
#include <stdint.h>

struct sparse_item {
    int64_t low;
    uint64_t count;  /* > 0: observations, or nanoseconds of a level */
    uint64_t offset; /* 0 while exact */
};

struct sparse {
    uint64_t count; /* sum over the items */
    uint32_t item_count;
    bool exact;
    const struct sparse_item *items;
};

/* Observations that a merged histogram keeps exactly. */
enum { SPARSE_EXACT = 65536 };

/* The items of `h`, whose exact values are put in order by it. */
struct sparse sparse_of(struct arena *arena, struct histogram *h);

/* The same observations in buckets. */
struct sparse sparse_buckets(struct arena *arena, const struct sparse *s);

/* The sum of `count` histograms, in whatever order they come: exact where all of them are and
 * together hold at most SPARSE_EXACT observations. */
struct sparse sparse_merge(struct arena *arena, const struct sparse *parts, uint32_t count);

/* The item that holds the integer rank `rank` (1 .. count). O(items). */
uint32_t sparse_find(const struct sparse *s, uint64_t rank);

/* What an item stands for: its value, or its bucket's mean. */
double sparse_value(const struct sparse_item *item);

/* Observations of `s` in the items of `merged` up to and including `item`; `s` is a part of it. */
uint64_t sparse_upto(const struct sparse *s, const struct sparse *merged, uint32_t item);

#endif
