/* One call through its guard: sending, waiting, trying again. The tables stand in caller_tables.c,
 * the state of the guard in guard.c. */
#include "models/parts/guard.h"

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
    return config->timeout == TIME_NONE && !config->has_retry && !guard_is_needed(config, false);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ---- sending ---- */

static struct call *message_to(struct caller *caller, struct call *c, struct agent *agent,
                               uint32_t to, uint8_t copy)
{
    struct call *child = call_to(c, agent, to, caller->branch, caller_bytes(agent, c));
    child->size = c->size; /* of the value, which whoever answers needs to know */
    child->verb = REASON_NONE;
    child->attempt = (uint8_t)(copy | (caller->tries < CALLER_HEDGE_COPY ? caller->tries
                                                                         : CALLER_HEDGE_COPY - 1u));
    caller->sent++;
    return child;
}

static bool is_write(const struct agent *agent, const struct call *c)
{
    enum operation_type type = agent->simulation->blueprint->operations[c->operation].type;
    return type == OPERATION_WRITE || type == OPERATION_INSERT || type == OPERATION_UPDATE ||
           type == OPERATION_CAS || type == OPERATION_DELETE;
}

/* ---- a cache that leaves the store to its callers ----
 *
 *     read   cache --hit--> ended       write   store --ok--> cache (its answer is awaited) -->
 * ended
 *              `--miss, error, time-out--> store --ok--> ended, and the copy goes to the cache
 */

/* The store behind the cache. */
static void message_past(struct caller *caller, struct call *c, struct agent *agent, uint8_t copy)
{
    const struct agent *cache = &agent->simulation->agents[caller->to];
    const struct pool *store = cache->kind->load->target(cache->configs[c->operation]);
    caller->marks = (uint8_t)((caller->marks & ~CALLER_AT_CACHE) | CALLER_PAST_CACHE);
    message_to(caller, c, agent, pool_route(store, agent, c), copy);
}

static void message(struct caller *caller, struct call *c, struct agent *agent, uint32_t to,
                    uint8_t copy)
{
    bool aside = agent->simulation->agents[to].aside && !(agent->kind->flags & KIND_FORWARDS);
    if (LIKELY(!aside)) {
        message_to(caller, c, agent, to, copy);
        return;
    }
    caller->to = to;
    if (is_write(agent, c)) {
        message_past(caller, c, agent, copy);
        return;
    }
    caller->marks = (uint8_t)((caller->marks & ~CALLER_PAST_CACHE) | CALLER_AT_CACHE);
    message_to(caller, c, agent, to, copy)->verb = CALLER_LOOKS_UP;
}

/* The call to a cache or past it was woken: true where the next message has gone. */
static bool goes_past(struct caller *caller, const struct caller_config *config, struct call *c,
                      struct agent *agent)
{
    bool at_cache = caller->marks & CALLER_AT_CACHE, write = is_write(agent, c);
    bool missed = at_cache && (caller->marks & CALLER_PAST_CACHE || c->wake != WAKE_JOINED);
    if (at_cache && !write && missed) {
        call_round(c, agent);
        message_past(caller, c, agent, 0);
        call_await(c, agent, 1, config->timeout);
        return true;
    }
    caller->marks &= (uint8_t) ~(CALLER_AT_CACHE | CALLER_PAST_CACHE);
    if (at_cache && write)
        c->wake = WAKE_JOINED; /* the store has it, whatever became of the copy */
    if (at_cache || c->wake != WAKE_JOINED)
        return false;
    if (write) {
        caller->marks |= CALLER_AT_CACHE;
        call_round(c, agent);
        message_to(caller, c, agent, caller->to, 0)->verb = CALLER_HAS_WRITTEN;
        call_await(c, agent, 1, config->timeout);
        return true;
    }
    struct call *fill = call_send(c, agent, caller->to, c->size, caller->tries);
    fill->size = c->size;
    fill->verb = CALLER_FILLS;
    fill->deadline_ns = 0;
    return false;
}

/* What is left of the present try: its timeout counts from its begin, also while it waits for room,
 * and the deadline bounds it. */
static int64_t try_left(const struct caller *caller, const struct caller_config *config,
                        const struct call *c, const struct agent *agent)
{
    int64_t left = TIME_NONE;
    if (config->timeout != TIME_NONE)
        left = caller->since_ns + config->timeout - clock_steady(agent);
    if (c->deadline_ns) {
        int64_t until = c->deadline_ns - simulation_now(agent->simulation);
        left = left == TIME_NONE ? until : least(left, until);
    }
    return left == TIME_NONE || left > 0 ? left : 0;
}

