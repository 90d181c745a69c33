/* Caches: the order in which copies go, worked out by hand and against a naive list; expiry, one
 * question for all, crashes, and that nothing is left over whatever happens. */
#include "engine/kernel/random.h"
#include "tests/cached.h"

#include <stdio.h>

/* ---- the table ---- */

enum { KEYS = 40, ROOM = 12 };

/* True where it was there; else the one that had to go stands in *gone. */
static bool use(struct cache_table *t, uint64_t key, uint64_t *gone)
{
    uint32_t slot = cache_table_find(t, 0, key);
    *gone = 0;
    if (slot) {
        cache_table_touch(t, slot);
        return true;
    }
    cache_table_miss(t, 0, key);
    struct cache_list *list = cache_table_list(t, 0);
    if (list->count == t->room) {
        uint32_t victim = cache_table_victim(t, list);
        *gone = t->copies[victim].key;
        cache_table_remove(t, victim, CACHE_EVICTED);
    }
    cache_table_add(t, 0, key);
    return false;
}

/* Room for four, A B C B D E C F: E takes the place of A and F that of B. */
static void the_one_not_read_for_longest_goes(void)
{
    static const char accesses[] = "ABCBDECF", evicted[] = "     A B";
    static const bool hits[] = {false, false, false, true, false, false, true, false};
    struct arena arena = {0};
    struct cache_table t;
    uint64_t gone;
    cache_table_init(&t, &arena, &eviction_lru, 4, NULL);
    for (int i = 0; accesses[i]; i++) {
        CU_ASSERT_EQUAL(use(&t, (uint64_t)accesses[i], &gone), hits[i]);
        CU_ASSERT_EQUAL(gone, evicted[i] == ' ' ? 0 : (uint64_t)evicted[i]);
    }
    arena_free(&arena);
}

/* A naive list, newest first: moved to the front by a hit (lru) or not (fifo). */
static void agrees_with_a_naive_list(enum eviction_policy eviction)
{
    struct arena arena = {0};
    struct cache_table t;
    uint64_t list[ROOM + 1], gone;
    uint32_t count = 0;
    cache_table_init(&t, &arena, eviction_policies[eviction], ROOM, NULL);
    for (uint64_t turn = 0; turn < 20000; turn++) {
        uint64_t key = 1 + random_mix(turn) % KEYS, expected = 0;
        uint32_t at = 0;
        while (at < count && list[at] != key)
            at++;
        bool there = at < count;
        if (!there)
            at = count++;
        if (!there || eviction == EVICTION_lru) {
            memmove(list + 1, list, at * sizeof *list);
            list[0] = key;
        }
        if (count > ROOM)
            expected = list[--count];
        CU_ASSERT_EQUAL_FATAL(use(&t, key, &gone), there);
        CU_ASSERT_EQUAL_FATAL(gone, expected);
    }
    CU_ASSERT_EQUAL(t.count, ROOM);
    arena_free(&arena);
}

static void lru_agrees_with_a_naive_list(void)
{
    agrees_with_a_naive_list(EVICTION_lru);
}

static void fifo_agrees_with_a_naive_list(void)
{
    agrees_with_a_naive_list(EVICTION_fifo);
}

/* Room for three. A was read again: the hand spares it and takes B for D, then C for E. */
static void sieve_spares_what_was_read(void)
{
    static const char accesses[] = "ABCADE", evicted[] = "    BC";
    struct arena arena = {0};
    struct cache_table t;
    uint64_t gone;
    cache_table_init(&t, &arena, &eviction_sieve, 3, NULL);
    for (int i = 0; accesses[i]; i++) {
        use(&t, (uint64_t)accesses[i], &gone);
        CU_ASSERT_EQUAL(gone, evicted[i] == ' ' ? 0 : (uint64_t)evicted[i]);
    }
    arena_free(&arena);
}

