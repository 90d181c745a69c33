#include "engine/kernel/scaler.h"
#include "engine/kernel/mechanism.h"

#include <string.h>

enum instance_state { OFF, STARTING, SERVING, DRAINING };
enum scaler_event { LOOK, POINT, STARTED, EMPTY };

enum { RECHECK_NS = 1000000000 };

/* What a look reads: integrals of levels over all instances, up to the last look. */
struct reading {
    wide busy, slots, inside;
};

struct scaler {
    const struct blueprint_node *node;
    const struct scaling *scaling; /* NULL: only told by others */
    uint8_t *states;               /* [instance] of enum instance_state */
    int64_t *due_ns;               /* [instance]: the end of its start-up */
    uint32_t counts[4];            /* by state */
    uint32_t point;                /* of the schedule, next */
    int64_t changed_ns;            /* the last change; -1: none yet */
    int64_t looked_ns;
    struct reading last;
};

static struct agent *agent_at(const struct simulation *s, const struct scaler *scaler,
                              uint32_t instance)
{
    return &s->agents[scaler->node->first + instance];
}

static void state_set(struct scaler *scaler, uint32_t instance, enum instance_state state)
{
    scaler->counts[scaler->states[instance]]--;
    scaler->states[instance] = (uint8_t)state;
    scaler->counts[state]++;
}

static void pay(struct simulation *s, struct agent *agent, bool begins)
{
    int64_t price = s->blueprint->nodes[agent->node].instances[agent->number - 1].price;
    if (agent->visited && price)
        record_level(agent->records[VISITS], VISIT_PRICE, begins ? price : -price);
}

static void serve(struct agent *agent, bool serves)
{
    if (agent->visited && agent->member != serves)
        record_level(agent->records[VISITS], VISIT_LIVE, serves ? 1 : -1);
    member_set(agent, serves);
}

static void push(struct simulation *s, const struct agent *agent, int64_t at_ns,
                 enum scaler_event what)
{
    event_push(&s->queue, at_ns, EVENT_SCALE, agent->index, (uint16_t)what);
}

/* ---- one instance ---- */

static void switch_on(struct simulation *s, struct scaler *scaler, uint32_t instance)
{
    struct agent *agent = agent_at(s, scaler, instance);
    state_set(scaler, instance, SERVING);
    agent->exists = true;
    if (agent->visited)
        record_level(agent->records[VISITS], VISIT_INSTANCES, 1);
    place_restart(s, agent->place->index);
    serve(agent, true);
}

static void switch_off(struct simulation *s, struct scaler *scaler, uint32_t instance)
{
    struct agent *agent = agent_at(s, scaler, instance);
    state_set(scaler, instance, OFF);
    agent->exists = agent->drains = false;
    place_crash(s, agent->place->index);
    if (agent->visited)
        record_level(agent->records[VISITS], VISIT_INSTANCES, -1);
    pay(s, agent, false);
}

static void order(struct simulation *s, struct scaler *scaler, uint32_t instance)
{
    struct agent *agent = agent_at(s, scaler, instance);
    int64_t start_up = scaler->scaling ? scaler->scaling->start_up : 0;
    pay(s, agent, true);
    state_set(scaler, instance, STARTING);
    scaler->due_ns[instance] = s->queue.now + start_up;
    push(s, agent, scaler->due_ns[instance], STARTED);
}

static void drain(struct simulation *s, struct scaler *scaler, uint32_t instance)
{
    struct agent *agent = agent_at(s, scaler, instance);
    serve(agent, false);
    agent->drains = true;
    state_set(scaler, instance, DRAINING);
    push(s, agent, s->queue.now, EMPTY);
}

/* Whether anything is inside an agent or on its way to it. A sweep, at the end of a draining. */
static bool is_empty(const struct simulation *s, const struct agent *agent)
{
    if (agent_inside(agent))
        return false;
    for (uint32_t i = 1; i < s->pool_used; i++) {
        const struct call *c = call_at(s, i);
        bool here = c->agent == agent->index && (c->state == CALL_FLIGHT || c->state == CALL_HELD);
        if (here)
            return false;
    }
    return true;
}

