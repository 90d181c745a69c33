/* Versions: what the replicas of a store hold. A write that a store accepts becomes one immutable
 * version in the store's table, and whatever keeps it - registers, logs, messages - keeps its
 * handle. Only the store's own agents know handles; everybody else names a version by the `op_id`
 * of the write it came from, which is unique (`call.version`; 0: the value before any write).
 *
 *     struct versions versions;
 *     versions_init(&versions, &s->arena, 0);
 *     version_handle h = version_new(&versions, &(struct version){.op_id = c->op_id, ...});
 *     const struct version *v = version_at(&versions, h);      valid until the next version_new
 *
 * Memory: a table grows until `versions_full`, then its owner marks what is still held
 * (version_keep) between versions_collect_begin and versions_collect_end; all others are free
 * again. Thus it follows what is held, never the length of the run. */
#ifndef ORRERY_KERNEL_VERSION_H
#define ORRERY_KERNEL_VERSION_H

#include "engine/kernel/arena.h"

#include <stdbool.h>
#include <stdint.h>

typedef uint32_t version_handle; /* 0: the value before any write */

/* Place in the order of all versions of a store: of two the larger one is newer. Logs: term and
 * index. Last write wins: stamp and node. Version vectors: unused, see version_before. */
struct version_order {
    uint64_t high, low;
};

struct version {
    uint64_t op_id; /* of the write */
    uint64_t key;
    uint64_t
        base; /* op_id of the version a read-modify-write was made on; 0: none, or a blind one */
    struct version_order order;
    int64_t made_ns; /* when the store accepted it */
    uint32_t origin; /* agent that accepted it */
    uint32_t session, size;
    uint32_t counter; /* version vectors: the how-manieth of its origin */
    uint8_t operation;
    bool deletes;  /* a tombstone */
    bool modifies; /* has read what it overwrites: update, cas */
    bool held;     /* some replica has held it: else no version can have been made on it */
};

struct versions {
    struct arena *arena;   /* gives the memory, and outlives the table */
    struct version *items; /* index: handle; [0] is the value before any write */
    uint32_t *contexts;    /* [handle][width]: counters of the versions it has seen */
    uint8_t *marks;
    uint32_t width; /* members whose counters a version vector holds; 0: there are none */
    uint32_t used, room, free_head, live;
    uint32_t full; /* collect when as many live */
};

/* `width` > 0: every version has a version vector of as many counters. */
void versions_init(struct versions *versions, struct arena *arena, uint32_t width);

/* A copy of `version`; its vector is all zero. */
version_handle version_new(struct versions *versions, const struct version *version);

static inline const struct version *version_at(const struct versions *versions,
                                               version_handle handle)
{
    return &versions->items[handle];
}

/* The vector of a version: what its writer had seen, itself excluded. */
static inline uint32_t *version_context(const struct versions *versions, version_handle handle)
{
    return &versions->contexts[(uint64_t)handle * versions->width];
}

/* -1, 0, 1: older, the same, newer. */
static inline int version_compare(struct version_order a, struct version_order b)
{
    if (a.high != b.high)
        return a.high < b.high ? -1 : 1;
    return a.low < b.low ? -1 : a.low > b.low;
}

/* Version vectors: whether the writer of `b` had seen `a`. Members are numbered by `member` (index
 * into the vector of the version's origin). */
bool version_before(const struct versions *versions, version_handle a, uint32_t member,
                    version_handle b);

/* Whether enough has gathered that a collection is worth its time (amortised: each costs as much as
 * the versions made since the last). */
static inline bool versions_full(const struct versions *versions)
{
    return versions->live >= versions->full;
}
void versions_collect_begin(struct versions *versions);
void version_keep(struct versions *versions, version_handle handle);
bool version_is_kept(const struct versions *versions, version_handle handle); /* marked by now */
void versions_collect_end(struct versions *versions);

#endif
