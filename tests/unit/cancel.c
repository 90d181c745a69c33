/* Cancels at a service's station: a caller made for this test begins calls and takes some of them
 * back, while they wait, work, share or hold a slot. Whatever it takes back, the slot is free at
 * once and every level says so. */
#include "tests/suite.h"
#include "tests/world.h"

enum { CALLS_MAX = 400, STATION_TABLE = 1, NEVER = -1 };

struct plan {
    int64_t begin_ms, cancel_ms; /* NEVER: it is not taken back */
};

/* The configuration of the caller is its notebook. */
struct notes {
    const struct plan *plans;
    uint32_t count;
    struct pool to;
    uint32_t index[CALLS_MAX], generation[CALLS_MAX];
    int64_t ended_ns[CALLS_MAX];
    uint8_t status[CALLS_MAX];
    uint32_t ended;
};

enum { TICK_BEGIN, TICK_CANCEL };

static struct notes *notes_of(struct agent *agent)
{
    struct notes *const *config = agent->configs[0];
    return *config;
}

static void boss_start(struct agent *agent)
{
    const struct notes *n = notes_of(agent);
    for (uint32_t i = 0; i < n->count; i++) {
        timer_at(agent, n->plans[i].begin_ms * MILLISECOND, TICK_BEGIN, i);
        if (n->plans[i].cancel_ms != NEVER)
            timer_at(agent, n->plans[i].cancel_ms * MILLISECOND, TICK_CANCEL, i);
    }
}

static void boss_tick(struct agent *agent, uint32_t tag, uint64_t i)
{
    struct simulation *s = agent->simulation;
    struct notes *n = notes_of(agent);
    struct call *c;
    if (tag == TICK_CANCEL) {
        c = call_at(s, n->index[i]);
        if (c->generation == n->generation[i])
            call_cancel(c, agent, 7);
        return;
    }
    c = call_begin(agent, i);
    c->session = (uint32_t)i;
    n->index[i] = call_index(s, c);
    n->generation[i] = c->generation;
    for (uint32_t k = 0; k < n->to.count; k++)
        call_to(c, agent, n->to.agents[k], 7, 0);
    call_await(c, agent, (uint16_t)n->to.count, TIME_NONE);
}

static void boss_step(struct agent *agent, struct call *c)
{
    struct notes *n = notes_of(agent);
    n->ended_ns[c->session] = simulation_now(agent->simulation);
    n->status[c->session] = c->wake == WAKE_JOINED ? STATUS_OK : STATUS_INFO;
    n->ended++;
    call_free(c, agent);
}

static void no_settle(struct agent *agent, struct call *parent, struct call *child)
{
    (void)agent, (void)parent, (void)child;
}

static const struct kind boss_kind = {.name = "boss",
                                      .flags = KIND_CLIENT | KIND_CANCELS,
                                      .start = boss_start,
                                      .step = boss_step,
                                      .settle = no_settle,
                                      .tick = boss_tick};

/* A relay passes calls on, and cancels by the core's doing. */
static void relay_start(struct agent *agent)
{
    (void)agent;
}

static void relay_tick(struct agent *agent, uint32_t tag, uint64_t argument)
{
    (void)agent, (void)tag, (void)argument;
}

static void relay_step(struct agent *agent, struct call *c)
{
    const struct pool *const *to = agent->configs[0];
    if (c->wake == WAKE_ARRIVED) {
        for (uint32_t i = 0; i < (*to)->count; i++)
            call_to(c, agent, (*to)->agents[i], 3, 0);
        call_await(c, agent, (uint16_t)(*to)->count, TIME_NONE);
        return;
    }
    call_reply(c, agent, c->wake == WAKE_JOINED ? STATUS_OK : STATUS_INFO, 0);
}

static const struct kind relay_kind = {.name = "relay",
                                       .tables = {&visit_metrics},
                                       .flags = KIND_VISITED | KIND_CANCELS,
                                       .start = relay_start,
                                       .step = relay_step,
                                       .settle = no_settle,
                                       .tick = relay_tick};

struct office {
    struct world world;
    struct notes notes, *notes_config;
    struct service_config desk, store;
    struct pool desks, *desks_config;
    struct simulation *simulation;
};

static void office_open(struct office *o, const struct plan *plans, uint32_t count)
{
    memset(o, 0, sizeof *o);
    CHECK(count <= CALLS_MAX);
    world_open(&o->world, 0, SECOND);
    o->notes.plans = plans;
    o->notes.count = count;
    o->notes_config = &o->notes;
    o->desks_config = &o->desks;
    o->desk = o->store = world_service();
    o->desk.station.time = world_constant(10 * MILLISECOND);
}

