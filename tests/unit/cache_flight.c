/* One question for all under cache_aside: leases, what ends them, and whom they send next. */
#include "tests/cached.h"

#include <stdio.h>

#define ASIDE(arrivals, cache, read, rest)                                                         \
    "orrery: 1\nrun: {warmup: 0s, duration: 10s, replications: 1}\nnodes:\n"                       \
    "  app: {kind: client, arrivals: " arrivals ", keys: uniform(1), to: cache}\n"                 \
    "  cache: {kind: cache, single_flight: true, " cache ", to: db}\n"                             \
    "  db: {kind: database, slots: 1000, read: " read "}\n" rest

/* Ten at once, each second; each copy is gone by the next. */
static void one_fetches_for_all(void)
{
    CU_ASSERT_EQUAL(asked(ASIDE("batches(10 every 1s)", "ttl: 500ms", "100ms", "")), 10);
}

/* Those who wait get what was fetched, when it was brought: and
 * nobody waits for ever. */
static void who_waits_is_answered_by_the_copy(void)
{
    struct played p;
    play(&p,
         ASIDE("batches(10 every 1s)", "ttl: 500ms", "100ms", "links: {default: {latency: 1ms}}\n"),
         1);
    const struct cache *cache = cache_of(&p);
    CU_ASSERT_EQUAL(p.all, 10);
    CU_ASSERT_EQUAL(p.simulation->totals.ended, 100);
    CU_ASSERT_EQUAL(cache->flights.used, 0);
    played_free(&p);
}

/* Every answer takes longer than the lease: at 0, 1, 2 .. s a batch of three comes, the first asks
 * at once, the second after 200 ms and the third after 400 ms; the copies are there
 * after 500, 700 and 900 ms and gone before the next batch. With leases of 300 ms the third is
 * answered by the first copy. */
static void a_lease_ends(void)
{
    CU_ASSERT_EQUAL(asked(ASIDE("batches(3 every 1s)", "ttl: 50ms, lease: 200ms", "500ms", "")),
                    30);
    CU_ASSERT_EQUAL(asked(ASIDE("batches(3 every 1s)", "ttl: 50ms, lease: 300ms", "500ms", "")),
                    20);
}

/* The copy never comes: whoever waits longest fetches for himself, each 100 ms one. Ten of a batch
 * ask at 0, 100 .. 900 ms. */
static void a_copy_that_is_lost_holds_nobody_for_ever(void)
{
    CU_ASSERT_EQUAL(asked(ASIDE("batches(10 every 1s)", "lease: 100ms", "1ms",
                                "links: {db -> app: {loss: 100%, give_up: 50ms}}\n")),
                    100);
}

/* The leader's cache dies with the lease: the next read begins one of its own. */
static void a_crash_ends_leases(void)
{
    CU_ASSERT_EQUAL(asked(ASIDE("constant(4/s)", "lease: 20s", "600ms",
                                "faults: [{at: 300ms, for: 10ms, crash: cache}]\n"
                                "links: {default: {give_up: 20ms}}\n")),
                    3);
}

SUITE("leases of a cache", TEST(one_fetches_for_all), TEST(who_waits_is_answered_by_the_copy),
      TEST(a_lease_ends), TEST(a_copy_that_is_lost_holds_nobody_for_ever),
      TEST(a_crash_ends_leases))
