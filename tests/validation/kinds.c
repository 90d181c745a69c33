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

/* ---- pause: stops a node once ---- */

struct pause_config {
    struct pool whom;
    int64_t at, length;
};

static const struct field_table pause_fields = {
    .fields =
        (const struct field[]){
            {.name = "whom",
             .type = FIELD_POOL,
             .offset = offsetof(struct pause_config, whom),
             .flags = FIELD_REQUIRED,
             .summary = "Whose places are paused."},
            {.name = "at",
             .type = FIELD_TIME,
             .offset = offsetof(struct pause_config, at),
             .flags = FIELD_REQUIRED,
             .summary = "Begin."},
            {.name = "for",
             .type = FIELD_TIME,
             .offset = offsetof(struct pause_config, length),
             .flags = FIELD_REQUIRED,
             .summary = "Length."},
            {0},
        },
};

static void pause_start(struct agent *agent)
{
    const struct pause_config *config = agent->configs[0];
    timer_at(agent, config->at, 0, 0);
}

static void pause_tick(struct agent *agent, uint32_t tag, uint64_t argument)
{
    const struct pause_config *config = agent->configs[0];
    struct simulation *s = agent->simulation;
    (void)argument;
    for (uint32_t i = 0; i < config->whom.count; i++) {
        uint32_t place = s->agents[config->whom.agents[i]].place->index;
        if (tag)
            place_resume(s, place);
        else
            place_pause(s, place);
    }
    if (!tag)
        timer_at(agent, config->at + config->length, 1, 0);
}

static void pause_step(struct agent *agent, struct call *c)
{
    call_reply(c, agent, STATUS_FAIL, 0);
}

const struct kind pause_kind = {
    .name = "pause",
    .summary = "Pauses the places of other nodes once.",
    .semantics = "For the validation.",
    .fields = &pause_fields,
    .tables = {&visit_metrics},
    .flags = KIND_VISITED,
    .config_size = sizeof(struct pause_config),
    .start = pause_start,
    .step = pause_step,
    .settle = no_settle,
    .tick = pause_tick,
};
