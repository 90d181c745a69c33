/* The kinds people use, under the faults of the mechanism: worlds drawn from a seed - clients in an
 * open and in a closed loop, a balancer, web servers that call stores, any discipline, limit,
 * patience, timeout, retry and link - are struck for two seconds, healed, and drained. Whatever has
 * struck, everything that was begun has then ended and every count is back at nothing. */
#include "engine/kernel/mechanism.h"
#include "engine/kernel/scaler.h"
#include "models/parts/guard.h"
#include "models/parts/shed.h"
#include "tests/suite.h"
#include "tests/world.h"

enum { SEEDS = 500, STRIKES_END_MS = 2000, ARRIVALS_END_MS = 2600, PLACES_MAX = 16 };

struct storm {
    struct world world;
    struct client_config crowd, visitors; /* an open and a closed loop */
    struct load_balancer_config lb;
    struct service_config web, store, inert;
    uint64_t random;
    uint64_t ok, fail, info;
    uint32_t step_count;
    uint64_t keys; /* of all arrivals, in their order */
    uint32_t cuts[PLACES_MAX][PLACES_MAX];
};

static uint64_t dice(struct storm *w, uint64_t sides)
{
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return (w->random >> 11) % sides;
}

static bool one_in(struct storm *w, uint64_t n)
{
    return dice(w, n) == 0;
}

static void on_complete(void *context, const struct agent *at, const struct call *c)
{
    struct storm *w = context;
    (void)at;
    w->ok += c->status == STATUS_OK;
    w->fail += c->status == STATUS_FAIL;
    w->info += c->status == STATUS_INFO;
}

static void on_arrive(void *context, const struct agent *at, const struct call *c)
{
    struct storm *w = context;
    (void)at;
    w->keys = random_mix(w->keys ^ c->key);
}

/* ---- drawing a world ---- */

static struct distribution random_time(struct storm *w, int64_t mean_ns)
{
    return one_in(w, 3) ? world_constant(mean_ns) : world_exp(mean_ns);
}

/* What guards the calls beyond timeouts and retries; half of the callers have nothing of it. */
static void random_guard(struct storm *w, struct caller_config *caller)
{
    if (one_in(w, 2))
        return;
    caller->deadline = one_in(w, 3) ? (int64_t)(1 + dice(w, 80)) * MILLISECOND : TIME_NONE;
    caller->backoff.growth = (uint8_t)dice(w, 2);
    caller->backoff.jitter = (uint8_t)dice(w, 4);
    caller->budget = one_in(w, 3);
    caller->budget_share = 0.2;
    caller->budget_burst = 5;
    caller->retry_on = (uint32_t)dice(w, 4);
    caller->has_hedge = one_in(w, 2);
    caller->hedge_after = (uint8_t)(one_in(w, 2) ? 0 : 1 + dice(w, 3));
    caller->hedge_ns = (int64_t)dice(w, 5) * MILLISECOND;
    caller->hedge_cancel = one_in(w, 2);
    caller->has_breaker = one_in(w, 3);
    caller->breaker = (struct breaker_config){.share = 0.5,
                                              .consecutive = 3,
                                              .calls = 5,
                                              .window_ns = 200 * MILLISECOND,
                                              .open_ns = 50 * MILLISECOND,
                                              .probes = 1 + dice(w, 3),
                                              .errors = (uint8_t)dice(w, 2)};
    caller->limit = one_in(w, 2) ? 1 + dice(w, 4) : COUNT_UNLIMITED;
    caller->limiter = (struct limiter_config){.rate = 300,
                                              .burst = 10,
                                              .queue = 5,
                                              .window_ns = 50 * MILLISECOND,
                                              .kind = (uint8_t)dice(w, 5)};
    caller->idempotency_key = one_in(w, 2);
}

