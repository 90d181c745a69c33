/* A replicated store: the table of the kind, and what its modes share (models/replicated.h). */
#include "models/replicated.h"

#include "engine/kernel/consistency.h"
#include "engine/kernel/watch.h"
#include "models/registry.h"
#include "models/replicated_leaderless.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

static const struct replicated_mode *const modes[REPLICATED_MODES] = {
    [REPLICATED_SINGLE_LEADER] = &replicated_single_leader,
    [REPLICATED_RAFT] = &replicated_raft,
    [REPLICATED_LEADERLESS] = &replicated_leaderless,
    [REPLICATED_MULTI_LEADER] = &replicated_multi_leader,
};

/* ---- making the group ---- */

static struct group *group_new(struct agent *agent)
{
    struct simulation *s = agent->simulation;
    const struct blueprint_node *n = &s->blueprint->nodes[agent->node];
    struct group *group = arena_new(&s->arena, struct group);
    group->simulation = s;
    group->config = agent->configs[0];
    group->mode = modes[group->config->mode];
    group->count = n->count;
    group->first = n->first;
    group->replicas = arena_array(&s->arena, n->count, struct replica *);
    group->view_terms = arena_array(&s->arena, s->agent_count, uint32_t);
    group->views = arena_array(&s->arena, s->agent_count, uint32_t);
    registers_init(&group->known, &s->arena);
    registers_init(&group->pins, &s->arena);
    versions_init(&group->versions, &s->arena, group->mode->vector ? n->count : 0);
    CHECK(group->mode->frame_size <= REPLICATED_FRAME);
    CHECK(group->mode->memory_size <= REPLICATED_MEMORY);
    return group;
}

/* The data is the group's: of its own a member has none. */
static void machine_hides(const struct agent *machine)
{
    struct record *record = consistency_record(machine);
    for (uint32_t m = 0; record && m < CONSISTENCY_METRICS; m++)
        record_hide(record, m);
}

/* Every replica of the group, when the first agent of it starts: agents of one place may start in
 * any order, and calls come only later. */
static void group_open(struct agent *agent)
{
    struct simulation *s = agent->simulation;
    struct group *group = group_new(agent);
    for (uint32_t i = 0; i < group->count; i++) {
        struct replica *r = arena_new(&s->arena, struct replica);
        struct agent *at = &s->agents[group->first + i];
        *r = (struct replica){
            .group = group,
            .agent = at,
            .number = i,
            .machine = s->blueprint->hosts[at->index],
            .state = arena_take(&s->arena, group->mode->state_size),
        };
        registers_init(&r->registers, &s->arena);
        group->replicas[i] = r;
        *(struct replica **)at->durable = r;
        machine_hides(&s->agents[r->machine]);
    }
}

static void replicated_start(struct agent *agent)
{
    if (!replica_of(agent))
        group_open(agent);
    struct replica *r = replica_of(agent);
    r->group->mode->start(agent);
}

static void replicated_step(struct agent *agent, struct call *c)
{
    replica_of(agent)->group->mode->step(agent, c);
}

static void replicated_settle(struct agent *agent, struct call *parent, struct call *child)
{
    replica_of(agent)->group->mode->settle(agent, parent, child);
}

static void replicated_tick(struct agent *agent, uint32_t tag, uint64_t argument)
{
    replica_of(agent)->group->mode->tick(agent, tag, argument);
}

static void replicated_finish(struct agent *agent)
{
    struct replica *r = replica_of(agent);
    if (r && r->group->mode->finish)
        r->group->mode->finish(agent);
}

static uint32_t replicated_route(struct agent *caller, uint32_t node, const struct call *c)
{
    const struct simulation *s = caller->simulation;
    struct replica *r = replica_of(&s->agents[s->blueprint->nodes[node].first]);
    struct group *group = r->group;
    PROBE(s, ask, replica_agent(group, 0), c);
    return group->first + group->mode->route(caller, group, c);
}

