/* The schedule of the faults of one replication. The ways to choose and to split follow Jepsen
 * (jepsen.nemesis: bisect, split-one, majorities-ring, bridge; jepsen.nemesis.combined: one,
 * minority, minority-third, majority) and TigerBeetle's packet simulator (uniform_size,
 * uniform_partition). */
#include "engine/kernel/strike.h"

#include <stdlib.h>
#include <string.h>

/* What draws the strikes of one fault. */
struct drawing {
    const struct blueprint *blueprint;
    const struct blueprint_fault *fault;
    struct arena *arena;
    struct stream times, targets;
    struct strike *strikes; /* of all faults so far */
    uint32_t count, room;
    bool (*leads)(void *context, uint32_t agent); /* for roles; NULL before the run */
    void *context;
};

/* ---- choosing members ---- */

static uint32_t *shuffled(struct drawing *d, const struct fault_set *set)
{
    uint32_t *agents = arena_array(d->arena, set->count, uint32_t);
    memcpy(agents, set->agents, set->count * sizeof *agents);
    for (uint32_t i = set->count; i > 1; i--) {
        uint32_t k = (uint32_t)stream_below(&d->targets, i);
        uint32_t other = agents[i - 1];
        agents[i - 1] = agents[k];
        agents[k] = other;
    }
    return agents;
}

static uint32_t coins(struct drawing *d, const struct fault_set *set, uint32_t *agents)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < set->count; i++)
        if (stream_next(&d->targets) >> 63)
            agents[count++] = set->agents[i];
    return count;
}

/* The machines of those members of a group that lead, or of the others. */
static const uint32_t *in_role(struct drawing *d, const struct fault_set *set, uint32_t *chosen)
{
    uint32_t *agents = arena_array(d->arena, set->count, uint32_t);
    uint32_t first = d->blueprint->nodes[set->group].first;
    CHECK(d->leads);
    *chosen = 0;
    for (uint32_t i = 0; i < set->count; i++)
        if (d->leads(d->context, first + i) == (set->pick == PICK_LEADERS))
            agents[(*chosen)++] = set->agents[i];
    return agents;
}

/* The chosen members stand first in the array that is returned, `*chosen` of them; the others
 * behind. Only PICK_SOME and PICK_UNIFORM return the chosen alone. */
static const uint32_t *choose(struct drawing *d, const struct fault_set *set, uint32_t *chosen)
{
    uint32_t n = set->count, *agents;
    switch (set->pick) {
    case PICK_ALL:
        *chosen = n;
        return set->agents;
    case PICK_HALVES:
        *chosen = n / 2;
        return set->agents;
    case PICK_ONE:
        *chosen = 1;
        break;
    case PICK_MINORITY:
        *chosen = (n - 1) / 2;
        break;
    case PICK_MAJORITY:
        *chosen = n - (n - 1) / 2;
        break;
    case PICK_MINORITY_THIRD:
        *chosen = (n - 1) / 3;
        break;
    case PICK_RANDOM_HALVES:
        *chosen = n / 2;
        break;
    case PICK_UNIFORM_SIZE:
        *chosen = n > 1 ? 1 + (uint32_t)stream_below(&d->targets, n - 1) : 1;
        break;
    case PICK_SOME:
    case PICK_UNIFORM:
        agents = arena_array(d->arena, n, uint32_t);
        do
            *chosen = coins(d, set, agents);
        while (!*chosen && set->pick == PICK_SOME);
        return agents;
    case PICK_LEADERS:
    case PICK_FOLLOWERS:
        return in_role(d, set, chosen);
    case PICK_BRIDGE:
    case PICK_MAJORITIES_RING:
        CHECK(!"a choice of members");
    }
    return shuffled(d, set);
}

/* ---- sets of agents as bits ---- */

static uint64_t *bits_new(struct drawing *d)
{
    return arena_array(d->arena, (d->blueprint->agent_count + 63u) / 64u, uint64_t);
}

static void bits_put(uint64_t *bits, uint32_t agent)
{
    bits[agent >> 6] |= UINT64_C(1) << (agent & 63);
}

static uint64_t *bits_of(struct drawing *d, const uint32_t *agents, uint32_t count)
{
    uint64_t *bits = bits_new(d);
    for (uint32_t i = 0; i < count; i++)
        bits_put(bits, agents[i]);
    return bits;
}