static void random_caller(struct storm *w, struct caller_config *caller)
{
    *caller = world_caller();
    if (!one_in(w, 3))
        caller->timeout = (int64_t)(1 + dice(w, 60)) * MILLISECOND;
    caller->has_retry = one_in(w, 2);
    caller->attempts = one_in(w, 8) ? 12 : 1 + dice(w, 5);
    if (one_in(w, 2))
        caller->backoff.base_ns = (int64_t)dice(w, 10) * MILLISECOND;
    random_guard(w, caller);
}

static void random_station(struct storm *w, struct station_config *station)
{
    station->discipline = (uint8_t)dice(w, STATION_ADAPTIVE_LIFO + 1);
    station->on_timeout = one_in(w, 4) ? STATION_CANCELS : STATION_CONTINUES;
    station->shed = (uint8_t)(one_in(w, 2) ? dice(w, SHED_PRIORITY + 1) : SHED_NONE);
    station->shed_places = dice(w, 6);
    station->shed_target_ns = MILLISECOND;
    station->shed_interval_ns = 5 * MILLISECOND;
    station->hold = one_in(w, 2) ? STATION_HOLD_REQUEST : STATION_HOLD_WORK;
    station->slots = one_in(w, 6) ? COUNT_UNLIMITED : 1 + dice(w, 4);
    station->queue = one_in(w, 2) ? COUNT_UNLIMITED : dice(w, 6);
    station->time = random_time(w, (int64_t)(1 + dice(w, 4000)) * 1000);
    if (one_in(w, 3))
        station->patience = random_time(w, (int64_t)(1 + dice(w, 20)) * MILLISECOND);
    station->fail = one_in(w, 3) ? 0.1 : 0;
    station->priority = (double)dice(w, 3);
    station->has_usl = one_in(w, 4) && !station_check(&(struct station_config){
                                           .discipline = station->discipline, .has_usl = true});
    station->alpha = 0.05;
    station->beta = 0.00002; /* what piles up must drain before the end of the run */
    station->time_per_busy = one_in(w, 4) ? 20000 : 0;
    if (station_check(station))
        station->time_per_busy = 0;
}

static void random_links(struct storm *w)
{
    struct link_config *config = &w->world.links[0].config;
    if (one_in(w, 6))
        return; /* every hop takes no time and nothing is lost, but by crash and cut */
    w->world.links[0].keys =
        LINK_LATENCY | LINK_BANDWIDTH | LINK_LOSS | LINK_DUPLICATE | LINK_GIVE_UP;
    config->latency = random_time(w, (int64_t)(1 + dice(w, 2000)) * 1000);
    config->bandwidth = one_in(w, 3) ? 1e6 : 0;
    config->loss = one_in(w, 2) ? 0.02 : 0;
    config->duplicate = one_in(w, 2) ? 0.05 : 0;
    config->give_up = (int64_t)(1 + dice(w, 1000)) * MILLISECOND;
    w->world.blueprint.link_count = 1;
}

static void random_client(struct storm *w, struct client_config *client)
{
    const char *why;
    *client = world_client();
    random_caller(w, &client->caller);
    client->has_sessions = one_in(w, 3);
    client->sessions = 1 + dice(w, 5);
    client->sizes = random_time(w, 500); /* bytes */
    client->share = 0.5;
    if (one_in(w, 2))
        CHECK(keys_make_fresh(&client->keys, 0, &why));
}

/* A list of up to four steps, each of any verb and with any modifier; `depth` bounds the nesting.
 */
