/* Shares, imbalance and its coefficient of variation, against numbers worked out by hand: over a
 * whole window, where an instance is away for a part of it, and where there is nothing to compare.
 */
#include "engine/kernel/result.h"
#include "tests/suite.h"
#include "tests/world.h"

#include <math.h>

/* 100/s, one after another, to three instances by weight, for 100 s. */
struct dealt {
    struct world world;
    struct client_config users;
    struct load_balancer_config lb;
    struct service_config web;
    struct simulation *simulation;
    struct result *result;
};

static void dealt_start(struct dealt *d, const double *weights, uint32_t count)
{
    memset(d, 0, sizeof *d);
    world_open(&d->world, 0, 100 * SECOND);
    d->users = world_client();
    d->lb = world_balancer(BALANCER_WEIGHTED_ROUND_ROBIN);
    d->web = world_service();
    world_arrivals(&d->world, &d->users, false, 100);
    world_add(&d->world, "lb", &load_balancer_kind, 1, &d->lb);
    world_add(&d->world, "users", &client_kind, 1, &d->users);
    world_add(&d->world, "web", &service_kind, count, &d->web);
    for (uint32_t i = 0; i < count; i++)
        world_instance(&d->world, "web", i + 1)->weight = weights[i];
    d->users.to = world_pool(&d->world, "lb");
    d->lb.to = world_pool(&d->world, "web");
    d->simulation = simulation_create(&d->world.blueprint, 1, 1, NULL);
    simulation_start(d->simulation);
}

static void dealt_end(struct dealt *d)
{
    static const char *const names[] = {"read"};
    world_advance(d->simulation, 100 * SECOND - 1);
    world_advance(d->simulation, 101 * SECOND);
    simulation_close(d->simulation);
    struct result_run run = {.seed = 1, .replication = 1, .operations = names};
    d->result = recorder_result(d->simulation->recorder, &run);
}

/* The value of a cell; NaN where there is none or it is empty. */
static double value(const struct dealt *d, const char *node, uint32_t instance, const char *metric)
{
    for (uint32_t i = 0; i < d->result->cell_count; i++) {
        const struct result_cell *c = &d->result->cells[i];
        if (!strcmp(c->name, metric) && c->key.instance == instance && !c->key.window &&
            !strcmp(d->result->nodes[c->key.node].name, node))
            return c->denominator ? (double)c->numerator / (double)c->denominator : NAN;
    }
    return NAN;
}

static void dealt_close(struct dealt *d)
{
    result_free(d->result);
    simulation_free(d->simulation);
    world_close(&d->world);
}

/* 1/2, 1/4, 1/4 of 10,000: the highest is 1.5 times the mean, and the standard deviation is
 * sqrt((1/6)^2 + 2 (1/12)^2) / sqrt(3) / (1/3) = 0.3535534 of it. */
static void parts_and_evenness_over_a_whole_window(void)
{
    struct dealt d;
    dealt_start(&d, (const double[]){2, 1, 1}, 3);
    dealt_end(&d);
    CU_ASSERT_DOUBLE_EQUAL(value(&d, "web", 1, "share"), 0.5, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(value(&d, "web", 3, "share"), 0.25, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(value(&d, "web", RESULT_POOLED, "imbalance"), 1.5, 1e-8);
    CU_ASSERT_DOUBLE_EQUAL(value(&d, "web", RESULT_POOLED, "imbalance_cv"), sqrt(0.125), 1e-8);
    CU_ASSERT(isnan(value(&d, "web", RESULT_POOLED, "share")));
    CU_ASSERT(isnan(value(&d, "web", 1, "imbalance")));
    dealt_close(&d);
}

/* Equal weights; number 3 is no member in [20, 60) and down in [60, 70). While it is away the two
 * others have 50/s each, else 33.3/s: they have 50 x 50 + 50 x 100/3 = 4166.7 each in 100 s, it has
 * 1666.7 in 50 s, so rates of 41.67, 41.67 and 33.33 by times 100, 100 and 50: mean 40, highest
 * 1.0417 of it; variance (200 x 1.667^2 + 50 x 6.667^2) / 250 = 11.11, cv = 3.333 / 40 = 0.0833. */
static void an_instance_counts_while_it_may_be_given_work(void)
{
    struct dealt d;
    dealt_start(&d, (const double[]){1, 1, 1}, 3);
    struct agent *third = world_agent(&d.world, d.simulation, "web", 3);
    world_advance(d.simulation, 20 * SECOND - 1);
    world_advance(d.simulation, 20 * SECOND);
    member_set(third, false);
    world_advance(d.simulation, 60 * SECOND);
    place_crash(d.simulation, third->place->index);
    member_set(third, true); /* while it is down: of no effect yet */
    world_advance(d.simulation, 70 * SECOND);
    place_restart(d.simulation, third->place->index);
    dealt_end(&d);
    CU_ASSERT_DOUBLE_EQUAL(value(&d, "web", 3, "share"), 1 / 6.0, 1e-3);
    CU_ASSERT_DOUBLE_EQUAL(value(&d, "web", RESULT_POOLED, "imbalance"), 41.6667 / 40, 1e-3);
    CU_ASSERT_DOUBLE_EQUAL(value(&d, "web", RESULT_POOLED, "imbalance_cv"), 1 / 12.0, 1e-3);
    dealt_close(&d);
}

static void one_instance_has_nothing_to_be_compared_with(void)
{
    struct dealt d;
    dealt_start(&d, (const double[]){1}, 1);
    dealt_end(&d);
    CU_ASSERT(isnan(value(&d, "web", RESULT_POOLED, "imbalance")));
    CU_ASSERT(isnan(value(&d, "web", RESULT_POOLED, "imbalance_cv")));
    CU_ASSERT(isnan(value(&d, "web", RESULT_POOLED, "share")));
    dealt_close(&d);
}

/* A balancer without work or slots has no rows of a station, one that does not hash none of keys.
 */
static void rows_that_could_say_nothing_are_left_out(void)
{
    struct dealt d;
    dealt_start(&d, (const double[]){1, 1}, 2);
    dealt_end(&d);
    uint32_t station = 0, keys = 0, arrivals = 0;
    for (uint32_t i = 0; i < d.result->cell_count; i++) {
        const struct result_cell *c = &d.result->cells[i];
        bool lb = !strcmp(d.result->nodes[c->key.node].name, "lb");
        station += lb && (!strcmp(c->name, "wait") || !strcmp(c->name, "busy"));
        keys += !strcmp(c->name, "keys_moved");
        arrivals += lb && !strcmp(c->name, "arrivals");
    }
    CU_ASSERT_EQUAL(station, 0);
    CU_ASSERT_EQUAL(keys, 0);
    CU_ASSERT_EQUAL(arrivals, 1);
    CU_ASSERT_FALSE(isnan(value(&d, "web", RESULT_POOLED, "busy")));
    dealt_close(&d);
}

SUITE("evenness", TEST(parts_and_evenness_over_a_whole_window),
      TEST(an_instance_counts_while_it_may_be_given_work),
      TEST(one_instance_has_nothing_to_be_compared_with),
      TEST(rows_that_could_say_nothing_are_left_out))
