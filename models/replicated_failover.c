/* Who leads a single-leader store: signs of life, suspicion, votes, promotion, and what becomes of
 * the one before.
 *
 *     follows --no sign of life for too long--> suspects --(its turn)--> asks --a majority--.
 *        ^                                                                                  v
 *        `---- a higher term ---- leads <--all it has received is written-- catches up <----'
 *
 * Every heartbeat the leader sends a message to all others (with what is new of its log, if
 * anything). `pings: queued` sends it only when the machine's queue has let it through, and counts
 * it from when it was to be sent, so that a busy leader looks like a dead one. A member that
 * suspects asks the others, in the order of the members, half a heartbeat apart; whoever has heard
 * the leader within half of the limit says no, and under `most_recent` whoever has a longer log
 * does too, and asks itself. In a pair, and under `on_partition: accept`, nobody else need agree.
 * Fencing shuts the old leader off at the moment of the promotion by a way of its own that no
 * partition cuts (a power switch, a lock on the storage); without it the old one goes on until a
 * message of the higher term reaches it. */
#include "engine/kernel/arithmetic.h"
#include "models/replicated_leader.h"

static inline const struct replicated_config *config_of(const struct replica *r)
{
    return r->group->config;
}

static bool is_on(const struct replica *r)
{
    return config_of(r)->failover == REPLICATED_FAILOVER;
}

/* The leader falls silent: after so long (ns of the steady clock) it is taken for dead. */
static int64_t limit_ns(const struct replica *r)
{
    const struct replicated_config *config = config_of(r);
    if (config->detector == REPLICATED_TIMEOUT)
        return config->timeout;
    double ns =
        running_interval_limit_ns(&memory_of(r)->intervals, (enum interval_law)config->phi_law,
                                  config->phi, (double)config->heartbeat);
    return (int64_t)(ns + 0.5);
}

/* ---- detection ---- */

static void arm(struct replica *r)
{
    struct leader_memory *memory = memory_of(r);
    int64_t now = clock_steady(r->agent), due = memory->heard_ns + limit_ns(r);
    if (memory->armed_ns && memory->armed_ns <= due && memory->armed_ns >= now)
        return; /* it looks before that, and again then */
    memory->armed_ns = due > now ? due : now;
    timer_after(r->agent, memory->armed_ns - now, TICK_DETECT, 0);
}

void failover_beat(struct replica *r, int64_t waited_ns)
{
    struct leader_memory *memory = memory_of(r);
    int64_t heard_ns = clock_steady(r->agent) - waited_ns;
    if (heard_ns <= memory->heard_ns)
        return;
    if (memory->beat_term == state_of(r)->term)
        running_interval_add(&memory->intervals, heard_ns - memory->heard_ns);
    memory->beat_term = state_of(r)->term; /* the first of a leader tells of no interval */
    memory->heard_ns = heard_ns;
    memory->suspects = memory->suspects && is_on(r) && waited_ns >= limit_ns(r);
    if (is_on(r))
        arm(r);
}

/* Half a heartbeat for every member in front of it that may want to lead too. */
static int64_t turn_ns(const struct replica *r)
{
    uint32_t before = r->number - (leader_of(r) < r->number);
    return before * (config_of(r)->heartbeat / 2);
}

static uint32_t votes_needed(const struct replica *r)
{
    uint32_t count = r->group->count;
    return count <= 2 || config_of(r)->on_partition == REPLICATED_ACCEPTS ? 1 : count / 2 + 1;
}

static void suspect(struct replica *r)
{
    struct leader_memory *memory = memory_of(r);
    memory->suspects = true;
    if (config_of(r)->promotion == REPLICATED_MANUAL)
        return;
    PROBE(r->group->simulation, suspect, r->agent, replica_agent(r->group, leader_of(r)));
    int64_t wait_ns = votes_needed(r) == 1 ? 0 : turn_ns(r);
    timer_after(r->agent, wait_ns, TICK_ASK, state_of(r)->term);
}

static void look(struct replica *r)
{
    struct leader_memory *memory = memory_of(r);
    memory->armed_ns = 0;
    if (memory->role != ROLE_FOLLOWS || memory->suspects)
        return;
    if (clock_steady(r->agent) - memory->heard_ns >= limit_ns(r))
        suspect(r);
    else
        arm(r);
}

/* ---- votes ---- */

static struct version_order last_order(const struct replica *r)
{
    const struct log *log = &state_of(r)->log;
    if (log->last < log->first) /* all it has everybody has */
        return (struct version_order){0, log->last};
    struct version_order order = version_at(&r->group->versions, log_at(log, log->last))->order;
    return (struct version_order){order.high, log->last};
}

static void promote(struct replica *r)
{
    struct group *group = r->group;
    struct leader_memory *memory = memory_of(r);
    for (uint32_t i = 0; config_of(r)->fencing && i < group->count; i++) {
        struct replica *other = group->replicas[i];
        if (other != r && memory_of(other)->role == ROLE_LEADS) {
            memory_of(other)->role = ROLE_FOLLOWS;
            leader_ends(other);
        }
    }
    memory->role = ROLE_CATCHES_UP;
    if (state_of(r)->applied == state_of(r)->log.last)
        failover_caught_up(r);
    else
        leader_write_next(r);
}