uint32_t replicated_nearest(const struct agent *caller, const struct group *group)
{
    uint32_t nearest = 0;
    double least_ns = 0;
    for (uint32_t i = 0; i < group->count; i++) {
        double ns = link_round_trip_ns(caller, replica_agent(group, i));
        if (i && ns >= least_ns)
            continue;
        nearest = i;
        least_ns = ns;
    }
    return nearest;
}

uint32_t replicated_view(struct group *group, const struct agent *caller)
{
    uint32_t at = caller->index;
    bool newer = group->leader_term > group->view_terms[at];
    int64_t known_ns = group->known_ns + group->config->discovery;
    if (newer && simulation_now(group->simulation) >= known_ns &&
        link_is_open(replica_agent(group, group->leader), caller)) {
        group->views[at] = group->leader;
        group->view_terms[at] = group->leader_term;
    }
    return group->views[at];
}

uint32_t replicated_reader(struct agent *caller, const struct group *group, const struct call *c,
                           uint32_t leader)
{
    const struct replicated_config *config = replica_agent(group, 0)->configs[c->operation];
    uint32_t other;
    if (group->count == 1)
        return leader;
    switch ((enum replicated_reads)config->reads) {
    case REPLICATED_READ_LEADER:
        break;
    case REPLICATED_READ_FOLLOWER:
        other = (uint32_t)stream_below(agent_stream(caller, STREAM_PICK), group->count - 1);
        return other + (other >= leader);
    case REPLICATED_READ_ANY:
        return (uint32_t)stream_below(agent_stream(caller, STREAM_PICK), group->count);
    case REPLICATED_READ_NEAREST:
        return replicated_nearest(caller, group);
    }
    return leader;
}

static uint32_t first_leader(const struct simulation *s, const struct agent *first)
{
    const struct replicated_config *config = first->configs[0];
    for (uint32_t i = 0; config->leader.count && i < s->blueprint->nodes[first->node].count; i++)
        if (s->blueprint->hosts[first->index + i] == config->leader.agents[0])
            return i;
    return 0;
}

uint32_t replicated_first_leader(const struct group *group)
{
    return first_leader(group->simulation, replica_agent(group, 0));
}

/* At time 0 nothing has started yet. */
static bool replicated_leads(const struct agent *member)
{
    const struct simulation *s = member->simulation;
    const struct replica *r = replica_of(member);
    const struct replicated_config *config = member->configs[0];
    if (!modes[config->mode]->leads)
        return false;
    if (r)
        return modes[config->mode]->leads(r);
    return first_leader(s, &s->agents[s->blueprint->nodes[member->node].first]) + 1 ==
           member->number;
}

static bool replicated_led(const void *config)
{
    const struct replicated_config *replicated = config;
    return modes[replicated->mode]->leads != NULL;
}

bool replica_leads(const struct replica *replica)
{
    return replica->number == replica->group->leader;
}

/* ---- versions ---- */

/* A call of the group or to it may carry a handle where it carries a version; what is none of them
 * marks at worst a version too many. */
static void keep_carried(struct group *group)
{
    struct simulation *s = group->simulation;
    for (uint32_t i = 1; i < s->pool_used; i++) {
        struct call *c = call_at(s, i);
        bool at = c->agent - group->first < group->count;
        if (c->state == CALL_FREE || !(at || c->from - group->first < group->count))
            continue;
        if (c->version < group->versions.used)
            version_keep(&group->versions, (version_handle)c->version);
        if (!at || c->state == CALL_FLIGHT)
            continue;
        const struct replica_frame *f = call_frame(c);
        for (uint32_t k = 0; k < 2; k++)
            if (f->held[k] < group->versions.used)
                version_keep(&group->versions, f->held[k]);
    }
}