/* When the second message is due, from the first on; TIME_NONE: not at all. */
static int64_t hedge_time(struct guard *guard, const struct caller_config *config,
                          const struct call *c)
{
    if (!guard || !config->has_hedge)
        return TIME_NONE;
    if (!config->hedge_after)
        return config->hedge_ns;
    const struct running *seen = guard_latencies(guard, config, c->operation);
    return seen->count < GUARD_HEDGE_AFTER ? TIME_NONE : running_value(seen);
}

static void count_attempt(const struct caller *caller, const struct call *c, bool hedge)
{
    const struct guard *guard = caller->guard;
    int64_t now = *guard->record->now;
    if (!guard->tries)
        return;
    record_count(guard->tries, CALLER_ATTEMPTS, c->operation, now, 1);
    if (!hedge)
        record_count(guard->tries, caller->tries == 1 ? CALLER_CALLS : CALLER_RETRY_COUNT,
                     c->operation, now, 1);
}

/* The present try goes out; room is taken already. */
static void transmit(struct caller *caller, const struct caller_config *config, struct call *c,
                     struct agent *agent)
{
    struct guard *guard = caller->guard;
    caller->state = CALLER_AWAITS;
    message(caller, c, agent, caller->to, 0);
    if (guard) {
        count_attempt(caller, c, false);
        if (guard->limits)
            record_duration(guard->record, GUARD_LIMIT_WAIT, c->operation, *guard->record->now,
                            clock_steady(agent) - caller->since_ns);
    }
    int64_t left = try_left(caller, config, c, agent), hedge = hedge_time(guard, config, c);
    bool due = hedge != TIME_NONE && (left == TIME_NONE || hedge < left);
    caller->marks = (uint8_t)((caller->marks & ~CALLER_DUE) | (due ? CALLER_DUE : 0));
    call_await(c, agent, 1, due ? hedge : left);
}

/* The second message of a try, where nothing speaks against it. */
static bool send_hedge(struct caller *caller, const struct caller_config *config, struct call *c,
                       struct agent *agent, uint32_t to)
{
    struct guard *guard = caller->guard;
    caller->state = CALLER_HEDGED;
    bool goes = !config->has_breaker || guard_target(guard, to)->breaker.state == BREAKER_CLOSED;
    goes = goes && guard_takes_room(guard, config, to);
    if (goes) {
        guard_count(guard, c, GUARD_HEDGE_COUNT);
        count_attempt(caller, c, true);
        message(caller, c, agent, to, CALLER_HEDGE_COPY);
    }
    call_await(c, agent, 1, try_left(caller, config, c, agent));
    return goes;
}

bool caller_unhedged(struct caller *caller, const struct caller_config *config, struct call *c,
                     struct agent *agent)
{
    if (caller->state != CALLER_HEDGES)
        return false;
    caller->state = CALLER_HEDGED;
    call_await(c, agent, 1, try_left(caller, config, c, agent));
    return true;
}

/* The try fails before it has gone out; its step is woken at once by an event. */
static bool refuse(struct caller *caller, struct call *c, struct agent *agent, uint8_t marks)
{
    caller->state = CALLER_REFUSED;
    caller->marks |= marks;
    call_timer(c, agent, 0);
    return false;
}

enum caller_admission caller_admit_guarded(struct caller *caller, struct call *c,
                                           struct agent *agent)
{
    struct guard *guard = caller->guard;
    int64_t delay_ns;
    if (!guard->admits)
        return CALLER_COMES_IN;
    guard_count(guard, c, GUARD_ASKED);
    if (!limiter_takes(&guard->limiter, &guard->config->limiter, simulation_now(agent->simulation),
                       &delay_ns)) {
        guard_count(guard, c, GUARD_REFUSED);
        return CALLER_TURNED_AWAY;
    }
    if (!delay_ns)
        return CALLER_COMES_IN;
    caller->state = CALLER_DELAYED;
    call_timer(c, agent, delay_ns);
    return CALLER_COMES_LATER;
}

/* What is done once for all tries. */
static void first_try(struct caller *caller, const struct caller_config *config, struct call *c,
                      const struct agent *agent)
{
    struct guard *guard = caller->guard;
    if (config->deadline > 0) {
        int64_t until = simulation_now(agent->simulation) + config->deadline;
        c->deadline_ns = c->deadline_ns ? least(c->deadline_ns, until) : until;
        guard_count(guard, c, GUARD_BEGUN);
    }
    if (config->idempotency_key)
        c->traits |= REQUEST_IDEMPOTENT;
    if (config->has_retry && config->budget) {
        double tokens = guard->tokens + config->budget_share;
        guard->tokens = tokens < config->budget_burst ? tokens : config->budget_burst;
    }
}

