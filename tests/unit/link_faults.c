/* Links under faults, worked out by hand: copies, losses, cuts and bandwidth between a client and a
 * desk, to the nanosecond. */
#include "engine/kernel/mechanism.h"
#include "tests/desk.h"

/* Every request comes twice, so the desk works twice; the client sees one answer. The copy leaves
 * with the message: 1,250 B at 1 Mbit/s take 10 ms. Both carry the size of the value. */
struct twice {
    uint64_t count, sized;
    int64_t first_ns;
};

static void on_arrive(void *context, const struct agent *at, const struct call *c)
{
    struct twice *t = context;
    if (!t->count++)
        t->first_ns = simulation_now(at->simulation);
    t->sized += c->size == 1250;
}

static void a_doubled_request_is_worked_on_twice_and_answered_once(void)
{
    for (int reads = 0; reads < 2; reads++) {
        struct twice twice = {0};
        struct observer observer = {.context = &twice, .arrive = on_arrive};
        struct desk_bench b;
        bench_open(&b, 10 * SECOND);
        world_arrivals(&b.world, &b.users, false, 10);
        if (!reads)
            b.world.operations[0] = (struct operation){"write", OPERATION_WRITE};
        b.users.sizes = (struct distribution){.kind = DISTRIBUTION_CONSTANT, .value = 1250};
        b.desk.station.time = world_constant(MILLISECOND);
        bench_nodes(&b);
        bench_link(&b, "users", "desk", LINK_LATENCY | LINK_DUPLICATE | LINK_BANDWIDTH,
                   (struct link_config){.latency = world_constant(3 * MILLISECOND),
                                        .duplicate = 1,
                                        .bandwidth = 125000});
        struct simulation *s = bench_start(&b, &observer);
        simulation_advance(s, 10 * SECOND - 1);
        CU_ASSERT_EQUAL(twice.count, 200);
        CU_ASSERT_EQUAL(twice.sized, 200);
        CU_ASSERT_EQUAL(twice.first_ns, (reads ? 3 : 13) * MILLISECOND);
        CU_ASSERT_EQUAL(b.ended.count, 100);
        CU_ASSERT_EQUAL(client_count(&b, CLIENT_OK), 100);
        CU_ASSERT_EQUAL(client_latency(&b, CLIENT_LATENCY).max, (reads ? 4 : 14) * MILLISECOND);
        CU_ASSERT_EQUAL(world_count(agent_of(&b, "desk"), VISITS, VISIT_DEPARTURES, 0), 200);
        CU_ASSERT_EQUAL(integral(&b, "desk", STATION_TABLE, STATION_BUSY), 200 * MILLISECOND);
        simulation_free(s);
        world_close(&b.world);
    }
}

/* The answers are lost: the work is done, and the client cannot know. */
static void a_lost_answer_leaves_the_client_in_doubt_though_the_work_is_done(void)
{
    for (int timeout = 0; timeout < 2; timeout++) {
        struct desk_bench b;
        bench_open(&b, SECOND);
        bench_arrivals(&b, (const int64_t[]){0, 100 * MILLISECOND}, 2);
        b.desk.station.time = world_constant(10 * MILLISECOND);
        b.users.caller.timeout = timeout ? 25 * MILLISECOND : TIME_NONE;
        bench_nodes(&b);
        bench_link(&b, "desk", "users", LINK_LOSS | LINK_GIVE_UP,
                   (struct link_config){.loss = 1, .give_up = 40 * MILLISECOND});
        bench_start(&b, NULL);
        simulation_advance(b.simulation, SECOND);
        CU_ASSERT(ended(&b, 0, STATUS_INFO, (timeout ? 25 : 50) * MILLISECOND));
        CU_ASSERT(ended(&b, 1, STATUS_INFO, (timeout ? 125 : 150) * MILLISECOND));
        CU_ASSERT_EQUAL(world_count(agent_of(&b, "desk"), VISITS, VISIT_DEPARTURES, 0), 2);
        CU_ASSERT_EQUAL(world_count(agent_of(&b, "desk"), VISITS, VISIT_FAILED, 0), 0);
        bench_close(&b);
    }
}

