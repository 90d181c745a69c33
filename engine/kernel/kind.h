/* A kind of node as a table: name, one sentence, fields, metrics, sizes, functions. Adding a kind
 * is one file with one such table and one line in models/registry.c. */
#ifndef ORRERY_KERNEL_KIND_H
#define ORRERY_KERNEL_KIND_H

#include "engine/kernel/field.h"
#include "engine/kernel/metric.h"

#include <stdint.h>

struct agent;
struct call;

enum { KIND_TABLES = 8 };

enum kind_flags {
    KIND_CLIENT = 1,    /* begins operations itself: shares in `operations` are its own */
    KIND_VISITED = 2,   /* holds calls of others: its first table is visit_metrics */
    KIND_CANCELS = 4,   /* its agents have `cancels` from the start, and hand cancels on to all
                           they have called */
    KIND_GROUP = 8,     /* no machine: each instance lives on the place of one of its `members` */
    KIND_STORE = 16,    /* keeps data: operations that reach it have a type that it knows */
    KIND_FORWARDS = 32, /* hands requests on as they are: it asks no store for a cache */
    KIND_OUTBOX = 128,  /* keeps messages for its writers: models/parts/outbox.h */
    KIND_GUEST = 64,    /* no machine: each instance lives on the place of one of its `to`, or,
                           where that is a group, on that of the node in which it stands */
};

/* Nodes that stand in the map of another: of `queue: {subscriptions: {mail: {to: mailer}}}` one
 * called queue.mail. */
struct kind_parts {
    const char *key;         /* a FIELD_PARTS of the outer kind: a map from names to their maps */
    const char *alone;       /* another one: `to: mailer` is the only one, called queue.to */
    const struct kind *kind; /* of them all; in no registry */
};

/* A key that says how many machines a node is: callers see them as one, and kind->route picks. */
struct kind_copies {
    const char *key; /* "replicas", a FIELD_COUNT */
};

struct kind {
    const char *name;
    const char *summary;   /* one sentence, for the manual */
    const char *semantics; /* what is simulated, what is left out, what happens at ties */
    const struct field_table *fields; /* of the configuration, beside the keys every node has */
    const struct metric_table *tables[KIND_TABLES]; /* up to the first NULL; agent->records has the
                                                       same order */
    uint32_t flags;
    uint32_t config_size;
    uint32_t volatile_size; /* of agent->memory: zeroed by a crash */
    uint32_t durable_size;  /* of agent->durable: kept by a crash */
    uint32_t frame_size;    /* of call_frame(): what a call of this kind remembers over an await */

    /* Time 0, and after every restart. May begin calls and set timers. Never called while the
     * place is down or paused. */
    void (*start)(struct agent *agent);

    /* Resumes one call that this agent holds; call->wake says why. Must end with exactly one of:
     * call_reply, call_free, call_await with children or a timeout, station_enter and the like
     * (someone else will wake the call). Must not touch the call after it gave it away. Never
     * re-entered: a message to another agent, even over a link without delay, arrives by an event.
     */
    void (*step)(struct agent *agent, struct call *call);

    /* Sees every child of a call of this agent exactly once, when its reply comes in or is given
     * up, before the parent's join is judged. `parent` is NULL where the parent has gone or (round)
     * no longer waits for this child; the child is freed by the core afterwards. Must not wake or
     * free anybody. */
    void (*settle)(struct agent *agent, struct call *parent, struct call *child);

    /* A timer of this agent fired (timer_after); timers set before a crash are dropped. */
    void (*tick)(struct agent *agent, uint32_t tag, uint64_t argument);

    /* The run is over: records what only its end tells (operations still open). May be NULL. */
    void (*finish)(struct agent *agent);

    /* Groups, and nodes of several machines that are one: the agent that a call of `caller`, one
     * that is about to be sent to this group, goes to. `node`: index of the group. Runs at the
     * caller: it may use only what the caller can know. NULL for other kinds. */
    uint32_t (*route)(struct agent *caller, uint32_t node, const struct call *call);

    /* Groups: whether this member leads now, as far as the group knows (of two that believe it the
     * later one). NULL: members of this kind never lead. */
    bool (*leads)(const struct agent *member);

    /* Groups: whether one with this configuration has leaders. NULL together with `leads`. */
    bool (*led)(const void *config);

    /* What is to be said of a key that was written, for a warning: the rest of a sentence that
     * begins with the key. NULL: nothing. The function may be NULL. */
    const char *(*doubt)(const void *config, const char *key);

    /* A `flush` fault: what it holds of others' data is gone. NULL: it holds none. */
    void (*flush)(struct agent *agent);

    /* Whether a request passes here once at most, so that circles through it end. NULL: never. */
    bool (*passes_once)(const void *config);

    /* Why a configuration cannot be, in the user's words, or NULL. May be NULL. */
    const char *(*check)(const void *config);

    const struct kind_parts *parts;   /* or NULL */
    const struct kind_copies *copies; /* or NULL */

    /* The predicted load for `orrery validate`, or NULL: see engine/kernel/blueprint.h. */
    const struct kind_load *load;
};

#endif
