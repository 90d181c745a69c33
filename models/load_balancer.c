/* A load balancer: hands each request to one of its backends and passes the answer back.
 *
 * What is simulated: the choice (load_balancer_policy.h and the policies by family), exact counts
 * of what each backend has in hand from this balancer (raised when a try is sent, lowered when its
 * answer or its giving up has come back, whether or not anyone still waited) or copies of them of a
 * certain age, a view of its own of which backends may be given work (models/parts/health.h),
 * sessions that stick, own work and slots if there are any, a timeout for each try and retries,
 * each with a new choice. What is left out: connections and their set-up, the balancers' talking to
 * each other. Ties: at random, evenly, from the balancer's stream `policy`; weighted_round_robin
 * has none that matter: the first of equals, as nginx does. */
#include "models/load_balancer_policy.h"

#include "models/parts/guard.h"
#include "models/parts/ring.h"
#include "models/registry.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct balancer_frame {
    struct station_visit visit; /* first: the station's */
    struct caller caller;
    int64_t sent_ns; /* of the present try */
    uint32_t to;
};

enum { STATION_TABLE = 1, CALLER_TABLE = BALANCER_TABLE + 1, GUARD_TABLE };

/* Rows that could hold nothing but zeros and NaN are left out. */
static void hide_idle_rows(struct agent *agent)
{
    uint32_t operations = agent->simulation->blueprint->operation_count;
    struct record *station = agent->records[STATION_TABLE], *own = agent->records[BALANCER_TABLE];
    bool passes = true, hashes = false, sticks = false, checks = false;
    for (uint32_t i = 0; i < operations; i++) {
        const struct load_balancer_config *config = agent->configs[i];
        passes = passes && station_passes(&config->station);
        hashes = hashes || load_balancer_rules[config->policy]->owner;
        sticks = sticks || config->sticky;
        checks = checks || config->health.mode != HEALTH_PERFECT;
    }
    for (uint32_t m = 0; passes && m < STATION_METRICS; m++)
        record_hide(station, m);
    if (!hashes)
        record_hide(own, BALANCER_KEYS_MOVED_RATIO);
    if (!sticks)
        record_hide(own, BALANCER_SESSIONS_MOVED);
    if (!checks) {
        record_hide(own, BALANCER_GIVEN_UP);
        record_hide(own, BALANCER_MISDIRECTED);
    }
}

static void balancer_start(struct agent *agent)
{
    struct balancer_kept *kept = agent->durable;
    station_start(&kept->station, agent, STATION_TABLE,
                  offsetof(struct load_balancer_config, station));
    balancer_open(agent, agent->memory);
    ((struct balancer *)agent->memory)->guard = caller_start(
        agent, offsetof(struct load_balancer_config, caller), GUARD_TABLE, CALLER_TABLE, NULL);
    hide_idle_rows(agent);
}

/* ---- the flow ---- */

static void finish(struct agent *agent, struct call *c, enum status status,
                   enum reply_reason reason)
{
    struct balancer_kept *kept = agent->durable;
    station_release(&kept->station, c);
    caller_reply(c, agent, status, reason);
}

static void send(struct agent *agent, struct call *c)
{
    const struct balancer *b = agent->memory;
    struct balancer_frame *f = call_frame(c);
    struct balancer_choice *choice = b->choices[c->operation];
    uint32_t to = balancer_pick(agent, choice, c);
    if (UNLIKELY(to == BALANCER_NOBODY)) {
        if (!caller_unhedged(&f->caller, &choice->config->caller, c, agent))
            finish(agent, c, caller_status(&f->caller, c), REASON_NONE);
        return;
    }
    f->sent_ns = simulation_now(agent->simulation);
    f->to = to;
    if (LIKELY(caller_send(&f->caller, &choice->config->caller, c, agent, to, 0)))
        b->connections[to]++;
}

static void note_error(struct agent *agent, uint32_t backend, uint32_t operation)
{
    struct balancer *b = agent->memory;
    if (UNLIKELY(b->checks) && health_error(&b->health, backend))
        record_count(agent->records[BALANCER_TABLE], BALANCER_GIVEN_UP, operation,
                     simulation_now(agent->simulation), 1);
}

/* A try has run out of time: that speaks against its backend. */
SELDOM static void note_timeout(struct agent *agent, const struct call *c,
                                const struct balancer_frame *f)
{
    const struct balancer *b = agent->memory;
    if (b->estimates)
        balancer_measure(agent, f->to, simulation_now(agent->simulation) - f->sent_ns);
    note_error(agent, f->to, c->operation);
}

static void go_on(struct agent *agent, struct call *c, enum station_outcome outcome)
{
    struct balancer_kept *kept = agent->durable;
    if (outcome == STATION_KEPT)
        return;
    if (outcome == STATION_LEFT)
        finish(agent, c, STATUS_FAIL, c->flags & CALL_REJECTED ? REASON_REJECTED : REASON_NONE);
    else if (station_fails(&kept->station, c))
        finish(agent, c, STATUS_FAIL, REASON_NONE);
    else
        send(agent, c);
}

