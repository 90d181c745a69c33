/* Several leaders: each accepts writes by itself, answers, and tells the others.
 *
 *     caller --> its leader: machine writes, version (vector, stamp), answered
 *                leader --> the other leaders by `topology`, and its own followers: a value
 *                           each writes it, merges it by `conflict`, confirms it, and passes it on
 *                           where the topology says so
 *
 * What another member has not confirmed is owed to it: kept, key by key as the newest value, and
 * sent once more every `retransmit`, OWED_AT_ONCE at a time, until it has been confirmed. So
 * everything gets everywhere once links and members are up again, whatever was lost, and whoever
 * merges the same values in any order holds the same (models/replicated_conflict.h).
 *
 * Who leads: the members named by `leader`; else (`per_zone`) the first member of every zone, and
 * every member that stands in none. A member that does not lead follows the leader of its zone,
 * else the nearest one. Callers write to the leader of their zone, else to the nearest one; under
 * `conflict: sticky` to the one that the key's hash picks, from everywhere. Nobody is promoted:
 * callers of a leader that is down wait for it. */
#include "models/replicated_conflict.h"

enum { OWED_AT_ONCE = 32 };
enum multi_verb { MULTI_VALUE = STORE_OWN }; /* `version`: a value; answered when it is written */
enum multi_stage {
    MULTI_NEW,
    MULTI_WORKS,    /* an operation: its machine */
    MULTI_RECEIVES, /* a value of another: its machine */
    MULTI_TELLS,    /* its own: one value, to one member */
    MULTI_REPEATS,  /* its own: what is owed to one member */
};

/* Durable. */
struct multi_state {
    struct registers
        owed[REPLICATED_MEMBERS_MAX]; /* by member: by key, what it has not confirmed */
    uint64_t begun;                   /* calls of its own so far */
    uint64_t leaders;                 /* bits; the same at all */
    uint32_t leader;                  /* the one it follows, or itself */
    bool opened;
};

/* Volatile. */
struct multi_memory {
    uint64_t repeats; /* bits: members to whom what is owed is under way once more */
    bool ticks;       /* a timer is set */
};

static struct multi_state *state_of(const struct replica *r)
{
    return r->state;
}
static struct multi_memory *memory_of(const struct replica *r)
{
    return replica_memory(r);
}
static uint64_t bit(uint32_t member)
{
    return UINT64_C(1) << member;
}

/* ---- who leads ---- */

static int32_t zone_of(const struct group *group, uint32_t member)
{
    return group->simulation->agents[group->replicas[member]->machine].place->zone;
}

static uint64_t leaders_of(const struct group *group)
{
    const struct pool *named = &group->config->leader;
    uint64_t leaders = 0;
    for (uint32_t i = 0; i < group->count; i++) {
        bool first = true;
        for (uint32_t k = 0; k < i; k++)
            first =
                first && (zone_of(group, i) == ZONE_NONE || zone_of(group, k) != zone_of(group, i));
        for (uint32_t k = 0; k < named->count; k++)
            if (named->agents[k] == group->replicas[i]->machine)
                leaders |= bit(i);
        if (!named->count && first)
            leaders |= bit(i);
    }
    return leaders;
}

/* The leader of the zone where an agent stands, else the one with the shortest way; of several the
 * first. */
static uint32_t leader_for(const struct agent *from, const struct group *group, uint64_t leaders)
{
    uint32_t nearest = 0;
    double least_ns = -1;
    int32_t zone = from->place->zone;
    for (uint32_t i = 0; i < group->count; i++)
        if (leaders & bit(i) && zone != ZONE_NONE && zone_of(group, i) == zone)
            return i;
    for (uint32_t i = 0; i < group->count; i++) {
        double ns = leaders & bit(i) ? link_round_trip_ns(from, replica_agent(group, i)) : -1;
        if (ns < 0 || (least_ns >= 0 && ns >= least_ns))
            continue;
        nearest = i;
        least_ns = ns;
    }
    return nearest;
}

static bool multi_leads(const struct replica *r)
{
    return state_of(r)->leaders & bit(r->number);
}

static uint32_t next_leader(const struct group *group, uint64_t leaders, uint32_t after)
{
    uint32_t next = after;
    do
        next = (next + 1) % group->count;
    while (!(leaders & bit(next)));
    return next;
}

