/* The client: what it counts and when it begins, in cases that can be worked out by hand. */
#include "tests/suite.h"
#include "tests/world.h"

#include <math.h>

struct bench {
    struct world world;
    struct client_config users;
    struct service_config desk;
};

/* One client in front of one desk; arrivals or users are set by the caller. */
static void bench_open(struct bench *b, int64_t duration_ns)
{
    world_open(&b->world, 0, duration_ns);
    b->users = world_client();
    b->desk = world_service();
}

static struct simulation *bench_run(struct bench *b, const struct observer *observer)
{
    world_add(&b->world, "desk", &service_kind, 1, &b->desk);
    world_add(&b->world, "users", &client_kind, 1, &b->users);
    b->users.to = world_pool(&b->world, "desk");
    return world_run_observed(&b->world, 1, observer);
}

static void bench_close(struct bench *b, struct simulation *s)
{
    simulation_free(s);
    world_close(&b->world);
}

static uint64_t count_of(struct bench *b, struct simulation *s, uint32_t metric)
{
    return world_count(world_agent(&b->world, s, "users", 1), CLIENT_TABLE, metric, 0);
}

static struct moments latency_of(struct bench *b, struct simulation *s, uint32_t metric)
{
    return world_moments(world_agent(&b->world, s, "users", 1), CLIENT_TABLE, metric, 0);
}

/* Constant 120/s from 0 on at 100/s: operation k (from 0) begins at round(k/120 s) and ends at
 * (k+1) 10 ms; 12,000 of them begin in [0, 100 s). */
static void overload_is_followed_to_the_end_of_every_operation(void)
{
    struct bench b;
    bench_open(&b, 100 * SECOND);
    world_arrivals(&b.world, &b.users, false, 120);
    b.desk.station.time = world_constant(10 * MILLISECOND);
    struct simulation *s = bench_run(&b, NULL);
    struct moments latency = latency_of(&b, s, CLIENT_LATENCY);
    CU_ASSERT_EQUAL(count_of(&b, s, CLIENT_OPERATIONS), 12000);
    CU_ASSERT_EQUAL(latency.count, 12000);
    CU_ASSERT_EQUAL(latency.max, INT64_C(20008333333));
    CU_ASSERT_DOUBLE_EQUAL((double)latency.sum / 12000e9, 10.009167, 5e-7);
    CU_ASSERT_EQUAL(count_of(&b, s, CLIENT_THROUGHPUT), 9999); /* the 10,000th ends at 100 s */
    CU_ASSERT_EQUAL(count_of(&b, s, CLIENT_UNFINISHED), 0);
    bench_close(&b, s);
}

static void what_the_drain_leaves_is_unfinished_and_an_error(void)
{
    struct bench b;
    bench_open(&b, 100 * SECOND);
    b.world.blueprint.drain = 5 * SECOND; /* until 105 s: 10,500 have ended */
    world_arrivals(&b.world, &b.users, false, 120);
    b.desk.station.time = world_constant(10 * MILLISECOND);
    struct simulation *s = bench_run(&b, NULL);
    CU_ASSERT_EQUAL(count_of(&b, s, CLIENT_OPERATIONS), 12000);
    CU_ASSERT_EQUAL(count_of(&b, s, CLIENT_OK), 10500);
    CU_ASSERT_EQUAL(count_of(&b, s, CLIENT_UNFINISHED), 1500);
    CU_ASSERT_EQUAL(count_of(&b, s, CLIENT_UNFINISHED_COUNT), 1500);
    CU_ASSERT_EQUAL(count_of(&b, s, CLIENT_FAILED), 1500);
    bench_close(&b, s);
}

/* One session makes the queue stand at the client: same latencies, nobody waits at the desk. */
static void a_busy_session_waits_while_its_latency_counts(void)
{
    struct bench b;
    bench_open(&b, 10 * SECOND);
    world_arrivals(&b.world, &b.users, false, 120);
    b.users.has_sessions = true;
    b.users.sessions = 1;
    b.desk.station.time = world_constant(10 * MILLISECOND);
    b.desk.station.queue = 0;
    struct simulation *s = bench_run(&b, NULL);
    struct moments latency = latency_of(&b, s, CLIENT_LATENCY);
    CU_ASSERT_EQUAL(latency.count, 1200);
    CU_ASSERT_EQUAL(latency.max, INT64_C(2008333333)); /* 12 s - 1199/120 s */
    bench_close(&b, s);
    bench_open(&b, 10 * SECOND); /* a session that falls idle again makes nobody wait */
    world_arrivals(&b.world, &b.users, false, 50);
    b.users.has_sessions = true;
    b.users.sessions = 1;
    b.desk.station.time = world_constant(10 * MILLISECOND);
    s = bench_run(&b, NULL);
    CU_ASSERT_EQUAL(latency_of(&b, s, CLIENT_LATENCY).max, 10 * MILLISECOND);
    bench_close(&b, s);
}

