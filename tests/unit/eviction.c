/* Policies of eviction: misses on made-up traces against libCacheSim (commit aa0fc409, unit sizes,
 * every request counted), exactly where a policy leaves nothing open, else within 0.6 points; and
 * what holds for all of them whatever happens. */
#include "engine/kernel/simulation.h"
#include "models/cache_table.h"
#include "tests/suite.h"

#include <math.h>
#include <stdlib.h>

/* ---- a trace that anybody can make again ---- */

/* Requests for 1 .. `keys` by Zipf's law: key i has the weight floor(2^40 / i^alpha + 1/2), and a
 * draw of 64 bits (splitmix64) picks by the upper half of its product with the sum of weights. */
struct trace {
    uint64_t *sums, state;
    uint32_t keys;
};

static struct trace trace_open(uint32_t keys, double alpha, uint64_t seed)
{
    struct trace t = {.sums = calloc(keys + 1, sizeof(uint64_t)), .state = seed, .keys = keys};
    CU_ASSERT_PTR_NOT_NULL_FATAL(t.sums);
    for (uint32_t i = 1; i <= keys; i++)
        t.sums[i] = t.sums[i - 1] + (uint64_t)floor(pow((double)i, -alpha) * 1099511627776.0 + 0.5);
    return t;
}

static uint32_t trace_next(struct trace *t)
{
    t->state += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t z = t->state;
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    z ^= z >> 31;
    uint64_t r = (uint64_t)(((unsigned __int128)z * t->sums[t->keys]) >> 64);
    uint32_t low = 1, high = t->keys;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (t->sums[middle] > r)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* ---- a cache of copies of one size ---- */

static bool use(struct cache_table *t, uint64_t key)
{
    uint32_t slot = cache_table_find(t, 0, key);
    if (slot) {
        cache_table_touch(t, slot);
        return true;
    }
    cache_table_miss(t, 0, key);
    struct cache_list *list = cache_table_list(t, 0);
    if (list->count == t->room)
        cache_table_remove(t, cache_table_victim(t, list), CACHE_EVICTED);
    cache_table_add(t, 0, key);
    return false;
}

static const struct {
    uint32_t keys, requests;
    double alpha;
    uint64_t seed, rooms[3];
} traces[] = {
    {100000, 1000000, 0.8, 42, {100, 1000, 10000}},
    {100000, 1000000, 1.0, 42, {100, 1000, 10000}},
    {100000, 1000000, 1.2, 42, {100, 1000, 10000}},
    {100, 2000, 1.0, 7, {10, 20, 50}},
};

/* The requests of one of them, made at the first use; given back by the system. */
static const uint32_t *requests_of(int trace)
{
    static uint32_t *made[4];
    if (made[trace])
        return made[trace];
    struct trace t = trace_open(traces[trace].keys, traces[trace].alpha, traces[trace].seed);
    made[trace] = calloc(traces[trace].requests, sizeof(uint32_t));
    CU_ASSERT_PTR_NOT_NULL_FATAL(made[trace]);
    for (uint32_t i = 0; i < traces[trace].requests; i++)
        made[trace][i] = trace_next(&t);
    free(t.sums);
    return made[trace];
}

static uint64_t misses(int trace, int size, enum eviction_policy policy)
{
    struct arena arena = {0};
    struct cache_table table;
    struct stream stream;
    const uint32_t *requests = requests_of(trace);
    uint64_t count = 0, room = traces[trace].rooms[size];
    stream_open(&stream, 1, 1, "cache", "policy");
    cache_table_init(&table, &arena, eviction_policies[policy], room, &stream);
    for (uint32_t i = 0; i < traces[trace].requests; i++)
        count += !use(&table, requests[i]);
    CU_ASSERT_EQUAL(table.count, room);
    arena_free(&arena);
    return count;
}

static void misses_are_exact(void)
{
    static const struct {
        enum eviction_policy policy;
        uint64_t misses[4][3];
    } rows[] = {
        {EVICTION_lru,
         {{932328, 796333, 533043},
          {710355, 494546, 265218},
          {394694, 204958, 85870},
          {1185, 848, 383}}},
        {EVICTION_fifo,
         {{942601, 821170, 572912},
          {749789, 535692, 300827},
          {446778, 237418, 102188},
          {1287, 974, 468}}},
        {EVICTION_clock,
         {{926280, 786644, 521187},
          {697526, 482989, 257188},
          {382593, 198184, 83092},
          {1158, 818, 384}}},
        {EVICTION_sieve,
         {{838181, 691236, 462273},
          {587141, 402954, 224807},
          {306468, 160011, 74966},
          {966, 702, 330}}},
        {EVICTION_lfu,
         {{850761, 695829, 462317},
          {591964, 407435, 224807},
          {316049, 161470, 74966},
          {928, 689, 338}}},
    };
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
        for (int t = 0; t < 4; t++)
            for (int c = 0; c < 3; c++)
                CU_ASSERT_EQUAL(misses(t, c, rows[r].policy), rows[r].misses[t][c]);
}

/* Their papers leave details open, which libCacheSim has decided in its own way. */
static void misses_are_near(void)
{
    static const struct {
        enum eviction_policy policy;
        double ratios[3][3];
    } rows[] = {
        {EVICTION_slru,
         {{0.843519, 0.696391, 0.461176},
          {0.601561, 0.41236, 0.226921},
          {0.32027, 0.166283, 0.076172}}},
        {EVICTION_two_q,
         {{0.847642, 0.70241, 0.474329},
          {0.607401, 0.418629, 0.235411},
          {0.326152, 0.170457, 0.080453}}},
        {EVICTION_arc,
         {{0.838274, 0.690597, 0.464377},
          {0.593847, 0.406161, 0.225691},
          {0.31409, 0.162526, 0.073798}}},
        {EVICTION_lirs,
         {{0.837117, 0.690128, 0.464598},
          {0.591546, 0.405831, 0.225919},
          {0.311399, 0.162295, 0.07398}}},
        {EVICTION_s3_fifo,
         {{0.834279, 0.685019, 0.455137},
          {0.588928, 0.402355, 0.222343},
          {0.309381, 0.160931, 0.074797}}},
        {EVICTION_w_tinylfu,
         {{0.839704, 0.681692, 0.449586},
          {0.595259, 0.397374, 0.219512},
          {0.313542, 0.158489, 0.07499}}},
    };
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
        for (int t = 0; t < 3; t++)
            for (int c = 0; c < 3; c++) {
                double ratio = (double)misses(t, c, rows[r].policy) / traces[t].requests;
                if (fabs(ratio - rows[r].ratios[t][c]) > 0.006)
                    printf("policy %d, alpha %g, room %d: %f instead of %f\n", rows[r].policy,
                           traces[t].alpha, (int)traces[t].rooms[c], ratio, rows[r].ratios[t][c]);
                CU_ASSERT_DOUBLE_EQUAL(ratio, rows[r].ratios[t][c], 0.006);
            }
}

/* Under independent requests it makes no difference to FIFO which one goes (Gelenbe 1973). */
static void random_misses_as_often_as_fifo(void)
{
    for (int t = 0; t < 3; t++)
        for (int c = 0; c < 2; c++) {
            double fifo = (double)misses(t, c, EVICTION_fifo);
            double any = (double)misses(t, c, EVICTION_random);
            CU_ASSERT_DOUBLE_EQUAL(any / fifo, 1, 0.004);
        }
}

/* ---- whatever happens ---- */

/* Reads, writes that delete, and rooms of any size, also counted otherwise: a copy that is there is
 * found, one that went is not, and every policy knows all there are and nothing else. */
static void nothing_gets_lost(void)
{
    enum { KEYS = 60 };
    for (uint32_t policy = 0; policy < EVICTION_COUNT; policy++)
        for (uint64_t seed = 1; seed <= 300; seed++) {
            struct arena arena = {0};
            struct cache_table t;
            struct stream stream;
            bool there[KEYS] = {false};
            uint64_t room = 1 + random_mix(seed) % 20, count = 0;
            bool counted = seed % 3;
            stream_open(&stream, seed, 1, "cache", "policy");
            cache_table_init(&t, &arena, eviction_policies[policy], counted ? room : 0, &stream);
            for (uint64_t turn = 0; turn < 3000; turn++) {
                uint64_t draw = random_mix(turn ^ random_mix(seed)), key = draw % KEYS;
                key = draw >> 40 & 1 ? key % 12 : key;
                uint32_t slot = cache_table_find(&t, 0, key);
                CU_ASSERT_EQUAL_FATAL(slot != 0, there[key]);
                if (slot && draw >> 50 & 3) {
                    cache_table_touch(&t, slot);
                    continue;
                }
                if (slot) {
                    cache_table_remove(&t, slot, CACHE_INVALIDATED);
                    there[key] = false;
                    count--;
                    continue;
                }
                cache_table_miss(&t, 0, key);
                struct cache_list *list = cache_table_list(&t, 0);
                while (list->count >= room) {
                    uint32_t victim = cache_table_victim(&t, list);
                    CU_ASSERT_TRUE_FATAL(victim && t.copies[victim].takes_part);
                    there[t.copies[victim].key] = false;
                    cache_table_remove(&t, victim, CACHE_EVICTED);
                    count--;
                }
                cache_table_add(&t, 0, key);
                there[key] = true;
                count++;
                CU_ASSERT_EQUAL_FATAL(t.count, count);
            }
            while (t.count) {
                uint32_t victim = cache_table_victim(&t, cache_table_list(&t, 0));
                CU_ASSERT_TRUE_FATAL(victim && t.copies[victim].takes_part);
                cache_table_remove(&t, victim, CACHE_EVICTED);
            }
            arena_free(&arena);
        }
}

SUITE("policies of eviction", TEST(misses_are_exact), TEST(misses_are_near),
      TEST(random_misses_as_often_as_fifo), TEST(nothing_gets_lost))
