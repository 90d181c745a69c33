/* Single leader: one member takes all writes and sends its log to the others.
 *
 *     write --> leader: work, version (term, index), own log --ack: async--> answer
 *                 |  one message of what is new to every follower, at once
 *                 v
 *               follower: received in order -> written one by one by its machine -> held
 *                 |  tells the leader how far it has come
 *                 v
 *               leader: enough of them have it --ack: semi_sync, quorum, all--> answer
 *
 * Messages of the log are not awaited: what was not confirmed by the next tick (`retransmit`) is
 * sent once more, from the first entry that is missing. A follower keeps what came too early until
 * the gap is filled. Its machine writes the entries one after another, each with a work of its own:
 * the lag is that of one thread that applies. Semi-sync waits for one follower, the first that
 * keeps up; another takes its place when it has not confirmed anything for a tick. What the leader
 * has sent to all and all have confirmed is final, and the logs are trimmed to it.
 *
 * The place of a write in the order of versions is (term, index). Ties: none, the log decides. */
#include "models/replicated_leader.h"

static bool is_write(const struct replica *r, const struct call *c)
{
    return store_writes(store_type(r->agent, c));
}

static void forward(struct replica *r, struct call *c)
{
    struct replica_frame *f = call_frame(c);
    f->stage = STAGE_FORWARDED;
    f->number = STATUS_FAIL;
    replica_tell(r, c, leader_of(r), PEER_FORWARD, caller_bytes(r->agent, c))->size = c->size;
    call_await(c, r->agent, 1, TIME_NONE);
}

/* Too far behind for `nearest(lag=..)`. */
static bool is_stale(const struct replica *r, const struct call *c)
{
    const struct replicated_config *config = r->agent->configs[c->operation];
    return config->reads == REPLICATED_READ_NEAREST && config->lag != TIME_NONE &&
           simulation_now(r->group->simulation) - memory_of(r)->fresh_ns > config->lag;
}

/* ---- promises to sessions ---- */

static uint64_t pin_name(const struct call *c)
{
    return random_mix((uint64_t)c->from << 32 | c->session);
}

/* From now on the session reads nothing that is not up to `index`. What a peer has sent on is the
 * peer's affair, which knows the caller. */
static void pin(struct replica *r, const struct call *c, uint64_t index)
{
    uint8_t session = r->group->config->session;
    enum replicated_session promise = is_write(r, c) ? REPLICATED_OWN_WRITES : REPLICATED_MONOTONIC;
    if ((session != promise && session != REPLICATED_BOTH) || replica_is_peer(r, c->from) || !index)
        return;
    if (index > registers_get(&r->group->pins, pin_name(c)))
        registers_set(&r->group->pins, pin_name(c), (uint32_t)index);
}

static bool is_unpinned(const struct replica *r, const struct call *c)
{
    return !r->group->config->session ||
           state_of(r)->applied >= registers_get(&r->group->pins, pin_name(c));
}

/* A caller that has come to the wrong member learns who leads, as far as this one knows. */
static void teach(struct replica *r, uint32_t caller)
{
    struct group *group = r->group;
    if (group->view_terms[caller] >= state_of(r)->term)
        return;
    group->views[caller] = leader_of(r);
    group->view_terms[caller] = state_of(r)->term;
}

static void begin(struct replica *r, struct call *c)
{
    struct replica_frame *f = call_frame(c);
    const struct replicated_config *config = r->agent->configs[c->operation];
    bool write = is_write(r, c), peer = replica_is_peer(r, c->from);
    bool here = leads(r) || (!write && config->reads != REPLICATED_READ_LEADER && !is_stale(r, c) &&
                             is_unpinned(r, c) && failover_serves(r));
    if (c->sent)
        call_round(c, r->agent);
    if (here) {
        f->stage = STAGE_WORKS;
        replica_work(r, c, store_work(store_type(r->agent, c)));
        return;
    }
    if (peer || leader_of(r) == r->number || memory_of(r)->suspects) {
        replica_reply(r, c, STATUS_FAIL); /* nobody is known to lead */
        return;
    }
    teach(r, c->from);
    forward(r, c);
}

/* The entry of a write that has come before, with its key, and is in this log; 0: there is none. */
static uint64_t entry_of(const struct replica *r, const struct call *c)
{
    const struct log *log = &state_of(r)->log;
    uint64_t index = c->traits & REQUEST_IDEMPOTENT ? registers_get(&r->group->known, c->op_id) : 0;
    bool here = index && index <= log->last &&
                (index < log->first ||
                 version_at(&r->group->versions, log_at(log, index))->op_id == c->op_id);
    return here ? index : 0;
}

static void write_done(struct replica *r, struct call *c)
{
    struct leader_state *state = state_of(r);
    if (entry_of(r, c)) { /* done already: answered as soon as all that is here may be */
        c->version = c->op_id;
        ((struct replica_frame *)call_frame(c))->stage = STAGE_WAITS;
        leader_wait(r, c, state->log.last);
        leader_answer(r);
        return;
    }
    version_handle held = registers_get(&r->registers, c->key);
    const struct version *present = held ? version_at(&r->group->versions, held) : NULL;
    if (store_type(r->agent, c) == OPERATION_CAS &&
        !store_matches(c, present ? present->op_id : 0)) {
        replica_serve(r, c);
        replica_reply(r, c, STATUS_FAIL);
        return;
    }
    struct version version = store_version(r->agent, c, present);
    /* Two may lead in one term where nobody has to agree: the number tells them apart. */
    version.order.high = (uint64_t)state->term << 16 | r->number;
    version.order.low = state->log.last + 1;
    version_handle made = replica_version(r, &version);
    PROBE(r->group->simulation, create, r->agent, c, &version);
    leader_apply(r, log_append(&state->log, made));
    if (c->traits & REQUEST_IDEMPOTENT)
        registers_set(&r->group->known, c->op_id, (uint32_t)state->log.last);
    pin(r, c, state->log.last);
    c->version = version.op_id;
    leader_ship(r);
    ((struct replica_frame *)call_frame(c))->stage = STAGE_WAITS;
    leader_wait(r, c, state->log.last);
    leader_answer(r);
}