SELDOM static void probe_step(struct agent *agent, struct call *c)
{
    struct balancer *b = agent->memory;
    if (health_wake(&b->health, c))
        record_count(agent->records[BALANCER_TABLE], BALANCER_GIVEN_UP, 0,
                     simulation_now(agent->simulation), 1);
}

/* Its rate limit has let the call in. */
static void come_in(struct agent *agent, struct call *c)
{
    struct balancer_kept *kept = agent->durable;
    const struct load_balancer_config *config = agent->configs[c->operation];
    if (station_passes(&config->station)) /* no work needs no slot */
        go_on(agent, c, STATION_DONE);
    else
        go_on(agent, c, station_enter(&kept->station, c));
}

static void arrive(struct agent *agent, struct call *c)
{
    const struct balancer *b = agent->memory;
    struct balancer_frame *f = call_frame(c);
    f->caller.guard = b->guard;
    enum caller_admission admission = caller_admit(&f->caller, c, agent);
    if (LIKELY(admission == CALLER_COMES_IN))
        come_in(agent, c);
    if (LIKELY(admission != CALLER_TURNED_AWAY))
        return;
    c->flags |= CALL_REJECTED;
    finish(agent, c, STATUS_FAIL, REASON_REJECTED);
}

static void balancer_step(struct agent *agent, struct call *c)
{
    const struct balancer *b = agent->memory;
    struct balancer_kept *kept = agent->durable;
    struct balancer_frame *f = call_frame(c);
    if (UNLIKELY(health_owns(c))) {
        probe_step(agent, c);
        return;
    }
    const struct load_balancer_config *config = agent->configs[c->operation];
    if (c->flags & CALL_IN_STATION) {
        go_on(agent, c, station_wake(&kept->station, c));
    } else if (c->wake == WAKE_ARRIVED) {
        arrive(agent, c);
    } else if (c->wake == WAKE_CANCELLED) {
        caller_cancel(&f->caller, c);
        station_cancel(&kept->station, c);
        finish(agent, c, STATUS_INFO, REASON_NONE);
    } else if (caller_was_delayed(&f->caller)) {
        come_in(agent, c);
    } else {
        if (UNLIKELY(caller_times_out(&f->caller, c)))
            note_timeout(agent, c, f);
        enum caller_next next = caller_wake(&f->caller, &config->caller, c, agent);
        if (next == CALLER_AGAIN)
            send(agent, c);
        else if (next == CALLER_SENT)
            b->connections[f->caller.to]++;
        else if (next == CALLER_ENDED)
            finish(agent, c, caller_status(&f->caller, c), caller_reason(&f->caller));
    }
}

/* A child says in `agent` who it was sent to, on its way back too. */
static void balancer_settle(struct agent *agent, struct call *parent, struct call *child)
{
    const struct balancer *b = agent->memory;
    if (UNLIKELY(health_owns(child)))
        return;
    CHECK(b->connections[child->agent] > 0);
    b->connections[child->agent]--;
    struct balancer_choice *choice = b->choices[child->operation];
    if (UNLIKELY(choice->config->policy == BALANCER_JOIN_IDLE_QUEUE))
        load_balancer_idle_told(agent, choice, child->agent);
    if (!parent) {
        caller_late(b->guard, child);
        return;
    }
    struct balancer_frame *f = call_frame(parent);
    caller_reads(parent, child);
    caller_settle(&f->caller, child);
    if (UNLIKELY(child->status != STATUS_OK))
        note_error(agent, child->agent, child->operation);
    else if (UNLIKELY(b->estimates != NULL))
        balancer_measure(agent, child->agent, simulation_now(agent->simulation) - f->sent_ns);
}

static void balancer_tick(struct agent *agent, uint32_t tag, uint64_t argument)
{
    struct balancer *b = agent->memory;
    (void)argument;
    if (tag == HEALTH_TICK)
        health_tick(&b->health);
    else
        balancer_refresh(agent);
}

/* ---- the predicted load ---- */

static double load_work(const void *config)
{
    return station_work_ns(&((const struct load_balancer_config *)config)->station);
}

static double load_slots(const void *config)
{
    return station_slots(&((const struct load_balancer_config *)config)->station);
}

static const struct pool *load_target(const void *config)
{
    return &((const struct load_balancer_config *)config)->to;
}

static bool load_weighted(const void *config)
{
    uint8_t policy = ((const struct load_balancer_config *)config)->policy;
    return load_balancer_rules[policy]->traits & BALANCER_WEIGHS;
}

/* The rule that chooses in the end. */
static const struct load_balancer_rule *rule_of(const struct load_balancer_config *config)
{
    return config->policy == BALANCER_ZONE_AWARE ? load_balancer_zone_rule(config)
                                                 : load_balancer_rules[config->policy];
}

