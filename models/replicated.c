/* A replicated store: the table of the kind, and what its modes share (models/replicated.h). */
#include "models/replicated.h"

#include "models/parts/running_interval.h"
#include "models/registry.h"

#include <math.h>
#include <stddef.h>

static const struct replicated_mode *const modes[REPLICATED_MODES] = {
    [REPLICATED_SINGLE_LEADER] = &replicated_single_leader,
};

static const struct field_word mode_words[] = {
    [REPLICATED_SINGLE_LEADER] =
        {"single_leader",
         "All writes go to one member, the leader, which sends its log to the others, the "
         "followers.",
         NULL},
    {0},
};

static const struct field_word ack_words[] = {
    [REPLICATED_ASYNC] = {"async", "The leader answers as soon as it has written itself.", NULL},
    [REPLICATED_SEMI_SYNC] = {"semi_sync", "When one follower has written it too.", NULL},
    [REPLICATED_QUORUM] = {"quorum", "When a majority of the members has, the leader included.",
                           NULL},
    [REPLICATED_ALL] = {"all", "When every member has.", NULL},
    {0},
};

static const struct field nearest_fields[] = {
    {.name = "lag",
     .type = FIELD_TIME,
     .offset = offsetof(struct replicated_config, lag),
     .otherwise = "none",
     .flags = FIELD_NONE,
     .summary = "A follower that has not heard for so long that it is up to date hands the read on "
                "to the leader."},
    {0},
};

static const struct field_word read_words[] = {
    [REPLICATED_READ_LEADER] = {"leader", "Reads go where the writes go.", NULL},
    [REPLICATED_READ_FOLLOWER] = {"follower", "To one of the others, each as likely.", NULL},
    [REPLICATED_READ_ANY] = {"any", "To one of all members, each as likely.", NULL},
    [REPLICATED_READ_NEAREST] =
        {"nearest", "To the member with the shortest way there and back from the caller.",
         &(const struct field_table){.fields = nearest_fields}},
    {0},
};

static const struct field timeout_fields[] = {
    {.name = "after",
     .type = FIELD_TIME,
     .offset = offsetof(struct replicated_config, timeout),
     .otherwise = "3s",
     .flags = FIELD_WHOLE,
     .min = 1,
     .summary = "Without a sign of life."},
    {0},
};

static const struct field_word phi_laws[] = {
    [INTERVALS_NORMAL] = {"normal", "Intervals are taken for normally distributed (Akka).", NULL},
    [INTERVALS_EXPONENTIAL] = {"exponential", "For exponentially distributed ones (Cassandra).",
                               NULL},
    {0},
};

static const struct field phi_fields[] = {
    {.name = "phi",
     .type = FIELD_NUMBER,
     .offset = offsetof(struct replicated_config, phi),
     .otherwise = "8",
     .flags = FIELD_WHOLE,
     .min = 0.01,
     .summary = "A longer silence has the probability 10^-phi."},
    {.name = "law",
     .type = FIELD_WORD,
     .offset = offsetof(struct replicated_config, phi_law),
     .otherwise = "normal",
     .flags = FIELD_WHOLE,
     .words = phi_laws,
     .summary = "What the last 128 intervals are taken for."},
    {0},
};

static const struct field_word detectors[] = {
    [REPLICATED_TIMEOUT] = {"timeout", "A silence of this length.",
                            &(const struct field_table){.fields = timeout_fields}},
    [REPLICATED_PHI_ACCRUAL] =
        {"phi_accrual",
         "A silence that is improbable by the intervals seen so far (Hayashibara et al. 2004).",
         &(const struct field_table){.fields = phi_fields}},
    {0},
};

static const struct field_word promotions[] = {
    [REPLICATED_MOST_RECENT] = {"most_recent",
                                "A member with the longest log among those that vote.", NULL},
    [REPLICATED_FIRST] = {"first", "Who asks first, whatever it has.", NULL},
    [REPLICATED_PRIORITY] = {"priority",
                             "The first of the members as they are written that can be reached.",
                             NULL},
    [REPLICATED_MANUAL] = {"manual", "Nobody: the store waits for its leader.", NULL},
    {0},
};

