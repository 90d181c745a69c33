/* The log of a single leader: how it is shipped, received, written, confirmed and, after a change
 * of leaders, made to agree again. The way of a write is drawn in replicated_single_leader.c. */
#include "models/replicated_leader.h"

#include <string.h>

static inline const struct replicated_config *config_of(const struct replica *r)
{
    return r->group->config;
}

struct call *leader_post(struct replica *r, uint32_t number, enum peer_verb verb, uint32_t bytes)
{
    struct call *m = call_post(r->agent, r->group->first + number, bytes);
    m->verb = (uint8_t)verb;
    m->traits |= REQUEST_PEER;
    *peer_term(m) = state_of(r)->term;
    return m;
}

/* ---- the leader ships its log ---- */

static uint32_t entry_bytes(const struct replica *r, uint64_t first, uint64_t last)
{
    uint64_t bytes = 0;
    for (uint64_t i = first; i <= last; i++)
        bytes += version_at(&r->group->versions, log_at(&state_of(r)->log, i))->size;
    return bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
}

static struct call *ship(struct replica *r, uint32_t number, uint64_t first, enum peer_verb verb)
{
    struct leader_state *state = state_of(r);
    struct follower *f = &memory_of(r)->followers[number];
    uint32_t bytes = entry_bytes(r, first, state->log.last);
    struct call *m = leader_post(r, number, verb, bytes);
    *peer_first(m) = first;
    *peer_last(m) = state->log.last;
    *peer_sent_ns(m) = simulation_now(r->group->simulation);
    *peer_waited_us(m) = 0;
    f->sent = state->log.last;
    return m;
}

static void ship_new(struct replica *r)
{
    struct leader_memory *memory = memory_of(r);
    for (uint32_t i = 0; i < r->group->count; i++)
        if (i != r->number && !memory->followers[i].behind)
            ship(r, i, memory->followers[i].sent + 1, PEER_APPEND);
}

void leader_ship(struct replica *r)
{
    struct leader_memory *memory = memory_of(r);
    if (!config_of(r)->batch) {
        ship_new(r);
    } else if (!memory->gathers) {
        memory->gathers = true;
        timer_after(r->agent, config_of(r)->batch, TICK_BATCH, 0);
    }
}

void leader_gathered(struct replica *r)
{
    memory_of(r)->gathers = false;
    if (leads(r))
        ship_new(r);
}

static void ship_again(struct replica *r, int64_t waited_ns)
{
    struct leader_memory *memory = memory_of(r);
    for (uint32_t i = 0; i < r->group->count; i++) {
        struct follower *f = &memory->followers[i];
        if (i == r->number)
            continue;
        f->behind = f->confirmed < f->sent && f->confirmed == f->seen;
        f->seen = f->confirmed;
        struct call *m = ship(r, i, (f->behind ? f->confirmed : f->sent) + 1, PEER_BEAT);
        *peer_waited_us(m) = (uint32_t)(waited_ns / 1000);
    }
}

static int64_t tick_ns(const struct replica *r)
{
    const struct replicated_config *config = config_of(r);
    bool bounded = config->reads == REPLICATED_READ_NEAREST && config->lag != TIME_NONE;
    int64_t ns = config->retransmit;
    if (bounded && config->lag / 4 < ns)
        ns = config->lag / 4;
    if (config->failover == REPLICATED_FAILOVER && config->heartbeat < ns)
        ns = config->heartbeat;
    return ns > 0 ? ns : 1;
}

/* ---- when writes are answered ---- */

/* Index up to which at least `need` followers have written the log. */
static uint64_t confirmed_by(const struct replica *r, uint32_t need)
{
    const struct follower *followers = memory_of(r)->followers;
    uint64_t best = 0;
    for (uint32_t i = 0; i < r->group->count; i++) {
        uint32_t as_far = 0;
        for (uint32_t k = 0; i != r->number && k < r->group->count; k++)
            as_far += k != r->number && followers[k].confirmed >= followers[i].confirmed;
        if (as_far >= need && followers[i].confirmed > best)
            best = followers[i].confirmed;
    }
    return best;
}

