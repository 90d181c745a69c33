/* Raft: an operation is an entry of a log that a majority has on disk before it takes effect.
 *
 *     write --> leader: entry (term, index) --> all others, and its own disk
 *               on the disks of a majority: committed --> applied in order --> answered
 *     read  --> leader: `read_index`: a majority confirms after its arrival that it leads (6.4);
 *               `lease`: one has within the least election timeout (6.4.1) --> work --> answered
 *
 * The leader sends entries as they come, without waiting for what is on the way. Disks write what
 * has gathered meanwhile in one go: one write of the machine. A follower that lacks what comes
 * before says so, and the leader goes back to where it is. What lies on every disk and is applied
 * everywhere is trimmed from all logs; a member that was away therefore always finds what it lacks,
 * and there are no snapshots. A leader that has not been answered by a majority for the longest
 * election timeout steps down. Ties: none, the log decides. */
#include "models/replicated_raft.h"

#include <string.h>

struct call *raft_post(struct replica *r, uint32_t number, enum raft_verb verb, uint32_t bytes)
{
    struct call *m = call_post(r->agent, r->group->first + number, bytes);
    m->verb = (uint8_t)verb;
    m->traits |= REQUEST_PEER;
    *raft_term(m) = raft_state(r)->term;
    return m;
}

const struct version *raft_entry(const struct replica *r, uint64_t index)
{
    return version_at(&r->group->versions, log_at(&raft_state(r)->log, index));
}

/* ---- the leader sends ---- */

static uint32_t entry_bytes(const struct replica *r, uint64_t first, uint64_t last)
{
    uint64_t bytes = 0;
    for (uint64_t i = first; i <= last; i++)
        bytes += raft_entry(r, i)->size;
    return bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
}

static void append_to(struct replica *r, uint32_t number)
{
    const struct raft_state *state = raft_state(r);
    struct raft_memory *memory = raft_memory(r);
    struct raft_peer *peer = &memory->peers[number];
    uint64_t first = peer->next > state->log.first ? peer->next : state->log.first;
    uint64_t last = state->log.last;
    struct call *m = raft_post(r, number, RAFT_APPEND, entry_bytes(r, first, last));
    *raft_first(m) = first;
    *raft_last(m) = last;
    *raft_sent_ns(m) = clock_steady(r->agent);
    *raft_uncommitted(m) = (uint32_t)(last - memory->committed);
    peer->next = last + 1;
}

void raft_beat(struct replica *r)
{
    raft_memory(r)->beat_ns = clock_steady(r->agent);
    for (uint32_t i = 0; i < r->group->count; i++)
        if (i != r->number)
            append_to(r, i);
}

/* The majority-th largest of what is known of the members, the leader's own included. */
static uint64_t majority_of(const struct replica *r, const uint64_t *values)
{
    uint64_t best = 0;
    for (uint32_t i = 0; i < r->group->count; i++) {
        uint32_t as_far = 0;
        for (uint32_t k = 0; k < r->group->count; k++)
            as_far += values[k] >= values[i];
        if (as_far >= raft_majority(r) && values[i] > best)
            best = values[i];
    }
    return best;
}

int64_t raft_confirmed_ns(const struct replica *r)
{
    uint64_t heard[REPLICATED_MEMBERS_MAX];
    for (uint32_t i = 0; i < r->group->count; i++)
        heard[i] = (uint64_t)raft_memory(r)->peers[i].heard_ns;
    heard[r->number] = (uint64_t)clock_steady(r->agent);
    return (int64_t)majority_of(r, heard);
}

/* ---- disk ---- */

void raft_persist(struct replica *r)
{
    struct raft_memory *memory = raft_memory(r);
    struct raft_state *state = raft_state(r);
    if (memory->persisting || state->persisted == state->log.last)
        return;
    memory->persisting = state->log.last;
    struct call *c = call_begin(r->agent, ++state->begun);
    ((struct replica_frame *)call_frame(c))->stage = RAFT_PERSISTS;
    c->operation = raft_entry(r, state->log.last)->operation;
    replica_work(r, c, STORE_WORK_WRITE);
}

static void truncate(struct replica *r, uint64_t last)
{
    struct raft_state *state = raft_state(r);
    struct raft_memory *memory = raft_memory(r);
    CHECK(state->applied <= last); /* what is committed is never taken back */
    log_truncate(&state->log, last);
    if (state->persisted > last)
        state->persisted = last;
    if (memory->persisting > last)
        memory->persisting = last;
}

