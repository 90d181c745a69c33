/* Join-idle-queue (Lu, Xie, Kliot, Geller, Larus, Greenberg, Performance Evaluation 68, 2011): idle
 * backends tell a balancer, which keeps them in order and hands requests to them first. Here a
 * backend tells the balancer whose answer leaves it with nothing inside, as the answer comes in; it
 * takes nothing back when another balancer has meanwhile given it work. */
#include "models/load_balancer_policy.h"

/* Those that have told, in order; each at most once. */
struct idle {
    uint32_t *queue; /* ring of positions in the pool */
    uint32_t head, count, room;
    bool *queued;  /* by position in the pool */
    bool *present; /* by position: in the last view */
    bool filled;   /* there was a view */
};

static void tell(struct idle *idle, uint32_t position)
{
    if (idle->queued[position])
        return;
    idle->queued[position] = true;
    idle->queue[(idle->head + idle->count++) % idle->room] = position;
}

static void idle_open(struct agent *agent, struct balancer_choice *choice)
{
    struct arena *arena = &agent->place->memory;
    struct idle *idle = arena_new(arena, struct idle);
    uint32_t room = choice->config->to.count;
    *idle = (struct idle){
        .queue = arena_array(arena, room, uint32_t),
        .room = room,
        .queued = arena_array(arena, room, bool),
        .present = arena_array(arena, room, bool),
    };
    choice->state = idle;
}

/* Whoever is new is idle. At the very start each tells one of the balancers, in turn; a balancer
 * that restarts hears of nobody; whoever comes later tells all of them. */
static void idle_refill(struct agent *agent, struct balancer_choice *choice)
{
    struct idle *idle = choice->state;
    uint32_t balancers = agent->simulation->blueprint->nodes[agent->node].count;
    for (uint32_t i = 0; i < idle->room; i++) {
        bool mine = i % balancers == agent->number - 1 && !agent->place->incarnation;
        if (choice->present[i] && !idle->present[i] && (idle->filled || mine))
            tell(idle, i);
        idle->present[i] = choice->present[i];
    }
    idle->filled = true;
}

static uint32_t join_idle_queue_pick(struct agent *agent, struct balancer_choice *choice,
                                     const struct call *c)
{
    struct idle *idle = choice->state;
    (void)c;
    while (idle->count) {
        uint32_t position = idle->queue[idle->head];
        idle->head = idle->head + 1 < idle->room ? idle->head + 1 : 0;
        idle->count--;
        idle->queued[position] = false;
        if (choice->present[position])
            return choice->config->to.agents[position];
    }
    return choice->agents[balancer_below(agent, choice->count)];
}

void load_balancer_idle_told(struct agent *agent, struct balancer_choice *choice, uint32_t backend)
{
    const struct pool *to = &choice->config->to;
    if (agent_inside(&agent->simulation->agents[backend]))
        return;
    for (uint32_t i = 0; i < to->count; i++)
        if (to->agents[i] == backend)
            tell(choice->state, i);
}

const struct load_balancer_rule load_balancer_join_idle_queue = {
    idle_open, idle_refill, join_idle_queue_pick, NULL, BALANCER_NO_RAMP};
