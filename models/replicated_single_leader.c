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
#include "models/parts/log.h"
#include "models/replicated.h"

#include <string.h>

/* What a message between replicas carries, beside its verb: in the request line, which is the
 * sender's own. */
enum peer_verb {
    PEER_APPEND = STORE_OWN, /* entries first .. last of the sender's log; first > last: none */
    PEER_CONFIRM,            /* the sender has written its log up to `last` */
    PEER_FORWARD,            /* an operation, for the leader */
};

static inline uint64_t *peer_first(struct call *c)
{
    return &c->key;
}
static inline uint64_t *peer_last(struct call *c)
{
    return &c->version;
}
static inline uint32_t *peer_term(struct call *c)
{
    return &c->session;
}
static inline int64_t *peer_sent_ns(struct call *c)
{
    return &c->deadline_ns;
}

enum { TICK_SHIP };
enum { EARLY_MOST = 64 }; /* ranges that came too early; more are dropped and sent again */

struct range {
    uint64_t first, last;
};

struct state {
    struct log log;
    uint64_t applied; /* entries written by the machine, and held */
    uint64_t begun;   /* calls of its own so far */
    uint32_t term;
    bool opened;
};

struct follower {
    uint64_t sent, confirmed;
    uint64_t seen; /* confirmed at the last tick */
    bool behind;   /* nothing was confirmed for a tick although something was sent */
};

struct waiting {
    uint64_t index; /* of its entry */
    uint32_t call;
};

struct memory {
    struct follower *followers; /* by number; the leader's */
    struct waiting *waiting;    /* writes that are not answered yet, in order of index */
    uint32_t waiting_count, waiting_room;
    struct range early[EARLY_MOST]; /* a follower's */
    uint32_t early_count;
    bool writes;           /* its machine is writing an entry */
    int64_t fresh_ns;      /* it holds all that the leader had then */
    int64_t fresh_next_ns; /* the same, once it has applied up to fresh_upto */
    uint64_t fresh_upto;
};

enum { STAGE_NEW, STAGE_WORKS, STAGE_WAITS, STAGE_FORWARDED, STAGE_WRITES };

static inline struct state *state_of(const struct replica *r)
{
    return r->state;
}
static inline struct memory *memory_of(const struct replica *r)
{
    return r->memory;
}
static inline uint32_t leader_of(const struct replica *r)
{
    return r->group->views[r->agent->index];
}
static inline bool leads(const struct replica *r)
{
    return leader_of(r) == r->number;
}

/* ---- the leader ships its log ---- */

static uint32_t entry_bytes(const struct replica *r, uint64_t first, uint64_t last)
{
    uint64_t bytes = 0;
    for (uint64_t i = first; i <= last; i++)
        bytes += version_at(&r->group->versions, log_at(&state_of(r)->log, i))->size;
    return bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
}

static void ship(struct replica *r, uint32_t number, uint64_t first)
{
    struct state *state = state_of(r);
    struct follower *f = &memory_of(r)->followers[number];
    uint32_t bytes = entry_bytes(r, first, state->log.last);
    struct call *m = call_post(r->agent, r->group->first + number, bytes);
    m->verb = PEER_APPEND;
    m->traits |= REQUEST_PEER;
    *peer_first(m) = first;
    *peer_last(m) = state->log.last;
    *peer_term(m) = state->term;
    *peer_sent_ns(m) = simulation_now(r->group->simulation);
    f->sent = state->log.last;
}

static void ship_new(struct replica *r)
{
    struct memory *memory = memory_of(r);
    for (uint32_t i = 0; i < r->group->count; i++)
        if (i != r->number && !memory->followers[i].behind)
            ship(r, i, memory->followers[i].sent + 1);
}