static struct simulation *office_start(struct office *o, uint32_t desks, bool relay, bool store)
{
    struct world *w = &o->world;
    world_add(w, "boss", &boss_kind, 1, &o->notes_config);
    world_add(w, "desk", &service_kind, desks, &o->desk);
    world_add(w, "relay", &relay_kind, 1, &o->desks_config);
    world_add(w, "store", &service_kind, 1, &o->store);
    o->desks = world_pool(w, "desk");
    o->notes.to = world_pool(w, relay ? "relay" : "desk");
    if (store)
        o->desk.to = world_pool(w, "store");
    o->simulation = simulation_create(&w->blueprint, 1, 1, NULL);
    simulation_start(o->simulation);
    return o->simulation;
}

static int64_t level_ms(struct office *o, uint32_t table, uint32_t metric)
{
    struct level *level =
        world_agent(&o->world, o->simulation, "desk", 1)->records[table]->levels[metric];
    level_close(level, level->since);
    return (int64_t)(level->integral / MILLISECOND);
}

static bool ended(const struct office *o, uint32_t i, enum status status, int64_t at_ms)
{
    return o->notes.status[i] == status && o->notes.ended_ns[i] == at_ms * MILLISECOND;
}

/* Drains; everything is back at nothing. */
static void office_close(struct office *o)
{
    struct simulation *s = o->simulation;
    simulation_advance(s, 1000 * SECOND);
    CU_ASSERT_EQUAL(simulation_totals(s).live, 0);
    CU_ASSERT_EQUAL(event_count(&s->queue), 0);
    for (uint32_t i = 0; i < s->agent_count; i++) {
        const struct station *station = s->agents[i].durable;
        CU_ASSERT_EQUAL(agent_inside(&s->agents[i]), 0);
        if (s->agents[i].kind == &service_kind)
            CU_ASSERT_EQUAL(station->taken + station->working + station->waiting, 0);
    }
    simulation_close(s);
    simulation_check_identities(s);
    simulation_free(s);
    world_close(&o->world);
}

static void one_that_waits_leaves_the_queue(void)
{
    static const struct plan plans[] = {{0, NEVER}, {1, 5}, {2, NEVER}};
    struct office o;
    office_open(&o, plans, 3);
    simulation_advance(office_start(&o, 1, false, false), SECOND);
    CU_ASSERT(ended(&o, 0, STATUS_OK, 10));
    CU_ASSERT(ended(&o, 1, STATUS_INFO, 5));
    CU_ASSERT(ended(&o, 2, STATUS_OK, 20));
    CU_ASSERT_EQUAL(level_ms(&o, STATION_TABLE, STATION_QUEUE_LENGTH), 4 + 8);
    CU_ASSERT_EQUAL(level_ms(&o, STATION_TABLE, STATION_BUSY), 20);
    CU_ASSERT_EQUAL(level_ms(&o, VISITS, VISIT_INSIDE), 10 + 4 + 18);
    office_close(&o);
}

static void one_at_work_gives_its_slot_to_the_next(void)
{
    static const struct plan plans[] = {{0, 4}, {1, NEVER}, {2, NEVER}};
    struct office o;
    office_open(&o, plans, 3);
    simulation_advance(office_start(&o, 1, false, false), SECOND);
    CU_ASSERT(ended(&o, 0, STATUS_INFO, 4));
    CU_ASSERT(ended(&o, 1, STATUS_OK, 14));
    CU_ASSERT(ended(&o, 2, STATUS_OK, 24));
    CU_ASSERT_EQUAL(level_ms(&o, STATION_TABLE, STATION_BUSY), 24);
    CU_ASSERT_EQUAL(level_ms(&o, STATION_TABLE, STATION_QUEUE_LENGTH), 3 + 12);
    office_close(&o);
}

/* Two share until 4 ms and have 2 ms each; the one that stays needs 8 ms more. */
static void one_that_shares_leaves_the_rest_to_the_others(void)
{
    static const struct plan plans[] = {{0, 4}, {0, NEVER}};
    struct office o;
    office_open(&o, plans, 2);
    o.desk.station.discipline = STATION_PROCESSOR_SHARING;
    simulation_advance(office_start(&o, 1, false, false), SECOND);
    CU_ASSERT(ended(&o, 0, STATUS_INFO, 4));
    CU_ASSERT(ended(&o, 1, STATUS_OK, 12));
    CU_ASSERT_EQUAL(level_ms(&o, STATION_TABLE, STATION_BUSY), 12);
    office_close(&o);
}

/* 4 ms of own work, then 16 ms at the store, the slot kept. Taken back at 10 ms the first frees it;
 * the store, which knows nothing of it, works on. */