void scaler_drained(struct agent *agent)
{
    push(agent->simulation, agent, simulation_now(agent->simulation), EMPTY);
}

/* ---- all of them ---- */

static void one_more(struct simulation *s, struct scaler *scaler)
{
    for (uint32_t i = 0; scaler->counts[DRAINING] && i < scaler->node->count; i++)
        if (scaler->states[i] == DRAINING) {
            struct agent *agent = agent_at(s, scaler, i);
            agent->drains = false;
            state_set(scaler, i, SERVING);
            serve(agent, true);
            return;
        }
    for (uint32_t i = 0; i < scaler->node->count; i++)
        if (scaler->states[i] == OFF) {
            order(s, scaler, i);
            return;
        }
}

static void one_fewer(struct simulation *s, struct scaler *scaler)
{
    for (uint32_t i = scaler->node->count; scaler->counts[STARTING] && i-- > 0;)
        if (scaler->states[i] == STARTING) {
            state_set(scaler, i, OFF);
            pay(s, agent_at(s, scaler, i), false);
            return;
        }
    for (uint32_t i = scaler->node->count; i-- > 0;)
        if (scaler->states[i] == SERVING) {
            drain(s, scaler, i);
            return;
        }
}

static uint32_t ordered(const struct scaler *scaler)
{
    return scaler->counts[SERVING] + scaler->counts[STARTING];
}

static void move_to(struct simulation *s, struct scaler *scaler, uint32_t wanted)
{
    if (wanted > scaler->node->count)
        wanted = scaler->node->count;
    if (wanted != ordered(scaler))
        scaler->changed_ns = s->queue.now;
    while (ordered(scaler) < wanted)
        one_more(s, scaler);
    while (ordered(scaler) > wanted)
        one_fewer(s, scaler);
}

/* ---- looking ---- */

/* The integral up to now of a level of the kind's, by its name; 0 where it has none. */
static wide integral_of(const struct simulation *s, const struct agent *agent, const char *name)
{
    for (uint32_t t = 0; t < KIND_TABLES && agent->records[t]; t++) {
        const struct record *r = agent->records[t];
        for (uint32_t m = 0; m < r->metric_count; m++)
            if (r->levels[m] && !strcmp(r->table->metrics[m].name, name)) {
                level_close(r->levels[m], s->queue.now);
                return r->levels[m]->integral;
            }
    }
    return 0;
}

static struct reading read_all(const struct simulation *s, const struct scaler *scaler)
{
    struct reading now = {0};
    for (uint32_t i = 0; i < scaler->node->count; i++) {
        const struct agent *agent = agent_at(s, scaler, i);
        now.busy += integral_of(s, agent, "busy");
        now.slots += integral_of(s, agent, ".available");
        now.inside += integral_of(s, agent, "in_system");
    }
    return now;
}

static uint32_t round_up(double wanted)
{
    uint32_t whole = wanted < 1e6 ? (uint32_t)wanted : 1000000;
    return whole + ((double)whole < wanted - 1e-9);
}

/* How many would have had the target in the last period. */
static uint32_t wanted_by(const struct simulation *s, struct scaler *scaler)
{
    const struct scaling *scaling = scaler->scaling;
    struct reading now = read_all(s, scaler);
    double span = (double)(s->queue.now - scaler->looked_ns);
    double busy = (double)(now.busy - scaler->last.busy);
    double slots = (double)(now.slots - scaler->last.slots);
    double inside = (double)(now.inside - scaler->last.inside);
    scaler->last = now;
    scaler->looked_ns = s->queue.now;
    double wanted = scaling->in_system > 0 ? inside / span / scaling->in_system
                    : slots > 0 ? busy / slots * scaler->counts[SERVING] / scaling->target
                                : 0;
    uint32_t count = round_up(wanted);
    return count < scaling->min ? scaling->min : count > scaling->max ? scaling->max : count;
}

