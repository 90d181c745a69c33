/* The caller's side of one call: a timeout for each try, and retries. Every kind with a `to` embeds
 * a caller_config in its configuration and a `struct caller` in its frame.
 *
 *     arrived, worked ...     caller_begin(...);  caller_send(..., target)
 *     JOINED SHORT TIMEOUT    switch (caller_wake(...)) { case CALLER_AGAIN: caller_send(...,
 * target) case CALLER_ENDED: caller_status(...) } settle                  caller_settle(parent's,
 * child)
 *
 * Each try is a round of its own: what answers after its timeout is late and no longer looked at.
 * The same flow with and without retries: no call is forked, no event is spent. What comes of all
 * tries: one ok makes it ok; else one info, or one that was not answered in time, makes it info;
 * else it certainly was not applied: fail. */
#ifndef ORRERY_MODELS_PARTS_CALLER_H
#define ORRERY_MODELS_PARTS_CALLER_H

#include "engine/kernel/field.h"
#include "engine/kernel/simulation.h"

enum caller_backoff { CALLER_BACKOFF_CONSTANT };

struct caller_config {
    int64_t timeout;   /* ns of each try, or TIME_NONE */
    uint64_t attempts; /* tries in all, or COUNT_UNLIMITED; of no meaning without has_retry */
    int64_t backoff_ns;
    uint8_t backoff; /* enum caller_backoff */
    bool has_retry;
};
extern const struct field_table caller_fields;

/* In the frame, zero at the beginning. */
struct caller {
    uint32_t tries;
    uint32_t timeouts; /* tries that were not answered in time */
    uint32_t refused;  /* tries answered with `rejected`, here or further on */
    bool unknown;      /* some try may have been applied */
    bool resting;      /* it pauses between two tries */
};

enum caller_next {
    CALLER_WAITS, /* woken later */
    CALLER_AGAIN, /* the kind is to pick a target and send once more */
    CALLER_ENDED, /* the status is known */
};

/* Why an answer was not ok, told along the way back in the `verb` of the reply. */
enum reply_reason { REASON_NONE, REASON_REJECTED };

/* Sends one try to agent `to` and awaits it. `branch` is for the kind's own use. */
void caller_send(struct caller *caller, const struct caller_config *config, struct call *call,
                 struct agent *agent, uint32_t to, uint16_t branch);

/* Bytes of a request as it stands: the value goes out with writes. */
uint32_t caller_bytes(const struct agent *agent, const struct call *call);

/* Whether a call by this configuration is one message and its answer: nothing to watch, count or
 * try again. Every key of a caller must be looked at here. */
bool caller_plain(const struct caller_config *config);

/* The call was woken with JOINED, SHORT or TIMEOUT. */
enum caller_next caller_wake(struct caller *caller, const struct caller_config *config,
                             struct call *call, struct agent *agent);

/* What it came to, once it has ended: ok where the last wake was JOINED. */
enum status caller_status(const struct caller *caller, const struct call *call);

/* Whether a refusal is to be told to its own caller: where some try was refused and none may have
 * been done. */
static inline enum reply_reason caller_reason(const struct caller *caller)
{
    return caller->refused && !caller->unknown ? REASON_REJECTED : REASON_NONE;
}

/* A child's reply, in the kind's `settle`; only where the parent is not NULL. */
static inline void caller_settle(struct caller *caller, const struct call *child)
{
    if (LIKELY(child->status == STATUS_OK))
        return;
    caller->unknown |= child->status == STATUS_INFO;
    caller->refused += (child->flags & CALL_REJECTED) || child->verb == REASON_REJECTED;
}

/* Answers a call and tells why where it is not ok: ok replies of reads and scans carry the value.
 */
void caller_reply(struct call *call, struct agent *agent, enum status status,
                  enum reply_reason reason);

/* Mean number of tries where each fails by itself with probability `fail`; for kind_load. */
double caller_attempts(const struct caller_config *config, double fail);

#endif