/* Everybody who is not in `bits`. */
static uint64_t *bits_others(struct drawing *d, const uint64_t *bits)
{
    uint64_t *others = bits_new(d);
    for (uint32_t i = 0; i < d->blueprint->agent_count; i++)
        if (!strike_bit(bits, i))
            bits_put(others, i);
    return others;
}

/* ---- cuts ---- */

static void cut_both_ways(struct strike *strike, struct strike_cut *cuts, const uint64_t *a,
                          const uint64_t *b)
{
    cuts[0] = (struct strike_cut){a, b};
    cuts[1] = (struct strike_cut){b, a};
    strike->cuts = cuts;
    strike->cut_count = 2;
}

/* A role stands on its own side, also where a name of it stands on another. */
static void sides_part(struct drawing *d, uint64_t **side)
{
    const struct blueprint_fault *fault = d->fault;
    uint32_t words = (d->blueprint->agent_count + 63u) / 64u;
    for (uint32_t i = 0; i < fault->set_count; i++)
        for (uint32_t k = 0; fault_set_aims(&fault->sets[i]) && k < fault->set_count; k++)
            for (uint32_t w = 0; !fault_set_aims(&fault->sets[k]) && w < words; w++)
                side[k][w] &= ~side[i][w];
}

/* Every side against all the other sides. */
static void cut_sides(struct drawing *d, struct strike *strike)
{
    const struct blueprint_fault *fault = d->fault;
    uint32_t sides = fault->set_count, words = (d->blueprint->agent_count + 63u) / 64u;
    uint64_t **side = arena_array(d->arena, sides, uint64_t *);
    struct strike_cut *cuts = arena_array(d->arena, sides, struct strike_cut);
    for (uint32_t i = 0; i < sides; i++) {
        uint32_t chosen;
        const uint32_t *agents = choose(d, &fault->sets[i], &chosen);
        side[i] = bits_of(d, agents, chosen);
    }
    sides_part(d, side);
    for (uint32_t i = 0; i < sides; i++) {
        uint64_t *others = bits_new(d);
        for (uint32_t k = 0; k < sides; k++)
            for (uint32_t w = 0; k != i && w < words; w++)
                others[w] |= side[k][w];
        cuts[i] = (struct strike_cut){side[i], others};
    }
    strike->cuts = cuts;
    strike->cut_count = fault->shape == SHAPE_ONE_WAY ? 1 : sides;
}

/* Two halves of which the first member of the larger one talks to both. */
static void cut_bridge(struct drawing *d, struct strike *strike)
{
    const struct fault_set *set = &d->fault->sets[0];
    uint32_t half = set->count / 2, *agents = shuffled(d, set);
    cut_both_ways(strike, arena_array(d->arena, 2, struct strike_cut), bits_of(d, agents, half),
                  bits_of(d, agents + half + 1, set->count - half - 1));
}

/* The exact ring: the i-th of the shuffled members hears the majority of neighbours around it. */
static void ring_exact(bool *sees, uint32_t n)
{
    uint32_t majority = n / 2 + 1;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < majority; k++)
            sees[(i + majority / 2) % n * n + (i + k) % n] = true;
}

/* Of the members that `of` does not know yet (all, where it is n) the one that knows the fewest;
 * ties by place. n: there is none. */
static uint32_t ring_loneliest(const bool *sees, const uint32_t *degree, uint32_t n, uint32_t of)
{
    uint32_t best = n;
    for (uint32_t i = 0; i < n; i++)
        if ((of == n || !sees[of * n + i]) && (best == n || degree[i] < degree[best]))
            best = i;
    return best;
}

/* The stochastic ring: whoever knows the fewest members meets the one it does not know that knows
 * the fewest itself, until everybody knows a majority. */
static void ring_grow(struct drawing *d, bool *sees, uint32_t n)
{
    uint32_t *degree = arena_array(d->arena, n, uint32_t);
    for (uint32_t i = 0; i < n; i++) {
        sees[i * n + i] = true;
        degree[i] = 1;
    }
    for (;;) {
        uint32_t a = ring_loneliest(sees, degree, n, n);
        if (degree[a] > n / 2)
            return;
        uint32_t b = ring_loneliest(sees, degree, n, a);
        sees[a * n + b] = sees[b * n + a] = true;
        degree[a]++;
        degree[b]++;
    }
}