static void ask(struct replica *r)
{
    struct leader_memory *memory = memory_of(r);
    struct leader_state *state = state_of(r);
    struct version_order order = last_order(r);
    memory->role = ROLE_ASKS;
    state->led = false;
    state->voted = ++state->term;
    memory->votes = 1;
    if (memory->votes >= votes_needed(r)) {
        promote(r);
        return;
    }
    for (uint32_t i = 0; i < r->group->count; i++) {
        if (i == r->number)
            continue;
        struct call *m = leader_post(r, i, PEER_ASK, 0);
        *peer_first(m) = order.high;
        *peer_last(m) = order.low;
    }
    timer_after(r->agent, limit_ns(r) / 2 + turn_ns(r), TICK_ASK,
                state_of(r)->term); /* if too few answer */
}

void failover_asked(struct replica *r, struct call *c)
{
    struct leader_memory *memory = memory_of(r);
    struct leader_state *state = state_of(r);
    const struct replicated_config *config = config_of(r);
    uint32_t from = c->from - r->group->first, term = *peer_term(c);
    struct version_order theirs = {*peer_first(c), *peer_last(c)};
    call_free(c, r->agent);
    bool free = term > state->term && term > state->voted && !state->away;
    bool quiet = memory->suspects || memory->role == ROLE_ASKS ||
                 clock_steady(r->agent) - memory->heard_ns >= limit_ns(r) / 2;
    if (!free || leads(r) || !quiet)
        return;
    bool behind =
        config->promotion == REPLICATED_MOST_RECENT && version_compare(theirs, last_order(r)) < 0;
    if (behind) {
        state->term = term; /* it asks itself, in a later one */
        memory->role = ROLE_FOLLOWS;
        memory->suspects = true;
        timer_after(r->agent, 0, TICK_ASK, state_of(r)->term);
        return;
    }
    state->term = state->voted = term;
    memory->role = ROLE_FOLLOWS;
    memory->suspects = true; /* until the new one is heard */
    timer_after(r->agent, limit_ns(r) + turn_ns(r), TICK_ASK,
                state_of(r)->term); /* or if it never is */
    leader_post(r, from, PEER_VOTE, 0);
}

void failover_voted(struct replica *r, struct call *c)
{
    struct leader_memory *memory = memory_of(r);
    uint32_t term = *peer_term(c);
    call_free(c, r->agent);
    if (memory->role == ROLE_ASKS && term == state_of(r)->term &&
        ++memory->votes == votes_needed(r))
        promote(r);
}

void failover_caught_up(struct replica *r)
{
    struct group *group = r->group;
    struct leader_memory *memory = memory_of(r);
    if (memory->role != ROLE_CATCHES_UP)
        return;
    memory->role = ROLE_LEADS;
    memory->suspects = false;
    state_of(r)->led = true;
    state_of(r)->joined = state_of(r)->term;
    group->views[r->agent->index] = r->number;
    group->leader = r->number;
    group->leader_term = state_of(r)->term;
    group->known_ns = simulation_now(group->simulation);
    leader_begins(r);
}

/* ---- terms ---- */

/* Whoever thinks that it leads in an older term is told of the present one. */
static void tell_term(struct replica *r, uint32_t number)
{
    *peer_last(leader_post(r, number, PEER_CONFIRM, 0)) = 0;
}

bool failover_hears(struct replica *r, uint32_t from, uint32_t term, bool from_leader)
{
    struct leader_memory *memory = memory_of(r);
    struct leader_state *state = state_of(r);
    if (state->away)
        return false;
    if (term < state->term || (term == state->term && from_leader && memory->role == ROLE_LEADS &&
                               from > r->number)) { /* two of one term: the first stays */
        if (from_leader)
            tell_term(r, from);
        return false;
    }
    bool deposed = memory->role == ROLE_LEADS && (term > state->term || from_leader);
    if (term > state->term || from_leader) {
        state->term = term;
        state->led = false;
        if (memory->role == ROLE_LEADS || from_leader || memory->role == ROLE_CATCHES_UP)
            memory->role = ROLE_FOLLOWS;
        if (deposed) {
            leader_ends(r);
            state->away = config_of(r)->comes_back == REPLICATED_STAYS_AWAY;
            memory->suspects = true;
        }
    }
    if (!from_leader || state->away)
        return !state->away;
    r->group->views[r->agent->index] = from;
    return true;
}

/* ---- what is allowed ---- */

bool failover_serves(const struct replica *r)
{
    return !state_of(r)->away &&
           (config_of(r)->on_partition != REPLICATED_REFUSES || !memory_of(r)->suspects);
}

/* ---- beginning ---- */

void failover_start(struct replica *r)
{
    struct leader_memory *memory = memory_of(r);
    struct leader_state *state = state_of(r);
    bool first = leader_of(r) == r->number && (!state->opened || !is_on(r));
    memory->heard_ns = clock_steady(r->agent);
    memory->role = state->away ? ROLE_AWAY : ROLE_FOLLOWS;
    /* Two guesses until it has seen some (as Akka's detector begins). */
    running_interval_add(&memory->intervals, config_of(r)->heartbeat - config_of(r)->heartbeat / 4);
    running_interval_add(&memory->intervals, config_of(r)->heartbeat + config_of(r)->heartbeat / 4);
    if (first) {
        memory->role = ROLE_LEADS;
        state->led = true;
        leader_begins(r);
    } else if (!state->away) {
        state->led = false;
        if (is_on(r))
            arm(r);
        leader_write_next(r);
    }
}

void failover_tick(struct replica *r, enum leader_tick tag, uint64_t term)
{
    const struct leader_memory *memory = memory_of(r);
    if (state_of(r)->away)
        return;
    if (tag == TICK_DETECT)
        look(r);
    else if (term != state_of(r)->term)
        return; /* it was set for an older one */
    else if (memory->role == ROLE_ASKS || (memory->role == ROLE_FOLLOWS && memory->suspects))
        ask(r);
}
