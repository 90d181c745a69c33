/* What kinds that keep data have in common: which operations read and which write, how a write
 * becomes a version, and how a replicated store asks the machine of a member for work. */
#ifndef ORRERY_MODELS_PARTS_STORE_H
#define ORRERY_MODELS_PARTS_STORE_H

#include "engine/kernel/simulation.h"
#include "engine/kernel/version.h"

/* In the `verb` of a call that an agent of a group sends to the machine it lives on: do this work
 * and answer, the data is kept by the group. Further verbs are the group's own, from STORE_OWN on.
 */
enum store_verb {
    STORE_WORK_READ = 64,
    STORE_WORK_WRITE,
    STORE_WORK_SCAN,
    STORE_WORK_PING, /* nothing, but in the queue like everybody */
    STORE_OWN = 80,
};

static inline enum operation_type store_type(const struct agent *agent, const struct call *c)
{
    return agent->simulation->blueprint->operations[c->operation].type;
}

static inline bool store_writes(enum operation_type type)
{
    return type == OPERATION_WRITE || type == OPERATION_INSERT || type == OPERATION_UPDATE ||
           type == OPERATION_CAS || type == OPERATION_DELETE;
}

/* Whether an operation with compare-and-set finds what it expects: the version it has read before
 * (`version` of the request; 0: the value before any write) is still the present one. */
static inline bool store_matches(const struct call *c, uint64_t present_op_id)
{
    return c->version == present_op_id;
}

/* The version that the write `c`, accepted by `agent` now on top of `present` (NULL: the value
 * before any write), becomes; `order` and `counter` are the store's own. A read-modify-write is
 * made on what its request says it has read (`version`), else on what is present. */
struct version store_version(const struct agent *agent, const struct call *c,
                             const struct version *present);

/* The kind of work of an operation. */
enum store_verb store_work(enum operation_type type);

#endif
