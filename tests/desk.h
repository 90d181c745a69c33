/* A client at a desk, with a balancer between them or a store behind them where wanted, for cases
 * worked out by hand: faults strike between two advances, and what became of the operations is
 * written down in the order in which they ended.
 *
 *     struct desk_bench b;
 *     bench_open(&b, SECOND);
 *     bench_arrivals(&b, (const int64_t[]){0, MILLISECOND}, 2);
 *     struct simulation *s = bench_start(&b, NULL);
 *     world_advance(s, 20 * MILLISECOND);
 *     place_crash(s, place_of(&b, "desk"));
 *     ...
 *     bench_close(&b);                      drains: nothing may be left
 */
#ifndef ORRERY_TESTS_DESK_H
#define ORRERY_TESTS_DESK_H

#include "tests/suite.h"
#include "tests/world.h"

#define MICROSECOND INT64_C(1000)

enum { STATION_TABLE = 1, ENDED_MAX = 32 };

/* What became of the operations, in the order in which they ended. */
struct ended {
    uint64_t count;
    uint8_t status[ENDED_MAX];
    int64_t at_ns[ENDED_MAX];
};

static inline void on_complete(void *context, const struct agent *at, const struct call *c)
{
    struct ended *e = context;
    if (e->count < ENDED_MAX) {
        e->status[e->count] = c->status;
        e->at_ns[e->count] = simulation_now(at->simulation);
    }
    e->count++;
}

/* A client, a balancer where it is wanted, a desk, and a store behind it where it is wanted. */
struct desk_bench {
    struct world world;
    struct client_config users;
    struct load_balancer_config lb;
    struct service_config desk, store;
    bool with_lb, with_store;
    struct ended ended;
    struct probe probe;
    struct simulation *simulation;
};

static inline void bench_open(struct desk_bench *b, int64_t duration_ns)
{
    memset(b, 0, sizeof *b);
    world_open(&b->world, 0, duration_ns);
    b->users = world_client();
    b->lb = world_balancer(BALANCER_LEAST_CONNECTIONS);
    b->desk = b->store = world_service();
}

/* Arrivals at these instants. */
static inline void bench_arrivals(struct desk_bench *b, const int64_t *times_ns, size_t count)
{
    struct arrivals_segment segment = {0};
    const char *why;
    CHECK(arrivals_make_trace(&segment, &b->world.arena, times_ns, count, &why));
    CHECK(arrivals_make(&b->users.arrivals, &b->world.arena, &segment, 1, &why));
    b->users.has_arrivals = true;
}

static inline void bench_link(struct desk_bench *b, const char *from, const char *to, uint32_t keys,
                              struct link_config config)
{
    struct blueprint *blueprint = &b->world.blueprint;
    b->world.links[blueprint->link_count++] =
        (struct link_rule){.from = LINK_NODE,
                           .to = LINK_NODE,
                           .from_id = (uint32_t)(world_node(&b->world, from) - b->world.nodes),
                           .to_id = (uint32_t)(world_node(&b->world, to) - b->world.nodes),
                           .keys = keys,
                           .config = config};
}

static inline void bench_nodes(struct desk_bench *b)
{
    world_add(&b->world, "desk", &service_kind, 1, &b->desk);
    if (b->with_lb)
        world_add(&b->world, "lb", &load_balancer_kind, 1, &b->lb);
    if (b->with_store)
        world_add(&b->world, "store", &service_kind, 1, &b->store);
    world_add(&b->world, "users", &client_kind, 1, &b->users);
    b->users.to = world_pool(&b->world, b->with_lb ? "lb" : "desk");
    b->lb.to = world_pool(&b->world, "desk");
    if (b->with_store)
        b->desk.to = world_pool(&b->world, "store");
}

static inline struct simulation *bench_start(struct desk_bench *b, const struct observer *observer)
{
    struct simulation_options options = {.probe = &b->probe, .observer = observer};
    if (!b->world.blueprint.node_count)
        bench_nodes(b);
    b->probe = (struct probe){.context = &b->ended, .complete = on_complete};
    b->simulation = simulation_create(&b->world.blueprint, 1, 1, &options);
    simulation_start(b->simulation);
    return b->simulation;
}

static inline const struct agent *agent_of(const struct desk_bench *b, const char *name)
{
    return world_agent(&b->world, b->simulation, name, 1);
}

static inline uint32_t place_of(const struct desk_bench *b, const char *name)
{
    return agent_of(b, name)->place->index;
}

static inline const struct station *station_of(const struct desk_bench *b, const char *name)
{
    return agent_of(b, name)->durable; /* a service's and a balancer's first member */
}

/* The integral of a level up to now, in ns. */
static inline int64_t integral(const struct desk_bench *b, const char *name, uint32_t table,
                               uint32_t metric)
{
    struct level *level = agent_of(b, name)->records[table]->levels[metric];
    level_close(level, simulation_now(b->simulation));
    return (int64_t)level->integral;
}

static inline uint64_t client_count(const struct desk_bench *b, uint32_t metric)
{
    return world_count(agent_of(b, "users"), CLIENT_TABLE, metric, 0);
}

static inline struct moments client_latency(const struct desk_bench *b, uint32_t metric)
{
    return world_moments(agent_of(b, "users"), CLIENT_TABLE, metric, 0);
}

static inline void bench_close(struct desk_bench *b)
{
    struct simulation *s = b->simulation;
    simulation_advance(s, 1000000 * SECOND);
    CU_ASSERT_EQUAL(simulation_totals(s).live, 0);
    CU_ASSERT_EQUAL(event_count(&s->queue), 0);
    simulation_close(s);
    simulation_check_identities(s);
    simulation_free(s);
    world_close(&b->world);
}

/* Whether operation i ended so, then. */
static inline bool ended(const struct desk_bench *b, uint32_t i, enum status status, int64_t at_ns)
{
    return i < b->ended.count && b->ended.status[i] == status && b->ended.at_ns[i] == at_ns;
}

#endif
