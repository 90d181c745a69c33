/* A load balancer: hands each request to one of its backends and passes the answer back.
 *
 * What is simulated: the choice, exact counts of what each backend has in hand from this balancer
 * (raised when a try is sent, lowered when its answer or its giving up has come back, whether or
 * not anyone still waited), own work and slots if there are any, a timeout for each try and
 * retries, each with a new choice. What is left out: health checks (a backend that is down is
 * chosen like any other), stickiness, hashing, knowledge of the backends beyond this balancer's own
 * counts. Ties: at random, evenly, from the balancer's stream `policy`; weighted_round_robin has
 * none that matter: the first of equals, as nginx does. */
#include "models/load_balancer.h"

#include "models/registry.h"

#include <stddef.h>

/* What a policy remembers of one pool; one for each configuration that differs. */
struct choice {
    const struct load_balancer_config *config;
    uint32_t cursor; /* round_robin: the next one */
    uint32_t *order; /* power_of_two: a permutation of the pool */
    double *balance; /* weighted_round_robin: nginx's current weight */
    double *up_to;   /* weighted_random: sums of weights */
    double weight_sum;
};

/* Volatile: a restarted balancer begins anew, with no connections. */
struct balancer {
    uint32_t *connections;         /* by index of agent: tries that have not settled */
    struct choice *const *choices; /* by operation */
};

/* Durable only because the place keeps a pointer to it. */
struct balancer_station {
    struct station station;
};

struct balancer_frame {
    struct station_visit visit; /* first: the station's */
    struct caller caller;
};

enum { STATION_TABLE = 1 };

/* ---- for users ---- */

static const struct field replacement_fields[] = {
    {.name = "replacement",
     .type = FIELD_BOOL,
     .offset = offsetof(struct load_balancer_config, replacement),
     .otherwise = "false",
     .summary = "Draws each of the `choices` anew, so that one may be drawn twice."},
    {0},
};

static const struct field_word policies[] = {
    [BALANCER_RANDOM] = {"random", "Each backend as likely as any other.", NULL},
    [BALANCER_WEIGHTED_RANDOM] = {"weighted_random", "Each backend as likely as its `weight`.",
                                  NULL},
    [BALANCER_ROUND_ROBIN] = {"round_robin", "In turn, from the first instance on.", NULL},
    [BALANCER_WEIGHTED_ROUND_ROBIN] =
        {"weighted_round_robin",
         "In turn by `weight`, spread evenly (smooth, as nginx): every time each backend gains its "
         "weight, and the richest is chosen and pays the sum of all weights.",
         NULL},
    [BALANCER_LEAST_CONNECTIONS] =
        {"least_connections",
         "One of those with the fewest requests of this balancer in hand, at random among equals.",
         NULL},
    [BALANCER_POWER_OF_TWO] =
        {"power_of_two",
         "The one with the fewest requests of this balancer in hand among `choices` backends drawn "
         "at random.",
         &(const struct field_table){.fields = replacement_fields}},
    {0},
};

static const struct field_table balancer_fields = {
    .fields =
        (const struct field[]){
            {.name = "policy",
             .type = FIELD_WORD,
             .offset = offsetof(struct load_balancer_config, policy),
             .otherwise = "round_robin",
             .words = policies,
             .summary = "How the backend of a request is chosen."},
            {.name = "choices",
             .type = FIELD_COUNT,
             .offset = offsetof(struct load_balancer_config, choices),
             .otherwise = "2",
             .min = 1,
             .summary = "For power_of_two: how many backends are looked at, distinct ones, all of "
                        "them where there are not so many."},
            {.name = "to",
             .type = FIELD_POOL,
             .offset = offsetof(struct load_balancer_config, to),
             .flags = FIELD_REQUIRED,
             .summary = "The backends: a counted node or a list."},
            {0},
        },
    .includes =
        (const struct field_include[]){
            {&station_slots_unlimited, offsetof(struct load_balancer_config, station)},
            {&station_fields, offsetof(struct load_balancer_config, station)},
            {&caller_fields, offsetof(struct load_balancer_config, caller)},
            {0},
        },
};

/* ---- the choice ---- */

static uint32_t pick_below(struct agent *agent, uint32_t count)
{
    return (uint32_t)stream_below(agent_stream(agent, STREAM_POLICY), count);
}