static void one_that_holds_its_slot_frees_it(void)
{
    static const struct plan plans[] = {{0, 10}, {1, NEVER}};
    struct office o;
    office_open(&o, plans, 2);
    o.desk.station.time = world_constant(4 * MILLISECOND);
    o.desk.station.hold = STATION_HOLD_REQUEST;
    o.store.station.time = world_constant(16 * MILLISECOND);
    o.store.station.slots = COUNT_UNLIMITED;
    simulation_advance(office_start(&o, 1, false, true), SECOND);
    CU_ASSERT(ended(&o, 0, STATUS_INFO, 10));
    CU_ASSERT(ended(&o, 1, STATUS_OK, 30));
    CU_ASSERT_EQUAL(level_ms(&o, STATION_TABLE, STATION_BUSY), 30);
    CU_ASSERT_EQUAL(level_ms(&o, STATION_TABLE, STATION_WORKING), 8);
    const struct agent *store = world_agent(&o.world, o.simulation, "store", 1);
    CU_ASSERT_EQUAL(world_count(store, VISITS, VISIT_DEPARTURES, 0), 2);
    CU_ASSERT_EQUAL(world_count(store, VISITS, VISIT_WASTED_COUNT, 0), 1);
    office_close(&o);
}

/* The message takes the link's 3 ms, the answer too; a paused desk reads it when it goes on. */
static void a_cancel_is_a_message(void)
{
    static const struct plan plans[] = {{0, 5}, {100, 105}};
    struct office o;
    office_open(&o, plans, 2);
    world_latency(&o.world, 3 * MILLISECOND);
    struct simulation *s = office_start(&o, 1, false, false);
    world_advance(s, 106 * MILLISECOND);
    CU_ASSERT(ended(&o, 0, STATUS_INFO, 11));
    place_pause(s, world_agent(&o.world, s, "desk", 1)->place->index);
    world_advance(s, 150 * MILLISECOND);
    place_resume(s, world_agent(&o.world, s, "desk", 1)->place->index);
    simulation_advance(s, SECOND);
    CU_ASSERT(ended(&o, 1, STATUS_INFO, 153));
    office_close(&o);
}

/* One message to the relay, and one to each of the three desks it has asked. */
static void a_cancel_is_passed_on_to_every_child_once(void)
{
    static const struct plan plans[] = {{0, 4}, {20, NEVER}};
    struct office o;
    office_open(&o, plans, 2);
    simulation_advance(office_start(&o, 3, true, false), SECOND);
    CU_ASSERT(ended(&o, 0, STATUS_INFO, 4));
    CU_ASSERT(ended(&o, 1, STATUS_OK, 30));
    CU_ASSERT_EQUAL(simulation_totals(o.simulation).cancelled, 4);
    CU_ASSERT_EQUAL(level_ms(&o, STATION_TABLE, STATION_BUSY), 14);
    office_close(&o);
}

/* Every discipline, 300 calls, half of them taken back sooner or later, with a pause, a slow
 * stretch and a crash in between: they all end. */
static void cancels_at_random_leave_nothing_behind(void)
{
    static struct plan plans[300];
    for (uint64_t seed = 1; seed <= 140; seed++) {
        struct office o;
        uint64_t random = seed;
        for (uint32_t i = 0; i < 300; i++) {
            random = random_mix(random + 1);
            plans[i].begin_ms = (int64_t)(random >> 8) % 900;
            plans[i].cancel_ms =
                random % 2 ? plans[i].begin_ms + (int64_t)(random >> 40) % 40 : NEVER;
        }
        office_open(&o, plans, 300);
        o.desk.station.discipline = (uint8_t)(seed % 7);
        o.desk.station.hold = seed / 7 % 2 ? STATION_HOLD_REQUEST : STATION_HOLD_WORK;
        o.desk.station.slots = 1 + seed / 14 % 3;
        o.desk.station.time = world_exp(5 * MILLISECOND);
        o.store.station.time = world_exp(3 * MILLISECOND);
        if (seed % 3)
            world_latency(&o.world, 700000);
        struct simulation *s = office_start(&o, 2, seed % 2, seed % 5 == 0);
        uint32_t desk = world_agent(&o.world, s, "desk", 1)->place->index;
        world_advance(s, 200 * MILLISECOND);
        place_pause(s, desk);
        world_advance(s, 230 * MILLISECOND);
        place_slow(s, desk, 3);
        place_resume(s, desk);
        world_advance(s, 500 * MILLISECOND);
        place_pause(s, desk);
        world_advance(s, 510 * MILLISECOND);
        place_crash(s, desk);
        place_restart(s, desk);
        simulation_advance(s, 1000 * SECOND);
        CU_ASSERT_EQUAL(o.notes.ended, 300);
        CU_ASSERT(simulation_totals(s).cancelled > 20);
        office_close(&o);
    }
}

SUITE("cancels at a station", TEST(one_that_waits_leaves_the_queue),
      TEST(one_at_work_gives_its_slot_to_the_next),
      TEST(one_that_shares_leaves_the_rest_to_the_others), TEST(one_that_holds_its_slot_frees_it),
      TEST(a_cancel_is_a_message), TEST(a_cancel_is_passed_on_to_every_child_once),
      TEST(cancels_at_random_leave_nothing_behind))
