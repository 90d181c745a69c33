/* What a balancer knows of its backends, and what it does about it: health checks to the
 * nanosecond, ejection, slow starts against the integrals of their ramps, members that leave,
 * sessions that stick, keys that move. */
#include "models/load_balancer_policy.h"
#include "tests/suite.h"
#include "tests/world.h"

#include <math.h>
#include <stdlib.h>

enum { BACKENDS = 4, SENT_MAX = 200000 };

/* A client, one balancer or two, four backends; who was sent a request when, and for whom. */
struct tier {
    struct world world;
    struct client_config users;
    struct load_balancer_config lb;
    struct service_config web;
    uint32_t balancers;
    struct observer observer;
    struct simulation *simulation;
    struct sent {
        int64_t at;
        uint32_t backend, session; /* backend from 0 */
    } sent[SENT_MAX];
    uint32_t count;
};

static void on_arrive(void *context, const struct agent *at, const struct call *c)
{
    struct tier *t = context;
    if (strcmp(at->node_name, "web") != 0)
        return;
    CHECK(t->count < SENT_MAX);
    t->sent[t->count++] = (struct sent){simulation_now(at->simulation), at->number - 1, c->session};
}

/* 400/s, one after another, 1 ms of work each; time-outs of 50 ms at the client. */
static struct tier *tier_open(enum load_balancer_policy policy)
{
    struct tier *t = calloc(1, sizeof *t);
    world_open(&t->world, 0, 100 * SECOND);
    t->users = world_client();
    t->lb = world_balancer(policy);
    t->lb.vnodes = 100;
    t->lb.load = 1.25;
    t->lb.decay = SECOND;
    t->web = world_service();
    t->web.station.time = world_constant(MILLISECOND);
    t->users.caller.timeout = 50 * MILLISECOND;
    t->balancers = 1;
    world_arrivals(&t->world, &t->users, false, 400);
    return t;
}

static struct health_config checks(void)
{
    return (struct health_config){.interval = SECOND,
                                  .timeout = 100 * MILLISECOND,
                                  .unhealthy = 3,
                                  .healthy = 2,
                                  .eject_errors = 5,
                                  .eject_in = 10 * SECOND,
                                  .eject_for = 30 * SECOND,
                                  .mode = HEALTH_CHECKED};
}

static struct simulation *tier_begin(struct tier *t)
{
    t->users.to = world_pool(&t->world, "lb");
    t->lb.to = world_pool(&t->world, "web");
    t->observer = (struct observer){.context = t, .arrive = on_arrive};
    struct simulation_options options = {.observer = &t->observer};
    t->simulation = simulation_create(&t->world.blueprint, 5, 1, &options);
    simulation_start(t->simulation);
    return t->simulation;
}

static struct simulation *tier_start(struct tier *t)
{
    world_add(&t->world, "lb", &load_balancer_kind, t->balancers, &t->lb);
    world_add(&t->world, "users", &client_kind, 1, &t->users);
    world_add(&t->world, "web", &service_kind, BACKENDS, &t->web);
    return tier_begin(t);
}

static struct agent *agent_of(const struct tier *t, const char *name, uint32_t number)
{
    return world_agent(&t->world, t->simulation, name, number);
}

static uint32_t place_of(const struct tier *t, const char *name, uint32_t number)
{
    return agent_of(t, name, number)->place->index;
}

static void tier_close(struct tier *t)
{
    simulation_free(t->simulation);
    world_close(&t->world);
    free(t);
}

/* Requests that reached a backend in [from, to). */
static uint32_t sent_to(const struct tier *t, uint32_t backend, int64_t from, int64_t to)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < t->count; i++)
        count += t->sent[i].backend == backend && t->sent[i].at >= from && t->sent[i].at < to;
    return count;
}

static uint64_t balancer_count(const struct tier *t, uint32_t number, uint32_t metric)
{
    return world_count(agent_of(t, "lb", number), BALANCER_TABLE, metric, 0);
}