/* ---- committing and applying ---- */

static void trim(struct replica *r)
{
    uint64_t everywhere = UINT64_MAX;
    for (uint32_t i = 0; i < r->group->count; i++) {
        const struct raft_state *state = raft_state(r->group->replicas[i]);
        everywhere = state->applied < everywhere ? state->applied : everywhere;
        everywhere = state->persisted < everywhere ? state->persisted : everywhere;
    }
    for (uint32_t i = 0; i < r->group->count; i++)
        log_trim(&raft_state(r->group->replicas[i])->log, everywhere + 1);
}

static void apply(struct replica *r)
{
    struct raft_state *state = raft_state(r);
    uint64_t upto = raft_memory(r)->committed;
    upto = upto < state->log.last ? upto : state->log.last;
    while (state->applied < upto) {
        version_handle handle = log_at(&state->log, ++state->applied);
        const struct version *v = version_at(&r->group->versions, handle);
        if (!v->op_id)
            continue; /* a leader's first entry says nothing of any key */
        replica_apply(r, handle);
        if (raft_leads(r))
            PROBE(r->group->simulation, decide, r->agent, version_at(&r->group->versions, handle));
    }
    trim(r);
}

/* What a majority has on disk is committed, once it is of this term (3.6.2). */
static void commit(struct replica *r)
{
    struct raft_state *state = raft_state(r);
    struct raft_memory *memory = raft_memory(r);
    uint64_t matched[REPLICATED_MEMBERS_MAX];
    for (uint32_t i = 0; i < r->group->count; i++)
        matched[i] = memory->peers[i].matched;
    matched[r->number] = state->persisted;
    uint64_t upto = majority_of(r, matched);
    if (upto > memory->committed && raft_entry(r, upto)->order.high == state->term) {
        memory->committed = upto;
        apply(r);
    }
    raft_answer(r);
}

static void persisted(struct replica *r, struct call *c)
{
    struct raft_state *state = raft_state(r);
    struct raft_memory *memory = raft_memory(r);
    if (c->wake == WAKE_JOINED && memory->persisting > state->persisted)
        state->persisted = memory->persisting;
    memory->persisting = 0;
    call_free(c, r->agent);
    raft_persist(r);
    if (raft_leads(r)) {
        commit(r);
    } else if (memory->leader && memory->agreed) {
        uint64_t last = memory->agreed < state->persisted ? memory->agreed : state->persisted;
        struct call *m = raft_post(r, memory->leader - 1, RAFT_ACCEPT, 0);
        *raft_last(m) = last;
        *raft_sent_ns(m) = memory->answer_ns;
    }
}

/* ---- a follower receives ---- */

static void refuse(struct replica *r, uint32_t number, uint64_t last, int64_t sent_ns)
{
    struct call *m = raft_post(r, number, RAFT_REFUSE, 0);
    *raft_last(m) = last;
    *raft_sent_ns(m) = sent_ns;
}

/* Whether the log has the same entry there as the leader's; what either has trimmed all have. */
static bool agrees(const struct log *a, const struct log *b, uint64_t index)
{
    if (index < a->first || index < b->first)
        return true;
    return index <= a->last && log_at(a, index) == log_at(b, index);
}

static void take(struct replica *r, const struct log *from, uint64_t first, uint64_t last)
{
    struct log *log = &raft_state(r)->log;
    for (uint64_t i = first > log->first ? first : log->first; i <= last; i++) {
        if (i <= log->last && log_at(log, i) == log_at(from, i))
            continue;
        if (i <= log->last)
            truncate(r, i - 1);
        log_append(log, log_at(from, i));
    }
}