/* The follower that semi-sync waits for: the first that keeps up, else the first. */
static uint64_t confirmed_by_one(const struct replica *r)
{
    const struct follower *followers = memory_of(r)->followers;
    for (uint32_t i = 0; i < r->group->count; i++)
        if (i != r->number && !followers[i].behind)
            return followers[i].confirmed;
    return followers[r->number ? 0 : 1].confirmed;
}

/* The last entry whose write may be answered. */
static uint64_t answerable(const struct replica *r)
{
    uint32_t others = r->group->count - 1;
    uint64_t own = state_of(r)->log.last;
    if (!others)
        return own;
    switch ((enum replicated_ack)r->group->config->ack) {
    case REPLICATED_ASYNC:
        return own;
    case REPLICATED_SEMI_SYNC:
        return confirmed_by_one(r);
    case REPLICATED_QUORUM:
        return confirmed_by(r, r->group->count / 2);
    case REPLICATED_ALL:
        return confirmed_by(r, others);
    }
    return own;
}

static void answer(struct replica *r, struct call *c)
{
    PROBE(r->group->simulation, acknowledge, r->agent, 0, state_of(r)->term, c);
    replica_reply(r, c, STATUS_OK);
}

void leader_answer(struct replica *r)
{
    struct leader_memory *memory = memory_of(r);
    uint64_t upto = answerable(r);
    uint32_t done = 0;
    while (done < memory->waiting_count && memory->waiting[done].index <= upto)
        answer(r, call_at(r->group->simulation, memory->waiting[done++].call));
    memory->waiting_count -= done;
    if (done)
        memmove(memory->waiting, memory->waiting + done,
                memory->waiting_count * sizeof *memory->waiting);
}

void leader_wait(struct replica *r, struct call *c, uint64_t index)
{
    struct leader_memory *memory = memory_of(r);
    if (memory->waiting_count == memory->waiting_room) {
        uint32_t room = memory->waiting_room ? 2 * memory->waiting_room : 16;
        struct waiting *more = arena_array(&r->agent->place->memory, room, struct waiting);
        if (memory->waiting_count)
            memcpy(more, memory->waiting, memory->waiting_count * sizeof *more);
        memory->waiting = more;
        memory->waiting_room = room;
    }
    memory->waiting[memory->waiting_count++] =
        (struct waiting){index, call_index(r->group->simulation, c)};
}

/* The caller has taken its write back; whether it becomes final is no matter of its own any more.
 */
void leader_forget(struct replica *r, const struct call *c)
{
    struct leader_memory *memory = memory_of(r);
    uint32_t index = call_index(r->group->simulation, c), i = 0;
    while (i < memory->waiting_count && memory->waiting[i].call != index)
        i++;
    if (i == memory->waiting_count)
        return;
    memory->waiting_count--;
    memmove(memory->waiting + i, memory->waiting + i + 1,
            (memory->waiting_count - i) * sizeof *memory->waiting);
}

/* What all members have is final, and no log needs it any more. */
static void settle_final(struct replica *r)
{
    uint64_t final =
        r->group->count > 1 ? confirmed_by(r, r->group->count - 1) : state_of(r)->log.last;
    struct log *log = &state_of(r)->log;
    for (uint64_t i = log->first; i <= final; i++)
        PROBE(r->group->simulation, decide, r->agent,
              version_at(&r->group->versions, log_at(log, i)));
    for (uint32_t i = 0; i < r->group->count; i++)
        log_trim(&state_of(r->group->replicas[i])->log, final + 1);
}

/* The sign of life, and what was not confirmed once more; behind the queue of its machine if pings
 * are queued. */
void leader_tick(struct replica *r)
{
    if (!leads(r)) {
        memory_of(r)->ticks = false;
        return;
    }
    timer_after(r->agent, tick_ns(r), TICK_SHIP, 0);
    if (config_of(r)->pings == REPLICATED_PINGS_QUEUED) {
        struct call *c = call_begin(r->agent, ++state_of(r)->begun);
        ((struct replica_frame *)call_frame(c))->stage = STAGE_PINGS;
        replica_work(r, c, STORE_WORK_PING);
        return;
    }
    leader_pinged(r, 0);
}

