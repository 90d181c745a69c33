/* What a cache fetches before anybody asks for it, and how many ask for what is not there. */
#include "engine/kernel/random.h"
#include "tests/cached.h"

#include <stdio.h>

#define WARM(arrivals, cache, rest)                                                                \
    "orrery: 1\nrun: {warmup: 0s, duration: 10s, replications: 1}\nnodes:\n"                       \
    "  app: {kind: client, arrivals: " arrivals ", keys: sequential(40), to: cache}\n"             \
    "  cache: {kind: cache, pattern: read_through, " cache ", to: db}\n"                           \
    "  db: {kind: database, slots: 1000, read: 10ms}\n" rest

#define ALL "preload: {keys: uniform(40), count: 40, rate: 100/s}"

/* Reads of 40 keys in turn, the first after 1 s: all are there, after 0, 10 .. 390 ms. */
static void what_is_fetched_before_is_there(void)
{
    struct played p;
    play(&p, WARM("[0s constant(0/s), 1s constant(4/s)]", ALL, ""), 1);
    CU_ASSERT_EQUAL(p.all, 40);
    CU_ASSERT_EQUAL(cache_of(&p)->table.count, 40);
    played_free(&p);
}

/* The keys of the client's ranking, wherever it has put them: ten of the likeliest of Zipf. */
static void the_likeliest_keys_are_fetched(void)
{
    struct played p;
    play(&p,
         WARM("constant(0.01/s)", "preload: {keys: zipf(1.0 40 shuffle=3 offset=100), count: 10}",
              ""),
         1);
    struct key_chooser keys = {0};
    struct arena arena = {0};
    const char *why;
    CU_ASSERT_TRUE(keys_make_zipf(&keys, &arena, 1.0, 40, &why));
    CU_ASSERT_TRUE(keys_shuffle(&keys, 3, &why));
    CU_ASSERT_TRUE(keys_offset(&keys, 100, &why));
    uint64_t often[140] = {0};
    for (uint64_t i = 0; i < 400000; i++)
        often[keys_choose(&keys, random_mix(i), i)]++;
    for (uint64_t key = 100; key < 140; key++) {
        bool likely = (double)often[key] > 400000 / 4.2785 / 10.5;
        CU_ASSERT_EQUAL(cache_table_find(&cache_of(&p)->table, 0, key) != 0, likely);
    }
    arena_free(&arena);
    played_free(&p);
}

/* A crash at 4.1 s: it begins again. What readers have fetched meanwhile is passed over. */
static void it_begins_again_after_a_crash(void)
{
    struct played p;
    play(&p,
         WARM("[0s constant(0/s), 9s constant(4/s)]", ALL,
              "faults: [{at: 4100ms, for: 10ms, crash: cache}]\n"),
         1);
    CU_ASSERT_EQUAL(p.all, 80);
    played_free(&p);
}

/* Each key belongs to one of three caches: it is fetched once, with a cache for each from three. */
static void a_ring_of_caches_holds_each_key_once(void)
{
    static const struct {
        const char *policy;
        const char *pattern;
        uint64_t least, most;
    } cases[] = {{"consistent_hash", "read_through", 40, 40},
                 {"consistent_hash", "cache_aside", 40, 40},
                 {"rendezvous", "read_through", 40, 40},
                 {"round_robin", "read_through", 120, 120},
                 {"random", "read_through", 100, 120}};
    for (int i = 0; i < 5; i++) {
        char text[1024];
        struct played p;
        snprintf(text, sizeof text,
                 "orrery: 1\nrun: {warmup: 0s, duration: 100s, replications: 1}\nnodes:\n"
                 "  app: {kind: client, arrivals: constant(10/s), keys: sequential(40), to: ring}\n"
                 "  ring: {kind: load_balancer, policy: %s, to: cache}\n"
                 "  cache: {kind: cache, count: 3, pattern: %s, to: db}\n"
                 "  db: {kind: database, read: 1ms}\n",
                 cases[i].policy, cases[i].pattern);
        play(&p, text, 1);
        CU_ASSERT_TRUE(p.all >= cases[i].least && p.all <= cases[i].most);
        played_free(&p);
    }
}

SUITE("preloading", TEST(what_is_fetched_before_is_there), TEST(the_likeliest_keys_are_fetched),
      TEST(it_begins_again_after_a_crash), TEST(a_ring_of_caches_holds_each_key_once))
