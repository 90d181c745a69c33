/* A writer and a reader of one key, with nothing else in their way: each request writes a key that
 * nobody has used, waits, and reads it. Ok: the read returned the write; fail: it was too old. */
#include "models/replicated_leaderless.h"
#include "tests/validation/kinds.h"

struct pair_config {
    struct pool to;
    int64_t pause; /* ns from the answer to the write on */
};

/* Durable. */
struct pair_state {
    uint64_t key; /* the last one */
    uint8_t reads, writes;
};

struct pair_frame {
    uint64_t read;
};

static const struct field_table pair_fields = {
    .fields =
        (const struct field[]){
            {.name = "to",
             .type = FIELD_POOL,
             .offset = offsetof(struct pair_config, to),
             .flags = FIELD_REQUIRED,
             .summary = "A leaderless store."},
            {.name = "pause",
             .type = FIELD_TIME,
             .offset = offsetof(struct pair_config, pause),
             .otherwise = "0s",
             .summary = "Between the two."},
            {0},
        },
};

static void pair_start(struct agent *agent)
{
    const struct blueprint *b = agent->simulation->blueprint;
    struct pair_state *state = agent->durable;
    for (uint32_t i = 0; i < b->operation_count; i++) {
        if (b->operations[i].type == OPERATION_READ)
            state->reads = (uint8_t)i;
        if (b->operations[i].type == OPERATION_WRITE)
            state->writes = (uint8_t)i;
    }
}

static const struct group *group_of(const struct agent *agent, const struct pool *to)
{
    const struct simulation *s = agent->simulation;
    return replica_of(&s->agents[s->blueprint->nodes[to->group - 1].first])->group;
}

static void pair_send(struct agent *agent, struct call *c, uint8_t operation)
{
    const struct pair_config *config = agent->configs[0];
    c->operation = operation;
    call_to(c, agent, pool_route(&config->to, agent, c), 0, 0);
    call_await(c, agent, 1, TIME_NONE);
}

/* Keys that the same members keep as key 0, so that the coordinator can stand outside. */
static void pair_step(struct agent *agent, struct call *c)
{
    const struct pair_config *config = agent->configs[0];
    struct pair_state *state = agent->durable;
    const struct group *group = group_of(agent, &config->to);
    const struct pair_frame *f = call_frame(c);
    if (c->wake == WAKE_ARRIVED) {
        do
            state->key++;
        while (quorum_homes(group, state->key) != quorum_homes(group, 0));
        c->key = state->key;
        pair_send(agent, c, state->writes);
    } else if (c->wake == WAKE_JOINED && c->operation == state->writes && config->pause) {
        call_round(c, agent);
        call_await(c, agent, 0, config->pause);
    } else if (c->operation == state->writes) {
        call_round(c, agent);
        pair_send(agent, c, state->reads);
    } else {
        call_reply(c, agent, f->read == c->op_id ? STATUS_OK : STATUS_FAIL, 0);
    }
}

static void pair_settle(struct agent *agent, struct call *parent, struct call *child)
{
    (void)agent;
    if (parent)
        ((struct pair_frame *)call_frame(parent))->read = child->version;
}

static void pair_tick(struct agent *agent, uint32_t tag, uint64_t argument)
{
    (void)agent, (void)tag, (void)argument;
}

const struct kind pair_kind = {
    .name = "pair",
    .summary = "Writes a key, waits, reads it: ok if it has read its write.",
    .semantics = "For the validation.",
    .fields = &pair_fields,
    .tables = {&visit_metrics},
    .flags = KIND_VISITED,
    .config_size = sizeof(struct pair_config),
    .durable_size = sizeof(struct pair_state),
    .frame_size = sizeof(struct pair_frame),
    .start = pair_start,
    .step = pair_step,
    .settle = pair_settle,
    .tick = pair_tick,
};
