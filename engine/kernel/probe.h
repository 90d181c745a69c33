/* The probe: what the consistency judge is told while a run goes on. The kernel and the models call
 * it; whoever judges implements it. A simulation without a judge has no probe and pays nothing; any
 * member may be NULL. Times are the simulation's clock; the number of the event
 * (simulation->queue.popped) tells the order of two calls at the same nanosecond.
 *
 * An operation lives from `invoke` to `complete`, both told by the outermost caller that names key
 * and type. Where it writes, a store tells `create` when it accepts it (once for each time it is
 * applied anew: a retry without an idempotency key creates another version with the same op_id).
 * Where it reads, each store or cache that answers tells `serve`; several may answer one operation
 * (retries, hedges), and the one that counts is named by the `version` of the completed call. */
#ifndef ORRERY_KERNEL_PROBE_H
#define ORRERY_KERNEL_PROBE_H

#include "engine/kernel/version.h"

#include <stdbool.h>
#include <stdint.h>

struct agent;
struct call;

struct probe {
    void *context;

    /* ---- operations ---- */

    /* An operation is invoked by the outermost caller that names key and type. */
    void (*invoke)(void *context, const struct agent *at, const struct call *operation);
    /* A try of it is sent to a group, named by its first member, whichever member gets it. */
    void (*ask)(void *context, const struct agent *group, const struct call *operation);
    /* It ends: status and version stand in the call. `version` is the op_id of the version that was
     * read, or of the one that was written (its own op_id). */
    void (*complete)(void *context, const struct agent *at, const struct call *operation);

    /* ---- what stores do; `at` is the replica, all replicas of a store are instances of one node
     * ---- */

    /* The write of `operation` (or a part of it) becomes this version at `at`, which accepts it. */
    void (*create)(void *context, const struct agent *at, const struct call *operation,
                   const struct version *version);
    /* Only these members (bits, by number from 0) keep a copy of the key: told before a version of
     * it is created, where not all do. */
    void (*keeps)(void *context, const struct agent *at, uint64_t key, uint64_t members);
    /* The replica holds it now: as its value of the key, or as one of its siblings. Told also by
     * the replica that created it. What it held before has been seen by this version unless
     * `supersede` says otherwise. */
    void (*apply)(void *context, const struct agent *at, const struct version *version);
    /* The replica discards `loser` (held or incoming) for `winner`, which had never seen it: a
     * conflict resolved by a rule. */
    void (*supersede)(void *context, const struct agent *at, const struct version *winner,
                      const struct version *loser);
    /* Two versions neither of which has seen the other have met at the replica, whatever becomes
     * of them; `siblings`: how many it now keeps for the key. */
    void (*conflict)(void *context, const struct agent *at, uint64_t key, uint32_t siblings);
    /* The replica takes back what it had applied: the unreplicated tail of a deposed leader. */
    void (*retract)(void *context, const struct agent *at, const struct version *version);
    /* The replica forgets all it held (a crash of volatile memory, a wipe). */
    void (*forget)(void *context, const struct agent *at);
    /* Version and all older ones of its key that nobody has retracted are in the final lineage:
     * nothing can take them back any more. Stores that cannot know tell it when the run ends, of
     * every version that survives. */
    void (*decide)(void *context, const struct agent *at, const struct version *version);
    /* The store answers the read `operation` with these versions (0: the value before any write;
     * more than one: siblings). */
    void (*serve)(void *context, const struct agent *at, const struct call *operation,
                  const struct version *const *versions, uint32_t count);

    /* ---- caches: copies of what the store of `at` has made ---- */

    /* A cache holds a copy of the version with this op_id (0: the value before any write) from now
     * on. True where the store has something newer. */
    bool (*copy_take)(void *context, const struct agent *at, uint64_t key, uint64_t version);
    /* One that was taken is held no longer. */
    void (*copy_drop)(void *context, const struct agent *at, uint64_t key, uint64_t version);
    /* The read `operation` is answered with its `version`, from a copy. True where something newer
     * had been acknowledged before it began. */
    bool (*copy_serve)(void *context, const struct agent *at, const struct call *operation);

    /* ---- leaders ---- */

    /* The replica begins (on) or ceases to believe itself leader in `term`, for the shard or group
     * number `shard` of its node. */
    void (*role)(void *context, const struct agent *at, uint32_t shard, uint64_t term, bool on);
    /* The replica (or supervisor) `at` takes `whom` (the leader so far; a replica) for dead, and
     * something will be done about it: an election or a promotion begins. */
    void (*suspect)(void *context, const struct agent *at, const struct agent *whom);
    /* A write has been acknowledged by `at` as leader of `term`. */
    void (*acknowledge)(void *context, const struct agent *at, uint32_t shard, uint64_t term,
                        const struct call *operation);

    /* ---- faults ---- */

    /* A crash took the volatile memory of the agent's place. */
    void (*place_lost)(void *context, const struct agent *at);
};

/* Tells the probe where there is one that listens:
 *     PROBE(agent->simulation, serve, agent, c, &version, 1); */
#define PROBE(s, member, ...)                                                                      \
    do {                                                                                           \
        const struct probe *probe_ = (s)->probe;                                                   \
        if (probe_ && probe_->member)                                                              \
            probe_->member(probe_->context, __VA_ARGS__);                                          \
    } while (0)

#endif
