/* Two levels of caches, inclusive and exclusive. */
#include "tests/cached.h"

#include <stdio.h>

static uint64_t levels(const char *second, const char *rest)
{
    char text[1024];
    snprintf(text, sizeof text,
             "orrery: 1\nrun: {warmup: 0s, duration: 10s, replications: 1}\nnodes:\n"
             "  app: {kind: client, arrivals: constant(4/s), keys: sequential(4), to: cache}\n"
             "  cache: {kind: cache, pattern: read_through, capacity: 2, to: second}\n"
             "  second: {kind: cache, pattern: read_through, capacity: %s, to: db}\n"
             "  db: {kind: database, read: 10ms}\n%s",
             second, rest);
    return asked(text);
}

/* Four keys in turn, room for two and two. What is kept twice leaves room for two, and by the order
 * of reading the one that went is always the next; kept once there is room for all four. */
static void what_is_kept_once_has_more_room(void)
{
    CU_ASSERT_EQUAL(levels("2", ""), 40);
    CU_ASSERT_EQUAL(levels("2, exclusive: true", ""), 4);
    CU_ASSERT_EQUAL(levels("1, exclusive: true", ""), 40);
    CU_ASSERT_EQUAL(levels("4", ""), 4);
}

/* Whatever is read, no key is in both. */
static void no_copy_is_in_both(void)
{
    struct played p;
    play(&p,
         "orrery: 1\nrun: {warmup: 0s, duration: 100s, replications: 1}\nnodes:\n"
         "  app: {kind: client, arrivals: poisson(50/s), keys: zipf(0.9 200), to: cache}\n"
         "  cache: {kind: cache, pattern: read_through, capacity: 20, to: second}\n"
         "  second: {kind: cache, pattern: read_through, capacity: 30, exclusive: true, to: db}\n"
         "  db: {kind: database}\n",
         1);
    const struct cache *first = cache_of(&p);
    const struct cache *second =
        p.simulation->agents[node_in(p.loaded.blueprint, "second")->first].durable;
    CU_ASSERT_EQUAL(first->table.count, 20);
    CU_ASSERT_EQUAL(second->table.count, 30);
    for (uint64_t key = 0; key < 200; key++)
        CU_ASSERT_FALSE(cache_table_find(&first->table, 0, key) &&
                        cache_table_find(&second->table, 0, key));
    played_free(&p);
}

SUITE("levels of caches", TEST(what_is_kept_once_has_more_room), TEST(no_copy_is_in_both))
