#include "engine/scenario/predict.h"
#include "engine/kernel/arithmetic.h"

#include <math.h>
#include <string.h>

/* What all operations bring about: in the arena of the point. */
struct flow {
    struct point *point;
    const uint32_t *node_of; /* [agent] */
    const uint32_t *order;   /* of point_order */
    double **rate;           /* [operation][agent]: visits per second; NULL: nobody begins it */
    double **stay_ns;        /* of a visit, without waiting: own work and calls onward */
};

static const struct instance *instance_of(const struct flow *f, uint32_t agent)
{
    const struct blueprint_node *n = &f->point->nodes[f->node_of[agent]];
    return &n->instances[agent - n->first];
}

static const void *config_of(const struct flow *f, uint32_t agent, uint32_t operation)
{
    return instance_of(f, agent)->configs[operation];
}

static bool end_matches(const struct flow *f, enum link_end end, uint32_t id, uint32_t agent)
{
    switch (end) {
    case LINK_ANY:
        return true;
    case LINK_ZONE:
        return f->point->zones[agent] == (int32_t)id;
    case LINK_NODE:
        return f->node_of[agent] == id;
    case LINK_INSTANCE:
        return agent == id;
    }
    return false;
}

static double latency_ns(const struct flow *f, uint32_t from, uint32_t to)
{
    const struct link_rule *best = NULL;
    for (uint32_t i = 0; i < f->point->blueprint->link_count; i++) {
        const struct link_rule *rule = &f->point->blueprint->links[i];
        if (rule->keys & LINK_LATENCY && end_matches(f, rule->from, rule->from_id, from) &&
            end_matches(f, rule->to, rule->to_id, to) &&
            (!best || rule->from + rule->to > best->from + best->to))
            best = rule;
    }
    return best ? distribution_mean(&best->config.latency) : 0;
}

/* Mean own work (ns) of one visit at speed 1. */
static double own_work_ns(const struct flow *f, uint32_t agent, uint32_t operation)
{
    const struct kind_load *load = f->point->nodes[f->node_of[agent]].kind->load;
    const void *config = config_of(f, agent, operation);
    if (!load)
        return 0;
    return load->work_of_ns
               ? load->work_of_ns(config, f->point->blueprint->operations[operation].type)
               : load->work_ns(config);
}

/* What a member of a pool could do of an operation, per ns; 0: there is no limit. */
static double capacity_of(const struct flow *f, uint32_t agent, uint32_t operation)
{
    const struct kind_load *load = f->point->nodes[f->node_of[agent]].kind->load;
    const void *config = config_of(f, agent, operation);
    double slots = load ? load->slots(config) : (double)INFINITY;
    double work_ns = own_work_ns(f, agent, operation);
    if (!(slots < (double)INFINITY) || !(work_ns > 0))
        return 0;
    return slots * instance_of(f, agent)->speed / work_ns;
}

/* The weights by which a pool is shared. A policy that looks at load finds whoever has capacity to
 * spare: under load every member comes to the same utilization. */
static void find_shares(const struct flow *f, uint32_t agent, const struct kind_load *load,
                        const void *config, uint32_t operation, double *shares)
{
    const struct pool *pool = load->target(config);
    bool weighted = load->weighted(config), adaptive = load->adaptive && load->adaptive(config);
    bool limited = true;
    for (uint32_t i = 0; i < pool->count; i++)
        limited = limited && capacity_of(f, pool->agents[i], operation) > 0;
    for (uint32_t i = 0; i < pool->count; i++)
        shares[i] = adaptive && limited ? capacity_of(f, pool->agents[i], operation)
                    : weighted          ? instance_of(f, pool->agents[i])->weight
                                        : 1;
    uint32_t near = 0;
    for (uint32_t i = 0; load->near && load->near(config) && i < pool->count; i++)
        near += f->point->zones[pool->agents[i]] == f->point->zones[agent];
    for (uint32_t i = 0; near && i < pool->count; i++)
        if (f->point->zones[pool->agents[i]] != f->point->zones[agent])
            shares[i] = 0;
}

/* The rates of an operation, to be added to. */
static double *rates_of(struct flow *f, uint32_t operation)
{
    uint32_t agents = f->point->blueprint->agent_count;
    if (!f->rate[operation]) {
        f->rate[operation] = arena_array(f->point->arena, agents, double);
        f->stay_ns[operation] = arena_array(f->point->arena, agents, double);
    }
    return f->rate[operation];
}

