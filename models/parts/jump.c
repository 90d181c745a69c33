#include "models/parts/jump.h"

/* The code of the paper's figure 1. */
uint32_t jump_find(uint64_t hash, uint32_t buckets)
{
    int64_t bucket = -1, next = 0;
    while (next < buckets) {
        bucket = next;
        hash = hash * UINT64_C(2862933555777941757) + 1;
        next = (int64_t)((double)(bucket + 1) * (0x1p31 / (double)((hash >> 33) + 1)));
    }
    return (uint32_t)bucket;
}