static uint64_t failed(const struct tier *t)
{
    return world_count(agent_of(t, "users", 1), CLIENT_TABLE, CLIENT_FAILED, 0);
}

/* ---- perfect, none ---- */

/* Down in [10.0005 s, 20.0005 s): 4,000 requests, a quarter of which would be its. It is empty when
 * it falls, so that nobody is hurt where it is known at once. */
static void crash_web_2(struct tier *t, enum health_mode mode)
{
    t->lb.health.mode = (uint8_t)mode;
    struct simulation *s = tier_start(t);
    world_advance(s, 10000500 * (MILLISECOND / 1000));
    world_advance(s, 10002 * MILLISECOND);
    place_crash(s, place_of(t, "web", 2));
    world_advance(s, 20002 * MILLISECOND);
    place_restart(s, place_of(t, "web", 2));
    world_advance(s, 30002 * MILLISECOND);
}

static void perfect_health_is_known_at_once(void)
{
    struct tier *t = tier_open(BALANCER_ROUND_ROBIN);
    crash_web_2(t, HEALTH_PERFECT);
    CU_ASSERT_EQUAL(failed(t), 0);
    CU_ASSERT_EQUAL(sent_to(t, 1, 0, 10 * SECOND), 1000);
    CU_ASSERT_EQUAL(sent_to(t, 1, 10002 * MILLISECOND, 20002 * MILLISECOND), 0);
    CU_ASSERT_EQUAL(sent_to(t, 0, 10002 * MILLISECOND, 20002 * MILLISECOND) / 10, 133);
    CU_ASSERT_EQUAL(sent_to(t, 1, 20002 * MILLISECOND, 30002 * MILLISECOND), 1000);
    CU_ASSERT_EQUAL(balancer_count(t, 1, BALANCER_MISDIRECTED), 0);
    tier_close(t);
}

static void without_a_look_a_dead_backend_is_chosen_like_any_other(void)
{
    struct tier *t = tier_open(BALANCER_ROUND_ROBIN);
    crash_web_2(t, HEALTH_NONE);
    CU_ASSERT_EQUAL(failed(t), 1000);
    CU_ASSERT_EQUAL(balancer_count(t, 1, BALANCER_MISDIRECTED), 1000);
    tier_close(t);
}

static void nobody_left_is_an_error_at_once(void)
{
    struct tier *t = tier_open(BALANCER_LEAST_CONNECTIONS);
    struct simulation *s = tier_start(t);
    world_advance(s, 10002 * MILLISECOND);
    for (uint32_t i = 1; i <= BACKENDS; i++)
        place_crash(s, place_of(t, "web", i));
    world_advance(s, 11002 * MILLISECOND);
    CU_ASSERT_EQUAL(failed(t), 400);
    struct moments m =
        world_moments(agent_of(t, "users", 1), CLIENT_TABLE, CLIENT_LATENCY_FAILED, 0);
    CU_ASSERT_EQUAL(m.max, 0);
    tier_close(t);
}

/* ---- probes ---- */

/* The first probe at or after an instant. */
static int64_t probe_after(const struct tier *t, uint32_t balancer, uint32_t backend, int64_t at_ns)
{
    uint64_t draw = random_mix(agent_of(t, "lb", balancer)->id_base ^
                               random_mix(agent_of(t, "web", backend)->id_base));
    int64_t first = (int64_t)random_below(draw, SECOND);
    return first + (at_ns - first + SECOND - 1) / SECOND * SECOND;
}

static int64_t last_before(const struct tier *t, uint32_t backend, int64_t at_ns)
{
    int64_t last = -1;
    for (uint32_t i = 0; i < t->count; i++)
        if (t->sent[i].backend == backend && t->sent[i].at < at_ns)
            last = t->sent[i].at;
    return last;
}

