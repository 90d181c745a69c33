#include "engine/kernel/histogram.h"
#include "tests/suite.h"

#include <math.h>
#include <stdlib.h>

/* A generator of our own kind of values: many scales, many ties. */
static uint64_t state = 1;
static int64_t next_value(void)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    uint64_t x = state >> 20;
    return (int64_t)((x & 0xFFFFFFFF) >> (x >> 32 & 31));
}

static int compare(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

/* A bucket of the naive model: 0 .. 127 by themselves, then 128 to an octave. */
static int64_t naive_low(int64_t value)
{
    int64_t width = 1;
    while (value / width >= 256)
        width *= 2;
    return value < 128 ? value : value / width * width;
}

/* The naive model: the values themselves, sorted. */
static void compare_with_the_sorted_list(uint64_t count, uint32_t limit)
{
    struct histogram h;
    histogram_init(&h, limit);
    int64_t *list = malloc(count * sizeof *list);
    for (uint64_t i = 0; i < count; i++)
        histogram_add(&h, list[i] = next_value());
    qsort(list, count, sizeof *list, compare);
    CU_ASSERT_EQUAL(h.count, count);
    for (uint64_t rank = 1; rank <= count; rank += 1 + count / 211) {
        int64_t value = list[rank - 1];
        double expected = (double)value;
        uint64_t upto = 0;
        double sum = 0, members = 0;
        for (uint64_t i = 0; i < count; i++) {
            bool same = naive_low(list[i]) == naive_low(value);
            sum += same ? (double)list[i] : 0;
            members += same;
            upto += count <= limit ? list[i] <= value : same || list[i] < value;
        }
        if (count > limit)
            expected = sum / members;
        CU_ASSERT(fabs(histogram_at_rank(&h, rank) - expected) <= 1e-12 * expected);
        CU_ASSERT_EQUAL(histogram_count_to_rank(&h, rank), upto);
        CU_ASSERT(fabs(histogram_at_rank(&h, rank) - (double)value) <= (double)value / 128);
    }
    free(list);
    histogram_free(&h);
}

static void agrees_with_a_sorted_list_while_exact(void)
{
    compare_with_the_sorted_list(1, 8);
    compare_with_the_sorted_list(1000, 1000);
}

static void agrees_with_a_sorted_list_in_buckets(void)
{
    compare_with_the_sorted_list(9, 8);
    compare_with_the_sorted_list(1, 0);
    compare_with_the_sorted_list(HISTOGRAM_EXACT + 1, HISTOGRAM_EXACT);
    compare_with_the_sorted_list(20000, 64);
}

static void buckets_tile_the_integers(void)
{
    uint64_t edge = 0;
    for (uint32_t o = 0; o < HISTOGRAM_OCTAVES; o++) {
        for (uint32_t i = 0; i < HISTOGRAM_SUB; i++) {
            CU_ASSERT_EQUAL_FATAL(histogram_low(o, i), edge);
            CU_ASSERT_EQUAL_FATAL(histogram_octave(edge), o);
            edge += histogram_width(o);
            CU_ASSERT_EQUAL_FATAL(histogram_octave(edge - 1), o);
        }
    }
    CU_ASSERT_EQUAL(edge, UINT64_C(1) << 63);
}

static void the_largest_time_has_a_bucket(void)
{
    struct histogram h;
    histogram_init(&h, 0);
    histogram_add(&h, INT64_MAX);
    histogram_add(&h, 0);
    CU_ASSERT_EQUAL(histogram_at_rank(&h, 1), 0);
    CU_ASSERT_EQUAL(histogram_at_rank(&h, 2), (double)INT64_MAX);
    histogram_free(&h);
}

static void a_single_repeated_value_prints_exactly_from_a_bucket(void)
{
    struct histogram h;
    histogram_init(&h, 8);
    for (int i = 0; i < 100000; i++)
        histogram_add(&h, 30000001);
    CU_ASSERT_EQUAL(h.exact, NULL);
    CU_ASSERT_EQUAL(histogram_at_rank(&h, 98000), 30000001.0);
    histogram_free(&h);
}

static bool same(const struct histogram *a, const struct histogram *b)
{
    if (a->count != b->count || !a->exact != !b->exact)
        return false;
    for (uint64_t rank = 1; rank <= a->count; rank += 7)
        if (histogram_at_rank(a, rank) != histogram_at_rank(b, rank) ||
            histogram_count_to_rank(a, rank) != histogram_count_to_rank(b, rank))
            return false;
    return true;
}

static void merging_gives_the_same_in_any_order(void)
{
    enum { PARTS = 4 };
    static const int sizes[PARTS] = {10, 900, 0, 120};
    for (uint32_t limit = 2000; limit >= 500; limit -= 500) {
        struct histogram part[PARTS], forward, backward, whole;
        histogram_init(&whole, limit);
        histogram_init(&forward, limit);
        histogram_init(&backward, limit);
        for (int p = 0; p < PARTS; p++) {
            histogram_init(&part[p], limit);
            for (int i = 0; i < sizes[p]; i++) {
                int64_t value = next_value();
                histogram_add(&part[p], value);
                histogram_add(&whole, value);
            }
        }
        for (int p = 0; p < PARTS; p++) {
            histogram_merge(&forward, &part[p]);
            histogram_merge(&backward, &part[PARTS - 1 - p]);
        }
        CU_ASSERT(same(&forward, &whole));
        CU_ASSERT(same(&backward, &whole));
        CU_ASSERT_EQUAL(!forward.exact, limit < 1030);
        for (int p = 0; p < PARTS; p++)
            histogram_free(&part[p]);
        histogram_free(&forward);
        histogram_free(&backward);
        histogram_free(&whole);
    }
}

static void sorting_changes_no_answer(void)
{
    struct histogram h, sorted;
    histogram_init(&h, 600);
    histogram_init(&sorted, 600);
    for (int i = 0; i < 500; i++) {
        int64_t value = next_value();
        histogram_add(&h, value);
        histogram_add(&sorted, value);
        if (i % 100 == 99)
            histogram_sort(&sorted);
    }
    CU_ASSERT(same(&h, &sorted));
    histogram_free(&h);
    histogram_free(&sorted);
}

static void a_level_weighs_time_by_value(void)
{
    struct histogram h;
    histogram_init_level(&h);
    histogram_weigh(&h, 0, 50);
    histogram_weigh(&h, 3, 49);
    histogram_weigh(&h, 1000003, 1);
    histogram_weigh(&h, 3, 1);
    CU_ASSERT_EQUAL(h.count, 101);
    CU_ASSERT_EQUAL(histogram_at_rank(&h, 50), 0);
    CU_ASSERT_EQUAL(histogram_at_rank(&h, 51), 3);
    CU_ASSERT_EQUAL(histogram_at_rank(&h, 100), 3);
    CU_ASSERT_EQUAL(histogram_at_rank(&h, 101), 1000003);
    CU_ASSERT_EQUAL(histogram_count_to_rank(&h, 60), 100);
    histogram_free(&h);
}

SUITE("histogram", TEST(agrees_with_a_sorted_list_while_exact),
      TEST(agrees_with_a_sorted_list_in_buckets), TEST(buckets_tile_the_integers),
      TEST(the_largest_time_has_a_bucket),
      TEST(a_single_repeated_value_prints_exactly_from_a_bucket),
      TEST(merging_gives_the_same_in_any_order), TEST(sorting_changes_no_answer),
      TEST(a_level_weighs_time_by_value))
