/* The load balancer: fixed runs worked out by hand, and every choice judged by brute force. */
#include "tests/suite.h"
#include "tests/world.h"

#include <math.h>

enum { BACKENDS = 4, CHOICES_MAX = 20000 };

/* What an observer sees of the backends web.1 .. web.4, which are agents 2 .. 5 (lb is 0, users
 * is 1): how many each has in hand, and who was chosen. */
struct seen {
    uint32_t inside[BACKENDS];
    uint8_t chosen[CHOICES_MAX];
    uint32_t count;
    uint32_t not_least;             /* choices of one with more than the fewest */
    uint32_t second;                /* choices of the most loaded of all, no ties */
    double rank_sum, rank_variance; /* of the choices among equals, against the middle */
    int64_t last_ns;
};

enum { LB = 0, USERS = 1, WEB = 2 };

static void on_arrive(void *context, const struct agent *at, const struct call *c)
{
    struct seen *seen = context;
    uint32_t me = at->index - WEB, ties = 0, before = 0, least = UINT32_MAX, most = 0;
    (void)c;
    if (at->index < WEB)
        return;
    for (uint32_t i = 0; i < BACKENDS; i++) {
        least = seen->inside[i] < least ? seen->inside[i] : least;
        most = seen->inside[i] > most ? seen->inside[i] : most;
    }
    for (uint32_t i = 0; i < BACKENDS; i++) {
        ties += seen->inside[i] == least;
        before += seen->inside[i] == least && i < me;
    }
    uint32_t at_most = 0;
    for (uint32_t i = 0; i < BACKENDS; i++)
        at_most += seen->inside[i] == most;
    seen->second += seen->inside[me] == most && at_most == 1;
    if (seen->inside[me] > least) {
        seen->not_least++;
    } else if (ties > 1) {
        seen->rank_sum += before - (ties - 1) / 2.0;
        seen->rank_variance += ((double)ties * ties - 1) / 12;
    }
    if (seen->count < CHOICES_MAX)
        seen->chosen[seen->count++] = (uint8_t)me;
    seen->inside[me]++;
}

static void on_leave(void *context, const struct agent *at, const struct call *c)
{
    struct seen *seen = context;
    (void)c;
    if (at->index < WEB)
        return;
    seen->inside[at->index - WEB]--;
    seen->last_ns = simulation_now(at->simulation);
}

static const double even[BACKENDS] = {1, 1, 1, 1};

static struct seen watch(const struct load_balancer_config *balancer, double rate,
                         const double *weights)
{
    struct seen seen = {0};
    struct observer observer = {.context = &seen, .arrive = on_arrive, .leave = on_leave};
    struct load_balancer_config lb = *balancer;
    struct service_config web = world_service();
    struct client_config users = world_client();
    struct world w;
    world_open(&w, 0, 4000 * SECOND);
    web.station.time = world_exp(SECOND);
    world_arrivals(&w, &users, true, rate);
    world_add(&w, "lb", &load_balancer_kind, 1, &lb);
    world_add(&w, "users", &client_kind, 1, &users);
    world_add(&w, "web", &service_kind, BACKENDS, &web);
    for (uint32_t i = 0; i < BACKENDS; i++)
        world_instance(&w, "web", i + 1)->weight = weights[i];
    users.to = world_pool(&w, "lb");
    lb.to = world_pool(&w, "web");
    struct simulation *s = world_run_observed(&w, 1, &observer);
    CU_ASSERT(seen.count > 5000);
    simulation_free(s);
    world_close(&w);
    return seen;
}

static void round_robin_goes_in_turn_from_the_first(void)
{
    struct load_balancer_config lb = world_balancer(BALANCER_ROUND_ROBIN);
    struct seen seen = watch(&lb, 3, even);
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < seen.count; i++)
        wrong += seen.chosen[i] != i % BACKENDS;
    CU_ASSERT_EQUAL(wrong, 0);
}

/* nginx, ngx_http_upstream_round_robin.c, says for weights 5, 1, 1: a a b a c a a; the fourth here
 * has a weight that is never enough. */
