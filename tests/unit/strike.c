/* When faults strike and whom: schedules written down by hand, and what every random choice must
 * keep whatever it draws. */
#include "engine/kernel/strike.h"
#include "tests/suite.h"

#define SECOND INT64_C(1000000000)

enum { NODES = 7, CLIENTS = 2, AGENTS = NODES + CLIENTS };

/* Seven instances of `n`, agents 0 to 6, and two clients, 7 and 8. */
struct scene {
    struct arena arena;
    struct kind server, client;
    struct blueprint_node nodes[2];
    struct blueprint_fault faults[3];
    struct fault_set sets[3];
    struct blueprint blueprint;
    const struct strike *strikes;
    uint32_t count;
};

static const uint32_t everybody[NODES] = {0, 1, 2, 3, 4, 5, 6};

static void scene_open(struct scene *x, uint32_t members)
{
    memset(x, 0, sizeof *x);
    x->client.flags = KIND_CLIENT;
    x->nodes[0] = (struct blueprint_node){.name = "n", .kind = &x->server, .count = NODES};
    x->nodes[1] = (struct blueprint_node){
        .name = "users", .kind = &x->client, .count = CLIENTS, .first = NODES};
    x->sets[0] = (struct fault_set){.agents = everybody, .count = members};
    for (int i = 0; i < 3; i++)
        x->faults[i] = (struct blueprint_fault){.name = "f1",
                                                .what = FAULT_PAUSE,
                                                .duration = INT64_MAX,
                                                .sets = &x->sets[0],
                                                .set_count = 1};
    x->blueprint = (struct blueprint){.nodes = x->nodes,
                                      .node_count = 2,
                                      .agent_count = AGENTS,
                                      .faults = x->faults,
                                      .fault_count = 1,
                                      .duration = 100 * SECOND,
                                      .drain = 20 * SECOND};
}

static void scene_draw(struct scene *x, uint64_t seed, uint64_t replication)
{
    x->strikes = strikes_draw(&x->blueprint, seed, replication, &x->arena, &x->count);
}

static void scene_close(struct scene *x)
{
    arena_free(&x->arena);
}

/* ---- when ---- */

static void strikes_once_at_its_time_and_to_the_end(void)
{
    struct scene x;
    scene_open(&x, 3);
    x.faults[0].at = 60 * SECOND;
    scene_draw(&x, 1, 1);
    CU_ASSERT_EQUAL_FATAL(x.count, 1);
    CU_ASSERT_EQUAL(x.strikes[0].begin, 60 * SECOND);
    CU_ASSERT_EQUAL(x.strikes[0].end, INT64_MAX);
    CU_ASSERT_EQUAL(x.strikes[0].agent_count, 3);
    scene_close(&x);
}

/* Every 25 s from 10 s on for 3 s: 10, 35, 60, 85 and, in the drain, 110 s; none at 135 s. */
static void strikes_again_and_again_through_the_drain(void)
{
    struct scene x;
    scene_open(&x, 3);
    x.faults[0].at = 10 * SECOND;
    x.faults[0].every = 25 * SECOND;
    x.faults[0].duration = 3 * SECOND;
    scene_draw(&x, 1, 1);
    CU_ASSERT_EQUAL_FATAL(x.count, 5);
    for (uint32_t i = 0; i < 5; i++) {
        CU_ASSERT_EQUAL(x.strikes[i].begin, (10 + 25 * (int64_t)i) * SECOND);
        CU_ASSERT_EQUAL(x.strikes[i].end, (13 + 25 * (int64_t)i) * SECOND);
    }
    scene_close(&x);
}

/* Constant laws: up for 7 s, down for 4 s, up for 7 s from the repair on. */
static void counts_the_time_to_a_failure_from_the_end_of_the_repair(void)
{
    struct scene x;
    const char *why;
    scene_open(&x, 3);
    x.faults[0].at = 2 * SECOND;
    x.faults[0].random = x.faults[0].repaired = true;
    CHECK(distribution_make_constant(&x.faults[0].mtbf, 7e9, &why));
    CHECK(distribution_make_constant(&x.faults[0].mttr, 4e9, &why));
    scene_draw(&x, 1, 1);
    CU_ASSERT_EQUAL_FATAL(x.count, 11);
    for (uint32_t i = 0; i < x.count; i++) {
        CU_ASSERT_EQUAL(x.strikes[i].begin, (9 + 11 * (int64_t)i) * SECOND);
        CU_ASSERT_EQUAL(x.strikes[i].end, (13 + 11 * (int64_t)i) * SECOND);
    }
    scene_close(&x);
}