static struct field_list random_list(struct storm *w, int depth, bool branches)
{
    uint32_t count = 1 + (uint32_t)dice(w, 4);
    struct flow_step *steps = arena_array(&w->world.arena, count, struct flow_step);
    for (uint32_t i = 0; i < count; i++) {
        struct flow_step *step = &steps[i];
        step->number = ++w->step_count;
        step->verb = (uint8_t)dice(w, depth ? FLOW_STEPS + 1 : FLOW_WORK + 1);
        step->condition = !branches && one_in(w, 4) ? FLOW_IF_ERROR : FLOW_IF_OK;
        step->times = one_in(w, 3) ? 3 : 1;
        step->chance = one_in(w, 3) ? 0.5 : 1;
        step->has_as = one_in(w, 4);
        step->as = (uint32_t)dice(w, 2);
        step->work = random_time(w, (int64_t)(1 + dice(w, 2000)) * 1000);
        step->to = world_pool(&w->world, "store");
        step->caller = world_caller();
        if (one_in(w, 2))
            random_caller(w, &step->caller);
        if (step->verb >= FLOW_ALL)
            step->steps = random_list(w, depth - 1, step->verb != FLOW_STEPS);
        step->need = 1 + dice(w, 3);
    }
    return (struct field_list){steps, count};
}

static void random_steps(struct storm *w)
{
    w->web.to = (struct pool){0};
    /* Branches that work while their requests hold the slots lock each other out for ever. */
    w->web.steps = random_list(w, w->web.station.hold == STATION_HOLD_REQUEST ? 0 : 2, false);
}

/* Arrivals until some time after the last fault, so that a session that was never given back would
 * keep an operation for ever. */
static void random_arrivals(struct storm *w)
{
    struct arrivals_segment segments[2] = {{0}, {.kind = ARRIVALS_NONE}};
    double rate = (double)(20 + dice(w, 500));
    const char *why;
    CHECK(one_in(w, 3) ? arrivals_make_constant(&segments[0], rate, rate, &why)
                       : arrivals_make_poisson(&segments[0], rate, rate, &why));
    segments[1].start_ns = ARRIVALS_END_MS * MILLISECOND;
    CHECK(arrivals_make(&w->crowd.arrivals, &w->world.arena, segments, 2, &why));
    w->crowd.has_arrivals = true;
}

/* `inert`: the name of a node that nobody calls, which comes in where the order of names says. */
static void add(struct storm *w, const char *inert, const char *name, const struct kind *kind,
                uint32_t count, const void *config)
{
    const struct blueprint *b = &w->world.blueprint;
    bool before = !b->node_count || strcmp(w->world.nodes[b->node_count - 1].name, inert) < 0;
    if (before && strcmp(inert, name) < 0)
        world_add(&w->world, inert, &service_kind, 2, &w->inert);
    world_add(&w->world, name, kind, count, config);
}

static void storm_open(struct storm *w, uint64_t seed, const char *inert)
{
    memset(w, 0, sizeof *w);
    w->random = random_mix(seed) | 1;
    world_open(&w->world, 200 * MILLISECOND, STRIKES_END_MS * MILLISECOND);
    world_operation(&w->world, "write", OPERATION_WRITE);
    random_client(w, &w->crowd);
    random_client(w, &w->visitors);
    random_arrivals(w);
    w->visitors.has_users = true;
    w->visitors.users = 1 + dice(w, 10);
    w->visitors.think = random_time(w, (int64_t)(1 + dice(w, 50)) * MILLISECOND);
    w->lb = world_balancer((enum load_balancer_policy)dice(w, BALANCER_POLICIES));
    w->lb.vnodes = 1 + dice(w, 50);
    w->lb.load = 1 + (double)dice(w, 3) / 2;
    w->lb.decay = 1 + (int64_t)dice(w, SECOND);
    w->lb.hash = (uint8_t)dice(w, BALANCER_HASH_REQUEST + 1);
    w->lb.inside = (uint8_t)dice(w, 4);
    w->lb.sticky = one_in(w, 3) ? BALANCER_STICKY_SESSION : BALANCER_STICKY_NONE;
    w->lb.slow_start = one_in(w, 2) ? 20 * MILLISECOND : 0;
    w->lb.health.mode = one_in(w, 3) ? HEALTH_NONE : HEALTH_PERFECT;
    random_caller(w, &w->lb.caller);
    if (one_in(w, 3))
        random_station(w, &w->lb.station);
    w->web = w->store = w->inert = world_service();
    random_caller(w, &w->web.caller);
    random_station(w, &w->web.station);
    random_station(w, &w->store.station);
    uint32_t lbs = 1 + (uint32_t)dice(w, 2), webs = 1 + (uint32_t)dice(w, 4);
    uint32_t stores = 1 + (uint32_t)dice(w, 3);
    add(w, inert, "crowd", &client_kind, 1, &w->crowd);
    add(w, inert, "lb", &load_balancer_kind, lbs, &w->lb);
    add(w, inert, "store", &service_kind, stores, &w->store);
    add(w, inert, "visitors", &client_kind, 1, &w->visitors);
    add(w, inert, "web", &service_kind, webs, &w->web);
    if (strcmp(inert, "web") > 0)
        world_add(&w->world, inert, &service_kind, 2, &w->inert);
    random_links(w);
    w->lb.to = world_pool(&w->world, "web");
    w->crowd.to = world_pool(&w->world, one_in(w, 4) ? "web" : "lb");
    w->visitors.to = world_pool(&w->world, "lb");
    if (!one_in(w, 3))
        w->web.to = world_pool(&w->world, "store");
    if (one_in(w, 2))
        random_steps(w);
}