static void holders_have_room_of_their_own(void)
{
    struct arena arena = {0};
    struct cache_table t;
    cache_table_init(&t, &arena, &eviction_lru, 0, NULL);
    for (uint64_t holder = 1; holder <= 20; holder++)
        for (uint64_t key = 0; key < 5; key++)
            cache_table_add(&t, holder, key);
    for (uint64_t holder = 1; holder <= 20; holder++) {
        uint32_t slot = cache_table_find(&t, holder, 3);
        CU_ASSERT_EQUAL(t.lists[t.copies[slot].list].count, 5);
        CU_ASSERT_EQUAL(t.copies[cache_table_victim(&t, cache_table_list(&t, holder))].key, 0);
    }
    CU_ASSERT_EQUAL(cache_table_find(&t, 21, 3), 0);
    arena_free(&arena);
}

/* ---- the kind ---- */

#define SYSTEM(arrivals, cache, rest)                                                              \
    "orrery: 1\nrun: {warmup: 0s, duration: 10s, replications: 1}\nnodes:\n"                       \
    "  app: {kind: client, arrivals: " arrivals ", keys: uniform(1), to: cache}\n"                 \
    "  cache: {kind: cache, " cache ", to: db}\n"                                                  \
    "  db: {kind: database, slots: 1000, read: 100ms, write: 10ms}\n" rest

/* Reads at 0, 250 ms .. 9750 ms. A copy made at 100 ms is gone at 1100 ms: 0, 1250 ms, 2500 ms ..
 * 8750 ms miss. */
static void copies_expire(void)
{
    CU_ASSERT_EQUAL(asked(SYSTEM("constant(4/s)", "pattern: read_through, ttl: 1s", "")), 8);
    CU_ASSERT_EQUAL(asked(SYSTEM("constant(4/s)", "pattern: read_through", "")), 1);
}

/* The copy made at 100 ms is read every 250 ms: it never expires. */
static void a_sliding_expiry_begins_anew_with_every_hit(void)
{
    CU_ASSERT_EQUAL(
        asked(SYSTEM("constant(4/s)", "pattern: read_through, ttl: 300ms, sliding: true", "")), 1);
}

/* Ten at once, each second; each copy is gone by the next. */
static void one_asks_for_all(void)
{
    CU_ASSERT_EQUAL(asked(SYSTEM("batches(10 every 1s)", "pattern: read_through, ttl: 500ms", "")),
                    100);
    CU_ASSERT_EQUAL(asked(SYSTEM("batches(10 every 1s)",
                                 "pattern: read_through, ttl: 500ms, single_flight: true", "")),
                    10);
}

/* The first is asked for at 0; then every read finds the old copy, and 0.25 s after each expiry the
 * store is asked in the background: the copy of 100 ms, asked for again at 1250 ms, is there at
 * 1350 ms: expiries at 1100, 2350, 3600 ms .. 8600 ms, 9850 ms: seven times more. */
static void an_old_copy_answers_while_one_asks(void)
{
    struct played p;
    play(&p,
         SYSTEM("constant(4/s)", "pattern: read_through, ttl: 1s, stale_while_revalidate: 1s", ""),
         1);
    CU_ASSERT_EQUAL(p.asked, 8);
    played_free(&p);
}

/* The store is asked at 0; the cache crashes at 4.1 s, and the read at 4.25 s finds it empty. */
static void a_crash_empties_it(void)
{
    static const char *const patterns[] = {"cache_aside", "read_through", "write_through"};
    for (int i = 0; i < 3; i++) {
        char text[1024];
        snprintf(text, sizeof text,
                 SYSTEM("constant(4/s)", "pattern: %s",
                        "faults: [{at: 4100ms, for: 10ms, crash: cache}]\n"),
                 patterns[i]);
        CU_ASSERT_EQUAL(asked(text), 2);
    }
}