/* Given up when the third probe has run out of time; taken back with the second answer. */
static void probes_find_the_dead_and_the_living_by_their_thresholds(void)
{
    struct tier *t = tier_open(BALANCER_ROUND_ROBIN);
    t->lb.health = checks();
    crash_web_2(t, HEALTH_CHECKED);
    int64_t down = 10002 * MILLISECOND, up = 20002 * MILLISECOND;
    int64_t given_up = probe_after(t, 1, 2, down) + 2 * SECOND + 100 * MILLISECOND;
    int64_t back = probe_after(t, 1, 2, up) + SECOND;
    int64_t every = 10 * MILLISECOND; /* one in four of 400/s */
    int64_t lost = (given_up - down) / every;
    uint64_t misdirected = balancer_count(t, 1, BALANCER_MISDIRECTED);
    CU_ASSERT(misdirected >= (uint64_t)lost && misdirected <= (uint64_t)lost + 1);
    CU_ASSERT_EQUAL(failed(t), misdirected);
    CU_ASSERT_EQUAL(balancer_count(t, 1, BALANCER_GIVEN_UP), 1);
    CU_ASSERT_EQUAL(sent_to(t, 1, up, back), 0);
    CU_ASSERT(sent_to(t, 1, back, back + every + 1) >= 1);
    tier_close(t);
}

/* Each from its own probes: at the same time one knows and the other does not. */
static void balancers_have_views_of_their_own(void)
{
    struct tier *t = tier_open(BALANCER_ROUND_ROBIN);
    t->lb.health = checks();
    t->balancers = 2;
    crash_web_2(t, HEALTH_CHECKED);
    int64_t down = 10002 * MILLISECOND;
    int64_t first = probe_after(t, 1, 2, down), second = probe_after(t, 2, 2, down);
    CU_ASSERT(llabs(first - second) > 20 * MILLISECOND);
    double each = 50; /* misdirected a second: 400 / 2 balancers / 4 backends */
    double of_1 = (double)balancer_count(t, 1, BALANCER_MISDIRECTED) / each;
    double of_2 = (double)balancer_count(t, 2, BALANCER_MISDIRECTED) / each;
    double known_1 = (double)(first - down) / 1e9 + 2.1,
           known_2 = (double)(second - down) / 1e9 + 2.1;
    CU_ASSERT_DOUBLE_EQUAL(of_1, known_1, 4 * sqrt(known_1 * each / 2) / each + 0.05);
    CU_ASSERT_DOUBLE_EQUAL(of_2, known_2, 4 * sqrt(known_2 * each / 2) / each + 0.05);
    tier_close(t);
}

/* A cut link and a pause are not seen by those who know at once what is up, but by probes; and a
 * probe takes no slot: a backend that is full answers it. */
static void probes_see_what_is_cut_off_or_paused(void)
{
    for (int paused = 0; paused < 2; paused++)
        for (int probes = 0; probes < 2; probes++) {
            struct tier *t = tier_open(BALANCER_ROUND_ROBIN);
            if (probes)
                t->lb.health = checks();
            struct simulation *s = tier_start(t);
            world_advance(s, 10002 * MILLISECOND);
            if (paused)
                place_pause(s, place_of(t, "web", 2));
            else
                link_cut(s, place_of(t, "lb", 1), place_of(t, "web", 2));
            world_advance(s, 20002 * MILLISECOND);
            CU_ASSERT_EQUAL(failed(t) > 900, !probes);
            CU_ASSERT_EQUAL(balancer_count(t, 1, BALANCER_GIVEN_UP), probes);
            CU_ASSERT_EQUAL(balancer_count(t, 1, BALANCER_MISDIRECTED), 0);
            tier_close(t);
        }
}

static void a_full_backend_answers_probes(void)
{
    struct tier *t = tier_open(BALANCER_ROUND_ROBIN);
    t->lb.health = checks();
    t->web.station.time = world_constant(20 * MILLISECOND); /* twice what one slot can do */
    t->web.station.queue = 0;
    tier_start(t);
    world_advance(t->simulation, 20 * SECOND);
    CU_ASSERT(failed(t) > 3000);
    CU_ASSERT_EQUAL(balancer_count(t, 1, BALANCER_GIVEN_UP), 0);
    tier_close(t);
}

/* ---- ejection ---- */

