/* A quantile of everything seen so far, kept up to date: a histogram of 64 buckets an octave
 * (within 0.8 %) and the bucket in which the quantile lies. O(1) amortized per value. */
#ifndef ORRERY_MODELS_PARTS_RUNNING_H
#define ORRERY_MODELS_PARTS_RUNNING_H

#include <stdint.h>

enum { RUNNING_BUCKETS = 64 * 59 };

/* Zero: nothing seen. */
struct running {
    uint64_t count;
    uint64_t below; /* values in the buckets before `at` */
    uint32_t at;
    uint32_t counts[RUNNING_BUCKETS];
};

/* Adds a value >= 0 (ns); `share` (0..1) is the same for every value. */
void running_add(struct running *running, int64_t value, double share);

/* The value at rank ceil(share x count), as the middle of its bucket. Requires count > 0. */
int64_t running_value(const struct running *running);

#endif