static const struct field_word pings[] = {
    [REPLICATED_PINGS_APART] = {"apart", "Signs of life do not wait for the machine.", NULL},
    [REPLICATED_PINGS_QUEUED] =
        {"queued", "They wait in the machine's queue like everybody: a busy leader looks dead.",
         NULL},
    {0},
};

static const struct field_word returns[] = {
    [REPLICATED_RETURNS] = {"follower", "It follows the new one; what it had alone is taken back.",
                            NULL},
    [REPLICATED_STAYS_AWAY] = {"none", "It stays out.", NULL},
    {0},
};

static const struct field failover_record[] = {
    {.name = "heartbeat",
     .type = FIELD_TIME,
     .offset = offsetof(struct replicated_config, heartbeat),
     .otherwise = "500ms",
     .flags = FIELD_WHOLE,
     .min = 1,
     .summary = "From one sign of life of the leader to the next."},
    {.name = "timeout",
     .type = FIELD_TIME,
     .offset = offsetof(struct replicated_config, timeout),
     .otherwise = "3s",
     .flags = FIELD_WHOLE,
     .min = 1,
     .summary = "Short for detector: timeout(..)."},
    {.name = "detector",
     .type = FIELD_WORD,
     .offset = offsetof(struct replicated_config, detector),
     .otherwise = "timeout",
     .flags = FIELD_WHOLE,
     .words = detectors,
     .summary = "When a member takes the leader for dead."},
    {.name = "promotion",
     .type = FIELD_WORD,
     .offset = offsetof(struct replicated_config, promotion),
     .otherwise = "most_recent",
     .flags = FIELD_WHOLE,
     .words = promotions,
     .summary = "Who leads then. Of three and more members a majority must agree, of a pair the "
                "other one does it alone."},
    {.name = "fencing",
     .type = FIELD_BOOL,
     .offset = offsetof(struct replicated_config, fencing),
     .otherwise = "false",
     .flags = FIELD_WHOLE,
     .summary = "The promotion shuts the old leader off at once, by a way of its own that no "
                "partition cuts; without it that one goes on until it hears of the new one."},
    {.name = "discovery",
     .type = FIELD_TIME,
     .offset = offsetof(struct replicated_config, discovery),
     .otherwise = "0s",
     .flags = FIELD_WHOLE,
     .summary = "How long after a promotion callers learn of it, who can reach the new leader; "
                "those who ask another member are sent on by it and know from then on."},
    {.name = "pings",
     .type = FIELD_WORD,
     .offset = offsetof(struct replicated_config, pings),
     .otherwise = "apart",
     .flags = FIELD_WHOLE,
     .words = pings,
     .summary = "What a sign of life waits for."},
    {.name = "return",
     .type = FIELD_WORD,
     .offset = offsetof(struct replicated_config, comes_back),
     .otherwise = "follower",
     .flags = FIELD_WHOLE,
     .words = returns,
     .summary = "What becomes of a leader that was deposed."},
    {0},
};

static const struct field_word no_failover[] = {
    [REPLICATED_NO_FAILOVER] = {"none", "The leader stays the leader, up or down.", NULL},
    {0},
};

static const struct field_word partitions[] = {
    [REPLICATED_REFUSES] = {"refuse",
                            "It refuses reads too, as soon as it takes the leader for dead.", NULL},
    [REPLICATED_STALE_READS] = {"stale_reads", "It answers reads with what it has.", NULL},
    [REPLICATED_ACCEPTS] =
        {"accept",
         "It answers reads, and leads itself as soon as it takes the leader for dead, whoever "
         "agrees; needs `failover`.",
         NULL},
    {0},
};

