/* Scaling: who is in a pool, when instances come and go, what they cost; all by hand. */
#include "engine/kernel/scaler.h"
#include "tests/scenario.h"
#include "tests/world.h"

#include <math.h>

/* ---- members of pools ---- */

static void a_pool_picks_among_its_members(void)
{
    struct world w;
    struct service_config web = world_service(), users = world_service();
    world_open(&w, 0, SECOND);
    world_add(&w, "users", &service_kind, 1, &users);
    world_add(&w, "web", &service_kind, 4, &web);
    struct pool pool = world_pool(&w, "web");
    struct simulation *s = simulation_create(&w.blueprint, 1, 1, NULL);
    struct agent *caller = world_agent(&w, s, "users", 1);
    uint64_t before = s->membership;
    uint32_t picked[4] = {0};
    member_set(world_agent(&w, s, "web", 2), false);
    member_set(world_agent(&w, s, "web", 2), false); /* nothing new */
    member_set(world_agent(&w, s, "web", 4), false);
    CU_ASSERT_EQUAL(s->membership, before + 2);
    CU_ASSERT_EQUAL(s->absent, 2);
    for (int i = 0; i < 10000; i++)
        picked[pool_pick(&pool, caller) - pool.agents[0]]++;
    CU_ASSERT(picked[1] == 0 && picked[3] == 0);
    CU_ASSERT(picked[0] > 4800 && picked[2] > 4800); /* half each, 4 sigma */
    member_set(world_agent(&w, s, "web", 4), true);
    CU_ASSERT_EQUAL(s->absent, 1);
    for (uint32_t i = 1; i <= 4; i++)
        member_set(world_agent(&w, s, "web", i), false);
    bool all = false;
    for (int i = 0; i < 100; i++) /* nobody left: as if all were */
        all |= pool_pick(&pool, caller) == pool.agents[1];
    CU_ASSERT(all);
    simulation_free(s);
    world_close(&w);
}

/* ---- a node that is scaled ---- */

struct town {
    struct loaded l;
    struct simulation *s;
    uint32_t web; /* its first agent */
};

/* One request every 100 ms, 50 ms of work each, at `count` instances with `keys`. */
static bool town_open(struct town *t, const char *keys)
{
    char text[1000];
    snprintf(text, sizeof text,
             "orrery: 1\n"
             "run: {warmup: 0s, duration: 100s, replications: 1}\n"
             "nodes:\n"
             "  users: {kind: client, arrivals: constant(10/s), to: web}\n"
             "  web: {kind: service, time: 50ms, cost: 3.6 USD/h, %s}\n",
             keys);
    t->l = load(text, false);
    if (!t->l.scenario) {
        diagnostic_print(t->l.diagnostics, stdout, false);
        return false;
    }
    t->s = simulation_create(t->l.blueprint, 1, 1, NULL);
    t->web = node_in(t->l.blueprint, "web")->first;
    simulation_start(t->s);
    return true;
}

static void town_close(struct town *t)
{
    simulation_free(t->s);
    loaded_free(&t->l);
}

/* Members at an instant, as digits: 1 for each that may be given work. */
static const char *members_at(struct town *t, int64_t at_ms)
{
    static char text[32];
    uint32_t count = node_in(t->l.blueprint, "web")->count;
    simulation_advance(t->s, at_ms * MILLISECOND);
    for (uint32_t i = 0; i < count; i++)
        text[i] = t->s->agents[t->web + i].member ? '1' : '0';
    text[count] = 0;
    return text;
}

static int64_t level_of(const struct town *t, uint32_t instance, uint32_t metric)
{
    return t->s->agents[t->web + instance].records[VISITS]->levels[metric]->value;
}

