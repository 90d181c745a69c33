/* Corners of calls that the kinds of the catalogue do not reach: rounds that wrap around, agents
 * with operations of their own, answers given before a crash. */
#include "tests/suite.h"
#include "tests/world.h"

/* The two kinds of this test: an asker whose one operation does what `how` says, and an echo. */
enum how { WRAPS, ASKS, OWN_OPERATION };

struct notes {
    enum how how;
    uint32_t to;
    uint32_t settled, settled_late, joined, timeouts;
};

static struct notes *notes_of(const struct agent *agent)
{
    struct notes *const *config = agent->configs[0];
    return *config;
}

static void asker_start(struct agent *agent)
{
    struct notes *n = notes_of(agent);
    struct call *c = call_begin(agent, 1);
    if (n->how == OWN_OPERATION) {
        call_await(c, agent, 0, 1000 * SECOND);
        return;
    }
    call_to(c, agent, n->to, 0, 0);
    for (uint32_t i = 0; n->how == WRAPS && i < UINT32_C(1) << 16; i++)
        call_round(c, agent);
    call_await(c, agent, n->how == WRAPS ? 0 : 1, SECOND);
}

static void asker_step(struct agent *agent, struct call *c)
{
    struct notes *n = notes_of(agent);
    n->joined += c->wake == WAKE_JOINED;
    n->timeouts += c->wake == WAKE_TIMEOUT;
    call_free(c, agent);
}

static void asker_settle(struct agent *agent, struct call *parent, struct call *child)
{
    struct notes *n = notes_of(agent);
    (void)child;
    n->settled++;
    n->settled_late += !parent;
}

static void no_tick(struct agent *agent, uint32_t tag, uint64_t argument)
{
    (void)agent, (void)tag, (void)argument;
}

static void no_start(struct agent *agent)
{
    (void)agent;
}

/* Answers at once and goes on with it for a second. */
static void echo_step(struct agent *agent, struct call *c)
{
    if (c->wake == WAKE_ARRIVED) {
        call_answer(c, agent, STATUS_OK, 0);
        call_await(c, agent, 0, SECOND);
        return;
    }
    call_free(c, agent);
}

static const struct kind asker_kind = {.name = "asker",
                                       .tables = {&visit_metrics},
                                       .flags = KIND_VISITED | KIND_CANCELS,
                                       .start = asker_start,
                                       .step = asker_step,
                                       .settle = asker_settle,
                                       .tick = no_tick};
static const struct kind echo_kind = {.name = "echo",
                                      .tables = {&visit_metrics},
                                      .flags = KIND_VISITED,
                                      .start = no_start,
                                      .step = echo_step,
                                      .settle = asker_settle,
                                      .tick = no_tick};

struct pair {
    struct world world;
    struct notes notes, *config;
};

static struct simulation *pair_start(struct pair *p, enum how how)
{
    memset(p, 0, sizeof *p);
    world_open(&p->world, 0, 10 * SECOND);
    p->notes.how = how;
    p->notes.to = 1;
    p->config = &p->notes;
    world_add(&p->world, "asker", &asker_kind, 1, &p->config);
    world_add(&p->world, "echo", &echo_kind, 1, &p->config);
    struct simulation *s = simulation_create(&p->world.blueprint, 1, 1, NULL);
    simulation_start(s);
    return s;
}

static void pair_close(struct pair *p, struct simulation *s)
{
    simulation_advance(s, 10 * SECOND);
    simulation_close(s);
    simulation_check_identities(s);
    simulation_free(s);
    world_close(&p->world);
}

/* 65,536 rounds later the number is the same again, and the answer to the first is late still. */
static void a_round_that_wraps_around_matches_no_older_child(void)
{
    struct pair p;
    struct simulation *s = pair_start(&p, WRAPS);
    simulation_advance(s, 5 * SECOND);
    CU_ASSERT_EQUAL(p.notes.settled, 1);
    CU_ASSERT_EQUAL(p.notes.settled_late, 1);
    CU_ASSERT_EQUAL(p.notes.timeouts, 1);
    CU_ASSERT_EQUAL(simulation_totals(s).late, 1);
    CU_ASSERT_EQUAL(simulation_totals(s).live, 0);
    pair_close(&p, s);
}