static void five_errors_take_a_backend_out_for_half_a_minute(void)
{
    struct tier *t = tier_open(BALANCER_ROUND_ROBIN);
    t->lb.health = checks();
    t->lb.health.eject = HEALTH_EJECT_ERRORS;
    struct service_config bad = t->web;
    bad.station.fail = 1;
    tier_start(t);
    const void **configs = arena_array(&t->world.arena, 1, const void *);
    configs[0] = &bad;
    agent_of(t, "web", 3)->configs = configs; /* the station took its own at the start */
    world_advance(t->simulation, 29 * SECOND);
    CU_ASSERT_EQUAL(sent_to(t, 2, 0, 29 * SECOND), 5);
    int64_t out = last_before(t, 2, 29 * SECOND) + MILLISECOND; /* when the fifth was answered */
    world_advance(t->simulation, 45 * SECOND);
    CU_ASSERT_EQUAL(sent_to(t, 2, out, out + 30 * SECOND), 0);
    CU_ASSERT_EQUAL(sent_to(t, 2, out + 30 * SECOND, 45 * SECOND), 5);
    CU_ASSERT_EQUAL(failed(t), 10);
    CU_ASSERT_EQUAL(balancer_count(t, 1, BALANCER_GIVEN_UP), 2);
    tier_close(t);
}

static void the_last_backend_is_never_ejected(void)
{
    struct tier *t = tier_open(BALANCER_ROUND_ROBIN);
    t->lb.health = checks();
    t->lb.health.eject = HEALTH_EJECT_ERRORS;
    t->web.station.fail = 1;
    tier_start(t);
    world_advance(t->simulation, 20 * SECOND);
    CU_ASSERT_EQUAL(balancer_count(t, 1, BALANCER_GIVEN_UP), BACKENDS - 1);
    CU_ASSERT(t->count > 7900);
    tier_close(t);
}

/* Errors further apart than the window do no harm: one in 4 s at most. */
static void errors_far_apart_eject_nobody(void)
{
    struct tier *t = tier_open(BALANCER_ROUND_ROBIN);
    t->lb.health = checks();
    t->lb.health.eject = HEALTH_EJECT_ERRORS;
    t->lb.health.eject_in = 10 * MILLISECOND; /* the turn comes round every 10 ms: 5 take 40 ms */
    t->web.station.fail = 1;
    tier_start(t);
    world_advance(t->simulation, 20 * SECOND);
    CU_ASSERT_EQUAL(balancer_count(t, 1, BALANCER_GIVEN_UP), 0);
    tier_close(t);
}

/* ---- slow start ---- */

/* A ramp f = t / 10 s: its share is f / (3 + f) where the others take what it lets pass, so that of
 * 10 s x 400/s it gets 4000 (1 - 3 ln(4/3)) = 547.8. A key that a hashing policy does not give back
 * yet stays with the others: f / 4 of them, 500 of requests of a key each. */
static void slow_case(enum load_balancer_policy policy, double expected, double slack)
{
    struct tier *t = tier_open(policy);
    t->lb.slow_start = 10 * SECOND;
    t->lb.hash = BALANCER_HASH_REQUEST;
    crash_web_2(t, HEALTH_PERFECT);
    int64_t back = 20002 * MILLISECOND;
    world_advance(t->simulation, 60 * SECOND);
    CU_ASSERT_DOUBLE_EQUAL(sent_to(t, 1, back, back + 10 * SECOND), expected,
                           4 * sqrt(expected) + slack);
    CU_ASSERT(sent_to(t, 1, back, back + 2 * SECOND) < 60); /* 4 % of 800, and 4 deviations */
    CU_ASSERT_DOUBLE_EQUAL(sent_to(t, 1, 31 * SECOND, 51 * SECOND), 2000, 4 * sqrt(1500) + slack);
    tier_close(t);
}