struct begun {
    uint32_t count;
    int64_t at[4000];
    uint32_t session[4000];
    uint8_t operation[4000];
    uint64_t key[4000];
};

static void on_arrive(void *context, const struct agent *at, const struct call *c)
{
    struct begun *begun = context;
    if (begun->count == 4000)
        return;
    begun->at[begun->count] = simulation_now(at->simulation);
    begun->session[begun->count] = c->session;
    begun->operation[begun->count] = c->operation;
    begun->key[begun->count++] = c->key;
}

/* Every user thinks first; the sum of think times of a user does not depend on the desk: with an
 * answer at once and one after 10 ms its k-th operation begins k x 10 ms apart. */
static void think_times_belong_to_user_and_turn(void)
{
    static struct begun fast, slow;
    fast.count = slow.count = 0;
    for (int64_t work_ms = 0; work_ms <= 10; work_ms += 10) {
        struct bench b;
        struct observer observer = {.context = work_ms ? &slow : &fast, .arrive = on_arrive};
        bench_open(&b, 100 * SECOND);
        b.users.has_users = true;
        b.users.users = 3;
        b.users.think = world_exp(SECOND);
        b.desk.station.slots = COUNT_UNLIMITED;
        b.desk.station.time = world_constant(work_ms * MILLISECOND);
        struct simulation *s = bench_run(&b, &observer);
        CU_ASSERT_EQUAL(count_of(&b, s, CLIENT_FAILED), 0);
        bench_close(&b, s);
    }
    CU_ASSERT(fast.count > 200 && slow.count > 200);
    for (uint32_t user = 0; user < 3; user++) {
        uint32_t k = 0, i = 0, wrong = 0;
        for (uint32_t j = 0; j < slow.count; j++) {
            if (slow.session[j] != user)
                continue;
            while (i < fast.count && fast.session[i] != user)
                i++;
            if (i == fast.count)
                break;
            wrong += slow.at[j] - fast.at[i++] != (int64_t)k++ * 10 * MILLISECOND;
        }
        CU_ASSERT(k > 50);
        CU_ASSERT_EQUAL(wrong, 0);
    }
}

static void a_mix_follows_its_shares_and_keys_their_chooser(void)
{
    static struct begun begun;
    struct bench b;
    struct observer observer = {.context = &begun, .arrive = on_arrive};
    const char *why;
    begun.count = 0;
    bench_open(&b, 40 * SECOND);
    world_operation(&b.world, "write", OPERATION_WRITE);
    world_arrivals(&b.world, &b.users, true, 100);
    CU_ASSERT(keys_make_sequential(&b.users.keys, 1000, &why));
    b.users.share = 0.8;
    struct client_config write = b.users;
    write.share = 0.2;
    world_add(&b.world, "desk", &service_kind, 1, &b.desk);
    world_add(&b.world, "users", &client_kind, 1, &b.users);
    world_override(&b.world, "users", 1, &write);
    b.users.to = write.to = world_pool(&b.world, "desk");
    struct simulation *s = world_run_observed(&b.world, 1, &observer);
    uint32_t writes = 0, wrong = 0;
    for (uint32_t i = 0; i < begun.count; i++) {
        writes += begun.operation[i];
        wrong += begun.key[i] != i % 1000;
    }
    CU_ASSERT(begun.count > 3500);
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_DOUBLE_EQUAL(writes / (double)begun.count, 0.2, 4 * sqrt(0.16 / begun.count));
    bench_close(&b, s);
}

