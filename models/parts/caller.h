/* The caller's side of one call: timeouts, retries and whatever else guards it. Every kind with a
 * `to` embeds a caller_config in its configuration, a `struct caller` in its frame, and keeps what
 * caller_start returns.
 *
 *     start                   guard = caller_start(agent, ...)
 *     arrived                 caller_begin(caller, guard), then caller_admit(...) at visited nodes
 *     worked ...              if (caller_send(..., target)) one message has gone to the target
 *     JOINED SHORT TIMEOUT    switch (caller_wake(...)) {
 *                             case CALLER_AGAIN: pick a target, caller_send(...)
 *                             case CALLER_SENT:  one message has gone to caller->to
 *                             case CALLER_ENDED: caller_status(...) }
 *     CANCELLED               caller_cancel(...)
 *     settle                  parent ? caller_settle(parent's, child) : caller_late(guard, child)
 *
 * Each try is a round of its own: what answers after its timeout is late and no longer looked at. A
 * hedge is a second message in the same round. Nothing is forked and no event is spent: with only a
 * timeout and plain retries `guard` is NULL and none of the rest is looked at. What comes of all
 * tries: one ok makes it ok; else one info, or one that was not answered in time, makes it info;
 * else it certainly was not applied: fail. */
#ifndef ORRERY_MODELS_PARTS_CALLER_H
#define ORRERY_MODELS_PARTS_CALLER_H

#include "engine/kernel/field.h"
#include "engine/kernel/simulation.h"
#include "models/parts/backoff.h"
#include "models/parts/breaker.h"
#include "models/parts/limiter.h"

enum caller_budget { CALLER_BUDGET_NONE, CALLER_BUDGET };
enum caller_retry_on { CALLER_RETRY_ERROR = 1, CALLER_RETRY_TIMEOUT = 2 };

/* Zero is "not used" everywhere. */
struct caller_config {
    int64_t timeout;   /* ns of each try, or TIME_NONE */
    int64_t deadline;  /* ns of all tries, or TIME_NONE */
    uint64_t attempts; /* tries in all, or COUNT_UNLIMITED; of no meaning without has_retry */
    struct backoff_config backoff;
    double budget_share, budget_burst; /* tokens: for each first try, and at most */
    uint32_t retry_on;                 /* enum caller_retry_on; 0: both */
    struct breaker_config breaker;
    struct limiter_config limiter;
    uint64_t limit;      /* messages in flight to each target; 0 or COUNT_UNLIMITED: any */
    int64_t hedge_ns;    /* hedge_after 0: after this time */
    uint8_t hedge_after; /* 0: a time; else a percentile (caller_percentile) */
    uint8_t budget;      /* enum caller_budget */
    bool has_retry, has_hedge, hedge_cancel, has_breaker, idempotency_key;
};
extern const struct field_table caller_fields;

/* The share (0..1) of a percentile word of `hedge: {after: ...}`. */
double caller_percentile(uint8_t hedge_after);

/* For kinds that are visited: their own tries, which clients count by operation. */
enum caller_metric {
    CALLER_ATTEMPTS,
    CALLER_TRIES,         /* hidden: the same, counted */
    CALLER_TIMEOUT_COUNT, /* hidden */
    CALLER_TIMEOUTS,
    CALLER_CALLS,       /* hidden: requests that called */
    CALLER_RETRY_COUNT, /* hidden */
    CALLER_RETRIES,
    CALLER_METRICS,
};
extern const struct metric_table caller_metrics;

struct guard; /* of an instance: models/parts/guard.h */

enum caller_state {
    CALLER_AWAITS,  /* an answer, or nothing yet */
    CALLER_RESTS,   /* it pauses between two tries */
    CALLER_QUEUES,  /* for room at its target */
    CALLER_GRANTED, /* there is room, and it is about to be woken */
    CALLER_REFUSED, /* by its own guard, and it is about to be woken */
    CALLER_DELAYED, /* for its turn at a leaky bucket */
    CALLER_HEDGES,  /* the kind has been asked for a target of the second message */
    CALLER_HEDGED,  /* the second message has gone, or will not go */
};

