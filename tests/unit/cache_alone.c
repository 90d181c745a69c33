/* Caches without a store behind, and steps that go on where a cache had nothing. */
#include "tests/cached.h"

#define STEPS(arrivals, cache, list)                                                               \
    "orrery: 1\nrun: {warmup: 0s, duration: 10s, replications: 1}\nnodes:\n"                       \
    "  app: {kind: client, arrivals: " arrivals ", keys: uniform(1), to: web}\n"                   \
    "  web: {kind: service, slots: unlimited, steps: " list "}\n"                                  \
    "  cache: {kind: cache, " cache "}\n"                                                          \
    "  other: {kind: cache, pattern: store_only}\n"                                                \
    "  db: {kind: database, slots: 1000, read: 10ms, write: 10ms}\n"

#define FETCH "[cache, {call: db, if: miss}, {send: cache, as: write, if: miss}]"

/* Every 250 ms from 0 s on, 40 reads. What was brought at 10 ms is gone at 1010 ms: the reads of 0,
 * 1250, 2500 .. 8750 ms miss. */
static void steps_fetch_what_is_missing(void)
{
    CU_ASSERT_EQUAL(asked(STEPS("constant(4/s)", "pattern: store_only, ttl: 1s", FETCH)), 8);
    CU_ASSERT_EQUAL(asked(STEPS("constant(4/s)", "pattern: store_only", FETCH)), 1);
    CU_ASSERT_EQUAL(
        asked(STEPS("constant(4/s)", "pattern: store_only", "[cache, {call: db, if: miss}]")), 40);
}

/* A cache whose own store answers tells too; the second of two levels counts where it is asked. */
static void the_cache_asked_last_counts(void)
{
    CU_ASSERT_EQUAL(asked(STEPS("constant(4/s)", "pattern: read_through, to: db",
                                "[cache, {call: db, if: miss}]")),
                    2);
    CU_ASSERT_EQUAL(asked(STEPS("constant(4/s)", "pattern: store_only, ttl: 1s",
                                "[cache, {call: other, if: miss}, {call: db, if: miss}, "
                                "{send: other, as: write, if: miss}]")),
                    1);
}

/* Of several asked at once one that has nothing is enough; in a list of its own the last counts. */
static void groups_tell_what_their_branches_found(void)
{
    CU_ASSERT_EQUAL(asked(STEPS("constant(4/s)", "pattern: store_only",
                                "[{all: [cache, {steps: [other]}]}, {call: db, if: miss}, "
                                "{send: other, as: write, if: miss}]")),
                    40);
    CU_ASSERT_EQUAL(asked(STEPS("constant(4/s)", "pattern: store_only",
                                "[{steps: [cache]}, {call: db, if: miss}, "
                                "{send: cache, as: write}]")),
                    1);
}

/* An error is no miss. */
static void a_cache_that_is_down_has_not_missed(void)
{
    CU_ASSERT_EQUAL(asked(STEPS("constant(4/s)", "pattern: store_only, fail: 100%",
                                "[cache, {call: db, if: miss}]")),
                    0);
    CU_ASSERT_EQUAL(asked(STEPS("constant(4/s)", "pattern: store_only, fail: 100%",
                                "[cache, {call: db, if: error}]")),
                    40);
}

/* What it holds is what was written; a compare-and-set wants what it has read: 0, nothing. */
static void it_keeps_what_is_written(void)
{
    static const struct {
        const char *operations;
        uint64_t items;
    } cases[] = {
        {"{write: 100%}", 1}, {"{read: 100%}", 0}, {"{delete: 100%}", 0}, {"{cas: 100%}", 1}};
    for (int i = 0; i < 4; i++) {
        char text[512];
        struct played p;
        snprintf(text, sizeof text,
                 "orrery: 1\nrun: {warmup: 0s, duration: 10s, replications: 1}\nnodes:\n"
                 "  app: {kind: client, arrivals: constant(4/s), operations: %s, to: cache}\n"
                 "  cache: {kind: cache, pattern: store_only}\n",
                 cases[i].operations);
        play(&p, text, 1);
        CU_ASSERT_EQUAL(cache_of(&p)->table.count, cases[i].items);
        CU_ASSERT_EQUAL(p.simulation->totals.ended, 41);
        played_free(&p);
    }
}

SUITE("caches without a store", TEST(steps_fetch_what_is_missing),
      TEST(the_cache_asked_last_counts), TEST(groups_tell_what_their_branches_found),
      TEST(a_cache_that_is_down_has_not_missed), TEST(it_keeps_what_is_written))
