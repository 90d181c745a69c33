/* What faults do to links while they last. A link that some strike concerns has a `trouble`, made
 * anew from all strikes that are on whenever one of them begins or ends, so that they add up in any
 * order: losses, copies and overtaking as independent coins, slowness as a product, delays as a
 * sum, holds until the last of them ends. A strike changes messages that are sent from then on;
 * only a partition reaches those that are under way. */
#include "engine/kernel/mechanism.h"

static struct link_trouble *trouble_begin(struct simulation *s, struct link *link)
{
    struct link_trouble *trouble = link->trouble_kept;
    if (!trouble)
        trouble = link->trouble_kept = arena_new(&s->arena, struct link_trouble);
    trouble->config = link->config;
    trouble->slow = 1;
    trouble->held_until_ns = 0;
    trouble->delay_count = 0;
    return trouble;
}

static void trouble_delay(struct simulation *s, struct link_trouble *trouble,
                          const struct blueprint_fault *fault)
{
    if (trouble->delay_count == trouble->delay_room) {
        uint32_t room = 2 * trouble->delay_room + 2;
        const struct blueprint_fault **more =
            arena_array(&s->arena, room, const struct blueprint_fault *);
        for (uint32_t i = 0; i < trouble->delay_count; i++)
            more[i] = trouble->delays[i];
        trouble->delays = more;
        trouble->delay_room = room;
    }
    trouble->delays[trouble->delay_count++] = fault;
}

/* One of two independent coins. */
static double either(double a, double b)
{
    return 1 - (1 - a) * (1 - b);
}

static void trouble_add(struct simulation *s, struct link_trouble *trouble,
                        const struct strike *strike)
{
    const struct blueprint_fault *fault = &s->blueprint->faults[strike->fault];
    struct link_config *config = &trouble->config;
    switch (fault->what) {
    case FAULT_SLOW_LINK:
        trouble->slow *= fault->factor;
        config->bandwidth /= fault->factor;
        break;
    case FAULT_LOSS:
        config->loss = either(config->loss, fault->factor);
        break;
    case FAULT_DUPLICATE:
        config->duplicate = either(config->duplicate, fault->factor);
        break;
    case FAULT_REORDER:
        config->reorder = either(config->reorder, fault->factor);
        break;
    case FAULT_DELAY:
        trouble_delay(s, trouble, fault);
        break;
    default:
        CHECK(fault->what == FAULT_HOLD);
        if (strike->end > trouble->held_until_ns)
            trouble->held_until_ns = strike->end;
    }
}

static bool cuts(const struct simulation *s, const struct strike *strike)
{
    return s->blueprint->faults[strike->fault].what == FAULT_PARTITION;
}

static bool concerns(const struct strike *strike, const struct link *link)
{
    return !link->local && strike_meets(strike, link->from->first_agent, link->to->first_agent);
}

/* Makes the trouble of a link anew from the strikes that are on. */
static void link_trouble(struct simulation *s, struct link *link)
{
    link->trouble = NULL;
    for (uint32_t i = 0; i < s->active_count; i++) {
        const struct strike *strike = &s->strikes[s->active[i]];
        if (cuts(s, strike) || !concerns(strike, link))
            continue;
        if (!link->trouble)
            link->trouble = trouble_begin(s, link);
        trouble_add(s, link->trouble, strike);
    }
    link->plain = link->constant && !link->cuts && !link->trouble;
}

/* Every link there is, in no order that matters. */
static void links_change(struct simulation *s, const struct strike *strike, bool begins)
{
    for (uint32_t p = 0; p < s->place_count; p++)
        for (uint32_t i = 0; i < s->places[p].link_room; i++) {
            struct link *link = s->places[p].links[i];
            if (!link || !concerns(strike, link))
                continue;
            if (!cuts(s, strike))
                link_trouble(s, link);
            else if (begins)
                link_cut_add(link);
            else
                link_cut_remove(link);
        }
}

void link_fault_begin(struct simulation *s, const struct strike *strike)
{
    s->plain_links = false;
    links_change(s, strike, true);
    if (cuts(s, strike))
        link_sweep(s);
}

void link_fault_end(struct simulation *s, const struct strike *strike)
{
    links_change(s, strike, false);
}

void link_fault_join(struct simulation *s, struct link *link)
{
    for (uint32_t i = 0; i < s->active_count; i++) {
        const struct strike *strike = &s->strikes[s->active[i]];
        if (s->blueprint->faults[strike->fault].what == FAULT_PARTITION && concerns(strike, link))
            link_cut_add(link);
    }
    link_trouble(s, link);
}