static void a_returning_backend_gets_its_weight_by_and_by(void)
{
    double taken = 4000 * (1 - 3 * log(4.0 / 3));
    slow_case(BALANCER_RANDOM, taken, 0);
    slow_case(BALANCER_WEIGHTED_RANDOM, taken, 0);
    slow_case(BALANCER_ROUND_ROBIN, taken, 0);
    slow_case(BALANCER_WEIGHTED_ROUND_ROBIN, taken, 0);
    slow_case(BALANCER_HASH, 500, 0);
    slow_case(BALANCER_RENDEZVOUS, 500, 0);
    slow_case(BALANCER_MAGLEV, 500, 0);
    slow_case(BALANCER_JUMP, 500, 0);
}

/* ---- members ---- */

static void who_is_no_member_gets_nothing_new(void)
{
    struct tier *t = tier_open(BALANCER_LEAST_CONNECTIONS);
    t->web.station.time = world_constant(8 * MILLISECOND);
    t->users.caller.timeout = TIME_NONE;
    struct simulation *s = tier_start(t);
    world_advance(s, 10002 * MILLISECOND);
    for (int64_t at = 10002; !agent_inside(agent_of(t, "web", 4)); at++)
        world_advance(s, at * MILLISECOND);
    int64_t left = simulation_now(s);
    member_set(agent_of(t, "web", 4), false);
    world_advance(s, 20002 * MILLISECOND);
    CU_ASSERT_EQUAL(sent_to(t, 3, left, 20002 * MILLISECOND), 0);
    CU_ASSERT_EQUAL(failed(t), 0); /* what it had in hand was answered */
    member_set(agent_of(t, "web", 4), true);
    world_advance(s, 30002 * MILLISECOND);
    CU_ASSERT(sent_to(t, 3, 20002 * MILLISECOND, 30002 * MILLISECOND) > 500);
    tier_close(t);
}

/* ---- zones ---- */

/* Balancer and backends 1 and 3 stand in zone 0, the others in zone 1: those are asked only while
 * neither of the near ones is there. */
static void the_own_zone_comes_first_and_the_others_help_out(void)
{
    struct tier *t = tier_open(BALANCER_ZONE_AWARE);
    world_add(&t->world, "lb", &load_balancer_kind, 1, &t->lb);
    world_add(&t->world, "users", &client_kind, 1, &t->users);
    world_add(&t->world, "web", &service_kind, BACKENDS, &t->web);
    world_instance(&t->world, "lb", 1)->zone = 0;
    for (uint32_t i = 1; i <= BACKENDS; i++)
        world_instance(&t->world, "web", i)->zone = i % 2 ? 0 : 1;
    struct simulation *s = tier_begin(t);
    world_advance(s, 10002 * MILLISECOND);
    CU_ASSERT_EQUAL(sent_to(t, 0, 0, 10 * SECOND), 2000);
    CU_ASSERT_EQUAL(sent_to(t, 2, 0, 10 * SECOND), 2000);
    place_crash(s, place_of(t, "web", 1));
    world_advance(s, 20002 * MILLISECOND);
    CU_ASSERT_EQUAL(sent_to(t, 2, 10002 * MILLISECOND, 20002 * MILLISECOND), 4000);
    place_crash(s, place_of(t, "web", 3));
    world_advance(s, 30002 * MILLISECOND);
    CU_ASSERT_EQUAL(sent_to(t, 1, 20002 * MILLISECOND, 30002 * MILLISECOND), 2000);
    CU_ASSERT_EQUAL(sent_to(t, 3, 20002 * MILLISECOND, 30002 * MILLISECOND), 2000);
    place_restart(s, place_of(t, "web", 3));
    world_advance(s, 40002 * MILLISECOND);
    CU_ASSERT_EQUAL(sent_to(t, 2, 30002 * MILLISECOND, 40002 * MILLISECOND), 4000);
    CU_ASSERT_EQUAL(failed(t), 0);
    tier_close(t);
}

/* ---- keys ---- */

