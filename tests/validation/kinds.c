#include "tests/validation/kinds.h"

#include "engine/kernel/simulation.h"

static void no_settle(struct agent *agent, struct call *parent, struct call *child)
{
    (void)agent, (void)parent, (void)child;
}

/* ---- what several calls are told ---- */

struct copies_config {
    struct pool to;
    uint64_t copies;
};

static const struct field_table copies_fields = {
    .fields =
        (const struct field[]){
            {.name = "to",
             .type = FIELD_POOL,
             .offset = offsetof(struct copies_config, to),
             .flags = FIELD_REQUIRED,
             .summary = "All of them are called."},
            {.name = "copies",
             .type = FIELD_COUNT,
             .offset = offsetof(struct copies_config, copies),
             .otherwise = "1",
             .min = 1,
             .max = 65535,
             .summary = "Calls to each of them."},
            {0},
        },
};

static void no_start(struct agent *agent)
{
    (void)agent;
}

static void no_tick(struct agent *agent, uint32_t tag, uint64_t argument)
{
    (void)agent, (void)tag, (void)argument;
}

/* ---- redundant: copies to distinct servers, the first answer cancels the others ---- */

static void redundant_step(struct agent *agent, struct call *c)
{
    const struct copies_config *config = agent->configs[c->operation];
    if (c->wake != WAKE_ARRIVED) {
        for (uint16_t i = 0; i < config->copies; i++)
            call_cancel(c, agent, i);
        call_reply(c, agent, c->wake == WAKE_JOINED ? STATUS_OK : STATUS_FAIL, 0);
        return;
    }
    uint64_t left = config->copies;
    uint16_t sent = 0;
    for (uint32_t i = 0; i < config->to.count && left; i++) { /* each set of servers as likely */
        struct stream *stream = agent_stream(agent, STREAM_PICK);
        if (stream_below(stream, config->to.count - i) >= left)
            continue;
        call_to(c, agent, config->to.agents[i], sent++, 0);
        left--;
    }
    call_await(c, agent, 1, TIME_NONE);
}

const struct kind redundant_kind = {
    .name = "redundant",
    .summary = "Sends copies to distinct targets at random; the first answer cancels the others.",
    .semantics = "For the validation.",
    .fields = &copies_fields,
    .tables = {&visit_metrics},
    .flags = KIND_VISITED | KIND_CANCELS,
    .config_size = sizeof(struct copies_config),
    .start = no_start,
    .step = redundant_step,
    .settle = no_settle,
    .tick = no_tick,
};

/* ---- wear: a node that breaks while it works ---- */

struct wear_config {
    struct pool whom;
    struct distribution every, lasts; /* ns */
};

enum { WEAR_BREAKS, WEAR_MENDED };

static const struct field_table wear_fields = {
    .fields =
        (const struct field[]){
            {.name = "whom",
             .type = FIELD_POOL,
             .offset = offsetof(struct wear_config, whom),
             .flags = FIELD_REQUIRED,
             .summary = "The node, of one instance."},
            {.name = "every",
             .type = FIELD_DURATION,
             .offset = offsetof(struct wear_config, every),
             .otherwise = "exp(1h)",
             .summary = "Time at work from a repair to the next break; exponential."},
            {.name = "lasts",
             .type = FIELD_DURATION,
             .offset = offsetof(struct wear_config, lasts),
             .otherwise = "exp(1s)",
             .summary = "Repair."},
            {0},
        },
};

static void wear_next(struct agent *agent, const struct distribution *after, uint32_t tag)
{
    uint64_t draw = stream_next(agent_stream(agent, STREAM_FAULT));
    timer_after(agent, distribution_ns(after, draw), tag, 0);
}

static void wear_start(struct agent *agent)
{
    const struct wear_config *config = agent->configs[0];
    wear_next(agent, &config->every, WEAR_BREAKS);
}

/* The exponential law has no memory: a break that comes while the node is idle is left out, and
 * what remains comes at the same rate while it works and never else. */
static void wear_tick(struct agent *agent, uint32_t tag, uint64_t argument)
{
    const struct wear_config *config = agent->configs[0];
    struct simulation *s = agent->simulation;
    const struct agent *node = &s->agents[config->whom.agents[0]];
    (void)argument;
    if (tag == WEAR_MENDED)
        place_resume(s, node->place->index);
    if (tag == WEAR_MENDED || !agent_inside(node)) {
        wear_next(agent, &config->every, WEAR_BREAKS);
        return;
    }
    place_pause(s, node->place->index);
    wear_next(agent, &config->lasts, WEAR_MENDED);
}

static void never_called(struct agent *agent, struct call *c)
{
    call_reply(c, agent, STATUS_FAIL, 0);
}

