/* The load that `orrery validate` predicts, against sums done by hand. */
#include "engine/scenario/predict.h"
#include "tests/scenario.h"

struct foreseen {
    struct loaded loaded;
    struct arena arena;
    struct blueprint blueprint;
    struct point point;
    const struct predicted *all; /* [agent] */
};

static void foresee(struct foreseen *f, const char *text)
{
    *f = (struct foreseen){.loaded = load(text, false)};
    if (!f->loaded.scenario)
        diagnostic_print(f->loaded.diagnostics, stdout, false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(f->loaded.scenario);
    scenario_point(f->loaded.scenario, 0, &f->arena, &f->blueprint, &f->point);
    f->all = predict(&f->point, 0, 60 * SECOND);
}

static const struct predicted *at(const struct foreseen *f, const char *node, uint32_t instance)
{
    return &f->all[node_in(&f->blueprint, node)->first + instance];
}

static void close(struct foreseen *f)
{
    arena_free(&f->arena);
    loaded_free(&f->loaded);
}

static void utilization_is_rate_times_work_over_slots(void)
{
    struct foreseen f;
    foresee(&f, "orrery: 1\nnodes:\n"
                "  users: {kind: client, arrivals: poisson(80/s), to: web, operations: {a: 75%, b: "
                "25%}}\n"
                "  web: {kind: service, count: 2, slots: 3, speed: each(x1 x2), time: {a: 20ms, b: "
                "60ms}}\n");
    /* 40/s each; 0.75 x 20 + 0.25 x 60 = 30 ms; 40 x 0.03 / 3 = 0.4, at double speed 0.2. */
    CU_ASSERT_DOUBLE_EQUAL(at(&f, "web", 0)->rate, 40, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(predict_utilization(at(&f, "web", 0)), 0.4, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(predict_utilization(at(&f, "web", 1)), 0.2, 1e-12);
    /* E[S^2] = 0.75 x 400 + 0.25 x 3600 = 1200, over 30^2, less 1. */
    CU_ASSERT_DOUBLE_EQUAL(at(&f, "web", 0)->work_scv, 1200.0 / 900 - 1, 1e-12);
    close(&f);
}

static void flows_split_by_weight_where_the_policy_looks_at_it(void)
{
    struct foreseen f;
    foresee(&f, "orrery: 1\nnodes:\n"
                "  users: {kind: client, arrivals: poisson(100/s), to: lb}\n"
                "  lb: {kind: load_balancer, policy: weighted_random, to: web}\n"
                "  web: {kind: service, count: 3, weight: each(2 2 1), time: 10ms, fail: 50%, to: "
                "db}\n"
                "  db: {kind: service, time: 10ms}\n");
    CU_ASSERT_DOUBLE_EQUAL(at(&f, "web", 0)->rate, 40, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(at(&f, "web", 2)->rate, 20, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(at(&f, "db", 0)->rate, 50, 1e-9); /* what fails calls nobody */
    close(&f);
}

/* Whoever looks at load brings all to one utilization: 1, 2 and 4 x 100/s of capacity. */
static void flows_split_by_capacity_where_the_policy_looks_at_load(void)
{
    static const char *const policies[] = {"least_connections", "power_of_two", "join_idle_queue"};
    for (size_t i = 0; i < sizeof policies / sizeof *policies; i++) {
        struct foreseen f;
        char text[400];
        snprintf(
            text, sizeof text,
            "orrery: 1\nnodes:\n"
            "  users: {kind: client, arrivals: poisson(350/s), to: lb}\n"
            "  lb: {kind: load_balancer, policy: %s, to: web}\n"
            "  web: {kind: service, count: 3, slots: each(1 2 2), speed: each(x1 x1 x2), time: "
            "10ms}\n",
            policies[i]);
        foresee(&f, text);
        for (uint32_t k = 0; k < 3; k++)
            CU_ASSERT_DOUBLE_EQUAL(predict_utilization(at(&f, "web", k)), 0.5, 1e-12);
        CU_ASSERT_DOUBLE_EQUAL(at(&f, "web", 2)->rate, 200, 1e-9);
        close(&f);
    }
}

static void a_slot_held_until_the_answer_is_busy_while_others_work(void)
{
    struct foreseen f;
    foresee(&f, "orrery: 1\nnodes:\n"
                "  users: {kind: client, arrivals: poisson(10/s), to: web}\n"
                "  web: {kind: service, slots: 4, time: 5ms, hold: request, to: db}\n"
                "  db: {kind: service, slots: 2, time: 30ms}\n"
                "links: {default: {latency: 1ms}, web <-> db: {latency: 10ms}}\n");
    /* 5 + 10 + 30 + 10 = 55 ms of a slot, ten times a second, over 4 slots. */
    CU_ASSERT_DOUBLE_EQUAL(predict_utilization(at(&f, "web", 0)), 0.1375, 1e-12);
    CU_ASSERT_TRUE(at(&f, "web", 0)->holds);
    CU_ASSERT_FALSE(at(&f, "db", 0)->holds);
    close(&f);
}

/* Asymptotic bounds: N / (Z + D) while there are few users, 1 / D of the busiest beyond. */
static void a_closed_loop_runs_at_its_asymptote(void)
{
    struct foreseen f;
    foresee(&f, "orrery: 1\nnodes:\n"
                "  users: {kind: client, users: 20, think: exp(5s), to: desk}\n"
                "  desk: {kind: service, time: exp(100ms)}\n");
    CU_ASSERT_DOUBLE_EQUAL(at(&f, "desk", 0)->rate, 20 / 5.1, 1e-9);
    CU_ASSERT_TRUE(at(&f, "desk", 0)->closed);
    close(&f);
    foresee(&f, "orrery: 1\nnodes:\n"
                "  users: {kind: client, users: 80, think: exp(5s), to: desk}\n"
                "  others: {kind: client, arrivals: poisson(4/s), to: desk}\n"
                "  desk: {kind: service, time: exp(100ms)}\n");
    /* The open 4/s take 0.4 of the desk; what is left serves 6/s. */
    CU_ASSERT_DOUBLE_EQUAL(at(&f, "users", 0)->rate, 6, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(predict_utilization(at(&f, "desk", 0)), 1, 1e-9);
    close(&f);
}

/* M/M/1: 1 / (1 - sqrt(rho))^2 mean services: 380 at .9, 1560 at .95, 39800 at .99. */
static void relaxation_is_the_known_number_of_services(void)
{
    static const struct {
        double load, services;
    } cases[] = {{0.9, 380}, {0.95, 1560}, {0.99, 39800}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct predicted p = {
            .rate = 1, .busy = cases[i].load, .slots = 1, .work_ns = 1e6, .work_scv = 1};
        CU_ASSERT_DOUBLE_EQUAL(predict_relaxation_ns(&p) / 1e6 / cases[i].services, 1, 0.002);
    }
    const struct predicted idle = {.slots = 1}, over = {.busy = 2, .slots = 1, .work_ns = 1};
    CU_ASSERT_DOUBLE_EQUAL(predict_relaxation_ns(&idle), 0, 0);
    CU_ASSERT_TRUE(predict_relaxation_ns(&over) > 1e300);
}

/* Against what many at once can do: 100/s where each adds 10 ms, whatever one alone takes; with 4
 * slots 4 in 90 ms + 4 x 10 ms. */
static void work_that_grows_bounds_the_capacity(void)
{
    struct foreseen f;
    foresee(&f,
            "orrery: 1\nnodes:\n"
            "  users: {kind: client, arrivals: poisson(40/s), to: wide}\n"
            "  wide: {kind: service, slots: unlimited, time: 1s, time_per_busy: 10ms, to: four}\n"
            "  four: {kind: service, slots: 4, time: 90ms, time_per_busy: 10ms, to: bare}\n"
            "  bare: {kind: service, slots: 4, time_per_busy: 10ms}\n");
    CU_ASSERT_DOUBLE_EQUAL(predict_utilization(at(&f, "wide", 0)), 0.4, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(predict_utilization(at(&f, "four", 0)), 40 / (4 / 0.13), 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(predict_utilization(at(&f, "bare", 0)), 0.4, 1e-12);
    close(&f);
}

SUITE("predicted load", TEST(utilization_is_rate_times_work_over_slots),
      TEST(flows_split_by_weight_where_the_policy_looks_at_it),
      TEST(flows_split_by_capacity_where_the_policy_looks_at_load),
      TEST(a_slot_held_until_the_answer_is_busy_while_others_work),
      TEST(a_closed_loop_runs_at_its_asymptote), TEST(relaxation_is_the_known_number_of_services),
      TEST(work_that_grows_bounds_the_capacity))