/* Whoever of two balancers is asked, a session has one backend, and every backend has some. */
static void balancers_agree_on_who_has_a_key(void)
{
    static const uint8_t policies[] = {BALANCER_RANDOM,     BALANCER_HASH, BALANCER_CONSISTENT_HASH,
                                       BALANCER_RENDEZVOUS, BALANCER_JUMP, BALANCER_MAGLEV};
    for (size_t p = 0; p < sizeof policies; p++) {
        struct tier *t = tier_open(policies[p]);
        if (policies[p] == BALANCER_RANDOM)
            t->lb.sticky = BALANCER_STICKY_SESSION; /* a cookie */
        uint32_t home[300], wrong = 0, has[BACKENDS] = {0};
        t->lb.hash = BALANCER_HASH_SESSION;
        t->balancers = 2;
        t->users.has_sessions = true;
        t->users.sessions = 300;
        tier_start(t);
        world_advance(t->simulation, 20 * SECOND);
        memset(home, 0xff, sizeof home);
        for (uint32_t i = 0; i < t->count; i++) {
            const struct sent *x = &t->sent[i];
            wrong += home[x->session] != UINT32_MAX && home[x->session] != x->backend;
            home[x->session] = x->backend;
            has[x->backend]++;
        }
        CU_ASSERT_EQUAL(wrong, 0);
        for (int k = 0; k < BACKENDS; k++)
            CU_ASSERT(has[k] > 800);
        tier_close(t);
    }
}

/* ---- sessions that stick ---- */