static void receive(struct replica *r, struct call *c)
{
    struct raft_memory *memory = raft_memory(r);
    struct raft_state *state = raft_state(r);
    uint32_t number = c->from - r->group->first, term = *raft_term(c);
    const struct replica *sender = r->group->replicas[number];
    const struct log *from = &raft_state(sender)->log;
    uint64_t first = *raft_first(c), last = *raft_last(c), committed = last - *raft_uncommitted(c);
    int64_t sent_ns = *raft_sent_ns(c);
    call_free(c, r->agent);
    if (!raft_hears(r, term)) {
        refuse(r, number, 0, sent_ns); /* tells it of the term */
        return;
    }
    if (raft_state(sender)->term != term || last > from->last)
        return; /* its log is another one by now: as if the message had been lost */
    raft_follows(r, number);
    memory->answer_ns = sent_ns > memory->answer_ns ? sent_ns : memory->answer_ns;
    if (first > state->log.last + 1 || !agrees(&state->log, from, first - 1)) {
        uint64_t behind = first - 1 < state->log.last + 1 ? first - 2 : state->log.last;
        refuse(r, number, behind, sent_ns);
        return;
    }
    take(r, from, first, last);
    memory->agreed = last > memory->agreed ? last : memory->agreed;
    committed = committed < memory->agreed ? committed : memory->agreed;
    if (committed > memory->committed)
        memory->committed = committed;
    apply(r);
    raft_persist(r);
    if (!memory->persisting) {
        struct call *m = raft_post(r, number, RAFT_ACCEPT, 0);
        *raft_last(m) = memory->agreed;
        *raft_sent_ns(m) = memory->answer_ns;
    } else if (last < first) { /* a sign of life is answered at once, as far as the disk is */
        uint64_t on_disk = memory->agreed < state->persisted ? memory->agreed : state->persisted;
        struct call *m = raft_post(r, number, RAFT_ACCEPT, 0);
        *raft_last(m) = on_disk;
        *raft_sent_ns(m) = sent_ns;
    }
}

static void accepted(struct replica *r, struct call *c, bool refused)
{
    uint32_t number = c->from - r->group->first, term = *raft_term(c);
    uint64_t last = *raft_last(c);
    int64_t sent_ns = *raft_sent_ns(c);
    struct raft_memory *memory = raft_memory(r);
    call_free(c, r->agent);
    if (!raft_hears(r, term) || !raft_leads(r) || last > raft_state(r)->log.last)
        return;
    struct raft_peer *peer = &memory->peers[number];
    if (sent_ns > peer->heard_ns)
        peer->heard_ns = sent_ns;
    if (refused) {
        if (last >= peer->matched) {
            peer->next = last + 1;
            append_to(r, number);
        }
        raft_answer(r);
        return;
    }
    if (last > peer->matched)
        peer->matched = last;
    commit(r);
    /* Reads that came after the last beat need another one; it waits for the one before. */
    int64_t latest =
        memory->waiting_count ? memory->waiting[memory->waiting_count - 1].since_ns : 0;
    if (latest > memory->beat_ns && raft_confirmed_ns(r) >= memory->beat_ns)
        raft_beat(r);
}

static void arrived(struct replica *r, struct call *c)
{
    if (!replica_is_peer(r, c->from)) {
        raft_operation(r, c);
        return;
    }
    switch ((enum raft_verb)c->verb) {
    case RAFT_APPEND:
        receive(r, c);
        break;
    case RAFT_ACCEPT:
    case RAFT_REFUSE:
        accepted(r, c, c->verb == RAFT_REFUSE);
        break;
    case RAFT_ASK_FIRST:
    case RAFT_ASK:
        raft_asked(r, c, c->verb == RAFT_ASK_FIRST);
        break;
    case RAFT_WOULD:
    case RAFT_VOTE:
        raft_voted(r, c, c->verb == RAFT_WOULD);
        break;
    case RAFT_FORWARD:
        raft_operation(r, c);
        break;
    }
}

static void raft_step(struct agent *agent, struct call *c)
{
    struct replica *r = replica_of(agent);
    const struct replica_frame *f = call_frame(c);
    if (c->wake == WAKE_ARRIVED) {
        arrived(r, c);
    } else if (c->wake == WAKE_CANCELLED) {
        if (f->stage == RAFT_WRITE_WAITS || f->stage == RAFT_READ_WAITS)
            raft_forget(r, c);
        replica_reply(r, c, STATUS_INFO);
    } else if (f->stage == RAFT_PERSISTS) {
        persisted(r, c);
    } else if (f->stage == RAFT_FORWARDED) {
        replica_reply(r, c, c->wake == WAKE_JOINED ? STATUS_OK : (enum status)f->number);
    } else {
        raft_worked(r, c);
    }
}

static void raft_settle(struct agent *agent, struct call *parent, struct call *child)
{
    (void)agent;
    struct replica_frame *f = parent ? call_frame(parent) : NULL;
    if (!f || f->stage != RAFT_FORWARDED)
        return;
    f->number = child->status;
    if (child->status == STATUS_OK)
        parent->version = child->version;
}