void leader_pinged(struct replica *r, int64_t waited_ns)
{
    if (!leads(r))
        return;
    ship_again(r, waited_ns);
    leader_answer(r); /* another follower may stand in for the one that semi-sync waits for */
}

void leader_begins(struct replica *r)
{
    struct leader_memory *memory = memory_of(r);
    const struct log *log = &state_of(r)->log;
    for (uint32_t i = 0; i < r->group->count; i++)
        memory->followers[i] = (struct follower){
            .sent = log->last, .confirmed = log->first - 1, .seen = log->first - 1, .behind = true};
    PROBE(r->group->simulation, role, r->agent, 0, state_of(r)->term, true);
    for (uint32_t i = 0; i < r->group->count; i++)
        if (i != r->number)
            ship(r, i, log->first, PEER_BEAT);
    if (memory->ticks)
        return;
    memory->ticks = true;
    timer_after(r->agent, tick_ns(r), TICK_SHIP, 0);
}

void leader_ends(struct replica *r)
{
    struct leader_memory *memory = memory_of(r);
    uint32_t count = memory->waiting_count;
    PROBE(r->group->simulation, role, r->agent, 0, state_of(r)->term, false);
    state_of(r)->led = false;
    memory->waiting_count = 0;
    for (uint32_t i = 0; i < count; i++)
        replica_reply(r, call_at(r->group->simulation, memory->waiting[i].call), STATUS_INFO);
}

/* ---- a follower receives and writes ---- */

static void confirm(struct replica *r)
{
    *peer_last(leader_post(r, leader_of(r), PEER_CONFIRM, 0)) = state_of(r)->applied;
}

static void refresh(struct replica *r)
{
    struct leader_memory *memory = memory_of(r);
    if (state_of(r)->applied >= memory->fresh_upto && memory->fresh_next_ns > memory->fresh_ns)
        memory->fresh_ns = memory->fresh_next_ns;
}

/* The work is drawn from the write, anew on every member. */
void leader_write_next(struct replica *r)
{
    struct leader_memory *memory = memory_of(r);
    struct leader_state *state = state_of(r);
    if (memory->writes || state->applied == state->log.last)
        return;
    memory->writes = true;
    version_handle next = log_at(&state->log, state->applied + 1);
    const struct version *v = version_at(&r->group->versions, next);
    struct call *c = call_begin(r->agent, ++state->begun);
    struct replica_frame *f = call_frame(c);
    f->stage = STAGE_WRITES;
    f->held[0] = next;
    c->op_id = v->op_id;
    c->sub = (uint32_t)random_mix(r->number + 1) | 1;
    c->operation = v->operation;
    c->key = v->key;
    replica_work(r, c, STORE_WORK_WRITE);
}

void leader_apply(struct replica *r, uint64_t index)
{
    struct log_entry *entry = log_entry(&state_of(r)->log, index);
    uint64_t key = version_at(&r->group->versions, entry->version)->key;
    entry->before = registers_get(&r->registers, key);
    state_of(r)->applied = index;
    replica_apply(r, entry->version);
}

void leader_written(struct replica *r, struct call *c)
{
    struct leader_state *state = state_of(r);
    const struct replica_frame *f = call_frame(c);
    version_handle written = f->held[0];
    bool ok = c->wake == WAKE_JOINED; /* else the machine had no place for it: once more */
    call_free(c, r->agent);
    memory_of(r)->writes = false;
    bool stands =
        state->applied < state->log.last && log_at(&state->log, state->applied + 1) == written;
    if (ok && stands) {
        leader_apply(r, state->applied + 1);
        refresh(r);
        if (memory_of(r)->role == ROLE_FOLLOWS)
            confirm(r);
    }
    if (state->applied == state->log.last)
        failover_caught_up(r);
    leader_write_next(r);
}

