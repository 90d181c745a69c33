/* One run: made from a blueprint, started, advanced, drained, closed and checked. */
#include "engine/kernel/visit.h"
#include "engine/kernel/watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { POOL_SLACK = 1 << 17, STOP_EVERY = 1 << 14, LINK_TABLE_PLACES = 128 };

/* ---- making ---- */

static uint32_t frame_largest(const struct blueprint *b)
{
    uint32_t largest = 0;
    for (uint32_t i = 0; i < b->node_count; i++)
        if (b->nodes[i].kind->frame_size > largest)
            largest = b->nodes[i].kind->frame_size;
    return largest;
}

/* One range of address space, so that pointers to calls stay valid while the pool grows; the
 * machine gives memory for what is touched. */
static void pool_reserve(struct simulation *s)
{
    size_t size =
        sizeof(struct call) + sizeof(struct call_tail) + frame_room(frame_largest(s->blueprint));
    while ((size_t)1 << s->shift < size)
        s->shift++;
    CHECK(s->blueprint->in_flight < UINT32_MAX - POOL_SLACK - 1);
    s->pool_room = (uint32_t)s->blueprint->in_flight + POOL_SLACK;
    s->pool = mmap(NULL, (size_t)s->pool_room << s->shift, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (s->pool == MAP_FAILED)
        check_machine("no address space for the calls in flight; lower `run: {in_flight: ...}`");
    s->pool_used = 1;
}

/* Aligned, which is more than an arena promises. */
static struct agent *agents_new(struct simulation *s)
{
    size_t alignment = _Alignof(struct agent);
    unsigned char *room = arena_take(&s->arena, (s->agent_count + 1) * sizeof(struct agent));
    return (struct agent *)(void *)(room + (alignment - (uintptr_t)room % alignment));
}

/* Three bits of 64 by the first 18 of the hash: a chain of 4 tiers takes a fifth for one that was
 * visited with a probability of 0.5 %, where one bit each does with 6 %. A false hit costs pairing
 * and never correctness. */
static uint64_t tier_bits(uint64_t tier)
{
    return UINT64_C(1) << (tier >> 58) | UINT64_C(1) << (tier >> 52 & 63) |
           UINT64_C(1) << (tier >> 46 & 63);
}

static uint32_t host_of(const struct blueprint *b, uint32_t agent)
{
    return b->hosts ? b->hosts[agent] : agent;
}

static void agent_init(struct simulation *s, struct agent *agent, uint32_t node, uint32_t number)
{
    const struct blueprint_node *n = &s->blueprint->nodes[node];
    const struct instance *instance = &n->instances[number - 1];
    uint64_t hash = random_hash_begin();
    *agent = (struct agent){
        .kind = n->kind,
        .simulation = s,
        .place = &s->places[host_of(s->blueprint, (uint32_t)(agent - s->agents))],
        .configs = instance->configs,
        .index = (uint32_t)(agent - s->agents),
        .node = node,
        .number = number,
        .visited = n->kind->flags & KIND_VISITED,
        .cancels = n->kind->flags & KIND_CANCELS || s->abandons,
        .abandons = blueprint_measures(s->blueprint, n, "on_timeout"),
        .member = true,
        .exists = true,
        .weight = instance->weight,
        .tier = random_hash(n->name, strlen(n->name)),
        .node_name = n->name,
        .name = n->count == 1 ? n->name : arena_format(&s->arena, "%s.%" PRIu32, n->name, number),
    };
    agent->tier_bits = tier_bits(agent->tier);
    hash = random_hash_number(hash, s->seed);
    hash = random_hash_number(hash, s->replication);
    hash = random_hash_text(hash, agent->name, strlen(agent->name));
    agent->id_base = random_hash_end(hash);
    if (host_of(s->blueprint, agent->index) == agent->index)
        place_init(agent->place, s, agent);
    agent->memory = arena_take(&agent->place->memory, n->kind->volatile_size);
    agent->durable = arena_take(&s->arena, n->kind->durable_size);
}

/* Machines, then the groups that live on them. */
static void nodes_init(struct simulation *s, bool groups)
{
    for (uint32_t n = 0; n < s->blueprint->node_count; n++) {
        const struct blueprint_node *node = &s->blueprint->nodes[n];
        if (groups != ((node->kind->flags & (KIND_GROUP | KIND_GUEST)) != 0))
            continue;
        for (uint32_t i = 0; i < node->count; i++)
            agent_init(s, &s->agents[node->first + i], n, i + 1);
    }
}

static void node_hide(const struct simulation *s, const struct blueprint_node *n, uint32_t t)
{
    const struct metric_table *table = n->kind->tables[t];
    for (uint32_t m = 0; m < table->count; m++) {
        const char *when = table->metrics[m].when;
        if (!when || blueprint_measures(s->blueprint, n, when))
            continue;
        for (uint32_t i = 0; i < n->count; i++)
            record_hide(s->agents[n->first + i].records[t], m);
    }
}

/* Table by table, and within one the instances in turn, as recorder_add wants them. */
static void node_records(struct simulation *s, const struct blueprint_node *n)
{
    for (uint32_t t = 0; t < KIND_TABLES && n->kind->tables[t]; t++) {
        for (uint32_t i = 0; i < n->count; i++) {
            struct agent *agent = &s->agents[n->first + i];
            agent->records[t] = recorder_add(s->recorder, n->name, i + 1, n->count,
                                             n->kind->tables[t], n->instances[i].percentiles);
            if (t == VISITS && agent->visited)
                agent->inside = agent->records[t]->levels[VISIT_INSIDE];
        }
        node_hide(s, n, t);
    }
}

/* The windows of every phase, from the strikes of this replication. */
static struct window_set *phase_sets(struct simulation *s)
{
    const struct blueprint *b = s->blueprint;
    struct window_set *sets = arena_array(&s->arena, b->phase_count, struct window_set);
    struct window *strikes = arena_array(&s->arena, s->strike_count, struct window);
    for (uint32_t p = 0; p < b->phase_count; p++) {
        uint32_t count = 0;
        for (uint32_t i = 0; i < s->strike_count; i++)
            if (s->strikes[i].fault == b->phases[p].fault)
                strikes[count++] = (struct window){s->strikes[i].begin, s->strikes[i].end};
        sets[p] = phase_windows(&s->arena, &b->phases[p], strikes, count, s->window);
    }
    return sets;
}

struct simulation *simulation_create(const struct blueprint *blueprint, uint64_t seed,
                                     uint32_t replication, const struct simulation_options *options)
{
    struct simulation *s = calloc(1, sizeof *s);
    if (!s)
        check_machine("out of memory");
    s->blueprint = blueprint;
    s->seed = seed;
    s->replication = replication;
    s->window = blueprint->windows[0];
    s->plain_links = blueprint->link_count == 0;
    s->abandons = blueprint_uses(blueprint, "on_timeout");
    s->agent_count = s->place_count = blueprint->agent_count;
    if (options) {
        s->observer = options->observer;
        s->probe = options->probe;
    }
    event_queue_init(&s->queue);
    pool_reserve(s);
    s->strikes = strikes_draw(blueprint, seed, replication, &s->arena, &s->strike_count);
    s->recorder = recorder_create(
        &(struct recorder_plan){
            .windows = blueprint->windows,
            .window_count = blueprint->window_count,
            .operation_count = blueprint->operation_count,
            .series_interval = blueprint->series_interval,
            .series_end = blueprint->duration,
            .phases = phase_sets(s),
            .phase_count = blueprint->phase_count,
            .spans = blueprint->spans || blueprint->fault_count,
        },
        &s->queue.now);
    s->agents = agents_new(s);
    s->places = arena_array(&s->arena, s->place_count, struct place);
    if (s->place_count <= LINK_TABLE_PLACES)
        s->link_table =
            arena_array(&s->arena, (size_t)s->place_count * s->place_count, struct link *);
    nodes_init(s, false);
    nodes_init(s, true);
    for (uint32_t n = 0; n < blueprint->node_count; n++)
        node_records(s, &blueprint->nodes[n]);
    scaler_plan(s);
    for (uint32_t i = 0; i < s->agent_count; i++)
        if (s->agents[i].visited && s->agents[i].exists) {
            record_level(s->agents[i].records[VISITS], VISIT_UP_COUNT, 1);
            record_level(s->agents[i].records[VISITS], VISIT_INSTANCES, 1);
            record_level(s->agents[i].records[VISITS], VISIT_PRESENT, 1);
        }
    fault_plan(s);
    if (blueprint->spans || blueprint->fault_count)
        s->watch = watch_create(s);
    return s;
}

void simulation_free(struct simulation *s)
{
    if (!s)
        return;
    for (uint32_t i = 0; i < s->place_count; i++)
        place_free(&s->places[i]);
    watch_free(s->watch);
    recorder_free(s->recorder);
    event_queue_free(&s->queue);
    munmap(s->pool, (size_t)s->pool_room << s->shift);
    free(s->timers);
    arena_free(&s->arena);
    check_clock(NULL);
    free(s);
}

/* ---- running ---- */

void simulation_start(struct simulation *s)
{
    check_clock(&s->queue.now);
    for (uint32_t i = 0; i < s->agent_count; i++)
        if (s->agents[i].exists)
            s->agents[i].kind->start(&s->agents[i]);
}

/* The borders of windows and series intervals up to `until_ns`, before anything else happens at
 * their instants. No event is pending before them. */
static void edges_pass(struct simulation *s, int64_t edge_ns)
{
    int64_t now = s->queue.now;
    s->queue.now = edge_ns; /* nothing is pushed meanwhile: the queue does not notice */
    recorder_edge(s->recorder);
    bool begins = !s->began && edge_ns >= s->window.begin;
    bool ends = !s->ended && edge_ns >= s->window.end;
    for (uint32_t i = 0; (begins || ends) && i < s->agent_count; i++) {
        struct agent *agent = &s->agents[i];
        if (!agent->visited)
            continue;
        struct level *level = agent->inside;
        level_close(level, edge_ns);
        if (begins) {
            agent->inside_begin = agent_inside(agent);
            agent->integral_begin = level->integral;
        }
        if (ends) {
            agent->inside_end = agent_inside(agent);
            agent->integral_end = level->integral;
        }
    }
    s->began |= begins;
    s->ended |= ends;
    s->queue.now = now;
}

/* Handles up to `limit` events with time <= until_ns. 0: none is left before it; else how many more
 * it could have handled. With `draining` it also ends when nothing observed is open any more. */
static uint32_t advance(struct simulation *s, int64_t until_ns, uint32_t limit, bool draining)
{
    while (limit && !s->diverged) {
        int64_t edge = recorder_next_edge(s->recorder);
        limit = dispatch(s, edge <= until_ns ? edge - 1 : until_ns, limit, draining);
        if (s->diverged || (draining && !s->observed_open && !s->observed_held))
            return limit;
        if (!limit)
            return 1;
        if (edge > until_ns)
            return 0;
        edges_pass(s, edge);
    }
    return limit;
}

bool simulation_advance(struct simulation *s, int64_t until_ns)
{
    while (advance(s, until_ns, STOP_EVERY, false) && !s->diverged)
        ;
    return !s->diverged && event_count(&s->queue) > 0;
}

bool simulation_run(struct simulation *s, const volatile int *stop)
{
    const struct blueprint *b = s->blueprint;
    simulation_start(s);
    while (advance(s, b->duration, STOP_EVERY, false)) {
        if (s->diverged || (stop && *stop))
            return false;
    }
    if (s->diverged)
        return false;
    int64_t until = b->drain > INT64_MAX - b->duration ? INT64_MAX : b->duration + b->drain;
    while ((s->observed_open || s->observed_held) && advance(s, until, STOP_EVERY, true)) {
        if (s->diverged || (stop && *stop))
            return false;
    }
    return !s->diverged;
}

void simulation_close(struct simulation *s)
{
    for (uint32_t i = 1; i < s->pool_used; i++) {
        const struct call *c = call_at(s, i);
        struct agent *agent = &s->agents[c->agent];
        bool visits = (c->parent || c->flags & CALL_POST) && !(c->flags & CALL_LOCAL);
        if (c->state != CALL_HELD || !visit_counts(agent, c) || !visits)
            continue; /* not inside, or an operation of the agent's own */
        int64_t from = c->arrived_ns > s->window.begin ? c->arrived_ns : s->window.begin;
        if (s->window.end > from)
            agent->sojourn += s->window.end - from;
    }
    for (uint32_t i = 0; i < s->agent_count; i++)
        if (s->agents[i].kind->finish)
            s->agents[i].kind->finish(&s->agents[i]);
    if (s->watch)
        watch_finish(s->watch);
}

/* ---- what a run comes to ---- */

void simulation_check_identities(struct simulation *s)
{
    CHECK(s->began && s->ended);
    for (uint32_t i = 0; i < s->agent_count; i++) {
        const struct agent *a = &s->agents[i];
        if (!a->visited)
            continue;
        const struct record *r = a->records[VISITS];
        uint64_t in = 0, out = 0;
        for (uint32_t o = 0; o < s->blueprint->operation_count; o++) {
            in += r->counts[o * r->metric_count + VISIT_ARRIVALS];
            out += r->counts[o * r->metric_count + VISIT_DEPARTURES];
        }
        for (int how = LEFT_REJECTED; how < LEFT_ENDS; how++)
            out += a->flow_out[how];
        CHECK(a->inside_begin + in == out + a->inside_end);
        CHECK(a->integral_end - a->integral_begin == a->sojourn);
    }
}

struct simulation_totals simulation_totals(const struct simulation *s)
{
    struct simulation_totals totals = s->totals;
    totals.events = s->queue.popped;
    totals.live = s->live;
    totals.end_ns = s->queue.now;
    return totals;
}

void simulation_diverges(struct simulation *s)
{
    s->diverged = true;
}