static const struct field_table replicated_fields = {
    .fields =
        (const struct field[]){
            {.name = "mode",
             .type = FIELD_WORD,
             .offset = offsetof(struct replicated_config, mode),
             .otherwise = "single_leader",
             .flags = FIELD_WHOLE,
             .words = mode_words,
             .summary = "How the members keep the same data."},
            {.name = "members",
             .type = FIELD_POOL,
             .offset = offsetof(struct replicated_config, members),
             .flags = FIELD_REQUIRED | FIELD_WHOLE,
             .summary = "The machines: databases, a counted one or a list; each keeps a copy."},
            {.name = "ack",
             .type = FIELD_WORD,
             .offset = offsetof(struct replicated_config, ack),
             .otherwise = "async",
             .flags = FIELD_WHOLE,
             .words = ack_words,
             .summary = "When a write is answered."},
            {.name = "reads",
             .type = FIELD_WORD,
             .offset = offsetof(struct replicated_config, reads),
             .otherwise = "leader",
             .words = read_words,
             .summary = "Where reads go."},
            {.name = "leader",
             .type = FIELD_POOL,
             .offset = offsetof(struct replicated_config, leader),
             .flags = FIELD_PER_REQUEST | FIELD_WHOLE,
             .summary = "The member that leads at the beginning. Left out: the first."},
            {.name = "failover",
             .type = FIELD_RECORD,
             .offset = offsetof(struct replicated_config, failover),
             .otherwise = "none",
             .flags = FIELD_WHOLE,
             .words = no_failover,
             .record = &(const struct field_table){.fields = failover_record},
             .summary = "Whether another member leads when the leader falls silent."},
            {.name = "on_partition",
             .type = FIELD_WORD,
             .offset = offsetof(struct replicated_config, on_partition),
             .otherwise = "refuse",
             .flags = FIELD_WHOLE,
             .words = partitions,
             .summary = "What a member does that does not hear its leader, as the "
                        "detector of `failover` tells."},
            {.name = "retransmit",
             .type = FIELD_TIME,
             .offset = offsetof(struct replicated_config, retransmit),
             .otherwise = "1s",
             .flags = FIELD_WHOLE,
             .min = 1,
             .summary = "What another member has not confirmed by then is sent once more."},
            {0},
        },
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
    versions_init(&group->versions, &s->arena, group->mode->vector ? n->count : 0);
    CHECK(group->mode->frame_size <= REPLICATED_FRAME);
    CHECK(group->mode->memory_size <= REPLICATED_MEMORY);
    return group;
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

void replica_reply(struct replica *replica, struct call *c, enum status status)
{
    if (replica_is_peer(replica, c->from)) {
        c->verb = REASON_NONE;
        call_reply(c, replica->agent, status, 0);
    } else {
        caller_reply(c, replica->agent, status, REASON_NONE);
    }
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

const struct kind replicated_kind = {
    .name = "replicated",
    .summary = "A store with a copy of the data on every member: a group, no machine.",
    .semantics =
        "A group has no machine and no hop: a caller's message goes straight to the member that "
        "the rule picks. Every member keeps a copy; what they tell one another are messages over "
        "the links between them, so that latency, loss, partitions, crashes, pauses and slow "
        "machines act on the protocol by themselves. Work - a point read, a write, also of what "
        "was received - is done by the member's machine, in its slots. A crash loses what was "
        "under way and no data. `name.2` is the copy on the second member.",
    .fields = &replicated_fields,
    .tables = {&visit_metrics},
    .flags = KIND_VISITED | KIND_GROUP | KIND_STORE,
    .config_size = sizeof(struct replicated_config),
    .volatile_size = REPLICATED_MEMORY,
    .durable_size = sizeof(struct replica *),
    .frame_size = REPLICATED_FRAME,
    .start = replicated_start,
    .step = replicated_step,
    .settle = replicated_settle,
    .tick = replicated_tick,
    .finish = replicated_finish,
    .route = replicated_route,
    .load = &(const struct kind_load){.work_ns = load_none,
                                      .slots = load_unlimited,
                                      .target = load_target,
                                      .walk = load_walk},
};