static void a_schedule_orders_and_instances_start_up(void)
{
    struct town t;
    CU_ASSERT_FATAL(town_open(&t, "count: 2, autoscale: {schedule: [10s 4, 30s 1], start_up: 5s}"));
    CU_ASSERT_STRING_EQUAL(members_at(&t, 9999), "1100");
    CU_ASSERT_EQUAL(level_of(&t, 2, VISIT_PRICE), 0);
    CU_ASSERT_STRING_EQUAL(members_at(&t, 14999), "1100");
    CU_ASSERT_EQUAL(level_of(&t, 2, VISIT_PRICE), INT64_C(3600000000)); /* paid from the order */
    CU_ASSERT_EQUAL(level_of(&t, 2, VISIT_INSTANCES), 0);
    CU_ASSERT_STRING_EQUAL(members_at(&t, 15000), "1111");
    CU_ASSERT_EQUAL(level_of(&t, 2, VISIT_UP_COUNT), 1);
    CU_ASSERT_STRING_EQUAL(members_at(&t, 31000), "1000"); /* the last ones go first */
    CU_ASSERT_EQUAL(level_of(&t, 1, VISIT_PRICE), 0);
    CU_ASSERT_EQUAL(level_of(&t, 1, VISIT_UP_COUNT), 0);
    CU_ASSERT_EQUAL(level_of(&t, 1, VISIT_INSTANCES), 0);
    place_restart(t.s, t.s->agents[t.web + 1].place->index); /* a machine that is not there */
    CU_ASSERT_FALSE(t.s->agents[t.web + 1].place->up);
    town_close(&t);
}

/* 40 requests of 50 ms each wait when it is told to go: it finishes them, and takes nothing new. */
static void an_instance_drains_before_it_stops(void)
{
    struct town t;
    CU_ASSERT_FATAL(town_open(&t, "count: 2"));
    simulation_advance(t.s, 1000 * MILLISECOND);
    struct agent *second = &t.s->agents[t.web + 1];
    for (int i = 0; i < 40; i++)
        call_post(&t.s->agents[t.web], second->index, 0);
    scaler_change(t.s, second->node, -1);
    CU_ASSERT_FALSE(second->member);
    simulation_advance(t.s, 1000 * MILLISECOND + 1999 * MILLISECOND);
    CU_ASSERT(second->place->up && agent_inside(second) == 1);
    simulation_advance(t.s, 1000 * MILLISECOND + 2100 * MILLISECOND);
    CU_ASSERT(!second->place->up && !second->exists);
    scaler_change(t.s, second->node, 5); /* no more than there can be */
    simulation_advance(t.s, 4000 * MILLISECOND);
    CU_ASSERT(second->place->up && second->member);
    town_close(&t);
}

/* Half of one instance is busy: at a target of 20 % 2.5 are wanted, at 50 % exactly one. */
static void the_target_is_met_by_the_mean_of_a_period(void)
{
    struct town t;
    CU_ASSERT_FATAL(town_open(&t, "autoscale: {target: 20%, max: 9, period: 10s, start_up: 15s}"));
    CU_ASSERT_STRING_EQUAL(members_at(&t, 24999), "100000000");
    CU_ASSERT_STRING_EQUAL(members_at(&t, 25000), "111000000"); /* ordered at 10 s, once */
    CU_ASSERT_STRING_EQUAL(members_at(&t, 90000), "111000000");
    town_close(&t);
    CU_ASSERT_FATAL(town_open(&t, "count: 3, autoscale: {target: 50%, max: 9, period: 10s, "
                                  "cooldown: 30s}"));
    CU_ASSERT_STRING_EQUAL(members_at(&t, 9999), "111000000");
    CU_ASSERT_STRING_EQUAL(members_at(&t, 10001), "100000000");
    town_close(&t);
    CU_ASSERT_FATAL(town_open(&t, "autoscale: {in_system: 0.125, max: 9, period: 10s}"));
    CU_ASSERT_STRING_EQUAL(members_at(&t, 20001), "111100000"); /* 0.5 inside on average */
    town_close(&t);
}