static void look(struct simulation *s, struct scaler *scaler)
{
    uint32_t wanted = wanted_by(s, scaler);
    bool rests =
        scaler->changed_ns >= 0 && s->queue.now - scaler->changed_ns < scaler->scaling->cooldown;
    if (wanted > ordered(scaler) || !rests)
        move_to(s, scaler, wanted);
    push(s, agent_at(s, scaler, 0), s->queue.now + scaler->scaling->period, LOOK);
}

static void take_point(struct simulation *s, struct scaler *scaler)
{
    const struct scaling *scaling = scaler->scaling;
    move_to(s, scaler, scaling->schedule[scaler->point++].count);
    if (scaler->point < scaling->schedule_count)
        push(s, agent_at(s, scaler, 0), scaling->schedule[scaler->point].at, POINT);
}

void scaler_dispatch(struct simulation *s, const struct event *event)
{
    struct agent *agent = &s->agents[event->target];
    struct scaler *scaler = s->scalers[agent->node];
    uint32_t instance = agent->number - 1;
    switch ((enum scaler_event)event->argument) {
    case LOOK:
        look(s, scaler);
        break;
    case POINT:
        take_point(s, scaler);
        break;
    case STARTED:
        if (scaler->states[instance] == STARTING && scaler->due_ns[instance] == s->queue.now)
            switch_on(s, scaler, instance);
        break;
    case EMPTY:
        if (scaler->states[instance] != DRAINING || agent_inside(agent))
            break;
        if (is_empty(s, agent))
            switch_off(s, scaler, instance);
        else
            push(s, agent, s->queue.now + RECHECK_NS, EMPTY);
        break;
    }
}

void scaler_change(struct simulation *s, uint32_t node, int32_t change)
{
    struct scaler *scaler = s->scalers[node];
    int64_t wanted = (int64_t)ordered(scaler) + change;
    move_to(s, scaler, wanted < 0 ? 0 : (uint32_t)wanted);
}

/* ---- at the start ---- */

static bool is_priced(const struct blueprint_node *node)
{
    for (uint32_t i = 0; i < node->count; i++)
        if (node->instances[i].price)
            return true;
    return false;
}

static void hide(struct agent *agent, bool scaled, bool priced)
{
    if (!scaled)
        record_hide(agent->records[VISITS], VISIT_LIVE);
    if (!priced)
        record_hide(agent->records[VISITS], VISIT_COST);
}

static void plan_instance(struct simulation *s, struct scaler *scaler, uint32_t instance)
{
    struct agent *agent = agent_at(s, scaler, instance);
    bool there = !scaler->node->present || instance < scaler->node->present;
    scaler->states[instance] = there ? SERVING : OFF;
    scaler->counts[scaler->states[instance]]++;
    if (there) {
        pay(s, agent, true);
        if (agent->visited)
            record_level(agent->records[VISITS], VISIT_LIVE, 1);
        return;
    }
    agent->exists = agent->place->up = agent->member = false;
    agent->gate = true;
    s->absent++;
    s->membership++;
}

void scaler_plan(struct simulation *s)
{
    const struct blueprint *b = s->blueprint;
    s->scalers = arena_array(&s->arena, b->node_count, struct scaler *);
    for (uint32_t n = 0; n < b->node_count; n++) {
        const struct blueprint_node *node = &b->nodes[n];
        bool scaled = node->scaling || (node->present && node->present < node->count);
        struct scaler *scaler = arena_new(&s->arena, struct scaler);
        *scaler = (struct scaler){.node = node, .scaling = node->scaling, .changed_ns = -1};
        scaler->states = arena_array(&s->arena, node->count, uint8_t);
        scaler->due_ns = arena_array(&s->arena, node->count, int64_t);
        s->scalers[n] = scaler;
        for (uint32_t i = 0; i < node->count; i++) {
            plan_instance(s, scaler, i);
            if (s->agents[node->first + i].visited)
                hide(&s->agents[node->first + i], scaled, is_priced(node));
        }
        if (node->scaling && node->scaling->schedule_count)
            push(s, agent_at(s, scaler, 0), node->scaling->schedule[0].at, POINT);
        else if (node->scaling)
            push(s, agent_at(s, scaler, 0), node->scaling->period, LOOK);
    }
}