/* Adds calls to the rates of a pool, in proportion to `shares`; NULL: evenly. */
static void spread(struct flow *f, const struct pool *pool, const double *shares, double calls,
                   uint32_t operation)
{
    double *rate = rates_of(f, operation), sum = 0;
    for (uint32_t i = 0; i < pool->count; i++)
        sum += shares ? shares[i] : 1;
    for (uint32_t i = 0; i < pool->count; i++)
        rate[pool->agents[i]] += calls * (shares ? shares[i] : 1) / sum;
}

/* The mean time of a call from an instance to one of a pool, both ways over the links included.
 * Large pools are sampled at their first 16 members, because this is a mean for people. */
static double call_ns(const struct flow *f, const struct pool *pool, uint32_t agent,
                      uint32_t operation)
{
    uint32_t looked_at = pool->count < 16 ? pool->count : 16;
    const double *stay_ns = f->stay_ns[operation];
    double mean = 0;
    for (uint32_t i = 0; i < looked_at; i++)
        mean += ((stay_ns ? stay_ns[pool->agents[i]] : 0) + latency_ns(f, agent, pool->agents[i]) +
                 latency_ns(f, pool->agents[i], agent)) /
                looked_at;
    return mean;
}

/* A visit whose steps are walked. */
struct visit {
    struct flow *flow;
    uint32_t agent, operation;
    double rate; /* > 0: sends calls onward; 0: asks for their time */
};

static double visit_call(void *context, const struct pool *to, double times, uint32_t as)
{
    struct visit *v = context;
    uint32_t operation = as == OPERATION_SAME ? v->operation : as;
    if (!(v->rate > 0))
        return call_ns(v->flow, to, v->agent, operation);
    spread(v->flow, to, NULL, v->rate * times, operation);
    return 0;
}

static double walk(struct flow *f, uint32_t agent, uint32_t operation, double rate)
{
    const struct kind_load *load = f->point->nodes[f->node_of[agent]].kind->load;
    struct visit visit = {f, agent, operation, rate};
    enum operation_type type = f->point->blueprint->operations[operation].type;
    struct load_visitor visitor = {&visit, type, visit_call};
    if (!load || !load->walk)
        return -1;
    return load->walk(config_of(f, agent, operation), instance_of(f, agent)->speed, &visitor);
}

/* Sends the visits of an instance onward. */
static void send_onward(struct flow *f, uint32_t agent, uint32_t operation)
{
    double rate = f->rate[operation][agent];
    if (!(rate > 0) || walk(f, agent, operation, rate) >= 0)
        return;
    const struct kind_load *load = f->point->nodes[f->node_of[agent]].kind->load;
    const void *config = config_of(f, agent, operation);
    const struct pool *pool = load ? load->target(config) : NULL;
    if (!pool || !pool->count)
        return;
    double *shares = arena_array(f->point->arena, pool->count, double);
    find_shares(f, agent, load, config, operation, shares);
    spread(f, pool, shares, rate * load->attempts(config), operation);
}

static double work_at(const struct flow *f, uint32_t agent, uint32_t operation)
{
    return own_work_ns(f, agent, operation) / instance_of(f, agent)->speed;
}

/* Of a visit: own work, and calls. */
static void find_stay(struct flow *f, uint32_t agent, uint32_t operation)
{
    const struct kind_load *load = f->point->nodes[f->node_of[agent]].kind->load;
    const void *config = config_of(f, agent, operation);
    const struct pool *pool = load ? load->target(config) : NULL;
    double *stay_ns = &f->stay_ns[operation][agent];
    double walked = walk(f, agent, operation, 0);
    if (walked >= 0) {
        *stay_ns = walked;
        return;
    }
    *stay_ns = work_at(f, agent, operation);
    if (pool && pool->count)
        *stay_ns += load->attempts(config) * call_ns(f, pool, agent, operation);
}

