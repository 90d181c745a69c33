/* Sets of windows and phases against their definitions, instant by instant. */
#include "engine/kernel/phase.h"
#include "tests/suite.h"

enum { END = 120, STRIKES = 6, ROUNDS = 3000, DELAYS = 20 };
static const struct window measured = {15, 100};

static uint32_t draw(uint32_t below)
{
    static uint64_t state = 11;
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(state >> 33) % below;
}

/* A fault's strikes: some of length 0, some to the end of time, some before or after W. */
static uint32_t strikes_make(struct window *strikes)
{
    uint32_t count = draw(STRIKES + 1);
    for (uint32_t i = 0; i < count; i++) {
        int64_t begin = draw(END);
        strikes[i] = (struct window){begin, begin + draw(4) * draw(12)};
        if (!draw(20))
            strikes[i].end = INT64_MAX;
    }
    return count;
}

/* The definitions of phase.h for one instant. */
static bool belongs(const struct phase *phase, const struct window *strikes, uint32_t count,
                    int64_t at)
{
    bool struck = false, begun = false;
    int64_t last = 0;
    for (uint32_t i = 0; i < count; i++) {
        struck = struck || (strikes[i].begin <= at && at < strikes[i].end);
        if (strikes[i].begin <= at && (!begun || strikes[i].begin > last)) {
            begun = true;
            last = strikes[i].begin;
        }
    }
    if (at < measured.begin || at >= measured.end)
        return false;
    switch (phase->kind) {
    case PHASE_DURING:
        return struck;
    case PHASE_UNTIL:
        return !begun;
    case PHASE_AFTER:
        return begun && !struck;
    case PHASE_WITHIN:
        break;
    }
    return begun && at >= last + phase->delay_ns;
}

static void check_set(const struct window_set *set, const bool *expected)
{
    int64_t length = 0;
    for (int64_t at = -1; at <= END; at++) {
        bool held = at >= 0 && at < END && expected[at];
        CU_ASSERT_EQUAL(window_set_holds(set, at), held);
        length += held;
    }
    CU_ASSERT_EQUAL(window_set_length(set), length);
    for (uint32_t i = 0; i < set->count; i++) {
        CU_ASSERT(set->parts[i].begin < set->parts[i].end);
        CU_ASSERT(!i || set->parts[i - 1].end < set->parts[i].begin);
    }
    struct window w = {draw(END), draw(END)};
    int64_t overlap = 0;
    for (int64_t at = w.begin; at < w.end; at++)
        overlap += expected[at];
    CU_ASSERT_EQUAL(window_set_overlap(set, w), overlap);
}

static void phases_are_what_they_say_at_every_instant(void)
{
    uint32_t seen = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct arena arena = {0};
        struct window strikes[STRIKES];
        uint32_t count = strikes_make(strikes);
        for (enum phase_kind kind = PHASE_DURING; kind <= PHASE_WITHIN; kind++) {
            struct phase phase = {kind, 0, draw(DELAYS)};
            struct window_set set = phase_windows(&arena, &phase, strikes, count, measured);
            bool expected[END];
            for (int64_t at = 0; at < END; at++)
                expected[at] = belongs(&phase, strikes, count, at);
            check_set(&set, expected);
            seen += set.count > 1;
        }
        arena_free(&arena);
    }
    CU_ASSERT(seen > ROUNDS / 10);
}

static void before_in_and_after_share_the_measurement_out(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        struct arena arena = {0};
        struct window strikes[STRIKES];
        uint32_t count = strikes_make(strikes);
        int64_t length = 0;
        for (enum phase_kind kind = PHASE_DURING; kind <= PHASE_AFTER; kind++) {
            struct phase phase = {kind, 0, 0};
            struct window_set set = phase_windows(&arena, &phase, strikes, count, measured);
            length += window_set_length(&set);
        }
        CU_ASSERT_EQUAL(length, measured.end - measured.begin);
        arena_free(&arena);
    }
}

static void a_fault_that_never_strikes_leaves_all_before_it(void)
{
    struct arena arena = {0};
    struct phase until = {PHASE_UNTIL, PHASE_NO_FAULT, 0};
    struct window_set set = phase_windows(&arena, &until, NULL, 0, measured);
    CU_ASSERT(set.count == 1 && window_set_length(&set) == 85);
    struct phase within = {PHASE_WITHIN, PHASE_NO_FAULT, INT64_MAX};
    CU_ASSERT_EQUAL(phase_windows(&arena, &within, NULL, 0, measured).count, 0);
    struct window strike = {20, 30};
    CU_ASSERT_EQUAL(phase_windows(&arena, &within, &strike, 1, measured).count, 0);
    arena_free(&arena);
}

SUITE("phases", TEST(phases_are_what_they_say_at_every_instant),
      TEST(before_in_and_after_share_the_measurement_out),
      TEST(a_fault_that_never_strikes_leaves_all_before_it))
