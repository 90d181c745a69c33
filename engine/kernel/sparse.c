#include "engine/kernel/sparse.h"

#include "engine/kernel/check.h"

#include <stdlib.h>
#include <string.h>

static struct sparse of_exact(struct arena *arena, struct histogram *h)
{
    histogram_sort(h);
    uint32_t distinct = 0;
    for (uint64_t i = 0; i < h->count; i++)
        distinct += !i || h->exact[i] != h->exact[i - 1];
    struct sparse_item *items = arena_array(arena, distinct, struct sparse_item);
    struct sparse_item *last = items;
    for (uint64_t i = 0; i < h->count; i++) {
        if (i && h->exact[i] != h->exact[i - 1])
            last++;
        last->low = h->exact[i];
        last->count++;
    }
    return (struct sparse){h->count, distinct, true, items};
}

struct sparse sparse_of(struct arena *arena, struct histogram *h)
{
    if (!h->count)
        return (struct sparse){.exact = true};
    if (h->exact)
        return of_exact(arena, h);
    uint32_t filled = 0;
    for (uint32_t o = 0; o < HISTOGRAM_OCTAVES; o++)
        for (uint32_t i = 0; h->octave[o] && i < HISTOGRAM_SUB; i++)
            filled += h->octave[o][i].count > 0;
    struct sparse_item *items = arena_array(arena, filled, struct sparse_item);
    uint32_t count = 0;
    for (uint32_t o = 0; o < HISTOGRAM_OCTAVES; o++) {
        for (uint32_t i = 0; h->octave[o] && i < HISTOGRAM_SUB; i++) {
            const struct histogram_bucket *b = &h->octave[o][i];
            if (b->count)
                items[count++] = (struct sparse_item){(int64_t)histogram_low(o, i), b->count,
                                                      histogram_offset(b, o, i)};
        }
    }
    return (struct sparse){h->count, filled, false, items};
}

/* The lower edge of the bucket a value falls in. */
static int64_t edge_of(int64_t value)
{
    uint64_t width = histogram_width(histogram_octave((uint64_t)value));
    return (int64_t)((uint64_t)value & ~(width - 1));
}

struct sparse sparse_buckets(struct arena *arena, const struct sparse *s)
{
    if (!s->exact)
        return *s;
    struct sparse_item *items = arena_array(arena, s->item_count, struct sparse_item);
    uint32_t count = 0;
    for (uint32_t i = 0; i < s->item_count; i++) {
        const struct sparse_item *from = &s->items[i];
        int64_t low = edge_of(from->low);
        if (!count || items[count - 1].low != low)
            items[count++].low = low;
        items[count - 1].count += from->count;
        items[count - 1].offset += (uint64_t)(from->low - low) * from->count;
    }
    return (struct sparse){s->count, count, false, items};
}

static int compare(const void *left, const void *right)
{
    const struct sparse_item *a = left, *b = right;
    return (a->low > b->low) - (a->low < b->low);
}

struct sparse sparse_merge(struct arena *arena, const struct sparse *parts, uint32_t count)
{
    struct sparse sum = {.exact = true};
    size_t items = 0;
    for (uint32_t p = 0; p < count; p++) {
        sum.count += parts[p].count;
        sum.exact = sum.exact && (parts[p].exact || !parts[p].count);
        items += parts[p].item_count;
    }
    sum.exact = sum.exact && sum.count <= SPARSE_EXACT;
    struct sparse_item *all = arena_array(arena, items, struct sparse_item);
    size_t used = 0;
    for (uint32_t p = 0; p < count; p++) {
        struct sparse part = sum.exact ? parts[p] : sparse_buckets(arena, &parts[p]);
        if (part.item_count)
            memcpy(all + used, part.items, part.item_count * sizeof *all);
        used += part.item_count;
    }
    qsort(all, used, sizeof *all, compare);
    for (size_t i = 0; i < used; i++) {
        if (sum.item_count && all[sum.item_count - 1].low == all[i].low) {
            all[sum.item_count - 1].count += all[i].count;
            all[sum.item_count - 1].offset += all[i].offset;
        } else {
            all[sum.item_count++] = all[i];
        }
    }
    sum.items = all;
    return sum;
}

uint32_t sparse_find(const struct sparse *s, uint64_t rank)
{
    CHECK(rank >= 1 && rank <= s->count);
    uint64_t seen = 0;
    uint32_t i = 0;
    while (rank > seen + s->items[i].count)
        seen += s->items[i++].count;
    return i;
}

double sparse_value(const struct sparse_item *item)
{
    return (double)item->low + (double)item->offset / (double)item->count;
}

uint64_t sparse_upto(const struct sparse *s, const struct sparse *merged, uint32_t item)
{
    int64_t last = merged->items[item].low;
    if (!merged->exact)
        last += (int64_t)(histogram_width(histogram_octave((uint64_t)last)) - 1);
    uint64_t count = 0;
    for (uint32_t i = 0; i < s->item_count && s->items[i].low <= last; i++)
        count += s->items[i].count;
    return count;
}
