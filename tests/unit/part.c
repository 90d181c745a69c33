#include "output/part.h"
#include "tests/runs.h"
#include "tests/suite.h"

static const struct part_identity identity = {"0123abcd", 2, 3, 7};

static bool same_sparse(const struct sparse *a, const struct sparse *b)
{
    if (a->count != b->count || a->item_count != b->item_count || a->exact != b->exact)
        return false;
    for (uint32_t i = 0; i < a->item_count; i++)
        if (a->items[i].low != b->items[i].low || a->items[i].count != b->items[i].count ||
            a->items[i].offset != b->items[i].offset)
            return false;
    return true;
}

static bool same_course(const struct result_course *a, const struct result_course *b, uint32_t n)
{
    if (result_compare(&a->key, &b->key) || strcmp(a->name, b->name) || !a->p50 != !b->p50)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        if (a->numerator[i] != b->numerator[i] || a->denominator[i] != b->denominator[i])
            return false;
        if (a->p50 && (memcmp(&a->p50[i], &b->p50[i], 8) || memcmp(&a->p99[i], &b->p99[i], 8)))
            return false;
    }
    return true;
}

static void what_is_read_is_what_was_written(void)
{
    char *dir = make_folder();
    struct output_error error;
    struct result *r = make_run(&(struct made_up){3, 5, 2});
    CU_ASSERT_FATAL(output_part_write(dir, &identity, r, &error));
    enum part_status status;
    struct part *part = part_read(dir, &identity, &status);
    CU_ASSERT_PTR_NOT_NULL_FATAL(part);
    const struct result *back = part_result(part);
    CU_ASSERT_EQUAL_FATAL(back->cell_count, r->cell_count);
    CU_ASSERT_EQUAL_FATAL(back->course_count, r->course_count);
    CU_ASSERT_EQUAL(back->totals.fingerprint, 3);
    CU_ASSERT_STRING_EQUAL(back->operations[1], "write");
    struct arena arena = {0};
    for (uint32_t i = 0; i < r->cell_count; i++) {
        const struct result_cell *a = &r->cells[i], *b = &back->cells[i];
        CU_ASSERT(!result_compare(&a->key, &b->key) && !strcmp(a->name, b->name));
        CU_ASSERT(!strcmp(a->unit, b->unit) && a->type == b->type);
        CU_ASSERT(a->numerator == b->numerator && a->denominator == b->denominator);
        CU_ASSERT(a->min == b->min && a->max == b->max && a->missing == b->missing);
        CU_ASSERT_EQUAL_FATAL(a->has_histogram, b->has_histogram);
        if (a->has_histogram) {
            struct sparse s = part_histogram(part, i, &arena);
            CU_ASSERT(same_sparse(&a->histogram, &s));
        }
    }
    for (uint32_t i = 0; i < r->course_count; i++)
        CU_ASSERT(same_course(&r->courses[i], &back->courses[i], r->interval_count));
    arena_free(&arena);
    part_free(part);
    result_free(r);
    drop_folder(dir);
}

static void a_part_of_something_else_is_foreign(void)
{
    char *dir = make_folder(), from[300], to[300];
    struct output_error error;
    struct result *r = make_run(&(struct made_up){3, 0, 0});
    CU_ASSERT_FATAL(output_part_write(dir, &identity, r, &error));
    CU_ASSERT(output_part_valid(dir, &identity));
    struct part_identity other = identity;
    enum part_status status;
    other.scenario = "ffff";
    CU_ASSERT_PTR_NULL(part_read(dir, &other, &status));
    CU_ASSERT_EQUAL(status, PART_FOREIGN);
    other = identity;
    other.seed++;
    CU_ASSERT(!output_part_valid(dir, &other));
    other = identity;
    other.replication++;
    CU_ASSERT_PTR_NULL(part_read(dir, &other, &status));
    CU_ASSERT_EQUAL(status, PART_MISSING);
    snprintf(from, sizeof from, "%s/parts/000002-000003.part", dir);
    snprintf(to, sizeof to, "%s/parts/000002-000004.part", dir);
    CU_ASSERT_EQUAL(rename(from, to), 0);
    CU_ASSERT_PTR_NULL(part_read(dir, &other, &status));
    CU_ASSERT_EQUAL(status, PART_FOREIGN);
    result_free(r);
    drop_folder(dir);
}

static void rewrite(const char *path, const unsigned char *bytes, size_t size)
{
    FILE *f = fopen(path, "wb");
    CU_ASSERT_EQUAL_FATAL(fwrite(bytes, 1, size, f), size);
    fclose(f);
}

static void damage_is_told_and_never_crashes(void)
{
    char *dir = make_folder(), path[300];
    static unsigned char bytes[1 << 16], changed[1 << 16];
    struct output_error error;
    struct result *r = make_run(&(struct made_up){3, 5, 2});
    CU_ASSERT_FATAL(output_part_write(dir, &identity, r, &error));
    snprintf(path, sizeof path, "%s/parts/000002-000003.part", dir);
    FILE *f = fopen(path, "rb");
    size_t size = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    CU_ASSERT_FATAL(size > 500 && size < sizeof bytes);
    for (size_t cut = 0; cut < size; cut += 37) {
        rewrite(path, bytes, cut);
        CU_ASSERT(!output_part_valid(dir, &identity));
    }
    for (size_t at = 0; at < size; at += 11) {
        memcpy(changed, bytes, size);
        changed[at] ^= (unsigned char)(1 << at % 8);
        rewrite(path, changed, size);
        CU_ASSERT(!output_part_valid(dir, &identity));
    }
    rewrite(path, bytes, size);
    CU_ASSERT(output_part_valid(dir, &identity));
    result_free(r);
    drop_folder(dir);
}

static void a_machine_that_refuses_is_reported(void)
{
    struct output_error error = {{0}};
    struct result *r = make_run(&(struct made_up){3, 0, 0});
    CU_ASSERT(!output_part_write("/nonexistent/folder", &identity, r, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "cannot write /nonexistent/folder/parts: "));
    result_free(r);
}

SUITE("part", TEST(what_is_read_is_what_was_written), TEST(a_part_of_something_else_is_foreign),
      TEST(damage_is_told_and_never_crashes), TEST(a_machine_that_refuses_is_reported))
