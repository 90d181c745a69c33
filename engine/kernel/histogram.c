/* Invariants. A histogram is exact while `exact` is not NULL or `count` is 0 (and `limit` is not):
 * then `count` values stand in `exact` and no octave holds anything. Otherwise every observation
 * stands in an octave and `exact` is NULL. It changes over once, never back. */
#include "engine/kernel/histogram.h"

#include "engine/kernel/check.h"

#include <stdlib.h>
#include <string.h>

enum { EXACT_FIRST = 16 };

static void *take(size_t count, size_t size)
{
    void *piece = calloc(count, size);
    if (!piece)
        check_machine("out of memory for histograms");
    return piece;
}

void histogram_init(struct histogram *h, uint32_t limit)
{
    *h = (struct histogram){.limit = limit};
}

void histogram_init_level(struct histogram *h)
{
    *h = (struct histogram){.octave[0] = take(HISTOGRAM_SUB, sizeof(struct histogram_bucket))};
}

void histogram_free(struct histogram *h)
{
    free(h->exact);
    for (uint32_t o = 0; o < HISTOGRAM_OCTAVES; o++)
        free(h->octave[o]);
    *h = (struct histogram){0};
}

/* The bucket of a value; its octave is allocated at first touch. */
static struct histogram_bucket *bucket_of(struct histogram *h, uint64_t v)
{
    uint32_t o = histogram_octave(v);
    if (!h->octave[o])
        h->octave[o] = take(HISTOGRAM_SUB, sizeof(struct histogram_bucket));
    return &h->octave[o][(v >> (o ? o - 1 : 0)) & (HISTOGRAM_SUB - 1)];
}

static void put(struct histogram *h, uint64_t v, uint64_t weight)
{
    struct histogram_bucket *b = bucket_of(h, v);
    b->count += weight;
    b->sum += v * weight;
    h->count += weight;
}

/* Moves the exact values to buckets. */
static void convert(struct histogram *h)
{
    int64_t *values = h->exact;
    uint64_t count = h->count;
    h->exact = NULL;
    h->exact_room = 0;
    h->count = 0;
    for (uint64_t i = 0; i < count; i++)
        put(h, (uint64_t)values[i], 1);
    free(values);
}

static void exact_append(struct histogram *h, int64_t value)
{
    if (h->count == h->exact_room) {
        uint32_t room = h->exact_room ? h->exact_room * 2 : EXACT_FIRST;
        room = room < h->limit ? room : h->limit;
        int64_t *grown = realloc(h->exact, room * sizeof *grown);
        if (!grown)
            check_machine("out of memory for histograms");
        h->exact = grown;
        h->exact_room = room;
    }
    h->exact[h->count++] = value;
    h->sorted = false;
}

static bool is_exact(const struct histogram *h)
{
    return h->exact || (!h->count && h->limit);
}

void histogram_add_slow(struct histogram *h, int64_t value)
{
    CHECK(value >= 0);
    if (is_exact(h)) {
        if (h->count < h->limit) {
            exact_append(h, value);
            return;
        }
        convert(h);
    }
    put(h, (uint64_t)value, 1);
}

void histogram_weigh_slow(struct histogram *h, int64_t value, uint64_t weight)
{
    CHECK(value >= 0);
    put(h, (uint64_t)value, weight);
}

void histogram_merge(struct histogram *target, const struct histogram *source)
{
    if (!source->count)
        return;
    if (source->exact) {
        for (uint64_t i = 0; i < source->count; i++)
            histogram_add_slow(target, source->exact[i]);
        return;
    }
    if (target->exact)
        convert(target);
    for (uint32_t o = 0; o < HISTOGRAM_OCTAVES; o++) {
        const struct histogram_bucket *from = source->octave[o];
        if (!from)
            continue;
        struct histogram_bucket *to = bucket_of(target, histogram_low(o, 0));
        for (uint32_t i = 0; i < HISTOGRAM_SUB; i++) {
            to[i].count += from[i].count;
            to[i].sum += from[i].sum;
        }
    }
    target->count += source->count;
}

static int compare(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

void histogram_sort(struct histogram *h)
{
    if (h->exact && !h->sorted)
        qsort(h->exact, h->count, sizeof *h->exact, compare);
    h->sorted = true;
}

/* The exact values in order: the histogram's own, or a copy that the caller frees. */
static const int64_t *in_order(const struct histogram *h, int64_t **copy)
{
    *copy = NULL;
    if (h->sorted)
        return h->exact;
    *copy = take(h->count, sizeof **copy);
    memcpy(*copy, h->exact, h->count * sizeof **copy);
    qsort(*copy, h->count, sizeof **copy, compare);
    return *copy;
}

/* A bucket that is not empty, and what stands in front of it. */
struct stand {
    uint64_t low, before; /* its lower edge; observations in the buckets below */
    uint64_t count, offset;
};

/* The bucket in which a rank falls. */
static struct stand bucket_at(const struct histogram *h, uint64_t rank)
{
    uint64_t seen = 0;
    for (uint32_t o = 0; o < HISTOGRAM_OCTAVES; o++) {
        for (uint32_t i = 0; h->octave[o] && i < HISTOGRAM_SUB; i++) {
            const struct histogram_bucket *b = &h->octave[o][i];
            if (rank <= seen + b->count)
                return (struct stand){histogram_low(o, i), seen, b->count,
                                      histogram_offset(b, o, i)};
            seen += b->count;
        }
    }
    CHECK(rank <= seen); /* never: the callers have checked the rank */
    return (struct stand){0};
}

double histogram_at_rank(const struct histogram *h, uint64_t rank)
{
    CHECK(rank >= 1 && rank <= h->count);
    if (h->exact) {
        int64_t *copy;
        double value = (double)in_order(h, &copy)[rank - 1];
        free(copy);
        return value;
    }
    struct stand at = bucket_at(h, rank);
    return (double)at.low + (double)at.offset / (double)at.count;
}

uint64_t histogram_count_to_rank(const struct histogram *h, uint64_t rank)
{
    CHECK(rank >= 1 && rank <= h->count);
    if (h->exact) {
        int64_t *copy;
        const int64_t *values = in_order(h, &copy);
        uint64_t upto = rank;
        while (upto < h->count && values[upto] == values[rank - 1])
            upto++;
        free(copy);
        return upto;
    }
    struct stand at = bucket_at(h, rank);
    return at.before + at.count;
}
