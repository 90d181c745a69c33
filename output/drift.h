/* Whether a point is in a steady state over its window. */
#ifndef ORRERY_OUTPUT_DRIFT_H
#define ORRERY_OUTPUT_DRIFT_H

#include "engine/kernel/result.h"

#include <stdbool.h>
#include <stdint.h>

/* Whether more went into some node than came out of it, or less, beyond chance: in W = [a, b) its
 * arrivals less its departures, rejected, abandoned and lost visits are what it holds at b more
 * than at a, and in a steady state their mean over replications is 0. `drift` where that mean is
 * significant at 99.9 % (Student's t over replications), at least 2, and at least a tenth of the
 * mean number inside: the queue of an overloaded node, a load that changes, a warm-up that is too
 * short. Means of such a point depend on how long the run is. Never with fewer than 3 results. */
bool drift_seen(const struct result *const *results, uint32_t count);

#endif