static bool is_past(const struct call *c, const struct agent *agent, int64_t more_ns)
{
    return c->deadline_ns && simulation_now(agent->simulation) >= c->deadline_ns - more_ns;
}

static bool send_guarded(struct caller *caller, const struct caller_config *config, struct call *c,
                         struct agent *agent, uint32_t to)
{
    struct guard *guard = caller->guard;
    if (caller->state == CALLER_HEDGES)
        return send_hedge(caller, config, c, agent, to);
    if (guard && guard->client && !caller->tries && !(caller->marks & CALLER_ADMITTED))
        switch (caller_admit_guarded(caller, c, agent)) {
        case CALLER_TURNED_AWAY:
            return refuse(caller, c, agent, CALLER_OVER);
        case CALLER_COMES_LATER:
            return false;
        case CALLER_COMES_IN:
            break;
        }
    caller->to = to;
    caller->since_ns = clock_steady(agent);
    if (guard && !caller->tries)
        first_try(caller, config, c, agent);
    caller->tries++;
    if (guard)
        guard_count(guard, c, GUARD_TRIES);
    if (is_past(c, agent, 0))
        return refuse(caller, c, agent, CALLER_OVER);
    if (guard && !guard_breaker_lets(guard, config, caller, c, to))
        return refuse(caller, c, agent, CALLER_SHORTED);
    if (guard && !guard_takes_room(guard, config, to)) {
        guard_queue(guard, caller, c);
        call_await(c, agent, 0, try_left(caller, config, c, agent));
        return false;
    }
    transmit(caller, config, c, agent);
    return true;
}

bool caller_send(struct caller *caller, const struct caller_config *config, struct call *c,
                 struct agent *agent, uint32_t to, uint16_t branch)
{
    caller->branch = branch;
    if (UNLIKELY(caller->guard || c->deadline_ns))
        return send_guarded(caller, config, c, agent, to);
    caller->tries++;
    message(caller, c, agent, to, 0);
    call_await(c, agent, 1, config->timeout);
    return true;
}

/* ---- waiting ---- */

static void joined(const struct caller *caller, const struct caller_config *config, struct call *c,
                   struct agent *agent)
{
    struct guard *guard = caller->guard;
    if (!guard)
        return;
    if (config->has_hedge && config->hedge_after)
        running_add(guard_latencies(guard, config, c->operation),
                    clock_steady(agent) - caller->since_ns, caller_percentile(config->hedge_after));
    if (caller->state == CALLER_HEDGED && config->hedge_cancel)
        call_cancel(c, agent, caller->branch);
}

/* The present try was not answered in time, or found no room in time. */
static void timed_out(struct caller *caller, const struct caller_config *config, struct call *c,
                      struct agent *agent)
{
    struct guard *guard = caller->guard;
    bool waited = caller->state == CALLER_QUEUES;
    caller->timeouts++;
    if (guard && guard->tries)
        record_count(guard->tries, CALLER_TIMEOUT_COUNT, c->operation, *guard->record->now, 1);
    if (waited) {
        guard_unqueue(guard, caller, c);
        caller->state = CALLER_AWAITS;
        if (caller->marks & CALLER_PROBES)
            breaker_forgets(&guard_target(guard, caller->to)->breaker);
        return;
    }
    caller->marks |= CALLER_UNKNOWN;
    if (guard && !c->failed)
        guard_breaker_learns(guard, c, caller->to, caller->marks & CALLER_PROBES, false);
    if (guard && config->has_hedge && config->hedge_after)
        running_add(guard_latencies(guard, config, c->operation),
                    clock_steady(agent) - caller->since_ns, caller_percentile(config->hedge_after));
    if (UNLIKELY(agent->cancels))
        call_abandon(c, agent, caller->branch);
}

/* A token for one more try. */
static bool budget_allows(struct guard *guard, const struct caller_config *config,
                          const struct call *c)
{
    if (!guard || !config->budget)
        return true;
    guard_count(guard, c, GUARD_WANTED);
    if (guard->tokens < 1 - 1e-9) { /* ten tenths make a whole */
        guard_count(guard, c, GUARD_DENIED);
        return false;
    }
    guard->tokens -= 1;
    return true;
}

