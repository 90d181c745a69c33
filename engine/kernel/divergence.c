/* Where requests pile up when there are too many of them. A request that a client sent to a
 * balancer that sent it to a server is three calls; it is where the last of them is, the one that
 * waits for no child. */
#include "engine/kernel/mechanism.h"

#include <inttypes.h>
#include <stdlib.h>

enum where { AT, TO, FROM, LOST, WHERES };

/* Whether a live child of each call is on its way or at work: [pool_used]; owned by the caller. */
static bool *parents_find(const struct simulation *s)
{
    bool *waits = calloc(s->pool_used, sizeof *waits);
    if (!waits)
        check_machine("out of memory");
    for (uint32_t i = 1; i < s->pool_used; i++) {
        const struct call *c = call_at(s, i);
        const struct call *parent = c->state == CALL_FREE ? NULL : call_parent(s, c);
        if (parent && parent->state != CALL_FREE)
            waits[c->parent] = true;
    }
    return waits;
}

static enum where where_is(const struct call *c)
{
    switch (c->state) {
    case CALL_FLIGHT:
        return TO;
    case CALL_BACK:
        return FROM;
    case CALL_LOST:
        return LOST;
    default:
        return AT;
    }
}

/* Calls by where they are: [agent x WHERES]; owned by the caller. */
static uint64_t *piles_count(const struct simulation *s)
{
    uint64_t *piles = calloc((size_t)s->agent_count * WHERES, sizeof *piles);
    bool *waits = parents_find(s);
    if (!piles)
        check_machine("out of memory");
    for (uint32_t i = 1; i < s->pool_used; i++) {
        const struct call *c = call_at(s, i);
        if (c->state != CALL_FREE && !waits[i])
            piles[(size_t)c->agent * WHERES + where_is(c)]++;
    }
    free(waits);
    return piles;
}

/* The largest pile of one node's instances together; its name is an instance's where that one alone
 * has most of it. */
struct pile {
    uint64_t count;
    const struct agent *agent;
    enum where where;
    bool one;
};

static struct pile pile_largest(const struct simulation *s, const uint64_t *piles)
{
    struct pile largest = {.agent = &s->agents[0]};
    for (uint32_t first = 0, end; first < s->agent_count; first = end) {
        for (end = first; end < s->agent_count && s->agents[end].node == s->agents[first].node;)
            end++;
        for (int w = 0; w < WHERES; w++) {
            uint64_t sum = 0, most = 0;
            uint32_t at = first;
            for (uint32_t i = first; i < end; i++) {
                uint64_t count = piles[(size_t)i * WHERES + (size_t)w];
                sum += count;
                if (count > most) {
                    most = count;
                    at = i;
                }
            }
            if (sum > largest.count)
                largest = (struct pile){.count = sum,
                                        .agent = &s->agents[at],
                                        .where = (enum where)w,
                                        .one = 2 * most > sum};
        }
    }
    return largest;
}

const char *simulation_divergence(struct simulation *s)
{
    static const char *const texts[WHERES] = {[AT] = "at ",
                                              [TO] = "on the way to ",
                                              [FROM] = "on the way back from ",
                                              [LOST] = "among messages lost on the way to "};
    uint64_t *piles = piles_count(s);
    struct pile pile = pile_largest(s, piles);
    free(piles);
    bool unsent = pile.where == AT && pile.agent->kind->flags & KIND_CLIENT;
    return arena_format(&s->arena,
                        "%" PRIu32 " requests alive at t = %" PRId64 ".%03" PRId64
                        " s, growing %s%s%s: this design is unstable",
                        s->live, s->queue.now / 1000000000, s->queue.now / 1000000 % 1000,
                        texts[pile.where], pile.one ? pile.agent->name : pile.agent->node_name,
                        unsent ? " before they are sent (to their session, or again)" : "");
}