/* Of the 40 reads four find the cache down, and one finds it empty. */
static void who_asks_aside_goes_on_without_the_cache(void)
{
    struct played p;
    play(&p,
         SYSTEM("constant(4/s)", "pattern: cache_aside",
                "faults: [{at: 3900ms, for: 1s, crash: cache}]\n"
                "links: {default: {latency: 1ms, give_up: 20ms}}\n"),
         1);
    CU_ASSERT_EQUAL(p.asked, 1 + 4 + 1);
    played_free(&p);
}

static void a_flush_empties_it(void)
{
    CU_ASSERT_EQUAL(asked(SYSTEM("constant(4/s)", "pattern: read_through",
                                 "faults: [{at: 4100ms, flush: cache}]\n")),
                    2);
}

#define BACK(arrivals, keys, duration, every, rest)                                                \
    "orrery: 1\nrun: {warmup: 0s, duration: " duration ", replications: 1}\nnodes:\n"              \
    "  app: {kind: client, arrivals: " arrivals ", operations: {write: 100%}, keys: " keys         \
    ", to: cache}\n"                                                                               \
    "  cache: {kind: cache, pattern: write_back, flush: interval(every=" every "), to: db}\n"      \
    "  db: {kind: database, slots: 1000, write: 10ms}\n"                                           \
    "links: {default: {latency: 1ms}}\n" rest

/* Ten writes a second, each of another key, flushed at every full second: at 5.55 s those of 5.0 to
 * 5.5 s wait, six of them. It flushes again one second after the crash and every second from then
 * on: what was written up to 9.5 s has gone to the store by 10 s, 96 but for those six. */
static void what_waits_is_lost_in_a_crash(void)
{
    CU_ASSERT_EQUAL(asked(BACK("constant(10/s)", "sequential(1M)", "10s", "1s", "")), 100 - 10);
    CU_ASSERT_EQUAL(asked(BACK("constant(10/s)", "sequential(1M)", "10s", "1s",
                               "faults: [{at: 5550ms, restart: cache}]\n")),
                    96 - 6);
}

/* 100 writes a second of 1,000 keys with Zipf(1.0), flushed every 5 s: each flush writes the keys
 * that were written at least once, sum of 1 - exp(-500 p) = 210.74 of them, with a standard
 * deviation below 12. A flush every 5 s for 2,000 s. */
static void a_flush_writes_each_key_once(void)
{
    struct played p;
    play(&p, BACK("poisson(100/s)", "zipf(1.0 1k)", "2000s", "5s", ""), 1);
    CU_ASSERT_DOUBLE_EQUAL((double)p.all / 400, 210.7365, 4 * 12 / 20.0);
    played_free(&p);
}

/* Three values of 4 KB, read in turn: by the order of reading the one that went is always the next,
 * unless there is room for all; one that is larger than the cache never has a copy. */
static void room_is_counted_in_bytes(void)
{
    static const struct {
        const char *capacity;
        uint64_t asked;
    } cases[] = {{"11KB", 40}, {"12KB", 3}, {"3KB", 40}, {"2", 40}, {"3", 3}};
    for (int i = 0; i < 5; i++) {
        char text[1024];
        snprintf(text, sizeof text,
                 "orrery: 1\nrun: {warmup: 0s, duration: 10s, replications: 1}\nnodes:\n"
                 "  app: {kind: client, arrivals: constant(4/s), keys: sequential(3), sizes: 4KB, "
                 "to: cache}\n"
                 "  cache: {kind: cache, pattern: read_through, capacity: %s, to: db}\n"
                 "  db: {kind: database, read: 10ms}\n",
                 cases[i].capacity);
        CU_ASSERT_EQUAL(asked(text), cases[i].asked);
    }
}

/* ---- whatever happens ---- */

