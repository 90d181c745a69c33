/* Systems built in C, without a loader: what a scenario file would say, as a blueprint.
 *
 *     struct world w;
 *     world_open(&w, 0, 100 * SECOND);                  warm-up and duration
 *     struct client_config users = world_client();
 *     struct service_config desk = world_service();
 *     world_add(&w, "desk", &service_kind, 1, &desk);   in order of name
 *     world_add(&w, "users", &client_kind, 1, &users);
 *     users.to = world_pool(&w, "desk");
 *     struct simulation *s = world_run(&w, 1);
 *     ... simulation_free(s);
 *     world_close(&w);
 *
 * Configurations are used where they stand: they must live as long as the world and may be changed
 * until a simulation is made. */
#ifndef ORRERY_TESTS_WORLD_H
#define ORRERY_TESTS_WORLD_H

#include "engine/kernel/simulation.h"
#include "models/client.h"
#include "models/load_balancer.h"
#include "models/registry.h"
#include "models/service.h"

#include <string.h>

enum { WORLD_NODES = 64, WORLD_OPERATIONS = 8, WORLD_LINKS = 16 };

#define MILLISECOND INT64_C(1000000)
#define SECOND INT64_C(1000000000)

struct world {
    struct arena arena;
    struct blueprint blueprint;
    struct blueprint_node nodes[WORLD_NODES];
    struct operation operations[WORLD_OPERATIONS];
    struct link_rule links[WORLD_LINKS];
    struct window window;
};

/* An empty system with one operation, `read`, observed in [warmup, duration), followed to its end.
 */
static inline void world_open(struct world *w, int64_t warmup_ns, int64_t duration_ns)
{
    memset(w, 0, sizeof *w);
    w->window = (struct window){warmup_ns, duration_ns};
    w->operations[0] = (struct operation){"read", OPERATION_READ};
    w->blueprint = (struct blueprint){
        .operations = w->operations,
        .operation_count = 1,
        .nodes = w->nodes,
        .links = w->links,
        .windows = &w->window,
        .window_count = 1,
        .duration = duration_ns,
        .drain = 1000000 * SECOND,
        .in_flight = 4000000,
    };
}

static inline void world_close(struct world *w)
{
    arena_free(&w->arena);
}

/* A further operation; to be added before the nodes. Its number. */
static inline uint32_t world_operation(struct world *w, const char *name, enum operation_type type)
{
    CHECK(w->blueprint.operation_count < WORLD_OPERATIONS && !w->blueprint.node_count);
    w->operations[w->blueprint.operation_count] = (struct operation){name, type};
    return w->blueprint.operation_count++;
}

/* A node of `count` instances, all with this configuration for every operation. */
static inline uint32_t world_add(struct world *w, const char *name, const struct kind *kind,
                                 uint32_t count, const void *config)
{
    struct blueprint *b = &w->blueprint;
    CHECK(b->node_count < WORLD_NODES && count);
    CHECK(!b->node_count || strcmp(w->nodes[b->node_count - 1].name, name) < 0);
    struct instance *instances = arena_array(&w->arena, count, struct instance);
    for (uint32_t i = 0; i < count; i++) {
        const void **configs = arena_array(&w->arena, b->operation_count, const void *);
        for (uint32_t o = 0; o < b->operation_count; o++)
            configs[o] = config;
        instances[i] =
            (struct instance){.configs = configs, .weight = 1, .speed = 1, .zone = ZONE_NONE};
    }
    w->nodes[b->node_count] = (struct blueprint_node){.name = name,
                                                      .kind = kind,
                                                      .count = count,
                                                      .first = b->agent_count,
                                                      .instances = instances};
    b->agent_count += count;
    return b->node_count++;
}

static inline const struct blueprint_node *world_node(const struct world *w, const char *name)
{
    for (uint32_t i = 0; i < w->blueprint.node_count; i++)
        if (!strcmp(w->nodes[i].name, name))
            return &w->nodes[i];
    CHECK(!"a node of this name");
    return NULL;
}

/* One instance, to set its weight, speed or zone. `number` counts from 1. */
static inline struct instance *world_instance(struct world *w, const char *name, uint32_t number)
{
    const struct blueprint_node *node = world_node(w, name);
    struct instance *all = arena_array(&w->arena, node->count, struct instance);
    memcpy(all, node->instances, node->count * sizeof *all);
    w->nodes[node - w->nodes].instances = all;
    CHECK(number >= 1 && number <= node->count);
    return &all[number - 1];
}

/* Another configuration for one operation at every instance of a node. */
static inline void world_override(struct world *w, const char *name, uint32_t operation,
                                  const void *config)
{
    const struct blueprint_node *node = world_node(w, name);
    for (uint32_t i = 1; i <= node->count; i++) {
        struct instance *instance = world_instance(w, name, i);
        const void **configs = arena_array(&w->arena, w->blueprint.operation_count, const void *);
        memcpy(configs, instance->configs, w->blueprint.operation_count * sizeof *configs);
        configs[operation] = config;
        instance->configs = configs;
    }
}