/* 1,250 B at 1 Mbit/s take 10 ms, in the direction in which the value goes. */
static void values_go_out_with_writes_and_come_back_with_reads(void)
{
    static const struct {
        enum operation_type type;
        int64_t out_ms, back_ms;
    } cases[] = {{OPERATION_READ, 0, 10},  {OPERATION_SCAN, 0, 10},   {OPERATION_WRITE, 10, 0},
                 {OPERATION_CAS, 10, 0},   {OPERATION_INSERT, 10, 0}, {OPERATION_UPDATE, 10, 0},
                 {OPERATION_SEND, 10, 0},  {OPERATION_DELETE, 0, 0},  {OPERATION_LOGIN, 0, 0},
                 {OPERATION_UNTYPED, 0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static struct begun begun;
        struct bench b;
        struct observer observer = {.context = &begun, .arrive = on_arrive};
        begun.count = 0;
        bench_open(&b, SECOND);
        b.world.operations[0].type = cases[i].type;
        b.world.links[b.world.blueprint.link_count++] =
            (struct link_rule){.keys = LINK_BANDWIDTH, .config = {.bandwidth = 125000}};
        world_arrivals(&b.world, &b.users, false, 1);
        b.users.sizes = (struct distribution){.kind = DISTRIBUTION_CONSTANT, .value = 1250};
        struct simulation *s = bench_run(&b, &observer);
        CU_ASSERT_EQUAL(begun.at[0], cases[i].out_ms * MILLISECOND);
        CU_ASSERT_EQUAL(latency_of(&b, s, CLIENT_LATENCY).max,
                        (cases[i].out_ms + cases[i].back_ms) * MILLISECOND);
        bench_close(&b, s);
    }
}

/* A crash at 2.5 s ends the one that is open as unknown; arrivals of the time down are nobody's. */
static void a_crashed_client_begins_anew_with_the_next_arrival(void)
{
    struct bench b;
    bench_open(&b, 10 * SECOND);
    world_arrivals(&b.world, &b.users, false, 1);
    b.desk.station.time = world_constant(800 * MILLISECOND);
    world_add(&b.world, "desk", &service_kind, 1, &b.desk);
    world_add(&b.world, "users", &client_kind, 1, &b.users);
    b.users.to = world_pool(&b.world, "desk");
    struct simulation *s = simulation_create(&b.world.blueprint, 1, 1, NULL);
    simulation_start(s);
    world_advance(s, 2500 * MILLISECOND);
    place_crash(s, world_node(&b.world, "users")->first);
    world_advance(s, 4200 * MILLISECOND);
    place_restart(s, world_node(&b.world, "users")->first);
    simulation_advance(s, 9999 * MILLISECOND);
    /* 0, 1 and 2 begin before the crash, 3 and 4 never, 5 to 9 after the restart. */
    CU_ASSERT_EQUAL(count_of(&b, s, CLIENT_OPERATIONS), 8);
    CU_ASSERT_EQUAL(count_of(&b, s, CLIENT_FAILED), 1);
    CU_ASSERT_EQUAL(latency_of(&b, s, CLIENT_LATENCY_FAILED).max, 500 * MILLISECOND);
    CU_ASSERT_EQUAL(count_of(&b, s, CLIENT_OK), 7);
    CU_ASSERT_EQUAL(latency_of(&b, s, CLIENT_LATENCY).max, 800 * MILLISECOND);
    bench_close(&b, s);
}

static uint32_t sessions_seen[8];
static uint32_t sessions_seen_count;

static void on_session(void *context, const struct agent *at, const struct call *c)
{
    (void)context, (void)at;
    if (sessions_seen_count < 8)
        sessions_seen[sessions_seen_count++] = c->session;
}

/* Two sessions of 2.5 s each, one operation a second from 0 on: after 2.5 s both are new ones. */
static void a_session_ends_and_another_takes_its_place(void)
{
    struct world w;
    struct client_config users = world_client();
    struct service_config desk = world_service();
    struct observer observer = {.arrive = on_session};
    world_open(&w, 0, 8 * SECOND);
    world_arrivals(&w, &users, false, 1);
    users.has_sessions = true;
    users.sessions = 2;
    users.session_life = world_constant(2500 * MILLISECOND);
    world_add(&w, "desk", &service_kind, 1, &desk);
    world_add(&w, "users", &client_kind, 1, &users);
    users.to = world_pool(&w, "desk");
    sessions_seen_count = 0;
    simulation_free(world_run_observed(&w, 1, &observer));
    world_close(&w);
    for (uint32_t i = 0; i < 8; i++)
        CU_ASSERT_EQUAL(sessions_seen[i] / 2, (uint32_t)(i * 1000 / 2500));
}

SUITE("the client", TEST(a_session_ends_and_another_takes_its_place),
      TEST(overload_is_followed_to_the_end_of_every_operation),
      TEST(what_the_drain_leaves_is_unfinished_and_an_error),
      TEST(a_busy_session_waits_while_its_latency_counts),
      TEST(think_times_belong_to_user_and_turn),
      TEST(a_mix_follows_its_shares_and_keys_their_chooser),
      TEST(values_go_out_with_writes_and_come_back_with_reads),
      TEST(a_crashed_client_begins_anew_with_the_next_arrival))