/* In the `attempt` of a message: the second one of its try. The other bits number the try. */
enum { CALLER_HEDGE_COPY = 128 };

enum caller_mark {
    CALLER_UNKNOWN = 1,      /* some try may have been applied */
    CALLER_SHORTED = 2,      /* some try was refused by a breaker */
    CALLER_PROBES = 4,       /* the present try tests its target */
    CALLER_ADMITTED = 8,     /* the rate limiter has let it in */
    CALLER_OVER = 16,        /* no further try, whatever is left of them */
    CALLER_DUE = 32,         /* what it awaits next is the time of its hedge */
    CALLER_AT_CACHE = 64,    /* it awaits a cache that leaves the store to it */
    CALLER_PAST_CACHE = 128, /* it awaits the store behind, or, with AT_CACHE, must ask it next */
};

/* In the frame. */
struct caller {
    uint32_t tries;      /* begun */
    uint32_t sent;       /* messages: tries that went out, and hedges */
    uint32_t timeouts;   /* tries that were not answered in time */
    uint32_t refused;    /* tries answered with `rejected`, here or further on */
    struct guard *guard; /* or NULL */
    int64_t since_ns;    /* begin of the present try */
    int64_t pause_ns;    /* the last pause */
    uint32_t to;         /* the last target */
    uint16_t branch;
    uint8_t state; /* enum caller_state */
    uint8_t marks; /* enum caller_mark */
};
_Static_assert(sizeof(struct caller) == 48, "frames have no more room");

enum caller_next {
    CALLER_WAITS, /* woken later */
    CALLER_AGAIN, /* the kind is to pick a target and send once more */
    CALLER_SENT,  /* woken later; a message that had to wait has just gone to caller->to */
    CALLER_ENDED, /* the status is known */
};

/* Why an answer was not ok, told along the way back in the `verb` of the reply; of an ok one
 * whether a cache had what was asked for. */
enum reply_reason { REASON_NONE, REASON_REJECTED, REASON_MISS, REASON_HIT };

/* What a caller wants of a cache that leaves the store to it (models/cache.c), in the `verb`. */
enum caller_wish {
    CALLER_LOOKS_UP = 96, /* answered at once, with REASON_MISS where there is no copy */
    CALLER_FILLS,         /* the version that it carries was read from the store */
    CALLER_HAS_WRITTEN,   /* the version that it carries was written to the store */
};

/* A caller at the beginning of a call; `guard` may be NULL. */
static inline void caller_begin(struct caller *caller, struct guard *guard)
{
    *caller = (struct caller){.guard = guard};
}

/* Sends one try to agent `to` and awaits it; true where a message has gone. `branch` is for the
 * kind's own use. */
bool caller_send(struct caller *caller, const struct caller_config *config, struct call *call,
                 struct agent *agent, uint32_t to, uint16_t branch);

/* Bytes of a request as it stands: the value goes out with writes. */
uint32_t caller_bytes(const struct agent *agent, const struct call *call);

/* Whether a call by this configuration is one message and its answer: nothing to watch, count or
 * try again. Every key of a caller must be looked at here. */
bool caller_plain(const struct caller_config *config);

/* The call was woken with JOINED, SHORT or TIMEOUT. */
enum caller_next caller_wake_guarded(struct caller *caller, const struct caller_config *config,
                                     struct call *call, struct agent *agent);
static inline enum caller_next caller_wake(struct caller *caller,
                                           const struct caller_config *config, struct call *call,
                                           struct agent *agent)
{
    if (LIKELY(call->wake == WAKE_JOINED && !caller->guard &&
               !(caller->marks & (CALLER_AT_CACHE | CALLER_PAST_CACHE))))
        return CALLER_ENDED;
    return caller_wake_guarded(caller, config, call, agent);
}

/* Whether this wake is the end of a try that was not answered in time; before caller_wake. */
static inline bool caller_times_out(const struct caller *caller, const struct call *call)
{
    bool awaits = caller->state == CALLER_AWAITS || caller->state == CALLER_HEDGED;
    return call->wake == WAKE_TIMEOUT && awaits && !(caller->marks & CALLER_DUE);
}

/* The kind has no target: true where it was for a second message, and the first one is awaited on;
 * else the call has ended. */
