/* Timeouts and retries of one call, as a round for each try. */
#include "models/parts/caller.h"

#include <stddef.h>

static const struct field backoff_constant[] = {
    {.name = "pause",
     .type = FIELD_TIME,
     .offset = offsetof(struct caller_config, backoff_ns),
     .otherwise = "0s",
     .summary = "From the end of one try to the next."},
    {0},
};

static const struct field_word backoffs[] = {
    [CALLER_BACKOFF_CONSTANT] = {"constant", "The same pause before every further try.",
                                 &(const struct field_table){.fields = backoff_constant}},
    {0},
};

static const struct field retry_fields[] = {
    {.name = "attempts",
     .type = FIELD_COUNT,
     .offset = offsetof(struct caller_config, attempts),
     .otherwise = "3",
     .flags = FIELD_UNLIMITED,
     .min = 1,
     .summary = "Tries in all, the first included."},
    {.name = "backoff",
     .type = FIELD_WORD,
     .offset = offsetof(struct caller_config, backoff),
     .otherwise = "constant(0s)",
     .words = backoffs,
     .summary = "The pause before a further try, by the clock of the caller."},
    {0},
};

const struct field_table caller_fields = {
    .fields =
        (const struct field[]){
            {.name = "timeout",
             .type = FIELD_TIME,
             .offset = offsetof(struct caller_config, timeout),
             .otherwise = "none",
             .flags = FIELD_NONE,
             .min = 1,
             .summary = "How long each try is waited for; what is not answered by then may have "
                        "been done or not."},
            {.name = "retry",
             .type = FIELD_RECORD,
             .present = offsetof(struct caller_config, has_retry),
             .record = &(const struct field_table){.fields = retry_fields},
             .summary = "Tries again after an error, a rejection or a timeout, each time with a "
                        "new choice of the target and new work."},
            {0},
        },
};

/* The value travels with writes on the way out and with reads on the way back. */
static bool carries_value(const struct agent *agent, const struct call *c, bool back)
{
    switch (agent->simulation->blueprint->operations[c->operation].type) {
    case OPERATION_READ:
    case OPERATION_SCAN:
        return back;
    case OPERATION_WRITE:
    case OPERATION_INSERT:
    case OPERATION_UPDATE:
    case OPERATION_CAS:
    case OPERATION_SEND:
        return !back;
    case OPERATION_DELETE:
    case OPERATION_TRANSACTION:
    case OPERATION_LOGIN:
    case OPERATION_LOGOUT:
    case OPERATION_UNTYPED:
        break;
    }
    return false;
}

uint32_t caller_bytes(const struct agent *agent, const struct call *c)
{
    return c->size && carries_value(agent, c, false) ? c->size : 0;
}

bool caller_plain(const struct caller_config *config)
{
    return config->timeout == TIME_NONE && !config->has_retry;
}

void caller_send(struct caller *caller, const struct caller_config *config, struct call *c,
                 struct agent *agent, uint32_t to, uint16_t branch)
{
    uint32_t bytes = caller_bytes(agent, c);
    if (caller->tries++ && c->attempt < UINT8_MAX)
        c->attempt++;
    struct call *child = call_to(c, agent, to, branch, bytes);
    child->size = c->size; /* of the value, which whoever answers needs to know */
    child->verb = REASON_NONE;
    call_await(c, agent, 1, config->timeout);
}

enum caller_next caller_wake(struct caller *caller, const struct caller_config *config,
                             struct call *c, struct agent *agent)
{
    if (LIKELY(c->wake == WAKE_JOINED))
        return CALLER_ENDED;
    if (caller->resting) {
        caller->resting = false;
        return CALLER_AGAIN;
    }
    if (c->wake == WAKE_TIMEOUT) {
        caller->timeouts++;
        caller->unknown = true;
    }
    if (!config->has_retry || caller->tries >= config->attempts)
        return CALLER_ENDED;
    call_round(c, agent); /* an answer that comes from now on is late */
    if (!config->backoff_ns)
        return CALLER_AGAIN;
    caller->resting = true;
    call_await(c, agent, 0, config->backoff_ns);
    return CALLER_WAITS;
}

enum status caller_status(const struct caller *caller, const struct call *c)
{
    if (LIKELY(c->wake == WAKE_JOINED))
        return STATUS_OK;
    return caller->unknown ? STATUS_INFO : STATUS_FAIL;
}

void caller_reply(struct call *c, struct agent *agent, enum status status, enum reply_reason reason)
{
    c->verb = (uint8_t)reason;
    bool carries = status == STATUS_OK && c->size && carries_value(agent, c, true);
    call_reply(c, agent, status, carries ? c->size : 0);
}

double caller_attempts(const struct caller_config *config, double fail)
{
    if (!config->has_retry || fail <= 0)
        return 1;
    if (config->attempts == COUNT_UNLIMITED)
        return fail < 1 ? 1 / (1 - fail) : (double)UINT32_MAX;
    double sum = 0, reached = 1;
    for (uint64_t i = 0; i < config->attempts && reached > 1e-12; i++) {
        sum += reached;
        reached *= fail;
    }
    return sum;
}
