/* The registers of one replica: which version it holds of every key that was written there. Open
 * addressing in an arena; memory follows the keys. */
#ifndef ORRERY_MODELS_PARTS_REGISTERS_H
#define ORRERY_MODELS_PARTS_REGISTERS_H

#include "engine/kernel/arena.h"
#include "engine/kernel/version.h"

struct register_slot {
    uint64_t key;
    version_handle version; /* 0: an empty slot */
};

struct registers {
    struct arena *arena;
    struct register_slot *slots;
    uint32_t room, used; /* room: a power of two, or 0 before the first write */
};

void registers_init(struct registers *registers, struct arena *arena);

/* 0: the value before any write. */
version_handle registers_get(const struct registers *registers, uint64_t key);

/* `version` is not 0. */
void registers_set(struct registers *registers, uint64_t key, version_handle version);

/* Takes a key back to the value before any write. */
void registers_erase(struct registers *registers, uint64_t key);

void registers_clear(struct registers *registers);

/* Marks what is held, in a collection. */
void registers_keep(const struct registers *registers, struct versions *versions);

#endif