/* Given up at 40 ms, while the caller stands still until 100 ms: then it is told. */
static void a_lost_call_is_given_up_when_its_paused_caller_goes_on(void)
{
    struct desk_bench b;
    bench_open(&b, SECOND);
    bench_arrivals(&b, (const int64_t[]){0}, 1);
    bench_nodes(&b);
    bench_link(&b, "users", "desk", LINK_LOSS | LINK_GIVE_UP,
               (struct link_config){.loss = 1, .give_up = 40 * MILLISECOND});
    struct simulation *s = bench_start(&b, NULL);
    world_advance(s, 10 * MILLISECOND);
    place_pause(s, place_of(&b, "users"));
    world_advance(s, 100 * MILLISECOND);
    CU_ASSERT_EQUAL(b.ended.count, 0);
    CU_ASSERT_EQUAL(simulation_totals(s).live, 2);
    place_resume(s, place_of(&b, "users"));
    simulation_advance(s, SECOND);
    CU_ASSERT(ended(&b, 0, STATUS_INFO, 100 * MILLISECOND));
    bench_close(&b);
}

/* A cut drops what is on the way and what waits for its turn, so that after it the link is free;
 * what had come to a paused place before is there. 1,250 B take 10 ms. */
static void a_cut_drops_what_is_on_the_way_and_nothing_else(void)
{
    struct desk_bench b;
    bench_open(&b, SECOND);
    bench_arrivals(&b, (const int64_t[]){0, 12 * MILLISECOND, 13 * MILLISECOND, 100 * MILLISECOND},
                   4);
    b.world.operations[0] = (struct operation){"write", OPERATION_WRITE};
    b.users.sizes = (struct distribution){.kind = DISTRIBUTION_CONSTANT, .value = 1250};
    bench_nodes(&b);
    bench_link(&b, "users", "desk", LINK_BANDWIDTH | LINK_GIVE_UP,
               (struct link_config){.bandwidth = 125000, .give_up = 500 * MILLISECOND});
    struct simulation *s = bench_start(&b, NULL);
    world_advance(s, 5 * MILLISECOND);
    place_pause(s, place_of(&b, "desk"));
    world_advance(s, 14 * MILLISECOND); /* one has come to the closed door, two are on the way */
    link_cut(s, place_of(&b, "users"), place_of(&b, "desk"));
    world_advance(s, 15 * MILLISECOND);
    link_heal(s, place_of(&b, "users"), place_of(&b, "desk"));
    place_resume(s, place_of(&b, "desk"));
    simulation_advance(s, SECOND);
    CU_ASSERT(ended(&b, 0, STATUS_OK, 15 * MILLISECOND));
    CU_ASSERT(ended(&b, 1, STATUS_OK, 110 * MILLISECOND));
    CU_ASSERT(ended(&b, 2, STATUS_INFO, 514 * MILLISECOND));
    CU_ASSERT(ended(&b, 3, STATUS_INFO, 514 * MILLISECOND));
    bench_close(&b);
}

/* What a cut drops takes no bandwidth: the next message leaves at once. */
static void after_a_cut_the_link_is_free(void)
{
    struct desk_bench b;
    bench_open(&b, SECOND);
    bench_arrivals(&b, (const int64_t[]){0, 0, 0, 6 * MILLISECOND}, 4);
    b.world.operations[0] = (struct operation){"write", OPERATION_WRITE};
    b.users.sizes = (struct distribution){.kind = DISTRIBUTION_CONSTANT, .value = 1250};
    b.users.caller.timeout = 100 * MILLISECOND;
    bench_nodes(&b);
    bench_link(&b, "users", "desk", LINK_BANDWIDTH, (struct link_config){.bandwidth = 125000});
    struct simulation *s = bench_start(&b, NULL);
    world_advance(s, 5 * MILLISECOND);
    link_cut(s, place_of(&b, "users"), place_of(&b, "desk"));
    link_heal(s, place_of(&b, "users"), place_of(&b, "desk"));
    simulation_advance(s, SECOND);
    CU_ASSERT(ended(&b, 0, STATUS_OK, 16 * MILLISECOND));
    CU_ASSERT_EQUAL(b.ended.count, 4);
    bench_close(&b);
}