static void make_random(struct blueprint_fault *fault)
{
    const char *why;
    fault->random = fault->repaired = true;
    CHECK(distribution_make_exp(&fault->mtbf, 5e9, &why));
    CHECK(distribution_make_exp(&fault->mttr, 1e9, &why));
}

/* The second fault comes first in time, or is drawn otherwise: the first one stays as it was. */
static void another_fault_moves_no_strike(void)
{
    struct scene alone, both;
    scene_open(&alone, 5);
    scene_open(&both, 5);
    make_random(&alone.faults[0]);
    make_random(&both.faults[0]);
    make_random(&both.faults[1]);
    both.faults[1].name = "other";
    both.blueprint.fault_count = 2;
    alone.sets[0].pick = both.sets[0].pick = PICK_ONE;
    scene_draw(&alone, 3, 2);
    scene_draw(&both, 3, 2);
    CU_ASSERT(alone.count > 5 && both.count > alone.count + 5);
    uint32_t k = 0;
    for (uint32_t i = 0; i < both.count; i++) {
        if (i)
            CU_ASSERT(both.strikes[i - 1].begin <= both.strikes[i].begin);
        if (both.strikes[i].fault)
            continue;
        CU_ASSERT_EQUAL(both.strikes[i].begin, alone.strikes[k].begin);
        CU_ASSERT_EQUAL(both.strikes[i].end, alone.strikes[k].end);
        CU_ASSERT_EQUAL(both.strikes[i].agents[0], alone.strikes[k].agents[0]);
        k++;
    }
    CU_ASSERT_EQUAL(k, alone.count);
    int64_t before = alone.strikes[0].begin;
    alone.sets[0].pick = PICK_MAJORITY; /* whom it hits does not move when */
    scene_draw(&alone, 3, 2);
    CU_ASSERT_EQUAL(alone.strikes[0].begin, before);
    scene_draw(&alone, 3, 3); /* another replication does */
    CU_ASSERT_NOT_EQUAL(alone.strikes[0].begin, before);
    scene_close(&alone);
    scene_close(&both);
}

/* ---- whom ---- */

static void chooses_as_many_as_its_word_says(void)
{
    static const struct {
        enum fault_pick pick;
        uint32_t of[6]; /* chosen of 3, 4, 5, 6, 7 */
    } cases[] = {
        {PICK_ALL, {3, 4, 5, 6, 7}},
        {PICK_ONE, {1, 1, 1, 1, 1}},
        {PICK_MINORITY, {1, 1, 2, 2, 3}},
        {PICK_MAJORITY, {2, 3, 3, 4, 4}},
        {PICK_HALVES, {1, 2, 2, 3, 3}},
        {PICK_RANDOM_HALVES, {1, 2, 2, 3, 3}},
        {PICK_MINORITY_THIRD, {0, 1, 1, 1, 2}},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++)
        for (uint32_t n = 3; n <= NODES; n++) {
            struct scene x;
            scene_open(&x, n);
            x.sets[0].pick = cases[c].pick;
            x.faults[0].every = SECOND;
            x.faults[0].duration = 0;
            scene_draw(&x, 1, 1);
            uint32_t hit = 0;
            for (uint32_t i = 0; i < x.count; i++) {
                CU_ASSERT_EQUAL(x.strikes[i].agent_count, cases[c].of[n - 3]);
                for (uint32_t k = 0; k < x.strikes[i].agent_count; k++) {
                    CU_ASSERT(x.strikes[i].agents[k] < n);
                    hit |= 1u << x.strikes[i].agents[k];
                }
            }
            bool fixed = cases[c].pick == PICK_HALVES;
            uint32_t reach = fixed ? (1u << n / 2) - 1 : cases[c].of[n - 3] ? (1u << n) - 1 : 0;
            CU_ASSERT_EQUAL(hit, reach); /* over 120 strikes everybody has his turn */
            scene_close(&x);
        }
}

