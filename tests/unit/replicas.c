/* What replicas are made of: versions and their collection, registers, logs. */
#include "engine/kernel/random.h"
#include "models/parts/log.h"
#include "models/parts/registers.h"
#include "tests/suite.h"

#include <stdlib.h>

static void versions_are_found_again_by_their_handles(void)
{
    struct arena arena = {0};
    struct versions versions;
    versions_init(&versions, &arena, 0);
    version_handle handles[1000];
    for (uint64_t i = 0; i < 1000; i++)
        handles[i] = version_new(&versions, &(struct version){.op_id = 77 + i, .key = i});
    for (uint64_t i = 0; i < 1000; i++) {
        CU_ASSERT_NOT_EQUAL(handles[i], 0);
        CU_ASSERT_EQUAL(version_at(&versions, handles[i])->op_id, 77 + i);
    }
    CU_ASSERT_EQUAL(versions.live, 1000);
    arena_free(&arena);
}

/* What is kept stays where it is; the room of all others is used again. */
static void a_collection_frees_what_nobody_holds(void)
{
    struct arena arena = {0};
    struct versions versions;
    versions_init(&versions, &arena, 0);
    version_handle kept[50];
    for (uint64_t i = 0; i < 500; i++) {
        version_handle made = version_new(&versions, &(struct version){.op_id = i + 1});
        if (i % 10 == 3)
            kept[i / 10] = made;
    }
    uint32_t used = versions.used;
    for (int turn = 0; turn < 3; turn++) { /* marks of the last one do not count */
        versions_collect_begin(&versions);
        for (int i = 0; i < 50; i++)
            version_keep(&versions, kept[i]);
        version_keep(&versions, 0);
        versions_collect_end(&versions);
        CU_ASSERT_EQUAL(versions.live, 50);
    }
    for (uint64_t i = 0; i < 450; i++)
        version_new(&versions, &(struct version){.op_id = 1000});
    CU_ASSERT_EQUAL(versions.used, used);
    for (uint64_t i = 0; i < 50; i++)
        CU_ASSERT_EQUAL(version_at(&versions, kept[i])->op_id, 10 * i + 4);
    arena_free(&arena);
}

/* Member 0 wrote a, member 1 saw it and wrote b, member 2 saw neither and wrote c. */
static void a_vector_tells_what_its_writer_had_seen(void)
{
    struct arena arena = {0};
    struct versions versions;
    versions_init(&versions, &arena, 3);
    version_handle a = version_new(&versions, &(struct version){.op_id = 1, .counter = 1});
    version_handle b = version_new(&versions, &(struct version){.op_id = 2, .counter = 1});
    version_handle c = version_new(&versions, &(struct version){.op_id = 3, .counter = 1});
    version_context(&versions, b)[0] = 1;
    CU_ASSERT_TRUE(version_before(&versions, a, 0, b));
    CU_ASSERT_FALSE(version_before(&versions, b, 1, a));
    CU_ASSERT_FALSE(version_before(&versions, a, 0, c));
    CU_ASSERT_FALSE(version_before(&versions, c, 2, a));
    CU_ASSERT_TRUE(version_before(&versions, 0, 2, a));
    for (uint64_t i = 0; i < 1000; i++)
        version_new(&versions, &(struct version){.op_id = 9});
    CU_ASSERT_EQUAL(version_context(&versions, b)[0], 1);
    CU_ASSERT_EQUAL(version_context(&versions, c)[0], 0);
    arena_free(&arena);
}

static void orders_compare_by_their_high_half_first(void)
{
    struct version_order a = {1, 9}, b = {2, 1}, c = {2, 2};
    CU_ASSERT_EQUAL(version_compare(a, b), -1);
    CU_ASSERT_EQUAL(version_compare(c, b), 1);
    CU_ASSERT_EQUAL(version_compare(b, b), 0);
}

/* Registers against a plain array, with as many erasures as writes. */
static void registers_hold_what_was_set_last(void)
{
    enum { KEYS = 300, TURNS = 20000 };
    struct arena arena = {0};
    struct registers registers;
    version_handle plain[KEYS] = {0};
    registers_init(&registers, &arena);
    CU_ASSERT_EQUAL(registers_get(&registers, 5), 0);
    for (uint64_t turn = 0; turn < TURNS; turn++) {
        uint64_t draw = random_mix(turn), key = draw % KEYS;
        version_handle version = (version_handle)(draw >> 40) | 1;
        if (draw >> 20 & 1) {
            registers_set(&registers, key * 1024, version);
            plain[key] = version;
        } else {
            registers_erase(&registers, key * 1024);
            plain[key] = 0;
        }
        uint64_t other = random_mix(draw) % KEYS;
        CU_ASSERT_EQUAL_FATAL(registers_get(&registers, other * 1024), plain[other]);
    }
    uint32_t held = 0;
    for (uint32_t k = 0; k < KEYS; k++) {
        held += plain[k] != 0;
        CU_ASSERT_EQUAL_FATAL(registers_get(&registers, k * 1024), plain[k]);
    }
    CU_ASSERT_EQUAL(registers.used, held);
    registers_clear(&registers);
    CU_ASSERT_EQUAL(registers_get(&registers, 1024), 0);
    arena_free(&arena);
}

static void a_log_loses_its_head_and_its_tail(void)
{
    struct arena arena = {0};
    struct log log;
    log_init(&log, &arena);
    for (version_handle i = 1; i <= 50; i++)
        CU_ASSERT_EQUAL(log_append(&log, 100 + i), i);
    log_trim(&log, 31);
    log_truncate(&log, 45);
    CU_ASSERT_EQUAL(log.first, 31);
    CU_ASSERT_EQUAL(log.last, 45);
    for (version_handle i = 46; i <= 200; i++)
        CU_ASSERT_EQUAL(log_append(&log, 1000 + i), i);
    for (version_handle i = 31; i <= 200; i++)
        CU_ASSERT_EQUAL(log_at(&log, i), i <= 45 ? 100 + i : 1000 + i);
    log_trim(&log, 201);
    CU_ASSERT_EQUAL(log_append(&log, 7), 201);
    CU_ASSERT_EQUAL(log_at(&log, 201), 7);
    arena_free(&arena);
}

SUITE("what replicas are made of", TEST(versions_are_found_again_by_their_handles),
      TEST(a_collection_frees_what_nobody_holds), TEST(a_vector_tells_what_its_writer_had_seen),
      TEST(orders_compare_by_their_high_half_first), TEST(registers_hold_what_was_set_last),
      TEST(a_log_loses_its_head_and_its_tail))
