/* Who keeps a key, who answers, and so whom a coordinator asks. */
#include "models/replicated_leaderless.h"

/* ---- who keeps a key ---- */

uint32_t quorum_replicas(const struct group *group)
{
    uint64_t replicas = group->config->replicas;
    return replicas && replicas < group->count ? (uint32_t)replicas : group->count;
}

uint32_t quorum_first(const struct group *group, uint64_t key)
{
    return (uint32_t)(random_mix(random_mix(key)) % group->count);
}

uint32_t quorum_nth(const struct group *group, uint64_t key, uint32_t n)
{
    return (quorum_first(group, key) + n) % group->count;
}

uint64_t quorum_homes(const struct group *group, uint64_t key)
{
    uint64_t homes = 0;
    for (uint32_t i = 0; i < quorum_replicas(group); i++)
        homes |= quorum_bit(quorum_nth(group, key, i));
    return homes;
}

bool quorum_keeps(const struct replica *r, uint64_t key)
{
    return quorum_homes(r->group, key) >> r->number & 1;
}

/* ---- who answers ---- */

int64_t quorum_timeout(const struct replica *r)
{
    enum { OTHERWISE_NS = 500000000 };
    int64_t ns = r->group->config->quorum_timeout;
    return ns > 0 ? ns : OTHERWISE_NS;
}

void quorum_suspect(struct replica *r, uint32_t member)
{
    struct quorum_memory *memory = quorum_memory(r);
    if (member == r->number)
        return;
    memory->suspected |= quorum_bit(member);
    memory->suspected_ns[member] = clock_steady(r->agent);
}

void quorum_trust(struct replica *r, uint32_t member)
{
    quorum_memory(r)->suspected &= ~quorum_bit(member);
}

bool quorum_suspects(const struct replica *r, uint32_t member)
{
    const struct quorum_memory *memory = quorum_memory(r);
    int64_t handoff = r->group->config->handoff;
    int64_t lasts_ns = handoff > 0 ? handoff : 10 * quorum_timeout(r);
    return memory->suspected >> member & 1 &&
           clock_steady(r->agent) - memory->suspected_ns[member] < lasts_ns;
}

uint64_t quorum_targets(const struct replica *r, uint64_t key)
{
    const struct group *group = r->group;
    uint64_t to = 0;
    uint32_t count = 0, replicas = quorum_replicas(group);
    if (!group->config->sloppy)
        return quorum_homes(group, key);
    for (int suspected = 0; suspected < 2; suspected++)
        for (uint32_t i = 0; i < group->count && count < replicas; i++) {
            uint32_t member = quorum_nth(group, key, i);
            if (quorum_suspects(r, member) == suspected) {
                to |= quorum_bit(member);
                count++;
            }
        }
    return to;
}
