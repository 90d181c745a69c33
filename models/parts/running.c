#include "models/parts/running.h"

enum { BITS = 6, FIRST = 1 << BITS };

static uint32_t bucket_of(int64_t value)
{
    uint64_t v = (uint64_t)value;
    if (v < FIRST)
        return (uint32_t)v;
    uint32_t top = 63u - (uint32_t)__builtin_clzll(v);
    return (top - BITS + 1) * FIRST + (uint32_t)(v >> (top - BITS)) % FIRST;
}

void running_add(struct running *r, int64_t value, double share)
{
    uint32_t bucket = bucket_of(value);
    r->counts[bucket]++;
    r->count++;
    r->below += bucket < r->at;
    double exact = share * (double)r->count;
    uint64_t rank = (uint64_t)exact;
    rank += (double)rank < exact;
    while (r->below >= rank)
        r->below -= r->counts[--r->at];
    while (r->below + r->counts[r->at] < rank)
        r->below += r->counts[r->at++];
}

int64_t running_value(const struct running *r)
{
    if (r->at < FIRST)
        return r->at;
    uint32_t shift = r->at / FIRST - 1;
    int64_t low = (int64_t)(FIRST + r->at % FIRST) << shift;
    return low + ((INT64_C(1) << shift) >> 1);
}