/* ---- striking, healing, draining ---- */

/* A place by the names that every version of a world has. */
static uint32_t random_place(struct storm *w)
{
    static const char *const names[] = {"crowd", "lb", "store", "visitors", "web"};
    const struct blueprint_node *node = world_node(&w->world, names[dice(w, 5)]);
    return node->first + (uint32_t)dice(w, node->count);
}

static void strike(struct storm *w, struct simulation *s)
{
    uint32_t a = random_place(w), b = random_place(w);
    if (one_in(w, 8)) { /* one instance more or fewer */
        if (s->agents[a].visited)
            scaler_change(s, s->agents[a].node, one_in(w, 2) ? 1 : -1);
        return;
    }
    switch (dice(w, 9)) {
    case 0:
        place_crash(s, a);
        break;
    case 1:
    case 2:
        place_restart(s, a);
        break;
    case 3:
        place_pause(s, a);
        break;
    case 4:
        place_resume(s, a);
        break;
    case 5:
        place_slow(s, a, (double)(1 + dice(w, 80)) / 10);
        break;
    case 6:
        place_clock(s, a, (int64_t)dice(w, 1000) * MILLISECOND,
                    ((double)dice(w, 200) - 100) / 1000);
        break;
    case 7:
        if (a == b)
            break;
        link_cut(s, a, b);
        w->cuts[a][b]++;
        break;
    default:
        if (!w->cuts[a][b])
            break;
        link_heal(s, a, b);
        w->cuts[a][b]--;
    }
}

static void heal(struct storm *w, struct simulation *s)
{
    for (uint32_t n = 0; n < w->world.blueprint.node_count; n++)
        if (s->agents[w->world.nodes[n].first].visited)
            scaler_change(s, n, (int32_t)w->world.nodes[n].count);
    world_advance(s, simulation_now(s));
    for (uint32_t a = 0; a < s->place_count; a++) {
        place_resume(s, a);
        place_restart(s, a);
        place_slow(s, a, 1);
        for (uint32_t b = 0; b < s->place_count; b++)
            while (w->cuts[a][b]) {
                link_heal(s, a, b);
                w->cuts[a][b]--;
            }
    }
}

/* A few events by hand, so that some strikes come in the middle of an instant. */
static void single_events(struct storm *w, struct simulation *s)
{
    dispatch(s, recorder_next_edge(s->recorder) - 1, (uint32_t)dice(w, 8), false);
}