/* Entries up to `last` of the sender's log, which are next to those that are here. */
static void take_entries(struct replica *r, const struct log *from, uint64_t last)
{
    struct log *log = &state_of(r)->log;
    while (log->last < last)
        log_append(log, log_at(from, log->last + 1));
}

/* What came too early and is next now. */
static void take_early(struct replica *r, const struct log *from)
{
    struct leader_memory *memory = memory_of(r);
    const struct log *log = &state_of(r)->log;
    for (uint32_t i = 0; i < memory->early_count;) {
        struct early range = memory->early[i];
        if (range.first > log->last + 1) {
            i++;
            continue;
        }
        memory->early[i] = memory->early[--memory->early_count];
        take_entries(r, from, range.last);
        i = 0;
    }
}

/* The last index up to which two logs agree. What either has trimmed everybody has. */
static uint64_t common(const struct log *a, const struct log *b)
{
    uint64_t index = a->last < b->last ? a->last : b->last;
    uint64_t first = a->first > b->first ? a->first : b->first;
    while (index >= first && log_at(a, index) != log_at(b, index))
        index--;
    return index;
}

void leader_rejoin(struct replica *r, const struct replica *leader)
{
    struct leader_state *state = state_of(r);
    struct log *log = &state->log;
    uint64_t keeps = common(log, &state_of(leader)->log);
    for (uint64_t i = log->last; i > keeps; i--) {
        const struct log_entry *entry = log_entry(log, i);
        const struct version *v = version_at(&r->group->versions, entry->version);
        if (i > state->applied)
            continue;
        if (entry->before)
            registers_set(&r->registers, v->key, entry->before);
        else
            registers_erase(&r->registers, v->key);
        PROBE(r->group->simulation, retract, r->agent, v);
    }
    log_truncate(log, keeps);
    if (state->applied > keeps)
        state->applied = keeps;
    memory_of(r)->early_count = 0;
}

void leader_receive(struct replica *r, struct call *c)
{
    struct leader_memory *memory = memory_of(r);
    struct leader_state *state = state_of(r);
    uint32_t number = c->from - r->group->first, term = *peer_term(c);
    const struct replica *sender = r->group->replicas[number];
    const struct log *from = &state_of(sender)->log;
    uint64_t first = *peer_first(c), last = *peer_last(c);
    int64_t sent_ns = *peer_sent_ns(c);
    int64_t waited_ns = (int64_t)*peer_waited_us(c) * 1000;
    bool beat = c->verb == PEER_BEAT;
    call_free(c, r->agent);
    if (!failover_hears(r, number, term, true))
        return;
    if (beat)
        failover_beat(r, waited_ns);
    if (state_of(sender)->term != term || last > from->last)
        return; /* its log is another one by now: as if the message had been lost */
    if (state->joined != term) {
        leader_rejoin(r, sender);
        state->joined = term;
    }
    if (first <= state->log.last + 1) {
        take_entries(r, from, last);
        take_early(r, from);
    } else if (first <= last && memory->early_count < EARLY_MOST) {
        memory->early[memory->early_count++] = (struct early){first, last};
    }
    if (last <= state->log.last && sent_ns > memory->fresh_next_ns) {
        memory->fresh_next_ns = sent_ns;
        memory->fresh_upto = last;
        refresh(r);
    }
    if (state->applied == state->log.last)
        confirm(r);
    leader_write_next(r);
}

void leader_confirmed(struct replica *r, struct call *c)
{
    uint32_t number = c->from - r->group->first, term = *peer_term(c);
    uint64_t last = *peer_last(c);
    struct follower *f = &memory_of(r)->followers[number];
    call_free(c, r->agent);
    if (!failover_hears(r, number, term, false) || !leads(r) || last > state_of(r)->log.last)
        return;
    if (last > f->confirmed)
        f->confirmed = last;
    if (f->sent < last)
        f->sent = last;
    if (f->behind) {
        f->behind = false;
        ship(r, number, f->confirmed + 1, PEER_APPEND);
    }
    leader_answer(r);
    settle_final(r);
}
