/* The log of one replica: versions by index, 1 the first. What every replica has may be trimmed
 * from the head; what a deposed leader had alone is truncated from the tail. Memory follows what
 * lies between. */
#ifndef ORRERY_MODELS_PARTS_LOG_H
#define ORRERY_MODELS_PARTS_LOG_H

#include "engine/kernel/arena.h"
#include "engine/kernel/version.h"

struct log {
    struct arena *arena;
    version_handle *entries; /* a ring: index i stands at i & (room - 1) */
    uint64_t first, last;    /* indices that are kept: first .. last; last = first - 1: none */
    uint32_t room;           /* a power of two, or 0 */
};

void log_init(struct log *log, struct arena *arena);

/* Index of the new entry: last. */
uint64_t log_append(struct log *log, version_handle version);

/* first <= index <= last. */
version_handle log_at(const struct log *log, uint64_t index);

/* Forgets all beyond `last`, or all before `first`; where nothing is beyond or before, nothing. */
void log_truncate(struct log *log, uint64_t last);
void log_trim(struct log *log, uint64_t first);

/* Marks what is kept, in a collection. */
void log_keep(const struct log *log, struct versions *versions);

#endif