static void nothing_is_left_over(void)
{
    static const char *const caches[] = {
        "pattern: cache_aside, ttl: exp(1s)",
        "pattern: cache_aside, single_flight: true, lease: 50ms, ttl: 500ms",
        "pattern: read_through, single_flight: true, ttl: 500ms, stale_while_revalidate: 300ms",
        "pattern: write_through, single_flight: true, eviction: sieve, stale_if_error: 1s",
        "pattern: write_back, flush: interval(every=200ms batch=7 dirty_limit=20)",
        "pattern: write_around, on_write: update, scope: instance, eviction: fifo",
        "pattern: refresh_ahead, ttl: 100ms, single_flight: true",
        "pattern: write_through, ttl: 200ms, early_refresh: probabilistic(beta=2)",
        "pattern: cache_aside, single_flight: true, negative_ttl: exp(1s)",
        "pattern: read_through, single_flight: true, negative_ttl: 1s, ttl: 3s",
        "pattern: cache_aside, scope: session, on_write: none, time: exp(1ms), slots: 2",
    };
    for (uint32_t i = 0; i < sizeof caches / sizeof *caches; i++)
        for (uint64_t seed = 1; seed <= 5; seed++) {
            char text[2048];
            snprintf(text, sizeof text,
                     "orrery: 1\nrun: {warmup: 0s, duration: 10s, replications: 1, drain: 200s}\n"
                     "nodes:\n"
                     "  app: {kind: client, count: 3, arrivals: [0s poisson(100/s), 9s "
                     "poisson(0.001/s)], operations: "
                     "{read: 70%%, write: 20%%, delete: 10%%}, keys: uniform(30), sessions: 20, "
                     "timeout: 200ms, retry: {attempts: 2}, to: web}\n"
                     "  web: {kind: service, count: 2, slots: 8, time: exp(1ms), timeout: 80ms, "
                     "on_timeout: cancel, to: cache}\n"
                     "  cache: {kind: cache, capacity: 10, %s, to: db}\n"
                     "  db: {kind: database, slots: 4, read: exp(8ms), write: exp(8ms)}\n"
                     "links: {default: {latency: uniform(0.1ms..3ms), loss: 2%%, duplicate: 3%%, "
                     "reorder: 5%%}}\n"
                     "faults:\n"
                     "  - {at: 1s, for: 300ms, every: 1900ms, crash: cache}\n"
                     "  - {at: 2s, for: 300ms, every: 2700ms, pause: cache}\n"
                     "  - {at: 2s, for: 200ms, every: 2300ms, partition: cache | db}\n"
                     "  - {at: 1500ms, for: 200ms, every: 3100ms, crash: web.1}\n",
                     caches[i]);
            struct played p;
            play(&p, text, seed);
            simulation_advance(p.simulation, 30 * SECOND);
            CU_ASSERT_EQUAL(p.simulation->totals.issued, p.simulation->totals.ended);
            CU_ASSERT_TRUE(p.simulation->totals.issued > 2400);
            const struct cache_table *t = &cache_of(&p)->table;
            uint64_t there = 0, dirty = 0;
            for (uint32_t slot = 1; slot < t->copies_used; slot++) {
                there += t->copies[slot].takes_part;
                dirty += t->copies[slot].takes_part && t->copies[slot].dirty;
            }
            CU_ASSERT_EQUAL(there, t->count);
            CU_ASSERT_EQUAL(dirty, t->dirty);
            for (uint32_t list = 0; list < t->lists_used; list++)
                CU_ASSERT_TRUE(t->lists[list].count <= 10);
            played_free(&p);
        }
}

SUITE("cache", TEST(the_one_not_read_for_longest_goes), TEST(lru_agrees_with_a_naive_list),
      TEST(fifo_agrees_with_a_naive_list), TEST(sieve_spares_what_was_read),
      TEST(holders_have_room_of_their_own), TEST(copies_expire),
      TEST(a_sliding_expiry_begins_anew_with_every_hit), TEST(one_asks_for_all),
      TEST(an_old_copy_answers_while_one_asks), TEST(a_crash_empties_it),
      TEST(room_is_counted_in_bytes), TEST(a_flush_empties_it), TEST(what_waits_is_lost_in_a_crash),
      TEST(a_flush_writes_each_key_once), TEST(who_asks_aside_goes_on_without_the_cache),
      TEST(nothing_is_left_over))