void replicated_keep_known(struct group *group)
{
    const struct simulation *s = group->simulation;
    struct registers old = group->known;
    group->known = group->pins;
    group->pins = old;
    registers_clear(&group->known);
    for (uint32_t i = 1; i < s->pool_used; i++) {
        const struct call *c = call_at(s, i);
        version_handle known = c->state == CALL_FREE ? 0 : registers_get(&old, c->op_id);
        if (!known)
            continue;
        registers_set(&group->known, c->op_id, known);
        version_keep(&group->versions, known);
    }
}

static void collect(struct group *group)
{
    versions_collect_begin(&group->versions);
    for (uint32_t i = 0; i < group->count; i++)
        registers_keep(&group->replicas[i]->registers, &group->versions);
    keep_carried(group);
    group->mode->keep(group);
    versions_collect_end(&group->versions);
}

version_handle replica_version(struct replica *replica, const struct version *version)
{
    struct group *group = replica->group;
    if (versions_full(&group->versions))
        collect(group);
    return version_new(&group->versions, version);
}

void replica_apply(struct replica *replica, version_handle handle)
{
    const struct version *version = version_at(&replica->group->versions, handle);
    registers_set(&replica->registers, version->key, handle);
    PROBE(replica->group->simulation, apply, replica->agent, version);
}

void replica_serve(struct replica *replica, struct call *c)
{
    version_handle held = registers_get(&replica->registers, c->key);
    const struct version *version = held ? version_at(&replica->group->versions, held) : NULL;
    PROBE(replica->group->simulation, serve, replica->agent, c, &version, version != NULL);
    c->version = version ? version->op_id : 0;
}

/* ---- messages ---- */

void replica_work(struct replica *replica, struct call *c, enum store_verb work)
{
    struct call *child = call_to(c, replica->agent, replica->machine, UINT16_MAX, 0);
    child->verb = (uint8_t)work;
    child->traits &= (uint8_t)~REQUEST_PEER;
    child->size = 0;
    call_await(c, replica->agent, 1, TIME_NONE);
}

struct call *replica_tell(struct replica *replica, struct call *c, uint32_t number, uint8_t verb,
                          uint32_t bytes)
{
    struct call *child =
        call_to(c, replica->agent, replica->group->first + number, (uint16_t)number, bytes);
    child->verb = verb;
    child->traits |= REQUEST_PEER;
    return child;
}

void replica_answer(struct replica *replica, struct call *c)
{
    if (c->flags & CALL_POST)
        return;
    if (replica_is_peer(replica, c->from)) {
        c->verb = REASON_NONE;
        call_answer(c, replica->agent, STATUS_OK, 0);
    } else {
        caller_answer(c, replica->agent);
    }
}

void replica_reply(struct replica *replica, struct call *c, enum status status)
{
    if (replica_is_peer(replica, c->from)) {
        c->verb = REASON_NONE;
        call_reply(c, replica->agent, status, 0);
    } else {
        caller_reply(c, replica->agent, status, REASON_NONE);
    }
}

static const char *replicated_check(const void *config)
{
    const struct replicated_config *replicated = config;
    bool raft = replicated->mode == REPLICATED_RAFT;
    bool multi = replicated->mode == REPLICATED_MULTI_LEADER;
    if (replicated->members.count > REPLICATED_MEMBERS_MAX)
        return "a replicated store has at most 63 members";
    if (raft && replicated->election_max < replicated->election_min)
        return "election_max is below election_min";
    if (raft && replicated->failover == REPLICATED_FAILOVER)
        return "raft elects its leaders itself: it has no `failover`";
    if (raft && replicated->session)
        return "the leader of raft is asked and is never behind: it has no `session`";
    if (raft && replicated->batch)
        return "raft sends every entry at once: it has no `batch`";
    if (raft && replicated->ack != REPLICATED_ASYNC)
        return "raft answers when a majority has it: it has no `ack`";
    const char *why = quorum_check(replicated);
    if (why)
        return why;
    if (multi && replicated->session)
        return "several leaders promise sessions nothing: they have no `session`";
    if (!multi && replicated->leader.group == REPLICATED_PER_ZONE)
        return "`leader: per_zone` needs `mode: multi_leader`";
    if (!multi && replicated->leader.count > 1)
        return "several leaders need `mode: multi_leader`";
    if (!multi && replicated->failover == REPLICATED_NO_FAILOVER &&
        replicated->on_partition == REPLICATED_ACCEPTS)
        return "`on_partition: accept` needs `failover`, whose detector says when";
    return NULL;
}