/* Plays all operations that have begun: rates from the clients down, stays from the leaves up. */
static void play(struct flow *f)
{
    const struct blueprint *b = f->point->blueprint;
    uint32_t count = b->node_count * b->operation_count;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t operation = f->order[i] / b->node_count;
        const struct blueprint_node *n = &b->nodes[f->order[i] % b->node_count];
        for (uint32_t k = 0; k < n->count && f->rate[operation]; k++)
            send_onward(f, n->first + k, operation);
    }
    for (uint32_t i = count; i-- > 0;) {
        uint32_t operation = f->order[i] / b->node_count;
        const struct blueprint_node *n = &b->nodes[f->order[i] % b->node_count];
        for (uint32_t k = 0; k < n->count && f->rate[operation]; k++)
            find_stay(f, n->first + k, operation);
    }
}

static bool holds_request(const struct kind *kind, const void *config)
{
    struct bind_field hold = bind_find(kind->fields, "hold");
    if (!hold.field || hold.field->type != FIELD_WORD)
        return false;
    uint8_t index;
    memcpy(&index, (const char *)config + hold.offset, sizeof index);
    return !strcmp(hold.field->words[index].name, "request");
}

static double scv_of(const struct kind *kind, const void *config)
{
    struct bind_field time = bind_find(kind->fields, "time");
    if (!time.field || time.field->type != FIELD_DURATION)
        return 1;
    struct distribution d;
    memcpy(&d, (const char *)config + time.offset, sizeof d);
    return distribution_scv(&d);
}

/* Adds an operation's visits to the sums of every agent. work_ns and work_scv are sums of rate x
 * work and rate x work^2 until the end of predict. */
static void add_visits(const struct flow *f, uint32_t operation, bool closed, struct predicted *all)
{
    for (uint32_t a = 0; f->rate[operation] && a < f->point->blueprint->agent_count; a++) {
        double rate = f->rate[operation][a];
        if (!(rate > 0))
            continue;
        const struct kind *kind = f->point->nodes[f->node_of[a]].kind;
        const void *config = config_of(f, a, operation);
        double work = work_at(f, a, operation);
        bool holds = holds_request(kind, config);
        all[a].rate += rate;
        all[a].busy += rate * (holds ? f->stay_ns[operation][a] : work) / 1e9;
        all[a].work_ns += rate * work;
        all[a].work_scv += rate * work * work * (1 + scv_of(kind, config));
        all[a].holds = all[a].holds || holds;
        all[a].closed = all[a].closed || closed;
    }
}

static void clear(struct flow *f)
{
    const struct blueprint *b = f->point->blueprint;
    for (uint32_t o = 0; o < b->operation_count; o++)
        if (f->rate[o])
            memset(f->rate[o], 0, b->agent_count * sizeof *f->rate[o]);
}

static double share_of(const struct flow *f, uint32_t agent, uint32_t operation)
{
    const struct kind *kind = f->point->nodes[f->node_of[agent]].kind;
    struct bind_field share = bind_find(kind->fields, "share");
    double value = 0;
    if (share.field && share.field->type == FIELD_SHARE)
        memcpy(&value, (const char *)config_of(f, agent, operation) + share.offset, sizeof value);
    return value;
}

/* Users and mean think time of an instance of a closed loop. */
static double users_of(const struct flow *f, uint32_t agent, double *think_ns)
{
    const struct kind *kind = f->point->nodes[f->node_of[agent]].kind;
    const char *config = config_of(f, agent, 0);
    struct bind_field users = bind_find(kind->fields, "users");
    struct bind_field think = bind_find(kind->fields, "think");
    uint64_t count = 0;
    struct distribution pause = {0};
    if (users.field && users.field->type == FIELD_COUNT)
        memcpy(&count, config + users.offset, sizeof count);
    if (think.field && think.field->type == FIELD_DURATION)
        memcpy(&pause, config + think.offset, sizeof pause);
    *think_ns = distribution_mean(&pause);
    return (double)count;
}

/* One instance of a closed loop, after all that is open: what a flow of one operation per second
 * takes of every node tells how many there can be. */
