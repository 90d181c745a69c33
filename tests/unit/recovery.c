/* Recovery times against their definition, worked out from the list of all answers. */
#include "engine/kernel/recovery.h"
#include "tests/suite.h"

#include <stdlib.h>

#define MILLISECOND INT64_C(1000000)
#define SECOND INT64_C(1000000000)
enum { ANSWERS_MAX = 200000, STRIKES_MAX = 4, FAULTS = 2, ROUNDS = 60 };
static const struct window measured = {10 * SECOND, 100 * SECOND};

struct answer {
    int64_t at, latency;
};
static struct answer answers[ANSWERS_MAX];
static uint32_t answer_count;

static uint32_t draw(uint32_t below)
{
    static uint64_t state = 5;
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(state >> 33) % below;
}

static int ascending(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

/* ---- the definition of recovery.h ---- */

static int64_t before_from(const struct strike *strikes, uint32_t count, int64_t begin)
{
    int64_t from = measured.begin;
    for (uint32_t i = 0; i < count; i++) {
        int64_t end = strikes[i].end > strikes[i].begin ? strikes[i].end : strikes[i].begin + 1;
        from = end <= begin && end > from ? end : from;
    }
    return from;
}

/* Nanoseconds, INT64_MAX for never, -1 where it tells nothing. */
static int64_t naive_strike(const struct strike *strikes, uint32_t count, uint32_t strike)
{
    static int64_t latencies[ANSWERS_MAX];
    int64_t begin = strikes[strike].begin, until = measured.end, n = 0;
    int64_t from = before_from(strikes, count, begin);
    for (uint32_t i = 0; i < count; i++)
        if (strikes[i].begin > begin && strikes[i].begin >= strikes[strike].end &&
            strikes[i].begin < until)
            until = strikes[i].begin;
    for (uint32_t i = 0; i < answer_count; i++)
        if (answers[i].at >= from && answers[i].at < begin)
            latencies[n++] = answers[i].latency;
    if (begin < measured.begin || begin >= measured.end || n < 100)
        return -1;
    qsort(latencies, (size_t)n, sizeof *latencies, ascending);
    int64_t p99 = latencies[(n * 99 + 99) / 100 - 1], bin = 100 * MILLISECOND;
    for (int step = 0; (double)n * (double)bin < 200.0 * (double)(begin - from); step++)
        bin = step % 3 == 1 ? bin / 2 * 5 : bin * 2;
    if (until - begin < 2 * bin)
        return -1;
    int good = 0;
    for (int64_t b = begin; b + bin <= until; b += bin) {
        int64_t in = 0, slow = 0;
        for (uint32_t i = 0; i < answer_count; i++) {
            bool inside = answers[i].at >= b && answers[i].at < b + bin;
            in += inside;
            slow += inside && (double)answers[i].latency > 1.1 * (double)p99;
        }
        bool enough = (double)in * (double)(begin - from) >= 0.9 * (double)n * (double)bin;
        good = enough && slow * 100 <= in ? good + 1 : 0;
        if (good == 2)
            return b - bin - begin;
    }
    return INT64_MAX;
}

/* ---- made-up runs ---- */

/* Exact latencies and few of them: at most as many as a histogram keeps exactly before a strike. */
static void make_answers(const struct strike *strikes, uint32_t count)
{
    int64_t pace = (int64_t)(20 + draw(200)) * MILLISECOND / 10;
    answer_count = 0;
    for (int64_t at = 0; at < 110 * SECOND; at += 1 + draw((uint32_t)(2 * pace))) {
        bool hurt = false;
        for (uint32_t i = 0; i < count; i++)
            hurt = hurt || (at >= strikes[i].begin && at < strikes[i].begin + 7 * SECOND);
        if (hurt && draw(3))
            continue;
        int64_t latency = (10 + draw(10)) * MILLISECOND * (hurt && draw(2) ? 3 : 1);
        answers[answer_count++] = (struct answer){at, latency};
    }
}

static uint32_t make_strikes(struct strike *strikes)
{
    uint32_t count = 1 + draw(STRIKES_MAX);
    int64_t begin = 5 * SECOND + (int64_t)draw(40000) * MILLISECOND;
    for (uint32_t i = 0; i < count; i++) {
        strikes[i] = (struct strike){.fault = draw(FAULTS), .begin = begin};
        strikes[i].end = begin + (int64_t)draw(15000) * (draw(4) ? MILLISECOND : 0);
        if (!draw(8))
            strikes[i].end = INT64_MAX;
        begin += (int64_t)draw(30000) * MILLISECOND;
    }
    return count;
}

static void recovery_is_what_the_definition_says(void)
{
    uint32_t recovered = 0, never = 0, nothing = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct strike strikes[STRIKES_MAX];
        struct arena arena = {0};
        uint32_t count = make_strikes(strikes);
        make_answers(strikes, count);
        struct recovery *r = recovery_begin(&arena, strikes, count, measured);
        for (uint32_t i = 0; i < answer_count; i++)
            recovery_answer(r, answers[i].at, answers[i].latency);
        recovery_end(r);
        for (uint32_t f = 0; f < FAULTS; f++) {
            int64_t expected = -1, taken;
            for (uint32_t i = 0; i < count; i++) {
                int64_t one = strikes[i].fault == f ? naive_strike(strikes, count, i) : -1;
                expected = one > expected ? one : expected;
            }
            bool told = recovery_of(r, f, &taken);
            CU_ASSERT_EQUAL(told, expected >= 0);
            CU_ASSERT(!told || taken == expected);
            recovered += told && taken < INT64_MAX;
            never += told && taken == INT64_MAX;
            nothing += !told;
        }
        arena_free(&arena);
    }
    CU_ASSERT(recovered > 20 && never > 3 && nothing > 3);
}

/* 100 answers a second of 10 ms: bins of 2 s. From 50 s on 2.5 s without any, then 4 s of 20 ms. */
static void silence_and_slowness_are_both_waited_for(void)
{
    struct strike strike = {.begin = 50 * SECOND, .end = 51 * SECOND};
    struct arena arena = {0};
    int64_t taken;
    struct recovery *r = recovery_begin(&arena, &strike, 1, measured);
    for (int64_t at = 0; at < 100 * SECOND; at += 10 * MILLISECOND) {
        int64_t since = at - strike.begin;
        if (since < 0 || since >= 2500 * MILLISECOND)
            recovery_answer(r, at,
                            (since < 0 || since >= 6500 * MILLISECOND ? 10 : 20) * MILLISECOND);
    }
    recovery_end(r);
    CU_ASSERT(recovery_of(r, 0, &taken) && taken == 8 * SECOND);
    CU_ASSERT(!recovery_of(r, 1, &taken));
    arena_free(&arena);
}

SUITE("recovery", TEST(recovery_is_what_the_definition_says),
      TEST(silence_and_slowness_are_both_waited_for))
