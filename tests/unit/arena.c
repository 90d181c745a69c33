#include "engine/kernel/arena.h"
#include "tests/suite.h"

#include <stdint.h>

static void pieces_are_zeroed_aligned_and_apart(void)
{
    struct arena a = {0};
    unsigned char *last = NULL;
    for (size_t size = 0; size < 200000; size = size * 2 + 1) {
        unsigned char *piece = arena_take(&a, size);
        CU_ASSERT_EQUAL((uintptr_t)piece % 16, 0);
        for (size_t i = 0; i < size; i++)
            CU_ASSERT_FATAL(piece[i] == 0);
        memset(piece, 0xAA, size);
        CU_ASSERT_PTR_NOT_EQUAL(piece, last);
        last = piece;
    }
    arena_free(&a);
}

static void reset_hands_the_same_memory_out_again_zeroed(void)
{
    struct arena a = {0};
    unsigned char *first = arena_take(&a, 100);
    memset(first, 1, 100);
    arena_take(&a, 100000);
    arena_reset(&a);
    unsigned char *again = arena_take(&a, 100);
    CU_ASSERT_PTR_EQUAL(first, again);
    CU_ASSERT_EQUAL(again[99], 0);
    arena_free(&a);
}

static void formatted_text_lives_in_the_arena(void)
{
    struct arena a = {0};
    CU_ASSERT_STRING_EQUAL(arena_format(&a, "%s.%d", "web", 3), "web.3");
    CU_ASSERT_STRING_EQUAL(arena_text(&a, "webby", 3), "web");
    arena_free(&a);
}

SUITE("arena", TEST(pieces_are_zeroed_aligned_and_apart),
      TEST(reset_hands_the_same_memory_out_again_zeroed), TEST(formatted_text_lives_in_the_arena))