static void add_closed(struct flow *f, uint32_t agent, struct predicted *all)
{
    const struct blueprint *b = f->point->blueprint;
    struct predicted *unit = arena_array(f->point->arena, b->agent_count, struct predicted);
    double think_ns, stay_ns = 0;
    double users = users_of(f, agent, &think_ns);
    clear(f);
    for (uint32_t o = 0; o < b->operation_count; o++) {
        double share = share_of(f, agent, o);
        if (share > 0)
            rates_of(f, o)[agent] = share;
    }
    play(f);
    for (uint32_t o = 0; o < b->operation_count; o++) {
        double share = share_of(f, agent, o);
        if (share > 0)
            stay_ns += share * f->stay_ns[o][agent];
        add_visits(f, o, true, unit);
    }
    double most = think_ns + stay_ns > 0 ? users * 1e9 / (think_ns + stay_ns) : (double)INFINITY;
    for (uint32_t a = 0; a < b->agent_count; a++)
        if (unit[a].busy > 0 && all[a].slots < (double)INFINITY)
            most = fmin(most, fmax(0, all[a].slots - all[a].busy) / unit[a].busy);
    if (!(most < (double)INFINITY))
        return;
    for (uint32_t a = 0; a < b->agent_count; a++) {
        all[a].rate += most * unit[a].rate;
        all[a].busy += most * unit[a].busy;
        all[a].work_ns += most * unit[a].work_ns;
        all[a].work_scv += most * unit[a].work_scv;
        all[a].holds = all[a].holds || unit[a].holds;
        all[a].closed = all[a].closed || unit[a].closed;
    }
}

/* Puts what the open clients begin of an operation into the flow; closed ones are left out. */
static void begin_open(struct flow *f, uint32_t operation, int64_t from_ns, int64_t to_ns)
{
    for (uint32_t a = 0; a < f->point->blueprint->agent_count; a++) {
        const struct kind *kind = f->point->nodes[f->node_of[a]].kind;
        if (!(kind->flags & KIND_CLIENT) || !kind->load || !kind->load->offered)
            continue;
        double rate = kind->load->offered(config_of(f, a, operation), from_ns, to_ns, operation);
        if (rate > 0 && rate < (double)INFINITY)
            rates_of(f, operation)[a] = rate;
    }
}

struct predicted *predict(struct point *point, int64_t from_ns, int64_t to_ns)
{
    const struct blueprint *b = point->blueprint;
    struct predicted *all = arena_array(point->arena, b->agent_count, struct predicted);
    uint32_t *node_of = arena_array(point->arena, b->agent_count, uint32_t);
    struct flow f = {
        .point = point,
        .node_of = node_of,
        .order = point_order(point),
        .rate = arena_array(point->arena, b->operation_count, double *),
        .stay_ns = arena_array(point->arena, b->operation_count, double *),
    };
    for (uint32_t i = 0; i < b->node_count; i++)
        for (uint32_t k = 0; k < b->nodes[i].count; k++)
            node_of[b->nodes[i].first + k] = i;
    for (uint32_t a = 0; a < b->agent_count; a++) {
        const struct kind_load *load = b->nodes[node_of[a]].kind->load;
        all[a].slots = load ? load->slots(config_of(&f, a, 0)) : (double)INFINITY;
    }
    for (uint32_t o = 0; o < b->operation_count; o++)
        begin_open(&f, o, from_ns, to_ns);
    play(&f);
    for (uint32_t o = 0; o < b->operation_count; o++)
        add_visits(&f, o, false, all);
    for (uint32_t a = 0; a < b->agent_count; a++) {
        const struct kind *kind = b->nodes[node_of[a]].kind;
        if (kind->flags & KIND_CLIENT && kind->load && kind->load->offered &&
            !(kind->load->offered(config_of(&f, a, 0), from_ns, to_ns, 0) < (double)INFINITY))
            add_closed(&f, a, all);
    }
    for (uint32_t a = 0; a < b->agent_count; a++) {
        if (!(all[a].work_ns > 0))
            continue;
        double second = all[a].work_scv / all[a].rate;
        all[a].work_ns /= all[a].rate;
        all[a].work_scv = second / (all[a].work_ns * all[a].work_ns) - 1;
    }
    return all;
}

double predict_utilization(const struct predicted *predicted)
{
    return predicted->slots < (double)INFINITY ? predicted->busy / predicted->slots : 0;
}

double predict_relaxation_ns(const struct predicted *predicted)
{
    double load = predict_utilization(predicted);
    if (!(load > 0) || !(predicted->work_ns > 0))
        return 0;
    if (load > 1 - 1e-9)
        return (double)INFINITY;
    double gap = 1 - arithmetic_sqrt(load);
    return predicted->work_ns / predicted->slots * (1 + predicted->work_scv) / 2 / (gap * gap);
}
