/* Strikes: when the faults of a blueprint happen in one replication, and whom they hit. All of it
 * is drawn before the run starts, from two streams of (seed, replication, name of the fault) - one
 * for times, one for targets - so that adding a fault moves no other one, and a change of whom a
 * fault hits does not move when. What a strike does is fault.h's affair.
 *
 *     uint32_t count;
 *     struct strike *strikes = strikes_draw(&blueprint, seed, replication, &arena, &count);
 */
#ifndef ORRERY_KERNEL_STRIKE_H
#define ORRERY_KERNEL_STRIKE_H

#include "engine/kernel/arena.h"
#include "engine/kernel/blueprint.h"

#include <stdbool.h>
#include <stdint.h>

/* Messages from any agent of `from` to any of `to`: two bit sets over all agents. */
struct strike_cut {
    const uint64_t *from, *to;
};

struct strike {
    uint32_t fault;                /* index in blueprint.faults */
    bool aims, aimed;              /* it hits roles: whom is known once it is aimed */
    int64_t begin, end;            /* ns, half-open, begin <= end; end INT64_MAX: to the end */
    const uint32_t *agents;        /* whom it hits: of faults of places, clients and nodes */
    uint32_t agent_count;          /* 0 for faults of links */
    const struct strike_cut *cuts; /* which messages: of faults of links */
    uint32_t cut_count;            /* 0 for the others */
};

/* All strikes that begin before `duration` + `drain`, by begin, then by place in the file. Faults
 * go on through the drain as before, since the requests of the window that end there must see the
 * same world; what has begun ends at its own end. */
struct strike *strikes_draw(const struct blueprint *blueprint, uint64_t seed, uint64_t replication,
                            struct arena *arena, uint32_t *count);

/* Finds out whom a strike hits that `aims` at roles, when it begins: `leads` tells of a member of a
 * group (agent). Who leads stands on the side that names it so, and on no other. */
void strike_aim(struct strike *strike, const struct blueprint *blueprint, struct arena *arena,
                bool (*leads)(void *context, uint32_t agent), void *context);

static inline bool strike_bit(const uint64_t *set, uint32_t agent)
{
    return set[agent >> 6] >> (agent & 63) & 1;
}

/* Whether a strike on links concerns messages from one agent to the other. */
static inline bool strike_meets(const struct strike *strike, uint32_t from, uint32_t to)
{
    for (uint32_t i = 0; i < strike->cut_count; i++)
        if (strike_bit(strike->cuts[i].from, from) && strike_bit(strike->cuts[i].to, to))
            return true;
    return false;
}

#endif
