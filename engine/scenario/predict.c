#include "engine/scenario/predict.h"
#include "engine/kernel/arithmetic.h"

#include <math.h>
#include <string.h>

/* What one operation brings about, [agent]: in the arena of the point. */
struct flow {
    struct point *point;
    const uint32_t *node_of; /* [agent] */
    double *rate;            /* visits per second */
    double *stay_ns;         /* of a visit, without waiting: own work and calls onward */
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

/* What a member of a pool could do of an operation, per ns; 0: there is no limit. */
static double capacity_of(const struct flow *f, uint32_t agent, uint32_t operation)
{
    const struct kind_load *load = f->point->nodes[f->node_of[agent]].kind->load;
    const void *config = config_of(f, agent, operation);
    double slots = load ? load->slots(config) : (double)INFINITY;
    double work_ns = load ? load->work_ns(config) : 0;
    if (!(slots < (double)INFINITY) || !(work_ns > 0))
        return 0;
    return slots * instance_of(f, agent)->speed / work_ns;
}

/* The weights by which a pool is shared. A policy that looks at load finds whoever has capacity to
 * spare: under load every member comes to the same utilization. */
static void find_shares(const struct flow *f, const struct kind_load *load, const void *config,
                        uint32_t operation, double *shares)
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
}

/* Sends the visits of an instance onward. */
static void send_onward(struct flow *f, uint32_t agent, uint32_t operation)
{
    const struct kind_load *load = f->point->nodes[f->node_of[agent]].kind->load;
    const void *config = config_of(f, agent, operation);
    const struct pool *pool = load ? load->target(config) : NULL;
    if (!pool || !pool->count || !(f->rate[agent] > 0))
        return;
    double calls = f->rate[agent] * load->attempts(config);
    double *shares = arena_array(f->point->arena, pool->count, double), sum = 0;
    find_shares(f, load, config, operation, shares);
    for (uint32_t i = 0; i < pool->count; i++)
        sum += shares[i];
    for (uint32_t i = 0; i < pool->count; i++)
        f->rate[pool->agents[i]] += calls * shares[i] / sum;
}

static double work_at(const struct flow *f, uint32_t agent, uint32_t operation)
{
    const struct kind_load *load = f->point->nodes[f->node_of[agent]].kind->load;
    return load ? load->work_ns(config_of(f, agent, operation)) / instance_of(f, agent)->speed : 0;
}

/* Of a visit: own work, and calls with both ways over their links. Large pools are sampled at their
 * first 16 members, because this is a mean for people. */
static void find_stay(struct flow *f, uint32_t agent, uint32_t operation)
{
    const struct kind_load *load = f->point->nodes[f->node_of[agent]].kind->load;
    const void *config = config_of(f, agent, operation);
    const struct pool *pool = load ? load->target(config) : NULL;
    uint32_t looked_at = pool ? (pool->count < 16 ? pool->count : 16) : 0;
    double onward = 0;
    for (uint32_t i = 0; i < looked_at; i++)
        onward += (f->stay_ns[pool->agents[i]] + latency_ns(f, agent, pool->agents[i]) +
                   latency_ns(f, pool->agents[i], agent)) /
                  looked_at;
    f->stay_ns[agent] =
        work_at(f, agent, operation) + (looked_at ? load->attempts(config) * onward : 0);
}

/* Plays one operation through: rates from the clients down, stays from the leaves up. */
static void play(struct flow *f, uint32_t operation)
{
    struct point *point = f->point;
    const uint32_t *order = point_order(point, operation);
    uint32_t count = point->blueprint->node_count;
    for (uint32_t i = 0; i < count; i++) {
        const struct blueprint_node *n = &point->nodes[order[i]];
        for (uint32_t k = 0; k < n->count; k++)
            send_onward(f, n->first + k, operation);
    }
    for (uint32_t i = count; i-- > 0;) {
        const struct blueprint_node *n = &point->nodes[order[i]];
        for (uint32_t k = 0; k < n->count; k++)
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

/* Adds an operation's visits, `times` as many as the flow has, to the sums of every agent.
 * work_ns and work_scv are sums of rate x work and rate x work^2 until `finish`. */
static void add_visits(const struct flow *f, uint32_t operation, double times, bool closed,
                       struct predicted *all)
{
    for (uint32_t a = 0; a < f->point->blueprint->agent_count; a++) {
        double rate = f->rate[a] * times;
        if (!(rate > 0))
            continue;
        const struct kind *kind = f->point->nodes[f->node_of[a]].kind;
        const void *config = config_of(f, a, operation);
        double work = work_at(f, a, operation);
        bool holds = holds_request(kind, config);
        all[a].rate += rate;
        all[a].busy += rate * (holds ? f->stay_ns[a] : work) / 1e9;
        all[a].work_ns += rate * work;
        all[a].work_scv += rate * work * work * (1 + scv_of(kind, config));
        all[a].holds = all[a].holds || holds;
        all[a].closed = all[a].closed || closed;
    }
}

static void clear(struct flow *f)
{
    memset(f->rate, 0, f->point->blueprint->agent_count * sizeof *f->rate);
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
    for (uint32_t o = 0; o < b->operation_count; o++) {
        double share = share_of(f, agent, o);
        if (!(share > 0))
            continue;
        clear(f);
        f->rate[agent] = share;
        play(f, o);
        stay_ns += share * f->stay_ns[agent];
        add_visits(f, o, 1, true, unit);
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
static bool begin_open(struct flow *f, uint32_t operation, int64_t from_ns, int64_t to_ns)
{
    bool any = false;
    clear(f);
    for (uint32_t a = 0; a < f->point->blueprint->agent_count; a++) {
        const struct kind *kind = f->point->nodes[f->node_of[a]].kind;
        if (!(kind->flags & KIND_CLIENT) || !kind->load || !kind->load->offered)
            continue;
        double rate = kind->load->offered(config_of(f, a, operation), from_ns, to_ns, operation);
        if (rate < (double)INFINITY)
            f->rate[a] = rate;
        any = any || f->rate[a] > 0;
    }
    return any;
}

struct predicted *predict(struct point *point, int64_t from_ns, int64_t to_ns)
{
    const struct blueprint *b = point->blueprint;
    struct predicted *all = arena_array(point->arena, b->agent_count, struct predicted);
    uint32_t *node_of = arena_array(point->arena, b->agent_count, uint32_t);
    struct flow f = {
        .point = point,
        .node_of = node_of,
        .rate = arena_array(point->arena, b->agent_count, double),
        .stay_ns = arena_array(point->arena, b->agent_count, double),
    };
    for (uint32_t i = 0; i < b->node_count; i++)
        for (uint32_t k = 0; k < b->nodes[i].count; k++)
            node_of[b->nodes[i].first + k] = i;
    for (uint32_t a = 0; a < b->agent_count; a++) {
        const struct kind_load *load = b->nodes[node_of[a]].kind->load;
        all[a].slots = load ? load->slots(config_of(&f, a, 0)) : (double)INFINITY;
    }
    for (uint32_t o = 0; o < b->operation_count; o++)
        if (begin_open(&f, o, from_ns, to_ns)) {
            play(&f, o);
            add_visits(&f, o, 1, false, all);
        }
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
    if (load >= 1)
        return (double)INFINITY;
    double gap = 1 - arithmetic_sqrt(load);
    return predicted->work_ns / predicted->slots * (1 + predicted->work_scv) / 2 / (gap * gap);
}
