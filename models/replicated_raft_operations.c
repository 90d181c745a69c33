/* Raft: operations at the leader and elsewhere. Their way is drawn in replicated_raft.c. */
#include "models/replicated_raft.h"

#include <string.h>

/* ---- operations ---- */

static void read_now(struct replica *r, struct call *c)
{
    ((struct replica_frame *)call_frame(c))->stage = RAFT_READ_WORKS;
    replica_work(r, c, store_work(store_type(r->agent, c)));
}

/* Whether an operation that waits may go on. */
static bool is_due(const struct replica *r, const struct raft_waiting *w, int64_t confirmed_ns)
{
    const struct raft_state *state = raft_state(r);
    return state->applied >= w->index && (!w->since_ns || confirmed_ns >= w->since_ns);
}

void raft_answer(struct replica *r)
{
    struct raft_memory *memory = raft_memory(r);
    int64_t confirmed_ns = raft_confirmed_ns(r);
    uint32_t kept = 0, count = memory->waiting_count;
    for (uint32_t i = 0; i < count; i++) {
        struct raft_waiting w = memory->waiting[i];
        struct call *c = call_at(r->group->simulation, w.call);
        if (!is_due(r, &w, confirmed_ns)) {
            memory->waiting[kept++] = w;
        } else if (w.since_ns) {
            read_now(r, c);
        } else if (w.fails) {
            replica_serve(r, c);
            replica_reply(r, c, STATUS_FAIL);
        } else {
            PROBE(r->group->simulation, acknowledge, r->agent, 0, raft_state(r)->term, c);
            replica_reply(r, c, STATUS_OK);
        }
    }
    memory->waiting_count = kept;
}

static void wait_for(struct replica *r, struct call *c, struct raft_waiting w)
{
    struct raft_memory *memory = raft_memory(r);
    w.call = call_index(r->group->simulation, c);
    if (memory->waiting_count == memory->waiting_room) {
        uint32_t room = memory->waiting_room ? 2 * memory->waiting_room : 16;
        struct raft_waiting *more =
            arena_array(&r->agent->place->memory, room, struct raft_waiting);
        if (memory->waiting_count)
            memcpy(more, memory->waiting, memory->waiting_count * sizeof *more);
        memory->waiting = more;
        memory->waiting_room = room;
    }
    memory->waiting[memory->waiting_count++] = w;
}

void raft_forget(struct replica *r, const struct call *c)
{
    struct raft_memory *memory = raft_memory(r);
    uint32_t index = call_index(r->group->simulation, c), kept = 0;
    for (uint32_t i = 0; i < memory->waiting_count; i++)
        if (memory->waiting[i].call != index)
            memory->waiting[kept++] = memory->waiting[i];
    memory->waiting_count = kept;
}

/* What a key will be when the whole log is applied; NULL: the value before any write. */
static const struct version *tip(const struct replica *r, uint64_t key)
{
    const struct raft_state *state = raft_state(r);
    for (uint64_t i = state->log.last; i > state->applied; i--)
        if (raft_entry(r, i)->op_id && raft_entry(r, i)->key == key)
            return raft_entry(r, i);
    version_handle held = registers_get(&r->registers, key);
    return held ? version_at(&r->group->versions, held) : NULL;
}

uint64_t raft_append(struct replica *r, struct version version)
{
    struct raft_state *state = raft_state(r);
    version.order = (struct version_order){state->term, state->log.last + 1};
    return log_append(&state->log, replica_version(r, &version));
}

/* The entry of a write that has come before, with its key, and is in this log; 0: there is none. */
static uint64_t known_entry(const struct replica *r, const struct call *c)
{
    const struct log *log = &raft_state(r)->log;
    uint64_t index = c->traits & REQUEST_IDEMPOTENT ? registers_get(&r->group->known, c->op_id) : 0;
    bool here = index && index <= log->last &&
                (index < log->first || raft_entry(r, index)->op_id == c->op_id);
    return here ? index : 0;
}

