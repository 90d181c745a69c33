/* Maglev hashing (Eisenbud et al., Maglev: A Fast and Reliable Software Network Load Balancer, NSDI
 * 2016, section 3.4): every owner has its own permutation of a table's slots, and they take turns
 * to claim the next free one. A table of prime size, 65537 as in the paper: shares of equal owners
 * differ by one slot. A change of owners moves a few slots more than it must.
 *
 * With weights, as in Envoy: an owner sits out its turn while (turns so far) x weight is behind. */
#ifndef ORRERY_MODELS_PARTS_MAGLEV_H
#define ORRERY_MODELS_PARTS_MAGLEV_H

#include "engine/kernel/arena.h"

#include <stdint.h>

enum { MAGLEV_SLOTS = 65537 };

struct maglev {
    uint32_t *slots; /* [MAGLEV_SLOTS]: index of the owner */
    struct maglev_owner *owners;
};

/* A table for up to `owners` owners, not filled. */
struct maglev maglev_room(struct arena *arena, uint32_t owners);

/* Fills it for these owners, count >= 1; more than MAGLEV_SLOTS have no slot. */
void maglev_fill(struct maglev *maglev, const uint64_t *ids, const double *weights, uint32_t count);

static inline uint32_t maglev_find(const struct maglev *maglev, uint64_t hash)
{
    return maglev->slots[hash % MAGLEV_SLOTS];
}

#endif
