#include "engine/kernel/strike_text.h"

/* The members of a set of agents, in order of node; a node of which all are in it by its name. */
static const char *set_text(struct arena *arena, const struct blueprint *b, const uint64_t *set)
{
    const char *text = "";
    for (uint32_t n = 0; n < b->node_count; n++) {
        const struct blueprint_node *node = &b->nodes[n];
        uint32_t hit = 0;
        for (uint32_t i = 0; i < node->count; i++)
            hit += strike_bit(set, node->first + i);
        if (hit == node->count) {
            text = arena_format(arena, "%s%s%s", text, *text ? " " : "", node->name);
            continue;
        }
        for (uint32_t i = 0; hit && i < node->count; i++)
            if (strike_bit(set, node->first + i))
                text = arena_format(arena, "%s%s%s.%u", text, *text ? " " : "", node->name, i + 1);
    }
    return text;
}

static const char *agents_text(struct arena *arena, const struct blueprint *b,
                               const struct strike *strike)
{
    uint64_t *set = arena_array(arena, b->agent_count / 64u + 1, uint64_t);
    for (uint32_t i = 0; i < strike->agent_count; i++)
        set[strike->agents[i] >> 6] |= UINT64_C(1) << (strike->agents[i] & 63);
    return set_text(arena, b, set);
}

const char *strike_text(struct arena *arena, const struct blueprint *blueprint,
                        const struct strike *strike)
{
    const struct blueprint_fault *fault = &blueprint->faults[strike->fault];
    const struct strike_cut *cuts = strike->cuts;
    if (strike->aimed && !strike->agent_count && !strike->cut_count)
        return "nobody";
    if (strike->agent_count)
        return agents_text(arena, blueprint, strike);
    if (!strike->cut_count || fault->shape == SHAPE_EVERY ||
        (fault->set_count && fault->sets[0].pick == PICK_MAJORITIES_RING))
        return fault->target;
    const char *text = set_text(arena, blueprint, cuts[0].from);
    if (fault->shape == SHAPE_AROUND)
        return text;
    if (fault->shape != SHAPE_BETWEEN)
        return arena_format(arena, "%s %s %s", text, fault->shape == SHAPE_ONE_WAY ? "->" : "|",
                            set_text(arena, blueprint, cuts[0].to));
    for (uint32_t i = 1; i < strike->cut_count; i++)
        text = arena_format(arena, "%s %s %s", text, fault->what == FAULT_PARTITION ? "|" : "<->",
                            set_text(arena, blueprint, cuts[i].from));
    return text;
}