static void weighted_round_robin_is_smooth_as_in_nginx(void)
{
    static const uint8_t turn[] = {0, 0, 1, 0, 2, 0, 0};
    struct load_balancer_config lb = world_balancer(BALANCER_WEIGHTED_ROUND_ROBIN);
    struct seen seen = watch(&lb, 2, (double[]){5, 1, 1, 1e-9});
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < 5000; i++)
        wrong += seen.chosen[i] != turn[i % 7];
    CU_ASSERT_EQUAL(wrong, 0);
}

static void expect_shares(const struct seen *seen, const double *shares)
{
    uint32_t counts[BACKENDS] = {0};
    for (uint32_t i = 0; i < seen->count; i++)
        counts[seen->chosen[i]]++;
    for (uint32_t i = 0; i < BACKENDS; i++) {
        double n = seen->count, p = shares[i];
        CU_ASSERT_DOUBLE_EQUAL(counts[i] / n, p, 4 * sqrt(p * (1 - p) / n));
    }
}

static void random_choices_follow_the_weights_only_where_asked(void)
{
    static const double weights[] = {4, 3, 2, 1};
    struct load_balancer_config lb = world_balancer(BALANCER_RANDOM);
    struct seen seen = watch(&lb, 2, weights);
    expect_shares(&seen, (double[]){0.25, 0.25, 0.25, 0.25});
    lb.policy = BALANCER_WEIGHTED_RANDOM;
    seen = watch(&lb, 2, weights);
    expect_shares(&seen, (double[]){0.4, 0.3, 0.2, 0.1});
}

static void least_connections_picks_the_fewest_and_evenly_among_equals(void)
{
    struct load_balancer_config lb = world_balancer(BALANCER_LEAST_CONNECTIONS);
    struct seen seen = watch(&lb, 3.5, even);
    CU_ASSERT_EQUAL(seen.not_least, 0);
    CU_ASSERT(seen.rank_variance > 1000);
    CU_ASSERT_DOUBLE_EQUAL(seen.rank_sum / sqrt(seen.rank_variance), 0, 4);
}

/* Two distinct ones of four: the only one with the most is never chosen. With replacement it is
 * drawn twice in 1 of 16. All four: the fewest. */
static void power_of_two_looks_at_distinct_backends(void)
{
    struct load_balancer_config lb = world_balancer(BALANCER_POWER_OF_TWO);
    struct seen seen = watch(&lb, 3.5, even);
    CU_ASSERT(seen.not_least > 100);
    CU_ASSERT_EQUAL(seen.second, 0);
    lb.replacement = true;
    seen = watch(&lb, 3.5, even);
    CU_ASSERT(seen.second > 100);
    lb.replacement = false;
    lb.choices = 9;
    seen = watch(&lb, 3.5, even);
    CU_ASSERT_EQUAL(seen.not_least, 0);
    CU_ASSERT_DOUBLE_EQUAL(seen.rank_sum / sqrt(seen.rank_variance), 0, 4);
}

/* ---- the fixed runs: 100 requests, three servers of 10, 20 and 30 ms, round robin ---- */

static double wait_ms(struct world *w, struct simulation *s)
{
    wide sum = 0;
    uint64_t count = 0;
    for (uint32_t i = 1; i <= 3; i++) {
        struct moments m = world_moments(world_agent(w, s, "web", i), 1, STATION_WAIT, 0);
        sum += m.sum;
        count += m.count;
    }
    CU_ASSERT_EQUAL(count, 100);
    return (double)sum / (double)count / 1e6;
}