static uint32_t pick_weighted_random(struct agent *agent, const struct choice *choice)
{
    uint64_t draw = stream_next(agent_stream(agent, STREAM_POLICY));
    double at = random_unit(draw) * choice->weight_sum;
    uint32_t low = 0, high = choice->config->to.count - 1;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (at < choice->up_to[middle])
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static uint32_t pick_weighted_round_robin(struct agent *agent, struct choice *choice)
{
    const struct pool *to = &choice->config->to;
    const struct agent *agents = agent->simulation->agents;
    uint32_t best = 0;
    for (uint32_t i = 0; i < to->count; i++) {
        choice->balance[i] += agents[to->agents[i]].weight;
        if (choice->balance[i] > choice->balance[best])
            best = i;
    }
    choice->balance[best] -= choice->weight_sum;
    return best;
}

static uint32_t pick_least(struct agent *agent, const struct pool *to, const uint32_t *connections)
{
    uint32_t least = UINT32_MAX, ties = 0, first = 0;
    for (uint32_t i = 0; i < to->count; i++) {
        uint32_t n = connections[to->agents[i]];
        if (n < least) {
            least = n;
            first = i;
            ties = 0;
        }
        ties += n == least;
    }
    if (ties == 1)
        return first;
    uint32_t skip = pick_below(agent, ties), i = first;
    for (;; i++)
        if (connections[to->agents[i]] == least && !skip--)
            return i;
}

/* The sample is in random order, so the first of its least ones is an even choice among them. */
static uint32_t pick_power(struct agent *agent, struct choice *choice, const uint32_t *connections)
{
    const struct load_balancer_config *config = choice->config;
    const struct pool *to = &config->to;
    bool again = config->replacement;
    uint32_t looks = config->choices < to->count || again ? (uint32_t)config->choices : to->count;
    uint32_t best = 0, least = UINT32_MAX;
    for (uint32_t i = 0; i < looks; i++) {
        uint32_t from = again ? 0 : i;
        uint32_t at = from + pick_below(agent, to->count - from);
        uint32_t candidate = choice->order[at];
        if (!again) { /* one step of Fisher and Yates: no one is drawn twice */
            choice->order[at] = choice->order[i];
            choice->order[i] = candidate;
        }
        uint32_t n = connections[to->agents[candidate]];
        if (n < least) {
            least = n;
            best = candidate;
        }
    }
    return best;
}

/* The position in the pool of the backend for the next try. */
static uint32_t pick(struct agent *agent, struct choice *choice)
{
    const struct balancer *b = agent->memory;
    const struct pool *to = &choice->config->to;
    uint32_t at;
    if (to->count == 1)
        return 0;
    switch ((enum load_balancer_policy)choice->config->policy) {
    case BALANCER_RANDOM:
        return pick_below(agent, to->count);
    case BALANCER_WEIGHTED_RANDOM:
        return pick_weighted_random(agent, choice);
    case BALANCER_WEIGHTED_ROUND_ROBIN:
        return pick_weighted_round_robin(agent, choice);
    case BALANCER_LEAST_CONNECTIONS:
        return pick_least(agent, to, b->connections);
    case BALANCER_POWER_OF_TWO:
        return pick_power(agent, choice, b->connections);
    case BALANCER_ROUND_ROBIN:
        break;
    }
    at = choice->cursor;
    choice->cursor = at + 1 < to->count ? at + 1 : 0;
    return at;
}

static struct choice *choice_new(struct agent *agent, const struct load_balancer_config *config)
{
    struct arena *arena = &agent->place->memory;
    const struct pool *to = &config->to;
    struct choice *choice = arena_new(arena, struct choice);
    choice->config = config;
    choice->order = arena_array(arena, to->count, uint32_t);
    choice->balance = arena_array(arena, to->count, double);
    choice->up_to = arena_array(arena, to->count, double);
    for (uint32_t i = 0; i < to->count; i++) {
        choice->order[i] = i;
        choice->weight_sum += agent->simulation->agents[to->agents[i]].weight;
        choice->up_to[i] = choice->weight_sum;
    }
    return choice;
}

static void balancer_start(struct agent *agent)
{
    struct simulation *s = agent->simulation;
    struct balancer *b = agent->memory;
    struct balancer_station *kept = agent->durable;
    uint32_t operations = s->blueprint->operation_count;
    struct choice **choices = arena_array(&agent->place->memory, operations, struct choice *);
    station_start(&kept->station, agent, STATION_TABLE,
                  offsetof(struct load_balancer_config, station));
    b->connections = arena_array(&agent->place->memory, s->agent_count, uint32_t);
    b->choices = choices;
    for (uint32_t i = 0; i < operations; i++) {
        for (uint32_t k = 0; k < i && !choices[i]; k++)
            if (agent->configs[k] == agent->configs[i])
                choices[i] = choices[k];
        if (!choices[i])
            choices[i] = choice_new(agent, agent->configs[i]);
    }
}

/* ---- the flow ---- */

static void finish(struct agent *agent, struct call *c, enum status status,
                   enum reply_reason reason)
{
    struct balancer_station *kept = agent->durable;
    station_release(&kept->station, c);
    caller_reply(c, agent, status, reason);
}

static void send(struct agent *agent, struct call *c)
{
    const struct balancer *b = agent->memory;
    struct balancer_frame *f = call_frame(c);
    struct choice *choice = b->choices[c->operation];
    const struct load_balancer_config *config = choice->config;
    uint32_t to = config->to.agents[pick(agent, choice)];
    b->connections[to]++;
    caller_send(&f->caller, &config->caller, c, agent, to, 0);
}

static void go_on(struct agent *agent, struct call *c, enum station_outcome outcome)
{
    struct balancer_station *kept = agent->durable;
    if (outcome == STATION_KEPT)
        return;
    if (outcome == STATION_LEFT)
        finish(agent, c, STATUS_FAIL, c->flags & CALL_REJECTED ? REASON_REJECTED : REASON_NONE);
    else if (station_fails(&kept->station, c))
        finish(agent, c, STATUS_FAIL, REASON_NONE);
    else
        send(agent, c);
}

static void balancer_step(struct agent *agent, struct call *c)
{
    struct balancer_station *kept = agent->durable;
    struct balancer_frame *f = call_frame(c);
    const struct load_balancer_config *config = agent->configs[c->operation];
    if (c->flags & CALL_IN_STATION) {
        go_on(agent, c, station_wake(&kept->station, c));
    } else if (c->wake == WAKE_ARRIVED) {
        if (station_passes(&config->station)) /* no work needs no slot */
            go_on(agent, c, STATION_DONE);
        else
            go_on(agent, c, station_enter(&kept->station, c));
    } else if (c->wake == WAKE_CANCELLED) {
        finish(agent, c, STATUS_INFO, REASON_NONE);
    } else {
        enum caller_next next = caller_wake(&f->caller, &config->caller, c, agent);
        if (next == CALLER_AGAIN)
            send(agent, c);
        else if (next == CALLER_ENDED)
            finish(agent, c, caller_status(&f->caller, c), caller_reason(&f->caller));
    }
}

/* A child says in `agent` who it was sent to, on its way back too. */
static void balancer_settle(struct agent *agent, struct call *parent, struct call *child)
{
    const struct balancer *b = agent->memory;
    CHECK(b->connections[child->agent] > 0);
    b->connections[child->agent]--;
    if (parent)
        caller_settle(&((struct balancer_frame *)call_frame(parent))->caller, child);
}

static void balancer_tick(struct agent *agent, uint32_t tag, uint64_t argument)
{
    (void)agent, (void)tag, (void)argument;
    CHECK(!"a load balancer sets no timers");
}

/* ---- the predicted load ---- */

static double load_work(const void *config)
{
    return station_work_ns(&((const struct load_balancer_config *)config)->station);
}

static double load_slots(const void *config)
{
    return station_slots(&((const struct load_balancer_config *)config)->station);
}

static const struct pool *load_target(const void *config)
{
    return &((const struct load_balancer_config *)config)->to;
}

static bool load_weighted(const void *config)
{
    uint8_t policy = ((const struct load_balancer_config *)config)->policy;
    return policy == BALANCER_WEIGHTED_RANDOM || policy == BALANCER_WEIGHTED_ROUND_ROBIN;
}

static double load_attempts(const void *config)
{
    return 1 - ((const struct load_balancer_config *)config)->station.fail;
}

const struct kind load_balancer_kind = {
    .name = "load_balancer",
    .summary = "Hands each request to one of its backends, by a policy.",
    .semantics =
        "The backend is chosen when the balancer's own work is done (by default it has none and "
        "takes no time), for each try anew. It counts what each backend has in hand from this "
        "balancer: up when a try is sent, down when its answer has come back or has been given up, "
        "whether or not anyone still waited for it. Choices at random, also among equals, come "
        "from the balancer's stream `policy`. A restarted balancer begins with no connections. It "
        "keeps no watch over its backends: one that is down is chosen like any other. `policy` may "
        "differ by operation, and then each has its own turn; the counts are shared.",
    .fields = &balancer_fields,
    .tables = {&visit_metrics, &station_metrics},
    .flags = KIND_VISITED,
    .config_size = sizeof(struct load_balancer_config),
    .volatile_size = sizeof(struct balancer),
    .durable_size = sizeof(struct balancer_station),
    .frame_size = sizeof(struct balancer_frame),
    .start = balancer_start,
    .step = balancer_step,
    .settle = balancer_settle,
    .tick = balancer_tick,
    .load = &(const struct kind_load){.work_ns = load_work,
                                      .slots = load_slots,
                                      .target = load_target,
                                      .weighted = load_weighted,
                                      .attempts = load_attempts},
};