static bool load_adaptive(const void *config)
{
    const struct load_balancer_rule *rule = rule_of(config);
    return rule->traits & BALANCER_COUNTS || rule == &load_balancer_join_idle_queue;
}

static bool load_near(const void *config)
{
    return ((const struct load_balancer_config *)config)->policy == BALANCER_ZONE_AWARE;
}

/* How evenly keys fall. The parts of n backends with v points each on a ring vary by
 * sqrt((n - 1)/(n v + 1)) of their mean. */
static const char *load_spread(const void *config, char *text, size_t size)
{
    const struct load_balancer_config *c = config;
    static const char *const hashed[] = {[BALANCER_HASH_KEY] = "key",
                                         [BALANCER_HASH_SESSION] = "session",
                                         [BALANCER_HASH_REQUEST] = "request"};
    const struct load_balancer_rule *rule = load_balancer_rules[c->policy];
    bool ring = c->policy == BALANCER_CONSISTENT_HASH || c->policy == BALANCER_BOUNDED_LOAD;
    int used;
    if (!rule->owner)
        snprintf(text, size, "%s%s", load_near(config) ? "within the own zone " : "",
                 load_adaptive(config)            ? "goes to whoever has capacity to spare"
                 : rule->traits & BALANCER_WEIGHS ? "goes by weight"
                                                  : "goes evenly to all");
    else if (ring) {
        used = snprintf(text, size, "by hash of the %s: parts vary by %.2g %% of their mean",
                        hashed[c->hash], 100 * ring_variation(c->to.count, (double)c->vnodes));
        if (c->policy == BALANCER_BOUNDED_LOAD && used > 0 && (size_t)used < size)
            snprintf(text + used, size - (size_t)used, ", none above %.4g %% of it", 100 * c->load);
    } else
        snprintf(text, size, "by hash of the %s: even over %ss, however often each comes",
                 hashed[c->hash], hashed[c->hash]);
    return text;
}

static const char *doubt(const void *config, const char *key)
{
    const struct load_balancer_config *c = config;
    const struct load_balancer_rule *rule = load_balancer_rules[c->policy];
    bool draws = rule_of(c) == &load_balancer_power_of_two;
    if (!strcmp(key, "choices") && !draws)
        return "says nothing: only power_of_two draws several backends";
    if (!strcmp(key, "hash") && !rule->owner)
        return "says nothing: the policy does not hash";
    if (!strcmp(key, "refresh") && !(rule_of(c)->traits & BALANCER_COUNTS))
        return "says nothing: the policy does not look at load";
    if (!strcmp(key, "slow_start") && rule->traits & BALANCER_NO_RAMP)
        return "says nothing: idle backends come first, new or not";
    if (!strcmp(key, "slow_start") && c->health.mode == HEALTH_NONE)
        return "says nothing: with `health: none` nobody comes back";
    bool deaf = c->health.interval == TIME_NONE && c->caller.timeout == TIME_NONE;
    if (!strcmp(key, "health") && c->health.mode == HEALTH_CHECKED && deaf)
        return "hears of a dead backend only when the link gives its requests up: without probes "
               "it "
               "needs a `timeout`";
    return NULL;
}

static double load_attempts(const void *config)
{
    return 1 - ((const struct load_balancer_config *)config)->station.fail;
}

const struct kind load_balancer_kind = {
    .name = "load_balancer",
    .summary = "Hands each request to one of its backends, by a policy.",
    .semantics =
        "The backend is chosen when the balancer's own work is done (by default it has none and "
        "takes no time), for each try anew. It counts what each backend has in hand from this "
        "balancer: up when a try is sent, down when its answer has come back or has been given up, "
        "whether or not anyone still waited for it. Choices at random, also among equals, come "
        "from the balancer's stream `policy`. A restarted balancer begins with no connections. "
        "Backends "
        "that it knows to be down (`health`), that drain or have not started yet are not chosen; "
        "what they have in hand ends as it may. Where none is left the request is answered with an "
        "error at once. Several balancers have a view and counts each. `policy` may differ by "
        "operation, and then each has its own turn; the counts are shared.",
    .fields = &load_balancer_fields,
    .tables = {&visit_metrics, &station_metrics, &load_balancer_metrics, &caller_metrics,
               &guard_metrics},
    .flags = KIND_VISITED | KIND_FORWARDS,
    .config_size = sizeof(struct load_balancer_config),
    .volatile_size = sizeof(struct balancer),
    .durable_size = sizeof(struct balancer_kept),
    .frame_size = sizeof(struct balancer_frame),
    .start = balancer_start,
    .step = balancer_step,
    .settle = balancer_settle,
    .tick = balancer_tick,
    .doubt = doubt,
    .load = &(const struct kind_load){.work_ns = load_work,
                                      .slots = load_slots,
                                      .target = load_target,
                                      .weighted = load_weighted,
                                      .adaptive = load_adaptive,
                                      .near = load_near,
                                      .spread = load_spread,
                                      .attempts = load_attempts},
};
