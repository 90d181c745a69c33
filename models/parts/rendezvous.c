#include "models/parts/rendezvous.h"

#include "engine/kernel/arithmetic.h"
#include "engine/kernel/random.h"

uint32_t rendezvous_find(const uint64_t *ids, const double *weights, uint32_t count, uint64_t hash)
{
    uint32_t best = 0;
    uint64_t most = 0;
    double highest = -1;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t draw = random_mix(hash ^ ids[i]);
        if (!weights) { /* the score grows with u, so that u itself will do */
            if (!i || draw > most)
                best = i;
            most = draw > most ? draw : most;
            continue;
        }
        double score = -weights[i] / arithmetic_log(random_unit(draw));
        if (score > highest) {
            highest = score;
            best = i;
        }
    }
    return best;
}
