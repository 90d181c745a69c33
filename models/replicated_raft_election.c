/* Raft: terms and votes (3.4, 3.6.1, 9.6). A member that hears no leader for its election timeout,
 * drawn anew each time from its stream `policy`, asks the others; whoever has heard the leader
 * within the least timeout says no (4.2.3). With `pre_vote` it asks first whether they would, in no
 * term of its own. Ties: none, votes are counted as they come. */
#include "models/replicated_raft.h"

static int64_t steady(const struct replica *r)
{
    return clock_steady(r->agent);
}

/* ---- the timeout ---- */

static void arm(struct replica *r)
{
    struct raft_memory *memory = raft_memory(r);
    int64_t now = steady(r), due = memory->heard_ns + memory->election_ns;
    if (memory->armed_ns && memory->armed_ns <= due && memory->armed_ns >= now)
        return; /* it looks before that, and again then */
    memory->armed_ns = due > now ? due : now;
    timer_after(r->agent, memory->armed_ns - now, RAFT_TICK_ELECT, 0);
}

static void wait_anew(struct replica *r)
{
    struct raft_memory *memory = raft_memory(r);
    const struct replicated_config *config = raft_config(r);
    uint64_t range = (uint64_t)(config->election_max - config->election_min);
    memory->heard_ns = steady(r);
    memory->election_ns =
        config->election_min +
        (int64_t)(range ? stream_below(agent_stream(r->agent, STREAM_POLICY), range) : 0);
    arm(r);
}

/* ---- asking ---- */

static struct version_order last_order(const struct replica *r)
{
    const struct log *log = &raft_state(r)->log;
    if (log->last < log->first) /* all it has everybody has */
        return (struct version_order){0, log->last};
    return version_at(&r->group->versions, log_at(log, log->last))->order;
}

static void win(struct replica *r)
{
    struct raft_memory *memory = raft_memory(r);
    memory->role = RAFT_LEADS;
    memory->leader = r->number + 1;
    memory->leader_ns = memory->beat_ns = steady(r);
    raft_begins(r);
}

static void ask(struct replica *r, bool first)
{
    struct raft_memory *memory = raft_memory(r);
    struct raft_state *state = raft_state(r);
    struct version_order order = last_order(r);
    memory->role = first ? RAFT_SOUNDS : RAFT_STANDS;
    memory->votes = UINT64_C(1) << r->number;
    if (!first) {
        state->term++;
        state->voted = r->number + 1;
        memory->leader = 0;
    }
    if (r->group->count == 1) {
        win(r);
        return;
    }
    for (uint32_t i = 0; i < r->group->count; i++) {
        if (i == r->number)
            continue;
        struct call *m = raft_post(r, i, first ? RAFT_ASK_FIRST : RAFT_ASK, 0);
        *raft_term(m) = state->term + first;
        *raft_first(m) = order.high;
        *raft_last(m) = order.low;
    }
}

void raft_election_tick(struct replica *r)
{
    struct raft_memory *memory = raft_memory(r);
    memory->armed_ns = 0;
    if (memory->role == RAFT_LEADS)
        return;
    if (steady(r) - memory->heard_ns < memory->election_ns) {
        arm(r);
        return;
    }
    if (memory->leader)
        PROBE(r->group->simulation, suspect, r->agent, replica_agent(r->group, memory->leader - 1));
    memory->leader = 0;
    wait_anew(r);
    ask(r, raft_config(r)->pre_vote);
}

/* ---- answering ---- */

void raft_asked(struct replica *r, struct call *c, bool first)
{
    struct raft_memory *memory = raft_memory(r);
    struct raft_state *state = raft_state(r);
    uint32_t from = c->from - r->group->first, term = *raft_term(c);
    struct version_order theirs = {*raft_first(c), *raft_last(c)};
    call_free(c, r->agent);
    bool led = raft_leads(r) || steady(r) - memory->leader_ns < raft_config(r)->election_min;
    if (led || term < state->term)
        return;
    if (!first && !raft_hears(r, term))
        return;
    bool free = first ? term > state->term : !state->voted || state->voted == from + 1;
    if (!free || version_compare(theirs, last_order(r)) < 0)
        return;
    if (!first) {
        state->voted = from + 1;
        wait_anew(r);
    }
    *raft_term(raft_post(r, from, first ? RAFT_WOULD : RAFT_VOTE, 0)) = term;
}

void raft_voted(struct replica *r, struct call *c, bool first)
{
    struct raft_memory *memory = raft_memory(r);
    uint32_t from = c->from - r->group->first, term = *raft_term(c);
    call_free(c, r->agent);
    enum raft_role asks = first ? RAFT_SOUNDS : RAFT_STANDS;
    if (memory->role != asks || term != raft_state(r)->term + first)
        return;
    memory->votes |= UINT64_C(1) << from;
    if ((uint32_t)__builtin_popcountll(memory->votes) < raft_majority(r))
        return;
    if (first)
        ask(r, false);
    else
        win(r);
}

/* ---- following ---- */

void raft_steps_down(struct replica *r)
{
    struct raft_memory *memory = raft_memory(r);
    bool led = memory->role == RAFT_LEADS;
    memory->role = RAFT_FOLLOWS;
    memory->leader = 0;
    memory->agreed = 0;
    if (!led)
        return;
    raft_ends(r);
    wait_anew(r);
}

bool raft_hears(struct replica *r, uint32_t term)
{
    struct raft_state *state = raft_state(r);
    if (term < state->term)
        return false;
    if (term == state->term)
        return true;
    state->term = term;
    state->voted = 0;
    raft_steps_down(r);
    return true;
}

void raft_follows(struct replica *r, uint32_t leader)
{
    struct raft_memory *memory = raft_memory(r);
    if (memory->role != RAFT_FOLLOWS || memory->leader != leader + 1) {
        memory->agreed = 0;
        memory->answer_ns = 0; /* another leader, another clock */
    }
    memory->role = RAFT_FOLLOWS;
    memory->leader = leader + 1;
    wait_anew(r);
    memory->leader_ns = memory->heard_ns;
}

/* At time 0 the first member, or the one that is said to, leads in term 1. */
void raft_election_start(struct replica *r)
{
    struct raft_memory *memory = raft_memory(r);
    struct raft_state *state = raft_state(r);
    bool opened = state->opened;
    state->opened = true;
    if (!opened && r->group->leader == r->number) {
        state->voted = r->number + 1;
        win(r);
        return;
    }
    if (!opened)
        memory->leader = r->group->leader + 1;
    wait_anew(r);
    memory->leader_ns = memory->heard_ns; /* it may have heard one just before it went down */
}
