/* Zones of other points of a sweep: a link between zones may name one in which nobody stands at the
 * point at hand, and is no mistake then. */
#ifndef ORRERY_SCENARIO_ELSEWHERE_H
#define ORRERY_SCENARIO_ELSEWHERE_H

#include "engine/scenario/sweep.h"

struct elsewhere {
    const char *const *zones; /* may repeat */
    uint32_t zone_count;
};

/* The zones that some value of some parameter makes, played or not, the other parameters as they
 * are written: O(values x nodes). Lives in `arena`. Tells no error; each point tells its own. */
struct elsewhere elsewhere_find(const struct sweep *sweep, struct arena *arena);

bool elsewhere_zone(const struct elsewhere *elsewhere, const char *name);

#endif