/* Every member hears a majority, itself included, and no two the same one: exact up to five
 * members, by growth above, as Jepsen has it. Members are shuffled first. */
static void cut_ring(struct drawing *d, struct strike *strike)
{
    const struct fault_set *set = &d->fault->sets[0];
    uint32_t n = set->count, *agents = shuffled(d, set);
    bool *sees = arena_array(d->arena, (size_t)n * n, bool);
    struct strike_cut *cuts = arena_array(d->arena, n, struct strike_cut);
    if (n <= 5)
        ring_exact(sees, n);
    else
        ring_grow(d, sees, n);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t *from = bits_new(d);
        for (uint32_t k = 0; k < n; k++)
            if (!sees[i * n + k])
                bits_put(from, agents[k]);
        cuts[i] = (struct strike_cut){from, bits_of(d, &agents[i], 1)};
    }
    strike->cuts = cuts;
    strike->cut_count = n;
}

/* Clients stand where one of the members does: what is cut from it is cut from them, and what it
 * does not hear they do not hear. */
static void cut_clients(struct drawing *d, struct strike *strike)
{
    const struct blueprint *b = d->blueprint;
    uint32_t words = (b->agent_count + 63u) / 64u, with = d->fault->clients_with;
    uint32_t chosen = 1;
    if (d->fault->clients_of)
        with = *choose(d, d->fault->clients_of, &chosen);
    if (!chosen)
        return; /* nobody is in that role */
    uint64_t *clients = bits_new(d);
    for (uint32_t n = 0; n < b->node_count; n++)
        for (uint32_t i = 0; b->nodes[n].kind->flags & KIND_CLIENT && i < b->nodes[n].count; i++)
            bits_put(clients, b->nodes[n].first + i);
    struct strike_cut *cuts = arena_array(d->arena, strike->cut_count, struct strike_cut);
    for (uint32_t c = 0; c < strike->cut_count; c++) {
        const uint64_t *sets[2] = {strike->cuts[c].from, strike->cuts[c].to};
        for (int side = 0; side < 2; side++) {
            uint64_t *wider = bits_new(d);
            memcpy(wider, sets[side], words * sizeof *wider);
            for (uint32_t w = 0; w < words; w++)
                wider[w] =
                    strike_bit(sets[side], with) ? wider[w] | clients[w] : wider[w] & ~clients[w];
            sets[side] = wider;
        }
        cuts[c] = (struct strike_cut){sets[0], sets[1]};
    }
    strike->cuts = cuts;
}

static void strike_cuts(struct drawing *d, struct strike *strike)
{
    const struct blueprint_fault *fault = d->fault;
    const struct fault_set *set = fault->sets;
    uint32_t chosen;
    if (fault->shape == SHAPE_BETWEEN || fault->shape == SHAPE_ONE_WAY) {
        cut_sides(d, strike);
    } else if (fault->shape == SHAPE_EVERY) {
        const uint64_t *all = bits_others(d, bits_new(d));
        cut_both_ways(strike, arena_array(d->arena, 2, struct strike_cut), all, all);
        strike->cut_count = 1;
    } else if (set->pick == PICK_BRIDGE) {
        cut_bridge(d, strike);
    } else if (set->pick == PICK_MAJORITIES_RING) {
        cut_ring(d, strike);
    } else {
        const uint32_t *agents = choose(d, set, &chosen);
        const uint64_t *near = bits_of(d, agents, chosen), *far = bits_others(d, near);
        if (fault->shape == SHAPE_WITHIN) {
            uint64_t *rest = bits_of(d, set->agents, set->count);
            for (uint32_t w = 0; w < (d->blueprint->agent_count + 63u) / 64u; w++)
                rest[w] &= far[w];
            far = rest;
        }
        cut_both_ways(strike, arena_array(d->arena, 2, struct strike_cut), near, far);
    }
    if (fault->sided)
        cut_clients(d, strike);
}

/* ---- when ---- */

static bool strikes_links(enum fault_action what)
{
    return what >= FAULT_PARTITION && what <= FAULT_HOLD;
}