static void after_a_change_nothing_is_taken_away_for_a_while(void)
{
    struct town t;
    CU_ASSERT_FATAL(
        town_open(&t, "autoscale: {target: 50%, max: 4, period: 10s, cooldown: 25s}, count: 2"));
    CU_ASSERT_STRING_EQUAL(members_at(&t, 10001), "1000");
    scaler_change(t.s, t.s->agents[t.web].node, 2); /* at 10 s: a change */
    CU_ASSERT_STRING_EQUAL(members_at(&t, 30001), "1110");
    CU_ASSERT_STRING_EQUAL(members_at(&t, 40001), "1000"); /* the first look after 35 s */
    town_close(&t);
}

/* Four instances that never change, with and without a scaler: the same run. */
static void a_scaler_that_has_nothing_to_do_changes_nothing(void)
{
    uint64_t fingerprints[2];
    static const char *const keys[] = {"count: 4, slots: 2",
                                       "count: 4, slots: 2, autoscale: {schedule: [0s 4]}"};
    for (int i = 0; i < 2; i++) {
        struct town t;
        CU_ASSERT_FATAL(town_open(&t, keys[i]));
        simulation_advance(t.s, 100 * SECOND);
        fingerprints[i] = simulation_totals(t.s).fingerprint;
        town_close(&t);
    }
    CU_ASSERT_EQUAL(fingerprints[0], fingerprints[1]);
}

/* 3.6 USD an hour are 0.001 USD a second: 2 x 100 s + 2 x 20 s from the order at 10 s on. */
static void money_is_paid_from_the_order_to_the_end_of_the_draining(void)
{
    struct town t;
    CU_ASSERT_FATAL(town_open(&t, "count: 2, autoscale: {schedule: [10s 4, 30s 2], start_up: 5s}"));
    simulation_advance(t.s, 100 * SECOND);
    wide paid = 0;
    for (uint32_t i = 0; i < 4; i++) {
        struct level *level = t.s->agents[t.web + i].records[VISITS]->levels[VISIT_PRICE];
        level_close(level, simulation_now(t.s));
        paid += level->integral;
    }
    /* In 1e-9 USD an hour x ns; the draining of what is inside takes at most 50 ms each. */
    double usd = (double)paid / 3.6e12 / 1e9;
    CU_ASSERT(usd >= 0.24 - 1e-6 && usd <= 0.2401);
    town_close(&t);
}

static void wrong_scalings_are_told(void)
{
#define WEB(keys)                                                                                  \
    "orrery: 1\nnodes:\n  u: {kind: client, users: 1, to: w}\n  w: {kind: service, " keys "}\n"
    CU_ASSERT(refused(WEB("autoscale: {max: 3}"), false, "one of `target`, `in_system`"));
    CU_ASSERT(refused(WEB("autoscale: {target: 60%}"), false, "needs a `max`"));
    CU_ASSERT(refused(WEB("autoscale: {target: 60%, min: 4, max: 3}"), false, "is above `max`"));
    CU_ASSERT(refused(WEB("autoscale: {schedule: [5s]}"), false, "from when on how many"));
    CU_ASSERT(refused(WEB("autoscale: {schedule: [5s 2, 1s 3]}"), false, "in order of time"));
    CU_ASSERT(refused(WEB("cost: 5ms"), false, "cost"));
    CU_ASSERT(refused(WEB("usl: {alpha: 0.1}, discipline: shortest_remaining"), false,
                      "nobody is interrupted"));
#undef WEB
}

SUITE("the scaler", TEST(a_pool_picks_among_its_members),
      TEST(a_schedule_orders_and_instances_start_up), TEST(an_instance_drains_before_it_stops),
      TEST(the_target_is_met_by_the_mean_of_a_period),
      TEST(after_a_change_nothing_is_taken_away_for_a_while),
      TEST(a_scaler_that_has_nothing_to_do_changes_nothing),
      TEST(money_is_paid_from_the_order_to_the_end_of_the_draining), TEST(wrong_scalings_are_told))