/* The present try has failed: once more, after a pause, or never. */
static enum caller_next after_failure(struct caller *caller, const struct caller_config *config,
                                      struct call *c, struct agent *agent, bool timeout)
{
    struct guard *guard = caller->guard;
    bool more = config->has_retry && caller->tries < config->attempts;
    uint32_t cause = timeout ? CALLER_RETRY_TIMEOUT : CALLER_RETRY_ERROR;
    more = more && (!config->retry_on || config->retry_on & cause);
    int64_t pause_ns = 0;
    if (more) {
        uint64_t draw = call_draw(c, agent, DRAW_BACKOFF) ^ caller->tries;
        pause_ns =
            backoff_pause(&config->backoff, caller->tries, caller->pause_ns, random_mix(draw));
    }
    if (UNLIKELY(is_past(c, agent, pause_ns))) { /* none can be answered in time any more */
        if (guard && config->deadline > 0)
            guard_count(guard, c, GUARD_EXCEEDED);
        return CALLER_ENDED;
    }
    if (!more || caller->marks & CALLER_OVER || !budget_allows(guard, config, c))
        return CALLER_ENDED;
    call_round(c, agent); /* an answer that comes from now on is late */
    caller->state = CALLER_AWAITS;
    caller->marks &= (uint8_t) ~(CALLER_PROBES | CALLER_DUE);
    caller->pause_ns = pause_ns;
    if (!pause_ns)
        return CALLER_AGAIN;
    caller->state = CALLER_RESTS;
    call_await(c, agent, 0, pause_ns);
    return CALLER_WAITS;
}

enum caller_next caller_wake_guarded(struct caller *caller, const struct caller_config *config,
                                     struct call *c, struct agent *agent)
{
    bool timeout = false;
    if (UNLIKELY(caller->marks & (CALLER_AT_CACHE | CALLER_PAST_CACHE)) &&
        !(c->wake == WAKE_TIMEOUT && caller->marks & CALLER_DUE) &&
        goes_past(caller, config, c, agent))
        return CALLER_WAITS;
    if (LIKELY(c->wake == WAKE_JOINED)) {
        joined(caller, config, c, agent);
        return CALLER_ENDED;
    }
    switch ((enum caller_state)caller->state) {
    case CALLER_RESTS:
        caller->state = CALLER_AWAITS;
        return CALLER_AGAIN;
    case CALLER_DELAYED:
        caller->state = CALLER_AWAITS;
        caller->marks |= CALLER_ADMITTED;
        return CALLER_AGAIN;
    case CALLER_GRANTED:
        transmit(caller, config, c, agent);
        return CALLER_SENT;
    case CALLER_REFUSED:
        break;
    case CALLER_QUEUES:
    case CALLER_AWAITS:
    case CALLER_HEDGES:
    case CALLER_HEDGED:
        timeout = c->wake == WAKE_TIMEOUT;
        if (timeout && caller->marks & CALLER_DUE) {
            caller->marks &= (uint8_t)~CALLER_DUE;
            caller->state = CALLER_HEDGES;
            return CALLER_AGAIN;
        }
        if (timeout)
            timed_out(caller, config, c, agent);
        break;
    }
    return after_failure(caller, config, c, agent, timeout);
}

void caller_cancel(struct caller *caller, struct call *c)
{
    struct guard *guard = caller->guard;
    if (!guard)
        return;
    if (caller->state == CALLER_QUEUES)
        guard_unqueue(guard, caller, c);
    if (caller->state == CALLER_GRANTED)
        guard_gives_room(guard, caller->to);
    if (caller->marks & CALLER_PROBES)
        breaker_forgets(&guard_target(guard, caller->to)->breaker);
}

enum status caller_status(const struct caller *caller, const struct call *c)
{
    if (LIKELY(c->wake == WAKE_JOINED))
        return STATUS_OK;
    return caller->marks & CALLER_UNKNOWN ? STATUS_INFO : STATUS_FAIL;
}

static uint32_t reply_bytes(const struct agent *agent, const struct call *c, enum status status)
{
    bool carries = status == STATUS_OK && c->size && carries_value(agent, c, true);
    return carries ? c->size : 0;
}

void caller_reply(struct call *c, struct agent *agent, enum status status, enum reply_reason reason)
{
    c->verb = (uint8_t)reason;
    call_reply(c, agent, status, reply_bytes(agent, c, status));
}

void caller_answer(struct call *c, struct agent *agent)
{
    c->verb = REASON_NONE;
    call_answer(c, agent, STATUS_OK, reply_bytes(agent, c, STATUS_OK));
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
