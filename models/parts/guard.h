/* What guards the calls of one instance beyond timeouts and plain retries: retry budget, breaker
 * and room for each target, rate limit, the latencies that hedges look at, and their accounts. All
 * of it is volatile: a restarted instance begins anew. */
#ifndef ORRERY_MODELS_PARTS_GUARD_H
#define ORRERY_MODELS_PARTS_GUARD_H

#include "models/parts/caller.h"
#include "models/parts/running.h"

enum guard_metric {
    GUARD_TRIES, /* hidden: begun within the window */
    GUARD_HEDGE_COUNT,
    GUARD_HEDGES,
    GUARD_WIN_COUNT,
    GUARD_HEDGE_WINS,
    GUARD_SHORT_COUNT,
    GUARD_SHORT_CIRCUITED,
    GUARD_TRIPS,
    GUARD_OPEN_LEVEL,
    GUARD_TARGETS_LEVEL,
    GUARD_BREAKER_OPEN,
    GUARD_LIMIT_WAIT,
    GUARD_IN_FLIGHT,
    GUARD_LIMIT_QUEUE,
    GUARD_ASKED,
    GUARD_REFUSED,
    GUARD_RATE_LIMITED,
    GUARD_WANTED,
    GUARD_DENIED,
    GUARD_BUDGET_EXHAUSTED,
    GUARD_BEGUN,
    GUARD_EXCEEDED,
    GUARD_DEADLINE_EXCEEDED,
    GUARD_METRICS,
};
extern const struct metric_table guard_metrics;

enum { GUARD_HEDGE_AFTER = 100 }; /* answers before a percentile is believed */

/* One agent that is called. */
struct guard_target {
    struct breaker breaker;
    const struct breaker_config *rule; /* of the first call to it that has one; NULL: none yet */
    uint64_t in_flight;                /* room granted included */
    uint32_t head, tail; /* calls that wait for room, first to come first to go; 0: none */
};

/* Latencies of the calls of one configuration for one operation; found by a search, few are. */
struct guard_latencies {
    struct guard_latencies *next;
    const struct caller_config *config;
    uint32_t operation;
    struct running running;
};

struct guard {
    struct agent *agent;
    const struct caller_config *config; /* of the first operation: its rate limit */
    struct record *record;              /* of guard_metrics */
    struct record *tries;               /* of caller_metrics, or NULL */
    bool limits;                        /* some call has a limit: messages in flight are counted */
    bool admits, client;
    size_t caller_at; /* of the struct caller in a frame, once one has waited */
    double tokens;    /* of the retry budget */
    struct limiter limiter;
    uint32_t *slots; /* [agent]: 1 + index in targets, 0: never called */
    struct guard_target *targets;
    uint32_t count, room;
    struct guard_latencies *latencies; /* where hedges look at a percentile */
};

/* The target's record, made at its first use; valid until the next one is made. */
struct guard_target *guard_target(struct guard *guard, uint32_t agent);

/* Whether a configuration uses more than a timeout and plain retries; `counts`: or those, because
 * their accounts are the guard's. */
bool guard_is_needed(const struct caller_config *config, bool counts);

struct running *guard_latencies(struct guard *guard, const struct caller_config *config,
                                uint32_t operation);

/* Whether a try may go to `to` now; false: its breaker refuses it. */
bool guard_breaker_lets(struct guard *guard, const struct caller_config *config,
                        struct caller *caller, const struct call *call, uint32_t to);

/* What became of a try, for the breaker of its target. */
void guard_breaker_learns(struct guard *guard, const struct call *call, uint32_t to, bool probe,
                          bool ok);

/* Takes room at a target for one message; false: there is none. */
bool guard_takes_room(struct guard *guard, const struct caller_config *config, uint32_t to);
void guard_gives_room(struct guard *guard, uint32_t to);
void guard_queue(struct guard *guard, struct caller *caller, struct call *call);
void guard_unqueue(struct guard *guard, const struct caller *caller, const struct call *call);

/* One count of a guard metric, now. */
static inline void guard_count(const struct guard *guard, const struct call *call, uint32_t metric)
{
    record_count(guard->record, metric, call->operation, *guard->record->now, 1);
}

#endif