/* All instances of a node. */
static inline struct pool world_pool(struct world *w, const char *name)
{
    const struct blueprint_node *node = world_node(w, name);
    uint32_t *agents = arena_array(&w->arena, node->count, uint32_t);
    for (uint32_t i = 0; i < node->count; i++)
        agents[i] = node->first + i;
    return (struct pool){agents, node->count};
}

/* The constant latency of every link, both ways. */
static inline void world_latency(struct world *w, int64_t latency_ns)
{
    CHECK(w->blueprint.link_count < WORLD_LINKS);
    w->links[w->blueprint.link_count++] = (struct link_rule){
        .keys = LINK_LATENCY,
        .config = {.latency = {.kind = DISTRIBUTION_CONSTANT, .value = (double)latency_ns}},
    };
}

static inline struct distribution world_constant(int64_t ns)
{
    return (struct distribution){.kind = DISTRIBUTION_CONSTANT, .value = (double)ns};
}

static inline struct distribution world_exp(int64_t mean_ns)
{
    return (struct distribution){.kind = DISTRIBUTION_EXP, .mean = (double)mean_ns};
}

/* The defaults of each kind; `to`, and a client's arrivals or users, are left to the caller. */
static inline struct caller_config world_caller(void)
{
    return (struct caller_config){.timeout = TIME_NONE, .attempts = 3};
}

static inline struct client_config world_client(void)
{
    return (struct client_config){.caller = world_caller(), .share = 1};
}

/* An open loop of one segment: Poisson, or one arrival every 1/rate from time 0 on. */
static inline void world_arrivals(struct world *w, struct client_config *client, bool poisson,
                                  double rate)
{
    struct arrivals_segment segment = {0};
    const char *why;
    CHECK(poisson ? arrivals_make_poisson(&segment, rate, rate, &why)
                  : arrivals_make_constant(&segment, rate, rate, &why));
    CHECK(arrivals_make(&client->arrivals, &w->arena, &segment, 1, &why));
    client->has_arrivals = true;
}

static inline struct station_config world_station(uint64_t slots)
{
    return (struct station_config){.slots = slots, .queue = COUNT_UNLIMITED};
}

static inline struct service_config world_service(void)
{
    return (struct service_config){.station = world_station(1), .caller = world_caller()};
}

static inline struct load_balancer_config world_balancer(enum load_balancer_policy policy)
{
    return (struct load_balancer_config){.station = world_station(COUNT_UNLIMITED),
                                         .caller = world_caller(),
                                         .choices = 2,
                                         .policy = (uint8_t)policy};
}

/* The agent of an instance, by its number from 1. */
static inline struct agent *world_agent(const struct world *w, struct simulation *s,
                                        const char *name, uint32_t number)
{
    return &s->agents[world_node(w, name)->first + number - 1];
}

/* A whole run with this seed, replication 1: drained, closed, its identities checked. */
static inline struct simulation *world_run_observed(struct world *w, uint64_t seed,
                                                    const struct observer *observer)
{
    struct simulation_options options = {.observer = observer};
    struct simulation *s = simulation_create(&w->blueprint, seed, 1, &options);
    CHECK(simulation_run(s, NULL));
    simulation_close(s);
    simulation_check_identities(s);
    return s;
}

static inline struct simulation *world_run(struct world *w, uint64_t seed)
{
    return world_run_observed(w, seed, NULL);
}

/* Handles everything up to `at_ns` and brings the clock there, where no event does: for faults. */
static inline void world_advance(struct simulation *s, int64_t at_ns)
{
    struct event event;
    simulation_advance(s, at_ns);
    event_push(&s->queue, at_ns, 255, 0, 0);
    CHECK(event_pop(&s->queue, &event, at_ns) && event.type == 255);
}

/* What an agent's record holds of window 0. */
static inline uint64_t world_count(const struct agent *agent, uint32_t table, uint32_t metric,
                                   uint32_t operation)
{
    const struct record *r = agent->records[table];
    uint32_t counted = metric_counted(r->table, metric);
    uint32_t at = operation * r->metric_count + counted;
    bool durations = r->table->metrics[counted].type == METRIC_DURATION;
    return durations ? r->tallies[at].moments.count : r->counts[at];
}

static inline struct moments world_moments(const struct agent *agent, uint32_t table,
                                           uint32_t metric, uint32_t operation)
{
    const struct record *r = agent->records[table];
    return r->tallies[operation * r->metric_count + metric].moments;
}

static inline double world_mean_ns(const struct agent *agent, uint32_t table, uint32_t metric,
                                   uint32_t operation)
{
    struct moments m = world_moments(agent, table, metric, operation);
    return (double)m.sum / (double)m.count;
}

#endif
