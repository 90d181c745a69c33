/* No leader (Dynamo): whichever member a caller asks coordinates the operation and asks the members
 * that keep its key; enough answers make a quorum.
 *
 *     write --> coordinator: version (stamp or vector) --> the N members that keep the key: work
 *               W have answered: ok, the others are waited for without the caller
 *     read  --> coordinator --> the N members: work, what they hold
 *               R have answered: merged, answered; who was behind is repaired (before or after)
 *     update, cas: a read, then a write of what has seen it; nothing forbids another in between
 *
 * N members in a row from the hash of the key keep it. Under `siblings` a member that does not keep
 * the key sends a write on to one that does; that one writes it itself first and sends the others
 * all it holds of the key (4.4). A member that does not answer within the timeout is suspected for
 * a while; a sloppy quorum asks the next members in its place, who hold what they are given until
 * they can hand it over (4.6). What the quorum did without, the coordinator keeps as a hint, where
 * there is a handoff. A message to the coordinator's own copy takes no time and waits for its
 * machine like any. Left out: digests instead of values in reads, members that come and go. */
#include "models/replicated_leaderless.h"

static void peer_worked(struct replica *r, struct call *c)
{
    uint32_t bytes = 0;
    if (c->wake == WAKE_JOINED && c->verb == QUORUM_READ) {
        c->version = registers_get(&r->registers, c->key);
        bytes = conflict_bytes(r->group, (version_handle)c->version);
    } else if (c->wake == WAKE_JOINED) {
        conflict_take(r, (version_handle)c->version);
        if (c->verb == QUORUM_HINT)
            repair_hint(r, c->session, (version_handle)c->version);
    }
    c->verb = REASON_NONE;
    call_reply(c, r->agent, c->wake == WAKE_JOINED ? STATUS_OK : STATUS_FAIL, bytes);
}

static void arrived(struct replica *r, struct call *c)
{
    bool peer = replica_is_peer(r, c->from);
    if (peer)
        quorum_trust(r, c->from - r->group->first);
    if (!peer || c->verb == QUORUM_FORWARD) {
        quorum_begin(r, c);
    } else if (c->verb == QUORUM_TREE) {
        repair_asked(r, c);
    } else {
        quorum_frame(c)->base.stage = QUORUM_PEER_WORKS;
        replica_work(r, c, c->verb == QUORUM_READ ? STORE_WORK_READ : STORE_WORK_WRITE);
    }
}

static bool is_operation(struct call *c)
{
    return quorum_frame(c)->base.stage <= QUORUM_WRITES_REST;
}

static void leaderless_step(struct agent *agent, struct call *c)
{
    struct replica *r = replica_of(agent);
    if (c->wake == WAKE_ARRIVED)
        arrived(r, c);
    else if (c->wake == WAKE_CANCELLED)
        replica_reply(r, c, STATUS_INFO);
    else if (is_operation(c))
        quorum_woken(r, c);
    else if (quorum_frame(c)->base.stage == QUORUM_PEER_WORKS)
        peer_worked(r, c);
    else
        repair_step(r, c);
}

static void leaderless_settle(struct agent *agent, struct call *parent, struct call *child)
{
    struct replica *r = replica_of(agent);
    bool peer = replica_is_peer(r, child->agent);
    if (peer && child->status == STATUS_OK)
        quorum_trust(r, child->agent - r->group->first);
    if (!parent || !peer)
        return; /* late; or its machine, whose work says all */
    if (is_operation(parent))
        quorum_settled(r, parent, child);
    else
        repair_settle(r, parent, child);
}

static void leaderless_start(struct agent *agent)
{
    struct replica *r = replica_of(agent);
    struct quorum_state *state = quorum_state(r);
    if (!state->opened) {
        for (uint32_t i = 0; i < r->group->count; i++)
            registers_init(&state->hints[i], &agent->simulation->arena);
        registers_init(&state->mirror, &agent->simulation->arena);
    }
    state->opened = true;
    repair_start(r);
}

static void leaderless_tick(struct agent *agent, uint32_t tag, uint64_t argument)
{
    (void)argument;
    repair_tick(replica_of(agent), (enum quorum_tick)tag);
}

/* ---- at the caller ---- */

static uint32_t leaderless_route(struct agent *caller, struct group *group, const struct call *c)
{
    const struct replicated_config *config = replica_agent(group, 0)->configs[c->operation];
    conflict_sent(group, caller, c);
    switch ((enum quorum_coordinator)config->coordinator) {
    case QUORUM_NEAREST:
        return replicated_nearest(caller, group);
    case QUORUM_OWNER:
        return quorum_first(group, c->key);
    case QUORUM_ANY:
        break;
    }
    return (uint32_t)stream_below(agent_stream(caller, STREAM_PICK), group->count);
}

static void leaderless_keep(struct group *group)
{
    replicated_keep_known(group);
    repair_keep(group);
    conflict_keep(group);
}

static double leaderless_copies(const struct replicated_config *config, enum operation_type type)
{
    (void)type;
    return config->replicas ? (double)config->replicas : config->members.count;
}

const struct replicated_mode replicated_leaderless = {
    .state_size = sizeof(struct quorum_state),
    .memory_size = sizeof(struct quorum_memory),
    .frame_size = sizeof(struct quorum_frame),
    .vector = 1,
    .start = leaderless_start,
    .step = leaderless_step,
    .settle = leaderless_settle,
    .tick = leaderless_tick,
    .finish = conflict_finish,
    .route = leaderless_route,
    .keep = leaderless_keep,
    .copies = leaderless_copies,
};