static void fixed_run(bool at_once, double expected_wait_ms, int64_t p95_ms, int64_t p99_ms,
                      int64_t last_ms)
{
    struct load_balancer_config lb = world_balancer(BALANCER_ROUND_ROBIN);
    struct client_config users = world_client();
    struct service_config web[3];
    struct world w;
    struct arrivals_segment batch = {0};
    const char *why;
    world_open(&w, 0, 100 * MILLISECOND);
    struct distribution gap = world_constant(100 * MILLISECOND);
    if (at_once) {
        CU_ASSERT(arrivals_make_batches(&batch, 100, &gap, &why));
        CU_ASSERT(arrivals_make(&users.arrivals, &w.arena, &batch, 1, &why));
        users.has_arrivals = true;
    } else {
        world_arrivals(&w, &users, false, 1000);
    }
    world_add(&w, "lb", &load_balancer_kind, 1, &lb);
    world_add(&w, "users", &client_kind, 1, &users);
    world_add(&w, "web", &service_kind, 3, &web[0]);
    for (uint32_t i = 0; i < 3; i++) {
        web[i] = world_service();
        web[i].station.time = world_constant((i + 1) * 10 * MILLISECOND);
        const void **configs = arena_array(&w.arena, 1, const void *);
        configs[0] = &web[i];
        world_instance(&w, "web", i + 1)->configs = configs;
    }
    users.to = world_pool(&w, "lb");
    lb.to = world_pool(&w, "web");
    struct simulation *s = world_run(&w, 1);
    const struct tally *latency =
        &world_agent(&w, s, "users", 1)->records[0]->tallies[CLIENT_LATENCY];
    CU_ASSERT_EQUAL(latency->moments.count, 100);
    CU_ASSERT_EQUAL((int64_t)histogram_at_rank(latency->histogram, 95), p95_ms * MILLISECOND);
    CU_ASSERT_EQUAL((int64_t)histogram_at_rank(latency->histogram, 99), p99_ms * MILLISECOND);
    CU_ASSERT_DOUBLE_EQUAL(wait_ms(&w, s), expected_wait_ms, 1e-9);
    CU_ASSERT_EQUAL(s->queue.now, last_ms * MILLISECOND); /* it stops at the last completion */
    simulation_free(s);
    world_close(&w);
}

static void a_request_each_millisecond_at_three_unequal_servers(void)
{
    fixed_run(false, 271.59, 759, 867, 992);
}

static void a_hundred_requests_at_once_at_three_unequal_servers(void)
{
    fixed_run(true, 320.1, 840, 960, 990);
}

/* ---- counts survive timeouts: late answers lower them all the same ---- */

static void late_answers_lower_the_counts(void)
{
    struct load_balancer_config lb = world_balancer(BALANCER_LEAST_CONNECTIONS);
    struct client_config users = world_client();
    struct service_config web = world_service();
    struct seen seen = {0};
    struct observer observer = {.context = &seen, .arrive = on_arrive, .leave = on_leave};
    struct world w;
    world_open(&w, 0, 1000 * SECOND);
    lb.caller.timeout = SECOND;
    web.station.time = world_exp(SECOND);
    world_arrivals(&w, &users, true, 3);
    world_add(&w, "lb", &load_balancer_kind, 1, &lb);
    world_add(&w, "users", &client_kind, 1, &users);
    world_add(&w, "web", &service_kind, BACKENDS, &web);
    users.to = world_pool(&w, "lb");
    lb.to = world_pool(&w, "web");
    struct simulation *s = world_run_observed(&w, 1, &observer);
    CU_ASSERT(world_count(world_agent(&w, s, "users", 1), 0, CLIENT_FAILED, 0) > 500);
    CU_ASSERT_EQUAL(seen.not_least, 0);
    simulation_free(s);
    world_close(&w);
}

SUITE("the load balancer", TEST(round_robin_goes_in_turn_from_the_first),
      TEST(weighted_round_robin_is_smooth_as_in_nginx),
      TEST(random_choices_follow_the_weights_only_where_asked),
      TEST(least_connections_picks_the_fewest_and_evenly_among_equals),
      TEST(power_of_two_looks_at_distinct_backends),
      TEST(a_request_each_millisecond_at_three_unequal_servers),
      TEST(a_hundred_requests_at_once_at_three_unequal_servers),
      TEST(late_answers_lower_the_counts))
