/* What is remembered of keys that hold nothing. */
#include "tests/cached.h"

#include <stdio.h>

static uint64_t played(const char *pattern, const char *more, const char *absent)
{
    char text[1024];
    snprintf(text, sizeof text,
             "orrery: 1\nrun: {warmup: 0s, duration: 10s, replications: 1}\nnodes:\n"
             "  app: {kind: client, arrivals: constant(4/s), keys: uniform(1), to: cache}\n"
             "  cache: {kind: cache, pattern: %s%s, to: db}\n"
             "  db: {kind: database, slots: 1000, read: 100ms, absent: %s}\n",
             pattern, more, absent);
    return asked(text);
}

/* Reads at 0, 250 .. 9750 ms of a key that does not exist. Remembered for 1 s from 100 ms on: 0,
 * 1250, 2500 .. 8750 ms ask. That copies live for ever does not matter. */
static void that_there_is_nothing_is_remembered_for_so_long(void)
{
    static const char *const patterns[] = {"cache_aside", "read_through", "write_through"};
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(played(patterns[i], "", "0%"), 1);
        CU_ASSERT_EQUAL(played(patterns[i], "", "100%"), 40);
        CU_ASSERT_EQUAL(played(patterns[i], ", negative_ttl: 1s", "100%"), 8);
        CU_ASSERT_EQUAL(played(patterns[i], ", negative_ttl: 1s, ttl: 2h", "100%"), 8);
        CU_ASSERT_EQUAL(played(patterns[i], ", negative_ttl: 1s, ttl: 2h", "0%"), 1);
    }
}

/* Of n = 10,000 keys, each read once and once more, a share of 30 % holds nothing and is asked for
 * twice: 13,000 questions, with a standard deviation of sqrt(n 0.3 0.7) = 45.8. */
static void a_share_of_the_keys_holds_nothing(void)
{
    struct played p;
    play(&p,
         "orrery: 1\nrun: {warmup: 0s, duration: 20s, replications: 1}\nnodes:\n"
         "  app: {kind: client, arrivals: constant(1000/s), keys: sequential(10k), to: cache}\n"
         "  cache: {kind: cache, pattern: read_through, to: db}\n"
         "  db: {kind: database, absent: 30%}\n",
         1);
    CU_ASSERT_DOUBLE_EQUAL((double)p.all, 13000, 4 * 45.8);
    CU_ASSERT_DOUBLE_EQUAL((double)cache_of(&p)->table.count, 7000, 4 * 45.8);
    played_free(&p);
}

/* Who deletes and who writes change what there is: the copy goes with the write. The database holds
 * something again as soon as it was written, which a read may then see. */
static void a_write_ends_it(void)
{
    struct played p;
    play(&p,
         "orrery: 1\nrun: {warmup: 0s, duration: 10s, replications: 1}\nnodes:\n"
         "  app: {kind: client, arrivals: constant(4/s), keys: uniform(1), to: cache}\n"
         "  other: {kind: client, arrivals: [0s constant(0/s), 5s constant(0.1/s)], "
         "operations: {write: 100%}, keys: uniform(1), to: cache}\n"
         "  cache: {kind: cache, pattern: read_through, negative_ttl: 1h, to: db}\n"
         "  db: {kind: database, slots: 9, read: 10ms, write: 10ms, absent: 100%}\n",
         1);
    const struct cache_table *t = &cache_of(&p)->table;
    uint32_t slot = cache_table_find(t, 0, 0);
    CU_ASSERT_TRUE_FATAL(slot != 0);
    CU_ASSERT_FALSE(t->copies[slot].absent);
    CU_ASSERT_EQUAL(p.all, 3);
    played_free(&p);
}

SUITE("negative caching", TEST(that_there_is_nothing_is_remembered_for_so_long),
      TEST(a_share_of_the_keys_holds_nothing), TEST(a_write_ends_it))
