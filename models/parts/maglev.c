#include "models/parts/maglev.h"

#include "engine/kernel/random.h"

/* Its permutation is offset + k skip modulo the size; `at` is the next entry of it. */
struct maglev_owner {
    uint32_t at, skip;
    double due; /* the turns it must have had, times its weight, before it may claim again */
};

struct maglev maglev_room(struct arena *arena, uint32_t owners)
{
    return (struct maglev){
        .slots = arena_array(arena, MAGLEV_SLOTS, uint32_t),
        .owners = arena_array(arena, owners, struct maglev_owner),
    };
}

void maglev_fill(struct maglev *maglev, const uint64_t *ids, const double *weights, uint32_t count)
{
    double heaviest = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t offset = random_mix(ids[i]), skip = random_mix(offset);
        maglev->owners[i] = (struct maglev_owner){(uint32_t)(offset % MAGLEV_SLOTS),
                                                  (uint32_t)(skip % (MAGLEV_SLOTS - 1)) + 1, 0};
        heaviest = weights[i] > heaviest ? weights[i] : heaviest;
    }
    for (uint32_t s = 0; s < MAGLEV_SLOTS; s++)
        maglev->slots[s] = UINT32_MAX;
    for (uint32_t left = MAGLEV_SLOTS, turn = 1;; turn++) {
        for (uint32_t i = 0; i < count; i++) {
            struct maglev_owner *owner = &maglev->owners[i];
            if (turn * weights[i] < owner->due)
                continue;
            owner->due += heaviest;
            while (maglev->slots[owner->at] != UINT32_MAX)
                owner->at = (owner->at + owner->skip) % MAGLEV_SLOTS;
            maglev->slots[owner->at] = i;
            if (!--left)
                return;
        }
    }
}
