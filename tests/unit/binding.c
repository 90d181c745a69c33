/* From a document to blueprints: nodes, operations, each, zones, pools, defaults. */
#include "models/client.h"
#include "models/load_balancer.h"
#include "models/service.h"
#include "tests/scenario.h"

static const struct service_config *service(const struct loaded *l, const char *name,
                                            uint32_t instance, const char *operation)
{
    const struct blueprint_node *n = node_in(l->blueprint, name);
    return n->instances[instance].configs[operation_in(l->blueprint, operation)];
}

static const struct client_config *client(const struct loaded *l, const char *operation)
{
    const struct blueprint_node *n = node_in(l->blueprint, "users");
    return n->instances[0].configs[operation_in(l->blueprint, operation)];
}

/* The smallest scenario of the language's description. */
static void the_smallest_scenario_has_the_documented_defaults(void)
{
    struct loaded l = load("{orrery: 1, nodes: {users: {kind: client, arrivals: poisson(80/s), to: "
                           "desk}, desk: {kind: service, time: exp(10ms)}}}",
                           false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(l.scenario);
    CU_ASSERT_EQUAL(l.report->duration, 60 * SECOND);
    CU_ASSERT_EQUAL(l.report->warmup, 6 * SECOND);
    CU_ASSERT_EQUAL(l.report->replications, 10);
    CU_ASSERT_EQUAL(l.report->seed, 1);
    CU_ASSERT_DOUBLE_EQUAL(l.report->confidence, 0.95, 0);
    CU_ASSERT_EQUAL(l.report->point_count, 1);
    CU_ASSERT_EQUAL(l.blueprint->drain, 60 * SECOND);
    CU_ASSERT_EQUAL(l.blueprint->in_flight, 4000000);
    CU_ASSERT_EQUAL(l.blueprint->series_interval, 0);
    CU_ASSERT_EQUAL(l.blueprint->windows[0].begin, 6 * SECOND);
    CU_ASSERT_EQUAL(l.blueprint->windows[0].end, 60 * SECOND);
    CU_ASSERT_EQUAL_FATAL(l.blueprint->operation_count, 1);
    CU_ASSERT_STRING_EQUAL(l.blueprint->operations[0].name, "read");
    CU_ASSERT_EQUAL(l.blueprint->operations[0].type, OPERATION_READ);
    CU_ASSERT_DOUBLE_EQUAL(client(&l, "read")->share, 1, 0);
    CU_ASSERT_EQUAL(client(&l, "read")->caller.timeout, TIME_NONE);
    CU_ASSERT_FALSE(client(&l, "read")->has_users);
    CU_ASSERT_TRUE(client(&l, "read")->has_arrivals);
    CU_ASSERT_EQUAL(service(&l, "desk", 0, "read")->station.slots, 1);
    CU_ASSERT_EQUAL(service(&l, "desk", 0, "read")->station.queue, COUNT_UNLIMITED);
    CU_ASSERT_EQUAL(service(&l, "desk", 0, "read")->to.count, 0);
    CU_ASSERT_STRING_EQUAL(scenario_stem(l.scenario), "test");
    loaded_free(&l);
}

static void nodes_stand_in_order_of_name_and_instances_in_a_row(void)
{
    struct loaded l = load("orrery: 1\nnodes:\n"
                           "  web: {kind: service, count: 3}\n"
                           "  a: {kind: service, count: 2}\n"
                           "  users: {kind: client, users: 5, to: [web.3, a]}\n",
                           false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(l.scenario);
    CU_ASSERT_STRING_EQUAL(l.blueprint->nodes[0].name, "a");
    CU_ASSERT_STRING_EQUAL(l.blueprint->nodes[2].name, "web");
    CU_ASSERT_EQUAL(l.blueprint->nodes[2].first, 3);
    CU_ASSERT_EQUAL(l.blueprint->agent_count, 6);
    const struct pool *to = &client(&l, "read")->to;
    CU_ASSERT_EQUAL_FATAL(to->count, 3);
    CU_ASSERT_EQUAL(to->agents[0], 5);
    CU_ASSERT_EQUAL(to->agents[1], 0);
    CU_ASSERT_EQUAL(to->agents[2], 1);
    loaded_free(&l);
}

static void shares_and_types_of_operations_hold_for_the_whole_scenario(void)
{
    struct loaded l = load("orrery: 1\nnodes:\n"
                           "  users: {kind: client, users: 5, to: desk, operations: {write: 20%, "
                           "view: {share: rest, type: read}, odd: 5%}}\n"
                           "  desk: {kind: service}\n",
                           false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(l.scenario);
    CU_ASSERT_EQUAL_FATAL(l.blueprint->operation_count, 3);
    CU_ASSERT_STRING_EQUAL(l.blueprint->operations[0].name, "odd");
    CU_ASSERT_EQUAL(l.blueprint->operations[0].type, OPERATION_UNTYPED);
    CU_ASSERT_EQUAL(l.blueprint->operations[1].type, OPERATION_READ);
    CU_ASSERT_EQUAL(l.blueprint->operations[2].type, OPERATION_WRITE);
    CU_ASSERT_DOUBLE_EQUAL(client(&l, "view")->share, 0.75, 1e-15);
    CU_ASSERT_DOUBLE_EQUAL(client(&l, "odd")->share, 0.05, 0);
    loaded_free(&l);
}

static void what_a_client_does_not_declare_it_never_begins(void)
{
    struct loaded l =
        load("orrery: 1\nnodes:\n"
             "  users: {kind: client, users: 5, to: desk}\n"
             "  robots: {kind: client, users: 5, to: desk, operations: {scan: 100%}}\n"
             "  desk: {kind: service}\n",
             false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(l.scenario);
    CU_ASSERT_DOUBLE_EQUAL(client(&l, "scan")->share, 0, 0);
    CU_ASSERT_DOUBLE_EQUAL(client(&l, "read")->share, 1, 0);
    loaded_free(&l);
}

static void each_deals_values_over_the_instances_in_turn(void)
{
    struct loaded l =
        load("orrery: 1\nnodes:\n"
             "  users: {kind: client, users: 5, to: web}\n"
             "  web: {kind: service, count: 5, speed: each(x1 x2), weight: each(2 2 1), "
             "slots: each(1 2 3), time: each(5ms 12ms), zone: each(us eu)}\n",
             false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(l.scenario);
    const struct blueprint_node *web = node_in(l.blueprint, "web");
    static const double speeds[] = {1, 2, 1, 2, 1}, weights[] = {2, 2, 1, 2, 2};
    static const uint64_t slots[] = {1, 2, 3, 1, 2};
    for (uint32_t i = 0; i < 5; i++) {
        CU_ASSERT_DOUBLE_EQUAL(web->instances[i].speed, speeds[i], 0);
        CU_ASSERT_DOUBLE_EQUAL(web->instances[i].weight, weights[i], 0);
        CU_ASSERT_EQUAL(service(&l, "web", i, "read")->station.slots, slots[i]);
        CU_ASSERT_DOUBLE_EQUAL(service(&l, "web", i, "read")->station.time.value,
                               i % 2 ? 12e6 : 5e6, 0);
        CU_ASSERT_STRING_EQUAL(l.blueprint->zones[web->instances[i].zone], i % 2 ? "eu" : "us");
    }
    loaded_free(&l);
}

static void each_may_stand_inside_a_call(void)
{
    struct loaded l = load("orrery: 1\nnodes:\n"
                           "  users: {kind: client, count: 3, users: 5, to: web, "
                           "keys: uniform(1k offset=each(0 1M 2M))}\n"
                           "  web: {kind: service}\n",
                           false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(l.scenario);
    const struct blueprint_node *users = node_in(l.blueprint, "users");
    for (uint32_t i = 0; i < 3; i++) {
        const struct client_config *config = users->instances[i].configs[0];
        CU_ASSERT_EQUAL(config->keys.offset, i * UINT64_C(1000000));
    }
    loaded_free(&l);
}

static void an_operation_overrides_a_key_for_itself_alone(void)
{
    struct loaded l = load("orrery: 1\nnodes:\n"
                           "  users: {kind: client, users: 5, to: [a, b], timeout: 2s, operations: "
                           "{view: 90%, buy: {share: 10%, timeout: 800ms, to: b}}}\n"
                           "  a: {kind: service, time: {buy: 9ms}, operations: {view: {to: b}}}\n"
                           "  b: {kind: service}\n",
                           false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(l.scenario);
    CU_ASSERT_EQUAL(client(&l, "view")->caller.timeout, 2 * SECOND);
    CU_ASSERT_EQUAL(client(&l, "view")->to.count, 2);
    CU_ASSERT_EQUAL(client(&l, "buy")->caller.timeout, 800 * MILLISECOND);
    CU_ASSERT_EQUAL(client(&l, "buy")->to.count, 1);
    CU_ASSERT_DOUBLE_EQUAL(service(&l, "a", 0, "buy")->station.time.value, 9e6, 0);
    CU_ASSERT_DOUBLE_EQUAL(service(&l, "a", 0, "view")->station.time.value, 0, 0);
    CU_ASSERT_EQUAL(service(&l, "a", 0, "view")->to.count, 1);
    CU_ASSERT_EQUAL(service(&l, "a", 0, "buy")->to.count, 0);
    loaded_free(&l);
}

static void configurations_are_shared_where_nothing_differs(void)
{
    struct loaded l =
        load("orrery: 1\nnodes:\n"
             "  users: {kind: client, users: 5, to: web, operations: {a: 50%, b: rest}}\n"
             "  web: {kind: service, count: 4, weight: each(1 2)}\n",
             false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(l.scenario);
    CU_ASSERT_PTR_EQUAL(service(&l, "web", 0, "a"), service(&l, "web", 0, "b"));
    CU_ASSERT_PTR_EQUAL(service(&l, "web", 1, "a"), service(&l, "web", 3, "b"));
    loaded_free(&l);
}

static void zones_are_the_same_said_at_the_node_or_in_the_list(void)
{
    static const char nodes[] = "nodes:\n"
                                "  users: {kind: client, users: 5, to: web%s}\n"
                                "  web: {kind: service, count: 2%s}\n%s";
    char at_node[300], in_list[300];
    snprintf(at_node, sizeof at_node, nodes, ", zone: a", ", zone: each(a b)", "orrery: 1\n");
    snprintf(in_list, sizeof in_list, nodes, "", "",
             "orrery: 1\nzones: {a: [users, web.1], b: web.2}\n");
    struct loaded x = load(at_node, false), y = load(in_list, false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(x.scenario);
    CU_ASSERT_PTR_NOT_NULL_FATAL(y.scenario);
    CU_ASSERT_EQUAL(x.blueprint->zone_count, 2);
    CU_ASSERT_EQUAL(y.blueprint->zone_count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(x.blueprint->nodes[1].instances[i].zone, (int32_t)i);
        CU_ASSERT_EQUAL(y.blueprint->nodes[1].instances[i].zone, (int32_t)i);
    }
    CU_ASSERT_EQUAL(y.blueprint->nodes[0].instances[0].zone, 0);
    loaded_free(&x);
    loaded_free(&y);
}

static void the_drain_is_ten_times_the_longest_timeout_of_a_client(void)
{
    struct loaded l = load("orrery: 1\nrun: {duration: 20s}\nnodes:\n"
                           "  users: {kind: client, users: 5, to: desk, timeout: 1s, operations: "
                           "{a: 50%, b: {share: 50%, timeout: 7s}}}\n"
                           "  desk: {kind: service, timeout: 1h}\n",
                           false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(l.scenario);
    CU_ASSERT_EQUAL(l.blueprint->drain, 70 * SECOND);
    loaded_free(&l);
}

/* Means by the laws' own formulas. */
static void distributions_mean_what_the_reader_thinks(void)
{
    static const struct {
        const char *text;
        double mean_ms;
    } cases[] = {
        {"5ms", 5},
        {"exp(5ms)", 5},
        {"uniform(1ms..9ms)", 5},
        {"lognormal(mean=5ms sd=3ms)", 5},
        {"gamma(mean=5ms cv=0.5)", 5},
        {"erlang(4 5ms)", 5},
        {"weibull(shape=2 mean=5ms)", 5},
        {"pareto(1ms 3)", 1.5},
        {"hyperexp(mean=5ms cv=2)", 5},
        {"mix(90% exp(1ms) + 10% exp(20ms))", 2.9},
        {"shift(0.2ms + exp(1ms))", 1.2},
        {"normal(50ms sd=1ms)", 50},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[300];
        snprintf(text, sizeof text,
                 "orrery: 1\nnodes:\n  users: {kind: client, users: 5, to: desk}\n"
                 "  desk: {kind: service, time: %s}\n",
                 cases[i].text);
        struct loaded l = load(text, false);
        CU_ASSERT_PTR_NOT_NULL_FATAL(l.scenario);
        double mean = distribution_mean(&service(&l, "desk", 0, "read")->station.time);
        CU_ASSERT_DOUBLE_EQUAL(mean / 1e6, cases[i].mean_ms, 1e-5);
        loaded_free(&l);
    }
}

static void a_lognormal_goes_through_its_percentiles(void)
{
    struct loaded l = load("orrery: 1\nnodes:\n"
                           "  users: {kind: client, users: 5, to: desk, sizes: uniform(1KB..9KB)}\n"
                           "  desk: {kind: service, time: lognormal(p50=4ms p99.9=20ms)}\n",
                           false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(l.scenario);
    const struct distribution *d = &service(&l, "desk", 0, "read")->station.time;
    CU_ASSERT_DOUBLE_EQUAL(distribution_quantile(d, 0.5), 4e6, 1);
    CU_ASSERT_DOUBLE_EQUAL(distribution_quantile(d, 0.999), 20e6, 20);
    CU_ASSERT_DOUBLE_EQUAL(distribution_mean(&client(&l, "read")->sizes), 5000, 1e-6);
    loaded_free(&l);
}

/* 10 s at 100/s, 10 s rising to 300/s, 10 s at 300/s: 1000 + 2000 + 3000 arrivals. */
static void a_profile_is_linear_over_its_spans(void)
{
    struct loaded l = load("orrery: 1\nnodes:\n"
                           "  users: {kind: client, to: desk, arrivals: [0s poisson(100/s), "
                           "10s..20s poisson(100/s..300/s), 20s poisson(18k/min)]}\n"
                           "  desk: {kind: service}\n",
                           false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(l.scenario);
    const struct arrivals *a = &client(&l, "read")->arrivals;
    CU_ASSERT_DOUBLE_EQUAL(arrivals_mean_rate(a, 0, 30 * SECOND), 200, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(arrivals_mean_rate(a, 10 * SECOND, 20 * SECOND), 200, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(arrivals_mean_rate(a, 0, 10 * SECOND), 100, 1e-6);
    loaded_free(&l);
}

static void vars_and_sets_reach_into_calls_and_records(void)
{
    static const char *const sets[] = {"mean=7ms", "nodes.desk.slots=3"};
    struct loaded l = load_with("orrery: 1\nvars: {mean: 5ms, tries: 4}\nnodes:\n"
                                "  users: {kind: client, users: 5, to: desk, retry: {attempts: "
                                "$tries, backoff: constant($(2 * mean))}}\n"
                                "  desk: {kind: service, time: exp($mean), slots: 1}\n",
                                false, sets, 2);
    CU_ASSERT_PTR_NOT_NULL_FATAL(l.scenario);
    CU_ASSERT_DOUBLE_EQUAL(service(&l, "desk", 0, "read")->station.time.mean, 7e6, 0);
    CU_ASSERT_EQUAL(service(&l, "desk", 0, "read")->station.slots, 3);
    CU_ASSERT_TRUE(client(&l, "read")->caller.has_retry);
    CU_ASSERT_EQUAL(client(&l, "read")->caller.attempts, 4);
    CU_ASSERT_EQUAL(client(&l, "read")->caller.backoff.base_ns, 14 * MILLISECOND);
    loaded_free(&l);
}

static void a_record_that_may_be_left_out_may_be_none(void)
{
    struct loaded l = load(
        "orrery: 1\nnodes:\n"
        "  users: {kind: client, users: 5, to: desk, timeout: 1s, retry: {attempts: 2}, hedge: "
        "{after: 20ms}, breaker: none, operations: {view: {share: 50%, type: read, retry: "
        "none, hedge: none}, write: rest}}\n"
        "  desk: {kind: service, usl: none, autoscale: none}\n",
        false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(l.scenario);
    CU_ASSERT_TRUE(client(&l, "write")->caller.has_retry);
    CU_ASSERT_TRUE(client(&l, "write")->caller.has_hedge);
    CU_ASSERT_FALSE(client(&l, "write")->caller.has_breaker);
    CU_ASSERT_FALSE(client(&l, "view")->caller.has_retry);
    CU_ASSERT_FALSE(client(&l, "view")->caller.has_hedge);
    CU_ASSERT_FALSE(service(&l, "desk", 0, "view")->station.has_usl);
    CU_ASSERT_PTR_NULL(node_in(l.blueprint, "desk")->scaling);
    loaded_free(&l);
}

static void the_hash_tells_documents_apart_and_ignores_their_layout(void)
{
    static const char *const sets[] = {"nodes.desk.slots=3"};
    struct loaded a = load(DESK, false), b = load("# a comment\n\n" DESK, false);
    struct loaded c = load_with(DESK, false, sets, 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(a.scenario);
    CU_ASSERT_PTR_NOT_NULL_FATAL(b.scenario);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c.scenario);
    CU_ASSERT_EQUAL(strlen(scenario_hash(a.scenario)), 16);
    CU_ASSERT_STRING_EQUAL(scenario_hash(a.scenario), scenario_hash(b.scenario));
    CU_ASSERT_STRING_NOT_EQUAL(scenario_hash(a.scenario), scenario_hash(c.scenario));
    loaded_free(&a);
    loaded_free(&b);
    loaded_free(&c);
}

/* Runs that another number of replications has too can be kept; those of other settings cannot, nor
 * can the run of a document as it stands be taken for a point of its sweep. */
static void the_hash_is_of_runs_and_not_of_their_number(void)
{
    static const char *const more[] = {"run={replications: 30}"};
    static const char *const longer[] = {"run={replications: 30, duration: 61s}"};
    static const char *const as_long[] = {"run={duration: 61s}"};
    struct loaded all[] = {
        load(DESK, false),
        load_with(DESK, false, more, 1),
        load_with(DESK, false, longer, 1),
        load_with(DESK, false, as_long, 1),
        load(DESK "sweep: {nodes.desk.slots: [1, 2]}\n", false),
        load(DESK "sweep: {nodes.desk.slots: [1, 2]}\n", true),
    };
    static const int group[] = {0, 0, 1, 1, 2, 3};
    enum { COUNT = sizeof all / sizeof *all };
    for (int i = 0; i < COUNT; i++)
        CU_ASSERT_PTR_NOT_NULL_FATAL(all[i].scenario);
    for (int i = 0; i < COUNT; i++)
        for (int k = 0; k < COUNT; k++)
            CU_ASSERT_EQUAL(!strcmp(scenario_hash(all[i].scenario), scenario_hash(all[k].scenario)),
                            group[i] == group[k]);
    for (int i = 0; i < COUNT; i++)
        loaded_free(&all[i]);
}

static void ways_may_cross_as_long_as_no_operation_goes_round(void)
{
    static const char form[] = "orrery: 1\nnodes:\n"
                               "  users: {kind: client, users: 5, operations: {x: 50%%, y: 50%%}, "
                               "to: [a, b]}\n"
                               "  a: {kind: service, operations: {x: {to: b}}}\n"
                               "  b: {kind: service, operations: {%s: {to: a}}}\n";
    char across[300], round[300];
    snprintf(across, sizeof across, form, "y");
    snprintf(round, sizeof round, form, "x");
    struct loaded l = load(across, false);
    CU_ASSERT_PTR_NOT_NULL(l.scenario);
    loaded_free(&l);
    CU_ASSERT_TRUE(refused(round, false, "in a circle: a -> b -> a"));
    CU_ASSERT_TRUE(refused("orrery: 1\nnodes:\n  users: {kind: client, users: 1, to: a}\n"
                           "  a: {kind: service, to: a}\n",
                           false, "in a circle: a -> a"));
}

static void words_take_their_parameters(void)
{
    struct loaded l = load("orrery: 1\nnodes:\n"
                           "  users: {kind: client, users: 5, to: lb}\n"
                           "  lb: {kind: load_balancer, policy: power_of_two(replacement=true), "
                           "choices: 3, to: web}\n"
                           "  web: {kind: service, count: 3, queue: 0, hold: request}\n",
                           false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(l.scenario);
    const struct load_balancer_config *lb = node_in(l.blueprint, "lb")->instances[0].configs[0];
    CU_ASSERT_EQUAL(lb->policy, BALANCER_POWER_OF_TWO);
    CU_ASSERT_TRUE(lb->replacement);
    CU_ASSERT_EQUAL(lb->choices, 3);
    CU_ASSERT_EQUAL(lb->to.count, 3);
    CU_ASSERT_EQUAL(service(&l, "web", 0, "read")->station.queue, 0);
    CU_ASSERT_EQUAL(service(&l, "web", 0, "read")->station.hold, STATION_HOLD_REQUEST);
    loaded_free(&l);
}

static void a_quoted_name_may_be_odd_but_not_break_an_address(void)
{
    struct loaded l = load("orrery: 1\nnodes:\n"
                           "  users: {kind: client, users: 5, to: \"it's;`x`\"}\n"
                           "  \"it's;`x`\": {kind: service}\n",
                           false);
    CU_ASSERT_PTR_NOT_NULL(l.scenario);
    loaded_free(&l);
    CU_ASSERT_TRUE(refused(DESK "  \"a b\": {kind: service}\n", false, "cannot name a node"));
    CU_ASSERT_TRUE(refused(DESK "  \"a.b\": {kind: service}\n", false, "cannot name a node"));
    CU_ASSERT_TRUE(refused(DESK "  \"a,b\": {kind: service}\n", false, "cannot name a node"));
}

SUITE("binding of scenarios", TEST(the_smallest_scenario_has_the_documented_defaults),
      TEST(nodes_stand_in_order_of_name_and_instances_in_a_row),
      TEST(shares_and_types_of_operations_hold_for_the_whole_scenario),
      TEST(what_a_client_does_not_declare_it_never_begins),
      TEST(each_deals_values_over_the_instances_in_turn), TEST(each_may_stand_inside_a_call),
      TEST(an_operation_overrides_a_key_for_itself_alone),
      TEST(configurations_are_shared_where_nothing_differs),
      TEST(zones_are_the_same_said_at_the_node_or_in_the_list),
      TEST(the_drain_is_ten_times_the_longest_timeout_of_a_client),
      TEST(distributions_mean_what_the_reader_thinks),
      TEST(a_lognormal_goes_through_its_percentiles), TEST(a_profile_is_linear_over_its_spans),
      TEST(vars_and_sets_reach_into_calls_and_records),
      TEST(a_record_that_may_be_left_out_may_be_none),
      TEST(the_hash_tells_documents_apart_and_ignores_their_layout),
      TEST(the_hash_is_of_runs_and_not_of_their_number),
      TEST(ways_may_cross_as_long_as_no_operation_goes_round), TEST(words_take_their_parameters),
      TEST(a_quoted_name_may_be_odd_but_not_break_an_address))