/* Bits: whom this member tells of a value that came from member `from`, or is its own. */
static uint64_t listeners(const struct replica *r, uint32_t from)
{
    const struct group *group = r->group;
    uint64_t leaders = state_of(r)->leaders, to = 0;
    bool own = from == r->number;
    if (!multi_leads(r))
        return 0;
    uint32_t hub = next_leader(group, leaders, group->count - 1);
    switch ((enum replicated_topology)group->config->topology) {
    case REPLICATED_ALL_TO_ALL:
        to = own ? leaders : 0;
        break;
    case REPLICATED_RING:
        to = bit(next_leader(group, leaders, r->number));
        break;
    case REPLICATED_STAR:
        to = r->number == hub ? leaders : own ? bit(hub) : 0;
        break;
    }
    for (uint32_t i = 0; i < group->count; i++)
        if (!(leaders & bit(i)) && state_of(group->replicas[i])->leader == r->number)
            to |= bit(i);
    return to & ~bit(r->number) & ~bit(from);
}

/* ---- telling ---- */

static void set_timer(struct replica *r)
{
    if (memory_of(r)->ticks)
        return;
    memory_of(r)->ticks = true;
    timer_after(r->agent, r->group->config->retransmit, 0, 0);
}

static struct call *begin_own(struct replica *r, enum multi_stage stage, uint32_t other)
{
    struct call *c = call_begin(r->agent, ++state_of(r)->begun);
    struct replica_frame *f = call_frame(c);
    f->stage = stage;
    f->number = other;
    return c;
}

static void send(struct replica *r, struct call *c, uint32_t other, version_handle value)
{
    struct call *m = replica_tell(r, c, other, MULTI_VALUE, conflict_bytes(r->group, value));
    m->version = value;
    m->key = conflict_newest(r->group, value)->key;
    m->operation = conflict_newest(r->group, value)->operation;
}

/* Everybody who is to have it: now, and until it is confirmed. */
static void tell_all(struct replica *r, version_handle value, uint32_t from)
{
    uint64_t to = listeners(r, from), key = conflict_newest(r->group, value)->key;
    for (uint32_t i = 0; i < r->group->count; i++) {
        if (!(to & bit(i)))
            continue;
        registers_set(&state_of(r)->owed[i], key, value);
        struct call *c = begin_own(r, MULTI_TELLS, i);
        send(r, c, i, value);
        call_await(c, r->agent, 1, r->group->config->retransmit);
        set_timer(r);
    }
}

/* The next ones that are owed; ends where nothing is. */
static void repeat(struct replica *r, struct call *c)
{
    uint32_t other = ((struct replica_frame *)call_frame(c))->number;
    const struct registers *owed = &state_of(r)->owed[other];
    if (c->sent)
        call_round(c, r->agent);
    for (uint32_t i = 0; i < owed->room && c->sent < OWED_AT_ONCE; i++)
        if (owed->slots[i].version)
            send(r, c, other, owed->slots[i].version);
    if (c->sent) {
        call_await(c, r->agent, c->sent, r->group->config->retransmit);
        return;
    }
    memory_of(r)->repeats &= ~bit(other);
    call_free(c, r->agent);
}

static void multi_tick(struct agent *agent, uint32_t tag, uint64_t argument)
{
    struct replica *r = replica_of(agent);
    struct multi_memory *memory = memory_of(r);
    (void)tag, (void)argument;
    memory->ticks = false;
    for (uint32_t i = 0; i < r->group->count; i++) {
        if (!state_of(r)->owed[i].used)
            continue;
        set_timer(r);
        if (memory->repeats & bit(i))
            continue;
        memory->repeats |= bit(i);
        repeat(r, begin_own(r, MULTI_REPEATS, i));
    }
}

static void multi_settle(struct agent *agent, struct call *parent, struct call *child)
{
    struct replica *r = replica_of(agent);
    if (!replica_is_peer(r, child->agent) || child->status != STATUS_OK)
        return;
    (void)parent;
    struct registers *owed = &state_of(r)->owed[child->agent - r->group->first];
    if (registers_get(owed, child->key) == (version_handle)child->version)
        registers_erase(owed, child->key); /* else more has come meanwhile */
}

/* ---- operations ---- */

static void write_done(struct replica *r, struct call *c)
{
    struct group *group = r->group;
    bool keyed = c->traits & REQUEST_IDEMPOTENT;
    version_handle held = registers_get(&r->registers, c->key);
    version_handle known = keyed ? registers_get(&group->known, c->op_id) : 0;
    if (store_type(r->agent, c) == OPERATION_CAS && !known &&
        !store_matches(c, held ? conflict_newest(group, held)->op_id : 0)) {
        conflict_serve(r, c, held);
        replica_reply(r, c, STATUS_FAIL);
        return;
    }
    if (!known) {
        struct replica_frame *f = call_frame(c);
        f->held[0] = conflict_accept(r, c, held);
        if (keyed)
            registers_set(&group->known, c->op_id, f->held[0]);
        conflict_take(r, f->held[0]);
        tell_all(r, registers_get(&r->registers, c->key), r->number);
    }
    c->version = c->op_id;
    replica_reply(r, c, STATUS_OK);
}