static struct simulation *storm_run(struct storm *w, uint64_t seed)
{
    struct probe probe = {.context = w, .complete = on_complete};
    struct observer observer = {.context = w, .arrive = on_arrive};
    struct simulation_options options = {.probe = &probe, .observer = &observer};
    struct simulation *s = simulation_create(&w->world.blueprint, seed, 1, &options);
    int64_t at = 0;
    CHECK(s->place_count <= PLACES_MAX);
    simulation_start(s);
    while (at < STRIKES_END_MS * MILLISECOND) {
        world_advance(s, at);
        single_events(w, s);
        strike(w, s);
        at = simulation_now(s);
        at += 1 + (int64_t)dice(w, 40) * MILLISECOND / 2;
    }
    heal(w, s);
    simulation_advance(s, ARRIVALS_END_MS * MILLISECOND);
    w->visitors.has_users = false; /* nobody thinks any more */
    simulation_advance(s, 100000 * SECOND);
    simulation_close(s);
    simulation_check_identities(s);
    return s;
}

/* ---- what must hold ---- */

#define HOLDS(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("seed %llu, agent %s: %s\n", (unsigned long long)s->seed, name, #condition);    \
            whole = false;                                                                         \
        }                                                                                          \
    } while (0)

static uint64_t sum(const struct agent *agent, uint32_t table, uint32_t metric)
{
    return world_count(agent, table, metric, 0) + world_count(agent, table, metric, 1);
}

static bool client_is_whole(const struct simulation *s, const struct agent *agent)
{
    const char *name = agent->name;
    bool whole = true;
    uint64_t ok = sum(agent, CLIENT_TABLE, CLIENT_OK);
    HOLDS(agent->records[CLIENT_TABLE]->levels[CLIENT_IN_SYSTEM]->value == 0);
    HOLDS(sum(agent, CLIENT_TABLE, CLIENT_OPERATIONS) ==
          ok + sum(agent, CLIENT_TABLE, CLIENT_FAILED));
    HOLDS(sum(agent, CLIENT_TABLE, CLIENT_TRIES) >= ok);
    HOLDS(sum(agent, CLIENT_TABLE, CLIENT_UNFINISHED) == 0);
    for (uint32_t o = 0; o < 2; o++)
        HOLDS(world_moments(agent, CLIENT_TABLE, CLIENT_LATENCY, o).count ==
              world_count(agent, CLIENT_TABLE, CLIENT_OK, o));
    return whole;
}

/* Services and balancers keep a station first in their durable state; a balancer its connections
 * first in its volatile one. */
static bool visited_is_whole(const struct simulation *s, const struct agent *agent)
{
    const char *name = agent->name;
    const struct station *station = agent->durable;
    bool whole = true;
    HOLDS(agent_inside(agent) == 0);
    HOLDS(station->taken == 0 && station->working == 0 && station->waiting == 0);
    HOLDS(station->head == 0 && station->tail == 0);
    HOLDS(station->queue.count == 0 && station->serving.count == 0);
    HOLDS(agent->records[VISITS]->levels[VISIT_INSIDE]->value == 0);
    HOLDS(agent->records[VISITS]->levels[VISIT_UP_COUNT]->value == 1);
    HOLDS(agent->records[1]->levels[STATION_BUSY]->value == 0);
    HOLDS(agent->records[1]->levels[STATION_WORKING]->value == 0);
    HOLDS(agent->records[1]->levels[STATION_QUEUE_LENGTH]->value == 0);
    uint32_t last = 0;
    while (agent->records[last]->table != &guard_metrics)
        last++;
    HOLDS(agent->records[last]->levels[GUARD_LIMIT_QUEUE]->value == 0);
    HOLDS(agent->records[last]->levels[GUARD_IN_FLIGHT]->value == 0);
    if (agent->kind == &load_balancer_kind) {
        const uint32_t *const *connections = agent->memory;
        for (uint32_t i = 0; i < s->agent_count; i++)
            HOLDS((*connections)[i] == 0);
    }
    return whole;
}

