/* The hashing family: published vectors, a naive model, and by exhaustion the property for which
 * each was invented: who comes or goes moves no key between two others. */
#include "engine/kernel/random.h"
#include "models/parts/jump.h"
#include "models/parts/maglev.h"
#include "models/parts/rendezvous.h"
#include "models/parts/ring.h"
#include "tests/suite.h"

#include <math.h>

enum { KEYS = 4000, OWNERS_MAX = 12 };

static const double ones[OWNERS_MAX] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

static uint64_t key_hash(uint32_t key)
{
    return random_mix(UINT64_C(0xabcdef) << 20 ^ key);
}

static void ids_make(uint64_t *ids, uint32_t count, uint64_t seed)
{
    for (uint32_t i = 0; i < count; i++)
        ids[i] = random_mix(seed << 32 ^ (i + 1));
}

/* Vectors of the published code (Lamping and Veach 2014), computed from it by others. */
static void jump_gives_the_published_buckets(void)
{
    static const struct {
        uint64_t hash;
        uint32_t buckets, bucket;
    } vectors[] = {{1, 1, 0},           {42, 57, 43},
                   {256, 1024, 520},    {UINT64_C(3735883980), 666, 361},
                   {123456, 1000, 984}, {UINT64_C(10863919174838991), 11, 6}};
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        CU_ASSERT_EQUAL(jump_find(vectors[i].hash, vectors[i].buckets), vectors[i].bucket);
}

static void jump_moves_keys_only_to_the_newcomer(void)
{
    uint32_t wrong = 0, moved = 0;
    for (uint32_t n = 1; n < 60; n++)
        for (uint32_t k = 0; k < KEYS; k++) {
            uint32_t before = jump_find(key_hash(k), n), after = jump_find(key_hash(k), n + 1);
            wrong += before >= n || (after != before && after != n);
            moved += n == 9 && after != before;
        }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_DOUBLE_EQUAL(moved, KEYS / 10.0, 4 * sqrt(KEYS * 0.09)); /* one in ten */
}

/* The owner by looking at every point: the nearest at or after the hash, going round. */
static uint32_t owner_naive(const uint64_t *ids, const uint32_t *points, uint32_t owners,
                            uint64_t hash)
{
    uint64_t best = UINT64_MAX;
    uint32_t owner = 0;
    for (uint32_t i = 0; i < owners; i++)
        for (uint64_t k = 0; k < points[i]; k++) {
            uint64_t at = random_mix(random_mix(ids[i]) + k * RANDOM_GOLDEN);
            if (at - hash <= best) {
                best = at - hash;
                owner = i;
            }
        }
    return owner;
}

static void a_ring_finds_the_next_point_going_round(void)
{
    static const double weights[] = {1, 2, 0.5, 0.01, 3};
    static const uint32_t points[] = {8, 16, 4, 1, 24};
    struct arena arena = {0};
    uint64_t ids[5];
    ids_make(ids, 5, 3);
    struct ring ring = ring_new(&arena, ids, weights, 5, 8);
    CU_ASSERT_EQUAL(ring.count, 53);
    uint32_t wrong = 0;
    for (uint32_t k = 0; k < KEYS; k++)
        wrong += ring.points[ring_find(&ring, key_hash(k))].owner !=
                 owner_naive(ids, points, 5, key_hash(k));
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(ring_find(&ring, ring.points[7].at), 7);
    CU_ASSERT_EQUAL(ring_find(&ring, ring.points[52].at + 1), 0);
    arena_free(&arena);
}

/* The owners of all keys when those of `present` are there, in numbers of the whole. */
typedef void assignment(struct arena *arena, const uint64_t *ids, const double *weights,
                        const bool *present, uint32_t count, uint32_t *owners);

static uint32_t keep(const uint64_t *ids, const double *weights, const bool *present,
                     uint32_t count, uint64_t *kept, double *kept_weights, uint32_t *which)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < count; i++)
        if (present[i]) {
            kept[n] = ids[i];
            kept_weights[n] = weights[i];
            which[n++] = i;
        }
    return n;
}

static void assign_ring(struct arena *arena, const uint64_t *ids, const double *weights,
                        const bool *present, uint32_t count, uint32_t *owners)
{
    struct ring all = ring_new(arena, ids, weights, count, 40), ring = ring_room(arena, &all);
    ring_keep(&ring, &all, present);
    for (uint32_t k = 0; k < KEYS; k++)
        owners[k] = ring.points[ring_find(&ring, key_hash(k))].owner;
}

static void assign_rendezvous(struct arena *arena, const uint64_t *ids, const double *weights,
                              const bool *present, uint32_t count, uint32_t *owners)
{
    uint64_t kept[OWNERS_MAX];
    double kept_weights[OWNERS_MAX];
    uint32_t which[OWNERS_MAX];
    uint32_t n = keep(ids, weights, present, count, kept, kept_weights, which);
    (void)arena;
    for (uint32_t k = 0; k < KEYS; k++)
        owners[k] =
            which[rendezvous_find(kept, weights == ones ? NULL : kept_weights, n, key_hash(k))];
}

