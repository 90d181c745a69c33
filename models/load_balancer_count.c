/* Policies that look at load: at what each backend has in hand, at how fast it answered.
 *
 * With weights the score is (n + 1) / weight: how loaded a backend would be with this request. Of
 * equal weights that is the order of n. */
#include "models/load_balancer_policy.h"

#include "engine/kernel/arithmetic.h"

#include <stddef.h>

static const double unmeasured = 1e18; /* ns: longer than any run */

/* Whether n alone decides. */
static inline bool plain(const struct agent *agent, const struct balancer_choice *choice)
{
    return LIKELY(choice->even && !balancer_ramping(agent, choice->balancer));
}

/* ---- fewest in hand ---- */

static uint32_t fewest(struct agent *agent, const struct balancer_choice *choice)
{
    const uint32_t *known = choice->balancer->known_connections, *agents = choice->agents;
    uint32_t least = UINT32_MAX, ties = 0, first = 0;
    for (uint32_t i = 0; i < choice->count; i++) {
        uint32_t n = known[agents[i]];
        if (n < least) {
            least = n;
            first = i;
            ties = 0;
        }
        ties += n == least;
    }
    if (ties == 1)
        return agents[first];
    uint32_t skip = balancer_below(agent, ties), i = first;
    for (;; i++)
        if (known[agents[i]] == least && !skip--)
            return agents[i];
}

static uint32_t least_connections_pick(struct agent *agent, struct balancer_choice *choice,
                                       const struct call *c)
{
    const uint32_t *known = choice->balancer->known_connections;
    (void)c;
    if (plain(agent, choice))
        return fewest(agent, choice);
    for (uint32_t i = 0; i < choice->count; i++)
        choice->scores[i] = (known[choice->agents[i]] + 1.0) / balancer_weight(agent, choice, i);
    return choice->agents[balancer_least(agent, choice)];
}

const struct load_balancer_rule load_balancer_least_connections = {
    balancer_no_open, balancer_no_refill, least_connections_pick, NULL, BALANCER_COUNTS};

/* ---- fewest inside ---- */

static uint32_t join_shortest_queue_pick(struct agent *agent, struct balancer_choice *choice,
                                         const struct call *c)
{
    const struct balancer *b = choice->balancer;
    const struct agent *agents = agent->simulation->agents;
    (void)c;
    for (uint32_t i = 0; i < choice->count; i++) {
        uint32_t at = choice->agents[i];
        double n = b->known_inside ? b->known_inside[at] : (double)agent_inside(&agents[at]);
        choice->scores[i] = (n + 1) / balancer_weight(agent, choice, i);
    }
    return choice->agents[balancer_least(agent, choice)];
}

const struct load_balancer_rule load_balancer_join_shortest_queue = {
    balancer_no_open, balancer_no_refill, join_shortest_queue_pick, NULL, BALANCER_COUNTS};

/* ---- fewest in hand of a few ---- */

static const struct field power_fields[] = {
    {.name = "replacement",
     .type = FIELD_BOOL,
     .offset = offsetof(struct load_balancer_config, replacement),
     .otherwise = "false",
     .summary = "Draws each of the `choices` anew, so that one may be drawn twice."},
    {0},
};
const struct field_table load_balancer_power_of_two_parameters = {.fields = power_fields};

/* The state is a permutation of the view. */
static void power_open(struct agent *agent, struct balancer_choice *choice)
{
    choice->state = arena_array(&agent->place->memory, choice->config->to.count, uint32_t);
}

static void power_refill(struct agent *agent, struct balancer_choice *choice)
{
    uint32_t *order = choice->state;
    (void)agent;
    for (uint32_t i = 0; i < choice->count; i++)
        order[i] = i;
}

/* The sample is in random order, so the first of its least ones is an even choice among them. */
static uint32_t power_of_two_pick(struct agent *agent, struct balancer_choice *choice,
                                  const struct call *c)
{
    const struct load_balancer_config *config = choice->config;
    const uint32_t *known = choice->balancer->known_connections;
    uint32_t *order = choice->state, count = choice->count;
    bool again = config->replacement, even = plain(agent, choice);
    uint32_t looks = config->choices < count || again ? (uint32_t)config->choices : count;
    uint32_t best = 0;
    double least = 0x1p1000; /* above any score */
    (void)c;
    for (uint32_t i = 0; i < looks; i++) {
        uint32_t from = again ? 0 : i;
        uint32_t at = from + balancer_below(agent, count - from);
        uint32_t candidate = order[at];
        if (!again) { /* one step of Fisher and Yates: no one is drawn twice */
            order[at] = order[i];
            order[i] = candidate;
        }
        double score = known[choice->agents[candidate]] + 1.0;
        if (UNLIKELY(!even))
            score /= balancer_weight(agent, choice, candidate);
        if (score < least) {
            least = score;
            best = candidate;
        }
    }
    return choice->agents[best];
}

const struct load_balancer_rule load_balancer_power_of_two = {
    power_open, power_refill, power_of_two_pick, NULL, BALANCER_COUNTS};

/* ---- least response time ---- */

static const struct field response_fields[] = {
    {.name = "decay",
     .type = FIELD_TIME,
     .offset = offsetof(struct load_balancer_config, decay),
     .otherwise = "10s",
     .min = 1,
     .summary = "The time after which 1/e of an old observation is left in the estimate."},
    {0},
};
const struct field_table load_balancer_least_response_time_parameters = {.fields = response_fields};

static double left_after(int64_t ns, int64_t decay_ns)
{
    return ns > 0 ? arithmetic_exp(-(double)ns / (double)decay_ns) : 1;
}

/* The decay is that of the first policy of the kind: estimates belong to the whole balancer. */
void balancer_measure(struct agent *agent, uint32_t backend, int64_t took_ns)
{
    const struct balancer *b = agent->memory;
    struct balancer_estimate *e = &b->estimates[backend];
    int64_t now = simulation_now(agent->simulation);
    double left = e->measured ? left_after(now - e->moved_at, b->decay) : 0;
    e->response_ns = (double)took_ns + (e->response_ns - (double)took_ns) * left;
    e->moved_at = now;
    e->measured = true;
}

static uint32_t least_response_time_pick(struct agent *agent, struct balancer_choice *choice,
                                         const struct call *c)
{
    const struct balancer *b = choice->balancer;
    int64_t now = simulation_now(agent->simulation);
    (void)c;
    for (uint32_t i = 0; i < choice->count; i++) {
        uint32_t at = choice->agents[i], n = b->known_connections[at];
        const struct balancer_estimate *e = &b->known_estimates[at];
        double response = e->measured ? e->response_ns * left_after(now - e->moved_at, b->decay)
                          : n         ? unmeasured
                                      : 0;
        choice->scores[i] = response * (n + 1.0) / balancer_weight(agent, choice, i);
    }
    return choice->agents[balancer_least(agent, choice)];
}

const struct load_balancer_rule load_balancer_least_response_time = {
    balancer_no_open, balancer_no_refill, least_response_time_pick, NULL,
    BALANCER_COUNTS | BALANCER_MEASURES};