/* Of three members seven subsets, each as likely: 1 in 7 within 4 sigma of 12,000. */
static void some_is_any_subset_but_the_empty_one(void)
{
    struct scene x;
    uint32_t seen[8] = {0};
    scene_open(&x, 3);
    x.sets[0].pick = PICK_SOME;
    x.faults[0].every = SECOND / 100;
    x.faults[0].duration = 0;
    scene_draw(&x, 1, 1);
    CU_ASSERT_EQUAL(x.count, 12000);
    for (uint32_t i = 0; i < x.count; i++) {
        uint32_t who = 0;
        for (uint32_t k = 0; k < x.strikes[i].agent_count; k++)
            who |= 1u << x.strikes[i].agents[k];
        seen[who]++;
    }
    CU_ASSERT_EQUAL(seen[0], 0);
    for (int i = 1; i < 8; i++)
        CU_ASSERT(seen[i] > 1714 - 154 && seen[i] < 1714 + 154);
    scene_close(&x);
}

/* ---- which messages ---- */

static void make_partition(struct scene *x, uint32_t members, enum fault_pick pick,
                           enum fault_shape shape)
{
    scene_open(x, members);
    x->sets[0].pick = pick;
    x->faults[0].what = FAULT_PARTITION;
    x->faults[0].shape = shape;
    x->faults[0].every = SECOND;
    x->faults[0].duration = 0;
}

static void sides_are_cut_from_each_other_and_from_nobody_else(void)
{
    static const uint32_t left[] = {0}, right[] = {1, 2}, third[] = {4};
    struct scene x;
    make_partition(&x, 3, PICK_ALL, SHAPE_BETWEEN);
    x.sets[0] = (struct fault_set){.agents = left, .count = 1};
    x.sets[1] = (struct fault_set){.agents = right, .count = 2};
    x.sets[2] = (struct fault_set){.agents = third, .count = 1};
    x.faults[0].set_count = 3;
    scene_draw(&x, 1, 1);
    static const int side[AGENTS] = {1, 2, 2, 0, 3, 0, 0, 0, 0};
    for (uint32_t a = 0; a < AGENTS; a++)
        for (uint32_t b = 0; b < AGENTS; b++)
            CU_ASSERT_EQUAL(strike_meets(&x.strikes[0], a, b),
                            side[a] && side[b] && side[a] != side[b]);
    x.faults[0].sided = true; /* both clients stand where agent 1 does */
    x.faults[0].clients_with = 1;
    scene_draw(&x, 1, 1);
    CU_ASSERT(strike_meets(&x.strikes[0], 7, 0) && strike_meets(&x.strikes[0], 0, 8));
    CU_ASSERT(strike_meets(&x.strikes[0], 4, 7) && !strike_meets(&x.strikes[0], 7, 1));
    CU_ASSERT(!strike_meets(&x.strikes[0], 2, 8) && !strike_meets(&x.strikes[0], 3, 8));
    scene_close(&x);
}

static void one_way_and_around(void)
{
    static const uint32_t left[] = {0}, right[] = {1, 2};
    struct scene x;
    make_partition(&x, 3, PICK_ALL, SHAPE_ONE_WAY);
    x.sets[0] = (struct fault_set){.agents = left, .count = 1};
    x.sets[1] = (struct fault_set){.agents = right, .count = 2};
    x.faults[0].set_count = 2;
    scene_draw(&x, 1, 1);
    for (uint32_t a = 0; a < AGENTS; a++)
        for (uint32_t b = 0; b < AGENTS; b++)
            CU_ASSERT_EQUAL(strike_meets(&x.strikes[0], a, b), a == 0 && (b == 1 || b == 2));
    x.faults[0].shape = SHAPE_AROUND;
    x.faults[0].set_count = 1;
    scene_draw(&x, 1, 1);
    for (uint32_t a = 0; a < AGENTS; a++)
        for (uint32_t b = 0; b < AGENTS; b++)
            CU_ASSERT_EQUAL(strike_meets(&x.strikes[0], a, b), (a == 0) != (b == 0));
    scene_close(&x);
}

