/* Policies that hash: a key has a backend, whatever the load (bounded_load but for its bound).
 * Where a backend stands on a ring, in a table or in a contest follows from its name, the seed and
 * the replication: every replication throws the dice anew, all balancers of a run agree. */
#include "models/load_balancer_policy.h"
#include "models/parts/jump.h"
#include "models/parts/maglev.h"
#include "models/parts/rendezvous.h"
#include "models/parts/ring.h"

#include <stddef.h>

enum { TRIES_MAX = 1000 };
static const uint64_t apart = UINT64_C(0x6a09e667f3bcc908); /* keeps coins from the contests */

#define VNODES                                                                                     \
    {                                                                                              \
        .name = "vnodes", .type = FIELD_COUNT,                                                     \
        .offset = offsetof(struct load_balancer_config, vnodes), .otherwise = "100", .min = 1,     \
        .max = 100000, .summary = "Points of a backend of weight 1 on the ring."                   \
    }

static const struct field ring_fields[] = {VNODES, {0}};
const struct field_table load_balancer_consistent_hash_parameters = {.fields = ring_fields};

static const struct field bounded_fields[] = {
    {.name = "load",
     .type = FIELD_SHARE,
     .offset = offsetof(struct load_balancer_config, load),
     .otherwise = "125%",
     .min = 1,
     .max = 100,
     .summary = "The most a backend may have in hand, this request counted, over its part; rounded "
                "up to a whole request."},
    VNODES,
    {0},
};
const struct field_table load_balancer_bounded_load_parameters = {.fields = bounded_fields};

/* What is hashed of a request. */
static uint64_t hash_of(const struct balancer_choice *choice, const struct call *c)
{
    uint64_t salt = choice->balancer->salt;
    switch ((enum load_balancer_hash)choice->config->hash) {
    case BALANCER_HASH_SESSION:
        return random_mix(salt ^ c->session);
    case BALANCER_HASH_REQUEST:
        return random_mix(salt ^ c->op_id);
    case BALANCER_HASH_KEY:
        break;
    }
    return random_mix(salt ^ c->key);
}

/* The backend of a request. One in its slow start takes a part of its keys, always the same ones
 * and more and more of them; the others are hashed once more meanwhile. */
static uint32_t pick_by_hash(struct agent *agent, struct balancer_choice *choice,
                             const struct call *c)
{
    uint64_t hash = hash_of(choice, c), again = hash;
    uint32_t backend = choice->rule->owner(choice, hash);
    if (LIKELY(!balancer_ramping(agent, choice->balancer)))
        return backend;
    for (uint32_t i = 0; i < TRIES_MAX; i++) {
        uint64_t coin = random_mix(hash ^ agent->simulation->agents[backend].id_base ^ apart);
        if (balancer_takes(agent, choice, backend, coin))
            break;
        again = random_mix(again);
        backend = choice->rule->owner(choice, again);
    }
    return backend;
}

/* The ids of the view, for policies that keep no structure of their own over the pool. */
static void fill_ids(const struct agent *agent, const struct balancer_choice *choice, uint64_t *ids)
{
    for (uint32_t i = 0; i < choice->count; i++)
        ids[i] = agent->simulation->agents[choice->agents[i]].id_base;
}

/* ---- modulo and jump: the order of the pool is all they know ---- */

static uint32_t modulo_owner(const struct balancer_choice *choice, uint64_t hash)
{
    return choice->agents[hash % choice->count];
}

const struct load_balancer_rule load_balancer_hash = {balancer_no_open, balancer_no_refill,
                                                      pick_by_hash, modulo_owner, 0};

static uint32_t jump_owner(const struct balancer_choice *choice, uint64_t hash)
{
    return choice->agents[jump_find(hash, choice->count)];
}

const struct load_balancer_rule load_balancer_jump = {balancer_no_open, balancer_no_refill,
                                                      pick_by_hash, jump_owner, 0};

/* ---- rendezvous ---- */

static void rendezvous_open(struct agent *agent, struct balancer_choice *choice)
{
    choice->state = arena_array(&agent->place->memory, choice->config->to.count, uint64_t);
}

static void rendezvous_refill(struct agent *agent, struct balancer_choice *choice)
{
    fill_ids(agent, choice, choice->state);
}

static uint32_t rendezvous_owner(const struct balancer_choice *choice, uint64_t hash)
{
    return choice->agents[rendezvous_find(choice->state, choice->even ? NULL : choice->weights,
                                          choice->count, hash)];
}