bool caller_unhedged(struct caller *caller, const struct caller_config *config, struct call *call,
                     struct agent *agent);

/* What it came to, once it has ended: ok where the last wake was JOINED. */
enum status caller_status(const struct caller *caller, const struct call *call);

/* Whether a refusal is to be told to its own caller: where some try was refused and none may have
 * been done. */
static inline enum reply_reason caller_reason(const struct caller *caller)
{
    bool refused = caller->refused || caller->marks & CALLER_SHORTED;
    return refused && !(caller->marks & CALLER_UNKNOWN) ? REASON_REJECTED : REASON_NONE;
}

/* Answers a call and tells why where it is not ok: ok replies of reads and scans carry the value.
 */
void caller_reply(struct call *call, struct agent *agent, enum status status,
                  enum reply_reason reason);

/* The same with ok, early: the call lives on without its caller. */
void caller_answer(struct call *call, struct agent *agent);

/* Mean number of tries where each fails by itself with probability `fail`; for kind_load. */
double caller_attempts(const struct caller_config *config, double fail);

/* ---- with a guard ---- */

/* What an instance needs for its callers: one guard for all of its operations, whose caller_config
 * stands at `offset` in the kind's configuration; NULL where none of them uses more than a timeout
 * and retries. To be called by `start`, also after a restart, which forgets everything. `guards` is
 * the index of guard_metrics among the agent's records; `tries` that of caller_metrics, or -1 where
 * the kind counts its tries itself. `others` shows the further configurations that stand in that of
 * an operation (steps); or NULL. */
typedef void caller_visit(void *context, const struct caller_config *config);
typedef void caller_visit_all(const void *config, caller_visit *visit, void *context);
struct guard *caller_start(struct agent *agent, size_t offset, int guards, int tries,
                           caller_visit_all *others);

enum caller_admission { CALLER_COMES_IN, CALLER_TURNED_AWAY, CALLER_COMES_LATER };

/* The rate limit of a visited node, before its own work. COMES_LATER: it is woken with TIMEOUT when
 * its turn has come (caller_was_delayed, once). Clients need not ask: caller_send does. */
enum caller_admission caller_admit_guarded(struct caller *caller, struct call *call,
                                           struct agent *agent);
static inline enum caller_admission caller_admit(struct caller *caller, struct call *call,
                                                 struct agent *agent)
{
    return LIKELY(!caller->guard) ? CALLER_COMES_IN : caller_admit_guarded(caller, call, agent);
}
static inline bool caller_was_delayed(struct caller *caller)
{
    if (LIKELY(caller->state != CALLER_DELAYED))
        return false;
    caller->state = CALLER_AWAITS;
    return true;
}

/* The call has been taken back: leaves whatever it waits for. */
void caller_cancel(struct caller *caller, struct call *call);

void guard_settle(struct caller *caller, const struct call *child);
void guard_late(struct guard *guard, const struct call *child);

/* What was read goes back to whoever asked, and a later write of the same request can say what it
 * was made on. */
static inline void caller_reads(struct call *parent, const struct call *child)
{
    if (UNLIKELY(child->status != STATUS_OK))
        return;
    parent->version = child->version;
    parent->traits =
        (uint8_t)((parent->traits & ~REQUEST_ABSENT) | (child->traits & REQUEST_ABSENT));
}

/* A child's reply, in the kind's `settle`. */
static inline void caller_settle(struct caller *caller, const struct call *child)
{
    if (UNLIKELY(caller->guard != NULL))
        guard_settle(caller, child);
    if (UNLIKELY(caller->marks & CALLER_AT_CACHE) && child->verb == REASON_MISS)
        caller->marks |= CALLER_PAST_CACHE;
    if (LIKELY(child->status == STATUS_OK))
        return;
    if (child->status == STATUS_INFO)
        caller->marks |= CALLER_UNKNOWN;
    caller->refused += (child->flags & CALL_REJECTED) || child->verb == REASON_REJECTED;
}

/* The same where the parent has gone or awaits something newer. */
static inline void caller_late(struct guard *guard, const struct call *child)
{
    if (UNLIKELY(guard != NULL))
        guard_late(guard, child);
}

#endif
