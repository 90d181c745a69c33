/* zone_aware: another policy on that part of the view that stands in the balancer's own zone, or on
 * all of it where that part is empty. */
#include "models/load_balancer_policy.h"

#include <stddef.h>

/* What may be used inside; the words in the same order. */
static const struct load_balancer_rule *const rules[] = {
    &load_balancer_round_robin,
    &load_balancer_random,
    &load_balancer_least_connections,
    &load_balancer_power_of_two,
};

static const struct field_word words[] = {
    {"round_robin", "In turn.", NULL},
    {"random", "Each as likely as any other.", NULL},
    {"least_connections", "One with the fewest requests of this balancer in hand.", NULL},
    {"power_of_two", "The one with the fewest of `choices` drawn at random.", NULL},
    {0},
};

static const struct field zone_fields[] = {
    {.name = "by",
     .type = FIELD_WORD,
     .offset = offsetof(struct load_balancer_config, inside),
     .otherwise = "round_robin",
     .words = words,
     .summary = "How one of them is chosen."},
    {0},
};
const struct field_table load_balancer_zone_aware_parameters = {.fields = zone_fields};

const struct load_balancer_rule *load_balancer_zone_rule(const struct load_balancer_config *config)
{
    return rules[config->inside];
}

static void zone_open(struct agent *agent, struct balancer_choice *choice)
{
    struct arena *arena = &agent->place->memory;
    uint32_t room = choice->config->to.count;
    struct balancer_choice *inner = arena_new(arena, struct balancer_choice);
    *inner = *choice;
    inner->rule = load_balancer_zone_rule(choice->config);
    inner->agents = arena_array(arena, room, uint32_t);
    inner->at = arena_array(arena, room, uint32_t);
    inner->weights = arena_array(arena, room, double);
    inner->present = arena_array(arena, room, bool);
    inner->scores = arena_array(arena, room, double);
    inner->rule->open(agent, inner);
    choice->state = inner;
}

static void zone_refill(struct agent *agent, struct balancer_choice *choice)
{
    struct balancer_choice *inner = choice->state;
    const struct simulation *s = agent->simulation;
    uint32_t near = 0;
    for (uint32_t i = 0; i < choice->count; i++)
        near += s->agents[choice->agents[i]].place->zone == agent->place->zone;
    inner->count = 0;
    inner->even = choice->even;
    for (uint32_t i = 0; i < choice->config->to.count; i++)
        inner->present[i] = false;
    for (uint32_t i = 0; i < choice->count; i++) {
        if (near && s->agents[choice->agents[i]].place->zone != agent->place->zone)
            continue;
        inner->agents[inner->count] = choice->agents[i];
        inner->at[inner->count] = choice->at[i];
        inner->weights[inner->count] = choice->weights[i];
        inner->present[choice->at[i]] = true;
        inner->count++;
    }
    inner->rule->refill(agent, inner);
}

static uint32_t zone_aware_pick(struct agent *agent, struct balancer_choice *choice,
                                const struct call *c)
{
    struct balancer_choice *inner = choice->state;
    return inner->count == 1 ? inner->agents[0] : inner->rule->pick(agent, inner, c);
}

const struct load_balancer_rule load_balancer_zone_aware = {zone_open, zone_refill, zone_aware_pick,
                                                            NULL, BALANCER_COUNTS};