static bool everything_is_whole(const struct storm *w, const struct simulation *s)
{
    struct simulation_totals totals = simulation_totals(s);
    const char *name = "(all)";
    bool whole = true;
    HOLDS(totals.issued == totals.ended);
    HOLDS(totals.ended == w->ok + w->fail + w->info);
    HOLDS(totals.issued > 10);
    HOLDS(totals.live == 0);
    HOLDS(event_count(&s->queue) == 0);
    HOLDS(s->observed_open == 0);
    for (uint32_t i = 0; i < s->agent_count; i++) {
        const struct agent *agent = &s->agents[i];
        whole &= agent->visited ? visited_is_whole(s, agent) : client_is_whole(s, agent);
    }
    return whole;
}

static void whatever_strikes_everything_ends_and_every_count_returns_to_nothing(void)
{
    uint64_t ok = 0, fail = 0, info = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct storm w;
        storm_open(&w, seed, "yard");
        struct simulation *s = storm_run(&w, seed);
        CU_ASSERT(everything_is_whole(&w, s));
        ok += w.ok;
        fail += w.fail;
        info += w.info;
        simulation_free(s);
        world_close(&w.world);
    }
    CU_ASSERT(ok > 10000 && fail > 10000 && info > 10000); /* all three are met often */
}

/* ---- the same again, and with an inert node anywhere in the order of names ---- */

/* Everything an agent has measured, as one number. */
static uint64_t measured(const struct agent *agent)
{
    uint64_t hash = random_hash_begin();
    for (uint32_t t = 0; t < KIND_TABLES && agent->records[t]; t++) {
        const struct record *r = agent->records[t];
        for (uint32_t m = 0; m < r->table->count; m++)
            for (uint32_t o = 0; o < 2; o++) {
                enum metric_type type = r->table->metrics[m].type;
                struct moments moments = {0};
                if (type == METRIC_TOTAL || type == METRIC_RATE)
                    hash = random_hash_number(hash, world_count(agent, t, m, o));
                if (type == METRIC_DURATION)
                    moments = world_moments(agent, t, m, o);
                hash = random_hash_number(hash, moments.count);
                hash = random_hash_number(hash, (uint64_t)moments.sum);
                if (type == METRIC_LEVEL) {
                    level_close(r->levels[m], r->levels[m]->since);
                    hash = random_hash_number(hash, (uint64_t)r->levels[m]->integral);
                }
            }
    }
    return random_hash_end(hash);
}

struct traces {
    uint64_t fingerprint, all;
};

static struct traces run_with(uint64_t seed, const char *inert)
{
    struct storm w;
    struct traces traces;
    uint64_t hash = random_hash_begin();
    storm_open(&w, seed, inert);
    struct simulation *s = storm_run(&w, seed);
    for (uint32_t i = 0; i < s->agent_count; i++)
        if (strcmp(s->agents[i].node_name, inert) != 0)
            hash = random_hash_number(hash, measured(&s->agents[i]));
    traces.fingerprint = simulation_totals(s).fingerprint;
    hash = random_hash_number(hash, w.keys);
    traces.all = random_hash_end(hash);
    simulation_free(s);
    world_close(&w.world);
    return traces;
}

static void an_inert_node_anywhere_in_the_order_of_names_moves_nobody(void)
{
    static const char *const inert[] = {"yard", "yard", "attic", "middle", "zoo"};
    struct traces first, previous = {0};
    for (uint64_t seed = 1; seed <= 40; seed++) {
        first = run_with(seed, inert[0]);
        for (int i = 1; i < 5; i++) {
            struct traces again = run_with(seed, inert[i]);
            CU_ASSERT_EQUAL(first.fingerprint, again.fingerprint);
            CU_ASSERT_EQUAL(first.all, again.all);
        }
        CU_ASSERT_NOT_EQUAL(first.fingerprint, previous.fingerprint);
        CU_ASSERT_NOT_EQUAL(first.all, previous.all);
        previous = first;
    }
}

SUITE("the kinds under stress",
      TEST(whatever_strikes_everything_ends_and_every_count_returns_to_nothing),
      TEST(an_inert_node_anywhere_in_the_order_of_names_moves_nobody))