static void sessions_stay_until_their_backend_dies_and_do_not_come_back(void)
{
    struct tier *t = tier_open(BALANCER_RANDOM);
    t->lb.sticky = BALANCER_STICKY_SESSION;
    t->users.has_sessions = true;
    t->users.sessions = 300;
    crash_web_2(t, HEALTH_PERFECT);
    int64_t down = 10002 * MILLISECOND;
    uint32_t home[300], moved_to[300], wrong = 0, moved = 0;
    memset(home, 0xff, sizeof home);
    memset(moved_to, 0xff, sizeof moved_to);
    for (uint32_t i = 0; i < t->count; i++) {
        const struct sent *x = &t->sent[i];
        uint32_t *where = x->at < down ? &home[x->session] : &moved_to[x->session];
        if (x->at >= down && *where == UINT32_MAX) {
            moved += home[x->session] == 1;
            wrong +=
                home[x->session] != 1 && home[x->session] < 4 && x->backend != home[x->session];
        }
        wrong += *where != UINT32_MAX && *where != x->backend;
        *where = x->backend;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT(moved > 40 && moved < 110);
    CU_ASSERT_EQUAL(balancer_count(t, 1, BALANCER_SESSIONS_MOVED), moved);
    CU_ASSERT_EQUAL(sent_to(t, 1, down, 30 * SECOND), 0); /* nobody new came */
    tier_close(t);
}

/* A server that died and is back before anybody asks has closed its sessions all the same: three in
 * four of them, chosen anew at random, are elsewhere then. */
static void sessions_of_a_server_that_died_in_between_are_chosen_anew(void)
{
    struct tier *t = tier_open(BALANCER_RANDOM);
    t->lb.sticky = BALANCER_STICKY_SESSION;
    t->users.has_sessions = true;
    t->users.sessions = 300;
    struct simulation *s = tier_start(t);
    world_advance(s, 10002 * MILLISECOND);
    uint32_t had = 0, before = t->count;
    for (uint32_t session = 0; session < 300; session++)
        for (uint32_t i = 0; i < before; i++)
            if (t->sent[i].session == session) {
                had += t->sent[i].backend == 1;
                break;
            }
    place_crash(s, place_of(t, "web", 2));
    place_restart(s, place_of(t, "web", 2));
    world_advance(s, 30002 * MILLISECOND);
    double moved = (double)balancer_count(t, 1, BALANCER_SESSIONS_MOVED);
    CU_ASSERT_DOUBLE_EQUAL(moved, 0.75 * had, 4 * sqrt(0.75 * 0.25 * had));
    CU_ASSERT(had > 40);
    tier_close(t);
}

/* Two balancers with a pool each: a session is sent on to whom the one it reaches knows. */
static void a_session_leaves_a_backend_that_is_in_another_pool(void)
{
    struct tier *t = tier_open(BALANCER_RANDOM);
    t->balancers = 2;
    t->lb.sticky = BALANCER_STICKY_SESSION;
    t->users.has_sessions = true;
    t->users.sessions = 300;
    struct load_balancer_config other = t->lb;
    world_add(&t->world, "lb", &load_balancer_kind, 2, &t->lb);
    world_add(&t->world, "users", &client_kind, 1, &t->users);
    world_add(&t->world, "web", &service_kind, BACKENDS, &t->web);
    const void **configs = arena_array(&t->world.arena, 1, const void *);
    configs[0] = &other;
    world_instance(&t->world, "lb", 2)->configs = configs;
    tier_begin(t);
    simulation_free(t->simulation); /* made once to learn the pools */
    other.to = (struct pool){t->lb.to.agents + 2, 2};
    t->lb.to.count = 2;
    t->simulation = simulation_create(&t->world.blueprint, 5, 1,
                                      &(struct simulation_options){.observer = &t->observer});
    simulation_start(t->simulation);
    world_advance(t->simulation, 20 * SECOND);
    CU_ASSERT_EQUAL(failed(t), 0);
    CU_ASSERT(sent_to(t, 0, 0, 20 * SECOND) > 1000 && sent_to(t, 3, 0, 20 * SECOND) > 1000);
    CU_ASSERT(balancer_count(t, 1, BALANCER_SESSIONS_MOVED) > 1000);
    tier_close(t);
}

/* ---- keys that move ---- */

/* Of 4 backends one goes and comes back: twice 1,000 keys. Modulo: 1 - 3 / 12 of them move; else
 * those of the one that goes: a quarter, on a ring give or take; jump: number 2 of 4 goes, so that
 * keys of 2, 3 and 4 move. */
static void moved_case(enum load_balancer_policy policy, double share, double slack)
{
    struct tier *t = tier_open(policy);
    t->lb.hash = BALANCER_HASH_REQUEST;
    crash_web_2(t, HEALTH_PERFECT);
    double keys = (double)balancer_count(t, 1, BALANCER_KEYS);
    double moved = (double)balancer_count(t, 1, BALANCER_KEYS_MOVED) / 2000;
    CU_ASSERT_EQUAL(keys, 2000);
    CU_ASSERT_DOUBLE_EQUAL(moved, share, 4 * sqrt(share * (1 - share) / 1000) + slack);
    tier_close(t);
}

static void the_keys_that_move_are_counted(void)
{
    moved_case(BALANCER_HASH, 0.75, 0);
    moved_case(BALANCER_RENDEZVOUS, 0.25, 0);
    moved_case(BALANCER_CONSISTENT_HASH, 0.25, 0.1);
    moved_case(BALANCER_BOUNDED_LOAD, 0.25, 0.1);
    moved_case(BALANCER_MAGLEV, 0.25, 0.03);
    moved_case(BALANCER_JUMP, 0.75, 0.1);
}

SUITE("what a balancer knows", TEST(perfect_health_is_known_at_once),
      TEST(without_a_look_a_dead_backend_is_chosen_like_any_other),
      TEST(nobody_left_is_an_error_at_once),
      TEST(probes_find_the_dead_and_the_living_by_their_thresholds),
      TEST(balancers_have_views_of_their_own), TEST(probes_see_what_is_cut_off_or_paused),
      TEST(a_full_backend_answers_probes), TEST(five_errors_take_a_backend_out_for_half_a_minute),
      TEST(the_last_backend_is_never_ejected), TEST(errors_far_apart_eject_nobody),
      TEST(a_returning_backend_gets_its_weight_by_and_by), TEST(who_is_no_member_gets_nothing_new),
      TEST(the_own_zone_comes_first_and_the_others_help_out),
      TEST(balancers_agree_on_who_has_a_key),
      TEST(sessions_stay_until_their_backend_dies_and_do_not_come_back),
      TEST(sessions_of_a_server_that_died_in_between_are_chosen_anew),
      TEST(a_session_leaves_a_backend_that_is_in_another_pool),
      TEST(the_keys_that_move_are_counted))