static void ship_again(struct replica *r)
{
    struct memory *memory = memory_of(r);
    const struct state *state = state_of(r);
    for (uint32_t i = 0; i < r->group->count; i++) {
        struct follower *f = &memory->followers[i];
        if (i == r->number)
            continue;
        f->behind = f->confirmed < f->sent && f->confirmed == f->seen;
        f->seen = f->confirmed;
        ship(r, i, f->behind ? f->confirmed + 1 : state->log.last + 1);
    }
}

static int64_t tick_ns(const struct replica *r)
{
    const struct replicated_config *config = r->group->config;
    bool bounded = config->reads == REPLICATED_READ_NEAREST && config->lag != TIME_NONE;
    int64_t ns = config->retransmit;
    if (bounded && config->lag / 4 < ns)
        ns = config->lag / 4;
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

static void answer_waiting(struct replica *r)
{
    struct memory *memory = memory_of(r);
    uint64_t upto = answerable(r);
    uint32_t done = 0;
    while (done < memory->waiting_count && memory->waiting[done].index <= upto)
        answer(r, call_at(r->group->simulation, memory->waiting[done++].call));
    memory->waiting_count -= done;
    if (done)
        memmove(memory->waiting, memory->waiting + done,
                memory->waiting_count * sizeof *memory->waiting);
}

static void wait_for(struct replica *r, struct call *c, uint64_t index)
{
    struct memory *memory = memory_of(r);
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
static void wait_no_more(struct replica *r, const struct call *c)
{
    struct memory *memory = memory_of(r);
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

/* ---- a follower receives and writes ---- */

static void confirm(struct replica *r)
{
    struct call *m = call_post(r->agent, r->group->first + leader_of(r), 0);
    m->verb = PEER_CONFIRM;
    m->traits |= REQUEST_PEER;
    *peer_last(m) = state_of(r)->applied;
    *peer_term(m) = state_of(r)->term;
}

static void refresh(struct replica *r)
{
    struct memory *memory = memory_of(r);
    if (state_of(r)->applied >= memory->fresh_upto && memory->fresh_next_ns > memory->fresh_ns)
        memory->fresh_ns = memory->fresh_next_ns;
}

/* The machine takes up the next entry, if it writes none. Its work is drawn from the write, anew on
 * every member. */
static void write_next(struct replica *r)
{
    struct memory *memory = memory_of(r);
    struct state *state = state_of(r);
    if (memory->writes || state->applied == state->log.last)
        return;
    memory->writes = true;
    const struct version *v =
        version_at(&r->group->versions, log_at(&state->log, state->applied + 1));
    struct call *c = call_begin(r->agent, ++state->begun);
    struct replica_frame *f = call_frame(c);
    f->stage = STAGE_WRITES;
    c->op_id = v->op_id;
    c->sub = (uint32_t)random_mix(r->number + 1) | 1;
    c->operation = v->operation;
    c->key = v->key;
    replica_work(r, c, STORE_WORK_WRITE);
}

static void written(struct replica *r, struct call *c)
{
    struct state *state = state_of(r);
    bool ok = c->wake == WAKE_JOINED;
    call_free(c, r->agent);
    memory_of(r)->writes = false;
    if (ok) { /* else the machine had no place for it: once more */
        replica_apply(r, log_at(&state->log, ++state->applied));
        refresh(r);
        confirm(r);
    }
    write_next(r);
}

/* Entries first .. last of the sender's log, which are next to those that are here. */
static void take_entries(struct replica *r, const struct log *from, uint64_t last)
{
    struct log *log = &state_of(r)->log;
    while (log->last < last)
        log_append(log, log_at(from, log->last + 1));
}

static void keep_early(struct memory *memory, struct range range)
{
    if (memory->early_count < EARLY_MOST)
        memory->early[memory->early_count++] = range;
}

/* What came too early and is next now. */
static void take_early(struct replica *r, const struct log *from)
{
    struct memory *memory = memory_of(r);
    const struct log *log = &state_of(r)->log;
    for (uint32_t i = 0; i < memory->early_count;) {
        struct range range = memory->early[i];
        if (range.first > log->last + 1) {
            i++;
            continue;
        }
        memory->early[i] = memory->early[--memory->early_count];
        take_entries(r, from, range.last);
        i = 0;
    }
}

static void receive(struct replica *r, struct call *c)
{
    struct memory *memory = memory_of(r);
    struct state *state = state_of(r);
    const struct log *from = &state_of(r->group->replicas[c->from - r->group->first])->log;
    uint64_t first = *peer_first(c), last = *peer_last(c);
    int64_t sent_ns = *peer_sent_ns(c);
    call_free(c, r->agent);
    if (last > from->last)
        return; /* the sender has lost it since */
    if (first <= state->log.last + 1) {
        take_entries(r, from, last);
        take_early(r, from);
    } else if (first <= last) {
        keep_early(memory, (struct range){first, last});
    }
    if (last <= state->log.last && sent_ns > memory->fresh_next_ns) {
        memory->fresh_next_ns = sent_ns;
        memory->fresh_upto = last;
        refresh(r);
    }
    if (state->applied == state->log.last)
        confirm(r);
    write_next(r);
}

static void confirmed(struct replica *r, struct call *c)
{
    struct follower *f = &memory_of(r)->followers[c->from - r->group->first];
    uint64_t last = *peer_last(c);
    call_free(c, r->agent);
    if (!leads(r) || last <= f->confirmed)
        return;
    f->confirmed = last;
    if (f->sent < last)
        f->sent = last;
    if (f->behind) {
        f->behind = false;
        ship(r, (uint32_t)(f - memory_of(r)->followers), f->sent + 1);
    }
    answer_waiting(r);
    settle_final(r);
}

/* ---- operations ---- */

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
    return config->reads == REPLICATED_READ_NEAREST && config->lag != TIME_NONE && !leads(r) &&
           simulation_now(r->group->simulation) - memory_of(r)->fresh_ns > config->lag;
}

static void begin(struct replica *r, struct call *c)
{
    struct replica_frame *f = call_frame(c);
    bool write = is_write(r, c);
    if (!leads(r) && (write || is_stale(r, c))) {
        if (!replica_is_peer(r, c->from))
            r->group->views[c->from] = leader_of(r);
        forward(r, c);
        return;
    }
    f->stage = STAGE_WORKS;
    replica_work(r, c, store_work(store_type(r->agent, c)));
}

static void write_done(struct replica *r, struct call *c)
{
    struct state *state = state_of(r);
    version_handle held = registers_get(&r->registers, c->key);
    const struct version *present = held ? version_at(&r->group->versions, held) : NULL;
    if (store_type(r->agent, c) == OPERATION_CAS &&
        !store_matches(c, present ? present->op_id : 0)) {
        replica_serve(r, c);
        replica_reply(r, c, STATUS_FAIL);
        return;
    }
    struct version version = store_version(r->agent, c, present);
    version.order = (struct version_order){state->term, state->log.last + 1};
    version_handle made = replica_version(r, &version);
    PROBE(r->group->simulation, create, r->agent, c, &version);
    log_append(&state->log, made);
    state->applied = state->log.last;
    replica_apply(r, made);
    c->version = version.op_id;
    ship_new(r);
    ((struct replica_frame *)call_frame(c))->stage = STAGE_WAITS;
    wait_for(r, c, state->log.last);
    answer_waiting(r);
    if (r->group->count == 1)
        settle_final(r);
}

static void worked(struct replica *r, struct call *c)
{
    if (c->wake != WAKE_JOINED) {
        replica_reply(r, c, STATUS_FAIL); /* the machine had no place for it */
    } else if (!is_write(r, c)) {
        replica_serve(r, c);
        replica_reply(r, c, STATUS_OK);
    } else {
        write_done(r, c);
    }
}

static void single_leader_step(struct agent *agent, struct call *c)
{
    struct replica *r = replica_of(agent);
    const struct replica_frame *f = call_frame(c);
    if (c->wake == WAKE_CANCELLED) {
        if (f->stage == STAGE_WAITS)
            wait_no_more(r, c);
        replica_reply(r, c, STATUS_INFO);
    } else if (c->wake == WAKE_ARRIVED && c->verb == PEER_APPEND) {
        receive(r, c);
    } else if (c->wake == WAKE_ARRIVED && c->verb == PEER_CONFIRM) {
        confirmed(r, c);
    } else if (c->wake == WAKE_ARRIVED) {
        begin(r, c);
    } else if (f->stage == STAGE_WRITES) {
        written(r, c);
    } else if (f->stage == STAGE_FORWARDED) {
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
    struct state *state = state_of(r);
    struct memory *memory = memory_of(r);
    memory->followers = arena_array(&agent->place->memory, r->group->count, struct follower);
    if (!state->opened)
        log_init(&state->log, &agent->simulation->arena);
    state->opened = true;
    for (uint32_t i = 0; i < r->group->count; i++)
        memory->followers[i].sent = memory->followers[i].confirmed = state->log.first - 1;
    if (leads(r)) {
        PROBE(agent->simulation, role, agent, 0, state->term, true);
        timer_after(agent, tick_ns(r), TICK_SHIP, 0);
    } else {
        write_next(r);
    }
}

static void single_leader_tick(struct agent *agent, uint32_t tag, uint64_t argument)
{
    struct replica *r = replica_of(agent);
    (void)tag, (void)argument;
    ship_again(r);
    answer_waiting(r); /* another follower may stand in for the one that semi-sync waits for */
    timer_after(agent, tick_ns(r), TICK_SHIP, 0);
}

/* ---- at the caller ---- */

static uint32_t one_below(struct agent *caller, uint32_t count)
{
    return (uint32_t)stream_below(agent_stream(caller, STREAM_PICK), count);
}

static uint32_t single_leader_route(struct agent *caller, struct group *group, const struct call *c)
{
    const struct replicated_config *config = replica_agent(group, 0)->configs[c->operation];
    uint32_t leader = group->views[caller->index], other;
    if (group->count == 1 || store_writes(store_type(caller, c)))
        return leader;
    switch ((enum replicated_reads)config->reads) {
    case REPLICATED_READ_LEADER:
        break;
    case REPLICATED_READ_FOLLOWER:
        other = one_below(caller, group->count - 1);
        return other + (other >= leader);
    case REPLICATED_READ_ANY:
        return one_below(caller, group->count);
    case REPLICATED_READ_NEAREST:
        return replicated_nearest(caller, group);
    }
    return leader;
}

static void single_leader_keep(struct group *group)
{
    for (uint32_t i = 0; i < group->count; i++)
        log_keep(&state_of(group->replicas[i])->log, &group->versions);
}

/* Of what survives: all that stands in the leader's log. */
static void single_leader_finish(struct agent *agent)
{
    struct replica *r = replica_of(agent);
    const struct log *log = &state_of(r)->log;
    for (uint64_t i = log->first; leads(r) && i <= log->last; i++)
        PROBE(agent->simulation, decide, agent, version_at(&r->group->versions, log_at(log, i)));
}

static double single_leader_copies(const struct replicated_config *config, enum operation_type type)
{
    return store_writes(type) ? config->members.count : 1;
}

const struct replicated_mode replicated_single_leader = {
    .state_size = sizeof(struct state),
    .memory_size = sizeof(struct memory),
    .frame_size = sizeof(struct replica_frame),
    .start = single_leader_start,
    .step = single_leader_step,
    .settle = single_leader_settle,
    .tick = single_leader_tick,
    .finish = single_leader_finish,
    .route = single_leader_route,
    .keep = single_leader_keep,
    .copies = single_leader_copies,
};