static void operation_done(struct replica *r, struct call *c)
{
    if (c->wake != WAKE_JOINED) {
        replica_reply(r, c, STATUS_FAIL); /* its machine has refused it */
    } else if (store_writes(store_type(r->agent, c))) {
        write_done(r, c);
    } else {
        conflict_serve(r, c, registers_get(&r->registers, c->key));
        replica_reply(r, c, STATUS_OK);
    }
}

static void received(struct replica *r, struct call *c)
{
    bool joined = c->wake == WAKE_JOINED;
    version_handle value = (version_handle)c->version;
    if (joined && conflict_take(r, value))
        tell_all(r, registers_get(&r->registers, conflict_newest(r->group, value)->key),
                 c->from - r->group->first);
    replica_reply(r, c, joined ? STATUS_OK : STATUS_FAIL);
}

static void multi_step(struct agent *agent, struct call *c)
{
    struct replica *r = replica_of(agent);
    struct replica_frame *f = call_frame(c);
    bool peer = replica_is_peer(r, c->from);
    if (c->wake == WAKE_ARRIVED) {
        f->stage = peer ? MULTI_RECEIVES : MULTI_WORKS;
        replica_work(r, c, peer ? STORE_WORK_WRITE : store_work(store_type(agent, c)));
        return;
    }
    switch ((enum multi_stage)f->stage) {
    case MULTI_NEW:
    case MULTI_WORKS:
        if (c->wake == WAKE_CANCELLED)
            replica_reply(r, c, STATUS_INFO);
        else
            operation_done(r, c);
        break;
    case MULTI_RECEIVES:
        received(r, c);
        break;
    case MULTI_TELLS:
        call_free(c, agent);
        break;
    case MULTI_REPEATS:
        if (c->wake == WAKE_JOINED) {
            repeat(r, c);
            break;
        }
        memory_of(r)->repeats &= ~bit(f->number); /* until the next tick */
        call_free(c, agent);
        break;
    }
}

/* ---- the mode ---- */

/* The leaders are known when all members of the group are: with the first one that starts. */
static void open(struct group *group)
{
    uint64_t leaders = leaders_of(group);
    for (uint32_t i = 0; i < group->count; i++) {
        struct replica *r = group->replicas[i];
        struct multi_state *state = state_of(r);
        for (uint32_t k = 0; k < group->count; k++)
            registers_init(&state->owed[k], &group->simulation->arena);
        state->leaders = leaders;
        state->leader = leaders & bit(i) ? i : leader_for(r->agent, group, leaders);
        state->opened = true;
    }
}

static void multi_start(struct agent *agent)
{
    struct replica *r = replica_of(agent);
    if (!state_of(r)->opened)
        open(r->group);
    for (uint32_t i = 0; i < r->group->count; i++)
        if (state_of(r)->owed[i].used)
            set_timer(r);
}

static uint32_t multi_route(struct agent *caller, struct group *group, const struct call *c)
{
    uint64_t leaders = state_of(group->replicas[0])->leaders;
    uint32_t leader;
    conflict_sent(group, caller, c);
    if (group->config->conflict == CONFLICT_STICKY) {
        uint64_t nth = random_mix(random_mix(c->key)) % (uint64_t)__builtin_popcountll(leaders);
        leader = next_leader(group, leaders, group->count - 1);
        while (nth--)
            leader = next_leader(group, leaders, leader);
    } else {
        leader = leader_for(caller, group, leaders);
    }
    if (store_writes(store_type(caller, c)))
        return leader;
    return replicated_reader(caller, group, c, leader);
}

static void multi_keep(struct group *group)
{
    replicated_keep_known(group);
    for (uint32_t i = 0; i < group->count; i++)
        for (uint32_t k = 0; k < group->count; k++)
            registers_keep(&state_of(group->replicas[i])->owed[k], &group->versions);
    conflict_keep(group);
}

static double multi_copies(const struct replicated_config *config, enum operation_type type)
{
    return store_writes(type) ? config->members.count : 1;
}

const struct replicated_mode replicated_multi_leader = {
    .state_size = sizeof(struct multi_state),
    .memory_size = sizeof(struct multi_memory),
    .frame_size = sizeof(struct replica_frame),
    .vector = 1,
    .start = multi_start,
    .step = multi_step,
    .settle = multi_settle,
    .tick = multi_tick,
    .finish = conflict_finish,
    .route = multi_route,
    .leads = multi_leads,
    .keep = multi_keep,
    .copies = multi_copies,
};