/* A striker cuts the link by an event of its own, as faults do: at 1 ms, after the client has sent
 * over a link without delay and before the message is handled. It is lost. */
struct striker {
    struct pool users, desk;
};

static const struct striker *striker_of(const struct agent *agent)
{
    return agent->configs[0];
}

static void striker_start(struct agent *agent)
{
    timer_at(agent, MILLISECOND, 0, 0);
}

static void striker_tick(struct agent *agent, uint32_t tag, uint64_t argument)
{
    struct simulation *s = agent->simulation;
    const struct striker *striker = striker_of(agent);
    (void)tag, (void)argument;
    link_cut(s, striker->users.agents[0], striker->desk.agents[0]);
    link_heal(s, striker->users.agents[0], striker->desk.agents[0]);
}

static void striker_step(struct agent *agent, struct call *c)
{
    call_free(c, agent);
}

static void striker_settle(struct agent *agent, struct call *parent, struct call *child)
{
    (void)agent, (void)parent, (void)child;
}

static const struct kind striker_kind = {.name = "striker",
                                         .start = striker_start,
                                         .step = striker_step,
                                         .settle = striker_settle,
                                         .tick = striker_tick};

static void a_cut_in_the_middle_of_an_instant_drops_what_is_on_the_way(void)
{
    struct desk_bench b;
    struct striker striker;
    bench_open(&b, SECOND);
    bench_arrivals(&b, (const int64_t[]){MILLISECOND, 2 * MILLISECOND}, 2);
    bench_nodes(&b);
    striker.users = world_pool(&b.world, "users");
    striker.desk = world_pool(&b.world, "desk");
    world_add(&b.world, "zz", &striker_kind, 1, &striker);
    simulation_advance(bench_start(&b, NULL), 100 * SECOND);
    CU_ASSERT(ended(&b, 0, STATUS_OK, 2 * MILLISECOND));
    CU_ASSERT(ended(&b, 1, STATUS_INFO, 60 * SECOND + MILLISECOND));
    bench_close(&b);
}

/* A link of one byte a second is asked for bytes without end: time does not overflow. */
static void a_link_that_is_hopelessly_slow_keeps_time(void)
{
    struct desk_bench b;
    bench_open(&b, SECOND);
    world_arrivals(&b.world, &b.users, false, 100);
    b.world.operations[0] = (struct operation){"write", OPERATION_WRITE};
    b.users.sizes = (struct distribution){.kind = DISTRIBUTION_CONSTANT, .value = 4e9};
    b.users.caller.timeout = 10 * MILLISECOND;
    bench_nodes(&b);
    bench_link(&b, "users", "desk", LINK_BANDWIDTH, (struct link_config){.bandwidth = 1});
    struct simulation *s = bench_start(&b, NULL);
    simulation_advance(s, SECOND - 1);
    CU_ASSERT_EQUAL(simulation_totals(s).issued, 100);
    CU_ASSERT_EQUAL(client_count(&b, CLIENT_FAILED), 99);
    simulation_free(s);
    world_close(&b.world);
}

SUITE("links by hand", TEST(a_doubled_request_is_worked_on_twice_and_answered_once),
      TEST(a_lost_answer_leaves_the_client_in_doubt_though_the_work_is_done),
      TEST(a_lost_call_is_given_up_when_its_paused_caller_goes_on),
      TEST(a_cut_drops_what_is_on_the_way_and_nothing_else),
      TEST(a_cut_in_the_middle_of_an_instant_drops_what_is_on_the_way),
      TEST(after_a_cut_the_link_is_free), TEST(a_link_that_is_hopelessly_slow_keeps_time))