static bool targets_drawn(const struct blueprint_fault *fault)
{
    for (uint32_t i = 0; i < fault->set_count; i++)
        if (fault->sets[i].pick != PICK_ALL && fault->sets[i].pick != PICK_HALVES)
            return true;
    return false;
}

static bool aims(const struct blueprint_fault *fault)
{
    bool role = fault->clients_of != NULL;
    for (uint32_t i = 0; i < fault->set_count; i++)
        role = role || fault_set_aims(&fault->sets[i]);
    return role;
}

/* Whom it hits. */
static void strike_whom(struct drawing *d, struct strike *strike)
{
    if (strikes_links(d->fault->what))
        strike_cuts(d, strike);
    else
        strike->agents = choose(d, &d->fault->sets[0], &strike->agent_count);
}

void strike_aim(struct strike *strike, const struct blueprint *blueprint, struct arena *arena,
                bool (*leads)(void *context, uint32_t agent), void *context)
{
    struct drawing d = {.blueprint = blueprint,
                        .fault = &blueprint->faults[strike->fault],
                        .arena = arena,
                        .leads = leads,
                        .context = context};
    strike_whom(&d, strike);
    strike->aimed = true;
}

static struct strike *strike_add(struct drawing *d, int64_t begin)
{
    if (d->count == d->room) {
        struct strike *more = arena_array(d->arena, 2 * (size_t)d->room + 16, struct strike);
        if (d->count)
            memcpy(more, d->strikes, d->count * sizeof *more);
        d->strikes = more;
        d->room = 2 * d->room + 16;
    }
    struct strike *strike = &d->strikes[d->count++];
    *strike = (struct strike){.fault = (uint32_t)(d->fault - d->blueprint->faults), .begin = begin};
    return strike;
}

static int64_t sum(int64_t a, int64_t b)
{
    return a > INT64_MAX - b ? INT64_MAX : a + b;
}

/* The next strike begins at the least multiple of `every` that the one before has left free, or a
 * failure after its end. INT64_MAX: there is none. */
static int64_t strike_next(struct drawing *d, int64_t begin, int64_t end)
{
    const struct blueprint_fault *fault = d->fault;
    if (fault->random) {
        int64_t gap = distribution_ns(&fault->mtbf, stream_next(&d->times));
        return sum(end, gap > 0 ? gap : 1);
    }
    if (!fault->every)
        return INT64_MAX;
    int64_t next = sum(begin, fault->every);
    while (next < end)
        next = sum(next, fault->every);
    return next;
}

static void fault_draw(struct drawing *d)
{
    const struct blueprint_fault *fault = d->fault;
    int64_t horizon = sum(d->blueprint->duration, d->blueprint->drain);
    uint32_t first = d->count;
    int64_t at = fault->random ? strike_next(d, fault->at, fault->at) : fault->at;
    while (at < horizon) {
        struct strike *strike = strike_add(d, at);
        int64_t span = fault->repaired ? distribution_ns(&fault->mttr, stream_next(&d->times))
                                       : fault->duration;
        strike->end = sum(at, span);
        strike->aims = aims(fault);
        if (d->count > first + 1 && !targets_drawn(fault)) { /* the same as before */
            const struct strike *before = strike - 1;
            strike->agents = before->agents;
            strike->agent_count = before->agent_count;
            strike->cuts = before->cuts;
            strike->cut_count = before->cut_count;
        } else if (!strike->aims) { /* else when it begins */
            strike_whom(d, strike);
        }
        at = strike_next(d, at, strike->end);
    }
}

static int by_begin(const void *a, const void *b)
{
    const struct strike *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return x->fault < y->fault ? -1 : x->fault > y->fault;
}

struct strike *strikes_draw(const struct blueprint *blueprint, uint64_t seed, uint64_t replication,
                            struct arena *arena, uint32_t *count)
{
    struct drawing d = {.blueprint = blueprint, .arena = arena};
    for (uint32_t i = 0; i < blueprint->fault_count; i++) {
        d.fault = &blueprint->faults[i];
        stream_open(&d.times, seed, replication, d.fault->name, "fault_times");
        stream_open(&d.targets, seed, replication, d.fault->name, "fault_targets");
        fault_draw(&d);
    }
    if (d.count)
        qsort(d.strikes, d.count, sizeof *d.strikes, by_begin);
    *count = d.count;
    return d.strikes;
}
