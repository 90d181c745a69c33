/* The log of one replica: versions by index, 1 the first. What every replica has may be trimmed
 * from the head; what a deposed leader had alone is truncated from the tail. Memory follows what
 * lies between. */
#ifndef ORRERY_MODELS_PARTS_LOG_H
#define ORRERY_MODELS_PARTS_LOG_H

#include "engine/kernel/arena.h"
#include "engine/kernel/version.h"

struct log_entry {
    version_handle version;
    version_handle
        before; /* what the replica held of the key when it applied the entry; 0: nothing */
};

struct log {
    struct arena *arena;
    struct log_entry *entries; /* a ring: index i stands at i & (room - 1) */
    uint64_t first, last;      /* indices that are kept: first .. last; last = first - 1: none */
    uint32_t room;             /* a power of two, or 0 */
};

void log_init(struct log *log, struct arena *arena);

/* Index of the new entry: last. */
uint64_t log_append(struct log *log, version_handle version);

/* first <= index <= last. */
struct log_entry *log_entry(const struct log *log, uint64_t index);
static inline version_handle log_at(const struct log *log, uint64_t index)
{
    return log_entry(log, index)->version;
}

/* Forgets all beyond `last`, or all before `first`; where nothing is beyond or before, nothing. */
void log_truncate(struct log *log, uint64_t last);
void log_trim(struct log *log, uint64_t first);

/* Marks what is kept, in a collection. */
void log_keep(const struct log *log, struct versions *versions);

#endif