static void assign_maglev(struct arena *arena, const uint64_t *ids, const double *weights,
                          const bool *present, uint32_t count, uint32_t *owners)
{
    uint64_t kept[OWNERS_MAX];
    double kept_weights[OWNERS_MAX];
    uint32_t which[OWNERS_MAX];
    uint32_t n = keep(ids, weights, present, count, kept, kept_weights, which);
    struct maglev maglev = maglev_room(arena, n);
    maglev_fill(&maglev, kept, kept_weights, n);
    for (uint32_t k = 0; k < KEYS; k++)
        owners[k] = which[maglev_find(&maglev, key_hash(k))];
}

/* Every owner of every number of owners goes once: keys that move without having been its own. */
static uint32_t strays(assignment *assign, const double *weights)
{
    static uint32_t before[KEYS], after[KEYS];
    struct arena arena = {0};
    uint32_t count = 0;
    for (uint32_t n = 2; n <= OWNERS_MAX; n++) {
        uint64_t ids[OWNERS_MAX];
        bool present[OWNERS_MAX];
        ids_make(ids, n, n);
        for (uint32_t i = 0; i < n; i++)
            present[i] = true;
        assign(&arena, ids, weights, present, n, before);
        for (uint32_t gone = 0; gone < n; gone++) {
            present[gone] = false;
            assign(&arena, ids, weights, present, n, after);
            present[gone] = true;
            for (uint32_t k = 0; k < KEYS; k++) {
                CU_ASSERT(after[k] != gone);
                count += before[k] != gone && after[k] != before[k];
            }
        }
        arena_reset(&arena);
    }
    arena_free(&arena);
    return count;
}

static const double uneven[OWNERS_MAX] = {1, 3, 0.5, 2, 1, 1, 4, 0.2, 1, 2, 2, 1};

static void whoever_goes_takes_only_its_own_keys_along(void)
{
    CU_ASSERT_EQUAL(strays(assign_ring, ones), 0);
    CU_ASSERT_EQUAL(strays(assign_ring, uneven), 0);
    CU_ASSERT_EQUAL(strays(assign_rendezvous, ones), 0);
    CU_ASSERT_EQUAL(strays(assign_rendezvous, uneven), 0);
}

/* Figure 12 of the paper: a few per cent of the other keys move too, less than one in twenty. */
static void maglev_moves_a_few_keys_more(void)
{
    uint32_t count = strays(assign_maglev, ones);
    uint32_t departures = 77; /* 2 + 3 + .. + 12 */
    CU_ASSERT(count > 0);
    CU_ASSERT(count < departures * KEYS / 20);
}

static void shares_go_by_weight(assignment *assign, double slack)
{
    static uint32_t owners[KEYS];
    struct arena arena = {0};
    bool present[OWNERS_MAX];
    double sum = 0, counts[OWNERS_MAX] = {0};
    uint64_t ids[OWNERS_MAX];
    for (uint32_t i = 0; i < OWNERS_MAX; i++) {
        present[i] = true;
        sum += uneven[i];
    }
    for (uint64_t seed = 0; seed < 20; seed++) {
        ids_make(ids, OWNERS_MAX, 100 + seed);
        assign(&arena, ids, uneven, present, OWNERS_MAX, owners);
        for (uint32_t k = 0; k < KEYS; k++)
            counts[owners[k]]++;
        arena_reset(&arena);
    }
    for (uint32_t i = 0; i < OWNERS_MAX; i++) {
        double p = uneven[i] / sum, n = 20.0 * KEYS;
        CU_ASSERT_DOUBLE_EQUAL(counts[i] / n, p, 4 * sqrt(p * (1 - p) / n) + slack * p);
    }
    arena_free(&arena);
}

/* A ring of 40 points and their like for weight 1 has a coefficient of variation of 16 %: over 20
 * rings 4 standard errors are 14 %, and 32 % for the lightest, of 8 points. */
static void weights_are_honoured(void)
{
    shares_go_by_weight(assign_rendezvous, 0);
    shares_go_by_weight(assign_maglev, 0.01);
    shares_go_by_weight(assign_ring, 0.32);
}

static void maglev_slots_differ_by_one(void)
{
    struct arena arena = {0};
    uint64_t ids[OWNERS_MAX];
    for (uint32_t n = 1; n <= OWNERS_MAX; n++) {
        uint32_t counts[OWNERS_MAX] = {0}, least = UINT32_MAX, most = 0;
        ids_make(ids, n, 7);
        struct maglev maglev = maglev_room(&arena, n);
        maglev_fill(&maglev, ids, ones, n);
        for (uint32_t s = 0; s < MAGLEV_SLOTS; s++)
            counts[maglev.slots[s]]++;
        for (uint32_t i = 0; i < n; i++) {
            least = counts[i] < least ? counts[i] : least;
            most = counts[i] > most ? counts[i] : most;
        }
        CU_ASSERT_EQUAL(least, MAGLEV_SLOTS / n);
        CU_ASSERT_EQUAL(most, (MAGLEV_SLOTS + n - 1) / n);
    }
    arena_free(&arena);
}

SUITE("hashing", TEST(jump_gives_the_published_buckets), TEST(jump_moves_keys_only_to_the_newcomer),
      TEST(a_ring_finds_the_next_point_going_round),
      TEST(whoever_goes_takes_only_its_own_keys_along), TEST(maglev_moves_a_few_keys_more),
      TEST(weights_are_honoured), TEST(maglev_slots_differ_by_one))