/* Nobody visits an agent whose own operation is open when the run ends. */
static void an_open_operation_of_an_agent_is_no_visit(void)
{
    struct pair p;
    struct simulation *s = pair_start(&p, OWN_OPERATION);
    CU_ASSERT_EQUAL(agent_inside(world_agent(&p.world, s, "asker", 1)), 0);
    simulation_advance(s, 10 * SECOND);
    CU_ASSERT_EQUAL(simulation_totals(s).live, 1);
    pair_close(&p, s); /* checks the identity of sojourns */
}

/* What a crash takes after its answer has gone is lost, but no error. */
static void a_crash_after_the_answer_is_no_error(void)
{
    struct pair p;
    struct simulation *s = pair_start(&p, ASKS);
    const struct agent *echo = world_agent(&p.world, s, "echo", 1);
    world_advance(s, SECOND / 2);
    CU_ASSERT_EQUAL(p.notes.joined, 1);
    CU_ASSERT_EQUAL(agent_inside(echo), 1);
    place_crash(s, echo->place->index);
    CU_ASSERT_EQUAL(agent_inside(echo), 0);
    CU_ASSERT_EQUAL(world_count(echo, VISITS, VISIT_LOST, 0), 1);
    CU_ASSERT_EQUAL(world_count(echo, VISITS, VISIT_FAILED, 0), 0);
    CU_ASSERT_EQUAL(world_moments(echo, VISITS, VISIT_LATENCY, 0).count, 1);
    CU_ASSERT_EQUAL(simulation_totals(s).live, 0);
    pair_close(&p, s);
}

/* Down and up again and again, paused in between: nothing that a place keeps grows. */
static void a_place_that_fails_for_ever_keeps_its_size(void)
{
    struct world w;
    struct client_config users = world_client();
    struct service_config desk = world_service();
    world_open(&w, 0, 400 * SECOND);
    world_arrivals(&w, &users, true, 200);
    users.caller.timeout = 30 * MILLISECOND;
    desk.station.time = world_exp(4 * MILLISECOND);
    desk.station.discipline = STATION_PREEMPTIVE_PRIORITY;
    world_add(&w, "desk", &service_kind, 1, &desk);
    world_add(&w, "users", &client_kind, 1, &users);
    world_latency(&w, MILLISECOND);
    w.links[0].keys |= LINK_GIVE_UP | LINK_DUPLICATE;
    w.links[0].config.give_up = 100 * MILLISECOND;
    w.links[0].config.duplicate = 0.1;
    users.to = world_pool(&w, "desk");
    struct simulation *s = simulation_create(&w.blueprint, 1, 1, NULL);
    uint32_t early[4] = {0};
    simulation_start(s);
    for (int64_t at = 1; at < 400; at++) {
        world_advance(s, at * SECOND);
        place_pause(s, (uint32_t)at % 2);
        world_advance(s, at * SECOND + 50 * MILLISECOND);
        if (at % 3)
            place_crash(s, (uint32_t)at % 2);
        place_restart(s, (uint32_t)at % 2);
        place_resume(s, (uint32_t)at % 2);
        uint32_t sizes[4] = {s->pool_used, s->timer_room, s->places[0].deferred_room,
                             s->places[1].deferred_room};
        for (int i = 0; i < 4; i++) {
            if (at <= 100)
                early[i] = sizes[i] > early[i] ? sizes[i] : early[i];
            else
                CU_ASSERT(sizes[i] <= 2 * early[i]);
        }
    }
    CU_ASSERT(simulation_totals(s).issued > 70000);
    simulation_free(s);
    world_close(&w);
}

SUITE("corners of calls", TEST(a_round_that_wraps_around_matches_no_older_child),
      TEST(an_open_operation_of_an_agent_is_no_visit), TEST(a_crash_after_the_answer_is_no_error),
      TEST(a_place_that_fails_for_ever_keeps_its_size))