static void worked(struct replica *r, struct call *c)
{
    if (c->wake != WAKE_JOINED) {
        replica_reply(r, c, STATUS_FAIL); /* the machine had no place for it */
    } else if (!is_write(r, c)) {
        replica_serve(r, c);
        pin(r, c, state_of(r)->applied);
        replica_reply(r, c, STATUS_OK);
    } else if (leads(r)) {
        write_done(r, c);
    } else {
        begin(r, c); /* deposed meanwhile */
    }
}

static void own_step(struct replica *r, struct call *c)
{
    const struct replica_frame *f = call_frame(c);
    if (f->stage == STAGE_WRITES) {
        leader_written(r, c);
        return;
    }
    int64_t waited_ns = simulation_now(r->group->simulation) - c->arrived_ns;
    call_free(c, r->agent);
    leader_pinged(r, waited_ns);
}

static void arrived(struct replica *r, struct call *c)
{
    bool peer = replica_is_peer(r, c->from);
    if (!peer || c->verb == PEER_FORWARD)
        begin(r, c);
    else if (c->verb == PEER_APPEND || c->verb == PEER_BEAT)
        leader_receive(r, c);
    else if (c->verb == PEER_CONFIRM)
        leader_confirmed(r, c);
    else if (c->verb == PEER_ASK)
        failover_asked(r, c);
    else
        failover_voted(r, c);
}

static void single_leader_step(struct agent *agent, struct call *c)
{
    struct replica *r = replica_of(agent);
    const struct replica_frame *f = call_frame(c);
    if (c->wake == WAKE_ARRIVED) {
        arrived(r, c);
    } else if (c->wake == WAKE_CANCELLED) {
        if (f->stage == STAGE_WAITS)
            leader_forget(r, c);
        replica_reply(r, c, STATUS_INFO);
    } else if (f->stage >= STAGE_WRITES) {
        own_step(r, c);
    } else if (f->stage == STAGE_FORWARDED) {
        pin(r, c, state_of(r->group->replicas[leader_of(r)])->log.last);
        replica_reply(r, c, c->wake == WAKE_JOINED ? STATUS_OK : (enum status)f->number);
    } else {
        worked(r, c);
    }
}

static void single_leader_settle(struct agent *agent, struct call *parent, struct call *child)
{
    (void)agent;
    struct replica_frame *f = parent ? call_frame(parent) : NULL;
    if (!f || f->stage != STAGE_FORWARDED)
        return;
    f->number = child->status;
    if (child->status == STATUS_OK)
        parent->version = child->version;
}

static void single_leader_start(struct agent *agent)
{
    struct replica *r = replica_of(agent);
    struct group *group = r->group;
    struct leader_state *state = state_of(r);
    memory_of(r)->followers = arena_array(&agent->place->memory, group->count, struct follower);
    if (!state->opened) {
        log_init(&state->log, &agent->simulation->arena);
        state->term = state->joined = state->voted = 1;
        group->leader = replicated_first_leader(group);
        group->leader_term = 1;
        for (uint32_t i = 0; agent->index == group->first && i < agent->simulation->agent_count;
             i++) {
            group->views[i] = group->leader;
            group->view_terms[i] = 1;
        }
    }
    failover_start(r);
    state->opened = true;
}

static void single_leader_tick(struct agent *agent, uint32_t tag, uint64_t argument)
{
    if (tag == TICK_SHIP)
        leader_tick(replica_of(agent));
    else if (tag == TICK_BATCH)
        leader_gathered(replica_of(agent));
    else
        failover_tick(replica_of(agent), (enum leader_tick)tag, argument);
}

/* ---- at the caller ---- */

static uint32_t single_leader_route(struct agent *caller, struct group *group, const struct call *c)
{
    uint32_t leader = replicated_view(group, caller);
    return store_writes(store_type(caller, c)) ? leader
                                               : replicated_reader(caller, group, c, leader);
}

static void single_leader_keep(struct group *group)
{
    for (uint32_t i = 0; i < group->count; i++)
        log_keep(&state_of(group->replicas[i])->log, &group->versions);
}

/* What survives is what stands in the log of the latest leader. */
static void single_leader_finish(struct agent *agent)
{
    const struct replica *r = replica_of(agent);
    const struct log *log = &state_of(r)->log;
    if (r->number != r->group->leader)
        return;
    for (uint64_t i = log->first; i <= log->last; i++)
        PROBE(agent->simulation, decide, agent, version_at(&r->group->versions, log_at(log, i)));
}

static double single_leader_copies(const struct replicated_config *config, enum operation_type type)
{
    return store_writes(type) ? config->members.count : 1;
}

const struct replicated_mode replicated_single_leader = {
    .state_size = sizeof(struct leader_state),
    .memory_size = sizeof(struct leader_memory),
    .frame_size = sizeof(struct replica_frame),
    .start = single_leader_start,
    .step = single_leader_step,
    .settle = single_leader_settle,
    .tick = single_leader_tick,
    .finish = single_leader_finish,
    .route = single_leader_route,
    .leads = replica_leads,
    .keep = single_leader_keep,
    .copies = single_leader_copies,
};