static void write(struct replica *r, struct call *c)
{
    const struct version *present = tip(r, c->key);
    struct replica_frame *f = call_frame(c);
    f->stage = RAFT_WRITE_WAITS;
    uint64_t known = known_entry(r, c);
    if (known) {
        c->version = c->op_id;
        wait_for(r, c, (struct raft_waiting){.index = known});
        raft_answer(r);
        return;
    }
    if (store_type(r->agent, c) == OPERATION_CAS &&
        !store_matches(c, present ? present->op_id : 0)) {
        wait_for(r, c, (struct raft_waiting){.index = raft_state(r)->log.last, .fails = true});
        raft_answer(r);
        return;
    }
    struct version version = store_version(r->agent, c, present);
    uint64_t index = raft_append(r, version);
    if (c->traits & REQUEST_IDEMPOTENT)
        registers_set(&r->group->known, c->op_id, (uint32_t)index);
    PROBE(r->group->simulation, create, r->agent, c, raft_entry(r, index));
    c->version = c->op_id;
    wait_for(r, c, (struct raft_waiting){.index = index});
    raft_beat(r);
    raft_persist(r);
}

/* Whether a majority has confirmed it so lately that nobody else can lead yet (6.4.1). */
static bool is_leased(const struct replica *r)
{
    const struct replicated_config *config = raft_config(r);
    int64_t least = config->election_min - config->election_min / 10;
    return config->raft_reads == REPLICATED_LEASE &&
           clock_steady(r->agent) - raft_confirmed_ns(r) < least;
}

/* A read of the leader's waits for everything that was committed when it came. */
static void read(struct replica *r, struct call *c)
{
    struct raft_memory *memory = raft_memory(r);
    int64_t now = clock_steady(r->agent), confirmed_ns = raft_confirmed_ns(r);
    bool leased = is_leased(r);
    uint64_t index = memory->committed;
    if (index < memory->first_index)
        index = memory->first_index; /* it does not know yet what is committed */
    wait_for(r, c, (struct raft_waiting){.index = index, .since_ns = leased ? confirmed_ns : now});
    ((struct replica_frame *)call_frame(c))->stage = RAFT_READ_WAITS;
    if (!leased && confirmed_ns >= memory->beat_ns)
        raft_beat(r); /* else the next one goes when the last one was answered */
    raft_answer(r);
}

static void forward(struct replica *r, struct call *c, uint32_t leader)
{
    struct replica_frame *f = call_frame(c);
    f->stage = RAFT_FORWARDED;
    f->number = STATUS_FAIL;
    replica_tell(r, c, leader, RAFT_FORWARD, caller_bytes(r->agent, c))->size = c->size;
    call_await(c, r->agent, 1, TIME_NONE);
}

void raft_operation(struct replica *r, struct call *c)
{
    const struct replicated_config *config = r->agent->configs[c->operation];
    const struct raft_memory *memory = raft_memory(r);
    struct group *group = r->group;
    bool writes = store_writes(store_type(r->agent, c));
    if (c->sent)
        call_round(c, r->agent);
    if (raft_leads(r) && writes) {
        write(r, c);
    } else if (raft_leads(r) && config->reads == REPLICATED_READ_LEADER) {
        read(r, c);
    } else if (!writes && config->reads != REPLICATED_READ_LEADER) {
        read_now(r, c); /* whatever it has */
    } else if (!memory->leader || replica_is_peer(r, c->from)) {
        replica_reply(r, c, STATUS_FAIL); /* nobody is known to lead */
    } else {
        if (group->view_terms[c->from] < raft_state(r)->term) {
            group->views[c->from] = memory->leader - 1;
            group->view_terms[c->from] = raft_state(r)->term;
        }
        forward(r, c, memory->leader - 1);
    }
}

/* A lease may have run out while its machine was paused: then the read is asked anew. */
void raft_worked(struct replica *r, struct call *c)
{
    const struct replicated_config *config = r->agent->configs[c->operation];
    bool leased = config->reads == REPLICATED_READ_LEADER && config->raft_reads == REPLICATED_LEASE;
    if (leased && c->wake == WAKE_JOINED && !(raft_leads(r) && is_leased(r))) {
        raft_operation(r, c);
        return;
    }
    if (c->wake == WAKE_JOINED)
        replica_serve(r, c);
    replica_reply(r, c, c->wake == WAKE_JOINED ? STATUS_OK : STATUS_FAIL);
}
