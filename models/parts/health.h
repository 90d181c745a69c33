/* Who of a pool may be given work, as one watcher sees it: every load balancer keeps a view of its
 * own, and so does whoever else shares work out among instances that come and go.
 *
 *     member?   the instance belongs to the pools that hold it (struct agent)
 *     sound?    perfect: its place is up, known at once; none: nobody looks, always;
 *               checked: fewer than `unhealthy` probes in a row went unanswered, and once it was
 *               given up `healthy` in a row were answered
 *     ejected?  too many errors of real requests, until the ejection ends
 *
 * Probes are messages of the watcher's own: they travel over the links, are answered by the machine
 * without a slot or a place in a queue, wait where it is paused and are lost where it is down or
 * cut off. The first one of each backend comes at a part of the interval that follows from both
 * names, so that watchers do not probe in step. */
#ifndef ORRERY_MODELS_PARTS_HEALTH_H
#define ORRERY_MODELS_PARTS_HEALTH_H

#include "engine/kernel/field.h"
#include "engine/kernel/simulation.h"

enum health_mode { HEALTH_PERFECT, HEALTH_NONE, HEALTH_CHECKED };
enum health_eject { HEALTH_EJECT_NONE, HEALTH_EJECT_ERRORS };

struct health_config {
    int64_t interval; /* ns from probe to probe; TIME_NONE: no probes */
    int64_t timeout;  /* ns for the answer of one */
    uint64_t unhealthy, healthy;
    uint64_t eject_errors; /* so many errors ... */
    int64_t eject_in;      /* ... within so long (ns) ... */
    int64_t eject_for;     /* ... take a backend out for so long */
    uint8_t mode, eject;
};
extern const struct field_table health_fields; /* the one key `health` */

struct health_backend;

struct health {
    const struct health_config *config;
    struct agent *agent;             /* the watcher */
    struct health_backend *backends; /* [count] */
    uint32_t *at;                    /* [agents]: 1 + index in `backends`; 0: not watched */
    uint32_t count;
    uint64_t version; /* moves with every change of this view alone */
};

/* Called by the watcher's `start`, with volatile state: everybody is taken for sound at first. An
 * agent may be named twice. */
void health_start(struct health *health, const struct health_config *config, struct agent *agent,
                  const uint32_t *agents, uint32_t count);

/* Whether this view, and what it rests on, is another one than at an earlier number. */
static inline uint64_t health_version(const struct health *health)
{
    return health->version + health->agent->simulation->membership;
}

/* Whether a watched agent may be given work. */
bool health_serves(const struct health *health, uint32_t agent);

/* True for a call that is a probe's: to be handed to health_wake, or to be left alone in `settle`.
 */
static inline bool health_owns(const struct call *c)
{
    return c->operation == OPERATION_PROBE;
}

/* A probe was woken. True where a backend has just been given up. */
bool health_wake(struct health *health, struct call *call);

/* A try of a real request at a watched agent has failed or run out of time. True where that has
 * just ejected it. The last one that serves is never ejected. */
bool health_error(struct health *health, uint32_t agent);

/* The watcher's tick with HEALTH_TICK: an ejection ends. */
enum { HEALTH_TICK = 0x68656131 };
void health_tick(struct health *health);

#endif