/* ---- leading ---- */

void raft_begins(struct replica *r)
{
    struct raft_memory *memory = raft_memory(r);
    struct raft_state *state = raft_state(r);
    struct group *group = r->group;
    for (uint32_t i = 0; i < group->count; i++)
        memory->peers[i] = (struct raft_peer){.next = state->log.last + 1,
                                              .matched = state->log.first - 1,
                                              .heard_ns = memory->beat_ns};
    group->leader = r->number;
    group->leader_term = state->term;
    group->known_ns = simulation_now(group->simulation);
    group->views[r->agent->index] = r->number;
    PROBE(group->simulation, role, r->agent, 0, state->term, true);
    memory->first_index =
        raft_append(r, (struct version){.origin = r->agent->index, .made_ns = group->known_ns});
    raft_beat(r);
    raft_persist(r);
    if (!memory->ticks)
        timer_after(r->agent, raft_config(r)->raft_heartbeat, RAFT_TICK_BEAT, 0);
    memory->ticks = true;
}

void raft_ends(struct replica *r)
{
    struct raft_memory *memory = raft_memory(r);
    uint32_t count = memory->waiting_count;
    PROBE(r->group->simulation, role, r->agent, 0, raft_state(r)->term, false);
    memory->waiting_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct call *c = call_at(r->group->simulation, memory->waiting[i].call);
        bool read = memory->waiting[i].since_ns || memory->waiting[i].fails;
        replica_reply(r, c, read ? STATUS_FAIL : STATUS_INFO);
    }
}

static void raft_tick(struct agent *agent, uint32_t tag, uint64_t argument)
{
    struct replica *r = replica_of(agent);
    struct raft_memory *memory = raft_memory(r);
    const struct replicated_config *config = raft_config(r);
    (void)argument;
    if (tag == RAFT_TICK_ELECT) {
        raft_election_tick(r);
        return;
    }
    memory->ticks = false;
    if (!raft_leads(r))
        return;
    if (clock_steady(agent) - raft_confirmed_ns(r) > config->election_max) {
        raft_steps_down(r);
        return;
    }
    memory->ticks = true;
    timer_after(agent, config->raft_heartbeat, RAFT_TICK_BEAT, 0);
    raft_beat(r);
}

static void raft_start(struct agent *agent)
{
    struct replica *r = replica_of(agent);
    struct raft_state *state = raft_state(r);
    struct raft_memory *memory = raft_memory(r);
    struct group *group = r->group;
    memory->peers = arena_array(&agent->place->memory, group->count, struct raft_peer);
    if (!state->opened) {
        log_init(&state->log, &agent->simulation->arena);
        state->term = 1;
        group->leader = replicated_first_leader(group);
        group->leader_term = 1;
        for (uint32_t i = 0; !r->number && i < agent->simulation->agent_count; i++) {
            group->views[i] = group->leader;
            group->view_terms[i] = 1;
        }
    }
    log_truncate(&state->log, state->persisted);
    memory->committed = state->applied;
    raft_election_start(r);
}

/* ---- at the caller ---- */

static uint32_t raft_route(struct agent *caller, struct group *group, const struct call *c)
{
    const struct replicated_config *config = replica_agent(group, 0)->configs[c->operation];
    uint32_t leader = replicated_view(group, caller);
    bool local = !store_writes(store_type(caller, c)) && config->reads != REPLICATED_READ_LEADER;
    if (local)
        return replicated_reader(caller, group, c, leader);
    return leader;
}

static void raft_keep(struct group *group)
{
    for (uint32_t i = 0; i < group->count; i++)
        log_keep(&raft_state(group->replicas[i])->log, &group->versions);
}

static double raft_copies(const struct replicated_config *config, enum operation_type type)
{
    return store_writes(type) ? config->members.count : 1;
}

const struct replicated_mode replicated_raft = {
    .state_size = sizeof(struct raft_state),
    .memory_size = sizeof(struct raft_memory),
    .frame_size = sizeof(struct replica_frame),
    .start = raft_start,
    .step = raft_step,
    .settle = raft_settle,
    .tick = raft_tick,
    .route = raft_route,
    .leads = replica_leads,
    .keep = raft_keep,
    .copies = raft_copies,
};