static uint32_t heard_by(const struct strike *strike, uint32_t who, uint32_t members)
{
    uint32_t heard = 0;
    for (uint32_t i = 0; i < members; i++)
        heard |= strike_meets(strike, i, who) ? 0 : 1u << i;
    return heard;
}

/* Within seven: a choice against the rest of them; the clients reach all. */
static void a_choice_is_cut_from_the_rest_of_its_set(void)
{
    struct scene x;
    make_partition(&x, NODES, PICK_MINORITY, SHAPE_WITHIN);
    scene_draw(&x, 1, 1);
    for (uint32_t s = 0; s < x.count; s++) {
        uint32_t side = heard_by(&x.strikes[s], 0, NODES);
        uint32_t size = (uint32_t)__builtin_popcount(side);
        CU_ASSERT(size == 3 || size == 4);
        for (uint32_t i = 0; i < NODES; i++) {
            uint32_t same = side >> i & 1 ? side : ~side & 0x7f;
            CU_ASSERT_EQUAL(heard_by(&x.strikes[s], i, NODES), same);
            CU_ASSERT(!strike_meets(&x.strikes[s], i, 7) && !strike_meets(&x.strikes[s], 8, i));
        }
    }
    scene_close(&x);
}

static void in_a_majorities_ring_each_hears_a_majority_and_no_two_the_same(void)
{
    for (uint32_t n = 3; n <= NODES; n++) {
        struct scene x;
        make_partition(&x, n, PICK_MAJORITIES_RING, SHAPE_WITHIN);
        scene_draw(&x, 1, 1);
        CU_ASSERT_EQUAL(x.count, 120);
        for (uint32_t s = 0; s < x.count; s++)
            for (uint32_t i = 0; i < n; i++) {
                uint32_t heard = heard_by(&x.strikes[s], i, n);
                uint32_t known = (uint32_t)__builtin_popcount(heard);
                CU_ASSERT(heard >> i & 1);
                CU_ASSERT(n > 5 ? known >= n / 2 + 1 && known < n : known == n / 2 + 1);
                for (uint32_t k = 0; n <= 5 && k < i; k++)
                    CU_ASSERT_NOT_EQUAL(heard, heard_by(&x.strikes[s], k, n));
            }
        scene_close(&x);
    }
}

/* Of five: two, the bridge, and two. */
static void over_a_bridge_one_talks_to_both_halves(void)
{
    struct scene x;
    make_partition(&x, 5, PICK_BRIDGE, SHAPE_WITHIN);
    scene_draw(&x, 1, 1);
    uint32_t bridges = 0;
    for (uint32_t s = 0; s < x.count; s++) {
        uint32_t all = 0;
        for (uint32_t i = 0; i < 5; i++) {
            uint32_t heard = heard_by(&x.strikes[s], i, 5);
            all += heard == 0x1f;
            bridges |= heard == 0x1f ? 1u << i : 0;
            CU_ASSERT(heard == 0x1f || __builtin_popcount(heard) == 3);
        }
        CU_ASSERT_EQUAL(all, 1);
    }
    CU_ASSERT_EQUAL(bridges, 0x1f);
    scene_close(&x);
}

SUITE("strikes", TEST(strikes_once_at_its_time_and_to_the_end),
      TEST(strikes_again_and_again_through_the_drain),
      TEST(counts_the_time_to_a_failure_from_the_end_of_the_repair),
      TEST(another_fault_moves_no_strike), TEST(chooses_as_many_as_its_word_says),
      TEST(some_is_any_subset_but_the_empty_one),
      TEST(sides_are_cut_from_each_other_and_from_nobody_else), TEST(one_way_and_around),
      TEST(a_choice_is_cut_from_the_rest_of_its_set),
      TEST(in_a_majorities_ring_each_hears_a_majority_and_no_two_the_same),
      TEST(over_a_bridge_one_talks_to_both_halves))