/* ---- the predicted load ---- */

static double load_none(const void *config)
{
    (void)config;
    return 0;
}

static double load_unlimited(const void *config)
{
    (void)config;
    return (double)INFINITY;
}

static const struct pool *load_target(const void *config)
{
    (void)config;
    return NULL;
}

static double load_walk(const void *config, double speed, const struct load_visitor *visitor)
{
    const struct replicated_config *replicated = config;
    (void)speed;
    double copies = modes[replicated->mode]->copies(replicated, visitor->type);
    return visitor->call(visitor->context, &replicated->members, copies, OPERATION_SAME);
}

/* A sweep may go over modes: what one of them has no use for is said, and no mistake. */
static const char *replicated_doubt(const void *config, const char *key)
{
    const struct replicated_config *replicated = config;
    bool one = replicated->mode == REPLICATED_SINGLE_LEADER || replicated->mode == REPLICATED_RAFT;
    if (one && !strcmp(key, "conflict"))
        return "has nothing to resolve: one leader accepts all writes";
    if (replicated->mode == REPLICATED_MULTI_LEADER && !strcmp(key, "failover"))
        return "has no meaning: of several leaders nobody is promoted";
    if (replicated->mode == REPLICATED_MULTI_LEADER && !strcmp(key, "ack"))
        return "has no meaning: each of several leaders answers when it has written itself";
    if (replicated->mode != REPLICATED_MULTI_LEADER && !strcmp(key, "topology"))
        return "is of several leaders, and here is none";
    return NULL;
}

const struct kind replicated_kind = {
    .name = "replicated",
    .summary = "A store with a copy of the data on every member: a group, no machine.",
    .semantics =
        "A group has no machine and no hop: a caller's message goes straight to the member that "
        "the rule picks. Every member keeps a copy; what they tell one another are messages over "
        "the links between them, so that latency, loss, partitions, crashes, pauses and slow "
        "machines act on the protocol by themselves. Work - a point read, a write, also of what "
        "was received - is done by the member's machine, in its slots. A crash loses what was "
        "under way and no data. `name.2` is the copy on the second member. "
        "In `leaderless` a caller's message goes to the member that coordinates, whoever it is and "
        "whether it is up; that one asks the replicas, itself too. A client that asks all replicas "
        "itself is one whose coordinator stands beside it (`coordinator: nearest`). Of an update "
        "or "
        "a compare-and-set it makes a read and then a write: nothing forbids "
        "others in between; `validate` foresees the write alone.",
    .fields = &replicated_fields,
    .tables = {&visit_metrics, &consistency_metrics, &watch_metrics},
    .flags = KIND_VISITED | KIND_GROUP | KIND_STORE,
    .config_size = sizeof(struct replicated_config),
    .volatile_size = REPLICATED_MEMORY,
    .durable_size = sizeof(struct replica *),
    .frame_size = REPLICATED_FRAME,
    .start = replicated_start,
    .step = replicated_step,
    .settle = replicated_settle,
    .tick = replicated_tick,
    .check = replicated_check,
    .doubt = replicated_doubt,
    .finish = replicated_finish,
    .route = replicated_route,
    .leads = replicated_leads,
    .led = replicated_led,
    .load = &(const struct kind_load){.work_ns = load_none,
                                      .slots = load_unlimited,
                                      .target = load_target,
                                      .walk = load_walk},
};
