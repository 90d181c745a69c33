/* The faults of a point, for `orrery validate`: what was written, whom it means, and when it
 * strikes first in replication 1. */
#include "engine/kernel/strike.h"
#include "engine/scenario/unit.h"
#include "engine/scenario/validate.h"

#include <inttypes.h>

enum { SHOWN_STRIKES = 3, SHOWN_MEMBERS = 8, NAME_COLUMN = 18 };

static void print_agent(FILE *out, const struct blueprint *b, uint32_t agent)
{
    uint32_t n = 0;
    while (agent - b->nodes[n].first >= b->nodes[n].count)
        n++;
    fprintf(out, " %s", b->nodes[n].name);
    if (b->nodes[n].count > 1)
        fprintf(out, ".%" PRIu32, agent - b->nodes[n].first + 1);
}

static void print_agents(FILE *out, const struct blueprint *b, const uint32_t *agents,
                         uint32_t count)
{
    for (uint32_t i = 0; i < count && i < SHOWN_MEMBERS; i++)
        print_agent(out, b, agents[i]);
    if (count > SHOWN_MEMBERS)
        fprintf(out, " and %" PRIu32 " more", count - SHOWN_MEMBERS);
    if (!count)
        fputs(" nobody", out);
}

static void print_bits(FILE *out, const struct blueprint *b, const uint64_t *bits)
{
    uint32_t shown[SHOWN_MEMBERS] = {0}, count = 0;
    for (uint32_t i = 0; i < b->agent_count; i++)
        if (strike_bit(bits, i) && count++ < SHOWN_MEMBERS)
            shown[count - 1] = i;
    print_agents(out, b, shown, count < SHOWN_MEMBERS ? count : SHOWN_MEMBERS);
    if (count > SHOWN_MEMBERS)
        fprintf(out, " and %" PRIu32 " more", count - SHOWN_MEMBERS);
}

/* Whom one strike hits: a set, or messages from some to others. */
static void print_hit(FILE *out, const struct blueprint *b, const struct strike *strike)
{
    if (!strike->cut_count) {
        print_agents(out, b, strike->agents, strike->agent_count);
        return;
    }
    for (uint32_t i = 0; i < strike->cut_count && i < SHOWN_MEMBERS; i++) {
        fputs(i ? "," : " messages of", out);
        print_bits(out, b, strike->cuts[i].from);
        fputs(" to", out);
        print_bits(out, b, strike->cuts[i].to);
    }
    if (strike->cut_count > SHOWN_MEMBERS)
        fputs(" ...", out);
}

/* `before`: the strike of the same fault that was told last, or NULL; whom it hit is not said
 * again.
 */
static void print_strike(FILE *out, const struct blueprint *b, const struct strike *strike,
                         const struct strike *before)
{
    char begin[UNIT_TEXT_SIZE], end[UNIT_TEXT_SIZE];
    fprintf(out, "    %s", unit_format_time(strike->begin, begin));
    if (strike->end == INT64_MAX)
        fputs(" to the end", out);
    else if (strike->end > strike->begin)
        fprintf(out, " .. %s", unit_format_time(strike->end, end));
    if (!before || strike->agents != before->agents || strike->cuts != before->cuts) {
        fputc(':', out);
        print_hit(out, b, strike);
    }
    fputc('\n', out);
}

void validate_faults(const struct blueprint *blueprint, uint64_t seed, FILE *out)
{
    struct arena arena = {0};
    uint32_t count;
    if (!blueprint->fault_count)
        return;
    const struct strike *strikes = strikes_draw(blueprint, seed, 1, &arena, &count);
    fputs("\nfaults, each with its first strikes in replication 1\n", out);
    for (uint32_t f = 0; f < blueprint->fault_count; f++) {
        const struct blueprint_fault *fault = &blueprint->faults[f];
        const struct strike *before = NULL;
        uint32_t strikes_of = 0;
        fprintf(out, "  %-*s %s %s%s%s\n", NAME_COLUMN, fault->name, fault->action, fault->target,
                *fault->amount ? " by " : "", fault->amount);
        for (uint32_t i = 0; i < count; i++)
            if (strikes[i].fault == f && strikes_of++ < SHOWN_STRIKES) {
                print_strike(out, blueprint, &strikes[i], before);
                before = &strikes[i];
            }
        if (strikes_of > SHOWN_STRIKES)
            fprintf(out, "    and %" PRIu32 " more\n", strikes_of - SHOWN_STRIKES);
        if (!strikes_of)
            fputs("    never: the run is over before\n", out);
    }
    arena_free(&arena);
}