const struct kind wear_kind = {
    .name = "wear",
    .summary = "Breaks another node while it works.",
    .semantics = "For the validation.",
    .fields = &wear_fields,
    .tables = {&visit_metrics},
    .flags = KIND_VISITED,
    .config_size = sizeof(struct wear_config),
    .start = wear_start,
    .step = never_called,
    .settle = no_settle,
    .tick = wear_tick,
};

/* ---- ticking: a server that ends one request at each tick of its clock ---- */

struct ticking_config {
    int64_t every;
};

/* Those inside, a list in order of arrival. */
struct ticking {
    uint32_t head, tail;
};

static const struct field_table ticking_fields = {
    .fields =
        (const struct field[]){
            {.name = "every",
             .type = FIELD_TIME,
             .offset = offsetof(struct ticking_config, every),
             .flags = FIELD_REQUIRED,
             .min = 2,
             .summary = "From tick to tick; each comes 1 ns before a whole multiple."},
            {0},
        },
};

static void ticking_start(struct agent *agent)
{
    const struct ticking_config *config = agent->configs[0];
    timer_at(agent, config->every - 1, 0, 0);
}

static void ticking_step(struct agent *agent, struct call *c)
{
    const struct simulation *s = agent->simulation;
    struct ticking *t = agent->durable;
    c->next = 0;
    if (t->head)
        call_at(s, t->tail)->next = call_index(s, c);
    else
        t->head = call_index(s, c);
    t->tail = call_index(s, c);
    call_await(c, agent, 0, INT64_C(1) << 61);
}

static void ticking_tick(struct agent *agent, uint32_t tag, uint64_t argument)
{
    const struct ticking_config *config = agent->configs[0];
    const struct simulation *s = agent->simulation;
    struct ticking *t = agent->durable;
    (void)tag, (void)argument;
    timer_at(agent, simulation_now(s) + config->every, 0, 0);
    if (!t->head)
        return;
    struct call *c = call_at(s, t->head);
    t->head = c->next;
    call_reply(c, agent, STATUS_OK, 0);
}

const struct kind ticking_kind = {
    .name = "ticking",
    .summary = "Answers its oldest request at each tick of its clock.",
    .semantics = "For the validation.",
    .fields = &ticking_fields,
    .tables = {&visit_metrics},
    .flags = KIND_VISITED,
    .config_size = sizeof(struct ticking_config),
    .durable_size = sizeof(struct ticking),
    .start = ticking_start,
    .step = ticking_step,
    .settle = no_settle,
    .tick = ticking_tick,
};

/* ---- a row under optimistic concurrency: who reads it, then writes if nobody else has ---- */

enum { ROW_READS, ROW_WRITES };

struct row_state {
    uint64_t version;
};

static void row_step(struct agent *agent, struct call *c)
{
    struct row_state *row = agent->durable;
    bool ok = c->verb == ROW_READS || c->version == row->version;
    row->version += c->verb == ROW_WRITES && ok;
    c->version = row->version;
    call_reply(c, agent, ok ? STATUS_OK : STATUS_FAIL, 0);
}

const struct kind row_kind = {
    .name = "row",
    .summary = "One row with a version: a write succeeds where it names the present one.",
    .semantics = "For the validation.",
    .fields = &(const struct field_table){.fields = (const struct field[]){{0}}},
    .tables = {&visit_metrics},
    .flags = KIND_VISITED,
    .config_size = 1,
    .durable_size = sizeof(struct row_state),
    .start = no_start,
    .step = row_step,
    .settle = no_settle,
    .tick = no_tick,
};

/* The branch tells the draws of the two messages apart. */
static void update_step(struct agent *agent, struct call *c)
{
    const struct copies_config *config = agent->configs[c->operation];
    if (c->wake == WAKE_SHORT || c->pc > ROW_WRITES) {
        call_reply(c, agent, c->wake == WAKE_JOINED ? STATUS_OK : STATUS_FAIL, 0);
        return;
    }
    if (c->pc == ROW_WRITES)
        call_round(c, agent);
    struct call *message = call_to(c, agent, config->to.agents[0], c->pc, 0);
    message->verb = (uint8_t)c->pc++;
    call_await(c, agent, 1, TIME_NONE);
}

static void update_settle(struct agent *agent, struct call *parent, struct call *child)
{
    (void)agent;
    if (parent)
        parent->version = child->version;
}

const struct kind update_kind = {
    .name = "update",
    .summary = "Reads a row, then writes it if it is still what was read; else it has failed.",
    .semantics = "For the validation.",
    .fields = &copies_fields,
    .tables = {&visit_metrics},
    .flags = KIND_VISITED,
    .config_size = sizeof(struct copies_config),
    .start = no_start,
    .step = update_step,
    .settle = update_settle,
    .tick = no_tick,
};
