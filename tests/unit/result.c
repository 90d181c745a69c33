#include "tests/runs.h"
#include "tests/suite.h"

static void cells_are_quotients_of_integers(void)
{
    struct result *r = make_run(&(struct made_up){3, 4, 0});
    const struct result_cell *c = cell_of(r, "users", 0, 0, "latency");
    /* 100 operations in the window, the last 4 fail: 48 reads of 13 ms, 48 writes of 20 ms. */
    CU_ASSERT(c->numerator == (48 * 13 + 48 * 20) * MILLISECOND && c->denominator == 96);
    CU_ASSERT_EQUAL(c->min, 13 * MILLISECOND);
    CU_ASSERT_EQUAL(c->max, 20 * MILLISECOND);
    CU_ASSERT_EQUAL(c->histogram.item_count, 2);
    CU_ASSERT_EQUAL(c->histogram.items[1].count, 48);
    c = cell_of(r, "users", 0, 1, "latency");
    CU_ASSERT(c->numerator == 48 * 13 * MILLISECOND && c->denominator == 48);
    c = cell_of(r, "users", 0, 2, "errors");
    CU_ASSERT(c->numerator == 2 && c->denominator == 50);
    c = cell_of(r, "users", 0, 0, "throughput");
    CU_ASSERT(c->numerator == 96 && c->denominator == 10 * SECOND);
    c = cell_of(r, "users", 0, 0, "timeouts");
    CU_ASSERT(c->numerator == 4 && c->denominator == 1);
    result_free(r);
}

static void pooled_levels_are_sums_over_instances(void)
{
    struct result *r = make_run(&(struct made_up){3, 0, 0});
    const struct result_cell *c = cell_of(r, "web", 0, 0, "utilization");
    CU_ASSERT(c->numerator == 15 * SECOND && c->denominator == 20 * SECOND);
    c = cell_of(r, "web", 2, 0, "utilization");
    CU_ASSERT(c->numerator == 5 * SECOND && c->denominator == 10 * SECOND);
    c = cell_of(r, "web", 0, 0, "busy");
    CU_ASSERT_EQUAL(c->max, 2);
    CU_ASSERT_EQUAL(c->histogram.items[0].low, 1);
    CU_ASSERT_EQUAL(c->histogram.items[0].count, 5 * (uint64_t)SECOND);
    c = cell_of(r, "web", 1, 0, "queue_length");
    CU_ASSERT(c->numerator == 6 * SECOND && c->max == 3);
    CU_ASSERT(!c->has_histogram);
    result_free(r);
}

static void rows_exist_only_where_they_tell_something(void)
{
    struct result *r = make_run(&(struct made_up){1, 0, 0});
    CU_ASSERT_PTR_NULL(cell_of(r, "users", 0, 0, ".done"));
    CU_ASSERT_PTR_NULL(cell_of(r, "users", 1, 0, "latency"));
    CU_ASSERT_PTR_NULL(cell_of(r, "web", 0, 1, "busy"));
    for (uint32_t i = 1; i < r->cell_count; i++)
        CU_ASSERT(result_compare(&r->cells[i - 1].key, &r->cells[i].key) < 0);
    CU_ASSERT_PTR_EQUAL(result_find(r, &r->cells[5].key), &r->cells[5]);
    result_free(r);
}

static void what_never_ended_stands_beside_the_latency(void)
{
    struct result *r = make_run(&(struct made_up){1, 0, 3});
    CU_ASSERT_EQUAL(cell_of(r, "users", 0, 0, "latency")->missing, 3);
    CU_ASSERT_EQUAL(cell_of(r, "users", 0, 1, "latency")->missing, 1);
    result_free(r);
}

static void courses_cut_the_whole_duration(void)
{
    struct result *r = make_run(&(struct made_up){2, 0, 0});
    CU_ASSERT_EQUAL_FATAL(r->interval_count, 3);
    bool seen = false;
    for (uint32_t i = 0; i < r->course_count; i++) {
        const struct result_course *c = &r->courses[i];
        CU_ASSERT(c->name[0] != '.');
        if (!strcmp(c->name, "queue_length") && c->key.instance == 1) {
            CU_ASSERT(c->numerator[0] == 4 * SECOND && c->numerator[1] == 0);
            CU_ASSERT(c->denominator[0] == 4 * SECOND);
        }
        if (!strcmp(c->name, "latency")) {
            seen = true;
            CU_ASSERT(c->numerator[2] == 20 * (12 + 20) * MILLISECOND);
            CU_ASSERT_EQUAL(c->p50[0], 12e6);
            CU_ASSERT_EQUAL(c->p99[0], 20e6);
        }
    }
    CU_ASSERT(seen);
    result_free(r);
}

SUITE("result", TEST(cells_are_quotients_of_integers), TEST(pooled_levels_are_sums_over_instances),
      TEST(rows_exist_only_where_they_tell_something),
      TEST(what_never_ended_stands_beside_the_latency), TEST(courses_cut_the_whole_duration))
