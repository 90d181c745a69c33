/* Policies that look at nothing: by chance or in turn, evenly or by weight. */
#include "models/load_balancer_policy.h"

enum { TRIES_MAX = 1000 }; /* draws for one request while backends are in their slow start */

static uint32_t random_pick(struct agent *agent, struct balancer_choice *choice,
                            const struct call *c)
{
    (void)c;
    uint32_t backend = choice->agents[balancer_below(agent, choice->count)];
    if (LIKELY(!balancer_ramping(agent, choice->balancer)))
        return backend;
    for (uint32_t i = 0; i < TRIES_MAX; i++) {
        uint64_t draw = stream_next(agent_stream(agent, STREAM_POLICY));
        if (balancer_takes(agent, choice, backend, draw))
            break;
        backend = choice->agents[balancer_below(agent, choice->count)];
    }
    return backend;
}

const struct load_balancer_rule load_balancer_random = {balancer_no_open, balancer_no_refill,
                                                        random_pick, NULL, 0};

/* ---- by weight, at random ---- */

/* `choice->scores` holds the sums of weights up to each backend. */
static void weighted_refill(struct agent *agent, struct balancer_choice *choice)
{
    double sum = 0;
    for (uint32_t i = 0; i < choice->count; i++) {
        sum += balancer_weight(agent, choice, i);
        choice->scores[i] = sum;
    }
}

static uint32_t weighted_random_pick(struct agent *agent, struct balancer_choice *choice,
                                     const struct call *c)
{
    (void)c;
    bool *stale = choice->state; /* the sums were made during somebody's slow start */
    bool ramps = balancer_ramping(agent, choice->balancer);
    if (UNLIKELY(ramps || *stale))
        weighted_refill(agent, choice);
    *stale = ramps;
    uint64_t draw = stream_next(agent_stream(agent, STREAM_POLICY));
    double at = random_unit(draw) * choice->scores[choice->count - 1];
    uint32_t low = 0, high = choice->count - 1;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (at < choice->scores[middle])
            high = middle;
        else
            low = middle + 1;
    }
    return choice->agents[low];
}

static void weighted_random_open(struct agent *agent, struct balancer_choice *choice)
{
    choice->state = arena_new(&agent->place->memory, bool);
}

const struct load_balancer_rule load_balancer_weighted_random = {
    weighted_random_open, weighted_refill, weighted_random_pick, NULL, BALANCER_WEIGHS};

/* ---- in turn ---- */

static void turn_open(struct agent *agent, struct balancer_choice *choice)
{
    choice->state = arena_new(&agent->place->memory, uint32_t);
}

/* The turn is kept as a number in the view: who comes or goes shifts it by one at most. */
static void turn_refill(struct agent *agent, struct balancer_choice *choice)
{
    uint32_t *cursor = choice->state;
    (void)agent;
    if (*cursor >= choice->count)
        *cursor = 0;
}

static uint32_t round_robin_pick(struct agent *agent, struct balancer_choice *choice,
                                 const struct call *c)
{
    uint32_t *cursor = choice->state, backend;
    bool ramps = balancer_ramping(agent, choice->balancer), taken;
    uint32_t tries = 0;
    (void)c;
    do {
        backend = choice->agents[*cursor];
        *cursor = *cursor + 1 < choice->count ? *cursor + 1 : 0;
        taken = true;
        if (UNLIKELY(ramps)) {
            uint64_t draw = stream_next(agent_stream(agent, STREAM_POLICY));
            taken = balancer_takes(agent, choice, backend, draw);
        }
    } while (!taken && tries++ < TRIES_MAX);
    return backend;
}

const struct load_balancer_rule load_balancer_round_robin = {turn_open, turn_refill,
                                                             round_robin_pick, NULL, 0};

/* ---- in turn by weight: nginx, ngx_http_upstream_round_robin.c ---- */

/* What each backend has gained and not paid, by position in the pool. */
static void smooth_open(struct agent *agent, struct balancer_choice *choice)
{
    choice->state = arena_array(&agent->place->memory, choice->config->to.count, double);
}

static void smooth_refill(struct agent *agent, struct balancer_choice *choice)
{
    double *gained = choice->state;
    (void)agent;
    for (uint32_t i = 0; i < choice->config->to.count; i++)
        if (!choice->present[i])
            gained[i] = 0;
}

static uint32_t smooth_pick(struct agent *agent, struct balancer_choice *choice,
                            const struct call *c)
{
    double *gained = choice->state, sum = 0;
    uint32_t best = 0;
    (void)c;
    for (uint32_t i = 0; i < choice->count; i++) {
        double weight = balancer_weight(agent, choice, i);
        sum += weight;
        gained[choice->at[i]] += weight;
        if (gained[choice->at[i]] > gained[choice->at[best]])
            best = i;
    }
    gained[choice->at[best]] -= sum;
    return choice->agents[best];
}

const struct load_balancer_rule load_balancer_weighted_round_robin = {
    smooth_open, smooth_refill, smooth_pick, NULL, BALANCER_WEIGHS};
