/* A memory of names for a while: which op_ids were noted within the last `window`. Memory follows
 * what is noted within one window. */
#ifndef ORRERY_MODELS_PARTS_RECALL_H
#define ORRERY_MODELS_PARTS_RECALL_H

#include "models/parts/registers.h"

#include <stdbool.h>
#include <stdint.h>

struct recall_item {
    uint64_t name;
    int64_t at_ns;
    uint32_t number; /* of this note: one that was forgotten and noted again has another */
};

struct recall {
    struct arena *arena;
    int64_t window_ns;
    struct registers names;
    struct recall_item *items; /* a ring, the oldest first */
    uint32_t first, count, room, notes;
};

void recall_init(struct recall *recall, struct arena *arena, int64_t window_ns);

/* Whether `name` was noted in (now - window, now]. */
bool recall_knows(struct recall *recall, uint64_t name, int64_t now_ns);

/* Notes it, which it is not yet. */
void recall_note(struct recall *recall, uint64_t name, int64_t now_ns);

/* It was never noted. */
void recall_forget(struct recall *recall, uint64_t name);

#endif