const struct load_balancer_rule load_balancer_rendezvous = {
    rendezvous_open, rendezvous_refill, pick_by_hash, rendezvous_owner, BALANCER_WEIGHS};

/* ---- Maglev ---- */

struct table {
    struct maglev maglev;
    uint64_t *ids;
};

static void maglev_open(struct agent *agent, struct balancer_choice *choice)
{
    struct arena *arena = &agent->place->memory;
    struct table *table = arena_new(arena, struct table);
    table->maglev = maglev_room(arena, choice->config->to.count);
    table->ids = arena_array(arena, choice->config->to.count, uint64_t);
    choice->state = table;
}

static void maglev_refill(struct agent *agent, struct balancer_choice *choice)
{
    struct table *table = choice->state;
    fill_ids(agent, choice, table->ids);
    if (choice->count)
        maglev_fill(&table->maglev, table->ids, choice->weights, choice->count);
}

static uint32_t maglev_owner(const struct balancer_choice *choice, uint64_t hash)
{
    const struct table *table = choice->state;
    return choice->agents[maglev_find(&table->maglev, hash)];
}

const struct load_balancer_rule load_balancer_maglev = {maglev_open, maglev_refill, pick_by_hash,
                                                        maglev_owner, BALANCER_WEIGHS};

/* ---- rings ---- */

/* Owners are positions in the pool. */
struct circle {
    struct ring all, ring;
};

static void circle_open(struct agent *agent, struct balancer_choice *choice)
{
    const struct pool *to = &choice->config->to;
    const struct agent *agents = agent->simulation->agents;
    struct arena *arena = &agent->place->memory;
    struct circle *circle = arena_new(arena, struct circle);
    uint64_t *ids = arena_array(arena, to->count, uint64_t);
    double *weights = arena_array(arena, to->count, double);
    for (uint32_t i = 0; i < to->count; i++) {
        ids[i] = agents[to->agents[i]].id_base;
        weights[i] = agents[to->agents[i]].weight;
    }
    circle->all = ring_new(arena, ids, weights, to->count, choice->config->vnodes);
    circle->ring = ring_room(arena, &circle->all);
    choice->state = circle;
}

static void circle_refill(struct agent *agent, struct balancer_choice *choice)
{
    struct circle *circle = choice->state;
    (void)agent;
    ring_keep(&circle->ring, &circle->all, choice->present);
}

static uint32_t circle_owner(const struct balancer_choice *choice, uint64_t hash)
{
    const struct ring *ring = &((const struct circle *)choice->state)->ring;
    return choice->config->to.agents[ring->points[ring_find(ring, hash)].owner];
}

const struct load_balancer_rule load_balancer_consistent_hash = {
    circle_open, circle_refill, pick_by_hash, circle_owner, BALANCER_WEIGHS};

/* The bound of a backend: its part of all requests in hand, this one counted, times `load`, rounded
 * up. The bounds add up to more than what is in hand, so somebody is below its own. */
static uint32_t bounded_load_pick(struct agent *agent, struct balancer_choice *choice,
                                  const struct call *c)
{
    const struct ring *ring = &((const struct circle *)choice->state)->ring;
    const uint32_t *known = choice->balancer->known_connections;
    const struct agent *agents = agent->simulation->agents;
    double in_hand = 1, weights = 0;
    for (uint32_t i = 0; i < choice->count; i++) {
        in_hand += known[choice->agents[i]];
        weights += balancer_weight(agent, choice, i);
    }
    double part = choice->config->load * in_hand / weights;
    bool ramps = balancer_ramping(agent, choice->balancer);
    uint32_t at = ring_find(ring, hash_of(choice, c)), backend = BALANCER_NOBODY;
    for (uint32_t i = 0; i < ring->count; i++) {
        backend = choice->config->to.agents[ring->points[at].owner];
        double weight = agents[backend].weight;
        if (UNLIKELY(ramps))
            weight *= balancer_ramp(agent, choice->balancer, backend);
        if (known[backend] < part * weight) /* known + 1 <= ceil(bound) */
            break;
        at = at + 1 < ring->count ? at + 1 : 0;
    }
    return backend;
}

const struct load_balancer_rule load_balancer_bounded_load = {
    circle_open, circle_refill, bounded_load_pick, circle_owner, BALANCER_WEIGHS | BALANCER_COUNTS};
